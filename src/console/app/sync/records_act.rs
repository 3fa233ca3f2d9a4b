//! What the actions do on the records of a group of issues, and trying them again.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::overlay::records::Records;
use crate::console::app::sync::act::group_query;
use crate::console::app::toast::Tone;
use crate::console::view::text::sync as text;
use crate::domain::command::Command;
use crate::domain::report::IssueRow;

impl App {
    pub(crate) fn act_on_records(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Records(records)) = self.overlays.last_mut() else { return Vec::new() };
        let length = records.rows.ready().map_or(0, Vec::len);
        let action = match action {
            Action::NextPane => Action::Down,
            Action::PreviousPane => Action::Up,
            other => other,
        };
        if records.selection.act(action, length) {
            return Vec::new();
        }
        let Some(selected) = records.selected().cloned() else { return Vec::new() };
        match action {
            Action::Open => self.open_issue(selected),
            Action::Retry => self.retry(vec![selected.issue]),
            Action::Copy => {
                let id = selected.ids.org.as_ref().or(selected.ids.platform.as_ref());
                let id = id.map(ToString::to_string).unwrap_or_default();
                self.copy(&id)
            }
            Action::CopyJson => self.copy(&serde_json::to_string(&selected).unwrap_or_default()),
            Action::Why => {
                let id = selected.ids.org.as_ref().or(selected.ids.platform.as_ref());
                match id.map(ToString::to_string) {
                    Some(id) => self.open_why(id),
                    None => Vec::new(),
                }
            }
            Action::LogRun => self.show_log_of(selected.run),
            _ => Vec::new(),
        }
    }

    /// Tries issues again, if a run may start now.
    pub(crate) fn retry(&mut self, issues: Vec<i64>) -> Vec<Effect> {
        match self.available(Action::Retry) {
            Ok(()) => vec![Effect::Ask(Command::Retry { issues })],
            Err(reason) => {
                self.toasts.add(Tone::Info, reason, self.now);
                Vec::new()
            }
        }
    }

    /// Tries the selected group again: its numbers are read first, then a question names how many.
    pub(crate) fn retry_group(&mut self) -> Vec<Effect> {
        let Some(group) = self.sync.selected_group().cloned() else {
            self.toasts.add(Tone::Info, text::NO_ISSUES, self.now);
            return Vec::new();
        };
        let query = group_query(&group);
        self.sync.part = crate::console::app::sync::Part::Issues;
        self.sync.retrying = Some(group);
        vec![Effect::ReadIssues(query)]
    }

    /// The records of a group arrived: for the open list, or for trying the group again.
    pub(crate) fn take_issues(&mut self, answer: Answer<Vec<IssueRow>>) {
        if let Some(group) = self.sync.retrying.take() {
            match answer {
                Ok(rows) if rows.is_empty() => self.toasts.add(Tone::Info, text::NO_ISSUES, self.now),
                Ok(rows) => {
                    let issues: Vec<i64> = rows.iter().map(|row| row.issue).collect();
                    self.overlays.push(Overlay::Question(Question::yes_no(
                        text::RETRY_TITLE,
                        vec![text::retry_line(issues.len(), group.records, &group.code, &group.cause)],
                        text::RETRY_YES,
                        Consequence::Ask(Command::Retry { issues }),
                    )));
                }
                Err(sentence) => self.toasts.add(Tone::Error, sentence, self.now),
            }
            return;
        }
        for overlay in &mut self.overlays {
            if let Overlay::Records(Records { rows, .. }) = overlay {
                *rows = answer.into();
                return;
            }
        }
    }
}
