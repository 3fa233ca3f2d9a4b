//! The criteria of a mapping as rows of conditions and groups. What they say stands in the draft of the mapping, as text.

use crate::console::app::selection::Selection;
use crate::domain::criteria::tree::{Junction, Path};
use crate::domain::side::Side;

/// The criteria of one side of a mapping.
pub struct Conditions {
    /// The mapping.
    pub mapping: String,
    /// The side whose records are tested.
    pub side: Side,
    /// The selected row.
    pub selection: Selection,
}

impl Conditions {
    /// The criteria of a side, at their first row.
    pub fn new(mapping: String, side: Side) -> Self {
        Self { mapping, side, selection: Selection::default() }
    }
}

/// Where a condition that is being chosen will stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The mapping.
    pub mapping: String,
    /// The side whose records are tested.
    pub side: Side,
    /// The condition it is chosen for; of no criteria at all, the root.
    pub path: Path,
    /// What becomes of that one.
    pub placing: Placing,
}

/// How a new condition stands to the selected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// In its place.
    Instead,
    /// Beside it.
    Beside(Junction),
}
