//! Erases what the state database knows of a person and leaves value-free tombstones (law E16, N27).
//!
//! Runs inside [`Store::erase`](crate::store::Store::erase), which overwrites what is deleted and rewrites the file afterwards.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::forget::{Forgotten, Tombstoned};
use crate::domain::record::RecordId;
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::store::facts::{self, NewFact};
use crate::store::history::compact;
use crate::store::links::{self, Link};
use crate::store::{StoreError, contested, mappings, notes};

/// Under which number a link is closed whose person was forgotten.
pub const CLOSED: i64 = 5;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Erased; the texts by which the person may stand elsewhere, such as in log files, come along.
    Done(Forgotten, Vec<String>),
    /// A write of the record is on its way and has to be settled first.
    OnItsWay,
    /// Nothing is known of it, and no mapping has such an object.
    Unknown,
}

/// Both sides' ids of one person.
type Ids = PerSide<BTreeSet<String>>;

/// Erases a person, by a record of either side.
pub fn forget(db: &Connection, object: &str, id: &str, now: DateTime<Utc>) -> Result<Outcome, StoreError> {
    let asked = sides(db, object)?;
    if asked.is_empty() {
        return Ok(Outcome::Unknown);
    }
    let mut ids = Ids::default();
    for (_, side, _) in &asked {
        ids[*side].insert(id.to_owned());
    }
    let found = gather(db, &mut ids)?;
    if on_its_way(db, &ids)? {
        return Ok(Outcome::OnItsWay);
    }
    let texts = texts(db, &ids, &found)?;
    let mut erased = Forgotten::default();
    for link in &found {
        erased.other += bury(db, link)?;
        erased.records.push(Tombstoned {
            mapping: mapping_name(db, link.mapping)?,
            ids: PerSide { org: Some(link.ids.org.clone()), platform: Some(link.ids.platform.clone()) },
        });
    }
    if found.is_empty() {
        for (mapping, side, family) in &asked {
            contested::gone(db, *side, &RecordId::new(id))?;
            stone(db, *mapping, *family, *side, id)?;
            let mut both = PerSide::default();
            both[*side] = Some(RecordId::new(id));
            erased.records.push(Tombstoned { mapping: mapping_name(db, *mapping)?, ids: both });
        }
    }
    for side in Side::BOTH {
        let column = column(side);
        for id in &ids[side] {
            erased.history += run(db, &format!("DELETE FROM history WHERE {column}=?"), id)?;
            erased.log += run(db, &format!("DELETE FROM fact WHERE {column}=?"), id)?;
            erased.lines += run(db, &format!("DELETE FROM line WHERE {column}=?"), id)?;
            erased.lines += run(db, &format!("DELETE FROM plan_line WHERE {column}=?"), id)?;
            erased.issues += issues_of(db, column, id)?;
            erased.other += run(db, &format!("DELETE FROM work WHERE {column}=?"), id)?;
            erased.other += run(db, &format!("DELETE FROM undo_left WHERE {column}=?"), id)?;
            erased.other += run(db, &format!("DELETE FROM decision WHERE {column}=?"), id)?;
            if side == Side::Org {
                erased.other += run(db, "DELETE FROM flagged WHERE id=?", id)?;
            } else {
                erased.other += notes::forget(db, id)?;
            }
            for table in ["stage", "gone", "candidate", "pending", "taken", "moved"] {
                erased.other += db.execute(
                    &format!("DELETE FROM {table} WHERE side=? AND id=?"),
                    params![side.number(), id],
                )? as u64;
            }
        }
    }
    for text in ids.org.iter().chain(&ids.platform).chain(&texts) {
        blank_elsewhere(db, text, &mut erased)?;
    }
    mappings::count(db, "forgotten", erased.records.len() as i64)?;
    facts::insert(
        db,
        now,
        &NewFact::new(
            Level::Info,
            None,
            "A person was forgotten; tombstones keep the records out of matching.",
        ),
    )?;
    let mut everything: Vec<String> = ids.org.into_iter().chain(ids.platform).collect();
    everything.extend(texts);
    Ok(Outcome::Done(erased, everything))
}

