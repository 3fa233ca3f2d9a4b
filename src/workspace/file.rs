//! Loads and saves the settings file.
//!
//! Loading never gives up: whatever can be read is read, the rest becomes [`Problem`]s. Saving edits the file in place, so
//! that comments, order and everything that did not change stay as a person wrote them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml_edit::{Document, DocumentMut};

use super::edit::update;
use super::error::WorkspaceError;
use super::inspect::{Inspection, read_table};
use super::locate::locate;
use super::private_file;
use super::problems::{Place, Problem, Severity};
use super::repair::parse_leniently;
use super::schema::root;
use super::settings::Settings;
use super::template::without_needless_samples;
use super::validate::validate;

/// A settings file as it was read.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    path: PathBuf,
    /// The content on disk when it was read; `None` where there was no file.
    on_disk: Option<Vec<u8>>,
    read: Reading,
}

/// What a text says.
#[derive(Clone, Debug)]
struct Reading {
    /// The text without the lines that can't be read.
    text: String,
    settings: Settings,
    problems: Vec<Problem>,
    /// The first line that can't be read at all.
    damage: Option<Problem>,
}

impl SettingsFile {
    /// Reads a settings file; a missing one says nothing, which is no error.
    pub fn load(path: &Path) -> Result<Self, WorkspaceError> {
        let on_disk = match fs::read(path) {
            Ok(content) => Some(content),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(_) if path.is_dir() => {
                return Err(WorkspaceError::WrongKind { path: path.to_owned(), expected: "a file" });
            }
            Err(error) => return Err(WorkspaceError::io("read", path)(error)),
        };
        let read = read_bytes(on_disk.as_deref().unwrap_or_default());
        Ok(Self { path: path.to_owned(), on_disk, read })
    }

