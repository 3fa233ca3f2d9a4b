//! Links: the remembered pairs of records, with what each side last held.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use crate::domain::codec;
use crate::domain::plan::UNKNOWN_OUTCOME;
use crate::domain::port::Tombstone;
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::store::{StoreError, contested, departures, from_millis, mappings, to_millis};

mod bases;
pub mod clues;
mod glance;
mod make;
#[cfg(test)]
mod tests;

pub use bases::{Bases, Stored};
pub use glance::{Glance, glance};
pub use make::{NewLink, bar, make, put};

/// Why a link is closed (law E9); a closed link writes nothing and still keeps its two ids out of matching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The org's record was deleted.
    OnOrg,
    /// The platform's record was deleted.
    OnPlatform,
    /// The org's record was merged into another.
    MergedInto(RecordId),
    /// The lead was converted.
    ConvertedTo(RecordId),
    /// The person was forgotten (law E16); the link holds no values any more.
    Forgotten,
}

impl Closed {
    fn number(&self) -> i64 {
        match self {
            Self::OnOrg => 1,
            Self::OnPlatform => 2,
            Self::MergedInto(_) => 3,
            Self::ConvertedTo(_) => 4,
            Self::Forgotten => super::forget::CLOSED,
        }
    }

    fn from_row(number: i64, to: Option<&str>) -> Option<Self> {
        let to = || RecordId::new(to.unwrap_or_default());
        match number {
            0 => None,
            1 => Some(Self::OnOrg),
            2 => Some(Self::OnPlatform),
            3 => Some(Self::MergedInto(to())),
            super::forget::CLOSED => Some(Self::Forgotten),
            _ => Some(Self::ConvertedTo(to())),
        }
    }
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub link: i64,
    /// The mapping's number.
    pub mapping: i64,
    /// The family's number.
    pub family: i64,
    /// Both records.
    pub ids: PerSide<RecordId>,
    /// Why it is closed, if it is.
    pub closed: Option<Closed>,
    /// The newest stamp seen on each side.
    pub stamps: PerSide<Option<DateTime<Utc>>>,
    /// When each side was last seen equal to its base.
    pub read: PerSide<DateTime<Utc>>,
    /// What each side last held.
    pub bases: Bases,
}

/// A statement that selects whole links: the columns that [`from_row`] reads, and what comes behind them.
macro_rules! select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT link.link, mapping, family, org_id, platform_id, closed, closed_to, org_stamp, platform_stamp, org_read, \
             platform_read, base ",
            $($rest),+
        )
    };
}

/// The same without what each side last held: for whoever asks only who is linked with whom.
macro_rules! select_head {
    ($rest:literal) => {
        concat!(
            "SELECT link.link, mapping, family, org_id, platform_id, closed, closed_to, org_stamp, platform_stamp, org_read, \
             platform_read, x'' ",
            $rest
        )
    };
}

/// The link of a record, as [`by_org`] or [`by_platform`] finds it, without bases.
pub fn head(
    db: &Connection,
    side: Side,
    mapping: i64,
    family: i64,
    id: &str,
) -> Result<Option<Link>, StoreError> {
    match side {
        Side::Org => db
            .prepare_cached(select_head!("FROM link WHERE mapping=? AND org_id=?"))?
            .query_row(params![mapping, id], from_row)
            .optional()?
            .transpose(),
        Side::Platform => first(
            db,
            select_head!(
                "FROM clues CROSS JOIN link ON link.link=clues.link WHERE clues.hash=id_hash(?2) AND family=?1
                     AND platform_id=?2"
            ),
            params![family, id],
        ),
    }
}

/// The open one of the links that a statement finds, else the oldest. To sort them, or to look for their numbers in a list, SQLite would
/// make a table each time.
fn first(db: &Connection, sql: &str, asked: &[&dyn ToSql]) -> Result<Option<Link>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut first: Option<Link> = None;
    for found in statement.query_map(asked, from_row)? {
        let found = found??;
        let order = |link: &Link| (link.closed.is_some(), link.link);
        if first.as_ref().is_none_or(|first| order(&found) < order(first)) {
            first = Some(found);
        }
    }
    Ok(first)
}

