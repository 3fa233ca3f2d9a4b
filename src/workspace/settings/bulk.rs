//! When reads and writes of the org go by bulk jobs instead of single calls.

use serde::{Deserialize, Serialize};

/// When bulk jobs are used, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BulkSettings {
    /// When they are used.
    pub jobs: BulkUse,
    /// Fewer records never make a job.
    pub from: u32,
    /// How many seconds of waiting are worth one call saved.
    pub call_worth_seconds: u32,
    /// Records on a page of results; 0 leaves that to Salesforce.
    pub page_rows: u32,
    /// The largest upload in megabytes, before Salesforce's own encoding.
    pub upload_mb: u32,
}

impl Default for BulkSettings {
    fn default() -> Self {
        Self { jobs: BulkUse::default(), from: 2_000, call_worth_seconds: 1, page_rows: 0, upload_mb: 100 }
    }
}

impl BulkSettings {
    /// Whether nothing was changed, so that the file need not say it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// When bulk jobs are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkUse {
    /// Where they cost less than single calls.
    #[default]
    ByCost,
    /// Always, from `from` records on.
    Always,
    /// Never.
    Never,
}
