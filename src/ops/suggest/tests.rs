//! Tests of proposed pairs.

use super::*;
use crate::domain::mapping::{DeletePolicy, FirstMeeting, SideEffects};
use crate::domain::profile::profile;

fn field(name: &str, label: &str, kind: FieldKind) -> FieldSchema {
    FieldSchema {
        name: name.into(),
        label: label.into(),
        kind,
        createable: true,
        updateable: true,
        ..FieldSchema::default()
    }
}

fn lead() -> ObjectSchema {
    ObjectSchema {
        name: "Lead".into(),
        fields: vec![
            field("Id", "Lead ID", FieldKind::Id),
            field("Email", "Email", FieldKind::Email),
            field("FirstName", "First Name", FieldKind::Text),
            field("LastName", "Last Name", FieldKind::Text),
            field("MobilePhone", "Mobile", FieldKind::Phone),
            field("Company", "Company", FieldKind::Text),
            field("Birthday__c", "Day of birth", FieldKind::Date),
            field("Points__c", "Score", FieldKind::Number),
            field("HasOptedOutOfEmail", "Email Opt Out", FieldKind::Bool),
        ],
        ..ObjectSchema::default()
    }
}

fn contact() -> ObjectSchema {
    profile("salesmanago").unwrap().object("contact").unwrap().schema([])
}

fn mapping() -> Mapping {
    Mapping {
        name: "lead".into(),
        enabled: true,
        org_object: "Lead".into(),
        platform_object: "contact".into(),
        direction: Direction::Both,
        org_criteria: None,
        platform_criteria: None,
        since: None,
        create_on_platform: true,
        create_in_org: false,
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
        pairs: Vec::new(),
    }
}

fn proposed(mapping: &Mapping) -> Vec<Suggestion> {
    pairs(PlatformKind::SALESMANAGO, mapping, &lead(), &contact())
}

#[test]
fn the_key_comes_first_and_the_usual_pairs_before_those_of_equal_names() {
    let found = proposed(&mapping());
    assert!(found[0].pair.key && found[0].pair.org == ["Email"]);
    assert!(found.iter().any(|one| one.pair.transform == Transform::FullName));
    let last_usual = found.iter().rposition(|one| one.why == Why::Usual).unwrap();
    let first_other = found.iter().position(|one| one.why != Why::Usual).unwrap();
    assert!(last_usual < first_other);
}

#[test]
fn fields_of_the_same_name_or_label_are_paired_in_the_direction_that_can_be_written() {
    let found = proposed(&mapping());
    let of = |name: &str| found.iter().find(|one| one.pair.org == [name]).unwrap();
    let birthday = of("Birthday__c");
    assert_eq!(
        (birthday.why, birthday.pair.platform.as_slice()),
        (Why::SameName, &["birthday".to_owned()][..])
    );
    let score = of("Points__c");
    assert_eq!((score.why, score.pair.direction), (Why::SameLabel, Direction::ToOrg));
}

#[test]
fn what_has_a_pair_or_is_a_mark_is_not_proposed_again() {
    let mut mapping = mapping();
    mapping.pairs.push(proposed(&mapping).remove(0).pair);
    mapping.platform_mark = Some("externalId".into());
    let found = proposed(&mapping);
    assert!(found.iter().all(|one| !one.pair.key && one.pair.org != ["Email"]));
    assert!(found.iter().all(|one| one.pair.platform != ["externalId"]));
}

#[test]
fn consent_is_only_proposed_as_consent() {
    let found = proposed(&mapping());
    let opted: Vec<_> = found.iter().filter(|one| one.pair.platform == ["optedOut"]).collect();
    assert!(opted.iter().all(|one| one.pair.transform.is_consent()), "{opted:?}");
}

#[test]
fn a_one_way_mapping_gets_one_way_pairs() {
    let mapping = Mapping { direction: Direction::ToPlatform, ..mapping() };
    assert!(proposed(&mapping).iter().all(|one| one.pair.direction == Direction::ToPlatform));
}
