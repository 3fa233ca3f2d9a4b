//! SPOTIO's deliveries, from the emulator's sender over the listener on loopback to what a run writes: hints, never data.

use std::time::Duration;

use forcesync::domain::command::Command;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::progress::EngineState;
use forcesync::domain::report::RunRow;
use forcesync::ops::{read, set_connection, webhooks};
use forcesync::sandbox::faults::Side;
use forcesync::service::inbound;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::scenario_stage::{Cast, Scene, map};
use crate::spotio::all_described;

/// What the emulated company signs with.
const SECRET: &[u8] = b"sandbox-webhook-secret";

/// Far longer than any run takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A scene whose listener takes deliveries in, while asking waits for its hour.
struct Listening {
    scene: Scene,
    port: u16,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}/webhooks/spotio")
}

async fn listening() -> Listening {
    let scene = Scene::of_platform("spotio", Cast::of(60), |settings| settings).await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?} {:?}", scene.issues().await);
    // What the initial sync wrote is passed by before anything is hinted at.
    scene.pass(Duration::from_secs(7200)).await;
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    scene.be_patient();
    let port = free_port();
    let changes = [format!("inbound.port={port}"), "schedule.every=1h".into()];
    set_connection::set(scene.session(), &changes).await.unwrap();
    let done = webhooks::register(scene.session(), &address(port), &[]).await.unwrap();
    assert!(done.made && done.secret, "{done:?}");
    scene.engine().ask(Command::Automatic { on: true }).await.unwrap();
    let (session, engine) = (scene.session().clone(), scene.engine().clone());
    let task = tokio::spawn(async move {
        let ended = inbound::serve(&session, engine, None).await;
        panic!("the listener ended: {ended:?}");
    });
    let listening = Listening { scene, port, task };
    listening.until(async |this| TcpStream::connect(("127.0.0.1", this.port)).await.is_ok()).await;
    listening
}

impl Listening {
    async fn until(&self, is_so: impl AsyncFn(&Self) -> bool) {
        let wait = async {
            while !is_so(self).await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("it never came");
    }

    async fn runs(&self) -> Vec<RunRow> {
        let mut runs = read::runs(self.scene.session(), None, 100).await.unwrap();
        runs.retain(|run| run.kind == RunKind::Automatic && run.result.is_some());
        runs
    }

    /// Waits for so many finished automatic runs.
    async fn until_runs(&self, count: usize) -> Vec<RunRow> {
        self.until(async |this| this.runs().await.len() >= count).await;
        self.runs().await
    }

    fn calls(&self) -> Vec<String> {
        self.scene.calls_since(0, Side::Platform)
    }

    /// Posts a body, and tells the status.
    async fn post(&self, path: &str, signature: Option<&str>, body: &[u8]) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let signed = signature.map(|text| format!("X-Signature: {text}\r\n")).unwrap_or_default();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\n{signed}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // One that is too large is refused before all of it was sent.
        let _ = stream.write_all(body).await;
        let mut answer = vec![0; 64];
        let read = stream.read(&mut answer).await.unwrap();
        let line = String::from_utf8_lossy(&answer[..read]).into_owned();
        line.split(' ').nth(1).unwrap_or_default().parse().unwrap()
    }

    async fn hint(&self, kind: &str, id: &str) -> u16 {
        let body = delivery(kind, id);
        self.post("/webhooks/spotio", Some(&signature(&body)), &body).await
    }
}

fn delivery(kind: &str, id: &str) -> Vec<u8> {
    let event = json!({"type": kind, "date": "2026-11-22T10:00:00Z", "data": {"objectId": id}});
    json!({"payload": [event]}).to_string().into_bytes()
}

fn signature(body: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET);
    ring::hmac::sign(&key, body).as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn count(calls: &[String], what: &str) -> usize {
    calls.iter().filter(|call| call.contains(what)).count()
}

/// A lead of the org that is linked: its id and the one in SPOTIO.
fn linked(scene: &Scene) -> (String, String) {
    let leads = scene.sandbox().org().rows("Lead");
    let row = leads.iter().find(|row| {
        row["IsConverted"] == json!(false)
            && row["SPOTIO_Id__c"]
                .as_str()
                .is_some_and(|id| scene.sandbox().platform().record("lead", id).is_some())
    });
    let row = row.unwrap();
    (row["Id"].as_str().unwrap().to_owned(), row["SPOTIO_Id__c"].as_str().unwrap().to_owned())
}

fn put(scene: &Scene, object: &str, fields: Value) -> String {
    scene.sandbox().platform().upsert(object, &map(fields)).unwrap()
}

