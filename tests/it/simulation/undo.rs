//! Undo in a history (law E16): the judge watches every write of an undo, and knows at the end which pairs may differ because of one.
//!
//! An undo may only write over what a sync wrote, and only a value that stood there before; afterwards neither side moves until
//! a person edits one of them. It may delete only what a sync created and nobody touched since.

use std::collections::{BTreeMap, BTreeSet};

use forcesync::domain::side::Side;
use forcesync::domain::value::Value;

use super::topic::{Topic, address, held};
use super::world::{SimRecord, State, Version};

/// How long before an undo's write an edit may have slipped in behind its reads.
pub const SLIPPED_IN: i64 = 120_000;

#[derive(Clone, Debug)]
struct Mark {
    at: i64,
    restored: Option<u64>,
    /// With whom the record was linked then.
    partner: Option<String>,
}

/// What the judge knows of undos.
#[derive(Default)]
pub struct Undone {
    /// Edits whose value an undo took off a side: that they do not win is a person's wish.
    pub edits: BTreeSet<u64>,
    /// Values written by undos.
    pub writes: u64,
    /// Side and address of records whose creation an undo took back.
    pub uncreated: BTreeSet<(Side, String)>,
    /// What an undo did that none may do.
    pub wrong: Vec<String>,
    /// Addresses that an undo gave to a record or took off it: its partner in the org has another one since, and whoever has this one is
    /// kept out by it.
    pub addresses: BTreeSet<String>,
    marks: BTreeMap<(Side, String, Topic), Mark>,
}

impl Undone {
    /// The edit that the last undo of a topic put back into a record.
    pub fn put_back(&self, side: Side, id: &str, topic: Topic) -> Option<u64> {
        self.marks.get(&(side, id.to_owned(), topic)).and_then(|mark| mark.restored)
    }
}

/// What stands at the end in a pair that an undo has touched.
pub enum Standing {
    /// A person edited it since: judged like any other.
    AsEver,
    /// The two sides differ by the undo.
    Fine,
    Wrong(String),
}

/// Every change of a topic on a record: when it became visible, whether by a sync, and the edit that stood there then.
fn changes(record: &SimRecord, side: Side, topic: Topic) -> Vec<(i64, bool, Option<u64>)> {
    let mut last = None;
    let mut found = Vec::new();
    for (place, version) in record.versions.iter().enumerate() {
        let now = held(&version.values, side, topic);
        if place == 0 || now != last {
            found.push((version.visible, version.by_sync, now));
        }
        last = now;
    }
    found
}

/// Judges an undo that is about to delete a record; tells whether it takes a creation by the sync back. Nobody may have touched the
/// record since it was seen, and its counterpart has to be there.
pub fn judge_uncreation(state: &mut State, now: i64, side: Side, object: &str, id: &str) -> bool {
    let record = state.objects[side][object][id].clone();
    if !record.versions.first().is_some_and(|version| version.by_sync) {
        return false;
    }
    let email = record.newest().map(|version| address(&version.values)).unwrap_or_default();
    let old = |version: &Version| version.visible < now - SLIPPED_IN;
    // Where nothing tells when a record was touched, only what stays otherwise than we left it is an edit that can be seen.
    let stamped = side == Side::Org || state.manner.capabilities.stamps.are_fine();
    let touched = if stamped {
        record.versions.iter().any(|version| !version.by_sync && old(version))
    } else {
        let mut groups = record.versions.chunk_by(|_, next| !next.by_sync);
        groups.any(|group| {
            let last = group.iter().rev().find(|version| old(version));
            last.zip(group.first()).is_some_and(|(last, first)| last.values != first.values)
        })
    };
    if touched {
        state.judge.undone.wrong.push(format!("an undo deleted {id}, which a person had edited"));
    }
    // What was deleted or brought back just now may have been seen either way.
    let lives = |record: &SimRecord| {
        [record.at(now - SLIPPED_IN), record.newest()]
            .into_iter()
            .flatten()
            .any(|version| !version.deleted && address(&version.values) == email)
    };
    if !state.objects[side.other()].values().flatten().any(|(_, record)| lives(record)) {
        state.judge.undone.wrong.push(format!("an undo deleted {id} ({email}), which had no counterpart"));
    }
    state.judge.undone.uncreated.insert((side, email));
    true
}

