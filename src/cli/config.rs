//! `forcesync config`: looks after the settings file.

mod import;
mod promote;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::arguments::{Config, ConfigAction};
use crate::cli::context::Context;
use crate::cli::safe_text::safe;
use crate::domain::mapping_change::Change;
use crate::ops::config::export::{Exported, Present};
use crate::ops::config::{self, Comparison, SettingChange, export};
use crate::ops::error::OpError;
use crate::ops::session::Access;
use crate::workspace::Problem;

/// The exit code of a comparison that found something, as that of a plan.
const CHANGES: u8 = 10;
/// The exit code where something is wrong.
const WRONG: u8 = 2;

/// One problem as an object.
#[derive(Serialize)]
struct Line<'a, P: Serialize> {
    event: &'static str,
    #[serde(flatten)]
    problem: &'a P,
}

/// The last object.
#[derive(Serialize)]
struct Summary {
    event: &'static str,
    file: String,
    errors: usize,
    warnings: usize,
}

pub(super) async fn run(arguments: Config, context: &Context) -> Result<u8, OpError> {
    match arguments.action {
        ConfigAction::Validate => validate(context),
        ConfigAction::Diff { file } => diff(&file, context).await,
        ConfigAction::Export { file, force } => export(file, force, context),
        ConfigAction::Import { file, yes } => import::run(&file, yes, context).await,
        ConfigAction::Promote { to, mapping, maps, yes } => {
            let wanted = config::promote::Wanted { mappings: mapping, said: maps };
            promote::run(&to, &wanted, yes, context).await
        }
    }
}

/// One change as an object.
#[derive(Serialize)]
struct ChangeLine<'a> {
    event: &'static str,
    #[serde(flatten)]
    change: &'a Change,
}

/// One change outside the mappings as an object.
#[derive(Serialize)]
struct SettingLine<'a> {
    event: &'static str,
    #[serde(flatten)]
    change: &'a SettingChange,
}

/// The last object.
#[derive(Serialize)]
struct Compared {
    event: &'static str,
    changes: usize,
}

/// `{"event":"exported",…}`
#[derive(Serialize)]
struct ExportedLine {
    event: &'static str,
    file: String,
    written: bool,
}

/// Prints what changes, line by line.
fn tell(changes: &Comparison, context: &Context) {
    let output = &context.output;
    for change in &changes.settings {
        output.object(&SettingLine { event: "setting", change });
        output.text(safe(&change.to_string()));
    }
    for change in &changes.mappings {
        output.object(&ChangeLine { event: "change", change });
        output.text(safe(&change.to_string()));
    }
}

async fn diff(file: &Path, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let changes = config::diff(&session, file).await?;
    tell(&changes, context);
    context.output.object(&Compared { event: "compared", changes: changes.len() });
    if changes.is_empty() {
        context.output.text("Both files mean the same.");
    }
    Ok(if changes.is_empty() { 0 } else { CHANGES })
}

fn export(file: Option<PathBuf>, force: bool, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let text = export::text(&session)?;
    let Some(file) = file.filter(|file| file.as_os_str() != "-") else {
        if context.output.is_json() {
            context.output.object(&session.settings());
        }
        context.output.text(text.trim_end_matches('\n'));
        return Ok(0);
    };
    let present = if force { Present::Replaced } else { Present::Kept };
    let done = export::write(&text, &file, present)?;
    let name = file.display().to_string();
    context.output.text(match done {
        Exported::Written => format!("The settings were written to {name}. There is no secret in it."),
        Exported::Same => format!("{name} says the same already."),
    });
    context.output.object(&ExportedLine {
        event: "exported",
        file: name,
        written: done == Exported::Written,
    });
    Ok(0)
}

fn validate(context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let problems = config::validate(&session);
    let file = session.settings_file().display().to_string();
    let errors = tell_problems(&problems, &file, context);
    context.output.object(&Summary {
        event: "validated",
        file: file.clone(),
        errors,
        warnings: problems.len() - errors,
    });
    if problems.is_empty() {
        context.output.text(format_args!("{file} is fine."));
    }
    Ok(if errors > 0 { WRONG } else { 0 })
}

/// Prints problems of a file, and tells how many of them keep runs from starting.
fn tell_problems(problems: &[Problem], file: &str, context: &Context) -> usize {
    let output = &context.output;
    for problem in problems {
        output.object(&Line { event: "problem", problem });
        let line = format!("{file}: {}: {problem}", if problem.blocks() { "error" } else { "warning" });
        if output.is_json() {
            output.note(safe(&line));
        } else {
            output.text(safe(&line));
        }
    }
    problems.iter().filter(|problem| problem.blocks()).count()
}
