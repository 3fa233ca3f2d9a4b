//! The host's task: which command is possible when, and when an automatic run begins.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::domain::clock::Clock;
use crate::domain::command::{Command, Reply, RunReport, RunRequest};
use crate::domain::hold::Hold;
use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::domain::progress::{EngineState, Phase, Progress};
use crate::engine::context::Control;
use crate::engine::handle::{Ask, Runner};

/// The longest single wait: a machine that slept, or whose clock was set, is noticed within it.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The run at hand.
struct Current {
    request: RunRequest,
    began: DateTime<Utc>,
    control: Control,
    task: JoinHandle<RunReport>,
}

/// What the engine's end waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    GoesOn,
    EndsAfterTheRun,
}

/// The state of the host.
pub(super) struct Host {
    runner: Arc<dyn Runner>,
    clock: Arc<dyn Clock>,
    inbox: mpsc::Receiver<Ask>,
    progress: watch::Sender<Progress>,
    reports: watch::Sender<Option<RunReport>>,
    current: Option<Current>,
    automatic: bool,
    next: Option<DateTime<Utc>>,
    held: Option<Held>,
    life: Life,
}

/// A run that a limit ended, to be gone on with when the window opens (law E7).
struct Held {
    hold: Hold,
    request: RunRequest,
}

/// What the host woke up for.
enum Event {
    Asked(Ask),
    Ended(RunReport),
    Due,
    Abandoned,
}

impl Host {
    pub(super) fn new(
        runner: Arc<dyn Runner>,
        clock: Arc<dyn Clock>,
        inbox: mpsc::Receiver<Ask>,
        progress: watch::Sender<Progress>,
        reports: watch::Sender<Option<RunReport>>,
    ) -> Self {
        let automatic = runner.schedule().automatic;
        let mut host = Self {
            runner,
            clock,
            inbox,
            progress,
            reports,
            current: None,
            automatic: false,
            next: None,
            held: None,
            life: Life::GoesOn,
        };
        host.set_automatic(automatic);
        host
    }

    /// Answers and runs until told to end, or until nobody holds a handle.
    pub(super) async fn live(mut self) {
        loop {
            match self.wait().await {
                Event::Asked(ask) => self.answer(ask).await,
                Event::Ended(report) => self.close(report),
                Event::Due => {
                    let held = self.held.take().map(|held| held.request);
                    // Switched on in the settings before there was an initial sync, it would only fail each time (law E11).
                    if held.is_none()
                        && let Some(message) = self.runner.obstacle_to_automatic().await
                    {
                        tracing::warn!(%message, "The automatic sync is left out.");
                        self.plan_next(self.clock.now());
                        continue;
                    }
                    let before = if held.is_some() { held } else { self.runner.instead().await };
                    self.start(&before.unwrap_or_else(|| RunRequest::new(RunKind::Automatic)));
                }
                Event::Abandoned => {
                    if let Some(current) = &self.current {
                        current.control.cancel();
                    }
                    self.life = Life::EndsAfterTheRun;
                }
            }
            if self.life == Life::EndsAfterTheRun && self.current.is_none() {
                return;
            }
        }
    }