/// F146: what SPOTIO hints at is read once, by its id, and written in that very run; nothing else is asked for.
/// platform-spotio.md §7: a delivery is read again by its id.
#[tokio::test(flavor = "multi_thread")]
async fn a_hint_leads_to_one_read_by_id_and_a_change_within_one_run() {
    let here = listening().await;
    let (id, there) = linked(&here.scene);
    let before = here.calls().len();
    put(&here.scene, "lead", json!({"id": there, "company": "Hinted & Co"}));
    let runs = here.until_runs(1).await;
    assert_eq!(here.scene.org_row("Lead", &id)["Company"], "Hinted & Co", "{runs:?}");
    assert_eq!((runs.len(), runs[0].counts.salesforce.updated), (1, 1), "{runs:?}");
    let calls = &here.calls()[before..];
    assert_eq!(count(calls, "/api/DataObjects/many"), 1, "{calls:?}");
    assert_eq!(count(calls, "/api/Exports/") + count(calls, "/deleted"), 0, "{calls:?}");
    assert!(read::last_hint(here.scene.session()).await.unwrap().is_some());
    all_described(&here.scene);
}

/// F140: an activity that is hinted at becomes a task; its id is not taken for that of a record.
#[tokio::test(flavor = "multi_thread")]
async fn a_hinted_activity_becomes_a_task() {
    let here = listening().await;
    let (_, there) = linked(&here.scene);
    put(&here.scene, "activity", json!({"recordId": there, "title": "Doorstep"}));
    here.until(async |this| {
        let tasks = this.scene.sandbox().org().rows("Task");
        tasks.iter().any(|task| task["Subject"] == json!("Doorstep"))
    })
    .await;
}

/// platform-spotio.md §7: only what carries the company's signature counts, whatever else comes is refused.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_signed_delivery_of_a_decent_size_is_taken() {
    let here = listening().await;
    let (_, there) = linked(&here.scene);
    let body = delivery("lead.updated", &there);
    let right = signature(&body);
    let path = "/webhooks/spotio";
    assert_eq!(here.post(path, None, &body).await, 401);
    assert_eq!(here.post(path, Some(&signature(b"other")), &body).await, 401);
    assert_eq!(here.post(path, Some("zz"), &body).await, 401);
    assert_eq!(here.post(path, Some(&right), &vec![b'x'; 2 << 20]).await, 413);
    assert_eq!(here.post(path, Some(&signature(b"[]")), b"[]").await, 400);
    assert_eq!(here.post("/push/any", Some(&right), &body).await, 404);
    assert_eq!(here.runs().await.len(), 0);
    assert_eq!(here.post(path, Some(&right), &body).await, 200);
    let runs = here.until_runs(1).await;
    assert_eq!((runs.len(), runs[0].counts.updated()), (1, 0), "{runs:?}");
}

/// Duplicates, and deliveries that come late and out of order, change nothing: the record says what holds.
#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_late_deliveries_are_harmless() {
    let here = listening().await;
    here.scene.sandbox().platform().set_delivery_copies(3);
    let (id, there) = linked(&here.scene);
    put(&here.scene, "lead", json!({"id": there, "company": "First"}));
    put(&here.scene, "lead", json!({"id": there, "company": "Second"}));
    here.until(async |this| this.scene.org_row("Lead", &id)["Company"] == json!("Second")).await;
    here.until(async |this| this.scene.engine().progress().borrow().state == EngineState::Idle).await;
    let written = here.scene.history(100).await.len();
    let runs = here.runs().await.len();
    assert_eq!(here.hint("lead.added", &there).await, 200);
    let runs = here.until_runs(runs + 1).await;
    assert_eq!(here.scene.history(100).await.len(), written, "{runs:?}");
    assert_eq!(here.scene.org_row("Lead", &id)["Company"], "Second");
}

/// A new lead is made in the org at once; an id that nobody has, a wrong one, and an unknown event lead to nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_unlinked_id_is_matched_like_any_change_and_an_unknown_one_is_nothing() {
    let here = listening().await;
    let fields = json!({"firstName": "Nia", "lastName": "New", "email": "nia@new.example", "company": "New"});
    let there = put(&here.scene, "lead", fields);
    here.until_runs(1).await;
    let rows = here.scene.sandbox().org().rows("Lead");
    assert_eq!(rows.iter().filter(|row| row["SPOTIO_Id__c"] == json!(there)).count(), 1);
    let before = here.runs().await.len();
    for (kind, id) in [("visit.made", there.as_str()), ("lead.updated", "../users"), ("lead", "")] {
        assert_eq!(here.hint(kind, id).await, 200);
    }
    assert_eq!(here.hint("lead.updated", "65f0ffffffffffffffffffff").await, 200);
    let runs = here.until_runs(before + 1).await;
    assert_eq!(runs[0].counts.updated() + runs[0].counts.created() + runs[0].counts.failed, 0, "{runs:?}");
    assert_eq!(count(&here.calls(), "users%2F") + count(&here.calls(), "..%2Fusers"), 0);
    assert_eq!(here.scene.issues().await.len(), 0);
}

