//! Writing records: up to 200 at a time, and in the same call reading back what the org made of them.
//!
//! A row is refused with the org's own code and words. When the connection breaks after sending, nobody knows what became of the
//! rows, and nothing is repeated here: whoever journalled them looks first (law E11).

mod row_result;

use std::collections::{HashMap, HashSet};

use super::composite::{self, CompositeReply, Part, PartReply, QueryKind, put_string, query_path};
use super::convert::put_json;
use super::describe::{Catalog, Schemas};
use super::errors;
use super::query::{known, read_all, read_page};
use super::rows::Shape;
use super::session::Door;
use super::{id, read, soql};
use crate::connect::http::{Idempotency, percent_encode};
use crate::domain::mapping::SideEffects;
use crate::domain::port::{
    PortClass, PortError, RowClass, RowError, RowResult, WriteBatch, WriteKind, WriteRow,
};
use crate::domain::record::{Record, RecordId};
use crate::domain::schema::FieldKind;

pub(super) use row_result::refusal;
use row_result::{WireResult, row_result};

/// The parts' names in the composite.
const WRITE: &str = "w";
const READ_BACK: &str = "r";

/// Writes a batch, in calls of up to 200 rows; the results stand in the order of the rows.
pub(super) async fn write(
    door: &Door,
    schemas: &Schemas,
    batch: &WriteBatch,
) -> Result<Vec<RowResult>, PortError> {
    let fields = batch.selection.names().iter().chain(batch.read_back.names()).map(AsRef::as_ref);
    let catalog = schemas.catalog_for(door, &batch.object, fields).await?;
    known(&catalog, &batch.object)?;
    let writer = Writer {
        door,
        batch,
        shape: Shape::new(&catalog, &batch.object, &batch.read_back),
        columns: columns(&catalog, batch),
        catalog: &catalog,
    };
    let mut results = Vec::with_capacity(batch.rows.len());
    for rows in batch.rows.chunks(super::WRITE_BATCH) {
        match writer.write(rows).await {
            Ok(some) => results.extend(some),
            Err(error) if results.is_empty() => return Err(error),
            // Earlier rows are done, so the batch as a whole is not undone; these were not.
            Err(error) => {
                let refused = RowError {
                    code: error.code,
                    message: error.message,
                    fields: Vec::new(),
                    class: if error.class == PortClass::Limit { RowClass::Limit } else { RowClass::Again },
                };
                results.extend(rows.iter().map(|_| RowResult::Refused(refused.clone())));
            }
        }
    }
    Ok(results)
}

/// A field of the batch as it is written; `None` for what can't be written, such as the id or a parent's field.
pub(super) fn columns(catalog: &Catalog, batch: &WriteBatch) -> Vec<Option<(String, FieldKind)>> {
    batch
        .selection
        .names()
        .iter()
        .map(|name| {
            if name.contains('.') || name.eq_ignore_ascii_case("Id") {
                return None;
            }
            Some(catalog.resolve(&batch.object, name).map_or_else(
                // Unknown to us: the org has the word.
                || (soql::safe_name(name), FieldKind::Text),
                |found| (found.path, found.kind),
            ))
        })
        .collect()
}

struct Writer<'a> {
    door: &'a Door,
    batch: &'a WriteBatch,
    shape: Shape,
    columns: Vec<Option<(String, FieldKind)>>,
    catalog: &'a Catalog,
}

