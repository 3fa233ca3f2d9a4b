//! Match (law E1): staged records find their links; what has none is grouped by key and decided group by group.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::compiled::CompiledMapping;
use crate::domain::outcome::RunKind;
use crate::domain::plan::{Action, Line, SkipReason};
use crate::domain::record::{Record, RecordId};
use crate::domain::side::{PerSide, Side};
use crate::engine::context::End;
use crate::engine::session::{Session, both, is_shared};
use crate::mutant::{Mutant, broken};
use crate::store::holds::Holds;
use crate::store::links::{self};
use crate::store::stage::{self, Candidate, Staged};
use crate::store::{contested, drift, pending, work};

/// Records looked at in one transaction.
const BATCH: usize = 2_000;

mod gone;
mod groups;
mod moved;
pub mod rebuild;
mod start;

use gone::{Back, come_back, stays_refused};
use groups::key_bytes;

/// What was found out about one staged record.
enum Found {
    Linked { mapping: usize, link: i64, ids: PerSide<RecordId> },
    Candidate { class: usize, key: Vec<u8>, candidate: Candidate },
    Left(Line, usize),
    Done,
}

impl Session<'_> {
    /// Fills the table of work, and deals with everything that needs no decision.
    pub async fn match_records(&mut self) -> Result<(), End> {
        self.context
            .store
            .write(|db| {
                work::clear(db)?;
                stage::clear_candidates(db)
            })
            .await?;
        self.close_gone().await?;
        self.follow_moved().await?;
        let classes = self.classes();
        for place in 0..self.mappings.len() {
            let class = classes.iter().position(|class| class.members.contains(&place)).unwrap_or(0);
            self.file_staged(Side::Org, place, class).await?;
        }
        for (number, class) in classes.iter().enumerate() {
            if let Some(first) = class.members.first() {
                self.file_staged(Side::Platform, *first, number).await?;
            }
        }
        for (number, class) in classes.iter().enumerate() {
            if self.request.kind != RunKind::Initial {
                self.find_counterparts(number, class).await?;
            } else if !self.lists(class) && !broken(Mutant::UnlistedIsNew) {
                self.find_unlisted(number, class).await?;
            }
            self.resolve_groups(number, class).await?;
        }
        let totals = self.context.store.write(work::totals).await?;
        self.publish_totals(&totals);
        Ok(())
    }

    /// Walks through what is staged of one object for one mapping (or, for the platform, one class).
    async fn file_staged(&mut self, side: Side, place: usize, class: usize) -> Result<(), End> {
        let mapping = self.mappings[place].clone();
        let object = mapping.compiled.spec.object(side).to_owned();
        let fields = mapping.compiled.selection[side].len();
        let places: BTreeMap<i64, usize> =
            self.mappings.iter().enumerate().map(|(place, mapping)| (mapping.row.mapping, place)).collect();
        let members: Vec<Arc<CompiledMapping>> = self
            .mappings
            .iter()
            .filter(|other| other.row.family == mapping.row.family)
            .map(|other| Arc::clone(&other.compiled))
            .collect();
        let shared = side == Side::Org && is_shared(&self.mappings, side, &object);
        let lacking = self.lacks_family(&mapping.compiled.spec.platform_object);
        let mut last = String::new();
        loop {
            self.context.control.checkpoint().await?;
            let (from, object_name, mapping) = (last.clone(), object.clone(), mapping.clone());
            let (places, members, mappings) = (places.clone(), members.clone(), self.mappings.clone());
            let (run, now) = (self.run, self.now());
            let (reached, left) = self
                .context
                .store
                .write(move |db| {
                    let batch = stage::after(db, side, &object_name, &from, fields, BATCH)?;
                    let reached = batch.last().map(|staged| staged.record.id.as_str().to_owned());
                    let full = batch.len() == BATCH;
                    let (contests, departures) = (contested::any(db)?, Holds::look(db)?.departures);
                    let linked = links::any_of_family(db, mapping.row.family)?;
                    let mut left = Vec::new();
                    for staged in batch {
                        let (own, id) = (&mapping.row, staged.record.id.as_str());
                        let mut link = None;
                        if linked {
                            link = links::head(db, side, own.mapping, own.family, id)?;
                        }
                        if let Some(closed) = link.as_ref().filter(|link| link.closed.is_some()) {
                            link = links::get(db, closed.link)?;
                        }
                        let found = match link {
                            Some(link) => {
                                let Some(place) = places.get(&link.mapping).copied() else {
                                    // This run passes it by, and the feed is read only once: its own mapping's run looks again.
                                    if link.closed.is_none() {
                                        let id = &staged.record.id;
                                        pending::put(
                                            db,
                                            link.mapping,
                                            side,
                                            id,
                                            "other_mapping",
                                            now,
                                            Some(now),
                                        )?;
                                    }
                                    continue;
                                };
                                match link.closed {
                                    None => Found::Linked { mapping: place, link: link.link, ids: link.ids },
                                    Some(ref why) => {
                                        // The record that was gone is back (law E9).
                                        match come_back(db, run, now, &link, why, side)? {
                                            Back::Reopened => Found::Linked {
                                                mapping: place,
                                                link: link.link,
                                                ids: link.ids,
                                            },
                                            Back::Anew => unlinked(
                                                &mapping.compiled,
                                                &members,
                                                side,
                                                place,
                                                class,
                                                &staged,
                                            ),
                                            Back::Blocked => {
                                                if !shared {
                                                    stage::remove(
                                                        db,
                                                        side,
                                                        &object_name,
                                                        staged.record.id.as_str(),
                                                    )?;
                                                }
                                                Found::Left(
                                                    skip(
                                                        &mapping.compiled,
                                                        side,
                                                        &staged.record,
                                                        SkipReason::LinkClosed,
                                                    ),
                                                    place,
                                                )
                                            }
                                        }
                                    }
                                }
                            }
                            None if lacking => {
                                // To whom it belongs can't be said without the mapping that is left out (laws E1 and E13).
                                let (number, id) = (mapping.row.mapping, &staged.record.id);
                                pending::put(db, number, side, id, drift::FAMILY, now, None)?;
                                if !shared {
                                    stage::remove(db, side, &object_name, id.as_str())?;
                                }
                                Found::Done
                            }
                            None => unlinked(&mapping.compiled, &members, side, place, class, &staged),
                        };
                        if contests && matches!(&found, Found::Done | Found::Left(..)) {
                            contested::leave(db, mapping.row.family, side, &staged.record.id, None)?;
                        }
                        match found {
                            Found::Linked { mapping: place, link, ids }
                                if departures
                                    && stays_refused(db, &mappings[place], link, side, &staged.record)? =>
                            {
                                if !shared {
                                    stage::remove(db, side, &object_name, ids[side].as_str())?;
                                }
                            }
                            Found::Linked { mapping, link, ids } => {
                                work::put(db, mapping, Some(link), &both(&ids))?;
                            }
                            Found::Candidate { class, key, candidate } => {
                                stage::put_candidate(db, class, &key, &candidate)?;
                            }
                            Found::Left(line, mapping) => left.push((line, mapping)),
                            Found::Done => {}
                        }
                    }
                    Ok((reached.filter(|_| full), left))
                })
                .await?;
            self.leave_out(left).await?;
            match reached {
                Some(id) => last = id,
                None => return Ok(()),
            }
        }
    }
}

