//! Words of the criteria as rows.

use crate::domain::criteria::CriteriaError;
use crate::domain::criteria::tree::{Junction, Node, NodeKind};
use crate::domain::criteria::ways::Way;
use crate::domain::criteria::words::{KindOf, test_words};
use crate::domain::schema::FieldKind;
use crate::domain::side::Side;

/// Nothing is tested.
pub const NONE: &str = "No condition: all records take part. a adds one.";
/// After a removal.
pub const REMOVED_UNDO: &str = "Removed; u takes it back.";
/// A value that no picklist has.
pub const OTHER_VALUE: &str = "this value:";
/// One more value for a list.
pub const ADD_VALUE: &str = "add:";
/// A value of the list.
pub const TICKED: &str = "[x]";
/// A value that is not in the list.
pub const UNTICKED: &str = "[ ]";
/// No value, as one of a list.
pub const BLANK_VALUE: &str = "(blank)";
/// How fresh a condition on a parent is (law E12).
pub const OF_PARENT: &str =
    "A parent's field is looked at anew when the record itself changes, or with the rolling re-read.";
/// Nobody has counted yet.
pub const COUNTING: &str = "counting …";

/// The title.
pub fn title(object: &str, side: Side, platform: &str) -> String {
    match side {
        Side::Org => format!("Criteria: which {object} of Salesforce take part"),
        Side::Platform => format!("Criteria: which {object} of {platform} take part"),
    }
}

/// Where the other side's are.
pub fn other_side(side: Side, platform: &str, filled: bool) -> String {
    let name = match side {
        Side::Org => "Salesforce",
        Side::Platform => platform,
    };
    let there = if filled { "has criteria, too" } else { "has none" };
    format!("Tab: {name} {there}.")
}

/// Text that is no condition.
pub fn unreadable(error: &CriteriaError) -> String {
    format!(
        "They can't be shown as rows at character {}: {}. t mends the text.",
        error.position, error.message
    )
}

/// A row; the groups say what their parts need.
pub fn line(node: &Node, kind_of: KindOf<'_>) -> String {
    match &node.kind {
        NodeKind::Test(test) => test_words(test, node.negated, kind_of),
        NodeKind::Group(junction, _) => match (junction, node.negated) {
            (Junction::And, false) => "all of these:",
            (Junction::And, true) => "not all of these:",
            (Junction::Or, false) => "at least one of these:",
            (Junction::Or, true) => "none of these:",
        }
        .to_owned(),
    }
}

/// What stands before a row.
pub fn joined(junction: Option<Junction>) -> &'static str {
    match junction {
        None => "",
        Some(Junction::And) => "and ",
        Some(Junction::Or) => "or ",
    }
}

/// The line that ends a list of values.
pub fn done(values: &[String]) -> String {
    match values.len() {
        0 => "that is all (none chosen yet)".into(),
        chosen => format!("that is all: {chosen} chosen"),
    }
}

/// How many take part.
pub fn members(counted: &str) -> String {
    format!("Take part: {counted}.")
}

/// Why nobody knows how many.
pub fn uncounted(reason: &str) -> String {
    format!("Not counted: {reason}")
}

/// How a value is typed.
pub fn value_help(way: Way, kind: FieldKind) -> &'static str {
    match (way, kind) {
        (Way::Pattern, _) => {
            "% stands for any text, _ for one character; \\% and \\_ for themselves. Case does not count."
        }
        (_, FieldKind::Number) => "A number, such as 1200 or -0.5.",
        (_, FieldKind::Date) => "A day, such as 2026-11-22; or today, last 30 days, this month.",
        (_, FieldKind::Moment) => {
            "A day or a moment, such as 2026-11-22 or 2026-11-22T10:00:00Z; or today, last 30 days, this month."
        }
        (Way::Contains | Way::Begins | Way::Ends, _) => {
            "Any text; every character stands for itself. Case does not count."
        }
        _ => "Any text; quotes and other signs stand for themselves. Case does not count.",
    }
}
