//! Linked records that the run at hand has read and found as they last were: they are not staged, and yet are not missing.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::side::Side;
use crate::store::{StoreError, from_millis, to_millis};

/// Rows that one statement writes where there are so many; each statement costs as much as a row.
const ROWS: usize = 32;

/// Notes that records of links were seen, with their stamps.
pub fn put(
    db: &Connection,
    (side, object): (Side, &str),
    run: i64,
    links: &[(i64, Option<DateTime<Utc>>)],
) -> Result<(), StoreError> {
    let sql = |rows: usize| {
        let values = ", (?1,?2,?3,?,?)".repeat(rows - 1);
        format!("INSERT OR REPLACE INTO seen (side, object, run, link, stamp) VALUES (?1,?2,?3,?,?){values}")
    };
    let (many, single) = (sql(ROWS), sql(1));
    let (full, rest) = links.as_chunks::<ROWS>();
    let full = full.iter().map(|rows| (&many, rows.as_slice()));
    for (sql, rows) in full.chain(rest.chunks(1).map(|row| (&single, row))) {
        let mut statement = db.prepare_cached(sql)?;
        statement.raw_bind_parameter(1, side.number())?;
        statement.raw_bind_parameter(2, object)?;
        statement.raw_bind_parameter(3, run)?;
        for (place, (link, stamp)) in rows.iter().enumerate() {
            statement.raw_bind_parameter(2 * place + 4, link)?;
            statement.raw_bind_parameter(2 * place + 5, stamp.map(to_millis))?;
        }
        statement.raw_execute()?;
    }
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
            "SELECT stamp FROM link JOIN seen USING (link) WHERE seen.side=?1 AND object=?2
                 AND link IN (SELECT link FROM clues WHERE hash=id_hash(?3)) AND platform_id=?3 AND family IN (SELECT family FROM family WHERE platform_object=?2)"
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::fresh;

    #[test]
    fn many_are_noted_with_their_own_stamps_and_the_last_look_at_a_link_counts() {
        let db = fresh();
        let of = |link: i64| (link, (link % 3 > 0).then(|| from_millis(link * 1_000)));
        let links: Vec<_> = (1..=(2 * ROWS as i64 + 5)).map(of).collect();
        put(&db, (Side::Org, "Contact"), 7, &links).unwrap();
        put(&db, (Side::Org, "Contact"), 8, &[(4, None)]).unwrap();
        put(&db, (Side::Platform, "contact"), 8, &[]).unwrap();
        assert_eq!(count(&db, Side::Org, "Contact").unwrap(), links.len() as u64);
        let stamp = |link: i64| -> Option<i64> {
            let sql = "SELECT stamp FROM seen WHERE link=? AND side=0 AND object='Contact'";
            db.query_row(sql, [link], |row| row.get(0)).unwrap()
        };
        let stamps: Vec<_> = [1, 3, 4, 32, 33, 64, 65, 69].map(stamp).into();
        let expected = [Some(1), None, None, Some(32), None, Some(64), Some(65), None];
        assert_eq!(stamps, expected.map(|second: Option<i64>| second.map(|second| second * 1_000)));
        assert!(!take(&db, 4, 7).unwrap() && take(&db, 4, 8).unwrap() && take(&db, 5, 7).unwrap());
    }
}
