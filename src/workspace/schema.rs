//! Every key that the settings file knows, and what may stand behind it.
//!
//! [`super::inspect`] walks a file along this table, so that all mistakes are found at once and each gets the nearest
//! known name. The types in [`super::settings`] and `domain::mapping` say the same in serde's words; a test holds both
//! together.

use std::sync::LazyLock;

use super::settings::{AuditEvery, Every, HostAddress, PlatformKind, QuietHours};
use crate::domain::profile::{self, SettingKind, SettingProfile};
use crate::domain::transform::rule::Rule;

/// One key of a table.
#[derive(Clone, Copy)]
pub(super) struct Key {
    /// Its name.
    pub(super) name: &'static str,
    /// What may stand behind it.
    pub(super) kind: Kind,
    /// Whether a table without it can't be used.
    pub(super) required: bool,
}

/// What may stand behind a key.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A text that a rule understands; the rule answers with a sentence where it doesn't.
    Checked(fn(&str) -> Result<(), String>),
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number between these.
    Whole(i64, i64),
    /// A number between these.
    Decimal(f64, f64),
    /// A list of texts.
    Texts,
    /// A list of texts that a rule understands.
    CheckedTexts(fn(&str) -> Result<(), String>),
    /// A text or a list of texts.
    OneOrSeveral,
    /// Free keys, a text behind each.
    Dictionary,
    /// A table of these keys with a header of its own.
    Section(&'static [Key]),
    /// A table of these keys, written on one line.
    Table(&'static [Key]),
    /// Several tables of these keys.
    Tables(&'static [Key]),
    /// One of these words, or a table with exactly one of these keys.
    Variant(&'static [&'static str], &'static [Key]),
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, required: false }
}

const fn required(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, required: true }
}

fn interval(text: &str) -> Result<(), String> {
    text.parse::<Every>().map(drop).map_err(|error| error.to_string())
}

fn moment(text: &str) -> Result<(), String> {
    let read = chrono::DateTime::parse_from_rfc3339(text);
    read.map(drop).map_err(|_no_moment| "it is no moment; write it like \"2026-11-22T00:00:00Z\"".to_owned())
}

fn interval_or_never(text: &str) -> Result<(), String> {
    text.parse::<AuditEvery>().map(drop).map_err(|error| format!("{error}; or never"))
}

fn quiet_hours(text: &str) -> Result<(), String> {
    text.parse::<QuietHours>().map(drop).map_err(|error| error.to_string())
}

fn rule(text: &str) -> Result<(), String> {
    text.parse::<Rule>().map(drop).map_err(|error| error.to_string())
}

fn host_address(text: &str) -> Result<(), String> {
    text.parse::<HostAddress>().map(drop).map_err(|error| error.to_string())
}

const PERCENT: Kind = Kind::Whole(0, 100);

/// The whole file.
pub(super) fn root() -> &'static [Key] {
    static ROOT: LazyLock<Vec<Key>> = LazyLock::new(|| {
        vec![
            key("workspace", Kind::Section(WORKSPACE)),
            key("salesforce", Kind::Section(SALESFORCE)),
            key("platform", Kind::Section(Vec::leak(platform()))),
            key("schedule", Kind::Section(SCHEDULE)),
            key("sync", Kind::Section(SYNC)),
            key("history", Kind::Section(HISTORY)),
            key("audit", Kind::Section(AUDIT)),
            key("inbound", Kind::Section(INBOUND)),
            key("mapping", Kind::Tables(MAPPING)),
            key("push", Kind::Tables(PUSH)),
        ]
    });
    &ROOT
}

/// The section of the platform: which one, and a section for each. Made once for the life of the process.
fn platform() -> Vec<Key> {
    let words: Vec<&'static str> = PlatformKind::all().map(PlatformKind::word).collect();
    let mut keys =
        vec![key("kind", Kind::Word(Vec::leak(words))), key("salesmanago", Kind::Section(SALESMANAGO))];
    for profile in profile::profiles() {
        if profile.kind != PlatformKind::SALESMANAGO.word() {
            let own: Vec<Key> = profile.settings.iter().filter_map(setting).collect();
            keys.push(key(profile.kind.as_str(), Kind::Section(Vec::leak(own))));
        }
    }
    keys
}

