//! Translations of ids: who owns a record and which record type it has are picked and shown by their names (N25).

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::mapping::MappingTab;
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::picker::{Item, Picked, Picker};
use crate::console::app::overlay::sheet::{Row, RowId, Sheet, Target};
use crate::console::app::toast::Tone;
use crate::console::view::text::sheet as text;
use crate::domain::mapping::Mapping;
use crate::domain::promotion::IdKind;
use crate::domain::schema::FieldSchema;
use crate::domain::side::Side;
use crate::domain::transform::Transform;
use crate::ops::directory::Named;

/// Of which ids the names are wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamesOf {
    /// The org's object that has the field.
    pub object: String,
    /// What the ids of the field may name.
    pub kinds: Vec<IdKind>,
}

impl NamesOf {
    fn of(mapping: &Mapping, field: &FieldSchema) -> Option<Self> {
        let kinds = IdKind::in_field(field);
        (!kinds.is_empty()).then(|| Self { object: mapping.org_object.clone(), kinds })
    }
}

/// Puts names in the place of ids.
pub(super) fn say(rows: &mut [Row], names: &[Named]) {
    for row in rows.iter_mut().filter(|row| matches!(row.id, RowId::Translation(_))) {
        let same = |named: &&Named| named.id == row.label || named.id.get(..15) == Some(row.label.as_str());
        row.shown = names.iter().find(same).map(|named| format!("{} ({})", named.label, named.kind.word()));
    }
}

impl MappingTab {
    /// What the ids of a field may name, if that is known.
    pub fn names_of(&self, mapping: &Mapping, field: &FieldSchema) -> Option<&[Named]> {
        let known = self.names.get(&NamesOf::of(mapping, field)?)?;
        known.ready().map(Vec::as_slice)
    }
}

impl App {
    fn field_of(&self, mapping: &str, pair: usize) -> Option<(&Mapping, &FieldSchema)> {
        let mapping = self.mapping.named(mapping)?;
        let name = mapping.pairs.get(pair)?.org.first()?;
        Some((mapping, self.mapping.described(Side::Org, mapping)?.field(name)?))
    }

    /// Opens the translations of a pair; the names of its ids are asked for the first time.
    pub(crate) fn open_table(&mut self, mapping: &str, pair: usize) -> Vec<Effect> {
        let of = self.field_of(mapping, pair).and_then(|(mapping, field)| NamesOf::of(mapping, field));
        let target = Target::Translations { mapping: mapping.to_owned(), pair };
        self.overlays.push(Overlay::Sheet(Sheet::new(target)));
        let Some(of) =
            of.filter(|of| !matches!(self.mapping.names.get(of), Some(Load::Ready(_) | Load::Waiting)))
        else {
            return Vec::new();
        };
        self.mapping.names.insert(of.clone(), Load::Waiting);
        vec![Effect::ListNames(of)]
    }

    /// The names arrived, or did not.
    pub(crate) fn take_names(&mut self, of: NamesOf, answer: Answer<Vec<Named>>) {
        let answer = match answer {
            Ok(names) => Load::Ready(names),
            Err(sentence) => {
                self.toasts.add(Tone::Warning, text::no_names(&sentence), self.now);
                Load::Failed(sentence)
            }
        };
        self.mapping.names.insert(of, answer);
    }

    /// Asks for a new line of a table: of ids, the name is picked first.
    pub(crate) fn add_translation(&mut self, mapping: &str, pair: usize) {
        let names = self.field_of(mapping, pair).and_then(|(known, field)| {
            let names = self.mapping.names_of(known, field)?;
            let listed = |named: &&Named| match known.pairs.get(pair).map(|pair| &pair.transform) {
                Some(Transform::Table(table)) => !table.entries.contains_key(&named.id),
                _ => true,
            };
            let item = |named: &Named| {
                Item::new(named.id.clone(), [named.label.as_str(), named.kind.word(), named.name.as_str()])
            };
            Some(names.iter().filter(listed).map(item).collect::<Vec<Item>>())
        });
        match names.filter(|names| !names.is_empty()) {
            Some(items) => {
                let purpose = Picked::Translated { mapping: mapping.to_owned(), pair };
                self.overlays.push(Overlay::Picker(Picker::new(
                    text::WHOSE,
                    &text::NAMES_HEADS,
                    items,
                    purpose,
                )));
            }
            None => self.ask_translation(mapping.to_owned(), pair, None),
        }
    }
}
