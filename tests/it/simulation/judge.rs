//! The judge: it keeps its own log of every edit with what its author had seen, and knows nothing of the engine's state.
//!
//! A final value must be an edit that nobody built upon. Any other such edit must have been concurrent with it and lose by the
//! policy as the judge computes it.

use std::collections::{BTreeMap, BTreeSet};

use forcesync::domain::mapping::{DeletePolicy, Policy};
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;

use super::manner::Feed;
use super::settings::MARK;
use super::topic::{Topic, address, held};
use super::undo::{SLIPPED_IN, Standing, Undone, standing};
use super::world::{SimRecord, State, is_converted};

mod at_once;
mod leaves;
mod one_way;
mod twins;

use leaves::leaves;
use one_way::one_way;
use twins::{touched, twins};

#[derive(Clone, Debug)]
pub struct Edit {
    pub side: Side,
    /// The record that its author wrote it into.
    pub record: String,
    pub topic: Topic,
    /// The edit whose value stood there when it was made.
    pub parent: Option<u64>,
    pub at: i64,
}

#[derive(Clone, Debug)]
pub struct ConsentEdit {
    pub side: Side,
    pub record: String,
    pub out: bool,
}

#[derive(Default)]
pub struct Judge {
    pub edits: BTreeMap<u64, Edit>,
    pub consents: Vec<ConsentEdit>,
    pub next: u64,
    pub policy: BTreeMap<Topic, Policy>,
    pub sync_writes: u64,
    pub sync_updates: u64,
    pub unknown_outcomes: u64,
    pub undone: Undone,
    /// What was wrong at the moment it was done, though it may have been mended since.
    pub wrong: Vec<String>,
    pub deletes: DeletePolicy,
    /// What people deleted: side and e-mail address.
    pub person_deletes: BTreeSet<(Side, String)>,
    /// Addresses of which people brought back a record that the sync had deleted, or that has a namesake by now.
    pub messy: BTreeSet<String>,
    /// Addresses of leads that were converted: their records met anew.
    pub converted: BTreeSet<String>,
    /// The leads that contacts came from.
    pub heirs: BTreeMap<String, String>,
    /// Addresses of which a record left the scope for a while, so that another was alone with its key.
    pub strayed: BTreeSet<String>,
    /// How often a record left the scope or came back.
    pub scope_changes: u64,
    /// Contacts that people merged into others.
    pub merges: u64,
    /// Records that the sync deleted.
    pub removals: u64,
}

/// What waits for a person at the end.
pub struct Waiting {
    /// Pairs, by the org's id and their place in the mapping.
    pub parked: BTreeSet<(String, usize)>,
    /// Records deleted on one side and edited on the other, by either id.
    pub deleted: BTreeSet<String>,
}

impl State {
    /// Values for a new edit of a topic, and its entry in the judge's log.
    pub fn new_edit(
        &mut self,
        side: Side,
        record: &str,
        topic: Topic,
        present: &BTreeMap<String, Value>,
        at: i64,
    ) -> Vec<(String, Value)> {
        self.judge.next += 1;
        let number = self.judge.next;
        let parent = held(present, side, topic);
        self.judge.edits.insert(number, Edit { side, record: record.to_owned(), topic, parent, at });
        let texts = topic.texts(side, number);
        topic
            .fields(side)
            .iter()
            .map(|field| (*field).to_owned())
            .zip(texts.into_iter().map(Value::text))
            .collect()
    }
}

/// A record's id and what it holds.
type Found = (String, BTreeMap<String, Value>);

