//! From conditions as written to tests of values, refused where field, operator and literal do not go together.

use std::collections::HashSet;

use super::{Filter, Test, Wild, folded};
use crate::sandbox::org::ids;
use crate::sandbox::org::moment::DAY_MS;
use crate::sandbox::org::schema::Kind;
use crate::sandbox::org::soql::QueryError;
use crate::sandbox::org::soql::ast::{Comparator, Condition, Expression, Literal, Membership, Placed, Query};
use crate::sandbox::org::soql::bind::{self, Operand, World, position};
use crate::sandbox::org::soql::lexer::ESCAPED;
use crate::sandbox::org::soql::{dates, execute};
use crate::sandbox::org::table::Reach;

/// Binds a condition of a query on `object`, whose names may stand in front of its fields.
pub(in crate::sandbox::org::soql) fn bind(
    world: &World<'_>,
    object: usize,
    names: [Option<&str>; 2],
    condition: &Condition,
) -> Result<Filter, QueryError> {
    let all = |parts: &[Condition]| {
        parts.iter().map(|part| bind(world, object, names, part)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match condition {
        Condition::And(parts) => Filter::All(all(parts)?),
        Condition::Or(parts) => Filter::Any(all(parts)?),
        Condition::Not(inner) => Filter::Not(Box::new(bind(world, object, names, inner)?)),
        Condition::Compare { left, comparator, right } => {
            let operand = world.filterable(object, names, left)?;
            let test = compare(world, &operand, left, *comparator, right)?;
            Filter::Test { operand, test }
        }
        Condition::Member { left, membership, values } => {
            let operand = world.filterable(object, names, left)?;
            let test = member(world, &operand, left, *membership, values)?;
            Filter::Test { operand, test }
        }
        Condition::SubSelect { left, membership, query } => {
            let operand = world.filterable(object, names, left)?;
            let values = sub_select(world, query)?;
            Filter::Test {
                operand,
                test: Test::OneOf { values, with_null: false, negated: *membership == Membership::NotIn },
            }
        }
    })
}

/// The values that an inner query selects.
fn sub_select(world: &World<'_>, query: &Query) -> Result<HashSet<String>, QueryError> {
    let bound = bind::bind(world, query)?;
    let [bind::Entry::Field { field }] = bound.shape.entries.as_slice() else {
        return Err(QueryError::at(
            "MALFORMED_QUERY",
            world.soql,
            query.from.at,
            "An inner query must select exactly one field",
        ));
    };
    let places = execute::places(world, &bound, Reach::Live);
    let id = world
        .schema
        .field(bound.object, *field)
        .is_some_and(|column| matches!(column.kind, Kind::Id | Kind::Reference));
    Ok(places
        .into_iter()
        .filter_map(|place| {
            world.state.row(bound.object, place, world.now, Reach::Live)?.get(*field).as_text()
        })
        .map(|text| if id { text.to_owned() } else { folded(text) })
        .collect())
}

fn wrong_kind(world: &World<'_>, operand: &Operand, left: &Expression) -> QueryError {
    let name = match left {
        Expression::Field(path) => path.parts.last().cloned().unwrap_or_default(),
        Expression::Call(call) => call.name.clone(),
    };
    let (kind, quotes) = match operand.kind {
        Kind::Boolean => ("boolean", "should not"),
        Kind::Int => ("int", "should not"),
        Kind::Currency | Kind::Double | Kind::Percent => ("double", "should not"),
        Kind::Date => ("date", "should not"),
        Kind::DateTime => ("dateTime", "should not"),
        Kind::Time => ("time", "should not"),
        _ => ("string", "should"),
    };
    let message = format!(
        "value of filter criterion for field '{name}' must be of type {kind} and {quotes} be enclosed in quotes"
    );
    QueryError::at("INVALID_FIELD", world.soql, position(left), &message)
}

fn id_text(world: &World<'_>, text: &str, at: usize) -> Result<String, QueryError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    ids::normalise(text).ok_or_else(|| {
        QueryError::at("INVALID_QUERY_FILTER_OPERATOR", world.soql, at, &format!("invalid ID field: {text}"))
    })
}

/// The range of days or milliseconds that a literal means for a date or moment field.
fn span(
    world: &World<'_>,
    operand: &Operand,
    left: &Expression,
    literal: &Literal,
) -> Result<(i64, i64), QueryError> {
    let date_only = operand.kind == Kind::Date;
    let unit = if date_only { 1 } else { DAY_MS };
    match literal {
        Literal::Date(days) if date_only => Ok((i64::from(*days), i64::from(*days) + 1)),
        Literal::Moment(ms) if !date_only => Ok((*ms, ms + 1)),
        Literal::Relative(name, number) => dates::range(name, *number, world.now)
            .map(|(from, to)| (i64::from(from) * unit, i64::from(to) * unit))
            .ok_or_else(|| wrong_kind(world, operand, left)),
        _ => Err(wrong_kind(world, operand, left)),
    }
}

