//! The state of one run in memory: its mappings, counts and progress. The steps work on it in turn.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::domain::command::RunRequest;
use crate::domain::compiled::CompiledMapping;
use crate::domain::mapping::Pair;
use crate::domain::outcome::Counts;
use crate::domain::port::Capabilities;
use crate::domain::progress::{MappingProgress, Phase};
use crate::domain::record::RecordId;
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::engine::apply::{Foreseen, Traffic};
use crate::engine::brake::BrakeMeter;
use crate::engine::context::{End, RunContext};
use crate::engine::plan::Part;
use crate::engine::prepare::Absent;
use crate::store::facts::NewFact;
use crate::store::mappings::MappingRow;
use crate::store::stage::{self, Staged};
use crate::store::work::{self, Work};
use crate::store::{StoreError, facts, runs};

/// A mapping of this run.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Checked and compiled.
    pub compiled: Arc<CompiledMapping>,
    /// Its numbers.
    pub row: MappingRow,
    /// What its sides can do.
    pub capabilities: PerSide<Capabilities>,
    /// Who we are on its sides, as [`Record::author`](crate::domain::record::Record::author) would name us, where that is told.
    pub us: PerSide<Option<String>>,
    /// Its pairs that take no part for now, because of what a side shows of their fields (law E13).
    pub left_out: Vec<Pair>,
}

impl Prepared {
    /// What is staged of one record or two.
    pub fn staged(
        &self,
        db: &rusqlite::Connection,
        ids: &PerSide<Option<RecordId>>,
    ) -> Result<PerSide<Option<Staged>>, StoreError> {
        let mut staged = PerSide::default();
        for side in Side::BOTH {
            let Some(id) = &ids[side] else { continue };
            let (object, fields) = (self.compiled.spec.object(side), self.compiled.selection[side].len());
            staged[side] = stage::get(db, side, object, id.as_str(), fields)?;
        }
        Ok(staged)
    }
}

/// Whether several mappings of a run look at an object. What is staged of a record of the org is for all of them then, since each has a
/// link of its own to it, and stays until the end of the run.
pub fn is_shared(mappings: &[Prepared], side: Side, object: &str) -> bool {
    mappings.iter().filter(|mapping| mapping.compiled.spec.object(side) == object).nth(1).is_some()
}

/// Pieces of work looked at in one transaction.
const BATCH: usize = 2_000;

/// One run on its way.
pub struct Session<'a> {
    /// What it was given.
    pub context: &'a RunContext,
    /// What it was asked.
    pub request: &'a RunRequest,
    /// Its number.
    pub run: i64,
    /// When it began.
    pub started: DateTime<Utc>,
    /// Its mappings, in precedence.
    pub mappings: Vec<Prepared>,
    /// Its counts so far.
    pub counts: Counts,
    /// The counts per mapping.
    pub per_mapping: Vec<Counts>,
    /// The brakes.
    pub brakes: BrakeMeter,
    /// Calls spent before it began.
    pub calls_before: PerSide<u64>,
    /// Rows left for a later run because something moved twice or is unclear.
    pub stale: u64,
    /// Rows that were decided to be written.
    pub foreseen: Foreseen,
    /// What its chunks that are under way share.
    pub traffic: Arc<Traffic>,
    /// How the run ends although it went through: deletes that a brake withheld, a mapping that was left out.
    pub withheld: Option<End>,
    /// Mappings that are left out (laws E5 and E13).
    pub absent: Vec<Absent>,
    /// Sentences about pairs that are left out.
    pub parked: Vec<String>,
    /// What it has to do with a plan.
    pub plan: Part,
}

