//! The engine through the real binary: runs, the headless engine, attaching, signals.

use std::io::{BufRead, BufReader};
use std::process::Child;

use forcesync::sandbox::faults::{Fault, FaultKind};
use serde_json::Value;

use crate::binary_stage::{Stage, end_of, signal};

/// The next object that a running child prints.
fn next(lines: &mut impl BufRead) -> Value {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// A headless engine that has begun.
async fn engine(stage: &Stage) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = stage.spawn(&["run", "--json"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let (running, lines) = tokio::task::spawn_blocking(move || (next(&mut lines), lines)).await.unwrap();
    assert_eq!(running["event"], "running", "{running}");
    (child, lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initial_sync_meets_exactly_the_planted_flaws() {
    let stage = Stage::new(300).await;
    let planted = serde_json::to_value(stage.sandbox().ready()).unwrap()["planted"].clone();
    let done = stage.run(&["sync", "initial", "--json"]).await;
    done.says(3, &[]);
    let objects = done.objects();
    assert_eq!(objects[0], serde_json::json!({"event": "started", "run": 1, "kind": "initial"}));
    let finished = done.last();
    assert_eq!(finished["event"], "finished");
    assert_eq!(finished["result"], "partly_failed");
    assert_eq!(finished["failed"], planted["expect_failed"], "{finished}");
    assert_eq!(finished["skipped"], planted["expect_skipped"], "{finished}");
    let again = stage.run(&["sync", "instant", "--json"]).await.last();
    assert_eq!((&again["created"], &again["updated"]), (&0.into(), &0.into()), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_can_be_read_afterwards() {
    let stage = Stage::new(200).await;
    stage.run(&["sync", "initial", "--json"]).await.says(3, &[]);
    let runs = stage.run(&["runs", "--json"]).await.objects();
    assert_eq!((&runs[0]["run"], &runs[0]["kind"]), (&1.into(), &"initial".into()));
    let status = stage.run(&["status", "--json"]).await.last();
    assert_eq!(status["first_sync"]["state"], "done");
    assert_eq!(status["engine"], Value::Null);
    let issues = stage.run(&["issues", "--json"]).await.objects();
    assert_eq!(issues.len() as u64, status["issues"].as_u64().unwrap());
    let one = issues[0]["issue"].to_string();
    assert_eq!(stage.run(&["issues", "show", &one, "--json"]).await.last(), issues[0]);
    let csv = stage.run(&["issues", "export"]).await;
    assert_eq!(csv.stdout.lines().count(), issues.len() + 1, "{csv:?}");
    let log = stage.run(&["log", "--json"]).await.objects();
    assert!(log.iter().any(|line| line["level"] == "warn" && line["run"] == 1));
    let history = stage.run(&["history", "--json", "-n", "5"]).await.objects();
    assert_eq!(history.len(), 5);
    assert!(!history[0]["changes"].as_array().unwrap().is_empty());
    for arguments in
        [&["status"][..], &["runs"], &["runs", "1"], &["issues"], &["log"], &["history"], &["doctor"]]
    {
        let done = stage.run(arguments).await;
        done.says(0, &[]);
        assert!(!done.stdout.is_empty(), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_attach_to_a_running_engine_and_a_second_one_is_busy() {
    let stage = Stage::new(40).await;
    stage.run(&["sync", "initial"]).await;
    let (child, lines) = engine(&stage).await;
    let pid = child.id().to_string();
    stage.run(&["run"]).await.says(6, &[&pid]);
    // Its first automatic run may still be on its way, so a start can be refused for a moment.
    let mut sync = stage.run(&["sync", "instant", "--json"]).await;
    while sync.code == 6 {
        sync = stage.run(&["sync", "instant", "--json"]).await;
    }
    assert_eq!((sync.code, sync.last()["event"].as_str()), (0, Some("finished")), "{sync:?}");
    let status = stage.run(&["status", "--json"]).await.last();
    assert_eq!(status["engine"]["automatic"], true, "{status}");
    stage.run(&["pause"]).await.says(1, &["nothing runs"]);
    drop(lines);
    signal(&child, "TERM");
    assert_eq!(end_of(child).await.code, 0);
    assert!(!stage.workspace().join("engine.sock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_headless_engine_is_paused_resumed_and_cancelled_from_outside() {
    let stage = Stage::new(200).await;
    // Automatic runs begin once there was an initial sync, so none stands in the way of the start below (law E11).
    let (child, _lines) = engine(&stage).await;
    stage.sandbox().arm_fault(Fault { ms: Some(400), ..Fault::new(FaultKind::Slow) });
    let initial = stage.spawn(&["sync", "initial", "--json"]);
    let engine_state = async |wanted: &'static str| {
        for _ in 0..200 {
            let status = stage.run(&["status", "--json"]).await.last();
            if status["engine"]["state"] == wanted && status["engine"]["kind"] == "initial" {
                return;
            }
        }
        panic!("the engine never was {wanted}");
    };
    engine_state("running").await;
    stage.run(&["pause"]).await.says(0, &[]);
    engine_state("paused").await;
    stage.run(&["resume"]).await.says(0, &[]);
    stage.run(&["cancel"]).await.says(0, &[]);
    let done = end_of(initial).await;
    assert_eq!((done.code, done.last()["result"].as_str()), (130, Some("cancelled")), "{done:?}");
    signal(&child, "TERM");
    assert_eq!(end_of(child).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_a_run_in_good_order_and_the_next_one_goes_on() {
    let stage = Stage::new(200).await;
    stage.sandbox().arm_fault(Fault { ms: Some(200), ..Fault::new(FaultKind::Slow) });
    let mut child = stage.spawn(&["sync", "initial", "--json"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let (started, mut lines) = tokio::task::spawn_blocking(move || (next(&mut lines), lines)).await.unwrap();
    assert_eq!(started["event"], "started");
    signal(&child, "INT");
    let rest = tokio::task::spawn_blocking(move || {
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut lines, &mut rest).unwrap();
        rest
    })
    .await
    .unwrap();
    let last: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!((last["event"].as_str(), last["result"].as_str()), (Some("finished"), Some("cancelled")));
    assert_eq!(end_of(child).await.code, 130);
    stage.sandbox().faults().clear();
    let done = stage.run(&["sync", "initial", "--json"]).await;
    assert!([0, 3].contains(&done.code), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_command_says_ready_and_leaves_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w");
    let mut command =
        crate::binary_stage::command(&workspace, &["sandbox", "--json", "--records", "20", "--seed", "3"]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let ready = tokio::task::spawn_blocking(move || next(&mut lines)).await.unwrap();
    assert_eq!(ready["event"], "ready");
    for path in [
        "/salesforce/url",
        "/salesforce/access_token",
        "/platform/endpoint",
        "/platform/api_secret",
        "/planted/duplicates",
    ] {
        assert!(ready.pointer(path).is_some(), "{path} is missing in {ready}");
    }
    crate::binary_stage::run(&workspace, &["check"], "").await.says(0, &[]);
    signal(&child, "TERM");
    assert_eq!(end_of(child).await.code, 0);
}
