//! `forcesync forget`: erases a person from this workspace.

use serde::Serialize;

use crate::cli::arguments::Forget;
use crate::cli::context::Context;
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::words;
use crate::domain::forget::Forgotten;
use crate::ops::engine::attach;
use crate::ops::error::{OpClass, OpError};
use crate::ops::forget::{WHAT_IT_DOES, forget};
use crate::ops::session::Access;

/// `{"event":"forgotten",…}`
#[derive(Serialize)]
struct Told<'a> {
    event: &'static str,
    #[serde(flatten)]
    erased: &'a Forgotten,
}

pub(super) async fn run(arguments: Forget, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    if !arguments.yes {
        if !context.output.can_ask() || context.output.is_json() {
            return Err(OpError::settings(
                "Forgetting can't be undone; say --yes where nobody can be asked.",
            ));
        }
        let interrupts = Interrupts::listen()?;
        for sentence in WHAT_IT_DOES {
            context.output.note(sentence);
        }
        let answer = tokio::select! {
            answer = prompt::line("Type yes to go on: ") => answer?,
            () = interrupts.reached(1) => String::new(),
        };
        if !answer.trim().eq_ignore_ascii_case("yes") {
            return Err(OpError::new(OpClass::Cancelled, "Nothing was done: it was not confirmed."));
        }
    }
    let engine = attach(&session).await?;
    let erased = forget(&session, &engine, &arguments.object, &arguments.id).await;
    engine.close().await;
    let erased = erased?;
    context.output.object(&Told { event: "forgotten", erased: &erased });
    context.output.text(erased.sentence());
    for record in &erased.records {
        context.output.text(format_args!("  {}  {}  tombstone", record.mapping, words::ids(&record.ids)));
    }
    context.output.text("Nothing was written to either side: the records there are yours to delete.");
    Ok(0)
}
