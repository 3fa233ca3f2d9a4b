//! Deployteq, emulated: customers over REST and SOAP, webhook receivers, tables of the data model, analytics events, and the sign-in of
//! an OAuth2 client. What nobody could confirm is as the sheet assumes; where it makes clients careful, the worse of two: a customer
//! that is created without an opt-in has one, a receiver that is not mapped answers what it was sent, an event may come on two pages.
//!
//! `customers` holds the people, `rest`, `soap`, `hooks`, `model` and `events` are the interfaces, `admin` is the way in for the sandbox.

mod admin;
mod customers;
mod events;
mod hooks;
mod model;
mod rest;
mod soap;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use crate::sandbox::clock::SandboxClock;
use customers::Customers;
use events::Events;
use hooks::Hooks;

/// How the emulated portal is set up.
#[derive(Debug, Clone)]
pub struct DeployteqOptions {
    /// The token of the customer interface.
    pub api_token: String,
    /// The uuid of the SOAP interface.
    pub soap_token: String,
    /// The token of the webhook receivers.
    pub webhook_token: String,
    /// The OAuth2 client: id and secret.
    pub client: (String, String),
    /// Whether the pace limit is enforced.
    pub real_pace: bool,
    /// How the events are drawn.
    pub seed: u64,
}

impl Default for DeployteqOptions {
    fn default() -> Self {
        Self {
            api_token: "sandbox-deployteq-token".into(),
            soap_token: "5a9d6b1e-sandbox-uuid".into(),
            webhook_token: "sandbox-webhook-token".into(),
            client: ("sandbox-analytics".into(), "sandbox-analytics-secret".into()),
            real_pace: false,
            seed: 1,
        }
    }
}

/// The token that the OAuth2 client is given.
const ACCESS: &str = "sandbox-deployteq-access";

/// The emulated portal.
pub struct Deployteq {
    options: DeployteqOptions,
    clock: Arc<SandboxClock>,
    customers: Mutex<Customers>,
    hooks: Mutex<Hooks>,
    events: Mutex<Events>,
    lists: Mutex<soap::Lists>,
    job_polls: AtomicU32,
    reserved: AtomicU64,
}

fn lock<T>(cell: &Mutex<T>) -> MutexGuard<'_, T> {
    cell.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Deployteq {
    /// A portal without records.
    pub fn new(options: DeployteqOptions, clock: Arc<SandboxClock>) -> Arc<Self> {
        Arc::new(Self {
            options,
            clock,
            customers: Mutex::default(),
            hooks: Mutex::default(),
            events: Mutex::default(),
            lists: Mutex::default(),
            job_polls: AtomicU32::new(1),
            reserved: AtomicU64::new(0),
        })
    }

    fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/app/api/rest/public/v2/customer", get(rest::search).post(rest::create))
            .route(
                "/app/api/rest/public/v2/customer/{id}",
                get(rest::read).put(rest::update).delete(rest::delete),
            )
            .route("/app/api/rest/public/v2/project/datahook/data-receiver/{hook}", post(hooks::receive))
            .route("/app/api/soap/public/index.php", post(soap::call))
            .route("/oauth2/token", post(events::token))
            .route("/analytics-events/events", get(events::list))
            .route("/dataextension/{*path}", get(model::read).delete(model::delete))
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

/// Clients take the server's time from here, so it has to be the one that all stamps come from.
async fn dated(State(portal): State<Arc<Deployteq>>, mut response: Response) -> Response {
    let now = chrono::DateTime::from_timestamp_millis(portal.clock.now_ms()).unwrap_or_default();
    if let Ok(date) = HeaderValue::from_str(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// The token behind `Bearer`.
fn bearer(headers: &axum::http::HeaderMap) -> &str {
    let told = headers.get(header::AUTHORIZATION).and_then(|told| told.to_str().ok()).unwrap_or_default();
    told.strip_prefix("Bearer ").unwrap_or_default()
}
