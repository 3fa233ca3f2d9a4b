//! What can be typed on the command line.
//!
//! Commands that run something are here, those that read in `reading`, those that look after the workspace in `keeping`.

mod conflicts;
mod keeping;
mod plan;
mod reading;
mod rehearse;
mod released;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::conflicts::*;
pub use self::keeping::*;
pub use self::plan::*;
pub use self::reading::*;
pub use self::rehearse::*;
pub use self::released::*;

use crate::domain::mapping::Direction;
use crate::domain::outcome::RunKind;
use crate::domain::profile::PlatformKind;

const AFTER_HELP: &str = "\
Exit codes, the first that fits: 130 cancelled, 7 blocked (no right, no session, locked account), 6 busy, 5 brake, 4 limit, \
3 done with failed lines or open conflicts, 2 usage or settings, 1 failed, 0 done. `plan` ends with 0 nothing to do, 10 changes, \
11 conflicts; `rehearse` with 12 where the mappings do not come to rest.

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

impl Console {
    /// What was asked for before the command or behind it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            read_only: self.read_only || other.read_only,
            plain: self.plain || other.plain,
            no_mouse: self.no_mouse || other.no_mouse,
        }
    }

    /// The first option that was given.
    pub fn given(self) -> Option<&'static str> {
        [(self.read_only, "--read-only"), (self.plain, "--plain"), (self.no_mouse, "--no-mouse")]
            .into_iter()
            .find_map(|(given, name)| given.then_some(name))
    }
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
    /// Show what a run would do, before anything is written
    Plan(Plan),
    /// Do what a saved plan says, and nothing else
    Apply(Apply),
    /// Do one run in the foreground
    Sync(Sync),
    /// Run automatic sync, headless, until stopped; the console and other commands attach to it
    Run(Run),
    /// Bring to Salesforce what a campaign of the platform has seen, as JSON lines
    Push(Push),
    /// Look after the webhook receivers of the platform
    Hook(Hook),
    /// Look for records that no run has dealt with
    Audit(Audit),
    /// Tell how the synchronization is doing
    Status,
    /// List runs, newest first
    Runs(Runs),
    /// List, show, retry or export failed records
    Issues(Issues),
    /// List, show or decide fields on which both sides differ and a person is asked
    Conflicts(Conflicts),
    /// Print the log, newest last
    Log(Log),
    /// Print what changed on which record, newest first
    History(History),
    /// Take a run back: write the earlier values where nobody changed them since
    Undo(Undo),
    /// Explain why a record holds what it holds
    Why(Why),
    /// Erase a person from this workspace, for good
    Forget(Forget),
    /// Change the date of the last synchronization, so that the next run reads again what changed since
    ReadAgain(ReadAgain),
    /// Set a record of the platform inactive by hand, as after a deletion in Salesforce
    Deactivate(Deactivate),
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
    /// List, show or accept mappings
    Mapping(Mapping),
    /// List what both sides say of their fields that is not what was accepted, or accept it
    Drift(Drift),
    /// List or make the objects and fields that the platform's mappings want in the org
    Objects(Objects),
    /// Try the mappings out on a copy of some records of both sides, in a local sandbox
    Rehearse(Rehearse),
    /// Examine the workspace itself: files, rights, database, lock, settings, secrets
    Doctor(Doctor),
    /// Print where everything lies
    Paths,
    /// Print the keys of the console
    Keys,
    /// Print a completion script for a shell
    Completions(Completions),
}

/// Examine the workspace itself.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Set a damaged state database aside and find all links again by reading both sides; writes to neither
    #[arg(long)]
    pub rebuild: bool,
    /// Don't ask before rebuilding
    #[arg(long, short, requires = "rebuild")]
    pub yes: bool,
}

