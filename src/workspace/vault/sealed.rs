//! One sealed entry.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::key::{VaultKey, fill};
use crate::workspace::error::WorkspaceError;

/// Bytes of a nonce; long enough that random ones never meet.
const NONCE_LENGTH: usize = 24;

/// A sealed text, in base64.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sealed {
    nonce: String,
    sealed: String,
}

/// What is authenticated beside the text: the purpose, the version and the entry's name.
fn associated(name: &str) -> Vec<u8> {
    format!("forcesync vault 1: {name}").into_bytes()
}

fn cipher(key: &VaultKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key.expose_secret()))
}

impl Sealed {
    /// Seals a text under a name.
    pub(super) fn seal(key: &VaultKey, name: &str, text: &SecretString) -> Result<Self, WorkspaceError> {
        let mut nonce = [0; NONCE_LENGTH];
        fill(&mut nonce)?;
        let payload = Payload { msg: text.expose_secret().as_bytes(), aad: &associated(name) };
        let sealed = cipher(key)
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_too_long| WorkspaceError::NoKey("the secret is too long to be sealed"))?;
        Ok(Self { nonce: STANDARD.encode(nonce), sealed: STANDARD.encode(sealed) })
    }

    /// The text, `None` where the key is another one or anything was changed.
    pub(super) fn open(&self, key: &VaultKey, name: &str) -> Option<SecretString> {
        let nonce: [u8; NONCE_LENGTH] = STANDARD.decode(&self.nonce).ok()?.try_into().ok()?;
        let sealed = STANDARD.decode(&self.sealed).ok()?;
        let payload = Payload { msg: &sealed, aad: &associated(name) };
        let text = Zeroizing::new(cipher(key).decrypt(&XNonce::from(nonce), payload).ok()?);
        Some(SecretString::from(std::str::from_utf8(&text).ok()?))
    }
}
