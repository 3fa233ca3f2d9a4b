//! Tests of transforms as a pair uses them: tables, and rules on both ways.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::transform::rules::{Unfit, parse_line};

fn table(lines: &[(&str, &str)]) -> Table {
    let entries = lines.iter().map(|(org, platform)| ((*org).to_owned(), (*platform).to_owned())).collect();
    Table { entries, ..Table::default() }
}

fn turn(transform: &Transform, value: &str, target: Side) -> Result<Vec<Value>, TransformError> {
    transform.apply(&[Value::text(value)], target, 1, None)
}

fn rules(to_platform: &str, to_org: &str) -> Rules {
    Rules { to_platform: parse_line(to_platform).unwrap(), to_org: parse_line(to_org).unwrap() }
}

#[test]
fn f89_a_value_is_translated_both_ways_whatever_its_case() {
    let transform = Transform::Table(table(&[("M", "MAN"), ("Ö", "öl")]));
    assert_eq!(turn(&transform, " m", Side::Platform), Ok(vec![Value::text("MAN")]));
    assert_eq!(turn(&transform, "man", Side::Org), Ok(vec![Value::text("M")]));
    assert_eq!(turn(&transform, "ö", Side::Platform), Ok(vec![Value::text("öl")]));
}

#[test]
fn n25_a_value_that_is_not_listed_is_told_unless_there_is_a_fallback_for_its_way() {
    let mut known = table(&[("005A", "ann@acme.example")]);
    let bare = Transform::Table(known.clone());
    assert_eq!(turn(&bare, "005B", Side::Platform), Err(TransformError::Unmapped("005B".into())));
    known.otherwise = Some("queue@acme.example".into());
    known.otherwise_org = Some("00G1".into());
    let full = Transform::Table(known);
    assert_eq!(turn(&full, "005B", Side::Platform), Ok(vec![Value::text("queue@acme.example")]));
    assert_eq!(turn(&full, "bob@acme.example", Side::Org), Ok(vec![Value::text("00G1")]));
}

#[test]
fn a_multi_select_is_translated_value_by_value() {
    let transform = Transform::Table(table(&[("a", "1"), ("b", "2")]));
    let both = Value::Set(vec!["b".into(), "a".into()]);
    let turned = transform.apply(&[both], Side::Platform, 1, None).unwrap();
    assert_eq!(turned, [Value::Set(vec!["1".into(), "2".into()])]);
}

#[test]
fn a_table_without_a_fallback_for_the_way_back_keeps_the_identity_that_bases_are_known_by() {
    let shown = format!("{:?}", table(&[("a", "1")]));
    assert_eq!(shown, "Table { entries: {\"a\": \"1\"}, otherwise: None }");
}

#[test]
fn rules_that_lose_nothing_are_taken_back_and_others_need_a_list_of_their_own() {
    let whole = Transform::Rules(rules("date dd.MM.yyyy | prefix D", ""));
    let day = Value::Date("2026-11-22".parse().unwrap());
    let out = whole.apply(std::slice::from_ref(&day), Side::Platform, 1, None).unwrap();
    assert_eq!(out, [Value::text("D22.11.2026")]);
    assert_eq!(whole.apply(&out, Side::Org, 1, None), Ok(vec![day]));

    let lossy = rules("trim | truncate 3", "");
    assert!(matches!(lossy.on_way(Side::Org), Err(Unfit::Loses(_))));
    let error = turn(&Transform::Rules(lossy), "abc", Side::Org).unwrap_err();
    assert_eq!(error.code(), "no_way_back");
    let both = Transform::Rules(rules("upper", "lower"));
    assert_eq!(turn(&both, "ABC", Side::Org), Ok(vec![Value::text("abc")]));
}

#[rstest]
#[case("join \", \"", 3, 1, true)]
#[case("join \", \"", 1, 2, false)]
#[case("split \" \"", 1, 3, true)]
#[case("split \" \"", 2, 3, false)]
#[case("template \"{2} {1}\"", 2, 1, true)]
#[case("template \"{3}\"", 2, 1, false)]
#[case("trim | upper", 2, 2, true)]
#[case("trim", 2, 1, false)]
fn rules_say_how_many_fields_they_can_connect(
    #[case] line: &str,
    #[case] from: usize,
    #[case] to: usize,
    #[case] fits: bool,
) {
    assert_eq!(rules(line, "").fits(Side::Platform, from, to).is_ok(), fits);
}

