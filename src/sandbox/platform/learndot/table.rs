//! The rows of all entities, and the rules by which one is created or changed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::date;
use super::entity::{ENTITIES, Entity, Field, Kind, entity};

/// A row: its fields, and when it was last changed in milliseconds.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) fields: Map<String, Value>,
    pub(super) changed: i64,
}

/// All rows, by entity and id.
#[derive(Debug, Default)]
pub(super) struct Tables {
    rows: [BTreeMap<u64, Row>; ENTITIES.len()],
    last: [u64; ENTITIES.len()],
    deleted: usize,
}

/// Who writes, when, and how strictly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer {
    pub(super) user: u64,
    pub(super) now: i64,
    pub(super) refuse_unknown: bool,
    /// Whether the row gets a date of change although it is new.
    pub(super) dated: bool,
}

/// Why a write is refused: the status, and the words.
pub(super) type Refusal = (u16, String);

impl Tables {
    pub(super) fn of(&self, place: usize) -> Option<&BTreeMap<u64, Row>> {
        self.rows.get(place)
    }

    pub(super) fn count(&self, name: &str) -> usize {
        entity(name).and_then(|(place, _)| self.rows.get(place)).map_or(0, BTreeMap::len)
    }

    pub(super) fn deleted(&self) -> usize {
        self.deleted
    }

    /// The next id of an entity.
    pub(super) fn next_id(&mut self, place: usize) -> u64 {
        let Some(last) = self.last.get_mut(place) else { return 0 };
        *last += 1;
        *last
    }

    /// Puts a row in place without checks.
    pub(super) fn plant(&mut self, place: usize, id: u64, fields: Map<String, Value>, changed: i64) {
        if let Some(last) = self.last.get_mut(place) {
            *last = (*last).max(id);
        }
        if let Some(rows) = self.rows.get_mut(place) {
            rows.insert(id, Row { fields, changed });
        }
    }

    pub(super) fn remove(&mut self, place: usize, id: u64) -> bool {
        let gone = self.rows.get_mut(place).is_some_and(|rows| rows.remove(&id).is_some());
        self.deleted += usize::from(gone);
        gone
    }

