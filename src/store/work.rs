//! What the run at hand has to decide, in order; and the lines of its plan.

use rusqlite::{Connection, params};

use crate::domain::outcome::Outcome;
use crate::domain::plan::Line;
use crate::domain::record::RecordId;
use crate::domain::side::PerSide;
use crate::store::StoreError;

/// One record, or one pair of records, to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Its number; the order.
    pub work: i64,
    /// The mapping, as its place in the run.
    pub mapping: usize,
    /// The link, if there is one.
    pub link: Option<i64>,
    /// The records, as far as they exist.
    pub ids: PerSide<Option<RecordId>>,
    /// Whether it waits for the end of the run (law E10).
    pub held: bool,
}

/// Adds work; the same records are added once.
pub fn put(
    db: &Connection,
    mapping: usize,
    link: Option<i64>,
    ids: &PerSide<Option<RecordId>>,
) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR IGNORE INTO work (mapping, link, org_id, platform_id) VALUES (?,?,?,?)")?
        .execute(params![
            mapping as i64,
            link,
            ids.org.as_ref().map(RecordId::as_str),
            ids.platform.as_ref().map(RecordId::as_str)
        ])?;
    Ok(())
}

/// Up to `limit` pieces of work of one kind behind a number.
pub fn after(db: &Connection, number: i64, held: bool, limit: usize) -> Result<Vec<Work>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT work, mapping, link, org_id, platform_id, held FROM work WHERE work>? AND held=? ORDER BY work LIMIT ?",
    )?;
    let rows = statement.query_map(params![number, held, limit as i64], |row| {
        Ok(Work {
            work: row.get(0)?,
            mapping: usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
            link: row.get(2)?,
            ids: PerSide {
                org: row.get::<_, Option<String>>(3)?.map(RecordId::new),
                platform: row.get::<_, Option<String>>(4)?.map(RecordId::new),
            },
            held: row.get::<_, i64>(5)? != 0,
        })
    })?;
    rows.map(|row| row.map_err(Into::into)).collect()
}

/// Lets a piece of work wait for the end of the run.
pub fn hold(db: &Connection, number: i64) -> Result<(), StoreError> {
    db.execute("UPDATE work SET held=1 WHERE work=?", [number])?;
    Ok(())
}

/// Leaves a piece of work out of this run, because its brake holds it.
pub fn withhold(db: &Connection, number: i64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE work SET held=2 WHERE work=?")?.execute([number])?;
    Ok(())
}

/// How much work there is per mapping place.
pub fn totals(db: &Connection) -> Result<Vec<(usize, u64)>, StoreError> {
    let mut statement = db.prepare_cached("SELECT mapping, count(*) FROM work GROUP BY mapping")?;
    let rows =
        statement.query_map([], |row| Ok((row.get::<_, i64>(0)? as usize, row.get::<_, i64>(1)? as u64)))?;
    rows.map(|row| row.map_err(Into::into)).collect()
}

/// Forgets all work.
pub fn clear(db: &Connection) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM work")?.execute([])?;
    Ok(())
}

/// Keeps a line of the plan with its outcome.
pub fn put_line(
    db: &Connection,
    run: i64,
    mapping: i64,
    line: &Line,
    outcome: Outcome,
    hash: i64,
) -> Result<(), StoreError> {
    let outcome = match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Limited => "limited",
        Outcome::Skipped => "skipped",
    };
    db.prepare_cached(
        "INSERT INTO line (run, mapping, org_id, platform_id, outcome, hash, body) VALUES (?,?,?,?,?,?,?)",
    )?
    .execute(params![
        run,
        mapping,
        line.ids.org.as_ref().map(RecordId::as_str),
        line.ids.platform.as_ref().map(RecordId::as_str),
        outcome,
        hash,
        serde_json::to_string(line)?
    ])?;
    Ok(())
}

/// Forgets the lines of runs before this one; their counts and history stay.
pub fn clear_lines_before(db: &Connection, run: i64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM line WHERE run<?")?.execute([run])?;
    Ok(())
}
