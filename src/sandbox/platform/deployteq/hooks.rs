//! Webhook receivers, and the rows that they put into the tables of the data model.
//!
//! A receiver learns its structure from the first record and then waits until a person maps it; so long it answers what it was sent.
//! Mapped, it stores each object, recognised by `Id`, and answers it with the id of its row at the end. The receiver `customer` makes and
//! changes customers instead, recognised by the field that is ticked; the keys of its first record are mapped and no others. A mapped key
//! that a record lacks is blanked, and an opt-in that it lacks is a yes, unless the receiver is set to leave alone what is not sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::customers::Customers;
use super::{ACCESS, Deployteq, bearer, lock, refused};

/// The receivers of the sandbox; each fills the table of its name. The first is mapped, the others wait for their first record.
pub(super) const HOOKS: [&str; 3] = ["account", "campaign", "campaignmember"];

/// The receiver of customers, which no workspace of the sandbox uses unless told to.
pub(super) const CUSTOMER: &str = "customer";

/// One receiver with its table.
#[derive(Debug, Default)]
pub(super) struct Hook {
    /// The first record that came.
    pub(super) first: Option<Value>,
    pub(super) mapped: bool,
    /// Of customers: the field that is ticked for deduplication.
    pub(super) unique: String,
    /// Of customers: whether what a record lacks is left alone.
    pub(super) keeps: bool,
    /// Of a table that lies in another: that one, and the field of a row that names what contains it.
    pub(super) within: Option<(String, String)>,
    pub(super) rows: BTreeMap<String, Map<String, Value>>,
}

/// All receivers.
#[derive(Debug)]
pub(super) struct Hooks {
    pub(super) held: BTreeMap<String, Hook>,
    last: u64,
}

impl Default for Hooks {
    fn default() -> Self {
        let held = HOOKS.iter().map(|name| {
            let mapped = *name == "account";
            ((*name).to_owned(), Hook { mapped, ..Hook::default() })
        });
        let mut held: BTreeMap<String, Hook> = held.collect();
        held.insert(CUSTOMER.into(), Hook { unique: "externalid".into(), ..Hook::default() });
        Self { held, last: 0 }
    }
}

impl Hook {
    /// What a mapped receiver makes of a record of a customer.
    fn take_customer(
        &self,
        object: &Map<String, Value>,
        customers: &mut Customers,
        now: i64,
    ) -> Result<Value, (u16, String)> {
        let ticked = object.get(&self.unique).and_then(Value::as_str).unwrap_or_default();
        let known =
            if ticked.is_empty() { None } else { customers.with(&self.unique, ticked).first().copied() };
        let mut echo = object.clone();
        if object.get("event").and_then(Value::as_str) == Some("deleted") {
            known.map(|id| customers.remove(id));
            return Ok(Value::Object(echo));
        }
        let mut fields = Map::new();
        for key in self.first.as_ref().and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            match object.get(key) {
                Some(held) => fields.insert(key.clone(), held.clone()),
                None if self.keeps && known.is_some() || key == "options" => None,
                None => fields.insert(key.clone(), Value::Null),
            };
        }
        if fields.get("optin").is_some_and(Value::is_null) {
            fields.insert("optin".into(), json!("Y"));
        }
        let id = match known {
            Some(id) => customers.update(id, &fields, now).map(|()| id)?,
            None => customers.create(&fields, now)?,
        };
        echo.insert("clang_id".into(), json!(format!("clang_{id}")));
        Ok(Value::Object(echo))
    }
}

impl Hooks {
    /// All records of a call, or none of them.
    fn take_customers(
        &mut self,
        objects: &[&Map<String, Value>],
        customers: &mut Customers,
        now: i64,
    ) -> Result<Vec<Value>, (u16, String)> {
        let Some(hook) = self.held.get_mut(CUSTOMER) else { return Ok(Vec::new()) };
        if let Some(first) = objects.first() {
            hook.first.get_or_insert_with(|| Value::Object((*first).clone()));
        }
        if !hook.mapped {
            return Ok(objects.iter().map(|object| Value::Object((*object).clone())).collect());
        }
        let mut told = objects.iter().filter(|object| !object.contains_key("event"));
        told.try_for_each(|object| Customers::accept(object))?;
        objects.iter().map(|object| hook.take_customer(object, customers, now)).collect()
    }

