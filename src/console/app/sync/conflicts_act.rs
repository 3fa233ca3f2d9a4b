//! What the actions do in the conflict inbox.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::conflicts::Conflicts;
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::toast::Tone;
use crate::console::view::text::inbox as text;
use crate::domain::by_hand::Answer as Fate;
use crate::domain::report::ConflictRow;
use crate::domain::side::Side;
use crate::ops::conflicts::{self, Holds, Resolved, Wish};

/// Between the values of a pair of several fields.
const BETWEEN: &str = " | ";

impl App {
    /// Opens the conflict inbox.
    pub(crate) fn open_conflicts(&mut self) -> Vec<Effect> {
        self.overlays.push(Overlay::Conflicts(Conflicts::default()));
        vec![Effect::ReadConflicts]
    }

    /// The inbox, where it is open.
    fn conflicts(&mut self) -> Option<&mut Conflicts> {
        self.overlays.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::Conflicts(conflicts) => Some(conflicts),
            _ => None,
        })
    }

    pub(crate) fn act_on_conflicts(&mut self, action: Action) -> Vec<Effect> {
        let Some(inbox) = self.conflicts() else { return Vec::new() };
        let length = inbox.shown().len();
        let action = match action {
            Action::NextPane => Action::Down,
            Action::PreviousPane => Action::Up,
            other => other,
        };
        if inbox.selection.act(action, length) {
            inbox.forget();
            return Vec::new();
        }
        match action {
            Action::Filter => {
                let prompt = Prompt::new(
                    text::FILTER,
                    text::FILTER_HELP,
                    &inbox.filter.clone(),
                    Asked::ConflictFilter,
                );
                self.overlays.push(Overlay::Prompt(prompt));
                return Vec::new();
            }
            Action::TakeAllSalesforce => return self.ask_all(Side::Org),
            Action::TakeAllPlatform => return self.ask_all(Side::Platform),
            _ => {}
        }
        let Some(row) = inbox.selected().cloned() else { return Vec::new() };
        let id = row.ids.org.as_ref().or(row.ids.platform.as_ref()).map(ToString::to_string);
        match action {
            Action::Open if !inbox.open => inbox.open = true,
            Action::Open => return self.decide_open(&row),
            Action::TakeSalesforce => self.choose(&row, Wish::Take(Side::Org)),
            Action::TakePlatform => self.choose(&row, Wish::Take(Side::Platform)),
            Action::KeepBase => self.choose(&row, Wish::Base),
            Action::Delete => self.choose(&row, Wish::Record(Fate::DeleteToo)),
            Action::KeepRecord => self.choose(&row, Wish::Record(Fate::Keep)),
            Action::EditValue => self.ask_value(&row),
            Action::Toggle if inbox.open => inbox.rule = !inbox.rule,
            Action::Copy => return self.copy(&id.unwrap_or_default()),
            Action::CopyJson => return self.copy(&serde_json::to_string(&row).unwrap_or_default()),
            Action::Why => return id.map(|id| self.open_why(id)).unwrap_or_default(),
            Action::LogRun => return self.show_log_of(row.run),
            Action::Forget => return self.ask_forget(Some((row.mapping.clone(), row.ids.clone()))),
            _ => {}
        }
        Vec::new()
    }

    /// Chooses for one conflict; nothing is decided before Enter.
    fn choose(&mut self, row: &ConflictRow, wish: Wish) {
        if let Some(reason) = self.refusal(row, &wish, Holds::Once) {
            self.toasts.add(Tone::Warning, reason, self.now);
            return;
        }
        if let Some(inbox) = self.conflicts() {
            inbox.open = true;
            inbox.wish = Some(wish);
        }
    }

    /// Why a conflict can't be decided that way, as a sentence.
    fn refusal(&self, row: &ConflictRow, wish: &Wish, holds: Holds) -> Option<String> {
        let sorted = conflicts::sort(&self.settings, std::slice::from_ref(row), wish, holds, "");
        sorted.refused.into_iter().next().map(|refused| text::refused(&refused.reason))
    }

    fn ask_value(&mut self, row: &ConflictRow) {
        if row.deleted.is_some() {
            return self.choose(row, Wish::Values(Vec::new()));
        }
        let fields = if row.fields.org.is_empty() { &row.fields.platform } else { &row.fields.org };
        if fields.is_empty() {
            return self.choose(row, Wish::Values(Vec::new()));
        }
        let values = if row.fields.org.is_empty() { &row.values.platform } else { &row.values.org };
        let start: Vec<String> = values.iter().map(ToString::to_string).collect();
        self.overlays.push(Overlay::Prompt(Prompt::new(
            text::value_of(fields),
            text::value_help(fields.len()),
            &start.join(BETWEEN),
            Asked::ConflictValue(row.conflict),
        )));
    }

    /// Takes over a typed value; a sentence where it can't be.
    pub(crate) fn put_conflict_value(&mut self, conflict: i64, typed: &str) -> Result<Vec<Effect>, String> {
        let Some(inbox) = self.conflicts() else { return Ok(Vec::new()) };
        let found = inbox.shown().into_iter().find(|row| row.conflict == conflict).cloned();
        let Some(row) = found else { return Ok(Vec::new()) };
        let count = row.fields.org.len().max(usize::from(row.fields.org.is_empty()));
        let values: Vec<String> = if count < 2 {
            vec![typed.to_owned()]
        } else {
            typed.split(BETWEEN.trim()).map(|part| part.trim().to_owned()).collect()
        };
        let wish = Wish::Values(values);
        if let Some(reason) = self.refusal(&row, &wish, Holds::Once) {
            return Err(reason);
        }
        self.choose(&row, wish);
        Ok(Vec::new())
    }

    /// Takes over a filter.
    pub(crate) fn put_conflict_filter(&mut self, typed: &str) {
        if let Some(inbox) = self.conflicts() {
            typed.trim().clone_into(&mut inbox.filter);
            inbox.selection.set(0);
            inbox.open = false;
            inbox.forget();
        }
    }

    fn decide_open(&mut self, row: &ConflictRow) -> Vec<Effect> {
        let Some(inbox) = self.conflicts() else { return Vec::new() };
        let Some(wish) = inbox.wish.clone() else {
            self.toasts.add(Tone::Info, text::choose_first(row.deleted.is_some()), self.now);
            return Vec::new();
        };
        let holds = if inbox.rule { Holds::AsTheRule } else { Holds::Once };
        if let Some(reason) = self.refusal(row, &wish, holds) {
            self.toasts.add(Tone::Warning, reason, self.now);
            return Vec::new();
        }
        if let Err(reason) = self.available(Action::TakeSalesforce) {
            self.toasts.add(Tone::Info, reason, self.now);
            return Vec::new();
        }
        vec![Effect::Resolve { rows: vec![row.clone()], wish, holds }]
    }

    /// Asks before all shown conflicts are decided for one side.
    fn ask_all(&mut self, side: Side) -> Vec<Effect> {
        if let Err(reason) = self.available(Action::TakeSalesforce) {
            self.toasts.add(Tone::Info, reason, self.now);
            return Vec::new();
        }
        let Some(inbox) = self.conflicts() else { return Vec::new() };
        let rows: Vec<ConflictRow> = inbox.shown().into_iter().cloned().collect();
        let filter = inbox.filter.clone();
        let wish = Wish::Take(side);
        let sorted = conflicts::sort(&self.settings, &rows, &wish, Holds::Once, "");
        let count = sorted.by_hand.decisions.len();
        if count == 0 {
            let reason =
                sorted.refused.first().map_or(text::NONE.to_owned(), |first| text::refused(&first.reason));
            self.toasts.add(Tone::Info, reason, self.now);
            return Vec::new();
        }
        let name = match side {
            Side::Org => "Salesforce",
            Side::Platform => self.settings.platform.kind.label(),
        };
        self.overlays.push(Overlay::Question(Question::yes_no(
            text::all_title(count, name),
            text::all_lines(count, sorted.refused.len(), name, &filter),
            text::ALL_YES,
            Consequence::Resolve { rows, wish },
        )));
        Vec::new()
    }

    /// The conflicts arrived.
    pub(crate) fn take_conflicts(&mut self, answer: Answer<Vec<ConflictRow>>) {
        if let Some(inbox) = self.conflicts() {
            inbox.take(answer.into());
        }
    }

    /// Decisions were handed on, or not.
    pub(crate) fn resolved(&mut self, answer: Answer<Resolved>) -> Vec<Effect> {
        match answer {
            Ok(resolved) => {
                self.toasts.add(Tone::Good, text::resolved(&resolved), self.now);
                if let Some(inbox) = self.conflicts() {
                    inbox.open = false;
                    inbox.forget();
                }
            }
            Err(sentence) => self.toasts.add(Tone::Warning, sentence, self.now),
        }
        let mut effects = vec![Effect::ReadStatus];
        effects.extend(self.inbox_effects());
        effects
    }
}
