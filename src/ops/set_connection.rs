//! Changes connection settings by their names in the settings file, as the form does by its fields.

use toml::Value;

use crate::ops::error::OpError;
use crate::ops::save_settings;
use crate::ops::session::Session;
use crate::workspace::file::{read_settings, write_settings};
use crate::workspace::settings::Settings;
use crate::workspace::{Problem, Severity};

/// The sections that belong to connections; the schedule is here because a platform brings its intervals, and
/// `[inbound]` because what a platform delivers comes in there.
const SECTIONS: [&str; 4] = ["salesforce", "platform", "schedule", "inbound"];

/// Sets `key=value` for each, and saves; the answer is what is still to finish or to look at.
pub async fn set(session: &Session, changes: &[String]) -> Result<Vec<Problem>, OpError> {
    let settings = examine(session, changes)?;
    let problems = save_settings::save(session, settings, Vec::new()).await?;
    match problems.iter().find(|problem| problem.severity == Severity::Error) {
        Some(problem) => Err(OpError::settings(format!("Nothing was saved: {problem}"))),
        None => Ok(problems),
    }
}

/// The settings with `key=value` for each, not saved yet.
pub(super) fn examine(session: &Session, changes: &[String]) -> Result<Settings, OpError> {
    let mut settings = session.settings();
    for change in changes {
        let Some((key, value)) = change.split_once('=') else {
            return Err(OpError::settings(format!(
                "“{change}” is no setting: write KEY=VALUE, such as platform.kind=learndot."
            )));
        };
        settings = with(&settings, key.trim(), value.trim())?;
    }
    Ok(settings)
}

/// Settings with one value in another place. What it must be is for the file's own rules to say: text, a number, true or false.
fn with(settings: &Settings, key: &str, value: &str) -> Result<Settings, OpError> {
    let mut steps: Vec<&str> = key.split('.').collect();
    let (Some(name), true) = (steps.pop(), steps.first().is_some_and(|first| SECTIONS.contains(first)))
    else {
        return Err(OpError::settings(format!(
            "“{key}” is no setting of a connection: it begins with {}.",
            SECTIONS.join(", ")
        )));
    };
    let text = write_settings(settings)?;
    // A text first, since an id may look like a number; what the rules want as something else is read as such.
    let literal =
        format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut one| one.remove("value"));
    let mut refused = None;
    for value in std::iter::once(Value::String(value.to_owned())).chain(literal) {
        let mut document: toml::Table = text
            .parse()
            .map_err(|error| OpError::failed(format!("The settings can't be written: {error}.")))?;
        put(&mut document, &steps, name, value).ok_or_else(|| {
            OpError::settings(format!("“{key}” is no setting: a part of it is no section."))
        })?;
        let (read, problems) = read_settings(&document_text(&document)?);
        let inside = format!("{key}[");
        match problems.into_iter().find(|problem| problem.path == key || problem.path.starts_with(&inside)) {
            None => return Ok(read),
            Some(problem) => refused = refused.or(Some(problem)),
        }
    }
    let why = refused.map_or_else(String::new, |problem| problem.to_string());
    Err(OpError::settings(format!("{key} can't be set so: {why}")))
}

/// Puts a value into a section, which is made where it is missing; nothing where a step is no section.
fn put(table: &mut toml::Table, steps: &[&str], name: &str, value: Value) -> Option<()> {
    match steps.split_first() {
        None => {
            table.insert(name.to_owned(), value);
            Some(())
        }
        Some((first, rest)) => {
            match table.entry(*first).or_insert_with(|| Value::Table(toml::Table::new())) {
                Value::Table(inner) => put(inner, rest, name, value),
                _ => None,
            }
        }
    }
}

fn document_text(document: &toml::Table) -> Result<String, OpError> {
    toml::to_string(document)
        .map_err(|error| OpError::failed(format!("The settings can't be written: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_the_kind_that_its_setting_wants() {
        let settings = with(&Settings::default(), "platform.kind", "learndot").unwrap();
        let settings = with(&settings, "platform.learndot.endpoint", "https://learn.acme.example").unwrap();
        let settings = with(&settings, "platform.learndot.read_one", "false").unwrap();
        let settings = with(&settings, "platform.learndot.integration_user_id", "17").unwrap();
        let settings = with(&settings, "platform.learndot.requests_per_second", "0.5").unwrap();
        let told = settings.platform.told();
        assert_eq!(told.text("endpoint"), "https://learn.acme.example");
        assert_eq!(told.text("integration_user_id"), "17");
        assert!(!told.flag("read_one"));
        assert!((told.decimal("requests_per_second") - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn what_is_no_setting_or_no_value_is_told() {
        let refused = |key, value| with(&Settings::default(), key, value).unwrap_err().message;
        assert!(refused("mapping.name", "x").contains("begins with"));
        assert!(refused("platform.kind", "learndott").contains("learndot"));
        assert!(refused("platform.learndot.endpont", "x").contains("endpoint"));
        assert!(refused("platform.learndot.api_token", "x").contains("secret"));
    }
}
