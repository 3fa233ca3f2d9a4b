//! The interface: sign-in by token, and the calls on an entity.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use super::Learndot;
use super::entity::{ENTITIES, Kind, entity};
use super::search::{Paging, shown};
use super::table::Writer;

/// The header that carries the token.
const TOKEN: &str = "trainingrocket-authorization";

/// Who is asking.
#[derive(Clone, Copy)]
struct Caller(u64);

impl Learndot {
    /// Everything the service answers to.
    pub(super) fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/api/rest/v2/manage/{entity}", post(create))
            .route("/api/rest/v2/manage/{entity}/search", post(search))
            .route("/api/rest/v2/manage/{entity}/describe", get(describe))
            .route("/api/rest/v2/manage/{entity}/{id}", get(read_one).post(update))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(self), let_in))
            .fallback(unknown)
            .layer(axum::middleware::map_response_with_state(Arc::clone(self), dated))
            .with_state(Arc::clone(self))
    }
}

fn refused(status: u16, words: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, axum::Json(json!({"message": words}))).into_response()
}

async fn unknown() -> Response {
    refused(404, "Not found")
}

async fn let_in(State(site): State<Arc<Learndot>>, mut request: Request, next: Next) -> Response {
    let token = request.headers().get(TOKEN).and_then(|token| token.to_str().ok()).unwrap_or_default();
    let Some(user) = site.user_of(token) else { return refused(401, "Unauthorized") };
    if !site.admit() {
        return refused(429, "Too Many Requests");
    }
    request.extensions_mut().insert(Caller(user));
    next.run(request).await
}

/// Clients take the server's time from here, so it has to be the one that all stamps come from.
async fn dated(State(site): State<Arc<Learndot>>, mut response: Response) -> Response {
    let now = chrono::DateTime::from_timestamp_millis(site.clock.now_ms()).unwrap_or_default();
    if let Ok(date) = HeaderValue::from_str(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// The body as an object; an empty one is an empty object.
fn body_of(bytes: &Bytes) -> Option<Map<String, Value>> {
    if bytes.is_empty() {
        return Some(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(body)) => Some(body),
        Ok(_) | Err(_) => None,
    }
}

async fn search(
    State(site): State<Arc<Learndot>>,
    Path(name): Path<String>,
    Query(paging): Query<Paging>,
    bytes: Bytes,
) -> Response {
    let Some((place, _)) = entity(&name) else { return refused(404, "No such entity") };
    let Some(body) = body_of(&bytes) else { return refused(400, "The body must be a JSON object") };
    match site.answer(place, &paging, &body) {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(words) => refused(400, &words),
    }
}

async fn read_one(State(site): State<Arc<Learndot>>, Path((name, id)): Path<(String, String)>) -> Response {
    let Some((place, shape)) = entity(&name) else { return refused(404, "No such entity") };
    if !site.options.read_one {
        return refused(405, "Method Not Allowed");
    }
    let tables = site.held();
    let row = id.parse::<u64>().ok().and_then(|id| tables.of(place)?.get(&id));
    match row {
        Some(row) => axum::Json(shown(shape, row)).into_response(),
        None => refused(404, "No such row"),
    }
}

impl Learndot {
    fn writer(&self, user: u64, dated: bool) -> Writer {
        Writer { user, now: self.clock.now_ms(), refuse_unknown: self.options.refuse_unknown_fields, dated }
    }

    /// A writer of an entity's new rows.
    pub(super) fn creator(&self, user: u64, entity: &str) -> Writer {
        self.writer(user, !(entity == "enrolment" && self.options.dateless_enrolments))
    }
}

async fn create(
    State(site): State<Arc<Learndot>>,
    axum::Extension(Caller(user)): axum::Extension<Caller>,
    Path(name): Path<String>,
    bytes: Bytes,
) -> Response {
    let Some((place, shape)) = entity(&name) else { return refused(404, "No such entity") };
    let Some(body) = body_of(&bytes) else { return refused(400, "The body must be a JSON object") };
    let by = site.creator(user, shape.name);
    let mut tables = site.held_mut();
    match tables.create(place, &body, by) {
        Ok(id) => {
            let row = tables.of(place).and_then(|rows| rows.get(&id));
            axum::Json(row.map_or(json!({"id": id}), |row| shown(shape, row))).into_response()
        }
        Err((status, words)) => refused(status, &words),
    }
}

async fn update(
    State(site): State<Arc<Learndot>>,
    axum::Extension(Caller(user)): axum::Extension<Caller>,
    Path((name, id)): Path<(String, String)>,
    bytes: Bytes,
) -> Response {
    let Some((place, shape)) = entity(&name) else { return refused(404, "No such entity") };
    let Ok(id) = id.parse::<u64>() else { return refused(404, "No such row") };
    let Some(body) = body_of(&bytes) else { return refused(400, "The body must be a JSON object") };
    let by = site.writer(user, true);
    let mut tables = site.held_mut();
    match tables.update(place, id, &body, by) {
        Ok(()) => {
            let row = tables.of(place).and_then(|rows| rows.get(&id));
            axum::Json(row.map_or(json!({"id": id}), |row| shown(shape, row))).into_response()
        }
        Err((status, words)) => refused(status, &words),
    }
}

async fn describe(State(site): State<Arc<Learndot>>, Path(name): Path<String>) -> Response {
    let Some((place, shape)) = entity(&name) else { return refused(404, "No such entity") };
    if !site.options.describe {
        return refused(404, "Not found");
    }
    let mut fields = Map::new();
    for (name, kind) in
        [("id", "integer"), ("created", "date-time"), ("modified", "date-time"), ("modifiedById", "integer")]
    {
        fields.insert(name.to_owned(), json!({"type": kind}));
    }
    for field in ENTITIES.get(place).map(|entity| entity.fields).unwrap_or_default() {
        let said = match field.kind {
            Kind::Text => json!({"type": "string"}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Number => json!({"type": "number"}),
            Kind::Date => json!({"type": "date-time"}),
            Kind::Word(words) => json!({"type": "string", "enum": words}),
            Kind::Refers(_) => json!({"type": "integer"}),
            Kind::ReferAll(_) => json!({"type": "array"}),
            Kind::Object(names) => {
                let inner: Map<String, Value> =
                    names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
                json!({"properties": inner})
            }
        };
        fields.insert(field.name.to_owned(), said);
    }
    axum::Json(json!({"result": fields, "url": format!("/api/rest/v2/manage/{}", shape.name)}))
        .into_response()
}
