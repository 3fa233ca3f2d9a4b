//! The byte form of a history row's changes: `[[pair, fields, old, new, rule], …]`, with values as plain as JSON allows.
//!
//! A row is written for each record and run, so what it repeats counts. Rows of the first version, which spelled everything
//! out, are still read.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value as Json;

use crate::domain::plan::Rule;
use crate::domain::report::HistoryChange;
use crate::domain::value::Value;
use crate::store::StoreError;
use crate::store::history::NewChange;

/// The text that is stored.
pub fn encode(changes: &[NewChange]) -> String {
    // Straight into the text: a tree in between costs more than all else of a row.
    let mut out = Vec::with_capacity(changes.len() * 96 + 2);
    out.push(b'[');
    for (place, change) in changes.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.push(b'[');
        put(&mut out, &change.pair);
        out.push(b',');
        put(&mut out, &change.fields);
        for values in [&change.old, &change.new] {
            out.extend_from_slice(b",[");
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                put_value(&mut out, value);
            }
            out.push(b']');
        }
        out.push(b',');
        put(&mut out, &change.rule);
        out.push(b']');
    }
    out.push(b']');
    String::from_utf8(out).unwrap_or_default()
}

/// What is put has no way to fail: numbers, texts, days.
fn put(out: &mut Vec<u8>, what: &impl serde::Serialize) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, what).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    let tagged = |out: &mut Vec<u8>, tag: &[u8]| {
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(tag);
        out.extend_from_slice(b"\":");
    };
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) => put(out, flag),
        Value::Text(text) => put(out, text),
        Value::Set(texts) => put(out, texts),
        Value::Number(text) => {
            tagged(out, b"n");
            put(out, text);
            out.push(b'}');
        }
        Value::Date(day) => {
            tagged(out, b"d");
            put(out, day);
            out.push(b'}');
        }
        Value::Moment(moment) => {
            tagged(out, b"m");
            put(out, moment);
            out.push(b'}');
        }
    }
}

fn value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(texts) => {
            Value::Set(texts.iter().map(|text| text.as_str().map(Into::into)).collect::<Option<_>>()?)
        }
        Json::Object(parts) => {
            if let Some(number) = parts.get("n").and_then(Json::as_str) {
                Value::Number(number.into())
            } else if let Some(day) = parts.get("d") {
                Value::Date(serde_json::from_value::<NaiveDate>(day.clone()).ok()?)
            } else {
                Value::Moment(serde_json::from_value::<DateTime<Utc>>(parts.get("m")?.clone()).ok()?)
            }
        }
        Json::Number(number) => Value::Number(number.to_string().into()),
    })
}

/// Changes as they are shown, from the text that is stored.
pub fn decode(text: &str) -> Result<Vec<HistoryChange>, StoreError> {
    let damaged = || StoreError::Damaged("a row of history can't be read".into());
    let rows: Vec<Json> = serde_json::from_str(text)?;
    rows.into_iter()
        .map(|row| match row {
            Json::Array(parts) => change(&parts).ok_or_else(damaged),
            old => Ok(serde_json::from_value(old)?),
        })
        .collect()
}

fn change(parts: &[Json]) -> Option<HistoryChange> {
    let [pair, fields, old, new, rule] = parts else { return None };
    let all = |list: &Json| list.as_array()?.iter().map(value).collect::<Option<Vec<_>>>();
    let rule = match rule {
        Json::Null => String::new(),
        word => serde_json::from_value::<Rule>(word.clone())
            .map_or_else(|_| word.as_str().unwrap_or_default().to_owned(), |rule| rule.sentence().to_owned()),
    };
    Some(HistoryChange {
        pair: pair.as_i64(),
        fields: serde_json::from_value(fields.clone()).ok()?,
        old: all(old)?,
        new: all(new)?,
        rule,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_survives_the_stored_form() {
        let old = vec![
            Value::Null,
            Value::Bool(true),
            "x".into(),
            Value::Number("12.50".into()),
            Value::Set(vec!["a".into(), "b".into()]),
        ];
        let day = NaiveDate::from_ymd_opt(2026, 2, 28).unwrap();
        let new = vec![Value::Date(day), Value::Moment(DateTime::from_timestamp_millis(1_234).unwrap())];
        let change = NewChange {
            pair: Some(7),
            fields: vec!["A".into()],
            old: old.clone(),
            new: new.clone(),
            rule: Some(Rule::Newest),
        };
        let read = decode(&encode(&[change])).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].pair, &read[0].old, &read[0].new), (Some(7), &old, &new));
        assert_eq!(read[0].rule, Rule::Newest.sentence());
    }

    #[test]
    fn rows_of_the_first_version_are_still_read() {
        let text = r#"[{"fields":["Email"],"old":[{"type":"null"}],"new":[{"type":"text","value":"a"}],"rule":"new record"}]"#;
        let read = decode(text).unwrap();
        assert_eq!((read[0].pair, read[0].new.as_slice()), (None, ["a".into()].as_slice()));
    }
}
