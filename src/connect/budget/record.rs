//! What is known of the use of one account, and the arithmetic of its windows. Pure: the time is passed in.
//!
//! Calls are counted in steps of ten minutes, so that a rolling hour and a rolling day can both be told from them. A window is
//! counted until its last call is old enough, so the sum is never too low.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Length of a step, in seconds.
const STEP: i64 = 600;
/// Seconds of an hour.
pub(super) const HOUR: i64 = 3_600;
/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// So far may the clock of whoever wrote be ahead of ours; what lies further in the future is not believed.
const SKEW: TimeDelta = TimeDelta::hours(1);
/// No refusal is believed for longer.
const LONGEST_BLOCK: TimeDelta = TimeDelta::hours(24);

/// Calls of some minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    /// When it begins, in seconds since 1970.
    pub(super) start: i64,
    /// Calls of each workspace.
    pub(super) used: BTreeMap<String, u64>,
}

/// What the service itself said about the use of its day, by everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) used: u64,
    pub(super) limit: u64,
    pub(super) at: DateTime<Utc>,
    /// How often in a row it was asked and still too much was used.
    #[serde(default)]
    pub(super) strikes: u32,
}

/// The service refuses calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Blocked {
    pub(super) at: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) code: String,
    /// Which limit, in words.
    pub(super) limit: String,
    /// How often in a row it refused.
    #[serde(default)]
    pub(super) strikes: u32,
}

/// What is known of the use of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    /// Calls, oldest first.
    pub(super) calls: Vec<Step>,
    /// Sign-ins, oldest first.
    pub(super) logins: Vec<Step>,
    pub(super) told: Option<Told>,
    pub(super) blocked: Option<Blocked>,
}

impl Record {
    /// Forgets what is past, and what a clock wrote that was wrong.
    pub(super) fn prune(&mut self, now: DateTime<Utc>) {
        let (second, latest) = (now.timestamp(), (now + SKEW).timestamp());
        for (steps, span) in [(&mut self.calls, DAY), (&mut self.logins, HOUR)] {
            steps.retain(|step| step.start + STEP + span > second && step.start <= latest);
        }
        self.told = self.told.filter(|told| told.at <= now + SKEW && now - told.at < TimeDelta::days(1));
        self.blocked = self.blocked.take().filter(|blocked| blocked.at <= now + SKEW);
        if let Some(blocked) = &mut self.blocked {
            blocked.until = blocked.until.min(blocked.at + LONGEST_BLOCK);
        }
    }

    /// Takes the newer word of the service.
    pub(super) fn take_told(&mut self, told: Told) {
        if self.told.is_none_or(|known| known.at <= told.at) {
            self.told = Some(told);
        }
    }
}

/// Counts calls of a workspace.
pub(super) fn count(steps: &mut Vec<Step>, workspace: &str, calls: u64, now: DateTime<Utc>) {
    if calls == 0 {
        return;
    }
    let start = now.timestamp().div_euclid(STEP) * STEP;
    let place = steps.partition_point(|step| step.start < start);
    if steps.get(place).is_none_or(|step| step.start != start) {
        steps.insert(place, Step { start, used: BTreeMap::new() });
    }
    if let Some(step) = steps.get_mut(place) {
        *step.used.entry(workspace.to_owned()).or_insert(0) += calls;
    }
}

/// Calls within a span of seconds before now, of one workspace or of all.
pub(super) fn used(steps: &[Step], span: i64, now: DateTime<Utc>, workspace: Option<&str>) -> u64 {
    let of = |step: &Step| match workspace {
        Some(name) => step.used.get(name).copied().unwrap_or(0),
        None => step.used.values().sum(),
    };
    steps.iter().filter(|step| step.start + STEP + span > now.timestamp()).map(of).sum()
}

/// When fewer than `allowed` calls lie within the span; `None` if that is so already.
pub(super) fn opens(steps: &[Step], span: i64, allowed: u64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut left = used(steps, span, now, None);
    if left < allowed {
        return None;
    }
    let mut opening = now + TimeDelta::seconds(span);
    for step in steps.iter().filter(|step| step.start + STEP + span > now.timestamp()) {
        left = left.saturating_sub(step.used.values().sum());
        if left < allowed {
            opening = DateTime::from_timestamp(step.start + STEP + span, 0).unwrap_or(opening);
            break;
        }
    }
    Some(opening)
}

