//! The interface: sign-in, workflow, users, records, exports, activities.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post, put};
use serde_json::{Value, json};

use super::records::Refusal;
use super::{Spotio, jobs, search, shown, webhooks, workflow};

/// What stands behind the question mark.
pub(super) type Asked = Query<HashMap<String, String>>;

impl Spotio {
    /// Everything the service answers to.
    pub(super) fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/api/users", get(users))
            .route("/api/users/externalSystemUserId", get(user_of))
            .route("/api/workflow/dataObjects/full", get(full))
            .route("/api/workflow/activityTemplates", get(templates))
            .route("/api/Exports/dataObjects/data", get(search::export))
            .route("/api/Exports/activities/data/flexible", post(search::export_activities))
            .route("/api/DataObjectsSearch", post(search::search))
            .route("/api/DataObjects", post(create))
            .route("/api/DataObjects/many", get(many))
            .route("/api/DataObjects/deleted", get(search::deleted))
            .route("/api/DataObjects/{id}", get(read_one).delete(remove))
            .route("/api/DataObjects/{id}/jsonp", patch(change))
            .route("/api/v2/activities", post(new_activity))
            .route("/api/v2/activities/{id}", get(activity).patch(change_activity).put(change_activity))
            .route("/api/jobs/dataObjects/bulk", post(jobs::open))
            .route("/api/jobs/dataObjects/bulk/{id}/data", put(jobs::fill))
            .route("/api/jobs/dataObjects/bulk/{id}/start", post(jobs::start))
            .route("/api/jobs/dataObjects/bulk/{id}/progress", get(jobs::progress))
            .route("/api/jobs/dataObjects/bulk/{id}/results/{which}", get(jobs::results))
            .route("/api/jobs/dataObjects/bulk/{id}/cleanup", delete(jobs::clean_up))
            .route("/api/Webhooks/scopes", get(webhooks::scopes))
            .route("/api/Webhooks", get(webhooks::list).post(webhooks::add))
            .route("/api/Webhooks/{id}", put(webhooks::change).delete(webhooks::remove))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(self), let_in))
            .route("/api/users/apitoken", post(mint))
            .fallback(unknown)
            .layer(axum::extract::DefaultBodyLimit::max(256 << 20))
            .layer(axum::middleware::map_response_with_state(Arc::clone(self), dated))
            .with_state(Arc::clone(self))
    }

    /// The user who made the key: all calls are theirs.
    pub(super) fn caller(&self) -> u32 {
        self.options.key.2
    }
}

/// A refusal as the service words it.
pub(super) fn refused((status, what, words): Refusal) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, axum::Json(json!({"errors": {what: words}}))).into_response()
}

/// A body of JSON.
#[expect(clippy::result_large_err, reason = "the error is the answer, made once a call")]
pub(super) fn json_of(bytes: &Bytes) -> Result<Value, Response> {
    serde_json::from_slice(bytes)
        .map_err(|_damaged| refused((400, "_".into(), "The body is not valid JSON.".into())))
}

async fn unknown() -> Response {
    refused((404, "_".into(), "Not found".into()))
}

async fn let_in(State(account): State<Arc<Spotio>>, request: Request, next: Next) -> Response {
    let token = request.headers().get(header::AUTHORIZATION).and_then(|token| token.to_str().ok());
    let token = token.and_then(|token| token.strip_prefix("Bearer ")).unwrap_or_default();
    if !account.knows(token) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if !account.admit() {
        return refused((429, "_".into(), "Too many requests".into()));
    }
    next.run(request).await
}

