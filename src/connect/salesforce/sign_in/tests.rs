use rstest::rstest;

use super::super::settings::Environment;
use super::*;

fn settings(environment: Environment, sign_in: SignIn) -> SalesforceSettings {
    SalesforceSettings {
        environment,
        sign_in,
        username: "ada@acme.test".into(),
        ..SalesforceSettings::default()
    }
}

#[rstest]
#[case("invalid_grant", "authentication failure", PortClass::SignIn, "choose the environment “sandbox”")]
#[case("invalid_grant", "no client credentials user enabled", PortClass::SignIn, "run-as user")]
#[case("invalid_grant", "expired access/refresh token", PortClass::SignIn, "refresh token")]
#[case("invalid_client", "invalid client credentials", PortClass::SignIn, "consumer secret")]
#[case("PASSWORD_LOCKOUT", "", PortClass::Blocked, "is locked")]
#[case("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "", PortClass::SignIn, "has expired")]
#[case("API_DISABLED_FOR_ORG", "", PortClass::Blocked, "API is not enabled")]
#[case("UNSUPPORTED_API_VERSION", "", PortClass::Settings, "SOAP")]
#[case("LOGIN_MUST_USE_SECURITY_TOKEN", "", PortClass::SignIn, "security token")]
#[case("something_new", "words", PortClass::SignIn, "words")]
fn each_refusal_says_what_to_do(
    #[case] code: &str,
    #[case] words: &str,
    #[case] class: PortClass,
    #[case] part: &str,
) {
    let error = refusal::explain(&settings(Environment::Production, SignIn::Soap), code, words);
    assert_eq!(error.class, class);
    assert!(error.message.contains(part), "{}", error.message);
}

#[test]
fn an_id_in_the_settings_may_have_fifteen_characters() {
    assert_eq!(super::super::id::full_id("00Dx0000000BV7z").unwrap().as_str().len(), 18);
}

fn recorded(status: u16, name: &str) -> Option<Result<Ticket, PortError>> {
    let body = std::fs::read(format!(
        "{}/../shared/recordings/replies-restforce/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    ))
    .ok()?;
    let reply = Reply { status, headers: reqwest::header::HeaderMap::new(), body };
    Some(oauth::read(&settings(Environment::Production, SignIn::RefreshToken), &reply))
}

#[test]
fn recorded_replies_of_the_token_endpoint_are_understood() {
    let Some(granted) = recorded(200, "auth_success_response") else { return };
    let ticket = granted.unwrap();
    assert_eq!(ticket.instance, "https://na1.salesforce.com");
    assert_eq!((ticket.org_id.as_str().len(), ticket.user_id.as_str().len()), (18, 18));
    let refused = recorded(400, "auth_error_response").unwrap().unwrap_err();
    assert!(refused.message.contains("authentication failure - Invalid Password"), "{}", refused.message);
    let expired = recorded(400, "refresh_error_response").unwrap().unwrap_err();
    assert!(expired.message.contains("refresh token has expired"), "{}", expired.message);
}

#[test]
fn a_ticket_never_shows_its_token() {
    let ticket = Ticket {
        token: "00D!secret".into(),
        instance: "https://acme.my.salesforce.com".into(),
        org_id: "00Dx0000000BV7zEAI".into(),
        user_id: "005x00000012Q9PAAU".into(),
        refresh_token: Some("refresh-secret".into()),
    };
    assert!(!format!("{ticket:?}").contains("secret"));
}
