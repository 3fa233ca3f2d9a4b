//! The engine of a workspace: one that runs elsewhere, over its socket, else one in this process.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::command::{Command, Reply, RunReport};
use crate::domain::progress::Progress;
use crate::domain::report::RunRow;
use crate::engine::handle::Handle;
use crate::ops::error::{OpClass, OpError};
use crate::ops::read;
use crate::ops::runner::WorkspaceRunner;
use crate::ops::session::{Access, Session};
#[cfg(unix)]
use crate::service::socket::client::{Client, SocketError};
#[cfg(unix)]
use crate::service::socket::server::Socket;
use crate::workspace::WorkspaceError;
use crate::workspace::lock::{EngineLock, Holder};

/// How often, and how many times, an engine is looked for that has the lock but no socket yet.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const LOOKS: u32 = 30;

/// Where the engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this process.
    InProcess,
    /// In another one.
    Socket {
        /// Its process, where known.
        pid: Option<u32>,
    },
}

/// Reaches the engine; cheap to clone.
#[derive(Clone, Debug)]
pub struct EngineClient {
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    Here(Arc<Here>),
    #[cfg(unix)]
    There {
        client: Client,
        pid: Option<u32>,
    },
}

/// What makes this process the engine's; given back when the last client is dropped.
#[derive(Debug)]
struct Here {
    handle: Handle,
    #[cfg(unix)]
    _socket: Option<Socket>,
    _lock: EngineLock,
}

impl EngineClient {
    /// Asks the engine.
    pub async fn ask(&self, command: Command) -> Result<Reply, OpError> {
        match &self.way {
            Way::Here(here) => Ok(here.handle.ask(command).await),
            #[cfg(unix)]
            Way::There { client, pid } => {
                client.ask(command).await.map_err(|error| unreachable_engine(&error, *pid))
            }
        }
    }

    /// The numbers, live.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        match &self.way {
            Way::Here(here) => here.handle.progress(),
            #[cfg(unix)]
            Way::There { client, .. } => client.progress(),
        }
    }

    /// How the last run ended.
    pub fn reports(&self) -> watch::Receiver<Option<RunReport>> {
        match &self.way {
            Way::Here(here) => here.handle.reports(),
            #[cfg(unix)]
            Way::There { client, .. } => client.reports(),
        }
    }

    /// Where the engine is.
    pub fn place(&self) -> Place {
        match &self.way {
            Way::Here(_) => Place::InProcess,
            #[cfg(unix)]
            Way::There { pid, .. } => Place::Socket { pid: *pid },
        }
    }

    /// Whether it still lives.
    pub fn is_alive(&self) -> bool {
        // The sender of the numbers lives as long as the engine, or the line to it.
        self.progress().has_changed().is_ok()
    }

    /// Returns once the engine, or the line to it, is gone.
    pub async fn ended(&self) {
        match &self.way {
            Way::Here(here) => here.handle.ended().await,
            #[cfg(unix)]
            Way::There { client, .. } => {
                let mut progress = client.progress();
                while progress.changed().await.is_ok() {}
            }
        }
    }

    /// Ends an engine of this process after the batch in hand; lets one elsewhere be.
    pub async fn close(&self) {
        if let Way::Here(here) = &self.way {
            let _ = here.handle.ask(Command::Shutdown).await;
            here.handle.ended().await;
        }
    }

    /// Waits for the end of a run, wherever it runs.
    pub async fn end_of(&self, session: &Session, run: i64) -> Result<RunReport, OpError> {
        let mut reports = self.reports();
        loop {
            let last = reports.borrow_and_update().clone();
            match last {
                Some(report) if report.run == run => return Ok(report),
                // Another one ended since; how ours did stands in the database.
                Some(report) if report.run > run => return from_database(session, run).await,
                Some(_) | None => {}
            }
            if reports.changed().await.is_err() {
                return from_database(session, run).await;
            }
        }
    }
}

async fn from_database(session: &Session, run: i64) -> Result<RunReport, OpError> {
    read::run(session, run).await?.and_then(report_of).ok_or_else(|| {
        OpError::failed(format!(
            "The engine ended before run {run} did. The next run looks up what was on its way and goes on there."
        ))
    })
}

/// The report of a finished run, as the database keeps it.
fn report_of(row: RunRow) -> Option<RunReport> {
    let took = row.finished? - row.started;
    Some(RunReport {
        run: row.run,
        kind: row.kind,
        result: row.result?,
        message: row.message,
        counts: row.counts,
        milliseconds: u64::try_from(took.num_milliseconds()).unwrap_or(0),
        settings: false,
        plan: None,
    })
}

