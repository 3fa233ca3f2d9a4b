//! `forcesync status`: what the status block of the console shows.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::words;
use crate::domain::drift::Effect;
use crate::domain::progress::{EngineState, Progress};
use crate::domain::report::{FirstSync, StatusReport};
use crate::domain::side::{PerSide, Side};
use crate::ops::budget::{self, Gauge};
use crate::ops::engine::peek;
use crate::ops::error::OpError;
use crate::ops::read;
use crate::ops::session::Access;

/// The status as one object.
#[derive(Serialize)]
struct Status<'a> {
    workspace: String,
    #[serde(flatten)]
    report: &'a StatusReport,
    /// The numbers of the engine that runs now; null where none does.
    engine: Option<&'a Progress>,
    /// How much of the limits of both sides is used.
    budget: &'a PerSide<Gauge>,
}

pub(super) async fn run(context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let report = read::status(&session).await?;
    let engine = peek(&session).await?.map(|engine| engine.progress().borrow().clone());
    let budget = budget::gauges(&session);
    let output = &context.output;
    output.object(&Status {
        workspace: session.folder().display().to_string(),
        report: &report,
        engine: engine.as_ref(),
        budget: &budget,
    });
    let first = match &report.first_sync {
        FirstSync::Never => "never".into(),
        FirstSync::Begun => "begun, not finished".into(),
        FirstSync::Done { at } => format!("done {}", words::moment(*at)),
    };
    output.text(format_args!("First synchronization         {first}"));
    output.text(format_args!("Current synchronization       {}", current(engine.as_ref())));
    output.text(format_args!(
        "Synchronization issues        {} in {}",
        words::number(report.issues),
        words::count_of(report.issue_groups, "group")
    ));
    output.text(format_args!(
        "Date of last synchronization  {}",
        words::moment_or_dash(report.last_synchronization)
    ));
    output.text(format_args!("Last update written           {}", words::moment_or_dash(report.last_update)));
    output.text(format_args!("Linked records                {}", words::number(report.links)));
    output.text(format_args!("Pending                       {}", words::number(report.pending)));
    output.text(format_args!("Open conflicts                {}", words::number(report.conflicts)));
    output.text(format_args!("Automatic synchronization     {}", automatic(&session, engine.as_ref())));
    for line in left_out_lines(&report) {
        output.text(line);
    }
    for side in Side::BOTH {
        for line in budget_lines(&budget[side], context.clock.now()) {
            output.text(line);
        }
    }
    if let Some(audit) = &report.last_audit {
        output.text(format_args!(
            "Completeness audit            {}, {}",
            words::moment(audit.at),
            words::count_of(audit.holes, "hole")
        ));
    }
    if let Some(last) = &report.last_run {
        let end = last.result.map_or("not finished", words::result);
        output.text(format_args!(
            "Last run                      {} ({}), {}, {end}",
            last.run,
            last.kind.word(),
            words::moment(last.started)
        ));
    }
    Ok(0)
}

/// What runs leave out, and what is unequal about the sides.
fn left_out_lines(report: &StatusReport) -> Vec<String> {
    let mut lines = Vec::new();
    let of = |effect: Effect| report.drift.iter().filter(|row| row.finding.effect == effect).count() as u64;
    let counted: Vec<String> = [
        (of(Effect::Stops), "stops a mapping", "stop mappings"),
        (of(Effect::Parks), "parks a pair", "park pairs"),
        (of(Effect::Warns), "may refuse records", "may refuse records"),
    ]
    .into_iter()
    .filter(|(count, _, _)| *count > 0)
    .map(|(count, one, several)| {
        format!("{} {}", words::number(count), if count == 1 { one } else { several })
    })
    .collect();
    if !counted.is_empty() {
        lines.push(format!("{:<30}⚠ {}: `forcesync drift`", "Fields changed", counted.join(", ")));
    }
    if !report.unaccepted.is_empty() {
        lines.push(format!(
            "{:<30}⚠ {}: changed outside the console; `forcesync mapping accept`",
            "Not accepted",
            report.unaccepted.join(", ")
        ));
    }
    if let Some(unequal) = &report.unequal {
        let state = if unequal.confirmed { "confirmed" } else { "not confirmed: nothing is written" };
        lines.push(format!("{:<30}⚠ {} ({state})", "Joins a", unequal.what));
    }
    lines
}

/// Used, allowed and left; and what holds runs back, until when.
fn budget_lines(gauge: &Gauge, now: DateTime<Utc>) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(window), Some(limit), Some(left)) = (gauge.window, gauge.limit, gauge.left) {
        let label = format!("API calls, {}", gauge.side.place());
        lines.push(format!(
            "{label:<30}{} of {} used in a {window}, {} % kept for others, {} left",
            words::number(gauge.used),
            words::number(limit),
            gauge.reserve_percent,
            words::number(left)
        ));
    }
    if let Some(hold) = gauge.hold.as_ref().filter(|hold| hold.until > now) {
        lines.push(format!(
            "{:<30}⚠ resumes at {}: {} ({})",
            "Limited",
            words::moment(hold.until),
            hold.what(),
            hold.code
        ));
    }
    lines
}

fn current(engine: Option<&Progress>) -> String {
    let Some(engine) = engine else { return "none (no engine runs)".into() };
    let run = |word: &str| match (engine.run, engine.kind) {
        (Some(run), Some(kind)) => format!("{word} run {run} ({})", kind.word()),
        _ => word.to_owned(),
    };
    match engine.state {
        EngineState::Idle => "none (the engine waits)".into(),
        EngineState::Running => run("running"),
        EngineState::Paused => run("paused"),
        EngineState::Stopping => run("stopping"),
    }
}

fn automatic(session: &crate::ops::session::Session, engine: Option<&Progress>) -> String {
    match engine {
        Some(Progress { automatic: true, next_automatic: Some(next), .. }) => {
            format!("on, next {}", words::moment(*next))
        }
        Some(Progress { automatic: true, .. }) => "on".into(),
        None if session.settings().schedule.automatic => {
            "on in the settings, but no engine runs: start `forcesync run`".into()
        }
        Some(_) | None => "off".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hold::Hold;

    #[test]
    fn a_limit_says_which_it_is_and_until_when() {
        let hold = Hold {
            side: Side::Org,
            until: DateTime::UNIX_EPOCH,
            code: Hold::RESERVE.into(),
            limit: "daily limit of the org".into(),
            used: Some(98_000),
            most: Some(100_000),
        };
        let gauge = Gauge {
            side: Side::Org,
            window: Some("day"),
            used: 98_000,
            limit: Some(100_000),
            reserve_percent: 20,
            left: Some(0),
            ours: 10,
            other_workspaces: 0,
            hold: Some(hold),
        };
        let early = DateTime::UNIX_EPOCH - chrono::TimeDelta::hours(1);
        let lines = budget_lines(&gauge, early);
        assert_eq!(
            lines[0],
            "API calls, Salesforce         98,000 of 100,000 used in a day, 20 % kept for others, 0 left"
        );
        assert!(lines[1].starts_with("Limited                       ⚠ resumes at "), "{}", lines[1]);
        assert!(
            lines[1].ends_with(": daily limit of the org, 98,000 of 100,000 used (API_RESERVE)"),
            "{}",
            lines[1]
        );
        assert_eq!(budget_lines(&gauge, DateTime::UNIX_EPOCH).len(), 1);
    }
}
