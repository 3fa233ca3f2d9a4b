//! `forcesync plan`: what a run would do, before anything is written; and the plans that are kept.

mod scope;
pub(super) mod telling;

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::arguments::{Plan, PlanAction, PlanLines};
use crate::cli::context::Context;
use crate::cli::follow;
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::table::Table;
use crate::cli::words;
use crate::domain::command::RunRequest;
use crate::domain::outcome::RunKind;
use crate::domain::plan::saved::{Deed, PlanDeed, PlanHead, PlanQuery};
use crate::domain::side::Side;
use crate::ops::engine::attach;
use crate::ops::error::{OpClass, OpError};
use crate::ops::plan::{self, file};
use crate::ops::run;
use crate::ops::session::{Access, Session};

/// Lines that are printed for people unless they want all.
const FIRST: usize = 20;

pub(super) async fn run(arguments: Plan, context: &Context) -> Result<u8, OpError> {
    match arguments.action {
        None if arguments.scope => scope::run(arguments, context).await,
        None => make(arguments, context).await,
        Some(PlanAction::List) => list(context).await,
        Some(PlanAction::Show { plan, mapping, left, save, lines }) => {
            let query = PlanQuery { mapping, left, ..lines.query() };
            show(&plan, &query, &lines, save, context).await
        }
        Some(PlanAction::Diff { before, after }) => diff(&before, &after, context).await,
        Some(PlanAction::Forget { plan }) => forget(&plan, context).await,
    }
}

/// `{"event":"saved",…}`
#[derive(Serialize)]
struct Saved {
    event: &'static str,
    plan: i64,
    file: PathBuf,
    lines: u64,
}

async fn make(arguments: Plan, context: &Context) -> Result<u8, OpError> {
    let (mut name, mut file) = (None, None);
    match &arguments.save {
        Some(word) if file::is_file(word) => file = Some(PathBuf::from(word)),
        Some(word) => {
            plan::check_name(word)?;
            name = Some(word.clone());
        }
        None => {}
    }
    if let Some(file) = file.as_ref().filter(|file| file.exists()) {
        return Err(OpError::settings(format!("{} exists already; name another file.", file.display())));
    }
    let session = context.open(Access::ReadWrite)?;
    let kind = if arguments.initial { RunKind::Initial } else { RunKind::Instant };
    let wanted = RunRequest {
        mappings: arguments.mapping.clone(),
        direction: arguments.direction.map(Into::into),
        ..RunRequest::new(kind)
    };
    run::examine(&session, &wanted)?;
    prompt::unlock(&session, context).await?;
    let interrupts = Interrupts::listen()?;
    let engine = attach(&session).await?;
    if let Err(error) = run::examine_first_sync(&session, &engine, &wanted).await {
        engine.close().await;
        return Err(error);
    }
    run::examine_secrets(&session, &engine).await?;
    let before = engine.reports().borrow().clone();
    if let Err(error) = plan::begin(&engine, plan::instead_of(wanted, name)).await {
        engine.close().await;
        return Err(error);
    }
    let end = plan::made(&engine, before);
    let report = follow::until(&engine, 0, end, &interrupts, context).await;
    engine.close().await;
    let report = report?;
    let head = match report.plan {
        Some(number) => Some(plan::find(&session, &number.to_string()).await?),
        None => None,
    };
    let code = plan::exit_code(&report, head.as_ref());
    let Some(head) = head else {
        let class = if report.settings { OpClass::Settings } else { OpClass::of_result(report.result) };
        return Err(OpError::new(class, report.message.unwrap_or_else(|| "No plan was made.".into())));
    };
    print(&session, &head, &arguments.lines.query(), &arguments.lines, context).await?;
    if let Some(file) = file {
        save(&session, &head, file, context).await?;
    }
    let title = head.title();
    if !head.is_empty() {
        context.output.text(format_args!("\nNothing was written. `forcesync apply {title}` does just this."));
    }
    Ok(code)
}

async fn save(session: &Session, head: &PlanHead, file: PathBuf, context: &Context) -> Result<(), OpError> {
    let lines = file::write(session, head, &file).await?;
    context.output.text(format_args!("{} written to {}.", words::count_of(lines, "line"), file.display()));
    context.output.object(&Saved { event: "saved", plan: head.plan, file, lines });
    Ok(())
}

