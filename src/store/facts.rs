//! Facts: the log, as rows with a rising sequence. History takes its numbers from the same sequence, so that the log can show what was
//! written between the facts without a second row for it.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::record::RecordId;
use crate::domain::report::Level;
use crate::domain::side::PerSide;
use crate::store::{StoreError, to_millis};

/// A fact to be written.
#[derive(Clone, Debug)]
pub struct NewFact {
    /// How serious.
    pub level: Level,
    /// The run it belongs to.
    pub run: Option<i64>,
    /// The mapping it belongs to.
    pub mapping: Option<String>,
    /// The records it is about.
    pub ids: PerSide<Option<RecordId>>,
    /// A full sentence.
    pub message: String,
    /// Anything else that is known, as a JSON object.
    pub detail: Option<serde_json::Value>,
}

impl NewFact {
    /// A fact about no record.
    pub fn new(level: Level, run: Option<i64>, message: impl Into<String>) -> Self {
        Self { level, run, mapping: None, ids: PerSide::default(), message: message.into(), detail: None }
    }

    /// The same, of a mapping.
    #[must_use]
    pub fn of_mapping(mut self, mapping: &str) -> Self {
        self.mapping = Some(mapping.to_owned());
        self
    }

    /// The same, about records.
    #[must_use]
    pub fn about(mut self, ids: &PerSide<Option<RecordId>>) -> Self {
        self.ids = ids.clone();
        self
    }
}

/// The next number of the sequence that facts and history share, as SQL.
macro_rules! next_sequence {
    () => {
        "(SELECT COALESCE(max(seq), 0) + 1 FROM sqlite_sequence WHERE name IN ('fact', 'history'))"
    };
}
pub(super) use next_sequence;

/// Writes a fact; gives its sequence.
pub fn insert(db: &Connection, at: DateTime<Utc>, fact: &NewFact) -> Result<i64, StoreError> {
    db.prepare_cached(concat!(
        "INSERT INTO fact (sequence, at, level, run, mapping, org_id, platform_id, message, detail) VALUES (",
        next_sequence!(),
        ",?,?,?,?,?,?,?,?)"
    ))?
    .execute(params![
        to_millis(at),
        fact.level.number(),
        fact.run,
        fact.mapping,
        fact.ids.org.as_ref().map(RecordId::as_str),
        fact.ids.platform.as_ref().map(RecordId::as_str),
        fact.message,
        fact.detail.as_ref().map(ToString::to_string),
    ])?;
    Ok(db.last_insert_rowid())
}
