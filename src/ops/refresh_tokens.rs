//! Keeps the refresh token of a sign-in by browser where the secrets are, whoever renews the session.

use std::fs::File;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::connect::salesforce::{RefreshTokens, Turn};
use crate::domain::port::{PortClass, PortError};
use crate::ops::secrets::{self, SecretName};
use crate::ops::session::Session;
use crate::workspace::private_file;

/// The file whose lock says whose turn it is, in this process and others.
const LOCK: &str = "sign_in.lock";

/// A refresh token that could not be kept, as one that comes from a variable can't.
#[derive(Debug, Default)]
pub(crate) struct Unkept(Mutex<Option<(SecretString, SecretString)>>);

impl Unkept {
    /// The token that was there, and the one that counts.
    fn get(&self) -> Option<(SecretString, SecretString)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, tokens: Option<(SecretString, SecretString)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = tokens;
    }
}

/// The refresh token of a workspace.
#[derive(Debug)]
pub(crate) struct KeptTokens {
    session: Session,
}

impl KeptTokens {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// Waits for the lock, off the async threads. Where the folder can't be written in, nobody waits for anybody.
    async fn lock(&self) -> Option<File> {
        let path = self.session.folder().join(LOCK);
        let locked = tokio::task::spawn_blocking(move || {
            let file = private_file::open_or_create(&path)?;
            file.lock()?;
            Ok::<_, std::io::Error>(file)
        });
        match locked.await {
            Ok(Ok(file)) => Some(file),
            Ok(Err(error)) => {
                tracing::warn!(%error, "The session is renewed without a lock.");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "The session is renewed without a lock.");
                None
            }
        }
    }
}

#[async_trait]
impl RefreshTokens for KeptTokens {
    async fn turn(&self) -> Result<Turn, PortError> {
        let guard = self.lock().await;
        let stored = secrets::get(&self.session, SecretName::SalesforceRefreshToken)
            .await
            .map_err(|error| PortError::new(PortClass::Settings, error.code, error.message))?;
        let token = match (stored, self.session.unkept().get()) {
            // What is there is dead unless somebody put another one there.
            (Some(stored), Some((dead, new))) if stored.expose_secret() == dead.expose_secret() => Some(new),
            (stored, _) => stored,
        };
        Ok(Turn { token, guard: guard.map(|file| Box::new(file) as Box<dyn Send + Sync>) })
    }

    async fn keep(&self, token: &SecretString) {
        let name = SecretName::SalesforceRefreshToken;
        match secrets::keep(&self.session, name, token.clone()).await {
            Ok(_) => self.session.unkept().set(None),
            Err(error) => {
                tracing::error!(
                    message = %error.message,
                    "The org gave a new refresh token that could not be kept; sign in by browser again after the next start."
                );
                if let Ok(Some(dead)) = secrets::get(&self.session, name).await {
                    self.session.unkept().set(Some((dead, token.clone())));
                }
            }
        }
    }
}
