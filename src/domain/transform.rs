//! How a pair's value is turned into the other side's.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::consent::ConsentForm;
use crate::domain::person_name::PersonName;
use crate::domain::side::Side;
use crate::domain::transform::rules::Rules;
use crate::domain::value::Value;

pub mod pattern;
pub mod rule;
pub mod rules;
mod turn;
pub mod zone;

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
    /// Rules one behind the other, a list for each way.
    Rules(Rules),
}

impl Transform {
    /// In words, for people.
    pub fn words(&self) -> String {
        match self {
            Self::Copy => "as it stands".into(),
            Self::FullName => "first and last name as one name".into(),
            Self::Consent { .. } => "consent".into(),
            Self::Table(table) => {
                let noun = if table.entries.len() == 1 { "translation" } else { "translations" };
                format!("{} {noun}", table.entries.len())
            }
            Self::Constant(text) => format!("always “{text}”"),
            Self::Reference(target) => format!("leads to {target}"),
            Self::Rules(rules) => {
                let to = |list: &[rule::Rule], arrow: &str| {
                    (!list.is_empty()).then(|| format!("{arrow} {}", rules::line(list)))
                };
                let ways = [to(&rules.to_platform, "→"), to(&rules.to_org, "←")];
                let ways: Vec<String> = ways.into_iter().flatten().collect();
                if ways.is_empty() { "rules, none yet".into() } else { ways.join(", ") }
            }
        }
    }

    /// Whether values cross as they are.
    pub fn is_copy(&self) -> bool {
        *self == Self::Copy
    }

    /// Whether this is a consent pair.
    pub fn is_consent(&self) -> bool {
        matches!(self, Self::Consent { .. })
    }

    /// Turns `values` of one side into values for the `width` fields of `target`. `present` is what the target holds now, in the order
    /// of its fields, and only helps to cut names.
    pub fn apply(
        &self,
        values: &[Value],
        target: Side,
        width: usize,
        present: Option<&[Value]>,
    ) -> Result<Vec<Value>, TransformError> {
        match self {
            // Consent never crosses by itself; whoever asks gets the values unchanged.
            Self::Copy | Self::Consent { .. } | Self::Reference(_) => Ok(values.to_vec()),
            Self::FullName => Ok(full_name(values, target, present)),
            Self::Table(table) => values.iter().map(|value| table.turn(value, target)).collect(),
            Self::Constant(text) => Ok(vec![Value::text(text.as_str())]),
            Self::Rules(rules) => rules.apply(values, target, width),
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
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Org value → platform value.
    pub entries: BTreeMap<String, String>,
    /// The platform value for an org value that is not listed; without it such a value is an issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// The org value for a platform value that is not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise_org: Option<String>,
}

/// The state database knows a pair by this text, so that what is not set must not show.
impl fmt::Debug for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Table");
        shown.field("entries", &self.entries).field("otherwise", &self.otherwise);
        if let Some(org) = &self.otherwise_org {
            shown.field("otherwise_org", org);
        }
        shown.finish()
    }
}

/// A value that can't be turned into the other side's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransformError {
    /// A translation table does not list it.
    #[error("the translation table has no entry for “{0}”")]
    Unmapped(String),
    /// A rule can't read it.
    #[error("the rule “{rule}” can't read “{value}”: correct the value, or the rules of the pair")]
    Unfit {
        /// The rule.
        rule: String,
        /// The value.
        value: String,
    },
    /// The rules were written for the other way only.
    #[error(
        "the rule “{0}” can't be taken back, so that nothing can flow this way: give the pair rules for it"
    )]
    NoWayBack(String),
}

impl TransformError {
    /// The code of its issue.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unmapped(_) => "unmapped_value",
            Self::Unfit { .. } => "unreadable_value",
            Self::NoWayBack(_) => "no_way_back",
        }
    }
}

impl Table {
    fn turn(&self, value: &Value, target: Side) -> Result<Value, TransformError> {
        if value.is_blank() {
            return Ok(Value::Null);
        }
        if let Value::Set(parts) = value {
            return self.turn_each(parts, target);
        }
        let text = value.to_string();
        self.find(&text, target).map(Value::text).ok_or(TransformError::Unmapped(text))
    }

    /// The translation of one value, by any spelling of its letters.
    pub fn find(&self, text: &str, target: Side) -> Option<&str> {
        let same = |known: &str| known.trim().to_lowercase() == text.trim().to_lowercase();
        match target {
            Side::Platform => {
                let found = self.entries.iter().find(|(org, _)| same(org)).map(|(_, platform)| platform);
                found.or(self.otherwise.as_ref())
            }
            Side::Org => {
                let found = self.entries.iter().find(|(_, platform)| same(platform)).map(|(org, _)| org);
                found.or(self.otherwise_org.as_ref())
            }
        }
        .map(String::as_str)
    }

    /// A multi-select is translated value by value.
    fn turn_each(&self, parts: &[Box<str>], target: Side) -> Result<Value, TransformError> {
        let mut turned = Vec::with_capacity(parts.len());
        for part in parts {
            let found = self.find(part, target).ok_or_else(|| TransformError::Unmapped(part.to_string()))?;
            turned.push(Box::<str>::from(found));
        }
        turned.sort_unstable();
        turned.dedup();
        Ok(Value::Set(turned))
    }
}

#[cfg(test)]
mod tests;
