//! What the actions do on the records of a group of issues, and trying them again.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::overlay::records::Records;
use crate::console::app::sync::GroupDeed;
use crate::console::app::toast::Tone;
use crate::console::view::text::{inbox, sync as text};
use crate::domain::command::Command;
use crate::domain::report::{IssueGroup, IssueQuery, IssueRow};

impl App {
    pub(crate) fn act_on_records(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Records(records)) = self.overlays.last_mut() else { return Vec::new() };
        let length = records.shown().len();
        let action = match action {
            Action::NextPane => Action::Down,
            Action::PreviousPane => Action::Up,
            other => other,
        };
        if records.selection.act(action, length) {
            return Vec::new();
        }
        match action {
            Action::Filter => {
                let prompt = Prompt::new(
                    inbox::FILTER_RECORDS,
                    inbox::FILTER_RECORDS_HELP,
                    &records.filter.clone(),
                    Asked::RecordFilter,
                );
                self.overlays.push(Overlay::Prompt(prompt));
                return Vec::new();
            }
            Action::RetryAll => return self.ask_of_shown(GroupDeed::Retry),
            Action::SnoozeAll => return self.ask_of_shown(GroupDeed::Snooze),
            _ => {}
        }
        let Some(selected) = records.selected().cloned() else { return Vec::new() };
        match action {
            Action::Open => self.open_issue(selected),
            Action::Retry => self.retry(vec![selected.issue]),
            Action::Snooze => {
                self.ask_snooze(vec![selected.issue]);
                Vec::new()
            }
            Action::Forget => self.ask_forget(Some((selected.mapping.clone(), selected.ids.clone()))),
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

    /// Tries the selected group again, or hides it: all its numbers are read first, then a question names how many.
    pub(crate) fn ask_of_group(&mut self, deed: GroupDeed) -> Vec<Effect> {
        let Some(group) = self.sync.selected_group().cloned() else {
            self.toasts.add(Tone::Info, text::NO_ISSUES, self.now);
            return Vec::new();
        };
        self.sync.part = crate::console::app::sync::Part::Issues;
        self.read_whole(group, deed)
    }

    fn read_whole(&mut self, group: IssueGroup, deed: GroupDeed) -> Vec<Effect> {
        let query = IssueQuery { limit: usize::MAX, ..self.records_query(&group) };
        self.sync.asked = Some((group, deed));
        vec![Effect::ReadIssues(query)]
    }

    /// The same for the records that are shown: all of the group, or those that the filter lets through.
    fn ask_of_shown(&mut self, deed: GroupDeed) -> Vec<Effect> {
        let Some(Overlay::Records(records)) = self.overlays.last() else { return Vec::new() };
        let group = records.group.clone();
        if records.filter.is_empty() {
            return self.read_whole(group, deed);
        }
        let issues: Vec<i64> = records.shown().iter().map(|row| row.issue).collect();
        self.ask_deed(&group, deed, issues);
        Vec::new()
    }

    fn ask_deed(&mut self, group: &IssueGroup, deed: GroupDeed, issues: Vec<i64>) {
        if issues.is_empty() {
            self.toasts.add(Tone::Info, text::NO_ISSUES, self.now);
            return;
        }
        match deed {
            GroupDeed::Snooze => self.ask_snooze(issues),
            GroupDeed::Retry => {
                if let Err(reason) = self.available(Action::Retry) {
                    self.toasts.add(Tone::Info, reason, self.now);
                    return;
                }
                self.overlays.push(Overlay::Question(Question::yes_no(
                    text::RETRY_TITLE,
                    vec![text::retry_line(issues.len(), group.records, &group.code, &group.cause)],
                    text::RETRY_YES,
                    Consequence::Ask(Command::Retry { issues }),
                )));
            }
        }
    }

    /// Takes over a filter.
    pub(crate) fn put_record_filter(&mut self, typed: &str) {
        for overlay in &mut self.overlays {
            if let Overlay::Records(records) = overlay {
                typed.trim().clone_into(&mut records.filter);
                records.selection.set(0);
            }
        }
    }

    /// The records of a group arrived: for the open list, or for trying the group again.
    pub(crate) fn take_issues(&mut self, answer: Answer<Vec<IssueRow>>) {
        if let Some((group, deed)) = self.sync.asked.take() {
            match answer {
                Ok(rows) => self.ask_deed(&group, deed, rows.iter().map(|row| row.issue).collect()),
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