/// Judges a write of an undo that was just done. `before` is what the record held.
pub fn judge_write(
    state: &mut State,
    now: i64,
    side: Side,
    object: &str,
    id: &str,
    before: &BTreeMap<String, Value>,
    fields: &[String],
) {
    let record = state.objects[side][object][id].clone();
    let after = record.newest().map(|version| address(&version.values)).unwrap_or_default();
    if after != address(before) {
        state.judge.undone.addresses.extend([address(before), after]);
    }
    for topic in Topic::ALL {
        if !topic.fields(side).iter().any(|field| fields.iter().any(|name| name == field)) {
            continue;
        }
        let (old, new) = (
            held(before, side, topic),
            record.newest().and_then(|version| held(&version.values, side, topic)),
        );
        if old == new {
            continue;
        }
        let earlier = changes(&record, side, topic);
        let earlier = &earlier[..earlier.len().saturating_sub(1)];
        if earlier.last().is_some_and(|(_, by_sync, _)| !by_sync) {
            state.judge.undone.wrong.push(format!("an undo wrote over a person's {topic:?} {old:?} of {id}"));
        }
        if new.is_some() && !earlier.iter().any(|(_, _, edit)| *edit == new) {
            state.judge.undone.wrong.push(format!("an undo made up {topic:?} {new:?} of {id}"));
        }
        state.judge.undone.writes += 1;
        state.judge.undone.edits.extend(old);
        let partner = partner(state, side, id, before);
        state
            .judge
            .undone
            .marks
            .insert((side, id.to_owned(), topic), Mark { at: now, restored: new, partner });
    }
}

/// The record of the other side that a record belongs to: the platform's carries the org's id.
fn partner(state: &State, side: Side, id: &str, held: &BTreeMap<String, Value>) -> Option<String> {
    let carried = |values: &BTreeMap<String, Value>| values.get("externalId").map(ToString::to_string);
    match side {
        Side::Org => state
            .live(Side::Platform, "contact")
            .into_iter()
            .find_map(|(other, version)| (carried(&version.values)? == id).then_some(other)),
        Side::Platform => carried(held).filter(|carried| !carried.is_empty()),
    }
}

/// What stands in a pair of records at the end, if an undo has touched it.
pub fn standing(state: &State, org: &str, platform: &str, topic: Topic) -> Standing {
    let ids = [(Side::Org, org), (Side::Platform, platform)];
    // Who has another partner since has met it without a base (law E9).
    let mark = |side: Side, id: &str| {
        let other = if side == Side::Org { platform } else { org };
        let mark = state.judge.undone.marks.get(&(side, id.to_owned(), topic))?;
        mark.partner.as_ref().is_none_or(|partner| partner == other).then_some(mark)
    };
    let Some(at) = ids.iter().filter_map(|(side, id)| mark(*side, id)).map(|mark| mark.at).max() else {
        return Standing::AsEver;
    };
    let record = |side: Side, id: &str| -> Option<SimRecord> {
        state.objects[side].values().find_map(|records| records.get(id)).cloned()
    };
    let mut slipped_in = false;
    let mut histories = Vec::new();
    for (side, id) in ids {
        let Some(record) = record(side, id) else { return Standing::AsEver };
        let all = changes(&record, side, topic);
        if all.iter().any(|(visible, by_sync, _)| !by_sync && *visible > at) {
            return Standing::AsEver;
        }
        slipped_in |= all.iter().any(|(visible, by_sync, _)| !by_sync && *visible > at - SLIPPED_IN);
        histories.push((side, id, all));
    }
    let mut now = Vec::new();
    for (side, id, all) in histories {
        let present = all.last().and_then(|(_, _, edit)| *edit);
        now.push(present);
        let mark = mark(side, id);
        if let Some(mark) = mark
            && mark.at == at
            && present != mark.restored
            && !slipped_in
        {
            return Standing::Wrong(format!(
                "{topic:?} of {id}: an undo restored {:?}, and {present:?} flowed back",
                mark.restored
            ));
        }
        if !slipped_in && mark.is_none() && all.iter().any(|(visible, _, _)| *visible > at) {
            return Standing::Wrong(format!("{topic:?} of {id} was written after an undo of its partner"));
        }
    }
    if slipped_in && now.first() == now.last() { Standing::AsEver } else { Standing::Fine }
}
