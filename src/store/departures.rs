//! Departures: linked records of which one side is gone, until the consequence for the other side is settled (law E9).

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub use crate::domain::by_hand::Answer;
use crate::domain::plan::DELETED;
use crate::domain::port::Tombstone;
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::store::links::{self, Closed};
use crate::store::{StoreError, from_millis, to_millis};

/// The pair number under which a whole record is parked; no pair has it. On the side that is left stand the edited values, on the
/// side that is gone the names of their fields.
pub const WHOLE_RECORD: i64 = 0;

/// How far a departure has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its consequence waits for a run.
    Due,
    /// A person must decide, because the other record was edited.
    Parked,
    /// A person decided that the other record is deleted too.
    Decided,
    /// The service refused it; it is tried again when a person asks for that, or the other record changes.
    Refused,
    /// It was refused, and is to be tried again.
    Asked,
    /// The other record was deleted by us, or is gone as well.
    Done,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Parked => "parked",
            Self::Decided => "decided",
            Self::Refused => "refused",
            Self::Asked => "asked",
            Self::Done => "done",
        }
    }

    fn from_word(word: &str) -> Self {
        match word {
            "parked" => Self::Parked,
            "decided" => Self::Decided,
            "refused" => Self::Refused,
            "asked" => Self::Asked,
            "done" => Self::Done,
            _ => Self::Due,
        }
    }
}

/// A linked record that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The link.
    pub link: i64,
    /// The side that lost its record.
    pub side: Side,
    /// When, where that side tells.
    pub at: Option<DateTime<Utc>>,
    /// When it was noticed or decided by a person; of a refused one, when the other record was last looked at.
    pub since: DateTime<Utc>,
    /// The org's record that it was merged into.
    pub merged_into: Option<RecordId>,
    /// How far it has come.
    pub state: State,
    /// The edited values that a person saw who decided that the other record is deleted too.
    pub seen: Option<PerSide<Vec<Value>>>,
}

impl Departure {
    /// Why its link is closed in the end.
    pub fn reason(&self) -> Closed {
        match (self.side, &self.merged_into) {
            (Side::Org, Some(winner)) => Closed::MergedInto(winner.clone()),
            (Side::Org, None) => Closed::OnOrg,
            (Side::Platform, _) => Closed::OnPlatform,
        }
    }
}

const COLUMNS: &str = "link, departure.side, at, since, merged_into, state";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Departure> {
    Ok(Departure {
        link: row.get(0)?,
        side: Side::from_number(row.get(1)?),
        at: row.get::<_, Option<i64>>(2)?.map(from_millis),
        since: from_millis(row.get(3)?),
        merged_into: row.get::<_, Option<String>>(4)?.map(RecordId::new),
        state: State::from_word(&row.get::<_, String>(5)?),
        seen: None,
    })
}

/// Notes that a side of a link is gone; what is known already stays as it is.
pub fn put(
    db: &Connection,
    link: i64,
    side: Side,
    tombstone: &Tombstone,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO departure (link, side, at, since, merged_into, state) VALUES (?1,?2,?3,?4,?5,'due')
         ON CONFLICT (link) DO UPDATE SET side=?2, at=?3, since=?4, merged_into=?5, state='due' WHERE state='done'",
    )?
    .execute(params![
        link,
        side.number(),
        tombstone.at.map(to_millis),
        to_millis(now),
        tombstone.merged_into.as_ref().map(RecordId::as_str)
    ])?;
    Ok(())
}

/// The departure of a link.
pub fn get(db: &Connection, link: i64) -> Result<Option<Departure>, StoreError> {
    let found = db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM departure WHERE link=?"))?
        .query_row([link], from_row)
        .optional()?;
    let Some(mut departure) = found else { return Ok(None) };
    if departure.state == State::Decided {
        departure.seen = shown(db, link)?;
    }
    Ok(Some(departure))
}

/// The edited values with which a link waits for a person.
fn shown(db: &Connection, link: i64) -> Result<Option<PerSide<Vec<Value>>>, StoreError> {
    let found: Option<(String, String)> = db
        .prepare_cached("SELECT org, platform FROM parked WHERE link=? AND pair=? AND why=?")?
        .query_row(params![link, WHOLE_RECORD, DELETED], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found
        .map(|(org, platform)| {
            Ok(PerSide { org: serde_json::from_str(&org)?, platform: serde_json::from_str(&platform)? })
        })
        .transpose()
}

/// The departures of a mapping's open links, in order.
pub fn of_mapping(db: &Connection, mapping: i64) -> Result<Vec<Departure>, StoreError> {
    let mut statement = db.prepare_cached(&of_mapping_sql())?;
    let rows = statement.query_map([mapping], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Departures are few and links are many: `CROSS JOIN` has the few walked, whatever SQLite believes of their number.
fn of_mapping_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM departure CROSS JOIN link USING (link) WHERE link.mapping=? AND closed=0 ORDER BY link"
    )
}

/// Moves a departure on.
pub fn set(db: &Connection, link: i64, state: State, now: DateTime<Utc>) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE departure SET state=?, since=? WHERE link=?")?.execute(params![
        state.word(),
        to_millis(now),
        link
    ])?;
    Ok(())
}

/// What was refused for a record is tried again by the next run.
pub fn ask_again(db: &Connection, mapping: i64, side: Side, id: &str) -> Result<(), StoreError> {
    let sql = match side {
        Side::Org => {
            "UPDATE departure SET state='asked' WHERE state='refused'
                 AND link IN (SELECT link FROM link WHERE mapping=?1 AND org_id=?2)"
        }
        Side::Platform => {
            "UPDATE departure SET state='asked' WHERE state='refused'
                 AND link IN (SELECT link FROM link WHERE link IN (SELECT link FROM clues WHERE hash=id_hash(?2))
                              AND platform_id=?2 AND +mapping=?1 AND family=(SELECT family FROM mapping WHERE mapping=?1))"
        }
    };
    db.prepare_cached(sql)?.execute(params![mapping, id])?;
    Ok(())
}

/// Nothing is gone, or nothing is left to do; what was parked for it is closed too.
pub fn remove(db: &Connection, link: i64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM departure WHERE link=?")?.execute([link])?;
    unpark(db, link)
}

/// Takes back that a person has to decide.
pub fn unpark(db: &Connection, link: i64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM parked WHERE link=? AND pair=? AND why=?")?.execute(params![
        link,
        WHOLE_RECORD,
        DELETED
    ])?;
    Ok(())
}

/// Takes a person's decision while the record that is left still shows what the person saw; gives whether it did. What was seen
/// stays with the departure, so that an edit made since makes it a person's decision once more.
pub fn answer(
    db: &Connection,
    link: i64,
    seen: &PerSide<Vec<Value>>,
    answer: Answer,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let Some(departure) = get(db, link)?.filter(|departure| departure.state == State::Parked) else {
        return Ok(false);
    };
    let left = departure.side.other();
    if shown(db, link)?.is_none_or(|shown| shown[left] != seen[left]) {
        return Ok(false);
    }
    match answer {
        Answer::DeleteToo => set(db, link, State::Decided, now)?,
        Answer::Keep => {
            links::close(db, link, &departure.reason())?;
            remove(db, link)?;
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{fresh, steps};

    #[test]
    fn a_mappings_departures_are_found_without_a_walk_of_its_links() {
        let db = fresh();
        assert_eq!(
            steps(&db, &of_mapping_sql()),
            ["SCAN departure", "SEARCH link USING INTEGER PRIMARY KEY (rowid=?)"],
            "departures are few, links are many"
        );
    }
}
