//! What a rehearsal showed (N8, N9): what the mappings did to a sample of both sides in a local sandbox, which records would not come to
//! rest, and what could not be copied. The `--json` shape of `forcesync rehearse` is these types.

use serde::{Deserialize, Serialize};

use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::domain::record::RecordId;
use crate::domain::report::IssueGroup;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;

/// The run from which on nothing should change any more.
pub const LATE: usize = 3;

/// Runs that are rehearsed at most.
pub const MOST_RUNS: usize = 5;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// Each mapping that was rehearsed, in the order of the settings.
    pub mappings: Vec<RehearsedMapping>,
    /// The runs, in order.
    pub runs: Vec<RehearsedRun>,
    /// Copies that were edited on both sides at once before the run of that number, because pairs carry their value in a circle.
    pub edited: Option<Edited>,
    /// Whether runs stopped writing after the second at the latest; after an edit, after the second that followed it.
    pub quiet: bool,
    /// Values that still changed in the third run or later.
    pub unsettled: Vec<Unsettled>,
    /// How many there are; only the first are listed.
    pub unsettled_values: u64,
    /// What could not be copied.
    pub uncopied: Vec<Uncopied>,
}

/// What became of the sample of one mapping, over all runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsedMapping {
    /// The mapping.
    pub mapping: String,
    /// Its objects, for people.
    pub title: String,
    /// Records that were copied.
    pub sampled: PerSide<u64>,
    /// Records that are linked today and were copied together.
    pub linked: u64,
    /// Records that were created on each side.
    pub created: PerSide<u64>,
    /// Records that were changed on each side, counted once.
    pub updated: PerSide<u64>,
    /// Records that were deleted on each side.
    pub deleted: PerSide<u64>,
    /// Pairs that wait for a person.
    pub conflicts: u64,
    /// Open issues by cause.
    pub issues: Vec<IssueGroup>,
}

impl RehearsedMapping {
    /// Records that were refused or could not be decided.
    pub fn refused(&self) -> u64 {
        self.issues.iter().map(|group| group.records).sum()
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsedRun {
    /// Its number, from 1.
    pub run: usize,
    /// Its kind.
    pub kind: RunKind,
    /// How it ended.
    pub result: RunResult,
    /// A sentence about the end, where there is more to say.
    pub message: Option<String>,
    /// What it did.
    pub counts: Counts,
}

impl RehearsedRun {
    /// Records that it wrote.
    pub fn written(&self) -> u64 {
        self.counts.created() + self.counts.updated() + self.counts.deleted()
    }
}

/// Copies that the rehearsal edited on both sides at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// How many.
    pub records: u64,
    /// The run that came next.
    pub before_run: usize,
}

/// A value that still changed in the third run or later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsettled {
    /// The mapping that wrote it last.
    pub mapping: String,
    /// Both records by their real ids; none for one that only the rehearsal made.
    pub ids: PerSide<Option<RecordId>>,
    /// A name by which a person knows the record, where one is known.
    pub label: String,
    /// The side whose value changed.
    pub side: Side,
    /// Its fields.
    pub fields: Vec<String>,
    /// The writes that push it to and fro, in order: those of the last two runs on this value and on the one it goes back to.
    pub writes: Vec<Push>,
}

/// One write of a value that does not come to rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// The run.
    pub run: usize,
    /// The mapping.
    pub mapping: String,
    /// The pair, by the name that people know; the field where no pair wrote it.
    pub pair: String,
    /// How the pair turns values, in words.
    pub transform: String,
    /// The side that was written.
    pub side: Side,
    /// Why, in words.
    pub rule: String,
    /// What stood there.
    pub old: Vec<Value>,
    /// What stands there since.
    pub new: Vec<Value>,
}

/// Something that could not be copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncopied {
    /// The mapping, where it concerns one.
    pub mapping: Option<String>,
    /// What, such as `Contact.Photo__c` or `3 records of contact`.
    pub what: String,
    /// Why, and what that means for the rehearsal.
    pub why: String,
}

impl Rehearsal {
    /// The exit code of the command: 12 where the mappings do not come to rest, 3 with refused records or open conflicts, 0 otherwise.
    pub fn exit_code(&self) -> u8 {
        if let Some(ended) = self.runs.iter().map(|run| run.result).find(|result| broke_off(*result)) {
            return ended.exit_code();
        }
        let open = self.mappings.iter().any(|mapping| mapping.conflicts > 0 || !mapping.issues.is_empty());
        match (self.quiet, open) {
            (false, _) => 12,
            (true, true) => 3,
            (true, false) => 0,
        }
    }

