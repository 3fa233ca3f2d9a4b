//! The one HTTP client: TLS, CA files, proxies, time-outs, retries, redaction, and a count of the calls.
//!
//! Connectors build a [`Call`], hand it to [`Http::send`] or [`Http::send_retrying`], and get a [`Reply`] or an [`HttpError`]
//! that says whether the remote can have seen the call. What a reply means is theirs to judge.

mod call;
mod client;
mod error;
mod opened;
mod pace;
mod retry;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use reqwest::Url;

pub use call::{Body, Call, HeaderText, Idempotency, Pieces, Reply};
pub use error::{HttpError, NotSent, TlsTrouble};
pub use opened::{Answer, Opened};
pub use pace::Pace;
pub use reqwest::Method;
pub use retry::{RetryPolicy, Verdict};

use crate::domain::clock::Clock;
use client::Clients;

/// The longest that a file of results or an upload may take; a stand-still ends it sooner.
const LONGEST_TRANSFER: Duration = Duration::from_secs(6 * 3600);

/// How the client reaches the outside.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// A PEM file with further certificate authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// Host names that are reached at a fixed address, past the name service and past any proxy.
    pub resolve: Vec<(String, SocketAddr)>,
    /// How long a whole call may take.
    pub timeout: Duration,
    /// How long it may take to connect.
    pub connect_timeout: Duration,
    /// How the program names itself.
    pub user_agent: String,
    /// The largest reply that is taken in.
    pub largest_reply: usize,
    /// Makes the jitter of pauses repeatable in simulations.
    pub jitter_seed: Option<u64>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            ca_file: None,
            resolve: Vec::new(),
            timeout: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(20),
            user_agent: concat!("forcesync/", env!("CARGO_PKG_VERSION")).into(),
            largest_reply: 512 << 20,
            jitter_seed: None,
        }
    }
}

/// The client. Cheap to share behind an [`Arc`]; each connection has its own, so that calls are counted apart.
pub struct Http {
    clients: Clients,
    clock: Arc<dyn Clock>,
    calls: AtomicU64,
    jitter: Mutex<SmallRng>,
    timeout: Duration,
    connect_timeout: Duration,
    largest_reply: usize,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Http").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl Http {
    /// Reads the CA file and prepares the client; nothing is connected yet.
    pub fn new(options: &HttpOptions, clock: Arc<dyn Clock>) -> Result<Self, HttpError> {
        let jitter =
            options.jitter_seed.map_or_else(|| SmallRng::from_rng(&mut rand::rng()), SmallRng::seed_from_u64);
        Ok(Self {
            clients: Clients::new(options)?,
            clock,
            calls: AtomicU64::new(0),
            jitter: Mutex::new(jitter),
            timeout: options.timeout,
            connect_timeout: options.connect_timeout,
            largest_reply: options.largest_reply,
        })
    }

