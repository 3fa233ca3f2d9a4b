//! Values on their way in and out: Salesforce's JSON on one side, [`Value`] on the other, the field's kind between them.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::composite::put_string;
use super::id;
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

/// The kind of a describe's `type`.
pub(super) fn kind_of(describe_type: &str) -> FieldKind {
    match describe_type {
        "id" => FieldKind::Id,
        "textarea" => FieldKind::LongText,
        "email" => FieldKind::Email,
        "phone" => FieldKind::Phone,
        "url" => FieldKind::Url,
        "boolean" => FieldKind::Bool,
        "currency" | "int" | "double" | "percent" | "long" => FieldKind::Number,
        "date" => FieldKind::Date,
        "datetime" => FieldKind::Moment,
        "picklist" => FieldKind::Picklist,
        "multipicklist" => FieldKind::Set,
        "reference" => FieldKind::Reference,
        "base64" | "address" | "location" | "complexvalue" | "datacategorygroupreference" => FieldKind::Other,
        // string, combobox, encryptedstring, time, anyType and what may come.
        _ => FieldKind::Text,
    }
}

/// A JSON string of a field.
pub(super) fn from_text(kind: FieldKind, text: &str) -> Value {
    match kind {
        FieldKind::Id | FieldKind::Reference => Value::text(id::from_api(text).as_str()),
        FieldKind::Date => text.parse::<NaiveDate>().map_or_else(|_odd| Value::text(text), Value::Date),
        FieldKind::Moment => parse_moment(text).map_or_else(|| Value::text(text), Value::Moment),
        FieldKind::Set => {
            Value::Set(text.split(';').filter(|part| !part.is_empty()).map(Into::into).collect())
        }
        FieldKind::Number => {
            number_text(text).map_or_else(|| Value::text(text), |number| Value::Number(number.into()))
        }
        FieldKind::Bool => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            odd => Value::text(odd),
        },
        FieldKind::Text
        | FieldKind::LongText
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Url
        | FieldKind::Picklist
        | FieldKind::Other => Value::text(text),
    }
}

/// A JSON number, as its shortest decimal text: `3.0` is 3.
pub(super) fn from_float(number: f64) -> Value {
    let text = if number == 0.0 { "0".to_owned() } else { number.to_string() };
    Value::Number(text.into())
}

