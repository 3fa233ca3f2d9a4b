//! Writing rows, one call each, and reading back what is held now.
//!
//! A nested object is sent whole: what of it is not written is taken from what the service holds, since nobody knows whether it keeps
//! what is left out.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::Learndot;
use super::service::{Answered, Failure, Patience};
use super::shape::{GROUPS, id_of, kind_of, plain, put, wire_value};
use crate::connect::http::Idempotency;
use crate::domain::port::{
    PortClass, PortError, RowClass, RowError, RowResult, WriteBatch, WriteKind, WriteRow,
};
use crate::domain::record::{Record, RecordId};
use crate::domain::schema::ObjectSchema;
use crate::domain::value::Value;

/// What became of a row that was sent.
enum Sent {
    Stored(RecordId),
    Refused(RowError),
    Unknown,
}

impl Learndot {
    pub(super) async fn write_rows(&self, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        let object = self.object(&batch.object)?;
        if batch.kind == WriteKind::Delete {
            let refused = row_error(
                RowClass::Permission,
                "NO_DELETE",
                "Learndot deletes nothing through its interface; set the record inactive instead.",
            );
            return Ok(batch.rows.iter().map(|_| RowResult::Refused(refused.clone())).collect());
        }
        // What the account has beyond the profile was described before.
        let schema = self.describe_all(std::slice::from_ref(&object.name)).await?.into_iter().next();
        let schema = schema.unwrap_or_else(|| object.schema([]));
        let present = self.present(batch).await?;
        let mut sent = Vec::with_capacity(batch.rows.len());
        let mut stopped: Option<PortError> = None;
        for row in &batch.rows {
            let outcome = match &stopped {
                Some(error) => Sent::Refused(not_sent(error)),
                None => match self.write_row(batch, &schema, row, &present).await {
                    Ok(outcome) => outcome,
                    // Nothing at all was written, so the batch as a whole did not happen.
                    Err(error) if sent.is_empty() => return Err(error),
                    Err(error) => {
                        let outcome = Sent::Refused(not_sent(&error));
                        stopped = Some(error);
                        outcome
                    }
                },
            };
            sent.push(outcome);
        }
        Ok(self.read_back(batch, sent).await)
    }

    /// The rows whose nested objects are written in part.
    async fn present(&self, batch: &WriteBatch) -> Result<HashMap<RecordId, Map<String, Json>>, PortError> {
        let nested =
            batch.kind == WriteKind::Update && batch.selection.names().iter().any(|name| name.contains('.'));
        if !nested {
            return Ok(HashMap::new());
        }
        let ids: Vec<RecordId> = batch.rows.iter().filter_map(|row| row.id.clone()).collect();
        let rows = self.rows_by_id(&batch.object, &ids).await?;
        Ok(rows.into_iter().filter_map(|row| Some((id_of(&row)?, row))).collect())
    }

    /// An `Err` means that nothing was sent for this row, and that nothing can be sent for any other.
    async fn write_row(
        &self,
        batch: &WriteBatch,
        schema: &ObjectSchema,
        row: &WriteRow,
        present: &HashMap<RecordId, Map<String, Json>>,
    ) -> Result<Sent, PortError> {
        let held = row.id.as_ref().and_then(|id| present.get(id));
        let body = match self.body(batch, schema, row, held).await? {
            Ok(body) => Json::Object(body),
            Err(error) => return Ok(Sent::Refused(error)),
        };
        let (path, idempotency) = match &row.id {
            Some(id) => (format!("{}/{id}", batch.object), Idempotency::Repeatable),
            None => (batch.object.clone(), Idempotency::Once),
        };
        match self.service.post("write", &path, &body, idempotency, Patience::Run).await {
            Ok(answer) => Ok(stored(row, &answer)),
            Err(Failure::Nothing(error)) => Err(error),
            Err(Failure::Unknown(_)) if row.id.is_none() => Ok(Sent::Unknown),
            Err(Failure::Unknown(error)) => {
                Ok(Sent::Refused(row_error(RowClass::Again, &error.code, &error.message)))
            }
            Err(Failure::Refused { status: 404 | 410, .. }) if row.id.is_some() => {
                Ok(Sent::Refused(row_error(RowClass::Gone, "GONE", "The record is no longer in Learndot.")))
            }
            Err(Failure::Refused { status, words }) => Ok(Sent::Refused(row_error(
                RowClass::Data,
                &format!("HTTP_{status}"),
                &format!("Learndot refused it: “{words}”."),
            ))),
        }
    }

