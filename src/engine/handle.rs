//! The host of runs: one task a process that owns the engine and answers [`Command`]s.
//!
//! Commands come in through [`Handle::ask`], numbers go out through a watch, and how a run ended through another. What a
//! run is and where its settings come from is the [`Runner`]'s business, so that the host can be tested with a virtual clock
//! and a runner made of paper. [`schedule`] says when automatic runs are due; [`wire`] is what crosses the local socket.

mod host;
pub mod schedule;
#[cfg(test)]
pub(crate) mod tests;
pub mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot, watch};

use crate::domain::by_hand::ByHand;
use crate::domain::clock::Clock;
use crate::domain::command::{Acceptance, Command, ReadAgain, Reply, RunReport, RunRequest};
use crate::domain::hold::Hold;
use crate::domain::outcome::RunKind;
use crate::domain::plan::saved::PlanDeed;
use crate::domain::progress::Progress;
use crate::engine::context::Control;
use crate::engine::handle::host::Host;
use crate::engine::handle::schedule::Schedule;

/// Does what the host decides; the only thing it knows of the rest of the program.
#[async_trait]
pub trait Runner: Send + Sync + 'static {
    /// Does one run to its end. Every end, good or bad, is a report.
    async fn run(
        &self,
        request: &RunRequest,
        control: &Control,
        progress: &watch::Sender<Progress>,
    ) -> RunReport;

    /// When automatic runs are due, by the settings as they were last read.
    fn schedule(&self) -> Schedule;

    /// The limit that holds runs of this kind back now; without one, a limited run is tried again as the schedule says.
    fn hold(&self, kind: RunKind) -> Option<Hold> {
        let _ = kind;
        None
    }

    /// What is due and goes before the next automatic run, such as the audit that comes once a week.
    async fn instead(&self) -> Option<RunRequest> {
        None
    }

    /// Reads the settings again; an error is a sentence and leaves the old ones in use.
    async fn reload(&self) -> Result<(), String>;

    /// Makes these issues pending again, all open ones if empty, and says how many; an error is a sentence.
    async fn requeue(&self, issues: &[i64]) -> Result<u64, String>;

    /// Hides these issues until a moment, or shows them again, and says how many; an error is a sentence.
    async fn snooze(&self, issues: &[i64], until: Option<DateTime<Utc>>) -> Result<u64, String>;

    /// Keeps what a person decided for the next run and says how many decisions that were; an error is a sentence.
    async fn keep(&self, by_hand: ByHand) -> Result<u64, String>;
    /// A person accepts these mappings, all of them if empty; an error is a sentence.
    async fn accept(&self, mappings: &[String], what: Acceptance) -> Result<(), String> {
        Err(format!("This engine accepts nothing ({what:?}) of {}.", mappings.join(", ")))
    }
    /// A person typed the workspace's name; an error is a sentence.
    async fn confirm(&self, name: &str) -> Result<(), String> {
        Err(format!("This engine has no workspace “{name}”."))
    }
    /// Why automatic sync can't be switched on, as a sentence.
    async fn obstacle_to_automatic(&self) -> Option<String> {
        None
    }
    /// Looks after saved plans; an error is a sentence.
    async fn plans(&self, deed: &PlanDeed) -> Result<Reply, String> {
        Err(format!("This engine keeps no plans ({deed:?})."))
    }

    /// Sets the platform's record inactive, by a record of either side; an error is a sentence.
    async fn deactivate(&self, object: &str, id: &str) -> Result<(), String> {
        Err(format!("This engine can't set {object} {id} inactive."))
    }

    /// Changes the date of the last synchronization; an error is a sentence.
    async fn read_again(&self, wanted: &ReadAgain) -> Result<Reply, String> {
        Err(format!("This engine keeps no date such as {}.", wanted.since))
    }

    /// Forgets a person by a record of either side; an error is a sentence.
    async fn forget(&self, object: &str, id: &str) -> Result<Reply, String> {
        Err(format!("This engine keeps nothing about {object} {id}."))
    }
}

/// A command on its way to the host, with the place for its answer.
struct Ask {
    command: Command,
    reply: oneshot::Sender<Reply>,
}

/// Reaches the host; cheap to clone.
#[derive(Clone)]
pub struct Handle {
    asks: mpsc::Sender<Ask>,
    progress: watch::Receiver<Progress>,
    reports: watch::Receiver<Option<RunReport>>,
    ended: watch::Receiver<bool>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Handle {
    /// Starts the host. It lives until [`Command::Shutdown`] or until every handle is dropped.
    pub fn spawn(runner: Arc<dyn Runner>, clock: Arc<dyn Clock>) -> Self {
        // Deep enough that a person never waits for the queue, shallow enough that a runaway client notices.
        let (asks, inbox) = mpsc::channel(64);
        let (progress, watched) = watch::channel(Progress::default());
        let (reports, ends) = watch::channel(None);
        let (ended, gone) = watch::channel(false);
        let host = Host::new(runner, clock, inbox, progress, reports);
        tokio::spawn(async move {
            host.live().await;
            ended.send_replace(true);
        });
        Self { asks, progress: watched, reports: ends, ended: gone }
    }

    /// Asks the engine; an engine that has ended refuses.
    pub async fn ask(&self, command: Command) -> Reply {
        let (reply, answer) = oneshot::channel();
        if self.asks.send(Ask { command, reply }).await.is_err() {
            return gone();
        }
        answer.await.unwrap_or_else(|_| gone())
    }

    /// The numbers, live; any of them may be skipped.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// How the last run of this engine ended.
    pub fn reports(&self) -> watch::Receiver<Option<RunReport>> {
        self.reports.clone()
    }

    /// Returns once the engine has ended.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        // An error means that the host's task is gone, which is the same.
        let _ = ended.wait_for(|ended| *ended).await;
    }
}

fn gone() -> Reply {
    Reply::Refused { message: "The engine has ended. Start it again with `forcesync run`.".into() }
}
