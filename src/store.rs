//! The state database: SQLite in WAL mode, one file a workspace.
//!
//! [`Store`] is the one writer; its functions run on a thread of their own and each is one transaction. [`Reader`]s are
//! read-only connections that need no lock and never wait for the writer. The tables are described in
//! `assets/migrations`; the modules here hold their statements, one table or concern a file.

pub mod actor;
pub mod audit;
pub mod contested;
pub mod decisions;
pub mod departures;
pub mod drift;
pub mod error;
pub mod facts;
pub mod feeds;
pub mod flagged;
pub mod forget;
pub mod history;
pub mod holds;
pub mod issues;
pub mod journal;
pub mod links;
pub mod log;
pub mod mappings;
pub mod migrations;
pub mod moved;
pub mod notes;
pub mod pending;
pub mod plans;
pub mod read;
pub mod requeue;
pub mod runs;
mod scratch;
pub mod seen;
pub mod stage;
#[cfg(test)]
mod testing;
pub mod turns;
pub mod undo;
pub mod work;

pub use actor::Store;
pub use error::StoreError;
pub use read::Reader;

use chrono::{DateTime, Utc};

/// A moment as the database keeps it.
pub(crate) fn to_millis(moment: DateTime<Utc>) -> i64 {
    moment.timestamp_millis()
}

/// A moment from the database.
pub(crate) fn from_millis(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}
