//! Limits of the services through the real clients: a run that reaches one waits, says until when, and goes on by itself.

use std::time::Duration;

use chrono::TimeDelta;
use forcesync::domain::command::{Command, RunReport};
use forcesync::domain::hold::Hold;
use forcesync::domain::outcome::{RunKind, RunResult};
use forcesync::sandbox::faults::{Fault, FaultKind, Side};

use crate::scenario_stage::{Scene, difference, duplicates};

/// Far longer than anything takes here; only what hangs reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

async fn hold(scene: &Scene) -> Hold {
    let mut progress = scene.engine().progress();
    let held = tokio::time::timeout(PATIENCE, progress.wait_for(|numbers| numbers.held.is_some()));
    held.await.expect("nothing holds the engine back").unwrap().held.clone().unwrap()
}

/// The next run that is not limited, once automatic sync is on.
async fn resumed(scene: &Scene) -> RunReport {
    let mut reports = scene.engine().reports();
    scene.engine().ask(Command::Automatic { on: true }).await.unwrap();
    let through =
        reports.wait_for(|report| report.as_ref().is_some_and(|report| report.result != RunResult::Limited));
    let report = tokio::time::timeout(PATIENCE, through).await.expect("nothing goes on").unwrap().clone();
    scene.engine().ask(Command::Automatic { on: false }).await.unwrap();
    report.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_in_the_middle_of_an_initial_sync_is_waited_for_and_the_rest_is_done_once() {
    let scene = Scene::small().await;
    let org = scene.sandbox().org();
    // The whole of it takes four calls; the last of them writes.
    let limit = org.api_calls_used() + 4;
    org.set_daily_limit(limit);
    scene.be_patient();
    let ended = scene.initial().await;
    assert_eq!((ended.exit, ended.counts.failed), (4, 0), "{ended:?}");
    assert!(ended.message.contains("daily limit of the org"), "{ended:?}");
    let hold = hold(&scene).await;
    assert_eq!((hold.code.as_str(), hold.limit.as_str()), (Hold::RESERVE, "daily limit of the org"));
    assert!(org.api_calls_used() < limit, "the service never had to refuse");
    // A command in another process knows it too, without a call.
    let before = scene.sandbox().calls().last();
    let status = scene.command(&["status", "--json"]).await.objects().pop().unwrap();
    assert_eq!(status["budget"]["org"]["hold"]["code"], Hold::RESERVE, "{status}");
    let status = scene.command(&["status"]).await.stdout;
    assert!(status.contains("resumes at") && status.contains("daily limit of the org"), "{status}");
    assert_eq!(scene.calls_since(before, Side::Salesforce), Vec::<String>::new());

    org.set_daily_limit(100_000);
    scene.hasten(Duration::from_secs(3_600));
    let rest = resumed(&scene).await;
    assert_eq!((rest.kind, rest.result), (RunKind::Initial, RunResult::Succeeded), "{rest:?}");
    let other = Scene::small().await;
    other.initial().await;
    let lost = difference(&scene.snapshot(), &other.snapshot());
    assert!(lost.is_empty(), "{lost:#?}");
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_says_when_is_asked_no_sooner() {
    let scene = Scene::synced().await;
    let too_many = Fault { retry_after: Some(7_200), ..Fault::new(FaultKind::TooMany) };
    scene.arm(too_many.on_side(Side::Platform));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.failed), (4, 0), "{ended:?}");
    let held = hold(&scene).await;
    assert!(held.until - scene.now() > TimeDelta::minutes(110), "{held:?}");
    scene.calm();
    let before = scene.sandbox().calls().last();
    let early = scene.instant().await;
    assert_eq!(early.exit, 4, "{early:?}");
    assert_eq!(scene.calls_since(before, Side::Platform).len(), 0, "asked before the time");
    scene.pass(Duration::from_secs(7_200)).await;
    let late = scene.instant().await;
    assert_eq!(late.exit, 0, "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_go_further_than_the_schedule() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let org = scene.sandbox().org();
    org.set_calls_by_others(84_000);
    // The reply to this run's first call tells it.
    assert_eq!(scene.instant().await.exit, 0);
    assert_eq!(scene.run(RunKind::Automatic).await.exit, 4);
    assert_eq!(scene.instant().await.exit, 0);
    org.set_calls_by_others(95_000);
    scene.instant().await;
    assert_eq!(scene.instant().await.exit, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_what_is_left_and_what_an_initial_sync_takes() {
    let scene = Scene::small().await;
    let done = scene.command(&["check"]).await;
    done.says(0, &[]);
    for words in ["API calls of the last 24 hours", "20 % are kept for others", "An initial sync takes about"]
    {
        assert!(done.stdout.contains(words), "“{words}” is missing in: {}", done.stdout);
    }
    // A check goes out even when nothing else may, for it is how one finds out.
    scene.sandbox().org().set_calls_by_others(99_000);
    let done = scene.command(&["check"]).await;
    assert!(done.stdout.contains("reached"), "{}", done.stdout);
}
