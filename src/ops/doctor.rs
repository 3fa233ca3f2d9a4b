//! Examines the workspace itself, without the outside: files, rights, database, lock, socket, settings, secrets.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::clock::Clock;
use crate::domain::report::{CheckLine, Verdict};
use crate::domain::side::Side;
use crate::ops::connections::needed_secrets;
use crate::ops::engine::peek;
use crate::ops::error::sentence;
use crate::ops::secrets::{self, SecretPlace};
use crate::ops::session::{Access, Missing, OpenOptions, Session};
use crate::store::Reader;
use crate::workspace::lock::EngineLock;
use crate::workspace::private_file;

/// Everything that was looked at.
pub async fn examine(workspace: Option<PathBuf>, clock: Arc<dyn Clock>) -> Vec<CheckLine> {
    let mut lines = Lines::default();
    let options = OpenOptions { workspace, access: Access::ReadOnly, missing: Missing::Refuse };
    match Session::open(&options, clock) {
        Ok(session) => {
            lines.good("workspace", format!("{} is there.", session.folder().display()));
            files(&session, &mut lines);
            settings(&session, &mut lines);
            unconfirmed(&session, &mut lines);
            known_secrets(&session, &mut lines).await;
            database(&session, &mut lines).await;
            engine(&session, &mut lines).await;
        }
        Err(error) => lines.bad("workspace", error.message),
    }
    lines.0
}

#[derive(Default)]
struct Lines(Vec<CheckLine>);

impl Lines {
    fn add(&mut self, verdict: Verdict, subject: &str, message: impl Into<String>) {
        self.0.push(CheckLine { verdict, subject: subject.into(), message: message.into(), field: None });
    }

    fn good(&mut self, subject: &str, message: impl Into<String>) {
        self.add(Verdict::Good, subject, message);
    }

    fn warning(&mut self, subject: &str, message: impl Into<String>) {
        self.add(Verdict::Warning, subject, message);
    }

    fn bad(&mut self, subject: &str, message: impl Into<String>) {
        self.add(Verdict::Bad, subject, message);
    }
}

fn files(session: &Session, lines: &mut Lines) {
    let workspace = session.workspace();
    let mut open = false;
    let state = [&workspace.settings_file, &workspace.state_db, &workspace.vault, &workspace.vault_key];
    for path in state.into_iter().chain([&workspace.folder]).filter(|path| path.exists()) {
        if let Some(mode) = private_file::open_to_others(path) {
            open = true;
            let message = format!(
                "{} can be read by other users (mode {mode:03o}). Run “chmod go= {}”.",
                path.display(),
                path.display()
            );
            if *path == workspace.vault || *path == workspace.vault_key {
                lines.bad("permissions", message);
            } else {
                lines.warning("permissions", message);
            }
        }
    }
    if !open {
        lines.good("permissions", "The files are readable by you alone.");
    }
    match writable(&workspace.folder) {
        Ok(()) => lines.good("disk", "The folder can be written."),
        Err(error) => {
            lines.bad(
                "disk",
                format!("The folder can't be written: {error}. Check its owner and the free space."),
            );
        }
    }
}

/// Writes a few blocks for real: rights alone don't tell whether the disk is full.
fn writable(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&path, [0_u8; 16 * 1024]);
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}

fn settings(session: &Session, lines: &mut Lines) {
    let problems = session.problems();
    for problem in &problems {
        let line = format!("{}: {problem}", session.settings_file().display());
        if problem.blocks() { lines.bad("settings", line) } else { lines.warning("settings", line) }
    }
    if problems.is_empty() {
        lines.good("settings", format!("{} is fine.", session.settings_file().display()));
    }
}

/// What nobody could confirm about the platform, with what is assumed: to be looked at before it is trusted.
fn unconfirmed(session: &Session, lines: &mut Lines) {
    let connection = session.settings().platform;
    let Some(profile) = connection.kind.profile() else { return };
    let told = connection.told();
    for setting in &profile.settings {
        let Some(note) = &setting.unconfirmed else { continue };
        let value = told.text(&setting.name);
        let value = if value.is_empty() { "blank".to_owned() } else { format!("“{value}”") };
        let whose = if told.is_said(&setting.name) { "set" } else { "assumed" };
        lines.good(
            "unconfirmed",
            format!("platform.{}.{} is {value} ({whose}). Unconfirmed: {note}.", profile.kind, setting.name),
        );
    }
    for object in &profile.objects {
        if let Some(note) = &object.unconfirmed {
            lines.good("unconfirmed", format!("{} of {}: {note}.", object.name, profile.label));
        }
    }
}

async fn known_secrets(session: &Session, lines: &mut Lines) {
    let states = match secrets::states(session).await {
        Ok(states) => states,
        Err(error) => return lines.bad("secrets", error.message),
    };
    let settings = session.settings();
    for side in Side::BOTH {
        for name in needed_secrets(&settings, side) {
            let place = states
                .iter()
                .find(|(known, _)| *known == name)
                .map_or(SecretPlace::Absent, |(_, place)| *place);
            if place == SecretPlace::Absent {
                let message = format!("{name} is not set. Run `forcesync secret set {name}`.");
                lines.warning("secrets", message);
            } else {
                lines.good("secrets", format!("{name} is {}.", place.phrase()));
            }
        }
        // A vault may hold names without being one that opens.
        if let Err(error) = secrets::read(session, &settings, side, &[]).await {
            lines.bad("secrets", error.message);
        }
    }
}

async fn database(session: &Session, lines: &mut Lines) {
    let path = session.workspace().state_db.clone();
    let shown = path.display().to_string();
    if !path.exists() {
        return lines.good("database", format!("{shown} is not there yet; the first run makes it."));
    }
    let examined = tokio::task::spawn_blocking(move || Reader::open(&path)?.integrity()).await;
    match examined {
        Ok(Ok(found)) if found.is_empty() => lines.good("database", format!("{shown} is sound.")),
        Ok(Ok(found)) => {
            let first = found.first().cloned().unwrap_or_default();
            lines.bad("database", format!("{shown} is damaged: {first}. {REBUILD}"));
        }
        Ok(Err(error)) => {
            let advice = match error {
                crate::store::StoreError::Damaged(_) => REBUILD,
                _ => "",
            };
            lines.bad(
                "database",
                format!("{shown}: {} {advice}", sentence(&error.to_string())).trim_end().to_owned(),
            );
        }
        Err(error) => lines.bad("database", format!("{shown} could not be examined: {error}.")),
    }
}

/// What to do about a damaged database.
const REBUILD: &str = "Run `forcesync doctor --rebuild`: it sets the file aside, reads both sides and finds all links again by the ids \
    and keys that the records carry, without writing to either side; history and log start anew.";

async fn engine(session: &Session, lines: &mut Lines) {
    let workspace = session.workspace();
    match (EngineLock::holder(&workspace.lock), peek(session).await) {
        (Some(holder), Ok(Some(_))) => lines.good("engine", format!("It runs ({holder}) and answers.")),
        (Some(holder), Ok(None)) => lines.warning(
            "engine",
            format!(
                "The lock is held ({holder}), but nobody listens on {}. It may just be starting.",
                workspace.socket.display()
            ),
        ),
        (_, Err(error)) => lines.bad("engine", error.message),
        (None, Ok(_)) => lines.good("engine", "None runs; the lock is free."),
    }
}
