//! What each rule does to values.

use chrono::{DateTime, Utc};

use crate::domain::transform::TransformError;
use crate::domain::transform::rule::Rule;
use crate::domain::value::Value;

/// What people write for yes, in small letters.
const YES: [&str; 16] =
    ["true", "yes", "y", "1", "on", "x", "ja", "j", "oui", "si", "sí", "sim", "tak", "da", "t", "evet"];
/// What people write for no, in small letters.
const NO: [&str; 14] =
    ["false", "no", "n", "0", "off", "nein", "nee", "non", "não", "nie", "net", "f", "hayır", "-"];

impl Rule {
    /// Turns the values of a pair; `width` is how many fields the target has.
    pub fn turn(&self, values: Vec<Value>, width: usize) -> Result<Vec<Value>, TransformError> {
        match self {
            Self::Join(between) => Ok(vec![joined(&values, between)]),
            Self::Split(between) => Ok(split(values.first().unwrap_or(&Value::Null), between, width)),
            Self::Template(form) => Ok(vec![filled(form, &values)]),
            _ => values.into_iter().map(|value| self.one(value)).collect(),
        }
    }

    /// Turns one value. What is blank stays blank, but for the rule that says what stands for it.
    fn one(&self, value: Value) -> Result<Value, TransformError> {
        if value.is_blank() {
            return Ok(match self {
                Self::Default(text) => Value::text(text.as_str()),
                _ => Value::Null,
            });
        }
        let unfit =
            |value: &Value| TransformError::Unfit { rule: self.to_string(), value: value.to_string() };
        let text = |value: Value, turn: &dyn Fn(&str) -> String| match value {
            Value::Set(parts) => Value::Set(parts.iter().map(|part| turn(part).into()).collect()),
            other => text_or_null(turn(&other.to_string())),
        };
        Ok(match self {
            Self::Trim => text(value, &|text| text.split_whitespace().collect::<Vec<_>>().join(" ")),
            Self::Lower => text(value, &str::to_lowercase),
            Self::Upper => text(value, &str::to_uppercase),
            Self::Title => text(value, &title),
            Self::Email => text(value, &email),
            Self::Phone(country) => text(value, &|text| phone(text, country)),
            Self::Number(digits) => match number(&value.to_string(), *digits) {
                Some(plain) => Value::Number(plain.into()),
                None => return Err(unfit(&value)),
            },
            Self::Comma => match number(&value.to_string(), None) {
                Some(plain) => Value::text(plain.replace('.', ",")),
                None => return Err(unfit(&value)),
            },
            Self::Date(pattern) => match pattern.write(&value) {
                Some(written) => Value::text(written),
                None => return Err(unfit(&value)),
            },
            Self::ReadDate(pattern) => match value {
                Value::Date(_) | Value::Moment(_) => value,
                other => match pattern.read(&other.to_string()) {
                    Some(read) => read,
                    None => return Err(unfit(&other)),
                },
            },
            Self::Zone(zone) => match moment(&value) {
                Some(moment) => zone.write(moment),
                None => return Err(unfit(&value)),
            },
            Self::Day(zone) => match (&value, moment(&value)) {
                (Value::Date(_), _) => value,
                (_, Some(moment)) => Value::Date(zone.day(moment)),
                (_, None) => return Err(unfit(&value)),
            },
            Self::Bool => match yes(&value) {
                Some(flag) => Value::Bool(flag),
                None => return Err(unfit(&value)),
            },
            Self::ReadWords(..) => match self.said(&value) {
                Some(flag) => Value::Bool(flag),
                None => return Err(unfit(&value)),
            },
            Self::Words(yes_word, no_word) => match self.said(&value) {
                Some(true) => Value::text(yes_word.as_str()),
                Some(false) => text_or_null(no_word.clone()),
                None => return Err(unfit(&value)),
            },
            Self::JoinList(between) => Value::text(match value {
                Value::Set(parts) => parts.join(between),
                other => parts(&other.to_string(), ";").join(between),
            }),
            Self::SplitList(between) => match value {
                Value::Set(_) => value,
                other => {
                    let mut parts: Vec<Box<str>> =
                        parts(&other.to_string(), between).into_iter().map(Into::into).collect();
                    parts.sort_unstable();
                    parts.dedup();
                    if parts.is_empty() { Value::Null } else { Value::Set(parts) }
                }
            },
            Self::Truncate(most) => match value {
                Value::Text(text) => {
                    text_or_null(text.chars().take(*most).collect::<String>().trim_end().to_owned())
                }
                other => other,
            },
            Self::Blank(blank) if value.to_string().trim().eq_ignore_ascii_case(blank.trim()) => Value::Null,
            Self::Prefix(before) => Value::text(format!("{before}{value}")),
            Self::Unprefix(before) => {
                let whole = value.to_string();
                text_or_null(whole.strip_prefix(before.as_str()).unwrap_or(&whole).to_owned())
            }
            Self::Replace(old, new) => text(value, &|text| text.replace(old.as_str(), new)),
            // The last three take all values at once.
            Self::Blank(_) | Self::Default(_) | Self::Join(_) | Self::Split(_) | Self::Template(_) => value,
        })
    }

