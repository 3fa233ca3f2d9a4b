//! User groups: people know them by name, the service by id.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::Learndot;
use super::shape::{at, plain};
use crate::domain::port::PortError;
use crate::domain::value::Value;

/// The groups as they were last read.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<Arc<Known>>);

/// Names of groups by id.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<String, String>);

impl Known {
    /// The groups of a contact by their names; one without a name keeps its id.
    pub(super) fn named(&self, held: &Json) -> Value {
        let Json::Array(list) = held else {
            return if held.is_null() { Value::Null } else { Value::text(plain(held)) };
        };
        let name = |entry: &Json| -> Box<str> {
            if let Some(name) =
                entry.get("name").or_else(|| entry.get("_displayName_")).and_then(Json::as_str)
            {
                return name.into();
            }
            let id = entry.get("id").map_or_else(|| plain(entry), plain);
            self.0.get(&id).cloned().unwrap_or(id).into()
        };
        Value::Set(list.iter().map(name).collect())
    }

    /// The ids of groups by their names, or the first name that is none.
    pub(super) fn ids(&self, names: &[String]) -> Result<Vec<Json>, String> {
        names
            .iter()
            .map(|name| {
                let found = self.0.iter().find(|(id, known)| {
                    known.trim().to_lowercase() == name.trim().to_lowercase() || *id == name
                });
                let id = found.map(|(id, _)| id).ok_or_else(|| name.clone())?;
                Ok(serde_json::from_str(id).unwrap_or_else(|_| json!(id)))
            })
            .collect()
    }

    /// All names, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.values().cloned().collect();
        names.sort();
        names
    }

    fn knows(&self, held: &Json) -> bool {
        held.as_array().is_none_or(|list| {
            list.iter().all(|entry| entry.is_object() || self.0.contains_key(&plain(entry)))
        })
    }
}

impl Learndot {
    /// The groups, read again where one of these rows has an unknown one.
    pub(super) async fn known_groups(&self, rows: &[Map<String, Json>]) -> Result<Arc<Known>, PortError> {
        let known = self.groups.now();
        let unknown =
            rows.iter().any(|row| at(row, &self.names.groups).is_some_and(|held| !known.knows(held)));
        if unknown { self.read_groups().await } else { Ok(known) }
    }

    /// The groups as they were last read, or read now where they never were.
    pub(super) async fn groups(&self) -> Result<Arc<Known>, PortError> {
        let known = self.groups.now();
        if known.0.is_empty() { self.read_groups().await } else { Ok(known) }
    }

    /// Reads all groups.
    pub(super) async fn read_groups(&self) -> Result<Arc<Known>, PortError> {
        let rows = self.all("user_group", &[]).await?;
        let named = |row: &Map<String, Json>| {
            let name = row.get("name").or_else(|| row.get("_displayName_"))?;
            Some((plain(row.get("id")?), plain(name)))
        };
        let known = Arc::new(Known(rows.iter().filter_map(named).collect()));
        *self.groups.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        Ok(known)
    }
}

impl Groups {
    fn now(&self) -> Arc<Known> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
