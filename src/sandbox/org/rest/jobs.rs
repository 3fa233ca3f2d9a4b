//! Bulk API 2.0: jobs that read or write many rows as CSV. A job's work is done when it is first looked at after its
//! time has come; until then it waits and runs, as far as clients can tell.

mod csv_rows;
mod ingest;
mod results;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};

use super::Api;
use super::reply::{Body, Call, Reply};
use crate::sandbox::org::ids;
use crate::sandbox::org::moment::{self, DAY_MS};
use crate::sandbox::org::soql::bind::Bound;
use crate::sandbox::org::soql::{bind_for_bulk, execute};
use crate::sandbox::org::table::Reach;
use csv_rows::Dialect;

/// How long a job and its results are kept.
const KEPT_MS: i64 = 7 * DAY_MS;
/// Rows of a page of results when the client does not say.
const PAGE: usize = 50_000;
/// Links to pages in one answer.
const LINKS: usize = 5;
/// How often a job that broke off was tried, as it says itself.
const RETRIES: u32 = 20;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    UploadComplete,
    InProgress,
    Aborted,
    JobComplete,
    Failed,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
            Self::InProgress => "InProgress",
            Self::Aborted => "Aborted",
            Self::JobComplete => "JobComplete",
            Self::Failed => "Failed",
        }
    }

    fn is_final(self) -> bool {
        match self {
            Self::Aborted | Self::JobComplete | Self::Failed => true,
            Self::Open | Self::UploadComplete | Self::InProgress => false,
        }
    }
}

/// What a job does.
enum Work {
    Query { bound: Box<Bound>, reach: Reach, places: Vec<u32> },
    Ingest(ingest::Ingest),
}

/// One job.
struct Job {
    id: String,
    operation: String,
    object: String,
    user: String,
    version: String,
    dialect: Dialect,
    created: i64,
    /// When the work is done; set when the job is complete on the client's side.
    ready_at: i64,
    state: State,
    error: Option<String>,
    processed: usize,
    failed: usize,
    work: Work,
}

/// All jobs of the org.
#[derive(Default)]
pub(in crate::sandbox::org) struct Jobs {
    all: BTreeMap<String, Arc<Mutex<Job>>>,
    minted: u32,
    /// How long a job takes, in milliseconds of the org's time.
    pub(in crate::sandbox::org) takes_ms: i64,
    /// After how many rows a job that writes breaks off.
    pub(in crate::sandbox::org) break_after: Option<usize>,
    /// Rows on a page of results when the client does not say.
    pub(in crate::sandbox::org) page_rows: Option<usize>,
    /// How often each row that has a key was carried by a job, by object and key.
    pub(in crate::sandbox::org) carried: BTreeMap<String, u32>,
}

impl Jobs {
    /// How many jobs that write are begun and not done.
    pub(in crate::sandbox::org) fn at_work(&self) -> usize {
        let begun =
            |job: &Job| !job.is_query() && matches!(job.state, State::UploadComplete | State::InProgress);
        self.all.values().filter(|job| begun(&locked(job))).count()
    }

    /// Lets every job that is not done fail; tells how many.
    pub(in crate::sandbox::org) fn fail(&self, message: &str) -> usize {
        let mut failed = 0;
        for job in self.all.values() {
            let mut job = locked(job);
            if !job.state.is_final() {
                job.state = State::Failed;
                job.error = Some(message.to_owned());
                failed += 1;
            }
        }
        failed
    }
}

fn refuse(code: &str, message: &str) -> Reply {
    Reply::error(400, code, message)
}

