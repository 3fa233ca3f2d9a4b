//! History: one compact row per record and action (law E16), and the rolling counts of the brakes.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::plan::Rule;
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::store::facts::next_sequence;
use crate::store::{StoreError, from_millis, mappings, to_millis};

pub mod compact;
pub mod names;
pub mod prune;

/// One pair's change to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChange {
    /// The pair's number; none for a default or a mark.
    pub pair: Option<i64>,
    /// The receiving fields; none where they are those of the pair, and its identity [tells](names::tells) them.
    pub fields: Vec<String>,
    /// What they held.
    pub old: Vec<Value>,
    /// What they hold since.
    pub new: Vec<Value>,
    /// Why; none where it is not known any more.
    pub rule: Option<Rule>,
}

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
    /// `created`, `updated`, `deleted`, `closed` or `reopened`.
    pub action: &'a str,
    /// What changed, in the [byte form](compact::encode).
    pub changes: &'a [u8],
}

/// How a record was met right before it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Nobody had touched it since our last write, or it was not there yet.
    Ours,
    /// Somebody else was its last author, or nobody can say any more.
    Others,
    /// Nobody tells who its last author was; its stamp.
    At(DateTime<Utc>),
}

impl Met {
    fn to_sql(self) -> Option<i64> {
        match self {
            Self::Ours => None,
            Self::Others => Some(0),
            Self::At(stamp) => Some(to_millis(stamp)),
        }
    }

    pub(super) fn from_sql(told: Option<i64>) -> Self {
        match told {
            None => Self::Ours,
            Some(0) => Self::Others,
            Some(stamp) => Self::At(from_millis(stamp)),
        }
    }
}

/// The call that wrote a record.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `create`, `upsert`, `update`, `delete` or `undelete`.
    pub kind: &'a str,
    /// How the record was met before it.
    pub met: Met,
}

/// Writes a row of history, which is a line of the log too; gives its sequence. Where something was sent, [`put_call`] also tells by which kind of call.
pub fn put(db: &Connection, at: DateTime<Utc>, row: &NewHistory<'_>) -> Result<i64, StoreError> {
    put_call(db, at, row, None)
}

/// Writes that a link was made, closed or reopened because of what became of a record of `side`.
pub fn put_link(
    db: &Connection,
    at: DateTime<Utc>,
    run: i64,
    link: (i64, &PerSide<RecordId>),
    side: Side,
    action: &str,
) -> Result<(), StoreError> {
    let (mapping, ids) = link;
    let ids = ids.clone().map(Some);
    put(db, at, &NewHistory { run, mapping, ids: &ids, side, action, changes: &[] }).map(drop)
}

/// Writes a row of history with the call that wrote the record.
pub fn put_call(
    db: &Connection,
    at: DateTime<Utc>,
    row: &NewHistory<'_>,
    call: Option<Call<'_>>,
) -> Result<i64, StoreError> {
    db.prepare_cached(concat!(
        "INSERT INTO history (sequence, at, run, mapping, org_id, platform_id, side, action, changes, call, met)
         VALUES (",
        next_sequence!(),
        ",?,?,?,?,?,?,?,?,?,?)"
    ))?
    .execute(params![
        to_millis(at),
        row.run,
        row.mapping,
        row.ids.org.as_ref().map(RecordId::as_str),
        row.ids.platform.as_ref().map(RecordId::as_str),
        row.side.number(),
        row.action,
        row.changes,
        call.map(|call| call.kind),
        call.and_then(|call| call.met.to_sql()),
    ])?;
    Ok(db.last_insert_rowid())
}

/// Whether a run already has its row about a write of these records.
pub fn has(
    db: &Connection,
    run: i64,
    mapping: i64,
    side: Side,
    ids: &PerSide<RecordId>,
) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM history WHERE org_id=? AND platform_id=? AND +run=? AND +mapping=? AND side=?
                            AND action IN ('created', 'updated', 'deleted'))",
        )?
        .query_row(
            params![ids.org.as_str(), ids.platform.as_str(), run, mapping, side.number()],
            |row| row.get(0),
        )?)
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
