//! Brings a database to the present schema, one numbered file at a time, counted in `PRAGMA user_version`.

use rusqlite::Connection;

use crate::store::StoreError;
use crate::store::links::clues;

/// The tables of plans, which a plan that is being made needs alone.
pub const PLANS: &str = include_str!("../../assets/migrations/0012_plans.sql");

const MIGRATIONS: &[&str] = &[
    include_str!("../../assets/migrations/0001_initial.sql"),
    include_str!("../../assets/migrations/0002_inbox.sql"),
    include_str!("../../assets/migrations/0003_departures.sql"),
    include_str!("../../assets/migrations/0004_history.sql"),
    include_str!("../../assets/migrations/0005_turns.sql"),
    include_str!("../../assets/migrations/0006_audit.sql"),
    include_str!("../../assets/migrations/0007_contested.sql"),
    include_str!("../../assets/migrations/0008_drift.sql"),
    include_str!("../../assets/migrations/0009_jobs.sql"),
    include_str!("../../assets/migrations/0010_notes.sql"),
    include_str!("../../assets/migrations/0011_prints.sql"),
    PLANS,
    include_str!("../../assets/migrations/0013_tempo.sql"),
    include_str!("../../assets/migrations/0014_seen.sql"),
    include_str!("../../assets/migrations/0015_lean.sql"),
    include_str!("../../assets/migrations/0016_taken.sql"),
    include_str!("../../assets/migrations/0017_clues.sql"),
    include_str!("../../assets/migrations/0018_links.sql"),
];

/// The schema version this program knows.
pub const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Applies what is missing; refuses a database that is newer than this program.
pub fn apply(db: &mut Connection) -> Result<(), StoreError> {
    apply_until(db, MIGRATIONS.len())
}

/// Applies what is missing of the first `number`.
pub(super) fn apply_until(db: &mut Connection, number: usize) -> Result<(), StoreError> {
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > KNOWN {
        return Err(StoreError::Newer { found, known: KNOWN });
    }
    clues::register(db)?;
    for (place, sql) in MIGRATIONS.iter().enumerate().take(number).skip(usize::try_from(found).unwrap_or(0)) {
        let step = db.transaction()?;
        step.execute_batch(sql)?;
        step.pragma_update(None, "user_version", place as i64 + 1)?;
        step.commit()?;
    }
    Ok(())
}