/// Clients take the server's time from here, so it has to be the one that all stamps come from.
async fn dated(State(account): State<Arc<Spotio>>, mut response: Response) -> Response {
    let now = chrono::DateTime::from_timestamp_millis(account.clock.now_ms()).unwrap_or_default();
    if let Ok(date) = HeaderValue::from_str(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

async fn mint(State(account): State<Arc<Spotio>>, bytes: Bytes) -> Response {
    let body = match json_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match account.mint(&word("clientId"), &word("secret")) {
        Some(token) => axum::Json(json!({"accessToken": token})).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn users(State(account): State<Arc<Spotio>>) -> Response {
    let users: Vec<Value> = account.held().users.iter().map(shown::user).collect();
    axum::Json(users).into_response()
}

async fn user_of(State(account): State<Arc<Spotio>>, Query(asked): Asked) -> Response {
    let held = account.held();
    let user =
        held.users.iter().find(|user| user.external.is_some() && user.external.as_ref() == asked.get("id"));
    match user {
        Some(user) => axum::Json(shown::user(user)).into_response(),
        None => refused((404, "_".into(), "The user does not exist.".into())),
    }
}

async fn full() -> Response {
    axum::Json(workflow::shown()).into_response()
}

async fn templates() -> Response {
    axum::Json(workflow::shown_templates()).into_response()
}

async fn create(State(account): State<Arc<Spotio>>, bytes: Bytes) -> Response {
    let body = match json_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let Some(record) = body.get("dataObject") else {
        return refused((400, "dataObject".into(), "The record is missing.".into()));
    };
    let mut held = account.held_mut();
    match held.create(record, account.next(), account.caller(), account.clock.now_ms()) {
        Ok(id) => {
            let shown = held.records.get(&id).map(|record| shown::whole(&id, record));
            axum::Json(shown.unwrap_or_default()).into_response()
        }
        Err(refusal) => refused(refusal),
    }
}

async fn many(State(account): State<Arc<Spotio>>, Query(asked): Asked) -> Response {
    let held = account.held();
    let ids = asked.get("dataObjectsIds").map(String::as_str).unwrap_or_default();
    let rows: Vec<Value> = ids
        .split(',')
        .filter_map(|id| held.records.get(id.trim()).map(|record| shown::whole(id.trim(), record)))
        .collect();
    axum::Json(rows).into_response()
}

async fn read_one(State(account): State<Arc<Spotio>>, Path(id): Path<String>) -> Response {
    match account.held().records.get(&id) {
        Some(record) => axum::Json(shown::whole(&id, record)).into_response(),
        None => refused((404, "_".into(), "The record does not exist.".into())),
    }
}

async fn remove(State(account): State<Arc<Spotio>>, Path(id): Path<String>, bytes: Bytes) -> Response {
    let body = match json_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let mode = body.get("mode").and_then(Value::as_str).unwrap_or_default();
    if !mode.eq_ignore_ascii_case("delete") {
        return refused((400, "mode".into(), format!("The mode {mode} is not known.")));
    }
    match account.held_mut().delete(&id, account.caller(), account.clock.now_ms()) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => refused(refusal),
    }
}

async fn change(
    State(account): State<Arc<Spotio>>,
    Path(id): Path<String>,
    Query(asked): Asked,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !["application/json-patch+json", "application/merge-patch+json", "application/json"].contains(&kind) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let body = match json_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let Some(operations) = body.as_array() else {
        return refused((400, "_".into(), "The body must be a list of operations.".into()));
    };
    let required = asked.get("validateRequiredFields").is_none_or(|word| word != "false");
    let by = (account.caller(), account.clock.now_ms());
    let mut held = account.held_mut();
    match held.patch(&id, operations, by, (required, account.options.patch_each)) {
        Ok(()) => {
            let shown = held.records.get(&id).map(|record| shown::whole(&id, record));
            axum::Json(shown.unwrap_or_default()).into_response()
        }
        Err(refusal) => refused(refusal),
    }
}

fn put_activity(account: &Arc<Spotio>, id: u64, bytes: &Bytes) -> Response {
    let body = match json_of(bytes) {
        Ok(Value::Object(body)) => body,
        Ok(_) => return refused((400, "_".into(), "The body must be an object.".into())),
        Err(response) => return response,
    };
    let mut held = account.held_mut();
    match held.put_activity(id, &body, (account.caller(), account.clock.now_ms())) {
        Ok(()) => {
            let shown = held.activities.get(&id).map(|activity| activity.whole(id));
            axum::Json(shown.unwrap_or_default()).into_response()
        }
        Err(refusal) => refused(refusal),
    }
}

async fn new_activity(State(account): State<Arc<Spotio>>, bytes: Bytes) -> Response {
    let id = account.next();
    put_activity(&account, id, &bytes)
}

async fn change_activity(State(account): State<Arc<Spotio>>, Path(id): Path<u64>, bytes: Bytes) -> Response {
    if !account.held().activities.contains_key(&id) {
        return refused((404, "_".into(), "The activity does not exist.".into()));
    }
    put_activity(&account, id, &bytes)
}

async fn activity(State(account): State<Arc<Spotio>>, Path(id): Path<u64>) -> Response {
    match account.held().activities.get(&id) {
        Some(activity) => axum::Json(activity.whole(id)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
