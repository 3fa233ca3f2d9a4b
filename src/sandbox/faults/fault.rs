//! One fault as it is ordered: its kind and where, when and how often it strikes.

use serde::{Deserialize, Serialize};

use super::Side;

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 401: the session is gone.
    Unauthorized,
    /// 429, with `Retry-After` where `retry_after` is given.
    TooMany,
    /// 503 with a page of HTML.
    #[serde(rename = "html_503")]
    Html503,
    /// `UNABLE_TO_LOCK_ROW` for a row of the org.
    RowLock,
    /// Any other error for a row of the org: `code` and `message`.
    RowError,
    /// The day's requests are used up (org), or the pace is exceeded (platform).
    Limit,
    /// The connection is closed before anything happened.
    CutBefore,
    /// The connection is closed after everything happened.
    CutAfter,
    /// The answer waits `ms` milliseconds.
    Slow,
    /// Rows become visible to queries and feeds `ms` milliseconds after their stamp.
    LateCommit,
    /// A read answers what it answered the first time after the fault was armed.
    StaleRead,
    /// A job that is done says that it is not.
    SlowJobs,
    /// `success:false` with `message`, as the platform puts it.
    SuccessFalse,
    /// The request is handled twice, as after a proxy's retry.
    DeliveredTwice,
}

impl FaultKind {
    /// Its name in JSON and in the log of calls.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::TooMany => "too_many",
            Self::Html503 => "html_503",
            Self::RowLock => "row_lock",
            Self::RowError => "row_error",
            Self::Limit => "limit",
            Self::CutBefore => "cut_before",
            Self::CutAfter => "cut_after",
            Self::Slow => "slow",
            Self::LateCommit => "late_commit",
            Self::StaleRead => "stale_read",
            Self::SlowJobs => "slow_jobs",
            Self::SuccessFalse => "success_false",
            Self::DeliveredTwice => "delivered_twice",
        }
    }

    /// What the fault is about.
    pub(super) fn level(self) -> Level {
        match self {
            Self::RowLock | Self::RowError => Level::Row,
            Self::LateCommit => Level::Setting,
            Self::StaleRead => Level::Memory,
            Self::Slow => Level::Delay,
            Self::Unauthorized
            | Self::TooMany
            | Self::Html503
            | Self::Limit
            | Self::CutBefore
            | Self::CutAfter
            | Self::SlowJobs
            | Self::SuccessFalse
            | Self::DeliveredTwice => Level::Request,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Strikes a request; the first that matches wins.
    Request,
    /// Strikes a request besides another fault.
    Delay,
    /// Strikes a request for which an answer is remembered.
    Memory,
    /// Strikes a row.
    Row,
    /// Holds as long as it is armed.
    Setting,
}

/// One fault, as it is ordered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Where; both sides if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// A part of `METHOD /path`, or for row faults of `operation Object`; case does not matter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub on: String,
    /// So many matching requests pass first.
    #[serde(default)]
    pub after: u64,
    /// So many are struck; without it, no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Each so manyth is struck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// Each is struck with this probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
    /// What the probability is drawn with.
    #[serde(default)]
    pub seed: u64,
    /// How long, for `slow` and `late_commit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Seconds of the `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The code of `row_error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The sentence of `row_error` and `success_false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Fault {
    /// A fault that strikes everything until it is cleared; narrow it with the fields.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            side: None,
            on: String::new(),
            after: 0,
            count: None,
            every: None,
            chance: None,
            seed: 0,
            ms: None,
            retry_after: None,
            code: None,
            message: None,
        }
    }

    /// The same on one side only.
    #[must_use]
    pub fn on_side(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    /// The same for matching requests only.
    #[must_use]
    pub fn on(mut self, pattern: &str) -> Self {
        pattern.clone_into(&mut self.on);
        self
    }

    /// The same for so many requests.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }
}
