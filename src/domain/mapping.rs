//! What the admin decides about one Salesforce object and one platform object: pairs, key, criteria, policies.
//!
//! These types are also the shape of `[[mapping]]` in the settings file.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::side::Side;
use crate::domain::transform::Transform;

mod words;

/// One Salesforce object paired with one platform object.
///
/// All mappings onto the same platform object form a *family*; their order in the settings file is their precedence
/// (law E1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// A name without blanks, unique in the workspace, such as `contact`.
    pub name: String,
    /// Whether runs use it.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// The org's object, by API name.
    pub org_object: String,
    /// The platform's object.
    pub platform_object: String,
    /// Which way records may be created and changed.
    #[serde(default)]
    pub direction: Direction,
    /// The condition a record of the org must meet to take part, such as `IsConverted = false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_criteria: Option<String>,
    /// The condition a record of the platform must meet to take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_criteria: Option<String>,
    /// "Going forward" (F151): a pair of records takes part once one of both changed at this moment or later. What was there before
    /// and does not change stays as it is; what is linked goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Whether a record known to the org alone is created on the platform.
    #[serde(default = "yes")]
    pub create_on_platform: bool,
    /// Whether a platform record that no member of the family claims is created as this object (`create_as`). At most one
    /// member of a family may say so.
    #[serde(default)]
    pub create_in_org: bool,
    /// The org's unique external-id field that holds the platform's id; creates in the org become upserts by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_mark: Option<String>,
    /// The platform's field that holds the org's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_mark: Option<String>,
    /// Org fields that must not be blank when a record is created in the org; where one is, the record is skipped (F63).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip_create_when_blank: Vec<String>,
    /// Values used on create where the other side's value is blank (F64).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default: Vec<DefaultValue>,
    /// What holds when two records meet without a base (law E2).
    #[serde(default)]
    pub first_meeting: FirstMeeting,
    /// What a deletion on one side does to the other (law E9).
    #[serde(default)]
    pub deletes: DeletePolicy,
    /// Which field says that a record is no longer active, for `deletes = "deactivate"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivate: Option<Deactivation>,
    /// What becomes of the platform's record when a lead of this mapping is converted; by default what suits the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
    /// A tick box of the org that is the queue of this object: only records that have it are carried over, and it is taken
    /// back afterwards (law E15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_flag: Option<String>,
    /// Leaves out changes whose last author is the integration user (F5). Dangerous: it hides what automation changed in
    /// the same transaction.
    #[serde(default, skip_serializing_if = "is_no")]
    pub ignore_own_changes: bool,
    /// The time between two automatic runs that it takes part in, such as `1h`, where that is longer than the interval of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// What a write may set off on its side (law E17).
    #[serde(default, skip_serializing_if = "SideEffects::is_quiet")]
    pub side_effects: SideEffects,
    /// What a write of an initial sync may set off.
    #[serde(default, skip_serializing_if = "SideEffects::is_quiet")]
    pub initial_side_effects: SideEffects,
    /// The field pairs.
    #[serde(default, rename = "pair")]
    pub pairs: Vec<Pair>,
}

fn yes() -> bool {
    true
}

fn is_yes(flag: &bool) -> bool {
    *flag
}

fn is_no(flag: &bool) -> bool {
    !*flag
}

impl Mapping {
    /// The object on a side.
    pub fn object(&self, side: Side) -> &str {
        match side {
            Side::Org => &self.org_object,
            Side::Platform => &self.platform_object,
        }
    }

    /// The text of the criteria that test a side.
    pub fn criteria(&self, side: Side) -> Option<&str> {
        match side {
            Side::Org => self.org_criteria.as_deref(),
            Side::Platform => self.platform_criteria.as_deref(),
        }
        .filter(|text| !text.trim().is_empty())
    }

    /// The field that holds the other side's id on `side`.
    pub fn mark(&self, side: Side) -> Option<&str> {
        match side {
            Side::Org => self.org_mark.as_deref(),
            Side::Platform => self.platform_mark.as_deref(),
        }
        .filter(|text| !text.trim().is_empty())
    }

    /// The field and value by which a record of a side is deactivated.
    pub fn deactivation(&self, side: Side) -> Option<&Deactivation> {
        self.deactivate.as_ref().filter(|chosen| chosen.side == side)
    }

    /// The tick box of the org that is the queue of this object.
    pub fn flag(&self) -> Option<&str> {
        self.sync_flag.as_deref().filter(|text| !text.trim().is_empty())
    }

    /// What becomes of the platform's record when a lead is converted: a person known by an e-mail address stays one person, while
    /// a key that is the lead's own id can't be anybody else's.
    pub fn conversion(&self) -> Conversion {
        self.conversion.unwrap_or_else(|| {
            let keys = self.pairs.iter().filter(|pair| pair.key);
            let by_id = keys.flat_map(|pair| &pair.org).any(|field| field.eq_ignore_ascii_case("Id"));
            if by_id { Conversion::TwoRecords } else { Conversion::HandOver }
        })
    }

    /// Whether a record that only the other side has is created on `side`.
    pub fn creates_on(&self, side: Side) -> bool {
        self.direction.allows(side)
            && match side {
                Side::Org => self.create_in_org,
                Side::Platform => self.create_on_platform,
            }
    }
}

