//! What can be looked at: the calls, all rows, and the state of things.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Steering, answer};
use crate::sandbox::faults::Side;

/// The objects of the org that a sync may touch.
const OBJECTS: [&str; 8] =
    ["Account", "Contact", "Lead", "Opportunity", "Task", "Event", "Campaign", "CampaignMember"];

#[derive(Deserialize)]
pub(super) struct CallsQuery {
    #[serde(default)]
    since: u64,
    side: Option<Side>,
}

/// `GET /_sandbox/calls`.
pub(super) async fn calls(
    State(steering): State<Arc<Steering>>,
    Query(query): Query<CallsQuery>,
) -> Response {
    let log = &steering.calls;
    answer(&json!({
        "last": log.last(),
        "counts": {"salesforce": log.counts(Side::Salesforce), "platform": log.counts(Side::Platform)},
        "calls": log.since(query.since, query.side),
    }))
}

#[derive(Deserialize)]
pub(super) struct DumpQuery {
    side: Option<Side>,
    object: Option<String>,
}

/// `GET /_sandbox/dump`.
pub(super) async fn dump(State(steering): State<Arc<Steering>>, Query(query): Query<DumpQuery>) -> Response {
    let work = move || {
        let mut sides = Map::new();
        let wants = |side| query.side.is_none_or(|wanted| wanted == side);
        if wants(Side::Salesforce) {
            let mut objects = Map::new();
            // Without a name, the objects that a sync may touch; by name, any.
            let names = steering.org.objects();
            let is_asked = |name: &String| match query.object.as_deref() {
                Some(wanted) => wanted.eq_ignore_ascii_case(name),
                None => OBJECTS.contains(&name.as_str()) || name.ends_with("__c"),
            };
            for name in names.into_iter().filter(is_asked) {
                let rows = steering.org.rows(&name).into_iter().map(Value::Object).collect();
                objects.insert(name, Value::Array(rows));
            }
            sides.insert("salesforce".to_owned(), Value::Object(objects));
        }
        if wants(Side::Platform) {
            let mut objects = Map::new();
            let wanted = query.object.as_deref();
            let known =
                |name: &str| steering.platform.objects().iter().any(|one| one.eq_ignore_ascii_case(name));
            for name in steering.platform.objects() {
                // A name of the org does not narrow what was asked of the platform alone.
                let all = query.side == Some(Side::Platform) && !wanted.is_some_and(known);
                if all || wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(name)) {
                    objects.insert((*name).to_owned(), Value::Array(steering.platform.records(name)));
                }
            }
            sides.insert("platform".to_owned(), Value::Object(objects));
        }
        answer(&Value::Object(sides))
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| answer(&json!({})))
}

/// `GET /_sandbox/state`.
pub(super) async fn state(State(steering): State<Arc<Steering>>) -> Response {
    let counts: Map<String, Value> =
        OBJECTS.iter().map(|object| ((*object).to_owned(), json!(steering.org.count(object)))).collect();
    let (live, deleted) = steering.platform.counts();
    answer(&json!({
        "now_ms": steering.clock.now_ms(),
        "counts": {"salesforce": counts, "platform": {"contact": live, "deleted": deleted}},
        "planted": steering.planted,
        "faults": steering.faults.armed(),
        "life": {"per_second": steering.life.per_second(), "edits": steering.life.edits()},
        "salesforce": {"org_id": steering.org.org_id(), "api_calls_used": steering.org.api_calls_used()},
        "platform": steering.platform.side_effects(),
        "calls": {
            "salesforce": steering.calls.counts(Side::Salesforce).total,
            "platform": steering.calls.counts(Side::Platform).total,
        },
    }))
}
