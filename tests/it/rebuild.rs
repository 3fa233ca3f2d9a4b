//! `doctor --rebuild`: a lost state database costs no record, no duplicate and no write where both sides agree.

use std::path::Path;

use forcesync::domain::outcome::RunKind;
use serde_json::{Value, json};

use crate::scenario_stage::{Cast, Scene, difference, duplicates};

/// Overwrites the database, so that it is none any more.
fn damage(workspace: &Path) {
    std::fs::write(workspace.join("state.db"), vec![0x5a_u8; 64 * 1024]).unwrap();
    for companion in ["state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(workspace.join(companion));
    }
}

/// The world without its consents: a contact that the platform holds as opted out by default looks like one that opted out, once
/// nobody remembers (law E3: in doubt the opt-out wins).
fn without_consents(snapshot: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = snapshot
        .iter()
        .map(|line| {
            line.split(' ').filter(|word| !word.contains("Opted") && !word.contains("DoNotCall")).collect()
        })
        .collect();
    lines.sort();
    lines
}

/// Runs the command while nobody else has the workspace open.
fn rebuild(workspace: &Path) -> (i32, Value) {
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_forcesync"))
        .args(["doctor", "--rebuild", "--json", "--workspace"])
        .arg(workspace)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let object = text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    assert_ne!(object, Value::Null, "{text} {}", String::from_utf8_lossy(&done.stderr));
    (done.status.code().unwrap(), object)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_state_writes_nothing_where_both_sides_agree() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let links = scene.status().await;
    let before = scene.snapshot();
    let mut report = Value::Null;
    let scene = scene
        .reopened(|workspace| {
            damage(workspace);
            let (exit, object) = rebuild(workspace);
            assert_eq!(exit, 0, "{object}");
            assert!(
                std::fs::read_dir(workspace)
                    .unwrap()
                    .flatten()
                    .any(|entry| { entry.file_name().to_string_lossy().starts_with("state.db.damaged-") })
            );
            report = object;
        })
        .await;
    assert_eq!(report["next"], "forcesync sync instant", "{report}");
    assert_eq!(report["ambiguous"], 0, "{report}");
    assert!(scene.snapshot() == before, "a rebuild writes nothing");
    assert_eq!(
        report["by_mark"].as_u64().unwrap() + report["by_key"].as_u64().unwrap(),
        links.links,
        "{report}"
    );
    let out = scene.opted_out_in_org();
    let instant = scene.unbraked(RunKind::Instant).await;
    assert_eq!((instant.counts.created(), instant.counts.platform.updated), (0, 0), "{instant:?}");
    assert!(scene.opted_out_in_org() >= out, "nobody is opted in");
    let initial = scene.initial().await;
    assert_eq!((initial.exit, initial.counts.created(), initial.counts.updated()), (0, 0, 0), "{initial:?}");
    assert_eq!(without_consents(&scene.snapshot()), without_consents(&before));
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn e2_a_rebuilt_link_starts_without_a_base_and_nobody_deleted_comes_back() {
    let scene = Scene::synced().await;
    let (edited, email) = scene.somebody(0);
    let (deleted, _) = scene.somebody(1);
    let people = scene.sandbox().salesmanago().contacts().len();
    let scene = scene.reopened(damage).await;
    scene.org_update("Contact", &edited, json!({"MailingCity": "Ghent"}));
    scene.org_delete("Contact", &deleted);
    let (scene, report) = {
        let mut report = Value::Null;
        let scene = scene.reopened(|workspace| report = rebuild(workspace).1).await;
        (scene, report)
    };
    assert_eq!(report["closed"], 1, "{report}");
    let ended = scene.unbraked(RunKind::Instant).await;
    assert_eq!((ended.counts.created(), ended.counts.platform.updated), (0, 1), "{ended:?}");
    assert_eq!(scene.contact(&email)["address"]["city"], "Ghent");
    assert_eq!(scene.sandbox().salesmanago().contacts().len(), people);
    let contacts = scene.sandbox().org().rows("Contact").len();
    let again = scene.instant().await;
    assert_eq!((again.counts.created(), again.counts.updated()), (0, 0), "{again:?}");
    assert_eq!(scene.sandbox().org().rows("Contact").len(), contacts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_database_is_not_rebuilt() {
    let scene = Scene::synced().await;
    let before = scene.status().await.links;
    let scene = scene
        .reopened(|workspace| {
            let (exit, object) = rebuild(workspace);
            assert_eq!((exit, object["code"].as_str()), (1, Some("database_sound")), "{object}");
        })
        .await;
    assert_eq!(scene.status().await.links, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_records_are_listed_by_a_rebuild() {
    let scene = Scene::new(Cast::of(300)).await;
    let first = scene.initial().await;
    let before = scene.snapshot();
    let mut report = Value::Null;
    let scene = scene
        .reopened(|workspace| {
            damage(workspace);
            report = rebuild(workspace).1;
        })
        .await;
    assert!(first.counts.failed > 0, "{first:?}");
    assert_eq!(
        report["listed"].as_array().unwrap().len() as u64,
        report["ambiguous"].as_u64().unwrap(),
        "{report}"
    );
    assert!(scene.snapshot() == before, "a rebuild writes nothing");
    let ended = scene.unbraked(RunKind::Instant).await;
    assert_eq!(ended.counts.created(), 0, "{ended:?} {:?}", scene.history(5).await);
    let difference = difference(&without_consents(&scene.snapshot()), &without_consents(&before));
    assert_eq!(difference, Vec::<String>::new(), "{ended:?}");
}