/// Reads a decimal number and writes it in its shortest form; `None` for anything else.
fn number_text(text: &str) -> Option<String> {
    let text = text.trim();
    let number: f64 = text.parse().ok()?;
    if !number.is_finite() {
        return None;
    }
    let (sign, digits) =
        text.strip_prefix('-').map_or(("", text.strip_prefix('+').unwrap_or(text)), |rest| ("-", rest));
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Some(number.to_string());
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.trim_end_matches('0');
    let sign = if whole == "0" && fraction.is_empty() { "" } else { sign };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Reads `2013-05-20T20:49:32.000+0000` (REST), and what ends with `Z` or `+01:00` too.
pub(super) fn parse_moment(text: &str) -> Option<DateTime<Utc>> {
    fixed_form(text).or_else(|| {
        ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M:%S%.f%#z"]
            .iter()
            .find_map(|form| DateTime::parse_from_str(text, form).ok())
            .or_else(|| DateTime::parse_from_rfc3339(text).ok())
            .map(|moment| moment.with_timezone(&Utc))
    })
}

/// The forms that every row has (`+0000` in JSON, `Z` in CSV), read without the general parser: it is on the path of each record.
fn fixed_form(text: &str) -> Option<DateTime<Utc>> {
    let bytes: &[u8; 23] = text.as_bytes().get(..23)?.try_into().ok()?;
    if !matches!(text.as_bytes().get(23..), Some(b"+0000" | b"Z")) || bytes.get(19) != Some(&b'.') {
        return None;
    }
    if bytes.get(10) != Some(&b'T') {
        return None;
    }
    let digits = |from: usize, count: usize| -> Option<u32> {
        bytes
            .get(from..from + count)?
            .iter()
            .try_fold(0_u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    };
    let day = NaiveDate::from_ymd_opt(digits(0, 4)?.try_into().ok()?, digits(5, 2)?, digits(8, 2)?)?;
    let time = NaiveTime::from_hms_milli_opt(digits(11, 2)?, digits(14, 2)?, digits(17, 2)?, digits(20, 3)?)?;
    Some(day.and_time(time).and_utc())
}

/// A moment as SOQL and JSON take it.
pub(super) fn moment_text(moment: DateTime<Utc>) -> String {
    if moment.timestamp_subsec_millis() == 0 {
        moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    } else {
        moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }
}

/// Appends a value as JSON for a field of that kind: a blank tick box is false, text loses its control characters.
pub(super) fn put_json(out: &mut Vec<u8>, value: &Value, kind: FieldKind) {
    match value {
        Value::Null if kind == FieldKind::Bool => out.extend_from_slice(b"false"),
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) if takes_text(kind) => put_string(out, if *flag { "true" } else { "false" }),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Number(text) if takes_text(kind) => put_string(out, text),
        Value::Number(text) | Value::Text(text) if kind == FieldKind::Number => match number_text(text) {
            Some(number) => out.extend_from_slice(number.as_bytes()),
            None if text.trim().is_empty() => out.extend_from_slice(b"null"),
            None => put_string(out, &clean(text)),
        },
        Value::Text(text) if kind == FieldKind::Bool => match text.trim() {
            "" => out.extend_from_slice(b"false"),
            yes if yes.eq_ignore_ascii_case("true") => out.extend_from_slice(b"true"),
            no if no.eq_ignore_ascii_case("false") => out.extend_from_slice(b"false"),
            odd => put_string(out, &clean(odd)),
        },
        Value::Text(text) if text.is_empty() => out.extend_from_slice(b"null"),
        Value::Text(text) => put_string(out, &clean(text)),
        Value::Number(text) => put_string(out, text),
        Value::Date(day) if kind == FieldKind::Moment => put_string(out, &format!("{day}T00:00:00Z")),
        Value::Date(day) => put_string(out, &day.to_string()),
        Value::Moment(moment) if kind == FieldKind::Date => put_string(out, &moment.date_naive().to_string()),
        Value::Moment(moment) => put_string(out, &moment_text(*moment)),
        Value::Set(values) if values.is_empty() => out.extend_from_slice(b"null"),
        Value::Set(values) => put_string(out, &clean(&values.join(";"))),
    }
}

/// How a value stands in a column of a bulk upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// `#N/A`: the field is emptied.
    Blank,
    /// A text; never empty, because an empty column leaves the field alone.
    Text(std::borrow::Cow<'a, str>),
}

/// A value as a bulk upload takes it for a field of that kind; it means what [`put_json`] would mean.
pub(super) fn cell(value: &Value, kind: FieldKind) -> Cell<'_> {
    let text = |text: std::borrow::Cow<'_, str>| match text {
        empty if empty.is_empty() => Cell::Blank,
        std::borrow::Cow::Borrowed(text) => Cell::Text(text.to_owned().into()),
        std::borrow::Cow::Owned(text) => Cell::Text(text.into()),
    };
    match value {
        Value::Null if kind == FieldKind::Bool => Cell::Text("false".into()),
        Value::Null => Cell::Blank,
        Value::Bool(flag) => Cell::Text(if *flag { "true".into() } else { "false".into() }),
        Value::Number(number) if takes_text(kind) => Cell::Text((&**number).into()),
        Value::Number(number) | Value::Text(number) if kind == FieldKind::Number => match number_text(number)
        {
            Some(number) => Cell::Text(number.into()),
            None if number.trim().is_empty() => Cell::Blank,
            None => text(clean(number)),
        },
        Value::Text(words) if kind == FieldKind::Bool => match words.trim() {
            "" => Cell::Text("false".into()),
            yes if yes.eq_ignore_ascii_case("true") => Cell::Text("true".into()),
            no if no.eq_ignore_ascii_case("false") => Cell::Text("false".into()),
            odd => text(clean(odd)),
        },
        Value::Text(words) => match clean(words) {
            empty if empty.is_empty() => Cell::Blank,
            words => Cell::Text(words),
        },
        Value::Number(number) => Cell::Text((&**number).into()),
        Value::Date(day) if kind == FieldKind::Moment => Cell::Text(format!("{day}T00:00:00Z").into()),
        Value::Date(day) => Cell::Text(day.to_string().into()),
        Value::Moment(moment) if kind == FieldKind::Date => {
            Cell::Text(moment.date_naive().to_string().into())
        }
        Value::Moment(moment) => Cell::Text(moment_text(*moment).into()),
        Value::Set(values) if values.is_empty() => Cell::Blank,
        Value::Set(values) => text(clean(&values.join(";"))),
    }
}