fn from_row(row: &Row<'_>) -> Result<Result<Link, StoreError>, rusqlite::Error> {
    let stamp = |place: usize| -> Result<Option<DateTime<Utc>>, rusqlite::Error> {
        Ok(row.get::<_, Option<i64>>(place)?.map(from_millis))
    };
    let link = Link {
        link: row.get(0)?,
        mapping: row.get(1)?,
        family: row.get(2)?,
        ids: PerSide {
            org: RecordId::new(row.get_ref(3)?.as_str()?),
            platform: RecordId::new(row.get_ref(4)?.as_str()?),
        },
        closed: Closed::from_row(row.get(5)?, row.get::<_, Option<String>>(6)?.as_deref()),
        stamps: PerSide { org: stamp(7)?, platform: stamp(8)? },
        read: PerSide { org: from_millis(row.get(9)?), platform: from_millis(row.get(10)?) },
        bases: Bases::default(),
    };
    Ok(Bases::decode(row.get_ref(11)?.as_blob()?).map(|bases| Link { bases, ..link }))
}

/// The link of a record of the org in a mapping, open or closed.
pub fn by_org(db: &Connection, mapping: i64, id: &str) -> Result<Option<Link>, StoreError> {
    db.prepare_cached(select!("FROM link WHERE mapping=? AND org_id=?"))?
        .query_row(params![mapping, id], from_row)
        .optional()?
        .transpose()
}

/// The open link of a platform record in a family, else a closed one.
pub fn by_platform(db: &Connection, family: i64, id: &str) -> Result<Option<Link>, StoreError> {
    first(
        db,
        select!(
            "FROM clues CROSS JOIN link ON link.link=clues.link WHERE clues.hash=id_hash(?2) AND family=?1 AND platform_id=?2"
        ),
        params![family, id],
    )
}

/// The number of the newest link; 0 where there is none.
pub fn newest(db: &Connection) -> Result<i64, StoreError> {
    Ok(db.prepare_cached("SELECT COALESCE(max(link), 0) FROM link")?.query_row([], |row| row.get(0))?)
}

/// The closed links of a record of an object of which only this side was left: now both are gone.
pub fn left_behind(db: &Connection, side: Side, object: &str, id: &str) -> Result<Vec<Link>, StoreError> {
    let sql = match side {
        Side::Org => select!(
            "FROM link WHERE org_id=?1 AND closed=2
                 AND mapping IN (SELECT mapping FROM mapping WHERE org_object=?2)"
        ),
        Side::Platform => select!(
            "FROM clues CROSS JOIN link ON link.link=clues.link WHERE clues.hash=id_hash(?1) AND platform_id=?1
                 AND closed IN (1, 3, 4) AND family IN (SELECT family FROM family WHERE platform_object=?2)"
        ),
    };
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([id, object], from_row)?;
    rows.map(|row| row?).collect()
}

/// The links of a record of the org that are closed because it was deleted.
pub fn closed_with(db: &Connection, object: &str, id: &str) -> Result<Vec<Link>, StoreError> {
    let mut statement = db.prepare_cached(select!(
        "FROM link WHERE org_id=? AND closed=1 AND mapping IN (SELECT mapping FROM mapping WHERE org_object=?)"
    ))?;
    let rows = statement.query_map([id, object], from_row)?;
    rows.map(|row| row?).collect()
}

/// Both records of a closed link are gone: it keeps nobody out of matching any more, and whichever is back is a new one (law E9).
pub fn bury(
    db: &Connection,
    link: &Link,
    side: Side,
    gone: &Tombstone,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    departures::put(db, link.link, side.other(), gone, now)?;
    departures::set(db, link.link, departures::State::Done, now)?;
    free_keys(db, link.link)
}

/// A link by its number.
pub fn get(db: &Connection, link: i64) -> Result<Option<Link>, StoreError> {
    db.prepare_cached(select!("FROM link WHERE link=?"))?.query_row([link], from_row).optional()?.transpose()
}

/// The open links of a record of an object, by its id on one side, over all mappings of that object.
pub fn of_record(db: &Connection, side: Side, object: &str, id: &str) -> Result<Vec<Link>, StoreError> {
    let sql = match side {
        Side::Org => select!(
            "FROM link WHERE org_id=?1 AND closed=0
                 AND mapping IN (SELECT mapping FROM mapping WHERE org_object=?2)"
        ),
        Side::Platform => select!(
            "FROM clues CROSS JOIN link ON link.link=clues.link WHERE clues.hash=id_hash(?1) AND platform_id=?1 AND closed=0
                 AND family IN (SELECT family FROM family WHERE platform_object=?2)"
        ),
    };
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([id, object], from_row)?;
    rows.map(|row| row?).collect()
}

