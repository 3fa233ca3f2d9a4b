//! `forcesync history`: what changed on which record, by which run and rule.

use crate::cli::arguments::History;
use crate::cli::context::Context;
use crate::cli::safe_text::safe;
use crate::cli::words;
use crate::domain::report::{HistoryChange, HistoryQuery, HistoryRow};
use crate::domain::value::Value;
use crate::ops::error::OpError;
use crate::ops::read;
use crate::ops::session::Access;

/// Rows read at once; a search prints while it goes on, and ends when nobody reads any more.
const PAGE: usize = 500;

pub(super) async fn run(arguments: History, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    if let Some(name) = &arguments.mapping
        && session.settings().mapping(name).is_none()
    {
        // It may be a mapping of old: its history is still there.
        context.output.note(format_args!("The settings have no mapping “{name}”."));
    }
    let now = context.clock.now();
    let mut query = HistoryQuery {
        id: arguments.id.clone(),
        run: arguments.run,
        mapping: arguments.mapping.clone(),
        field: arguments.field.clone(),
        since: arguments.since.map(|when| when.moment(now)),
        until: arguments.until.map(|when| when.moment(now)),
        before: arguments.before,
        limit: 0,
    };
    let mut left = arguments.limit;
    let mut found = false;
    while left > 0 && !context.output.is_closed() {
        query.limit = left.min(PAGE);
        let page = read::history_page(&session, query.clone()).await?;
        left = left.saturating_sub(page.rows.len());
        for row in &page.rows {
            found = true;
            print(row, context);
        }
        match page.next {
            Some(next) => query.before = Some(next),
            None => break,
        }
    }
    if !found {
        context.output.text("Nothing has been written that would match.");
    }
    Ok(0)
}

fn print(row: &HistoryRow, context: &Context) {
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
