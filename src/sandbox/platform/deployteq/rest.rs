//! The customer interface: one customer a call, the token in the address.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::customers::SEARCHED;
use super::{Deployteq, lock, refused};

type Asked = Query<HashMap<String, String>>;

impl Deployteq {
    #[expect(clippy::result_large_err, reason = "the error is the answer, made once a call")]
    fn lets_in(&self, asked: &Asked) -> Result<(), Response> {
        if asked.get("token").is_some_and(|token| *token == self.options.api_token) {
            Ok(())
        } else {
            Err(refused(401, "Invalid token"))
        }
    }
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once a call")]
fn body_of(bytes: &Bytes) -> Result<Map<String, Value>, Response> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) | Err(_) => Err(refused(400, "The body must be a JSON object")),
    }
}

pub(super) async fn search(State(portal): State<Arc<Deployteq>>, asked: Asked) -> Response {
    if let Err(response) = portal.lets_in(&asked) {
        return response;
    }
    let Some((field, text)) = asked.iter().find(|(name, _)| SEARCHED.contains(&name.as_str())) else {
        return refused(400, "Search by emailaddress or externalid");
    };
    let customers = lock(&portal.customers);
    let found: Vec<Value> =
        customers.with(field, text).into_iter().filter_map(|id| customers.shown(id)).collect();
    axum::Json(found).into_response()
}

pub(super) async fn read(
    State(portal): State<Arc<Deployteq>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Response {
    if let Err(response) = portal.lets_in(&asked) {
        return response;
    }
    let shown = id.parse().ok().and_then(|id| lock(&portal.customers).shown(id));
    shown.map_or_else(|| refused(404, "Customer not found"), |shown| axum::Json(shown).into_response())
}

pub(super) async fn create(State(portal): State<Arc<Deployteq>>, asked: Asked, bytes: Bytes) -> Response {
    if let Err(response) = portal.lets_in(&asked) {
        return response;
    }
    let body = match body_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let mut customers = lock(&portal.customers);
    match customers.create(&body, portal.clock.now_ms()) {
        Ok(id) => (axum::http::StatusCode::CREATED, axum::Json(customers.shown(id))).into_response(),
        Err((status, words)) => refused(status, &words),
    }
}

pub(super) async fn update(
    State(portal): State<Arc<Deployteq>>,
    Path(id): Path<String>,
    asked: Asked,
    bytes: Bytes,
) -> Response {
    if let Err(response) = portal.lets_in(&asked) {
        return response;
    }
    let body = match body_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let Ok(id) = id.parse::<u64>() else { return refused(404, "Customer not found") };
    let mut customers = lock(&portal.customers);
    match customers.update(id, &body, portal.clock.now_ms()) {
        Ok(()) => axum::Json(customers.shown(id)).into_response(),
        Err((status, words)) => refused(status, &words),
    }
}

pub(super) async fn delete(
    State(portal): State<Arc<Deployteq>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Response {
    if let Err(response) = portal.lets_in(&asked) {
        return response;
    }
    let gone = id.parse().is_ok_and(|id| lock(&portal.customers).remove(id));
    if gone { axum::http::StatusCode::NO_CONTENT.into_response() } else { refused(404, "Customer not found") }
}