    async fn body(
        &self,
        batch: &WriteBatch,
        schema: &ObjectSchema,
        row: &WriteRow,
        held: Option<&Map<String, Json>>,
    ) -> Result<Result<Map<String, Json>, RowError>, PortError> {
        let mut body = Map::new();
        for (name, value) in batch.selection.names().iter().zip(&row.values) {
            let Some(value) = value else { continue };
            if let Some((parent, _)) = name.split_once('.')
                && !body.contains_key(parent)
                && let Some(whole @ Json::Object(_)) = held.and_then(|held| held.get(parent))
            {
                body.insert(parent.to_owned(), whole.clone());
            }
            if batch.object == "contact" && name.eq_ignore_ascii_case(GROUPS) {
                match self.group_ids(value).await? {
                    Ok(ids) => put(&mut body, &self.names.groups, Json::Array(ids)),
                    Err(error) => return Ok(Err(error)),
                }
                continue;
            }
            let json = wire_value(kind_of(schema, name), value, &self.names);
            put(&mut body, self.names.wire(&batch.object, name), json);
        }
        Ok(Ok(body))
    }

    /// The ids of the groups that a field of the org names.
    async fn group_ids(&self, value: &Value) -> Result<Result<Vec<Json>, RowError>, PortError> {
        let names: Vec<String> = match value {
            Value::Set(names) => names.iter().map(ToString::to_string).collect(),
            other => other.to_string().split(';').map(|name| name.trim().to_owned()).collect(),
        };
        let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
        let ids = match self.groups().await?.ids(&names) {
            Ok(ids) => Ok(ids),
            // It may have been made a minute ago.
            Err(_) => self.read_groups().await?.ids(&names),
        };
        Ok(match ids {
            Ok(ids) => Ok(ids),
            Err(unknown) => {
                let known = self.groups().await?.names().join(", ");
                Err(RowError {
                    code: "NO_SUCH_GROUP".into(),
                    message: format!(
                        "Learndot has no user group “{unknown}”. Make it there, or correct the contact; the groups are {known}."
                    ),
                    fields: vec![GROUPS.into()],
                    class: RowClass::Data,
                })
            }
        })
    }

    /// Results with the records as the service holds them now. A record that can't be read back is written all the same.
    async fn read_back(&self, batch: &WriteBatch, sent: Vec<Sent>) -> Vec<RowResult> {
        let ids: Vec<RecordId> = sent
            .iter()
            .filter_map(|sent| match sent {
                Sent::Stored(id) => Some(id.clone()),
                Sent::Refused(_) | Sent::Unknown => None,
            })
            .collect();
        let read = async {
            let rows = self.rows_by_id(&batch.object, &ids).await?;
            self.records(&batch.object, &batch.read_back, rows).await
        };
        let held: HashMap<RecordId, Record> = match read.await {
            Ok(records) => records.into_iter().map(|record| (record.id.clone(), record)).collect(),
            Err(error) => {
                tracing::warn!(%error, "What was written can't be read back.");
                HashMap::new()
            }
        };
        sent.into_iter()
            .map(|sent| match sent {
                Sent::Stored(id) => {
                    let record = held.get(&id).cloned();
                    RowResult::Done { id, created: batch.kind == WriteKind::Create, record }
                }
                Sent::Refused(error) => RowResult::Refused(error),
                Sent::Unknown => RowResult::Unknown,
            })
            .collect()
    }
}

/// The id of what was written: the one that was addressed, else the one that the answer names.
fn stored(row: &WriteRow, answer: &Answered) -> Sent {
    if let Some(id) = &row.id {
        return Sent::Stored(id.clone());
    }
    let answer = &answer.value;
    let named = [answer.get("id"), answer.get("result").and_then(|inner| inner.get("id"))]
        .into_iter()
        .flatten()
        .chain([answer])
        .find(|id| id.is_number() || id.as_str().is_some_and(|text| text.parse::<u64>().is_ok()));
    match named {
        Some(id) => Sent::Stored(RecordId::new(plain(id))),
        // It was made, but under which id is not said: it is looked for like one whose answer was lost.
        None => Sent::Unknown,
    }
}

fn not_sent(error: &PortError) -> RowError {
    let class = match error.class {
        PortClass::Limit => RowClass::Limit,
        PortClass::Blocked | PortClass::SignIn => RowClass::Permission,
        PortClass::Settings => RowClass::Data,
        PortClass::Transient | PortClass::MarkLost | PortClass::CursorLost | PortClass::Protocol => {
            RowClass::Again
        }
    };
    row_error(class, &error.code, &error.message)
}

fn row_error(class: RowClass, code: &str, message: &str) -> RowError {
    RowError { code: code.into(), message: message.into(), fields: Vec::new(), class }
}
