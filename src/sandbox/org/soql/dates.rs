//! Relative dates of SOQL, such as `THIS_WEEK` or `LAST_N_DAYS:3`, as ranges of days in UTC.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::super::moment;

/// `Some(true)` for a relative date that needs a number, `Some(false)` for one that does not, `None` for any other word.
pub(super) fn takes_number(name: &str) -> Option<bool> {
    const PLAIN: [&str; 3] = ["yesterday", "today", "tomorrow"];
    if PLAIN.contains(&name) || matches!(name, "last_90_days" | "next_90_days") {
        return Some(false);
    }
    let units = ["day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year"];
    if let Some(unit) =
        name.strip_prefix("last_n_").or(name.strip_prefix("next_n_")).and_then(|rest| rest.strip_suffix('s'))
    {
        return units.contains(&unit).then_some(true);
    }
    if let Some(unit) = name.strip_prefix("n_").and_then(|rest| rest.strip_suffix("s_ago")) {
        return units.contains(&unit).then_some(true);
    }
    let unit = name.strip_prefix("last_").or(name.strip_prefix("this_")).or(name.strip_prefix("next_"))?;
    units.get(1..)?.contains(&unit).then_some(false)
}

/// First day and day after the last, for a relative date at a moment.
pub(in crate::sandbox::org) fn range(name: &str, number: Option<i64>, now: i64) -> Option<(i32, i32)> {
    let today = moment::date_of(now.div_euclid(moment::DAY_MS) as i32);
    let day = |date: NaiveDate| moment::days_of(date);
    let count = number.unwrap_or(1).clamp(0, 20_000);
    let whole = |unit: &str, offset: i64| -> Option<(i32, i32)> {
        let start = start_of(unit, today)?;
        Some((day(shift(unit, start, offset)?), day(shift(unit, start, offset + 1)?)))
    };
    match name {
        "yesterday" => whole("day", -1),
        "today" => whole("day", 0),
        "tomorrow" => whole("day", 1),
        "last_90_days" => Some((day(shift("day", today, -90)?), day(today) + 1)),
        "next_90_days" => Some((day(today) + 1, day(shift("day", today, 91)?))),
        _ => {
            if let Some(unit) = name.strip_prefix("last_n_").and_then(|rest| rest.strip_suffix('s')) {
                let end = if unit == "day" { day(today) + 1 } else { day(start_of(unit, today)?) };
                return Some((day(shift(unit, start_of(unit, today)?, -count)?), end));
            }
            if let Some(unit) = name.strip_prefix("next_n_").and_then(|rest| rest.strip_suffix('s')) {
                let start = start_of(unit, today)?;
                return Some((day(shift(unit, start, 1)?), day(shift(unit, start, count + 1)?)));
            }
            if let Some(unit) = name.strip_prefix("n_").and_then(|rest| rest.strip_suffix("s_ago")) {
                return whole(unit, -count);
            }
            let (word, unit) = name.split_once('_')?;
            match word {
                "last" => whole(unit, -1),
                "this" => whole(unit, 0),
                "next" => whole(unit, 1),
                _ => None,
            }
        }
    }
}

fn start_of(unit: &str, date: NaiveDate) -> Option<NaiveDate> {
    match unit.trim_start_matches("fiscal_") {
        "day" => Some(date),
        "week" => date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_sunday()))),
        "month" => date.with_day(1),
        "quarter" => NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1),
        "year" => NaiveDate::from_ymd_opt(date.year(), 1, 1),
        _ => None,
    }
}

fn shift(unit: &str, date: NaiveDate, by: i64) -> Option<NaiveDate> {
    let days = |count: u64| {
        if by < 0 { date.checked_sub_days(Days::new(count)) } else { date.checked_add_days(Days::new(count)) }
    };
    let months = |count: u64| {
        let count = Months::new(u32::try_from(count).ok()?);
        if by < 0 { date.checked_sub_months(count) } else { date.checked_add_months(count) }
    };
    let size = by.unsigned_abs();
    match unit.trim_start_matches("fiscal_") {
        "day" => days(size),
        "week" => days(size * 7),
        "month" => months(size),
        "quarter" => months(size * 3),
        "year" => months(size * 12),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_dates_cover_the_days_they_name() {
        // Wednesday, 18 November 2026.
        let now = moment::parse_moment("2026-11-18T15:00:00Z").unwrap();
        for (name, number, from, to) in [
            ("today", None, "2026-11-18", "2026-11-19"),
            ("this_week", None, "2026-11-15", "2026-11-22"),
            ("last_month", None, "2026-10-01", "2026-11-01"),
            ("last_n_days", Some(3), "2026-11-15", "2026-11-19"),
            ("next_n_weeks", Some(1), "2026-11-22", "2026-11-29"),
            ("this_fiscal_quarter", None, "2026-10-01", "2027-01-01"),
            ("n_years_ago", Some(2), "2024-01-01", "2025-01-01"),
        ] {
            let expected = (moment::parse_date(from).unwrap(), moment::parse_date(to).unwrap());
            assert_eq!(range(name, number, now), Some(expected), "{name}");
        }
    }
}
