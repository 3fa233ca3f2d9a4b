//! Chunks on their course: while some are verified, sent and committed, the next one is loaded and decided, so that neither the wire
//! nor the processor waits for the other. How many are under way is bounded.

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::domain::port::{RowClass, RowResult};
use crate::domain::record::RecordId;
use crate::domain::side::Side;
use crate::engine::apply::Item;
use crate::engine::apply::portion::Foreseen;
use crate::engine::brake::BrakeMeter;
use crate::engine::commit::add;
use crate::engine::context::End;
use crate::engine::plan::{Sifted, outcome_of};
use crate::engine::session::Session;
use crate::mutant::{Mutant, broken};
use crate::store::work::{self, Wanted, Work};

/// Chunks of which every record is written that may be under way at once.
const FULL: usize = 3;

/// A chunk that was sent, or could not be: its session, how many records it counted for, and what came of it.
type Carried<'a> = (Session<'a>, usize, Result<(), End>);

/// A chunk that is decided and counted, and may be sent.
pub(super) struct Ready {
    pub(super) items: Vec<Item>,
    /// How many records it counts for while it is under way: those that are written, and all of a portion for a job, so that no
    /// other such portion is taken beside it.
    pub(super) weight: usize,
    /// What waits for a parent: mapping, side and id.
    pub(super) waiting: Vec<(i64, Side, RecordId)>,
    pub(super) sifted: Sifted,
    pub(super) held: bool,
    /// The brake that it met: nothing is decided behind it.
    pub(super) braked: Option<End>,
}

/// What there is to do next.
pub(super) enum Next {
    /// Nothing any more.
    Nothing,
    /// A chunk was dealt with; nothing of it is sent.
    Settled,
    /// A chunk is to be sent.
    Sends(Box<Ready>),
}

impl<'a> Session<'a> {
    /// Works off what is wanted, chunk by chunk; of `total` pieces of the run `done` were worked on before. Tells how many there were.
    pub(super) async fn work_off(
        &mut self,
        wanted: Wanted,
        (done, total): (u64, u64),
        puts_off: bool,
    ) -> Result<u64, End> {
        let options = &self.context.options;
        let most = if self.may_overlap(wanted) { options.under_way.max(1) } else { 1 };
        let full = most.min(FULL) * options.chunk;
        let (mut last, mut worked) = (None, 0);
        let mut under_way = FuturesUnordered::new();
        let mut records = 0;
        let (mut more, mut end) = (true, None);
        loop {
            let mut finished: Vec<Carried<'a>> = Vec::new();
            if more && end.is_none() && under_way.len() < most && records < full {
                let next = self.next_chunk(wanted, (&mut last, &mut worked), (done, total), puts_off);
                let next = beside(next, &mut under_way, &mut finished).await;
                if let Some(why) = finished.iter().find_map(|(_, _, result)| result.as_ref().err()) {
                    // What was decided meanwhile is decided anew by the next run.
                    end = Some(why.clone());
                }
                match next {
                    Ok(Next::Sends(ready)) if end.is_none() => {
                        more = ready.braked.is_none();
                        records += ready.weight;
                        under_way.push(self.hand().carry(*ready));
                    }
                    Ok(Next::Sends(_) | Next::Settled) => {}
                    Ok(Next::Nothing) => more = false,
                    Err(why) => end = end.or(Some(why)),
                }
            } else if let Some(one) = under_way.next().await {
                finished.push(one);
            } else {
                break;
            }
            for (hand, weight, result) in finished {
                self.take_in(&hand);
                records -= weight;
                end = end.or(result.err());
            }
        }
        self.note().await?;
        end.map_or(Ok(worked), Err)
    }

    /// Whether several chunks may be under way: not where one has to see what became of the one before. A child is told its parents'
    /// links, a plan is held against both sides, and what waited for the end of the run, or takes one back, goes step by step.
    fn may_overlap(&self, wanted: Wanted) -> bool {
        !wanted.held && self.plan.is_free() && self.request.kind != RunKind::Undo && !self.has_references()
    }