/// The open link of a record of the org in a family, whatever mapping holds it.
pub fn open_in_family(db: &Connection, family: i64, org_id: &str) -> Result<Option<Link>, StoreError> {
    db.prepare_cached(select!(
        "FROM link WHERE org_id=?1 AND mapping IN (SELECT mapping FROM mapping WHERE family=?2) AND closed=0 LIMIT 1"
    ))?
    .query_row(params![org_id, family], from_row)
    .optional()?
    .transpose()
}

/// Open links of a family that hold a key on either side; hashes may collide, so the caller compares values.
pub fn by_key(db: &Connection, family: i64, hash: i64) -> Result<Vec<Link>, StoreError> {
    let mut statement = db.prepare_cached(select!(
        "FROM clues CROSS JOIN link ON link.link=clues.link
         WHERE clues.hash=?2>>16 AND family=?1 AND (org_key=?2 OR platform_key=?2) AND closed=0"
    ))?;
    let rows = statement.query_map(params![family, hash], from_row)?;
    let mut links: Vec<Link> = rows.map(|row| row?).collect::<Result<_, _>>()?;
    links.sort_by_key(|link| link.link);
    Ok(links)
}

/// A closed link of a family whose record of the platform is still there, holds this key and is nobody else's: it blocks matching
/// (law E9). Where we deleted the platform's record ourselves, nothing is left to block.
pub fn blocking_key(db: &Connection, family: i64, hash: i64) -> Result<Option<Link>, StoreError> {
    first(
        db,
        select!(
            "FROM clues CROSS JOIN link ON link.link=clues.link
             WHERE clues.hash=?2>>16 AND family=?1 AND platform_key=?2 AND closed NOT IN (0, 2)
                 AND NOT EXISTS (SELECT 1 FROM clues AS those CROSS JOIN link AS other ON other.link=those.link
                                 WHERE those.hash=id_hash(link.platform_id) AND other.family=?1
                                     AND other.platform_id=link.platform_id AND other.closed=0)
                 AND NOT EXISTS (SELECT 1 FROM departure WHERE departure.link=link.link AND departure.state='done')"
        ),
        params![family, hash],
    )
}

/// Lets whoever was left out because of a link's key be looked at again.
pub(super) fn free_keys(db: &Connection, link: i64) -> Result<(), StoreError> {
    let (family, keys): (i64, [Option<i64>; 2]) = db
        .prepare_cached("SELECT family, org_key, platform_key FROM link WHERE link=?")?
        .query_row([link], |row| Ok((row.get(0)?, [row.get(1)?, row.get(2)?])))?;
    keys.into_iter().flatten().try_for_each(|key| contested::free(db, family, key))
}

/// A side was seen equal to its base at this moment.
pub fn seen_equal(db: &Connection, link: i64, side: Side, at: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = match side {
        Side::Org => "UPDATE link SET org_read=?2 WHERE link=?1 AND org_read<?2",
        Side::Platform => "UPDATE link SET platform_read=?2 WHERE link=?1 AND platform_read<?2",
    };
    db.prepare_cached(sql)?.execute([link, to_millis(at)])?;
    Ok(())
}

/// Whether anything of an open link waits: a pair that is parked, a record that is gone or must be looked at again, an issue, or what
/// a person decided.
pub fn waits(db: &Connection, link: &Link) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM parked WHERE link=?1) OR EXISTS (SELECT 1 FROM departure WHERE link=?1)
                 OR EXISTS (SELECT 1 FROM pending WHERE mapping=?2 AND side=0 AND id=?3)
                 OR EXISTS (SELECT 1 FROM pending WHERE mapping=?2 AND side=1 AND id=?4)
                 OR EXISTS (SELECT 1 FROM issue WHERE mapping=?2 AND org_id=?3 AND open=1)
                 OR EXISTS (SELECT 1 FROM issue WHERE mapping=?2 AND platform_id=?4 AND open=1)
                 OR EXISTS (SELECT 1 FROM decision WHERE mapping=?2 AND (org_id=?3 OR platform_id=?4))",
        )?
        .query_row(
            params![link.link, link.mapping, link.ids.org.as_str(), link.ids.platform.as_str()],
            |row| row.get(0),
        )?)
}

