//! Decide: one record, or one pair of records, becomes a line of the plan. Pure and deterministic (law E5).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::compiled::{CompiledMapping, CompiledPair};
use crate::domain::consent;
use crate::domain::merge::{ChangedWithin, Seen, Verdict, merge};
use crate::domain::plan::{
    Action, Change, Line, Obstacle, PING_PONG, Parked, Rule, SkipReason, UNKNOWN_OUTCOME,
};
use crate::domain::record::{Record, RecordId};
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::value::Value;
use crate::engine::by_hand;
use crate::engine::recover::alike;
use crate::mutant::{Mutant, broken};
use crate::store::decisions::Stored;
use crate::store::links::{Bases, Link};

/// What a pair's bases become once the line is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseStep {
    /// Both present values.
    Adopt,
    /// On these sides what the target holds after the write; on the other the present value.
    Written(PerSide<bool>),
    /// As they were.
    Keep,
}

/// A line with what it does to the bases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The line.
    pub line: Line,
    /// One step a pair, in the mapping's order.
    pub steps: Vec<BaseStep>,
    /// Filled values that would become blank.
    pub blanks: u64,
    /// Opt-outs that would be sent.
    pub opt_outs: u64,
}

impl Decision {
    /// Nothing is to be done with these records.
    pub fn nothing(mapping: impl Into<String>, ids: PerSide<Option<RecordId>>) -> Self {
        let line = Line {
            mapping: mapping.into(),
            ids,
            action: Action::Merge,
            changes: Vec::new(),
            parked: Vec::new(),
            obstacles: Vec::new(),
        };
        Self { line, steps: Vec::new(), blanks: 0, opt_outs: 0 }
    }
}

/// One side of a linked pair: the record as read, or what the base says it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Present<'a> {
    /// It was read.
    Read {
        /// The record.
        record: &'a Record,
        /// When the read began.
        read_at: DateTime<Utc>,
        /// How coarse the stamps of its side are.
        grain: TimeDelta,
    },
    /// It was not read, so nothing is known to have changed since the base.
    AsBase,
}

fn seen(
    pair: &CompiledPair,
    side: Side,
    present: &Present<'_>,
    base: Option<&PerSide<Vec<Value>>>,
) -> Option<Seen> {
    match present {
        Present::Read { record, .. } => {
            let raw = pair.values(side, record)?;
            let folded = pair.fold(side, &raw);
            Some(Seen { raw, folded })
        }
        Present::AsBase => base.map(|base| Seen { raw: base[side].clone(), folded: base[side].clone() }),
    }
}

