//! A fuzzy picker: typing narrows, arrows choose, Enter takes. The palette is one, too.

use crate::console::app::action::Action;
use crate::console::app::connection::field::FieldId;
use crate::console::app::fuzzy;
use crate::console::app::key::Key;
use crate::console::app::overlay::conditions::Spot;
use crate::console::app::selection::Selection;
use crate::console::app::text_input::TextInput;
use crate::domain::criteria::ways::Way;
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
    /// One more field of a pair.
    MoreField {
        /// The mapping.
        mapping: String,
        /// The pair's place.
        pair: usize,
        /// The side of the field.
        side: Side,
    },
    /// The org's object of a new mapping; then the platform's is picked.
    NewMapping,
    /// The platform's object of a new mapping.
    NewMappingPlatform {
        /// The org's object.
        org_object: String,
        /// The condition that tells its records from others of the same object.
        criteria: Option<String>,
    },
    /// The field of a condition; then a way to test it is picked.
    ConditionField(Spot),
    /// The way in which a condition tests its field; then its value is picked or typed.
    ConditionWay {
        /// Where the condition will stand.
        spot: Spot,
        /// The field.
        field: String,
    },
    /// The value of a condition.
    ConditionValue {
        /// Where the condition will stand.
        spot: Spot,
        /// The field.
        field: String,
        /// The way it is tested.
        way: Way,
    },
    /// One of several values of a condition.
    ConditionValues {
        /// Where the condition will stand.
        spot: Spot,
        /// The field.
        field: String,
        /// The way it is tested.
        way: Way,
        /// What has been chosen so far.
        values: Vec<String>,
    },
    /// What a translation of ids is about.
    Translated {
        /// The mapping.
        mapping: String,
        /// The pair's place.
        pair: usize,
    },
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
    /// Whether it is what was typed, and not listed.
    typed: bool,
}

impl Item {
    /// An item that can be chosen.
    pub fn new<C: Into<String>>(id: impl Into<String>, cells: impl IntoIterator<Item = C>) -> Self {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        Self { id: id.into(), search: cells.join(" "), cells, blocked: None, typed: false }
    }

    /// The same item, which no query finds.
    pub fn unsearched(mut self) -> Self {
        self.search = String::new();
        self
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
    /// What begins a name that may be typed though it is not listed, and the word that says so.
    pub open: Option<(String, &'static str)>,
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
            open: None,
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

    /// Offers the typed name where names are free: behind what is listed, but before it where the whole name was written out and nothing
    /// listed begins like that.
    fn offer_typed(&mut self) {
        let Some((start, word)) = &self.open else { return };
        let typed = self.input.text().trim();
        let name =
            if typed.starts_with(start.as_str()) { typed.to_owned() } else { format!("{start}{typed}") };
        if name.len() == start.len() || self.items.iter().any(|item| item.id.eq_ignore_ascii_case(&name)) {
            return;
        }
        let mut item = Item::new(name.clone(), [(*word).to_owned(), name]);
        item.typed = true;
        let spelled =
            |known: &Item| known.id.get(..typed.len()).is_some_and(|head| head.eq_ignore_ascii_case(typed));
        let whole = typed.starts_with(start.as_str()) && !self.items.iter().any(spelled);
        let place = if whole { 0 } else { self.matches.len() };
        self.matches.insert(place, self.items.len());
        self.items.push(item);
    }

    fn narrow(&mut self) {
        self.items.retain(|item| !item.typed);
        self.matches = fuzzy::ranked(self.input.text(), self.items.iter().map(|item| item.search.as_str()));
        self.offer_typed();
        self.selection.set(0);
    }
}
