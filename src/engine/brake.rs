//! Brakes against mass writes (law E10): shares of the linked records over a rolling day.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::domain::command::{Allowances, RunRequest};
use crate::domain::mapping::Direction;
use crate::domain::outcome::RunKind;
use crate::engine::context::Brakes;

/// The kinds that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Braked {
    /// New records.
    Create,
    /// Changed records.
    Update,
    /// Filled values that become blank.
    Blank,
    /// Opt-outs that are sent.
    OptOut,
    /// Records deleted or deactivated because their counterpart was deleted.
    Delete,
}

impl Braked {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Create, Self::Update, Self::Blank, Self::OptOut, Self::Delete];

    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Blank => "blank",
            Self::OptOut => "opt_out",
            Self::Delete => "delete",
        }
    }

    /// The words for people, and the flag that releases it.
    pub fn sentence(self) -> (&'static str, &'static str) {
        match self {
            Self::Create => ("records would be created", "--allow-creates"),
            Self::Update => ("records would be changed", "--allow-updates"),
            Self::Blank => ("filled values would be blanked", "--allow-blanks"),
            Self::OptOut => ("people would be opted out", "--allow-opt-outs"),
            Self::Delete => ("records would be deleted or deactivated", "--allow-deletes"),
        }
    }
}

impl Braked {
    /// What releases so many of this kind, and of no other.
    pub fn allowing(self, number: u64) -> Allowances {
        let mut allow = Allowances::default();
        match self {
            Self::Create => allow.creates = Some(number),
            Self::Update => allow.updates = Some(number),
            Self::Blank => allow.blanks = Some(number),
            Self::OptOut => allow.opt_outs = Some(number),
            Self::Delete => allow.deletes = Some(number),
        }
        allow
    }

    /// Whether a person has looked at what this run does of the kind: an initial sync is confirmed by its key or command and
    /// creates and changes freely, and anything may be released by its number. What was released does not count against the
    /// runs of the rolling day that follows, or the first create after an initial sync would trip the brake.
    pub fn is_released(self, run: RunKind, allow: &Allowances) -> bool {
        match self {
            Self::Create => run == RunKind::Initial || allow.creates.is_some(),
            Self::Update => run == RunKind::Initial || allow.updates.is_some(),
            Self::Blank => allow.blanks.is_some(),
            Self::OptOut => allow.opt_outs.is_some(),
            Self::Delete => allow.deletes.is_some(),
        }
    }
}

/// The command that does a run again, to which the flag of a brake is added.
pub fn command_again(request: &RunRequest) -> String {
    if let Some(plan) = request.applies() {
        return format!("forcesync apply {plan}");
    }
    let mut command = match (request.kind, request.undo) {
        (RunKind::Undo, Some(order)) => format!("forcesync undo {}", order.run),
        (RunKind::Heal, _) => "forcesync audit --heal".to_owned(),
        (RunKind::Initial, _) => "forcesync sync initial".to_owned(),
        (RunKind::Instant | RunKind::Automatic | RunKind::Apply | RunKind::Audit | RunKind::Undo, _) => {
            "forcesync sync instant".to_owned()
        }
    };
    if matches!(request.kind, RunKind::Initial | RunKind::Instant) {
        for mapping in &request.mappings {
            let quote = if mapping.contains(char::is_whitespace) { "'" } else { "" };
            for part in [" --mapping ", quote, mapping, quote] {
                command.push_str(part);
            }
        }
        command.push_str(match request.direction {
            Some(Direction::ToPlatform) => " --direction to-platform",
            Some(Direction::ToOrg) => " --direction to-org",
            Some(Direction::Both) | None => "",
        });
    }
    command
}

/// The rolling window of the brakes.
pub fn window() -> TimeDelta {
    TimeDelta::hours(24)
}

/// Sums per mapping and kind, with their limits.
#[derive(Clone, Debug, Default)]
pub struct BrakeMeter {
    limits: BTreeMap<(usize, Braked), u64>,
    sums: BTreeMap<(usize, Braked), u64>,
}

