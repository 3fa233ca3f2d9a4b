//! `forcesync rehearse`: the mappings, tried out on a copy of some records of both sides in a local sandbox.

use serde::Serialize;
use tokio::sync::watch;

use crate::cli::arguments::Rehearse;
use crate::cli::context::Context;
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::cli::table::Table;
use crate::domain::grouped::grouped;
use crate::domain::rehearsal::{Edited, Rehearsal, RehearsedMapping, RehearsedRun, Uncopied, Unsettled};
use crate::domain::side::PerSide;
use crate::ops::error::{OpClass, OpError};
use crate::ops::rehearse::{Wanted, rehearse};
use crate::ops::session::Access;

/// One thing as an object.
#[derive(Serialize)]
struct Line<'a, T> {
    event: &'static str,
    #[serde(flatten)]
    what: &'a T,
}

/// The last object.
#[derive(Serialize)]
struct Summary {
    event: &'static str,
    quiet: bool,
    runs: usize,
    edited: Option<Edited>,
    unsettled: u64,
    refused: u64,
    conflicts: u64,
    uncopied: usize,
}

pub(super) async fn run(arguments: Rehearse, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    prompt::unlock(&session, context).await?;
    let interrupts = Interrupts::listen()?;
    let wanted = Wanted { records: arguments.records, mappings: arguments.mapping };
    let (told, mut heard) = watch::channel(String::new());
    let settings = session.settings();
    let rehearsing = rehearse(&session, &settings, &wanted, &told);
    tokio::pin!(rehearsing);
    let rehearsal = loop {
        tokio::select! {
            done = &mut rehearsing => break done?,
            // Whatever was copied goes with the future.
            () = interrupts.reached(1) => {
                return Err(OpError::new(OpClass::Cancelled, "Cancelled; nothing is left of the rehearsal."));
            }
            Ok(()) = heard.changed() => context.output.note(heard.borrow_and_update().as_str()),
        }
    };
    objects(&rehearsal, context);
    print(&rehearsal, context);
    Ok(rehearsal.exit_code())
}

fn objects(rehearsal: &Rehearsal, context: &Context) {
    let output = &context.output;
    let line = |mapping: &RehearsedMapping| output.object(&Line { event: "mapping", what: mapping });
    rehearsal.mappings.iter().for_each(line);
    let line = |run: &RehearsedRun| output.object(&Line { event: "run", what: run });
    rehearsal.runs.iter().for_each(line);
    let line = |value: &Unsettled| output.object(&Line { event: "unsettled", what: value });
    rehearsal.unsettled.iter().for_each(line);
    let line = |what: &Uncopied| output.object(&Line { event: "uncopied", what });
    rehearsal.uncopied.iter().for_each(line);
    output.object(&Summary {
        event: "rehearsed",
        quiet: rehearsal.quiet,
        runs: rehearsal.runs.len(),
        edited: rehearsal.edited,
        unsettled: rehearsal.unsettled_values,
        refused: rehearsal.mappings.iter().map(RehearsedMapping::refused).sum(),
        conflicts: rehearsal.mappings.iter().map(|mapping| mapping.conflicts).sum(),
        uncopied: rehearsal.uncopied.len(),
    });
}

fn print(rehearsal: &Rehearsal, context: &Context) {
    let output = &context.output;
    let both = |counts: &PerSide<u64>| format!("{} / {}", grouped(counts.org), grouped(counts.platform));
    let mut table = Table::new(&[
        "Salesforce / platform",
        "copied",
        "created",
        "updated",
        "deleted",
        "refused",
        "conflicts",
    ]);
    for mapping in &rehearsal.mappings {
        table.row([
            mapping.title.clone(),
            both(&mapping.sampled),
            both(&mapping.created),
            both(&mapping.updated),
            both(&mapping.deleted),
            grouped(mapping.refused()),
            grouped(mapping.conflicts),
        ]);
    }
    table.print(output);
    for mapping in &rehearsal.mappings {
        for group in &mapping.issues {
            let noun = if group.records == 1 { "record" } else { "records" };
            let (records, cause) = (grouped(group.records), safe(&group.cause));
            output.text(format_args!(
                "✘ {}: {} {cause} ({records} {noun})",
                mapping.mapping,
                safe(&group.code)
            ));
        }
    }
    if let Some(edited) = rehearsal.edited {
        output.text(edited.sentence());
    }
    for value in &rehearsal.unsettled {
        output.text(format_args!("↻ {}: {}", safe(&value.mapping), safe(&value.who())));
        for push in &value.writes {
            output.text(format_args!("    run {}  {}", push.run, safe(&push.sentence())));
        }
    }
    for what in &rehearsal.uncopied {
        output.text(format_args!("– {}", safe(&what.sentence())));
    }
    output.text(rehearsal.sentence());
}
