//! `forcesync hook sample MAPPING [ID]`: sends one record to a webhook receiver, so that it can be mapped there.

use serde::Serialize;

use crate::cli::arguments::{Hook, HookAction};
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::ops::error::OpError;
use crate::ops::hook;
use crate::ops::session::Access;

/// `{"event":"sample",…}`
#[derive(Serialize)]
struct Told<'a> {
    event: &'static str,
    mapping: &'a str,
    id: &'a str,
    mapped: bool,
    row: Option<&'a str>,
    sent: &'a serde_json::Value,
    answered: &'a serde_json::Value,
}

pub(super) async fn run(arguments: Hook, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let HookAction::Sample { mapping, id } = arguments.action;
    prompt::unlock(&session, context).await?;
    let sample = hook::sample(&session, &mapping, id.as_deref()).await?;
    let row = sample.sampled.id.as_deref();
    context.output.object(&Told {
        event: "sample",
        mapping: &mapping,
        id: sample.id.as_str(),
        mapped: row.is_some(),
        row,
        sent: &sample.sent,
        answered: &sample.sampled.echoed,
    });
    match row {
        Some(row) => context.output.text(format_args!(
            "{} was sent and stored as {}: the receiver is mapped.",
            sample.id,
            crate::cli::safe_text::safe(row)
        )),
        None => context.output.text(format_args!(
            "{} was sent. The receiver knows its structure now and waits to be mapped: open it in the platform, map its fields, tick the key \
             of the mapping for deduplication.",
            sample.id
        )),
    }
    Ok(0)
}
