//! Tests of loading and saving settings.

mod any_settings;

use proptest::prelude::*;
use rstest::rstest;

use self::any_settings::any_settings;
use super::*;
use crate::domain::mapping::{Mapping, Pair, Policy};
use crate::domain::transform::Transform;
use crate::workspace::settings::Environment;
use crate::workspace::template::settings_text;

const SAMPLE: &str = r#"# Our connection to Acme.
[workspace]
name = "acme"

[salesforce]
environment = "sandbox"   # the copy of March
username = "sync@acme.example"

[sync]
minimum = 50

# People.
[[mapping]]
name = "contact"          # first, so it wins
org_object = "Contact"
platform_object = "contact"

  # The key.
  [[mapping.pair]]
  org = "Email"
  platform = "email"
  key = true

  [[mapping.pair]]
  org = ["FirstName", "LastName"]
  platform = "name"
  transform = "full_name" # cut as people cut names

# Prospects.
[[mapping]]
name = "lead"
org_object = "Lead"
platform_object = "contact"
org_criteria = "IsConverted = false"

  [[mapping.pair]]
  org = "Email"
  platform = "email"
  key = true

  [mapping.pair.transform.table.entries]
  # the hot ones
  A = "hot"
  B = "cold"
"#;

fn sample() -> (tempfile::TempDir, SettingsFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forcesync.toml");
    fs::write(&path, SAMPLE).unwrap();
    let file = SettingsFile::load(&path).unwrap();
    assert_eq!(file.problems(), []);
    (folder, file)
}

fn saved(file: &SettingsFile) -> String {
    fs::read_to_string(file.path()).unwrap()
}

#[test]
fn a_missing_file_says_nothing_and_is_written_on_the_first_save() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = SettingsFile::load(&folder.path().join("forcesync.toml")).unwrap();
    assert!(!file.exists());
    let mut settings = file.settings().clone();
    settings.schedule.automatic = true;
    file.save(&settings).unwrap();
    assert_eq!(saved(&file).trim(), "[schedule]\nautomatic = true");
    assert_eq!(private_file::open_to_others(file.path()), None);
}

#[test]
fn saving_what_was_read_changes_no_byte() {
    let (_folder, mut file) = sample();
    file.save(&file.settings().clone()).unwrap();
    assert_eq!(saved(&file), SAMPLE);
}

#[test]
fn only_what_changed_is_touched() {
    let (_folder, mut file) = sample();
    let mut settings = file.settings().clone();
    settings.salesforce.environment = Environment::Production;
    settings.sync.minimum = 20;
    settings.mappings[0].pairs[1].policy = Policy::Ask;
    settings.mappings[1].org_criteria = None;
    let Transform::Table(table) = &mut settings.mappings[1].pairs[0].transform else { panic!("a table") };
    table.entries.insert("C".into(), "lukewarm".into());
    file.save(&settings).unwrap();
    let expected = SAMPLE
        .replace("\"sandbox\"   # the copy", "\"production\"   # the copy")
        .replace("minimum = 50", "minimum = 20")
        .replace(
            "  transform = \"full_name\" # cut as people cut names\n",
            "  transform = \"full_name\" # cut as people cut names\npolicy = \"ask\"\n",
        )
        .replace("org_criteria = \"IsConverted = false\"\n", "")
        .replace("  B = \"cold\"\n", "  B = \"cold\"\nC = \"lukewarm\"\n");
    assert_eq!(saved(&file), expected);
}

#[test]
fn mappings_and_pairs_keep_their_comments_when_others_come_and_go() {
    let (_folder, mut file) = sample();
    let mut settings = file.settings().clone();
    settings.mappings.swap(0, 1);
    let event = Mapping { name: "event".into(), org_object: "Event".into(), ..settings.mappings[0].clone() };
    settings.mappings.insert(1, event);
    let second = &mut settings.mappings[2].pairs;
    second.swap(0, 1);
    second.push(Pair {
        org: vec!["Phone".into()],
        platform: vec!["phone".into()],
        key: false,
        ..second[1].clone()
    });
    file.save(&settings).unwrap();
    let text = saved(&file);
    let order: Vec<usize> = [
        "# Prospects.",
        "the hot ones",
        "\"event\"",
        "# People.",
        "cut as people",
        "# The key.",
        "\"Phone\"",
    ]
    .map(|part| text.find(part).unwrap_or_else(|| panic!("{part} is lost in\n{text}")))
    .to_vec();
    assert!(order.is_sorted(), "{text}");
    assert_eq!(SettingsFile::load(file.path()).unwrap().settings(), &settings);

    settings.mappings.remove(0);
    file.save(&settings).unwrap();
    assert!(!saved(&file).contains("Prospects") && saved(&file).contains("People"));
}

