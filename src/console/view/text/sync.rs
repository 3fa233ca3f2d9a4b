//! Words of Synchronization Information.

use crate::console::view::text::numbers::{count, things};
use crate::domain::command::Command;
use crate::domain::drift::Effect;
use crate::domain::hold::Hold;
use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::plan::saved::PlanDeed;
use crate::domain::progress::{EngineState, Phase};
use crate::domain::report::StatusReport;
use crate::domain::side::PerSide;

/// What holds runs back, and until when.
pub fn limited(until: &str, hold: &Hold, resumes: Option<&str>) -> String {
    let what = if hold.is_refusal() { format!("{} ({})", hold.what(), hold.code) } else { hold.what() };
    if let Some(left) = resumes {
        format!("limited, resumes in {left} (S calls it off): {what}")
    } else {
        format!("limited until {until}: {what}")
    }
}

/// A panel.
pub const STATUS: &str = "Status";
/// A line of the status block (F54).
pub const FIRST: &str = "First synchronization";
/// A line of the status block (F55).
pub const CURRENT: &str = "Current synchronization";
/// A line of the status block (F56).
pub const ISSUES: &str = "Synchronization issues";
/// A line of the status block (F57).
pub const LAST: &str = "Date of last synchronization";
/// A line of the status block (F24).
pub const UPDATE: &str = "Last update written";
/// A line of the status block, once there was an audit.
pub const AUDIT: &str = "Completeness audit";
/// The section that is folded (F59).
pub const FORCE: &str = "Force synchronization";
/// A line of it (F60).
pub const INITIAL: &str = "Kick off an initial sync";
/// A line of it (F61).
pub const INSTANT: &str = "Kick off an instant sync";
/// The section (F58).
pub const AUTOMATIC: &str = "Automatic synchronization";
/// A panel.
pub const RUNS: &str = "Runs";
/// A panel.
pub const ISSUES_TITLE: &str = "Issues";
/// Nothing was ever run.
pub const NO_RUNS: &str = "No run yet: I kicks off the first, an initial sync of everything.";
/// Nothing is wrong.
pub const NO_ISSUES: &str = "No open issues.";
/// Never.
pub const NEVER: &str = "never";
/// The first one was begun.
pub const BEGUN: &str = "unfinished";
/// The first run has not been done.
pub const NEVER_DONE: &str = "never";
/// Nothing to apply or to keep.
pub const PLAN_FIRST: &str = "Make a plan first, with p.";
/// A refused start.
pub const ALREADY_RUNNING: &str = "A run is on its way; wait for it, or stop it with S.";
/// A refused start.
pub const NO_MAPPING: &str = "No mapping is in use; set one up on tab 2 first.";
/// Where the reason is longer than the line.
pub const NOT_NOW: &str = "not now: I tells why";
/// The same while a run is on its way.
pub const GOES_ON: &str = "a run is on its way";
/// A refused instant sync.
pub const NO_INITIAL: &str = "First an initial sync (I): nothing was ever read in full.";
/// A refused pause or stop.
pub const NOTHING_RUNS: &str = "Nothing runs now.";
/// The engine is being looked for.
pub const ENGINE_LOOKING: &str = "The engine is being looked for; try again in a moment.";
/// The engine is in another process.
pub const ELSEWHERE: &str = "by a running forcesync run";
/// A question.
pub const INITIAL_TITLE: &str = "Kick off an initial sync?";
/// An answer.
pub const INITIAL_YES: &str = "Kick it off";
/// An answer.
pub const UNDO_YES: &str = "Take it back";
/// An answer.
pub const UNDO_LOOK: &str = "Show the plan first";
/// No brake.
pub const NO_BRAKE: &str = "No brake holds this run.";
/// A brake holds the newest run.
pub const BRAKED: &str = "brake holds it";
/// The list of what an undo that only looked would do.
pub const UNDO_PLANNED: &str = "It would do this; nothing is done yet:";
/// The list of what an undo left.
pub const UNDO_LEFT: &str = "These stay as they are:";
/// There is more than a screen's page.
pub const UNDO_MORE: &str = "There are more; forcesync undo RUN --dry-run lists all of them.";
/// Where a person can be forgotten.
pub const FORGET_FROM_RECORD: &str = "Open a record first: an issue, a conflict, a log line, or its why.";
/// A prompt.
pub const FORGET_HELP: &str = "Type forget to do it.";
/// Another word was typed.
pub const FORGET_WORD: &str = "Type the word forget, or leave with Esc: nothing is erased yet";
/// A question.
pub const HEAL_TITLE: &str = "Deal with what the last audit found?";
/// What it does.
pub const HEAL_LINES: [&str; 2] = [
    "The records that were found are read on both sides and decided like any change,",
    "under the brakes. The log lists them, one line a hole.",
];
/// An answer.
pub const HEAL_YES: &str = "Deal with them";
/// A question.
pub const STOP_TITLE: &str = "Stop the run?";
/// An answer.
pub const STOP_YES: &str = "Stop it";
/// A question.
pub const RETRY_TITLE: &str = "Try the group again?";
/// An answer.
pub const RETRY_YES: &str = "Try again";
/// A prompt.
pub const INTERVAL: &str = "Interval of automatic synchronization";
/// A prompt.
pub const INTERVAL_TOO_SHORT: &str = "The shortest interval is 10s.";
/// Where the explanation of a record is found.
pub const WHY_FROM_RECORD: &str = "Open an issue's record or a run first; w explains it there.";
/// A mapping whose turn has not come.
pub const WAITING: &str = "waiting";
/// What was read of both sides.
pub const READ: &str = "read";

