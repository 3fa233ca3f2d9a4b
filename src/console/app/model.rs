//! What the console keeps of answers that come from outside: shapes of its own, filled by `effects`.

use std::fmt;

use chrono::{DateTime, FixedOffset, Utc};

use crate::domain::report::CheckLine;
use crate::ops::secrets;

/// Something that is read in the background.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Load<T> {
    /// Asked for, not there yet.
    #[default]
    Waiting,
    /// There.
    Ready(T),
    /// Not there, and why.
    Failed(String),
}

impl<T> Load<T> {
    /// The thing, if it is there.
    pub fn ready(&self) -> Option<&T> {
        match self {
            Self::Ready(thing) => Some(thing),
            Self::Waiting | Self::Failed(_) => None,
        }
    }
}

impl<T, E: fmt::Display> From<Result<T, E>> for Load<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(thing) => Self::Ready(thing),
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

/// Where a secret is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretPlace {
    /// Nowhere.
    #[default]
    Absent,
    /// In a `FORCESYNC_…` variable.
    Environment,
    /// In the keyring of the operating system.
    Keyring,
    /// In the vault of the workspace.
    Vault,
}

impl From<secrets::SecretPlace> for SecretPlace {
    fn from(place: secrets::SecretPlace) -> Self {
        match place {
            secrets::SecretPlace::Absent => Self::Absent,
            secrets::SecretPlace::Environment => Self::Environment,
            secrets::SecretPlace::Keyring => Self::Keyring,
            secrets::SecretPlace::Vault => Self::Vault,
        }
    }
}

/// What a connection test found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestReport {
    /// Whether the side can be used.
    pub passed: bool,
    /// Line by line.
    pub lines: Vec<CheckLine>,
    /// Users of the platform, for the picker.
    pub owners: Vec<String>,
    /// The org behind the connection.
    pub org: Option<OrgSummary>,
    /// The org's API calls of today: used, and the limit.
    pub api_budget: Option<(u64, u64)>,
}

/// The org as the title line shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrgSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its edition.
    pub edition: String,
    /// Whether it is a sandbox.
    pub sandbox: bool,
    /// The user we are signed in as.
    pub user: String,
}

/// Where the engine is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// Being looked for.
    #[default]
    Looking,
    /// In this process.
    Here,
    /// In another process, reached over its socket.
    Elsewhere,
    /// Nowhere that we can reach, and why.
    Unavailable(String),
}

impl Engine {
    /// Whether it can be asked.
    pub fn answers(&self) -> bool {
        match self {
            Self::Here | Self::Elsewhere => true,
            Self::Looking | Self::Unavailable(_) => false,
        }
    }
}

/// Whether anything may be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Look, don't touch.
    ReadOnly,
    /// Everything.
    #[default]
    ReadWrite,
}

/// In which zone moments are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// The zone of this machine.
    #[default]
    Local,
    /// Universal time; for tests.
    Universal,
}

impl Zone {
    /// A moment in this zone.
    pub fn at(self, moment: DateTime<Utc>) -> DateTime<FixedOffset> {
        match self {
            Self::Local => moment.with_timezone(&chrono::Local).fixed_offset(),
            Self::Universal => moment.fixed_offset(),
        }
    }
}
