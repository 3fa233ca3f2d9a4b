//! Commit (law E6): links, bases, history, issues and counts of a chunk in one transaction. A base is what the target
//! returned or was read to hold, never what was sent.

use std::collections::BTreeMap;

use crate::domain::outcome::{Counts, RunKind};
use crate::domain::plan::{Action, Line};
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::engine::apply::Item;
use crate::engine::brake::Braked;
use crate::engine::context::End;
use crate::engine::offload::offload;
use crate::engine::session::{Prepared, Session, is_shared};
use crate::store::holds::Holds;
use crate::store::links::clues;
use crate::store::{StoreError, history, journal, mappings as totals, stage};

mod aftermath;
mod item;
mod link;
mod refusal;

use aftermath::Aftermath;
use item::{commit_item, settled};
pub use link::key_hashes;
pub(super) use refusal::staged_records;
pub(super) use refusal::{close_line, fail, label};

/// What one item adds to the counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) mapping: usize,
    pub(super) counts: Counts,
    pub(super) stale: u64,
    /// Links that were made.
    pub(super) links: i64,
    pub(super) opt_outs: u64,
    pub(super) blanks: u64,
    /// Records deleted or deactivated.
    pub(super) removed: u64,
    /// Whether what is staged of its records was dealt with.
    pub(super) done: bool,
    /// Whether its records agree now: two that did before, or one that was made from the other.
    pub(super) agrees: bool,
}

impl Session<'_> {
    /// Lines that need no decision: left out, or refused before anything was read of the other side.
    pub async fn leave_out(&mut self, lines: Vec<(Line, usize)>) -> Result<(), End> {
        if lines.is_empty() || self.write_down_left(&lines).await? {
            return Ok(());
        }
        for (line, place) in &lines {
            match &line.action {
                Action::Skip { .. } => self.count(*place, |counts| counts.skipped += 1),
                Action::Refuse { .. } => self.count(*place, |counts| counts.failed += 1),
                Action::Create { .. } | Action::Merge | Action::Delete { .. } | Action::Restore { .. } => {}
            }
        }
        let (run, now) = (self.run, self.now());
        let mappings = self.mappings.clone();
        let sequence = self
            .context
            .store
            .write(move |db| {
                let mut sequence = None;
                for (line, place) in &lines {
                    let Some(mapping) = mappings.get(*place) else { continue };
                    let records = staged_records(db, mapping, line)?;
                    let records = records.as_ref().map(|staged| staged.as_ref().map(|staged| &staged.record));
                    sequence = close_line(db, run, now, mapping, line, &records)?.or(sequence);
                }
                Ok(sequence)
            })
            .await?;
        self.show_fact(sequence);
        self.publish();
        Ok(())
    }

    fn show_fact(&self, sequence: Option<i64>) {
        if let Some(sequence) = sequence {
            self.context.progress.send_modify(|progress| progress.facts = sequence);
        }
    }

    /// Commits a chunk.
    pub async fn commit(&mut self, items: Vec<Item>) -> Result<(), End> {
        let (run, now, kind) = (self.run, self.now(), self.request.kind);
        let mappings = self.mappings.clone();
        let counted =
            Braked::ALL.map(|kind| (kind, !kind.is_released(self.request.kind, &self.request.allow)));
        let (mappings, items, aftermaths) = offload(move || {
            let of = |item: &Item| {
                let mapping = mappings.get(item.mapping);
                mapping.map(|mapping| Aftermath::of(run, mapping, item)).unwrap_or_default()
            };
            let aftermaths: Vec<Aftermath> = items.iter().map(of).collect();
            (mappings, items, aftermaths)
        })
        .await;
        // The items come back: their many small parts are dropped beside the database's thread, not on it.
        let (tallies, sequence, items) = self
            .context
            .store
            .write(move |db| {
                let mut tallies = Vec::with_capacity(items.len());
                let mut sequence = None;
                let holds = Holds::look(db)?;
                journal::settle_all(db, items.iter().flat_map(settled).copied().collect())?;
                let mut staged = Dealt::default();
                for (item, aftermath) in items.iter().zip(&aftermaths) {
                    let Some(mapping) = mappings.get(item.mapping) else { continue };
                    let (tally, fact) = commit_item(db, run, now, mapping, item, aftermath, holds)?;
                    sequence = fact.or(sequence);
                    tallies.push(tally);
                    // What an interrupted run staged is still to be dealt with.
                    if tally.done && item.undo.is_none() {
                        let initial = kind == RunKind::Initial && tally.agrees;
                        staged.add(&mappings, mapping, &item.decision.line.ids, initial);
                    }
                }
                staged.forget(db)?;
                clues::file_many(db)?;
                totals::count(db, "links", tallies.iter().map(|tally| tally.links).sum())?;
                let mut sums: BTreeMap<(i64, Braked), u64> = BTreeMap::new();
                let mut wrote = false;
                for tally in &tallies {
                    let Some(mapping) = mappings.get(tally.mapping) else { continue };
                    let number = mapping.row.mapping;
                    let counts = &tally.counts;
                    wrote |= counts.created() + counts.updated() + tally.removed > 0;
                    *sums.entry((number, Braked::Create)).or_default() += counts.created();
                    // A deactivation is a change that is counted as what it stands for.
                    let changed = counts.updated().saturating_sub(tally.removed);
                    *sums.entry((number, Braked::Update)).or_default() += changed;
                    *sums.entry((number, Braked::Delete)).or_default() += tally.removed;
                    *sums.entry((number, Braked::OptOut)).or_default() += tally.opt_outs;
                    *sums.entry((number, Braked::Blank)).or_default() += tally.blanks;
                }
                for ((mapping, kind), sum) in sums {
                    if sum > 0 && counted.contains(&(kind, true)) {
                        history::count_braked(db, mapping, kind.word(), sum, now)?;
                    }
                }
                if wrote {
                    history::touched(db, now)?;
                }
                Ok((tallies, sequence, (items, aftermaths)))
            })
            .await?;
        for tally in tallies {
            self.stale += tally.stale;
            self.count(tally.mapping, |counts| add(counts, &tally.counts));
        }
        self.show_fact(sequence);
        offload(move || drop(items)).await;
        Ok(())
    }
}

