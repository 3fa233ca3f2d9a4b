//! Bulk jobs of the client against the sandbox's org: pages side by side, marks that another process goes on from, results that
//! find their rows whatever their order, and what is left behind when something breaks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use forcesync::connect::salesforce::{Environment, Salesforce, SalesforceSettings, SignIn};
use forcesync::domain::cost::{Jobs, Rates};
use forcesync::domain::mapping::SideEffects;
use forcesync::domain::port::{
    Late, Page, RowClass, RowResult, ScanRequest, Sink, Source, WriteBatch, WriteKind, WriteRow, Written,
};
use forcesync::domain::record::{Record, RecordId, Selection};
use forcesync::domain::value::Value;
use rstest::rstest;
use serde_json::json;

use crate::salesforce_support::{Served, scan_all, scan_request, serve};

/// What was asked of the org: method, path, query and whether the reply was packed.
type Log = Arc<Mutex<Vec<(String, String, String, bool)>>>;

struct Watched {
    served: Served,
    address: String,
    log: Log,
}

async fn note(State(log): State<Log>, request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().to_string(), request.uri().clone());
    let response = next.run(request).await;
    let packed = response.headers().contains_key("content-encoding");
    let path = uri.path().rsplit("/services/data/v67.0").next().unwrap_or_default().to_owned();
    let query = uri.query().unwrap_or_default().to_owned();
    log.lock().unwrap().push((method, path, query, packed));
    response
}

impl Watched {
    async fn new() -> Self {
        let served = serve().await;
        let log = Log::default();
        let router = served.org.router().layer(middleware::from_fn_with_state(Arc::clone(&log), note));
        let address = listen(router).await;
        Self { served, address, log }
    }

    fn settings(&self) -> SalesforceSettings {
        SalesforceSettings {
            environment: Environment::Custom(self.address.clone()),
            rates: Rates { jobs: Jobs::Always, from: 100, ..Rates::default() },
            ..self.served.settings(SignIn::ClientCredentials)
        }
    }

    async fn client(&self) -> Salesforce {
        self.client_with(self.settings()).await
    }

    async fn client_with(&self, settings: SalesforceSettings) -> Salesforce {
        let client = self.served.client_with(settings);
        client.describe(&["Contact".to_owned(), "Account".to_owned()]).await.unwrap();
        self.log.lock().unwrap().clear();
        client
    }

    /// How often each of these was asked.
    fn asked(&self, method: &str, part: &str) -> BTreeMap<String, usize> {
        let mut asked = BTreeMap::new();
        for (known, path, query, _) in self.log.lock().unwrap().iter() {
            if known == method && path.contains(part) {
                *asked.entry(format!("{path}?{query}")).or_default() += 1;
            }
        }
        asked
    }
}

async fn listen(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(forcesync::sandbox::tls::serve(listener, router, None, std::future::pending()));
    address
}

const FIELDS: [&str; 6] =
    ["LastName", "Email", "HasOptedOutOfEmail", "Birthdate", "Account.Name", "CreatedDate"];

fn sorted(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by(|one, other| one.id.cmp(&other.id));
    records.dedup_by(|one, other| one.id == other.id);
    records
}

/// Contacts with all that CSV finds hard.
fn seed(served: &Served, count: usize) {
    let account = served.insert("Account", json!({"Name": "Acme, \"the\" company\nof two lines"}));
    let rows: Vec<_> = (0..count)
        .map(|number| {
            let mut row =
                json!({"LastName": format!("Person {number}"), "Email": format!("p{number}@example.com")});
            match number % 4 {
                0 => row["AccountId"] = json!(account),
                1 => row["LastName"] = json!(format!("Zoë, \"{number}\"")),
                2 => row["Birthdate"] = json!("1990-01-31"),
                _ => row["HasOptedOutOfEmail"] = json!(true),
            }
            crate::salesforce_support::fields_of(row)
        })
        .collect();
    served.org.seed_rows("Contact", &rows);
}

