//! Schemas that change under a mapping (law E13).

use forcesync::domain::mapping::{DeletePolicy, Policy};
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side;

use super::super::drifting::{self, Change, How};
use super::super::manner::Manner;
use super::super::world::Deed;
use super::{CONTACT, PERSON, PLATFORM, Scene};

pub(super) fn of_phone(side: Side, how: How) -> Change {
    let field = if side == Side::Org { "Phone" } else { "phone" };
    Change { side, object: None, field, how }
}

impl Scene {
    pub(super) fn drift(&self, change: Option<Change>) {
        self.world.lock().drifting.set(change);
    }

    fn drifts_at(&self, call: &str, change: Change) {
        let deed: Deed = Box::new(move |state, _| state.drifting.set(Some(change)));
        self.world.lock().script.push((call.to_owned(), deed));
    }
}

/// A pair that is lost before there is any cursor to go back to: what was linked without it gets its values afterwards.
pub(super) async fn lost_in_the_first_read(with: &Manner) -> Vec<String> {
    let scene = Scene::empty(with, Policy::SalesforceWins);
    scene.put(Side::Org, "Contact", CONTACT, &[("Email", PERSON), ("LastName", "Lee1"), ("Phone", "+2")]);
    scene.put(Side::Platform, "contact", PLATFORM, &[("email", PERSON), ("name", "Lee1")]);
    scene.drifts_at("org scan Contact", of_phone(Side::Platform, How::ReadOnly));
    scene.run(RunKind::Initial).await;
    let mut wrong = scene.expect(&[("Phone", "+2")], &[("externalId", CONTACT)]);
    scene.rest().await;
    scene.drift(None);
    scene.run(RunKind::Instant).await;
    wrong.extend(scene.expect(&[("Phone", "+2")], &[("phone", "+2")]));
    wrong
}

/// A field that goes away between the last look and the write: what is refused for it is tried again once the field is back.
pub(super) async fn refused_while_it_was_away(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await;
    scene.rest().await;
    scene.edit(Side::Org, &[("Phone", "+2")]);
    scene.drifts_at("platform write contact", of_phone(Side::Platform, How::Hidden));
    scene.run(RunKind::Instant).await;
    // Long enough that no feed shows the edit again.
    for _ in 0..3 {
        scene.world.clock.advance(7_200_000);
        scene.run(RunKind::Instant).await;
    }
    let mut wrong = scene.expect(&[("Phone", "+2")], &[("phone", "+1")]);
    scene.drift(None);
    scene.run(RunKind::Instant).await;
    wrong.extend(scene.expect(&[("Phone", "+2")], &[("phone", "+2")]));
    wrong
}

/// A parked pair holds back itself alone, until a person accepts what has changed.
pub(super) async fn the_rest_goes_on_until_it_is_accepted(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await;
    scene.rest().await;
    scene.drift(Some(of_phone(Side::Org, How::Shorter)));
    scene.edit(Side::Platform, &[("phone", "+3"), ("street", "Road 3"), ("city", "Ghent")]);
    scene.rest().await;
    let mut wrong = scene.expect(&[("Phone", "+1"), ("City", "Ghent")], &[("phone", "+3")]);
    scene.rest().await;
    drifting::accept(&scene.world, &scene.store, &scene.mappings).await;
    scene.run(RunKind::Instant).await;
    wrong.extend(scene.expect(&[("Phone", "+3"), ("City", "Ghent")], &[("phone", "+3")]));
    wrong
}

/// An edit in a pair that is left out can't cross; where the other record is deleted meanwhile, nothing of it is thrown away (law E9).
pub(super) async fn edited_unseen_and_deleted_there(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
    scene.rest().await;
    scene.drift(Some(of_phone(Side::Platform, How::ReadOnly)));
    scene.edit(Side::Org, &[("Phone", "+2")]);
    scene.rest().await;
    scene.delete(Side::Platform, "contact", PLATFORM);
    scene.rest().await;
    scene.expect(&[("Phone", "+2")], &[])
}

/// A key that only one mapping lost stops that one, and the other goes on.
pub(super) async fn the_other_mapping_goes_on(with: &Manner) -> Vec<String> {
    let scene = Scene::linked(with, Policy::SalesforceWins).await;
    scene.rest().await;
    scene.drift(Some(Change { side: Side::Org, object: Some("Lead"), field: "Email", how: How::Hidden }));
    scene.edit(Side::Org, &[("Phone", "+2")]);
    // It ends as blocked, and has done what it could.
    scene.history.once(&scene.world, &scene.store, &scene.mappings, RunKind::Instant).await;
    let mut wrong = scene.expect(&[("Phone", "+2")], &[("phone", "+2")]);
    scene.put(Side::Org, "Lead", "00Q000000000000901", &[("Email", "bob@x.example"), ("LastName", "Lee9")]);
    scene.world.clock.advance(7_200_000);
    scene.history.once(&scene.world, &scene.store, &scene.mappings, RunKind::Instant).await;
    scene.world.clock.advance(7_200_000);
    scene.drift(None);
    scene.run(RunKind::Instant).await;
    wrong.extend(scene.expect_on_platform("bob@x.example", &[("name", "Lee9")]));
    wrong
}
