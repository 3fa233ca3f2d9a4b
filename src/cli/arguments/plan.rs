//! What can be typed about plans.

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::arguments::{Released, SyncDirection};
use crate::domain::plan::saved::{Deed, PlanQuery};
use crate::domain::side::Side;

/// Show what a run would do, before anything is written.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Plan {
    /// What to do; make a plan if left out
    #[command(subcommand)]
    pub action: Option<PlanAction>,
    /// Plan an initial sync, which reads everything; without it an instant sync
    #[arg(long)]
    pub initial: bool,
    /// Only this mapping (may be given several times)
    #[arg(long, value_name = "NAME")]
    pub mapping: Vec<String>,
    /// Only this direction
    #[arg(long, value_enum)]
    pub direction: Option<SyncDirection>,
    /// Keep the plan under a name, or write it to a new file if there is a dot or a slash in it
    #[arg(long, value_name = "FILE|NAME")]
    pub save: Option<String>,
    /// Tell who would enter and who would leave the mappings if their criteria changed; nothing is planned
    #[arg(long, conflicts_with_all = ["initial", "direction", "save"])]
    pub scope: bool,
    /// With --scope: other criteria of Salesforce for the one mapping that is named; an empty text takes them away
    #[arg(long, value_name = "CRITERIA", requires = "scope")]
    pub org_criteria: Option<String>,
    /// With --scope: other criteria of the platform for it
    #[arg(long, value_name = "CRITERIA", requires = "scope")]
    pub platform_criteria: Option<String>,
    /// With --scope: the criteria of another settings file
    #[arg(long, value_name = "FILE", requires = "scope", conflicts_with_all = ["org_criteria", "platform_criteria"])]
    pub with: Option<std::path::PathBuf>,
    /// Which lines are printed.
    #[command(flatten)]
    pub lines: PlanLines,
}

/// What to do about plans.
#[derive(Debug, Subcommand)]
pub enum PlanAction {
    /// List the plans that are kept, newest first
    List,
    /// Show a plan: counts, records, and for each pair the old value, the new one and the rule
    Show {
        /// Its number or name
        #[arg(value_name = "PLAN")]
        plan: String,
        /// Only of this mapping
        #[arg(long, value_name = "NAME")]
        mapping: Option<String>,
        /// Only lines that were not done when the plan was applied
        #[arg(long)]
        left: bool,
        /// Write it to a new file too
        #[arg(long, value_name = "FILE")]
        save: Option<std::path::PathBuf>,
        /// Which lines are printed.
        #[command(flatten)]
        lines: PlanLines,
    },
    /// Show in which records two plans differ
    Diff {
        /// The number or name of the first plan
        #[arg(value_name = "A")]
        before: String,
        /// The number or name of the second plan
        #[arg(value_name = "B")]
        after: String,
    },
    /// Forget a plan
    Forget {
        /// Its number or name
        #[arg(value_name = "PLAN")]
        plan: String,
    },
}

/// Which lines of a plan are printed.
#[derive(Clone, Debug, Default, Args)]
pub struct PlanLines {
    /// Print only the counts
    #[arg(long)]
    pub counts: bool,
    /// Print all lines, not the first 20 alone
    #[arg(long)]
    pub all: bool,
    /// Only what is created, updated, …
    #[arg(long, value_enum)]
    pub only: Option<PlanDeedWord>,
    /// Only what is written on this side
    #[arg(long, value_enum)]
    pub side: Option<PlanSide>,
    /// Only records with this text in their name, an id, a field or a value
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
}

impl PlanLines {
    /// The question for the state database.
    pub fn query(&self) -> PlanQuery {
        PlanQuery {
            mapping: None,
            deed: self.only.map(Into::into),
            side: self.side.map(Into::into),
            search: self.search.clone(),
            left: false,
        }
    }
}

/// What is done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanDeedWord {
    /// It is created
    Create,
    /// Values of it are changed
    Update,
    /// It is deleted
    Delete,
    /// It is linked
    Link,
    /// A field of it waits for a person
    Conflict,
    /// It can't be done
    Refused,
    /// It is left out
    Skipped,
}

impl From<PlanDeedWord> for Deed {
    fn from(word: PlanDeedWord) -> Self {
        match word {
            PlanDeedWord::Create => Self::Create,
            PlanDeedWord::Update => Self::Update,
            PlanDeedWord::Delete => Self::Delete,
            PlanDeedWord::Link => Self::Link,
            PlanDeedWord::Conflict => Self::Conflict,
            PlanDeedWord::Refused => Self::Refused,
            PlanDeedWord::Skipped => Self::Skipped,
        }
    }
}

/// A side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanSide {
    /// The Salesforce org
    #[value(alias = "org")]
    Salesforce,
    /// The platform
    Platform,
}

impl From<PlanSide> for Side {
    fn from(side: PlanSide) -> Self {
        match side {
            PlanSide::Salesforce => Self::Org,
            PlanSide::Platform => Self::Platform,
        }
    }
}

/// Do what a saved plan says, and nothing else.
#[derive(Debug, Args)]
pub struct Apply {
    /// Its number or name, or the file that it was written to
    #[arg(value_name = "PLAN|FILE")]
    pub plan: String,
    /// What may be done beyond the brakes.
    #[command(flatten)]
    pub released: Released,
    /// Don't ask before it is done
    #[arg(long, short)]
    pub yes: bool,
    /// Confirm by the workspace's name that a sandbox is joined to a live account, or the reverse
    #[arg(long, value_name = "NAME")]
    pub confirm_workspace: Option<String>,
}
