//! What lies over a tab: help, palette, pickers, questions, forms, lists. The top one gets every key.

pub mod act;
pub mod conditions;
pub mod conflicts;
pub mod drift;
pub mod issue;
pub mod picker;
pub mod plan;
pub mod prompt;
pub mod question;
pub mod reading;
pub mod records;
pub mod sample;
pub mod sheet;
pub mod sign_in;
pub mod suggest;

use crate::console::app::action::Action;
use crate::console::app::key::Key;
use crate::console::app::keymap::Context;
use crate::console::app::model::Load;
use crate::console::app::overlay::conditions::Conditions;
use crate::console::app::overlay::conflicts::Conflicts;
use crate::console::app::overlay::drift::Drift;
use crate::console::app::overlay::issue::IssueSheet;
use crate::console::app::overlay::picker::Picker;
use crate::console::app::overlay::plan::{Level, PlanSheet};
use crate::console::app::overlay::prompt::Prompt;
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::overlay::reading::{Reading, Subject};
use crate::console::app::overlay::records::Records;
use crate::console::app::overlay::sample::SampleSheet;
use crate::console::app::overlay::sheet::Sheet;
use crate::console::app::overlay::sign_in::SignInSheet;
use crate::console::app::overlay::suggest::Suggest;

/// One thing that lies over a tab.
pub enum Overlay {
    /// Help for a context; how far it is scrolled.
    Help {
        /// The context it was called from.
        context: Context,
        /// First line shown.
        scroll: usize,
    },
    /// All actions.
    Palette(Picker),
    /// Something to choose from.
    Picker(Picker),
    /// A question.
    Question(Question),
    /// One line of text.
    Prompt(Prompt),
    /// A form of a mapping or a pair.
    Sheet(Sheet),
    /// Pairs that are proposed for a mapping.
    Suggest(Suggest),
    /// The criteria of a mapping.
    Conditions(Conditions),
    /// A record of a mapping, pair by pair.
    Sample(SampleSheet),
    /// The conflict inbox.
    Conflicts(Conflicts),
    /// The form of an issue.
    Issue(IssueSheet),
    /// The records of a group of issues.
    Records(Records),
    /// A plan.
    Plan(Box<PlanSheet>),
    /// What differs from what was accepted of both sides.
    Drift(Drift),
    /// A sign-in by browser.
    SignIn(SignInSheet),
    /// Text to read: a record, a run, a log line, history, check lines.
    Reading(Reading),
}

impl Overlay {
    /// Where its keys are looked up.
    pub fn context(&self) -> Context {
        match self {
            Self::Help { .. } => Context::Help,
            Self::Palette(_) | Self::Picker(_) => Context::Picker,
            Self::Question(_) => Context::Confirm,
            Self::Prompt(_) => Context::Typing,
            Self::Sheet(_) | Self::Suggest(_) | Self::Sample(_) => Context::Sheet,
            Self::Conditions(_) => Context::Criteria,
            Self::Records(_) | Self::Reading(_) => Context::Panel,
            Self::Conflicts(_) | Self::Issue(_) => Context::Inbox,
            Self::Plan(_) => Context::Plan,
            Self::Drift(_) => Context::Drift,
            Self::SignIn(_) => Context::SignIn,
        }
    }

    /// A key that no action is bound to.
    pub fn typed(&mut self, key: Key) -> Option<Consequence> {
        match self {
            Self::Palette(picker) | Self::Picker(picker) => {
                picker.typed(key);
                None
            }
            Self::Question(question) => question.typed(key),
            Self::Prompt(prompt) => {
                if prompt.input.press(key) {
                    prompt.error = None;
                }
                None
            }
            Self::Help { .. }
            | Self::Sheet(_)
            | Self::Suggest(_)
            | Self::Conditions(_)
            | Self::Sample(_)
            | Self::Records(_)
            | Self::Conflicts(_)
            | Self::Issue(_)
            | Self::Plan(_)
            | Self::Drift(_)
            | Self::SignIn(_)
            | Self::Reading(_) => None,
        }
    }

    /// Whether a rehearsal is on its way that only this one waits for.
    pub fn rehearses(&self) -> bool {
        match self {
            Self::Reading(reading) => {
                matches!(&reading.subject, Subject::Rehearsal { done: Load::Waiting, .. })
            }
            _ => false,
        }
    }

    /// Pasted text.
    pub fn paste(&mut self, pasted: &str) {
        match self {
            Self::Palette(picker) | Self::Picker(picker) => picker.paste(pasted),
            Self::Prompt(prompt) => prompt.input.paste(pasted),
            Self::Help { .. }
            | Self::Question(_)
            | Self::Sheet(_)
            | Self::Suggest(_)
            | Self::Conditions(_)
            | Self::Sample(_)
            | Self::Records(_)
            | Self::Conflicts(_)
            | Self::Issue(_)
            | Self::Plan(_)
            | Self::Drift(_)
            | Self::SignIn(_)
            | Self::Reading(_) => {}
        }
    }

    /// Selects a row with the mouse; tells whether there is one to press.
    pub fn select(&mut self, row: usize) -> bool {
        match self {
            Self::Palette(picker) | Self::Picker(picker) => picker.selection.set(row),
            Self::Question(question) => question.focused = row,
            Self::Sheet(sheet) => sheet.selection.set(row),
            // A click on a proposal ticks it, whichever row was selected.
            Self::Suggest(suggest) => {
                suggest.selection.set(row);
                suggest.toggle();
                return false;
            }
            Self::Conditions(conditions) => conditions.selection.set(row),
            Self::Sample(sheet) => sheet.selection.set(row),
            Self::Records(records) => records.selection.set(row),
            Self::Drift(drift) => drift.selection.set(row),
            Self::Conflicts(inbox) => inbox.selection.set(row),
            Self::Issue(sheet) => sheet.selection.set(row),
            Self::Plan(sheet) => match sheet.level {
                Level::Counts => sheet.group.set(row),
                Level::Records => sheet.record.set(row),
                Level::Record => return false,
            },
            Self::Help { .. } | Self::Prompt(_) | Self::SignIn(_) | Self::Reading(_) => return false,
        }
        true
    }

    /// Scrolls a text; tells whether the action does.
    pub(crate) fn scroll(scroll: &mut usize, action: Action) -> bool {
        *scroll = match action {
            Action::Up => scroll.saturating_sub(1),
            Action::Down => scroll.saturating_add(1),
            Action::PageUp => scroll.saturating_sub(super::selection::PAGE),
            Action::PageDown => scroll.saturating_add(super::selection::PAGE),
            Action::First => 0,
            Action::Last => usize::MAX / 2,
            _ => return false,
        };
        true
    }
}
