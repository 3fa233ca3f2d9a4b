use super::*;
use base64::Engine;

const TOKEN: &str = "/services/oauth2/token";

fn client_credentials(org: &Org) -> String {
    format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        org.options().client_id,
        org.options().client_secret
    )
}

fn envelope(username: &str, password: &str) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:u=\"urn:partner.soap.sforce.com\"><soapenv:Body><u:login><u:username>{username}</u:username><u:password>{password}</u:password></u:login></soapenv:Body></soapenv:Envelope>"
    )
}

async fn login(client: &Client, version: &str, password: &str) -> Answer {
    let body = envelope(&client.org.options().username, password);
    let request = Request::builder()
        .method("POST")
        .uri(format!("/services/Soap/u/{version}"))
        .header("host", "127.0.0.1:8443")
        .header("content-type", "text/xml")
        .body(Body::from(body))
        .unwrap();
    client.send(request).await
}

#[tokio::test]
async fn client_credentials_open_a_session_at_the_address_asked() {
    let mut client = Client::new();
    let answer = client.form(TOKEN, "127.0.0.1:8080", &client_credentials(&client.org)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json["instance_url"], "http://127.0.0.1:8080");
    assert!(answer.json.get("expires_in").is_none() && answer.json["issued_at"].is_string());
    client.token = answer.json["access_token"].as_str().unwrap().to_owned();
    assert!(client.token.starts_with(client.org.org_id().get(..15).unwrap()));
    assert_eq!(client.get("/sobjects").await.status, 200);
}

#[tokio::test]
async fn basic_credentials_are_as_good_as_a_form() {
    let client = Client::new();
    let options = client.org.options();
    let basic = base64::engine::general_purpose::STANDARD
        .encode(format!("{}:{}", options.client_id, options.client_secret));
    let request = Request::builder()
        .method("POST")
        .uri(TOKEN)
        .header("authorization", format!("Basic {basic}"))
        .body(Body::from("grant_type=client_credentials"))
        .unwrap();
    assert_eq!(client.send(request).await.status, 200);
}

#[tokio::test]
async fn wrong_credentials_get_the_oauth_errors() {
    let client = Client::new();
    let right = client_credentials(&client.org);
    for (form, host, error) in [
        ("grant_type=client_credentials&client_id=x&client_secret=y".to_owned(), "a", "invalid_client_id"),
        (format!("{right}x"), "a", "invalid_client"),
        (right.clone(), "login.salesforce.com", "invalid_grant"),
        (right.replace("client_credentials", "magic"), "a", "unsupported_grant_type"),
    ] {
        let answer = client.form(TOKEN, host, &form).await;
        assert_eq!((answer.status, answer.json["error"].as_str().unwrap()), (400, error), "{form}");
    }
}

#[tokio::test]
async fn refresh_and_revocation_work_together() {
    let mut client = Client::new();
    let refresh = client.org.refresh_token();
    let options = client.org.options().clone();
    let form = format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={refresh}",
        options.client_id, options.client_secret
    );
    let answer = client.form(TOKEN, "h", &form).await;
    assert_eq!(answer.status, 200);
    client.token = answer.json["access_token"].as_str().unwrap().to_owned();
    let introspection = format!(
        "token={}&client_id={}&client_secret={}",
        client.token, options.client_id, options.client_secret
    );
    assert_eq!(
        client.form("/services/oauth2/introspect", "h", &introspection).await.json["active"],
        json!(true)
    );
    assert_eq!(
        client.form("/services/oauth2/revoke", "h", &format!("token={}", client.token)).await.status,
        200
    );
    assert_eq!(client.get("/limits").await.json[0]["errorCode"], "INVALID_SESSION_ID");
    assert_eq!(
        client.form("/services/oauth2/introspect", "h", &introspection).await.json,
        json!({"active": false})
    );
}

#[tokio::test]
async fn an_idle_session_expires() {
    let client = Client::new();
    client.clock.advance(3_600_000);
    assert_eq!(client.get("/limits").await.status, 200);
    client.clock.advance(2 * 3_600_000 + 1);
    let answer = client.get("/limits").await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.json,
        json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])
    );
}

#[tokio::test]
async fn soap_login_gives_session_and_user_up_to_version_64() {
    let mut client = Client::new();
    let password = format!("{}{}", client.org.options().password, client.org.options().security_token);
    let answer = login(&client, "64.0", &password).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.text.contains("<serverUrl>http://127.0.0.1:8443/services/Soap/u/64.0/00D"));
    let token = answer.text.split("<sessionId>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
    client.token = token.to_owned();
    assert_eq!(client.get("/limits").await.status, 200);
    let newer = login(&client, "65.0", &password).await;
    assert_eq!(newer.status, 500);
    assert!(newer.text.contains("UNSUPPORTED_API_VERSION"));
}

