//! The state database of a history. One is used again and again: making its tables and parsing its statements anew would take a
//! fifth of a history's time.

use std::cell::RefCell;
use std::path::Path;

use forcesync::store::Store;

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
