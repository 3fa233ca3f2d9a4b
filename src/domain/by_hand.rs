//! What a person decides by hand about one pair of one record: a parked pair, or a value that a side refused.
//!
//! A decision names what the person saw. The engine takes it once, and only while both sides still hold that.

use serde::{Deserialize, Serialize};

use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;

/// Why a person can't choose "in" where one side is out (law E3).
pub const OPT_OUT_STANDS: &str = "one side has opted out, and a decision by hand never lifts an opt-out; where the person \
     said so, change it on the record itself";

/// What both sides shall hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "take", rename_all = "snake_case")]
pub enum Choice {
    /// What the org holds.
    Org,
    /// What the platform holds.
    Platform,
    /// Something else.
    Value {
        /// The side whose spelling it has.
        side: Side,
        /// A value for each field of the pair on that side.
        values: Vec<Value>,
    },
}

impl Choice {
    /// What that side holds.
    pub fn of(side: Side) -> Self {
        match side {
            Side::Org => Self::Org,
            Side::Platform => Self::Platform,
        }
    }
}

/// What a person decided about one pair of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandDecision {
    /// The mapping's name.
    pub mapping: String,
    /// The records; only one where the other side has none yet.
    pub ids: PerSide<Option<RecordId>>,
    /// The pair, by the text that the state database knows it by.
    pub pair: String,
    /// Why it was parked; empty where a value of a failed record is edited.
    pub why: String,
    /// What the person saw; `None` for a side that was not looked at.
    pub seen: PerSide<Option<Vec<Value>>>,
    /// What both sides shall hold.
    pub choice: Choice,
    /// Who decided.
    pub by: String,
}

/// What becomes of a record whose counterpart was deleted while it was edited (law E9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is deleted too, in the next run.
    DeleteToo,
    /// It stays, and the link is closed.
    Keep,
}

/// What a person decided about a record whose counterpart was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartureDecision {
    /// The mapping's name.
    pub mapping: String,
    /// The records, of which one is gone.
    pub ids: PerSide<Option<RecordId>>,
    /// The edited values that the person saw.
    pub seen: PerSide<Vec<Value>>,
    /// What becomes of the record that is left.
    pub answer: Answer,
    /// Who decided.
    pub by: String,
}

/// What a person decides at once, and what else shall be looked at again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// The decisions.
    pub decisions: Vec<HandDecision>,
    /// Pairs with a new rule: mapping and pair. Whatever of them is parked is looked at again.
    #[serde(default)]
    pub revisit: Vec<(String, String)>,
    /// What becomes of records whose counterparts were deleted.
    #[serde(default)]
    pub departures: Vec<DepartureDecision>,
}

impl ByHand {
    /// How many decisions it holds.
    pub fn len(&self) -> usize {
        self.decisions.len() + self.departures.len()
    }

    /// Whether nothing is decided.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The fields of a pair on both sides, out of the text that the state database knows it by.
pub fn fields_of(identity: &str) -> PerSide<Vec<String>> {
    let mut parts = identity.splitn(3, '|');
    let mut fields = || -> Vec<String> {
        let part = parts.next().unwrap_or_default();
        part.split('+').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    PerSide { org: fields(), platform: fields() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_pair_are_in_its_identity() {
        let fields = fields_of("FirstName+LastName|name|FullName");
        assert_eq!(fields.org, ["FirstName", "LastName"]);
        assert_eq!(fields.platform, ["name"]);
        let constant = fields_of("|details.Origin|Constant(\"a|b\")");
        assert!(constant.org.is_empty());
        assert_eq!(constant.platform, ["details.Origin"]);
    }
}
