//! Why no complete reply came, and whether the remote can have seen the call.

use std::error::Error;
use std::time::Duration;

use reqwest::Url;

/// No complete reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Nothing was sent.
    #[error("{host} can't be reached: {cause}")]
    NotSent {
        /// The host.
        host: String,
        /// Why.
        cause: NotSent,
    },
    /// The connection broke after the call was sent; whether it took effect is unknown.
    #[error(
        "the connection to {host} broke before its reply was complete ({detail}); what was sent may or may not have taken effect"
    )]
    Broken {
        /// The host.
        host: String,
        /// What broke.
        detail: String,
    },
    /// No complete reply in time; whether the call took effect is unknown.
    #[error("{host} did not answer within {seconds} seconds; what was sent may or may not have taken effect")]
    Timeout {
        /// The host.
        host: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The reply was larger than is taken in.
    #[error("the reply of {host} is larger than {megabytes} MB; ask for fewer fields or records at once")]
    TooLarge {
        /// The host.
        host: String,
        /// The most that is taken in.
        megabytes: usize,
    },
    /// Unencrypted HTTP to another machine.
    #[error(
        "plain http is refused for {host}, because secrets and personal data would travel unencrypted; use an https address"
    )]
    PlainHttp {
        /// The host.
        host: String,
    },
    /// No usable address.
    #[error("“{address}” can't be called: {detail}; correct the address in the connection")]
    BadAddress {
        /// The address, without its query.
        address: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The CA file can't be used.
    #[error(
        "the CA file {path} can't be used: {detail}; `ca_file` has to name a file with certificates in PEM form"
    )]
    CaFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The client could not be set up.
    #[error("the HTTP client can't be set up: {detail}")]
    Setup {
        /// Why.
        detail: String,
    },
}

/// Why nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The name service knows no such host.
    #[error("no such host is known; check the spelling of the address and this machine's name service")]
    UnknownHost,
    /// Nobody listens there.
    #[error("it refused the connection; check the port, and whether the service is running")]
    ConnectionRefused,
    /// It took too long to connect.
    #[error("no connection within {seconds} seconds; check the network, a firewall or a proxy")]
    ConnectTimeout {
        /// How long was waited.
        seconds: u64,
    },
    /// No secure connection.
    #[error("{0}")]
    Tls(TlsTrouble),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Why there is no secure connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsTrouble {
    /// Its certificate comes from an authority that this machine does not trust.
    #[error(
        "its certificate is not trusted; if your company uses an authority of its own, name its CA file in `ca_file`"
    )]
    NotTrusted,
    /// Its certificate has expired, or is not valid yet.
    #[error(
        "its certificate is not valid at this time; check this machine's clock, or have the certificate renewed"
    )]
    NotNow,
    /// Its certificate belongs to another host.
    #[error("its certificate is made out to another host; check the address")]
    OtherHost,
    /// It does not speak TLS, or breaks off.
    #[error(
        "no secure connection could be made ({0}); check that the address and port are those of an https service"
    )]
    Handshake(String),
}

impl HttpError {
    /// Whether the remote can't have seen the call.
    pub fn surely_not_sent(&self) -> bool {
        match self {
            Self::NotSent { .. }
            | Self::PlainHttp { .. }
            | Self::BadAddress { .. }
            | Self::CaFile { .. }
            | Self::Setup { .. } => true,
            Self::Broken { .. } | Self::Timeout { .. } | Self::TooLarge { .. } => false,
        }
    }

    /// Whether the settings are wrong, so that waiting won't help.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::NotSent { cause, .. } => matches!(cause, NotSent::Tls(_)),
            Self::PlainHttp { .. }
            | Self::BadAddress { .. }
            | Self::CaFile { .. }
            | Self::Setup { .. }
            | Self::TooLarge { .. } => true,
            Self::Broken { .. } | Self::Timeout { .. } => false,
        }
    }

    /// A short code for lists and filters.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSent { cause: NotSent::UnknownHost, .. } => "UNKNOWN_HOST",
            Self::NotSent { cause: NotSent::ConnectionRefused, .. } => "CONNECTION_REFUSED",
            Self::NotSent { cause: NotSent::Tls(_), .. } => "TLS",
            Self::NotSent { .. } => "NOT_REACHED",
            Self::Broken { .. } => "CONNECTION_BROKEN",
            Self::Timeout { .. } => "TIMEOUT",
            Self::TooLarge { .. } => "REPLY_TOO_LARGE",
            Self::PlainHttp { .. } => "PLAIN_HTTP",
            Self::BadAddress { .. } => "BAD_ADDRESS",
            Self::CaFile { .. } => "CA_FILE",
            Self::Setup { .. } => "HTTP_SETUP",
        }
    }

    pub(super) fn from_sending(
        error: &reqwest::Error,
        host: &str,
        timeout: Duration,
        connect_timeout: Duration,
    ) -> Self {
        let host = host.to_owned();
        if error.is_builder() {
            return Self::BadAddress { address: host, detail: innermost(error) };
        }
        if !error.is_connect() {
            return if error.is_timeout() {
                Self::Timeout { host, seconds: timeout.as_secs() }
            } else {
                Self::Broken { host, detail: innermost(error) }
            };
        }
        let cause = if error.is_dns() {
            NotSent::UnknownHost
        } else if let Some(trouble) = tls_trouble(error) {
            NotSent::Tls(trouble)
        } else if error.is_timeout() {
            NotSent::ConnectTimeout { seconds: connect_timeout.as_secs() }
        } else {
            match io_kind(error) {
                Some(std::io::ErrorKind::ConnectionRefused) => NotSent::ConnectionRefused,
                Some(std::io::ErrorKind::TimedOut) => {
                    NotSent::ConnectTimeout { seconds: connect_timeout.as_secs() }
                }
                _ => NotSent::Other(innermost(error)),
            }
        };
        Self::NotSent { host, cause }
    }

    pub(super) fn from_reading(error: &reqwest::Error, host: &str, timeout: Duration) -> Self {
        let host = host.to_owned();
        if error.is_timeout() {
            Self::Timeout { host, seconds: timeout.as_secs() }
        } else {
            Self::Broken { host, detail: innermost(error) }
        }
    }
}

/// The host and, where it is unusual, the port.
pub(super) fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "the address".to_owned(),
    }
}

/// The causes of an error from the outside in. An `io::Error` hides the error that it wraps from `source`, so it is asked for it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut found: Vec<&'a (dyn Error + 'static)> = vec![error];
    let mut next = inner(error);
    while let Some(cause) = next {
        found.push(cause);
        next = inner(cause);
    }
    found
}

fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(wrapped) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        return Some(wrapped);
    }
    error.source()
}

/// The words of the innermost cause.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<std::io::ErrorKind> {
    causes(error)
        .iter()
        .rev()
        .find_map(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)
}

fn tls_trouble(error: &(dyn Error + 'static)) -> Option<TlsTrouble> {
    use rustls::CertificateError as Certificate;
    let cause = causes(error).into_iter().find_map(|cause| cause.downcast_ref::<rustls::Error>())?;
    Some(match cause {
        rustls::Error::InvalidCertificate(
            Certificate::Expired
            | Certificate::ExpiredContext { .. }
            | Certificate::NotValidYet
            | Certificate::NotValidYetContext { .. },
        ) => TlsTrouble::NotNow,
        rustls::Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => TlsTrouble::OtherHost,
        rustls::Error::InvalidCertificate(_) => TlsTrouble::NotTrusted,
        other => TlsTrouble::Handshake(other.to_string()),
    })
}
