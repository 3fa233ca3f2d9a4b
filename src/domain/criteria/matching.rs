//! Tests a record against criteria with the meaning of SOQL.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use smol_str::SmolStr;

use super::{Expression, Literal, Operator};
use crate::domain::canonical::{Form, canonical};
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

pub(super) fn matches<'a>(expression: &Expression, get: &dyn Fn(&str) -> Option<&'a Value>) -> bool {
    match expression {
        Expression::All(parts) => parts.iter().all(|part| matches(part, get)),
        Expression::Any(parts) => parts.iter().any(|part| matches(part, get)),
        Expression::Not(inner) => !matches(inner, get),
        Expression::Compare { field, operator, literal } => {
            compare(get(field).unwrap_or(&Value::Null), *operator, literal)
        }
        Expression::OneOf { field, negated, literals } => {
            let value = get(field).unwrap_or(&Value::Null);
            literals.iter().any(|literal| compare(value, Operator::Equal, literal)) != *negated
        }
    }
}

fn compare(value: &Value, operator: Operator, literal: &Literal) -> bool {
    if operator == Operator::Like {
        return match literal {
            Literal::Text(pattern) => like(value, pattern),
            Literal::Null
            | Literal::Bool(_)
            | Literal::Number(_)
            | Literal::Time(_)
            | Literal::Relative(_) => false,
        };
    }
    let compared = compare_by_kind(value, literal);
    match operator {
        Operator::Equal => compared == Compared::Equal,
        Operator::NotEqual => compared != Compared::Equal,
        Operator::Less => compared == Compared::Less,
        Operator::LessOrEqual => matches!(compared, Compared::Less | Compared::Equal),
        Operator::Greater => compared == Compared::Greater,
        Operator::GreaterOrEqual => matches!(compared, Compared::Greater | Compared::Equal),
        Operator::Like => false,
    }
}

/// How a value stands to a literal. Null, and things of different kinds, are unequal but neither less nor greater.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compared {
    Less,
    Equal,
    Greater,
    Unequal,
}

impl From<Ordering> for Compared {
    fn from(ordering: Ordering) -> Self {
        match ordering {
            Ordering::Less => Self::Less,
            Ordering::Equal => Self::Equal,
            Ordering::Greater => Self::Greater,
        }
    }
}

fn equal_if(condition: bool) -> Compared {
    if condition { Compared::Equal } else { Compared::Unequal }
}

fn compare_by_kind(value: &Value, literal: &Literal) -> Compared {
    match literal {
        Literal::Null => equal_if(value.is_blank()),
        Literal::Relative(_) => Compared::Unequal,
        // A tick box of a missing parent counts as not ticked.
        Literal::Bool(flag) if value.is_blank() => equal_if(!flag),
        Literal::Text(text) if text.is_empty() => equal_if(value.is_blank()),
        Literal::Bool(_) | Literal::Number(_) | Literal::Text(_) | Literal::Time(_) if value.is_blank() => {
            Compared::Unequal
        }
        Literal::Bool(flag) => match value {
            Value::Bool(found) => equal_if(found == flag),
            other => {
                equal_if(other.to_string().trim().eq_ignore_ascii_case(if *flag { "true" } else { "false" }))
            }
        },
        Literal::Number(number) => match (decimal(&value.to_string()), decimal(number)) {
            (Some(found), Some(wanted)) => compare_decimals(&found, &wanted).into(),
            _ => Compared::Unequal,
        },
        Literal::Time(wanted) => compare_times(value, wanted),
        Literal::Text(wanted) => compare_texts(value, wanted),
    }
}

