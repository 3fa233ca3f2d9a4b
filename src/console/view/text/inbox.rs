//! Words of the conflict inbox and of the form of an issue.

use crate::console::view::text::numbers::things;
use crate::ops::conflicts::Resolved;

/// The inbox.
pub const CONFLICTS: &str = "Conflicts";
/// Nothing to decide.
pub const NONE: &str = "No open conflicts: both sides agree, or the rules decide.";
/// The filter lets nothing through.
pub const NONE_SHOWN: &str = "No conflict contains that; / changes the filter.";
/// A prompt.
pub const FILTER: &str = "Filter the conflicts";
/// A prompt.
pub const FILTER_HELP: &str = "Part of a mapping, a field, a name, or why: ask, first_meeting, unknown_outcome, ping_pong. Blank shows all.";
/// Enter without a choice.
pub const CHOOSE_FIRST: &str =
    "Choose first: o Salesforce, p the platform, b the base, v another value. Enter decides.";
/// An answer.
pub const ALL_YES: &str = "Decide them";
/// Where the inbox is.
pub const OPEN_FIRST: &str =
    "Open the conflicts with c on Synchronization Information, or an issue with Enter, first.";
/// The switch below an open conflict.
pub const RULE: &str = "make it the rule for this pair";
/// A column.
pub const BASE: &str = "base";
/// A column.
pub const RESULT: &str = "result";

/// Why something can't be chosen.
pub fn refused(reason: &str) -> String {
    let mut characters = reason.chars();
    let head: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{head}{}.", characters.as_str())
}

/// A prompt.
pub fn value_of(fields: &[String]) -> String {
    format!("{} on both sides", fields.join(" + "))
}

/// A prompt.
pub fn value_help(fields: usize) -> String {
    if fields < 2 {
        "As Salesforce spells it; blank empties it. Enter takes it over, nothing is written yet.".into()
    } else {
        "As Salesforce spells them, in order, with | between them. Enter takes them over, nothing is written yet.".into()
    }
}

/// A question.
pub fn all_title(count: usize, side: &str) -> String {
    format!("Decide {} for {side}?", things(count as u64, "conflict", "conflicts"))
}

/// What deciding many means.
pub fn all_lines(count: usize, refused: usize, side: &str, filter: &str) -> Vec<String> {
    let which =
        if filter.is_empty() { "all that are open".to_owned() } else { format!("those with “{filter}”") };
    let mut lines = vec![format!(
        "{}: {which}. A run writes what {side} holds to the other side, wherever both still hold what is shown here.",
        things(count as u64, "conflict", "conflicts"),
    )];
    if refused > 0 {
        lines.push(format!(
            "{} can't be decided that way and stay open.",
            things(refused as u64, "other", "others")
        ));
    }
    lines
}

/// Decisions were handed on.
pub fn resolved(resolved: &Resolved) -> String {
    let what = things(resolved.decided as u64, "conflict", "conflicts");
    match resolved.run {
        Some(run) => format!("{what} decided; run {run} writes what was chosen."),
        None => format!("{what} decided; the next run writes what was chosen."),
    }
}
