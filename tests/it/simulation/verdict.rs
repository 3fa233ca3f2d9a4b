//! What a history came to.

use std::fmt;

/// What a history came to.
#[derive(Debug, Default)]
pub struct Verdict {
    pub wrong: Vec<String>,
    pub log: Vec<String>,
    pub runs: u64,
    pub crashes: u64,
    pub edits: u64,
    pub unknown_outcomes: u64,
    pub parked: u64,
    pub undone: u64,
    pub fights: u64,
    pub full_disks: u64,
    /// Records that people deleted.
    pub deletions: u64,
    /// Records that were deleted for it.
    pub removals: u64,
    /// Leads that were converted.
    pub conversions: u64,
    /// Contacts that were merged into others.
    pub merges: u64,
    /// Records that left the scope or came back.
    pub scope_changes: u64,
    /// Deletions that wait for a person because of an edit.
    pub decisions: u64,
    pub by_hand: u64,
    /// How often a schema changed.
    pub drifts: u64,
}

impl Verdict {
    pub fn is_clean(&self) -> bool {
        self.wrong.is_empty()
    }

    pub fn add_figures(&mut self, other: &Self) {
        self.runs += other.runs;
        self.crashes += other.crashes;
        self.edits += other.edits;
        self.unknown_outcomes += other.unknown_outcomes;
        self.parked += other.parked;
        self.undone += other.undone;
        self.fights += other.fights;
        self.full_disks += other.full_disks;
        self.deletions += other.deletions;
        self.removals += other.removals;
        self.conversions += other.conversions;
        self.merges += other.merges;
        self.scope_changes += other.scope_changes;
        self.decisions += other.decisions;
        self.by_hand += other.by_hand;
        self.drifts += other.drifts;
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.log {
            writeln!(formatter, "{line}")?;
        }
        for line in &self.wrong {
            writeln!(formatter, "WRONG: {line}")?;
        }
        Ok(())
    }
}
