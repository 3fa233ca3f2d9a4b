//! What an entity has: the fields of the profile, and those that the service names besides. Asked once a connection.

use std::sync::{Arc, PoisonError};

use serde_json::Value as Json;

use super::Learndot;
use super::service::Failure;
use super::shape::GROUPS;
use crate::domain::port::{PortClass, PortError};
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};

impl Learndot {
    pub(super) async fn describe_all(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        let mut described = Vec::with_capacity(objects.len());
        for name in objects {
            let Ok(object) = self.object(name) else { continue };
            let known =
                self.described.lock().unwrap_or_else(PoisonError::into_inner).get(&object.name).cloned();
            let schema = if let Some(schema) = known {
                schema
            } else {
                let schema = Arc::new(self.describe_one(object.schema([])).await?);
                let mut kept = self.described.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(object.name.clone(), Arc::clone(&schema));
                schema
            };
            described.push(schema.as_ref().clone());
        }
        Ok(described)
    }

    pub(super) fn forget_descriptions(&self) {
        self.described.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn describe_one(&self, mut schema: ObjectSchema) -> Result<ObjectSchema, PortError> {
        if schema.field(GROUPS).is_some() {
            let names = match self.groups().await {
                Ok(groups) => groups.names(),
                // Who may not read groups can still map everything else.
                Err(error) if error.class == PortClass::Blocked || error.class == PortClass::Settings => {
                    Vec::new()
                }
                Err(error) => return Err(error),
            };
            if let Some(field) = schema.fields.iter_mut().find(|field| field.name == GROUPS) {
                field.picklist = names;
            }
        }
        if !self.names.describe {
            return Ok(schema);
        }
        let answer = match self.service.get("describe", &format!("{}/describe", schema.name)).await {
            Ok(answer) => answer.value,
            // A service that describes nothing still has the fields that everybody knows.
            Err(Failure::Refused { .. }) => return Ok(schema),
            Err(failure) => return Err(failure.into_port()),
        };
        let own = [self.names.groups.clone(), self.names.organization.clone()];
        let Some(Json::Object(fields)) = answer.get("result") else { return Ok(schema) };
        for (name, said) in fields {
            let known = schema.field(name).is_some() || own.contains(name);
            let nested = said.get("properties").is_some_and(Json::is_object);
            if !known && !nested {
                let (createable, updateable) = (schema.createable, schema.updateable);
                schema.fields.push(further(name, said, createable, updateable));
            }
        }
        Ok(schema)
    }
}

/// A field that the profile does not know.
fn further(name: &str, said: &Json, createable: bool, updateable: bool) -> FieldSchema {
    let word = said.get("type").and_then(Json::as_str).unwrap_or_default().to_ascii_lowercase();
    let picklist: Vec<String> = said
        .get("enum")
        .and_then(Json::as_array)
        .map(|list| list.iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let kind = match word.as_str() {
        _ if !picklist.is_empty() => FieldKind::Picklist,
        "boolean" => FieldKind::Bool,
        "integer" | "long" | "number" | "double" | "decimal" if !name.ends_with("Id") => FieldKind::Number,
        "date-time" | "datetime" | "date" => FieldKind::Moment,
        _ => FieldKind::Text,
    };
    FieldSchema {
        name: name.to_owned(),
        label: name.to_owned(),
        kind,
        createable,
        updateable,
        picklist,
        ..FieldSchema::default()
    }
}
