//! Scenes: short stories of two people and one record, for what chance meets too seldom. Each says what is wrong at its end.

use std::path::Path;

use forcesync::domain::mapping::{DeletePolicy, Mapping, Policy};
use forcesync::domain::outcome::{RunKind, RunResult};
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;
use forcesync::store::Store;

use super::history::{History, Played, mappings};
use super::judge::Topic;
use super::people::people_remove;
use super::world::{Author, Deed, State, Trouble, World};

const PERSON: &str = "ann@x.example";

/// One linked contact, at rest.
struct Scene {
    history: History,
    world: World,
    store: Store,
    mappings: Vec<Mapping>,
}

impl Scene {
    async fn linked(phone: Policy) -> Self {
        let history = History::new(1);
        let world = World::new(1);
        {
            let mut state = world.lock();
            (state.fights, state.rewrites, state.trouble) = (false, false, Trouble::default());
            (state.flags, state.scoped) = (false, false);
        }
        let mut mappings = mappings(&world);
        for mapping in &mut mappings {
            (mapping.deletes, mapping.deactivate) = (DeletePolicy::Ignore, None);
        }
        world.lock().judge.policy.insert(Topic::Phone, phone);
        for pair in mappings.iter_mut().flat_map(|mapping| &mut mapping.pairs) {
            if pair.org == ["Phone"] {
                pair.policy = phone;
            }
        }
        let store = Store::open_inline(Path::new(":memory:")).unwrap();
        let scene = Self { history, world, store, mappings };
        scene.edit(Side::Org, &[("Email", PERSON), ("LastName", "Lee1"), ("Phone", "+1")]);
        scene.edit(Side::Platform, &[("email", PERSON), ("name", "Lee1"), ("phone", "+1")]);
        scene.run(RunKind::Initial).await;
        scene
    }

    /// What its mappings do when a record is deleted.
    fn with_deletes(mut self, deletes: DeletePolicy) -> Self {
        self.world.lock().judge.deletes = deletes;
        for mapping in &mut self.mappings {
            mapping.deletes = deletes;
            mapping.deactivate = None;
        }
        self
    }

    /// A person deletes the org's record.
    fn delete_in_org(&self) {
        let now = self.world.clock.millis();
        let mut state = self.world.lock();
        let (id, _) = state.live(Side::Org, "Contact").into_iter().next().unwrap();
        people_remove(&mut state, now, Side::Org, "Contact", &id);
    }

    fn edit(&self, side: Side, values: &[(&str, &str)]) {
        let now = self.world.clock.millis();
        edit(&mut self.world.lock(), now, side, values);
    }

    fn when(&self, call: &str, side: Side, values: &'static [(&'static str, &'static str)]) {
        let deed: Deed = Box::new(move |state, now| edit(state, now, side, values));
        self.world.lock().script.push((call.to_owned(), deed));
    }

    async fn run(&self, kind: RunKind) {
        match self.history.once(&self.world, &self.store, &self.mappings, kind).await {
            Played::Ended(RunResult::Succeeded | RunResult::PartlyFailed, _) => {}
            Played::Ended(result, message) => panic!("{}: {message}", result.word()),
            Played::Crashed => panic!("crashed"),
        }
        self.world.clock.advance(60_000);
    }

    fn expect(&self, org: &[(&str, &str)], platform: &[(&str, &str)]) -> Vec<String> {
        let state = self.world.lock();
        let mut wrong = Vec::new();
        for (side, object, expected) in [(Side::Org, "Contact", org), (Side::Platform, "contact", platform)] {
            let held = state
                .live(side, object)
                .into_iter()
                .next()
                .map(|(_, version)| version.values)
                .unwrap_or_default();
            for (field, value) in expected {
                if held.get(*field) != Some(&Value::text(*value)) {
                    wrong.push(format!("{side} {field}: {:?} and not {value}", held.get(*field)));
                }
            }
        }
        wrong
    }
}

fn edit(state: &mut State, now: i64, side: Side, values: &[(&str, &str)]) {
    let (object, id) = match side {
        Side::Org => ("Contact", "003000000000000900"),
        Side::Platform => ("contact", "p-000900"),
    };
    let values: Vec<(String, Value)> =
        values.iter().map(|(field, value)| ((*field).to_owned(), Value::text(*value))).collect();
    state.put(now, side, object, id, &values, Author::Person);
}

/// An edit of the target that comes after everything was read and before anything is sent (law E6).
async fn edited_between_capture_and_send() -> Vec<String> {
    let scene = Scene::linked(Policy::PlatformWins).await;
    scene.edit(Side::Org, &[("Phone", "+2")]);
    scene.when("platform read contact", Side::Platform, &[("phone", "+3"), ("city", "Ghent")]);
    scene.run(RunKind::Instant).await;
    scene.run(RunKind::Instant).await;
    scene.expect(&[("Phone", "+3"), ("City", "Ghent")], &[("phone", "+3"), ("city", "Ghent")])
}

/// A change of the platform that becomes visible late, and one of the org that is certainly later (law E2, `newest_wins`).
async fn the_later_of_two() -> Vec<String> {
    let scene = Scene::linked(Policy::NewestWins).await;
    // Past the overlap of the feeds, so that nothing is read again that did not change.
    scene.world.clock.advance(700_000);
    scene.run(RunKind::Instant).await;
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

/// A record that can't be read any more, without anybody saying that it was deleted (law E9).
async fn out_of_sight() -> Vec<String> {
    let scene = Scene::linked(Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
    scene.world.lock().objects.platform.clear();
    scene.run(RunKind::Initial).await;
    scene.run(RunKind::Instant).await;
    scene.expect(&[("Phone", "+1")], &[])
}

/// The org's record is deleted, the platform's stays; then somebody of the same address appears in the org (law E9).
async fn somebody_of_the_same_address() -> Vec<String> {
    let scene = Scene::linked(Policy::SalesforceWins).await.with_deletes(DeletePolicy::Ignore);
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
async fn edited_before_it_is_deleted() -> Vec<String> {
    let scene = Scene::linked(Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
    scene.delete_in_org();
    scene.when("org read Contact", Side::Platform, &[("phone", "+3")]);
    scene.run(RunKind::Instant).await;
    scene.run(RunKind::Instant).await;
    scene.expect(&[], &[("phone", "+3")])
}

/// More is to be deleted than the brake lets through (law E10).
async fn too_many_deletes() -> Vec<String> {
    let mut scene = Scene::linked(Policy::SalesforceWins).await.with_deletes(DeletePolicy::Propagate);
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

/// Plays every scene; gives what is wrong with which.
pub fn play_all() -> Vec<String> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let mut wrong = Vec::new();
        for (name, ended) in [
            ("edited between capture and send", edited_between_capture_and_send().await),
            ("the later of two", the_later_of_two().await),
            ("out of sight", out_of_sight().await),
            ("somebody of the same address", somebody_of_the_same_address().await),
            ("edited before it is deleted", edited_before_it_is_deleted().await),
            ("too many deletes", too_many_deletes().await),
        ] {
            wrong.extend(ended.into_iter().map(|one| format!("{name}: {one}")));
        }
        wrong
    })
}

#[test]
fn scenes_end_as_the_laws_say() {
    let wrong = play_all();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
