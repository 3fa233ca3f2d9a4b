//! Words of the conflict inbox and of the form of an issue.

use crate::console::view::text::numbers::things;
use crate::ops::conflicts::Resolved;

/// The inbox.
pub const CONFLICTS: &str = "Conflicts";
/// A prompt.
pub const FILTER_RECORDS: &str = "Filter the records";
/// A prompt.
pub const FILTER_RECORDS_HELP: &str = "Part of a name, an id or the message. Blank shows all.";
/// The filter lets no record through.
pub const NO_RECORDS: &str = "No record contains that; / changes the filter.";
/// Nothing to decide.
pub const NONE: &str = "No open conflicts: both sides agree, or the rules decide.";
/// The filter lets nothing through.
pub const NONE_SHOWN: &str = "No conflict contains that; / changes the filter.";
/// A prompt.
pub const FILTER: &str = "Filter the conflicts";
/// A prompt.
pub const FILTER_HELP: &str = "Part of a mapping, a field, a name, or why: ask, first_meeting, unknown_outcome, ping_pong. Blank shows all.";
/// Enter without a choice.
const CHOOSE_FIRST: &str =
    "Choose first: o Salesforce, p the platform, b the base, v another value. Enter decides.";
/// Enter without a choice, where a record was deleted on one side.
const CHOOSE_FATE: &str = "Choose first: D deletes it too, K keeps it. Enter decides.";

/// Enter without a choice.
pub fn choose_first(deletion: bool) -> &'static str {
    if deletion { CHOOSE_FATE } else { CHOOSE_FIRST }
}

/// What a deletion against an edit is about.
pub fn deleted(gone: &str, left: &str, edited: &str) -> String {
    format!("Deleted {gone}; edited {edited} since. Delete it {left} too, or keep it?")
}

/// What comes of a decision about it.
pub fn fate(answer: crate::domain::by_hand::Answer, left: &str) -> String {
    match answer {
        crate::domain::by_hand::Answer::DeleteToo => format!("deleted {left} too"),
        crate::domain::by_hand::Answer::Keep => format!("kept {left}; the link is closed"),
    }
}

/// An answer.
pub const ALL_YES: &str = "Decide them";
/// Where the inbox is.
pub const OPEN_FIRST: &str =
    "Open the conflicts with c on Synchronization Information, or an issue with Enter, first.";
/// The switch below an open conflict.
pub const RULE: &str = "make it the rule for this pair";
/// A column.
pub const BASE: &str = "base";
/// The head of the values that were edited.
pub const EDITED: &str = "edited";
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

/// The form has not arrived.
pub const FORM_WAITS: &str = "What both sides hold is still being read.";
/// A constant.
pub const OF_THE_MAPPING: &str = "This value comes from the mapping itself; m goes there.";
/// The mapping is gone.
pub const NO_SUCH_MAPPING: &str = "The mapping of this issue is not in the settings any more.";
/// A prompt.
pub fn snooze(issues: usize) -> String {
    if issues == 1 { "Hide this issue for".into() } else { format!("Hide {issues} issues for") }
}

/// A prompt.
pub const SNOOZE_HELP: &str =
    "Such as 12h or 3d; it comes back earlier if its message changes. Blank shows it again.";
/// The filter of snoozed ones.
pub const SNOOZED_SHOWN: &str = "Snoozed issues are shown with the others.";
/// The filter of snoozed ones.
pub const SNOOZED_HIDDEN: &str = "Snoozed issues are hidden.";

/// A prompt.
pub fn issue_value_of(fields: &[String], side: &str) -> String {
    format!("{} in {side}", fields.join(" + "))
}

/// A prompt.
pub fn issue_value_help(fields: usize, side: &str) -> String {
    let several = if fields < 2 { "" } else { "; in order, with | between them" };
    format!(
        "As {side} spells it{several}. A run writes it there, if the record still holds what is shown, and tries again."
    )
}

/// How many others one change of the mapping would clear.
pub fn as_well(others: u64) -> String {
    format!(
        "{} the same cause on the same fields: m edits the pair for all of them.",
        things(others, "other record has", "other records have")
    )
}

/// No pair fills the fields that the remote names.
pub fn no_pair(fields: &[String]) -> String {
    format!("No pair of the mapping fills {}: m goes to the mapping.", fields.join(", "))
}

/// Said on Mapping Settings, before anything is saved.
pub fn clears(issue: &crate::domain::report::IssueRow, others: u64) -> String {
    let all = things(others + 1, "open issue has", "open issues have");
    format!("{all} this cause ({}). Save with ctrl+s, then r on the group tries them again.", issue.code)
}

/// An edited value was handed on.
pub fn mended(run: Option<i64>) -> String {
    match run {
        Some(run) => format!("Run {run} writes the value and tries the record again."),
        None => "The next run writes the value and tries the record again.".into(),
    }
}
