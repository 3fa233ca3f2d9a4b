//! Which records are gone for certain: the org shows deleted ones, and where merged ones went, to who asks for them.

use serde::Deserialize;

use super::composite::{self, MOST_QUERIES, Part, QueryKind};
use super::describe::Schemas;
use super::errors::senseless;
use super::query::known;
use super::session::Door;
use super::{id, soql};
use crate::connect::http::Idempotency;
use crate::domain::port::{PortError, Tombstone};
use crate::domain::record::RecordId;

/// Ids in one lookup.
const IDS_IN_A_QUERY: usize = 400;

#[derive(Deserialize)]
struct Fates {
    #[serde(default)]
    records: Vec<Fate>,
}

/// What the org says about a record, deleted or not.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Fate {
    id: String,
    #[serde(default)]
    pub(super) is_deleted: bool,
    #[serde(default)]
    master_record_id: Option<String>,
}

impl Fate {
    /// The record.
    pub(super) fn record(&self) -> RecordId {
        id::from_api(&self.id)
    }

    /// The record that it was merged into.
    pub(super) fn winner(&self) -> Option<RecordId> {
        self.master_record_id.as_deref().filter(|_| self.is_deleted).map(id::from_api)
    }
}

/// The questions for records of an object, a few hundred each.
pub(super) fn queries(object: &str, has_master: bool, ids: &[RecordId]) -> Vec<String> {
    let columns = if has_master { "Id, IsDeleted, MasterRecordId" } else { "Id, IsDeleted" };
    let object = soql::safe_name(object);
    let ask = |some: &[RecordId]| format!("SELECT {columns} FROM {object} WHERE {}", soql::ids_in(some));
    ids.chunks(IDS_IN_A_QUERY).map(ask).collect()
}

/// Asks them, five a call.
pub(super) async fn ask(door: &Door, queries: &[String]) -> Result<Vec<Fate>, PortError> {
    let mut fates = Vec::new();
    for some in queries.chunks(MOST_QUERIES) {
        let base = door.base().await?;
        let parts: Vec<Part> = some
            .iter()
            .enumerate()
            .map(|(place, query)| Part::query(format!("m{place}"), &base, QueryKind::WithDeleted, query))
            .collect();
        let answered = composite::send(door, "merges", &parts, Idempotency::Repeatable, &[])
            .await
            .map_err(|error| error.told("reading what became of deleted records"))?;
        for part in answered.parts()? {
            if let Some(fault) = part.fault() {
                return Err(fault.to_port_error("reading what became of deleted records"));
            }
            let some: Fates = serde_json::from_str(part.body())
                .map_err(|error| senseless("the question what became of deleted records", &error))?;
            fates.extend(some.records);
        }
    }
    Ok(fates)
}

/// Those of the records that are deleted or merged.
pub(super) async fn read(
    door: &Door,
    schemas: &Schemas,
    object: &str,
    ids: &[RecordId],
) -> Result<Vec<Tombstone>, PortError> {
    let mut wanted: Vec<RecordId> = ids.iter().filter_map(|id| id::full_id(id.as_str())).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let catalog = schemas.catalog_for(door, object, std::iter::empty()).await?;
    known(&catalog, object)?;
    let has_master = catalog.resolve(object, "MasterRecordId").is_some();
    let fates = ask(door, &queries(object, has_master, &wanted)).await?;
    Ok(fates
        .iter()
        .filter(|fate| fate.is_deleted)
        .map(|fate| Tombstone { id: fate.record(), at: None, merged_into: fate.winner() })
        .collect())
}
