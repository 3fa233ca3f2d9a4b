//! `forcesync config`: looks after the settings file.

use serde::Serialize;

use crate::cli::arguments::{Config, ConfigAction};
use crate::cli::context::Context;
use crate::cli::safe_text::safe;
use crate::ops::config;
use crate::ops::error::OpError;
use crate::ops::session::Access;

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
    }
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
