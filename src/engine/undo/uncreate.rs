//! A record that the run created goes again: in the org to the recycle bin, on a side without one for good. Only one that nobody has
//! touched since, and only while its counterpart is there, so that nothing is lost by it.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::domain::outcome::Outcome;
use crate::domain::plan::{Action, Rule};
use crate::domain::port::{RowClass, RowResult};
use crate::domain::record::{Record, RecordId};
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::domain::undo::{UndoLeft, WhyLeft};
use crate::domain::value::Value;
use crate::engine::apply::{Item, edited, lost_values};
use crate::engine::commit::{Tally, fail};
use crate::engine::decide::{Decision, line_hash};
use crate::engine::session::{Prepared, both};
use crate::engine::undo::Undo;
use crate::engine::verify::met;
use crate::mutant::{Mutant, broken};
use crate::store::facts::{self, NewFact};
use crate::store::history::{self, Call, Met, NewChange, NewHistory, compact};
use crate::store::links::{self, Closed, Link};
use crate::store::stage::{self, Staged};
use crate::store::{StoreError, issues, journal, pending, undo, work};

/// Decides whether the record goes, and why not.
pub(super) fn decide(
    mapping: &Prepared,
    side: Side,
    link: Option<&Link>,
    ids: &PerSide<Option<RecordId>>,
    records: &PerSide<Option<Staged>>,
    undo: &Undo,
    unclear: bool,
) -> (Decision, Vec<UndoLeft>) {
    let spec = &mapping.compiled.spec;
    let mut decision = Decision::nothing(spec.name.as_str(), ids.clone());
    let why = why_left(mapping, side, link, records, undo, unclear);
    let left = why.map(|why| UndoLeft {
        mapping: spec.name.clone(),
        ids: ids.clone(),
        side,
        fields: Vec::new(),
        why,
    });
    if left.is_none() {
        decision.line.action = Action::Delete { on: side };
    }
    (decision, left.into_iter().collect())
}

fn why_left(
    mapping: &Prepared,
    side: Side,
    link: Option<&Link>,
    records: &PerSide<Option<Staged>>,
    undo: &Undo,
    unclear: bool,
) -> Option<WhyLeft> {
    let Some(link) = link.filter(|link| link.closed.is_none()) else { return Some(WhyLeft::NoLink) };
    if !mapping.compiled.spec.direction.allows(side) {
        return Some(WhyLeft::Created);
    }
    if unclear {
        return Some(WhyLeft::Unclear);
    }
    let Some(staged) = &records[side] else { return Some(WhyLeft::Gone) };
    // What is left would be the only one.
    if records[side.other()].is_none() {
        return Some(WhyLeft::PartnerGone);
    }
    // Without a fine stamp, an edit in a pair that takes no part now is seen by nobody.
    let unseen = !mapping.capabilities[side].stamps.are_fine() && !mapping.left_out.is_empty();
    if unseen && !broken(Mutant::UndoUnseen) {
        return Some(WhyLeft::LeftOut);
    }
    let moved = undo.edited_since
        || touched(&staged.record, link.stamps[side], mapping.us[side].as_deref(), undo)
        || edited(mapping, link, side, &staged.record).is_some()
        || drifted(mapping, side, &staged.record, undo);
    moved.then_some(WhyLeft::Moved)
}

/// Whether somebody else touched a field that no pair maps: that moved the stamp of the record, perhaps so long ago that a run has
/// seen it. Where nobody tells who it was, a stamp well behind our last write says so.
fn touched(record: &Record, known: Option<DateTime<Utc>>, us: Option<&str>, undo: &Undo) -> bool {
    let others = match met(record, us) {
        Met::Ours => false,
        Met::Others => true,
        Met::At(stamp) => undo.written.at.is_some_and(|at| undo::is_behind(stamp, at)),
    };
    others || matches!((record.stamp, known), (Some(now), Some(known)) if now > known)
}

