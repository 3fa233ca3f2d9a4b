//! `config validate` on a settings file with thirty mistakes: each is found once, at its line, with a way out.

use std::collections::BTreeMap;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary_stage::run;

/// Ends a line on which something is wrong; behind it stand words that its message must have.
const MARK: &str = " #! ";

const FILE: &str = include_str!("config_mistakes/thirty.toml");

/// The lines on which something is wrong, each with the kind of mistake and the words of its remedy.
fn planted() -> BTreeMap<u64, (&'static str, &'static str)> {
    let marked = FILE.lines().enumerate().filter_map(|(place, line)| {
        let (_, about) = line.split_once(MARK)?;
        let (kind, remedy) = about.split_once(": ")?;
        Some((place as u64 + 1, (kind, remedy)))
    });
    marked.collect()
}

#[tokio::test]
async fn thirty_mistakes_of_fifteen_kinds_are_each_found_once_with_line_and_remedy() {
    let planted = planted();
    let kinds: std::collections::BTreeSet<&str> = planted.values().map(|(kind, _)| *kind).collect();
    assert!(planted.len() >= 30 && kinds.len() >= 15, "{} of {} kinds", planted.len(), kinds.len());

    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("forcesync.toml"), FILE).unwrap();
    let done = run(folder.path(), &["config", "validate", "--json"], "").await;
    assert_eq!(done.code, 2, "{done:?}");
    let problems: Vec<Value> = done.objects().into_iter().filter(|line| line["event"] == "problem").collect();
    let errors: Vec<&Value> = problems.iter().filter(|problem| problem["severity"] == "error").collect();

    let mut found: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for problem in &errors {
        let message = format!(
            "{} {}",
            problem["message"].as_str().unwrap(),
            problem["suggestion"].as_str().unwrap_or_default()
        );
        found.entry(problem["line"].as_u64().unwrap_or(0)).or_default().push(message);
    }
    for (line, (kind, remedy)) in &planted {
        let here = found.remove(line).unwrap_or_default();
        let [message] = here.as_slice() else { panic!("line {line} ({kind}): {here:?}\nall: {errors:#?}") };
        assert!(message.contains(remedy), "line {line} ({kind}) does not say “{remedy}”: {message}");
    }
    assert!(found.is_empty(), "found where nothing was planted: {found:#?}");
}

const MEANT: &str = r#"
[[mapping]]
name = "contact"
org_object = "Contact"
platform_object = "contact"
org_criteria = "Email != null"
[[mapping.pair]]
org = "Email"
platform = "email"
key = true
"#;

#[tokio::test]
async fn n17_a_comparison_of_two_files_speaks_in_meanings() {
    let folder = TempDir::new().unwrap();
    let (mine, other) = (folder.path().join("forcesync.toml"), folder.path().join("other.toml"));
    std::fs::write(&other, MEANT).unwrap();
    // Blanks in the criteria mean nothing.
    std::fs::write(&mine, MEANT.replace("Email != null", "Email   !=  null")).unwrap();
    let arguments = ["config", "diff", other.to_str().unwrap(), "--json"];
    let done = run(folder.path(), &arguments, "").await;
    assert_eq!((done.code, done.objects().len()), (0, 1), "{done:?}");

    std::fs::write(&mine, MEANT.replace("key = true", "key = true\npolicy = \"newest_wins\"")).unwrap();
    let done = run(folder.path(), &arguments, "").await;
    assert_eq!(done.code, 10, "{done:?}");
    let line = &done.objects()[0];
    assert_eq!(
        (line["pair"].as_str(), line["message"].as_str()),
        (Some("Email ⇄ email"), Some("Salesforce wins → newest wins"))
    );

    let done = run(folder.path(), &["config", "diff", "nothing.toml"], "").await;
    done.says(2, &["no file nothing.toml"]);
}
