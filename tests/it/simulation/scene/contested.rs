//! Records of one key: what stood in the way of one of them goes (law E1).

use forcesync::domain::mapping::{DeletePolicy, Policy};
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side;

use super::super::manner::Manner;
use super::{PERSON, Scene};

const FIRST: &str = "003000000000000901";
const SECOND: &str = "003000000000000902";
const LEAD: &str = "00Q000000000000903";
const OTHER: &str = "bob@x.example";

/// Two contacts of one address, which nobody can tell apart, at rest.
async fn two_contacts(with: &Manner) -> Scene {
    let scene = Scene::empty(with, Policy::SalesforceWins);
    scene.put(Side::Org, "Contact", FIRST, &[("Email", PERSON), ("LastName", "Lee1")]);
    scene.put(Side::Org, "Contact", SECOND, &[("Email", PERSON), ("LastName", "Lee2")]);
    scene.run(RunKind::Initial).await;
    scene.rest().await;
    scene
}

/// A contact that is linked, and a lead of the same address that is held by it, at rest.
async fn a_contact_and_a_lead(with: &Manner, deletes: DeletePolicy) -> Scene {
    let scene = Scene::empty(with, Policy::SalesforceWins).with_deletes(deletes);
    scene.put(Side::Org, "Contact", FIRST, &[("Email", PERSON), ("LastName", "Lee1")]);
    scene.put(Side::Org, "Lead", LEAD, &[("Email", PERSON), ("LastName", "Lee2")]);
    scene.run(RunKind::Initial).await;
    scene.rest().await;
    scene
}

async fn three_runs(scene: &Scene) {
    for _ in 0..3 {
        scene.run(RunKind::Instant).await;
    }
}

/// The other one is nobody's double any more.
pub(super) async fn one_of_two_goes(with: &Manner) -> Vec<String> {
    let scene = two_contacts(with).await;
    scene.delete(Side::Org, "Contact", FIRST);
    three_runs(&scene).await;
    scene.expect_on_platform(PERSON, &[("name", "Lee2"), ("externalId", SECOND)])
}

pub(super) async fn one_of_two_gets_another_key(with: &Manner) -> Vec<String> {
    let scene = two_contacts(with).await;
    scene.put(Side::Org, "Contact", FIRST, &[("Email", OTHER)]);
    three_runs(&scene).await;
    let mut wrong = scene.expect_on_platform(PERSON, &[("name", "Lee2"), ("externalId", SECOND)]);
    wrong.extend(scene.expect_on_platform(OTHER, &[("name", "Lee1"), ("externalId", FIRST)]));
    wrong
}

/// The contact is refused because of two records of the platform, of which neither is refused itself.
pub(super) async fn one_of_two_on_the_platform_goes(with: &Manner) -> Vec<String> {
    let scene = Scene::empty(with, Policy::SalesforceWins);
    scene.put(Side::Org, "Contact", FIRST, &[("Email", PERSON), ("LastName", "Lee1")]);
    for id in ["p-000901", "p-000902"] {
        scene.put(Side::Platform, "contact", id, &[("email", PERSON), ("name", "Lee2")]);
    }
    scene.run(RunKind::Initial).await;
    scene.rest().await;
    scene.delete(Side::Platform, "contact", "p-000901");
    three_runs(&scene).await;
    scene.expect_on_platform(PERSON, &[("name", "Lee1"), ("externalId", FIRST)])
}

/// The delete of the holder has reached the platform, and the lead is created there as somebody new.
pub(super) async fn the_holder_goes(with: &Manner) -> Vec<String> {
    let scene = a_contact_and_a_lead(with, DeletePolicy::Propagate).await;
    let mut wrong = scene.expect_on_platform(PERSON, &[("externalId", FIRST)]);
    scene.delete(Side::Org, "Contact", FIRST);
    three_runs(&scene).await;
    wrong.extend(scene.expect_on_platform(PERSON, &[("name", "Lee2"), ("externalId", LEAD)]));
    wrong
}

/// The holder takes its platform record with it to its new address.
pub(super) async fn the_holder_gets_another_key(with: &Manner) -> Vec<String> {
    let scene = a_contact_and_a_lead(with, DeletePolicy::Ignore).await;
    scene.put(Side::Org, "Contact", FIRST, &[("Email", OTHER)]);
    three_runs(&scene).await;
    let mut wrong = scene.expect_on_platform(OTHER, &[("name", "Lee1"), ("externalId", FIRST)]);
    wrong.extend(scene.expect_on_platform(PERSON, &[("name", "Lee2"), ("externalId", LEAD)]));
    wrong
}
