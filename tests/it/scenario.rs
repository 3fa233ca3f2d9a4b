//! One scenario a requirement, through the real clients over HTTP: what a person does on either side, and what both hold afterwards.

use std::collections::BTreeSet;
use std::time::Duration;

use forcesync::sandbox::Sandbox;
use forcesync::sandbox::faults::Side;
use rstest::rstest;
use serde_json::{Value, json};

use crate::scenario_stage::{Cast, Scene, duplicates};

/// E-mails of the people who have opted out, in the org and on the platform.
fn opted_out(sandbox: &Sandbox) -> (BTreeSet<String>, BTreeSet<String>) {
    let email = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let mut org = BTreeSet::new();
    for (object, address, flag) in [
        ("Contact", "Email", "HasOptedOutOfEmail"),
        ("Lead", "Email", "HasOptedOutOfEmail"),
        ("Account", "PersonEmail", "PersonHasOptedOutOfEmail"),
    ] {
        let rows = sandbox.org().rows(object);
        org.extend(
            rows.iter().filter(|row| row.get(flag) == Some(&json!(true))).map(|row| email(&row[address])),
        );
    }
    org.remove("");
    let contacts = sandbox.salesmanago().contacts();
    let out = contacts.iter().filter(|contact| contact["optedOut"] == json!(true));
    (org, out.map(|contact| email(&contact["email"])).collect())
}

fn emails_in_org(sandbox: &Sandbox) -> BTreeSet<String> {
    let mut emails = BTreeSet::new();
    for (object, address) in [("Contact", "Email"), ("Lead", "Email"), ("Account", "PersonEmail")] {
        for row in sandbox.org().rows(object) {
            if let Some(email) = row.get(address).and_then(Value::as_str) {
                emails.insert(email.to_lowercase());
            }
        }
    }
    emails
}

