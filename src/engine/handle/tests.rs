//! The host under a virtual clock, with a runner made of paper.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, watch};

use super::schedule::Schedule;
use super::{Handle, Runner};
use crate::domain::by_hand::ByHand;
use crate::domain::clock::Clock;
use crate::domain::command::{Command, Reply, RunReport, RunRequest};
use crate::domain::hold::Hold;
use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::domain::plan::saved::{PlanDeed, PlanOrder};
use crate::domain::progress::{EngineState, Progress};
use crate::domain::side::Side;
use crate::engine::context::Control;

/// A clock that stands until it is told to go on.
pub(crate) struct TestClock {
    now: watch::Sender<DateTime<Utc>>,
    sleeps_for_real: bool,
}

impl TestClock {
    pub(crate) fn standing() -> Self {
        Self { now: watch::Sender::new(DateTime::UNIX_EPOCH), sleeps_for_real: false }
    }

    /// For tests over a real socket, where time-outs must not fire at once.
    pub(crate) fn real_sleep() -> Self {
        Self { now: watch::Sender::new(DateTime::UNIX_EPOCH), sleeps_for_real: true }
    }

    fn advance(&self, seconds: i64) {
        self.now.send_modify(|now| *now += TimeDelta::seconds(seconds));
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        if self.sleeps_for_real {
            return tokio::time::sleep(duration).await;
        }
        let end = self.now() + TimeDelta::from_std(duration).unwrap();
        let _ = self.now.subscribe().wait_for(|now| *now >= end).await;
    }
}

async fn cancelled(control: &Control) {
    while !control.is_cancelled() {
        tokio::task::yield_now().await;
    }
}

/// Runs that end when told to, or when they are cancelled.
#[derive(Default)]
pub(crate) struct PaperRunner {
    pub(crate) finish: Notify,
    numbers: AtomicI64,
    issues: AtomicU64,
    automatic: bool,
    panics: bool,
    /// While there is one, runs end limited by it.
    hold: Mutex<Option<Hold>>,
    /// What was asked for, in order.
    asked: Mutex<Vec<RunKind>>,
}

#[async_trait]
impl Runner for PaperRunner {
    async fn run(
        &self,
        request: &RunRequest,
        control: &Control,
        progress: &watch::Sender<Progress>,
    ) -> RunReport {
        assert!(!self.panics, "a defect");
        let run = self.numbers.fetch_add(1, Ordering::SeqCst) + 1;
        progress.send_modify(|numbers| numbers.run = Some(run));
        self.asked.lock().unwrap().push(request.kind);
        let result = tokio::select! {
            () = self.finish.notified() => match self.hold(request.kind) {
                Some(_) => RunResult::Limited,
                None => RunResult::Succeeded,
            },
            () = cancelled(control) => RunResult::Cancelled,
        };
        RunReport {
            run,
            kind: request.kind,
            result,
            message: None,
            counts: Counts::default(),
            milliseconds: 0,
            settings: false,
            plan: None,
        }
    }

    fn schedule(&self) -> Schedule {
        Schedule { automatic: self.automatic, every: Duration::from_secs(60), quiet: None }
    }

    fn hold(&self, _kind: RunKind) -> Option<Hold> {
        self.hold.lock().unwrap().clone()
    }

    async fn reload(&self) -> Result<(), String> {
        Ok(())
    }

    async fn snooze(&self, issues: &[i64], _until: Option<DateTime<Utc>>) -> Result<u64, String> {
        Ok(issues.len() as u64)
    }

    async fn keep(&self, by_hand: ByHand) -> Result<u64, String> {
        Ok(by_hand.decisions.len() as u64)
    }

    async fn requeue(&self, issues: &[i64]) -> Result<u64, String> {
        Ok(if issues.is_empty() { self.issues.load(Ordering::SeqCst) } else { issues.len() as u64 })
    }
}

struct Stage {
    handle: Handle,
    runner: Arc<PaperRunner>,
    clock: Arc<TestClock>,
}

