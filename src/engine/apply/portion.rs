//! How many records are worked on together: a chunk, or many more where enough of them will be written to a side that takes many
//! rows by a job.

use std::collections::HashMap;

use crate::domain::port::WriteKind;
use crate::domain::side::Side;
use crate::engine::apply::Item;
use crate::engine::apply::batch::kind_of;
use crate::engine::session::Session;

/// Rows that a run has decided to write, by side, mapping and kind.
pub(in crate::engine) type Foreseen = HashMap<(Side, usize, WriteKind), u64>;

impl Session<'_> {
    /// Records of the next portion; `worked` were worked on by this run, about `left` are to come.
    pub(super) fn portion(&self, worked: u64, left: u64) -> usize {
        let options = &self.context.options;
        let large = options.portion.max(options.chunk);
        let most = left.min(large as u64);
        if worked == 0 || most <= options.chunk as u64 {
            return options.chunk;
        }
        let by_job = self.foreseen.iter().any(|((side, mapping, kind), written)| {
            // What came so far tells what is to come.
            let rows = u128::from(*written) * u128::from(most) / u128::from(worked);
            let batch = self.empty_batch(*mapping, *side, *kind);
            self.context.endpoints[*side].rows_of_a_job(&batch, rows as usize).is_some()
        });
        if by_job { large } else { options.chunk }
    }

    /// Counts the rows that a chunk would write. What became of them is not waited for, so that a run and its plan take the same
    /// portions.
    pub(super) fn foresee_rows(&mut self, items: &[Item]) {
        for item in items {
            for side in Side::BOTH {
                if let Some(kind) = kind_of(item, side) {
                    *self.foreseen.entry((side, item.mapping, kind)).or_default() += 1;
                }
            }
        }
    }
}
