//! What people decided by hand and no run has used yet, and the notes that decisions leave on parked pairs.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::by_hand::{Answer, ByHand, Choice, DepartureDecision, HandDecision};
use crate::domain::plan::PING_PONG;
use crate::domain::record::RecordId;
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::store::facts::{self, NewFact};
use crate::store::{StoreError, departures, links, pending, to_millis, turns};

/// The note on a conflict whose sides moved after the person had looked.
pub const MOVED: &str = "changed since you looked";

/// The note on a conflict that was decided while its record did not meet the mapping's criteria.
pub const OUT_OF_SCOPE: &str = "outside of the criteria now";

/// So long a decision waits for a run that can use it.
const KEPT: TimeDelta = TimeDelta::days(7);

/// A decision that waits for its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub decision: i64,
    /// The pair's number.
    pub pair: i64,
    /// The records; only one where the other side has none yet.
    pub ids: PerSide<Option<RecordId>>,
    /// Why the pair was parked; empty where a value of a failed record is edited.
    pub why: String,
    /// What the person saw.
    pub seen: PerSide<Option<Vec<Value>>>,
    /// What both sides shall hold.
    pub choice: Choice,
}

impl Stored {
    /// Whether a value of a failed record is edited, rather than a parked pair decided.
    pub fn is_edit(&self) -> bool {
        self.why.is_empty()
    }
}

const COLUMNS: &str = "decision, pair, org_id, platform_id, why, org, platform, choice";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Stored, StoreError>> {
    let id = |place: usize| -> rusqlite::Result<Option<RecordId>> {
        let text: String = row.get(place)?;
        Ok((!text.is_empty()).then(|| RecordId::new(text)))
    };
    let (decision, pair) = (row.get(0)?, row.get(1)?);
    let ids = PerSide { org: id(2)?, platform: id(3)? };
    let why = row.get(4)?;
    let seen: PerSide<Option<String>> = PerSide { org: row.get(5)?, platform: row.get(6)? };
    let choice: String = row.get(7)?;
    let read = || -> Result<Stored, StoreError> {
        let values = |text: &Option<String>| -> Result<Option<Vec<Value>>, StoreError> {
            Ok(text.as_deref().map(serde_json::from_str).transpose()?)
        };
        let seen = PerSide { org: values(&seen.org)?, platform: values(&seen.platform)? };
        Ok(Stored { decision, pair, ids, why, seen, choice: serde_json::from_str(&choice)? })
    };
    Ok(read())
}

