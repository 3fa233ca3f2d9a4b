//! What can go wrong with a workspace, as sentences.

use std::io;
use std::path::{Path, PathBuf};

use super::lock::Holder;
use super::problems::Problem;
use super::secrets::SecretName;

/// Why something about the workspace did not work: what happened, where, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// There is no workspace here.
    #[error("there is no workspace in {}: open the console there once, or name another folder with --workspace", .0.display())]
    Missing(PathBuf),
    /// The default place of workspaces is unknown.
    #[error("the home folder is unknown: name a folder with --workspace or FORCESYNC_WORKSPACE")]
    NoHome,
    /// A file or folder could not be used.
    #[error("{} could not be {action}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `written`, `created` …
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file or folder where the other was expected.
    #[error("{} is not {expected}: move it away, or name another workspace", path.display())]
    WrongKind {
        /// What stands there.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
    },
    /// The socket's folder belongs to somebody else.
    #[error("the folder {} of the engine's socket is open to others: remove it, or set XDG_RUNTIME_DIR to a folder of yours", .0.display())]
    SocketFolderOpen(PathBuf),
    /// The settings file was changed by somebody else.
    #[error("{} was changed on disk since it was read: reload it, then make the change again", .0.display())]
    SettingsChanged(PathBuf),
    /// The settings file has lines that can't be read, so that it can't be edited in place.
    #[error("{} can't be saved while a line of it can't be read ({problem}): repair the line in an editor first", path.display())]
    SettingsDamaged {
        /// The settings file.
        path: PathBuf,
        /// The first such line.
        problem: Box<Problem>,
    },
    /// New settings would not read back as they are.
    #[error("the settings were not saved: {0}")]
    SettingsRefused(String),
    /// A file that holds secrets can be read by others.
    #[error("{} can be read by other users (mode {mode:03o}): run “chmod 600” on it, and change the secrets if others use this machine", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The vault needs a passphrase and none was given.
    #[error("the vault is locked by a passphrase: enter it, or set FORCESYNC_PASSPHRASE")]
    PassphraseNeeded,
    /// The passphrase does not open the vault.
    #[error("the passphrase does not open the vault {}: check it and try again", .0.display())]
    WrongPassphrase(PathBuf),
    /// The key file was not found.
    #[error("the key file of the vault was not found: set FORCESYNC_KEY_FILE to where it is; without it the vault can't be opened, and secrets have to be entered again (looked for {})", .0.display())]
    KeyFileMissing(PathBuf),
    /// The key file holds no key.
    #[error("{} is no key file: it must hold one key as this program wrote it", .0.display())]
    KeyFileUnreadable(PathBuf),
    /// The key file does not open the vault.
    #[error("the key file {} does not open this vault: set FORCESYNC_KEY_FILE to the right one", .0.display())]
    WrongKeyFile(PathBuf),
    /// The vault is damaged.
    #[error("the vault {} is damaged ({reason}): restore it from a backup, or remove it and enter the secrets again", path.display())]
    VaultDamaged {
        /// The vault.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// One entry of the vault was changed by somebody else.
    #[error("the entry “{name}” of the vault {} was tampered with or damaged: enter this secret again", path.display())]
    VaultTampered {
        /// The vault.
        path: PathBuf,
        /// The entry.
        name: SecretName,
    },
    /// The vault was written by a newer version.
    #[error("the vault {} was written by a newer version of this program: update it", .0.display())]
    VaultNewer(PathBuf),
    /// No randomness or no memory for the key.
    #[error("the vault's key could not be made: {0}")]
    NoKey(&'static str),
    /// The keyring does not work.
    #[error("the keyring {0}: use the vault instead (in the settings, [workspace] secrets = \"vault\")")]
    Keyring(String),
    /// A secret that can't be done without is nowhere.
    #[error("“{0}” is not set: enter it in the console, run “forcesync secret set {0}”, or set the variable {variable}", variable = .0.variable())]
    SecretMissing(SecretName),
    /// Another process runs the engine of this workspace.
    #[error(
        "the engine of this workspace is already running ({holder}): stop it first, or let it do the work"
    )]
    EngineRunning {
        /// Who holds the lock.
        holder: Holder,
    },
    /// A secret is given by a variable and can't be changed here.
    #[error("“{0}” comes from the variable {variable}: change it there", variable = .0.variable())]
    FromEnvironment(SecretName),
}

impl WorkspaceError {
    /// An error of the file system.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
