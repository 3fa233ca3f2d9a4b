//! What the scenarios and the fault table share: a sandbox, its workspace, and an engine in this process that talks to it over HTTP.
//!
//! The clock of the engine does not wait: a pause moves it, and the sandbox's clock with it, so that back-offs of half a minute
//! cost milliseconds and both still agree about the time.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use forcesync::domain::clock::Clock;
use forcesync::domain::command::{Allowances, Command, Reply, RunRequest};
use forcesync::domain::outcome::{Counts, RunKind, RunResult};
use forcesync::domain::progress::EngineState;
use forcesync::domain::report::{HistoryQuery, HistoryRow, IssueQuery, IssueRow, LogQuery, StatusReport};
use forcesync::ops::engine::{EngineClient, attach};
use forcesync::ops::sandbox::{Running, Wanted, start};
use forcesync::ops::{Access, Missing, OpenOptions, Session, read, run, save_settings};
use forcesync::sandbox::Sandbox;
use forcesync::sandbox::clock::SandboxClock;
use forcesync::sandbox::faults::{Fault, Side};
use forcesync::workspace::settings::Settings;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::binary_stage::{self, Done};

/// The longest that a pause of the engine really takes.
const BLINK: Duration = Duration::from_millis(5);

/// So long does the engine pause between two looks whether a limit has opened again; no client waits so long inside a run.
const LONG: Duration = Duration::from_secs(30);

/// Far longer than any run takes; only a hanging one reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Moves with every pause instead of waiting for it.
struct HastyClock {
    machine: Arc<dyn Clock>,
    sandbox: Arc<SandboxClock>,
    ahead: AtomicI64,
    /// Whether long pauses wait until the test moves the clock.
    patient: AtomicBool,
}

impl HastyClock {
    fn advance(&self, by: Duration) {
        let by = by.as_millis() as i64;
        self.ahead.fetch_add(by, Ordering::Relaxed);
        self.sandbox.advance(by);
    }
}

#[async_trait]
impl Clock for HastyClock {
    fn now(&self) -> DateTime<Utc> {
        self.machine.now() + TimeDelta::milliseconds(self.ahead.load(Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        if duration >= LONG && self.patient.load(Ordering::Relaxed) {
            let due = self.now() + duration;
            while self.now() < due {
                tokio::time::sleep(BLINK).await;
            }
            return;
        }
        tokio::time::sleep(duration.min(BLINK)).await;
        self.advance(duration.saturating_sub(BLINK));
    }
}

/// How a run ended, as its command would tell.
#[derive(Debug)]
pub struct Ended {
    pub exit: u8,
    pub message: String,
    pub counts: Counts,
}

/// What a sandbox holds.
#[derive(Clone, Copy)]
pub struct Cast {
    pub records: u64,
    pub seed: u64,
    pub person_accounts: bool,
}

impl Cast {
    pub fn of(records: u64) -> Self {
        Self { records, seed: 7, person_accounts: false }
    }
}

/// A sandbox with a workspace and an engine.
pub struct Scene {
    running: Running,
    folder: TempDir,
    clock: Arc<HastyClock>,
    session: Session,
    engine: EngineClient,
}

impl Scene {
    /// Ends this engine and opens the workspace anew, as another process would. `between` is done while nobody has it open.
    pub async fn reopened(self, between: impl FnOnce(&std::path::Path)) -> Self {
        let Self { running, folder, clock, session, engine } = self;
        engine.close().await;
        drop(engine);
        drop(session);
        between(&folder.path().join("w"));
        let (session, engine) = open(&folder.path().join("w"), Arc::clone(&clock) as Arc<dyn Clock>).await;
        Self { running, folder, clock, session, engine }
    }

    /// A small sandbox in which nothing is flawed (flaws are planted from two hundred people on).
    pub async fn small() -> Self {
        Self::new(Cast::of(60)).await
    }

    pub async fn new(cast: Cast) -> Self {
        Self::with(cast, |settings| settings).await
    }

    /// The same with other settings, and synced: `edit` gets the text of the settings file.
    pub async fn synced_with(edit: impl FnOnce(String) -> String) -> Self {
        let scene = Self::with(Cast::of(60), edit).await;
        let ended = scene.initial().await;
        assert_eq!(ended.exit, 0, "{ended:?}");
        scene
    }

    pub async fn with(cast: Cast, edit: impl FnOnce(String) -> String) -> Self {
        let folder = TempDir::new().unwrap();
        Self::on(sandbox(cast, folder.path().join("w")).await, folder, edit).await
    }

    /// A sandbox of another platform.
    pub async fn of_platform(platform: &str, cast: Cast, edit: impl FnOnce(String) -> String) -> Self {
        let folder = TempDir::new().unwrap();
        let wanted = Wanted { platform: platform.into(), ..wanted(cast, folder.path().join("w")) };
        Self::on(start(&wanted, forcesync::ops::clock()).await.unwrap(), folder, edit).await
    }

    /// An org without what the vendor's package would have added.
    pub async fn without_package(platform: &str, cast: Cast) -> Self {
        let folder = TempDir::new().unwrap();
        let wanted =
            Wanted { platform: platform.into(), package: false, ..wanted(cast, folder.path().join("w")) };
        Self::on(start(&wanted, forcesync::ops::clock()).await.unwrap(), folder, |settings| settings).await
    }

    async fn on(running: Running, folder: TempDir, edit: impl FnOnce(String) -> String) -> Self {
        let file = folder.path().join("w").join("forcesync.toml");
        let settings = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, edit(settings)).unwrap();
        let clock = Arc::new(HastyClock {
            machine: forcesync::ops::clock(),
            sandbox: Arc::clone(running.sandbox().clock()),
            ahead: AtomicI64::new(0),
            patient: AtomicBool::new(false),
        });
        let (session, engine) = open(&folder.path().join("w"), Arc::clone(&clock) as Arc<dyn Clock>).await;
        Self { running, folder, clock, session, engine }
    }

    /// The same after an initial sync that ended well.
    pub async fn synced() -> Self {
        let scene = Self::small().await;
        let ended = scene.initial().await;
        assert_eq!(ended.exit, 0, "{ended:?}");
        scene
    }

    pub fn sandbox(&self) -> &Sandbox {
        self.running.sandbox()
    }

    /// The time on the engine's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("w")
    }