/// What the judge finds wrong at the end. What is `waiting` may differ: a person has to decide it.
pub fn judge(state: &State, waiting: &Waiting) -> Vec<String> {
    let mut wrong = state.judge.wrong.clone();
    let manner = &state.manner;
    let mut people: BTreeMap<String, PerSide<Vec<Found>>> = BTreeMap::new();
    for object in manner.org_objects {
        for (id, version) in state.live(Side::Org, object) {
            if is_converted(&version.values) {
                continue;
            }
            let person = if manner.by_key() { id.clone() } else { address(&version.values) };
            people.entry(person).or_default().org.push((id, version.values));
        }
    }
    for (id, version) in state.live(Side::Platform, "contact") {
        let person = if manner.by_key() { id.clone() } else { address(&version.values) };
        people.entry(person).or_default().platform.push((id, version.values));
    }
    for found in people.values() {
        let email = &found
            .org
            .first()
            .or(found.platform.first())
            .map(|(_, values)| address(values))
            .unwrap_or_default();
        match (found.org.as_slice(), found.platform.as_slice()) {
            // One of several was deleted, or merged into one that had its own already: its closed link keeps the other out of
            // matching (law E9).
            ([_], [(_, platform)]) if state.is_held_by_one_that_is_gone(platform) => {}
            // So it is where that one's id never got there.
            ([_], [(_, platform)])
                if !platform.contains_key("externalId")
                    && (state.judge.messy.contains(email) || state.met_one_that_is_gone(email)) => {}
            // An undo took an address back, so that whoever belongs together has two, and these two are strangers.
            ([(org_id, _)], [(_, platform)])
                if state.judge.undone.addresses.contains(email) && !carries(platform, org_id) => {}
            // Who was a lead is nobody that is synchronized, and holds its counterpart for good.
            _ if state.judge.converted.contains(email) && !manner.org_objects.contains(&"Contact") => {}
            // Nobody tells that it is back.
            ([_], [_]) if manner.feed == Feed::Nothing && state.judge.messy.contains(email) => {}
            ([(org_id, org)], [(platform_id, platform)]) => {
                compare(state, &mut wrong, email, (org_id, org), (platform_id, platform), &waiting.parked);
            }
            // One has lost its partner to another address.
            _ if state.judge.undone.addresses.contains(email) => {}
            // People brought back what has a namesake by now.
            _ if state.judge.messy.contains(email) => {}
            // An undo took the creation of the other back: this one stands alone.
            ([_], []) if state.judge.undone.uncreated.contains(&(Side::Platform, email.clone())) => {}
            ([], [_]) if state.judge.undone.uncreated.contains(&(Side::Org, email.clone())) => {}
            ([], [(id, values)]) if state.judge.person_deletes.contains(&(Side::Org, email.clone())) => {
                one_sided(state, &mut wrong, email, Side::Platform, (id, values), waiting);
            }
            ([(id, values)], []) if state.judge.person_deletes.contains(&(Side::Platform, email.clone())) => {
                one_sided(state, &mut wrong, email, Side::Org, (id, values), waiting);
            }
            // Nobody is made where nothing is written to.
            ([], [_]) if !manner.writes(Side::Org) => {}
            ([_], []) if !manner.writes(Side::Platform) => {}
            // People made these duplicates themselves.
            ([_], platform) if !manner.unique && made_at_the_same_time(state, platform) => {}
            (org, _) if org.len() > 1 => twins(state, &mut wrong, email, found),
            (org, platform) => wrong.push(format!(
                "{email}: {} in the org, {} on the platform: {:?} {:?}",
                org.len(),
                platform.len(),
                org.iter().map(|(id, _)| id).collect::<Vec<_>>(),
                platform.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            )),
        }
    }
    wrong
}

impl State {
    /// Whether a platform record carries the id of a record of the org that somebody deleted or merged away, or that of a lead whose
    /// contact went so, or took in another one that has its own.
    fn is_held_by_one_that_is_gone(&self, platform: &BTreeMap<String, Value>) -> bool {
        let mark = platform.get("externalId").map(ToString::to_string).unwrap_or_default();
        let gone = |id: &String| {
            let of_org = self.objects.org.values().find_map(|records| records.get(id));
            of_org.and_then(SimRecord::newest).is_some_and(|version| version.deleted)
        };
        let was_carried = |id: &str| {
            let versions = self.objects.platform.values().flatten().flat_map(|(_, record)| &record.versions);
            versions.into_iter().any(|version| carries(&version.values, id))
        };
        let took_one_in = |contact: &str| {
            self.objects.org.values().flatten().any(|(id, record)| {
                let into = record.newest().and_then(|version| version.merged_into.as_deref());
                into == Some(contact) && was_carried(id)
            })
        };
        let heirs = self.judge.heirs.iter().filter(|(_, lead)| **lead == mark);
        gone(&mark) || heirs.map(|(contact, _)| contact).any(|contact| gone(contact) || took_one_in(contact))
    }

