//! Records that must be looked at again, and pairs that wait for a person. Neither holds more than it must (law E7).

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::plan::Parked;
use crate::domain::record::RecordId;
use crate::domain::side::Side;
use crate::store::{StoreError, links, to_millis};

/// Makes a record pending, or counts another try. `next_try` is when it is looked at again by itself; `None` waits for a
/// change of its source or its mapping.
pub fn put(
    db: &Connection,
    mapping: i64,
    side: Side,
    id: &RecordId,
    reason: &str,
    now: DateTime<Utc>,
    next_try: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO pending (mapping, side, id, reason, since, next_try) VALUES (?1,?2,?3,?4,?5,?6)
         ON CONFLICT (mapping, side, id) DO UPDATE SET reason=?4, tries=tries+1, next_try=?6",
    )?
    .execute(params![
        mapping,
        side.number(),
        id.as_str(),
        reason,
        to_millis(now),
        next_try.map(to_millis)
    ])?;
    Ok(())
}

/// Makes records of the platform pending that a campaign has pushed; they are looked at in the run that brings them.
pub fn put_pushed(
    db: &Connection,
    mapping: &str,
    ids: &[RecordId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let number: i64 =
        db.query_row("SELECT mapping FROM mapping WHERE name=?", [mapping], |row| row.get(0))?;
    for id in ids {
        put(db, number, Side::Platform, id, "pushed", now, Some(now))?;
    }
    Ok(())
}

/// Makes a record of the platform due that a service has hinted at: for the mapping of its link, else for the first of these. A mapping
/// that never ran reads all there is when it first does.
pub fn put_hinted(
    db: &Connection,
    mappings: &[String],
    id: &RecordId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut first = None;
    for name in mappings {
        let known: Option<(i64, i64)> = db
            .prepare_cached("SELECT mapping, family FROM mapping WHERE name=?")?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((mapping, family)) = known else { continue };
        if links::by_platform(db, family, id.as_str())?.is_some_and(|link| link.mapping == mapping) {
            return make_due(db, mapping, Side::Platform, id.as_str(), now);
        }
        first = first.or(Some(mapping));
    }
    first.map_or(Ok(()), |mapping| make_due(db, mapping, Side::Platform, id.as_str(), now))
}

/// Whether any record is due.
pub fn any_due(db: &Connection, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pending WHERE next_try<=?)";
    Ok(db.prepare_cached(sql)?.query_row([to_millis(now)], |row| row.get(0))?)
}

/// Few are due and many may wait for something else, so they are found by when they are due.
const DUE: &str = "SELECT side, id FROM pending WHERE +mapping=? AND next_try<=? ORDER BY side, id LIMIT ?";

/// The first `limit` records of a mapping that are due.
pub fn due(
    db: &Connection,
    mapping: i64,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<(Side, RecordId)>, StoreError> {
    let mut statement = db.prepare_cached(DUE)?;
    let rows = statement.query_map(params![mapping, to_millis(now), limit as i64], |row| {
        Ok((Side::from_number(row.get(0)?), RecordId::new(row.get::<_, String>(1)?)))
    })?;
    rows.map(|row| row.map_err(Into::into)).collect()
}

/// Makes a record due now.
pub fn make_due(
    db: &Connection,
    mapping: i64,
    side: Side,
    id: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO pending (mapping, side, id, reason, since, next_try) VALUES (?1,?2,?3,'retry',?4,?4)
         ON CONFLICT (mapping, side, id) DO UPDATE SET next_try=?4",
        params![mapping, side.number(), id, to_millis(now)],
    )?;
    Ok(())
}

/// Makes all records due that wait for a reason.
pub fn wake(db: &Connection, reason: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE pending SET next_try=?2 WHERE reason=?1 AND next_try>?2")?
        .execute(params![reason, to_millis(now)])?;
    Ok(())
}

/// A record was dealt with.
pub fn remove(db: &Connection, mapping: i64, side: Side, id: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM pending WHERE mapping=? AND side=? AND id=?")?.execute(params![
        mapping,
        side.number(),
        id
    ])?;
    Ok(())
}

/// A record was read and is not pending while its run deals with it.
pub fn take(db: &Connection, mapping: i64, side: Side, id: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO taken (mapping, side, id, reason, tries, since, next_try)
         SELECT mapping, side, id, reason, tries, since, next_try FROM pending WHERE mapping=? AND side=? AND id=?",
    )?
    .execute(params![mapping, side.number(), id])?;
    remove(db, mapping, side, id)
}