/// Prints counts, then lines.
async fn print(
    session: &Session,
    head: &PlanHead,
    query: &PlanQuery,
    wanted: &PlanLines,
    context: &Context,
) -> Result<(), OpError> {
    let names = telling::Names::of(session);
    telling::head(head, &names, context);
    if head.applied.is_some() {
        let [done, failed, left] = plan::outcomes(session, head.plan).await?;
        context.output.text(format_args!(
            "  applied      {} done, {} failed, {} left",
            words::number(done),
            words::number(failed),
            words::number(left)
        ));
    }
    if wanted.counts {
        return Ok(());
    }
    let (mut after, mut printed) = (0, 0);
    loop {
        let page = plan::lines(session, head.plan, query, after, plan::PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for line in page {
            if !context.output.is_json() && !wanted.all && printed == FIRST {
                context.output.text(format_args!(
                    "\n  … and more. `forcesync plan show {} --all` prints every line.",
                    head.title()
                ));
                return Ok(());
            }
            printed += 1;
            telling::line(line, &names, context);
        }
        if context.output.is_closed() {
            break;
        }
    }
    Ok(())
}

async fn list(context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let mut table =
        Table::new(&["no", "name", "made", "run", "create", "update", "delete", "link", "conflict", ""]);
    for head in plan::all(&session).await? {
        context.output.object(&file::Event::Plan(Box::new(head.clone())));
        let count = |deed: Deed| words::number(head.records(deed, None));
        table.row([
            head.plan.to_string(),
            head.name.clone().unwrap_or_default(),
            words::moment(head.made),
            head.kind.word().to_owned(),
            count(Deed::Create),
            count(Deed::Update),
            count(Deed::Delete),
            count(Deed::Link),
            count(Deed::Conflict),
            head.applied.map_or_else(String::new, |run| format!("applied by run {run}")),
        ]);
    }
    if table.is_empty() {
        context.output.text("No plan is kept. `forcesync plan` makes one.");
    } else {
        table.print(&context.output);
    }
    Ok(0)
}

async fn show(
    named: &str,
    query: &PlanQuery,
    lines: &PlanLines,
    save_to: Option<PathBuf>,
    context: &Context,
) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let head = plan::find(&session, named).await?;
    print(&session, &head, query, lines, context).await?;
    if let Some(file) = save_to {
        save(&session, &head, file, context).await?;
    }
    Ok(0)
}

/// `{"event":"difference",…}`
#[derive(Serialize)]
struct Told<'a, T: Serialize> {
    event: &'static str,
    #[serde(flatten)]
    what: &'a T,
}

/// `{"event":"differences",…}`, the last line.
#[derive(Serialize)]
struct Differences {
    event: &'static str,
    before: i64,
    after: i64,
    differences: u64,
}

async fn diff(before: &str, after: &str, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let (before, after) = (plan::find(&session, before).await?, plan::find(&session, after).await?);
    let names = telling::Names::of(&session);
    let differences = plan::diff::differences(&session, (before.plan, after.plan), |difference| {
        context.output.object(&Told { event: "difference", what: difference });
        telling::difference(difference, &names, context);
    })
    .await?;
    context.output.text(format_args!(
        "{} between plan {} and plan {}.",
        words::count_of(differences, "difference"),
        before.title(),
        after.title()
    ));
    let (before, after) = (before.plan, after.plan);
    context.output.object(&Differences { event: "differences", before, after, differences });
    Ok(0)
}

async fn forget(named: &str, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    let head = plan::find(&session, named).await?;
    let engine = attach(&session).await?;
    let done = plan::keep(&engine, PlanDeed::Forget { number: head.plan }).await;
    engine.close().await;
    done?;
    context.output.object(&Told { event: "forgotten", what: &ForgottenPlan { plan: head.plan } });
    context.output.text(format_args!("Plan {} is forgotten.", head.title()));
    Ok(0)
}

#[derive(Serialize)]
struct ForgottenPlan {
    plan: i64,
}

/// The number of records that a plan writes on a side.
pub(super) fn written(head: &PlanHead, side: Side) -> u64 {
    [Deed::Create, Deed::Update, Deed::Delete].iter().map(|deed| head.records(*deed, Some(side))).sum()
}
