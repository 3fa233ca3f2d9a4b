//! A fuzzy picker: typing narrows, arrows choose, Enter takes. The palette is one, too.

use crate::console::app::action::Action;
use crate::console::app::connection::field::FieldId;
use crate::console::app::fuzzy;
use crate::console::app::key::Key;
use crate::console::app::selection::Selection;
use crate::console::app::text_input::TextInput;
use crate::domain::side::Side;

/// What a choice is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// An action of the palette.
    Action,
    /// A value of a connection's field.
    Field(FieldId),
    /// The org's field of a new pair; then the platform's is picked.
    NewPairOrg {
        /// The mapping.
        mapping: String,
    },
    /// The platform's field of a new pair.
    NewPairPlatform {
        /// The mapping.
        mapping: String,
        /// The org's field.
        org: String,
    },
    /// Another field of a pair.
    PairField {
        /// The mapping.
        mapping: String,
        /// The pair's place.
        pair: usize,
        /// The side of the field.
        side: Side,
    },
    /// The org's object of a new mapping.
    NewMapping,
    /// A value of a row of a sheet.
    SheetRow(super::sheet::Target, super::sheet::RowId),
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is handed on when it is chosen.
    pub id: String,
    /// What is shown, column by column.
    pub cells: Vec<String>,
    /// Why it can't be chosen now.
    pub blocked: Option<String>,
    search: String,
}

impl Item {
    /// An item that can be chosen.
    pub fn new<C: Into<String>>(id: impl Into<String>, cells: impl IntoIterator<Item = C>) -> Self {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        Self { id: id.into(), search: cells.join(" "), cells, blocked: None }
    }

    /// The same item, not to be chosen now.
    pub fn blocked(mut self, reason: Option<String>) -> Self {
        self.blocked = reason;
        self
    }
}

/// A fuzzy picker.
pub struct Picker {
    /// What is picked.
    pub title: String,
    /// Heads of the columns; none for a plain list.
    pub heads: &'static [&'static str],
    /// What there is.
    pub items: Vec<Item>,
    /// The query.
    pub input: TextInput,
    /// Places of the matching items, best first.
    pub matches: Vec<usize>,
    /// Which match is selected.
    pub selection: Selection,
    /// What the choice is for.
    pub purpose: Picked,
    /// Whether the items are still being read.
    pub waiting: bool,
}

impl Picker {
    /// A picker over items.
    pub fn new(
        title: impl Into<String>,
        heads: &'static [&'static str],
        items: Vec<Item>,
        purpose: Picked,
    ) -> Self {
        let matches = (0..items.len()).collect();
        Self {
            title: title.into(),
            heads,
            items,
            input: TextInput::default(),
            matches,
            selection: Selection::default(),
            purpose,
            waiting: false,
        }
    }

    /// Selects the item of that id.
    pub fn choose(&mut self, id: &str) {
        if let Some(place) =
            self.matches.iter().position(|item| self.items.get(*item).is_some_and(|item| item.id == id))
        {
            self.selection.set(place);
        }
    }

    /// The selected item.
    pub fn selected(&self) -> Option<&Item> {
        let place = self.matches.get(self.selection.place(self.matches.len()))?;
        self.items.get(*place)
    }

    /// Moves as the action says.
    pub fn act(&mut self, action: Action) -> bool {
        self.selection.act(action, self.matches.len())
    }

    /// A key that is text.
    pub fn typed(&mut self, key: Key) {
        if self.input.press(key) {
            self.narrow();
        }
    }

    /// Pasted text.
    pub fn paste(&mut self, pasted: &str) {
        self.input.paste(pasted);
        self.narrow();
    }

    fn narrow(&mut self) {
        self.matches = fuzzy::ranked(self.input.text(), self.items.iter().map(|item| item.search.as_str()));
        self.selection.set(0);
    }
}
