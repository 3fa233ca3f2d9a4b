//! Life: people on both sides who change phone numbers, move, marry, are promoted, opt out, join and, rarely, are
//! deleted, brought back, merged or converted. So many edits a second, or so many at once; plausible, and drawn by seed.

mod deed;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

pub use deed::{Deed, Rates};

use super::org::Org;
use super::people::{People, Person};
use super::platform::Emulator;
use super::seed::{Seeded, rows};

/// The number of a newcomer made by life; far from those that seeding or steering would take.
const FIRST_NEWCOMER: u64 = 1_000_000;

struct Pool {
    dice: SmallRng,
    known: Seeded,
    /// What was deleted in the org, to be brought back perhaps.
    binned: Vec<(&'static str, String)>,
    newcomers: u64,
    rates: Rates,
    done: BTreeMap<Deed, u64>,
}

/// The lives of the people of one sandbox.
pub struct Life {
    people: Arc<People>,
    org: Arc<Org>,
    platform: Arc<dyn Emulator>,
    pool: Mutex<Pool>,
    per_second: watch::Sender<f64>,
    edits: AtomicU64,
}

impl Life {
    /// Life among the sampled people; nothing happens until a rate is set.
    pub fn new(
        people: Arc<People>,
        org: Arc<Org>,
        platform: Arc<dyn Emulator>,
        known: Seeded,
        seed: u64,
    ) -> Arc<Self> {
        let pool = Pool {
            dice: SmallRng::seed_from_u64(seed ^ 0x11fe),
            known,
            binned: Vec::new(),
            newcomers: 0,
            rates: Rates::default(),
            done: BTreeMap::new(),
        };
        let (per_second, _) = watch::channel(0.0);
        Arc::new(Self { people, org, platform, pool: Mutex::new(pool), per_second, edits: AtomicU64::new(0) })
    }

    /// Sets how many edits happen each second from now on.
    pub fn set_per_second(&self, rate: f64) {
        let rate = if rate.is_finite() { rate.clamp(0.0, 10_000.0) } else { 0.0 };
        self.per_second.send_replace(rate);
    }

    /// How many edits happen each second.
    pub fn per_second(&self) -> f64 {
        *self.per_second.borrow()
    }

    /// How many edits happened so far.
    pub fn edits(&self) -> u64 {
        self.edits.load(Ordering::Relaxed)
    }

    /// Changes how often the named deeds happen, in comparison with the others.
    pub fn change_rates(&self, rates: &BTreeMap<Deed, u32>) {
        self.lock().rates.change(rates);
    }

    /// How often each deed happens, in comparison with the others.
    pub fn rates(&self) -> Rates {
        self.lock().rates.clone()
    }

    /// What happened how often so far.
    pub fn deeds(&self) -> BTreeMap<Deed, u64> {
        self.lock().done.clone()
    }

    /// Lets so many edits happen at once; returns how many the services took.
    pub fn happen(&self, number: u64) -> u64 {
        (0..number).map(|_| u64::from(self.edit())).sum()
    }

    /// Lives until dropped by its task; edits come at even distances of real time.
    pub async fn run(self: Arc<Self>) {
        let mut rate = self.per_second.subscribe();
        loop {
            let now = *rate.borrow_and_update();
            if now > 0.0 {
                // Above a hundred a second they come in handfuls, which is kinder to the timer.
                let handful = (now / 100.0).ceil().max(1.0);
                let pause = Duration::from_secs_f64(handful / now);
                tokio::select! {
                    () = tokio::time::sleep(pause) => { self.happen(handful as u64); }
                    changed = rate.changed() => if changed.is_err() { return },
                }
            } else if rate.changed().await.is_err() {
                return;
            }
        }
    }

    /// One edit; false when a service refused it.
    fn edit(&self) -> bool {
        let mut pool = self.lock();
        let rates = pool.rates.clone();
        let Some(deed) = rates.draw(&mut pool.dice) else { return false };
        let on_platform = pool.dice.random_bool(0.5) && !deed.is_of_org();
        let done =
            if on_platform { self.edit_platform(&mut pool, deed) } else { self.edit_org(&mut pool, deed) };
        if done {
            *pool.done.entry(deed).or_default() += 1;
        }
        drop(pool);
        self.edits.fetch_add(u64::from(done), Ordering::Relaxed);
        done
    }

    fn newcomer(&self, pool: &mut Pool) -> Person {
        pool.newcomers += 1;
        self.people.newcomer(FIRST_NEWCOMER + pool.newcomers)
    }

