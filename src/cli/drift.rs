//! `forcesync drift`: what both sides say of their fields that is not what was accepted, and accepting it.

use serde::Serialize;

use crate::cli::arguments::{Drift, DriftAction};
use crate::cli::context::Context;
use crate::cli::safe_text::safe;
use crate::cli::words;
use crate::domain::command::Acceptance;
use crate::domain::report::DriftRow;
use crate::ops::drift;
use crate::ops::engine::attach;
use crate::ops::error::OpError;
use crate::ops::session::Access;

/// `{"event":"accepted",…}`
#[derive(Serialize)]
struct Accepted<'a> {
    event: &'static str,
    what: Acceptance,
    mappings: &'a [String],
    ended: usize,
    left: usize,
}

pub(super) async fn run(arguments: Drift, context: &Context) -> Result<u8, OpError> {
    match arguments.action.unwrap_or(DriftAction::List { mapping: None }) {
        DriftAction::List { mapping } => list(mapping.as_deref(), context).await,
        DriftAction::Accept { mappings } => accept(mappings, context).await,
    }
}

async fn list(mapping: Option<&str>, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let rows = drift::rows(&session, mapping).await?;
    for row in &rows {
        context.output.object(row);
        context.output.text(format_args!(
            "{:<6} {}  since {}{}",
            row.finding.effect.word(),
            row.finding.mapping,
            words::moment(row.since),
            if row.acceptable { ", can be accepted" } else { "" }
        ));
        context.output.text(format_args!("       {}.", safe(&row.finding.message)));
    }
    if rows.is_empty() {
        context.output.text("Both sides are as they were accepted, as far as runs have seen.");
    }
    Ok(0)
}

async fn accept(mappings: Vec<String>, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    drift::known(&session, &mappings)?;
    let mine = |rows: Vec<DriftRow>| {
        let of = |row: &DriftRow| {
            mappings.is_empty() || mappings.iter().any(|name| name.eq_ignore_ascii_case(&row.finding.mapping))
        };
        rows.into_iter().filter(of).collect::<Vec<_>>()
    };
    let before = mine(drift::rows(&session, None).await?);
    let engine = attach(&session).await?;
    let done = drift::accept(&engine, mappings.clone(), Acceptance::Drift).await;
    engine.close().await;
    done?;
    let left = mine(drift::rows(&session, None).await?);
    let ended = before.len().saturating_sub(left.len());
    context.output.object(&Accepted {
        event: "accepted",
        what: Acceptance::Drift,
        mappings: &mappings,
        ended,
        left: left.len(),
    });
    context.output.text(match (before.len(), ended) {
        (0, _) => "There is nothing to accept.".to_owned(),
        (_, 0) => "None of it ends by being accepted: give the fields or rights back, or change the mapping."
            .to_owned(),
        (_, ended) => format!(
            "{} accepted; the next run goes by what both sides say now.",
            words::count_of(ended as u64, "change")
        ),
    });
    for row in &left {
        context.output.text(format_args!("  {}.", safe(&row.finding.message)));
    }
    Ok(0)
}
