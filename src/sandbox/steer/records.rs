//! Edits by hand: rows of either side, inserted, changed and deleted as a person or as the integration user would.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Refused, Steering, answer, parse};
use crate::sandbox::faults::Side;
use crate::sandbox::org::{Acts, Deal, LeadConversion, RowError};

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Many { records: Vec<Value> },
    List(Vec<Value>),
    One(Value),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(default = "org_side")]
    side: Side,
    action: Option<Action>,
    object: Option<String>,
    id: Option<String>,
    #[serde(rename = "where", default)]
    found_by: Map<String, Value>,
    #[serde(default)]
    fields: Map<String, Value>,
    #[serde(default)]
    losers: Vec<String>,
    /// The account, contact, opportunity and status of a conversion.
    account: Option<String>,
    contact: Option<String>,
    opportunity: Option<Opportunity>,
    status: Option<String>,
    #[serde(rename = "as", default = "person")]
    who: String,
    /// When it is written; now if left out.
    stamp: Option<String>,
    /// So many rows at once.
    count: Option<u32>,
}

/// The opportunity of a conversion: none or one named after the company, one of a name, or one that exists, by its id.
#[derive(Deserialize)]
#[serde(untagged)]
enum Opportunity {
    Wanted(bool),
    Named(String),
}

impl Opportunity {
    fn deal(&self) -> Deal {
        match self {
            Self::Wanted(false) => Deal::None,
            Self::Wanted(true) => Deal::New,
            Self::Named(id) if id.starts_with("006") && matches!(id.len(), 15 | 18) => {
                Deal::Existing(id.clone())
            }
            Self::Named(name) => Deal::Named(name.clone()),
        }
    }
}

fn person() -> String {
    "person".to_owned()
}

