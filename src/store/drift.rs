//! What both sides said of their objects when that was accepted, what differs now, and what runs leave out meanwhile (law E13).

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::drift::{DriftKind, Effect, Finding, print};
use crate::domain::mapping::Mapping;
use crate::domain::report::DriftRow;
use crate::domain::schema::ObjectSchema;
use crate::domain::side::{PerSide, Side};
use crate::store::{StoreError, from_millis, to_millis};

/// The number of a mapping that ever ran.
pub fn mapping(db: &Connection, name: &str) -> Result<Option<i64>, StoreError> {
    Ok(db
        .prepare_cached("SELECT mapping FROM mapping WHERE name=?")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

/// What was accepted of both sides' objects; `None` before the first run.
pub fn accepted(db: &Connection, name: &str) -> Result<Option<PerSide<ObjectSchema>>, StoreError> {
    let mut found: PerSide<Option<ObjectSchema>> = PerSide::default();
    let mut statement =
        db.prepare_cached("SELECT side, body FROM accepted JOIN mapping USING (mapping) WHERE name=?")?;
    let rows = statement.query_map([name], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    for row in rows {
        let (side, body) = row?;
        // What another version kept is looked at as if for the first time.
        found[Side::from_number(side)] = serde_json::from_str(&body).ok();
    }
    Ok(match found {
        PerSide { org: Some(org), platform: Some(platform) } => Some(PerSide { org, platform }),
        _ => None,
    })
}

/// The [`print()`] of what was accepted of both sides' objects, where it is known.
pub fn accepted_prints(db: &Connection, name: &str) -> Result<PerSide<Option<u64>>, StoreError> {
    let mut found: PerSide<Option<u64>> = PerSide::default();
    let mut statement =
        db.prepare_cached("SELECT side, print FROM accepted JOIN mapping USING (mapping) WHERE name=?")?;
    let rows =
        statement.query_map([name], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?)))?;
    for row in rows {
        let (side, print) = row?;
        found[Side::from_number(side)] = print.map(i64::cast_unsigned);
    }
    Ok(found)
}

/// Keeps what is accepted of both sides' objects.
pub fn keep_accepted(
    db: &Connection,
    mapping: i64,
    schemas: &PerSide<ObjectSchema>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for side in Side::BOTH {
        db.prepare_cached(
            "INSERT INTO accepted (mapping, side, body, at, print) VALUES (?1,?2,?3,?4,?5)
             ON CONFLICT (mapping, side) DO UPDATE SET body=?3, seen=NULL, at=?4, print=?5",
        )?
        .execute(params![
            mapping,
            side.number(),
            serde_json::to_string(&schemas[side])?,
            to_millis(now),
            print(&schemas[side]).cast_signed()
        ])?;
    }
    Ok(())
}

/// Keeps what both sides say now, so that a person can accept it.
pub fn keep_seen(
    db: &Connection,
    mapping: i64,
    schemas: &PerSide<Option<ObjectSchema>>,
) -> Result<(), StoreError> {
    for side in Side::BOTH {
        let seen = schemas[side].as_ref().map(serde_json::to_string).transpose()?;
        db.prepare_cached("UPDATE accepted SET seen=?3 WHERE mapping=?1 AND side=?2 AND seen IS NOT ?3")?
            .execute(params![mapping, side.number(), seen])?;
    }
    Ok(())
}

/// What a mapping's sides were last seen to say, where that differs from what was accepted.
pub fn seen(db: &Connection, mapping: i64) -> Result<PerSide<Option<ObjectSchema>>, StoreError> {
    let mut found: PerSide<Option<ObjectSchema>> = PerSide::default();
    let mut statement = db.prepare_cached("SELECT side, seen FROM accepted WHERE mapping=?")?;
    let rows = statement
        .query_map([mapping], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?)))?;
    for row in rows {
        let (side, body) = row?;
        found[Side::from_number(side)] = body.and_then(|body| serde_json::from_str(&body).ok());
    }
    Ok(found)
}

