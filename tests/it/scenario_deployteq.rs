//! Deployteq beside the org, through the real client over HTTP: one scenario a requirement (F70–F135).

use std::time::Duration;

use forcesync::sandbox::faults::{Fault, FaultKind, Side};
use serde_json::{Map, Value, json};

use crate::scenario_stage::{Cast, Scene, map};

async fn scene_with(edit: impl FnOnce(String) -> String) -> Scene {
    Scene::of_platform("deployteq", Cast::of(60), edit).await
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

fn put(scene: &Scene, object: &str, fields: Value) -> String {
    scene.sandbox().platform().upsert(object, &map(fields)).unwrap()
}

fn rows(scene: &Scene, object: &str) -> Vec<Map<String, Value>> {
    scene.sandbox().org().rows(object)
}

/// The customer that holds this id of the org.
fn customer(scene: &Scene, org_id: &str) -> Value {
    let all = scene.sandbox().platform().records("customer");
    let found: Vec<_> = all.into_iter().filter(|row| row["externalid"] == json!(org_id)).collect();
    assert_eq!(found.len(), 1, "{org_id}: {found:?}");
    found[0].clone()
}

fn a_row(scene: &Scene, object: &str) -> Map<String, Value> {
    let found = rows(scene, object).into_iter().find(|row| {
        row["Email"].is_string()
            && row.get("IsConverted") != Some(&json!(true))
            && row["HasOptedOutOfEmail"] == json!(false)
    });
    found.unwrap()
}

fn id_of(row: &Map<String, Value>) -> String {
    row["Id"].as_str().unwrap().to_owned()
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

/// F70, F90, F95–F97: leads and contacts become customers with their id, and a status by what they are; doing it again changes nothing.
/// platform-deployteq.md §2: the words of the status.
#[tokio::test(flavor = "multi_thread")]
async fn f70_f96_f97_leads_and_contacts_become_customers_with_their_status() {
    let scene = synced().await;
    for (object, status, own) in [("Contact", "CUSTOMER", "contact_id"), ("Lead", "PROSPECT", "lead_id")] {
        let people =
            rows(&scene, object).into_iter().filter(|row| row.get("IsConverted") != Some(&json!(true)));
        for row in people {
            let there = customer(&scene, row["Id"].as_str().unwrap());
            assert_eq!((&there["status"], &there["options"][own]), (&json!(status), &row["Id"]));
        }
    }
    let again = scene.initial().await;
    assert_eq!(
        (again.counts.created(), again.counts.updated()),
        (0, 0),
        "{again:?} {:?}",
        scene.issues().await
    );
}

/// F82, F94: what is added or changed in Salesforce comes with the next run; changes of customers come back.
/// platform-deployteq.md §5, §7: customers are listed with their `modifiedAt` by SOAP alone.
#[tokio::test(flavor = "multi_thread")]
async fn f82_changes_cross_in_both_directions() {
    let scene = synced().await;
    scene.pass(Duration::from_secs(3600)).await;
    let id = scene.org_insert(
        "Lead",
        json!({"FirstName": "Nele", "LastName": "Maes", "Email": "nele@fresh.example", "Company": "Fresh"}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (0, 1), "{ended:?} {:?}", scene.issues().await);
    let there = customer(&scene, &id);
    assert_eq!((&there["companyname"], &there["optin"]), (&json!("Fresh"), &json!("N")));
    scene.pass(Duration::from_secs(3600)).await;
    put(&scene, "customer", json!({"id": there["id"].to_string(), "mobilephone": "+32 470 1"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    assert_eq!(scene.org_row("Lead", &id)["MobilePhone"], "+32 470 1");
}

/// F98, law E3: an opt-out crosses at once, an opt-in only where its side was out; a mapping without consent can't be saved.
#[tokio::test(flavor = "multi_thread")]
async fn f98_an_opt_out_crosses_and_a_mapping_needs_a_consent_pair() {
    let scene = synced().await;
    // Somebody who is in on both sides.
    let customers = scene.sandbox().platform().records("customer");
    let is_in = |row: &Map<String, Value>| {
        let same = |customer: &&Value| customer["externalid"] == row["Id"] && customer["optin"] == json!("Y");
        row["HasOptedOutOfEmail"] == json!(false) && customers.iter().any(|customer| same(&customer))
    };
    let row = rows(&scene, "Contact").into_iter().find(is_in).expect("somebody is in on both sides");
    let there = customer(&scene, &id_of(&row));
    put(&scene, "customer", json!({"id": there["id"].to_string(), "optin": "N"}));
    scene.pass(Duration::from_secs(3600)).await;
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    assert_eq!(scene.org_row("Contact", &id_of(&row))["HasOptedOutOfEmail"], true, "{ended:?}");
    let file = scene.workspace().join("forcesync.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("platform = \"optin\"", "platform = \"smsoptin\"")).unwrap();
    assert_eq!(scene.command(&["config", "validate"]).await.code, 0);
    let without: String = text
        .split("[[mapping.pair]]")
        .filter(|part| !part.contains("platform = \"optin\""))
        .collect::<Vec<_>>()
        .join("[[mapping.pair]]");
    std::fs::write(&file, without).unwrap();
    let done = scene.command(&["config", "validate"]).await;
    assert_eq!(done.code, 2, "{done:?}");
    assert!(format!("{}{}", done.stdout, done.stderr).contains("counts as opted in"), "{done:?}");
}

/// F92, F94: with the e-mail address as key, a customer that is there is enriched and gets the id; an unknown one is created.
/// platform-deployteq.md §2, §6: a search by address, and the id of Salesforce in `externalid`.
#[tokio::test(flavor = "multi_thread")]
async fn f92_f94_an_e_mail_key_enriches_who_is_there() {
    let scene = scene_with(|settings| by_email(&settings)).await;
    let row = a_row(&scene, "Contact");
    let email = row["Email"].as_str().unwrap().to_owned();
    let before = scene
        .sandbox()
        .platform()
        .records("customer")
        .into_iter()
        .filter(|known| known["emailaddress"] == json!(email))
        .count();
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let known: Vec<Value> = scene
        .sandbox()
        .platform()
        .records("customer")
        .into_iter()
        .filter(|known| known["emailaddress"] == json!(email))
        .collect();
    assert_eq!(known.len(), before.max(1), "{known:?}");
    assert_eq!(known[0]["externalid"], row["Id"]);
}

/// Without the SOAP interface customers are found one by one, and nobody is made twice.
/// platform-deployteq.md §2, §11: REST has no list, and SOAP may go.
#[tokio::test(flavor = "multi_thread")]
async fn without_soap_customers_are_found_one_by_one() {
    let scene = synced_with(|settings| {
        let lines = settings.lines().filter(|line| !line.starts_with("soap_endpoint"));
        lines
            .collect::<Vec<_>>()
            .join("\n")
            .replace("customer_changes = \"poll\"", "customer_changes = \"push\"")
    })
    .await;
    for row in rows(&scene, "Contact") {
        customer(&scene, row["Id"].as_str().unwrap());
    }
}

/// F101–F110: other objects go to a table through a receiver. It waits for its first record, then to be mapped; then all go.
/// platform-deployteq.md §1: the first call is echoed, later ones come back with their ids.
#[tokio::test(flavor = "multi_thread")]
async fn f101_f110_a_receiver_waits_to_be_mapped_and_then_takes_all() {
    let table = "\n[[mapping]]\nname = \"campaign\"\norg_object = \"Account\"\nplatform_object = \"table.campaign\"\ndirection = \"to_platform\"\ncreate_in_org = false\nplatform_mark = \"Id\"\n[[mapping.pair]]\norg = \"Id\"\nplatform = \"Id\"\ndirection = \"to_platform\"\nkey = true\n[[mapping.pair]]\norg = \"Name\"\nplatform = \"Name\"\ndirection = \"to_platform\"\n";
    let scene = scene_with(|settings| format!("{settings}{table}")).await;
    let done = scene.command(&["hook", "sample", "campaign", "--json"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("\"mapped\":false"), "{done:?}");
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 3, "{ended:?}");
    let issues = scene.issues().await;
    assert!(issues.iter().any(|issue| issue.code == "HOOK_NOT_MAPPED"), "{issues:?}");
    put(&scene, "hook", json!({"name": "campaign"}));
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let there = scene.sandbox().platform().records("campaign");
    assert_eq!(there.len(), rows(&scene, "Account").len());
    let account = &rows(&scene, "Account")[0];
    scene.org_update("Account", account["Id"].as_str().unwrap(), json!({"Name": "Renamed Ltd"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let row = scene.sandbox().platform().record("campaign", account["Id"].as_str().unwrap()).unwrap();
    assert_eq!(row["Name"], "Renamed Ltd", "{ended:?} {:?}", scene.sandbox().platform().records("campaign"));
    assert_eq!(scene.sandbox().platform().records("campaign").len(), there.len());
}

/// F103: before an object is linked, its table must exist, and `check` looks for it.
/// platform-deployteq.md §3: a table by its name.
#[tokio::test(flavor = "multi_thread")]
async fn f103_check_looks_for_the_table_behind_each_receiver() {
    let scene = scene_with(|settings| {
        let with_tables = settings.replace("webhooks = [", "data_model = true\nwebhooks = [");
        assert_ne!(with_tables, settings);
        with_tables
    })
    .await;
    let done = scene.command(&["check", "--json"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("The table campaign is there."), "{done:?}");

    let scene = scene_with(|settings| {
        settings
            .replace("webhooks = [", "data_model = true\nwebhooks = [\"orders=https://127.0.0.1:9/orders\", ")
    })
    .await;
    let done = scene.command(&["check", "--json"]).await;
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stdout.contains("There is no table orders in the data model"), "{done:?}");
}

/// F102: rows of a table belong to a lead or contact: a reference holds the number of the customer.
#[tokio::test(flavor = "multi_thread")]
async fn f102_rows_of_a_table_belong_to_the_customer_of_a_contact() {
    let table = "\n[[mapping]]\nname = \"task\"\norg_object = \"Task\"\nplatform_object = \"table.campaign\"\ndirection = \"to_platform\"\ncreate_in_org = false\nplatform_mark = \"Id\"\n[[mapping.pair]]\norg = \"Id\"\nplatform = \"Id\"\ndirection = \"to_platform\"\nkey = true\n[[mapping.pair]]\norg = \"Subject\"\nplatform = \"Subject\"\ndirection = \"to_platform\"\n[[mapping.pair]]\norg = \"WhoId\"\nplatform = \"customer\"\ndirection = \"to_platform\"\ntransform = { reference = \"customer\" }\n";
    let scene = scene_with(|settings| format!("{settings}{table}")).await;
    let contact = id_of(&a_row(&scene, "Contact"));
    let task = scene.org_insert("Task", json!({"Subject": "Ring back", "WhoId": contact}));
    let done = scene.command(&["hook", "sample", "task", "--json"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    put(&scene, "hook", json!({"name": "campaign"}));
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let row = scene.sandbox().platform().record("campaign", &task).unwrap();
    assert_eq!(row["customer"].to_string().trim_matches('"'), customer(&scene, &contact)["id"].to_string());
}

/// F73, F114–F117: sent e-mails come to the lead or contact with what became of them; machines don't count; nothing is counted twice.
/// platform-deployteq.md §4: sends, opens, clicks and bounces, `machine_generated` among them.
#[tokio::test(flavor = "multi_thread")]
async fn f114_f117_contact_moments_come_to_their_lead_or_contact() {
    let scene = synced_with(|settings| {
        settings.replace("name = \"contact_moment\"\nenabled = false", "name = \"contact_moment\"")
    })
    .await;
    let moments = rows(&scene, "Clang_Contact_Moment__c");
    assert!(!moments.is_empty(), "no moments came");
    assert!(
        moments.iter().all(|row| row["Contact__c"].is_string() != row["Lead__c"].is_string()),
        "{moments:?}"
    );
    let row = moments.iter().find(|row| row["Sent_At__c"].is_string()).unwrap();
    assert!(row["Online_Url__c"].as_str().unwrap().starts_with("https://view.sandbox.example/"));
    let clang = row["Clang_Id__c"].as_str().unwrap().to_owned();
    let opens = row["Opens__c"].as_f64().unwrap_or_default();
    // One more open by a person and one by a machine, long enough ago for the delay.
    let parts: Vec<&str> = clang.split('-').collect();
    let who = scene.sandbox().platform().record("customer", parts[0]).unwrap();
    let about = |machine: bool| {
        json!({
            "metric": "opens", "customer_id": parts[0].parse::<u64>().unwrap(), "external_id": who["externalid"], "machine_generated": machine,
            "content_id": parts[1].parse::<u64>().unwrap(), "broadcast_id": parts[2].parse::<u64>().unwrap(),
            "campaign_object_id": parts[3].parse::<u64>().unwrap(), "subject": "Again",
        })
    };
    put(&scene, "event", about(false));
    put(&scene, "event", about(true));
    let young = scene.instant().await;
    assert_eq!(young.counts.salesforce.updated, 0, "too young: {young:?}");
    scene.pass(Duration::from_secs(2 * 3600)).await;
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let moment = rows(&scene, "Clang_Contact_Moment__c")
        .into_iter()
        .find(|row| row["Clang_Id__c"] == json!(clang))
        .unwrap();
    assert_eq!(moment["Opens__c"].as_f64(), Some(opens + 1.0), "{moment:?}");
    assert_eq!(moment["Opened__c"], true);
    let again = scene.instant().await;
    assert_eq!(again.counts.salesforce.updated, 0, "{again:?}");
}

/// F73, F80: contact moments are a choice; once it is made, every e-mail that was sent to somebody who is linked comes.
/// platform-deployteq.md §4: events have an interface and a sign-in of their own.
#[tokio::test(flavor = "multi_thread")]
async fn f73_f80_contact_moments_stay_out_unless_switched_on() {
    let scene = synced().await;
    assert!(rows(&scene, "Clang_Contact_Moment__c").is_empty());
    let file = scene.workspace().join("forcesync.toml");
    let scene = scene
        .reopened(|_| {
            let text = std::fs::read_to_string(&file).unwrap();
            let on = text.replace("name = \"contact_moment\"\nenabled = false", "name = \"contact_moment\"");
            assert_ne!(on, text);
            std::fs::write(&file, on).unwrap();
        })
        .await;
    let ended = scene.unbraked(forcesync::domain::outcome::RunKind::Initial).await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    assert!(!rows(&scene, "Clang_Contact_Moment__c").is_empty());
}

/// F134: before the first initial sync nobody is linked, so that a push writes nothing and says why.
#[tokio::test(flavor = "multi_thread")]
async fn f134_a_push_before_the_first_initial_sync_writes_nothing_and_says_why() {
    let step = "\n[[push]]\nname = \"profile\"\nobject = \"Contact\"\nid = \"contact_id\"\nfields = [\"MobilePhone\"]\n";
    let scene = scene_with(|settings| format!("{settings}{step}")).await;
    let row = a_row(&scene, "Contact");
    let file = scene.workspace().join("lines.jsonl");
    std::fs::write(&file, json!({"contact_id": row["Id"], "mobilephone": "+31 6 123"}).to_string()).unwrap();
    let done = scene.command(&["push", "profile", file.to_str().unwrap()]).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("not linked: it was never enriched from Salesforce"), "{done:?}");
    assert_eq!(scene.org_row("Contact", row["Id"].as_str().unwrap())["MobilePhone"], row["MobilePhone"]);
}

/// F72, F125–F135: a push brings the fields of its step to the linked record; one that is not linked goes on and is no error.
/// platform-deployteq.md §7: a campaign pushes, nobody can ask.
#[tokio::test(flavor = "multi_thread")]
async fn f125_f135_a_push_reaches_the_linked_record_and_skips_the_others() {
    let step = "\n[[push]]\nname = \"profile\"\nobject = \"Contact\"\nid = \"contact_id\"\nfields = [\"MobilePhone\", \"LastName\"]\n";
    let scene = synced_with(|settings| format!("{settings}{step}")).await;
    let row = a_row(&scene, "Contact");
    let lines = [
        json!({"contact_id": row["Id"], "mobilephone": "+31 6 123", "jobtitle": "Not of this step"})
            .to_string(),
        json!({"contact_id": "003000000000000AAA", "mobilephone": "+31 6 999"}).to_string(),
        json!({"mobilephone": "+31 6 999"}).to_string(),
        "no json".into(),
    ];
    let file = scene.workspace().join("lines.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let scene = scene.reopened(|_| ()).await;
    let done = scene.command(&["push", "profile", file.to_str().unwrap(), "--json"]).await;
    assert_eq!(done.code, 3, "{done:?}");
    let told: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let outcomes: Vec<&str> = told.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["succeeded", "skipped", "skipped", "failed"], "{told:?}");
    assert_eq!(told[0]["streams"], json!(["Doorgaan", "Bij success"]));
    assert_eq!(told[1]["streams"], json!(["Doorgaan"]));
    let now = scene.org_row("Contact", &id_of(&row));
    assert_eq!((&now["MobilePhone"], &now["Title"]), (&json!("+31 6 123"), &row["Title"]));
}

/// F128: where the key is another field, a step has to name the id; a field that does not flow is refused with its line.
#[tokio::test(flavor = "multi_thread")]
async fn f128_a_step_without_the_id_is_refused() {
    let step =
        "\n[[push]]\nname = \"profile\"\nobject = \"Contact\"\nfields = [\"MobilePhone\", \"CreatedDate\"]\n";
    let scene = scene_with(|settings| format!("{}{step}", by_email(&settings))).await;
    let done = scene.command(&["config", "validate"]).await;
    assert_eq!(done.code, 2, "{done:?}");
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(said.contains("holds the id in Salesforce") && said.contains("CreatedDate"), "{said}");
}

/// F107: a deletion crosses only where it was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn f107_a_deletion_stays_by_default() {
    let scene = synced().await;
    let row = a_row(&scene, "Contact");
    scene.org_delete("Contact", &id_of(&row));
    scene.instant().await;
    customer(&scene, &id_of(&row));
}

/// platform-deployteq.md §9: a token that is no good ends the run as blocked, with what to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_blocks_and_says_what_to_do() {
    let scene = synced().await;
    scene.arm(Fault::new(FaultKind::Unauthorized).on_side(Side::Platform));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 7, "{ended:?}");
    assert!(ended.message.contains("Connection Settings"), "{ended:?}");
}
