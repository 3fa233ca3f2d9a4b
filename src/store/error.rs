//! What can go wrong with the state database, in sentences.

use rusqlite::ErrorCode;

use crate::domain::codec::Damaged;

/// Why the state database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room: the disk, the quota or the file-size limit is used up.
    #[error(
        "there is no room left to write the state database; free disk space and start again, nothing was lost"
    )]
    Full,
    /// The file is damaged or no database.
    #[error(
        "the state database is damaged ({0}); `forcesync doctor --rebuild` sets it aside and finds all links again, without writing to either side"
    )]
    Damaged(String),
    /// Written by a newer version.
    #[error(
        "the state database was written by a newer forcesync (its version {found}, this one knows {known}); update forcesync"
    )]
    Newer {
        /// The version found.
        found: i64,
        /// The highest version this program knows.
        known: i64,
    },
    /// Another process keeps it locked.
    #[error("the state database is busy in another process; wait a moment and try again")]
    Busy,
    /// The file can't be opened or written.
    #[error("the state database can't be opened or written ({0}); check that the folder exists and is yours")]
    Unusable(String),
    /// The writer has ended.
    #[error("the state database is already closed")]
    Closed,
    /// Anything else that SQLite says.
    #[error("the state database answered: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, words) => {
                let said = words.clone().unwrap_or_else(|| failure.to_string());
                match failure.code {
                    ErrorCode::DiskFull => Self::Full,
                    ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged(said),
                    ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                    // A write that hits the file-size limit of the process arrives as an I/O error.
                    ErrorCode::SystemIoFailure if is_write_failure(failure.extended_code) => Self::Full,
                    ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
                        Self::Unusable(said)
                    }
                    _ => Self::Sqlite(error),
                }
            }
            _ => Self::Sqlite(error),
        }
    }
}

impl From<Damaged> for StoreError {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(damaged.to_string())
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// SQLITE_IOERR_WRITE, _FSYNC, _TRUNCATE, _SHMSIZE.
fn is_write_failure(extended: i32) -> bool {
    matches!(extended, 778 | 1034 | 1546 | 4874)
}
