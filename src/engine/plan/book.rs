//! Where a plan is written down while it is made: lines in a scratch database, sums in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::codec;
use crate::domain::cost::{Task, Workload};
use crate::domain::plan::saved::{Deed, PlanBrake, PlanCount, PlanHead, PlanLine, Seen};
use crate::domain::plan::{Action, Line};
use crate::domain::port::WriteKind;
use crate::domain::record::Record;
use crate::domain::side::{PerSide, Side};
use crate::engine::apply::Item;
use crate::engine::brake::Braked;
use crate::engine::commit::{label, staged_records};
use crate::engine::context::End;
use crate::engine::session::{Prepared, Session};
use crate::store::links::Link;
use crate::store::stage::Staged;
use crate::store::{Store, StoreError, plans};

/// What a call takes where a side does not say it.
const CALL: Duration = Duration::from_millis(250);

/// A plan on its way.
pub struct Book {
    scratch: Store,
    sums: Mutex<Sums>,
}

/// What is counted: mapping, deed, side, reason.
type Kind = (String, Deed, Option<Side>, Option<String>);

#[derive(Default)]
struct Sums {
    lines: i64,
    read: u64,
    unchanged: u64,
    counts: BTreeMap<Kind, (u64, u64)>,
    braked: BTreeMap<(usize, Braked), u64>,
    brakes: Vec<PlanBrake>,
    reading: PerSide<u64>,
    writing: PerSide<u64>,
    time: Duration,
    finished: bool,
}

impl Book {
    pub(super) fn new(scratch: Store) -> Self {
        Self { scratch, sums: Mutex::default() }
    }

    pub(super) fn scratch(&self) -> &Store {
        &self.scratch
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the run came to its end.
    pub(super) fn is_finished(&self) -> bool {
        self.sums().finished
    }

    /// The head with all that was counted.
    pub(super) fn head(&self, mut head: PlanHead) -> PlanHead {
        let sums = self.sums();
        head.read = sums.read;
        head.unchanged = sums.unchanged;
        head.lines = u64::try_from(sums.lines).unwrap_or(0);
        head.counts = sums
            .counts
            .iter()
            .map(|((mapping, deed, side, reason), (records, values))| PlanCount {
                mapping: mapping.clone(),
                deed: *deed,
                side: *side,
                reason: reason.clone(),
                records: *records,
                values: *values,
            })
            .collect();
        head.cost.reading = sums.reading;
        head.cost.writing = sums.writing;
        head.cost.seconds += sums.time.as_secs_f64().ceil() as u64;
        head.brakes.clone_from(&sums.brakes);
        head
    }

    async fn put(&self, mut lines: Vec<PlanLine>) -> Result<(), StoreError> {
        {
            let mut sums = self.sums();
            for line in &mut lines {
                sums.lines += 1;
                line.number = sums.lines;
                let mut met: BTreeSet<Kind> = BTreeSet::new();
                for deed in line.line.deeds(line.linked) {
                    let kind = (line.line.mapping.clone(), deed.deed, deed.side, deed.reason);
                    let new = met.insert(kind.clone());
                    let (records, values) = sums.counts.entry(kind).or_default();
                    *records += u64::from(new);
                    *values += deed.values;
                }
            }
        }
        self.scratch.write(move |db| lines.iter().try_for_each(|line| plans::put_line(db, 0, line))).await
    }
}

impl Session<'_> {
    /// Writes a chunk down instead of sending it; tells whether a plan is made.
    pub(in crate::engine) async fn write_down(&mut self, items: &[Item]) -> Result<bool, End> {
        let Some(book) = self.plan.book().cloned() else { return Ok(false) };
        let mut lines = Vec::new();
        for item in items.iter().filter(|item| !item.postponed()) {
            let line = &item.decision.line;
            let deeds = line.deeds(item.link.is_some());
            if deeds.is_empty() {
                book.sums().unchanged += 1;
            } else {
                lines.push(PlanLine {
                    number: 0,
                    label: label_of(&self.mappings[item.mapping], &item.records),
                    linked: item.link.is_some(),
                    line: line.clone(),
                    seen: seen(item.link.as_ref(), &item.records),
                    outcome: None,
                    why: None,
                });
                for kind in braked(item) {
                    *book.sums().braked.entry((item.mapping, kind)).or_default() += 1;
                }
                if item.decision.opt_outs > 0 {
                    *book.sums().braked.entry((item.mapping, Braked::OptOut)).or_default() +=
                        item.decision.opt_outs;
                }
            }
            self.count(item.mapping, |counts| match deeds.first().map(|deed| (deed.deed, deed.side)) {
                Some((Deed::Create, Some(side))) => counts.side_mut(side).created += 1,
                Some((Deed::Update, Some(side))) => counts.side_mut(side).updated += 1,
                Some((Deed::Delete, Some(side))) => counts.side_mut(side).deleted += 1,
                Some((Deed::Conflict, _)) => counts.conflicts += 1,
                Some((Deed::Refused, _)) => counts.failed += 1,
                Some((Deed::Skipped, _)) => counts.skipped += 1,
                Some((Deed::Create | Deed::Update | Deed::Delete | Deed::Link, _)) | None => {
                    counts.unchanged += 1;
                }
            });
        }
        for side in Side::BOTH {
            self.foresee(&book, items, side);
        }
        book.put(lines).await?;
        Ok(true)
    }

