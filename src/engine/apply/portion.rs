//! How many records are worked on together: a chunk, or many more where enough of them will be written to a side that takes many
//! rows by a job.

use crate::domain::cost::{Task, Way, Workload};
use crate::domain::side::Side;
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
            let counts = match side {
                Side::Org => &self.counts.salesforce,
                Side::Platform => &self.counts.platform,
            };
            let written = counts.created + counts.updated + counts.deleted;
            // What came so far tells what is to come.
            let rows = (u128::from(written) * u128::from(most) / u128::from(worked)) as u64;
            let choice = self.context.endpoints[*side].foresee(&Workload { task: Task::Write, rows });
            choice.is_some_and(|choice| choice.way == Way::Job)
        });
        if by_job { large } else { options.chunk }
    }
}
