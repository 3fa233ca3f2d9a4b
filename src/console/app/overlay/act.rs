//! What the actions do on the overlay on top, and what the answers to questions bring.

use crate::console::app::App;
use crate::console::app::action::{Action, Scope};
use crate::console::app::effect::{Effect, Leave};
use crate::console::app::leave::Leaving;
use crate::console::app::mapping::AfterSaving;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::picker::{Item, Picked, Picker};
use crate::console::app::overlay::prompt::Asked;
use crate::console::app::overlay::question::Consequence;
use crate::console::app::overlay::reading::{Reading, Subject};
use crate::console::app::tab::Tab;
use crate::console::app::toast::Tone;
use crate::console::view::text::common as text;
use crate::domain::command::Command;

impl App {
    /// An action while an overlay is open: it belongs to the top one alone.
    pub(crate) fn act_on_overlay(&mut self, action: Action) -> Vec<Effect> {
        if action == Action::Back {
            if let Some(Overlay::Conflicts(inbox)) = self.overlays.last_mut()
                && inbox.open
            {
                inbox.open = false;
                inbox.forget();
                return Vec::new();
            }
            if let Some(Overlay::Plan(_)) = self.overlays.last() {
                return self.leave_plan();
            }
            return match self.overlays.pop() {
                Some(Overlay::SignIn(sheet)) if sheet.is_going() => self.leave_sign_in(),
                Some(overlay) if overlay.rehearses() => vec![Effect::StopRehearsal],
                Some(_) | None => Vec::new(),
            };
        }
        // Help can be called from everywhere, and a click on a hint must not reach through an overlay.
        if action == Action::Help && !matches!(self.overlays.last(), Some(Overlay::Help { .. })) {
            return self.open_help();
        }
        match self.overlays.last_mut() {
            Some(Overlay::Help { scroll, .. }) => {
                Overlay::scroll(scroll, action);
                Vec::new()
            }
            Some(Overlay::Palette(picker)) => {
                if picker.act(action) || action != Action::Open {
                    return Vec::new();
                }
                let chosen = picker.selected().map(|item| (item.id.clone(), item.blocked.clone()));
                match chosen {
                    Some((_, Some(reason))) => {
                        self.toasts.add(Tone::Info, reason, self.now);
                        Vec::new()
                    }
                    Some((word, None)) => {
                        self.overlays.pop();
                        Action::from_word(&word).map(|chosen| self.act(chosen)).unwrap_or_default()
                    }
                    None => Vec::new(),
                }
            }
            Some(Overlay::Picker(picker)) => {
                if picker.act(action) || action != Action::Open {
                    return Vec::new();
                }
                let Some(item) = picker.selected().cloned() else { return Vec::new() };
                if let Some(reason) = item.blocked {
                    self.toasts.add(Tone::Info, reason, self.now);
                    return Vec::new();
                }
                let id = item.id;
                let purpose = picker.purpose.clone();
                self.overlays.pop();
                match purpose {
                    Picked::Field(field) => {
                        self.picked_for_field(field, &id);
                        Vec::new()
                    }
                    Picked::Action => Vec::new(),
                    picked @ (Picked::ConditionField(_)
                    | Picked::ConditionWay { .. }
                    | Picked::ConditionValue { .. }
                    | Picked::ConditionValues { .. }) => self.picked_for_condition(picked, &id),
                    other => self.picked_for_mapping(&other, &id),
                }
            }
            Some(Overlay::Question(question)) => match action {
                Action::Left => {
                    question.step(false);
                    Vec::new()
                }
                Action::Right => {
                    question.step(true);
                    Vec::new()
                }
                Action::Open => {
                    let answer = question.press();
                    self.consequence(answer)
                }
                Action::Yes | Action::No => {
                    let letter = if action == Action::Yes { 'y' } else { 'n' };
                    question.letter(letter).map(|answer| self.consequence(answer)).unwrap_or_default()
                }
                other => {
                    Overlay::scroll(&mut question.scroll, other);
                    Vec::new()
                }
            },
            Some(Overlay::Prompt(_)) => {
                if matches!(action, Action::Open | Action::Save | Action::NextPane) {
                    self.accept_prompt()
                } else {
                    Vec::new()
                }
            }
            Some(Overlay::Sheet(_)) => self.act_on_sheet(action),
            Some(Overlay::Suggest(_)) => self.act_on_suggestions(action),
            Some(Overlay::Sample(_)) => self.act_on_sample(action),
            Some(Overlay::Conditions(_)) => self.act_on_conditions(action),
            Some(Overlay::Conflicts(_)) => self.act_on_conflicts(action),
            Some(Overlay::Issue(_)) => self.act_on_issue(action),
            Some(Overlay::Records(_)) => self.act_on_records(action),
            Some(Overlay::Plan(_)) => self.act_on_plan(action),
            Some(Overlay::Drift(_)) => self.act_on_drift(action),
            Some(Overlay::SignIn(_)) => self.act_on_sign_in(action),
            Some(Overlay::Reading(_)) => self.act_on_reading(action),
            None => Vec::new(),
        }
    }

