//! Plans (law E5): what a run would do, made by the very run, and done later line by line.
//!
//! A plan is a run on two things that keep nothing: a [rehearsal](Store::rehearse) of the state database, which is taken back at the
//! end, and sides that can only be looked at (`looking`). Where the run would send a chunk it is written down instead (`book`). A
//! saved plan is applied by a run of the same kind, of whose lines only those pass that stand in the plan just as they are (`sift`).

mod book;
mod looking;
mod sift;

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::watch;

use crate::domain::command::{RunReport, RunRequest};
use crate::domain::grouped::grouped;
use crate::domain::outcome::RunResult;
use crate::domain::plan::saved::{Deed, PlanCost, PlanHead, PlanOrder};
use crate::domain::progress::{EngineState, Phase, Progress};
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::engine::context::{EngineOptions, RunContext};
use crate::engine::prepare::fingerprint;
use crate::engine::references::referring;
use crate::engine::run;
use crate::store::facts::{self, NewFact};
use crate::store::{Store, StoreError, plans};

pub use book::Book;
pub use sift::NOT_IN_PLAN;
pub(in crate::engine) use sift::{Sifted, outcome_of};

/// What a run has to do with a plan.
#[derive(Clone, Default)]
pub enum Part {
    /// Nothing.
    #[default]
    Free,
    /// It only writes one down.
    Makes(Arc<Book>),
    /// It does what the plan of this number says, and nothing else.
    Does(i64),
}

impl Part {
    /// The book that is written, if one is.
    pub fn book(&self) -> Option<&Arc<Book>> {
        match self {
            Self::Makes(book) => Some(book),
            Self::Free | Self::Does(_) => None,
        }
    }

    /// Whether nothing is to be done for a plan.
    pub fn is_free(&self) -> bool {
        matches!(self, Self::Free)
    }
}

/// Makes a plan instead of running.
pub async fn make(context: &RunContext, request: &RunRequest) -> RunReport {
    let started = context.clock.now();
    match rehearse(context, request).await {
        Ok((mut report, Some(book))) => {
            let took = context.clock.now() - started;
            match keep(context, request, &book, took, report.message.as_deref()).await {
                Ok(number) => report.plan = Some(number),
                Err(error) => {
                    report.result = RunResult::Failed;
                    report.message = Some(error.to_string());
                }
            }
            report
        }
        Ok((report, None)) => report,
        Err(error) => run::report(0, request, RunResult::Failed, Some(error.to_string())),
    }
}

/// Runs on what keeps nothing; gives the book if it was written to its end.
async fn rehearse(
    context: &RunContext,
    request: &RunRequest,
) -> Result<(RunReport, Option<Arc<Book>>), StoreError> {
    let book = Arc::new(Book::new(context.store.scratch()?));
    let rehearsal = context.store.rehearse().await?;
    let looking = |side: Side| looking::Looking::at(Arc::clone(&context.endpoints[side]));
    let endpoints = referring(&PerSide::from_fn(looking), &context.mappings, &rehearsal, None);
    let numbers = watch::Sender::new(Progress::default());
    let apart = RunContext {
        store: rehearsal,
        endpoints,
        mappings: context.mappings.clone(),
        // What is past retention is no matter of a plan.
        options: EngineOptions { retention_days: 0, ..context.options.clone() },
        clock: Arc::clone(&context.clock),
        seed: context.seed,
        control: context.control.clone(),
        progress: numbers.clone(),
        org_id: context.org_id.clone(),
    };
    let mut moved = numbers.subscribe();
    let running = run::carry_out(&apart, request, Part::Makes(Arc::clone(&book)));
    tokio::pin!(running);
    let report = loop {
        tokio::select! {
            biased;
            report = &mut running => break report,
            changed = moved.changed() => if changed.is_ok() {
                show(context, &moved.borrow_and_update());
            },
        }
    };
    let finished = book.is_finished();
    let report = RunReport { run: 0, ..report };
    Ok((report, finished.then_some(book)))
}

