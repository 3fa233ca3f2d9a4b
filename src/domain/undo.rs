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
    /// The run created the record, where the mapping does not write any more.
    Created,
    /// The run deleted the record, and it is in no recycle bin.
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
    /// A pair takes no part for now, and on a side without stamps nobody can tell whether its fields were edited.
    LeftOut,
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
            Self::LeftOut => "left_out",
        }
    }

    /// The reason of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
    }

    /// The sentence shown to people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Created => {
                "the run created this record, and the mapping does not write there any more; delete it by hand if it should go"
            }
            Self::Deleted => {
                "the run deleted this record, and it can't be brought back: it is in no recycle bin"
            }
            Self::LinkChanged => "the record went or came back by itself, so there is nothing to take back",
            Self::NoLink => "the two records are not linked any more",
            Self::NotMapped => "the settings do not write this field any more",
            Self::Moved => "somebody changed it since",
            Self::OtherMoved => "the other side was edited since; that edit is synchronized first",
            Self::Gone => "the record can't be read any more",
            Self::PartnerGone => "the record on the other side can't be read any more",
            Self::Consent => "an undo never lifts an opt-out and never gives a consent",
            Self::Unclear => "nobody knows yet what came of an earlier write to it",
            Self::LeftOut => {
                "a pair of the mapping waits, and without it nobody can tell whether somebody edited the record; undo once it runs again"
            }
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

/// What an undo would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum UndoStep {
    /// A value is written back.
    WouldWrite(UndoChange),
    /// A record that the run created is deleted.
    WouldDelete(UndoRecord),
    /// A record that the run deleted is brought back.
    WouldRestore(UndoRecord),
}

/// A whole record of an undo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoRecord {
    /// The mapping.
    pub mapping: String,
    /// Both records.
    pub ids: PerSide<Option<RecordId>>,
    /// The side of the record that goes or comes back.
    pub side: Side,
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
        let sum = |numbers: PerSide<u64>| numbers.org + numbers.platform;
        sum(self.updated) + sum(self.created) + self.deleted.org == 0
    }

    /// What a person should know before saying yes.
    pub fn sentences(&self, platform: &str) -> Vec<String> {
        let records =
            |count: u64| if count == 1 { "1 record".to_owned() } else { format!("{count} records") };
        let of = |count: u64, one: &'static str, many: &'static str| if count == 1 { one } else { many };
        let mut told = Vec::new();
        for (name, updated) in [("Salesforce", self.updated.org), (platform, self.updated.platform)] {
            if updated > 0 {
                told.push(format!(
                    "{} in {name} {} the values that run {} replaced.",
                    records(updated),
                    of(updated, "gets", "get"),
                    self.run
                ));
            }
        }
        told.push("What somebody edited since stays; nothing flows back to the other side.".into());
        if self.created.org > 0 {
            told.push(format!(
                "{} that it created in Salesforce {} to the recycle bin, unless somebody has touched {} since.",
                records(self.created.org),
                of(self.created.org, "goes", "go"),
                of(self.created.org, "it", "them")
            ));
        }
        if self.created.platform > 0 {
            told.push(format!(
                "{} that it created in {platform} {} deleted for good, unless somebody has touched {} since.",
                records(self.created.platform),
                of(self.created.platform, "is", "are"),
                of(self.created.platform, "it", "them")
            ));
        }
        if self.deleted.org > 0 {
            told.push(format!(
                "{} that it deleted in Salesforce {} back, as far as the recycle bin still has {}.",
                records(self.deleted.org),
                of(self.deleted.org, "comes", "come"),
                of(self.deleted.org, "it", "them")
            ));
        }
        if self.deleted.platform > 0 {
            told.push(format!(
                "{} that it deleted in {platform} can't be brought back.",
                records(self.deleted.platform)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_is_told_as_one_and_several_as_several() {
        let told = |count: u64| {
            let both = PerSide { org: count, platform: count };
            let (run, kind, forgotten) = (2, RunKind::Instant, 0);
            UndoPreview { run, kind, updated: both, created: both, deleted: both, forgotten }
                .sentences("SPOTIO")
                .join(" ")
        };
        for words in [
            "1 record in SPOTIO gets",
            "Salesforce goes to",
            "touched it since",
            "is deleted for good",
            "comes back",
        ] {
            assert!(told(1).contains(words), "{words}: {}", told(1));
        }
        for words in [
            "2 records in SPOTIO get",
            "Salesforce go to",
            "touched them since",
            "are deleted for good",
            "come back",
        ] {
            assert!(told(2).contains(words), "{words}: {}", told(2));
        }
    }
}
