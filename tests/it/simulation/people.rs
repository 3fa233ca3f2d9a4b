//! What people do besides editing: they delete records and bring them back.

use forcesync::domain::side::Side;
use rand::Rng;

use super::judge::address;
use super::world::{Author, State};

/// A person deletes a record.
pub fn people_remove(state: &mut State, now: i64, side: Side, object: &str, id: &str) {
    let values = state.objects[side][object][id].newest().unwrap().values.clone();
    state.say(now, format!("a person deletes {side} {id}"));
    state.judge.person_deletes.insert((side, address(&values)));
    state.bury(now, side, object, id, true, None, Author::Person);
}

/// A person takes a record out of the bin.
pub fn people_restore(state: &mut State, now: i64, side: Side, object: &str) {
    let buried: Vec<(String, bool, String)> = state.objects[side]
        .get(object)
        .into_iter()
        .flatten()
        .filter_map(|(id, record)| {
            let version = record.newest()?;
            let waits = version.deleted && version.merged_into.is_none() && !record.is_locked(now);
            waits.then(|| (id.clone(), version.by_sync, address(&version.values)))
        })
        .collect();
    if buried.is_empty() {
        return;
    }
    let place = state.random.random_range(0..buried.len());
    let (id, by_sync, email) = buried[place].clone();
    let objects: Vec<String> = state.objects[side].keys().cloned().collect();
    let namesake = objects
        .iter()
        .any(|object| state.live(side, object).iter().any(|(_, version)| address(&version.values) == email));
    if by_sync || namesake {
        state.judge.messy.insert(email);
    }
    state.say(now, format!("a person restores {side} {id}"));
    state.bury(now, side, object, &id, false, None, Author::Person);
}
