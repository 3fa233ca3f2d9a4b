//! One step of a transform: what it is called, how it is written, and whether it can be taken back.
//!
//! A rule is written as its name and its words: `trim`, `truncate 40`, `date dd.MM.yyyy`, `join ", "`. Words with blanks stand in
//! quotes. [`super::rules`] puts rules one behind the other; `super::turn` says what each does.

use std::fmt;
use std::str::FromStr;

use crate::domain::transform::pattern::Pattern;
use crate::domain::transform::zone::{self, Zone};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Without blanks at both ends and with single ones inside.
    Trim,
    /// In small letters.
    Lower,
    /// In capital letters.
    Upper,
    /// Each word with a capital letter.
    Title,
    /// An e-mail address as it is compared: small letters, no blanks, no `mailto:`.
    Email,
    /// A phone number in international form; a number that begins with 0 gets this country code.
    Phone(String),
    /// A number in any usual spelling as a plain number, perhaps rounded to these digits behind the point.
    Number(Option<u8>),
    /// A plain number with a decimal comma.
    Comma,
    /// A day or moment as text of this pattern.
    Date(Pattern),
    /// Text of this pattern as a day or moment.
    ReadDate(Pattern),
    /// A moment as a zone writes it.
    Zone(Zone),
    /// The day of a moment in a zone.
    Day(Zone),
    /// Yes and no in many spellings, as a tick box.
    Bool,
    /// Yes and no in many spellings, as these two words.
    Words(String, String),
    /// These two words, or yes and no in many spellings, as a tick box.
    ReadWords(String, String),
    /// A multi-select as text with this between its values.
    JoinList(String),
    /// Text with this between its values as a multi-select.
    SplitList(String),
    /// Several fields as one text with this between them; blank ones are left out.
    Join(String),
    /// One text as several fields, cut at this; what is left stays in the last.
    Split(String),
    /// Several fields in a text of this form: `{1}` is the first.
    Template(String),
    /// At most so many characters.
    Truncate(usize),
    /// This where there is nothing.
    Default(String),
    /// Nothing where this stands.
    Blank(String),
    /// With this before it.
    Prefix(String),
    /// Without this before it.
    Unprefix(String),
    /// With every one of the first turned into the second.
    Replace(String, String),
}

/// A rule that can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// No such rule.
    #[error("there is no rule “{0}”; known are {known}{near}", known = NAMES.join(", "), near = near(.0))]
    Unknown(String),
    /// Its words don't fit.
    #[error("“{name}” is written as: {usage}")]
    Usage {
        /// The rule.
        name: String,
        /// How it is written.
        usage: &'static str,
    },
    /// A quote that is not closed.
    #[error("a quote is not closed in “{0}”")]
    Quote(String),
}

fn near(name: &str) -> String {
    let allowed = if name.len() < 4 { 1 } else { 2 };
    let close = NAMES.iter().map(|known| (edits(known, name), *known)).filter(|(count, _)| *count <= allowed);
    let close = close.min().map(|(_, known)| known);
    close.map(|known| format!("; did you mean “{known}”?")).unwrap_or_default()
}

/// Letters to insert, leave out or change until one word is the other.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(40).collect();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.chars().enumerate() {
        let mut current = vec![row + 1];
        for ((column, wanted), diagonal) in other.iter().enumerate().zip(&last) {
            let above = last.get(column + 1).copied().unwrap_or(usize::MAX / 2) + 1;
            let beside = current.last().copied().unwrap_or(usize::MAX / 2) + 1;
            current.push((diagonal + usize::from(letter != *wanted)).min(above).min(beside));
        }
        last = current;
    }
    last.last().copied().unwrap_or(0)
}

/// The names of all rules.
pub const NAMES: [&str; 26] = [
    "trim",
    "lower",
    "upper",
    "title",
    "email",
    "phone",
    "number",
    "comma",
    "date",
    "read_date",
    "zone",
    "day",
    "bool",
    "words",
    "read_words",
    "join_list",
    "split_list",
    "join",
    "split",
    "template",
    "truncate",
    "default",
    "blank",
    "prefix",
    "unprefix",
    "replace",
];

