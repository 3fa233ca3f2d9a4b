//! Which actions are possible now, and why the others are not: one truth for keys, palette and footer.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::keymap::Binding;
use crate::console::app::mapping::Pane;
use crate::console::app::mapping::problems::MappingNote;
use crate::console::app::model::{Access, Engine};
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::plan::Level;
use crate::console::app::overlay::reading::Subject;
use crate::console::app::overlay::sheet::{RowKind, Sheet, Target};
use crate::console::app::tab::Tab;
use crate::console::view::text::{common, connection, mapping, sign_in, sync};
use crate::domain::progress::EngineState;
use crate::domain::report::FirstSync;
use crate::ops::brakes;
use crate::workspace::settings::SignIn;

impl App {
    /// Whether an action is possible now; otherwise a sentence that says why not.
    pub fn available(&self, action: Action) -> Result<(), String> {
        if self.access == Access::ReadOnly && changes(action) {
            return Err(common::READ_ONLY.into());
        }
        match action {
            Action::StartInitial
            | Action::StartInstant
            | Action::Plan
            | Action::ApplyPlan
            | Action::Retry
            | Action::RetryAll
            | Action::Release
            | Action::UndoRun
            | Action::Forget
            | Action::ReadAgain
            | Action::Audit
            | Action::Heal => {
                self.unlocked_or_reason()?;
                self.engine_or_reason()?;
                match self.sync.progress.state {
                    EngineState::Idle => {}
                    // The plan that is on the screen is made, and the news that its making has ended is a frame behind.
                    EngineState::Running if action == Action::ApplyPlan && self.sync.progress.plans => {}
                    EngineState::Running | EngineState::Paused | EngineState::Stopping => {
                        return Err(sync::ALREADY_RUNNING.into());
                    }
                }
                if self.settings.mappings.iter().all(|known| !known.enabled) {
                    return Err(sync::NO_MAPPING.into());
                }
                if matches!(action, Action::StartInstant | Action::Audit | Action::Heal | Action::ReadAgain)
                    && self.lacks_initial()
                {
                    return Err(sync::NO_INITIAL.into());
                }
                Ok(())
            }
            Action::Accept if self.to_accept().is_none() && self.doubt_to_accept().is_some() => {
                self.unlocked_or_reason()
            }
            Action::Accept => {
                self.engine_or_reason()?;
                if self.to_accept().is_none() {
                    return Err(mapping::NOTHING_TO_ACCEPT.into());
                }
                Ok(())
            }
            // An interval without a first full read could only fail, each time (law E11).
            Action::Automatic if !self.sync.progress.automatic && self.lacks_initial() => {
                Err(sync::NO_INITIAL.into())
            }
            Action::Snooze | Action::SnoozeAll => self.engine_or_reason(),
            // A run on its way does not matter: the next one takes what was decided.
            Action::Automatic
            | Action::TakeSalesforce
            | Action::TakePlatform
            | Action::KeepBase
            | Action::KeepRecord
            | Action::EditValue
            | Action::TakeAllSalesforce
            | Action::TakeAllPlatform => {
                self.unlocked_or_reason()?;
                self.engine_or_reason()
            }
            Action::Pause | Action::Stop => {
                self.engine_or_reason()?;
                // What waits for a limit can be called off.
                let waits = action == Action::Stop && self.sync.progress.held.is_some();
                if self.sync.is_running() || waits { Ok(()) } else { Err(sync::NOTHING_RUNS.into()) }
            }
            Action::Scope | Action::Suggest | Action::Duplicate | Action::MoveUp | Action::MoveDown
                if self.mapping.draft.now().is_empty() =>
            {
                self.unlocked_or_reason()?;
                Err(mapping::NO_MAPPING_HERE.into())
            }
            Action::Propose
            | Action::Scope
            | Action::Suggest
            | Action::Duplicate
            | Action::MoveUp
            | Action::MoveDown
            | Action::Direction
            | Action::Policy
            | Action::Translations
            | Action::Criteria
            | Action::AddOr
            | Action::Negate
            | Action::AsText
            | Action::Sample
            | Action::Rehearse
            | Action::AllFields => self.unlocked_or_reason(),
            Action::Add | Action::Delete | Action::Toggle if self.tab == Tab::Mapping => {
                self.unlocked_or_reason()
            }
            Action::SignIn if self.connection.draft.now().salesforce.sign_in != SignIn::Browser => {
                Err(connection::NOT_BY_BROWSER.into())
            }
            Action::Reveal if self.access == Access::ReadOnly => Err(common::READ_ONLY.into()),
            _ => Ok(()),
        }
    }

