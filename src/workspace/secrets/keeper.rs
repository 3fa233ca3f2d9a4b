//! Decides from where a secret comes and where it goes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use secrecy::SecretString;

use super::{SecretName, SecretPlace, SecretStore};
use crate::workspace::environment::Variables;
use crate::workspace::error::WorkspaceError;
use crate::workspace::keyring::{Keyring, KeyringBackend, SystemKeyring};
use crate::workspace::paths::Workspace;
use crate::workspace::settings::SecretsPlace;
use crate::workspace::vault::{Cost, KeySource, Vault, VaultLock};

/// The secrets of a workspace.
pub struct Secrets {
    workspace: Workspace,
    variables: Variables,
    choice: Option<SecretsPlace>,
    keyring: Arc<Keyring>,
    keyring_answers: OnceLock<bool>,
    passphrase: Mutex<Option<SecretString>>,
    vault: Mutex<Option<Arc<Vault>>>,
    cost: Cost,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Secrets")
            .field("folder", &self.workspace.folder)
            .field("choice", &self.choice)
            .finish_non_exhaustive()
    }
}

impl Secrets {
    /// The secrets of a workspace; `choice` is what the settings say about their place.
    pub fn new(workspace: &Workspace, choice: Option<SecretsPlace>, variables: Variables) -> Self {
        Self::with_keyring(workspace, choice, variables, Arc::new(SystemKeyring))
    }

    /// The same with another keyring behind it.
    pub fn with_keyring(
        workspace: &Workspace,
        choice: Option<SecretsPlace>,
        variables: Variables,
        keyring: Arc<dyn KeyringBackend>,
    ) -> Self {
        let passphrase = variables.get("FORCESYNC_PASSPHRASE").cloned();
        Self {
            keyring: Arc::new(Keyring::new(keyring, &workspace.folder.to_string_lossy())),
            workspace: workspace.clone(),
            variables,
            choice,
            keyring_answers: OnceLock::new(),
            passphrase: Mutex::new(passphrase),
            vault: Mutex::new(None),
            cost: Cost::default(),
        }
    }

    /// The same with a cheaper or dearer key of new vaults.
    pub fn with_cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// The store that keeps new secrets: the chosen one; without a choice the vault where there is one, else the keyring
    /// where one answers, else a vault.
    pub fn place(&self) -> SecretsPlace {
        self.choice.unwrap_or_else(|| {
            if !self.workspace.vault.exists() && self.keyring_answers() {
                SecretsPlace::Keyring
            } else {
                SecretsPlace::Vault
            }
        })
    }

    /// Whether a keyring answers; asked once.
    pub fn keyring_answers(&self) -> bool {
        *self.keyring_answers.get_or_init(|| self.keyring.answers())
    }

    /// A secret, from the environment or the store; `None` where it is in neither.
    pub fn get(&self, name: SecretName) -> Result<Option<SecretString>, WorkspaceError> {
        if let Some(value) = SecretStore::get(&self.variables, name)? {
            return Ok(Some(value));
        }
        match self.reading_store(self.place())? {
            Some(store) => store.get(name),
            None => Ok(None),
        }
    }

    /// A secret that can't be done without.
    pub fn require(&self, name: SecretName) -> Result<SecretString, WorkspaceError> {
        self.get(name)?.ok_or(WorkspaceError::SecretMissing(name))
    }

    /// Keeps a secret in the store. One that comes from the environment can't be changed here.
    pub fn set(&self, name: SecretName, value: &SecretString) -> Result<(), WorkspaceError> {
        if SecretStore::get(&self.variables, name)?.is_some() {
            return Err(WorkspaceError::FromEnvironment(name));
        }
        self.writing_store(self.place())?.set(name, value)
    }

    /// Forgets a secret; tells whether the store had it.
    pub fn remove(&self, name: SecretName) -> Result<bool, WorkspaceError> {
        self.variables.remove(name)?;
        match self.reading_store(self.place())? {
            Some(store) => store.remove(name),
            None => Ok(false),
        }
    }

    /// Where each secret is; needs no passphrase.
    pub fn states(&self) -> Result<Vec<(SecretName, SecretPlace)>, WorkspaceError> {
        let given = self.variables.list()?;
        let (kept, place) = match self.place() {
            SecretsPlace::Keyring => (self.keyring.list()?, SecretPlace::Keyring),
            SecretsPlace::Vault => (Vault::names(&self.workspace.vault)?, SecretPlace::Vault),
        };
        Ok(SecretName::all()
            .map(|name| {
                let found = if given.contains(&name) {
                    SecretPlace::Environment
                } else if kept.contains(&name) {
                    place
                } else {
                    SecretPlace::Absent
                };
                (name, found)
            })
            .collect())
    }

