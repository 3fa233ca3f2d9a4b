//! One line of text asked for, with help and an error below it.

use crate::console::app::overlay::conditions::Spot;
use crate::console::app::overlay::sheet::{RowId, Target};
use crate::console::app::text_input::TextInput;
use crate::domain::command::ReadAgain;
use crate::domain::criteria::ways::Way;
use crate::ops::brakes::Held;

/// What the text is for.
#[derive(Clone, Debug)]
pub enum Asked {
    /// The passphrase of the vault; what needs it.
    Passphrase {
        /// What is done once the vault is open.
        then: Box<crate::console::app::effect::Effect>,
    },
    /// The interval of automatic sync.
    Interval,
    /// The date of the last synchronization.
    Since,
    /// The workspace's name, before that date is changed.
    SinceConfirmed(ReadAgain),
    /// The workspace's name, because the two sides are not of a kind.
    WorkspaceName,
    /// A run whose log lines are shown.
    LogRun,
    /// A row of a sheet.
    SheetRow(Target, RowId),
    /// A line `A = B` of a translation table; the org's value it replaces.
    Translation {
        /// The mapping.
        mapping: String,
        /// The pair's place.
        pair: usize,
        /// The line it replaces.
        replaces: Option<String>,
    },
    /// The record that is pulled for a mapping.
    Sample(String),
    /// What a field is compared with.
    ConditionValue {
        /// Where the condition will stand.
        spot: Spot,
        /// The field.
        field: String,
        /// The way it is tested.
        way: Way,
    },
    /// What the shown conflicts contain.
    ConflictFilter,
    /// The value that both sides of a conflict shall hold; its number.
    ConflictValue(i64),
    /// Another value for a field of an issue's form; the field's place.
    IssueValue(usize),
    /// What the shown lines of a plan contain.
    PlanFilter,
    /// The name under which a plan is kept.
    PlanName,
    /// How long issues are hidden; their numbers.
    Snooze(Vec<i64>),
    /// What the shown records of a group contain.
    RecordFilter,
    /// The number that releases a brake.
    Release(Box<Held>),
    /// The word that confirms that a person is forgotten.
    Forget {
        /// The object, by its name on either side.
        object: String,
        /// The record's id on that side.
        id: String,
    },
}

/// A prompt.
pub struct Prompt {
    /// What is asked for.
    pub title: String,
    /// How to write it.
    pub help: String,
    /// What is typed.
    pub input: TextInput,
    /// Why it can't be taken.
    pub error: Option<String>,
    /// What it is for.
    pub purpose: Asked,
}

impl Prompt {
    /// Whether what is typed is a secret.
    pub fn is_secret(&self) -> bool {
        matches!(self.purpose, Asked::Passphrase { .. })
    }

    /// A prompt that starts with a text.
    pub fn new(title: impl Into<String>, help: impl Into<String>, text: &str, purpose: Asked) -> Self {
        Self { title: title.into(), help: help.into(), input: TextInput::new(text), error: None, purpose }
    }
}
