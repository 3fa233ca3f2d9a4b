//! A plan as it is kept: its head, its lines as people look at them, and what each line was decided from (law E5).

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::mapping::Direction;
use crate::domain::outcome::RunKind;
use crate::domain::plan::{Action, Line, SkipReason};
use crate::domain::side::{PerSide, Side};

/// What is done with a record, in one word. A line can be several things at once: a link that is also an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// A record is created.
    Create,
    /// Values of a record are changed.
    Update,
    /// A record is deleted.
    Delete,
    /// Two records are linked that were not.
    Link,
    /// A pair waits for a person.
    Conflict,
    /// It can't be done.
    Refused,
    /// It is left out.
    Skipped,
}

impl Deed {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 7] =
        [Self::Create, Self::Update, Self::Delete, Self::Link, Self::Conflict, Self::Refused, Self::Skipped];

    /// The word of design, screens and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Link => "link",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Skipped => "skipped",
        }
    }

    /// The deed of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.word() == word)
    }

    /// Its bit in the database.
    pub fn bit(self) -> i64 {
        match self {
            Self::Create => 1,
            Self::Update => 2,
            Self::Delete => 4,
            Self::Link => 8,
            Self::Conflict => 16,
            Self::Refused => 32,
            Self::Skipped => 64,
        }
    }

    /// Whether a run that does it leaves something behind on a side or in the links.
    pub fn changes_something(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete | Self::Link)
    }
}

/// A deed of a line: where, why if it is not done, and how many values it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeedOf {
    /// What.
    pub deed: Deed,
    /// The side that is written.
    pub side: Option<Side>,
    /// Why it is left out, refused or parked; few different ones, so that they can be counted.
    pub reason: Option<String>,
    /// Values written or parked.
    pub values: u64,
}

impl Line {
    /// Everything that the line does. `linked` says whether its records are linked already; an empty list needs nothing.
    pub fn deeds(&self, linked: bool) -> Vec<DeedOf> {
        let one = |deed, side, reason, values| DeedOf { deed, side, reason, values };
        let written = |side: Side| self.changes.iter().filter(|change| change.to == side).count() as u64;
        let mut deeds = Vec::new();
        match &self.action {
            Action::Create { on } | Action::Restore { on } => {
                deeds.push(one(Deed::Create, Some(*on), None, written(*on)));
            }
            Action::Delete { on } => deeds.push(one(Deed::Delete, Some(*on), None, 0)),
            Action::Merge => {
                for side in Side::BOTH {
                    let values = written(side);
                    if values > 0 {
                        deeds.push(one(Deed::Update, Some(side), None, values));
                    }
                }
                if !linked && self.ids.org.is_some() && self.ids.platform.is_some() {
                    deeds.push(one(Deed::Link, None, None, 0));
                }
            }
            Action::Skip { reason } => deeds.push(one(Deed::Skipped, None, Some(reason.in_short()), 0)),
            Action::Refuse { obstacle } => {
                deeds.push(one(Deed::Refused, None, Some(obstacle.code.clone()), 0));
            }
        }
        for parked in &self.parked {
            deeds.push(one(Deed::Conflict, None, Some(parked.why.clone()), 1));
        }
        for obstacle in &self.obstacles {
            deeds.push(one(Deed::Refused, None, Some(obstacle.code.clone()), 1));
        }
        deeds
    }
}

impl SkipReason {
    /// The reason without the record that it names, so that equal ones can be counted together.
    pub fn in_short(&self) -> String {
        match self {
            Self::HeldBy { mapping, .. } => format!("held by another record of {mapping}"),
            Self::OutOfScope
            | Self::KeyBlank
            | Self::CreateOff
            | Self::FieldBlank { .. }
            | Self::LinkClosed => self.sentence(),
        }
    }
}

/// What a line was decided from, as hashes: when one changed, the line is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The values of each side; `None` where it was not read.
    pub sides: PerSide<Option<i64>>,
    /// The link and its bases.
    pub base: i64,
}

/// What became of a line when its plan was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineOutcome {
    /// It was done as planned.
    Done,
    /// The service refused it; an issue is kept.
    Failed,
    /// It was not done, because its records are no longer as the plan saw them.
    Refused,
}

impl LineOutcome {
    /// The word in the database and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }

    /// The outcome of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Done, Self::Failed, Self::Refused].into_iter().find(|outcome| outcome.word() == word)
    }
}

/// A line as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanLine {
    /// Its number in the plan.
    pub number: i64,
    /// A name by which a person knows the record.
    pub label: String,
    /// Whether its records were linked already.
    pub linked: bool,
    /// What was decided.
    #[serde(flatten)]
    pub line: Line,
    /// What it was decided from.
    pub seen: Seen,
    /// What became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<LineOutcome>,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// So many records of one mapping meet the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCount {
    /// The mapping.
    pub mapping: String,
    /// What is done.
    pub deed: Deed,
    /// On which side, where one is written.
    pub side: Option<Side>,
    /// Why it is left out, refused or parked.
    pub reason: Option<String>,
    /// Records.
    pub records: u64,
    /// Values.
    pub values: u64,
}

/// What it costs to do a plan (N5).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanCost {
    /// Calls to each side that reading takes, as the plan itself took them.
    pub reading: PerSide<u64>,
    /// Calls to each side that writing and reading back take; questions after a job are an upper bound.
    pub writing: PerSide<u64>,
    /// How long it takes, in seconds.
    pub seconds: u64,
    /// The org's calls of the day as its last answer told: used, and the limit.
    pub budget: Option<(u64, u64)>,
}

impl PlanCost {
    /// Calls to a side.
    pub fn calls(&self, side: Side) -> u64 {
        self.reading[side] + self.writing[side]
    }

