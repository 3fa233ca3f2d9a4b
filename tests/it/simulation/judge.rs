//! The judge: it keeps its own log of every edit with what its author had seen, and knows nothing of the engine's state.
//!
//! A final value must be an edit that nobody built upon. Any other such edit must have been concurrent with it and lose by the
//! policy as the judge computes it.

use std::collections::{BTreeMap, BTreeSet};

use forcesync::domain::mapping::{DeletePolicy, Policy};
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;

use super::undo::{Standing, Undone, standing};
use super::world::{SimRecord, State, Version, is_converted};

/// What a person changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Name,
    Phone,
    Address,
    Status,
}

impl Topic {
    pub const ALL: [Self; 4] = [Self::Name, Self::Phone, Self::Address, Self::Status];

    pub fn fields(self, side: Side) -> &'static [&'static str] {
        match (self, side) {
            (Self::Name, Side::Org) => &["FirstName", "LastName"],
            (Self::Name, Side::Platform) => &["name"],
            (Self::Phone, Side::Org) => &["Phone"],
            (Self::Phone, Side::Platform) => &["phone"],
            (Self::Address, Side::Org) => &["Street", "City"],
            (Self::Address, Side::Platform) => &["street", "city"],
            (Self::Status, Side::Org) => &["Status"],
            (Self::Status, Side::Platform) => &["status"],
        }
    }

    /// The place of its pair in the mappings.
    fn place(self) -> usize {
        match self {
            Self::Name => 1,
            Self::Phone => 2,
            Self::Address => 3,
            Self::Status => 4,
        }
    }

    /// What an edit writes into the fields.
    pub fn texts(self, side: Side, number: u64) -> Vec<String> {
        match (self, side) {
            (Self::Name, Side::Org) => vec!["Ann".into(), format!("Lee{number}")],
            (Self::Name, Side::Platform) => vec![format!("Ann Lee{number}")],
            (Self::Phone, _) => vec![format!("+{number}")],
            (Self::Address, _) => vec![format!("Road {number}"), format!("Town {number}")],
            (Self::Status, _) => vec![format!("S{number}")],
        }
    }
}

