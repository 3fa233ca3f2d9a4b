//! `forcesync issues`: the records that failed, and trying them again.

use std::path::Path;

use crate::cli::arguments::{IssueFilter, Issues, IssuesAction};
use crate::cli::context::Context;
use crate::cli::follow::follow;
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::cli::table::Table;
use crate::cli::words;
use crate::domain::outcome::RunKind;
use crate::domain::report::{IssueQuery, IssueRow};
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::ops::engine::attach;
use crate::ops::error::OpError;
use crate::ops::issues::IssueForm;
use crate::ops::read::Snoozed;
use crate::ops::session::{Access, Session};
use crate::ops::{conflicts, export, issues, read, run};
use crate::workspace::settings::Every;

/// Rows read at a time.
const PAGE: usize = 500;

pub(super) async fn run(arguments: Issues, context: &Context) -> Result<u8, OpError> {
    let list = IssuesAction::List { records: false, snoozed: false, filter: IssueFilter::default() };
    match arguments.action.unwrap_or(list) {
        IssuesAction::List { records: false, snoozed, filter } if !context.output.is_json() => {
            groups(&filter, shown(snoozed), context).await
        }
        IssuesAction::List { snoozed, filter, .. } => records(&filter, shown(snoozed), context).await,
        IssuesAction::Show { issue, values } => show(issue, values, context).await,
        IssuesAction::Edit { issue, field, value } => edit(issue, field.as_deref(), &value, context).await,
        IssuesAction::Snooze { issues, filter, how_long, .. } => {
            snooze(issues, &filter, how_long, context).await
        }
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
        cause: filter.cause.clone(),
        limit: PAGE,
        ..IssueQuery::default()
    }
}

fn shown(snoozed: bool) -> Snoozed {
    if snoozed { Snoozed::Shown } else { Snoozed::Hidden }
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

async fn groups(filter: &IssueFilter, snoozed: Snoozed, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let groups = read::issue_groups_with(&session, snoozed).await?;
    let mut table = Table::new(&["code", "mapping", "records", "since", "cause"]);
    let wanted =
        |filter: &Option<String>, value: &str| filter.as_deref().is_none_or(|filter| filter == value);
    for group in groups
        .iter()
        .filter(|group| wanted(&filter.code, &group.code) && wanted(&filter.mapping, &group.mapping))
        .filter(|group| wanted(&filter.cause, &group.cause))
    {
        table.row([
            group.code.clone(),
            group.mapping.clone(),
            match group.snoozed {
                0 => words::number(group.records),
                snoozed => format!("{} ({} snoozed)", words::number(group.records), words::number(snoozed)),
            },
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

async fn records(filter: &IssueFilter, snoozed: Snoozed, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let mut any = false;
    let awake_at = (snoozed == Snoozed::Hidden).then(|| context.clock.now());
    each_page(&session, IssueQuery { awake_at, ..query(filter) }, |rows| {
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

async fn show(issue: i64, values: bool, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    if values {
        let form = issues::form(&session, issue).await?;
        print_form(&form, context);
        return Ok(0);
    }
    let row = issues::one(&session, issue).await?;
    let others = issues::same_cause(&session, &row).await?;
    context.output.object(&row);
    print_issue(&row, others, context);
    Ok(0)
}

/// What is known about an issue without asking either side.
fn print_issue(row: &IssueRow, others: u64, context: &Context) {
    let output = &context.output;
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
    if let Some(until) = row.snoozed_until {
        output.text(format_args!("  snoozed  until {}", words::moment(until)));
    }
    if others > 0 {
        output.text(format_args!(
            "  as well  {} with the same cause on the same fields; a change of the mapping would clear them together",
            words::count_of(others, "other record")
        ));
    }
}

fn print_form(form: &IssueForm, context: &Context) {
    let output = &context.output;
    output.object(form);
    print_issue(&form.issue, form.same_cause, context);
    let mut table = Table::new(&["", "Salesforce field", "Salesforce", "platform field", "platform"]);
    for field in &form.fields {
        table.row([
            if field.failing { "!".to_owned() } else { String::new() },
            field.fields.org.join(" + "),
            quoted(field.values.org.as_deref()),
            field.fields.platform.join(" + "),
            quoted(field.values.platform.as_deref()),
        ]);
    }
    for line in table.lines() {
        output.text(format_args!("  {line}"));
    }
    if let Some(reason) = &form.unread {
        output.note(safe(reason));
    }
    let side = match form.source {
        Side::Org => "Salesforce",
        Side::Platform => "the platform",
    };
    output.text(format_args!("  An edited value is written to {side}, where the refused one came from."));
}

fn quoted(values: Option<&[Value]>) -> String {
    let Some(values) = values else { return "–".into() };
    let shown =
        values.iter().map(|value| if value.is_blank() { "blank".into() } else { format!("“{value}”") });
    shown.collect::<Vec<String>>().join(" + ")
}

async fn edit(issue: i64, field: Option<&str>, typed: &[String], context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    prompt::unlock(&session, context).await?;
    let form = issues::form(&session, issue).await?;
    let place = match field {
        Some(name) => form.find(name).ok_or_else(|| {
            OpError::settings(format!("The mapping {} has no pair with {name}.", form.issue.mapping))
                .code("no_field")
        })?,
        None => form.fields.iter().position(|field| field.failing).ok_or_else(|| {
            OpError::settings("This issue names no field of the mapping; say which with --field.")
                .code("no_field")
        })?,
    };
    let interrupts = Interrupts::listen()?;
    let engine = attach(&session).await?;
    run::examine_secrets(&session, &engine).await?;
    let begun = issues::mend(&session, &engine, &form, place, typed, &conflicts::author()).await?;
    let code = if let Some(run) = begun {
        follow(&session, &engine, run, RunKind::Instant, &interrupts, context).await?
    } else {
        context.output.note("A run is on its way; the next one writes the value.");
        0
    };
    engine.close().await;
    Ok(code)
}

async fn snooze(
    mut numbers: Vec<i64>,
    filter: &IssueFilter,
    how_long: Option<Every>,
    context: &Context,
) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    if numbers.is_empty() {
        numbers = matching(&session, filter).await?;
        if numbers.is_empty() {
            context.output.text("There are no such open issues.");
            return Ok(0);
        }
    }
    let engine = attach(&session).await?;
    let done = issues::snooze(&session, &engine, numbers.clone(), how_long).await;
    engine.close().await;
    done?;
    for number in numbers {
        let row = issues::one(&session, number).await?;
        context.output.object(&row);
        context.output.text(match row.snoozed_until {
            Some(until) => format!("Issue {number} is hidden until {}.", words::moment(until)),
            None => format!("Issue {number} is shown."),
        });
    }
    Ok(0)
}

/// The numbers of all open issues that a filter lets through.
async fn matching(session: &Session, filter: &IssueFilter) -> Result<Vec<i64>, OpError> {
    let mut issues = Vec::new();
    each_page(session, query(filter), |rows| {
        issues.extend(rows.iter().map(|row| row.issue));
        Ok(true)
    })
    .await?;
    Ok(issues)
}

async fn retry(mut issues: Vec<i64>, filter: &IssueFilter, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    let filtered = filter.code.is_some() || filter.mapping.is_some() || filter.cause.is_some();
    if issues.is_empty() && filtered {
        issues = matching(&session, filter).await?;
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