fn skip(mapping: &CompiledMapping, side: Side, record: &Record, reason: SkipReason) -> Line {
    let mut ids = PerSide::default();
    ids[side] = Some(record.id.clone());
    Line {
        mapping: mapping.spec.name.clone(),
        ids,
        action: Action::Skip { reason },
        changes: Vec::new(),
        parked: Vec::new(),
        obstacles: Vec::new(),
    }
}

/// What becomes of a record without a link: a candidate under its key, or left out.
fn unlinked(
    mapping: &CompiledMapping,
    members: &[Arc<CompiledMapping>],
    side: Side,
    place: usize,
    class: usize,
    staged: &Staged,
) -> Found {
    let in_scope = match side {
        Side::Org => mapping.in_scope(Side::Org, &staged.record),
        // A platform record takes part if one member of the family wants it.
        Side::Platform => members.iter().any(|member| member.in_scope(Side::Platform, &staged.record)),
    };
    if !in_scope {
        return Found::Done;
    }
    match mapping.key_of(side, &staged.record) {
        Some(key) => Found::Candidate {
            class,
            key: key_bytes(&key),
            candidate: Candidate {
                side,
                mapping: if side == Side::Org { place } else { 0 },
                id: staged.record.id.clone(),
            },
        },
        None => Found::Left(skip(mapping, side, &staged.record, SkipReason::KeyBlank), place),
    }
}
