//! Objects of the service as records, and values as the fields of a write.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Map, Value as Json};

use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::{FieldKind, ObjectSchema};
use crate::domain::value::Value;

/// What a custom field of a customer begins with in a mapping; on the wire they lie in an object of that name.
const OPTIONS: &str = "options.";

/// The kind of a field; one that nobody described is text.
pub(super) fn kind_of(schema: &ObjectSchema, name: &str) -> FieldKind {
    schema.field(name).map(|field| field.kind).unwrap_or_default()
}

/// A scalar without quotes.
pub(super) fn plain(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// The id at one of the places where it may stand.
pub(super) fn id_at(object: &Json, pointer: &str) -> Option<RecordId> {
    [pointer, "/id", "/clang_id", "/data/id"]
        .iter()
        .find_map(|place| object.pointer(place).filter(|id| id.is_number() || id.is_string()))
        .map(plain)
        .filter(|id| !id.trim().is_empty())
        .map(RecordId::new)
}

/// What stands at a name; nothing where the object does not have it.
pub(super) fn at<'a>(object: &'a Map<String, Json>, name: &str) -> Option<&'a Json> {
    if let Some(held) = object.get(name) {
        return Some(held);
    }
    let option = name.strip_prefix(OPTIONS)?;
    match object.get("options")? {
        Json::Object(options) => Some(options.get(option).unwrap_or(&Json::Null)),
        // As the SOAP interface lists them.
        Json::Array(options) => Some(
            options
                .iter()
                .find(|entry| entry.get("name").and_then(Json::as_str) == Some(option))
                .and_then(|entry| entry.get("value"))
                .unwrap_or(&Json::Null),
        ),
        Json::Null => Some(&Json::Null),
        _ => None,
    }
}

/// Puts a value at a name.
pub(super) fn put(body: &mut Map<String, Json>, name: &str, value: Json) {
    match name.strip_prefix(OPTIONS) {
        None => {
            body.insert(name.to_owned(), value);
        }
        Some(option) => {
            let options = body.entry("options").or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(options) = options {
                options.insert(option.to_owned(), value);
            }
        }
    }
}

/// An object as a record in the order of a selection.
pub(super) fn record(
    id: RecordId,
    schema: &ObjectSchema,
    selection: &Selection,
    object: &Map<String, Json>,
) -> Record {
    let values = selection.names().iter().map(|name| {
        match at(object, name) {
            Some(held) => Some(value(kind_of(schema, name), held)),
            // A customer's own id; the field `Id` of a table holds the org's.
            None => (&**name == "id").then(|| Value::text(id.as_str())),
        }
    });
    Record { values: values.collect(), id, stamp: None, author: None, became: Vec::new() }
}

/// What a field holds. What is of another shape than expected is kept as it is.
pub(super) fn value(kind: FieldKind, held: &Json) -> Value {
    match (kind, held) {
        (_, Json::Null) => Value::Null,
        (FieldKind::Bool, Json::String(text)) => match text.trim() {
            "" => Value::Null,
            yes if yes.eq_ignore_ascii_case("y") || yes.eq_ignore_ascii_case("true") || yes == "1" => {
                Value::Bool(true)
            }
            no if no.eq_ignore_ascii_case("n") || no.eq_ignore_ascii_case("false") || no == "0" => {
                Value::Bool(false)
            }
            other => Value::text(other),
        },
        (FieldKind::Bool, Json::Number(number)) => Value::Bool(number.as_i64() == Some(1)),
        (FieldKind::Moment, Json::String(text)) => {
            moment(text).map_or_else(|| Value::text(text.as_str()), Value::Moment)
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

/// A moment with an offset, with or without its colon; one without any offset is taken as UTC.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .map(|moment| moment.with_timezone(&Utc))
        .ok()
        .or_else(|| {
            ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S"]
                .iter()
                .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
                .map(|naive| naive.and_utc())
        })
}

/// A value as the service takes it: yes and no are `Y` and `N`, everything else is a text.
pub(super) fn wire_value(kind: FieldKind, value: &Value) -> Json {
    match (kind, value) {
        (_, Value::Null) => Json::Null,
        (_, Value::Bool(flag)) => Json::String(if *flag { "Y" } else { "N" }.into()),
        (_, Value::Set(texts)) => Json::String(texts.join(";")),
        (_, other) => Json::String(other.to_string()),
    }
}
