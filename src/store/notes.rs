//! What a platform's client remembers of its records from one run to the next.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::{StoreError, to_millis};

/// A note that nobody has renewed for so long is of no more use: no service tells of anything older than a year.
const KEPT_DAYS: i64 = 400;

/// What was kept of a record.
pub fn get(db: &Connection, object: &str, id: &str) -> Result<Option<String>, StoreError> {
    Ok(db
        .prepare_cached("SELECT body FROM note WHERE object=? AND id=?")?
        .query_row([object, id], |row| row.get(0))
        .optional()?)
}

/// Keeps something in place of what was kept before.
pub fn put(
    db: &Connection,
    object: &str,
    id: &str,
    body: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO note (object, id, body, kept_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (object, id) DO UPDATE SET body=?3, kept_at=?4",
    )?
    .execute(params![object, id, body, to_millis(now)])?;
    Ok(())
}

/// Drops what nobody has renewed for more than a year; rows of tables stay, as nobody could read them again.
pub fn prune(db: &Connection, object: &str, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let before = to_millis(now - TimeDelta::days(KEPT_DAYS));
    Ok(db.execute("DELETE FROM note WHERE object=? AND kept_at<?", params![object, before])? as u64)
}

/// Drops what is kept of a record, and of what belongs to it by an id that begins like its own.
pub fn forget(db: &Connection, id: &str) -> Result<u64, StoreError> {
    let mut gone = db.execute("DELETE FROM note WHERE id=?", [id])?;
    gone +=
        db.execute("DELETE FROM note WHERE object='contact_moment' AND id>?1||'-' AND id<?1||'.'", [id])?;
    Ok(gone as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::fresh;

    #[test]
    fn a_person_is_forgotten_with_their_contact_moments_and_nobody_elses() {
        let db = fresh();
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        for id in ["4-1", "42-1", "42-9-0", "421-1"] {
            put(&db, "contact_moment", id, "{}", now).unwrap();
        }
        assert_eq!(forget(&db, "42").unwrap(), 2);
        assert_eq!(get(&db, "contact_moment", "421-1").unwrap().as_deref(), Some("{}"));
        assert_eq!(get(&db, "contact_moment", "42-1").unwrap(), None);
        assert_eq!(prune(&db, "contact_moment", now + TimeDelta::days(401)).unwrap(), 2);
    }
}
