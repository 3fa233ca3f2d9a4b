//! The completeness audit (N7) and the slow re-read: every hole put into the sandbox is found and mended, and a clean world is left alone.

use std::time::Duration;

use forcesync::domain::audit::{AuditReport, Hole, HoleKind};
use forcesync::domain::outcome::RunKind;
use forcesync::ops::audit;
use rstest::rstest;
use serde_json::json;

use crate::scenario_stage::{Cast, Scene, duplicates};

const HOUR: Duration = Duration::from_secs(3600);

async fn audited(scene: &Scene) -> (AuditReport, Vec<Hole>) {
    let ended = scene.run(RunKind::Audit).await;
    let (report, holes) =
        audit::latest(scene.session()).await.unwrap().unwrap_or_else(|| panic!("{ended:?}"));
    assert_eq!(ended.exit, if report.holes() == 0 { 0 } else { 3 }, "{ended:?} {report:?}");
    assert_eq!((ended.counts.created(), ended.counts.updated()), (0, 0), "{ended:?}");
    (report, holes)
}

/// Synchronized, and past the overlap: what is changed from now on is behind no cursor.
async fn settled(cast: Cast) -> Scene {
    let scene = Scene::new(cast).await;
    scene.initial().await;
    scene.pass(HOUR);
    scene.instant().await;
    scene.pass(HOUR);
    scene.instant().await;
    scene
}

/// Takes rows out of the state database, as a lost write would.
fn forget_links(scene: &Scene, count: usize) -> usize {
    let db = rusqlite::Connection::open(scene.workspace().join("state.db")).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    db.execute("DELETE FROM link WHERE link IN (SELECT link FROM link ORDER BY link LIMIT ?)", [count as i64])
        .unwrap()
}

#[rstest]
#[case::nothing_planted(Cast::of(60))]
#[case::flaws_planted(Cast { records: 300, seed: 7, person_accounts: false })]
#[tokio::test(flavor = "multi_thread")]
async fn n7_a_clean_world_has_no_holes_and_nothing_is_written(#[case] cast: Cast) {
    let scene = settled(cast).await;
    let before = scene.snapshot();
    let (report, holes) = audited(&scene).await;
    assert_eq!(holes, Vec::<Hole>::new(), "{report:?}");
    assert_eq!(scene.snapshot(), before);
    let after = scene.instant().await;
    assert_eq!((after.counts.created(), after.counts.updated()), (0, 0), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_lost_links_are_found_and_healed() {
    let scene = settled(Cast::of(60)).await;
    let before = scene.snapshot();
    assert_eq!(forget_links(&scene, 5), 5);
    let (report, holes) = audited(&scene).await;
    assert_eq!((report.unlinked, report.holes()), (5, 5), "{report:?} {holes:?}");
    assert_eq!(scene.snapshot(), before, "an audit writes nothing");
    let healed = scene.run(RunKind::Heal).await;
    assert_eq!((healed.exit, healed.counts.created()), (0, 0), "{healed:?}");
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
    let (report, _) = audited(&scene).await;
    assert_eq!(report.holes(), 0, "{report:?}");
}

/// An edit and a new record whose transaction commits long after the overlap.
fn late(scene: &Scene) -> (String, String) {
    let (edited, email) = scene.somebody(0);
    let late = serde_json::from_value(json!([{"seconds": 7200.0, "by": "person"}])).unwrap();
    scene.sandbox().org().set_late_commits(late).unwrap();
    scene.org_update("Contact", &edited, json!({"MailingCity": "Ghent"}));
    scene.org_insert(
        "Contact",
        json!({"LastName": "Late", "FirstName": "Lara", "Email": "lara.late@example.com"}),
    );
    scene.sandbox().org().set_late_commits(Vec::new()).unwrap();
    (edited, email)
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_what_committed_later_than_the_overlap_is_found_and_healed() {
    let scene = settled(Cast::of(60)).await;
    let (_, email) = late(&scene);
    scene.pass(HOUR);
    scene.instant().await;
    scene.pass(2 * HOUR);
    let missed = scene.instant().await;
    assert_eq!(
        (missed.counts.created(), missed.counts.updated()),
        (0, 0),
        "the overlap is longer than thought"
    );
    let (report, holes) = audited(&scene).await;
    assert_eq!((report.differing, report.unlinked, report.gone), (1, 1, 0), "{holes:?}");
    assert!(holes.iter().any(|hole| hole.kind == HoleKind::Differs), "{holes:?}");
    let healed = scene.run(RunKind::Heal).await;
    assert_eq!((healed.counts.created(), healed.counts.updated() >= 1), (1, true), "{healed:?}");
    assert_eq!(scene.contact(&email)["address"]["city"], "Ghent");
    scene.contact("lara.late@example.com");
    scene.instant().await;
    let (report, holes) = audited(&scene).await;
    assert_eq!(report.holes(), 0, "{holes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn e4_the_slow_reread_sees_what_no_stamp_tells_within_its_bound() {
    let scene = settled(Cast::of(60)).await;
    let (_, email) = late(&scene);
    scene.pass(HOUR);
    scene.instant().await;
    scene.pass(2 * HOUR);
    scene.instant().await;
    assert_ne!(scene.contact(&email)["address"]["city"], "Ghent");
    for _ in 0..8 {
        scene.pass(24 * HOUR);
        scene.instant().await;
    }
    assert_eq!(scene.contact(&email)["address"]["city"], "Ghent");
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_the_command_audits_heals_and_tells_it_as_json() {
    let scene = settled(Cast::of(60)).await;
    forget_links(&scene, 3);
    let done = scene.command(&["audit", "--heal", "--json"]).await;
    let objects: Vec<serde_json::Value> =
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &str| objects.iter().filter(|object| object["event"] == event).count();
    assert_eq!((of("hole"), of("audit"), of("finished")), (3, 1, 2), "{objects:?}");
    let done = scene.command(&["audit", "--json"]).await;
    assert_eq!(done.code, 0, "{}", done.stdout);
}
