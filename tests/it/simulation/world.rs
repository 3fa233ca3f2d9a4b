//! The state both simulated sides share: records with versions, chance, faults, and the people who edit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::clock::VirtualClock;
use super::drifting::Drifting;
use super::judge::Judge;
use super::manner::Manner;
use super::topic::Topic;

/// One state of a record. It becomes visible later than its stamp where the commit is late.
#[derive(Clone, Debug)]
pub struct Version {
    pub stamp: i64,
    pub visible: i64,
    pub by_sync: bool,
    pub deleted: bool,
    /// Where a deleted record went, if it was merged.
    pub merged_into: Option<String>,
    pub values: BTreeMap<String, Value>,
}

/// What becomes of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Deleted,
    MergedInto(String),
    Back,
}

/// Who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    Person,
    Sync,
}

#[derive(Clone, Debug, Default)]
pub struct SimRecord {
    pub versions: Vec<Version>,
    /// Somebody holds a lock on the row until then.
    pub locked_until: i64,
}

impl SimRecord {
    /// What a reader sees at a moment.
    pub fn at(&self, now: i64) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.visible <= now)
    }

    pub fn newest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// A transaction on it is still open.
    pub fn is_locked(&self, now: i64) -> bool {
        self.versions.last().is_some_and(|version| version.visible > now)
    }
}

/// How likely each kind of trouble is, in per mille of calls or rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    pub transient: u32,
    pub cut_after: u32,
    pub cut_before: u32,
    pub limit: u32,
    pub row_lock: u32,
    pub late_commit: u32,
    /// A read comes from a copy that lags behind.
    pub stale: u32,
    pub edit: u32,
    pub crash: u32,
    /// A schema changes, or is as it was again.
    pub drift: u32,
}

pub struct State {
    pub manner: Manner,
    pub random: SmallRng,
    pub objects: PerSide<BTreeMap<String, BTreeMap<String, SimRecord>>>,
    pub trouble: Trouble,
    pub judge: Judge,
    pub next_id: u64,
    pub calls: PerSide<u64>,
    pub rewrites: bool,
    pub org_marks: bool,
    /// On both sides an automation changes every phone that is written, a little later.
    pub fights: bool,
    /// What the automation will do: when, where, which record.
    pub automation: Vec<(i64, Side, String, String)>,
    /// Whether the org's objects are read by a flag, which people set with each edit.
    pub flags: bool,
    /// Whether people take runs back.
    pub takes_back: bool,
    /// Whether the org's criteria exclude records.
    pub scoped: bool,
    pub crash_asked: bool,
    /// The run at hand is an undo.
    pub undoing: bool,
    /// The org refuses every delete, and how often it did.
    pub refuses_deletes: bool,
    pub refused_deletes: u64,
    /// The platform lets several records have one address.
    pub emails_repeat: bool,
    /// How late a late commit is, where a scene wants it so.
    pub late_by: Option<i64>,
    pub drifting: Drifting,
    pub log: Option<Vec<String>>,
    /// What a scene does when a call is made for the first time: the call's beginning, and the deed.
    pub script: Vec<(String, Deed)>,
}

/// Whether a lead was converted; it can only be read then.
pub fn is_converted(values: &BTreeMap<String, Value>) -> bool {
    values.get("IsConverted") == Some(&Value::Bool(true))
}

/// A deed of a scene.
pub type Deed = Box<dyn FnOnce(&mut State, i64) + Send>;

/// Shared by both sides and the history.
#[derive(Clone)]
pub struct World {
    pub clock: Arc<VirtualClock>,
    state: Arc<Mutex<State>>,
}

impl World {
    /// With the platform of the seed.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Manner::of(seed))
    }

    pub fn with(seed: u64, manner: Manner) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let (rewrites, org_marks) = (random.random_bool(0.4), random.random_bool(0.7));
        let takes_back = random.random_bool(0.4);
        let (flags, scoped) = (random.random_bool(0.2), random.random_bool(0.3));
        let fights = random.random_bool(0.05);
        Self {
            clock: Arc::new(VirtualClock::new()),
            state: Arc::new(Mutex::new(State {
                manner,
                random,
                objects: PerSide::default(),
                trouble: Trouble::default(),
                judge: Judge::default(),
                next_id: 0,
                calls: PerSide::default(),
                rewrites,
                org_marks,
                flags,
                scoped,
                takes_back,
                fights,
                automation: Vec::new(),
                crash_asked: false,
                undoing: false,
                refuses_deletes: false,
                refused_deletes: 0,
                emails_repeat: false,
                late_by: None,
                drifting: Drifting::new(seed),
                log: None,
                script: Vec::new(),
            })),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How much the sync has written so far.
    pub fn writes(&self) -> u64 {
        self.lock().judge.sync_writes
    }
}

