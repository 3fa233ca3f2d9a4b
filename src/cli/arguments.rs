//! What can be typed on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::domain::mapping::Direction;
use crate::domain::outcome::RunKind;
use crate::domain::report::Level;

const AFTER_HELP: &str = "\
Exit codes, the first that fits: 130 cancelled, 7 blocked (no right, no session, locked account), 6 busy, 5 brake, 4 limit, \
3 done with failed lines or open conflicts, 2 usage or settings, 1 failed, 0 done.

Try it without any account: forcesync demo";

/// Keeps a Salesforce org in step with the platform beside it. Without a command it opens the console.
#[derive(Debug, Parser)]
#[command(name = "forcesync", version, about, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Arguments {
    /// The workspace: the folder with the settings, the secrets and the state
    #[arg(long, short, value_name = "DIR", env = "FORCESYNC_WORKSPACE", global = true)]
    pub workspace: Option<PathBuf>,
    /// Print one JSON object a line on stdout, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Write the program's own log to stderr too; twice for more of it
    #[arg(long, short, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// How the console looks and behaves.
    #[command(flatten)]
    pub console: Console,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How the console looks and behaves.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Console {
    /// Open the console without any way to change something
    #[arg(long)]
    pub read_only: bool,
    /// Draw the console without borders, animation or special characters
    #[arg(long)]
    pub plain: bool,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub no_mouse: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a sandbox with life in it and open the console on a throw-away workspace
    Demo(Demo),
    /// Serve an emulated org and platform until stopped, and write a workspace that is ready to use
    Sandbox(Sandbox),
    /// Sign in on both sides; look at org, user, rights and API budget; test every mapping against both sides
    Check,
    /// Do one run in the foreground
    Sync(Sync),
    /// Run automatic sync, headless, until stopped; the console and other commands attach to it
    Run,
    /// Tell how the synchronization is doing
    Status,
    /// List runs, newest first
    Runs(Runs),
    /// List, show, retry or export failed records
    Issues(Issues),
    /// Print the log, newest last
    Log(Log),
    /// Print what changed on which record, newest first
    History(History),
    /// Hold the run at hand after the batch in hand
    Pause,
    /// Go on with a held run
    Resume,
    /// End the run at hand after the batch in hand
    Cancel,
    /// Show or test the connections
    Connection(Connection),
    /// Keep passwords and keys
    Secret(Secret),
    /// Look after the settings file
    Config(Config),
    /// List or show mappings
    Mapping(Mapping),
    /// Examine the workspace itself: files, rights, database, lock, settings, secrets
    Doctor,
    /// Print where everything lies
    Paths,
    /// Print the keys of the console
    Keys,
    /// Print a completion script for a shell
    Completions(Completions),
}

/// What the sandbox holds.
#[derive(Clone, Debug, Args)]
pub struct Population {
    /// The platform to emulate
    #[arg(long, value_enum, default_value_t = Platform::Salesmanago)]
    pub platform: Platform,
    /// How many people the org has; 60 % of them are on the platform too
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub records: u64,
    /// Same seed, same people
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Switch person accounts on in the org
    #[arg(long)]
    pub person_accounts: bool,
    /// Keep the platform's real pace limits, in the service and in the workspace
    #[arg(long)]
    pub real_pace: bool,
}

/// A platform that the sandbox can emulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// SALESmanago
    Salesmanago,
}

impl Platform {
    /// The word of the settings file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Salesmanago => "salesmanago",
        }
    }
}

/// Start a sandbox with life in it and open the console.
#[derive(Debug, Args)]
pub struct Demo {
    /// What the sandbox holds.
    #[command(flatten)]
    pub population: Population,
}

/// Serve an emulated org and platform.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// What the sandbox holds.
    #[command(flatten)]
    pub population: Population,
    /// The port of the org on loopback; the platform gets the next one. Free ports otherwise
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Serve HTTPS, by a certificate made for this; the file of its CA is told
    #[arg(long)]
    pub tls: bool,
    /// More host names for the certificate
    #[arg(long, value_name = "HOST", requires = "tls")]
    pub tls_host: Vec<String>,
    /// Edits per second that people make on both sides
    #[arg(long, value_name = "N[/s]", default_value = "0", value_parser = per_second)]
    pub life: f64,
}

fn per_second(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches("/s").trim();
    match number.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (0.0..=10_000.0).contains(&rate) => Ok(rate),
        Ok(_) | Err(_) => Err("a number of edits per second such as 2 or 0.5/s, at most 10000".into()),
    }
}

