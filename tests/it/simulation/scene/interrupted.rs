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

/// The contact can't be linked yet because its counterpart is locked, and is put off; the process dies. The initial sync that goes on
/// must not take the lead of the same address for the only one that has it (law E1).
pub(super) async fn put_off_before(with: &Manner) -> Vec<String> {
    let scene = Scene::empty(with, Policy::SalesforceWins);
    scene.put(Side::Org, "Contact", CONTACT, &[("Email", PERSON), ("LastName", "Lee1")]);
    scene.put(Side::Org, "Lead", "00Q000000000000903", &[("Email", PERSON), ("LastName", "Lee2")]);
    scene.put(Side::Platform, "contact", PLATFORM, &[("email", PERSON), ("name", "Lee3")]);
    // So many that the first chunk is through by then.
    for number in 0..120 {
        let email = format!("somebody{number}@x.example");
        scene.put(
            Side::Org,
            "Contact",
            &format!("0030000000001{number:05}"),
            &[("Email", &email), ("LastName", "Kim")],
        );
    }
    {
        let now = scene.world.clock.millis();
        let mut state = scene.world.lock();
        let locked = state.objects.platform.get_mut("contact").and_then(|records| records.get_mut(PLATFORM));
        locked.unwrap().locked_until = now + 60_000;
        for create in 1..=22 {
            let deed: Deed =
                Box::new(move |state, _| state.trouble.crash = if create == 22 { 1_000 } else { 0 });
            state.script.push(("platform write contact Create".to_owned(), deed));
        }
    }
    let mut wrong = scene.crash_at_once(RunKind::Initial).await;
    scene.run(RunKind::Initial).await;
    for _ in 0..2 {
        scene.run(RunKind::Instant).await;
    }
    wrong.extend(scene.expect_on_platform(PERSON, &[("name", "Lee1"), ("externalId", CONTACT)]));
    wrong
}

/// An edit is put off until no feed brings it any more; an initial sync reads it again and dies, and an instant sync comes next, which
/// does not go on with what that one read. The edit must still be pending (law E7).
pub(super) async fn taken_and_not_dealt_with(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await;
    scene.edit(Side::Org, &[("Phone", "+2")]);
    let lock = |until: i64| {
        let mut state = scene.world.lock();
        let locked = state.objects.platform.get_mut("contact").and_then(|records| records.get_mut(PLATFORM));
        locked.unwrap().locked_until = until;
    };
    lock(i64::MAX);
    scene.run(RunKind::Instant).await;
    scene.rest().await;
    lock(0);
    scene.dies_at("platform read contact", "platform read contact");
    let mut wrong = scene.crash(RunKind::Initial).await;
    scene.run(RunKind::Instant).await;
    wrong.extend(scene.expect(&[("Phone", "+2")], &[("phone", "+2")]));
    wrong
}
