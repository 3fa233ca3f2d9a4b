//! Asks a running engine over its local socket.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::watch;

use crate::domain::clock::Clock;
use crate::domain::command::{Command, Reply, RunReport};
use crate::domain::progress::Progress;
use crate::engine::handle::wire::{Event, Request, Watch};
use crate::service::socket::LONGEST_LINE;

/// How long an engine may take to answer before it counts as busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to begin a run, which can include signing in on both sides.
const PATIENCE_FOR_START: Duration = Duration::from_secs(90);

/// How long an engine may take to erase a person: the time of copying its database.
const PATIENCE_FOR_ERASURE: Duration = Duration::from_secs(1800);

/// Why an engine could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Nobody listens there.
    #[error("no engine listens on {path}: {source}")]
    Absent {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody listens but does not answer.
    #[error("the engine does not answer")]
    Silent,
    /// The answer makes no sense, or the line broke.
    #[error("the engine's answer could not be read: {0}")]
    Broken(#[from] io::Error),
}

/// Reaches an engine of another process; cheap to clone.
#[derive(Clone)]
pub struct Client {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    progress: watch::Receiver<Progress>,
    reports: watch::Receiver<Option<RunReport>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Client {
    /// Begins to listen to the engine at `path`; returns once its first numbers are here.
    pub async fn connect(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, SocketError> {
        let mut lines = Lines::open(path).await?;
        lines.send(&Request::Watch(Watch::Watch)).await?;
        let (progress, watched) = watch::channel(Progress::default());
        let (reports, ends) = watch::channel(None);
        // The end of an earlier run may come before the first numbers.
        let first_numbers = async {
            loop {
                let event = lines.next::<Event>().await?;
                let numbers = matches!(event, Event::Progress { .. });
                take(&progress, &reports, event);
                if numbers {
                    return Ok::<(), io::Error>(());
                }
            }
        };
        tokio::select! {
            came = first_numbers => came?,
            () = clock.sleep(PATIENCE) => return Err(SocketError::Silent),
        }
        tokio::spawn(async move {
            // Ends with the engine, or once nobody watches any more.
            loop {
                tokio::select! {
                    event = lines.next::<Event>() => match event {
                        Ok(event) => take(&progress, &reports, event),
                        Err(_) => return,
                    },
                    () = progress.closed() => return,
                }
            }
        });
        Ok(Self { path: path.to_owned(), clock, progress: watched, reports: ends })
    }

    /// Asks the engine.
    pub async fn ask(&self, command: Command) -> Result<Reply, SocketError> {
        let patience = match command {
            Command::Start(_)
            | Command::Retry { .. }
            | Command::Decide(_)
            | Command::Deactivate { .. }
            | Command::ReadAgain(_)
            // Perhaps the org has to be asked which one it is.
            | Command::Plans(_)
            | Command::ConfirmWorkspace { .. } => PATIENCE_FOR_START,
            // The whole file is rewritten.
            Command::Forget { .. } => PATIENCE_FOR_ERASURE,
            Command::Pause
            | Command::Resume
            | Command::Cancel
            | Command::Automatic { .. }
            | Command::Accept { .. }
            | Command::Reload
            | Command::Status
            | Command::Snooze { .. }
            | Command::Shutdown => PATIENCE,
        };
        let exchange = async {
            let mut lines = Lines::open(&self.path).await?;
            lines.send(&Request::Command(Box::new(command))).await?;
            Ok(lines.next::<Reply>().await?)
        };
        tokio::select! {
            reply = exchange => reply,
            () = self.clock.sleep(patience) => Err(SocketError::Silent),
        }
    }

    /// The numbers, live; the sender is gone once the engine is.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// How the last run ended that was seen to end.
    pub fn reports(&self) -> watch::Receiver<Option<RunReport>> {
        self.reports.clone()
    }
}

fn take(progress: &watch::Sender<Progress>, reports: &watch::Sender<Option<RunReport>>, event: Event) {
    match event {
        Event::Progress { progress: numbers } => {
            progress.send_replace(*numbers);
        }
        Event::Finished { report } => {
            reports.send_replace(Some(*report));
        }
    }
}

/// A connection that speaks in lines.
struct Lines {
    stream: BufReader<UnixStream>,
    /// What has been read of the next line; kept here because a read may be given up half way.
    line: Vec<u8>,
}

impl Lines {
    async fn open(path: &Path) -> Result<Self, SocketError> {
        let stream = UnixStream::connect(path)
            .await
            .map_err(|source| SocketError::Absent { path: path.to_owned(), source })?;
        Ok(Self { stream: BufReader::new(stream), line: Vec::new() })
    }

    async fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).await
    }

    async fn next<M: DeserializeOwned>(&mut self) -> io::Result<M> {
        let read = (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut self.line).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let message = serde_json::from_slice(&self.line);
        self.line.clear();
        Ok(message?)
    }
}
