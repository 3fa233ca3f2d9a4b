//! What the integration user may see and do. People in the org are not held by it.

use std::collections::{HashMap, HashSet};

use super::schema::Schema;

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

/// Exceptions from full rights.
#[derive(Debug, Clone, Default)]
pub(super) struct Rights {
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