    /// What it costs to send a chunk to a side.
    fn foresee(&self, book: &Book, items: &[Item], side: Side) {
        let endpoint = &self.context.endpoints[side];
        let (mut calls, mut time) = (0, Duration::ZERO);
        for outgoing in self.batches(items, side) {
            let batch = &outgoing.batch;
            let task = if batch.kind == WriteKind::Delete { Task::Delete } else { Task::Write };
            let choice = endpoint.foresee(&Workload { task, rows: batch.rows.len() as u64 });
            match choice {
                Some(choice) if outgoing.by_job => {
                    calls += choice.job.calls;
                    time += choice.job.time;
                }
                Some(choice) => {
                    calls += endpoint.calls_to_write(batch);
                    time += choice.calls.time;
                }
                None => {
                    let these = endpoint.calls_to_write(batch);
                    calls += these;
                    time += CALL.saturating_mul(u32::try_from(these).unwrap_or(u32::MAX));
                }
            }
        }
        let mut sums = book.sums();
        sums.writing[side] += calls;
        sums.time += time;
    }

    /// Writes down lines that need no decision; tells whether a plan is made.
    pub(in crate::engine) async fn write_down_left(&self, lines: &[(Line, usize)]) -> Result<bool, End> {
        let Some(book) = self.plan.book().cloned() else { return Ok(false) };
        let (lines, mappings) = (lines.to_vec(), self.mappings.clone());
        let lines = self
            .context
            .store
            .write(move |db| {
                let mut kept = Vec::with_capacity(lines.len());
                for (line, place) in lines {
                    let Some(mapping) = mappings.get(place) else { continue };
                    let records = match line.action {
                        Action::Skip { .. } => mapping.staged(db, &line.ids)?,
                        _ => staged_records(db, mapping, &line)?,
                    };
                    kept.push(PlanLine {
                        number: 0,
                        label: label_of(mapping, &records),
                        linked: false,
                        line,
                        seen: seen(None, &records),
                        outcome: None,
                        why: None,
                    });
                }
                Ok(kept)
            })
            .await?;
        book.put(lines).await?;
        Ok(true)
    }

    /// Writes down edits by hand of records that the other side does not have; gives the records as they will be.
    pub(in crate::engine) async fn write_down_edits(
        &mut self,
        items: &[Item],
        side: Side,
    ) -> Result<Option<Vec<Record>>, End> {
        if !self.write_down(items).await? {
            return Ok(None);
        }
        Ok(Some(items.iter().filter_map(|item| self.as_edited(item, side)).collect()))
    }

    fn as_edited(&self, item: &Item, side: Side) -> Option<Record> {
        let mut record = item.records[side].as_ref()?.record.clone();
        let selection = &self.mappings[item.mapping].compiled.selection[side];
        for change in item.decision.line.changes.iter().filter(|change| change.to == side) {
            for (field, value) in change.fields.iter().zip(&change.new) {
                let held = selection.position(field).and_then(|place| record.values.get_mut(place));
                if let Some(held) = held {
                    *held = Some(value.clone());
                }
            }
        }
        Some(record)
    }

    /// The plan is written to its end: what remains are the sums of the run.
    pub(in crate::engine) fn close_book(&mut self) {
        self.count_calls();
        let Some(book) = self.plan.book() else { return };
        let mut sums = book.sums();
        sums.read = self.counts.read;
        sums.reading = PerSide { org: self.counts.salesforce.calls, platform: self.counts.platform.calls };
        sums.brakes = sums
            .braked
            .iter()
            .filter_map(|((place, kind), planned)| {
                let free = self.brakes.free(*place, *kind);
                (*planned > free).then(|| PlanBrake {
                    mapping: self
                        .mappings
                        .get(*place)
                        .map_or_else(String::new, |mapping| mapping.compiled.spec.name.clone()),
                    kind: kind.word().to_owned(),
                    planned: *planned,
                    free,
                    flag: kind.sentence().1.to_owned(),
                })
            })
            .collect();
        sums.finished = true;
    }
}

/// What the brakes count of an item besides opt-outs.
fn braked(item: &Item) -> Vec<Braked> {
    let line = &item.decision.line;
    let mut kinds = Vec::new();
    match line.action {
        Action::Create { .. } => kinds.push(Braked::Create),
        Action::Delete { .. } => kinds.push(Braked::Delete),
        Action::Merge if !line.changes.is_empty() => {
            kinds.push(if item.gone.is_some() { Braked::Delete } else { Braked::Update });
        }
        Action::Merge | Action::Restore { .. } | Action::Skip { .. } | Action::Refuse { .. } => {}
    }
    if item.decision.blanks > 0 && item.gone.is_none() {
        kinds.push(Braked::Blank);
    }
    kinds
}

fn label_of(mapping: &Prepared, records: &PerSide<Option<Staged>>) -> String {
    label(&mapping.compiled, &records.as_ref().map(|staged| staged.as_ref().map(|staged| &staged.record)))
}

/// What a line is decided from, as hashes.
pub(super) fn seen(link: Option<&Link>, records: &PerSide<Option<Staged>>) -> Seen {
    let of_side =
        |staged: &Option<Staged>| staged.as_ref().map(|staged| hash(&codec::encode(&staged.record.values)));
    Seen { sides: records.as_ref().map(of_side), base: base(link) }
}

fn base(link: Option<&Link>) -> i64 {
    let Some(link) = link else { return 0 };
    let mut bytes = vec![1];
    for (pair, base) in &link.bases.0 {
        codec::put_number(&mut bytes, *pair as u64);
        for value in base.org.iter().chain(&base.platform) {
            codec::put(&mut bytes, Some(value));
        }
    }
    hash(&bytes)
}

fn hash(bytes: &[u8]) -> i64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
        // So many bits as every reader of JSON keeps.
        .wrapping_shr(11) as i64
}
