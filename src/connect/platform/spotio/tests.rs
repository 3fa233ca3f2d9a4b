//! Tests of what needs no server. Each names the section of the fact sheet it stands for.

use rstest::rstest;
use serde_json::{Map, Value as Json, json};

use super::activities::activity;
use super::hook::{hints, is_signed};
use super::shape::{Lens, entry, forget_position, put_place};
use super::view::{Part, slot};
use super::workflow::{Workflow, workflow_of};
use super::write::collection;
use super::*;
use crate::domain::value::Value;

fn names() -> Names {
    Names {
        lead_type: "Lead".into(),
        account_type: "Account".into(),
        activities_since: None,
        default_owner: None,
        pascal: false,
        patch_each: false,
        validate_required: true,
        verify: true,
        activity_by_update: false,
        bulk_from: 200,
        lookback_hours: 48,
        close_days: 30,
    }
}

fn workflow() -> Workflow {
    workflow_of(
        &json!([{
            "id": "1", "name": "Lead",
            "fields": [
                {"id": 100_004, "name": "Company", "type": "Text", "systemRole": "Company"},
                {"id": "100013", "name": "Last", "type": "text", "systemRole": "lastName"},
                {"id": "9", "name": "Roof", "type": "SingleChoice", "activeOptions": ["Flat", "Steep"]},
                {"id": "20", "name": "Tags", "type": "MultiChoice", "activeOptions": ["A", "B, C"]},
                {"id": "21", "name": "Note", "type": "Text"},
                {"id": "22", "name": "Note", "type": "Text"},
            ],
            "stages": {
                "lost": {"stages": [{"id": 6, "name": "Lost"}]},
                "won": {"stages": [{"id": 5, "name": "Sold"}]},
                "active": {"stages": [{"id": 1, "name": "New"}, {"id": 2, "name": "Contacted"}]},
            },
        }]),
        &json!([
            {"id": 7, "email": "rep@acme.example", "externalSystemUserId": "005000000000001"},
            {"id": 8, "email": "other@acme.example", "externalSystemUserId": null},
        ]),
    )
}

fn read(row: &Json, name: &str) -> Option<Value> {
    let (workflow, names) = (workflow(), names());
    let kind = &workflow.types[0];
    Lens { workflow: &workflow, kind, names: &names }.value(row, &slot(kind, name)?)
}

/// platform-spotio.md §4: numbers are integers in the export and texts elsewhere. §2: fields by their role.
#[rstest]
#[case(json!({"fieldId": 100_004, "value": "Acme"}))]
#[case(json!({"fieldId": "100004", "value": "Acme"}))]
fn a_field_is_found_by_its_role_whether_its_number_is_a_text_or_not(#[case] entry: Json) {
    let row = json!({"id": "a", "typeId": 1, "fields": [entry]});
    assert_eq!(read(&row, "company"), Some(Value::text("Acme")));
    assert_eq!(read(&row, "lastName"), Some(Value::Null));
    assert_eq!(read(&row, "firstName"), None);
}

/// platform-spotio.md §3: a row that has a name and none of its fields hides them; a field that was not returned is absent.
#[test]
fn what_a_row_does_not_tell_is_absent_and_not_blank() {
    let hidden = json!({"id": "a", "name": "Acme", "fields": [{"fieldId": "9", "value": "Flat"}]});
    assert_eq!(read(&hidden, "company"), None);
    assert_eq!(read(&hidden, "fields.Roof"), Some(Value::text("Flat")));
    assert_eq!(read(&json!({"id": "a"}), "fields.Roof"), None);
    assert_eq!(read(&json!({"id": "a", "pin": {"zip": "1000"}}), "address.street"), None);
    assert_eq!(read(&json!({"id": "a", "pin": null}), "address.street"), Some(Value::Null));
}

/// platform-spotio.md §3 “Legacy”: a collection that is sent in part wipes the rest, so it is never sent in part.
#[test]
fn a_collection_is_sent_whole_or_not_at_all() {
    let (workflow, names) = (workflow(), names());
    let lens = Lens { workflow: &workflow, kind: &workflow.types[0], names: &names };
    let held = json!({"name": "Ann", "fields": [
        {"fieldId": "100013", "value": "Bell"}, {"fieldId": "9", "value": "Flat"},
    ]});
    let changed = vec![("9".to_owned(), json!({"fieldId": "9", "value": "Steep"}))];
    let sent = collection(&lens, &held, changed.clone()).unwrap();
    assert_eq!(
        sent,
        [json!({"fieldId": "100013", "value": "Bell"}), json!({"fieldId": "9", "value": "Steep"})]
    );
    let hidden = json!({"name": "Ann", "fields": [{"fieldId": "9", "value": "Flat"}]});
    assert_eq!(collection(&lens, &hidden, changed.clone()).unwrap_err().code, "INCOMPLETE_READ");
    assert_eq!(collection(&lens, &json!({"name": "Ann"}), changed).unwrap_err().code, "INCOMPLETE_READ");
}

