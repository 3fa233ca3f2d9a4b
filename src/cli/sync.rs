//! `forcesync sync`: one run in the foreground, here or in the engine that already runs.

use serde::Serialize;

use crate::cli::arguments::{Sync, SyncKind};
use crate::cli::context::Context;
use crate::cli::follow;
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::domain::command::RunRequest;
use crate::domain::outcome::RunKind;
use crate::domain::side_effects::{SideEffect, sentences};
use crate::ops::engine::attach;
use crate::ops::error::{OpClass, OpError};
use crate::ops::run;
use crate::ops::session::{Access, Session};

pub(super) async fn run(arguments: Sync, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    let kind = RunKind::from(arguments.kind);
    let request = RunRequest {
        kind,
        mappings: arguments.mapping.clone(),
        direction: arguments.direction.map(Into::into),
        allow: arguments.released.into(),
        reads: None,
        undo: None,
        push: None,
        hints: None,
        plan: None,
    };
    run::examine(&session, &request)?;
    prompt::unlock(&session, context).await?;
    let interrupts = Interrupts::listen()?;
    // Headless, the command itself is the confirmation; so it is with --json, where a question would break the stream.
    if arguments.kind == SyncKind::Initial
        && !arguments.yes
        && context.output.can_ask()
        && !context.output.is_json()
    {
        confirm(&session, &request, &interrupts, context).await?;
    }
    let engine = attach(&session).await?;
    if let Err(error) = run::examine_first_sync(&session, &engine, &request).await {
        engine.close().await;
        return Err(error);
    }
    run::examine_secrets(&session, &engine).await?;
    if let Some(name) = &arguments.confirm_workspace
        && let Err(error) = run::confirm_workspace(&engine, name).await
    {
        engine.close().await;
        return Err(error);
    }
    let effects = if kind == RunKind::Initial { Some(run::side_effects(&session, &request)) } else { None };
    if let Some(effects) = &effects
        && !context.output.is_json()
        && !context.output.can_ask()
    {
        for line in sentences(effects) {
            context.output.note(line);
        }
    }
    let run = run::start(&engine, request).await?;
    follow::begin(run, kind, context);
    if let Some(effects) = effects {
        context.output.object(&SideEffects { event: "side_effects", kind, effects });
    }
    let code = follow::follow_begun(&session, &engine, run, &interrupts, context).await?;
    engine.close().await;
    Ok(code)
}

/// `{"event":"side_effects",…}`, as an initial sync begins.
#[derive(Serialize)]
struct SideEffects {
    event: &'static str,
    kind: RunKind,
    effects: Vec<SideEffect>,
}

async fn confirm(
    session: &Session,
    request: &RunRequest,
    interrupts: &Interrupts,
    context: &Context,
) -> Result<(), OpError> {
    context.output.note(run::what_an_initial_sync_does(session, request));
    let answer = tokio::select! {
        answer = prompt::line("Type yes to go on: ") => answer?,
        () = interrupts.reached(1) => String::new(),
    };
    if answer.trim().eq_ignore_ascii_case("yes") {
        Ok(())
    } else {
        Err(OpError::new(OpClass::Cancelled, "Nothing was done: the initial sync was not confirmed."))
    }
}
