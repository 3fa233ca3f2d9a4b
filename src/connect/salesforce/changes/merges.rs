//! Where merged records went, and which deletions were taken back.

use std::collections::HashMap;
use std::sync::PoisonError;

use serde::Deserialize;

use super::{Changes, Feed};
use crate::connect::http::Idempotency;
use crate::connect::salesforce::composite::{self, MOST_QUERIES, Part, QueryKind};
use crate::connect::salesforce::errors::senseless;
use crate::connect::salesforce::session::Door;
use crate::connect::salesforce::{id, soql};
use crate::domain::port::{Page, PortError, Tombstone};
use crate::domain::record::RecordId;

/// How many deletions are remembered, so that the overlap does not ask about them again and again.
const REMEMBERED: usize = 20_000;
/// Ids in one lookup.
const IDS_IN_A_QUERY: usize = 400;

#[derive(Deserialize)]
struct Fates {
    #[serde(default)]
    records: Vec<Fate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fate {
    id: String,
    #[serde(default)]
    is_deleted: bool,
    #[serde(default)]
    master_record_id: Option<String>,
}

impl Changes {
    /// Asks where merged records went, and drops deletions that were taken back. Costs a call only for deletions not seen before.
    pub(super) async fn follow_merges(
        &self,
        door: &Door,
        feeds: &[(usize, Feed<'_>)],
        pages: &mut [(usize, Page)],
    ) -> Result<(), PortError> {
        let mut queries = Vec::new();
        for ((_, feed), (_, page)) in feeds.iter().zip(pages.iter()).filter(|((_, feed), _)| feed.has_master)
        {
            let unknown: Vec<RecordId> = {
                let merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
                let is_new = |gone: &&Tombstone| !merged.contains_key(&(gone.id.clone(), gone.at));
                page.tombstones.iter().filter(is_new).map(|gone| gone.id.clone()).collect()
            };
            queries.extend(unknown.chunks(IDS_IN_A_QUERY).map(|ids| {
                let object = soql::safe_name(&feed.request.object);
                format!("SELECT Id, IsDeleted, MasterRecordId FROM {object} WHERE {}", soql::ids_in(ids))
            }));
        }
        let mut back: Vec<RecordId> = Vec::new();
        let mut winners: HashMap<RecordId, RecordId> = HashMap::new();
        let asked = !queries.is_empty();
        for some in queries.chunks(MOST_QUERIES) {
            let base = door.base().await?;
            let parts: Vec<Part> = some
                .iter()
                .enumerate()
                .map(|(place, query)| Part::query(format!("m{place}"), &base, QueryKind::WithDeleted, query))
                .collect();
            let answered = composite::send(door, "merges", &parts, Idempotency::Repeatable, &[])
                .await
                .map_err(|error| error.told("reading where merged records went"))?;
            for part in answered.parts()? {
                if let Some(fault) = part.fault() {
                    return Err(fault.to_port_error("reading where merged records went"));
                }
                let fates: Fates = serde_json::from_str(part.body())
                    .map_err(|error| senseless("the question where merged records went", &error))?;
                for fate in fates.records {
                    let gone = id::from_api(&fate.id);
                    match fate.master_record_id {
                        _ if !fate.is_deleted => back.push(gone),
                        Some(winner) => drop(winners.insert(gone, id::from_api(&winner))),
                        None => {}
                    }
                }
            }
        }
        let mut merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        if merged.len() > REMEMBERED {
            merged.clear();
        }
        for ((_, feed), (_, page)) in feeds.iter().zip(pages.iter_mut()) {
            page.tombstones.retain(|gone| !back.contains(&gone.id));
            for gone in &mut page.tombstones {
                let key = (gone.id.clone(), gone.at);
                if asked && feed.has_master && !merged.contains_key(&key) {
                    merged.insert(key.clone(), winners.get(&gone.id).cloned());
                }
                gone.merged_into = merged.get(&key).cloned().flatten();
            }
        }
        Ok(())
    }
}
