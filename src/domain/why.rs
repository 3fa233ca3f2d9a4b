//! Why a record holds what it holds (N3): what each side last held, per pair, and the chain of writes that led there. The
//! `--json` shape of `forcesync why` is these types.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::outcome::RunKind;
use crate::domain::record::RecordId;
use crate::domain::report::IssueRow;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;

pub mod telling;

/// Which record is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyQuery {
    /// The object, by its name on either side; every object if left out.
    pub object: Option<String>,
    /// The record's id on that side.
    pub id: String,
    /// Only this field, by its name on either side.
    pub field: Option<String>,
}

/// What is known of a record in one mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyRecord {
    /// The mapping.
    pub mapping: String,
    /// The objects on both sides.
    pub objects: PerSide<String>,
    /// Both records, as far as they exist.
    pub ids: PerSide<Option<RecordId>>,
    /// Whether the two belong together.
    pub link: WhyLink,
    /// Every mapped pair, then pairs that were mapped once and still have a base.
    pub pairs: Vec<WhyPair>,
    /// Writes that no pair explains: creates with their defaults and marks, deletes, links closed and opened again; newest first.
    pub events: Vec<WhyStep>,
    /// Why parts of it could not be done.
    pub issues: Vec<IssueRow>,
    /// Why it will be looked at again.
    pub pending: Vec<WhyPending>,
    /// Why it was left out, newest first.
    pub skipped: Vec<WhySkip>,
}

/// Whether two records belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum WhyLink {
    /// They do.
    Linked {
        /// When each side was last seen equal to its base.
        seen: PerSide<Option<DateTime<Utc>>>,
    },
    /// They did; nothing is written any more.
    Closed {
        /// A sentence.
        because: String,
        /// When each side was last seen equal to its base.
        seen: PerSide<Option<DateTime<Utc>>>,
    },
    /// The record has no partner.
    NotLinked {
        /// Sentences, the likeliest reason first.
        because: Vec<String>,
    },
}

/// One pair of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyPair {
    /// The fields on both sides.
    pub fields: PerSide<Vec<String>>,
    /// Whether the settings still map it so.
    pub mapped: bool,
    /// What each side last held, folded as it is compared; none before the pair has met.
    pub base: Option<PerSide<Vec<Value>>>,
    /// That it waits for a person.
    pub parked: Option<WhyParked>,
    /// The writes that led to it, newest first.
    pub steps: Vec<WhyStep>,
}

/// A pair that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyParked {
    /// The word: `ask`, `first_meeting`, `unknown_outcome` …
    pub why: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The run that parked it.
    pub run: i64,
    /// What both sides held then.
    pub values: PerSide<Vec<Value>>,
}

impl WhyParked {
    /// The sentence shown to people.
    pub fn sentence(&self) -> String {
        match self.why.as_str() {
            "ask" => "both sides changed, and the policy is to ask a person".into(),
            "first_meeting" => "both sides were filled differently when they met, and the policy is to ask a person".into(),
            "unknown_outcome" => {
                "nobody can tell whether our write came before or after an edit; it closes once both sides agree".into()
            }
            "ping_pong" => "it was written to both sides in turn again and again".into(),
            "deleted" => "one side was deleted while the other was edited".into(),
            other => other.replace('_', " "),
        }
    }
}

/// One write in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyStep {
    /// The row of history.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The run.
    pub run: i64,
    /// Its kind, while the run is kept.
    pub kind: Option<RunKind>,
    /// The side that was written.
    pub side: Side,
    /// `created`, `updated`, `deleted`, `closed` or `reopened`.
    pub action: String,
    /// The fields that were written.
    pub fields: Vec<String>,
    /// What stood there before.
    pub old: Vec<Value>,
    /// What was written.
    pub new: Vec<Value>,
    /// The rule, as a sentence.
    pub rule: String,
}

/// A record that will be looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyPending {
    /// The side of the id.
    pub side: Side,
    /// Why, as a word.
    pub reason: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When; none: not before its source or its mapping changes.
    pub next_try: Option<DateTime<Utc>>,
}

/// That a run left the record out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhySkip {
    /// The run.
    pub run: i64,
    /// A sentence.
    pub because: String,
}
