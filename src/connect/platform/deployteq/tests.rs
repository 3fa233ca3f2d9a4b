//! Tests of what needs no server.

use rstest::rstest;
use serde_json::{Map, Value as Json, json};

use super::moment::{Moment, moment_of};
use super::settings::{Deletion, Names, ReceiverKey, ReceiverRows};
use super::shape::{id_at, put, value, wire_value};
use super::soap::tree;
use super::*;
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

fn names() -> Names {
    Names {
        rest_path: "/rest".into(),
        soap_path: "/soap".into(),
        customer_id: "/id".into(),
        row_id: "/clang_id".into(),
        poll: false,
        data_model: false,
        data_model_endpoint: String::new(),
        data_model_scope: String::new(),
        table_delete: Deletion::Webhook,
        customer_delete: Deletion::Rest,
        receiver_key: ReceiverKey::ExternalId,
        receiver_rows: ReceiverRows::Whole,
        token_endpoint: String::new(),
        events_endpoint: String::new(),
        events_scope: String::new(),
        metrics: Vec::new(),
        moment_key: vec!["content_id".into(), "broadcast_id".into()],
        leave_out_machines: true,
        moments_days: 30,
        delay_minutes: 0,
        online_url: Some("https://view.example/{content_id}/{customer_id}".into()),
    }
}

fn object(json: &Json) -> Map<String, Json> {
    json.as_object().cloned().unwrap()
}

fn event(uuid: &str, at: &str, more: &Json) -> Map<String, Json> {
    let mut event = object(&json!({
        "uuid": uuid, "metric_timestamp": at, "customer_id": 42, "external_id": "003000000000001AAA", "content_id": 7,
        "broadcast_id": null, "subject": "Hello",
    }));
    event.extend(object(more));
    event
}

fn field(moment: &Moment, name: &str) -> String {
    let record = moment.record(&RecordId::new("42-7-0"), &Selection::new([name]));
    record.values[0].as_ref().map(ToString::to_string).unwrap_or_default()
}

/// platform-deployteq.md §4: rows carry a uuid; one that comes twice counts once, whatever the order.
#[test]
fn an_event_that_comes_twice_counts_once() {
    let names = names();
    let mut moment = Moment::default();
    let sent = event("a", "2026-11-01T10:00:00+0000", &json!({}));
    assert_eq!(moment_of(&sent, &names).unwrap().as_str(), "42-7-0");
    moment.take("sends", &sent, &names);
    for _ in 0..2 {
        moment.take("opens", &event("b", "2026-11-01T11:00:00+0000", &json!({})), &names);
        moment.take("opens", &event("c", "2026-11-01T10:30:00+0000", &json!({})), &names);
    }
    moment.take(
        "clicks",
        &event("d", "2026-11-01T11:00:05+0000", &json!({"url": "https://x.example"})),
        &names,
    );
    assert_eq!(field(&moment, "opens"), "2");
    assert_eq!(field(&moment, "first_opened_at"), "2026-11-01T10:30:00Z");
    assert_eq!(field(&moment, "last_opened_at"), "2026-11-01T11:00:00Z");
    assert_eq!(field(&moment, "last_clicked_url"), "https://x.example");
    assert_eq!(field(&moment, "sent_at"), "2026-11-01T10:00:00Z");
    assert_eq!(field(&moment, "contact_id"), "003000000000001AAA");
    assert_eq!(field(&moment, "lead_id"), "");
    assert_eq!(field(&moment, "online_url"), "https://view.example/7/42");
    assert_eq!(field(&moment, "bounced"), "false");
}

#[test]
fn a_late_event_changes_the_stamp_although_it_is_older() {
    let names = names();
    let mut moment = Moment::default();
    moment.take("opens", &event("b", "2026-11-01T11:00:00+0000", &json!({})), &names);
    let stamp = |moment: &Moment| moment.record(&RecordId::new("x"), &Selection::new(["id"])).stamp;
    let before = stamp(&moment);
    moment.take("clicks", &event("c", "2026-11-01T09:00:00+0000", &json!({})), &names);
    assert!(stamp(&moment) > before);
    let counted = stamp(&moment);
    moment.take("clicks", &event("c", "2026-11-01T09:00:00+0000", &json!({})), &names);
    assert_eq!(stamp(&moment), counted);
}

/// platform-deployteq.md §1: opt-in is Y or N; anything else is kept so that it becomes an issue (F98).
#[rstest]
#[case(json!("Y"), Value::Bool(true))]
#[case(json!("n"), Value::Bool(false))]
#[case(json!(""), Value::Null)]
#[case(json!("ja"), Value::text("ja"))]
fn only_y_and_n_are_consent(#[case] held: Json, #[case] expected: Value) {
    assert_eq!(value(FieldKind::Bool, &held), expected);
}

#[test]
fn values_are_written_as_the_service_takes_them() {
    assert_eq!(wire_value(FieldKind::Bool, &Value::Bool(false)), json!("N"));
    assert_eq!(wire_value(FieldKind::Text, &Value::Null), json!(null));
    let mut body = Map::new();
    put(&mut body, "options.lead_id", json!("00Q"));
    put(&mut body, "optin", json!("Y"));
    assert_eq!(Json::Object(body), json!({"options": {"lead_id": "00Q"}, "optin": "Y"}));
}

/// platform-deployteq.md §1: the name of the id is not confirmed, so the usual places are tried after the setting's.
#[rstest]
#[case(json!({"clang_id": "clang_1f"}), Some("clang_1f"))]
#[case(json!({"id": 5}), Some("5"))]
#[case(json!({"Id": "003"}), None)]
fn the_id_of_a_row_is_found_where_it_may_stand(#[case] echo: Json, #[case] expected: Option<&str>) {
    assert_eq!(id_at(&echo, "/clang_id").as_ref().map(RecordId::as_str), expected);
}

/// platform-deployteq.md §5: answers are XML.
#[test]
fn a_tree_keeps_texts_and_nesting_and_refuses_what_is_no_xml() {
    let root = tree("<a><b>x &amp; y</b><c><d/></c></a>").unwrap();
    assert_eq!(root.find("b").unwrap().text, "x & y");
    assert!(root.find("d").is_some());
    assert_eq!(tree("no xml"), None);
}

#[test]
fn a_table_is_the_rest_of_its_name() {
    assert_eq!(table_of("table.order"), "order");
    assert_eq!(table_of("Table.Order"), "Order");
}
