//! A folder of CSV files beside the org, through the real client and real files.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use forcesync::domain::mapping::DeletePolicy;
use forcesync::domain::outcome::RunKind;
use serde_json::{Map, Value, json};

use crate::scenario_stage::{Cast, Scene, map};

async fn scene() -> Scene {
    Scene::of_platform("csv", Cast::of(60), |settings| settings).await
}

async fn synced() -> Scene {
    let scene = scene().await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    // Whoever was made in the org gets the mark in the file.
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    settle(&scene).await;
    scene
}

/// Lets the files become old enough that a later write is sure to show.
async fn settle(scene: &Scene) {
    scene.pass(Duration::from_secs(60)).await;
}

fn file(scene: &Scene, object: &str) -> PathBuf {
    scene.workspace().join("csv").join(format!("{object}.csv"))
}

fn text(scene: &Scene, object: &str) -> String {
    fs::read_to_string(file(scene, object)).unwrap()
}

fn rows(scene: &Scene, object: &str) -> Vec<Map<String, Value>> {
    scene.sandbox().platform().records(object).into_iter().map(map).collect()
}

fn row(scene: &Scene, id: &str) -> Map<String, Value> {
    let found = scene.sandbox().platform().record("Contact", id);
    map(found.unwrap_or_else(|| panic!("{id} is not in Contact.csv")))
}

fn put(scene: &Scene, fields: Value) -> String {
    scene.sandbox().platform().upsert("Contact", &map(fields)).unwrap()
}

