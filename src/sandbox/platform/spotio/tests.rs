//! Contract tests of the emulator: each names the section of the fact sheet it stands for.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::sandbox::platform::Emulator;

const NOW: i64 = 1_700_000_000_000;

fn account() -> Arc<Spotio> {
    Spotio::new(
        SpotioOptions { page_rows: 2, ..SpotioOptions::default() },
        Arc::new(SandboxClock::fixed(NOW)),
    )
}

async fn send(account: &Arc<Spotio>, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
    let token = account.mint("sandbox-client", "sandbox-spotio-secret").unwrap();
    with_token(account, method, path, &token, body).await
}

async fn with_token(
    account: &Arc<Spotio>,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let reply = Emulator::router(Arc::clone(account)).oneshot(request).await.unwrap();
    let status = reply.status();
    let bytes = to_bytes(reply.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn create(account: &Arc<Spotio>, record: Value) -> (StatusCode, Value) {
    send(account, "POST", "/api/DataObjects", &json!({"dataObject": record}).to_string()).await
}

fn lead(last: &str) -> Value {
    json!({"typeId": 1, "fields": [{"fieldId": "100003", "value": last}, {"fieldId": "9", "value": "Web"}]})
}

/// platform-spotio.md §1: a token lasts 30 days, then 401.
#[tokio::test]
async fn a_token_lasts_thirty_days() {
    let account = account();
    let token = account.mint("sandbox-client", "sandbox-spotio-secret").unwrap();
    assert_eq!(with_token(&account, "GET", "/api/users", &token, "").await.0, StatusCode::OK);
    account.clock.advance(30 * 86_400_000);
    assert_eq!(with_token(&account, "GET", "/api/users", &token, "").await.0, StatusCode::UNAUTHORIZED);
    let wrong = json!({"clientId": "sandbox-client", "secret": "no"}).to_string();
    let (status, _) = with_token(&account, "POST", "/api/users/apitoken", "", &wrong).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

/// platform-spotio.md §3: defaults of stage and owner; an unknown stage is refused in these words; §8: a repeated POST makes a second.
#[tokio::test]
async fn a_record_has_a_stage_and_an_owner_and_may_be_made_twice() {
    let account = account();
    let (_, made) = create(&account, lead("Bell")).await;
    assert_eq!((&made["stageId"], &made["ownerId"], &made["name"]), (&json!("1"), &json!("1"), &json!("Bell")));
    let (_, again) = create(&account, lead("Bell")).await;
    assert_ne!(made["id"], again["id"]);
    let mut odd = lead("Bell");
    odd["stageId"] = json!(77);
    let (status, body) = create(&account, odd).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(body, json!({"errors": {"stageId": "Stage with id: 77 does not exist."}}));
}

/// platform-spotio.md §2 “Legacy”, §3: a collection that is sent takes the place of the whole one; required fields are asked for.
#[tokio::test]
async fn a_collection_that_is_sent_in_part_wipes_the_rest() {
    let account = account();
    let (_, made) = create(&account, lead("Bell")).await;
    let path = format!("/api/DataObjects/{}/jsonp", made["id"].as_str().unwrap());
    let part = json!([{"op": "replace", "path": "/fields", "value": [{"fieldId": "9", "value": "Door"}]}]);
    let (_, held) = send(&account, "PATCH", &path, &part.to_string()).await;
    assert_eq!(held["fields"].as_array().unwrap().len(), 1);
    let sold = json!([{"op": "replace", "path": "/stageId", "value": 5}]).to_string();
    let (status, body) = send(&account, "PATCH", &path, &sold).await;
    assert_eq!((status, &body["errors"]["100007"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("Value is required.")));
    let (status, _) = send(&account, "PATCH", &format!("{path}?validateRequiredFields=false"), &sold).await;
    assert_eq!(status, StatusCode::OK);
}

/// platform-spotio.md §4: scroll to null; numbers are integers in the export and texts elsewhere; after, not at, a moment.
#[tokio::test]
async fn the_export_scrolls_to_null_and_writes_numbers_as_numbers() {
    let account = account();
    for name in ["A", "B", "C"] {
        create(&account, lead(name)).await;
    }
    let (_, first) = send(&account, "GET", "/api/Exports/dataObjects/data", "").await;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert_eq!((&first["items"][0]["typeId"], &first["items"][0]["fields"][0]["fieldId"]), (&json!(1), &json!(9)));
    let scroll = first["scrollId"].as_str().unwrap();
    let (_, second) = send(&account, "GET", &format!("/api/Exports/dataObjects/data?scrollId={scroll}"), "").await;
    assert_eq!((second["items"].as_array().unwrap().len(), &second["scrollId"]), (1, &Value::Null));
    let at = iso(NOW);
    let (_, none) = send(&account, "GET", &format!("/api/Exports/dataObjects/data?updatedAfter={at}"), "").await;
    assert_eq!(none["items"], json!([]));
    let (status, _) = send(&account, "GET", "/api/Exports/dataObjects/data?scrollId=nonsense", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// platform-spotio.md §5: only planned activities can be changed; whether one is done is told by its own address alone.
#[tokio::test]
async fn a_done_activity_stays_as_it_is() {
    let account = account();
    let (_, made) = create(&account, lead("Bell")).await;
    let body = json!({"dataObjectId": made["id"], "title": "Visit", "done": false}).to_string();
    let (_, visit) = send(&account, "POST", "/api/v2/activities", &body).await;
    let path = format!("/api/v2/activities/{}", visit["id"].as_str().unwrap());
    let (_, done) = send(&account, "PATCH", &path, &json!({"done": true}).to_string()).await;
    assert_eq!(done["done"], true);
    let (status, body) = send(&account, "PATCH", &path, &json!({"title": "Other"}).to_string()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(body["errors"]["_"], "Only planned activity could be changed");
    let (_, list) = send(&account, "POST", "/api/Exports/activities/data/flexible", "{}").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert!(list["items"][0].get("done").is_none());
}

/// platform-spotio.md §6: one state further with each question; a complete job may hold failures.
#[tokio::test]
async fn a_complete_job_may_hold_failures() {
    let account = account();
    let open = json!({"operation": "create", "dataObjectTypeId": 1}).to_string();
    let (_, job) = send(&account, "POST", "/api/jobs/dataObjects/bulk", &open).await;
    let path = format!("/api/jobs/dataObjects/bulk/{}", job["id"].as_str().unwrap());
    let mut odd = lead("Odd");
    odd["stageId"] = json!(77);
    let lines = format!("{}\n{odd}\n", lead("Bell"));
    send(&account, "PUT", &format!("{path}/data"), &lines).await;
    let (_, started) = send(&account, "POST", &format!("{path}/start"), "{}").await;
    assert_eq!(started["state"], "InProgress");
    let mut states = Vec::new();
    for _ in 0..3 {
        let (_, progress) = send(&account, "GET", &format!("{path}/progress"), "").await;
        states.push(progress["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(states, ["InProgress", "Ingested", "JobComplete"]);
    let (_, failed) = send(&account, "GET", &format!("{path}/results/failed"), "").await;
    assert_eq!(failed["Data"]["stageId"], 77);
}
