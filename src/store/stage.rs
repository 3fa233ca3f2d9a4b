//! What the run at hand has read and not yet dealt with: records, tombstones, and unlinked records by key.

use std::rc::Rc;

use chrono::{DateTime, Utc};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::codec;
use crate::domain::port::Tombstone;
use crate::domain::record::{Record, RecordId};
use crate::domain::side::Side;
use crate::store::{StoreError, from_millis, moved, seen, to_millis};

/// A record with the time it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The record.
    pub record: Record,
    /// When the read that brought it began, on the engine's clock.
    pub read_at: DateTime<Utc>,
}

/// Stages a page of records; a record that comes twice keeps its newer stamp.
pub fn put(
    db: &Connection,
    side: Side,
    object: &str,
    records: &[Record],
    read_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "INSERT INTO stage (side, object, id, stamp, author, read_at, body) VALUES (?1,?2,?3,?4,?5,?6,?7)
         ON CONFLICT (side, object, id) DO UPDATE SET stamp=?4, author=?5, read_at=?6, body=?7
             WHERE COALESCE(excluded.stamp, 0) >= COALESCE(stage.stamp, 0)",
    )?;
    for record in records {
        statement.execute(params![
            side.number(),
            object,
            record.id.as_str(),
            record.stamp.map(to_millis),
            record.author.as_deref(),
            to_millis(read_at),
            codec::encode(&record.values),
        ])?;
        moved::put(db, side, object, record, read_at)?;
    }
    Ok(())
}

fn from_row(row: &Row<'_>, fields: usize) -> Result<Result<Staged, StoreError>, rusqlite::Error> {
    let staged = Staged {
        record: Record {
            id: RecordId::new(row.get_ref(0)?.as_str()?),
            stamp: row.get::<_, Option<i64>>(1)?.map(from_millis),
            author: row.get::<_, Option<String>>(2)?.map(Into::into),
            values: Vec::new(),
            became: Vec::new(),
        },
        read_at: from_millis(row.get(3)?),
    };
    Ok(codec::decode(row.get_ref(4)?.as_blob()?, fields).map_err(Into::into).map(|values| {
        let mut staged = staged;
        staged.record.values = values;
        staged
    }))
}

/// A staged record.
pub fn get(
    db: &Connection,
    side: Side,
    object: &str,
    id: &str,
    fields: usize,
) -> Result<Option<Staged>, StoreError> {
    db.prepare_cached(
        "SELECT id, stamp, author, read_at, body FROM stage WHERE side=? AND object=? AND id=?",
    )?
    .query_row(params![side.number(), object, id], |row| from_row(row, fields))
    .optional()?
    .transpose()
}

/// The stamp of a staged record, where its side gave one.
pub fn stamp(
    db: &Connection,
    side: Side,
    object: &str,
    id: &str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let stamp: Option<Option<i64>> = db
        .prepare_cached("SELECT stamp FROM stage WHERE side=? AND object=? AND id=?")?
        .query_row(params![side.number(), object, id], |row| row.get(0))
        .optional()?;
    Ok(stamp.flatten().map(from_millis))
}

/// Up to `limit` staged records behind an id, in the order of their ids.
pub fn after(
    db: &Connection,
    side: Side,
    object: &str,
    id: &str,
    fields: usize,
    limit: usize,
) -> Result<Vec<Staged>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT id, stamp, author, read_at, body FROM stage WHERE side=? AND object=? AND id>? ORDER BY id LIMIT ?",
    )?;
    let rows =
        statement.query_map(params![side.number(), object, id, limit as i64], |row| from_row(row, fields))?;
    rows.map(|row| row?).collect()
}

/// Forgets a staged record that was dealt with.
pub fn remove(db: &Connection, side: Side, object: &str, id: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM stage WHERE side=? AND object=? AND id=?")?.execute(params![
        side.number(),
        object,
        id
    ])?;
    Ok(())
}

/// Forgets staged records of an object that were dealt with, by one statement for all of them.
pub fn remove_all<'i>(
    db: &Connection,
    side: Side,
    object: &str,
    ids: impl Iterator<Item = &'i str>,
) -> Result<(), StoreError> {
    let ids: Vec<Sql> = ids.map(|id| Sql::Text(id.to_owned())).collect();
    db.prepare_cached("DELETE FROM stage WHERE side=? AND object=? AND id IN (SELECT value FROM rarray(?))")?
        .execute(params![side.number(), object, Rc::new(ids)])?;
    Ok(())
}

