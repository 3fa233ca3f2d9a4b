//! Links are made and rewritten, with the clues by which they are found.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::clues;
use crate::domain::record::RecordId;
use crate::domain::side::PerSide;
use crate::store::{StoreError, contested, mappings, to_millis};

/// A link to be made or rewritten.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The mapping's number.
    pub mapping: i64,
    /// The family's number.
    pub family: i64,
    /// Both records.
    pub ids: PerSide<RecordId>,
    /// The newest stamp seen on each side.
    pub stamps: PerSide<Option<DateTime<Utc>>>,
    /// When each side was last seen equal to its base.
    pub read: PerSide<DateTime<Utc>>,
    /// Hashes of the key as seen on each side.
    pub keys: PerSide<Option<i64>>,
    /// What each side last held, in the [byte form](super::Bases::encode).
    pub bases: Vec<u8>,
    /// The run that writes it.
    pub run: i64,
}

/// Makes a link and gives its number, unless one of its two records has a link already that stands in its way. Whoever makes
/// many of them [counts](mappings::count) them together.
pub fn make(db: &Connection, link: &NewLink) -> Result<Option<i64>, StoreError> {
    if clues::lead_to_open(db, link.family, &link.ids.platform)? {
        return Ok(None);
    }
    let (stamps, read) = (link.stamps.map(|stamp| stamp.map(to_millis)), link.read.map(to_millis));
    let made = db
        .prepare_cached(
            "INSERT OR IGNORE INTO link (mapping, family, org_id, platform_id, org_stamp, platform_stamp, org_read,
                 platform_read, org_key, platform_key, base, run) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        )?
        .execute(params![
            link.mapping,
            link.family,
            link.ids.org.as_str(),
            link.ids.platform.as_str(),
            stamps.org,
            stamps.platform,
            read.org,
            read.platform,
            link.keys.org,
            link.keys.platform,
            link.bases,
            link.run,
        ])?;
    if made == 0 {
        return Ok(None);
    }
    let number = db.last_insert_rowid();
    clues::note(db, number, link.ids.platform.as_str(), &link.keys)?;
    Ok(Some(number))
}

/// Keeps a record that was never linked from ever being, by a closed link to nobody (law E16).
pub fn bar(
    db: &Connection,
    mapping: i64,
    family: i64,
    ids: &PerSide<&str>,
    closed: i64,
) -> Result<(), StoreError> {
    let made = db
        .prepare_cached(
            "INSERT OR IGNORE INTO link (mapping, family, org_id, platform_id, closed, base, run) VALUES (?,?,?,?,?,x'',0)",
        )?
        .execute(params![mapping, family, ids.org, ids.platform, closed])?;
    if made > 0 {
        clues::note(db, db.last_insert_rowid(), ids.platform, &PerSide::default())?;
    }
    Ok(())
}

/// A link as it stands, as far as an index tells of it.
struct Indexed {
    link: i64,
    platform: bool,
    closed: bool,
    keys: PerSide<Option<i64>>,
}

/// Makes a link, or rewrites the one of the same mapping and record of the org; gives its number.
pub fn put(db: &Connection, link: &NewLink) -> Result<i64, StoreError> {
    let known: Option<Indexed> = db
        .prepare_cached(
            "SELECT link, platform_id=?3, closed<>0, org_key, platform_key FROM link WHERE mapping=?1 AND org_id=?2",
        )?
        .query_row(params![link.mapping, link.ids.org.as_str(), link.ids.platform.as_str()], |row| {
            Ok(Indexed {
                link: row.get(0)?,
                platform: row.get(1)?,
                closed: row.get(2)?,
                keys: PerSide { org: row.get(3)?, platform: row.get(4)? },
            })
        })
        .optional()?;
    let Some(known) = known else {
        let made = make(db, link)?.ok_or_else(|| {
            StoreError::Damaged(format!("{} has two links at once", link.ids.platform.as_str()))
        })?;
        mappings::count(db, "links", 1)?;
        return Ok(made);
    };
    if !known.platform || known.closed || known.keys != link.keys {
        set_indexed(db, link, &known)?;
    }
    let stamps = link.stamps.map(|stamp| stamp.map(to_millis));
    let read = link.read.map(to_millis);
    db.prepare_cached(
        "UPDATE link SET org_stamp=?, platform_stamp=?, org_read=?, platform_read=?, base=? WHERE link=?",
    )?
    .execute(params![stamps.org, stamps.platform, read.org, read.platform, link.bases, known.link,])?;
    Ok(known.link)
}

/// Rewrites what indexes tell of a link. Mostly it stays as it is, and each entry that is written again is a random page.
fn set_indexed(db: &Connection, link: &NewLink, known: &Indexed) -> Result<(), StoreError> {
    // Whoever was left out because of a key that it no longer has may have it now (law E1).
    for key in [known.keys.org, known.keys.platform].into_iter().flatten() {
        if ![link.keys.org, link.keys.platform].contains(&Some(key)) {
            contested::free(db, link.family, key)?;
        }
    }
    db.prepare_cached(
        "UPDATE link SET platform_id=?, closed=0, closed_to=NULL, org_key=?, platform_key=? WHERE link=?",
    )?
    .execute(params![link.ids.platform.as_str(), link.keys.org, link.keys.platform, known.link])?;
    if known.closed {
        mappings::count(db, "links", 1)?;
    }
    Ok(())
}
