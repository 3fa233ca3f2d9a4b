//! An admin makes a mapping from nothing in the demo: the real binary in a terminal, key by key.
//!
//! Each key has to stand in the bottom line, or in the help of the screen where it is pressed.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, NativePtySystem, PtySize, PtySystem};

/// Far longer than anything takes; only a hanging test reaches it.
const PATIENCE: Duration = Duration::from_secs(90);
/// Longer than a frame takes on a busy machine.
const MOMENT: Duration = Duration::from_millis(2_500);
const ROWS: u16 = 110;
const COLUMNS: u16 = 120;

/// The console of a demo, as somebody at the terminal sees it.
struct Admin {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
    pressed: usize,
}

impl Admin {
    fn open() -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_forcesync"));
        command.args(["demo", "--records", "120"]);
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = NativePtySystem::default().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        let (rows, columns) = (NonZeroU16::new(ROWS).unwrap(), NonZeroU16::new(COLUMNS).unwrap());
        let mut output = pair.master.try_clone_reader().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let shared = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 8192];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                shared.lock().unwrap().process(&buffer[..count]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { child, keys, screen, _master: pair.master, pressed: 0 }
    }

    fn picture(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn footer(&self) -> String {
        let picture = self.picture();
        picture.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
    }

    async fn until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !holds(&self.picture()) {
            assert!(began.elapsed() < PATIENCE, "{what} never came:\n{}", self.picture());
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    async fn shows(&self, words: &str) {
        self.until(words, |picture| picture.contains(words)).await;
    }

    /// Whether something holds within a moment; a frame comes in pieces.
    async fn soon(&self, holds: impl Fn(&Self) -> bool) -> bool {
        let began = Instant::now();
        while !holds(self) {
            if began.elapsed() > MOMENT {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        true
    }

    fn send(&mut self, bytes: &str) {
        self.keys.write_all(bytes.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Presses a key that has to be told to the person: in the bottom line, or else in the help of this screen. What it
    /// brings is waited for.
    async fn press(&mut self, key: &str, brings: &str) {
        if !self.soon(|admin| stands_in(&admin.footer(), key)).await {
            self.send("?");
            let told = |admin: &Self| {
                let help = admin.picture();
                help.contains("┌ Help ")
                    && help.lines().any(|line| line.split('│').any(|part| stands_in(part, key)))
            };
            assert!(self.soon(told).await, "nobody tells of {key}:\n{}", self.picture());
            self.send("\u{1b}");
            self.until("the end of help", |picture| !picture.contains("┌ Help ")).await;
        }
        self.pressed += 1;
        self.send(match key {
            "Enter" => "\r",
            "Esc" => "\u{1b}",
            "ctrl+s" => "\u{13}",
            plain => plain,
        });
        self.shows(brings).await;
    }

    /// Types into a field; each letter counts.
    async fn types(&mut self, text: &str, brings: &str) {
        self.pressed += text.chars().count();
        self.send(text);
        self.shows(brings).await;
    }
}

/// Whether a line tells of a key: as a word of its own.
fn stands_in(line: &str, key: &str) -> bool {
    line.split_whitespace().any(|word| word == key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_mapping_takes_at_most_sixty_keys_from_nothing_to_applied_and_each_key_is_told() {
    let mut admin = Admin::open();
    admin.shows("SALESmanago").await;
    admin.shows("Connection Settings").await;
    admin.press("2", "Lead ⇄ contact").await;
    // The demo has a mapping of leads already; it makes room for one that is made by hand.
    admin.press("j", "Lead ⇄ contact · key").await;
    admin.press("D", "Remove the mapping?").await;
    admin.press("y", "Removed").await;
    admin.press("a", "Person Account").await;
    admin.types("lead", "> lead").await;
    admin.press("Enter", "which object of SALESmanago?").await;
    admin.press("Enter", "Pairs that seem to belong together").await;
    admin.press("Enter", "look at them").await;
    // A translation of the source, with a value for any other.
    admin.press("G", "LeadSource").await;
    admin.press("x", "any other value").await;
    admin.press("Enter", "Salesforce value = platform value").await;
    admin.types("W", " = W").await;
    admin.press("Enter", "any other value").await;
    admin.press("G", "empty makes it an issue").await;
    admin.press("Enter", "The platform's value for what is not listed").await;
    admin.types("other", "other").await;
    admin.press("Enter", "= other").await;
    admin.press("Esc", "LeadSource").await;
    // Criteria.
    admin.press("c", "all records take part").await;
    admin.press("a", "Field of Lead").await;
    admin.types("isconverted", "> isconverted").await;
    admin.press("Enter", "is yes").await;
    admin.types("no", "> no").await;
    admin.press("Enter", "IsConverted is no").await;
    admin.press("Esc", "Criteria").await;
    admin.press("ctrl+s", "Save these changes?").await;
    admin.shows("Lead ⇄ contact").await;
    admin.press("y", "Mappings saved").await;
    admin.press("p", "Plan · ").await;
    admin.until("the plan", |picture| picture.contains(" apply") && picture.contains("create")).await;
    admin.press("a", "Apply").await;
    admin.press("y", "Run 1").await;
    assert!(admin.pressed <= 60, "{} keys", admin.pressed);

    admin.press("3", "done today").await;
    admin.press("2", "Lead ⇄ contact · key: Email").await;
    admin.shows("IsConverted is no").await;
    let process = admin.child.process_id().unwrap().to_string();
    std::process::Command::new("kill").args(["-TERM", &process]).status().unwrap();
    let began = Instant::now();
    while admin.child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < PATIENCE, "it never ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