    /// Whether an action is worth a hint in what is open now.
    pub fn means_something(&self, action: Action) -> bool {
        match (self.overlays.last(), action) {
            (Some(Overlay::Issue(_)), action) => !matches!(
                action,
                Action::TakeSalesforce
                    | Action::TakePlatform
                    | Action::KeepBase
                    | Action::KeepRecord
                    | Action::Delete
                    | Action::Toggle
                    | Action::Filter
                    | Action::TakeAllSalesforce
                    | Action::TakeAllPlatform
                    | Action::UndoRun
                    | Action::RetryAll
                    | Action::SnoozeAll
                    | Action::Release
            ),
            (Some(Overlay::Plan(sheet)), action) => match action {
                Action::ApplyPlan | Action::SavePlan | Action::Filter | Action::Copy => sheet.is_made(),
                Action::Why => sheet.level != Level::Counts,
                Action::Open => sheet.is_made() && sheet.level != Level::Record,
                _ => true,
            },
            (Some(Overlay::Reading(reading)), Action::Forget) => reading.person().is_some(),
            (Some(Overlay::Reading(reading)), Action::Release) => {
                matches!(&reading.subject, Subject::Run(run) if brakes::held(run).is_some())
            }
            (None, Action::Release) => self.held_by_a_brake().is_some(),
            (Some(Overlay::Reading(reading)), Action::Why) => {
                reading.record().is_some() || matches!(reading.subject, Subject::Run(_))
            }
            (Some(Overlay::Reading(reading)), Action::UndoRun) => matches!(reading.subject, Subject::Run(_)),
            (Some(Overlay::Reading(reading)), Action::LogRun) => reading.run().is_some(),
            (
                Some(Overlay::Reading(_)),
                Action::Open
                | Action::Retry
                | Action::Snooze
                | Action::RetryAll
                | Action::SnoozeAll
                | Action::Filter,
            )
            | (Some(Overlay::Help { .. }), Action::Open)
            | (Some(Overlay::Records(_)), Action::UndoRun | Action::Release | Action::Add | Action::Toggle)
            | (
                Some(Overlay::Sheet(_) | Overlay::Suggest(_)),
                Action::UndoRun
                | Action::Forget
                | Action::Release
                | Action::Snooze
                | Action::RetryAll
                | Action::SnoozeAll
                | Action::Filter
                | Action::Retry
                | Action::Why
                | Action::LogRun
                | Action::Copy
                | Action::Sample,
            )
            | (Some(Overlay::Suggest(_)), Action::Delete)
            | (Some(Overlay::Prompt(_)), Action::NextPane | Action::Save) => false,
            (Some(Overlay::Sheet(sheet)), Action::Add | Action::Delete | Action::Toggle) => {
                self.sheet_means(sheet, action)
            }
            // An empty inbox has nothing to decide; a filter that hides all can be changed.
            (Some(Overlay::Conflicts(inbox)), action) if inbox.selected().is_none() => {
                matches!(action, Action::Back | Action::Help)
                    || action == Action::Filter && !inbox.filter.is_empty()
            }
            (Some(Overlay::Sample(_)), action) => {
                matches!(action, Action::Open | Action::Sample | Action::Back | Action::Help)
            }
            (Some(Overlay::Conditions(conditions)), action) => {
                let rows = self.condition_lines(conditions).len();
                match action {
                    Action::Open | Action::Negate | Action::Delete | Action::AddOr => rows > 0,
                    Action::Toggle => rows > 1,
                    Action::Add
                    | Action::AsText
                    | Action::Undo
                    | Action::NextPane
                    | Action::Back
                    | Action::Help => true,
                    _ => false,
                }
            }
            (Some(Overlay::Conflicts(inbox)), action) => match action {
                Action::Retry
                | Action::RetryAll
                | Action::EditMapping
                | Action::Snooze
                | Action::SnoozeAll
                | Action::Release
                | Action::UndoRun => false,
                Action::Delete | Action::KeepRecord => inbox.is_deletion(),
                Action::TakeSalesforce | Action::TakePlatform | Action::EditValue => !inbox.is_deletion(),
                Action::Toggle | Action::KeepBase => inbox.open && !inbox.is_deletion(),
                Action::Filter | Action::TakeAllSalesforce | Action::TakeAllPlatform => !inbox.open,
                _ => true,
            },
            // Other answers than yes and no say their letters themselves.
            (Some(Overlay::Question(question)), Action::Yes | Action::No) => question.letter('y').is_some(),
            (None, Action::SignIn) => self.connection.draft.now().salesforce.sign_in == SignIn::Browser,
            (Some(Overlay::SignIn(sheet)), action) => match action {
                Action::Open => sheet.waiting().is_some() || !sheet.is_going(),
                Action::Copy => sheet.waiting().is_some(),
                _ => true,
            },
            (None, Action::Accept) => self.to_accept().is_some() || self.doubt_to_accept().is_some(),
            (None, Action::Drift) => !self.drift_rows().is_empty(),
            (None, Action::Scope) => self.unsaved(Tab::Mapping),
            (Some(Overlay::Drift(_)), action) => match action {
                Action::Back | Action::Help => true,
                Action::Accept => self.selected_drift().is_some_and(|row| row.acceptable),
                Action::Open | Action::LogRun | Action::Copy => self.selected_drift().is_some(),
                _ => false,
            },
            (None, Action::NextPane | Action::Save) if self.is_typing() => self.tab == Tab::Connection,
            _ => true,
        }
    }

