//! Words of Mapping Settings.

use std::fmt::Write;

use chrono::{DateTime, Utc};

use crate::console::view::text::numbers::things;
use crate::domain::mapping::{Pair, Policy};
use crate::domain::side::Side;
use crate::domain::transform::Transform;

/// There is nothing to accept.
pub const NOTHING_TO_ACCEPT: &str = "There is nothing to accept about this mapping.";
/// A doubt about a pair was accepted.
pub const DOUBT_ACCEPTED: &str = "Accepted, no longer told; ctrl+s keeps that, u takes it back.";
/// A draft is not what would be accepted.
pub const SAVE_TO_ACCEPT: &str = "Save your edits first (ctrl+s); saving a mapping accepts it.";
/// How a change of a side ends.
pub const ACCEPT_ENDS_IT: &str = " K accepts it.";
/// A file that was changed from outside.
pub const NOT_ACCEPTED: &str =
    "It was changed outside this console. Automatic runs leave it out until somebody accepts it (K).";

/// The left list.
pub const OBJECTS_TITLE: &str = "Objects";
/// Under the left list.
pub const CRITERIA: &str = "Criteria";
/// What a deletion does.
pub const DELETED: &str = "Deleted elsewhere";

/// Which object of the org new records of the platform become.
pub fn created_as(object: &str) -> String {
    format!("new ones become {object}")
}

/// No criteria.
pub const NO_CRITERIA: &str = "none: all records take part";
/// From when on records take part.
pub fn since(since: DateTime<Utc>) -> String {
    format!("only what changes since {}", since.format("%Y-%m-%d %H:%M UTC"))
}

/// No mapping at all.
pub const EMPTY: &str = "No mapping yet.";
/// What to do then.
pub const EMPTY_HOW: &str = "Enter adds the default mappings, a adds one by hand.";
/// No pair yet.
pub const NO_PAIRS: &str = "No pairs yet; N suggests some, a adds one by two pickers.";
/// Nothing passes the filter.
pub const NO_ROWS: &str = "No row passes the filter; Esc clears it.";
/// Heads of the right list.
pub const HEADS: [&str; 6] = ["Salesforce field", "type", "", "field", "key", "policy"];
/// Heads of field pickers.
pub const FIELD_HEADS: [&str; 5] = ["label", "API name", "type", "", "such as"];
/// Heads of the object pickers.
pub const OBJECT_HEADS: [&str; 3] = ["object", "API name", ""];
/// An object that somebody made for this org.
pub const CUSTOM: &str = "custom";
/// An object of the platform whose name is typed.
pub const TYPED_OBJECT: &str = "this name";
/// A field of the platform whose name is typed.
pub const NEW_DETAIL: &str = "new field";
/// What a pair without a field of the org does.
pub const FIXED_HOW: &str = "the same on every record";
/// Pairs are looked for.
pub const SUGGESTING: &str = "Asking both sides for their fields, to suggest pairs.";
/// No pair is left to suggest.
pub const NOTHING_TO_SUGGEST: &str = "No two fields without a pair look alike; a adds a pair by hand.";
/// Nothing is ticked.
pub const NOTHING_TICKED: &str = "No pair was ticked, so none was added.";
/// A copy of a pair.
pub const PAIR_COPIED: &str = "Pair copied; Enter chooses other fields for it.";
/// A filtered list has no order of its own.
pub const MOVE_WITHOUT_FILTER: &str = "Clear the filter first (Esc), then move the pair.";
/// Title of the proposal.
pub const SUGGESTED: &str = "Pairs that seem to belong together";
/// A proposed pair that is the key.
pub const IS_KEY: &str = "key";
/// What Enter does on it.
pub const ADD_TICKED: &str = "add ticked";
/// What a does on it.
pub const TICK_ALL: &str = "all";
/// A question.
pub const REMOVE_MAPPING: &str = "Remove the mapping?";
/// A question.
pub const REMOVE_PAIR: &str = "Remove the pair?";
/// An answer.
pub const REMOVE: &str = "Remove";
/// An action on a field without a pair.
pub const NO_PAIR_HERE: &str = "Select a pair on the right first; a adds one.";
/// An action without a mapping.
pub const NO_MAPPING_HERE: &str = "There is no mapping yet; a adds one.";
/// Translations of a pair that has another transform.
pub const NO_TRANSLATIONS_HERE: &str =
    "This pair has another transform; Enter on it and choose translations there.";
/// Consent pairs.
pub const CONSENT_HAS_NO_POLICY: &str =
    "Consent follows its own law: an opt-out always crosses, whatever the policy.";
