//! What a connection to a platform is told: each setting with its label, help and bounds, from the platform's file.

use serde::Deserialize;

use super::Limits;

/// One setting of a connection.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingProfile {
    /// The name in the settings file, or in the store of secrets.
    pub name: String,
    /// The name people see.
    pub label: String,
    /// One line of help.
    pub help: String,
    /// What may stand there.
    #[serde(default)]
    pub kind: SettingKind,
    /// What holds where nothing is said.
    #[serde(default)]
    pub default: Option<toml::Value>,
    /// Whether a connection can't work without it.
    #[serde(default)]
    pub needed: bool,
    /// For a number: the least.
    #[serde(default)]
    pub least: Option<f64>,
    /// For a number: the most.
    #[serde(default)]
    pub most: Option<f64>,
    /// For a choice: the words of the settings file, each with the name people see.
    #[serde(default)]
    pub choices: Vec<(String, String)>,
    /// Whether it stands in the form; the others are set in the file, or by `forcesync connection set`.
    #[serde(default = "shown")]
    pub form: bool,
    /// What of it nobody could confirm. `forcesync doctor` lists it, so that somebody looks at it before trusting it.
    #[serde(default)]
    pub unconfirmed: Option<String>,
}

fn shown() -> bool {
    true
}

/// What may stand in a setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    /// Any text.
    #[default]
    Text,
    /// The address of a service; HTTPS, or plain HTTP to this machine alone.
    Address,
    /// Never shown, and kept apart from the settings file.
    Secret,
    /// One of few words.
    Choice,
    /// Yes or no.
    Flag,
    /// A whole number.
    Whole,
    /// A number.
    Decimal,
    /// A file.
    Path,
    /// Several texts.
    Texts,
    /// `host=address:port`, several.
    Hosts,
    /// One of the users that a test finds.
    Owner,
}

impl SettingProfile {
    /// Whether it is kept with the secrets.
    pub fn is_secret(&self) -> bool {
        self.kind == SettingKind::Secret
    }

    /// The least and the most of a number.
    pub fn bounds(&self) -> (f64, f64) {
        (self.least.unwrap_or(0.0), self.most.unwrap_or_else(|| f64::from(u32::MAX)))
    }
}

/// The settings that every connection has.
pub(super) fn common(limits: &Limits) -> Vec<SettingProfile> {
    let setting = |name: &str, label: &str, help: &str, kind: SettingKind, default: Option<toml::Value>| {
        SettingProfile {
            name: name.into(),
            label: label.into(),
            help: help.into(),
            kind,
            default,
            needed: false,
            least: None,
            most: None,
            choices: Vec::new(),
            form: matches!(
                name,
                "requests_per_second" | "calls_per_hour" | "calls_per_day" | "reserve_percent" | "ca_file"
            ),
            unconfirmed: None,
        }
    };
    let whole = |number: u64| Some(toml::Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)));
    vec![
        SettingProfile {
            most: Some(10_000.0),
            ..setting(
                "requests_per_second",
                "Requests/s",
                "Most requests a second; 0 sets no limit.",
                SettingKind::Decimal,
                Some(toml::Value::Float(limits.requests_per_second)),
            )
        },
        setting(
            "calls_per_hour",
            "Calls/hour",
            "Most calls in any hour that the account allows; 0 if no limit is known.",
            SettingKind::Whole,
            whole(limits.per_hour),
        ),
        setting(
            "calls_per_day",
            "Calls/day",
            "Most calls in any 24 hours that the account allows; 0 if no limit is known.",
            SettingKind::Whole,
            whole(limits.per_day),
        ),
        SettingProfile {
            most: Some(100.0),
            ..setting(
                "reserve_percent",
                "API reserve %",
                "Of these limits, the percentage that is left to others.",
                SettingKind::Whole,
                whole(20),
            )
        },
        SettingProfile {
            most: Some(86_400.0),
            ..setting(
                "overlap_seconds",
                "Overlap",
                "How far a feed reaches back behind its cursor, in seconds.",
                SettingKind::Whole,
                whole(limits.overlap_seconds),
            )
        },
        SettingProfile {
            choices: [("", "as it seems"), ("live", "live"), ("test", "test")]
                .map(|(word, label)| (word.to_owned(), label.to_owned()))
                .to_vec(),
            ..setting(
                "account",
                "Account is",
                "Whether the account holds real customers; a live one joined to a sandbox org, or the reverse, asks before it writes.",
                SettingKind::Choice,
                None,
            )
        },
        setting(
            "ca_file",
            "CA file",
            "A PEM file of certificates to trust besides the system's; usually empty.",
            SettingKind::Path,
            None,
        ),
        setting(
            "resolve",
            "Resolve",
            "Addresses to use for host names instead of asking the name service.",
            SettingKind::Hosts,
            None,
        ),
    ]
}
