//! Deployteq's webhook receivers, through the real client over HTTP: customers in place of REST, and tables that lie in others.

use std::time::Duration;

use forcesync::domain::outcome::RunKind;
use forcesync::sandbox::faults::Side;
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::scenario_stage::{Cast, Scene, map};

fn put(scene: &Scene, object: &str, fields: Value) -> String {
    scene.sandbox().platform().upsert(object, &map(fields)).unwrap()
}

fn rows(scene: &Scene, object: &str) -> Vec<Map<String, Value>> {
    let rows = scene.sandbox().org().rows(object);
    rows.into_iter().filter(|row| row.get("IsConverted") != Some(&json!(true))).collect()
}

fn customers(scene: &Scene) -> Vec<Value> {
    scene.sandbox().platform().records("customer")
}

/// The customer that holds this id of the org.
fn customer(scene: &Scene, org_id: &str) -> Value {
    let found: Vec<Value> =
        customers(scene).into_iter().filter(|row| row["externalid"] == json!(org_id)).collect();
    assert_eq!(found.len(), 1, "{org_id}: {found:?}");
    found[0].clone()
}

fn id_of(row: &Map<String, Value>) -> String {
    row["Id"].as_str().unwrap().to_owned()
}

/// Settings with a receiver of customers, and other lines of the connection.
fn received(settings: &str, lines: &str) -> String {
    let from = settings.find("account=http").unwrap() + "account=".len();
    let until = from + settings[from..].find("account").unwrap();
    let receiver = format!("{lines}\nwebhooks = [\"customer={}customer\", ", &settings[from..until]);
    let changed = settings.replacen("webhooks = [", &receiver, 1);
    assert_ne!(changed, settings);
    changed
}

/// The key is the e-mail address, as F92 offers.
fn by_email(settings: &str) -> String {
    settings
        .replace(
            "platform = \"externalid\"\ndirection = \"to_platform\"\nkey = true",
            "platform = \"externalid\"\ndirection = \"to_platform\"",
        )
        .replace("platform = \"emailaddress\"\n", "platform = \"emailaddress\"\nkey = true\n")
}

async fn scene_with(edit: impl FnOnce(String) -> String) -> Scene {
    Scene::of_platform("deployteq", Cast::of(60), edit).await
}

