//! Where everything of a workspace lies.

use std::path::{Path, PathBuf};

use crate::ops::error::OpError;
use crate::workspace::Workspace;
use crate::workspace::environment::Variables;

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathEntry {
    /// What lies there.
    pub name: &'static str,
    /// Where.
    pub path: PathBuf,
}

/// All places of the named workspace, or of the default one; none of them needs to exist.
pub fn paths(workspace: Option<&Path>) -> Result<Vec<PathEntry>, OpError> {
    let folder = Workspace::choose_folder(workspace, &Variables::of_process())?;
    let workspace = Workspace::at(&folder);
    Ok([
        ("workspace", workspace.folder),
        ("settings", workspace.settings_file),
        ("state", workspace.state_db),
        ("vault", workspace.vault),
        ("lock", workspace.lock),
        ("socket", workspace.socket),
        ("logs", workspace.log_folder),
    ]
    .into_iter()
    .map(|(name, path)| PathEntry { name, path })
    .collect())
}
