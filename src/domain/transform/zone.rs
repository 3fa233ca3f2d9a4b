//! Time zones of rules: an offset from UTC, or a place whose summer time is known (`Europe/Amsterdam`).

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, Offset, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;

use crate::domain::value::Value;

/// A time zone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// So many minutes ahead of UTC, all the year.
    Offset(i32),
    /// A name of the IANA database.
    Named(Tz),
}

/// UTC itself.
pub const UTC: Zone = Zone::Offset(0);

impl Zone {
    /// Reads `+02:00`, `-0530`, `Z`, `UTC` or `Europe/Amsterdam`.
    pub fn read(text: &str) -> Option<Self> {
        offset(text).map(Self::Offset).or_else(|| text.parse().ok().map(Self::Named))
    }

    /// A moment as this zone writes it; that of UTC is the plain moment.
    pub(super) fn write(self, moment: DateTime<Utc>) -> Value {
        match self.ahead(moment) {
            Some(offset) if self != UTC => {
                Value::text(moment.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::AutoSi, false))
            }
            _ => Value::Moment(moment),
        }
    }

    /// The day that it is in this zone at a moment.
    pub(super) fn day(self, moment: DateTime<Utc>) -> NaiveDate {
        self.ahead(moment)
            .map_or_else(|| moment.date_naive(), |offset| moment.with_timezone(&offset).date_naive())
    }

    fn ahead(self, moment: DateTime<Utc>) -> Option<FixedOffset> {
        match self {
            Self::Offset(minutes) => FixedOffset::east_opt(minutes * 60),
            Self::Named(zone) => Some(zone.offset_from_utc_datetime(&moment.naive_utc()).fix()),
        }
    }
}

/// Minutes ahead of UTC.
fn offset(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("utc") {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let digits: String = rest.chars().filter(|letter| *letter != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

impl fmt::Display for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset(minutes) => {
                let sign = if *minutes < 0 { '-' } else { '+' };
                write!(formatter, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
            Self::Named(zone) => formatter.write_str(zone.name()),
        }
    }
}

/// By this the state database knows a pair again (`Pair::identity`), so that it stays as it was when zones were offsets alone.
impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset(minutes) => write!(formatter, "{minutes}"),
            Self::Named(zone) => formatter.write_str(zone.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Europe/Amsterdam", "2026-07-01T22:30:00Z", "2026-07-02T00:30:00+02:00", "2026-07-02")]
    #[case("Europe/Amsterdam", "2026-12-01T22:30:00Z", "2026-12-01T23:30:00+01:00", "2026-12-01")]
    // The night in which summer time ends: the same hour twice.
    #[case("Europe/Amsterdam", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00", "2026-10-25")]
    #[case("Europe/Amsterdam", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00+01:00", "2026-10-25")]
    #[case("Asia/Kolkata", "2026-01-01T20:00:00Z", "2026-01-02T01:30:00+05:30", "2026-01-02")]
    #[case("-0330", "2026-01-01T02:00:00Z", "2025-12-31T22:30:00-03:30", "2025-12-31")]
    #[case("UTC", "2026-01-01T02:00:00Z", "2026-01-01T02:00:00Z", "2026-01-01")]
    fn a_zone_heeds_summer_time(
        #[case] zone: &str,
        #[case] moment: &str,
        #[case] written: &str,
        #[case] day: &str,
    ) {
        let (zone, moment) = (Zone::read(zone).unwrap(), moment.parse().unwrap());
        assert_eq!(zone.write(moment).to_string(), written);
        assert_eq!(zone.day(moment).to_string(), day);
        assert_eq!(Zone::read(&zone.to_string()), Some(zone));
    }

    #[rstest]
    #[case("Berlin")]
    #[case("+2")]
    #[case("+99:00")]
    #[case("")]
    fn what_is_no_zone_is_none(#[case] text: &str) {
        assert_eq!(Zone::read(text), None);
    }

    #[test]
    fn an_offset_keeps_the_identity_of_its_pair() {
        assert_eq!(format!("{:?} {:?}", Zone::Offset(-330), UTC), "-330 0");
    }
}
