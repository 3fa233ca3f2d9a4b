//! Rows of the service as records, and values as the fields of a write.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Map, Value as Json, json};

use super::json::{member, moment, number_or_text, text, texts};
use super::view::{Part, Slot, View, kind_of, slot};
use super::workflow::{Field, RecordType, Workflow};
use super::{Names, Spotio};
use crate::domain::port::PortError;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

/// The roles of which a record's name is made.
const NAME_ROLES: [&str; 3] = ["company", "firstname", "lastname"];

/// Where values are looked up.
pub(super) struct Lens<'a> {
    pub(super) workflow: &'a Workflow,
    pub(super) kind: &'a RecordType,
    pub(super) names: &'a Names,
}

impl Spotio {
    /// Rows as records in the order of a selection; a row of another type, or without an id, is passed over.
    pub(super) async fn records(
        &self,
        view: View,
        selection: &Selection,
        rows: &[Json],
    ) -> Result<Vec<Record>, PortError> {
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        let lens = Lens { workflow: &workflow, kind, names: &self.names };
        let slots: Vec<Option<Slot<'_>>> = selection.names().iter().map(|name| slot(kind, name)).collect();
        let of_type = rows.iter().filter(|row| is_of(row, kind));
        Ok(of_type.filter_map(|row| lens.record(row, &slots)).collect())
    }
}

/// Whether a row is of a type.
pub(super) fn is_of(row: &Json, kind: &RecordType) -> bool {
    member(row, "typeId").is_some_and(|id| id == kind.id)
}

/// The id of a row.
pub(super) fn id_of(row: &Json) -> Option<RecordId> {
    member(row, "id").map(RecordId::new)
}

/// The moment of its last change.
pub(super) fn stamp_of(row: &Json) -> Option<DateTime<Utc>> {
    moment(row.get("updatedAt")?.as_str()?)
}

impl Lens<'_> {
    fn record(&self, row: &Json, slots: &[Option<Slot<'_>>]) -> Option<Record> {
        Some(Record {
            id: id_of(row)?,
            stamp: stamp_of(row),
            author: member(row, "updatedById").map(Into::into),
            values: slots.iter().map(|slot| self.value(row, slot.as_ref()?)).collect(),
            became: Vec::new(),
        })
    }

    /// What a row holds; `None` where it does not tell.
    pub(super) fn value(&self, row: &Json, slot: &Slot<'_>) -> Option<Value> {
        match slot {
            Slot::Id => id_of(row).map(|id| Value::text(id.as_str())),
            Slot::External => told(row, "externalDataObjectId"),
            // A stage that nobody knows is kept as its number, so that it is seen and not lost.
            Slot::Stage => {
                let id = member(row, "stageId")?;
                Some(Value::text(self.kind.stage(&id).map_or(id, |stage| stage.name.clone())))
            }
            Slot::StageGroup => {
                let id = member(row, "stageId")?;
                Some(self.kind.stage(&id).map_or(Value::Null, |stage| Value::text(stage.group.as_str())))
            }
            // An owner who is nobody in Salesforce can't be told there; the field counts as not returned.
            Slot::OwnerExternal => {
                let user = self.workflow.user(&member(row, "ownerId")?)?;
                (!user.external.is_empty()).then(|| Value::text(user.external.as_str()))
            }
            Slot::OwnerEmail => Some(
                self.workflow
                    .user(&member(row, "ownerId")?)
                    .map_or(Value::Null, |user| Value::text(user.email.as_str())),
            ),
            Slot::Place(part) => place(row, *part),
            Slot::OnMap => Some(Value::Bool(is_on_map(row))),
            Slot::CloseDate => self.close_date(row).map(Value::Date),
            Slot::Member(name, kind) => {
                let held = row.get(*name)?;
                Some(scalar(*kind, held))
            }
            Slot::Field(field) => self.field(row, field),
        }
    }

    fn field(&self, row: &Json, field: &Field) -> Option<Value> {
        let entries = row.get("fields").and_then(Json::as_array)?;
        let entry =
            entries.iter().find(|entry| member(entry, "fieldId").as_deref() == Some(field.id.as_str()));
        if let Some(entry) = entry {
            return Some(held(field, entry));
        }
        let beside = match field.role.as_str() {
            "value" => text(row.get("value")),
            "unit" => text(row.get("addressUnit")),
            role if NAME_ROLES.contains(&role) && self.hides_name(row) => return None,
            _ => None,
        };
        Some(beside.map_or(Value::Null, |text| scalar(kind_of(field), &Json::String(text))))
    }

    /// Whether a row has a name but none of the fields it is made of: then it does not tell them, rather than that they are blank.
    pub(super) fn hides_name(&self, row: &Json) -> bool {
        let entries = row.get("fields").and_then(Json::as_array);
        let named = |role: &&str| {
            let id = self.kind.of_role(role).map(|field| field.id.clone());
            entries.into_iter().flatten().any(|entry| id.is_some() && member(entry, "fieldId") == id)
        };
        member(row, "name").is_some() && !NAME_ROLES.iter().any(named)
    }

    /// When a deal was decided, else when it should be.
    fn close_date(&self, row: &Json) -> Option<NaiveDate> {
        let at = |name: &str| moment(row.get(name)?.as_str()?);
        let group = member(row, "stageId").and_then(|id| Some(self.kind.stage(&id)?.group.clone()));
        if matches!(group.as_deref(), Some("won" | "lost"))
            && let Some(decided) = at("stageUpdatedAt")
        {
            return Some(decided.date_naive());
        }
        at("createdAt")?.date_naive().checked_add_signed(TimeDelta::try_days(self.names.close_days)?)
    }
}

