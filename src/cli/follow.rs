//! Follows a run of an attached engine to its end: a bar on a terminal, sparse lines with `--json`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::cli::bar::Bar;
use crate::cli::context::Context;
use crate::cli::interrupts::Interrupts;
use crate::cli::words;
use crate::domain::command::{Command, RunReport};
use crate::domain::foresight::Foresight;
use crate::domain::outcome::{RunKind, RunResult, SideCounts};
use crate::domain::progress::{EngineState, Phase, Progress};
use crate::ops::engine::EngineClient;
use crate::ops::error::{OpClass, OpError};
use crate::ops::session::Session;

/// The least time between two progress lines.
const SPARSE: Duration = Duration::from_secs(1);

/// `{"event":"started",…}`
#[derive(Serialize)]
struct Started {
    event: &'static str,
    run: i64,
    kind: RunKind,
}

/// `{"event":"progress",…}`
#[derive(Serialize)]
struct ProgressLine {
    event: &'static str,
    run: i64,
    state: EngineState,
    phase: Phase,
    done: u64,
    total: Option<u64>,
    eta_seconds: Option<u64>,
    read: u64,
    created: u64,
    updated: u64,
    failed: u64,
}

/// `{"event":"finished",…}`, the last line of every run.
#[derive(Debug, Serialize)]
pub struct Finished {
    event: &'static str,
    run: i64,
    result: RunResult,
    read: u64,
    created: u64,
    updated: u64,
    deleted: u64,
    unchanged: u64,
    skipped: u64,
    failed: u64,
    limited: u64,
    conflicts: u64,
    salesforce: SideCounts,
    platform: SideCounts,
    api_calls: ApiCalls,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct ApiCalls {
    salesforce: u64,
    platform: u64,
}

impl From<&RunReport> for Finished {
    fn from(report: &RunReport) -> Self {
        let counts = report.counts;
        Self {
            event: "finished",
            run: report.run,
            result: report.result,
            read: counts.read,
            created: counts.created(),
            updated: counts.updated(),
            deleted: counts.deleted(),
            unchanged: counts.unchanged,
            skipped: counts.skipped,
            failed: counts.failed,
            limited: counts.limited,
            conflicts: counts.conflicts,
            salesforce: counts.salesforce,
            platform: counts.platform,
            api_calls: ApiCalls { salesforce: counts.salesforce.calls, platform: counts.platform.calls },
            seconds: report.milliseconds as f64 / 1000.0,
        }
    }
}

/// Follows run number `run` and prints its end; the exit code is the run's.
pub async fn follow(
    session: &Session,
    engine: &EngineClient,
    run: i64,
    kind: RunKind,
    interrupts: &Interrupts,
    context: &Context,
) -> Result<u8, OpError> {
    let report = follow_to_end(session, engine, run, kind, interrupts, context).await?;
    Ok(print_end(&report, context))
}

/// Follows run number `run`; its end is still to be printed, by [`print_end`].
pub async fn follow_to_end(
    session: &Session,
    engine: &EngineClient,
    run: i64,
    kind: RunKind,
    interrupts: &Interrupts,
    context: &Context,
) -> Result<RunReport, OpError> {
    begin(run, kind, context);
    watch(session, engine, run, interrupts, context).await
}

/// Says that run number `run` has begun.
pub fn begin(run: i64, kind: RunKind, context: &Context) {
    context.output.object(&Started { event: "started", run, kind });
}

/// Follows a run whose beginning was told by [`begin`], and prints its end; the exit code is the run's.
pub async fn follow_begun(
    session: &Session,
    engine: &EngineClient,
    run: i64,
    interrupts: &Interrupts,
    context: &Context,
) -> Result<u8, OpError> {
    let report = watch(session, engine, run, interrupts, context).await?;
    Ok(print_end(&report, context))
}

async fn watch(
    session: &Session,
    engine: &EngineClient,
    run: i64,
    interrupts: &Interrupts,
    context: &Context,
) -> Result<RunReport, OpError> {
    until(engine, run, engine.end_of(session, run), interrupts, context).await
}

/// Shows the numbers of run number `run`, 0 for a plan, until its end.
pub async fn until(
    engine: &EngineClient,
    run: i64,
    end: impl Future<Output = Result<RunReport, OpError>>,
    interrupts: &Interrupts,
    context: &Context,
) -> Result<RunReport, OpError> {
    let (mut bar, mut foresight) = (Bar::new(), Foresight::default());
    let mut told: Option<DateTime<Utc>> = None;
    let mut progress = engine.progress();
    let mut cancelled = false;
    tokio::pin!(end);
    let report = loop {
        tokio::select! {
            biased;
            report = &mut end => break report,
            () = interrupts.reached(2) => break Err(OpError::new(
                OpClass::Cancelled,
                "Ended at once. What was on its way is looked up at the start of the next run.",
            )),
            () = interrupts.reached(1), if !cancelled => {
                cancelled = true;
                bar.clear();
                context.output.note("Stopping after the batch in hand. Once more ends at once.");
                // A run that has just ended by itself can't be cancelled any more, which is fine.
                let _ = engine.ask(Command::Cancel).await;
            }
            Ok(()) = progress.changed() => {
                let now = context.clock.now();
                let numbers = progress.borrow_and_update().clone();
                foresight.take(&numbers, now);
                let sparse = |last: DateTime<Utc>| (now - last).to_std().is_ok_and(|since| since < SPARSE);
                if context.output.is_json() {
                    if numbers.run.unwrap_or(0) == run && !told.is_some_and(sparse) {
                        told = Some(now);
                        context.output.object(&progress_line(run, &numbers, &foresight));
                    }
                } else {
                    bar.draw(&numbers, &foresight, now);
                }
            }
        }
    };
    bar.clear();
    report
}

fn progress_line(run: i64, numbers: &Progress, foresight: &Foresight) -> ProgressLine {
    let (done, total) = numbers.done();
    ProgressLine {
        event: "progress",
        run,
        state: numbers.state,
        phase: numbers.phase,
        done,
        total,
        eta_seconds: foresight.of_step(numbers),
        read: numbers.read,
        created: numbers.counts.created(),
        updated: numbers.counts.updated(),
        failed: numbers.counts.failed,
    }
}

/// Prints how a run ended, and tells the exit code.
pub fn print_end(report: &RunReport, context: &Context) -> u8 {
    let output = &context.output;
    let took = words::duration(Duration::from_millis(report.milliseconds));
    output.text(format_args!(
        "Run {} ({}): {} in {took}.",
        report.run,
        report.kind.word(),
        words::result(report.result)
    ));
    output.text(format_args!("  {}", words::counts(&report.counts)));
    output.text(format_args!(
        "  API calls: Salesforce {}, platform {}",
        words::number(report.counts.salesforce.calls),
        words::number(report.counts.platform.calls)
    ));
    if report.counts.failed > 0 {
        output.text("  `forcesync issues` lists what failed and why.");
    }
    if let Some(message) = &report.message {
        match report.result {
            RunResult::Succeeded | RunResult::PartlyFailed | RunResult::Cancelled => {
                output.text(format_args!("  {}", crate::cli::safe_text::safe(message)));
            }
            RunResult::Limited | RunResult::Braked | RunResult::Blocked | RunResult::Failed => {
                let class = match report.result {
                    RunResult::Limited => OpClass::Limited,
                    RunResult::Braked => OpClass::Braked,
                    RunResult::Blocked => OpClass::Blocked,
                    _ if report.settings => OpClass::Settings,
                    _ => OpClass::Failed,
                };
                output.error(&OpError::new(class, message.clone()));
            }
        }
    }
    output.object(&Finished::from(report));
    exit_code(report)
}

/// Failed lines and open conflicts are told even where the run itself calls its end a success.
fn exit_code(report: &RunReport) -> u8 {
    let left_open = report.counts.failed > 0 || report.counts.conflicts > 0;
    match report.result {
        RunResult::Succeeded if left_open => RunResult::PartlyFailed.exit_code(),
        _ => report.exit_code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Counts;

    fn report(result: RunResult, counts: Counts) -> RunReport {
        RunReport {
            run: 3,
            kind: RunKind::Instant,
            result,
            message: None,
            counts,
            milliseconds: 1500,
            settings: false,
            plan: None,
        }
    }

    #[test]
    fn the_last_line_of_a_run_has_the_agreed_shape() {
        let mut counts = Counts { read: 9, unchanged: 4, ..Counts::default() };
        counts.salesforce = SideCounts { created: 1, updated: 2, deleted: 0, calls: 7 };
        counts.platform = SideCounts { created: 2, updated: 0, deleted: 1, calls: 5 };
        let line = serde_json::to_string(&Finished::from(&report(RunResult::PartlyFailed, counts))).unwrap();
        assert_eq!(
            line,
            r#"{"event":"finished","run":3,"result":"partly_failed","read":9,"created":3,"updated":2,"deleted":1,"unchanged":4,"skipped":0,"failed":0,"limited":0,"conflicts":0,"salesforce":{"created":1,"updated":2,"deleted":0,"calls":7},"platform":{"created":2,"updated":0,"deleted":1,"calls":5},"api_calls":{"salesforce":7,"platform":5},"seconds":1.5}"#
        );
    }

    #[test]
    fn open_conflicts_are_never_exit_code_zero() {
        let conflicts = Counts { conflicts: 1, ..Counts::default() };
        assert_eq!(exit_code(&report(RunResult::Succeeded, conflicts)), 3);
        assert_eq!(exit_code(&report(RunResult::Succeeded, Counts::default())), 0);
        assert_eq!(exit_code(&report(RunResult::Cancelled, conflicts)), 130);
    }
}
