//! Secrets: their names, and where they come from.
//!
//! A secret is looked for in the environment first, then in the store that the settings choose. [`super::vault`] and
//! [`super::keyring`] are the stores, [`super::environment`] reads the variables. All calls may block: the keyring asks
//! another process, and a vault's key takes time to make.

mod keeper;
mod name;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use self::keeper::Secrets;
pub use self::name::{SecretName, UnknownSecret};
use super::error::WorkspaceError;

/// A place that holds secrets.
pub trait SecretStore: Send + Sync {
    /// The secret, `None` where it is not here.
    fn get(&self, name: SecretName) -> Result<Option<SecretString>, WorkspaceError>;

    /// Keeps a secret, in the place of the one that was here.
    fn set(&self, name: SecretName, value: &SecretString) -> Result<(), WorkspaceError>;

    /// Forgets a secret; tells whether it was here.
    fn remove(&self, name: SecretName) -> Result<bool, WorkspaceError>;

    /// Which secrets are here.
    fn list(&self) -> Result<Vec<SecretName>, WorkspaceError>;

    /// What place this is.
    fn kind(&self) -> SecretPlace;
}

/// Where a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretPlace {
    /// Nowhere.
    Absent,
    /// In a variable of the environment.
    Environment,
    /// In the keyring.
    Keyring,
    /// In the vault.
    Vault,
}

impl SecretPlace {
    /// As it stands behind a masked value: `in keyring`.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Absent => "not set",
            Self::Environment => "in environment",
            Self::Keyring => "in keyring",
            Self::Vault => "in vault",
        }
    }
}
