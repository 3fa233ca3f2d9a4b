//! Records that hold what they last held are passed by in large reads, and are counted and looked at as ever.

use forcesync::domain::outcome::RunKind;
use serde_json::json;

use crate::scenario_stage::{Ended, Scene};

/// What is staged or was seen, once a run has ended.
fn left(scene: &Scene) -> i64 {
    let db = rusqlite::Connection::open(scene.workspace().join("state.db")).unwrap();
    db.query_row("SELECT (SELECT count(*) FROM stage) + (SELECT count(*) FROM seen)", [], |row| row.get(0))
        .unwrap()
}

#[track_caller]
fn counted(ended: &Ended, updated: u64, unchanged: u64) {
    let counts = &ended.counts;
    assert_eq!((counts.created(), counts.updated(), counts.unchanged), (0, updated, unchanged), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn e4_what_holds_its_base_is_counted_once_a_link_and_an_edit_of_either_side_still_crosses() {
    let scene = Scene::synced().await;
    let linked = scene.status().await.links;
    assert!(linked > 50, "{linked}");
    // Both sides bring nearly every link, and each counts once. What is refused at each try is not unchanged.
    let again = scene.unbraked(RunKind::Initial).await;
    let refused = again.counts.failed;
    counted(&again, 0, linked);
    assert_eq!(left(&scene), 0);

    // One side of one link was edited: its other side was passed by, and yet it is written.
    let (org, email) = scene.somebody(3);
    scene.org_update("Contact", &org, json!({"Title": "Bridge builder"}));
    let (_, other) = scene.somebody(5);
    scene.platform_upsert(json!({"email": other, "phone": "+32 9 123 45 67"}));
    let edited = scene.unbraked(RunKind::Initial).await;
    counted(&edited, 2, linked - 2);
    assert_eq!(edited.counts.failed, refused);
    assert!(scene.contact(&email).to_string().contains("Bridge builder"), "{}", scene.contact(&email));
    assert_eq!(left(&scene), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn e9_a_record_that_was_deleted_and_brought_back_is_not_taken_for_gone_though_it_holds_what_it_held() {
    let scene = Scene::synced().await;
    let (org, email) = scene.somebody(2);
    scene.org_delete("Contact", &org);
    let user = scene.sandbox().org().person_user_id();
    scene.sandbox().org().admin_undelete("Contact", &org, &user).unwrap();
    let after = scene.instant().await;
    assert_eq!((after.counts.created(), after.counts.deleted()), (0, 0), "{after:?}");
    scene.org_update("Contact", &org, json!({"Title": "Back again"}));
    let edited = scene.instant().await;
    assert_eq!((edited.counts.created(), edited.counts.updated()), (0, 1), "{edited:?}");
    assert!(scene.contact(&email).to_string().contains("Back again"), "{}", scene.contact(&email));
}

#[tokio::test(flavor = "multi_thread")]
async fn e2_an_enforced_value_goes_back_as_its_side_spells_it_though_that_side_was_passed_by() {
    let scene = Scene::synced_with(|settings| {
        settings.replace(
            "platform = \"phone\"\ndirection = \"both\"\n",
            "platform = \"phone\"\ndirection = \"to_platform\"\ndrift = \"enforce\"\n",
        )
    })
    .await;
    let (org, email) = scene.somebody(1);
    scene.org_update("Contact", &org, json!({"MobilePhone": "+48 (600) 11-22-33"}));
    assert_eq!(scene.instant().await.counts.updated(), 1);
    for kind in [RunKind::Instant, RunKind::Initial] {
        scene.platform_upsert(json!({"email": email, "phone": "+48 999"}));
        assert_eq!(scene.unbraked(kind).await.counts.updated(), 1);
        assert_eq!(scene.contact(&email)["phone"], "+48 (600) 11-22-33", "{kind:?}");
    }
}
