use rstest::rstest;
use serde_json::json;

use super::*;
use crate::domain::record::{RecordId, Selection};

fn row(id: Option<&str>, key: &str, values: Vec<Option<Value>>) -> WriteRow {
    WriteRow { id: id.map(RecordId::from), values, key: vec![key.into()] }
}

fn written(names: &[&str], row: &WriteRow, present: Option<&Present>) -> Result<serde_json::Value, RowError> {
    let places = Place::of_all(&Selection::new(names));
    let kind = if row.id.is_some() { WriteKind::Update } else { WriteKind::Create };
    let consent: Vec<usize> = places
        .iter()
        .enumerate()
        .filter(|(_, place)| matches!(place, Place::OptedOut | Place::OptedOutPhone))
        .map(|(position, _)| position)
        .collect();
    let shape = Shape { kind, places: &places, consent: &consent };
    let upsert = UpsertRow::of(row, &shape, present)?;
    Ok(serde_json::to_value(&upsert).unwrap())
}

#[test]
fn what_is_left_alone_is_left_out_and_what_is_blanked_is_empty() {
    let row = row(None, "", vec![Some("a@x".into()), None, Some(Value::Null), Some("Graz".into())]);
    let json = written(&["email", "name", "phone", "address.city"], &row, None).unwrap();
    assert_eq!(json["contact"], json!({"email": "a@x", "phone": "", "address": {"city": "Graz"}}));
    assert!(json.get("properties").is_none());
}

/// platform-salesmanago.md §8: the pairs of orders for mail and phone.
#[rstest]
#[case(Some(Value::Bool(true)), false, true)]
#[case(Some(Value::Bool(false)), true, false)]
#[case(Some(Value::Null), false, false)]
#[case(None, false, false)]
fn consent_is_an_order_and_no_value_is_none(
    #[case] value: Option<Value>,
    #[case] opt_in: bool,
    #[case] opt_out: bool,
) {
    for (field, prefix) in [("optedOut", "force"), ("optedOutPhone", "forcePhone")] {
        let row = row(None, "", vec![Some("a@x".into()), value.clone()]);
        let json = written(&["email", field], &row, None).unwrap();
        let orders = ["forceOptIn", "forceOptOut", "forcePhoneOptIn", "forcePhoneOptOut"];
        for order in orders {
            let expected = match order.strip_prefix(prefix) {
                Some("OptIn") => opt_in,
                Some("OptOut") => opt_out,
                _ => false,
            };
            assert_eq!(json[order], expected, "{field} {order}");
        }
    }
}

/// platform-salesmanago.md §8: nobody is opted in without a mapped field of consent.
#[test]
fn an_opt_in_outside_of_a_consent_pair_is_refused_and_an_opt_out_is_not() {
    let places = Place::of_all(&Selection::new(["email", "optedOut"]));
    let shape = Shape { kind: WriteKind::Create, places: &places, consent: &[] };
    let opt_in = row(None, "", vec![Some("a@x".into()), Some(Value::Bool(false))]);
    assert_eq!(UpsertRow::of(&opt_in, &shape, None).unwrap_err().code, "NO_CONSENT_PAIR");
    let opt_out = row(None, "", vec![Some("a@x".into()), Some(Value::Bool(true))]);
    assert!(UpsertRow::of(&opt_out, &shape, None).unwrap().force_opt_out);
}

/// platform-salesmanago.md §6: `newEmail` renames.
#[test]
fn a_changed_address_travels_beside_the_old_one() {
    let present = Present { email: "old@x".into(), tags: Vec::new() };
    let row = row(Some("c-1"), "new@x", vec![Some("new@x".into())]);
    let json = written(&["email"], &row, Some(&present)).unwrap();
    assert_eq!(json["contact"]["email"], "old@x");
    assert_eq!(json["newEmail"], "new@x");
    assert_eq!(json["contactId"], "c-1");
}

#[test]
fn another_spelling_of_the_same_address_is_no_rename() {
    let present = Present { email: "ann@x".into(), tags: Vec::new() };
    let row = row(Some("c-1"), "ann@x", vec![Some("Ann@X".into())]);
    let json = written(&["email"], &row, Some(&present)).unwrap();
    assert_eq!(json["contact"]["email"], "Ann@X");
    assert!(json.get("newEmail").is_none());
}

/// platform-salesmanago.md §4.1: `tags` and `removeTags`.
#[test]
fn tags_are_sent_as_a_difference() {
    let present = Present { email: "a@x".into(), tags: vec!["KEEP".into(), "DROP".into()] };
    let tags = Value::Set(vec!["KEEP".into(), "NEW".into()]);
    let json = written(&["tags"], &row(Some("c"), "a@x", vec![Some(tags)]), Some(&present)).unwrap();
    assert_eq!(json["tags"], json!(["NEW"]));
    assert_eq!(json["removeTags"], json!(["DROP"]));
}

/// platform-salesmanago.md §4.1: `properties` is a flat map of texts.
#[test]
fn details_go_into_a_map_of_texts() {
    let row = row(None, "", vec![Some("a@x".into()), Some(Value::Number("5".into())), Some(Value::Null)]);
    let json = written(&["email", "details.A", "details.B"], &row, None).unwrap();
    assert_eq!(json["properties"], json!({"A": "5", "B": ""}));
}

/// platform-salesmanago.md §4.1: states in capitals, birthdays as yyyyMMdd.
#[rstest]
#[case("state", "customer", "CUSTOMER")]
#[case("birthday", "1980-01-31", "19800131")]
fn words_and_days_are_spelled_as_the_service_wants_them(
    #[case] field: &str,
    #[case] given: &str,
    #[case] sent: &str,
) {
    let row = row(None, "", vec![Some("a@x".into()), Some(given.into())]);
    let json = written(&["email", field], &row, None).unwrap();
    let found = if field == "state" { &json["contact"]["state"] } else { &json["birthday"] };
    assert_eq!(found, sent);
}

/// platform-salesmanago.md §4.1: a state is one of five words, a birthday a day.
#[rstest]
#[case("state", "CLIENT", "NO_SUCH_STATE")]
#[case("birthday", "31.1.1980", "NO_DAY")]
#[case("modifiedOn", "x", "READ_ONLY")]
#[case("optedOut", "maybe", "NO_CONSENT_VALUE")]
fn what_would_surely_be_refused_is_refused_here(
    #[case] field: &str,
    #[case] given: &str,
    #[case] code: &str,
) {
    let row = row(None, "", vec![Some("a@x".into()), Some(given.into())]);
    assert_eq!(written(&["email", field], &row, None).unwrap_err().code, code);
}

/// platform-salesmanago.md §6: no contact without an address.
#[test]
fn a_contact_needs_an_address() {
    let blank = row(None, "", vec![Some(" ".into())]);
    assert_eq!(written(&["email"], &blank, None).unwrap_err().code, "EMAIL_REQUIRED");
    let keyless = row(Some("c"), "", vec![None]);
    assert!(needs_present(&keyless, &Place::of_all(&Selection::new(["name"]))));
}
