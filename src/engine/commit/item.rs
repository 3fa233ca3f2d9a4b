//! The commit of one item: its results, its link with the bases, what waits, its issues and its rows of history.

use chrono::TimeDelta;

use crate::domain::outcome::Outcome;
use crate::domain::plan::{Action, PING_PONG, SkipReason, UNKNOWN_OUTCOME};
use crate::domain::port::{RowClass, RowError, RowResult};
use crate::domain::record::{Record, RecordId};
use crate::domain::side::{PerSide, Side};
use crate::engine::apply::{Item, commit_departure, meant};
use crate::engine::by_hand;
use crate::engine::commit::Tally;
use crate::engine::commit::aftermath::{self, Aftermath};
use crate::engine::commit::link::{Kept, keep_link};
use crate::engine::commit::refusal::{close_line, fail, label, stray_create, tell_fight};
use crate::engine::decide::{BaseStep, line_hash};
use crate::engine::plan::NOT_IN_PLAN;
use crate::engine::recover::park_unclear;
use crate::engine::session::Prepared;
use crate::mutant::{Mutant, broken};
use crate::store::history::{self, Call, Met, NewHistory};
use crate::store::holds::Holds;
use crate::store::issues;
use crate::store::links;
use crate::store::{StoreError, decisions, moved, pending, stage, turns, work};

/// The journal entries that are done with once an item is committed. Where the run ends with rows whose fate is unknown they stay, and
/// the next run looks them up.
pub(super) fn settled(item: &Item) -> &[i64] {
    let unknown = Side::BOTH.iter().any(|side| matches!(item.results[*side], Some(RowResult::Unknown)));
    // Those of other kinds of work are settled with it.
    let own = item.gone.is_some() || item.undo.as_ref().is_some_and(|undo| undo.created.is_some());
    if unknown || own { &[] } else { &item.entries }
}

/// How long a record that moved or is unclear waits before it is looked at again.
fn soon() -> TimeDelta {
    TimeDelta::seconds(30)
}

