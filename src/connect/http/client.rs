//! Builds the underlying clients: one that honours the system's proxies, one for loopback and fixed addresses that does not.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Url};

use super::error::HttpError;
use super::{HttpOptions, install_crypto_provider};

const MOST_REDIRECTS: usize = 5;

/// Both clients, built at their first use: loading the system's authorities takes milliseconds that a loopback call can spare.
pub(super) struct Clients {
    certificates: Vec<Certificate>,
    resolve: Vec<(String, SocketAddr)>,
    timeout: Duration,
    connect_timeout: Duration,
    user_agent: String,
    direct: OnceLock<Client>,
    proxied: OnceLock<Client>,
}

impl Clients {
    pub(super) fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        let certificates = match &options.ca_file {
            None => Vec::new(),
            Some(path) => {
                let trouble = |detail: String| HttpError::CaFile { path: path.display().to_string(), detail };
                let pem = std::fs::read(path).map_err(|error| trouble(error.to_string()))?;
                install_crypto_provider();
                let certificates = Certificate::from_pem_bundle(&pem)
                    .map_err(|error| trouble(super::error::innermost(&error)))?;
                if certificates.is_empty() {
                    return Err(trouble("there is no certificate in PEM form in it".into()));
                }
                certificates
            }
        };
        Ok(Self {
            certificates,
            resolve: options.resolve.clone(),
            timeout: options.timeout,
            connect_timeout: options.connect_timeout,
            user_agent: options.user_agent.clone(),
            direct: OnceLock::new(),
            proxied: OnceLock::new(),
        })
    }

    /// Whether a call to this address stays on this machine.
    pub(super) fn is_local(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        if let Some(address) = self.fixed(host) {
            return address.ip().is_loopback();
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_name) => {
                bare.eq_ignore_ascii_case("localhost") || bare.to_ascii_lowercase().ends_with(".localhost")
            }
        }
    }

    fn fixed(&self, host: &str) -> Option<SocketAddr> {
        self.resolve.iter().find(|(name, _)| name.eq_ignore_ascii_case(host)).map(|(_, address)| *address)
    }

    /// The client for an address.
    pub(super) fn for_url(&self, url: &Url) -> Result<&Client, HttpError> {
        let past_proxies =
            self.is_local(url) || url.host_str().is_some_and(|host| self.fixed(host).is_some());
        let cell = if past_proxies { &self.direct } else { &self.proxied };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = self.build(past_proxies)?;
        Ok(cell.get_or_init(|| client))
    }

    fn build(&self, past_proxies: bool) -> Result<Client, HttpError> {
        install_crypto_provider();
        let merged = self.prepare(past_proxies).tls_certs_merge(self.certificates.clone());
        // A machine without any authorities of its own (a bare container) can't merge; then only ours count.
        merged
            .build()
            .or_else(|_no_authorities| {
                self.prepare(past_proxies).tls_certs_only(self.certificates.clone()).build()
            })
            .map_err(|error| HttpError::Setup { detail: super::error::innermost(&error) })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that the ban points to")]
    fn prepare(&self, past_proxies: bool) -> ClientBuilder {
        let mut builder = Client::builder()
            .timeout(self.timeout)
            .connect_timeout(self.connect_timeout)
            // Long transfers have hours in all, but may not stand still for longer than any call may take.
            .read_timeout(self.timeout)
            .user_agent(self.user_agent.clone())
            .redirect(Policy::custom(|attempt| {
                let same_place =
                    attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
                if same_place && attempt.previous().len() <= MOST_REDIRECTS {
                    attempt.follow()
                } else {
                    attempt.stop()
                }
            }));
        for (host, address) in &self.resolve {
            builder = builder.resolve(host, *address);
        }
        if past_proxies { builder.no_proxy() } else { builder }
    }
}
