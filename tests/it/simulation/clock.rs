//! A clock that moves only when something is called or slept for.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use forcesync::domain::clock::Clock;

/// The virtual clock; milliseconds since 1970.
pub struct VirtualClock(AtomicI64);

impl VirtualClock {
    pub fn new() -> Self {
        Self(AtomicI64::new(1_790_000_000_000))
    }

    pub fn millis(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.millis()).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(i64::try_from(duration.as_millis()).unwrap());
        tokio::task::yield_now().await;
    }
}