#[rstest]
#[case::contacts_and_leads(Cast { records: 300, seed: 7, person_accounts: false })]
#[case::other_people(Cast { records: 250, seed: 20, person_accounts: false })]
#[case::person_accounts(Cast { records: 300, seed: 11, person_accounts: true })]
#[tokio::test(flavor = "multi_thread")]
async fn an_initial_sync_fails_and_skips_what_was_planted_and_a_second_one_writes_nothing(
    #[case] cast: Cast,
) {
    let scene = Scene::new(cast).await;
    let planted = scene.sandbox().planted().clone();
    let (org_out, platform_out) = opted_out(scene.sandbox());
    let first = scene.initial().await;
    assert_eq!(first.exit, 3, "{first:?}");
    assert_eq!(first.counts.failed, planted.get("expect_failed"), "{first:?} {:?}", scene.issues().await);
    assert_eq!(first.counts.skipped, planted.get("expect_skipped"), "{first:?}");
    assert_eq!(first.counts.conflicts, 0, "{first:?}");

    let (org_now, platform_now) = opted_out(scene.sandbox());
    let known = emails_in_org(scene.sandbox());
    let expected: BTreeSet<String> =
        org_out.union(&platform_out).filter(|email| known.contains(*email)).cloned().collect();
    assert_eq!(org_now, expected, "the org has other opted-out people than before");
    assert!(platform_now.is_superset(&platform_out), "somebody was opted in on the platform");

    let snapshot = scene.snapshot();
    let second = scene.initial().await;
    assert_eq!((second.counts.created(), second.counts.updated()), (0, 0), "{second:?}");
    assert_eq!(second.counts.failed, first.counts.failed, "{second:?}");
    assert_eq!(scene.snapshot(), snapshot);
    assert!(scene.issues().await.iter().all(|issue| issue.code != "CANNOT_UPDATE_CONVERTED_LEAD"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_field_is_one_update_and_few_calls() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    scene.org_update("Contact", &id, json!({"MailingCity": "Ghent"}));
    let before = scene.sandbox().calls().last();
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.created(), ended.counts.updated()), (0, 0, 1), "{ended:?}");
    assert_eq!(scene.contact(&email)["address"]["city"], "Ghent");
    let calls = scene.calls_since(before, Side::Salesforce);
    assert!(calls.len() <= 3, "{calls:?}");
    assert_eq!(ended.counts.salesforce.calls, calls.len() as u64, "{calls:?}");
    let changes =
        scene.history(10).await.into_iter().filter(|row| row.action == "updated").take(1).next().unwrap();
    assert_eq!(changes.changes.len(), 1, "{changes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_field_changed_on_the_platform_is_one_update_in_the_org() {
    let scene = Scene::synced().await;
    // Long after the last describe, so that it is asked for again; along the way, at no call.
    scene.pass(Duration::from_secs(3600)).await;
    scene.instant().await;
    scene.pass(Duration::from_secs(3600)).await;
    let (id, email) = scene.somebody(0);
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 123 45 67"}));
    let before = scene.sandbox().calls().last();
    let ended = scene.instant().await;
    assert_eq!(
        (ended.exit, ended.counts.salesforce.updated, ended.counts.platform.updated),
        (0, 1, 0),
        "{ended:?}"
    );
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+32 9 123 45 67");
    let calls = scene.calls_since(before, Side::Salesforce);
    assert!(calls.len() <= 3, "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_instant_sync_costs_one_call_a_side() {
    let scene = Scene::synced().await;
    // Past the overlap, so that nothing of the initial sync is read again.
    scene.pass(Duration::from_secs(3600)).await;
    scene.instant().await;
    scene.pass(Duration::from_secs(60)).await;
    let before = scene.sandbox().calls().last();
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.created(), ended.counts.updated()), (0, 0, 0), "{ended:?}");
    let (org, platform) =
        (scene.calls_since(before, Side::Salesforce), scene.calls_since(before, Side::Platform));
    assert_eq!((org.len(), platform.len()), (1, 1), "{org:?} {platform:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_different_fields_on_both_sides_survive() {
    let scene = Scene::synced().await;
    let (id, email) = scene.somebody(1);
    scene.org_update("Contact", &id, json!({"LastName": "Vandenberghe"}));
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 765 43 21"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 2), "{ended:?}");
    let (row, contact) = (scene.org_row("Contact", &id), scene.contact(&email));
    assert_eq!((&row["LastName"], &row["MobilePhone"]), (&json!("Vandenberghe"), &json!("+32 9 765 43 21")));
    assert!(contact["name"].as_str().unwrap().ends_with(" Vandenberghe"), "{contact}");
    assert_eq!(contact["phone"], "+32 9 765 43 21");
    let again = scene.instant().await;
    assert_eq!((again.counts.created(), again.counts.updated()), (0, 0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_edits_of_one_field_the_org_stands_and_history_says_so() {
    let scene = Scene::synced().await;
    let (id, email) = scene.somebody(2);
    scene.org_update("Contact", &id, json!({"MobilePhone": "+44 20 7946 0001"}));
    scene.platform_upsert(json!({"email": email, "phone": "+44 20 7946 0002"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+44 20 7946 0001");
    assert_eq!(scene.contact(&email)["phone"], "+44 20 7946 0001");
    let row = scene.history(1).await.pop().unwrap();
    let change = row.changes.iter().find(|change| change.fields == ["phone"]).unwrap();
    assert_eq!(change.old.first().unwrap().to_string(), "+44 20 7946 0002");
    assert!(change.rule.to_lowercase().contains("salesforce"), "{}", change.rule);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_made_on_the_platform_becomes_one_lead() {
    let scene = Scene::synced().await;
    let fields = json!({"email": "zoe@newcomer.example", "name": "Zoë Ångström", "company": "Newcomer AB", "city": "Umeå"});
    let contact = scene.platform_upsert(fields);
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 1), "{ended:?}");
    let found = || {
        let rows = scene.sandbox().org().rows("Lead");
        rows.into_iter().filter(|row| row["Email"] == "zoe@newcomer.example").collect::<Vec<_>>()
    };
    let leads = found();
    assert_eq!(leads.len(), 1);
    let lead = &leads[0];
    assert_eq!(
        (&lead["FirstName"], &lead["LastName"], &lead["Company"], &lead["City"]),
        (&json!("Zoë"), &json!("Ångström"), &json!("Newcomer AB"), &json!("Umeå"))
    );
    assert_eq!(lead["SALESmanago_Id__c"], json!(contact));
    for _ in 0..2 {
        let again = scene.instant().await;
        assert_eq!((again.exit, again.counts.created()), (0, 0), "{again:?}");
    }
    assert_eq!(found().len(), 1);
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_made_in_the_org_appears_on_the_platform_with_its_id() {
    let scene = Scene::synced().await;
    let lead = scene.org_insert(
        "Lead",
        json!({"FirstName": "Nils", "LastName": "Holgersson", "Company": "Gander & Co", "Email": "nils@gander.example",
            "MobilePhone": "+46 70 123 45 67"}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (0, 1), "{ended:?}");
    let contact = scene.contact("nils@gander.example");
    assert_eq!(contact["externalId"], json!(lead));
    assert_eq!((&contact["name"], &contact["company"]), (&json!("Nils Holgersson"), &json!("Gander & Co")));
    let again = scene.instant().await;
    assert_eq!((again.exit, again.counts.created(), again.counts.updated()), (0, 0, 0), "{again:?}");
    // Nobody has said yes, so nobody is opted in.
    assert_eq!(contact["optedOut"], json!(true));
    assert_eq!(scene.org_row("Lead", &lead)["HasOptedOutOfEmail"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_on_the_platform_reaches_the_org_and_an_opt_in_afterwards_takes_it_back() {
    let scene = Scene::synced().await;
    let (id, email) = scene.somebody(0);
    let before = scene.opted_out_in_org();
    scene.platform_upsert(json!({"email": email, "optedOut": true}));
    let out = scene.instant().await;
    assert_eq!((out.exit, out.counts.salesforce.updated), (0, 1), "{out:?}");
    assert_eq!(scene.org_row("Contact", &id)["HasOptedOutOfEmail"], json!(true));
    assert_eq!(scene.opted_out_in_org(), before + 1);
    // The platform was seen opted out, is in now, and the org stood still: the one way in which an opt-in crosses.
    scene.platform_upsert(json!({"email": email, "optedOut": false}));
    let back = scene.instant().await;
    assert_eq!((back.exit, back.counts.salesforce.updated), (0, 1), "{back:?}");
    assert_eq!(scene.org_row("Contact", &id)["HasOptedOutOfEmail"], json!(false));
    assert_eq!(scene.opted_out_in_org(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_in_the_org_beats_an_opt_in_on_the_platform() {
    let scene = Scene::synced().await;
    let (id, email) = scene.somebody(0);
    scene.platform_upsert(json!({"email": email, "optedOut": true}));
    scene.instant().await;
    // Now both are out; the platform opts in while somebody in the org lifts and sets it again.
    scene.platform_upsert(json!({"email": email, "optedOut": false}));
    scene.org_update("Contact", &id, json!({"HasOptedOutOfEmail": false}));
    scene.instant().await;
    scene.org_update("Contact", &id, json!({"HasOptedOutOfEmail": true}));
    scene.platform_upsert(json!({"email": email, "phone": "+49 30 901820"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(scene.org_row("Contact", &id)["HasOptedOutOfEmail"], json!(true));
    assert_eq!(scene.contact(&email)["optedOut"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unticked_box_in_the_org_opts_nobody_in() {
    let scene = Scene::small().await;
    let (id, email) = scene.somebody(0);
    // The platform says no and the org says nothing: they meet for the first time.
    scene.platform_upsert(json!({"email": email, "optedOut": true}));
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(scene.contact(&email)["optedOut"], json!(true));
    assert_eq!(scene.org_row("Contact", &id)["HasOptedOutOfEmail"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_in_the_org_closes_the_link_and_writes_nothing() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    let (links, contact) = (scene.status().await.links, scene.contact(&email));
    scene.org_delete("Contact", &id);
    // The org's log of deletions is read by whole minutes.
    scene.pass(Duration::from_secs(120)).await;
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.created(), ended.counts.updated()), (0, 0, 0), "{ended:?}");
    assert_eq!(scene.status().await.links, links - 1);
    assert_eq!(scene.contact(&email), contact);
    // The closed link still blocks both ids: an edit of the contact makes no new lead.
    scene.platform_upsert(json!({"email": email, "phone": "+32 2 555 12 12", "company": "Somewhere"}));
    let after = scene.instant().await;
    assert_eq!((after.counts.created(), after.counts.updated()), (0, 0), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_one_word_is_a_last_name() {
    let scene = Scene::synced().await;
    scene.platform_upsert(
        json!({"email": "prince@paisley.example", "name": "Prince", "company": "Paisley Park"}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 1), "{ended:?}");
    let leads = scene.sandbox().org().rows("Lead");
    let lead = leads.iter().find(|row| row["Email"] == "prince@paisley.example").unwrap();
    assert_eq!((&lead["FirstName"], &lead["LastName"]), (&Value::Null, &json!("Prince")));
    let again = scene.instant().await;
    assert_eq!((again.counts.created(), again.counts.updated()), (0, 0), "{again:?}");
    assert_eq!(scene.contact("prince@paisley.example")["name"], "Prince");
}

#[tokio::test(flavor = "multi_thread")]
async fn emoji_and_other_scripts_survive_in_both_directions() {
    let scene = Scene::synced().await;
    let name = "Ольга 🌻👩‍🚀";
    scene.platform_upsert(
        json!({"email": "olga@space.example", "name": format!("{name} 山田"), "company": "Größe & Söhne 🚀"}),
    );
    scene.org_insert(
        "Lead",
        json!({"FirstName": "Zażółć 🐸", "LastName": "Gęślą", "Company": "فروشگاه", "Email": "frog@pond.example"}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.created()), (0, 2), "{ended:?}");
    let leads = scene.sandbox().org().rows("Lead");
    let lead = leads.iter().find(|row| row["Email"] == "olga@space.example").unwrap();
    assert_eq!((&lead["FirstName"], &lead["LastName"]), (&json!(name), &json!("山田")));
    assert_eq!(lead["Company"], "Größe & Söhne 🚀");
    let contact = scene.contact("frog@pond.example");
    assert_eq!((&contact["name"], &contact["company"]), (&json!("Zażółć 🐸 Gęślą"), &json!("فروشگاه")));
    let again = scene.instant().await;
    assert_eq!((again.counts.created(), again.counts.updated()), (0, 0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn escapes_in_records_never_reach_the_terminal() {
    let scene = Scene::synced().await;
    // Refused by the org for its city, whose words quote the value; the name becomes the label of the issue.
    let city = format!("\u{1b}[31m\u{1b}]0;owned\u{7}{}", "x".repeat(60));
    scene.platform_upsert(json!({"email": "esc@evil.example", "name": "\u{1b}[2JEve \u{202e}live", "company": "Evil\u{9b}2J", "city": city}));
    scene.platform_upsert(
        json!({"email": "fine@evil.example", "name": "Mal\u{1b}[5mlory Grey", "company": "Evil\u{9b}2J"}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.failed), (3, 1), "{ended:?}");
    let number = scene.issues().await.pop().unwrap().issue.to_string();
    for arguments in [
        &["log", "--level", "debug"][..],
        &["issues"],
        &["issues", "show", &number],
        &["history"],
        &["runs"],
        &["status"],
    ] {
        let done = scene.command(arguments).await;
        done.says(0, &[]);
        let harmful = |one: char| (one.is_control() && one != '\n') || one == '\u{202e}';
        assert!(!done.stdout.contains(harmful), "{arguments:?}: {:?}", done.stdout);
        assert!(!done.stderr.contains(harmful), "{arguments:?}: {:?}", done.stderr);
        let mut json = arguments.to_vec();
        json.push("--json");
        let printed = scene.command(&json).await;
        assert!(!printed.stdout.contains('\u{1b}'), "{json:?}");
        printed.objects();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_issues_runs_no_formula() {
    let scene = Scene::synced().await;
    for (number, start) in ["=", "+", "-", "@", "\t=", "\r="].into_iter().enumerate() {
        scene.platform_upsert(json!({
            "email": format!("formula{number}@sheet.example"), "name": format!("{start}cmd|' /C calc'!A0"),
            "company": "=1+1", "city": format!("{start}HYPERLINK(\"http://evil.example\"){}", "x".repeat(60)),
        }));
    }
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.failed), (3, 6), "{ended:?}");
    let done = scene.command(&["issues", "export"]).await;
    done.says(0, &[]);
    let mut reader = csv::ReaderBuilder::new().from_reader(done.stdout.as_bytes());
    let mut rows = 0;
    for row in reader.records() {
        rows += 1;
        for cell in &row.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        }
    }
    assert_eq!(rows, 6);
}