    /// Loads and decides the next chunk.
    async fn next_chunk(
        &mut self,
        wanted: Wanted,
        (last, worked): (&mut Option<Work>, &mut u64),
        (done, total): (u64, u64),
        puts_off: bool,
    ) -> Result<Next, End> {
        self.context.control.checkpoint().await?;
        self.note().await?;
        let behind = last.take();
        let limit = self.portion(done + *worked, total.saturating_sub(done + *worked));
        let find = move |db: &rusqlite::Connection| work::in_order(db, wanted, behind.as_ref(), limit);
        let mut chunk = self.context.store.write(find).await?;
        self.cut_before_children(&mut chunk);
        let Some(end) = chunk.last().cloned() else { return Ok(Next::Nothing) };
        *last = Some(end);
        *worked += chunk.len() as u64;
        let next = self.chunk(chunk, wanted.held, puts_off).await?;
        self.publish();
        Ok(next)
    }

    /// A session that sends one chunk and counts for itself.
    fn hand(&self) -> Self {
        Session {
            context: self.context,
            request: self.request,
            run: self.run,
            started: self.started,
            mappings: self.mappings.clone(),
            counts: Counts::default(),
            per_mapping: vec![Counts::default(); self.per_mapping.len()],
            brakes: BrakeMeter::default(),
            calls_before: self.calls_before,
            stale: 0,
            foreseen: Foreseen::new(),
            traffic: Arc::clone(&self.traffic),
            withheld: None,
            absent: Vec::new(),
            parked: Vec::new(),
            plan: self.plan.clone(),
        }
    }

    /// Counts what a chunk has brought.
    fn take_in(&mut self, hand: &Self) {
        self.stale += hand.stale;
        add(&mut self.counts, &hand.counts);
        for (sum, more) in self.per_mapping.iter_mut().zip(&hand.per_mapping) {
            add(sum, more);
        }
        self.publish();
    }

    /// Sends a chunk and commits what came of it; gives itself back with what it counted.
    async fn carry(mut self, ready: Ready) -> Carried<'a> {
        let weight = ready.weight;
        let result = self.send_chunk(ready).await;
        // What stands before a brake was counted and may go; after anything else those beside it end with what they have sent.
        if result.as_ref().is_err_and(|end| end.result != RunResult::Braked) {
            self.traffic.halt();
        }
        (self, weight, result)
    }

    async fn send_chunk(&mut self, ready: Ready) -> Result<(), End> {
        let Ready { mut items, waiting, sifted, held, braked, .. } = ready;
        if broken(Mutant::CommitBeforeSend) {
            self.commit(items.iter().map(Item::as_if_sent).collect()).await?;
        }
        let traffic = Arc::clone(&self.traffic);
        for side in Side::BOTH {
            let goes = items.iter().any(|item| item.decision.line.writes_to(side));
            if !goes || traffic.is_halted() {
                continue;
            }
            let _turn = traffic.turn_to(side).await;
            // The one beside it may have met a limit meanwhile.
            if traffic.is_halted() {
                continue;
            }
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
        self.await_parents(waiting).await?;
        self.settle_plan(sifted, outcomes).await?;
        if let Some(end) = braked {
            return Err(end);
        }
        if limited && !broken(Mutant::LimitedIsDone) {
            return Err(End::new(
                RunResult::Limited,
                "a limit of the service was reached; the rest waits for the next run",
            ));
        }
        Ok(())
    }
}

/// Waits for `next`, and lets what is under way go on meanwhile; what comes to its end is put to `finished`.
async fn beside<T, F: Future>(
    next: impl Future<Output = T>,
    under_way: &mut FuturesUnordered<F>,
    finished: &mut Vec<F::Output>,
) -> T {
    let mut next = pin!(next);
    loop {
        if under_way.is_empty() {
            return next.await;
        }
        tokio::select! {
            biased;
            next = &mut next => return next,
            Some(one) = under_way.next() => finished.push(one),
        }
    }
}
