//! The link of a finished line, with the bases that its steps ask for.

use crate::domain::compiled::CompiledPair;
use crate::domain::record::{Record, RecordId};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::engine::apply::Item;
use crate::engine::decide::BaseStep;
use crate::engine::recover::alike;
use crate::engine::session::Prepared;
use crate::mutant::{Mutant, broken};
use crate::store::StoreError;
use crate::store::links::{self, Bases, Link, NewLink};

/// What is to become of a link.
#[derive(Debug)]
pub(super) enum Draft {
    /// It stays as it is.
    Stays(i64),
    /// It is made, or rewritten.
    Link(Box<NewLink>),
}

/// What became of a link.
pub(super) enum Kept {
    /// It was there, and may have been rewritten.
    Link(i64),
    /// It is new, and has to be counted.
    Made(i64),
    /// One of its records belongs to another link, which is open.
    HeldBy(Box<Link>),
}

/// The link as it is to be, with the bases that the steps ask for.
pub(super) fn draft(
    run: i64,
    mapping: &Prepared,
    item: &Item,
    ids: PerSide<RecordId>,
    after: &PerSide<Option<&Record>>,
    written: &PerSide<Option<RecordId>>,
) -> Draft {
    let compiled = &mapping.compiled;
    let none = Bases::default();
    let before = item.link.as_ref().map_or(&none, |link| &link.bases);
    let mut bases = before.clone();
    for (place, step) in item.decision.steps.iter().enumerate() {
        let (Some(pair), Some(number)) = (compiled.pairs.get(place), mapping.row.pairs.get(place)) else {
            continue;
        };
        let meant = match step {
            BaseStep::Keep if !broken(Mutant::ParkedTakesBase) => continue,
            BaseStep::Adopt | BaseStep::Keep => PerSide { org: false, platform: false },
            BaseStep::Written(sides) => *sides,
        };
        if *step == BaseStep::Adopt && before.get(*number).is_some_and(|base| still_holds(pair, base, item)) {
            continue;
        }
        // A write that was refused or is unclear leaves the old base, so that it is tried again.
        let refused = |side: &Side| meant[*side] && written[*side].is_none();
        if Side::BOTH.iter().any(refused) && !broken(Mutant::RefusedTakesBase) {
            continue;
        }
        let value = |side: Side| -> Option<Vec<Value>> {
            // Found by a look-up: what differs from what was sent is an edit of somebody else, and must still be seen as one.
            if meant[side] && (item.looked_up[side] || broken(Mutant::SentBecomesBase)) {
                let change = item
                    .decision
                    .line
                    .changes
                    .iter()
                    .find(|change| change.pair == Some(place) && change.to == side)?;
                let sent = pair.fold(side, &change.new);
                let held = after[side].and_then(|record| pair.held(side, record));
                let held = held.filter(|held| alike(held, &sent) && !broken(Mutant::SentBecomesBase));
                return Some(held.unwrap_or(sent));
            }
            // What this pair did not write is as it was decided from, not as it was read back: an edit that slipped in between
            // must still be seen as one.
            let decided = item.records[side].as_ref().map(|staged| &staged.record);
            let record = if meant[side] { after[side] } else { decided };
            match record {
                Some(record) => pair.held(side, record),
                None => before.get(*number).map(|base| base[side].clone()),
            }
        };
        if let (Some(org), Some(platform)) = (value(Side::Org), value(Side::Platform)) {
            bases.set(*number, PerSide { org, platform });
        }
    }
    let unchanged = bases == *before && written.org.is_none() && written.platform.is_none();
    if let Some(link) = &item.link
        && unchanged
        && !compiled.pairs.iter().any(|pair| pair.spec.policy == crate::domain::mapping::Policy::NewestWins)
    {
        return Draft::Stays(link.link);
    }
    let stamps = PerSide::from_fn(|side| {
        let known = item.link.as_ref().and_then(|link| link.stamps[side]);
        // A touch of something else than the pairs is told from our own writes by a stamp that is later than the link's.
        after[side].filter(|_| !unchanged).and_then(|record| record.stamp).max(known)
    });
    let read = PerSide::from_fn(|side| {
        let known = item.link.as_ref().map(|link| link.read[side]).unwrap_or_default();
        // With an edit on its way that an undo did not touch, the side was not seen equal to its base.
        let equal = item.undo.as_ref().is_none_or(|undo| !undo.differs[side]);
        item.records[side].as_ref().filter(|_| equal).map_or(known, |staged| staged.read_at.max(known))
    });
    let keys = key_hashes(mapping, &bases, after);
    let (mapping, family) = (mapping.row.mapping, mapping.row.family);
    Draft::Link(Box::new(NewLink { mapping, family, ids, stamps, read, keys, bases: bases.encode(), run }))
}

/// Makes or rewrites a link.
pub(super) fn keep_link(db: &rusqlite::Connection, item: &Item, draft: &Draft) -> Result<Kept, StoreError> {
    let link = match draft {
        Draft::Stays(link) => return Ok(Kept::Link(*link)),
        Draft::Link(link) => link,
    };
    if item.link.is_none() {
        // Mostly neither record has a link, which the database finds out as it makes one.
        if let Some(made) = links::make(db, link)? {
            return Ok(Kept::Made(made));
        }
        if let Some(holder) = holder_of(db, link)? {
            return Ok(Kept::HeldBy(Box::new(holder)));
        }
    }
    links::put(db, link).map(Kept::Link)
}

/// The open link that has one of two records which are about to be linked with each other (law E1).
fn holder_of(db: &rusqlite::Connection, link: &NewLink) -> Result<Option<Link>, StoreError> {
    let held = |side: Side| links::head(db, side, link.mapping, link.family, link.ids[side].as_str());
    let mut held =
        held(Side::Platform)?.into_iter().chain(held(Side::Org)?).filter(|held| held.closed.is_none());
    Ok(held.find(|held| held.ids != link.ids))
}

/// Whether what was decided from is what is the base already.
fn still_holds(pair: &CompiledPair, base: &PerSide<Vec<Value>>, item: &Item) -> bool {
    Side::BOTH.into_iter().all(|side| match &item.records[side] {
        Some(staged) => pair.holds(side, &staged.record, &base[side]) == Some(true),
        None => true,
    })
}

/// Hashes of the key as either side holds it, in the platform's canonical form: as its base says, else as it was read, so that
/// a link whose key has no base yet still keeps its key to itself (law E1).
pub fn key_hashes(
    mapping: &Prepared,
    bases: &Bases,
    records: &PerSide<Option<&Record>>,
) -> PerSide<Option<i64>> {
    PerSide::from_fn(|side| {
        let read = || mapping.compiled.key_of(side, records[side]?);
        key_in(mapping, bases, side).or_else(read).map(|key| links::key_hash(&key))
    })
}

fn key_in(mapping: &Prepared, bases: &Bases, side: Side) -> Option<Vec<Value>> {
    let mut key = Vec::new();
    for place in &mapping.compiled.keys {
        let (pair, number) = (mapping.compiled.pairs.get(*place)?, mapping.row.pairs.get(*place)?);
        let base = bases.get(*number)?;
        let folded = match side {
            Side::Platform => base.platform.clone(),
            Side::Org => {
                let turned = pair.translate(Side::Org, &base.org, None).ok()?;
                pair.fold(Side::Platform, &turned)
            }
        };
        if folded.iter().all(Value::is_blank) {
            return None;
        }
        key.extend(folded);
    }
    (!key.is_empty()).then_some(key)
}
