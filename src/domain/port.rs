//! The ports: how the engine reads and writes a side without knowing which service it is.
//!
//! A side implements [`Source`] and [`Sink`]; its [`Capabilities`] are data, not code paths in the engine.

pub mod layer;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::cost::{Choice, Workload};
use crate::domain::criteria::Criteria;
use crate::domain::mapping::SideEffects;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::ObjectSchema;
use crate::domain::value::Value;

/// How far a feed has been read; only its side understands it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// A place inside a backlog (page, key, slice, job and locator); only its side understands it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(pub String);

/// What a side can do with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether records carry the moment of their last change, and how fine.
    pub stamps: Stamps,
    /// Whether a record says who changed it last.
    pub author: bool,
    /// Whether deletions are told.
    pub tombstones: bool,
    /// How long after its stamp a change may become visible; the overlap of cursors (law E4).
    pub settle: Duration,
    /// How updates name their target.
    pub addressing: Addressing,
    /// Most ids a single read takes.
    pub read_batch: usize,
    /// Most rows a single write takes.
    pub write_batch: usize,
    /// What consent a record has that was created without one.
    pub consent_default: ConsentDefault,
}

/// How fine the stamps of a side are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    /// To the second or better.
    Seconds,
    /// To the day.
    Days,
    /// None at all.
    Absent,
}

impl Stamps {
    /// Whether two changes shortly after one another have different stamps.
    pub fn are_fine(self) -> bool {
        self == Self::Seconds
    }

    /// How long after its stamp a record may have been changed and still carry that stamp.
    pub fn grain(self) -> chrono::TimeDelta {
        match self {
            Self::Seconds => chrono::TimeDelta::seconds(1),
            Self::Days => chrono::TimeDelta::days(1),
            Self::Absent => chrono::TimeDelta::zero(),
        }
    }
}

/// How updates name their target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// By the record's id.
    ById,
    /// By the key alone; the id that comes back must be the linked one.
    ByKey,
}

/// What consent a record has that was created without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentDefault {
    /// Opted out, or waiting for a confirmation.
    No,
    /// Opted in; a mapping without a consent pair can't be saved.
    Yes,
    /// Unknown.
    Unknown,
}

/// What to read from the start of an object.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// The object.
    pub object: String,
    /// The fields.
    pub selection: Selection,
    /// Narrows the read where the side can; the engine tests again.
    pub criteria: Option<Criteria>,
    /// Where to go on.
    pub mark: Option<Mark>,
}

/// What to read of an object since a cursor.
#[derive(Clone, Debug)]
pub struct FeedRequest {
    /// The object.
    pub object: String,
    /// The fields.
    pub selection: Selection,
    /// Where the last complete read ended.
    pub cursor: Cursor,
    /// Where to go on inside a backlog.
    pub mark: Option<Mark>,
    /// A tick box that is the queue: the records that have it are read, whenever they changed; deletions still come since the
    /// cursor (law E15).
    pub flag: Option<String>,
}

/// One page of a scan or a feed.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The records, in the side's order; a record may come twice.
    pub records: Vec<Record>,
    /// Records that are gone.
    pub tombstones: Vec<Tombstone>,
    /// Whether the cursor is older than the side remembers deletions, so that some may be missing here.
    pub deletions_missed: bool,
    /// Whether this read brings every record there is, so that linked ones that it does not bring have to be asked for.
    pub whole: bool,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Mark>,
    /// The cursor to keep once every page of this read is pending or done: the server's clock at the start of the first page,
    /// less the overlap. Only on the first page of a read.
    pub cursor: Option<Cursor>,
    /// How many records the whole read will bring, where the side says so on the first page.
    pub total: Option<u64>,
    /// A sentence for the run's log: which way the side chose to read, and what that is expected to cost.
    pub told: Option<String>,
}

/// A record that was deleted, or merged into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The record that is gone.
    pub id: RecordId,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// The record that it was merged into.
    pub merged_into: Option<RecordId>,
}

/// Reads a side.
#[async_trait]
pub trait Source: Send + Sync {
    /// What the side can do with an object.
    fn capabilities(&self, object: &str) -> Capabilities;

    /// The fields of these objects; an object that this user can't see is left out.
    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError>;

    /// Makes the next [`Source::describe`] ask the service, where descriptions are remembered.
    fn distrust_descriptions(&self) {}

    /// What a piece of work would cost, and by which way; `None` where there is one way only.
    fn foresee(&self, _work: &Workload) -> Option<Choice> {
        None
    }

    /// The calls of the day as the last answer told them: used, and the limit; `None` where the side does not tell.
    fn calls_of_the_day(&self) -> Option<(u64, u64)> {
        None
    }

