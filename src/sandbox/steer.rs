//! Steering: `/_sandbox/…` on the org's server, for tests and for anybody who wants to see what a sync does when things
//! go wrong. No sign-in: the server listens on loopback only. All bodies and answers are JSON.
//!
//! | call | body | does |
//! |---|---|---|
//! | `POST /_sandbox/faults` | a fault, a list of faults, or `{"clear": true, "faults": […]}` | arms faults (shape in `faults`); answers with those armed |
//! | `POST /_sandbox/life` | `{"per_second": 2.5}`, `{"once": 100}`, `{"rates": {"phone": 0, "merge": 5}}` | lets people live; answers with rate, number of edits and what they do how often |
//! | `POST /_sandbox/automation` | rules (shape in `org::automation`) | what the org does by itself when somebody saves; `GET` shows it |
//! | `POST /_sandbox/late_commits` | `[{"object": "Contact", "seconds": 120, "by": "others"}]` | writes that readers see later than their stamp; `GET` shows it |
//! | `POST /_sandbox/clock` | `{"advance_ms": 5000}` or `{"advance": "36h"}` (s, m, h, d) | moves the time of both services |
//! | `POST /_sandbox/records` | one or `{"records": […]}` of `{"side", "action", "object", "id" or "where", "fields", "as"}` | edits as a person (below) |
//! | `POST /_sandbox/limits` | `{"daily_limit", "calls_by_others", "job_polls", "delivery_copies", "late_commit_ms": {"salesforce", "platform"}}` | changes limits |
//! | `POST /_sandbox/org` | `{"locked", "api_disabled", "password_expired", "duplicate_rule", "expire_sessions", "expire_locators", "approval", "callback_urls", "app_scopes", "require_secret", "rotate_refresh_tokens", "field": {"object", "name", "permission", "deleted", "required", "restricted", "values", "length", "type", "as_founded"}, "object": {"name", "read", "create", "edit", "delete"}}` | takes rights away and gives them back, changes fields |
//! | `GET /_sandbox/calls?since=&side=` | | calls after a sequence, with counters |
//! | `GET /_sandbox/dump?side=&object=` | | all rows: `{"salesforce": {"Contact": […]}, "platform": {"contact": […]}}` |
//! | `GET /_sandbox/state` | | counts, faults, clock, life, limits, what was planted, what was set off |
//!
//! Records: `side` is `salesforce` (default) or `platform`; `action` is `insert`, `update`, `upsert`, `delete`, and in the
//! org `undelete`, `purge` (out of the recycle bin for good), `merge` (with the ids of `losers`), `convert` (with
//! `account`, `contact`, `opportunity`, `status`) and `touch` (default `update` in the org, `upsert` on the platform);
//! `where` finds one row by equal fields instead of by `id`; `as` is `person` (default), `integration` or the id of a
//! user; `stamp` is the moment to write at instead of now; `count` inserts or touches so many rows in one transaction
//! with one stamp, `{n}` in a text being the number of the row. On the platform `object` may be left out where it is `contact`, and
//! `fields` are those of a read shape, flat. The answer is
//! `{"results": [{"success": true, "id": …} | {"success": false, "code": …, "message": …}]}`.

mod behaviour;
mod controls;
mod records;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use serde_json::json;

use super::calls::CallLog;
use super::clock::SandboxClock;
use super::faults::FaultPlan;
use super::life::Life;
use super::org::Org;
use super::people::Planted;
use super::platform::Emulator;

/// Everything that can be steered.
pub struct Steering {
    /// The org.
    pub org: Arc<Org>,
    /// The platform.
    pub platform: Arc<dyn Emulator>,
    /// The time of both.
    pub clock: Arc<SandboxClock>,
    /// What goes wrong.
    pub faults: Arc<FaultPlan>,
    /// What was asked.
    pub calls: Arc<CallLog>,
    /// Who edits records.
    pub life: Arc<Life>,
    /// What was planted.
    pub planted: Planted,
}

impl Steering {
    /// The routes.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/_sandbox/faults", post(controls::faults))
            .route("/_sandbox/life", post(controls::life))
            .route("/_sandbox/clock", post(controls::clock))
            .route("/_sandbox/limits", post(controls::limits))
            .route("/_sandbox/org", post(controls::org))
            .route("/_sandbox/records", post(records::records))
            .route("/_sandbox/automation", get(behaviour::automation).post(behaviour::set_automation))
            .route("/_sandbox/late_commits", get(behaviour::late_commits).post(behaviour::set_late_commits))
            .route("/_sandbox/calls", get(views::calls))
            .route("/_sandbox/dump", get(views::dump))
            .route("/_sandbox/state", get(views::state))
            .layer(DefaultBodyLimit::max(256 * 1024 * 1024))
            .with_state(Arc::clone(self))
    }

    /// Arms a fault, and makes the services follow where it is a setting of theirs.
    pub fn arm(&self, fault: super::faults::Fault) {
        self.faults.arm(fault);
        self.follow_faults();
    }

    /// Makes the services follow the faults that are settings of theirs.
    fn follow_faults(&self) {
        use super::faults::Side;
        self.org.set_commit_delay(self.faults.commit_delay_ms(Side::Salesforce) as i64);
        self.platform.set_feed_delay_ms(self.faults.commit_delay_ms(Side::Platform) as i64);
    }
}

/// What cannot be done, and why.
struct Refused(String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = answer(&json!({"error": self.0}));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response
    }
}

fn answer(value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Reads a body, whatever content type it claims.
fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused(format!("The body cannot be read: {error}")))
}
