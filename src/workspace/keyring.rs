//! Secrets in the keyring.