/// While defaults are made.
pub const PROPOSING: &str = "Looking at both sides for the default mappings.";
/// A picker.
pub const ADD_MAPPING: &str = "Add a mapping of a Salesforce object";
/// A flag of a field.
pub const REQUIRED: &str = "required";
/// A flag of a field.
pub const READ_ONLY_FIELD: &str = "read-only";
/// A flag of a field.
pub const UNIQUE: &str = "unique";
/// A flag of a field.
pub const MAPPED: &str = "mapped";
/// A pair without a field of the org.
pub const FIXED: &str = "(fixed value)";
/// A mapping that runs don't use.
pub const OFF: &str = "off";

/// Why the tab is locked (F79).
pub fn locked(org: bool, platform: bool, platform_name: &str) -> String {
    let missing = match (org, platform) {
        (false, false) => format!("Salesforce and {platform_name} have"),
        (false, true) => "Salesforce has".to_owned(),
        (true, _) => format!("{platform_name} has"),
    };
    format!("Locked until {missing} passed a test with saved settings: go to tab 1, save, press t.")
}

/// A question.
pub fn remove_mapping(name: &str, pairs: usize) -> String {
    format!(
        "Mapping {name} with {} is removed from the settings. No record is changed.",
        things(pairs as u64, "pair", "pairs")
    )
}

/// A question.
pub fn remove_pair(pair: &str, mapping: &str) -> String {
    format!("1 pair of {mapping}: {pair}. No record is changed.")
}

/// After the defaults have been made.
pub fn proposed(count: usize) -> String {
    match count {
        0 => "The default mappings are all there already.".into(),
        _ => {
            format!("{} added; look at them, then ctrl+s saves.", things(count as u64, "mapping", "mappings"))
        }
    }
}

/// A picker over fields.
pub fn pick_field(side: Side, object: &str, platform: &str) -> String {
    match side {
        Side::Org => format!("Field of {object} (Salesforce)"),
        Side::Platform => format!("Field of {object} ({platform})"),
    }
}

/// After a pair was added.
pub fn pair_added(name: &str) -> String {
    format!("Added {name}; Enter edits it, ctrl+s saves.")
}

/// After a mapping was added.
pub fn mapping_added(name: &str) -> String {
    format!("Added mapping {name}; N suggests pairs, a adds one, one of them is the key.")
}

/// After a mapping was copied.
pub fn mapping_copied(name: &str) -> String {
    format!("Copied as {name}; c gives it criteria of its own, so that both don't take the same records.")
}

/// After proposed pairs were added.
pub fn pairs_added(count: usize) -> String {
    format!("Added {}; look at them, then ctrl+s saves.", things(count as u64, "pair", "pairs"))
}

/// A picker over the platform's objects.
pub fn platform_object(org_object: &str, platform: &str) -> String {
    format!("{org_object} ⇄ which object of {platform}?")
}

/// The policy of a pair in the table.
pub fn policy(pair: &Pair) -> &'static str {
    if pair.transform.is_consent() {
        return "opt-out wins";
    }
    match (pair.direction, pair.policy) {
        (crate::domain::mapping::Direction::Both, policy) => policy_word(policy),
        _ => "–",
    }
}

/// A policy in a word or two.
pub fn policy_word(policy: Policy) -> &'static str {
    match policy {
        Policy::SalesforceWins => "Salesforce",
        Policy::PlatformWins => "platform",
        Policy::NewestWins => "newest",
        Policy::KeepNonBlank => "non-blank",
        Policy::Ask => "ask",
    }
}

/// The transform of a pair, for the table; empty for a copy.
pub fn transform(pair: &Pair) -> String {
    match &pair.transform {
        Transform::Copy => String::new(),
        Transform::FullName => "full name".into(),
        Transform::Consent { .. } => "consent".into(),
        Transform::Table(table) => format!("{} values", table.entries.len()),
        Transform::Constant(value) => format!("= {value}"),
        Transform::Reference(target) => format!("→ {target}"),
        Transform::Rules(rules) => {
            let list = if rules.to_platform.is_empty() { &rules.to_org } else { &rules.to_platform };
            crate::domain::transform::rules::line(list)
        }
    }
}

/// The title of the right list.
pub fn pairs_title(key: &str, pairs: usize, problems: usize) -> String {
    let key = if key.is_empty() { "no key".to_owned() } else { format!("key: {key}") };
    let mut title = format!("{key} · {}", things(pairs as u64, "pair", "pairs"));
    if problems > 0 {
        let _ = write!(title, " · {}", things(problems as u64, "problem", "problems"));
    }
    title
}
