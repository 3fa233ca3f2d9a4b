//! Numbers of mappings, families and pairs, and how far each mapping has come.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::{StoreError, from_millis, to_millis};

/// A mapping as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingRow {
    /// Its number.
    pub mapping: i64,
    /// Its family's number.
    pub family: i64,
    /// The numbers of its pairs, in the order asked for.
    pub pairs: Vec<i64>,
    /// When its initial sync was last finished.
    pub initial_done: Option<DateTime<Utc>>,
}

/// Finds or makes the numbers of a mapping and its pairs.
pub fn register(
    db: &Connection,
    name: &str,
    org_object: &str,
    platform_object: &str,
    fingerprint: &str,
    pair_identities: &[String],
) -> Result<MappingRow, StoreError> {
    db.prepare_cached("INSERT OR IGNORE INTO family (platform_object) VALUES (?)")?
        .execute([platform_object])?;
    let family: i64 = db
        .prepare_cached("SELECT family FROM family WHERE platform_object=?")?
        .query_row([platform_object], |row| row.get(0))?;
    let before: Option<String> = db
        .prepare_cached("SELECT fingerprint FROM mapping WHERE name=?")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    if before.is_some_and(|before| before != fingerprint) {
        // What waited for its mapping to change is looked at again (laws E7 and E12).
        db.prepare_cached(
            "UPDATE pending SET next_try=since WHERE next_try IS NULL
                 AND mapping=(SELECT mapping FROM mapping WHERE name=?)",
        )?
        .execute([name])?;
    }
    db.prepare_cached(
        "INSERT INTO mapping (name, family, org_object, fingerprint) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET family=?2, org_object=?3, fingerprint=?4",
    )?
    .execute(params![name, family, org_object, fingerprint])?;
    let (mapping, done): (i64, Option<i64>) = db
        .prepare_cached("SELECT mapping, initial_done_at FROM mapping WHERE name=?")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut pairs = Vec::with_capacity(pair_identities.len());
    for identity in pair_identities {
        let known = db
            .prepare_cached("SELECT pair FROM pair WHERE mapping=? AND identity=?")?
            .query_row(params![mapping, identity], |row| row.get(0))
            .optional()?;
        pairs.push(match known {
            Some(pair) => pair,
            None => db
                .prepare_cached("INSERT INTO pair (mapping, identity) VALUES (?, ?)")?
                .insert(params![mapping, identity])?,
        });
    }
    Ok(MappingRow { mapping, family, pairs, initial_done: done.map(from_millis) })
}

/// The pair of another mapping that has the identity of this one: the identity, and its number there.
pub fn same_pair(db: &Connection, pair: i64, mapping: i64) -> Result<Option<(String, i64)>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT other.identity, other.pair FROM pair AS own JOIN pair AS other USING (identity)
             WHERE own.pair=? AND other.mapping=?",
        )?
        .query_row([pair, mapping], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// A person accepts a mapping as it is written (law E5).
pub fn accept(db: &Connection, name: &str, fingerprint: &str) -> Result<(), StoreError> {
    remember(db, &format!("accepted:{name}"), fingerprint)
}

/// How a mapping was written when a person last accepted it.
pub fn accepted(db: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    remembered(db, &format!("accepted:{name}"))
}

/// Notes that an initial sync of a mapping has begun.
pub fn initial_begun(db: &Connection, mapping: i64, at: DateTime<Utc>) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE mapping SET initial_begun_at=? WHERE mapping=?")?
        .execute(params![to_millis(at), mapping])?;
    Ok(())
}

/// Notes that an initial sync of a mapping is done.
pub fn initial_done(db: &Connection, mapping: i64, at: DateTime<Utc>) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE mapping SET initial_done_at=?1, accepted_at=COALESCE(accepted_at, ?1) WHERE mapping=?2",
    )?
    .execute(params![to_millis(at), mapping])?;
    Ok(())
}

/// A remembered text, such as the pinned org.
pub fn remembered(db: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    Ok(db
        .prepare_cached("SELECT value FROM meta WHERE name=?")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

/// Remembers a text.
pub fn remember(db: &Connection, name: &str, value: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value=?2",
    )?
    .execute([name, value])?;
    Ok(())
}

/// Adds to a kept total.
pub fn count(db: &Connection, name: &str, more: i64) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO counter (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value=value+?2",
    )?
    .execute(params![name, more])?;
    Ok(())
}

/// A kept total.
pub fn counted(db: &Connection, name: &str) -> Result<i64, StoreError> {
    Ok(db
        .query_row("SELECT value FROM counter WHERE name=?", [name], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}
