//! What each rule makes of a value, and how rules are written.

use rstest::rstest;

use super::*;
use crate::domain::value::Value;

fn one(line: &str, value: Value) -> Result<Value, String> {
    let rule: Rule = line.parse().map_err(|error: RuleError| error.to_string())?;
    let turned = rule.turn(vec![value], 1).map_err(|error| error.to_string())?;
    Ok(turned.into_iter().next().unwrap())
}

#[rstest]
#[case("trim", "  a  b\t", "a b")]
#[case("lower", "ÄB", "äb")]
#[case("upper", "straße", "STRASSE")]
#[case("title", "anna-maria o'neil", "Anna-Maria O'Neil")]
#[case("email", " Mailto:Ann@ACME.example ", "ann@acme.example")]
#[case("email", "<ann@acme.example>", "ann@acme.example")]
#[case("phone", "+49 (0)170 / 12-34", "+491701234")]
#[case("phone +49", "0170 1234", "+491701234")]
#[case("phone +49", "0049 170 1234", "+491701234")]
#[case("phone", "0170 1234", "01701234")]
#[case("phone +49", "see office", "see office")]
#[case("phone +1", "555-0100 ext 3", "555-0100 ext 3")]
#[case("number", "1.234,56 €", "1234.56")]
#[case("number", "1,234.56", "1234.56")]
#[case("number", "12,5", "12.5")]
#[case("number", "1'234'567.80", "1234567.8")]
#[case("number", "-0,00", "0")]
#[case("number 2", "1.999", "2")]
#[case("number 0", "99.5", "100")]
#[case("number 1", "-0.04", "0")]
#[case("comma", "1234.5", "1234,5")]
#[case("date dd.MM.yyyy", "2026-11-22", "22.11.2026")]
#[case("date yyyyMMdd", "2026-11-22T23:59:00Z", "20261122")]
#[case("read_date d", "", "")]
#[case("read_date dd.MM.yyyy", "2.3.2026", "2026-03-02")]
#[case("read_date \"yyyy-MM-dd HH:mm:ss\"", "2026-11-22 13:05:09", "2026-11-22T13:05:09Z")]
#[case("zone +02:00", "2026-11-22T23:30:00Z", "2026-11-23T01:30:00+02:00")]
#[case("day +02:00", "2026-11-22T23:30:00Z", "2026-11-23")]
#[case("bool", "Ja", "true")]
#[case("bool", "off", "false")]
#[case("words Y N", "true", "Y")]
#[case("words Y N", "nein", "N")]
#[case("split_list ,", "b, a,,a", "a;b")]
#[case("join_list \", \"", "a;b", "a, b")]
#[case("truncate 3", "Ünïcode", "Ünï")]
#[case("default unknown", "", "unknown")]
#[case("default unknown", "known", "known")]
#[case("blank \"n/a\"", "N/A", "")]
#[case("prefix SF-", "1", "SF-1")]
#[case("unprefix SF-", "SF-1", "1")]
#[case("unprefix SF-", "1", "1")]
#[case("replace - \"\"", "a-b-c", "abc")]
fn a_rule_turns(#[case] line: &str, #[case] value: &str, #[case] expected: &str) {
    if line == "read_date d" {
        assert!(line.parse::<Rule>().is_err());
        return;
    }
    assert_eq!(one(line, Value::text(value)).map(|value| value.to_string()), Ok(expected.to_owned()));
}

#[rstest]
#[case("number", "1,2,3")]
#[case("number", "12a")]
#[case("number", "1,23,456")]
#[case("bool", "perhaps")]
#[case("date dd.MM.yyyy", "soon")]
#[case("read_date dd.MM.yyyy", "31.02.2026")]
#[case("read_date dd.MM.yyyy", "22.11.26")]
#[case("zone +02:00", "yesterday")]
fn a_value_that_a_rule_can_not_read_is_named(#[case] line: &str, #[case] value: &str) {
    let error = one(line, Value::text(value)).unwrap_err();
    assert!(error.contains(value) && error.contains(line), "{error}");
}

#[rstest]
#[case("trimm", "did you mean “trim”?")]
#[case("", "there is no rule “”")]
#[case("truncate", "truncate 40")]
#[case("truncate x", "truncate 40")]
#[case("date DD", "date dd.MM.yyyy")]
#[case("words Y y", "two different")]
#[case("phone 49", "phone +49")]
#[case("template \"no part\"", "{1}")]
#[case("prefix \"open", "quote")]
#[case("zone Berlin", "zone Europe/Amsterdam")]
fn a_rule_that_can_not_be_understood_says_how_it_is_written(#[case] line: &str, #[case] says: &str) {
    let error = line.parse::<Rule>().unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn every_name_is_a_rule_and_is_written_as_it_is_read() {
    let lines = [
        "trim",
        "lower",
        "upper",
        "title",
        "email",
        "phone +49",
        "number 2",
        "comma",
        "date dd.MM.yyyy",
        "read_date \"dd.MM.yyyy HH:mm:ss\"",
        "zone -05:30",
        "day +00:00",
        "bool",
        "words Y N",
        "read_words Y N",
        "join_list ,",
        "split_list \" | \"",
        "join \", \"",
        "split \"\\\"\"",
        "template \"{1} {2}\"",
        "truncate 40",
        "default \"not known\"",
        "blank x",
        "prefix SF-",
        "unprefix SF-",
        "replace a \"\"",
    ];
    assert_eq!(lines.len(), NAMES.len());
    for (line, name) in lines.iter().zip(NAMES) {
        let rule: Rule = line.parse().unwrap();
        assert_eq!(rule.to_string(), *line);
        assert!(line.starts_with(name));
        // A rule either loses something or can be taken back, never both and never neither.
        assert_ne!(rule.back().is_some(), rule.loses().is_some(), "{line}");
    }
}
