//! What an object has: the fields of the profile that the tenant's type has too, with its stages, and the tenant's own fields.

use super::Spotio;
use super::view::{Slot, View, kind_of, slot};
use super::workflow::{Field, RecordType};
use crate::domain::port::PortError;
use crate::domain::profile::ObjectProfile;
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};

impl Spotio {
    pub(super) async fn describe_all(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        let workflow = self.workflow().await?;
        let mut described = Vec::with_capacity(objects.len());
        for name in objects {
            let Ok(object) = self.object(name) else { continue };
            let view = View::of(name);
            if view.is_activity() {
                described.push(object.schema([]));
                continue;
            }
            // A tenant without such a type has no such object; whoever maps it is told so.
            let Ok(kind) = self.type_of(&workflow, view) else { continue };
            described.push(schema(object, kind));
        }
        Ok(described)
    }
}

fn schema(object: &ObjectProfile, kind: &RecordType) -> ObjectSchema {
    let mut schema = object.schema([]);
    schema.fields.retain(|field| slot(kind, &field.name).is_some());
    for known in &mut schema.fields {
        match slot(kind, &known.name) {
            Some(Slot::Stage) => {
                known.picklist = kind.stages.iter().map(|stage| stage.name.clone()).collect();
                known.restricted = true;
            }
            Some(Slot::Field(field)) => {
                known.required = field.required;
                known.updateable &= !field.readonly;
                known.createable &= !field.readonly;
            }
            _ => {}
        }
    }
    for field in kind.fields.iter().filter(|field| !field.has_role()) {
        let name = kind.custom_name(field);
        if schema.field(&name).is_none() {
            schema.fields.push(own(field, name));
        }
    }
    schema
}

/// A field of the tenant's own.
fn own(field: &Field, name: String) -> FieldSchema {
    let kind = kind_of(field);
    let writable = !field.readonly && kind != FieldKind::Other;
    FieldSchema {
        label: field.name.trim().to_owned(),
        name,
        kind,
        required: field.required,
        createable: writable,
        updateable: writable,
        restricted: !field.options.is_empty(),
        picklist: field.options.clone(),
        ..FieldSchema::default()
    }
}
