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
    /// Which of the shown ones is selected.
    pub selection: Selection,
    /// What a shown one contains.
    pub filter: String,
}

impl Records {
    /// A group whose records are being read.
    pub fn new(group: IssueGroup) -> Self {
        Self { group, rows: Load::Waiting, selection: Selection::default(), filter: String::new() }
    }

    /// The selected record.
    pub fn selected(&self) -> Option<&IssueRow> {
        let shown = self.shown();
        shown.get(self.selection.place(shown.len())).copied()
    }

    /// The records that the filter lets through.
    pub fn shown(&self) -> Vec<&IssueRow> {
        let wanted = self.filter.to_lowercase();
        let rows = self.rows.ready().map(Vec::as_slice).unwrap_or_default();
        rows.iter().filter(|row| wanted.is_empty() || words(row).contains(&wanted)).collect()
    }
}

/// Everything of a record that a filter looks at.
fn words(row: &IssueRow) -> String {
    let ids = [&row.ids.org, &row.ids.platform].into_iter().flatten().map(ToString::to_string);
    let mut words = format!("{} {}", row.label, row.message);
    for id in ids {
        words.push(' ');
        words.push_str(&id);
    }
    words.to_lowercase()
}
