//! The canonical form: a value folded by its type so that equal things compare equal.
//!
//! Blank text is null, surrounding blanks and line ends don't count, e-mail addresses ignore case, phone numbers are their
//! digits, numbers have their field's scale, sets have no order, moments are whole seconds in UTC.

use chrono::{DateTime, NaiveDate, Timelike, Utc};
use smol_str::{SmolStrBuilder, StrExt};

use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

/// What decides the canonical form of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// The field's kind.
    pub kind: FieldKind,
    /// Digits behind the point, for numbers.
    pub scale: Option<u8>,
}

/// Folds a value of a field into its canonical form.
pub fn canonical(form: Form, value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(flag) => Value::Bool(*flag),
        Value::Number(text) => number(text, form.scale),
        Value::Date(day) => Value::Date(*day),
        Value::Moment(moment) => match form.kind {
            FieldKind::Date => Value::Date(moment.date_naive()),
            _ => whole_seconds(*moment),
        },
        Value::Set(values) => set(values.iter().map(|text| text.trim())),
        Value::Text(text) => from_text(form, text),
    }
}

/// Whether the canonical form of a value is this one. Most values are plain texts that stand as they are; these are compared
/// without a copy.
pub fn is_canonical(form: Form, value: &Value, folded: &Value) -> bool {
    match (value, folded, form.kind) {
        (Value::Null, folded, _) => *folded == Value::Null,
        (Value::Bool(one), Value::Bool(other), _) => one == other,
        (Value::Text(one), Value::Text(other), _) => is_canonical_text(form, one, other),
        _ => canonical(form, value) == *folded,
    }
}

/// Whether the canonical form of a text is this other text.
pub fn is_canonical_text(form: Form, raw: &str, folded: &str) -> bool {
    match form.kind {
        FieldKind::Id
        | FieldKind::Text
        | FieldKind::LongText
        | FieldKind::Url
        | FieldKind::Picklist
        | FieldKind::Reference
        | FieldKind::Other
            if !raw.contains('\r') =>
        {
            raw.trim() == folded && !folded.is_empty()
        }
        FieldKind::Email if raw.is_ascii() && !folded.is_empty() => {
            let lower = raw.trim().bytes().map(|byte| byte.to_ascii_lowercase());
            lower.eq(folded.bytes())
        }
        FieldKind::Phone if raw.starts_with('+') && raw.bytes().any(|byte| byte.is_ascii_digit()) => {
            let digits = raw.bytes().filter(u8::is_ascii_digit);
            folded.strip_prefix('+').is_some_and(|folded| digits.eq(folded.bytes()))
        }
        _ => matches!(from_text(form, raw), Value::Text(text) if *text == *folded),
    }
}

fn from_text(form: Form, raw: &str) -> Value {
    let text = raw.trim();
    if text.is_empty() {
        return Value::Null;
    }
    match form.kind {
        FieldKind::Email if text.is_ascii() => Value::Text(text.to_ascii_lowercase_smolstr()),
        FieldKind::Email => Value::text(text.to_lowercase()),
        FieldKind::Phone => phone(text),
        FieldKind::Bool => match text {
            "true" | "TRUE" | "True" => Value::Bool(true),
            "false" | "FALSE" | "False" => Value::Bool(false),
            _ => Value::text(text),
        },
        FieldKind::Number => number(text, form.scale),
        FieldKind::Date => match text.get(..10).and_then(|day| day.parse::<NaiveDate>().ok()) {
            Some(day) => Value::Date(day),
            None => Value::text(text),
        },
        FieldKind::Moment => match DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        {
            Ok(moment) => whole_seconds(moment.with_timezone(&Utc)),
            Err(_) => Value::text(text),
        },
        FieldKind::Set => set(text.split(';').map(str::trim)),
        FieldKind::Id
        | FieldKind::Text
        | FieldKind::LongText
        | FieldKind::Url
        | FieldKind::Picklist
        | FieldKind::Reference
        | FieldKind::Other => {
            if text.contains('\r') {
                Value::text(text.replace("\r\n", "\n").replace('\r', "\n"))
            } else {
                Value::text(text)
            }
        }
    }
}

fn whole_seconds(moment: DateTime<Utc>) -> Value {
    Value::Moment(moment.with_nanosecond(0).unwrap_or(moment))
}

fn set<'a>(values: impl Iterator<Item = &'a str>) -> Value {
    let mut kept: Vec<Box<str>> = values.filter(|text| !text.is_empty()).map(Into::into).collect();
    kept.sort_unstable();
    kept.dedup();
    if kept.is_empty() { Value::Null } else { Value::Set(kept) }
}

/// Digits with a leading plus where there was one (or `00`); text without any digit stays as it is.
fn phone(text: &str) -> Value {
    let mut digits = text.chars().filter(char::is_ascii_digit).peekable();
    if digits.peek().is_none() {
        return Value::text(text);
    }
    let with_plus = text.trim_start_matches(['(', ' ']).starts_with('+');
    let with_zeros = !with_plus && digits.clone().take(2).eq("00".chars());
    let mut folded = SmolStrBuilder::new();
    if with_plus || with_zeros {
        folded.push('+');
    }
    digits.skip(if with_zeros { 2 } else { 0 }).for_each(|digit| folded.push(digit));
    Value::Text(folded.finish())
}