/// A prompt: what may be typed, and what the present interval costs while nothing changes.
pub fn interval_help(every: &str, calls_a_day: PerSide<u64>) -> String {
    format!(
        "Such as 30s, 5m, 1h or 1d; 10s at least.\nWhile nothing changes, {every} takes {} calls a day to Salesforce and {} to the \
         platform.",
        count(calls_a_day.org),
        count(calls_a_day.platform)
    )
}

/// No engine.
pub fn engine_unavailable(reason: &str) -> String {
    format!("No engine to ask: {reason}")
}

/// What an initial sync will do.
pub fn initial_lines(
    mappings: &[String],
    platform: &str,
    linked: Option<u64>,
    effects: Vec<String>,
) -> Vec<String> {
    let mut lines = vec![format!(
        "Reads every record of Salesforce and {platform}, matches them, and writes the differences, as each mapping allows:"
    )];
    lines.extend(mappings.iter().map(|mapping| format!("  {mapping}")));
    if let Some(linked) = linked {
        lines.push(format!(
            "{} linked so far. Nothing is deleted on either side.",
            things(linked, "record is", "records are")
        ));
    }
    lines.push("What it sets off besides:".into());
    lines.extend(effects.into_iter().map(|line| format!("  {line}")));
    lines
}

/// At rest, while runs leave something out; Mapping Settings tell what.
pub const LEFT_OUT: &str = "idle, see tab 2";

/// Whether runs leave out pairs or mappings.
pub fn leaves_out(status: &StatusReport) -> bool {
    !status.unaccepted.is_empty() || status.drift.iter().any(|row| row.finding.effect <= Effect::Parks)
}

/// A prompt.
pub const CONFIRM_TITLE: &str = "The two sides are not of a kind";
/// A prompt.
pub const SINCE_HELP: &str = "A day or a moment, such as 2026-11-22 or 2026-11-22T08:30:00Z. Forward it goes only by `forcesync read-again --skip`.";

/// What is confirmed by the workspace's name.
pub fn since_confirm(since: &str, name: &str) -> String {
    format!("What changed since {since} is read again. Type the workspace's name, {name}, if that is meant.")
}

/// A wrong answer to it.
pub fn not_the_name(name: &str) -> String {
    format!("That is not the name; it is {name}.")
}

/// What has to be confirmed.
pub fn confirm_help(what: &str, name: &str) -> String {
    format!("This workspace joins a {what}. Type its name, {name}, if that is meant.")
}

/// The mark in the line of workspace and org: `sandbox with live`.
pub fn unequal(what: &str) -> String {
    let mut kinds = what.split(" and a ").filter_map(|side| side.split(' ').next());
    format!(" {} with {} ", kinds.next().unwrap_or_default(), kinds.next().unwrap_or_default())
}

/// A prompt.
pub fn forget_title(object: &str, id: &str) -> String {
    format!("Forget {object} {id}?")
}

/// A prompt.
pub fn release_title(run: i64) -> String {
    format!("Release the brake of run {run}")
}

/// What a brake holds, and what releasing does.
pub fn release_help(held: &crate::ops::brakes::Held) -> String {
    let (what, flag) = held.kind.sentence();
    format!(
        "At least {} {what} beyond the brake. Look at them first, then type the number that you accept: the run is done again, and \
         stops past it. On the command line: {flag} {}.",
        count(held.more),
        held.more
    )
}

/// What stopping means.
pub fn stop_line(run: Option<i64>) -> String {
    match run {
        Some(run) => {
            format!("Run {run} ends after the batch in hand; what is left is taken up by the next run.")
        }
        None => "The run ends after the batch in hand; what is left is taken up by the next run.".into(),
    }
}

