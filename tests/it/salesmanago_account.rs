//! An emulated SALESmanago account on loopback, and a client that speaks to it on a clock of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::State;
use axum::http::header;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use forcesync::connect::http::http_date;
use forcesync::connect::platform::salesmanago::{
    CONTACT, Salesmanago, SalesmanagoSecrets, SalesmanagoSettings,
};
use forcesync::domain::clock::Clock;
use forcesync::domain::mapping::SideEffects;
use forcesync::domain::port::{RowResult, ScanRequest, Sink, WriteBatch, WriteKind, WriteRow, Written};
use forcesync::domain::record::{RecordId, Selection};
use forcesync::domain::value::Value;
use forcesync::sandbox::calls::CallLog;
use forcesync::sandbox::clock::SandboxClock;
use forcesync::sandbox::faults::{FaultPlan, Layer, Side, strike};
use forcesync::sandbox::platform::salesmanago::{NewContact, Salesmanago as Emulator, SalesmanagoOptions};

/// A clock that never waits: sleeping moves it.
pub struct LeapClock {
    start: DateTime<Utc>,
    slept: Mutex<TimeDelta>,
}

impl LeapClock {
    pub fn at(start: DateTime<Utc>) -> Self {
        Self { start, slept: Mutex::default() }
    }

    pub fn slept(&self) -> TimeDelta {
        *self.slept.lock().unwrap()
    }
}

#[async_trait]
impl Clock for LeapClock {
    fn now(&self) -> DateTime<Utc> {
        self.start + self.slept()
    }

    async fn sleep(&self, duration: Duration) {
        *self.slept.lock().unwrap() += TimeDelta::from_std(duration).unwrap();
        tokio::task::yield_now().await;
    }
}

async fn dated(State(clock): State<Arc<SandboxClock>>, mut response: Response) -> Response {
    let now = DateTime::from_timestamp_millis(clock.now_ms()).unwrap();
    response.headers_mut().insert(header::DATE, http_date(now).parse().unwrap());
    response
}

/// The account, its log of calls, its faults.
pub struct Account {
    pub emulator: Arc<Emulator>,
    pub calls: Arc<CallLog>,
    pub faults: Arc<FaultPlan>,
    pub clock: Arc<LeapClock>,
    /// The account's own time; answers are dated by it.
    pub server_clock: Arc<SandboxClock>,
    pub url: String,
}

impl Account {
    pub async fn start() -> Self {
        Self::start_with(SalesmanagoOptions::default()).await
    }

    pub async fn start_with(options: SalesmanagoOptions) -> Self {
        let clock = Arc::new(SandboxClock::new());
        let emulator = Emulator::new(options, Arc::clone(&clock));
        let (calls, faults) = (Arc::new(CallLog::default()), Arc::new(FaultPlan::default()));
        let layer = Layer {
            side: Side::Platform,
            faults: Arc::clone(&faults),
            calls: Arc::clone(&calls),
            clock: Arc::clone(&clock),
        };
        let router = emulator
            .router()
            .layer(axum::middleware::from_fn_with_state(Arc::new(layer), strike))
            .layer(axum::middleware::map_response_with_state(Arc::clone(&clock), dated));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let start = DateTime::from_timestamp_millis(clock.now_ms()).unwrap();
        let server_clock = clock;
        let clock = Arc::new(LeapClock::at(start));
        Self { emulator, calls, faults, clock, server_clock, url }
    }

    pub fn settings(&self) -> SalesmanagoSettings {
        let options = self.emulator.options();
        SalesmanagoSettings {
            endpoint: self.url.clone(),
            client_id: options.client_id.clone(),
            owner: options.users[0].clone(),
            requests_per_second: 0.0,
            seed: Some(1),
            ..SalesmanagoSettings::default()
        }
    }

    pub fn secrets(&self) -> SalesmanagoSecrets {
        SalesmanagoSecrets { api_secret: self.emulator.options().api_secret.clone().into() }
    }

    pub fn client(&self) -> Salesmanago {
        self.client_with(self.settings())
    }

    pub fn client_with(&self, settings: SalesmanagoSettings) -> Salesmanago {
        Salesmanago::connect(settings, &self.secrets(), Arc::<LeapClock>::clone(&self.clock)).unwrap()
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// A contact that was last changed at a moment.
    pub fn seed(&self, email: &str, modified_on: i64) -> RecordId {
        self.seed_contact(NewContact {
            email: email.into(),
            created_on: modified_on,
            modified_on,
            ..NewContact::default()
        })
    }

    pub fn seed_contact(&self, contact: NewContact) -> RecordId {
        RecordId::new(self.emulator.seed_contact(contact))
    }

    /// How often a path was called.
    pub fn called(&self, path: &str) -> u64 {
        self.emulated_calls().by_path.get(&format!("POST /api/{path}")).copied().unwrap_or_default()
    }

    pub fn emulated_calls(&self) -> forcesync::sandbox::calls::Counts {
        self.calls.counts(Side::Platform)
    }
}

pub fn names(names: &[&str]) -> Selection {
    Selection::new(names)
}

pub fn scan_of(fields: &[&str]) -> ScanRequest {
    ScanRequest { object: CONTACT.into(), selection: names(fields), criteria: None, mark: None }
}

/// A row of values; `None` leaves a field alone.
pub fn row(id: Option<&RecordId>, key: &str, values: Vec<Option<Value>>) -> WriteRow {
    WriteRow { id: id.cloned(), values, key: vec![key.into()] }
}

/// A batch in which consent fields are consent pairs.
pub fn batch(kind: WriteKind, fields: &[&str], rows: Vec<WriteRow>) -> WriteBatch {
    let selection = names(fields);
    let consent = ["optedOut", "optedOutPhone"].iter().filter_map(|name| selection.position(name)).collect();
    WriteBatch {
        object: CONTACT.into(),
        kind,
        selection,
        rows,
        read_back: names(&[
            "email",
            "name",
            "company",
            "optedOut",
            "optedOutPhone",
            "details.SF_Title",
            "tags",
        ]),
        mark: Some("externalId".into()),
        consent,
        effects: SideEffects::default(),
    }
}

pub async fn written(client: &Salesmanago, batch: &WriteBatch) -> Vec<RowResult> {
    match client.write(batch).await.unwrap() {
        Written::Rows(rows) => rows,
        Written::Accepted(job) | Written::Prepared(job) => panic!("{job:?}"),
    }
}

/// The id and the read-back values of a row that was done.
pub fn done(result: &RowResult) -> (RecordId, bool, Vec<Option<Value>>) {
    match result {
        RowResult::Done { id, created, record: Some(record) } => {
            (id.clone(), *created, record.values.clone())
        }
        other => panic!("{other:?}"),
    }
}

/// The code and the words of a row that was refused.
pub fn refused(result: &RowResult) -> (String, String) {
    match result {
        RowResult::Refused(error) => (error.code.clone(), error.message.clone()),
        other => panic!("{other:?}"),
    }
}
