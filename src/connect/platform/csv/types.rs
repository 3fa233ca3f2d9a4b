//! `schema.toml` of the folder: what people say of the types of their columns.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::refused;
use crate::domain::port::{PortClass, PortError};
use crate::domain::schema::FieldKind;

/// The name of the file.
pub(super) const FILE: &str = "schema.toml";

/// What the file says; each table is an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Types(BTreeMap<String, ObjectTypes>);

/// What it says of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ObjectTypes {
    /// The column that tells rows apart.
    pub(super) id: Option<String>,
    /// The columns by which a row without an id is known.
    pub(super) key: Vec<String>,
    /// Whether the file holds every record.
    pub(super) complete: Option<bool>,
    /// How dates are written, such as `%d.%m.%Y`.
    pub(super) date_format: Option<String>,
    /// The kind of each column.
    pub(super) fields: BTreeMap<String, FieldKind>,
}

impl Types {
    /// Reads the file of a folder; without one nothing is said.
    pub(super) fn read(folder: &Path) -> Result<Self, PortError> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(super::from_io("read", &path, &error)),
        };
        toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                text.get(..span.start).unwrap_or_default().bytes().filter(|byte| *byte == b'\n').count() + 1
            });
            refused(
                PortClass::Settings,
                "SCHEMA_FILE",
                format!("{}, line {line}, can't be understood: {}.", path.display(), error.message()),
            )
        })
    }

    /// What it says of an object.
    pub(super) fn of(&self, object: &str) -> ObjectTypes {
        let found = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(object));
        found.map(|(_, types)| types.clone()).unwrap_or_default()
    }
}

impl ObjectTypes {
    /// What it says of a column.
    pub(super) fn kind(&self, column: &str) -> Option<FieldKind> {
        let found = self.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        found.map(|(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[Contact.fields]\nAge = \"number\"\nBorn = \"dat\"\n";
        std::fs::write(folder.path().join(FILE), text).unwrap();
        let error = Types::read(folder.path()).unwrap_err();
        assert!(error.message.contains("line 3"), "{error}");
        assert_eq!(error.class, PortClass::Settings);
    }

    #[test]
    fn columns_are_found_whatever_their_case() {
        let types: Types =
            toml::from_str("[contact]\nid = \"Nr\"\n[contact.fields]\nage = \"number\"\n").unwrap();
        assert_eq!(types.of("Contact").kind("Age"), Some(FieldKind::Number));
        assert_eq!(types.of("Lead"), ObjectTypes::default());
    }
}
