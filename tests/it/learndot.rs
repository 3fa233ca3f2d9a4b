//! Learndot beside the org, through the real client over HTTP: one scenario a requirement (F1–F28).

use std::time::Duration;

use forcesync::domain::command::RunRequest;
use forcesync::domain::mapping::Direction;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side as OurSide;
use forcesync::sandbox::faults::{Fault, FaultKind, Side};
use serde_json::{Map, Value, json};

use crate::scenario_stage::{Cast, Scene, map};

async fn scene() -> Scene {
    Scene::of_platform("learndot", Cast::of(60), |settings| settings).await
}

async fn synced() -> Scene {
    synced_with(|settings| settings).await
}

async fn synced_with(edit: impl FnOnce(String) -> String) -> Scene {
    let scene = Scene::of_platform("learndot", Cast::of(60), edit).await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?} {:?}", scene.issues().await, waiting(&scene));
    scene
}

/// What waits to be looked at again, and why.
fn waiting(scene: &Scene) -> Vec<(String, i64)> {
    let db = rusqlite::Connection::open(scene.workspace().join("state.db")).unwrap();
    let mut statement = db.prepare("SELECT reason, count(*) FROM pending GROUP BY reason").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn put(scene: &Scene, entity: &str, fields: Value) -> String {
    scene.sandbox().platform().upsert(entity, &map(fields)).unwrap()
}

fn held(scene: &Scene, entity: &str, id: &str) -> Value {
    scene
        .sandbox()
        .platform()
        .record(entity, id)
        .unwrap_or_else(|| panic!("{entity} {id} is not in Learndot"))
}

fn rows(scene: &Scene, object: &str) -> Vec<Map<String, Value>> {
    scene.sandbox().org().rows(object)
}

/// The org's row that holds this id of Learndot.
fn marked(scene: &Scene, object: &str, id: &str) -> Map<String, Value> {
    rows(scene, object)
        .into_iter()
        .find(|row| row["Learndot_Id__c"].as_str() == Some(id))
        .unwrap_or_else(|| panic!("no {object} holds {id}"))
}

/// A contact of the org that is linked: its id and the one in Learndot.
fn linked_contact(scene: &Scene) -> (String, String) {
    let row = rows(scene, "Contact").into_iter().find(|row| {
        row["Learndot_Id__c"]
            .as_str()
            .is_some_and(|id| scene.sandbox().platform().record("contact", id).is_some())
    });
    let row = row.unwrap();
    (row["Id"].as_str().unwrap().to_owned(), row["Learndot_Id__c"].as_str().unwrap().to_owned())
}

/// F1, F7, F11: contacts, organizations, courses, enrolments, orders and payments come to Salesforce, each with what it belongs to.
/// platform-learndot.md §3, §5: the organization of a contact, and the id of Salesforce in `externalId`.
#[tokio::test(flavor = "multi_thread")]
async fn f7_f11_an_initial_sync_brings_purchases_and_enrolments_with_what_they_belong_to() {
    let scene = scene().await;
    let ended = scene.initial().await;
    assert_eq!((ended.exit, ended.counts.failed), (0, 0), "{ended:?} {:?}", scene.issues().await);
    let platform = scene.sandbox().platform();
    for (entity, object) in [
        ("learning_component", "Learndot_Course__c"),
        ("enrolment", "Learndot_Enrolment__c"),
        ("order", "Learndot_Order__c"),
        ("payment", "Learndot_Payment__c"),
    ] {
        assert_eq!(platform.records(entity).len(), rows(&scene, object).len(), "{entity}");
        assert!(!rows(&scene, object).is_empty(), "{entity}");
    }
    for enrolment in platform.records("enrolment") {
        let row = marked(&scene, "Learndot_Enrolment__c", &enrolment["id"].to_string());
        let contact = marked(&scene, "Contact", &enrolment["contactId"].to_string());
        assert_eq!(row["Contact__c"], contact["Id"], "{enrolment}");
        assert_eq!(row["Status__c"], enrolment["status"]);
        assert!(row["Course__c"].is_string(), "{row:?}");
    }
    let payment = &platform.records("payment")[0];
    let row = marked(&scene, "Learndot_Payment__c", &payment["id"].to_string());
    let order = marked(&scene, "Learndot_Order__c", &payment["orderId"].to_string());
    assert_eq!(row["Order__c"], order["Id"]);
    assert_eq!(row["Amount__c"].as_f64(), payment["amount"]["amount"].as_f64());

    // Accounts and contacts went the other way too, each contact into its organization.
    let contact = rows(&scene, "Contact")
        .into_iter()
        .find(|row| row["AccountId"].is_string() && row["Learndot_Id__c"].is_string())
        .unwrap();
    let account = scene.org_row("Account", contact["AccountId"].as_str().unwrap());
    let there = held(&scene, "contact", contact["Learndot_Id__c"].as_str().unwrap());
    assert_eq!(there["organizationId"].to_string(), account["Learndot_Id__c"].as_str().unwrap());
    assert_eq!(there["externalId"], contact["Id"]);

    let second = scene.initial().await;
    assert_eq!((second.counts.created(), second.counts.updated()), (0, 0), "{second:?}");
}

/// F25: what is created, bought or changed in Learndot comes with the next run, although a new enrolment has no date of change.
#[tokio::test(flavor = "multi_thread")]
async fn f25_a_purchase_and_a_completion_come_with_the_next_run() {
    let scene = synced().await;
    scene.pass(Duration::from_secs(3600)).await;
    let (id, contact) = linked_contact(&scene);
    let number: u64 = contact.parse().unwrap();
    let enrolment =
        put(&scene, "enrolment", json!({"contactId": number, "componentId": 1, "status": "CONFIRMED"}));
    let order = put(
        &scene,
        "order",
        json!({"contactId": number, "status": "COMPLETED", "total": {"amount": 99.5, "currency": "EUR"}}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 2), "{ended:?} {:?}", scene.issues().await);
    assert_eq!(marked(&scene, "Learndot_Enrolment__c", &enrolment)["Contact__c"], json!(id));
    assert_eq!(marked(&scene, "Learndot_Order__c", &order)["Total__c"].as_f64(), Some(99.5));
    put(&scene, "enrolment", json!({"id": enrolment, "status": "PASSED"}));
    scene.instant().await;
    assert_eq!(marked(&scene, "Learndot_Enrolment__c", &enrolment)["Status__c"], "PASSED");
}

/// F27: what is created or changed in Salesforce comes with the next run; a new account comes before its contacts.
#[tokio::test(flavor = "multi_thread")]
async fn f27_a_new_account_and_its_contact_reach_learndot_in_one_run() {
    let scene = synced().await;
    let account = scene.org_insert("Account", json!({"Name": "Fresh Ltd", "BillingCity": "Ghent"}));
    let contact = scene.org_insert(
        "Contact",
        json!({"FirstName": "Nele", "LastName": "Maes", "Email": "nele@fresh.example", "AccountId": account}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (0, 2), "{ended:?} {:?}", scene.issues().await);
    let there = held(&scene, "contact", "nele@fresh.example");
    let organization = held(&scene, "organization", "Fresh Ltd");
    assert_eq!((&there["organizationId"], &there["externalId"]), (&organization["id"], &json!(contact)));
    assert_eq!(organization["address"]["city"], "Ghent");
    scene.instant().await;
    assert_eq!(scene.org_row("Contact", &contact)["Learndot_Id__c"], there["id"].to_string());
    // Moved to another account, it moves there too; and back from the other side.
    let other = rows(&scene, "Account")
        .into_iter()
        .find(|row| row["Learndot_Id__c"].is_string() && row["Id"] != json!(account))
        .unwrap();
    scene.org_update("Contact", &contact, json!({"AccountId": other["Id"]}));
    scene.instant().await;
    let there = held(&scene, "contact", "nele@fresh.example");
    assert_eq!(there["organizationId"].to_string(), other["Learndot_Id__c"].as_str().unwrap());
    put(&scene, "contact", json!({"id": there["id"], "organizationId": organization["id"]}));
    scene.instant().await;
    assert_eq!(scene.org_row("Contact", &contact)["AccountId"], json!(account));
}

/// F2: memberships come from a field of the contact; a name that is no group is told and nothing is written.
/// platform-learndot.md §3: user groups of a contact.
#[tokio::test(flavor = "multi_thread")]
async fn f2_user_groups_follow_a_field_of_the_contact() {
    let scene = synced().await;
    let (id, there) = linked_contact(&scene);
    scene.org_update("Contact", &id, json!({"Learndot_Groups__c": "partners; Customers"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let mut groups: Vec<u64> = held(&scene, "contact", &there)["userGroupIds"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_u64)
        .collect();
    groups.sort_unstable();
    assert_eq!(groups, [1, 2]);
    assert_eq!(scene.instant().await.counts.updated(), 0);
    scene.org_update("Contact", &id, json!({"Learndot_Groups__c": "Wizards"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 3, "{ended:?}");
    let issues = scene.issues().await;
    assert!(
        issues.iter().any(|issue| issue.code == "NO_SUCH_GROUP" && issue.message.contains("Wizards")),
        "{issues:?}"
    );
}

/// F13: from Salesforce only accounts and contacts; anything else is refused with the reason and the line of the file.
#[tokio::test(flavor = "multi_thread")]
async fn f13_another_object_is_refused_with_the_reason_and_the_line() {
    let scene = synced().await;
    let file = scene.workspace().join("forcesync.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let lead = "\n[[mapping]]\nname = \"lead\"\norg_object = \"Lead\"\nplatform_object = \"contact\"\ndirection = \"to_platform\"\n[[mapping.pair]]\norg = \"Email\"\nplatform = \"email\"\nkey = true\n";
    std::fs::write(&file, format!("{text}{lead}")).unwrap();
    let line = text.lines().count() + 6;
    let done = scene.command(&["config", "validate"]).await;
    assert_eq!(done.code, 2, "{done:?}");
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(
        said.contains(&format!("{line}:")) || said.contains(&format!("line {line}")),
        "line {line}: {said}"
    );
    assert!(said.contains("only accounts and contacts"), "{said}");
    let both = "platform_object = \"learning_component\"\ndirection = \"both\"";
    let course = text.replacen("platform_object = \"learning_component\"\ndirection = \"to_org\"", both, 1);
    std::fs::write(&file, course).unwrap();
    let done = scene.command(&["config", "validate"]).await;
    assert_eq!(done.code, 2, "{done:?}");
}

/// F4, F5: changes by the integration user can be left out, on both sides.
#[tokio::test(flavor = "multi_thread")]
async fn f5_changes_by_the_integration_user_are_left_out_where_asked_for() {
    let scene = synced_with(|settings| {
        settings.replace("org_object = \"Contact\"", "org_object = \"Contact\"\nignore_own_changes = true")
    })
    .await;
    scene.pass(Duration::from_secs(3600)).await;
    scene.instant().await;
    let (id, there) = linked_contact(&scene);
    let us = scene.sandbox().org().integration_user_id();
    scene.sandbox().org().admin_update("Contact", &id, &map(json!({"Title": "By us"})), &us).unwrap();
    scene.instant().await;
    assert_ne!(held(&scene, "contact", &there)["title"], "By us");
    scene.org_update("Contact", &id, json!({"Title": "By a person"}));
    scene.instant().await;
    assert_eq!(held(&scene, "contact", &there)["title"], "By a person");
}

/// F12, F14: 30 minutes from Salesforce and 60 to it, each direction its own; a run of one reads only that side.
/// platform-learndot.md §6: how often each direction runs.
#[tokio::test(flavor = "multi_thread")]
async fn f12_f14_each_direction_has_its_own_interval() {
    let scene = synced().await;
    let schedule = scene.session().settings().schedule;
    assert_eq!(schedule.every_from(OurSide::Org).duration(), Duration::from_secs(1800));
    assert_eq!(schedule.every_from(OurSide::Platform).duration(), Duration::from_secs(3600));
    let (id, there) = linked_contact(&scene);
    scene.pass(Duration::from_secs(1800)).await;
    scene.org_update("Contact", &id, json!({"Title": "From here"}));
    put(&scene, "contact", json!({"id": there, "department": "From there"}));
    let only = |side| RunRequest { reads: Some(side), ..RunRequest::new(RunKind::Automatic) };
    let ended = scene.start(only(OurSide::Org)).await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    // What the other side holds is read before it is written, so both edits cross although only one side's feed was read.
    let contact = held(&scene, "contact", &there);
    assert_eq!((&contact["title"], &contact["department"]), (&json!("From here"), &json!("From there")));
    // Past the seconds in which what we wrote ourselves comes back and is looked at.
    scene.pass(Duration::from_secs(600)).await;
    scene.start(only(OurSide::Org)).await;
    put(&scene, "contact", json!({"id": there, "homePhone": "+32 9 1"}));
    scene.start(only(OurSide::Org)).await;
    assert_ne!(scene.org_row("Contact", &id)["HomePhone"], "+32 9 1");
    scene.start(only(OurSide::Platform)).await;
    assert_eq!(scene.org_row("Contact", &id)["HomePhone"], "+32 9 1");
    assert_eq!(scene.org_row("Contact", &id)["Department"], "From there");
}

/// F26, F28: a deletion never crosses.
/// platform-learndot.md §6: deletions stay where they are.
#[tokio::test(flavor = "multi_thread")]
async fn f26_f28_a_deletion_never_crosses() {
    let scene = synced().await;
    let (id, there) = linked_contact(&scene);
    scene.org_delete("Contact", &id);
    scene.instant().await;
    assert_eq!(held(&scene, "contact", &there)["enabled"], true);
    let (id, there) = linked_contact(&scene);
    scene.sandbox().platform().delete("contact", &there).unwrap();
    scene.org_update("Contact", &id, json!({"Title": "Still here"}));
    scene.instant().await;
    assert_eq!(scene.org_row("Contact", &id)["Title"], "Still here");
}

/// platform-learndot.md §2: near matches of a search are compared again, so nobody is linked with a namesake.
#[tokio::test(flavor = "multi_thread")]
async fn a_near_match_is_not_taken_for_the_same_person() {
    let scene = synced().await;
    put(&scene, "contact", json!({"firstName": "Joanna", "lastName": "Bell", "email": "joann@bell.example"}));
    scene.instant().await;
    scene.org_insert("Contact", json!({"FirstName": "Ann", "LastName": "Bell", "Email": "ann@bell.example"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (0, 1), "{ended:?}");
    assert_eq!(held(&scene, "contact", "ann@bell.example")["firstName"], "Ann");
    assert_eq!(held(&scene, "contact", "joann@bell.example")["firstName"], "Joanna");
}

/// platform-learndot.md §2: 429, 502 and 504 are tried again; a lost answer to a create makes nobody twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_stumbling_service_is_tried_again_and_nobody_is_made_twice() {
    let scene = synced().await;
    scene.org_insert(
        "Contact",
        json!({"FirstName": "Piet", "LastName": "Smit", "Email": "piet@smit.example"}),
    );
    scene.arm(Fault { count: Some(3), ..Fault::new(FaultKind::TooMany) }.on_side(Side::Platform));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (0, 1), "{ended:?}");
    let named = scene.sandbox().platform().records("contact");
    assert_eq!(named.iter().filter(|contact| contact["email"] == "piet@smit.example").count(), 1);
}

/// F19, F16: a token that is no good ends the run as blocked, with what to do.
/// platform-learndot.md §1: where tokens are made.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_blocks_and_says_where_a_new_one_is_made() {
    let scene = synced().await;
    scene.arm(Fault::new(FaultKind::Unauthorized).on_side(Side::Platform));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 7, "{ended:?}");
    assert!(ended.message.contains("/admin/api/token"), "{ended:?}");
}

/// F23, F24: each run has its line, and the last update is told apart from the last run.
#[tokio::test(flavor = "multi_thread")]
async fn f23_f24_every_run_is_logged_and_the_last_update_is_not_the_last_run() {
    let scene = synced().await;
    let before = scene.status().await;
    scene.pass(Duration::from_secs(7200)).await;
    scene.instant().await;
    scene.pass(Duration::from_secs(7200)).await;
    scene.instant().await;
    let status = scene.status().await;
    assert_eq!(status.last_update, before.last_update, "{status:?}");
    assert!(status.last_synchronization > before.last_synchronization, "{status:?}");
}

/// F3: a run of one direction alone.
#[tokio::test(flavor = "multi_thread")]
async fn f3_one_direction_alone_writes_one_side_alone() {
    let scene = scene().await;
    let ended = scene
        .start(RunRequest { direction: Some(Direction::ToOrg), ..RunRequest::new(RunKind::Initial) })
        .await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!((ended.counts.platform.created, ended.counts.platform.updated), (0, 0), "{ended:?}");
    assert!(ended.counts.salesforce.created > 0);
}

/// F28: after a deletion in Salesforce a person sets the record inactive, by the deleted record's own id.
/// platform-learndot.md §6: a contact is set inactive instead.
#[tokio::test(flavor = "multi_thread")]
async fn f28_a_record_is_set_inactive_by_hand() {
    let scene = synced().await;
    let (id, there) = linked_contact(&scene);
    scene.org_delete("Contact", &id);
    scene.instant().await;
    forcesync::ops::deactivate::deactivate(scene.engine(), "Contact", &id).await.unwrap();
    assert_eq!(held(&scene, "contact", &there)["enabled"], false);
    let row = scene.history(1).await.remove(0);
    assert_eq!(row.action, "deactivated", "{row:?}");
    let again = forcesync::ops::deactivate::deactivate(scene.engine(), "contact", &there).await.unwrap_err();
    assert!(again.message.contains("inactive already"), "{again:?}");
    let course =
        forcesync::ops::deactivate::deactivate(scene.engine(), "learning_component", "1").await.unwrap_err();
    assert!(course.message.contains("by hand"), "{course:?}");
}

/// N26: what the mappings want in the org is listed by a check, made on request by a deploy with a permission set, and never unasked.
#[tokio::test(flavor = "multi_thread")]
async fn n26_missing_objects_are_listed_and_made_on_request() {
    let scene = Scene::without_package("learndot", Cast::of(60)).await;
    let names: Vec<String> =
        scene.session().settings().mappings.iter().map(|mapping| mapping.name.clone()).collect();
    assert_eq!(names, ["account", "contact"]);
    let listed = scene.command(&["objects", "list"]).await;
    assert_eq!(listed.code, 10, "{listed:?}");
    for missing in ["Learndot_Enrolment__c", "Contact lacks Learndot_Id__c", "objects create"] {
        assert!(listed.stdout.contains(missing), "{missing}: {}", listed.stdout);
    }
    let refused = scene.command(&["objects", "create", "--json"]).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    let made = scene.command(&["objects", "create", "--yes", "--with-mappings"]).await;
    assert_eq!(made.code, 0, "{made:?}");
    assert!(made.stdout.contains("Made Learndot_Enrolment__c.Contact__c"), "{}", made.stdout);
    assert_eq!(scene.command(&["objects", "list"]).await.code, 0);
    let scene = scene.reopened(|_| ()).await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    assert!(!rows(&scene, "Learndot_Enrolment__c").is_empty());
    assert!(rows(&scene, "Contact").iter().any(|row| row["Learndot_Id__c"].is_string()));
}

/// `forcesync doctor` lists what nobody could confirm, with what is assumed.
#[tokio::test(flavor = "multi_thread")]
async fn unconfirmed_facts_are_settings_that_the_doctor_lists() {
    let scene = scene().await;
    let done = scene.command(&["doctor"]).await;
    for name in [
        "platform.learndot.time_zone",
        "platform.learndot.group_field is “userGroupIds” (assumed)",
        "order of Learndot",
    ] {
        assert!(done.stdout.contains(name), "{name}: {}", done.stdout);
    }
}