/// platform-spotio.md §2: custom fields by name; namesakes by name and number.
#[test]
fn namesakes_among_custom_fields_are_told_apart_by_their_number() {
    let workflow = workflow();
    let kind = &workflow.types[0];
    assert!(kind.custom("Note").is_none());
    assert_eq!(kind.custom("Note #22").unwrap().id, "22");
    assert_eq!(kind.custom_name(&kind.fields[4]), "fields.Note #21");
    assert_eq!(kind.custom("roof").unwrap().id, "9");
}

/// platform-spotio.md §2: stages of all three groups, in the order of the pipeline; one that nobody knows is kept.
#[test]
fn stages_have_names_and_groups_and_an_unknown_one_is_kept() {
    let names: Vec<String> = workflow().types[0].stages.iter().map(|stage| stage.name.clone()).collect();
    assert_eq!(names, ["New", "Contacted", "Sold", "Lost"]);
    assert_eq!(read(&json!({"id": "a", "stageId": 5}), "stage"), Some(Value::text("Sold")));
    assert_eq!(read(&json!({"id": "a", "stageId": "5"}), "stageGroup"), Some(Value::text("won")));
    assert_eq!(read(&json!({"id": "a", "stageId": "77"}), "stage"), Some(Value::text("77")));
}

/// platform-spotio.md §2: owners by their external id, in its shorter or longer form; who has none is not told.
#[test]
fn owners_are_told_by_their_id_in_salesforce() {
    let workflow = workflow();
    assert_eq!(workflow.user_of("005000000000001AAA").unwrap().id, "7");
    assert!(workflow.user_of("005000000000002AAA").is_none());
    assert_eq!(
        read(&json!({"id": "a", "ownerId": 7}), "ownerExternalId"),
        Some(Value::text("005000000000001"))
    );
    assert_eq!(read(&json!({"id": "a", "ownerId": 8}), "ownerExternalId"), None);
}

/// platform-spotio.md §10: several choices are `values`.
#[test]
fn several_values_are_a_set_in_both_directions() {
    let workflow = workflow();
    let tags = &workflow.types[0].fields[3];
    let row = json!({"id": "a", "fields": [{"fieldId": 20, "values": ["A", "B, C"]}]});
    let read = read(&row, "fields.Tags").unwrap();
    assert_eq!(read, Value::Set(vec!["A".into(), "B, C".into()]));
    assert_eq!(entry(tags, &read), json!({"fieldId": "20", "values": ["A", "B, C"]}));
}

/// platform-spotio.md §3: a changed address is looked up anew, one with coordinates of Salesforce is not.
#[test]
fn a_changed_address_is_looked_up_anew_unless_its_place_is_known() {
    let mut pin = Map::new();
    pin.insert("lat".into(), json!(1.5));
    pin.insert("address".into(), json!("Old Street"));
    put_place(&mut pin, Part::Street, &Value::text("New Street 5"));
    forget_position(&mut pin);
    assert_eq!(Json::Object(pin.clone()), json!({"street": "New Street 5", "houseNumber": null}));
    put_place(&mut pin, Part::Latitude, &Value::Number("50.5".into()));
    put_place(&mut pin, Part::Longitude, &Value::Number("4.5".into()));
    forget_position(&mut pin);
    assert_eq!((&pin["lat"], &pin["skipGeocoding"]), (&json!(50.5), &json!(true)));
}

/// platform-spotio.md §5: a note has no title; what is done follows from a flag. §1: words are camelCase or not.
#[test]
fn an_activity_has_a_name_and_a_status_whatever_is_blank() {
    let row = json!({"id": "1", "type": "note", "title": "", "done": true, "date": "2026-11-22T10:00:00Z"});
    let selection = Selection::new(["name", "status", "kind", "date", "notes"]);
    let record = activity(&workflow(), &selection, row.as_object().unwrap().clone());
    let texts: Vec<String> = record.values.into_iter().flatten().map(|value| value.to_string()).collect();
    assert_eq!(texts, ["Note", "Done", "Note", "2026-11-22", ""]);
}

/// platform-spotio.md §7: hex HMAC-SHA256 of the raw body; `objectId`; duplicates occur.
#[test]
fn a_delivery_counts_only_with_its_signature_and_says_each_thing_once() {
    let body = br#"{"payload":[{"type":"lead.updated","date":"2026-11-22T10:00:00Z","data":{"objectId":"a"}},{"type":"lead.updated","date":"2026-11-22T10:00:00Z","data":{"objectId":"a"}}]}"#;
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"secret");
    let tag = ring::hmac::sign(&key, body);
    let signature = tag.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert!(is_signed("secret", body, &signature));
    assert!(is_signed("secret", body, &signature.to_uppercase()));
    assert!(!is_signed("other", body, &signature));
    assert!(!is_signed("secret", b"{}", &signature));
    assert!(
        !is_signed("", body, &signature)
            && !is_signed("secret", body, "zz")
            && !is_signed("secret", body, "")
    );
    assert_eq!(hints(body).unwrap().len(), 1);
    assert_eq!(hints(b"[]"), None);
}
