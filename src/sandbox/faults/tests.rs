use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::sandbox::calls::CallLog;
use crate::sandbox::clock::SandboxClock;
use crate::sandbox::tls;

/// A service that counts how often it was asked, behind the layer.
struct Bench {
    faults: Arc<FaultPlan>,
    calls: Arc<CallLog>,
    asked: Arc<AtomicU32>,
    address: std::net::SocketAddr,
}

impl Bench {
    async fn start(side: Side) -> Self {
        let faults = Arc::new(FaultPlan::default());
        let calls = Arc::new(CallLog::default());
        let asked = Arc::new(AtomicU32::new(0));
        let clock = Arc::new(SandboxClock::fixed(0));
        let counter = Arc::clone(&asked);
        let handler = move || {
            let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
            async move { format!("{{\"state\":\"JobComplete\",\"n\":{number}}}") }
        };
        let layer = Arc::new(Layer { side, faults: Arc::clone(&faults), calls: Arc::clone(&calls), clock });
        let router =
            Router::new().fallback(any(handler)).layer(axum::middleware::from_fn_with_state(layer, strike));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(tls::serve(listener, router, None, std::future::pending()));
        Self { faults, calls, asked, address }
    }

    /// Status and body, or nothing at all when the connection was closed without a byte.
    async fn ask(&self, method: &str, path: &str) -> Option<(StatusCode, String)> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // A reset counts as closed.
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse::<u16>().ok()?;
        Some((StatusCode::from_u16(status).unwrap(), body.to_owned()))
    }
}

#[tokio::test]
async fn a_connection_cut_before_answers_nothing_and_does_nothing() {
    let bench = Bench::start(Side::Platform).await;
    bench.faults.arm(Fault::new(FaultKind::CutBefore).times(1));
    assert_eq!(bench.ask("POST", "/api/contact/upsert").await, None);
    assert_eq!(bench.asked.load(Ordering::SeqCst), 0);
    assert!(bench.ask("POST", "/api/contact/upsert").await.is_some());
    assert_eq!(bench.calls.since(0, None).first().unwrap().status, 0);
}

#[tokio::test]
async fn a_connection_cut_after_answers_nothing_although_it_was_done() {
    let bench = Bench::start(Side::Platform).await;
    bench.faults.arm(Fault::new(FaultKind::CutAfter).times(1));
    assert_eq!(bench.ask("POST", "/api/contact/upsert").await, None);
    assert_eq!(bench.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_fault_strikes_its_side_and_its_path_only() {
    let bench = Bench::start(Side::Salesforce).await;
    bench.faults.arm(Fault::new(FaultKind::Html503).on_side(Side::Platform));
    bench.faults.arm(Fault::new(FaultKind::Unauthorized).on("GET /services/data"));
    assert_eq!(bench.ask("POST", "/services/data").await.unwrap().0, StatusCode::OK);
    let (status, body) = bench.ask("GET", "/services/data/v60.0/query").await.unwrap();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(body.contains("INVALID_SESSION_ID"));
}

#[tokio::test]
async fn a_stale_read_answers_what_it_answered_first() {
    let bench = Bench::start(Side::Salesforce).await;
    bench.faults.arm(Fault::new(FaultKind::StaleRead).times(1));
    let first = bench.ask("GET", "/a").await.unwrap().1;
    assert_eq!(bench.ask("GET", "/a").await.unwrap().1, first);
    assert_ne!(bench.ask("GET", "/a").await.unwrap().1, first);
}

#[tokio::test]
async fn a_slow_job_says_that_it_still_runs() {
    let bench = Bench::start(Side::Salesforce).await;
    bench.faults.arm(Fault::new(FaultKind::SlowJobs).times(1));
    assert!(bench.ask("GET", "/services/data/v60.0/query").await.unwrap().1.contains("JobComplete"));
    let job = "/services/data/v60.0/jobs/query/750";
    assert!(bench.ask("GET", job).await.unwrap().1.contains("InProgress"));
    assert!(bench.ask("GET", job).await.unwrap().1.contains("JobComplete"));
}

#[tokio::test]
async fn a_request_delivered_twice_is_handled_twice_and_answered_once() {
    let bench = Bench::start(Side::Salesforce).await;
    bench.faults.arm(Fault::new(FaultKind::DeliveredTwice).times(1));
    assert!(bench.ask("POST", "/x").await.unwrap().1.contains("\"n\":2"));
}

#[tokio::test]
async fn the_platform_fails_with_status_200_and_the_day_of_the_org_ends_with_403() {
    let platform = Bench::start(Side::Platform).await;
    platform.faults.arm(Fault::new(FaultKind::SuccessFalse));
    let (status, body) = platform.ask("POST", "/api/x").await.unwrap();
    assert!(status == StatusCode::OK && body.contains("\"success\":false"));
    let org = Bench::start(Side::Salesforce).await;
    org.faults.arm(Fault::new(FaultKind::Limit));
    let (status, body) = org.ask("GET", "/x").await.unwrap();
    assert!(status == StatusCode::FORBIDDEN && body.contains("REQUEST_LIMIT_EXCEEDED"));
}

#[test]
fn every_and_after_and_count_work_together() {
    let plan = FaultPlan::default();
    plan.arm(Fault { every: Some(2), after: 1, count: Some(2), ..Fault::new(FaultKind::RowLock) });
    let struck: Vec<bool> = (0..8).map(|_| plan.row("Contact", "update").is_some()).collect();
    assert_eq!(struck, [false, false, true, false, true, false, false, false]);
    assert!(plan.armed().is_empty());
}

#[test]
fn chance_is_drawn_by_its_seed() {
    let draw = |seed| -> Vec<bool> {
        let plan = FaultPlan::default();
        plan.arm(Fault { chance: Some(0.5), seed, ..Fault::new(FaultKind::RowLock) });
        (0..32).map(|_| plan.row("Lead", "insert").is_some()).collect()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

#[test]
fn a_row_fault_is_narrowed_by_operation_and_object() {
    let plan = FaultPlan::default();
    plan.arm(Fault::new(FaultKind::RowLock).on("update contact"));
    assert_eq!(plan.row("Contact", "update").unwrap().0, "UNABLE_TO_LOCK_ROW");
    assert_eq!(plan.row("Contact", "insert"), None);
}

#[test]
fn a_fault_is_read_from_json_and_a_misspelt_field_is_refused() {
    let fault: Fault = serde_json::from_str(r#"{"kind":"html_503","side":"platform","count":2}"#).unwrap();
    assert_eq!((fault.kind, fault.side, fault.count), (FaultKind::Html503, Some(Side::Platform), Some(2)));
    assert!(serde_json::from_str::<Fault>(r#"{"kind":"slow","millis":2}"#).is_err());
}
