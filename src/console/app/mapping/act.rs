//! What the actions do on Mapping Settings.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::mapping::arrange::Towards;
use crate::console::app::mapping::{Pane, problems};
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::overlay::sheet::{Sheet, Target};
use crate::console::app::tab::Tab;
use crate::console::app::text_input::TextInput;
use crate::console::app::toast::Tone;
use crate::console::view::text::mapping as text;
use crate::domain::command::{Acceptance, Command};
use crate::domain::mapping::{Direction, Mapping, Policy};
use crate::domain::schema::ObjectSchema;
use crate::domain::side::Side;
use crate::domain::transform::Transform;

impl App {
    /// An action on this tab.
    pub(crate) fn perform_mapping(&mut self, action: Action) -> Vec<Effect> {
        if self.mapping.filtering {
            match action {
                Action::Open | Action::NextPane | Action::PreviousPane => self.mapping.filtering = false,
                Action::Back => {
                    self.mapping.filtering = false;
                    self.mapping.filter = TextInput::default();
                }
                _ => {}
            }
            return Vec::new();
        }
        match action {
            Action::Left | Action::Right | Action::NextPane | Action::PreviousPane => {
                self.mapping.pane = match (action, self.mapping.pane) {
                    (Action::Left, _) => Pane::Objects,
                    (Action::Right, _) | (_, Pane::Objects) => Pane::Pairs,
                    (_, Pane::Pairs) => Pane::Objects,
                };
                Vec::new()
            }
            Action::Filter => {
                self.mapping.pane = Pane::Pairs;
                self.mapping.filtering = true;
                Vec::new()
            }
            Action::Back => {
                if !self.mapping.filter.text().is_empty() {
                    self.mapping.filter = TextInput::default();
                } else if !self.toasts.dismiss() {
                    self.mapping.pane = Pane::Objects;
                }
                Vec::new()
            }
            Action::Plan => self.make_plan(),
            Action::Open => self.open_mapping(),
            Action::Add => self.add_to_mapping(),
            Action::Delete => self.remove_from_mapping(),
            Action::Toggle => self.toggle_key(),
            Action::Direction => self.with_pair(|pair| {
                pair.direction = match pair.direction {
                    Direction::Both => Direction::ToPlatform,
                    Direction::ToPlatform => Direction::ToOrg,
                    Direction::ToOrg => Direction::Both,
                };
                Ok(())
            }),
            Action::Policy => self.with_pair(|pair| {
                if pair.transform.is_consent() {
                    return Err(text::CONSENT_HAS_NO_POLICY.into());
                }
                pair.policy = next_policy(pair.policy);
                Ok(())
            }),
            Action::Translations => self.open_translations(),
            // Those of a row make sense once the rows are there.
            Action::Criteria | Action::AddOr | Action::Negate => self.open_conditions(),
            Action::AsText => self.ask_criteria(),
            Action::Sample => self.open_sample(),
            Action::AllFields => {
                self.mapping.all_fields = !self.mapping.all_fields;
                self.mapping.pane = Pane::Pairs;
                self.needed_schemas()
            }
            Action::Propose => self.propose(),
            Action::Suggest => self.suggest_pairs(),
            Action::Duplicate => self.duplicate(),
            Action::MoveUp => self.shift(Towards::First),
            Action::MoveDown => self.shift(Towards::Last),
            Action::Accept => self.accept_mapping(),
            Action::Drift => self.open_drift(),
            Action::Scope => self.open_scope(),
            Action::Rehearse => self.open_rehearsal(),
            Action::Copy | Action::CopyJson => self.copy_mapping(action),
            other => {
                let moved = match self.mapping.pane {
                    Pane::Objects => {
                        let length = self.mapping.draft.now().len();
                        self.mapping.row.set(0);
                        self.mapping.object.act(other, length)
                    }
                    Pane::Pairs => {
                        let length = self.mapping.rows().len();
                        self.mapping.row.act(other, length)
                    }
                };
                if moved { self.needed_schemas() } else { Vec::new() }
            }
        }
    }

    /// Looks again at what is wrong with the draft; after every edit and every description.
    pub(crate) fn review_mappings(&mut self) {
        let status = self.sync.status.ready().map(AsRef::as_ref);
        self.mapping.notes = problems::find(&self.settings, &self.mapping, status);
    }

    /// Asks for the descriptions that the selected mapping needs and that are not there.
    pub(crate) fn needed_schemas(&mut self) -> Vec<Effect> {
        if self.unlocked_or_reason().is_err() {
            return Vec::new();
        }
        let Some(mapping) = self.mapping.selected().cloned() else { return Vec::new() };
        Side::BOTH
            .into_iter()
            .filter_map(|side| {
                let object = mapping.object(side).to_owned();
                let key = (side, object.clone());
                if object.is_empty() || self.mapping.schemas.contains_key(&key) {
                    return None;
                }
                self.mapping.schemas.insert(key, Load::Waiting);
                Some(Effect::Describe { side, object })
            })
            .collect()
    }