    async fn wait(&mut self) -> Event {
        loop {
            let now = self.clock.now();
            let due = if self.current.is_none() { self.next } else { None };
            if due.is_some_and(|due| due <= now) {
                return Event::Due;
            }
            let nap = due.map(|due| (due - now).to_std().unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT));
            let clock = &self.clock;
            let sleep = async move {
                match nap {
                    Some(nap) => clock.sleep(nap).await,
                    None => pending().await,
                }
            };
            let ended = ended(self.current.as_mut(), self.clock.as_ref());
            let open = self.life == Life::GoesOn || !self.inbox.is_closed();
            tokio::select! {
                biased;
                ask = self.inbox.recv(), if open => match ask {
                    Some(ask) => return Event::Asked(ask),
                    None if self.life == Life::GoesOn => return Event::Abandoned,
                    None => self.inbox.close(),
                },
                report = ended => return Event::Ended(report),
                () = sleep => {}
            }
        }
    }

    async fn answer(&mut self, ask: Ask) {
        let Ask { command, reply } = ask;
        if let Some(obstacle) = self.obstacle_of_a_plan(&command) {
            let _ = reply.send(obstacle);
            return;
        }
        let answer = match command {
            Command::Start(request) => match self.obstacle() {
                Some(obstacle) => obstacle,
                None => return self.start_and_tell(&request, reply),
            },
            Command::Retry { issues } => match self.obstacle() {
                Some(obstacle) => obstacle,
                None => match self.runner.requeue(&issues).await {
                    Ok(0) => refused("There is no open issue to try again."),
                    Ok(_) => return self.start_and_tell(&RunRequest::new(RunKind::Instant), reply),
                    Err(message) => Reply::Refused { message },
                },
            },
            Command::Snooze { issues, until } => match self.runner.snooze(&issues, until).await {
                Ok(0) => refused("There is no such open issue."),
                Ok(_) => Reply::Accepted,
                Err(message) => Reply::Refused { message },
            },
            Command::Decide(by_hand) => match self.runner.keep(by_hand).await {
                Ok(0) => refused("The values have changed since; look at them again."),
                Ok(_) if self.obstacle().is_some() => Reply::Accepted,
                Ok(_) => return self.start_and_tell(&RunRequest::new(RunKind::Instant), reply),
                Err(message) => Reply::Refused { message },
            },
            Command::Forget { object, id } => match self.obstacle() {
                Some(obstacle) => obstacle,
                None => self
                    .runner
                    .forget(&object, &id)
                    .await
                    .unwrap_or_else(|message| Reply::Refused { message }),
            },
            Command::ReadAgain(wanted) => match self.obstacle() {
                Some(obstacle) => obstacle,
                None => {
                    self.runner.read_again(&wanted).await.unwrap_or_else(|message| Reply::Refused { message })
                }
            },
            Command::Deactivate { object, id } => match self.obstacle() {
                Some(obstacle) => obstacle,
                None => match self.runner.deactivate(&object, &id).await {
                    Ok(()) => Reply::Accepted,
                    Err(message) => Reply::Refused { message },
                },
            },
            Command::Pause => self.pause(),
            Command::Resume => self.resume(),
            Command::Cancel => self.cancel(),
            Command::Automatic { on } => {
                let obstacle = if on { self.obstacle_to_automatic().await } else { None };
                if obstacle.is_none() {
                    self.set_automatic(on);
                }
                obstacle.map_or(Reply::Accepted, |message| Reply::Refused { message })
            }
            Command::Plans(deed) => {
                self.runner.plans(&deed).await.unwrap_or_else(|message| Reply::Refused { message })
            }
            Command::Accept { mappings, what } => done(self.runner.accept(&mappings, what).await),
            Command::ConfirmWorkspace { name } => done(self.runner.confirm(&name).await),
            Command::Reload => match self.runner.reload().await {
                Ok(()) => {
                    self.set_automatic(self.runner.schedule().automatic);
                    Reply::Accepted
                }
                Err(message) => Reply::Refused { message },
            },
            Command::Status => Reply::Status { progress: Box::new(self.progress.borrow().clone()) },
            Command::Shutdown => self.shut_down(),
        };
        // Whoever asked may have gone away meanwhile; that is their right.
        let _ = reply.send(answer);
    }

    /// Why automatic sync can't be switched on: no interval makes up for a first full read (law E11). One that is on its way, or
    /// that a limit holds back, is what goes on by itself.
    async fn obstacle_to_automatic(&self) -> Option<String> {
        let initial = |request: &RunRequest| request.kind == RunKind::Initial;
        let begun = self.current.as_ref().is_some_and(|current| initial(&current.request))
            || self.held.as_ref().is_some_and(|held| initial(&held.request));
        if begun { None } else { self.runner.obstacle_to_automatic().await }
    }

    fn state(&self) -> EngineState {
        self.progress.borrow().state
    }

    fn set_state(&self, state: EngineState) {
        self.progress.send_modify(|progress| progress.state = state);
    }

    /// Why no run can begin now.
    fn obstacle(&self) -> Option<Reply> {
        if self.life == Life::EndsAfterTheRun {
            return Some(refused("The engine is ending."));
        }
        self.current.as_ref().map(|current| {
            if current.request.only_plans() {
                return refused(PLANNING);
            }
            let run = self.progress.borrow().run.map_or_else(String::new, |run| format!(" {run}"));
            Reply::Refused {
                message: format!(
                    "Run{run} ({}) is on its way. Wait for it, or cancel it first.",
                    current.request.told_as().word()
                ),
            }
        })
    }

    /// While a plan is made the state database is held as it was when that began: nothing can be kept in it.
    fn obstacle_of_a_plan(&self, command: &Command) -> Option<Reply> {
        let writes = match command {
            Command::Snooze { .. }
            | Command::Decide(_)
            | Command::Plans(_)
            | Command::Deactivate { .. }
            | Command::Accept { .. }
            | Command::ConfirmWorkspace { .. } => true,
            // These are refused during any run, or keep nothing.
            Command::Start(_)
            | Command::Retry { .. }
            | Command::Forget { .. }
            | Command::ReadAgain(_)
            | Command::Pause
            | Command::Resume
            | Command::Cancel
            | Command::Automatic { .. }
            | Command::Reload
            | Command::Status
            | Command::Shutdown => false,
        };
        let plans = self.current.as_ref().is_some_and(|current| current.request.only_plans());
        (writes && plans).then(|| refused(PLANNING))
    }

    fn start(&mut self, request: &RunRequest) {
        let control = Control::new();
        let began = self.clock.now();
        self.next = None;
        self.progress.send_modify(|progress| {
            *progress = Progress {
                state: EngineState::Running,
                kind: Some(request.told_as()),
                plans: request.only_plans(),
                phase: Phase::Preparing,
                started: Some(began),
                api_budget: progress.api_budget,
                automatic: progress.automatic,
                facts: progress.facts,
                held: None,
                ..Progress::default()
            };
        });
        let (runner, progress) = (Arc::clone(&self.runner), self.progress.clone());
        let (steered, request) = (control.clone(), request.clone());
        let asked = request.clone();
        let task = tokio::spawn(async move { runner.run(&request, &steered, &progress).await });
        self.current = Some(Current { request: asked, began, control, task });
    }

    /// Starts a run and answers once its number is known.
    fn start_and_tell(&mut self, request: &RunRequest, reply: oneshot::Sender<Reply>) {
        self.start(request);
        if request.only_plans() {
            // It is no run and has no number; its report tells the plan.
            let _ = reply.send(Reply::Accepted);
            return;
        }
        let mut progress = self.progress.subscribe();
        let reports = self.reports.subscribe();
        tokio::spawn(async move {
            let run = progress
                .wait_for(|now| now.run.is_some() || now.state == EngineState::Idle)
                .await
                .ok()
                .and_then(|now| now.run);
            let answer = match run {
                Some(run) => Reply::Started { run },
                None => Reply::Refused {
                    message: reports
                        .borrow()
                        .as_ref()
                        .and_then(|report| report.message.clone())
                        .unwrap_or_else(|| "The run could not begin.".into()),
                },
            };
            let _ = reply.send(answer);
        });
    }

    fn pause(&self) -> Reply {
        match (&self.current, self.state()) {
            (Some(current), EngineState::Running) => {
                current.control.pause();
                self.set_state(EngineState::Paused);
                Reply::Accepted
            }
            (Some(_), EngineState::Paused) => Reply::Accepted,
            (Some(_), _) => refused("The run is already ending."),
            (None, _) => refused("Nothing runs that could be paused."),
        }
    }

    fn resume(&self) -> Reply {
        match (&self.current, self.state()) {
            (Some(current), EngineState::Paused) => {
                current.control.resume();
                self.set_state(EngineState::Running);
                Reply::Accepted
            }
            (Some(_), EngineState::Running) => Reply::Accepted,
            (Some(_), _) => refused("The run is already ending."),
            (None, _) => refused("Nothing is paused."),
        }
    }

    fn cancel(&mut self) -> Reply {
        match &self.current {
            Some(current) => {
                current.control.cancel();
                self.set_state(EngineState::Stopping);
                Reply::Accepted
            }
            None if self.held.is_some() => {
                self.held = None;
                self.plan_next(self.clock.now());
                Reply::Accepted
            }
            None => refused("Nothing runs that could be cancelled."),
        }
    }

    /// The first time ends after the batch in hand, the second time at once.
    fn shut_down(&mut self) -> Reply {
        match (&self.current, self.life) {
            (Some(current), Life::GoesOn) => {
                current.control.cancel();
                self.set_state(EngineState::Stopping);
            }
            (Some(current), Life::EndsAfterTheRun) => current.task.abort(),
            (None, _) => {}
        }
        self.life = Life::EndsAfterTheRun;
        self.next = None;
        Reply::Accepted
    }

    fn set_automatic(&mut self, on: bool) {
        self.automatic = on;
        self.plan_next(self.clock.now());
    }

    /// Sets the moment of the next automatic run, none while a run is on its way.
    fn plan_next(&mut self, now: DateTime<Utc>) {
        let goes_on = self.current.is_none() && self.life == Life::GoesOn;
        let schedule = self.runner.schedule();
        self.next = match &self.held {
            _ if !goes_on => None,
            // Before the window opens, a run would only be refused again. What a person began goes on whether automatic sync is
            // on or not, and whatever the hour.
            Some(held) if held.request.kind != RunKind::Automatic => Some(held.hold.until.max(now)),
            Some(held) if self.automatic => Some(schedule.after_quiet(held.hold.until.max(now))),
            None if self.automatic => Some(schedule.next(now)),
            Some(_) | None => None,
        };
        let (automatic, next) = (self.automatic, self.next);
        let held = self.held.as_ref().map(|held| held.hold.clone());
        self.progress.send_modify(|progress| {
            progress.automatic = automatic;
            progress.next_automatic = next;
            progress.held = held;
        });
    }

    /// Keeps in mind what a limit ended. What a person began is gone on with as it was asked for; an initial sync that still
    /// waits is not forgotten for a smaller run that came in between.
    fn keep_held(&mut self, request: Option<RunRequest>, result: RunResult) {
        // A plan that met a limit is asked for again by whoever wants it.
        let Some(request) = request.filter(|request| !request.only_plans()) else { return };
        let initial = |request: &RunRequest| request.kind == RunKind::Initial;
        let waiting = self.held.take().filter(|held| initial(&held.request) && !initial(&request));
        self.held = match (result, self.runner.hold(request.kind)) {
            (RunResult::Limited, Some(hold)) => {
                tracing::warn!(
                    code = hold.code, until = %hold.until, limit = hold.what(), "Limited; goes on when the window opens."
                );
                Some(Held { hold, request: waiting.map_or(request, |waiting| waiting.request) })
            }
            _ => waiting,
        };
    }

    fn close(&mut self, mut report: RunReport) {
        let request = self.current.take().map(|current| current.request);
        self.keep_held(request, report.result);
        if report.run == 0 {
            // It broke or was ended from outside, so only the numbers still know which one it was.
            report.run = self.progress.borrow().run.unwrap_or(0);
        }
        let run = report.run;
        if report.result == RunResult::Failed {
            tracing::error!(run, message = report.message.as_deref().unwrap_or(""), "Run failed.");
        } else {
            tracing::info!(run, result = report.result.word(), "Run ended.");
        }
        // The report goes first: whoever sees the engine idle finds it.
        self.reports.send_replace(Some(report));
        self.progress.send_modify(|progress| {
            progress.state = EngineState::Idle;
            progress.phase = Phase::None;
            if run > 0 {
                progress.run = Some(run);
            }
        });
        self.plan_next(self.clock.now());
    }
}

