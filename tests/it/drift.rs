//! Drift (law E13), acceptance (law E5), side effects (law E17) and scope (law E12), through the real clients over HTTP.

use std::time::Duration;

use forcesync::domain::command::{Acceptance, Command, Reply};
use forcesync::domain::drift::{DriftKind, Effect};
use forcesync::domain::mapping::Mapping;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side;
use forcesync::ops::{drift, run};
use forcesync::sandbox::org::{FieldChange, FieldPermission, ObjectPermission};
use forcesync::workspace::settings::Account;
use rstest::rstest;
use serde_json::{Value, json};

use crate::binary_stage::Done;
use crate::scenario_stage::Scene;

/// Long enough that describes are looked at again.
const LATER: Duration = Duration::from_secs(3600);

async fn settled() -> Scene {
    let scene = Scene::synced().await;
    scene.pass(LATER).await;
    scene.instant().await;
    scene.pass(LATER).await;
    scene
}

/// What a command printed, on either stream, holds all of these.
#[track_caller]
fn prints(done: &Done, code: i32, parts: &[&str]) {
    assert_eq!(done.code, code, "{done:?}");
    for part in parts {
        assert!(done.stdout.contains(part) || done.stderr.contains(part), "“{part}” is missing in: {done:?}");
    }
}

async fn found(scene: &Scene) -> Vec<(Effect, DriftKind, String)> {
    let rows = drift::rows(scene.session(), None).await.unwrap();
    rows.into_iter().map(|row| (row.finding.effect, row.finding.kind, row.finding.field)).collect()
}

fn hide(scene: &Scene, field: &str, permission: FieldPermission) {
    assert!(scene.sandbox().org().set_field_permission("Contact", field, permission));
}

fn change(scene: &Scene, object: &str, field: &str, change: FieldChange) {
    assert!(scene.sandbox().org().change_field(object, field, change));
}

#[tokio::test(flavor = "multi_thread")]
async fn e13_a_field_that_was_lost_parks_its_pair_the_rest_goes_on_and_both_sides_edits_are_caught_up() {
    let scene = settled().await;
    let (first, first_email) = scene.somebody(0);
    let (second, second_email) = scene.somebody(1);
    let (third, _) = scene.somebody(2);
    hide(&scene, "MobilePhone", FieldPermission::Hidden);
    scene.platform_upsert(json!({"email": first_email, "phone": "+32 9 888 88 88"}));
    scene.org_update("Contact", &second, json!({"MobilePhone": "+32 9 777 77 77"}));
    scene.org_update("Contact", &third, json!({"MailingCity": "Ghent"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (3, 1), "{ended:?}");
    assert!(ended.message.contains("MobilePhone") && ended.message.contains("permission"), "{ended:?}");
    assert_eq!(found(&scene).await, [(Effect::Parks, DriftKind::FieldGone, "MobilePhone".to_owned())]);
    let issues = scene.issues().await;
    assert_eq!(
        (issues.len(), issues[0].code.as_str(), issues[0].fields[0].as_str()),
        (1, "drift", "MobilePhone")
    );
    let status = scene.command(&["status", "--json"]).await;
    prints(&status, 0, &["field_gone", "MobilePhone"]);
    prints(&scene.command(&["check", "--json"]).await, 3, &["MobilePhone", "permission"]);
    prints(&scene.command(&["drift"]).await, 0, &["parks", "MobilePhone"]);

    // More runs pass it by; nothing of what was edited is forgotten for that.
    for _ in 0..3 {
        scene.pass(LATER).await;
        assert_eq!(scene.instant().await.exit, 3);
    }
    assert_ne!(scene.org_row("Contact", &first)["MobilePhone"], "+32 9 888 88 88");
    hide(&scene, "MobilePhone", FieldPermission::Edit);
    scene.pass(LATER).await;
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 2), "{ended:?}");
    assert_eq!(scene.org_row("Contact", &first)["MobilePhone"], "+32 9 888 88 88");
    assert_eq!(scene.contact(&second_email)["phone"], "+32 9 777 77 77");
    assert!(scene.issues().await.is_empty() && found(&scene).await.is_empty());
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 0), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn e13_a_field_that_can_only_be_read_parks_its_pair_and_its_edits_arrive_once_it_can_be_written() {
    let scene = settled().await;
    hide(&scene, "MobilePhone", FieldPermission::Read);
    let (id, email) = scene.somebody(0);
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 666 66 66", "city": "Ostend"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 3, "{ended:?}");
    assert_eq!(found(&scene).await, [(Effect::Parks, DriftKind::NotWritable, "MobilePhone".to_owned())]);
    assert_eq!(scene.org_row("Contact", &id)["MailingCity"], "Ostend");
    hide(&scene, "MobilePhone", FieldPermission::Edit);
    scene.pass(LATER).await;
    assert_eq!(scene.instant().await.exit, 0);
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+32 9 666 66 66");
}

