//! The records of a group of issues.

use crate::console::app::model::Load;
use crate::console::app::selection::Selection;
use crate::domain::report::{IssueGroup, IssueRow};

/// A group of issues, opened.
pub struct Records {
    /// The group.
    pub group: IssueGroup,
    /// Its records.
    pub rows: Load<Vec<IssueRow>>,
    /// Which one is selected.
    pub selection: Selection,
}

impl Records {
    /// A group whose records are being read.
    pub fn new(group: IssueGroup) -> Self {
        Self { group, rows: Load::Waiting, selection: Selection::default() }
    }

    /// The selected record.
    pub fn selected(&self) -> Option<&IssueRow> {
        let rows = self.rows.ready()?;
        rows.get(self.selection.place(rows.len()))
    }
}
