//! The key of a vault: made from a passphrase, or read from a key file.

use std::fs;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::zeroize::{Zeroize, Zeroizing};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize};

use crate::workspace::error::WorkspaceError;
use crate::workspace::private_file;

/// Bytes of a key.
const KEY_LENGTH: usize = 32;

/// Bytes of a salt.
const SALT_LENGTH: usize = 16;

/// What opens a vault.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A passphrase that a person knows.
    Passphrase(SecretString),
    /// A file that holds the key.
    KeyFile(PathBuf),
}

/// How hard it is to try passphrases, by Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory of one try, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
}

impl Default for Cost {
    /// About a fifth of a second on a small machine.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3 }
    }
}

impl Cost {
    /// The most that a file may ask for; a forged vault must not take the machine down.
    const MOST: Self = Self { memory_kib: 1024 * 1024, passes: 64 };
}

/// The key itself.
pub(super) type VaultKey = SecretBox<[u8; KEY_LENGTH]>;

/// What the vault says about its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum KeyRecipe {
    /// Argon2id of a passphrase.
    Passphrase {
        /// In base64.
        salt: String,
        /// Memory of one try, in KiB.
        memory_kib: u32,
        /// Passes over that memory.
        passes: u32,
    },
    /// The content of a key file.
    KeyFile,
}

impl KeyRecipe {
    /// The recipe of a new vault; makes the key file where it is missing.
    pub(super) fn new(source: &KeySource, cost: Cost) -> Result<Self, WorkspaceError> {
        match source {
            KeySource::Passphrase(_) => {
                let mut salt = [0; SALT_LENGTH];
                fill(&mut salt)?;
                Ok(Self::Passphrase {
                    salt: STANDARD.encode(salt),
                    memory_kib: cost.memory_kib,
                    passes: cost.passes,
                })
            }
            KeySource::KeyFile(path) => {
                if !path.exists() {
                    write_key_file(path)?;
                }
                Ok(Self::KeyFile)
            }
        }
    }

    /// The key by this recipe.
    pub(super) fn key(&self, vault: &Path, source: &KeySource) -> Result<VaultKey, WorkspaceError> {
        match (self, source) {
            (Self::Passphrase { salt, memory_kib, passes }, KeySource::Passphrase(passphrase)) => {
                let damaged = || WorkspaceError::VaultDamaged {
                    path: vault.to_owned(),
                    reason: "its key recipe is wrong",
                };
                let salt = STANDARD.decode(salt).map_err(|_unreadable| damaged())?;
                if *memory_kib > Cost::MOST.memory_kib || *passes > Cost::MOST.passes {
                    return Err(damaged());
                }
                let parameters = Params::new(*memory_kib, *passes, 1, Some(KEY_LENGTH))
                    .map_err(|_out_of_range| damaged())?;
                let maker = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
                let mut key = [0; KEY_LENGTH];
                maker
                    .hash_password_into(passphrase.expose_secret().as_bytes(), &salt, &mut key)
                    .map_err(|_failed| damaged())?;
                Ok(boxed(&mut key))
            }
            (Self::KeyFile, KeySource::KeyFile(path)) => read_key_file(path),
            (Self::Passphrase { .. }, KeySource::KeyFile(_)) => Err(WorkspaceError::PassphraseNeeded),
            (Self::KeyFile, KeySource::Passphrase(_)) => {
                Err(WorkspaceError::KeyFileMissing(vault.to_owned()))
            }
        }
    }
}

/// Moves a key into its box and leaves nothing of it behind.
fn boxed(key: &mut [u8; KEY_LENGTH]) -> VaultKey {
    let kept = SecretBox::new(Box::new(*key));
    key.zeroize();
    kept
}

pub(super) fn fill(bytes: &mut [u8]) -> Result<(), WorkspaceError> {
    SystemRandom::new().fill(bytes).map_err(|_none| WorkspaceError::NoKey("the system gives no randomness"))
}

fn write_key_file(path: &Path) -> Result<(), WorkspaceError> {
    if let Some(folder) = path.parent() {
        private_file::create_folder(folder)?;
    }
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    fill(key.as_mut())?;
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(*key)));
    private_file::write_new(path, text.as_bytes()).map_err(WorkspaceError::io("created", path))
}

fn read_key_file(path: &Path) -> Result<VaultKey, WorkspaceError> {
    if let Some(mode) = private_file::open_to_others(path) {
        return Err(WorkspaceError::OpenToOthers { path: path.to_owned(), mode });
    }
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(WorkspaceError::KeyFileMissing(path.to_owned()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            return Err(WorkspaceError::KeyFileUnreadable(path.to_owned()));
        }
        Err(error) => return Err(WorkspaceError::io("read", path)(error)),
    };
    let unreadable = || WorkspaceError::KeyFileUnreadable(path.to_owned());
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_undecodable| unreadable())?);
    let mut key: [u8; KEY_LENGTH] = bytes.as_slice().try_into().map_err(|_wrong_length| unreadable())?;
    Ok(boxed(&mut key))
}
