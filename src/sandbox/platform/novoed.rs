//! NovoEd, emulated from its fact sheet: key and secret shown in three ways, enrolling and unenrolling, users, and the data interface of
//! its analytics, whose CSV comes newest first, bounded exclusively below and inclusively above, so many rows an answer.
//! Where nobody knows, it does what makes clients careful: who enrolls again loses the time of the unenrollment, dates carry no zone,
//! many users were imported within one second, and the calls are throttled with 503.
//!
//! `school` holds users, courses and enrollments and the rules among them, `data` answers the data interface, `routes` the other calls,
//! `gate` signs in and throttles, `term` fills it, `admin` is the way in for the sandbox.

mod admin;
mod data;
mod gate;
mod routes;
mod school;
mod term;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::sandbox::clock::SandboxClock;
use school::School;

/// How the emulated institution is set up.
#[derive(Debug, Clone)]
pub struct NovoEdOptions {
    /// The key and its secret.
    pub key: (String, String),
    /// Whether the key is allowed for the whole institution; without that the data interface is forbidden.
    pub whole_institution: bool,
    /// The Org Admin to whom the key belongs.
    pub admin: String,
    /// Whether the limits are enforced.
    pub real_pace: bool,
    /// Calls in a minute, an hour and a day.
    pub limits: [(i64, usize); 3],
    /// The most rows of one answer of the data interface.
    pub rows_of_an_answer: usize,
    /// How long a token lasts, in seconds.
    pub token_seconds: i64,
    /// How courses and enrollments are drawn.
    pub seed: u64,
}

impl Default for NovoEdOptions {
    fn default() -> Self {
        Self {
            key: ("sandbox-novoed-key".into(), "sandbox-novoed-secret".into()),
            whole_institution: true,
            admin: "integration@northwind.example".into(),
            real_pace: false,
            limits: [(60_000, 200), (3_600_000, 1000), (86_400_000, 13_000)],
            rows_of_an_answer: 20_000,
            token_seconds: 7200,
            seed: 1,
        }
    }
}

/// The emulated institution.
pub struct NovoEd {
    options: NovoEdOptions,
    clock: Arc<SandboxClock>,
    school: RwLock<School>,
    /// When calls were let in, for each of the limits.
    recent: Mutex<[VecDeque<i64>; 3]>,
    /// Tokens and their ends.
    tokens: Mutex<HashMap<String, i64>>,
    rows_of_an_answer: AtomicUsize,
    feed_delay_ms: AtomicI64,
    reserved: AtomicU64,
    founded: AtomicI64,
    /// Whether the Org Admin is signed in to the web app.
    signed_in: AtomicBool,
}

impl NovoEd {
    /// An institution without records.
    pub fn new(options: NovoEdOptions, clock: Arc<SandboxClock>) -> Arc<Self> {
        let founded = AtomicI64::new(clock.now_ms());
        Arc::new(Self {
            rows_of_an_answer: AtomicUsize::new(options.rows_of_an_answer),
            options,
            clock,
            school: RwLock::default(),
            recent: Mutex::default(),
            tokens: Mutex::default(),
            feed_delay_ms: AtomicI64::new(0),
            reserved: AtomicU64::new(0),
            founded,
            signed_in: AtomicBool::new(true),
        })
    }

    fn held(&self) -> RwLockReadGuard<'_, School> {
        self.school.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_mut(&self) -> RwLockWriteGuard<'_, School> {
        self.school.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was changed after this moment is not in the data interface yet.
    fn visible_until(&self) -> i64 {
        self.clock.now_ms() - self.feed_delay_ms.load(Ordering::Relaxed)
    }
}

/// A moment as the service writes it: without a zone.
fn date(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S").to_string()
}