    /// A description arrived.
    pub(crate) fn described(&mut self, side: Side, object: String, answer: Answer<ObjectSchema>) {
        if let Err(sentence) = &answer {
            self.toasts.add(Tone::Warning, sentence.clone(), self.now);
        }
        self.mapping.schemas.insert((side, object), answer.into());
        self.review_mappings();
        self.refresh_pickers();
        self.open_suggestions();
    }

    fn open_mapping(&mut self) -> Vec<Effect> {
        let Some(mapping) = self.mapping.selected() else {
            return match self.unlocked_or_reason() {
                Ok(()) => self.propose(),
                Err(reason) => {
                    self.toasts.add(Tone::Info, reason, self.now);
                    Vec::new()
                }
            };
        };
        let name = mapping.name.clone();
        match self.mapping.pane {
            Pane::Objects => self.overlays.push(Overlay::Sheet(Sheet::new(Target::Mapping(name)))),
            Pane::Pairs => match self.mapping.selected_row() {
                Some(row) => match row.pair {
                    Some(pair) => {
                        self.overlays.push(Overlay::Sheet(Sheet::new(Target::Pair { mapping: name, pair })));
                    }
                    None => return self.add_pair_from(&row.org),
                },
                None => return self.add_to_mapping(),
            },
        }
        Vec::new()
    }

    fn remove_from_mapping(&mut self) -> Vec<Effect> {
        let Some(mapping) = self.mapping.selected() else { return Vec::new() };
        let question = match self.mapping.pane {
            Pane::Objects => Question::yes_no(
                text::REMOVE_MAPPING,
                vec![text::remove_mapping(&mapping.name, mapping.pairs.len())],
                text::REMOVE,
                Consequence::RemoveMapping(mapping.name.clone()),
            ),
            Pane::Pairs => {
                let Some(pair) = self.mapping.selected_row().and_then(|row| row.pair) else {
                    self.toasts.add(Tone::Info, text::NO_PAIR_HERE, self.now);
                    return Vec::new();
                };
                let name =
                    mapping.pairs.get(pair).map(crate::domain::mapping::Pair::name).unwrap_or_default();
                Question::yes_no(
                    text::REMOVE_PAIR,
                    vec![text::remove_pair(&name, &mapping.name)],
                    text::REMOVE,
                    Consequence::RemovePair { mapping: mapping.name.clone(), pair },
                )
            }
        };
        self.overlays.push(Overlay::Question(question));
        Vec::new()
    }

    fn toggle_key(&mut self) -> Vec<Effect> {
        match self.mapping.pane {
            Pane::Objects => {
                let Some(name) = self.mapping.selected().map(|mapping| mapping.name.clone()) else {
                    return Vec::new();
                };
                self.mapping.edit(&name, |mapping| mapping.enabled = !mapping.enabled);
                self.review_mappings();
                Vec::new()
            }
            Pane::Pairs => self.with_pair(|pair| {
                pair.key = !pair.key;
                Ok(())
            }),
        }
    }

    /// Edits the selected pair, or says why not.
    fn with_pair(
        &mut self,
        edit: impl FnOnce(&mut crate::domain::mapping::Pair) -> Result<(), String>,
    ) -> Vec<Effect> {
        let name = self.mapping.selected().map(|mapping| mapping.name.clone());
        let place = self.mapping.selected_row().and_then(|row| row.pair);
        let (Some(name), Some(place)) = (name, place) else {
            self.toasts.add(Tone::Info, text::NO_PAIR_HERE, self.now);
            return Vec::new();
        };
        let mut refused = None;
        self.mapping.pane = Pane::Pairs;
        self.mapping.edit(&name, |mapping: &mut Mapping| {
            if let Some(pair) = mapping.pairs.get_mut(place) {
                refused = edit(pair).err();
            }
        });
        if let Some(reason) = refused {
            self.toasts.add(Tone::Info, reason, self.now);
        }
        self.review_mappings();
        Vec::new()
    }

    fn open_translations(&mut self) -> Vec<Effect> {
        let name = self.mapping.selected().map(|mapping| mapping.name.clone());
        let place = self.mapping.selected_row().and_then(|row| row.pair);
        let (Some(name), Some(place)) = (name, place) else {
            self.toasts.add(Tone::Info, text::NO_PAIR_HERE, self.now);
            return Vec::new();
        };
        let fits = self
            .mapping
            .named(&name)
            .and_then(|mapping| mapping.pairs.get(place))
            .is_some_and(|pair| matches!(pair.transform, Transform::Table(_) | Transform::Copy));
        if fits {
            return self.open_table(&name, place);
        }
        self.toasts.add(Tone::Info, text::NO_TRANSLATIONS_HERE, self.now);
        Vec::new()
    }

