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
}

impl Headless {
    /// Takes the lock, switches automatic sync on, and does a first run at once. Another engine in the workspace is an error.
    /// `confirmed` is the workspace's name, where a person typed it (law E17).
    pub async fn begin(session: &Session, confirmed: Option<&str>) -> Result<Self, OpError> {
        run::examine(session, &RunRequest::new(RunKind::Automatic))?;
        // Whatever there is to wait for, it is not the next interval.
        if let Some(obstacle) = run::unread(session, &[]).await? {
            return Err(obstacle);
        }
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
        Ok(Self { engine })
    }

    /// Runs until `stop`, telling how each run ended.
    pub async fn live(&self, stop: impl Future<Output = Stop>, mut tell: impl FnMut(&RunReport)) {
        self.ask(Command::Automatic { on: true }).await;
        let mut reports = self.engine.reports();
        self.ask(Command::Start(RunRequest::new(RunKind::Automatic))).await;
        tokio::pin!(stop);
        let ended = self.engine.ended();
        tokio::pin!(ended);
        let mut stopping = false;
        loop {
            tokio::select! {
                biased;
                Ok(()) = reports.changed() => {
                    if let Some(report) = reports.borrow_and_update().as_ref() {
                        tell(report);
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
            Ok(Reply::Accepted | Reply::Started { .. } | Reply::Status { .. } | Reply::Forgotten { .. }) => {}
            Err(error) => tracing::warn!(%error, "The engine could not be asked."),
        }
    }
}
