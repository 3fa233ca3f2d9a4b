//! `forcesync history`: what changed on which record, by which run and rule.

use crate::cli::arguments::History;
use crate::cli::context::Context;
use crate::cli::safe_text::safe;
use crate::cli::words;
use crate::domain::report::{HistoryChange, HistoryQuery};
use crate::domain::value::Value;
use crate::ops::error::OpError;
use crate::ops::read;
use crate::ops::session::Access;

pub(super) async fn run(arguments: History, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let query = HistoryQuery {
        id: arguments.id.clone(),
        run: arguments.run,
        before: arguments.before,
        limit: arguments.limit,
    };
    let rows = read::history(&session, query).await?;
    for row in &rows {
        context.output.object(row);
        context.output.text(format_args!(
            "{}  run {}  {}  {}  {} on the {}",
            words::moment(row.at),
            row.run,
            row.mapping,
            words::ids(&row.ids),
            row.action,
            row.side
        ));
        for change in &row.changes {
            context.output.text(format_args!("    {}", change_line(change)));
        }
    }
    if rows.is_empty() {
        context.output.text("Nothing has been written that would match.");
    }
    Ok(0)
}

fn change_line(change: &HistoryChange) -> String {
    let quoted = |values: &[Value]| {
        let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
        format!("“{}”", texts.join("”, “"))
    };
    let line = format!(
        "{}  {} → {}  ({})",
        change.fields.join(" + "),
        quoted(&change.old),
        quoted(&change.new),
        change.rule
    );
    safe(&line).into_owned()
}
