//! One run, from its first line in the log to its last.

use std::sync::Arc;

use crate::domain::command::{RunReport, RunRequest};
use crate::domain::grouped::grouped;
use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::domain::progress::{EngineState, Phase};
use crate::domain::report::Level;
use crate::domain::side::PerSide;
use crate::engine::apply::{Foreseen, Traffic};
use crate::engine::brake::BrakeMeter;
use crate::engine::context::{End, RunContext};
use crate::engine::plan::{self, Part};
use crate::engine::prepare::{Look, fingerprint, prepare, still_fits};
use crate::engine::session::{Prepared, Session};
use crate::store::facts::{self, NewFact};
use crate::store::{audit, mappings, pending, plans, runs, stage, turns, work};

/// Runs what is asked; every end is a report.
pub async fn run(context: &RunContext, request: &RunRequest) -> RunReport {
    if request.only_plans() {
        return plan::make(context, request).await;
    }
    let Some(number) = request.applies() else { return carry_out(context, request, Part::Free).await };
    // A plan is applied by the run that it foresaw.
    match context.store.write(move |db| plans::get(db, number)).await {
        Ok(Some(head)) => {
            let request = RunRequest {
                kind: head.kind,
                mappings: head.mappings,
                direction: head.direction,
                ..request.clone()
            };
            carry_out(context, &request, Part::Does(number)).await
        }
        Ok(None) | Err(_) => carry_out(context, request, Part::Does(number)).await,
    }
}

/// Runs, or does what a run does for a plan.
pub(super) async fn carry_out(context: &RunContext, request: &RunRequest, part: Part) -> RunReport {
    let started = context.clock.now();
    let calls_before = PerSide::from_fn(|side| context.endpoints[side].calls());
    let (kind, names, org) = (request.told_as(), request.mappings.clone(), context.org_id.clone());
    let settings = fingerprint(&context.mappings);
    let opened = context
        .store
        .write(move |db| {
            runs::close_interrupted(db, started)?;
            pending::give_back(db)?;
            let run = runs::begin(db, kind, &names, org.as_deref(), &settings, started)?;
            work::clear_lines_before(db, run - 100)?;
            turns::prune(db, started)?;
            let fact = NewFact::new(Level::Info, Some(run), format!("Run started: {}.", kind.word()));
            Ok((run, facts::insert(db, started, &fact)?))
        })
        .await;
    let (number, sequence) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return report(0, request, RunResult::Failed, Some(error.to_string()));
        }
    };
    context.progress.send_modify(|progress| {
        progress.state = EngineState::Running;
        progress.run = Some(number);
        progress.kind = Some(kind);
        progress.phase = Phase::Preparing;
        progress.started = Some(started);
        progress.mappings = Vec::new();
        progress.counts = Counts::default();
        progress.read = 0;
        progress.expected = None;
        progress.facts = sequence;
    });
    let mut session = Session {
        context,
        request,
        run: number,
        started,
        mappings: Vec::new(),
        counts: Counts::default(),
        per_mapping: Vec::new(),
        brakes: BrakeMeter::default(),
        calls_before,
        stale: 0,
        foreseen: Foreseen::new(),
        traffic: Arc::new(Traffic::new(context.options.parallel, context.options.most_parallel)),
        withheld: None,
        absent: Vec::new(),
        parked: Vec::new(),
        plan: part,
    };
    let end = steps(&mut session).await;
    finish(session, end).await
}