    /// Lets go of a place in a backlog from which nobody will go on, so that nothing is left behind in the service.
    async fn forsake(&self, _mark: &Mark) {}

    /// How many objects may be scanned side by side.
    fn scans_at_once(&self) -> usize {
        1
    }

    /// Everything, page by page.
    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError>;

    /// What changed, for several objects in as few calls as the side allows; answers in the order of the requests.
    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError>;

    /// These records as they are now; one that is gone or invisible is left out. Any number of ids.
    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError>;

    /// The same for records that are decided later in this run, when [`Source::settle`] tells what can't be told yet.
    async fn read_early(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        self.read(object, selection, ids).await
    }

    /// Which of these records are gone for certain. What can't be read is not gone for that: it may be hidden.
    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError>;

    /// How many records meet the criteria, where the side can tell cheaply.
    async fn count(&self, object: &str, criteria: Option<&Criteria>) -> Result<Option<u64>, PortError>;

    /// The cursor of a feed from which on the changes since a moment are read; nothing where the side knows no moments (F57).
    fn cursor_at(&self, _object: &str, _moment: DateTime<Utc>) -> Option<Cursor> {
        None
    }

    /// Who we are on this side, as [`Record::author`] would name us; nothing where nobody knows.
    async fn us(&self) -> Result<Option<String>, PortError> {
        Ok(None)
    }

    /// Turns what could not be told at the time of the read, such as the counterpart of a record that was created since, into values
    /// of this run; what can't be told yet becomes a field that was not returned.
    async fn settle(
        &self,
        _object: &str,
        _selection: &Selection,
        _records: &mut [Record],
    ) -> Result<(), PortError> {
        Ok(())
    }

    /// Whether a scan brings every record. Where it does not, records of the other side are looked up one by one before they are made.
    fn lists(&self, _object: &str) -> bool {
        true
    }

    /// Calls spent so far by this connection.
    fn calls(&self) -> u64;
}

/// What a side wants to remember of its records from one run to the next, because the service can't be asked for it again.
#[async_trait]
pub trait Notes: Send + Sync {
    /// What was kept of these, in their order.
    async fn take(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Option<String>>, PortError>;

    /// Keeps these, in place of what was kept before.
    async fn keep(&self, object: &str, notes: Vec<(RecordId, String)>) -> Result<(), PortError>;
}

/// Rows of one kind for one object.
#[derive(Clone, Debug)]
pub struct WriteBatch {
    /// The object.
    pub object: String,
    /// What is done with the rows.
    pub kind: WriteKind,
    /// The fields of the rows' values.
    pub selection: Selection,
    /// The rows, at most [`Capabilities::write_batch`].
    pub rows: Vec<WriteRow>,
    /// The fields to hand back as the target holds them afterwards.
    pub read_back: Selection,
    /// The field that carries the other side's id on creates, already part of the values.
    pub mark: Option<String>,
    /// Which pairs of the values are consent: positions in `selection`.
    pub consent: Vec<usize>,
    /// What the write may set off.
    pub effects: SideEffects,
}

/// What is done with the rows of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteKind {
    /// New records; by upsert on the mark where there is one.
    Create,
    /// Changes of records whose ids are known.
    Update,
    /// Deletion to where the side keeps deleted records.
    Delete,
}

/// One row of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteRow {
    /// The target's id; `None` on create.
    pub id: Option<RecordId>,
    /// In the order of the batch's selection; `None` leaves a field alone, `Some(Null)` blanks it.
    pub values: Vec<Option<Value>>,
    /// The key by which a side without ids addresses the record: values of the mapping's key fields.
    pub key: Vec<Value>,
}

/// What became of a row.
#[derive(Clone, Debug)]
pub enum RowResult {
    /// Done; the record as the target holds it now, where the write handed it back.
    Done {
        /// The id on the target.
        id: RecordId,
        /// Whether it is new.
        created: bool,
        /// The record as it stands now, in the order of [`WriteBatch::read_back`].
        record: Option<Record>,
    },
    /// Refused.
    Refused(RowError),
    /// Nobody knows: the connection broke after the row was sent.
    Unknown,
}

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The remote's own code, such as `REQUIRED_FIELD_MISSING`.
    pub code: String,
    /// The remote's own words.
    pub message: String,
    /// The fields it names.
    pub fields: Vec<String>,
    /// What to do about it.
    pub class: RowClass,
}

/// What to do about a refused row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowClass {
    /// The values are wrong; only another value or mapping helps.
    Data,
    /// Try this row again later in the run (a lock, a time-out).
    Again,
    /// The target is gone.
    Gone,
    /// A limit was reached.
    Limit,
    /// A right is missing.
    Permission,
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub enum Written {
    /// A result for each row, in their order.
    Rows(Vec<RowResult>),
    /// Taken over for later; ask again by [`Sink::poll`].
    Accepted(Job),
    /// A job is made ready and nothing is sent yet: once the job is journalled, [`Sink::carry_out`] does the work.
    Prepared(Job),
}

