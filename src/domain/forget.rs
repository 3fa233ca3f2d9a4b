//! What was erased when a person was forgotten (law E16). Numbers and ids only.

use serde::{Deserialize, Serialize};

use crate::domain::record::RecordId;
use crate::domain::side::PerSide;

/// What was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// The pairs of records that are tombstones now.
    pub records: Vec<Tombstoned>,
    /// Rows of history.
    pub history: u64,
    /// Lines of the log, erased or made blank.
    pub log: u64,
    /// Issues, erased or made blank.
    pub issues: u64,
    /// Lines of plans.
    pub lines: u64,
    /// Everything else: what was staged, pending, parked or decided by hand.
    pub other: u64,
    /// Lines of the log files.
    #[serde(default)]
    pub log_file_lines: u64,
}

/// A pair of records that was forgotten: it holds no values, and keeps both ids out of matching.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstoned {
    /// The mapping.
    pub mapping: String,
    /// Both records, as far as they were known.
    pub ids: PerSide<Option<RecordId>>,
}

impl Forgotten {
    /// The sentence shown to people.
    pub fn sentence(&self) -> String {
        format!(
            "Forgotten: {} rows of history, {} of the log, {} issues, {} lines of plans, {} other rows, {} lines of log files.",
            self.history, self.log, self.issues, self.lines, self.other, self.log_file_lines
        )
    }
}