/// A deleted lead is told by the feed of deletions, which is asked at once; by default its twin stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_lead_is_looked_up_among_the_deletions() {
    let here = listening().await;
    let (id, there) = linked(&here.scene);
    let before = here.calls().len();
    here.scene.sandbox().platform().delete("lead", &there).unwrap();
    let runs = here.until_runs(1).await;
    assert_eq!((runs[0].counts.failed, runs[0].counts.deleted()), (0, 0), "{runs:?}");
    assert!(count(&here.calls()[before..], "/api/DataObjects/deleted") > 0);
    assert!(here.scene.sandbox().org().row("Lead", &id).is_some());
    let told = here.scene.command(&["why", "Lead", &id]).await;
    assert!(told.stdout.contains("closed") && told.stdout.contains("deleted"), "{told:?}");
}

/// Safety: the listener can be reached from this machine alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_listener_is_bound_to_loopback_only() {
    let here = listening().await;
    assert!(TcpStream::connect(("127.0.0.1", here.port)).await.is_ok());
    // Another address of this machine; a listener on all of them would answer.
    assert!(TcpStream::connect(("127.0.0.2", here.port)).await.is_err());
}

/// Registering moves our endpoint and never touches those of others; removing takes ours away alone.
#[tokio::test(flavor = "multi_thread")]
async fn registering_touches_no_endpoint_of_others() {
    let here = listening().await;
    let session = here.scene.session();
    let others = address(here.port);
    set_connection::set(session, &["platform.spotio.webhook_address=".into()]).await.unwrap();
    let ours = "https://hooks.acme.example/spotio";
    let done = webhooks::register(session, ours, &["lead.updated".into()]).await.unwrap();
    assert!(done.made, "{done:?}");
    let moved = "https://other.acme.example/spotio";
    let done = webhooks::register(session, moved, &[]).await.unwrap();
    assert!(!done.made && done.endpoint.scopes == ["lead.updated"], "{done:?}");
    let refused = webhooks::register(session, moved, &["lead.moved".into()]).await.unwrap_err();
    assert!(refused.message.contains("lead.updated"), "{}", refused.message);
    assert!(webhooks::register(session, "http://hooks.acme.example", &[]).await.is_err(), "no plain HTTP");
    let listed = webhooks::list(session).await.unwrap();
    let told: Vec<_> =
        listed.endpoints.iter().map(|known| (known.endpoint.callback.as_str(), known.ours)).collect();
    assert_eq!(told, [(others.as_str(), false), (moved, true)]);
    let removed = webhooks::remove(session).await.unwrap();
    assert_eq!(removed.map(|endpoint| endpoint.callback).as_deref(), Some(moved));
    assert!(webhooks::remove(session).await.unwrap().is_none());
    assert_eq!(webhooks::list(session).await.unwrap().endpoints.len(), 1);
    all_described(&here.scene);
}

/// The test of the connection says whether anybody listens, and when the last hint came.
#[tokio::test(flavor = "multi_thread")]
async fn the_test_of_the_connection_tells_of_the_listener() {
    let here = listening().await;
    let told = here.scene.command(&["connection", "test", "platform"]).await;
    assert!(told.stdout.contains("no hint has come yet"), "{told:?}");
    let (_, there) = linked(&here.scene);
    here.hint("lead.updated", &there).await;
    here.until_runs(1).await;
    let told = here.scene.command(&["connection", "test", "platform"]).await;
    assert!(told.stdout.contains("the last hint came on"), "{told:?}");
    here.task.abort();
    here.until(async |this| TcpStream::connect(("127.0.0.1", this.port)).await.is_err()).await;
    let told = here.scene.command(&["connection", "test", "platform"]).await;
    assert!(told.stdout.contains("Nobody listens for webhooks"), "{told:?}");
    let listed = here.scene.command(&["connection", "webhooks", "list", "--json"]).await;
    assert!(listed.code == 0 && listed.stdout.contains("\"ours\":true"), "{listed:?}");
}
