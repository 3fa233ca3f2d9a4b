//! What the settings file says, as types: connections, schedule, brakes, mappings.
//!
//! [`super::file`] reads and writes them, [`super::validate`] judges them. No secret is among them: those are in
//! [`super::secrets`].

mod audit;
mod bulk;
mod duration;
mod host_address;
mod platform;
mod push;
mod quiet_hours;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::audit::{AuditEvery, AuditSettings};
pub use self::bulk::{BulkSettings, BulkUse};
pub use self::duration::{DurationError, Every};
pub use self::host_address::{HostAddress, HostAddressError};
pub use self::platform::{PlatformConnection, PlatformValues, Told};
pub use self::push::{InboundSettings, PushStep};
pub use self::quiet_hours::{QuietHours, QuietHoursError};
use crate::domain::mapping::Mapping;
use crate::domain::profile::Interval;
pub use crate::domain::profile::PlatformKind;
use crate::domain::side::Side;

/// Everything the settings file says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The workspace itself.
    pub workspace: WorkspaceSettings,
    /// How to reach the org.
    pub salesforce: SalesforceConnection,
    /// How to reach the platform.
    pub platform: PlatformConnection,
    /// When automatic sync runs.
    pub schedule: Schedule,
    /// The brakes of a run.
    pub sync: SyncSettings,
    /// What is kept of the past.
    #[serde(skip_serializing_if = "HistorySettings::is_default")]
    pub history: HistorySettings,
    /// How it is made sure that no record is missed.
    pub audit: AuditSettings,
    /// Where pushed lines come in besides the command line.
    #[serde(skip_serializing_if = "InboundSettings::is_default")]
    pub inbound: InboundSettings,
    /// The mappings; their order is their precedence.
    #[serde(rename = "mapping")]
    pub mappings: Vec<Mapping>,
    /// The steps by which campaigns of the platform send changes to Salesforce.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub push: Vec<PushStep>,
}

impl Settings {
    /// The mapping of that name.
    pub fn mapping(&self, name: &str) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.name.eq_ignore_ascii_case(name))
    }
}

/// The workspace itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkspaceSettings {
    /// What the title line calls it.
    pub name: String,
    /// Where secrets are kept; without it in the keyring where one answers, else in the vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<SecretsPlace>,
}

/// Where secrets are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretsPlace {
    /// In the keyring of the operating system.
    Keyring,
    /// In the file `vault` of the workspace.
    Vault,
}

/// How to reach the org.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SalesforceConnection {
    /// Which sign-in host is meant.
    pub environment: Environment,
    /// The org's own address, such as `https://acme.my.salesforce.com`.
    pub my_domain: String,
    /// How to sign in.
    pub sign_in: SignIn,
    /// The integration user; not used by client credentials.
    pub username: String,
    /// The consumer key of the connected app; not used by SOAP.
    pub client_id: String,
    /// The port of this machine on which a sign-in by browser comes back; the app registers the address that [`callback_url`] makes of it.
    ///
    /// [`callback_url`]: SalesforceConnection::callback_url
    #[serde(skip_serializing_if = "is_usual_port")]
    pub callback_port: u16,
    /// The API version, such as `67.0`.
    pub api_version: String,
    /// The part of the org's daily API calls that is left to others.
    pub api_reserve_percent: u8,
    /// A file of certificates (PEM) to trust besides the system's; relative to the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The org that the first test found; another one behind the same settings stops all writes (law E17).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    /// Addresses to use for host names instead of asking the name service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolve: Vec<HostAddress>,
    /// When bulk jobs are used instead of single calls.
    #[serde(skip_serializing_if = "BulkSettings::is_default")]
    pub bulk: BulkSettings,
}

impl Default for SalesforceConnection {
    fn default() -> Self {
        Self {
            environment: Environment::default(),
            my_domain: String::new(),
            sign_in: SignIn::default(),
            username: String::new(),
            client_id: String::new(),
            callback_port: CALLBACK_PORT,
            api_version: "67.0".into(),
            api_reserve_percent: 20,
            ca_file: None,
            org_id: None,
            resolve: Vec::new(),
            bulk: BulkSettings::default(),
        }
    }
}

/// Where a sign-in by browser comes back, unless the settings name another port.
pub const CALLBACK_PORT: u16 = 8717;

fn is_usual_port(port: &u16) -> bool {
    *port == CALLBACK_PORT
}

impl SalesforceConnection {
    /// The address to which the org sends the browser back, exactly as the app registers it.
    pub fn callback_url(&self) -> String {
        format!("http://localhost:{}/callback", self.callback_port)
    }

    /// Where the sign-in begins: the My Domain address where there is one, else the host of the environment. `None` where a
    /// custom environment names no address yet.
    pub fn sign_in_address(&self) -> Option<String> {
        let own = self.my_domain.trim();
        if !own.is_empty() {
            return Some(super::address::with_scheme(own));
        }
        match self.environment {
            Environment::Production => Some("https://login.salesforce.com".into()),
            Environment::Sandbox => Some("https://test.salesforce.com".into()),
            Environment::Custom => None,
        }
    }
}

/// Which sign-in host is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A production or developer org.
    #[default]
    Production,
    /// A sandbox of an org.
    Sandbox,
    /// Whatever `my_domain` names.
    Custom,
}

