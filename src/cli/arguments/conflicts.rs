//! What can be typed to decide parked pairs.

use clap::{Args, Subcommand, ValueEnum};

/// Look after conflicts.
#[derive(Debug, Args)]
pub struct Conflicts {
    /// What to do; lists if left out.
    #[command(subcommand)]
    pub action: Option<ConflictsAction>,
}

/// What to do with conflicts.
#[derive(Debug, Subcommand)]
pub enum ConflictsAction {
    /// List open conflicts with base and both values
    List {
        /// Which conflicts.
        #[command(flatten)]
        filter: ConflictFilter,
    },
    /// Show one conflict in full
    Show {
        /// Its number
        conflict: i64,
    },
    /// Decide conflicts; an own run writes what was chosen where both sides still hold what was shown
    Resolve(Resolution),
}

/// Which conflicts.
#[derive(Clone, Debug, Default, Args)]
pub struct ConflictFilter {
    /// Only this mapping
    #[arg(long, value_name = "NAME")]
    pub mapping: Option<String>,
    /// Only those parked for this reason: ask, first_meeting, unknown_outcome, ping_pong, deleted
    #[arg(long, value_name = "WHY")]
    pub why: Option<String>,
    /// Only the pair with this field, on either side
    #[arg(long, value_name = "FIELD")]
    pub pair: Option<String>,
}

/// How conflicts are decided.
#[derive(Debug, Args)]
pub struct Resolution {
    /// Their numbers
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub conflicts: Vec<i64>,
    /// All that the filter lets through
    #[arg(long, conflicts_with = "value")]
    pub all: bool,
    /// Which conflicts, with --all.
    #[command(flatten)]
    pub filter: ConflictFilter,
    /// Both sides get the value of this one
    #[arg(
        long, value_enum,
        required_unless_present_any = ["value", "delete", "keep"],
        conflicts_with_all = ["value", "delete", "keep"]
    )]
    pub take: Option<Taken>,
    /// Both sides get this value, as Salesforce spells it; once for each field of the pair, blank to empty it
    #[arg(long, value_name = "V", conflicts_with_all = ["delete", "keep"])]
    pub value: Vec<String>,
    /// Of a record that was deleted on one side and edited on the other: delete it there too
    #[arg(long, conflicts_with_all = ["keep", "rule"])]
    pub delete: bool,
    /// Of such a record: keep it, and close its link
    #[arg(long, conflicts_with = "rule")]
    pub keep: bool,
    /// Make it the rule for the pair: its policy is written into the settings file
    #[arg(long)]
    pub rule: bool,
    /// Decide all without asking
    #[arg(long, short)]
    pub yes: bool,
}

/// Whose value is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Taken {
    /// What Salesforce holds
    #[value(alias = "org")]
    Salesforce,
    /// What the platform holds
    Platform,
    /// What both held when they were last in step
    Base,
}
