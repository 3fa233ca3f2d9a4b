//! Tests of the ways to test a field.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::criteria::Criteria;
use crate::domain::value::Value;

fn text_of(way: Way, kind: FieldKind, value: &str) -> String {
    Criteria { root: way.test("F", kind, &[value.to_owned()]).unwrap() }.to_string()
}

#[rstest]
#[case("' OR Name != '", "F = '\\' OR Name != \\''")]
#[case("100%", "F = '100%'")]
#[case("a\\b", "F = 'a\\\\b'")]
#[case("👩‍🚀", "F = '👩‍🚀'")]
fn a_value_is_data_whatever_it_holds(#[case] value: &str, #[case] expected: &str) {
    assert_eq!(text_of(Way::Is, FieldKind::Text, value), expected);
    let read = Criteria::parse(expected).unwrap();
    assert_eq!(Way::of(&read.root, None), Some((Way::Is, vec![value.to_owned()])));
}

#[rstest]
#[case(Way::Contains, "100%", "F LIKE '%100\\%%'")]
#[case(Way::Begins, "a_b", "F LIKE 'a\\_b%'")]
#[case(Way::Ends, "\\", "F LIKE '%\\\\'")]
#[case(Way::Pattern, "A%b_", "F LIKE 'A%b_'")]
fn texts_to_look_for_become_patterns_and_come_back(
    #[case] way: Way,
    #[case] value: &str,
    #[case] expected: &str,
) {
    assert_eq!(text_of(way, FieldKind::Text, value), expected);
    let read = Criteria::parse(expected).unwrap();
    assert_eq!(Way::of(&read.root, Some(FieldKind::Text)), Some((way, vec![value.to_owned()])));
}

#[rstest]
#[case(FieldKind::Number, "12,5", "no number")]
#[case(FieldKind::Number, "", "no number")]
#[case(FieldKind::Date, "22.11.2026", "no date")]
#[case(FieldKind::Moment, "2026-13-01", "no date")]
#[case(FieldKind::Text, "", "is blank")]
fn a_value_that_is_none_of_its_kind_is_refused_in_a_sentence(
    #[case] kind: FieldKind,
    #[case] value: &str,
    #[case] said: &str,
) {
    let refused = Way::Is.test("F", kind, &[value.to_owned()]).unwrap_err();
    assert!(refused.contains(said), "{refused}");
}

#[test]
fn every_kind_offers_a_way() {
    for way in Way::ALL {
        let offered =
            [FieldKind::Bool, FieldKind::Number, FieldKind::Date, FieldKind::Text, FieldKind::Picklist];
        assert!(offered.iter().any(|kind| Way::for_kind(*kind).contains(&way)), "{way:?}");
    }
}

/// A sign that stands for anything in a pattern stands for itself in what a person typed.
#[rstest]
#[case("0%", "something else: 0x7f")]
#[case("a_b", "axb")]
fn a_typed_sign_stands_for_itself(#[case] typed: &str, #[case] other: &str) {
    let other = Value::text(other);
    for way in [Way::Contains, Way::Begins, Way::Ends] {
        let test = way.test("F", FieldKind::Text, &[typed.to_owned()]).unwrap();
        assert!(!Criteria { root: test }.matches(&|_| Some(&other)), "{way:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_found_by_what_was_made_of_it(text in "[^\\s\\p{C}][^\\p{C}]{0,10}|[%_\\\\'\"]{1,6}") {
        for way in [Way::Is, Way::Contains, Way::Begins, Way::Ends, Way::OneOf] {
            let test = way.test("F", FieldKind::Text, std::slice::from_ref(&text)).unwrap();
            let criteria = Criteria { root: test };
            let read = Criteria::parse(&criteria.to_string()).unwrap();
            let value = Value::text(text.as_str());
            prop_assert!(read.matches(&|_| Some(&value)), "{criteria}");
            let other = Value::text("something else: 0x7f");
            prop_assert!(!read.matches(&|_| Some(&other)) || "something else: 0x7f".contains(&text.to_lowercase()), "{criteria}");
            prop_assert_eq!(Way::of(&read.root, Some(FieldKind::Text)), Some((way, vec![text.clone()])));
        }
    }
}
