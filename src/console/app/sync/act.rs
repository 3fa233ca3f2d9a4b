//! What the actions do on Synchronization Information.

use std::collections::BTreeSet;

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::{Effect, ExportWhat, Part as SavedPart};
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::overlay::question::{Choice, Consequence, Question};
use crate::console::app::overlay::records::Records;
use crate::console::app::sync::{GroupDeed, Part};
use crate::console::app::tab::Tab;
use crate::console::app::toast::Tone;
use crate::console::view::text::{common, plan, sync as text};
use crate::domain::command::{Command, RunRequest};
use crate::domain::cost::idle_calls_a_day;
use crate::domain::outcome::RunKind;
use crate::domain::progress::EngineState;
use crate::domain::report::{IssueGroup, IssueQuery};
use crate::domain::side::{PerSide, Side};
use crate::domain::side_effects;
use crate::ops::run;
use crate::workspace::settings::{Every, Settings};

impl App {
    /// An action on this tab.
    pub(crate) fn perform_sync(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::NextPane | Action::Right => self.step_part(true),
            Action::PreviousPane | Action::Left => self.step_part(false),
            Action::Open => return self.open_sync(),
            Action::Toggle => match self.sync.part {
                Part::Automatic => return self.act(Action::Automatic),
                Part::Force => self.sync.unfolded = !self.sync.unfolded,
                Part::Issues | Part::Runs => {}
            },
            Action::Back => {
                if !self.toasts.dismiss() {
                    self.sync.unfolded = false;
                }
            }
            Action::StartInitial | Action::StartInstant if self.asks_for_name() => {}
            Action::StartInitial => self.ask_initial(),
            Action::StartInstant => {
                return vec![Effect::Ask(Command::Start(RunRequest::new(RunKind::Instant)))];
            }
            Action::Plan => return self.make_plan(),
            Action::ApplyPlan | Action::SavePlan => {
                self.toasts.add(Tone::Info, text::PLAN_FIRST, self.now);
            }
            Action::Audit => return vec![Effect::Ask(Command::Start(RunRequest::new(RunKind::Audit)))],
            Action::Heal => self.ask_heal(),
            Action::Automatic => return self.switch_automatic(),
            Action::Interval => self.ask_interval(),
            Action::Pause => {
                let command = match self.sync.progress.state {
                    EngineState::Paused => Command::Resume,
                    EngineState::Idle | EngineState::Running | EngineState::Stopping => Command::Pause,
                };
                return vec![Effect::Ask(command)];
            }
            Action::Stop if !self.sync.is_running() => return vec![Effect::Ask(Command::Cancel)],
            Action::Stop => self.ask_stop(),
            Action::UndoRun => return self.preview_undo(),
            Action::Retry | Action::RetryAll => return self.ask_of_group(GroupDeed::Retry),
            Action::Snooze | Action::SnoozeAll => return self.ask_of_group(GroupDeed::Snooze),
            Action::Release => return self.ask_release(),
            Action::ReadAgain => self.ask_since(),
            Action::Conflicts => return self.open_conflicts(),
            Action::Drift => return self.open_drift(),
            Action::ShowSnoozed => return self.show_snoozed(),
            Action::TakeSalesforce
            | Action::TakePlatform
            | Action::KeepBase
            | Action::KeepRecord
            | Action::EditValue
            | Action::TakeAllSalesforce
            | Action::TakeAllPlatform
            | Action::EditMapping => {
                self.toasts.add(Tone::Info, crate::console::view::text::inbox::OPEN_FIRST, self.now);
            }
            Action::Copy | Action::CopyJson => return self.copy_sync(),
            Action::Why => {
                self.toasts.add(Tone::Info, text::WHY_FROM_RECORD, self.now);
            }
            Action::Forget => {
                self.toasts.add(Tone::Info, text::FORGET_FROM_RECORD, self.now);
            }
            other => return self.move_in_part(other),
        }
        Vec::new()
    }

    fn step_part(&mut self, forward: bool) {
        let here = Part::ALL.iter().position(|part| *part == self.sync.part).unwrap_or(0);
        let length = Part::ALL.len();
        let next = if forward { (here + 1) % length } else { (here + length - 1) % length };
        if let Some(part) = Part::ALL.get(next) {
            self.sync.part = *part;
        }
    }

    fn move_in_part(&mut self, action: Action) -> Vec<Effect> {
        match self.sync.part {
            Part::Force => {
                let length = if self.sync.unfolded { 3 } else { 1 };
                let at_end = self.sync.force.place(length) + 1 == length;
                if action == Action::Down && at_end {
                    self.step_part(true);
                } else {
                    self.sync.force.act(action, length);
                }
            }
            Part::Automatic => match action {
                Action::Up => self.step_part(false),
                Action::Down => self.step_part(true),
                _ => {}
            },
            Part::Issues => {
                let length = self.sync.groups.ready().map_or(0, Vec::len);
                let place = self.sync.group.place(length);
                match action {
                    Action::Up if place == 0 => self.step_part(false),
                    Action::Down if place + 1 >= length => self.step_part(true),
                    other => {
                        self.sync.group.act(other, length);
                    }
                }
            }
            Part::Runs => {
                let length = self.sync.runs.ready().map_or(0, Vec::len);
                if action == Action::Up && self.sync.run.place(length) == 0 {
                    self.step_part(false);
                    return Vec::new();
                }
                self.sync.run.act(action, length);
                if self.sync.run.place(length) + 1 >= length && !self.sync.all_runs && !self.sync.reading_runs
                {
                    let before = self.sync.runs.ready().and_then(|runs| runs.last()).map(|run| run.run);
                    if before.is_some() {
                        self.sync.reading_runs = true;
                        return vec![Effect::ReadRuns { before }];
                    }
                }
            }
        }
        Vec::new()
    }

    fn open_sync(&mut self) -> Vec<Effect> {
        match self.sync.part {
            Part::Force if !self.sync.unfolded => {
                self.sync.unfolded = true;
                self.sync.force.set(1);
                Vec::new()
            }
            Part::Force => match self.sync.force.place(3) {
                1 => self.act(Action::StartInitial),
                2 => self.act(Action::StartInstant),
                _ => {
                    self.sync.unfolded = false;
                    Vec::new()
                }
            },
            Part::Automatic => self.act(Action::Interval),
            Part::Issues => {
                let Some(group) = self.sync.selected_group().cloned() else { return Vec::new() };
                let query = self.records_query(&group);
                self.overlays.push(Overlay::Records(Records::new(group)));
                vec![Effect::ReadIssues(query)]
            }
            Part::Runs => match self.sync.selected_run().cloned() {
                Some(run) => self.open_run(run),
                None => Vec::new(),
            },
        }
    }

    /// Asks for an initial sync, on its tab.
    pub(crate) fn offer_initial(&mut self) -> Vec<Effect> {
        let effects = self.go_to(Tab::Sync);
        if !self.asks_for_name() {
            self.ask_initial();
        }
        effects
    }

    fn ask_initial(&mut self) {
        let mappings: Vec<String> = self
            .settings
            .mappings
            .iter()
            .filter(|mapping| mapping.enabled)
            .map(|mapping| format!("{} ⇄ {}", mapping.org_object, mapping.platform_object))
            .collect();
        let linked = self.sync.status.ready().map(|status| status.links);
        let effects =
            side_effects::of_run(&self.settings.mappings, RunKind::Initial, run::events(&self.settings));
        let request = RunRequest::new(RunKind::Initial);
        self.overlays.push(Overlay::Question(Question::new(
            text::INITIAL_TITLE,
            text::initial_lines(
                &mappings,
                self.settings.platform.kind.label(),
                linked,
                side_effects::sentences(&effects),
            ),
            vec![
                Choice::new(plan::PLAN_FIRST, 'p', Consequence::Plan(request.clone())),
                Choice::new(text::INITIAL_YES, 'y', Consequence::Start(request)),
                Choice::new(common::NO, 'n', Consequence::Nothing),
            ],
        )));
    }

    /// Asks for the workspace's name where a sandbox is joined to a live account, or the reverse, and nobody has confirmed it yet;
    /// tells whether it does.
    fn asks_for_name(&mut self) -> bool {
        let unequal = self.sync.status.ready().and_then(|status| status.unequal.clone());
        let Some(unequal) = unequal.filter(|unequal| !unequal.confirmed) else { return false };
        let name = self.workspace_name();
        self.overlays.push(Overlay::Prompt(Prompt::new(
            text::CONFIRM_TITLE,
            text::confirm_help(&unequal.what, &name),
            "",
            Asked::WorkspaceName,
        )));
        true
    }

    /// Takes the typed name, if it is the workspace's.
    pub(crate) fn confirm_workspace(&self, typed: &str) -> Result<Vec<Effect>, String> {
        let name = self.workspace_name();
        if typed.trim() != name {
            return Err(text::not_the_name(&name));
        }
        Ok(vec![Effect::Ask(Command::ConfirmWorkspace { name })])
    }

    /// The name of the workspace: the one of the settings, else its folder's.
    pub fn workspace_name(&self) -> String {
        if self.settings.workspace.name.trim().is_empty() {
            self.folder.rsplit('/').next().unwrap_or_default().to_owned()
        } else {
            self.settings.workspace.name.clone()
        }
    }

    fn ask_heal(&mut self) {
        self.overlays.push(Overlay::Question(Question::yes_no(
            text::HEAL_TITLE,
            text::HEAL_LINES.map(str::to_owned).to_vec(),
            text::HEAL_YES,
            Consequence::Start(RunRequest::new(RunKind::Heal)),
        )));
    }

    fn ask_stop(&mut self) {
        let run = self.sync.progress.run;
        self.overlays.push(Overlay::Question(Question::yes_no(
            text::STOP_TITLE,
            vec![text::stop_line(run)],
            text::STOP_YES,
            Consequence::Ask(Command::Cancel),
        )));
    }

    fn switch_automatic(&self) -> Vec<Effect> {
        let on = !self.sync.progress.automatic;
        let mut effects = vec![Effect::Ask(Command::Automatic { on })];
        if !on {
            effects.push(self.keep_automatic(on));
        }
        effects
    }

    /// Keeps the switch in the settings. What the engine may refuse is kept once it has not.
    pub(crate) fn keep_automatic(&self, on: bool) -> Effect {
        let mut settings = self.settings.clone();
        settings.schedule.automatic = on;
        Effect::Save { part: SavedPart::Schedule, settings: Box::new(settings), secrets: Vec::new() }
    }

    fn ask_interval(&mut self) {
        let schedule = &self.settings.schedule;
        let every = PerSide::from_fn(|side| schedule.every_from(side).duration());
        let objects = PerSide::from_fn(|side| {
            let enabled = self.settings.mappings.iter().filter(|mapping| mapping.enabled);
            enabled.map(|mapping| mapping.object(side)).collect::<BTreeSet<_>>().len() as u64
        });
        self.overlays.push(Overlay::Prompt(Prompt::new(
            text::INTERVAL,
            text::interval_help(&intervals_text(schedule), idle_calls_a_day(every, objects)),
            &intervals_text(schedule),
            Asked::Interval,
        )));
    }

    /// Takes over an interval; a sentence where it is none.
    pub(crate) fn set_interval(&self, typed: &str) -> Result<Vec<Effect>, String> {
        let parts: Vec<&str> = typed.split(['/', ' ']).filter(|part| !part.is_empty()).collect();
        let read = |part: &str| {
            let every: Every =
                part.parse().map_err(|error: crate::workspace::settings::DurationError| error.to_string())?;
            if every.duration().as_secs() < 10 { Err(text::INTERVAL_TOO_SHORT.to_owned()) } else { Ok(every) }
        };
        let (every, every_to_platform, every_to_org) = match parts.as_slice() {
            [from, to] => {
                let (from, to) = (read(from)?, read(to)?);
                (from.min(to), Some(from), Some(to))
            }
            _ => (read(typed.trim())?, None, None),
        };
        let schedule = crate::workspace::settings::Schedule {
            every,
            every_to_org,
            every_to_platform,
            ..self.settings.schedule
        };
        let settings = Settings { schedule, ..self.settings.clone() };
        Ok(vec![Effect::Save {
            part: SavedPart::Schedule,
            settings: Box::new(settings),
            secrets: Vec::new(),
        }])
    }

    fn copy_sync(&mut self) -> Vec<Effect> {
        let copied = match self.sync.part {
            Part::Issues => self.sync.selected_group().and_then(|group| serde_json::to_string(group).ok()),
            Part::Runs => self.sync.selected_run().and_then(|run| serde_json::to_string(run).ok()),
            Part::Force | Part::Automatic => {
                self.sync.status.ready().and_then(|status| serde_json::to_string(status).ok())
            }
        };
        copied.map(|copied| self.copy(&copied)).unwrap_or_default()
    }

    /// The records of a group that are shown.
    pub(crate) fn records_query(&self, group: &IssueGroup) -> IssueQuery {
        IssueQuery { awake_at: (!self.sync.show_snoozed).then_some(self.now), ..group_query(group) }
    }

    /// Exports all open issues, or those of the selected group.
    pub(crate) fn export_issues(&self) -> Vec<Effect> {
        let query = match (self.sync.part, self.sync.selected_group()) {
            (Part::Issues, Some(group)) => group_query(group),
            _ => IssueQuery { limit: usize::MAX, ..IssueQuery::default() },
        };
        vec![Effect::Export(ExportWhat::Issues(IssueQuery { limit: usize::MAX, ..query }))]
    }

    /// The mouse pressed a row.
    pub(crate) fn press_sync_row(&mut self, list: usize, row: usize) -> Vec<Effect> {
        let Some(part) = Part::ALL.get(list).copied() else { return Vec::new() };
        let again = self.sync.part == part
            && row
                == match part {
                    Part::Force => self.sync.force.place(3),
                    Part::Automatic => 0,
                    Part::Issues => self.sync.group.place(usize::MAX),
                    Part::Runs => self.sync.run.place(usize::MAX),
                };
        self.sync.part = part;
        match part {
            Part::Force => self.sync.force.set(row),
            Part::Automatic => {}
            Part::Issues => self.sync.group.set(row),
            Part::Runs => self.sync.run.set(row),
        }
        // The head of the folded section and the switch react to a single press.
        if again || matches!((part, row), (Part::Force, 0) | (Part::Automatic, _)) {
            match (part, row) {
                (Part::Force, 0) => {
                    self.sync.unfolded = !self.sync.unfolded;
                    Vec::new()
                }
                (Part::Automatic, _) => self.act(Action::Automatic),
                _ => self.open_sync(),
            }
        } else {
            Vec::new()
        }
    }
}

/// The issues of a group.
fn group_query(group: &IssueGroup) -> IssueQuery {
    IssueQuery {
        code: Some(group.code.clone()),
        mapping: Some(group.mapping.clone()),
        cause: Some(group.cause.clone()),
        resolved: false,
        limit: 500,
        ..IssueQuery::default()
    }
}

/// The intervals as they are typed: one for both directions, or the one from Salesforce and the one to it.
fn intervals_text(schedule: &crate::workspace::settings::Schedule) -> String {
    if schedule.differs() {
        format!("{} / {}", schedule.every_from(Side::Org), schedule.every_from(Side::Platform))
    } else {
        schedule.every.to_string()
    }
}