fn compare_times(value: &Value, wanted: &str) -> Compared {
    let found = match value {
        Value::Date(day) => Some(Instant::Day(*day)),
        Value::Moment(moment) => Some(Instant::Moment(*moment)),
        Value::Text(text) => instant(text.trim()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Set(_) => None,
    };
    match (found, instant(wanted)) {
        (Some(Instant::Day(found)), Some(Instant::Day(wanted))) => found.cmp(&wanted).into(),
        (Some(found), Some(wanted)) => found.moment().cmp(&wanted.moment()).into(),
        _ => Compared::Unequal,
    }
}

fn compare_texts(value: &Value, wanted: &str) -> Compared {
    match value {
        Value::Number(found) => match (decimal(found), decimal(wanted)) {
            (Some(found), Some(wanted)) => compare_decimals(&found, &wanted).into(),
            _ => Compared::Unequal,
        },
        Value::Date(_) | Value::Moment(_) => compare_times(value, wanted),
        Value::Set(_) => {
            let form = Form { kind: FieldKind::Set, scale: None };
            let folded = |values: &Value| canonical(form, &Value::text(values.to_string().to_lowercase()));
            equal_if(folded(value) == folded(&Value::text(wanted)))
        }
        Value::Null | Value::Bool(_) | Value::Text(_) => {
            let found = value.to_string();
            if same_id(&found, wanted) {
                Compared::Equal
            } else {
                found.to_lowercase().cmp(&wanted.to_lowercase()).into()
            }
        }
    }
}

/// Whether both are the same id of the org, one of them in its short form, which heeds case.
fn same_id(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short.len() == 15
        && long.len() == 18
        && long.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && long.starts_with(short)
}

/// A day or a moment.
#[derive(Clone, Copy)]
pub(super) enum Instant {
    Day(NaiveDate),
    Moment(DateTime<Utc>),
}

impl Instant {
    /// A day counts from its beginning in UTC.
    fn moment(self) -> DateTime<Utc> {
        match self {
            Self::Day(day) => day.and_time(NaiveTime::MIN).and_utc(),
            Self::Moment(moment) => moment,
        }
    }
}

/// Reads a date or a moment in any of the forms that the services use.
pub(super) fn instant(text: &str) -> Option<Instant> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return (text.len() == 10).then_some(Instant::Day(day));
    }
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()
        .map(|moment| Instant::Moment(moment.with_timezone(&Utc)))
}

/// The canonical decimal text, if it is one.
fn decimal(text: &str) -> Option<SmolStr> {
    match canonical(Form { kind: FieldKind::Number, scale: None }, &Value::Number(text.into())) {
        Value::Number(number) => Some(number),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::Date(_) | Value::Moment(_) | Value::Set(_) => {
            None
        }
    }
}

/// Compares canonical decimals of any length without rounding.
fn compare_decimals(one: &str, other: &str) -> Ordering {
    let split = |text: &str| {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        (negative, whole.to_owned(), fraction.to_owned())
    };
    let (one_negative, one_whole, one_fraction) = split(one);
    let (other_negative, other_whole, other_fraction) = split(other);
    let size = one_whole
        .len()
        .cmp(&other_whole.len())
        .then_with(|| one_whole.cmp(&other_whole))
        .then_with(|| one_fraction.cmp(&other_fraction));
    match (one_negative, other_negative) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
    }
}

/// One step of a pattern.
enum Step {
    Anything,
    AnyOne,
    Exactly(char),
}

fn like(value: &Value, pattern: &str) -> bool {
    if value.is_blank() {
        return false;
    }
    let steps = steps(pattern);
    match value {
        // A set is like a pattern when one of its values is.
        Value::Set(values) => values.iter().any(|text| fits(text, &steps)),
        other => fits(&other.to_string(), &steps),
    }
}

fn steps(pattern: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '%' => steps.push(Step::Anything),
            '_' => steps.push(Step::AnyOne),
            other => {
                let exact = if other == '\\' {
                    characters.next_if(|next| matches!(next, '\\' | '%' | '_')).unwrap_or('\\')
                } else {
                    other
                };
                steps.extend(exact.to_lowercase().map(Step::Exactly));
            }
        }
    }
    steps
}

/// Walks along both, going back to the last `%` where the walk fails.
fn fits(text: &str, steps: &[Step]) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut step) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(character) = text.get(at) {
        match steps.get(step) {
            Some(Step::Anything) => {
                retry = Some((at, step));
                step += 1;
                continue;
            }
            Some(Step::AnyOne) => {
                at += 1;
                step += 1;
                continue;
            }
            Some(Step::Exactly(wanted)) if wanted == character => {
                at += 1;
                step += 1;
                continue;
            }
            Some(Step::Exactly(_)) | None => {}
        }
        let Some((from, anything)) = retry else { return false };
        at = from + 1;
        step = anything + 1;
        retry = Some((from + 1, anything));
    }
    steps.iter().skip(step).all(|rest| matches!(rest, Step::Anything))
}