    /// Moves everything from the other store into this one; tells what was moved. The caller makes the choice stick in the
    /// settings. A secret leaves its old place only after the new one has handed it back unchanged.
    pub fn move_to(&self, target: SecretsPlace) -> Result<Vec<SecretName>, WorkspaceError> {
        use secrecy::ExposeSecret;

        let other = match target {
            SecretsPlace::Keyring => SecretsPlace::Vault,
            SecretsPlace::Vault => SecretsPlace::Keyring,
        };
        if other == SecretsPlace::Keyring && !self.keyring_answers() {
            return Ok(Vec::new());
        }
        let Some(source) = self.reading_store(other)? else { return Ok(Vec::new()) };
        let mut moved = Vec::new();
        for name in source.list()? {
            let Some(value) = source.get(name)? else { continue };
            let store = self.writing_store(target)?;
            store.set(name, &value)?;
            let kept = store.get(name)?;
            if kept.is_some_and(|kept| kept.expose_secret() == value.expose_secret()) {
                source.remove(name)?;
                moved.push(name);
            }
        }
        Ok(moved)
    }

    /// Whether a passphrase has to be asked for before secrets can be read or kept.
    pub fn needs_passphrase(&self) -> bool {
        self.place() == SecretsPlace::Vault
            && matches!(Vault::lock_of(&self.workspace.vault), Ok(VaultLock::Passphrase))
            && locked(&self.passphrase).is_none()
    }

    /// Takes the passphrase that a person entered; refuses one that does not open the vault.
    pub fn unlock(&self, passphrase: SecretString) -> Result<(), WorkspaceError> {
        if Vault::lock_of(&self.workspace.vault)? == VaultLock::Passphrase {
            let vault = Vault::open(&self.workspace.vault, &KeySource::Passphrase(passphrase.clone()))?;
            *locked(&self.vault) = Some(Arc::new(vault));
        }
        *locked(&self.passphrase) = Some(passphrase);
        Ok(())
    }

    /// The store to read from, `None` where it holds nothing yet.
    fn reading_store(&self, place: SecretsPlace) -> Result<Option<Arc<dyn SecretStore>>, WorkspaceError> {
        match place {
            SecretsPlace::Keyring => Ok(Some(Arc::clone(&self.keyring) as Arc<dyn SecretStore>)),
            SecretsPlace::Vault => Ok(self.open_vault()?.map(|vault| vault as Arc<dyn SecretStore>)),
        }
    }

    fn writing_store(&self, place: SecretsPlace) -> Result<Arc<dyn SecretStore>, WorkspaceError> {
        if let Some(store) = self.reading_store(place)? {
            return Ok(store);
        }
        let vault = Arc::new(Vault::create(&self.workspace.vault, &self.key_of_new_vault()?, self.cost)?);
        *locked(&self.vault) = Some(Arc::clone(&vault));
        Ok(vault)
    }

    fn open_vault(&self) -> Result<Option<Arc<Vault>>, WorkspaceError> {
        let lock = Vault::lock_of(&self.workspace.vault)?;
        let mut open = locked(&self.vault);
        let source = match lock {
            VaultLock::Absent => {
                *open = None;
                return Ok(None);
            }
            VaultLock::Passphrase => {
                let passphrase = locked(&self.passphrase).clone().ok_or(WorkspaceError::PassphraseNeeded);
                // An open vault needs no passphrase again.
                match (&*open, passphrase) {
                    (Some(vault), _) => return Ok(Some(Arc::clone(vault))),
                    (None, passphrase) => KeySource::Passphrase(passphrase?),
                }
            }
            VaultLock::KeyFile => KeySource::KeyFile(self.present_key_file()?),
        };
        if let Some(vault) = &*open {
            return Ok(Some(Arc::clone(vault)));
        }
        let vault = Arc::new(Vault::open(&self.workspace.vault, &source)?);
        *open = Some(Arc::clone(&vault));
        Ok(Some(vault))
    }

    fn present_key_file(&self) -> Result<PathBuf, WorkspaceError> {
        let candidates = self.workspace.key_files(&self.variables);
        let missing = candidates.last().cloned().unwrap_or_else(|| self.workspace.vault_key.clone());
        candidates.into_iter().find(|path| path.exists()).ok_or(WorkspaceError::KeyFileMissing(missing))
    }

    /// A passphrase where one was given, else a key file: one that is there, else a new one outside the folder.
    fn key_of_new_vault(&self) -> Result<KeySource, WorkspaceError> {
        if let Some(passphrase) = locked(&self.passphrase).clone() {
            return Ok(KeySource::Passphrase(passphrase));
        }
        let candidates = self.workspace.key_files(&self.variables);
        let present = candidates.iter().find(|path| path.exists());
        present.or(candidates.last()).cloned().map(KeySource::KeyFile).ok_or(WorkspaceError::NoHome)
    }
}

/// What a panic elsewhere left behind is still whole: every change here is a single assignment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