    /// Whether a value is yes or no by the words of the rule, else by the usual ones.
    fn said(&self, value: &Value) -> Option<bool> {
        let (Self::Words(yes_word, no_word) | Self::ReadWords(yes_word, no_word)) = self else {
            return yes(value);
        };
        let text = value.to_string();
        match text.trim() {
            text if text.eq_ignore_ascii_case(yes_word) => Some(true),
            text if text.eq_ignore_ascii_case(no_word) => Some(false),
            _ => yes(value),
        }
    }
}

fn text_or_null(text: String) -> Value {
    if text.trim().is_empty() { Value::Null } else { Value::text(text) }
}

/// Every word with a capital letter, also behind a hyphen or an apostrophe.
fn title(text: &str) -> String {
    let mut begins = true;
    let mut titled = String::with_capacity(text.len());
    for letter in text.chars() {
        if begins {
            titled.extend(letter.to_uppercase());
        } else {
            titled.extend(letter.to_lowercase());
        }
        begins = !letter.is_alphanumeric();
    }
    titled
}

fn email(text: &str) -> String {
    let text: String =
        text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_lowercase();
    let mut rest = text.as_str();
    loop {
        let bare = rest.trim_matches(['<', '>']);
        let bare = bare.strip_prefix("mailto:").unwrap_or(bare);
        if bare.len() == rest.len() {
            return bare.to_owned();
        }
        rest = bare;
    }
}

/// Digits with their country code; a number that can't be told apart from an extension is left as it is.
fn phone(text: &str, country: &str) -> String {
    let trimmed = text.trim();
    let begins_abroad = trimmed.trim_start_matches(['(', ' ']).starts_with('+');
    // "+49 (0)170" has the zero of the trunk in it, which nobody dials from abroad.
    let without_trunk = if begins_abroad { trimmed.replace("(0)", "") } else { trimmed.to_owned() };
    let digits: String = without_trunk.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() || trimmed.chars().any(char::is_alphabetic) {
        return trimmed.to_owned();
    }
    if begins_abroad {
        return format!("+{digits}");
    }
    match (digits.strip_prefix("00"), digits.strip_prefix('0')) {
        (Some(rest), _) => format!("+{rest}"),
        (None, Some(rest)) if !country.is_empty() => format!("{country}{rest}"),
        (None, _) => digits,
    }
}

