//! How a pair's value is turned into the other side's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::consent::ConsentForm;
use crate::domain::person_name::PersonName;
use crate::domain::side::Side;
use crate::domain::value::Value;

/// How a pair's value is turned into the other side's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Field by field as it stands.
    #[default]
    Copy,
    /// First and last name in the org, one name on the platform.
    FullName,
    /// Consent: decided by law E3 alone, whatever the pair's policy.
    Consent {
        /// How the org's field says it.
        org: ConsentForm,
        /// How the platform's field says it.
        platform: ConsentForm,
    },
    /// A table of values, org → platform.
    Table(Table),
    /// A fixed value for the receiving side.
    Constant(String),
    /// The record that a reference points to, by its id; on the platform a record of this object. Only linked records can be told to the
    /// other side, so whoever reads and writes the org turns ids into the platform's on the way (`engine::references`).
    Reference(String),
}

impl Transform {
    /// Whether values cross as they are.
    pub fn is_copy(&self) -> bool {
        *self == Self::Copy
    }

    /// Whether this is a consent pair.
    pub fn is_consent(&self) -> bool {
        matches!(self, Self::Consent { .. })
    }

    /// Turns `values` of one side into values for `target`. `present` is what the target holds now, in the order of its
    /// fields, and only helps to cut names.
    pub fn apply(
        &self,
        values: &[Value],
        target: Side,
        present: Option<&[Value]>,
    ) -> Result<Vec<Value>, Unmapped> {
        match self {
            // Consent never crosses by itself; whoever asks gets the values unchanged.
            Self::Copy | Self::Consent { .. } | Self::Reference(_) => Ok(values.to_vec()),
            Self::FullName => Ok(full_name(values, target, present)),
            Self::Table(table) => values.iter().map(|value| table.turn(value, target)).collect(),
            Self::Constant(text) => Ok(vec![Value::text(text.as_str())]),
        }
    }
}

fn text_of(values: &[Value], place: usize) -> String {
    values.get(place).map(Value::to_string).unwrap_or_default()
}

fn text_or_null(text: String) -> Value {
    if text.is_empty() { Value::Null } else { Value::text(text) }
}

fn full_name(values: &[Value], target: Side, present: Option<&[Value]>) -> Vec<Value> {
    match target {
        Side::Platform => {
            let name = PersonName { first: text_of(values, 0), last: text_of(values, 1) };
            vec![text_or_null(name.joined())]
        }
        Side::Org => {
            let present = present.map(|now| PersonName { first: text_of(now, 0), last: text_of(now, 1) });
            let name = PersonName::cut(&text_of(values, 0), present.as_ref());
            vec![text_or_null(name.first), text_or_null(name.last)]
        }
    }
}

/// A translation of values, org → platform; read backwards for the other direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Org value → platform value.
    pub entries: BTreeMap<String, String>,
    /// The platform value for an org value that is not listed; without it such a value is an issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// A value that a translation table does not list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the translation table has no entry for “{0}”")]
pub struct Unmapped(pub String);

impl Table {
    fn turn(&self, value: &Value, target: Side) -> Result<Value, Unmapped> {
        if value.is_blank() {
            return Ok(Value::Null);
        }
        let text = value.to_string();
        let found = match target {
            Side::Platform => self
                .entries
                .iter()
                .find(|(org, _)| org.trim().eq_ignore_ascii_case(text.trim()))
                .map(|(_, platform)| platform)
                .or(self.otherwise.as_ref()),
            Side::Org => self
                .entries
                .iter()
                .find(|(_, platform)| platform.trim().eq_ignore_ascii_case(text.trim()))
                .map(|(org, _)| org),
        };
        found.map(|turned| Value::text(turned.as_str())).ok_or(Unmapped(text))
    }
}
