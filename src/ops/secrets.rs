//! Where each secret is, and changing that. A value only ever goes in, or on to a connection.

use std::sync::Arc;

use secrecy::SecretString;

use crate::domain::side::Side;
use crate::ops::connections::{KnownSecrets, used_secrets};
use crate::ops::error::{OpClass, OpError};
use crate::ops::session::{Access, Session};
use crate::workspace::WorkspaceError;
use crate::workspace::secrets::Secrets;
pub use crate::workspace::secrets::{SecretName, SecretPlace};
pub use crate::workspace::settings::SecretsPlace;
use crate::workspace::settings::Settings;

/// Where each secret is, in the order in which they are shown.
pub async fn states(session: &Session) -> Result<Vec<(SecretName, SecretPlace)>, OpError> {
    let chosen = session.settings().platform.kind;
    let mut states = blocking(session, Secrets::states).await?;
    // Of a platform that was not chosen, only what is kept is worth a line.
    states.retain(|(name, place)| {
        *place != SecretPlace::Absent || name.platform().is_none_or(|kind| kind == chosen)
    });
    Ok(states)
}

/// Whether a passphrase has to be entered before secrets can be read or kept.
pub async fn needs_passphrase(session: &Session) -> Result<bool, OpError> {
    blocking(session, |secrets| Ok(secrets.needs_passphrase())).await
}

/// Takes the passphrase of the vault.
pub async fn unlock(session: &Session, passphrase: SecretString) -> Result<(), OpError> {
    blocking(session, move |secrets| secrets.unlock(passphrase)).await
}

/// Keeps a secret, and tells where.
pub async fn set(session: &Session, name: SecretName, value: SecretString) -> Result<SecretPlace, OpError> {
    writable(session)?;
    keep(session, name, value).await
}

/// A secret, for a connection.
pub(crate) async fn get(session: &Session, name: SecretName) -> Result<Option<SecretString>, OpError> {
    blocking(session, move |secrets| secrets.get(name)).await
}

/// Keeps a secret that the other side has replaced, even where a person may change nothing: the old one is dead.
pub(crate) async fn keep(
    session: &Session,
    name: SecretName,
    value: SecretString,
) -> Result<SecretPlace, OpError> {
    blocking(session, move |secrets| {
        secrets.set(name, &value)?;
        Ok(match secrets.place() {
            SecretsPlace::Keyring => SecretPlace::Keyring,
            SecretsPlace::Vault => SecretPlace::Vault,
        })
    })
    .await
}

/// Forgets a secret.
pub async fn remove(session: &Session, name: SecretName) -> Result<(), OpError> {
    writable(session)?;
    if blocking(session, move |secrets| secrets.remove(name)).await? {
        Ok(())
    } else {
        Err(OpError::failed(format!("{name} is not set, so there is nothing to forget.")).code("no_secret"))
    }
}

/// Moves all secrets to another place, which the settings name from then on; tells which ones were moved.
pub async fn move_all(session: &Session, to: SecretsPlace) -> Result<Vec<SecretName>, OpError> {
    writable(session)?;
    let moved = blocking(session, move |secrets| secrets.move_to(to)).await?;
    let mut settings = session.settings();
    settings.workspace.secrets = Some(to);
    session.with_file(|file| file.save(&settings))?;
    session.open_secrets();
    Ok(moved)
}

/// What a side needs to sign in: typed values first, then what is stored.
pub(crate) async fn read(
    session: &Session,
    settings: &Settings,
    side: Side,
    typed: &[(SecretName, SecretString)],
) -> Result<KnownSecrets, OpError> {
    let names = used_secrets(settings, side);
    let mut known: Vec<(SecretName, SecretString)> =
        typed.iter().filter(|(name, _)| names.contains(name)).cloned().collect();
    let missing: Vec<SecretName> =
        names.into_iter().filter(|name| !known.iter().any(|(typed, _)| typed == name)).collect();
    let stored = blocking(session, move |secrets| {
        let mut found = Vec::new();
        for name in missing {
            if let Some(value) = secrets.get(name)? {
                found.push((name, value));
            }
        }
        Ok(found)
    })
    .await?;
    known.extend(stored);
    Ok(KnownSecrets::new(known))
}

fn writable(session: &Session) -> Result<(), OpError> {
    match session.access() {
        Access::ReadWrite => Ok(()),
        Access::ReadOnly => {
            Err(OpError::settings("The workspace was opened read-only; no secret was changed.")
                .code("read_only"))
        }
    }
}

/// Stores may ask another process or make a key, so they are asked off the async threads.
async fn blocking<T: Send + 'static>(
    session: &Session,
    ask: impl FnOnce(&Secrets) -> Result<T, WorkspaceError> + Send + 'static,
) -> Result<T, OpError> {
    let secrets: Arc<Secrets> = session.secrets();
    match tokio::task::spawn_blocking(move || ask(&secrets)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            let code = match &error {
                WorkspaceError::PassphraseNeeded => "passphrase_needed",
                WorkspaceError::WrongPassphrase(_) | WorkspaceError::WrongKeyFile(_) => "wrong_passphrase",
                WorkspaceError::VaultDamaged { .. } | WorkspaceError::VaultTampered { .. } => "vault_damaged",
                WorkspaceError::OpenToOthers { .. } => "open_to_others",
                WorkspaceError::FromEnvironment(_) => "from_environment",
                _ => "secrets",
            };
            Err(OpError::from(error).code(code))
        }
        Err(error) => Err(OpError::new(OpClass::Failed, format!("The secrets could not be read: {error}."))),
    }
}