/// Whether anybody was ever forgotten here; then whatever is deleted is overwritten.
pub fn any(db: &Connection) -> Result<bool, StoreError> {
    Ok(mappings::counted(db, "forgotten")? > 0)
}

fn column(side: Side) -> &'static str {
    match side {
        Side::Org => "org_id",
        Side::Platform => "platform_id",
    }
}

fn run(db: &Connection, sql: &str, id: &str) -> Result<u64, StoreError> {
    Ok(db.prepare_cached(sql)?.execute([id])? as u64)
}

/// The mappings that have the object, with the side it is on. `Contact` is Salesforce's and `contact` the platform's; only where
/// nothing is spelled so does the case not matter.
fn sides(db: &Connection, object: &str) -> Result<Vec<(i64, Side, i64)>, StoreError> {
    let mut found = spelled(db, object, "")?;
    if found.is_empty() {
        found = spelled(db, object, "COLLATE NOCASE")?;
    }
    // A platform record belongs to the family, so that one tombstone is enough.
    let mut families = BTreeSet::new();
    found.retain(|(_, side, family)| *side == Side::Org || families.insert(*family));
    Ok(found)
}

fn spelled(db: &Connection, object: &str, collation: &str) -> Result<Vec<(i64, Side, i64)>, StoreError> {
    let mut statement = db.prepare(&format!(
        "SELECT m.mapping, m.family, m.org_object=?1 {collation}, f.platform_object=?1 {collation}
         FROM mapping m JOIN family f USING (family) ORDER BY m.mapping"
    ))?;
    let mut rows = statement.query([object])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        for (side, place) in [(Side::Org, 2), (Side::Platform, 3)] {
            if row.get::<_, bool>(place)? {
                found.push((row.get(0)?, side, row.get(1)?));
            }
        }
    }
    Ok(found)
}

/// All links of the person, open or closed, in every mapping; their ids join the others until no more are found.
fn gather(db: &Connection, ids: &mut Ids) -> Result<Vec<Link>, StoreError> {
    let mut found: Vec<Link> = Vec::new();
    loop {
        let before = found.len();
        for side in Side::BOTH {
            // The first column of either index is a number that has few values.
            let sql = match side {
                Side::Org => {
                    "SELECT link FROM link WHERE mapping IN (SELECT mapping FROM mapping) AND org_id=?"
                }
                Side::Platform => {
                    "SELECT link FROM link WHERE link IN (SELECT link FROM clues WHERE hash=id_hash(?1)) AND platform_id=?1"
                }
            };
            for id in ids[side].clone() {
                let numbers: Vec<i64> =
                    db.prepare_cached(sql)?.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
                for number in numbers {
                    if !found.iter().any(|link| link.link == number) {
                        found.extend(links::get(db, number)?);
                    }
                }
            }
        }
        for link in &found {
            ids.org.insert(link.ids.org.as_str().to_owned());
            ids.platform.insert(link.ids.platform.as_str().to_owned());
        }
        ids.org.remove("");
        ids.platform.remove("");
        if found.len() == before {
            return Ok(found);
        }
    }
}

