//! The variables of the environment that concern us, read once; secrets among them come before every store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::error::WorkspaceError;
use super::secrets::{SecretName, SecretPlace, SecretStore};

/// All variables whose names begin with `FORCESYNC_`. Blank ones count as absent.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, SecretString>);

impl Variables {
    /// Those of this process.
    pub fn of_process() -> Self {
        let ours = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with("FORCESYNC_"))?;
            Some((name, value.into_string().ok()?))
        });
        Self::from_pairs(ours)
    }

    /// These variables.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .filter(|(_, value): &(String, String)| !value.trim().is_empty())
                .map(|(name, value)| (name, SecretString::from(value)))
                .collect(),
        )
    }

    /// A variable.
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.0.get(name)
    }

    /// A variable that names a file or folder.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(|value| PathBuf::from(value.expose_secret()))
    }
}

impl SecretStore for Variables {
    fn get(&self, name: SecretName) -> Result<Option<SecretString>, WorkspaceError> {
        Ok(self.0.get(&name.variable()).cloned())
    }

    fn set(&self, name: SecretName, _value: &SecretString) -> Result<(), WorkspaceError> {
        Err(WorkspaceError::FromEnvironment(name))
    }

    fn remove(&self, name: SecretName) -> Result<bool, WorkspaceError> {
        if self.0.contains_key(&name.variable()) {
            Err(WorkspaceError::FromEnvironment(name))
        } else {
            Ok(false)
        }
    }

    fn list(&self) -> Result<Vec<SecretName>, WorkspaceError> {
        Ok(SecretName::all().filter(|name| self.0.contains_key(&name.variable())).collect())
    }

    fn kind(&self) -> SecretPlace {
        SecretPlace::Environment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_give_secrets_and_cannot_be_changed() {
        let variables = Variables::from_pairs([
            ("FORCESYNC_SALESFORCE_PASSWORD", "swordfish"),
            ("FORCESYNC_SALESMANAGO_API_SECRET", " "),
        ]);
        assert_eq!(variables.list().unwrap(), [SecretName::SalesforcePassword]);
        let value = SecretStore::get(&variables, SecretName::SalesforcePassword).unwrap().unwrap();
        assert_eq!(value.expose_secret(), "swordfish");
        let error = variables.set(SecretName::SalesforcePassword, &value).unwrap_err().to_string();
        assert!(error.contains("FORCESYNC_SALESFORCE_PASSWORD"), "{error}");
        assert!(!format!("{variables:?}").contains("swordfish"));
    }
}
