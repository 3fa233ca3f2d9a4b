//! What a line that follows from a deletion leaves behind: its link closed, its row of history, or the reason why not (law E9).

use crate::domain::outcome::Outcome;
use crate::domain::plan::{Action, Rule};
use crate::domain::port::{RowClass, RowError, RowResult, Tombstone};
use crate::domain::report::Level;
use crate::domain::side::Side;
use crate::engine::apply::Item;
use crate::engine::commit::{Tally, fail, label};
use crate::engine::decide::line_hash;
use crate::engine::plan::NOT_IN_PLAN;
use crate::engine::session::{Prepared, both};
use crate::store::departures::{self, Departure, State, WHOLE_RECORD};
use crate::store::facts::{self, NewFact};
use crate::store::history::{self, NewChange, NewHistory, compact};
use crate::store::links::{self, Link};
use crate::store::{StoreError, decisions, issues, journal, pending, work};

/// What a deleted record held, as far as its bases know.
pub(in crate::engine) fn lost_values(mapping: &Prepared, link: &Link, side: Side) -> Vec<NewChange> {
    let pairs = mapping.compiled.pairs.iter().zip(&mapping.row.pairs);
    pairs
        .filter_map(|(pair, number)| {
            let old = link.bases.get(*number)?[side].clone();
            Some(NewChange {
                pair: Some(*number),
                fields: pair.spec.fields(side).to_vec(),
                old,
                new: Vec::new(),
                rule: Some(Rule::Deactivated),
            })
        })
        .filter(|change| !change.fields.is_empty() && change.old.iter().any(|value| !value.is_blank()))
        .collect()
}

/// Closes the link of a departure, with its line in history and log.
#[expect(clippy::too_many_arguments, reason = "what closing consists of")]
pub(in crate::engine) fn close(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    mapping: &Prepared,
    link: &Link,
    departure: &Departure,
    action: &str,
    changes: &[NewChange],
) -> Result<i64, StoreError> {
    links::close(db, link.link, &departure.reason())?;
    let ids = both(&link.ids);
    let side = if action == "closed" { departure.side } else { departure.side.other() };
    history::put(
        db,
        now,
        &NewHistory {
            run,
            mapping: mapping.row.mapping,
            ids: &ids,
            side,
            action,
            changes: &compact::encode(changes),
        },
    )?;
    if action == "deleted" {
        departures::set(db, link.link, State::Done, now)?;
        departures::unpark(db, link.link)?;
    } else {
        departures::remove(db, link.link)?;
    }
    let message = match (departure.side, action) {
        (Side::Org, "deleted") => "Deleted in Salesforce; the platform's record was deleted too.",
        (Side::Platform, "deleted") => "Deleted on the platform; the org's record was deleted too.",
        (Side::Org, "deactivated") => "Deleted in Salesforce; the platform's record was deactivated.",
        (Side::Platform, "deactivated") => "Deleted on the platform; the org's record was deactivated.",
        (Side::Org, _) => "Deleted in Salesforce; its link is closed and the platform's record stays.",
        (Side::Platform, _) => "Deleted on the platform; its link is closed and the org's record stays.",
    };
    issues::resolve(db, mapping.row.mapping, &ids)?;
    for side in Side::BOTH {
        issues::found(db, mapping.row.mapping, side, &link.ids[side])?;
    }
    facts::insert(
        db,
        now,
        &NewFact::new(Level::Info, Some(run), message).of_mapping(&mapping.compiled.spec.name).about(&ids),
    )
}

