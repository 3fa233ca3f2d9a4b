//! The three-way merge of one pair (law E2).
//!
//! A side changed if its value differs from **its own** base. Consent pairs never come here for a decision of their own:
//! they go through [`crate::domain::consent`].

use chrono::{DateTime, Utc};

use crate::domain::compiled::CompiledPair;
use crate::domain::consent::{self, Consent};
use crate::domain::mapping::{Drift, FirstMeeting, Policy};
use crate::domain::plan::{Obstacle, Rule};
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::value::Value;
use crate::mutant::{Mutant, broken};

/// A pair's value on one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// As read; this is what is sent.
    pub raw: Vec<Value>,
    /// In canonical form; this is what is compared.
    pub folded: Vec<Value>,
}

impl Seen {
    fn is_blank(&self) -> bool {
        self.folded.iter().all(Value::is_blank)
    }
}

/// When a side's value changed: after it was last seen equal to its base, and no later than it was seen different, both on
/// the engine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedWithin {
    /// It was still equal to its base then.
    pub after: DateTime<Utc>,
    /// It was different by then.
    pub until: DateTime<Utc>,
}

/// What happens to a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is written; both present values become the bases.
    Settled,
    /// Values are written to one side or both.
    Write {
        /// Per side, what it receives.
        values: PerSide<Option<Vec<Value>>>,
        /// Why.
        rule: Rule,
    },
    /// A person must decide; the old bases stay.
    Park(&'static str),
    /// It can't be done; the old bases stay.
    Stuck(Obstacle),
}

fn write(to: Side, values: Vec<Value>, rule: Rule) -> Verdict {
    let mut both = PerSide::default();
    both[to] = Some(values);
    Verdict::Write { values: both, rule }
}

/// Decides one pair. `base` holds canonical values; `changed_within` is consulted by `newest_wins` alone.
pub fn merge(
    pair: &CompiledPair,
    first_meeting: FirstMeeting,
    now: &PerSide<Seen>,
    base: Option<&PerSide<Vec<Value>>>,
    changed_within: &PerSide<Option<ChangedWithin>>,
) -> Verdict {
    if let Transform::Consent { org, platform } = &pair.spec.transform {
        return merge_consent(pair, PerSide { org: *org, platform: *platform }, now, base);
    }
    let Some(base) = base else { return first_meeting_of(pair, first_meeting, now) };
    let own = |side: Side| if broken(Mutant::OneBaseForBoth) { Side::Org } else { side };
    let changed = PerSide::from_fn(|side| now[side].folded != base[own(side)]);
    match (changed.org, changed.platform) {
        (false, false) => Verdict::Settled,
        (true, false) => one_changed(pair, Side::Org, now),
        (false, true) => one_changed(pair, Side::Platform, now),
        (true, true) => both_changed(pair, now, changed_within),
    }
}

/// Whether both sides say the same, read in either direction.
fn agree(pair: &CompiledPair, now: &PerSide<Seen>) -> bool {
    let same = |from: Side| {
        let to = from.other();
        pair.translate(from, &now[from].raw, Some(&now[to].raw))
            .is_ok_and(|turned| pair.fold(to, &turned) == now[to].folded)
    };
    same(Side::Org) || (!matches!(pair.spec.transform, Transform::Constant(_)) && same(Side::Platform))
}

fn send(pair: &CompiledPair, from: Side, now: &PerSide<Seen>, rule: Rule) -> Verdict {
    let to = from.other();
    match pair.translate(from, &now[from].raw, Some(&now[to].raw)) {
        Ok(values) if pair.fold(to, &values) == now[to].folded => Verdict::Settled,
        Ok(values) => write(to, values, rule),
        Err(error) => {
            Verdict::Stuck(Obstacle { code: error.code().into(), message: error.to_string(), pair: None })
        }
    }
}

fn one_changed(pair: &CompiledPair, changed: Side, now: &PerSide<Seen>) -> Verdict {
    if pair.direction.allows(changed.other()) || broken(Mutant::DirectionIgnored) {
        let rule = match changed {
            Side::Org => Rule::SalesforceChanged,
            Side::Platform => Rule::PlatformChanged,
        };
        return if agree(pair, now) { Verdict::Settled } else { send(pair, changed, now, rule) };
    }
    match pair.spec.drift {
        Drift::Leave => Verdict::Settled,
        Drift::Enforce => send(pair, changed.other(), now, Rule::Enforced),
    }
}

fn both_changed(
    pair: &CompiledPair,
    now: &PerSide<Seen>,
    changed_within: &PerSide<Option<ChangedWithin>>,
) -> Verdict {
    if agree(pair, now) {
        return Verdict::Settled;
    }
    match (pair.direction.allows(Side::Org), pair.direction.allows(Side::Platform)) {
        (true, true) => {}
        (false, true) => return send(pair, Side::Org, now, Rule::SalesforceChanged),
        (true, false) => return send(pair, Side::Platform, now, Rule::PlatformChanged),
        (false, false) => return Verdict::Settled,
    }
    match applied(pair.spec.policy) {
        Policy::SalesforceWins => send(pair, Side::Org, now, Rule::SalesforceWins),
        Policy::PlatformWins => send(pair, Side::Platform, now, Rule::PlatformWins),
        Policy::NewestWins => match (changed_within.org, changed_within.platform) {
            (Some(org), Some(platform)) if org.after >= platform.until => {
                let later = if broken(Mutant::NewestInverted) { Side::Platform } else { Side::Org };
                send(pair, later, now, Rule::Newest)
            }
            (Some(org), Some(platform)) if platform.after >= org.until => {
                send(pair, Side::Platform, now, Rule::Newest)
            }
            _ => send(pair, Side::Org, now, Rule::NewestUnclear),
        },
        Policy::KeepNonBlank => match (now.org.is_blank(), now.platform.is_blank()) {
            (true, false) => send(pair, Side::Platform, now, Rule::NonBlank),
            (false, true) => send(pair, Side::Org, now, Rule::NonBlank),
            _ => send(pair, Side::Org, now, Rule::SalesforceWins),
        },
        Policy::Ask => Verdict::Park("ask"),
    }
}