    /// Whether a person deleted a record of the org with this address after the sync had matched it with one of the platform.
    fn met_one_that_is_gone(&self, email: &str) -> bool {
        let mut all = self.objects.org.values().flatten();
        all.any(|(id, record)| {
            record.newest().is_some_and(|version| address(&version.values) == email)
                && self.is_thrown_away(Side::Org, id)
                && touched(self, Side::Org, id)
        })
    }

    /// Whether a person deleted a record.
    fn is_thrown_away(&self, side: Side, id: &str) -> bool {
        let newest = self.objects[side].values().find_map(|records| records.get(id)?.newest());
        newest.is_some_and(|version| version.deleted && !version.by_sync)
    }

    /// Whether a record of this address was deleted or merged by people.
    fn lost_one(&self, email: &str) -> bool {
        self.judge.messy.contains(email)
            || Side::BOTH
                .into_iter()
                .any(|side| self.judge.person_deletes.contains(&(side, email.to_owned())))
    }
}

/// Whether a person made one of these while the sync was about to make another.
fn made_at_the_same_time(state: &State, found: &[Found]) -> bool {
    let first = |(id, _): &Found| state.objects.platform["contact"][id].versions.first();
    let ours = || found.iter().filter_map(first).filter(|version| version.by_sync);
    let theirs = || found.iter().filter_map(first).filter(|version| !version.by_sync);
    ours().count() == 1 && theirs().all(|their| ours().all(|our| their.visible > our.visible - SLIPPED_IN))
}

/// Whether a platform record carries this id of the org.
fn carries(platform: &BTreeMap<String, Value>, org: &str) -> bool {
    platform.get("externalId").is_some_and(|mark| mark.to_string() == org)
}

/// A person deleted the counterpart: the policy says what has to be left.
fn one_sided(
    state: &State,
    wrong: &mut Vec<String>,
    email: &str,
    side: Side,
    left: (&String, &BTreeMap<String, Value>),
    waiting: &Waiting,
) {
    let manner = &state.manner;
    // Its counterpart went before anybody had looked this one up.
    let never_met = manner.feed == Feed::Nothing && !left.1.contains_key("externalId");
    if !manner.writes(side) || never_met || side == Side::Org && !manner.tells_fates {
        return;
    }
    match (state.judge.deletes, side) {
        (DeletePolicy::Propagate, _) if !waiting.deleted.contains(left.0) => {
            wrong.push(format!("{email}: its delete did not reach {} on the {side}", left.0));
        }
        (DeletePolicy::Deactivate, Side::Platform) if left.1.get("inactive") != Some(&Value::Bool(true)) => {
            wrong.push(format!("{email}: {} was not deactivated", left.0));
        }
        (DeletePolicy::Ignore | DeletePolicy::Deactivate | DeletePolicy::Propagate, _) => {}
    }
}

