//! The rows about what becomes of records: deletes, deactivation, conversion.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::console::view::text::sheet as text;
use crate::domain::mapping::{Conversion, Deactivation, DeletePolicy, Mapping};
use crate::domain::side::Side;
use crate::workspace::settings::{DurationError, Every};

pub(super) fn deletes_word(policy: DeletePolicy) -> &'static str {
    match policy {
        DeletePolicy::Ignore => "ignore",
        DeletePolicy::Deactivate => "deactivate",
        DeletePolicy::Propagate => "propagate",
    }
}

pub(super) fn deletes_of(word: &str) -> DeletePolicy {
    match word {
        "deactivate" => DeletePolicy::Deactivate,
        "propagate" => DeletePolicy::Propagate,
        _ => DeletePolicy::Ignore,
    }
}

pub(super) fn conversion_word(conversion: Option<Conversion>) -> &'static str {
    match conversion {
        None => "default",
        Some(Conversion::HandOver) => "hand_over",
        Some(Conversion::TwoRecords) => "two_records",
    }
}

pub(super) fn conversion_of(word: &str) -> Option<Conversion> {
    match word {
        "hand_over" => Some(Conversion::HandOver),
        "two_records" => Some(Conversion::TwoRecords),
        _ => None,
    }
}

/// An interval as it is typed: `1h`; nothing where it takes part in every automatic run.
pub(super) fn every_of(typed: &str) -> Result<Option<String>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    let every: Every = typed.parse().map_err(|error: DurationError| error.to_string())?;
    Ok(Some(every.to_string()))
}

/// From when on records take part, as the settings file says it.
pub(super) fn since_text(mapping: &Mapping) -> String {
    mapping.since.map(|since| since.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}

/// A moment as [`since_text`] writes it; nothing where all records take part.
pub(super) fn since_of(typed: &str) -> Result<Option<DateTime<Utc>>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    let moment = DateTime::parse_from_rfc3339(typed).map_err(|_no_moment| text::SINCE_NEEDED.to_owned())?;
    Ok(Some(moment.with_timezone(&Utc)))
}

/// As it is typed: `platform Active = false`.
pub(super) fn deactivation_text(mapping: &Mapping) -> String {
    let chosen = mapping.deactivate.as_ref();
    chosen.map(|chosen| format!("{} {} = {}", chosen.side, chosen.field, chosen.value)).unwrap_or_default()
}

pub(super) fn deactivation_of(typed: &str) -> Result<Option<Deactivation>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    let parts = || {
        let (head, value) = typed.split_once('=')?;
        let (side, field) = head.trim().split_once(char::is_whitespace)?;
        let side = match side.to_lowercase().as_str() {
            "org" | "salesforce" => Side::Org,
            "platform" => Side::Platform,
            _ => return None,
        };
        let (field, value) = (field.trim().to_owned(), value.trim().to_owned());
        (!field.is_empty() && !value.is_empty()).then_some(Deactivation { side, field, value })
    };
    parts().map(Some).ok_or_else(|| text::DEACTIVATION_NEEDED.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_kept_as_it_is_written_elsewhere() {
        assert_eq!(every_of("60m"), Ok(Some("1h".into())));
        assert_eq!(every_of(""), Ok(None));
        assert!(every_of("often").is_err_and(|error| error.contains("30s, 5m, 1h or 1d")));
    }

    #[test]
    fn what_deactivates_a_record_is_typed_as_side_field_and_value() {
        let typed = deactivation_of("platform details.Active = no").unwrap().unwrap();
        assert_eq!(
            (typed.side, typed.field.as_str(), typed.value.as_str()),
            (Side::Platform, "details.Active", "no")
        );
        assert_eq!(deactivation_of("").unwrap(), None);
        assert!(deactivation_of("Active = no").is_err());
        assert!(deactivation_of("org Active").is_err());
    }
}