impl Writer<'_> {
    async fn write(&self, rows: &[WriteRow]) -> Result<Vec<RowResult>, PortError> {
        let base = self.door.base().await?;
        let headers = headers(self.batch.effects);
        let mut parts = vec![self.writing_part(&base, rows, &headers)];
        parts.extend(self.reading_part(&base, rows));
        let answered = composite::send(self.door, self.name(), &parts, Idempotency::Once, &headers).await;
        let answered = match answered {
            Ok(answered) => answered,
            Err(error) if error.outcome_unknown() => {
                tracing::warn!(
                    object = self.batch.object,
                    rows = rows.len(),
                    ?error,
                    "The outcome of a write is unknown."
                );
                return Ok(rows.iter().map(|_| RowResult::Unknown).collect());
            }
            Err(error) => return Err(error.told(&self.what())),
        };
        let Some(results) = self.results(&answered, rows.len())? else {
            return Ok(rows.iter().map(|_| RowResult::Unknown).collect());
        };
        let mut held = self.held(&answered, &results).await;
        Ok(results.into_iter().map(|result| row_result(self.batch, result, &mut held)).collect())
    }

    fn name(&self) -> &'static str {
        match self.batch.kind {
            WriteKind::Create => "create records",
            WriteKind::Update => "update records",
            WriteKind::Delete => "delete records",
        }
    }

    fn what(&self) -> String {
        match self.batch.kind {
            WriteKind::Create => format!("creating records of {}", self.batch.object),
            WriteKind::Update => format!("updating records of {}", self.batch.object),
            WriteKind::Delete => format!("deleting records of {}", self.batch.object),
        }
    }

    fn object(&self) -> String {
        soql::safe_name(&self.batch.object)
    }

    fn writing_part(&self, base: &str, rows: &[WriteRow], headers: &[(&'static str, String)]) -> Part {
        let all = format!("{base}/composite/sobjects");
        let part = match (self.batch.kind, &self.batch.mark) {
            (WriteKind::Create, Some(mark)) => {
                let path = format!("{all}/{}/{}", self.object(), soql::safe_name(mark));
                Part::with_body("PATCH", WRITE, path, self.body(rows))
            }
            (WriteKind::Create, None) => Part::with_body("POST", WRITE, all, self.body(rows)),
            (WriteKind::Update, _) => Part::with_body("PATCH", WRITE, all, self.body(rows)),
            (WriteKind::Delete, _) => {
                let ids: Vec<&str> =
                    rows.iter().filter_map(|row| row.id.as_ref()).map(RecordId::as_str).collect();
                Part::delete(WRITE, format!("{all}?ids={}&allOrNone=false", ids.join(",")))
            }
        };
        headers.iter().fold(part, |part, (name, text)| part.header(name, text.as_str()))
    }

    fn body(&self, rows: &[WriteRow]) -> Vec<u8> {
        let mut out = Vec::with_capacity(rows.len() * 400);
        out.extend_from_slice(br#"{"allOrNone":false,"records":["#);
        for (place, row) in rows.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(br#"{"attributes":{"type":"#);
            put_string(&mut out, &self.object());
            out.push(b'}');
            if let Some(id) = row.id.as_ref().filter(|_| self.batch.kind == WriteKind::Update) {
                out.extend_from_slice(br#","id":"#);
                put_string(&mut out, id.as_str());
            }
            for (column, value) in self.columns.iter().zip(&row.values) {
                if let (Some((name, kind)), Some(value)) = (column, value) {
                    out.push(b',');
                    put_string(&mut out, name);
                    out.push(b':');
                    put_json(&mut out, value, *kind);
                }
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
        out
    }

    /// The query that reads the rows back in the same call: by id, by mark, or by the ids that the first part is about to give.
    fn reading_part(&self, base: &str, rows: &[WriteRow]) -> Option<Part> {
        let query =
            |condition: &str| soql::select(&self.shape, &self.batch.object, &format!("WHERE {condition}"));
        match self.batch.kind {
            WriteKind::Delete => None,
            WriteKind::Update => {
                let ids: Vec<RecordId> = rows.iter().filter_map(|row| row.id.clone()).collect();
                Some(Part::query(READ_BACK, base, QueryKind::Live, &query(&soql::ids_in(&ids))))
            }
            WriteKind::Create => {
                if let Some(condition) = self.marks_in(rows) {
                    return Some(Part::query(READ_BACK, base, QueryKind::Live, &query(&condition)));
                }
                // The references to the first part's results must stay as they are; only what is around them is encoded.
                let head = query_path(base, QueryKind::Live, &query("Id IN ("));
                let given: Vec<String> =
                    (0..rows.len()).map(|place| format!("%27@{{{WRITE}[{place}].id}}%27")).collect();
                Some(Part::get(READ_BACK, format!("{head}{}{}", given.join("%2C"), percent_encode(")"))))
            }
        }
    }

    fn marks_in(&self, rows: &[WriteRow]) -> Option<String> {
        let mark = self.catalog.resolve(&self.batch.object, self.batch.mark.as_deref()?)?;
        let place = self.batch.selection.position(&mark.path)?;
        let literals: Option<Vec<String>> = rows
            .iter()
            .map(|row| {
                let value = row.values.get(place)?.as_ref().filter(|value| !value.is_blank())?;
                soql::literal(mark.kind, value)
            })
            .collect();
        Some(format!("{} IN ({})", mark.path, literals?.join(",")))
    }

    /// The results of the rows; `None` where the reply leaves them open.
    fn results(&self, answered: &CompositeReply, rows: usize) -> Result<Option<Vec<WireResult>>, PortError> {
        // From here on the org has worked on the rows, so an unreadable reply leaves their outcome open.
        let Ok(parts) = answered.parts() else { return Ok(None) };
        let Some(part) = parts.iter().find(|part| part.reference == WRITE) else { return Ok(None) };
        if let Some(fault) = part.fault() {
            if matches!(fault.status, 500 | 502 | 504) && errors::topic(&fault.code).is_none() {
                return Ok(None);
            }
            return Err(fault.to_port_error(&self.what()));
        }
        let results: Option<Vec<WireResult>> = serde_json::from_str(part.body()).ok();
        Ok(results.filter(|results| results.len() == rows))
    }

    /// The records as the org holds them now, by id. The read-back inside the call fails as a whole when a row was refused whose id
    /// it needs; then the others are read by a call of their own.
    async fn held(&self, answered: &CompositeReply, results: &[WireResult]) -> HashMap<RecordId, Record> {
        if self.batch.kind == WriteKind::Delete {
            return HashMap::new();
        }
        let parts = answered.parts().unwrap_or_default();
        let part = parts.iter().find(|part| part.reference == READ_BACK && part.fault().is_none());
        let mut records = match part {
            Some(part) => self.read_back(part).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let back: HashSet<&RecordId> = records.iter().map(|record| &record.id).collect();
        let missing: Vec<RecordId> = results
            .iter()
            .filter(|result| result.success)
            .filter_map(|result| result.id.as_deref().map(id::from_api))
            .filter(|id| !back.contains(id))
            .collect();
        if part.is_none() && !missing.is_empty() {
            match read::by_shape(self.door, &self.shape, &self.batch.object, &missing).await {
                Ok(more) => records.extend(more),
                Err(error) => {
                    tracing::warn!(object = self.batch.object, %error, "Written records could not be read back.");
                }
            }
        }
        records.into_iter().map(|record| (record.id.clone(), record)).collect()
    }

    async fn read_back(&self, part: &PartReply<'_>) -> Result<Vec<Record>, PortError> {
        let page = read_page(&self.shape, part.body().as_bytes(), &self.batch.object)?;
        read_all(self.door, &self.shape, &self.batch.object, page).await
    }
}

/// Rules that fire on records of ours only if the admin wants it (law E17).
fn headers(effects: SideEffects) -> Vec<(&'static str, String)> {
    let assign = if effects.assignment_rules { "TRUE" } else { "FALSE" };
    let mut headers = vec![("Sforce-Auto-Assign", assign.to_owned())];
    if !effects.feed_tracking {
        headers.push(("Sforce-Disable-Feed-Tracking", "true".into()));
    }
    if effects.allow_duplicates {
        headers.push(("Sforce-Duplicate-Rule-Header", "allowSave=true".into()));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_writes_fire_no_assignment_rules_and_keep_duplicate_rules() {
        let quiet =
            [("Sforce-Auto-Assign", "FALSE".to_owned()), ("Sforce-Disable-Feed-Tracking", "true".to_owned())];
        assert_eq!(headers(SideEffects::default()), quiet);
        let loud = headers(SideEffects {
            assignment_rules: true,
            allow_duplicates: true,
            feed_tracking: true,
            ..SideEffects::default()
        });
        let expected = [
            ("Sforce-Auto-Assign", "TRUE".to_owned()),
            ("Sforce-Duplicate-Rule-Header", "allowSave=true".to_owned()),
        ];
        assert_eq!(loud, expected);
    }
}
