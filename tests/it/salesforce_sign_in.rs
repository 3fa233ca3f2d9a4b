//! Every way of signing in to an org, and every way of being refused.

use axum::Router;
use axum::response::Html;
use forcesync::connect::salesforce::{
    Environment, Salesforce, SalesforceSecrets, SalesforceSettings, SignIn,
};
use forcesync::domain::port::{PortClass, PortError, Source};
use forcesync::sandbox::org::OrgOptions;
use forcesync::sandbox::tls::Certificate;
use rstest::rstest;
use tokio::io::{AsyncReadExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::salesforce_support::{Served, client, serve, serve_with};

const WAYS: [SignIn; 4] = [SignIn::ClientCredentials, SignIn::Password, SignIn::Soap, SignIn::RefreshToken];

#[tokio::test]
async fn each_way_leads_to_the_same_org_and_user() {
    let served = serve().await;
    for way in WAYS {
        let who = served.client_with(served.settings(way)).sign_in().await.unwrap();
        assert_eq!(who.org_id.as_str(), served.org.org_id(), "{way:?}");
        assert_eq!(who.user_id.as_str(), served.org.integration_user_id());
        assert_eq!(who.username, served.options.username);
        assert_eq!(who.edition, "Enterprise Edition");
        assert!(who.edition_supported() && !who.is_sandbox);
        assert_eq!(who.api_version, "67.0");
        assert!(!who.email.is_empty());
    }
}

async fn refused(
    served: &Served,
    change: impl FnOnce(&mut SalesforceSettings, &mut SalesforceSecrets),
) -> PortError {
    let mut settings = served.settings(SignIn::ClientCredentials);
    let mut secrets = served.secrets();
    change(&mut settings, &mut secrets);
    client(settings, secrets).sign_in().await.unwrap_err()
}

fn assert_told(error: &PortError, class: PortClass, words: &[&str]) {
    assert_eq!(error.class, class, "{error:?}");
    for word in words {
        assert!(error.message.contains(word), "“{word}” is missing in: {}", error.message);
    }
}

#[rstest]
#[case(SignIn::Soap)]
#[case(SignIn::Password)]
#[tokio::test]
async fn a_wrong_password_is_told_and_tried_only_once(#[case] way: SignIn) {
    let served = serve().await;
    let mut settings = served.settings(way);
    settings.username = "integration@northwind.example".into();
    let secrets = SalesforceSecrets { password: Some("wrong".into()), ..served.secrets() };
    let client = client(settings, secrets);
    let objects = ["Contact".to_owned()];
    let first = client.describe(&objects).await.unwrap_err();
    assert_told(&first, PortClass::SignIn, &["password", "security token", "integration@northwind.example"]);
    let calls = client.calls();
    let second = client.describe(&objects).await.unwrap_err();
    assert_eq!(second, first);
    assert_eq!(client.calls(), calls, "a refused sign-in must not be repeated, it could lock the account");
}

#[tokio::test]
async fn a_wrong_secret_names_the_app() {
    let served = serve().await;
    let error = refused(&served, |_, secrets| secrets.client_secret = Some("wrong".into())).await;
    assert_told(&error, PortClass::SignIn, &["consumer secret"]);
    let error = refused(&served, |settings, _| settings.client_id = "wrong".into()).await;
    assert_told(&error, PortClass::SignIn, &["consumer key"]);
    let error = refused(&served, |_, secrets| secrets.client_secret = None).await;
    assert_told(&error, PortClass::SignIn, &["consumer secret", "missing"]);
    let error = refused(&served, |settings, secrets| {
        settings.sign_in = SignIn::RefreshToken;
        secrets.refresh_token = Some("gone".into());
    })
    .await;
    assert_told(&error, PortClass::SignIn, &["refresh token"]);
}

#[tokio::test]
async fn a_missing_security_token_is_told() {
    let served = serve().await;
    let error = refused(&served, |settings, secrets| {
        settings.sign_in = SignIn::Soap;
        secrets.security_token = None;
    })
    .await;
    assert_told(&error, PortClass::SignIn, &["security token"]);
}

#[tokio::test]
async fn a_locked_user_an_expired_password_and_a_disabled_api_are_told_apart() {
    let served = serve().await;
    served.org.set_password_expired(true);
    let error = refused(&served, |settings, _| settings.sign_in = SignIn::Soap).await;
    assert_told(&error, PortClass::SignIn, &["expired"]);
    served.org.set_password_expired(false);
    served.org.set_locked(true);
    let error = refused(&served, |settings, _| settings.sign_in = SignIn::Soap).await;
    assert_told(&error, PortClass::SignIn, &["locked"]);
    served.org.set_locked(false);
    served.org.set_api_disabled(true);
    let error = refused(&served, |settings, _| settings.sign_in = SignIn::Soap).await;
    assert_told(&error, PortClass::Blocked, &["API is not enabled"]);
    let error = refused(&served, |_, _| ()).await;
    assert_eq!(error.class, PortClass::Blocked, "{error:?}");
}

#[tokio::test]
async fn soap_that_is_switched_off_is_told() {
    let served = serve_with(OrgOptions { soap_login: false, ..OrgOptions::default() }).await;
    let error = refused(&served, |settings, _| settings.sign_in = SignIn::Soap).await;
    assert_told(&error, PortClass::Settings, &["SOAP", "client credentials"]);
}

#[tokio::test]
async fn client_credentials_at_a_generic_host_are_told() {
    let served = serve_with(OrgOptions { generic_login_host: true, ..OrgOptions::default() }).await;
    let error = refused(&served, |_, _| ()).await;
    assert_told(&error, PortClass::Settings, &["My Domain"]);
    let error = refused(&served, |settings, _| settings.environment = Environment::Production).await;
    assert_told(&error, PortClass::Settings, &["login.salesforce.com", "My Domain"]);
}

#[tokio::test]
async fn a_host_that_is_no_salesforce_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let page = Router::new().fallback(|| async { Html("<html>Welcome to our shop</html>") });
    tokio::spawn(async move { axum::serve(listener, page).await });
    let served = serve().await;
    for way in WAYS {
        let error = refused(&served, |settings, _| {
            settings.sign_in = way;
            settings.environment = Environment::Custom(address.clone());
        })
        .await;
        assert_told(&error, PortClass::Settings, &["web page", "not the address of a Salesforce org"]);
    }
}

