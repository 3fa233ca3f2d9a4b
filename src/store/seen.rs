//! Linked records that the run at hand has read and found as they last were: they are not staged, and yet are not missing.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::side::Side;
use crate::store::{StoreError, from_millis, to_millis};

/// Notes that the record of a link was seen.
pub fn put(
    db: &Connection,
    link: i64,
    side: Side,
    object: &str,
    stamp: Option<DateTime<Utc>>,
    run: i64,
) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR REPLACE INTO seen (link, side, object, stamp, run) VALUES (?,?,?,?,?)")?
        .execute(params![link, side.number(), object, stamp.map(to_millis), run])?;
    Ok(())
}

/// A link whose records were seen in a run becomes work after all; tells whether it was seen.
pub fn take(db: &Connection, link: i64, run: i64) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("DELETE FROM seen WHERE link=? AND run=?")?.execute([link, run])? > 0)
}

/// A record that was read alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alive {
    /// Its stamp, where its side has one.
    pub stamp: Option<DateTime<Utc>>,
}

/// A record as it was seen; nothing where it was not.
pub fn alive(db: &Connection, side: Side, object: &str, id: &str) -> Result<Option<Alive>, StoreError> {
    let sql = match side {
        Side::Org => {
            "SELECT stamp FROM link JOIN seen USING (link) WHERE seen.side=?1 AND object=?2 AND org_id=?3
                 AND mapping IN (SELECT mapping FROM mapping WHERE org_object=?2)"
        }
        Side::Platform => {
            "SELECT stamp FROM link JOIN seen USING (link) WHERE seen.side=?1 AND object=?2 AND platform_id=?3
                 AND family IN (SELECT family FROM family WHERE platform_object=?2)"
        }
    };
    Ok(db
        .prepare_cached(sql)?
        .query_row(params![side.number(), object, id], |row| row.get::<_, Option<i64>>(0))
        .optional()?
        .map(|stamp| Alive { stamp: stamp.map(from_millis) }))
}

/// How many were seen of an object.
pub fn count(db: &Connection, side: Side, object: &str) -> Result<u64, StoreError> {
    let mut statement = db.prepare_cached("SELECT count(*) FROM seen WHERE side=? AND object=?")?;
    Ok(statement.query_row(params![side.number(), object], |row| row.get::<_, i64>(0))? as u64)
}

/// Whether any was seen.
pub fn any(db: &Connection) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("SELECT 1 FROM seen")?.exists([])?)
}

/// Forgets what was seen of an object.
pub fn clear(db: &Connection, side: Side, object: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM seen WHERE side=? AND object=?")?
        .execute(params![side.number(), object])?;
    Ok(())
}

/// Forgets all that was seen, which costs nothing for each of the rows.
pub fn clear_all(db: &Connection) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM seen")?.execute([])?;
    Ok(())
}
