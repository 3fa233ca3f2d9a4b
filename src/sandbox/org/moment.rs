//! Dates and times as the org writes and reads them: `2026-11-21T10:05:00.000+0000` out, several forms in.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

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

/// The last day of the quarter that a day is in.
pub(super) fn end_of_quarter(days: i32) -> i32 {
    let date = date_of(days);
    let (year, month) =
        if date.month0() >= 9 { (date.year() + 1, 1) } else { (date.year(), date.month0() / 3 * 3 + 4) };
    NaiveDate::from_ymd_opt(year, month, 1).map_or(days, |next| days_of(next) - 1)
}

/// A date in the one form the org takes, as days since 1970.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = i32::try_from(digits(bytes.get(..4)?)?).ok().filter(|year| (1700..=4000).contains(year))?;
    NaiveDate::from_ymd_opt(year, digits(bytes.get(5..7)?)?, digits(bytes.get(8..)?)?).map(days_of)
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |number, byte| {
        byte.is_ascii_digit().then(|| number.checked_mul(10)?.checked_add(u32::from(byte - b'0'))).flatten()
    })
}

/// A moment with a zone (`Z`, `+01:00`, `+0100`), with or without fraction, as milliseconds since 1970. A bare date is
/// midnight in UTC.
pub(super) fn parse_moment(text: &str) -> Option<i64> {
    let days = i64::from(parse_date(text.get(..10)?)?);
    let Some(rest) = text.get(10..).filter(|rest| !rest.is_empty()) else { return Some(days * DAY_MS) };
    let rest = rest.strip_prefix('T').or_else(|| rest.strip_prefix('t'))?;
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone_at)?;
    Some(days * DAY_MS + i64::from(parse_clock(clock)?) - offset(zone)?)
}

/// Milliseconds of `Z`, `+01:00` or `-0130`.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let plain: Vec<u8> = zone.bytes().skip(1).filter(|byte| *byte != b':').collect();
    let (hours, minutes) = plain.split_at_checked(2).filter(|parts| parts.1.len() == 2)?;
    let minutes = digits(hours)?.checked_mul(60)?.checked_add(digits(minutes)?)?;
    (minutes <= 18 * 60).then_some(sign * i64::from(minutes) * 60_000)
}

/// `10:05:00` with or without fraction, as milliseconds since midnight.
fn parse_clock(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let bytes = whole.as_bytes();
    if bytes.len() != 8 || bytes.get(2) != Some(&b':') || bytes.get(5) != Some(&b':') {
        return None;
    }
    let (hours, minutes, seconds) =
        (digits(bytes.get(..2)?)?, digits(bytes.get(3..5)?)?, digits(bytes.get(6..)?)?);
    if hours > 23
        || minutes > 59
        || seconds > 59
        || fraction.is_empty()
        || !fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let thousandths: String = fraction.chars().chain("00".chars()).take(3).collect();
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000 + digits(thousandths.as_bytes())?)
}

/// A time of day, `10:05:00.000Z`, as milliseconds since midnight.
pub(super) fn parse_time(text: &str) -> Option<u32> {
    parse_clock(text.strip_suffix('Z').unwrap_or(text))
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
    fn a_quarter_ends_on_its_last_day() {
        for (day, end) in
            [("2026-11-21", "2026-12-31"), ("2026-01-01", "2026-03-31"), ("2026-06-30", "2026-06-30")]
        {
            assert_eq!(end_of_quarter(parse_date(day).unwrap()), parse_date(end).unwrap(), "{day}");
        }
    }

    #[test]
    fn http_dates_round_trip() {
        assert_eq!(parse_http_date(&http_date(1_369_083_572_000)), Some(1_369_083_572_000));
    }
}
