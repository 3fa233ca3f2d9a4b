//! The platforms beside the org: the client of each, the [`Platform`] that all of them are, and the list by which one is opened.
//!
//! What each can do stands in its profile ([`profile`]); [`default_mappings`] are those that a new workspace starts with. How a platform
//! is added is told in [`crate::domain::profile`]; here it needs a module and a line in [`CONNECTORS`].

pub mod csv;
pub mod default_mappings;
pub mod deployteq;
pub mod learndot;
mod line;
pub mod novoed;
pub mod salesmanago;
pub mod spotio;
pub mod webhooks;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::connect::budget::{Budget, Ledger, Rules};
use crate::connect::http::HttpOptions;
use crate::domain::clock::Clock;
use crate::domain::port::{Endpoint, Notes, PortClass, PortError};
pub use crate::domain::profile;
use crate::domain::profile::Told;
use crate::domain::report::{CheckLine, Verdict};
use crate::domain::side::Side;

/// The clients, by the word of the settings file. SALESmanago's is opened by its own typed settings.
pub const CONNECTORS: &[(&str, Connector)] = &[
    ("learndot", learndot::open),
    ("deployteq", deployteq::open),
    ("spotio", spotio::open),
    ("novoed", novoed::open),
    ("csv", csv::open),
];

/// Prepares a connection; nothing is sent before the first call.
pub type Connector = fn(&Opening<'_>) -> Result<Arc<dyn Platform>, PortError>;

/// A connection to a platform: both halves of a side, and what people want to know of it.
#[async_trait]
pub trait Platform: Endpoint {
    /// What limits the calls.
    fn budget(&self) -> &Budget;

    /// Signs in and looks around, as patiently as a person who waits.
    async fn examine(&self) -> Result<Examined, PortError>;

    /// Lends a place for what has to be remembered from run to run; most platforms need none.
    fn lend(&self, _notes: Arc<dyn Notes>) {}

    /// What the service delivers by itself; nothing where it delivers nothing.
    fn webhooks(&self) -> Option<&dyn webhooks::Webhooks> {
        None
    }

    /// Sends one record so that its receiver can be set up (F110).
    async fn sample(
        &self,
        _object: &str,
        _row: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Sampled, PortError> {
        let sentence = "This platform has no receivers that wait for a first record.";
        Err(PortError::new(PortClass::Settings, "NO_RECEIVER", sentence))
    }
}

/// What a receiver made of a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampled {
    /// The id under which it was stored; nothing while the receiver waits to be mapped.
    pub id: Option<String>,
    /// What it answered.
    pub echoed: serde_json::Value,
}

/// What a test of a connection found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// What was looked at, one sentence each; a bad one means that the connection can't be used yet.
    pub lines: Vec<CheckLine>,
    /// The users of the account, where one has to be chosen.
    pub users: Vec<String>,
    /// Whether something has still to be filled in.
    pub unfinished: bool,
    /// What has to be true of the org besides.
    pub org: OrgWish,
}

/// What a platform wants of the org beyond rights on objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrgWish {
    /// The e-mail address of the platform's admin, who must be the org's admin as well (F36, F37).
    pub admin: Option<String>,
    /// What to know where the org is a sandbox (F41).
    pub sandbox: Option<&'static str>,
}

impl Examined {
    /// Adds a sentence; `field` is the setting beside which it belongs.
    pub fn line(&mut self, verdict: Verdict, message: impl Into<String>, field: Option<&str>) {
        self.lines.push(CheckLine {
            verdict,
            subject: "platform".into(),
            message: message.into(),
            field: field.map(str::to_owned),
        });
    }

    /// Something that is well.
    pub fn good(&mut self, message: impl Into<String>) {
        self.line(Verdict::Good, message, None);
    }

