//! `forcesync run`: holds the engine's lock, runs automatic sync, and lets others attach, until told to stop.

use std::future::Future;

use crate::domain::command::{Command, Reply, RunReport, RunRequest};
use crate::domain::outcome::RunKind;
use crate::ops::engine::{EngineClient, Place, attach};
use crate::ops::error::{OpClass, OpError};
use crate::ops::run;
use crate::ops::session::Session;

/// How the engine is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// After the batch in hand.
    AfterTheBatch,
}

/// A headless engine.
#[derive(Debug)]
pub struct Headless {
    engine: EngineClient,
    waits: Option<String>,
}

impl Headless {
    /// Takes the lock, switches automatic sync on, and does a first run at once. Another engine in the workspace is an error.
    /// `confirmed` is the workspace's name, where a person typed it (law E17).
    pub async fn begin(session: &Session, confirmed: Option<&str>) -> Result<Self, OpError> {
        run::examine(session, &RunRequest::new(RunKind::Automatic))?;
        let engine = attach(session).await?;
        match engine.place() {
            Place::InProcess => {}
            Place::Socket { pid } => {
                let process = pid.map_or_else(|| "another process".into(), |pid| format!("process {pid}"));
                return Err(OpError::new(
                    OpClass::Busy,
                    format!(
                        "An engine already runs in this workspace ({process}). Stop it first, or attach to it with the console."
                    ),
                ));
            }
        }
        run::examine_secrets(session, &engine).await?;
        if let Some(name) = confirmed {
            run::confirm_workspace(&engine, name).await?;
        }
        // Whatever there is to wait for, it is not the next interval: somebody has to start the initial sync (law E11).
        let waits = run::unread(session, &[]).await?.map(|obstacle| obstacle.message);
        Ok(Self { engine, waits })
    }

    /// Why automatic sync does not begin yet, as a sentence.
    pub fn waits(&self) -> Option<&str> {
        self.waits.as_deref()
    }

    /// The engine that it holds.
    pub fn engine(&self) -> EngineClient {
        self.engine.clone()
    }

    /// Runs until `stop`, telling how each run ended.
    pub async fn live(&self, stop: impl Future<Output = Stop>, mut tell: impl FnMut(&RunReport)) {
        let mut waits = self.waits.is_some();
        let mut reports = self.engine.reports();
        if !waits {
            self.ask(Command::Automatic { on: true }).await;
            self.ask(Command::Start(RunRequest::new(RunKind::Automatic))).await;
        }
        tokio::pin!(stop);
        let ended = self.engine.ended();
        tokio::pin!(ended);
        let mut stopping = false;
        loop {
            tokio::select! {
                biased;
                Ok(()) = reports.changed() => {
                    let report = reports.borrow_and_update().clone();
                    if let Some(report) = report {
                        tell(&report);
                        if waits && report.kind == RunKind::Initial {
                            waits = !matches!(
                                self.engine.ask(Command::Automatic { on: true }).await,
                                Ok(Reply::Accepted)
                            );
                        }
                    }
                }
                () = &mut ended => return,
                Stop::AfterTheBatch = &mut stop, if !stopping => {
                    stopping = true;
                    self.ask(Command::Shutdown).await;
                }
            }
        }
    }

    /// A refusal is no reason to end: the next interval tries again, and the log has the reason.
    async fn ask(&self, command: Command) {
        match self.engine.ask(command).await {
            Ok(Reply::Refused { message }) => tracing::warn!(%message, "The engine refused."),
            Ok(
                Reply::Accepted
                | Reply::Started { .. }
                | Reply::Status { .. }
                | Reply::Forgotten { .. }
                | Reply::Moved { .. }
                | Reply::Kept { .. },
            ) => {}
            Err(error) => tracing::warn!(%error, "The engine could not be asked."),
        }
    }
}
