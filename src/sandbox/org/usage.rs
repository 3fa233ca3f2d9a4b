//! API calls of the last 24 hours, counted by the hour.

const HOUR_MS: i64 = 3_600_000;

/// Counts of the last hours.
#[derive(Debug, Default)]
pub(super) struct Usage {
    hours: Vec<(i64, u64)>,
    /// Calls said to have been made by others.
    pub(super) elsewhere: u64,
}

impl Usage {
    /// Calls within 24 hours before `now`.
    pub(super) fn used(&self, now: i64) -> u64 {
        let first = now.div_euclid(HOUR_MS) - 23;
        self.elsewhere + self.hours.iter().filter(|entry| entry.0 >= first).map(|entry| entry.1).sum::<u64>()
    }

    /// Counts one more call.
    pub(super) fn count(&mut self, now: i64) {
        let hour = now.div_euclid(HOUR_MS);
        self.hours.retain(|entry| entry.0 >= hour - 23);
        match self.hours.iter_mut().find(|entry| entry.0 == hour) {
            Some(entry) => entry.1 += 1,
            None => self.hours.push((hour, 1)),
        }
    }

    pub(super) fn reset(&mut self) {
        self.hours.clear();
        self.elsewhere = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_forgotten_after_a_day() {
        let mut usage = Usage::default();
        usage.count(0);
        usage.count(HOUR_MS);
        assert_eq!(usage.used(HOUR_MS), 2);
        assert_eq!(usage.used(24 * HOUR_MS), 1);
        assert_eq!(usage.used(25 * HOUR_MS), 0);
    }
}
