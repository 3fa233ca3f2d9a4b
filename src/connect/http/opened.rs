//! A reply whose body is read piece by piece, so that it may be longer than memory.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;

use super::{HttpError, Reply};

/// What a call that was opened came to.
#[derive(Debug)]
pub enum Answer {
    /// A good reply whose body is still to be read.
    Open(Opened),
    /// Any other reply, whole.
    Whole(Reply),
}

/// A good reply on its way in.
pub struct Opened {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    response: reqwest::Response,
    host: String,
    timeout: Duration,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Opened").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Opened {
    pub(super) fn new(mut response: reqwest::Response, host: String, timeout: Duration) -> Self {
        let headers = std::mem::take(response.headers_mut());
        Self { status: response.status().as_u16(), headers, response, host, timeout }
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The server's clock when it answered.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        super::parse_http_date(self.header("Date")?)
    }

    /// The next piece of the body, decompressed; `None` at its end. Nothing is lost if the wait is given up.
    pub async fn piece(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, HttpError> {
        self.response.chunk().await.map_err(|error| HttpError::from_reading(&error, &self.host, self.timeout))
    }
}
