//! What the run at hand has to decide, in order; and the lines of its plan.

use rusqlite::{Connection, Row, params};

use crate::domain::outcome::Outcome;
use crate::domain::plan::Line;
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
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
            ids.org.as_ref().map_or("", RecordId::as_str),
            ids.platform.as_ref().map_or("", RecordId::as_str)
        ])?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<Work, rusqlite::Error> {
    let id = |place: usize| -> Result<Option<RecordId>, rusqlite::Error> {
        let id: String = row.get(place)?;
        Ok(Some(id).filter(|id| !id.is_empty()).map(RecordId::new))
    };
    Ok(Work {
        work: row.get(0)?,
        mapping: usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
        link: row.get(2)?,
        ids: PerSide { org: id(3)?, platform: id(4)? },
        held: row.get::<_, i64>(5)? != 0,
    })
}

/// The last number that was given.
pub fn last(db: &Connection) -> Result<i64, StoreError> {
    Ok(db.prepare_cached("SELECT COALESCE(max(work), 0) FROM work")?.query_row([], |row| row.get(0))?)
}

/// Which work is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The first number and the last.
    pub numbers: (i64, i64),
    /// Records that are linked, or those that are not.
    pub linked: bool,
    /// What waits for the end of the run, or what does not.
    pub held: bool,
}

/// Up to `limit` pieces of work behind a piece, in the order of mappings and ids (law E5): so neighbours in the tables of the org
/// are worked on together.
pub fn in_order(
    db: &Connection,
    wanted: Wanted,
    behind: Option<&Work>,
    limit: usize,
) -> Result<Vec<Work>, StoreError> {
    // The signs keep it on the index of ids; by number, every chunk would sort all that is left.
    let mut statement = db.prepare_cached(
        "SELECT work, mapping, link, org_id, platform_id, held FROM work
         WHERE (mapping, org_id, platform_id)>(?,?,?) AND +work>=? AND +work<=? AND held=?
             AND (link IS NOT NULL)=?
         ORDER BY mapping, org_id, platform_id LIMIT ?",
    )?;
    let text = |side: Side| behind.and_then(|work| work.ids[side].as_ref()).map_or("", RecordId::as_str);
    let mapping = behind.map_or(-1, |work| work.mapping as i64);
    let (from, until) = wanted.numbers;
    let bound = params![
        mapping,
        text(Side::Org),
        text(Side::Platform),
        from,
        until,
        wanted.held,
        wanted.linked,
        limit as i64
    ];
    let rows = statement.query_map(bound, from_row)?;
    rows.map(|row| row.map_err(Into::into)).collect()
}

/// Up to `limit` pieces of work of one kind behind a number.
pub fn after(db: &Connection, number: i64, held: bool, limit: usize) -> Result<Vec<Work>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT work, mapping, link, org_id, platform_id, held FROM work WHERE work>? AND held=? ORDER BY work LIMIT ?",
    )?;
    let rows = statement.query_map(params![number, held, limit as i64], from_row)?;
    rows.map(|row| row.map_err(Into::into)).collect()
}

/// Puts a piece of work behind all that is there.
pub fn put_behind(db: &Connection, number: i64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE work SET work=(SELECT max(work)+1 FROM work) WHERE work=?")?
        .execute([number])?;
    Ok(())
}

/// Lets a piece of work wait for the end of the run.
pub fn hold(db: &Connection, number: i64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE work SET held=1 WHERE work=?")?.execute([number])?;
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
