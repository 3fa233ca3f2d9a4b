//! Custom objects and fields of an org, as a TOML file. The "installed package" that the sandbox ships with is such a
//! file too.
//!
//! ```toml
//! [[object]]
//! name = "Invoice__c"          # must end in __c
//! label = "Invoice"            # optional, like every key but `name`
//! plural = "Invoices"
//! prefix = "a0X"               # three characters in front of its ids
//! auto_number = false          # true: Name is filled by the org
//!
//! [[field]]
//! object = "Contact"           # the object that gets the field
//! name = "Segment__c"
//! label = "Segment"
//! type = "picklist"            # a word of the describe, or "html"
//! length = 255
//! precision = 18               # numbers
//! scale = 2
//! required = false
//! unique = false
//! external_id = false
//! case_sensitive = false
//! read_only = false            # a formula, as far as a client can tell
//! values = ["A", "B"]          # picklists
//! restricted = false
//! default = "A"
//! reference_to = ["Account"]   # type = "reference"
//! relationship = "Segment__r"
//! child_relationship = "Segments__r"
//! master_detail = false
//! if_missing = false           # true: a field of that name that is there already stays as it is
//! ```

use serde::Deserialize;

use super::Kind;

/// A file of custom objects and fields could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The text is no TOML of this shape.
    #[error("the file of custom objects and fields cannot be read: {0}")]
    Shape(#[from] toml::de::Error),
    /// A field names a type that does not exist.
    #[error(
        "field {object}.{field} has the unknown type `{kind}`; use a word of the describe such as string, picklist, double or reference"
    )]
    Type {
        /// The object the field is for.
        object: String,
        /// The field.
        field: String,
        /// What stood there.
        kind: String,
    },
}

/// Custom objects and fields to add to an org.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraSchema {
    #[serde(default, rename = "object")]
    pub(in crate::sandbox::org) objects: Vec<CustomObject>,
    #[serde(default, rename = "field")]
    pub(in crate::sandbox::org) fields: Vec<CustomField>,
}

impl ExtraSchema {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let schema: Self = toml::from_str(text)?;
        match schema
            .fields
            .iter()
            .find(|field| field.kind != "html" && Kind::from_word(&field.kind).is_none())
        {
            None => Ok(schema),
            Some(field) => Err(SchemaError::Type {
                object: field.object.clone(),
                field: field.name.clone(),
                kind: field.kind.clone(),
            }),
        }
    }
}

/// One `[[object]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sandbox::org) struct CustomObject {
    pub(in crate::sandbox::org) name: String,
    pub(super) label: Option<String>,
    pub(super) plural: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) name_label: Option<String>,
    #[serde(default)]
    pub(super) auto_number: bool,
}

/// One `[[field]]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::sandbox::org) struct CustomField {
    pub(in crate::sandbox::org) object: String,
    pub(in crate::sandbox::org) name: String,
    pub(super) label: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) length: Option<usize>,
    pub(super) precision: Option<u32>,
    pub(super) scale: Option<u32>,
    pub(super) required: bool,
    pub(super) unique: bool,
    pub(super) external_id: bool,
    pub(super) case_sensitive: bool,
    pub(super) read_only: bool,
    pub(super) values: Vec<String>,
    pub(super) restricted: bool,
    pub(super) default: Option<String>,
    pub(super) reference_to: Vec<String>,
    pub(super) relationship: Option<String>,
    pub(super) child_relationship: Option<String>,
    pub(super) master_detail: bool,
    pub(super) if_missing: bool,
}

impl CustomField {
    pub(super) fn system(name: &str, label: &str, kind: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: Some(label.to_owned()),
            kind: kind.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn kind(&self) -> Kind {
        Kind::from_word(&self.kind).unwrap_or(Kind::TextArea)
    }

    pub(super) fn text_length(&self) -> usize {
        match self.kind() {
            Kind::Id | Kind::Reference => 18,
            Kind::TextArea => self.length.unwrap_or(if self.kind == "html" { 32_768 } else { 255 }),
            Kind::Text | Kind::Picklist | Kind::Combobox | Kind::Url => self.length.unwrap_or(255),
            Kind::MultiPicklist => self.length.unwrap_or(4_099),
            Kind::Phone => 40,
            Kind::Email => 80,
            Kind::Boolean
            | Kind::Currency
            | Kind::Int
            | Kind::Double
            | Kind::Percent
            | Kind::Date
            | Kind::DateTime
            | Kind::Time
            | Kind::Address => 0,
        }
    }

    pub(super) fn relationship_name(&self) -> Option<String> {
        if self.reference_to.is_empty() {
            return None;
        }
        self.relationship.clone().or_else(|| self.name.strip_suffix("__c").map(|stem| format!("{stem}__r")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_type_is_named_with_its_field() {
        let error = ExtraSchema::parse("[[field]]\nobject='Contact'\nname='A__c'\ntype='strng'").unwrap_err();
        assert!(error.to_string().contains("Contact.A__c"), "{error}");
    }
}