#[test]
fn a_renamed_mapping_keeps_its_comments() {
    let (_folder, mut file) = sample();
    let mut settings = file.settings().clone();
    settings.mappings[1].name = "prospect".into();
    file.save(&settings).unwrap();
    assert_eq!(saved(&file), SAMPLE.replace("\"lead\"", "\"prospect\""));
}

#[test]
fn a_file_changed_by_somebody_else_is_not_overwritten() {
    let (_folder, mut file) = sample();
    let theirs = SAMPLE.replace("minimum = 50", "minimum = 51");
    fs::write(file.path(), &theirs).unwrap();
    let mut settings = file.settings().clone();
    settings.sync.minimum = 52;
    let error = file.save(&settings).unwrap_err();
    assert!(matches!(error, WorkspaceError::SettingsChanged(_)), "{error}");
    assert_eq!(saved(&file), theirs);
}

#[rstest]
#[case("[salesforce]\nuser_name = 'x'", 2, 1, "salesforce.user_name", Some("username"))]
#[case("[saleforce]\nusername = 'x'", 1, 2, "saleforce", Some("salesforce"))]
#[case("[salesforce]\nenvironment = 'sandobx'", 2, 15, "salesforce.environment", Some("sandbox"))]
#[case("[salesforce]\napi_reserve_percent = '20'", 2, 23, "salesforce.api_reserve_percent", None)]
#[case("[sync]\nminimum = -1", 2, 11, "sync.minimum", None)]
#[case(
    "[platform.salesmanago]\nrequests_per_second = nan",
    2,
    23,
    "platform.salesmanago.requests_per_second",
    None
)]
#[case("[schedule]\nevery = 'often'", 2, 9, "schedule.every", None)]
#[case("[salesforce]\nresolve = ['a=127.0.0.1:1', 'b']", 2, 29, "salesforce.resolve[1]", None)]
#[case("mapping = 5", 1, 11, "mapping", None)]
#[case("[[mapping]]\nname = 'x'\norg_object = 'Lead'", 1, 1, "mapping[0]", None)]
#[case(
    "[[mapping]]\nname='x'\norg_object='Lead'\nplatform_object='c'\n[[mapping.pair]]\norg='a'\nplatform='b'\npolicy='newest'",
    8,
    8,
    "mapping[0].pair[0].policy",
    None
)]
#[case(
    "[[mapping]]\nname='x'\norg_object='Lead'\nplatform_object='c'\n[[mapping.pair]]\norg='a'\nplatform='b'\ntransform='consent'",
    8,
    11,
    "mapping[0].pair[0].transform",
    None
)]
#[case(
    "[[mapping]]\nname='x'\norg_object='Lead'\nplatform_object='c'\n[[mapping.pair]]\norg='a'\nplatform='b'\ntransform={copyy=1}",
    8,
    12,
    "mapping[0].pair[0].transform.copyy",
    None
)]
#[case("[salesforce]\nkind = 'salesmanago'", 2, 1, "salesforce.kind", None)]
#[case("[salesforce\nusername = 'x'", 1, 12, "", None)]
#[case("[salesforce]\nusername = x", 2, 12, "", None)]
fn a_mistake_is_told_with_its_place_and_the_nearest_name(
    #[case] text: &str,
    #[case] line: usize,
    #[case] column: usize,
    #[case] path: &str,
    #[case] suggestion: Option<&str>,
) {
    let (_, problems) = read_settings(text);
    let problem = problems.first().unwrap_or_else(|| panic!("no problem in {text}"));
    assert_eq!(problem.path, path, "{problems:?}");
    assert_eq!(problem.place, Some(Place { line, column }), "{problem}");
    assert_eq!(problem.suggestion.as_deref(), suggestion, "{problem}");
}

#[test]
fn all_mistakes_are_told_at_once_and_the_rest_counts() {
    let text = "[workspace]\nname = \"acme\n[salesforce]\nusername = 'me'\nclient = 5\n\n[schedule\nautomatic = true\n\n[sync]\nminimum = 'x'\ncreate_percent = 30\nsecret_token = 'abc'\n";
    let (settings, problems) = read_settings(text);
    assert_eq!(settings.salesforce.username, "me");
    assert_eq!(settings.sync.create_percent, 30);
    assert_eq!(settings.sync.minimum, 20);
    let lines: Vec<Option<usize>> = problems.iter().map(Problem::line).collect();
    assert_eq!(lines, [Some(2), Some(5), Some(7), Some(11), Some(13)], "{problems:#?}");
    assert!(problems[4].message.contains("secrets never belong") && !problems[4].message.contains("abc"));
}

