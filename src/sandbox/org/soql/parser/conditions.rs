//! `WHERE` and `HAVING`.

use super::{Parser, Place};
use crate::sandbox::org::soql::ast::{Comparator, Condition, Literal, Membership, Placed};
use crate::sandbox::org::soql::lexer::Token;
use crate::sandbox::org::soql::{QueryError, dates};

impl Parser<'_> {
    /// Conditions joined by one kind of joint; the org refuses `a AND b OR c` without parentheses.
    pub(super) fn condition(&mut self) -> Result<Condition, QueryError> {
        let first = self.negation()?;
        let joint = if self.is_word("and") {
            "and"
        } else if self.is_word("or") {
            "or"
        } else {
            return Ok(first);
        };
        let mut all = vec![first];
        while self.take_word(joint) {
            all.push(self.negation()?);
        }
        if self.is_word("and") || self.is_word("or") {
            return Err(self.unexpected());
        }
        Ok(if joint == "and" { Condition::And(all) } else { Condition::Or(all) })
    }

    fn negation(&mut self) -> Result<Condition, QueryError> {
        if self.take_word("not") {
            self.enter()?;
            let inner = self.negation()?;
            self.depth -= 1;
            return Ok(Condition::Not(Box::new(inner)));
        }
        if self.is_symbol("(") {
            self.next += 1;
            self.enter()?;
            let inner = self.condition()?;
            self.depth -= 1;
            self.expect_symbol(")")?;
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Condition, QueryError> {
        let left = self.expression()?;
        let membership = if self.is_word("not") && self.is_word_at(1, "in") {
            self.next += 2;
            Some(Membership::NotIn)
        } else if self.take_word("in") {
            Some(Membership::In)
        } else if self.take_word("includes") {
            Some(Membership::Includes)
        } else if self.take_word("excludes") {
            Some(Membership::Excludes)
        } else {
            None
        };
        if let Some(membership) = membership {
            self.expect_symbol("(")?;
            if self.is_word("select") {
                self.enter()?;
                let query = Box::new(self.query(Place::Condition)?);
                self.depth -= 1;
                self.expect_symbol(")")?;
                return Ok(Condition::SubSelect { left, membership, query });
            }
            let mut values = vec![self.literal()?];
            while self.take_symbol(",") {
                values.push(self.literal()?);
            }
            self.expect_symbol(")")?;
            return Ok(Condition::Member { left, membership, values });
        }
        let comparator = match self.peek() {
            Some(Token::Symbol("=")) => Comparator::Equal,
            Some(Token::Symbol("!=" | "<>")) => Comparator::NotEqual,
            Some(Token::Symbol("<")) => Comparator::Less,
            Some(Token::Symbol("<=")) => Comparator::LessOrEqual,
            Some(Token::Symbol(">")) => Comparator::Greater,
            Some(Token::Symbol(">=")) => Comparator::GreaterOrEqual,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("like") => Comparator::Like,
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(Condition::Compare { left, comparator, right: self.literal()? })
    }

    fn literal(&mut self) -> Result<Placed, QueryError> {
        let at = self.at();
        let literal = match self.peek() {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Number(number)) => Literal::Number(*number),
            Some(Token::Date(days)) => Literal::Date(*days),
            Some(Token::Moment(ms)) => Literal::Moment(*ms),
            Some(Token::Word(word)) => match word.to_ascii_lowercase().as_str() {
                "null" => Literal::Null,
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                lower => match dates::takes_number(lower) {
                    Some(true) => {
                        let name = lower.to_owned();
                        self.next += 1;
                        self.expect_symbol(":")?;
                        let number = self.whole_number()?;
                        return Ok((Literal::Relative(name, Some(number as i64)), at));
                    }
                    Some(false) => Literal::Relative(lower.to_owned(), None),
                    None => {
                        let currency = word.get(3..).and_then(|amount| amount.parse::<f64>().ok());
                        match currency.filter(|_| {
                            word.get(..3)
                                .is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_uppercase()))
                        }) {
                            Some(amount) => Literal::Number(amount),
                            None => return Err(self.unexpected()),
                        }
                    }
                },
            },
            Some(Token::Symbol(_)) | None => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok((literal, at))
    }
}
