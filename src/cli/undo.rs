//! `forcesync undo`: takes a run back.

use serde::Serialize;

use crate::cli::arguments::Undo;
use crate::cli::context::Context;
use crate::cli::follow::{follow_to_end, print_end};
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::cli::words;
use crate::domain::command::{Allowances, RunRequest};
use crate::domain::outcome::RunKind;
use crate::domain::undo::{Extent, UndoChange, UndoLeft, UndoPreview};
use crate::domain::why::telling::values;
use crate::ops::engine::attach;
use crate::ops::error::{OpClass, OpError};
use crate::ops::session::{Access, Session};
use crate::ops::{run, undo};

/// `{"event":"undo",…}`, `{"event":"would_write",…}`, `{"event":"left",…}`
#[derive(Serialize)]
struct Told<'a, T: Serialize> {
    event: &'static str,
    #[serde(flatten)]
    what: &'a T,
}

pub(super) async fn run(arguments: Undo, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    let allow = Allowances {
        creates: None,
        updates: arguments.allow_updates,
        blanks: arguments.allow_blanks,
        deletes: arguments.allow_deletes,
        opt_outs: arguments.allow_opt_outs,
    };
    let extent = if arguments.dry_run { Extent::Look } else { Extent::Write };
    let request = RunRequest::undo(arguments.run, extent, allow);
    run::examine(&session, &request)?;
    let preview = undo::preview(&session, arguments.run).await?;
    prompt::unlock(&session, context).await?;
    let interrupts = Interrupts::listen()?;
    context.output.object(&Told { event: "undo", what: &preview });
    let asks = !arguments.dry_run && !arguments.yes && context.output.can_ask() && !context.output.is_json();
    if asks {
        confirm(&session, &preview, &interrupts, context).await?;
    }
    let engine = attach(&session).await?;
    run::examine_secrets(&session, &engine).await?;
    let number = run::start(&engine, request).await?;
    let report = follow_to_end(&session, &engine, number, RunKind::Undo, &interrupts, context).await?;
    if arguments.dry_run {
        let count = undo::planned(&session, number, |change| tell_change(change, context)).await?;
        context.output.text(format_args!("{} would be written.", words::count_of(count, "value")));
    }
    let mut heading = Some("These stay as they are:");
    undo::left(&session, number, |left| {
        if let Some(heading) = heading.take() {
            context.output.text(heading);
        }
        tell_left(left, context);
    })
    .await?;
    let code = print_end(&report, context);
    engine.close().await;
    Ok(code)
}

fn tell_change(change: &UndoChange, context: &Context) {
    context.output.object(&Told { event: "would_write", what: change });
    let line = format!(
        "  {}  {}  {} on the {}: {} → {}",
        change.mapping,
        words::ids(&change.ids),
        change.fields.join(" + "),
        change.side,
        values(&change.old),
        values(&change.new)
    );
    context.output.text(safe(&line));
}

fn tell_left(left: &UndoLeft, context: &Context) {
    context.output.object(&Told { event: "left", what: left });
    let fields =
        if left.fields.is_empty() { String::new() } else { format!("  {}", left.fields.join(" + ")) };
    let line = format!(
        "  {}  {}{fields} on the {}: {}",
        left.mapping,
        words::ids(&left.ids),
        left.side,
        left.why.sentence()
    );
    context.output.text(safe(&line));
}

async fn confirm(
    session: &Session,
    preview: &UndoPreview,
    interrupts: &Interrupts,
    context: &Context,
) -> Result<(), OpError> {
    context.output.note(format_args!("Taking back run {} ({}):", preview.run, preview.kind.word()));
    for sentence in preview.sentences(session.settings().platform.kind.label()) {
        context.output.note(format_args!("  {sentence}"));
    }
    let answer = tokio::select! {
        answer = prompt::line("Type yes to go on: ") => answer?,
        () = interrupts.reached(1) => String::new(),
    };
    if answer.trim().eq_ignore_ascii_case("yes") {
        Ok(())
    } else {
        Err(OpError::new(OpClass::Cancelled, "Nothing was done: the undo was not confirmed."))
    }
}
