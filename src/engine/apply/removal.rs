//! What follows on the other side when a linked record is gone (law E9): decided, verified, looked up and committed.
//!
//! A delete is only ever the consequence of a tombstone. Right before it is sent both records are read once more: one that is
//! back takes the delete back, one that somebody edited since its base makes it a person's decision.

use std::collections::HashMap;

use crate::domain::compiled::CompiledPair;
use crate::domain::mapping::DeletePolicy;
use crate::domain::plan::{Action, Change, DELETED, Line, Parked, Rule};
use crate::domain::port::{RowClass, RowError, RowResult, Tombstone};
use crate::domain::record::{Record, RecordId};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::engine::apply::{Item, LookUp};
use crate::engine::context::End;
use crate::engine::decide::Decision;
use crate::engine::session::{Prepared, Session, both};
use crate::store::departures::{self, Departure, State};
use crate::store::history;
use crate::store::journal::Entry;
use crate::store::links::{self, Link};
use crate::store::{journal, pending, stage};

mod commit;

pub(in crate::engine) use commit::{close, commit_departure, lost_values};

/// What the mapping does on `on` when the counterpart is gone: its policy, where it may write there and knows how.
pub fn effective_policy(mapping: &Prepared, on: Side) -> DeletePolicy {
    let spec = &mapping.compiled.spec;
    match spec.deletes {
        _ if !spec.direction.allows(on) => DeletePolicy::Ignore,
        DeletePolicy::Deactivate if mapping.compiled.deactivation[on].is_none() => DeletePolicy::Ignore,
        policy => policy,
    }
}

impl Item {
    /// Whether it deletes or deactivates a record.
    pub(super) fn removes(&self) -> bool {
        let uncreates = self.undo.as_ref().is_some_and(|undo| undo.created.is_some());
        (self.gone.is_some() || uncreates)
            && Side::BOTH.into_iter().any(|side| self.decision.line.writes_to(side))
    }
}

/// Decides what happens to the record that is left.
pub(super) fn decide(
    mapping: &Prepared,
    link: &Link,
    departure: &Departure,
    records: &PerSide<Option<crate::store::stage::Staged>>,
) -> Decision {
    let on = departure.side.other();
    let mut line = Line {
        mapping: mapping.compiled.spec.name.clone(),
        ids: both(&link.ids),
        action: Action::Merge,
        changes: Vec::new(),
        parked: Vec::new(),
        obstacles: Vec::new(),
    };
    let held = records[on].as_ref().map(|staged| &staged.record);
    match effective_policy(mapping, on) {
        DeletePolicy::Ignore => {}
        DeletePolicy::Deactivate => {
            if let Some((field, value)) = &mapping.compiled.deactivation[on] {
                let place = mapping.compiled.selection[on].position(field);
                let old = held.and_then(|record| record.values.get(place?).cloned().flatten());
                if old.as_ref() != Some(value) {
                    line.changes.push(Change {
                        pair: None,
                        to: on,
                        fields: [field.clone()].into(),
                        old: vec![old.unwrap_or_default()],
                        new: vec![value.clone()],
                        rule: Rule::Deactivated,
                    });
                }
            }
        }
        DeletePolicy::Propagate => {
            let edits = held.map(|record| edited(mapping, link, on, record)).unwrap_or_default();
            let known = held.is_some_and(|held| was_refused(mapping, departure, on, held));
            let seen = departure.seen.as_ref().filter(|_| departure.state == State::Decided);
            match edits {
                Some((fields, edits)) if !known && seen.is_none_or(|seen| seen[on] != edits) => {
                    let mut values = PerSide { org: fields.clone(), platform: fields };
                    values[on] = edits;
                    line.parked.push(Parked {
                        pair: 0,
                        org: values.org,
                        platform: values.platform,
                        why: DELETED.into(),
                    });
                }
                _ => line.action = Action::Delete { on },
            }
        }
    }
    Decision { line, steps: Vec::new(), blanks: 0, opt_outs: 0 }
}

/// Whether a delete was refused and the record has not been touched since, so that its edits were known when it was sent.
pub(in crate::engine) fn was_refused(
    mapping: &Prepared,
    departure: &Departure,
    on: Side,
    held: &Record,
) -> bool {
    // Stamps are cut off: an edit may be that much later than it says.
    let grain = mapping.capabilities[on].stamps.grain();
    matches!(departure.state, State::Refused | State::Asked)
        && held
            .stamp
            .and_then(|stamp| stamp.checked_add_signed(grain))
            .is_some_and(|by| by <= departure.since)
}

/// The fields of a record, with their values, that differ from its base: what somebody edited. Where there is no base, and where a pair is left
/// out for now, nobody can tell, so that what would have flowed counts as edited.
pub(in crate::engine) fn edited(
    mapping: &Prepared,
    link: &Link,
    side: Side,
    record: &Record,
) -> Option<(Vec<Value>, Vec<Value>)> {
    let (mut fields, mut values) = (Vec::new(), Vec::new());
    let mut take = |pair: &CompiledPair, raw: Vec<Value>| {
        fields.extend(pair.spec.fields(side).iter().map(|name| Value::text(name.as_str())));
        values.extend(raw);
    };
    let mut differs = link.bases.0.is_empty();
    for (pair, number) in mapping.compiled.pairs.iter().zip(&mapping.row.pairs) {
        let Some(raw) = pair.values(side, record) else { continue };
        if let Some(base) = link.bases.get(*number) {
            if pair.fold(side, &raw) != base[side] {
                differs = true;
                take(pair, raw);
            }
        } else {
            // Whether the other side ever knew it can't be told.
            differs |= pair.direction.allows(side.other()) && !raw.iter().all(Value::is_blank);
            take(pair, raw);
        }
    }
    for pair in mapping.left_out.iter().filter(|pair| pair.direction.allows(side.other())) {
        differs = true;
        fields.extend(pair.fields(side).iter().map(|name| Value::text(name.as_str())));
        values.extend(pair.fields(side).iter().map(|_| Value::Null));
    }
    differs.then_some((fields, values))
}