/// The policy, unless its law is broken on purpose.
fn applied(policy: Policy) -> Policy {
    match policy {
        Policy::SalesforceWins if broken(Mutant::PolicyInverted) => Policy::PlatformWins,
        Policy::PlatformWins if broken(Mutant::PolicyInverted) => Policy::SalesforceWins,
        policy => policy,
    }
}

/// No base: equal is adopted, a blank is filled and never wins, two different values follow the mapping's rule. A pair of
/// several fields whose filled parts agree is completed on both sides.
fn first_meeting_of(pair: &CompiledPair, first_meeting: FirstMeeting, now: &PerSide<Seen>) -> Verdict {
    if agree(pair, now) {
        return Verdict::Settled;
    }
    for side in Side::BOTH {
        if now[side].is_blank() {
            let from = if broken(Mutant::BlankWins) { side } else { side.other() };
            return if pair.direction.allows(from.other()) {
                send(pair, from, now, Rule::Filled)
            } else {
                Verdict::Settled
            };
        }
    }
    if let Some(completed) = complete(pair, now) {
        return completed;
    }
    let (from, rule) = match first_meeting {
        FirstMeeting::SalesforceWins => (Side::Org, Rule::FirstMeetingSalesforce),
        FirstMeeting::PlatformWins => (Side::Platform, Rule::FirstMeetingPlatform),
        FirstMeeting::FillBlanksOnly => return Verdict::Settled,
        FirstMeeting::Ask => return Verdict::Park("first_meeting"),
    };
    if pair.direction.allows(from.other()) { send(pair, from, now, rule) } else { Verdict::Settled }
}

/// Fills the blanks of either side of a plain pair of several fields, if no two filled fields differ.
fn complete(pair: &CompiledPair, now: &PerSide<Seen>) -> Option<Verdict> {
    if !pair.spec.transform.is_copy() || pair.spec.org.len() < 2 {
        return None;
    }
    let mut values = PerSide::from_fn(|side| now[side].raw.clone());
    let mut filled = PerSide { org: false, platform: false };
    for place in 0..pair.spec.org.len() {
        let at = |side: Side| (now[side].raw.get(place), now[side].folded.get(place));
        let ((Some(org), Some(org_folded)), (Some(platform), Some(platform_folded))) =
            (at(Side::Org), at(Side::Platform))
        else {
            return None;
        };
        match (org_folded.is_blank(), platform_folded.is_blank()) {
            (true, false) => {
                values.org[place] = platform.clone();
                filled.org = true;
            }
            (false, true) => {
                values.platform[place] = org.clone();
                filled.platform = true;
            }
            _ if pair.fold(Side::Platform, &now.org.raw).get(place) == Some(platform_folded) => {}
            _ => return None,
        }
    }
    let receive = |side: Side| filled[side] && pair.direction.allows(side);
    if !receive(Side::Org) && !receive(Side::Platform) {
        return Some(Verdict::Settled);
    }
    Some(Verdict::Write {
        values: PerSide {
            org: receive(Side::Org).then(|| values.org.clone()),
            platform: receive(Side::Platform).then(|| values.platform.clone()),
        },
        rule: Rule::Filled,
    })
}

fn merge_consent(
    pair: &CompiledPair,
    forms: PerSide<crate::domain::consent::ConsentForm>,
    now: &PerSide<Seen>,
    base: Option<&PerSide<Vec<Value>>>,
) -> Verdict {
    let first = |values: &[Value]| values.first().cloned().unwrap_or_default();
    let mut said = PerSide { org: Consent::Unknown, platform: Consent::Unknown };
    let mut before = PerSide { org: Consent::Unknown, platform: Consent::Unknown };
    for side in Side::BOTH {
        if let Some(base) = base {
            before[side] = forms[side].read(&first(&base[side]), None).unwrap_or(Consent::Unknown);
        }
        match forms[side].read(&first(&now[side].raw), base.map(|_| before[side])) {
            Ok(consent) => said[side] = consent,
            Err(error) => {
                return Verdict::Stuck(Obstacle {
                    code: "no_consent_value".into(),
                    message: error.to_string(),
                    pair: None,
                });
            }
        }
    }
    let decision = consent::decide(said, base.map(|_| before));
    for side in Side::BOTH {
        if let Some(consent) = decision.send[side]
            && pair.direction.allows(side)
        {
            let opted_in = consent == Consent::Yes;
            let rule = if opted_in { Rule::OptIn } else { Rule::OptOut };
            return write(side, vec![forms[side].write(opted_in)], rule);
        }
    }
    Verdict::Settled
}
