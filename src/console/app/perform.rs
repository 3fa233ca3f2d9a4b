//! Does an action that is possible: what is the same on every tab here, the rest on the tab.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::connection::field::FieldId;
use crate::console::app::effect::{Effect, Part};
use crate::console::app::mapping::problems::place_of;
use crate::console::app::mapping::{AfterSaving, Pane};
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::question::{Choice, Consequence, Question};
use crate::console::app::overlay::reading::{Reading, Subject};
use crate::console::app::tab::Tab;
use crate::console::app::text_input::TextInput;
use crate::console::app::toast::Tone;
use crate::console::view::text::{common as text, tabs};
use crate::console::view::theme::ThemeChoice;
use crate::domain::mapping_change;
use crate::domain::report::Verdict;
use crate::domain::side::Side;
use crate::workspace::problems::Severity;
use crate::workspace::validate::validate;

/// Changes that are told one by one before they are saved.
const SHOWN_CHANGES: usize = 12;

impl App {
    /// Does an action.
    pub(crate) fn perform(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::TabConnection => self.go_to(Tab::Connection),
            Action::TabMapping => self.go_to(Tab::Mapping),
            Action::TabSync => self.go_to(Tab::Sync),
            Action::TabLogs => self.go_to(Tab::Logs),
            Action::NextTab => self.go_to(self.tab.next()),
            Action::PreviousTab => self.go_to(self.tab.previous()),
            Action::Help => self.open_help(),
            Action::Palette => self.open_palette(),
            Action::Quit => self.quit(),
            Action::Suspend => vec![Effect::Suspend],
            Action::Save => self.save_tab(),
            Action::Undo | Action::Redo => self.undo(action == Action::Undo),
            Action::Discard => self.ask_discard(),
            Action::Refresh => self.refresh(),
            Action::Check => {
                self.overlays.push(Overlay::Reading(Reading::new(Subject::Check(Load::Waiting))));
                vec![Effect::Check]
            }
            Action::Problems => {
                self.open_problems();
                Vec::new()
            }
            Action::ThemeDark => vec![Effect::Theme(ThemeChoice::Dark)],
            Action::ThemeLight => vec![Effect::Theme(ThemeChoice::Light)],
            Action::ThemeMono => vec![Effect::Theme(ThemeChoice::Mono)],
            Action::Mouse => {
                self.look.mouse = !self.look.mouse;
                let sentence = if self.look.mouse { text::MOUSE_ON } else { text::MOUSE_OFF };
                self.toasts.add(Tone::Info, sentence, self.now);
                vec![Effect::Mouse(self.look.mouse)]
            }
            Action::Export => match self.tab {
                Tab::Logs => self.export_log(),
                Tab::Connection | Tab::Mapping | Tab::Sync => self.export_issues(),
            },
            // Answers belong to questions; there is none here.
            Action::Yes | Action::No => Vec::new(),
            other => match self.tab {
                Tab::Connection => self.perform_connection(other),
                Tab::Mapping => self.perform_mapping(other),
                Tab::Sync => self.perform_sync(other),
                Tab::Logs => self.perform_logs(other),
            },
        }
    }

    /// Puts a text into the clipboard, sanitized like everything that leaves.
    pub(crate) fn copy(&mut self, copied: &str) -> Vec<Effect> {
        if copied.is_empty() {
            self.toasts.add(Tone::Info, text::NOTHING_TO_COPY, self.now);
            return Vec::new();
        }
        self.toasts.add(Tone::Good, text::COPIED, self.now);
        vec![Effect::Copy(crate::console::view::safe_text::safe(copied).into_owned())]
    }

    /// Shows what is wrong with the settings file, or that nothing is.
    pub(crate) fn open_problems(&mut self) {
        let mut lines: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        if lines.is_empty() {
            lines.push(text::NO_PROBLEMS.into());
        }
        self.overlays.push(Overlay::Reading(Reading::new(Subject::Problems(lines))));
    }

    fn save_tab(&mut self) -> Vec<Effect> {
        match self.tab {
            Tab::Connection => self.save(Part::Connection),
            Tab::Mapping => self.save(Part::Mapping),
            Tab::Sync | Tab::Logs => {
                self.toasts.add(Tone::Info, text::NOTHING_TO_SAVE, self.now);
                Vec::new()
            }
        }
    }

    /// Saves one part of the settings, unless something in it is wrong.
    pub(crate) fn save(&mut self, part: Part) -> Vec<Effect> {
        match part {
            Part::Connection => self.save_connection(),
            Part::Mapping => self.save_mappings(),
            Part::Schedule => Vec::new(),
        }
    }

    fn save_connection(&mut self) -> Vec<Effect> {
        if !self.connection.accept() {
            return Vec::new();
        }
        if self.connection.saving {
            return Vec::new();
        }
        if !self.unsaved(Tab::Connection) {
            self.toasts.add(Tone::Info, text::NOTHING_TO_SAVE, self.now);
            return Vec::new();
        }
        let draft = self.connection.draft.now();
        let settings = draft.over(&self.settings);
        let secrets = Side::BOTH.into_iter().flat_map(|side| draft.typed_of(side)).collect();
        let problems: Vec<_> = validate(&settings)
            .into_iter()
            .filter(|problem| {
                problem.severity == Severity::Error && FieldId::at_path(&problem.path).is_some()
            })
            .collect();
        self.connection.errors.clear();
        self.connection.note_problems(&problems);
        if let Some(first) = self.connection.errors.keys().next().copied() {
            self.connection.focus_on(first);
            self.toasts.add(Tone::Warning, text::not_saved(self.connection.errors.len()), self.now);
            return Vec::new();
        }
        self.connection.saving = true;
        vec![Effect::Save { part: Part::Connection, settings: Box::new(settings), secrets }]
    }

    fn save_mappings(&mut self) -> Vec<Effect> {
        if self.mapping.saving {
            return Vec::new();
        }
        if !self.unsaved(Tab::Mapping) {
            self.toasts.add(Tone::Info, text::NOTHING_TO_SAVE, self.now);
            return Vec::new();
        }
        let settings = self.mapping.over(&self.settings);
        // What would make a run do the wrong thing is not saved, and its place is shown.
        let wrong = validate(&settings)
            .into_iter()
            .filter(|problem| problem.severity == Severity::Error)
            .find_map(|problem| Some((place_of(&problem.path)?, problem.message)));
        if let Some(((mapping, pair), message)) = wrong {
            self.show_mapping(mapping, pair);
            self.toasts.add(Tone::Error, text::save_refused(&message), self.now);
            return Vec::new();
        }
        let changes = mapping_change::changes(&self.settings.mappings, &settings.mappings);
        let mut lines: Vec<String> = changes.iter().take(SHOWN_CHANGES).map(ToString::to_string).collect();
        if changes.len() > SHOWN_CHANGES {
            lines.push(text::more_changes(changes.len() - SHOWN_CHANGES));
        }
        let bad = self.mapping.notes.iter().filter(|note| note.verdict == Verdict::Bad).count();
        if bad > 0 {
            lines.push(text::problems_stay(bad));
        }
        let mut choices = vec![
            Choice::new(text::SAVE, 'y', Consequence::SaveMappings),
            Choice::new(text::SAVE_AND_SYNC, 's', Consequence::SaveMappingsAndSync),
            Choice::new(text::NO, 'n', Consequence::Nothing),
        ];
        if !crate::ops::scope::changed(&self.settings, &settings).is_empty() {
            let answer = crate::console::view::text::scope::ANSWER;
            choices.insert(0, Choice::new(answer, 'w', Consequence::LookAtScope));
        }
        self.overlays.push(Overlay::Question(Question::new(text::SAVE_MAPPINGS, lines, choices)));
        Vec::new()
    }

    /// Saves the mappings as they are drafted.
    pub(crate) fn send_mappings(&mut self, then: AfterSaving) -> Vec<Effect> {
        if self.mapping.saving {
            return Vec::new();
        }
        (self.mapping.saving, self.mapping.then) = (true, then);
        let settings = self.mapping.over(&self.settings);
        vec![Effect::Save { part: Part::Mapping, settings: Box::new(settings), secrets: Vec::new() }]
    }

    /// Selects a mapping, and one of its pairs.
    pub(crate) fn show_mapping(&mut self, mapping: usize, pair: Option<usize>) {
        self.mapping.object.set(mapping);
        self.mapping.filter = TextInput::default();
        self.mapping.row.set(pair.unwrap_or(0));
        self.mapping.pane = if pair.is_some() { Pane::Pairs } else { Pane::Objects };
    }

    pub(crate) fn undo(&mut self, back: bool) -> Vec<Effect> {
        let done = match self.tab {
            Tab::Connection => {
                let draft = &mut self.connection.draft;
                let done = if back { draft.undo() } else { draft.redo() };
                for side in Side::BOTH {
                    self.connection.edited(side);
                }
                done
            }
            Tab::Mapping => {
                let draft = &mut self.mapping.draft;
                let done = if back { draft.undo() } else { draft.redo() };
                self.review_mappings();
                done
            }
            Tab::Sync | Tab::Logs => false,
        };
        if !done {
            let sentence = if back { text::NOTHING_TO_UNDO } else { text::NOTHING_TO_REDO };
            self.toasts.add(Tone::Info, sentence, self.now);
        }
        if self.tab == Tab::Mapping { self.needed_schemas() } else { Vec::new() }
    }

    fn ask_discard(&mut self) -> Vec<Effect> {
        if !self.unsaved(self.tab) {
            self.toasts.add(Tone::Info, text::NOTHING_TO_DISCARD, self.now);
            return Vec::new();
        }
        self.overlays.push(Overlay::Question(Question::new(
            text::DISCARD_TITLE,
            vec![text::discard_line(tabs::full(self.tab))],
            vec![
                Choice::new(text::DISCARD, 'y', Consequence::DiscardTab),
                Choice::new(text::STAY, 'n', Consequence::Nothing),
            ],
        )));
        Vec::new()
    }

    /// Throws the edits of a tab away.
    pub(crate) fn discard(&mut self, tab: Tab) {
        match tab {
            Tab::Connection => {
                let saved = crate::console::app::connection::draft::ConnectionDraft::of(&self.settings);
                self.connection.leave_field();
                self.connection.errors.clear();
                self.connection.draft.edit(|draft| *draft = saved);
                for side in Side::BOTH {
                    self.connection.edited(side);
                }
            }
            Tab::Mapping => {
                let saved = self.settings.mappings.clone();
                self.mapping.draft.edit(|mappings| *mappings = saved);
                self.review_mappings();
            }
            Tab::Sync | Tab::Logs => {}
        }
    }

    fn refresh(&mut self) -> Vec<Effect> {
        let mut effects = self.reading_effects();
        effects.extend([Effect::SecretPlaces, Effect::Unlocked]);
        if !Tab::ALL.into_iter().any(|tab| self.unsaved(tab)) {
            effects.push(Effect::ReadSettings);
        }
        if !self.engine.answers() {
            effects.push(Effect::Attach);
        }
        if self.tab == Tab::Mapping {
            self.mapping.schemas.clear();
            effects.push(Effect::ForgetDescriptions);
            effects.extend(self.needed_schemas());
        }
        self.toasts.add(Tone::Info, text::REFRESHED, self.now);
        effects
    }
}