async fn steps(session: &mut Session<'_>) -> Result<(), End> {
    session.context.control.checkpoint().await?;
    let mut looks = session.fit().await?;
    session.check_plan().await?;
    let initial = session.request.kind == RunKind::Initial;
    if initial {
        session.initial(false).await?;
    }
    session.publish_totals(&[]);
    if session.request.kind == RunKind::Audit {
        return session.audit().await;
    }
    if session.request.kind == RunKind::Heal {
        let now = session.now();
        session.context.store.write(move |db| audit::make_pending(db, now)).await?;
    }
    session.recover().await?;
    if session.request.kind == RunKind::Undo {
        return session.undo().await;
    }
    session.phase(Phase::Reading);
    let mut reads = 0;
    loop {
        let read = session.capture().await;
        // Where a right or a field went away since the last describe, that is the cause to tell, and to read anew without it.
        let may_have_moved = read.as_ref().is_ok()
            || read.as_ref().is_err_and(|end| matches!(end.result, RunResult::Failed | RunResult::Blocked));
        let fits = if may_have_moved {
            still_fits(session.context, session.request, &looks).await
        } else {
            Ok(true)
        };
        if !matches!(fits, Ok(false)) {
            // Where neither works, the read has the better words.
            read?;
            fits?;
            break;
        }
        reads += 1;
        if reads == MOST_READS {
            return Err(End::new(
                RunResult::Failed,
                "what both sides say of their fields kept changing while they were read; nothing was written, and the next \
                 run begins anew",
            ));
        }
        session.distrust_staged().await?;
        looks = session.fit().await?;
        session.publish_totals(&[]);
    }
    session.phase(Phase::Matching);
    session.edit_unlinked().await?;
    session.match_records().await?;
    session.work().await?;
    if session.plan.book().is_some() {
        session.close_book();
        return session.withheld.take().map_or(Ok(()), Err);
    }
    session.phase(Phase::Finishing);
    session.wake_children().await?;
    session.close_plan().await?;
    session.take_back_flags().await?;
    session.finish_feeds().await?;
    session
        .context
        .store
        .write(|db| {
            work::clear(db)?;
            stage::clear_candidates(db)
        })
        .await?;
    if initial {
        session.initial(true).await?;
    } else {
        session.going_forward().await?;
    }
    session.withheld.take().map_or(Ok(()), Err)
}

/// How often a run reads both sides again because their fields changed meanwhile.
const MOST_READS: u32 = 3;