/// Commits a line that follows from a deletion.
pub(in crate::engine) fn commit_departure(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    mapping: &Prepared,
    item: &Item,
    departure: &Departure,
) -> Result<(Tally, Option<i64>), StoreError> {
    let mut tally = Tally { mapping: item.mapping, ..Tally::default() };
    let (line, on) = (&item.decision.line, departure.side.other());
    let Some(link) = &item.link else { return Ok((tally, None)) };
    let records = item.records.as_ref().map(|staged| staged.as_ref().map(|staged| &staged.record));
    let result = item.results[on].as_ref();
    if !matches!(result, Some(RowResult::Unknown)) {
        for entry in &item.entries {
            journal::settle(db, *entry)?;
        }
    }
    let finished = |outcome: Outcome| {
        work::put_line(db, run, mapping.row.mapping, line, outcome, line_hash(line, Some(&link.bases)))
    };
    if let Action::Refuse { obstacle } = &line.action {
        let error = RowError {
            code: obstacle.code.clone(),
            message: obstacle.message.clone(),
            fields: Vec::new(),
            class: RowClass::Data,
        };
        tally.counts.failed += 1;
        finished(Outcome::Failed)?;
        return Ok((tally, Some(fail(db, run, now, mapping, line, on, &error, &records)?)));
    }
    if let Some(parked) = line.parked.first() {
        pending::park(db, link.link, WHOLE_RECORD, parked, run, now)?;
        let moved = if departure.state == State::Decided { decisions::MOVED } else { "" };
        decisions::note(db, link.link, WHOLE_RECORD, moved)?;
        decisions::label(db, link.link, &label(&mapping.compiled, &records))?;
        departures::set(db, link.link, State::Parked, now)?;
        tally.counts.conflicts += 1;
        finished(Outcome::Succeeded)?;
        tally.done = true;
        let said = NewFact::new(
            Level::Warn,
            Some(run),
            format!(
                "Deleted on the {} and edited on the {on}: a person has to decide; both are left as they are.",
                departure.side
            ),
        );
        let said = said.of_mapping(&mapping.compiled.spec.name).about(&line.ids);
        return Ok((tally, Some(facts::insert(db, now, &said)?)));
    }
    let deletes = line.action == Action::Delete { on };
    let writes = line.writes_to(on);
    let fact = match result {
        Some(RowResult::Done { .. }) if !item.postponed() => {
            let counts = tally.counts.side_mut(on);
            let (action, mut changes) = if deletes {
                counts.deleted += 1;
                ("deleted", lost_values(mapping, link, on))
            } else {
                counts.updated += 1;
                ("deactivated", Vec::new())
            };
            changes.extend(line.changes.iter().map(|change| NewChange {
                pair: change.pair.and_then(|place| mapping.row.pairs.get(place)).copied(),
                fields: change.fields.to_vec(),
                old: change.old.clone(),
                new: change.new.clone(),
                rule: Some(change.rule),
            }));
            tally.removed = 1;
            finished(Outcome::Succeeded)?;
            close(db, run, now, mapping, link, departure, action, &changes)?
        }
        Some(RowResult::Refused(error)) if error.class == RowClass::Gone => {
            tally.counts.unchanged += 1;
            let fact = close(db, run, now, mapping, link, departure, "closed", &[])?;
            // Both are gone, so that it keeps nobody out any more.
            let gone = Tombstone { id: link.ids[on].clone(), at: None, merged_into: None };
            links::bury(db, link, on, &gone, now)?;
            fact
        }
        None if !writes && !item.postponed() => {
            tally.counts.unchanged += 1;
            close(db, run, now, mapping, link, departure, "closed", &[])?
        }
        Some(RowResult::Refused(error)) if error.class == RowClass::Limit => {
            tally.counts.limited += 1;
            return Ok((tally, None));
        }
        Some(RowResult::Refused(error)) if error.class != RowClass::Again => {
            tally.counts.failed += 1;
            finished(Outcome::Failed)?;
            let looked = item.records[on].as_ref().map_or(now, |staged| staged.read_at);
            departures::set(db, link.link, State::Refused, looked)?;
            fail(db, run, now, mapping, line, on, error, &records)?
        }
        // It stays due, and the next run looks again.
        _ => {
            if item
                .later
                .is_none_or(|why| why != "brake" && why != "not_sent" && why != "back" && why != NOT_IN_PLAN)
            {
                tally.stale += 1;
            }
            return Ok((tally, None));
        }
    };
    tally.done = true;
    Ok((tally, Some(fact)))
}
