//! What a side says about its objects.

use forcesync::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use forcesync::domain::side::Side;

use super::super::drifting::{Drifting, How};

const ORG: &[(&str, FieldKind)] = &[
    ("Id", FieldKind::Id),
    ("Email", FieldKind::Email),
    ("FirstName", FieldKind::Text),
    ("LastName", FieldKind::Text),
    ("Phone", FieldKind::Phone),
    ("Street", FieldKind::Text),
    ("City", FieldKind::Text),
    ("Status", FieldKind::Text),
    ("HasOptedOut", FieldKind::Bool),
    ("Mark__c", FieldKind::Text),
    ("Flag__c", FieldKind::Bool),
    ("IsConverted", FieldKind::Bool),
    ("OutOfScope", FieldKind::Bool),
];

const PLATFORM: &[(&str, FieldKind)] = &[
    ("id", FieldKind::Id),
    ("email", FieldKind::Email),
    ("name", FieldKind::Text),
    ("phone", FieldKind::Phone),
    ("street", FieldKind::Text),
    ("city", FieldKind::Text),
    ("status", FieldKind::Text),
    ("optedOut", FieldKind::Bool),
    ("externalId", FieldKind::Text),
    ("inactive", FieldKind::Bool),
];

/// An object as it is shown now.
pub fn of(side: Side, object: &str, drifting: &Drifting) -> ObjectSchema {
    let fields = match side {
        Side::Org => ORG,
        Side::Platform => PLATFORM,
    };
    ObjectSchema {
        name: object.to_owned(),
        label: object.to_owned(),
        createable: true,
        updateable: true,
        readable: true,
        fields: fields
            .iter()
            .filter_map(|(name, kind)| field(name, *kind, drifting.of(side, object, name)))
            .collect(),
    }
}

fn field(name: &str, kind: FieldKind, how: Option<How>) -> Option<FieldSchema> {
    let writable = !matches!(name, "Id" | "id") && how != Some(How::ReadOnly);
    let length = if how == Some(How::Shorter) { 40 } else { 80 };
    (how != Some(How::Hidden)).then(|| FieldSchema {
        name: name.to_owned(),
        label: name.to_owned(),
        kind,
        length: Some(length),
        createable: writable,
        updateable: writable,
        required: name == "LastName",
        ..FieldSchema::default()
    })
}
