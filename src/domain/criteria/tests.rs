//! Tests of criteria: reading, writing, meaning.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeZone, Utc};
use proptest::prelude::*;
use rstest::rstest;

use super::parser::DEEPEST;
use super::*;

fn canonical_text(text: &str) -> String {
    Criteria::parse(text).unwrap().to_string()
}

fn holds(text: &str, record: &[(&str, Value)]) -> bool {
    let record: HashMap<&str, Value> = record.iter().cloned().collect();
    Criteria::parse(text).unwrap().matches(&|field| record.get(field))
}

#[rstest]
#[case("IsConverted=false", "IsConverted = false")]
#[case("a = 1 and b <> 2 or c = 3", "(a = 1 AND b != 2) OR c = 3")]
#[case("(a = 1 AND (b = 2 AND c = 3))", "a = 1 AND b = 2 AND c = 3")]
#[case("a = 1 AND NOT b = 2", "a = 1 AND (NOT b = 2)")]
#[case("NOT (a = 1 OR b = 2)", "NOT (a = 1 OR b = 2)")]
#[case("NOT NOT a = 1", "NOT (NOT a = 1)")]
#[case("Email is blank", "Email = null")]
#[case("Email IS NOT BLANK", "Email != null")]
#[case("Name not like 'x%'", "NOT Name LIKE 'x%'")]
#[case("Status not in ('A', 'B',null)", "Status NOT IN ('A', 'B', null)")]
#[case("Name = 'O\\'Brien \\\\ \\n'", "Name = 'O\\'Brien \\\\ \\n'")]
#[case("Name LIKE '100\\%\\_\\\\%'", "Name LIKE '100\\%\\_\\\\%'")]
#[case("\"Shoe size\" = 42", "\"Shoe size\" = 42")]
#[case("\"In\" = 1", "\"In\" = 1")]
#[case("details.SF_Title = 'x'", "details.SF_Title = 'x'")]
#[case("CreatedDate >= 2026-11-22T10:00:00+01:00", "CreatedDate >= 2026-11-22T10:00:00+01:00")]
#[case("Amount > -1.50", "Amount > -1.50")]
#[case("Name = '\\u0041'", "Name = 'A'")]
fn text_is_written_canonically(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(canonical_text(text), expected);
    assert_eq!(canonical_text(expected), expected);
}

#[rstest]
#[case("", 1, "a condition is missing")]
#[case("Name", 5, "expected a comparison after “Name”")]
#[case("Name = ", 8, "found the end")]
#[case("Name = Acme", 8, "'Acme'")]
#[case("Name = \"Acme\"", 8, "single quotes")]
#[case("Name = 'Acme", 8, "never closed")]
#[case("Name = 'A\\x'", 10, "is no escape")]
#[case("(a = 1", 1, "never closed")]
#[case("a = 1)", 6, "closes nothing")]
#[case("a = 1 b = 2", 7, "expected AND, OR or the end")]
#[case("a = 1 AND", 10, "found the end")]
#[case("a IN ()", 7, "expected a value")]
#[case("a IN 'x'", 6, "list in parentheses")]
#[case("a < null", 5, "only be compared by =")]
#[case("a LIKE 5", 8, "pattern in single quotes")]
#[case("a = LAST_WEEK", 5, "a week begins on another day")]
#[case("a = LAST_N_WEEKS:2", 5, "LAST_N_DAYS:7")]
#[case("a = THIS_FISCAL_YEAR", 5, "its own fiscal periods")]
#[case("a = LAST_N_DAYS", 5, "needs a number")]
#[case("a = LAST_N_DAYS:0", 5, "needs a number from 1")]
#[case("a = LAST_N_DAYS:99999", 5, "needs a number from 1")]
#[case("a IN (TODAY, null)", 7, "stands alone")]
#[case("a = LAST_N_HOURS:2", 5, "single quotes")]
#[case("a = 2026-13-01", 5, "neither a number nor a date")]
#[case("a = -", 5, "neither a number nor a date")]
#[case("a = 1 && b = 2", 7, "AND or OR")]
#[case("a..b = 1", 1, "one dot between")]
#[case("and = 1", 1, "found the word")]
#[case("Ä = ‘x’", 5, "straight single quotes")]
fn what_cannot_be_understood_is_named_with_its_place(
    #[case] text: &str,
    #[case] position: usize,
    #[case] message: &str,
) {
    let error = Criteria::parse(text).unwrap_err();
    assert_eq!(error.position, position, "{error}");
    assert!(error.message.contains(message), "{error}");
}

