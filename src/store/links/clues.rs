//! Clues: which links may have an id of the platform or a key, by a hash of it (`assets/migrations/0017_clues.sql`). They are
//! noted where a link is made, follow it by a trigger when it changes, and are filed here.

use std::rc::Rc;

use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params};

use crate::domain::record::RecordId;
use crate::domain::side::PerSide;
use crate::store::{StoreError, mappings};

/// So many new links wait to be filed: few enough that their clues stay in the page cache, and many enough that a page of the others gets
/// several of them at once.
const BATCH: i64 = 50_000;

/// What is remembered of the last link whose clues are filed.
const FILED: &str = "filed_link";

/// Gives a connection the function that statements and triggers hash ids with.
pub fn register(db: &Connection) -> Result<(), StoreError> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    db.create_scalar_function("id_hash", 1, flags, |context| {
        Ok(context.get_raw(0).as_bytes().ok().map(id_hash))
    })?;
    Ok(())
}

/// 48 bits, which take 6 bytes; so it is with the hashes of keys. The last three characters stay as they are, so that ids that follow each
/// other have clues that do: a page of a file, or of a service that counts, is found on few pages of the database.
fn id_hash(id: &[u8]) -> i64 {
    let (head, tail) = id.split_at(id.len().saturating_sub(3));
    let tail = tail.iter().fold(0, |bits, byte| bits << 6 | i64::from(byte & 0x3f));
    super::hash(head) >> 34 << 18 | tail
}

/// Notes the clues of a new link.
pub(super) fn note(
    db: &Connection,
    link: i64,
    platform_id: &str,
    keys: &PerSide<Option<i64>>,
) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("INSERT OR IGNORE INTO clue_new VALUES (?,?)")?;
    statement.execute([id_hash(platform_id.as_bytes()), link])?;
    let other = keys.platform.filter(|_| keys.platform != keys.org);
    for key in [keys.org, other].into_iter().flatten() {
        statement.execute([key >> 16, link])?;
    }
    Ok(())
}