#[test]
fn a_blank_part_keeps_its_place_in_a_joined_text() {
    let address = Transform::Rules(rules("join \", \"", ""));
    let parts = [Value::Null, Value::text("8000"), Value::text("Zürich"), Value::Null];
    let out = address.apply(&parts, Side::Platform, 1, None).unwrap();
    assert_eq!(out, [Value::text(", 8000, Zürich")]);
    assert_eq!(address.apply(&out, Side::Org, 4, None), Ok(parts.to_vec()));
}

fn word() -> impl Strategy<Value = String> {
    "[A-Za-zÄöß0-9][A-Za-zÄöß0-9 .-]{0,10}[a-z0-9]"
}

proptest! {
    /// There and back is the same value, for every rule that says so of itself.
    #[test]
    fn what_says_that_it_can_be_taken_back_can(
        day in (0i32..=3000, 1u32..=12, 1u32..=28),
        second in 0u32..86_400,
        flag in any::<bool>(),
        words in prop::collection::vec(word(), 1..5),
        number in (any::<i32>(), 0u32..1000),
        minutes in -840i32..=840,
    ) {
        let date = chrono::NaiveDate::from_ymd_opt(day.0, day.1, day.2).unwrap();
        let moment = date.and_time(chrono::NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap()).and_utc();
        let plain = crate::domain::canonical::canonical(
            crate::domain::canonical::Form { kind: crate::domain::schema::FieldKind::Number, scale: None },
            &Value::Number(format!("{}.{:03}", number.0, number.1).into()),
        );
        let mut list: Vec<Box<str>> = words.iter().map(|word| word.trim().into()).collect();
        list.sort_unstable();
        list.dedup();
        let zone = format!("zone {}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60);
        let texts: Vec<Value> = words.iter().map(|word| Value::text(word.as_str())).collect();
        for (line, values) in [
            ("date yyyy-MM-dd", vec![Value::Date(date)]),
            ("date dd/MM/yyyy", vec![Value::Date(date)]),
            ("date \"yyyyMMdd HH:mm:ss\"", vec![Value::Moment(moment)]),
            (zone.as_str(), vec![Value::Moment(moment)]),
            ("words Aktiv Passiv", vec![Value::Bool(flag)]),
            ("words no yes", vec![Value::Bool(flag)]),
            ("comma", vec![plain]),
            ("join_list ,", vec![Value::Set(list)]),
            ("prefix SF-", vec![texts[0].clone()]),
            ("prefix \"a b\" | prefix c", vec![texts[0].clone()]),
            ("join \" | \"", texts.clone()),
        ] {
            let transform = Transform::Rules(rules(line, ""));
            let there = transform.apply(&values, Side::Platform, 1, None).unwrap();
            let back = transform.apply(&there, Side::Org, values.len(), None);
            prop_assert_eq!(back, Ok(values), "{}", line);
        }
    }

    /// Doing it twice is doing it once, so that an echo of our own value never changes again.
    #[test]
    fn what_normalises_is_done_after_one_time(text in "\\PC{0,20}", phone in "[+()0-9 /-]{1,14}") {
        for (line, value) in [
            ("trim", &text), ("lower", &text), ("email", &text), ("phone +49", &phone), ("truncate 5", &text),
            ("trim | lower | truncate 4", &text),
        ] {
            let transform = Transform::Rules(rules(line, ""));
            let once = transform.apply(&[Value::text(value.as_str())], Side::Platform, 1, None).unwrap();
            let twice = transform.apply(&once, Side::Platform, 1, None).unwrap();
            prop_assert_eq!(once, twice, "{} of {:?}", line, value);
        }
    }

    /// No text makes a rule panic, and none makes the parser.
    #[test]
    fn nothing_panics(line in "\\PC{0,30}", value in "\\PC{0,30}") {
        if let Ok(list) = parse_line(&line) {
            let shown = rules::line(&list);
            prop_assert_eq!(parse_line(&shown), Ok(list));
        }
        for line in ["number", "comma", "bool", "words a b", "date dd.MM.yyyy", "read_date dd.MM.yyyy", "zone +02:00", "day -05:30", "title", "split ,", "template \"{1}{\""] {
            let _ = rules(line, "").apply(&[Value::text(value.as_str())], Side::Platform, 2);
        }
    }
}
