//! `forcesync deactivate`: sets a record of the platform inactive by hand.

use serde::Serialize;

use crate::cli::arguments::Deactivate;
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::ops::deactivate::deactivate;
use crate::ops::engine::attach;
use crate::ops::error::{OpClass, OpError};
use crate::ops::session::Access;

/// `{"event":"deactivated",…}`
#[derive(Serialize)]
struct Told<'a> {
    event: &'static str,
    object: &'a str,
    id: &'a str,
}

pub(super) async fn run(arguments: Deactivate, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    prompt::unlock(&session, context).await?;
    if !arguments.yes {
        if !context.output.can_ask() || context.output.is_json() {
            return Err(OpError::settings(
                "This writes to the platform; say --yes where nobody can be asked.",
            ));
        }
        let platform = session.settings().platform.kind.label();
        context.output.note(format_args!(
            "The record of {} {} is set inactive in {platform}.",
            arguments.object, arguments.id
        ));
        let answer = prompt::line("Type yes to go on: ").await?;
        if !answer.trim().eq_ignore_ascii_case("yes") {
            return Err(OpError::new(OpClass::Cancelled, "Nothing was done: it was not confirmed."));
        }
    }
    let engine = attach(&session).await?;
    let done = deactivate(&engine, &arguments.object, &arguments.id).await;
    engine.close().await;
    done?;
    context.output.object(&Told { event: "deactivated", object: &arguments.object, id: &arguments.id });
    context.output.text("It is inactive on the platform.");
    Ok(0)
}
