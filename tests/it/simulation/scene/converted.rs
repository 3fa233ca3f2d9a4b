//! Leads that are converted (laws E9, N24).

use forcesync::domain::mapping::{Conversion, Policy};
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;

use super::super::drifting::{Change, How};
use super::super::manner::Manner;
use super::super::people::people_convert;
use super::super::world::SimRecord;
use super::drifted::of_phone;
use super::{PERSON, Scene};

const LEAD: &str = "00Q000000000000903";

/// A lead that is linked.
async fn with_a_lead(scene: Scene) -> Scene {
    let values = [("Email", PERSON), ("LastName", "Lee1"), ("Phone", "+1")];
    scene.put(Side::Org, "Lead", LEAD, &values);
    scene.run(RunKind::Initial).await;
    scene.world.clock.advance(700_000);
    scene
}

/// Converts the lead; gives the contact, and the platform's record of the lead.
fn convert(scene: &Scene) -> (String, String) {
    let now = scene.world.clock.millis();
    let mut state = scene.world.lock();
    let (platform, _) = state.live(Side::Platform, "contact").into_iter().next().unwrap();
    let values = state.objects.org["Lead"][LEAD].newest().unwrap().values.clone();
    people_convert(&mut state, now, LEAD, &values);
    (state.live(Side::Org, "Contact").into_iter().next().unwrap().0, platform)
}

/// One person stays one: the contact takes over the platform's record, and what was edited there meanwhile reaches it.
pub(super) async fn handed_over(with: &Manner) -> Vec<String> {
    let scene = with_a_lead(Scene::empty(with, Policy::SalesforceWins)).await;
    let (heir, platform) = convert(&scene);
    scene.put(Side::Platform, "contact", &platform, &[("city", "Ghent")]);
    for _ in 0..3 {
        scene.run(RunKind::Instant).await;
    }
    let mut wrong = scene.expect_on_platform(PERSON, &[("externalId", &heir), ("city", "Ghent")]);
    wrong.extend(scene.expect(&[("City", "Ghent"), ("Phone", "+1")], &[]));
    wrong
}

/// A pair that is left out while the lead is converted, by both mappings or by one: what was edited on the platform reaches the
/// contact afterwards.
pub(super) async fn while_a_pair_is_left_out(with: &Manner) -> Vec<String> {
    let of = |object| Change { side: Side::Org, object: Some(object), field: "Phone", how: How::ReadOnly };
    let mut wrong = Vec::new();
    for change in [of_phone(Side::Platform, How::ReadOnly), of("Contact"), of("Lead")] {
        let scene = with_a_lead(Scene::empty(with, Policy::SalesforceWins)).await;
        scene.drift(Some(change));
        let (_, platform) = convert(&scene);
        scene.put(Side::Platform, "contact", &platform, &[("phone", "+2")]);
        scene.rest().await;
        scene.drift(None);
        scene.rest().await;
        wrong.extend(scene.expect(&[("Phone", "+2")], &[("phone", "+2")]));
    }
    wrong
}

/// A lead that was deleted, and is converted before anybody saw that it is back.
pub(super) async fn brought_back_before(with: &Manner) -> Vec<String> {
    let scene = with_a_lead(Scene::empty(with, Policy::SalesforceWins)).await;
    scene.delete(Side::Org, "Lead", LEAD);
    scene.rest().await;
    scene.restore(Side::Org, "Lead", LEAD);
    let (heir, _) = convert(&scene);
    scene.rest().await;
    scene.expect_on_platform(PERSON, &[("externalId", &heir), ("phone", "+1")])
}

/// Where the key is the lead's own id, lead and contact have a record each, and the lead is never written again.
pub(super) async fn two_records(with: &Manner) -> Vec<String> {
    let mut scene = Scene::empty(with, Policy::SalesforceWins);
    scene.world.lock().emails_repeat = true;
    for mapping in &mut scene.mappings {
        mapping.conversion = None;
        for pair in &mut mapping.pairs {
            pair.key = pair.org == ["Id"];
        }
    }
    let wrong = scene.mappings.iter().filter(|mapping| mapping.conversion() != Conversion::TwoRecords);
    let mut wrong: Vec<String> = wrong.map(|mapping| format!("{} is handed over", mapping.name)).collect();
    let scene = with_a_lead(scene).await;
    let (heir, platform) = convert(&scene);
    scene.put(Side::Platform, "contact", &platform, &[("phone", "+2")]);
    let before = scene.world.lock().objects.org["Lead"][LEAD].versions.len();
    for _ in 0..2 {
        scene.run(RunKind::Initial).await;
    }
    let state = scene.world.lock();
    if state.objects.org["Lead"][LEAD].versions.len() != before {
        wrong.push("the converted lead was written".to_owned());
    }
    let marks: Vec<Option<Value>> = state.objects.platform["contact"]
        .values()
        .filter_map(SimRecord::newest)
        .map(|version| version.values.get("externalId").cloned())
        .collect();
    if marks != [Some(Value::text(LEAD)), Some(Value::text(heir))] {
        wrong.push(format!("the platform's records are those of {marks:?}"));
    }
    wrong
}
