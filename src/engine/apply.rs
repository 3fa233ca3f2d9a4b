//! Apply (law E6): verify, journal, send, and hand every row's result to the commit.

use crate::domain::progress::Phase;
use crate::domain::side::Side;
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::store::links;
use crate::store::work::{self, Wanted, Work};

mod batch;
mod braking;
mod course;
mod item;
mod load;
mod portion;
mod removal;
mod send;
mod tide;
mod traffic;

pub use item::Item;
pub(super) use portion::Foreseen;
pub use removal::effective_policy;
pub(super) use removal::{close as close_departure, commit_departure, edited, lost_values, was_refused};
pub use send::{LookUp, meant};
pub(super) use send::{deliver, end_of};
pub use traffic::Traffic;

use course::{Next, Ready};

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

    /// Loads and decides a chunk, and counts it against the brakes.
    async fn chunk(&mut self, chunk: Vec<Work>, held: bool, puts_off: bool) -> Result<Next, End> {
        let taken = chunk.len();
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
            return Ok(Next::Settled);
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
        self.foresee_rows(&items);
        if !self.plan.is_free() {
            // A plan shows what both sides hold right now, and is held against it.
            for side in Side::BOTH {
                self.verify(&mut items, side, held).await?;
            }
            if self.write_down(&items).await? {
                return Ok(Next::Settled);
            }
        }
        let sifted = self.sift(&mut items).await?;
        let braked = self.apply_brakes(&mut items).map(|(place, kind, more)| self.braked(place, kind, more));
        if self.plan.is_free() {
            items = self.commit_idle(items).await?;
            if items.is_empty() && waiting_for_parents.is_empty() && braked.is_none() {
                return Ok(Next::Settled);
            }
        }
        let weight = if taken > self.context.options.chunk { taken } else { items.len() };
        let waiting = waiting_for_parents;
        Ok(Next::Sends(Box::new(Ready { items, weight, waiting, sifted, held, braked })))
    }

    /// Commits what writes nothing, so that it is not kept as long as the others are sent; gives back these others.
    async fn commit_idle(&mut self, items: Vec<Item>) -> Result<Vec<Item>, End> {
        let (idle, busy): (Vec<Item>, Vec<Item>) = items.into_iter().partition(Item::is_idle);
        if !idle.is_empty() {
            self.commit(idle).await?;
        }
        Ok(busy)
    }
}
