//! Conditions bound to the schema, and their verdict on a row.

mod conditions;

use std::collections::HashSet;

use chrono::{Datelike, Timelike};

use super::ast::Comparator;
use super::bind::{DatePart, End, Operand, Route};
use crate::sandbox::org::cell::{CellRef, Row};
use crate::sandbox::org::moment::{self, DAY_MS};
use crate::sandbox::org::schema::{Kind, Schema};
use crate::sandbox::org::state::{State, same_text};
use crate::sandbox::org::table::Reach;

pub(super) use conditions::{bind, like_pattern};

/// A condition on a row.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Test { operand: Operand, test: Test },
}

/// What a value must be.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) enum Test {
    Null,
    NotNull,
    Text(Comparator, String),
    /// Parts of a LIKE pattern, lower-cased.
    Like(Vec<Wild>),
    OneOf {
        values: HashSet<String>,
        with_null: bool,
        negated: bool,
    },
    Number(Comparator, f64),
    NumberOneOf {
        values: Vec<f64>,
        with_null: bool,
        negated: bool,
    },
    Bool(Comparator, bool),
    /// Milliseconds or days: compares with the range from the first to before the second.
    Span(Comparator, i64, i64),
    SpanOneOf {
        values: Vec<(i64, i64)>,
        with_null: bool,
        negated: bool,
    },
    Holds {
        alternatives: Vec<Vec<String>>,
        negated: bool,
    },
}

/// A piece of a LIKE pattern.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) enum Wild {
    Letter(char),
    AnyLetter,
    AnyText,
}

/// Text as it is compared: case does not count.
pub(super) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// Rows and what it takes to follow references from them.
#[derive(Clone, Copy)]
pub(in crate::sandbox::org) struct Reader<'a> {
    pub(in crate::sandbox::org) schema: &'a Schema,
    pub(in crate::sandbox::org) state: &'a State,
    pub(in crate::sandbox::org) now: i64,
}

impl<'a> Reader<'a> {
    /// The row that a reference field of `row` points at, in the bin or not.
    pub(in crate::sandbox::org) fn parent(
        &self,
        row: &'a Row,
        field: usize,
    ) -> Option<(usize, u32, &'a Row)> {
        let (object, place) = self.state.locate(self.schema, row.get(field).as_text()?)?;
        Some((object, place, self.state.row(object, place, self.now, Reach::WithDeleted)?))
    }

    /// The value at the end of a route.
    pub(in crate::sandbox::org) fn value(&self, object: usize, row: &'a Row, route: &Route) -> CellRef<'a> {
        let (mut object, mut row) = (object, row);
        for hop in &route.hops {
            match self.parent(row, *hop) {
                Some((parent, _, parent_row)) => (object, row) = (parent, parent_row),
                None => return CellRef::Null,
            }
        }
        match &route.end {
            End::Field { field, .. } => row.get(*field),
            End::Several(fields) => {
                fields.iter().find(|entry| entry.0 == object).map_or(CellRef::Null, |entry| row.get(entry.1))
            }
            End::TypeName => {
                self.schema.objects.get(object).map_or(CellRef::Null, |shape| CellRef::Text(&shape.name))
            }
        }
    }

    /// The value of an operand, with its function applied.
    pub(in crate::sandbox::org) fn operand(
        &self,
        object: usize,
        row: &'a Row,
        operand: &Operand,
    ) -> CellRef<'a> {
        let value = self.value(object, row, &operand.route);
        let Some(part) = operand.part else { return value };
        let ms = match value {
            CellRef::Moment(ms) => ms,
            CellRef::Date(days) => i64::from(days) * DAY_MS,
            CellRef::Null | CellRef::Bool(_) | CellRef::Number(_) | CellRef::Text(_) | CellRef::Time(_) => {
                return CellRef::Null;
            }
        };
        let date = moment::date_of(ms.div_euclid(DAY_MS) as i32);
        let hour = chrono::DateTime::from_timestamp_millis(ms).map_or(0, |at| at.hour());
        match part {
            DatePart::Year => CellRef::Number(f64::from(date.year())),
            DatePart::Quarter => CellRef::Number(f64::from(date.month0() / 3 + 1)),
            DatePart::Month => CellRef::Number(f64::from(date.month())),
            DatePart::DayOfMonth => CellRef::Number(f64::from(date.day())),
            DatePart::Hour => CellRef::Number(f64::from(hour)),
            DatePart::DayOnly => CellRef::Date(ms.div_euclid(DAY_MS) as i32),
        }
    }

    /// Whether a row meets a condition.
    pub(in crate::sandbox::org) fn meets(&self, object: usize, row: &'a Row, filter: &Filter) -> bool {
        match filter {
            Filter::All(parts) => parts.iter().all(|part| self.meets(object, row, part)),
            Filter::Any(parts) => parts.iter().any(|part| self.meets(object, row, part)),
            Filter::Not(inner) => !self.meets(object, row, inner),
            Filter::Test { operand, test } => holds(self.operand(object, row, operand), operand, test),
        }
    }
}