#[test]
fn nesting_is_limited_instead_of_exhausting_the_stack() {
    let nest = |levels: usize| format!("{}a = 1{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Criteria::parse(&nest(DEEPEST)).is_ok());
    assert!(Criteria::parse(&nest(100_000)).is_err());
    assert!(Criteria::parse(&format!("{}a = 1", "NOT ".repeat(100_000))).is_err());
    assert!(Criteria::parse(&vec!["a = 1"; 20_000].join(" AND ")).is_ok());
}

#[test]
fn fields_are_listed_once_in_order() {
    let criteria = Criteria::parse("b = 1 AND (a IN (1) OR NOT B = 2) AND Account.Name LIKE 'x'").unwrap();
    assert_eq!(criteria.fields(), ["b", "a", "Account.Name"]);
}

#[rstest]
#[case("Name = 'ACME'", true)]
#[case("Name != 'acme'", false)]
#[case("Name < 'b'", true)]
#[case("Name LIKE 'a%e'", true)]
#[case("Name LIKE 'a_e'", false)]
#[case("Name LIKE '_c__'", true)]
#[case("Name NOT LIKE 'x%'", true)]
#[case("Name IN ('x', 'Acme')", true)]
#[case("Name NOT IN ('x', 'Acme')", false)]
#[case("Amount = 10", true)]
#[case("Amount = '10.0'", true)]
#[case("Amount > 9.99", true)]
#[case("Amount > 9", true)]
#[case("Amount >= -100", true)]
#[case("Amount < 9007199254740993", true)]
#[case("Big > 9007199254740992", true)]
#[case("Blank = null", true)]
#[case("Blank = ''", true)]
#[case("Blank != 'x'", true)]
#[case("Blank NOT IN ('x')", true)]
#[case("Blank IN ('x', null)", true)]
#[case("Blank LIKE '%'", false)]
#[case("Blank < 5", false)]
#[case("NOT Blank < 5", true)]
#[case("Missing = null", true)]
#[case("Blank = false", true)]
#[case("Blank = true", false)]
#[case("Flag = true", true)]
#[case("Flag != true", false)]
#[case("Day = 2026-11-22", true)]
#[case("Day < 2026-11-22T00:00:01Z", true)]
#[case("Moment >= 2026-11-22T11:00:00+01:00", true)]
#[case("Moment > 2026-11-22", true)]
#[case("MomentText = 2026-11-22T10:00:00Z", true)]
#[case("Set = 'b;A'", true)]
#[case("Set LIKE 'a'", true)]
#[case("Set LIKE 'c%'", false)]
#[case("Id = '001000000000001'", true)]
#[case("Percent LIKE '100\\%'", true)]
#[case("Name LIKE '100\\%'", false)]
fn records_are_tested_as_soql_would(#[case] text: &str, #[case] expected: bool) {
    let moment = Utc.with_ymd_and_hms(2026, 11, 22, 10, 0, 0).unwrap();
    let record = [
        ("Name", Value::text("Acme")),
        ("Amount", Value::Number("10.00".into())),
        ("Big", Value::Number("9007199254740993".into())),
        ("Blank", Value::text("  ")),
        ("Flag", Value::Bool(true)),
        ("Day", Value::Date(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap())),
        ("Moment", Value::Moment(moment)),
        ("MomentText", Value::text("2026-11-22T10:00:00.000+0000")),
        ("Set", Value::Set(vec!["A".into(), "b".into()])),
        ("Id", Value::text("001000000000001AAA")),
        ("Percent", Value::text("100%")),
    ];
    assert_eq!(holds(text, &record), expected, "{text}");
}

#[test]
fn a_pattern_of_many_wildcards_stays_fast() {
    let text = Value::text("a".repeat(2_000));
    assert!(!holds(&format!("Name LIKE '{}b'", "%a".repeat(200)), &[("Name", text)]));
}

fn any_literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        "-?[0-9]{1,12}(\\.[0-9]{1,6})?".prop_map(Literal::Number),
        "\\PC{0,12}|[%_\\\\'\n\t]{0,6}".prop_map(Literal::Text),
        (1970i32..2100, 1u32..13, 1u32..29)
            .prop_map(|(year, month, day)| Literal::Time(format!("{year:04}-{month:02}-{day:02}"))),
    ]
}

fn any_field() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Z][a-z_]{0,8}(\\.[A-Z][a-z]{0,5})?", "[a-zA-Z0-9 .:-]{0,6}[a-z]", Just("Not".to_owned())]
}

fn any_expression() -> impl Strategy<Value = Expression> {
    let ordering = prop_oneof![
        Just(Operator::Less),
        Just(Operator::LessOrEqual),
        Just(Operator::Greater),
        Just(Operator::GreaterOrEqual)
    ];
    let equality = prop_oneof![Just(Operator::Equal), Just(Operator::NotEqual)];
    let leaf =
        prop_oneof![
            (any_field(), equality, any_literal())
                .prop_map(|(field, operator, literal)| Expression::Compare { field, operator, literal }),
            (any_field(), ordering, "[0-9]{1,5}").prop_map(|(field, operator, number)| Expression::Compare {
                field,
                operator,
                literal: Literal::Number(number)
            }),
            (any_field(), "\\PC{0,8}|[%_a\\\\']{0,6}").prop_map(|(field, pattern)| Expression::Compare {
                field,
                operator: Operator::Like,
                literal: Literal::Text(pattern)
            }),
            (any_field(), any::<bool>(), prop::collection::vec(any_literal(), 1..4))
                .prop_map(|(field, negated, literals)| Expression::OneOf { field, negated, literals }),
        ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expression::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expression::Any),
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same_text(root in any_expression()) {
        let printed = Criteria { root }.to_string();
        let parsed = Criteria::parse(&printed).map_err(|error| TestCaseError::fail(format!("{printed}: {error}")))?;
        prop_assert_eq!(parsed.to_string(), printed.clone());
        prop_assert_eq!(Criteria::parse(&printed).unwrap(), parsed);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}|[()'\"\\\\ a=NOTANDORIN,%0-9.-]{0,40}") {
        if let Ok(criteria) = Criteria::parse(&text) {
            criteria.matches(&|_| None);
            prop_assert_eq!(canonical_text(&criteria.to_string()), criteria.to_string());
        }
    }
}
