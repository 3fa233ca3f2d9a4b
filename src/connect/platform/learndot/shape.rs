//! Rows of the service as records, and values as the fields of a write. A dotted name is a field of a nested object.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeZone, Utc};
use serde_json::{Map, Value as Json};

use super::{Learndot, Names};
use crate::domain::port::PortError;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::{FieldKind, ObjectSchema};
use crate::domain::value::Value;

/// How the service writes a moment.
pub(super) const MOMENT: &str = "%Y-%m-%d %H:%M:%S";

/// The field of a mapping that holds the names of user groups.
pub(super) const GROUPS: &str = "userGroups";

/// The field of a mapping that holds a contact's organization.
const ORGANIZATION: &str = "organizationId";

impl Names {
    /// What the service calls a field.
    pub(super) fn wire<'a>(&'a self, entity: &str, field: &'a str) -> &'a str {
        if entity != "contact" {
            field
        } else if field.eq_ignore_ascii_case(GROUPS) {
            &self.groups
        } else if field.eq_ignore_ascii_case(ORGANIZATION) {
            &self.organization
        } else {
            field
        }
    }

    /// A moment as the service writes it.
    pub(super) fn written(&self, moment: DateTime<Utc>) -> String {
        moment.with_timezone(&self.zone).format(MOMENT).to_string()
    }
}

impl Learndot {
    /// Rows as records in the order of a selection; a row without an id is passed over.
    pub(super) async fn records(
        &self,
        entity: &str,
        selection: &Selection,
        rows: Vec<Map<String, Json>>,
    ) -> Result<Vec<Record>, PortError> {
        let object = self.object(entity)?;
        let schema = object.schema([]);
        let groups = if entity == "contact" && selection.position(GROUPS).is_some() {
            Some(self.known_groups(&rows).await?)
        } else {
            None
        };
        let record = |row: &Map<String, Json>| {
            let id = id_of(row)?;
            let values = selection.names().iter().map(|name| {
                let held = at(row, self.names.wire(entity, name));
                if let (Some(groups), true) = (&groups, name.eq_ignore_ascii_case(GROUPS)) {
                    return held.map(|held| groups.named(held));
                }
                held.map(|held| value(kind_of(&schema, name), held, self.names.zone))
            });
            Some(Record {
                id,
                stamp: at(row, &self.names.modified)
                    .or_else(|| at(row, self.names.created.as_deref()?))
                    .and_then(Json::as_str)
                    .and_then(|text| moment(text, self.names.zone)),
                author: row.get("modifiedById").filter(|id| !id.is_null()).map(|id| plain(id).into()),
                values: values.collect(),
                became: Vec::new(),
            })
        };
        Ok(rows.iter().filter_map(record).collect())
    }
}

/// The id of a row.
pub(super) fn id_of(row: &Map<String, Json>) -> Option<RecordId> {
    let id = row.get("id").filter(|id| !id.is_null())?;
    Some(RecordId::new(plain(id)))
}

/// A scalar without quotes.
pub(super) fn plain(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// The kind of a field; one that the profile does not know is text.
pub(super) fn kind_of(schema: &ObjectSchema, name: &str) -> FieldKind {
    schema.field(name).map(|field| field.kind).unwrap_or_default()
}

/// What stands at a dotted name; nothing where the row does not have it. A parent that is null makes its fields null.
pub(super) fn at<'a>(row: &'a Map<String, Json>, name: &str) -> Option<&'a Json> {
    if let Some(held) = row.get(name) {
        return Some(held);
    }
    let (parent, rest) = name.split_once('.')?;
    match row.get(parent)? {
        Json::Object(inner) => Some(at(inner, rest).unwrap_or(&Json::Null)),
        Json::Null => Some(&Json::Null),
        _ => None,
    }
}

/// What a field holds. What is of another shape than expected is kept as it is.
pub(super) fn value(kind: FieldKind, held: &Json, zone: FixedOffset) -> Value {
    match (kind, held) {
        (_, Json::Null) => Value::Null,
        (FieldKind::Bool, Json::Number(number)) => Value::Bool(number.as_i64() == Some(1)),
        (FieldKind::Moment, Json::String(text)) => {
            moment(text, zone).map_or_else(|| Value::text(text.as_str()), Value::Moment)
        }
        (FieldKind::Date, Json::String(text)) => {
            let day = text.get(..10).and_then(|day| day.parse::<NaiveDate>().ok());
            day.map_or_else(|| Value::text(text.as_str()), Value::Date)
        }
        (FieldKind::Number, Json::String(text)) => Value::Number(text.trim().into()),
        (FieldKind::Number, _) => Value::from_json(held),
        (FieldKind::Id | FieldKind::Reference, Json::String(_)) | (_, Json::Number(_)) => {
            Value::text(plain(held))
        }
        _ => Value::from_json(held),
    }
}

fn moment(text: &str, zone: FixedOffset) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let naive = NaiveDateTime::parse_from_str(text, MOMENT)
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f"))
        .ok();
    if let Some(naive) = naive {
        return zone.from_local_datetime(&naive).single().map(|moment| moment.with_timezone(&Utc));
    }
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.with_timezone(&Utc))
}

/// A value as the service takes it.
pub(super) fn wire_value(kind: FieldKind, value: &Value, names: &Names) -> Json {
    let number = |text: &str| serde_json::from_str::<serde_json::Number>(text).map(Json::Number);
    match (kind, value) {
        (_, Value::Null) => Json::Null,
        (
            FieldKind::Id | FieldKind::Reference | FieldKind::Number,
            Value::Text(text) | Value::Number(text),
        ) => number(text.trim()).unwrap_or_else(|_| Json::String(text.to_string())),
        (FieldKind::Moment, Value::Text(text)) => match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => Json::String(names.written(moment.with_timezone(&Utc))),
            Err(_) => Json::String(text.to_string()),
        },
        (_, Value::Moment(moment)) => Json::String(names.written(*moment)),
        (_, other) => match other.to_json() {
            Json::Number(number) if !matches!(kind, FieldKind::Other) => Json::String(number.to_string()),
            json => json,
        },
    }
}

/// Puts a value at a dotted name.
pub(super) fn put(body: &mut Map<String, Json>, name: &str, value: Json) {
    match name.split_once('.') {
        None => {
            body.insert(name.to_owned(), value);
        }
        Some((parent, rest)) => {
            let inner = body.entry(parent).or_insert_with(|| Json::Object(Map::new()));
            if !inner.is_object() {
                *inner = Json::Object(Map::new());
            }
            if let Json::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
