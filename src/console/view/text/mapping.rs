//! Words of Mapping Settings.

use std::fmt::Write;

use crate::console::view::text::numbers::things;
use crate::domain::mapping::{Pair, Policy};
use crate::domain::side::Side;
use crate::domain::transform::Transform;

/// There is nothing to accept.
pub const NOTHING_TO_ACCEPT: &str = "There is nothing to accept about this mapping.";
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
/// No criteria.
pub const NO_CRITERIA: &str = "none: all records take part";
/// No mapping at all.
pub const EMPTY: &str = "No mapping yet.";
/// What to do then.
pub const EMPTY_HOW: &str = "Enter adds the default mappings, a adds one by hand.";
/// No pair yet.
pub const NO_PAIRS: &str = "No pairs yet; a adds one by two fuzzy pickers.";
/// Nothing passes the filter.
pub const NO_ROWS: &str = "No row passes the filter; Esc clears it.";
/// Heads of the right list.
pub const HEADS: [&str; 6] = ["Salesforce field", "type", "", "field", "key", "policy"];
/// Heads of field pickers.
pub const FIELD_HEADS: [&str; 4] = ["label", "API name", "type", ""];
/// Heads of the object picker.
pub const OBJECT_HEADS: [&str; 2] = ["object", ""];
/// Objects of the org that people synchronize (F62).
pub const OBJECTS: [(&str, &str); 2] =
    [("Contact", "people with an account"), ("Lead", "people who are not customers yet")];
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
/// A prompt.
pub const PLATFORM_OBJECT: &str = "Platform object";
/// A prompt.
pub const PLATFORM_OBJECT_HELP: &str = "The object of the platform that it is paired with, such as contact.";
/// A prompt.
pub const PLATFORM_OBJECT_NEEDED: &str = "Name an object of the platform.";
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
    format!("Added mapping {name}; a adds its pairs, one of them as key.")
}

/// Types don't go together.
pub fn type_mismatch(from: &str, from_type: &str, to: &str, to_type: &str) -> String {
    format!("{from} is {from_type} and {to} is {to_type}: values may be refused")
}

/// A value may not fit.
pub fn too_long(from: &str, long: u32, to: &str, short: u32) -> String {
    format!("{from} holds up to {long} characters, {to} only {short}: longer values are refused")
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
