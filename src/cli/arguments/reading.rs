//! What can be typed to look at runs, issues, the log and history.

use std::path::PathBuf;
use std::str::FromStr;

use chrono::{DateTime, Local, NaiveDate, TimeDelta, Utc};
use clap::{Args, Subcommand, ValueEnum};

use crate::cli::arguments::Released;
use crate::domain::report::Level;
use crate::workspace::settings::Every;

/// List runs.
#[derive(Debug, Args)]
pub struct Runs {
    /// Only this run, with its counts in full
    pub run: Option<i64>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Only runs before this one
    #[arg(long, value_name = "RUN")]
    pub before: Option<i64>,
}

/// Look after failed records.
#[derive(Debug, Args)]
pub struct Issues {
    /// What to do; lists if left out.
    #[command(subcommand)]
    pub action: Option<IssuesAction>,
}

/// What to do with issues.
#[derive(Debug, Subcommand)]
pub enum IssuesAction {
    /// List open issues, grouped by cause
    List {
        /// Every record instead of groups
        #[arg(long)]
        records: bool,
        /// Snoozed ones too
        #[arg(long)]
        snoozed: bool,
        /// Which issues.
        #[command(flatten)]
        filter: IssueFilter,
    },
    /// Show one issue in full, and how many others a change of the mapping would clear with it
    Show {
        /// Its number
        issue: i64,
        /// Read what both sides hold now, field by field
        #[arg(long)]
        values: bool,
    },
    /// Write another value to the record that the refused one came from, and try again in the same run
    Edit {
        /// The number of the issue
        issue: i64,
        /// The field, on either side; the one that was refused if left out
        #[arg(long, value_name = "FIELD")]
        field: Option<String>,
        /// The new value, as that side spells it; once for each field of the pair, blank to empty it
        #[arg(long, value_name = "V", required = true)]
        value: Vec<String>,
    },
    /// Hide issues for a while; one whose message changes comes back by itself
    Snooze {
        /// Their numbers
        #[arg(required_unless_present_any = ["code", "mapping", "cause"])]
        issues: Vec<i64>,
        /// Which issues, where no number is given.
        #[command(flatten)]
        filter: IssueFilter,
        /// How long, such as 12h or 3d
        #[arg(long = "for", value_name = "TIME", required_unless_present = "wake", conflicts_with = "wake")]
        how_long: Option<Every>,
        /// Show them again
        #[arg(long)]
        wake: bool,
    },
    /// Try issues again in an own run; all open ones if none is named
    Retry {
        /// Their numbers
        issues: Vec<i64>,
        /// Which issues, where no number is given.
        #[command(flatten)]
        filter: IssueFilter,
    },
    /// Print issues as CSV that a spreadsheet can open without harm, or as JSON lines with --json
    Export {
        /// Which issues.
        #[command(flatten)]
        filter: IssueFilter,
        /// Resolved ones too
        #[arg(long)]
        resolved: bool,
        /// Write to this file instead of stdout
        #[arg(long, short, visible_alias = "csv", value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Which issues.
#[derive(Clone, Debug, Default, Args)]
pub struct IssueFilter {
    /// Only this code, such as REQUIRED_FIELD_MISSING
    #[arg(long)]
    pub code: Option<String>,
    /// Only this mapping
    #[arg(long, value_name = "NAME")]
    pub mapping: Option<String>,
    /// Only this cause, as the list of groups shows it
    #[arg(long)]
    pub cause: Option<String>,
}

/// Print the log.
#[derive(Debug, Args)]
pub struct Log {
    /// At least this serious
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub level: LogLevel,
    /// Only this run
    #[arg(long)]
    pub run: Option<i64>,
    /// Only this mapping
    #[arg(long, value_name = "NAME")]
    pub mapping: Option<String>,
    /// Only lines that contain this text
    #[arg(long, short, value_name = "TEXT")]
    pub search: Option<String>,
    /// At most so many of the newest lines
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// Go on with new lines until stopped
    #[arg(long, short)]
    pub follow: bool,
}

/// How serious a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Everything
    Debug,
    /// What happened
    Info,
    /// What needs attention
    Warn,
    /// What did not work
    Error,
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Debug => Self::Debug,
            LogLevel::Info => Self::Info,
            LogLevel::Warn => Self::Warn,
            LogLevel::Error => Self::Error,
        }
    }
}

