//! NovoEd beside the org, through the real client over HTTP: one scenario a requirement (F29–F43).

use std::time::Duration;

use forcesync::domain::outcome::RunKind;
use forcesync::domain::report::Verdict;
use forcesync::domain::side::Side as OurSide;
use forcesync::sandbox::faults::{Fault, FaultKind, Side};
use serde_json::{Map, Value, json};

use crate::scenario_stage::{Cast, Scene, map};

async fn scene_with(edit: impl FnOnce(String) -> String) -> Scene {
    Scene::of_platform("novoed", Cast::of(60), edit).await
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
    settings.replacen("connected_on =", &format!("{line}\nconnected_on ="), 1)
}

fn put(scene: &Scene, object: &str, fields: Value) -> String {
    scene.sandbox().platform().upsert(object, &map(fields)).unwrap()
}

fn there(scene: &Scene, object: &str) -> Vec<Value> {
    scene.sandbox().platform().records(object)
}

fn rows(scene: &Scene, object: &str) -> Vec<Map<String, Value>> {
    scene.sandbox().org().rows(object)
}

/// The org's row that holds this id, if there is one.
fn marked(scene: &Scene, object: &str, id: &str) -> Option<Map<String, Value>> {
    rows(scene, object).into_iter().find(|row| row["NovoEd_Id__c"].as_str() == Some(id))
}

fn course(scene: &Scene, catalog_id: &str) -> Option<Map<String, Value>> {
    rows(scene, "NovoEd_Course__c").into_iter().find(|row| row["Catalog_Id__c"] == json!(catalog_id))
}

/// The id by which an enrollment of the sandbox is known in the org.
fn enrollment_id(enrollment: &Value) -> String {
    format!("{}/{}", enrollment["user_id"], enrollment["enrollment_id"])
}

/// Whether a course of the sandbox was over before the connection was made.
fn is_past(scene: &Scene, enrollment: &Value) -> bool {
    let course =
        scene.sandbox().platform().record("course", enrollment["catalog_id"].as_str().unwrap()).unwrap();
    course["state"] == "closed"
}

/// Somebody who is in the org and in NovoEd and in none of its running courses: their user id and the contact's.
fn somebody(scene: &Scene, course: &str) -> (String, String) {
    let taken: Vec<Value> = there(scene, "enrollment")
        .into_iter()
        .filter(|place| place["catalog_id"] == json!(course))
        .map(|place| place["user_id"].clone())
        .collect();
    let user = there(scene, "user").into_iter().find(|user| !taken.contains(&user["user_id"])).unwrap();
    let id = user["user_id"].to_string();
    let contact = marked(scene, "Contact", &id).unwrap();
    (id, contact["Id"].as_str().unwrap().to_owned())
}

async fn tested(scene: &Scene) -> (bool, String) {
    let settings = scene.session().settings();
    let test =
        forcesync::ops::test_connection::test(scene.session(), OurSide::Platform, &settings, &[]).await;
    let bad = test.lines.iter().any(|line| line.verdict == Verdict::Bad);
    assert!(test.passed || bad, "{test:?}");
    let said: Vec<&str> = test.lines.iter().map(|line| line.message.as_str()).collect();
    (test.passed, said.join("\n"))
}