/// What is told to whoever wants something kept while a plan is made.
const PLANNING: &str = "A plan is being made. Wait for it, or cancel it first.";

fn done(result: Result<(), String>) -> Reply {
    result.map_or_else(|message| Reply::Refused { message }, |()| Reply::Accepted)
}

fn refused(message: &str) -> Reply {
    Reply::Refused { message: message.into() }
}

/// The end of the run at hand; never returns while there is none.
async fn ended(current: Option<&mut Current>, clock: &dyn Clock) -> RunReport {
    let Some(current) = current else { return pending().await };
    match (&mut current.task).await {
        Ok(report) => report,
        Err(error) => {
            let (result, message) = if error.is_cancelled() {
                (
                    RunResult::Cancelled,
                    "The run was ended at once; the next one looks up what was on its way.",
                )
            } else {
                (
                    RunResult::Failed,
                    "The run hit a defect of forcesync; the log has the details. The next run goes on where it stopped.",
                )
            };
            let took = (clock.now() - current.began).num_milliseconds();
            RunReport {
                run: 0,
                kind: current.request.told_as(),
                result,
                message: Some(message.into()),
                counts: Counts::default(),
                milliseconds: u64::try_from(took).unwrap_or(0),
                settings: false,
                plan: None,
            }
        }
    }
}
