//! Verify (law E6): the targets of a chunk are read by id right before they are sent; where one moved, its line is decided
//! again, once.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::domain::mapping::Drift;
use crate::domain::plan::{Action, Obstacle};
use crate::domain::record::{Record, RecordId};
use crate::domain::side::Side;
use crate::engine::apply::Item;
use crate::engine::context::End;
use crate::engine::session::{Prepared, Session};
use crate::mutant::{Mutant, broken};
use crate::store::history::Met;
use crate::store::stage::Staged;

impl Session<'_> {
    /// A pair without a base can't be decided from one side alone (a new pair, a link that was made without bases), and a parked
    /// one only closes where both sides agree: the side that was not read is read by id. What a person is shown, and what they
    /// decide upon, is what both sides hold, and not a base.
    pub async fn read_missing(&self, items: &mut [Item]) -> Result<(), End> {
        for side in Side::BOTH {
            for object in self.objects(side) {
                let lacking: Vec<usize> = items
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| {
                        let mapping = &self.mappings[item.mapping];
                        let lacks = || {
                            item.needs_both_sides()
                                || item.is_taken_back_from(mapping, side)
                                || item.undo.is_some()
                                || self.request.reads.is_some()
                                || item.link.as_ref().is_none_or(|link| {
                                    mapping.row.pairs.iter().any(|number| link.bases.get(*number).is_none())
                                })
                        };
                        item.decision.line.ids[side].is_some()
                            && mapping.compiled.spec.object(side) == object
                            && if item.records[side].is_none() {
                                lacks()
                            } else {
                                item.is_doubtful(mapping, side)
                            }
                    })
                    .map(|(place, _)| place)
                    .collect();
                let Some(first) = lacking.first() else { continue };
                let selection = self.mappings[items[*first].mapping].compiled.selection[side].clone();
                let ids: Vec<RecordId> = lacking
                    .iter()
                    .filter_map(|place| items[*place].decision.line.ids[side].clone())
                    .collect();
                if ids.is_empty() {
                    continue;
                }
                let read_at = self.now();
                let records = self.context.endpoints[side].read(&object, &selection, &ids).await?;
                let mut found: HashMap<RecordId, _> =
                    records.into_iter().map(|record| (record.id.clone(), record)).collect();
                for place in lacking {
                    let Some(id) = items[place].decision.line.ids[side].clone() else { continue };
                    items[place].records[side] = found.remove(&id).map(|record| Staged { record, read_at });
                }
            }
        }
        Ok(())
    }

    /// Reads what the items are about to change on a side, right before it is sent, and decides again where it moved.
    pub async fn verify(&self, items: &mut [Item], side: Side, held: bool) -> Result<(), End> {
        if broken(Mutant::VerifySkipped) {
            return Ok(());
        }
        if !broken(Mutant::DeleteUnverified) {
            self.still_gone(items, side).await?;
        }
        for object in self.objects(side) {
            let targets: Vec<usize> = items
                .iter()
                .enumerate()
                .filter(|(_, item)| {
                    matches!(item.decision.line.action, Action::Merge | Action::Delete { .. })
                        && (item.gone.is_none() || !broken(Mutant::DeleteUnverified))
                        && !item.postponed()
                        && item.results[side].is_none()
                        && item.decision.line.writes_to(side)
                        && self.mappings[item.mapping].compiled.spec.object(side) == object
                })
                .map(|(place, _)| place)
                .collect();
            let Some(first) = targets.first() else { continue };
            let selection = self.mappings[items[*first].mapping].compiled.selection[side].clone();
            let ids: Vec<RecordId> =
                targets.iter().filter_map(|place| items[*place].decision.line.ids[side].clone()).collect();
            let read_at = self.now();
            let records = self.context.endpoints[side].read(&object, &selection, &ids).await?;
            let mut now: HashMap<RecordId, _> =
                records.into_iter().map(|record| (record.id.clone(), record)).collect();
            let unreadable: Vec<RecordId> = ids.into_iter().filter(|id| !now.contains_key(id)).collect();
            let gone = self.certainly_gone(side, &object, &unreadable).await?;
            for place in targets {
                let item = &mut items[place];
                let Some(id) = item.decision.line.ids[side].clone() else { continue };
                match now.remove(&id) {
                    Some(record) => {
                        let mapping = &self.mappings[item.mapping];
                        item.found_now(mapping, side, Staged { record, read_at }, held);
                    }
                    None if gone.contains_key(&id) => {
                        self.target_gone(item, side, gone.get(&id)).await?;
                    }
                    None if item.results[side.other()].is_some() => item.postpone("target_missing"),
                    None if item.undo.is_some() => {
                        item.records[side] = None;
                        item.decide(&self.mappings[item.mapping]);
                    }
                    None => item.decision.line.action = Action::Refuse { obstacle: missing(&id, side) },
                }
            }
        }
        Ok(())
    }
}

