//! Records that were read because their sync flag was set, until it is taken back (law E15).

use rusqlite::{Connection, params};

use crate::domain::record::RecordId;
use crate::store::StoreError;

/// Notes records whose flag was set.
pub fn put(db: &Connection, object: &str, ids: &[RecordId]) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("INSERT OR IGNORE INTO flagged (object, id) VALUES (?, ?)")?;
    for id in ids {
        statement.execute(params![object, id.as_str()])?;
    }
    Ok(())
}

/// Up to `limit` flagged records of an object behind an id, apart from those of which something failed or waits: they keep
/// their flag. With the id to go on behind; `None` at the end.
pub fn done_after(
    db: &Connection,
    object: &str,
    id: &str,
    mappings: &[i64],
    limit: usize,
) -> Result<Option<(Vec<RecordId>, String)>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT id FROM flagged WHERE object=? AND id>? ORDER BY id LIMIT ?")?;
    let found: Vec<String> = statement
        .query_map(params![object, id, limit as i64], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let Some(last) = found.last().cloned() else { return Ok(None) };
    let mut done = Vec::with_capacity(found.len());
    for id in found {
        let mut waits = false;
        for mapping in mappings {
            waits |= db
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM issue WHERE mapping=?1 AND org_id=?2 AND open=1)
                         OR EXISTS (SELECT 1 FROM pending WHERE mapping=?1 AND side=0 AND id=?2)",
                )?
                .query_row(params![mapping, id], |row| row.get::<_, bool>(0))?;
        }
        if !waits {
            done.push(RecordId::new(id));
        }
    }
    Ok(Some((done, last)))
}

/// Forgets records: their flag is taken back, or stays for the next run to find.
pub fn remove(db: &Connection, object: &str, ids: &[RecordId]) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("DELETE FROM flagged WHERE object=? AND id=?")?;
    for id in ids {
        statement.execute(params![object, id.as_str()])?;
    }
    Ok(())
}

/// Forgets all that is left of an object.
pub fn clear(db: &Connection, object: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM flagged WHERE object=?")?.execute([object])?;
    Ok(())
}
