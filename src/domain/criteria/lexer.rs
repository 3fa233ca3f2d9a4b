//! Cuts the text of criteria into tokens; [`super::parser`] puts them together.

use super::{CriteriaError, Operator};

/// A token and where it begins, counted in characters from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) position: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword, a field name or a relative date.
    Word(String),
    /// A field name in double quotes.
    QuotedField(String),
    /// A text in single quotes: as plain text, and as a pattern that keeps its escaped wildcards.
    Text { plain: String, pattern: String },
    /// A number, a date or a moment, not yet looked at.
    Bare(String),
    /// A comparison.
    Operator(Operator),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
}

impl TokenKind {
    /// Whether this is a keyword, in whatever case.
    pub(super) fn is_word(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// As it is shown in a message.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(text) | Self::Bare(text) | Self::QuotedField(text) => format!("“{text}”"),
            Self::Text { plain, .. } => format!("'{plain}'"),
            Self::Operator(operator) => format!("“{}”", operator.symbol()),
            Self::Open => "“(”".into(),
            Self::Close => "“)”".into(),
            Self::Comma => "“,”".into(),
        }
    }
}

pub(super) fn error(position: usize, message: impl Into<String>) -> CriteriaError {
    CriteriaError { position, message: message.into() }
}

/// Whether a field name can stand without quotes as far as its characters go.
pub(super) fn is_plain_name(name: &str) -> bool {
    name.split('.').all(|part| {
        let mut characters = part.chars();
        characters.next().is_some_and(is_name_start) && characters.all(is_name_part)
    })
}

fn is_name_start(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn is_name_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// All tokens of a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, CriteriaError> {
    let mut reader = Reader { characters: text.chars().collect(), place: 0 };
    let mut found = Vec::new();
    while let Some(token) = reader.next_token()? {
        found.push(token);
    }
    Ok(found)
}

struct Reader {
    characters: Vec<char>,
    place: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.place).copied()
    }

    fn take_if(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.place += 1;
        }
        found
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(character) = self.peek().filter(|character| wanted(*character)) {
            taken.push(character);
            self.place += 1;
        }
        taken
    }

    fn next_token(&mut self) -> Result<Option<Token>, CriteriaError> {
        self.take_while(char::is_whitespace);
        let position = self.place + 1;
        let Some(first) = self.peek() else { return Ok(None) };
        let kind = if is_name_start(first) {
            let mut word = self.take_while(|character| is_name_part(character) || character == '.');
            // Only a relative date has a number behind it.
            if self.take_if(':') {
                word.push(':');
                word.push_str(&self.take_while(|character| character.is_ascii_digit()));
            }
            TokenKind::Word(word)
        } else if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') {
            TokenKind::Bare(self.take_while(|character| {
                character.is_ascii_alphanumeric() || matches!(character, '-' | '+' | '.' | ':')
            }))
        } else {
            self.place += 1;
            match first {
                '(' => TokenKind::Open,
                ')' => TokenKind::Close,
                ',' => TokenKind::Comma,
                '\'' => self.text(position)?,
                '"' => self.quoted_field(position)?,
                '=' => {
                    self.take_if('=');
                    TokenKind::Operator(Operator::Equal)
                }
                '!' if self.take_if('=') => TokenKind::Operator(Operator::NotEqual),
                '<' if self.take_if('>') => TokenKind::Operator(Operator::NotEqual),
                '<' if self.take_if('=') => TokenKind::Operator(Operator::LessOrEqual),
                '<' => TokenKind::Operator(Operator::Less),
                '>' if self.take_if('=') => TokenKind::Operator(Operator::GreaterOrEqual),
                '>' => TokenKind::Operator(Operator::Greater),
                '!' => {
                    return Err(error(position, "write “!=” for unequal, and NOT in front of a condition"));
                }
                '‘' | '’' | '“' | '”' => {
                    return Err(error(position, "texts stand in straight single quotes, such as 'text'"));
                }
                '&' | '|' => return Err(error(position, "write AND or OR between two conditions")),
                other => {
                    return Err(error(position, format!("“{}” has no meaning here", other.escape_debug())));
                }
            }
        };
        Ok(Some(Token { kind, position }))
    }

    fn quoted_field(&mut self, position: usize) -> Result<TokenKind, CriteriaError> {
        let name = self.take_while(|character| character != '"');
        if !self.take_if('"') {
            return Err(error(position, "the double quote that begins here is never closed"));
        }
        if name.trim().is_empty() {
            return Err(error(position, "the field name in double quotes is empty"));
        }
        Ok(TokenKind::QuotedField(name))
    }

    fn text(&mut self, position: usize) -> Result<TokenKind, CriteriaError> {
        let mut plain = String::new();
        let mut pattern = String::new();
        loop {
            let Some(character) = self.peek() else {
                return Err(error(position, "the single quote that begins here is never closed"));
            };
            self.place += 1;
            match character {
                '\'' => return Ok(TokenKind::Text { plain, pattern }),
                '\\' => {
                    let escaped = self.escape()?;
                    if matches!(escaped, '\\' | '%' | '_') {
                        pattern.push('\\');
                    }
                    plain.push(escaped);
                    pattern.push(escaped);
                }
                other => {
                    plain.push(other);
                    pattern.push(other);
                }
            }
        }
    }

    /// The character meant by what follows a backslash.
    fn escape(&mut self) -> Result<char, CriteriaError> {
        let position = self.place;
        let Some(character) = self.peek() else {
            return Err(error(position, "a text can't end with a single backslash"));
        };
        self.place += 1;
        Ok(match character {
            '\'' | '"' | '\\' | '%' | '_' => character,
            'n' | 'N' => '\n',
            'r' | 'R' => '\r',
            't' | 'T' => '\t',
            'b' | 'B' => '\u{8}',
            'f' | 'F' => '\u{c}',
            'u' | 'U' => {
                let digits: String = self.characters.iter().skip(self.place).take(4).collect();
                let found = u32::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let Some(found) = found.and_then(char::from_u32) else {
                    return Err(error(position, "“\\u” needs the four hexadecimal digits of a character"));
                };
                self.place += 4;
                found
            }
            other => {
                return Err(error(
                    position,
                    format!(
                        "“\\{}” is no escape; known are \\' \\\\ \\n \\r \\t, and \\% \\_ after LIKE",
                        other.escape_debug()
                    ),
                ));
            }
        })
    }
}
