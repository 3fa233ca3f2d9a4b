//! SPOTIO beside the org, through the real client over HTTP: one scenario a requirement (F136–F168), and every call held against the
//! vendor's own description of the interface (`spotio_interface.json`, the part of it that is used).

use std::time::Duration;

use forcesync::domain::command::RunRequest;
use forcesync::domain::mapping::Direction;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side as OurSide;
use forcesync::sandbox::faults::{Fault, FaultKind, Side};
use serde_json::{Map, Value, json};

use crate::scenario_stage::{Cast, Scene, map};

async fn scene_with(edit: impl FnOnce(String) -> String) -> Scene {
    Scene::of_platform("spotio", Cast::of(60), edit).await
}

async fn synced_with(edit: impl FnOnce(String) -> String) -> Scene {
    let scene = scene_with(edit).await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    scene
}

async fn synced() -> Scene {
    synced_with(|settings| settings).await
}

/// The settings with another line in the connection.
fn connected(settings: &str, line: &str) -> String {
    settings.replacen("activities_since =", &format!("{line}\nactivities_since ="), 1)
}

/// Lead and task off, accounts with their people and deals on.
fn as_accounts(settings: &str) -> String {
    let parts: Vec<String> = settings
        .split("[[mapping]]\n")
        .map(|part| {
            let lead = ["name = \"lead\"", "name = \"task\""].iter().any(|name| part.starts_with(name));
            if lead {
                part.replacen('\n', "\nenabled = false\n", 1)
            } else if part.starts_with("name = ") {
                part.replacen("enabled = false\n", "", 1)
            } else {
                part.to_owned()
            }
        })
        .collect();
    parts.join("[[mapping]]\n")
}

fn put(scene: &Scene, object: &str, fields: Value) -> String {
    scene.sandbox().platform().upsert(object, &map(fields)).unwrap()
}

fn held(scene: &Scene, object: &str, id: &str) -> Value {
    let found = scene.sandbox().platform().record(object, id);
    found.unwrap_or_else(|| panic!("{object} {id} is not in SPOTIO"))
}

fn rows(scene: &Scene, object: &str) -> Vec<Map<String, Value>> {
    scene.sandbox().org().rows(object)
}

/// The org's row that holds this id of SPOTIO, if there is one.
fn marked(scene: &Scene, object: &str, id: &str) -> Option<Map<String, Value>> {
    rows(scene, object).into_iter().find(|row| row["SPOTIO_Id__c"].as_str() == Some(id))
}

/// A lead of the org that is linked: its id and the one in SPOTIO.
fn linked(scene: &Scene) -> (String, String) {
    let row = rows(scene, "Lead").into_iter().find(|row| {
        row["IsConverted"] == json!(false)
            && row["SPOTIO_Id__c"]
                .as_str()
                .is_some_and(|id| scene.sandbox().platform().record("lead", id).is_some())
    });
    let row = row.unwrap();
    (row["Id"].as_str().unwrap().to_owned(), row["SPOTIO_Id__c"].as_str().unwrap().to_owned())
}

/// F137, F139, F143: the initial sync brings all leads into SPOTIO and those of SPOTIO into the org; nobody is made twice.
#[tokio::test(flavor = "multi_thread")]
async fn f137_f139_f143_an_initial_sync_brings_all_leads_both_ways_and_nobody_twice() {
    let scene = synced().await;
    for row in rows(&scene, "Lead").into_iter().filter(|row| row["IsConverted"] == json!(false)) {
        let there = held(&scene, "lead", row["SPOTIO_Id__c"].as_str().unwrap());
        assert_eq!((&there["email"], &there["lastName"]), (&row["Email"], &row["LastName"]));
        assert_eq!((&there["externalDataObjectId"], &there["city"]), (&row["Id"], &row["City"]));
    }
    for lead in scene.sandbox().platform().records("lead") {
        assert!(marked(&scene, "Lead", lead["id"].as_str().unwrap()).is_some(), "{lead}");
    }
    let second = scene.initial().await;
    assert_eq!((second.exit, second.counts.created(), second.counts.updated()), (0, 0, 0), "{second:?}");
}

