//! Edits by hand: rows of either side, inserted, changed and deleted as a person or as the integration user would.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Refused, Steering, answer, parse};
use crate::sandbox::faults::Side;
use crate::sandbox::org::RowError;

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
    #[serde(rename = "as", default)]
    who: Who,
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
    /// Merge the rows of `losers` into this one; in the org only.
    Merge,
    /// Convert this lead; in the org only.
    Convert,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "snake_case")]
enum Who {
    #[default]
    Person,
    Integration,
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

fn result(outcome: Result<String, RowFailure>) -> Value {
    match outcome {
        Ok(id) => json!({"success": true, "id": id}),
        Err(failure) => json!({"success": false, "code": failure.code, "message": failure.message}),
    }
}

impl Steering {
    fn edit(&self, edit: &Edit) -> Result<String, RowFailure> {
        match edit.side {
            Side::Salesforce => self.edit_org(edit),
            Side::Platform => self.edit_platform(edit),
        }
    }

    fn edit_org(&self, edit: &Edit) -> Result<String, RowFailure> {
        let object = edit.object.as_deref().ok_or_else(|| "Name the object".to_owned())?;
        let user = match edit.who {
            Who::Person => self.org.person_user_id(),
            Who::Integration => self.org.integration_user_id(),
        };
        let fields = &edit.fields;
        let found = || self.find_in_org(object, edit);
        match edit.action.unwrap_or(Action::Update) {
            Action::Insert => Ok(self.org.admin_insert(object, fields, &user)?),
            Action::Update => Ok(self.org.admin_update(object, &found()?, fields, &user)?),
            Action::Upsert => match found() {
                Ok(id) => Ok(self.org.admin_update(object, &id, fields, &user)?),
                Err(_) => Ok(self.org.admin_insert(object, fields, &user)?),
            },
            Action::Delete => Ok(self.org.admin_delete(object, &found()?, &user)?),
            Action::Undelete => {
                let id = edit.id.as_deref().ok_or_else(|| "Give the id of the deleted row".to_owned())?;
                Ok(self.org.admin_undelete(object, id, &user)?)
            }
            Action::Merge => {
                let master = found()?;
                let losers: Vec<&str> = edit.losers.iter().map(String::as_str).collect();
                self.org.admin_merge(object, &master, &losers, &user)?;
                Ok(master)
            }
            Action::Convert => {
                let lead = found()?;
                self.org.admin_convert_lead(&lead, None, None, &user)?;
                Ok(lead)
            }
        }
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
        let named = edit.id.clone().or_else(|| {
            let wanted = edit.found_by.get("email").and_then(Value::as_str);
            wanted.map(str::to_owned)
        });
        match edit.action.unwrap_or(Action::Upsert) {
            Action::Delete => {
                let name = named.ok_or_else(|| "Give an id or an e-mail".to_owned())?;
                self.platform.admin_delete(&name)?;
                Ok(name)
            }
            Action::Undelete | Action::Merge | Action::Convert => {
                Err("The platform can insert, update, upsert and delete".to_owned().into())
            }
            action @ (Action::Insert | Action::Update | Action::Upsert) => {
                let mut fields = edit.fields.clone();
                let held = named.as_deref().and_then(|name| self.platform.contact(name));
                match (&held, &named) {
                    (Some(held), _) => {
                        fields.insert("id".into(), held["id"].clone());
                    }
                    (None, Some(name)) if action == Action::Update => {
                        return Err(format!("There is no contact {name} on the platform").into());
                    }
                    (None, _) => {}
                }
                Ok(self.platform.admin_upsert(&fields)?)
            }
        }
    }
}

fn is_meant(row: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(field, value)| match (row.get(field), value) {
        (Some(Value::String(held)), Value::String(wanted)) => held.eq_ignore_ascii_case(wanted),
        (held, wanted) => held.unwrap_or(&Value::Null) == wanted,
    })
}
