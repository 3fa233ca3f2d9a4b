//! The form of one issue: the remote's own words, and every pair with what both sides hold now.

use crate::console::app::model::Load;
use crate::console::app::selection::Selection;
use crate::domain::report::IssueRow;
use crate::ops::issues::IssueForm;

/// The form of an issue.
pub struct IssueSheet {
    /// The issue.
    pub row: IssueRow,
    /// What both sides hold.
    pub form: Load<Box<IssueForm>>,
    /// Which field is selected.
    pub selection: Selection,
}

impl IssueSheet {
    /// A form whose values are being read.
    pub fn new(row: IssueRow) -> Self {
        Self { row, form: Load::Waiting, selection: Selection::default() }
    }

    /// The place of the selected field.
    pub fn place(&self) -> usize {
        self.selection.place(self.form.ready().map_or(0, |form| form.fields.len()))
    }

    /// The record: the org's id before the platform's.
    pub fn record(&self) -> Option<String> {
        self.row.ids.org.as_ref().or(self.row.ids.platform.as_ref()).map(ToString::to_string)
    }
}
