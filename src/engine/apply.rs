//! Apply (law E6): verify, journal, send, and hand every row's result to the commit.

use std::time::Duration;

use futures_util::StreamExt;

use crate::domain::compiled::CompiledMapping;
use crate::domain::outcome::RunResult;
use crate::domain::plan::{Action, Change, Line, SkipReason, UNKNOWN_OUTCOME};
use crate::domain::port::{
    PortClass, PortError, RowClass, RowResult, WriteBatch, WriteKind, WriteRow, Written,
};
use crate::domain::progress::Phase;
use crate::domain::record::{RecordId, Selection};
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::engine::brake::Braked;
use crate::engine::context::End;
use crate::engine::decide::{self, Decision, Present};
use crate::engine::session::{Prepared, Session};
use crate::store::journal::{self, Entry, Meant};
use crate::store::links::{self, Link};
use crate::store::pending;
use crate::store::stage::{self, Staged};
use crate::store::work::{self, Work};

/// How often a row is sent that meets a lock or a broken connection.
const TRIES: u32 = 5;

/// One piece of work on its way through a chunk.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its number in the table of work.
    pub work: i64,
    /// The mapping, as its place in the run.
    pub mapping: usize,
    /// The link, if there is one.
    pub link: Option<Link>,
    /// Its pairs that wait because nobody knows what came of an earlier write.
    pub unclear: Vec<i64>,
    /// What was read of either side.
    pub records: PerSide<Option<Staged>>,
    /// Which sides were read again right before writing.
    pub verified: PerSide<bool>,
    /// The line, and what it does to the bases.
    pub decision: Decision,
    /// What became of its writes.
    pub results: PerSide<Option<RowResult>>,
    /// On which sides the result was not answered but looked up after a broken connection.
    pub looked_up: PerSide<bool>,
    /// The journal entries of its writes.
    pub entries: Vec<i64>,
    /// Why it waits for a later run, if it does.
    pub later: Option<&'static str>,
}

impl Item {
    /// Leaves it for a later run.
    pub fn postpone(&mut self, why: &'static str) {
        self.later = Some(why);
    }

    /// Whether it waits for a later run.
    pub fn postponed(&self) -> bool {
        self.later.is_some()
    }

    /// Decides it from what is known now.
    pub fn decide(&mut self, mapping: &Prepared) {
        self.decision =
            decide(mapping, self.link.as_ref(), &self.decision.line.ids, &self.records, &self.unclear);
        if self.has_left(mapping) {
            self.decision = Decision {
                line: Line {
                    action: Action::Skip { reason: SkipReason::OutOfScope },
                    changes: Vec::new(),
                    parked: Vec::new(),
                    obstacles: Vec::new(),
                    ..self.decision.line.clone()
                },
                steps: Vec::new(),
                blanks: 0,
                opt_outs: 0,
            };
        }
    }

    /// Whether something would come of linked records of which one no longer meets the criteria (law E12). They stay linked with
    /// their bases as they are, so that nothing is lost if the record comes back.
    fn has_left(&self, mapping: &Prepared) -> bool {
        let line = &self.decision.line;
        let idle = line.changes.is_empty() && line.parked.is_empty() && line.obstacles.is_empty();
        let out = |side: Side| {
            let read = self.records[side].as_ref();
            read.is_some_and(|staged| !mapping.compiled.in_scope(side, &staged.record))
        };
        self.link.is_some() && line.action == Action::Merge && !idle && Side::BOTH.into_iter().any(out)
    }
}