    fn edit_org(&self, pool: &mut Pool, deed: Deed) -> bool {
        let user = self.org.person_user_id();
        let person = self.newcomer(pool);
        if deed == Deed::Joined {
            let is_lead = pool.dice.random_bool(0.6);
            let (object, mut row) = if is_lead {
                ("Lead", rows::lead_row(&person))
            } else {
                ("Contact", rows::contact_row(&person, ""))
            };
            row.insert("MobilePhone".into(), json!(person.phone));
            let inserted = self.org.admin_insert(object, &row, &user);
            return inserted.map(|id| pool.known.in_org.push((object, id))).is_ok();
        }
        match deed {
            Deed::Undeleted => return self.undelete(pool, &user),
            Deed::Merged => return self.merge(pool, &user),
            Deed::Converted => return self.convert(pool, &user),
            Deed::Phone
            | Deed::Moved
            | Deed::Title
            | Deed::Married
            | Deed::OptedOut
            | Deed::Joined
            | Deed::Deleted => {}
        }
        if pool.known.in_org.is_empty() {
            return false;
        }
        let at = pool.dice.random_range(0..pool.known.in_org.len());
        let Some((object, id)) = pool.known.in_org.get(at).cloned() else { return false };
        if deed == Deed::Deleted {
            pool.known.in_org.swap_remove(at);
            let deleted = self.org.admin_delete(object, &id, &user).is_ok();
            if deleted {
                pool.binned.push((object, id));
            }
            return deleted;
        }
        let fields = org_fields(object, deed, &person);
        let done = self.org.admin_update(object, &id, &fields, &user).is_ok();
        if !done {
            // Somebody else has deleted or converted it.
            pool.known.in_org.swap_remove(at);
        }
        done
    }

    /// Brings one back that was deleted before.
    fn undelete(&self, pool: &mut Pool, user: &str) -> bool {
        if pool.binned.is_empty() {
            return false;
        }
        let at = pool.dice.random_range(0..pool.binned.len());
        let (object, id) = pool.binned.swap_remove(at);
        let back = self.org.admin_undelete(object, &id, user).is_ok();
        if back {
            pool.known.in_org.push((object, id));
        }
        back
    }

    /// Merges somebody into somebody else of the same object.
    fn merge(&self, pool: &mut Pool, user: &str) -> bool {
        let people = pool.known.in_org.len();
        if people < 2 {
            return false;
        }
        let at = pool.dice.random_range(0..people);
        let start = pool.dice.random_range(0..people);
        let Some((object, master)) = pool.known.in_org.get(at).cloned() else { return false };
        let other = (0..people).map(|step| (start + step) % people).find(|other| {
            *other != at && pool.known.in_org.get(*other).is_some_and(|known| known.0 == object)
        });
        let Some(other) = other else { return false };
        let (_, loser) = pool.known.in_org.swap_remove(other);
        self.org.admin_merge(object, &master, &[&loser], user).is_ok()
    }

    /// Converts a lead, every other time with an opportunity.
    fn convert(&self, pool: &mut Pool, user: &str) -> bool {
        let people = pool.known.in_org.len();
        if people == 0 {
            return false;
        }
        let start = pool.dice.random_range(0..people);
        let opportunity = pool.dice.random_bool(0.5).then_some("");
        let lead = (0..people)
            .map(|step| (start + step) % people)
            .find(|at| pool.known.in_org.get(*at).is_some_and(|known| known.0 == "Lead"));
        let Some(lead) = lead else { return false };
        let (_, id) = pool.known.in_org.swap_remove(lead);
        let made = self.org.admin_convert_lead(&id, None, opportunity, user);
        made.map(|made| pool.known.in_org.push(("Contact", made.contact))).is_ok()
    }

    fn edit_platform(&self, pool: &mut Pool, deed: Deed) -> bool {
        let person = self.newcomer(pool);
        let known = pool.known.on_platform.len();
        if known == 0 && deed != Deed::Joined {
            return false;
        }
        let at = if deed == Deed::Joined { 0 } else { pool.dice.random_range(0..known) };
        self.platform.live(deed, &person, &mut pool.known.on_platform, at)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a deed changes in a record of the org, with the values of another person.
fn org_fields(object: &str, deed: Deed, person: &Person) -> Map<String, Value> {
    let (person_prefix, address_prefix) = match object {
        "Account" => ("Person", "PersonMailing"),
        "Contact" => ("", "Mailing"),
        _ => ("", ""),
    };
    let own = |field: &str| format!("{person_prefix}{field}");
    let place = |field: &str| format!("{address_prefix}{field}");
    let mut fields = Map::new();
    match deed {
        Deed::Phone => {
            fields.insert(own("MobilePhone"), json!(person.phone));
        }
        Deed::Moved => {
            fields.insert(place("Street"), json!(person.street));
            fields.insert(place("PostalCode"), json!(person.zip));
            fields.insert(place("City"), json!(person.city));
            fields.insert(place("Country"), json!(person.country));
        }
        Deed::Title | Deed::Joined | Deed::Deleted | Deed::Undeleted | Deed::Merged | Deed::Converted => {
            let title = if person.title.is_empty() { "Partner" } else { &person.title };
            fields.insert(own("Title"), json!(title));
        }
        Deed::Married => {
            fields.insert("LastName".into(), json!(person.family));
        }
        Deed::OptedOut => {
            fields.insert(own("HasOptedOutOfEmail"), json!(true));
        }
    }
    fields
}
