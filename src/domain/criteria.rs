//! Criteria: the condition a record must meet to take part.
//!
//! The text looks like the condition of a SOQL query, and means what it would mean there. It is evaluated here for every
//! captured record, and handed to a side that can narrow its own reads. [`Criteria::parse`] reads it, its `Display` writes
//! the canonical text (which is SOQL wherever the field names are), and [`Criteria::matches`] tests a record.
//!
//! ```
//! use forcesync::domain::criteria::Criteria;
//!
//! let criteria = Criteria::parse("Email is not blank and (Status != 'Closed' or Amount >= 1000)")?;
//! assert_eq!(criteria.to_string(), "Email != null AND (Status != 'Closed' OR Amount >= 1000)");
//! # Ok::<(), forcesync::domain::criteria::CriteriaError>(())
//! ```

mod lexer;
mod matching;
mod parser;
mod printing;
mod relative;
#[cfg(test)]
mod tests;
pub mod tree;
pub mod ways;
pub mod words;

pub use relative::Relative;

use crate::domain::record::{Record, Selection};
use crate::domain::value::Value;

/// A parsed condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criteria {
    /// Its root.
    pub root: Expression,
}

/// A node of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// All of these.
    All(Vec<Expression>),
    /// At least one of these.
    Any(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>),
    /// A field compared with a literal.
    Compare {
        /// The field's API name or path.
        field: String,
        /// How.
        operator: Operator,
        /// With what.
        literal: Literal,
    },
    /// A field compared with a list.
    OneOf {
        /// The field's API name or path.
        field: String,
        /// Whether it must not be in the list.
        negated: bool,
        /// The list.
        literals: Vec<Literal>,
    },
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `LIKE`, with `%` and `_`.
    Like,
}

impl Operator {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Like => "LIKE",
        }
    }
}

/// A literal of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as written.
    Number(String),
    /// A text in single quotes, unescaped. After `LIKE` it is a pattern, in which `\` still escapes `%`, `_` and itself.
    Text(String),
    /// A date or a moment as written, such as `2026-11-22` or `2026-11-22T10:00:00Z`.
    Time(String),
    /// A date that moves with the calendar; [`Criteria::at`] works it out.
    Relative(Relative),
}

/// A condition that can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the criteria can't be understood at character {position}: {message}")]
pub struct CriteriaError {
    /// Where, counted in characters from 1.
    pub position: usize,
    /// What was expected.
    pub message: String,
}

impl Criteria {
    /// Parses a condition.
    ///
    /// Beyond SOQL it understands `is blank` and `is not blank` (`= null`, `!= null`), `NOT LIKE`, `AND` beside `OR`
    /// without parentheses (`AND` binds closer), and field names of other platforms in double quotes.
    pub fn parse(text: &str) -> Result<Self, CriteriaError> {
        parser::parse(text).map(|root| Self { root })
    }

    /// The fields it tests, each once, in the order of their first mention.
    pub fn fields(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect_fields(&self.root, &mut found);
        found
    }

    /// Whether a record meets it; `get` gives a field's value, `None` where it was not returned, which counts as blank.
    ///
    /// As in SOQL: text ignores case, blank text is null, null is unequal to every value and neither less nor greater than
    /// any, a blank tick box is false, numbers compare as decimals, ids compare in 15 or 18 characters. A relative date is met by
    /// nothing before it is worked out ([`Criteria::at`]).
    pub fn matches<'a>(&self, get: &dyn Fn(&str) -> Option<&'a Value>) -> bool {
        matching::matches(&self.root, get)
    }

    /// Whether a record that was read with a selection meets them.
    pub fn admit(&self, selection: &Selection, record: &Record) -> bool {
        self.matches(&|name| selection.position(name).and_then(|place| record.values.get(place)?.as_ref()))
    }
}

fn collect_fields(expression: &Expression, found: &mut Vec<String>) {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => {
            for part in parts {
                collect_fields(part, found);
            }
        }
        Expression::Not(inner) => collect_fields(inner, found),
        Expression::Compare { field, .. } | Expression::OneOf { field, .. } => {
            if !found.iter().any(|known| known.eq_ignore_ascii_case(field)) {
                found.push(field.clone());
            }
        }
    }
}