impl Session<'_> {
    /// Judges and compiles the mappings, and says what is left out.
    async fn fit(&mut self) -> Result<Vec<Look>, End> {
        let ready = prepare(self.context, self.request, self.run).await?;
        let looks = ready.looks();
        for problem in ready.warnings {
            self.fact(self.say(Level::Warn, format!("{}.", problem.message)).of_mapping(&problem.mapping))
                .await?;
        }
        for absent in &ready.absent {
            let said = format!("Left out of this run: {}.", absent.end.message);
            self.fact(self.say(Level::Warn, said).of_mapping(&absent.name)).await?;
        }
        self.per_mapping = vec![Counts::default(); ready.prepared.len()];
        self.counts = Counts::default();
        self.mappings = ready.prepared;
        // The others go on, and the run ends as what kept these from it.
        self.withheld = ready.absent.first().map(|absent| End {
            message: format!("{}; the other mappings went on", absent.end.message.trim_end_matches('.')),
            ..absent.end.clone()
        });
        self.absent = ready.absent;
        self.parked = ready.parked;
        Ok(looks)
    }

    /// A mapping that goes forward needs no initial sync once its feeds have been read (law E11).
    async fn going_forward(&self) -> Result<(), End> {
        let begun =
            |mapping: &&Prepared| mapping.compiled.spec.since.is_some() && mapping.row.initial_done.is_none();
        let numbers: Vec<i64> =
            self.mappings.iter().filter(begun).map(|mapping| mapping.row.mapping).collect();
        let read = matches!(self.request.kind, RunKind::Instant | RunKind::Automatic)
            && self.request.reads.is_none();
        if numbers.is_empty() || !read {
            return Ok(());
        }
        let now = self.now();
        let note = move |db: &rusqlite::Connection| {
            numbers.iter().try_for_each(|number| mappings::initial_done(db, *number, now))
        };
        Ok(self.context.store.write(note).await?)
    }

    async fn initial(&self, done: bool) -> Result<(), End> {
        let (numbers, now): (Vec<i64>, _) =
            (self.mappings.iter().map(|mapping| mapping.row.mapping).collect(), self.now());
        let accepted: Vec<(String, String)> = self
            .context
            .mappings
            .iter()
            .filter(|written| self.mappings.iter().any(|mapping| mapping.compiled.spec.name == written.name))
            .map(|written| (written.name.clone(), fingerprint(std::slice::from_ref(written))))
            .collect();
        self.context
            .store
            .write(move |db| {
                for number in numbers {
                    if done {
                        mappings::initial_done(db, number, now)?;
                    } else {
                        mappings::initial_begun(db, number, now)?;
                    }
                }
                // An initial sync is confirmed by a person, and with it what it does (law E5).
                for (name, fingerprint) in accepted {
                    mappings::accept(db, &name, &fingerprint)?;
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
}

async fn finish(mut session: Session<'_>, end: Result<(), End>) -> RunReport {
    session.count_calls();
    let settings = end.as_ref().is_err_and(|end| end.settings);
    let (result, message) = match end {
        Ok(()) => {
            let counts = &session.counts;
            let clean = counts.failed == 0 && counts.conflicts == 0 && session.stale == 0;
            let clean = clean && session.parked.is_empty();
            (if clean { RunResult::Succeeded } else { RunResult::PartlyFailed }, left_out(&session.parked))
        }
        Err(end) => {
            if end.result == RunResult::Limited {
                // What was not reached waits; it is no failure (law E7).
                let left = session.context.store.write(work::totals).await.unwrap_or_default();
                let worked: u64 = session.per_mapping.iter().map(worked).sum();
                let total: u64 = left.iter().map(|(_, total)| total).sum();
                session.counts.limited = session.counts.limited.max(total.saturating_sub(worked));
            }
            (end.result, Some(end.message))
        }
    };
    // What is past retention goes a little at a time; a failure here is no failure of the run.
    let _ = session.prune().await;
    let now = session.now();
    let (run, counts) = (session.run, session.counts);
    let level = match result {
        RunResult::Succeeded => Level::Info,
        RunResult::PartlyFailed | RunResult::Limited | RunResult::Cancelled => Level::Warn,
        RunResult::Braked | RunResult::Blocked | RunResult::Failed => Level::Error,
    };
    let sentence = sentence(result, message.as_deref(), &counts);
    let kept = message.clone();
    let closed = session
        .context
        .store
        .write(move |db| {
            pending::give_back(db)?;
            runs::finish(db, run, result, kept.as_deref(), &counts, now)?;
            facts::insert(db, now, &NewFact::new(level, Some(run), sentence))
        })
        .await;
    let (result, message) = match &closed {
        Ok(_) => (result, message),
        // The end could not be written: the next start finds the run open and goes on.
        Err(error) => (RunResult::Failed, Some(error.to_string())),
    };
    session.context.progress.send_modify(|progress| {
        progress.state = EngineState::Idle;
        progress.phase = Phase::None;
        progress.counts = counts;
        if let Ok(sequence) = closed {
            progress.facts = sequence;
        }
    });
    let milliseconds = u64::try_from((now - session.started).num_milliseconds()).unwrap_or(0);
    let settings = settings && result == RunResult::Failed;
    RunReport { counts, milliseconds, settings, ..report(run, session.request, result, message) }
}

/// A sentence about pairs that were left out.
fn left_out(parked: &[String]) -> Option<String> {
    let first = parked.first()?;
    Some(match parked.len() {
        1 => first.clone(),
        more => format!("{first} ({} more; `forcesync drift` lists them)", more - 1),
    })
}

/// Slices of history that one run forgets at most.
const SLICES: usize = 25;

impl Session<'_> {
    /// Forgets what is past retention, in small slices between which others may write (law E16).
    async fn prune(&self) -> Result<(), crate::store::StoreError> {
        let days = i64::from(self.context.options.retention_days);
        let before = chrono::TimeDelta::try_days(days).and_then(|kept| self.now().checked_sub_signed(kept));
        let Some(before) = before.filter(|_| days > 0) else { return Ok(()) };
        self.context.store.write(move |db| plans::prune(db, Some(before))).await?;
        for _ in 0..SLICES {
            let gone =
                self.context.store.write(move |db| crate::store::history::prune::slice(db, before)).await?;
            if gone == 0 {
                break;
            }
        }
        Ok(())
    }
}

fn worked(counts: &Counts) -> u64 {
    counts.unchanged + counts.skipped + counts.failed + counts.created() + counts.updated()
}

fn sentence(result: RunResult, message: Option<&str>, counts: &Counts) -> String {
    let what = format!(
        "{} created, {} updated, {} unchanged, {} skipped, {} failed",
        grouped(counts.created()),
        grouped(counts.updated()),
        grouped(counts.unchanged),
        grouped(counts.skipped),
        grouped(counts.failed)
    );
    match message {
        Some(message) => {
            format!("Run {}: {}. {what}.", result.word().replace('_', " "), message.trim_end_matches('.'))
        }
        None => format!("Run {}: {what}.", result.word().replace('_', " ")),
    }
}

pub(super) fn report(
    run: i64,
    request: &RunRequest,
    result: RunResult,
    message: Option<String>,
) -> RunReport {
    RunReport {
        run,
        kind: request.told_as(),
        result,
        message,
        counts: Counts::default(),
        milliseconds: 0,
        settings: false,
        plan: None,
    }
}
