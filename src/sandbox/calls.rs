//! The log of all calls that reach the two services: the last of them one by one, all of them counted.
//! Written by the layer in `faults`, read by `steer`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::faults::Side;

/// So many calls are kept one by one.
const KEPT: usize = 20_000;

/// One call.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Counts from 1 over both sides.
    pub sequence: u64,
    /// When it came, on the sandbox's clock.
    pub at_ms: i64,
    /// Which service.
    pub side: Side,
    /// `GET`, `POST` …
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query, as it was sent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The status that was answered; 0 when the connection was cut.
    pub status: u16,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// The fault that struck, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

/// How often a side was called, and what for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// All calls.
    pub total: u64,
    /// By method and path, with ids replaced by `{id}`.
    pub by_path: BTreeMap<String, u64>,
    /// By status.
    pub by_status: BTreeMap<u16, u64>,
    /// Faults that struck.
    pub faults: u64,
}

#[derive(Default)]
struct Inner {
    last: u64,
    ring: VecDeque<Call>,
    salesforce: Counts,
    platform: Counts,
}

/// The log.
#[derive(Default)]
pub struct CallLog {
    inner: Mutex<Inner>,
}

impl CallLog {
    /// Notes a call; its sequence is given here.
    pub fn note(&self, mut call: Call) {
        let mut inner = self.lock();
        inner.last += 1;
        call.sequence = inner.last;
        let counts = match call.side {
            Side::Salesforce => &mut inner.salesforce,
            Side::Platform => &mut inner.platform,
        };
        counts.total += 1;
        counts.faults += u64::from(call.fault.is_some());
        *counts.by_status.entry(call.status).or_default() += 1;
        *counts.by_path.entry(format!("{} {}", call.method, without_ids(&call.path))).or_default() += 1;
        if inner.ring.len() == KEPT {
            inner.ring.pop_front();
        }
        inner.ring.push_back(call);
    }

    /// The calls after a sequence, oldest first.
    pub fn since(&self, sequence: u64, side: Option<Side>) -> Vec<Call> {
        let inner = self.lock();
        let later = inner.ring.iter().filter(|call| call.sequence > sequence);
        later.filter(|call| side.is_none_or(|side| call.side == side)).cloned().collect()
    }

    /// The sequence of the last call.
    pub fn last(&self) -> u64 {
        self.lock().last
    }

    /// What a side was asked so far.
    pub fn counts(&self, side: Side) -> Counts {
        let inner = self.lock();
        match side {
            Side::Salesforce => inner.salesforce.clone(),
            Side::Platform => inner.platform.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The path with everything that looks like an id replaced, so that counters stay few.
fn without_ids(path: &str) -> String {
    let mut result = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        result.push('/');
        let has_digit = segment.bytes().any(|byte| byte.is_ascii_digit());
        let is_id = has_digit && segment.len() >= 15;
        let is_file = has_digit && segment.starts_with("job-");
        result.push_str(if is_id || is_file { "{id}" } else { segment });
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(side: Side, path: &str) -> Call {
        Call {
            sequence: 0,
            at_ms: 5,
            side,
            method: "GET".into(),
            path: path.into(),
            query: String::new(),
            status: 200,
            took_ms: 0.1,
            fault: None,
        }
    }

    #[test]
    fn calls_are_numbered_and_counted_by_path_without_ids() {
        let log = CallLog::default();
        log.note(call(Side::Salesforce, "/services/data/v60.0/sobjects/Contact/003000000000001AAA"));
        log.note(call(Side::Platform, "/api/contact/list"));
        assert_eq!(log.since(1, None).len(), 1);
        assert_eq!(log.since(0, Some(Side::Salesforce)).first().unwrap().sequence, 1);
        let counts = log.counts(Side::Salesforce);
        assert_eq!(counts.by_path.keys().next().unwrap(), "GET /services/data/v60.0/sobjects/Contact/{id}");
    }

    #[test]
    fn the_ring_forgets_but_the_counters_do_not() {
        let log = CallLog::default();
        for _ in 0..KEPT + 10 {
            log.note(call(Side::Platform, "/x"));
        }
        assert_eq!(log.since(0, None).len(), KEPT);
        assert_eq!(log.counts(Side::Platform).total, KEPT as u64 + 10);
        assert_eq!(log.last(), KEPT as u64 + 10);
    }
}