/// A row that is linked: its id and that of the contact in the org.
fn linked(scene: &Scene) -> (String, String) {
    let text = |row: &Map<String, Value>, name: &str| row[name].as_str().unwrap().to_owned();
    let row = rows(scene, "Contact").into_iter().find(|row| text(row, "SalesforceId").starts_with("003"));
    let row = row.unwrap();
    (text(&row, "Id"), text(&row, "SalesforceId"))
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_first_sync_everybody_is_in_the_files_once_and_idle_runs_write_nothing() {
    let scene = synced().await;
    for object in ["Contact", "Lead"] {
        let rows = rows(&scene, object);
        let org = scene.sandbox().org().rows(object);
        assert!(!org.is_empty());
        for person in org.iter().filter(|person| person.get("IsConverted") != Some(&json!(true))) {
            let twins = rows.iter().filter(|row| row["SalesforceId"] == person["Id"]).collect::<Vec<_>>();
            assert_eq!(twins.len(), 1, "{person:?}");
            assert_eq!(twins[0]["LastName"], person["LastName"]);
        }
    }
    let before =
        (text(&scene, "Contact"), fs::metadata(file(&scene, "Contact")).unwrap().modified().unwrap());
    let quiet = scene.instant().await;
    assert_eq!((quiet.exit, quiet.counts.created(), quiet.counts.updated()), (0, 0, 0), "{quiet:?}");
    let after = (text(&scene, "Contact"), fs::metadata(file(&scene, "Contact")).unwrap().modified().unwrap());
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_different_fields_on_both_sides_both_survive() {
    let scene = synced().await;
    let (id, org) = linked(&scene);
    put(&scene, json!({"id": id, "Title": "Head, \"of\"\nall"}));
    scene.org_update("Contact", &org, json!({"Fax": "+48 22 1234567", "MailingCity": "Ghent"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    let there = row(&scene, &id);
    assert_eq!((&there["MailingCity"], &there["Title"]), (&json!("Ghent"), &json!("Head, \"of\"\nall")));
    assert_eq!(scene.org_row("Contact", &org)["Title"], "Head, \"of\"\nall");
    // What was written comes back as nothing new.
    settle(&scene).await;
    let again = scene.instant().await;
    assert_eq!((again.exit, again.counts.updated()), (0, 0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_typed_by_hand_becomes_a_contact_and_gets_its_ids() {
    let scene = synced().await;
    let path = file(&scene, "Contact");
    let line = ",nele@fresh.example,Nele,Fresh,,,,,,,,,Ghent,,,,,\n";
    fs::write(&path, text(&scene, "Contact") + line).unwrap();
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.created()), (0, 1), "{ended:?} {:?}", scene.issues().await);
    let made = scene.sandbox().org().rows("Contact");
    let made = made.iter().find(|row| row["Email"] == "nele@fresh.example").unwrap();
    assert_eq!(made["MailingCity"], "Ghent");
    settle(&scene).await;
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.created()), (0, 0), "{ended:?}");
    let there = row(&scene, "nele@fresh.example");
    assert_eq!(there["SalesforceId"], made["Id"]);
    assert!(there["Id"].as_str().is_some_and(|id| !id.is_empty()), "{there:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_new_in_the_org_is_added_at_the_end() {
    let scene = synced().await;
    let before = text(&scene, "Contact");
    let fields = json!({"FirstName": "Ada", "LastName": "New", "Email": "ada@new.example", "Title": "=1+1"});
    let org = scene.org_insert("Contact", fields);
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.created()), (0, 1), "{ended:?}");
    let after = text(&scene, "Contact");
    let line = after.strip_prefix(&before).unwrap();
    // It is data, so that it goes through unchanged.
    assert!(line.contains(&org) && line.contains("ada@new.example") && line.contains(",=1+1,"), "{line}");
    assert_eq!(line.lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_vanished_means_nothing_unless_the_files_are_complete() {
    let scene = synced().await;
    let (id, org) = linked(&scene);
    scene
        .set(|settings| {
            for mapping in &mut settings.mappings {
                mapping.deletes = DeletePolicy::Propagate;
            }
        })
        .await;
    scene.sandbox().platform().delete("Contact", &id).unwrap();
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.deleted()), (0, 0), "{ended:?}");
    assert_eq!(scene.org_row("Contact", &org)["Id"], json!(org));

    let scene = synced().await;
    let (id, org) = linked(&scene);
    scene
        .set(|settings| {
            let kind = settings.platform.kind;
            settings.platform.tell(kind, "complete", Some(true.into()));
            for mapping in &mut settings.mappings {
                mapping.deletes = DeletePolicy::Propagate;
            }
        })
        .await;
    scene.sandbox().platform().delete("Contact", &id).unwrap();
    let ended = scene.unbraked(RunKind::Instant).await;
    assert_eq!((ended.exit, ended.counts.deleted()), (0, 1), "{ended:?} {:?}", scene.issues().await);
    assert!(scene.sandbox().org().row("Contact", &org).is_none_or(|row| row["IsDeleted"] == json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_stops_the_run_with_its_line_and_costs_nothing() {
    let scene = synced().await;
    let (id, org) = linked(&scene);
    put(&scene, json!({"id": id, "Title": "Kept"}));
    let whole = text(&scene, "Contact");
    fs::write(file(&scene, "Contact"), format!("{whole}9,half\n")).unwrap();
    let line = whole.lines().count() + 1;
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 2, "{ended:?}");
    assert!(ended.message.contains(&format!("Contact.csv, line {line}, has 2 fields")), "{}", ended.message);
    assert_ne!(scene.org_row("Contact", &org)["Title"], "Kept");
    fs::write(file(&scene, "Contact"), whole).unwrap();
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(scene.org_row("Contact", &org)["Title"], "Kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_file_is_open_in_excel_its_rows_wait() {
    let scene = synced().await;
    let (id, org) = linked(&scene);
    scene.org_update("Contact", &org, json!({"Title": "Waits"}));
    let lock = scene.workspace().join("csv").join("~$Contact.csv");
    fs::write(&lock, "").unwrap();
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 1, "{ended:?}");
    assert!(ended.message.contains("open in Excel"), "{}", ended.message);
    fs::remove_file(lock).unwrap();
    scene.pass(Duration::from_secs(600)).await;
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(row(&scene, &id)["Title"], "Waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_file_can_be_mapped_by_its_name() {
    let scene = Scene::of_platform("csv", Cast::of(60), |settings| {
        format!(
            "{settings}\n[[mapping]]\nname = \"account\"\norg_object = \"Account\"\nplatform_object = \"Firms\"\n\
             platform_mark = \"SalesforceId\"\n\
             [[mapping.pair]]\norg = \"Name\"\nplatform = \"Firm\"\nkey = true\n\
             [[mapping.pair]]\norg = \"Phone\"\nplatform = \"Phone\"\n\
             [[mapping.pair]]\norg = \"Id\"\nplatform = \"SalesforceId\"\ndirection = \"to_platform\"\n"
        )
    })
    .await;
    // Semicolons, carriage returns, no ids: as a spreadsheet left it.
    fs::write(file(&scene, "Firms"), "Firm;Phone;Note\r\nOur Own;;stays\r\n").unwrap();
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let text = fs::read_to_string(file(&scene, "Firms")).unwrap();
    let accounts = scene.sandbox().org().rows("Account");
    assert_eq!(text.lines().count(), accounts.len() + 2, "{text}");
    assert!(text.starts_with("Firm;Phone;Note;SalesforceId;Id\r\nOur Own;;stays;;m"), "{text}");
    for account in &accounts {
        assert!(text.contains(account["Id"].as_str().unwrap()), "{account:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_tells_what_is_in_the_folder_and_what_is_wrong_with_it() {
    let scene = scene().await;
    let told = scene.command(&["connection", "test", "platform", "--json"]).await;
    assert_eq!(told.code, 0, "{told:?}");
    let first = told.objects().swap_remove(0)["message"].to_string();
    assert!(first.contains("Contact.csv: ") && first.contains(" rows of 18 fields with commas"), "{first}");
    fs::write(file(&scene, "Broken"), "A,a\n").unwrap();
    let told = scene.command(&["connection", "test", "platform"]).await;
    assert_eq!(told.code, 1, "{told:?}");
    assert!(told.stdout.contains("Broken.csv, line 1: the columns 1 and 2 are both named “a”"), "{told:?}");
    fs::remove_dir_all(scene.workspace().join("csv")).unwrap();
    let told = scene.command(&["connection", "test", "platform"]).await;
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.stdout.contains("There is no folder"), "{told:?}");
}
