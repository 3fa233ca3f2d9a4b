//! Tests of criteria as a person edits them.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::value::Value;

fn parsed(text: &str) -> Criteria {
    Criteria::parse(text).unwrap()
}

fn test_of(text: &str) -> Node {
    Node::test(&parsed(text).root)
}

#[rstest]
#[case("a = 1", &[], Junction::And, "a = 1 AND n = 9")]
#[case("a = 1", &[], Junction::Or, "a = 1 OR n = 9")]
#[case("a = 1 AND b = 2", &[0], Junction::And, "a = 1 AND n = 9 AND b = 2")]
#[case("a = 1 AND b = 2", &[1], Junction::Or, "a = 1 AND (b = 2 OR n = 9)")]
#[case("a = 1 AND (b = 2 OR c = 3)", &[1], Junction::Or, "a = 1 AND (b = 2 OR c = 3 OR n = 9)")]
#[case("a = 1 AND (b = 2 OR c = 3)", &[1], Junction::And, "a = 1 AND (b = 2 OR c = 3) AND n = 9")]
#[case("a = 1 AND (b = 2 OR c = 3)", &[1, 0], Junction::And, "a = 1 AND ((b = 2 AND n = 9) OR c = 3)")]
#[case("a = 1 OR b = 2", &[], Junction::And, "(a = 1 OR b = 2) AND n = 9")]
#[case("NOT (a = 1 OR b = 2)", &[], Junction::Or, "(NOT (a = 1 OR b = 2)) OR n = 9")]
fn a_new_condition_stands_beside_the_selected_one(
    #[case] text: &str,
    #[case] path: &[usize],
    #[case] junction: Junction,
    #[case] expected: &str,
) {
    assert_eq!(add(Some(&parsed(text)), path, junction, test_of("n = 9")).to_string(), expected);
}

#[test]
fn the_first_condition_needs_none_before_it() {
    assert_eq!(add(None, &[], Junction::And, test_of("n = 9")).to_string(), "n = 9");
}

#[rstest]
#[case("a = 1", &[], None)]
#[case("a = 1 AND b = 2", &[0], Some("b = 2"))]
#[case("a = 1 AND (b = 2 OR c = 3)", &[1, 0], Some("a = 1 AND c = 3"))]
#[case("a = 1 AND (b = 2 OR c = 3)", &[1], Some("a = 1"))]
#[case("a = 1 OR (b = 2 AND (c = 3 OR d = 4))", &[1, 0], Some("a = 1 OR c = 3 OR d = 4"))]
#[case("NOT (a = 1 OR b = 2)", &[0], Some("NOT b = 2"))]
fn what_is_taken_out_leaves_no_empty_brackets(
    #[case] text: &str,
    #[case] path: &[usize],
    #[case] expected: Option<&str>,
) {
    let left = remove(&parsed(text), path).map(|criteria| criteria.to_string());
    assert_eq!(left.as_deref(), expected);
}

#[test]
fn negation_and_the_word_between_are_switched_and_switched_back() {
    let text = "a = 1 AND (b = 2 OR c = 3)";
    assert_eq!(negate(&parsed(text), &[1]).to_string(), "a = 1 AND (NOT (b = 2 OR c = 3))");
    assert_eq!(negate(&negate(&parsed(text), &[1]), &[1]).to_string(), text);
    for (text, opposite) in [
        ("a = 1", "a != 1"),
        ("a IN (1, null)", "a NOT IN (1, null)"),
        ("a LIKE 'x%'", "NOT a LIKE 'x%'"),
        ("a < 1", "NOT a < 1"),
    ] {
        assert_eq!(negate(&parsed(text), &[]).to_string(), opposite);
        assert_eq!(negate(&parsed(opposite), &[]).to_string(), text);
    }
    assert_eq!(negate(&parsed("NOT a = 1"), &[]).to_string(), "a = 1");
    assert_eq!(switch(&parsed(text), &[0]).to_string(), "a = 1 OR b = 2 OR c = 3");
    assert_eq!(switch(&parsed("a = 1 OR b = 2"), &[]).to_string(), "a = 1 AND b = 2");
    assert_eq!(switch(&parsed("a = 1"), &[]).to_string(), "a = 1");
}

#[test]
fn a_place_that_is_not_there_changes_nothing() {
    let criteria = parsed("a = 1 AND b = 2");
    for path in [vec![7], vec![0, 0], vec![1, 2, 3]] {
        assert_eq!(negate(&criteria, &path), criteria);
        assert_eq!(replace(&criteria, &path, test_of("n = 9")), criteria);
        assert_eq!(remove(&criteria, &path), Some(criteria.clone()));
    }
}

#[test]
fn lines_tell_the_groups_and_what_joins_them() {
    let found = lines(&parsed("a = 1 AND (b = 2 OR NOT c = 3)"));
    let paths: Vec<&[usize]> = found.iter().map(|line| line.path.as_slice()).collect();
    assert_eq!(paths, [&[][..], &[0], &[1], &[1, 0], &[1, 1]]);
    let joined: Vec<Option<Junction>> = found.iter().map(|line| line.joined).collect();
    assert_eq!(joined, [None, None, Some(Junction::And), None, Some(Junction::Or)]);
    assert!(found[4].node.negated);
}

fn any_expression() -> impl Strategy<Value = Expression> {
    let leaf = (0u8..4, 0u8..2).prop_map(|(field, value)| {
        let field = ["a", "b", "c", "d"][usize::from(field)];
        parsed(&format!("{field} = {value}")).root
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expression::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expression::Any),
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #[test]
    fn the_form_that_is_edited_means_what_the_text_means(root in any_expression(), values in prop::array::uniform4(0u8..2)) {
        let criteria = Criteria { root };
        let edited = Node::of(&criteria).into_criteria();
        let values = values.map(|value| Value::Number(value.to_string().into()));
        let get = |name: &str| ["a", "b", "c", "d"].iter().position(|known| *known == name).and_then(|place| values.get(place));
        prop_assert_eq!(criteria.matches(&get), edited.matches(&get));
        prop_assert_eq!(Criteria::parse(&edited.to_string()).unwrap(), edited);
    }
}
