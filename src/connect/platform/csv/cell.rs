//! The text of a cell as a value, and back. What does not fit its column's type stays the text that it is.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

/// How cells are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manner {
    /// How dates are written, where not as 2026-11-21.
    pub(super) date_format: Option<String>,
    /// Whether an apostrophe stands before what a spreadsheet would take for a formula.
    pub(super) formula_safe: bool,
}

impl Manner {
    fn date(&self) -> &str {
        self.date_format.as_deref().unwrap_or("%Y-%m-%d")
    }

    /// What a cell says.
    pub(super) fn value(&self, kind: FieldKind, text: &str) -> Value {
        if text.is_empty() {
            return Value::Null;
        }
        let text = if self.formula_safe { unguarded(text) } else { text };
        let trimmed = text.trim();
        let known = match kind {
            FieldKind::Bool => flag(trimmed).map(Value::Bool),
            FieldKind::Number => is_number(trimmed).then(|| Value::Number(trimmed.into())),
            FieldKind::Date => NaiveDate::parse_from_str(trimmed, self.date())
                .or_else(|_other_format| trimmed.parse())
                .ok()
                .map(Value::Date),
            FieldKind::Moment => moment(trimmed).map(Value::Moment),
            FieldKind::Set => Some(Value::Set(
                text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(Into::into).collect(),
            )),
            FieldKind::Id
            | FieldKind::Text
            | FieldKind::LongText
            | FieldKind::Email
            | FieldKind::Phone
            | FieldKind::Url
            | FieldKind::Picklist
            | FieldKind::Reference
            | FieldKind::Other => None,
        };
        known.unwrap_or_else(|| Value::text(text))
    }

    /// A value as a cell.
    pub(super) fn text(&self, value: &Value) -> String {
        let text = match value {
            Value::Date(day) => day.format(self.date()).to_string(),
            Value::Moment(moment) => moment.to_rfc3339_opts(SecondsFormat::Secs, true),
            other => other.to_string(),
        };
        let is_text = matches!(value, Value::Text(_) | Value::Set(_));
        if self.formula_safe && is_text && is_formula(&text) && !is_number(&text) {
            return format!("'{text}");
        }
        text
    }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Without the apostrophe of a text that was made safe.
fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text)
}

fn flag(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "yes", "y", "1"]) {
        Some(true)
    } else if is(&["false", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// Digits with a sign and a point, as every program reads them.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all(whole) && all(part)
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.with_timezone(&Utc));
    }
    // Salesforce writes offsets without a colon.
    if let Ok(moment) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(moment.with_timezone(&Utc));
    }
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok().map(|naive| naive.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_its_type_stays_as_it_is() {
        let manner = Manner::default();
        assert_eq!(manner.value(FieldKind::Number, "12,5"), Value::text("12,5"));
        assert_eq!(manner.value(FieldKind::Bool, "perhaps"), Value::text("perhaps"));
        assert_eq!(manner.value(FieldKind::Date, "31.02.2026"), Value::text("31.02.2026"));
        assert_eq!(manner.value(FieldKind::Text, ""), Value::Null);
        assert_eq!(manner.value(FieldKind::Text, " "), Value::text(" "));
    }

    #[test]
    fn every_type_comes_back_from_its_cell() {
        let manner = Manner { date_format: Some("%d.%m.%Y".into()), formula_safe: true };
        for (kind, text) in [
            (FieldKind::Bool, "true"),
            (FieldKind::Number, "-12.50"),
            (FieldKind::Date, "24.12.2026"),
            (FieldKind::Moment, "2026-11-21T10:00:00Z"),
            (FieldKind::Set, "a;b"),
            (FieldKind::Phone, "'+48 600 100 200"),
            (FieldKind::Text, "'=1+1"),
        ] {
            assert_eq!(manner.text(&manner.value(kind, text)), text);
        }
        assert_eq!(manner.value(FieldKind::Text, "'=1+1"), Value::text("=1+1"));
        assert_eq!(manner.value(FieldKind::Text, "'tis"), Value::text("'tis"));
    }

    #[test]
    fn by_default_values_go_through_unchanged() {
        let manner = Manner::default();
        for text in ["=1+1", "'=1+1", "+48", "  x "] {
            assert_eq!(manner.text(&manner.value(FieldKind::Text, text)), text);
        }
    }
}