/// Print what changed.
#[derive(Debug, Args)]
pub struct History {
    /// Only this record, by its id on either side
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Only this run
    #[arg(long)]
    pub run: Option<i64>,
    /// Only this mapping
    #[arg(long, value_name = "NAME")]
    pub mapping: Option<String>,
    /// Only changes of this field, by its name on either side
    #[arg(long, value_name = "FIELD")]
    pub field: Option<String>,
    /// Not before this: a day (2026-11-22), a moment (2026-11-22T14:05:00Z), or how long ago (3d, 2h)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<When>,
    /// Before this, written likewise
    #[arg(long, value_name = "WHEN")]
    pub until: Option<When>,
    /// At most so many
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    pub limit: usize,
    /// Only rows before this sequence
    #[arg(long, value_name = "SEQUENCE")]
    pub before: Option<i64>,
}

/// A moment as a person writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// That moment; a day begins at midnight here.
    At(DateTime<Utc>),
    /// So long ago.
    Ago(std::time::Duration),
}

impl When {
    /// The moment itself.
    pub fn moment(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(moment) => moment,
            Self::Ago(ago) => TimeDelta::from_std(ago)
                .ok()
                .and_then(|ago| now.checked_sub_signed(ago))
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(moment.with_timezone(&Utc)));
        }
        if let Some(midnight) =
            text.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0)).and_then(|midnight| {
                midnight.and_local_timezone(Local).earliest().map(|moment| moment.with_timezone(&Utc))
            })
        {
            return Ok(Self::At(midnight));
        }
        text.parse::<Every>().map(|ago| Self::Ago(ago.duration())).map_err(|_not_one| {
            format!("“{text}” is no moment: write 2026-11-22, 2026-11-22T14:05:00Z, or how long ago, such as 3d or 2h")
        })
    }
}

/// Take a run back.
#[derive(Debug, Args)]
pub struct Undo {
    /// The run (see `forcesync runs`)
    pub run: i64,
    /// Read both sides and print what would be written and what would stay; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// What may be done beyond the brakes.
    #[command(flatten)]
    pub released: Released,
    /// Don't ask before anything is written
    #[arg(long, short)]
    pub yes: bool,
}

/// Erase a person from this workspace, for good.
#[derive(Debug, Args)]
pub struct Forget {
    /// The object, by its name on either side, such as Contact
    pub object: String,
    /// The record, by its id on that side
    pub id: String,
    /// Don't ask
    #[arg(long, short)]
    pub yes: bool,
}

/// Change the date of the last synchronization, so that the next run reads again what changed since.
#[derive(Debug, Args)]
pub struct ReadAgain {
    /// A day or a moment, such as 2026-11-22 or 2026-11-22T08:30:00Z
    #[arg(value_name = "DATE")]
    pub since: String,
    /// The workspace's name, where nobody can be asked to type it
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Move feeds forward, too; what changed between is never read, until an audit finds it
    #[arg(long)]
    pub skip: bool,
}

/// Set a record of the platform inactive.
#[derive(Debug, Args)]
pub struct Deactivate {
    /// The object, by its name on either side, such as Contact
    pub object: String,
    /// The record, by its id on that side; a deleted record of Salesforce still names its counterpart
    pub id: String,
    /// Don't ask
    #[arg(long, short)]
    pub yes: bool,
}

/// Explain why a record holds what it holds.
#[derive(Debug, Args)]
pub struct Why {
    /// The object, by its name on either side, such as Contact
    pub object: String,
    /// The record, by its id on that side
    pub id: String,
    /// Only this field, by its name on either side
    pub field: Option<String>,
}
