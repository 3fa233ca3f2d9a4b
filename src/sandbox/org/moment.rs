//! Dates and times as the org writes and reads them: `2026-11-21T10:05:00.000+0000` out, several forms in.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// `2026-11-21T10:05:00.000+0000`.
pub(super) fn write_moment(out: &mut Vec<u8>, ms: i64) {
    write_date(out, ms.div_euclid(DAY_MS) as i32);
    out.push(b'T');
    write_clock(out, ms.rem_euclid(DAY_MS) as u32);
    out.extend_from_slice(b"+0000");
}

/// `2026-11-21`, by days since 1970.
pub(super) fn write_date(out: &mut Vec<u8>, days: i32) {
    let date = date_of(days);
    let year = date.year();
    push_padded(out, year.unsigned_abs(), 4);
    out.push(b'-');
    push_padded(out, date.month(), 2);
    out.push(b'-');
    push_padded(out, date.day(), 2);
}

/// `10:05:00.000`.
pub(super) fn write_clock(out: &mut Vec<u8>, ms: u32) {
    push_padded(out, ms / 3_600_000, 2);
    out.push(b':');
    push_padded(out, ms / 60_000 % 60, 2);
    out.push(b':');
    push_padded(out, ms / 1_000 % 60, 2);
    out.push(b'.');
    push_padded(out, ms % 1_000, 3);
}

fn push_padded(out: &mut Vec<u8>, number: u32, width: usize) {
    let mut digits = [b'0'; 10];
    let mut rest = number;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
        if rest == 0 && used >= width {
            break;
        }
    }
    if let Some(tail) = digits.get(10 - used..) {
        out.extend_from_slice(tail);
    }
}

/// The same as a `String`.
pub(super) fn moment_text(ms: i64) -> String {
    let mut out = Vec::with_capacity(28);
    write_moment(&mut out, ms);
    String::from_utf8(out).unwrap_or_default()
}

/// `Sat, 21 Nov 2026 10:05:00 GMT`, for HTTP headers.
pub(super) fn http_date(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms)
        .map_or_else(String::new, |at| at.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// Milliseconds of an HTTP date.
pub(super) fn parse_http_date(text: &str) -> Option<i64> {
    NaiveDateTime::parse_from_str(text.trim(), "%a, %d %b %Y %H:%M:%S GMT")
        .ok()
        .map(|at| at.and_utc().timestamp_millis())
}

/// The calendar date of a day number.
pub(super) fn date_of(days: i32) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt(days.saturating_add(719_163)).unwrap_or_default()
}

/// The day number of a calendar date.
pub(super) fn days_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// A date in the one form the org takes, as days since 1970.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    if text.len() != 10 {
        return None;
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|date| (1700..=4000).contains(&date.year()))
        .map(days_of)
}

/// A moment with a zone (`Z`, `+01:00`, `+0100`), with or without fraction, as milliseconds since 1970. A bare date is
/// midnight in UTC.
pub(super) fn parse_moment(text: &str) -> Option<i64> {
    if let Some(days) = parse_date(text) {
        return Some(i64::from(days) * DAY_MS);
    }
    let (text, zulu) = match text.strip_suffix(['Z', 'z']) {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let at: DateTime<FixedOffset> = if zulu {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?.and_utc().fixed_offset()
    } else {
        DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok()?
    };
    (1700..=4000).contains(&at.year()).then(|| at.timestamp_millis())
}

/// A time of day, `10:05:00.000Z`, as milliseconds since midnight.
pub(super) fn parse_time(text: &str) -> Option<u32> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok()?;
    Some(time.num_seconds_from_midnight() * 1_000 + time.nanosecond() / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_with_an_offset_without_colon() {
        assert_eq!(moment_text(1_369_083_572_000), "2013-05-20T20:59:32.000+0000");
        assert_eq!(moment_text(-1_000), "1969-12-31T23:59:59.000+0000");
    }

    #[test]
    fn all_documented_forms_of_a_moment_are_read() {
        for text in [
            "2013-05-20T20:59:32Z",
            "2013-05-20T20:59:32.000Z",
            "2013-05-20T22:59:32+02:00",
            "2013-05-20T20:59:32.000+0000",
        ] {
            assert_eq!(parse_moment(text), Some(1_369_083_572_000), "{text}");
        }
        assert_eq!(parse_moment("2013-05-20"), Some(1_369_008_000_000));
        assert_eq!(parse_moment("20/05/2013"), None);
        assert_eq!(parse_date("2013-02-30"), None);
    }

    #[test]
    fn http_dates_round_trip() {
        assert_eq!(parse_http_date(&http_date(1_369_083_572_000)), Some(1_369_083_572_000));
    }
}
