//! The four fields that sign a call: account, random key, time, and a hash over key, account and secret.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// Signs calls for one account.
pub(super) struct Signer {
    client_id: String,
    secret: SecretString,
    keys: std::sync::Mutex<SmallRng>,
}

/// A signed body: the credentials beside the fields of the call, at one level.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Signed<'a, B: Serialize> {
    client_id: &'a str,
    api_key: String,
    request_time: i64,
    sha: String,
    owner: &'a str,
    #[serde(flatten)]
    body: &'a B,
}

impl Signer {
    pub(super) fn new(client_id: &str, secret: SecretString, seed: Option<u64>) -> Self {
        let keys = seed.map_or_else(|| SmallRng::from_rng(&mut rand::rng()), SmallRng::seed_from_u64);
        Self { client_id: client_id.trim().to_owned(), secret, keys: keys.into() }
    }

    /// Signs a body with a new key.
    pub(super) fn sign<'a, B: Serialize>(
        &'a self,
        owner: &'a str,
        now_ms: i64,
        body: &'a B,
    ) -> Signed<'a, B> {
        let key: u128 = self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner).random();
        let api_key = format!("{key:032x}");
        let sha = hash(&api_key, &self.client_id, &self.secret);
        Signed { client_id: &self.client_id, api_key, request_time: now_ms, sha, owner, body }
    }
}

/// Lower-case hex SHA-1 of key, account and secret, one after the other. The service prescribes it.
fn hash(api_key: &str, client_id: &str, secret: &SecretString) -> String {
    let mut text = String::with_capacity(128);
    text.push_str(api_key);
    text.push_str(client_id);
    text.push_str(secret.expose_secret());
    let sum = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let mut hex = String::with_capacity(40);
    for byte in sum.as_ref() {
        hex.extend(
            [byte >> 4, byte & 15].map(|nibble| char::from_digit(u32::from(nibble), 16).unwrap_or('0')),
        );
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    /// platform-salesmanago.md §2: small hex SHA-1 of key, account and secret.
    #[test]
    fn the_hash_runs_over_key_account_and_secret_without_separators() {
        // The well-known SHA-1 of "abc".
        assert_eq!(hash("a", "b", &"c".into()), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    /// platform-salesmanago.md §2: account, key, time, hash and owner stand beside the fields of the call.
    #[test]
    fn the_secret_does_not_travel_and_every_call_has_its_own_key() {
        let signer = Signer::new("account", "s3cret".into(), Some(1));
        let body = serde_json::json!({"page": 1});
        let first = serde_json::to_value(signer.sign("me@x", 17, &body)).unwrap();
        let second = serde_json::to_value(signer.sign("me@x", 17, &body)).unwrap();
        assert_ne!(first["apiKey"], second["apiKey"]);
        assert_eq!(first["page"], 1);
        assert_eq!(first["owner"], "me@x");
        assert_eq!(first["requestTime"], 17);
        assert!(!first.to_string().contains("s3cret"));
    }
}
