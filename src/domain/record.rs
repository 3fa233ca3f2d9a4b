//! Records as the ports hand them over: ids, stamps and values in the order of a selection.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::domain::value::Value;

/// The id of a record on its side. Ids of the org always have 18 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(SmolStr);

impl RecordId {
    /// Takes an id as the side spells it.
    pub fn new(id: impl Into<SmolStr>) -> Self {
        Self(id.into())
    }

    /// The id as the side spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<&str> for RecordId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

/// Which fields are asked for, in order; shared by all records of a read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection(Arc<[Box<str>]>);

impl Selection {
    /// A selection of these field names; the first mention of a name counts.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        let mut kept: Vec<Box<str>> = Vec::new();
        for name in names {
            if !kept.iter().any(|known| known.eq_ignore_ascii_case(name.as_ref())) {
                kept.push(name.as_ref().into());
            }
        }
        Self(kept.into())
    }

    /// The names in order.
    pub fn names(&self) -> &[Box<str>] {
        &self.0
    }

    /// The place of a name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|known| known.eq_ignore_ascii_case(name))
    }

    /// How many fields.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no field is selected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One record as read from a side; `values` stand in the order of the [`Selection`] that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// When the side says it was last touched, on the side's clock.
    pub stamp: Option<DateTime<Utc>>,
    /// Who touched it last, where the side tells.
    pub author: Option<SmolStr>,
    /// `None` is a field that was not returned; `Some(Value::Null)` is a blank one.
    pub values: Vec<Option<Value>>,
    /// What it lives on as, where it is only a shell any more, such as a converted lead: objects and ids, the likeliest first.
    pub became: Vec<(String, RecordId)>,
}