fn takes_text(kind: FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Text
            | FieldKind::LongText
            | FieldKind::Email
            | FieldKind::Phone
            | FieldKind::Url
            | FieldKind::Picklist
            | FieldKind::Set
    )
}

/// A text without the control characters that Salesforce refuses or mangles; line ends and tabs stay.
fn clean(text: &str) -> std::borrow::Cow<'_, str> {
    let bad = |character: char| character < ' ' && !matches!(character, '\n' | '\r' | '\t');
    if text.contains(bad) { text.replace(bad, "").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn written(value: &Value, kind: FieldKind) -> String {
        let mut out = Vec::new();
        put_json(&mut out, value, kind);
        String::from_utf8(out).unwrap()
    }

    #[rstest]
    #[case(Value::Null, FieldKind::Bool, "false")]
    #[case(Value::Null, FieldKind::Text, "null")]
    #[case(Value::text("a\u{1}b\n\"c\""), FieldKind::Text, r#""ab\n\"c\"""#)]
    #[case(Value::Number("012.50".into()), FieldKind::Number, "12.5")]
    #[case(Value::Number("7".into()), FieldKind::Text, r#""7""#)]
    #[case(Value::text("1e3"), FieldKind::Number, "1000")]
    #[case(Value::text("many"), FieldKind::Number, r#""many""#)]
    #[case(Value::Bool(true), FieldKind::Text, r#""true""#)]
    #[case(Value::text("TRUE"), FieldKind::Bool, "true")]
    #[case(Value::Set(vec!["a".into(), "b".into()]), FieldKind::Set, r#""a;b""#)]
    #[case(Value::Set(Vec::new()), FieldKind::Set, "null")]
    #[case(Value::text(""), FieldKind::Text, "null")]
    fn a_value_is_written_as_its_field_takes_it(
        #[case] value: Value,
        #[case] kind: FieldKind,
        #[case] json: &str,
    ) {
        assert_eq!(written(&value, kind), json);
    }

    #[rstest]
    #[case("2013-05-20T20:49:32.000+0000")]
    #[case("2013-05-20T20:49:32.000Z")]
    #[case("2013-05-20T20:49:32Z")]
    #[case("2013-05-20T22:49:32+02:00")]
    #[case("2013-05-20T22:49:32.000+0200")]
    fn every_form_of_a_moment_is_read(#[case] text: &str) {
        assert_eq!(parse_moment(text).map(|moment| moment.timestamp()), Some(1_369_082_972));
    }

    #[test]
    fn numbers_have_one_text() {
        assert_eq!(from_float(3.0), Value::Number("3".into()));
        assert_eq!(from_float(-0.0), Value::Number("0".into()));
        assert_eq!(from_text(FieldKind::Number, "-0.00"), Value::Number("0".into()));
        assert_eq!(
            from_text(FieldKind::Number, "123456789012345678.10"),
            Value::Number("123456789012345678.1".into())
        );
    }

    #[test]
    fn impossible_moments_and_dates_stay_text() {
        assert_eq!(
            from_text(FieldKind::Moment, "2013-99-20T20:49:32.000+0000"),
            Value::text("2013-99-20T20:49:32.000+0000")
        );
        assert_eq!(from_text(FieldKind::Date, "soon"), Value::text("soon"));
    }
}