    /// Whether an action does something on the selected row of a form.
    fn sheet_means(&self, sheet: &Sheet, action: Action) -> bool {
        let rows = self.sheet_rows(&sheet.target);
        let Some(row) = rows.get(sheet.selection.place(rows.len())) else { return false };
        let in_table = matches!(sheet.target, Target::Translations { .. });
        match (action, row.kind) {
            (Action::Add | Action::Delete, RowKind::Field(_))
            | (Action::Toggle, RowKind::Switch | RowKind::Choice(_)) => true,
            (Action::Add, _) => in_table,
            (Action::Delete, RowKind::Text) => !row.value.is_empty(),
            _ => false,
        }
    }

    /// The selected pair, if something may go wrong with it that a person can accept: the mapping and the pair's place.
    pub fn doubt_to_accept(&self) -> Option<(String, usize)> {
        if !self.overlays.is_empty() || self.tab != Tab::Mapping || self.mapping.pane != Pane::Pairs {
            return None;
        }
        let name = &self.mapping.selected()?.name;
        let pair = self.mapping.selected_row()?.pair?;
        let doubted = |note: &MappingNote| note.doubt && note.mapping == *name && note.pair == Some(pair);
        self.mapping.notes.iter().any(doubted).then(|| (name.clone(), pair))
    }