/// Closes a link (law E9).
pub fn close(db: &Connection, link: i64, why: &Closed) -> Result<(), StoreError> {
    let to = match why {
        Closed::MergedInto(id) | Closed::ConvertedTo(id) => Some(id.as_str()),
        Closed::OnOrg | Closed::OnPlatform | Closed::Forgotten => None,
    };
    let changed = db
        .prepare_cached("UPDATE link SET closed=?, closed_to=? WHERE link=? AND closed=0")?
        .execute(params![why.number(), to, link])?;
    if changed > 0 {
        free_keys(db, link)?;
    }
    // Nothing is left to decide; what nobody knows the fate of stays until the link is open again.
    db.prepare_cached("DELETE FROM parked WHERE link=? AND why<>?")?
        .execute(params![link, UNKNOWN_OUTCOME])?;
    mappings::count(db, "links", -i64::try_from(changed).unwrap_or(0))
}

/// The links of a mapping behind a link that were neither staged of an object on a side nor seen as they last were: open ones, and those of
/// which only this side was left, whose key nobody else can have meanwhile.
pub fn unseen(
    db: &Connection,
    mapping: i64,
    side: Side,
    object: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Link>, StoreError> {
    let mut statement = db.prepare_cached(match side {
        Side::Org => select!(
            "FROM link WHERE link>?4 AND +mapping=?1 AND (closed=0 OR closed=2 AND org_key IS NOT NULL) AND NOT EXISTS
                 (SELECT 1 FROM stage WHERE side=?2 AND object=?3 AND id=org_id)
                 AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.link=link.link AND seen.side=?2)
             ORDER BY link LIMIT ?5"
        ),
        Side::Platform => select!(
            "FROM link WHERE link>?4 AND +mapping=?1
                 AND (closed=0 OR closed=1 AND platform_key IS NOT NULL AND NOT EXISTS
                 (SELECT 1 FROM clues CROSS JOIN link AS other ON other.link=clues.link
                     WHERE clues.hash=id_hash(link.platform_id) AND other.family=link.family
                         AND other.platform_id=link.platform_id AND other.closed=0))
                 AND NOT EXISTS
                 (SELECT 1 FROM stage WHERE side=?2 AND object=?3 AND id=platform_id)
                 AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.link=link.link AND seen.side=?2)
             ORDER BY link LIMIT ?5"
        ),
    })?;
    let rows = statement.query_map(params![mapping, side.number(), object, after, limit as i64], from_row)?;
    rows.map(|row| row?).collect()
}

/// Reopens a link whose record is back.
pub fn reopen(db: &Connection, link: i64) -> Result<(), StoreError> {
    let changed =
        db.execute("UPDATE link SET closed=0, closed_to=NULL WHERE link=? AND closed<>0", [link])?;
    mappings::count(db, "links", i64::try_from(changed).unwrap_or(0))
}

/// Takes a link back that should never have been made; tells whether it was open. Only for a database that is being rebuilt:
/// elsewhere links are closed (law E9).
pub fn forget(db: &Connection, link: i64) -> Result<bool, StoreError> {
    let open = db.execute("DELETE FROM link WHERE link=? AND closed=0", [link])? > 0;
    if open {
        mappings::count(db, "links", -1)?;
    }
    Ok(open)
}

/// How many open links a mapping has; stops counting at `most`.
pub fn count(db: &Connection, mapping: i64, most: u64) -> Result<u64, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM link WHERE mapping=? AND closed=0 LIMIT ?)")?;
    Ok(statement.query_row(params![mapping, most as i64], |row| row.get::<_, i64>(0))? as u64)
}

/// Whether a family has a link, open or closed.
pub fn any_of_family(db: &Connection, family: i64) -> Result<bool, StoreError> {
    let sql =
        "SELECT 1 FROM link WHERE mapping IN (SELECT mapping FROM mapping WHERE family=?1) AND family=?1";
    Ok(db.prepare_cached(sql)?.exists([family])?)
}

/// A hash of a key, stable over versions and machines (FNV-1a over the encoded values).
pub fn key_hash(key: &[Value]) -> i64 {
    let mut bytes = Vec::new();
    for value in key {
        codec::put(&mut bytes, Some(value));
    }
    hash(&bytes)
}

fn hash(bytes: &[u8]) -> i64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    hash as i64
}