fn stage(runner: PaperRunner) -> Stage {
    let (runner, clock) = (Arc::new(runner), Arc::new(TestClock::standing()));
    let handle = Handle::spawn(Arc::clone(&runner) as Arc<_>, Arc::clone(&clock) as Arc<_>);
    Stage { handle, runner, clock }
}

impl Stage {
    async fn start(&self) -> Reply {
        self.handle.ask(Command::Start(RunRequest::new(RunKind::Instant))).await
    }

    async fn state(&self, state: EngineState) -> Progress {
        self.handle.progress().wait_for(|now| now.state == state).await.unwrap().clone()
    }

    async fn report_of(&self, run: i64) -> RunReport {
        let mut reports = self.handle.reports();
        let report = reports.wait_for(|report| report.as_ref().is_some_and(|report| report.run == run)).await;
        report.unwrap().clone().unwrap()
    }
}

#[tokio::test]
async fn a_second_run_is_refused_while_one_is_on_its_way() {
    let stage = stage(PaperRunner::default());
    assert_eq!(stage.start().await, Reply::Started { run: 1 });
    let Reply::Refused { message } = stage.start().await else { panic!("two runs at once") };
    assert!(message.contains("Run 1 (instant)"), "{message}");
    stage.runner.finish.notify_one();
    stage.report_of(1).await;
    stage.state(EngineState::Idle).await;
    assert_eq!(stage.start().await, Reply::Started { run: 2 });
}

#[tokio::test]
async fn while_a_plan_is_made_nothing_else_begins_and_nothing_can_be_kept() {
    let stage = stage(PaperRunner::default());
    let plan = PlanOrder::Make { name: None, fires: Vec::new() };
    let request = RunRequest { plan: Some(plan), ..RunRequest::new(RunKind::Instant) };
    assert_eq!(stage.handle.ask(Command::Start(request)).await, Reply::Accepted);
    assert!(stage.state(EngineState::Running).await.plans);
    let snooze = Command::Snooze { issues: vec![1], until: None };
    let forget = Command::Plans(PlanDeed::Forget { number: 1 });
    for command in [Command::Start(RunRequest::new(RunKind::Instant)), snooze, forget] {
        let Reply::Refused { message } = stage.handle.ask(command).await else { panic!("not refused") };
        assert!(message.contains("A plan is being made"), "{message}");
    }
    assert_eq!(stage.handle.ask(Command::Cancel).await, Reply::Accepted);
    stage.state(EngineState::Idle).await;
}

#[tokio::test]
async fn a_run_is_paused_resumed_and_cancelled() {
    let stage = stage(PaperRunner::default());
    stage.start().await;
    assert_eq!(stage.handle.ask(Command::Pause).await, Reply::Accepted);
    stage.state(EngineState::Paused).await;
    assert_eq!(stage.handle.ask(Command::Resume).await, Reply::Accepted);
    stage.state(EngineState::Running).await;
    assert_eq!(stage.handle.ask(Command::Cancel).await, Reply::Accepted);
    assert_eq!(stage.report_of(1).await.result, RunResult::Cancelled);
}

#[tokio::test]
async fn nothing_can_be_paused_resumed_or_cancelled_while_nothing_runs() {
    let stage = stage(PaperRunner::default());
    for command in [Command::Pause, Command::Resume, Command::Cancel, Command::Retry { issues: Vec::new() }] {
        assert!(matches!(stage.handle.ask(command).await, Reply::Refused { .. }));
    }
}

#[tokio::test]
async fn automatic_runs_come_an_interval_after_the_end_of_the_last() {
    let stage = stage(PaperRunner { automatic: true, ..PaperRunner::default() });
    let due = DateTime::UNIX_EPOCH + TimeDelta::seconds(60);
    stage.handle.progress().wait_for(|now| now.next_automatic == Some(due)).await.unwrap();
    stage.clock.advance(61);
    let running = stage.state(EngineState::Running).await;
    assert_eq!((running.kind, running.next_automatic), (Some(RunKind::Automatic), None));
    // A long run does not pile up others behind it.
    stage.clock.advance(600);
    stage.runner.finish.notify_one();
    stage.report_of(1).await;
    let due = DateTime::UNIX_EPOCH + TimeDelta::seconds(661 + 60);
    stage.handle.progress().wait_for(|now| now.next_automatic == Some(due)).await.unwrap();
}

