//! Cursors and marks: where a feed or a scan goes on, as small JSON texts.

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::port::{Cursor, Mark, PortClass, PortError};

/// The moment since which changes have to be read, in milliseconds of the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Since {
    pub(super) since: i64,
}

/// The cursor for a read that began at `began` of the server's clock, or, where it did not tell, of ours.
pub(super) fn cursor(
    began: Option<DateTime<Utc>>,
    ours: DateTime<Utc>,
    overlap: std::time::Duration,
) -> Cursor {
    // Without the server's clock, two clocks may differ; five minutes is what signed services commonly bear.
    let (began, margin) = match began {
        Some(began) => (began, TimeDelta::zero()),
        None => (ours, TimeDelta::minutes(5)),
    };
    let overlap = TimeDelta::from_std(overlap).unwrap_or(TimeDelta::days(1));
    Cursor(to_text(&Since { since: (began - overlap - margin).timestamp_millis() }))
}

/// Reads a cursor.
pub(super) fn since(cursor: &Cursor) -> Result<i64, PortError> {
    serde_json::from_str::<Since>(&cursor.0).map(|since| since.since).map_err(|error| {
        PortError::new(
            PortClass::CursorLost,
            "CURSOR",
            format!("The SALESmanago cursor can't be read ({error}); everything has to be read again."),
        )
    })
}

/// Reads a mark.
pub(super) fn mark<T: DeserializeOwned>(mark: &Mark) -> Result<T, PortError> {
    serde_json::from_str(&mark.0).map_err(|error| {
        PortError::new(
            PortClass::MarkLost,
            "MARK",
            format!(
                "The place in a SALESmanago backlog can't be read ({error}); it is read again from its start."
            ),
        )
    })
}

/// Writes a cursor or a mark.
pub(super) fn to_text(value: &impl Serialize) -> String {
    // Plain structs of numbers and words always serialise.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// platform-salesmanago.md §7: each read begins a while before the last one.
    #[test]
    fn a_cursor_is_the_servers_clock_less_the_overlap() {
        let began = DateTime::from_timestamp_millis(1_700_000_000_000).unwrap();
        let ours = DateTime::UNIX_EPOCH;
        let text = cursor(Some(began), ours, Duration::from_secs(120));
        assert_eq!(since(&text).unwrap(), 1_700_000_000_000 - 120_000);
    }

    #[test]
    fn a_damaged_cursor_or_mark_says_what_has_to_be_read_again() {
        assert_eq!(since(&Cursor("?".into())).unwrap_err().class, PortClass::CursorLost);
        assert_eq!(mark::<Since>(&Mark("{}".into())).unwrap_err().class, PortClass::MarkLost);
    }
}