/// One line of a mapping: one or several fields on either side, kept as one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The org's field or fields; paths through a reference (`Account.Name`) can only be read.
    #[serde(with = "one_or_several")]
    pub org: Vec<String>,
    /// The platform's field or fields.
    #[serde(with = "one_or_several")]
    pub platform: Vec<String>,
    /// Which way its value may flow.
    #[serde(default)]
    pub direction: Direction,
    /// Whether it belongs to the key of the mapping.
    #[serde(default, skip_serializing_if = "is_no")]
    pub key: bool,
    /// Who wins when both sides changed differently.
    #[serde(default, skip_serializing_if = "Policy::is_default")]
    pub policy: Policy,
    /// How a value is turned into the other side's.
    #[serde(default, skip_serializing_if = "Transform::is_copy")]
    pub transform: Transform,
    /// What happens in a one-way pair when the target drifts.
    #[serde(default, skip_serializing_if = "Drift::is_default")]
    pub drift: Drift,
    /// Whether a person has seen what may go wrong with it and lives with it: that is no longer told.
    #[serde(default, skip_serializing_if = "is_no")]
    pub doubts_accepted: bool,
}

impl Pair {
    /// The name a person knows it by: the org's fields, then the platform's.
    pub fn name(&self) -> String {
        format!("{} {} {}", self.org.join(" + "), self.direction.arrow(), self.platform.join(" + "))
    }

    /// The text by which the state database knows the pair: other fields or another transform make it another pair.
    pub fn identity(&self) -> String {
        format!("{}|{}|{:?}", self.org.join("+"), self.platform.join("+"), self.transform)
    }

    /// Whether an [`identity`](Self::identity) is that of a consent pair.
    pub fn is_of_consent(identity: &str) -> bool {
        identity.splitn(3, '|').nth(2).is_some_and(|transform| transform.starts_with("Consent"))
    }

    /// The fields on a side.
    pub fn fields(&self, side: Side) -> &[String] {
        match side {
            Side::Org => &self.org,
            Side::Platform => &self.platform,
        }
    }
}

/// Which way values may flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// From Salesforce to the platform.
    ToPlatform,
    /// From the platform to Salesforce.
    ToOrg,
}

impl Direction {
    /// Whether values may flow to that side.
    pub fn allows(self, target: Side) -> bool {
        match self {
            Self::Both => true,
            Self::ToPlatform => target == Side::Platform,
            Self::ToOrg => target == Side::Org,
        }
    }

    /// What both this and another direction allow; `None` where they exclude each other.
    pub fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Both, direction) | (direction, Self::Both) => Some(direction),
            (first, second) if first == second => Some(first),
            _ => None,
        }
    }

    /// The arrow drawn between the org (left) and the platform (right).
    pub fn arrow(self) -> &'static str {
        match self {
            Self::Both => "⇄",
            Self::ToPlatform => "→",
            Self::ToOrg => "←",
        }
    }
}

/// Who wins when both sides changed differently since they were last seen (law E2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The org's value.
    #[default]
    SalesforceWins,
    /// The platform's value.
    PlatformWins,
    /// The later change, by offset-corrected clocks; where that can't be told, the org's.
    NewestWins,
    /// A filled value over a blank one; of two filled ones, the org's.
    KeepNonBlank,
    /// Neither: the pair is parked until a person decides.
    Ask,
}

impl Policy {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What holds for two different filled values that meet without a base (law E2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstMeeting {
    /// The org's value.
    #[default]
    SalesforceWins,
    /// The platform's value.
    PlatformWins,
    /// Both stay as they are; only blanks are filled.
    FillBlanksOnly,
    /// The pair is parked until a person decides.
    Ask,
}

/// What a deletion on one side does to the other (law E9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletePolicy {
    /// Nothing is written; the link is closed and listed.
    #[default]
    Ignore,
    /// A chosen field of the other record is set to a chosen value, and the link is closed.
    Deactivate,
    /// The other record is deleted too, unless somebody edited it since: then a person decides.
    Propagate,
}

/// The field and value by which a record is no longer active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deactivation {
    /// The side whose record is deactivated.
    pub side: Side,
    /// The field of that side.
    pub field: String,
    /// What it is set to.
    pub value: String,
}

/// What becomes of the platform's record when a lead is converted to a contact (law E9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conversion {
    /// The contact, or the person account, takes it over.
    HandOver,
    /// It stays the lead's, and the contact gets one of its own (F91).
    TwoRecords,
}

/// What happens in a one-way pair when the target's value drifts from what was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// The target keeps its value until the source changes.
    #[default]
    Leave,
    /// The source's value is written again.
    Enforce,
}

impl Drift {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A value used on create where the other side has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultValue {
    /// The side on which the record is created.
    pub side: Side,
    /// The field of that side.
    pub field: String,
    /// The value.
    pub value: String,
}

/// What a write may set off on its side; all off unless the admin says otherwise (law E17).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SideEffects {
    /// SALESmanago: workflows and rules fire on our writes.
    pub fire_events: bool,
    /// SALESmanago: new contacts get the confirmation mail.
    pub double_opt_in: bool,
    /// Salesforce: lead and case assignment rules run (`Sforce-Auto-Assign`).
    pub assignment_rules: bool,
    /// Salesforce: a record is saved even where a duplicate rule would stop it.
    pub allow_duplicates: bool,
    /// Salesforce: changes of tracked fields are told in Chatter feeds.
    pub feed_tracking: bool,
}

impl SideEffects {
    fn is_quiet(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads and writes one name as a string and several as a list.
mod one_or_several {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        Several(Vec<String>),
    }

    pub(super) fn serialize<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        match names {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        Ok(match Either::deserialize(deserializer)? {
            Either::One(name) => vec![name],
            Either::Several(names) => names,
        })
    }
}
