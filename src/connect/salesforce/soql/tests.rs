use rstest::rstest;

use super::super::rows::tests::catalog;
use super::*;

fn compared(field: &str, operator: Operator, literal: Literal) -> Expression {
    Expression::Compare { field: field.into(), operator, literal }
}

fn text(text: &str) -> Literal {
    Literal::Text(text.into())
}

fn narrowed(root: Expression) -> Narrowed {
    narrow(&catalog(), "Contact", Some(&Criteria { root }))
}

#[rstest]
#[case("O'Hara", r"'O\'Hara'")]
#[case(r"a\", r"'a\\'")]
#[case("x' OR Name LIKE '%", r"'x\' OR Name LIKE \'%'")]
#[case("line\r\nend\u{0}\u{7}", r"'line\r\nend'")]
#[case("ünï", "'ünï'")]
fn nothing_escapes_from_a_literal(#[case] value: &str, #[case] soql: &str) {
    assert_eq!(quote(value), soql);
}

#[rstest]
#[case(FieldKind::Number, Value::text("12.50"), Some("12.5"))]
#[case(FieldKind::Number, Value::text("1 OR 1=1"), None)]
#[case(FieldKind::Text, Value::Number("007".into()), Some("'007'"))]
#[case(FieldKind::Bool, Value::Bool(true), Some("true"))]
#[case(FieldKind::Text, Value::Bool(true), Some("'true'"))]
#[case(FieldKind::Date, Value::text("2026-11-22T10:00:00Z"), Some("2026-11-22"))]
#[case(FieldKind::Moment, Value::text("2026-11-22"), Some("2026-11-22T00:00:00Z"))]
#[case(FieldKind::Moment, Value::text("soon"), None)]
#[case(FieldKind::Reference, Value::text("003RO0000035WQg"), Some("'003RO0000035WQgYAM'"))]
#[case(FieldKind::Email, Value::Null, Some("null"))]
fn a_literal_has_the_form_of_its_field(
    #[case] kind: FieldKind,
    #[case] value: Value,
    #[case] soql: Option<&str>,
) {
    assert_eq!(literal(kind, &value).as_deref(), soql);
}

#[test]
fn criteria_become_a_condition() {
    let root = Expression::All(vec![
        compared("email", Operator::NotEqual, Literal::Null),
        Expression::Any(vec![
            compared("LastName", Operator::Like, text("Mc%")),
            Expression::OneOf {
                field: "Account.Name".into(),
                negated: true,
                literals: vec![text("A"), text("B'")],
            },
        ]),
        Expression::Not(Box::new(compared("HasOptedOutOfEmail", Operator::Equal, Literal::Bool(true)))),
        compared("Birthdate", Operator::GreaterOrEqual, Literal::Time("1980-01-01".into())),
    ]);
    let expected = r"(Email != null AND (LastName LIKE 'Mc%' OR Account.Name NOT IN ('A','B\'')) AND (NOT HasOptedOutOfEmail = true) AND Birthdate >= 1980-01-01)";
    assert_eq!(narrowed(root), Narrowed::exactly(expected.into()));
}

#[test]
fn what_soql_can_t_test_is_left_out_only_where_that_lets_more_through() {
    let long = || compared("Description", Operator::Like, text("%x%"));
    let short = || compared("LastName", Operator::Equal, text("A"));
    let all = narrowed(Expression::All(vec![long(), short()]));
    assert_eq!(all, Narrowed { text: Some("LastName = 'A'".into()), exact: false });
    assert_eq!(narrowed(Expression::Any(vec![long(), short()])), Narrowed::NOTHING);
    assert_eq!(
        narrowed(Expression::Not(Box::new(Expression::All(vec![long(), short()])))),
        Narrowed::NOTHING
    );
}

#[test]
fn reading_on_takes_the_same_second_and_what_is_later() {
    let stamp = DateTime::from_timestamp(1_795_341_601, 0).unwrap();
    assert_eq!(
        behind(stamp, "003RO0000035WQgYAM"),
        "((SystemModstamp = 2026-11-22T10:00:01Z AND Id > '003RO0000035WQgYAM') OR SystemModstamp > 2026-11-22T10:00:01Z)"
    );
}
