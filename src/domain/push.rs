//! What a campaign of the platform pushes to the org (F72, F125–F135): a step of the settings, its lines, and how each ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::record::RecordId;
use crate::domain::value::Value;

/// The pushed records of one run, by the platform's ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushOrder {
    /// The mapping that they belong to.
    pub mapping: String,
    /// The records.
    pub records: Vec<PushedRecord>,
}

/// A record as a campaign has just seen it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedRecord {
    /// Its id on the platform.
    pub id: RecordId,
    /// What it holds, by the platform's field names; whatever is not named is as the platform says when asked.
    pub values: BTreeMap<String, Value>,
}

/// How a pushed line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushOutcome {
    /// The org holds it now.
    Succeeded,
    /// The org refused it, or it can't be understood.
    Failed,
    /// A limit of the org was reached; it is tried again by itself once the limit ends, and is not a failure.
    Limited,
    /// The record was never enriched from Salesforce; that is no error.
    Skipped,
}

impl PushOutcome {
    /// The streams that a line leaves by, under their names in the campaign: everything goes on, and one more says how it ended.
    pub fn streams(self) -> &'static [&'static str] {
        match self {
            Self::Succeeded => &["Doorgaan", "Bij success"],
            Self::Failed => &["Doorgaan", "Bij fout"],
            Self::Limited => &["Doorgaan", "Bij limiet"],
            Self::Skipped => &["Doorgaan"],
        }
    }
}

/// One line of a push with its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PushedLine {
    /// `pushed`.
    pub event: &'static str,
    /// Which line of the input, from 1.
    pub line: usize,
    /// The id in Salesforce that it named.
    pub id: Option<String>,
    /// How it ended.
    pub outcome: PushOutcome,
    /// The streams that it leaves by.
    pub streams: &'static [&'static str],
    /// Why, where there is more to say.
    pub message: Option<String>,
    /// The run that dealt with it.
    pub run: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F129–F133: all leave by Doorgaan; one that is not linked by no other stream.
    #[test]
    fn every_outcome_goes_on_and_only_three_have_a_stream_of_their_own() {
        for outcome in
            [PushOutcome::Succeeded, PushOutcome::Failed, PushOutcome::Limited, PushOutcome::Skipped]
        {
            assert_eq!(outcome.streams().first(), Some(&"Doorgaan"));
        }
        assert_eq!(PushOutcome::Skipped.streams().len(), 1);
        assert_eq!(PushOutcome::Limited.streams().get(1), Some(&"Bij limiet"));
    }
}
