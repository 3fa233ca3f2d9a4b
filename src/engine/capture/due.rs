//! Pending records (law E7) are read by their ids, and staged with their counterparts.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::domain::outcome::RunKind;
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::mutant::{Mutant, broken};
use crate::store::{contested, decisions, links, pending, stage};

/// Records of a mapping that are read at once.
const MOST: usize = 10_000;

impl Session<'_> {
    /// Reads the pending records that are due, with their counterparts.
    pub(super) async fn stage_pending(&mut self) -> Result<(), End> {
        let now = self.now();
        // An initial sync matches what is staged and asks nobody. Where it goes on after an interruption, whoever was put off a moment ago
        // is staged no longer, and somebody else would be taken for the only one with that key (law E1).
        let everybody = self.request.kind == RunKind::Initial;
        let by = if everybody { DateTime::<Utc>::MAX_UTC } else { now };
        let any = move |db: &rusqlite::Connection| {
            decisions::make_due(db, now)?;
            if !broken(Mutant::FreedKeyForgotten) {
                contested::make_due(db, now)?;
            }
            pending::any_due(db, by)
        };
        if !self.context.store.write(any).await? {
            return Ok(());
        }
        for place in 0..self.mappings.len() {
            let mapping = self.mappings[place].row.mapping;
            loop {
                let due = self.context.store.write(move |db| pending::due(db, mapping, by, MOST)).await?;
                let full = due.len() == MOST;
                if !due.is_empty() {
                    self.stage_due(place, due).await?;
                }
                // What an instant sync leaves is for the next one.
                if !full || !everybody {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads pending records of a mapping, and takes them from those that are pending.
    async fn stage_due(&mut self, place: usize, due: Vec<(Side, RecordId)>) -> Result<(), End> {
        let (mapping, family) = (self.mappings[place].row.mapping, self.mappings[place].row.family);
        let asked = due.clone();
        let mut ids = self
            .context
            .store
            .write(move |db| {
                let mut ids: PerSide<Vec<RecordId>> = PerSide::default();
                for (side, id) in &asked {
                    let link = match side {
                        Side::Org => links::by_org(db, mapping, id.as_str())?,
                        Side::Platform => links::by_platform(db, family, id.as_str())?,
                    };
                    match link.filter(|link| link.closed.is_none()) {
                        Some(link) => {
                            ids.org.push(link.ids.org);
                            ids.platform.push(link.ids.platform);
                        }
                        None => ids[*side].push(id.clone()),
                    }
                }
                Ok(ids)
            })
            .await?;
        for side in Side::BOTH {
            ids[side].sort();
            ids[side].dedup();
            if ids[side].is_empty() {
                continue;
            }
            let object = self.mappings[place].compiled.spec.object(side).to_owned();
            let selection = self.selection(side, &object);
            let read_at = self.now();
            let records = self.context.endpoints[side].read_early(&object, &selection, &ids[side]).await?;
            self.counts.read += records.len() as u64;
            let asked = std::mem::take(&mut ids[side]);
            self.context
                .store
                .write(move |db| {
                    // What an interrupted run staged of a record that is there no longer is worth nothing.
                    let there: HashSet<&RecordId> = records.iter().map(|record| &record.id).collect();
                    for id in asked.iter().filter(|id| !there.contains(id)) {
                        stage::remove(db, side, &object, id.as_str())?;
                    }
                    stage::put(db, side, &object, &records, read_at)
                })
                .await?;
        }
        let done = move |db: &rusqlite::Connection| {
            due.iter().try_for_each(|(side, id)| pending::take(db, mapping, *side, id.as_str()))
        };
        Ok(self.context.store.write(done).await?)
    }
}
