//! What the actions do in the list of what both sides changed: going where it can be mended, and accepting it.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::drift::Drift;
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::tab::Tab;
use crate::console::app::toast::Tone;
use crate::console::view::text::{drift as text, mapping};
use crate::domain::command::{Acceptance, Command};

impl App {
    /// Opens the list.
    pub(crate) fn open_drift(&mut self) -> Vec<Effect> {
        self.overlays.push(Overlay::Drift(Drift::default()));
        vec![Effect::ReadStatus]
    }

    pub(crate) fn act_on_drift(&mut self, action: Action) -> Vec<Effect> {
        let length = self.drift_rows().len();
        let Some(Overlay::Drift(drift)) = self.overlays.last_mut() else { return Vec::new() };
        let action = match action {
            Action::NextPane => Action::Down,
            Action::PreviousPane => Action::Up,
            other => other,
        };
        if drift.selection.act(action, length) {
            return Vec::new();
        }
        let Some(row) = self.selected_drift().cloned() else { return Vec::new() };
        match action {
            Action::Open => self.go_to_pair(&row.finding.mapping, &row.finding.pair),
            Action::Accept if !row.acceptable => {
                self.toasts.add(Tone::Info, text::NOT_ACCEPTABLE, self.now);
                Vec::new()
            }
            Action::Accept => self.ask_accept_drift(&row.finding.mapping),
            Action::LogRun => self.show_log_of(row.run),
            Action::Copy => self.copy(&row.finding.message),
            Action::CopyJson => self.copy(&serde_json::to_string(&row).unwrap_or_default()),
            _ => Vec::new(),
        }
    }

    fn ask_accept_drift(&mut self, name: &str) -> Vec<Effect> {
        let reason = match self.available(Action::Accept) {
            Err(reason) => Some(reason),
            // What is in the file is accepted, not what is on the screen.
            Ok(()) if self.unsaved(Tab::Mapping) => Some(mapping::SAVE_TO_ACCEPT.into()),
            Ok(()) => None,
        };
        if let Some(reason) = reason {
            self.toasts.add(Tone::Info, reason, self.now);
            return Vec::new();
        }
        let mine = self.drift_rows().iter().filter(|row| row.acceptable && row.finding.mapping == name);
        let mut lines: Vec<String> = mine.map(|row| format!("{}.", row.finding.message)).collect();
        lines.push(text::ACCEPTING.into());
        let command = Command::Accept { mappings: vec![name.to_owned()], what: Acceptance::Drift };
        self.overlays.push(Overlay::Question(Question::yes_no(
            text::accept_title(name),
            lines,
            text::ACCEPT,
            Consequence::Ask(command),
        )));
        Vec::new()
    }

    /// Leaves what lies over the tab and selects a pair, or the mapping where it is about no pair.
    fn go_to_pair(&mut self, name: &str, pair: &str) -> Vec<Effect> {
        let Some(place) = self.mapping.draft.now().iter().position(|mapping| mapping.name == name) else {
            self.toasts.add(Tone::Info, text::NOT_ON_SCREEN, self.now);
            return Vec::new();
        };
        let pair = self
            .mapping
            .draft
            .now()
            .get(place)
            .and_then(|mapping| mapping.pairs.iter().position(|known| known.identity() == pair));
        self.overlays.clear();
        let effects = self.go_to(Tab::Mapping);
        self.show_mapping(place, pair);
        effects
    }
}
