//! What people do besides editing: they delete records and bring them back.

use std::collections::BTreeMap;

use forcesync::domain::side::Side;
use forcesync::domain::value::Value;
use rand::Rng;

use super::judge::ConsentEdit;
use super::manner::Feed;
use super::topic::address;
use super::world::{Author, Fate, State};

/// A person deletes a record.
pub fn people_remove(state: &mut State, now: i64, side: Side, object: &str, id: &str) {
    let values = state.objects[side][object][id].newest().unwrap().values.clone();
    state.say(now, format!("a person deletes {side} {id}"));
    state.judge.person_deletes.insert((side, address(&values)));
    state.bury(now, side, object, id, Fate::Deleted, Author::Person);
}

/// A person converts a lead: a contact with the same values takes its place.
pub fn people_convert(state: &mut State, now: i64, id: &str, values: &BTreeMap<String, Value>) {
    let heir = state.new_id(Side::Org, "Contact");
    state.say(now, format!("a person converts {id} to {heir}"));
    state.judge.converted.insert(address(values));
    state.judge.heirs.insert(heir.clone(), id.to_owned());
    let kept: Vec<(String, Value)> = values
        .iter()
        .filter(|(field, _)| !matches!(field.as_str(), "Mark__c" | "Flag__c"))
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect();
    if values.get("HasOptedOut") == Some(&Value::Bool(true)) {
        state.judge.consents.push(ConsentEdit { side: Side::Org, record: heir.clone(), out: true });
    }
    // One transaction: neither is seen without the other.
    let late = std::mem::take(&mut state.trouble.late_commit);
    state.put(now, Side::Org, "Contact", &heir, &kept, Author::Person);
    let became =
        [("IsConverted".to_owned(), Value::Bool(true)), ("ConvertedContactId".to_owned(), Value::text(heir))];
    state.put(now, Side::Org, "Lead", id, &became, Author::Person);
    state.trouble.late_commit = late;
}

/// A person merges two contacts: the loser goes, the winner stays as it is.
pub fn people_merge(state: &mut State, now: i64, object: &str, winner: &str, loser: &str) {
    let [kept, lost] =
        [winner, loser].map(|id| address(&state.objects[Side::Org][object][id].newest().unwrap().values));
    state.say(now, format!("a person merges {loser} into {winner}"));
    state.judge.merges += 1;
    // Either may be known on the platform; what is left over there is told as a duplicate.
    state.judge.messy.extend([kept, lost]);
    let late = std::mem::take(&mut state.trouble.late_commit);
    state.bury(now, Side::Org, object, loser, Fate::MergedInto(winner.to_owned()), Author::Person);
    state.put(now, Side::Org, object, winner, &[], Author::Person);
    state.trouble.late_commit = late;
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
    // Where nothing is listed, nobody tells that it is back.
    if by_sync || namesake || side == Side::Platform && state.manner.feed == Feed::Nothing {
        state.judge.messy.insert(email);
    }
    state.say(now, format!("a person restores {side} {id}"));
    state.bury(now, side, object, &id, Fate::Back, Author::Person);
}
