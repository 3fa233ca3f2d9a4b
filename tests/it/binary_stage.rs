//! What the tests of the real binary share: a sandbox in this process, a workspace, and the binary run to its end.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use forcesync::ops::sandbox::{Running, Wanted, start};
use forcesync::sandbox::Sandbox;
use serde_json::Value;
use tempfile::TempDir;

/// Far longer than anything takes; only a hanging test reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A sandbox with a ready workspace.
pub struct Stage {
    running: Running,
    folder: TempDir,
}

impl Stage {
    /// A small sandbox over HTTP.
    pub async fn new(records: u64) -> Self {
        Self::with(records, None).await
    }

    /// The same over HTTPS, where host names are given.
    pub async fn with(records: u64, tls: Option<Vec<String>>) -> Self {
        let folder = TempDir::new().unwrap();
        let wanted = Wanted {
            platform: "salesmanago".into(),
            records,
            seed: 7,
            port: None,
            tls,
            life_per_second: 0.0,
            person_accounts: false,
            real_pace: false,
            package: true,
            workspace: Some(folder.path().join("w")),
        };
        let running = start(&wanted, forcesync::ops::clock()).await.unwrap();
        Self { running, folder }
    }

    pub fn sandbox(&self) -> &Sandbox {
        self.running.sandbox()
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("w")
    }

    /// Changes the text of the settings file.
    pub fn edit_settings(&self, edit: impl FnOnce(String) -> String) {
        let path = self.workspace().join("forcesync.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, edit(text)).unwrap();
    }

    /// Runs the binary on the workspace to its end.
    pub async fn run(&self, arguments: &[&str]) -> Done {
        run(&self.workspace(), arguments, "").await
    }

    /// The same with something on stdin.
    pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> Done {
        run(&self.workspace(), arguments, input).await
    }

    /// Starts the binary and leaves it running.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        command(&self.workspace(), arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// What the binary said.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Every line of stdout as JSON; anything else there fails the test.
    pub fn objects(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{self:?}"))
            })
            .collect()
    }

    pub fn last(&self) -> Value {
        self.objects().pop().unwrap_or_else(|| panic!("nothing was printed: {self:?}"))
    }

    /// The sentence on stderr must hold all of these, whatever their case.
    #[track_caller]
    pub fn says(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        let text = self.stderr.to_lowercase();
        for part in parts {
            assert!(text.contains(&part.to_lowercase()), "“{part}” is missing in: {}", self.stderr);
        }
        assert!(!text.contains("panicked"), "{self:?}");
    }
}

pub fn command(workspace: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forcesync"));
    command.arg("--workspace").arg(workspace).args(arguments);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FORCESYNC_"))
    {
        command.env_remove(name);
    }
    command
}

/// Runs the binary to its end, off this thread, so that a sandbox in this process goes on serving.
pub async fn run(workspace: &Path, arguments: &[&str], input: &str) -> Done {
    finish(command(workspace, arguments), input).await
}

/// Runs any prepared command to its end.
pub async fn finish(mut command: Command, input: &str) -> Done {
    let input = input.to_owned();
    let output = tokio::task::spawn_blocking(move || {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that does not read its input closes it; that is its right.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().unwrap()
    });
    Done::of(tokio::time::timeout(PATIENCE, output).await.expect("the binary hangs").unwrap())
}

/// Waits for a child that has been told to end.
pub async fn end_of(child: Child) -> Done {
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    Done::of(tokio::time::timeout(PATIENCE, output).await.expect("the binary hangs").unwrap())
}

/// Sends a signal, as a shell would.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}