#[tokio::test]
async fn a_job_reads_what_single_pages_read() {
    let watched = Watched::new().await;
    seed(&watched.served, 5_000);
    let plain =
        SalesforceSettings { rates: Rates { jobs: Jobs::Never, ..Rates::default() }, ..watched.settings() };
    let (_, single) =
        scan_all(&watched.client_with(plain).await, scan_request("Contact", &FIELDS, None)).await;
    let paged = SalesforceSettings { bulk_page_rows: Some(700), ..watched.settings() };
    let client = watched.client_with(paged).await;
    let (first, by_job) = scan_all(&client, scan_request("Contact", &FIELDS, None)).await;
    assert_eq!(first.total, Some(5_000));
    assert!(first.told.as_ref().is_some_and(|told| told.contains("by a bulk job")), "{first:?}");
    let (single, by_job) = (sorted(single), sorted(by_job));
    assert_eq!((single.len(), by_job.len()), (5_000, 5_000));
    assert_eq!(single, by_job);
    let pages = watched.asked("GET", "/results");
    assert_eq!((pages.len(), pages.values().max()), (8, Some(&1)), "{pages:?}");
    assert_eq!(watched.asked("DELETE", "/jobs/query/").len(), 1);
    let log = watched.log.lock().unwrap();
    assert!(
        log.iter().any(|(_, path, _, packed)| path.ends_with("/results") && *packed),
        "results come packed"
    );
}

#[tokio::test]
async fn pages_of_the_service_s_own_size_are_read_side_by_side_by_their_links() {
    let watched = Watched::new().await;
    seed(&watched.served, 28_000);
    watched.served.org.set_page_rows(None, Some(5_000));
    let client = watched.client().await;
    let request = scan_request("Contact", &["LastName"], None);
    let mut mark = client.scan(&request).await.unwrap().next;
    let (mut rows, mut portions, mut largest) = (0, 0, 0);
    while let Some(here) = mark {
        let page = client.scan(&ScanRequest { mark: Some(here), ..request.clone() }).await.unwrap();
        rows += page.records.len();
        portions += usize::from(!page.records.is_empty());
        largest = largest.max(page.records.len());
        mark = page.next;
    }
    assert!(rows >= 26_000, "{rows}");
    assert!(
        largest < 4_000 && portions > 10,
        "a page comes in portions: {portions}, the largest of {largest}"
    );
    let pages = watched.asked("GET", "/results");
    assert_eq!((pages.len(), pages.values().max()), (6, Some(&1)), "{pages:?}");
    assert_eq!(watched.asked("GET", "/resultPages").len(), 1);
}

