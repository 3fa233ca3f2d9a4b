//! Tests of what needs no server.

use chrono::FixedOffset;
use rstest::rstest;
use serde_json::{Map, Value as Json, json};

use super::shape::{at, put, value, wire_value};
use super::*;
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

fn names(zone: &str) -> Names {
    Names {
        modified: "modified".into(),
        created: Some("created".into()),
        order_by: "id".into(),
        organization: "organizationId".into(),
        groups: "userGroupIds".into(),
        zone: zone.parse().unwrap(),
        read_one: true,
        describe: true,
    }
}

fn zone() -> FixedOffset {
    FixedOffset::east_opt(0).unwrap()
}

fn row(json: &Json) -> Map<String, Json> {
    json.as_object().cloned().unwrap()
}

/// platform-learndot.md §1: date-times are strings with a space and no zone.
#[test]
fn moments_have_the_zone_of_the_settings_in_both_directions() {
    let names = names("+02:00");
    let read = value(FieldKind::Moment, &json!("2026-11-22 12:00:00"), names.zone);
    assert_eq!(read.to_string(), "2026-11-22T10:00:00Z");
    assert_eq!(wire_value(FieldKind::Moment, &read, &names), json!("2026-11-22 12:00:00"));
}

#[rstest]
#[case(FieldKind::Reference, json!(7), Value::text("7"))]
#[case(FieldKind::Bool, json!(1), Value::Bool(true))]
#[case(FieldKind::Moment, json!("soon"), Value::text("soon"))]
#[case(FieldKind::Number, json!("12.50"), Value::Number("12.50".into()))]
#[case(FieldKind::Text, json!({"odd": true}), Value::text("{\"odd\":true}"))]
#[case(FieldKind::Picklist, json!("NEW_WORD"), Value::text("NEW_WORD"))]
fn what_has_another_shape_than_expected_is_kept(
    #[case] kind: FieldKind,
    #[case] held: Json,
    #[case] expected: Value,
) {
    assert_eq!(value(kind, &held, zone()), expected);
}

#[test]
fn a_field_that_was_not_returned_is_absent_and_one_of_a_blank_parent_is_blank() {
    let row = row(&json!({"address": null, "price": {"amount": 5}}));
    assert_eq!(at(&row, "address.city"), Some(&Json::Null));
    assert_eq!(at(&row, "price.amount"), Some(&json!(5)));
    assert_eq!(at(&row, "price.currency"), Some(&Json::Null));
    assert_eq!(at(&row, "fax"), None);
}

/// platform-learndot.md §3: addresses are nested.
#[test]
fn dotted_names_are_nested_when_written() {
    let mut body = Map::new();
    put(&mut body, "address.city", json!("Ghent"));
    put(&mut body, "address.region", json!(null));
    assert_eq!(Json::Object(body), json!({"address": {"city": "Ghent", "region": null}}));
}

/// platform-learndot.md §5: ids are numbers.
#[test]
fn ids_and_references_are_sent_as_numbers_and_texts_stay_texts() {
    let names = names("+00:00");
    assert_eq!(wire_value(FieldKind::Reference, &Value::text("7"), &names), json!(7));
    assert_eq!(wire_value(FieldKind::Text, &Value::text("007"), &names), json!("007"));
    assert_eq!(wire_value(FieldKind::Bool, &Value::Bool(false), &names), json!(false));
}
