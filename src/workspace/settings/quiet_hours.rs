//! The hours in which automatic sync rests, such as `22:00-06:00`.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

/// A daily span of local time; it may reach over midnight. The end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QuietHours {
    /// When it begins.
    pub from: NaiveTime,
    /// When it ends.
    pub until: NaiveTime,
}

impl QuietHours {
    /// Whether a time of day lies inside.
    pub fn contains(&self, time: NaiveTime) -> bool {
        if self.from <= self.until {
            self.from <= time && time < self.until
        } else {
            self.from <= time || time < self.until
        }
    }
}

/// A text that is no span of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no span of time: write two different times of day, such as 22:00-06:00")]
pub struct QuietHoursError(String);

impl FromStr for QuietHours {
    type Err = QuietHoursError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = |part: &str| NaiveTime::parse_from_str(part.trim(), "%H:%M").ok();
        text.split_once(['-', '–'])
            .and_then(|(from, until)| Some(Self { from: time(from)?, until: time(until)? }))
            .filter(|span| span.from != span.until)
            .ok_or_else(|| QuietHoursError(text.to_owned()))
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.from.format("%H:%M"), self.until.format("%H:%M"))
    }
}

impl TryFrom<String> for QuietHours {
    type Error = QuietHoursError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<QuietHours> for String {
    fn from(span: QuietHours) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    #[test]
    fn a_span_may_reach_over_midnight() {
        let night: QuietHours = "22:00-06:00".parse().unwrap();
        assert!(night.contains(at(23, 59)) && night.contains(at(0, 0)) && night.contains(at(5, 59)));
        assert!(!night.contains(at(6, 0)) && !night.contains(at(21, 59)));
        let noon: QuietHours = "11:30 - 12:15".parse().unwrap();
        assert!(noon.contains(at(12, 14)) && !noon.contains(at(12, 15)));
        assert_eq!(noon.to_string(), "11:30-12:15");
    }

    #[test]
    fn half_a_span_is_refused() {
        for text in ["22:00", "22-6", "25:00-06:00", "06:00-06:00", ""] {
            assert!(text.parse::<QuietHours>().is_err(), "{text}");
        }
    }
}