#[tokio::test]
async fn another_process_goes_on_at_the_mark_and_asks_for_no_page_twice() {
    let watched = Watched::new().await;
    seed(&watched.served, 3_000);
    let settings = SalesforceSettings { bulk_page_rows: Some(250), ..watched.settings() };
    let request = scan_request("Contact", &FIELDS, None);
    let mut client = watched.client_with(settings.clone()).await;
    let first = client.scan(&request).await.unwrap();
    let (mut records, mut mark) = (first.records, first.next);
    let mut steps = 0;
    // What was on its way to a process that ends is lost with it; what was taken in is not.
    let mut lost: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(here) = mark {
        if steps % 4 == 3 {
            client = watched.served.client_with(settings.clone());
            let place: serde_json::Value = serde_json::from_str(&here.0).unwrap();
            for page in place["bulk"]["pages"].as_array().into_iter().flatten() {
                *lost.entry(page["at"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        let page = client.scan(&ScanRequest { mark: Some(here), ..request.clone() }).await.unwrap();
        records.extend(page.records);
        mark = page.next;
        steps += 1;
    }
    assert_eq!(sorted(records).len(), 3_000);
    assert_eq!(watched.asked("POST", "/jobs/query").values().sum::<usize>(), 1, "one job");
    let pages = watched.asked("GET", "/results");
    assert!(pages.len() >= 12 && lost.len() > 2, "{pages:?} {lost:?}");
    for (page, times) in pages {
        let at = page.split_once("locator=").map_or("", |(_, at)| at);
        assert!(times <= 1 + lost.get(at).copied().unwrap_or(0), "{page} was asked for {times} times");
    }
}

#[tokio::test]
async fn a_job_that_fails_is_no_reason_to_fail() {
    let watched = Watched::new().await;
    seed(&watched.served, 4_500);
    let client = watched.client().await;
    let request = scan_request("Contact", &FIELDS, None);
    let first = client.scan(&request).await.unwrap();
    let job = watched.served.org.fail_jobs("QUERY_TIMEOUT : took too long");
    assert_eq!(job, 1);
    let (mut records, mut mark, mut told) = (first.records, first.next, Vec::new());
    while let Some(here) = mark {
        let page: Page = client.scan(&ScanRequest { mark: Some(here), ..request.clone() }).await.unwrap();
        records.extend(page.records);
        told.extend(page.told);
        mark = page.next;
    }
    assert_eq!(sorted(records).len(), 4_500);
    assert!(told.iter().any(|told| told.contains("QUERY_TIMEOUT")), "{told:?}");
    assert_eq!(watched.asked("DELETE", "/jobs/query/").len(), 1);
}

#[tokio::test]
async fn a_read_that_nobody_goes_on_from_leaves_no_job_behind() {
    let watched = Watched::new().await;
    seed(&watched.served, 2_500);
    let client = watched.client().await;
    let first = client.scan(&scan_request("Contact", &FIELDS, None)).await.unwrap();
    client.forsake(&first.next.unwrap()).await;
    assert_eq!(watched.asked("DELETE", "/jobs/query/").len(), 1);
    assert_eq!(watched.asked("PATCH", "/jobs/query/").len(), 1);
}

/// Breaks every third page of results off in its middle.
async fn break_off(State(count): State<Arc<Mutex<usize>>>, request: Request, next: Next) -> Response {
    let is_page = request.uri().path().ends_with("/results");
    let response = next.run(request).await;
    if !is_page {
        return response;
    }
    let nth = {
        let mut count = count.lock().unwrap();
        *count += 1;
        *count
    };
    if nth % 3 != 0 {
        return response;
    }
    let (head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let half = bytes.slice(..bytes.len() / 2);
    let cut = futures_util::stream::iter([Ok(half), Err(std::io::Error::other("cut"))]);
    Response::from_parts(head, Body::from_stream(cut))
}

#[tokio::test]
async fn a_page_that_breaks_off_is_read_on_and_no_row_comes_twice() {
    let served = serve().await;
    seed(&served, 4_000);
    let router = served.org.router().layer(middleware::from_fn_with_state(Arc::default(), break_off));
    let settings = SalesforceSettings {
        environment: Environment::Custom(listen(router).await),
        rates: Rates { jobs: Jobs::Always, from: 100, ..Rates::default() },
        bulk_page_rows: Some(900),
        ..served.settings(SignIn::ClientCredentials)
    };
    let client = served.client_with(settings);
    client.describe(&["Contact".to_owned()]).await.unwrap();
    let (first, records) = scan_all(&client, scan_request("Contact", &FIELDS, None)).await;
    assert_eq!(first.total, Some(4_000));
    let all = records.len();
    let records = sorted(records);
    assert_eq!(records.len(), 4_000);
    // All were seeded in one second, so the job brings those of the first page again; nothing else.
    assert_eq!(all, 4_000 + 2_000);
}

fn batch(kind: WriteKind, fields: &[&str], rows: Vec<(Option<&str>, Vec<Option<Value>>)>) -> WriteBatch {
    WriteBatch {
        object: "Contact".into(),
        kind,
        selection: Selection::new(fields),
        rows: rows
            .into_iter()
            .map(|(id, values)| WriteRow { id: id.map(RecordId::from), values, key: Vec::new() })
            .collect(),
        read_back: Selection::new(["LastName", "Title", "HasOptedOutOfEmail"]),
        mark: (kind == WriteKind::Create).then(|| "SALESmanago_Id__c".into()),
        consent: Vec::new(),
        effects: SideEffects::default(),
    }
}

async fn carried_out(client: &Salesforce, batch: &WriteBatch) -> Vec<RowResult> {
    match client.write(batch).await.unwrap() {
        Written::Prepared(job) => client.carry_out(&job, batch).await.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the values of a row are optional, and these are there")]
fn text(text: impl AsRef<str>) -> Option<Value> {
    Some(Value::text(text.as_ref()))
}

fn creates(count: usize) -> WriteBatch {
    let rows = (0..count)
        .map(|number| {
            // Every tenth lacks what is required.
            let name = (number % 10 != 9).then(|| Value::text(format!("  Name, \"{number}\"\nand more ")));
            (None, vec![text(format!("sm-{number}")), name, Some(Value::Null)])
        })
        .collect();
    batch(WriteKind::Create, &["SALESmanago_Id__c", "LastName", "HasOptedOutOfEmail"], rows)
}

#[tokio::test]
async fn results_of_a_job_find_their_rows_and_come_back_as_the_org_holds_them() {
    let watched = Watched::new().await;
    watched
        .served
        .insert("Contact", json!({"LastName": "Old", "SALESmanago_Id__c": "sm-3", "Title": "Boss"}));
    let client = watched.client().await;
    let results = carried_out(&client, &creates(500)).await;
    assert_eq!(results.len(), 500);
    for (number, result) in results.iter().enumerate() {
        match result {
            RowResult::Refused(error) => {
                assert_eq!(number % 10, 9);
                assert_eq!((error.code.as_str(), error.class), ("REQUIRED_FIELD_MISSING", RowClass::Data));
                assert_eq!(error.fields, ["LastName"]);
            }
            RowResult::Done { created, record: Some(record), .. } => {
                assert_eq!(*created, number != 3);
                assert_eq!(record.values[0], text(format!("Name, \"{number}\"\nand more")));
                assert_eq!(record.values[1], if number == 3 { text("Boss") } else { Some(Value::Null) });
            }
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(watched.served.org.count("Contact"), 450);
    for (method, part, times) in [
        ("POST", "/jobs/ingest", 1),
        ("PUT", "/batches", 1),
        ("PATCH", "/jobs/ingest/", 1),
        ("DELETE", "/jobs/ingest/", 1),
        ("GET", "unprocessed", 0),
    ] {
        assert_eq!(watched.asked(method, part).values().sum::<usize>(), times, "{method} {part}");
    }
}

#[tokio::test]
async fn an_update_by_a_job_leaves_alone_what_it_does_not_name_and_blanks_what_it_blanks() {
    let watched = Watched::new().await;
    let ids = watched.served.seed_contacts(300);
    for id in &ids {
        watched.served.update("Contact", id, json!({"Title": "Boss", "HasOptedOutOfEmail": true}));
    }
    let client = watched.client().await;
    let rows = ids
        .iter()
        .enumerate()
        .map(|(number, id)| {
            let title = match number % 3 {
                0 => None,
                1 => Some(Value::Null),
                _ => text("Chief"),
            };
            (Some(id.as_str()), vec![title, (number % 2 == 0).then_some(Value::Null)])
        })
        .collect();
    let results =
        carried_out(&client, &batch(WriteKind::Update, &["Title", "HasOptedOutOfEmail"], rows)).await;
    for (number, result) in results.iter().enumerate() {
        let RowResult::Done { created: false, record: Some(record), id } = result else {
            panic!("{result:?}")
        };
        assert_eq!(id.as_str(), ids[number]);
        let title = match number % 3 {
            0 => text("Boss"),
            1 => Some(Value::Null),
            _ => text("Chief"),
        };
        assert_eq!(record.values[1], title, "{number}");
        assert_eq!(record.values[2], Some(Value::Bool(number % 2 != 0)), "{number}");
    }
    let rows = ids.iter().map(|id| (Some(id.as_str()), Vec::new())).collect();
    let results = carried_out(&client, &batch(WriteKind::Delete, &[], rows)).await;
    assert!(results.iter().all(|result| matches!(result, RowResult::Done { .. })), "{results:?}");
    assert_eq!(watched.served.org.count("Contact"), 0);
}

#[tokio::test]
async fn rows_that_a_job_did_not_come_to_are_sent_again_and_those_that_it_did_are_not() {
    let watched = Watched::new().await;
    let client = watched.client().await;
    watched.served.org.set_jobs_break_after(Some(120));
    let results = carried_out(&client, &creates(300)).await;
    let again =
        |result: &RowResult| matches!(result, RowResult::Refused(error) if error.class == RowClass::Again);
    let (first, rest) = results.split_at(120);
    assert!(first.iter().all(|result| !again(result)), "{first:?}");
    assert!(rest.iter().all(again), "{rest:?}");
    assert_eq!(watched.served.org.count("Contact"), 108);
}

#[tokio::test]
async fn an_upload_larger_than_a_job_takes_becomes_several_jobs() {
    let watched = Watched::new().await;
    let client =
        watched.client_with(SalesforceSettings { bulk_upload_bytes: 4_000, ..watched.settings() }).await;
    let results = carried_out(&client, &creates(400)).await;
    assert_eq!(results.iter().filter(|result| matches!(result, RowResult::Done { .. })).count(), 360);
    let jobs = watched.asked("PUT", "/batches").len();
    assert!(jobs > 3, "{jobs}");
    assert_eq!(watched.asked("DELETE", "/jobs/ingest/").len(), jobs);
}

#[rstest]
#[case::few_rows(creates(99))]
#[case::unmarked(WriteBatch { mark: None, ..creates(200) })]
#[case::assignment_rules(WriteBatch { effects: SideEffects { assignment_rules: true, ..SideEffects::default() }, ..creates(200) })]
#[case::unsayable({
    let mut batch = creates(200);
    batch.rows[7].values[1] = text("#N/A");
    batch
})]
#[tokio::test]
async fn what_jobs_can_not_do_goes_by_single_calls(#[case] batch: WriteBatch) {
    let watched = Watched::new().await;
    let client = watched.client().await;
    match client.write(&batch).await.unwrap() {
        Written::Rows(rows) => assert_eq!(rows.len(), batch.rows.len()),
        other => panic!("{other:?}"),
    }
    assert_eq!(watched.asked("POST", "/jobs/ingest").len(), 0);
}

#[rstest]
#[case::shortly_after(Late::StillCounts, 90)]
#[case::too_late(Late::TooLate, 0)]
#[tokio::test]
async fn a_job_that_was_filled_and_not_begun_is_begun_only_while_its_values_count(
    #[case] late: Late,
    #[case] written: usize,
) {
    let watched = Watched::new().await;
    let client = watched.client().await;
    let batch = creates(100);
    let Written::Prepared(job) = client.write(&batch).await.unwrap() else { panic!("no job") };
    // The process ends after its upload arrived.
    let carrying = client.carry_out(&job, &batch);
    tokio::select! {
        biased;
        () = async {
            while watched.asked("PUT", "/batches").is_empty() {
                tokio::task::yield_now().await;
            }
        } => {}
        results = carrying => panic!("{results:?}"),
    }
    drop(client);
    let other = watched.served.client_with(watched.settings());
    other.conclude(&job, late).await.unwrap();
    assert_eq!(watched.served.org.count("Contact"), written);
    assert_eq!(watched.asked("PUT", "/batches").values().sum::<usize>(), 1);
    // A job that is gone is at rest.
    other.conclude(&job, late).await.unwrap();
}

#[tokio::test]
async fn a_slow_job_is_waited_for() {
    let watched = Watched::new().await;
    watched.served.org.set_job_delay(20_000);
    let client = watched.client().await;
    let batch = creates(100);
    let Written::Prepared(job) = client.write(&batch).await.unwrap() else { panic!("no job") };
    let clock = Arc::clone(&watched.served.clock);
    let passing = tokio::spawn(async move {
        loop {
            clock.advance(500);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let results = client.carry_out(&job, &batch).await.unwrap();
    passing.abort();
    assert_eq!(results.iter().filter(|result| matches!(result, RowResult::Done { .. })).count(), 90);
}