/// The engine of this workspace: one that already runs, else a new one in this process, which takes the lock.
pub async fn attach(session: &Session) -> Result<EngineClient, OpError> {
    let mut known = session.engine().lock().await;
    if let Some(engine) = known.as_ref().filter(|engine| engine.is_alive()) {
        return Ok(engine.clone());
    }
    *known = None;
    let mut looks = 0;
    let engine = loop {
        let held = match session.access() {
            Access::ReadOnly => None,
            Access::ReadWrite => match take_over(session) {
                Ok(engine) => break engine,
                Err(TakeOver::Held(holder)) => holder.pid,
                Err(TakeOver::Failed(error)) => return Err(error),
            },
        };
        if let Some(engine) = connect(session, held).await? {
            break engine;
        }
        if session.access() == Access::ReadOnly {
            return Err(OpError::failed(
                "No engine runs in this workspace, and it was opened read-only, so none is started here.",
            )
            .code("no_engine"));
        }
        looks += 1;
        if looks == LOOKS {
            return Err(busy(held));
        }
        session.clock().sleep(LOOK_AGAIN).await;
    };
    *known = Some(engine.clone());
    Ok(engine)
}

/// The engine that runs now, if one does; never starts one.
pub async fn peek(session: &Session) -> Result<Option<EngineClient>, OpError> {
    let known = session.engine().lock().await;
    if let Some(engine) = known.as_ref().filter(|engine| engine.is_alive()) {
        return Ok(Some(engine.clone()));
    }
    drop(known);
    let pid = EngineLock::holder(&session.workspace().lock).and_then(|holder| holder.pid);
    connect(session, pid).await
}

enum TakeOver {
    Held(Holder),
    Failed(OpError),
}

fn take_over(session: &Session) -> Result<EngineClient, TakeOver> {
    let lock = EngineLock::acquire(&session.workspace().lock).map_err(|error| match error {
        WorkspaceError::EngineRunning { holder } => TakeOver::Held(holder),
        other => TakeOver::Failed(OpError { class: OpClass::Failed, ..OpError::from(other) }),
    })?;
    let runner = WorkspaceRunner::new(session.apart());
    let handle = Handle::spawn(Arc::new(runner), Arc::clone(session.clock()));
    #[cfg(unix)]
    let socket = match open_socket(session, &handle) {
        Ok(socket) => Some(socket),
        // The engine works without; only others can't attach.
        Err(error) => {
            tracing::warn!(%error, "The local socket could not be opened; other commands can't attach.");
            None
        }
    };
    Ok(EngineClient {
        way: Way::Here(Arc::new(Here {
            handle,
            #[cfg(unix)]
            _socket: socket,
            _lock: lock,
        })),
    })
}

#[cfg(unix)]
fn open_socket(session: &Session, handle: &Handle) -> Result<Socket, OpError> {
    let workspace = session.workspace();
    workspace.prepare_socket_folder()?;
    Socket::open(&workspace.socket, handle.clone(), Arc::clone(session.clock()))
        .map_err(|error| OpError::failed(format!("{}: {error}", workspace.socket.display())))
}

#[cfg(unix)]
async fn connect(session: &Session, pid: Option<u32>) -> Result<Option<EngineClient>, OpError> {
    match Client::connect(&session.workspace().socket, Arc::clone(session.clock())).await {
        Ok(client) => Ok(Some(EngineClient { way: Way::There { client, pid } })),
        // A line that breaks while it is opened means that the engine is just ending.
        Err(SocketError::Absent { .. } | SocketError::Broken(_)) => Ok(None),
        Err(error @ SocketError::Silent) => Err(unreachable_engine(&error, pid)),
    }
}

#[cfg(not(unix))]
async fn connect(_session: &Session, _pid: Option<u32>) -> Result<Option<EngineClient>, OpError> {
    Ok(None)
}

fn busy(pid: Option<u32>) -> OpError {
    let process = pid.map_or_else(|| "Another process".into(), |pid| format!("Process {pid}"));
    OpError::new(
        OpClass::Busy,
        format!("{process} holds the engine of this workspace and does not answer. Wait for it, or end it."),
    )
}

#[cfg(unix)]
fn unreachable_engine(error: &SocketError, pid: Option<u32>) -> OpError {
    match error {
        SocketError::Silent => busy(pid),
        SocketError::Absent { .. } | SocketError::Broken(_) => OpError::failed(
            "The engine has ended. The next run looks up what was on its way and goes on there.",
        )
        .code("no_engine"),
    }
}
