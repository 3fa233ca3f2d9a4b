//! Where everything of a workspace is, and how a new one is made.

use std::fs;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;
use ring::digest::{SHA256, digest};

use super::environment::Variables;
use super::error::WorkspaceError;
use super::private_file::{self, hex};
use super::template::settings_text;

/// The longest path that every Unix takes for a socket, with room to spare.
const LONGEST_SOCKET_PATH: usize = 100;

/// What a new workspace tells git: the settings are worth keeping, the rest is state and secrets.
const GITIGNORE: &str = "# Only the settings are kept in git; state, secrets and logs stay on this machine.\n*\n!.gitignore\n!forcesync.toml\n";

/// Where everything of a workspace is. All paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// The folder.
    pub folder: PathBuf,
    /// The settings file, `forcesync.toml`.
    pub settings_file: PathBuf,
    /// The database, `state.db`.
    pub state_db: PathBuf,
    /// The encrypted secrets, `vault`.
    pub vault: PathBuf,
    /// A key file beside the vault, `vault.key`; only throw-away workspaces have one.
    pub vault_key: PathBuf,
    /// What the running engine holds, `engine.lock`.
    pub lock: PathBuf,
    /// Where the running engine listens. Systems limit the length of such paths, so for a folder with a long path it is
    /// `forcesync-<hash of the folder>/engine.sock` in the runtime folder, or in the temporary one where there is none.
    pub socket: PathBuf,
    /// The folder of the logs, `log`.
    pub log_folder: PathBuf,
}

impl Workspace {
    /// The paths of a workspace in this folder; touches nothing.
    pub fn at(folder: &Path) -> Self {
        let folder = std::path::absolute(folder).unwrap_or_else(|_unknown| folder.to_owned());
        let folder = fs::canonicalize(&folder).unwrap_or(folder);
        let mut workspace = Self {
            settings_file: folder.join("forcesync.toml"),
            state_db: folder.join("state.db"),
            vault: folder.join("vault"),
            vault_key: folder.join("vault.key"),
            lock: folder.join("engine.lock"),
            socket: folder.join("engine.sock"),
            log_folder: folder.join("log"),
            folder,
        };
        if workspace.socket.as_os_str().len() > LONGEST_SOCKET_PATH {
            workspace.socket =
                runtime_folder().join(format!("forcesync-{}", workspace.hash())).join("engine.sock");
        }
        workspace
    }

    /// The folder to use: the given one, else `FORCESYNC_WORKSPACE`, else `forcesync/default` in the user's data folder.
    pub fn choose_folder(given: Option<&Path>, variables: &Variables) -> Result<PathBuf, WorkspaceError> {
        if let Some(folder) = given {
            return Ok(folder.to_owned());
        }
        if let Some(folder) = variables.path("FORCESYNC_WORKSPACE") {
            return Ok(folder);
        }
        data_folder().map(|data| data.join("default")).ok_or(WorkspaceError::NoHome)
    }

    /// A workspace that must be there; touches nothing.
    pub fn open(folder: &Path) -> Result<Self, WorkspaceError> {
        let workspace = Self::at(folder);
        if workspace.folder.is_dir() { Ok(workspace) } else { Err(WorkspaceError::Missing(workspace.folder)) }
    }

    /// A workspace, made where it is missing: the folder for its owner alone, a settings file to fill in, and a `.gitignore`
    /// that lets only the settings through. What is already there stays as it is.
    pub fn open_or_create(folder: &Path) -> Result<Self, WorkspaceError> {
        private_file::create_folder(folder)?;
        let workspace = Self::at(folder);
        let ours_alone = is_empty(&workspace.folder);
        private_file::create_folder(&workspace.log_folder)?;
        // In a folder with other things in it, a file that hides everything from git would do harm.
        if ours_alone {
            create(&workspace.folder.join(".gitignore"), GITIGNORE)?;
        }
        create(&workspace.settings_file, &settings_text(&workspace.default_name()))?;
        Ok(workspace)
    }

    /// Makes the folder of the socket, where that is not the workspace itself, and makes sure that it is ours alone.
    pub fn prepare_socket_folder(&self) -> Result<(), WorkspaceError> {
        let Some(folder) = self.socket.parent().filter(|folder| *folder != self.folder) else {
            return Ok(());
        };
        private_file::create_folder(folder)?;
        if private_file::open_to_others(folder).is_some() || !same_owner(folder, &self.folder) {
            return Err(WorkspaceError::SocketFolderOpen(folder.to_owned()));
        }
        Ok(())
    }

    /// Where the vault's key file may be, in the order of looking: what `FORCESYNC_KEY_FILE` names and nothing else, or
    /// beside the vault, or outside the folder in the user's data folder.
    pub fn key_files(&self, variables: &Variables) -> Vec<PathBuf> {
        if let Some(named) = variables.path("FORCESYNC_KEY_FILE") {
            return vec![named];
        }
        let outside = data_folder().map(|data| data.join("keys").join(format!("{}.key", self.hash())));
        std::iter::once(self.vault_key.clone()).chain(outside).collect()
    }

    /// A short text that stands for the folder.
    pub fn hash(&self) -> String {
        let hash = digest(&SHA256, self.folder.as_os_str().as_encoded_bytes());
        hash.as_ref().first_chunk::<8>().map(|start| hex(start)).unwrap_or_default()
    }

