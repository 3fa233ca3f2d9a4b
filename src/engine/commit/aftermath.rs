//! What came of an item's writes: what is to be committed, worked out beside the database's thread, which a run waits for most.

use crate::domain::compiled::CompiledPair;
use crate::domain::plan::{Action, Line, UNKNOWN_OUTCOME};
use crate::domain::port::{RowClass, RowResult};
use crate::domain::record::{Record, RecordId};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::engine::apply::Item;
use crate::engine::commit::link::{Draft, draft};
use crate::engine::recover::alike;
use crate::engine::session::Prepared;
use crate::mutant::{Mutant, broken};
use crate::store::history::{NewChange, compact, names};

/// What came of an item's writes.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    /// The records that were written.
    pub(super) written: PerSide<Option<RecordId>>,
    /// Whether they are new.
    pub(super) created: PerSide<bool>,
    /// Both records, as far as they are known now.
    pub(super) ids: PerSide<Option<RecordId>>,
    /// Whether something of it is left for later.
    pub(super) unfinished: bool,
    /// The link, unless the two have not met.
    pub(super) link: Option<Draft>,
    /// What was written, as the history keeps it.
    pub(super) changes: PerSide<Vec<u8>>,
}

impl Aftermath {
    pub(super) fn of(run: i64, mapping: &Prepared, item: &Item) -> Self {
        let line = &item.decision.line;
        let own = item.gone.is_some() || item.undo.as_ref().is_some_and(|undo| undo.created.is_some());
        if own || matches!(line.action, Action::Skip { .. } | Action::Refuse { .. }) {
            return Self::default();
        }
        let mut aftermath = Self { unfinished: item.postponed(), ..Self::default() };
        for side in Side::BOTH.into_iter().filter(|side| goes_to(line, *side)) {
            match &item.results[side] {
                Some(RowResult::Done { id, created, .. }) => {
                    aftermath.written[side] = Some(id.clone());
                    aftermath.created[side] = *created;
                }
                Some(RowResult::Refused(error)) => {
                    aftermath.unfinished |= match error.class {
                        RowClass::Limit => true,
                        RowClass::Again => !broken(Mutant::LockIsFailure),
                        RowClass::Data | RowClass::Gone | RowClass::Permission => false,
                    };
                }
                Some(RowResult::Unknown) | None => aftermath.unfinished = true,
            }
        }
        aftermath.ids =
            PerSide::from_fn(|side| aftermath.written[side].clone().or_else(|| line.ids[side].clone()));
        let after = after(item);
        for side in Side::BOTH.into_iter().filter(|side| aftermath.written[*side].is_some()) {
            aftermath.changes[side] = compact::encode(&changes(item, side, &after, mapping));
        }
        let met = item.link.is_some()
            || !aftermath.unfinished
            || item.later == Some(UNKNOWN_OUTCOME)
            || aftermath.written.org.is_some()
            || aftermath.written.platform.is_some();
        if let (true, PerSide { org: Some(org), platform: Some(platform) }) = (met, &aftermath.ids) {
            let ids = PerSide { org: org.clone(), platform: platform.clone() };
            aftermath.link = Some(draft(run, mapping, item, ids, &after, &aftermath.written));
        }
        aftermath
    }
}

/// Whether a line writes to a side.
pub(super) fn goes_to(line: &Line, side: Side) -> bool {
    match line.action {
        Action::Create { on } => on == side,
        Action::Merge
        | Action::Delete { .. }
        | Action::Restore { .. }
        | Action::Skip { .. }
        | Action::Refuse { .. } => line.writes_to(side),
    }
}

/// The records as they are known now: as the answer to a write told, else as they were read.
pub(super) fn after(item: &Item) -> PerSide<Option<&Record>> {
    PerSide::from_fn(|side| match &item.results[side] {
        Some(RowResult::Done { record: Some(record), .. }) if goes_to(&item.decision.line, side) => {
            Some(record)
        }
        _ => item.records[side].as_ref().map(|staged| &staged.record),
    })
}

/// What was written to a side, as it stands there and as the history tells it. Where that was found by a look-up, what differs from what was
/// sent is an edit of somebody else, and not ours to take back.
fn changes(item: &Item, side: Side, after: &PerSide<Option<&Record>>, mapping: &Prepared) -> Vec<NewChange> {
    let ours = |pair: &CompiledPair, held: &[Value], sent: &[Value]| {
        !item.looked_up[side] || alike(&pair.fold(side, held), &pair.fold(side, sent))
    };
    let changes = item.decision.line.changes.iter();
    changes
        .filter(|change| change.to == side)
        .map(|change| {
            let pair = change.pair.and_then(|place| mapping.compiled.pairs.get(place));
            let held = pair.and_then(|pair| {
                let held = pair.values(side, after[side]?)?;
                ours(pair, &held, &change.new).then_some(held)
            });
            NewChange {
                pair: change.pair.and_then(|place| mapping.row.pairs.get(place)).copied(),
                fields: match pair {
                    Some(pair)
                        if *pair.spec.fields(side) == *change.fields && names::tells(&change.fields) =>
                    {
                        Vec::new()
                    }
                    Some(_) | None => change.fields.to_vec(),
                },
                old: change.old.clone(),
                new: held.unwrap_or_else(|| change.new.clone()),
                rule: Some(change.rule),
            }
        })
        .collect()
}
