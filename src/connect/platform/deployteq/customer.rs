//! Customers one by one: create, read, change, delete and look for them over REST.

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use super::service::{Answered, Failure, Patience, Refused, no_sense, not_sent, row_error};
use super::shape::{id_at, kind_of, put, record, value, wire_value};
use super::{CUSTOMER, Deployteq};
use crate::connect::http::{Idempotency, Method};
use crate::domain::canonical::{Form, canonical};
use crate::domain::port::{
    Finder, PortClass, PortError, RowClass, RowResult, Tombstone, WriteBatch, WriteKind, WriteRow,
};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::ObjectSchema;
use crate::domain::value::Value;

/// Customers that a search has found, and the server's clock when it began.
pub(super) struct Looked {
    pub(super) found: Vec<Map<String, Json>>,
    pub(super) began: Option<DateTime<Utc>>,
}

impl Deployteq {
    /// The customers that hold this in a field; the service may answer one, several, or wrap them.
    pub(super) async fn look_for(
        &self,
        field: &str,
        text: &str,
        patience: Patience,
    ) -> Result<Looked, PortError> {
        let call = self.service.customer_call("find customers", Method::GET, "/customer", &[(field, text)]);
        match self.service.send(call.repeatable(), patience).await {
            Ok(answer) => Ok(Looked { found: several(&answer)?, began: answer.began }),
            Err(Failure::Refused(Refused { status: 404, .. })) => {
                Ok(Looked { found: Vec::new(), began: None })
            }
            Err(failure) => Err(failure.into_port()),
        }
    }

    /// One customer; `None` where it is not there.
    pub(super) async fn customer(&self, id: &RecordId) -> Result<Option<Map<String, Json>>, PortError> {
        let path = format!("/customer/{}", crate::connect::http::percent_encode(id.as_str()));
        let call = self.service.customer_call("read a customer", Method::GET, &path, &[]);
        match self.service.send(call.repeatable(), Patience::Run).await {
            Ok(answer) => {
                let found = several(&answer)?.into_iter().next();
                self.reads_by_id.fetch_or(found.is_some(), Ordering::Relaxed);
                Ok(found)
            }
            Err(Failure::Refused(Refused { status: 404 | 410, .. })) => Ok(None),
            Err(failure) => Err(failure.into_port()),
        }
    }

