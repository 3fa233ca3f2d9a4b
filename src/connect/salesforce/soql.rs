//! Writes SOQL: field lists, conditions, literals. Every literal goes through one escaping function.

use chrono::{DateTime, NaiveDate, Utc};

use super::convert::{moment_text, parse_moment};
use super::describe::{Catalog, Resolved};
use super::rows::Shape;
use crate::domain::criteria::{Criteria, Expression, Literal, Operator};
use crate::domain::record::RecordId;
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

/// The longest text area that SOQL can filter by.
const LONGEST_FILTERABLE: u32 = 255;

/// A text as a SOQL literal, in single quotes.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    text.chars().for_each(|character| escape(&mut out, character));
    out.push('\'');
    out
}

fn escape(out: &mut String, character: char) {
    match character {
        '\\' => out.push_str("\\\\"),
        '\'' => out.push_str("\\'"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // No other control character can be stored, so none can be found.
        other if other < ' ' => {}
        other => out.push(other),
    }
}

/// A `LIKE` pattern as a SOQL literal: `\%` and `\_` stay what they are, any other backslash is an ordinary character.
fn quote_pattern(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 2);
    out.push('\'');
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(&special @ ('%' | '_'))) => {
                out.push('\\');
                out.push(special);
                characters.next();
            }
            ('\\', Some('\\')) => {
                escape(&mut out, '\\');
                characters.next();
            }
            (other, _) => escape(&mut out, other),
        }
    }
    out.push('\'');
    out
}

/// `SELECT … FROM …` of a shape, with what follows.
pub(super) fn select(shape: &Shape, object: &str, rest: &str) -> String {
    let mut soql = format!("SELECT {} FROM {}", shape.columns().join(", "), safe_name(object));
    if !rest.is_empty() {
        soql.push(' ');
        soql.push_str(rest);
    }
    soql
}

/// The order of scans and feeds.
pub(super) fn order(shape: &Shape) -> &'static str {
    if shape.has_stamp() { "ORDER BY SystemModstamp, Id" } else { "ORDER BY Id" }
}

/// `Id IN (…)`.
pub(super) fn ids_in(ids: &[RecordId]) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| quote(id.as_str())).collect();
    format!("Id IN ({})", quoted.join(","))
}

/// What comes behind a row in the order of scans.
pub(super) fn behind(stamp: DateTime<Utc>, id: &str) -> String {
    let stamp = moment_text(stamp);
    format!("((SystemModstamp = {stamp} AND Id > {}) OR SystemModstamp > {stamp})", quote(id))
}

/// A name without anything that could end it; names come from describes and settings, never from records.
pub(super) fn safe_name(name: &str) -> String {
    name.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.')).collect()
}

/// A value as the literal of a field; `None` where a comparison can't be made of it.
pub(super) fn literal(kind: FieldKind, value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("null".into()),
        Value::Bool(flag) => Some(match kind {
            FieldKind::Bool => flag.to_string(),
            _ => quote(if *flag { "true" } else { "false" }),
        }),
        Value::Number(text) | Value::Text(text) => text_literal(kind, text),
        Value::Date(day) => match kind {
            FieldKind::Date => Some(day.to_string()),
            FieldKind::Moment => Some(format!("{day}T00:00:00Z")),
            _ => text_literal(kind, &day.to_string()),
        },
        Value::Moment(moment) => match kind {
            FieldKind::Moment => Some(moment_text(*moment)),
            FieldKind::Date => Some(moment.date_naive().to_string()),
            _ => None,
        },
        Value::Set(values) => (kind == FieldKind::Set).then(|| quote(&values.join(";"))),
    }
}

fn text_literal(kind: FieldKind, text: &str) -> Option<String> {
    match kind {
        FieldKind::Number => text
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(|number| number.to_string()),
        FieldKind::Bool => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some("true".into()),
            "false" => Some("false".into()),
            _ => None,
        },
        FieldKind::Date => day_of(text).map(|day| day.to_string()),
        FieldKind::Moment => moment_of(text).map(moment_text),
        FieldKind::Id | FieldKind::Reference => {
            Some(quote(super::id::full_id(text).as_ref().map_or(text, RecordId::as_str)))
        }
        FieldKind::Text
        | FieldKind::LongText
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Url
        | FieldKind::Picklist
        | FieldKind::Set => Some(quote(text)),
        FieldKind::Other => None,
    }
}

fn day_of(text: &str) -> Option<NaiveDate> {
    text.trim().parse().ok().or_else(|| parse_moment(text.trim()).map(|moment| moment.date_naive()))
}

fn moment_of(text: &str) -> Option<DateTime<Utc>> {
    parse_moment(text.trim()).or_else(|| {
        text.trim().parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0).map(|midnight| midnight.and_utc())
    })
}

/// A condition as far as SOQL can test it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Narrowed {
    /// The text; `None` where nothing of it can be tested there.
    pub(super) text: Option<String>,
    /// Whether the text means the same as the condition; else it lets more records through.
    pub(super) exact: bool,
}

impl Narrowed {
    const NOTHING: Self = Self { text: None, exact: false };

    fn exactly(text: String) -> Self {
        Self { text: Some(text), exact: true }
    }

