//! Tests of doubts about mappings.

use super::*;
use crate::domain::mapping::{
    DefaultValue, DeletePolicy, Direction, Drift, FirstMeeting, Policy, SideEffects,
};

fn field(name: &str) -> FieldSchema {
    FieldSchema { name: name.into(), createable: true, updateable: true, ..FieldSchema::default() }
}

fn schema(fields: Vec<FieldSchema>) -> ObjectSchema {
    ObjectSchema {
        name: "Thing".into(),
        createable: true,
        updateable: true,
        fields,
        ..ObjectSchema::default()
    }
}

fn pair(transform: Transform) -> Pair {
    Pair {
        org: vec!["A".into()],
        platform: vec!["b".into()],
        direction: Direction::Both,
        key: false,
        policy: Policy::default(),
        transform,
        drift: Drift::Leave,
        doubts_accepted: false,
    }
}

fn mapping(pairs: Vec<Pair>) -> Mapping {
    Mapping {
        name: "thing".into(),
        enabled: true,
        org_object: "Thing".into(),
        platform_object: "thing".into(),
        direction: Direction::Both,
        org_criteria: None,
        platform_criteria: None,
        since: None,
        create_on_platform: true,
        create_in_org: true,
        org_mark: None,
        platform_mark: None,
        skip_create_when_blank: Vec::new(),
        default: Vec::new(),
        first_meeting: FirstMeeting::default(),
        deletes: DeletePolicy::default(),
        deactivate: None,
        conversion: None,
        sync_flag: None,
        ignore_own_changes: false,
        every: None,
        side_effects: SideEffects::default(),
        initial_side_effects: SideEffects::default(),
        pairs,
    }
}

fn found(mapping: &Mapping, org: FieldSchema, platform: FieldSchema) -> Vec<String> {
    let (org, platform) = (schema(vec![org]), schema(vec![platform]));
    let sides = PerSide { org: &org, platform: &platform };
    doubts(mapping, std::slice::from_ref(mapping), sides).into_iter().map(|doubt| doubt.message).collect()
}

#[track_caller]
fn says(found: &[String], words: &str) {
    assert!(found.iter().any(|message| message.contains(words)), "{words}: {found:?}");
}

fn picklist(name: &str, values: &[&str]) -> FieldSchema {
    let picklist = values.iter().map(|value| (*value).to_owned()).collect();
    FieldSchema { kind: FieldKind::Picklist, picklist, restricted: true, ..field(name) }
}

#[test]
fn n10_a_type_that_does_not_go_into_the_other_is_doubted() {
    let number = FieldSchema { kind: FieldKind::Number, ..field("b") };
    says(
        &found(&mapping(vec![pair(Transform::Copy)]), field("A"), number.clone()),
        "A is text and b is number",
    );
    let one_way = Pair { direction: Direction::ToOrg, ..pair(Transform::Copy) };
    assert!(found(&mapping(vec![one_way]), field("A"), number).is_empty());
}

#[test]
fn n10_a_longer_text_is_doubted_with_the_rule_that_would_cut_it() {
    let long = FieldSchema { length: Some(255), ..field("A") };
    let short = FieldSchema { length: Some(40), ..field("b") };
    says(&found(&mapping(vec![pair(Transform::Copy)]), long, short), "truncate 40");
}

#[test]
fn n10_a_restricted_picklist_names_the_values_that_it_lacks() {
    let lines = found(
        &mapping(vec![Pair { direction: Direction::ToPlatform, ..pair(Transform::Copy) }]),
        picklist("A", &["Gold", "Iron", "Tin", "Lead", "Zinc"]),
        picklist("b", &["gold"]),
    );
    says(&lines, "“Iron”, “Tin”, “Lead” and 1 more");
}

#[test]
fn f89_values_without_a_translation_and_translations_that_nobody_takes_are_told() {
    let table = Table { entries: [("Gold".to_owned(), "9".to_owned())].into(), ..Table::default() };
    let one =
        mapping(vec![Pair { direction: Direction::ToPlatform, ..pair(Transform::Table(table.clone())) }]);
    let lines = found(&one, picklist("A", &["Gold", "Iron"]), picklist("b", &["1", "2"]));
    says(&lines, "“Iron” of A has no translation");
    says(&lines, "“9” is not among them");
    let full = Table { otherwise: Some("1".into()), ..table };
    let one = mapping(vec![Pair { direction: Direction::ToPlatform, ..pair(Transform::Table(full)) }]);
    assert!(found(&one, picklist("A", &["Gold", "Iron"]), picklist("b", &["1", "9"])).is_empty());
}

#[test]
fn a_key_that_nobody_keeps_unique_is_doubted() {
    let keyed = mapping(vec![Pair { key: true, ..pair(Transform::Copy) }]);
    says(&found(&keyed, field("A"), field("b")), "nothing keeps A unique");
    let unique = FieldSchema { unique: true, ..field("b") };
    assert!(found(&keyed, field("A"), unique).is_empty());
}

#[test]
fn f157_what_one_side_requires_and_the_other_may_leave_blank_is_told() {
    let required = FieldSchema { required: true, ..field("A") };
    let mut one = mapping(vec![pair(Transform::Copy)]);
    says(&found(&one, required.clone(), field("b")), "A is required to create Thing, and b may be blank");
    one.default.push(DefaultValue { side: Side::Org, field: "a".into(), value: "unknown".into() });
    assert!(found(&one, required, field("b")).is_empty());
}

#[test]
fn a_reference_to_what_no_mapping_leads_to_is_told() {
    let leads = |target: &str| mapping(vec![pair(Transform::Reference(target.into()))]);
    says(&found(&leads("company"), field("A"), field("b")), "no mapping in use leads to “company”");
    assert!(found(&leads("thing"), field("A"), field("b")).is_empty());
}

#[test]
fn what_a_person_accepted_is_no_longer_told_of_that_pair() {
    let long = FieldSchema { length: Some(255), ..field("A") };
    let short = FieldSchema { length: Some(40), ..field("b") };
    let accepted = Pair { doubts_accepted: true, ..pair(Transform::Copy) };
    assert!(found(&mapping(vec![accepted]), long, short).is_empty());
}

#[test]
fn an_address_longer_than_a_field_for_addresses_is_no_doubt() {
    let email =
        |name: &str, length| FieldSchema { kind: FieldKind::Email, length: Some(length), ..field(name) };
    assert!(found(&mapping(vec![pair(Transform::Copy)]), email("A", 80), email("b", 254)).is_empty());
}