    /// Creates a row; its id.
    pub(super) fn create(
        &mut self,
        place: usize,
        body: &Map<String, Value>,
        by: Writer,
    ) -> Result<u64, Refusal> {
        let Some(shape) = ENTITIES.get(place) else { return Err((404, "No such entity".into())) };
        for field in shape.fields.iter().filter(|field| field.required) {
            if body.get(field.name).is_none_or(is_blank) {
                return Err((400, format!("{} is required", field.name)));
            }
        }
        self.check(place, shape, None, body, by)?;
        let mut fields = blank(shape);
        fields.extend(
            body.iter()
                .filter(|(name, _)| known(shape, name))
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        if shape.name == "contact" && fields.get("enabled").is_none_or(Value::is_null) {
            fields.insert("enabled".into(), json!(true));
        }
        let id = self.next_id(place);
        fields.insert("id".into(), json!(id));
        fields.insert("created".into(), json!(date(by.now)));
        fields.insert("createdById".into(), json!(by.user));
        fields.insert("modified".into(), if by.dated { json!(date(by.now)) } else { Value::Null });
        fields.insert("modifiedById".into(), json!(by.user));
        self.plant(place, id, fields, by.now);
        Ok(id)
    }

    /// Changes the fields that are sent, and no others; a nested object takes the place of the whole one.
    pub(super) fn update(
        &mut self,
        place: usize,
        id: u64,
        body: &Map<String, Value>,
        by: Writer,
    ) -> Result<(), Refusal> {
        let missing = || (404, format!("No row {id}"));
        let shape = ENTITIES.get(place).ok_or_else(missing)?;
        if !self.rows.get(place).is_some_and(|rows| rows.contains_key(&id)) {
            return Err(missing());
        }
        for field in shape.fields.iter().filter(|field| field.required) {
            if body.get(field.name).is_some_and(is_blank) {
                return Err((400, format!("{} is required", field.name)));
            }
        }
        self.check(place, shape, Some(id), body, by)?;
        let row = self.rows.get_mut(place).and_then(|rows| rows.get_mut(&id)).ok_or_else(missing)?;
        for (name, value) in body.iter().filter(|(name, _)| known(shape, name)) {
            row.fields.insert(name.clone(), value.clone());
        }
        row.fields.insert("modified".into(), json!(date(by.now)));
        row.fields.insert("modifiedById".into(), json!(by.user));
        row.changed = by.now;
        Ok(())
    }

    fn check(
        &self,
        place: usize,
        shape: &Entity,
        own: Option<u64>,
        body: &Map<String, Value>,
        by: Writer,
    ) -> Result<(), Refusal> {
        for (name, value) in body {
            match shape.fields.iter().find(|field| field.name == name) {
                Some(field) => self.check_value(field, value)?,
                None if name == "id" => {}
                None if by.refuse_unknown => return Err((400, format!("Unknown field {name}"))),
                None => {}
            }
        }
        if let Some(unique) = shape.unique
            && let Some(text) = body.get(unique).and_then(Value::as_str)
        {
            let taken = self.rows.get(place).into_iter().flatten().any(|(id, row)| {
                Some(*id) != own
                    && row
                        .fields
                        .get(unique)
                        .and_then(Value::as_str)
                        .is_some_and(|held| held.eq_ignore_ascii_case(text))
            });
            if taken {
                return Err((409, format!("{unique} {text} is already in use")));
            }
        }
        Ok(())
    }

    fn check_value(&self, field: &Field, value: &Value) -> Result<(), Refusal> {
        let wrong = |what: &str| Err((400, format!("{} must be {what}", field.name)));
        if value.is_null() {
            return Ok(());
        }
        let refers = |to: &str, id: &Value| {
            let rows = entity(to).and_then(|(place, _)| self.rows.get(place));
            id.as_u64().zip(rows).is_some_and(|(id, rows)| rows.contains_key(&id))
        };
        match field.kind {
            Kind::Text if !value.is_string() => wrong("a text"),
            Kind::Flag if !value.is_boolean() => wrong("true or false"),
            Kind::Number if !value.is_number() => wrong("a number"),
            Kind::Date => match value.as_str() {
                Some(text) if chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").is_ok() => {
                    Ok(())
                }
                _ => wrong("a date such as 2021-11-16 00:00:00"),
            },
            Kind::Word(words) if !value.as_str().is_some_and(|word| words.contains(&word)) => {
                wrong(&format!("one of {}", words.join(", ")))
            }
            Kind::Refers(to) if !refers(to, value) => wrong(&format!("the id of a {to}")),
            Kind::ReferAll(to)
                if !value.as_array().is_some_and(|ids| ids.iter().all(|id| refers(to, id))) =>
            {
                wrong(&format!("a list of ids of {to}"))
            }
            Kind::Object(names) => match value.as_object() {
                Some(object) => match object.keys().find(|name| !names.contains(&name.as_str())) {
                    Some(name) => Err((400, format!("Unknown field {}.{name}", field.name))),
                    None => Ok(()),
                },
                None => wrong("an object"),
            },
            Kind::Text | Kind::Flag | Kind::Number | Kind::Word(_) | Kind::Refers(_) | Kind::ReferAll(_) => {
                Ok(())
            }
        }
    }
}

fn known(shape: &Entity, name: &str) -> bool {
    shape.fields.iter().any(|field| field.name == name)
}

/// All fields of an entity, blank.
pub(super) fn blank(shape: &Entity) -> Map<String, Value> {
    let empty = |kind: Kind| if matches!(kind, Kind::ReferAll(_)) { json!([]) } else { Value::Null };
    shape.fields.iter().map(|field| (field.name.to_owned(), empty(field.kind))).collect()
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}
