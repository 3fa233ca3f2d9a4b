//! `[audit]`: how it is made sure that no record is missed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DurationError, Every};

/// How it is made sure that no record is missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSettings {
    /// How often an audit runs while automatic sync is on.
    pub every: AuditEvery,
    /// How many percent of the linked records are read again in a day, whatever their stamps say; none if 0.
    pub reread_percent_per_day: u8,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { every: AuditEvery::default(), reread_percent_per_day: 15 }
    }
}

/// An interval, or `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuditEvery(Option<Every>);

impl AuditEvery {
    /// As a duration; `None` is never.
    pub fn duration(self) -> Option<Duration> {
        self.0.map(Every::duration)
    }
}

impl Default for AuditEvery {
    /// A week.
    fn default() -> Self {
        Self(Some(Every::seconds(7 * 86_400)))
    }
}

impl FromStr for AuditEvery {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().eq_ignore_ascii_case("never") {
            return Ok(Self(None));
        }
        text.parse().map(|every| Self(Some(every)))
    }
}

impl fmt::Display for AuditEvery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(every) => every.fmt(formatter),
            None => formatter.write_str("never"),
        }
    }
}

impl TryFrom<String> for AuditEvery {
    type Error = DurationError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AuditEvery> for String {
    fn from(every: AuditEvery) -> Self {
        every.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_comes_in_an_interval_or_never() {
        assert_eq!("never".parse::<AuditEvery>().unwrap().duration(), None);
        assert_eq!("7d".parse::<AuditEvery>().unwrap(), AuditEvery::default());
        assert_eq!(AuditEvery::default().to_string(), "7d");
        assert!("sometimes".parse::<AuditEvery>().is_err());
    }
}