    fn ask_criteria(&mut self) -> Vec<Effect> {
        let Some(name) = self.mapping.selected().map(|mapping| mapping.name.clone()) else {
            self.toasts.add(Tone::Info, text::NO_MAPPING_HERE, self.now);
            return Vec::new();
        };
        self.ask_criteria_text(&name, Side::Org);
        Vec::new()
    }

    fn accept_mapping(&mut self) -> Vec<Effect> {
        if self.to_accept().is_none()
            && let Some((name, place)) = self.doubt_to_accept()
        {
            self.mapping.edit(&name, |mapping| {
                if let Some(pair) = mapping.pairs.get_mut(place) {
                    pair.doubts_accepted = true;
                }
            });
            self.review_mappings();
            self.toasts.add(Tone::Good, text::DOUBT_ACCEPTED, self.now);
            return Vec::new();
        }
        if self.unsaved(Tab::Mapping) {
            // What is in the file is accepted; who has something else on the screen saves it, which is accepting it.
            self.toasts.add(Tone::Info, text::SAVE_TO_ACCEPT, self.now);
            return Vec::new();
        }
        let Some(name) = self.to_accept() else {
            self.toasts.add(Tone::Info, text::NOTHING_TO_ACCEPT, self.now);
            return Vec::new();
        };
        vec![Effect::Ask(Command::Accept { mappings: vec![name], what: Acceptance::All })]
    }

    fn propose(&mut self) -> Vec<Effect> {
        if self.mapping.proposing {
            return Vec::new();
        }
        self.mapping.proposing = true;
        self.toasts.add(Tone::Info, text::PROPOSING, self.now);
        vec![Effect::Propose]
    }

    /// Default mappings arrived; those whose name is taken are left as they are.
    pub(crate) fn proposed(&mut self, answer: Answer<Vec<Mapping>>) -> Vec<Effect> {
        self.mapping.proposing = false;
        let proposed = match answer {
            Ok(proposed) => proposed,
            Err(sentence) => {
                self.toasts.add(Tone::Error, sentence, self.now);
                return Vec::new();
            }
        };
        let fresh: Vec<Mapping> =
            proposed.into_iter().filter(|mapping| self.mapping.named(&mapping.name).is_none()).collect();
        let count = fresh.len();
        if count > 0 {
            self.mapping.draft.edit(|mappings| mappings.extend(fresh));
        }
        self.toasts.add(Tone::Good, text::proposed(count), self.now);
        self.review_mappings();
        self.needed_schemas()
    }

    fn copy_mapping(&mut self, action: Action) -> Vec<Effect> {
        let Some(mapping) = self.mapping.selected() else { return Vec::new() };
        let row = self.mapping.selected_row();
        let pair = row.as_ref().and_then(|row| row.pair).and_then(|place| mapping.pairs.get(place));
        let copied = match (self.mapping.pane, pair, action) {
            (Pane::Pairs, Some(pair), Action::CopyJson) => serde_json::to_string(pair).unwrap_or_default(),
            (Pane::Pairs, Some(pair), _) => pair.name(),
            (Pane::Pairs, None, _) => row.map(|row| row.org).unwrap_or_default(),
            (Pane::Objects, _, Action::CopyJson) => serde_json::to_string(mapping).unwrap_or_default(),
            (Pane::Objects, _, _) => mapping.name.clone(),
        };
        self.copy(&copied)
    }

    /// The mouse pressed a row.
    pub(crate) fn press_mapping_row(&mut self, list: usize, row: usize) -> Vec<Effect> {
        let pane = if list == 0 { Pane::Objects } else { Pane::Pairs };
        let again = self.mapping.pane == pane
            && match pane {
                Pane::Objects => self.mapping.object.place(usize::MAX) == row,
                Pane::Pairs => self.mapping.row.place(usize::MAX) == row,
            };
        self.mapping.pane = pane;
        match pane {
            Pane::Objects => self.mapping.object.set(row),
            Pane::Pairs => self.mapping.row.set(row),
        }
        if again { self.open_mapping() } else { self.needed_schemas() }
    }
}

/// The policy after this one.
pub fn next_policy(policy: Policy) -> Policy {
    match policy {
        Policy::SalesforceWins => Policy::PlatformWins,
        Policy::PlatformWins => Policy::NewestWins,
        Policy::NewestWins => Policy::KeepNonBlank,
        Policy::KeepNonBlank => Policy::Ask,
        Policy::Ask => Policy::SalesforceWins,
    }
}
