//! Taking a run back (law E16): what is asked, what stays as it is and why, and what a look beforehand tells.

use serde::{Deserialize, Serialize};

use crate::domain::outcome::RunKind;
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;

/// Which run is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoOrder {
    /// The run.
    pub run: i64,
    /// How far it goes.
    pub extent: Extent,
}

/// How far an undo goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// Both sides are read and the plan is kept; nothing is written.
    Look,
    /// The values are written back.
    Write,
}

/// Why something of a run stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyLeft {
    /// The run created the record.
    Created,
    /// The run deleted the record.
    Deleted,
    /// The run closed or reopened the link, because the record went or came back.
    LinkChanged,
    /// The link is closed, or leads to another record now.
    NoLink,
    /// The mapping or the pair is not in the settings any more, or does not write this field any more.
    NotMapped,
    /// Somebody changed the value since.
    Moved,
    /// Somebody changed the value on the other side since, and that edit is not synchronized yet.
    OtherMoved,
    /// The record can't be read any more.
    Gone,
    /// The record on the other side can't be read any more.
    PartnerGone,
    /// It would lift an opt-out, or say something about consent that nobody said.
    Consent,
    /// The pair waits because nobody knows what came of an earlier write.
    Unclear,
}

impl WhyLeft {
    /// The word in the database and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Deleted => "deleted",
            Self::LinkChanged => "link_changed",
            Self::NoLink => "no_link",
            Self::NotMapped => "not_mapped",
            Self::Moved => "moved",
            Self::OtherMoved => "other_moved",
            Self::Gone => "gone",
            Self::PartnerGone => "partner_gone",
            Self::Consent => "consent",
            Self::Unclear => "unclear",
        }
    }

    /// The reason of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
    }

    /// The sentence shown to people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Created => "the run created this record; delete it by hand if it should go",
            Self::Deleted => "the run deleted this record; bring it back from the recycle bin by hand",
            Self::LinkChanged => "the record went or came back by itself, so there is nothing to take back",
            Self::NoLink => "the two records are not linked any more",
            Self::NotMapped => "the settings do not write this field any more",
            Self::Moved => "somebody changed it since",
            Self::OtherMoved => "the other side was edited since; that edit is synchronized first",
            Self::Gone => "the record can't be read any more",
            Self::PartnerGone => "the record on the other side can't be read any more",
            Self::Consent => "an undo never lifts an opt-out and never gives a consent",
            Self::Unclear => "nobody knows yet what came of an earlier write to it",
        }
    }
}

/// Something that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoLeft {
    /// The mapping.
    pub mapping: String,
    /// Both records, as far as they exist.
    pub ids: PerSide<Option<RecordId>>,
    /// The side that the run wrote.
    pub side: Side,
    /// The fields; empty for the whole record.
    pub fields: Vec<String>,
    /// Why.
    pub why: WhyLeft,
}

/// A value that would be written back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoChange {
    /// The mapping.
    pub mapping: String,
    /// Both records.
    pub ids: PerSide<Option<RecordId>>,
    /// The side that is written.
    pub side: Side,
    /// The fields.
    pub fields: Vec<String>,
    /// What they hold now.
    pub old: Vec<Value>,
    /// What they held before the run.
    pub new: Vec<Value>,
}

/// What history tells about a run before anything is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoPreview {
    /// The run.
    pub run: i64,
    /// Its kind.
    pub kind: RunKind,
    /// Records that it changed, per side: these are looked at.
    pub updated: PerSide<u64>,
    /// Records that it created, per side.
    pub created: PerSide<u64>,
    /// Records that it deleted, per side.
    pub deleted: PerSide<u64>,
    /// Writes that history has forgotten by now.
    pub forgotten: u64,
}

impl UndoPreview {
    /// Whether there is anything that could be taken back.
    pub fn is_empty(&self) -> bool {
        self.updated.org + self.updated.platform == 0
    }

    /// What a person should know before saying yes.
    pub fn sentences(&self, platform: &str) -> Vec<String> {
        let records =
            |count: u64| if count == 1 { "1 record".to_owned() } else { format!("{count} records") };
        let mut told = Vec::new();
        for (name, updated) in [("Salesforce", self.updated.org), (platform, self.updated.platform)] {
            if updated > 0 {
                let get = if updated == 1 { "gets" } else { "get" };
                told.push(format!(
                    "{} in {name} {get} the values that run {} replaced.",
                    records(updated),
                    self.run
                ));
            }
        }
        told.push("What somebody edited since stays; nothing flows back to the other side.".into());
        let created = self.created.org + self.created.platform;
        if created > 0 {
            told.push(format!(
                "Created by it and left: {}; delete by hand what should go.",
                records(created)
            ));
        }
        let deleted = self.deleted.org + self.deleted.platform;
        if deleted > 0 {
            told.push(format!(
                "Deleted by it and left: {}; restore by hand what should return.",
                records(deleted)
            ));
        }
        if self.forgotten > 0 {
            told.push(format!("Writes past retention, which stay: {}.", self.forgotten));
        }
        told.push(
            "An opt-out is never lifted. Mails and automations that it set off can't be called back.".into(),
        );
        told
    }
}
