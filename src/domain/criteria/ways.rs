//! The ways in which a person can test a field, and the comparison that each of them is.

use std::fmt::Write;

use super::parser::bare;
use super::relative::Relative;
use super::{Expression, Literal, Operator};
use crate::domain::schema::FieldKind;

/// One way to test a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Is this value.
    Is,
    /// Is any other value.
    IsNot,
    /// Is one of several values.
    OneOf,
    /// Is none of several values.
    NoneOf,
    /// Contains a text; of several values, one is this.
    Contains,
    /// Begins with a text.
    Begins,
    /// Ends with a text.
    Ends,
    /// Looks like a pattern with `%` and `_`.
    Pattern,
    /// Is less, or earlier.
    Less,
    /// Is at most this.
    AtMost,
    /// Is more, or later.
    More,
    /// Is at least this.
    AtLeast,
    /// Is blank.
    Blank,
    /// Is not blank.
    Filled,
    /// Is ticked.
    Yes,
    /// Is not ticked.
    No,
}

/// What a way needs besides the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// One value.
    Value,
    /// Several values.
    Values,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Is,
        Self::IsNot,
        Self::OneOf,
        Self::NoneOf,
        Self::Contains,
        Self::Begins,
        Self::Ends,
        Self::Pattern,
        Self::Less,
        Self::AtMost,
        Self::More,
        Self::AtLeast,
        Self::Blank,
        Self::Filled,
        Self::Yes,
        Self::No,
    ];

    /// The ways that make sense for a kind of field, the usual ones first.
    pub fn for_kind(kind: FieldKind) -> &'static [Self] {
        match kind {
            FieldKind::Bool => &[Self::Yes, Self::No],
            FieldKind::Number => &[
                Self::Is,
                Self::IsNot,
                Self::AtLeast,
                Self::AtMost,
                Self::More,
                Self::Less,
                Self::OneOf,
                Self::NoneOf,
                Self::Blank,
                Self::Filled,
            ],
            FieldKind::Date | FieldKind::Moment => &[
                Self::AtLeast,
                Self::Less,
                Self::More,
                Self::AtMost,
                Self::Is,
                Self::IsNot,
                Self::Blank,
                Self::Filled,
            ],
            FieldKind::Set => &[Self::Contains, Self::Blank, Self::Filled, Self::Is, Self::IsNot],
            FieldKind::Id | FieldKind::Reference => {
                &[Self::Is, Self::IsNot, Self::OneOf, Self::NoneOf, Self::Blank, Self::Filled]
            }
            FieldKind::LongText => &[
                Self::Filled,
                Self::Blank,
                Self::Contains,
                Self::Begins,
                Self::Ends,
                Self::Is,
                Self::IsNot,
                Self::Pattern,
            ],
            FieldKind::Picklist => &[
                Self::Is,
                Self::IsNot,
                Self::OneOf,
                Self::NoneOf,
                Self::Blank,
                Self::Filled,
                Self::Contains,
                Self::Begins,
                Self::Ends,
                Self::Pattern,
            ],
            FieldKind::Text | FieldKind::Email | FieldKind::Phone | FieldKind::Url | FieldKind::Other => &[
                Self::Is,
                Self::IsNot,
                Self::Filled,
                Self::Blank,
                Self::Contains,
                Self::Begins,
                Self::Ends,
                Self::OneOf,
                Self::NoneOf,
                Self::Pattern,
                Self::More,
                Self::Less,
            ],
        }
    }

    /// What it needs besides the field.
    pub fn needs(self) -> Needs {
        match self {
            Self::Blank | Self::Filled | Self::Yes | Self::No => Needs::Nothing,
            Self::OneOf | Self::NoneOf => Needs::Values,
            Self::Is
            | Self::IsNot
            | Self::Contains
            | Self::Begins
            | Self::Ends
            | Self::Pattern
            | Self::Less
            | Self::AtMost
            | Self::More
            | Self::AtLeast => Needs::Value,
        }
    }

    /// As it is said between a field and its value.
    pub fn words(self, kind: FieldKind) -> &'static str {
        let time = matches!(kind, FieldKind::Date | FieldKind::Moment);
        match self {
            Self::Is => "is",
            Self::IsNot => "is not",
            Self::OneOf => "is one of",
            Self::NoneOf => "is none of",
            Self::Contains if kind == FieldKind::Set => "includes",
            Self::Contains => "contains",
            Self::Begins => "begins with",
            Self::Ends => "ends with",
            Self::Pattern => "looks like",
            Self::Less if time => "is before",
            Self::Less => "is less than",
            Self::AtMost if time => "is not after",
            Self::AtMost => "is at most",
            Self::More if time => "is after",
            Self::More => "is more than",
            Self::AtLeast if time => "is not before",
            Self::AtLeast => "is at least",
            Self::Blank => "is blank",
            Self::Filled => "is not blank",
            Self::Yes => "is yes",
            Self::No => "is no",
        }
    }

    /// The comparison of a field by these values, which are data whatever they hold; a sentence where a value can't be one of this kind.
    pub fn test(self, field: &str, kind: FieldKind, values: &[String]) -> Result<Expression, String> {
        let field = field.to_owned();
        let compare = |operator, literal| Expression::Compare { field: field.clone(), operator, literal };
        let first = || values.first().map_or("", String::as_str);
        let like = |before: &str, after: &str| {
            if first().is_empty() {
                return Err("Type the text to look for; “is blank” tests for none.".to_owned());
            }
            Ok(compare(Operator::Like, Literal::Text(format!("{before}{}{after}", escaped(first())))))
        };
        let valued = |operator| Ok(compare(operator, literal(kind, first())?));
        match self {
            Self::Is => valued(Operator::Equal),
            Self::IsNot => valued(Operator::NotEqual),
            Self::Less => valued(Operator::Less),
            Self::AtMost => valued(Operator::LessOrEqual),
            Self::More => valued(Operator::Greater),
            Self::AtLeast => valued(Operator::GreaterOrEqual),
            Self::OneOf | Self::NoneOf => {
                if values.is_empty() {
                    return Err("Choose one value at least.".into());
                }
                // A blank among several values is one to choose; alone it has a way of its own.
                let literals: Result<Vec<Literal>, String> = values
                    .iter()
                    .map(|value| if value.is_empty() { Ok(Literal::Null) } else { literal(kind, value) })
                    .collect();
                Ok(Expression::OneOf { field, negated: self == Self::NoneOf, literals: literals? })
            }
            Self::Contains if kind == FieldKind::Set => like("", ""),
            Self::Contains => like("%", "%"),
            Self::Begins => like("", "%"),
            Self::Ends => like("%", ""),
            Self::Pattern if first().is_empty() => Err("Type a pattern, such as Acme%.".into()),
            Self::Pattern => Ok(compare(Operator::Like, Literal::Text(first().to_owned()))),
            Self::Blank => Ok(compare(Operator::Equal, Literal::Null)),
            Self::Filled => Ok(compare(Operator::NotEqual, Literal::Null)),
            Self::Yes => Ok(compare(Operator::Equal, Literal::Bool(true))),
            Self::No => Ok(compare(Operator::Equal, Literal::Bool(false))),
        }
    }

    /// The way and the values of a comparison; `None` for a group.
    pub fn of(test: &Expression, kind: Option<FieldKind>) -> Option<(Self, Vec<String>)> {
        match test {
            Expression::All(_) | Expression::Any(_) | Expression::Not(_) => None,
            Expression::OneOf { negated, literals, .. } => {
                let way = if *negated { Self::NoneOf } else { Self::OneOf };
                Some((way, literals.iter().map(shown).collect()))
            }
            Expression::Compare { operator, literal, .. } => Some(match (operator, literal) {
                (Operator::Equal, Literal::Null) => (Self::Blank, Vec::new()),
                (Operator::NotEqual, Literal::Null) => (Self::Filled, Vec::new()),
                (Operator::Equal, Literal::Text(text)) if text.is_empty() => (Self::Blank, Vec::new()),
                (Operator::NotEqual, Literal::Text(text)) if text.is_empty() => (Self::Filled, Vec::new()),
                (Operator::Equal, Literal::Bool(true)) | (Operator::NotEqual, Literal::Bool(false)) => {
                    (Self::Yes, Vec::new())
                }
                (Operator::Equal, Literal::Bool(false)) | (Operator::NotEqual, Literal::Bool(true)) => {
                    (Self::No, Vec::new())
                }
                (Operator::Like, Literal::Text(pattern)) => of_pattern(pattern, kind),
                (Operator::Like, other) => (Self::Pattern, vec![shown(other)]),
                (Operator::Equal, other) => (Self::Is, vec![shown(other)]),
                (Operator::NotEqual, other) => (Self::IsNot, vec![shown(other)]),
                (Operator::Less, other) => (Self::Less, vec![shown(other)]),
                (Operator::LessOrEqual, other) => (Self::AtMost, vec![shown(other)]),
                (Operator::Greater, other) => (Self::More, vec![shown(other)]),
                (Operator::GreaterOrEqual, other) => (Self::AtLeast, vec![shown(other)]),
            }),
        }
    }
}

