//! `forcesync config`: looks after the settings file.

use std::path::Path;

use serde::Serialize;

use crate::cli::arguments::{Config, ConfigAction};
use crate::cli::context::Context;
use crate::cli::safe_text::safe;
use crate::domain::mapping_change::Change;
use crate::ops::config;
use crate::ops::error::OpError;
use crate::ops::session::Access;

/// The exit code of a comparison that found something, as that of a plan.
const CHANGES: u8 = 10;

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

pub(super) fn run(arguments: &Config, context: &Context) -> Result<u8, OpError> {
    match arguments.action {
        ConfigAction::Validate => validate(context),
        ConfigAction::Diff { ref file } => diff(file, context),
    }
}

/// One change as an object.
#[derive(Serialize)]
struct ChangeLine<'a> {
    event: &'static str,
    #[serde(flatten)]
    change: &'a Change,
}

/// The last object.
#[derive(Serialize)]
struct Compared {
    event: &'static str,
    changes: usize,
}

fn diff(file: &Path, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let changes = config::diff(&session, file)?;
    let output = &context.output;
    for change in &changes {
        output.object(&ChangeLine { event: "change", change });
        output.text(safe(&change.to_string()));
    }
    output.object(&Compared { event: "compared", changes: changes.len() });
    if changes.is_empty() {
        output.text("The mappings mean the same.");
    }
    Ok(if changes.is_empty() { 0 } else { CHANGES })
}

fn validate(context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let problems = config::validate(&session);
    let output = &context.output;
    let file = session.settings_file().display().to_string();
    for problem in &problems {
        output.object(&Line { event: "problem", problem });
        let line = format!("{file}: {}: {problem}", if problem.blocks() { "error" } else { "warning" });
        if output.is_json() {
            output.note(safe(&line));
        } else {
            output.text(safe(&line));
        }
    }
    let errors = problems.iter().filter(|problem| problem.blocks()).count();
    output.object(&Summary {
        event: "validated",
        file: file.clone(),
        errors,
        warnings: problems.len() - errors,
    });
    if problems.is_empty() {
        output.text(format_args!("{file} is fine."));
    }
    Ok(if errors > 0 { 2 } else { 0 })
}
