//! How far each feed has been read: cursors, and marks inside a backlog (law E4).

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::port::{Cursor, Mark};
use crate::domain::side::Side;
use crate::store::{StoreError, from_millis, to_millis};

/// What kind of read is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Everything.
    Scan,
    /// What changed since the cursor.
    Changes,
}

impl Reading {
    fn word(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Changes => "changes",
        }
    }
}

/// The state of one feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Where the last complete read ended.
    pub cursor: Option<Cursor>,
    /// When the read that gave the cursor began.
    pub cursor_at: Option<DateTime<Utc>>,
    /// The read under way, if one was interrupted.
    pub reading: Option<Reading>,
    /// Where it goes on.
    pub mark: Option<Mark>,
    /// The cursor to keep once it is done.
    pub next_cursor: Option<Cursor>,
    /// When the read under way began.
    pub next_at: Option<DateTime<Utc>>,
    /// Whether all of it is staged.
    pub complete: bool,
}

/// The state of a feed; a feed never read is blank.
pub fn get(db: &Connection, side: Side, object: &str) -> Result<Feed, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT cursor, cursor_at, reading, mark, next_cursor, next_at, complete FROM feed WHERE side=? AND object=?",
        )?
        .query_row(params![side.number(), object], |row| {
            let reading: Option<String> = row.get(2)?;
            Ok(Feed {
                cursor: row.get::<_, Option<String>>(0)?.map(Cursor),
                cursor_at: row.get::<_, Option<i64>>(1)?.map(from_millis),
                reading: reading.map(|word| if word == "scan" { Reading::Scan } else { Reading::Changes }),
                mark: row.get::<_, Option<String>>(3)?.map(Mark),
                next_cursor: row.get::<_, Option<String>>(4)?.map(Cursor),
                next_at: row.get::<_, Option<i64>>(5)?.map(from_millis),
                complete: row.get(6)?,
            })
        })
        .optional()?
        .unwrap_or_default())
}

/// Begins a read from its start; what an earlier one staged is for the caller to clear.
pub fn begin(
    db: &Connection,
    side: Side,
    object: &str,
    reading: Reading,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO feed (side, object, reading, next_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (side, object) DO UPDATE SET reading=?3, mark=NULL, next_cursor=NULL, next_at=?4, complete=0")?.execute(
        params![side.number(), object, reading.word(), to_millis(at)],
    )?;
    Ok(())
}

/// Moves the mark behind a staged page.
pub fn advance(
    db: &Connection,
    side: Side,
    object: &str,
    mark: Option<&Mark>,
    next_cursor: Option<&Cursor>,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE feed SET mark=?3, complete=?4, next_cursor=COALESCE(?5, next_cursor) WHERE side=?1 AND object=?2",
    )?
    .execute(params![
        side.number(),
        object,
        mark.map(|mark| mark.0.as_str()),
        mark.is_none(),
        next_cursor.map(|cursor| cursor.0.as_str()),
    ])?;
    Ok(())
}

/// Keeps the next cursor: all that it passed is pending or done (law E7).
pub fn finish(db: &Connection, side: Side, object: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE feed SET cursor=COALESCE(next_cursor, cursor), cursor_at=COALESCE(next_at, cursor_at),
             reading=NULL, mark=NULL, next_cursor=NULL, next_at=NULL, complete=0
         WHERE side=? AND object=? AND reading IS NOT NULL AND complete=1",
    )?
    .execute(params![side.number(), object])?;
    Ok(())
}

/// Puts the position of a feed elsewhere, as a person wants it; what was read under way is given up.
pub fn move_to(
    db: &Connection,
    side: Side,
    object: &str,
    cursor: &Cursor,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    abandon(db, side, object)?;
    db.prepare_cached("UPDATE feed SET cursor=?3, cursor_at=?4 WHERE side=?1 AND object=?2")?
        .execute(params![side.number(), object, cursor.0, to_millis(at)])?;
    Ok(())
}

/// Gives up a read under way; the cursor stays.
pub fn abandon(db: &Connection, side: Side, object: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE feed SET reading=NULL, mark=NULL, next_cursor=NULL, next_at=NULL, complete=0 WHERE side=? AND object=?")?.execute(
        params![side.number(), object],
    )?;
    Ok(())
}
