//! Whole records in an undo (law E16): what a run created goes again, what it deleted comes back, where nobody touched it since.

use std::time::Duration;

use forcesync::domain::command::Allowances;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::undo::{Extent, UndoStep, WhyLeft};
use forcesync::ops::undo;
use serde_json::json;

use crate::scenario_stage::{Scene, duplicates};

async fn last_run(scene: &Scene) -> i64 {
    scene.history(1).await[0].run
}

async fn left(scene: &Scene, run: i64) -> Vec<WhyLeft> {
    let mut found = Vec::new();
    undo::left(scene.session(), run, |left| found.push(left.why)).await.unwrap();
    found
}

async fn planned(scene: &Scene, run: i64) -> Vec<UndoStep> {
    let mut found = Vec::new();
    undo::planned(scene.session(), run, |step| found.push(step.clone())).await.unwrap();
    found
}

async fn quiet(scene: &Scene) {
    for _ in 0..2 {
        scene.pass(Duration::from_secs(300)).await;
        let after = scene.run(RunKind::Automatic).await;
        let wrote = after.counts.created() + after.counts.updated() + after.counts.deleted();
        assert_eq!(wrote, 0, "something flowed back: {after:?}");
    }
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn e16_what_a_run_created_goes_again_unless_somebody_touched_it() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let people: Vec<(String, String)> = (0..3)
        .map(|nth| {
            let email = format!("new{nth}@undone.example");
            let id = scene.org_insert("Contact", json!({"LastName": format!("New {nth}"), "Email": email}));
            (id, email)
        })
        .collect();
    let created = scene.instant().await;
    assert_eq!(created.counts.platform.created, 3, "{created:?}");
    let run = last_run(&scene).await;
    scene.pass(Duration::from_secs(60)).await;
    scene.platform_upsert(json!({"email": people[1].1, "phone": "+32 9 1"}));
    let looked = scene.undo(run, Extent::Look, Allowances::default()).await;
    assert_eq!((looked.exit, looked.counts.deleted()), (0, 0), "{looked:?}");
    let steps = planned(&scene, run + 1).await;
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert!(steps.iter().all(|step| matches!(step, UndoStep::WouldDelete(_))), "{steps:?}");

    let undone = scene.undo(run, Extent::Write, Allowances::default()).await;
    assert_eq!((undone.exit, undone.counts.platform.deleted), (3, 2), "{undone:?}");
    assert_eq!(left(&scene, run + 2).await, [WhyLeft::Moved]);
    for (nth, deleted) in [(0, true), (1, false), (2, true)] {
        let contact = scene.sandbox().salesmanago().contact(&people[nth].1);
        assert_eq!(contact.is_none_or(|row| row["deleted"] == json!(true)), deleted, "{nth}");
        assert_eq!(scene.org_row("Contact", &people[nth].0)["Email"], people[nth].1.as_str());
    }
    scene.instant().await;
    quiet(&scene).await;
    // Edited, the one that stands alone is still not created anew.
    scene.org_update("Contact", &people[0].0, json!({"Title": "Alone"}));
    quiet(&scene).await;
    let initial = scene.initial().await;
    assert_eq!(initial.counts.created(), 0, "{initial:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn e16_what_a_run_created_in_the_org_goes_to_the_recycle_bin_and_an_undo_of_that_brings_it_back() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let email = "ada@undone.example";
    scene.platform_upsert(json!({"email": email, "name": "Ada Undone", "company": "Undone Ltd"}));
    let created = scene.instant().await;
    assert_eq!(created.counts.salesforce.created, 1, "{created:?}");
    let row = scene.history(10).await.into_iter().find(|row| row.action == "created").unwrap();
    let (run, id) = (row.run, row.ids.org.unwrap().to_string());
    let object = if id.starts_with("00Q") { "Lead" } else { "Contact" };
    scene.pass(Duration::from_secs(60)).await;
    let undone = scene.undo(run, Extent::Write, Allowances::default()).await;
    assert_eq!(
        (undone.exit, undone.counts.salesforce.deleted),
        (0, 1),
        "{undone:?} {:?}",
        left(&scene, run + 1).await
    );
    assert!(scene.sandbox().org().row(object, &id).is_none());
    assert_eq!(scene.contact(email)["deleted"], json!(false));
    quiet(&scene).await;

    let second = run + 1;
    let again = scene.undo(second, Extent::Look, Allowances::default()).await;
    assert_eq!(again.counts.created(), 0, "{again:?}");
    let again = scene.undo(second, Extent::Write, Allowances::default()).await;
    assert_eq!((again.exit, again.counts.salesforce.created), (0, 1), "{again:?}");
    assert_eq!(scene.org_row(object, &id)["Email"], email);
    scene.instant().await;
    quiet(&scene).await;
    // They belong together again.
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 777"}));
    scene.instant().await;
    let row = scene.org_row(object, &id);
    assert!([&row["MobilePhone"], &row["Phone"]].contains(&&json!("+32 9 777")), "{row:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn e16_a_propagated_delete_comes_back_from_the_recycle_bin_and_stands_alone() {
    let scene = Scene::synced_with(|settings| {
        settings.replace("deletes = \"ignore\"\n", "deletes = \"propagate\"\n")
    })
    .await;
    let (id, email) = scene.somebody(0);
    let contact = scene.contact(&email)["id"].as_str().unwrap().to_owned();
    scene.sandbox().salesmanago().admin_delete(&contact).unwrap();
    let ended = scene.initial().await;
    assert_eq!(ended.counts.salesforce.deleted, 1, "{ended:?}");
    let run = last_run(&scene).await;
    let looked = scene.undo(run, Extent::Look, Allowances::default()).await;
    assert_eq!((looked.exit, looked.counts.created()), (0, 0), "{looked:?}");
    let steps = planned(&scene, run + 1).await;
    assert!(matches!(steps.as_slice(), [UndoStep::WouldRestore(_)]), "{steps:?}");
    let undone = scene.undo(run, Extent::Write, Allowances::default()).await;
    assert_eq!((undone.exit, undone.counts.salesforce.created), (0, 1), "{undone:?}");
    assert_eq!(scene.org_row("Contact", &id)["Email"], email.as_str());
    quiet(&scene).await;
    assert!(scene.sandbox().salesmanago().contact(&email).is_none_or(|row| row["deleted"] == json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn e16_a_delete_on_a_side_without_a_recycle_bin_is_listed() {
    let scene = Scene::synced_with(|settings| {
        settings.replace("deletes = \"ignore\"\n", "deletes = \"propagate\"\n")
    })
    .await;
    let (id, _) = scene.somebody(0);
    let (other, _) = scene.somebody(1);
    scene.org_delete("Contact", &id);
    scene.org_update("Contact", &other, json!({"MailingCity": "Ghent"}));
    scene.pass(Duration::from_secs(120)).await;
    let ended = scene.instant().await;
    assert_eq!(ended.counts.platform.deleted, 1, "{ended:?}");
    let run = last_run(&scene).await;
    let undone = scene.undo(run, Extent::Write, Allowances::default()).await;
    assert_eq!((undone.exit, undone.counts.updated()), (3, 1), "{undone:?}");
    assert_eq!(left(&scene, run + 1).await, [WhyLeft::Deleted]);
}

#[tokio::test(flavor = "multi_thread")]
async fn e16_deletes_of_an_undo_are_braked_and_released_by_their_number() {
    let scene = Scene::synced().await;
    scene.instant().await;
    for nth in 0..25 {
        let email = format!("many{nth}@undone.example");
        scene.org_insert("Contact", json!({"LastName": format!("Many {nth}"), "Email": email}));
    }
    let created = scene.unbraked(RunKind::Instant).await;
    assert_eq!(created.counts.platform.created, 25, "{created:?}");
    let run = last_run(&scene).await.to_string();
    scene.pass(Duration::from_secs(60)).await;
    let looked = scene.command(&["undo", &run, "--dry-run", "--json"]).await;
    let deletes = looked.objects().iter().filter(|object| object["event"] == "would_delete").count();
    assert_eq!((looked.code, deletes), (0, 25), "{}", looked.stderr);
    let braked = scene.command(&["undo", &run, "--json"]).await;
    assert_eq!((braked.code, braked.last()["deleted"].clone()), (5, json!(0)), "{}", braked.stdout);
    assert!(braked.stdout.contains(&format!("forcesync undo {run} --allow-deletes 25")), "{}", braked.stdout);
    let released = scene.command(&["undo", &run, "--allow-deletes", "25", "--json"]).await;
    assert_eq!((released.code, released.last()["deleted"].clone()), (0, json!(25)), "{}", released.stdout);
    scene.instant().await;
    quiet(&scene).await;
}
