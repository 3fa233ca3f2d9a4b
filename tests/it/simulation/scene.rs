//! Scenes: short stories of two people and one record, for what chance meets too seldom. Each says what is wrong at its end.

use std::cell::Cell;
use std::collections::BTreeMap;

use forcesync::domain::mapping::{DeletePolicy, Direction, Mapping, Policy};
use forcesync::domain::outcome::{RunKind, RunResult};
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;
use forcesync::store::Store;

use super::database;
use super::history::{History, Played};
use super::manner::Manner;
use super::people::people_remove;
use super::settings::mappings;
use super::topic::Topic;
use super::world::{Author, Deed, Fate, State, Trouble, World};

mod contested;
mod converted;
mod departed;
mod drifted;
mod edited;
mod interrupted;
mod undone;

const PERSON: &str = "ann@x.example";
const CONTACT: &str = "003000000000000900";
const PLATFORM: &str = "p-000900";

/// One linked contact, at rest.
struct Scene {
    history: History,
    world: World,
    store: Store,
    mappings: Vec<Mapping>,
    /// How many deletions by people the runs have heard of.
    told: Cell<usize>,
}

impl Scene {
    /// Nobody is there yet, and nothing was synchronized.
    fn empty(with: &Manner, phone: Policy) -> Self {
        let history = History::new(1);
        let world = World::with(1, with.clone());
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
        let store = database::fresh();
        Self { history, world, store, mappings, told: Cell::new(0) }
    }

    async fn linked(with: &Manner, phone: Policy) -> Self {
        let scene = Self::empty(with, phone);
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
        self.delete(Side::Org, "Contact", CONTACT);
    }

    fn delete(&self, side: Side, object: &str, id: &str) {
        let now = self.world.clock.millis();
        people_remove(&mut self.world.lock(), now, side, object, id);
    }

    /// A person takes a record out of the bin.
    fn restore(&self, side: Side, object: &str, id: &str) {
        let now = self.world.clock.millis();
        self.world.lock().bury(now, side, object, id, Fate::Back, Author::Person);
    }

    /// Lets the overlap of the feeds pass, so that nothing is read again that did not change.
    async fn rest(&self) {
        for _ in 0..2 {
            self.world.clock.advance(700_000);
            self.run(RunKind::Instant).await;
        }
    }

    fn edit(&self, side: Side, values: &[(&str, &str)]) {
        let now = self.world.clock.millis();
        edit(&mut self.world.lock(), now, side, values);
    }

    /// A person makes or edits any record.
    fn put(&self, side: Side, object: &str, id: &str, values: &[(&str, &str)]) {
        let now = self.world.clock.millis();
        self.world.lock().put(now, side, object, id, &texts(values), Author::Person);
    }

    fn when(&self, call: &str, side: Side, values: &'static [(&'static str, &'static str)]) {
        let deed: Deed = Box::new(move |state, now| edit(state, now, side, values));
        self.world.lock().script.push((call.to_owned(), deed));
    }

    /// The process dies at a call, the first of this name after another one.
    fn dies_at(&self, after: &str, call: &str) {
        let call = call.to_owned();
        let deed: Deed = Box::new(move |state, _| {
            let dies: Deed = Box::new(|state, _| state.trouble.crash = 1_000);
            state.script.push((call, dies));
        });
        self.world.lock().script.push((after.to_owned(), deed));
    }

    /// A run that dies where it was told to; gives what is wrong if it does not come that far.
    async fn crash(&self, kind: RunKind) -> Vec<String> {
        let wrong = self.crash_at_once(kind).await;
        self.world.clock.advance(60_000);
        wrong
    }

    /// The same, after which no time passes.
    async fn crash_at_once(&self, kind: RunKind) -> Vec<String> {
        let played = self.history.once(&self.world, &self.store, &self.mappings, kind).await;
        {
            let mut state = self.world.lock();
            state.trouble = Trouble::default();
            state.script.clear();
        }
        match played {
            Played::Crashed => Vec::new(),
            Played::Ended(result, message) => vec![format!("did not die: {} {message}", result.word())],
        }
    }

    async fn run(&self, kind: RunKind) {
        self.run_again_at_once(kind).await;
        self.world.clock.advance(60_000);
    }

    /// A run after which no time passes. Where nobody tells what was deleted, everything is read once something was.
    async fn run_again_at_once(&self, kind: RunKind) {
        let deleted = self.world.lock().judge.person_deletes.len();
        let untold = !self.world.lock().manner.tells_deletions() && self.told.replace(deleted) < deleted;
        let kind = if untold { RunKind::Initial } else { kind };
        match self.history.once(&self.world, &self.store, &self.mappings, kind).await {
            Played::Ended(RunResult::Succeeded | RunResult::PartlyFailed, _) => {}
            Played::Ended(result, message) => panic!("{}: {message}", result.word()),
            Played::Crashed => panic!("crashed"),
        }
    }

