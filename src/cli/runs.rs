//! `forcesync runs`: what ran, and how it ended.

use crate::cli::arguments::Runs;
use crate::cli::context::Context;
use crate::cli::table::Table;
use crate::cli::words;
use crate::domain::report::RunRow;
use crate::ops::error::OpError;
use crate::ops::read;
use crate::ops::session::Access;

pub(super) async fn run(arguments: Runs, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    if let Some(number) = arguments.run {
        let row = read::run(&session, number).await?.ok_or_else(|| {
            OpError::settings(format!("There is no run {number}. `forcesync runs` lists those there are."))
                .code("no_run")
        })?;
        context.output.object(&row);
        show(&row, context);
        return Ok(0);
    }
    let rows = read::runs(&session, arguments.before, arguments.limit).await?;
    let mut table = Table::new(&["run", "kind", "started", "took", "result", "created", "updated", "failed"]);
    for row in &rows {
        context.output.object(row);
        table.row([
            row.run.to_string(),
            row.kind.word().into(),
            words::moment(row.started),
            took(row),
            row.result.map_or("–", words::result).into(),
            words::number(row.counts.created()),
            words::number(row.counts.updated()),
            words::number(row.counts.failed),
        ]);
    }
    if table.is_empty() {
        context.output.text("Nothing has run yet.");
    } else {
        table.print(&context.output);
    }
    Ok(0)
}

fn took(row: &RunRow) -> String {
    row.finished
        .and_then(|finished| (finished - row.started).to_std().ok())
        .map_or_else(|| "–".into(), words::duration)
}

fn show(row: &RunRow, context: &Context) {
    let output = &context.output;
    let end = row.result.map_or("not finished", words::result);
    output.text(format_args!("Run {} ({}): {end}", row.run, row.kind.word()));
    output.text(format_args!("  started  {}   took {}", words::moment(row.started), took(row)));
    if !row.mappings.is_empty() {
        output.text(format_args!("  mappings {}", row.mappings.join(", ")));
    }
    output.text(format_args!("  {}", words::counts(&row.counts)));
    for (side, counts) in [("Salesforce", &row.counts.salesforce), ("platform", &row.counts.platform)] {
        output.text(format_args!(
            "  {side}: created {}, updated {}, deleted {}, API calls {}",
            words::number(counts.created),
            words::number(counts.updated),
            words::number(counts.deleted),
            words::number(counts.calls)
        ));
    }
    if let Some(message) = &row.message {
        output.text(format_args!("  {}", crate::cli::safe_text::safe(message)));
    }
}