/// Whether somebody edited what does not flow on, or not always: a field that is only a target, or a consent. Such an edit is taken into
/// the base and left there, and nobody else would know of it. Or an edit that lost to one of the other side, which we wrote over it.
fn drifted(mapping: &Prepared, side: Side, record: &Record, undo: &Undo) -> bool {
    mapping.compiled.pairs.iter().zip(&mapping.row.pairs).any(|(pair, number)| {
        let written = undo.written.pairs.get(number);
        let moved = |before: &[Value], found: &[Value]| pair.fold(side, before) != pair.fold(side, found);
        if written
            .is_some_and(|written| written.overwritten.iter().any(|(before, found)| moved(before, found)))
        {
            return true;
        }
        if pair.direction.allows(side.other()) && !pair.spec.transform.is_consent() {
            return false;
        }
        let Some(raw) = pair.values(side, record) else { return false };
        match written {
            Some(written) => moved(&written.last, &raw),
            None => !raw.iter().all(Value::is_blank),
        }
    })
}

/// Commits what became of such a record.
pub(in crate::engine) fn commit(
    db: &Connection,
    run: i64,
    now: DateTime<Utc>,
    mapping: &Prepared,
    item: &Item,
) -> Result<(Tally, Option<i64>), StoreError> {
    let mut tally = Tally { mapping: item.mapping, ..Tally::default() };
    let Some(undo) = &item.undo else { return Ok((tally, None)) };
    let (Some(side), Some(link)) = (undo.created, &item.link) else { return Ok((tally, None)) };
    let line = &item.decision.line;
    let result = item.results[side].as_ref();
    if !matches!(result, Some(RowResult::Unknown)) {
        for entry in &item.entries {
            journal::settle(db, *entry)?;
        }
    }
    for left in &undo.left {
        undo::put_left(db, run, left)?;
    }
    let left = undo.left.len() as u64;
    tally.counts.skipped += left;
    tally.stale += left;
    let finished = |outcome: Outcome| {
        work::put_line(db, run, mapping.row.mapping, line, outcome, line_hash(line, Some(&link.bases)))
    };
    let fact = match result {
        Some(RowResult::Done { .. }) if !item.postponed() => {
            tally.counts.side_mut(side).deleted += 1;
            tally.removed = 1;
            finished(Outcome::Succeeded)?;
            Some(close(db, run, now, mapping, link, side)?)
        }
        Some(RowResult::Refused(error)) => match error.class {
            // It went by another hand; the next sync notices.
            RowClass::Gone => {
                tally.counts.unchanged += 1;
                None
            }
            RowClass::Limit => {
                tally.counts.limited += 1;
                None
            }
            RowClass::Again | RowClass::Data | RowClass::Permission => {
                tally.counts.failed += 1;
                finished(Outcome::Failed)?;
                let records =
                    item.records.as_ref().map(|staged| staged.as_ref().map(|staged| &staged.record));
                Some(fail(db, run, now, mapping, line, side, error, &records)?)
            }
        },
        None if line.action == Action::Merge => None,
        Some(RowResult::Done { .. } | RowResult::Unknown) | None => {
            tally.stale += 1;
            None
        }
    };
    Ok((tally, fact))
}

/// Closes the link of a record whose creation was taken back. No departure is noted, so that the counterpart keeps standing alone:
/// neither is it deleted, nor is what went created anew.
pub(in crate::engine) fn close(
    db: &Connection,
    run: i64,
    now: DateTime<Utc>,
    mapping: &Prepared,
    link: &Link,
    side: Side,
) -> Result<i64, StoreError> {
    let why = match side {
        Side::Org => Closed::OnOrg,
        Side::Platform => Closed::OnPlatform,
    };
    links::close(db, link.link, &why)?;
    let ids = both(&link.ids);
    let changes: Vec<NewChange> = lost_values(mapping, link, side)
        .into_iter()
        .map(|change| NewChange { rule: Some(Rule::Undone), ..change })
        .collect();
    let row = NewHistory {
        run,
        mapping: mapping.row.mapping,
        ids: &ids,
        side,
        action: "deleted",
        changes: &compact::encode(&changes),
    };
    history::put_call(db, now, &row, Some(Call { kind: "delete", met: Met::Ours }))?;
    issues::resolve(db, mapping.row.mapping, &ids)?;
    for side in Side::BOTH {
        let id = &link.ids[side];
        issues::found(db, mapping.row.mapping, side, id)?;
        pending::remove(db, mapping.row.mapping, side, id.as_str())?;
        stage::remove(db, side, mapping.compiled.spec.object(side), id.as_str())?;
    }
    let message = format!("Its creation is taken back: deleted on the {side}, and the link is closed.");
    let fact = NewFact::new(Level::Info, Some(run), message);
    facts::insert(db, now, &fact.of_mapping(&mapping.compiled.spec.name).about(&ids))
}
