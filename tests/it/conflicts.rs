//! Parked pairs and what people decide about them (laws E2, E3, E7), through the real clients over HTTP.

use forcesync::domain::by_hand::Answer;
use forcesync::domain::mapping::{FirstMeeting, Policy};
use forcesync::domain::report::{ConflictQuery, ConflictRow};
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;
use forcesync::ops::conflicts::{self, Holds, Wish};
use forcesync::sandbox::faults::{Fault, FaultKind, Side as FaultSide};
use serde_json::json;

use crate::scenario_stage::{Ended, Scene};

/// A synced sandbox in which the fax of a contact asks when both sides changed it.
async fn asking() -> Scene {
    let scene = Scene::synced().await;
    scene
        .set(|settings| {
            let mapping = settings.mappings.iter_mut().find(|mapping| mapping.name == "contact").unwrap();
            mapping.pairs.iter_mut().find(|pair| pair.org == ["Fax"]).unwrap().policy = Policy::Ask;
        })
        .await;
    scene.instant().await;
    scene
}

/// Both sides get another fax number; an instant sync parks the pair.
async fn both_edit(scene: &Scene, nth: usize) -> (String, String) {
    let (id, email) = scene.somebody(nth);
    scene.org_update("Contact", &id, json!({"Fax": format!("+32 9 111 {nth}")}));
    scene.platform_upsert(json!({"email": email, "fax": format!("+32 9 222 {nth}")}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (3, 0), "{ended:?}");
    assert!(ended.counts.conflicts > 0, "{ended:?}");
    (id, email)
}

async fn open(scene: &Scene) -> Vec<ConflictRow> {
    conflicts::all(scene.session(), &ConflictQuery::default()).await.unwrap()
}

async fn decide(scene: &Scene, rows: &[ConflictRow], wish: Wish, holds: Holds) -> Ended {
    let sorted = conflicts::sort(&scene.session().settings(), rows, &wish, holds, "ann");
    let resolved = conflicts::resolve(scene.session(), scene.engine(), sorted).await.unwrap();
    scene.end_of(resolved.run.unwrap()).await
}

fn fax(scene: &Scene, (id, email): &(String, String)) -> (String, String) {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&scene.org_row("Contact", id)["Fax"]), text(&scene.contact(email)["fax"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_shows_base_and_both_values_and_is_decided_for_either_side() {
    for (take, expected) in [(Side::Org, "+32 9 111 0"), (Side::Platform, "+32 9 222 0")] {
        let scene = asking().await;
        let who = both_edit(&scene, 0).await;
        let rows = open(&scene).await;
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.why.as_str(), row.mapping.as_str()), ("ask", "contact"));
        assert_eq!(row.values.org, [Value::text("+32 9 111 0")]);
        assert_eq!(row.values.platform, [Value::text("+32 9 222 0")]);
        assert!(row.base.is_some() && !row.label.is_empty(), "{row:?}");
        let ended = decide(&scene, &rows, Wish::Take(take), Holds::Once).await;
        assert_eq!((ended.exit, ended.counts.updated()), (0, 1), "{ended:?}");
        assert_eq!(fax(&scene, &who), (expected.to_owned(), expected.to_owned()));
        assert_eq!(open(&scene).await, []);
        let written = scene.history(1).await.remove(0);
        assert_eq!(written.changes[0].rule, "decided by hand");
        assert_eq!(scene.instant().await.counts.updated(), 0, "something flowed back");
    }
}

/// Somebody deleted a contact in the org while somebody else edited the platform's record; deletes are propagated.
async fn deleted_and_edited() -> (Scene, String, String, ConflictRow) {
    let scene = Scene::synced_with(|settings| {
        settings.replace("deletes = \"ignore\"\n", "deletes = \"propagate\"\n")
    })
    .await;
    let (id, email) = scene.somebody(0);
    scene.org_delete("Contact", &id);
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 555 66 77"}));
    scene.pass(std::time::Duration::from_secs(120)).await;
    scene.instant().await;
    let row = open(&scene).await.remove(0);
    (scene, id, email, row)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_against_an_edit_names_the_person_and_what_was_edited() {
    let (scene, _, _, row) = deleted_and_edited().await;
    assert_eq!((row.why.as_str(), row.deleted), ("deleted", Some(Side::Org)));
    assert_eq!((row.fields.platform.as_slice(), row.fields.org.len()), (["phone".to_owned()].as_slice(), 0));
    assert_eq!(row.values.platform, [Value::text("+32 9 555 66 77")]);
    assert!(!row.label.is_empty(), "{row:?}");
    // A value decides nothing about a whole record, and nothing but a deletion is decided by deleting.
    for wish in [Wish::Take(Side::Org), Wish::Base, Wish::Values(vec!["x".into()])] {
        let sorted = conflicts::sort(
            &scene.session().settings(),
            std::slice::from_ref(&row),
            &wish,
            Holds::Once,
            "ann",
        );
        assert!(sorted.by_hand.is_empty() && sorted.refused.len() == 1, "{sorted:?}");
    }
    let rule = Wish::Record(Answer::Keep);
    let sorted = conflicts::sort(&scene.session().settings(), &[row], &rule, Holds::AsTheRule, "ann");
    assert!(sorted.refused[0].reason.contains("`deletes` of the mapping"), "{sorted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_decides_that_the_edited_record_is_deleted_too() {
    let (scene, _, email, row) = deleted_and_edited().await;
    let contact = scene.contact(&email)["id"].as_str().unwrap().to_owned();
    let ended = decide(&scene, &[row], Wish::Record(Answer::DeleteToo), Holds::Once).await;
    assert_eq!((ended.exit, ended.counts.platform.deleted), (0, 1), "{ended:?}");
    assert_eq!(scene.contact(&contact)["deleted"], json!(true));
    assert_eq!((open(&scene).await, scene.status().await.conflicts), (Vec::new(), 0));
    assert_eq!(scene.instant().await.counts.deleted(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_keeps_the_edited_record_and_nothing_is_written_to_it_any_more() {
    let (scene, _, email, row) = deleted_and_edited().await;
    let links = scene.status().await.links;
    let ended = decide(&scene, &[row], Wish::Record(Answer::Keep), Holds::Once).await;
    assert_eq!((ended.exit, ended.counts.deleted()), (0, 0), "{ended:?}");
    assert_eq!(scene.status().await.links, links - 1);
    scene.platform_upsert(json!({"email": email, "company": "Kept Ltd"}));
    for _ in 0..2 {
        scene.pass(std::time::Duration::from_secs(120)).await;
        let ended = scene.instant().await;
        assert_eq!((ended.counts.created(), ended.counts.deleted()), (0, 0), "{ended:?}");
    }
    assert_eq!(scene.contact(&email)["phone"], "+32 9 555 66 77");
    assert_eq!(open(&scene).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_made_after_the_person_looked_is_never_deleted() {
    let (scene, _, email, row) = deleted_and_edited().await;
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 999"}));
    let ended =
        decide(&scene, std::slice::from_ref(&row), Wish::Record(Answer::DeleteToo), Holds::Once).await;
    assert_eq!((ended.counts.conflicts, ended.counts.deleted()), (1, 0), "{ended:?}");
    let again = open(&scene).await.remove(0);
    assert_eq!(
        (again.conflict, again.values.platform.as_slice()),
        (row.conflict, [Value::text("+32 9 999")].as_slice())
    );
    assert_eq!(again.note.as_deref(), Some("changed since you looked"));
    // What was seen then is refused at once.
    let wish = Wish::Record(Answer::DeleteToo);
    let sorted = conflicts::sort(&scene.session().settings(), &[row], &wish, Holds::Once, "ann");
    assert!(conflicts::resolve(scene.session(), scene.engine(), sorted).await.is_err());
    assert_eq!(scene.contact(&email)["phone"], "+32 9 999");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_are_decided_on_the_command_line() {
    let (scene, _, email, row) = deleted_and_edited().await;
    let number = row.conflict.to_string();
    let shown = scene.command(&["conflicts", "show", &number]).await;
    assert!(shown.stdout.contains("--delete deletes it there too"), "{}", shown.stdout);
    let listed = scene.command(&["conflicts", "list", "--why", "deleted", "--json"]).await;
    assert_eq!(listed.last()["deleted"], "org", "{}", listed.stdout);
    scene.command(&["conflicts", "resolve", &number, "--take", "salesforce"]).await.says(2, &["delete it"]);
    let both = scene.command(&["conflicts", "resolve", &number, "--delete", "--keep"]).await;
    assert_eq!(both.code, 2, "{}", both.stderr);
    let done = scene.command(&["conflicts", "resolve", &number, "--delete", "--json"]).await;
    assert_eq!((done.code, done.last()["deleted"].clone()), (0, json!(1)), "{}{}", done.stdout, done.stderr);
    assert!(scene.sandbox().salesmanago().contact(&email).is_none_or(|row| row["deleted"] == json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_value_reaches_both_sides() {
    let scene = asking().await;
    let who = both_edit(&scene, 0).await;
    let ended =
        decide(&scene, &open(&scene).await, Wish::Values(vec!["+32 9 333".into()]), Holds::Once).await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 2), "{ended:?}");
    assert_eq!(fax(&scene, &who), ("+32 9 333".to_owned(), "+32 9 333".to_owned()));
    assert_eq!(open(&scene).await, []);
    assert_eq!(scene.instant().await.counts.updated(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_was_interrupted_between_its_two_writes_is_finished_by_the_next_run() {
    let scene = asking().await;
    let who = both_edit(&scene, 0).await;
    // The limit would open by itself while what is held is looked at, and its run would be on its way.
    scene.be_patient();
    scene.arm(Fault::new(FaultKind::Limit).on_side(FaultSide::Platform).on("upsert"));
    let ended =
        decide(&scene, &open(&scene).await, Wish::Values(vec!["+32 9 333".into()]), Holds::Once).await;
    assert_eq!(ended.exit, 4, "{ended:?}");
    assert_eq!(fax(&scene, &who), ("+32 9 333".to_owned(), "+32 9 222 0".to_owned()));
    assert!(open(&scene).await[0].decided.is_some());
    scene.calm();
    // Past the time for which a used-up budget is believed.
    scene.pass(std::time::Duration::from_secs(1200)).await;
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 1), "{ended:?}");
    assert_eq!(fax(&scene, &who), ("+32 9 333".to_owned(), "+32 9 333".to_owned()));
    assert_eq!(open(&scene).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_dropped_where_a_side_moved_since_and_no_edit_is_lost() {
    let scene = asking().await;
    let who = both_edit(&scene, 0).await;
    let seen = open(&scene).await;
    scene.platform_upsert(json!({"email": who.1, "fax": "+32 9 999"}));
    let ended = decide(&scene, &seen, Wish::Take(Side::Org), Holds::Once).await;
    assert_eq!((ended.exit, ended.counts.updated(), ended.counts.conflicts), (3, 0, 1), "{ended:?}");
    assert_eq!(fax(&scene, &who), ("+32 9 111 0".to_owned(), "+32 9 999".to_owned()));
    let rows = open(&scene).await;
    assert_eq!(rows[0].note.as_deref(), Some("changed since you looked"));
    assert_eq!(rows[0].values.platform, [Value::text("+32 9 999")]);
    assert_eq!((rows[0].conflict, rows[0].decided.clone()), (seen[0].conflict, None));
    // What was seen then is refused at once; what is shown now counts.
    let sorted =
        conflicts::sort(&scene.session().settings(), &seen, &Wish::Take(Side::Org), Holds::Once, "ann");
    assert!(conflicts::resolve(scene.session(), scene.engine(), sorted).await.is_err());
    let ended = decide(&scene, &rows, Wish::Take(Side::Org), Holds::Once).await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 1), "{ended:?}");
    assert_eq!(fax(&scene, &who).1, "+32 9 111 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_closes_by_itself_once_both_sides_agree() {
    let scene = asking().await;
    let who = both_edit(&scene, 0).await;
    scene.platform_upsert(json!({"email": who.1, "fax": "+32 9 111 0"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 0), "{ended:?}");
    assert_eq!(open(&scene).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_becomes_the_rule_decides_the_pairs_other_conflicts_too() {
    let scene = asking().await;
    let first = both_edit(&scene, 0).await;
    let second = both_edit(&scene, 1).await;
    let rows = open(&scene).await;
    assert_eq!(rows.len(), 2);
    let ended = decide(&scene, &rows[..1], Wish::Take(Side::Platform), Holds::AsTheRule).await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 2), "{ended:?}");
    assert_eq!(fax(&scene, &first).0, "+32 9 222 0");
    assert_eq!(fax(&scene, &second).0, "+32 9 222 1");
    assert_eq!(open(&scene).await, []);
    let text = std::fs::read_to_string(scene.session().settings_file()).unwrap();
    assert!(text.contains("policy = \"platform_wins\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_meeting_that_asks_waits_for_a_person() {
    let scene = Scene::small().await;
    scene
        .set(|settings| {
            for mapping in &mut settings.mappings {
                mapping.first_meeting = FirstMeeting::Ask;
            }
        })
        .await;
    let first = scene.initial().await;
    let rows = open(&scene).await;
    assert!(first.counts.conflicts > 0 && rows.len() as u64 == first.counts.conflicts, "{first:?}");
    assert!(rows.iter().all(|row| row.why == "first_meeting" && row.base.is_none()), "{rows:?}");
    let ended = decide(&scene, &rows, Wish::Take(Side::Org), Holds::Once).await;
    assert_eq!((ended.exit, ended.counts.conflicts), (0, 0), "{ended:?}");
    assert_eq!(open(&scene).await, []);
    let again = scene.initial().await;
    assert_eq!((again.counts.updated(), again.counts.conflicts), (0, 0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_shows_and_decides() {
    let scene = asking().await;
    let who = both_edit(&scene, 0).await;
    let listed = scene.command(&["conflicts", "--json"]).await;
    let row: serde_json::Value = serde_json::from_str(listed.stdout.trim()).unwrap();
    assert_eq!((&row["why"], &row["conflict"]), (&json!("ask"), &json!(1)), "{}", listed.stdout);
    let shown = scene.command(&["conflicts", "show", "1"]).await;
    assert!(
        shown.stdout.contains("+32 9 222 0") && shown.stdout.contains("policy is to ask"),
        "{}",
        shown.stdout
    );
    let none = scene.command(&["conflicts", "resolve", "--all", "--pair", "Phone", "--take", "org"]).await;
    assert_eq!(none.code, 0, "{}", none.stderr);
    let done = scene.command(&["conflicts", "resolve", "1", "--take", "platform", "--json"]).await;
    assert_eq!(done.code, 0, "{} {}", done.stdout, done.stderr);
    assert!(done.stdout.contains("\"event\":\"finished\""), "{}", done.stdout);
    assert_eq!(fax(&scene, &who).0, "+32 9 222 0");
    let gone = scene.command(&["conflicts", "show", "1"]).await;
    assert_eq!(gone.code, 2, "{}", gone.stdout);
}