    /// Reads a text that stands in no file of a workspace yet; the path is only what it is called.
    pub fn of_text(path: &Path, text: &[u8]) -> Self {
        Self { path: path.to_owned(), on_disk: None, read: read_bytes(text) }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there was a file.
    pub fn exists(&self) -> bool {
        self.on_disk.is_some()
    }

    /// What it says, with defaults for what it does not say and for what can't be used.
    pub fn settings(&self) -> &Settings {
        &self.read.settings
    }

    /// What could not be read. While one of these is an error no run may start: a default may stand where the person
    /// meant something else.
    pub fn problems(&self) -> &[Problem] {
        &self.read.problems
    }

    /// The text, without the lines that can't be read.
    pub fn text(&self) -> &str {
        &self.read.text
    }

    /// Everything: what could not be read, and what [`validate`] finds, with places, by place.
    pub fn all_problems(&self) -> Vec<Problem> {
        let mut problems = self.read.problems.clone();
        // A part that could not be read stands as if it were not written, which is told already.
        let unread = |path: &str| {
            problems.iter().any(|known: &Problem| {
                let transform =
                    if path.ends_with(".transform") { path.to_owned() } else { format!("{path}.transform") };
                path.contains(".pair[") && known.path.starts_with(&transform)
            })
        };
        let judged: Vec<Problem> =
            validate(self.settings()).into_iter().filter(|problem| !unread(&problem.path)).collect();
        problems.extend(self.place(judged));
        problems.sort_by_key(by_place);
        problems
    }

    /// Gives problems of these settings their places in the file.
    pub fn place(&self, problems: Vec<Problem>) -> Vec<Problem> {
        let Ok(document) = Document::parse(self.read.text.as_str()) else { return problems };
        problems
            .into_iter()
            .map(|problem| {
                if problem.place.is_some() {
                    problem
                } else {
                    let place = locate(&document, &self.read.text, &problem.path);
                    problem.at(place)
                }
            })
            .collect()
    }

    /// Whether the file on disk is no longer the one that was read.
    pub fn changed_on_disk(&self) -> bool {
        fs::read(&self.path).ok() != self.on_disk
    }

    /// Writes new settings into the file: only what differs from [`Self::settings`] is touched. Refuses where the file was
    /// changed by somebody else meanwhile, or has lines that can't be read.
    pub fn save(&mut self, settings: &Settings) -> Result<(), WorkspaceError> {
        self.read.refuse_damage(&self.path)?;
        let text = edited(&self.read.text, &self.read.settings, settings)?;
        self.write(text, settings)
    }

    /// Puts another text in the place of the file's, with its comments and its order, brought to these settings.
    pub fn replace(&mut self, text: &[u8], settings: &Settings) -> Result<(), WorkspaceError> {
        let read = read_bytes(text);
        read.refuse_damage(&self.path)?;
        let text = edited(&read.text, &read.settings, settings)?;
        self.write(text, settings)
    }

    fn write(&mut self, text: String, settings: &Settings) -> Result<(), WorkspaceError> {
        if self.changed_on_disk() {
            return Err(WorkspaceError::SettingsChanged(self.path.clone()));
        }
        let read = read_bytes(text.as_bytes());
        if read.settings != *settings {
            let reason = read.problems.first().map_or_else(
                || "they would not read back as they are".to_owned(),
                std::string::ToString::to_string,
            );
            return Err(WorkspaceError::SettingsRefused(reason));
        }
        if self.on_disk.as_deref() != Some(text.as_bytes()) {
            private_file::replace(&self.path, text.as_bytes())?;
        }
        self.on_disk = Some(text.into_bytes());
        self.read = read;
        Ok(())
    }
}

impl Reading {
    /// A text that could not be read whole is not written again: what was left out would be lost.
    fn refuse_damage(&self, path: &Path) -> Result<(), WorkspaceError> {
        match &self.damage {
            None => Ok(()),
            Some(problem) => Err(WorkspaceError::SettingsDamaged {
                path: path.to_owned(),
                problem: Box::new(problem.clone()),
            }),
        }
    }
}

/// The settings that a text says, and what is wrong with it; for text that is in no file (import, paste, tests).
pub fn read_settings(text: &str) -> (Settings, Vec<Problem>) {
    let read = read_bytes(text.as_bytes());
    (read.settings, read.problems)
}

/// Settings as the text of a new file.
pub fn write_settings(settings: &Settings) -> Result<String, WorkspaceError> {
    edited("", &Settings::default(), settings)
}

/// From the top of the file to its end, what has no place last.
fn by_place(problem: &Problem) -> (bool, Option<Place>, Severity) {
    (problem.place.is_none(), problem.place, problem.severity)
}

fn edited(text: &str, before: &Settings, after: &Settings) -> Result<String, WorkspaceError> {
    let refused = |error: &dyn std::fmt::Display| WorkspaceError::SettingsRefused(error.to_string());
    let mut document: DocumentMut = text.parse().map_err(|error| refused(&error))?;
    let before = toml_edit::ser::to_document(before).map_err(|error| refused(&error))?;
    let after = toml_edit::ser::to_document(after).map_err(|error| refused(&error))?;
    update(document.as_table_mut(), before.as_table(), after.as_table(), root());
    Ok(without_needless_samples(document.to_string(), &document))
}

fn read_bytes(content: &[u8]) -> Reading {
    let lossy = String::from_utf8_lossy(content);
    let mut damage = None;
    if matches!(lossy, std::borrow::Cow::Owned(_)) {
        let message = "The file is not UTF-8 text: save it as UTF-8.";
        damage = Some(Problem::new(Severity::Error, "", message));
    }
    let lenient = parse_leniently(&lossy);
    let mut inspection = Inspection { problems: damage.iter().cloned().collect() };
    damage = damage.or_else(|| lenient.problems.first().cloned());
    inspection.problems.extend(lenient.problems);
    let usable = read_table(&mut inspection, &lenient.table, root(), "", Some(lenient.text.as_str()));
    let settings = Settings::deserialize(toml::Value::Table(usable)).unwrap_or_else(|error| {
        let message = format!("The settings can't be used: {}.", error.message());
        inspection.problems.push(Problem::new(Severity::Error, "", message));
        Settings::default()
    });
    let mut problems = inspection.problems;
    problems.sort_by_key(by_place);
    Reading { text: lenient.text, settings, problems, damage }
}

#[cfg(test)]
mod tests;
