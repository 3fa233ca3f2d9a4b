//! Pairs that are proposed for a mapping: all are ticked at first, and Enter adds those that still are.

use crate::console::app::selection::Selection;
use crate::domain::mapping::Pair;
use crate::ops::suggest::Suggestion;

/// The proposal for one mapping.
pub struct Suggest {
    /// The mapping.
    pub mapping: String,
    /// What is proposed, and whether it is ticked.
    pub rows: Vec<(Suggestion, bool)>,
    /// Which row is selected.
    pub selection: Selection,
}

impl Suggest {
    /// A proposal with every row ticked.
    pub fn new(mapping: String, suggestions: Vec<Suggestion>) -> Self {
        let rows = suggestions.into_iter().map(|suggestion| (suggestion, true)).collect();
        Self { mapping, rows, selection: Selection::default() }
    }

    /// Ticks the selected row, or takes its tick away.
    pub fn toggle(&mut self) {
        let place = self.selection.place(self.rows.len());
        if let Some((_, ticked)) = self.rows.get_mut(place) {
            *ticked = !*ticked;
        }
    }

    /// Ticks all rows, or none if all are ticked.
    pub fn toggle_all(&mut self) {
        let all = self.rows.iter().all(|(_, ticked)| *ticked);
        for (_, ticked) in &mut self.rows {
            *ticked = !all;
        }
    }

    /// The ticked pairs.
    pub fn chosen(&self) -> Vec<Pair> {
        let ticked = self.rows.iter().filter(|(_, ticked)| *ticked);
        ticked.map(|(suggestion, _)| suggestion.pair.clone()).collect()
    }
}
