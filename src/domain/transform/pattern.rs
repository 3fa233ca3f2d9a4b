//! How a day or a moment is written as text: `dd.MM.yyyy`, `yyyy-MM-dd HH:mm`.

use std::fmt::{self, Write as _};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Timelike, Utc};

use crate::domain::value::Value;

/// A pattern of a day or moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Letter(char),
}

impl Part {
    fn digits(self) -> usize {
        match self {
            Self::Year => 4,
            Self::Month | Self::Day | Self::Hour | Self::Minute | Self::Second => 2,
            Self::Letter(_) => 0,
        }
    }
}

const NAMED: [(&str, Part); 6] = [
    ("yyyy", Part::Year),
    ("MM", Part::Month),
    ("dd", Part::Day),
    ("HH", Part::Hour),
    ("mm", Part::Minute),
    ("ss", Part::Second),
];

impl Pattern {
    /// Reads a pattern; `None` where it names no part of a day, or letters that mean nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        while let Some(letter) = rest.chars().next() {
            if let Some((name, part)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
                if parts.contains(part) {
                    return None;
                }
                parts.push(*part);
                rest = rest.get(name.len()..)?;
            } else if letter.is_ascii_alphabetic() && letter != 'T' && letter != 'Z'
                || letter.is_ascii_digit()
            {
                return None;
            } else {
                parts.push(Part::Letter(letter));
                rest = rest.get(letter.len_utf8()..)?;
            }
        }
        let names_something = parts.iter().any(|part| !matches!(part, Part::Letter(_)));
        names_something.then(|| Self { text: text.trim().to_owned(), parts })
    }

    /// Whether a day can be told from it again, and a moment to the second where it has a time.
    pub fn is_whole(&self) -> bool {
        let has = |part: Part| self.parts.contains(&part);
        let day = has(Part::Year) && has(Part::Month) && has(Part::Day);
        day && (!self.has_time() || has(Part::Hour) && has(Part::Minute) && has(Part::Second))
    }

    fn has_time(&self) -> bool {
        [Part::Hour, Part::Minute, Part::Second].iter().any(|part| self.parts.contains(part))
    }

    /// A day or moment as text; `None` for any other value, and for years of other than four digits.
    pub fn write(&self, value: &Value) -> Option<String> {
        let (day, time) = match value {
            Value::Date(day) => (*day, NaiveTime::MIN),
            Value::Moment(moment) => (moment.date_naive(), moment.time()),
            Value::Text(text) => {
                let text = text.trim();
                match DateTime::parse_from_rfc3339(text) {
                    Ok(moment) => {
                        (moment.with_timezone(&Utc).date_naive(), moment.with_timezone(&Utc).time())
                    }
                    Err(_) => (text.parse::<NaiveDate>().ok()?, NaiveTime::MIN),
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Set(_) => return None,
        };
        if !(0..=9999).contains(&day.year()) {
            return None;
        }
        let mut text = String::new();
        for part in &self.parts {
            let number = match part {
                Part::Letter(letter) => {
                    text.push(*letter);
                    continue;
                }
                Part::Year => day.year().unsigned_abs(),
                Part::Month => day.month(),
                Part::Day => day.day(),
                Part::Hour => time.hour(),
                Part::Minute => time.minute(),
                Part::Second => time.second(),
            };
            let width = part.digits();
            // Writing into a text can't fail.
            let _ = write!(text, "{number:0width$}");
        }
        Some(text)
    }

    /// Text as a day, or as a moment in UTC where the pattern has a time. One digit is enough where nothing else can be meant.
    pub fn read(&self, text: &str) -> Option<Value> {
        let (mut year, mut month, mut day) = (None, 1, 1);
        let (mut hour, mut minute, mut second) = (0, 0, 0);
        let mut rest = text.trim();
        for part in &self.parts {
            if let Part::Letter(letter) = part {
                rest = rest.strip_prefix(*letter)?;
                continue;
            }
            let most = part.digits();
            let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
            let (digits, after) = rest.split_at_checked(length)?;
            let number: u32 = digits.parse().ok()?;
            rest = after;
            match part {
                Part::Year if length == 4 => year = Some(number),
                Part::Month => month = number,
                Part::Day => day = number,
                Part::Hour => hour = number,
                Part::Minute => minute = number,
                Part::Second => second = number,
                Part::Year | Part::Letter(_) => return None,
            }
        }
        if !rest.is_empty() {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(i32::try_from(year?).ok()?, month, day)?;
        if !self.has_time() {
            return Some(Value::Date(date));
        }
        Some(Value::Moment(date.and_hms_opt(hour, minute, second)?.and_utc()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