fn missing(id: &RecordId, side: Side) -> Obstacle {
    Obstacle {
        code: "target_missing".into(),
        message: format!(
            "the linked record {id} can't be read on the {side}: it may be deleted, or this user may no longer see it; \
             nothing was written"
        ),
        pair: None,
    }
}

/// Whom a record belongs to, as it is read.
pub(super) fn met(record: &Record, us: Option<&str>) -> Met {
    match (record.author.as_deref(), us) {
        (Some(author), Some(us)) if author == us => Met::Ours,
        (Some(_), Some(_)) => Met::Others,
        _ => record.stamp.map_or(Met::Ours, Met::At),
    }
}

impl Item {
    /// Whether what was read of a record may be older than what is known of it: it says something else so shortly after that a
    /// copy may lag behind, and carries no stamp that would tell. It is read by its id before it counts as an edit (law E2).
    fn is_doubtful(&self, mapping: &Prepared, side: Side) -> bool {
        let (Some(staged), Some(link)) = (&self.records[side], &self.link) else { return false };
        let settle = TimeDelta::from_std(mapping.capabilities[side].settle).unwrap_or(TimeDelta::MAX);
        !mapping.capabilities[side].stamps.are_fine()
            && staged.read_at - link.read[side] < settle
            && !broken(Mutant::StaleReadBelieved)
            && mapping.compiled.pairs.iter().zip(&mapping.row.pairs).any(|(pair, number)| {
                let base = link.bases.get(*number);
                base.is_some_and(|base| pair.holds(side, &staged.record, &base[side]) != Some(true))
            })
    }

    /// Whether an edit of the other side is overwritten with what this side holds, which has to be sent as it is spelled there and not
    /// in the form of its base.
    fn is_taken_back_from(&self, mapping: &Prepared, side: Side) -> bool {
        let (Some(staged), Some(link)) = (&self.records[side.other()], &self.link) else { return false };
        mapping.compiled.pairs.iter().zip(&mapping.row.pairs).any(|(pair, number)| {
            pair.spec.drift == Drift::Enforce
                && !pair.direction.allows(side)
                && link.bases.get(*number).is_some_and(|base| {
                    pair.holds(side.other(), &staged.record, &base[side.other()]) == Some(false)
                })
        })
    }

    /// Takes in what the target holds right before it is written.
    fn found_now(&mut self, mapping: &Prepared, side: Side, staged: Staged, held: bool) {
        // A read that is older than what the link last saw comes from a stale copy.
        let stale = self.link.as_ref().is_some_and(
            |link| matches!((staged.record.stamp, link.stamps[side]), (Some(read), Some(known)) if read < known),
        );
        if stale {
            self.postpone("stale_read");
            return;
        }
        self.verified[side] = Some(met(&staged.record, mapping.us[side].as_deref()));
        if self.results[side.other()].is_some() {
            // The other side is written already, so this one is sent as it was decided, or not at all.
            let moved = self.decision.line.changes.iter().filter(|change| change.to == side).any(|change| {
                let pair = change.pair.and_then(|place| mapping.compiled.pairs.get(place));
                pair.is_some_and(|pair| pair.held(side, &staged.record) != Some(pair.fold(side, &change.old)))
            });
            if moved {
                self.postpone("moved");
            }
            return;
        }
        if self.given {
            if self.records[side].as_ref().is_none_or(|known| known.record.values != staged.record.values) {
                self.postpone("moved");
            }
            return;
        }
        self.records[side] = Some(staged);
        self.decide(mapping);
        // Decided anew, it would write a side that was not verified, or blank what was to wait: it is looked at again later.
        let unverified =
            side == Side::Platform && self.decision.line.writes_to(Side::Org) && self.verified.org.is_none();
        if unverified || (self.decision.blanks > 0 && !held) {
            self.postpone("moved");
        }
    }
}
