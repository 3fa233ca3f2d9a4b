//! The records: made, changed by operations, deleted; validated as the service validates them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::workflow::{STAGES, TYPES, field_of, is_required};
use super::{Account, record_id};

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    One(String),
    Several(Vec<String>),
}

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) kind: u32,
    pub(super) stage: u32,
    pub(super) owner: u32,
    pub(super) pin: Option<Map<String, Value>>,
    pub(super) source: Option<String>,
    pub(super) external: Option<String>,
    pub(super) fields: BTreeMap<u32, Held>,
    pub(super) created: (i64, u32),
    pub(super) updated: (i64, u32),
    pub(super) staged: (i64, u32),
}

/// A record that was deleted.
#[derive(Debug, Clone)]
pub(super) struct Deleted {
    pub(super) record: Stored,
    pub(super) at: i64,
    pub(super) by: u32,
}

/// Why a call was refused: status, what it names, words.
pub(super) type Refusal = (u16, String, String);

fn refuse<T>(status: u16, what: &str, words: impl Into<String>) -> Result<T, Refusal> {
    Err((status, what.to_owned(), words.into()))
}

/// A number, as a number or a text.
pub(super) fn number(value: Option<&Value>) -> Option<u32> {
    match value? {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Stored {
    /// What a field of a role holds.
    pub(super) fn role(&self, role: &str) -> &str {
        let field = super::workflow::field_named(role);
        match field.and_then(|field| self.fields.get(&field.id)) {
            Some(Held::One(text)) => text,
            Some(Held::Several(_)) | None => "",
        }
    }

    /// What people call it.
    pub(super) fn name(&self) -> String {
        let person = format!("{} {}", self.role("FirstName"), self.role("LastName")).trim().to_owned();
        let company = self.role("Company");
        if self.kind == 2 && !company.is_empty() || person.is_empty() { company.to_owned() } else { person }
    }

    /// Whether it has an address.
    pub(super) fn has_address(&self) -> bool {
        self.pin
            .as_ref()
            .and_then(|pin| pin.get("address"))
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    }
}

/// The place that somebody told, looked up unless they know it.
pub(super) fn located(told: &Map<String, Value>) -> Option<Map<String, Value>> {
    let part = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let mut pin = Map::new();
    for name in ["street", "houseNumber", "zip", "city", "state", "country"] {
        pin.insert(name.into(), if part(name).is_empty() { Value::Null } else { json!(part(name)) });
    }
    let line = |names: &[&str]| {
        names.iter().map(|name| part(name)).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let composed =
        [line(&["houseNumber", "street"]), line(&["city"]), line(&["state", "zip"]), line(&["country"])];
    let composed: Vec<String> = composed.into_iter().filter(|text| !text.is_empty()).collect();
    let address = if composed.is_empty() { part("address") } else { composed.join(", ") };
    let known = |name: &str| told.get(name).and_then(Value::as_f64).filter(|place| *place != 0.0);
    let (lat, lng) = match (known("lat"), known("lng")) {
        (Some(lat), Some(lng)) => (lat, lng),
        _ if address.is_empty() => return None,
        _ => {
            let hash =
                address.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
            ((hash % 100_000) as f64 / 1000.0 - 40.0, (hash / 100_000 % 300_000) as f64 / 1000.0 - 120.0)
        }
    };
    pin.insert("id".into(), json!((lat.to_bits() ^ lng.to_bits()).to_string()));
    pin.insert("lat".into(), json!(lat));
    pin.insert("lng".into(), json!(lng));
    pin.insert("placeId".into(), Value::Null);
    pin.insert("shortAddress".into(), json!(line(&["street"])));
    pin.insert("address".into(), json!(address));
    Some(pin)
}

/// A collection of fields, as it is sent.
fn fields_of(list: &Value) -> Result<BTreeMap<u32, Held>, Refusal> {
    let Some(list) = list.as_array() else { return refuse(400, "fields", "The fields must be a list.") };
    let mut fields = BTreeMap::new();
    for entry in list {
        let id = number(entry.get("fieldId"));
        let Some(field) = id.and_then(field_of) else {
            let id = entry.get("fieldId").map(ToString::to_string).unwrap_or_default();
            return refuse(422, "fields", format!("Field with id: {id} does not exist."));
        };
        if let Some(held) = held_of(field, entry)? {
            fields.insert(field.id, held);
        }
    }
    Ok(fields)
}

fn held_of(field: &super::workflow::Field, entry: &Value) -> Result<Option<Held>, Refusal> {
    let name = field.id.to_string();
    let fits = |option: &str| field.options.is_empty() || field.options.contains(&option);
    if field.kind == "MultiChoice" {
        let several: Vec<String> = match entry.get("values").and_then(Value::as_array) {
            Some(values) => values.iter().filter_map(|value| text(Some(value))).collect(),
            None => text(entry.get("value")).into_iter().collect(),
        };
        if let Some(odd) = several.iter().find(|value| !fits(value)) {
            return refuse(422, &name, format!("{odd} is not an option of {}.", field.name));
        }
        return Ok((!several.is_empty()).then_some(Held::Several(several)));
    }
    let Some(one) = text(entry.get("value")) else { return Ok(None) };
    let is_right = match field.kind {
        "Number" | "Currency" => one.parse::<f64>().is_ok(),
        "Email" => one.contains('@'),
        "Date" => one.get(..10).is_some_and(|day| day.parse::<chrono::NaiveDate>().is_ok()),
        "SingleChoice" => fits(&one),
        _ => true,
    };
    if !is_right {
        return refuse(422, &name, format!("{one} is not a valid {} for {}.", field.kind, field.name));
    }
    Ok(Some(Held::One(one)))
}

impl Account {
    fn stage(value: Option<&Value>) -> Result<u32, Refusal> {
        let id = number(value).unwrap_or(0);
        if STAGES.iter().any(|(known, ..)| *known == id) {
            Ok(id)
        } else {
            refuse(422, "stageId", format!("Stage with id: {id} does not exist."))
        }
    }

    fn owner(&self, value: Option<&Value>) -> Result<u32, Refusal> {
        let id = number(value).unwrap_or(0);
        if self.users.iter().any(|user| user.id == id) {
            Ok(id)
        } else {
            refuse(422, "ownerId", format!("User with id: {id} does not exist."))
        }
    }

    fn complete(record: &Stored) -> Result<(), Refusal> {
        for field in &super::workflow::FIELDS {
            if is_required(record.kind, record.stage, field) && !record.fields.contains_key(&field.id) {
                return refuse(422, &field.id.to_string(), format!("{} is required.", field.name));
            }
        }
        Ok(())
    }

    /// A new record out of a body.
    pub(super) fn built(&self, body: &Value, by: u32, now: i64) -> Result<Stored, Refusal> {
        let Some(kind) = number(body.get("typeId")).filter(|id| TYPES.iter().any(|(known, _)| known == id))
        else {
            return refuse(422, "typeId", "The type does not exist.");
        };
        let told = |name: &str| body.get(name).filter(|value| !value.is_null());
        let record = Stored {
            kind,
            // The service's own defaults.
            stage: told("stageId").map_or(Ok(1), |value| Self::stage(Some(value)))?,
            owner: told("ownerId").map_or(Ok(by), |value| self.owner(Some(value)))?,
            pin: told("pin").and_then(Value::as_object).and_then(located),
            source: text(body.get("source")),
            external: text(body.get("externalDataObjectId")),
            fields: told("fields").map_or_else(|| Ok(BTreeMap::new()), fields_of)?,
            created: (now, by),
            updated: (now, by),
            staged: (now, by),
        };
        Self::complete(&record)?;
        Ok(record)
    }

    /// Adds a record.
    pub(super) fn create(&mut self, body: &Value, number: u64, by: u32, now: i64) -> Result<String, Refusal> {
        let record = self.built(body, by, now)?;
        let id = record_id(number);
        self.records.insert(id.clone(), record);
        self.tell_record("lead.added", &id, now);
        Ok(id)
    }

    /// Takes the place of a record with what a job sends.
    pub(super) fn replace(&mut self, id: &str, body: &Value, by: u32, now: i64) -> Result<(), Refusal> {
        let Some(held) = self.records.get(id) else { return refuse(404, "_", "The record does not exist.") };
        let held = held.clone();
        let mut record = self.built(body, by, now)?;
        record.created = held.created;
        record.staged = if record.stage == held.stage { held.staged } else { (now, by) };
        self.records.insert(id.to_owned(), record);
        self.tell_record("lead.updated", id, now);
        Ok(())
    }

    /// Changes a record by operations, all of them or none.
    pub(super) fn patch(
        &mut self,
        id: &str,
        operations: &[Value],
        (by, now): (u32, i64),
        (required, each): (bool, bool),
    ) -> Result<(), Refusal> {
        let Some(held) = self.records.get(id) else { return refuse(404, "_", "The record does not exist.") };
        let mut record = held.clone();
        for operation in operations {
            let word = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
            let removed = word("op") == "remove";
            if !removed && !matches!(word("op"), "replace" | "add") {
                return refuse(400, "_", format!("The operation {} is not known.", word("op")));
            }
            let value = operation.get("value").filter(|value| !value.is_null() && !removed);
            match word("path") {
                "/stageId" => {
                    let stage = Self::stage(value)?;
                    if stage != record.stage {
                        record.staged = (now, by);
                    }
                    record.stage = stage;
                }
                "/ownerId" => record.owner = self.owner(value)?,
                "/source" => record.source = text(value),
                "/externalDataObjectId" => record.external = text(value),
                "/pin" => record.pin = value.and_then(Value::as_object).and_then(located),
                "/fields" => record.fields = value.map_or_else(|| Ok(BTreeMap::new()), fields_of)?,
                path => {
                    let known = path
                        .strip_prefix("/fields/")
                        .and_then(|id| field_of(id.parse().ok()?))
                        .filter(|_| each);
                    let Some(field) = known else {
                        return refuse(
                            400,
                            "_",
                            format!("The target location specified by path {path} was not found."),
                        );
                    };
                    match value.map_or(Ok(None), |entry| held_of(field, entry))? {
                        Some(held) => drop(record.fields.insert(field.id, held)),
                        None => drop(record.fields.remove(&field.id)),
                    }
                }
            }
        }
        if required {
            Self::complete(&record)?;
        }
        record.updated = (now, by);
        self.records.insert(id.to_owned(), record);
        self.tell_record("lead.updated", id, now);
        Ok(())
    }

    /// Deletes a record with its activities.
    pub(super) fn delete(&mut self, id: &str, by: u32, now: i64) -> Result<(), Refusal> {
        let Some(record) = self.records.remove(id) else {
            return refuse(404, "_", "The record does not exist.");
        };
        self.activities.retain(|_, activity| activity.record != id);
        self.deleted.insert(id.to_owned(), Deleted { record, at: now, by });
        self.tell_record("lead.deleted", id, now);
        Ok(())
    }
}