#[tokio::test]
async fn ten_wrong_passwords_lock_the_user_out() {
    let client = Client::new();
    let password = format!("{}{}", client.org.options().password, client.org.options().security_token);
    for _ in 0..10 {
        let answer = login(&client, "64.0", "wrong").await;
        assert_eq!(answer.status, 500);
        assert!(answer.text.contains("<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>"));
    }
    assert_eq!(login(&client, "64.0", &password).await.status, 500);
    client.org.set_locked(false);
    assert_eq!(login(&client, "64.0", &password).await.status, 200);
}

#[tokio::test]
async fn a_disabled_api_is_said_to_be() {
    let client = Client::new();
    client.org.set_api_disabled(true);
    let answer = client.get("/limits").await;
    assert_eq!((answer.status, answer.json[0]["errorCode"].as_str().unwrap()), (403, "API_DISABLED_FOR_ORG"));
}

#[tokio::test]
async fn versions_are_free_and_ascending() {
    let client = Client::new();
    let request = Request::builder().uri("/services/data").body(Body::empty()).unwrap();
    let answer = client.send(request).await;
    let versions = answer.json.as_array().unwrap();
    assert_eq!(versions.first().unwrap()["version"], "41.0");
    assert_eq!(versions.last().unwrap()["label"], "Winter '27");
    assert!(answer.headers.get("sforce-limit-info").is_none());
}

#[tokio::test]
async fn the_identity_page_answers_its_owner() {
    let client = Client::new();
    let request = Request::builder()
        .uri(format!("/id/{}/{}", client.org.org_id(), client.org.integration_user_id()))
        .header("host", "h:1")
        .header("authorization", format!("Bearer {}", client.token))
        .body(Body::empty())
        .unwrap();
    let answer = client.send(request).await;
    assert_eq!(answer.json["username"], client.org.options().username.as_str());
    assert_eq!(answer.json["urls"]["rest"], "http://h:1/services/data/v{version}/");
}

const CALLBACK: &str = "http://localhost:8717/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What the app asks for at the browser, changed.
fn asked(org: &Org, change: impl FnOnce(String) -> String) -> String {
    change(format!(
        "/services/oauth2/authorize?response_type=code&client_id={}&redirect_uri=http%3A%2F%2Flocalhost%3A8717%2Fcallback\
         &scope=api%20refresh_token&state=s%2F1&code_challenge={CHALLENGE}&code_challenge_method=S256",
        org.options().client_id
    ))
}

/// The page's status, and where the browser is sent.
async fn visit(client: &Client, change: impl FnOnce(String) -> String) -> (u16, String) {
    let request = Request::builder().uri(asked(&client.org, change)).body(Body::empty()).unwrap();
    let answer = client.send(request).await;
    let location = answer.headers.get("location").map(|at| at.to_str().unwrap().to_owned());
    (answer.status, location.unwrap_or(answer.text))
}

/// The code that a browser brings back.
async fn code(client: &Client) -> String {
    let (status, location) = visit(client, |asked| asked).await;
    assert_eq!(status, 302, "{location}");
    let query = location.strip_prefix(CALLBACK).and_then(|rest| rest.strip_prefix('?')).unwrap();
    assert!(query.ends_with("&state=s%2F1"), "{location}");
    query.split('&').next().unwrap().strip_prefix("code=").unwrap().to_owned()
}

async fn exchanged(client: &Client, code: &str, change: impl FnOnce(String) -> String) -> Answer {
    let options = client.org.options();
    let form = format!(
        "grant_type=authorization_code&client_id={}&client_secret={}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}&code={code}",
        options.client_id, options.client_secret
    );
    client.form(TOKEN, "h", &change(form)).await
}

#[tokio::test]
async fn a_code_of_the_browser_gives_a_session_and_a_refresh_token_once() {
    let mut client = Client::new();
    let code = code(&client).await;
    let answer = exchanged(&client, &code, |form| form).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json["scope"], "api refresh_token");
    assert!(answer.json["refresh_token"].as_str().unwrap().starts_with("5Aep861"));
    client.token = answer.json["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.get("/sobjects").await.status, 200);
    let again = exchanged(&client, &code, |form| form).await;
    assert_eq!(
        again.json,
        json!({"error": "invalid_grant", "error_description": "expired authorization code"})
    );
}

#[tokio::test]
async fn a_code_ends_after_a_quarter_of_an_hour() {
    let client = Client::new();
    let (first, second) = (code(&client).await, code(&client).await);
    client.clock.advance(15 * 60_000);
    assert_eq!(exchanged(&client, &first, |form| form).await.status, 200);
    client.clock.advance(1);
    assert_eq!(exchanged(&client, &second, |form| form).await.json["error"], "invalid_grant");
}

