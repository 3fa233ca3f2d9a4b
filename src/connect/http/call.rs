//! What is sent and what comes back, as plain data.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::{Receiver, Sender};

use super::error::HttpError;

/// Whether a call may be sent twice when nobody knows whether the first one arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Sending it twice changes nothing more than sending it once.
    Repeatable,
    /// It may do its work twice; it is repeated only if it was surely not sent.
    Once,
}

/// One call.
#[derive(Clone)]
pub struct Call {
    /// What it is for, in the log; no data.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, HeaderText)>,
    /// The body.
    pub body: Body,
    /// Whether it may be repeated.
    pub idempotency: Idempotency,
}

/// The text of a header.
#[derive(Clone)]
pub enum HeaderText {
    /// May be shown.
    Plain(String),
    /// Never shown.
    Secret(SecretString),
}

/// The body of a call. Its [`fmt::Debug`] never prints contents.
#[derive(Clone, Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// Bytes of a content type.
    Bytes {
        /// Such as `application/json`.
        content_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A text that holds secrets, of a content type.
    Secret {
        /// Such as `text/xml`.
        content_type: String,
        /// The text.
        text: SecretString,
    },
    /// Bytes of a content type that are made while they are sent; for one sending only.
    Pieces {
        /// Such as `text/csv`.
        content_type: String,
        /// Where they come from.
        pieces: Pieces,
    },
    /// Form fields, some of them secret.
    Form(Vec<(String, HeaderText)>),
}

/// Pieces of a body on their way from whoever makes them.
#[derive(Clone)]
pub struct Pieces(Arc<Mutex<Option<Receiver<Vec<u8>>>>>);

impl Pieces {
    /// A body and the end into which its pieces go; few are held at once. The body is complete when the sender is dropped.
    pub fn channel() -> (Sender<Vec<u8>>, Self) {
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        (sender, Self(Arc::new(Mutex::new(Some(receiver)))))
    }

    fn to_body(&self) -> reqwest::Body {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let pieces = futures_util::stream::unfold(taken, async |receiver| {
            let mut receiver = receiver?;
            let piece = receiver.recv().await?;
            Some((Ok::<_, std::io::Error>(piece), Some(receiver)))
        });
        reqwest::Body::wrap_stream(pieces)
    }
}

impl Call {
    /// A call without headers or body; GET, HEAD, PUT and DELETE are taken to be repeatable.
    pub fn new(name: &'static str, method: Method, url: impl Into<String>) -> Self {
        let idempotency = if matches!(method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE) {
            Idempotency::Repeatable
        } else {
            Idempotency::Once
        };
        Self { name, method, url: url.into(), headers: Vec::new(), body: Body::Empty, idempotency }
    }

    /// A GET.
    pub fn get(name: &'static str, url: impl Into<String>) -> Self {
        Self::new(name, Method::GET, url)
    }

    /// A POST, not repeatable unless said otherwise.
    pub fn post(name: &'static str, url: impl Into<String>) -> Self {
        Self::new(name, Method::POST, url)
    }

    /// Says that the call may be sent twice.
    pub fn repeatable(mut self) -> Self {
        self.idempotency = Idempotency::Repeatable;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.headers.push((name.into(), HeaderText::Plain(text.into())));
        self
    }

    /// Adds a header that is never shown.
    pub fn secret_header(mut self, name: impl Into<String>, text: SecretString) -> Self {
        self.headers.push((name.into(), HeaderText::Secret(text)));
        self
    }

    /// Adds `Authorization: Bearer …`.
    pub fn bearer(self, token: &SecretString) -> Self {
        let text = SecretString::from(format!("Bearer {}", token.expose_secret()));
        self.secret_header("Authorization", text)
    }

