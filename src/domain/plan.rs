//! The plan: what a run would do, record by record and field by field, with the rule that decided it (law E5).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;

pub mod saved;

/// The rule that decided a pair; its word is shown to people and kept in history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A new record gets every mapped value.
    Created,
    /// Only the org's value changed.
    SalesforceChanged,
    /// Only the platform's value changed.
    PlatformChanged,
    /// Both changed; the policy says the org's wins.
    SalesforceWins,
    /// Both changed; the policy says the platform's wins.
    PlatformWins,
    /// Both changed; the later change wins.
    Newest,
    /// Both changed; when can't be told apart, so the org's wins.
    NewestUnclear,
    /// Both changed; one is blank, the filled one wins.
    NonBlank,
    /// First meeting: a blank is filled.
    Filled,
    /// First meeting of two different values; the org's wins.
    FirstMeetingSalesforce,
    /// First meeting of two different values; the platform's wins.
    FirstMeetingPlatform,
    /// An opt-out crosses.
    OptOut,
    /// An opt-in crosses.
    OptIn,
    /// The target of a one-way pair drifted and is set again.
    Enforced,
    /// A default for a blank value on create.
    Default,
    /// The other side's id is stored.
    Mark,
    /// Its record on the other side was deleted; it is no longer active.
    Deactivated,
    /// A person decided about a parked pair.
    Decided,
    /// A person edited the value of a record that had failed.
    Edited,
    /// A run was taken back.
    Undone,
}

impl Rule {
    /// The sentence shown beside a change.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Created => "new record",
            Self::SalesforceChanged => "Salesforce changed it, the platform did not",
            Self::PlatformChanged => "the platform changed it, Salesforce did not",
            Self::SalesforceWins => "both changed, the policy says Salesforce wins",
            Self::PlatformWins => "both changed, the policy says the platform wins",
            Self::Newest => "both changed, the later change wins",
            Self::NewestUnclear => "both changed and neither is clearly later, Salesforce wins",
            Self::NonBlank => "both changed, the filled value wins",
            Self::Filled => "first meeting, a blank is filled",
            Self::FirstMeetingSalesforce => "first meeting, Salesforce wins",
            Self::FirstMeetingPlatform => "first meeting, the platform wins",
            Self::OptOut => "an opt-out always crosses",
            Self::OptIn => "opted in again on the side that was out",
            Self::Enforced => "the target drifted and is set again",
            Self::Default => "default for a blank value",
            Self::Mark => "the other side's id",
            Self::Deactivated => "its record on the other side was deleted",
            Self::Decided => "decided by hand",
            Self::Edited => "edited by hand",
            Self::Undone => "an earlier run was taken back",
        }
    }
}

/// One pair's part of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The pair, as its place in the mapping; `None` for a mark or a default.
    pub pair: Option<usize>,
    /// The side that receives the value.
    pub to: Side,
    /// The receiving fields; all changes of a pair share them.
    pub fields: Arc<[String]>,
    /// What they hold now.
    pub old: Vec<Value>,
    /// What they will hold.
    pub new: Vec<Value>,
    /// Why.
    pub rule: Rule,
}

/// Why a record is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum SkipReason {
    /// It does not meet the criteria.
    OutOfScope,
    /// Its key is blank, so it can't be matched, and it may not be created without one.
    KeyBlank,
    /// Another member of the family holds the platform record.
    HeldBy {
        /// The holder's mapping.
        mapping: String,
        /// The holder's record.
        id: RecordId,
    },
    /// The mapping creates nothing on the other side.
    CreateOff,
    /// A field that must be filled to be created is blank (F63).
    FieldBlank {
        /// The field.
        field: String,
    },
    /// Its link is closed because one side is deleted, merged or converted; both ids stay out of matching.
    LinkClosed,
}

impl SkipReason {
    /// The sentence shown to people.
    pub fn sentence(&self) -> String {
        match self {
            Self::OutOfScope => "does not meet the criteria".into(),
            Self::KeyBlank => "its key is blank, so it cannot be matched".into(),
            Self::HeldBy { mapping, id } => format!("held by {mapping} {id}"),
            Self::CreateOff => "the mapping does not create records on the other side".into(),
            Self::FieldBlank { field } => format!("{field} is blank, and such records are not created"),
            Self::LinkClosed => "its link is closed because one side was deleted, merged or converted".into(),
        }
    }
}

/// Why a line can't be done, found before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// A code in the manner of the services, such as `ambiguous_match`.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// The pair it concerns, if one.
    pub pair: Option<usize>,
}

/// Why a pair is parked of which nobody can tell whether our write was done before or after a person's edit (law E6).
pub const UNKNOWN_OUTCOME: &str = "unknown_outcome";

/// Why a pair is parked that both sides write in turn, again and again (law E8).
pub const PING_PONG: &str = "ping_pong";

/// Why a whole record waits for a person: it was deleted on one side and edited on the other (law E9). It is parked under pair 0,
/// which no pair has.
pub const DELETED: &str = "deleted";

/// Why a pair is parked, as a sentence for people.
pub fn parked_because(why: &str) -> &str {
    match why {
        "ask" => "both sides changed it, and the pair's policy is to ask",
        "first_meeting" => {
            "the records met for the first time with different values, and the mapping asks then"
        }
        UNKNOWN_OUTCOME => {
            "a write was interrupted, and whether it was done before or after an edit can't be told"
        }
        PING_PONG => "it was written to both sides in turn again and again",
        DELETED => "one side was deleted and the other was edited",
        other => other,
    }
}

/// A pair that waits for a person: both values stay, and so do the old bases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The pair.
    pub pair: usize,
    /// The org's value.
    pub org: Vec<Value>,
    /// The platform's value.
    pub platform: Vec<Value>,
    /// Why, such as `ask` or `ping_pong`.
    pub why: String,
}

/// What happens to a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// A record is created on that side and linked.
    Create {
        /// Where.
        on: Side,
    },
    /// Linked records: values are written to one side or both, or only the bases are adopted.
    Merge,
    /// The record of that side is deleted: a person deleted its counterpart (law E9), or the run that created it is taken back.
    Delete {
        /// Where.
        on: Side,
    },
    /// The record of that side, which a run that is taken back deleted, is brought back (law E16).
    Restore {
        /// Where.
        on: Side,
    },
    /// Left out.
    Skip {
        /// Why.
        reason: SkipReason,
    },
    /// Can't be done.
    Refuse {
        /// Why.
        obstacle: Obstacle,
    },
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The mapping's name.
    pub mapping: String,
    /// Both records, as far as they exist.
    pub ids: PerSide<Option<RecordId>>,
    /// What happens.
    pub action: Action,
    /// Which values are written where.
    pub changes: Vec<Change>,
    /// Pairs that wait for a person.
    pub parked: Vec<Parked>,
    /// Pairs that can't be done, while the rest of the record goes on.
    pub obstacles: Vec<Obstacle>,
}

impl Line {
    /// Whether anything is written to a side.
    pub fn writes_to(&self, side: Side) -> bool {
        matches!(self.action, Action::Delete { on } if on == side)
            || self.changes.iter().any(|change| change.to == side)
    }
}