fn on_its_way(db: &Connection, ids: &Ids) -> Result<bool, StoreError> {
    for id in ids.org.iter().chain(&ids.platform) {
        let open: bool = db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM journal WHERE source_id=?1 OR target_id=?1)")?
            .query_row([id], |row| row.get(0))?;
        if open {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Values by which a person can be told from others: e-mail addresses and telephone numbers, wherever they are kept.
fn texts(db: &Connection, ids: &Ids, found: &[Link]) -> Result<Vec<String>, StoreError> {
    let mut texts = BTreeSet::new();
    let mut take = |values: &[Value]| {
        for value in values {
            if let Some(text) = value.as_text()
                && tells_a_person(text)
            {
                texts.insert(text.to_owned());
            }
        }
    };
    for link in found {
        for (_, base) in &link.bases.0 {
            take(&base.org);
            take(&base.platform);
        }
    }
    for side in Side::BOTH {
        for id in &ids[side] {
            let mut statement =
                db.prepare_cached(&format!("SELECT changes FROM history WHERE {}=?", column(side)))?;
            let mut rows = statement.query([id])?;
            while let Some(row) = rows.next()? {
                for change in compact::decode(row.get_ref(0)?)? {
                    take(&change.old);
                    take(&change.new);
                }
            }
        }
    }
    Ok(texts.into_iter().collect())
}

fn tells_a_person(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let address = text.contains('@') && text.len() >= 6;
    let telephone = digits >= 7 && text.chars().all(|one| one.is_ascii_digit() || " +-/().".contains(one));
    address || telephone
}

/// Empties a link and closes it for good.
fn bury(db: &Connection, link: &Link) -> Result<u64, StoreError> {
    for side in Side::BOTH {
        contested::gone(db, side, &link.ids[side])?;
    }
    links::free_keys(db, link.link)?;
    db.execute(
        "UPDATE link SET closed=?1, closed_to=NULL, base=x'', org_key=NULL, platform_key=NULL, org_stamp=NULL,
             platform_stamp=NULL WHERE link=?2",
        params![CLOSED, link.link],
    )?;
    if link.closed.is_none() {
        mappings::count(db, "links", -1)?;
    }
    let mut gone = db.execute("DELETE FROM parked WHERE link=?", [link.link])? as u64;
    gone += db.execute("DELETE FROM turn WHERE link=?", [link.link])? as u64;
    gone += db.execute("DELETE FROM departure WHERE link=?", [link.link])? as u64;
    Ok(gone)
}

/// A tombstone for a record that was never linked.
fn stone(db: &Connection, mapping: i64, family: i64, side: Side, id: &str) -> Result<(), StoreError> {
    // The other side's place holds a text that no service gives as an id.
    let nobody = format!("forgotten:{id}");
    let (org, platform) = match side {
        Side::Org => (id, nobody.as_str()),
        Side::Platform => (nobody.as_str(), id),
    };
    links::bar(db, mapping, family, &PerSide { org, platform }, CLOSED)
}

fn mapping_name(db: &Connection, mapping: i64) -> Result<String, StoreError> {
    Ok(db.query_row("SELECT name FROM mapping WHERE mapping=?", [mapping], |row| row.get(0))?)
}

fn issues_of(db: &Connection, column: &str, id: &str) -> Result<u64, StoreError> {
    let open: i64 =
        db.query_row(&format!("SELECT count(*) FROM issue WHERE {column}=? AND open=1"), [id], |row| {
            row.get(0)
        })?;
    mappings::count(db, "issues", -open)?;
    run(db, &format!("DELETE FROM issue WHERE {column}=?"), id)
}

/// Rows about others that name the person: an ambiguous match, a duplicate that a service told about.
fn blank_elsewhere(db: &Connection, text: &str, erased: &mut Forgotten) -> Result<(), StoreError> {
    erased.log += run(
        db,
        "UPDATE fact SET message='(forgotten)', detail=NULL WHERE instr(lower(message), lower(?1))>0
             OR instr(lower(COALESCE(detail, '')), lower(?1))>0",
        text,
    )?;
    erased.issues += run(
        db,
        "UPDATE issue SET message='(forgotten)', cause='(forgotten)', label='' WHERE instr(lower(message), lower(?1))>0
             OR instr(lower(cause), lower(?1))>0 OR instr(lower(label), lower(?1))>0",
        text,
    )?;
    erased.lines += run(db, "DELETE FROM line WHERE instr(lower(body), lower(?))>0", text)?;
    erased.lines += run(
        db,
        "DELETE FROM plan_line WHERE instr(lower(body), lower(?1))>0 OR instr(lower(label), lower(?1))>0",
        text,
    )?;
    erased.other += run(
        db,
        "UPDATE run SET message='(forgotten)' WHERE instr(lower(COALESCE(message, '')), lower(?))>0",
        text,
    )?;
    Ok(())
}
