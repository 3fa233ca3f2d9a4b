//! What objects and fields the org has: read once from the data files under `assets/sandbox/objects` and from files of
//! custom fields, then never changed. `describe` shows it, `soql` binds names to it, `write` checks values by it.

pub(super) mod custom;
mod load;

use std::collections::HashMap;

pub use custom::{ExtraSchema, SchemaError};
pub(super) use load::load;

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Text,
    TextArea,
    Picklist,
    MultiPicklist,
    Combobox,
    Reference,
    Boolean,
    Currency,
    Int,
    Double,
    Percent,
    Phone,
    Email,
    Url,
    Date,
    DateTime,
    Time,
    Address,
}

impl Kind {
    pub(super) const ALL: [(Self, &'static str, &'static str); 19] = [
        (Self::Id, "id", "tns:ID"),
        (Self::Text, "string", "xsd:string"),
        (Self::TextArea, "textarea", "xsd:string"),
        (Self::Picklist, "picklist", "xsd:string"),
        (Self::MultiPicklist, "multipicklist", "xsd:string"),
        (Self::Combobox, "combobox", "xsd:string"),
        (Self::Reference, "reference", "tns:ID"),
        (Self::Boolean, "boolean", "xsd:boolean"),
        (Self::Currency, "currency", "xsd:double"),
        (Self::Int, "int", "xsd:int"),
        (Self::Double, "double", "xsd:double"),
        (Self::Percent, "percent", "xsd:double"),
        (Self::Phone, "phone", "xsd:string"),
        (Self::Email, "email", "xsd:string"),
        (Self::Url, "url", "xsd:string"),
        (Self::Date, "date", "xsd:date"),
        (Self::DateTime, "datetime", "xsd:dateTime"),
        (Self::Time, "time", "xsd:time"),
        (Self::Address, "address", "urn:address"),
    ];

    /// The word of the describe for this kind, and its SOAP type.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        Self::ALL
            .iter()
            .find(|entry| entry.0 == self)
            .map_or(("string", "xsd:string"), |entry| (entry.1, entry.2))
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == word).map(|entry| entry.0)
    }

    /// Whether values of this kind are text in the row.
    pub(super) fn is_text(self) -> bool {
        match self {
            Self::Text
            | Self::TextArea
            | Self::Picklist
            | Self::MultiPicklist
            | Self::Combobox
            | Self::Phone
            | Self::Email
            | Self::Url => true,
            Self::Id
            | Self::Reference
            | Self::Boolean
            | Self::Currency
            | Self::Int
            | Self::Double
            | Self::Percent
            | Self::Date
            | Self::DateTime
            | Self::Time
            | Self::Address => false,
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Currency | Self::Int | Self::Double | Self::Percent)
    }
}

/// One field of an object.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    /// Longest text in UTF-16 units; 0 for kinds without a length.
    pub(super) length: usize,
    pub(super) precision: u32,
    pub(super) scale: u32,
    pub(super) digits: u32,
    pub(super) nillable: bool,
    pub(super) createable: bool,
    pub(super) updateable: bool,
    pub(super) defaulted_on_create: bool,
    pub(super) unique: bool,
    pub(super) external_id: bool,
    pub(super) id_lookup: bool,
    pub(super) calculated: bool,
    pub(super) custom: bool,
    pub(super) name_field: bool,
    pub(super) restricted: bool,
    pub(super) case_sensitive: bool,
    pub(super) html: bool,
    /// The name by which SOQL and bodies reach the parent, such as `Account` or `Owner`.
    pub(super) relationship: Option<String>,
    /// Objects the field may point at, by place in [`Schema::objects`].
    pub(super) targets: Vec<usize>,
    pub(super) compound: Option<String>,
    pub(super) values: Vec<String>,
    pub(super) default: Option<String>,
    /// The name of the list on the parent's side, such as `Contacts`.
    pub(super) child_relationship: Option<String>,
    pub(super) cascade: bool,
}

impl Field {
    /// Long text can neither be filtered nor sorted by.
    pub(super) fn filterable(&self) -> bool {
        !((self.kind == Kind::TextArea && self.length > 255) || self.kind == Kind::Address)
    }

    pub(super) fn sortable(&self) -> bool {
        self.filterable() && self.kind != Kind::MultiPicklist
    }

    /// Whether an insert must bring a value.
    pub(super) fn required(&self) -> bool {
        !self.nillable && self.createable && !self.defaulted_on_create && self.kind != Kind::Boolean
    }

    /// Whether a table keeps a look-up of this field's values.
    pub(super) fn indexed(&self, user_object: usize) -> bool {
        self.kind != Kind::Id
            && (self.id_lookup
                || self.external_id
                || self.unique
                || self.kind == Kind::Email
                || (self.kind == Kind::Reference && self.targets.iter().any(|target| *target != user_object)))
    }
}

/// Places of the fields that the org itself keeps, in the order of the object's fields.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SystemFields {
    pub(super) deleted: Option<usize>,
    pub(super) master: Option<usize>,
    pub(super) owner: Option<usize>,
    pub(super) created: Option<usize>,
    pub(super) created_by: Option<usize>,
    pub(super) modified: Option<usize>,
    pub(super) modified_by: Option<usize>,
    pub(super) stamp: Option<usize>,
}

/// A list that a parent shows of its children.
#[derive(Debug, Clone)]
pub(super) struct ChildRelationship {
    pub(super) child: usize,
    pub(super) field: usize,
    pub(super) name: Option<String>,
    pub(super) cascade: bool,
}

/// One object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) plural: String,
    pub(super) prefix: String,
    pub(super) custom: bool,
    pub(super) writable: bool,
    pub(super) deletable: bool,
    pub(super) replicateable: bool,
    pub(super) mergeable: bool,
    pub(super) undeletable: bool,
    pub(super) fields: Vec<Field>,
    pub(super) system: SystemFields,
    pub(super) children: Vec<ChildRelationship>,
    by_name: HashMap<String, usize>,
}

impl Object {
    /// The place of a field by its name in any case.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        match self.by_name.get(name) {
            Some(place) => Some(*place),
            None => self.by_name.get(&name.to_ascii_lowercase()).copied(),
        }
    }

    /// The place of the reference field that this relationship name stands for.
    pub(super) fn relationship(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| {
            field.relationship.as_deref().is_some_and(|relationship| relationship.eq_ignore_ascii_case(name))
        })
    }
}

/// All objects of the org.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    pub(super) objects: Vec<Object>,
    pub(super) person_accounts: bool,
    by_name: HashMap<String, usize>,
    by_prefix: HashMap<String, usize>,
}

impl Schema {
    /// The place of an object by its name in any case.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        match self.by_name.get(name) {
            Some(place) => Some(*place),
            None => self.by_name.get(&name.to_ascii_lowercase()).copied(),
        }
    }

    /// The object whose ids start like this one.
    pub(super) fn by_prefix(&self, prefix: &str) -> Option<usize> {
        self.by_prefix.get(prefix).copied()
    }

    /// An object and its place, by name.
    pub(super) fn get(&self, name: &str) -> Option<(usize, &Object)> {
        let place = self.find(name)?;
        Some((place, self.objects.get(place)?))
    }

    /// Object and field at known places.
    pub(super) fn field(&self, object: usize, field: usize) -> Option<&Field> {
        self.objects.get(object)?.fields.get(field)
    }
}
