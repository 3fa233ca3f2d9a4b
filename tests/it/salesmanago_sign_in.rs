//! Signing in to SALESmanago: what goes wrong has a sentence of its own.

use forcesync::connect::platform::salesmanago::{Salesmanago, SalesmanagoSecrets, SalesmanagoSettings};
use forcesync::domain::port::{PortClass, PortError, Source};
use forcesync::sandbox::platform::salesmanago::SalesmanagoOptions;

use forcesync::sandbox::tls::{Certificate, serve};

use crate::salesmanago_account::{Account, LeapClock, scan_of};

async fn failure(account: &Account, settings: SalesmanagoSettings) -> PortError {
    account.client_with(settings).test().await.unwrap_err()
}

/// platform-salesmanago.md §2: the list of users tests the sign-in.
#[tokio::test]
async fn a_good_sign_in_lists_the_users_and_compares_the_clocks() {
    let account = Account::start().await;
    let identity = account.client().test().await.unwrap();
    assert_eq!(identity.owner, "owner@sandbox.example");
    assert_eq!(identity.users.len(), 2);
    assert!(identity.clock_skew.unwrap().num_seconds().abs() < 60);
    assert_eq!(account.emulated_calls().total, 1);
}

/// platform-salesmanago.md §1: the endpoint is a setting, with or without `/api`.
#[tokio::test]
async fn the_endpoint_works_with_and_without_api_at_its_end() {
    let account = Account::start().await;
    for end in ["/", "/api", "/api/"] {
        let settings =
            SalesmanagoSettings { endpoint: format!("{}{end}", account.url), ..account.settings() };
        account.client_with(settings).test().await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_once_and_not_tried_again() {
    let account = Account::start().await;
    let secrets = SalesmanagoSecrets { api_secret: "wrong".into() };
    let client = Salesmanago::connect(
        account.settings(),
        &secrets,
        std::sync::Arc::<LeapClock>::clone(&account.clock),
    )
    .unwrap();
    let error = client.test().await.unwrap_err();
    assert_eq!(error.class, PortClass::SignIn);
    assert!(error.message.contains("API Secret"), "{error}");
    assert!(!error.message.contains("wrong"), "{error}");
    let error = client.scan(&scan_of(&["email"])).await.unwrap_err();
    assert_eq!(error.class, PortClass::SignIn);
    assert_eq!(account.called("contact/paginatedListById"), 1);
}

/// platform-salesmanago.md §3: an inactive account is refused like a wrong secret.
#[tokio::test]
async fn an_inactive_account_is_a_matter_of_the_sign_in() {
    let options = SalesmanagoOptions { active: false, ..SalesmanagoOptions::default() };
    let account = Account::start_with(options).await;
    let error = failure(&account, account.settings()).await;
    assert_eq!(error.class, PortClass::SignIn);
    assert!(error.message.contains("inactive"), "{error}");
}

#[tokio::test]
async fn an_owner_who_is_no_user_is_told_with_the_users_there_are() {
    let account = Account::start().await;
    let settings = SalesmanagoSettings { owner: "nobody@acme.example".into(), ..account.settings() };
    let error = failure(&account, settings.clone()).await;
    assert_eq!(error.class, PortClass::Settings);
    assert!(error.message.contains("nobody@acme.example"), "{error}");
    assert!(error.message.contains("second@sandbox.example"), "{error}");
    let error = account.client_with(settings).scan(&scan_of(&["email"])).await.unwrap_err();
    assert_eq!(error.class, PortClass::Settings, "{error}");
}

#[tokio::test]
async fn the_users_can_be_listed_before_an_owner_is_chosen() {
    let account = Account::start().await;
    let settings = SalesmanagoSettings { owner: "not yet".into(), ..account.settings() };
    assert_eq!(account.client_with(settings).users().await.unwrap().len(), 2);
}

#[tokio::test]
async fn another_server_is_told_apart_from_a_missing_one() {
    let account = Account::start().await;
    let settings = SalesmanagoSettings { endpoint: format!("{}/shop", account.url), ..account.settings() };
    let error = failure(&account, settings).await;
    assert_eq!((error.class, error.code.as_str()), (PortClass::Settings, "NOT_FOUND"));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = failure(&account, SalesmanagoSettings { endpoint, ..account.settings() }).await;
    assert_eq!((error.class, error.code.as_str()), (PortClass::Transient, "CONNECTION_REFUSED"));
}

/// platform-salesmanago.md §11: always https.
#[tokio::test]
async fn secrets_do_not_travel_over_plain_http_to_other_machines() {
    let account = Account::start().await;
    let settings =
        SalesmanagoSettings { endpoint: "http://salesmanago.example".into(), ..account.settings() };
    let error = failure(&account, settings).await;
    assert_eq!((error.class, error.code.as_str()), (PortClass::Settings, "PLAIN_HTTP"));
}

#[tokio::test]
async fn a_server_with_a_certificate_of_its_own_needs_its_authority_to_be_named() {
    let account = Account::start().await;
    let certificate = Certificate::make(&["app2.salesmanago.test".into()]).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, acceptor) = (account.emulator.router(), certificate.acceptor());
    tokio::spawn(async move { serve(listener, router, Some(acceptor), std::future::pending()).await });
    let untrusting = SalesmanagoSettings {
        endpoint: format!("app2.salesmanago.test:{}", address.port()),
        resolve: vec![("app2.salesmanago.test".into(), address)],
        ..account.settings()
    };
    let error = failure(&account, untrusting.clone()).await;
    assert_eq!((error.class, error.code.as_str()), (PortClass::Settings, "TLS"));
    assert!(error.message.contains("ca_file"), "{error}");

    let authority = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(authority.path(), certificate.ca_pem()).unwrap();
    let trusting = SalesmanagoSettings { ca_file: Some(authority.path().into()), ..untrusting };
    account.client_with(trusting).test().await.unwrap();
}
