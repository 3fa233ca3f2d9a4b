//! A new mapping from nothing: the org's object, the platform's object, then the pairs that are proposed.

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::mapping::Pane;
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::picker::{Item, Picked, Picker};
use crate::console::app::toast::Tone;
use crate::console::view::text::mapping as text;
use crate::domain::mapping::{DeletePolicy, FirstMeeting, Mapping, SideEffects};
use crate::domain::schema::ObjectEntry;
use crate::ops::look;

/// Stands between an object and the condition that tells its records from others.
const WITH: char = '?';

impl App {
    /// Asks for the org's object.
    pub(crate) fn pick_org_object(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        if matches!(self.mapping.objects, None | Some(Load::Failed(_))) {
            self.mapping.objects = Some(Load::Waiting);
            effects.push(Effect::ListObjects);
        }
        let picker = self.org_object_picker();
        self.overlays.push(Overlay::Picker(picker));
        effects
    }

    fn org_object_picker(&self) -> Picker {
        let entries = self.mapping.objects.as_ref().and_then(Load::ready);
        let items = entries.into_iter().flatten().map(|entry| {
            let id = match &entry.criteria {
                Some(criteria) => format!("{}{WITH}{criteria}", entry.name),
                None => entry.name.clone(),
            };
            let note = entry.criteria.clone().or_else(|| entry.custom.then(|| text::CUSTOM.to_owned()));
            item_of(id, entry, note)
        });
        let items = items.collect();
        let mut picker = Picker::new(text::ADD_MAPPING, &text::OBJECT_HEADS, items, Picked::NewMapping);
        picker.waiting = matches!(self.mapping.objects, Some(Load::Waiting));
        picker
    }

    /// The list of the org's objects arrived.
    pub(crate) fn objects_listed(&mut self, answer: Answer<Vec<ObjectEntry>>) {
        if let Err(sentence) = &answer {
            self.toasts.add(Tone::Warning, sentence.clone(), self.now);
        }
        self.mapping.objects = Some(answer.into());
        let mut fresh = self.org_object_picker();
        let waits = |overlay: &&mut Overlay| matches!(overlay, Overlay::Picker(picker) if picker.purpose == Picked::NewMapping);
        if let Some(Overlay::Picker(picker)) = self.overlays.iter_mut().find(waits) {
            fresh.paste(picker.input.text());
            *picker = fresh;
        }
    }

    /// Asks for the platform's object, with the reason where one can't be taken.
    pub(crate) fn pick_platform_object(&mut self, chosen: &str) -> Vec<Effect> {
        let (org_object, criteria) = match chosen.split_once(WITH) {
            Some((object, criteria)) => (object.to_owned(), Some(criteria.to_owned())),
            None => (chosen.to_owned(), None),
        };
        let kind = self.settings.platform.kind;
        let Some(profile) = kind.profile() else { return Vec::new() };
        let entries = look::platform_objects(profile, &org_object);
        // A name with an asterisk stands for all that begin like it, such as the tables of an account.
        let open = entries.iter().find_map(|entry| entry.name.strip_suffix('*')).map(str::to_owned);
        let items = entries
            .iter()
            .filter(|entry| !entry.name.ends_with('*'))
            .map(|entry| item_of(entry.name.clone(), entry, None));
        let purpose = Picked::NewMappingPlatform { org_object: org_object.clone(), criteria };
        let title = text::platform_object(&org_object, kind.label());
        let mut picker = Picker::new(title, &text::OBJECT_HEADS, items.collect(), purpose);
        picker.open = open.map(|start| (start, text::TYPED_OBJECT));
        self.overlays.push(Overlay::Picker(picker));
        Vec::new()
    }

    /// Adds a mapping without pairs, and proposes some.
    pub(crate) fn add_mapping(
        &mut self,
        org_object: &str,
        criteria: Option<String>,
        platform_object: &str,
    ) -> Vec<Effect> {
        let profile = self.settings.platform.kind.profile();
        let direction = profile.map(|profile| look::direction(profile, platform_object, org_object));
        let base = if criteria.as_deref() == Some(look::PEOPLE) { "person_account" } else { org_object };
        let base: String =
            base.to_lowercase().trim_end_matches("__c").replace(|letter: char| letter.is_whitespace(), "_");
        let name = self.mapping.free_name(&base);
        let mark = profile.and_then(|profile| profile.object(platform_object)?.mark.clone());
        let mapping = Mapping {
            name: name.clone(),
            enabled: true,
            org_object: org_object.to_owned(),
            platform_object: platform_object.to_owned(),
            direction: direction.and_then(Result::ok).unwrap_or_default(),
            org_criteria: criteria,
            platform_criteria: None,
            since: None,
            create_on_platform: true,
            create_in_org: false,
            org_mark: None,
            platform_mark: mark,
            skip_create_when_blank: Vec::new(),
            default: Vec::new(),
            first_meeting: FirstMeeting::default(),
            deletes: DeletePolicy::default(),
            deactivate: None,
            conversion: None,
            sync_flag: None,
            ignore_own_changes: false,
            every: None,
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
        self.suggest_pairs()
    }
}

fn item_of(id: String, entry: &ObjectEntry, note: Option<String>) -> Item {
    let item = Item::new(id, [entry.label.clone(), entry.name.clone(), note.unwrap_or_default()]);
    item.blocked(entry.why.clone())
}