    /// Lets time pass on all clocks.
    pub async fn pass(&self, time: Duration) {
        // What a limit holds goes on by itself once it opens, and would stand in the way of what the test does next.
        if let Ok(Reply::Status { progress }) = self.engine.ask(Command::Status).await
            && progress.held.is_some()
        {
            self.engine.ask(Command::Cancel).await.unwrap();
        }
        self.clock.advance(time);
    }

    /// Waits for what went on by itself, and calls off what a limit holds.
    pub async fn rest(&self) {
        while let Ok(Reply::Status { progress }) = self.engine.ask(Command::Status).await {
            if progress.held.is_some() {
                self.engine.ask(Command::Cancel).await.unwrap();
            } else if progress.state == EngineState::Idle {
                return;
            }
            tokio::time::sleep(BLINK).await;
        }
    }

    /// From now on nothing goes on by itself while the test looks around: only `pass` opens what a limit holds.
    pub fn be_patient(&self) {
        self.clock.patient.store(true, Ordering::Relaxed);
    }

    /// Time has passed, and goes on with every pause: what waits goes on by itself.
    pub fn hasten(&self, time: Duration) {
        self.clock.patient.store(false, Ordering::Relaxed);
        self.clock.advance(time);
    }

    /// What the log says.
    pub async fn told(&self) -> Vec<String> {
        let query = LogQuery { limit: 1_000, ..LogQuery::default() };
        read::log(&self.session, query).await.unwrap().into_iter().map(|fact| fact.message).collect()
    }

    pub fn arm(&self, fault: Fault) {
        self.sandbox().arm_fault(fault);
    }

    /// Ends all faults.
    pub fn calm(&self) {
        self.sandbox().faults().clear();
        self.sandbox().org().set_commit_delay(0);
        self.sandbox().salesmanago().set_feed_delay_ms(0);
    }

    pub async fn initial(&self) -> Ended {
        self.run(RunKind::Initial).await
    }

    pub async fn instant(&self) -> Ended {
        self.run(RunKind::Instant).await
    }

    /// Tries all open issues again.
    pub async fn retry(&self) -> Ended {
        let begun = run::retry(&self.engine, Vec::new()).await;
        self.ended(begun).await
    }

    pub async fn run(&self, kind: RunKind) -> Ended {
        let begun = run::start(&self.engine, RunRequest::new(kind)).await;
        self.ended(begun).await
    }

    /// The same with every brake released.
    pub async fn unbraked(&self, kind: RunKind) -> Ended {
        let all = Some(100_000);
        let allow = Allowances { creates: all, updates: all, blanks: all, deletes: all, opt_outs: all };
        let begun = run::start(&self.engine, RunRequest { allow, ..RunRequest::new(kind) }).await;
        self.ended(begun).await
    }

    /// A run as it is asked for.
    pub async fn start(&self, request: RunRequest) -> Ended {
        let begun = run::start(&self.engine, request).await;
        self.ended(begun).await
    }