/// F30, F31, F32: users come as contacts, courses with title, description and catalog id, and who is in which with what status.
/// platform-novoed.md §8: users, courses and enrollments.
#[tokio::test(flavor = "multi_thread")]
async fn f30_f31_f32_users_courses_and_enrollments_come_with_what_they_belong_to() {
    let scene = synced().await;
    for user in there(&scene, "user") {
        let contact = marked(&scene, "Contact", &user["user_id"].to_string()).unwrap();
        let email = contact["Email"].as_str().unwrap();
        assert!(email.eq_ignore_ascii_case(user["email"].as_str().unwrap()), "{user} {contact:?}");
        assert!(contact["LastName"].is_string());
    }
    let row = course(&scene, "data-for-managers").unwrap();
    assert_eq!(
        (&row["Name"], &row["Description__c"]),
        (&json!("Data for Managers"), &json!("Numbers, \"stories\",\nand decisions."))
    );
    let mut words = std::collections::BTreeSet::new();
    for enrollment in there(&scene, "enrollment").iter().filter(|place| !is_past(&scene, place)) {
        let row = marked(&scene, "NovoEd_Enrollment__c", &enrollment_id(enrollment)).unwrap();
        let contact = marked(&scene, "Contact", &enrollment["user_id"].to_string()).unwrap();
        let course = course(&scene, enrollment["catalog_id"].as_str().unwrap()).unwrap();
        assert_eq!((&row["Contact__c"], &row["Course__c"]), (&contact["Id"], &course["Id"]), "{enrollment}");
        assert_eq!(row["Completion_Status__c"], enrollment["status"]);
        words.insert(enrollment["status"].as_str().unwrap().to_owned());
    }
    assert!(words.len() >= 3, "{words:?}");
    let second = scene.initial().await;
    assert_eq!((second.exit, second.counts.created(), second.counts.updated()), (0, 0, 0), "{second:?}");
    let still = scene.instant().await;
    assert_eq!((still.exit, still.counts.created(), still.counts.updated()), (0, 0, 0), "{still:?}");
}

