//! Tables of the data model. Where the data model interface is set up, rows are read there; without it what was last sent to the receiver
//! is taken for what is held, and an edit by somebody else in Deployteq is not seen before it is overwritten.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Deployteq;
use super::customer::several;
use super::listing::cursor;
use super::rows::object_of;
use super::service::{Answered, Failure, Patience, Refused, row_error};
use super::shape::{id_at, kind_of, record, value};
use crate::connect::http::{Call, Idempotency, Method, percent_encode};
use crate::connect::platform::Examined;
use crate::domain::canonical::{Form, canonical};
use crate::domain::port::{
    Finder, Mark, Page, PortClass, PortError, RowClass, RowResult, ScanRequest, Tombstone,
};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::report::Verdict;
use crate::domain::value::Value;

/// Rows of one page.
const PAGE: u64 = 100;

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Place {
    offset: u64,
}

impl Deployteq {
    /// A call of the data model interface. `path` begins behind the table.
    async fn data(&self, method: Method, table: &str, path: &str) -> Result<Answered, Failure> {
        let url = format!(
            "{}/dataextension/{}{path}",
            self.names.data_model_endpoint,
            table.split('/').map(percent_encode).collect::<Vec<_>>().join("/")
        );
        let scope = self.names.data_model_scope.as_str();
        let token = self.tokens.get(&self.service, scope, Patience::Run).await.map_err(Failure::Nothing)?;
        let mut call = Call::new("ask the data model", method, url).bearer(&token);
        call.idempotency = Idempotency::Repeatable;
        self.service.send(call, Patience::Run).await
    }

    /// Looks for the table behind each receiver: without it, what the receiver takes goes nowhere (F103).
    pub(super) async fn examine_tables(&self, examined: &mut Examined) -> Result<(), PortError> {
        if !self.names.data_model {
            if self.hooks.tables().next().is_some() {
                examined.good(
                    "Whether the tables of the receivers exist is not looked up: “Read tables” is switched off.",
                );
            }
            return Ok(());
        }
        // One that lies in another is not shown by itself.
        for table in self.hooks.tables().filter(|table| self.nests.of(table).is_none()) {
            match self.data(Method::GET, table, "?limit=1&offset=0").await {
                Ok(_) => examined.good(format!("The table {table} is there.")),
                Err(Failure::Refused(Refused { status: 404 | 410, .. })) => examined.line(
                    Verdict::Bad,
                    format!(
                        "There is no table {table} in the data model: make it in Deployteq before its object is linked, or correct \
                         the receiver's name."
                    ),
                    Some("webhooks"),
                ),
                Err(failure) => return Err(failure.into_port()),
            }
        }
        Ok(())
    }

    pub(super) async fn list_rows(&self, table: &str, request: &ScanRequest) -> Result<Page, PortError> {
        let now = self.service.now();
        if !self.names.data_model || self.nests.of(table).is_some() {
            return Ok(Page { cursor: Some(cursor(now)), ..Page::default() });
        }
        let place: Place = match &request.mark {
            None => Place { offset: 0 },
            Some(mark) => serde_json::from_str(&mark.0).map_err(|error| {
                let sentence = format!("The place in a table can't be read ({error}); it is read again.");
                PortError::new(PortClass::MarkLost, "MARK", sentence)
            })?,
        };
        let path = format!("?limit={PAGE}&offset={}", place.offset);
        let answer = self.data(Method::GET, table, &path).await.map_err(Failure::into_port)?;
        let rows = several(&answer)?;
        let schema = self.schema(&request.object)?;
        let records: Vec<Record> = rows
            .iter()
            .filter_map(|row| {
                let id = id_at(&Json::Object(row.clone()), &self.names.row_id)?;
                Some(record(id, &schema, &request.selection, row))
            })
            .collect();
        // A service without paging answers everything at once, and then the same again.
        let more = rows.len() as u64 == PAGE;
        let next = more.then(|| Place { offset: place.offset + PAGE });
        Ok(Page {
            records,
            next: next.and_then(|next| serde_json::to_string(&next).ok()).map(Mark),
            cursor: request.mark.is_none().then(|| cursor(now)),
            ..Page::default()
        })
    }

    async fn row(&self, path: &str, id: &RecordId) -> Result<Option<Map<String, Json>>, PortError> {
        match self.data(Method::GET, path, &format!("/{}", percent_encode(id.as_str()))).await {
            Ok(answer) => Ok(several(&answer)?.into_iter().next()),
            Err(Failure::Refused(Refused { status: 404 | 410, .. })) => Ok(None),
            Err(failure) => Err(failure.into_port()),
        }
    }

