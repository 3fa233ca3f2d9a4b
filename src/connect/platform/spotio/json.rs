//! Looking into replies whose shapes may differ: the same number is a text in one place and a number in the other.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value as Json;

/// A text or number as text; nothing where it is null, absent or blank.
pub(super) fn text(json: Option<&Json>) -> Option<String> {
    match json? {
        Json::String(text) if text.trim().is_empty() => None,
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The text of a member.
pub(super) fn member(json: &Json, name: &str) -> Option<String> {
    text(json.get(name))
}

/// The texts of a list.
pub(super) fn texts(json: Option<&Json>) -> Vec<String> {
    json.and_then(Json::as_array).into_iter().flatten().filter_map(|entry| text(Some(entry))).collect()
}

/// Whether a member is true.
pub(super) fn flag(json: &Json, name: &str) -> bool {
    json.get(name).and_then(Json::as_bool).unwrap_or(false)
}

/// A moment; one without a zone is UTC, as the documentation says.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    DateTime::parse_from_rfc3339(text).map(|moment| moment.with_timezone(&Utc)).ok().or_else(|| {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|moment| moment.and_utc())
    })
}

/// A number where the text is one, else the text: the interface takes its ids as numbers in some places.
pub(super) fn number_or_text(text: &str) -> Json {
    text.trim().parse::<i64>().map_or_else(|_| Json::String(text.to_owned()), Json::from)
}
