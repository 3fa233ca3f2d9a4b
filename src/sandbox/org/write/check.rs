//! From a JSON value to the value of a field, refused with the org's code and words where it does not fit.

use serde_json::Value;

use super::super::cell::Cell;
use super::super::ids;
use super::super::moment;
use super::super::row_error::RowError;
use super::super::schema::{Field, Kind};

/// How much a value is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox::org) enum Strictness {
    /// As the API does.
    Full,
    /// For seeding: whatever fits the column, flaws included.
    Lenient,
}

/// The value of `field` for `json`.
pub(in crate::sandbox::org) fn coerce(
    field: &Field,
    json: &Value,
    strictness: Strictness,
) -> Result<Cell, RowError> {
    if json.is_null() {
        return match field.kind {
            Kind::Boolean if strictness == Strictness::Full => Err(RowError::on(
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
                format!("{}: value not of required type: null", field.label),
                &field.name,
            )),
            Kind::Boolean => Ok(Cell::Bool(false)),
            _ => Ok(Cell::Null),
        };
    }
    match field.kind {
        Kind::Text | Kind::TextArea | Kind::Phone | Kind::Url | Kind::Combobox => {
            text(field, json, strictness)
        }
        Kind::Email => email(field, json, strictness),
        Kind::Picklist => picklist(field, json, strictness),
        Kind::MultiPicklist => multi_picklist(field, json, strictness),
        Kind::Id | Kind::Reference => reference(field, json),
        Kind::Boolean => boolean(json),
        Kind::Int => int(field, json, strictness),
        Kind::Currency | Kind::Double | Kind::Percent => number(field, json, strictness),
        Kind::Date => parsed(json, "date", |text| {
            moment::parse_date(text).or_else(|| date_of_moment(text)).map(Cell::Date)
        }),
        Kind::DateTime => parsed(json, "datetime", |text| {
            moment::parse_moment(text).map(|ms| Cell::Moment(ms.div_euclid(1_000) * 1_000))
        }),
        Kind::Time => parsed(json, "time", |text| moment::parse_time(text).map(Cell::Time)),
        Kind::Address => Err(RowError::on(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            format!(
                "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
                field.name
            ),
            &field.name,
        )),
    }
}

fn date_of_moment(text: &str) -> Option<i32> {
    moment::parse_moment(text).map(|ms| ms.div_euclid(moment::DAY_MS) as i32)
}

/// The refusal of a value whose JSON type or form does not fit the field.
fn unfit(kind: &str, json: &Value) -> RowError {
    let (token, shown) = match json {
        Value::String(text) => ("VALUE_STRING", text.clone()),
        Value::Bool(true) => ("VALUE_TRUE", "true".to_owned()),
        Value::Bool(false) => ("VALUE_FALSE", "false".to_owned()),
        Value::Number(number) if number.is_f64() => ("VALUE_NUMBER_FLOAT", number.to_string()),
        Value::Number(number) => ("VALUE_NUMBER_INT", number.to_string()),
        Value::Array(_) => ("START_ARRAY", "[".to_owned()),
        Value::Object(_) => ("START_OBJECT", "{".to_owned()),
        Value::Null => ("VALUE_NULL", "null".to_owned()),
    };
    RowError::new(
        "JSON_PARSER_ERROR",
        format!(
            "Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing a required field at [line:1, column:2]"
        ),
    )
}

fn parsed(json: &Value, kind: &str, parse: impl Fn(&str) -> Option<Cell>) -> Result<Cell, RowError> {
    match json {
        Value::String(text) if text.trim().is_empty() => Ok(Cell::Null),
        Value::String(text) => parse(text.trim()).ok_or_else(|| unfit(kind, json)),
        _ => Err(unfit(kind, json)),
    }
}

/// Text as the org keeps it: no control characters but tab and line ends, no blanks around it, nothing instead of empty.
fn cleaned<'a>(json: &'a Value) -> Result<Option<std::borrow::Cow<'a, str>>, RowError> {
    let Value::String(text) = json else { return Err(unfit("string", json)) };
    let unwanted = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r');
    let trimmed = text.trim_matches(|letter: char| letter.is_whitespace() || unwanted(letter));
    if trimmed.is_empty() {
        return Ok(None);
    }
    Ok(Some(if trimmed.chars().any(unwanted) {
        trimmed.chars().filter(|letter| !unwanted(*letter)).collect::<String>().into()
    } else {
        trimmed.into()
    }))
}

fn text(field: &Field, json: &Value, strictness: Strictness) -> Result<Cell, RowError> {
    let Some(text) = cleaned(json)? else { return Ok(Cell::Null) };
    // An emoji counts two, as it does where strings are UTF-16.
    if strictness == Strictness::Full && field.length > 0 && text.encode_utf16().count() > field.length {
        return Err(too_long(field, &text));
    }
    Ok(Cell::Text(text.into_owned()))
}

