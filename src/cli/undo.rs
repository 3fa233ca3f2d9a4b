//! `forcesync undo`: takes a run back.

use serde::Serialize;

use crate::cli::arguments::Undo;
use crate::cli::context::Context;
use crate::cli::follow::{follow_to_end, print_end};
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::cli::words;
use crate::domain::command::RunRequest;
use crate::domain::outcome::RunKind;
use crate::domain::undo::{Extent, UndoLeft, UndoPreview, UndoRecord, UndoStep};
use crate::domain::why::telling::values;
use crate::ops::engine::attach;
use crate::ops::error::{OpClass, OpError};
use crate::ops::session::{Access, Session};
use crate::ops::{run, undo};

/// `{"event":"undo",…}`, `{"event":"left",…}`; what an undo would do says by itself which event it is.
#[derive(Serialize)]
struct Told<'a, T: Serialize> {
    event: &'static str,
    #[serde(flatten)]
    what: &'a T,
}

pub(super) async fn run(arguments: Undo, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    let extent = if arguments.dry_run { Extent::Look } else { Extent::Write };
    let request = RunRequest::undo(arguments.run, extent, arguments.released.into());
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
        let mut counts = [0_u64; 3];
        undo::planned(&session, number, |step| {
            counts[match step {
                UndoStep::WouldWrite(_) => 0,
                UndoStep::WouldDelete(_) => 1,
                UndoStep::WouldRestore(_) => 2,
            }] += 1;
            tell_step(step, context);
        })
        .await?;
        context.output.text(format_args!(
            "{} would be written, {} deleted, {} brought back.",
            words::count_of(counts[0], "value"),
            words::count_of(counts[1], "record"),
            words::count_of(counts[2], "record")
        ));
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

fn tell_step(step: &UndoStep, context: &Context) {
    context.output.object(step);
    let whole = |record: &UndoRecord, what: &str| {
        format!("  {}  {}  {what} on the {}", record.mapping, words::ids(&record.ids), record.side)
    };
    let change = match step {
        UndoStep::WouldWrite(change) => change,
        UndoStep::WouldDelete(record) => return context.output.text(safe(&whole(record, "deleted"))),
        UndoStep::WouldRestore(record) => return context.output.text(safe(&whole(record, "brought back"))),
    };
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
