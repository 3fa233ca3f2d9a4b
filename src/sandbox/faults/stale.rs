//! Answers that are remembered for stale reads. Filled only while such a fault is armed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// So many answers are remembered.
const KEPT: usize = 10_000;

/// An answer that was given once.
#[derive(Clone)]
pub(super) struct Remembered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Remembered {
    pub fn response(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }
}

/// Remembered answers by request.
#[derive(Default)]
pub(super) struct Memory {
    answers: Mutex<HashMap<String, Remembered>>,
}

impl Memory {
    pub fn get(&self, key: &str) -> Option<Remembered> {
        self.lock().get(key).cloned()
    }

    pub fn put(&self, key: String, answer: Remembered) {
        let mut answers = self.lock();
        if answers.len() < KEPT {
            answers.entry(key).or_insert(answer);
        }
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Remembered>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What two requests must have in common to be the same question: everything but the signature of the day.
pub(super) fn key(target: &str, body: &[u8]) -> String {
    let body = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(serde_json::Value::Object(mut fields)) => {
            for signature in ["apiKey", "requestTime", "sha"] {
                fields.remove(signature);
            }
            serde_json::Value::Object(fields).to_string()
        }
        Ok(_) | Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    format!("{target} {body}")
}

/// Whether a request only reads, as far as its address tells.
pub(super) fn is_read(target: &str) -> bool {
    let reads = ["/contact/basic", "/contact/list", "Contacts", "/hasContact", "/contact/tags", "/composite"];
    target.starts_with("GET ")
        || (target.starts_with("POST ") && reads.iter().any(|part| target.contains(part)))
}