impl Rule {
    /// The rule that takes this one back; `None` where it loses something.
    pub fn back(&self) -> Option<Self> {
        Some(match self {
            Self::Comma => Self::Number(None),
            Self::Date(pattern) if pattern.is_whole() => Self::ReadDate(pattern.clone()),
            Self::ReadDate(pattern) if pattern.is_whole() => Self::Date(pattern.clone()),
            Self::Zone(_) => Self::Zone(zone::UTC),
            Self::Words(yes, no) => Self::ReadWords(yes.clone(), no.clone()),
            Self::ReadWords(yes, no) => Self::Words(yes.clone(), no.clone()),
            Self::JoinList(between) => Self::SplitList(between.clone()),
            Self::SplitList(between) => Self::JoinList(between.clone()),
            Self::Join(between) => Self::Split(between.clone()),
            Self::Split(between) => Self::Join(between.clone()),
            Self::Prefix(text) => Self::Unprefix(text.clone()),
            Self::Unprefix(text) => Self::Prefix(text.clone()),
            Self::Trim
            | Self::Lower
            | Self::Upper
            | Self::Title
            | Self::Email
            | Self::Phone(_)
            | Self::Number(_)
            | Self::Date(_)
            | Self::ReadDate(_)
            | Self::Day(_)
            | Self::Bool
            | Self::Template(_)
            | Self::Truncate(_)
            | Self::Default(_)
            | Self::Blank(_)
            | Self::Replace(..) => return None,
        })
    }

    /// What it loses, as the rest of a sentence that begins with the rule; `None` where nothing is lost.
    pub fn loses(&self) -> Option<&'static str> {
        Some(match self {
            Self::Trim => "loses blanks",
            Self::Lower | Self::Upper | Self::Title => "loses which letters were capital",
            Self::Email | Self::Phone(_) | Self::Number(_) => "loses the spelling",
            Self::Date(pattern) | Self::ReadDate(pattern) if !pattern.is_whole() => "loses a part of the day",
            Self::Day(_) => "loses the time of the day",
            Self::Bool => "loses which words stood there",
            Self::Template(_) => "can't tell the parts again",
            Self::Truncate(_) => "cuts off what is longer",
            Self::Default(_) => "loses that it was blank",
            Self::Blank(_) | Self::Replace(..) => "loses what stood there",
            Self::Comma
            | Self::Date(_)
            | Self::ReadDate(_)
            | Self::Zone(_)
            | Self::Words(..)
            | Self::ReadWords(..)
            | Self::JoinList(_)
            | Self::SplitList(_)
            | Self::Join(_)
            | Self::Split(_)
            | Self::Prefix(_)
            | Self::Unprefix(_) => return None,
        })
    }

    /// How many values come out of so many, for a target of `width` fields; `None` where that can't be.
    pub fn width(&self, from: usize, width: usize) -> Option<usize> {
        match self {
            Self::Join(_) => Some(1),
            Self::Template(form) => (from >= 1 && highest(form) <= from).then_some(1),
            Self::Split(_) => (from == 1).then_some(width),
            _ => Some(from),
        }
    }

    fn parts(&self) -> (&'static str, Vec<String>) {
        let one = |name, text: &String| (name, vec![text.clone()]);
        match self {
            Self::Trim => ("trim", Vec::new()),
            Self::Lower => ("lower", Vec::new()),
            Self::Upper => ("upper", Vec::new()),
            Self::Title => ("title", Vec::new()),
            Self::Email => ("email", Vec::new()),
            Self::Phone(country) if country.is_empty() => ("phone", Vec::new()),
            Self::Phone(country) => one("phone", country),
            Self::Number(None) => ("number", Vec::new()),
            Self::Number(Some(digits)) => ("number", vec![digits.to_string()]),
            Self::Comma => ("comma", Vec::new()),
            Self::Date(pattern) => ("date", vec![pattern.to_string()]),
            Self::ReadDate(pattern) => ("read_date", vec![pattern.to_string()]),
            Self::Zone(zone) => ("zone", vec![zone.to_string()]),
            Self::Day(zone) => ("day", vec![zone.to_string()]),
            Self::Bool => ("bool", Vec::new()),
            Self::Words(yes, no) => ("words", vec![yes.clone(), no.clone()]),
            Self::ReadWords(yes, no) => ("read_words", vec![yes.clone(), no.clone()]),
            Self::JoinList(between) => one("join_list", between),
            Self::SplitList(between) => one("split_list", between),
            Self::Join(between) => one("join", between),
            Self::Split(between) => one("split", between),
            Self::Template(form) => one("template", form),
            Self::Truncate(most) => ("truncate", vec![most.to_string()]),
            Self::Default(text) => one("default", text),
            Self::Blank(text) => one("blank", text),
            Self::Prefix(text) => one("prefix", text),
            Self::Unprefix(text) => one("unprefix", text),
            Self::Replace(old, new) => ("replace", vec![old.clone(), new.clone()]),
        }
    }
}

