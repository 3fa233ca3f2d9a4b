//! What a connection to SALESmanago needs to be told, as plain data; the settings file's own types are turned into these.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::connect::budget::Ledger;
use crate::connect::platform::profile::Limits;
use crate::domain::port::{PortClass, PortError};

/// Everything but the secret.
#[derive(Clone, Debug, PartialEq)]
pub struct SalesmanagoSettings {
    /// The account's server, with or without `/api` at its end (F46).
    pub endpoint: String,
    /// The account (F47).
    pub client_id: String,
    /// The user whose contacts are synchronized (F49).
    pub owner: String,
    /// The Salesforce account that new contacts are put under (F50); the client itself has no use for it.
    pub account_name: Option<String>,
    /// That account's id, once it was looked up.
    pub account_id: Option<String>,
    /// Only kept for the page layouts in the org (F51).
    pub microsite_key: Option<String>,
    /// Only kept for the page layouts in the org (F52).
    pub iframe_name: Option<String>,
    /// Calls a second; 0 switches the pacing off.
    pub requests_per_second: f64,
    /// Calls in any hour; 0 if no limit is known.
    pub calls_per_hour: u64,
    /// Calls in any 24 hours; 0 if no limit is known.
    pub calls_per_day: u64,
    /// Of these limits, the percentage that is left to others.
    pub reserve_percent: u8,
    /// Where the use of the account is shared with other workspaces; without it every connection is on its own.
    pub ledger: Option<Ledger>,
    /// Most rows of one write.
    pub batch_size: usize,
    /// Longest window of a "changed since" call.
    pub max_window_days: u32,
    /// How long after its stamp a change may become visible.
    pub overlap_seconds: u64,
    /// How batches are written.
    pub transport: Transport,
    /// How long one call may take.
    pub timeout: Duration,
    /// A PEM file with further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// Host names that are reached at a fixed address.
    pub resolve: Vec<(String, SocketAddr)>,
    /// Makes request keys and the jitter of pauses repeatable in simulations.
    pub seed: Option<u64>,
}

/// How batches are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// `batchupsert`, which answers for each row.
    #[default]
    PerRow,
    /// `batchupsertv2`, a job that is polled, and the only one that can keep workflows from firing.
    Async,
}

/// The secret.
#[derive(Clone, Debug)]
pub struct SalesmanagoSecrets {
    /// Signs every call and never travels (F48).
    pub api_secret: SecretString,
}

impl Default for SalesmanagoSettings {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            client_id: String::new(),
            owner: String::new(),
            account_name: None,
            account_id: None,
            microsite_key: None,
            iframe_name: None,
            requests_per_second: 5.0,
            calls_per_hour: 0,
            calls_per_day: 0,
            reserve_percent: 20,
            ledger: None,
            batch_size: 400,
            max_window_days: 30,
            overlap_seconds: 120,
            transport: Transport::PerRow,
            timeout: Duration::from_secs(120),
            ca_file: None,
            resolve: Vec::new(),
            seed: None,
        }
    }
}

/// The most rows that anybody has seen a batch take.
const LARGEST_BATCH: usize = 1000;

impl SalesmanagoSettings {
    /// Settings with the limits of the platform's profile.
    pub fn with_limits(limits: &Limits) -> Self {
        Self {
            requests_per_second: limits.requests_per_second,
            calls_per_hour: limits.per_hour,
            calls_per_day: limits.per_day,
            batch_size: limits.batch_rows,
            max_window_days: limits.window_days,
            overlap_seconds: limits.overlap_seconds,
            ..Self::default()
        }
    }

    /// The address that all calls begin with, such as `https://app2.salesmanago.com/api`.
    pub fn base(&self) -> Result<String, PortError> {
        let given = self.endpoint.trim().trim_end_matches('/');
        let given = given.strip_suffix("/api").unwrap_or(given).trim_end_matches('/');
        if given.is_empty() {
            return Err(missing("Endpoint", "the address of your SALESmanago server"));
        }
        let with_scheme = if given.contains("://") { given.to_owned() } else { format!("https://{given}") };
        Ok(format!("{with_scheme}/api"))
    }

    /// Refuses what can't work, before anything is sent.
    pub fn check(&self) -> Result<(), PortError> {
        self.base()?;
        if self.client_id.trim().is_empty() {
            return Err(missing("Client Id", "it stands in SALESmanago under Integration, API"));
        }
        if self.owner.trim().is_empty() {
            return Err(missing("Data Owner", "the e-mail address of a SALESmanago user"));
        }
        if !self.requests_per_second.is_finite() || self.requests_per_second < 0.0 {
            return Err(wrong("requests_per_second has to be 0 (no pacing) or more."));
        }
        if !(1..=LARGEST_BATCH).contains(&self.batch_size) {
            return Err(wrong("batch_size has to be between 1 and 1000."));
        }
        if !(1..=3650).contains(&self.max_window_days) {
            return Err(wrong("max_window_days has to be between 1 and 3650."));
        }
        Ok(())
    }

    pub(super) fn overlap(&self) -> Duration {
        Duration::from_secs(self.overlap_seconds)
    }
}

fn missing(setting: &str, help: &str) -> PortError {
    PortError::new(
        PortClass::Settings,
        "SETTING_MISSING",
        format!("The SALESmanago connection has no {setting}; fill it in ({help})."),
    )
}

fn wrong(sentence: &str) -> PortError {
    PortError::new(PortClass::Settings, "SETTING_WRONG", format!("In the SALESmanago connection, {sentence}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn settings(endpoint: &str) -> SalesmanagoSettings {
        SalesmanagoSettings {
            endpoint: endpoint.into(),
            client_id: "abc".into(),
            owner: "me@acme.example".into(),
            ..SalesmanagoSettings::default()
        }
    }

    #[rstest]
    #[case("https://app2.salesmanago.com")]
    #[case("https://app2.salesmanago.com/")]
    #[case("https://app2.salesmanago.com/api")]
    #[case(" https://app2.salesmanago.com/api/ ")]
    #[case("app2.salesmanago.com")]
    fn the_endpoint_may_end_in_api_or_not(#[case] endpoint: &str) {
        assert_eq!(settings(endpoint).base().unwrap(), "https://app2.salesmanago.com/api");
    }

    #[test]
    fn each_missing_setting_has_its_own_sentence() {
        let sentence = |settings: SalesmanagoSettings| settings.check().unwrap_err().message;
        assert!(sentence(settings(" ")).contains("no Endpoint"));
        assert!(
            sentence(SalesmanagoSettings { client_id: String::new(), ..settings("x") })
                .contains("no Client Id")
        );
        assert!(
            sentence(SalesmanagoSettings { owner: String::new(), ..settings("x") }).contains("no Data Owner")
        );
        assert!(sentence(SalesmanagoSettings { batch_size: 0, ..settings("x") }).contains("batch_size"));
    }

    #[test]
    fn the_defaults_are_those_of_the_profile() {
        let profile = crate::connect::platform::profile::profile("salesmanago").unwrap();
        assert_eq!(SalesmanagoSettings::with_limits(&profile.limits), SalesmanagoSettings::default());
    }

    #[test]
    fn the_secret_is_never_shown() {
        let secrets = SalesmanagoSecrets { api_secret: "s3cret".into() };
        assert!(!format!("{secrets:?}").contains("s3cret"));
    }
}
