//! Writes criteria as canonical text. Parentheses stand wherever SOQL demands them.

use std::fmt::{self, Formatter, Write};

use super::lexer::is_plain_name;
use super::parser::is_keyword;
use super::{Criteria, Expression, Literal, Operator};

impl fmt::Display for Criteria {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write_expression(formatter, &self.root, Around::Nothing)
    }
}

/// What stands around an expression; it decides whether it needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    Nothing,
    All,
    Any,
    Negation,
}

impl Around {
    fn between(self) -> &'static str {
        if self == Self::Any { " OR " } else { " AND " }
    }
}

fn write_expression(formatter: &mut Formatter<'_>, expression: &Expression, around: Around) -> fmt::Result {
    match expression {
        Expression::All(parts) => write_junction(formatter, parts, Around::All, around),
        Expression::Any(parts) => write_junction(formatter, parts, Around::Any, around),
        Expression::Not(inner) => parenthesised(formatter, around != Around::Nothing, |formatter| {
            formatter.write_str("NOT ")?;
            write_expression(formatter, inner, Around::Negation)
        }),
        Expression::Compare { field, operator, literal } => {
            write_field(formatter, field)?;
            write!(formatter, " {} ", operator.symbol())?;
            match (operator, literal) {
                (Operator::Like, Literal::Text(pattern)) => write_pattern(formatter, pattern),
                _ => write_literal(formatter, literal),
            }
        }
        Expression::OneOf { field, negated, literals } => {
            write_field(formatter, field)?;
            formatter.write_str(if *negated { " NOT IN (" } else { " IN (" })?;
            for (place, literal) in literals.iter().enumerate() {
                if place > 0 {
                    formatter.write_str(", ")?;
                }
                write_literal(formatter, literal)?;
            }
            formatter.write_char(')')
        }
    }
}

fn parenthesised(
    formatter: &mut Formatter<'_>,
    wanted: bool,
    write: impl FnOnce(&mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if !wanted {
        return write(formatter);
    }
    formatter.write_char('(')?;
    write(formatter)?;
    formatter.write_char(')')
}

/// Writes the parts of an `AND` or `OR`; one of the same kind around it needs no parentheses.
fn write_junction(
    formatter: &mut Formatter<'_>,
    parts: &[Expression],
    kind: Around,
    around: Around,
) -> fmt::Result {
    if let [only] = parts {
        return write_expression(formatter, only, around);
    }
    parenthesised(formatter, around != Around::Nothing && around != kind, |formatter| {
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                formatter.write_str(kind.between())?;
            }
            write_expression(formatter, part, kind)?;
        }
        Ok(())
    })
}

fn write_field(formatter: &mut Formatter<'_>, field: &str) -> fmt::Result {
    if is_plain_name(field) && !is_keyword(field) {
        formatter.write_str(field)
    } else {
        write!(formatter, "\"{field}\"")
    }
}

fn write_literal(formatter: &mut Formatter<'_>, literal: &Literal) -> fmt::Result {
    match literal {
        Literal::Null => formatter.write_str("null"),
        Literal::Bool(flag) => write!(formatter, "{flag}"),
        Literal::Number(text) | Literal::Time(text) => formatter.write_str(text),
        Literal::Relative(relative) => write!(formatter, "{relative}"),
        Literal::Text(text) => {
            formatter.write_char('\'')?;
            for character in text.chars() {
                if character == '\\' {
                    formatter.write_str("\\\\")?;
                } else {
                    write_character(formatter, character)?;
                }
            }
            formatter.write_char('\'')
        }
    }
}

/// A pattern already escapes its wildcards and backslashes.
fn write_pattern(formatter: &mut Formatter<'_>, pattern: &str) -> fmt::Result {
    formatter.write_char('\'')?;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\\' {
            let escaped = characters.next_if(|next| matches!(next, '\\' | '%' | '_')).unwrap_or('\\');
            formatter.write_char('\\')?;
            formatter.write_char(escaped)?;
        } else {
            write_character(formatter, character)?;
        }
    }
    formatter.write_char('\'')
}

fn write_character(formatter: &mut Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '\'' => formatter.write_str("\\'"),
        '\n' => formatter.write_str("\\n"),
        '\r' => formatter.write_str("\\r"),
        '\t' => formatter.write_str("\\t"),
        '\u{8}' => formatter.write_str("\\b"),
        '\u{c}' => formatter.write_str("\\f"),
        other => formatter.write_char(other),
    }
}
