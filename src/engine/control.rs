//! How a run is held, released and ended from outside.

use tokio::sync::watch;

/// What a run was last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    GoOn,
    Hold,
    End,
}

/// Shared by a run and whoever steers it; every copy steers the same run.
#[derive(Clone, Debug)]
pub struct Control {
    wish: watch::Sender<Wish>,
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl Control {
    /// A run that goes on.
    pub fn new() -> Self {
        Self { wish: watch::Sender::new(Wish::GoOn) }
    }

    /// Ends the run after the batch in hand; nothing takes this back.
    pub fn cancel(&self) {
        self.wish.send_replace(Wish::End);
    }

    /// Holds the run after the batch in hand.
    pub fn pause(&self) {
        self.wish.send_if_modified(|wish| {
            let holds = *wish == Wish::GoOn;
            if holds {
                *wish = Wish::Hold;
            }
            holds
        });
    }

    /// Goes on with a held run.
    pub fn resume(&self) {
        self.wish.send_if_modified(|wish| {
            let goes_on = *wish == Wish::Hold;
            if goes_on {
                *wish = Wish::GoOn;
            }
            goes_on
        });
    }

    /// Whether the run shall end.
    pub fn is_cancelled(&self) -> bool {
        *self.wish.borrow() == Wish::End
    }

    /// Returns at once unless the run is held; then once it is resumed or cancelled.
    pub async fn checkpoint(&self) {
        let mut wish = self.wish.subscribe();
        // The sender lives as long as `self`, so this can't end early.
        let _ = wish.wait_for(|wish| *wish != Wish::Hold).await;
    }

    /// Returns once the run shall end.
    pub async fn cancelled(&self) {
        let mut wish = self.wish.subscribe();
        let _ = wish.wait_for(|wish| *wish == Wish::End).await;
    }
}
