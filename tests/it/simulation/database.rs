//! The state database of a history. One is used again and again: making its tables and parsing its statements anew would take a
//! fifth of a history's time.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use forcesync::store::Store;
use rusqlite::types::ValueRef;

thread_local! {
    static KEPT: RefCell<Option<Store>> = const { RefCell::new(None) };
}

/// An empty one that nobody else has.
pub fn fresh() -> Store {
    Store::open_inline(Path::new(":memory:")).unwrap()
}

/// An empty one; it may have been another's before.
pub fn take() -> Store {
    KEPT.take().unwrap_or_else(fresh)
}

/// Empties one for the next history.
pub async fn give_back(store: Store) {
    let emptied = store.write(|db| {
        // The last made first: what refers to others was made after them.
        let mut tables = db.prepare_cached(
            "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid DESC",
        )?;
        for table in tables.query_map([], |row| row.get::<_, String>(0))? {
            db.prepare_cached(&format!("DELETE FROM {}", table?))?.execute([])?;
        }
        db.prepare_cached("DELETE FROM sqlite_sequence")?.execute([])?;
        Ok(())
    });
    emptied.await.unwrap();
    KEPT.set(Some(store));
}

/// What a question with one column of text is answered.
pub async fn rows(store: &Store, sql: &'static str) -> Vec<String> {
    let asked = store.write(move |db| {
        let mut rows = db.prepare(sql)?;
        let rows = rows.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    });
    asked.await.unwrap()
}

/// What the next run begins with besides the two sides and the time: the tables from which a run takes its work.
const ESSENCE: [&str; 11] = [
    "link",
    "pending",
    "departure",
    "contested",
    "parked",
    "moved",
    "decision",
    "left_out",
    "gone",
    "family",
    "journal",
];

/// A number that stays the same as long as a run would find the same state.
pub async fn essence(store: &Store) -> u64 {
    let hashed = store.write(|db| {
        let mut hash = DefaultHasher::new();
        for table in ESSENCE {
            let mut rows = db.prepare_cached(&format!("SELECT * FROM {table}"))?;
            let columns = rows.column_count();
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    match row.get_ref(column)? {
                        ValueRef::Null => hash.write_u8(0),
                        ValueRef::Integer(number) => hash.write_i64(number),
                        ValueRef::Real(number) => hash.write_u64(number.to_bits()),
                        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                            hash.write_usize(bytes.len());
                            hash.write(bytes);
                        }
                    }
                }
            }
            hash.write_u8(1);
        }
        Ok(hash.finish())
    });
    hashed.await.unwrap()
}