/// How many records are staged of an object.
pub fn count(db: &Connection, side: Side, object: &str) -> Result<u64, StoreError> {
    let mut statement = db.prepare_cached("SELECT count(*) FROM stage WHERE side=? AND object=?")?;
    Ok(statement.query_row(params![side.number(), object], |row| row.get::<_, i64>(0))? as u64)
}

/// Whether a staged record of an object begins its id with the same three characters.
pub fn has_prefix(db: &Connection, side: Side, object: &str, id: &str) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached("SELECT 1 FROM stage WHERE side=? AND object=? AND substr(id, 1, 3)=substr(?, 1, 3)")?
        .exists(params![side.number(), object, id])?)
}

/// Forgets all that is staged of an object.
pub fn clear(db: &Connection, side: Side, object: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM stage WHERE side=? AND object=?")?
        .execute(params![side.number(), object])?;
    db.prepare_cached("DELETE FROM gone WHERE side=? AND object=?")?
        .execute(params![side.number(), object])?;
    seen::clear(db, side, object)
}

/// Forgets all that is staged of these objects. Where nothing else is staged, whole tables are emptied, which costs nothing for
/// each of their rows.
pub fn clear_all(db: &Connection, feeds: &[(Side, String)]) -> Result<(), StoreError> {
    let mut others = false;
    let mut last = (-1, String::new());
    let mut next = db.prepare_cached(
        "SELECT side, object FROM stage WHERE (side, object)>(?,?) ORDER BY side, object LIMIT 1",
    )?;
    while let Some((side, object)) = next
        .query_row(params![last.0, last.1], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .optional()?
    {
        others |= !feeds.iter().any(|(known, name)| known.number() == side && *name == object);
        last = (side, object);
    }
    if !others {
        db.prepare_cached("DELETE FROM stage")?.execute([])?;
        seen::clear_all(db)?;
    }
    feeds.iter().try_for_each(|(side, object)| clear(db, *side, object))
}

/// What was staged by other fields than those of `shape` is taken away: the places of its values mean something else now. Its
/// records become pending for these mappings, and the read that was under way begins anew from its cursor.
pub fn keep_in_shape(
    db: &Connection,
    side: Side,
    object: &str,
    shape: &str,
    mappings: &[i64],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let name = format!("shape:{side}:{object}");
    let before = super::mappings::remembered(db, &name)?;
    if before.as_deref() == Some(shape) {
        return Ok(());
    }
    super::mappings::remember(db, &name, shape)?;
    if before.is_none() {
        return Ok(());
    }
    // A scan reads everything again anyway.
    let scans = super::feeds::get(db, side, object)?.reading == Some(super::feeds::Reading::Scan);
    for mapping in mappings.iter().filter(|_| !scans) {
        db.execute(
            "INSERT INTO pending (mapping, side, id, reason, since, next_try)
             SELECT ?1, ?2, id, 'fields', ?4, ?4 FROM stage WHERE side=?2 AND object=?3
             ON CONFLICT (mapping, side, id) DO UPDATE SET next_try=?4",
            params![mapping, side.number(), object, to_millis(now)],
        )?;
    }
    db.execute("DELETE FROM stage WHERE side=? AND object=?", params![side.number(), object])?;
    seen::clear(db, side, object)?;
    super::feeds::abandon(db, side, object)
}

/// Whatever is asked for next, what is staged of an object does not fit it.
pub fn distrust(db: &Connection, side: Side, object: &str) -> Result<(), StoreError> {
    super::mappings::remember(db, &format!("shape:{side}:{object}"), "")
}

/// Stages tombstones.
pub fn put_gone(
    db: &Connection,
    side: Side,
    object: &str,
    tombstones: &[Tombstone],
) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "INSERT OR REPLACE INTO gone (side, object, id, at, merged_into) VALUES (?,?,?,?,?)",
    )?;
    for tombstone in tombstones {
        statement.execute(params![
            side.number(),
            object,
            tombstone.id.as_str(),
            tombstone.at.map(to_millis),
            tombstone.merged_into.as_ref().map(RecordId::as_str),
        ])?;
    }
    Ok(())
}