impl BrakeMeter {
    /// Sets the limit of a mapping and kind. `before` is the count of the rolling day, `of` the number of records that
    /// the share is taken of. An initial sync was confirmed by its key or command, so it may create and update freely.
    #[expect(clippy::too_many_arguments, reason = "what a limit follows from")]
    pub fn set(
        &mut self,
        mapping: usize,
        kind: Braked,
        run: RunKind,
        brakes: &Brakes,
        allow: &Allowances,
        before: u64,
        of: u64,
    ) {
        let (percent, allowed) = match kind {
            Braked::Create => (brakes.create_percent, allow.creates),
            Braked::Update => (brakes.update_percent, allow.updates),
            Braked::Blank => (brakes.blank_percent, allow.blanks),
            Braked::OptOut => (brakes.opt_out_percent, allow.opt_outs),
            Braked::Delete => (brakes.delete_percent, allow.deletes),
        };
        let free = run == RunKind::Initial && matches!(kind, Braked::Create | Braked::Update);
        let limit = if free {
            u64::MAX
        } else {
            allowed.map_or_else(|| (of * percent / 100).max(brakes.minimum), |number| before + number)
        };
        self.limits.insert((mapping, kind), limit);
        self.sums.insert((mapping, kind), before);
    }

    /// Counts `more` of a kind, unless that would pass its limit.
    pub fn take(&mut self, mapping: usize, kind: Braked, more: u64) -> bool {
        let limit = self.limits.get(&(mapping, kind)).copied().unwrap_or(u64::MAX);
        let sum = self.sums.entry((mapping, kind)).or_default();
        if sum.saturating_add(more) > limit {
            return false;
        }
        *sum += more;
        true
    }

    /// How many more of a kind may be done.
    pub fn free(&self, mapping: usize, kind: Braked) -> u64 {
        let sum = self.sums.get(&(mapping, kind)).copied().unwrap_or_default();
        self.limit(mapping, kind).saturating_sub(sum)
    }

    /// The limit of a mapping and kind.
    pub fn limit(&self, mapping: usize, kind: Braked) -> u64 {
        self.limits.get(&(mapping, kind)).copied().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brake_trips_past_its_share_and_never_below_the_floor() {
        let mut meter = BrakeMeter::default();
        let (brakes, allow) = (Brakes::default(), Allowances::default());
        meter.set(0, Braked::OptOut, RunKind::Instant, &brakes, &allow, 0, 1_000);
        assert!(meter.take(0, Braked::OptOut, 50));
        assert!(!meter.take(0, Braked::OptOut, 1));
        meter.set(0, Braked::Blank, RunKind::Instant, &brakes, &allow, 19, 10);
        assert!(meter.take(0, Braked::Blank, 1));
        assert!(!meter.take(0, Braked::Blank, 1));
    }

    #[test]
    fn a_person_releases_a_number_on_top_of_the_day() {
        let mut meter = BrakeMeter::default();
        let allow = Allowances { creates: Some(100), ..Allowances::default() };
        meter.set(0, Braked::Create, RunKind::Automatic, &Brakes::default(), &allow, 30, 10);
        assert!(meter.take(0, Braked::Create, 100));
        assert!(!meter.take(0, Braked::Create, 1));
    }

    #[test]
    fn what_a_person_has_seen_does_not_count_against_the_day() {
        let none = Allowances::default();
        assert!(Braked::Create.is_released(RunKind::Initial, &none));
        assert!(!Braked::OptOut.is_released(RunKind::Initial, &none));
        assert!(!Braked::Create.is_released(RunKind::Instant, &none));
        let creates = Allowances { creates: Some(5), ..none };
        assert!(Braked::Create.is_released(RunKind::Instant, &creates));
        assert!(!Braked::Update.is_released(RunKind::Instant, &creates));
    }

    #[test]
    fn an_initial_sync_creates_freely_but_opts_nobody_out_in_masses() {
        let mut meter = BrakeMeter::default();
        let (brakes, allow) = (Brakes::default(), Allowances::default());
        meter.set(0, Braked::Create, RunKind::Initial, &brakes, &allow, 0, 0);
        meter.set(0, Braked::OptOut, RunKind::Initial, &brakes, &allow, 0, 100);
        assert!(meter.take(0, Braked::Create, 1_000_000));
        assert!(!meter.take(0, Braked::OptOut, 21));
    }
}
