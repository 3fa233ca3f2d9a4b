//! Apply (law E6): verify, journal, send, and hand every row's result to the commit.

use crate::domain::outcome::RunResult;
use crate::domain::plan::{Action, Line, PING_PONG, UNKNOWN_OUTCOME};
use crate::domain::port::{RowClass, RowResult};
use crate::domain::progress::Phase;
use crate::domain::side::{PerSide, Side};
use crate::engine::context::End;
use crate::engine::decide::Decision;
use crate::engine::plan::outcome_of;
use crate::engine::session::Session;
use crate::mutant::{Mutant, broken};
use crate::store::holds::Holds;
use crate::store::work::{self, Wanted, Work};
use crate::store::{StoreError, decisions, departures, links, pending, seen, stage, turns};

mod batch;
mod braking;
mod item;
mod portion;
mod removal;
mod send;
mod tide;

pub use item::Item;
pub use removal::effective_policy;
pub(super) use removal::{close as close_departure, commit_departure, edited, lost_values, was_refused};
pub use send::{LookUp, meant};
pub(super) use send::{deliver, end_of};
pub use tide::Tide;

impl Session<'_> {
    /// Works through everything, chunk by chunk; what must wait for the end of the run comes last.
    pub async fn work(&mut self) -> Result<(), End> {
        self.phase(Phase::Writing);
        let totals = self.context.store.write(work::totals).await?;
        let total: u64 = totals.iter().map(|(_, total)| total).sum();
        if total == 0 {
            // The brakes count every link; a run without work costs nothing in proportion to them.
            return Ok(());
        }
        self.set_brakes(&totals).await?;
        let mut worked = 0;
        for held in [false, true] {
            if held && !self.release_held().await? {
                break;
            }
            let mut from = 0;
            // Whose parent is not linked yet is put off as long as there is something new to be linked with; a plan links nothing.
            let mut newest = None;
            // What becomes work on the way comes behind all that was there.
            loop {
                let (until, link) =
                    self.context.store.write(|db| Ok((work::last(db)?, links::newest(db)?))).await?;
                if until < from {
                    break;
                }
                let puts_off = self.plan.is_free() && newest != Some(link);
                newest = Some(link);
                // A linked record gives up its old key before somebody else is created under it.
                for linked in [true, false] {
                    let wanted = Wanted { numbers: (from, until), linked, held };
                    worked += self.work_off(wanted, (worked, total), puts_off).await?;
                }
                from = until + 1;
            }
        }
        Ok(())
    }

    /// Works off what is wanted, chunk by chunk; of `total` pieces of the run `done` were worked on before. Tells how many there were.
    async fn work_off(
        &mut self,
        wanted: Wanted,
        (done, total): (u64, u64),
        puts_off: bool,
    ) -> Result<u64, End> {
        let mut last: Option<Work> = None;
        let mut worked = 0;
        loop {
            self.context.control.checkpoint().await?;
            let behind = last.take();
            let limit = self.portion(done + worked, total.saturating_sub(done + worked));
            let mut chunk = self
                .context
                .store
                .write(move |db| work::in_order(db, wanted, behind.as_ref(), limit))
                .await?;
            self.cut_before_children(&mut chunk);
            let Some(end) = chunk.last().cloned() else { return Ok(worked) };
            last = Some(end);
            worked += chunk.len() as u64;
            self.chunk(chunk, wanted.held, puts_off).await?;
            self.publish();
        }
    }

    async fn chunk(&mut self, chunk: Vec<Work>, held: bool, puts_off: bool) -> Result<(), End> {
        let mut items = self.load(chunk).await?;
        for item in items.iter().filter(|item| item.counted) {
            self.count(item.mapping, |counts| counts.unchanged = counts.unchanged.saturating_sub(1));
        }
        let mut waiting_for_parents = self.settle(&mut items).await?;
        self.want(&mut items).await?;
        self.read_missing(&mut items).await?;
        for item in &mut items {
            let mapping = &self.mappings[item.mapping];
            item.decide(mapping);
        }
        if self.only_looks(&items).await? {
            return Ok(());
        }
        if puts_off && !waiting_for_parents.is_empty() {
            items = self.put_behind(items, &mut waiting_for_parents).await?;
        }
        let mut waiting = Vec::new();
        if !held {
            let mut kept = Vec::with_capacity(items.len());
            for item in items {
                if item.decision.blanks > 0 || item.removes() {
                    waiting.push(item.work);
                } else {
                    kept.push(item);
                }
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
        if !self.plan.is_free() {
            // A plan shows what both sides hold right now, and is held against it.
            for side in Side::BOTH {
                self.verify(&mut items, side, held).await?;
            }
            if self.write_down(&items).await? {
                return Ok(());
            }
        }
        let sifted = self.sift(&mut items).await?;
        let tripped = self.apply_brakes(&mut items);
        if broken(Mutant::CommitBeforeSend) {
            self.commit(items.iter().map(Item::as_if_sent).collect()).await?;
        }
        for side in Side::BOTH {
            // What was just held against a plan was verified for it.
            if self.plan.is_free() {
                self.verify(&mut items, side, held).await?;
            }
            self.send(&mut items, side, held).await?;
        }
        let limited = items.iter().any(|item| {
            Side::BOTH.iter().any(|side| {
                matches!(&item.results[*side], Some(RowResult::Refused(error)) if error.class == RowClass::Limit)
            })
        });
        let outcomes = items.iter().map(outcome_of).collect();
        self.commit(items).await?;
        self.await_parents(waiting_for_parents).await?;
        self.settle_plan(sifted, outcomes).await?;
        if let Some((place, kind, more)) = tripped {
            return Err(self.braked(place, kind, more));
        }
        if limited && !broken(Mutant::LimitedIsDone) {
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
        let (run, now) = (self.run, self.now());
        let numbers: Vec<i64> = self.mappings.iter().map(|mapping| mapping.row.mapping).collect();
        Ok(self
            .context
            .store
            .write(move |db| {
                let mut items = Vec::with_capacity(chunk.len());
                let (by_hand, holds) = (decisions::any(db)?, Holds::look(db)?);
                let any_seen = seen::any(db)?;
                for work in chunk {
                    let Some(shape) = shapes.get(work.mapping) else { continue };
                    let link = match work.link {
                        Some(number) => links::get(db, number)?,
                        None => None,
                    };
                    // Closed since it became work, because its record lives on as another.
                    if link.as_ref().is_some_and(|link| link.closed.is_some()) {
                        continue;
                    }
                    let waiting = match work.link {
                        Some(number) if holds.parked || holds.turns => waiting(db, number, now)?,
                        Some(_) | None => Vec::new(),
                    };
                    let by_hand = match numbers.get(work.mapping) {
                        Some(mapping)
                            if by_hand && Side::BOTH.iter().all(|side| work.ids[*side].is_some()) =>
                        {
                            decisions::of_record(db, *mapping, &work.ids)?
                        }
                        _ => Vec::new(),
                    };
                    let mut records = PerSide::default();
                    for side in Side::BOTH {
                        let Some(id) = &work.ids[side] else { continue };
                        let (object, fields) = &shape[side];
                        // A read older than the base is worth nothing any more (law E2).
                        records[side] =
                            stage::get(db, side, object, id.as_str(), *fields)?.filter(|staged| {
                                broken(Mutant::StaleReadBelieved)
                                    || link.as_ref().is_none_or(|link| {
                                        staged.read_at >= link.read[side]
                                            && !matches!((staged.record.stamp, link.stamps[side]),
                                        (Some(read), Some(known)) if read < known)
                                    })
                            });
                    }
                    let gone = match work.link {
                        Some(number) if holds.departures => departures::get(db, number)?,
                        Some(_) | None => None,
                    };
                    let unsettled = match work.link {
                        Some(number) if holds.parked || holds.pending => pending::is_unsettled(db, number)?,
                        Some(_) | None => false,
                    };
                    let counted = match work.link {
                        Some(number) if any_seen => seen::take(db, number, run)?,
                        Some(_) | None => false,
                    };
                    items.push(Item {
                        counted,
                        unsettled,
                        gone: gone.filter(|departure| departure.state != departures::State::Done),
                        work: work.work,
                        mapping: work.mapping,
                        link,
                        waiting,
                        by_hand,
                        given: false,
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
                        undo: None,
                    });
                }
                Ok(items)
            })
            .await?)
    }
}

/// The pairs of a link that may not be written now: an earlier write of unknown outcome, or both sides write them in turn.
fn waiting(
    db: &rusqlite::Connection,
    link: i64,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<(i64, &'static str)>, StoreError> {
    let unclear = pending::parked_for(db, link, UNKNOWN_OUTCOME)?;
    let mut waiting: Vec<(i64, &'static str)> =
        unclear.into_iter().map(|pair| (pair, UNKNOWN_OUTCOME)).collect();
    if !broken(Mutant::FightGoesOn) {
        let fights = pending::parked_for(db, link, PING_PONG)?;
        let begun = turns::fighting(db, link, now)?;
        waiting.extend(fights.into_iter().chain(begun).map(|pair| (pair, PING_PONG)));
    }
    Ok(waiting)
}