/// What retrying means.
pub fn retry_line(issues: usize, all: u64, code: &str, cause: &str) -> String {
    let which = if (issues as u64) < all {
        format!("The first {} of {}", count(issues as u64), things(all, "record", "records"))
    } else {
        things(issues as u64, "record", "records")
    };
    format!("{which}: {code} {cause}")
}

/// A run was started.
pub fn started(run: i64) -> String {
    format!("Run {run} started.")
}

/// A command was accepted.
pub fn accepted(command: &Command) -> Option<&'static str> {
    match command {
        Command::Start(_) | Command::Retry { .. } => Some("The run begins."),
        Command::Snooze { until: Some(_), .. } => Some("Hidden until then, or until its message changes."),
        Command::Snooze { until: None, .. } => Some("Shown again."),
        Command::Decide(_) => Some("Kept; the next run takes it."),
        Command::Deactivate { .. } => Some("It is inactive on the platform."),
        Command::Pause => Some("The run is held after the batch in hand."),
        Command::Resume => Some("The run goes on."),
        Command::Cancel => Some("The run ends after the batch in hand."),
        Command::Automatic { on: true } => Some("Automatic synchronization is on."),
        Command::Automatic { on: false } => Some("Automatic synchronization is off."),
        Command::Accept { .. } => Some("Accepted; the next run goes by it."),
        Command::ConfirmWorkspace { .. } => Some("Confirmed. Start the run again."),
        Command::Plans(PlanDeed::Forget { .. }) => Some("The plan is forgotten."),
        Command::Plans(PlanDeed::Name { .. }) => Some("The plan is kept under its name."),
        Command::Plans(PlanDeed::Import { .. })
        | Command::Forget { .. }
        | Command::ReadAgain(_)
        | Command::Reload
        | Command::Status
        | Command::Shutdown => None,
    }
}

/// The state of the engine in words.
pub fn state(state: EngineState, kind: Option<RunKind>) -> String {
    let kind = kind.map_or("run", RunKind::word);
    match state {
        EngineState::Idle => "idle".into(),
        EngineState::Running => format!("{kind} running"),
        EngineState::Paused => format!("{kind} paused"),
        EngineState::Stopping => format!("{kind} stopping"),
    }
}

/// The step of a run in words.
pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::None => "",
        Phase::Preparing => "signing in and comparing descriptions",
        Phase::Recovering => "looking up what an interrupted run left open",
        Phase::Reading => "reading both sides",
        Phase::Matching => "matching records",
        Phase::Deciding => "deciding; nothing is written",
        Phase::Writing => "deciding and writing",
        Phase::Finishing => "closing the run",
    }
}

/// Behind [`phase`]: how long the reading still takes.
pub fn still_reads(left: &str) -> String {
    format!(" · {left} to read")
}

/// How a run ended, in words.
pub fn result(result: RunResult) -> &'static str {
    match result {
        RunResult::Succeeded => "succeeded",
        RunResult::PartlyFailed => "partly failed",
        RunResult::Limited => "limited",
        RunResult::Braked => "braked",
        RunResult::Blocked => "blocked",
        RunResult::Failed => "failed",
        RunResult::Cancelled => "cancelled",
    }
}

/// A run has ended.
pub fn ended(run: &crate::domain::report::RunRow, ended: RunResult) -> String {
    let head = format!("Run {} {}", run.run, result(ended));
    match &run.message {
        Some(message) => format!("{head}: {message}"),
        None => format!(
            "{head}: {} created, {} updated, {} failed.",
            count(run.counts.created()),
            count(run.counts.updated()),
            count(run.counts.failed)
        ),
    }
}

/// A question.
pub fn undo_title(run: i64, kind: RunKind) -> String {
    format!("Take run {run} ({}) back?", kind.word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::side::Side;

    #[test]
    fn a_limit_is_told_with_its_end_and_a_refusal_with_its_code() {
        let hold = |code: &str| Hold {
            side: Side::Org,
            until: chrono::DateTime::UNIX_EPOCH,
            code: code.into(),
            limit: "daily limit of the org".into(),
            used: Some(80_000),
            most: Some(100_000),
        };
        assert_eq!(
            limited("14:05", &hold(Hold::RESERVE), Some("12m 10s")),
            "limited, resumes in 12m 10s (S calls it off): daily limit of the org, 80,000 of 100,000 used"
        );
        assert_eq!(
            limited("14:05", &hold("REQUEST_LIMIT_EXCEEDED"), None),
            "limited until 14:05: daily limit of the org, 80,000 of 100,000 used (REQUEST_LIMIT_EXCEEDED)"
        );
    }
}