/// Decides two records that are linked, or meet for the first time (`link` is `None`). `waiting` are the pairs that
/// may not be written now, with the reason: nobody knows what came of an earlier write, or both sides write them in turn;
/// `decided` is what people decided by hand.
pub fn linked(
    mapping: &CompiledMapping,
    pair_numbers: &[i64],
    link: Option<&Link>,
    ids: &PerSide<RecordId>,
    present: &PerSide<Present<'_>>,
    waiting: &[(i64, &'static str)],
    decided: &[Stored],
) -> Decision {
    let empty = Bases::default();
    let bases = link.map_or(&empty, |link| &link.bases);
    let mut line = Line {
        mapping: mapping.spec.name.clone(),
        ids: PerSide { org: Some(ids.org.clone()), platform: Some(ids.platform.clone()) },
        action: Action::Merge,
        changes: Vec::new(),
        parked: Vec::new(),
        obstacles: Vec::new(),
    };
    let within = PerSide::from_fn(|side| changed_within(link, side, &present[side]));
    let mut steps = Vec::with_capacity(mapping.pairs.len());
    let (mut blanks, mut opt_outs) = (0, 0);
    for (place, pair) in mapping.pairs.iter().enumerate() {
        let base = pair_numbers.get(place).and_then(|number| bases.get(*number));
        if decided.is_empty() && base.is_some_and(|base| unchanged(pair, base, present)) {
            steps.push(BaseStep::Adopt);
            continue;
        }
        let (Some(org), Some(platform)) =
            (seen(pair, Side::Org, &present.org, base), seen(pair, Side::Platform, &present.platform, base))
        else {
            // A field that was not returned is absent, not null (law E4).
            steps.push(BaseStep::Keep);
            continue;
        };
        let now = PerSide { org, platform };
        // It waits until both sides agree, or a person decides.
        let waits = pair_numbers
            .get(place)
            .and_then(|number| waiting.iter().find(|(pair, _)| pair == number))
            .map(|(_, why)| *why);
        let merged = merge(pair, mapping.spec.first_meeting, &now, base, &within);
        let verdict = match (merged, waits) {
            // What was sent without seeing what became of it stands there, in the target's own spelling (law E8).
            (Verdict::Write { .. }, Some(UNKNOWN_OUTCOME)) if respelled(pair, &now) => Verdict::Settled,
            // An opt-out crosses whatever was written in turn (law E3).
            (Verdict::Write { rule, .. }, Some(why)) if rule != Rule::OptOut || why != PING_PONG => {
                Verdict::Park(why)
            }
            (verdict, _) => verdict,
        };
        let verdict =
            by_hand::overrule(pair, by_hand_of(decided, pair_numbers.get(place), present), &now, verdict);
        match verdict {
            Verdict::Settled => steps.push(BaseStep::Adopt),
            Verdict::Write { values, rule } => {
                steps.push(BaseStep::Written(values.as_ref().map(Option::is_some)));
                if rule == Rule::OptOut || (rule == Rule::Decided && pair.spec.transform.is_consent()) {
                    opt_outs += 1;
                }
                for side in Side::BOTH {
                    let Some(new) = values[side].clone() else { continue };
                    if !now[side].folded.iter().all(Value::is_blank) && new.iter().all(Value::is_blank) {
                        blanks += 1;
                    }
                    line.changes.push(Change {
                        pair: Some(place),
                        to: side,
                        fields: Arc::clone(&pair.names[side]),
                        old: now[side].raw.clone(),
                        new,
                        rule,
                    });
                }
            }
            Verdict::Park(why) => {
                steps.push(BaseStep::Keep);
                line.parked.push(Parked {
                    pair: place,
                    org: now.org.raw.clone(),
                    platform: now.platform.raw.clone(),
                    why: why.into(),
                });
            }
            Verdict::Stuck(obstacle) => {
                steps.push(BaseStep::Keep);
                line.obstacles.push(Obstacle { pair: Some(place), ..obstacle });
            }
        }
    }
    Decision { line, steps, blanks, opt_outs }
}

/// Whether one side holds what the other would send it, apart from its own spelling.
fn respelled(pair: &CompiledPair, now: &PerSide<Seen>) -> bool {
    Side::BOTH.into_iter().any(|from| {
        let to = from.other();
        !pair.spec.transform.is_consent()
            && pair.direction.allows(to)
            && pair
                .translate(from, &now[from].raw, Some(&now[to].raw))
                .is_ok_and(|sent| alike(&now[to].folded, &pair.fold(to, &sent)))
    })
}

/// Whether both sides hold what they last held: then [`merge`] has nothing to say, whatever the policy. Most pairs of most records
/// are of this kind. Consent has a law of its own (E3), and what a person decided is weighed against what is there.
fn unchanged(pair: &CompiledPair, base: &PerSide<Vec<Value>>, present: &PerSide<Present<'_>>) -> bool {
    !pair.spec.transform.is_consent()
        && !broken(Mutant::OneBaseForBoth)
        && Side::BOTH.into_iter().all(|side| match &present[side] {
            Present::Read { record, .. } => pair.holds(side, record, &base[side]) == Some(true),
            Present::AsBase => true,
        })
}

/// What a person decided about a pair; it counts only where both sides were read.
fn by_hand_of<'a>(
    decided: &'a [Stored],
    number: Option<&i64>,
    present: &PerSide<Present<'_>>,
) -> Option<&'a Stored> {
    let read = Side::BOTH.into_iter().all(|side| matches!(present[side], Present::Read { .. }));
    decided.iter().find(|decision| read && Some(&decision.pair) == number)
}

/// Between which two moments a side changed: after it was last seen equal to its base, and before it was read. A stamp that
/// says more narrows the end; it is cut off to whole seconds or days, so that the change may have come that much later.
fn changed_within(link: Option<&Link>, side: Side, present: &Present<'_>) -> Option<ChangedWithin> {
    let link = link?;
    let Present::Read { record, read_at, grain } = present else { return None };
    let stamp = record.stamp.filter(|stamp| *stamp > link.read[side]);
    let until = stamp.and_then(|stamp| stamp.checked_add_signed(*grain));
    let until = until.filter(|until| until < read_at).unwrap_or(*read_at);
    Some(ChangedWithin { after: link.read[side], until })
}

