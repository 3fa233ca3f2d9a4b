//! Audits and the holes of the latest one.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::audit::{AuditReport, Hole, HoleKind};
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::store::{StoreError, from_millis, pending, to_millis};

/// Forgets the holes of earlier audits.
pub fn begin(db: &Connection) -> Result<(), StoreError> {
    db.execute("DELETE FROM hole", [])?;
    Ok(())
}

/// Keeps a hole.
pub fn put(db: &Connection, run: i64, mapping: i64, hole: &Hole) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO hole (run, mapping, side, org_id, platform_id, kind, why) VALUES (?,?,?,?,?,?,?)",
    )?
    .execute(params![
        run,
        mapping,
        hole.side.number(),
        hole.ids.org.as_ref().map(RecordId::as_str),
        hole.ids.platform.as_ref().map(RecordId::as_str),
        hole.kind.word(),
        hole.why,
    ])?;
    Ok(())
}

/// Keeps what an audit found.
pub fn finish(db: &Connection, report: &AuditReport) -> Result<(), StoreError> {
    db.execute(
        "INSERT OR REPLACE INTO audit (run, at, body) VALUES (?,?,?)",
        params![report.run, to_millis(report.at), serde_json::to_string(report)?],
    )?;
    db.execute("DELETE FROM audit WHERE run NOT IN (SELECT run FROM audit ORDER BY run DESC LIMIT 20)", [])?;
    Ok(())
}

/// The latest audit.
pub fn last(db: &Connection) -> Result<Option<AuditReport>, StoreError> {
    let body: Option<String> =
        db.query_row("SELECT body FROM audit ORDER BY run DESC LIMIT 1", [], |row| row.get(0)).optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

/// When the latest audit ended.
pub fn last_at(db: &Connection) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(db.query_row("SELECT max(at) FROM audit", [], |row| row.get::<_, Option<i64>>(0))?.map(from_millis))
}

/// Since when the next audit is awaited: the end of the last one that ran, however it ended, else of the first synchronization.
pub fn due_since(db: &Connection) -> Result<Option<DateTime<Utc>>, StoreError> {
    let tried: Option<i64> =
        db.query_row("SELECT max(finished) FROM run WHERE kind='audit'", [], |row| row.get(0))?;
    let begun: Option<i64> =
        db.query_row("SELECT min(initial_done_at) FROM mapping", [], |row| row.get(0))?;
    Ok(tried.max(last_at(db)?.map(to_millis)).or(begun).map(from_millis))
}

/// The holes of the latest audit, with the number of their mapping, in the order they were found.
pub fn holes(db: &Connection, limit: usize) -> Result<Vec<(i64, Hole)>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT hole.mapping, mapping.name, side, org_id, platform_id, kind, why
         FROM hole JOIN mapping USING (mapping) ORDER BY hole LIMIT ?",
    )?;
    let rows = statement.query_map([limit as i64], |row| {
        let id = |text: Option<String>| text.map(RecordId::new);
        Ok((
            row.get(0)?,
            Hole {
                mapping: row.get(1)?,
                side: Side::from_number(row.get(2)?),
                ids: PerSide { org: id(row.get(3)?), platform: id(row.get(4)?) },
                kind: HoleKind::from_word(&row.get::<_, String>(5)?).unwrap_or(HoleKind::Differs),
                why: row.get(6)?,
            },
        ))
    })?;
    rows.map(|row| row.map_err(Into::into)).collect()
}

/// Makes the records of all holes that can be mended pending, and forgets the holes; tells how many.
pub fn make_pending(db: &Connection, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let mut made = 0;
    for (mapping, hole) in holes(db, usize::try_from(i64::MAX).unwrap_or(usize::MAX))? {
        if !hole.kind.heals() {
            continue;
        }
        for side in Side::BOTH {
            if let Some(id) = &hole.ids[side] {
                pending::put(db, mapping, side, id, "audit", now, Some(now))?;
            }
        }
        made += 1;
    }
    db.execute("DELETE FROM hole WHERE kind<>'gone'", [])?;
    Ok(made)
}

