//! What a run is given, and how it is steered from outside.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::clock::Clock;
use crate::domain::compiled::Cause;
use crate::domain::mapping::Mapping;
use crate::domain::outcome::RunResult;
use crate::domain::port::{Endpoint, PortClass, PortError};
use crate::domain::progress::Progress;
use crate::domain::side::PerSide;
use crate::store::{Store, StoreError};

/// Everything a run needs; nothing is looked up elsewhere.
pub struct RunContext {
    /// The state database.
    pub store: Store,
    /// Both sides.
    pub endpoints: PerSide<Arc<dyn Endpoint>>,
    /// The mappings of the settings file, in its order.
    pub mappings: Vec<Mapping>,
    /// Limits and habits.
    pub options: EngineOptions,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The start of all chance.
    pub seed: u64,
    /// Pause and cancel.
    pub control: Control,
    /// Numbers for whoever watches.
    pub progress: watch::Sender<Progress>,
    /// The org that the endpoint is signed in to; another one behind the same settings stops all writes (law E17).
    pub org_id: Option<String>,
}

/// Limits and habits of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// When the brakes trip (law E10).
    pub brakes: Brakes,
    /// Records decided and committed together.
    pub chunk: usize,
    /// Records worked on together where enough of them are written by jobs.
    pub portion: usize,
    /// Chunks under way at once, at most: sent and committed while the next one is decided.
    pub under_way: usize,
    /// Batches under way at once on one side, to begin with.
    pub parallel: usize,
    /// The same at most, where the side bears it.
    pub most_parallel: usize,
    /// How long history and log are kept, in days; 0 keeps them for ever.
    pub retention_days: u32,
    /// How many percent of the links the slow re-read looks at in a day; none if 0.
    pub reread_percent_per_day: u64,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            brakes: Brakes::default(),
            chunk: 800,
            portion: 5_000,
            under_way: 8,
            parallel: 5,
            most_parallel: 8,
            retention_days: 90,
            reread_percent_per_day: 0,
        }
    }
}

/// Shares of the linked records, in percent, over a rolling day; and a floor under which no brake trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brakes {
    /// Creates, outside an initial sync.
    pub create_percent: u64,
    /// Updates, outside an initial sync.
    pub update_percent: u64,
    /// Values blanked.
    pub blank_percent: u64,
    /// Deletes and deactivations.
    pub delete_percent: u64,
    /// Opt-outs.
    pub opt_out_percent: u64,
    /// So many are always allowed.
    pub minimum: u64,
}

impl Default for Brakes {
    fn default() -> Self {
        Self {
            create_percent: 10,
            update_percent: 50,
            blank_percent: 5,
            delete_percent: 1,
            opt_out_percent: 5,
            minimum: 20,
        }
    }
}

/// Pause, resume and cancel; cheap to clone.
#[derive(Clone, Debug)]
pub struct Control {
    cancel: CancellationToken,
    paused: watch::Sender<bool>,
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl Control {
    /// Neither paused nor cancelled.
    pub fn new() -> Self {
        Self { cancel: CancellationToken::new(), paused: watch::Sender::new(false) }
    }

    /// Ends the run after the batch in hand.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Holds the run after the batch in hand.
    pub fn pause(&self) {
        self.paused.send_replace(true);
    }

    /// Goes on with a held run.
    pub fn resume(&self) {
        self.paused.send_replace(false);
    }

    /// Whether the run was told to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Whether the run is held.
    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// Waits while held; an error once cancelled.
    pub async fn checkpoint(&self) -> Result<(), End> {
        let mut paused = self.paused.subscribe();
        loop {
            if self.is_cancelled() {
                return Err(End::cancelled());
            }
            if !*paused.borrow_and_update() {
                return Ok(());
            }
            tokio::select! {
                () = self.cancel.cancelled() => {}
                changed = paused.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }
}

/// Why a run ends before it is through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How it ends.
    pub result: RunResult,
    /// A sentence.
    pub message: String,
    /// Whether it is the settings that are wrong.
    pub settings: bool,
}

impl End {
    /// An end with a sentence.
    pub fn new(result: RunResult, message: impl Into<String>) -> Self {
        Self { result, message: message.into(), settings: false }
    }

    /// The one rule of what a mapping that can't run means: a missing right is blocked, wrong settings are wrong settings.
    pub fn of_cause(cause: Cause, message: impl Into<String>) -> Self {
        match cause {
            Cause::Right => Self::new(RunResult::Blocked, message),
            Cause::Settings => Self { settings: true, ..Self::new(RunResult::Failed, message) },
        }
    }

    /// A person stopped it.
    pub fn cancelled() -> Self {
        Self::new(RunResult::Cancelled, "stopped; the next run goes on where this one ended")
    }
}

impl From<PortError> for End {
    fn from(error: PortError) -> Self {
        let result = match error.class {
            PortClass::SignIn | PortClass::Blocked => RunResult::Blocked,
            PortClass::Limit => RunResult::Limited,
            PortClass::Transient
            | PortClass::MarkLost
            | PortClass::CursorLost
            | PortClass::Settings
            | PortClass::Protocol => RunResult::Failed,
        };
        Self { result, message: error.message, settings: error.class == PortClass::Settings }
    }
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self { result: RunResult::Failed, message: error.to_string(), settings: false }
    }
}
