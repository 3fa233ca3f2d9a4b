//! What the actions do on Logs.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::{Effect, ExportWhat, LogPurpose};
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::overlay::reading::{Reading, Subject};
use crate::console::app::selection::Selection;
use crate::console::app::text_input::TextInput;
use crate::console::app::toast::Tone;
use crate::console::view::text::{common, logs as text};
use crate::domain::command::Command;
use crate::domain::report::{Level, LogQuery};

impl App {
    /// An action on this tab.
    pub(crate) fn perform_logs(&mut self, action: Action) -> Vec<Effect> {
        if self.logs.filtering.is_some() {
            match action {
                Action::Open | Action::NextPane | Action::PreviousPane => self.logs.filtering = None,
                Action::Back => {
                    self.logs.filtering = None;
                    if !self.logs.filter.is_empty() {
                        self.logs.filter.clear();
                        return self.logs.changed();
                    }
                }
                _ => {}
            }
            return Vec::new();
        }
        match action {
            Action::Filter => {
                self.logs.filtering = Some(TextInput::new(&self.logs.filter));
                Vec::new()
            }
            Action::Back => {
                if self.toasts.dismiss() {
                    return Vec::new();
                }
                if !self.logs.filter.is_empty() {
                    self.logs.filter.clear();
                    return self.logs.changed();
                }
                if self.logs.run.is_some() {
                    return self.logs.show_run(None);
                }
                Vec::new()
            }
            Action::Level => {
                self.logs.level = match self.logs.level {
                    Level::Debug => Level::Info,
                    Level::Info => Level::Warn,
                    Level::Warn => Level::Error,
                    Level::Error => Level::Debug,
                };
                self.logs.changed()
            }
            Action::LogMapping => {
                let names: Vec<String> =
                    self.settings.mappings.iter().map(|mapping| mapping.name.clone()).collect();
                let next = match &self.logs.mapping {
                    None => names.first(),
                    Some(now) => {
                        names.iter().position(|name| name == now).and_then(|place| names.get(place + 1))
                    }
                };
                self.logs.mapping = next.cloned();
                self.logs.changed()
            }
            Action::LogRun => {
                let run = self.logs.selected_row().and_then(|row| row.run).or(self.logs.run);
                let start = run.map(|run| run.to_string()).unwrap_or_default();
                self.overlays.push(Overlay::Prompt(Prompt::new(
                    text::RUN_TITLE,
                    text::RUN_HELP,
                    &start,
                    Asked::LogRun,
                )));
                Vec::new()
            }
            Action::Follow => {
                if self.logs.following {
                    self.logs.following = false;
                    self.logs.fresh = 0;
                    self.logs.selected = self.logs.selected_row().map(|row| row.sequence);
                    return Vec::new();
                }
                let mut effects = self.logs.follow();
                if effects.is_empty() {
                    effects.push(self.logs.read_newer());
                }
                effects
            }
            Action::Open => {
                if let Some(row) = self.logs.selected_row() {
                    let reading = Reading::new(Subject::Fact(Box::new(row.clone())));
                    self.overlays.push(Overlay::Reading(reading));
                }
                Vec::new()
            }
            Action::Forget => {
                let person =
                    self.logs.selected_row().and_then(|row| Some((row.mapping.clone()?, row.ids.clone())));
                self.ask_forget(person)
            }
            Action::Why => {
                let record = self
                    .logs
                    .selected_row()
                    .and_then(|row| row.ids.org.as_ref().or(row.ids.platform.as_ref()))
                    .map(ToString::to_string);
                if let Some(record) = record {
                    return self.open_why(record);
                }
                self.toasts.add(Tone::Info, common::NO_RECORD, self.now);
                Vec::new()
            }
            Action::SetInactive => {
                let record = self
                    .logs
                    .selected_row()
                    .and_then(|row| row.ids.platform.as_ref().or(row.ids.org.as_ref()))
                    .map(ToString::to_string);
                let Some(id) = record else {
                    self.toasts.add(Tone::Info, common::NO_RECORD, self.now);
                    return Vec::new();
                };
                let platform = self.settings.platform.kind.label();
                self.overlays.push(Overlay::Question(Question::yes_no(
                    text::INACTIVE_TITLE,
                    vec![text::inactive_line(&id, platform)],
                    text::INACTIVE_YES,
                    Consequence::Ask(Command::Deactivate { object: String::new(), id }),
                )));
                Vec::new()
            }
            Action::Copy => {
                let copied = self.logs.selected_row().map(|row| row.message.clone());
                copied.map(|copied| self.copy(&copied)).unwrap_or_default()
            }
            Action::CopyJson => {
                let copied = self.logs.selected_row().and_then(|row| serde_json::to_string(row).ok());
                copied.map(|copied| self.copy(&copied)).unwrap_or_default()
            }
            other => self.move_in_log(other),
        }
    }

    fn move_in_log(&mut self, action: Action) -> Vec<Effect> {
        let length = self.logs.rows.len();
        let here = self.logs.place();
        let mut selection = Selection::at(here);
        if !selection.act(action, length) {
            return Vec::new();
        }
        let place = selection.place(length);
        let at_end = place + 1 >= length;
        self.logs.selected = self.logs.rows.get(place).map(|row| row.sequence);
        // Going back stops following; coming to the end takes it up again.
        if at_end && matches!(action, Action::Last | Action::Down | Action::PageDown) {
            let effects = self.logs.follow();
            if !effects.is_empty() {
                return effects;
            }
        } else {
            self.logs.following = false;
        }
        let near_start = place < 20 || action == Action::First;
        if near_start && !self.logs.complete && !self.logs.reading {
            let before = self.logs.rows.first().map(|row| row.sequence);
            self.logs.reading = true;
            return vec![Effect::ReadLog {
                query: LogQuery { before, ..self.logs.query() },
                purpose: LogPurpose::Older,
                generation: self.logs.generation,
            }];
        }
        Vec::new()
    }

    /// Takes over the number of a run; blank shows all.
    pub(crate) fn ask_log_run(&mut self, typed: &str) -> Result<Vec<Effect>, String> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Ok(self.logs.show_run(None));
        }
        match typed.trim_start_matches('#').parse::<i64>() {
            Ok(run) => Ok(self.logs.show_run(Some(run))),
            Err(_) => Err(text::RUN_NEEDED.into()),
        }
    }

    /// Exports what is filtered.
    pub(crate) fn export_log(&self) -> Vec<Effect> {
        vec![Effect::Export(ExportWhat::Log(LogQuery { limit: usize::MAX, ..self.logs.query() }))]
    }

    /// The mouse pressed a line.
    pub(crate) fn press_log_row(&mut self, row: usize) -> Vec<Effect> {
        let again = self.logs.place() == row && !self.logs.following;
        self.logs.selected = self.logs.rows.get(row).map(|row| row.sequence);
        self.logs.following = false;
        if again { self.perform_logs(Action::Open) } else { Vec::new() }
    }
}
