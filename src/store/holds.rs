//! Which tables that are nearly always empty hold anything: asked once a chunk, so that a large run does not ask them for each of
//! its records.

use rusqlite::Connection;

use crate::store::StoreError;

/// What there is at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    /// Parked pairs.
    pub parked: bool,
    /// Pairs that were written to one side and then the other.
    pub turns: bool,
    /// Linked records of which one side is gone.
    pub departures: bool,
    /// Records that must be looked at again.
    pub pending: bool,
    /// Open issues.
    pub issues: bool,
}

impl Holds {
    /// Looks.
    pub fn look(db: &Connection) -> Result<Self, StoreError> {
        Ok(db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM parked), EXISTS (SELECT 1 FROM turn), EXISTS (SELECT 1 FROM departure),
                     EXISTS (SELECT 1 FROM pending), EXISTS (SELECT 1 FROM issue WHERE open=1)",
            )?
            .query_row([], |row| {
                Ok(Self {
                    parked: row.get(0)?,
                    turns: row.get(1)?,
                    departures: row.get(2)?,
                    pending: row.get(3)?,
                    issues: row.get(4)?,
                })
            })?)
    }
}
