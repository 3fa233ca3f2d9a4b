//! What becomes of linked records: deletes, undeletes, merges, conversions and the sync flag (laws E9, E10, E15), through the real
//! clients over HTTP.

use std::time::Duration;

use forcesync::domain::command::{Allowances, RunRequest};
use forcesync::domain::outcome::RunKind;
use serde_json::json;

use crate::scenario_stage::{Cast, Scene, duplicates};

/// Adds a line to every mapping of the settings.
fn every_mapping(line: &'static str) -> impl FnOnce(String) -> String {
    move |settings| settings.replace("deletes = \"ignore\"\n", &format!("{line}\n"))
}

fn propagate() -> impl FnOnce(String) -> String {
    every_mapping("deletes = \"propagate\"")
}

/// A lead that is linked, with its e-mail address.
fn some_lead(scene: &Scene, nth: usize) -> (String, String) {
    let leads = scene.sandbox().org().rows("Lead");
    let mut fit = leads.iter().filter(|row| {
        row["IsConverted"] == json!(false)
            && row["Company"].is_string()
            && row["Email"]
                .as_str()
                .is_some_and(|email| scene.sandbox().salesmanago().contact(email).is_some())
    });
    let row = fit.nth(nth).unwrap();
    (row["Id"].as_str().unwrap().to_owned(), row["Email"].as_str().unwrap().to_owned())
}

fn is_deleted(scene: &Scene, id: &str) -> bool {
    scene.contact(id)["deleted"] == json!(true)
}

