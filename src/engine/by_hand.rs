//! What people decided by hand becomes part of a line (laws E2, E3, E7): once, and only while both sides hold what was seen.
//!
//! A parked pair is overruled where it is decided ([`overrule`], called by [`decide`](crate::engine::decide)). The value of a record
//! that the other side does not have yet is edited before records are matched ([`Session::edit_unlinked`]), so that a new key is
//! matched like any other (law E1). Both go through verify, journal, send and commit like everything else.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

use crate::domain::by_hand::Choice;
use crate::domain::compiled::CompiledPair;
use crate::domain::consent::Consent;
use crate::domain::merge::{Seen, Verdict};
use crate::domain::plan::{Action, Change, Obstacle, Rule, SkipReason, UNKNOWN_OUTCOME};
use crate::domain::port::RowResult;
use crate::domain::record::{Record, RecordId};
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::value::Value;
use crate::engine::apply::Item;
use crate::engine::context::End;
use crate::engine::decide::Decision;
use crate::engine::plan::outcome_of;
use crate::engine::recover::alike;
use crate::engine::session::{Prepared, Session};
use crate::engine::verify::met;
use crate::store::decisions::{self, Stored};
use crate::store::stage::{self, Staged};
use crate::store::{StoreError, links};

/// The verdict on a pair about which a person has decided; `merged` is what the rules say without them.
pub fn overrule(
    pair: &CompiledPair,
    decision: Option<&Stored>,
    now: &PerSide<Seen>,
    merged: Verdict,
) -> Verdict {
    let Some(decision) = decision else { return merged };
    let chosen = match chosen(pair, decision, now) {
        Ok(chosen) => chosen,
        Err(obstacle) => return Verdict::Stuck(obstacle),
    };
    if !stands(pair, decision, now, &chosen) {
        return dropped(decision, merged);
    }
    if let Transform::Consent { org, platform } = &pair.spec.transform {
        return consent(pair, decision, &PerSide { org: *org, platform: *platform }, now, &chosen);
    }
    let mut values = PerSide::default();
    for side in Side::BOTH {
        if pair.fold(side, &chosen[side]) == now[side].folded {
            continue;
        }
        if !pair.direction.allows(side) {
            match decision.choice {
                // In a pair of one direction the origin keeps its own value.
                Choice::Org | Choice::Platform => continue,
                Choice::Value { .. } if pair.writable[side] => {}
                Choice::Value { .. } => return Verdict::Stuck(not_writable(pair, side)),
            }
        }
        values[side] = Some(chosen[side].clone());
    }
    if values.org.is_none() && values.platform.is_none() {
        return Verdict::Settled;
    }
    Verdict::Write { values, rule: if decision.is_edit() { Rule::Edited } else { Rule::Decided } }
}

/// What both sides shall hold.
fn chosen(
    pair: &CompiledPair,
    decision: &Stored,
    now: &PerSide<Seen>,
) -> Result<PerSide<Vec<Value>>, Obstacle> {
    let of = |side: Side| decision.seen[side].clone().unwrap_or_else(|| now[side].raw.clone());
    let (from, values) = match &decision.choice {
        Choice::Org => (Side::Org, of(Side::Org)),
        Choice::Platform => (Side::Platform, of(Side::Platform)),
        Choice::Value { side, values } => (*side, typed(pair, *side, values)),
    };
    let to = from.other();
    let turned = pair.translate(from, &values, Some(&now[to].raw)).map_err(|error| Obstacle {
        code: error.code().into(),
        message: error.to_string(),
        pair: None,
    })?;
    let mut both = PerSide { org: turned.clone(), platform: turned };
    both[from] = values;
    Ok(both)
}

