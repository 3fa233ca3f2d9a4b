//! History: one compact row per record and action (law E16), and the rolling counts of the brakes.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::record::RecordId;
use crate::domain::report::HistoryChange;
use crate::domain::side::{PerSide, Side};
use crate::store::{StoreError, facts, mappings, to_millis};

/// A row of history to be written.
#[derive(Clone, Debug)]
pub struct NewHistory<'a> {
    /// The run.
    pub run: i64,
    /// The mapping's number.
    pub mapping: i64,
    /// Both records.
    pub ids: &'a PerSide<Option<RecordId>>,
    /// The side that was written.
    pub side: Side,
    /// `created`, `updated`, `linked` or `closed`.
    pub action: &'a str,
    /// What changed.
    pub changes: &'a [HistoryChange],
}

/// Writes a row of history, which is a line of the log too; gives its sequence.
pub fn put(db: &Connection, at: DateTime<Utc>, row: &NewHistory<'_>) -> Result<i64, StoreError> {
    let sequence = facts::next_sequence(db)?;
    db.prepare_cached(
        "INSERT INTO history (sequence, at, run, mapping, org_id, platform_id, side, action, changes) VALUES (?,?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        sequence,
        to_millis(at),
        row.run,
        row.mapping,
        row.ids.org.as_ref().map(RecordId::as_str),
        row.ids.platform.as_ref().map(RecordId::as_str),
        row.side.number(),
        row.action,
        serde_json::to_string(row.changes)?
    ])?;
    Ok(sequence)
}

/// Notes when a record was last written on either side (F24).
pub fn touched(db: &Connection, at: DateTime<Utc>) -> Result<(), StoreError> {
    mappings::remember(db, "last_update", &to_millis(at).to_string())
}

/// Adds to the rolling count of a braked kind.
pub fn count_braked(
    db: &Connection,
    mapping: i64,
    kind: &str,
    count: u64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    db.prepare_cached("INSERT INTO braked (at, mapping, kind, count) VALUES (?,?,?,?)")?.execute(params![
        to_millis(at),
        mapping,
        kind,
        count as i64
    ])?;
    Ok(())
}

/// The count of a braked kind since a moment; what is older is forgotten.
pub fn braked_since(
    db: &Connection,
    mapping: i64,
    kind: &str,
    since: DateTime<Utc>,
) -> Result<u64, StoreError> {
    db.prepare_cached("DELETE FROM braked WHERE at<?")?.execute([to_millis(since)])?;
    Ok(db
        .prepare_cached("SELECT COALESCE(sum(count), 0) FROM braked WHERE mapping=? AND kind=? AND at>=?")?
        .query_row(params![mapping, kind, to_millis(since)], |row| row.get::<_, i64>(0))? as u64)
}