/// What a chunk has dealt with: ids by objects.
#[derive(Debug, Default)]
struct Dealt<'a>(BTreeMap<(i64, &'a str), Vec<&'a str>>);

impl<'a> Dealt<'a> {
    /// Adds the records of a line. A record of the org stays as long as other mappings may look at it, too: it was read once for all
    /// of them, and is forgotten at the end of the run. So does what agrees for one mapping of an initial sync.
    fn add(
        &mut self,
        mappings: &[Prepared],
        mapping: &'a Prepared,
        ids: &'a PerSide<Option<RecordId>>,
        initial: bool,
    ) {
        for side in Side::BOTH {
            let object = mapping.compiled.spec.object(side);
            let shared = (initial || side == Side::Org) && is_shared(mappings, side, object);
            if let Some(id) = ids[side].as_ref().filter(|_| !shared) {
                self.0.entry((side.number(), object)).or_default().push(id.as_str());
            }
        }
    }

    fn forget(self, db: &rusqlite::Connection) -> Result<(), StoreError> {
        self.0.into_iter().try_for_each(|((side, object), ids)| {
            stage::remove_all(db, Side::from_number(side), object, ids.into_iter())
        })
    }
}

/// Adds what was counted of records.
pub(super) fn add(sum: &mut Counts, more: &Counts) {
    sum.unchanged += more.unchanged;
    sum.skipped += more.skipped;
    sum.failed += more.failed;
    sum.limited += more.limited;
    sum.conflicts += more.conflicts;
    for (sum, more) in [(&mut sum.salesforce, &more.salesforce), (&mut sum.platform, &more.platform)] {
        sum.created += more.created;
        sum.updated += more.updated;
        sum.deleted += more.deleted;
    }
}
