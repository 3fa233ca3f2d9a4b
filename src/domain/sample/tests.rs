//! Tests of what would become of a record.

use super::*;
use crate::domain::mapping::Direction;
use crate::domain::transform::Table;

fn field(name: &str, kind: FieldKind) -> FieldSchema {
    FieldSchema { name: name.into(), kind, createable: true, updateable: true, ..FieldSchema::default() }
}

fn record(fields: &[(&str, Value)]) -> PulledRecord {
    PulledRecord {
        selection: Selection::new(fields.iter().map(|(name, _)| *name)),
        record: Record {
            id: RecordId::new("1"),
            stamp: None,
            author: None,
            values: fields.iter().map(|(_, value)| Some(value.clone())).collect(),
            became: Vec::new(),
        },
    }
}

fn pair(org: &str, platform: &str, transform: Transform) -> Pair {
    let text = format!("org = \"{org}\"\nplatform = \"{platform}\"");
    Pair { transform, ..toml::from_str(&text).unwrap() }
}

fn sampled(pair: Pair, org: Value, platform: Option<Value>, target: FieldSchema) -> PairSample {
    let text = "name = \"m\"\norg_object = \"Contact\"\nplatform_object = \"contact\"\npair = []";
    let mapping = Mapping { pairs: vec![pair], ..toml::from_str(text).unwrap() };
    let schema = ObjectSchema { fields: vec![target], ..ObjectSchema::default() };
    let pulled = Pulled {
        records: PerSide {
            org: Some(record(&[("A", org)])),
            platform: platform.map(|value| record(&[("b", value)])),
        },
        met: Met::ByKey,
    };
    let schemas = PerSide { org: None, platform: Some(&schema) };
    results(&mapping, schemas, &pulled).remove(0)
}

#[test]
fn what_folds_to_the_same_is_the_same() {
    let sample = sampled(
        pair("A", "b", Transform::Copy),
        Value::text("Ann@X.example"),
        Some(Value::text("ann@x.example")),
        field("b", FieldKind::Email),
    );
    assert_eq!(sample.to.platform.as_ref().unwrap().same, Some(true));
    let turned =
        sampled(pair("A", "b", Transform::Copy), Value::text("1"), None, field("b", FieldKind::Text));
    assert_eq!((turned.state(), turned.to.org), (State::New, None));
    let blank = sampled(pair("A", "b", Transform::Copy), Value::Null, None, field("b", FieldKind::Text));
    assert_eq!(blank.state(), State::Same);
}

#[test]
fn a_value_without_a_translation_is_refused_with_the_reason() {
    let table = Table { entries: [("Gold".to_owned(), "3".to_owned())].into(), ..Table::default() };
    let with = |value: &str| {
        let pair =
            Pair { direction: Direction::ToPlatform, ..pair("A", "b", Transform::Table(table.clone())) };
        sampled(pair, Value::text(value), None, field("b", FieldKind::Text))
    };
    assert_eq!(with("gold").to.platform.unwrap().values, Ok(vec![Value::text("3")]));
    let refused = with("Bronze");
    assert_eq!(refused.state(), State::Refused);
    assert!(refused.to.platform.unwrap().values.unwrap_err().contains("no entry for “Bronze”"));
}

#[test]
fn what_the_target_may_refuse_is_doubtful() {
    let doubts = |value: Value, target: FieldSchema| {
        let sample = sampled(pair("A", "b", Transform::Copy), value, None, target);
        assert_eq!(sample.state(), State::Doubtful);
        sample.to.platform.unwrap().doubts.join(" ")
    };
    let short = FieldSchema { length: Some(3), ..field("b", FieldKind::Text) };
    assert!(doubts(Value::text("Ännä"), short).contains("takes 3 characters, and this has 4"));
    let required = FieldSchema { required: true, ..field("b", FieldKind::Text) };
    assert!(doubts(Value::Null, required).contains("required"));
    assert!(doubts(Value::text("soon"), field("b", FieldKind::Date)).contains("is date"));
    let read_only = FieldSchema { createable: false, updateable: false, ..field("b", FieldKind::Text) };
    assert!(doubts(Value::text("x"), read_only).contains("can't be written"));
    let list =
        FieldSchema { restricted: true, picklist: vec!["A".into()], ..field("b", FieldKind::Picklist) };
    assert!(doubts(Value::text("B"), list).contains("picklist"));
}
