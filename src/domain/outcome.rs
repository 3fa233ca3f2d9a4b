//! How a line and a run end.

use serde::{Deserialize, Serialize};

/// How one line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done on the target.
    Succeeded,
    /// Refused; an issue is kept.
    Failed,
    /// Not done because a limit was reached; it stays pending and is not a failure (law E7).
    Limited,
    /// Left out on purpose, with a reason.
    Skipped,
}

/// What kind of execution a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Reads everything.
    Initial,
    /// Reads what changed since the date of the last synchronization, asked for by a person.
    Instant,
    /// An instant sync on an interval.
    Automatic,
    /// A saved plan.
    Apply,
    /// Takes a run back.
    Undo,
    /// Mends what an audit found.
    Heal,
    /// Looks for records that no run has dealt with; writes nothing.
    Audit,
}

impl RunKind {
    /// The word of design, screens and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Instant => "instant",
            Self::Automatic => "automatic",
            Self::Apply => "apply",
            Self::Undo => "undo",
            Self::Heal => "heal",
            Self::Audit => "audit",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Initial, Self::Instant, Self::Automatic, Self::Apply, Self::Undo, Self::Heal, Self::Audit]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    /// Everything was done.
    Succeeded,
    /// Done, but some lines failed, are stale, or wait for a person.
    PartlyFailed,
    /// A limit was reached; the rest is pending.
    Limited,
    /// A brake stopped it (law E10).
    Braked,
    /// No right, no session, a locked account: trying again would not help.
    Blocked,
    /// It could not be done.
    Failed,
    /// A person stopped it.
    Cancelled,
}

impl RunResult {
    /// The word of design, screens and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::PartlyFailed => "partly_failed",
            Self::Limited => "limited",
            Self::Braked => "braked",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The result of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Succeeded,
            Self::PartlyFailed,
            Self::Limited,
            Self::Braked,
            Self::Blocked,
            Self::Failed,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|result| result.word() == word)
    }

    /// The exit code of a command that ran it (design, command line).
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Failed => 1,
            Self::PartlyFailed => 3,
            Self::Limited => 4,
            Self::Braked => 5,
            Self::Blocked => 7,
            Self::Cancelled => 130,
        }
    }
}

/// How many records were written on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideCounts {
    /// Records created.
    pub created: u64,
    /// Records changed.
    pub updated: u64,
    /// Records deleted.
    pub deleted: u64,
    /// Calls spent.
    pub calls: u64,
}

/// The counts of a run or of one mapping in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records read from either side.
    pub read: u64,
    /// Records that needed nothing.
    pub unchanged: u64,
    /// Left out on purpose.
    pub skipped: u64,
    /// Refused.
    pub failed: u64,
    /// Held back by a limit.
    pub limited: u64,
    /// Parked for a person.
    pub conflicts: u64,
    /// Writes to the org.
    pub salesforce: SideCounts,
    /// Writes to the platform.
    pub platform: SideCounts,
}

impl Counts {
    /// Records created on either side.
    pub fn created(&self) -> u64 {
        self.salesforce.created + self.platform.created
    }

    /// Records changed on either side.
    pub fn updated(&self) -> u64 {
        self.salesforce.updated + self.platform.updated
    }

    /// Records deleted on either side.
    pub fn deleted(&self) -> u64 {
        self.salesforce.deleted + self.platform.deleted
    }

    /// The counts of one side.
    pub fn side_mut(&mut self, side: crate::domain::side::Side) -> &mut SideCounts {
        match side {
            crate::domain::side::Side::Org => &mut self.salesforce,
            crate::domain::side::Side::Platform => &mut self.platform,
        }
    }
}
