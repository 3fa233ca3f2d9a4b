//! `forcesync issues`: the records that failed, and trying them again.

use std::path::Path;

use crate::cli::arguments::{IssueFilter, Issues, IssuesAction};
use crate::cli::context::Context;
use crate::cli::follow::follow;
use crate::cli::interrupts::Interrupts;
use crate::cli::safe_text::safe;
use crate::cli::table::Table;
use crate::cli::words;
use crate::domain::outcome::RunKind;
use crate::domain::report::{IssueQuery, IssueRow};
use crate::ops::engine::attach;
use crate::ops::error::OpError;
use crate::ops::session::{Access, Session};
use crate::ops::{export, read, run};

/// Rows read at a time.
const PAGE: usize = 500;

pub(super) async fn run(arguments: Issues, context: &Context) -> Result<u8, OpError> {
    let list = IssuesAction::List { records: false, filter: IssueFilter::default() };
    match arguments.action.unwrap_or(list) {
        IssuesAction::List { records: false, filter } if !context.output.is_json() => {
            groups(&filter, context).await
        }
        IssuesAction::List { filter, .. } => records(&filter, context).await,
        IssuesAction::Show { issue } => show(issue, context).await,
        IssuesAction::Retry { issues, filter } => retry(issues, &filter, context).await,
        IssuesAction::Export { filter, resolved, out } => {
            export_rows(&filter, resolved, out.as_deref(), context).await
        }
    }
}

fn query(filter: &IssueFilter) -> IssueQuery {
    IssueQuery {
        code: filter.code.clone(),
        mapping: filter.mapping.clone(),
        limit: PAGE,
        ..IssueQuery::default()
    }
}

/// Reads page after page; `each` says whether to go on.
async fn each_page(
    session: &Session,
    mut query: IssueQuery,
    mut each: impl FnMut(&[IssueRow]) -> Result<bool, OpError>,
) -> Result<(), OpError> {
    loop {
        let rows = read::issues(session, query.clone()).await?;
        let last = rows.last().map(|row| row.issue);
        if !each(&rows)? || rows.len() < query.limit || last.is_none() {
            return Ok(());
        }
        query.after = last;
    }
}

async fn groups(filter: &IssueFilter, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let groups = read::issue_groups(&session).await?;
    let mut table = Table::new(&["code", "mapping", "records", "since", "cause"]);
    let wanted =
        |filter: &Option<String>, value: &str| filter.as_deref().is_none_or(|filter| filter == value);
    for group in groups
        .iter()
        .filter(|group| wanted(&filter.code, &group.code) && wanted(&filter.mapping, &group.mapping))
    {
        table.row([
            group.code.clone(),
            group.mapping.clone(),
            words::number(group.records),
            words::moment(group.since),
            group.cause.clone(),
        ]);
    }
    if table.is_empty() {
        context.output.text("There are no open issues.");
    } else {
        table.print(&context.output);
    }
    Ok(0)
}

async fn records(filter: &IssueFilter, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let mut any = false;
    each_page(&session, query(filter), |rows| {
        for row in rows {
            any = true;
            context.output.object(row);
            context.output.text(format_args!(
                "{}  {}  {}  {}  {}  {}",
                row.issue,
                row.mapping,
                safe(&row.label),
                words::ids(&row.ids),
                safe(&row.code),
                safe(&row.message)
            ));
        }
        Ok(!context.output.is_closed())
    })
    .await?;
    if !any {
        context.output.text("There are no open issues.");
    }
    Ok(0)
}

async fn show(issue: i64, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let query = IssueQuery { resolved: true, after: Some(issue - 1), limit: 1, ..IssueQuery::default() };
    let rows = read::issues(&session, query).await?;
    let row = rows.into_iter().find(|row| row.issue == issue).ok_or_else(|| {
        OpError::settings(format!(
            "There is no issue {issue}. `forcesync issues list --records` lists those there are."
        ))
        .code("no_issue")
    })?;
    let output = &context.output;
    output.object(&row);
    output.text(format_args!("Issue {}   {}", row.issue, if row.open { "open" } else { "resolved" }));
    output.text(format_args!("  record   {}  {}", safe(&row.label), words::ids(&row.ids)));
    output.text(format_args!("  mapping  {}", row.mapping));
    output.text(format_args!("  refused  by the {}: {}", row.side, safe(&row.code)));
    output.text(format_args!("  message  {}", safe(&row.message)));
    if !row.fields.is_empty() {
        output.text(format_args!("  fields   {}", safe(&row.fields.join(", "))));
    }
    output.text(format_args!(
        "  seen     {} to {}, in run {}, {}",
        words::moment(row.since),
        words::moment(row.last_seen),
        row.run,
        words::count_of(u64::from(row.tries), "time")
    ));
    Ok(0)
}

async fn retry(mut issues: Vec<i64>, filter: &IssueFilter, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    if issues.is_empty() && (filter.code.is_some() || filter.mapping.is_some()) {
        each_page(&session, query(filter), |rows| {
            issues.extend(rows.iter().map(|row| row.issue));
            Ok(true)
        })
        .await?;
        if issues.is_empty() {
            context.output.text("There are no such open issues.");
            return Ok(0);
        }
    }
    let interrupts = Interrupts::listen()?;
    let engine = attach(&session).await?;
    run::examine_secrets(&session, &engine).await?;
    let run = run::retry(&engine, issues).await?;
    let code = follow(&session, &engine, run, RunKind::Instant, &interrupts, context).await?;
    engine.close().await;
    Ok(code)
}

async fn export_rows(
    filter: &IssueFilter,
    resolved: bool,
    out: Option<&Path>,
    context: &Context,
) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let form = if context.output.is_json() { export::Form::JsonLines } else { export::Form::Csv };
    let query = IssueQuery { resolved, ..query(filter) };
    let mut sink = export::Sink::open(out, form)?;
    let mut count = 0_u64;
    each_page(&session, query, |rows| {
        count += rows.len() as u64;
        let bytes = sink.issues(rows)?;
        context.output.write(&bytes);
        Ok(!context.output.is_closed())
    })
    .await?;
    context.output.write(&sink.finish()?);
    if let Some(path) = out {
        context.output.note(format_args!(
            "{} written to {}.",
            words::count_of(count, "issue"),
            path.display()
        ));
    }
    Ok(0)
}
