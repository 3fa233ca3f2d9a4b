//! The list of what differs from what was accepted of both sides (law E13); its rows are those of the status.

use crate::console::app::App;
use crate::console::app::selection::Selection;
use crate::domain::report::DriftRow;

/// The list.
#[derive(Debug, Default)]
pub struct Drift {
    /// Which row is selected.
    pub selection: Selection,
}

impl App {
    /// What differs, the worst first; nothing while the status is not known.
    pub fn drift_rows(&self) -> &[DriftRow] {
        self.sync.status.ready().map(|status| status.drift.as_slice()).unwrap_or_default()
    }

    /// The selected row of the open list.
    pub fn selected_drift(&self) -> Option<&DriftRow> {
        let Some(super::Overlay::Drift(drift)) = self.overlays.last() else { return None };
        let rows = self.drift_rows();
        rows.get(drift.selection.place(rows.len()))
    }
}
