//! Deliveries of the platform: answered at once, kept as hints, and read again soon in one run for all that came together.
//!
//! A post is taken only with the platform's signature; of one without it nothing but its size is logged. Hints wait while automatic sync
//! is off or something runs, and are given up with the process: the feeds find the same changes, if later.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use crate::domain::command::RunRequest;
use crate::domain::hint::{HintOrder, Hinted, Hints, NotTaken};
use crate::domain::outcome::RunKind;
use crate::domain::progress::EngineState;
use crate::domain::side::Side;
use crate::ops::engine::EngineClient;
use crate::ops::run;
use crate::ops::session::Session;
use crate::ops::webhooks::Deliveries;

/// How long hints are gathered before they are looked at. Longer than the least pause between automatic runs, so that these get their turn.
const GATHER: Duration = Duration::from_secs(2);

/// How long until it is tried again where no run could begin.
const PATIENCE: Duration = Duration::from_secs(1);

/// From so many records on it is cheaper to ask for all changes.
const MOST: usize = 100;

/// The largest delivery.
pub(super) const LARGEST: usize = 1 << 20;

/// What waits to be looked at.
#[derive(Debug, Default)]
struct Waiting {
    records: BTreeSet<Hinted>,
    /// Whether all changes are asked for instead: something was deleted, or too many records wait.
    whole: bool,
    last: Option<DateTime<Utc>>,
}

impl Waiting {
    fn add(&mut self, hints: Hints, now: DateTime<Utc>) {
        self.last = Some(now);
        self.whole |= hints.deletions;
        self.records.extend(hints.records);
        if self.records.len() > MOST {
            self.whole = true;
            self.records.clear();
        }
    }

    /// The run that looks at it, if there is anything.
    fn run(&self) -> Option<RunRequest> {
        let at = self.last?;
        let order = HintOrder { records: self.records.iter().cloned().collect(), at };
        Some(RunRequest {
            hints: Some(order),
            // Both sides are read before a line is decided; the platform's records are read by their ids.
            reads: (!self.whole).then_some(Side::Org),
            ..RunRequest::new(RunKind::Automatic)
        })
    }
}

/// Takes deliveries in.
pub(super) struct Listener {
    session: Session,
    engine: EngineClient,
    deliveries: Deliveries,
    waiting: Mutex<Waiting>,
    came: Notify,
}

impl Listener {
    pub(super) fn new(session: &Session, engine: EngineClient, deliveries: Deliveries) -> Self {
        let (session, waiting) = (session.clone(), Mutex::default());
        Self { session, engine, deliveries, waiting, came: Notify::new() }
    }

    /// What a delivery is answered with.
    fn take(&self, signature: &str, body: &[u8]) -> (StatusCode, &'static str) {
        match self.deliveries.hints(signature, body) {
            Ok(hints) => {
                if !hints.is_empty() {
                    tracing::debug!(records = hints.records.len(), "The platform hints at changes.");
                    let now = self.session.clock().now();
                    self.waiting.lock().unwrap_or_else(PoisonError::into_inner).add(hints, now);
                    self.came.notify_one();
                }
                (StatusCode::OK, "")
            }
            Err(NotTaken::Unsigned) => {
                let bytes = body.len();
                tracing::warn!(bytes, "A delivery with a missing or wrong signature was refused.");
                (StatusCode::UNAUTHORIZED, "The signature is missing or wrong.\n")
            }
            Err(NotTaken::Unreadable) => {
                tracing::warn!(bytes = body.len(), "A delivery was signed, but nothing could be made of it.");
                (StatusCode::BAD_REQUEST, "The body has another shape.\n")
            }
        }
    }

    /// Looks at what came, for ever.
    pub(super) async fn look(&self) {
        loop {
            self.came.notified().await;
            self.session.clock().sleep(GATHER).await;
            while let Some(request) = self.request() {
                if self.begin(&request).await {
                    self.forget(&request);
                } else {
                    self.session.clock().sleep(PATIENCE).await;
                }
            }
        }
    }

    fn request(&self) -> Option<RunRequest> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).run()
    }

    /// Begins the run, unless nothing may run by itself now.
    async fn begin(&self, request: &RunRequest) -> bool {
        let may = {
            let progress = self.engine.progress();
            let now = progress.borrow();
            now.automatic && now.state == EngineState::Idle && now.held.is_none()
        };
        may && !self.is_quiet() && run::start(&self.engine, request.clone()).await.is_ok()
    }

    /// Whether these are hours in which nothing begins by itself.
    fn is_quiet(&self) -> bool {
        let local = self.session.clock().now().with_timezone(&chrono::Local).time();
        let quiet = self.session.settings().schedule.quiet;
        quiet.is_some_and(|quiet| {
            crate::engine::handle::schedule::QuietHours { from: quiet.from, until: quiet.until }
                .contain(local)
        })
    }

    /// What a run has taken over waits no longer; what came since does.
    fn forget(&self, request: &RunRequest) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(order) = &request.hints else { return };
        if waiting.last == Some(order.at) {
            *waiting = Waiting::default();
            return;
        }
        for record in &order.records {
            waiting.records.remove(record);
        }
    }
}

/// Takes one delivery.
pub(super) async fn receive(
    State(listener): State<Arc<Listener>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let told =
        headers.get(listener.deliveries.header()).and_then(|told| told.to_str().ok()).unwrap_or_default();
    listener.take(told, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::RecordId;

    fn hints(ids: std::ops::Range<usize>) -> Hints {
        let record = |id: usize| Hinted { object: "lead".into(), id: RecordId::new(id.to_string()) };
        Hints { records: ids.map(record).collect(), deletions: false }
    }

    #[test]
    fn few_records_are_read_by_id_and_many_by_the_feed() {
        let now = DateTime::UNIX_EPOCH;
        let mut waiting = Waiting::default();
        assert!(waiting.run().is_none());
        waiting.add(hints(0..MOST), now);
        waiting.add(hints(0..MOST), now);
        let run = waiting.run().unwrap();
        assert_eq!((run.reads, run.hints.map(|order| order.records.len())), (Some(Side::Org), Some(MOST)));
        waiting.add(hints(MOST..MOST + 1), now);
        let run = waiting.run().unwrap();
        assert_eq!((run.reads, run.hints.map(|order| order.records.len())), (None, Some(0)));
    }

    #[test]
    fn a_deletion_asks_the_feed_which_alone_can_tell() {
        let mut waiting = Waiting::default();
        waiting.add(Hints { deletions: true, ..hints(0..1) }, DateTime::UNIX_EPOCH);
        assert_eq!(waiting.run().unwrap().reads, None);
    }
}