    /// ` WHERE …`, or nothing.
    pub(super) fn clause(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

/// Translates criteria. What SOQL can't test is left out where that only lets more records through; they are tested again anyway.
pub(super) fn narrow(catalog: &Catalog, object: &str, criteria: Option<&Criteria>) -> Narrowed {
    match criteria {
        None => Narrowed { text: None, exact: true },
        Some(criteria) => expression(catalog, object, &criteria.root),
    }
}

fn expression(catalog: &Catalog, object: &str, node: &Expression) -> Narrowed {
    match node {
        Expression::All(parts) => {
            let parts: Vec<Narrowed> = parts.iter().map(|part| expression(catalog, object, part)).collect();
            let exact = parts.iter().all(|part| part.exact);
            Narrowed { text: joined(parts.into_iter().filter_map(|part| part.text), " AND "), exact }
        }
        Expression::Any(parts) => {
            let parts: Vec<Narrowed> = parts.iter().map(|part| expression(catalog, object, part)).collect();
            if parts.is_empty() || parts.iter().any(|part| part.text.is_none()) {
                return Narrowed::NOTHING;
            }
            let exact = parts.iter().all(|part| part.exact);
            Narrowed { text: joined(parts.into_iter().filter_map(|part| part.text), " OR "), exact }
        }
        Expression::Not(part) => match expression(catalog, object, part) {
            Narrowed { text: Some(text), exact: true } => Narrowed::exactly(format!("(NOT {text})")),
            Narrowed { .. } => Narrowed::NOTHING,
        },
        Expression::Compare { field, operator, literal } => {
            compare(catalog, object, field, *operator, literal).map_or(Narrowed::NOTHING, Narrowed::exactly)
        }
        Expression::OneOf { field, negated, literals } => {
            one_of(catalog, object, field, *negated, literals).map_or(Narrowed::NOTHING, Narrowed::exactly)
        }
    }
}

fn joined(parts: impl Iterator<Item = String>, with: &str) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    match parts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("({})", several.join(with))),
    }
}

fn filterable(catalog: &Catalog, object: &str, field: &str) -> Option<Resolved> {
    let found = catalog.resolve(object, field)?;
    let long =
        found.kind == FieldKind::LongText && found.length.is_none_or(|length| length > LONGEST_FILTERABLE);
    (!long && !matches!(found.kind, FieldKind::Other | FieldKind::Set)).then_some(found)
}

fn compare(
    catalog: &Catalog,
    object: &str,
    field: &str,
    operator: Operator,
    with: &Literal,
) -> Option<String> {
    let field = filterable(catalog, object, field)?;
    let sign = match operator {
        Operator::Equal => "=",
        Operator::NotEqual => "!=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Like => "LIKE",
    };
    let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
    let nothing = matches!(with, Literal::Null) || *with == Literal::Text(String::new());
    if ordered && (nothing || field.kind == FieldKind::Bool) {
        return None;
    }
    if operator == Operator::Like {
        let Literal::Text(pattern) = with else { return None };
        return (takes_patterns(field.kind) && keeps(pattern))
            .then(|| format!("{} LIKE {}", field.path, quote_pattern(pattern)));
    }
    Some(format!("{} {sign} {}", field.path, literal_of(field.kind, with)?))
}

fn takes_patterns(kind: FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Text
            | FieldKind::LongText
            | FieldKind::Email
            | FieldKind::Phone
            | FieldKind::Url
            | FieldKind::Picklist
    )
}

fn one_of(catalog: &Catalog, object: &str, field: &str, negated: bool, list: &[Literal]) -> Option<String> {
    let field = filterable(catalog, object, field)?;
    if field.kind == FieldKind::Bool || list.is_empty() {
        return None;
    }
    let literals: Option<Vec<String>> = list
        .iter()
        .map(|literal| match literal {
            // Blank text is null there, but not among several values.
            Literal::Text(text) if text.is_empty() => Some("null".into()),
            literal => literal_of(field.kind, literal),
        })
        .collect();
    let word = if negated { "NOT IN" } else { "IN" };
    Some(format!("{} {word} ({})", field.path, literals?.join(",")))
}

/// The literal of a condition, where it means there what it means in [`Criteria::matches`]; a text that looks like a number, a day or a
/// moment is compared as such here and as a text there.
fn literal_of(kind: FieldKind, with: &Literal) -> Option<String> {
    match (kind, with) {
        (_, Literal::Null) => Some("null".into()),
        (FieldKind::Bool, Literal::Bool(flag)) => Some(flag.to_string()),
        (FieldKind::Number, Literal::Number(text) | Literal::Text(text)) if is_exact(text) => {
            text_literal(kind, text)
        }
        // A moment within a day is none of the days that the org can compare with.
        (FieldKind::Date, Literal::Time(text) | Literal::Text(text)) => {
            text.trim().parse::<NaiveDate>().ok().map(|day| day.to_string())
        }
        (FieldKind::Moment, Literal::Time(text) | Literal::Text(text))
        | (FieldKind::Bool, Literal::Text(text)) => text_literal(kind, text),
        // The org refuses what is no id.
        (FieldKind::Id | FieldKind::Reference, Literal::Text(text)) if !text.is_empty() => {
            super::id::full_id(text).map(|id| quote(id.as_str()))
        }
        (
            FieldKind::Id
            | FieldKind::Reference
            | FieldKind::Text
            | FieldKind::LongText
            | FieldKind::Email
            | FieldKind::Phone
            | FieldKind::Url
            | FieldKind::Picklist,
            Literal::Text(text),
        ) => keeps(text).then(|| quote(text)),
        (
            _,
            Literal::Bool(_)
            | Literal::Number(_)
            | Literal::Time(_)
            | Literal::Text(_)
            | Literal::Relative(_),
        ) => None,
    }
}

/// Whether a text comes through [`escape`] whole.
fn keeps(text: &str) -> bool {
    !text.chars().any(|character| character < ' ' && !matches!(character, '\n' | '\r' | '\t'))
}

/// Whether a number is one that the org, which counts in floats, does not round.
fn is_exact(text: &str) -> bool {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'))
        && text.bytes().filter(u8::is_ascii_digit).count() <= 15
}

#[cfg(test)]
mod tests;