    pub(super) async fn read_customers(
        &self,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let schema = self.schema(CUSTOMER)?;
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(object) = self.customer(id).await? {
                if self.hooks.takes_customers() {
                    self.recent.keep(id, &object, self.service.now());
                }
                records.push(record(id.clone(), &schema, selection, &object));
            }
        }
        Ok(records)
    }

    /// The interface tells what is not there by 404, which no missing right does; but its path is not confirmed, so that it is believed
    /// only once a customer was read by it.
    pub(super) async fn gone_customers(&self, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        let mut gone = Vec::new();
        for id in ids {
            if self.customer(id).await?.is_none() && self.reads_by_id.load(Ordering::Relaxed) {
                gone.push(Tombstone { id: id.clone(), at: None, merged_into: None });
            }
        }
        Ok(gone)
    }

    pub(super) async fn find_customers(
        &self,
        selection: &Selection,
        by: &Finder,
    ) -> Result<Vec<Record>, PortError> {
        let (fields, rows): (Vec<String>, Vec<Vec<Value>>) = match by {
            Finder::Field { field, values } => {
                (vec![field.clone()], values.iter().map(|value| vec![value.clone()]).collect())
            }
            Finder::Fields { fields, rows } => (fields.clone(), rows.clone()),
            Finder::CreatedByUs { .. } => {
                return Err(PortError::new(
                    PortClass::Settings,
                    "NO_AUTHOR",
                    "Deployteq does not say who created a customer, so one whose answer was lost can only be found by its externalid: \
                     set platform_mark = \"externalid\".",
                ));
            }
        };
        let schema = self.schema(CUSTOMER)?;
        let fold = |field: &str, value: &Value| {
            canonical(Form { kind: kind_of(&schema, field), scale: None }, value)
        };
        let mut found: Vec<Record> = Vec::new();
        for row in &rows {
            // A search by one field that can be searched by, the others are compared here.
            let Some(place) = searched(&fields) else {
                return Err(PortError::new(
                    PortClass::Settings,
                    "NO_SEARCH",
                    format!(
                        "Deployteq finds customers by emailaddress and externalid alone, not by {}; make one of the two the key.",
                        fields.join(" and ")
                    ),
                ));
            };
            let (Some(field), Some(text)) = (fields.get(place), row.get(place)) else { continue };
            if text.is_blank() {
                continue;
            }
            for object in self.look_for(field, &text.to_string(), Patience::Run).await?.found {
                let same = fields.iter().zip(row).all(|(field, wanted)| {
                    let held = object.get(field).unwrap_or(&Json::Null);
                    fold(field, &value(kind_of(&schema, field), held)) == fold(field, wanted)
                });
                let whole = Json::Object(object);
                let id = id_at(&whole, &self.names.customer_id);
                if let (true, Some(id), Json::Object(object)) = (same, id, whole)
                    && !found.iter().any(|known| known.id == id)
                {
                    found.push(record(id, &schema, selection, &object));
                }
            }
        }
        Ok(found)
    }

    pub(super) async fn write_customers(&self, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        let schema = self.schema(CUSTOMER)?;
        let mut results = Vec::with_capacity(batch.rows.len());
        let mut stopped: Option<PortError> = None;
        for row in &batch.rows {
            let result = match &stopped {
                Some(error) => RowResult::Refused(not_sent(error)),
                None => match self.write_customer(batch, &schema, row).await {
                    Ok(result) => result,
                    Err(error) if results.is_empty() => return Err(error),
                    Err(error) => {
                        let refused = RowResult::Refused(not_sent(&error));
                        stopped = Some(error);
                        refused
                    }
                },
            };
            results.push(result);
        }
        Ok(results)
    }

    /// An `Err` means that nothing was sent for this row, and that nothing can be sent for any other.
    pub(super) async fn write_customer(
        &self,
        batch: &WriteBatch,
        schema: &ObjectSchema,
        row: &WriteRow,
    ) -> Result<RowResult, PortError> {
        let mut body = Map::new();
        for (name, value) in batch.selection.names().iter().zip(&row.values) {
            if let Some(value) = value {
                put(&mut body, name, wire_value(kind_of(schema, name), value));
            }
        }
        let path = row.id.as_ref().map(|id| {
            let id = crate::connect::http::percent_encode(id.as_str());
            format!("/customer/{id}")
        });
        let mut call = match (batch.kind, &path) {
            (WriteKind::Create, _) | (_, None) => {
                self.service.customer_call("create a customer", Method::POST, "/customer", &[])
            }
            (WriteKind::Update, Some(path)) => {
                self.service.customer_call("change a customer", Method::PUT, path, &[])
            }
            (WriteKind::Delete, Some(path)) => {
                self.service.customer_call("delete a customer", Method::DELETE, path, &[])
            }
        };
        if batch.kind != WriteKind::Delete {
            call = call.json(&Json::Object(body));
        }
        call.idempotency = if row.id.is_some() { Idempotency::Repeatable } else { Idempotency::Once };
        let answer = match self.service.send(call, Patience::Run).await {
            Ok(answer) => answer,
            Err(Failure::Nothing(error)) => return Err(error),
            Err(Failure::Unknown(_)) if row.id.is_none() => return Ok(RowResult::Unknown),
            Err(Failure::Unknown(error)) => {
                return Ok(RowResult::Refused(row_error(RowClass::Again, &error.code, &error.message)));
            }
            Err(Failure::Refused(Refused { status: 404 | 410, .. })) if row.id.is_some() => {
                let message = "The customer is no longer in Deployteq.";
                return Ok(RowResult::Refused(row_error(RowClass::Gone, "GONE", message)));
            }
            Err(Failure::Refused(Refused { status, words, .. })) => {
                let message = format!("Deployteq refused it: “{words}”.");
                return Ok(RowResult::Refused(row_error(
                    RowClass::Data,
                    &format!("HTTP_{status}"),
                    &message,
                )));
            }
        };
        let id = match &row.id {
            Some(id) => id.clone(),
            None => match id_at(&answer.value, &self.names.customer_id) {
                Some(id) => id,
                // It was made, but under which id is not said: it is looked for like one whose answer was lost.
                None => return Ok(RowResult::Unknown),
            },
        };
        if batch.kind == WriteKind::Delete {
            return Ok(RowResult::Done { id, created: false, record: None });
        }
        let held = match whole(&answer) {
            Some(object) => Some(object),
            None => self.customer(&id).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "What was written can't be read back.");
                None
            }),
        };
        let record = held.map(|object| record(id.clone(), schema, &batch.read_back, &object));
        Ok(RowResult::Done { id, created: batch.kind == WriteKind::Create, record })
    }
}

/// The field of a key by which the service can look.
fn searched(fields: &[String]) -> Option<usize> {
    ["externalid", "emailaddress"]
        .iter()
        .find_map(|known| fields.iter().position(|field| field.eq_ignore_ascii_case(known)))
}

/// A write may answer the whole customer; one that answers less is read back.
fn whole(answer: &Answered) -> Option<Map<String, Json>> {
    let object = match &answer.value {
        Json::Object(object) => object.get("data").and_then(Json::as_object).unwrap_or(object),
        _ => return None,
    };
    (object.contains_key("emailaddress") && object.contains_key("optin")).then(|| object.clone())
}

/// One object, a list of them, or either below `data`.
pub(super) fn several(answer: &Answered) -> Result<Vec<Map<String, Json>>, PortError> {
    let body = &answer.value;
    let inner = body.get("data").filter(|data| data.is_array() || data.is_object()).unwrap_or(body);
    match inner {
        Json::Array(list) => Ok(list.iter().filter_map(|entry| entry.as_object().cloned()).collect()),
        Json::Object(object) if object.is_empty() => Ok(Vec::new()),
        Json::Object(object) => Ok(vec![object.clone()]),
        Json::Null if answer.text.trim().is_empty() || answer.text.trim() == "null" => Ok(Vec::new()),
        _ => {
            let shown: String = answer.text.chars().take(80).collect();
            Err(no_sense(&format!("neither an object nor a list: “{shown}”")).into_port())
        }
    }
}
