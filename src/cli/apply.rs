//! `forcesync apply`: does what a saved plan says, and nothing else.

use std::path::PathBuf;

use crate::cli::arguments::Apply;
use crate::cli::context::Context;
use crate::cli::follow;
use crate::cli::interrupts::Interrupts;
use crate::cli::plan::{telling, written};
use crate::cli::prompt;
use crate::cli::words;
use crate::domain::outcome::RunKind;
use crate::domain::plan::saved::{PlanDeed, PlanHead};
use crate::domain::side::Side;
use crate::ops::engine::{EngineClient, attach};
use crate::ops::error::{OpClass, OpError};
use crate::ops::plan::{self, file};
use crate::ops::run;
use crate::ops::session::{Access, Session};

pub(super) async fn run(arguments: Apply, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    let from_file = file::is_file(&arguments.plan);
    if !from_file {
        plan::refuse_applied(&plan::find(&session, &arguments.plan).await?)?;
    }
    prompt::unlock(&session, context).await?;
    let interrupts = Interrupts::listen()?;
    let engine = attach(&session).await?;
    let code = apply(&arguments, from_file, (&session, &engine), &interrupts, context).await;
    engine.close().await;
    code
}

async fn apply(
    arguments: &Apply,
    from_file: bool,
    (session, engine): (&Session, &EngineClient),
    interrupts: &Interrupts,
    context: &Context,
) -> Result<u8, OpError> {
    let named = if from_file {
        // The engine may run elsewhere, in another folder.
        let path = PathBuf::from(&arguments.plan);
        let path = std::path::absolute(&path).unwrap_or(path);
        let imported = plan::keep(engine, PlanDeed::Import { file: path }).await?;
        imported.map_or_else(String::new, |number| number.to_string())
    } else {
        arguments.plan.clone()
    };
    let head = plan::find(session, &named).await?;
    let request = plan::applying(head.plan, arguments.released.into());
    run::examine(session, &request)?;
    run::examine_secrets(session, engine).await?;
    if let Some(name) = &arguments.confirm_workspace {
        run::confirm_workspace(engine, name).await?;
    }
    if !arguments.yes && context.output.can_ask() && !context.output.is_json() {
        confirm(session, &head, interrupts, context).await?;
    }
    let run = run::start(engine, request).await?;
    follow::follow(session, engine, run, RunKind::Apply, interrupts, context).await
}

async fn confirm(
    session: &Session,
    head: &PlanHead,
    interrupts: &Interrupts,
    context: &Context,
) -> Result<(), OpError> {
    let names = telling::Names::of(session);
    context.output.note(format_args!(
        "Plan {} of {} writes {} in {} and {} in {}.",
        head.title(),
        words::moment(head.made),
        words::count_of(written(head, Side::Org), "record"),
        names.side(Side::Org),
        words::count_of(written(head, Side::Platform), "record"),
        names.side(Side::Platform)
    ));
    for line in &head.fires {
        context.output.note(format_args!("  {line}"));
    }
    let answer = tokio::select! {
        answer = prompt::line("Type yes to go on: ") => answer?,
        () = interrupts.reached(1) => String::new(),
    };
    if answer.trim().eq_ignore_ascii_case("yes") {
        Ok(())
    } else {
        Err(OpError::new(OpClass::Cancelled, "Nothing was done: the plan was not confirmed."))
    }
}
