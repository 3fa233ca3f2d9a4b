//! Secrets in the keyring of the operating system.
//!
//! A keyring is another program: it may be missing, locked behind a dialog nobody sees, or hang. So every question is asked
//! on a thread of its own and answered within a few seconds or not at all; after the first silence no more is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::error::WorkspaceError;
use super::secrets::{SecretName, SecretPlace, SecretStore};

/// How long a keyring may take; a person may have to allow the access first.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long it may take to say that it is there.
const PATIENCE_AT_FIRST: Duration = Duration::from_secs(2);

/// The service under which all our entries are kept.
const SERVICE: &str = "forcesync";

/// What a keyring can do. Errors are the rest of a sentence that begins with “the keyring”.
pub trait KeyringBackend: Send + Sync {
    /// An entry, `None` where there is none.
    fn get(&self, service: &str, account: &str) -> Result<Option<SecretString>, String>;

    /// Keeps an entry.
    fn set(&self, service: &str, account: &str, value: &SecretString) -> Result<(), String>;

    /// Removes an entry; tells whether there was one.
    fn remove(&self, service: &str, account: &str) -> Result<bool, String>;
}

/// The keyring of the operating system: Secret Service, Keychain or Credential Manager.
#[derive(Clone, Copy, Debug)]
pub struct SystemKeyring;

impl SystemKeyring {
    fn entry(service: &str, account: &str) -> Result<keyring::Entry, String> {
        keyring::Entry::new(service, account).map_err(|error| refused(&error))
    }
}

fn refused(error: &keyring::Error) -> String {
    match error {
        keyring::Error::NoDefaultStore => "is not there".to_owned(),
        other => format!("refused ({other})"),
    }
}

impl KeyringBackend for SystemKeyring {
    fn get(&self, service: &str, account: &str) -> Result<Option<SecretString>, String> {
        match Self::entry(service, account)?.get_password() {
            Ok(value) => Ok(Some(SecretString::from(value))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(refused(&error)),
        }
    }

    fn set(&self, service: &str, account: &str, value: &SecretString) -> Result<(), String> {
        Self::entry(service, account)?.set_password(value.expose_secret()).map_err(|error| refused(&error))
    }

    fn remove(&self, service: &str, account: &str) -> Result<bool, String> {
        match Self::entry(service, account)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(keyring::Error::NoEntry) => Ok(false),
            Err(error) => Err(refused(&error)),
        }
    }
}

/// The entries of one workspace in a keyring.
pub struct Keyring {
    backend: Arc<dyn KeyringBackend>,
    /// Begins every account, so that workspaces don't share secrets.
    workspace: String,
    patience: Duration,
    silent: AtomicBool,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Keyring").field("workspace", &self.workspace).finish_non_exhaustive()
    }
}

impl Keyring {
    /// The entries of the workspace in this folder.
    pub fn new(backend: Arc<dyn KeyringBackend>, workspace: &str) -> Self {
        Self { backend, workspace: workspace.to_owned(), patience: PATIENCE, silent: AtomicBool::new(false) }
    }

    /// The same, waiting no longer than this for an answer.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Whether a keyring is there and answers.
    pub fn answers(&self) -> bool {
        let patience = self.patience.min(PATIENCE_AT_FIRST);
        self.ask(patience, |backend, workspace| backend.get(SERVICE, &format!("{workspace}: probe"))).is_ok()
    }

    fn ask<T: Send + 'static>(
        &self,
        patience: Duration,
        question: impl FnOnce(&dyn KeyringBackend, &str) -> Result<T, String> + Send + 'static,
    ) -> Result<T, WorkspaceError> {
        let silence = || WorkspaceError::Keyring("does not answer".into());
        if self.silent.load(Ordering::Relaxed) {
            return Err(silence());
        }
        let (sender, receiver) = sync_channel(1);
        let (backend, workspace) = (Arc::clone(&self.backend), self.workspace.clone());
        std::thread::Builder::new()
            .name("keyring".into())
            .spawn(move || {
                // Nobody listens any more once patience has run out.
                let _ = sender.send(question(backend.as_ref(), &workspace));
            })
            .map_err(|error| WorkspaceError::Keyring(format!("could not be asked ({error})")))?;
        match receiver.recv_timeout(patience) {
            Ok(answer) => answer.map_err(WorkspaceError::Keyring),
            Err(RecvTimeoutError::Timeout) => {
                self.silent.store(true, Ordering::Relaxed);
                Err(silence())
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(WorkspaceError::Keyring("broke down while it was asked".into()))
            }
        }
    }
}

fn account(workspace: &str, name: SecretName) -> String {
    format!("{workspace}: {name}")
}

impl SecretStore for Keyring {
    fn get(&self, name: SecretName) -> Result<Option<SecretString>, WorkspaceError> {
        self.ask(self.patience, move |backend, workspace| backend.get(SERVICE, &account(workspace, name)))
    }

    fn set(&self, name: SecretName, value: &SecretString) -> Result<(), WorkspaceError> {
        let value = value.clone();
        self.ask(self.patience, move |backend, workspace| {
            backend.set(SERVICE, &account(workspace, name), &value)
        })
    }