/// What may stand behind a setting of a profile; a secret has no place in the file.
fn setting(setting: &'static SettingProfile) -> Option<Key> {
    let (least, most) = setting.bounds();
    let kind = match setting.kind {
        SettingKind::Secret => return None,
        SettingKind::Text | SettingKind::Address | SettingKind::Path | SettingKind::Owner => Kind::Text,
        SettingKind::Choice => {
            let words: Vec<&'static str> = setting.choices.iter().map(|(word, _)| word.as_str()).collect();
            Kind::Word(Vec::leak(words))
        }
        SettingKind::Flag => Kind::Flag,
        SettingKind::Whole => Kind::Whole(least as i64, most as i64),
        SettingKind::Decimal => Kind::Decimal(least, most),
        SettingKind::Texts => Kind::Texts,
        SettingKind::Hosts => Kind::CheckedTexts(host_address),
    };
    Some(key(setting.name.as_str(), kind))
}

const WORKSPACE: &[Key] = &[key("name", Kind::Text), key("secrets", Kind::Word(&["keyring", "vault"]))];

const SALESFORCE: &[Key] = &[
    key("environment", Kind::Word(&["production", "sandbox", "custom"])),
    key("my_domain", Kind::Text),
    key("sign_in", Kind::Word(&["client_credentials", "username_password", "soap", "browser"])),
    key("username", Kind::Text),
    key("client_id", Kind::Text),
    key("callback_port", Kind::Whole(1_024, 65_535)),
    key("api_version", Kind::Text),
    key("api_reserve_percent", PERCENT),
    key("ca_file", Kind::Text),
    key("org_id", Kind::Text),
    key("resolve", Kind::CheckedTexts(host_address)),
    key("bulk", Kind::Section(BULK)),
];

const BULK: &[Key] = &[
    key("jobs", Kind::Word(&["by_cost", "always", "never"])),
    key("from", Kind::Whole(1, COUNT_MOST)),
    key("call_worth_seconds", Kind::Whole(0, 3_600)),
    key("page_rows", Kind::Whole(0, 1_000_000)),
    key("upload_mb", Kind::Whole(1, 100)),
];

const SALESMANAGO: &[Key] = &[
    key("endpoint", Kind::Text),
    key("client_id", Kind::Text),
    key("owner", Kind::Text),
    key("account_name", Kind::Text),
    key("account_id", Kind::Text),
    key("microsite_key", Kind::Text),
    key("iframe_name", Kind::Text),
    key("requests_per_second", Kind::Decimal(0.0, 10_000.0)),
    key("calls_per_hour", Kind::Whole(0, COUNT_MOST)),
    key("calls_per_day", Kind::Whole(0, COUNT_MOST)),
    key("reserve_percent", PERCENT),
    key("batch_size", Kind::Whole(1, 1_000)),
    key("max_window_days", Kind::Whole(1, 3_650)),
    key("overlap_seconds", Kind::Whole(0, 86_400)),
    key("ca_file", Kind::Text),
    key("resolve", Kind::CheckedTexts(host_address)),
    key("transport", Kind::Word(&["per_row", "async"])),
    key("account", Kind::Word(&["live", "test"])),
];

const SCHEDULE: &[Key] = &[
    key("automatic", Kind::Flag),
    key("every", Kind::Checked(interval)),
    key("every_to_org", Kind::Checked(interval)),
    key("every_to_platform", Kind::Checked(interval)),
    key("quiet", Kind::Checked(quiet_hours)),
];

const SYNC: &[Key] = &[
    key("create_percent", PERCENT),
    key("update_percent", PERCENT),
    key("blank_percent", PERCENT),
    key("delete_percent", PERCENT),
    key("opt_out_percent", PERCENT),
    key("minimum", Kind::Whole(0, COUNT_MOST)),
];

const HISTORY: &[Key] = &[key("retention_days", Kind::Whole(0, 36_500))];
const AUDIT: &[Key] =
    &[key("every", Kind::Checked(interval_or_never)), key("reread_percent_per_day", PERCENT)];

const INBOUND: &[Key] = &[key("folder", Kind::Text), key("port", Kind::Whole(0, 65_535))];