fn told(row: &Json, name: &str) -> Option<Value> {
    Some(match row.get(name)? {
        Json::Null => Value::Null,
        held => scalar(FieldKind::Text, held),
    })
}

/// Whether a record has a place on the map.
pub(super) fn is_on_map(row: &Json) -> bool {
    let Some(pin) = row.get("pin") else { return false };
    let at = |name: &str| pin.get(name).and_then(Json::as_f64).unwrap_or(0.0);
    at("lat") != 0.0 || at("lng") != 0.0
}

fn place(row: &Json, part: Part) -> Option<Value> {
    let pin = match row.get("pin")? {
        Json::Null => return Some(Value::Null),
        pin => pin,
    };
    let held = |name: &str| match pin.get(name)? {
        Json::Null => Some(Value::Null),
        held => Some(scalar(FieldKind::Text, held)),
    };
    match part {
        Part::Street => {
            let street = held("street")?;
            Some(match member(pin, "houseNumber") {
                Some(number) => Value::text(format!("{number} {street}").trim()),
                None => street,
            })
        }
        Part::City => held("city"),
        Part::State => held("state"),
        Part::Zip => held("zip"),
        Part::Country => held("country"),
        Part::Full => held("address"),
        Part::Latitude | Part::Longitude if !is_on_map(row) => Some(Value::Null),
        Part::Latitude => Some(scalar(FieldKind::Number, pin.get("lat")?)),
        Part::Longitude => Some(scalar(FieldKind::Number, pin.get("lng")?)),
    }
}

/// What an entry of a field collection holds.
fn held(field: &Field, entry: &Json) -> Value {
    let several = entry.get("values").and_then(Json::as_array).is_some_and(|values| !values.is_empty());
    let kind = kind_of(field);
    if kind == FieldKind::Set {
        if several {
            return Value::Set(texts(entry.get("values")).into_iter().map(Into::into).collect());
        }
        let Some(one) = member(entry, "value") else { return Value::Null };
        if field.options.contains(&one) {
            return Value::Set(vec![one.into()]);
        }
        return Value::Set(one.split(',').map(|part| part.trim().into()).collect());
    }
    match entry.get("value") {
        Some(Json::Null) | None if several => Value::text(texts(entry.get("values")).join(", ")),
        Some(Json::Null) | None => Value::Null,
        Some(value) => scalar(kind, value),
    }
}

/// A scalar by its kind. What is of another shape than expected is kept as it is.
pub(super) fn scalar(kind: FieldKind, held: &Json) -> Value {
    match (kind, held) {
        (_, Json::Null) => Value::Null,
        (FieldKind::Moment, Json::String(text)) => {
            moment(text).map_or_else(|| Value::text(text.as_str()), Value::Moment)
        }
        (FieldKind::Date, Json::String(text)) => {
            let day = text.get(..10).and_then(|day| day.parse::<NaiveDate>().ok());
            day.map_or_else(|| Value::text(text.as_str()), Value::Date)
        }
        (FieldKind::Number, Json::String(text)) if text.trim().is_empty() => Value::Null,
        (FieldKind::Number, Json::String(text)) => Value::Number(text.trim().into()),
        (FieldKind::Number, _) => Value::from_json(held),
        (_, Json::Number(number)) => Value::text(number.to_string()),
        _ => Value::from_json(held),
    }
}

/// A value as an entry of a field collection.
pub(super) fn entry(field: &Field, value: &Value) -> Json {
    if kind_of(field) == FieldKind::Set {
        let values: Vec<String> = match value {
            Value::Null => Vec::new(),
            Value::Set(values) => values.iter().map(ToString::to_string).collect(),
            other => other.to_string().split(';').map(|part| part.trim().to_owned()).collect(),
        };
        return json!({"fieldId": field.id, "values": values});
    }
    let text = if value.is_blank() { Json::Null } else { Json::String(value.to_string()) };
    json!({"fieldId": field.id, "value": text})
}

/// A place with one part changed.
pub(super) fn put_place(pin: &mut Map<String, Json>, part: Part, value: &Value) {
    let text = if value.is_blank() { Json::Null } else { Json::String(value.to_string()) };
    let number = || value.to_string().trim().parse::<f64>().map_or(Json::Null, Json::from);
    match part {
        Part::Street => {
            pin.insert("street".into(), text);
            pin.insert("houseNumber".into(), Json::Null);
        }
        Part::City => drop(pin.insert("city".into(), text)),
        Part::State => drop(pin.insert("state".into(), text)),
        Part::Zip => drop(pin.insert("zip".into(), text)),
        Part::Country => drop(pin.insert("country".into(), text)),
        // It is put together from the parts.
        Part::Full => {}
        // Who knows where it is need not be looked up.
        Part::Latitude | Part::Longitude => {
            let name = if part == Part::Latitude { "lat" } else { "lng" };
            if !value.is_blank() {
                pin.insert(name.into(), number());
                pin.insert("skipGeocoding".into(), Json::Bool(true));
            }
        }
    }
}

/// A place whose parts were changed is looked up again from them.
pub(super) fn forget_position(pin: &mut Map<String, Json>) {
    if pin.get("skipGeocoding") != Some(&Json::Bool(true)) {
        for name in ["id", "lat", "lng", "placeId", "address", "shortAddress"] {
            pin.remove(name);
        }
    }
}

/// The number of a stage, an owner or a type as a write takes it.
pub(super) fn number(id: &str) -> Json {
    number_or_text(id)
}
