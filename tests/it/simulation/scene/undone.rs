//! What an undo has to leave (law E16).

use forcesync::domain::command::{Allowances, RunRequest};
use forcesync::domain::mapping::Policy;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side;
use forcesync::domain::undo::Extent;

use super::{CONTACT, PERSON, Scene};

/// A record that the sync made, and that a person edited: the edit lost, and the record is still theirs.
pub(super) async fn an_edit_that_lost() -> Vec<String> {
    let scene = Scene::empty(Policy::SalesforceWins);
    scene.put(Side::Org, "Contact", CONTACT, &[("Email", PERSON), ("LastName", "Lee1"), ("Phone", "+1")]);
    scene.run(RunKind::Initial).await;
    scene.rest().await;
    let made = scene.world.lock().live(Side::Platform, "contact").remove(0).0;
    scene.put(Side::Platform, "contact", &made, &[("phone", "+3")]);
    scene.edit(Side::Org, &[("Phone", "+2")]);
    scene.run(RunKind::Instant).await;
    let undo = RunRequest::undo(1, Extent::Write, Allowances::default());
    scene.world.lock().undoing = true;
    scene.history.play_one(&scene.world, &scene.store, &scene.mappings, &undo).await;
    scene.world.lock().undoing = false;
    scene.expect_on_platform(PERSON, &[("phone", "+2")])
}
