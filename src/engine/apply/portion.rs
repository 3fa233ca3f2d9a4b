//! How many records are worked on together: a chunk, or many more where enough of them will be written to a side that takes many
//! rows by a job.

use crate::domain::cost::{Task, Way, Workload};
use crate::domain::side::Side;
use crate::engine::apply::Item;
use crate::engine::session::Session;

impl Session<'_> {
    /// Records of the next portion; `worked` were worked on by this run, about `left` are to come.
    pub(super) fn portion(&self, worked: u64, left: u64) -> usize {
        let options = &self.context.options;
        let large = options.portion.max(options.chunk);
        let most = left.min(large as u64);
        if worked == 0 || most <= options.chunk as u64 {
            return options.chunk;
        }
        let by_job = Side::BOTH.iter().any(|side| {
            let written = self.decided[*side];
            // What came so far tells what is to come.
            let rows = (u128::from(written) * u128::from(most) / u128::from(worked)) as u64;
            let choice = self.context.endpoints[*side].foresee(&Workload { task: Task::Write, rows });
            choice.is_some_and(|choice| choice.way == Way::Job)
        });
        if by_job { large } else { options.chunk }
    }

    /// Counts the rows that a chunk would write. What became of them is not waited for, so that a run and its plan take the same
    /// portions.
    pub(super) fn foresee_rows(&mut self, items: &[Item]) {
        for side in Side::BOTH {
            let rows = items.iter().filter(|item| item.decision.line.writes_to(side)).count();
            self.decided[side] += rows as u64;
        }
    }
}