fn ordered(comparator: Comparator, order: std::cmp::Ordering) -> bool {
    match comparator {
        Comparator::Equal | Comparator::Like => order.is_eq(),
        Comparator::NotEqual => order.is_ne(),
        Comparator::Less => order.is_lt(),
        Comparator::LessOrEqual => order.is_le(),
        Comparator::Greater => order.is_gt(),
        Comparator::GreaterOrEqual => order.is_ge(),
    }
}

/// Whether a number stands to another as asked.
pub(super) fn number_fits(comparator: Comparator, value: f64, number: f64) -> bool {
    ordered(comparator, value.total_cmp(&number))
}

fn in_span(comparator: Comparator, value: i64, from: i64, to: i64) -> bool {
    match comparator {
        Comparator::Equal | Comparator::Like => from <= value && value < to,
        Comparator::NotEqual => value < from || value >= to,
        Comparator::Less => value < from,
        Comparator::LessOrEqual => value < to,
        Comparator::Greater => value >= to,
        Comparator::GreaterOrEqual => value >= from,
    }
}

fn as_span(value: CellRef<'_>) -> Option<i64> {
    match value {
        CellRef::Moment(ms) => Some(ms),
        CellRef::Date(days) => Some(i64::from(days)),
        CellRef::Null | CellRef::Bool(_) | CellRef::Number(_) | CellRef::Text(_) | CellRef::Time(_) => None,
    }
}

/// Whether a value passes a test.
pub(super) fn holds(value: CellRef<'_>, operand: &Operand, test: &Test) -> bool {
    let exact = operand.case_sensitive || matches!(operand.kind, Kind::Id | Kind::Reference);
    let absent = value.is_null();
    match test {
        Test::Null => absent,
        Test::NotNull => !absent,
        Test::Text(comparator, text) => match (value, comparator) {
            (CellRef::Text(value), Comparator::Equal) => {
                if exact {
                    value == text
                } else {
                    same_text(value, text)
                }
            }
            (CellRef::Text(value), Comparator::NotEqual) => {
                if exact {
                    value != text
                } else {
                    !same_text(value, text)
                }
            }
            (CellRef::Text(value), _) if exact => ordered(*comparator, value.cmp(text.as_str())),
            (CellRef::Text(value), _) => ordered(*comparator, folded(value).cmp(&folded(text))),
            (_, Comparator::NotEqual) => true,
            _ => false,
        },
        Test::Like(pattern) => value.as_text().is_some_and(|text| like(text, pattern)),
        Test::OneOf { values, with_null, negated } => {
            let found = match value {
                CellRef::Text(text) if exact => values.contains(text),
                CellRef::Text(text) => values.contains(&folded(text)),
                _ => *with_null && absent,
            };
            found != *negated
        }
        Test::Number(comparator, number) => match value {
            CellRef::Number(value) => ordered(*comparator, value.total_cmp(number)),
            _ => *comparator == Comparator::NotEqual,
        },
        Test::NumberOneOf { values, with_null, negated } => {
            let found = match value {
                CellRef::Number(value) => values.contains(&value),
                _ => *with_null && absent,
            };
            found != *negated
        }
        Test::Bool(comparator, flag) => ordered(*comparator, value.is_true().cmp(flag)),
        Test::Span(comparator, from, to) => match as_span(value) {
            Some(value) => in_span(*comparator, value, *from, *to),
            None => *comparator == Comparator::NotEqual,
        },
        Test::SpanOneOf { values, with_null, negated } => {
            let found = as_span(value).map_or(*with_null && absent, |value| {
                values.iter().any(|(from, to)| *from <= value && value < *to)
            });
            found != *negated
        }
        Test::Holds { alternatives, negated } => {
            let own: Vec<String> =
                value.as_text().map_or_else(Vec::new, |text| text.split(';').map(folded).collect());
            let found = alternatives.iter().any(|all| all.iter().all(|wanted| own.contains(wanted)));
            found != *negated
        }
    }
}

/// Whether a text fits a pattern: the usual two-pointer walk with one place to fall back to.
fn like(text: &str, pattern: &[Wild]) -> bool {
    let letters: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let (mut at, mut part) = (0, 0);
    let mut fall_back: Option<(usize, usize)> = None;
    while at < letters.len() {
        match pattern.get(part) {
            Some(Wild::AnyText) => {
                fall_back = Some((part + 1, at));
                part += 1;
            }
            Some(Wild::AnyLetter) => (at, part) = (at + 1, part + 1),
            Some(Wild::Letter(letter)) if letters.get(at) == Some(letter) => (at, part) = (at + 1, part + 1),
            _ => match fall_back {
                Some((after, from)) => {
                    fall_back = Some((after, from + 1));
                    (at, part) = (from + 1, after);
                }
                None => return false,
            },
        }
    }
    pattern.get(part..).is_some_and(|rest| rest.iter().all(|wild| *wild == Wild::AnyText))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_knows_wildcards_escapes_and_case() {
        for (text, asked, fits) in [
            ("Müller", "m%R", true),
            ("Müller", "M_ller", true),
            ("Müller", "_üller_", false),
            ("100%", "100\u{0}%", true),
            ("1000", "100\u{0}%", false),
            ("a\\b", "a\\b", true),
            ("a\\%", "%\\%", true),
            ("abcabc", "%bc", true),
            ("", "%", true),
        ] {
            assert_eq!(like(text, &like_pattern(asked)), fits, "{text} LIKE {asked}");
        }
    }
}
