//! Adding: a mapping from an object of the org, a pair by two pickers over both descriptions.

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::mapping::Pane;
use crate::console::app::mapping::rows::type_words;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::picker::{Item, Picked, Picker};
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::toast::Tone;
use crate::console::view::text::mapping as text;
use crate::domain::mapping::{DeletePolicy, Direction, FirstMeeting, Mapping, Pair, SideEffects};
use crate::domain::schema::FieldSchema;
use crate::domain::side::Side;

impl App {
    /// Adds to the list that has the focus.
    pub(crate) fn add_to_mapping(&mut self) -> Vec<Effect> {
        match (self.mapping.pane, self.mapping.selected()) {
            (Pane::Objects, _) | (Pane::Pairs, None) => {
                let items =
                    text::OBJECTS.iter().map(|(name, words)| Item::new(*name, [*name, *words])).collect();
                self.overlays.push(Overlay::Picker(Picker::new(
                    text::ADD_MAPPING,
                    &text::OBJECT_HEADS,
                    items,
                    Picked::NewMapping,
                )));
                Vec::new()
            }
            (Pane::Pairs, Some(mapping)) => {
                let name = mapping.name.clone();
                // On a field that has no pair yet, the org's half is already chosen.
                match self.mapping.selected_row().filter(|row| row.pair.is_none()) {
                    Some(row) => self.add_pair_from(&row.org),
                    None => self.pick_field(Side::Org, &name.clone(), Picked::NewPairOrg { mapping: name }),
                }
            }
        }
    }

    /// Adds a pair for an org field that is already known.
    pub(crate) fn add_pair_from(&mut self, org: &str) -> Vec<Effect> {
        if let Err(reason) = self.available(crate::console::app::action::Action::Add) {
            self.toasts.add(Tone::Info, reason, self.now);
            return Vec::new();
        }
        let Some(name) = self.mapping.selected().map(|mapping| mapping.name.clone()) else {
            return Vec::new();
        };
        let purpose = Picked::NewPairPlatform { mapping: name.clone(), org: org.to_owned() };
        self.pick_field(Side::Platform, &name, purpose)
    }

    /// Opens a picker over the fields of one side; it fills itself when the description arrives.
    pub(crate) fn pick_field(&mut self, side: Side, mapping: &str, purpose: Picked) -> Vec<Effect> {
        let Some(mapping) = self.mapping.named(mapping) else { return Vec::new() };
        let title = text::pick_field(side, mapping.object(side), self.settings.platform.kind.label());
        if let Some(Load::Failed(reason)) = self.mapping.schema(side, mapping) {
            let reason = reason.clone();
            let key = (side, mapping.object(side).to_owned());
            self.toasts.add(Tone::Warning, reason, self.now);
            // Ask again at the next try.
            self.mapping.schemas.remove(&key);
            return self.needed_schemas();
        }
        let items = self.field_items(side, mapping);
        let mut picker = Picker::new(title, &text::FIELD_HEADS, items, purpose);
        picker.waiting = self.mapping.described(side, mapping).is_none();
        self.overlays.push(Overlay::Picker(picker));
        self.needed_schemas()
    }

    fn field_items(&self, side: Side, mapping: &Mapping) -> Vec<Item> {
        let Some(schema) = self.mapping.described(side, mapping) else { return Vec::new() };
        schema
            .fields
            .iter()
            .map(|field| {
                let used = mapping
                    .pairs
                    .iter()
                    .any(|pair| pair.fields(side).iter().any(|name| name.eq_ignore_ascii_case(&field.name)));
                Item::new(
                    &field.name,
                    [field.label.clone(), field.name.clone(), type_words(field), flags(field, used)],
                )
            })
            .collect()
    }

    /// Fills a picker that was opened before its description arrived.
    pub(crate) fn refresh_pickers(&mut self) {
        let Some(Overlay::Picker(picker)) = self.overlays.last() else { return };
        if !picker.waiting {
            return;
        }
        let (side, name) = match &picker.purpose {
            Picked::NewPairOrg { mapping } => (Side::Org, mapping.clone()),
            Picked::NewPairPlatform { mapping, .. } => (Side::Platform, mapping.clone()),
            Picked::PairField { mapping, side, .. } => (*side, mapping.clone()),
            Picked::Action | Picked::Field(_) | Picked::NewMapping | Picked::SheetRow(..) => return,
        };
        let Some(mapping) = self.mapping.named(&name) else { return };
        if self.mapping.described(side, mapping).is_none() {
            return;
        }
        let items = self.field_items(side, mapping);
        if let Some(Overlay::Picker(picker)) = self.overlays.last_mut() {
            let mut fresh = Picker::new(picker.title.clone(), picker.heads, items, picker.purpose.clone());
            fresh.paste(picker.input.text());
            *picker = fresh;
        }
    }

