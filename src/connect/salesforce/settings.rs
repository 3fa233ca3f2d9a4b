//! How an org is reached and signed in to. The settings file has its own types; `ops` turns those into these.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::refresh_tokens::RefreshTokens;
use crate::connect::budget::Ledger;
use crate::connect::http::HttpOptions;
use crate::domain::cost::Rates;

/// How an org is reached.
#[derive(Clone, Debug)]
pub struct SalesforceSettings {
    /// Where to sign in.
    pub environment: Environment,
    /// The way of signing in.
    pub sign_in: SignIn,
    /// The user name; client credentials and a refresh token need none.
    pub username: String,
    /// The consumer key of the app; the SOAP sign-in needs none.
    pub client_id: String,
    /// Where the refresh token is kept, which the org may replace at any renewal. Without it the one among the secrets is used, and a new
    /// one lives as long as this connection.
    pub refresh_tokens: Option<Arc<dyn RefreshTokens>>,
    /// The highest API version to use, such as `67.0`; the org may offer less.
    pub api_version: String,
    /// Of the org's daily API calls, the percentage that is left to others.
    pub api_reserve_percent: u8,
    /// Most calls in any hour, where the platform beside the org sets such a limit; 0 sets none.
    pub calls_per_hour: u64,
    /// Where the use of the org's calls is shared with other workspaces; without it every connection is on its own.
    pub ledger: Option<Ledger>,
    /// A PEM file with further certificate authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// Host names that are reached at a fixed address.
    pub resolve: Vec<(String, SocketAddr)>,
    /// The org that this connection belongs to; any other is refused.
    pub org_id: Option<String>,
    /// How long a call may take.
    pub timeout: Duration,
    /// How long after its stamp a change may become visible: the overlap of cursors.
    pub settle: Duration,
    /// How long a describe counts as current without asking. Reads of changes ask for it along the way, at no cost.
    pub schema_freshness: Duration,
    /// What calls and jobs cost, and from where on jobs are used.
    pub rates: Rates,
    /// Rows on a page of a job's results; the service's own choice without it.
    pub bulk_page_rows: Option<u64>,
    /// The largest upload of a job, in bytes. The service takes 150 MB after its own encoding, which adds half as much again.
    pub bulk_upload_bytes: usize,
    /// Makes the jitter of pauses repeatable in simulations.
    pub jitter_seed: Option<u64>,
}

impl SalesforceSettings {
    /// How calls to the org are made.
    pub(super) fn http_options(&self) -> HttpOptions {
        HttpOptions {
            ca_file: self.ca_file.clone(),
            resolve: self.resolve.clone(),
            timeout: self.timeout,
            jitter_seed: self.jitter_seed,
            ..HttpOptions::default()
        }
    }
}

impl Default for SalesforceSettings {
    fn default() -> Self {
        Self {
            environment: Environment::Production,
            sign_in: SignIn::ClientCredentials,
            username: String::new(),
            client_id: String::new(),
            refresh_tokens: None,
            api_version: "67.0".into(),
            api_reserve_percent: 20,
            calls_per_hour: 0,
            ledger: None,
            ca_file: None,
            resolve: Vec::new(),
            org_id: None,
            timeout: Duration::from_secs(120),
            settle: Duration::from_secs(600),
            schema_freshness: Duration::from_secs(24 * 3600),
            rates: Rates::default(),
            bulk_page_rows: None,
            bulk_upload_bytes: 100_000_000,
            jitter_seed: None,
        }
    }
}

/// Where to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Environment {
    /// `login.salesforce.com`
    Production,
    /// `test.salesforce.com`
    Sandbox,
    /// A My Domain or another address, such as `https://acme.my.salesforce.com`; a bare host name means https.
    Custom(String),
}

impl Environment {
    /// The address without a trailing slash.
    pub fn address(&self) -> String {
        match self {
            Self::Production => "https://login.salesforce.com".into(),
            Self::Sandbox => "https://test.salesforce.com".into(),
            Self::Custom(address) => {
                let address = address.trim().trim_end_matches('/');
                if address.contains("://") { address.to_owned() } else { format!("https://{address}") }
            }
        }
    }

    /// Whether it is one of the hosts that serve the sign-in of all orgs; client credentials don't work there.
    pub fn is_generic(&self) -> bool {
        let address = self.address().to_ascii_lowercase();
        address == "https://login.salesforce.com" || address == "https://test.salesforce.com"
    }
}

/// The way of signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// OAuth client credentials: consumer key and secret of an app with a run-as user. Works at the My Domain only.
    ClientCredentials,
    /// OAuth user name and password (with the security token), with consumer key and secret.
    Password,
    /// SOAP `login()`: user name, password and security token. Salesforce retires it in summer 2027.
    Soap,
    /// OAuth refresh token, with consumer key and, where the app wants it, its secret.
    RefreshToken,
}

/// The secrets of a connection. [`std::fmt::Debug`] prints none of them.
#[derive(Clone, Debug, Default)]
pub struct SalesforceSecrets {
    /// The user's password.
    pub password: Option<SecretString>,
    /// The user's security token, sent behind the password.
    pub security_token: Option<SecretString>,
    /// The consumer secret of the app.
    pub client_secret: Option<SecretString>,
    /// The refresh token.
    pub refresh_token: Option<SecretString>,
}