/// Do one run in the foreground.
#[derive(Debug, Args)]
pub struct Sync {
    /// What to read: everything, or what changed since the date of the last synchronization
    #[arg(value_enum)]
    pub kind: SyncKind,
    /// Only this mapping (may be given several times)
    #[arg(long, value_name = "NAME")]
    pub mapping: Vec<String>,
    /// Only this direction
    #[arg(long, value_enum)]
    pub direction: Option<SyncDirection>,
    /// Let this many records be created beyond the brake
    #[arg(long, value_name = "N")]
    pub allow_creates: Option<u64>,
    /// Let this many records be changed beyond the brake
    #[arg(long, value_name = "N")]
    pub allow_updates: Option<u64>,
    /// Let this many values be blanked beyond the brake
    #[arg(long, value_name = "N")]
    pub allow_blanks: Option<u64>,
    /// Let this many records be deleted or deactivated beyond the brake
    #[arg(long, value_name = "N")]
    pub allow_deletes: Option<u64>,
    /// Let this many people be opted out beyond the brake
    #[arg(long, value_name = "N")]
    pub allow_opt_outs: Option<u64>,
    /// Don't ask before an initial sync
    #[arg(long, short)]
    pub yes: bool,
}

/// What a run reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SyncKind {
    /// Everything
    Initial,
    /// What changed since the date of the last synchronization
    Instant,
}

impl From<SyncKind> for RunKind {
    fn from(kind: SyncKind) -> Self {
        match kind {
            SyncKind::Initial => Self::Initial,
            SyncKind::Instant => Self::Instant,
        }
    }
}

/// The way values flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SyncDirection {
    /// From Salesforce to the platform
    ToPlatform,
    /// From the platform to Salesforce
    #[value(alias = "to-salesforce")]
    ToOrg,
    /// Both ways
    Both,
}

impl From<SyncDirection> for Direction {
    fn from(direction: SyncDirection) -> Self {
        match direction {
            SyncDirection::ToPlatform => Self::ToPlatform,
            SyncDirection::ToOrg => Self::ToOrg,
            SyncDirection::Both => Self::Both,
        }
    }
}

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
        /// Which issues.
        #[command(flatten)]
        filter: IssueFilter,
    },
    /// Show one issue in full
    Show {
        /// Its number
        issue: i64,
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
        #[arg(long, short, value_name = "FILE")]
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
    /// At most so many
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    pub limit: usize,
    /// Only rows before this sequence
    #[arg(long, value_name = "SEQUENCE")]
    pub before: Option<i64>,
}

/// Show or test connections.
#[derive(Debug, Args)]
pub struct Connection {
    /// What to do.
    #[command(subcommand)]
    pub action: ConnectionAction,
}

/// What to do with connections.
#[derive(Debug, Subcommand)]
pub enum ConnectionAction {
    /// Print the settings of both sides, and where their secrets are
    Show,
    /// Sign in and look around, with the saved settings
    Test {
        /// Only this side
        #[arg(value_enum)]
        side: Option<ConnectionSide>,
    },
}

/// A side, as the command line calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConnectionSide {
    /// The Salesforce org
    #[value(alias = "org")]
    Salesforce,
    /// The platform
    Platform,
}

/// Keep passwords and keys.
#[derive(Debug, Args)]
pub struct Secret {
    /// What to do.
    #[command(subcommand)]
    pub action: SecretAction,
}

/// What to do with secrets.
#[derive(Debug, Subcommand)]
pub enum SecretAction {
    /// Store a secret; its value is read from stdin, or asked for without echo
    Set {
        /// Its name, such as salesforce.password (see `secret list`)
        name: String,
    },
    /// List all names and where each is kept; never a value
    List,
    /// Forget a secret
    Remove {
        /// Its name
        name: String,
    },
    /// Move all secrets to the keyring or the vault
    Move {
        /// Where to
        #[arg(value_enum)]
        to: SecretHome,
    },
}

/// Where secrets can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SecretHome {
    /// The keyring of the operating system
    Keyring,
    /// The encrypted file in the workspace
    Vault,
}

/// Look after the settings file.
#[derive(Debug, Args)]
pub struct Config {
    /// What to do.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// What to do with the settings file.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Read the settings file and tell everything that is wrong with it, by line and column
    Validate,
}

/// List or show mappings.
#[derive(Debug, Args)]
pub struct Mapping {
    /// What to do; lists if left out.
    #[command(subcommand)]
    pub action: Option<MappingAction>,
}

/// What to do with mappings.
#[derive(Debug, Subcommand)]
pub enum MappingAction {
    /// List all mappings in their precedence
    List,
    /// Show one mapping with its pairs
    Show {
        /// Its name
        name: String,
    },
}

/// Print a completion script.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn life_takes_a_rate_in_both_spellings_and_no_nonsense() {
        assert_eq!(per_second("2/s"), Ok(2.0));
        assert_eq!(per_second("0.5"), Ok(0.5));
        for nonsense in ["-1", "NaN", "many", "1e99"] {
            assert!(per_second(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_secret_value_is_no_argument() {
        assert!(
            Arguments::try_parse_from(["forcesync", "secret", "set", "salesforce.password", "hunter2"])
                .is_err()
        );
    }
}