/// A literal as a person would type it.
pub(super) fn shown(literal: &Literal) -> String {
    match literal {
        Literal::Null => String::new(),
        Literal::Bool(flag) => flag.to_string(),
        Literal::Number(text) | Literal::Text(text) | Literal::Time(text) => text.clone(),
        Literal::Relative(relative) => relative.to_string(),
    }
}

fn literal(kind: FieldKind, text: &str) -> Result<Literal, String> {
    let typed = text.trim();
    match kind {
        FieldKind::Number => match bare(typed) {
            Some(number @ Literal::Number(_)) => Ok(number),
            _ => Err(format!("“{typed}” is no number; write it like 1200 or -0.5.")),
        },
        FieldKind::Date | FieldKind::Moment => match (bare(typed), Relative::read(typed)) {
            (Some(time @ Literal::Time(_)), _) => Ok(time),
            (_, Some(Ok(relative))) => Ok(Literal::Relative(relative)),
            (_, Some(Err(refused))) => Err(format!("{}.", refused.sentence(&format!("“{typed}”")))),
            (_, None) => Err(format!(
                "“{typed}” is no date; write it like 2026-11-22 or 2026-11-22T10:00:00Z, or today, last 30 days, this month."
            )),
        },
        FieldKind::Bool => match typed {
            "true" => Ok(Literal::Bool(true)),
            "false" => Ok(Literal::Bool(false)),
            _ => Err("A tick box is yes or no.".into()),
        },
        _ if text.is_empty() => Err("Type a value; “is blank” tests for none.".into()),
        FieldKind::Id
        | FieldKind::Text
        | FieldKind::LongText
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Url
        | FieldKind::Picklist
        | FieldKind::Set
        | FieldKind::Reference
        | FieldKind::Other => Ok(Literal::Text(text.to_owned())),
    }
}

