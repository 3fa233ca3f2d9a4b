//! How the org behaves by itself: its automation, and transactions that commit late.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Refused, Steering, answer, parse};
use crate::sandbox::org::{AutomationRule, LateCommits};

/// A list, one entry of it, or an object that holds the list under a name.
fn listed<T: DeserializeOwned>(body: &[u8], name: &str) -> Result<Vec<T>, Refused> {
    let value: Value = parse(body)?;
    let entries = match value {
        Value::Array(entries) => entries,
        Value::Object(mut object) => match object.remove(name) {
            Some(Value::Array(entries)) if object.is_empty() => entries,
            Some(_) => return Err(Refused(format!("{name} must be a list, and nothing else beside it"))),
            None => vec![Value::Object(object)],
        },
        _ => return Err(Refused(format!("Send a list, or {{\"{name}\": […]}}"))),
    };
    entries
        .iter()
        .zip(1..)
        .map(|(entry, number)| {
            T::deserialize(entry).map_err(|error| Refused(format!("Entry {number} cannot be read: {error}")))
        })
        .collect()
}

fn automation_state(steering: &Steering) -> Response {
    answer(&json!({"rules": steering.org.automation(), "pending": steering.org.automation_pending()}))
}

/// `POST /_sandbox/automation`: these rules in the place of all.
pub(super) async fn set_automation(
    State(steering): State<Arc<Steering>>,
    body: Bytes,
) -> Result<Response, Refused> {
    let rules: Vec<AutomationRule> = listed(&body, "rules")?;
    steering.org.set_automation(rules).map_err(Refused)?;
    Ok(automation_state(&steering))
}

/// `GET /_sandbox/automation`.
pub(super) async fn automation(State(steering): State<Arc<Steering>>) -> Response {
    automation_state(&steering)
}

fn late_state(steering: &Steering) -> Response {
    answer(&json!({"late_commits": steering.org.late_commits(), "open_rows": steering.org.open_rows()}))
}

/// `POST /_sandbox/late_commits`: these in the place of all.
pub(super) async fn set_late_commits(
    State(steering): State<Arc<Steering>>,
    body: Bytes,
) -> Result<Response, Refused> {
    let ordered: Vec<LateCommits> = listed(&body, "late_commits")?;
    steering.org.set_late_commits(ordered).map_err(Refused)?;
    Ok(late_state(&steering))
}

/// `GET /_sandbox/late_commits`.
pub(super) async fn late_commits(State(steering): State<Arc<Steering>>) -> Response {
    late_state(&steering)
}