fn locked(job: &Mutex<Job>) -> std::sync::MutexGuard<'_, Job> {
    job.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Job {
    fn info(&self) -> Value {
        let mut info = json!({
            "id": self.id, "operation": self.operation, "object": self.object, "createdById": self.user,
            "createdDate": moment::moment_text(self.created), "systemModstamp": moment::moment_text(self.ready_at.max(self.created)),
            "state": self.state.word(), "concurrencyMode": "Parallel", "contentType": "CSV",
            "apiVersion": self.version.parse::<f64>().unwrap_or(67.0),
        });
        let Some(fields) = info.as_object_mut() else { return info };
        let mut add = |name: &str, value: Value| {
            fields.insert(name.to_owned(), value);
        };
        add("lineEnding", json!(self.dialect.line_ending_word()));
        add("columnDelimiter", json!(self.dialect.delimiter_word()));
        match &self.work {
            Work::Query { .. } => {
                add("jobType", json!("V2Query"));
                add("isPkChunkingSupported", json!(true));
            }
            Work::Ingest(ingest) => {
                add("jobType", json!("V2Ingest"));
                add("externalIdFieldName", json!(ingest.key_name()));
                add(
                    "contentUrl",
                    json!(format!("services/data/v{}/jobs/ingest/{}/batches", self.version, self.id)),
                );
                add("numberRecordsFailed", json!(self.failed));
                add("apiActiveProcessingTime", json!(self.processed / 20));
                add("apexProcessingTime", json!(0));
            }
        }
        add("numberRecordsProcessed", json!(self.processed));
        add("retries", json!(0));
        add("totalProcessingTime", json!(self.processed / 10));
        if let Some(error) = &self.error {
            add("errorMessage", json!(error));
        }
        info
    }

    fn is_query(&self) -> bool {
        matches!(self.work, Work::Query { .. })
    }
}

