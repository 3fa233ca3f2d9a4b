//! Settings that a platform's profile lists, as text in a field and back.

use crate::domain::profile::{SettingKind, SettingProfile};

/// A value as it stands in a field.
pub fn shown(value: Option<&toml::Value>) -> String {
    match value {
        None => String::new(),
        Some(toml::Value::String(text)) => text.clone(),
        Some(toml::Value::Float(number)) => number.to_string(),
        Some(toml::Value::Array(list)) => {
            list.iter().map(|value| shown(Some(value))).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// What was typed as a value; nothing where the default is meant. A sentence where it is no value.
pub fn read(setting: &SettingProfile, text: &str) -> Result<Option<toml::Value>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (least, most) = setting.bounds();
    let within = |number: f64| number.is_finite() && (least..=most).contains(&number);
    let value = match setting.kind {
        SettingKind::Text
        | SettingKind::Address
        | SettingKind::Choice
        | SettingKind::Path
        | SettingKind::Owner
        | SettingKind::Secret => toml::Value::String(text.to_owned()),
        SettingKind::Flag => toml::Value::Boolean(matches!(text, "true" | "yes")),
        SettingKind::Whole => match text.parse::<i64>() {
            Ok(number) if within(number as f64) => toml::Value::Integer(number),
            Ok(_) | Err(_) => {
                return Err(format!("{} is a whole number from {least} to {most}.", setting.label));
            }
        },
        SettingKind::Decimal => match text.parse::<f64>() {
            Ok(number) if within(number) => toml::Value::Float(number),
            Ok(_) | Err(_) => return Err(format!("{} is a number from {least} to {most}.", setting.label)),
        },
        SettingKind::Texts | SettingKind::Hosts => toml::Value::Array(
            text.split(',').map(|part| toml::Value::String(part.trim().to_owned())).collect(),
        ),
    };
    Ok((setting.default.as_ref() != Some(&value)).then_some(value))
}
