//! What the actions do in the form of an issue: edit the value, edit the mapping, try again, hide it for a while.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::mapping::Pane;
use crate::console::app::message::Answer;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::issue::IssueSheet;
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::selection::Selection;
use crate::console::app::tab::Tab;
use crate::console::app::text_input::TextInput;
use crate::console::app::toast::Tone;
use crate::console::view::text::inbox as text;
use crate::domain::command::Command;
use crate::domain::report::{IssueGroup, IssueRow};
use crate::domain::side::Side;
use crate::ops::issues::{self, IssueForm};
use crate::workspace::settings::Every;

/// Between the values of a pair of several fields.
const BETWEEN: &str = " | ";

impl App {
    /// Opens the form of an issue.
    pub(crate) fn open_issue(&mut self, row: IssueRow) -> Vec<Effect> {
        let issue = row.issue;
        self.overlays.push(Overlay::Issue(IssueSheet::new(row)));
        vec![Effect::ReadIssueForm(issue)]
    }

    fn issue(&mut self) -> Option<&mut IssueSheet> {
        self.overlays.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::Issue(sheet) => Some(sheet),
            _ => None,
        })
    }

    pub(crate) fn act_on_issue(&mut self, action: Action) -> Vec<Effect> {
        let Some(sheet) = self.issue() else { return Vec::new() };
        let action = match action {
            Action::NextPane => Action::Down,
            Action::PreviousPane => Action::Up,
            other => other,
        };
        let length = sheet.form.ready().map_or(0, |form| form.fields.len());
        if sheet.selection.act(action, length) {
            return Vec::new();
        }
        let (row, record) = (sheet.row.clone(), sheet.record());
        match action {
            Action::Open | Action::EditValue => self.ask_issue_value(),
            Action::EditMapping => return self.edit_issue_mapping(),
            Action::Retry => return self.retry(vec![row.issue]),
            Action::Snooze => self.ask_snooze(vec![row.issue]),
            Action::Forget => return self.ask_forget(Some((row.mapping.clone(), row.ids.clone()))),
            Action::Copy => return self.copy(&record.unwrap_or_default()),
            Action::CopyJson => return self.copy(&serde_json::to_string(&row).unwrap_or_default()),
            Action::Why => return record.map(|record| self.open_why(record)).unwrap_or_default(),
            Action::LogRun => return self.show_log_of(row.run),
            _ => {}
        }
        Vec::new()
    }

    /// Tells why an action is impossible; `true` if it is.
    fn refused(&mut self, action: Action) -> bool {
        let reason = self.available(action).err();
        if let Some(reason) = &reason {
            self.toasts.add(Tone::Info, reason.clone(), self.now);
        }
        reason.is_some()
    }

    fn ask_issue_value(&mut self) {
        if self.refused(Action::EditValue) {
            return;
        }
        let platform = self.settings.platform.kind.label();
        let Some(sheet) = self.issue() else { return };
        let place = sheet.place();
        let Some(form) = sheet.form.ready() else {
            self.toasts.add(Tone::Info, text::FORM_WAITS, self.now);
            return;
        };
        let source = form.source;
        let Some(field) = form.fields.get(place) else { return };
        let names = field.fields[source].clone();
        let start: Vec<String> = field.values[source].iter().flatten().map(ToString::to_string).collect();
        let side = match source {
            Side::Org => "Salesforce",
            Side::Platform => platform,
        };
        if names.is_empty() {
            self.toasts.add(Tone::Info, text::OF_THE_MAPPING, self.now);
            return;
        }
        self.overlays.push(Overlay::Prompt(Prompt::new(
            text::issue_value_of(&names, side),
            text::issue_value_help(names.len(), side),
            &start.join(BETWEEN),
            Asked::IssueValue(place),
        )));
    }

    /// Takes over an edited value; a sentence where it can't be.
    pub(crate) fn put_issue_value(&mut self, place: usize, typed: &str) -> Result<Vec<Effect>, String> {
        let Some(form) = self.issue().and_then(|sheet| sheet.form.ready().cloned()) else {
            return Ok(Vec::new());
        };
        let count = form.fields.get(place).map_or(1, |field| field.fields[form.source].len());
        let values: Vec<String> = if count < 2 {
            vec![typed.to_owned()]
        } else {
            typed.split(BETWEEN.trim()).map(|part| part.trim().to_owned()).collect()
        };
        let mapping = self.settings.mapping(&form.issue.mapping);
        let mapping = mapping.ok_or_else(|| text::NO_SUCH_MAPPING.to_owned())?;
        issues::edit(&form, place, mapping, &values, "").map_err(|reason| text::refused(&reason))?;
        Ok(vec![Effect::Mend { form, place, values }])
    }

    /// Goes to the pair that the issue is about; nothing is saved before the person has seen what else that clears.
    fn edit_issue_mapping(&mut self) -> Vec<Effect> {
        let Some(sheet) = self.issue() else { return Vec::new() };
        let row = sheet.row.clone();
        let place = sheet.place();
        let form = sheet.form.ready().cloned();
        let found = self.mapping.draft.now().iter().position(|mapping| mapping.name == row.mapping);
        let Some(object) = found else {
            self.toasts.add(Tone::Warning, text::NO_SUCH_MAPPING, self.now);
            return Vec::new();
        };
        let identity =
            form.as_ref().and_then(|form| form.fields.get(place)).map(|field| field.identity.clone());
        let pairs = &self.mapping.draft.now()[object].pairs;
        let pair = identity.and_then(|identity| pairs.iter().position(|pair| pair.identity() == identity));
        self.overlays.clear();
        let effects = self.go_to(Tab::Mapping);
        self.mapping.object = Selection::at(object);
        self.mapping.row = Selection::at(pair.unwrap_or(0));
        self.mapping.pane = Pane::Pairs;
        self.mapping.all_fields = false;
        self.mapping.filter = TextInput::default();
        let others = form.as_ref().map_or(0, |form| form.same_cause);
        self.toasts.add(Tone::Info, text::clears(&row, others), self.now);
        effects
    }

    /// Asks how long issues shall be hidden.
    pub(crate) fn ask_snooze(&mut self, issues: Vec<i64>) {
        if self.refused(Action::Snooze) {
            return;
        }
        self.overlays.push(Overlay::Prompt(Prompt::new(
            text::snooze(issues.len()),
            text::SNOOZE_HELP,
            "1d",
            Asked::Snooze(issues),
        )));
    }

    /// Takes over how long issues are hidden; a sentence where that is no time.
    pub(crate) fn put_snooze(&mut self, issues: Vec<i64>, typed: &str) -> Result<Vec<Effect>, String> {
        let until = if typed.trim().is_empty() {
            None
        } else {
            let every: Every = typed
                .parse()
                .map_err(|error: crate::workspace::settings::DurationError| error.to_string())?;
            Some(self.now + every.duration())
        };
        self.overlays.retain(|overlay| !matches!(overlay, Overlay::Issue(_)));
        Ok(vec![Effect::Ask(Command::Snooze { issues, until })])
    }

    /// Shows snoozed issues with the others, or hides them.
    pub(crate) fn show_snoozed(&mut self) -> Vec<Effect> {
        self.sync.show_snoozed = !self.sync.show_snoozed;
        let sentence = if self.sync.show_snoozed { text::SNOOZED_SHOWN } else { text::SNOOZED_HIDDEN };
        self.toasts.add(Tone::Info, sentence, self.now);
        vec![Effect::ReadIssueGroups]
    }

    /// The groups as they are shown: without what is snoozed, unless it is wanted.
    pub(crate) fn awake(&self, groups: Vec<IssueGroup>) -> Vec<IssueGroup> {
        if self.sync.show_snoozed {
            return groups;
        }
        groups
            .into_iter()
            .filter(|group| group.records > group.snoozed)
            .map(|group| IssueGroup { records: group.records - group.snoozed, snoozed: 0, ..group })
            .collect()
    }

    /// What both sides hold arrived; the failing field gets the focus.
    pub(crate) fn take_form(&mut self, answer: Answer<Box<IssueForm>>) {
        if let Some(sheet) = self.issue() {
            if let Ok(form) = &answer {
                sheet.selection.set(form.focus());
                sheet.row = form.issue.clone();
            }
            sheet.form = answer.into();
        }
    }

    /// An edited value was handed on, or not.
    pub(crate) fn mended(&mut self, answer: Answer<Option<i64>>) -> Vec<Effect> {
        match answer {
            Ok(run) => {
                self.overlays.retain(|overlay| !matches!(overlay, Overlay::Issue(_)));
                self.toasts.add(Tone::Good, text::mended(run), self.now);
            }
            Err(sentence) => self.toasts.add(Tone::Warning, sentence, self.now),
        }
        Vec::new()
    }

    /// The lists that lie over the tab are read again when a run has ended.
    pub(crate) fn inbox_effects(&self) -> Vec<Effect> {
        self.overlays
            .iter()
            .filter_map(|overlay| match overlay {
                Overlay::Conflicts(_) => Some(Effect::ReadConflicts),
                Overlay::Records(records) => Some(Effect::ReadIssues(self.records_query(&records.group))),
                _ => None,
            })
            .collect()
    }
}
