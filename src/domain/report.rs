//! What is shown and printed about runs, issues, history and the log. The `--json` shapes of the command line are these types.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::by_hand::Choice;
use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    /// Its number, rising.
    pub run: i64,
    /// Its kind.
    pub kind: RunKind,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it ended; `None` while it runs or after a crash.
    pub finished: Option<DateTime<Utc>>,
    /// How it ended.
    pub result: Option<RunResult>,
    /// A sentence about the end, where there is more to say than the result.
    pub message: Option<String>,
    /// What it did.
    pub counts: Counts,
    /// The mappings it ran, empty for all.
    pub mappings: Vec<String>,
}

/// Issues of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueGroup {
    /// The code, such as `REQUIRED_FIELD_MISSING`.
    pub code: String,
    /// The mapping.
    pub mapping: String,
    /// The cause in words, without what differs from record to record.
    pub cause: String,
    /// How many records.
    pub records: u64,
    /// How many of them are snoozed.
    pub snoozed: u64,
    /// When the first of them was seen.
    pub since: DateTime<Utc>,
    /// When the last of them was seen.
    pub last_seen: DateTime<Utc>,
}

/// A failed line, kept until it is resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueRow {
    /// Its number.
    pub issue: i64,
    /// The mapping.
    pub mapping: String,
    /// Both records, as far as they exist.
    pub ids: PerSide<Option<RecordId>>,
    /// The side that refused.
    pub side: Side,
    /// A name by which a person knows the record, where one is known.
    pub label: String,
    /// The code.
    pub code: String,
    /// The cause in words, as the group shows it.
    pub cause: String,
    /// The remote's own words.
    pub message: String,
    /// The fields it concerns.
    pub fields: Vec<String>,
    /// The run that saw it last.
    pub run: i64,
    /// When it was first seen.
    pub since: DateTime<Utc>,
    /// When it was last seen.
    pub last_seen: DateTime<Utc>,
    /// How often it was tried.
    pub tries: u32,
    /// Whether it still stands.
    pub open: bool,
    /// Hidden until then, or until its message changes.
    pub snoozed_until: Option<DateTime<Utc>>,
}

/// A parked pair that a person must decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictRow {
    /// Its number; never given twice.
    pub conflict: i64,
    /// The mapping.
    pub mapping: String,
    /// The pair, by the text that the state database knows it by; empty for a whole record.
    pub pair: String,
    /// The fields of the pair on both sides.
    pub fields: PerSide<Vec<String>>,
    /// Why it is parked: `ask`, `first_meeting`, `unknown_outcome`, `ping_pong`, `deleted`.
    pub why: String,
    /// A name by which a person knows the record, where one is known.
    pub label: String,
    /// Both records.
    pub ids: PerSide<Option<RecordId>>,
    /// What each side held when both were last in step; none at a first meeting.
    pub base: Option<PerSide<Vec<Value>>>,
    /// What each side holds.
    pub values: PerSide<Vec<Value>>,
    /// When it was parked.
    pub since: DateTime<Utc>,
    /// The run that saw it last.
    pub run: i64,
    /// What became of the last decision where nothing came of it, such as `changed since you looked`.
    pub note: Option<String>,
    /// The decision that waits for the next run.
    pub decided: Option<Decided>,
    /// The side that was deleted, where the conflict is about a whole record; `fields` and `values` are then what was edited on
    /// the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Side>,
}

/// A decision that waits for the next run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What both sides shall hold.
    pub choice: Choice,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Which conflicts are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictQuery {
    /// Of this mapping.
    pub mapping: Option<String>,
    /// Parked for this reason.
    pub why: Option<String>,
    /// Of the pair with this field, on either side.
    pub field: Option<String>,
    /// After this number (to page on).
    pub after: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// How serious a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For whoever looks into a single run.
    Debug,
    /// Something happened.
    Info,
    /// Something needs attention.
    Warn,
    /// Something did not work.
    Error,
}

impl Level {
    /// The word shown and stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The number stored; higher is more serious.
    pub fn number(self) -> i64 {
        match self {
            Self::Debug => 0,
            Self::Info => 1,
            Self::Warn => 2,
            Self::Error => 3,
        }
    }

    /// The level of a stored number.
    pub fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Debug,
            1 => Self::Info,
            2 => Self::Warn,
            _ => Self::Error,
        }
    }
}

/// A fact: one line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactRow {
    /// Its sequence, rising without end.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// How serious.
    pub level: Level,
    /// The run it belongs to.
    pub run: Option<i64>,
    /// The mapping it belongs to.
    pub mapping: Option<String>,
    /// The records it is about.
    pub ids: PerSide<Option<RecordId>>,
    /// A full sentence.
    pub message: String,
    /// Anything else that is known, as a JSON object.
    pub detail: Option<serde_json::Value>,
}