fn hold_until(second: i64) -> Hold {
    Hold {
        side: Side::Org,
        until: DateTime::UNIX_EPOCH + TimeDelta::seconds(second),
        code: Hold::RESERVE.into(),
        limit: "daily limit of the org".into(),
        used: Some(80),
        most: Some(100),
    }
}

impl Stage {
    /// Lets the run at hand end, limited if there is a hold.
    async fn end(&self, run: i64) -> RunReport {
        self.state(EngineState::Running).await;
        self.runner.finish.notify_one();
        self.report_of(run).await
    }

    async fn due_at(&self, second: i64) -> Progress {
        let due = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let mut progress = self.handle.progress();
        progress.wait_for(|now| now.next_automatic == Some(due)).await.unwrap().clone()
    }

    async fn ask_for(&self, kind: RunKind) -> Reply {
        self.handle.ask(Command::Start(RunRequest::new(kind))).await
    }
}

#[tokio::test]
async fn a_limited_run_waits_for_its_window_and_then_goes_on_by_itself() {
    let stage = stage(PaperRunner {
        automatic: true,
        hold: Mutex::new(Some(hold_until(5_000))),
        ..PaperRunner::default()
    });
    stage.ask_for(RunKind::Initial).await;
    assert_eq!(stage.end(1).await.result, RunResult::Limited);
    let waiting = stage.due_at(5_000).await;
    assert_eq!(waiting.held, Some(hold_until(5_000)), "everybody sees until when and why");
    // Intervals that pass meanwhile start nothing.
    stage.clock.advance(4_999);
    tokio::task::yield_now().await;
    assert_eq!(stage.handle.progress().borrow().state, EngineState::Idle);
    *stage.runner.hold.lock().unwrap() = None;
    stage.clock.advance(1);
    let running = stage.state(EngineState::Running).await;
    assert_eq!((running.kind, running.held), (Some(RunKind::Initial), None));
    assert_eq!(stage.end(2).await.result, RunResult::Succeeded);
    assert_eq!(stage.due_at(5_060).await.held, None);
    assert_eq!(*stage.runner.asked.lock().unwrap(), [RunKind::Initial, RunKind::Initial]);
}

#[tokio::test]
async fn a_window_that_is_still_shut_is_waited_for_again() {
    let stage = stage(PaperRunner {
        automatic: true,
        hold: Mutex::new(Some(hold_until(900))),
        ..PaperRunner::default()
    });
    stage.ask_for(RunKind::Automatic).await;
    stage.end(1).await;
    stage.due_at(900).await;
    *stage.runner.hold.lock().unwrap() = Some(hold_until(2_700));
    stage.clock.advance(900);
    assert_eq!(stage.end(2).await.result, RunResult::Limited);
    stage.due_at(2_700).await;
}

#[tokio::test]
async fn an_initial_sync_that_waits_is_not_forgotten_for_a_smaller_run() {
    let stage = stage(PaperRunner {
        automatic: true,
        hold: Mutex::new(Some(hold_until(900))),
        ..PaperRunner::default()
    });
    stage.ask_for(RunKind::Initial).await;
    stage.end(1).await;
    stage.due_at(900).await;
    *stage.runner.hold.lock().unwrap() = None;
    stage.ask_for(RunKind::Instant).await;
    stage.end(2).await;
    assert!(stage.due_at(900).await.held.is_some());
    stage.clock.advance(900);
    assert_eq!(stage.state(EngineState::Running).await.kind, Some(RunKind::Initial));
}

