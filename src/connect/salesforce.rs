//! The Salesforce org: sign-in, describe, queries, changes, writes.
//!
//! [`Salesforce`] is the whole connection and implements both ports. Behind it, `session` is the one door through which every
//! call goes (it signs in, repeats what is safe to repeat and keeps an eye on the API budget), `soql` writes queries, `rows` reads
//! their records without building a tree of JSON, and each other file does the one thing that it is named after.

mod bulk;
mod changes;
mod collections;
mod composite;
mod convert;
mod describe;
mod errors;
mod fates;
mod find;
pub(crate) mod id;
mod identity;
mod limits;
mod look;
pub mod metadata;
mod query;
mod read;
mod refresh_tokens;
mod rights;
mod rows;
mod session;
mod settings;
mod sign_in;
mod soql;
mod undelete;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use describe::{CachedSchema, parse_describe};
pub use errors::{port_class, row_class};
pub use id::full_id;
pub use identity::OrgIdentity;
pub use limits::ApiBudget;
pub use refresh_tokens::{RefreshTokens, Turn};
pub use rights::ObjectRights;
pub use settings::{Environment, SalesforceSecrets, SalesforceSettings, SignIn};
pub use sign_in::browser::{Approved, BrowserSignIn, Returned};

use crate::connect::budget::Budget;
use crate::connect::http::Http;
use crate::domain::clock::Clock;
use crate::domain::cost::{self, Choice, Task, Way, Workload};
use crate::domain::criteria::Criteria;
use crate::domain::port::{
    Addressing, Capabilities, ConsentDefault, Cursor, FeedRequest, Finder, Job, Late, Mark, Page, PortClass,
    PortError, RowResult, ScanRequest, Sink, Source, Stamps, Tombstone, WriteBatch, WriteKind, Written,
};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::{ObjectEntry, ObjectSchema};
use changes::Changes;
use describe::Schemas;
use session::Door;

/// Most ids that one read call takes.
const READ_BATCH: usize = 2000;
/// Most rows that one write call takes.
const WRITE_BATCH: usize = 200;

/// Objects that are scanned side by side: so many connections stay free for what else goes on (facts/salesforce.md §4.3).
const SCANS: usize = 3;

/// A connection to one org. Lazy: it signs in at its first call.
#[derive(Debug)]
pub struct Salesforce {
    door: Arc<Door>,
    schemas: Schemas,
    changes: Changes,
    reads: bulk::Reads,
    settle: Duration,
}

impl Salesforce {
    /// Prepares the connection; nothing is sent yet, so only settings that can't work at all are refused here.
    pub fn connect(
        settings: SalesforceSettings,
        secrets: SalesforceSecrets,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let http = Http::new(&settings.http_options(), clock).map_err(|error| errors::from_http(&error))?;
        let settle = settings.settle;
        let freshness = settings.schema_freshness;
        Ok(Self {
            door: Arc::new(Door::new(http, settings, secrets)?),
            schemas: Schemas::new(freshness),
            changes: Changes::default(),
            reads: bulk::Reads::default(),
            settle,
        })
    }

    /// Signs in now, whatever was remembered, and says who and where we are.
    pub async fn sign_in(&self) -> Result<OrgIdentity, PortError> {
        self.door.sign_in_anew().await?;
        identity::read(&self.door).await
    }

    /// Who and where we are, on the session that there is.
    pub async fn identity(&self) -> Result<OrgIdentity, PortError> {
        identity::read(&self.door).await
    }

    /// What this user may do with these objects, and whether all of their records can be seen. Costs up to three calls.
    pub async fn rights(&self, objects: &[String]) -> Result<Vec<ObjectRights>, PortError> {
        rights::read(&self.door, &self.schemas, objects).await
    }

    /// API calls used in the last 24 hours and allowed, by all users of the org together, as the last reply told.
    pub fn api_budget(&self) -> Option<(u64, u64)> {
        self.door.budget().last_told().map(|(used, limit, _)| (used, limit))
    }

