//! Makes the records of issues pending again, so that the next run looks at them (law E7).

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::side::Side;
use crate::store::{StoreError, departures, pending, to_millis};

/// Makes the records of these issues due now, of all open ones if none is named; tells how many issues that were. Numbers
/// of resolved or unknown issues are passed over.
pub fn requeue(db: &Connection, issues: &[i64], now: DateTime<Utc>) -> Result<u64, StoreError> {
    let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<(i64, String, String)> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    };
    let mut found = Vec::new();
    if issues.is_empty() {
        let mut statement = db.prepare("SELECT mapping, org_id, platform_id FROM issue WHERE open=1")?;
        for issue in statement.query_map([], row)? {
            found.push(issue?);
        }
    } else {
        let mut statement =
            db.prepare("SELECT mapping, org_id, platform_id FROM issue WHERE issue=? AND open=1")?;
        for issue in issues {
            found.extend(statement.query_row(params![issue], row).optional()?);
        }
    }
    make_due(db, &found, now)
}

/// What a mapping could not write is due now: a side has changed, and that may have been why.
pub fn of_mapping(db: &Connection, mapping: i64, now: DateTime<Utc>) -> Result<u64, StoreError> {
    db.prepare_cached("UPDATE pending SET next_try=?2 WHERE mapping=?1 AND next_try IS NULL")?
        .execute(params![mapping, to_millis(now)])?;
    let mut statement =
        db.prepare_cached("SELECT org_id, platform_id FROM issue WHERE mapping=? AND open=1")?;
    let found = statement.query_map([mapping], |row| Ok((mapping, row.get(0)?, row.get(1)?)))?;
    make_due(db, &found.collect::<Result<Vec<_>, _>>()?, now)
}

fn make_due(db: &Connection, found: &[(i64, String, String)], now: DateTime<Utc>) -> Result<u64, StoreError> {
    for (mapping, org, platform) in found {
        for (side, id) in [(Side::Org, org), (Side::Platform, platform)] {
            if !id.is_empty() {
                pending::make_due(db, *mapping, side, id, now)?;
                departures::ask_again(db, *mapping, side, id)?;
            }
        }
    }
    Ok(found.len() as u64)
}
