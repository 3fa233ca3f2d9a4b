//! How many records the org moves in a second at most, in and out together; unlimited unless somebody says so.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    /// Records that the call at hand has moved.
    static BY_CALL: Cell<u64>;
}

/// The pace of an org.
#[derive(Default)]
pub(super) struct Pace {
    a_second: AtomicU64,
    /// All that were ever moved.
    all: AtomicU64,
    free_at: Mutex<Option<Instant>>,
}

impl Pace {
    /// Sets the pace; 0 is no limit.
    pub(super) fn set(&self, a_second: u64) {
        self.a_second.store(a_second, Ordering::Relaxed);
    }

    /// Records went in or out by the call at hand.
    pub(super) fn moved(&self, rows: usize) {
        let rows = rows as u64;
        self.all.fetch_add(rows, Ordering::Relaxed);
        // What moves outside of a call is waited for by nobody.
        let _ = BY_CALL.try_with(|moved| moved.set(moved.get() + rows));
    }

    /// Answers a call, and tells when what it moved is through.
    pub(super) fn of_call<T>(&self, answer: impl FnOnce() -> T) -> (T, Duration) {
        BY_CALL.sync_scope(Cell::new(0), || {
            let answered = answer();
            (answered, self.take(BY_CALL.with(Cell::get)))
        })
    }

    /// Records that went in or out so far.
    pub(super) fn all(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }

    /// Records go in by a job; tells when they are through.
    pub(super) fn job(&self, rows: u64) -> Duration {
        self.all.fetch_add(rows, Ordering::Relaxed);
        self.take(rows)
    }

    /// Takes a share of the pace for so many records; tells when they are through.
    fn take(&self, rows: u64) -> Duration {
        let rate = self.a_second.load(Ordering::Relaxed);
        if rate == 0 || rows == 0 {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let through =
            free_at.map_or(now, |at| at.max(now)) + Duration::from_secs_f64(rows as f64 / rate as f64);
        *free_at = Some(through);
        through - now
    }
}
