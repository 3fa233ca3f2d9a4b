//! Numbers, moments and durations as people read them.

use chrono::{DateTime, TimeDelta, Utc};

use crate::console::app::model::Zone;

/// A number with separated thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One thing, or several of it.
pub fn things(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { several })
}

/// A duration such as `1m 12s`.
pub fn duration(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, rest) => format!("{rest}s"),
        (0, 0, minutes, 0) => format!("{minutes}m"),
        (0, 0, minutes, rest) => format!("{minutes}m {rest}s"),
        (0, hours, 0, _) => format!("{hours}h"),
        (0, hours, minutes, _) => format!("{hours}h {minutes}m"),
        (days, 0, _, _) => format!("{days}d"),
        (days, hours, _, _) => format!("{days}d {hours}h"),
    }
}

/// The time between two moments, never negative.
pub fn between(start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    duration((end - start).max(TimeDelta::zero()).num_seconds().unsigned_abs())
}

/// A moment in a list: the time if it is of today, else the day, too.
pub fn moment(at: DateTime<Utc>, now: DateTime<Utc>, zone: Zone) -> String {
    let (at, now) = (zone.at(at), zone.at(now));
    if at.date_naive() == now.date_naive() {
        at.format("today %H:%M:%S").to_string()
    } else if at.date_naive() + TimeDelta::days(1) == now.date_naive() {
        at.format("yesterday %H:%M").to_string()
    } else if (now - at).num_days().abs() < 300 {
        at.format("%-d %b %H:%M").to_string()
    } else {
        at.format("%-d %b %Y").to_string()
    }
}

/// As [`moment`], to the minute.
pub fn moment_short(at: DateTime<Utc>, now: DateTime<Utc>, zone: Zone) -> String {
    let text = moment(at, now, zone);
    match text.strip_prefix("today ").and_then(|time| time.get(..5)) {
        Some(minutes) => format!("today {minutes}"),
        None => text,
    }
}

/// The time of day, with the day where it is another one.
pub fn clock(at: DateTime<Utc>, now: DateTime<Utc>, zone: Zone) -> String {
    let (at, now) = (zone.at(at), zone.at(now));
    if at.date_naive() == now.date_naive() {
        at.format("%H:%M:%S").to_string()
    } else {
        at.format("%m-%d %H:%M").to_string()
    }
}

/// A moment in full, with its zone.
pub fn exact(at: DateTime<Utc>, zone: Zone) -> String {
    zone.at(at).format("%Y-%m-%d %H:%M:%S %:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_separated() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(things(1, "record", "records"), "1 record");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        assert_eq!(duration(12), "12s");
        assert_eq!(duration(72), "1m 12s");
        assert_eq!(duration(3_600), "1h");
        assert_eq!(duration(90_061), "1d 1h");
    }

    #[test]
    fn moments_are_relative_to_today() {
        let now = DateTime::from_timestamp(1_795_305_600, 0).unwrap();
        assert_eq!(moment(now, now, Zone::Universal), "today 00:00:00");
        assert_eq!(moment(now - TimeDelta::hours(1), now, Zone::Universal), "yesterday 23:00");
        assert!(exact(now, Zone::Universal).ends_with("+00:00"));
    }
}
