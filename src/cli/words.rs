//! How numbers, moments and ids are written for people.

use std::time::Duration;

use chrono::{DateTime, Local, Utc};

use crate::domain::grouped::grouped;
use crate::domain::outcome::{Counts, RunResult};
use crate::domain::record::RecordId;
use crate::domain::side::PerSide;

/// `1204` → `1,204`.
pub fn number(number: u64) -> String {
    grouped(number)
}

/// A moment in the machine's time zone.
pub fn moment(moment: DateTime<Utc>) -> String {
    moment.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A moment, or a dash.
pub fn moment_or_dash(given: Option<DateTime<Utc>>) -> String {
    given.map_or_else(|| "–".into(), moment)
}

/// `90 s` → `1 m 30 s`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) if seconds < 10 => format!("{}.{} s", seconds, duration.subsec_millis() / 100),
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} m {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} m"),
    }
}

/// Both ids, a dash for one that is not there.
pub fn ids(ids: &PerSide<Option<RecordId>>) -> String {
    let id = |id: &Option<RecordId>| id.as_ref().map_or_else(|| "–".into(), ToString::to_string);
    format!("{} ⇄ {}", id(&ids.org), id(&ids.platform))
}

/// What a run did, in one line.
pub fn counts(counts: &Counts) -> String {
    format!(
        "read {}   created {}   updated {}   deleted {}   unchanged {}   skipped {}   failed {}   limited {}   conflicts {}",
        number(counts.read),
        number(counts.created()),
        number(counts.updated()),
        number(counts.deleted()),
        number(counts.unchanged),
        number(counts.skipped),
        number(counts.failed),
        number(counts.limited),
        number(counts.conflicts),
    )
}

/// How a run ended, as a sign and words.
pub fn result(result: RunResult) -> &'static str {
    match result {
        RunResult::Succeeded => "✔ succeeded",
        RunResult::PartlyFailed => "⚠ partly failed",
        RunResult::Limited => "⚠ limited",
        RunResult::Braked => "⚠ stopped by a brake",
        RunResult::Blocked => "✘ blocked",
        RunResult::Failed => "✘ failed",
        RunResult::Cancelled => "■ cancelled",
    }
}

/// `1 record`, `2 records`.
pub fn count_of(count: u64, one: &str) -> String {
    format!("{} {one}{}", number(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "0")]
    #[case(999, "999")]
    #[case(1_000, "1,000")]
    #[case(1_234_567, "1,234,567")]
    fn numbers_are_grouped(#[case] given: u64, #[case] expected: &str) {
        assert_eq!(number(given), expected);
    }

    #[rstest]
    #[case(1_250, "1.2 s")]
    #[case(59_000, "59 s")]
    #[case(90_000, "1 m 30 s")]
    #[case(3_720_000, "1 h 02 m")]
    fn durations_are_as_fine_as_people_need(#[case] milliseconds: u64, #[case] expected: &str) {
        assert_eq!(duration(Duration::from_millis(milliseconds)), expected);
    }
}
