//! Rows of a table are written through its webhook receiver (F101), and deleted as the settings say.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::posting::{Receiver, Told};
use super::service::row_error;
use super::settings::Deletion;
use super::shape::{kind_of, wire_value};
use super::{Deployteq, TABLE};
use crate::domain::port::{PortError, RowClass, RowResult, WriteBatch, WriteKind, WriteRow};
use crate::domain::record::RecordId;

/// The field that holds the org's id, by which a receiver recognises a row.
const KEY: &str = "Id";

/// The receiver of a table.
pub(super) fn receiver_of(table: &str) -> Receiver<'_> {
    Receiver { name: table, keys: &[KEY] }
}

impl Deployteq {
    pub(super) async fn post_rows(
        &self,
        table: &str,
        batch: &WriteBatch,
    ) -> Result<Vec<RowResult>, PortError> {
        let schema = self.schema(&batch.object)?;
        let bodies: Vec<Json> = batch
            .rows
            .iter()
            .map(|row| {
                let mut body = Map::new();
                for (name, value) in batch.selection.names().iter().zip(&row.values) {
                    if let Some(value) = value {
                        let told = wire_value(kind_of(&schema, name), value);
                        body.insert(name.to_string(), self.nests.told(table, name, told));
                    }
                }
                self.address(&mut body, row);
                Json::Object(body)
            })
            .collect();
        let receiver = receiver_of(table);
        let lacks = |body: &Json| self.nests.lacks(table, body).filter(|_| batch.kind == WriteKind::Create);
        let whole: Vec<Json> = bodies.iter().filter(|body| lacks(body).is_none()).cloned().collect();
        let told =
            if whole.is_empty() { Vec::new() } else { self.deliver(receiver, batch.kind, &whole).await? };
        let mut told = told.into_iter();
        let mut results: Vec<RowResult> = bodies
            .iter()
            .map(|body| match lacks(body) {
                Some(error) => RowResult::Refused(error),
                None => self.outcome(receiver, batch.kind, told.next().unwrap_or(Told::Unknown)),
            })
            .collect();
        if let Err(error) = self.remember(table, batch, &bodies, &mut results).await {
            tracing::warn!(%error, "What was sent to a receiver could not be kept.");
        }
        Ok(results)
    }

    /// By what a receiver recognises the row: the org's id, and its own where it is known.
    fn address(&self, body: &mut Map<String, Json>, row: &WriteRow) {
        if let (false, Some(key)) = (body.contains_key(KEY), row.key.first()) {
            body.insert(KEY.to_owned(), Json::String(key.to_string()));
        }
        if let Some(id) = &row.id {
            let name = self.names.row_id.trim_start_matches('/');
            body.insert(if name.is_empty() { "clang_id" } else { name }.to_owned(), json!(id.as_str()));
        }
    }

    pub(super) async fn delete_rows(
        &self,
        table: &str,
        batch: &WriteBatch,
    ) -> Result<Vec<RowResult>, PortError> {
        let done = |row: &WriteRow| match &row.id {
            Some(id) => RowResult::Done { id: id.clone(), created: false, record: None },
            None => RowResult::Refused(row_error(RowClass::Gone, "GONE", "The row was never stored.")),
        };
        match self.names.table_delete {
            Deletion::Never => {
                let error = row_error(
                    RowClass::Permission,
                    "NO_DELETE",
                    "Rows of tables are not deleted by this connection: set table_delete to webhook or rest, or delete it by hand.",
                );
                Ok(batch.rows.iter().map(|_| RowResult::Refused(error.clone())).collect())
            }
            Deletion::Rest => {
                let mut results = Vec::with_capacity(batch.rows.len());
                for row in &batch.rows {
                    results.push(match &row.id {
                        Some(id) => self.delete_row(table, id).await?,
                        None => done(row),
                    });
                }
                Ok(results)
            }
            Deletion::Webhook => {
                let bodies: Vec<Json> = batch
                    .rows
                    .iter()
                    .map(|row| {
                        let mut body = Map::new();
                        body.insert("event".into(), json!("deleted"));
                        self.address(&mut body, row);
                        Json::Object(body)
                    })
                    .collect();
                let told = self.deliver(receiver_of(table), batch.kind, &bodies).await?;
                Ok(batch.rows.iter().zip(told).map(|(row, told)| deleted(told, || done(row))).collect())
            }
        }
    }

    /// Keeps what a receiver was sent, since without the data model nobody can read it back; hands it back as what is held now. With the
    /// data model it is kept of nested tables alone, which are read where that says.
    async fn remember(
        &self,
        table: &str,
        batch: &WriteBatch,
        bodies: &[Json],
        results: &mut [RowResult],
    ) -> Result<(), PortError> {
        if self.names.data_model && self.nests.of(table).is_none() {
            return Ok(());
        }
        let notes = self.notes()?;
        let object = batch.object.to_ascii_lowercase();
        let ids: Vec<RecordId> = results
            .iter()
            .filter_map(|result| match result {
                RowResult::Done { id, .. } => Some(id.clone()),
                RowResult::Refused(_) | RowResult::Unknown => None,
            })
            .collect();
        let mut known: HashMap<RecordId, Map<String, Json>> = HashMap::new();
        for (id, note) in ids.iter().zip(notes.take(&object, &ids).await?) {
            let held = note.and_then(|note| serde_json::from_str(&note).ok()).unwrap_or_default();
            known.insert(id.clone(), held);
        }
        let schema = self.schema(&batch.object)?;
        let mut kept = Vec::with_capacity(ids.len());
        for (result, body) in results.iter_mut().zip(bodies) {
            if let (RowResult::Done { id, record, .. }, Json::Object(sent)) = (result, body) {
                let mut held = known.remove(&*id).unwrap_or_default();
                held.extend(self.nests.heard(table, sent.clone()));
                if !self.names.data_model {
                    *record = Some(super::shape::record(id.clone(), &schema, &batch.read_back, &held));
                }
                kept.push((id.clone(), Json::Object(held).to_string()));
            }
        }
        notes.keep(&object, kept).await
    }
}

/// What became of a row whose deletion a receiver was told of; with an id or without, it took it.
pub(super) fn deleted(told: Told, done: impl FnOnce() -> RowResult) -> RowResult {
    match told {
        Told::Stored(_) | Told::Echoed => done(),
        Told::Refused(error) => RowResult::Refused(error),
        Told::Unknown => RowResult::Unknown,
    }
}

/// The table's name in a mapping.
pub(super) fn object_of(table: &str) -> String {
    format!("{TABLE}{table}").to_ascii_lowercase()
}
