//! Customers through a webhook receiver, where one is named `customer` (F101): many of them a call, recognised by the field that is
//! ticked for deduplication there.
//!
//! What a receiver does about a key that a record lacks is not described, but one without an opt-in counts as opted in. So a record
//! always has its opt-in, and all that is mapped unless the settings say otherwise; what does not change is sent as the customer interface
//! tells it right before. That interface also reads back what was stored, and changes customers whose key itself changes, since the
//! receiver would take them for new ones.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value as Json, json};

use super::posting::{Receiver, Told};
use super::rows::deleted;
use super::service::{Patience, not_sent, row_error};
use super::settings::{Deletion, ReceiverRows};
use super::shape::{at, kind_of, put, record, value, wire_value};
use super::{CUSTOMER, Deployteq};
use crate::connect::platform::Sampled;
use crate::domain::canonical::{Form, canonical};
use crate::domain::port::{PortError, RowClass, RowError, RowResult, WriteBatch, WriteKind, WriteRow};
use crate::domain::record::RecordId;
use crate::domain::schema::ObjectSchema;
use crate::domain::value::Value;

/// The fields of consent, which are sent with every record.
const CONSENT: [&str; 2] = ["optin", "smsoptin"];

/// How long a customer that was read counts as read right before it is written.
const FRESH: TimeDelta = TimeDelta::seconds(20);

/// So many customers are remembered from the last reads.
const MOST: usize = 2_000;

/// Customers that were read a moment ago, so that a write right behind the read need not ask again.
#[derive(Default)]
pub(super) struct Recent(Mutex<HashMap<RecordId, Read>>);

/// When a customer was read, and what it held.
type Read = (DateTime<Utc>, Map<String, Json>);

impl Recent {
    pub(super) fn keep(&self, id: &RecordId, customer: &Map<String, Json>, now: DateTime<Utc>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id.clone(), (now, customer.clone()));
    }

    fn take(&self, id: &RecordId, now: DateTime<Utc>) -> Option<Map<String, Json>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        known.filter(|(read, _)| now - *read < FRESH).map(|(_, customer)| customer)
    }
}

/// What is done with a row.
enum Way {
    /// It is posted to the receiver.
    Posted(Json),
    /// Its key changes, so it goes over REST.
    Rest,
    /// It can't be written.
    Refused(RowError),
}

