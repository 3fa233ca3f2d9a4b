//! Spaces calls evenly so that a remote's rate is never exceeded.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::clock::Clock;

/// So many calls a second, shared by all tasks of a connection.
pub struct Pace {
    clock: Arc<dyn Clock>,
    spacing: Option<Duration>,
    next: Mutex<Option<DateTime<Utc>>>,
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pace").field("spacing", &self.spacing).finish_non_exhaustive()
    }
}

impl Pace {
    /// At most `calls` a second; 0 is no limit.
    pub fn per_second(calls: f64, clock: Arc<dyn Clock>) -> Self {
        let spacing = (calls > 0.0).then(|| Duration::from_secs_f64((1.0 / calls).min(86_400.0)));
        Self { clock, spacing, next: Mutex::new(None) }
    }

    /// No limit.
    pub fn off(clock: Arc<dyn Clock>) -> Self {
        Self::per_second(0.0, clock)
    }

    /// Returns when the next call may go out. Turns are given in the order of asking.
    pub async fn turn(&self) {
        let Some(spacing) = self.spacing else { return };
        let now = self.clock.now();
        let wait = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = next.map_or(now, |next| next.max(now));
            *next = Some(mine + spacing);
            (mine - now).to_std().unwrap_or_default()
        };
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }
}