#[test]
fn a_file_with_unreadable_lines_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forcesync.toml");
    fs::write(&path, "[sync]\nminimum = 30\n[broken\n").unwrap();
    let mut file = SettingsFile::load(&path).unwrap();
    let mut settings = file.settings().clone();
    assert_eq!(settings.sync.minimum, 30);
    settings.sync.minimum = 40;
    let error = file.save(&settings).unwrap_err().to_string();
    assert!(error.contains("line 3") && error.contains("repair"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "[sync]\nminimum = 30\n[broken\n");
}

#[test]
fn what_could_not_be_used_stays_in_the_file_until_it_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forcesync.toml");
    let text = "[sync]\nminimum = 'many'\nfuture = 1\n\n[[mapping]]\nname = 'half'\n\n[[mapping]]\nname = 'whole'\norg_object = 'Lead'\nplatform_object = 'contact'\n";
    fs::write(&path, text).unwrap();
    let mut file = SettingsFile::load(&path).unwrap();
    let mut settings = file.settings().clone();
    assert_eq!(settings.mappings.len(), 1);
    settings.mappings[0].enabled = false;
    file.save(&settings).unwrap();
    assert_eq!(saved(&file), format!("{text}enabled = false\n"));
    settings.sync.minimum = 7;
    settings.mappings.clear();
    file.save(&settings).unwrap();
    assert_eq!(saved(&file), "[sync]\nminimum = 7\nfuture = 1\n\n[[mapping]]\nname = 'half'\n");
}

#[test]
fn settings_that_would_not_read_back_are_refused() {
    let (_folder, mut file) = sample();
    let mut settings = file.settings().clone();
    settings.sync.create_percent = 200;
    let error = file.save(&settings).unwrap_err().to_string();
    assert!(error.contains("sync.create_percent") && error.contains("from 0 to 100"), "{error}");
    assert_eq!(saved(&file), SAMPLE);
}

#[test]
fn findings_about_the_meaning_get_their_places() {
    let text = SAMPLE.replace("IsConverted = false", "IsConverted is odd");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forcesync.toml");
    fs::write(&path, format!("{text}\n[platform.salesmanago]\nendpoint = 'http://x.example'\n")).unwrap();
    let problems = SettingsFile::load(&path).unwrap().all_problems();
    let find = |path: &str| problems.iter().find(|problem| problem.path == path).and_then(Problem::line);
    let line_of = |part: &str| text.lines().position(|line| line.contains(part)).map(|line| line + 1);
    assert_eq!(find("mapping[1].org_criteria"), line_of("org_criteria"));
    assert_eq!(find("platform.salesmanago.endpoint"), Some(text.lines().count() + 3));
}

#[test]
fn mappings_written_on_one_line_are_understood_too() {
    let text = "mapping = [{ name = 'a', org_object = 'Lead', platform_object = 'c', pair = [{ org = 'x', platform = 'y', key = true }] }]\n";
    let (settings, problems) = read_settings(text);
    assert_eq!(problems, []);
    assert_eq!(settings.mappings[0].pairs[0].org, ["x"]);
    let mut other = settings.clone();
    other.mappings[0].pairs[0].key = false;
    let edited = edited(text, &settings, &other).unwrap();
    assert_eq!(read_settings(&edited), (other, Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn settings_read_back_as_they_were_written(settings in any_settings()) {
        let text = write_settings(&settings).unwrap();
        let (read, problems) = read_settings(&text);
        prop_assert_eq!(&problems, &[], "{}", text);
        prop_assert_eq!(read, settings);
    }

    #[test]
    fn any_change_of_settings_is_saved_into_any_file(before in any_settings(), after in any_settings()) {
        let first = edited(&settings_text("x"), &read_settings(&settings_text("x")).0, &before).unwrap();
        prop_assert_eq!(&read_settings(&first).0, &before, "{}", first);
        let second = edited(&first, &before, &after).unwrap();
        prop_assert_eq!(&read_settings(&second).0, &after, "{}\n--- became\n{}", first, second);
        let back = edited(&second, &after, &before).unwrap();
        prop_assert_eq!(&read_settings(&back).0, &before, "{}\n--- became\n{}", second, back);
    }

    #[test]
    fn no_text_makes_loading_panic(text in "(\\[{0,2}(salesforce|mapping|mapping\\.pair|sync)?\\]{0,2}|name|=|'|\"|\n| |5|true|\\{|\\}|,|#|é){0,40}") {
        let _ = read_settings(&text);
    }
}
