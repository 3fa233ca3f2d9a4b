//! `forcesync read-again DATE`: changes the date of the last synchronization, once the workspace's name was typed.

use serde::Serialize;

use crate::cli::arguments::ReadAgain;
use crate::cli::context::Context;
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::cli::words;
use crate::domain::command::{MovedFeed, ReadAgain as Wanted};
use crate::ops::engine::attach;
use crate::ops::error::OpError;
use crate::ops::read_again::{WHAT_IS_SKIPPED, WHAT_IT_DOES, confirm, moment, read_again, sentence};
use crate::ops::session::Access;

/// `{"event":"read_again",…}`
#[derive(Serialize)]
struct Told<'a> {
    event: &'static str,
    since: chrono::DateTime<chrono::Utc>,
    feeds: &'a [MovedFeed],
}

pub(super) async fn run(arguments: ReadAgain, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    let since = moment(&arguments.since, context.clock.now())?;
    match &arguments.confirm {
        Some(name) => confirm(&session.name(), name)?,
        None if !context.output.can_ask() || context.output.is_json() => {
            return Err(OpError::settings(
                "This changes what the next run reads; say --confirm with the workspace's name where nobody can be asked.",
            ));
        }
        None => {
            let interrupts = Interrupts::listen()?;
            for line in WHAT_IT_DOES.into_iter().chain(arguments.skip.then_some(WHAT_IS_SKIPPED)) {
                context.output.note(line);
            }
            let typed = tokio::select! {
                typed = prompt::line("Type the workspace's name to go on: ") => typed?,
                () = interrupts.reached(1) => String::new(),
            };
            confirm(&session.name(), &typed)?;
        }
    }
    prompt::unlock(&session, context).await?;
    let engine = attach(&session).await?;
    let feeds = read_again(&engine, Wanted { since, skip: arguments.skip }).await;
    engine.close().await;
    let feeds = feeds?;
    context.output.object(&Told { event: "read_again", since, feeds: &feeds });
    for feed in &feeds {
        context.output.text(format_args!(
            "{} ({})  {} {}",
            safe(&feed.object),
            feed.side.place(),
            words::moment_or_dash(feed.before),
            feed.fate.phrase()
        ));
    }
    context.output.text(sentence(&feeds));
    Ok(0)
}
