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
    scene.pass(HOUR).await;
    scene.instant().await;
    scene.pass(HOUR).await;
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

/// An edit in the org that every feed has passed by: what both sides last held is put back, as if the row had committed long after
/// the overlap. Gives the person's e-mail.
async fn missed_edit(scene: &Scene) -> String {
    let (edited, email) = scene.somebody(0);
    let address = scene.contact(&email)["address"].clone();
    let db = rusqlite::Connection::open(scene.workspace().join("state.db")).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    let before: (i64, Option<i64>, i64, Vec<u8>) = db
        .query_row("SELECT link, org_stamp, org_read, base FROM link WHERE org_id=?", [&edited], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    scene.org_update("Contact", &edited, json!({"MailingCity": "Ghent"}));
    scene.instant().await;
    assert_eq!(scene.contact(&email)["address"]["city"], "Ghent");
    scene.pass(HOUR).await;
    scene.instant().await;
    scene.platform_upsert(json!({"email": email, "address": address}));
    db.execute(
        "UPDATE link SET org_stamp=?2, org_read=?3, base=?4 WHERE link=?1",
        rusqlite::params![before.0, before.1, before.2, before.3],
    )
    .unwrap();
    scene.pass(HOUR).await;
    scene.instant().await;
    scene.pass(HOUR).await;
    scene.instant().await;
    assert_ne!(scene.contact(&email)["address"]["city"], "Ghent", "no feed tells of it any more");
    email
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_an_edit_that_no_feed_tells_of_is_found_and_healed() {
    let scene = settled(Cast::of(60)).await;
    let email = missed_edit(&scene).await;
    let (report, holes) = audited(&scene).await;
    assert_eq!((report.differing, report.holes()), (1, 1), "{holes:?}");
    assert_eq!((holes[0].kind, holes[0].ids.org.is_some()), (HoleKind::Differs, true), "{holes:?}");
    let healed = scene.run(RunKind::Heal).await;
    assert_eq!((healed.counts.created(), healed.counts.platform.updated), (0, 1), "{healed:?}");
    assert_eq!(scene.contact(&email)["address"]["city"], "Ghent");
    let (report, holes) = audited(&scene).await;
    assert_eq!(report.holes(), 0, "{holes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn e4_the_slow_reread_sees_what_no_stamp_tells_within_its_bound() {
    let scene = settled(Cast::of(60)).await;
    let email = missed_edit(&scene).await;
    for _ in 0..8 {
        scene.pass(24 * HOUR).await;
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
