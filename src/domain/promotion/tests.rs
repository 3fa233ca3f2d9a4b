use super::*;

#[derive(serde::Deserialize)]
struct File {
    mapping: Vec<Mapping>,
}

const PARTNER: &str = "0125g000000TstAAAS";
const QUEUE: &str = "00G5g000000QueAAAE";

fn mapping() -> Mapping {
    let text = format!(
        r#"
[[mapping]]
name = "lead"
org_object = "Lead"
platform_object = "contact"
org_criteria = "RecordTypeId = '{PARTNER}' AND Status IN ('Open', 'Working') AND Name LIKE '{QUEUE}%'"
default = [{{ side = "org", field = "OwnerId", value = "{QUEUE}" }}, {{ side = "platform", field = "owner", value = "{QUEUE}" }}]

[[mapping.pair]]
org = "Email"
platform = "email"
key = true

[[mapping.pair]]
org = "Rating"
platform = "rating"
transform = {{ table = {{ entries = {{ Hot = "1" }}, otherwise_org = "Cold" }} }}

[[mapping.pair]]
org = "OwnerId"
platform = "owner"
direction = "to_org"
transform = {{ constant = "{QUEUE}" }}
"#
    );
    toml::from_str::<File>(&text).unwrap().mapping.remove(0)
}

#[test]
fn every_value_of_the_org_is_shown_and_none_of_the_platform() {
    let mut found = Vec::new();
    visit(&mut mapping(), &mut |spot, value| {
        found.push(format!("{} | {} | {value}", spot.place, spot.field.as_deref().unwrap_or("-")));
    });
    assert_eq!(
        found,
        [
            format!("criteria of Salesforce | RecordTypeId | {PARTNER}"),
            "criteria of Salesforce | Status | Open".into(),
            "criteria of Salesforce | Status | Working".into(),
            format!("default of OwnerId | OwnerId | {QUEUE}"),
            "Rating ⇄ rating, translation | Rating | Hot".into(),
            "Rating ⇄ rating, any other value on the way back | Rating | Cold".into(),
            format!("OwnerId ← owner, constant | OwnerId | {QUEUE}"),
        ]
    );
}

#[test]
fn what_is_changed_stands_in_its_place_and_the_rest_stays() {
    let mut promoted = mapping();
    visit(&mut promoted, &mut |_, value| {
        if value == PARTNER {
            *value = "0125g000000PrdBAAS".into();
        } else if value == "Hot" {
            *value = "Very hot".into();
        }
    });
    assert_eq!(
        promoted.org_criteria.as_deref(),
        Some(
            format!(
                "RecordTypeId = '0125g000000PrdBAAS' AND Status IN ('Open', 'Working') AND Name LIKE '{QUEUE}%'"
            )
            .as_str()
        )
    );
    let Transform::Table(table) = &promoted.pairs[1].transform else { panic!("a table") };
    assert_eq!(table.entries.get("Very hot").map(String::as_str), Some("1"));
    let mut untouched = mapping();
    visit(&mut untouched, &mut |_, _| {});
    assert_eq!(untouched, mapping(), "looking changes nothing, not even how criteria are written");
}

#[test]
fn ids_are_told_from_words() {
    for id in [PARTNER, QUEUE, "0055g000000abcd", "a015g00000XyzAB"] {
        assert!(looks_like_id(id), "{id}");
    }
    for word in ["Internationalis", "Prospect", "", "ABCDEFGHIJKLMNOPQR", "012", "1234567890123456"] {
        assert!(!looks_like_id(word), "{word}");
    }
    assert_eq!(IdKind::of(PARTNER), IdKind::RecordType);
    assert_eq!(IdKind::of(QUEUE), IdKind::Group);
    assert!(same_id(PARTNER, &PARTNER[..15]));
    assert!(!same_id(PARTNER, QUEUE));
    assert!(!same_id("", ""));
}

#[test]
fn fields_are_named_once() {
    let fields = org_fields(&mapping());
    assert_eq!(fields, ["Email", "Rating", "OwnerId", "RecordTypeId", "Status", "Name"]);
}

#[test]
fn a_field_is_renamed_wherever_it_is_named() {
    let mut promoted = mapping();
    rename_field(&mut promoted, "ownerid", "Owner2__c");
    rename_field(&mut promoted, "Status", "State__c");
    assert_eq!(promoted.default[0].field, "Owner2__c");
    assert_eq!(promoted.default[1].field, "owner", "a field of the platform is none of the org's");
    assert_eq!(promoted.pairs[2].org, ["Owner2__c"]);
    assert!(promoted.org_criteria.unwrap().contains("State__c IN ('Open', 'Working')"));
}
