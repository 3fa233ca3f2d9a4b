//! "Going forward" (F151): a mapping with a start leaves alone what was there before and has not changed since.

use chrono::TimeDelta;
use forcesync::domain::outcome::RunKind;
use serde_json::json;

use crate::scenario_stage::{Cast, Scene};

/// The usual settings, in which all mappings begin when the scene does.
async fn begun() -> Scene {
    let since = forcesync::ops::clock().now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    Scene::with(Cast::of(60), |settings| {
        settings.replace(
            "platform_object = \"contact\"\n",
            &format!("platform_object = \"contact\"\nsince = \"{since}\"\n"),
        )
    })
    .await
}

fn on_platform(scene: &Scene, email: &str) -> bool {
    scene.sandbox().salesmanago().contact(email).is_some()
}

/// Somebody of the org alone, by id and address.
fn org_only(scene: &Scene) -> (String, String) {
    let rows = scene.sandbox().org().rows("Contact");
    let mut people = rows.iter().filter_map(|row| Some((row["Id"].as_str()?, row.get("Email")?.as_str()?)));
    let (id, email) = people.find(|(_, email)| !on_platform(scene, email)).unwrap();
    (id.to_owned(), email.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn f151_e11_what_was_there_before_stays_out_until_it_changes_and_needs_no_initial_sync() {
    let scene = begun().await;
    let (alone, address) = org_only(&scene);
    let (known, shared) = scene.somebody(1);
    let people = scene.sandbox().org().rows("Contact").len();

    // Nothing was ever read in full, and none of those who were there before is touched.
    let first = scene.instant().await;
    assert_eq!((first.exit, first.counts.created(), first.counts.updated()), (0, 0, 0), "{first:?}");
    assert_eq!(scene.status().await.links, 0);

    scene.pass(std::time::Duration::from_secs(5)).await;
    scene.org_update("Contact", &alone, json!({"Title": "Newly edited"}));
    scene.org_update("Contact", &known, json!({"Title": "Bridge builder"}));
    scene.org_insert("Contact", json!({"LastName": "New", "Email": "new@forward.example"}));
    scene.platform_upsert(json!({"email": "late@forward.example", "name": "Late Comer", "company": "Later"}));
    let second = scene.unbraked(RunKind::Instant).await;
    assert_eq!(second.exit, 0, "{second:?} {:?}", scene.issues().await);
    for email in [&address, "new@forward.example"] {
        assert!(on_platform(&scene, email), "{email} was not brought");
    }
    // Who changed finds the record that was there before; nobody comes twice (law E1).
    assert!(scene.contact(&shared).to_string().contains("Bridge builder"));
    assert_eq!(scene.sandbox().org().rows("Contact").len(), people + 1, "the late comer is a lead");
    assert_eq!(crate::scenario_stage::duplicates(scene.sandbox()), Vec::<String>::new());
    let links = scene.status().await.links;
    assert_eq!(links, 4);
    let third = scene.instant().await;
    assert_eq!((third.counts.created(), third.counts.updated()), (0, 0), "{third:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f151_f152_an_initial_sync_leaves_them_too_and_brings_all_once_the_start_is_taken_away() {
    let scene = begun().await;
    let first = scene.initial().await;
    assert_eq!((first.exit, first.counts.created(), first.counts.updated()), (0, 0, 0), "{first:?}");
    assert_eq!(scene.status().await.links, 0);
    let told = scene.told().await;
    assert!(told.iter().any(|line| line.contains("stay out until they change")), "{told:?}");

    scene.set(|settings| settings.mappings.iter_mut().for_each(|mapping| mapping.since = None)).await;
    let all = scene.initial().await;
    assert!(all.counts.created() > 10 && scene.status().await.links > 50, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f151_a_start_that_lies_back_takes_in_what_changed_from_then_on() {
    let scene = begun().await;
    let (alone, address) = org_only(&scene);
    scene.org_update("Contact", &alone, json!({"Title": "Newly edited"}));
    let long_ago = scene.now() - TimeDelta::days(20_000);
    scene
        .set(|settings| settings.mappings.iter_mut().for_each(|mapping| mapping.since = Some(long_ago)))
        .await;
    let all = scene.initial().await;
    assert!(all.counts.created() > 10, "{all:?}");
    assert!(on_platform(&scene, &address));
}
