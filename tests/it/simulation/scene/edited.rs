//! Edits that meet a run under way.

use forcesync::domain::mapping::Policy;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;

use super::super::manner::Manner;
use super::super::world::Trouble;
use super::Scene;

/// An edit of the target that comes after everything was read and before anything is sent (law E6).
pub(super) async fn between_capture_and_send(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::PlatformWins).await;
    scene.edit(Side::Org, &[("Phone", "+2")]);
    scene.when("platform read contact", Side::Platform, &[("phone", "+3"), ("city", "Ghent")]);
    scene.run(RunKind::Instant).await;
    scene.run(RunKind::Instant).await;
    scene.expect(&[("Phone", "+3"), ("City", "Ghent")], &[("phone", "+3"), ("city", "Ghent")])
}

/// A change of the platform that becomes visible late, and one of the org that is certainly later (law E2, `newest_wins`).
pub(super) async fn the_later_of_two(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::NewestWins).await;
    scene.rest().await;
    scene.world.clock.advance(700_000);
    // Stamped now, visible in five minutes.
    scene.world.lock().trouble.late_commit = 1_000;
    scene.world.lock().late_by = Some(300_000);
    scene.edit(Side::Platform, &[("phone", "+2")]);
    scene.world.lock().trouble = Trouble::default();
    scene.world.clock.advance(60_000);
    // The org is seen with its old phone after that; nothing is mapped of what changed there, so the platform is not read.
    scene.edit(Side::Org, &[("Title", "Dr")]);
    scene.world.clock.advance(60_000);
    scene.run(RunKind::Instant).await;
    scene.edit(Side::Org, &[("Phone", "+3")]);
    scene.world.clock.advance(400_000);
    scene.run(RunKind::Instant).await;
    scene.expect(&[("Phone", "+3")], &[("phone", "+3")])
}

/// A feed that shows the record as it was before the edit that has already crossed (law E2).
pub(super) async fn seen_as_it_was(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await;
    scene.edit(Side::Org, &[("Phone", "+2")]);
    scene.run_again_at_once(RunKind::Instant).await;
    // Every other read of a feed lags, up to a minute.
    scene.world.lock().trouble.stale = 500;
    let mut wrong = Vec::new();
    for _ in 0..8 {
        scene.run_again_at_once(RunKind::Instant).await;
        wrong.extend(scene.expect(&[("Phone", "+2")], &[("phone", "+2")]));
    }
    wrong
}

/// Two mappings of one object of the org: an edit reaches both platform objects, however many records were edited at once.
pub(super) async fn both_mappings_of_an_object(with: &Manner) -> Vec<String> {
    let mut scene = Scene::empty(with, Policy::SalesforceWins);
    let mut second = scene.mappings[0].clone();
    (second.name, second.platform_object) = ("member".into(), "member".into());
    scene.mappings.push(second);
    // More than one chunk.
    let people = 0..20;
    for person in people.clone() {
        let email = format!("person{person}@x.example");
        scene.put(
            Side::Org,
            "Contact",
            &id(person),
            &[("Email", &email), ("LastName", "Lee1"), ("Phone", "+1")],
        );
    }
    scene.run(RunKind::Initial).await;
    scene.rest().await;
    // What becomes of it for one mapping keeps nothing from the other.
    let gone = scene.world.lock().live(Side::Platform, "contact").remove(0).0;
    scene.delete(Side::Platform, "contact", &gone);
    for person in people {
        scene.put(Side::Org, "Contact", &id(person), &[("Phone", "+2")]);
    }
    scene.run(RunKind::Instant).await;
    let state = scene.world.lock();
    let behind = |object: &'static str| {
        let phones = state.live(Side::Platform, object).into_iter().map(|(_, version)| version.values);
        phones.filter(|values| values.get("phone") != Some(&Value::text("+2"))).count()
    };
    let wrong = ["contact", "member"].map(|object| (object, behind(object)));
    wrong
        .into_iter()
        .filter(|(_, behind)| *behind > 0)
        .map(|(object, behind)| format!("{behind} of {object}"))
        .collect()
}

fn id(person: u32) -> String {
    format!("00300000000000{person:04}")
}