    fn act_on_reading(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Reading(reading)) = self.overlays.last_mut() else { return Vec::new() };
        if Overlay::scroll(&mut reading.scroll, action) {
            return Vec::new();
        }
        match action {
            Action::Copy | Action::CopyJson => {
                let json = reading.json();
                self.copy(&json)
            }
            Action::LogRun => match reading.run() {
                Some(run) => self.show_log_of(run),
                None => Vec::new(),
            },
            Action::Why => {
                if let Some(record) = reading.record() {
                    return self.open_why(record);
                }
                if let Subject::Run(row) = &reading.subject {
                    let run = row.run;
                    return self.open_history(run);
                }
                self.toasts.add(Tone::Info, text::NO_RECORD, self.now);
                Vec::new()
            }
            Action::UndoRun => match &reading.subject {
                Subject::Run(row) => vec![Effect::PreviewUndo(row.run)],
                _ => Vec::new(),
            },
            Action::Release => self.ask_release(),
            Action::Forget => {
                let person = reading.person();
                self.ask_forget(person)
            }
            Action::Open => {
                self.overlays.pop();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// What an answer to a question brings. The question is closed.
    pub(crate) fn consequence(&mut self, answer: Consequence) -> Vec<Effect> {
        if matches!(self.overlays.last(), Some(Overlay::Question(_))) {
            self.overlays.pop();
        }
        match answer {
            Consequence::Nothing => Vec::new(),
            Consequence::RemovePair { mapping, pair } => {
                self.mapping.edit(&mapping, |mapping| {
                    if pair < mapping.pairs.len() {
                        mapping.pairs.remove(pair);
                    }
                });
                self.review_mappings();
                self.toasts.add(Tone::Info, text::REMOVED_UNDO, self.now);
                Vec::new()
            }
            Consequence::RemoveMapping(name) => {
                self.mapping.draft.edit(|mappings| mappings.retain(|mapping| mapping.name != name));
                self.review_mappings();
                self.toasts.add(Tone::Info, text::REMOVED_UNDO, self.now);
                self.needed_schemas()
            }
            Consequence::RemoveTranslation { mapping, pair, entry } => {
                self.remove_translation(&mapping, pair, &entry);
                Vec::new()
            }
            Consequence::Start(request) => vec![Effect::Ask(Command::Start(request))],
            Consequence::Plan(request) => self.open_plan(request),
            Consequence::Apply(plan) => self.apply_plan(plan),
            Consequence::Ask(command) => vec![Effect::Ask(command)],
            Consequence::SaveMappings => self.send_mappings(AfterSaving::Stay),
            Consequence::SaveMappingsAndSync => self.send_mappings(AfterSaving::Sync),
            Consequence::LookAtScope => self.open_scope(),
            Consequence::MakeObjects => {
                self.overlays.push(Overlay::Reading(Reading::new(Subject::Check(
                    crate::console::app::model::Load::Waiting,
                ))));
                vec![Effect::MakeObjects]
            }
            Consequence::Resolve { rows, wish } => {
                vec![Effect::Resolve { rows, wish, holds: crate::ops::conflicts::Holds::Once }]
            }
            Consequence::DiscardTab => {
                self.discard(self.tab);
                Vec::new()
            }
            Consequence::SaveAndQuit => self.save_and_quit(),
            Consequence::DiscardAndQuit => {
                for tab in Tab::ALL {
                    self.discard(tab);
                }
                self.quit_saved()
            }
            Consequence::QuitAfterRun => {
                self.leaving = Leaving::AfterRun;
                self.toasts.add(Tone::Info, text::LEAVING_AFTER_RUN, self.now);
                vec![Effect::Ask(Command::Automatic { on: false })]
            }
            Consequence::QuitAfterBatch => vec![Effect::Quit(Leave::AfterBatch)],
            Consequence::QuitAbort => vec![Effect::Quit(Leave::Abort)],
        }
    }

    fn accept_prompt(&mut self) -> Vec<Effect> {
        let Some(Overlay::Prompt(prompt)) = self.overlays.last() else { return Vec::new() };
        let typed = prompt.input.text().to_owned();
        let taken = match prompt.purpose.clone() {
            Asked::Passphrase { .. } if typed.is_empty() => Err(text::PASSPHRASE_NEEDED.to_owned()),
            Asked::Passphrase { then } => {
                Ok(vec![Effect::Unlock { passphrase: secrecy::SecretString::from(typed), then }])
            }
            Asked::Interval => self.set_interval(&typed),
            Asked::Since => match self.put_since(&typed) {
                // The next question takes the place of this one.
                Ok(next) => {
                    self.overlays.pop();
                    self.overlays.push(Overlay::Prompt(next));
                    return Vec::new();
                }
                Err(sentence) => Err(sentence),
            },
            Asked::SinceConfirmed(wanted) => self.confirm_since(wanted, &typed),
            Asked::WorkspaceName => self.confirm_workspace(&typed),
            Asked::LogRun => self.ask_log_run(&typed),
            Asked::SheetRow(target, row) => {
                self.put_row(&target, row, &typed).map(|()| {
                    // The rows of open criteria are made of their text.
                    self.want_count();
                    Vec::new()
                })
            }
            Asked::Translation { mapping, pair, replaces } => {
                self.put_translation(&mapping, pair, replaces.as_deref(), &typed).map(|()| Vec::new())
            }
            Asked::Sample(mapping) => Ok(self.put_sample(&mapping, &typed)),
            Asked::ConditionValue { spot, field, way } => {
                self.put_condition(&spot, &field, way, &[typed]).map(|()| Vec::new())
            }
            Asked::ConflictFilter => {
                self.put_conflict_filter(&typed);
                Ok(Vec::new())
            }
            Asked::PlanFilter => Ok(self.put_plan_filter(&typed)),
            Asked::PlanName => self.put_plan_name(&typed),
            Asked::IssueValue(place) => self.put_issue_value(place, &typed),
            Asked::Snooze(issues) => self.put_snooze(issues, &typed),
            Asked::RecordFilter => {
                self.put_record_filter(&typed);
                Ok(Vec::new())
            }
            Asked::Release(held) => self.put_release(&held, &typed),
            Asked::Forget { object, id } => Self::put_forget(object, id, &typed),
            Asked::ConflictValue(conflict) => self.put_conflict_value(conflict, &typed),
        };
        match taken {
            Ok(effects) => {
                if let Some(place) =
                    self.overlays.iter().rposition(|overlay| matches!(overlay, Overlay::Prompt(_)))
                {
                    self.overlays.remove(place);
                }
                effects
            }
            Err(sentence) => {
                if let Some(Overlay::Prompt(prompt)) = self.overlays.last_mut() {
                    prompt.error = Some(sentence);
                }
                Vec::new()
            }
        }
    }

    /// Opens help for the context at hand.
    pub(crate) fn open_help(&mut self) -> Vec<Effect> {
        let context = self.context();
        self.overlays.push(Overlay::Help { context, scroll: 0 });
        Vec::new()
    }

    /// Opens the palette: every action with its key, its command, and the reason why it can't be done now.
    pub(crate) fn open_palette(&mut self) -> Vec<Effect> {
        let context = self.context();
        let mut actions: Vec<Action> = Action::ALL.to_vec();
        actions.sort_by_key(|action| match action.scope() {
            Scope::On(tab) if tab == self.tab => 0,
            Scope::On(_) => 1,
            Scope::Anywhere => 2,
            Scope::Movement | Scope::Answer => 3,
        });
        let items = actions
            .iter()
            .filter(|action| !matches!(action, Action::Palette))
            .map(|action| {
                let key = self.keymap.key_of(context, *action).or_else(|| self.home_key(*action));
                Item::new(
                    action.word(),
                    [
                        action.title().to_owned(),
                        key.map(|key| key.to_string()).unwrap_or_default(),
                        action.twin().unwrap_or_default().to_owned(),
                    ],
                )
                .blocked(self.available(*action).err())
            })
            .collect();
        let picker = Picker::new(text::PALETTE, &text::PALETTE_HEADS, items, Picked::Action);
        self.overlays.push(Overlay::Palette(picker));
        Vec::new()
    }

    fn home_key(&self, action: Action) -> Option<crate::console::app::key::Key> {
        use crate::console::app::keymap::Context;
        match action.scope() {
            Scope::On(tab) => {
                let of_tab = self.keymap.key_of(Context::of(tab), action);
                let in_lists = || self.keymap.key_of(Context::Inbox, action);
                of_tab.or_else(in_lists).or_else(|| self.keymap.key_of(Context::Plan, action))
            }
            Scope::Answer => self.keymap.key_of(Context::Confirm, action),
            Scope::Anywhere | Scope::Movement => None,
        }
    }

    /// Shows the log of a run, on its tab.
    pub(crate) fn show_log_of(&mut self, run: i64) -> Vec<Effect> {
        self.overlays.clear();
        let mut effects = self.go_to(Tab::Logs);
        effects.extend(self.logs.show_run(Some(run)));
        effects
    }

    /// Explains a record.
    pub(crate) fn open_why(&mut self, record: String) -> Vec<Effect> {
        let query = crate::domain::why::WhyQuery { object: None, id: record.clone(), field: None };
        let records = crate::console::app::model::Load::Waiting;
        self.overlays.push(Overlay::Reading(Reading::new(Subject::Why { of: record, records })));
        vec![Effect::ReadWhy(query)]
    }

    /// Opens what a run wrote.
    pub(crate) fn open_history(&mut self, run: i64) -> Vec<Effect> {
        let query = crate::domain::report::HistoryQuery {
            run: Some(run),
            limit: 200,
            ..crate::domain::report::HistoryQuery::default()
        };
        let subject =
            Subject::History { of: format!("run {run}"), rows: crate::console::app::model::Load::Waiting };
        self.overlays.push(Overlay::Reading(Reading::new(subject)));
        vec![Effect::ReadHistory(query)]
    }
}