    /// How it ended, in one sentence.
    pub fn sentence(&self) -> String {
        let runs = self.runs.len();
        if let Some(run) = self.runs.iter().find(|run| broke_off(run.result)) {
            let why = run.message.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            return format!("Run {} ended early ({}){why}", run.run, run.result.word());
        }
        if self.quiet {
            return match runs {
                1 => "Quiet at once: the first run found nothing to write.".to_owned(),
                _ => format!("Quiet: run {runs} wrote nothing."),
            };
        }
        let values = self.unsettled_values;
        let (verb, noun) = if values == 1 { ("changes", "value") } else { ("change", "values") };
        if self.runs.last().is_some_and(|run| run.written() == 0) {
            return format!(
                "Quiet only after {runs} runs: {values} {noun} changed in the third run or later."
            );
        }
        format!("Not quiet after {runs} runs: {values} {noun} still {verb}.")
    }
}

impl Edited {
    /// In words.
    pub fn sentence(self) -> String {
        let copies = if self.records == 1 { "copy was" } else { "copies were" };
        format!(
            "Pairs carry a value in a circle, so {} {copies} edited on both sides before run {}.",
            self.records, self.before_run
        )
    }
}

impl Unsettled {
    /// The record, its fields and their side.
    pub fn who(&self) -> String {
        let id = self.ids.org.as_ref().or(self.ids.platform.as_ref());
        let id = id.map_or_else(|| "a record that the rehearsal made".to_owned(), ToString::to_string);
        let label = if self.label.is_empty() { String::new() } else { format!(" {}", self.label) };
        format!("{id}{label}, {} on {}", self.fields.join(" + "), self.side.place())
    }
}

impl Push {
    /// In words: the pair with its transform, both values, where, and the rule.
    pub fn sentence(&self) -> String {
        let text = |values: &[Value]| {
            let shown: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("“{}”", shown.join(" ").trim())
        };
        let how = if self.transform.is_empty() { String::new() } else { format!(" ({})", self.transform) };
        let (old, new) = (text(&self.old), text(&self.new));
        format!("{}{how}: {old} → {new} on {}; {}", self.pair, self.side.place(), self.rule)
    }
}

impl Uncopied {
    /// In words.
    pub fn sentence(&self) -> String {
        let of = self.mapping.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
        format!("not copied: {of}{}: {}.", self.what, self.why.trim_end_matches('.'))
    }
}

/// Whether what comes after such an end says nothing any more.
pub fn broke_off(result: RunResult) -> bool {
    match result {
        RunResult::Succeeded | RunResult::PartlyFailed => false,
        RunResult::Limited
        | RunResult::Braked
        | RunResult::Blocked
        | RunResult::Failed
        | RunResult::Cancelled => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: usize, updated: u64) -> RehearsedRun {
        let mut counts = Counts::default();
        counts.platform.updated = updated;
        RehearsedRun {
            run: number,
            kind: RunKind::Instant,
            result: RunResult::Succeeded,
            message: None,
            counts,
        }
    }

    #[test]
    fn what_does_not_come_to_rest_has_an_exit_code_of_its_own() {
        let quiet = Rehearsal { runs: vec![run(1, 2), run(2, 0)], quiet: true, ..Rehearsal::default() };
        assert_eq!((quiet.exit_code(), quiet.sentence().as_str()), (0, "Quiet: run 2 wrote nothing."));
        let restless = Rehearsal {
            runs: vec![run(1, 2), run(2, 1), run(3, 1)],
            unsettled_values: 1,
            ..Rehearsal::default()
        };
        assert_eq!(restless.exit_code(), 12);
        assert_eq!(restless.sentence(), "Not quiet after 3 runs: 1 value still changes.");
        let mapping = RehearsedMapping { conflicts: 1, ..RehearsedMapping::default() };
        let open = Rehearsal { mappings: vec![mapping], ..quiet };
        assert_eq!(open.exit_code(), 3);
    }

    #[test]
    fn a_run_that_broke_off_says_so() {
        let mut failed = run(1, 0);
        failed.result = RunResult::Blocked;
        failed.message = Some("No right.".into());
        let rehearsal = Rehearsal { runs: vec![failed], ..Rehearsal::default() };
        assert_eq!(
            (rehearsal.exit_code(), rehearsal.sentence().as_str()),
            (7, "Run 1 ended early (blocked): No right.")
        );
    }
}