/// A person accepts what differs, as far as that ends it; tells how many findings that were.
pub fn accept(db: &Connection, mapping: &Mapping, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let (Some(number), Some(before)) = (self::mapping(db, &mapping.name)?, accepted(db, &mapping.name)?)
    else {
        return Ok(0);
    };
    let ended = db.execute("DELETE FROM drift WHERE mapping=? AND acceptable=1", [number])? as u64;
    if ended > 0 {
        let seen = seen(db, number)?;
        let seen = PerSide::from_fn(|side| seen[side].clone().unwrap_or_else(|| before[side].clone()));
        keep_accepted(db, number, &crate::domain::drift::accept(mapping, &before, &seen), now)?;
    }
    Ok(ended)
}

/// What a run found, in the place of what the run before found; gives what is new, and the messages of what has ended.
pub fn note(
    db: &Connection,
    mapping: i64,
    findings: &[Finding],
    run: i64,
    now: DateTime<Utc>,
) -> Result<(Vec<Finding>, Vec<String>), StoreError> {
    let mut fresh = Vec::new();
    for finding in findings {
        let key = params![
            mapping,
            finding.side.number(),
            finding.object,
            finding.field,
            finding.pair,
            finding.kind.word()
        ];
        let known: Option<String> = db
            .prepare_cached(
                "SELECT message FROM drift WHERE mapping=? AND side=? AND object=? AND field=? AND pair=? AND kind=?",
            )?
            .query_row(key, |row| row.get(0))
            .optional()?;
        if known.as_deref() != Some(finding.message.as_str()) {
            fresh.push(finding.clone());
        }
        db.prepare_cached(
            "INSERT INTO drift (mapping, side, object, field, pair, name, kind, effect, acceptable, message, since, run)
             VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)
             ON CONFLICT (mapping, side, object, field, pair, kind) DO UPDATE SET name=?6, effect=?8, acceptable=?9, message=?10, run=?12",
        )?
        .execute(params![
            mapping,
            finding.side.number(),
            finding.object,
            finding.field,
            finding.pair,
            finding.name,
            finding.kind.word(),
            finding.effect.word(),
            finding.acceptable(),
            finding.message,
            to_millis(now),
            run
        ])?;
    }
    let mut ended = Vec::new();
    for (number, finding, _, _, _) in of_mapping(db, mapping)? {
        let stands = findings.iter().any(|known| {
            (known.side, &known.object, &known.field, &known.pair, known.kind)
                == (finding.side, &finding.object, &finding.field, &finding.pair, finding.kind)
        });
        if !stands {
            db.execute("DELETE FROM drift WHERE drift=?", [number])?;
            ended.push(finding.message);
        }
    }
    Ok((fresh, ended))
}

/// Whether anything differs, or is left out.
pub fn anything(db: &Connection, mapping: i64) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM drift WHERE mapping=?1) OR EXISTS (SELECT 1 FROM left_out WHERE mapping=?1)",
        )?
        .query_row([mapping], |row| row.get(0))?)
}

type Kept = (i64, Finding, bool, DateTime<Utc>, i64);

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let finding = Finding {
        mapping: row.get(1)?,
        side: Side::from_number(row.get(2)?),
        object: row.get(3)?,
        field: row.get(4)?,
        pair: row.get(5)?,
        name: row.get(6)?,
        kind: DriftKind::from_word(&row.get::<_, String>(7)?).unwrap_or(DriftKind::Other),
        effect: Effect::from_word(&row.get::<_, String>(8)?).unwrap_or(Effect::Tells),
        cause: crate::domain::compiled::Cause::Settings,
        message: row.get(10)?,
    };
    Ok((row.get(0)?, finding, row.get(9)?, from_millis(row.get(11)?), row.get(12)?))
}

const DRIFT: &str = "SELECT d.drift, m.name, d.side, d.object, d.field, d.pair, d.name, d.kind, d.effect, d.acceptable, d.message, \
                     d.since, d.run FROM drift d JOIN mapping m USING (mapping)";

fn of_mapping(db: &Connection, mapping: i64) -> Result<Vec<Kept>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{DRIFT} WHERE d.mapping=? ORDER BY d.drift"))?;
    let rows = statement.query_map([mapping], kept)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Everything that differs from what was accepted, the worst first.