impl Api<'_> {
    pub(super) fn jobs(&mut self, call: &Call, kind: &str, rest: &[&str]) -> Reply {
        let wanted_query = kind == "query";
        if rest.is_empty() {
            return match call.method {
                Method::POST if wanted_query => self.new_query(call).unwrap_or_else(|reply| reply),
                Method::POST => self.new_ingest(call).unwrap_or_else(|reply| reply),
                Method::GET => self.list_jobs(call, wanted_query),
                _ => Reply::wrong_method(call, "GET, POST"),
            };
        }
        let id = rest.first().and_then(|id| ids::normalise(id)).unwrap_or_default();
        let found = self.org.jobs().all.get(&id).cloned();
        let Some(job) = found else {
            return Reply::error(404, "NOT_FOUND", "The requested resource does not exist");
        };
        let mut job = locked(&job);
        if job.is_query() != wanted_query || self.now - job.created > KEPT_MS {
            return Reply::error(404, "NOT_FOUND", "The requested resource does not exist");
        }
        self.advance(call, &mut job);
        let tail: Vec<String> = rest.iter().skip(1).map(|segment| segment.to_ascii_lowercase()).collect();
        let tail: Vec<&str> = tail.iter().map(String::as_str).collect();
        match (&call.method, tail.as_slice()) {
            (&Method::GET, []) => Reply::json(200, &job.info()),
            (&Method::PATCH, []) => self.patch_job(call, &mut job),
            (&Method::DELETE, []) => {
                if !job.state.is_final() && job.state != State::UploadComplete {
                    return refuse(
                        "INVALIDJOBSTATE",
                        "Deleting a job is only allowed when it is complete, failed or aborted",
                    );
                }
                self.org.jobs().all.remove(&job.id);
                Reply::empty(204)
            }
            (&Method::GET, ["results"]) if wanted_query => self.query_results(call, &job),
            (&Method::GET, ["resultpages"]) if wanted_query => self.query_result_pages(call, &job),
            (&Method::PUT, ["batches"]) if !wanted_query => Self::upload(call, &mut job),
            (&Method::GET, ["successfulresults"]) => results::successful(&job),
            (&Method::GET, ["failedresults"]) => results::failed(&job),
            (&Method::GET, ["unprocessedrecords"]) => results::unprocessed(&job),
            (_, []) => Reply::wrong_method(call, "GET, PATCH, DELETE"),
            _ => Reply::not_found(),
        }
    }

    fn list_jobs(&self, call: &Call, query: bool) -> Reply {
        let kind = if query { "V2Query" } else { "V2Ingest" };
        if call.parameter("jobType").is_some_and(|wanted| !wanted.eq_ignore_ascii_case(kind)) {
            return Reply::json(200, &json!({"done": true, "records": [], "nextRecordsUrl": null}));
        }
        let all: Vec<_> = self.org.jobs().all.values().cloned().collect();
        let records: Vec<Value> = all
            .iter()
            .map(|job| locked(job))
            .filter(|job| job.is_query() == query && self.now - job.created <= KEPT_MS)
            .map(|job| job.info())
            .collect();
        Reply::json(200, &json!({"done": true, "records": records, "nextRecordsUrl": null}))
    }

    fn add_job(&self, operation: &str, object: &str, dialect: Dialect, state: State, work: Work) -> Reply {
        let mut jobs = self.org.jobs();
        let id = ids::mint("750", jobs.minted);
        jobs.minted += 1;
        let job = Job {
            id: id.clone(),
            operation: operation.to_owned(),
            object: object.to_owned(),
            user: self.user.clone(),
            version: self.version.clone(),
            dialect,
            created: self.now,
            ready_at: self.now + jobs.takes_ms,
            state,
            error: None,
            processed: 0,
            failed: 0,
            work,
        };
        let info = job.info();
        jobs.all.insert(id, Arc::new(Mutex::new(job)));
        Reply::json(200, &info)
    }

    fn new_query(&self, call: &Call) -> Result<Reply, Reply> {
        let body = call.json()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let operation = text("operation").unwrap_or_default();
        let reach = match operation {
            "query" => Reach::Live,
            "queryAll" => Reach::WithDeleted,
            _ => return Err(refuse("INVALIDJOB", "Invalid operation; a query job has query or queryAll")),
        };
        let soql = text("query").unwrap_or_default();
        let dialect = Dialect::of(&body).map_err(|message| refuse("INVALIDJOB", &message))?;
        let (bound, object) = self.read_for(soql, |world| {
            let bound = bind_for_bulk(world)?;
            let object =
                world.schema.objects.get(bound.object).map_or_else(String::new, |shape| shape.name.clone());
            Ok::<_, crate::sandbox::org::soql::QueryError>((bound, object))
        })?;
        let work = Work::Query { bound: Box::new(bound), reach, places: Vec::new() };
        Ok(self.add_job(operation, &object, dialect, State::UploadComplete, work))
    }

    fn new_ingest(&self, call: &Call) -> Result<Reply, Reply> {
        let body = call.json()?;
        let dialect = Dialect::of(&body).map_err(|message| refuse("INVALIDJOB", &message))?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let (operation, name) = (text("operation"), text("object"));
        let Some(object) = self.rights.find_object(self.schema(), name) else {
            return Err(refuse(
                "INVALIDENTITY",
                &format!("InvalidEntity : '{name}' is not a valid sObject type"),
            ));
        };
        let ingest = ingest::Ingest::new(self, object, operation, text("externalIdFieldName"))?;
        let name = self.schema().objects.get(object).map_or("", |shape| shape.name.as_str());
        Ok(self.add_job(operation, name, dialect, State::Open, Work::Ingest(ingest)))
    }

    fn patch_job(&self, call: &Call, job: &mut Job) -> Reply {
        let state =
            call.json().ok().and_then(|body| body.get("state").and_then(Value::as_str).map(str::to_owned));
        match state.as_deref() {
            Some("UploadComplete") if job.state == State::Open => {
                job.state = State::UploadComplete;
                let rows = match &job.work {
                    Work::Ingest(ingest) => ingest.lines(),
                    Work::Query { .. } => 0,
                };
                let moving = self.org.pace.job(rows).as_millis() as i64;
                job.ready_at = self.now + self.org.jobs().takes_ms + moving;
            }
            Some("Aborted") if !job.state.is_final() => job.state = State::Aborted,
            Some(wanted) => {
                return refuse(
                    "INVALIDJOBSTATE",
                    &format!("Invalid job state transition from {} to {wanted}", job.state.word()),
                );
            }
            None => return refuse("INVALIDJOB", "The body must name a state"),
        }
        Reply::json(200, &job.info())
    }

    fn upload(call: &Call, job: &mut Job) -> Reply {
        let kind = call.header("content-type").unwrap_or_default().to_ascii_lowercase();
        if !kind.starts_with("text/csv") {
            return Reply::error(415, "UNSUPPORTED_MEDIA_TYPE", "Data of a job must be sent as text/csv");
        }
        let (Body::Bytes(bytes), Work::Ingest(ingest)) = (&call.body, &mut job.work) else {
            return Reply::not_found();
        };
        if job.state != State::Open || ingest.has_data() {
            return refuse("INVALIDJOBSTATE", "Data can be uploaded once, while the job is open");
        }
        ingest.take(bytes.to_vec());
        Reply::empty(201)
    }

    /// Does a job's work when its time has come.
    fn advance(&mut self, call: &Call, job: &mut Job) {
        if !matches!(job.state, State::UploadComplete | State::InProgress) {
            return;
        }
        if self.now < job.ready_at {
            job.state = State::InProgress;
            return;
        }
        match &mut job.work {
            Work::Query { bound, reach, places } => {
                *places = self.read(|world| execute::places(world, bound, *reach));
                job.processed = places.len();
                job.state = State::JobComplete;
            }
            Work::Ingest(ingest) => match ingest.run(self, call, job.dialect) {
                Ok((processed, failed)) => {
                    (job.processed, job.failed) = (processed, failed);
                    let whole = processed == ingest.rows.len();
                    job.state = if whole { State::JobComplete } else { State::Failed };
                    if !whole {
                        job.error =
                            Some(format!("InternalServerError : Tried {RETRIES} times and broke off"));
                    }
                }
                Err(message) => {
                    job.error = Some(message);
                    job.state = State::Failed;
                }
            },
        }
    }

    fn query_results(&self, call: &Call, job: &Job) -> Reply {
        let Work::Query { bound, reach, places } = &job.work else { return Reply::not_found() };
        if job.state != State::JobComplete {
            return Reply::empty(204);
        }
        if job.version != self.version {
            return Reply::error(
                409,
                "VERSION_MISMATCH",
                &format!("The job was made in API version {}", job.version),
            );
        }
        let from = match call.parameter("locator") {
            None => 0,
            Some(locator) => {
                let offset = STANDARD_NO_PAD
                    .decode(locator.trim_end_matches('='))
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok());
                match offset.and_then(|text| text.parse::<usize>().ok()).filter(|from| *from < places.len()) {
                    Some(from) => from,
                    None => return refuse("INVALID_QUERY_LOCATOR", "invalid query locator"),
                }
            }
        };
        let most = call
            .parameter("maxRecords")
            .and_then(|text| text.parse::<usize>().ok())
            .filter(|most| *most > 0)
            .unwrap_or_else(|| self.job_page());
        let to = from.saturating_add(most).min(places.len());
        let page = places.get(from..to).unwrap_or_default();
        self.org.pace.moved(page.len());
        let mut out = Vec::with_capacity(page.len() * 200);
        let count = self.read(|world| csv_rows::write(&mut out, world, bound, page, *reach, job.dialect));
        let locator =
            if to < places.len() { STANDARD_NO_PAD.encode(to.to_string()) } else { "null".to_owned() };
        Reply {
            headers: vec![
                ("content-type", "text/csv".to_owned()),
                ("sforce-numberofrecords", count.to_string()),
                ("sforce-locator", locator),
            ],
            ..Reply::bytes(200, out)
        }
    }

    fn job_page(&self) -> usize {
        self.org.jobs().page_rows.unwrap_or(PAGE).max(1)
    }

    /// Up to five links to pages behind the first, and where the next ones are told.
    fn query_result_pages(&self, call: &Call, job: &Job) -> Reply {
        let Work::Query { places, .. } = &job.work else { return Reply::not_found() };
        if job.state != State::JobComplete {
            return Reply::empty(204);
        }
        if job.version != self.version {
            let message = format!("The job was made in API version {}", job.version);
            return Reply::error(409, "VERSION_MISMATCH", &message);
        }
        let from = call.parameter("nextRecordsLocator").and_then(|text| text.parse::<usize>().ok());
        let from = from.unwrap_or(1).max(1);
        let path = format!("/services/data/v{}/jobs/query/{}", self.version, job.id);
        let size = self.job_page();
        let pages = places.len().div_ceil(size);
        let links: Vec<Value> = (from..pages)
            .take(LINKS)
            .map(|page| {
                let locator = STANDARD_NO_PAD.encode((page * size).to_string());
                json!({"resultUrl": format!("{path}/results?locator={locator}")})
            })
            .collect();
        let next = from + LINKS;
        let more = next < pages;
        let url =
            if more { json!(format!("{path}/resultPages?nextRecordsLocator={next}")) } else { Value::Null };
        Reply::json(200, &json!({"resultPages": links, "nextRecordsUrl": url, "done": !more}))
    }
}