/// How to sign in to the org.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignIn {
    /// OAuth by client id and secret; the connected app names the user.
    #[default]
    ClientCredentials,
    /// OAuth by client id and secret, user name, password and security token.
    UsernamePassword,
    /// SOAP `login()` by user name, password and security token.
    Soap,
    /// A person signs in once in a browser; the refresh token that this leaves behind opens every later session.
    Browser,
}

/// How to reach SALESmanago.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SalesmanagoConnection {
    /// The address of the API, such as `https://app2.salesmanago.com` (F46).
    pub endpoint: String,
    /// The client id (F47).
    pub client_id: String,
    /// The user whose account is used for the synchronization (F49).
    pub owner: String,
    /// The org's account to which new records are assigned; without it other users can't see them (F50).
    pub account_name: String,
    /// The id that the account name was resolved to when it was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The MicroSite key (F51); no effect on the synchronization.
    pub microsite_key: String,
    /// The landing page shown on synchronized records (F52).
    pub iframe_name: String,
    /// Most requests a second; 0 sets no limit.
    pub requests_per_second: f64,
    /// Most calls in any hour that the account allows; 0 if no limit is known (F121).
    pub calls_per_hour: u32,
    /// Most calls in any 24 hours that the account allows; 0 if no limit is known.
    pub calls_per_day: u32,
    /// Of these limits, the percentage that is left to others.
    pub reserve_percent: u8,
    /// Most rows of a write.
    pub batch_size: u32,
    /// Longest span of time a single feed request asks for, in days.
    pub max_window_days: u32,
    /// How far a feed reaches back behind its cursor, in seconds (law E4).
    pub overlap_seconds: u32,
    /// A file of certificates (PEM) to trust besides the system's; relative to the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Addresses to use for host names instead of asking the name service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolve: Vec<HostAddress>,
    /// How rows are sent.
    pub transport: Transport,
    /// Whether the account is a live one or one for tests; without it, one on this machine is what its org is, any other is live
    /// (law E17).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
}

/// What a platform's account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Real customers.
    Live,
    /// Tests.
    Test,
}

impl Default for SalesmanagoConnection {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            client_id: String::new(),
            owner: String::new(),
            account_name: String::new(),
            account_id: None,
            microsite_key: String::new(),
            iframe_name: String::new(),
            requests_per_second: 5.0,
            calls_per_hour: 0,
            calls_per_day: 0,
            reserve_percent: 20,
            batch_size: 400,
            max_window_days: 30,
            overlap_seconds: 120,
            ca_file: None,
            resolve: Vec::new(),
            transport: Transport::default(),
            account: None,
        }
    }
}

/// How rows are sent to SALESmanago.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Each batch is answered row by row.
    #[default]
    PerRow,
    /// Batches are taken over as jobs and polled; faster, and rows are read back.
    Async,
}

/// When automatic sync runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Whether it runs at all (F58).
    pub automatic: bool,
    /// How often.
    pub every: Every,
    /// How often the platform's changes are brought to the org, where that is another interval (F12).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_to_org: Option<Every>,
    /// How often the org's changes are brought to the platform, where that is another interval (F14).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_to_platform: Option<Every>,
    /// The hours in which it rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<QuietHours>,
}

fn every_seconds(seconds: u64) -> Every {
    Every::seconds(u32::try_from(seconds).unwrap_or(u32::MAX))
}

impl Schedule {
    /// How often the changes of a side are read.
    pub fn every_from(&self, side: Side) -> Every {
        match side {
            Side::Org => self.every_to_platform,
            Side::Platform => self.every_to_org,
        }
        .unwrap_or(self.every)
    }

    /// Whether each direction has an interval of its own.
    pub fn differs(&self) -> bool {
        self.every_from(Side::Org) != self.every_from(Side::Platform)
    }

    /// The intervals of a platform's profile in place of those that stand here.
    pub fn follow(&mut self, interval: &Interval) {
        self.every = every_seconds(interval.default_seconds);
        self.every_to_org = interval.to_org_seconds.map(every_seconds);
        self.every_to_platform = interval.to_platform_seconds.map(every_seconds);
    }
}

/// `5m`, or `30m from Salesforce, 1h to Salesforce`.
impl std::fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = (self.every_from(Side::Org), self.every_from(Side::Platform));
        if from == to {
            write!(formatter, "{from}")
        } else {
            write!(formatter, "{from} from Salesforce, {to} to Salesforce")
        }
    }
}

/// The brakes: a run that would do more of a kind than this part of all linked records stops and asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncSettings {
    /// Creates.
    pub create_percent: u8,
    /// Updates.
    pub update_percent: u8,
    /// Filled values turned blank.
    pub blank_percent: u8,
    /// Deletions.
    pub delete_percent: u8,
    /// Opt-outs.
    pub opt_out_percent: u8,
    /// Up to this many lines of a kind never brake.
    pub minimum: u32,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            create_percent: 10,
            update_percent: 50,
            blank_percent: 5,
            delete_percent: 1,
            opt_out_percent: 5,
            minimum: 20,
        }
    }
}

/// What is kept of the past; bases are kept as long as their records are linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistorySettings {
    /// How many days history and log are kept; 0 for ever.
    pub retention_days: u32,
}

impl HistorySettings {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self { retention_days: 90 }
    }
}
