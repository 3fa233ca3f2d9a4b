//! Puts the tokens of criteria together. `NOT` binds closest, then `AND`, then `OR`.

use super::lexer::{Token, TokenKind, error, is_plain_name, tokens};
use super::relative::Relative;
use super::{CriteriaError, Expression, Literal, Operator};

/// How deep parentheses and `NOT`s may nest; text from a file must not exhaust the stack.
pub(super) const DEEPEST: usize = 64;

/// Words that can't be a field name without quotes.
pub(super) const KEYWORDS: [&str; 9] = ["AND", "OR", "NOT", "IN", "LIKE", "IS", "NULL", "TRUE", "FALSE"];

/// Parses a whole condition.
pub(super) fn parse(text: &str) -> Result<Expression, CriteriaError> {
    let mut parser =
        Parser { tokens: tokens(text)?, place: 0, end: text.chars().count().saturating_add(1), depth: 0 };
    if parser.tokens.is_empty() {
        return Err(error(1, "a condition is missing, such as Email != null"));
    }
    let expression = parser.any()?;
    match parser.peek() {
        None => Ok(expression),
        Some(TokenKind::Close) => Err(parser.here("this “)” closes nothing")),
        Some(other) => {
            let message = format!("expected AND, OR or the end, found {}", other.shown());
            Err(parser.here(message))
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
    /// The position behind the last character.
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.place).map(|token| &token.kind)
    }

    fn position(&self) -> usize {
        self.tokens.get(self.place).map_or(self.end, |token| token.position)
    }

    fn here(&self, message: impl Into<String>) -> CriteriaError {
        error(self.position(), message)
    }

    fn take(&mut self) -> Option<TokenKind> {
        let kind = self.peek().cloned();
        self.place += 1;
        kind
    }

    fn take_word(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_some_and(|kind| kind.is_word(keyword));
        if found {
            self.place += 1;
        }
        found
    }

    fn descend(&mut self) -> Result<(), CriteriaError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.here(format!("conditions can't nest deeper than {DEEPEST} levels")));
        }
        Ok(())
    }

    fn any(&mut self) -> Result<Expression, CriteriaError> {
        let mut parts = Vec::new();
        loop {
            match self.all()? {
                Expression::Any(inner) => parts.extend(inner),
                other => parts.push(other),
            }
            if !self.take_word("OR") {
                return Ok(single_or(parts, Expression::Any));
            }
        }
    }

    fn all(&mut self) -> Result<Expression, CriteriaError> {
        let mut parts = Vec::new();
        loop {
            match self.factor()? {
                Expression::All(inner) => parts.extend(inner),
                other => parts.push(other),
            }
            if !self.take_word("AND") {
                return Ok(single_or(parts, Expression::All));
            }
        }
    }

    fn factor(&mut self) -> Result<Expression, CriteriaError> {
        if self.take_word("NOT") {
            self.descend()?;
            let inner = self.factor()?;
            self.depth -= 1;
            return Ok(Expression::Not(Box::new(inner)));
        }
        if self.peek() != Some(&TokenKind::Open) {
            return self.comparison();
        }
        let opened = self.position();
        self.place += 1;
        self.descend()?;
        let inner = self.any()?;
        self.depth -= 1;
        match self.peek() {
            Some(TokenKind::Close) => {
                self.place += 1;
                Ok(inner)
            }
            None => Err(error(opened, "the parenthesis that opens here is never closed")),
            Some(other) => {
                let message = format!("expected AND, OR or “)”, found {}", other.shown());
                Err(self.here(message))
            }
        }
    }

    fn comparison(&mut self) -> Result<Expression, CriteriaError> {
        let field = self.field()?;
        if self.take_word("IS") {
            return self.blankness(field);
        }
        if self.take_word("IN") {
            return Ok(Expression::OneOf { field, negated: false, literals: self.list()? });
        }
        if self.take_word("NOT") {
            if self.take_word("IN") {
                return Ok(Expression::OneOf { field, negated: true, literals: self.list()? });
            }
            if self.take_word("LIKE") {
                let like = self.like(field)?;
                return Ok(Expression::Not(Box::new(like)));
            }
            return Err(self.here("expected IN or LIKE after NOT"));
        }
        if self.take_word("LIKE") {
            return self.like(field);
        }
        let Some(TokenKind::Operator(operator)) = self.peek() else {
            let found = self.peek().map_or_else(|| "the end".to_owned(), TokenKind::shown);
            return Err(self.here(format!(
                "expected a comparison after “{field}” (=, !=, <, <=, >, >=, LIKE, IN, NOT IN or “is blank”), found {found}"
            )));
        };
        let operator = *operator;
        self.place += 1;
        let position = self.position();
        let literal = self.literal()?;
        let ordering = match operator {
            Operator::Equal | Operator::NotEqual | Operator::Like => false,
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => true,
        };
        if ordering && matches!(literal, Literal::Null | Literal::Bool(_)) {
            return Err(error(position, "null, true and false can only be compared by = and !="));
        }
        Ok(Expression::Compare { field, operator, literal })
    }

    fn field(&mut self) -> Result<String, CriteriaError> {
        let name = match self.peek() {
            Some(TokenKind::QuotedField(name)) => name.clone(),
            Some(TokenKind::Word(name)) if is_keyword(name) => {
                return Err(self.here(format!("expected a field name, found the word “{name}”")));
            }
            Some(TokenKind::Word(name)) if is_plain_name(name) => name.clone(),
            Some(TokenKind::Word(name)) => {
                return Err(
                    self.here(format!("“{name}” is no field name: a path has one dot between two names"))
                );
            }
            Some(other) => {
                return Err(self.here(format!("expected a field name, found {}", other.shown())));
            }
            None => return Err(self.here("expected another condition, found the end")),
        };
        self.place += 1;
        Ok(name)
    }

    fn blankness(&mut self, field: String) -> Result<Expression, CriteriaError> {
        let operator = if self.take_word("NOT") { Operator::NotEqual } else { Operator::Equal };
        if self.take_word("BLANK") || self.take_word("NULL") || self.take_word("EMPTY") {
            Ok(Expression::Compare { field, operator, literal: Literal::Null })
        } else {
            Err(self.here("expected “blank” or “not blank” after “is”"))
        }
    }

    fn like(&mut self, field: String) -> Result<Expression, CriteriaError> {
        match self.peek() {
            Some(TokenKind::Text { pattern, .. }) => {
                let literal = Literal::Text(pattern.clone());
                self.place += 1;
                Ok(Expression::Compare { field, operator: Operator::Like, literal })
            }
            _ => Err(self.here("LIKE needs a pattern in single quotes, such as 'Acme%'")),
        }
    }

    fn list(&mut self) -> Result<Vec<Literal>, CriteriaError> {
        if self.peek() != Some(&TokenKind::Open) {
            return Err(self.here("expected a list in parentheses, such as ('A', 'B')"));
        }
        self.place += 1;
        let mut literals = Vec::new();
        loop {
            let position = self.position();
            let literal = self.literal()?;
            if matches!(literal, Literal::Relative(_)) {
                return Err(error(position, "a relative date stands alone, not in a list"));
            }
            literals.push(literal);
            match self.peek() {
                Some(TokenKind::Comma) => self.place += 1,
                Some(TokenKind::Close) => {
                    self.place += 1;
                    return Ok(literals);
                }
                _ => return Err(self.here("expected “,” or “)” in the list")),
            }
        }
    }

    fn literal(&mut self) -> Result<Literal, CriteriaError> {
        let position = self.position();
        match self.take() {
            Some(TokenKind::Text { plain, .. }) => Ok(Literal::Text(plain)),
            Some(TokenKind::Word(word)) => match word.to_ascii_lowercase().as_str() {
                "null" => Ok(Literal::Null),
                "true" => Ok(Literal::Bool(true)),
                "false" => Ok(Literal::Bool(false)),
                _ => word_literal(&word).map_err(|message| error(position, message)),
            },
            Some(TokenKind::Bare(text)) => bare(&text).ok_or_else(|| {
                error(
                    position,
                    format!(
                        "“{text}” is neither a number nor a date like 2026-11-22, 2026-11-22T10:00:00Z or LAST_N_DAYS:30"
                    ),
                )
            }),
            Some(TokenKind::QuotedField(name)) => {
                Err(error(position, format!("texts stand in single quotes: '{name}'")))
            }
            Some(other) => Err(error(position, format!("expected a value, found {}", other.shown()))),
            None => Err(error(position, "expected a value, found the end")),
        }
    }
}

fn single_or(mut parts: Vec<Expression>, several: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    several(parts)
}

/// Whether a word means something of its own.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// A word where a value should stand.
fn word_literal(word: &str) -> Result<Literal, String> {
    match Relative::read(word) {
        Some(Ok(relative)) => Ok(Literal::Relative(relative)),
        Some(Err(refused)) => Err(refused.sentence(&word.to_ascii_uppercase())),
        None => Err(format!("texts stand in single quotes: '{word}'")),
    }
}

/// A number, a date or a moment.
pub(super) fn bare(text: &str) -> Option<Literal> {
    if is_number(text) {
        return Some(Literal::Number(text.strip_prefix('+').unwrap_or(text).to_owned()));
    }
    super::matching::instant(text).map(|_| Literal::Time(text.to_owned()))
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some((whole, fraction)) = unsigned.split_once('.') else {
        return !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && !fraction.is_empty()
}
