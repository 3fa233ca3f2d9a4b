//! Decisions by hand, pair by pair.

use rstest::rstest;

use super::*;
use crate::domain::compiled::compile;
use crate::domain::mapping::Mapping;
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};

fn field(name: &str, kind: FieldKind, writable: bool) -> FieldSchema {
    FieldSchema {
        name: name.into(),
        label: name.into(),
        kind,
        createable: writable,
        updateable: writable,
        ..FieldSchema::default()
    }
}

fn schema(name: &str, fields: Vec<FieldSchema>) -> ObjectSchema {
    ObjectSchema {
        name: name.into(),
        label: name.into(),
        createable: true,
        updateable: true,
        readable: true,
        fields,
    }
}

/// A pair of the fields `Field__c` and `field`, as the settings file has it.
fn pair(kind: FieldKind, writable_in_org: bool, rest: &str) -> CompiledPair {
    let mapping: Mapping = toml::from_str(&format!(
        "name = \"m\"\norg_object = \"Contact\"\nplatform_object = \"contact\"\ncreate_on_platform = false\n\
         [[pair]]\norg = \"Id\"\nplatform = \"key\"\nkey = true\ndirection = \"to_platform\"\n\
         [[pair]]\norg = \"Field__c\"\nplatform = \"field\"\n{rest}"
    ))
    .unwrap();
    let org = vec![field("Id", FieldKind::Id, false), field("Field__c", kind, writable_in_org)];
    let platform = vec![field("key", FieldKind::Text, true), field("field", kind, true)];
    let schemas = PerSide { org: vec![schema("Contact", org)], platform: vec![schema("contact", platform)] };
    let (compiled, problems) = compile(&[mapping], &schemas);
    compiled.mappings.into_iter().next().unwrap_or_else(|| panic!("{problems:?}")).pairs.remove(1)
}

fn decision(why: &str, seen: (Value, Value), choice: Choice) -> Stored {
    Stored {
        decision: 1,
        pair: 2,
        ids: PerSide { org: Some("003".into()), platform: Some("77".into()) },
        why: why.into(),
        seen: PerSide { org: Some(vec![seen.0]), platform: Some(vec![seen.1]) },
        choice,
    }
}

fn now(pair: &CompiledPair, org: Value, platform: Value) -> PerSide<Seen> {
    let values = PerSide { org: vec![org], platform: vec![platform] };
    PerSide::from_fn(|side| Seen { raw: values[side].clone(), folded: pair.fold(side, &values[side]) })
}

fn text(side: Side, value: &str) -> Choice {
    Choice::Value { side, values: vec![value.into()] }
}

fn writes(org: Option<&str>, platform: Option<&str>, rule: Rule) -> Verdict {
    let values = |text: Option<&str>| text.map(|text| vec![Value::text(text)]);
    Verdict::Write { values: PerSide { org: values(org), platform: values(platform) }, rule }
}

#[rstest]
#[case(Choice::Org, writes(None, Some("Gold"), Rule::Decided))]
#[case(Choice::Platform, writes(Some("Bronze"), None, Rule::Decided))]
#[case(text(Side::Org, "Iron"), writes(Some("Iron"), Some("Iron"), Rule::Decided))]
#[case(text(Side::Org, "Gold"), writes(None, Some("Gold"), Rule::Decided))]
fn what_was_chosen_is_written_where_it_lacks(#[case] choice: Choice, #[case] expected: Verdict) {
    let pair = pair(FieldKind::Text, true, "");
    let decided = decision("ask", ("Gold".into(), "Bronze".into()), choice);
    let held = now(&pair, "Gold".into(), "Bronze".into());
    assert_eq!(overrule(&pair, Some(&decided), &held, Verdict::Park("ask")), expected);
}

