//! An org that is slow, busy, broken or changes under the client's hands.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use forcesync::connect::salesforce::{Environment, Salesforce, SalesforceSettings, SignIn};
use forcesync::domain::mapping::SideEffects;
use forcesync::domain::port::{PortClass, RowResult, Sink, Source, WriteBatch, WriteKind, WriteRow, Written};
use forcesync::domain::record::Selection;
use forcesync::domain::value::Value;
use forcesync::sandbox::org::FieldPermission;

use crate::salesforce_support::{Served, scan_all, scan_request, serve};

/// What stands before the org, for calls of data.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<VecDeque<Fault>>>);

#[derive(Clone)]
enum Fault {
    /// Answered in the org's place.
    Instead(u16, &'static str),
    /// The org works, and its answer is lost.
    Afterwards(u16, &'static str),
}

const BUSY: Fault = Fault::Instead(503, "<html>Service unavailable</html>");
const DEAD: Fault =
    Fault::Instead(401, r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#);

async fn stand_before(State(trouble): State<Trouble>, request: Request, next: Next) -> Response {
    let is_data = request.uri().path().starts_with("/services/data/v");
    let fault = if is_data { trouble.0.lock().unwrap().pop_front() } else { None };
    let answer = |status: u16, body: &'static str| {
        (StatusCode::from_u16(status).unwrap(), Body::from(body)).into_response()
    };
    match fault {
        None => next.run(request).await,
        Some(Fault::Instead(status, body)) => answer(status, body),
        Some(Fault::Afterwards(status, body)) => {
            next.run(request).await;
            answer(status, body)
        }
    }
}

struct Troubled {
    served: Served,
    trouble: Trouble,
    client: Salesforce,
}

async fn troubled() -> Troubled {
    let served = serve().await;
    let trouble = Trouble::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = served.org.router().layer(middleware::from_fn_with_state(trouble.clone(), stand_before));
    tokio::spawn(forcesync::sandbox::tls::serve(listener, router, None, std::future::pending()));
    let settings = SalesforceSettings {
        environment: Environment::Custom(address),
        ..served.settings(SignIn::ClientCredentials)
    };
    let client = served.client_with(settings);
    client.describe(&["Contact".to_owned()]).await.unwrap();
    Troubled { served, trouble, client }
}

impl Troubled {
    fn then(&self, faults: &[Fault]) {
        self.trouble.0.lock().unwrap().extend(faults.iter().cloned());
    }

    fn left(&self) -> usize {
        self.trouble.0.lock().unwrap().len()
    }

    async fn create(&self) -> Result<Vec<RowResult>, forcesync::domain::port::PortError> {
        let batch = WriteBatch {
            object: "Contact".into(),
            kind: WriteKind::Create,
            selection: Selection::new(["LastName"]),
            rows: vec![WriteRow { id: None, values: vec![Some(Value::text("One"))], key: Vec::new() }],
            read_back: Selection::new(["LastName"]),
            mark: None,
            consent: Vec::new(),
            effects: SideEffects::default(),
        };
        self.client.write(&batch).await.map(|written| match written {
            Written::Rows(rows) => rows,
            Written::Accepted(job) | Written::Prepared(job) => panic!("{job:?}"),
        })
    }
}

#[tokio::test]
async fn a_busy_org_is_asked_again_and_one_that_stays_busy_is_told() {
    let org = troubled().await;
    org.then(&[BUSY, BUSY]);
    assert_eq!(org.client.count("Contact", None).await.unwrap(), Some(0));
    org.then(&[BUSY, BUSY, BUSY, BUSY, BUSY]);
    let error = org.client.count("Contact", None).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (PortClass::Transient, "HTTP_503"));
    assert!(error.message.contains("counting Contact"), "{}", error.message);
}

#[tokio::test]
async fn too_many_calls_at_once_pass() {
    let org = troubled().await;
    let words = r#"[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
    org.then(&[Fault::Instead(403, words)]);
    assert_eq!(org.client.count("Contact", None).await.unwrap(), Some(0));
}

#[tokio::test]
async fn a_second_refusal_of_a_new_session_is_final() {
    let org = troubled().await;
    org.then(&[DEAD, DEAD, DEAD, DEAD]);
    let error = org.client.count("Contact", None).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (PortClass::SignIn, "INVALID_SESSION_ID"));
    assert_eq!(org.left(), 2, "one try, one new session, one more try");
}

