//! `forcesync conflicts`: parked pairs, and deciding them.

use crate::cli::arguments::{ConflictFilter, Conflicts, ConflictsAction, Resolution, Taken};
use crate::cli::context::Context;
use crate::cli::follow::follow;
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::cli::table::Table;
use crate::cli::words;
use crate::domain::by_hand::{Answer, Choice};
use crate::domain::outcome::RunKind;
use crate::domain::plan::parked_because;
use crate::domain::report::{ConflictQuery, ConflictRow};
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::ops::conflicts::{self, Holds, Wish};
use crate::ops::engine::attach;
use crate::ops::error::{OpClass, OpError};
use crate::ops::run;
use crate::ops::session::Access;

pub(super) async fn run(arguments: Conflicts, context: &Context) -> Result<u8, OpError> {
    let list = ConflictsAction::List { filter: ConflictFilter::default() };
    match arguments.action.unwrap_or(list) {
        ConflictsAction::List { filter } => print_list(&filter, context).await,
        ConflictsAction::Show { conflict } => show(conflict, context).await,
        ConflictsAction::Resolve(resolution) => resolve(resolution, context).await,
    }
}

fn query(filter: &ConflictFilter) -> ConflictQuery {
    ConflictQuery {
        mapping: filter.mapping.clone(),
        why: filter.why.clone(),
        field: filter.pair.clone(),
        ..ConflictQuery::default()
    }
}

async fn print_list(filter: &ConflictFilter, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let rows = conflicts::all(&session, &query(filter)).await?;
    let mut table =
        Table::new(&["no", "mapping", "record", "field", "base", "Salesforce", "platform", "why", ""]);
    for row in &rows {
        context.output.object(row);
        let base = row.base.as_ref().map(|base| if base.org.is_empty() { &base.platform } else { &base.org });
        table.row([
            row.conflict.to_string(),
            row.mapping.clone(),
            if row.label.is_empty() { words::ids(&row.ids) } else { row.label.clone() },
            fields(row),
            base.map_or_else(|| "–".into(), |base| values(base)),
            held(row, Side::Org),
            held(row, Side::Platform),
            row.why.clone(),
            state(row),
        ]);
    }
    if table.is_empty() {
        context.output.text("There are no open conflicts.");
    } else {
        table.print(&context.output);
    }
    Ok(0)
}

/// What a side holds; a record that is gone holds nothing.
fn held(row: &ConflictRow, side: Side) -> String {
    if row.deleted == Some(side) { "deleted".into() } else { values(&row.values[side]) }
}

fn fields(row: &ConflictRow) -> String {
    if row.deleted.is_some() {
        return "the whole record".into();
    }
    match (row.fields.org.is_empty(), row.fields.platform.is_empty()) {
        (true, true) => "the whole record".into(),
        (true, false) => row.fields.platform.join(" + "),
        (false, _) => row.fields.org.join(" + "),
    }
}

fn values(values: &[Value]) -> String {
    let shown: Vec<String> = values
        .iter()
        .map(|value| if value.is_blank() { "blank".into() } else { format!("“{value}”") })
        .collect();
    shown.join(" + ")
}

fn state(row: &ConflictRow) -> String {
    match (&row.decided, &row.note) {
        (Some(decided), _) => format!("decided by {}: {}", decided.by, choice(&decided.choice)),
        (None, Some(note)) => note.clone(),
        (None, None) => String::new(),
    }
}

fn choice(choice: &Choice) -> String {
    match choice {
        Choice::Org => "Salesforce".into(),
        Choice::Platform => "platform".into(),
        Choice::Value { values: chosen, .. } => values(chosen),
    }
}

async fn show(conflict: i64, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let row = conflicts::one(&session, conflict).await?;
    let output = &context.output;
    output.object(&row);
    output.text(format_args!("Conflict {}   {}", row.conflict, safe(&state(&row))));
    output.text(format_args!("  record      {}  {}", safe(&row.label), words::ids(&row.ids)));
    output.text(format_args!("  mapping     {}", row.mapping));
    output.text(format_args!("  why         {}", parked_because(&row.why)));
    output.text(format_args!("  since       {}, last seen in run {}", words::moment(row.since), row.run));
    let mut table = Table::new(&["", "field", "base", "now"]);
    for (name, side) in [("Salesforce", Side::Org), ("platform", Side::Platform)] {
        table.row([
            name.to_owned(),
            row.fields[side].join(" + "),
            row.base.as_ref().map_or_else(|| "–".into(), |base| values(&base[side])),
            held(&row, side),
        ]);
    }
    for line in table.lines() {
        output.text(format_args!("  {line}"));
    }
    if row.deleted.is_some() {
        output.text(format_args!(
            "  forcesync conflicts resolve {} --delete deletes it there too, --keep keeps it and closes the link",
            row.conflict
        ));
    } else {
        output.text(format_args!(
            "  forcesync conflicts resolve {} --take salesforce|platform, or --value V; --rule makes it the pair's rule",
            row.conflict
        ));
    }
    Ok(0)
}

async fn resolve(resolution: Resolution, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    let wish = match (resolution.take, &resolution.value) {
        (Some(Taken::Salesforce), _) => Wish::Take(Side::Org),
        (Some(Taken::Platform), _) => Wish::Take(Side::Platform),
        (Some(Taken::Base), _) => Wish::Base,
        (None, _) if resolution.delete => Wish::Record(Answer::DeleteToo),
        (None, _) if resolution.keep => Wish::Record(Answer::Keep),
        (None, values) => Wish::Values(values.clone()),
    };
    let mut rows = Vec::new();
    for conflict in &resolution.conflicts {
        rows.push(conflicts::one(&session, *conflict).await?);
    }
    if resolution.all {
        rows = conflicts::all(&session, &query(&resolution.filter)).await?;
    }
    if rows.is_empty() {
        context.output.text("There are no such open conflicts.");
        return Ok(0);
    }
    let holds = if resolution.rule { Holds::AsTheRule } else { Holds::Once };
    let sorted = conflicts::sort(&session.settings(), &rows, &wish, holds, &conflicts::author());
    for refused in &sorted.refused {
        context.output.note(format_args!("Conflict {}: {}.", refused.conflict, refused.reason));
    }
    let interrupts = Interrupts::listen()?;
    if resolution.all && !resolution.yes && context.output.can_ask() && !context.output.is_json() {
        context.output.note(format_args!(
            "{} would be decided.",
            words::count_of(sorted.by_hand.len() as u64, "conflict")
        ));
        let answer = tokio::select! {
            answer = prompt::line("Type yes to go on: ") => answer?,
            () = interrupts.reached(1) => String::new(),
        };
        if !answer.trim().eq_ignore_ascii_case("yes") {
            return Err(OpError::new(OpClass::Cancelled, "Nothing was decided."));
        }
    }
    prompt::unlock(&session, context).await?;
    let engine = attach(&session).await?;
    run::examine_secrets(&session, &engine).await?;
    let resolved = conflicts::resolve(&session, &engine, sorted).await?;
    let decided = words::count_of(resolved.decided as u64, "conflict");
    let code = if let Some(run) = resolved.run {
        follow(&session, &engine, run, RunKind::Instant, &interrupts, context).await?
    } else {
        context
            .output
            .note(format_args!("{decided} decided; a run is on its way, and the next one takes them."));
        0
    };
    engine.close().await;
    Ok(code)
}
