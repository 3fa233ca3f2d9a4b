//! `forcesync run`: automatic sync, headless, until stopped.

use serde::Serialize;

use crate::cli::arguments::Run;
use crate::cli::context::Context;
use crate::cli::follow::Finished;
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::words;
use crate::domain::command::RunReport;
use crate::domain::side::Side;
use crate::ops::error::OpError;
use crate::ops::session::Access;
use crate::service::run::{Headless, Stop};

/// `{"event":"running",…}`, once the engine lives and can be attached to.
#[derive(Serialize)]
struct Running<'a> {
    event: &'static str,
    workspace: &'a str,
    pid: u32,
    every_seconds: u64,
}

pub(super) async fn run(arguments: Run, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    prompt::unlock(&session, context).await?;
    let interrupts = Interrupts::listen()?;
    let headless = Headless::begin(&session, arguments.confirm_workspace.as_deref()).await?;
    let workspace = session.folder().display().to_string();
    let schedule = session.settings().schedule;
    let every = schedule.every_from(Side::Org).min(schedule.every_from(Side::Platform)).duration();
    context.output.object(&Running {
        event: "running",
        workspace: &workspace,
        pid: std::process::id(),
        every_seconds: every.as_secs(),
    });
    if let Some(sentence) = headless.waits() {
        context.output.note(format_args!("{sentence} Automatic sync begins once it is done."));
    }
    context.output.text(format_args!(
        "Automatic sync runs every {} in {workspace}; the console attaches to it. Ctrl-C stops it.",
        if schedule.differs() { schedule.to_string() } else { words::duration(every) }
    ));
    let stops = async {
        interrupts.reached(1).await;
        Stop::AfterTheBatch
    };
    let tell = |report: &RunReport| {
        context.output.object(&Finished::from(report));
        context.output.text(format_args!(
            "{}  run {} ({}): {}   {}{}",
            words::moment(context.clock.now()),
            report.run,
            report.kind.word(),
            words::result(report.result),
            words::counts(&report.counts),
            report
                .message
                .as_deref()
                .map(|text| format!("   {}", crate::cli::safe_text::safe(text)))
                .unwrap_or_default(),
        ));
    };
    tokio::select! {
        () = headless.live(stops, tell) => {}
        () = interrupts.reached(2) => context.output.note("Ended at once. The next start looks up what was on its way."),
    }
    Ok(0)
}
