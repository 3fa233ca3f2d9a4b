//! The plan before anything is written (law E5): making one, looking at it, comparing two, applying one.

pub mod diff;
pub mod file;
pub(crate) mod keeping;

use crate::domain::command::{Allowances, Command, Reply, RunReport, RunRequest};
use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::plan::saved::{Deed, PlanDeed, PlanHead, PlanLine, PlanOrder, PlanQuery};
use crate::ops::engine::{EngineClient, Place};
use crate::ops::error::{OpClass, OpError};
use crate::ops::read::read;
use crate::ops::session::Session;

/// Lines read at once.
pub const PAGE: usize = 500;

/// The request for a plan of what that run would do.
pub fn instead_of(run: RunRequest, name: Option<String>) -> RunRequest {
    RunRequest { plan: Some(PlanOrder::Make { name, fires: Vec::new() }), ..run }
}

/// The request for the run that applies a plan.
pub fn applying(plan: i64, allow: Allowances) -> RunRequest {
    RunRequest { allow, plan: Some(PlanOrder::Apply { number: plan }), ..RunRequest::new(RunKind::Apply) }
}

/// A name that a plan can have: it can be told from a number and from a file.
pub fn check_name(name: &str) -> Result<(), OpError> {
    let fits = name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_'))
        && name.chars().any(|letter| !letter.is_ascii_digit())
        && name.chars().count() <= 60;
    if fits {
        return Ok(());
    }
    Err(OpError::settings(format!(
        "“{name}” can't be a plan's name: take letters, digits, - and _, not digits alone. A file has a dot or a slash in it, such as \
         {name}.jsonl."
    ))
    .code("plan_name"))
}

/// Asks for a plan; its end is told by [`made`].
pub async fn begin(engine: &EngineClient, request: RunRequest) -> Result<(), OpError> {
    match engine.ask(Command::Start(request)).await? {
        Reply::Accepted => Ok(()),
        Reply::Refused { message } => Err(OpError::new(OpClass::Busy, message)),
        Reply::Started { .. }
        | Reply::Status { .. }
        | Reply::Forgotten { .. }
        | Reply::Moved { .. }
        | Reply::Kept { .. } => Err(OpError::failed("The engine answered something else than it was asked.")),
    }
}

/// Waits for the end of the plan that was begun. `before` is how the run ended that was the last one then.
pub async fn made(engine: &EngineClient, before: Option<RunReport>) -> Result<RunReport, OpError> {
    let mut reports = engine.reports();
    loop {
        let last = reports.borrow_and_update().clone();
        if let Some(report) = last.filter(|report| report.run == 0 && Some(report) != before.as_ref()) {
            return Ok(report);
        }
        if reports.changed().await.is_err() {
            return Err(OpError::failed("The engine ended before the plan was made; nothing is left of it."));
        }
    }
}

/// The exit code of a plan: 0 nothing to do, 10 changes, 11 conflicts; of one that was not made, that of its end.
pub fn exit_code(report: &RunReport, head: Option<&PlanHead>) -> u8 {
    match (report.result, head) {
        (RunResult::Succeeded | RunResult::PartlyFailed, Some(head)) => {
            if head.records(Deed::Conflict, None) > 0 {
                11
            } else if head.is_empty() {
                0
            } else {
                10
            }
        }
        (_, _) => report.exit_code(),
    }
}

/// All plans, newest first.
pub async fn all(session: &Session) -> Result<Vec<PlanHead>, OpError> {
    read(session, crate::store::Reader::plans).await
}

/// The plan of that number or name.
pub async fn find(session: &Session, named: &str) -> Result<PlanHead, OpError> {
    let name = named.to_owned();
    read(session, move |reader| reader.plan(&name)).await?.ok_or_else(|| {
        OpError::settings(format!(
            "There is no plan “{named}”. `forcesync plan list` lists those there are, `forcesync plan` makes one."
        ))
        .code("no_plan")
    })
}

/// A page of lines.
pub async fn lines(
    session: &Session,
    plan: i64,
    query: &PlanQuery,
    after: i64,
    limit: usize,
) -> Result<Vec<PlanLine>, OpError> {
    let query = query.clone();
    read(session, move |reader| reader.plan_lines(plan, &query, after, limit)).await
}

/// What a plan that was applied came to: lines done, failed, refused.
pub async fn outcomes(session: &Session, plan: i64) -> Result<[u64; 3], OpError> {
    read(session, move |reader| reader.plan_outcomes(plan)).await
}

/// Refuses to apply what can't be applied any more.
pub fn refuse_applied(head: &PlanHead) -> Result<(), OpError> {
    match head.applied {
        None => Ok(()),
        Some(run) => Err(OpError::settings(format!(
            "Plan {} was applied already, by run {run}. `forcesync plan` makes a new one.",
            head.title()
        ))
        .code("plan_applied")),
    }
}

/// Looks after saved plans; gives the number of the plan where one came of it.
pub async fn keep(engine: &EngineClient, deed: PlanDeed) -> Result<Option<i64>, OpError> {
    match engine.ask(Command::Plans(deed)).await? {
        Reply::Accepted => Ok(None),
        Reply::Kept { plan } => Ok(Some(plan)),
        Reply::Refused { message } => {
            let class = match engine.place() {
                Place::Socket { .. } => OpClass::Busy,
                Place::InProcess => OpClass::Settings,
            };
            Err(OpError::new(class, message).code("plan"))
        }
        Reply::Started { .. } | Reply::Status { .. } | Reply::Forgotten { .. } | Reply::Moved { .. } => {
            Err(OpError::failed("The engine answered something else than it was asked."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_told_from_a_number_and_from_a_file() {
        for good in ["friday", "first-try", "über_1", "7a"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "7", "plan.jsonl", "a/b", "two words", &"x".repeat(61)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
