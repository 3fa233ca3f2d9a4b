//! What a connection was told: the values of the settings file, with the defaults of the platform's profile.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{PlatformKind, Profile};

/// The settings of one platform, by the names of its profile. What is not said here has the profile's default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlatformValues(BTreeMap<String, toml::Value>);

impl PlatformValues {
    /// What was said, if anything was.
    pub fn get(&self, name: &str) -> Option<&toml::Value> {
        self.0.get(name)
    }

    /// Says something, or takes it back.
    pub fn set(&mut self, name: &str, value: Option<toml::Value>) {
        match value {
            Some(value) => {
                self.0.insert(name.to_owned(), value);
            }
            None => {
                self.0.remove(name);
            }
        }
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The settings of one platform with the defaults of its profile.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Which platform it is.
    pub kind: PlatformKind,
    profile: Option<&'static Profile>,
    values: Option<&'a PlatformValues>,
}

impl<'a> Told<'a> {
    /// What was said to a platform, with its profile's defaults.
    pub fn new(kind: PlatformKind, values: Option<&'a PlatformValues>) -> Self {
        Self { kind, profile: kind.profile(), values }
    }

    /// A value as it was said, else the default.
    pub fn value(&self, name: &str) -> Option<toml::Value> {
        self.values
            .and_then(|values| values.get(name))
            .or_else(|| self.profile?.setting(name)?.default.as_ref())
            .cloned()
    }

    /// Whether a person said it.
    pub fn is_said(&self, name: &str) -> bool {
        self.values.is_some_and(|values| values.get(name).is_some())
    }

    /// A text, without the blanks around it; empty where nothing is said.
    pub fn text(&self, name: &str) -> String {
        match self.value(name) {
            Some(toml::Value::String(text)) => text.trim().to_owned(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// A text that is there.
    pub fn some_text(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// A number.
    pub fn decimal(&self, name: &str) -> f64 {
        match self.value(name) {
            Some(toml::Value::Float(number)) => number,
            Some(toml::Value::Integer(number)) => number as f64,
            _ => 0.0,
        }
    }

    /// A whole number.
    pub fn whole(&self, name: &str) -> u64 {
        match self.value(name) {
            Some(toml::Value::Integer(number)) => u64::try_from(number).unwrap_or(0),
            _ => 0,
        }
    }

    /// Yes or no.
    pub fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(|value| value.as_bool()).unwrap_or(false)
    }

    /// Several texts.
    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(toml::Value::Array(list)) => {
                list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A file.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.some_text(name).map(PathBuf::from)
    }
}