fn decide(
    mapping: &Prepared,
    link: Option<&Link>,
    ids: &PerSide<Option<RecordId>>,
    records: &PerSide<Option<Staged>>,
    unclear: &[i64],
) -> Decision {
    if let (Some(org), Some(platform)) = (&ids.org, &ids.platform) {
        let present = PerSide::from_fn(|side| match &records[side] {
            Some(staged) => Present::Read { record: &staged.record, read_at: staged.read_at },
            None => Present::AsBase,
        });
        let ids = PerSide { org: org.clone(), platform: platform.clone() };
        return decide::linked(&mapping.compiled, &mapping.row.pairs, link, &ids, &present, unclear);
    }
    for side in Side::BOTH {
        if let Some(staged) = &records[side] {
            return decide::create(&mapping.compiled, side, &staged.record);
        }
    }
    Decision {
        line: Line {
            mapping: mapping.compiled.spec.name.clone(),
            ids: ids.clone(),
            action: Action::Merge,
            changes: Vec::new(),
            parked: Vec::new(),
            obstacles: Vec::new(),
        },
        steps: Vec::new(),
        blanks: 0,
        opt_outs: 0,
    }
}

/// A batch with the items its rows belong to.
struct Outgoing {
    batch: WriteBatch,
    owners: Vec<usize>,
}