pub fn rows(db: &Connection) -> Result<Vec<DriftRow>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{DRIFT} ORDER BY d.drift"))?;
    let rows = statement.query_map([], kept)?;
    let mut found = Vec::new();
    for row in rows {
        let (drift, finding, acceptable, since, run) = row?;
        found.push(DriftRow { drift, finding, acceptable, since, run });
    }
    found.sort_by_key(|row| (row.finding.effect, row.drift));
    Ok(found)
}

/// Why a pair or a mapping is left out of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A side changed.
    Drift,
    /// Its settings are wrong.
    Settings,
    /// No person has accepted it as it is written (law E5).
    Unaccepted,
}

impl Why {
    fn word(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Settings => "settings",
            Self::Unaccepted => "unaccepted",
        }
    }
}

/// Notes how far the feeds of a mapping are read from where on a pair of it, or all of it (`pair` is empty), is left out; what was
/// noted before stays.
pub fn leave_out(
    db: &Connection,
    mapping: i64,
    pair: &str,
    objects: &PerSide<String>,
    why: Why,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for side in Side::BOTH {
        db.prepare_cached(
            "INSERT OR IGNORE INTO left_out (mapping, pair, side, object, cursor, cursor_at, why, since)
             SELECT ?1, ?2, ?3, ?4, (SELECT cursor FROM feed WHERE side=?3 AND object=?4),
                    (SELECT cursor_at FROM feed WHERE side=?3 AND object=?4), ?5, ?6",
        )?
        .execute(params![
            mapping,
            pair,
            side.number(),
            objects[side],
            why.word(),
            to_millis(now)
        ])?;
    }
    Ok(())
}

/// What takes part again: the feeds of its objects are read from where they were when it was first left out, unless they are
/// further back anyway. `absent` are the pairs that are still left out; the whole mapping's name is empty. Tells how many were
/// taken back.
pub fn take_back(
    db: &Connection,
    mapping: i64,
    absent: &[String],
    pairs: &[String],
    by_flag: bool,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT pair, side, object, cursor, cursor_at FROM left_out WHERE mapping=? ORDER BY cursor_at, side",
    )?;
    let rows = statement.query_map([mapping], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, Option<String>>(3)?,
            row.get::<_, Option<i64>>(4)?,
        ))
    })?;
    let mut back = 0;
    for row in rows.collect::<Result<Vec<_>, _>>()? {
        let (pair, side, object, cursor, at) = row;
        if absent.contains(&pair) {
            continue;
        }
        // A pair that a person took out of the mapping has nothing to catch up.
        let wanted = pair.is_empty() || pairs.contains(&pair);
        if let (true, Some(cursor), Some(at)) = (wanted, &cursor, at) {
            // A scan under way reads everything; a read of changes begins anew.
            db.execute(
                "UPDATE feed SET cursor=?3, cursor_at=?4 WHERE side=?1 AND object=?2 AND cursor_at>?4",
                params![side, object, cursor, at],
            )?;
            db.execute(
                "UPDATE feed SET reading=NULL, mark=NULL, next_cursor=NULL, next_at=NULL, complete=0
                 WHERE side=?1 AND object=?2 AND reading='changes'",
                params![side, object],
            )?;
        }
        if wanted && side == Side::Org.number() {
            back += 1;
            if by_flag || cursor.is_none() {
                // Records whose flag was taken meanwhile come in no feed, and what was linked by the first read lacks the pair: all
                // links are looked at, some in each run.
                db.execute(
                    "INSERT OR IGNORE INTO pending (mapping, side, id, reason, since, next_try)
                     SELECT mapping, 0, org_id, 'back', ?2, ?2 FROM link WHERE mapping=?1 AND closed=0",
                    params![mapping, to_millis(now)],
                )?;
            }
            if pair.is_empty() {
                // What the others of its family could not decide without it.
                db.execute(
                    "UPDATE pending SET next_try=?2 WHERE reason=?3 AND mapping IN (SELECT other.mapping FROM mapping
                         JOIN mapping AS other ON other.family=mapping.family WHERE mapping.mapping=?1)",
                    params![mapping, to_millis(now), FAMILY],
                )?;
            }
        }
        db.execute(
            "DELETE FROM left_out WHERE mapping=? AND pair=? AND side=?",
            params![mapping, pair, side],
        )?;
    }
    Ok(back)
}

/// Why an unlinked record is pending while a mapping of its family is left out.
pub const FAMILY: &str = "family";
