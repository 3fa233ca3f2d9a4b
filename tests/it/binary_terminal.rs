//! The command line on a terminal: the question before an initial sync, the bar, secrets without echo.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, NativePtySystem, PtySize, PtySystem};

use crate::binary_stage::Stage;

/// Far longer than anything takes; only a hanging test reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary on a terminal of its own.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    seen: Arc<Mutex<String>>,
    master: Option<Box<dyn portable_pty::MasterPty + Send>>,
}

impl Terminal {
    fn open(stage: &Stage, arguments: &[&str]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_forcesync"));
        command.arg("--workspace");
        command.arg(stage.workspace());
        command.args(arguments);
        Self::start(command)
    }

    fn start(command: CommandBuilder) -> Self {
        let size = PtySize { rows: 24, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = NativePtySystem::default().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let seen = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { child, keys, seen, master: Some(pair.master) }
    }

    fn screen(&self) -> String {
        self.seen.lock().unwrap().clone()
    }

    async fn shows(&self, text: &str) {
        let began = Instant::now();
        while !self.screen().contains(text) {
            assert!(began.elapsed() < PATIENCE, "“{text}” never came: {}", self.screen());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    async fn ends(&mut self) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(began.elapsed() < PATIENCE, "it never ended: {}", self.screen());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initial_sync_asks_and_without_a_yes_nothing_is_done() {
    let stage = Stage::new(60).await;
    let mut terminal = Terminal::open(&stage, &["sync", "initial"]);
    terminal.shows("Type yes").await;
    terminal.types("no\r");
    assert_eq!(terminal.ends().await, 130);
    assert!(!stage.workspace().join("state.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_runs_it_with_its_end_told() {
    let stage = Stage::new(60).await;
    let mut terminal = Terminal::open(&stage, &["sync", "initial"]);
    terminal.shows("Type yes").await;
    terminal.types("yes\r");
    terminal.shows("API calls").await;
    let code = terminal.ends().await;
    assert!([0, 3].contains(&code), "{code}: {}", terminal.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_at_the_question_ends_it() {
    let stage = Stage::new(20).await;
    let mut terminal = Terminal::open(&stage, &["sync", "initial"]);
    terminal.shows("Type yes").await;
    terminal.types("\u{3}");
    assert_eq!(terminal.ends().await, 130);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_asked_for_without_echo() {
    let stage = Stage::new(20).await;
    let mut terminal = Terminal::open(&stage, &["secret", "set", "salesforce.password"]);
    terminal.shows("Password:").await;
    terminal.types("sesame-open\r");
    assert_eq!(terminal.ends().await, 0);
    assert!(!terminal.screen().contains("sesame"), "{}", terminal.screen());
    assert!(terminal.screen().contains("in vault"), "{}", terminal.screen());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_demo_whose_terminal_is_closed_takes_its_folder_with_it() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_forcesync"));
    command.args(["demo", "--records", "20"]);
    command.env("TMPDIR", temporary.path());
    let mut terminal = Terminal::start(command);
    terminal.shows("Connection").await;
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 1);
    // The reader holds the terminal open as well, so the signal comes from here, as the kernel would send it.
    let process = terminal.child.process_id().unwrap().to_string();
    drop(terminal.master.take());
    std::process::Command::new("kill").args(["-HUP", &process]).status().unwrap();
    assert_eq!(terminal.ends().await, 0);
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
