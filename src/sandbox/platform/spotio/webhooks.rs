//! Webhooks (platform-spotio.md §7): endpoints with their scopes, and the sender. What happens is posted in a list under `payload`, with
//! `X-Signature`, the hex HMAC-SHA256 of the raw body under the one secret of the company. Whoever does not answer 200 within ten seconds
//! is tried three times more; the same delivery comes as often as steering says. Only plain HTTP to this machine is reached.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ring::hmac;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;

use super::records::Refusal;
use super::routes::{json_of, refused};
use super::{Account, Spotio, iso};

/// The events on offer.
const SCOPES: [&str; 10] = [
    "lead.added",
    "lead.updated",
    "lead.deleted",
    "activity.created",
    "activity.updated",
    "activity.deleted",
    "activity.done",
    "appointment.created",
    "appointment.updated",
    "appointment.deleted",
];

/// How long an endpoint may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a delivery is tried again.
const RETRIES: usize = 3;

/// How long between two tries (unconfirmed).
const PAUSE: Duration = Duration::from_millis(200);

/// The secret of the company (unconfirmed: who sees it when).
pub(super) const SECRET: &str = "sandbox-webhook-secret";

/// Something that happened.
#[derive(Debug, Clone)]
pub(super) struct Event {
    kind: &'static str,
    at: i64,
    data: Value,
}

/// Where deliveries go.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    id: String,
    callback: String,
    scopes: Vec<String>,
    active: bool,
    headers: Value,
}

impl Endpoint {
    fn shown(&self) -> Value {
        json!({
            "id": self.id, "callback": self.callback, "scopes": self.scopes, "active": self.active,
            "customHeaders": self.headers,
        })
    }

    /// Takes over what a body says.
    fn told(&mut self, body: &Value) -> Result<(), Refusal> {
        let word = |name: &str| body.get(name).and_then(Value::as_str);
        if let Some(callback) = word("callback") {
            if !callback.starts_with("http://") && !callback.starts_with("https://") {
                return Err((422, "callback".into(), "The callback is not a valid URL.".into()));
            }
            callback.clone_into(&mut self.callback);
        }
        if let Some(scopes) = body.get("scopes").and_then(Value::as_array) {
            let scopes: Vec<String> = scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            if let Some(odd) = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
                return Err((422, "scopes".into(), format!("The scope {odd} does not exist.")));
            }
            self.scopes = scopes;
        }
        if let Some(active) = body.get("active").and_then(Value::as_bool) {
            self.active = active;
        }
        if let Some(headers) = body.get("customHeaders").filter(|headers| headers.is_array()) {
            self.headers = headers.clone();
        }
        Ok(())
    }
}

impl Account {
    fn tell(&self, kind: &'static str, at: i64, data: Value) {
        if let Some(events) = &self.events {
            // Nobody is there to hear it only while the account is being dropped.
            let _ = events.send(Event { kind, at, data });
        }
    }

    /// A record was added or changed.
    pub(super) fn tell_record(&self, kind: &'static str, id: &str, at: i64) {
        if self.events.is_none() {
            return;
        }
        let address = self.records.get(id).and_then(|record| record.pin.as_ref()?.get("address").cloned());
        self.tell(
            kind,
            at,
            json!({"objectId": id, "date": iso(at), "address": {"fullAddress": address}, "fields": []}),
        );
    }

    /// An activity was made or changed.
    pub(super) fn tell_activity(&self, kind: &'static str, id: u64, at: i64) {
        let record = self.activities.get(&id).map(|activity| activity.record.clone());
        self.tell(
            kind,
            at,
            json!({"id": id.to_string(), "date": iso(at), "notes": null, "dataObject": {"objectId": record, "fields": []}}),
        );
    }
}

impl Spotio {
    fn endpoints(&self) -> Vec<Endpoint> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From the first endpoint on, what happens is told.
    fn begin_sending(self: &Arc<Self>) {
        let mut held = self.held_mut();
        if held.events.is_none() {
            let (events, come) = tokio::sync::mpsc::unbounded_channel();
            held.events = Some(events);
            tokio::spawn(send(Arc::downgrade(self), come));
        }
    }
}

