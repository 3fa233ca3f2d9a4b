//! `forcesync doctor`: examines the workspace itself, without the outside; `--rebuild` replaces a damaged state database.

use serde::Serialize;

use crate::cli::arguments::Doctor;
use crate::cli::check::print;
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::domain::grouped::grouped;
use crate::domain::report::Verdict;
use crate::ops::doctor;
use crate::ops::error::{OpClass, OpError};
use crate::ops::rebuild::{self, RebuildReport, State};
use crate::ops::session::Access;

/// The result as an object.
#[derive(Serialize)]
struct Rebuilt<'a> {
    event: &'static str,
    #[serde(flatten)]
    report: &'a RebuildReport,
}

pub(super) async fn run(arguments: &Doctor, context: &Context) -> Result<u8, OpError> {
    if arguments.rebuild {
        return rebuild(arguments, context).await;
    }
    let lines = doctor::examine(context.workspace.clone(), context.clock.clone()).await;
    print(&lines, context);
    let settings_wrong =
        lines.iter().any(|line| line.verdict == Verdict::Bad && line.subject.starts_with("settings"));
    let bad = lines.iter().any(|line| line.verdict == Verdict::Bad);
    Ok(match (settings_wrong, bad) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    })
}

async fn rebuild(arguments: &Doctor, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    let path = session.workspace().state_db.display().to_string();
    let found = match rebuild::state(&session).await? {
        State::Damaged(why) => format!("{path} is damaged ({why}). It is set aside, and a new one is made."),
        State::Unfinished => format!("The rebuild of {path} did not come to its end; it goes on."),
        State::Absent => format!("{path} is not there; a new one is made."),
        // The use case refuses, and says why.
        State::Sound => String::new(),
    };
    prompt::unlock(&session, context).await?;
    if !found.is_empty() && !arguments.yes && context.output.can_ask() && !context.output.is_json() {
        context.output.note(safe(&found));
        context.output.note(
            "Both sides are read and the links found again; nothing is written to either. History, log and what both sides last \
             held are lost.",
        );
        let answer = prompt::line("Type yes to go on: ").await?;
        if !answer.trim().eq_ignore_ascii_case("yes") {
            return Err(OpError::new(OpClass::Cancelled, "Nothing was done: the rebuild was not confirmed."));
        }
    }
    let report = rebuild::rebuild(&session).await?;
    tell(&report, context);
    Ok(if report.ambiguous > 0 { 3 } else { 0 })
}

fn tell(report: &RebuildReport, context: &Context) {
    let output = &context.output;
    output.object(&Rebuilt { event: "rebuilt", report });
    for path in &report.set_aside {
        output.text(format_args!("Set aside as {}", safe(&path.display().to_string())));
    }
    if let Some(org) = &report.org {
        let known =
            if report.org_known { "as before" } else { "as found; nothing was left that says otherwise" };
        output.text(format_args!("The workspace belongs to the org {org} ({known})."));
    }
    output.text(format_args!(
        "{} links found: {} by the id that a record carries, {} by key.",
        grouped(report.by_mark + report.by_key),
        grouped(report.by_mark),
        grouped(report.by_key)
    ));
    if report.closed > 0 {
        output.text(format_args!(
            "{} records belong to one that is gone; they stay as they are.",
            grouped(report.closed)
        ));
    }
    output.text(format_args!(
        "On one side only: {} in Salesforce, {} on the platform.",
        grouped(report.alone.org),
        grouped(report.alone.platform)
    ));
    if report.ambiguous > 0 {
        output.text(format_args!(
            "{} records are ambiguous (forcesync issues list):",
            grouped(report.ambiguous)
        ));
        for issue in &report.listed {
            let ids: Vec<&str> = [&issue.ids.org, &issue.ids.platform]
                .into_iter()
                .flatten()
                .map(crate::domain::record::RecordId::as_str)
                .collect();
            output.text(format_args!(
                "  {} {}  {}  {}",
                issue.mapping,
                ids.join(" ⇄ "),
                safe(&issue.label),
                safe(&issue.message)
            ));
        }
    }
    output.text(format_args!("Nothing was written to either side. Go on with `{}`.", report.next));
}