/// F32: a new user, a new enrollment and a completion come with the next run; a word that no list tells is kept.
/// platform-novoed.md §8: the words of completion are not confirmed.
#[tokio::test(flavor = "multi_thread")]
async fn f32_a_new_user_and_a_completion_come_with_the_next_run() {
    let scene = synced().await;
    scene.pass(Duration::from_secs(3600)).await;
    let user = put(
        &scene,
        "user",
        json!({"email": "nele@fresh.example", "first_name": "Nele", "last_name": "Maes"}),
    );
    let place = put(&scene, "enrollment", json!({"user_id": user, "catalog_id": "onboarding"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 2), "{ended:?} {:?}", scene.issues().await);
    let id = format!("{user}/{place}");
    let contact = marked(&scene, "Contact", &user).unwrap();
    let row = marked(&scene, "NovoEd_Enrollment__c", &id).unwrap();
    assert_eq!((&contact["LastName"], &row["Completion_Status__c"]), (&json!("Maes"), &json!("not_started")));
    assert_eq!(row["Contact__c"], contact["Id"], "it came with its contact");
    put(&scene, "enrollment", json!({"enrollment_id": place, "status": "completed"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    let row = marked(&scene, "NovoEd_Enrollment__c", &id).unwrap();
    assert_eq!((&row["Completion_Status__c"], &row["Contact__c"]), (&json!("completed"), &contact["Id"]));
    assert!(row["Completed_On__c"].is_string(), "{row:?}");
    put(&scene, "enrollment", json!({"enrollment_id": place, "status": "certificate_earned"}));
    let ended = scene.run(RunKind::Automatic).await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(
        marked(&scene, "NovoEd_Enrollment__c", &id).unwrap()["Completion_Status__c"],
        "certificate_earned"
    );
}

/// F33: each time somebody left a course is a row of its own, and stays when they are in again and leave again.
/// platform-novoed.md §8: the history of unenrollments.
#[tokio::test(flavor = "multi_thread")]
async fn f33_every_unenrollment_keeps_its_row_after_enrolling_again() {
    let scene = synced().await;
    let (user, contact) = somebody(&scene, "negotiation");
    let history = || {
        let rows = rows(&scene, "NovoEd_Unenrollment__c");
        let mut left: Vec<String> = rows
            .iter()
            .filter(|row| row["NovoEd_Id__c"].as_str().unwrap().starts_with(&format!("{user}/negotiation/")))
            .map(|row| {
                assert_eq!(row["Contact__c"], json!(contact));
                assert!(row["Course__c"].is_string());
                row["Unenrolled_On__c"].as_str().unwrap().to_owned()
            })
            .collect();
        left.sort();
        left
    };
    let mut expected = Vec::new();
    for times in 1..=2 {
        scene.pass(Duration::from_secs(7200)).await;
        let place = put(&scene, "enrollment", json!({"user_id": user, "catalog_id": "negotiation"}));
        let ended = scene.instant().await;
        assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
        let row = marked(&scene, "NovoEd_Enrollment__c", &format!("{user}/{place}")).unwrap();
        assert_eq!(row["Unenrolled_On__c"], Value::Null, "in again: {row:?}");
        assert_eq!(history(), expected, "kept after enrolling again");
        scene.pass(Duration::from_secs(7200)).await;
        scene.sandbox().platform().delete("enrollment", &place).unwrap();
        let ended = scene.instant().await;
        assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
        let row = marked(&scene, "NovoEd_Enrollment__c", &format!("{user}/{place}")).unwrap();
        assert!(row["Unenrolled_On__c"].is_string(), "{row:?}");
        assert_eq!(history().len(), times);
        expected = history();
    }
    let full = scene.initial().await;
    assert_eq!((full.exit, full.counts.salesforce.deleted), (0, 0), "{full:?}");
    assert_eq!(history(), expected, "an initial sync takes nothing away");
}

/// F29: nothing of Salesforce ever reaches NovoEd, and a mapping that says so is refused with the reason and its line.
/// platform-novoed.md §8: to Salesforce alone.
#[tokio::test(flavor = "multi_thread")]
async fn f29_nothing_is_ever_written_to_novoed() {
    let scene = synced().await;
    let (user, contact) = somebody(&scene, "negotiation");
    let before = (there(&scene, "user"), there(&scene, "enrollment"));
    scene.org_update("Contact", &contact, json!({"LastName": "Elsewhere", "FirstName": "Else"}));
    scene.org_insert("Contact", json!({"FirstName": "Ann", "LastName": "Bell", "Email": "ann@bell.example"}));
    let ended = scene.instant().await;
    let written = &ended.counts.platform;
    assert_eq!((ended.exit, written.created, written.updated), (0, 0, 0), "{ended:?}");
    assert_eq!((there(&scene, "user"), there(&scene, "enrollment")), before);
    assert_eq!(scene.org_row("Contact", &contact)["LastName"], "Elsewhere", "{user} drifts as its org wants");
    let file = scene.workspace().join("forcesync.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let both = "platform_object = \"user\"\ndirection = \"both\"";
    std::fs::write(&file, text.replacen("platform_object = \"user\"\ndirection = \"to_org\"", both, 1))
        .unwrap();
    let done = scene.command(&["config", "validate"]).await;
    assert_eq!(done.code, 2, "{done:?}");
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(said.contains("NovoEd takes nothing from Salesforce"), "{said}");
}

/// F42: past offerings stay out with their enrollments; a later initial sync brings them once they are asked for, back to the cut-off.
#[tokio::test(flavor = "multi_thread")]
async fn f42_past_offerings_come_only_when_asked_for_and_back_to_the_cut_off() {
    let scene = synced().await;
    let past = |scene: &Scene| {
        let places = there(scene, "enrollment");
        places.into_iter().filter(|place| is_past(scene, place)).collect::<Vec<_>>()
    };
    assert!(!past(&scene).is_empty());
    assert!(course(&scene, "coaching-2024").is_none());
    for place in past(&scene) {
        assert!(marked(&scene, "NovoEd_Enrollment__c", &enrollment_id(&place)).is_none(), "{place}");
    }
    // Half of the past: agile-2025 ended half a year ago, the others long before.
    let since = (scene.now() - chrono::TimeDelta::days(250)).format("%Y-%m-%d").to_string();
    let file = scene.workspace().join("forcesync.toml");
    let scene = scene
        .reopened(|_| {
            let text = std::fs::read_to_string(&file).unwrap();
            let lines = format!("past_offerings = true\npast_since = \"{since}\"");
            std::fs::write(&file, connected(&text, &lines)).unwrap();
        })
        .await;
    let ended = scene.unbraked(RunKind::Initial).await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    assert!(course(&scene, "agile-2025").is_some());
    assert!(course(&scene, "coaching-2024").is_none(), "last changed before the cut-off");
    let mut brought = 0;
    for place in past(&scene) {
        let row = marked(&scene, "NovoEd_Enrollment__c", &enrollment_id(&place));
        let young = place["updated_at"].as_str().unwrap() >= since.as_str();
        assert_eq!(row.is_some(), young, "{place} {since}");
        brought += usize::from(young);
    }
    assert!(brought > 0);
    let again = scene.initial().await;
    assert_eq!((again.exit, again.counts.created(), again.counts.updated()), (0, 0, 0), "{again:?}");
}

/// F42: a course that closes after the connection was made is no past offering.
#[tokio::test(flavor = "multi_thread")]
async fn f42_a_course_that_closes_later_stays() {
    let scene = synced().await;
    scene.pass(Duration::from_secs(3600)).await;
    put(
        &scene,
        "course",
        json!({"catalog_id": "negotiation", "state": "closed", "title": "Negotiation, closed"}),
    );
    let (user, _) = somebody(&scene, "negotiation");
    put(&scene, "enrollment", json!({"user_id": user, "catalog_id": "negotiation"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 1), "{ended:?} {:?}", scene.issues().await);
    assert_eq!(course(&scene, "negotiation").unwrap()["Name"], "Negotiation, closed");
}

/// F40: with “production courses only” a course in test mode stays out with its enrollments; without it a test of the connection names it.
#[tokio::test(flavor = "multi_thread")]
async fn f40_courses_in_test_mode_are_told_or_stay_out() {
    let scene = synced().await;
    assert!(course(&scene, "sandbox-course").is_some(), "off unless switched on");
    let (passed, said) = tested(&scene).await;
    assert!(passed, "{said}");
    assert!(said.contains("1 course is not in production mode: Trying Things Out"), "{said}");
    let scene = synced_with(|settings| connected(&settings, "production_only = true")).await;
    assert!(course(&scene, "sandbox-course").is_none());
    let trials =
        there(&scene, "enrollment").into_iter().filter(|place| place["catalog_id"] == "sandbox-course");
    for place in trials {
        assert!(marked(&scene, "NovoEd_Enrollment__c", &enrollment_id(&place)).is_none(), "{place}");
    }
    assert!(scene.told().await.iter().any(|line| line.contains("stay out with their enrollments")));
}

/// F40: where nobody can tell which courses are in production mode, the run says which setting is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn f40_a_mode_column_that_is_not_there_is_told_and_nothing_is_dropped() {
    let scene = scene_with(|settings| {
        connected(&settings, "production_only = true\nproduction_column = \"published\"")
    })
    .await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 2, "{ended:?}");
    assert!(ended.message.contains("production_column"), "{ended:?}");
}

/// F36, F37: the Salesforce user must be an admin with the e-mail address of the Org Admin, whatever its case.
#[tokio::test(flavor = "multi_thread")]
async fn f36_f37_the_same_address_must_be_the_admin_on_both_sides() {
    let scene = scene_with(|settings| settings).await;
    let (passed, said) = tested(&scene).await;
    assert!(passed && said.contains("integration@northwind.example is the admin on both sides"), "{said}");
    let scene = scene_with(|settings| {
        settings.replace(
            "admin_email = \"integration@northwind.example\"",
            "admin_email = \"Boss@northwind.example\"",
        )
    })
    .await;
    let (passed, said) = tested(&scene).await;
    assert!(!passed, "{said}");
    assert!(said.contains("The same e-mail must be the admin on both sides"), "{said}");
    assert!(
        said.contains("integration@northwind.example") && said.contains("Boss@northwind.example"),
        "{said}"
    );
    let checked = scene.command(&["check"]).await;
    assert_eq!(checked.code, 1, "{checked:?}");
}

/// F38: with the session check on, a run without a session reads nothing and ends as blocked; it is off unless switched on.
#[tokio::test(flavor = "multi_thread")]
async fn f38_without_a_session_a_run_is_blocked_where_that_is_looked_at() {
    let scene = scene_with(|settings| settings).await;
    put(&scene, "session", json!({"signed_in": false}));
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert!(!scene.calls_since(0, Side::Platform).iter().any(|call| call.contains("/session.json")));
    let scene = scene_with(|settings| connected(&settings, "session_check = true")).await;
    put(&scene, "session", json!({"signed_in": false}));
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 7, "{ended:?}");
    assert!(
        ended.message.contains("Nobody is signed in to NovoEd as integration@northwind.example"),
        "{ended:?}"
    );
    assert!(scene.calls_since(0, Side::Platform).iter().all(|call| !call.contains("/analytics/")));
    put(&scene, "session", json!({"signed_in": true}));
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
}

/// F34, F19: an interface that is forbidden is told as not enabled by the vendor; a refused key blocks, with what to do.
#[tokio::test(flavor = "multi_thread")]
async fn f34_what_the_vendor_has_not_enabled_is_told_so() {
    let scene = scene_with(|settings| connected(&settings, "data_path = \"/nowhere/{data_set}.csv\"")).await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 7, "{ended:?}");
    assert!(ended.message.contains("support has to enable the connection"), "{ended:?}");
    let scene = scene_with(|settings| settings).await;
    scene.arm(Fault::new(FaultKind::Unauthorized).on_side(Side::Platform));
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 7, "{ended:?}");
    assert!(ended.message.contains("api_secret"), "{ended:?}");
}

/// platform-novoed.md §2: 503 means throttling: it is tried again, and what outlasts the tries is a limit, not an error.
#[tokio::test(flavor = "multi_thread")]
async fn a_503_is_throttling_and_ends_a_run_as_limited_at_the_worst() {
    let scene = synced().await;
    let (user, contact) = somebody(&scene, "negotiation");
    scene.pass(Duration::from_secs(3600)).await;
    put(&scene, "user", json!({"user_id": user, "last_name": "Throttled"}));
    scene.arm(Fault { count: Some(3), ..Fault::new(FaultKind::Html503) }.on_side(Side::Platform));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.updated), (0, 1), "{ended:?}");
    assert_eq!(scene.org_row("Contact", &contact)["LastName"], "Throttled");
    scene.arm(Fault::new(FaultKind::Html503).on_side(Side::Platform));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 4, "{ended:?}");
    scene.calm();
}

