//! The values that records hold, whatever side they come from.

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One value of one field. A field that was not returned at all is `None` in a record, never [`Value::Null`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Value {
    /// Blank.
    #[default]
    Null,
    /// A tick box.
    Bool(bool),
    /// A decimal number as its shortest decimal text, such as `12.5`; no float ever rounds it.
    Number(SmolStr),
    /// Any text.
    Text(SmolStr),
    /// A day without a time zone.
    Date(NaiveDate),
    /// A moment.
    Moment(DateTime<Utc>),
    /// Several texts whose order means nothing (a multi-select picklist, tags).
    Set(Vec<Box<str>>),
}

impl Value {
    /// A text value; blank text stays blank text until it is made canonical.
    pub fn text(text: impl Into<SmolStr>) -> Self {
        Self::Text(text.into())
    }

    /// Whether nothing is there: null, white space only, or an empty set.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::Set(values) => values.is_empty(),
            Self::Bool(_) | Self::Number(_) | Self::Date(_) | Self::Moment(_) => false,
        }
    }

    /// The text inside, if this is a text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Turns a JSON scalar into a value without knowing the field's type.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => Self::Number(number.to_string().into()),
            serde_json::Value::String(text) => Self::Text(text.as_str().into()),
            serde_json::Value::Array(items) => Self::Set(
                items
                    .iter()
                    .map(|item| match item {
                        serde_json::Value::String(text) => text.as_str().into(),
                        other => other.to_string().into(),
                    })
                    .collect(),
            ),
            serde_json::Value::Object(_) => Self::Text(json.to_string().into()),
        }
    }

    /// The plain JSON form, used in history, issues and `--json` output.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(flag) => serde_json::Value::Bool(*flag),
            Self::Number(text) => serde_json::from_str::<serde_json::Number>(text)
                .map_or_else(|_| serde_json::Value::String(text.to_string()), serde_json::Value::Number),
            Self::Text(_) | Self::Date(_) | Self::Moment(_) => serde_json::Value::String(self.to_string()),
            Self::Set(values) => {
                serde_json::Value::Array(values.iter().map(|text| text.to_string().into()).collect())
            }
        }
    }
}

/// The text a person would expect to read; blank is the empty string.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(flag) => write!(formatter, "{flag}"),
            Self::Number(text) | Self::Text(text) => formatter.write_str(text),
            Self::Date(day) => write!(formatter, "{day}"),
            Self::Moment(moment) => formatter.write_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::Set(values) => formatter.write_str(&values.join(";")),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}