impl Session<'_> {
    /// Works through everything, chunk by chunk; what must wait for the end of the run comes last.
    pub async fn work(&mut self) -> Result<(), End> {
        self.phase(Phase::Writing);
        self.set_brakes().await?;
        for held in [false, true] {
            if held && !self.release_held().await? {
                break;
            }
            let mut last = 0;
            loop {
                self.context.control.checkpoint().await?;
                let from = last;
                let limit = self.context.options.chunk;
                let chunk = self.context.store.write(move |db| work::after(db, from, held, limit)).await?;
                let Some(end) = chunk.last().map(|work| work.work) else { break };
                last = end;
                self.chunk(chunk, held).await?;
                self.publish();
            }
        }
        Ok(())
    }

    async fn set_brakes(&mut self) -> Result<(), End> {
        let since = self.now() - crate::engine::brake::window();
        let totals = self.context.store.write(|db| work::totals(db)).await?;
        for place in 0..self.mappings.len() {
            let mapping = self.mappings[place].row.mapping;
            let (links, sums) = self
                .context
                .store
                .write(move |db| {
                    let mut sums = Vec::new();
                    for kind in Braked::ALL {
                        sums.push((
                            kind,
                            crate::store::history::braked_since(db, mapping, kind.word(), since)?,
                        ));
                    }
                    Ok((links::count(db, mapping, u64::MAX >> 1)?, sums))
                })
                .await?;
            let work = totals.iter().find(|(known, _)| *known == place).map_or(0, |(_, total)| *total);
            let of = if self.request.kind == crate::domain::outcome::RunKind::Initial {
                links.max(work)
            } else {
                links
            };
            for (kind, before) in sums {
                self.brakes.set(
                    place,
                    kind,
                    self.request.kind,
                    &self.context.options.brakes,
                    &self.request.allow,
                    before,
                    of,
                );
            }
        }
        Ok(())
    }

    /// Blankings wait until all of them are counted; tells whether they may go (law E10).
    async fn release_held(&mut self) -> Result<bool, End> {
        let held = self.context.store.write(|db| work::after(db, 0, true, usize::MAX >> 1)).await?;
        if held.is_empty() {
            return Ok(true);
        }
        let mut sums: std::collections::BTreeMap<usize, u64> = std::collections::BTreeMap::new();
        for work in &held {
            *sums.entry(work.mapping).or_default() += 1;
        }
        for (place, sum) in sums {
            if !self.brakes.take(place, Braked::Blank, sum) {
                return Err(self.braked(place, Braked::Blank, sum));
            }
        }
        Ok(true)
    }

    fn braked(&self, place: usize, kind: Braked, more: u64) -> End {
        let name = self.mappings.get(place).map_or("", |mapping| mapping.compiled.spec.name.as_str());
        let (what, flag) = kind.sentence();
        End::new(
            RunResult::Braked,
            format!(
                "In mapping {name} more than {} {what} within a day; the rest was not written. \
                 Look at the records, then release the number you accept with {flag} {more}",
                self.brakes.limit(place, kind),
            ),
        )
    }

    async fn chunk(&mut self, chunk: Vec<Work>, held: bool) -> Result<(), End> {
        let mut items = self.load(chunk).await?;
        self.read_missing(&mut items).await?;
        for item in &mut items {
            let mapping = &self.mappings[item.mapping];
            item.decide(mapping);
        }
        let mut waiting = Vec::new();
        if !held {
            let mut kept = Vec::with_capacity(items.len());
            for item in items {
                if item.decision.blanks > 0 { waiting.push(item.work) } else { kept.push(item) }
            }
            items = kept;
        }
        if !waiting.is_empty() {
            self.context
                .store
                .write(move |db| {
                    for number in &waiting {
                        work::hold(db, *number)?;
                    }
                    Ok(())
                })
                .await?;
        }
        let tripped = self.apply_brakes(&mut items);
        for side in Side::BOTH {
            self.verify(&mut items, side, held).await?;
            self.send(&mut items, side, held).await?;
        }
        let limited = items.iter().any(|item| {
            Side::BOTH.iter().any(|side| {
                matches!(&item.results[*side], Some(RowResult::Refused(error)) if error.class == RowClass::Limit)
            })
        });
        self.commit(items).await?;
        if let Some((place, kind, more)) = tripped {
            return Err(self.braked(place, kind, more));
        }
        if limited {
            return Err(End::new(
                RunResult::Limited,
                "a limit of the service was reached; the rest waits for the next run",
            ));
        }
        Ok(())
    }

    async fn load(&self, chunk: Vec<Work>) -> Result<Vec<Item>, End> {
        let shapes: Vec<PerSide<(String, usize)>> = self
            .mappings
            .iter()
            .map(|mapping| {
                PerSide::from_fn(|side| {
                    (mapping.compiled.spec.object(side).to_owned(), mapping.compiled.selection[side].len())
                })
            })
            .collect();
        Ok(self
            .context
            .store
            .write(move |db| {
                let mut items = Vec::with_capacity(chunk.len());
                for work in chunk {
                    let Some(shape) = shapes.get(work.mapping) else { continue };
                    let link = match work.link {
                        Some(number) => links::get(db, number)?,
                        None => None,
                    };
                    let unclear = match work.link {
                        Some(number) => pending::parked_for(db, number, UNKNOWN_OUTCOME)?,
                        None => Vec::new(),
                    };
                    let mut records = PerSide::default();
                    for side in Side::BOTH {
                        let Some(id) = &work.ids[side] else { continue };
                        let (object, fields) = &shape[side];
                        // A read older than the base is worth nothing any more (law E2).
                        records[side] =
                            stage::get(db, side, object, id.as_str(), *fields)?.filter(|staged| {
                                link.as_ref().is_none_or(|link| {
                                    staged.read_at >= link.read[side]
                                        && !matches!((staged.record.stamp, link.stamps[side]),
                                        (Some(read), Some(known)) if read < known)
                                })
                            });
                    }
                    items.push(Item {
                        work: work.work,
                        mapping: work.mapping,
                        link,
                        unclear,
                        records,
                        verified: PerSide::default(),
                        decision: Decision {
                            line: Line {
                                mapping: String::new(),
                                ids: work.ids,
                                action: Action::Merge,
                                changes: Vec::new(),
                                parked: Vec::new(),
                                obstacles: Vec::new(),
                            },
                            steps: Vec::new(),
                            blanks: 0,
                            opt_outs: 0,
                        },
                        results: PerSide::default(),
                        looked_up: PerSide::default(),
                        entries: Vec::new(),
                        later: None,
                    });
                }
                Ok(items)
            })
            .await?)
    }

    /// Counts what streams; a line that would pass a limit is left out, and the run ends after this chunk.
    fn apply_brakes(&mut self, items: &mut [Item]) -> Option<(usize, Braked, u64)> {
        let mut tripped: Option<(usize, Braked, u64)> = None;
        for item in items.iter_mut().filter(|item| item.later.is_none()) {
            let line = &item.decision.line;
            let mut kinds = Vec::new();
            match line.action {
                Action::Create { .. } => kinds.push((Braked::Create, 1)),
                Action::Merge if !line.changes.is_empty() => kinds.push((Braked::Update, 1)),
                Action::Merge | Action::Skip { .. } | Action::Refuse { .. } => {}
            }
            if item.decision.opt_outs > 0 {
                kinds.push((Braked::OptOut, item.decision.opt_outs));
            }
            for (kind, more) in kinds {
                if !self.brakes.take(item.mapping, kind, more) {
                    item.postpone("brake");
                    let so_far = tripped.map_or(0, |(_, _, sum)| sum);
                    tripped = Some((item.mapping, kind, so_far + more));
                    break;
                }
            }
        }
        tripped
    }

    fn batches(&self, items: &[Item], side: Side) -> Vec<Outgoing> {
        let mut batches: Vec<Outgoing> = Vec::new();
        for (owner, item) in items.iter().enumerate() {
            let line = &item.decision.line;
            let kind = match line.action {
                Action::Create { on } if on == side => WriteKind::Create,
                Action::Merge if line.writes_to(side) => WriteKind::Update,
                _ => continue,
            };
            if item.postponed() || item.results[side].is_some() {
                continue;
            }
            let mapping = &self.mappings[item.mapping];
            let spec = &mapping.compiled.spec;
            let most = mapping.capabilities[side].write_batch.max(1);
            let at = batches.iter().position(|known| {
                known.batch.object == spec.object(side)
                    && known.batch.kind == kind
                    && known.batch.rows.len() < most
                    && known.batch.mark.as_deref() == spec.mark(side).filter(|_| kind == WriteKind::Create)
                    && known.batch.effects == spec.side_effects
                    && known.owners.first().is_some_and(|first| items[*first].mapping == item.mapping)
            });
            let at = at.unwrap_or_else(|| {
                let selection = writable(&mapping.compiled, side);
                let consent = consent_places(&mapping.compiled, side, &selection);
                batches.push(Outgoing {
                    batch: WriteBatch {
                        object: spec.object(side).to_owned(),
                        kind,
                        selection,
                        rows: Vec::new(),
                        read_back: mapping.compiled.selection[side].clone(),
                        mark: spec.mark(side).filter(|_| kind == WriteKind::Create).map(str::to_owned),
                        consent,
                        effects: spec.side_effects,
                    },
                    owners: Vec::new(),
                });
                batches.len() - 1
            });
            let batch = &mut batches[at];
            let mut values = vec![None; batch.batch.selection.len()];
            for change in line.changes.iter().filter(|change| change.to == side) {
                fill(&mut values, &batch.batch.selection, change);
            }
            let key = key_on(mapping, side, item);
            batch.batch.rows.push(WriteRow { id: line.ids[side].clone(), values, key });
            batch.owners.push(owner);
        }
        batches
    }

    /// Sends everything that goes to a side. What nobody knows the fate of is looked up, and sent again only if it is certain
    /// that it was not done.
    async fn send(&mut self, items: &mut [Item], side: Side, held: bool) -> Result<(), End> {
        for attempt in 0..TRIES {
            let batches = self.batches(items, side);
            if batches.is_empty() {
                return Ok(());
            }
            self.write_journal(items, side, &batches).await?;
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
        // Still without a result after all tries: looked at again in the next run.
        for item in items.iter_mut() {
            if item.results[side].is_none() && item.decision.line.writes_to(side) && !item.postponed() {
                item.postpone(UNKNOWN_OUTCOME);
            }
        }
        Ok(())
    }

    async fn send_batches(
        &self,
        items: &mut [Item],
        side: Side,
        batches: Vec<Outgoing>,
    ) -> Option<PortError> {
        let context = self.context;
        let mut sending = futures_util::stream::iter(batches.into_iter().map(|outgoing| async move {
            let result = deliver(context, side, &outgoing.batch).await;
            (outgoing.owners, result)
        }))
        .buffered(context.options.parallel.max(1));
        let mut trouble: Option<PortError> = None;
        while let Some((owners, result)) = sending.next().await {
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

    /// Durable before anything is sent (law E6).
    async fn write_journal(&self, items: &mut [Item], side: Side, batches: &[Outgoing]) -> Result<(), End> {
        let now = self.now();
        let mut entries = Vec::new();
        for outgoing in batches {
            for (owner, row) in outgoing.owners.iter().zip(&outgoing.batch.rows) {
                let Some(item) = items.get(*owner) else { continue };
                entries.push((
                    *owner,
                    Entry {
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
                    },
                ));
            }
        }
        let numbers = self
            .context
            .store
            .write_durably(move |db| {
                entries
                    .iter()
                    .map(|(owner, entry)| Ok((*owner, journal::put(db, entry)?)))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await?;
        for (owner, number) in numbers {
            if let Some(item) = items.get_mut(owner) {
                item.entries.push(number);
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
            let found = self.look_up(&items[place], side).await?;
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

fn end_of(error: PortError) -> End {
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
                Some(staged) => pair.fold(from, &pair.values(from, &staged.record)?),
                None => item.link.as_ref()?.bases.get(*number)?[from].clone(),
            };
            Some(Meant {
                pair: *number,
                source,
                old: pair.fold(side, &change.old),
                new: pair.fold(side, &change.new),
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

/// Sends a batch and waits for its job.
async fn deliver(
    context: &crate::engine::context::RunContext,
    side: Side,
    batch: &WriteBatch,
) -> Result<Vec<RowResult>, PortError> {
    let results = match context.endpoints[side].write(batch).await? {
        Written::Rows(rows) => rows,
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

/// The fields of a side that this mapping may write, in order.
fn writable(mapping: &CompiledMapping, side: Side) -> Selection {
    Selection::new(
        mapping
            .pairs
            .iter()
            .filter(|pair| pair.creatable[side])
            .flat_map(|pair| pair.spec.fields(side).iter().cloned())
            .chain(mapping.spec.mark(side).map(str::to_owned))
            .chain(
                mapping
                    .spec
                    .default
                    .iter()
                    .filter(|default| default.side == side)
                    .map(|default| default.field.clone()),
            ),
    )
}

fn consent_places(mapping: &CompiledMapping, side: Side, selection: &Selection) -> Vec<usize> {
    mapping
        .pairs
        .iter()
        .filter(|pair| pair.spec.transform.is_consent())
        .flat_map(|pair| pair.spec.fields(side))
        .filter_map(|name| selection.position(name))
        .collect()
}

fn fill(values: &mut [Option<Value>], selection: &Selection, change: &Change) {
    for (name, value) in change.fields.iter().zip(&change.new) {
        if let Some(slot) = selection.position(name).and_then(|place| values.get_mut(place)) {
            *slot = Some(value.clone());
        }
    }
}

/// The key of the target: as it stands now for an update, as it will be for a create.
fn key_on(prepared: &Prepared, side: Side, item: &Item) -> Vec<Value> {
    let mapping = &prepared.compiled;
    let mut key = Vec::new();
    for place in &mapping.keys {
        let Some(pair) = mapping.pairs.get(*place) else { continue };
        let present = item.records[side].as_ref().and_then(|staged| pair.values(side, &staged.record));
        let based = || {
            let number = prepared.row.pairs.get(*place)?;
            Some(item.link.as_ref()?.bases.get(*number)?[side].clone())
        };
        let sent = || {
            item.decision
                .line
                .changes
                .iter()
                .find(|change| change.pair == Some(*place) && change.to == side)
                .map(|change| change.new.clone())
        };
        key.extend(present.or_else(based).or_else(sent).unwrap_or_default());
    }
    key
}
