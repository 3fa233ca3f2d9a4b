//! Runs: the journal of executions (F23).

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::store::{StoreError, to_millis};

/// Opens a run; gives its number.
pub fn begin(
    db: &Connection,
    kind: RunKind,
    mappings: &[String],
    org: Option<&str>,
    settings: &str,
    at: DateTime<Utc>,
) -> Result<i64, StoreError> {
    db.prepare_cached("INSERT INTO run (kind, started, mappings, org, settings) VALUES (?,?,?,?,?)")?
        .execute(params![kind.word(), to_millis(at), serde_json::to_string(mappings)?, org, settings])?;
    Ok(db.last_insert_rowid())
}

/// Keeps the counts of a run on its way.
pub fn note(db: &Connection, run: i64, counts: &Counts) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE run SET counts=? WHERE run=?")?
        .execute(params![serde_json::to_string(counts)?, run])?;
    Ok(())
}

/// Closes a run.
pub fn finish(
    db: &Connection,
    run: i64,
    result: RunResult,
    message: Option<&str>,
    counts: &Counts,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE run SET finished=?, result=?, message=?, counts=? WHERE run=?")?
        .execute(params![to_millis(at), result.word(), message, serde_json::to_string(counts)?, run])?;
    Ok(())
}

/// Closes runs that a crash left open; gives how many.
pub fn close_interrupted(db: &Connection, at: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(db.prepare_cached(
        "UPDATE run SET finished=?, result='failed', message='interrupted; the next run goes on where it stopped'
         WHERE finished IS NULL")?.execute(
        [to_millis(at)],
    )?)
}