/// The run has dealt with all that it took.
pub fn use_up(db: &Connection) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM taken")?.execute([])?;
    Ok(())
}

/// What a run took and did not come to deal with is pending again.
pub fn give_back(db: &Connection) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO pending (mapping, side, id, reason, tries, since, next_try)
         SELECT mapping, side, id, reason, tries, since, next_try FROM taken",
    )?
    .execute([])?;
    use_up(db)
}

/// How many records are pending.
pub fn count(db: &Connection) -> Result<u64, StoreError> {
    Ok(db.query_row("SELECT count(*) FROM pending", [], |row| row.get::<_, i64>(0))? as u64)
}

/// Parks a pair; tells whether it was not parked before.
pub fn park(
    db: &Connection,
    link: i64,
    pair: i64,
    parked: &Parked,
    run: i64,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let known = db.prepare_cached("SELECT 1 FROM parked WHERE link=? AND pair=?")?.exists([link, pair])?;
    db.prepare_cached(
        "INSERT INTO parked (link, pair, why, since, run, org, platform) VALUES (?1,?2,?3,?4,?5,?6,?7)
         ON CONFLICT (link, pair) DO UPDATE SET why=?3, run=?5, org=?6, platform=?7",
    )?
    .execute(params![
        link,
        pair,
        parked.why,
        to_millis(now),
        run,
        serde_json::to_string(&parked.org)?,
        serde_json::to_string(&parked.platform)?
    ])?;
    Ok(!known)
}

/// Parks a pair of another link as one is parked for a reason, if it is.
pub fn park_alike(db: &Connection, why: &str, from: (i64, i64), to: (i64, i64)) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO parked (link, pair, why, since, run, org, platform)
         SELECT ?4, ?5, why, since, run, org, platform FROM parked WHERE why=?1 AND link=?2 AND pair=?3",
    )?
    .execute(params![why, from.0, from.1, to.0, to.1])?;
    Ok(())
}

/// Closes a parked pair; tells whether it was parked.
pub fn unpark(db: &Connection, link: i64, pair: i64) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("DELETE FROM parked WHERE link=? AND pair=?")?.execute([link, pair])? > 0)
}

/// The pairs of a link that are parked for a reason.
pub fn parked_for(db: &Connection, link: i64, why: &str) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.prepare_cached("SELECT pair FROM parked WHERE link=? AND why=?")?;
    let rows = statement.query_map(params![link, why], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether anything of a link is parked, or was passed over before.
pub fn is_unsettled(db: &Connection, link: i64) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM parked WHERE link=?1) OR EXISTS (SELECT 1 FROM link JOIN pending
                 ON pending.mapping=link.mapping AND pending.side=0 AND pending.id=link.org_id WHERE link=?1)",
        )?
        .query_row([link], |row| row.get(0))?)
}

/// How many pairs wait for a person; a deletion that was decided waits for its run alone.
pub fn parked_count(db: &Connection) -> Result<u64, StoreError> {
    Ok(db.query_row(
        "SELECT count(*) FROM parked p WHERE p.pair<>0 OR NOT EXISTS
             (SELECT 1 FROM departure g WHERE g.link=p.link AND g.state='decided')",
        [],
        |row| row.get::<_, i64>(0),
    )? as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{fresh, steps};

    #[test]
    fn who_is_due_is_found_without_a_walk_of_all_who_wait() {
        let db = fresh();
        let steps = steps(&db, DUE);
        assert!(steps[0].contains("pending_due (next_try<?)"), "{steps:?}");
    }

    #[test]
    fn only_those_of_the_mapping_are_due_whose_time_has_come() {
        let db = fresh();
        let now = DateTime::UNIX_EPOCH;
        let later = now + chrono::TimeDelta::seconds(30);
        for (mapping, id, next) in
            [(1, "a", Some(now)), (1, "b", Some(later)), (1, "c", None), (2, "d", Some(now))]
        {
            put(&db, mapping, Side::Org, &id.into(), "retry", now, next).unwrap();
        }
        let due_by = |by| {
            let due = due(&db, 1, by, 10).unwrap();
            due.into_iter().map(|(_, id)| id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(due_by(now), ["a"]);
        assert_eq!(due_by(DateTime::<Utc>::MAX_UTC), ["a", "b"]);
        assert!(any_due(&db, now).unwrap());
    }
}
