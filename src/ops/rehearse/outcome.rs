//! What the runs of a rehearsal came to: counts of each mapping, and the values that did not come to rest with the writes that push them.

use std::collections::{BTreeMap, HashSet};

use crate::domain::mapping::{Mapping, Pair};
use crate::domain::record::RecordId;
use crate::domain::rehearsal::{LATE, Push, RehearsedMapping, Unsettled};
use crate::domain::report::{ConflictQuery, HistoryChange, HistoryQuery, HistoryRow};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::ops::error::OpError;
use crate::ops::read::{self, Snoozed};
use crate::ops::rehearse::plant::Ids;
use crate::ops::rehearse::sample::Sample;
use crate::ops::session::Session;

/// Rows of history that are read at once.
const PAGE: usize = 500;

/// Values that do not come to rest and are listed.
const LISTED: usize = 100;

/// Writes that are listed of one value.
const WRITES: usize = 8;

/// What the rehearsal's workspace knows of its runs.
pub(super) struct Outcome<'a> {
    pub(super) session: &'a Session,
    pub(super) mappings: &'a [Mapping],
    pub(super) sample: &'a Sample,
    pub(super) ids: &'a Ids,
    /// The engine's numbers of the runs, in order.
    pub(super) runs: &'a [i64],
}

/// A value of history, with its run.
struct Write<'a> {
    run: usize,
    row: &'a HistoryRow,
    change: &'a HistoryChange,
    mapping: Option<&'a Mapping>,
    pair: Option<&'a Pair>,
}