#[test]
fn a_side_that_moved_drops_the_decision_and_the_pair_waits_whatever_the_rules_say() {
    let pair = pair(FieldKind::Text, true, "");
    let decided = decision("ask", ("Gold".into(), "Bronze".into()), Choice::Org);
    let held = now(&pair, "Gold".into(), "Iron".into());
    let flows = writes(Some("Iron"), None, Rule::PlatformChanged);
    assert_eq!(overrule(&pair, Some(&decided), &held, flows.clone()), Verdict::Park("ask"));
    assert_eq!(overrule(&pair, Some(&decided), &held, Verdict::Settled), Verdict::Settled);
    let edit = decision("", ("Gold".into(), "Bronze".into()), text(Side::Org, "x"));
    assert_eq!(
        overrule(&pair, Some(&edit), &held, flows.clone()),
        flows,
        "an edit leaves the pair to the rules"
    );
}

#[test]
fn a_side_that_already_holds_the_choice_does_not_drop_it() {
    let pair = pair(FieldKind::Text, true, "");
    let decided = decision("ask", ("Gold".into(), "Bronze".into()), text(Side::Org, "Iron"));
    let half = now(&pair, "Iron".into(), "Bronze".into());
    let expected = writes(None, Some("Iron"), Rule::Decided);
    assert_eq!(overrule(&pair, Some(&decided), &half, Verdict::Settled), expected);
    let done = now(&pair, "Iron".into(), "Iron".into());
    assert_eq!(overrule(&pair, Some(&decided), &done, Verdict::Settled), Verdict::Settled);
}

#[test]
fn in_a_pair_of_one_direction_the_origin_keeps_its_value_unless_it_is_edited() {
    let seen = || ("Gold".into(), "Bronze".into());
    let one_way = pair(FieldKind::Text, true, "direction = \"to_platform\"");
    let held = now(&one_way, "Gold".into(), "Bronze".into());
    let take = decision(UNKNOWN_OUTCOME, seen(), Choice::Platform);
    assert_eq!(overrule(&one_way, Some(&take), &held, Verdict::Park(UNKNOWN_OUTCOME)), Verdict::Settled);
    let edit = decision("", seen(), text(Side::Org, "Iron"));
    let expected = writes(Some("Iron"), Some("Iron"), Rule::Edited);
    assert_eq!(overrule(&one_way, Some(&edit), &held, Verdict::Settled), expected);
    let read_only = pair(FieldKind::Text, false, "direction = \"to_platform\"");
    let Verdict::Stuck(obstacle) = overrule(&read_only, Some(&edit), &held, Verdict::Settled) else {
        panic!("what this user can't write is refused")
    };
    assert_eq!(obstacle.code, "not_writable");
}

#[test]
fn typed_text_becomes_a_value_of_its_field() {
    let pair = pair(FieldKind::Bool, true, "");
    let decided = decision("ask", (true.into(), false.into()), text(Side::Org, "false"));
    let held = now(&pair, true.into(), false.into());
    let expected = Verdict::Write {
        values: PerSide { org: Some(vec![false.into()]), platform: None },
        rule: Rule::Decided,
    };
    assert_eq!(overrule(&pair, Some(&decided), &held, Verdict::Park("ask")), expected);
}

#[test]
fn consent_by_hand_crosses_as_out_and_never_lifts_one() {
    let consent = "transform = { consent = { org = \"opt_out\", platform = \"opt_out\" } }";
    let pair = pair(FieldKind::Bool, true, consent);
    let held = now(&pair, false.into(), true.into());
    let take = |choice| decision(UNKNOWN_OUTCOME, (false.into(), true.into()), choice);
    let out = overrule(&pair, Some(&take(Choice::Platform)), &held, Verdict::Park(UNKNOWN_OUTCOME));
    let expected = Verdict::Write {
        values: PerSide { org: Some(vec![true.into()]), platform: None },
        rule: Rule::Decided,
    };
    assert_eq!(out, expected);
    for choice in [Choice::Org, text(Side::Org, "false"), text(Side::Platform, "false")] {
        let lifted = overrule(&pair, Some(&take(choice)), &held, Verdict::Park(UNKNOWN_OUTCOME));
        assert!(
            matches!(&lifted, Verdict::Stuck(obstacle) if obstacle.code == "opt_out_stands"),
            "{lifted:?}"
        );
    }
}
