//! What the clients say to each service and make of its answers, call by call: a server that notes what comes and answers what a test
//! wants, so that client and emulator can't be wrong in the same way.

mod deployteq;
mod learndot;
mod novoed;
mod salesmanago;
mod spotio;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use forcesync::connect::platform::{Opening, Platform, open};
use forcesync::domain::mapping::SideEffects;
use forcesync::domain::port::{
    Cursor, FeedRequest, Notes, Page, PortError, RowResult, ScanRequest, Source, WriteBatch, WriteKind,
    WriteRow, Written,
};
use forcesync::domain::profile::{PlatformValues, Told};
use forcesync::domain::record::{RecordId, Selection};
use forcesync::domain::value::Value as Held;
use serde_json::{Value, json};

use crate::salesmanago_account::LeapClock;

/// A call as it came.
#[derive(Clone, Debug)]
struct Seen {
    /// Method and address, with its query.
    call: String,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn is(&self, call: &str) -> bool {
        self.call.starts_with(call)
    }
}

/// A status, a kind and a body.
type Answer = (u16, &'static str, String);

/// What is answered to a call that so many came before.
type Answers = Box<dyn Fn(&Seen, usize) -> Answer + Send + Sync>;

fn ok(body: &Value) -> Answer {
    (200, "application/json", body.to_string())
}

fn refusal(status: u16, body: &Value) -> Answer {
    (status, "application/json", body.to_string())
}

/// A service that answers whatever a test wants; its clients' clock never waits.
struct Wire {
    url: String,
    answers: Answers,
    seen: Mutex<Vec<Seen>>,
    clock: Arc<LeapClock>,
}

impl Wire {
    /// `answers` is told the call and how many came before it.
    async fn start(answers: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Arc::new(Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            answers: Box::new(answers),
            seen: Mutex::default(),
            clock: Arc::new(LeapClock::at("2026-11-20T12:00:00Z".parse().unwrap())),
        });
        let router = Router::new().fallback(Self::answer).with_state(Arc::clone(&wire));
        tokio::spawn(async move { axum::serve(listener, router).await });
        wire
    }

    #[expect(clippy::unused_async, reason = "a handler has to be one")]
    async fn answer(
        State(wire): State<Arc<Self>>,
        method: Method,
        address: Uri,
        headers: HeaderMap,
        body: String,
    ) -> Response {
        let address = address.path_and_query().map(ToString::to_string).unwrap_or_default();
        let call = Seen { call: format!("{method} {address}"), headers, body };
        let before = wire.seen.lock().unwrap().len();
        let (status, kind, body) = (wire.answers)(&call, before);
        wire.seen.lock().unwrap().push(call);
        (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, kind)], body).into_response()
    }

    /// The calls that begin so, oldest first.
    fn seen(&self, call: &str) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.is(call)).cloned().collect()
    }

    /// Method and address of all calls.
    fn calls(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| seen.call.clone()).collect()
    }

    /// A connection of a platform to it, as its profile has it but for these settings; without a pace unless that is one of them.
    fn open(
        &self,
        kind: &str,
        settings: &[(&str, toml::Value)],
        secrets: &[(&'static str, &str)],
    ) -> Arc<dyn Platform> {
        let mut values = PlatformValues::default();
        values.set("endpoint", Some(self.url.clone().into()));
        values.set("requests_per_second", Some(0.0.into()));
        for (name, value) in settings {
            values.set(name, Some(value.clone()));
        }
        let secrets: Vec<_> = secrets.iter().map(|(name, text)| (*name, (*text).into())).collect();
        let opening = Opening {
            told: Told::new(kind.parse().unwrap(), Some(&values)),
            secrets: &secrets,
            ca_file: None,
            folder: PathBuf::new(),
            resolve: Vec::new(),
            ledger: None,
            fields: Vec::new(),
            clock: Arc::<LeapClock>::clone(&self.clock),
        };
        let platform = open(&opening).unwrap();
        platform.lend(Arc::new(Memory::default()));
        platform
    }
}

/// Notes that last as long as a test.
#[derive(Default)]
struct Memory(Mutex<HashMap<(String, RecordId), String>>);

#[async_trait]
impl Notes for Memory {
    async fn take(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Option<String>>, PortError> {
        let held = self.0.lock().unwrap();
        Ok(ids.iter().map(|id| held.get(&(object.to_owned(), id.clone())).cloned()).collect())
    }

    async fn keep(&self, object: &str, notes: Vec<(RecordId, String)>) -> Result<(), PortError> {
        let notes = notes.into_iter().map(|(id, note)| ((object.to_owned(), id), note));
        self.0.lock().unwrap().extend(notes);
        Ok(())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a row's value is always optional")]
fn text(text: &str) -> Option<Held> {
    Some(text.into())
}

fn scan_of(object: &str, fields: &[&str]) -> ScanRequest {
    ScanRequest { object: object.into(), selection: Selection::new(fields), criteria: None, mark: None }
}

/// Everything, page by page.
async fn scanned(platform: &dyn Platform, object: &str, fields: &[&str]) -> Result<Vec<Page>, PortError> {
    let mut request = scan_of(object, fields);
    let mut pages = Vec::new();
    loop {
        let page = platform.scan(&request).await?;
        request.mark.clone_from(&page.next);
        pages.push(page);
        if request.mark.is_none() {
            return Ok(pages);
        }
    }
}

/// What changed since a second, as far as one answer tells.
async fn changed(source: &(impl Source + ?Sized), object: &str, fields: &[&str], cursor: Value) -> Page {
    let request = FeedRequest {
        object: object.into(),
        selection: Selection::new(fields),
        cursor: Cursor(cursor.to_string()),
        mark: None,
        flag: None,
    };
    source.changes(&[request]).await.unwrap().remove(0)
}

/// The second that the cursors of the tests begin with, 2026-11-20 10:00:00.
fn since() -> Value {
    json!({"since": 1_795_168_800})
}

/// Writes one row and tells what became of it.
async fn wrote(
    platform: &dyn Platform,
    object: &str,
    kind: WriteKind,
    id: Option<&str>,
    fields: &[&str],
    values: Vec<Option<Held>>,
) -> RowResult {
    let batch = WriteBatch {
        object: object.into(),
        kind,
        selection: Selection::new(fields),
        rows: vec![WriteRow { id: id.map(RecordId::from), values, key: Vec::new() }],
        read_back: Selection::new(fields),
        mark: None,
        consent: Vec::new(),
        effects: SideEffects::default(),
    };
    match platform.write(&batch).await.unwrap() {
        Written::Rows(mut rows) => rows.remove(0),
        Written::Accepted(job) | Written::Prepared(job) => panic!("{job:?}"),
    }
}