#[tokio::test(flavor = "multi_thread")]
async fn e13_a_record_that_was_linked_while_a_pair_was_parked_gets_its_value_afterwards() {
    let scene = settled().await;
    hide(&scene, "Title", FieldPermission::Hidden);
    hide(&scene, "MobilePhone", FieldPermission::Hidden);
    let id = scene.org_insert(
        "Contact",
        json!({"FirstName": "Ada", "LastName": "Newcomer", "Email": "ada@newcomer.example", "MobilePhone": "+32 9 123 45 67"}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.created), (3, 1), "{ended:?}");
    assert_ne!(scene.contact("ada@newcomer.example")["phone"], "+32 9 123 45 67");
    hide(&scene, "Title", FieldPermission::Edit);
    hide(&scene, "MobilePhone", FieldPermission::Edit);
    scene.pass(LATER).await;
    assert_eq!(scene.instant().await.exit, 0);
    assert_eq!(scene.contact("ada@newcomer.example")["phone"], "+32 9 123 45 67");
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+32 9 123 45 67");
}

#[tokio::test(flavor = "multi_thread")]
async fn e13_an_object_that_is_gone_stops_its_mapping_alone_and_what_it_missed_is_caught_up() {
    let scene = settled().await;
    let none = ObjectPermission { read: false, create: false, edit: false, delete: false };
    let lead = scene.sandbox().org().rows("Lead").into_iter().find_map(|row| {
        let email = row["Email"].as_str()?.to_owned();
        let contact = scene.sandbox().salesmanago().contact(&email)?;
        (row["IsConverted"] == json!(false) && contact["externalId"] == row["Id"])
            .then(|| (row["Id"].as_str().unwrap().to_owned(), email))
    });
    let (lead, lead_email) = lead.expect("a linked lead");
    let (id, email) = scene.somebody(0);
    assert!(scene.sandbox().org().set_object_permission("Lead", none));
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 111 11 11"}));
    scene.platform_upsert(json!({"email": lead_email, "phone": "+32 9 222 22 22"}));
    scene.platform_upsert(
        json!({"email": "who@stranger.example", "name": "Who Stranger", "company": "Stranger"}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.updated), (7, 1), "{ended:?}");
    assert!(ended.message.contains("Lead") && ended.message.contains("went on"), "{ended:?}");
    assert_eq!(
        ended.counts.created(),
        0,
        "whose a stranger is can't be said without the other mapping: {ended:?}"
    );
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+32 9 111 11 11");
    scene.pass(LATER).await;
    scene.instant().await;
    assert!(scene.sandbox().org().set_object_permission("Lead", ObjectPermission::default()));
    scene.pass(LATER).await;
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    let row = scene.org_row("Lead", &lead);
    assert!([&row["MobilePhone"], &row["Phone"]].contains(&&json!("+32 9 222 22 22")), "{row:?}");
    let made: usize = ["Contact", "Lead"]
        .iter()
        .map(|object| scene.sandbox().org().count_where(object, "Email = 'who@stranger.example'").unwrap())
        .sum();
    assert_eq!(made, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn e13_a_lost_key_stops_its_mapping_and_the_others_go_on() {
    let scene = settled().await;
    assert!(scene.sandbox().org().set_field_permission("Lead", "Email", FieldPermission::Hidden));
    let (id, email) = scene.somebody(0);
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 111 11 12"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.updated), (7, 1), "{ended:?}");
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+32 9 111 11 12");
    assert_eq!(found(&scene).await[0], (Effect::Stops, DriftKind::FieldGone, "Email".to_owned()));
    prints(&scene.command(&["mapping"]).await, 0, &["stopped"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn e13_a_field_that_is_required_since_stops_the_mapping_that_creates() {
    let scene = settled().await;
    let creates =
        scene.session().settings().mappings.into_iter().find(|mapping| mapping.create_in_org).unwrap();
    let required = FieldChange { required: Some(true), ..FieldChange::default() };
    change(&scene, &creates.org_object, "Description", required);
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 2, "{ended:?}");
    assert!(ended.message.contains("Description"), "{ended:?}");
    assert_eq!(found(&scene).await, [(Effect::Stops, DriftKind::Required, "Description".to_owned())]);
    let checked = scene.command(&["check", "--json"]).await;
    prints(&checked, 2, &["Description"]);
    change(&scene, &creates.org_object, "Description", FieldChange::default());
    scene.pass(LATER).await;
    assert_eq!(scene.instant().await.exit, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn e13_a_shorter_field_waits_until_a_person_accepts_it() {
    let scene = settled().await;
    change(&scene, "Contact", "MailingCity", FieldChange { length: Some(12), ..FieldChange::default() });
    let (id, email) = scene.somebody(0);
    scene.platform_upsert(json!({"email": email, "city": "Ostend"}));
    assert_eq!(scene.instant().await.exit, 3);
    assert_eq!(found(&scene).await, [(Effect::Parks, DriftKind::Shorter, "MailingCity".to_owned())]);
    assert_ne!(scene.org_row("Contact", &id)["MailingCity"], "Ostend");
    drift::accept(scene.engine(), vec!["contact".into()], Acceptance::Drift).await.unwrap();
    assert!(found(&scene).await.is_empty());
    scene.pass(LATER).await;
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(scene.org_row("Contact", &id)["MailingCity"], "Ostend");
}

#[tokio::test(flavor = "multi_thread")]
async fn e13_another_type_waits_until_it_is_accepted_or_is_what_it_was() {
    let scene = settled().await;
    change(&scene, "Contact", "Fax", FieldChange { kind: Some("double".into()), ..FieldChange::default() });
    scene.instant().await;
    assert_eq!(found(&scene).await, [(Effect::Parks, DriftKind::TypeChanged, "Fax".to_owned())]);
    change(&scene, "Contact", "Fax", FieldChange::default());
    scene.pass(LATER).await;
    assert_eq!(scene.instant().await.exit, 0);
    assert!(found(&scene).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn e13_a_restricted_picklist_warns_and_more_room_is_only_told() {
    let scene = settled().await;
    let wide = FieldChange { length: Some(200), ..FieldChange::default() };
    change(&scene, "Contact", "MailingCity", wide);
    // Along with the changes the org is asked whether its fields are others; the next run goes by the answer.
    assert_eq!(scene.instant().await.exit, 0);
    assert_eq!(scene.instant().await.exit, 0);
    assert_eq!(found(&scene).await, [(Effect::Tells, DriftKind::Longer, "MailingCity".to_owned())]);
    let settings = scene.session().settings();
    let pairs = &settings.mapping("contact").unwrap().pairs;
    let both = pairs.iter().find(|pair| {
        pair.direction.allows(Side::Org) && pair.org.len() == 1 && !pair.key && !pair.transform.is_consent()
    });
    let picked = both.unwrap().org[0].clone();
    let restricted =
        FieldChange { restricted: Some(true), values: Some(vec!["Web".into()]), ..FieldChange::default() };
    change(&scene, "Contact", &picked, restricted);
    scene.pass(LATER).await;
    scene.instant().await;
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(found(&scene).await[0], (Effect::Warns, DriftKind::Restricted, picked));
}

#[tokio::test(flavor = "multi_thread")]
async fn e13_a_field_lost_while_both_sides_are_read_parks_its_pair_in_that_very_run() {
    let scene = settled().await;
    let (id, email) = scene.somebody(0);
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 333 33 33", "city": "Ostend"}));
    // The describe is still fresh, so only the read finds out.
    scene.instant().await;
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 444 44 44", "city": "Bruges"}));
    hide(&scene, "MobilePhone", FieldPermission::Hidden);
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 3, "{ended:?}");
    assert_eq!(scene.org_row("Contact", &id)["MailingCity"], "Bruges");
    hide(&scene, "MobilePhone", FieldPermission::Edit);
    scene.pass(LATER).await;
    assert_eq!(scene.instant().await.exit, 0);
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+32 9 444 44 44");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_rule_tells_wrong_settings_from_a_missing_right_for_check_and_runs() {
    let wrong = |text: String| text.replacen("Fax", "Faxx__c", 1);
    let scene = Scene::synced().await;
    let scene = scene
        .reopened(|folder| {
            let file = folder.join("forcesync.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, wrong(text)).unwrap();
        })
        .await;
    // A name that the org does not show looks like a missing right from here, to both.
    let ended = scene.instant().await;
    let checked = scene.command(&["check", "--json"]).await;
    prints(&checked, ended.exit.into(), &["Faxx__c"]);
    assert!(ended.message.contains("Faxx__c"), "{ended:?}");
    let refused = scene.initial().await;
    assert_eq!(refused.exit, ended.exit, "{refused:?}");
}

fn lead_only(settings: &str) -> String {
    settings.replacen(
        "org_object = \"Contact\"",
        "platform_criteria = \"company != 'Nobody'\"\norg_object = \"Contact\"",
        1,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn e5_an_automatic_run_waits_for_a_mapping_that_was_changed_outside_until_a_person_accepts_it() {
    let scene = settled().await;
    let scene = scene
        .reopened(|folder| {
            let file = folder.join("forcesync.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, lead_only(&text)).unwrap();
        })
        .await;
    let (id, email) = scene.somebody(0);
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 555 55 55"}));
    let ended = scene.run(RunKind::Automatic).await;
    assert_eq!(ended.exit, 7, "{ended:?}");
    assert!(ended.message.contains("accept"), "{ended:?}");
    assert_eq!(scene.status().await.unaccepted, ["contact"]);
    prints(&scene.command(&["mapping"]).await, 0, &["not accepted"]);
    scene.pass(LATER).await;
    scene.run(RunKind::Automatic).await;
    let accepted =
        scene.engine().ask(Command::Accept { mappings: vec!["contact".into()], what: Acceptance::All }).await;
    assert_eq!(accepted.unwrap(), Reply::Accepted);
    scene.pass(LATER).await;
    let ended = scene.run(RunKind::Automatic).await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+32 9 555 55 55");
    assert!(scene.status().await.unaccepted.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn e5_saving_is_accepting_and_so_is_an_initial_sync() {
    let scene = settled().await;
    assert_eq!(scene.run(RunKind::Automatic).await.exit, 0);
    scene.set(|settings| settings.mappings[0].platform_criteria = Some("company != 'Nobody'".into())).await;
    assert_eq!(scene.run(RunKind::Automatic).await.exit, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn e11_automatic_sync_is_refused_before_the_first_initial_sync() {
    let scene = Scene::small().await;
    let refused = scene.engine().ask(Command::Automatic { on: true }).await.unwrap();
    let Reply::Refused { message } = refused else { panic!("{refused:?}") };
    assert!(message.contains("initial sync"), "{message}");
    assert!(!scene.engine().progress().borrow().automatic);
    scene.initial().await;
    assert_eq!(scene.engine().ask(Command::Automatic { on: true }).await.unwrap(), Reply::Accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn e17_a_live_org_with_a_test_account_is_written_only_once_its_name_was_typed() {
    let scene = Scene::small().await;
    scene.set(|settings| settings.platform.salesmanago.account = Some(Account::Test)).await;
    let before = scene.snapshot();
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 7, "{ended:?}");
    assert!(ended.message.contains("--confirm-workspace"), "{ended:?}");
    assert_eq!(scene.snapshot(), before);
    let unequal = scene.status().await.unequal.unwrap();
    assert!(!unequal.confirmed && unequal.what.contains("test"), "{unequal:?}");
    assert!(run::confirm_workspace(scene.engine(), "another").await.is_err());
    run::confirm_workspace(scene.engine(), &scene.session().name()).await.unwrap();
    assert_eq!(scene.initial().await.exit, 0);
    assert!(scene.status().await.unequal.unwrap().confirmed);
    prints(&scene.command(&["status"]).await, 0, &["Joins a", "test platform"]);
}

/// Says in the state database to which org a workspace belongs; gives what stood there.
fn pin(folder: &std::path::Path, org: &str) -> String {
    let db = rusqlite::Connection::open(folder.join("state.db")).unwrap();
    let before = db.query_row("SELECT value FROM meta WHERE name='org'", [], |row| row.get(0)).unwrap();
    assert_eq!(db.execute("UPDATE meta SET value=? WHERE name='org'", [org]).unwrap(), 1);
    before
}

#[tokio::test(flavor = "multi_thread")]
async fn e17_another_org_behind_the_same_settings_stops_all_writes() {
    let scene = settled().await;
    let (id, email) = scene.somebody(0);
    let mut own = String::new();
    let scene = scene.reopened(|folder| own = pin(folder, "00D000000000062EAA")).await;
    assert_eq!(own, scene.sandbox().org().org_id());
    scene.org_update("Contact", &id, json!({"MobilePhone": "+32 9 555 55 55"}));
    let before = scene.snapshot();
    for ended in [scene.instant().await, scene.initial().await] {
        assert_eq!(ended.exit, 7, "{ended:?}");
        assert!(ended.message.contains("00D000000000062EAA") && ended.message.contains(&own), "{ended:?}");
    }
    assert_eq!(scene.snapshot(), before);
    let scene = scene.reopened(|folder| assert_eq!(pin(folder, &own), "00D000000000062EAA")).await;
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.platform.updated), (0, 1), "{ended:?}");
    assert_eq!(scene.contact(&email)["phone"], "+32 9 555 55 55");
}

fn fires(done: &Done) -> Value {
    done.objects().into_iter().find(|line| line["event"] == "side_effects").unwrap()
}

#[rstest]
#[case::quiet("", "quiet")]
#[case::loud("initial_side_effects = { assignment_rules = true }\n", "fires")]
#[tokio::test(flavor = "multi_thread")]
async fn e17_what_an_initial_sync_sets_off_is_told_before_it_begins(
    #[case] setting: &str,
    #[case] state: &str,
) {
    let scene = Scene::small().await;
    let scene = scene
        .reopened(|folder| {
            let file = folder.join("forcesync.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.replacen("org_object = \"Lead\"", &format!("{setting}org_object = \"Lead\""), 1);
            std::fs::write(&file, text).unwrap();
        })
        .await;
    let done = scene.command(&["sync", "initial", "--json"]).await;
    let told = fires(&done);
    let rules: Vec<&Value> = told["effects"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|effect| effect["what"] == "assignment_rules" && effect["mapping"] == "lead")
        .collect();
    assert!(rules.iter().all(|effect| effect["state"] == state), "{told}");
    prints(&scene.command(&["check"]).await, 0, &["flows, triggers", "held back"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn e12_who_leaves_stays_linked_and_watched_and_a_changed_criterion_takes_in_what_was_passed_over() {
    let scene = settled().await;
    let (id, email) = scene.somebody(0);
    let links = scene.status().await.links;
    let criteria = |mapping: &mut Mapping, text: Option<&str>| mapping.org_criteria = text.map(str::to_owned);
    let place =
        scene.session().settings().mappings.iter().position(|mapping| mapping.name == "contact").unwrap();
    scene.set(|settings| criteria(&mut settings.mappings[place], Some(&format!("Email != '{email}'")))).await;
    scene.org_update("Contact", &id, json!({"MailingCity": "Ghent"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 0), "{ended:?}");
    assert_ne!(scene.contact(&email)["address"]["city"], "Ghent");
    assert_eq!(scene.status().await.links, links, "who leaves stays linked");
    // It is watched: nobody touches the record, and what was passed over comes with the criteria.
    scene.pass(LATER).await;
    scene.instant().await;
    scene.set(|settings| criteria(&mut settings.mappings[place], None)).await;
    scene.pass(LATER).await;
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(scene.contact(&email)["address"]["city"], "Ghent");
}
