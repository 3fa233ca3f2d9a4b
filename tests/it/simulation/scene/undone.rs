//! What an undo has to leave (law E16).

use forcesync::domain::command::{Allowances, RunRequest};
use forcesync::domain::mapping::Policy;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::port::Stamps;
use forcesync::domain::side::Side;
use forcesync::domain::undo::Extent;

use super::super::drifting::{Change, How};
use super::super::manner::Manner;
use super::{CONTACT, PERSON, Scene};

impl Scene {
    async fn undo(&self, run: i64) {
        let undo = RunRequest::undo(run, Extent::Write, Allowances::default());
        self.world.lock().undoing = true;
        self.history.play_one(&self.world, &self.store, &self.mappings, &undo).await;
        self.world.lock().undoing = false;
    }

    /// The only record of the platform; the sync made it.
    fn made(&self) -> String {
        self.world.lock().live(Side::Platform, "contact").remove(0).0
    }
}

/// A record that the sync made, and that a person edited: the edit lost, and the record is still theirs.
pub(super) async fn an_edit_that_lost(with: &Manner) -> Vec<String> {
    let scene = Scene::empty(with, Policy::SalesforceWins);
    scene.put(Side::Org, "Contact", CONTACT, &[("Email", PERSON), ("LastName", "Lee1"), ("Phone", "+1")]);
    scene.run(RunKind::Initial).await;
    scene.rest().await;
    scene.put(Side::Platform, "contact", &scene.made(), &[("phone", "+3")]);
    scene.edit(Side::Org, &[("Phone", "+2")]);
    scene.run(RunKind::Instant).await;
    scene.undo(1).await;
    scene.expect_on_platform(PERSON, &[("phone", "+2")])
}

/// A record that the sync made where nothing tells when it was edited, and that a person edited in a field whose pair waits and flows
/// one way.
pub(super) async fn an_edit_where_a_pair_waits(with: &Manner) -> Vec<String> {
    let scene = Scene::empty(with, Policy::SalesforceWins);
    scene.world.lock().manner.capabilities.stamps = Stamps::Absent;
    scene.put(Side::Org, "Contact", CONTACT, &[("Email", PERSON), ("LastName", "Lee1"), ("Status", "S1")]);
    scene.run(RunKind::Initial).await;
    scene.put(Side::Platform, "contact", &scene.made(), &[("status", "S3")]);
    let waits = Change { side: Side::Platform, object: None, field: "status", how: How::ReadOnly };
    scene.drift(Some(waits));
    scene.run(RunKind::Instant).await;
    scene.undo(1).await;
    scene.expect_on_platform(PERSON, &[("status", "S3")])
}

/// A record that the sync made, that a person edited in a field that no pair maps, and that the sync wrote again since. It is told by
/// the author or the stamp that the later write met.
pub(super) async fn an_edit_that_a_later_write_covers(with: &Manner) -> Vec<String> {
    if !with.capabilities.author && !with.capabilities.stamps.are_fine() {
        return Vec::new();
    }
    let scene = Scene::empty(with, Policy::SalesforceWins);
    scene.put(Side::Org, "Contact", CONTACT, &[("Email", PERSON), ("LastName", "Lee1"), ("Phone", "+1")]);
    scene.run(RunKind::Initial).await;
    scene.rest().await;
    scene.put(Side::Platform, "contact", &scene.made(), &[("remark", "theirs")]);
    scene.run(RunKind::Instant).await;
    scene.rest().await;
    scene.edit(Side::Org, &[("Phone", "+2")]);
    scene.run(RunKind::Instant).await;
    scene.rest().await;
    scene.undo(1).await;
    scene.expect_on_platform(PERSON, &[("phone", "+2"), ("remark", "theirs")])
}
