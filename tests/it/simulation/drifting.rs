//! Schemas that change in the middle of a history: fields that are hidden or cut short, and given back (law E13).

use forcesync::domain::clock::Clock;
use forcesync::domain::mapping::Mapping;
use forcesync::domain::side::Side;
use forcesync::store::{Store, drift};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::world::{State, World};

/// What is otherwise than it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub side: Side,
    /// The only object it is about, if it is about one.
    pub object: Option<&'static str>,
    pub field: &'static str,
    pub how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nobody but people sees it.
    Hidden,
    /// It can be read and not written.
    ReadOnly,
    /// It takes shorter texts, until a person accepts that.
    Shorter,
}

/// How the schemas of a history change.
pub struct Drifting {
    random: SmallRng,
    wanted: bool,
    present: Option<Change>,
    /// Whether a run has found it.
    found: bool,
    /// How often something changed.
    pub changes: u64,
}

const ORG: [&str; 8] =
    ["Phone", "Street", "City", "Status", "FirstName", "Email", "HasOptedOut", "OutOfScope"];
const PLATFORM: [&str; 6] = ["phone", "street", "city", "status", "email", "optedOut"];

impl Drifting {
    pub fn new(seed: u64) -> Self {
        // Chance of its own, so that the histories without it stay what they are.
        let mut random = SmallRng::seed_from_u64(seed ^ 0x5c4e_3a00);
        let wanted = random.random_bool(0.2);
        Self { random, wanted, present: None, found: false, changes: 0 }
    }

    /// Whether something is otherwise now.
    pub fn present(&self) -> Option<Change> {
        self.present
    }

    pub fn set(&mut self, change: Option<Change>) {
        self.changes += u64::from(change.is_some());
        (self.present, self.found) = (change, false);
    }

    /// Whether what is otherwise is something that a person can accept.
    fn may_be_accepted(&self) -> bool {
        self.present.is_some_and(|change| change.how == How::Shorter)
    }

    /// How a field of an object is otherwise.
    pub fn of(&self, side: Side, object: &str, field: &str) -> Option<How> {
        let change = self.present.filter(|change| change.side == side && change.field == field)?;
        change.object.is_none_or(|only| only == object).then_some(change.how)
    }

    fn pick(&mut self) -> Change {
        let side = if self.random.random_bool(0.6) { Side::Org } else { Side::Platform };
        let field = match side {
            Side::Org => ORG[self.random.random_range(0..ORG.len())],
            Side::Platform => PLATFORM[self.random.random_range(0..PLATFORM.len())],
        };
        let only = [None, Some("Contact"), Some("Lead")][self.random.random_range(0..3)];
        let how = [How::Hidden, How::Hidden, How::ReadOnly, How::Shorter][self.random.random_range(0..4)];
        Change { side, object: only.filter(|_| side == Side::Org), field, how }
    }
}

impl State {
    /// Now and then somebody changes a schema, or takes that back; `odds` in per mille. Tells whether it was taken back.
    pub fn drift(&mut self, now: i64, odds: u32) -> bool {
        let drifting = &mut self.drifting;
        if !drifting.wanted || drifting.random.random_range(0..1_000) >= odds {
            return false;
        }
        match drifting.present {
            None => {
                let change = drifting.pick();
                drifting.set(Some(change));
                self.say(now, format!("the schema changes: {change:?}"));
                false
            }
            // What no run has found is no drift: whatever was refused meanwhile is a failure like any other.
            Some(_) if !drifting.found => false,
            Some(change) => {
                drifting.set(None);
                self.say(now, format!("the schema is as it was again: {change:?}"));
                true
            }
        }
    }

    /// The first field of some that a reader or writer does not see.
    pub fn unseen<'a>(
        &self,
        side: Side,
        object: &str,
        mut fields: impl Iterator<Item = &'a str>,
    ) -> Option<&'a str> {
        fields.find(|field| self.drifting.of(side, object, field) == Some(How::Hidden))
    }
}

/// Keeps in mind whether runs have found what is otherwise.
pub async fn look(world: &World, store: &Store) {
    let found = store.write(drift::rows).await.unwrap();
    let mut state = world.lock();
    state.drifting.found = state.drifting.present.is_some_and(|change| {
        found.iter().any(|row| row.finding.side == change.side && row.finding.field == change.field)
    });
}

/// Between two runs a schema may change, be as it was, or a person accepts it as it is.
pub async fn between_runs(world: &World, store: &Store, mappings: &[Mapping]) {
    look(world, store).await;
    let now = world.clock.millis();
    let accepts = {
        let mut state = world.lock();
        state.drift(now, 300);
        state.drifting.may_be_accepted() && state.drifting.random.random_bool(0.3)
    };
    if accepts {
        accept(world, store, mappings).await;
    }
}

/// Nothing is lost any more: what was hidden is back, and what is shorter is accepted or longer again.
pub async fn end(world: &World, store: &Store, mappings: &[Mapping]) {
    let accepts = {
        let mut state = world.lock();
        state.drifting.may_be_accepted() && state.drifting.random.random_bool(0.5)
    };
    if !accepts || accept(world, store, mappings).await == 0 {
        world.lock().drifting.set(None);
    }
}

/// A person accepts what both sides say now, as far as runs have seen it; tells how many findings that ends.
pub async fn accept(world: &World, store: &Store, mappings: &[Mapping]) -> u64 {
    let (now, mappings) = (world.clock.now(), mappings.to_vec());
    store
        .write(move |db| {
            mappings.iter().try_fold(0, |sum, mapping| Ok(sum + drift::accept(db, mapping, now)?))
        })
        .await
        .unwrap()
}