#[tokio::test]
async fn only_who_asked_for_a_code_can_change_it() {
    let client = Client::new();
    for (from, to, error, words) in [
        (
            VERIFIER,
            "another-verifier-that-is-long-enough-to-be-one-of-them",
            "invalid_grant",
            "invalid code verifier",
        ),
        ("&code_verifier=", "&no_verifier=", "invalid_grant", "invalid code verifier"),
        (
            "redirect_uri=http://localhost:8717",
            "redirect_uri=http://localhost:8718",
            "redirect_uri_mismatch",
            "must match",
        ),
        ("client_secret=", "client_secret=x", "invalid_client", "invalid client credentials"),
        ("client_secret=", "no_secret=", "invalid_client", "invalid client credentials"),
    ] {
        let code = code(&client).await;
        let answer = exchanged(&client, &code, |form| form.replace(from, to)).await;
        assert_eq!((answer.status, &answer.json["error"]), (400, &json!(error)), "{to}");
        assert!(answer.json["error_description"].as_str().unwrap().contains(words), "{}", answer.text);
    }
    client.org.set_require_secret(false);
    let code = code(&client).await;
    let answer = exchanged(&client, &code, |form| form.replace("client_secret=", "no_secret=")).await;
    assert_eq!(answer.status, 200, "an app can do without its secret: {}", answer.text);
}

#[tokio::test]
async fn what_the_app_is_not_set_up_for_is_refused_at_the_browser() {
    let client = Client::new();
    // These never reach the app.
    for (from, to, words) in
        [("client_id=", "client_id=x", "invalid_client_id"), ("8717", "8718", "redirect_uri_mismatch")]
    {
        let (status, page) = visit(&client, |asked| asked.replacen(from, to, 1)).await;
        assert!(status == 400 && page.contains(words), "{page}");
    }
    for (from, to, error) in [
        ("response_type=code", "response_type=token", "unsupported_response_type"),
        ("refresh_token", "refresh_token%20full", "invalid_scope"),
        ("S256", "plain", "invalid_request"),
        (CHALLENGE, "short", "invalid_request"),
    ] {
        let (status, location) = visit(&client, |asked| asked.replacen(from, to, 1)).await;
        assert_eq!(status, 302, "{location}");
        assert!(location.starts_with(&format!("{CALLBACK}?error={error}&")), "{location}");
        assert!(location.ends_with("&state=s%2F1"), "{location}");
    }
}

#[tokio::test]
async fn a_person_can_refuse_and_a_browser_can_come_back_from_elsewhere() {
    let client = Client::new();
    for (approval, part) in [
        (
            Approval::Denied,
            "error=access_denied&error_description=end-user%20denied%20authorization&state=s%2F1",
        ),
        (Approval::WrongState, "state=somebody-else"),
        (Approval::WrongCode, "code=aPrxNobodyGaveThis%3D%3D&state=s%2F1"),
    ] {
        client.org.set_approval(approval);
        let (_, location) = visit(&client, |asked| asked).await;
        assert!(location.contains(part), "{location}");
    }
}

#[tokio::test]
async fn without_the_scope_there_is_no_refresh_token() {
    let client = Client::new();
    let (_, location) = visit(&client, |asked| asked.replace("%20refresh_token", "")).await;
    let code = location.split("code=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned();
    let answer = exchanged(&client, &code, |form| form).await;
    assert_eq!((answer.status, answer.json.get("refresh_token")), (200, None), "{}", answer.text);
}

async fn renewed(client: &Client, token: &str) -> Answer {
    let options = client.org.options();
    let form = format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={token}",
        options.client_id, options.client_secret
    );
    client.form(TOKEN, "h", &form).await
}

async fn refresh_token(client: &Client) -> String {
    let code = code(client).await;
    exchanged(client, &code, |form| form).await.json["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_rotated_refresh_token_is_dead_and_the_sixth_approval_ends_the_first() {
    let client = Client::new();
    let first = refresh_token(&client).await;
    assert!(renewed(&client, &first).await.json.get("refresh_token").is_none());
    client.org.set_rotate_refresh_tokens(true);
    let answer = renewed(&client, &first).await;
    let second = answer.json["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(renewed(&client, &first).await.json["error"], "invalid_grant");
    client.org.set_rotate_refresh_tokens(false);
    for _ in 0..4 {
        refresh_token(&client).await;
    }
    assert_eq!(renewed(&client, &second).await.status, 200);
    refresh_token(&client).await;
    assert_eq!(renewed(&client, &second).await.json["error"], "invalid_grant");
    assert_eq!(client.org.refresh_tokens(), 5);
}