fn too_long(field: &Field, text: &str) -> RowError {
    RowError::on(
        "STRING_TOO_LONG",
        format!("{}: data value too large: {text} (max length={})", field.label, field.length),
        &field.name,
    )
}

fn email(field: &Field, json: &Value, strictness: Strictness) -> Result<Cell, RowError> {
    let cell = text(field, json, strictness)?;
    match &cell {
        Cell::Text(address) if strictness == Strictness::Full && !is_email(address) => Err(RowError::on(
            "INVALID_EMAIL_ADDRESS",
            format!("{}: invalid email address: {address}", field.label),
            &field.name,
        )),
        _ => Ok(cell),
    }
}

/// Roughly the org's rule: one `@`, a local part of mail characters, a domain with a dot and a top level of letters.
pub(in crate::sandbox::org) fn is_email(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let local_ok = !local.is_empty()
        && local.chars().count() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|letter| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter));
    let mut labels = domain.split('.');
    let label_ok = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
    };
    local_ok
        && domain.contains('.')
        && labels.all(label_ok)
        && domain.rsplit('.').next().is_some_and(|top| {
            top.chars().count() >= 2
                && top.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
                && top.chars().any(char::is_alphabetic)
        })
}

fn known_value<'a>(field: &'a Field, value: &str) -> Option<&'a str> {
    field.values.iter().find(|known| known.eq_ignore_ascii_case(value)).map(String::as_str)
}

fn bad_picklist(field: &Field, value: &str) -> RowError {
    RowError::on(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        format!("{}: bad value for restricted picklist field: {value}", field.label),
        &field.name,
    )
}

fn picklist(field: &Field, json: &Value, strictness: Strictness) -> Result<Cell, RowError> {
    let cell = text(field, json, strictness)?;
    let Some(value) = cell.as_text() else { return Ok(cell) };
    match known_value(field, value) {
        Some(known) => Ok(Cell::text(known)),
        None if field.restricted && strictness == Strictness::Full => Err(bad_picklist(field, value)),
        None => Ok(cell),
    }
}

fn multi_picklist(field: &Field, json: &Value, strictness: Strictness) -> Result<Cell, RowError> {
    let cell = text(field, json, strictness)?;
    let Some(joined) = cell.as_text() else { return Ok(cell) };
    let mut chosen: Vec<(usize, &str)> = Vec::new();
    for value in joined.split(';').map(str::trim).filter(|value| !value.is_empty()) {
        let place = field.values.iter().position(|known| known.eq_ignore_ascii_case(value));
        match place.and_then(|place| Some((place, field.values.get(place)?.as_str()))) {
            Some(known) => chosen.push(known),
            None if field.restricted && strictness == Strictness::Full => {
                return Err(bad_picklist(field, value));
            }
            None => chosen.push((usize::MAX, value)),
        }
    }
    // Values come back in the order of the definition, whatever order they were sent in.
    chosen.sort_by_key(|entry| entry.0);
    chosen.dedup();
    let values: Vec<&str> = chosen.into_iter().map(|entry| entry.1).collect();
    Ok(if values.is_empty() { Cell::Null } else { Cell::Text(values.join(";")) })
}

fn reference(field: &Field, json: &Value) -> Result<Cell, RowError> {
    let Some(text) = cleaned(json)? else { return Ok(Cell::Null) };
    ids::normalise(&text).map(Cell::Text).ok_or_else(|| wrong_id(field, &text))
}

/// The refusal of text that is no id, or the id of another kind of row.
pub(in crate::sandbox::org) fn wrong_id(field: &Field, text: &str) -> RowError {
    RowError::on("MALFORMED_ID", format!("{}: id value of incorrect type: {text}", field.label), &field.name)
}

fn boolean(json: &Value) -> Result<Cell, RowError> {
    match json {
        Value::Bool(flag) => Ok(Cell::Bool(*flag)),
        Value::String(text) if text.eq_ignore_ascii_case("true") || text == "1" => Ok(Cell::Bool(true)),
        Value::String(text) if text.eq_ignore_ascii_case("false") || text == "0" || text.is_empty() => {
            Ok(Cell::Bool(false))
        }
        _ => Err(unfit("boolean", json)),
    }
}

fn plain_number(json: &Value, kind: &str) -> Result<Option<f64>, RowError> {
    match json {
        Value::Number(number) => number.as_f64().map(Some).ok_or_else(|| unfit(kind, json)),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => {
            let parsed = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            parsed.map(Some).ok_or_else(|| unfit(kind, json))
        }
        _ => Err(unfit(kind, json)),
    }
}

fn out_of_range(field: &Field, number: f64) -> RowError {
    RowError::on(
        "NUMBER_OUTSIDE_VALID_RANGE",
        format!("{}: value outside of valid range on numeric field: {number}", field.label),
        &field.name,
    )
}

