//! Secrets from variables.