    /// The share of the org's daily limit that it takes, in percent.
    pub fn share(&self) -> Option<f64> {
        let (_, limit) = self.budget?;
        (limit > 0).then(|| self.calls(Side::Org) as f64 * 100.0 / limit as f64)
    }
}

/// A brake that the plan would meet (law E10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanBrake {
    /// The mapping.
    pub mapping: String,
    /// What is counted: `create`, `update`, `blank`, `opt_out` or `delete`.
    pub kind: String,
    /// So many are planned.
    pub planned: u64,
    /// So many may still be done today.
    pub free: u64,
    /// The flag that releases it.
    pub flag: String,
}

/// The head of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanHead {
    /// Its number.
    pub plan: i64,
    /// Its name, if it was given one.
    pub name: Option<String>,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// The run that it foresees.
    pub kind: RunKind,
    /// Only these mappings; all enabled ones if empty.
    pub mappings: Vec<String>,
    /// Only this direction.
    pub direction: Option<Direction>,
    /// The org that it was made for.
    pub org: Option<String>,
    /// The fingerprint of the mappings that it was made by.
    pub settings: String,
    /// Records read.
    pub read: u64,
    /// Records that need nothing.
    pub unchanged: u64,
    /// Lines.
    pub lines: u64,
    /// What they do, by mapping, deed, side and reason.
    pub counts: Vec<PlanCount>,
    /// What it costs.
    pub cost: PlanCost,
    /// What it sets off besides its writes (law E17).
    pub fires: Vec<String>,
    /// Brakes that it would meet.
    pub brakes: Vec<PlanBrake>,
    /// What else is to be known: mappings that are left out, and why.
    pub notes: Vec<String>,
    /// The run that applied it to its end.
    #[serde(default)]
    pub applied: Option<i64>,
}

impl PlanHead {
    /// Records that meet a deed, on a side if one is named.
    pub fn records(&self, deed: Deed, side: Option<Side>) -> u64 {
        let counted =
            self.counts.iter().filter(|count| count.deed == deed && (side.is_none() || count.side == side));
        counted.map(|count| count.records).sum()
    }

    /// Whether there is nothing to do: nothing is written and nothing linked.
    pub fn is_empty(&self) -> bool {
        !self.counts.iter().any(|count| count.deed.changes_something() && count.records > 0)
    }

    /// Its name, else its number.
    pub fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.plan.to_string())
    }
}

/// Which lines of a plan are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanQuery {
    /// Only of this mapping.
    pub mapping: Option<String>,
    /// Only with this deed.
    pub deed: Option<Deed>,
    /// Only where this side is written.
    pub side: Option<Side>,
    /// Only where this text stands in the name, an id, a field or a value; the case does not matter.
    pub search: Option<String>,
    /// Only those that were not done.
    pub left: bool,
}

/// How one plan differs from another in a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanDifference {
    /// The line of the first plan, if it has one.
    pub before: Option<PlanLine>,
    /// The line of the second plan, if it has one.
    pub after: Option<PlanLine>,
}

/// What is asked of the engine about plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "plan", rename_all = "snake_case")]
pub enum PlanOrder {
    /// Make one instead of running; nothing is written to either side, nor to the links.
    Make {
        /// Its name.
        #[serde(default)]
        name: Option<String>,
        /// What the run sets off besides its writes, as sentences.
        #[serde(default)]
        fires: Vec<String>,
    },
    /// Do what this one says, and nothing else.
    Apply {
        /// Its number.
        number: i64,
    },
}

/// Looking after saved plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum PlanDeed {
    /// Forget one.
    Forget {
        /// Its number.
        number: i64,
    },
    /// Keep one under a name, or no longer.
    Name {
        /// Its number.
        number: i64,
        /// The name.
        name: Option<String>,
    },
    /// Take one from a file.
    Import {
        /// The file.
        file: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::{Change, Obstacle, Rule};
    use crate::domain::record::RecordId;
    use crate::domain::value::Value;

    fn line(action: Action) -> Line {
        Line {
            mapping: "contact".into(),
            ids: PerSide { org: Some(RecordId::new("003A")), platform: Some(RecordId::new("p-1")) },
            action,
            changes: Vec::new(),
            parked: Vec::new(),
            obstacles: Vec::new(),
        }
    }

    fn deeds(line: &Line, linked: bool) -> Vec<(Deed, Option<Side>)> {
        line.deeds(linked).into_iter().map(|deed| (deed.deed, deed.side)).collect()
    }

    #[test]
    fn a_first_meeting_that_writes_is_a_link_and_an_update() {
        let mut met = line(Action::Merge);
        assert_eq!(deeds(&met, true), []);
        assert_eq!(deeds(&met, false), [(Deed::Link, None)]);
        met.changes.push(Change {
            pair: Some(0),
            to: Side::Platform,
            fields: ["city".into()].into(),
            old: vec![Value::Null],
            new: vec![Value::text("Bonn")],
            rule: Rule::Filled,
        });
        assert_eq!(deeds(&met, false), [(Deed::Update, Some(Side::Platform)), (Deed::Link, None)]);
    }

    #[test]
    fn what_is_refused_is_counted_by_its_code_and_what_is_held_without_its_holder() {
        let obstacle = Obstacle { code: "ambiguous_match".into(), message: "two of them".into(), pair: None };
        let refused = line(Action::Refuse { obstacle });
        assert_eq!(refused.deeds(false)[0].reason.as_deref(), Some("ambiguous_match"));
        let reason = SkipReason::HeldBy { mapping: "lead".into(), id: RecordId::new("00Q1") };
        assert_eq!(reason.in_short(), "held by another record of lead");
    }
}
