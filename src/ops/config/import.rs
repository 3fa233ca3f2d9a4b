//! Takes settings from another file into the workspace: judged first, shown as a comparison, and only then written. Secrets are in no
//! file, so the workspace keeps its own, and keeps them where they are.

use std::path::Path;

use crate::domain::side::Side;
use crate::ops::config::compare::{Comparison, compare};
use crate::ops::error::OpError;
use crate::ops::save_settings;
use crate::ops::session::Session;
use crate::workspace::file::SettingsFile;
use crate::workspace::private_file;
use crate::workspace::settings::{PlatformKind, Settings};
use crate::workspace::{Problem, Severity};

/// Settings that can be taken in.
#[derive(Clone, Debug)]
pub struct Import {
    /// What changes.
    pub changes: Comparison,
    /// What is unfinished or worth a look, by line of the file.
    pub problems: Vec<Problem>,
    /// What a person should know beside the changes, in sentences.
    pub notes: Vec<String>,
    settings: Settings,
    text: String,
}

/// Everything that is wrong with a file, unfinished, or worth a look, by line. With an error in it nothing can be taken in.
pub fn judge(name: &Path, text: &[u8]) -> Vec<Problem> {
    SettingsFile::of_text(name, text).all_problems()
}

/// Looks what a file without errors would change; nothing is written.
pub async fn read(session: &Session, name: &Path, text: &[u8]) -> Result<Import, OpError> {
    let file = SettingsFile::of_text(name, text);
    let problems = file.all_problems();
    if let Some(problem) = problems.iter().find(|problem| problem.severity == Severity::Error) {
        return Err(OpError::settings(format!("{}: {problem}", name.display())));
    }
    let before = session.settings();
    let mut settings = file.settings().clone();
    let mut notes = Vec::new();
    if settings.workspace.secrets != before.workspace.secrets {
        // Elsewhere nobody would find them any more; `secret move` moves them, and says so in the file.
        settings.workspace.secrets = before.workspace.secrets;
        notes.push(
            "The secrets of this workspace stay where they are (workspace.secrets is not taken over; `forcesync secret move` \
             moves them)."
                .to_owned(),
        );
    }
    for (place, was, is) in addresses(&before, &settings) {
        if !was.is_empty() && was != is {
            notes.push(format!(
                "The secrets kept here for {place} would go to {is} from now on, and no longer to {was}: be sure that you know it."
            ));
        }
    }
    let changes = compare(session, &before, &settings).await?;
    Ok(Import { changes, problems, notes, settings, text: file.text().to_owned() })
}

/// Where the secrets of each side go.
fn addresses(before: &Settings, after: &Settings) -> [(&'static str, String, String); 2] {
    let org = |settings: &Settings| settings.salesforce.sign_in_address().unwrap_or_default();
    let platform = |settings: &Settings| settings.platform.address();
    // A new workspace has no platform yet; another platform has secrets of its own.
    let same_kind: fn(&Settings) -> PlatformKind = |settings| settings.platform.kind;
    let of_platform = if same_kind(before) == same_kind(after) { platform(before) } else { String::new() };
    let had_org = before.salesforce != crate::workspace::settings::SalesforceConnection::default();
    let of_org = if had_org { org(before) } else { String::new() };
    [(Side::Org.place(), of_org, org(after)), (after.platform.kind.label(), of_platform, platform(after))]
}

/// Whether nothing would be written: neither a meaning nor a comment changes.
pub fn is_same(session: &Session, import: &Import) -> bool {
    import.changes.is_empty()
        && SettingsFile::load(session.settings_file()).is_ok_and(|file| file.text() == import.text)
}

/// Writes what was judged; the file that stood there is kept beside it. The answer is what is left to finish.
pub async fn apply(session: &Session, import: Import) -> Result<Vec<Problem>, OpError> {
    if let Ok(present) = std::fs::read(session.settings_file()) {
        private_file::replace(&kept_file(session.settings_file()), &present)?;
    }
    let problems = save_settings::replace(session, import.settings, &import.text).await?;
    match problems.iter().find(|problem| problem.severity == Severity::Error) {
        Some(problem) => Err(OpError::settings(format!("Nothing was taken in: {problem}"))),
        None => Ok(problems),
    }
}

/// Where the settings are kept that an import replaced.
pub fn kept_file(settings_file: &Path) -> std::path::PathBuf {
    settings_file.with_extension("toml.before")
}
