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
    assert_eq!(
        (&made["stageId"], &made["ownerId"], &made["name"]),
        (&json!("1"), &json!("1"), &json!("Bell"))
    );
    let (_, again) = create(&account, lead("Bell")).await;
    assert_ne!(made["id"], again["id"]);
    let mut odd = lead("Bell");
    odd["stageId"] = json!(77);
    let (status, body) = create(&account, odd).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(body, json!({"errors": {"stageId": "Stage with id: 77 does not exist."}}));
}

/// platform-spotio.md §3: a collection that is sent takes the place of the whole one. §2: required fields are asked for.
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
    assert_eq!(
        (status, &body["errors"]["100007"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("Value is required."))
    );
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
    assert_eq!(
        (&first["items"][0]["typeId"], &first["items"][0]["fields"][0]["fieldId"]),
        (&json!(1), &json!(9))
    );
    let scroll = first["scrollId"].as_str().unwrap();
    let (_, second) =
        send(&account, "GET", &format!("/api/Exports/dataObjects/data?scrollId={scroll}"), "").await;
    assert_eq!((second["items"].as_array().unwrap().len(), &second["scrollId"]), (1, &Value::Null));
    let at = iso(NOW);
    let (_, none) =
        send(&account, "GET", &format!("/api/Exports/dataObjects/data?updatedAfter={at}"), "").await;
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

/// Where a value is not what the vendor's own description says; ends at the first place.
fn misfit(shape: &Value, value: &Value, at: &str) -> Option<String> {
    let wrong = || Some(format!("{at}: {value} is no {}", shape["type"]));
    // The description marks no object as nullable, though replies hold such nulls.
    if value.is_null() {
        let scalar = matches!(shape["type"].as_str(), Some("integer" | "number" | "boolean"));
        return if scalar && shape["nullable"] != true { wrong() } else { None };
    }
    match shape["type"].as_str() {
        Some("object") => {
            let Some(members) = value.as_object() else { return wrong() };
            members.iter().find_map(|(name, held)| match shape["properties"].get(name) {
                Some(inner) => misfit(inner, held, &format!("{at}.{name}")),
                None => Some(format!("{at} has no {name}")),
            })
        }
        Some("array") => match value.as_array() {
            Some(list) => list.iter().find_map(|held| misfit(&shape["items"], held, &format!("{at}[]"))),
            None => wrong(),
        },
        Some("string") => {
            let Some(text) = value.as_str() else { return wrong() };
            let words = shape["enum"].as_array();
            let fits = words.is_none_or(|words| {
                words.iter().any(|word| word.as_str().is_some_and(|word| word.eq_ignore_ascii_case(text)))
            });
            if fits { None } else { wrong() }
        }
        Some("integer") if !value.is_i64() && !value.is_u64() => wrong(),
        Some("number") if !value.is_number() => wrong(),
        Some("boolean") if !value.is_boolean() => wrong(),
        _ => None,
    }
}

/// Every reply has the shape that the vendor's OpenAPI document gives it (the part of it that is used, derived from it).
#[tokio::test]
async fn every_reply_has_the_shape_that_the_vendor_describes() {
    let operations: Vec<Value> =
        serde_json::from_str(include_str!("../../../../tests/it/spotio_interface.json")).unwrap();
    let account = account();
    let mut full = lead("Bell");
    full["pin"] = json!({"street": "Main Street 1", "city": "Ghent"});
    full["fields"].as_array_mut().unwrap().push(json!({"fieldId": "20", "values": ["Solar"]}));
    let (_, made) = create(&account, full.clone()).await;
    let (_, second) = create(&account, full.clone()).await;
    let (id, other) = (made["id"].as_str().unwrap().to_owned(), second["id"].as_str().unwrap().to_owned());
    let visit =
        json!({"dataObjectId": id, "title": "Visit", "done": false, "activityTemplateId": "2"}).to_string();
    let (_, visit) = send(&account, "POST", "/api/v2/activities", &visit).await;
    let visit = visit["id"].as_str().unwrap().to_owned();
    let open = json!({"operation": "create", "dataObjectTypeId": 1}).to_string();
    let (_, job) = send(&account, "POST", "/api/jobs/dataObjects/bulk", &open).await;
    let job = job["id"].as_str().unwrap().to_owned();
    let hook = json!({"callback": "https://hooks.acme.example", "scopes": ["lead.added"]}).to_string();
    let (_, told) = send(&account, "POST", "/api/Webhooks", &hook).await;
    let told = told["id"].as_str().unwrap().to_owned();
    let patch = json!([{"op": "replace", "path": "/stageId", "value": 2}]).to_string();
    let body = |method: &str, path: &str| match (method, path) {
        ("POST", "/api/users/apitoken") => {
            json!({"clientId": "sandbox-client", "secret": "sandbox-spotio-secret"}).to_string()
        }
        ("POST", "/api/DataObjects") => json!({"dataObject": full}).to_string(),
        ("DELETE", "/api/DataObjects/{dataObjectId}") => {
            json!({"mode": "delete", "permanently": false}).to_string()
        }
        ("PATCH", "/api/DataObjects/{dataObjectId}/jsonp") => patch.clone(),
        ("POST", "/api/v2/activities") => json!({"dataObjectId": id, "title": "Call"}).to_string(),
        ("POST", "/api/jobs/dataObjects/bulk") => open.clone(),
        (_, "/api/Webhooks") if method != "GET" => hook.clone(),
        ("PUT", "/api/Webhooks/{id}") => hook.clone(),
        ("PUT", _) => format!("{full}\n"),
        ("DELETE", "/api/Webhooks/{id}") | ("GET", _) => String::new(),
        _ => "{}".to_owned(),
    };
    for operation in &operations {
        let (method, path) = (operation["method"].as_str().unwrap(), operation["path"].as_str().unwrap());
        let body = body(method, path);
        if let Ok(sent) = serde_json::from_str::<Value>(&body) {
            assert_eq!(misfit(&operation["request"], &sent, "request"), None, "{method} {path}");
        }
        // One is deleted on the way, so that there is a deletion to tell.
        let record = if method == "DELETE" { &other } else { &id };
        let place = path
            .replace("{dataObjectId}", record)
            .replace("{activityId}", &visit)
            .replace("{id}", if path.starts_with("/api/Webhooks") { &told } else { &job })
            .replace("/many", &format!("/many?dataObjectsIds={id}"));
        let (status, reply) = send(&account, method, &place, &body).await;
        let may_miss = path.ends_with("externalSystemUserId");
        assert!(status.is_success() || may_miss, "{method} {place}: {status} {reply}");
        if status.is_success() && !operation["reply"].is_null() {
            assert_eq!(misfit(&operation["reply"], &reply, "reply"), None, "{method} {path}");
        }
    }
    let (_, gone) = send(&account, "GET", "/api/DataObjects/deleted", "").await;
    assert_eq!(gone["deletedDataObjects"][0]["id"], json!(other));
}

/// platform-spotio.md §7: a batched payload with the hex HMAC-SHA256 of its raw body, only the scopes of the endpoint, three retries.
#[tokio::test]
async fn deliveries_are_signed_and_tried_again_until_they_are_answered() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let account = account();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let callback = format!("http://{}/hook", listener.local_addr().unwrap());
    let endpoint = json!({"callback": callback, "scopes": ["lead.added"]}).to_string();
    let (status, made) = send(&account, "POST", "/api/Webhooks", &endpoint).await;
    assert_eq!((status, &made["active"]), (StatusCode::OK, &json!(true)));
    let odd = json!({"callback": callback, "scopes": ["lead.moved"]}).to_string();
    assert_eq!(send(&account, "POST", "/api/Webhooks", &odd).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (_, record) = create(&account, lead("Told")).await;
    for answer in ["500 Oops", "200 OK"] {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        while !text.contains("}]}") {
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).await.unwrap();
            text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("X-Signature: {}", webhooks::signature(body.as_bytes()))), "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            (&body["payload"][0]["type"], &body["payload"][0]["data"]["objectId"]),
            (&json!("lead.added"), &record["id"])
        );
        stream.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await.unwrap();
    }
    let path = format!("/api/Webhooks/{}", made["id"].as_str().unwrap());
    assert_eq!(send(&account, "DELETE", &path, "").await.0, StatusCode::OK);
    assert_eq!(send(&account, "DELETE", &path, "").await.0, StatusCode::NOT_FOUND);
}
