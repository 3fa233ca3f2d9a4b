//! The org through its router, as a client sees it.

mod bulk;
mod query;
mod records;
mod replication;
mod sign_in;
mod soap;
mod steering;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use super::*;

/// Saturday, 21 November 2026, 10:05 UTC.
const NOW: i64 = 1_795_255_500_000;

struct Client {
    org: Arc<Org>,
    clock: Arc<SandboxClock>,
    token: String,
}

struct Answer {
    status: u16,
    headers: axum::http::HeaderMap,
    text: String,
    json: Value,
}

impl Client {
    fn new() -> Self {
        Self::with(OrgOptions::default())
    }

    fn with(options: OrgOptions) -> Self {
        let clock = Arc::new(SandboxClock::fixed(NOW));
        let org = Org::new(options, Arc::clone(&clock));
        let token = org.access_token();
        Self { org, clock, token }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.org.router().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: head.status.as_u16(), headers: head.headers, text, json }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call_with(method, path, body, &[]).await
    }

    async fn call_with(&self, method: &str, path: &str, body: Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/services/data/v67.0{path}"))
            .header("host", "127.0.0.1:1")
            .header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Value::Null).await
    }

    async fn soql(&self, soql: &str) -> Answer {
        let encoded = soql.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02X}"));
        self.get(&format!("/query?q={encoded}")).await
    }

    async fn form(&self, path: &str, host: &str, form: &str) -> Answer {
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header("host", host)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(request).await
    }

    fn seed(&self, object: &str, fields: Value) -> String {
        self.org.seed_row(object, &map(fields))
    }
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn names(answer: &Answer, field: &str) -> Vec<String> {
    answer.json["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[field].as_str().unwrap_or("-").to_owned())
        .collect()
}

#[tokio::test]
async fn every_reply_carries_the_orgs_time_and_usage() {
    let client = Client::new();
    let answer = client.get("/sobjects").await;
    assert_eq!(answer.headers["date"], "Sat, 21 Nov 2026 10:05:00 GMT");
    assert_eq!(answer.headers["content-type"], "application/json;charset=UTF-8");
    assert_eq!(answer.headers["sforce-limit-info"], "api-usage=1/100000");
}

#[tokio::test]
async fn describes_have_all_keys_and_only_visible_fields() {
    let client = Client::new();
    client.org.set_field_permission("Contact", "Department", FieldPermission::Hidden);
    client.org.set_field_permission("Contact", "Title", FieldPermission::Read);
    let answer = client.get("/sobjects/contact/describe").await;
    let fields = answer.json["fields"].as_array().unwrap();
    let field = |name: &str| fields.iter().find(|field| field["name"] == name);
    assert!(field("Department").is_none());
    assert_eq!(field("Title").unwrap()["updateable"], json!(false));
    assert_eq!(field("Email").unwrap()["idLookup"], json!(true));
    assert_eq!(field("Email").unwrap().as_object().unwrap().len(), 57);
    assert_eq!(field("SALESmanago_Id__c").unwrap()["externalId"], json!(true));
    assert_eq!(answer.json["recordTypeInfos"][0]["recordTypeId"], json!("012000000000000AAA"));
    let modified = answer.headers["last-modified"].to_str().unwrap().to_owned();
    let again = client
        .call_with("GET", "/sobjects/Contact/describe", Value::Null, &[("if-modified-since", &modified)])
        .await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    client.org.set_field_permission("Contact", "Title", FieldPermission::Edit);
    let again = client
        .call_with("GET", "/sobjects/Contact/describe", Value::Null, &[("if-modified-since", &modified)])
        .await;
    assert_eq!(again.status, 200);
    assert_eq!(client.get("/sobjects/Nothing/describe").await.status, 404);
}

#[tokio::test]
async fn describes_hold_every_key_of_recorded_ones() {
    let Ok(text) = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/recordings/describe-Contact.json"
    )) else {
        return;
    };
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let answer = Client::new().get("/sobjects/Contact/describe").await;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&answer.json), keys(&recorded));
    assert_eq!(keys(&answer.json["fields"][0]), keys(&recorded["fields"][0]));
    assert_eq!(keys(&answer.json["childRelationships"][0]), keys(&recorded["childRelationships"][0]));
}

#[tokio::test]
async fn limits_are_kept_and_told() {
    let client = Client::with(OrgOptions { daily_limit: 2, ..OrgOptions::default() });
    client.get("/sobjects").await;
    client.get("/sobjects").await;
    let refused = client.get("/sobjects").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json[0]["errorCode"], "REQUEST_LIMIT_EXCEEDED");
    assert_eq!(client.get("/limits").await.json["DailyApiRequests"], json!({"Max": 2, "Remaining": 0}));
    client.clock.advance(25 * 3_600_000);
    assert_eq!(client.get("/sobjects").await.status, 401, "the session ended meanwhile");
}
