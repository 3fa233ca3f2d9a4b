//! The settings file: what is wrong with it, and where; what another one says otherwise.

use std::path::Path;

use crate::domain::mapping_change::{Change, changes};
use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::workspace::Problem;
use crate::workspace::file::SettingsFile;

/// Everything that is wrong with the settings file as it stands on disk, in the order of its lines.
pub fn validate(session: &Session) -> Vec<Problem> {
    session.problems()
}

/// What changes in the mappings from another settings file to those of the workspace, in meanings.
pub fn diff(session: &Session, other: &Path) -> Result<Vec<Change>, OpError> {
    if !other.is_file() {
        return Err(OpError::settings(format!(
            "There is no file {}: name a settings file.",
            other.display()
        )));
    }
    let before = SettingsFile::load(other).map_err(OpError::from)?;
    if let Some(problem) = before.problems().iter().find(|problem| problem.blocks()) {
        return Err(OpError::settings(format!("{}: {problem}", other.display())));
    }
    Ok(changes(&before.settings().mappings, &session.settings().mappings))
}
