//! Reads records straight from the bytes of a reply into the order of a selection, without a tree of JSON in between.
//!
//! A [`Shape`] is made once for a read: it knows which key of a row goes where, through parents too.

mod flat;
mod shape;

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smol_str::SmolStr;

use super::convert;
use crate::domain::record::{Record, RecordId};
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

pub(super) use flat::Flat;
pub(super) use shape::Shape;
use shape::{Entry, Node, Role};

/// A page of a query.
#[derive(Debug, Default)]
pub(super) struct QueryPage {
    pub(super) records: Vec<Record>,
    pub(super) total: u64,
    pub(super) next: Option<String>,
}

/// Reads the reply to a query.
pub(super) fn read_query(shape: &Shape, body: &[u8]) -> Result<QueryPage, serde_json::Error> {
    let mut page = QueryPage::default();
    let mut json = serde_json::Deserializer::from_slice(body);
    PageSeed { shape, page: &mut page }.deserialize(&mut json)?;
    json.end()?;
    Ok(page)
}

/// Reads an array of records in which missing ones are null.
pub(super) fn read_array(shape: &Shape, body: &[u8]) -> Result<Vec<Record>, serde_json::Error> {
    let mut page = QueryPage::default();
    let mut json = serde_json::Deserializer::from_slice(body);
    RowsSeed { shape, page: &mut page }.deserialize(&mut json)?;
    json.end()?;
    Ok(page.records)
}

struct PageSeed<'a> {
    shape: &'a Shape,
    page: &'a mut QueryPage,
}

impl<'de> DeserializeSeed<'de> for PageSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the reply to a query")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match &*key {
                "totalSize" => self.page.total = map.next_value::<Option<u64>>()?.unwrap_or(0),
                "nextRecordsUrl" => self.page.next = map.next_value()?,
                "records" => {
                    map.next_value_seed(RowsSeed { shape: self.shape, page: &mut *self.page })?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct RowsSeed<'a> {
    shape: &'a Shape,
    page: &'a mut QueryPage,
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of records")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        loop {
            let mut building = Building::new(self.shape.width);
            let seed = NodeSeed { node: &self.shape.root, building: &mut building, depth: 0 };
            if rows.next_element_seed(seed)?.is_none() {
                return Ok(());
            }
            self.page.records.extend(building.finish());
        }
    }
}

/// A record that is being read.
struct Building {
    id: Option<RecordId>,
    stamp: Option<DateTime<Utc>>,
    author: Option<SmolStr>,
    converted: bool,
    became: Vec<(&'static str, RecordId)>,
    values: Vec<Option<Value>>,
}

impl Building {
    fn new(width: usize) -> Self {
        Self {
            id: None,
            stamp: None,
            author: None,
            converted: false,
            became: Vec::new(),
            values: vec![None; width],
        }
    }

    fn put(&mut self, entry: &Entry, value: Value) {
        match (entry.role, &value) {
            (Role::Id, Value::Text(text)) => self.id = Some(RecordId::new(text.clone())),
            (Role::Stamp, Value::Moment(moment)) => self.stamp = Some(*moment),
            (Role::Author, Value::Text(text)) => self.author = Some(text.clone()),
            (Role::Converted, Value::Bool(flag)) => self.converted = *flag,
            (Role::Became(object), Value::Text(text)) => {
                self.became.push((object, RecordId::new(text.clone())));
            }
            (Role::Id | Role::Stamp | Role::Author | Role::Converted | Role::Became(_) | Role::Plain, _) => {}
        }
        if let Some(slot) = entry.place.and_then(|place| self.values.get_mut(place)) {
            *slot = Some(value);
        }
    }

    /// All fields of a parent that is not there are blank.
    fn put_blank(&mut self, node: &Node) {
        for entry in &node.entries {
            if let Some(slot) = entry.place.and_then(|place| self.values.get_mut(place)) {
                *slot = Some(Value::Null);
            }
            if let Some(child) = &entry.child {
                self.put_blank(child);
            }
        }
    }

    /// A row without an id stands for a record that is not there.
    fn finish(self) -> Option<Record> {
        // The contact first: the account is its company, or the person account of which it is a part.
        let (contacts, others): (Vec<_>, Vec<_>) =
            self.became.into_iter().filter(|_| self.converted).partition(|(object, _)| *object == "Contact");
        let became = contacts.into_iter().chain(others).map(|(object, id)| (object.to_owned(), id)).collect();
        Some(Record { id: self.id?, stamp: self.stamp, author: self.author, values: self.values, became })
    }
}

struct NodeSeed<'a> {
    node: &'a Node,
    building: &'a mut Building,
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a record or null")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        if self.depth > 0 {
            self.building.put_blank(self.node);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(found) = map.next_key_seed(KeySeed { node: self.node, expected })? {
            let entry = found.and_then(|at| self.node.entries.get(at).map(|entry| (at, entry)));
            let Some((at, entry)) = entry else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            expected = at + 1;
            if let Some(node) = &entry.child {
                map.next_value_seed(NodeSeed { node, building: self.building, depth: self.depth + 1 })?;
            } else {
                let value = map.next_value_seed(ValueSeed(entry.kind))?;
                self.building.put(entry, value);
            }
        }
        Ok(())
    }
}

/// Finds a key's entry; rows come in the order that was asked for, so the expected one is tried first.
struct KeySeed<'a> {
    node: &'a Node,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        if self.node.entries.get(self.expected).is_some_and(|entry| &*entry.key == key) {
            return Ok(Some(self.expected));
        }
        Ok(self.node.entries.iter().position(|entry| entry.key.eq_ignore_ascii_case(key)))
    }
}

struct ValueSeed(FieldKind);

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the value of a field")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string().into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string().into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(convert::from_float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(convert::from_text(self.0, text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }
}

#[cfg(test)]
pub(super) mod tests;