    /// A choice of a picker of this tab.
    pub(crate) fn picked_for_mapping(&mut self, picked: &Picked, id: &str) -> Vec<Effect> {
        match picked {
            Picked::NewPairOrg { mapping } => {
                let purpose = Picked::NewPairPlatform { mapping: mapping.clone(), org: id.to_owned() };
                return self.pick_field(Side::Platform, mapping, purpose);
            }
            Picked::NewPairPlatform { mapping, org } => self.add_pair(mapping, org, id),
            Picked::PairField { mapping, pair, side } => {
                let (pair, side) = (*pair, *side);
                self.mapping.edit(mapping, |mapping| {
                    if let Some(pair) = mapping.pairs.get_mut(pair) {
                        match side {
                            Side::Org => pair.org = vec![id.to_owned()],
                            Side::Platform => pair.platform = vec![id.to_owned()],
                        }
                    }
                });
                self.review_mappings();
            }
            Picked::NewMapping => {
                self.overlays.push(Overlay::Prompt(Prompt::new(
                    text::PLATFORM_OBJECT,
                    text::PLATFORM_OBJECT_HELP,
                    "contact",
                    Asked::NewMapping { org_object: id.to_owned() },
                )));
            }
            Picked::SheetRow(target, row) => {
                let (target, row) = (target.clone(), *row);
                if let Err(sentence) = self.put_row(&target, row, id) {
                    self.toasts.add(Tone::Warning, sentence, self.now);
                }
            }
            Picked::Action | Picked::Field(_) => {}
        }
        Vec::new()
    }

    fn add_pair(&mut self, mapping: &str, org: &str, platform: &str) {
        let Some(known) = self.mapping.named(mapping) else { return };
        let writable = |side: Side, name: &str| {
            self.mapping
                .described(side, known)
                .and_then(|schema| schema.field(name))
                .is_none_or(FieldSchema::writable)
        };
        // What can't be written is not offered as a target.
        let direction = match (writable(Side::Org, org), writable(Side::Platform, platform)) {
            (true, false) => Direction::ToOrg,
            (false, _) => Direction::ToPlatform,
            (true, true) => Direction::Both,
        };
        let pair = Pair {
            org: vec![org.to_owned()],
            platform: vec![platform.to_owned()],
            direction,
            key: false,
            policy: crate::domain::mapping::Policy::default(),
            transform: crate::domain::transform::Transform::default(),
            drift: crate::domain::mapping::Drift::default(),
        };
        let name = pair.name();
        self.mapping.edit(mapping, |mapping| mapping.pairs.push(pair));
        if let Some(place) = self.mapping.selected().map(|mapping| mapping.pairs.len()) {
            self.mapping.row.set(place.saturating_sub(1));
        }
        self.mapping.pane = Pane::Pairs;
        self.toasts.add(Tone::Good, text::pair_added(&name), self.now);
        self.review_mappings();
    }

    /// Adds an empty mapping; a sentence where the names can't be.
    pub(crate) fn add_mapping(
        &mut self,
        org_object: &str,
        platform_object: &str,
    ) -> Result<Vec<Effect>, String> {
        let platform_object = platform_object.trim();
        if platform_object.is_empty() {
            return Err(text::PLATFORM_OBJECT_NEEDED.into());
        }
        let base = org_object.to_lowercase().replace(char::is_whitespace, "_");
        let mut name = base.clone();
        let mut number = 2;
        while self.mapping.named(&name).is_some() {
            name = format!("{base}_{number}");
            number += 1;
        }
        let mapping = Mapping {
            name: name.clone(),
            enabled: true,
            org_object: org_object.to_owned(),
            platform_object: platform_object.to_owned(),
            direction: Direction::Both,
            org_criteria: None,
            platform_criteria: None,
            create_on_platform: true,
            create_in_org: false,
            org_mark: None,
            platform_mark: None,
            skip_create_when_blank: Vec::new(),
            default: Vec::new(),
            first_meeting: FirstMeeting::default(),
            deletes: DeletePolicy::default(),
            deactivate: None,
            conversion: None,
            sync_flag: None,
            ignore_own_changes: false,
            side_effects: SideEffects::default(),
            initial_side_effects: SideEffects::default(),
            pairs: Vec::new(),
        };
        self.mapping.draft.edit(|mappings| mappings.push(mapping));
        self.mapping.object.set(self.mapping.draft.now().len().saturating_sub(1));
        self.mapping.row.set(0);
        self.mapping.pane = Pane::Pairs;
        self.toasts.add(Tone::Good, text::mapping_added(&name), self.now);
        self.review_mappings();
        Ok(self.needed_schemas())
    }
}

fn flags(field: &FieldSchema, used: bool) -> String {
    let words = [
        (field.required, text::REQUIRED),
        (!field.writable(), text::READ_ONLY_FIELD),
        (field.unique || field.external_id, text::UNIQUE),
        (used, text::MAPPED),
    ];
    let words: Vec<&str> = words.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| word).collect();
    words.join(", ")
}