/// `1.234,56`, `1,234.56`, `1 234,56`, `12.50 €`: a plain number. What could be two numbers is none: `1,234` alone counts as
/// thousands only with a decimal point behind it, and as a decimal comma otherwise.
fn number(text: &str, round: Option<u8>) -> Option<String> {
    let kept: String = text
        .trim()
        .trim_matches(|letter: char| matches!(letter, '€' | '$' | '£' | '%') || letter.is_whitespace())
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '\'' | '’' | '_'))
        .collect();
    let (negative, unsigned) = match kept.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest),
        None => (false, kept.strip_prefix('+').unwrap_or(&kept)),
    };
    let (whole, fraction) = match (unsigned.rfind('.'), unsigned.rfind(',')) {
        (Some(point), Some(comma)) => cut(unsigned, point.max(comma))?,
        (None, Some(comma)) if unsigned.matches(',').count() == 1 => cut(unsigned, comma)?,
        (Some(point), None) if unsigned.matches('.').count() == 1 => cut(unsigned, point)?,
        _ => (unsigned, ""),
    };
    let groups: Vec<&str> = whole.split(['.', ',']).collect();
    let grouped = groups.len() > 1;
    if grouped
        && (groups.iter().skip(1).any(|group| group.len() != 3)
            || groups.first().is_none_or(|group| group.is_empty() || group.len() > 3))
    {
        return None;
    }
    let whole: String = groups.concat();
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(&whole) || !all_digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    Some(plain(negative, &whole, fraction, round))
}

fn cut(text: &str, place: usize) -> Option<(&str, &str)> {
    Some((text.get(..place)?, text.get(place + 1..)?))
}

fn plain(negative: bool, whole: &str, fraction: &str, round: Option<u8>) -> String {
    let mut digits: Vec<u8> =
        whole.bytes().chain(fraction.bytes()).map(|byte| byte.wrapping_sub(b'0')).collect();
    let mut point = whole.len();
    if let Some(round) = round {
        let keep = point + usize::from(round);
        if keep < digits.len() {
            let up = digits.get(keep).is_some_and(|digit| *digit >= 5);
            digits.truncate(keep);
            let mut carry = up;
            for digit in digits.iter_mut().rev() {
                if !carry {
                    break;
                }
                carry = *digit == 9;
                *digit = if carry { 0 } else { *digit + 1 };
            }
            if carry {
                digits.insert(0, 1);
                point += 1;
            }
        }
    }
    let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    let (whole, fraction) = text.split_at_checked(point).unwrap_or((&text, ""));
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if negative && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn moment(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Moment(moment) => Some(*moment),
        Value::Date(day) => Some(day.and_hms_opt(0, 0, 0)?.and_utc()),
        Value::Text(text) => {
            let text = text.trim();
            DateTime::parse_from_rfc3339(text)
                .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
                .ok()
                .map(|moment| moment.with_timezone(&Utc))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Set(_) => None,
    }
}

fn yes(value: &Value) -> Option<bool> {
    if let Value::Bool(flag) = value {
        return Some(*flag);
    }
    let text = value.to_string().trim().to_lowercase();
    if YES.contains(&text.as_str()) { Some(true) } else { NO.contains(&text.as_str()).then_some(false) }
}

fn parts(text: &str, between: &str) -> Vec<String> {
    // Blanks around a separator mean nothing, so that "a, b" is cut by a comma alone as well.
    let cut = if between.trim().is_empty() { between } else { between.trim() };
    text.split(cut).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Every part keeps its place, so that it can be found again; only blank ones at the end are left out.
fn joined(values: &[Value], between: &str) -> Value {
    let parts: Vec<String> = values.iter().map(|value| value.to_string().trim().to_owned()).collect();
    let filled = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
    text_or_null(parts.get(..filled).unwrap_or_default().join(between))
}

fn split(value: &Value, between: &str, width: usize) -> Vec<Value> {
    let whole = value.to_string();
    let mut cut: Vec<Value> =
        whole.splitn(width.max(1), between).map(|part| text_or_null(part.to_owned())).collect();
    cut.resize(width, Value::Null);
    cut
}

/// Fills `{1}`, `{2}` …; what is left of a blank part is one blank between its neighbours.
fn filled(form: &str, values: &[Value]) -> Value {
    if values.iter().all(Value::is_blank) {
        return Value::Null;
    }
    let mut text = String::with_capacity(form.len());
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let part = after.split_once('}').and_then(|(number, rest)| {
            let place: usize = number.parse().ok()?;
            Some((values.get(place.checked_sub(1)?)?, rest))
        });
        if let Some((value, behind)) = part {
            text.push_str(value.to_string().trim());
            rest = behind;
        } else {
            text.push('{');
            rest = after;
        }
    }
    text.push_str(rest);
    text_or_null(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
