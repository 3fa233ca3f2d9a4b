//! Records, deletions and users as the service writes them: the same thing in three shapes, numbers as texts in two of them.

use serde_json::{Map, Value, json};

use super::iso;
use super::records::{Deleted, Held, Stored};
use super::workflow::{FIELDS, STAGES, User, field_of};

fn number(text: &str) -> Value {
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

fn list(text: &str) -> Value {
    if text.is_empty() { json!([]) } else { json!([text]) }
}

fn or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

/// A record as it is read by its id.
pub(super) fn whole(id: &str, record: &Stored) -> Value {
    let fields: Vec<Value> = record
        .fields
        .iter()
        .map(|(field, held)| {
            let label = field_of(*field).map(|field| field.name);
            match held {
                Held::One(value) => json!({
                    "fieldId": field.to_string(), "label": label, "value": value, "formattedValue": value,
                    "values": null, "attachmentValue": null,
                }),
                Held::Several(values) => json!({
                    "fieldId": field.to_string(), "label": label, "value": null,
                    "formattedValue": values.join(", "), "values": values, "attachmentValue": null,
                }),
            }
        })
        .collect();
    json!({
        "id": id, "name": record.name(), "typeId": record.kind.to_string(), "stageId": record.stage.to_string(),
        "ownerId": record.owner.to_string(), "pin": record.pin, "source": record.source,
        "externalDataObjectId": record.external, "createdAt": iso(record.created.0),
        "updatedAt": iso(record.updated.0), "createdById": record.created.1.to_string(),
        "updatedById": record.updated.1.to_string(), "stageUpdatedAt": iso(record.staged.0),
        "stageUpdatedById": record.staged.1.to_string(), "territoryId": null, "visitsCount": 0, "callsCount": 0,
        "lastActivityTime": null, "nextActivityTime": null, "dateOfAssignment": iso(record.created.0),
        "fields": fields, "phones": list(record.role("Phone")), "emails": list(record.role("Email")),
        "value": number(record.role("Value")), "addressUnit": or_null(record.role("Unit")), "access": "Full",
        "collaboratorIds": [], "textOptedIn": false,
    })
}

/// A place without its parts.
fn line(pin: &Map<String, Value>, id: &Value) -> Value {
    let part = |name: &str| pin.get(name).cloned().unwrap_or_default();
    json!({
        "id": id, "lat": part("lat"), "lng": part("lng"), "placeId": part("placeId"), "address": part("address"),
        "zip": part("zip"),
    })
}

/// A record as the export tells it: numbers are numbers, a place is a line, fields of several values are missing.
pub(super) fn exported(id: &str, record: &Stored) -> Value {
    let fields: Vec<Value> = record
        .fields
        .iter()
        .filter_map(|(field, held)| match held {
            Held::One(value) => Some(json!({"fieldId": field, "value": value})),
            Held::Several(_) => None,
        })
        .collect();
    let pin = record.pin.as_ref().map(|pin| line(pin, &json!(1)));
    json!({
        "id": id, "typeId": record.kind, "name": record.name(), "addressUnit": or_null(record.role("Unit")),
        "pin": pin, "value": number(record.role("Value")), "stageId": record.stage, "fields": fields,
        "ownerId": record.owner, "updatedAt": iso(record.updated.0), "createdAt": iso(record.created.0),
        "stageUpdatedById": record.staged.1, "stageUpdatedAt": iso(record.staged.0),
        "createdById": record.created.1, "updatedById": record.updated.1, "territoryId": null,
        "source": record.source, "lastActivityTime": null, "nextActivityTime": null, "visitsCount": 0,
        "dateOfAssignment": iso(record.created.0), "callCount": 0, "externalDataObjectId": record.external,
    })
}

/// A record as the search tells it.
pub(super) fn found(id: &str, record: &Stored) -> Value {
    let mut shown = whole(id, record);
    if let Some(shown) = shown.as_object_mut() {
        for name in ["collaboratorIds", "textOptedIn", "access", "callsCount", "dateOfAssignment"] {
            shown.remove(name);
        }
        // Only what the screen shows.
        shown.insert("fields".into(), json!([]));
        shown.insert("pin".into(), record.pin.as_ref().map_or(Value::Null, |pin| line(pin, &json!("1"))));
    }
    shown
}

/// A deletion.
pub(super) fn deletion(id: &str, deleted: &Deleted) -> Value {
    let record = &deleted.record;
    json!({
        "id": id, "deletedById": deleted.by.to_string(), "deletedAt": iso(deleted.at),
        "dataObject": {
            "stageId": record.stage.to_string(), "ownerId": record.owner.to_string(), "updatedAt": iso(record.updated.0),
            "createdAt": iso(record.created.0), "source": record.source, "territoryId": null, "pin": null,
            "typeId": record.kind.to_string(), "value": null, "externalDataObjectId": record.external,
        },
    })
}

/// A user.
pub(super) fn user(user: &User) -> Value {
    json!({
        "id": user.id.to_string(), "email": user.email, "firstName": user.name.0, "lastName": user.name.1,
        "role": user.role, "status": "Active", "suspended": false, "isReadonly": false,
        "isInSalesforce": user.external.is_some(), "territoryGlobalAccess": true, "visible": true,
        "visibleInReports": true, "externalSystemUserId": user.external, "authorizationProvider": "Spotio",
    })
}

/// A record as people and tests see it: fields by their roles and names.
pub(super) fn plain(id: &str, record: &Stored, users: &[User]) -> Value {
    let mut row = Map::new();
    for field in &FIELDS {
        let role = field.role.map(|role| {
            let mut letters = role.chars();
            letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
        });
        let held = match record.fields.get(&field.id) {
            Some(Held::One(text)) => json!(text),
            Some(Held::Several(values)) => json!(values),
            None => Value::Null,
        };
        row.insert(role.unwrap_or_else(|| field.name.to_owned()), held);
    }
    let pin = record.pin.clone().unwrap_or_default();
    for name in ["street", "zip", "city", "state", "country", "lat", "lng", "address"] {
        row.insert(name.into(), pin.get(name).cloned().unwrap_or_default());
    }
    let stage = STAGES.iter().find(|(known, ..)| *known == record.stage).map(|(_, name, _)| *name);
    let owner = users.iter().find(|user| user.id == record.owner).and_then(|user| user.external.clone());
    for (name, value) in [
        ("id", json!(id)),
        ("typeId", json!(record.kind)),
        ("stage", json!(stage)),
        ("ownerId", json!(record.owner)),
        ("ownerExternalId", json!(owner)),
        ("source", json!(record.source)),
        ("externalDataObjectId", json!(record.external)),
        ("createdAt", json!(iso(record.created.0))),
        ("updatedAt", json!(iso(record.updated.0))),
        ("updatedById", json!(record.updated.1)),
    ] {
        row.insert(name.into(), value);
    }
    Value::Object(row)
}
