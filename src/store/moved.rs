//! Records that live on as others, such as converted leads, until their links have followed (law E9).

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::record::{Record, RecordId};
use crate::domain::side::Side;
use crate::store::{StoreError, to_millis};

/// A record that lives on as another one of another object, such as a converted lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The record.
    pub id: RecordId,
    /// What it became: objects and ids, the likeliest first.
    pub to: Vec<(String, RecordId)>,
}

/// Notes that a record lives on as another, if it is linked, or was until it was deleted: then it was brought back before. The others
/// need nothing.
pub fn put(
    db: &Connection,
    side: Side,
    object: &str,
    record: &Record,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if record.became.is_empty() {
        return Ok(());
    }
    // By way of the mappings of the object, because links are looked up by mapping and id.
    let linked = match side {
        Side::Org => {
            "mapping IN (SELECT mapping FROM mapping WHERE org_object=?2) AND org_id=?3 AND closed IN (0, 1)"
        }
        Side::Platform => {
            "link IN (SELECT link FROM clues WHERE hash=id_hash(?3)) AND platform_id=?3 AND closed IN (0, 2)
                 AND family IN (SELECT family FROM family WHERE platform_object=?2)"
        }
    };
    let targets = serde_json::to_string(&record.became)?;
    db.prepare_cached(&format!(
        "INSERT OR IGNORE INTO moved (side, object, id, targets, since)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM link WHERE {linked})"
    ))?
    .execute(params![side.number(), object, record.id.as_str(), targets, to_millis(now)])?;
    Ok(())
}

/// All moved records of an object.
pub fn all(db: &Connection, side: Side, object: &str) -> Result<Vec<Moved>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT id, targets FROM moved WHERE side=? AND object=? ORDER BY id")?;
    let mut rows = statement.query(params![side.number(), object])?;
    let mut moved = Vec::new();
    while let Some(row) = rows.next()? {
        moved.push(Moved {
            id: RecordId::new(row.get::<_, String>(0)?),
            to: serde_json::from_str(&row.get::<_, String>(1)?)?,
        });
    }
    Ok(moved)
}

/// A moved record's links have followed.
pub fn remove(db: &Connection, side: Side, object: &str, id: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM moved WHERE side=? AND object=? AND id=?")?.execute(params![
        side.number(),
        object,
        id
    ])?;
    Ok(())
}

/// Forgets what was moved so long ago that nothing will come of it any more.
pub fn forget_before(db: &Connection, moment: DateTime<Utc>) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM moved WHERE since<?")?.execute([to_millis(moment)])?;
    Ok(())
}
