//! Reads a query's text into an [`ast::Query`](super::ast::Query).

mod conditions;

use super::QueryError;
use super::ast::{Call, Expression, FieldSet, Item, Order, Path, Query};
use super::lexer::{self, Token};

/// The query that `soql` spells.
pub(in crate::sandbox::org) fn parse(soql: &str) -> Result<Query, QueryError> {
    let mut parser = Parser { soql, tokens: lexer::tokens(soql)?, next: 0, depth: 0 };
    let query = parser.query(Place::Top)?;
    match parser.peek() {
        None => Ok(query),
        Some(_) => Err(parser.unexpected()),
    }
}

/// Where a query stands; inner ones may not hold child queries, for instance.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    SelectList,
    Condition,
}

/// How deep parentheses may nest: the parser recurses, and a hostile text must not exhaust the stack.
const DEEPEST: usize = 60;

const CLAUSES: [&str; 13] = [
    "from", "where", "using", "with", "group", "having", "order", "limit", "offset", "for", "all", "and",
    "or",
];

struct Parser<'a> {
    soql: &'a str,
    tokens: Vec<lexer::Placed>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|placed| &placed.0)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.soql.len(), |placed| placed.1)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn is_word_at(&self, ahead: usize, word: &str) -> bool {
        matches!(self.tokens.get(self.next + ahead), Some((Token::Word(found), _)) if found.eq_ignore_ascii_case(word))
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.next += usize::from(found);
        found
    }

    fn unexpected(&self) -> QueryError {
        let message = match self.peek() {
            None => "unexpected token: '<EOF>'".to_owned(),
            Some(Token::Word(word)) => format!("unexpected token: '{word}'"),
            Some(Token::Text(text)) => format!("unexpected token: '{text}'"),
            Some(Token::Symbol(symbol)) => format!("unexpected token: '{symbol}'"),
            Some(Token::Number(number)) => format!("unexpected token: '{number}'"),
            Some(Token::Date(_) | Token::Moment(_)) => "unexpected token: a date".to_owned(),
        };
        QueryError::at("MALFORMED_QUERY", self.soql, self.at(), &message)
    }

    fn expect_word(&mut self, word: &str) -> Result<(), QueryError> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), QueryError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn path(&mut self) -> Result<Path, QueryError> {
        let at = self.at();
        match self.peek() {
            Some(Token::Word(word)) => {
                let parts: Vec<String> = word.split('.').map(str::to_owned).collect();
                if parts.iter().any(String::is_empty) {
                    return Err(self.unexpected());
                }
                self.next += 1;
                Ok(Path { parts, at })
            }
            _ => Err(self.unexpected()),
        }
    }

    fn alias(&mut self) -> Option<String> {
        match self.peek() {
            Some(Token::Word(word))
                if !word.contains('.') && !CLAUSES.iter().any(|clause| clause.eq_ignore_ascii_case(word)) =>
            {
                let alias = word.clone();
                self.next += 1;
                Some(alias)
            }
            _ => None,
        }
    }

    fn query(&mut self, place: Place) -> Result<Query, QueryError> {
        self.expect_word("select")?;
        let items = self.items(place)?;
        self.expect_word("from")?;
        if CLAUSES.iter().any(|clause| self.is_word(clause)) && !self.is_word("group") {
            return Err(self.unexpected());
        }
        let from = self.path()?;
        let alias = self.alias();
        let mut query = Query {
            items,
            from,
            alias,
            condition: None,
            group_by: Vec::new(),
            having: None,
            order_by: Vec::new(),
            limit: None,
            offset: 0,
            all_rows: false,
        };
        if self.take_word("using") {
            self.expect_word("scope")?;
            self.path()?;
        }
        if self.take_word("where") {
            query.condition = Some(self.condition()?);
        }
        if self.take_word("with") {
            self.path()?;
        }
        if self.take_word("group") {
            self.expect_word("by")?;
            query.group_by = self.group_by()?;
            if self.take_word("having") {
                query.having = Some(self.condition()?);
            }
        }
        if self.take_word("order") {
            self.expect_word("by")?;
            loop {
                query.order_by.push(self.order()?);
                if !self.take_symbol(",") {
                    break;
                }
            }
        }
        if self.take_word("limit") {
            query.limit = Some(self.whole_number()?);
        }
        if self.take_word("offset") {
            query.offset = self.whole_number()?;
        }
        if self.take_word("for") {
            let known = ["view", "reference", "update"].iter().any(|word| self.take_word(word));
            if !known {
                return Err(self.unexpected());
            }
        }
        if self.take_word("all") {
            self.expect_word("rows")?;
            query.all_rows = true;
        }
        Ok(query)
    }

    fn whole_number(&mut self) -> Result<usize, QueryError> {
        match self.peek() {
            Some(Token::Number(number)) if *number >= 0.0 && number.fract() == 0.0 => {
                let number = *number as usize;
                self.next += 1;
                Ok(number)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn group_by(&mut self) -> Result<Vec<Expression>, QueryError> {
        let mut keys = Vec::new();
        if (self.is_word("rollup") || self.is_word("cube"))
            && matches!(self.tokens.get(self.next + 1), Some((Token::Symbol("("), _)))
        {
            return Err(QueryError::plain(
                "MALFORMED_QUERY",
                "GROUP BY ROLLUP and CUBE are not part of the sandbox org; group by the fields alone",
            ));
        }
        loop {
            keys.push(self.expression()?);
            if !self.take_symbol(",") {
                return Ok(keys);
            }
        }
    }

    fn items(&mut self, place: Place) -> Result<Vec<Item>, QueryError> {
        let mut items = Vec::new();
        loop {
            items.push(self.item(place)?);
            if !self.take_symbol(",") {
                return Ok(items);
            }
        }
    }

    fn item(&mut self, place: Place) -> Result<Item, QueryError> {
        if self.is_symbol("(") {
            if place != Place::Top {
                return Err(self.unexpected());
            }
            self.next += 1;
            let children = self.query(Place::SelectList)?;
            self.expect_symbol(")")?;
            return Ok(Item::Children(Box::new(children)));
        }
        if self.is_word("typeof")
            && matches!(self.tokens.get(self.next + 1), Some((Token::Word(_), _)))
            && !self.is_word_at(1, "from")
        {
            return self.type_of();
        }
        if self.is_word("from") {
            return Err(self.unexpected());
        }
        match self.expression()? {
            Expression::Field(path) => Ok(Item::Field { path, alias: self.alias() }),
            Expression::Call(call) if call.name.eq_ignore_ascii_case("fields") => {
                let set = match call.arguments.as_slice() {
                    [Expression::Field(path)] => match path.text().to_ascii_lowercase().as_str() {
                        "all" => FieldSet::All,
                        "standard" => FieldSet::Standard,
                        "custom" => FieldSet::Custom,
                        _ => return Err(self.unexpected()),
                    },
                    _ => return Err(self.unexpected()),
                };
                Ok(Item::Fields { set, at: call.at })
            }
            Expression::Call(call) => Ok(Item::Call { call, alias: self.alias() }),
        }
    }

    fn type_of(&mut self) -> Result<Item, QueryError> {
        self.expect_word("typeof")?;
        let path = self.path()?;
        let (mut branches, mut otherwise) = (Vec::new(), Vec::new());
        while self.take_word("when") {
            let object = self.path()?.text();
            self.expect_word("then")?;
            branches.push((object, self.paths()?));
        }
        if self.take_word("else") {
            otherwise = self.paths()?;
        }
        self.expect_word("end")?;
        Ok(Item::TypeOf { path, branches, otherwise })
    }

    fn paths(&mut self) -> Result<Vec<Path>, QueryError> {
        let mut paths = vec![self.path()?];
        while self.take_symbol(",") {
            paths.push(self.path()?);
        }
        Ok(paths)
    }

    fn expression(&mut self) -> Result<Expression, QueryError> {
        let path = self.path()?;
        if !self.is_symbol("(") {
            return Ok(Expression::Field(path));
        }
        self.next += 1;
        self.enter()?;
        let mut arguments = Vec::new();
        if !self.is_symbol(")") {
            loop {
                arguments.push(self.expression()?);
                if !self.take_symbol(",") {
                    break;
                }
            }
        }
        self.expect_symbol(")")?;
        self.depth -= 1;
        let name = path.text();
        let known = super::ast::is_aggregate_name(&name)
            || [
                "fields",
                "tolabel",
                "format",
                "convertcurrency",
                "converttimezone",
                "calendar_year",
                "calendar_month",
                "calendar_quarter",
                "day_only",
                "day_in_month",
                "hour_in_day",
            ]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&name));
        if !known {
            return Err(QueryError::at(
                "MALFORMED_QUERY",
                self.soql,
                path.at,
                &format!("unexpected token: '{name}'"),
            ));
        }
        Ok(Expression::Call(Call { name, arguments, at: path.at }))
    }

    fn enter(&mut self) -> Result<(), QueryError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(QueryError::plain(
                "QUERY_TOO_COMPLICATED",
                "Query is either selecting too many fields or the filter conditions are too complicated.",
            ));
        }
        Ok(())
    }

    fn order(&mut self) -> Result<Order, QueryError> {
        let by = self.expression()?;
        let descending = if self.take_word("desc") {
            true
        } else {
            self.take_word("asc");
            false
        };
        let mut nulls_last = false;
        if self.take_word("nulls") {
            nulls_last = self.take_word("last");
            if !nulls_last {
                self.expect_word("first")?;
            }
        }
        Ok(Order { by, descending, nulls_last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_queries_are_accepted_and_refused_as_published() {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/recordings/soql/test-cases-for-is-valid.json");
        let Ok(text) = std::fs::read_to_string(path) else { return };
        let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
        // What the sandbox leaves out: data categories, distances, roll-ups, comments, binds; and two texts that the
        // corpus accepts although a clause is cut off or has two arguments.
        let left_out = ["WITH DATA CATEGORY", "DISTANCE(", "ROLLUP(", "/*", ":foo", ":new"];
        for case in cases.as_array().unwrap() {
            let soql = case["soql"].as_str().unwrap();
            let upper = soql.to_uppercase();
            if left_out.iter().any(|word| upper.contains(&word.to_uppercase()))
                || upper.trim_end().ends_with("OFFSET")
            {
                continue;
            }
            let parsed = parse(soql);
            assert_eq!(parsed.is_ok(), case["isValid"].as_bool().unwrap(), "{soql}: {parsed:?}");
        }
    }

    #[test]
    fn errors_point_at_the_token() {
        let error = parse("SELECT Id FROM Contact WHERE Name == 'x'").unwrap_err();
        assert!(error.message.contains("ERROR at Row:1:Column:36"), "{}", error.message);
        assert_eq!(error.code, "MALFORMED_QUERY");
    }

    #[test]
    fn deep_nesting_is_refused_without_a_crash() {
        let soql =
            format!("SELECT Id FROM Contact WHERE {}Name = 'x'{}", "(".repeat(5_000), ")".repeat(5_000));
        assert_eq!(parse(&soql).unwrap_err().code, "QUERY_TOO_COMPLICATED");
        let soql = format!("SELECT Id FROM Contact WHERE {}Name = 'x'", "NOT ".repeat(5_000));
        assert!(parse(&soql).is_err());
    }
}
