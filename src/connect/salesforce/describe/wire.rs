//! Reads a describe as the org sends it.

use serde::Deserialize;

use crate::connect::salesforce::convert::kind_of;
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireObject {
    name: String,
    label: String,
    createable: bool,
    updateable: bool,
    queryable: bool,
    replicateable: bool,
    fields: Vec<WireField>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireField {
    name: String,
    label: String,
    #[serde(rename = "type")]
    kind: String,
    length: u32,
    scale: u8,
    nillable: bool,
    createable: bool,
    updateable: bool,
    defaulted_on_create: bool,
    unique: bool,
    external_id: bool,
    id_lookup: bool,
    restricted_picklist: bool,
    picklist_values: Vec<WirePicklistValue>,
    reference_to: Vec<String>,
    relationship_name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WirePicklistValue {
    active: bool,
    value: Option<String>,
}

/// Reads a describe: the schema, and whether the org tells the object's deletions.
pub fn parse_describe(body: &[u8]) -> Result<(ObjectSchema, bool), serde_json::Error> {
    let wire: WireObject = serde_json::from_slice(body)?;
    let schema = ObjectSchema {
        name: wire.name,
        label: wire.label,
        createable: wire.createable,
        updateable: wire.updateable,
        readable: wire.queryable,
        fields: wire.fields.into_iter().map(field_of).collect(),
    };
    Ok((schema, wire.replicateable))
}

fn field_of(wire: WireField) -> FieldSchema {
    let kind = kind_of(&wire.kind);
    FieldSchema {
        required: wire.createable && !wire.nillable && !wire.defaulted_on_create,
        length: (wire.length > 0).then_some(wire.length),
        scale: (kind == FieldKind::Number).then_some(wire.scale),
        name: wire.name,
        label: wire.label,
        kind,
        createable: wire.createable,
        updateable: wire.updateable,
        unique: wire.unique,
        external_id: wire.external_id || wire.id_lookup,
        picklist: wire
            .picklist_values
            .into_iter()
            .filter(|value| value.active)
            .filter_map(|value| value.value)
            .collect(),
        restricted: wire.restricted_picklist,
        references: wire.reference_to,
        relationship: wire.relationship_name,
    }
}
