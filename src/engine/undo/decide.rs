//! Which values an undo may write back on one record. Pure.

use crate::domain::compiled::CompiledPair;
use crate::domain::consent::{self, Consent};
use crate::domain::plan::{Action, Change, Line, Rule};
use crate::domain::record::RecordId;
use crate::domain::report::HistoryChange;
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::undo::{UndoLeft, WhyLeft};
use crate::domain::value::Value;
use crate::engine::decide::{BaseStep, Decision};
use crate::engine::session::Prepared;
use crate::engine::undo::Wanted;
use crate::mutant::{Mutant, broken};
use crate::store::links::Link;
use crate::store::stage::Staged;

/// What the rows of a run, newest first, want of one record. Several writes of the run to the same value fold into one, as long
/// as each began with what the one before it had left.
pub(super) fn wanted(mapping: &Prepared, rows: Vec<(Side, Vec<HistoryChange>)>) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for (side, changes) in rows {
        for change in changes {
            // A default or a mark belongs to a create.
            let place = match change.pair {
                Some(number) => mapping.row.pairs.iter().position(|known| *known == number),
                None => continue,
            };
            let known = wanted
                .iter_mut()
                .find(|known| known.side == side && known.fields == change.fields && known.place == place);
            match known {
                None => wanted.push(Wanted {
                    place,
                    side,
                    fields: change.fields,
                    expected: change.new,
                    restore: change.old,
                }),
                Some(known) => {
                    let pair = place.and_then(|place| mapping.compiled.pairs.get(place));
                    if pair
                        .is_some_and(|pair| pair.fold(side, &change.new) == pair.fold(side, &known.restore))
                    {
                        known.restore = change.old;
                    }
                }
            }
        }
    }
    wanted
}

/// What becomes of one wanted value.
enum Fate {
    Write(Change),
    /// It holds the earlier value already.
    Done,
    Left(WhyLeft),
}

/// Decides what is written back, what stays, and on which sides something else differs from its base.
pub(super) fn decide(
    mapping: &Prepared,
    wanted: &[Wanted],
    link: Option<&Link>,
    ids: &PerSide<Option<RecordId>>,
    records: &PerSide<Option<Staged>>,
    unclear: &[i64],
) -> (Decision, Vec<UndoLeft>, PerSide<bool>) {
    let compiled = &mapping.compiled;
    let mut line = Line {
        mapping: compiled.spec.name.clone(),
        ids: ids.clone(),
        action: Action::Merge,
        changes: Vec::new(),
        parked: Vec::new(),
        obstacles: Vec::new(),
    };
    let mut steps = vec![BaseStep::Keep; compiled.pairs.len()];
    let (mut blanks, mut opt_outs) = (0, 0);
    let mut left = Vec::new();
    for want in wanted {
        // Which records belong together is no value of theirs, and they still do.
        let partner = ids[want.side.other()].as_ref();
        if matches!((want.expected.as_slice(), partner), ([Value::Text(text)], Some(id)) if **text == *id.as_str())
        {
            continue;
        }
        match fate(mapping, want, link, records, unclear) {
            Fate::Done => {}
            Fate::Left(why) => left.push(UndoLeft {
                mapping: compiled.spec.name.clone(),
                ids: ids.clone(),
                side: want.side,
                fields: want.fields.clone(),
                why,
            }),
            Fate::Write(change) => {
                if !change.old.iter().all(Value::is_blank) && change.new.iter().all(Value::is_blank) {
                    blanks += 1;
                }
                let consent = change
                    .pair
                    .and_then(|place| compiled.pairs.get(place))
                    .is_some_and(|pair| pair.spec.transform.is_consent());
                if consent {
                    opt_outs += 1;
                }
                if !broken(Mutant::UndoFlowsBack)
                    && let Some(step) = change.pair.and_then(|place| steps.get_mut(place))
                {
                    let mut sides = match step {
                        BaseStep::Written(sides) => *sides,
                        BaseStep::Adopt | BaseStep::Keep => PerSide { org: false, platform: false },
                    };
                    sides[want.side] = true;
                    *step = BaseStep::Written(sides);
                }
                line.changes.push(change);
            }
        }
    }
    let differs = PerSide::from_fn(|side| differs(mapping, side, link, records, &steps));
    (Decision { line, steps, blanks, opt_outs }, left, differs)
}

fn held(pair: &CompiledPair, side: Side, records: &PerSide<Option<Staged>>) -> Option<Vec<Value>> {
    pair.values(side, &records[side].as_ref()?.record)
}

fn fate(
    mapping: &Prepared,
    want: &Wanted,
    link: Option<&Link>,
    records: &PerSide<Option<Staged>>,
    unclear: &[i64],
) -> Fate {
    let (side, other) = (want.side, want.side.other());
    let Some((place, pair)) = want.place.and_then(|place| Some((place, mapping.compiled.pairs.get(place)?)))
    else {
        return Fate::Left(WhyLeft::NotMapped);
    };
    let Some(number) = mapping.row.pairs.get(place) else { return Fate::Left(WhyLeft::NotMapped) };
    let Some(link) = link.filter(|link| link.closed.is_none()) else { return Fate::Left(WhyLeft::NoLink) };
    if !pair.direction.allows(side) || !pair.creatable[side] {
        return Fate::Left(WhyLeft::NotMapped);
    }
    if unclear.contains(number) {
        return Fate::Left(WhyLeft::Unclear);
    }
    if records[side].is_none() {
        return Fate::Left(WhyLeft::Gone);
    }
    if records[other].is_none() {
        return Fate::Left(WhyLeft::PartnerGone);
    }
    let (Some(raw), Some(raw_other)) = (held(pair, side, records), held(pair, other, records)) else {
        return Fate::Left(WhyLeft::NotMapped);
    };
    let Some(base) = link.bases.get(*number) else { return Fate::Left(WhyLeft::Moved) };
    let now = pair.fold(side, &raw);
    if now == pair.fold(side, &want.restore) {
        return Fate::Done;
    }
    let moved = now != pair.fold(side, &want.expected) || now != base[side];
    if moved && !broken(Mutant::UndoOverwrites) {
        return Fate::Left(WhyLeft::Moved);
    }
    if pair.fold(other, &raw_other) != base[other] {
        return Fate::Left(WhyLeft::OtherMoved);
    }
    if let Transform::Consent { org, platform } = &pair.spec.transform {
        let form = PerSide { org: *org, platform: *platform }[side];
        let read = |values: &[Value]| {
            form.read(values.first().unwrap_or(&Value::Null), None).unwrap_or(Consent::Unknown)
        };
        if !consent::may_undo(read(&raw), read(&want.restore)) {
            return Fate::Left(WhyLeft::Consent);
        }
    }
    Fate::Write(Change {
        pair: Some(place),
        to: side,
        fields: want.fields.as_slice().into(),
        old: raw,
        new: want.restore.clone(),
        rule: Rule::Undone,
    })
}

/// Whether a side holds something else than its base in a pair that is not written back.
fn differs(
    mapping: &Prepared,
    side: Side,
    link: Option<&Link>,
    records: &PerSide<Option<Staged>>,
    steps: &[BaseStep],
) -> bool {
    mapping.compiled.pairs.iter().zip(&mapping.row.pairs).zip(steps).any(|((pair, number), step)| {
        *step == BaseStep::Keep
            && held(pair, side, records).is_some_and(|raw| {
                link.and_then(|link| link.bases.get(*number))
                    .is_none_or(|base| base[side] != pair.fold(side, &raw))
            })
    })
}
