//! Journal, send, and look up what nobody knows the fate of (laws E6, E11).

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::domain::cost::{Task, Way, Workload};
use crate::domain::plan::UNKNOWN_OUTCOME;
use crate::domain::port::{PortClass, PortError, RowClass, RowResult, WriteBatch, WriteKind, Written};
use crate::domain::report::Level;
use crate::domain::side::Side;
use crate::engine::apply::Item;
use crate::engine::apply::batch::Outgoing;
use crate::engine::apply::tide::Met;
use crate::engine::context::End;
use crate::engine::session::{Prepared, Session};
use crate::mutant::{Mutant, broken};
use crate::store::StoreError;
use crate::store::journal::{self, Entry, Meant, Packed};

/// How often a row is sent that meets a lock or a broken connection.
const TRIES: u32 = 5;

impl Session<'_> {
    /// Sends everything that goes to a side. What nobody knows the fate of is looked up, and sent again only if it is certain
    /// that it was not done.
    pub(in crate::engine) async fn send(
        &mut self,
        items: &mut [Item],
        side: Side,
        held: bool,
    ) -> Result<(), End> {
        for attempt in 0..TRIES {
            let mut batches = self.batches(items, side);
            if batches.is_empty() {
                return Ok(());
            }
            self.tell_jobs(side, &batches).await?;
            if !broken(Mutant::JournalSkipped) {
                self.write_journal(items, side, &mut batches).await?;
            }
            if let Some(error) = self.send_batches(items, side, batches).await {
                // What was done is committed before the run ends.
                self.commit(items.to_vec()).await?;
                return Err(end_of(error));
            }
            self.settle_unknown(items, side, attempt).await?;
            if attempt + 1 < TRIES && release_locked(items, side) {
                self.context.clock.sleep(pause(self.context.seed, attempt + 1)).await;
                // People may have edited them meanwhile.
                self.verify(items, side, held).await?;
            }
        }
        // It was certainly not done, and all tries are spent: looked at again soon.
        for item in items.iter_mut() {
            if item.results[side].is_none() && item.decision.line.writes_to(side) && !item.postponed() {
                item.postpone("not_done");
            }
        }
        Ok(())
    }

    /// Sends batches side by side, as many at once as the side bears.
    async fn send_batches(
        &self,
        items: &mut [Item],
        side: Side,
        batches: Vec<Outgoing>,
    ) -> Option<PortError> {
        let (context, traffic) = (self.context, &*self.traffic);
        let mut under_way: FuturesUnordered<_> = batches
            .into_iter()
            .map(|outgoing| async move {
                let _passage = traffic.begin(side).await;
                let began = context.clock.now();
                let result = deliver(context, side, &outgoing.batch, &outgoing.entries).await;
                let took = (context.clock.now() - began).to_std().unwrap_or_default();
                let met = result.as_ref().map_or(Met::Resistance, |rows| Met::of(rows));
                traffic.answered(side, outgoing.owners.len(), took, met);
                (outgoing.owners, result)
            })
            .collect();
        let mut trouble: Option<PortError> = None;
        while let Some((owners, result)) = under_way.next().await {
            match result {
                Ok(rows) => {
                    for (owner, row) in owners.iter().zip(rows) {
                        if let Some(item) = items.get_mut(*owner) {
                            item.results[side] = Some(row);
                        }
                    }
                }
                Err(error) => {
                    // Nothing of this batch was done.
                    for owner in &owners {
                        if let Some(item) = items.get_mut(*owner) {
                            item.postpone("not_sent");
                        }
                    }
                    trouble.get_or_insert(error);
                }
            }
        }
        trouble
    }

    /// Says what goes by jobs, and what that costs.
    async fn tell_jobs(&self, side: Side, batches: &[Outgoing]) -> Result<(), End> {
        for outgoing in batches.iter().filter(|outgoing| outgoing.by_job) {
            let rows = outgoing.batch.rows.len() as u64;
            let task = if outgoing.batch.kind == WriteKind::Delete { Task::Delete } else { Task::Write };
            let choice = self.context.endpoints[side].foresee(&Workload { task, rows });
            if let Some(choice) = choice.filter(|choice| choice.way == Way::Job) {
                self.fact(self.say(Level::Info, choice.sentence(&outgoing.batch.object))).await?;
            }
        }
        Ok(())
    }

    /// Durable before anything is sent (law E6).
    async fn write_journal(
        &self,
        items: &mut [Item],
        side: Side,
        batches: &mut [Outgoing],
    ) -> Result<(), End> {
        let now = self.now();
        let mut entries = Vec::new();
        for (place, outgoing) in batches.iter().enumerate() {
            for (owner, row) in outgoing.owners.iter().zip(&outgoing.batch.rows) {
                let Some(item) = items.get(*owner) else { continue };
                let entry = Entry {
                    entry: 0,
                    run: self.run,
                    at: now,
                    mapping: self.mappings[item.mapping].row.mapping,
                    side,
                    kind: outgoing.batch.kind,
                    source: item.decision.line.ids[side.other()].clone(),
                    target: row.id.clone(),
                    mark: outgoing.batch.mark.clone(),
                    key: row.key.clone(),
                    pairs: meant(&self.mappings[item.mapping], item, side),
                    job: None,
                };
                entries.push(((place, *owner), Packed::try_from(entry)?));
            }
        }
        let (numbers, _entries) = self
            .context
            .store
            .write_durably(move |db| {
                let put = |(owner, entry): &(_, Packed)| Ok((*owner, journal::put(db, entry)?));
                let numbers = entries.iter().map(put).collect::<Result<Vec<_>, StoreError>>()?;
                // Their many small parts are dropped beside the database's thread.
                Ok((numbers, entries))
            })
            .await?;
        for ((place, owner), number) in numbers {
            if let Some(item) = items.get_mut(owner) {
                item.entries.push(number);
            }
            if let Some(outgoing) = batches.get_mut(place) {
                outgoing.entries.push(number);
            }
        }
        Ok(())
    }

    /// Rows whose fate is unknown are looked up before anything is repeated (laws E6, E11).
    async fn settle_unknown(&self, items: &mut [Item], side: Side, attempt: u32) -> Result<(), End> {
        let unclear: Vec<usize> = items
            .iter()
            .enumerate()
            .filter(|(_, item)| matches!(item.results[side], Some(RowResult::Unknown)))
            .map(|(place, _)| place)
            .collect();
        if unclear.is_empty() {
            return Ok(());
        }
        self.fact(self.say(
            Level::Warn,
            format!(
                "The connection broke after {} rows were sent; they are looked up before anything is repeated.",
                unclear.len()
            ),
        ))
        .await?;
        // What was sent may still be on its way into the service.
        self.context.clock.sleep(pause(self.context.seed, attempt + 1)).await;
        for place in unclear {
            let found = if broken(Mutant::UnknownIsRepeated) {
                LookUp::NotDone
            } else {
                self.look_up(&items[place], side).await?
            };
            let item = &mut items[place];
            match found {
                LookUp::Done(result) => {
                    item.results[side] = Some(result);
                    item.looked_up[side] = true;
                }
                LookUp::NotDone => item.results[side] = None,
                LookUp::Unclear => {
                    item.results[side] = None;
                    item.postpone(UNKNOWN_OUTCOME);
                }
            }
        }
        Ok(())
    }
}

