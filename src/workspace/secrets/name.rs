//! The names of secrets.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::domain::profile::{self, PlatformKind};
use crate::workspace::nearest::nearest;

/// A secret of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretName {
    /// The password of the integration user.
    SalesforcePassword,
    /// The security token that Salesforce wants behind the password from unknown networks.
    SalesforceSecurityToken,
    /// The consumer secret of the connected app.
    SalesforceClientSecret,
    /// What a sign-in in the browser left behind.
    SalesforceRefreshToken,
    /// The API secret of SALESmanago (F48).
    SalesmanagoApiSecret,
    /// A secret that the profile of a platform lists.
    Platform(PlatformSecret),
}

/// A secret that the profile of a platform lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlatformSecret {
    /// Which platform.
    pub kind: PlatformKind,
    /// The setting's name in the profile.
    pub setting: &'static str,
    word: &'static str,
    label: &'static str,
}

/// The secrets of all profiles; their words are made once.
static OF_PLATFORMS: LazyLock<Vec<PlatformSecret>> = LazyLock::new(|| {
    let of = |profile: &'static profile::Profile| {
        let kind = profile.kind.parse::<PlatformKind>().ok();
        profile.secrets().filter_map(move |setting| {
            Some(PlatformSecret {
                kind: kind?,
                setting: &setting.name,
                word: String::leak(format!("{}.{}", profile.kind, setting.name)),
                label: &setting.label,
            })
        })
    };
    profile::profiles().flat_map(of).collect()
});

impl SecretName {
    /// All of them, in the order in which they are shown.
    pub fn all() -> impl Iterator<Item = Self> {
        let own = [
            Self::SalesforcePassword,
            Self::SalesforceSecurityToken,
            Self::SalesforceClientSecret,
            Self::SalesforceRefreshToken,
            Self::SalesmanagoApiSecret,
        ];
        own.into_iter().chain(OF_PLATFORMS.iter().copied().map(Self::Platform))
    }

    /// The secret of a platform, by the setting's name in its profile.
    pub fn of_platform(kind: PlatformKind, setting: &str) -> Option<Self> {
        let found = OF_PLATFORMS.iter().find(|secret| secret.kind == kind && secret.setting == setting);
        found.copied().map(Self::Platform)
    }

    /// The platform it belongs to; `None` for the org's.
    pub fn platform(self) -> Option<PlatformKind> {
        match self {
            Self::SalesforcePassword
            | Self::SalesforceSecurityToken
            | Self::SalesforceClientSecret
            | Self::SalesforceRefreshToken => None,
            Self::SalesmanagoApiSecret => Some(PlatformKind::SALESMANAGO),
            Self::Platform(secret) => Some(secret.kind),
        }
    }

    /// The word used on the command line and in the stores, such as `salesforce.password`.
    pub fn word(self) -> &'static str {
        match self {
            Self::SalesforcePassword => "salesforce.password",
            Self::SalesforceSecurityToken => "salesforce.security_token",
            Self::SalesforceClientSecret => "salesforce.client_secret",
            Self::SalesforceRefreshToken => "salesforce.refresh_token",
            Self::SalesmanagoApiSecret => "salesmanago.api_secret",
            Self::Platform(secret) => secret.word,
        }
    }

    /// The name people see.
    pub fn label(self) -> &'static str {
        match self {
            Self::SalesforcePassword => "Password",
            Self::SalesforceSecurityToken => "Security token",
            Self::SalesforceClientSecret => "Client secret",
            Self::SalesforceRefreshToken => "Refresh token",
            Self::SalesmanagoApiSecret => "API Secret",
            Self::Platform(secret) => secret.label,
        }
    }

    /// The variable of the environment that gives it, such as `FORCESYNC_SALESFORCE_PASSWORD`.
    pub fn variable(self) -> String {
        format!("FORCESYNC_{}", self.word().replace('.', "_").to_ascii_uppercase())
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// A word that names no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{word}” is no secret{}; known are {}", .near.map(|near| format!(" (did you mean “{near}”?)")).unwrap_or_default(), known_words())]
pub struct UnknownSecret {
    /// What was written.
    pub word: String,
    /// The nearest known word.
    pub near: Option<&'static str>,
}

fn known_words() -> String {
    SecretName::all().map(SecretName::word).collect::<Vec<_>>().join(", ")
}

impl FromStr for SecretName {
    type Err = UnknownSecret;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let word = word.trim();
        Self::all().find(|name| name.word().eq_ignore_ascii_case(word)).ok_or_else(|| UnknownSecret {
            word: word.to_owned(),
            near: nearest(word, Self::all().map(Self::word)),
        })
    }
}

impl TryFrom<String> for SecretName {
    type Error = UnknownSecret;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        word.parse()
    }
}

impl From<SecretName> for String {
    fn from(name: SecretName) -> Self {
        name.word().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_has_a_variable() {
        for name in SecretName::all() {
            assert_eq!(name.word().parse(), Ok(name));
        }
        assert_eq!(SecretName::SalesmanagoApiSecret.variable(), "FORCESYNC_SALESMANAGO_API_SECRET");
    }

    #[test]
    fn a_mistyped_name_gets_the_nearest_one() {
        let error = "salesforce.pasword".parse::<SecretName>().unwrap_err();
        assert!(error.to_string().contains("did you mean “salesforce.password”?"), "{error}");
    }
}