    pub(super) async fn read_rows(
        &self,
        object: &str,
        table: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let schema = self.schema(object)?;
        let mut records = Vec::with_capacity(ids.len());
        let mut unseen = Vec::new();
        for id in ids {
            let place = if self.names.data_model { self.place_of(table, id).await? } else { None };
            match place {
                Some(path) => {
                    if let Some(row) = self.row(&path, id).await? {
                        let row = self.nests.heard(table, row);
                        records.push(record(id.clone(), &schema, selection, &row));
                    }
                }
                None => unseen.push(id.clone()),
            }
        }
        if unseen.is_empty() {
            return Ok(records);
        }
        let known = self.notes()?.take(&object_of(table), &unseen).await?;
        for (id, note) in unseen.into_iter().zip(known) {
            let held: Map<String, Json> =
                note.and_then(|note| serde_json::from_str(&note).ok()).unwrap_or_default();
            let mut known = record(id, &schema, selection, &held);
            // What was never sent is blank as far as anybody knows.
            for value in &mut known.values {
                value.get_or_insert(Value::Null);
            }
            records.push(known);
        }
        Ok(records)
    }

    pub(super) async fn gone_rows(&self, table: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        let mut gone = Vec::new();
        if self.names.data_model {
            for id in ids {
                // Where a row lies that nobody knows the place of, nothing can be said of it.
                let Some(path) = self.place_of(table, id).await? else { continue };
                if self.row(&path, id).await?.is_none() {
                    gone.push(Tombstone { id: id.clone(), at: None, merged_into: None });
                }
            }
        }
        Ok(gone)
    }

    pub(super) async fn delete_row(&self, table: &str, id: &RecordId) -> Result<RowResult, PortError> {
        let Some(path) = self.place_of(table, id).await? else {
            let message = format!(
                "Nobody knows which row contains {id} of {table}, so it can't be deleted by the data model: set table_delete to webhook, or \
                 delete it by hand."
            );
            return Ok(RowResult::Refused(row_error(RowClass::Data, "NO_PLACE", &message)));
        };
        match self.data(Method::DELETE, &path, &format!("/{}", percent_encode(id.as_str()))).await {
            Ok(_) => Ok(RowResult::Done { id: id.clone(), created: false, record: None }),
            Err(Failure::Refused(Refused { status: 404 | 410, .. })) => Ok(RowResult::Refused(row_error(
                RowClass::Gone,
                "GONE",
                "The row is no longer in Deployteq.",
            ))),
            Err(Failure::Refused(Refused { status, words, .. })) => {
                let message = format!("Deployteq refused it: “{words}”.");
                Ok(RowResult::Refused(row_error(RowClass::Data, &format!("HTTP_{status}"), &message)))
            }
            Err(failure) => Err(failure.into_port()),
        }
    }

    /// No search is known, so the table is read through; without the data model, and in a table that lies in another, the receiver finds
    /// the row by itself.
    pub(super) async fn find_rows(
        &self,
        object: &str,
        table: &str,
        selection: &Selection,
        by: &Finder,
    ) -> Result<Vec<Record>, PortError> {
        if !self.names.data_model || self.nests.of(table).is_some() {
            return Ok(Vec::new());
        }
        let (fields, rows): (Vec<String>, Vec<Vec<Value>>) = match by {
            Finder::Field { field, values } => {
                (vec![field.clone()], values.iter().map(|value| vec![value.clone()]).collect())
            }
            Finder::Fields { fields, rows } => (fields.clone(), rows.clone()),
            Finder::CreatedByUs { .. } => return Ok(Vec::new()),
        };
        let schema = self.schema(object)?;
        let fold = |field: &str, value: &Value| {
            canonical(Form { kind: kind_of(&schema, field), scale: None }, value)
        };
        let wanted: Vec<Vec<Value>> = rows
            .iter()
            .map(|row| fields.iter().zip(row).map(|(field, value)| fold(field, value)).collect())
            .collect();
        let mut found = Vec::new();
        let mut offset = 0;
        loop {
            let path = format!("?limit={PAGE}&offset={offset}");
            let answer = self.data(Method::GET, table, &path).await.map_err(Failure::into_port)?;
            let page = several(&answer)?;
            for row in &page {
                let held: Vec<Value> = fields
                    .iter()
                    .map(|field| {
                        let held = row.get(field.as_str()).unwrap_or(&Json::Null);
                        fold(field, &value(kind_of(&schema, field), held))
                    })
                    .collect();
                if wanted.contains(&held)
                    && let Some(id) = id_at(&Json::Object(row.clone()), &self.names.row_id)
                {
                    found.push(record(id, &schema, selection, row));
                }
            }
            if (page.len() as u64) < PAGE {
                return Ok(found);
            }
            offset += PAGE;
        }
    }
}