    /// Whether what is to contain a row is there.
    fn contains(&self, parent: &str, id: &str, customers: &Customers) -> bool {
        if parent == CUSTOMER {
            return id.trim_start_matches("clang_").parse().is_ok_and(|id| customers.get(id).is_some());
        }
        self.held.get(parent).is_some_and(|hook| hook.rows.contains_key(id))
    }

    fn take(&mut self, name: &str, object: &Map<String, Value>, customers: &Customers) -> Option<Value> {
        let hook = self.held.get(name)?;
        if let (true, false, Some((parent, field))) =
            (hook.mapped, object.get("event").is_some_and(|event| event == "deleted"), &hook.within)
        {
            let known = hook.rows.values().find(|row| row.get("Id") == object.get("Id"));
            let named = object.get(field).or_else(|| known?.get(field)).and_then(Value::as_str);
            if !named.is_some_and(|named| self.contains(parent, named, customers)) {
                // It is not stored, and so comes back without an id.
                let mut echo = object.clone();
                echo.remove("clang_id");
                return Some(Value::Object(echo));
            }
        }
        let last = &mut self.last;
        let hook = self.held.get_mut(name)?;
        hook.first.get_or_insert_with(|| Value::Object(object.clone()));
        if !hook.mapped {
            return Some(Value::Object(object.clone()));
        }
        let key = object.get("Id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let known = hook.rows.iter().find(|(_, row)| row.get("Id").and_then(Value::as_str) == Some(&key));
        let known = known.map(|(id, _)| id.clone()).filter(|_| !key.is_empty());
        if object.get("event").and_then(Value::as_str) == Some("deleted") {
            if let Some(id) = known {
                hook.rows.remove(&id);
            }
            return Some(Value::Object(object.clone()));
        }
        let id = known.unwrap_or_else(|| {
            *last += 1;
            format!("clang_{:08x}", last.wrapping_mul(2_654_435_761) & 0xffff_ffff)
        });
        let row = hook.rows.entry(id.clone()).or_default();
        for (field, value) in object.iter().filter(|(field, _)| *field != "clang_id") {
            row.insert(field.clone(), value.clone());
        }
        let mut echo = object.clone();
        echo.remove("clang_id");
        echo.insert("clang_id".into(), json!(id));
        Some(Value::Object(echo))
    }
}

pub(super) async fn receive(
    State(portal): State<Arc<Deployteq>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    use base64::Engine as _;
    let token = &portal.options.webhook_token;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("forcesync:{token}"));
    let told = headers.get("authorization").and_then(|told| told.to_str().ok()).unwrap_or_default();
    if ![token.as_str(), ACCESS].contains(&bearer(&headers)) && told != format!("Basic {basic}") {
        return refused(401, "Unauthorized");
    }
    let mut hooks = lock(&portal.hooks);
    if !hooks.held.contains_key(&name) {
        return refused(404, "No such receiver");
    }
    let sent = serde_json::from_slice(&bytes);
    if name == CUSTOMER {
        let objects: Vec<&Map<String, Value>> = match &sent {
            Ok(Value::Object(object)) => vec![object],
            Ok(Value::Array(list)) => list.iter().filter_map(Value::as_object).collect(),
            Ok(_) | Err(_) => return refused(400, "Invalid JSON"),
        };
        return match hooks.take_customers(&objects, &mut lock(&portal.customers), portal.clock.now_ms()) {
            Ok(echo) => axum::Json(echo).into_response(),
            Err((status, words)) => refused(status, &words),
        };
    }
    let customers = lock(&portal.customers);
    match sent {
        Ok(Value::Object(object)) => axum::Json(hooks.take(&name, &object, &customers)).into_response(),
        Ok(Value::Array(list)) => {
            let echo = list.iter().map(|entry| match entry {
                Value::Object(object) => hooks.take(&name, object, &customers).unwrap_or_default(),
                other => other.clone(),
            });
            axum::Json(echo.collect::<Vec<Value>>()).into_response()
        }
        Ok(_) | Err(_) => refused(400, "Invalid JSON"),
    }
}
