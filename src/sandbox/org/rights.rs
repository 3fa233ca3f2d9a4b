//! What the integration user may see and do. People in the org are not held by it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::schema::{Field, Kind, Schema};

/// What a user may do with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldPermission {
    /// See and edit it, as far as the field allows.
    Edit,
    /// See it only.
    Read,
    /// Not even see it.
    Hidden,
}

/// What a user may do with the rows of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectPermission {
    /// See them; without it the object does not exist for the user.
    pub read: bool,
    /// Create them.
    pub create: bool,
    /// Change them.
    pub edit: bool,
    /// Delete them.
    pub delete: bool,
}

impl Default for ObjectPermission {
    fn default() -> Self {
        Self { read: true, create: true, edit: true, delete: true }
    }
}

/// How an admin changed a field; what is left out is as it was founded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldChange {
    /// The longest text.
    pub length: Option<usize>,
    /// Whether a row can't be made without it.
    pub required: Option<bool>,
    /// Whether only values of its list are taken.
    pub restricted: Option<bool>,
    /// Its list of values.
    pub values: Option<Vec<String>>,
    /// The word of the describe for what it holds, such as `double`.
    pub kind: Option<String>,
}

/// Exceptions from full rights, and what an admin changed about fields since the org was founded.
#[derive(Debug, Clone, Default)]
pub(super) struct Rights {
    changes: HashMap<(usize, usize), FieldChange>,
    hidden: HashSet<(usize, usize)>,
    read_only: HashSet<(usize, usize)>,
    objects: HashMap<usize, ObjectPermission>,
}

impl Rights {
    pub(super) fn set_field(&mut self, object: usize, field: usize, permission: FieldPermission) {
        self.hidden.remove(&(object, field));
        self.read_only.remove(&(object, field));
        match permission {
            FieldPermission::Edit => {}
            FieldPermission::Read => {
                self.read_only.insert((object, field));
            }
            FieldPermission::Hidden => {
                self.hidden.insert((object, field));
            }
        }
    }

    /// Changes a field anew, in the place of what was changed before.
    pub(super) fn change_field(&mut self, object: usize, field: usize, change: FieldChange) {
        if change == FieldChange::default() {
            self.changes.remove(&(object, field));
        } else {
            self.changes.insert((object, field), change);
        }
    }

    /// A field as it is now.
    pub(super) fn column<'a>(&self, object: usize, place: usize, field: &'a Field) -> Cow<'a, Field> {
        let Some(change) = self.changes.get(&(object, place)) else { return Cow::Borrowed(field) };
        let mut column = field.clone();
        column.length = change.length.unwrap_or(column.length);
        column.restricted = change.restricted.unwrap_or(column.restricted);
        if let Some(required) = change.required {
            column.nillable = !required;
            column.defaulted_on_create &= !required;
        }
        if let Some(values) = &change.values {
            column.values.clone_from(values);
        }
        if let Some(kind) = change.kind.as_deref().and_then(Kind::from_word) {
            column.kind = kind;
        }
        Cow::Owned(column)
    }

    pub(super) fn set_object(&mut self, object: usize, permission: ObjectPermission) {
        self.objects.insert(object, permission);
    }

    pub(super) fn object(&self, object: usize) -> ObjectPermission {
        self.objects.get(&object).copied().unwrap_or_default()
    }

    pub(super) fn sees(&self, object: usize, field: usize) -> bool {
        !self.hidden.contains(&(object, field))
    }

    pub(super) fn edits(&self, object: usize, field: usize) -> bool {
        self.sees(object, field) && !self.read_only.contains(&(object, field))
    }

    /// The place of an object that the user can see.
    pub(super) fn find_object(&self, schema: &Schema, name: &str) -> Option<usize> {
        schema.find(name).filter(|object| self.object(*object).read)
    }

    /// The place of a field that the user can see.
    pub(super) fn find_field(&self, schema: &Schema, object: usize, name: &str) -> Option<usize> {
        schema.objects.get(object)?.field(name).filter(|field| self.sees(object, *field))
    }
}