impl Session<'_> {
    /// Records that are gone are looked at once more before anything follows from it: one that is back takes that back.
    pub(in crate::engine) async fn still_gone(&self, items: &mut [Item], on: Side) -> Result<(), End> {
        let side = on.other();
        for object in self.objects(side) {
            let asked: Vec<usize> = items
                .iter()
                .enumerate()
                .filter(|(_, item)| {
                    item.gone.as_ref().is_some_and(|departure| departure.side == side)
                        && !item.postponed()
                        && item.results[on].is_none()
                        && item.decision.line.writes_to(on)
                        && self.mappings[item.mapping].compiled.spec.object(side) == object
                })
                .map(|(place, _)| place)
                .collect();
            let ids: Vec<RecordId> =
                asked.iter().filter_map(|place| items[*place].decision.line.ids[side].clone()).collect();
            let Some(first) = asked.first().filter(|_| !ids.is_empty()) else { continue };
            let selection = self.mappings[items[*first].mapping].compiled.selection[side].clone();
            let alive = self.context.endpoints[side].read(&object, &selection, &ids).await?;
            let mut back = Vec::new();
            for place in asked {
                let item = &mut items[place];
                let Some(id) = item.decision.line.ids[side].clone() else { continue };
                if alive.iter().any(|record| record.id == id && record.became.is_empty()) {
                    item.postpone("back");
                    let link = item.gone.as_ref().map_or(0, |departure| departure.link);
                    back.push((link, self.mappings[item.mapping].row.mapping, id));
                }
            }
            let now = self.now();
            self.context
                .store
                .write(move |db| {
                    for (link, mapping, id) in &back {
                        departures::remove(db, *link)?;
                        pending::put(db, *mapping, side, id, "back", now, Some(now))?;
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    /// Which of these unreadable records are gone for certain.
    pub(in crate::engine) async fn certainly_gone(
        &self,
        side: Side,
        object: &str,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, Tombstone>, End> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let fates = self.context.endpoints[side].fates(object, ids).await?;
        Ok(fates.into_iter().map(|tombstone| (tombstone.id.clone(), tombstone)).collect())
    }

    /// A target turned out to be deleted: what was to be deleted is, and any other link learns that its record is gone.
    pub(in crate::engine) async fn target_gone(
        &self,
        item: &mut Item,
        side: Side,
        tombstone: Option<&Tombstone>,
    ) -> Result<(), End> {
        if item.gone.is_some() {
            item.results[side] = Some(RowResult::Refused(RowError {
                code: "ENTITY_IS_DELETED".into(),
                message: "it was deleted already".into(),
                fields: Vec::new(),
                class: RowClass::Gone,
            }));
            return Ok(());
        }
        item.postpone("target_gone");
        let (Some(link), Some(tombstone)) = (item.link.as_ref().map(|link| link.link), tombstone.cloned())
        else {
            return Ok(());
        };
        let now = self.now();
        self.context.store.write(move |db| departures::put(db, link, side, &tombstone, now)).await?;
        Ok(())
    }

    /// What came of a delete after a broken connection.
    pub(in crate::engine) async fn look_up_delete(
        &self,
        mapping: &Prepared,
        side: Side,
        id: &RecordId,
    ) -> Result<LookUp, End> {
        let object = mapping.compiled.spec.object(side);
        let ids = std::slice::from_ref(id);
        let held = self.context.endpoints[side].read(object, &mapping.compiled.selection[side], ids).await?;
        if !held.is_empty() {
            return Ok(LookUp::NotDone);
        }
        Ok(if self.certainly_gone(side, object, ids).await?.is_empty() {
            LookUp::Unclear
        } else {
            LookUp::Done(RowResult::Done { id: id.clone(), created: false, record: None })
        })
    }

    /// A delete of an interrupted run: where it was done its link is closed, else it is still due and decided anew.
    pub(in crate::engine) async fn recover_delete(&self, place: usize, entry: &Entry) -> Result<(), End> {
        let mapping = self.mappings[place].clone();
        let done = match &entry.target {
            Some(target) => {
                matches!(self.look_up_delete(&mapping, entry.side, target).await?, LookUp::Done(_))
            }
            None => false,
        };
        let (entry, now) = (entry.clone(), self.now());
        self.context
            .store
            .write(move |db| {
                let link = match (&entry.side, &entry.source, &entry.target) {
                    (Side::Platform, Some(org), _) | (Side::Org, _, Some(org)) => {
                        links::by_org(db, entry.mapping, org.as_str())?
                    }
                    _ => None,
                };
                if let (true, Some(target)) = (done, &entry.target) {
                    // Read before it went, it would be met as somebody who is there.
                    stage::remove(db, entry.side, mapping.compiled.spec.object(entry.side), target.as_str())?;
                }
                if let Some(link) = link.filter(|link| done && link.closed.is_none()) {
                    match departures::get(db, link.link)? {
                        Some(departure) => {
                            let changes = lost_values(&mapping, &link, entry.side);
                            close(db, entry.run, now, &mapping, &link, &departure, "deleted", &changes)?;
                        }
                        // Nobody deleted its counterpart: an undo took the creation back.
                        None => {
                            crate::engine::undo::close_uncreated(
                                db, entry.run, now, &mapping, &link, entry.side,
                            )?;
                        }
                    }
                    history::count_braked(db, entry.mapping, "delete", 1, now)?;
                }
                journal::settle(db, entry.entry)
            })
            .await?;
        Ok(())
    }
}
