//! What an undo asks the state database: the rows of the run that is taken back, and the list of what stays as it is.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::plan::Line;
use crate::domain::record::RecordId;
use crate::domain::report::HistoryChange;
use crate::domain::side::{PerSide, Side};
use crate::domain::undo::{UndoLeft, WhyLeft};
use crate::domain::value::Value;
use crate::store::history::names::Names;
use crate::store::history::{Met, compact};
use crate::store::{StoreError, from_millis};

/// One row of the run that is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its sequence.
    pub sequence: i64,
    /// The mapping's number.
    pub mapping: i64,
    /// Both records.
    pub ids: PerSide<Option<RecordId>>,
    /// The side that was written.
    pub side: Side,
    /// `created`, `updated` …
    pub action: String,
}

fn id(text: Option<String>) -> Option<RecordId> {
    text.map(RecordId::new)
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        sequence: row.get(0)?,
        mapping: row.get(1)?,
        ids: PerSide { org: id(row.get(2)?), platform: id(row.get(3)?) },
        side: Side::from_number(row.get(4)?),
        action: row.get(5)?,
    })
}

/// Up to `limit` rows of a run before a sequence, newest first.
pub fn rows(db: &Connection, run: i64, before: i64, limit: usize) -> Result<Vec<Row>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT sequence, mapping, org_id, platform_id, side, action FROM history WHERE run=? AND sequence<?
         ORDER BY sequence DESC LIMIT ?",
    )?;
    let rows = statement.query_map(params![run, before, limit as i64], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The side on which the run created one of two records, or brought it back, and when.
pub fn created_on(
    db: &Connection,
    run: i64,
    mapping: i64,
    ids: &PerSide<Option<RecordId>>,
) -> Result<Option<(Side, DateTime<Utc>)>, StoreError> {
    let (Some(org), Some(platform)) = (&ids.org, &ids.platform) else { return Ok(None) };
    Ok(db
        .prepare_cached(
            "SELECT side, at FROM history WHERE org_id=? AND platform_id=? AND +run=? AND +mapping=?
                 AND action IN ('created', 'restored') ORDER BY sequence LIMIT 1",
        )?
        .query_row(params![org.as_str(), platform.as_str(), run, mapping], |row| {
            Ok((Side::from_number(row.get(0)?), from_millis(row.get(1)?)))
        })
        .optional()?)
}

/// Whether a later run wrote to a record what somebody had edited on its counterpart on `side`.
pub fn edited_since(
    db: &Connection,
    run: i64,
    mapping: i64,
    ids: &PerSide<Option<RecordId>>,
    side: Side,
) -> Result<bool, StoreError> {
    let (Some(org), Some(platform)) = (&ids.org, &ids.platform) else { return Ok(false) };
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM history WHERE org_id=? AND platform_id=? AND run>? AND +mapping=? AND side=?
                 AND action='updated')",
        )?
        .query_row(
            params![org.as_str(), platform.as_str(), run, mapping, side.other().number()],
            |row| row.get(0),
        )?)
}

/// What we wrote to a pair of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The last time.
    pub last: Vec<Value>,
    /// What the side held of an earlier write when the next one came: what we had written, and what stood there.
    pub overwritten: Vec<(Vec<Value>, Vec<Value>)>,
}

/// What we wrote to a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OurWrites {
    /// By the number of the pair.
    pub pairs: BTreeMap<i64, Written>,
    /// When we wrote to it last.
    pub at: Option<DateTime<Utc>>,
}

/// How far the clock of a service may be ahead of ours.
const LATITUDE: TimeDelta = TimeDelta::minutes(1);

/// Whether a stamp is well behind our write: where nobody tells who it was, it may be our own write by the service's clock.
pub fn is_behind(stamp: DateTime<Utc>, written: DateTime<Utc>) -> bool {
    written.checked_add_signed(LATITUDE).is_some_and(|late| stamp > late)
}

/// What we wrote to a record, as far as history tells.
pub fn written(
    db: &Connection,
    mapping: i64,
    ids: &PerSide<Option<RecordId>>,
    side: Side,
) -> Result<OurWrites, StoreError> {
    let (Some(org), Some(platform)) = (&ids.org, &ids.platform) else { return Ok(OurWrites::default()) };
    let mut statement = db.prepare_cached(
        "SELECT changes, at FROM history WHERE org_id=? AND platform_id=? AND +mapping=? AND side=?
             AND action IN ('created', 'updated') ORDER BY sequence",
    )?;
    let mut rows = statement.query(params![org.as_str(), platform.as_str(), mapping, side.number()])?;
    let mut written = OurWrites::default();
    let mut first = true;
    while let Some(row) = rows.next()? {
        written.at = Some(from_millis(row.get(1)?));
        for change in compact::decode(row.get_ref(0)?)? {
            let Some(pair) = change.pair else { continue };
            let known = written.pairs.entry(pair).or_default();
            let before = std::mem::replace(&mut known.last, change.new);
            if !first {
                known.overwritten.push((before, change.old));
            }
        }
        first = false;
    }
    Ok(written)
}

