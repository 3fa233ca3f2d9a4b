//! The byte form of a history row's changes.
//!
//! A row is written for each record and run, so what it repeats counts: the names of a pair's fields stand in the pair's identity already,
//! a new record's blanks are only counted, and rules are numbers. Rows of the first two versions, which are JSON, are still read.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::types::ValueRef;
use serde_json::Value as Json;

use crate::domain::codec::{self, Reader};
use crate::domain::plan::Rule;
use crate::domain::report::HistoryChange;
use crate::domain::value::Value;
use crate::store::StoreError;
use crate::store::history::NewChange;

/// The bytes that are stored.
pub fn encode(changes: &[NewChange]) -> Vec<u8> {
    let mut out = Vec::with_capacity(changes.len() * 24);
    for change in changes {
        codec::put_number(&mut out, change.pair.map_or(0, |pair| pair as u64 + 1));
        out.push(change.rule.map_or(0, number));
        codec::put_number(&mut out, change.fields.len() as u64);
        for name in &change.fields {
            codec::put_number(&mut out, name.len() as u64);
            out.extend_from_slice(name.as_bytes());
        }
        put_values(&mut out, &change.old);
        put_values(&mut out, &change.new);
    }
    out
}

/// Blank values are only counted, which the lowest bit of the count says.
fn put_values(out: &mut Vec<u8>, values: &[Value]) {
    let blank = values.iter().all(|value| *value == Value::Null);
    codec::put_number(out, (values.len() as u64) << 1 | u64::from(blank));
    for value in values.iter().filter(|_| !blank) {
        codec::put(out, Some(value));
    }
}

/// A rule as it is stored; a number is never given to another rule.
fn number(rule: Rule) -> u8 {
    let place = RULES.iter().position(|known| *known == rule);
    place.map_or(0, |place| place as u8 + 1)
}

/// In the order of their numbers, from 1.
const RULES: [Rule; 20] = [
    Rule::Created,
    Rule::SalesforceChanged,
    Rule::PlatformChanged,
    Rule::SalesforceWins,
    Rule::PlatformWins,
    Rule::Newest,
    Rule::NewestUnclear,
    Rule::NonBlank,
    Rule::Filled,
    Rule::FirstMeetingSalesforce,
    Rule::FirstMeetingPlatform,
    Rule::OptOut,
    Rule::OptIn,
    Rule::Enforced,
    Rule::Default,
    Rule::Mark,
    Rule::Deactivated,
    Rule::Decided,
    Rule::Edited,
    Rule::Undone,
];

/// Changes as they are shown, from what is stored. Where a pair's change names no fields, they are those of its pair.
pub fn decode(stored: ValueRef<'_>) -> Result<Vec<HistoryChange>, StoreError> {
    match stored {
        ValueRef::Blob(bytes) => changes(&mut Reader::new(bytes)),
        ValueRef::Text(text) => spelled_out(text),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => Err(damaged()),
    }
}

fn damaged() -> StoreError {
    StoreError::Damaged("a row of history can't be read".into())
}

fn changes(reader: &mut Reader<'_>) -> Result<Vec<HistoryChange>, StoreError> {
    let mut changes = Vec::new();
    while !reader.is_done() {
        let pair = reader.number()?;
        let rule = reader.byte()?;
        let names = reader.number()?;
        let fields =
            (0..names).map(|_| Ok(reader.text()?.into_string())).collect::<Result<_, StoreError>>()?;
        changes.push(HistoryChange {
            pair: pair.checked_sub(1).map(|pair| pair as i64),
            fields,
            old: values(reader)?,
            new: values(reader)?,
            rule: rule
                .checked_sub(1)
                .and_then(|place| RULES.get(usize::from(place)))
                .map_or_else(String::new, |rule| rule.sentence().to_owned()),
        });
    }
    Ok(changes)
}

fn values(reader: &mut Reader<'_>) -> Result<Vec<Value>, StoreError> {
    let head = reader.number()?;
    let mut values = Vec::new();
    for _ in 0..head >> 1 {
        values.push(if head & 1 == 1 { Value::Null } else { reader.value()?.unwrap_or_default() });
    }
    Ok(values)
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

/// The first version spelled out everything, the second was `[[pair, fields, old, new, rule], …]`.
fn spelled_out(text: &[u8]) -> Result<Vec<HistoryChange>, StoreError> {
    let rows: Vec<Json> = serde_json::from_slice(text)?;
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

    fn written(changes: &[NewChange]) -> Vec<HistoryChange> {
        decode(ValueRef::Blob(&encode(changes))).unwrap()
    }

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
        let read = written(&[change]);
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].pair, &read[0].old, &read[0].new), (Some(7), &old, &new));
        assert_eq!(read[0].rule, Rule::Newest.sentence());
    }

    #[test]
    fn a_new_record_costs_little_more_than_its_values() {
        let change = |new: &str| NewChange {
            pair: Some(7),
            fields: Vec::new(),
            old: vec![Value::Null],
            new: vec![new.into()],
            rule: Some(Rule::Created),
        };
        let changes = [change("Ada"), change("Lovelace")];
        assert_eq!(encode(&changes).len(), "Ada".len() + "Lovelace".len() + 2 * 7);
        let read = written(&changes);
        assert_eq!((read[1].pair, read[1].old.len(), &read[1].new[0]), (Some(7), 1, &"Lovelace".into()));
        assert_eq!(written(&[NewChange { rule: None, ..change("x") }])[0].rule, "");
    }

    #[test]
    fn every_rule_has_a_number_of_its_own() {
        for (place, rule) in RULES.iter().enumerate() {
            assert_eq!(usize::from(number(*rule)), place + 1);
        }
        // The last of them, so that a new one is given a number.
        assert_eq!(Rule::Undone as usize + 1, RULES.len());
    }

    #[test]
    fn rows_of_the_first_versions_are_still_read() {
        let spelled = |text: &str| decode(ValueRef::Text(text.as_bytes())).unwrap();
        let text = r#"[{"fields":["Email"],"old":[{"type":"null"}],"new":[{"type":"text","value":"a"}],"rule":"new record"}]"#;
        let read = spelled(text);
        assert_eq!((read[0].pair, read[0].new.as_slice()), (None, ["a".into()].as_slice()));
        let read = spelled(r#"[[7,["Email"],[null],["a",{"n":"12.50"}],"newest"]]"#);
        assert_eq!((read[0].pair, &read[0].new[1]), (Some(7), &Value::Number("12.50".into())));
        assert_eq!(read[0].rule, Rule::Newest.sentence());
    }
}
