//! Copies and moves mappings and pairs. The order of mappings is the precedence of a family (law E1).

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::mapping::Pane;
use crate::console::app::toast::Tone;
use crate::console::view::text::mapping as text;
use crate::domain::mapping::Mapping;

/// Which way something is moved in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Towards {
    /// Nearer to the first.
    First,
    /// Nearer to the last.
    Last,
}

impl Towards {
    fn step(self, place: usize, length: usize) -> Option<usize> {
        match self {
            Self::First => place.checked_sub(1),
            Self::Last => Some(place + 1).filter(|place| *place < length),
        }
    }
}

impl App {
    /// Copies the selected mapping or pair; the copy stands behind it.
    pub(crate) fn duplicate(&mut self) -> Vec<Effect> {
        let Some(mapping) = self.mapping.selected().cloned() else {
            self.toasts.add(Tone::Info, text::NO_MAPPING_HERE, self.now);
            return Vec::new();
        };
        match self.mapping.pane {
            Pane::Objects => {
                let name = self.mapping.free_name(&mapping.name);
                let copy = Mapping { name: name.clone(), create_in_org: false, ..mapping };
                let place = self.mapping.object.place(self.mapping.draft.now().len()) + 1;
                self.mapping.draft.edit(|mappings| mappings.insert(place.min(mappings.len()), copy));
                self.mapping.object.set(place);
                self.toasts.add(Tone::Good, text::mapping_copied(&name), self.now);
            }
            Pane::Pairs => {
                let Some(place) = self.mapping.selected_row().and_then(|row| row.pair) else {
                    self.toasts.add(Tone::Info, text::NO_PAIR_HERE, self.now);
                    return Vec::new();
                };
                self.mapping.edit(&mapping.name, |mapping| {
                    if let Some(copy) = mapping.pairs.get(place).cloned() {
                        mapping.pairs.insert(place + 1, copy);
                    }
                });
                self.mapping.row.set(place + 1);
                self.toasts.add(Tone::Good, text::PAIR_COPIED, self.now);
            }
        }
        self.review_mappings();
        self.needed_schemas()
    }

    /// Moves the selected mapping or pair by one place.
    pub(crate) fn shift(&mut self, towards: Towards) -> Vec<Effect> {
        match self.mapping.pane {
            Pane::Objects => {
                let length = self.mapping.draft.now().len();
                let place = self.mapping.object.place(length);
                let Some(other) = towards.step(place, length) else { return Vec::new() };
                self.mapping.draft.edit(|mappings| mappings.swap(place, other));
                self.mapping.object.set(other);
            }
            Pane::Pairs => {
                let name = self.mapping.selected().map(|mapping| (mapping.name.clone(), mapping.pairs.len()));
                let place = self.mapping.selected_row().and_then(|row| row.pair);
                let (Some((name, length)), Some(place)) = (name, place) else {
                    self.toasts.add(Tone::Info, text::NO_PAIR_HERE, self.now);
                    return Vec::new();
                };
                if !self.mapping.filter.text().is_empty() {
                    self.toasts.add(Tone::Info, text::MOVE_WITHOUT_FILTER, self.now);
                    return Vec::new();
                }
                let Some(other) = towards.step(place, length) else { return Vec::new() };
                self.mapping.edit(&name, |mapping| mapping.pairs.swap(place, other));
                self.mapping.row.set(other);
            }
        }
        self.review_mappings();
        Vec::new()
    }
}