#[tokio::test]
async fn a_host_that_does_not_exist_refuses_or_would_be_plain_is_told() {
    let served = serve().await;
    let at = async |address: &str| {
        refused(&served, |settings, _| settings.environment = Environment::Custom(address.into())).await
    };
    assert_told(
        &at("https://no-such-org.invalid").await,
        PortClass::Transient,
        &["no host no-such-org.invalid"],
    );
    assert_told(&at("http://127.0.0.1:9").await, PortClass::Transient, &["refused the connection"]);
    assert_told(&at("http://acme.my.salesforce.com").await, PortClass::Settings, &["lain http", "https"]);
    assert_told(&at("not a host").await, PortClass::Settings, &["address"]);
}

#[tokio::test]
async fn another_org_than_the_pinned_one_is_refused() {
    let served = serve().await;
    let pin = |org: &str| {
        let org_id = Some(org.to_owned());
        served.client_with(SalesforceSettings { org_id, ..served.settings(SignIn::ClientCredentials) })
    };
    let id = served.org.org_id();
    assert!(pin(&id).sign_in().await.is_ok());
    assert!(pin(&id[..15]).sign_in().await.is_ok());
    let error = pin("00D000000000062EAA").sign_in().await.unwrap_err();
    assert_told(&error, PortClass::Settings, &["another org"]);
    assert_eq!(error.code, "ANOTHER_ORG");
}

#[tokio::test]
async fn the_highest_version_that_both_know_is_used() {
    let served = serve().await;
    for (wanted, used) in [("65.0", "65.0"), ("99.0", "68.0")] {
        let settings =
            SalesforceSettings { api_version: wanted.into(), ..served.settings(SignIn::ClientCredentials) };
        assert_eq!(served.client_with(settings).sign_in().await.unwrap().api_version, used);
    }
    let settings = SalesforceSettings { api_version: "new".into(), ..served.settings(SignIn::Soap) };
    let clock = std::sync::Arc::new(crate::salesforce_support::Impatient);
    assert!(Salesforce::connect(settings, SalesforceSecrets::default(), clock).is_err());
}

#[tokio::test]
async fn a_dead_session_is_renewed_once_for_all_tasks() {
    let served = serve().await;
    let client = std::sync::Arc::new(served.client());
    client.describe(&["Contact".to_owned()]).await.unwrap();
    let before = client.calls();
    served.org.expire_sessions();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let client = std::sync::Arc::clone(&client);
            tokio::spawn(async move { client.count("Contact", None).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), Some(0));
    }
    // Four refusals at most, one sign-in with its question for versions, four counts.
    let spent = client.calls() - before;
    assert!(spent <= 4 + 2 + 4, "{spent}");
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_its_file_and_a_host_name_leads_to_an_address() {
    let host = "acme.my.salesforce.test";
    let certificate = Certificate::make(&[host.to_owned()]).unwrap();
    let served = serve().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = served.org.router();
    let acceptor = Some(certificate.acceptor());
    tokio::spawn(forcesync::sandbox::tls::serve(listener, router, acceptor, std::future::pending()));
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, certificate.ca_pem()).unwrap();
    let settings = SalesforceSettings {
        environment: Environment::Custom(format!("{host}:{}", address.port())),
        resolve: vec![(host.into(), address)],
        ..served.settings(SignIn::ClientCredentials)
    };
    let error = served.client_with(settings.clone()).sign_in().await.unwrap_err();
    assert_told(&error, PortClass::Settings, &[host, "not trusted", "ca_file"]);
    let trusting = SalesforceSettings { ca_file: Some(ca_file), ..settings };
    for way in WAYS {
        let who = served
            .client_with(SalesforceSettings { sign_in: way, ..trusting.clone() })
            .sign_in()
            .await
            .unwrap();
        assert_eq!(who.address, format!("https://{host}:{}", address.port()), "{way:?}");
    }
    let other = SalesforceSettings {
        environment: Environment::Custom(format!("other.salesforce.test:{}", address.port())),
        resolve: vec![("other.salesforce.test".into(), address)],
        ..trusting
    };
    let error = served.client_with(other).sign_in().await.unwrap_err();
    assert_told(&error, PortClass::Settings, &["another host"]);
}

/// Nobody knows what came of a sign-in whose connection breaks; a second one does no harm.
#[rstest]
#[case(SignIn::ClientCredentials)]
#[case(SignIn::Soap)]
#[tokio::test]
async fn a_sign_in_whose_connection_breaks_is_tried_once_more(#[case] way: SignIn) {
    let served = serve().await;
    let settings = served.settings(way);
    let Environment::Custom(behind) = settings.environment.clone() else { panic!("{settings:?}") };
    let behind = behind.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let _heard = first.read(&mut [0; 64]).await.unwrap();
        drop(first);
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(&behind).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        }
    });
    let settings = SalesforceSettings { environment: Environment::Custom(address), ..settings };
    let who = served.client_with(settings).sign_in().await.unwrap();
    assert_eq!(who.org_id.as_str(), served.org.org_id());
}
