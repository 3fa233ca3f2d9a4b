//! What a running engine can be asked: one serialisable enum for the console, the command line and the socket.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::by_hand::ByHand;
use crate::domain::forget::Forgotten;
use crate::domain::hint::HintOrder;
use crate::domain::mapping::Direction;
use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::domain::plan::saved::{PlanDeed, PlanOrder};
use crate::domain::progress::Progress;
use crate::domain::push::PushOrder;
use crate::domain::side::Side;
use crate::domain::undo::{Extent, UndoOrder};

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequest {
    /// Its kind.
    pub kind: RunKind,
    /// Only these mappings; all enabled ones if empty.
    #[serde(default)]
    pub mappings: Vec<String>,
    /// Only this direction.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// Only the changes of this side are read, because the other's have an interval of their own; what is decided is decided as
    /// ever, both ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<Side>,
    /// What a person released beforehand (law E10).
    #[serde(default)]
    pub allow: Allowances,
    /// The run that an undo takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoOrder>,
    /// Records that a campaign of the platform has pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushOrder>,
    /// Records that the platform has hinted at, to be read by their ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hints: Option<HintOrder>,
    /// The plan that is made instead, or applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanOrder>,
}

impl RunRequest {
    /// A run of all mappings, with nothing released.
    pub fn new(kind: RunKind) -> Self {
        Self {
            kind,
            mappings: Vec::new(),
            direction: None,
            reads: None,
            allow: Allowances::default(),
            undo: None,
            push: None,
            hints: None,
            plan: None,
        }
    }

    /// The undo of a run.
    pub fn undo(run: i64, extent: Extent, allow: Allowances) -> Self {
        Self { allow, undo: Some(UndoOrder { run, extent }), ..Self::new(RunKind::Undo) }
    }

    /// Whether a plan is made instead of a run.
    pub fn only_plans(&self) -> bool {
        matches!(self.plan, Some(PlanOrder::Make { .. }))
    }

    /// The plan that is applied.
    pub fn applies(&self) -> Option<i64> {
        match self.plan {
            Some(PlanOrder::Apply { number }) => Some(number),
            Some(PlanOrder::Make { .. }) | None => None,
        }
    }

    /// The kind under which the run stands in the list of runs: one that applies a plan reads and brakes like the run that the plan
    /// foresaw, and is told as what it is.
    pub fn told_as(&self) -> RunKind {
        if self.applies().is_some() { RunKind::Apply } else { self.kind }
    }
}

/// How many of each braked kind a person has allowed for this run; `None` leaves the brake as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowances {
    /// Creates.
    pub creates: Option<u64>,
    /// Updates.
    pub updates: Option<u64>,
    /// Values blanked.
    pub blanks: Option<u64>,
    /// Deletes and deactivations.
    pub deletes: Option<u64>,
    /// Opt-outs.
    pub opt_outs: Option<u64>,
}

/// What a running engine can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Start a run; refused while another one is on its way.
    Start(RunRequest),
    /// Hold the run after the batch in hand.
    Pause,
    /// Go on with a held run.
    Resume,
    /// End the run after the batch in hand.
    Cancel,
    /// Switch automatic sync.
    Automatic {
        /// On or off.
        on: bool,
    },
    /// Try these issues again in an own run; all open ones if empty.
    Retry {
        /// Numbers of issues.
        issues: Vec<i64>,
    },
    /// Hide these issues until a moment; `None` shows them again.
    Snooze {
        /// Numbers of issues.
        issues: Vec<i64>,
        /// Until when.
        until: Option<DateTime<Utc>>,
    },
    /// Take what a person decided by hand: into an own run, or into the next one where one is on its way.
    Decide(ByHand),
    /// Sets the platform's record inactive, by a record of either side (F28).
    Deactivate {
        /// The object, by its name on the side of the id; blank where the id alone says it.
        object: String,
        /// The record's id on that side.
        id: String,
    },
    /// Forget a person (law E16); refused while a run is on its way.
    Forget {
        /// The object, by its name on either side.
        object: String,
        /// The record's id on that side.
        id: String,
    },
    /// Change the date of the last synchronization (F57): what changed since then is read again by the next run.
    ReadAgain(ReadAgain),
    /// A person accepts these mappings as they are written (law E5), and as both sides are (law E13); all if empty.
    Accept {
        /// Names of mappings.
        mappings: Vec<String>,
        /// What is accepted.
        what: Acceptance,
    },
    /// A person typed the workspace's name, because a sandbox is joined to a live account or the reverse (law E17).
    ConfirmWorkspace {
        /// What they typed.
        name: String,
    },
    /// Look after saved plans; refused while a plan is being made.
    Plans(PlanDeed),
    /// Read the settings again.
    Reload,
    /// Tell the present numbers.
    Status,
    /// End the engine after the batch in hand.
    Shutdown,
}

/// From when on changes are read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAgain {
    /// The moment.
    pub since: DateTime<Utc>,
    /// Whether feeds that were not read up to then go there, too, so that what lies between is never read.
    pub skip: bool,
}

/// What a person accepts of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    /// How it is written, and what both sides say of its objects.
    All,
    /// How it is written.
    Settings,
    /// What both sides say of its objects.
    Drift,
}

/// What the engine answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Done, or begun.
    Accepted,
    /// A run has begun.
    Started {
        /// Its number.
        run: i64,
    },
    /// The present numbers.
    Status {
        /// All of them.
        progress: Box<Progress>,
    },
    /// A person is forgotten.
    Forgotten {
        /// What was erased.
        erased: Forgotten,
        /// Ids and values by which the person may stand in files beside the database.
        texts: Vec<String>,
    },
    /// The feeds begin elsewhere.
    Moved {
        /// Each feed with what became of it.
        feeds: Vec<MovedFeed>,
    },
    /// A plan is kept.
    Kept {
        /// Its number.
        plan: i64,
    },
    /// Not possible now, and why.
    Refused {
        /// A sentence.
        message: String,
    },
}

/// What became of a feed whose position a person wanted to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedFeed {
    /// The side.
    pub side: Side,
    /// Its object there.
    pub object: String,
    /// How far it had been read.
    pub before: Option<DateTime<Utc>>,
    /// What became of it.
    pub fate: FeedFate,
}

/// What became of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedFate {
    /// The next run reads from the wanted moment on.
    Moved,
    /// It was not read up to that moment yet, so it stays.
    Earlier,
    /// The side can't tell what changed since a moment, so it stays.
    NoDates,
    /// It was never read to its end: only an initial sync does that.
    NeverRead,
}

impl FeedFate {
    /// What became of it, for a person.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Moved => "is read again from then on",
            Self::Earlier => "was not read up to then yet, and stays",
            Self::NoDates => "can't be read from a date on, and stays",
            Self::NeverRead => "waits for its initial sync",
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// Its number.
    pub run: i64,
    /// Its kind.
    pub kind: RunKind,
    /// How it ended.
    pub result: RunResult,
    /// A sentence about the end, where there is more to say.
    pub message: Option<String>,
    /// What it did.
    pub counts: Counts,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// Whether it is the settings that are wrong.
    #[serde(default)]
    pub settings: bool,
    /// The plan that was made, if that was asked for.
    #[serde(default)]
    pub plan: Option<i64>,
}

impl RunReport {
    /// The exit code of a command that ran it (design, command line).
    pub fn exit_code(&self) -> u8 {
        if self.settings && self.result == RunResult::Failed { 2 } else { self.result.exit_code() }
    }
}