const PUSH: &[Key] = &[
    required("name", Kind::Text),
    required("object", Kind::Text),
    key("id", Kind::Text),
    required("fields", Kind::Texts),
];

const COUNT_MOST: i64 = u32::MAX as i64;

const DIRECTION: Kind = Kind::Word(&["both", "to_platform", "to_org"]);

const MAPPING: &[Key] = &[
    required("name", Kind::Text),
    key("enabled", Kind::Flag),
    required("org_object", Kind::Text),
    required("platform_object", Kind::Text),
    key("direction", DIRECTION),
    key("org_criteria", Kind::Text),
    key("platform_criteria", Kind::Text),
    key("since", Kind::Checked(moment)),
    key("create_on_platform", Kind::Flag),
    key("create_in_org", Kind::Flag),
    key("org_mark", Kind::Text),
    key("platform_mark", Kind::Text),
    key("skip_create_when_blank", Kind::Texts),
    key("default", Kind::Tables(DEFAULT)),
    key("first_meeting", Kind::Word(&["salesforce_wins", "platform_wins", "fill_blanks_only", "ask"])),
    key("deletes", Kind::Word(&["ignore", "deactivate", "propagate"])),
    key("deactivate", Kind::Table(DEACTIVATE)),
    key("conversion", Kind::Word(&["hand_over", "two_records"])),
    key("sync_flag", Kind::Text),
    key("ignore_own_changes", Kind::Flag),
    key("every", Kind::Checked(interval)),
    key("side_effects", Kind::Table(SIDE_EFFECTS)),
    key("initial_side_effects", Kind::Table(SIDE_EFFECTS)),
    key("pair", Kind::Tables(PAIR)),
];

const DEFAULT: &[Key] = &[
    required("side", Kind::Word(&["org", "platform"])),
    required("field", Kind::Text),
    required("value", Kind::Text),
];

const DEACTIVATE: &[Key] = &[
    required("side", Kind::Word(&["org", "platform"])),
    required("field", Kind::Text),
    required("value", Kind::Text),
];

const SIDE_EFFECTS: &[Key] = &[
    key("fire_events", Kind::Flag),
    key("double_opt_in", Kind::Flag),
    key("assignment_rules", Kind::Flag),
    key("allow_duplicates", Kind::Flag),
    key("feed_tracking", Kind::Flag),
];

const PAIR: &[Key] = &[
    required("org", Kind::OneOrSeveral),
    required("platform", Kind::OneOrSeveral),
    key("direction", DIRECTION),
    key("key", Kind::Flag),
    key("policy", Kind::Word(&["salesforce_wins", "platform_wins", "newest_wins", "keep_non_blank", "ask"])),
    key("transform", Kind::Variant(&["copy", "full_name"], TRANSFORM)),
    key("drift", Kind::Word(&["leave", "enforce"])),
    key("doubts_accepted", Kind::Flag),
];

const TRANSFORM: &[Key] = &[
    key("consent", Kind::Table(CONSENT)),
    key("table", Kind::Table(TRANSLATION)),
    key("constant", Kind::Text),
    key("reference", Kind::Text),
    key("rules", Kind::Table(RULES)),
];

const RULES: &[Key] =
    &[key("to_platform", Kind::CheckedTexts(rule)), key("to_org", Kind::CheckedTexts(rule))];

const CONSENT_FORM: Kind = Kind::Word(&["opt_out_flag", "opt_out", "opt_in"]);

const CONSENT: &[Key] = &[required("org", CONSENT_FORM), required("platform", CONSENT_FORM)];

const TRANSLATION: &[Key] =
    &[required("entries", Kind::Dictionary), key("otherwise", Kind::Text), key("otherwise_org", Kind::Text)];

/// Where else a key is known: the path of the first table that has it.
pub(super) fn home_of(name: &str) -> Option<String> {
    fn search(keys: &'static [Key], name: &str, path: &str) -> Option<String> {
        for key in keys {
            let deeper = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            if key.name == name && !path.is_empty() {
                return Some(path.to_owned());
            }
            if let Kind::Section(inner) | Kind::Table(inner) | Kind::Tables(inner) | Kind::Variant(_, inner) =
                key.kind
                && let Some(found) = search(inner, name, &deeper)
            {
                return Some(found);
            }
        }
        None
    }
    search(root(), name, "")
}
