use rstest::rstest;

use super::*;
use crate::domain::by_hand::fields_of;
use crate::domain::record::RecordId;

fn settings() -> Settings {
    toml::from_str(
        r#"
        [[mapping]]
        name = "contact"
        org_object = "Contact"
        platform_object = "contact"
        [[mapping.pair]]
        org = "Status__c"
        platform = "status"
        policy = "ask"
        [[mapping.pair]]
        org = "HasOptedOutOfEmail"
        platform = "optedOut"
        transform = { consent = { org = "opt_out_flag", platform = "opt_out" } }
        "#,
    )
    .unwrap()
}

fn row(place: usize, why: &str, org: Value, platform: Value) -> ConflictRow {
    let pair = settings().mappings[0].pairs[place].identity();
    ConflictRow {
        conflict: 4,
        mapping: "contact".into(),
        fields: fields_of(&pair),
        pair,
        why: why.into(),
        label: "Ann Lee".into(),
        ids: PerSide { org: Some(RecordId::new("003")), platform: Some(RecordId::new("77")) },
        base: None,
        values: PerSide { org: vec![org], platform: vec![platform] },
        since: chrono::DateTime::UNIX_EPOCH,
        run: 1,
        note: None,
        decided: None,
        deleted: None,
    }
}

#[test]
fn a_choice_carries_what_the_person_saw() {
    let row = row(0, "ask", "Gold".into(), "Bronze".into());
    let sorted =
        sort(&settings(), std::slice::from_ref(&row), &Wish::Take(Side::Platform), Holds::Once, "ann");
    let [decision] = sorted.by_hand.decisions.as_slice() else { panic!("{sorted:?}") };
    assert_eq!(decision.choice, Choice::Platform);
    assert_eq!(decision.seen, row.values.map(Some));
    assert!(sorted.rules.is_empty() && sorted.refused.is_empty());
}

#[rstest]
#[case(Side::Org, true)]
#[case(Side::Platform, false)]
fn nobody_is_opted_in_by_hand_where_one_side_is_out(#[case] take: Side, #[case] refused: bool) {
    let row = row(1, "unknown_outcome", false.into(), true.into());
    let sorted = sort(&settings(), &[row], &Wish::Take(take), Holds::Once, "ann");
    assert_eq!(!sorted.refused.is_empty(), refused, "{sorted:?}");
}

#[rstest]
#[case("ask", Wish::Take(Side::Org), false)]
#[case("first_meeting", Wish::Take(Side::Org), true)]
#[case("unknown_outcome", Wish::Take(Side::Org), true)]
#[case("ask", Wish::Values(vec!["Silver".into()]), true)]
fn only_a_side_of_a_lasting_conflict_becomes_the_rule(
    #[case] why: &str,
    #[case] wish: Wish,
    #[case] refused: bool,
) {
    let row = row(0, why, "Gold".into(), "Bronze".into());
    let sorted = sort(&settings(), &[row], &wish, Holds::AsTheRule, "ann");
    assert_eq!(!sorted.refused.is_empty(), refused, "{sorted:?}");
    assert_eq!(sorted.rules.is_empty(), refused);
}

#[test]
fn a_pair_that_is_mapped_no_more_and_a_wrong_count_of_values_are_refused() {
    let mut gone = row(0, "ask", "Gold".into(), "Bronze".into());
    gone.pair = "Old__c|old|Copy".into();
    let sorted = sort(&settings(), &[gone], &Wish::Take(Side::Org), Holds::Once, "ann");
    assert!(sorted.refused[0].reason.contains("no such pair"));
    let two = Wish::Values(vec!["a".into(), "b".into()]);
    let sorted = sort(&settings(), &[row(0, "ask", "Gold".into(), "x".into())], &two, Holds::Once, "ann");
    assert!(sorted.refused[0].reason.contains("Status__c"));
}