/// Commits one item; gives what it adds to the counts, and the sequence of its fact.
pub(super) fn commit_item(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    mapping: &Prepared,
    item: &Item,
    aftermath: &Aftermath,
    holds: Holds,
) -> Result<(Tally, Option<i64>), StoreError> {
    if item.undo.as_ref().is_some_and(|undo| undo.created.is_some()) {
        return crate::engine::undo::commit_uncreated(db, run, now, mapping, item);
    }
    if let Some(departure) = &item.gone {
        return commit_departure(db, run, now, mapping, item, departure);
    }
    let mut tally = Tally { mapping: item.mapping, ..Tally::default() };
    let line = &item.decision.line;
    let records = item.records.as_ref().map(|staged| staged.as_ref().map(|staged| &staged.record));
    if matches!(line.action, Action::Skip { .. } | Action::Refuse { .. }) {
        if matches!(line.action, Action::Skip { .. }) {
            tally.counts.skipped += 1;
        } else {
            tally.counts.failed += 1;
        }
        let fact = close_line(db, run, now, mapping, line, &records)?;
        if let (Some(_), Action::Skip { reason: SkipReason::OutOfScope }, Some(org)) =
            (&item.link, &line.action, &line.ids.org)
        {
            // Passed over, not forgotten: once it is back, both sides are read whatever changed then (law E12).
            pending::put(db, mapping.row.mapping, Side::Org, org, "out_of_scope", now, None)?;
            if let Some(record) = records.org {
                moved::put(db, Side::Org, mapping.compiled.spec.object(Side::Org), record, now)?;
            }
        }
        by_hand::settle(db, mapping, item, item.link.as_ref().map(|link| link.link))?;
        tally.done = true;
        return Ok((tally, fact));
    }
    let mut fact = None;
    let mut refused = false;
    let mut later = item.later;
    let after = aftermath::after(item);
    let written = &aftermath.written;
    for side in Side::BOTH.into_iter().filter(|side| aftermath::goes_to(line, *side)) {
        match &item.results[side] {
            Some(RowResult::Done { created: true, .. }) => tally.counts.side_mut(side).created += 1,
            Some(RowResult::Done { created: false, .. }) => tally.counts.side_mut(side).updated += 1,
            Some(RowResult::Refused(error)) => match error.class {
                RowClass::Limit => tally.counts.limited += 1,
                // Still locked after all tries: nothing is wrong with it, so it is tried again soon.
                RowClass::Again if !broken(Mutant::LockIsFailure) => later = Some("row_lock"),
                RowClass::Again | RowClass::Data | RowClass::Gone | RowClass::Permission => {
                    refused = true;
                    tally.counts.failed += 1;
                    fact = Some(fail(db, run, now, mapping, line, side, error, &records)?);
                }
            },
            Some(RowResult::Unknown) | None => {}
        }
    }
    for obstacle in &line.obstacles {
        refused = true;
        tally.counts.failed += 1;
        let error = RowError {
            code: obstacle.code.clone(),
            message: obstacle.message.clone(),
            fields: obstacle
                .pair
                .and_then(|pair| mapping.compiled.pairs.get(pair))
                .map(|pair| pair.spec.org.clone())
                .unwrap_or_default(),
            class: RowClass::Data,
        };
        fact = Some(fail(db, run, now, mapping, line, Side::Org, &error, &records)?);
    }
    let ids = &aftermath.ids;
    let mut kept = None;
    if let Some(draft) = &aftermath.link {
        match keep_link(db, item, draft)? {
            Kept::Link(link) => kept = Some(link),
            Kept::Made(link) => {
                kept = Some(link);
                tally.links += 1;
            }
            Kept::HeldBy(holder) => {
                refused = true;
                tally.counts.failed += 1;
                fact = Some(fail(
                    db,
                    run,
                    now,
                    mapping,
                    line,
                    Side::Platform,
                    &stray_create(&holder),
                    &records,
                )?);
            }
        }
    }
    if let Some(link) = kept {
        if item.later == Some(UNKNOWN_OUTCOME) {
            for side in Side::BOTH {
                if written[side].is_none() && line.action == Action::Merge {
                    park_unclear(db, link, side, &meant(mapping, item, side), run, now)?;
                }
            }
        }
        for parked in &line.parked {
            if let Some(number) = mapping.row.pairs.get(parked.pair) {
                let new = pending::park(db, link, *number, parked, run, now)?;
                if new && parked.why == PING_PONG {
                    fact = Some(tell_fight(db, run, now, mapping, item, parked.pair)?);
                }
            }
        }
        if !line.parked.is_empty() {
            decisions::label(db, link, &label(&mapping.compiled, &records))?;
        }
        for (place, step) in item.decision.steps.iter().enumerate() {
            let undone = matches!(step, BaseStep::Written(sides)
                if Side::BOTH.iter().any(|side| sides[*side] && written[*side].is_none()));
            if holds.parked
                && *step != BaseStep::Keep
                && !undone
                && let Some(number) = mapping.row.pairs.get(place)
                && item.link.is_some()
                && item.later != Some(UNKNOWN_OUTCOME)
                && pending::unpark(db, link, *number)?
            {
                turns::settle(db, link, *number)?;
            }
        }
        if line.action == Action::Merge && item.link.is_some() {
            for change in line.changes.iter().filter(|change| written[change.to].is_some()) {
                if let Some(number) = change.pair.and_then(|place| mapping.row.pairs.get(place)) {
                    // Taking a run back is no turn of the sync: a person decided.
                    if item.undo.is_some() {
                        turns::settle(db, link, *number)?;
                    } else {
                        turns::note(db, link, *number, change.to, now)?;
                    }
                }
            }
        }
    }
    tally.counts.conflicts += line.parked.len() as u64;
    for side in Side::BOTH {
        if written[side].is_some() {
            let action = if aftermath.created[side] { "created" } else { "updated" };
            let kind = match line.action {
                Action::Create { on } if mapping.compiled.spec.mark(on).is_some() => "upsert",
                Action::Create { .. } => "create",
                _ => "update",
            };
            let sequence = history::put_call(
                db,
                now,
                &NewHistory {
                    run,
                    mapping: mapping.row.mapping,
                    ids,
                    side,
                    action,
                    changes: &aftermath.changes[side],
                },
                Some(Call { kind, met: item.verified[side].unwrap_or(Met::Ours) }),
            )?;
            fact = Some(sequence);
        }
    }
    let wrote = written.org.is_some() || written.platform.is_some();
    if wrote {
        tally.opt_outs = item.decision.opt_outs;
        tally.blanks = item.decision.blanks;
    }
    let left =
        crate::engine::undo::commit(db, run, now, mapping, item, &written.as_ref().map(Option::is_some))?;
    tally.counts.skipped += left;
    tally.stale += left;
    if aftermath.unfinished {
        // Unless the run ends here, the record is looked at again; when it ends, its feeds are not finished anyway.
        if later.is_some_and(|why| why != "brake" && why != "not_sent") {
            // What the plan at hand does not speak of is no line of it that was left.
            tally.stale += u64::from(later != Some(NOT_IN_PLAN));
            for side in Side::BOTH {
                if let Some(id) = &ids[side]
                    && !broken(Mutant::PendingForgotten)
                {
                    let why = later.unwrap_or("unfinished");
                    pending::put(db, mapping.row.mapping, side, id, why, now, Some(now + soon()))?;
                    // Of two that are not linked yet, one can't stand for the other.
                    if item.link.is_some() {
                        break;
                    }
                }
            }
            tally.done = true;
        }
        return Ok((tally, fact));
    }
    by_hand::settle(db, mapping, item, item.link.as_ref().map(|link| link.link))?;
    // A run that goes on after an interruption would find that they agree.
    tally.agrees = !refused && matches!(line.action, Action::Create { .. });
    // What was written is in the history, and a second row for each of millions would only be as long again.
    if refused || !line.parked.is_empty() {
        let outcome = if refused { Outcome::Failed } else { Outcome::Succeeded };
        work::put_line(
            db,
            run,
            mapping.row.mapping,
            line,
            outcome,
            line_hash(line, item.link.as_ref().map(|link| &link.bases)),
        )?;
    } else if !wrote && left == 0 {
        tally.agrees = true;
        tally.counts.unchanged += 1;
    }
    // An undo decides nothing about the rest of its record.
    if !refused && item.undo.is_none() {
        if holds.issues {
            issues::resolve(db, mapping.row.mapping, ids)?;
            for side in Side::BOTH {
                if let (Some(id), Some(_)) = (&ids[side], &item.records[side]) {
                    issues::found(db, mapping.row.mapping, side, id)?;
                }
            }
        }
        for side in Side::BOTH.into_iter().filter(|_| holds.pending) {
            if let Some(id) = &ids[side] {
                pending::remove(db, mapping.row.mapping, side, id.as_str())?;
            }
        }
    }
    if !refused
        && matches!(line.action, Action::Create { .. })
        && item.decision.steps.contains(&BaseStep::Keep)
    {
        second_pass(db, now, mapping, item, ids, &after)?;
    } else {
        tally.done = true;
    }
    Ok((tally, fact))
}

/// A created record is decided once more in the same run, now as one of two that are linked: what flows only back to its origin
/// goes then.
fn second_pass(
    db: &rusqlite::Connection,
    now: chrono::DateTime<chrono::Utc>,
    mapping: &Prepared,
    item: &Item,
    ids: &PerSide<Option<RecordId>>,
    after: &PerSide<Option<&Record>>,
) -> Result<(), StoreError> {
    let Some(org) = &ids.org else { return Ok(()) };
    let Some(link) = links::by_org(db, mapping.row.mapping, org.as_str())? else { return Ok(()) };
    for side in Side::BOTH {
        let read_at = item.records[side].as_ref().map_or(now, |staged| staged.read_at);
        if let Some(record) = after[side] {
            stage::put(db, side, mapping.compiled.spec.object(side), std::slice::from_ref(record), read_at)?;
        }
    }
    work::put(db, item.mapping, Some(link.link), ids)
}
