//! How long the step of a run still takes, from the numbers that its engine has shown so far.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::progress::{EngineState, MappingProgress, Phase, Progress};

/// The least time over which a pace is told: what was done in less says little.
const LEAST: TimeDelta = TimeDelta::milliseconds(500);

/// One look at the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    at: DateTime<Utc>,
    done: u64,
}

/// What was seen of the step at hand. Records come in pages and portions, so the pace is measured from lump to lump, and the time
/// since the last of them is taken off what is foreseen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Foresight {
    step: Option<(Option<i64>, Phase)>,
    /// When the step was first seen, and when its numbers last moved.
    looks: Option<(Look, Look)>,
    seen: DateTime<Utc>,
}

impl Foresight {
    /// Takes over new numbers; tells whether another step has begun.
    pub fn take(&mut self, progress: &Progress, now: DateTime<Utc>) -> bool {
        // Each step counts something else, so that a pace over two of them would mean nothing.
        let step = Some((progress.run, progress.phase));
        let begins = self.step != step;
        let look = Look { at: now, done: progress.done().0 };
        self.looks = match self.looks {
            Some((first, moved)) if !begins => {
                Some((first, if look.done > moved.done { look } else { moved }))
            }
            Some(_) | None => Some((look, look)),
        };
        (self.step, self.seen) = (step, now);
        begins
    }

    /// Seconds until all is done that this step has to do, of all mappings; nothing where that is not known.
    pub fn of_step(&self, progress: &Progress) -> Option<u64> {
        let (done, total) = progress.done();
        self.seconds(progress, total?.checked_sub(done)?)
    }

    /// Seconds until a mapping that has begun is done, if the others wait for it.
    pub fn of_mapping(&self, progress: &Progress, mapping: &MappingProgress) -> Option<u64> {
        if mapping.done == 0 {
            return None;
        }
        self.seconds(progress, mapping.total?.checked_sub(mapping.done)?)
    }

    fn seconds(&self, progress: &Progress, left: u64) -> Option<u64> {
        if left == 0 || progress.state != EngineState::Running {
            return None;
        }
        let (first, moved) = self.looks?;
        let (took, done) = (moved.at - first.at, moved.done.saturating_sub(first.done));
        if done == 0 || took < LEAST {
            return None;
        }
        let needed = u128::from(left) * u128::from(milliseconds(took)) / u128::from(done);
        let needed = u64::try_from(needed).ok()?;
        Some(needed.saturating_sub(milliseconds(self.seen - moved.at)).div_ceil(1_000).max(1))
    }
}

fn milliseconds(time: TimeDelta) -> u64 {
    u64::try_from(time.num_milliseconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(done: u64, total: u64) -> MappingProgress {
        MappingProgress { done, total: Some(total), ..MappingProgress::default() }
    }

    fn writing(mappings: Vec<MappingProgress>) -> Progress {
        Progress {
            state: EngineState::Running,
            run: Some(1),
            phase: Phase::Writing,
            mappings,
            ..Progress::default()
        }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn the_end_is_that_of_all_mappings() {
        let mut foresight = Foresight::default();
        assert!(foresight.take(&writing(vec![mapping(0, 500), mapping(0, 300)]), at(0)));
        let progress = writing(vec![mapping(200, 500), mapping(0, 300)]);
        assert!(!foresight.take(&progress, at(2)));
        assert_eq!(foresight.of_mapping(&progress, &progress.mappings[0]), Some(3));
        assert_eq!(foresight.of_mapping(&progress, &progress.mappings[1]), None);
        assert_eq!(foresight.of_step(&progress), Some(6));
        let paused = Progress { state: EngineState::Paused, ..progress };
        assert_eq!(foresight.of_step(&paused), None);
    }

    #[test]
    fn what_was_read_is_not_counted_as_written() {
        let mut foresight = Foresight::default();
        let reading = Progress { phase: Phase::Reading, read: 5_000, expected: None, ..writing(Vec::new()) };
        foresight.take(&reading, at(0));
        assert_eq!(foresight.of_step(&reading), None);
        for second in 1..=4 {
            let begins =
                foresight.take(&writing(vec![mapping(100 * (second - 1), 1_000)]), at(second as i64));
            assert_eq!(begins, second == 1);
        }
        assert_eq!(foresight.of_step(&writing(vec![mapping(300, 1_000)])), Some(7));
    }

    #[test]
    fn after_a_tenth_the_end_is_foreseen_though_records_come_in_lumps() {
        let mut foresight = Foresight::default();
        // 500 records every 7 seconds, 10,000 in all: 140 seconds.
        for tick in 0..=130_u64 {
            let progress = writing(vec![mapping(tick / 7 * 500, 10_000)]);
            foresight.take(&progress, at(tick as i64));
            if tick >= 14 {
                let left = foresight.of_step(&progress).unwrap();
                assert!((tick + left).abs_diff(140) <= 28, "after {tick} s: {left} s");
            }
        }
    }
}
