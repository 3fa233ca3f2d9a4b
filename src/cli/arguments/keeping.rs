//! What can be typed to look after connections, secrets, settings and mappings.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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
    /// Change settings by their names in the settings file, such as platform.kind=learndot
    Set {
        /// KEY=VALUE, several
        #[arg(required = true, value_name = "KEY=VALUE")]
        changes: Vec<String>,
    },
    /// Sign in and look around, with the saved settings
    Test {
        /// Only this side
        #[arg(value_enum)]
        side: Option<ConnectionSide>,
    },
    /// Sign in to Salesforce in the browser, where the settings say sign_in = "browser", and keep what opens later sessions
    SignIn {
        /// Only print the address; open no browser
        #[arg(long)]
        no_browser: bool,
    },
    /// List, register or remove where the platform sends hints at changes
    Webhooks {
        /// What to do.
        #[command(subcommand)]
        action: WebhookAction,
    },
}

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub enum WebhookAction {
    /// List all endpoints of the account, those of others, too, and the events on offer
    List,
    /// Register an address, or move the one of this workspace there; keep the secret and switch the listener on
    Register {
        /// The public address, with https, that your proxy forwards to the listener of this machine
        address: String,
        /// Only this event; several by repeating it
        #[arg(long = "scope", value_name = "EVENT")]
        scopes: Vec<String>,
    },
    /// Remove the endpoint of this workspace, and switch the listener off
    Remove,
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

/// What the platform's mappings want in the org.
#[derive(Debug, Args)]
pub struct Objects {
    /// What to do.
    #[command(subcommand)]
    pub action: ObjectsAction,
}

/// What to do about it.
#[derive(Clone, Debug, Subcommand)]
pub enum ObjectsAction {
    /// List what is missing; exit code 10 where something is
    List,
    /// Make what is missing and give the integration user the right to it
    Create {
        /// Add the platform's mappings that use it and are not in the settings yet
        #[arg(long)]
        with_mappings: bool,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
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
    /// Tell what changes from another settings file to this one, in meanings
    Diff {
        /// The other file
        file: PathBuf,
    },
    /// Print the settings file, or write it elsewhere; comments stay, and secrets are never in it
    Export {
        /// The file to be written; - or nothing prints it
        file: Option<PathBuf>,
        /// Replace a file that is there and says something else
        #[arg(long)]
        force: bool,
    },
    /// Take in the settings of a file: judged first, then shown as changes, written with --yes
    Import {
        /// The file; - reads stdin
        file: PathBuf,
        /// Write it, without asking
        #[arg(long, short)]
        yes: bool,
    },
    /// Take the mappings to another workspace, as from a sandbox org to production: record types, users, queues and picklist
    /// values are looked up by name in the other org
    Promote {
        /// The folder of the other workspace; or a file, for which no org can be asked
        #[arg(long, value_name = "WORKSPACE|FILE")]
        to: PathBuf,
        /// Only this mapping (may be given several times); the others over there stay as they are
        #[arg(long, value_name = "NAME")]
        mapping: Vec<String>,
        /// What stands for an id, for OBJECT.FIELD, or for a picklist value OBJECT.FIELD:VALUE over there (may be given several
        /// times)
        #[arg(long = "map", value_name = "WHAT=COUNTERPART", value_parser = counterpart)]
        maps: Vec<(String, String)>,
        /// Write it, without asking
        #[arg(long, short)]
        yes: bool,
    },
}

/// `WHAT=COUNTERPART`; a value may have the sign in it, an id or a field can't.
fn counterpart(text: &str) -> Result<(String, String), String> {
    match text.split_once('=').map(|(what, there)| (what.trim(), there.trim())) {
        Some((what, there)) if !what.is_empty() && !there.is_empty() => Ok((what.into(), there.into())),
        _ => Err("write WHAT=COUNTERPART, such as 00G5g000000QueAAAE=00G7Q000000QueBBBE".into()),
    }
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
    /// Count the records that meet its criteria, or others
    Count {
        /// Its name
        name: String,
        /// Other criteria of Salesforce than those in the settings, such as "Email != null"
        #[arg(long, value_name = "CRITERIA")]
        org: Option<String>,
        /// Other criteria of the platform
        #[arg(long, value_name = "CRITERIA")]
        platform: Option<String>,
    },
    /// Pull a record from both sides and show what becomes of it, pair by pair; nothing is written
    Sample {
        /// Its name
        name: String,
        /// An id of either side or the value of the key; any record if left out
        #[arg(long, value_name = "ID|KEY")]
        record: Option<String>,
    },
    /// Accept mappings as they are written, so that automatic runs take them in
    Accept {
        /// Their names; all if left out
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

/// Print a completion script.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