/// Whether something else answers for a record already: it is pending, parked, or an open issue.
pub fn explained(
    db: &Connection,
    mapping: i64,
    link: Option<i64>,
    ids: &PerSide<Option<RecordId>>,
) -> Result<bool, StoreError> {
    if let Some(link) = link
        && pending::is_unsettled(db, link)?
    {
        return Ok(true);
    }
    for side in Side::BOTH {
        let Some(id) = &ids[side] else { continue };
        let waits = db
            .prepare_cached("SELECT 1 FROM pending WHERE mapping=? AND side=? AND id=?")?
            .exists(params![mapping, side.number(), id.as_str()])?;
        let column = match side {
            Side::Org => "org_id",
            Side::Platform => "platform_id",
        };
        let failed = db
            .prepare_cached(&format!("SELECT 1 FROM issue WHERE {column}=? AND mapping=? AND open=1"))?
            .exists(params![id.as_str(), mapping])?;
        if waits || failed {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many records of an object were last seen with a stamp in a window.
pub fn linked_in(
    db: &Connection,
    side: Side,
    mappings: &[i64],
    window: (Option<DateTime<Utc>>, DateTime<Utc>),
) -> Result<u64, StoreError> {
    let (id, stamp) = columns(side);
    let sql = format!(
        "SELECT count(DISTINCT {id}) FROM link WHERE closed=0 AND mapping IN ({}) AND {stamp}>=? AND {stamp}<?",
        list(mappings)
    );
    let from = window.0.map_or(i64::MIN, to_millis);
    Ok(db.query_row(&sql, params![from, to_millis(window.1)], |row| row.get::<_, i64>(0))? as u64)
}

/// The stamp in the middle of a window: as many links before it as behind it.
pub fn middle(
    db: &Connection,
    side: Side,
    mappings: &[i64],
    window: (Option<DateTime<Utc>>, DateTime<Utc>),
    count: u64,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let (_, stamp) = columns(side);
    let sql = format!(
        "SELECT {stamp} FROM link WHERE closed=0 AND mapping IN ({}) AND {stamp}>=? AND {stamp}<? ORDER BY {stamp}
         LIMIT 1 OFFSET ?",
        list(mappings)
    );
    let from = window.0.map_or(i64::MIN, to_millis);
    Ok(db
        .query_row(&sql, params![from, to_millis(window.1), (count / 2) as i64], |row| row.get::<_, i64>(0))
        .optional()?
        .map(from_millis))
}

/// Up to `limit` open links behind a number whose record of a side is not staged; only those last seen in a window, if one is
/// given.
pub fn unseen(
    db: &Connection,
    side: Side,
    object: &str,
    mappings: &[i64],
    window: Option<(Option<DateTime<Utc>>, DateTime<Utc>)>,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, RecordId)>, StoreError> {
    let (id, stamp) = columns(side);
    let sql = format!(
        "SELECT link, {id} FROM link WHERE closed=0 AND mapping IN ({}) AND link>?1
             AND (?2 IS NULL OR ({stamp}>=?2 AND {stamp}<?3))
             AND NOT EXISTS (SELECT 1 FROM stage WHERE stage.side=?4 AND stage.object=?5 AND stage.id=link.{id})
         ORDER BY link LIMIT ?6",
        list(mappings)
    );
    let (from, until) = match window {
        Some((from, until)) => (Some(from.map_or(i64::MIN, to_millis)), to_millis(until)),
        None => (None, 0),
    };
    let mut statement = db.prepare(&sql)?;
    let rows = statement
        .query_map(params![after, from, until, side.number(), object, limit as i64], |row| {
            Ok((row.get(0)?, RecordId::new(row.get::<_, String>(1)?)))
        })?;
    rows.map(|row| row.map_err(Into::into)).collect()
}

/// Up to `limit` open links behind a number, with both ids, for the slow re-read.
pub fn links_after(
    db: &Connection,
    mapping: &[i64],
    after: i64,
    limit: u64,
) -> Result<Vec<(i64, i64, PerSide<RecordId>)>, StoreError> {
    let sql = format!(
        "SELECT link, mapping, org_id, platform_id FROM link WHERE closed=0 AND mapping IN ({}) AND link>? ORDER BY link LIMIT ?",
        list(mapping)
    );
    let mut statement = db.prepare(&sql)?;
    let rows = statement.query_map(params![after, limit as i64], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            PerSide {
                org: RecordId::new(row.get::<_, String>(2)?),
                platform: RecordId::new(row.get::<_, String>(3)?),
            },
        ))
    })?;
    rows.map(|row| row.map_err(Into::into)).collect()
}

fn columns(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Org => ("org_id", "org_stamp"),
        Side::Platform => ("platform_id", "platform_stamp"),
    }
}

/// Numbers for an `IN`; they are ours, so nothing has to be quoted.
fn list(numbers: &[i64]) -> String {
    numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}
