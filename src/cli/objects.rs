//! `forcesync objects`: what the platform's mappings want in the org and no org has by itself.

use serde::Serialize;

use crate::cli::arguments::{Objects, ObjectsAction};
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::ops::error::{OpClass, OpError};
use crate::ops::objects::{self, Missing};
use crate::ops::session::Access;

/// `{"event":"missing",…}`
#[derive(Serialize)]
struct Listed<'a> {
    event: &'static str,
    object: &'a str,
    whole: bool,
    fields: Vec<&'a str>,
}

/// `{"event":"made",…}`
#[derive(Serialize)]
struct Made<'a> {
    event: &'static str,
    made: &'a [String],
    mappings: &'a [String],
}

pub(super) async fn run(arguments: Objects, context: &Context) -> Result<u8, OpError> {
    match arguments.action {
        ObjectsAction::List => list(context).await,
        ObjectsAction::Create { with_mappings, yes } => create(with_mappings, yes, context).await,
    }
}

fn tell(missing: &[Missing], context: &Context) {
    for missing in missing {
        context.output.object(&Listed {
            event: "missing",
            object: &missing.object.name,
            whole: missing.whole,
            fields: missing.fields.iter().map(|field| field.name.as_str()).collect(),
        });
        context.output.text(missing.sentence());
    }
}

async fn list(context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    prompt::unlock(&session, context).await?;
    let missing = objects::missing(&session, &session.settings()).await?;
    tell(&missing, context);
    if missing.is_empty() {
        context.output.text("Nothing is missing.");
        return Ok(0);
    }
    Ok(10)
}

async fn create(with_mappings: bool, yes: bool, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    prompt::unlock(&session, context).await?;
    let missing = objects::missing(&session, &session.settings()).await?;
    if !missing.is_empty() && !yes {
        if !context.output.can_ask() || context.output.is_json() {
            return Err(OpError::settings("This changes the org; say --yes where nobody can be asked."));
        }
        tell(&missing, context);
        let answer = prompt::line("Type yes to make them in the org: ").await?;
        if !answer.trim().eq_ignore_ascii_case("yes") {
            return Err(OpError::new(OpClass::Cancelled, "Nothing was made: it was not confirmed."));
        }
    }
    let made = objects::create(&session).await?;
    let mappings = if with_mappings { objects::add_mappings(&session).await? } else { Vec::new() };
    context.output.object(&Made { event: "made", made: &made, mappings: &mappings });
    if made.is_empty() {
        context.output.text("Nothing was missing.");
    }
    for name in &made {
        context.output.text(format_args!("Made {name}"));
    }
    for name in &mappings {
        context.output.text(format_args!("Added the mapping {name}"));
    }
    Ok(0)
}
