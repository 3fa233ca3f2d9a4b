//! The sandbox's own clock: real time plus an offset that steering moves. Every stamp, session and recycle bin of the
//! sandbox reads it, so that a fortnight passes in no time.

use std::sync::atomic::{AtomicI64, Ordering};

/// Virtual time in milliseconds since 1970.
#[derive(Debug)]
pub struct SandboxClock {
    /// Milliseconds added to the base; for a fixed clock the whole time is here.
    offset: AtomicI64,
    runs: bool,
}

impl SandboxClock {
    /// A clock that runs with the machine's, until it is moved.
    pub fn new() -> Self {
        Self { offset: AtomicI64::new(0), runs: true }
    }

    /// A clock that stands at `ms` and moves by [`advance`](Self::advance) alone.
    pub fn fixed(ms: i64) -> Self {
        Self { offset: AtomicI64::new(ms), runs: false }
    }

    /// Milliseconds since 1970, as the sandbox sees it.
    pub fn now_ms(&self) -> i64 {
        let base = if self.runs { machine_ms() } else { 0 };
        base.saturating_add(self.offset.load(Ordering::SeqCst))
    }

    /// Moves the clock forward (or back, for a negative number).
    pub fn advance(&self, ms: i64) {
        self.offset.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Default for SandboxClock {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox is a world of its own, and this is its only look at the machine's time"
)]
fn machine_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = SandboxClock::fixed(1_000);
        assert_eq!(clock.now_ms(), 1_000);
        clock.advance(500);
        assert_eq!(clock.now_ms(), 1_500);
    }
}
