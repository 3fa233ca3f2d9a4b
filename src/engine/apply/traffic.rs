//! What the chunks under way share: how many batches each side bears at once, and on which side they verify and write.
//!
//! Chunks may verify and write on one side together, and never on both sides at once: what is written to one side may have people
//! or rules change records of the other, and those that were verified there and are not written yet would be overwritten (law E6).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::side::{PerSide, Side};
use crate::engine::apply::tide::{Met, Tide};

/// The traffic of a run.
#[derive(Debug)]
pub struct Traffic {
    state: Mutex<State>,
    moved: Notify,
}

#[derive(Debug)]
struct State {
    tide: PerSide<Tide>,
    /// Batches under way.
    batches: PerSide<usize>,
    /// Chunks between their verifying read and their last write.
    chunks: PerSide<usize>,
    halted: bool,
}

/// What was let through; its place is free again once it is dropped.
pub(super) struct Passage<'a> {
    traffic: &'a Traffic,
    leave: fn(&mut State, Side),
    side: Side,
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        (self.leave)(&mut self.traffic.state(), self.side);
        self.traffic.moved.notify_waiters();
    }
}

impl Traffic {
    /// Both sides start with so many batches at once, and come to so many at most.
    pub fn new(parallel: usize, most: usize) -> Self {
        let state = State {
            tide: PerSide::from_fn(|_side| Tide::new(parallel, most)),
            batches: PerSide::default(),
            chunks: PerSide::default(),
            halted: false,
        };
        Self { state: Mutex::new(state), moved: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `enters` lets it through.
    async fn pass(
        &self,
        side: Side,
        enters: fn(&mut State, Side) -> bool,
        leave: fn(&mut State, Side),
    ) -> Passage<'_> {
        loop {
            let moved = self.moved.notified();
            if enters(&mut self.state(), side) {
                return Passage { traffic: self, leave, side };
            }
            moved.await;
        }
    }

    /// Waits until no chunk verifies or writes on the other side.
    pub(super) async fn turn_to(&self, side: Side) -> Passage<'_> {
        let enters = |state: &mut State, side: Side| {
            let free = state.chunks[side.other()] == 0;
            state.chunks[side] += usize::from(free);
            free
        };
        self.pass(side, enters, |state, side| state.chunks[side] -= 1).await
    }

    /// Waits until the side bears one more batch.
    pub(super) async fn begin(&self, side: Side) -> Passage<'_> {
        let enters = |state: &mut State, side: Side| {
            let free = state.batches[side] < state.tide[side].width();
            state.batches[side] += usize::from(free);
            free
        };
        self.pass(side, enters, |state, side| state.batches[side] -= 1).await
    }

    /// A batch of so many rows was answered.
    pub(super) fn answered(&self, side: Side, rows: usize, took: Duration, met: Met) {
        self.state().tide[side].answered(rows, took, met);
    }

    /// Lets nothing more be sent: the run is about to end.
    pub(super) fn halt(&self) {
        self.state().halted = true;
    }

    /// Whether the run is about to end.
    pub(super) fn is_halted(&self) -> bool {
        self.state().halted
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn chunks_share_a_side_and_never_write_to_both() {
        let traffic = Traffic::new(1, 1);
        let org = [traffic.turn_to(Side::Org).now_or_never(), traffic.turn_to(Side::Org).now_or_never()];
        assert!(org.iter().all(Option::is_some));
        let [first, second] = org;
        assert!(traffic.turn_to(Side::Platform).now_or_never().is_none());
        drop(first);
        assert!(traffic.turn_to(Side::Platform).now_or_never().is_none());
        drop(second);
        let platform = traffic.turn_to(Side::Platform).now_or_never();
        assert!(platform.is_some());
        assert!(traffic.turn_to(Side::Org).now_or_never().is_none());
    }

    #[test]
    fn all_chunks_together_have_as_many_batches_under_way_as_a_side_bears() {
        let traffic = Traffic::new(2, 2);
        let (first, second) =
            (traffic.begin(Side::Org).now_or_never(), traffic.begin(Side::Org).now_or_never());
        assert!(first.is_some() && second.is_some());
        assert!(traffic.begin(Side::Org).now_or_never().is_none());
        assert!(traffic.begin(Side::Platform).now_or_never().is_some());
        drop(first);
        assert!(traffic.begin(Side::Org).now_or_never().is_some());
    }

    #[test]
    fn whoever_waits_is_let_through_once_a_place_is_free() {
        let traffic = Traffic::new(1, 1);
        let first = traffic.begin(Side::Org).now_or_never();
        let mut waiting = std::pin::pin!(traffic.begin(Side::Org));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(first);
        assert!(waiting.as_mut().now_or_never().is_some());
    }
}
