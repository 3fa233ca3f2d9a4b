//! The keys of the console, from the file that the console reads too. The titles of the actions are the console's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ops::error::OpError;

/// One action of a context, with its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// Where the keys work.
    pub context: String,
    /// The keys.
    pub keys: Vec<String>,
    /// The word of the action.
    pub action: String,
    /// The action in words.
    pub description: String,
}

#[derive(Deserialize)]
struct Entry {
    action: String,
    #[serde(default)]
    description: Option<String>,
}

/// All keys of a keymap file, in the order of its contexts.
pub fn rows(text: &str, title: fn(&str) -> Option<&'static str>) -> Result<Vec<KeyRow>, OpError> {
    let contexts: BTreeMap<String, BTreeMap<String, Entry>> = toml::from_str(text).map_err(|error| {
        OpError::settings(format!("The keymap can't be read: {}.", error.message())).code("keymap")
    })?;
    let mut rows: Vec<KeyRow> = Vec::new();
    for (context, keys) in contexts {
        for (key, entry) in keys {
            match rows.iter_mut().find(|row| row.context == context && row.action == entry.action) {
                Some(row) => row.keys.push(key),
                None => rows.push(KeyRow {
                    context: context.clone(),
                    keys: vec![key],
                    description: entry
                        .description
                        .or_else(|| title(&entry.action).map(str::to_owned))
                        .unwrap_or_else(|| entry.action.replace('_', " ")),
                    action: entry.action,
                }),
            }
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_action_stand_together() {
        let text = "[movement]\n\"up\" = { action = \"up\" }\n\"k\" = { action = \"up\" }\n";
        let rows = rows(text, |_| Some("Go up")).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].keys, ["k", "up"]);
        assert_eq!(rows[0].description, "Go up");
    }
}