    /// Takes a run back, or looks what that would mean.
    pub async fn undo(&self, run: i64, extent: forcesync::domain::undo::Extent, allow: Allowances) -> Ended {
        let begun = run::start(&self.engine, RunRequest::undo(run, extent, allow)).await;
        self.ended(begun).await
    }

    async fn ended(&self, begun: Result<i64, forcesync::ops::OpError>) -> Ended {
        let end = async {
            match begun {
                Ok(number) => self.engine.end_of(&self.session, number).await,
                Err(error) => Err(error),
            }
        };
        match tokio::time::timeout(PATIENCE, end).await.expect("the run hangs") {
            Ok(report) => {
                assert!(
                    report.result != RunResult::Succeeded
                        || (report.counts.failed == 0 && report.counts.conflicts == 0),
                    "{report:?}"
                );
                Ended {
                    exit: report.exit_code(),
                    message: report.message.unwrap_or_default(),
                    counts: report.counts,
                }
            }
            Err(error) => {
                Ended { exit: error.class.exit_code(), message: error.message, counts: Counts::default() }
            }
        }
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    pub fn engine(&self) -> &EngineClient {
        &self.engine
    }

    /// Changes the settings as a person would.
    pub async fn set(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.session.settings();
        change(&mut settings);
        save_settings::save(&self.session, settings, Vec::new()).await.unwrap();
    }

    /// The end of a run that was begun elsewhere.
    pub async fn end_of(&self, run: i64) -> Ended {
        self.ended(Ok(run)).await
    }

    /// Runs the binary on this workspace to its end.
    pub async fn command(&self, arguments: &[&str]) -> Done {
        binary_stage::run(&self.workspace(), arguments, "").await
    }

    pub async fn issues(&self) -> Vec<IssueRow> {
        read::issues(&self.session, IssueQuery { limit: 1000, ..IssueQuery::default() }).await.unwrap()
    }

    pub async fn status(&self) -> StatusReport {
        read::status(&self.session).await.unwrap()
    }

    /// What the last so many writes were, newest first.
    pub async fn history(&self, limit: usize) -> Vec<HistoryRow> {
        read::history(&self.session, HistoryQuery { limit, ..HistoryQuery::default() }).await.unwrap()
    }

    /// Calls that reached a service from `sequence` on, as `METHOD path status`.
    pub fn calls_since(&self, sequence: u64, side: Side) -> Vec<String> {
        let calls = self.sandbox().calls().since(sequence, Some(side));
        calls.iter().map(|call| format!("{} {} {}", call.method, call.path, call.status)).collect()
    }

    // What people do.

    pub fn org_insert(&self, object: &str, fields: Value) -> String {
        let user = self.sandbox().org().person_user_id();
        self.sandbox().org().admin_insert(object, &map(fields), &user).unwrap()
    }

    pub fn org_update(&self, object: &str, id: &str, fields: Value) {
        let user = self.sandbox().org().person_user_id();
        self.sandbox().org().admin_update(object, id, &map(fields), &user).unwrap();
    }

    pub fn org_delete(&self, object: &str, id: &str) {
        let user = self.sandbox().org().person_user_id();
        self.sandbox().org().admin_delete(object, id, &user).unwrap();
    }

    pub fn platform_upsert(&self, fields: Value) -> String {
        self.sandbox().salesmanago().admin_upsert(&map(fields)).unwrap()
    }

    // What is there.

    pub fn org_row(&self, object: &str, id: &str) -> Map<String, Value> {
        self.sandbox().org().row(object, id).unwrap_or_else(|| panic!("{object} {id} is gone"))
    }

    pub fn contact(&self, id_or_email: &str) -> Value {
        let found = self.sandbox().salesmanago().contact(id_or_email);
        found.unwrap_or_else(|| panic!("{id_or_email} is not on the platform"))
    }

    /// Somebody who is a contact in the org, was linked, and has not opted out: their id and e-mail.
    pub fn somebody(&self, nth: usize) -> (String, String) {
        let rows = self.sandbox().org().rows("Contact");
        let mut linked = rows.iter().filter(|row| {
            row["HasOptedOutOfEmail"] == json!(false)
                && row["Email"].as_str().is_some_and(|email| {
                    self.sandbox()
                        .salesmanago()
                        .contact(email)
                        .is_some_and(|contact| contact["optedOut"] == json!(false))
                })
        });
        let row = linked.nth(nth).unwrap();
        (row["Id"].as_str().unwrap().to_owned(), row["Email"].as_str().unwrap().to_owned())
    }

    pub fn opted_out_in_org(&self) -> usize {
        ["Contact", "Lead"]
            .iter()
            .map(|object| self.sandbox().org().count_where(object, "HasOptedOutOfEmail = true").unwrap())
            .sum()
    }

    pub fn snapshot(&self) -> Vec<String> {
        snapshot(self.sandbox())
    }
}

/// Starts a sandbox with a ready workspace.
pub async fn sandbox(cast: Cast, workspace: PathBuf) -> Running {
    start(&wanted(cast, workspace), forcesync::ops::clock()).await.unwrap()
}

fn wanted(cast: Cast, workspace: PathBuf) -> Wanted {
    Wanted {
        platform: "salesmanago".into(),
        records: cast.records,
        seed: cast.seed,
        port: None,
        tls: None,
        life_per_second: 0.0,
        person_accounts: cast.person_accounts,
        real_pace: false,
        package: true,
        workspace: Some(workspace),
    }
}

async fn open(workspace: &std::path::Path, clock: Arc<dyn Clock>) -> (Session, EngineClient) {
    let options = OpenOptions {
        workspace: Some(workspace.to_owned()),
        access: Access::ReadWrite,
        missing: Missing::Refuse,
    };
    let session = Session::open(&options, clock).unwrap();
    let engine = attach(&session).await.unwrap();
    (session, engine)
}

pub fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

/// Everything that people care about on both sides, sorted, without ids and stamps: what two equal worlds have in common.
pub fn snapshot(sandbox: &Sandbox) -> Vec<String> {
    const ORG: [&str; 24] = [
        "FirstName",
        "LastName",
        "Email",
        "Phone",
        "MobilePhone",
        "Fax",
        "Title",
        "LeadSource",
        "Company",
        "Street",
        "PostalCode",
        "City",
        "Country",
        "MailingStreet",
        "MailingPostalCode",
        "MailingCity",
        "MailingCountry",
        "HasOptedOutOfEmail",
        "DoNotCall",
        "PersonEmail",
        "PersonMobilePhone",
        "PersonHasOptedOutOfEmail",
        "PersonMailingCity",
        "IsConverted",
    ];
    const PLATFORM: [&str; 9] =
        ["email", "name", "phone", "fax", "company", "state", "optedOut", "optedOutPhone", "address"];
    let mut lines = Vec::new();
    let mut keys = std::collections::HashMap::new();
    for object in ["Contact", "Lead"] {
        for row in sandbox.org().rows(object) {
            let mut line = object.to_owned();
            for field in ORG {
                if let Some(value) = row.get(field).filter(|value| !value.is_null()) {
                    write!(line, " {field}={value}").unwrap();
                }
            }
            let text = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            let key = format!("{object} {}", text("Email").to_lowercase());
            // Either side's note of the other's id tells whom a contact belongs to.
            for note in ["Id", "SALESmanago_Id__c"] {
                keys.insert(text(note), key.clone());
            }
            lines.push(line);
        }
    }
    for contact in sandbox.salesmanago().contacts() {
        let mut line =
            if contact["deleted"] == json!(true) { "deleted".to_owned() } else { "contact".to_owned() };
        for field in PLATFORM {
            write!(line, " {field}={}", contact[field]).unwrap();
        }
        let notes = ["externalId", "id"].map(|note| contact[note].as_str().unwrap_or_default());
        let owner = notes.into_iter().filter(|note| !note.is_empty()).find_map(|note| keys.get(note));
        write!(line, " owner={owner:?}").unwrap();
        lines.push(line);
    }
    lines.sort();
    lines
}

/// What one of two worlds has that the other has not; empty if they are equal.
pub fn difference(left: &[String], right: &[String]) -> Vec<String> {
    let mut counts: std::collections::BTreeMap<&String, i64> = std::collections::BTreeMap::new();
    for line in left {
        *counts.entry(line).or_default() += 1;
    }
    for line in right {
        *counts.entry(line).or_default() -= 1;
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count != 0)
        .map(|(line, count)| {
            format!("{}{} × {line}", if count > 0 { "only here: " } else { "missing: " }, count.abs())
        })
        .collect()
}

/// E-mails that more live contacts of the platform, or more unconverted records of one object of the org, have than one.
pub fn duplicates(sandbox: &Sandbox) -> Vec<String> {
    let mut seen = std::collections::BTreeMap::new();
    for object in ["Contact", "Lead"] {
        for row in sandbox.org().rows(object) {
            if row.get("IsConverted") == Some(&json!(true)) {
                continue;
            }
            if let Some(email) = row.get("Email").and_then(Value::as_str) {
                *seen.entry(format!("{object} {}", email.to_lowercase())).or_insert(0) += 1;
            }
        }
    }
    for contact in sandbox.salesmanago().contacts() {
        if contact["deleted"] == json!(false) {
            let email = contact["email"].as_str().unwrap_or_default().to_lowercase();
            *seen.entry(format!("contact {email}")).or_insert(0) += 1;
        }
    }
    seen.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect()
}