/// One pair's change in history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryChange {
    /// The pair's number in the state database; none for a default or the other side's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<i64>,
    /// The receiving fields.
    pub fields: Vec<String>,
    /// What they held.
    pub old: Vec<Value>,
    /// What they hold since.
    pub new: Vec<Value>,
    /// The rule in words.
    pub rule: String,
}

/// One record and action in history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Its sequence, rising.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The run.
    pub run: i64,
    /// The mapping.
    pub mapping: String,
    /// Both records.
    pub ids: PerSide<Option<RecordId>>,
    /// The side that was written.
    pub side: Side,
    /// `created`, `updated`, `deleted`, `closed` or `reopened`.
    pub action: String,
    /// The kind of call that wrote it: `create`, `upsert`, `update` or `delete`; none where nothing was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// What changed.
    pub changes: Vec<HistoryChange>,
}

/// Which log lines are wanted; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// At least this serious.
    pub level: Option<Level>,
    /// Of this run.
    pub run: Option<i64>,
    /// Of this mapping.
    pub mapping: Option<String>,
    /// Containing this text, whatever its case.
    pub text: Option<String>,
    /// Before this sequence (to page back).
    pub before: Option<i64>,
    /// After this sequence (to follow).
    pub after: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// Which issues are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueQuery {
    /// Of this code.
    pub code: Option<String>,
    /// Of this mapping.
    pub mapping: Option<String>,
    /// Of this cause.
    pub cause: Option<String>,
    /// Resolved ones too.
    pub resolved: bool,
    /// Only those that are not snoozed at this moment.
    pub awake_at: Option<DateTime<Utc>>,
    /// After this number (to page on).
    pub after: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// Which history is wanted; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryQuery {
    /// Of this record, by either side's id.
    pub id: Option<String>,
    /// Of this run.
    pub run: Option<i64>,
    /// Of this mapping.
    pub mapping: Option<String>,
    /// With a change of this field, on either side.
    pub field: Option<String>,
    /// Not before this moment.
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Before this sequence.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// Whether a full synchronization has ever been done (F54).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FirstSync {
    /// Never.
    #[default]
    Never,
    /// It is running for the first time, or was interrupted.
    Begun,
    /// Done.
    Done {
        /// When.
        at: DateTime<Utc>,
    },
}

/// What the status block and `forcesync status` show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Whether a full synchronization has been done.
    pub first_sync: FirstSync,
    /// Open issues.
    pub issues: u64,
    /// Groups of open issues.
    pub issue_groups: u64,
    /// Records that have to be looked at again.
    pub pending: u64,
    /// Parked pairs.
    pub conflicts: u64,
    /// Links that are open.
    pub links: u64,
    /// The date of the last synchronization: the oldest cursor of the feeds in use.
    pub last_synchronization: Option<DateTime<Utc>>,
    /// When a record was last written on either side.
    pub last_update: Option<DateTime<Utc>>,
    /// The last run.
    pub last_run: Option<RunRow>,
    /// What differs from what was accepted of both sides' objects, the worst first (law E13).
    #[serde(default)]
    pub drift: Vec<DriftRow>,
    /// Mappings that automatic runs leave out until a person accepts them (law E5).
    #[serde(default)]
    pub unaccepted: Vec<String>,
    /// What is unequal about the two sides: a sandbox joined to a live account, or the reverse (law E17).
    #[serde(default)]
    pub unequal: Option<Unequal>,
    /// The last completeness audit.
    #[serde(default)]
    pub last_audit: Option<LastAudit>,
}

/// A sandbox joined to a live account, or the reverse (law E17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unequal {
    /// Which it is, such as `sandbox org, live platform`.
    pub what: String,
    /// Whether a person has typed the workspace's name.
    pub confirmed: bool,
}

/// Something that differs from what was accepted of a side (law E13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftRow {
    /// Its number.
    pub drift: i64,
    /// What it is.
    #[serde(flatten)]
    pub finding: crate::domain::drift::Finding,
    /// Whether it ends when a person accepts it.
    pub acceptable: bool,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The run that saw it last.
    pub run: i64,
}

/// What the last completeness audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAudit {
    /// Its run.
    pub run: i64,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Records that no run has dealt with.
    pub holes: u64,
    /// Those of them that are gone without a tombstone, which only a person can judge.
    pub gone: u64,
}

/// One line of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckLine {
    /// How it ended.
    pub verdict: Verdict,
    /// What was checked, such as `salesforce`, `platform`, `mapping contact`.
    pub subject: String,
    /// A sentence; for a failure also the next step.
    pub message: String,
    /// The settings field beside which it belongs, such as `salesforce.my_domain`.
    pub field: Option<String>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Fine.
    Good,
    /// Works, but somebody should look.
    Warning,
    /// Does not work.
    Bad,
}
