//! The settings file: what is wrong with it, and where; what another one says otherwise; taking it elsewhere and back.

pub mod compare;
pub mod export;
pub mod import;
pub mod promote;

use std::path::Path;

use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::workspace::Problem;
use crate::workspace::file::SettingsFile;

pub use self::compare::{Comparison, SettingChange};

/// Everything that is wrong with the settings file as it stands on disk, in the order of its lines.
pub fn validate(session: &Session) -> Vec<Problem> {
    session.problems()
}

/// What changes from another settings file to that of the workspace, in meanings.
pub async fn diff(session: &Session, other: &Path) -> Result<Comparison, OpError> {
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
    compare::compare(session, before.settings(), &session.settings()).await
}