fn int(field: &Field, json: &Value, strictness: Strictness) -> Result<Cell, RowError> {
    let Some(number) = plain_number(json, "int")? else { return Ok(Cell::Null) };
    if number.fract() != 0.0 {
        return Err(unfit("int", json));
    }
    let digits = if field.digits == 0 { 9 } else { field.digits };
    if strictness == Strictness::Full && number.abs() >= 10_f64.powi(digits as i32) {
        return Err(out_of_range(field, number));
    }
    Ok(Cell::Number(number))
}

fn number(field: &Field, json: &Value, strictness: Strictness) -> Result<Cell, RowError> {
    let Some(number) = plain_number(json, "double")? else { return Ok(Cell::Null) };
    let whole_digits = field.precision.saturating_sub(field.scale);
    let bounds = match field.name.as_str() {
        name if name.ends_with("Latitude") => 90.0,
        name if name.ends_with("Longitude") => 180.0,
        _ if whole_digits == 0 => f64::MAX,
        _ => 10_f64.powi(whole_digits as i32),
    };
    let rounded = rounded(number, field.scale);
    let beyond = if bounds <= 180.0
        && !matches!(field.kind, Kind::Percent | Kind::Currency)
        && field.name.ends_with("tude")
    {
        rounded.abs() > bounds
    } else {
        rounded.abs() >= bounds
    };
    if strictness == Strictness::Full && beyond {
        return Err(out_of_range(field, number));
    }
    Ok(Cell::Number(rounded))
}

/// Rounded half away from zero to so many places; nudged first, so that 1.005 rounds as people write it.
fn rounded(number: f64, scale: u32) -> f64 {
    if number.fract() == 0.0 {
        return number;
    }
    let power = 10_f64.powi(scale as i32);
    ((number.abs() * power) * (1.0 + 4.0 * f64::EPSILON)).round().copysign(number) / power
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::org::schema;

    fn field(object: &str, name: &str) -> Field {
        let schema = schema::load(false, &[]);
        let (_, object) = schema.get(object).unwrap();
        object.fields[object.field(name).unwrap()].clone()
    }

    fn code(object: &str, name: &str, value: Value) -> String {
        coerce(&field(object, name), &value, Strictness::Full).unwrap_err().code
    }

    #[test]
    fn values_that_do_not_fit_are_refused_with_the_orgs_code() {
        for (name, value, expected) in [
            ("LastName", json!("x".repeat(81)), "STRING_TOO_LONG"),
            ("FirstName", json!("😀".repeat(21)), "STRING_TOO_LONG"),
            ("LastName", json!(5), "JSON_PARSER_ERROR"),
            ("Email", json!("no-at.example.com"), "INVALID_EMAIL_ADDRESS"),
            ("Email", json!("a@b"), "INVALID_EMAIL_ADDRESS"),
            ("MailingGeocodeAccuracy", json!("Nearby"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
            ("Birthdate", json!("21/11/2026"), "JSON_PARSER_ERROR"),
            ("AccountId", json!("nonsense"), "MALFORMED_ID"),
            ("HasOptedOutOfEmail", json!("perhaps"), "JSON_PARSER_ERROR"),
            ("HasOptedOutOfEmail", json!(null), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
            ("MailingLatitude", json!(90.5), "NUMBER_OUTSIDE_VALID_RANGE"),
        ] {
            assert_eq!(code("Contact", name, value.clone()), expected, "{name} {value}");
        }
        assert_eq!(code("Lead", "NumberOfEmployees", json!(1.5)), "JSON_PARSER_ERROR");
        assert_eq!(code("Lead", "NumberOfEmployees", json!(123_456_789)), "NUMBER_OUTSIDE_VALID_RANGE");
    }

    #[test]
    fn text_is_trimmed_and_emptiness_is_null() {
        let last_name = field("Contact", "LastName");
        let stored = |value: Value| coerce(&last_name, &value, Strictness::Full).unwrap();
        assert_eq!(stored(json!("  Müller \n")), Cell::text("Müller"));
        assert_eq!(stored(json!(" \t ")), Cell::Null);
        assert_eq!(stored(json!("a\u{0}b")), Cell::text("ab"));
        assert_eq!(stored(json!("😀".repeat(40))), Cell::text(&"😀".repeat(40)));
    }

    #[test]
    fn numbers_are_rounded_to_the_scale() {
        let amount = field("Opportunity", "Amount");
        for (sent, kept) in [(1.005, 1.01), (2.344, 2.34), (-1.235, -1.24), (7.0, 7.0)] {
            assert_eq!(
                coerce(&amount, &json!(sent), Strictness::Full).unwrap(),
                Cell::Number(kept),
                "{sent}"
            );
        }
    }
}
