//! Records that were left out because of their key: ambiguous, taken, or held by another (law E1). When one that stood in their
//! way goes, or its key changes, they are looked at again.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::record::RecordId;
use crate::domain::side::Side;
use crate::store::{StoreError, to_millis};

/// Whether any record is left out because of its key; asked once, so that a large first sync does not ask for each of its records.
pub fn any(db: &Connection) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("SELECT 1 FROM contested LIMIT 1")?.exists([])?)
}

/// Whether a record of any side and family is left out; nearly none is, and looking costs a fraction of deleting nothing.
fn knows(db: &Connection, id: &RecordId) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("SELECT 1 FROM contested WHERE id=?")?.exists([id.as_str()])?)
}

/// Notes that a record is left out because of its key. Where it stood under another key before, that one is free of it.
pub fn keep(
    db: &Connection,
    mapping: i64,
    family: i64,
    side: Side,
    id: &RecordId,
    key: i64,
) -> Result<(), StoreError> {
    leave(db, family, side, id, Some(key))?;
    db.prepare_cached(
        "INSERT INTO contested (mapping, side, id, family, key) VALUES (?,?,?,?,?)
         ON CONFLICT (mapping, side, id) DO UPDATE SET family=excluded.family, key=excluded.key, freed=0",
    )?
    .execute(params![mapping, side.number(), id.as_str(), family, key])?;
    Ok(())
}

/// A record of a family no longer stands under the keys it was left out for, apart from one that it still has.
pub fn leave(
    db: &Connection,
    family: i64,
    side: Side,
    id: &RecordId,
    still: Option<i64>,
) -> Result<(), StoreError> {
    if !knows(db, id)? {
        return Ok(());
    }
    let left: Vec<i64> = db
        .prepare_cached(
            "DELETE FROM contested WHERE id=?1 AND side=?2 AND family=?3 AND (?4 IS NULL OR key<>?4) RETURNING key",
        )?
        .query_map(params![id.as_str(), side.number(), family, still], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    left.into_iter().try_for_each(|key| free(db, family, key))
}

/// A record is no longer left out; whoever has the same key was decided together with it.
pub fn goes(db: &Connection, family: i64, side: Side, id: &RecordId, key: i64) -> Result<(), StoreError> {
    if !knows(db, id)? {
        return Ok(());
    }
    leave(db, family, side, id, Some(key))?;
    db.prepare_cached("DELETE FROM contested WHERE id=? AND side=? AND family=?")?.execute(params![
        id.as_str(),
        side.number(),
        family
    ])?;
    Ok(())
}

/// A record is gone, in whatever family it stood.
pub fn gone(db: &Connection, side: Side, id: &RecordId) -> Result<(), StoreError> {
    let families: Vec<i64> = db
        .prepare_cached("SELECT DISTINCT family FROM contested WHERE id=? AND side=?")?
        .query_map(params![id.as_str(), side.number()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    families.into_iter().try_for_each(|family| leave(db, family, side, id, None))
}

/// Whoever was left out because of this key is looked at in the next run.
pub fn free(db: &Connection, family: i64, key: i64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE contested SET freed=1 WHERE family=? AND key=? AND freed=0")?
        .execute([family, key])?;
    Ok(())
}

/// Makes all pending whose key was freed.
pub fn make_due(db: &Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO pending (mapping, side, id, reason, since, next_try)
             SELECT mapping, side, id, 'key_freed', ?1, ?1 FROM contested WHERE freed=1
         ON CONFLICT (mapping, side, id) DO UPDATE SET next_try=?1",
    )?
    .execute([to_millis(now)])?;
    db.prepare_cached("DELETE FROM contested WHERE freed=1")?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::pending;
    use crate::store::testing::fresh;

    const FAMILY: i64 = 1;

    fn two_of_one_key() -> Connection {
        let db = fresh();
        for id in ["a", "b"] {
            keep(&db, 1, FAMILY, Side::Org, &id.into(), 7).unwrap();
        }
        db
    }

    fn due(db: &Connection) -> Vec<String> {
        let now = DateTime::UNIX_EPOCH;
        make_due(db, now).unwrap();
        pending::due(db, 1, now, 10).unwrap().into_iter().map(|(_, id)| id.to_string()).collect()
    }

    #[test]
    fn as_long_as_nothing_changes_nobody_is_looked_at() {
        let db = two_of_one_key();
        keep(&db, 1, FAMILY, Side::Org, &"a".into(), 7).unwrap();
        assert!(due(&db).is_empty());
    }

    #[test]
    fn when_one_goes_the_other_is_due_and_the_one_that_went_is_not() {
        let db = two_of_one_key();
        gone(&db, Side::Org, &"a".into()).unwrap();
        assert_eq!(due(&db), ["b"]);
        assert!(!any(&db).unwrap());
    }

    #[test]
    fn a_record_that_gets_another_key_frees_the_one_it_had() {
        let db = two_of_one_key();
        keep(&db, 1, FAMILY, Side::Org, &"a".into(), 8).unwrap();
        assert_eq!(due(&db), ["b"]);
    }

    #[test]
    fn a_freed_key_of_another_family_is_nobodys_business() {
        let db = two_of_one_key();
        free(&db, FAMILY + 1, 7).unwrap();
        assert!(due(&db).is_empty());
    }
}