    /// How far the server's clock is ahead of this machine's, and whether that is too much to be passed over.
    pub fn clock(&mut self, skew: Option<chrono::TimeDelta>, overlap_seconds: u64) {
        let Some(skew) = skew else { return };
        let seconds = skew.num_milliseconds() as f64 / 1000.0;
        let line = format!("The server's clock differs from this machine's by {seconds:.1} s.");
        if seconds.abs() > overlap_seconds.max(60) as f64 {
            let advice = format!("{line} Set this machine's clock by the network (NTP).");
            self.line(Verdict::Warning, advice, None);
        } else {
            self.good(line);
        }
    }
}

/// What a connection is opened with.
pub struct Opening<'a> {
    /// Its settings.
    pub told: Told<'a>,
    /// Its secrets, by their names in the profile.
    pub secrets: &'a [(&'static str, SecretString)],
    /// A file of certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The workspace's folder, at which relative paths begin.
    pub folder: PathBuf,
    /// Host names that are reached at a fixed address.
    pub resolve: Vec<(String, SocketAddr)>,
    /// Where the use of the account is shared with other workspaces; without it every connection is on its own.
    pub ledger: Option<Ledger>,
    /// Objects and fields of the platform that the mappings use; those below an open prefix stand in no profile.
    pub fields: Vec<(String, String)>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Opening<'_> {
    /// What this platform offers.
    pub fn profile(&self) -> Result<&'static profile::Profile, PortError> {
        profile::profile(self.told.kind.word())
            .map_err(|error| PortError::new(PortClass::Settings, "PROFILE", format!("{error}.")))
    }

    /// A secret by its name in the profile; blank where none is set.
    pub fn secret(&self, name: &str) -> SecretString {
        let found = self.secrets.iter().find(|(known, _)| *known == name);
        found.map(|(_, secret)| secret.clone()).unwrap_or_default()
    }

    /// The address of the service with a scheme and without a slash at its end.
    pub fn endpoint(&self) -> Result<String, PortError> {
        let given = self.told.text("endpoint");
        let given = given.trim_end_matches('/');
        if given.is_empty() {
            let label = self.told.kind.label();
            return Err(PortError::new(
                PortClass::Settings,
                "SETTING_MISSING",
                format!("The {label} connection has no address; fill it in."),
            ));
        }
        Ok(if given.contains("://") { given.to_owned() } else { format!("https://{given}") })
    }

    /// How the one HTTP client is set up.
    pub fn http(&self) -> HttpOptions {
        HttpOptions { ca_file: self.ca_file.clone(), resolve: self.resolve.clone(), ..HttpOptions::default() }
    }

    /// The budget of the account.
    pub fn budget(&self) -> Budget {
        let percent = u8::try_from(self.told.whole("reserve_percent")).unwrap_or(100);
        let rules = Rules {
            side: Side::Platform,
            owner: self.told.kind.label(),
            reserve_percent: percent,
            reserve_setting: "reserve_percent",
            per_hour: self.told.whole("calls_per_hour"),
            per_day: self.told.whole("calls_per_day"),
            logins_per_hour: 0,
        };
        Budget::new(rules, self.ledger.clone())
    }
}

/// Opens a connection to the platform that the settings name.
pub fn open(opening: &Opening<'_>) -> Result<Arc<dyn Platform>, PortError> {
    let word = opening.told.kind.word();
    match CONNECTORS.iter().find(|(known, _)| *known == word) {
        Some((_, connect)) => connect(opening),
        None => Err(PortError::new(
            PortClass::Settings,
            "NO_CLIENT",
            format!("This build has no client for “{word}”; choose another platform in Connection Settings."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_has_a_client_and_every_client_a_profile() {
        for (kind, _) in profile::PROFILES.iter().filter(|(kind, _)| *kind != salesmanago::KIND) {
            assert!(CONNECTORS.iter().any(|(known, _)| known == kind), "{kind} has no client");
        }
        for (kind, _) in CONNECTORS {
            assert!(profile::profile(kind).is_ok(), "{kind} has no profile");
        }
    }
}
