//! Changes connection settings by their names in the settings file, as the form does by its fields.

use toml::Value;

use crate::ops::error::OpError;
use crate::ops::save_settings;
use crate::ops::session::Session;
use crate::workspace::file::{read_settings, write_settings};
use crate::workspace::settings::Settings;
use crate::workspace::{Problem, Severity};

/// The sections that belong to connections; the schedule is here because a platform brings its intervals.
const SECTIONS: [&str; 3] = ["salesforce", "platform", "schedule"];

/// Sets `key=value` for each, and saves; the answer is what is still to finish or to look at.
pub async fn set(session: &Session, changes: &[String]) -> Result<Vec<Problem>, OpError> {
    let mut settings = session.settings();
    for change in changes {
        let Some((key, value)) = change.split_once('=') else {
            return Err(OpError::settings(format!(
                "“{change}” is no setting: write KEY=VALUE, such as platform.kind=learndot."
            )));
        };
        settings = with(&settings, key.trim(), value.trim())?;
    }
    let problems = save_settings::save(session, settings, Vec::new()).await?;
    match problems.iter().find(|problem| problem.severity == Severity::Error) {
        Some(problem) => Err(OpError::settings(format!("Nothing was saved: {problem}"))),
        None => Ok(problems),
    }
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
    let mut document: toml::Table =
        text.parse().map_err(|error| OpError::failed(format!("The settings can't be written: {error}.")))?;
    let mut section = &mut document;
    for step in &steps {
        let inner = section.entry(*step).or_insert_with(|| Value::Table(toml::Table::new()));
        let Value::Table(inner) = inner else {
            return Err(OpError::settings(format!("“{step}” in “{key}” is no section.")));
        };
        section = inner;
    }
    // A text first, since an id may look like a number; what the rules want as something else is read as such.
    let literal =
        format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut one| one.remove("value"));
    let mut refused = None;
    for value in std::iter::once(Value::String(value.to_owned())).chain(literal) {
        section.insert(name.to_owned(), value);
        let (read, problems) = read_settings(&document_text(&document_of(settings, &steps, section)?)?);
        match problems
            .into_iter()
            .find(|problem| problem.path == key || problem.path.starts_with(&format!("{key}[")))
        {
            None => return Ok(read),
            Some(problem) => refused = refused.or(Some(problem)),
        }
    }
    let why = refused.map_or_else(String::new, |problem| problem.to_string());
    Err(OpError::settings(format!("{key} can't be set so: {why}")))
}

/// The whole document with one section in its place.
fn document_of(settings: &Settings, steps: &[&str], section: &toml::Table) -> Result<toml::Table, OpError> {
    let mut document: toml::Table = write_settings(settings)?
        .parse()
        .map_err(|error| OpError::failed(format!("The settings can't be written: {error}.")))?;
    let mut here = &mut document;
    for step in steps {
        let inner = here.entry(*step).or_insert_with(|| Value::Table(toml::Table::new()));
        let Value::Table(inner) = inner else { break };
        here = inner;
    }
    here.clone_from(section);
    Ok(document)
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
