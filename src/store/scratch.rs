//! Tables that need not outlive the process: what the run at hand matches, and what it has to decide. They are made anew whenever
//! a run begins, so they are kept out of the database and its write-ahead log: their rows come in the order of keys and ids, and
//! would there be another random page for every record.

use rusqlite::Connection;

use crate::store::StoreError;

/// Makes them for this connection.
pub(super) fn make(db: &Connection) -> Result<(), StoreError> {
    // In memory are only the pages that a statement may have to take back.
    let _mode: String = db.query_row("PRAGMA temp.journal_mode = MEMORY", [], |row| row.get(0))?;
    db.execute_batch(
        "PRAGMA temp.cache_size = -16000;

         -- Unlinked records of the run at hand, by key.
         CREATE TEMP TABLE candidate (
           class INTEGER NOT NULL,
           key BLOB NOT NULL,
           side INTEGER NOT NULL,
           mapping INTEGER NOT NULL,     -- precedence of the mapping; 0 for the platform
           id TEXT NOT NULL,
           PRIMARY KEY (class, key, side, mapping, id)
         ) WITHOUT ROWID;

         -- What the run at hand has to decide. An id is empty where that side has no record.
         CREATE TEMP TABLE work (
           work INTEGER PRIMARY KEY,
           mapping INTEGER NOT NULL,
           link INTEGER,
           org_id TEXT NOT NULL,
           platform_id TEXT NOT NULL,
           held INTEGER NOT NULL DEFAULT 0,
           UNIQUE (mapping, org_id, platform_id)
         );",
    )?;
    Ok(())
}
