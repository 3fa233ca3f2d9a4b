//! The table of the facts on which the clients and emulators of the platforms rely (`tests/facts.toml`), held against the tree: each is
//! shown by a test that names its sheet and section, or can be changed by a setting, or both.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::requirements::{known_tests, root};

/// No test may show more facts than this; else it says little of each.
const FACTS_OF_A_TEST: usize = 6;

/// What every sheet has facts about.
const TOPICS: &[&str] = &["sign-in", "errors", "reading", "limits"];

/// The sheets, and the sections of each that the platform's own facts must not leave out.
const SHEETS: &[(&str, &[&str])] = &[
    ("salesmanago", &["1", "2", "3", "4.1", "4.2", "5", "6", "7", "8", "9"]),
    ("deployteq", &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]),
    ("learndot", &["1", "2", "3", "5"]),
    ("novoed", &["1", "2", "3", "4", "6", "8", "9", "10"]),
    ("spotio", &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]),
];

#[derive(Deserialize)]
struct Table {
    fact: Vec<Fact>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    sheet: String,
    section: String,
    topic: String,
    fact: String,
    test: Option<String>,
    setting: Option<String>,
}

fn facts() -> Vec<Fact> {
    let text = std::fs::read_to_string(root().join("tests/facts.toml")).unwrap();
    toml::from_str::<Table>(&text).unwrap().fact
}

/// The platform of a sheet, by the sheet's name.
fn platform(sheet: &str) -> &str {
    sheet.strip_prefix("platform-").and_then(|rest| rest.strip_suffix(".md")).unwrap_or_default()
}

/// The sections of a sheet that a comment names: behind its name, up to the name of another.
fn sections(said: &str, sheet: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for part in said.split("platform-").filter_map(|part| part.strip_prefix(&sheet["platform-".len()..])) {
        for section in part.split('§').skip(1) {
            let number: String =
                section.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect();
            named.insert(number.trim_end_matches('.').to_owned());
        }
    }
    named
}

#[test]
fn every_fact_has_a_test_that_names_its_sheet_and_section_or_a_setting() {
    let known = known_tests();
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    for fact in facts() {
        assert!(fact.test.is_some() || fact.setting.is_some(), "nothing shows it: {fact:?}");
        let Some(test) = &fact.test else { continue };
        let said = known.get(test).unwrap_or_else(|| panic!("there is no test {test}"));
        assert_eq!(said.len(), 1, "several tests are called {test}");
        let named = sections(&said[0], &fact.sheet);
        assert!(named.contains(&fact.section), "{test} names {named:?} of the sheet: {fact:?}");
        *shown.entry(test.clone()).or_default() += 1;
    }
    for (test, count) in shown {
        assert!(count <= FACTS_OF_A_TEST, "{test} shows {count} facts");
    }
}

#[test]
fn every_setting_that_a_fact_names_is_there() {
    for fact in facts() {
        let Some(setting) = &fact.setting else { continue };
        let file = root().join(format!("assets/platforms/{}.toml", platform(&fact.sheet)));
        let profile: toml::Table = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let named = profile.get("setting").and_then(toml::Value::as_array).is_some_and(|settings| {
            settings.iter().any(|known| known["name"].as_str() == Some(setting.as_str()))
        });
        let limit = profile["limits"].as_table().is_some_and(|limits| limits.contains_key(setting));
        assert!(named || limit, "there is no such setting: {fact:?}");
    }
}

#[test]
fn every_sheet_has_facts_of_its_sections_and_of_each_topic() {
    let facts = facts();
    for (sheet, sections) in SHEETS {
        let of: Vec<&Fact> = facts.iter().filter(|fact| platform(&fact.sheet) == *sheet).collect();
        for section in *sections {
            assert!(of.iter().any(|fact| fact.section == *section), "no fact of {sheet} §{section}");
        }
        for topic in TOPICS {
            assert!(of.iter().any(|fact| fact.topic == *topic), "no fact of {sheet} is about {topic}");
        }
    }
    let topics: BTreeSet<&str> = TOPICS.iter().copied().chain(["shape", "writing", "events"]).collect();
    let mut told = BTreeSet::new();
    for fact in &facts {
        assert!(SHEETS.iter().any(|(sheet, _)| *sheet == platform(&fact.sheet)), "no such sheet: {fact:?}");
        assert!(topics.contains(fact.topic.as_str()), "no such topic: {fact:?}");
        assert!(
            fact.fact.len() > 15 && told.insert((&fact.sheet, &fact.fact)),
            "said twice, or not at all: {fact:?}"
        );
    }
}

#[test]
fn a_comment_names_the_sections_behind_the_name_of_a_sheet() {
    let said = " platform-a.md §2, §4.1: x; §9. platform-b.md §3: y";
    let of = |sheet: &str| sections(said, sheet).into_iter().collect::<Vec<_>>();
    assert_eq!(of("platform-a.md"), ["2", "4.1", "9"]);
    assert_eq!(of("platform-b.md"), ["3"]);
    assert!(of("platform-c.md").is_empty());
}