impl Session<'_> {
    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        self.context.clock.now()
    }

    /// The distinct objects of a side, in order.
    pub fn objects(&self, side: Side) -> Vec<String> {
        let mut objects: Vec<String> = Vec::new();
        for mapping in &self.mappings {
            let object = mapping.compiled.spec.object(side);
            if !objects.iter().any(|known| known == object) {
                objects.push(object.to_owned());
            }
        }
        objects
    }

    /// The distinct objects of both sides: what the run reads.
    pub fn feeds(&self) -> Vec<(Side, String)> {
        let of_side = |side: Side| self.objects(side).into_iter().map(move |object| (side, object));
        Side::BOTH.into_iter().flat_map(of_side).collect()
    }

    /// Whether a mapping onto the same platform object is left out: then nobody can say to whom an unlinked record belongs.
    pub fn lacks_family(&self, platform_object: &str) -> bool {
        self.absent.iter().any(|absent| absent.platform_object == platform_object)
    }

    /// Calls that this run has spent on a side.
    pub fn calls(&self, side: Side) -> u64 {
        self.context.endpoints[side].calls().saturating_sub(self.calls_before[side])
    }

    /// Updates the calls spent.
    pub fn count_calls(&mut self) {
        for side in Side::BOTH {
            self.counts.side_mut(side).calls = self.calls(side);
        }
    }

    /// Walks through the work at hand in its order, one batch a transaction; `look` adds to the sums.
    pub async fn walk_work<T: Clone + Send + 'static>(
        &self,
        sums: &mut T,
        look: impl Fn(&Connection, &Prepared, Work, &mut T) -> Result<(), StoreError> + Clone + Send + 'static,
    ) -> Result<(), End> {
        let mut last = 0;
        loop {
            self.context.control.checkpoint().await?;
            let (mappings, look, mut summed) = (self.mappings.clone(), look.clone(), sums.clone());
            let (reached, summed) = self
                .context
                .store
                .write(move |db| {
                    let batch = work::after(db, last, false, BATCH)?;
                    let reached = batch.last().map(|work| work.work);
                    for piece in batch {
                        let Some(mapping) = mappings.get(piece.mapping) else { continue };
                        look(db, mapping, piece, &mut summed)?;
                    }
                    Ok((reached, summed))
                })
                .await?;
            *sums = summed;
            match reached {
                Some(number) => last = number,
                None => return Ok(()),
            }
        }
    }

    /// Shows a step.
    pub fn phase(&self, phase: Phase) {
        self.context.progress.send_modify(|progress| progress.phase = phase);
    }

    /// Shows the present numbers.
    pub fn publish(&mut self) {
        self.count_calls();
        let counts = self.counts;
        let per_mapping = &self.per_mapping;
        self.context.progress.send_modify(|progress| {
            progress.counts = counts;
            progress.read = counts.read;
            for (shown, counts) in progress.mappings.iter_mut().zip(per_mapping) {
                shown.counts = *counts;
                // A record that is written on both sides counts as two writes, but is one record.
                shown.done = done(counts).min(shown.total.unwrap_or(u64::MAX));
            }
        });
    }

    /// Shows how much work each mapping has.
    pub fn publish_totals(&self, totals: &[(usize, u64)]) {
        let begun: Vec<MappingProgress> = self
            .mappings
            .iter()
            .enumerate()
            .map(|(place, mapping)| MappingProgress {
                mapping: mapping.compiled.spec.name.clone(),
                title: mapping.compiled.title(),
                done: self.per_mapping.get(place).map_or(0, done),
                total: Some(
                    totals.iter().find(|(known, _)| *known == place).map_or(0, |(_, total)| *total)
                        + self.per_mapping.get(place).map_or(0, done),
                ),
                counts: self.per_mapping.get(place).copied().unwrap_or_default(),
            })
            .collect();
        self.context.progress.send_modify(|progress| progress.mappings = begun);
    }

    /// Adds to the run's and to a mapping's counts.
    pub fn count(&mut self, mapping: usize, add: impl Fn(&mut Counts)) {
        add(&mut self.counts);
        if let Some(counts) = self.per_mapping.get_mut(mapping) {
            add(counts);
        }
    }

    /// Writes a fact and shows that there is one.
    pub async fn fact(&self, fact: NewFact) -> Result<(), End> {
        let at = self.now();
        let sequence = self.context.store.write(move |db| facts::insert(db, at, &fact)).await?;
        self.context.progress.send_modify(|progress| progress.facts = sequence);
        Ok(())
    }

    /// A fact of this run.
    pub fn say(&self, level: Level, message: impl Into<String>) -> NewFact {
        NewFact::new(level, Some(self.run), message)
    }

    /// Keeps the counts with the run.
    pub async fn note(&mut self) -> Result<(), StoreError> {
        self.count_calls();
        let (run, counts) = (self.run, self.counts);
        self.context.store.write(move |db| runs::note(db, run, &counts)).await
    }
}

fn done(counts: &Counts) -> u64 {
    counts.unchanged
        + counts.skipped
        + counts.failed
        + counts.limited
        + counts.conflicts
        + counts.created()
        + counts.updated()
        + counts.deleted()
}

/// Both ids as far as they exist.
pub fn both(ids: &PerSide<RecordId>) -> PerSide<Option<RecordId>> {
    PerSide { org: Some(ids.org.clone()), platform: Some(ids.platform.clone()) }
}
