//! `forcesync pause`, `resume` and `cancel`: steer the engine that runs in this workspace.

use serde::Serialize;

use crate::cli::context::Context;
use crate::domain::command::{Command, Reply};
use crate::ops::engine::peek;
use crate::ops::error::OpError;
use crate::ops::session::Access;

/// What a person wants of the run at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Pause,
    Resume,
    Cancel,
}

#[derive(Serialize)]
struct Done {
    event: &'static str,
}

pub(super) async fn run(wish: Wish, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let engine = peek(&session).await?.ok_or_else(|| {
        OpError::failed("No engine runs in this workspace, so there is nothing to steer.").code("no_engine")
    })?;
    let (command, event, sentence) = match wish {
        Wish::Pause => (Command::Pause, "paused", "The run is held after the batch in hand."),
        Wish::Resume => (Command::Resume, "resumed", "The run goes on."),
        Wish::Cancel => (Command::Cancel, "cancelled", "The run ends after the batch in hand."),
    };
    match engine.ask(command).await? {
        Reply::Refused { message } => Err(OpError::failed(message).code("refused")),
        Reply::Accepted
        | Reply::Started { .. }
        | Reply::Status { .. }
        | Reply::Forgotten { .. }
        | Reply::Moved { .. }
        | Reply::Kept { .. } => {
            context.output.object(&Done { event });
            context.output.text(sentence);
            Ok(0)
        }
    }
}
