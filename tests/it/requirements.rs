//! The table of what the vendors' descriptions say (`tests/requirements.toml`), held against the tree: every row names a test or a help text
//! that is there, or says that it is open. Rows that no other test shows have theirs below.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use forcesync::connect::platform::profile;
use forcesync::console::app::message::Msg;
use forcesync::domain::mapping::{Conversion, Mapping};
use forcesync::domain::schema::ObjectEntry;
use forcesync::workspace::settings::{Environment, Settings};
use serde::Deserialize;
use serde_json::json;

use crate::console_stage::{full, press};
use crate::scenario_stage::{Cast, Scene};

/// No test may serve more rows than this; else it says little of each.
const ROWS_OF_A_TEST: usize = 4;

#[derive(Deserialize)]
struct Table {
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    number: usize,
    kind: String,
    about: String,
    test: Option<String>,
    help: Option<(String, String)>,
    open: Option<String>,
}

/// Where the tree stands.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn table() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join("tests/requirements.toml")).unwrap();
    toml::from_str::<Table>(&text).unwrap().row
}

/// The tests of the whole tree: the name of each, and what is said above it; several may share a name.
pub fn known_tests() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for folder in ["src", "tests"] {
        tests_in(&root().join(folder), &mut found);
    }
    found
}

/// All tests below a folder.
fn tests_in(folder: &Path, found: &mut BTreeMap<String, Vec<String>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_in(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut marked = false;
            let mut said = String::new();
            for line in text.lines().map(str::trim) {
                let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
                match name.and_then(|rest| rest.split(['(', '<']).next()) {
                    Some(name) => {
                        let said = std::mem::take(&mut said);
                        if marked {
                            found.entry(name.to_owned()).or_default().push(said);
                        }
                        marked = false;
                    }
                    // The names of a test's cases stand between its mark and itself.
                    None if line.starts_with("#[") && !line.starts_with("#[cfg") => {
                        marked |= line.contains("test");
                    }
                    None => match line.strip_prefix("///") {
                        Some(words) => said.push_str(words),
                        None if line.is_empty() => said.clear(),
                        None => {}
                    },
                }
                marked &= line != "}";
            }
        }
    }
}

#[test]
fn every_row_from_1_to_168_stands_there_once_and_says_how_it_is_shown() {
    let rows = table();
    let numbers: Vec<usize> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=168).collect::<Vec<_>>());
    for row in &rows {
        let ways = [row.test.is_some(), row.help.is_some(), row.open.is_some()];
        assert_eq!(ways.iter().filter(|way| **way).count(), 1, "F{} {}", row.number, row.about);
        assert!(["R", "C", "U", "D"].contains(&row.kind.as_str()), "F{}: {}", row.number, row.kind);
        // Only a text can be shown by a text.
        assert!(row.help.is_none() || row.kind == "D", "F{} is shown by a test, or open", row.number);
        assert!(row.open.as_ref().is_none_or(|why| why.len() > 20), "F{} says why it is open", row.number);
    }
}

#[test]
fn every_named_test_is_there_and_serves_few_rows() {
    let known = known_tests();
    let mut served: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in table() {
        if let Some(test) = row.test {
            assert!(known.contains_key(&test), "F{}: there is no test {test}", row.number);
            served.entry(test).or_default().push(row.number);
        }
    }
    for (test, rows) in served {
        assert!(rows.len() <= ROWS_OF_A_TEST, "{test} serves {rows:?}");
    }
}

#[test]
fn every_named_help_text_is_there() {
    for row in table() {
        if let Some((file, words)) = row.help {
            assert!(file.starts_with("assets/"), "F{}: {file}", row.number);
            let text = std::fs::read_to_string(root().join(&file)).unwrap();
            assert!(text.contains(&words), "F{}: {file} does not say “{words}”", row.number);
        }
    }
}

#[test]
fn the_readme_says_how_many_rows_are_open() {
    let open = table().iter().filter(|row| row.open.is_some()).count();
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let told = format!("{open} of the 168 rows {} open", if open == 1 { "is" } else { "are" });
    assert!(readme.contains(&told), "{told}");
}

#[test]
fn f39_the_org_is_production_unless_told_otherwise() {
    let settings = Settings::default();
    assert_eq!(settings.salesforce.environment, Environment::Production);
    assert_eq!(settings.salesforce.sign_in_address().as_deref(), Some("https://login.salesforce.com"));
}