impl Outcome<'_> {
    /// The history of each run, oldest first.
    pub(super) async fn history(&self) -> Result<Vec<Vec<HistoryRow>>, OpError> {
        let mut all = Vec::new();
        for run in self.runs {
            let mut rows: Vec<HistoryRow> = Vec::new();
            loop {
                let before = rows.last().map(|row| row.sequence);
                let query = HistoryQuery { run: Some(*run), before, limit: PAGE, ..HistoryQuery::default() };
                let page = read::history(self.session, query).await?;
                let is_last = page.len() < PAGE;
                rows.extend(page);
                if is_last {
                    break;
                }
            }
            rows.reverse();
            all.push(rows);
        }
        Ok(all)
    }

    /// The counts of each mapping.
    pub(super) async fn mappings(
        &self,
        history: &[Vec<HistoryRow>],
    ) -> Result<Vec<RehearsedMapping>, OpError> {
        let issues = read::issue_groups_with(self.session, Snoozed::Shown).await?;
        let query = ConflictQuery { limit: usize::MAX >> 1, ..ConflictQuery::default() };
        let conflicts = read::conflicts(self.session, query).await?;
        let of_mapping = |mapping: &Mapping| {
            let share = self.sample.shares.get(&mapping.name);
            let mut done = RehearsedMapping {
                mapping: mapping.name.clone(),
                title: format!(
                    "{} {} {}",
                    mapping.org_object,
                    mapping.direction.arrow(),
                    mapping.platform_object
                ),
                sampled: PerSide::from_fn(|side| share.map_or(0, |share| share.ids[side].len() as u64)),
                linked: share.map_or(0, |share| share.linked),
                conflicts: conflicts.iter().filter(|row| row.mapping == mapping.name).count() as u64,
                issues: issues.iter().filter(|group| group.mapping == mapping.name).cloned().collect(),
                ..RehearsedMapping::default()
            };
            let mut changed: HashSet<(Side, &RecordId)> = HashSet::new();
            for row in history.iter().flatten().filter(|row| row.mapping == mapping.name) {
                let Some(id) = row.ids[row.side].as_ref() else { continue };
                match row.action.as_str() {
                    "created" => done.created[row.side] += 1,
                    "deleted" => done.deleted[row.side] += 1,
                    "updated" if changed.insert((row.side, id)) => done.updated[row.side] += 1,
                    _ => {}
                }
            }
            done
        };
        Ok(self.mappings.iter().map(of_mapping).collect())
    }

    /// Values that changed in the third run or later after so many earlier ones, and how many there are.
    pub(super) fn unsettled(&self, history: &[Vec<HistoryRow>], earlier: usize) -> (Vec<Unsettled>, u64) {
        let late = earlier + LATE;
        let writes: Vec<Write<'_>> = history
            .iter()
            .zip(1..)
            .skip(earlier)
            .flat_map(|(rows, run)| rows.iter().map(move |row| (run, row)))
            .filter(|(run, _)| run + 1 >= late)
            .flat_map(|(run, row)| row.changes.iter().map(move |change| (run, row, change)))
            .map(|(run, row, change)| self.write(run, row, change))
            .collect();
        let mut by_record: BTreeMap<(Side, &RecordId), Vec<usize>> = BTreeMap::new();
        for (at, write) in writes.iter().enumerate() {
            for side in Side::BOTH {
                if let Some(id) = &write.row.ids[side] {
                    by_record.entry((side, id)).or_default().push(at);
                }
            }
        }
        let mut told: HashSet<usize> = HashSet::new();
        let (mut found, mut count) = (Vec::new(), 0);
        for (at, late) in writes.iter().enumerate().filter(|(_, write)| write.run >= late) {
            if told.contains(&at) {
                continue;
            }
            let beside =
                Side::BOTH.into_iter().filter_map(|side| late.row.ids[side].as_ref().map(|id| (side, id)));
            let near = beside.filter_map(|key| by_record.get(&key)).flatten().copied();
            let mut pushing: Vec<usize> =
                near.filter(|other| writes.get(*other).is_some_and(|other| touches(late, other))).collect();
            pushing.push(at);
            pushing.sort_unstable();
            pushing.dedup();
            told.extend(&pushing);
            count += 1;
            if found.len() < LISTED {
                let pushes = pushing
                    .iter()
                    .filter_map(|at| writes.get(*at))
                    .take(WRITES)
                    .map(|write| self.push(write));
                found.push(Unsettled {
                    mapping: late.row.mapping.clone(),
                    ids: PerSide::from_fn(|side| {
                        late.row.ids[side].as_ref().and_then(|id| self.ids.real(id))
                    }),
                    label: self.label(late),
                    side: late.row.side,
                    fields: late.change.fields.clone(),
                    writes: pushes.collect(),
                });
            }
        }
        (found, count)
    }

    fn write<'a>(&'a self, run: usize, row: &'a HistoryRow, change: &'a HistoryChange) -> Write<'a> {
        let mapping = self.mappings.iter().find(|mapping| mapping.name == row.mapping);
        let pair = mapping.and_then(|mapping| {
            mapping.pairs.iter().find(|pair| {
                mapping.direction.allows(row.side)
                    && pair.direction.allows(row.side)
                    && same(pair.fields(row.side), &change.fields)
            })
        });
        Write { run, row, change, mapping, pair }
    }

    fn push(&self, write: &Write<'_>) -> Push {
        let told = |values: &[Value]| values.iter().map(|value| self.ids.told(value)).collect();
        Push {
            run: write.run,
            mapping: write.row.mapping.clone(),
            pair: write.pair.map_or_else(|| write.change.fields.join(" + "), Pair::name),
            transform: write.pair.map(|pair| pair.transform.words()).unwrap_or_default(),
            side: write.row.side,
            rule: write.change.rule.clone(),
            old: told(&write.change.old),
            new: told(&write.change.new),
        }
    }

    /// The key of the real record, of whichever side has one.
    fn label(&self, write: &Write<'_>) -> String {
        let Some(mapping) = write.mapping else { return String::new() };
        let of_side = |side: Side| {
            let real = self.ids.real(write.row.ids[side].as_ref()?)?;
            let sampled = self.sample.get(side, mapping.object(side))?;
            let record = sampled.records.iter().find(|record| record.id == real)?;
            let key = mapping.pairs.iter().find(|pair| pair.key)?;
            let values = key.fields(side).iter().filter_map(|name| sampled.value(record, name));
            Some(values.map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        Side::BOTH.into_iter().find_map(of_side).unwrap_or_default()
    }
}

fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.eq_ignore_ascii_case(other))
}

fn overlap(one: &[String], other: &[String]) -> bool {
    one.iter().any(|name| other.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Whether two writes of one record are about the same value: on the same side the same field, on either side pairs with a field in
/// common.
fn touches(one: &Write<'_>, other: &Write<'_>) -> bool {
    if one.row.side == other.row.side
        && one.row.ids[one.row.side] == other.row.ids[other.row.side]
        && overlap(&one.change.fields, &other.change.fields)
    {
        return true;
    }
    match (one.pair, other.pair) {
        (Some(first), Some(second)) => Side::BOTH.into_iter().any(|side| {
            one.row.ids[side].is_some()
                && one.row.ids[side] == other.row.ids[side]
                && overlap(first.fields(side), second.fields(side))
        }),
        (None, _) | (_, None) => false,
    }
}