/// F141, F161, F168: edits of the org reach SPOTIO, stages included; F137: those of SPOTIO the org; F149: nothing else is touched.
/// platform-spotio.md §10: stages by their names.
#[tokio::test(flavor = "multi_thread")]
async fn f141_f161_f168_edits_and_stages_cross_both_ways_and_touch_nothing_else() {
    let scene = synced().await;
    let (id, there) = linked(&scene);
    put(
        &scene,
        "lead",
        json!({"id": there, "Remarks": "Beware of the dog", "Interests": ["Solar", "Windows"]}),
    );
    scene.org_update("Lead", &id, json!({"LastName": "Vermeer", "Status": "Working - Contacted"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.updated), (0, 1), "{ended:?} {:?}", scene.issues().await);
    let lead = held(&scene, "lead", &there);
    assert_eq!((&lead["lastName"], &lead["stage"]), (&json!("Vermeer"), &json!("Contacted")));
    assert_eq!(
        (&lead["Remarks"], &lead["Interests"]),
        (&json!("Beware of the dog"), &json!(["Solar", "Windows"]))
    );
    put(
        &scene,
        "lead",
        json!({"id": there, "stage": "Not Interested", "company": "Vermeer & Co", "city": "Delft"}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.updated), (0, 1), "{ended:?} {:?}", scene.issues().await);
    let row = scene.org_row("Lead", &id);
    assert_eq!(
        (&row["Status"], &row["Company"], &row["City"]),
        (&json!("Closed - Not Converted"), &json!("Vermeer & Co"), &json!("Delft"))
    );
    let still = scene.instant().await;
    assert_eq!((still.exit, still.counts.updated()), (0, 0), "{still:?}");
}

/// F140, F162, F164, F165: activities become tasks from the day of the set-up on, with date, description, name and status.
/// platform-spotio.md §5: what of an activity stands where in a task.
#[tokio::test(flavor = "multi_thread")]
async fn f140_f162_f164_f165_activities_become_tasks_and_done_completes_them() {
    let scene = synced().await;
    assert!(!scene.sandbox().platform().records("activity").is_empty());
    assert!(rows(&scene, "Task").is_empty(), "what was before the set-up stays out");
    let (id, there) = linked(&scene);
    let visit = put(
        &scene,
        "activity",
        json!({"recordId": there, "title": "Visit", "notes": "Bring samples", "date": "2026-12-24T10:00:00Z"}),
    );
    put(&scene, "activity", json!({"recordId": there, "type": "Transition", "title": "Stage changed"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 1), "{ended:?} {:?}", scene.issues().await);
    let task = marked(&scene, "Task", &visit).unwrap();
    assert_eq!((&task["Subject"], &task["Description"]), (&json!("Visit"), &json!("Bring samples")));
    assert_eq!(
        (&task["ActivityDate"], &task["Status"], &task["WhoId"]),
        (&json!("2026-12-24"), &json!("Not Started"), &json!(id))
    );
    put(&scene, "activity", json!({"id": visit, "done": true}));
    scene.instant().await;
    assert_eq!(marked(&scene, "Task", &visit).unwrap()["Status"], "Completed");
}

/// F163, F166: tasks of the org, new or edited, never become activities.
#[tokio::test(flavor = "multi_thread")]
async fn f163_f166_tasks_never_become_activities() {
    let scene = synced().await;
    let (id, there) = linked(&scene);
    let visit = put(&scene, "activity", json!({"recordId": there, "title": "Visit"}));
    scene.instant().await;
    let before = scene.sandbox().platform().records("activity");
    let task = marked(&scene, "Task", &visit).unwrap();
    scene.org_insert("Task", json!({"Subject": "Call back", "WhoId": id, "Status": "Not Started"}));
    scene.org_update(
        "Task",
        task["Id"].as_str().unwrap(),
        json!({"Subject": "Another name", "Status": "Completed"}),
    );
    let ended = scene.instant().await;
    assert_eq!(
        (ended.exit, ended.counts.platform.created, ended.counts.platform.updated),
        (0, 0, 0),
        "{ended:?}"
    );
    assert_eq!(scene.sandbox().platform().records("activity"), before);
    let file = scene.workspace().join("forcesync.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (head, tail) = text.split_once("platform_object = \"activity\"").unwrap();
    let tail = tail.replacen("direction = \"to_org\"", "direction = \"both\"", 1);
    std::fs::write(&file, format!("{head}platform_object = \"activity\"{tail}")).unwrap();
    let done = scene.command(&["config", "validate"]).await;
    assert_eq!(done.code, 2, "{done:?}");
    assert!(format!("{}{}", done.stdout, done.stderr).contains("never become activities"), "{done:?}");
}

/// F144: a lead without an address is kept, and counted by a test of the connection.
/// platform-spotio.md §3: without an address a record is not on the map.
#[tokio::test(flavor = "multi_thread")]
async fn f144_a_lead_without_an_address_is_kept_and_counted() {
    let scene = synced().await;
    let id = scene
        .org_insert("Lead", json!({"LastName": "Nowhere", "Company": "Nil", "Email": "no@where.example"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (0, 1), "{ended:?} {:?}", scene.issues().await);
    let there = held(&scene, "lead", "no@where.example");
    assert_eq!((&there["externalDataObjectId"], &there["lat"]), (&json!(id), &Value::Null));
    let without =
        scene.sandbox().platform().records("lead").iter().filter(|lead| lead["address"].is_null()).count();
    let settings = scene.session().settings();
    let tested =
        forcesync::ops::test_connection::test(scene.session(), OurSide::Platform, &settings, &[]).await;
    let said: String = tested.lines.iter().map(|line| line.message.as_str()).collect::<Vec<_>>().join("\n");
    assert!(said.contains(&format!("Lead: {without} without an address")), "{said}");
}

/// F150, F151: only what meets the criteria is made in the org, and of what was there before only what changes.
#[tokio::test(flavor = "multi_thread")]
async fn f150_selective_sync_makes_only_what_meets_the_criteria() {
    let scene = scene_with(|settings| {
        settings.replacen(
            "platform_object = \"lead\"",
            "platform_object = \"lead\"\nplatform_criteria = \"stage = 'Contacted'\"",
            1,
        )
    })
    .await;
    let before = rows(&scene, "Lead").len();
    let ended = scene.initial().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 0), "{ended:?} {:?}", scene.issues().await);
    let new =
        put(&scene, "lead", json!({"lastName": "Late", "company": "Later", "email": "late@later.example"}));
    scene.instant().await;
    assert_eq!(rows(&scene, "Lead").len(), before);
    put(&scene, "lead", json!({"id": new, "stage": "Contacted"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 1), "{ended:?} {:?}", scene.issues().await);
    assert_eq!(marked(&scene, "Lead", &new).unwrap()["Status"], "Working - Contacted");
}

/// F152, F167: what exists may be brought from one side alone.
#[tokio::test(flavor = "multi_thread")]
async fn f152_f167_existing_records_of_one_side_alone_can_be_brought() {
    let scene = scene_with(|settings| settings).await;
    let request = RunRequest { direction: Some(Direction::ToPlatform), ..RunRequest::new(RunKind::Initial) };
    let ended = scene.start(request).await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 0), "{ended:?}");
    assert!(ended.counts.platform.created > 0, "{ended:?}");
}

/// F147, F160: a record of SPOTIO becomes an account, a contact and an opportunity that belong together; each follows its own part.
/// platform-spotio.md §2: there is no account beside the record, only a type of the company's own.
#[tokio::test(flavor = "multi_thread")]
async fn f147_f160_a_record_becomes_an_account_with_a_contact_and_an_opportunity() {
    let scene = synced_with(|settings| as_accounts(&settings)).await;
    let id = put(
        &scene,
        "account",
        json!({
            "company": "Bundle Ltd", "firstName": "Bea", "lastName": "Bundle", "email": "bea@bundle.example",
            "value": "12500", "stage": "Contacted", "street": "Main Street 1", "city": "Ghent",
        }),
    );
    // The account first, and in the same run what belongs to it.
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 3), "{ended:?} {:?}", scene.issues().await);
    let account = marked(&scene, "Account", &id).unwrap();
    let contact = marked(&scene, "Contact", &id).unwrap();
    let deal = marked(&scene, "Opportunity", &id).unwrap();
    assert_eq!((&account["Name"], &account["BillingCity"]), (&json!("Bundle Ltd"), &json!("Ghent")));
    assert_eq!((&contact["AccountId"], &deal["AccountId"]), (&account["Id"], &account["Id"]));
    assert_eq!(
        (&contact["Email"], &deal["StageName"]),
        (&json!("bea@bundle.example"), &json!("Qualification"))
    );
    assert_eq!(deal["Amount"].as_f64(), Some(12500.0));
    scene.org_update(
        "Opportunity",
        deal["Id"].as_str().unwrap(),
        json!({"StageName": "Closed Won", "Amount": 13000}),
    );
    scene.org_update("Contact", contact["Id"].as_str().unwrap(), json!({"FirstName": "Beatrice"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let there = held(&scene, "account", &id);
    assert_eq!((&there["stage"], &there["firstName"]), (&json!("Sold"), &json!("Beatrice")));
    assert_eq!(there["value"].as_str().and_then(|value| value.parse::<f64>().ok()), Some(13000.0));
}

/// Law E5: a plan knows nothing of an account that it will make, so applying it makes that alone; the run behind it fills in the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_makes_the_account_alone_and_the_run_behind_it_what_belongs_to_it() {
    let scene = synced_with(|settings| as_accounts(&settings)).await;
    let bundle = json!({
        "company": "Bundle Ltd", "firstName": "Bea", "lastName": "Bundle", "email": "bea@bundle.example", "value": "12500",
    });
    let id = put(&scene, "account", bundle);
    let planned = scene.command(&["plan", "--save", "bundle"]).await;
    assert_eq!(planned.code, 10, "{planned:?}");
    let applied = scene.command(&["apply", "bundle"]).await;
    assert_eq!(applied.code, 0, "{applied:?}");
    let account = marked(&scene, "Account", &id).unwrap();
    assert!(marked(&scene, "Contact", &id).is_none(), "{applied:?}");
    // Long behind what the feed would tell once more.
    scene.pass(Duration::from_secs(2 * 3600)).await;
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 2), "{ended:?} {:?}", scene.issues().await);
    assert_eq!(marked(&scene, "Contact", &id).unwrap()["AccountId"], account["Id"]);
}