/// platform-novoed.md §6: an answer is cut, so a data set is read back to its oldest row, however few rows an answer has; the cursor moves
/// only when all of it was read.
#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_is_drained_before_its_cursor_moves() {
    let scene = scene_with(|settings| settings).await;
    put(&scene, "session", json!({"rows_of_an_answer": 10}));
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    for user in there(&scene, "user") {
        assert!(marked(&scene, "Contact", &user["user_id"].to_string()).is_some(), "{user}");
    }
    // Many changes, and a service that fails in the middle of telling them.
    scene.pass(Duration::from_secs(7200)).await;
    let users = there(&scene, "user");
    for user in &users {
        scene.pass(Duration::from_secs(60)).await;
        put(&scene, "user", json!({"user_id": user["user_id"], "first_name": "Renamed"}));
    }
    scene.arm(
        Fault { after: 1, ..Fault::new(FaultKind::Unauthorized) }.on_side(Side::Platform).on("users.csv"),
    );
    let ended = scene.unbraked(RunKind::Instant).await;
    assert_ne!(ended.exit, 0, "{ended:?}");
    scene.calm();
    let ended = scene.unbraked(RunKind::Instant).await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    for user in &users {
        let contact = marked(&scene, "Contact", &user["user_id"].to_string()).unwrap();
        assert_eq!(contact["FirstName"], "Renamed", "{user}");
    }
}