fn compare(
    world: &World<'_>,
    operand: &Operand,
    left: &Expression,
    comparator: Comparator,
    right: &Placed,
) -> Result<Test, QueryError> {
    let (literal, at) = right;
    let refuse = || wrong_kind(world, operand, left);
    if *literal == Literal::Null {
        return match comparator {
            Comparator::Equal => Ok(Test::Null),
            Comparator::NotEqual => Ok(Test::NotNull),
            _ => Err(QueryError::at(
                "INVALID_QUERY_FILTER_OPERATOR",
                world.soql,
                position(left),
                "invalid operator on null",
            )),
        };
    }
    Ok(match operand.kind {
        Kind::Id | Kind::Reference => match literal {
            Literal::Text(_) if comparator == Comparator::Like => {
                return Err(QueryError::at(
                    "INVALID_QUERY_FILTER_OPERATOR",
                    world.soql,
                    position(left),
                    "invalid operator on id field",
                ));
            }
            Literal::Text(text) => Test::Text(comparator, id_text(world, text, *at)?),
            _ => return Err(refuse()),
        },
        Kind::Boolean => match literal {
            Literal::Bool(flag) if matches!(comparator, Comparator::Equal | Comparator::NotEqual) => {
                Test::Bool(comparator, *flag)
            }
            Literal::Bool(_) => {
                return Err(QueryError::at(
                    "INVALID_QUERY_FILTER_OPERATOR",
                    world.soql,
                    position(left),
                    "invalid operator on boolean field",
                ));
            }
            _ => return Err(refuse()),
        },
        kind if kind.is_number() => match literal {
            Literal::Number(number) if comparator != Comparator::Like => {
                // There is no zero below zero.
                Test::Number(comparator, *number + 0.0)
            }
            _ => return Err(refuse()),
        },
        Kind::Date | Kind::DateTime => {
            let (from, to) = span(world, operand, left, literal)?;
            Test::Span(comparator, from, to)
        }
        _ => match (literal, comparator) {
            // An empty text is how the org writes null here too.
            (Literal::Text(text), Comparator::Equal) if text.is_empty() => Test::Null,
            (Literal::Text(text), Comparator::NotEqual) if text.is_empty() => Test::NotNull,
            (Literal::Text(text), Comparator::Like) => Test::Like(like_pattern(text)),
            (Literal::Text(text), _) => Test::Text(comparator, unescaped(text)),
            _ => return Err(refuse()),
        },
    })
}

/// A literal outside LIKE: `\_` and `\%` are no escapes there, the backslash goes.
fn unescaped(text: &str) -> String {
    text.replace(ESCAPED, "")
}

/// The parts of a LIKE pattern.
pub(in crate::sandbox::org::soql) fn like_pattern(text: &str) -> Vec<Wild> {
    let mut parts = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => parts.push(Wild::AnyText),
            '_' => parts.push(Wild::AnyLetter),
            ESCAPED => {
                parts.extend(letters.next().into_iter().flat_map(char::to_lowercase).map(Wild::Letter));
            }
            _ => parts.extend(letter.to_lowercase().map(Wild::Letter)),
        }
    }
    parts
}

fn member(
    world: &World<'_>,
    operand: &Operand,
    left: &Expression,
    membership: Membership,
    values: &[Placed],
) -> Result<Test, QueryError> {
    let negated = matches!(membership, Membership::NotIn | Membership::Excludes);
    if matches!(membership, Membership::Includes | Membership::Excludes) {
        if operand.kind != Kind::MultiPicklist {
            return Err(QueryError::at(
                "INVALID_QUERY_FILTER_OPERATOR",
                world.soql,
                position(left),
                "includes and excludes operators are valid on multipicklist fields alone",
            ));
        }
        let alternatives = values
            .iter()
            .filter_map(|(literal, _)| match literal {
                Literal::Text(text) => {
                    Some(unescaped(text).split(';').map(|value| folded(value.trim())).collect())
                }
                _ => None,
            })
            .collect();
        return Ok(Test::Holds { alternatives, negated });
    }
    let with_null = values.iter().any(|value| value.0 == Literal::Null);
    let some = || values.iter().filter(|value| value.0 != Literal::Null);
    let refuse = || wrong_kind(world, operand, left);
    Ok(match operand.kind {
        Kind::Date | Kind::DateTime => Test::SpanOneOf {
            values: some()
                .map(|(literal, _)| span(world, operand, left, literal))
                .collect::<Result<_, _>>()?,
            with_null,
            negated,
        },
        kind if kind.is_number() => Test::NumberOneOf {
            values: some()
                .map(|(literal, _)| match literal {
                    Literal::Number(number) => Ok(*number),
                    _ => Err(refuse()),
                })
                .collect::<Result<_, _>>()?,
            with_null,
            negated,
        },
        Kind::Boolean => {
            return Err(QueryError::at(
                "INVALID_QUERY_FILTER_OPERATOR",
                world.soql,
                position(left),
                "invalid operator on boolean field",
            ));
        }
        kind => {
            let id = matches!(kind, Kind::Id | Kind::Reference);
            let values = some()
                .map(|(literal, at)| match literal {
                    Literal::Text(text) if id => id_text(world, text, *at),
                    Literal::Text(text) if operand.case_sensitive => Ok(unescaped(text)),
                    Literal::Text(text) => Ok(folded(&unescaped(text))),
                    _ => Err(refuse()),
                })
                .collect::<Result<_, _>>()?;
            Test::OneOf { values, with_null, negated }
        }
    })
}