fn org_side() -> Side {
    Side::Salesforce
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Action {
    Insert,
    Update,
    Upsert,
    Delete,
    /// Out of the recycle bin; in the org only.
    Undelete,
    /// Out of the recycle bin for good; in the org only.
    Purge,
    /// A new `SystemModstamp` and nothing else; in the org only.
    Touch,
    /// Merge the rows of `losers` into this one; in the org only.
    Merge,
    /// Convert this lead; in the org only.
    Convert,
}

/// `POST /_sandbox/records`. Edits are done in order; one that fails does not stop the others.
pub(super) async fn records(State(steering): State<Arc<Steering>>, body: Bytes) -> Result<Response, Refused> {
    let edits = match parse(&body)? {
        Body::Many { records } | Body::List(records) => records,
        Body::One(record) => vec![record],
    };
    let work = move || -> Vec<Value> {
        let done = edits.iter().map(|edit| match Edit::deserialize(edit) {
            Ok(edit) => steering.edit(&edit),
            Err(error) => Err(RowFailure::from(format!("The record cannot be read: {error}"))),
        });
        done.map(result).collect()
    };
    // Many edits take a while, and the server has other things to do.
    let results = tokio::task::spawn_blocking(work).await.unwrap_or_default();
    Ok(answer(&json!({"results": results})))
}

struct RowFailure {
    code: String,
    message: String,
}

impl From<String> for RowFailure {
    fn from(message: String) -> Self {
        Self { code: "REFUSED".into(), message }
    }
}

impl From<RowError> for RowFailure {
    fn from(error: RowError) -> Self {
        Self { code: error.code, message: error.message }
    }
}

/// What an edit came to: the id of its row, and whatever else there is to say.
struct Done {
    id: Option<String>,
    more: Map<String, Value>,
}

impl From<String> for Done {
    fn from(id: String) -> Self {
        Self { id: Some(id), more: Map::new() }
    }
}

impl Done {
    fn saying<const N: usize>(id: Option<String>, more: [(&str, Value); N]) -> Self {
        Self { id, more: more.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }
}

fn result(outcome: Result<Done, RowFailure>) -> Value {
    match outcome {
        Ok(Done { id, mut more }) => {
            more.insert("success".to_owned(), json!(true));
            more.extend(id.map(|id| ("id".to_owned(), json!(id))));
            Value::Object(more)
        }
        Err(failure) => json!({"success": false, "code": failure.code, "message": failure.message}),
    }
}

impl Steering {
    fn edit(&self, edit: &Edit) -> Result<Done, RowFailure> {
        match edit.side {
            Side::Salesforce => self.edit_org(edit),
            Side::Platform => self.edit_platform(edit).map(Done::from),
        }
    }

    fn edit_org(&self, edit: &Edit) -> Result<Done, RowFailure> {
        let object = edit.object.as_deref().ok_or_else(|| "Name the object".to_owned())?;
        let user = match edit.who.as_str() {
            "person" => self.org.person_user_id(),
            "integration" => self.org.integration_user_id(),
            id => id.to_owned(),
        };
        let at = match edit.stamp.as_deref() {
            None => None,
            Some(text) => Some(
                moment_ms(text).ok_or_else(|| format!("{text} is no moment such as 2026-11-21T10:00:00Z"))?,
            ),
        };
        let acts = Acts { user: &user, at };
        let fields = &edit.fields;
        let found = || self.find_in_org(object, edit);
        let done: String = match edit.action.unwrap_or(Action::Update) {
            Action::Insert => match edit.count {
                None => self.org.insert_as(acts, object, fields)?,
                Some(count) => return self.insert_many(acts, object, fields, count),
            },
            Action::Update => self.org.update_as(acts, object, &found()?, fields)?,
            Action::Upsert => match found() {
                Ok(id) => self.org.update_as(acts, object, &id, fields)?,
                Err(_) => self.org.insert_as(acts, object, fields)?,
            },
            Action::Delete => self.org.admin_delete(object, &found()?, &user)?,
            Action::Undelete => self.org.admin_undelete(object, deleted_id(edit)?, &user)?,
            Action::Purge => self.org.admin_purge(object, deleted_id(edit)?, &user)?,
            Action::Touch => {
                let count = edit.count.ok_or_else(|| "Say how many rows, as count".to_owned())?;
                let touched = self.org.touch_many_as(acts, object, count as usize)?;
                return Ok(Done::saying(None, [("count", json!(touched))]));
            }
            Action::Merge => {
                let master = found()?;
                let losers: Vec<&str> = edit.losers.iter().map(String::as_str).collect();
                let merged = self.org.admin_merge_with(object, &master, &losers, fields, &user)?;
                let more = [("losers", json!(merged.losers)), ("related", json!(merged.related))];
                return Ok(Done::saying(Some(master), more));
            }
            Action::Convert => {
                let lead = found()?;
                let wish = LeadConversion {
                    account: edit.account.clone(),
                    contact: edit.contact.clone(),
                    deal: edit.opportunity.as_ref().map(Opportunity::deal).unwrap_or_default(),
                    status: edit.status.clone(),
                    ..LeadConversion::default()
                };
                let made = self.org.admin_convert(&lead, &wish, &user)?;
                let more = [
                    ("account", json!(made.account)),
                    ("contact", json!(made.contact)),
                    ("opportunity", json!(made.opportunity)),
                ];
                return Ok(Done::saying(Some(lead), more));
            }
        };
        Ok(done.into())
    }

    fn insert_many(
        &self,
        acts: Acts<'_>,
        object: &str,
        fields: &Map<String, Value>,
        count: u32,
    ) -> Result<Done, RowFailure> {
        let rows = (1..=count).map(|number| numbered(fields, number));
        let (first, last) = self.org.insert_many_as(acts, object, rows)?;
        Ok(Done::saying(Some(first), [("last", json!(last)), ("count", json!(count))]))
    }

    fn find_in_org(&self, object: &str, edit: &Edit) -> Result<String, String> {
        if let Some(id) = &edit.id {
            return Ok(id.clone());
        }
        if edit.found_by.is_empty() {
            return Err("Give an id, or fields to find the row by as \"where\"".into());
        }
        let rows = self.org.rows(object);
        let mut matching = rows.iter().filter(|row| is_meant(row, &edit.found_by));
        match (matching.next(), matching.next()) {
            (Some(row), None) => Ok(row.get("Id").and_then(Value::as_str).unwrap_or_default().to_owned()),
            (Some(_), Some(_)) => Err(format!("More than one {object} is found")),
            (None, _) => Err(format!("No {object} is found")),
        }
    }

    fn edit_platform(&self, edit: &Edit) -> Result<String, RowFailure> {
        let object = edit.object.as_deref().unwrap_or("contact");
        let named = edit.id.clone().or_else(|| {
            let wanted = edit.found_by.get("email").and_then(Value::as_str);
            wanted.map(str::to_owned)
        });
        match edit.action.unwrap_or(Action::Upsert) {
            Action::Delete => {
                let name = named.ok_or_else(|| "Give an id or an e-mail".to_owned())?;
                self.platform.delete(object, &name)?;
                Ok(name)
            }
            Action::Undelete | Action::Purge | Action::Touch | Action::Merge | Action::Convert => {
                Err("The platform can insert, update, upsert and delete".to_owned().into())
            }
            action @ (Action::Insert | Action::Update | Action::Upsert) => {
                let mut fields = edit.fields.clone();
                let held = named.as_deref().and_then(|name| self.platform.record(object, name));
                match (&held, &named) {
                    (Some(held), _) => {
                        fields.insert("id".into(), held["id"].clone());
                    }
                    (None, Some(name)) if action == Action::Update => {
                        return Err(format!("There is no {object} {name} on the platform").into());
                    }
                    (None, _) => {}
                }
                Ok(self.platform.upsert(object, &fields)?)
            }
        }
    }
}

fn deleted_id(edit: &Edit) -> Result<&str, String> {
    edit.id.as_deref().ok_or_else(|| "Give the id of the deleted row".to_owned())
}

fn moment_ms(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis())
}

/// The fields of one of many rows: `{n}` in a text is its number.
fn numbered(fields: &Map<String, Value>, number: u32) -> Map<String, Value> {
    let number = number.to_string();
    let own = |value: &Value| match value {
        Value::String(text) if text.contains("{n}") => Value::String(text.replace("{n}", &number)),
        other => other.clone(),
    };
    fields.iter().map(|(name, value)| (name.clone(), own(value))).collect()
}

fn is_meant(row: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(field, value)| match (row.get(field), value) {
        (Some(Value::String(held)), Value::String(wanted)) => held.eq_ignore_ascii_case(wanted),
        (held, wanted) => held.unwrap_or(&Value::Null) == wanted,
    })
}
