//! The data API: takes a [`Call`] apart and hands it to the file that knows the resource.

mod batch;
mod collections;
mod columns;
mod composite;
mod describe;
mod jobs;
mod limits;
mod metadata;
mod query;
mod records;
mod replication;
pub(super) mod reply;

use std::sync::{Arc, RwLockWriteGuard};

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::Org;
use super::rights::Rights;
use super::schema::Schema;
use super::soql::bind::World;
use super::state::State;
use super::write::{Actor, Writer};
pub(super) use jobs::Jobs;
pub(super) use metadata::Deployments;
pub(super) use query::Cursors;
use reply::{Call, Reply};

/// One call being answered: who asks, in which version, and the rows, held for the length of a transaction.
pub(super) struct Api<'a> {
    pub(super) org: &'a Org,
    pub(super) user: String,
    /// `67.0`.
    pub(super) version: String,
    /// The address that the caller reached the org by.
    pub(super) base: String,
    pub(super) rights: Arc<Rights>,
    /// Set while a composite with `allOrNone` owns the rows.
    pub(super) held: Option<RwLockWriteGuard<'a, State>>,
    pub(super) now: i64,
}

impl<'a> Api<'a> {
    pub(super) fn schema(&self) -> &'a Schema {
        &self.org.schema
    }

    /// Looks at the rows.
    pub(super) fn read<R>(&self, look: impl FnOnce(&World<'_>) -> R) -> R {
        self.read_for("", look)
    }

    /// Looks at the rows on behalf of a query's text.
    pub(super) fn read_for<R>(&self, soql: &str, look: impl FnOnce(&World<'_>) -> R) -> R {
        let guard;
        let state = if let Some(held) = &self.held {
            &**held
        } else {
            guard = self.org.read_state();
            &*guard
        };
        look(&World { schema: &self.org.schema, rights: &self.rights, state, now: self.now, soql })
    }

    /// Writes rows; outside a transaction of its own each such call is one.
    pub(super) fn write<R>(&mut self, call: &Call, write: impl FnOnce(&mut Writer<'_>) -> R) -> R {
        let actor = self.actor(call);
        let schema = &self.org.schema;
        if let Some(held) = &mut self.held {
            return write(&mut Writer { schema, state: held, actor: &actor });
        }
        let mut state = self.org.write_state();
        let result = write(&mut Writer { schema, state: &mut state, actor: &actor });
        state.commit();
        result
    }

    fn actor(&self, call: &Call) -> Actor {
        let rule = call.header("sforce-duplicate-rule-header").unwrap_or_default().to_ascii_lowercase();
        let save_duplicates =
            rule.split([';', ',']).any(|part| part.trim().replace(' ', "") == "allowsave=true");
        Actor { save_duplicates, ..self.org.actor(&self.user, Arc::clone(&self.rights), self.now) }
    }

    /// Answers a call.
    pub(super) fn answer(&mut self, call: &Call) -> Reply {
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
        let words: Vec<&str> = lower.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] => self.resources(),
            ["sobjects"] => self.describe_global(call),
            ["sobjects", _, rest @ ..] => self.sobject(
                call,
                segments.get(1).copied().unwrap_or_default(),
                rest,
                segments.get(2..).unwrap_or_default(),
            ),
            ["query" | "queryall"] | ["tooling", "query"] => self.query(call, words.contains(&"queryall")),
            ["query" | "queryall", _] => self.query_more(call, segments.get(1).copied().unwrap_or_default()),
            ["composite"] => self.composite(call),
            ["composite", "batch"] => self.batch(call),
            ["composite", "graph"] => self.graph(call),
            ["composite", "tree", _] => self.tree(call, segments.get(2).copied().unwrap_or_default()),
            ["composite", "sobjects", ..] => self.collections(call, segments.get(2..).unwrap_or_default()),
            ["limits"] => self.limits(),
            ["limits", "recordcount"] => self.record_count(call),
            ["jobs", kind @ ("query" | "ingest"), ..] => {
                self.jobs(call, kind, segments.get(2..).unwrap_or_default())
            }
            ["metadata", "deployrequest", ..] => {
                self.deploy_request(call, segments.get(2..).unwrap_or_default())
            }
            ["recent"] => Reply::json(200, &json!([])),
            _ => Reply::not_found(),
        }
    }

    fn sobject(&mut self, call: &Call, name: &str, words: &[&str], rest: &[&str]) -> Reply {
        let Some(object) = self.rights.find_object(self.schema(), name) else { return Reply::not_found() };
        match (words, rest) {
            ([], _) => match call.method {
                Method::GET => self.describe_basic(call, object),
                Method::POST => self.create(call, object),
                _ => Reply::wrong_method(call, "GET, POST, HEAD"),
            },
            (["describe"], _) => self.describe(call, object),
            (["describe", "layouts", ..], _) => self.layouts(object),
            (["describe", "compactlayouts", ..], _) => Reply::json(
                200,
                &json!({"compactLayouts": [], "defaultCompactLayoutId": null, "recordTypeCompactLayoutMappings": []}),
            ),
            (["updated"], _) => self.updated(call, object),
            (["deleted"], _) => self.deleted(call, object),
            ([_], [id]) => self.record(call, object, id),
            ([_, _], [field, value]) => self.record_by_key(call, object, field, value),
            _ => Reply::not_found(),
        }
    }

    fn resources(&self) -> Reply {
        let at = |path: &str| Value::String(format!("/services/data/v{}/{path}", self.version));
        let mut resources: Map<String, Value> =
            ["composite", "limits", "query", "queryAll", "recent", "sobjects", "tooling", "jobs"]
                .into_iter()
                .map(|name| (name.to_owned(), at(name)))
                .collect();
        let identity = format!("{}/id/{}/{}", self.base, self.org.org_id(), self.user);
        resources.insert("identity".to_owned(), Value::String(identity));
        Reply::json(200, &Value::Object(resources))
    }
}