/// Whether a record of the platform has an open link in a family.
pub(super) fn lead_to_open(db: &Connection, family: i64, platform_id: &RecordId) -> Result<bool, StoreError> {
    let id = platform_id.as_str();
    // One by one, because each link that is made asks for it, and a list of both would be made for each.
    for sql in [
        "SELECT 1 FROM clue_new CROSS JOIN link ON link.link=clue_new.link
         WHERE clue_new.hash=?1 AND platform_id=?2 AND family=?3 AND closed=0",
        "SELECT 1 FROM clue CROSS JOIN link ON link.link=clue.link
         WHERE clue.hash=?1 AND platform_id=?2 AND family=?3 AND closed=0",
    ] {
        if db.prepare_cached(sql)?.exists(params![id_hash(id.as_bytes()), id, family])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The links that may have these ids, in their order, each with the place of its id.
pub(super) fn find(db: &Connection, ids: &[&str]) -> Result<Vec<(i64, usize)>, StoreError> {
    let mut hashes: Vec<(i64, usize)> =
        ids.iter().enumerate().map(|(place, id)| (id_hash(id.as_bytes()), place)).collect();
    // Each is found beside the one before.
    hashes.sort_unstable();
    let asked: Rc<Vec<Sql>> = Rc::new(hashes.iter().map(|(hash, _)| Sql::Integer(*hash)).collect());
    let mut found = Vec::with_capacity(ids.len());
    for sql in [
        "SELECT asked.rowid, link FROM rarray(?) AS asked CROSS JOIN clue ON hash=asked.value",
        "SELECT asked.rowid, link FROM rarray(?) AS asked CROSS JOIN clue_new ON hash=asked.value",
    ] {
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([Rc::clone(&asked)])?;
        while let Some(row) = rows.next()? {
            let place = row.get::<_, i64>(0)? as usize - 1;
            let link: i64 = row.get(1)?;
            found.extend(hashes.get(place).map(|(_, place)| (link, *place)));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Files the clues of new links, if there are many of them.
pub fn file_many(db: &Connection) -> Result<(), StoreError> {
    let filed = mappings::remembered(db, FILED)?.and_then(|link| link.parse().ok()).unwrap_or(0);
    if super::newest(db)? - filed < BATCH { Ok(()) } else { file(db) }
}

/// Files the clues of all new links.
pub fn file(db: &Connection) -> Result<(), StoreError> {
    if !db.prepare_cached("SELECT 1 FROM clue_new")?.exists([])? {
        return Ok(());
    }
    db.prepare_cached("INSERT OR IGNORE INTO clue SELECT hash, link FROM clue_new ORDER BY hash, link")?
        .execute([])?;
    db.prepare_cached("DELETE FROM clue_new")?.execute([])?;
    mappings::remember(db, FILED, &super::newest(db)?.to_string())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::side::Side;
    use crate::store::links::{NewLink, by_key, by_platform, forget, glance, make, make::bar, reopen};
    use crate::store::migrations;
    use crate::store::testing::{fresh, steps};

    fn put(db: &Connection, org: &str, platform: &str, closed: i64, keys: PerSide<Option<i64>>) {
        db.execute(
            "INSERT INTO link (mapping, family, org_id, platform_id, closed, org_key, platform_key, base, run)
             VALUES (1, 1, ?, ?, ?, ?, ?, x'', 1)",
            params![org, platform, closed, keys.org, keys.platform],
        )
        .unwrap();
    }

    fn link(org: &str, platform: &str, key: Option<i64>) -> NewLink {
        NewLink {
            mapping: 1,
            family: 1,
            ids: PerSide { org: RecordId::new(org), platform: RecordId::new(platform) },
            stamps: PerSide::default(),
            read: PerSide::from_fn(|_side| DateTime::UNIX_EPOCH),
            keys: PerSide { org: key, platform: key },
            bases: Vec::new(),
            run: 1,
        }
    }

    fn clues(db: &Connection) -> (i64, i64) {
        let count = |table: &str| {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        (count("clue"), count("clue_new"))
    }

    fn org_of(db: &Connection, platform: &str) -> Option<String> {
        by_platform(db, 1, platform).unwrap().map(|link| link.ids.org.to_string())
    }

    #[test]
    fn a_link_is_found_by_its_clues_before_and_after_they_are_filed() {
        let db = fresh();
        make(&db, &link("o1", "p1", Some(-5 << 20))).unwrap();
        for filed in [false, true] {
            assert_eq!(org_of(&db, "p1").as_deref(), Some("o1"), "{filed}");
            assert_eq!(by_key(&db, 1, -5 << 20).unwrap().len(), 1, "{filed}");
            // Another hash with the same upper bits is another key.
            assert!(by_key(&db, 1, (-5 << 20) + 1).unwrap().is_empty());
            let mut found = Vec::new();
            glance(&db, (Side::Platform, "contact"), (1, 1), ["p9", "p1"].into_iter(), |place, link| {
                found.push((place, link.link));
                Ok(())
            })
            .unwrap();
            assert_eq!(found, [(1, 1)]);
            assert_eq!(clues(&db), if filed { (2, 0) } else { (0, 2) });
            file(&db).unwrap();
        }
        db.execute("UPDATE link SET platform_id='p2', platform_key=NULL, org_key=?", [6 << 20]).unwrap();
        assert_eq!((org_of(&db, "p1"), org_of(&db, "p2").as_deref()), (None, Some("o1")));
        assert_eq!(clues(&db), (0, 2));
        assert!(forget(&db, 1).unwrap());
        assert_eq!(org_of(&db, "p2"), None);
        // The next link gets the number that is free now.
        make(&db, &link("o3", "p3", None)).unwrap();
        assert_eq!((org_of(&db, "p2"), org_of(&db, "p3").as_deref()), (None, Some("o3")));
    }

    #[test]
    fn ids_that_follow_each_other_have_clues_that_do() {
        let clues: Vec<i64> = (12_000..13_000).map(|id: u32| id_hash(id.to_string().as_bytes())).collect();
        assert!(clues.is_sorted());
        let odd = [id_hash(b""), id_hash(b"7"), id_hash("\u{e9}\u{e9}".as_bytes())];
        assert!(clues.iter().chain(&odd).all(|clue| clue.abs() < 1 << 47));
        assert_ne!(id_hash(b"8c7fe3a3-dbca-4365"), id_hash(b"8c7fe3a3-dbcb-4365"));
    }

    #[test]
    fn few_new_links_are_not_filed_in_the_middle_of_a_run() {
        let db = fresh();
        make(&db, &link("o1", "p1", None)).unwrap();
        file_many(&db).unwrap();
        assert_eq!(clues(&db), (0, 1));
        db.execute("UPDATE link SET link=?", [BATCH]).unwrap();
        file_many(&db).unwrap();
        assert_eq!(clues(&db), (1, 0));
    }

    #[test]
    fn a_record_of_the_platform_has_one_open_link_at_most() {
        let db = fresh();
        assert!(make(&db, &link("o1", "p1", None)).unwrap().is_some());
        for filed in [false, true] {
            assert!(make(&db, &link("o2", "p1", None)).unwrap().is_none(), "{filed}");
            file(&db).unwrap();
        }
        assert!(make(&db, &NewLink { family: 2, ..link("o4", "p1", None) }).unwrap().is_some());
        bar(&db, 1, 1, &PerSide { org: "o3", platform: "p1" }, 1).unwrap();
        let closed = by_org_number(&db, "o3");
        assert!(reopen(&db, closed).is_err());
        db.execute("UPDATE link SET closed=2 WHERE org_id='o1'", []).unwrap();
        reopen(&db, closed).unwrap();
        assert_eq!(org_of(&db, "p1").as_deref(), Some("o3"));
    }

    fn by_org_number(db: &Connection, org: &str) -> i64 {
        db.query_row("SELECT link FROM link WHERE org_id=?", [org], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_database_of_before_gets_its_clues() {
        let mut db = Connection::open_in_memory().unwrap();
        migrations::apply_until(&mut db, 16).unwrap();
        put(&db, "o1", "p1", 0, PerSide { org: Some(7 << 20), platform: Some(7 << 20) });
        put(&db, "o2", "p2", 1, PerSide { org: Some(8 << 20), platform: Some(9 << 20) });
        migrations::apply(&mut db).unwrap();
        assert_eq!((org_of(&db, "p1").as_deref(), org_of(&db, "p2").as_deref()), (Some("o1"), Some("o2")));
        assert_eq!((by_key(&db, 1, 7 << 20).unwrap().len(), clues(&db)), (1, (5, 0)));
    }

    #[test]
    fn clues_are_found_along_their_index_and_links_by_their_numbers() {
        let db = fresh();
        let sql = "SELECT base FROM clues CROSS JOIN link ON link.link=clues.link
                   WHERE clues.hash=id_hash(?2) AND family=?1 AND platform_id=?2";
        let plan = steps(&db, sql);
        for step in [
            "SEARCH link USING INTEGER PRIMARY KEY (rowid=?)",
            "SEARCH clue USING PRIMARY KEY (hash=?)",
            "SEARCH clue_new USING PRIMARY KEY (hash=?)",
        ] {
            assert!(plan.iter().any(|told| told == step), "{step} is not in {plan:#?}");
        }
    }
}