#[tokio::test(flavor = "multi_thread")]
async fn e9_an_ignored_delete_closes_the_link_and_an_undelete_opens_it_again() {
    let scene = Scene::synced().await;
    let links = scene.status().await.links;
    let (id, email) = scene.somebody(0);
    scene.org_delete("Contact", &id);
    scene.pass(Duration::from_secs(120)).await;
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.deleted()), (0, 0), "{ended:?}");
    assert_eq!(scene.status().await.links, links - 1);
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 000 11 22"}));
    let user = scene.sandbox().org().person_user_id();
    scene.sandbox().org().admin_undelete("Contact", &id, &user).unwrap();
    for _ in 0..2 {
        scene.pass(Duration::from_secs(60)).await;
        let ended = scene.instant().await;
        assert_eq!(ended.exit, 0, "{ended:?}");
    }
    assert_eq!(scene.status().await.links, links);
    // What was edited meanwhile is merged against the bases of before.
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+32 9 000 11 22");
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn e9_a_delete_in_the_org_reaches_the_platform_once() {
    let scene = Scene::synced_with(propagate()).await;
    let (id, email) = scene.somebody(0);
    let contact = scene.contact(&email)["id"].as_str().unwrap().to_owned();
    scene.org_delete("Contact", &id);
    scene.pass(Duration::from_secs(120)).await;
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.deleted, ended.counts.updated()), (0, 1, 0), "{ended:?}");
    assert!(is_deleted(&scene, &contact));
    let row = scene.history(1).await.remove(0);
    assert_eq!(row.action, "deleted");
    assert!(
        row.changes.iter().any(|change| change.old.iter().any(|old| old.to_string() == email)),
        "{row:?}"
    );
    let again = scene.instant().await;
    assert_eq!((again.exit, again.counts.deleted()), (0, 0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn e9_a_delete_on_the_platform_goes_to_the_recycle_bin_of_the_org() {
    let scene = Scene::synced_with(propagate()).await;
    let (id, email) = scene.somebody(0);
    let contact = scene.contact(&email)["id"].as_str().unwrap().to_owned();
    scene.sandbox().salesmanago().admin_delete(&contact).unwrap();
    // The service has no feed of deletions: a full read meets it.
    let ended = scene.initial().await;
    assert_eq!((ended.exit, ended.counts.salesforce.deleted), (0, 1), "{ended:?}");
    assert!(scene.sandbox().org().row("Contact", &id).is_none());
    let user = scene.sandbox().org().person_user_id();
    scene.sandbox().org().admin_undelete("Contact", &id, &user).unwrap();
    scene.pass(Duration::from_secs(60)).await;
    let ended = scene.instant().await;
    // Back from the bin, the person is new to the platform.
    assert_eq!((ended.exit, ended.counts.platform.created), (0, 1), "{ended:?}");
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn e9_a_delete_against_an_edit_waits_for_a_person() {
    let scene = Scene::synced_with(propagate()).await;
    let (id, email) = scene.somebody(0);
    scene.org_delete("Contact", &id);
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 555 66 77"}));
    scene.pass(Duration::from_secs(120)).await;
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.conflicts, ended.counts.deleted()), (3, 1, 0), "{ended:?}");
    assert_eq!(scene.contact(&email)["phone"], "+32 9 555 66 77");
    assert_eq!(scene.status().await.conflicts, 1);
    // Taken back, the conflict is gone and the edit arrives.
    let user = scene.sandbox().org().person_user_id();
    scene.sandbox().org().admin_undelete("Contact", &id, &user).unwrap();
    scene.pass(Duration::from_secs(60)).await;
    for _ in 0..2 {
        scene.pass(Duration::from_secs(60)).await;
        scene.platform_upsert(json!({"email": email, "company": "Undeleted Ltd"}));
        scene.instant().await;
    }
    assert_eq!(scene.status().await.conflicts, 0);
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+32 9 555 66 77");
}

#[tokio::test(flavor = "multi_thread")]
async fn e9_deletions_of_a_long_pause_are_found_by_the_ids_of_the_links() {
    let scene = Scene::synced_with(propagate()).await;
    let (id, email) = scene.somebody(0);
    let contact = scene.contact(&email)["id"].as_str().unwrap().to_owned();
    scene.org_delete("Contact", &id);
    scene.pass(Duration::from_secs(20 * 24 * 3600)).await;
    let (other, address) = scene.somebody(1);
    scene.org_update("Contact", &other, json!({"MailingCity": "Ghent"}));
    let ended = scene.instant().await;
    assert_eq!(scene.contact(&address)["address"]["city"], "Ghent", "{ended:?}");
    // What the org still knows is deleted; of what it forgot nobody can tell.
    let missing = scene.issues().await.iter().any(|issue| issue.code == "missing");
    assert!(is_deleted(&scene, &contact) || missing, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn e10_many_deletes_are_braked_and_released_by_their_number() {
    let scene = Scene::synced_with(propagate()).await;
    let mut ids: Vec<String> = Vec::new();
    for nth in 0.. {
        let rows = scene.sandbox().org().rows("Contact");
        let Some(row) = rows.get(nth) else { break };
        ids.push(row["Id"].as_str().unwrap().to_owned());
        if ids.len() == 24 {
            break;
        }
    }
    let alive = || {
        let contacts = scene.sandbox().salesmanago().contacts();
        contacts.iter().filter(|contact| contact["deleted"] == json!(false)).count()
    };
    let before = alive();
    for id in &ids {
        scene.org_delete("Contact", id);
    }
    scene.pass(Duration::from_secs(120)).await;
    let (other, address) = some_lead(&scene, 0);
    scene.org_update("Lead", &other, json!({"City": "Ghent"}));
    let braked = scene.instant().await;
    assert_eq!((braked.exit, braked.counts.deleted()), (5, 0), "{braked:?}");
    assert!(braked.message.contains("--allow-deletes 24"), "{braked:?}");
    assert_eq!(alive(), before);
    // The rest of the run was done, and it is still known what has to be deleted when the feed has moved on.
    assert_eq!(scene.contact(&address)["address"]["city"], "Ghent");
    scene.pass(Duration::from_secs(3600)).await;
    let again = scene.instant().await;
    assert_eq!((again.exit, again.counts.deleted()), (5, 0), "{again:?}");
    let allow = Allowances { deletes: Some(24), ..Allowances::default() };
    let released = scene.start(RunRequest { allow, ..RunRequest::new(RunKind::Instant) }).await;
    assert_eq!((released.exit, released.counts.platform.deleted), (0, 24), "{released:?}");
    assert_eq!(alive(), before - 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn e9_a_deactivated_record_keeps_everything_but_its_state() {
    let line = "deletes = \"deactivate\"\ndeactivate = { side = \"platform\", field = \"details.Active\", value = \"no\" }";
    let scene = Scene::synced_with(every_mapping(line)).await;
    let (id, email) = scene.somebody(0);
    scene.org_delete("Contact", &id);
    scene.pass(Duration::from_secs(120)).await;
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.updated, ended.counts.deleted()), (0, 1, 0), "{ended:?}");
    let contact = scene.contact(&email);
    assert_eq!(contact["deleted"], json!(false));
    assert!(contact.to_string().contains("Active"), "{contact}");
    let row = scene.history(1).await.remove(0);
    assert_eq!(row.action, "deactivated");
    let again = scene.instant().await;
    assert_eq!((again.exit, again.counts.updated()), (0, 0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n24_the_contact_takes_over_from_a_converted_lead_which_is_never_written_again() {
    let scene = Scene::synced().await;
    let (id, email) = some_lead(&scene, 0);
    let contact = scene.contact(&email)["id"].as_str().unwrap().to_owned();
    let user = scene.sandbox().org().person_user_id();
    scene.sandbox().org().admin_convert_lead(&id, None, None, &user).unwrap();
    let heir = scene.org_row("Lead", &id)["ConvertedContactId"].as_str().unwrap().to_owned();
    scene.platform_upsert(json!({"email": email, "fax": "+33 1 44 55 66 77"}));
    let leads = scene.sandbox().org().count("Lead");
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.created(), ended.counts.failed), (0, 0, 0), "{ended:?}");
    assert_eq!(scene.contact(&contact)["externalId"], json!(heir));
    assert_eq!(scene.org_row("Contact", &heir)["Fax"], "+33 1 44 55 66 77");
    // From now on the two are one person.
    scene.org_update("Contact", &heir, json!({"MailingCity": "Lyon"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.updated), (0, 1), "{ended:?}");
    assert_eq!(scene.contact(&contact)["address"]["city"], "Lyon");
    assert_eq!(scene.sandbox().org().count("Lead"), leads, "a second lead was made");
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn n24_a_lead_is_handed_over_to_its_person_account() {
    let scene = Scene::new(Cast { records: 60, seed: 11, person_accounts: true }).await;
    scene.initial().await;
    let email = "solo@handed.example";
    let person = json!({"FirstName": "Ann", "LastName": "Solo", "Email": email, "Company": "None"});
    let lead = scene.org_insert("Lead", person);
    let ended = scene.instant().await;
    assert_eq!(ended.counts.platform.created, 1, "{ended:?}");
    let contact = scene.contact(email)["id"].as_str().unwrap().to_owned();
    let user = scene.sandbox().org().person_user_id();
    let person = json!({"FirstName": "Ann", "LastName": "Solo", "PersonEmail": email});
    let account = scene.org_insert("Account", person);
    scene.sandbox().org().admin_convert_lead(&lead, Some(&account), None, &user).unwrap();
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 123 45 67"}));
    for _ in 0..2 {
        scene.pass(Duration::from_secs(60)).await;
        let ended = scene.instant().await;
        assert_eq!((ended.counts.created(), ended.counts.failed), (0, 0), "{ended:?}");
    }
    assert_eq!(scene.contact(&contact)["externalId"], json!(account));
    assert_eq!(scene.org_row("Account", &account)["PersonMobilePhone"], "+32 9 123 45 67");
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn e9_the_winner_of_a_merge_takes_over_and_a_left_over_duplicate_is_an_issue() {
    let scene = Scene::synced_with(propagate()).await;
    let (winner, _) = scene.somebody(0);
    let (loser, email) = scene.somebody(1);
    // A new record that the platform does not know yet wins over one that it knows.
    let fresh = scene.org_insert("Contact", json!({"LastName": "Fresh", "Email": "fresh@merge.example"}));
    let (old, known) = scene.somebody(2);
    let user = scene.sandbox().org().person_user_id();
    scene.sandbox().org().admin_merge("Contact", &winner, &[loser.as_str()], &user).unwrap();
    scene.sandbox().org().admin_merge("Contact", &fresh, &[old.as_str()], &user).unwrap();
    let heirloom = scene.contact(&known)["id"].as_str().unwrap().to_owned();
    scene.pass(Duration::from_secs(120)).await;
    let ended = scene.instant().await;
    assert_eq!(ended.counts.deleted(), 0, "{ended:?}");
    assert!(!is_deleted(&scene, &email));
    let issues = scene.issues().await;
    assert!(issues.iter().any(|issue| issue.code == "duplicate_on_platform"), "{issues:?}");
    assert_eq!(scene.contact(&heirloom)["externalId"], json!(fresh));
    assert_eq!(scene.contact(&heirloom)["email"], "fresh@merge.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn e15_the_flag_is_the_queue_and_is_taken_back() {
    let scene = Scene::synced_with(|settings| {
        // A checkbox that no pair of a contact uses.
        settings.replace(
            "org_object = \"Contact\"\n",
            "org_object = \"Contact\"\nsync_flag = \"HasOptedOutOfFax\"\n",
        )
    })
    .await;
    let ((queued, email), (other, address)) = (scene.somebody(0), scene.somebody(1));
    scene.pass(Duration::from_secs(3600)).await;
    scene.instant().await;
    scene.org_update("Contact", &other, json!({"MailingCity": "Bruges"}));
    scene.org_update("Contact", &queued, json!({"MailingCity": "Ghent", "HasOptedOutOfFax": true}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 1), "{ended:?}");
    assert_eq!(scene.contact(&email)["address"]["city"], "Ghent");
    assert_ne!(scene.contact(&address)["address"]["city"], "Bruges");
    assert_eq!(scene.org_row("Contact", &queued)["HasOptedOutOfFax"], json!(false));
    // Edited behind our back, before the flag was taken: the next run reads it whatever its flag.
    scene.org_update("Contact", &queued, json!({"MailingCity": "Antwerp"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 1), "{ended:?}");
    assert_eq!(scene.contact(&email)["address"]["city"], "Antwerp");
    let idle = scene.instant().await;
    assert_eq!((idle.exit, idle.counts.updated()), (0, 0), "{idle:?}");
}