impl Deployteq {
    fn customers(&self) -> Receiver<'_> {
        Receiver { name: CUSTOMER, keys: self.names.receiver_key.order() }
    }

    /// A customer as it was read right before, or as it is read now; `None` where it is gone.
    async fn held(&self, id: &RecordId) -> Result<Option<Map<String, Json>>, PortError> {
        match self.recent.take(id, self.service.now()) {
            Some(customer) => Ok(Some(customer)),
            None => self.customer(id).await,
        }
    }

    pub(super) async fn post_customers(&self, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        let schema = self.schema(CUSTOMER)?;
        let mut results: Vec<Option<RowResult>> = vec![None; batch.rows.len()];
        let (mut places, mut bodies, mut by_rest) = (Vec::new(), Vec::new(), Vec::new());
        // Nothing is sent before all of them were read.
        for ((place, row), result) in batch.rows.iter().enumerate().zip(&mut results) {
            let held = match &row.id {
                Some(id) => self.held(id).await?,
                None => Some(Map::new()),
            };
            let way = held.map_or_else(|| Way::Refused(gone()), |held| self.way(batch, &schema, row, &held));
            match way {
                Way::Posted(body) => {
                    places.push(place);
                    bodies.push(body);
                }
                Way::Rest => by_rest.push(place),
                Way::Refused(error) => *result = Some(RowResult::Refused(error)),
            }
        }
        let receiver = self.customers();
        let told =
            if bodies.is_empty() { Vec::new() } else { self.deliver(receiver, batch.kind, &bodies).await? };
        for (place, told) in places.into_iter().zip(told) {
            let Some((row, result)) = batch.rows.get(place).zip(results.get_mut(place)) else { continue };
            let outcome = self.outcome(receiver, batch.kind, told);
            *result = Some(self.read_back(batch, &schema, row, outcome).await);
        }
        for place in by_rest {
            let Some((row, result)) = batch.rows.get(place).zip(results.get_mut(place)) else { continue };
            let written = self.write_customer(batch, &schema, row).await;
            *result = Some(written.unwrap_or_else(|error| RowResult::Refused(not_sent(&error))));
        }
        Ok(results.into_iter().map(|result| result.unwrap_or(RowResult::Unknown)).collect())
    }

    /// The record as the receiver gets it. Where the customer is not there yet, `held` is empty.
    fn way(
        &self,
        batch: &WriteBatch,
        schema: &ObjectSchema,
        row: &WriteRow,
        held: &Map<String, Json>,
    ) -> Way {
        let mut body = Map::new();
        for (name, told) in batch.selection.names().iter().zip(&row.values) {
            let kind = kind_of(schema, name);
            let is_consent = CONSENT.contains(&&**name);
            let always = self.names.receiver_rows == ReceiverRows::Whole
                || is_consent
                || self.names.receiver_key.order().contains(&&**name);
            let sent = match (told, at(held, name), batch.kind) {
                (Some(told), ..) => wire_value(kind, told),
                (None, Some(held), _) if always => wire_value(kind, &value(kind, held)),
                (None, None, WriteKind::Create) if always => Json::Null,
                (None, ..) => continue,
            };
            // Where nobody knows, it is not a yes.
            let sent = if is_consent && sent.is_null() { json!("N") } else { sent };
            put(&mut body, name, sent);
        }
        let key = self.names.receiver_key.field();
        let Some(now) = body.get(key).and_then(Json::as_str).filter(|now| !now.trim().is_empty()) else {
            return Way::Refused(lacks(key));
        };
        let fold =
            |text: &str| canonical(Form { kind: kind_of(schema, key), scale: None }, &Value::text(text));
        if row.id.is_none() {
            // A receiver that goes by another key might take it for a customer that is there already.
            let goes_by_it = row.key.iter().any(|known| fold(&known.to_string()) == fold(now));
            return if goes_by_it { Way::Posted(Json::Object(body)) } else { Way::Refused(other_key(key)) };
        }
        match held.get(key).and_then(Json::as_str) {
            Some(before) if fold(before) == fold(now) => Way::Posted(Json::Object(body)),
            Some(_) | None => Way::Rest,
        }
    }

    /// A row with the customer as it stands now. An echo tells only what was sent.
    async fn read_back(
        &self,
        batch: &WriteBatch,
        schema: &ObjectSchema,
        row: &WriteRow,
        outcome: RowResult,
    ) -> RowResult {
        let RowResult::Done { id, created, .. } = outcome else { return outcome };
        let id = plain_id(&id);
        if let Some(linked) = row.id.as_ref().filter(|linked| **linked != id) {
            return RowResult::Refused(stray(&id, linked, self.names.receiver_key.field()));
        }
        let held = self.customer(&id).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "What was written can't be read back.");
            None
        });
        let record = held.map(|customer| record(id.clone(), schema, &batch.read_back, &customer));
        RowResult::Done { id, created, record }
    }

    pub(super) async fn delete_customers(&self, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        match self.names.customer_delete {
            Deletion::Rest => self.write_customers(batch).await,
            Deletion::Never => {
                let error = row_error(
                    RowClass::Permission,
                    "NO_DELETE",
                    "Customers are not deleted by this connection: set customer_delete to rest or webhook, or delete it by hand.",
                );
                Ok(batch.rows.iter().map(|_| RowResult::Refused(error.clone())).collect())
            }
            Deletion::Webhook => self.tell_deletions(batch).await,
        }
    }

    async fn tell_deletions(&self, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        let mut results: Vec<Option<RowResult>> = vec![None; batch.rows.len()];
        let (mut places, mut bodies) = (Vec::new(), Vec::new());
        for ((place, row), result) in batch.rows.iter().enumerate().zip(&mut results) {
            let held = match &row.id {
                Some(id) => self.held(id).await?,
                None => None,
            };
            let Some(held) = held else {
                *result = Some(RowResult::Refused(gone()));
                continue;
            };
            let mut body = Map::from_iter([("event".to_owned(), json!("deleted"))]);
            for key in self.names.receiver_key.order() {
                body.insert((*key).to_owned(), held.get(*key).cloned().unwrap_or_default());
            }
            places.push(place);
            bodies.push(Json::Object(body));
        }
        let told: Vec<Told> = if bodies.is_empty() {
            Vec::new()
        } else {
            self.deliver(self.customers(), batch.kind, &bodies).await?
        };
        for (place, told) in places.into_iter().zip(told) {
            let Some((row, result)) = batch.rows.get(place).zip(results.get_mut(place)) else { continue };
            *result = row
                .id
                .clone()
                .map(|id| deleted(told, || RowResult::Done { id, created: false, record: None }));
        }
        Ok(results.into_iter().map(|result| result.unwrap_or(RowResult::Unknown)).collect())
    }

    /// Sends one customer as a sample. A receiver that is mapped already stores it, so its consent is what the customer has in Deployteq,
    /// or no.
    pub(super) async fn sample_customer(&self, row: &Map<String, Json>) -> Result<Sampled, PortError> {
        let schema = self.schema(CUSTOMER)?;
        let key = self.names.receiver_key.field();
        let known = match row.get(key).and_then(Json::as_str).filter(|text| !text.is_empty()) {
            Some(text) => self.look_for(key, text, Patience::Person).await?.found.into_iter().next(),
            None => None,
        };
        let mut body = Map::new();
        for (name, told) in row {
            let kind = kind_of(&schema, name);
            let sent = if CONSENT.contains(&name.as_str()) {
                known.as_ref().and_then(|known| known.get(name)).cloned().unwrap_or_else(|| json!("N"))
            } else {
                wire_value(kind, &Value::from_json(told))
            };
            put(&mut body, name, sent);
        }
        self.send_sample(self.customers(), body).await
    }
}

/// A customer has a number; the data model puts `clang_` before it.
fn plain_id(id: &RecordId) -> RecordId {
    let number =
        id.as_str().strip_prefix("clang_").filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    number.filter(|number| !number.is_empty()).map_or_else(|| id.clone(), RecordId::new)
}

fn gone() -> RowError {
    row_error(RowClass::Gone, "GONE", "The customer is no longer in Deployteq.")
}

fn lacks(key: &str) -> RowError {
    row_error(
        RowClass::Data,
        "NO_KEY",
        &format!(
            "The receiver of customers recognises them by {key}, and this one has none: map {key}, or fill it in."
        ),
    )
}

fn other_key(key: &str) -> RowError {
    row_error(
        RowClass::Data,
        "OTHER_KEY",
        &format!(
            "The receiver of customers recognises them by {key}, but the mapping by another field: make {key} its key, or tick that \
             field for deduplication in Deployteq and set receiver_key."
        ),
    )
}

fn stray(id: &RecordId, linked: &RecordId, key: &str) -> RowError {
    row_error(
        RowClass::Data,
        "stray_create",
        &format!(
            "The receiver wrote customer {id} instead of the linked customer {linked}: both have the same {key}. Compare the two, delete \
             or merge one, and link the record anew."
        ),
    )
}
