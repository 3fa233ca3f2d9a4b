//! What several tests of the store begin with.

use rusqlite::Connection;

use crate::store::migrations;

/// A database in memory, with the tables of this version.
pub fn fresh() -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    rusqlite::vtab::array::load_module(&db).unwrap();
    migrations::apply(&mut db).unwrap();
    db
}

/// The steps that SQLite takes for a statement.
pub fn steps(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}
