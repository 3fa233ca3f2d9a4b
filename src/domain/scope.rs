//! Who enters and who leaves the scope of a mapping when its criteria change (law E12), and what becomes of them.

use serde::{Deserialize, Serialize};

use crate::domain::mapping::Mapping;
use crate::domain::record::RecordId;
use crate::domain::side::Side;

/// Which way a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Into the scope.
    Enters,
    /// Out of it.
    Leaves,
}

/// A record that enters or leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its id on the side that the criteria test.
    pub id: RecordId,
    /// By what people know it: the values of its key.
    pub label: String,
    /// The record that it is linked with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterpart: Option<RecordId>,
}

/// All that go one way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movers {
    /// How many of them are linked.
    pub linked: u64,
    /// How many are not.
    pub unlinked: u64,
    /// The first of them.
    #[serde(skip)]
    pub shown: Vec<Member>,
}

impl Movers {
    /// How many.
    pub fn count(&self) -> u64 {
        self.linked + self.unlinked
    }
}

/// What other criteria of one side of a mapping would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeChange {
    /// The mapping.
    pub mapping: String,
    /// The side whose records the criteria test.
    pub side: Side,
    /// The criteria as they are; nothing where all records take part.
    pub before: Option<String>,
    /// The criteria as they would be.
    pub after: Option<String>,
    /// Who enters.
    pub enters: Movers,
    /// Who leaves.
    pub leaves: Movers,
    /// How many take part before and after.
    pub stays: u64,
    /// How many records were looked at.
    pub read: u64,
    /// Whether these were all that come into question.
    pub whole: bool,
    /// What becomes of them, in sentences.
    pub consequences: Vec<String>,
}

impl ScopeChange {
    /// Those that go one way.
    pub fn movers(&self, way: Way) -> &Movers {
        match way {
            Way::Enters => &self.enters,
            Way::Leaves => &self.leaves,
        }
    }

    /// Whether anybody enters or leaves.
    pub fn moves(&self) -> bool {
        self.enters.count() + self.leaves.count() > 0
    }
}

/// What becomes of those that enter and leave, as far as there are any.
pub fn consequences(mapping: &Mapping, side: Side, enters: &Movers, leaves: &Movers) -> Vec<String> {
    let other = side.other().place();
    let mut lines = Vec::new();
    if enters.linked > 0 {
        lines.push(
            "Who enters and is linked takes part again; what was edited meanwhile is caught up, as each pair allows.".to_owned(),
        );
    }
    if enters.unlinked > 0 {
        let made = if mapping.creates_on(side.other()) {
            format!("who has no match there is created on {other}")
        } else {
            format!("none is created on {other}, as this mapping says")
        };
        lines.push(format!(
            "Who enters and is not linked is matched by the key; {made}. That happens when the record is edited, or at once with an \
             initial sync of this mapping (its plan shows it first)."
        ));
    }
    if leaves.linked > 0 {
        lines.push(
            "Who leaves and is linked stays linked and watched: nothing is written to either side or deleted, until it is back."
                .to_owned(),
        );
    }
    if leaves.unlinked > 0 {
        lines.push(format!("Who leaves and is not linked is no longer matched or created on {other}."));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(create: bool) -> Mapping {
        let text = format!(
            "name = \"c\"\norg_object = \"Contact\"\nplatform_object = \"contact\"\ncreate_on_platform = {create}\n"
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn n12_what_becomes_of_whom_is_told_only_where_there_is_somebody() {
        let some = Movers { linked: 1, unlinked: 1, shown: Vec::new() };
        assert_eq!(consequences(&mapping(true), Side::Org, &some, &some).len(), 4);
        assert_eq!(
            consequences(&mapping(true), Side::Org, &Movers::default(), &Movers::default()),
            Vec::<String>::new()
        );
        let fresh = Movers { unlinked: 1, ..Movers::default() };
        let told = |create| consequences(&mapping(create), Side::Org, &fresh, &Movers::default()).join(" ");
        assert!(told(true).contains("is created on the platform"));
        assert!(told(false).contains("none is created on the platform"));
    }
}
