//! Secrets in an encrypted file.
