//! `forcesync config promote`: takes the mappings to another workspace, as from a sandbox org to production.

use std::path::Path;

use serde::Serialize;

use crate::cli::config::import::confirmed;
use crate::cli::config::{CHANGES, Line, WRONG, tell};
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::ops::config::promote::{self, Target, Wanted};
use crate::ops::error::OpError;
use crate::ops::session::{Access, Missing};

/// The last object.
#[derive(Serialize)]
struct Promoted {
    event: &'static str,
    changes: usize,
    remapped: usize,
    lost: usize,
    written: bool,
}

pub(super) async fn run(to: &Path, wanted: &Wanted, yes: bool, context: &Context) -> Result<u8, OpError> {
    let source = context.open(Access::ReadOnly)?;
    let target = target(to, context)?;
    prompt::unlock(&source, context).await?;
    if let Target::Workspace(session) = &target {
        if session.settings_file() == source.settings_file() {
            return Err(OpError::settings("That is the same workspace: name the other one with --to."));
        }
        prompt::unlock(session, context).await?;
    }
    let promotion = promote::prepare(&source, &target, wanted).await?;
    let output = &context.output;
    for found in &promotion.remapped {
        output.object(&Line { event: "remapped", problem: found });
        output.text(safe(&format!(
            "{}, {}: {} → {} ({})",
            found.spot.mapping, found.spot.place, found.before, found.after, found.by
        )));
    }
    for lost in &promotion.lost {
        output.object(&Line { event: "no_counterpart", problem: lost });
        let line = format!("error: {}, {}: {}", lost.spot.mapping, lost.spot.place, lost.message);
        if output.is_json() {
            output.note(safe(&line));
        } else {
            output.text(safe(&line));
        }
    }
    tell(&promotion.changes, context);
    let told = |written: bool| Promoted {
        event: "promoted",
        changes: promotion.changes.len(),
        remapped: promotion.remapped.len(),
        lost: promotion.lost.len(),
        written,
    };
    if !promotion.lost.is_empty() {
        output.object(&told(false));
        output.text("Nothing was written: say what stands for what has no counterpart.");
        return Ok(WRONG);
    }
    if promotion.changes.is_empty() {
        output.object(&told(false));
        output.text("The target says so already.");
        return Ok(0);
    }
    if !yes && !confirmed(context).await? {
        output.object(&told(false));
        output.text("Nothing was written; add --yes to promote it.");
        return Ok(CHANGES);
    }
    let told = told(true);
    promote::apply(&target, promotion).await?;
    output.object(&told);
    output.text(format_args!(
        "Promoted to {}. Automatic runs there leave changed mappings out until you have looked at their plan (`forcesync plan`) and \
         accepted them (`forcesync mapping accept`).",
        to.display()
    ));
    Ok(0)
}

/// A folder is a workspace; anything else is a file.
fn target(to: &Path, context: &Context) -> Result<Target, OpError> {
    if to.is_dir() {
        let session = context.open_at(Some(to.to_owned()), Access::ReadWrite, Missing::Refuse)?;
        return Ok(Target::Workspace(Box::new(session)));
    }
    if to.extension().is_some() {
        return Ok(Target::File(to.to_owned()));
    }
    Err(OpError::settings(format!(
        "There is no workspace {}: name a folder that is one, or a file that ends with .toml.",
        to.display()
    )))
}
