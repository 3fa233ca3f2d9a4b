//! What an interrupted run left behind (laws E6 and E11).

use forcesync::domain::mapping::Policy;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;

use super::super::manner::Manner;
use super::super::world::{Author, Deed};
use super::{CONTACT, PERSON, PLATFORM, Scene};

/// Two records that meet for the first time; the org's phone wins.
fn about_to_meet(with: &Manner) -> Scene {
    let scene = Scene::empty(with, Policy::SalesforceWins);
    scene.edit(Side::Org, &[("Email", PERSON), ("LastName", "Lee1"), ("Phone", "+1")]);
    scene.edit(Side::Platform, &[("email", PERSON), ("name", "Lee1"), ("phone", "+2")]);
    scene
}

/// The platform's record was read, written by us and then deleted: what was read before our write is no edit.
pub(super) async fn staged_before_our_own_write(with: &Manner) -> Vec<String> {
    let scene = about_to_meet(with);
    scene.dies_at("platform write contact Update", "platform answer");
    let mut wrong = scene.crash(RunKind::Initial).await;
    // The write is looked up, but nothing is read anew.
    scene.dies_at("platform read contact", "platform read contact");
    wrong.extend(scene.crash(RunKind::Initial).await);
    scene.delete(Side::Platform, "contact", PLATFORM);
    scene.run(RunKind::Initial).await;
    scene.run(RunKind::Instant).await;
    wrong.extend(scene.expect(&[("Phone", "+1")], &[]));
    wrong
}

/// A write was not done, and a person ticked the same box as it would have: that does not make it done.
pub(super) async fn a_tick_box_by_chance(with: &Manner) -> Vec<String> {
    let scene = about_to_meet(with);
    let tick = |side: Side, object: &str, id: &str, field: &str| {
        let now = scene.world.clock.millis();
        let values = [(field.to_owned(), Value::Bool(true))];
        scene.world.lock().put(now, side, object, id, &values, Author::Person);
    };
    tick(Side::Org, "Contact", CONTACT, "HasOptedOut");
    let dies: Deed = Box::new(|state, _| state.trouble.crash = 1_000);
    scene.world.lock().script.push(("platform write contact Update".to_owned(), dies));
    let mut wrong = scene.crash(RunKind::Initial).await;
    tick(Side::Platform, "contact", PLATFORM, "optedOut");
    scene.run(RunKind::Initial).await;
    scene.run(RunKind::Instant).await;
    wrong.extend(scene.expect(&[("Phone", "+1")], &[("phone", "+1"), ("externalId", CONTACT)]));
    wrong
}
