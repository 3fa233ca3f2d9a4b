//! The socket, end to end, with a runner made of paper.

use std::sync::Arc;

use super::client::{Client, SocketError};
use super::server::Socket;
use crate::domain::command::{Command, Reply, RunRequest};
use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::progress::EngineState;
use crate::engine::handle::Handle;
use crate::engine::handle::tests::{PaperRunner, TestClock};

#[expect(clippy::unwrap_used, reason = "a stage that can't be set fails its test")]
fn engine(folder: &tempfile::TempDir) -> (Handle, Socket, Arc<PaperRunner>, std::path::PathBuf) {
    let runner = Arc::new(PaperRunner::default());
    let clock = Arc::new(TestClock::real_sleep());
    let handle = Handle::spawn(Arc::clone(&runner) as Arc<_>, clock.clone());
    let path = folder.path().join("socket");
    let socket = Socket::open(&path, handle.clone(), clock).unwrap();
    (handle, socket, runner, path)
}

#[tokio::test]
async fn a_run_is_started_watched_and_seen_to_end_over_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, _socket, runner, path) = engine(&folder);
    let client = Client::connect(&path, Arc::new(TestClock::real_sleep())).await.unwrap();
    let reply = client.ask(Command::Start(RunRequest::new(RunKind::Instant))).await.unwrap();
    assert_eq!(reply, Reply::Started { run: 1 });
    let mut progress = client.progress();
    progress.wait_for(|numbers| numbers.state == EngineState::Running).await.unwrap();
    runner.finish.notify_one();
    let mut reports = client.reports();
    let report = reports.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert_eq!((report.run, report.result), (1, RunResult::Succeeded));
    progress.wait_for(|numbers| numbers.state == EngineState::Idle).await.unwrap();
}

#[tokio::test]
async fn what_is_no_command_is_refused_and_the_line_stays_open() {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let (_handle, _socket, _runner, path) = engine(&folder);
    let mut stream = BufReader::new(tokio::net::UnixStream::connect(&path).await.unwrap());
    let mut line = String::new();
    stream.get_mut().write_all(b"nonsense\n{\"command\":\"status\"}\n").await.unwrap();
    stream.read_line(&mut line).await.unwrap();
    assert!(line.contains("refused"), "{line}");
    line.clear();
    stream.read_line(&mut line).await.unwrap();
    assert!(line.contains("\"reply\":\"status\""), "{line}");
}

#[tokio::test]
async fn the_socket_is_for_its_owner_alone_and_goes_with_the_engine() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (_handle, socket, _runner, path) = engine(&folder);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(socket);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_leftover_socket_counts_as_nobody_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let error = Client::connect(&path, Arc::new(TestClock::real_sleep())).await.unwrap_err();
    assert!(matches!(error, SocketError::Absent { .. }), "{error}");
}