/// A person maps the receiver of customers behind its first record.
async fn mapped(scene: &Scene, unique: &str) {
    let done = scene.command(&["hook", "sample", "contact", "--json"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("\"mapped\":false"), "{done:?}");
    put(scene, "hook", json!({"name": "customer", "unique": unique}));
}

async fn synced(lines: &str, edit: impl FnOnce(String) -> String, unique: &str) -> Scene {
    let scene = scene_with(|settings| edit(received(&settings, lines))).await;
    mapped(&scene, unique).await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    scene
}

/// Calls of the customer interface that change something.
fn rest_writes(scene: &Scene, since: u64) -> Vec<String> {
    let calls = scene.calls_since(since, Side::Platform);
    let writes = calls.into_iter().filter(|call| call.contains("/v2/customer") && !call.starts_with("GET"));
    writes.collect()
}

/// Calls of the receiver of customers.
fn posted(scene: &Scene, since: u64) -> usize {
    let calls = scene.calls_since(since, Side::Platform);
    calls.iter().filter(|call| call.contains("/data-receiver/customer")).count()
}

/// F101, F110: the receiver waits for its first record and then to be mapped; afterwards customers go many a call, and none over REST.
/// platform-deployteq.md §1: many objects go in one call.
#[tokio::test(flavor = "multi_thread")]
async fn f101_f110_customers_wait_for_their_receiver_and_then_go_many_a_call() {
    let scene = scene_with(|settings| received(&settings, "")).await;
    let before = customers(&scene).len();
    let waiting = scene.initial().await;
    assert_eq!((waiting.exit, waiting.counts.platform.created), (3, 0), "{waiting:?}");
    let issues = scene.issues().await;
    assert!(!issues.is_empty() && issues.iter().all(|issue| issue.code == "HOOK_NOT_MAPPED"), "{issues:?}");
    assert!(issues[0].message.contains("tick externalid"), "{issues:?}");
    assert_eq!(customers(&scene).len(), before);
    put(&scene, "hook", json!({"name": "customer"}));
    let since = scene.sandbox().calls().last();
    let ended = scene.retry().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let written = ended.counts.platform.created + ended.counts.platform.updated;
    assert!(
        written > 20 && posted(&scene, since) as u64 <= written / 3,
        "{ended:?} {}",
        posted(&scene, since)
    );
    assert_eq!(rest_writes(&scene, since), [] as [&str; 0]);
    for (object, status, own) in [("Contact", "CUSTOMER", "contact_id"), ("Lead", "PROSPECT", "lead_id")] {
        for row in rows(&scene, object) {
            let there = customer(&scene, &id_of(&row));
            assert_eq!((&there["status"], &there["options"][own]), (&json!(status), &row["Id"]));
        }
    }
    let again = scene.initial().await;
    assert_eq!((again.counts.created(), again.counts.updated()), (0, 0), "{again:?}");
}

/// F98, platform-deployteq.md §1: a receiver takes a missing opt-in for a yes and may blank what it is not sent, so nothing is left out.
#[tokio::test(flavor = "multi_thread")]
async fn f98_an_update_through_a_receiver_leaves_consent_and_everything_else_as_it_is() {
    let scene = synced("", |settings| settings, "externalid").await;
    let out = rows(&scene, "Contact").into_iter().find(|row| customer(&scene, &id_of(row))["optin"] == "N");
    let id = id_of(&out.expect("somebody is out"));
    let mut expected = customer(&scene, &id);
    let since = scene.sandbox().calls().last();
    scene.org_update("Contact", &id, json!({"MobilePhone": "+31 6 777"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.updated), (0, 1), "{ended:?} {:?}", scene.issues().await);
    expected["mobilephone"] = json!("+31 6 777");
    assert_eq!(customer(&scene, &id), expected);
    assert_eq!((posted(&scene, since), rest_writes(&scene, since).len()), (1, 0));
    // A new one of whom nothing is known is out as well.
    let id = scene.org_insert(
        "Lead",
        json!({"FirstName": "Nele", "LastName": "Maes", "Email": "nele@fresh.example", "Company": "Fresh"}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (0, 1), "{ended:?} {:?}", scene.issues().await);
    assert_eq!(customer(&scene, &id)["optin"], "N");
    // What a person does in Deployteq comes back as ever.
    let there = customer(&scene, &id);
    put(&scene, "customer", json!({"id": there["id"].to_string(), "mobilephone": "+32 470 1"}));
    scene.pass(Duration::from_secs(3600)).await;
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    assert_eq!(scene.org_row("Lead", &id)["MobilePhone"], "+32 470 1");
}

/// `receiver_rows = "changes"`: only what changed is sent, with keys and consent.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_keeps_what_it_is_not_sent_may_get_the_changes_alone() {
    let scene = synced("receiver_rows = \"changes\"", |settings| settings, "externalid").await;
    put(&scene, "hook", json!({"name": "customer", "keeps": true}));
    let row = rows(&scene, "Contact").remove(0);
    let mut expected = customer(&scene, &id_of(&row));
    scene.org_update("Contact", &id_of(&row), json!({"MobilePhone": "+31 6 777"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.updated), (0, 1), "{ended:?} {:?}", scene.issues().await);
    expected["mobilephone"] = json!("+31 6 777");
    assert_eq!(customer(&scene, &id_of(&row)), expected);
}

/// F92: with the e-mail address as key of both, a customer whose address changes is changed over REST and not made anew.
#[tokio::test(flavor = "multi_thread")]
async fn f92_a_customer_whose_key_changes_stays_the_same_customer() {
    let scene =
        synced("receiver_key = \"emailaddress\"", |settings| by_email(&settings), "emailaddress").await;
    let row = rows(&scene, "Contact").into_iter().find(|row| row["Email"].is_string()).unwrap();
    let (before, count) = (customer(&scene, &id_of(&row)), customers(&scene).len());
    let since = scene.sandbox().calls().last();
    scene.org_update("Contact", &id_of(&row), json!({"Email": "quite.new@fresh.example"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let after = customer(&scene, &id_of(&row));
    assert_eq!((&after["id"], &after["emailaddress"]), (&before["id"], &json!("quite.new@fresh.example")));
    assert_eq!((customers(&scene).len(), rest_writes(&scene, since).len()), (count, 1));
}

/// A receiver that goes by another key than the mapping could take a new customer for one that is there: nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_with_another_key_than_the_mapping_is_sent_no_new_customer() {
    let scene = scene_with(|settings| received(&settings, "receiver_key = \"emailaddress\"")).await;
    mapped(&scene, "emailaddress").await;
    let before = customers(&scene).len();
    let ended = scene.initial().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (3, 0), "{ended:?}");
    let issues = scene.issues().await;
    assert!(issues.iter().any(|issue| issue.code == "OTHER_KEY"), "{issues:?}");
    assert_eq!(customers(&scene).len(), before);
}

/// Law E6: of many records in one call, the one that is refused is found, and the others are stored.
#[tokio::test(flavor = "multi_thread")]
async fn one_record_that_a_receiver_refuses_holds_up_nobody_else() {
    let pair = "org = \"AssistantName\"\nplatform = \"gender\"\n\n[[mapping.pair]]\norg = \"Title\"";
    let edit = |settings: String| settings.replacen("org = \"Title\"", pair, 1);
    let scene = synced("", edit, "externalid").await;
    let people = [("Ann", Value::Null), ("Bob", json!("robot")), ("Cas", json!("MAN"))];
    let ids = people.map(|(name, assistant)| {
        let email = format!("{name}@fresh.example");
        scene.org_insert(
            "Contact",
            json!({"FirstName": name, "LastName": "Fresh", "Email": email, "AssistantName": assistant}),
        )
    });
    let ended = scene.instant().await;
    let issues = scene.issues().await;
    assert_eq!((ended.exit, ended.counts.platform.created, issues.len()), (3, 2, 1), "{ended:?} {issues:?}");
    assert!(issues[0].code == "HTTP_422" && issues[0].message.contains("gender"), "{issues:?}");
    assert_eq!(customer(&scene, &ids[2])["gender"], "MAN");
    customer(&scene, &ids[0]);
}

/// platform-deployteq.md §1: a receiver lets in by token, by user and token, or by a token of the OAuth2 client.
#[rstest]
#[case("webhook_auth = \"basic\"\nwebhook_user = \"forcesync\"", 0)]
#[case("webhook_auth = \"oauth2\"", 0)]
#[case("webhook_auth = \"basic\"\nwebhook_user = \"somebody\"", 7)]
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_lets_in_by_each_kind_of_sign_in(#[case] lines: &str, #[case] exit: u8) {
    let scene = scene_with(|settings| received(&settings, lines)).await;
    let done = scene.command(&["hook", "sample", "lead"]).await;
    assert_eq!(done.code, i32::from(exit), "{done:?}");
}

/// F107: where deletions are carried over, `customer_delete` says how; the receiver is told by the customer's keys.
/// platform-deployteq.md §1: deletions by a receiver are not described, so they are a setting.
#[rstest]
#[case("webhook", true)]
#[case("rest", true)]
#[case("none", false)]
#[tokio::test(flavor = "multi_thread")]
async fn f107_a_customer_is_deleted_as_the_settings_say(#[case] way: &str, #[case] gone: bool) {
    let every = |settings: String| settings.replace("deletes = \"ignore\"", "deletes = \"propagate\"");
    let scene = synced(&format!("customer_delete = \"{way}\""), every, "externalid").await;
    let id = id_of(&rows(&scene, "Contact")[0]);
    scene.org_delete("Contact", &id);
    scene.pass(Duration::from_secs(120)).await;
    let ended = scene.unbraked(RunKind::Instant).await;
    assert_eq!(ended.exit, if gone { 0 } else { 3 }, "{ended:?} {:?}", scene.issues().await);
    assert_eq!(customers(&scene).iter().any(|row| row["externalid"] == json!(id)), !gone);
}

const TABLES: &str = r#"
[[mapping]]
name = "firm"
org_object = "Account"
platform_object = "table.account"
direction = "to_platform"
create_in_org = false
platform_mark = "Id"
[[mapping.pair]]
org = "Id"
platform = "Id"
direction = "to_platform"
key = true
[[mapping.pair]]
org = "Name"
platform = "Name"
direction = "to_platform"

[[mapping]]
name = "deal"
org_object = "Opportunity"
platform_object = "table.campaign"
direction = "to_platform"
create_in_org = false
platform_mark = "Id"
[[mapping.pair]]
org = "Id"
platform = "Id"
direction = "to_platform"
key = true
[[mapping.pair]]
org = "Name"
platform = "Name"
direction = "to_platform"
[[mapping.pair]]
org = "AccountId"
platform = "account"
direction = "to_platform"
transform = { reference = "table.account" }

[[mapping]]
name = "task"
org_object = "Task"
platform_object = "table.campaignmember"
direction = "to_platform"
create_in_org = false
platform_mark = "Id"
[[mapping.pair]]
org = "Id"
platform = "Id"
direction = "to_platform"
key = true
[[mapping.pair]]
org = "Subject"
platform = "Subject"
direction = "to_platform"
[[mapping.pair]]
org = "WhatId"
platform = "deal"
direction = "to_platform"
transform = { reference = "table.campaign" }
"#;

/// F71, F102: a row goes into the row that contains it, parents first in one run; the data model shows it there alone. A row whose parent
/// never came waits, and one that changed is read below all that contain it.
/// platform-deployteq.md §3: all containing ids stand in the path.
#[tokio::test(flavor = "multi_thread")]
async fn f102_rows_of_nested_tables_go_into_the_rows_that_contain_them() {
    let lines = "data_model = true\nnested_tables = [\"campaign.account=account\", \"campaignmember.deal=campaign\"]\nwebhooks = [";
    let scene =
        scene_with(|settings| format!("{}{TABLES}", settings.replacen("webhooks = [", lines, 1))).await;
    let account = id_of(&rows(&scene, "Account")[0]);
    let deal =
        json!({"Name": "Hull", "AccountId": account, "StageName": "Prospecting", "CloseDate": "2027-01-31"});
    let deal = scene.org_insert("Opportunity", deal);
    let lone = json!({"Name": "Lone", "StageName": "Prospecting", "CloseDate": "2027-01-31"});
    let lone = scene.org_insert("Opportunity", lone);
    let task = scene.org_insert("Task", json!({"Subject": "Ring back", "WhatId": deal}));
    for (mapping, hook, within, field) in
        [("deal", "campaign", "account", "account"), ("task", "campaignmember", "campaign", "deal")]
    {
        let done = scene.command(&["hook", "sample", mapping, "--json"]).await;
        assert_eq!(done.code, 0, "{done:?}");
        put(&scene, "hook", json!({"name": hook, "within": within, "field": field}));
    }
    let checked = scene.command(&["check"]).await;
    assert!(
        checked.stdout.contains("lie in the row of account that their field account names"),
        "{checked:?}"
    );
    let ended = scene.initial().await;
    let there = |table: &str, id: &str| scene.sandbox().platform().record(table, id);
    let (firm, row) = (there("account", &account).unwrap(), there("campaign", &deal).unwrap());
    let member = there("campaignmember", &task).expect("three levels in one run");
    assert_eq!((&row["account"], &member["deal"]), (&firm["clang_id"], &row["clang_id"]), "{ended:?}");
    assert!(there("campaign", &lone).is_none(), "it lies in nothing");
    scene.org_update("Task", &task, json!({"Subject": "Ring again"}));
    let since = scene.sandbox().calls().last();
    let ended = scene.instant().await;
    assert_eq!(ended.counts.platform.updated, 1, "{ended:?} {:?}", scene.issues().await);
    assert_eq!(there("campaignmember", &task).unwrap()["Subject"], "Ring again");
    let id = |row: &Value| row["clang_id"].as_str().unwrap().to_owned();
    let path = format!(
        "/dataextension/account/{}/campaign/{}/campaignmember/{} 200",
        id(&firm),
        id(&row),
        id(&member)
    );
    let calls = scene.calls_since(since, Side::Platform);
    assert!(calls.iter().any(|call| call.ends_with(&path)), "{path} {calls:?}");
    // Once it belongs to somebody, the one that waited follows.
    scene.org_update("Opportunity", &lone, json!({"AccountId": account}));
    let ended = scene.instant().await;
    assert!(there("campaign", &lone).is_some(), "{ended:?} {:?}", scene.issues().await);
    let still = scene.instant().await;
    assert_eq!((still.counts.created(), still.counts.updated()), (0, 0), "{still:?}");
}

/// Law E6, parents first: whatever the order of the mappings, three levels come in one run, and a plan does only what it says.
#[tokio::test(flavor = "multi_thread")]
async fn children_that_stand_before_their_parents_come_in_the_same_run() {
    let tables: Vec<&str> = TABLES.rsplit("[[mapping]]").filter(|table| table.contains("name")).collect();
    let tables = format!("\n[[mapping]]{}", tables.join("[[mapping]]"));
    let lines =
        "nested_tables = [\"campaign.account=account\", \"campaignmember.deal=campaign\"]\nwebhooks = [";
    let scene =
        scene_with(|settings| format!("{}{tables}", settings.replacen("webhooks = [", lines, 1))).await;
    for (mapping, hook) in [("deal", "campaign"), ("task", "campaignmember")] {
        let object = if mapping == "deal" { "Opportunity" } else { "Task" };
        let fields = match object {
            "Task" => json!({"Subject": "First"}),
            _ => json!({"Name": "First", "StageName": "Prospecting", "CloseDate": "2027-01-31"}),
        };
        let id = scene.org_insert(object, fields);
        let done = scene.command(&["hook", "sample", mapping]).await;
        assert_eq!(done.code, 0, "{done:?}");
        put(&scene, "hook", json!({"name": hook}));
        scene.org_delete(object, &id);
    }
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    scene.pass(Duration::from_secs(3600)).await;
    let grown = |name: &str| {
        let firm = scene.org_insert("Account", json!({"Name": name}));
        let deal =
            json!({"Name": name, "AccountId": firm, "StageName": "Prospecting", "CloseDate": "2027-01-31"});
        let deal = scene.org_insert("Opportunity", deal);
        let task = scene.org_insert("Task", json!({"Subject": name, "WhatId": deal}));
        (firm, deal, task)
    };
    let there = |table: &str, id: &str| scene.sandbox().platform().record(table, id);
    let (firm, deal, task) = grown("Keel");
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (0, 3), "{ended:?} {:?}", scene.issues().await);
    let (firm, row) = (there("account", &firm).unwrap(), there("campaign", &deal).unwrap());
    assert_eq!(row["account"], firm["clang_id"]);
    assert_eq!(there("campaignmember", &task).unwrap()["deal"], row["clang_id"]);
    // A linked child that moves to a new parent.
    let other = scene.org_insert("Account", json!({"Name": "Mast"}));
    scene.org_update("Opportunity", &deal, json!({"AccountId": other}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.updated), (0, 1), "{ended:?} {:?}", scene.issues().await);
    assert_eq!(there("campaign", &deal).unwrap()["account"], there("account", &other).unwrap()["clang_id"]);
}

/// F102: a row that belongs to a lead or contact lies in its customer, named in either of two ways.
#[rstest]
#[case("id", "")]
#[case("clang_id", "clang_")]
#[tokio::test(flavor = "multi_thread")]
async fn f102_a_row_lies_in_the_customer_of_a_contact(#[case] word: &str, #[case] before: &str) {
    let lines = format!(
        "relation_value = \"{word}\"\ndata_model = true\nnested_tables = [\"campaignmember.deal=customer\"]\nwebhooks = ["
    );
    let task = TABLES.split("[[mapping]]").nth(3).unwrap().replace("table.campaign\"", "customer\"");
    let task = task.replace("WhatId", "WhoId");
    let scene =
        scene_with(|settings| format!("{}\n[[mapping]]{task}", settings.replacen("webhooks = [", &lines, 1)))
            .await;
    let contact = id_of(&rows(&scene, "Contact")[0]);
    let task = scene.org_insert("Task", json!({"Subject": "Ring back", "WhoId": contact}));
    let done = scene.command(&["hook", "sample", "task"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    put(&scene, "hook", json!({"name": "campaignmember", "within": "customer", "field": "deal"}));
    let ended = scene.initial().await;
    let row = scene.sandbox().platform().record("campaignmember", &task).expect("in the same run");
    let number = customer(&scene, &contact)["id"].to_string();
    assert_eq!(row["deal"], format!("{before}{number}"), "{ended:?} {:?}", scene.issues().await);
    scene.org_update("Task", &task, json!({"Subject": "Ring again"}));
    let ended = scene.instant().await;
    assert_eq!(ended.counts.platform.updated, 1, "{ended:?} {:?}", scene.issues().await);
    let still = scene.instant().await;
    assert_eq!((still.counts.created(), still.counts.updated()), (0, 0), "{still:?}");
}