async fn send(account: Weak<Spotio>, mut come: UnboundedReceiver<Event>) {
    while let Some(first) = come.recv().await {
        let mut events = vec![first];
        while let Ok(event) = come.try_recv() {
            events.push(event);
        }
        let Some(account) = account.upgrade() else { return };
        let copies = account.copies.load(Ordering::Relaxed).max(1);
        let endpoints = account.endpoints();
        drop(account);
        for endpoint in endpoints.into_iter().filter(|endpoint| endpoint.active) {
            let wanted =
                events.iter().filter(|event| endpoint.scopes.iter().any(|scope| scope == event.kind));
            let payload: Vec<Value> = wanted
                .map(|event| json!({"type": event.kind, "date": iso(event.at), "data": event.data}))
                .collect();
            if payload.is_empty() {
                continue;
            }
            let body = json!({"payload": payload}).to_string();
            // One slow endpoint does not hold up the others.
            tokio::spawn(async move {
                for _ in 0..copies {
                    deliver(&endpoint.callback, &body).await;
                }
            });
        }
    }
}

async fn deliver(callback: &str, body: &str) {
    for _ in 0..=RETRIES {
        if tokio::time::timeout(PATIENCE, post(callback, body)).await == Ok(Some(200)) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The status that an endpoint answers with; nothing where it can't be reached.
async fn post(callback: &str, body: &str) -> Option<u16> {
    let (host, path) = match callback.strip_prefix("http://")?.split_once('/') {
        Some((host, path)) => (host, format!("/{path}")),
        None => (callback.strip_prefix("http://")?, "/".to_owned()),
    };
    let mut stream = TcpStream::connect(host).await.ok()?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nX-Signature: {}\r\nContent-Length: {}\r\nConnection: \
         close\r\n\r\n",
        signature(body.as_bytes()),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(64 << 10).read_to_end(&mut answer).await.ok()?;
    let line = String::from_utf8_lossy(&answer);
    line.split(' ').nth(1)?.parse().ok()
}

/// What a body is signed with.
pub(super) fn signature(body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::sign(&key, body).as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

pub(super) async fn scopes() -> Response {
    axum::Json(SCOPES).into_response()
}

pub(super) async fn list(State(account): State<Arc<Spotio>>) -> Response {
    let endpoints: Vec<Value> = account.endpoints().iter().map(Endpoint::shown).collect();
    axum::Json(json!({"secret": SECRET, "endpoints": endpoints})).into_response()
}

pub(super) async fn add(State(account): State<Arc<Spotio>>, bytes: Bytes) -> Response {
    let body = match json_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let mut endpoint = Endpoint {
        id: format!("wh-{}", account.next()),
        callback: String::new(),
        scopes: Vec::new(),
        active: true,
        headers: json!([]),
    };
    if let Err(refusal) = endpoint.told(&body) {
        return refused(refusal);
    }
    if endpoint.callback.is_empty() {
        return refused((422, "callback".into(), "The callback is required.".into()));
    }
    let shown = endpoint.shown();
    account.endpoints.lock().unwrap_or_else(PoisonError::into_inner).push(endpoint);
    account.begin_sending();
    axum::Json(shown).into_response()
}

fn no_such() -> Response {
    refused((404, "_".into(), "The webhook does not exist.".into()))
}

pub(super) async fn change(
    State(account): State<Arc<Spotio>>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Response {
    let body = match json_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let mut endpoints = account.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(endpoint) = endpoints.iter_mut().find(|endpoint| endpoint.id == id) else { return no_such() };
    match endpoint.told(&body) {
        Ok(()) => axum::Json(endpoint.shown()).into_response(),
        Err(refusal) => refused(refusal),
    }
}

pub(super) async fn remove(State(account): State<Arc<Spotio>>, Path(id): Path<String>) -> Response {
    let mut endpoints = account.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
    let before = endpoints.len();
    endpoints.retain(|endpoint| endpoint.id != id);
    if endpoints.len() == before { no_such() } else { StatusCode::OK.into_response() }
}
