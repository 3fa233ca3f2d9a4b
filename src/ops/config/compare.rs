//! What changes between two settings: the mappings in meanings, everything else setting by setting; and how many records differ then.

use std::fmt;

use serde::Serialize;

use crate::domain::canonical::Form;
use crate::domain::mapping::{Mapping, Pair};
use crate::domain::mapping_change::{Change, changed_pairs, changes, differing};
use crate::domain::schema::ObjectSchema;
use crate::domain::side::{PerSide, Side};
use crate::ops::error::OpError;
use crate::ops::read;
use crate::ops::session::Session;
use crate::store::Reader;
use crate::workspace::settings::Settings;

/// Most links of a mapping that are looked through for a count; where there are more, none is told.
const MOST_LINKS: usize = 100_000;

/// A setting outside the mappings that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// Its name in the file, such as `schedule.every`.
    pub setting: String,
    /// What it was; nothing where it stood at its default or was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// `schedule.every: 5m → 30m`
impl fmt::Display for SettingChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |value: &Option<String>| match value.as_deref() {
            None | Some("") => "nothing".to_owned(),
            Some(text) => text.to_owned(),
        };
        write!(formatter, "{}: {} → {}", self.setting, word(&self.before), word(&self.after))
    }
}

/// Everything that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Outside the mappings.
    pub settings: Vec<SettingChange>,
    /// In the mappings.
    pub mappings: Vec<Change>,
}

impl Comparison {
    /// How much changes.
    pub fn len(&self) -> usize {
        self.settings.len() + self.mappings.len()
    }

    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What changes from settings to others, counted in the state of the workspace.
pub async fn compare(session: &Session, before: &Settings, after: &Settings) -> Result<Comparison, OpError> {
    let mut found = changes(&before.mappings, &after.mappings);
    let wanted: Vec<(String, Pair, Pair)> = after
        .mappings
        .iter()
        .filter_map(|mapping| Some((before.mapping(&mapping.name)?, mapping)))
        .flat_map(|(was, is)| {
            let pairs = changed_pairs(was, is).into_iter();
            pairs.map(|(old, new)| (is.name.clone(), old.clone(), new.clone())).collect::<Vec<_>>()
        })
        .collect();
    if !wanted.is_empty() {
        let counted = read::read(session, move |reader| {
            let count = |(mapping, old, new): &(String, Pair, Pair)| {
                Ok((mapping.clone(), old.name(), count(reader, mapping, old, new)?))
            };
            wanted.iter().map(count).collect::<Result<Vec<_>, _>>()
        })
        .await?;
        for (mapping, pair, count) in counted {
            // One line of the pair tells it; the last, where the reader ends.
            let lines = found.iter_mut().rev();
            let mut of_pair =
                lines.filter(|line| line.mapping == mapping && line.pair.as_ref() == Some(&pair));
            if let Some(line) = of_pair.next() {
                line.differ = count;
            }
        }
    }
    Ok(Comparison { settings: setting_changes(before, after), mappings: found })
}

fn count(
    reader: &Reader,
    mapping: &str,
    old: &Pair,
    new: &Pair,
) -> Result<Option<u64>, crate::store::StoreError> {
    // With other fields nobody has read yet what they hold.
    if old.org != new.org || old.platform != new.platform {
        return Ok(None);
    }
    let schemas = reader.accepted_schemas(mapping)?;
    let forms = PerSide::from_fn(|side| forms(schemas.as_ref(), side, new));
    reader.count_bases(mapping, &old.identity(), MOST_LINKS, |held| differing::differs(new, &forms, held))
}

fn forms(schemas: Option<&PerSide<ObjectSchema>>, side: Side, pair: &Pair) -> Vec<Form> {
    let field = |name: &String| schemas.and_then(|schemas| schemas[side].field(name));
    let fields = pair.fields(side).iter();
    fields
        .map(|name| {
            field(name).map(|field| Form { kind: field.kind, scale: field.scale }).unwrap_or_default()
        })
        .collect()
}

/// What changes outside the mappings, by name.
pub fn setting_changes(before: &Settings, after: &Settings) -> Vec<SettingChange> {
    let plain = |settings: &Settings| {
        let settings = Settings { mappings: Vec::<Mapping>::new(), ..settings.clone() };
        let mut lines = Vec::new();
        if let Ok(table) = toml::Table::try_from(&settings) {
            flatten("", &table, &mut lines);
        }
        lines
    };
    let (before, after) = (plain(before), plain(after));
    let value = |lines: &[(String, String)], name: &str| {
        lines.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let mut names: Vec<&String> = after.iter().chain(&before).map(|(name, _)| name).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(*name));
    names
        .into_iter()
        .map(|name| SettingChange {
            setting: name.clone(),
            before: value(&before, name),
            after: value(&after, name),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

fn flatten(path: &str, table: &toml::Table, lines: &mut Vec<(String, String)>) {
    for (name, value) in table {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&path, inner, lines),
            toml::Value::String(text) => lines.push((path, text.clone())),
            toml::Value::Array(values) if values.is_empty() => {}
            other => lines.push((path, other.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::file::read_settings;

    #[test]
    fn settings_outside_the_mappings_are_told_by_name() {
        let (before, _) = read_settings("[schedule]\nevery = \"5m\"\n[sync]\nminimum = 20\n");
        let (after, _) = read_settings("[schedule]\nevery = \"30m\"\nquiet = \"22:00-06:00\"\n");
        let lines: Vec<String> = setting_changes(&before, &after).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["schedule.every: 5m → 30m", "schedule.quiet: nothing → 22:00-06:00"]);
        assert_eq!(setting_changes(&after, &after), []);
    }
}
