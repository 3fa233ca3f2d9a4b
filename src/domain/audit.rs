//! What a completeness audit tells: how it looked, and which records no run has dealt with. The `--json` shape of
//! `forcesync audit` is these types.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoleKind {
    /// It is in scope, and has neither link, line, skip nor issue.
    Unlinked,
    /// It is linked, and a value should have flowed that did not.
    Differs,
    /// It is linked, and gone without a tombstone.
    Gone,
}

impl HoleKind {
    /// The word of the database and of JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unlinked => "unlinked",
            Self::Differs => "differs",
            Self::Gone => "gone",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Unlinked, Self::Differs, Self::Gone].into_iter().find(|kind| kind.word() == word)
    }

    /// Whether looking at the record again can mend it. A record that is gone without a tombstone may only be hidden by rights,
    /// so it is for a person (law E9).
    pub fn heals(self) -> bool {
        match self {
            Self::Unlinked | Self::Differs => true,
            Self::Gone => false,
        }
    }
}

/// A record that no run has dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// The mapping's name.
    pub mapping: String,
    /// The side on which it shows.
    pub side: Side,
    /// Both records, as far as they exist.
    pub ids: PerSide<Option<RecordId>>,
    /// What is wrong.
    pub kind: HoleKind,
    /// A sentence.
    pub why: String,
}

/// How one object of one side was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// The side.
    pub side: Side,
    /// The object.
    pub object: String,
    /// Time windows that were counted on the service and held as many records as links.
    pub windows_alike: u64,
    /// Time windows that did not, and were read.
    pub windows_read: u64,
    /// Records in the windows that were alike.
    pub counted: u64,
    /// Records that were read and compared.
    pub read: u64,
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Its run.
    pub run: i64,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// How each object was looked at.
    pub looked: Vec<Looked>,
    /// Records in scope that no run has dealt with.
    pub unlinked: u64,
    /// Linked records with a value that should have flowed.
    pub differing: u64,
    /// Linked records that are gone without a tombstone.
    pub gone: u64,
    /// Records that stood out, for which a line, an issue, a parked pair or a coming run answers.
    pub explained: u64,
    /// What could not be looked at this way, in sentences.
    pub gaps: Vec<String>,
}

impl AuditReport {
    /// All holes.
    pub fn holes(&self) -> u64 {
        self.unlinked + self.differing + self.gone
    }

    /// A sentence about the result.
    pub fn sentence(&self) -> String {
        if self.holes() == 0 {
            return "no hole was found".into();
        }
        format!(
            "{} holes: {} without a link, {} with a value that did not flow, {} gone without a tombstone",
            self.holes(),
            self.unlinked,
            self.differing,
            self.gone
        )
    }
}
