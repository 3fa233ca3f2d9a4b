//! Where merged records went, and which deletions were taken back.

use std::collections::HashMap;
use std::sync::PoisonError;

use super::{Changes, Feed};
use crate::connect::salesforce::fates;
use crate::connect::salesforce::session::Door;
use crate::domain::port::{Page, PortError, Tombstone};
use crate::domain::record::RecordId;

/// How many deletions are remembered, so that the overlap does not ask about them again and again.
const REMEMBERED: usize = 20_000;
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
            queries.extend(fates::queries(&feed.request.object, true, &unknown));
        }
        let asked = !queries.is_empty();
        let mut back: Vec<RecordId> = Vec::new();
        let mut winners: HashMap<RecordId, RecordId> = HashMap::new();
        for fate in fates::ask(door, &queries).await? {
            if !fate.is_deleted {
                back.push(fate.record());
            } else if let Some(winner) = fate.winner() {
                winners.insert(fate.record(), winner);
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
