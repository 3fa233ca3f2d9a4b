//! Turns: pairs that are written to one side and then to the other, again and again (law E8).

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, params};

use crate::domain::side::Side;
use crate::store::{StoreError, to_millis};

/// Three writes to either side, in turn, are a fight.
const FIGHT: i64 = 6;

/// Turns further apart than this are edits of people, not a fight.
fn window() -> TimeDelta {
    TimeDelta::hours(24)
}

/// Notes that a pair of a linked record was written to a side.
pub fn note(db: &Connection, link: i64, pair: i64, side: Side, now: DateTime<Utc>) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO turn (link, pair, side, turns, since, last) VALUES (?1,?2,?3,1,?4,?4)
         ON CONFLICT (link, pair) DO UPDATE SET side=?3, last=?4,
             turns=CASE WHEN since<?5 THEN 1 WHEN side=?3 THEN turns ELSE turns+1 END,
             since=CASE WHEN since<?5 THEN ?4 ELSE since END",
    )?
    .execute(params![link, pair, side.number(), to_millis(now), to_millis(now - window())])?;
    Ok(())
}

/// The pairs of a link that were written to both sides in turn three times within a day.
pub fn fighting(db: &Connection, link: i64, now: DateTime<Utc>) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.prepare_cached("SELECT pair FROM turn WHERE link=? AND turns>=? AND since>=?")?;
    let rows = statement.query_map(params![link, FIGHT, to_millis(now - window())], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A fight is over: both sides agree, or a person decided.
pub fn settle(db: &Connection, link: i64, pair: i64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM turn WHERE link=? AND pair=?")?.execute(params![link, pair])?;
    Ok(())
}

/// Forgets what has been quiet for a day.
pub fn prune(db: &Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM turn WHERE last<?")?.execute([to_millis(now - window())])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::fresh;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + hours * 3_600, 0).unwrap_or_default()
    }

    #[test]
    fn three_writes_to_either_side_in_turn_are_a_fight_and_the_same_side_again_is_none() {
        let db = fresh();
        for turn in 0..5 {
            let side = if turn % 2 == 0 { Side::Org } else { Side::Platform };
            note(&db, 1, 7, side, at(turn)).unwrap();
            note(&db, 1, 8, Side::Org, at(turn)).unwrap();
        }
        assert!(fighting(&db, 1, at(5)).unwrap().is_empty());
        note(&db, 1, 7, Side::Platform, at(5)).unwrap();
        assert_eq!(fighting(&db, 1, at(5)).unwrap(), vec![7]);
        assert!(fighting(&db, 1, at(30)).unwrap().is_empty(), "a day later it is forgotten");
    }
}
