//! Hints of a service that a record has changed: never data, only which record to read again by its id.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::record::RecordId;

/// A record of the platform that is to be read again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hinted {
    /// The platform's object.
    pub object: String,
    /// Its id there.
    pub id: RecordId,
}

/// What one delivery of a service hints at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The records, each once.
    pub records: Vec<Hinted>,
    /// Whether something was deleted, of which only the platform's own feed of deletions can tell.
    pub deletions: bool,
}

impl Hints {
    /// Whether there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && !self.deletions
    }
}

/// The hinted records of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HintOrder {
    /// The records.
    pub records: Vec<Hinted>,
    /// When the last of the hints came.
    pub at: DateTime<Utc>,
}

/// Why a delivery was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Its signature is missing or wrong.
    Unsigned,
    /// It is signed, but has another shape.
    Unreadable,
}

/// Where a service sends its deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: String,
    /// Its address.
    pub callback: String,
    /// Its events.
    pub scopes: Vec<String>,
    /// Whether anything is sent there.
    pub active: bool,
    /// What the service sends along, which is not ours to lose.
    pub headers: serde_json::Value,
}
