//! Rows whose fields stand side by side under the names of a header, as CSV has them.

use super::shape::{Entry, Shape};
use super::{Building, Node};
use crate::connect::salesforce::convert;
use crate::domain::record::Record;
use crate::domain::value::Value;

/// Which column goes where.
#[derive(Clone, Debug)]
pub(in crate::connect::salesforce) struct Flat {
    columns: Vec<Option<Entry>>,
    width: usize,
}

impl Flat {
    /// The columns of a header; those that the shape does not know are passed over.
    pub(in crate::connect::salesforce) fn new<'a>(
        shape: &Shape,
        header: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let columns = header.into_iter().map(|name| find(&shape.root, name).cloned()).collect();
        Self { columns, width: shape.width }
    }

    /// How many columns there are.
    pub(in crate::connect::salesforce) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Reads a row; `None` for one without an id. An empty field is blank: CSV can't tell it from an empty text.
    pub(in crate::connect::salesforce) fn record<'a>(
        &self,
        fields: impl IntoIterator<Item = &'a str>,
    ) -> Option<Record> {
        let mut building = Building::new(self.width);
        for (entry, text) in self.columns.iter().zip(fields) {
            let Some(entry) = entry else { continue };
            let value = if text.is_empty() {
                Value::Null
            } else if text.contains('\0') {
                convert::from_text(entry.kind, &text.replace('\0', ""))
            } else {
                convert::from_text(entry.kind, text)
            };
            building.put(entry, value);
        }
        building.finish()
    }
}

fn find<'a>(node: &'a Node, name: &str) -> Option<&'a Entry> {
    let (key, rest) = name.split_once('.').map_or((name, None), |(key, rest)| (key, Some(rest)));
    let entry = node.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key))?;
    match rest {
        None => Some(entry),
        Some(rest) => find(entry.child.as_ref()?, rest),
    }
}
