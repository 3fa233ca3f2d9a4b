//! When automatic runs are due: an interval, and hours in which nothing runs.

use std::time::Duration;

use chrono::{DateTime, Local, NaiveTime, TimeDelta, Timelike, Utc};

/// The least time between two automatic runs, whatever the settings say.
const LEAST: Duration = Duration::from_secs(1);

/// When automatic runs are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Whether they are on when the engine starts.
    pub automatic: bool,
    /// The time from the end of one to the start of the next.
    pub every: Duration,
    /// Hours in which none starts, in the machine's time zone.
    pub quiet: Option<QuietHours>,
}

/// Hours in which no automatic run starts; they may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// When they begin.
    pub from: NaiveTime,
    /// When they end.
    pub until: NaiveTime,
}

impl QuietHours {
    /// Whether a time of day lies in them.
    pub fn contain(&self, time: NaiveTime) -> bool {
        if self.from <= self.until {
            self.from <= time && time < self.until
        } else {
            self.from <= time || time < self.until
        }
    }

    /// How long from a time of day inside them to their end.
    fn remaining(&self, time: NaiveTime) -> TimeDelta {
        let seconds = |time: NaiveTime| i64::from(time.num_seconds_from_midnight());
        TimeDelta::seconds((seconds(self.until) - seconds(time)).rem_euclid(86_400))
    }
}

impl Schedule {
    /// The moment of the next automatic run after one that ended at `now`.
    pub fn next(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let wait = TimeDelta::from_std(self.every.max(LEAST)).unwrap_or(TimeDelta::days(1));
        self.after_quiet(now + wait)
    }

    /// The moment itself, or the end of the quiet hours in which it lies.
    pub fn after_quiet(&self, due: DateTime<Utc>) -> DateTime<Utc> {
        let local = due.with_timezone(&Local).time();
        match self.quiet {
            Some(quiet) if quiet.contain(local) => due + quiet.remaining(local),
            Some(_) | None => due,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    #[rstest]
    #[case((22, 0), (6, 0), (23, 30), true)]
    #[case((22, 0), (6, 0), (5, 59), true)]
    #[case((22, 0), (6, 0), (6, 0), false)]
    #[case((9, 0), (17, 0), (12, 0), true)]
    #[case((9, 0), (17, 0), (8, 59), false)]
    fn quiet_hours_may_go_over_midnight(
        #[case] from: (u32, u32),
        #[case] until: (u32, u32),
        #[case] time: (u32, u32),
        #[case] quiet: bool,
    ) {
        let hours = QuietHours { from: at(from.0, from.1), until: at(until.0, until.1) };
        assert_eq!(hours.contain(at(time.0, time.1)), quiet);
    }

    #[test]
    fn a_run_due_in_quiet_hours_waits_for_their_end() {
        let hours = QuietHours { from: at(22, 0), until: at(6, 0) };
        assert_eq!(hours.remaining(at(23, 0)), TimeDelta::hours(7));
        assert_eq!(hours.remaining(at(5, 0)), TimeDelta::hours(1));
    }

    #[test]
    fn an_interval_of_zero_does_not_spin() {
        let schedule = Schedule { automatic: true, every: Duration::ZERO, quiet: None };
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(schedule.next(now), now + TimeDelta::seconds(1));
    }
}
