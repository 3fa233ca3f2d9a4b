//! Which row of a list is selected, kept by id while rows come and go.

use crate::console::app::action::Action;

/// A place in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    place: usize,
}

/// How far a page key moves.
pub const PAGE: usize = 10;

impl Selection {
    /// Starts at a place.
    pub fn at(place: usize) -> Self {
        Self { place }
    }

    /// The place in a list of that length.
    pub fn place(&self, length: usize) -> usize {
        self.place.min(length.saturating_sub(1))
    }

    /// Goes to a place.
    pub fn set(&mut self, place: usize) {
        self.place = place;
    }

    /// Moves as the action says; tells whether the action moves.
    pub fn act(&mut self, action: Action, length: usize) -> bool {
        let place = self.place(length);
        let last = length.saturating_sub(1);
        self.place = match action {
            Action::Up => place.saturating_sub(1),
            Action::Down => (place + 1).min(last),
            Action::PageUp => place.saturating_sub(PAGE),
            Action::PageDown => (place + PAGE).min(last),
            Action::First => 0,
            Action::Last => last,
            _ => return false,
        };
        true
    }

    /// Keeps to the same row after the rows have changed.
    pub fn follow<T, I: PartialEq>(&mut self, old: &[T], new: &[T], id: impl Fn(&T) -> I) {
        let Some(wanted) = old.get(self.place(old.len())).map(&id) else { return };
        if let Some(place) = new.iter().position(|row| id(row) == wanted) {
            self.place = place;
        }
    }
}

/// The first row to draw, so that the selected one is seen in a window of `height` rows.
pub fn window_start(selected: usize, length: usize, height: usize) -> usize {
    if length <= height {
        return 0;
    }
    selected.saturating_sub(height / 2).min(length - height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_follows_its_row() {
        let mut selection = Selection::at(1);
        selection.follow(&["a", "b"], &["x", "y", "b"], |row| *row);
        assert_eq!(selection.place(3), 2);
    }

    #[test]
    fn the_selected_row_is_always_in_the_window() {
        for length in 0..30usize {
            for selected in 0..length {
                let start = window_start(selected, length, 7);
                assert!(start <= selected && selected < start + 7);
            }
        }
    }
}