fn number_of(db: &Connection, mapping: &str, pair: &str) -> Result<Option<(i64, i64)>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT p.mapping, p.pair FROM pair p JOIN mapping m USING (mapping) WHERE m.name=? AND p.identity=?",
        )?
        .query_row(params![mapping, pair], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Keeps decisions for the next run, which looks at their records; tells how many. One whose conflict shows other values by now,
/// or is gone, is not kept.
pub fn keep(db: &Connection, by_hand: &ByHand, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let mut kept = 0;
    for given in &by_hand.decisions {
        let Some((mapping, pair)) = number_of(db, &given.mapping, &given.pair)? else { continue };
        if !given.why.is_empty() && !still_shown(db, mapping, pair, given)? {
            continue;
        }
        if given.why == PING_PONG {
            settle_fight(db, mapping, pair, given)?;
        }
        put(db, mapping, pair, given, now)?;
        kept += 1;
    }
    for given in &by_hand.departures {
        kept += u64::from(depart(db, given, now)?);
    }
    for (mapping, pair) in &by_hand.revisit {
        let Some((mapping, pair)) = number_of(db, mapping, pair)? else { continue };
        revisit(db, mapping, pair, now)?;
    }
    Ok(kept)
}

/// Takes what a person decided about a record whose counterpart was deleted; tells whether it still stood.
fn depart(db: &Connection, given: &DepartureDecision, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let Some(org) = &given.ids.org else { return Ok(false) };
    let mapping: Option<i64> = db
        .prepare_cached("SELECT mapping FROM mapping WHERE name=?")?
        .query_row([&given.mapping], |row| row.get(0))
        .optional()?;
    let Some(mapping) = mapping else { return Ok(false) };
    let link = links::by_org(db, mapping, org.as_str())?.filter(|link| link.closed.is_none());
    let Some(link) = link else { return Ok(false) };
    let Some(departure) = departures::get(db, link.link)? else { return Ok(false) };
    if !departures::answer(db, link.link, &given.seen, given.answer, now)? {
        note(db, link.link, departures::WHOLE_RECORD, MOVED)?;
        return Ok(false);
    }
    note(db, link.link, departures::WHOLE_RECORD, "")?;
    let (gone, left) = (departure.side, departure.side.other());
    let message = match given.answer {
        Answer::DeleteToo => {
            format!("Deleted on the {gone}; {} decided that it is deleted on the {left} too.", given.by)
        }
        Answer::Keep => format!(
            "Deleted on the {gone}; {} decided to keep it on the {left}, and the link is closed.",
            given.by
        ),
    };
    let fact = NewFact::new(Level::Info, None, message).of_mapping(&given.mapping).about(&given.ids);
    facts::insert(db, now, &fact)?;
    Ok(true)
}

/// Whether the pair is still parked with the values that the person saw. Takes the note of an earlier decision away.
fn still_shown(db: &Connection, mapping: i64, pair: i64, given: &HandDecision) -> Result<bool, StoreError> {
    let Some(org) = &given.ids.org else { return Ok(false) };
    let link = links::by_org(db, mapping, org.as_str())?.filter(|link| link.closed.is_none());
    let Some(link) = link else { return Ok(false) };
    let shown: Option<(String, String)> = db
        .prepare_cached("SELECT org, platform FROM parked WHERE link=? AND pair=?")?
        .query_row([link.link, pair], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((org, platform)) = shown else { return Ok(false) };
    let same = |seen: &Option<Vec<Value>>, now: &str| -> Result<bool, StoreError> {
        let now: Vec<Value> = serde_json::from_str(now)?;
        Ok(seen.as_ref().is_none_or(|seen| *seen == now))
    };
    let fits = same(&given.seen.org, &org)? && same(&given.seen.platform, &platform)?;
    note(db, link.link, pair, if fits { "" } else { MOVED })?;
    Ok(fits)
}

/// Who takes a side in a fight ends it: the turns are counted anew (law E8).
fn settle_fight(db: &Connection, mapping: i64, pair: i64, given: &HandDecision) -> Result<(), StoreError> {
    let Some(org) = &given.ids.org else { return Ok(()) };
    match links::by_org(db, mapping, org.as_str())? {
        Some(link) => turns::settle(db, link.link, pair),
        None => Ok(()),
    }
}

fn put(
    db: &Connection,
    mapping: i64,
    pair: i64,
    given: &HandDecision,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let id = |side: Side| given.ids[side].as_ref().map_or("", RecordId::as_str).to_owned();
    let seen = |side: Side| -> Result<Option<String>, StoreError> {
        Ok(given.seen[side].as_ref().map(serde_json::to_string).transpose()?)
    };
    db.prepare_cached(
        "INSERT OR REPLACE INTO decision (mapping, org_id, platform_id, pair, why, org, platform, choice, author, at)
         VALUES (?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        mapping,
        id(Side::Org),
        id(Side::Platform),
        pair,
        given.why,
        seen(Side::Org)?,
        seen(Side::Platform)?,
        serde_json::to_string(&given.choice)?,
        given.by,
        to_millis(now)
    ])?;
    Ok(())
}

fn revisit(db: &Connection, mapping: i64, pair: i64, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT l.org_id FROM parked p JOIN link l USING (link) WHERE p.pair=? AND l.mapping=? AND l.closed=0",
    )?;
    let ids: Vec<String> =
        statement.query_map([pair, mapping], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in ids {
        pending::make_due(db, mapping, Side::Org, &id, now)?;
    }
    Ok(())
}

/// Makes every record due that a decision waits for, so that no end of an earlier run can have forgotten it.
pub fn make_due(db: &Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    // Its records are gone, or no run reaches them any more.
    db.prepare_cached("DELETE FROM decision WHERE at<?")?.execute([to_millis(now - KEPT)])?;
    let mut statement = db.prepare_cached("SELECT mapping, org_id, platform_id FROM decision")?;
    let rows: Vec<(i64, String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (mapping, org, platform) in rows {
        for (side, id) in [(Side::Org, org), (Side::Platform, platform)] {
            if !id.is_empty() {
                pending::make_due(db, mapping, side, &id, now)?;
            }
        }
    }
    Ok(())
}

/// Whether any decision waits at all; asked once a chunk, so that a run without any pays nothing.
pub fn any(db: &Connection) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("SELECT EXISTS (SELECT 1 FROM decision)")?.query_row([], |row| row.get(0))?)
}

/// The decisions about a record, by either side's id.
pub fn of_record(
    db: &Connection,
    mapping: i64,
    ids: &PerSide<Option<RecordId>>,
) -> Result<Vec<Stored>, StoreError> {
    let mut found = Vec::new();
    if let Some(id) = &ids.org {
        let mut statement =
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM decision WHERE mapping=? AND org_id=?"))?;
        for row in statement.query_map(params![mapping, id.as_str()], from_row)? {
            found.push(row??);
        }
    }
    if let Some(id) = &ids.platform {
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM decision WHERE mapping=? AND platform_id=? AND org_id=''"
        ))?;
        for row in statement.query_map(params![mapping, id.as_str()], from_row)? {
            found.push(row??);
        }
    }
    // A record of the org may meanwhile be linked to another one than the person looked at.
    found.retain(|stored: &Stored| {
        Side::BOTH.into_iter().all(|side| match (&stored.ids[side], &ids[side]) {
            (Some(decided), Some(now)) => decided == now,
            (Some(_), None) | (None, _) => true,
        })
    });
    Ok(found)
}

/// The decisions of a mapping about records that the other side did not have.
pub fn of_unlinked(db: &Connection, mapping: i64) -> Result<Vec<Stored>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM decision WHERE mapping=? AND (org_id='' OR platform_id='') ORDER BY decision"
    ))?;
    let rows = statement.query_map([mapping], from_row)?;
    rows.map(|row| row?).collect()
}

/// A decision was used, or dropped.
pub fn remove(db: &Connection, decision: i64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM decision WHERE decision=?")?.execute([decision])?;
    Ok(())
}

/// Notes on a conflict what became of a decision.
pub fn note(db: &Connection, link: i64, pair: i64, note: &str) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE parked SET note=? WHERE link=? AND pair=?")?
        .execute(params![note, link, pair])?;
    Ok(())
}

/// Keeps the name by which a person knows the record of parked pairs.
pub fn label(db: &Connection, link: i64, label: &str) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE parked SET label=?2 WHERE link=?1 AND label<>?2 AND ?2<>''")?
        .execute(params![link, label])?;
    Ok(())
}
