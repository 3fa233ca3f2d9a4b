//! Writing to the sandbox's org: results row by row, read back in the same call.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use forcesync::connect::salesforce::{Environment, Salesforce, SalesforceSettings, SignIn};
use forcesync::domain::mapping::SideEffects;
use forcesync::domain::port::{
    Finder, PortClass, RowClass, RowResult, Sink, Source, WriteBatch, WriteKind, WriteRow, Written,
};
use forcesync::domain::record::{RecordId, Selection};
use forcesync::domain::value::Value;
use forcesync::sandbox::org::RowFaults;
use serde_json::json;

use crate::salesforce_support::{Served, serve};

fn batch(kind: WriteKind, fields: &[&str], rows: Vec<(Option<&str>, Vec<Option<Value>>)>) -> WriteBatch {
    WriteBatch {
        object: "Contact".into(),
        kind,
        selection: Selection::new(fields),
        rows: rows
            .into_iter()
            .map(|(id, values)| WriteRow { id: id.map(RecordId::from), values, key: Vec::new() })
            .collect(),
        read_back: Selection::new(["LastName", "Email", "HasOptedOutOfEmail"]),
        mark: None,
        consent: Vec::new(),
        effects: SideEffects::default(),
    }
}

async fn write(client: &Salesforce, batch: &WriteBatch) -> Vec<RowResult> {
    match client.write(batch).await.unwrap() {
        Written::Rows(rows) => rows,
        Written::Accepted(job) | Written::Prepared(job) => panic!("{job:?}"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the values of a row are optional, and these are there")]
fn text(text: &str) -> Option<Value> {
    Some(Value::text(text))
}

async fn ready(served: &Served) -> Salesforce {
    let client = served.client();
    client.describe(&["Contact".to_owned()]).await.unwrap();
    client
}

#[tokio::test]
async fn new_records_come_back_as_the_org_holds_them_in_one_call() {
    let served = serve().await;
    let client = ready(&served).await;
    let rows =
        (0..200).map(|number| (None, vec![text(&format!("  Name {number} ")), Some(Value::Null)])).collect();
    let before = client.calls();
    let results = write(&client, &batch(WriteKind::Create, &["LastName", "HasOptedOutOfEmail"], rows)).await;
    assert_eq!(client.calls() - before, 1);
    assert_eq!((results.len(), served.org.count("Contact")), (200, 200));
    for (number, result) in results.iter().enumerate() {
        let RowResult::Done { created: true, record: Some(record), id } = result else {
            panic!("{result:?}")
        };
        assert_eq!(&record.id, id);
        assert!(record.stamp.is_some());
        assert_eq!(
            record.values,
            [text(&format!("Name {number}")), Some(Value::Null), Some(Value::Bool(false))]
        );
    }
    let selection = Selection::new(["LastName"]);
    let by = Finder::CreatedByUs { since: record_stamp(&results) };
    assert_eq!(client.find("Contact", &selection, &by).await.unwrap().len(), 200);
}

fn record_stamp(results: &[RowResult]) -> chrono::DateTime<chrono::Utc> {
    match results.first() {
        Some(RowResult::Done { record: Some(record), .. }) => record.stamp.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_refused_row_has_the_org_s_code_and_words_and_the_others_are_done() {
    let served = serve().await;
    let client = ready(&served).await;
    let rows = vec![
        (None, vec![text("Good"), text("good@example.com")]),
        (None, vec![None, text("nameless@example.com")]),
        (None, vec![text("Bad"), text("no mail")]),
        (None, vec![text(&"long ".repeat(40)), None]),
    ];
    let results = write(&client, &batch(WriteKind::Create, &["LastName", "Email"], rows)).await;
    let RowResult::Done { record: Some(record), .. } = &results[0] else { panic!("{results:?}") };
    assert_eq!(record.values[1], text("good@example.com"));
    let codes = ["REQUIRED_FIELD_MISSING", "INVALID_EMAIL_ADDRESS", "STRING_TOO_LONG"];
    for (result, code) in results[1..].iter().zip(codes) {
        let RowResult::Refused(error) = result else { panic!("{result:?}") };
        assert_eq!((error.code.as_str(), error.class), (code, RowClass::Data));
        assert!(!error.message.is_empty() && !error.fields.is_empty());
    }
}

#[tokio::test]
async fn an_update_changes_only_what_it_names_and_tells_what_is_gone() {
    let served = serve().await;
    let ids = served.seed_contacts(3);
    served.org.admin_delete("Contact", &ids[2], &served.org.person_user_id()).unwrap();
    let client = ready(&served).await;
    let rows = vec![
        (Some(ids[0].as_str()), vec![text("New"), None]),
        (Some(ids[1].as_str()), vec![None, Some(Value::Null)]),
        (Some(ids[2].as_str()), vec![text("Late"), None]),
    ];
    let before = client.calls();
    let results = write(&client, &batch(WriteKind::Update, &["LastName", "Email"], rows)).await;
    assert_eq!(client.calls() - before, 1);
    let values = |result: &RowResult| match result {
        RowResult::Done { created: false, record: Some(record), .. } => record.values.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(values(&results[0])[..2], [text("New"), text("person0@example.com")]);
    assert_eq!(values(&results[1])[..2], [text("Person 1"), Some(Value::Null)]);
    let RowResult::Refused(error) = &results[2] else { panic!("{results:?}") };
    assert_eq!(error.class, RowClass::Gone, "{error:?}");
}

#[tokio::test]
async fn an_upsert_by_mark_finds_what_an_earlier_try_created() {
    let served = serve().await;
    let client = ready(&served).await;
    let fields = ["LastName", "SALESmanago_Id__c"];
    let rows = |name: &str| {
        vec![(None, vec![text(name), text("mark-1")]), (None, vec![text("Second"), text("mark'2 ü")])]
    };
    let marked = |name: &str| WriteBatch {
        mark: Some("SALESmanago_Id__c".into()),
        read_back: Selection::new(fields),
        ..batch(WriteKind::Create, &fields, rows(name))
    };
    let created = |result: &RowResult| match result {
        RowResult::Done { created, record: Some(_), .. } => *created,
        other => panic!("{other:?}"),
    };
    let before = client.calls();
    assert!(write(&client, &marked("First")).await.iter().all(created));
    assert!(!write(&client, &marked("Again")).await.iter().any(created));
    assert_eq!(client.calls() - before, 2);
    assert_eq!(served.org.count("Contact"), 2);
    let by = Finder::Field { field: "SALESmanago_Id__c".into(), values: vec![Value::text("mark-1")] };
    let found = client.find("Contact", &Selection::new(["LastName"]), &by).await.unwrap();
    assert_eq!(found[0].values, [text("Again")]);
}

#[tokio::test]
async fn deleted_records_go_to_the_recycle_bin() {
    let served = serve().await;
    let ids = served.seed_contacts(2);
    let client = ready(&served).await;
    let rows = vec![(Some(ids[0].as_str()), Vec::new()), (Some("003000000000000AAA"), Vec::new())];
    let results = write(&client, &batch(WriteKind::Delete, &[], rows)).await;
    assert!(matches!(&results[0], RowResult::Done { created: false, .. }), "{results:?}");
    let RowResult::Refused(error) = &results[1] else { panic!("{results:?}") };
    assert_eq!(error.class, RowClass::Gone, "{error:?}");
    assert_eq!(served.org.count("Contact"), 1);
    served.org.admin_undelete("Contact", &ids[0], &served.org.person_user_id()).unwrap();
}

struct Locked;

impl RowFaults for Locked {
    fn row(&self, _object: &str, _operation: &str) -> Option<(String, String)> {
        Some(("UNABLE_TO_LOCK_ROW".into(), "unable to obtain exclusive access to this record".into()))
    }
}

#[tokio::test]
async fn a_locked_row_is_to_be_tried_again() {
    let served = serve().await;
    let ids = served.seed_contacts(1);
    let client = ready(&served).await;
    served.org.set_row_faults(Arc::new(Locked));
    let rows = vec![(Some(ids[0].as_str()), vec![text("New")])];
    let results = write(&client, &batch(WriteKind::Update, &["LastName"], rows)).await;
    let RowResult::Refused(error) = &results[0] else { panic!("{results:?}") };
    assert_eq!((error.code.as_str(), error.class), ("UNABLE_TO_LOCK_ROW", RowClass::Again));
}

/// Carries a composite out and then hangs up: the reply breaks off after its first bytes.
async fn hang_up(request: Request, next: Next) -> Response {
    let is_write =
        request.uri().path().ends_with("/composite") && request.headers().contains_key("sforce-auto-assign");
    let response = next.run(request).await;
    if !is_write {
        return response;
    }
    let half = futures_util::stream::iter([Ok("{"), Err(std::io::Error::other("cut"))]);
    Response::new(Body::from_stream(half))
}

#[tokio::test]
async fn a_connection_cut_after_the_commit_leaves_every_row_unknown_and_repeats_nothing() {
    let served = serve().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = served.org.router().layer(middleware::from_fn(hang_up));
    tokio::spawn(forcesync::sandbox::tls::serve(listener, router, None, std::future::pending()));
    let settings = SalesforceSettings {
        environment: Environment::Custom(address),
        ..served.settings(SignIn::ClientCredentials)
    };
    let client = served.client_with(settings);
    client.describe(&["Contact".to_owned()]).await.unwrap();
    let rows = vec![(None, vec![text("One")]), (None, vec![text("Two")])];
    let before = client.calls();
    let results = write(&client, &batch(WriteKind::Create, &["LastName"], rows)).await;
    assert!(results.iter().all(|result| matches!(result, RowResult::Unknown)), "{results:?}");
    assert_eq!((client.calls() - before, served.org.count("Contact")), (1, 2));
}

#[tokio::test]
async fn a_write_on_a_dead_session_is_carried_out_once() {
    let served = serve().await;
    let client = ready(&served).await;
    served.org.expire_sessions();
    let rows = vec![(None, vec![text("One")])];
    let results = write(&client, &batch(WriteKind::Create, &["LastName"], rows)).await;
    assert!(matches!(&results[0], RowResult::Done { created: true, record: Some(_), .. }), "{results:?}");
    assert_eq!(served.org.count("Contact"), 1);
}

#[tokio::test]
async fn duplicate_rules_hold_unless_the_admin_lets_duplicates_through() {
    let served = serve().await;
    served.insert("Contact", json!({"LastName": "Ada", "Email": "ada@example.com"}));
    served.org.set_duplicate_rule(true);
    let client = ready(&served).await;
    let rows = || vec![(None, vec![text("Ada"), text("ada@example.com")])];
    let quiet = batch(WriteKind::Create, &["LastName", "Email"], rows());
    let results = write(&client, &quiet).await;
    let RowResult::Refused(error) = &results[0] else { panic!("{results:?}") };
    assert_eq!((error.code.as_str(), error.class), ("DUPLICATES_DETECTED", RowClass::Data));
    let effects = SideEffects { allow_duplicates: true, ..SideEffects::default() };
    let results = write(&client, &WriteBatch { effects, ..quiet }).await;
    assert!(matches!(&results[0], RowResult::Done { .. }), "{results:?}");
}

#[tokio::test]
async fn a_value_that_breaks_the_whole_call_is_an_error_and_nothing_is_done() {
    let served = serve().await;
    let client = ready(&served).await;
    let rows = vec![(None, vec![text("One"), text("not a date")])];
    match client.write(&batch(WriteKind::Create, &["LastName", "Birthdate"], rows)).await {
        Ok(Written::Rows(results)) => {
            assert!(
                matches!(&results[0], RowResult::Refused(error) if error.class == RowClass::Data),
                "{results:?}"
            );
        }
        Ok(Written::Accepted(job) | Written::Prepared(job)) => panic!("{job:?}"),
        Err(error) => assert_eq!(error.class, PortClass::Settings, "{error:?}"),
    }
    assert_eq!(served.org.count("Contact"), 0);
}