#[derive(Clone, Debug)]
pub struct Edit {
    pub side: Side,
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

pub fn address(values: &BTreeMap<String, Value>) -> String {
    let held = values.get("Email").or_else(|| values.get("email"));
    held.map(ToString::to_string).unwrap_or_default().to_lowercase()
}

/// Every value carries the number of its edit in digits.
pub fn edit_in(values: &[Option<&Value>]) -> Option<u64> {
    let text: String = values.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let digits: String =
        text.chars().skip_while(|letter| !letter.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

pub fn held(values: &BTreeMap<String, Value>, side: Side, topic: Topic) -> Option<u64> {
    let found: Vec<Option<&Value>> = topic.fields(side).iter().map(|field| values.get(*field)).collect();
    edit_in(&found)
}

impl State {
    /// Values for a new edit of a topic, and its entry in the judge's log.
    pub fn new_edit(
        &mut self,
        side: Side,
        topic: Topic,
        present: &BTreeMap<String, Value>,
        at: i64,
    ) -> Vec<(String, Value)> {
        self.judge.next += 1;
        let number = self.judge.next;
        let parent = held(present, side, topic);
        self.judge.edits.insert(number, Edit { side, topic, parent, at });
        let texts = topic.texts(side, number);
        topic
            .fields(side)
            .iter()
            .map(|field| (*field).to_owned())
            .zip(texts.into_iter().map(Value::text))
            .collect()
    }
}

impl State {
    /// Looks at a write of the sync as it is done: it never puts a value back that its target's author had seen and changed.
    pub fn judge_write(&mut self, side: Side, object: &str, id: &str, changes: &[(String, Value)]) {
        self.judge.sync_writes += 1;
        // An undo does just that; it has its own judge.
        if self.undoing {
            return;
        }
        let held_now =
            self.objects[side].get(object).and_then(|records| records.get(id)).and_then(SimRecord::newest);
        let Some(present) = held_now.map(|version| version.values.clone()) else { return };
        let sent: BTreeMap<String, Value> = changes.iter().cloned().collect();
        for topic in Topic::ALL {
            let (Some(new), Some(old)) = (held(&sent, side, topic), held(&present, side, topic)) else {
                continue;
            };
            let mut seen = self.judge.edits.get(&old).and_then(|edit| edit.parent);
            while let Some(ancestor) = seen {
                if ancestor == new {
                    self.judge
                        .wrong
                        .push(format!("{side} {id} {topic:?}: edit {old} was put back to edit {new}"));
                }
                seen = self.judge.edits.get(&ancestor).and_then(|edit| edit.parent);
            }
        }
    }
}

/// The place of the pair that gives the org's id to the platform.
const MARK: usize = 6;

/// A record's id and what it holds.
type Found = (String, BTreeMap<String, Value>);

/// What the judge finds wrong at the end. What is `waiting` may differ: a person has to decide it.
pub fn judge(state: &State, objects: &[&str], one_way_status: bool, waiting: &Waiting) -> Vec<String> {
    let mut wrong = state.judge.wrong.clone();
    let mut by_email: BTreeMap<String, PerSide<Vec<Found>>> = BTreeMap::new();
    for object in objects {
        for (id, version) in state.live(Side::Org, object) {
            if is_converted(&version.values) {
                continue;
            }
            let email =
                version.values.get("Email").map(ToString::to_string).unwrap_or_default().to_lowercase();
            by_email.entry(email).or_default().org.push((id, version.values));
        }
    }
    for (id, version) in state.live(Side::Platform, "contact") {
        let email = version.values.get("email").map(ToString::to_string).unwrap_or_default().to_lowercase();
        by_email.entry(email).or_default().platform.push((id, version.values));
    }
    for (email, found) in &by_email {
        match (found.org.as_slice(), found.platform.as_slice()) {
            // One of several was deleted or merged away: its closed link keeps the other out of matching (law E9).
            ([_], _) if state.had_several(email) && state.lost_one(email) => {}
            ([(org_id, org)], [(platform_id, platform)]) => {
                compare(
                    state,
                    &mut wrong,
                    email,
                    (org_id, org),
                    (platform_id, platform),
                    one_way_status,
                    &waiting.parked,
                );
            }
            // People brought back what has a namesake by now.
            _ if state.judge.messy.contains(email) => {}
            ([], [(id, values)]) if state.judge.person_deletes.contains(&(Side::Org, email.clone())) => {
                one_sided(state, &mut wrong, email, Side::Platform, (id, values), waiting);
            }
            ([(id, values)], []) if state.judge.person_deletes.contains(&(Side::Platform, email.clone())) => {
                one_sided(state, &mut wrong, email, Side::Org, (id, values), waiting);
            }
            // An undo took the creation of the other back: this one stands alone.
            ([_], []) | ([], [_]) if state.judge.undone.uncreated.contains(email) => {}
            // People made these duplicates themselves.
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
    /// Whether more than one record of the org ever had this address, apart from leads that were converted.
    fn had_several(&self, email: &str) -> bool {
        let records = self.objects.org.values().flatten().filter_map(|(_, record)| record.newest());
        let of_address = records
            .filter(|version| address(&version.values) == email && !is_converted(&version.values))
            .count();
        of_address > 1
    }

    /// Whether a record of this address was deleted or merged by people.
    fn lost_one(&self, email: &str) -> bool {
        self.judge.messy.contains(email)
            || Side::BOTH
                .into_iter()
                .any(|side| self.judge.person_deletes.contains(&(side, email.to_owned())))
    }
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

impl State {
    /// The sync is about to delete a record: a person must have deleted its counterpart, and whatever people wrote into it must
    /// have been known there.
    pub fn judge_removal(&mut self, now: i64, side: Side, object: &str, id: &str) {
        let taken_back = self.undoing && super::undo::judge_uncreation(self, now, side, object, id);
        self.judge.removals += u64::from(!taken_back);
        let values = self.objects[side][object][id].newest().unwrap().values.clone();
        let email = address(&values);
        let mut wrong = Vec::new();
        if self.judge.deletes != DeletePolicy::Propagate && !taken_back {
            wrong.push(format!("{email}: {id} was deleted although no delete may cross"));
        }
        let there = side.other();
        if !self.judge.person_deletes.contains(&(there, email.clone())) && !taken_back {
            wrong.push(format!("{email}: {id} was deleted, but nobody deleted its counterpart"));
        }
        let known: Vec<BTreeMap<String, Value>> = self.objects[there]
            .values()
            .flatten()
            .filter_map(|(_, record)| record.newest())
            .filter(|version| address(&version.values) == email)
            .map(|version| version.values.clone())
            .collect();
        for topic in Topic::ALL {
            // Drift of a one-way pair's target is no edit that counts.
            let Some(edit) = held(&values, side, topic).filter(|_| topic != Topic::Status) else { continue };
            // An undo put it back, or took it off the other side: both bases are what the sides held then (law E16).
            if self.judge.undone.put_back(side, id, topic) == Some(edit)
                || self.judge.undone.edits.contains(&edit)
            {
                continue;
            }
            let mut seen = BTreeSet::new();
            for counterpart in &known {
                let mut at = held(counterpart, there, topic);
                while let Some(number) = at {
                    seen.insert(number);
                    at = self.judge.edits.get(&number).and_then(|edit| edit.parent);
                }
            }
            if !seen.contains(&edit) {
                wrong.push(format!("{email} {topic:?}: edit {edit} was deleted with {id} unseen"));
            }
        }
        self.judge.wrong.extend(wrong);
    }
}

/// Several records of the org with one key: at most one of them was ever linked, and none if they were there from the start as
/// records of one object.
fn twins(state: &State, wrong: &mut Vec<String>, email: &str, found: &PerSide<Vec<Found>>) {
    // Taking a flag back says nothing about whom it was matched with.
    let content = |version: &Version| {
        let values = version.values.iter().filter(|(field, _)| *field != "Flag__c");
        values.map(|(field, value)| (field.clone(), value.clone())).collect::<BTreeMap<_, _>>()
    };
    let touched = |side: Side, id: &str| {
        let records = state.objects[side].values().filter_map(|records| records.get(id));
        let mut versions = records.flat_map(|record| {
            let before = std::iter::once(None).chain(record.versions.iter().map(Some));
            before.zip(&record.versions)
        });
        versions.any(|(before, version)| version.by_sync && before.map(content) != Some(content(version)))
    };
    let written = found.org.iter().filter(|(id, _)| touched(Side::Org, id)).count();
    let marks: BTreeSet<String> = found
        .platform
        .iter()
        .filter_map(|(_, values)| Some(values.get("externalId")?.to_string()))
        .filter(|mark| !mark.is_empty())
        .collect();
    let handed_on = found.platform.iter().any(|(id, _)| {
        let versions = &state.objects.platform["contact"][id].versions;
        let marks: BTreeSet<String> = versions
            .iter()
            .filter_map(|version| Some(version.values.get("externalId")?.to_string()))
            .filter(|mark| !mark.is_empty())
            .collect();
        marks.len() > 1
    });
    // What takes the place of a deleted, merged or converted record may be given its counterpart.
    let succeeded = state.judge.converted.contains(email) || state.lost_one(email);
    let (handed_on, written_both) = (handed_on && !succeeded, written > 1 && !succeeded);
    if written_both || found.platform.len() > 1 || marks.len() > 1 || handed_on {
        wrong.push(format!("{email}: {written} of {} twins were written to", found.org.len()));
    }
    let one_object = found.org.windows(2).all(|two| two[0].0.get(..3) == two[1].0.get(..3));
    let platform_touched = found.platform.iter().any(|(id, _)| touched(Side::Platform, id));
    if email.contains("twin")
        && one_object
        && !state.judge.strayed.contains(email)
        && !state.judge.converted.contains(email)
        && !state.lost_one(email)
        && (written > 0 || platform_touched)
    {
        wrong.push(format!("{email}: two of one key were matched although nobody can tell them apart"));
    }
}

fn compare(
    state: &State,
    wrong: &mut Vec<String>,
    email: &str,
    org: (&String, &BTreeMap<String, Value>),
    platform: (&String, &BTreeMap<String, Value>),
    one_way_status: bool,
    parked: &BTreeSet<(String, usize)>,
) {
    for topic in Topic::ALL {
        if parked.contains(&(org.0.clone(), topic.place())) {
            continue;
        }
        let (there, here) = (held(org.1, Side::Org, topic), held(platform.1, Side::Platform, topic));
        if topic == Topic::Status && one_way_status {
            // The target may drift; the org's value only comes from the org.
            if there.is_some_and(|number| state.judge.edits[&number].side == Side::Platform) {
                wrong.push(format!("{email}: a one-way pair flowed back: {there:?}"));
            }
            continue;
        }
        // What an undo left apart stays so when its lead is converted, as long as nobody edits the contact.
        let lead = state.judge.heirs.get(org.0).filter(|lead| {
            let before = state.objects.org["Lead"].get(*lead).and_then(SimRecord::newest);
            before.is_some_and(|before| held(&before.values, Side::Org, topic) == there)
        });
        let of_lead = lead.map(|lead| standing(state, lead, platform.0, topic));
        let own = standing(state, org.0, platform.0, topic);
        match if let (Standing::AsEver, Some(of_lead)) = (&own, of_lead) { of_lead } else { own } {
            Standing::AsEver => {}
            Standing::Fine => continue,
            Standing::Wrong(sentence) => {
                wrong.push(format!("{email}: {sentence}"));
                continue;
            }
        }
        if there != here {
            wrong.push(format!("{email} {topic:?}: the org holds edit {there:?}, the platform {here:?}"));
            continue;
        }
        let Some(last) = there else { continue };
        let author = state.judge.edits[&last].side;
        let held = if author == Side::Org { org.1 } else { platform.1 };
        for (field, text) in topic.fields(author).iter().zip(topic.texts(author, last)) {
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
                .any(|edit| edit.side != side && edit.record == *other && !edit.out);
            if lifted && !opted_in {
                wrong.push(format!("{email}: the opt-out made on the {side} was lost"));
            }
        }
    }
}

/// The winner must be an edit that nobody built upon, and every other such edit of the same records must have lost by policy to
/// the winner or to something the winner was built upon.
fn leaves(state: &State, wrong: &mut Vec<String>, email: &str, topic: Topic, last: u64) {
    let edits = &state.judge.edits;
    let chain = |number: u64| {
        let mut chain = vec![number];
        while let Some(parent) =
            chain.last().and_then(|number| edits.get(number)).and_then(|edit| edit.parent)
        {
            chain.push(parent);
        }
        chain
    };
    let winners = chain(last);
    let parents: BTreeSet<u64> = edits.values().filter_map(|edit| edit.parent).collect();
    for (number, edit) in edits {
        let undone = state.judge.undone.edits.contains(number);
        if *number == last || edit.topic != topic || parents.contains(number) || undone {
            continue;
        }
        let losers = chain(*number);
        // Edits with a common root belong to the same pair of records.
        if losers.last() != winners.last() {
            continue;
        }
        // The part of either chain that the other never saw.
        let lost: Vec<u64> = losers.iter().copied().filter(|one| !winners.contains(one)).collect();
        let won: Vec<u64> = winners.iter().copied().filter(|one| !losers.contains(one)).collect();
        let fairly = lost.iter().all(|loser| {
            won.iter().any(|winner| lost_fairly(state, email, topic, &edits[loser], &edits[winner]))
                || lost.iter().any(|other| {
                    other > loser
                        && won
                            .iter()
                            .any(|winner| lost_fairly(state, email, topic, &edits[other], &edits[winner]))
                })
        });
        if !fairly {
            wrong.push(format!(
                "{email} {topic:?}: edit {number} of the {} was lost to edit {last} of the {}",
                edit.side, edits[&last].side
            ));
        }
    }
}

fn lost_fairly(state: &State, email: &str, topic: Topic, loser: &Edit, winner: &Edit) -> bool {
    // Contact and platform record met for the first time when the lead was converted.
    let met_anew = state.judge.converted.contains(email) || state.judge.messy.contains(email);
    if met_anew && loser.side == Side::Platform && winner.side == Side::Org {
        return true;
    }
    match state.judge.policy.get(&topic).copied().unwrap_or_default() {
        Policy::SalesforceWins | Policy::KeepNonBlank => {
            loser.side == Side::Platform && winner.side == Side::Org
        }
        Policy::PlatformWins => loser.side == Side::Org && winner.side == Side::Platform,
        // Where it can't be told which is later, the org's wins.
        Policy::NewestWins => loser.side != winner.side && (winner.side == Side::Org || winner.at > loser.at),
        Policy::Ask => false,
    }
}