    /// What the workspace is called until a person names it.
    fn default_name(&self) -> String {
        self.folder.file_name().map_or_else(|| "forcesync".into(), |name| name.to_string_lossy().into_owned())
    }
}

/// The folder for what the workspaces of this user share and what may be lost: the one that `FORCESYNC_STATE_DIR` names, else the
/// program's among the user's state.
pub fn state_folder(variables: &Variables) -> Option<PathBuf> {
    variables
        .path("FORCESYNC_STATE_DIR")
        .or_else(|| Xdg::new().ok()?.state_dir().map(|state| state.join("forcesync")))
}

/// A short text that stands for a longer one, fit for a file name.
pub fn short_hash(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().first_chunk::<8>().map(|start| hex(start)).unwrap_or_default()
}

/// The program's folder among the user's data.
fn data_folder() -> Option<PathBuf> {
    Xdg::new().ok().map(|folders| folders.data_dir().join("forcesync"))
}

fn runtime_folder() -> PathBuf {
    Xdg::new().ok().and_then(|folders| folders.runtime_dir()).unwrap_or_else(std::env::temp_dir)
}

/// Whether nothing but git's own folder is in a folder.
fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == ".git")))
}

fn create(path: &Path, content: &str) -> Result<(), WorkspaceError> {
    match private_file::write_new(path, content.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(WorkspaceError::io("created", path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn same_owner(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let owner = |path: &Path| fs::metadata(path).map(|metadata| metadata.uid()).ok();
        owner(one).is_some() && owner(one) == owner(other)
    }
    #[cfg(not(unix))]
    {
        let _ = (one, other);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::file::SettingsFile;

    #[test]
    fn a_new_workspace_is_private_and_lets_only_the_settings_into_git() {
        let base = tempfile::tempdir().unwrap();
        let workspace = Workspace::open_or_create(&base.path().join("deep/acme")).unwrap();
        for path in [&workspace.folder, &workspace.settings_file, &workspace.log_folder] {
            assert_eq!(private_file::open_to_others(path), None, "{}", path.display());
        }
        let ignored = fs::read_to_string(workspace.folder.join(".gitignore")).unwrap();
        assert!(ignored.contains("\n*\n") && ignored.contains("\n!forcesync.toml\n"));
        let file = SettingsFile::load(&workspace.settings_file).unwrap();
        assert_eq!((file.settings().workspace.name.as_str(), file.problems()), ("acme", &[][..]));
    }

    #[test]
    fn what_is_already_there_stays() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("forcesync.toml"), "# mine\n").unwrap();
        fs::write(base.path().join("other"), "x").unwrap();
        let workspace = Workspace::open_or_create(base.path()).unwrap();
        assert_eq!(fs::read_to_string(&workspace.settings_file).unwrap(), "# mine\n");
        assert!(!workspace.folder.join(".gitignore").exists());
        assert_eq!(Workspace::open_or_create(base.path()).unwrap(), workspace);
    }

    #[test]
    fn a_missing_workspace_is_named() {
        let base = tempfile::tempdir().unwrap();
        let error = Workspace::open(&base.path().join("absent")).unwrap_err().to_string();
        assert!(error.contains("absent") && error.contains("--workspace"), "{error}");
        fs::write(base.path().join("file"), "").unwrap();
        let error = Workspace::open_or_create(&base.path().join("file")).unwrap_err().to_string();
        assert!(error.contains("is not a folder"), "{error}");
    }

    #[test]
    fn the_socket_of_a_long_path_moves_to_a_short_one() {
        let short = Workspace::at(Path::new("/w"));
        assert_eq!(short.socket, Path::new("/w/engine.sock"));
        let base = tempfile::tempdir().unwrap();
        let long = Workspace::open_or_create(&base.path().join("x".repeat(120))).unwrap();
        assert!(long.socket.as_os_str().len() < LONGEST_SOCKET_PATH);
        assert_ne!(long.socket, Workspace::at(&base.path().join("y".repeat(120))).socket);
        long.prepare_socket_folder().unwrap();
        let folder = long.socket.parent().unwrap();
        assert_eq!(private_file::open_to_others(folder), None);
        fs::remove_dir(folder).unwrap();
    }

    #[test]
    fn shared_state_lies_where_the_variable_says() {
        let variables = Variables::from_pairs([("FORCESYNC_STATE_DIR", "/shared/state")]);
        assert_eq!(state_folder(&variables).unwrap(), Path::new("/shared/state"));
        assert!(state_folder(&Variables::default()).is_none_or(|folder| folder.ends_with("forcesync")));
        assert_eq!(short_hash("a").len(), 16);
        assert_ne!(short_hash("a"), short_hash("b"));
    }

    #[test]
    fn the_given_folder_comes_before_the_variable() {
        let variables = Variables::from_pairs([("FORCESYNC_WORKSPACE", "/from/variable")]);
        let chosen = |given| Workspace::choose_folder(given, &variables).unwrap();
        assert_eq!(chosen(Some(Path::new("/given"))), Path::new("/given"));
        assert_eq!(chosen(None), Path::new("/from/variable"));
        let default = Workspace::choose_folder(None, &Variables::default()).unwrap();
        assert!(default.ends_with("forcesync/default"));
    }
}
