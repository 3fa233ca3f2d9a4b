//! Secrets in an encrypted file, for machines without a keyring.
//!
//! Each entry is sealed by XChaCha20-Poly1305 with its name as associated data, so that entries can't be swapped. The key is
//! made from a passphrase by Argon2id, or is the content of a key file that only its owner can read. A sealed text that is
//! known tells a wrong key from a damaged entry.

mod key;
mod sealed;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

pub use self::key::{Cost, KeySource};
use self::key::{KeyRecipe, VaultKey};
use self::sealed::Sealed;
use super::error::WorkspaceError;
use super::private_file;
use super::secrets::{SecretName, SecretPlace, SecretStore};

/// The version of the file's shape that we write.
const FORMAT: u32 = 1;

/// No vault of ours comes near this size.
const LARGEST: u64 = 1_000_000;

/// The known text and the name under which it is sealed.
const CHECK: &str = "check";

/// What opens a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultLock {
    /// There is no vault.
    Absent,
    /// A passphrase.
    Passphrase,
    /// A key file.
    KeyFile,
}

/// An open vault.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    key: VaultKey,
    /// One change at a time, for each reads, changes and writes the whole file.
    changing: Mutex<()>,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Content {
    format: u32,
    key: KeyRecipe,
    check: Sealed,
    entries: BTreeMap<String, Sealed>,
}

impl Vault {
    /// What opens the vault at this path.
    pub fn lock_of(path: &Path) -> Result<VaultLock, WorkspaceError> {
        Ok(match read(path)?.map(|content| content.key) {
            None => VaultLock::Absent,
            Some(KeyRecipe::Passphrase { .. }) => VaultLock::Passphrase,
            Some(KeyRecipe::KeyFile) => VaultLock::KeyFile,
        })
    }

    /// Which secrets the vault at this path holds; needs no key.
    pub fn names(path: &Path) -> Result<Vec<SecretName>, WorkspaceError> {
        let content = read(path)?;
        let entries = content.map(|content| content.entries).unwrap_or_default();
        Ok(SecretName::all().filter(|name| entries.contains_key(name.word())).collect())
    }

    /// Opens a vault.
    pub fn open(path: &Path, source: &KeySource) -> Result<Self, WorkspaceError> {
        let content = read(path)?
            .ok_or_else(|| WorkspaceError::VaultDamaged { path: path.to_owned(), reason: "it is gone" })?;
        let key = content.key.key(path, source)?;
        match content.check.open(&key, CHECK) {
            Some(text) if text.expose_secret() == CHECK => {}
            Some(_) | None => {
                return Err(match source {
                    KeySource::Passphrase(_) => WorkspaceError::WrongPassphrase(path.to_owned()),
                    KeySource::KeyFile(file) => WorkspaceError::WrongKeyFile(file.clone()),
                });
            }
        }
        Ok(Self { path: path.to_owned(), key, changing: Mutex::new(()) })
    }

    /// Makes an empty vault; a key file is made too where it is missing. An existing vault is opened instead.
    pub fn create(path: &Path, source: &KeySource, cost: Cost) -> Result<Self, WorkspaceError> {
        if path.exists() {
            return Self::open(path, source);
        }
        let recipe = KeyRecipe::new(source, cost)?;
        let key = recipe.key(path, source)?;
        let check = Sealed::seal(&key, CHECK, &SecretString::from(CHECK))?;
        write(path, &Content { format: FORMAT, key: recipe, check, entries: BTreeMap::new() })?;
        Ok(Self { path: path.to_owned(), key, changing: Mutex::new(()) })
    }

    fn content(&self) -> Result<Content, WorkspaceError> {
        read(&self.path)?
            .ok_or_else(|| WorkspaceError::VaultDamaged { path: self.path.clone(), reason: "it is gone" })
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Content) -> Result<T, WorkspaceError>,
    ) -> Result<T, WorkspaceError> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut content = self.content()?;
        let result = change(&mut content)?;
        write(&self.path, &content)?;
        Ok(result)
    }
}

impl SecretStore for Vault {
    fn get(&self, name: SecretName) -> Result<Option<SecretString>, WorkspaceError> {
        let content = self.content()?;
        content
            .entries
            .get(name.word())
            .map(|sealed| {
                sealed
                    .open(&self.key, name.word())
                    .ok_or_else(|| WorkspaceError::VaultTampered { path: self.path.clone(), name })
            })
            .transpose()
    }

    fn set(&self, name: SecretName, value: &SecretString) -> Result<(), WorkspaceError> {
        self.change(|content| {
            content.entries.insert(name.word().to_owned(), Sealed::seal(&self.key, name.word(), value)?);
            Ok(())
        })
    }

    fn remove(&self, name: SecretName) -> Result<bool, WorkspaceError> {
        if !Self::names(&self.path)?.contains(&name) {
            return Ok(false);
        }
        self.change(|content| Ok(content.entries.remove(name.word()).is_some()))
    }

    fn list(&self) -> Result<Vec<SecretName>, WorkspaceError> {
        Self::names(&self.path)
    }

    fn kind(&self) -> SecretPlace {
        SecretPlace::Vault
    }
}

/// The content of a vault, `None` where there is none.
fn read(path: &Path) -> Result<Option<Content>, WorkspaceError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }

    let damaged = |reason| WorkspaceError::VaultDamaged { path: path.to_owned(), reason };
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(WorkspaceError::io("read", path)(error)),
        Ok(metadata) if !metadata.is_file() => {
            return Err(WorkspaceError::WrongKind { path: path.to_owned(), expected: "a file" });
        }
        Ok(metadata) if metadata.len() > LARGEST => return Err(damaged("it is far too large")),
        Ok(metadata) if metadata.len() == 0 => return Err(damaged("it is empty")),
        Ok(_) => {}
    }
    if let Some(mode) = private_file::open_to_others(path) {
        return Err(WorkspaceError::OpenToOthers { path: path.to_owned(), mode });
    }
    let text = fs::read(path).map_err(WorkspaceError::io("read", path))?;
    let format = serde_json::from_slice::<Format>(&text)
        .map_err(|error| damaged(if error.is_eof() { "it ends too early" } else { "it is no vault" }))?;
    if format.format > FORMAT {
        return Err(WorkspaceError::VaultNewer(path.to_owned()));
    }
    serde_json::from_slice(&text).map(Some).map_err(|_unusable| damaged("a part of it is missing or wrong"))
}

fn write(path: &Path, content: &Content) -> Result<(), WorkspaceError> {
    let damaged = |_unwritable| WorkspaceError::VaultDamaged {
        path: path.to_owned(),
        reason: "its content can't be written",
    };
    let mut text = serde_json::to_vec_pretty(content).map_err(damaged)?;
    text.push(b'\n');
    private_file::replace(path, &text)
}