    /// How many calls have left this machine.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The clock that pauses are measured by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Sends one call, once.
    pub async fn send(&self, call: &Call) -> Result<Reply, HttpError> {
        let (url, host) = self.address(call)?;
        let started = self.clock.now();
        let outcome = self.exchange(call, url.clone(), &host).await;
        let milliseconds = (self.clock.now() - started).num_milliseconds();
        if !outcome.as_ref().is_err_and(HttpError::surely_not_sent) {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        match &outcome {
            Ok(reply) => tracing::debug!(
                target: "forcesync::http", call = call.name, method = %call.method, host, path = url.path(),
                status = reply.status, bytes = reply.body.len(), milliseconds, "Called."
            ),
            Err(error) => tracing::warn!(
                target: "forcesync::http", call = call.name, method = %call.method, host, path = url.path(),
                %error, milliseconds, "A call got no reply."
            ),
        }
        outcome
    }

    /// Sends a call and repeats it as the policy allows, but only where repeating it is safe: when it was surely not sent, when
    /// the call is [`Idempotency::Repeatable`], or when `judge` asks for it having seen a reply. The last outcome is handed back.
    pub async fn send_retrying(
        &self,
        call: &Call,
        policy: &RetryPolicy,
        judge: impl Fn(&Reply) -> Verdict + Send,
    ) -> Result<Reply, HttpError> {
        let mut attempt = 1;
        loop {
            let outcome = self.send(call).await;
            let wish = match &outcome {
                Ok(reply) => judge(reply),
                Err(error) => retry::after_error(error, call.idempotency),
            };
            if !self.goes_again(call, policy, attempt, wish).await {
                return outcome;
            }
            attempt += 1;
        }
    }

    /// Waits before the next try, if there is one.
    async fn goes_again(&self, call: &Call, policy: &RetryPolicy, attempt: u32, wish: Verdict) -> bool {
        let at_least = match wish {
            Verdict::Take => return false,
            Verdict::Again => Duration::ZERO,
            Verdict::AgainAfter(pause) => pause,
        };
        if attempt >= policy.tries || at_least > policy.most {
            return false;
        }
        let pause = policy.pause(attempt, self.chance()).max(at_least);
        tracing::info!(
            target: "forcesync::http", call = call.name, attempt, seconds = pause.as_secs_f64(), "Trying again after a pause."
        );
        self.clock.sleep(pause).await;
        true
    }

    /// A number in 0..1 from the injected randomness, for pauses.
    pub fn chance(&self) -> f64 {
        self.jitter.lock().unwrap_or_else(PoisonError::into_inner).random()
    }

    /// Sends a call whose reply may be long. A good reply is handed back before its body is read; any other is read whole and
    /// repeated as [`Http::send_retrying`] would.
    pub async fn open_retrying(
        &self,
        call: &Call,
        policy: &RetryPolicy,
        judge: impl Fn(&Reply) -> Verdict + Send,
    ) -> Result<Answer, HttpError> {
        let mut attempt = 1;
        loop {
            let outcome = self.open(call).await;
            let wish = match &outcome {
                Ok(Answer::Open(_)) => Verdict::Take,
                Ok(Answer::Whole(reply)) => judge(reply),
                Err(error) => retry::after_error(error, call.idempotency),
            };
            if !self.goes_again(call, policy, attempt, wish).await {
                return outcome;
            }
            attempt += 1;
        }
    }

    async fn open(&self, call: &Call) -> Result<Answer, HttpError> {
        let (url, host) = self.address(call)?;
        let outcome = self.begin(call, url, &host, Patience::Long).await;
        if !outcome.as_ref().is_err_and(HttpError::surely_not_sent) {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        let response = outcome?;
        if response.status().is_success() {
            return Ok(Answer::Open(Opened::new(response, host, self.timeout)));
        }
        self.take_in(response, &host).await.map(Answer::Whole)
    }

    fn address(&self, call: &Call) -> Result<(Url, String), HttpError> {
        let url = Url::parse(&call.url).map_err(|error| HttpError::BadAddress {
            address: call.shown_address(),
            detail: error.to_string(),
        })?;
        let host = error::host_of(&url);
        if url.scheme() == "http" && !self.clients.is_local(&url) {
            return Err(HttpError::PlainHttp { host });
        }
        Ok((url, host))
    }

    async fn exchange(&self, call: &Call, url: Url, host: &str) -> Result<Reply, HttpError> {
        let patience =
            if matches!(call.body, Body::Pieces { .. }) { Patience::Long } else { Patience::Usual };
        let response = self.begin(call, url, host, patience).await?;
        self.take_in(response, host).await
    }

    async fn begin(
        &self,
        call: &Call,
        url: Url,
        host: &str,
        patience: Patience,
    ) -> Result<reqwest::Response, HttpError> {
        let client = self.clients.for_url(&url)?;
        let mut request = client.request(call.method.clone(), url);
        for (name, text) in &call.headers {
            request = request.header(name.as_str(), text.to_header(name, host)?);
        }
        if patience == Patience::Long {
            request = request.timeout(LONGEST_TRANSFER);
        }
        request = call.body.put_into(request);
        request
            .send()
            .await
            .map_err(|error| HttpError::from_sending(&error, host, self.timeout, self.connect_timeout))
    }

    async fn take_in(&self, mut response: reqwest::Response, host: &str) -> Result<Reply, HttpError> {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let expected = response.content_length().unwrap_or(0).min(16 << 20);
        let mut body = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.largest_reply => {
                    return Err(HttpError::TooLarge {
                        host: host.into(),
                        megabytes: self.largest_reply >> 20,
                    });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return Err(HttpError::from_reading(&error, host, self.timeout)),
            }
        }
        Ok(Reply { status, headers, body })
    }
}

/// How long a transfer may take in all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// As long as any call.
    Usual,
    /// Hours, as long as something moves: files of results and uploads.
    Long,
}

/// Reads an HTTP date such as `Sun, 22 Nov 2026 10:00:00 GMT`.
pub fn parse_http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|moment| moment.with_timezone(&Utc))
}

/// Writes an HTTP date.
pub fn http_date(moment: DateTime<Utc>) -> String {
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Percent-encodes one piece of a path or query; everything but letters, digits and `-._~` is escaped.
pub fn percent_encode(text: &str) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => {
                out.push('%');
                out.extend(HEX.get(usize::from(other >> 4)));
                out.extend(HEX.get(usize::from(other & 15)));
            }
        }
    }
    out
}

/// Installs the crypto provider; without one the client would panic (T1 of the crate facts).
pub fn install_crypto_provider() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // An error only says that somebody was first, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

#[cfg(test)]
mod tests;
