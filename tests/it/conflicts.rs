//! Parked pairs and what people decide about them (laws E2, E3, E7), through the real clients over HTTP.

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
    scene.arm(Fault::new(FaultKind::Limit).on_side(FaultSide::Platform).on("upsert"));
    let ended =
        decide(&scene, &open(&scene).await, Wish::Values(vec!["+32 9 333".into()]), Holds::Once).await;
    assert_eq!(ended.exit, 4, "{ended:?}");
    assert_eq!(fax(&scene, &who), ("+32 9 333".to_owned(), "+32 9 222 0".to_owned()));
    assert!(open(&scene).await[0].decided.is_some());
    scene.calm();
    // Past the time for which a used-up budget is believed.
    scene.pass(std::time::Duration::from_secs(1200));
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
