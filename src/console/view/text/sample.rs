//! Words of a record that was pulled into the editor.

use crate::domain::record::RecordId;
use crate::domain::sample::{PairSample, Turned};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;

/// A prompt.
pub const RECORD: &str = "Which record?";
/// How a record is named.
pub const RECORD_HELP: &str = "An id of Salesforce, an id of the platform, or the value of the key, such as an e-mail address. Empty: any record.";
/// While it is read.
pub const READING: &str = "Reading a record from both sides …";
/// A value that can't be turned; why is told below.
pub const REFUSED: &str = "can't be turned";
/// What becomes of consent that nobody gave or took.
pub const NOTHING_CROSSES: &str = "nothing crosses";
/// No pair yet.
pub const NO_PAIRS: &str = "The mapping has no pairs yet.";

/// The title.
pub fn title(ids: Option<&PerSide<Option<RecordId>>>, both: &str) -> String {
    let none = PerSide::default();
    let ids = ids.unwrap_or(&none);
    match (&ids.org, &ids.platform) {
        (Some(org), Some(platform)) => format!("Sample: {org} {both} {platform}"),
        (Some(org), None) => format!("Sample: {org} (Salesforce alone)"),
        (None, Some(platform)) => format!("Sample: {platform} (platform alone)"),
        (None, None) => "Sample".into(),
    }
}

/// Values as one text in quotes.
pub fn shown(values: Option<&[Value]>) -> String {
    match values {
        None => "–".into(),
        Some(values) => {
            let texts: Vec<String> =
                values.iter().map(ToString::to_string).filter(|text| !text.is_empty()).collect();
            if texts.is_empty() { "blank".into() } else { format!("“{}”", texts.join(" ")) }
        }
    }
}

/// What a side would get.
pub fn turned(turned: &Turned) -> String {
    match &turned.values {
        Ok(values) if values.is_empty() => NOTHING_CROSSES.into(),
        Ok(values) => shown(Some(values)),
        Err(_) => REFUSED.into(),
    }
}

/// What one way of a pair brings, and what is doubtful about it.
pub fn way(sample: &PairSample, target: Side, platform: &str) -> Vec<String> {
    let Some(turned) = &sample.to[target] else { return Vec::new() };
    let name = |side: Side| match side {
        Side::Org => "Salesforce",
        Side::Platform => platform,
    };
    let from = shown(sample.values[target.other()].as_deref());
    let target_name = name(target);
    let source = name(target.other());
    let mut lines = vec![match &turned.values {
        Err(reason) => format!("{source} holds {from}: {reason}."),
        Ok(values) if values.is_empty() => {
            format!("{source} holds {from}: nobody said, so that nothing crosses to {target_name}.")
        }
        Ok(values) => {
            let gets = shown(Some(values));
            match (turned.same, sample.values[target].as_deref()) {
                (Some(true), _) => format!("{source} holds {from}; {target_name} holds the same."),
                (_, Some(now)) => {
                    format!(
                        "{source} holds {from}; {target_name} would get {gets} and holds {}.",
                        shown(Some(now))
                    )
                }
                (_, None) => format!("{source} holds {from}; {target_name} would get {gets}."),
            }
        }
    }];
    lines.extend(turned.doubts.iter().map(|doubt| format!("! {doubt}.")));
    lines
}
