//! `forcesync status`: what the status block of the console shows.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::words;
use crate::domain::progress::{EngineState, Progress};
use crate::domain::report::{FirstSync, StatusReport};
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
}

pub(super) async fn run(context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let report = read::status(&session).await?;
    let engine = peek(&session).await?.map(|engine| engine.progress().borrow().clone());
    let output = &context.output;
    output.object(&Status {
        workspace: session.folder().display().to_string(),
        report: &report,
        engine: engine.as_ref(),
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
