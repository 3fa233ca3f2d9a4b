//! The judge: it keeps its own log of every edit with what its author had seen, and knows nothing of the engine's state.
//!
//! A final value must be an edit that nobody built upon. Any other such edit must have been concurrent with it and lose by the
//! policy as the judge computes it.

use std::collections::{BTreeMap, BTreeSet};

use forcesync::domain::mapping::Policy;
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;

use super::world::State;

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
}

#[derive(Clone, Debug)]
pub struct Edit {
    pub side: Side,
    pub topic: Topic,
    /// The edit whose value stood there when it was made.
    pub parent: Option<u64>,
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
}

/// Every value carries the number of its edit in digits.
pub fn edit_in(values: &[Option<&Value>]) -> Option<u64> {
    let text: String = values.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let digits: String =
        text.chars().skip_while(|letter| !letter.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn held(values: &BTreeMap<String, Value>, side: Side, topic: Topic) -> Option<u64> {
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
    ) -> Vec<(String, Value)> {
        self.judge.next += 1;
        let number = self.judge.next;
        let parent = held(present, side, topic);
        self.judge.edits.insert(number, Edit { side, topic, parent });
        let texts: Vec<String> = match (topic, side) {
            (Topic::Name, Side::Org) => vec!["Ann".into(), format!("Lee{number}")],
            (Topic::Name, Side::Platform) => vec![format!("Ann Lee{number}")],
            (Topic::Phone, _) => vec![format!("+{number}")],
            (Topic::Address, _) => vec![format!("Road {number}"), format!("Town {number}")],
            (Topic::Status, _) => vec![format!("S{number}")],
        };
        topic
            .fields(side)
            .iter()
            .map(|field| (*field).to_owned())
            .zip(texts.into_iter().map(Value::text))
            .collect()
    }
}

/// A record's id and what it holds, looked at.
type Seen<'a> = (&'a String, &'a BTreeMap<String, Value>);

/// A record's id and what it holds.
type Found = (String, BTreeMap<String, Value>);

/// What the judge finds wrong at the end. A pair in `parked` (by the org's id) may differ: a person has to decide it. So
/// may the one topic that asks, where it is in `asked`.
pub fn judge(
    state: &State,
    objects: &[&str],
    one_way_status: bool,
    parked: &BTreeSet<String>,
    asked: &BTreeSet<String>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut by_email: BTreeMap<String, PerSide<Vec<Found>>> = BTreeMap::new();
    for object in objects {
        for (id, version) in state.live(Side::Org, object) {
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
            ([(org_id, org)], [(platform_id, platform)]) => {
                if !parked.contains(org_id) {
                    let people = ((org_id, org), (platform_id, platform));
                    compare(state, &mut wrong, email, people, one_way_status, asked.contains(org_id));
                }
            }
            // People made these duplicates themselves, or deleted one of two.
            _ if email.contains("twin") || email.contains("gone") => {}
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

fn compare(
    state: &State,
    wrong: &mut Vec<String>,
    email: &str,
    (org, platform): (Seen<'_>, Seen<'_>),
    one_way_status: bool,
    asked: bool,
) {
    for topic in Topic::ALL {
        let (there, here) = (held(org.1, Side::Org, topic), held(platform.1, Side::Platform, topic));
        if topic == Topic::Status && one_way_status {
            // The target may drift; the org's value only comes from the org.
            if there.is_some_and(|number| state.judge.edits[&number].side == Side::Platform) {
                wrong.push(format!("{email}: a one-way pair flowed back: {there:?}"));
            }
            continue;
        }
        if asked && state.judge.policy.get(&topic) == Some(&Policy::Ask) {
            continue;
        }
        if there != here {
            wrong.push(format!("{email} {topic:?}: the org holds edit {there:?}, the platform {here:?}"));
            continue;
        }
        let Some(last) = there else { continue };
        leaves(state, wrong, email, topic, last);
    }
    let out = |values: &BTreeMap<String, Value>, field: &str| values.get(field) == Some(&Value::Bool(true));
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
        if *number == last || edit.topic != topic || parents.contains(number) {
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
            won.iter().any(|winner| lost_fairly(state, topic, &edits[loser], &edits[winner]))
                || lost.iter().any(|other| {
                    other > loser
                        && won.iter().any(|winner| lost_fairly(state, topic, &edits[other], &edits[winner]))
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

fn lost_fairly(state: &State, topic: Topic, loser: &Edit, winner: &Edit) -> bool {
    match state.judge.policy.get(&topic).copied().unwrap_or_default() {
        Policy::SalesforceWins | Policy::KeepNonBlank => {
            loser.side == Side::Platform && winner.side == Side::Org
        }
        Policy::PlatformWins => loser.side == Side::Org && winner.side == Side::Platform,
        Policy::NewestWins => loser.side != winner.side,
        Policy::Ask => false,
    }
}