    fn expect(&self, org: &[(&str, &str)], platform: &[(&str, &str)]) -> Vec<String> {
        let mut wrong = Vec::new();
        for (side, object, expected) in [(Side::Org, "Contact", org), (Side::Platform, "contact", platform)] {
            let live = self.world.lock().live(side, object);
            let held = live.into_iter().next().map(|(_, version)| version.values).unwrap_or_default();
            wrong.extend(differences(&format!("{side}"), &held, expected));
        }
        wrong
    }

    /// What is wrong with the only live record of an address on the platform.
    fn expect_on_platform(&self, email: &str, expected: &[(&str, &str)]) -> Vec<String> {
        let live = self.world.lock().live(Side::Platform, "contact");
        let of_address: Vec<_> = live
            .into_iter()
            .filter(|(_, version)| version.values.get("email") == Some(&Value::text(email)))
            .collect();
        match of_address.as_slice() {
            [(id, version)] => differences(id, &version.values, expected),
            others => vec![format!("{email}: {} records on the platform", others.len())],
        }
    }
}

fn differences(what: &str, held: &BTreeMap<String, Value>, expected: &[(&str, &str)]) -> Vec<String> {
    let wrong = expected.iter().filter(|(field, value)| held.get(*field) != Some(&Value::text(*value)));
    wrong.map(|(field, value)| format!("{what} {field}: {:?} and not {value}", held.get(*field))).collect()
}

fn texts(values: &[(&str, &str)]) -> Vec<(String, Value)> {
    values.iter().map(|(field, value)| ((*field).to_owned(), Value::text(*value))).collect()
}

fn edit(state: &mut State, now: i64, side: Side, values: &[(&str, &str)]) {
    let (object, id) = match side {
        Side::Org => ("Contact", CONTACT),
        Side::Platform => ("contact", PLATFORM),
    };
    state.put(now, side, object, id, &texts(values), Author::Person);
}

/// Plays every scene; gives what is wrong with which.
pub fn play_all(with: &Manner) -> Vec<String> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let mut wrong = Vec::new();
        for (name, ended) in [
            ("edited between capture and send", edited::between_capture_and_send(with).await),
            ("the later of two", edited::the_later_of_two(with).await),
            ("both mappings of an object", edited::both_mappings_of_an_object(with).await),
            ("seen as it was", edited::seen_as_it_was(with).await),
            ("out of sight", departed::out_of_sight(with).await),
            ("somebody of the same address", departed::somebody_of_the_same_address(with).await),
            ("edited before it is deleted", departed::edited_before_it_is_deleted(with).await),
            ("too many deletes", departed::too_many_deletes(with).await),
            ("back while it waits for a person", departed::back_while_it_waits(with).await),
            ("taken back while a delete waits", departed::taken_back_while_it_waits(with).await),
            ("a refused delete", departed::a_refused_delete(with).await),
            ("gone on both sides", departed::gone_on_both_sides(with).await),
            ("back on both sides", departed::back_on_both_sides(with).await),
            ("one of two goes", contested::one_of_two_goes(with).await),
            ("one of two gets another key", contested::one_of_two_gets_another_key(with).await),
            ("one of two on the platform goes", contested::one_of_two_on_the_platform_goes(with).await),
            ("the holder goes", contested::the_holder_goes(with).await),
            ("the holder gets another key", contested::the_holder_gets_another_key(with).await),
            ("staged before our own write", interrupted::staged_before_our_own_write(with).await),
            ("a tick box by chance", interrupted::a_tick_box_by_chance(with).await),
            ("put off before an interruption", interrupted::put_off_before(with).await),
            ("taken and not dealt with", interrupted::taken_and_not_dealt_with(with).await),
            ("two records of one person", converted::two_records(with).await),
            ("handed over", converted::handed_over(with).await),
            ("handed over while a pair is left out", converted::while_a_pair_is_left_out(with).await),
            ("brought back and converted", converted::brought_back_before(with).await),
            ("lost in the first read", drifted::lost_in_the_first_read(with).await),
            ("refused while it was away", drifted::refused_while_it_was_away(with).await),
            ("accepted", drifted::the_rest_goes_on_until_it_is_accepted(with).await),
            ("edited unseen, and deleted there", drifted::edited_unseen_and_deleted_there(with).await),
            ("one mapping lost its key", drifted::the_other_mapping_goes_on(with).await),
            ("an edit that lost", undone::an_edit_that_lost(with).await),
            ("an edit that a later write covers", undone::an_edit_that_a_later_write_covers(with).await),
            ("an edit where a pair waits", undone::an_edit_where_a_pair_waits(with).await),
        ] {
            wrong.extend(ended.into_iter().map(|one| format!("{}: {name}: {one}", with.name)));
        }
        wrong
    })
}

#[test]
fn scenes_end_as_the_laws_say() {
    // The stories are told of contacts and leads that flow both ways.
    let wrong: Vec<String> = (0..Manner::NUMBER)
        .map(Manner::of)
        .filter(|manner| manner.direction == Direction::Both && manner.org_objects.len() == 2)
        .flat_map(|manner| play_all(&manner))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