/// A wait that doubles with every strike.
pub(super) fn back_off(first: Duration, strikes: u32, most: Duration) -> TimeDelta {
    let wait = first.saturating_mul(1 << strikes.min(10)).min(most);
    TimeDelta::from_std(wait).unwrap_or(LONGEST_BLOCK)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000_200 + seconds, 0).unwrap()
    }

    /// `(workspace, second, calls)`; second 0 is the start of a step.
    fn steps(entries: &[(&str, i64, u64)]) -> Vec<Step> {
        let mut steps = Vec::new();
        for (workspace, second, calls) in entries {
            count(&mut steps, workspace, *calls, at(*second));
        }
        steps
    }

    #[test]
    fn the_tests_begin_at_a_step() {
        assert_eq!(at(0).timestamp() % STEP, 0);
    }

    #[rstest]
    #[case::all_count(3_599, 30)]
    #[case::a_step_counts_until_its_last_call_is_an_hour_old(4_199, 30)]
    #[case::then_it_is_gone(4_200, 20)]
    #[case::and_so_on(4_800, 0)]
    fn a_rolling_hour_never_counts_too_little(#[case] second: i64, #[case] expected: u64) {
        let steps = steps(&[("a", 0, 10), ("a", 600, 15), ("b", 1_199, 5)]);
        assert_eq!(used(&steps, HOUR, at(second), None), expected);
    }

    #[test]
    fn the_use_of_each_workspace_is_known() {
        let steps = steps(&[("a", 0, 10), ("b", 1, 5), ("a", 599, 1)]);
        assert_eq!(steps.len(), 1);
        assert_eq!(used(&steps, HOUR, at(600), Some("a")), 11);
        assert_eq!(used(&steps, HOUR, at(600), Some("b")), 5);
    }

    #[rstest]
    #[case::below(31, None)]
    #[case::one_step_has_to_go(30, Some(4_200))]
    #[case::two_have_to(20, Some(4_800))]
    #[case::nothing_is_ever_allowed(0, Some(5_000))]
    fn a_window_opens_when_enough_calls_are_old(#[case] allowed: u64, #[case] second: Option<i64>) {
        let steps = steps(&[("a", 0, 10), ("a", 600, 20)]);
        assert_eq!(opens(&steps, HOUR, allowed, at(1_400)), second.map(at));
    }

    #[test]
    fn a_day_rolls_over() {
        let mut record = Record { calls: steps(&[("a", 0, 10), ("a", 7_200, 1)]), ..Record::default() };
        record.prune(at(DAY + 599));
        assert_eq!(used(&record.calls, DAY, at(DAY + 599), None), 11);
        record.prune(at(DAY + 600));
        assert_eq!(used(&record.calls, DAY, at(DAY + 600), None), 1);
        assert_eq!(record.calls.len(), 1);
    }

    #[test]
    fn what_a_clock_wrote_that_was_far_ahead_is_not_believed() {
        let told = |second| Told { used: 99, limit: 100, at: at(second), strikes: 0 };
        let blocked = |second| Blocked {
            at: at(second),
            until: at(second + 90 * DAY),
            code: "X".into(),
            limit: "y".into(),
            strikes: 0,
        };
        let mut ahead = Record {
            calls: steps(&[("a", 7_200, 10)]),
            logins: Vec::new(),
            told: Some(told(7_200)),
            blocked: Some(blocked(7_200)),
        };
        ahead.prune(at(0));
        assert_eq!(ahead, Record::default());
        // A little is usual.
        let mut near = Record { told: Some(told(200)), blocked: Some(blocked(200)), ..Record::default() };
        near.prune(at(0));
        assert!(near.told.is_some());
        assert_eq!(near.blocked.unwrap().until, at(200 + DAY), "nobody is blocked for longer than a day");
    }

    #[test]
    fn the_newer_word_of_the_service_counts() {
        let told = |second, used| Told { used, limit: 100, at: at(second), strikes: 0 };
        let mut record = Record::default();
        record.take_told(told(10, 50));
        record.take_told(told(5, 40));
        assert_eq!(record.told, Some(told(10, 50)));
        record.take_told(told(11, 51));
        assert_eq!(record.told.unwrap().used, 51);
    }

    #[test]
    fn waits_double_up_to_hours() {
        let wait = |strikes| back_off(Duration::from_secs(900), strikes, Duration::from_secs(4 * 3600));
        assert_eq!(wait(0), TimeDelta::minutes(15));
        assert_eq!(wait(2), TimeDelta::hours(1));
        assert_eq!(wait(99), TimeDelta::hours(4));
    }
}
