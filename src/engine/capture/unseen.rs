//! Linked records that a full read did not bring, or whose deletions may have been missed, are asked for by id (law E9).
//!
//! What a side says is deleted becomes a tombstone. What can't be read is not deleted for that: it is listed as `missing`.

use std::collections::HashSet;

use rusqlite::Connection;

use crate::domain::outcome::RunKind;
use crate::domain::port::Tombstone;
use crate::domain::record::RecordId;
use crate::domain::report::Level;
use crate::domain::side::Side;
use crate::engine::context::End;
use crate::engine::session::{Session, both};
use crate::mutant::{Mutant, broken};
use crate::store::facts::NewFact;
use crate::store::issues::{self, NewIssue};
use crate::store::links::{self, Link};
use crate::store::{StoreError, departures, feeds, mappings, stage};

/// Links looked at together.
const BATCH: usize = 2_000;

fn wanted(side: Side, object: &str) -> String {
    format!("deletions_missed:{side}:{object}")
}

fn checked(side: Side, object: &str) -> String {
    format!("links_checked:{side}:{object}")
}

/// Notes that deletions of an object may have been missed.
pub(super) fn ask_for(db: &Connection, side: Side, object: &str) -> Result<(), StoreError> {
    mappings::remember(db, &wanted(side, object), "1")
}

/// Notes that everything there is was read, so that what is linked and was not brought is asked for.
pub(super) fn ask_after_whole(db: &Connection, side: Side, object: &str) -> Result<(), StoreError> {
    let wanted = wanted(side, object);
    if mappings::remembered(db, &wanted)?.is_some_and(|text| text == "1") {
        return Ok(());
    }
    mappings::remember(db, &wanted, "whole")
}

impl Session<'_> {
    /// Asks for the linked records that were not seen, where a full read or a long pause makes that necessary.
    pub(super) async fn check_unseen(&mut self) -> Result<(), End> {
        for side in Side::BOTH {
            for object in self.objects(side) {
                let name = object.clone();
                let (said, begun, before) = self
                    .context
                    .store
                    .write(move |db| {
                        Ok((
                            mappings::remembered(db, &wanted(side, &name))?.unwrap_or_default(),
                            feeds::get(db, side, &name)?.next_at,
                            mappings::remembered(db, &checked(side, &name))?,
                        ))
                    })
                    .await?;
                // One full read is checked once, even if the run is interrupted and goes on.
                let read = begun.map(|at| at.timestamp_millis().to_string()).unwrap_or_default();
                let full = self.request.kind == RunKind::Initial && before.as_deref() != Some(&read);
                let (missed, whole) = (said == "1", said == "whole");
                if !missed && !whole && !full || broken(Mutant::UnseenIsForgotten) {
                    continue;
                }
                if missed {
                    self.fact(self.say(
                        Level::Warn,
                        format!(
                            "{object}: the last synchronization is too long ago for the service to tell what was \
                             deleted since; all linked records are looked up by their ids."
                        ),
                    ))
                    .await?;
                }
                for place in 0..self.mappings.len() {
                    if self.mappings[place].compiled.spec.object(side) == object {
                        self.ask_for_unseen(side, &object, place).await?;
                    }
                }
                self.context
                    .store
                    .write(move |db| {
                        mappings::remember(db, &checked(side, &object), &read)?;
                        mappings::remember(db, &wanted(side, &object), "0")
                    })
                    .await?;
            }
        }
        Ok(())
    }

    async fn ask_for_unseen(&mut self, side: Side, object: &str, place: usize) -> Result<(), End> {
        let mapping = self.mappings[place].row.mapping;
        let selection = self.mappings[place].compiled.selection[side].clone();
        let mut last = 0;
        loop {
            self.context.control.checkpoint().await?;
            let (from, name) = (last, object.to_owned());
            let unseen: Vec<Link> = self
                .context
                .store
                .write(move |db| links::unseen(db, mapping, side, &name, from, BATCH))
                .await?;
            let Some(end) = unseen.last() else { return Ok(()) };
            last = end.link;
            let ids: Vec<RecordId> = unseen.iter().map(|link| link.ids[side].clone()).collect();
            let tombstones = self.context.endpoints[side].fates(object, &ids).await?;
            let gone: HashSet<RecordId> = tombstones.iter().map(|gone| gone.id.clone()).collect();
            let rest: Vec<RecordId> = ids.into_iter().filter(|id| !gone.contains(id)).collect();
            let alive: HashSet<RecordId> = if rest.is_empty() {
                HashSet::new()
            } else {
                let records = self.context.endpoints[side].read(object, &selection, &rest).await?;
                records.into_iter().map(|record| record.id).collect()
            };
            let missing: Vec<Link> = unseen
                .into_iter()
                .filter(|link| link.closed.is_none())
                .filter(|link| !gone.contains(&link.ids[side]) && !alive.contains(&link.ids[side]))
                .collect();
            let mut tombstones = tombstones;
            if broken(Mutant::MissingIsDeleted) {
                tombstones.extend(missing.iter().map(|link| Tombstone {
                    id: link.ids[side].clone(),
                    at: None,
                    merged_into: None,
                }));
            }
            let (name, run, now) = (object.to_owned(), self.run, self.now());
            let listed = self
                .context
                .store
                .write(move |db| {
                    stage::put_gone(db, side, &name, &tombstones)?;
                    let mut listed = 0;
                    for link in missing {
                        // Known to be gone, and waiting for its consequence.
                        if departures::get(db, link.link)?.is_some() {
                            continue;
                        }
                        listed += 1;
                        issues::raise(db, &missing_issue(&link, side, run), now)?;
                    }
                    Ok(listed)
                })
                .await?;
            if listed > 0 {
                self.count(place, |counts| counts.failed += listed);
                let name = self.mappings[place].compiled.spec.name.clone();
                let message = format!("{listed} linked records can't be read on the {side} any more.");
                self.fact(NewFact::new(Level::Warn, Some(self.run), message).of_mapping(&name)).await?;
            }
        }
    }
}

fn missing_issue(link: &Link, side: Side, run: i64) -> NewIssue {
    NewIssue {
        mapping: link.mapping,
        ids: both(&link.ids),
        side,
        label: String::new(),
        code: issues::MISSING.into(),
        message: format!(
            "the linked record can't be read on the {side}, and nothing says that it was deleted: perhaps this user may no \
             longer see it. Nothing was written; give the right back, or delete it so that it can be seen"
        ),
        fields: Vec::new(),
        run,
    }
}
