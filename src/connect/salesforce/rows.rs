//! Reads records straight from the bytes of a reply into the order of a selection, without a tree of JSON in between.
//!
//! A [`Shape`] is made once for a read: it knows which key of a row goes where, through parents too.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::convert;
use super::describe::Catalog;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

/// Where the keys of a row go.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    root: Node,
    columns: Vec<String>,
    width: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: Box<str>,
    kind: FieldKind,
    place: Option<usize>,
    role: Role,
    child: Option<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Plain,
    Id,
    Stamp,
    Author,
}

impl Shape {
    /// The shape of a selection of an object. A field that the object does not have (any more) is left out of the read, so that
    /// it comes back as absent and the others still come.
    pub(super) fn new(catalog: &Catalog, object: &str, selection: &Selection) -> Self {
        let mut shape = Self { width: selection.len(), ..Self::default() };
        let system = [("Id", Role::Id), ("SystemModstamp", Role::Stamp), ("LastModifiedById", Role::Author)];
        for (name, role) in system {
            if let Some(found) = catalog.resolve(object, name) {
                shape.add(&found.path, found.kind, None, role);
            }
        }
        for (place, name) in selection.names().iter().enumerate() {
            if let Some(found) = catalog.resolve(object, name).filter(|found| found.kind != FieldKind::Other)
            {
                shape.add(&found.path, found.kind, Some(place), Role::Plain);
            }
        }
        shape
    }

    fn add(&mut self, path: &str, kind: FieldKind, place: Option<usize>, role: Role) {
        let mut node = &mut self.root;
        let mut keys = path.split('.').peekable();
        while let Some(key) = keys.next() {
            let at = node.entries.iter().position(|entry| &*entry.key == key).unwrap_or_else(|| {
                node.entries.push(Entry {
                    key: key.into(),
                    kind,
                    place: None,
                    role: Role::Plain,
                    child: None,
                });
                node.entries.len() - 1
            });
            let Some(entry) = node.entries.get_mut(at) else { return };
            if keys.peek().is_some() {
                node = entry.child.get_or_insert_with(Node::default);
            } else {
                entry.kind = kind;
                entry.place = entry.place.or(place);
                if role != Role::Plain {
                    entry.role = role;
                }
                if !self.columns.iter().any(|known| known == path) {
                    self.columns.push(path.to_owned());
                }
                return;
            }
        }
    }

    /// The fields to ask for, with our own first.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether a field of a parent is among them.
    pub(super) fn has_parents(&self) -> bool {
        self.columns.iter().any(|column| column.contains('.'))
    }

    /// Whether rows carry a stamp.
    pub(super) fn has_stamp(&self) -> bool {
        self.root.entries.iter().any(|entry| entry.role == Role::Stamp)
    }
}

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
    let mut records = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    RowsSeed { shape, records: &mut records }.deserialize(&mut json)?;
    json.end()?;
    Ok(records)
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
                    map.next_value_seed(RowsSeed { shape: self.shape, records: &mut self.page.records })?
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct RowsSeed<'a> {
    shape: &'a Shape,
    records: &'a mut Vec<Record>,
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
            self.records.extend(building.finish());
        }
    }
}

/// A record that is being read.
struct Building {
    id: Option<RecordId>,
    stamp: Option<DateTime<Utc>>,
    author: Option<Box<str>>,
    values: Vec<Option<Value>>,
}

impl Building {
    fn new(width: usize) -> Self {
        Self { id: None, stamp: None, author: None, values: vec![None; width] }
    }

    fn put(&mut self, entry: &Entry, value: Value) {
        match (entry.role, &value) {
            (Role::Id, Value::Text(text)) => self.id = Some(RecordId::new(text.clone())),
            (Role::Stamp, Value::Moment(moment)) => self.stamp = Some(*moment),
            (Role::Author, Value::Text(text)) => self.author = Some(text.clone()),
            (Role::Id | Role::Stamp | Role::Author | Role::Plain, _) => {}
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
        Some(Record { id: self.id?, stamp: self.stamp, author: self.author, values: self.values })
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
            match &entry.child {
                Some(node) => {
                    map.next_value_seed(NodeSeed { node, building: self.building, depth: self.depth + 1 })?;
                }
                None => {
                    let value = map.next_value_seed(ValueSeed(entry.kind))?;
                    self.building.put(entry, value);
                }
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
mod tests;
