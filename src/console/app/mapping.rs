//! Mapping Settings: objects on the left, the field pairs of the selected one on the right.

pub mod act;
pub mod add;
pub mod arrange;
pub mod conditions_act;
pub mod counting;
mod drift_act;
pub mod names;
pub mod new_mapping;
pub mod problems;
pub mod rehearse_act;
pub mod rows;
pub mod sample_act;
mod scope_act;
pub mod sheet_act;
pub mod suggest_act;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::console::app::history::History;
use crate::console::app::mapping::names::NamesOf;
use crate::console::app::mapping::problems::MappingNote;
use crate::console::app::model::Load;
use crate::console::app::selection::Selection;
use crate::console::app::text_input::TextInput;
use crate::domain::mapping::Mapping;
use crate::domain::sample::Pulled;
use crate::domain::schema::{ObjectEntry, ObjectSchema};
use crate::domain::side::Side;
use crate::ops::directory::Named;
use crate::ops::look::Samples;
use crate::ops::members::Members;
use crate::workspace::settings::Settings;

/// Which list has the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The mappings.
    #[default]
    Objects,
    /// The pairs of the selected mapping.
    Pairs,
}

/// What is counted: the records of an object of a side that meet a condition, as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counting {
    /// The side.
    pub side: Side,
    /// The object.
    pub object: String,
    /// The condition; none counts all records.
    pub criteria: Option<String>,
}

/// The state of the tab.
pub struct MappingTab {
    /// All mappings, edited but perhaps not saved.
    pub draft: History<Vec<Mapping>>,
    /// Which list has the focus.
    pub pane: Pane,
    /// The selected mapping.
    pub object: Selection,
    /// The selected row of the right list.
    pub row: Selection,
    /// Whether all fields of the org's object are listed instead of the pairs alone (F87).
    pub all_fields: bool,
    /// The filter of the right list.
    pub filter: TextInput,
    /// Whether the filter is being typed.
    pub filtering: bool,
    /// What the sides say about their objects.
    pub schemas: BTreeMap<(Side, String), Load<ObjectSchema>>,
    /// What is wrong with the draft.
    pub notes: Vec<MappingNote>,
    /// A filled value of each field, by side and object.
    pub samples: BTreeMap<(Side, String), Load<Samples>>,
    /// How many records meet criteria that were open.
    pub counts: BTreeMap<Counting, Load<Members>>,
    /// The record that was pulled for each mapping, by the mapping's name.
    pub pulled: BTreeMap<String, Load<Pulled>>,
    /// When the open criteria will have rested long enough to be counted.
    pub count_due: Option<DateTime<Utc>>,
    /// The org's objects, once somebody asked for them.
    pub objects: Option<Load<Vec<ObjectEntry>>>,
    /// What the ids of a field may name, once its translations were looked at.
    pub names: BTreeMap<NamesOf, Load<Vec<Named>>>,
    /// The mapping whose pairs shall be proposed as soon as both sides are described.
    pub suggest_for: Option<String>,
    /// Whether default mappings are being made up.
    pub proposing: bool,
    /// Whether a save is on its way.
    pub saving: bool,
    /// What comes after it.
    pub then: AfterSaving,
}

/// What comes after the mappings are saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterSaving {
    /// Nothing.
    #[default]
    Stay,
    /// The question about an initial sync, which brings all records to what was saved (F153).
    Sync,
}

impl MappingTab {
    /// The tab for saved settings.
    pub fn new(settings: &Settings) -> Self {
        Self {
            draft: History::new(settings.mappings.clone()),
            pane: Pane::Objects,
            object: Selection::default(),
            row: Selection::default(),
            all_fields: false,
            filter: TextInput::default(),
            filtering: false,
            schemas: BTreeMap::new(),
            samples: BTreeMap::new(),
            counts: BTreeMap::new(),
            count_due: None,
            pulled: BTreeMap::new(),
            objects: None,
            names: BTreeMap::new(),
            suggest_for: None,
            notes: Vec::new(),
            proposing: false,
            saving: false,
            then: AfterSaving::Stay,
        }
    }

    /// Whether saving would change anything.
    pub fn differs(&self, settings: &Settings) -> bool {
        *self.draft.now() != settings.mappings
    }

    /// Settings with this draft in them.
    pub fn over(&self, settings: &Settings) -> Settings {
        Settings { mappings: self.draft.now().clone(), ..settings.clone() }
    }

    /// The selected mapping.
    pub fn selected(&self) -> Option<&Mapping> {
        let mappings = self.draft.now();
        mappings.get(self.object.place(mappings.len()))
    }

    /// The mapping of that name.
    pub fn named(&self, name: &str) -> Option<&Mapping> {
        self.draft.now().iter().find(|mapping| mapping.name == name)
    }

    /// A name like this one that no mapping has.
    pub fn free_name(&self, base: &str) -> String {
        let mut name = base.to_owned();
        let mut number = 2;
        while self.named(&name).is_some() {
            name = format!("{base}_{number}");
            number += 1;
        }
        name
    }

    /// A filled value of a field, where records were looked at.
    pub fn sample(&self, side: Side, mapping: &Mapping, field: &str) -> Option<&str> {
        let samples = self.samples.get(&(side, mapping.object(side).to_owned()))?.ready()?;
        samples.get(field).map(String::as_str)
    }

    /// Edits the mapping of that name as one step that can be undone.
    pub fn edit(&mut self, name: &str, edit: impl FnOnce(&mut Mapping)) {
        let Some(place) = self.draft.now().iter().position(|mapping| mapping.name == name) else { return };
        let mut changed = self.draft.now().get(place).cloned();
        if let Some(mapping) = changed.as_mut() {
            edit(mapping);
        }
        if changed.as_ref() == self.draft.now().get(place) {
            return;
        }
        if let Some(changed) = changed {
            self.draft.edit(|mappings| {
                if let Some(slot) = mappings.get_mut(place) {
                    *slot = changed;
                }
            });
        }
    }

    /// What a side says about the object of a mapping.
    pub fn schema(&self, side: Side, mapping: &Mapping) -> Option<&Load<ObjectSchema>> {
        self.schemas.get(&(side, mapping.object(side).to_owned()))
    }

    /// The description of an object, where it has arrived.
    pub fn described(&self, side: Side, mapping: &Mapping) -> Option<&ObjectSchema> {
        self.schema(side, mapping).and_then(Load::ready)
    }
}