pub(in crate::engine) fn end_of(error: PortError) -> End {
    let limit = error.class == PortClass::Limit;
    let mut end = End::from(error);
    if limit {
        end.message = format!("{}; the rest waits for the next run", end.message.trim_end_matches('.'));
    }
    end
}

/// What a look-up after a broken connection found.
pub enum LookUp {
    /// It was done.
    Done(RowResult),
    /// It was not done and can be sent again.
    NotDone,
    /// That can't be told.
    Unclear,
}

/// What the item's changes mean for each pair, in canonical form.
pub fn meant(mapping: &Prepared, item: &Item, side: Side) -> Vec<Meant> {
    let from = side.other();
    let changes = item.decision.line.changes.iter().filter(|change| change.to == side);
    changes
        .filter_map(|change| {
            let place = change.pair?;
            let (pair, number) = (mapping.compiled.pairs.get(place)?, mapping.row.pairs.get(place)?);
            let source = match &item.records[from] {
                Some(staged) => pair.held(from, &staged.record)?,
                None => item.link.as_ref()?.bases.get(*number)?[from].clone(),
            };
            Some(Meant {
                pair: *number,
                source,
                old: pair.fold(side, &change.old),
                new: pair.fold(side, &change.new),
                rule: Some(change.rule),
            })
        })
        .collect()
}

/// Takes back the results of rows that met a lock, so that they are sent again; tells whether there are any.
fn release_locked(items: &mut [Item], side: Side) -> bool {
    let mut any = false;
    for item in items {
        if matches!(&item.results[side], Some(RowResult::Refused(error)) if error.class == RowClass::Again) {
            item.results[side] = None;
            any = true;
        }
    }
    any
}

/// Half a second, doubled with each try, with a little chance so that two of us don't meet again.
fn pause(seed: u64, attempt: u32) -> Duration {
    let chance = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(u64::from(attempt)) >> 56;
    Duration::from_millis((500u64 << attempt.min(6)) + chance)
}

/// Sends a batch and waits for its job. A job that is made ready first is kept with the journal entries of the batch before
/// anything is uploaded, so that after an interruption its end can be waited for.
pub(in crate::engine) async fn deliver(
    context: &crate::engine::context::RunContext,
    side: Side,
    batch: &WriteBatch,
    entries: &[i64],
) -> Result<Vec<RowResult>, PortError> {
    let results = match context.endpoints[side].write(batch).await? {
        Written::Rows(rows) => rows,
        Written::Prepared(job) => {
            let (entries, kept) = (entries.to_vec(), job.clone());
            context
                .store
                .write_durably(move |db| journal::set_job(db, &entries, &kept))
                .await
                .map_err(|error| PortError::new(PortClass::Transient, "STORE", error.to_string()))?;
            context.endpoints[side].carry_out(&job, batch).await?
        }
        Written::Accepted(job) => {
            let mut wait = Duration::from_secs(1);
            loop {
                context.clock.sleep(wait).await;
                if let Some(rows) = context.endpoints[side].poll(&job).await? {
                    break rows;
                }
                wait = (wait * 2).min(Duration::from_secs(30));
            }
        }
    };
    let missing = batch.rows.len().saturating_sub(results.len());
    Ok(results.into_iter().chain(std::iter::repeat_with(|| RowResult::Unknown).take(missing)).collect())
}
