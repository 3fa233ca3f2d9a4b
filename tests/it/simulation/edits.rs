//! People who make and edit records, on both sides and at any time.

use std::collections::BTreeMap;

use forcesync::domain::side::Side;
use forcesync::domain::value::Value;
use rand::Rng;

use super::judge::ConsentEdit;
use super::people::{people_convert, people_merge, people_remove, people_restore};
use super::topic::{Topic, address};
use super::world::{Author, State, World, is_converted};

pub fn populate(world: &World) {
    let now = world.clock.millis() - 86_400_000;
    let mut state = world.lock();
    let [contact, lead] = ["Contact", "Lead"].map(|wanted| state.manner.org_object(wanted));
    for person in 0..state.random.random_range(3..14) {
        let email = format!("person{person}@x.example");
        match state.random.random_range(0..5) {
            // Two of one key in the org: nobody can tell which of them is meant (law E1).
            4 => {
                let email = format!("twin{person}@x.example");
                let object = if state.random.random_bool(0.5) { contact } else { lead };
                make_person(&mut state, now, Side::Org, contact, &email);
                make_person(&mut state, now, Side::Org, object, &email);
                if state.random.random_bool(0.5) {
                    make_person(&mut state, now, Side::Platform, "contact", &email);
                }
            }
            0 => make_person(&mut state, now, Side::Org, contact, &email),
            1 => make_person(&mut state, now, Side::Org, lead, &email),
            2 => make_person(&mut state, now, Side::Platform, "contact", &email),
            _ => {
                make_person(&mut state, now, Side::Org, contact, &email);
                make_person(&mut state, now, Side::Platform, "contact", &email);
            }
        }
    }
}

fn make_person(state: &mut State, now: i64, side: Side, object: &str, email: &str) {
    // Rows that are known by the org's id alone are made by nobody else.
    if side == Side::Platform && state.manner.by_key() {
        return;
    }
    let id = state.new_id(side, object);
    let empty = BTreeMap::new();
    let mut values = vec![(if side == Side::Org { "Email" } else { "email" }.to_owned(), Value::text(email))];
    for topic in Topic::ALL {
        if topic == Topic::Name || state.random.random_bool(0.6) {
            values.extend(state.new_edit(side, &id, topic, &empty, now));
        }
    }
    let out = state.random.random_bool(0.15);
    values.push((if side == Side::Org { "HasOptedOut" } else { "optedOut" }.to_owned(), Value::Bool(out)));
    if out {
        state.judge.consents.push(ConsentEdit { side, record: id.clone(), out: true });
    }
    state.say(now, format!("a person makes {side} {object} {id} {values:?}"));
    state.put(now, side, object, &id, &values, Author::Person);
}

/// One edit by a person on either side, of a record that may be edited now.
pub fn people_edit(state: &mut State, now: i64, may: &dyn Fn(Side, &str) -> bool) {
    let side = if state.random.random_bool(0.5) { Side::Org } else { Side::Platform };
    let object = match side {
        Side::Org => {
            let wanted = if state.random.random_bool(0.5) { "Lead" } else { "Contact" };
            state.manner.org_object(wanted)
        }
        Side::Platform => "contact",
    };
    if state.random.random_range(0..10) == 0 {
        let number = state.next_id;
        // Sometimes it is somebody who is there already.
        let twin =
            state.random.random_bool(0.2).then(|| state.live(Side::Org, object).into_iter().next()).flatten();
        let known = twin.and_then(|(_, version)| Some(version.values.get("Email")?.to_string()));
        let email = known.unwrap_or_else(|| format!("late{number}@x.example"));
        make_person(state, now, side, object, &email);
        return;
    }
    if state.random.random_range(0..25) == 0 {
        people_restore(state, now, side, object);
        return;
    }
    let mut live = state.live(side, object);
    live.retain(|(_, version)| !is_converted(&version.values));
    if live.is_empty() {
        return;
    }
    let place = state.random.random_range(0..live.len());
    let (id, version) = live[place].clone();
    if state.objects[side][object][&id].is_locked(now) || !may(side, &id) {
        return;
    }
    if state.random.random_range(0..14) == 0 {
        people_remove(state, now, side, object, &id);
        return;
    }
    if side == Side::Org && state.random.random_range(0..12) == 0 {
        let other = live[state.random.random_range(0..live.len())].0.clone();
        let locked = state.objects[side][object][&other].is_locked(now);
        if object == "Lead" {
            people_convert(state, now, &id, &version.values);
            return;
        } else if other != id && !locked && may(side, &other) {
            people_merge(state, now, object, &id, &other);
            return;
        }
    }
    if side == Side::Org && state.scoped && state.random.random_range(0..8) == 0 {
        let leaves = version.values.get("OutOfScope") != Some(&Value::Bool(true));
        state.say(now, format!("{id} leaves the scope: {leaves}"));
        state.judge.scope_changes += 1;
        state.judge.strayed.insert(address(&version.values));
        state.put(now, side, object, &id, &[("OutOfScope".into(), Value::Bool(leaves))], Author::Person);
        return;
    }
    if state.random.random_range(0..12) == 0 {
        let field = if side == Side::Org { "HasOptedOut" } else { "optedOut" };
        let out = version.values.get(field) != Some(&Value::Bool(true));
        state.judge.consents.push(ConsentEdit { side, record: id.clone(), out });
        state.say(now, format!("a person sets {field} of {id} to {out}"));
        state.put(now, side, object, &id, &[(field.into(), Value::Bool(out))], Author::Person);
    } else {
        let topic = Topic::ALL[state.random.random_range(0..Topic::ALL.len())];
        let values = state.new_edit(side, &id, topic, &version.values, now);
        state.say(now, format!("a person edits {side} {id}: {values:?}"));
        state.put(now, side, object, &id, &values, Author::Person);
    }
}

/// What left the scope stays linked and watched, so that nothing of it is lost once it is back (law E12).
pub fn everybody_returns(world: &World) {
    let now = world.clock.millis();
    let mut state = world.lock();
    for object in ["Contact", "Lead"] {
        for (id, version) in state.live(Side::Org, object) {
            if version.values.get("OutOfScope") == Some(&Value::Bool(true)) {
                let back = [("OutOfScope".to_owned(), Value::Bool(false))];
                state.put(now, Side::Org, object, &id, &back, Author::Person);
            }
        }
    }
}
