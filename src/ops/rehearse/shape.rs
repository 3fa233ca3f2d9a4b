//! The shape of the org, as the sandbox takes it: its own objects and fields with types, lengths, lists of values, what is required and
//! what is unique. What the sandbox has already is made like the org's; what it can't be given is told.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::domain::rehearsal::Uncopied;
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use crate::domain::side::Side;
use crate::ops::error::OpError;
use crate::ops::rehearse::sample::{Sample, Sampled};
use crate::sandbox::org::{ExtraSchema, FieldChange, FieldPermission, Org};

/// Objects and fields in the words of the sandbox.
#[derive(Serialize)]
struct Shape {
    object: Vec<ObjectShape>,
    field: Vec<FieldShape>,
}

#[derive(Serialize)]
struct ObjectShape {
    name: String,
    label: String,
    auto_number: bool,
}

#[derive(Serialize)]
struct FieldShape {
    object: String,
    name: String,
    label: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<u8>,
    required: bool,
    unique: bool,
    external_id: bool,
    read_only: bool,
    values: Vec<String>,
    restricted: bool,
    reference_to: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relationship: Option<String>,
    if_missing: bool,
}

/// The word of the org's describe for what a field holds.
fn word(kind: FieldKind) -> Option<&'static str> {
    Some(match kind {
        FieldKind::Text => "string",
        FieldKind::LongText => "textarea",
        FieldKind::Email => "email",
        FieldKind::Phone => "phone",
        FieldKind::Url => "url",
        FieldKind::Bool => "boolean",
        FieldKind::Number => "double",
        FieldKind::Date => "date",
        FieldKind::Moment => "datetime",
        FieldKind::Picklist => "picklist",
        FieldKind::Set => "multipicklist",
        FieldKind::Reference => "reference",
        FieldKind::Id | FieldKind::Other => return None,
    })
}

/// The org's objects as far as the mappings need them, for the sandbox to be founded with.
pub(super) fn of(sample: &Sample, uncopied: &mut Vec<Uncopied>) -> Result<ExtraSchema, OpError> {
    let mut shape = Shape { object: Vec::new(), field: Vec::new() };
    for sampled in sample.objects.iter().filter(|sampled| sampled.side == Side::Org) {
        let schema = &sampled.schema;
        let auto_number = schema.field("Name").is_some_and(|name| !name.createable);
        shape.object.push(ObjectShape {
            name: schema.name.clone(),
            label: schema.label.clone(),
            auto_number,
        });
        for field in needed(sampled) {
            match word(field.kind) {
                Some(kind) => shape.field.push(shown(schema, field, kind)),
                None if field.kind == FieldKind::Id => {}
                None => uncopied.push(Uncopied {
                    mapping: None,
                    what: format!("{}.{}", schema.name, field.name),
                    why: "the sandbox has no field of that type; pairs with it are left out".into(),
                }),
            }
        }
    }
    let unfit = |error: String| OpError::failed(format!("The org's shape can't be copied: {error}."));
    let text = toml::to_string(&shape).map_err(|error| unfit(error.to_string()))?;
    ExtraSchema::parse(&text).map_err(|error| unfit(error.to_string()))
}

/// The object's own fields that are needed, the references that paths begin with included.
fn needed(sampled: &Sampled) -> impl Iterator<Item = &FieldSchema> {
    let names: BTreeSet<String> =
        sampled.selection.names().iter().map(|name| name.to_ascii_lowercase()).collect();
    let is_needed = move |field: &&FieldSchema| names.contains(&field.name.to_ascii_lowercase());
    sampled.schema.fields.iter().filter(|field| !field.name.contains('.')).filter(is_needed)
}

fn shown(schema: &ObjectSchema, field: &FieldSchema, kind: &'static str) -> FieldShape {
    let is_own = field.name.ends_with("__c") || field.name.ends_with("__pc");
    FieldShape {
        object: schema.name.clone(),
        name: field.name.clone(),
        label: field.label.clone(),
        kind,
        length: field.length.filter(|length| *length > 0),
        scale: field.scale,
        required: field.required,
        unique: field.unique,
        external_id: field.external_id,
        read_only: !field.writable(),
        values: field.picklist.clone(),
        restricted: field.restricted,
        reference_to: field.references.clone(),
        relationship: field.relationship.clone(),
        if_missing: !is_own,
    }
}

/// Makes what the sandbox has already like the org's, as its own describe tells the difference; tells what it lacks still.
pub(super) fn adjust(org: &Org, sample: &Sample, there: &[ObjectSchema], uncopied: &mut Vec<Uncopied>) {
    for sampled in sample.objects.iter().filter(|sampled| sampled.side == Side::Org) {
        let schema = &sampled.schema;
        let Some(copy) = there.iter().find(|copy| copy.name.eq_ignore_ascii_case(&schema.name)) else {
            continue;
        };
        for field in needed(sampled).filter(|field| word(field.kind).is_some()) {
            let Some(has) = copy.field(&field.name) else {
                uncopied.push(Uncopied {
                    mapping: None,
                    what: format!("{}.{}", schema.name, field.name),
                    why: "the sandbox does not have it; pairs with it are left out".into(),
                });
                continue;
            };
            let change = difference(field, has);
            if change != FieldChange::default() {
                org.change_field(&schema.name, &field.name, change);
            }
            if has.writable() && !field.writable() {
                org.set_field_permission(&schema.name, &field.name, FieldPermission::Read);
            }
        }
        // What only the sandbox asks for would refuse records that the org takes.
        for extra in copy.fields.iter().filter(|extra| extra.required) {
            if schema.field(&extra.name).is_some_and(|field| !field.required) {
                let change = FieldChange { required: Some(false), ..FieldChange::default() };
                org.change_field(&schema.name, &extra.name, change);
            }
        }
    }
}

fn difference(field: &FieldSchema, has: &FieldSchema) -> FieldChange {
    let length = field.length.filter(|length| *length > 0 && field.length != has.length);
    let lists = matches!(field.kind, FieldKind::Picklist | FieldKind::Set);
    FieldChange {
        length: length.map(|length| length as usize),
        required: (field.required != has.required).then_some(field.required),
        restricted: (lists && field.restricted != has.restricted).then_some(field.restricted),
        values: (lists && field.picklist != has.picklist).then(|| field.picklist.clone()),
        kind: (field.kind != has.kind).then(|| word(field.kind).map(str::to_owned)).flatten(),
    }
}