    /// What limits the calls to this org.
    pub fn budget(&self) -> &Budget {
        self.door.budget()
    }

    /// Asks the org for its daily limit; for a budget that is not known yet or old.
    pub async fn ask_api_budget(&self) -> Result<ApiBudget, PortError> {
        limits::ask(&self.door).await
    }

    /// The describes read so far, to be kept between processes.
    pub fn schema_cache(&self) -> Vec<CachedSchema> {
        self.schemas.export()
    }

    /// Takes over describes kept from an earlier process; they are asked for again only if they changed.
    pub fn preload_schemas(&self, kept: Vec<CachedSchema>) {
        self.schemas.import(kept);
    }

    /// Whether a read failed because a field or object went away since its describe. The describe is renewed then, so that the same
    /// read leaves out what is gone and brings the rest.
    async fn was_out_of_date<T: Sync>(&self, outcome: &Result<T, PortError>, objects: &[&str]) -> bool {
        if !outcome.as_ref().is_err_and(errors::is_about_schema) {
            return false;
        }
        let before = self.schemas.export();
        self.schemas.distrust();
        let objects: Vec<String> = objects.iter().map(|object| (*object).to_owned()).collect();
        self.schemas.describe(&self.door, &objects).await.is_ok() && !self.schemas.says_the_same(&before)
    }

    /// Makes objects and fields in the org and gives our user the right to them; the full names of what was made.
    pub async fn deploy(
        &self,
        wanted: &[metadata::Wanted<'_>],
        label: &str,
    ) -> Result<Vec<String>, PortError> {
        let made = metadata::deploy(&self.door, wanted, label).await?;
        self.schemas.distrust();
        Ok(made)
    }

    /// The objects that this user can query, by the org's own list. One call.
    pub async fn objects(&self) -> Result<Vec<ObjectEntry>, PortError> {
        look::objects(&self.door).await
    }

    /// A few records of an object, the ones that were changed last. One call.
    pub async fn some(
        &self,
        object: &str,
        selection: &Selection,
        most: usize,
    ) -> Result<Vec<Record>, PortError> {
        look::some(&self.door, &self.schemas, object, selection, None, most).await
    }

    /// The records that were changed last among those that meet the criteria as far as the org can test them, at most a page of them.
    /// One call.
    pub async fn recent(
        &self,
        object: &str,
        selection: &Selection,
        criteria: Option<&Criteria>,
        most: usize,
    ) -> Result<Vec<Record>, PortError> {
        look::some(&self.door, &self.schemas, object, selection, criteria, most).await
    }
}

#[async_trait]
impl Source for Salesforce {
    fn capabilities(&self, object: &str) -> Capabilities {
        Capabilities {
            stamps: Stamps::Seconds,
            author: true,
            tombstones: self.schemas.tells_deletions(object),
            settle: self.settle,
            addressing: Addressing::ById,
            read_batch: READ_BATCH,
            write_batch: WRITE_BATCH,
            consent_default: ConsentDefault::Unknown,
        }
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        self.schemas.describe(&self.door, objects).await
    }

    fn distrust_descriptions(&self) {
        self.schemas.distrust();
    }

    fn scans_at_once(&self) -> usize {
        SCANS
    }

    fn foresee(&self, work: &Workload) -> Option<Choice> {
        Some(cost::choose(&self.door.settings().rates, *work))
    }

