//! Answers that are remembered for stale reads. Filled only while such a fault is armed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::Side;

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

/// The platform's calls that only read; all of its calls are POSTs.
const PLATFORM_READS: [&str; 14] = [
    "/contact/basic",
    "/contact/basicbyid",
    "/contact/list",
    "/contact/listbyid",
    "/contact/listall",
    "/contact/listallbyid",
    "/contact/createdcontacts",
    "/contact/modifiedcontacts",
    "/contact/paginatedmodifiedcontacts",
    "/contact/paginatedlistbyid",
    "/contact/recentactivity",
    "/contact/hascontact",
    "/contact/tags",
    "/user/listbyclient",
];

/// Whether a request only reads. A composite of the org tells by its parts only, for it can hold anything.
pub(super) fn is_read(side: Side, target: &str, body: &[u8]) -> bool {
    let Some((method, path)) = target.split_once(' ') else { return false };
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    match (method, side) {
        ("GET", _) => true,
        ("POST", Side::Platform) => PLATFORM_READS.iter().any(|read| path.ends_with(read)),
        ("POST", Side::Salesforce) => {
            let Some((_, resource)) = path.split_once("/composite") else { return false };
            match resource {
                "" => all_get(body, "compositeRequest"),
                "/batch" => all_get(body, "batchRequests"),
                // With an object behind it, it is a retrieve; without, a create.
                _ => resource.starts_with("/sobjects/"),
            }
        }
        _ => false,
    }
}

fn all_get(body: &[u8], list: &str) -> bool {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else { return false };
    let parts = value.get(list).and_then(serde_json::Value::as_array);
    parts.is_some_and(|parts| {
        parts.iter().all(|part| part.get("method").is_some_and(|method| method == "GET"))
    })
}
