//! Adding: a mapping from an object of the org, a pair by two pickers over both descriptions.

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::mapping::Pane;
use crate::console::app::mapping::rows::type_words;
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::picker::{Item, Picked, Picker};
use crate::console::app::overlay::sheet::{RowId, Target};
use crate::console::app::toast::Tone;
use crate::console::view::text::mapping as text;
use crate::domain::mapping::{Direction, Mapping, Pair};
use crate::domain::schema::FieldSchema;
use crate::domain::side::Side;
use crate::domain::transform::Transform;
use crate::ops::look::Samples;

impl App {
    /// Adds to the list that has the focus.
    pub(crate) fn add_to_mapping(&mut self) -> Vec<Effect> {
        match (self.mapping.pane, self.mapping.selected()) {
            (Pane::Objects, _) | (Pane::Pairs, None) => self.pick_org_object(),
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
        let sample = self.wanted_sample(side, mapping);
        let Some(picker) = self.field_picker(side, mapping, title, purpose) else { return Vec::new() };
        self.overlays.push(Overlay::Picker(picker));
        let mut effects = self.needed_schemas();
        effects.extend(sample.map(|object| {
            self.mapping.samples.insert((side, object.clone()), Load::Waiting);
            Effect::Sample { side, object }
        }));
        effects
    }

    /// The object whose records have not been looked at; not in an account without the right to.
    fn wanted_sample(&self, side: Side, mapping: &Mapping) -> Option<String> {
        let object = mapping.object(side).to_owned();
        let known = self.mapping.samples.contains_key(&(side, object.clone()));
        (!known && self.unlocked_or_reason().is_ok()).then_some(object)
    }

    fn field_picker(&self, side: Side, mapping: &Mapping, title: String, purpose: Picked) -> Option<Picker> {
        let mut items = self.field_items(side, mapping);
        if matches!(purpose, Picked::NewPairOrg { .. }) && mapping.direction.allows(Side::Platform) {
            // A fixed value needs no field of the org (F96).
            items.push(Item::new("", [text::FIXED, "", "", "", text::FIXED_HOW]));
        }
        let mut picker = Picker::new(title, &text::FIELD_HEADS, items, purpose);
        picker.waiting = self.mapping.described(side, mapping).is_none();
        if side == Side::Platform {
            let profile = self.settings.platform.kind.profile()?;
            let start =
                profile.object(&mapping.platform_object).and_then(|object| object.open_prefix.clone());
            picker.open = start.map(|start| (start, text::NEW_DETAIL));
        }
        Some(picker)
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
                let sample = self.mapping.sample(side, mapping, &field.name).unwrap_or_default();
                Item::new(
                    &field.name,
                    [
                        field.label.clone(),
                        field.name.clone(),
                        type_words(field),
                        flags(field, used),
                        sample.to_owned(),
                    ],
                )
            })
            .collect()
    }

    /// Fills a picker that was opened before its description arrived.
    pub(crate) fn refresh_pickers(&mut self) {
        let Some(Overlay::Picker(picker)) = self.overlays.last() else { return };
        let (side, name) = match &picker.purpose {
            Picked::NewPairOrg { mapping } => (Side::Org, mapping.clone()),
            Picked::NewPairPlatform { mapping, .. } => (Side::Platform, mapping.clone()),
            Picked::PairField { mapping, side, .. } | Picked::MoreField { mapping, side, .. } => {
                (*side, mapping.clone())
            }
            Picked::ConditionField(spot) => (spot.side, spot.mapping.clone()),
            Picked::Action
            | Picked::Field(_)
            | Picked::NewMapping
            | Picked::NewMappingPlatform { .. }
            | Picked::ConditionWay { .. }
            | Picked::ConditionValue { .. }
            | Picked::ConditionValues { .. }
            | Picked::Translated { .. }
            | Picked::SheetRow(..) => return,
        };
        let Some(mapping) = self.mapping.named(&name) else { return };
        if self.mapping.described(side, mapping).is_none() {
            return;
        }
        let fresh = self.field_picker(side, mapping, picker.title.clone(), picker.purpose.clone());
        if let (Some(mut fresh), Some(Overlay::Picker(picker))) = (fresh, self.overlays.last_mut()) {
            let chosen = picker.selected().map(|item| item.id.clone());
            fresh.paste(picker.input.text());
            fresh.choose(chosen.as_deref().unwrap_or_default());
            *picker = fresh;
        }
    }

    /// A filled value of each field arrived; a side that shows none is no trouble for the editor.
    pub(crate) fn sampled(&mut self, side: Side, object: String, answer: Answer<Samples>) {
        self.mapping.samples.insert((side, object), answer.into());
        self.refresh_pickers();
    }

    /// A choice of a picker of this tab.
    pub(crate) fn picked_for_mapping(&mut self, picked: &Picked, id: &str) -> Vec<Effect> {
        match picked {
            Picked::NewPairOrg { mapping } => {
                let purpose = Picked::NewPairPlatform { mapping: mapping.clone(), org: id.to_owned() };
                return self.pick_field(Side::Platform, mapping, purpose);
            }
            Picked::NewPairPlatform { mapping, org } => self.add_pair(mapping, org, id),
            Picked::MoreField { mapping, pair, side } => {
                let (pair, side) = (*pair, *side);
                self.mapping.edit(mapping, |mapping| {
                    if let Some(pair) = mapping.pairs.get_mut(pair) {
                        match side {
                            Side::Org => pair.org.push(id.to_owned()),
                            Side::Platform => pair.platform.push(id.to_owned()),
                        }
                    }
                });
                self.review_mappings();
            }
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
            Picked::NewMapping => return self.pick_platform_object(id),
            Picked::NewMappingPlatform { org_object, criteria } => {
                return self.add_mapping(org_object, criteria.clone(), id);
            }
            Picked::Translated { mapping, pair } => {
                self.ask_translation(mapping.clone(), *pair, Some((id, "")));
            }
            Picked::SheetRow(target, row) => {
                let (target, row) = (target.clone(), *row);
                if let Err(sentence) = self.put_row(&target, row, id) {
                    self.toasts.add(Tone::Warning, sentence, self.now);
                }
            }
            // Conditions have a way of their own.
            Picked::Action
            | Picked::Field(_)
            | Picked::ConditionField(_)
            | Picked::ConditionWay { .. }
            | Picked::ConditionValue { .. }
            | Picked::ConditionValues { .. } => {}
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
        let fixed = org.is_empty();
        // What can't be written is not offered as a target.
        let direction = match (writable(Side::Org, org), writable(Side::Platform, platform)) {
            (true, false) => Direction::ToOrg,
            (false, _) => Direction::ToPlatform,
            (true, true) => Direction::Both,
        };
        let direction = if fixed { Direction::ToPlatform } else { direction };
        let pair = Pair {
            org: if fixed { Vec::new() } else { vec![org.to_owned()] },
            platform: vec![platform.to_owned()],
            direction,
            key: false,
            policy: crate::domain::mapping::Policy::default(),
            transform: if fixed { Transform::Constant(String::new()) } else { Transform::default() },
            drift: crate::domain::mapping::Drift::default(),
            doubts_accepted: false,
        };
        let name = pair.name();
        self.mapping.edit(mapping, |mapping| mapping.pairs.push(pair));
        let place = self.mapping.named(mapping).map_or(0, |mapping| mapping.pairs.len().saturating_sub(1));
        self.mapping.row.set(place);
        self.mapping.pane = Pane::Pairs;
        self.toasts.add(Tone::Good, text::pair_added(&name), self.now);
        self.review_mappings();
        if fixed {
            self.ask_row(Target::Pair { mapping: mapping.to_owned(), pair: place }, RowId::Constant);
        }
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