/// What the sandbox holds.
#[derive(Clone, Debug, Args)]
pub struct Population {
    /// The platform to emulate
    #[arg(long, value_name = "PLATFORM", default_value = "salesmanago", value_parser = platforms())]
    pub platform: String,
    /// How many people the org has; 60 % of them are on the platform too
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub records: u64,
    /// Same seed, same people
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Switch person accounts on in the org
    #[arg(long)]
    pub person_accounts: bool,
    /// Found the org without the objects and fields that the platform's mappings want, as before `objects create`
    #[arg(long)]
    pub without_package: bool,
    /// Keep the platform's real pace limits, in the service and in the workspace
    #[arg(long)]
    pub real_pace: bool,
}

/// The words of all platforms.
fn platforms() -> PossibleValuesParser {
    PlatformKind::all().map(PlatformKind::word).collect::<Vec<_>>().into()
}

/// Start a sandbox with life in it and open the console.
#[derive(Debug, Args)]
pub struct Demo {
    /// What the sandbox holds.
    #[command(flatten)]
    pub population: Population,
    /// How the console looks and behaves.
    #[command(flatten)]
    pub console: Console,
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
    /// What may be done beyond the brakes.
    #[command(flatten)]
    pub released: Released,
    /// Don't ask before an initial sync
    #[arg(long, short)]
    pub yes: bool,
    /// Confirm by the workspace's name that a sandbox is joined to a live account, or the reverse
    #[arg(long, value_name = "NAME")]
    pub confirm_workspace: Option<String>,
}

/// Run automatic sync, headless, until stopped.
#[derive(Debug, Args)]
pub struct Run {
    /// Confirm by the workspace's name that a sandbox is joined to a live account, or the reverse
    #[arg(long, value_name = "NAME")]
    pub confirm_workspace: Option<String>,
}

/// List or accept drift.
#[derive(Debug, Args)]
pub struct Drift {
    /// What to do; list if left out
    #[command(subcommand)]
    pub action: Option<DriftAction>,
}

/// What to do about drift.
#[derive(Debug, Subcommand)]
pub enum DriftAction {
    /// List what differs from what was accepted, the worst first
    List {
        /// Only of this mapping
        #[arg(long, value_name = "NAME")]
        mapping: Option<String>,
    },
    /// Accept what differs, as far as that ends it
    Accept {
        /// These mappings; all if left out
        #[arg(value_name = "MAPPING")]
        mappings: Vec<String>,
    },
}

/// Look for records that no run has dealt with.
#[derive(Debug, Args)]
pub struct Audit {
    /// Deal with what was found, in a run of its own and under the brakes
    #[arg(long)]
    pub heal: bool,
    /// What healing may do beyond the brakes.
    #[command(flatten)]
    pub released: Released,
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

/// `forcesync push`
#[derive(Debug, clap::Args)]
pub struct Push {
    /// The step, by its name in the settings file
    pub step: String,
    /// The file with a JSON object on each line; - reads what is piped in
    #[arg(default_value = "-", value_name = "FILE")]
    pub file: std::path::PathBuf,
}

/// `forcesync hook`
#[derive(Debug, clap::Args)]
pub struct Hook {
    /// What to do
    #[command(subcommand)]
    pub action: HookAction,
}

/// What can be done with a receiver.
#[derive(Debug, clap::Subcommand)]
pub enum HookAction {
    /// Send one record, so that the receiver learns its structure and can be mapped
    Sample {
        /// The mapping whose record is sent
        mapping: String,
        /// The record in Salesforce; without it, one that the mapping takes
        #[arg(value_name = "ID")]
        id: Option<String>,
    },
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
    fn options_of_the_console_may_stand_on_either_side_of_demo() {
        for line in [["forcesync", "--plain", "demo"], ["forcesync", "demo", "--plain"]] {
            let arguments = Arguments::try_parse_from(line).unwrap();
            let Some(Command::Demo(demo)) = arguments.command else { panic!("{line:?}") };
            assert!(arguments.console.or(demo.console).plain, "{line:?}");
        }
        assert!(Arguments::try_parse_from(["forcesync", "status", "--read-only"]).is_err());
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
