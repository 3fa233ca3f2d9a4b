//! What the console asks of the world: plain data, carried out by `effects` and the event loop.

use secrecy::SecretString;

use crate::console::app::mapping::Counting;
use crate::console::app::mapping::names::NamesOf;
use crate::console::view::theme::ThemeChoice;
use crate::domain::command::{Command, RunRequest};
use crate::domain::mapping::Mapping;
use crate::domain::plan::saved::PlanQuery;
use crate::domain::report::{ConflictRow, HistoryQuery, IssueQuery, LogQuery};
use crate::domain::side::Side;
use crate::ops::conflicts::{Holds, Wish};
use crate::ops::issues::IssueForm;
use crate::workspace::secrets::SecretName;
use crate::workspace::settings::Settings;

/// Which part of the settings is being saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The connections.
    Connection,
    /// The mappings.
    Mapping,
    /// The schedule.
    Schedule,
}

/// Why log lines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPurpose {
    /// Afresh, the newest page.
    Fresh,
    /// A page further back.
    Older,
    /// What came since.
    Newer,
}

/// What is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportWhat {
    /// Log lines, as JSON lines.
    Log(LogQuery),
    /// Issues, as CSV that is safe to open in a spreadsheet.
    Issues(IssueQuery),
}

/// How the program is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Nothing runs.
    Quietly,
    /// The run that is on its way is finished first.
    AfterRun,
    /// The run ends after the batch in hand.
    AfterBatch,
    /// At once.
    Abort,
}

/// One thing to be done outside.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Save settings and secrets.
    Save {
        /// Which part has been edited.
        part: Part,
        /// Everything, as it shall be in the file.
        settings: Box<Settings>,
        /// Secrets to be stored.
        secrets: Vec<(SecretName, SecretString)>,
    },
    /// Read the settings file again.
    ReadSettings,
    /// Tell where each secret is kept.
    SecretPlaces,
    /// Test one side with the draft.
    Test {
        /// Which side.
        side: Side,
        /// The draft.
        settings: Box<Settings>,
        /// Typed secrets that are not stored yet.
        typed: Vec<(SecretName, SecretString)>,
    },
    /// Sign in by browser, with the draft.
    SignIn {
        /// The draft.
        settings: Box<Settings>,
        /// Typed secrets that are not stored yet.
        typed: Vec<(SecretName, SecretString)>,
    },
    /// Take an address to which the browser came back somewhere else.
    SignInPasted(String),
    /// End a sign-in for which nobody waits any more.
    StopSignIn,
    /// Open an address in the browser.
    OpenBrowser(String),
    /// Open the vault, then do what needed it.
    Unlock {
        /// The passphrase.
        passphrase: SecretString,
        /// What needed it.
        then: Box<Effect>,
    },
    /// Whether each side ever passed a test.
    Unlocked,
    /// Check both sides and all mappings.
    Check,
    /// Make what the mappings want in the org.
    MakeObjects,
    /// Describe an object.
    Describe {
        /// Of which side.
        side: Side,
        /// Its name.
        object: String,
    },
    /// List what the ids of a field of the org may name.
    ListNames(NamesOf),
    /// List the org's objects.
    ListObjects,
    /// Look at a few records of an object.
    Sample {
        /// Of which side.
        side: Side,
        /// Its name.
        object: String,
    },
    /// Pull a record of a mapping from both sides.
    Pull {
        /// The mapping, as it is drafted.
        mapping: Box<Mapping>,
        /// Its id on either side or the value of its key; any record if left out.
        wanted: Option<String>,
    },
    /// Count the records that meet a condition.
    CountMembers(Counting),
    /// Ask the sides anew when an object is described next.
    ForgetDescriptions,
    /// Make up default mappings.
    Propose,
    /// Look who enters and leaves the scope of mappings, each as it is saved and as it is drafted.
    LookAtScope(Vec<(Mapping, Mapping)>),
    /// Try the mappings of these settings out on a copy.
    Rehearse(Box<Settings>),
    /// End a rehearsal for which nobody waits any more.
    StopRehearsal,
    /// Find the engine, or start one here.
    Attach,
    /// Ask the engine.
    Ask(Command),
    /// Read the status.
    ReadStatus,
    /// Read runs, newest first.
    ReadRuns {
        /// Before this run.
        before: Option<i64>,
    },
    /// Read the groups of issues.
    ReadIssueGroups,
    /// Read the issues of a group.
    ReadIssues(IssueQuery),
    /// Read what both sides hold of an issue's record.
    ReadIssueForm(i64),
    /// Write an edited value of an issue's form.
    Mend {
        /// The form, as it was shown.
        form: Box<IssueForm>,
        /// The field's place.
        place: usize,
        /// A value for each field of the pair.
        values: Vec<String>,
    },
    /// Read the conflicts.
    ReadConflicts,
    /// Decide conflicts.
    Resolve {
        /// Which, as they were shown.
        rows: Vec<ConflictRow>,
        /// For what.
        wish: Wish,
        /// For how long.
        holds: Holds,
    },
    /// Read log lines.
    ReadLog {
        /// Which.
        query: LogQuery,
        /// Why.
        purpose: LogPurpose,
        /// The filter's number, by which a late answer to an old filter is known.
        generation: u64,
    },
    /// Read history.
    ReadHistory(HistoryQuery),
    /// Tells what taking a run back would mean.
    PreviewUndo(i64),
    /// Read what an undo would do, and what it left as it is.
    ReadUndoPage(i64),
    /// Make the plan of a run.
    MakePlan(RunRequest),
    /// Read lines of a plan.
    ReadPlan {
        /// The plan.
        plan: i64,
        /// Which of them.
        query: PlanQuery,
        /// Behind this number.
        after: i64,
        /// The question's number, by which a late answer to an old one is known.
        generation: u64,
    },
    /// Forget a person.
    Forget {
        /// The object, by its name on either side.
        object: String,
        /// The record's id on that side.
        id: String,
    },
    /// Explains a record.
    ReadWhy(crate::domain::why::WhyQuery),
    /// Write a file with what is shown.
    Export(ExportWhat),
    /// Put a text into the clipboard of the terminal.
    Copy(String),
    /// Change the theme.
    Theme(ThemeChoice),
    /// Switch the mouse.
    Mouse(bool),
    /// Go to the background of the shell.
    Suspend,
    /// Leave.
    Quit(Leave),
}
