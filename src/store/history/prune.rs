//! Retention (law E16): what is older than the settings allow is forgotten in small slices; bases stay.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::store::{StoreError, to_millis};

/// Rows looked at in one slice.
pub const SLICE: usize = 2_000;

/// Forgets one slice of what is older than `before`: history, the log, and what undos left as it was. Tells how many rows went;
/// none means that all is done. Rows are looked at from the oldest on, so that a slice costs the same in a table of any
/// length.
pub fn slice(db: &Connection, before: DateTime<Utc>) -> Result<usize, StoreError> {
    let mut gone = 0;
    for table in ["history", "fact"] {
        gone += db
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE sequence <= (SELECT max(sequence) FROM (SELECT sequence FROM {table}
                     ORDER BY sequence LIMIT {SLICE})) AND at < ?"
            ))?
            .execute(params![to_millis(before)])?;
    }
    gone += db
        .prepare_cached(&format!(
            "DELETE FROM undo_left WHERE number IN (SELECT number FROM undo_left ORDER BY number LIMIT {SLICE})
             AND run IN (SELECT run FROM run WHERE started < ?)"
        ))?
        .execute(params![to_millis(before)])?;
    Ok(gone)
}