/// What `connection set` takes and the settings file then says.
async fn said_after(changes: &[&str]) -> String {
    let scene = Scene::with(Cast::of(60), |settings| settings).await;
    let mut arguments = vec!["connection", "set"];
    arguments.extend(changes);
    let done = scene.command(&arguments).await;
    assert_eq!(done.code, 0, "{done:?}");
    let file = std::fs::read_to_string(scene.workspace().join("forcesync.toml")).unwrap();
    format!("{file}{}", scene.command(&["secret", "list"]).await.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn f46_f47_f48_endpoint_client_id_and_secret_are_settings_of_salesmanago() {
    let said = said_after(&[
        "platform.salesmanago.endpoint=https://app9.salesmanago.com",
        "platform.salesmanago.client_id=client-nine",
    ])
    .await;
    for part in ["https://app9.salesmanago.com", "client-nine", "salesmanago.api_secret"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f51_f52_micro_site_key_and_i_frame_name_are_settings_of_salesmanago() {
    let said = said_after(&[
        "platform.salesmanago.microsite_key=site-nine",
        "platform.salesmanago.iframe_name=frame-nine",
    ])
    .await;
    for part in ["microsite_key = \"site-nine\"", "iframe_name = \"frame-nine\""] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn f68_f118_f119_the_help_tells_what_is_done_in_salesforce_itself() {
    let mapping = include_str!("../../assets/help/mapping.txt");
    assert!(mapping.contains("add its fields to the page layout and assign that layout to your profiles"));
    let deployteq = &profile::profile("deployteq").unwrap().help;
    for part in [
        "https://INSTANCE.lightning.force.com/packagingSetupUI/ipLanding.app?apvId=04tA0000000M0Mz (INSTANCE as in eu10)",
        "put ClangLeadContactMoment or ClangContactContactMoment on the page layouts",
    ] {
        assert!(deployteq.contains(part), "{part}");
    }
}

/// A sync flag is looked at before a run begins: it must be there, and a tick box.
#[tokio::test(flavor = "multi_thread")]
async fn f84_f113_a_sync_flag_is_a_tick_box_that_is_there() {
    // One that is not there may be hidden from this user, which is a matter of rights.
    for (flag, code, words) in
        [("Title", 2, "must be a checkbox"), ("SyncWithClang__c", 7, "has no field SyncWithClang__c")]
    {
        let scene = Scene::with(Cast::of(60), |settings| {
            let line = format!("org_object = \"Contact\"\nsync_flag = \"{flag}\"\n");
            settings.replace("org_object = \"Contact\"\n", &line)
        })
        .await;
        let checked = scene.command(&["check"]).await;
        assert_eq!(checked.code, code, "{flag}: {checked:?}");
        assert!(checked.stdout.contains(words), "{flag}: {checked:?}");
    }
}

#[test]
fn f86_objects_are_added_and_removed_by_keys() {
    let mut app = full();
    let leads = |app: &forcesync::console::app::App| {
        app.mapping.draft.now().iter().filter(|mapping| mapping.org_object == "Lead").count()
    };
    let before = (app.mapping.draft.now().len(), leads(&app));
    press(&mut app, "2 a");
    let lead = ObjectEntry { name: "Lead".into(), label: "Lead".into(), ..ObjectEntry::default() };
    app.update(Msg::ObjectsListed(Ok(vec![lead])));
    press(&mut app, "enter enter");
    assert_eq!((app.mapping.draft.now().len(), leads(&app)), (before.0 + 1, before.1 + 1));
    // Without the pairs that are suggested; those of the new one have the focus.
    press(&mut app, "esc tab D y");
    assert_eq!(app.mapping.draft.now().len(), before.0);
}

/// With the id of a lead as key, the contact that it becomes is somebody else on the platform; with the e-mail address it is the same.
#[test]
fn f91_with_the_id_as_key_a_conversion_gives_two_records() {
    let mapping = |org: &str, platform: &str| -> Mapping {
        toml::from_str(&format!(
            "name = \"lead\"\norg_object = \"Lead\"\nplatform_object = \"customer\"\ncreate_on_platform = true\n\
             create_in_org = false\n[[pair]]\norg = \"{org}\"\nplatform = \"{platform}\"\nkey = true\n"
        ))
        .unwrap()
    };
    assert_eq!(mapping("Id", "externalid").conversion(), Conversion::TwoRecords);
    assert_eq!(mapping("Email", "emailaddress").conversion(), Conversion::HandOver);
    let help = &profile::profile("deployteq").unwrap().help;
    assert!(
        help.contains(
            "a lead that is converted becomes a second customer, and e-mail addresses are not unique"
        )
    );
}

/// Without leave to create, additions of the org stay out and changes of linked records still cross.
#[tokio::test(flavor = "multi_thread")]
async fn f106_without_leave_to_create_only_linked_records_are_updated() {
    let scene = Scene::synced().await;
    scene
        .set(|settings| {
            for mapping in &mut settings.mappings {
                mapping.create_on_platform = false;
            }
        })
        .await;
    let (id, email) = scene.somebody(0);
    scene.org_insert(
        "Contact",
        json!({"FirstName": "New", "LastName": "Comer", "Email": "new@comer.example"}),
    );
    scene.org_update("Contact", &id, json!({"MailingCity": "Ghent"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (0, 0), "{ended:?}");
    assert_eq!(scene.contact(&email)["address"]["city"], "Ghent");
    assert!(scene.sandbox().salesmanago().contact("new@comer.example").is_none());
}