/// F138, F154: either leads or accounts, not both; the file is refused with the reason.
#[tokio::test(flavor = "multi_thread")]
async fn f138_f154_leads_and_accounts_exclude_each_other() {
    let scene = scene_with(|settings| settings).await;
    let file = scene.workspace().join("forcesync.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("enabled = false\n", "")).unwrap();
    let done = scene.command(&["config", "validate"]).await;
    assert_eq!(done.code, 2, "{done:?}");
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(said.contains("either the Lead or the Account object (F138)"), "{said}");
}

/// platform-spotio.md §2, §10: an owner of the org is the user of SPOTIO with that external id, and back.
#[tokio::test(flavor = "multi_thread")]
async fn owners_cross_by_their_external_user_id() {
    let scene = synced().await;
    let (id, there) = linked(&scene);
    let us = scene.sandbox().org().integration_user_id();
    scene.org_update("Lead", &id, json!({"OwnerId": us}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    assert_eq!(held(&scene, "lead", &there)["ownerId"], 1);
    put(&scene, "lead", json!({"id": there, "ownerId": "2"}));
    scene.instant().await;
    assert_eq!(scene.org_row("Lead", &id)["OwnerId"], json!(scene.sandbox().org().person_user_id()));
    // One who is nobody in the org leaves its owner alone.
    put(&scene, "lead", json!({"id": there, "ownerId": "4"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 0), "{ended:?}");
}

/// F156: what SPOTIO or Salesforce refuses is an issue in its own words.
#[tokio::test(flavor = "multi_thread")]
async fn f156_what_one_side_refuses_is_an_issue_in_its_words() {
    let scene = synced().await;
    let (id, there) = linked(&scene);
    scene.org_update("Lead", &id, json!({"Status": "Closed - Converted"}));
    let ended = scene.instant().await;
    let issues = scene.issues().await;
    // SPOTIO wants a value before a lead is sold.
    assert_eq!(ended.exit, 3, "{ended:?} {issues:?}");
    assert!(issues.iter().any(|issue| issue.message.contains("Value is required")), "{issues:?}");
    put(&scene, "lead", json!({"id": there, "value": "100"}));
    scene.retry().await;
    assert_eq!(held(&scene, "lead", &there)["stage"], "Sold");
}

/// platform-spotio.md §1: a token that is not accepted any more is minted anew, and nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_minted_anew() {
    let scene = synced().await;
    scene.pass(Duration::from_secs(31 * 86_400)).await;
    let (id, there) = linked(&scene);
    scene.org_update("Lead", &id, json!({"LastName": "Later"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    assert_eq!(held(&scene, "lead", &there)["lastName"], "Later");
    let fault =
        Fault { count: Some(1), on: "GET /api/Exports".into(), ..Fault::new(FaultKind::Unauthorized) };
    scene.arm(fault.on_side(Side::Platform));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    scene.arm(Fault::new(FaultKind::Unauthorized).on_side(Side::Platform));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 7, "{ended:?}");
    assert!(ended.message.contains("API Access"), "{ended:?}");
}

/// platform-spotio.md §8: a create whose answer was lost is found by the org's id that it carries.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_nobody_twice() {
    let scene = synced().await;
    scene.org_insert(
        "Lead",
        json!({"LastName": "Smit", "Company": "Smit & Co", "Email": "piet@smit.example"}),
    );
    // The search for somebody with that address comes before it.
    let fault = Fault {
        count: Some(1),
        after: 1,
        on: "POST /api/DataObjects".into(),
        ..Fault::new(FaultKind::CutAfter)
    };
    scene.arm(fault.on_side(Side::Platform));
    for _ in 0..3 {
        scene.instant().await;
    }
    let made = scene.sandbox().platform().records("lead");
    assert_eq!(made.iter().filter(|lead| lead["email"] == "piet@smit.example").count(), 1);
}

/// platform-spotio.md §6: many rows go by a job, whose failures are read although it is complete; §3: the old interface is never used.
#[tokio::test(flavor = "multi_thread")]
async fn many_rows_go_by_a_job_and_its_failures_are_read() {
    let scene = scene_with(|settings| connected(&settings, "bulk_from = 3")).await;
    scene.org_insert("Lead", json!({"LastName": "Odd", "Company": "Odd", "Email": "odd@odd.example", "Status": "Closed - Converted"}));
    let ended = scene.initial().await;
    let issues = scene.issues().await;
    assert_eq!((ended.exit, ended.counts.failed), (3, 1), "{ended:?} {issues:?}");
    assert!(issues.iter().any(|issue| issue.message.contains("Value is required")), "{issues:?}");
    let calls = scene.calls_since(0, Side::Platform);
    assert!(calls.iter().any(|call| call.contains("/api/jobs/dataObjects/bulk")), "{calls:?}");
    assert!(!calls.iter().any(|call| call.contains("/api/leads")), "{calls:?}");
    for row in rows(&scene, "Lead").into_iter().filter(|row| row["IsConverted"] == json!(false)) {
        if row["LastName"] != "Odd" {
            let there = held(&scene, "lead", row["SPOTIO_Id__c"].as_str().unwrap());
            assert_eq!(there["externalDataObjectId"], row["Id"]);
        }
    }
    for row in rows(&scene, "Lead").iter().filter(|row| row["IsConverted"] == json!(false)).take(8) {
        scene.org_update("Lead", row["Id"].as_str().unwrap(), json!({"FirstName": "Job"}));
    }
    let ended = scene.instant().await;
    assert!(ended.counts.platform.updated >= 7, "{ended:?} {:?}", scene.issues().await);
}

/// Every call that was made is one of the vendor's own description.
#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_one_that_the_vendor_describes() {
    let scene = synced_with(|settings| connected(&settings, "bulk_from = 5")).await;
    let (id, there) = linked(&scene);
    scene.org_update("Lead", &id, json!({"LastName": "Known"}));
    put(&scene, "activity", json!({"recordId": there, "title": "Visit"}));
    scene.instant().await;
    all_described(&scene);
}

/// Every call that reached the platform stands in the vendor's description.
pub fn all_described(scene: &Scene) {
    let operations: Vec<Value> = serde_json::from_str(include_str!("spotio_interface.json")).unwrap();
    let known = |method: &str, path: &str| {
        operations.iter().any(|operation| {
            let pattern = operation["path"].as_str().unwrap();
            let (mut said, mut made) = (pattern.split('/'), path.split('/'));
            let same =
                said.by_ref().zip(made.by_ref()).all(|(said, made)| said.starts_with('{') || said == made);
            operation["method"] == method && same && pattern.split('/').count() == path.split('/').count()
        })
    };
    for call in scene.calls_since(0, Side::Platform) {
        let mut words = call.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let path = path.split('?').next().unwrap();
        assert!(known(method, path), "{call}");
    }
}