impl State {
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.random.random_range(0..1_000) < per_mille
    }

    pub fn say(&mut self, now: i64, text: impl Into<String>) {
        if let Some(log) = &mut self.log {
            log.push(format!("{:>9} {}", now - 1_790_000_000_000, text.into()));
        }
    }

    pub fn new_id(&mut self, side: Side, object: &str) -> String {
        self.next_id += 1;
        match side {
            Side::Org => {
                let prefix = if object == "Lead" { "00Q" } else { "003" };
                format!("{prefix}{:015}", self.next_id)
            }
            Side::Platform => format!("p-{:06}", self.next_id),
        }
    }

    /// What a side makes of a value that is written to it.
    pub fn rewrite(&self, side: Side, field: &str, value: Value) -> Value {
        match (&value, self.rewrites, side, field) {
            (Value::Text(text), true, Side::Platform, "city") => Value::text(text.to_uppercase()),
            (Value::Text(text), true, Side::Org, "Phone") => {
                Value::text(format!("{}-", text.trim_end_matches('-')))
            }
            (Value::Text(text), _, _, _) if text.trim().is_empty() => Value::Null,
            _ => value,
        }
    }

    /// Writes a new state of a record; late commits become visible later.
    pub fn put(
        &mut self,
        now: i64,
        side: Side,
        object: &str,
        id: &str,
        changes: &[(String, Value)],
        author: Author,
    ) {
        let by_sync = author == Author::Sync;
        let late = !by_sync && {
            let odds = self.trouble.late_commit;
            self.chance(odds)
        };
        let delay = if late { self.random.random_range(1_000..300_000) } else { 0 };
        let delay = if late { self.late_by.unwrap_or(delay) } else { 0 };
        let rewritten: Vec<(String, Value)> = changes
            .iter()
            .map(|(field, value)| (field.clone(), self.rewrite(side, field, value.clone())))
            .collect();
        let record =
            self.objects[side].entry(object.to_owned()).or_default().entry(id.to_owned()).or_default();
        let mut values = record.newest().map(|version| version.values.clone()).unwrap_or_default();
        values.extend(rewritten);
        if side == Side::Org && !by_sync {
            values.insert("Flag__c".into(), Value::Bool(true));
        }
        record.versions.push(Version {
            // Stamps are whole seconds on the org.
            stamp: if side == Side::Org { now / 1_000 * 1_000 } else { now },
            visible: now + delay,
            by_sync,
            deleted: false,
            merged_into: None,
            values,
        });
    }

    /// Deletes a record, merges it into another, or takes it out of the bin.
    pub fn bury(&mut self, now: i64, side: Side, object: &str, id: &str, fate: Fate, author: Author) {
        self.put(now, side, object, id, &[], author);
        let record = self.objects[side].get_mut(object).and_then(|records| records.get_mut(id)).unwrap();
        let version = record.versions.last_mut().unwrap();
        version.deleted = fate != Fate::Back;
        if let Fate::MergedInto(winner) = fate {
            version.merged_into = Some(winner);
        }
    }

    /// Does what the scene wants done when this call is made.
    pub fn play_script(&mut self, now: i64, call: &str) {
        if let Some(place) = self.script.iter().position(|(begins, _)| call.starts_with(begins.as_str())) {
            let (_, deed) = self.script.remove(place);
            deed(self, now);
        }
    }

    /// Lets the automation do what is due.
    pub fn automate(&mut self, now: i64) {
        let (due, later) = std::mem::take(&mut self.automation).into_iter().partition(|(at, ..)| *at <= now);
        self.automation = later;
        let due: Vec<(i64, Side, String, String)> = due;
        for (_, side, object, id) in due {
            let Some(present) = self.objects[side][&object][&id].newest().cloned() else { continue };
            if present.deleted || is_converted(&present.values) {
                continue;
            }
            let values = self.new_edit(side, &id, Topic::Phone, &present.values, now);
            self.say(now, format!("automation changes {side} {id}: {values:?}"));
            self.put(now, side, &object, &id, &values, Author::Person);
        }
    }

    /// Whether somebody holds a lock on a row; now and then somebody takes one for a while.
    pub fn is_held(&mut self, side: Side, object: &str, id: Option<&str>, now: i64) -> bool {
        let odds = self.trouble.row_lock;
        let taken = self.chance(odds).then(|| now + self.random.random_range(1..40_000));
        let record = id.and_then(|id| self.objects[side].get_mut(object)?.get_mut(id));
        let Some(record) = record else { return taken.is_some() };
        if let Some(until) = taken {
            record.locked_until = record.locked_until.max(until);
        }
        record.locked_until > now
    }

    /// Live records of an object as their newest versions.
    pub fn live(&self, side: Side, object: &str) -> Vec<(String, Version)> {
        self.objects[side]
            .get(object)
            .into_iter()
            .flatten()
            .filter_map(|(id, record)| {
                Some((id.clone(), record.newest().filter(|version| !version.deleted)?.clone()))
            })
            .collect()
    }
}