/// Whether somebody else had touched a record between its creation by a run and a later write of ours, by whichever mapping.
pub fn touched_between(
    db: &Connection,
    run: i64,
    side: Side,
    id: &RecordId,
    created: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let column = match side {
        Side::Org => "org_id",
        Side::Platform => "platform_id",
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT at, met FROM history WHERE {column}=? AND side=? AND +run>=? AND action<>'created' AND action='updated'
         ORDER BY sequence"
    ))?;
    let mut rows = statement.query(params![id.as_str(), side.number(), run])?;
    let mut written = created;
    while let Some(row) = rows.next()? {
        let between = match Met::from_sql(row.get(1)?) {
            Met::Ours => false,
            Met::Others => true,
            Met::At(stamp) => is_behind(stamp, written),
        };
        if between {
            return Ok(true);
        }
        written = from_millis(row.get(0)?);
    }
    Ok(false)
}

/// Records that a run deleted on a side, newest first, before a sequence.
pub fn deleted(
    db: &Connection,
    run: i64,
    side: Side,
    before: i64,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT sequence, mapping, org_id, platform_id, side, action FROM history WHERE run=? AND sequence<? AND side=?
             AND action='deleted' ORDER BY sequence DESC LIMIT ?",
    )?;
    let rows = statement.query_map(params![run, before, side.number(), limit as i64], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a run changed on two records, newest first: side and changes.
pub fn changes(
    db: &Connection,
    run: i64,
    mapping: i64,
    org: &str,
    platform: &str,
) -> Result<Vec<(Side, Vec<HistoryChange>)>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT side, changes FROM history WHERE org_id=? AND platform_id=? AND +run=? AND +mapping=? AND action='updated'
         ORDER BY sequence DESC",
    )?;
    let mut rows = statement.query(params![org, platform, run, mapping])?;
    let (mut changes, mut names) = (Vec::new(), Names::new(db));
    while let Some(row) = rows.next()? {
        let (side, mut written) = (Side::from_number(row.get(0)?), compact::decode(row.get_ref(1)?)?);
        names.fill(side, &mut written)?;
        changes.push((side, written));
    }
    Ok(changes)
}

/// Lists something that stays as it is.
pub fn put_left(db: &Connection, run: i64, left: &UndoLeft) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO undo_left (run, mapping, org_id, platform_id, side, fields, why) VALUES (?,?,?,?,?,?,?)",
    )?
    .execute(params![
        run,
        left.mapping,
        left.ids.org.as_ref().map(RecordId::as_str),
        left.ids.platform.as_ref().map(RecordId::as_str),
        left.side.number(),
        serde_json::to_string(&left.fields)?,
        left.why.word(),
    ])?;
    Ok(())
}

/// What an undo left as it is, page by page behind a number.
pub fn left(db: &Connection, run: i64, after: i64, limit: usize) -> Result<Vec<(i64, UndoLeft)>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT number, mapping, org_id, platform_id, side, fields, why FROM undo_left WHERE run=? AND number>?
         ORDER BY number LIMIT ?",
    )?;
    let mut rows = statement.query(params![run, after, limit as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let why: String = row.get(6)?;
        found.push((
            row.get(0)?,
            UndoLeft {
                mapping: row.get(1)?,
                ids: PerSide { org: id(row.get(2)?), platform: id(row.get(3)?) },
                side: Side::from_number(row.get(4)?),
                fields: serde_json::from_str(&row.get::<_, String>(5)?)?,
                why: WhyLeft::from_word(&why).unwrap_or(WhyLeft::Moved),
            },
        ));
    }
    Ok(found)
}

/// Keeps a line that would be written, of an undo that only looks.
pub fn put_planned(db: &Connection, run: i64, mapping: i64, line: &Line) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO line (run, mapping, org_id, platform_id, outcome, hash, body) VALUES (?,?,?,?,'planned',0,?)",
    )?
    .execute(params![
        run,
        mapping,
        line.ids.org.as_ref().map(RecordId::as_str),
        line.ids.platform.as_ref().map(RecordId::as_str),
        serde_json::to_string(line)?
    ])?;
    Ok(())
}

/// The lines that an undo would write, page by page behind a number.
pub fn planned(db: &Connection, run: i64, after: i64, limit: usize) -> Result<Vec<(i64, Line)>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT line, body FROM line WHERE run=? AND outcome='planned' AND line>? ORDER BY line LIMIT ?",
    )?;
    let mut rows = statement.query(params![run, after, limit as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, serde_json::from_str(&row.get::<_, String>(1)?)?));
    }
    Ok(found)
}