    fn remove(&self, name: SecretName) -> Result<bool, WorkspaceError> {
        self.ask(self.patience, move |backend, workspace| backend.remove(SERVICE, &account(workspace, name)))
    }

    fn list(&self) -> Result<Vec<SecretName>, WorkspaceError> {
        self.ask(self.patience, |backend, workspace| {
            let mut found = Vec::new();
            for name in SecretName::all() {
                if backend.get(SERVICE, &account(workspace, name))?.is_some() {
                    found.push(name);
                }
            }
            Ok(found)
        })
    }

    fn kind(&self) -> SecretPlace {
        SecretPlace::Keyring
    }
}

#[cfg(test)]
pub(crate) mod fake {
    //! Keyrings for tests.

    use std::collections::HashMap;
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// One that works.
    #[derive(Default)]
    pub(crate) struct MemoryKeyring(Mutex<HashMap<(String, String), SecretString>>);

    impl KeyringBackend for MemoryKeyring {
        fn get(&self, service: &str, account: &str) -> Result<Option<SecretString>, String> {
            Ok(self.0.lock().unwrap().get(&(service.to_owned(), account.to_owned())).cloned())
        }

        fn set(&self, service: &str, account: &str, value: &SecretString) -> Result<(), String> {
            self.0.lock().unwrap().insert((service.to_owned(), account.to_owned()), value.clone());
            Ok(())
        }

        fn remove(&self, service: &str, account: &str) -> Result<bool, String> {
            Ok(self.0.lock().unwrap().remove(&(service.to_owned(), account.to_owned())).is_some())
        }
    }

    /// One that is not there.
    pub(crate) struct NoKeyring;

    impl KeyringBackend for NoKeyring {
        fn get(&self, _service: &str, _account: &str) -> Result<Option<SecretString>, String> {
            Err("is not there".into())
        }

        fn set(&self, _service: &str, _account: &str, _value: &SecretString) -> Result<(), String> {
            Err("is not there".into())
        }

        fn remove(&self, _service: &str, _account: &str) -> Result<bool, String> {
            Err("is not there".into())
        }
    }

    /// One that never answers, and counts how often it was asked.
    #[derive(Default)]
    pub(crate) struct HangingKeyring {
        pub(crate) asked: Mutex<usize>,
        never: Condvar,
    }

    impl HangingKeyring {
        fn hang(&self) -> ! {
            let mut asked = self.asked.lock().unwrap();
            *asked += 1;
            loop {
                asked = self.never.wait(asked).unwrap();
            }
        }
    }

    impl KeyringBackend for HangingKeyring {
        fn get(&self, _service: &str, _account: &str) -> Result<Option<SecretString>, String> {
            self.hang()
        }

        fn set(&self, _service: &str, _account: &str, _value: &SecretString) -> Result<(), String> {
            self.hang()
        }

        fn remove(&self, _service: &str, _account: &str) -> Result<bool, String> {
            self.hang()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::{HangingKeyring, MemoryKeyring, NoKeyring};
    use super::*;

    const NAME: SecretName = SecretName::SalesforcePassword;

    #[test]
    fn secrets_are_kept_for_each_workspace() {
        let backend: Arc<dyn KeyringBackend> = Arc::new(MemoryKeyring::default());
        let (one, other) = (Keyring::new(Arc::clone(&backend), "/one"), Keyring::new(backend, "/other"));
        assert!(one.answers());
        one.set(NAME, &SecretString::from("swordfish")).unwrap();
        assert_eq!(one.get(NAME).unwrap().unwrap().expose_secret(), "swordfish");
        assert_eq!(one.list().unwrap(), [NAME]);
        assert!(other.list().unwrap().is_empty());
        assert!(one.remove(NAME).unwrap());
        assert!(!one.remove(NAME).unwrap());
    }

    #[test]
    fn a_keyring_that_hangs_is_asked_only_once() {
        let backend = Arc::new(HangingKeyring::default());
        let keyring = Keyring::new(backend.clone(), "/one").with_patience(Duration::from_millis(20));
        assert!(!keyring.answers());
        let error = keyring.get(NAME).unwrap_err().to_string();
        assert!(error.contains("does not answer") && error.contains("vault"), "{error}");
        assert!(*backend.asked.lock().unwrap() <= 1);
    }

    #[test]
    fn a_missing_keyring_says_so() {
        let keyring = Keyring::new(Arc::new(NoKeyring), "/one");
        assert!(!keyring.answers());
        assert!(keyring.get(NAME).unwrap_err().to_string().contains("is not there"));
    }

    #[test]
    fn a_keyring_that_breaks_down_takes_nobody_with_it() {
        struct Broken;
        impl KeyringBackend for Broken {
            fn get(&self, _service: &str, _account: &str) -> Result<Option<SecretString>, String> {
                panic!("broken")
            }
            fn set(&self, _service: &str, _account: &str, _value: &SecretString) -> Result<(), String> {
                panic!("broken")
            }
            fn remove(&self, _service: &str, _account: &str) -> Result<bool, String> {
                panic!("broken")
            }
        }
        let error = Keyring::new(Arc::new(Broken), "/one").get(NAME).unwrap_err().to_string();
        assert!(error.contains("broke down"), "{error}");
    }
}