/// platform-novoed.md §6: rows that are edited while a data set is read move to its newest end, and are read from there next.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_edited_while_everything_is_read_comes_with_the_next_run() {
    let scene = scene_with(|settings| connected(&settings, "slice_hours = 2400")).await;
    put(&scene, "session", json!({"rows_of_an_answer": 10}));
    // Half-way through the users the oldest of those is renamed whom the org does not know.
    let known: Vec<String> =
        rows(&scene, "Contact").iter().map(|row| row["Email"].to_string().to_lowercase()).collect();
    let strangers = there(&scene, "user")
        .into_iter()
        .filter(|user| !known.contains(&user["email"].to_string().to_lowercase()));
    let oldest = strangers.min_by_key(|user| user["updated_at"].to_string()).unwrap();
    let run = scene.initial();
    let edit = async {
        while !scene.calls_since(0, Side::Platform).iter().any(|call| call.contains("users.csv")) {
            tokio::task::yield_now().await;
        }
        put(&scene, "user", json!({"user_id": oldest["user_id"], "first_name": "Moved"}));
    };
    let (ended, ()) = tokio::join!(run, edit);
    assert_eq!(ended.exit, 0, "{ended:?}");
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    let contact = marked(&scene, "Contact", &oldest["user_id"].to_string()).unwrap();
    assert_eq!(contact["FirstName"], "Moved", "{contact:?}");
}