/// Shows the numbers of a plan that is being made. It is no run and has no number, and its facts are taken back with it.
fn show(context: &RunContext, numbers: &Progress) {
    context.progress.send_modify(|progress| {
        if numbers.state == EngineState::Idle {
            return;
        }
        progress.kind = numbers.kind;
        progress.phase = match numbers.phase {
            Phase::Writing => Phase::Deciding,
            Phase::None
            | Phase::Preparing
            | Phase::Recovering
            | Phase::Reading
            | Phase::Matching
            | Phase::Deciding
            | Phase::Finishing => numbers.phase,
        };
        progress.started = numbers.started;
        progress.mappings.clone_from(&numbers.mappings);
        progress.counts = numbers.counts;
        progress.read = numbers.read;
        progress.expected = numbers.expected;
        progress.plans = true;
    });
}

/// Lines copied in one transaction.
const PAGE: usize = 1_000;

/// Keeps what was written down, in the order of mapping and ids.
async fn keep(
    context: &RunContext,
    request: &RunRequest,
    book: &Book,
    took: TimeDelta,
    message: Option<&str>,
) -> Result<i64, StoreError> {
    let (name, fires) = match &request.plan {
        Some(PlanOrder::Make { name, fires }) => (name.clone(), fires.clone()),
        Some(PlanOrder::Apply { .. }) | None => (None, Vec::new()),
    };
    let made = context.clock.now();
    let head = book.head(PlanHead {
        plan: 0,
        name: None,
        made,
        kind: request.kind,
        mappings: request.mappings.clone(),
        direction: request.direction,
        org: context.org_id.clone(),
        settings: fingerprint(&context.mappings),
        read: 0,
        unchanged: 0,
        lines: 0,
        counts: Vec::new(),
        cost: PlanCost {
            seconds: u64::try_from(took.num_seconds()).unwrap_or(0),
            budget: context.endpoints.org.calls_of_the_day(),
            ..PlanCost::default()
        },
        fires,
        brakes: Vec::new(),
        notes: message.map(str::to_owned).into_iter().collect(),
        applied: None,
    });
    let kept = head.clone();
    let plan = context.store.write(move |db| plans::begin(db, &kept)).await?;
    if let Err(error) = copy(book.scratch(), &context.store, plan).await {
        // Half a plan is none.
        let _ = context.store.write(move |db| plans::forget(db, plan)).await;
        return Err(error);
    }
    let sentence = sentence(plan, name.as_deref(), &head);
    let days = i64::from(context.options.retention_days);
    let before =
        TimeDelta::try_days(days).and_then(|kept| made.checked_sub_signed(kept)).filter(|_| days > 0);
    let sequence = context
        .store
        .write(move |db| {
            plans::name(db, plan, name.as_deref())?;
            plans::prune(db, before)?;
            facts::insert(db, made, &NewFact::new(Level::Info, None, sentence))
        })
        .await?;
    context.progress.send_modify(|progress| progress.facts = sequence);
    Ok(plan)
}

async fn copy(from: &Store, to: &Store, plan: i64) -> Result<(), StoreError> {
    let mut place = plans::Place::default();
    let mut number = 0;
    loop {
        let at = place.clone();
        let mut page = from.write(move |db| plans::in_order(db, 0, &at, PAGE)).await?;
        let Some(last) = page.last() else { return Ok(()) };
        place = plans::Place::behind(last);
        for line in &mut page {
            number += 1;
            line.number = number;
        }
        to.write(move |db| page.iter().try_for_each(|line| plans::put_line(db, plan, line))).await?;
    }
}

fn sentence(plan: i64, name: Option<&str>, head: &PlanHead) -> String {
    let named = name.map_or_else(String::new, |name| format!(" ({name})"));
    let count = |deed: Deed| grouped(head.records(deed, None));
    format!(
        "Plan {plan}{named} made ({}): {} would be created, {} updated, {} deleted, {} linked, {} left in conflict; nothing was \
         written.",
        head.kind.word(),
        count(Deed::Create),
        count(Deed::Update),
        count(Deed::Delete),
        count(Deed::Link),
        count(Deed::Conflict)
    )
}
