//! Answers commands on the local socket, and streams numbers to listeners.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::domain::clock::Clock;
use crate::domain::command::Reply;
use crate::engine::handle::Handle;
use crate::engine::handle::wire::{Event, Request};
use crate::service::socket::{LONGEST_LINE, THROTTLE};

/// An open socket; dropping it closes and removes it.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Socket {
    /// Opens the socket at `path`. Only the holder of the engine's lock may call this, so what lies there is a leftover.
    pub fn open(path: &Path, handle: Handle, clock: Arc<dyn Clock>) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        let task = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        tokio::spawn(serve(stream, handle.clone(), Arc::clone(&clock)));
                    }
                    // Out of file descriptors, mostly: wait for some to be given back.
                    Err(error) => {
                        tracing::warn!(%error, "A client could not be let in.");
                        clock.sleep(THROTTLE).await;
                    }
                }
            }
        });
        Ok(Self { path: path.to_owned(), task })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
        // Already gone is just as well.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(stream: UnixStream, handle: Handle, clock: Arc<dyn Clock>) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut line = String::new();
    loop {
        line.clear();
        match (&mut read).take(LONGEST_LINE).read_line(&mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let sent = match serde_json::from_str(line.trim()) {
            Ok(Request::Command(command)) => send(&mut write, &handle.ask(*command).await).await,
            Ok(Request::Watch(_)) => {
                return stream_events(&mut write, &mut read, &handle, clock.as_ref()).await;
            }
            Err(error) => {
                let message = format!("This is no command of forcesync: {error}.");
                send(&mut write, &Reply::Refused { message }).await
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn send(write: &mut OwnedWriteHalf, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// Sends numbers and ends of runs until the listener or the engine is gone.
async fn stream_events(
    write: &mut OwnedWriteHalf,
    read: &mut BufReader<OwnedReadHalf>,
    handle: &Handle,
    clock: &dyn Clock,
) {
    let mut progress = handle.progress();
    let mut reports = handle.reports();
    progress.mark_changed();
    let mut farewell = [0_u8; 1];
    loop {
        tokio::select! {
            // A report goes before the numbers that say that nothing runs any more.
            biased;
            changed = reports.changed() => {
                let report = reports.borrow_and_update().clone();
                let sent = match report {
                    Some(report) => send(write, &Event::Finished { report: Box::new(report) }).await,
                    None => Ok(()),
                };
                if changed.is_err() || sent.is_err() {
                    return;
                }
            }
            changed = progress.changed() => {
                let numbers = Box::new(progress.borrow_and_update().clone());
                if changed.is_err() || send(write, &Event::Progress { progress: numbers }).await.is_err() {
                    return;
                }
                clock.sleep(THROTTLE).await;
            }
            _ = read.read(&mut farewell) => return,
        }
    }
}