/// Decides a record that only `from` has: it is created on the other side.
pub fn create(mapping: &CompiledMapping, from: Side, record: &Record) -> Decision {
    let to = from.other();
    let mut ids = PerSide::default();
    ids[from] = Some(record.id.clone());
    let mut line = Line {
        mapping: mapping.spec.name.clone(),
        ids,
        action: Action::Create { on: to },
        changes: Vec::with_capacity(mapping.pairs.len()),
        parked: Vec::new(),
        obstacles: Vec::new(),
    };
    if !mapping.spec.creates_on(to) {
        line.action = Action::Skip { reason: SkipReason::CreateOff };
        return Decision { line, steps: Vec::new(), blanks: 0, opt_outs: 0 };
    }
    for (place, pair) in mapping.pairs.iter().enumerate() {
        if !pair.creatable[to] || !pair.direction.allows(to) {
            continue;
        }
        let Some(raw) = pair.values(from, record) else { continue };
        match initial_values(pair, from, &raw) {
            Ok((new, rule)) => {
                if new.iter().all(Value::is_blank) {
                    continue;
                }
                line.changes.push(Change {
                    pair: Some(place),
                    to,
                    fields: Arc::clone(&pair.names[to]),
                    old: Vec::new(),
                    new,
                    rule,
                });
            }
            Err(obstacle) => line.obstacles.push(Obstacle { pair: Some(place), ..obstacle }),
        }
    }
    for default in mapping.spec.default.iter().filter(|default| default.side == to) {
        if blank_in(&line, &default.field) {
            line.changes.push(Change {
                pair: None,
                to,
                fields: [default.field.clone()].into(),
                old: Vec::new(),
                new: vec![Value::text(default.value.as_str())],
                rule: Rule::Default,
            });
        }
    }
    if to == Side::Org
        && let Some(field) = mapping.spec.skip_create_when_blank.iter().find(|field| blank_in(&line, field))
    {
        line.action = Action::Skip { reason: SkipReason::FieldBlank { field: field.clone() } };
        return Decision { line, steps: Vec::new(), blanks: 0, opt_outs: 0 };
    }
    if let Some(mark) = mapping.spec.mark(to)
        && blank_in(&line, mark)
    {
        line.changes.push(Change {
            pair: None,
            to,
            fields: [mark.to_owned()].into(),
            old: Vec::new(),
            new: vec![Value::text(record.id.as_str())],
            rule: Rule::Mark,
        });
    }
    let mut written = PerSide { org: false, platform: false };
    written[to] = true;
    // Everything the new record holds, sent or set by its own side, is its base: a default is no change (law E3). What flows only
    // the other way has not met yet: the new record's id, for one, still has to reach its origin (F95).
    let steps = mapping
        .pairs
        .iter()
        .map(|pair| if pair.direction.allows(to) { BaseStep::Written(written) } else { BaseStep::Keep })
        .collect();
    Decision { line, steps, blanks: 0, opt_outs: 0 }
}

fn blank_in(line: &Line, field: &str) -> bool {
    !line.changes.iter().any(|change| {
        change
            .fields
            .iter()
            .zip(&change.new)
            .any(|(name, value)| name.eq_ignore_ascii_case(field) && !value.is_blank())
    })
}

fn initial_values(pair: &CompiledPair, from: Side, raw: &[Value]) -> Result<(Vec<Value>, Rule), Obstacle> {
    if let Transform::Consent { org, platform } = &pair.spec.transform {
        let forms = PerSide { org: *org, platform: *platform };
        let said = raw.first().cloned().unwrap_or_default();
        let consent = forms[from].read(&said, None).map_err(|error| Obstacle {
            code: "no_consent_value".into(),
            message: error.to_string(),
            pair: None,
        })?;
        let opted_in = consent::on_create(consent) == consent::Consent::Yes;
        return Ok((vec![forms[from.other()].write(opted_in)], Rule::Created));
    }
    match pair.translate(from, raw, None) {
        Ok(values) => Ok((values, Rule::Created)),
        Err(error) => Err(Obstacle { code: error.code().into(), message: error.to_string(), pair: None }),
    }
}

/// A hash of everything a line was decided from; when it changed, the line is refused (law E5).
pub fn line_hash(line: &Line, bases: Option<&Bases>) -> i64 {
    let mut bytes = serde_json::to_vec(line).unwrap_or_default();
    if let Some(bases) = bases {
        for (pair, base) in &bases.0 {
            crate::domain::codec::put_number(&mut bytes, *pair as u64);
            for value in base.org.iter().chain(&base.platform) {
                crate::domain::codec::put(&mut bytes, Some(value));
            }
        }
    }
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
        as i64
}

#[cfg(test)]
mod tests;
