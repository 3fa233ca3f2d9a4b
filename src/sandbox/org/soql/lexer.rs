//! Cuts a query into tokens.

use super::QueryError;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or keyword, dots included, as in `Account.Name` or `LAST_N_DAYS:3`.
    Word(String),
    Text(String),
    Number(f64),
    Date(i32),
    Moment(i64),
    Symbol(&'static str),
}

/// A token and where it starts.
pub(super) type Placed = (Token, usize);

const SYMBOLS: [&str; 12] = ["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ",", ":", "*"];

/// All tokens of a query.
pub(super) fn tokens(soql: &str) -> Result<Vec<Placed>, QueryError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = soql.get(at..) {
        let Some(letter) = rest.chars().next() else { break };
        if letter.is_whitespace() {
            at += letter.len_utf8();
        } else if letter == '\'' {
            let (text, length) = text(soql, at, rest)?;
            tokens.push((Token::Text(text), at));
            at += length;
        } else if letter.is_ascii_digit()
            || ((letter == '-' || letter == '+')
                && rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit() || next == '.'))
        {
            let (token, length) = number_or_date(soql, at, rest)?;
            tokens.push((token, at));
            at += length;
        } else if letter.is_alphabetic() || letter == '_' {
            let length = rest
                .find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '.'))
                .unwrap_or(rest.len());
            let word = rest.get(..length).unwrap_or_default();
            tokens.push((Token::Word(word.to_owned()), at));
            at += length;
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            tokens.push((Token::Symbol(symbol), at));
            at += symbol.len();
        } else {
            return Err(QueryError::at(
                "MALFORMED_QUERY",
                soql,
                at,
                &format!("unexpected token: '{letter}'"),
            ));
        }
    }
    Ok(tokens)
}

/// What stands before a wildcard that was escaped in a literal; a backslash of its own is an ordinary character there.
pub(super) const ESCAPED: char = '\u{0}';

fn text(soql: &str, at: usize, rest: &str) -> Result<(String, usize), QueryError> {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\'' => return Ok((text, place + 1)),
            '\\' => match letters.next().map(|next| next.1) {
                Some('n' | 'N') => text.push('\n'),
                Some('r' | 'R') => text.push('\r'),
                Some('t' | 'T') => text.push('\t'),
                Some('b' | 'B') => text.push('\u{8}'),
                Some('f' | 'F') => text.push('\u{c}'),
                Some(same @ ('"' | '\'' | '\\')) => text.push(same),
                // Kept apart from plain ones: only LIKE gives them a meaning.
                Some(wild @ ('_' | '%')) => text.extend([ESCAPED, wild]),
                Some('u') => {
                    let code: String = letters.by_ref().take(4).map(|digit| digit.1).collect();
                    let letter = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                    text.push(letter.ok_or_else(|| {
                        QueryError::at("MALFORMED_QUERY", soql, at + place, "Illegal unicode escape")
                    })?);
                }
                _ => {
                    return Err(QueryError::at(
                        "MALFORMED_QUERY",
                        soql,
                        at + place,
                        "Illegal character sequence in string literal: invalid escape",
                    ));
                }
            },
            _ => text.push(letter),
        }
    }
    Err(QueryError::at(
        "MALFORMED_QUERY",
        soql,
        at,
        "line breaks not allowed in string literals, or the literal is not closed",
    ))
}

fn number_or_date(soql: &str, at: usize, rest: &str) -> Result<(Token, usize), QueryError> {
    let length = rest
        .char_indices()
        .find(|(place, letter)| {
            let sign = matches!(letter, '+' | '-');
            !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | ':') || sign || *place == 0)
        })
        .map_or(rest.len(), |found| found.0);
    let word = rest.get(..length).unwrap_or_default();
    let token = if word.len() == 10 && word.as_bytes().get(4) == Some(&b'-') {
        super::super::moment::parse_date(word).map(Token::Date)
    } else if word.contains('T') || word.contains('t') {
        super::super::moment::parse_moment(&word.to_ascii_uppercase()).map(Token::Moment)
    } else {
        word.parse().ok().filter(|number: &f64| number.is_finite()).map(Token::Number)
    };
    match token {
        Some(token) => Ok((token, length)),
        None => Err(QueryError::at("MALFORMED_QUERY", soql, at, &format!("unexpected token: '{word}'"))),
    }
}
