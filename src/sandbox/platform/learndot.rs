//! Learndot Enterprise, emulated: the second generation of its interface, in which every entity is created, changed, searched and
//! described below `/api/rest/v2/manage/`. It refuses what the service refuses; what nobody could confirm is an option of
//! [`LearndotOptions`] or, where it makes clients careful, the worse of two possibilities: searches for text find near matches,
//! a nested object that is sent takes the place of the whole one, pages have 25 rows whatever is asked.
//!
//! `entity` says which fields there are, `table` holds the rows, `search` and `routes` are the interface, `school` fills it, `admin`
//! is the way in for the sandbox.

mod admin;
mod entity;
mod routes;
mod school;
mod search;
mod table;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::sandbox::clock::SandboxClock;
use table::Tables;

/// How the emulated site is set up.
#[derive(Debug, Clone)]
pub struct LearndotOptions {
    /// The token of the integration user, and that user's id.
    pub token: (String, u64),
    /// What else may be sent as a token, with the user it stands for.
    pub other_tokens: Vec<(String, u64)>,
    /// Whether the pace limit is enforced.
    pub real_pace: bool,
    /// The pace limit.
    pub requests_per_second: u32,
    /// Whether unknown fields of a body are refused; otherwise they are passed over.
    pub refuse_unknown_fields: bool,
    /// Whether a single record can be read by its address.
    pub read_one: bool,
    /// Whether entities can be described.
    pub describe: bool,
    /// Whether an enrolment that nobody has changed yet lacks the date of its last change.
    pub dateless_enrolments: bool,
    /// How courses, orders and the rest are drawn.
    pub seed: u64,
}

impl Default for LearndotOptions {
    fn default() -> Self {
        Self {
            token: ("sandbox-learndot-token".into(), 2),
            other_tokens: vec![("sandbox-other-token".into(), 3)],
            real_pace: false,
            requests_per_second: 2,
            refuse_unknown_fields: true,
            read_one: true,
            describe: true,
            dateless_enrolments: true,
            seed: 1,
        }
    }
}

/// The user who works in the web app.
const PERSON: u64 = 1;

/// The emulated site.
pub struct Learndot {
    options: LearndotOptions,
    clock: Arc<SandboxClock>,
    tables: RwLock<Tables>,
    recent: Mutex<VecDeque<i64>>,
    feed_delay_ms: AtomicI64,
    reserved: AtomicU64,
}

impl Learndot {
    /// A site without records.
    pub fn new(options: LearndotOptions, clock: Arc<SandboxClock>) -> Arc<Self> {
        Arc::new(Self {
            options,
            clock,
            tables: RwLock::default(),
            recent: Mutex::default(),
            feed_delay_ms: AtomicI64::new(0),
            reserved: AtomicU64::new(0),
        })
    }

    fn held(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_mut(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user whose token this is.
    fn user_of(&self, token: &str) -> Option<u64> {
        let known = std::iter::once(&self.options.token).chain(&self.options.other_tokens);
        known.into_iter().find(|(known, _)| known == token).map(|(_, user)| *user)
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

    /// Before this moment, changes have not reached the searches yet; the newest moment that they know.
    fn visible_until(&self) -> i64 {
        self.clock.now_ms() - self.feed_delay_ms.load(Ordering::Relaxed)
    }
}

/// A moment as the service writes it: a space, no zone.
fn date(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default().format("%Y-%m-%d %H:%M:%S").to_string()
}
