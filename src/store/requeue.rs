//! Makes the records of issues pending again, so that the next run looks at them (law E7).

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::side::Side;
use crate::store::{StoreError, pending};

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
    for (mapping, org, platform) in &found {
        for (side, id) in [(Side::Org, org), (Side::Platform, platform)] {
            if !id.is_empty() {
                pending::make_due(db, *mapping, side, id, now)?;
            }
        }
    }
    Ok(found.len() as u64)
}