#[tokio::test]
async fn a_session_that_may_not_use_the_api_is_not_renewed() {
    let org = troubled().await;
    let words = r#"[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]"#;
    org.then(&[Fault::Instead(401, words), DEAD]);
    let error = org.client.count("Contact", None).await.unwrap_err();
    assert_eq!(error.class, PortClass::SignIn);
    assert_eq!(org.left(), 1);
}

#[tokio::test]
async fn a_web_page_that_forbids_is_told_without_signing_in_again() {
    let org = troubled().await;
    org.then(&[Fault::Instead(403, "<html>Forbidden</html>"), DEAD]);
    let error = org.client.count("Contact", None).await.unwrap_err();
    assert_eq!(error.class, PortClass::Blocked);
    assert_eq!(org.left(), 1);
}

#[tokio::test]
async fn a_create_that_was_refused_for_being_busy_is_repeated_and_done_once() {
    let org = troubled().await;
    org.then(&[BUSY]);
    let rows = org.create().await.unwrap();
    assert!(matches!(&rows[0], RowResult::Done { created: true, .. }), "{rows:?}");
    assert_eq!(org.served.org.count("Contact"), 1);
}

#[tokio::test]
async fn a_create_whose_gateway_failed_is_unknown_and_not_repeated() {
    for fault in [
        Fault::Afterwards(504, ""),
        Fault::Afterwards(502, "<html></html>"),
        Fault::Afterwards(
            500,
            r#"[{"message":"An unexpected error occurred","errorCode":"UNKNOWN_EXCEPTION"}]"#,
        ),
    ] {
        let org = troubled().await;
        org.then(&[fault]);
        let rows = org.create().await.unwrap();
        assert!(matches!(&rows[0], RowResult::Unknown), "{rows:?}");
        assert_eq!(org.served.org.count("Contact"), 1);
    }
}

const USED_UP: Fault = Fault::Instead(
    403,
    r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#,
);

#[tokio::test]
async fn a_day_s_quota_that_the_org_s_own_count_contradicts_is_asked_again_and_the_write_done_once() {
    let org = troubled().await;
    org.then(&[USED_UP, USED_UP]);
    let rows = org.create().await.unwrap();
    assert!(matches!(&rows[0], RowResult::Done { created: true, .. }), "{rows:?}");
    assert_eq!(org.served.org.count("Contact"), 1);
}

#[tokio::test]
async fn a_day_s_quota_that_is_used_up_before_a_write_means_nothing_was_done() {
    let org = troubled().await;
    org.then(&[USED_UP, USED_UP, USED_UP, USED_UP, USED_UP]);
    let error = org.create().await.unwrap_err();
    assert_eq!(error.class, PortClass::Limit);
    assert_eq!(org.served.org.count("Contact"), 0);
}

#[tokio::test]
async fn an_unreadable_answer_is_told() {
    let org = troubled().await;
    org.then(&[Fault::Instead(200, "{\"totalSize\":")]);
    let error = org.client.count("Contact", None).await.unwrap_err();
    assert_eq!(error.class, PortClass::Protocol);
    org.then(&[Fault::Instead(200, "welcome")]);
    assert!(matches!(org.create().await.unwrap()[0], RowResult::Unknown));
}

#[tokio::test]
async fn a_field_that_vanishes_after_the_describe_is_left_out_and_the_read_goes_on() {
    let org = troubled().await;
    org.served.seed_contacts(3);
    org.served.org.set_field_permission("Contact", "Title", FieldPermission::Hidden);
    let fields = ["LastName", "Title"];
    let (_, records) = scan_all(&org.client, scan_request("Contact", &fields, None)).await;
    assert_eq!(records.len(), 3);
    assert!(records.iter().all(|record| record.values[0].is_some() && record.values[1].is_none()));
    let schemas = org.client.describe(&["Contact".to_owned()]).await.unwrap();
    assert!(schemas[0].field("Title").is_none());
}