    async fn forsake(&self, mark: &Mark) {
        if bulk::Reads::knows(mark) {
            self.reads.forsake(&self.door, mark).await;
        }
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        let outcome = query::scan(&self.door, &self.schemas, self.settle, &self.reads, request).await;
        if self.was_out_of_date(&outcome, &[request.object.as_str()]).await {
            return query::scan(&self.door, &self.schemas, self.settle, &self.reads, request).await;
        }
        outcome
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        let objects: Vec<&str> = requests.iter().map(|request| request.object.as_str()).collect();
        let mut outcome = self.changes.read(&self.door, &self.schemas, self.settle, requests).await;
        if outcome.as_ref().is_err_and(|error| error.class == PortClass::CursorLost) {
            // The refusal told the org's time, by which it is known how far back may be asked.
            outcome = self.changes.read(&self.door, &self.schemas, self.settle, requests).await;
        }
        if self.was_out_of_date(&outcome, &objects).await {
            return self.changes.read(&self.door, &self.schemas, self.settle, requests).await;
        }
        outcome
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let outcome = read::by_ids(&self.door, &self.schemas, object, selection, ids).await;
        if self.was_out_of_date(&outcome, &[object]).await {
            return read::by_ids(&self.door, &self.schemas, object, selection, ids).await;
        }
        outcome
    }

    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        fates::read(&self.door, &self.schemas, object, ids).await
    }

    async fn count(&self, object: &str, criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        query::count(&self.door, &self.schemas, object, criteria).await
    }

    fn calls_of_the_day(&self) -> Option<(u64, u64)> {
        self.api_budget()
    }

    async fn us(&self) -> Result<Option<String>, PortError> {
        Ok(Some(self.door.ids().await?.1.to_string()))
    }

    fn cursor_at(&self, _object: &str, moment: chrono::DateTime<chrono::Utc>) -> Option<Cursor> {
        Some(query::Position { since: moment }.to_cursor())
    }

    fn calls(&self) -> u64 {
        self.door.calls()
    }
}

#[async_trait]
impl Sink for Salesforce {
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        if self.rows_of_a_job(batch, batch.rows.len()).is_some()
            && let Some(job) = bulk::prepare(&self.door, &self.schemas, batch).await?
        {
            return Ok(Written::Prepared(job));
        }
        let outcome = collections::write(&self.door, &self.schemas, batch).await;
        if outcome.as_ref().is_err_and(errors::is_about_schema) {
            // Not sent again: whoever decided these values has to look at the new describe first.
            self.schemas.distrust();
        }
        outcome.map(Written::Rows)
    }

    async fn poll(&self, job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        Err(PortError::new(
            PortClass::Protocol,
            "UNKNOWN_JOB",
            format!(
                "The org has no job {}: writes to it are answered at once, so nothing is left to ask for.",
                job.0
            ),
        ))
    }

    fn keeps_deleted(&self) -> bool {
        true
    }

    async fn undelete(&self, _object: &str, ids: &[RecordId]) -> Result<Vec<RowResult>, PortError> {
        undelete::undelete(&self.door, ids).await
    }

    fn rows_of_a_job(&self, batch: &WriteBatch, rows: usize) -> Option<usize> {
        let task = if batch.kind == WriteKind::Delete { Task::Delete } else { Task::Write };
        let rates = &self.door.settings().rates;
        let choice = cost::choose(rates, Workload { task, rows: rows as u64 });
        (choice.way == Way::Job && bulk::fits(batch))
            .then(|| usize::try_from(rates.job_rows).unwrap_or(usize::MAX))
    }

    fn calls_to_write(&self, batch: &WriteBatch) -> u64 {
        batch.rows.len().div_ceil(WRITE_BATCH) as u64
    }

    async fn carry_out(&self, job: &Job, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        let outcome = bulk::carry_out(&self.door, &self.schemas, job, batch).await;
        if outcome.as_ref().is_err_and(errors::is_about_schema) {
            self.schemas.distrust();
        }
        outcome
    }

    async fn conclude(&self, job: &Job, late: Late) -> Result<(), PortError> {
        bulk::conclude(&self.door, job, late).await
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        let outcome = find::find(&self.door, &self.schemas, object, selection, by).await;
        if self.was_out_of_date(&outcome, &[object]).await {
            return find::find(&self.door, &self.schemas, object, selection, by).await;
        }
        outcome
    }
}