fn compare(
    state: &State,
    wrong: &mut Vec<String>,
    email: &str,
    org: (&String, &BTreeMap<String, Value>),
    platform: (&String, &BTreeMap<String, Value>),
    parked: &BTreeSet<(String, usize)>,
) {
    for topic in Topic::ALL {
        if parked.contains(&(org.0.clone(), topic.place())) {
            continue;
        }
        let (there, here) = (held(org.1, Side::Org, topic), held(platform.1, Side::Platform, topic));
        // What an undo left apart stays so when its lead is converted, or its contact merged into one that holds the same, as long as
        // nobody edits the heir.
        let before = predecessors(state, org.0)
            .into_iter()
            .find(|(_, values)| held(values, Side::Org, topic) == there);
        let of_lead = before.map(|(id, _)| standing(state, &id, platform.0, topic));
        let own = standing(state, org.0, platform.0, topic);
        match if let (Standing::AsEver, Some(of_lead)) = (&own, of_lead) { of_lead } else { own } {
            Standing::AsEver => {}
            Standing::Fine => continue,
            Standing::Wrong(sentence) => {
                wrong.push(format!("{email}: {sentence}"));
                continue;
            }
        }
        if let Some(target) = state.target(topic) {
            one_way(state, wrong, email, topic, target, PerSide { org: there, platform: here });
            continue;
        }
        if there != here {
            wrong.push(format!("{email} {topic:?}: the org holds edit {there:?}, the platform {here:?}"));
            continue;
        }
        let Some(last) = there else { continue };
        let author = state.judge.edits[&last].side;
        let (id, held) = if author == Side::Org { org } else { platform };
        // A record that took the place of its author's own has the other side's spelling.
        let own = state.judge.edits[&last].record == *id || state.judge.heirs.contains_key(id);
        for (field, text) in topic.fields(author).iter().zip(topic.texts(author, last)).filter(|_| own) {
            let meant = state.rewrite(author, field, Value::text(text));
            if held.get(*field) != Some(&meant) {
                wrong.push(format!(
                    "{email} {topic:?}: its author wrote {meant:?} on the {author}, and there stands {:?}",
                    held.get(*field)
                ));
            }
        }
        leaves(state, wrong, email, topic, last);
    }
    if !state.manner.writes(Side::Platform) {
        return;
    }
    let mark = platform.1.get("externalId").map(ToString::to_string).unwrap_or_default();
    if mark != *org.0 && !parked.contains(&(org.0.clone(), MARK)) {
        wrong.push(format!("{email}: the platform's record carries the id {mark:?} and not {:?}", org.0));
    }
    let out = |values: &BTreeMap<String, Value>, field: &str| values.get(field) == Some(&Value::Bool(true));
    let first = state.objects.platform["contact"][platform.0].versions.first();
    if first.is_some_and(|version| version.by_sync && !out(&version.values, "optedOut")) {
        wrong.push(format!("{email}: a new contact was opted in although nobody had said so"));
    }
    for (side, record, values, field) in
        [(Side::Org, org.0, org.1, "HasOptedOut"), (Side::Platform, platform.0, platform.1, "optedOut")]
    {
        let last = state.judge.consents.iter().rev().find(|edit| edit.side == side && edit.record == *record);
        if last.is_some_and(|edit| edit.out) {
            let lifted = !out(values, field);
            // It may have been lifted only by a later opt-in of a person on the other side.
            let other = if side == Side::Org { platform.0 } else { org.0 };
            let opted_in = state
                .judge
                .consents
                .iter()
                .any(|edit| edit.side != side && lives_on(state, &edit.record, other) && !edit.out);
            if lifted && !opted_in {
                wrong.push(format!("{email}: the opt-out made on the {side} was lost"));
            }
        }
    }
}

/// Whether a record is another one by now: a lead its contact.
fn lives_on(state: &State, record: &str, now: &str) -> bool {
    record == now || state.judge.heirs.get(now).is_some_and(|lead| lead == record)
}

/// The lead that a contact came from, and the contacts that were merged into it, with what they last held.
fn predecessors(state: &State, heir: &str) -> Vec<(String, BTreeMap<String, Value>)> {
    let lead = state.judge.heirs.get(heir);
    let all = state.objects.org.values().flatten();
    let newest = all.filter_map(|(id, record)| Some((id, record.newest()?)));
    let before =
        newest.filter(|(id, version)| lead == Some(id) || version.merged_into.as_deref() == Some(heir));
    before.map(|(id, version)| (id.clone(), version.values.clone())).collect()
}
