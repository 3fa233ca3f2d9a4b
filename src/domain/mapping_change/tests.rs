//! Tests of changes told in meanings.

use std::collections::BTreeMap;

use chrono::DateTime;

use super::*;
use crate::domain::mapping::{DeletePolicy, Direction, Drift, FirstMeeting, Policy};
use crate::domain::transform::Table;

fn pair(org: &str, platform: &str) -> Pair {
    Pair {
        org: vec![org.into()],
        platform: vec![platform.into()],
        direction: Direction::Both,
        key: false,
        policy: Policy::default(),
        transform: Transform::Copy,
        drift: Drift::Leave,
        doubts_accepted: false,
    }
}

fn mapping(name: &str) -> Mapping {
    Mapping {
        name: name.into(),
        enabled: true,
        org_object: "Contact".into(),
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
        pairs: vec![Pair { key: true, ..pair("Email", "email") }, pair("Phone", "phone"), pair("Fax", "fax")],
    }
}

fn told(change: impl FnOnce(&mut Mapping)) -> Vec<String> {
    let before = mapping("contact");
    let mut after = before.clone();
    change(&mut after);
    changes(&[before], &[after]).iter().map(ToString::to_string).collect()
}

#[test]
fn a_policy_is_told_by_what_it_means() {
    assert_eq!(
        told(|mapping| mapping.pairs[0].policy = Policy::NewestWins),
        ["contact, Email ⇄ email: Salesforce wins → newest wins"]
    );
}

#[test]
fn nothing_changed_is_nothing_told() {
    assert!(told(|_| ()).is_empty());
}

#[test]
fn a_pair_whose_other_field_is_chosen_anew_is_the_same_pair() {
    assert_eq!(
        told(|mapping| mapping.pairs[1].platform = vec!["fax2".into()]),
        ["contact, Phone ⇄ phone: the platform field phone → fax2"]
    );
}

#[test]
fn pairs_that_come_go_and_move_are_told() {
    let lines = told(|mapping| {
        mapping.pairs.remove(1);
        mapping.pairs.swap(0, 1);
        mapping.pairs.push(pair("Title", "title"));
    });
    assert_eq!(
        lines,
        [
            "contact, Title ⇄ title: added",
            "contact, Phone ⇄ phone: removed; both sides keep their values",
            "contact: the pairs stand in another order"
        ]
    );
}

#[test]
fn translations_are_told_line_by_line() {
    let table = |lines: &[(&str, &str)]| {
        let entries: BTreeMap<String, String> =
            lines.iter().map(|(org, platform)| ((*org).to_owned(), (*platform).to_owned())).collect();
        Transform::Table(Table { entries, ..Table::default() })
    };
    let mut before = mapping("contact");
    before.pairs[1].transform = table(&[("Gold", "1"), ("Iron", "9")]);
    let mut after = before.clone();
    after.pairs[1].transform = table(&[("Gold", "2"), ("Silver", "3")]);
    let lines: Vec<String> = changes(&[before], &[after]).into_iter().map(|change| change.message).collect();
    assert_eq!(
        lines,
        ["“Gold” means “1” → “2”", "“Silver” means “3”, new", "“Iron” has no translation any more"]
    );
}

#[test]
fn mappings_that_come_go_move_and_are_renamed_are_told() {
    let (one, two) = (mapping("one"), mapping("two"));
    let renamed = Mapping { name: "uno".into(), ..one.clone() };
    let lines = |before: &[Mapping], after: &[Mapping]| -> Vec<String> {
        changes(before, after).iter().map(ToString::to_string).collect()
    };
    assert_eq!(lines(std::slice::from_ref(&one), &[renamed]), ["uno: name one → uno"]);
    assert_eq!(
        lines(&[one.clone(), two.clone()], &[two.clone(), one.clone()]),
        ["order: one, two → two, one"]
    );
    assert_eq!(
        lines(std::slice::from_ref(&one), &[one.clone(), two.clone()]),
        ["two: added: Contact ⇄ contact, 3 pairs, key Email"]
    );
    assert_eq!(
        lines(&[one.clone(), two], &[one]),
        ["two: removed; no record is changed, its links are kept"]
    );
}

#[test]
fn every_setting_of_a_mapping_is_told_when_it_changes() {
    type Edit = fn(&mut Mapping);
    let edits: [Edit; 15] = [
        |mapping| mapping.enabled = false,
        |mapping| mapping.direction = Direction::ToOrg,
        |mapping| mapping.org_criteria = Some("IsDeleted = false".into()),
        |mapping| mapping.platform_criteria = Some("state = 'x'".into()),
        |mapping| mapping.since = Some(DateTime::UNIX_EPOCH),
        |mapping| mapping.create_on_platform = false,
        |mapping| mapping.create_in_org = true,
        |mapping| mapping.org_mark = Some("Id__c".into()),
        |mapping| mapping.skip_create_when_blank = vec!["Company".into()],
        |mapping| mapping.first_meeting = FirstMeeting::Ask,
        |mapping| mapping.deletes = DeletePolicy::Propagate,
        |mapping| mapping.sync_flag = Some("Sync__c".into()),
        |mapping| mapping.ignore_own_changes = true,
        |mapping| mapping.side_effects.fire_events = true,
        |mapping| mapping.initial_side_effects.assignment_rules = true,
    ];
    for edit in edits {
        assert_eq!(told(edit).len(), 1);
    }
}