/// platform-novoed.md §6: more rows of one moment than an answer holds are never passed over in silence.
#[tokio::test(flavor = "multi_thread")]
async fn a_moment_with_more_rows_than_an_answer_is_told() {
    let scene = scene_with(|settings| settings).await;
    put(&scene, "session", json!({"rows_of_an_answer": 4}));
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 1, "{ended:?}");
    assert!(ended.message.contains("more rows in an answer"), "{ended:?}");
}

/// platform-novoed.md §1: a token is made once and made anew when it is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_is_made_anew() {
    let scene = synced_with(|settings| connected(&settings, "sign_in = \"token\"")).await;
    let signed = |scene: &Scene| {
        scene.calls_since(0, Side::Platform).iter().filter(|call| call.contains("/oauth/token")).count()
    };
    assert_eq!(signed(&scene), 1);
    put(&scene, "session", json!({"end_tokens": true}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(signed(&scene), 2);
}

/// platform-novoed.md §6: columns have other names where the settings say so; a column that is missing is told with those that are there.
#[tokio::test(flavor = "multi_thread")]
async fn columns_are_named_by_the_settings() {
    let scene = scene_with(|settings| connected(&settings, "columns = [\"users.email=mail\"]")).await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 2, "{ended:?}");
    assert!(
        ended.message.contains("no usable column “mail”") && ended.message.contains("last_name"),
        "{ended:?}"
    );
    let scene =
        synced_with(|settings| connected(&settings, "columns = [\"enrollments.status=enrolled_at\"]")).await;
    let row = rows(&scene, "NovoEd_Enrollment__c").remove(0);
    assert!(row["Completion_Status__c"].as_str().unwrap().starts_with("20"), "{row:?}");
}

/// N26: what the mappings want in the org is listed, and made on request.
#[tokio::test(flavor = "multi_thread")]
async fn n26_what_novoed_needs_in_the_org_is_listed_and_made_on_request() {
    let scene = Scene::without_package("novoed", Cast::of(60)).await;
    let listed = scene.command(&["objects", "list"]).await;
    assert_eq!(listed.code, 10, "{listed:?}");
    for missing in ["NovoEd_Unenrollment__c", "Contact lacks NovoEd_Id__c", "objects create"] {
        assert!(listed.stdout.contains(missing), "{missing}: {}", listed.stdout);
    }
    let made = scene.command(&["objects", "create", "--yes", "--with-mappings"]).await;
    assert_eq!(made.code, 0, "{made:?}");
    let scene = scene.reopened(|_| ()).await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    assert!(!rows(&scene, "NovoEd_Unenrollment__c").is_empty());
}

/// `forcesync doctor` lists what nobody could confirm, with what is assumed.
#[tokio::test(flavor = "multi_thread")]
async fn unconfirmed_facts_are_settings_that_the_doctor_lists() {
    let scene = scene_with(|settings| settings).await;
    let done = scene.command(&["doctor"]).await;
    for name in ["platform.novoed.data_path", "platform.novoed.session_check", "enrollment of NovoEd"] {
        assert!(done.stdout.contains(name), "{name}: {}", done.stdout);
    }
    let shown = scene.command(&["check"]).await;
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.stdout.contains("the newest change is of"), "{shown:?}");
}
