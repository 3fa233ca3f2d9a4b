//! The platform that a workspace has chosen: a word that has a profile.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{PROFILES, Profile, ProfileError, profile};

/// Which platform it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlatformKind(&'static str);

impl PlatformKind {
    /// SALESmanago, whose settings have types of their own.
    pub const SALESMANAGO: Self = Self("salesmanago");

    /// All of them, in the order in which they are offered.
    pub fn all() -> impl Iterator<Item = Self> {
        PROFILES.iter().map(|(word, _)| Self(word))
    }

    /// The word of the settings file.
    pub fn word(self) -> &'static str {
        self.0
    }

    /// What it offers; nothing only in a damaged build.
    pub fn profile(self) -> Option<&'static Profile> {
        profile(self.0).ok()
    }

    /// The name people know it by.
    pub fn label(self) -> &'static str {
        self.profile().map_or(self.0, |profile| profile.label.as_str())
    }
}

impl Default for PlatformKind {
    fn default() -> Self {
        Self::SALESMANAGO
    }
}

impl fmt::Display for PlatformKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl FromStr for PlatformKind {
    type Err = ProfileError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        profile(word.trim())?;
        Self::all()
            .find(|kind| kind.0 == word.trim())
            .ok_or(ProfileError::Unknown(word.into(), String::new()))
    }
}

impl TryFrom<String> for PlatformKind {
    type Error = ProfileError;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        word.parse()
    }
}

impl From<PlatformKind> for String {
    fn from(kind: PlatformKind) -> Self {
        kind.0.to_owned()
    }
}
