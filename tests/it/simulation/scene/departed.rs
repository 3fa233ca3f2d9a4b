//! Records that go, and come back (law E9).

use forcesync::domain::clock::Clock;
use forcesync::domain::command::{Allowances, RunRequest};
use forcesync::domain::mapping::{DeletePolicy, Policy};
use forcesync::domain::outcome::{RunKind, RunResult};
use forcesync::domain::side::Side;
use forcesync::domain::undo::Extent;
use forcesync::domain::value::Value;
use forcesync::store::requeue::requeue;

use super::super::history::{History, Played};
use super::super::manner::Manner;
use super::super::world::{Author, Fate};
use super::{CONTACT, PERSON, PLATFORM, Scene};

/// A record that can't be read any more, without anybody saying that it was deleted (law E9).
pub(super) async fn out_of_sight(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
    scene.world.lock().objects.platform.clear();
    scene.run(RunKind::Initial).await;
    scene.run(RunKind::Instant).await;
    scene.expect(&[("Phone", "+1")], &[])
}

/// The org's record is deleted, the platform's stays; then somebody of the same address appears in the org (law E9).
pub(super) async fn somebody_of_the_same_address(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await.with_deletes(DeletePolicy::Ignore);
    scene.delete_in_org();
    scene.run(RunKind::Instant).await;
    {
        let now = scene.world.clock.millis();
        let values = [("Email", PERSON), ("LastName", "Kim2"), ("Phone", "+2")]
            .map(|(field, value)| (field.to_owned(), Value::text(value)));
        scene.world.lock().put(now, Side::Org, "Contact", "003000000000000901", &values, Author::Person);
    }
    scene.run(RunKind::Instant).await;
    scene.run(RunKind::Instant).await;
    scene.expect(&[("Phone", "+2")], &[("phone", "+1")])
}

/// The record that is to be deleted is edited after everything was read (laws E6 and E9).
pub(super) async fn edited_before_it_is_deleted(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
    scene.delete_in_org();
    scene.when("org read Contact", Side::Platform, &[("phone", "+3")]);
    scene.run(RunKind::Instant).await;
    scene.run(RunKind::Instant).await;
    scene.expect(&[], &[("phone", "+3")])
}

/// More is to be deleted than the brake lets through (law E10).
pub(super) async fn too_many_deletes(with: &Manner) -> Vec<String> {
    let mut scene = Scene::linked(with, Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
    scene.history = History::new(1).tightly_braked();
    scene.delete_in_org();
    let mut wrong = Vec::new();
    match scene.history.once(&scene.world, &scene.store, &scene.mappings, RunKind::Instant).await {
        Played::Ended(RunResult::Braked, _) => {}
        Played::Ended(result, message) => wrong.push(format!("{}: {message}", result.word())),
        Played::Crashed => wrong.push("crashed".into()),
    }
    wrong.extend(scene.expect(&[], &[("phone", "+1")]));
    wrong
}

/// Deleted and edited, it waits for a person; then it is back, and what was edited meanwhile reaches it (law E9).
pub(super) async fn back_while_it_waits(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
    scene.rest().await;
    scene.delete_in_org();
    scene.edit(Side::Platform, &[("phone", "+3")]);
    scene.run(RunKind::Instant).await;
    scene.rest().await;
    let now = scene.world.clock.millis();
    scene.world.lock().bury(now, Side::Org, "Contact", CONTACT, Fate::Back, Author::Person);
    scene.run(RunKind::Instant).await;
    scene.run(RunKind::Instant).await;
    scene.expect(&[("Phone", "+3")], &[("phone", "+3")])
}

/// A run is taken back while a delete waits: that is no answer to the delete (law E16).
pub(super) async fn taken_back_while_it_waits(with: &Manner) -> Vec<String> {
    let mut scene = Scene::linked(with, Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
    scene.edit(Side::Org, &[("Phone", "+2")]);
    scene.run(RunKind::Instant).await;
    scene.delete_in_org();
    scene.history = History::new(1).tightly_braked();
    let _braked = scene.history.once(&scene.world, &scene.store, &scene.mappings, RunKind::Instant).await;
    scene.history = History::new(1);
    let undo = RunRequest::undo(2, Extent::Write, Allowances::default());
    scene.history.play_one(&scene.world, &scene.store, &scene.mappings, &undo).await;
    scene.run(RunKind::Instant).await;
    if scene.world.lock().live(Side::Platform, "contact").is_empty() {
        return Vec::new();
    }
    vec!["the delete did not reach the platform".to_owned()]
}

/// The org refuses a delete: it is sent once, and again only when a person asks (law E7), also where the overlap of the feeds brings the
/// record that stays in every run.
pub(super) async fn a_refused_delete(with: &Manner) -> Vec<String> {
    let mut wrong = Vec::new();
    for read_again in [false, true] {
        let scene = Scene::linked(with, Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
        if !read_again {
            scene.rest().await;
        }
        scene.world.lock().refuses_deletes = true;
        scene.delete(Side::Platform, "contact", PLATFORM);
        for asked in [1, 2] {
            for _ in 0..3 {
                scene.run(RunKind::Instant).await;
            }
            let sent = scene.world.lock().refused_deletes;
            if sent != asked {
                wrong.push(format!("asked {asked} times, and it was sent {sent} times"));
            }
            if asked == 2 {
                scene.world.lock().refuses_deletes = false;
            }
            let now = scene.world.clock.now();
            let issues = scene.store.write(move |db| requeue(db, &[], now)).await.unwrap();
            if issues != 1 {
                wrong.push(format!("{issues} issues are open"));
            }
        }
        scene.run(RunKind::Instant).await;
        if !scene.world.lock().live(Side::Org, "Contact").is_empty() {
            wrong.push("it was not deleted once it could be".to_owned());
        }
    }
    wrong
}

/// The org's record is deleted, the platform's stays, and then goes as well: nobody keeps its key any more (laws E1 and E9).
pub(super) async fn gone_on_both_sides(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await;
    scene.delete_in_org();
    scene.run(RunKind::Instant).await;
    scene.put(Side::Org, "Contact", "003000000000000901", &[("Email", PERSON), ("LastName", "Kim2")]);
    scene.run(RunKind::Instant).await;
    scene.rest().await;
    scene.delete(Side::Platform, "contact", PLATFORM);
    for _ in 0..3 {
        scene.run(RunKind::Instant).await;
    }
    scene.expect_on_platform(PERSON, &[("name", "Kim2")])
}

/// Both records were deleted, one of them by us, and people bring both back: an edit made since is one (laws E2 and E9).
pub(super) async fn back_on_both_sides(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
    scene.delete_in_org();
    for _ in 0..2 {
        scene.run(RunKind::Instant).await;
    }
    let gone = scene.world.lock().live(Side::Platform, "contact").is_empty();
    scene.restore(Side::Org, "Contact", CONTACT);
    scene.restore(Side::Platform, "contact", PLATFORM);
    scene.edit(Side::Platform, &[("phone", "+2")]);
    for _ in 0..2 {
        scene.run(RunKind::Instant).await;
    }
    let mut wrong = scene.expect(&[("Phone", "+2")], &[("phone", "+2")]);
    wrong.extend((!gone).then(|| "the delete did not cross".to_owned()));
    wrong
}