/// A job of the remote that is still at work; only its side understands it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Job(pub String);

/// How to look for records without knowing their ids.
#[derive(Clone, Debug)]
pub enum Finder {
    /// Records whose field holds one of these values (a key of one field, or a mark).
    Field {
        /// The field.
        field: String,
        /// The values.
        values: Vec<Value>,
    },
    /// Records whose fields hold one of these rows of values (a key of several fields).
    Fields {
        /// The fields.
        fields: Vec<String>,
        /// Rows of values.
        rows: Vec<Vec<Value>>,
    },
    /// Records that our own user created since a moment, for outcomes nobody knows (law E6).
    CreatedByUs {
        /// Since when, on the engine's clock.
        since: DateTime<Utc>,
    },
}

/// Writes a side.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Sends one batch. An `Err` means that nothing was done; a row that may or may not have been done is
    /// [`RowResult::Unknown`].
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError>;

    /// Asks for a job; `None` while it is still at work.
    async fn poll(&self, job: &Job) -> Result<Option<Vec<RowResult>>, PortError>;

    /// Whether deleted records are kept for a while, so that they can be brought back.
    fn keeps_deleted(&self) -> bool {
        false
    }

    /// Brings deleted records back; one answer an id, in their order. Where nothing is kept, every one is refused.
    async fn undelete(&self, object: &str, ids: &[RecordId]) -> Result<Vec<RowResult>, PortError> {
        let refused = RowError {
            code: "NOT_KEPT".into(),
            message: format!("deleted records of {object} are not kept"),
            fields: Vec::new(),
            class: RowClass::Gone,
        };
        Ok(ids.iter().map(|_| RowResult::Refused(refused.clone())).collect())
    }

    /// How many rows go into one job at most, where so many rows of this kind are better sent by jobs than by calls. The batch
    /// tells what it is about; its rows do not count.
    fn rows_of_a_job(&self, _batch: &WriteBatch, _rows: usize) -> Option<usize> {
        None
    }

    /// How many calls it takes to write a batch without a job and to read it back, if nothing goes wrong.
    fn calls_to_write(&self, _batch: &WriteBatch) -> u64 {
        1
    }

    /// Carries out a prepared job with the batch that it was prepared for, to its end. An `Err` means that nothing was done.
    async fn carry_out(&self, job: &Job, _batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        Err(no_such_job(job))
    }

    /// Sees to a prepared job that an interrupted run left: when this returns, nothing of it is at work any more. What was
    /// uploaded but not begun is begun if `late` says that its values still count, and given up if not.
    async fn conclude(&self, job: &Job, _late: Late) -> Result<(), PortError> {
        Err(no_such_job(job))
    }

    /// Looks for records; values compare as the side compares them.
    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError>;

    /// The same for records that are decided later in this run, as with [`Source::read_early`].
    async fn find_early(
        &self,
        object: &str,
        selection: &Selection,
        by: &Finder,
    ) -> Result<Vec<Record>, PortError> {
        self.find(object, selection, by).await
    }
}

fn no_such_job(job: &Job) -> PortError {
    PortError::new(
        PortClass::Protocol,
        "UNKNOWN_JOB",
        format!("There is no job {}: this side answers writes at once.", job.0),
    )
}

/// Whether a job that was made ready before an interruption may still begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// It was decided so shortly ago that its values still count.
    StillCounts,
    /// People may have edited since; its rows are decided anew.
    TooLate,
}

/// Both halves of a side.
pub trait Endpoint: Source + Sink {}

impl<T: Source + Sink> Endpoint for T {}

/// Why a call did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    /// What to do about it.
    pub class: PortClass,
    /// The remote's own code, or ours.
    pub code: String,
    /// A sentence: what happened, where, and what to do next.
    pub message: String,
}

impl PortError {
    /// An error of a class.
    pub fn new(class: PortClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class, code: code.into(), message: message.into() }
    }
}

/// What to do about a call that did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortClass {
    /// Passing trouble that outlived the retries: no network, 503, a lock. The run fails; the next one may work.
    Transient,
    /// The sign-in is refused; trying again could lock the account.
    SignIn,
    /// A right is missing, the API is disabled, or the account is locked.
    Blocked,
    /// The call quota is used up; the rest waits.
    Limit,
    /// The place in a backlog is lost; read again from the cursor.
    MarkLost,
    /// The cursor is too old for the side; everything has to be read again.
    CursorLost,
    /// The request itself is wrong: a field or object is gone, or the settings are.
    Settings,
    /// An answer that makes no sense.
    Protocol,
}
