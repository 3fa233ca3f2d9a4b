//! SPOTIO, emulated: data objects of types that the tenant defines, reached by a token that lasts thirty days. It refuses what the
//! service refuses; where nobody knows, it does what makes clients careful: a collection of fields that is sent in part wipes the
//! rest, the search finds near matches and no external ids, the dates of a question for activities are those of the activities.
//!
//! `workflow` says which types, fields, stages and users there are, `records` and `activities` hold the rows, `shown` writes them as
//! the service does, `routes`, `search`, `jobs` and `webhooks` are the interface, `admin` is the way in for the sandbox.

mod activities;
mod admin;
mod jobs;
mod records;
mod routes;
mod search;
mod shown;
#[cfg(test)]
mod tests;
mod webhooks;
mod workflow;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::sandbox::clock::SandboxClock;
use activities::Activity;
use jobs::BulkJob;
use records::{Deleted, Stored};
use workflow::User;

/// How the emulated account is set up.
#[derive(Debug, Clone)]
pub struct SpotioOptions {
    /// The client id and the secret of the key, and the user who made it.
    pub key: (String, String, u32),
    /// Whether the pace limit is enforced.
    pub real_pace: bool,
    /// The pace limit; none is documented.
    pub requests_per_second: u32,
    /// How long a token lasts.
    pub token_days: i64,
    /// Rows of a page.
    pub page_rows: usize,
    /// Whether a single field can be changed by its own path.
    pub patch_each: bool,
}

impl Default for SpotioOptions {
    fn default() -> Self {
        Self {
            key: ("sandbox-client".into(), "sandbox-spotio-secret".into(), 1),
            real_pace: false,
            requests_per_second: 10,
            token_days: 30,
            page_rows: 500,
            patch_each: false,
        }
    }
}

/// The user who works in the app.
const PERSON: u32 = 2;

/// The emulated account.
pub struct Spotio {
    options: SpotioOptions,
    clock: Arc<SandboxClock>,
    held: RwLock<Account>,
    tokens: Mutex<HashMap<String, i64>>,
    minted: AtomicU64,
    recent: Mutex<VecDeque<i64>>,
    feed_delay_ms: AtomicI64,
    job_polls: AtomicU32,
    reserved: AtomicU64,
    endpoints: Mutex<Vec<webhooks::Endpoint>>,
    /// How often each delivery comes.
    copies: AtomicU32,
    /// When it was set up.
    founded: AtomicI64,
}

/// What the account holds.
#[derive(Default)]
struct Account {
    records: BTreeMap<String, Stored>,
    deleted: BTreeMap<String, Deleted>,
    activities: BTreeMap<u64, Activity>,
    jobs: BTreeMap<String, BulkJob>,
    users: Vec<User>,
    /// Where what happens is told, once somebody wants to hear it.
    events: Option<tokio::sync::mpsc::UnboundedSender<webhooks::Event>>,
}

impl Spotio {
    /// An account without records.
    pub fn new(options: SpotioOptions, clock: Arc<SandboxClock>) -> Arc<Self> {
        Arc::new(Self {
            options,
            clock,
            held: RwLock::new(Account { users: workflow::users(), ..Account::default() }),
            tokens: Mutex::default(),
            minted: AtomicU64::new(0),
            recent: Mutex::default(),
            feed_delay_ms: AtomicI64::new(0),
            job_polls: AtomicU32::new(2),
            reserved: AtomicU64::new(0),
            endpoints: Mutex::default(),
            copies: AtomicU32::new(1),
            founded: AtomicI64::new(0),
        })
    }

    fn held(&self) -> RwLockReadGuard<'_, Account> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_mut(&self) -> RwLockWriteGuard<'_, Account> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that nobody has yet.
    fn next(&self) -> u64 {
        self.reserved.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A token for whoever knows the key.
    fn mint(&self, client: &str, secret: &str) -> Option<String> {
        if (client, secret) != (self.options.key.0.as_str(), self.options.key.1.as_str()) {
            return None;
        }
        let number = self.minted.fetch_add(1, Ordering::Relaxed);
        let token = format!("eyJhbGciOiJIUzI1NiJ9.c2FuZGJveA.{number:016x}");
        let until = self.clock.now_ms() + self.options.token_days * 86_400_000;
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), until);
        Some(token)
    }

    fn knows(&self, token: &str) -> bool {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(token).is_some_and(|until| *until > self.clock.now_ms())
    }

    /// Whether one more request fits into this second.
    fn admit(&self) -> bool {
        if !self.options.real_pace {
            return true;
        }
        let now = self.clock.now_ms();
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.front().is_some_and(|at| *at <= now - 1000) {
            recent.pop_front();
        }
        let fits = recent.len() < self.options.requests_per_second as usize;
        if fits {
            recent.push_back(now);
        }
        fits
    }

    /// The newest moment that the exports know.
    fn visible_until(&self) -> i64 {
        self.clock.now_ms() - self.feed_delay_ms.load(Ordering::Relaxed)
    }
}

/// An id of a record: 24 hexadecimal digits.
fn record_id(number: u64) -> String {
    format!("65f0{number:020x}")
}

/// A moment as the service writes it.
fn iso(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .unwrap_or_default()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// A moment as the service reads it.
fn from_iso(text: &str) -> Option<i64> {
    let text = text.trim();
    chrono::DateTime::parse_from_rfc3339(text).map(|moment| moment.timestamp_millis()).ok().or_else(|| {
        chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .ok()
            .map(|moment| moment.and_utc().timestamp_millis())
    })
}
