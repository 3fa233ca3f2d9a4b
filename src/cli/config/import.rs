//! `forcesync config import`: takes in the settings of a file, once they have been looked at.

use std::io::Read;
use std::path::Path;

use serde::Serialize;

use crate::cli::config::{CHANGES, WRONG, tell, tell_problems};
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::ops::config::import;
use crate::ops::error::OpError;
use crate::ops::session::Access;
use crate::workspace::Severity;

/// Longer than any settings file.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The last object.
#[derive(Serialize)]
struct Imported {
    event: &'static str,
    changes: usize,
    written: bool,
    unfinished: usize,
    notes: Vec<String>,
}

pub(super) async fn run(file: &Path, yes: bool, context: &Context) -> Result<u8, OpError> {
    let text = content(file)?;
    let name = file.display().to_string();
    let problems = import::judge(file, &text);
    tell_problems(&problems, &name, context);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(
            OpError::settings(format!("Nothing was taken in: mend {name} first.")).code("settings_wrong")
        );
    }
    // No workspace is made before it is known that something good comes into it.
    let session = if yes { context.open_or_create()? } else { context.open(Access::ReadWrite)? };
    let import = import::read(&session, file, &text).await?;
    tell(&import.changes, context);
    for note in &import.notes {
        context.output.note(safe(note));
    }
    let told = |written: bool| Imported {
        event: "imported",
        changes: import.changes.len(),
        written,
        unfinished: problems.iter().filter(|problem| problem.blocks()).count(),
        notes: import.notes.clone(),
    };
    if import::is_same(&session, &import) {
        context.output.text(format_args!("{name} says what the settings say already."));
        context.output.object(&told(false));
        return Ok(0);
    }
    if import.changes.is_empty() {
        context.output.text("Nothing changes but comments and order.");
    }
    if !yes && !confirmed(context).await? {
        context.output.text("Nothing was written; add --yes to take it in.");
        context.output.object(&told(false));
        return Ok(CHANGES);
    }
    let told = told(true);
    let left = import::apply(&session, import).await?;
    context.output.object(&told);
    let unfinished = left.iter().filter(|problem| problem.blocks()).count();
    context.output.text(format_args!(
        "Taken in; the settings of before are in {}. Automatic runs leave changed mappings out until you have looked at their plan \
         (`forcesync plan`) and accepted them (`forcesync mapping accept`).",
        import::kept_file(session.settings_file()).display()
    ));
    Ok(if unfinished > 0 { WRONG } else { 0 })
}

/// Asks on a terminal; a program has to say so at once.
pub(super) async fn confirmed(context: &Context) -> Result<bool, OpError> {
    if !context.output.can_ask() || context.output.is_json() {
        return Ok(false);
    }
    let answer = prompt::line("Type yes to write this: ").await?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

fn content(file: &Path) -> Result<Vec<u8>, OpError> {
    let mut content = Vec::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().lock().take(LONGEST).read_to_end(&mut content)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(LONGEST).read_to_end(&mut content))
    };
    match read {
        Ok(length) if length as u64 == LONGEST => {
            Err(OpError::settings(format!("{} is too long for a settings file.", file.display())))
        }
        Ok(_) => Ok(content),
        Err(error) => Err(OpError::settings(format!("{} can't be read: {error}.", file.display()))),
    }
}
