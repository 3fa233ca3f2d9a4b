//! One record of a mapping, pair by pair. The record itself stands in the tab, so that the pairs' forms can tell of it, too.

use crate::console::app::selection::Selection;

/// The record that was pulled for a mapping.
pub struct SampleSheet {
    /// The mapping.
    pub mapping: String,
    /// The selected pair.
    pub selection: Selection,
}

impl SampleSheet {
    /// The record of a mapping, at its first pair.
    pub fn new(mapping: String) -> Self {
        Self { mapping, selection: Selection::default() }
    }
}
