//! Words of the plan.

use crate::console::app::overlay::plan::sign;
use crate::console::view::text::numbers::{count, duration, things};
use crate::domain::plan::saved::{Deed, PlanBrake, PlanHead};
use crate::domain::side::Side;

/// The mappings on the screen are not those that a run would use.
pub const SAVE_FIRST: &str = "Save the mappings first (ctrl+s); a plan goes by what is saved.";
/// A mapping that no run uses.
pub const SWITCHED_OFF: &str = "This mapping is switched off; no run would use it.";
/// Esc while it was made.
pub const CALLED_OFF: &str = "The plan is called off; nothing was written.";
/// A prompt.
pub const FILTER: &str = "Filter the plan";
/// A prompt.
pub const FILTER_HELP: &str = "Part of a name, an id, a field or a value. Blank shows all.";
/// A prompt.
pub const NAME: &str = "Keep the plan";
/// A prompt.
pub const NAME_HELP: &str = "Under which name? Letters, digits, - and _. forcesync apply NAME does it later.";
/// An empty plan.
pub const NOTHING_TO_DO: &str = "Nothing is to be done: both sides are in step.";
/// An answer.
pub const APPLY_YES: &str = "Apply it";
/// An answer to the question before an initial sync.
pub const PLAN_FIRST: &str = "Show the plan first";
/// The row that stands for every line.
pub const ALL_LINES: &str = "all records";
/// The filter lets nothing through.
pub const NONE_SHOWN: &str = "No line of the plan contains that; / changes the filter.";
/// While it is made.
pub const MAKING: &str = "Making the plan; nothing is written. Esc calls it off.";

/// It was made while nobody looked.
pub fn made(plan: i64) -> String {
    format!("Plan {plan} is made; forcesync plan show {plan} shows it.")
}

/// A question.
pub fn apply_title(head: &PlanHead) -> String {
    format!("Apply plan {}?", head.title())
}

/// What it would do.
pub fn apply_lines(head: &PlanHead, platform: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (side, name) in [(Side::Org, "Salesforce"), (Side::Platform, platform)] {
        let sum = |deed: Deed| head.records(deed, Some(side));
        lines.push(format!(
            "{name}: {} created, {} updated, {} deleted.",
            count(sum(Deed::Create)),
            count(sum(Deed::Update)),
            count(sum(Deed::Delete))
        ));
    }
    let links = head.records(Deed::Link, None);
    if links > 0 {
        lines.push(format!("{} linked.", things(links, "pair of records is", "pairs of records are")));
    }
    lines.push("A record that moved since is left, and told.".into());
    for brake in &head.brakes {
        lines.push(format!(
            "A brake will stop at {} of {} ({}, {}).",
            count(brake.free),
            count(brake.planned),
            brake.mapping,
            brake.kind
        ));
    }
    lines.extend(head.notes.iter().chain(&head.fires).cloned());
    lines
}

/// The head has no room for all it says.
pub fn more_of_head(hidden: usize) -> String {
    format!("… {} more; a tells all before it applies", things(hidden as u64, "line", "lines"))
}

/// The sums in one line: + 3 create  ~ 10 update …
pub fn sums(head: &PlanHead) -> String {
    let deeds = [Deed::Create, Deed::Update, Deed::Delete, Deed::Link, Deed::Conflict, Deed::Refused];
    let parts: Vec<String> = deeds
        .into_iter()
        .map(|deed| (deed, head.records(deed, None)))
        .filter(|(_, records)| *records > 0)
        .map(|(deed, records)| format!("{} {} {}", sign(deed), count(records), deed.word()))
        .collect();
    if parts.is_empty() { NOTHING_TO_DO.to_owned() } else { parts.join("  ") }
}

/// What it costs, in one line.
pub fn cost(head: &PlanHead, platform: &str) -> String {
    let share = head.cost.share().map_or_else(String::new, |share| {
        let share = if share < 0.001 { "under 0.001".to_owned() } else { format!("{share:.3}") };
        format!(" ({share} % of today's)")
    });
    format!(
        "Calls: Salesforce {}{share}, {platform} {}. About {}.",
        count(head.cost.calls(Side::Org)),
        count(head.cost.calls(Side::Platform)),
        duration(head.cost.seconds)
    )
}

/// A brake that it would meet.
pub fn brake(brake: &PlanBrake) -> String {
    format!(
        "! A brake on {} in {}: {} planned, {} free. {} {} lets them through.",
        brake.kind.replace('_', " "),
        brake.mapping,
        count(brake.planned),
        count(brake.free),
        brake.flag,
        brake.planned
    )
}