/// Typed text as a value of its field's kind; text stays as it was typed.
fn typed(pair: &CompiledPair, side: Side, values: &[Value]) -> Vec<Value> {
    let folded = pair.fold(side, values);
    values
        .iter()
        .zip(folded)
        .map(|(raw, folded)| match folded {
            Value::Text(_) => raw.clone(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Date(_)
            | Value::Moment(_)
            | Value::Set(_) => folded,
        })
        .collect()
}

/// Whether either side still holds what the person saw, or already holds what they chose: a run may have been interrupted
/// between the two writes.
fn stands(pair: &CompiledPair, decision: &Stored, now: &PerSide<Seen>, chosen: &PerSide<Vec<Value>>) -> bool {
    Side::BOTH.into_iter().all(|side| {
        let Some(seen) = &decision.seen[side] else { return true };
        let (seen, wanted) = (pair.fold(side, seen), pair.fold(side, &chosen[side]));
        now[side].folded == seen || (wanted != seen && alike(&now[side].folded, &wanted))
    })
}

/// Nothing comes of the decision: the rules hold, but a parked pair waits for the person to look again.
fn dropped(decision: &Stored, merged: Verdict) -> Verdict {
    match merged {
        Verdict::Write { .. } if !decision.is_edit() => Verdict::Park(match decision.why.as_str() {
            "first_meeting" => "first_meeting",
            "ping_pong" => "ping_pong",
            UNKNOWN_OUTCOME => UNKNOWN_OUTCOME,
            _ => "ask",
        }),
        other => other,
    }
}

/// Consent by hand (law E3): "out" crosses, "in" never lifts an "out".
fn consent(
    pair: &CompiledPair,
    decision: &Stored,
    forms: &PerSide<crate::domain::consent::ConsentForm>,
    now: &PerSide<Seen>,
    chosen: &PerSide<Vec<Value>>,
) -> Verdict {
    let says = |side: Side, values: &[Value]| {
        let value = values.first().cloned().unwrap_or_default();
        forms[side].read(&value, None).unwrap_or(Consent::Unknown)
    };
    let from = match &decision.choice {
        Choice::Org => Side::Org,
        Choice::Platform => Side::Platform,
        Choice::Value { side, .. } => *side,
    };
    let mut values: PerSide<Option<Vec<Value>>> = PerSide::default();
    let out = PerSide::from_fn(|side| says(side, &now[side].raw) == Consent::No);
    if says(from, &chosen[from]) == Consent::No {
        for side in Side::BOTH {
            if !out[side] && (side == from || pair.direction.allows(side)) {
                values[side] = Some(vec![forms[side].write(false)]);
            }
        }
    } else if out.org || out.platform {
        return Verdict::Stuck(opt_out_stands());
    } else if let Choice::Value { .. } = decision.choice {
        // The edited side alone; whether it crosses is for the rules to say.
        values[from] = Some(chosen[from].clone());
    }
    if let Some(side) = Side::BOTH.into_iter().find(|side| values[*side].is_some() && !pair.writable[*side]) {
        return Verdict::Stuck(not_writable(pair, side));
    }
    if values.org.is_none() && values.platform.is_none() {
        return Verdict::Settled;
    }
    Verdict::Write { values, rule: if decision.is_edit() { Rule::Edited } else { Rule::Decided } }
}

fn opt_out_stands() -> Obstacle {
    Obstacle {
        code: "opt_out_stands".into(),
        message: crate::domain::by_hand::OPT_OUT_STANDS.into(),
        pair: None,
    }
}

fn not_writable(pair: &CompiledPair, side: Side) -> Obstacle {
    Obstacle {
        code: "not_writable".into(),
        message: format!(
            "{} can't be written by this user on the {side}; change it there by hand",
            pair.spec.fields(side).join(", ")
        ),
        pair: None,
    }
}

/// Uses up the decisions of a line that is finished, and notes on the conflict where one came to nothing.
pub fn settle(db: &Connection, mapping: &Prepared, item: &Item, link: Option<i64>) -> Result<(), StoreError> {
    for decision in &item.by_hand {
        let Some(place) = mapping.row.pairs.iter().position(|number| *number == decision.pair) else {
            decisions::remove(db, decision.decision)?;
            continue;
        };
        let Some(pair) = mapping.compiled.pairs.get(place) else { continue };
        let look = |side: Side| -> Option<Seen> {
            let raw = pair.values(side, &item.records[side].as_ref()?.record)?;
            Some(Seen { folded: pair.fold(side, &raw), raw })
        };
        let met = Side::BOTH.into_iter().all(|side| item.decision.line.ids[side].is_some());
        let both = (met, look(Side::Org), look(Side::Platform));
        if let (true, Some(org), Some(platform)) = both {
            let now = PerSide { org, platform };
            let came = chosen(pair, decision, &now).is_ok_and(|chosen| stands(pair, decision, &now, &chosen));
            let why = match item.decision.line.action {
                Action::Skip { reason: SkipReason::OutOfScope } => decisions::OUT_OF_SCOPE,
                _ if came => "",
                _ => decisions::MOVED,
            };
            if let (false, Some(link)) = (why.is_empty(), link) {
                decisions::note(db, link, decision.pair, why)?;
            }
        } else if met {
            // One side could not be read: nothing was decided yet.
            continue;
        }
        decisions::remove(db, decision.decision)?;
    }
    Ok(())
}

impl Session<'_> {
    /// Edits the values of records that the other side does not have, before anything is matched.
    pub async fn edit_unlinked(&mut self) -> Result<(), End> {
        for place in 0..self.mappings.len() {
            let mapping = self.mappings[place].row.mapping;
            let open = self.context.store.write(move |db| decisions::of_unlinked(db, mapping)).await?;
            for side in Side::BOTH {
                let mine: Vec<Stored> = open
                    .iter()
                    .filter(|decision| decision.ids[side].is_some() && decision.ids[side.other()].is_none())
                    .cloned()
                    .collect();
                if !mine.is_empty() {
                    self.edit_side(place, side, mine).await?;
                }
            }
        }
        Ok(())
    }

    async fn edit_side(&mut self, place: usize, side: Side, open: Vec<Stored>) -> Result<(), End> {
        let mapping = self.mappings[place].clone();
        let (number, family) = (mapping.row.mapping, mapping.row.family);
        let unlinked = self
            .context
            .store
            .write(move |db| {
                let mut unlinked = Vec::new();
                for decision in open {
                    let Some(id) = &decision.ids[side] else { continue };
                    let link = match side {
                        Side::Org => links::by_org(db, number, id.as_str())?,
                        Side::Platform => links::by_platform(db, family, id.as_str())?,
                    };
                    // Linked by now: it is decided with its pair.
                    if link.is_none() {
                        unlinked.push(decision);
                    }
                }
                Ok(unlinked)
            })
            .await?;
        let mut ids: Vec<RecordId> =
            unlinked.iter().filter_map(|decision| decision.ids[side].clone()).collect();
        ids.sort();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        let object = mapping.compiled.spec.object(side).to_owned();
        let read_at = self.now();
        let records =
            self.context.endpoints[side].read(&object, &mapping.compiled.selection[side], &ids).await?;
        let found: HashMap<RecordId, Record> =
            records.into_iter().map(|record| (record.id.clone(), record)).collect();
        let mut items = Vec::new();
        for id in ids {
            let mine: Vec<Stored> = unlinked
                .iter()
                .filter(|decision| decision.ids[side].as_ref() == Some(&id))
                .cloned()
                .collect();
            if let Some(record) = found.get(&id) {
                items.push(edit_of(&mapping, place, side, record, read_at, mine));
            } else {
                self.context
                    .store
                    .write(move |db| mine.iter().try_for_each(|gone| decisions::remove(db, gone.decision)))
                    .await?;
            }
        }
        if let Some(edited) = self.write_down_edits(&items, side).await? {
            self.context.store.write(move |db| stage::put(db, side, &object, &edited, read_at)).await?;
            return Ok(());
        }
        let sifted = self.sift(&mut items).await?;
        self.send(&mut items, side, false).await?;
        let written: Vec<Record> = items
            .iter()
            .filter_map(|item| match &item.results[side] {
                Some(RowResult::Done { record, .. }) => record.clone(),
                Some(RowResult::Refused(_) | RowResult::Unknown) | None => None,
            })
            .collect();
        let outcomes = items.iter().map(outcome_of).collect();
        self.commit(items).await?;
        self.note().await?;
        self.settle_plan(sifted, outcomes).await?;
        let read_at = self.now();
        self.context.store.write(move |db| stage::put(db, side, &object, &written, read_at)).await?;
        Ok(())
    }
}