/// The highest number in braces.
fn highest(form: &str) -> usize {
    form.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').and_then(|(number, _)| number.parse().ok()))
        .max()
        .unwrap_or(0)
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, words) = self.parts();
        formatter.write_str(name)?;
        for word in words {
            let plain = !word.is_empty()
                && !word.contains(|letter: char| letter.is_whitespace() || "\"\\|".contains(letter));
            if plain {
                write!(formatter, " {word}")?;
            } else {
                write!(formatter, " \"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))?;
            }
        }
        Ok(())
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut words = words(text)?.into_iter();
        let name = words.next().unwrap_or_default();
        let rest: Vec<String> = words.collect();
        let usage = |usage: &'static str| RuleError::Usage { name: name.clone(), usage };
        let none = |rule: Self, how: &'static str| if rest.is_empty() { Ok(rule) } else { Err(usage(how)) };
        let one = |how: &'static str| match rest.as_slice() {
            [one] if !one.is_empty() => Ok(one.clone()),
            _ => Err(usage(how)),
        };
        let two = |how: &'static str| match rest.as_slice() {
            [first, second] => Ok((first.clone(), second.clone())),
            _ => Err(usage(how)),
        };
        let pattern = |how: &'static str| Pattern::parse(&rest.join(" ")).ok_or_else(|| usage(how));
        Ok(match name.as_str() {
            "trim" => none(Self::Trim, "trim")?,
            "lower" => none(Self::Lower, "lower")?,
            "upper" => none(Self::Upper, "upper")?,
            "title" => none(Self::Title, "title")?,
            "email" => none(Self::Email, "email")?,
            "phone" => match rest.as_slice() {
                [] => Self::Phone(String::new()),
                [country] if is_country(country) => Self::Phone(country.clone()),
                _ => return Err(usage("phone, or phone +49")),
            },
            "number" => match rest.as_slice() {
                [] => Self::Number(None),
                [digits] => {
                    let digits = digits.parse().ok().filter(|digits| *digits <= 18);
                    Self::Number(Some(digits.ok_or_else(|| usage("number, or number 2"))?))
                }
                _ => return Err(usage("number, or number 2")),
            },
            "comma" => none(Self::Comma, "comma")?,
            "date" => Self::Date(pattern("date dd.MM.yyyy")?),
            "read_date" => Self::ReadDate(pattern("read_date dd.MM.yyyy")?),
            "zone" | "day" => {
                let how = if name == "zone" {
                    "zone Europe/Amsterdam, or zone +02:00"
                } else {
                    "day Europe/Amsterdam, or day +02:00"
                };
                let zone = Zone::read(&one(how)?).ok_or_else(|| usage(how))?;
                if name == "zone" { Self::Zone(zone) } else { Self::Day(zone) }
            }
            "bool" => none(Self::Bool, "bool")?,
            "words" => {
                let (yes, no) = two("words Y N")?;
                if yes.eq_ignore_ascii_case(&no) {
                    return Err(usage("words Y N, with two different words"));
                }
                Self::Words(yes, no)
            }
            "read_words" => {
                let (yes, no) = two("read_words Y N")?;
                if yes.eq_ignore_ascii_case(&no) {
                    return Err(usage("read_words Y N, with two different words"));
                }
                Self::ReadWords(yes, no)
            }
            "join_list" => Self::JoinList(one("join_list ,")?),
            "split_list" => Self::SplitList(one("split_list ,")?),
            "join" => Self::Join(one("join \", \"")?),
            "split" => Self::Split(one("split \", \"")?),
            "template" => {
                let form = one("template \"{1} {2}\"")?;
                if highest(&form) == 0 {
                    return Err(usage("template \"{1} {2}\""));
                }
                Self::Template(form)
            }
            "truncate" => {
                let how = "truncate 40";
                let most = one(how)?.parse().ok().filter(|most| *most > 0);
                Self::Truncate(most.ok_or_else(|| usage(how))?)
            }
            "default" => Self::Default(one("default \"not known\"")?),
            "blank" => Self::Blank(one("blank \"not known\"")?),
            "prefix" => Self::Prefix(one("prefix SF-")?),
            "unprefix" => Self::Unprefix(one("unprefix SF-")?),
            "replace" => {
                let (old, new) = two("replace old new")?;
                if old.is_empty() {
                    return Err(usage("replace old new"));
                }
                Self::Replace(old, new)
            }
            _ => return Err(RuleError::Unknown(name)),
        })
    }
}

impl serde::Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Rule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn is_country(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The words of a text; quotes hold words with blanks together.
fn words(text: &str) -> Result<Vec<String>, RuleError> {
    let mut found = Vec::new();
    let mut letters = text.trim().chars().peekable();
    while let Some(first) = letters.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut word = String::new();
        if first == '"' {
            loop {
                match letters.next() {
                    Some('"') => break,
                    Some('\\') => word.extend(letters.next()),
                    Some(letter) => word.push(letter),
                    None => return Err(RuleError::Quote(text.to_owned())),
                }
            }
        } else {
            word.push(first);
            while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace()) {
                word.push(letter);
            }
        }
        found.push(word);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