/// A text in which nothing stands for anything else.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        // Writing to a text can't fail.
        let _ = pattern.write_char(character);
    }
    pattern
}

/// The plain text of a pattern without wildcards.
fn plain(pattern: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '%' | '_' => return None,
            '\\' => match characters.next() {
                Some(next @ ('%' | '_' | '\\')) => text.push(next),
                Some(next) => text.extend(['\\', next]),
                // What follows it stood behind what was cut off.
                None => return None,
            },
            other => text.push(other),
        }
    }
    (!text.is_empty()).then_some(text)
}

fn of_pattern(pattern: &str, kind: Option<FieldKind>) -> (Way, Vec<String>) {
    let own = || (Way::Pattern, vec![pattern.to_owned()]);
    if kind == Some(FieldKind::Set) {
        return plain(pattern).map_or_else(own, |text| (Way::Contains, vec![text]));
    }
    let begins = pattern.strip_prefix('%');
    // A wildcard at the end is one only if it is not escaped; what is left must read as plain text then.
    let ends = |text: &str| text.strip_suffix('%').and_then(plain);
    match begins {
        Some(rest) => match (ends(rest), plain(rest)) {
            (Some(text), _) => (Way::Contains, vec![text]),
            (None, Some(text)) => (Way::Ends, vec![text]),
            (None, None) => own(),
        },
        None => ends(pattern).map_or_else(own, |text| (Way::Begins, vec![text])),
    }
}

#[cfg(test)]
mod tests;
