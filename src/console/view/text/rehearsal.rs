//! Words of a rehearsal.

use crate::console::view::text::numbers::{count, things};
use crate::domain::rehearsal::{RehearsedMapping, RehearsedRun};
use crate::domain::side::PerSide;

/// The title.
pub const TITLE: &str = "Rehearsal";
/// Before the first step is told.
pub const BEGINNING: &str = "Beginning …";
/// While it is on its way.
pub const WAIT: &str =
    "A copy of some records is tried out on this machine; nothing is written outside. Esc ends it.";
/// At the end.
pub const NOT_SAVED: &str =
    "It used the mappings as they are on the screen. The copy is gone; nothing was written to either side.";

/// What became of the sample of a mapping.
pub fn mapping(mapping: &RehearsedMapping) -> String {
    let both = |counts: &PerSide<u64>| counts.org + counts.platform;
    let mut parts = vec![format!(
        "{} and {} copied",
        things(mapping.sampled.org, "record of Salesforce", "records of Salesforce"),
        things(mapping.sampled.platform, "of the platform", "of the platform")
    )];
    for (word, counts) in
        [("created", &mapping.created), ("updated", &mapping.updated), ("deleted", &mapping.deleted)]
    {
        if both(counts) > 0 {
            parts.push(format!(
                "{word} {} in Salesforce, {} on the platform",
                count(counts.org),
                count(counts.platform)
            ));
        }
    }
    if mapping.refused() > 0 {
        parts.push(format!("{} refused", count(mapping.refused())));
    }
    if mapping.conflicts > 0 {
        parts.push(things(mapping.conflicts, "conflict", "conflicts"));
    }
    format!("{}.", parts.join("; "))
}

/// One run.
pub fn run(run: &RehearsedRun) -> String {
    match run.written() {
        0 => format!("run {} wrote nothing", run.run),
        written => format!("run {} wrote {}", run.run, things(written, "record", "records")),
    }
}
