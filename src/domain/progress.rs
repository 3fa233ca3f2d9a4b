//! Numbers of a running engine, for whoever watches; any of them may be skipped.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::hold::Hold;
use crate::domain::outcome::{Counts, RunKind};

/// What the engine is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineState {
    /// Nothing runs.
    #[default]
    Idle,
    /// A run is on its way.
    Running,
    /// A run is held until resumed.
    Paused,
    /// A run ends after the batch in hand.
    Stopping,
}

/// The step a run is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing runs.
    #[default]
    None,
    /// Signs in and compares descriptions.
    Preparing,
    /// Looks up what an interrupted run left open.
    Recovering,
    /// Reads both sides.
    Reading,
    /// Finds which records belong together.
    Matching,
    /// Decides without writing, because a plan is made.
    Deciding,
    /// Decides and writes.
    Writing,
    /// Closes the run.
    Finishing,
}

/// The numbers of one mapping in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingProgress {
    /// The mapping.
    pub mapping: String,
    /// Objects, for people: `Contact ⇄ contact`.
    pub title: String,
    /// Records done.
    pub done: u64,
    /// Records in all, where known.
    pub total: Option<u64>,
    /// Its counts.
    pub counts: Counts,
}

/// Everything that is shown live.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What the engine is doing.
    pub state: EngineState,
    /// The run at hand, or the last one.
    pub run: Option<i64>,
    /// Its kind.
    pub kind: Option<RunKind>,
    /// Whether it only makes a plan.
    #[serde(default)]
    pub plans: bool,
    /// Its step.
    pub phase: Phase,
    /// When it began.
    pub started: Option<DateTime<Utc>>,
    /// One entry a mapping.
    pub mappings: Vec<MappingProgress>,
    /// The counts of the whole run.
    pub counts: Counts,
    /// Records read while reading, and how many are expected, where known.
    pub read: u64,
    /// Records expected to be read.
    pub expected: Option<u64>,
    /// The org's API budget as its last answer said: used, and the day's limit.
    pub api_budget: Option<(u64, u64)>,
    /// Whether automatic sync is on.
    pub automatic: bool,
    /// When automatic sync runs next.
    pub next_automatic: Option<DateTime<Utc>>,
    /// The limit that holds runs back, and until when.
    #[serde(default)]
    pub held: Option<Hold>,
    /// The highest sequence of the facts written so far.
    pub facts: i64,
}

impl Progress {
    /// Records that the step at hand has done and, where known, how many it has to do: read ones until all are read, decided ones
    /// of all mappings later.
    pub fn done(&self) -> (u64, Option<u64>) {
        match self.phase {
            Phase::None | Phase::Preparing | Phase::Recovering | Phase::Reading => (self.read, self.expected),
            Phase::Matching | Phase::Deciding | Phase::Writing | Phase::Finishing => {
                let done = self.mappings.iter().map(|mapping| mapping.done).sum();
                let total = self.mappings.iter().map(|mapping| mapping.total).sum();
                (done, total)
            }
        }
    }
}