#[tokio::test]
async fn a_person_may_call_off_what_waits() {
    let stage = stage(PaperRunner {
        automatic: true,
        hold: Mutex::new(Some(hold_until(900))),
        ..PaperRunner::default()
    });
    stage.ask_for(RunKind::Initial).await;
    stage.end(1).await;
    stage.due_at(900).await;
    assert_eq!(stage.handle.ask(Command::Cancel).await, Reply::Accepted);
    assert_eq!(stage.due_at(60).await.held, None);
}

#[tokio::test]
async fn what_a_person_began_goes_on_without_automatic_sync_and_can_be_called_off() {
    for called_off in [false, true] {
        let stage = stage(PaperRunner { hold: Mutex::new(Some(hold_until(900))), ..PaperRunner::default() });
        stage.ask_for(RunKind::Instant).await;
        stage.end(1).await;
        assert!(stage.due_at(900).await.held.is_some());
        if called_off {
            assert_eq!(stage.handle.ask(Command::Cancel).await, Reply::Accepted);
            let numbers = stage.handle.progress().borrow().clone();
            assert_eq!((numbers.held, numbers.next_automatic), (None, None));
            continue;
        }
        *stage.runner.hold.lock().unwrap() = None;
        stage.clock.advance(900);
        assert_eq!(stage.end(2).await.result, RunResult::Succeeded);
        let quiet = |numbers: &Progress| numbers.held.is_none() && numbers.next_automatic.is_none();
        stage.handle.progress().wait_for(quiet).await.unwrap();
        assert_eq!(*stage.runner.asked.lock().unwrap(), [RunKind::Instant, RunKind::Instant]);
    }
}

#[tokio::test]
async fn an_automatic_run_that_waits_does_not_go_on_once_automatic_sync_is_off() {
    let stage = stage(PaperRunner {
        automatic: true,
        hold: Mutex::new(Some(hold_until(900))),
        ..PaperRunner::default()
    });
    stage.ask_for(RunKind::Automatic).await;
    stage.end(1).await;
    stage.due_at(900).await;
    stage.handle.ask(Command::Automatic { on: false }).await;
    assert_eq!(stage.handle.progress().borrow().next_automatic, None);
    stage.handle.ask(Command::Automatic { on: true }).await;
    stage.due_at(900).await;
}

#[tokio::test]
async fn automatic_runs_stop_when_switched_off() {
    let stage = stage(PaperRunner { automatic: true, ..PaperRunner::default() });
    assert_eq!(stage.handle.ask(Command::Automatic { on: false }).await, Reply::Accepted);
    let numbers = stage.handle.progress().borrow().clone();
    assert_eq!((numbers.automatic, numbers.next_automatic), (false, None));
}

#[tokio::test]
async fn shutdown_lets_the_run_end_and_then_ends_the_engine() {
    let stage = stage(PaperRunner::default());
    stage.start().await;
    assert_eq!(stage.handle.ask(Command::Shutdown).await, Reply::Accepted);
    stage.handle.ended().await;
    assert_eq!(stage.report_of(1).await.result, RunResult::Cancelled);
    assert!(matches!(stage.start().await, Reply::Refused { .. }));
}

#[tokio::test]
async fn a_defect_in_a_run_is_a_failed_run_and_not_the_end() {
    let stage = stage(PaperRunner { panics: true, ..PaperRunner::default() });
    let Reply::Refused { message } = stage.start().await else { panic!("a broken run began") };
    assert!(message.contains("defect"), "{message}");
    assert!(matches!(stage.handle.ask(Command::Status).await, Reply::Status { .. }));
}

#[tokio::test]
async fn issues_are_tried_again_in_an_own_run() {
    let stage = stage(PaperRunner::default());
    assert_eq!(stage.handle.ask(Command::Retry { issues: vec![7] }).await, Reply::Started { run: 1 });
}

#[tokio::test]
async fn an_engine_that_nobody_holds_ends() {
    let stage = stage(PaperRunner::default());
    let mut progress = stage.handle.progress();
    drop(stage);
    // The host drops its sender when it ends.
    while progress.changed().await.is_ok() {}
}
