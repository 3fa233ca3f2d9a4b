//! What is known of the org's objects at one moment: names and paths lead to fields here.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::CachedSchema;
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};

/// Of a user, only what says who it is.
const USER_FIELDS: [&str; 9] =
    ["Name", "FirstName", "LastName", "Email", "Username", "Alias", "Phone", "Title", "EmployeeNumber"];
/// References whose parents say nothing about the record.
const DULL_REFERENCES: [&str; 3] = ["CreatedBy", "LastModifiedBy", "MasterRecord"];

/// What is known at one moment; resolves names and paths.
#[derive(Clone, Debug, Default)]
pub(in crate::connect::salesforce) struct Catalog {
    pub(in crate::connect::salesforce) objects: HashMap<String, Arc<CachedSchema>>,
}

/// A field that a name or path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connect::salesforce) struct Resolved {
    /// The path in the org's own spelling.
    pub(in crate::connect::salesforce) path: String,
    pub(in crate::connect::salesforce) kind: FieldKind,
    pub(in crate::connect::salesforce) length: Option<u32>,
}

impl Catalog {
    pub(in crate::connect::salesforce) fn object(&self, name: &str) -> Option<&CachedSchema> {
        self.objects.get(&name.to_ascii_lowercase()).map(Arc::as_ref)
    }

    /// Follows a path such as `Account.Owner.Name` from an object.
    pub(in crate::connect::salesforce) fn resolve(&self, object: &str, path: &str) -> Option<Resolved> {
        let schema = &self.object(object)?.schema;
        match path.split_once('.') {
            None => {
                let field = schema.field(path)?;
                Some(Resolved { path: field.name.clone(), kind: field.kind, length: field.length })
            }
            Some((relationship, rest)) => {
                let reference = reference_called(schema, relationship)?;
                let name = reference.relationship.as_deref()?;
                let found = reference.references.iter().find_map(|target| self.resolve(target, rest))?;
                Some(Resolved { path: format!("{name}.{}", found.path), ..found })
            }
        }
    }

    /// Parents that a path leads through and that are not known yet.
    pub(super) fn unknown_parents(&self, object: &str, path: &str, into: &mut BTreeSet<String>) {
        let Some((relationship, rest)) = path.split_once('.') else { return };
        let Some(reference) =
            self.object(object).and_then(|known| reference_called(&known.schema, relationship))
        else {
            return;
        };
        for target in &reference.references {
            if self.object(target).is_some() {
                self.unknown_parents(target, rest, into);
            } else {
                into.insert(target.clone());
            }
        }
    }
}

fn reference_called<'a>(schema: &'a ObjectSchema, relationship: &str) -> Option<&'a FieldSchema> {
    schema.fields.iter().find(|field| {
        field.relationship.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(relationship))
    })
}

/// A schema with the fields of its parents, as far as they are known; they can only be read.
pub(super) fn with_parent_fields(catalog: &Catalog, schema: &ObjectSchema) -> ObjectSchema {
    let mut full = schema.clone();
    for reference in &schema.fields {
        let Some(relationship) = &reference.relationship else { continue };
        if DULL_REFERENCES.contains(&relationship.as_str()) {
            continue;
        }
        let Some(parent) = reference.references.iter().find_map(|target| catalog.object(target)) else {
            continue;
        };
        let label = reference.label.trim_end_matches(" ID");
        let only = if parent.schema.name == "User" { Some(USER_FIELDS) } else { None };
        let chosen = parent.schema.fields.iter().filter(|field| {
            field.kind != FieldKind::Other && only.is_none_or(|names| names.contains(&field.name.as_str()))
        });
        full.fields.extend(chosen.map(|field| FieldSchema {
            name: format!("{relationship}.{}", field.name),
            label: format!("{label} › {}", field.label),
            required: false,
            createable: false,
            updateable: false,
            unique: false,
            external_id: false,
            references: Vec::new(),
            relationship: None,
            ..field.clone()
        }));
    }
    full
}