    /// Sets a JSON body.
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.bytes("application/json; charset=UTF-8", value.to_string().into_bytes())
    }

    /// Sets a body of bytes.
    pub fn bytes(mut self, content_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        self.body = Body::Bytes { content_type: content_type.into(), bytes };
        self
    }

    /// Sets a text body that holds secrets.
    pub fn secret_body(mut self, content_type: impl Into<String>, text: SecretString) -> Self {
        self.body = Body::Secret { content_type: content_type.into(), text };
        self
    }

    /// Adds a form field.
    pub fn form_field(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.push_form(name.into(), HeaderText::Plain(text.into()))
    }

    /// Adds a form field that is never shown.
    pub fn secret_form_field(self, name: impl Into<String>, text: SecretString) -> Self {
        self.push_form(name.into(), HeaderText::Secret(text))
    }

    fn push_form(mut self, name: String, text: HeaderText) -> Self {
        match &mut self.body {
            Body::Form(fields) => fields.push((name, text)),
            Body::Empty | Body::Bytes { .. } | Body::Pieces { .. } | Body::Secret { .. } => {
                self.body = Body::Form(vec![(name, text)]);
            }
        }
        self
    }

    /// The address without its query, for messages.
    pub(super) fn shown_address(&self) -> String {
        self.url.split(['?', '#']).next().unwrap_or_default().to_owned()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Call")
            .field("name", &self.name)
            .field("method", &self.method)
            .field("url", &self.shown_address())
            .field("headers", &headers)
            .field("body", &self.body)
            .field("idempotency", &self.idempotency)
            .finish()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("Empty"),
            Self::Bytes { content_type, bytes } => {
                write!(formatter, "{} bytes of {content_type}", bytes.len())
            }
            Self::Pieces { content_type, .. } => write!(formatter, "pieces of {content_type}"),
            Self::Secret { content_type, .. } => write!(formatter, "a secret text of {content_type}"),
            Self::Form(fields) => {
                formatter.debug_list().entries(fields.iter().map(|(name, _)| name)).finish()
            }
        }
    }
}

impl HeaderText {
    fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(text) => text.expose_secret(),
        }
    }

    pub(super) fn to_header(&self, name: &str, host: &str) -> Result<HeaderValue, HttpError> {
        let mut value = HeaderValue::from_str(self.expose()).map_err(|_invalid| HttpError::BadAddress {
            address: host.into(),
            detail: format!("the header {name} holds characters that HTTP does not allow"),
        })?;
        value.set_sensitive(matches!(self, Self::Secret(_)));
        Ok(value)
    }
}

impl Body {
    pub(super) fn put_into(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Empty => request,
            Self::Bytes { content_type, bytes } => {
                request.header("Content-Type", content_type).body(bytes.clone())
            }
            Self::Pieces { content_type, pieces } => {
                request.header("Content-Type", content_type).body(pieces.to_body())
            }
            Self::Secret { content_type, text } => {
                request.header("Content-Type", content_type).body(text.expose_secret().to_owned())
            }
            Self::Form(fields) => {
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(name, text)| (name.as_str(), text.expose())).collect();
                request.form(&fields)
            }
        }
    }
}

/// What came back.
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, decompressed.
    pub body: Vec<u8>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Reply")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Reply {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The server's clock when it answered.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        super::parse_http_date(self.header("Date")?)
    }

    /// How long the server asks to wait, from `Retry-After` in either form.
    pub fn retry_after(&self) -> Option<std::time::Duration> {
        let text = self.header("Retry-After")?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(std::time::Duration::from_secs(seconds));
        }
        let until = super::parse_http_date(text)?;
        (until - self.date()?).to_std().ok()
    }

    /// The body read as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Whether the body looks like a web page, as proxies and login pages answer.
    pub fn is_html(&self) -> bool {
        self.header("Content-Type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
            || self.text_start(64).trim_start().starts_with("<!")
            || self.text_start(64).trim_start().to_ascii_lowercase().starts_with("<html")
    }

    /// The first characters of the body, without control characters, for messages.
    pub fn text_start(&self, characters: usize) -> String {
        let head = self.body.get(..self.body.len().min(characters.saturating_mul(4))).unwrap_or_default();
        String::from_utf8_lossy(head)
            .chars()
            .map(|character| if character.is_control() { ' ' } else { character })
            .take(characters)
            .collect()
    }
}
