//! Synchronization Information: status, force, automatic, the run at hand, issues, runs.

pub mod act;
mod arrive;
pub mod conflicts_act;
mod forget_act;
pub mod issue_act;
pub mod plan_act;
pub mod records_act;
mod release_act;
mod since_act;
pub mod undo_act;

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use crate::console::app::model::Load;
use crate::console::app::selection::Selection;
use crate::domain::foresight::Foresight;
use crate::domain::progress::{EngineState, Progress};
use crate::domain::report::{IssueGroup, RunRow, StatusReport};

/// Which part of the tab has the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Force synchronization (F59).
    #[default]
    Force,
    /// Automatic synchronization (F58).
    Automatic,
    /// Groups of issues (F56).
    Issues,
    /// Runs.
    Runs,
}

impl Part {
    /// All parts, as Tab walks them.
    pub const ALL: [Self; 4] = [Self::Force, Self::Automatic, Self::Issues, Self::Runs];
}

/// What is about to be done to a whole group of issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupDeed {
    /// Try it again.
    Retry,
    /// Hide it for a while.
    Snooze,
}

/// One look at the numbers, for the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    at: DateTime<Utc>,
    done: u64,
}

/// The state of the tab.
#[derive(Default)]
pub struct SyncTab {
    /// The numbers of the engine.
    pub progress: Progress,
    /// The status block.
    pub status: Load<Box<StatusReport>>,
    /// Groups of open issues.
    pub groups: Load<Vec<IssueGroup>>,
    /// Runs, newest first.
    pub runs: Load<Vec<RunRow>>,
    /// Whether there are no older runs.
    pub all_runs: bool,
    /// Whether older runs are being read.
    pub reading_runs: bool,
    /// Which part has the focus.
    pub part: Part,
    /// Which row of Force synchronization is selected, when it is open.
    pub force: Selection,
    /// Whether Force synchronization is unfolded.
    pub unfolded: bool,
    /// Which group is selected.
    pub group: Selection,
    /// Which run is selected.
    pub run: Selection,
    /// Records a second over the last seconds, oldest first.
    pub rates: VecDeque<u64>,
    /// The group that is about to be tried again or hidden, while its records are read.
    pub asked: Option<(IssueGroup, GroupDeed)>,
    /// The undo that only looks and whose plan is shown when it is through.
    pub looking: Option<i64>,
    /// Whether snoozed issues are shown with the others.
    pub show_snoozed: bool,
    /// When the lists were read last.
    pub looked: DateTime<Utc>,
    /// When the numbers arrived that are shown.
    pub seen: Option<DateTime<Utc>>,
    /// The run that has just ended and whose result is to be told.
    pub ended: Option<i64>,
    /// How the run before it ended, as it was told.
    pub told: Option<String>,
    /// How long the step at hand still takes.
    pub foresight: Foresight,
    samples: VecDeque<Sample>,
}

/// Width of the sparkline.
const RATES: usize = 40;

impl SyncTab {
    /// Whether a run is on its way.
    pub fn is_running(&self) -> bool {
        match self.progress.state {
            EngineState::Running | EngineState::Paused | EngineState::Stopping => true,
            EngineState::Idle => false,
        }
    }

    /// Takes over new numbers; tells whether a run has just ended.
    pub fn take(&mut self, progress: Progress, now: DateTime<Utc>) -> bool {
        let was_running = self.is_running();
        if self.foresight.take(&progress, now) {
            self.samples.clear();
            self.rates.clear();
        }
        let ended = was_running && progress.state == EngineState::Idle
            || progress.run != self.progress.run
                && progress.state == EngineState::Idle
                && self.seen.is_some();
        self.progress = progress;
        self.seen = Some(now);
        let done = self.progress.done().0;
        // One bar a second; more often is only kept for the rate.
        let last = self.samples.back().copied();
        match last {
            Some(sample) if (now - sample.at).num_milliseconds() < 1_000 => {}
            Some(sample) => {
                let milliseconds = (now - sample.at).num_milliseconds().max(1) as u64;
                self.rates.push_back(done.saturating_sub(sample.done) * 1_000 / milliseconds);
                self.samples.push_back(Sample { at: now, done });
            }
            None => self.samples.push_back(Sample { at: now, done }),
        }
        while self.rates.len() > RATES {
            self.rates.pop_front();
        }
        while self.samples.len() > 8 {
            self.samples.pop_front();
        }
        ended
    }

    /// Records a second, over the last seconds.
    pub fn rate(&self) -> Option<u64> {
        let first = self.samples.front()?;
        let last = self.samples.back()?;
        let milliseconds = (last.at - first.at).num_milliseconds();
        if milliseconds <= 0 {
            return None;
        }
        Some(last.done.saturating_sub(first.done) * 1_000 / milliseconds as u64)
    }

    /// The selected group.
    pub fn selected_group(&self) -> Option<&IssueGroup> {
        let groups = self.groups.ready()?;
        groups.get(self.group.place(groups.len()))
    }

    /// The selected run.
    pub fn selected_run(&self) -> Option<&RunRow> {
        let runs = self.runs.ready()?;
        runs.get(self.run.place(runs.len()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::progress::{MappingProgress, Phase};

    fn progress(done: u64, state: EngineState) -> Progress {
        Progress {
            state,
            run: Some(1),
            phase: Phase::Writing,
            mappings: vec![MappingProgress { done, ..MappingProgress::default() }],
            ..Progress::default()
        }
    }

    #[test]
    fn the_rate_is_of_the_last_seconds() {
        let mut tab = SyncTab::default();
        for second in 0..4 {
            let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
            tab.take(progress(100 * second as u64, EngineState::Running), now);
        }
        assert_eq!(tab.rate(), Some(100));
        assert_eq!(tab.rates.iter().copied().collect::<Vec<_>>(), [100, 100, 100]);
    }

    #[test]
    fn the_end_of_a_run_is_noticed_once() {
        let mut tab = SyncTab::default();
        let now = DateTime::UNIX_EPOCH;
        assert!(!tab.take(progress(0, EngineState::Running), now));
        assert!(tab.take(progress(9, EngineState::Idle), now));
        assert!(!tab.take(progress(9, EngineState::Idle), now));
    }
}