/// The line that edits a record: what still stands of its decisions.
fn edit_of(
    mapping: &Prepared,
    place: usize,
    side: Side,
    record: &Record,
    read_at: chrono::DateTime<chrono::Utc>,
    by_hand: Vec<Stored>,
) -> Item {
    let mut ids = PerSide::default();
    ids[side] = Some(record.id.clone());
    let mut decision = Decision::nothing(mapping.compiled.spec.name.as_str(), ids);
    let line = &mut decision.line;
    for decision in &by_hand {
        let found = mapping.row.pairs.iter().position(|number| *number == decision.pair);
        let Some((pair_place, pair)) = found.and_then(|at| Some((at, mapping.compiled.pairs.get(at)?)))
        else {
            continue;
        };
        let Some(raw) = pair.values(side, record) else { continue };
        let folded = pair.fold(side, &raw);
        let Choice::Value { side: of, values } = &decision.choice else { continue };
        let seen = decision.seen[side].as_ref().is_none_or(|seen| pair.fold(side, seen) == folded);
        let new = typed(pair, side, values);
        if *of != side || !seen || pair.fold(side, &new) == folded {
            continue;
        }
        if !pair.writable[side] {
            line.obstacles.push(Obstacle { pair: Some(pair_place), ..not_writable(pair, side) });
            continue;
        }
        line.changes.push(Change {
            pair: Some(pair_place),
            to: side,
            fields: Arc::clone(&pair.names[side]),
            old: raw,
            new,
            rule: Rule::Edited,
        });
    }
    let mut records = PerSide::default();
    records[side] = Some(Staged { record: record.clone(), read_at });
    let mut verified = PerSide::default();
    verified[side] = Some(met(record, mapping.us[side].as_deref()));
    Item {
        work: 0,
        mapping: place,
        link: None,
        waiting: Vec::new(),
        counted: false,
        unsettled: false,
        gone: None,
        undo: None,
        by_hand,
        given: true,
        records,
        verified,
        decision,
        results: PerSide::default(),
        looked_up: PerSide::default(),
        entries: Vec::new(),
        later: None,
    }
}

#[cfg(test)]
mod tests;
