//! A text to read over a tab: one run, one log line, the history of a record, check lines.

use crate::console::app::model::Load;
use crate::domain::record::RecordId;
use crate::domain::rehearsal::Rehearsal;
use crate::domain::report::{CheckLine, FactRow, HistoryRow, RunRow};
use crate::domain::scope::ScopeChange;
use crate::domain::side::PerSide;
use crate::domain::why::WhyRecord;
use crate::ops::undo::UndoPage;

/// What is read.
#[derive(Clone, Debug)]
pub enum Subject {
    /// One run.
    Run(Box<RunRow>),
    /// One log line.
    Fact(Box<FactRow>),
    /// Why a record holds what it holds.
    Why {
        /// Whose id.
        of: String,
        /// What is known of it, mapping by mapping.
        records: Load<Vec<WhyRecord>>,
    },
    /// What a run wrote.
    History {
        /// Whose.
        of: String,
        /// Newest first.
        rows: Load<Vec<HistoryRow>>,
    },
    /// The check of both sides and all mappings.
    Check(Load<Vec<CheckLine>>),
    /// What is wrong with the settings file.
    Problems(Vec<String>),
    /// Who enters and leaves by other criteria.
    Scope(Load<Vec<ScopeChange>>),
    /// What the mappings did to a copy.
    Rehearsal {
        /// How far it is.
        told: String,
        /// What it showed.
        done: Load<Box<Rehearsal>>,
    },
}

/// A text to read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What is read.
    pub subject: Subject,
    /// First line shown.
    pub scroll: usize,
    /// What an undo would do, and what it left as it is.
    pub undone: Option<Load<UndoPage>>,
}

impl Reading {
    /// A text from its start.
    pub fn new(subject: Subject) -> Self {
        Self { subject, scroll: 0, undone: None }
    }

    /// The run it is about, if one.
    pub fn run(&self) -> Option<i64> {
        match &self.subject {
            Subject::Run(row) => Some(row.run),
            Subject::Fact(row) => row.run,
            Subject::Why { .. }
            | Subject::History { .. }
            | Subject::Check(_)
            | Subject::Problems(_)
            | Subject::Scope(_)
            | Subject::Rehearsal { .. } => None,
        }
    }

    /// The record it is about, if one: the org's id before the platform's.
    pub fn record(&self) -> Option<String> {
        let ids = match &self.subject {
            Subject::Fact(row) => &row.ids,
            Subject::Run(_)
            | Subject::Why { .. }
            | Subject::History { .. }
            | Subject::Check(_)
            | Subject::Problems(_)
            | Subject::Scope(_)
            | Subject::Rehearsal { .. } => {
                return None;
            }
        };
        ids.org.as_ref().or(ids.platform.as_ref()).map(ToString::to_string)
    }

    /// The person it is about, if one: the mapping's name and both ids.
    pub fn person(&self) -> Option<(String, PerSide<Option<RecordId>>)> {
        match &self.subject {
            Subject::Fact(row) => Some((row.mapping.clone()?, row.ids.clone())),
            Subject::Why { records, .. } => {
                let record = records.ready()?.first()?;
                Some((record.mapping.clone(), record.ids.clone()))
            }
            Subject::Run(_)
            | Subject::History { .. }
            | Subject::Check(_)
            | Subject::Problems(_)
            | Subject::Scope(_)
            | Subject::Rehearsal { .. } => None,
        }
    }

    /// The thing as JSON, for copying.
    pub fn json(&self) -> String {
        let text = match &self.subject {
            Subject::Run(row) => serde_json::to_string(row),
            Subject::Fact(row) => serde_json::to_string(row),
            Subject::Why { records, .. } => serde_json::to_string(&records.ready()),
            Subject::History { rows, .. } => serde_json::to_string(&rows.ready()),
            Subject::Check(lines) => serde_json::to_string(&lines.ready()),
            Subject::Problems(lines) => serde_json::to_string(lines),
            Subject::Rehearsal { done, .. } => serde_json::to_string(&done.ready()),
            Subject::Scope(changes) => serde_json::to_string(&changes.ready()),
        };
        text.unwrap_or_default()
    }
}
