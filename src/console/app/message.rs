//! What the console is told: input, answers to effects, progress, time.

use chrono::{DateTime, Utc};

use crate::console::app::action::Action;
use crate::console::app::connection::field::FieldId;
use crate::console::app::effect::{Effect, LogPurpose, Part};
use crate::console::app::key::Key;
use crate::console::app::mapping::Counting;
use crate::console::app::mapping::names::NamesOf;
use crate::console::app::model::{Engine, SecretPlace, TestReport};
use crate::console::app::tab::Tab;
use crate::domain::command::{Command, Reply};
use crate::domain::forget::Forgotten;
use crate::domain::mapping::Mapping;
use crate::domain::plan::saved::{PlanHead, PlanLine};
use crate::domain::progress::Progress;
use crate::domain::report::{
    CheckLine, ConflictRow, FactRow, HistoryRow, IssueGroup, IssueRow, RunRow, StatusReport,
};
use crate::domain::sample::Pulled;
use crate::domain::schema::{ObjectEntry, ObjectSchema};
use crate::domain::side::{PerSide, Side};
use crate::ops::browser_sign_in::{SignedIn, Stage};
use crate::ops::conflicts::Resolved;
use crate::ops::directory::Named;
use crate::ops::issues::IssueForm;
use crate::ops::look::Samples;
use crate::ops::members::Members;
use crate::ops::undo::UndoPage;
use crate::workspace::problems::Problem;
use crate::workspace::secrets::SecretName;
use crate::workspace::settings::Settings;

/// Something on the screen that a mouse can press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// A tab.
    Tab(Tab),
    /// A hint of the footer.
    Action(Action),
    /// A field of a connection.
    Field(FieldId),
    /// A row of the list that has the focus, or takes it.
    Row {
        /// Which list of the tab, counted from 0.
        list: usize,
        /// Which row.
        row: usize,
    },
    /// A row of the overlay on top.
    OverlayRow(usize),
}

/// Answers are either the thing or a sentence.
pub type Answer<T> = Result<T, String>;

/// Settings as they were read or saved.
#[derive(Clone, Debug)]
pub struct SettingsRead {
    /// What the file says.
    pub settings: Settings,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// One thing that happened.
#[derive(Debug)]
pub enum Msg {
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// A press of the mouse.
    Press(Hit),
    /// The wheel: down if positive.
    Wheel(i16),
    /// The size of the terminal changed.
    Resize {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// The time.
    Tick(DateTime<Utc>),
    /// Numbers of the engine.
    Progress(Box<Progress>),
    /// The end of the program is asked for from outside (SIGTERM).
    Terminate,
    /// The settings file was read.
    Settings(Answer<Box<SettingsRead>>),
    /// Settings were saved.
    Saved(Part, Answer<Box<SettingsRead>>),
    /// Settings were refused; nothing was saved.
    SaveRefused(Part, Vec<Problem>),
    /// The vault has to be opened before something can be done.
    PassphraseNeeded(Box<Effect>),
    /// The vault is open.
    VaultOpened,
    /// The vault stays shut, and why; what was to be done.
    VaultStaysShut(String, Box<Effect>),
    /// A sentence for people about something that did not work.
    Said(String),
    /// Where the secrets are.
    SecretPlaces(Vec<(SecretName, SecretPlace)>),
    /// A test ended.
    Tested(Side, Answer<TestReport>),
    /// A sign-in by browser waits.
    SignInBegun {
        /// Where the person signs in.
        address: String,
        /// Where the browser comes back to.
        callback: String,
        /// When nobody is waited for any more.
        until: DateTime<Utc>,
    },
    /// Whether the browser could be opened.
    BrowserOpened(bool),
    /// How far a sign-in by browser is.
    SignInStage(Stage),
    /// A sign-in by browser ended.
    SignedIn(Answer<SignedIn>),
    /// Whether each side ever passed.
    Unlocked(PerSide<bool>),
    /// The check ended.
    Checked(Answer<Vec<CheckLine>>),
    /// An object was described.
    Described {
        /// Of which side.
        side: Side,
        /// Its name as asked for.
        object: String,
        /// Its fields.
        answer: Answer<ObjectSchema>,
    },
    /// What the ids of a field of the org may name.
    NamesListed(NamesOf, Answer<Vec<Named>>),
    /// The org's objects.
    ObjectsListed(Answer<Vec<ObjectEntry>>),
    /// A filled value of each field of an object.
    Sampled {
        /// Of which side.
        side: Side,
        /// Its name as asked for.
        object: String,
        /// The values by field.
        answer: Answer<Samples>,
    },
    /// Who enters and leaves by other criteria.
    Scope(Answer<Vec<crate::domain::scope::ScopeChange>>),
    /// How far a rehearsal is.
    Rehearsing(String),
    /// What a rehearsal showed.
    Rehearsed(Answer<Box<crate::domain::rehearsal::Rehearsal>>),
    /// A record of the mapping of that name was pulled, or not.
    Pulled(String, Answer<Box<Pulled>>),
    /// The records that meet a condition were counted, or not.
    Counted(Counting, Answer<Members>),
    /// Default mappings.
    Proposed(Answer<Vec<Mapping>>),
    /// The engine was found, or not.
    Engine(Engine),
    /// The engine answered.
    Replied(Command, Answer<Reply>),
    /// The status.
    Status(Answer<Box<StatusReport>>),
    /// Runs, newest first.
    Runs {
        /// What was asked for.
        before: Option<i64>,
        /// The page.
        answer: Answer<Vec<RunRow>>,
    },
    /// Groups of issues.
    IssueGroups(Answer<Vec<IssueGroup>>),
    /// Issues of a group.
    Issues(Answer<Vec<IssueRow>>),
    /// What both sides hold of an issue's record.
    IssueForm(Answer<Box<IssueForm>>),
    /// An edited value was handed on; the run that writes it.
    Mended(Answer<Option<i64>>),
    /// The conflicts.
    Conflicts(Answer<Vec<ConflictRow>>),
    /// Conflicts were decided, or not.
    Resolved(Answer<Resolved>),
    /// What an undo would do, and what it left as it is.
    UndoPage {
        /// The undo.
        run: i64,
        /// The first page.
        answer: Answer<UndoPage>,
    },
    /// A plan was made, or not.
    Planned(Answer<Box<PlanHead>>),
    /// Lines of a plan.
    PlanLines {
        /// The question's number.
        generation: u64,
        /// Behind this number.
        after: i64,
        /// The page.
        answer: Answer<Vec<PlanLine>>,
    },
    /// A person was forgotten, or not.
    Forgotten(Answer<Forgotten>),
    /// Log lines, newest first.
    Log {
        /// Why they were read.
        purpose: LogPurpose,
        /// The filter's number.
        generation: u64,
        /// The page.
        answer: Answer<Vec<FactRow>>,
    },
    /// History, newest first.
    History(Answer<Vec<HistoryRow>>),
    /// What taking a run back would mean.
    UndoPreview(Answer<crate::domain::undo::UndoPreview>),
    /// What is known of a record.
    Why(Answer<Vec<crate::domain::why::WhyRecord>>),
    /// A file was written; its path.
    Exported(Answer<String>),
    /// The theme in use changed.
    Themed(crate::console::view::theme::ThemeChoice),
}