    /// The selected mapping, if somebody has to accept something of it (laws E5 and E13).
    pub fn to_accept(&self) -> Option<String> {
        if matches!(self.overlays.last(), Some(Overlay::Drift(_))) {
            return self.selected_drift().filter(|row| row.acceptable).map(|row| row.finding.mapping.clone());
        }
        let name = &self.mapping.selected()?.name;
        let status = self.sync.status.ready()?;
        let drifts = status.drift.iter().any(|row| row.acceptable && row.finding.mapping == *name);
        (drifts || status.unaccepted.contains(name)).then(|| name.clone())
    }

    /// The word of a hint, as it is right in what is open now.
    pub fn hint_of<'a>(&self, binding: &'a Binding) -> &'a str {
        match (self.overlays.last(), binding.action) {
            (Some(Overlay::Conflicts(inbox)), Action::Open) if inbox.open => common::DECIDE,
            (Some(Overlay::Issue(_)), Action::Open) => common::EDIT,
            (Some(Overlay::SignIn(sheet)), Action::Open) if !sheet.is_going() => sign_in::AGAIN,
            (Some(Overlay::SignIn(sheet)), Action::Back) if !sheet.is_going() => sign_in::CLOSE,
            (Some(Overlay::Suggest(_)), Action::Open) => mapping::ADD_TICKED,
            (Some(Overlay::Suggest(_)), Action::Add) => mapping::TICK_ALL,
            (Some(Overlay::Conditions(conditions)), Action::Add)
                if self.condition_lines(conditions).is_empty() =>
            {
                common::ADD
            }
            (Some(Overlay::Sheet(_)), Action::Toggle) => common::SWITCH,
            _ => binding.hint.as_deref().unwrap_or_default(),
        }
    }

    /// Whether both sides have passed a test once (F79).
    pub fn unlocked_or_reason(&self) -> Result<(), String> {
        match (self.unlocked.org, self.unlocked.platform) {
            (true, true) => Ok(()),
            (org, platform) => Err(mapping::locked(org, platform, self.settings.platform.kind.label())),
        }
    }

    /// Whether changes mean nothing yet, because nothing was ever read in full and not all mappings go forward.
    fn lacks_initial(&self) -> bool {
        let mut enabled = self.settings.mappings.iter().filter(|mapping| mapping.enabled);
        let never = self.sync.status.ready().is_some_and(|status| status.first_sync == FirstSync::Never);
        never && enabled.any(|mapping| mapping.since.is_none())
    }

    fn engine_or_reason(&self) -> Result<(), String> {
        match &self.engine {
            Engine::Here | Engine::Elsewhere => Ok(()),
            Engine::Looking => Err(sync::ENGINE_LOOKING.into()),
            Engine::Unavailable(reason) => Err(sync::engine_unavailable(reason)),
        }
    }
}

/// Whether an action changes settings or asks the engine for anything.
fn changes(action: Action) -> bool {
    matches!(
        action,
        Action::StartInitial
            | Action::StartInstant
            | Action::Plan
            | Action::ApplyPlan
            | Action::SavePlan
            | Action::Audit
            | Action::Heal
            | Action::Automatic
            | Action::Interval
            | Action::ReadAgain
            | Action::Pause
            | Action::Stop
            | Action::Retry
            | Action::RetryAll
            | Action::Release
            | Action::Forget
            | Action::SnoozeAll
            | Action::TakeSalesforce
            | Action::TakePlatform
            | Action::KeepBase
            | Action::KeepRecord
            | Action::EditValue
            | Action::TakeAllSalesforce
            | Action::TakeAllPlatform
            | Action::Snooze
            | Action::UndoRun
            | Action::SignIn
            | Action::Save
            | Action::Add
            | Action::Delete
            | Action::Toggle
            | Action::Direction
            | Action::Policy
            | Action::Translations
            | Action::Criteria
            | Action::AddOr
            | Action::Negate
            | Action::AsText
            | Action::Accept
            | Action::Propose
            | Action::Suggest
            | Action::Duplicate
            | Action::MoveUp
            | Action::MoveDown
            | Action::Undo
            | Action::Redo
            | Action::Discard
    )
}