/// The staged tombstones of an object.
pub fn gone(db: &Connection, side: Side, object: &str) -> Result<Vec<Tombstone>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT id, at, merged_into FROM gone WHERE side=? AND object=? ORDER BY id")?;
    let rows = statement.query_map(params![side.number(), object], |row| {
        Ok(Tombstone {
            id: RecordId::new(row.get::<_, String>(0)?),
            at: row.get::<_, Option<i64>>(1)?.map(from_millis),
            merged_into: row.get::<_, Option<String>>(2)?.map(RecordId::new),
        })
    })?;
    rows.map(|row| row.map_err(Into::into)).collect()
}

/// The staged tombstone of a record.
pub fn gone_of(db: &Connection, side: Side, object: &str, id: &str) -> Result<Option<Tombstone>, StoreError> {
    Ok(db
        .prepare_cached("SELECT at, merged_into FROM gone WHERE side=? AND object=? AND id=?")?
        .query_row(params![side.number(), object, id], |row| {
            Ok(Tombstone {
                id: RecordId::new(id),
                at: row.get::<_, Option<i64>>(0)?.map(from_millis),
                merged_into: row.get::<_, Option<String>>(1)?.map(RecordId::new),
            })
        })
        .optional()?)
}

/// An unlinked record under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its side.
    pub side: Side,
    /// The mapping that claims it, as its place in the run; 0 for the platform, whose records belong to the family.
    pub mapping: usize,
    /// Its id.
    pub id: RecordId,
}

/// Files an unlinked record under its key.
pub fn put_candidate(
    db: &Connection,
    class: usize,
    key: &[u8],
    candidate: &Candidate,
) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR IGNORE INTO candidate (class, key, side, mapping, id) VALUES (?,?,?,?,?)")?
        .execute(params![
            class as i64,
            key,
            candidate.side.number(),
            candidate.mapping as i64,
            candidate.id.as_str()
        ])?;
    Ok(())
}

/// One key and all unlinked records that have it.
pub type Group = (Vec<u8>, Vec<Candidate>);

/// Up to `limit` candidates behind a key, as whole groups in the order of keys.
pub fn groups_after(
    db: &Connection,
    class: usize,
    key: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<Group>, StoreError> {
    // Every key is longer than the empty one, so that there is one statement, and it seeks.
    let mut statement = db.prepare_cached(
        "SELECT key, side, mapping, id FROM candidate WHERE class=? AND key>? ORDER BY key, side, mapping, id",
    )?;
    let mut rows = statement.query(params![class as i64, key.unwrap_or_default()])?;
    let mut groups: Vec<Group> = Vec::new();
    while let Some(row) = rows.next()? {
        let key: Vec<u8> = row.get(0)?;
        let candidate = Candidate {
            side: Side::from_number(row.get(1)?),
            mapping: usize::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            id: RecordId::new(row.get::<_, String>(3)?),
        };
        let same = groups.last().is_some_and(|(last, _)| *last == key);
        if same {
            if let Some((_, members)) = groups.last_mut() {
                members.push(candidate);
            }
        } else if groups.len() >= limit {
            break;
        } else {
            groups.push((key, vec![candidate]));
        }
    }
    Ok(groups)
}

/// Forgets all candidates.
pub fn clear_candidates(db: &Connection) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM candidate")?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::fresh;

    #[test]
    fn many_are_forgotten_at_once_and_others_stay() {
        let db = fresh();
        let record = |id: &str| Record {
            id: RecordId::new(id),
            stamp: None,
            author: None,
            values: Vec::new(),
            became: Vec::new(),
        };
        let records = ["a", "b", "c", "d"].map(record);
        for (side, object) in [(Side::Org, "Contact"), (Side::Org, "Lead"), (Side::Platform, "Contact")] {
            put(&db, side, object, &records, DateTime::UNIX_EPOCH).unwrap();
        }
        remove_all(&db, Side::Org, "Contact", ["d", "a", "x", "a"].into_iter()).unwrap();
        remove_all(&db, Side::Org, "Lead", std::iter::empty()).unwrap();
        let left = after(&db, Side::Org, "Contact", "", 0, 9).unwrap();
        assert_eq!(left.iter().map(|staged| staged.record.id.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(
            count(&db, Side::Org, "Lead").unwrap() + count(&db, Side::Platform, "Contact").unwrap(),
            8
        );
    }
}
