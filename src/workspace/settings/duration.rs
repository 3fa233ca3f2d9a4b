//! Intervals as a person writes them: `30s`, `5m`, `1h`, `1d`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often something happens, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Every(Duration);

impl Every {
    /// An interval of whole seconds.
    pub fn seconds(seconds: u32) -> Self {
        Self(Duration::from_secs(u64::from(seconds)))
    }

    /// As a duration.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl Default for Every {
    /// Five minutes.
    fn default() -> Self {
        Self::seconds(300)
    }
}

/// A text that is no interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no interval: write a number and s, m, h or d, such as 30s, 5m, 1h or 1d")]
pub struct DurationError(String);

/// Seconds of the units, the largest first.
const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl FromStr for Every {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        seconds_of(text.trim()).map(Self::seconds).ok_or_else(|| DurationError(text.to_owned()))
    }
}

/// The sum of all parts; each unit at most once, the larger before the smaller.
fn seconds_of(text: &str) -> Option<u32> {
    let mut total = 0_u32;
    let mut units = UNITS.iter();
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (place, unit) = rest.char_indices().find(|(_, character)| !character.is_ascii_digit())?;
        let (digits, tail) = rest.split_at_checked(place)?;
        let (_, factor) = units.find(|(name, _)| *name == unit.to_ascii_lowercase())?;
        total = total.checked_add(digits.parse::<u32>().ok()?.checked_mul(*factor)?)?;
        rest = tail.strip_prefix(unit)?.trim_start();
    }
    Some(total)
}

impl fmt::Display for Every {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_secs();
        if rest == 0 {
            return formatter.write_str("0s");
        }
        for (unit, seconds) in UNITS {
            let count = rest / u64::from(seconds);
            rest %= u64::from(seconds);
            if count > 0 {
                write!(formatter, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for Every {
    type Error = DurationError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Every> for String {
    fn from(every: Every) -> Self {
        every.to_string()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("30s", 30, "30s")]
    #[case("5m", 300, "5m")]
    #[case("90m", 5_400, "1h30m")]
    #[case("1h 30M", 5_400, "1h30m")]
    #[case("1d", 86_400, "1d")]
    #[case("0s", 0, "0s")]
    fn intervals_are_read_and_written(#[case] text: &str, #[case] seconds: u32, #[case] written: &str) {
        let every: Every = text.parse().unwrap();
        assert_eq!(every, Every::seconds(seconds));
        assert_eq!(every.to_string(), written);
    }

    #[rstest]
    #[case("")]
    #[case("5")]
    #[case("m")]
    #[case("5 minutes")]
    #[case("5m1h")]
    #[case("-5m")]
    #[case("99999999d")]
    fn other_texts_are_refused(#[case] text: &str) {
        assert!(text.parse::<Every>().is_err());
    }
}