fn number(text: &str, scale: Option<u8>) -> Value {
    let text = text.trim();
    if text.is_empty() {
        return Value::Null;
    }
    match plain_decimal(text, scale) {
        Some(plain) => Value::Number(plain.into()),
        None => Value::text(text),
    }
}

/// `12.50` → `12.5`, `3.0` → `3`, `1.2e3` → `1200`, `-0` → `0`; rounded half up to the scale.
fn plain_decimal(text: &str, scale: Option<u8>) -> Option<String> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) || exponent.abs() > 400 {
        return None;
    }
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
    let mut point = i32::try_from(whole.len()).ok()? + exponent;
    while point < 0 {
        digits.insert(0, 0);
        point += 1;
    }
    let mut point = usize::try_from(point).ok()?;
    while digits.len() < point {
        digits.push(0);
    }
    if let Some(scale) = scale {
        let keep = point + usize::from(scale);
        if digits.len() > keep {
            let up = digits.get(keep).is_some_and(|digit| *digit >= 5);
            digits.truncate(keep);
            if up {
                let carried = carry(&mut digits);
                if carried {
                    digits.insert(0, 1);
                    point += 1;
                }
            }
        }
    }
    let as_text = |digits: &[u8]| digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>();
    let (whole, fraction) = digits.split_at(point.min(digits.len()));
    let whole = as_text(whole);
    let whole = whole.trim_start_matches('0');
    let fraction = as_text(fraction);
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if negative && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Adds one to the last digit; tells whether a new leading digit is needed.
fn carry(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit == 9 {
            *digit = 0;
        } else {
            *digit += 1;
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn fold(kind: FieldKind, scale: Option<u8>, value: &Value) -> Value {
        canonical(Form { kind, scale }, value)
    }

    #[rstest]
    #[case(FieldKind::Text, "  a\r\nb ", Value::text("a\nb"))]
    #[case(FieldKind::Text, "   ", Value::Null)]
    #[case(FieldKind::Email, " Ann@X.Example", Value::text("ann@x.example"))]
    #[case(FieldKind::Phone, "+49 (170) 1-2", Value::text("+4917012"))]
    #[case(FieldKind::Phone, "0049 170", Value::text("+49170"))]
    #[case(FieldKind::Phone, "ask Bob", Value::text("ask Bob"))]
    #[case(FieldKind::Number, "1.20e1", Value::Number("12".into()))]
    #[case(FieldKind::Number, "-0.00", Value::Number("0".into()))]
    #[case(FieldKind::Number, "twelve", Value::text("twelve"))]
    #[case(FieldKind::Set, "b;a; b", Value::Set(vec!["a".into(), "b".into()]))]
    #[case(FieldKind::Bool, "true", Value::Bool(true))]
    #[case(FieldKind::Date, "2026-11-22", Value::Date(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()))]
    fn text_folds_by_its_kind(#[case] kind: FieldKind, #[case] text: &str, #[case] expected: Value) {
        assert_eq!(fold(kind, None, &text.into()), expected);
        let folded = expected.as_text().unwrap_or_default();
        assert_eq!(is_canonical_text(Form { kind, scale: None }, text, folded), expected.as_text().is_some());
    }

    #[rstest]
    #[case("1.005", 2, "1.01")]
    #[case("9.999", 2, "10")]
    #[case("0.004", 2, "0")]
    #[case("12.50", 2, "12.5")]
    fn numbers_are_rounded_to_the_scale(#[case] text: &str, #[case] scale: u8, #[case] expected: &str) {
        assert_eq!(
            fold(FieldKind::Number, Some(scale), &Value::Number(text.into())),
            Value::Number(expected.into())
        );
    }

    #[test]
    fn moments_in_both_wire_forms_are_one() {
        let rest = fold(FieldKind::Moment, None, &"2026-11-22T10:00:00.123+0000".into());
        let bulk = fold(FieldKind::Moment, None, &"2026-11-22T11:00:00.999+01:00".into());
        assert_eq!(rest, bulk);
    }

    proptest! {
        #[test]
        fn comparing_with_a_folded_value_is_folding_and_comparing(
            text in "[ a-cA-C0-9\r\n+-]{0,4}", other in "[ a-cA-C0-9\r\n+-]{0,4}", kind in 0usize..8
        ) {
            let kinds = [FieldKind::Text, FieldKind::Email, FieldKind::Phone, FieldKind::Number,
                FieldKind::Set, FieldKind::Date, FieldKind::Picklist, FieldKind::Bool];
            let form = Form { kind: kinds[kind], scale: Some(2) };
            let value = Value::from(text.as_str());
            for folded in [canonical(form, &value), canonical(form, &other.as_str().into()), Value::Null, other.as_str().into()] {
                prop_assert_eq!(is_canonical(form, &value, &folded), canonical(form, &value) == folded);
                if let Value::Text(folded) = &folded {
                    prop_assert_eq!(is_canonical_text(form, &text, folded), canonical(form, &value) == Value::text(&**folded));
                }
            }
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,20}", kind in 0usize..8) {
            let kinds = [FieldKind::Text, FieldKind::Email, FieldKind::Phone, FieldKind::Number,
                FieldKind::Set, FieldKind::Date, FieldKind::Moment, FieldKind::Bool];
            let once = fold(kinds[kind], Some(2), &text.as_str().into());
            prop_assert_eq!(fold(kinds[kind], Some(2), &once), once);
        }
    }
}
