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
