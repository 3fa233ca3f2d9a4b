//! Secrets: their names, and where they come from.
//!
//! A secret is looked for in the environment first, then in the store that the settings choose. [`super::vault`] and
//! [`super::keyring`] are the stores, [`super::environment`] reads the variables.

mod name;

pub use self::name::{SecretName, UnknownSecret};
