//! Contract tests of the emulator: each names the section of the fact sheet it stands for.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::json;
use tower::ServiceExt;

use super::*;
use crate::sandbox::platform::Emulator;

fn site() -> Arc<Learndot> {
    let site = Learndot::new(LearndotOptions::default(), Arc::new(SandboxClock::fixed(1_700_000_000_000)));
    site.found_school(1_700_000_000_000);
    site
}

async fn call(
    site: &Arc<Learndot>,
    method: &str,
    path: &str,
    token: &str,
    body: serde_json::Value,
) -> (StatusCode, serde_json::Value) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/rest/v2/manage/{path}"))
        .header("TrainingRocket-Authorization", token)
        .body(Body::from(body.to_string()))
        .unwrap();
    let reply = Emulator::router(Arc::clone(site)).oneshot(request).await.unwrap();
    let status = reply.status();
    let bytes = to_bytes(reply.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

const TOKEN: &str = "sandbox-learndot-token";

/// platform-learndot.md §2, behaviour: 401 on a bad token.
#[tokio::test]
async fn a_wrong_token_is_refused() {
    let (status, _) = call(&site(), "POST", "contact/search", "wrong", json!({})).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

/// platform-learndot.md §2, search semantics: 25 a page from page 1, `{"size","results"}`, near matches by e-mail, IN lists, a date
/// field with two values is a range.
#[tokio::test]
async fn searches_page_by_25_and_find_near_matches() {
    let site = site();
    for number in 0..30 {
        let fields = json!({"firstName": "A", "lastName": "B", "email": format!("ann{number}@x.example")});
        let (status, made) = call(&site, "POST", "contact", TOKEN, fields).await;
        assert_eq!((status, made["modifiedById"].as_u64()), (StatusCode::OK, Some(2)), "{made}");
    }
    let (_, first) = call(&site, "POST", "contact/search?page=1", TOKEN, json!({})).await;
    assert_eq!((first["size"].as_u64(), first["results"].as_array().unwrap().len()), (Some(30), 25));
    let (_, second) = call(&site, "POST", "contact/search?page=2", TOKEN, json!({})).await;
    assert_eq!(second["results"].as_array().unwrap().len(), 5);
    let (_, near) =
        call(&site, "POST", "contact/search", TOKEN, json!({"email": ["ann1@x.example", "nn2@X.example"]}))
            .await;
    assert_eq!(near["size"], 2);
    let (_, ids) = call(&site, "POST", "contact/search", TOKEN, json!({"id": [3, 4, 99]})).await;
    assert_eq!(ids["size"], 2);
    let range = json!({"modified": ["2023-11-14 00:00:00", "2023-11-15 00:00:00"]});
    let (_, changed) = call(&site, "POST", "contact/search", TOKEN, range).await;
    assert_eq!(changed["size"], 30);
}

/// platform-learndot.md §2, endpoints: an update is a POST of the changed fields; §3: an enrolment's status is one of eight words. §5: an
/// address belongs to one contact.
#[tokio::test]
async fn an_update_changes_what_is_sent_and_refuses_unknown_words() {
    let site = site();
    let fields =
        json!({"firstName": "A", "lastName": "B", "email": "ann@x.example", "address": {"city": "Ghent"}});
    let (_, made) = call(&site, "POST", "contact", TOKEN, fields).await;
    let (status, changed) = call(&site, "POST", "contact/1", TOKEN, json!({"title": "Lead"})).await;
    assert_eq!(
        (status, &changed["title"], &changed["email"]),
        (StatusCode::OK, &json!("Lead"), &made["email"])
    );
    let (status, _) = call(
        &site,
        "POST",
        "contact",
        TOKEN,
        json!({"firstName": "A", "lastName": "B", "email": "ANN@x.example"}),
    )
    .await;
    assert_eq!(status, StatusCode::CONFLICT);
    let enrol = |status: &str| json!({"contactId": 1, "componentId": 1, "status": status});
    let (status, made) = call(&site, "POST", "enrolment", TOKEN, enrol("CONFIRMED")).await;
    assert_eq!((status, &made["modified"]), (StatusCode::OK, &serde_json::Value::Null));
    let (status, _) = call(&site, "POST", "enrolment", TOKEN, enrol("DONE")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, passed) = call(&site, "POST", "enrolment/1", TOKEN, json!({"status": "PASSED"})).await;
    assert_eq!((status, &passed["status"]), (StatusCode::OK, &json!("PASSED")));
}

/// platform-learndot.md §2, endpoints: describe answers `{"result": {field: {type|enum|properties}}}`.
#[tokio::test]
async fn an_entity_is_described() {
    let (_, said) = call(&site(), "GET", "learning_component/describe", TOKEN, json!(null)).await;
    assert_eq!(said["result"]["status"]["enum"][0], "ENABLED");
    assert!(said["result"]["price"]["properties"].is_object());
}
