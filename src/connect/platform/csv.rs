//! A folder of CSV files as the other side: a file for each object, whose first row names the fields.
//!
//! `place` is the folder, `version` tells whether a file was written, `layout` how it is laid out and where its rows begin (`index`), `cell`
//! turns text into values and `types` says of which type. `shelf` reads, `write` works out what changes, `replace` puts a new version in
//! place and `append` adds to one.
//!
//! Everything here blocks, so that the verbs of the port run on threads of their own, one after another.

mod append;
mod cell;
mod index;
mod layout;
mod place;
mod replace;
mod shelf;
#[cfg(test)]
mod tests;
mod types;
mod version;
mod write;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Examined, Opening, Platform};
use crate::connect::budget::Budget;
use crate::domain::clock::Clock;
use crate::domain::criteria::Criteria;
use crate::domain::port::{
    Addressing, Capabilities, ConsentDefault, FeedRequest, Finder, Job, Page, PortClass, PortError,
    RowResult, ScanRequest, Sink, Source, Stamps, Tombstone, WriteBatch, Written,
};
use crate::domain::profile::Profile;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::report::Verdict;
use crate::domain::schema::ObjectSchema;
use place::Place;
use shelf::{Rules, Shelf};

/// The word of the settings file.
pub const KIND: &str = "csv";

/// A connection to one folder.
pub struct CsvFolder {
    shelf: Arc<Mutex<Shelf>>,
    profile: &'static Profile,
    complete: bool,
    clock: Arc<dyn Clock>,
    budget: Budget,
}

/// Prepares a connection; no file is opened before the first call.
pub fn open(opening: &Opening<'_>) -> Result<Arc<dyn Platform>, PortError> {
    Ok(Arc::new(CsvFolder::connect(opening)?))
}

impl CsvFolder {
    /// Prepares a connection; no file is opened before the first call.
    pub fn connect(opening: &Opening<'_>) -> Result<Self, PortError> {
        let told = &opening.told;
        let folder = told.path("folder").ok_or_else(|| {
            refused(
                PortClass::Settings,
                "SETTING_MISSING",
                "The connection to CSV files has no folder; fill it in.".into(),
            )
        })?;
        let profile = opening.profile()?;
        let complete = told.flag("complete");
        let rules = Rules {
            profile,
            id_column: told.some_text("id_column"),
            mark_column: told.some_text("mark_column").unwrap_or_else(|| "SalesforceId".into()),
            complete,
            formula_safe: told.flag("formula_safe"),
            delimiter: match told.text("delimiter").as_str() {
                "semicolon" => b';',
                "tab" => b'\t',
                _ => b',',
            },
        };
        let shelf = Shelf {
            place: Place { folder: opening.folder.join(folder) },
            rules,
            layouts: HashMap::new(),
            own: HashMap::new(),
        };
        Ok(Self {
            shelf: Arc::new(Mutex::new(shelf)),
            profile,
            complete,
            clock: Arc::clone(&opening.clock),
            budget: opening.budget(),
        })
    }

    /// Does something with the files on a thread that may wait for a disk.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Shelf, DateTime<Utc>) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let (shelf, now) = (Arc::clone(&self.shelf), self.clock.now());
        let done = tokio::task::spawn_blocking(move || {
            work(&mut shelf.lock().unwrap_or_else(PoisonError::into_inner), now)
        });
        done.await.unwrap_or_else(|error| {
            Err(refused(
                PortClass::Protocol,
                "STOPPED",
                format!("The work on the CSV files was stopped: {error}."),
            ))
        })
    }
}

#[async_trait]
impl Platform for CsvFolder {
    /// Reading a file costs no call, so that nothing is ever counted here.
    fn budget(&self) -> &Budget {
        &self.budget
    }

    async fn examine(&self) -> Result<Examined, PortError> {
        let lines = self
            .with(|shelf, _| {
                let lines = shelf::told(shelf)?;
                // Whoever may not write here should know it before the first run.
                drop(shelf.place.lock()?);
                Ok(lines)
            })
            .await?;
        let mut examined = Examined::default();
        if lines.is_empty() {
            examined.line(
                Verdict::Warning,
                "The folder holds no CSV files yet; they are made when records are written.",
                Some("folder"),
            );
        }
        for line in lines {
            match line {
                Ok(sentence) => examined.good(sentence),
                Err(sentence) => examined.line(Verdict::Bad, sentence, Some("folder")),
            }
        }
        Ok(examined)
    }
}

#[async_trait]
impl Source for CsvFolder {
    fn capabilities(&self, object: &str) -> Capabilities {
        let limits = &self.profile.limits;
        let (read, write, settle) =
            (limits.list_ids, limits.batch_rows, Duration::from_secs(limits.overlap_seconds));
        let known = self.profile.object(object).map(|object| object.capabilities(read, write, settle));
        let known = known.unwrap_or(Capabilities {
            stamps: Stamps::Absent,
            author: false,
            tombstones: true,
            settle,
            addressing: Addressing::ById,
            read_batch: read,
            write_batch: write,
            consent_default: ConsentDefault::Unknown,
        });
        Capabilities { tombstones: known.tombstones && self.complete, ..known }
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        let objects = objects.to_vec();
        self.with(move |shelf, _| shelf.describe(&objects)).await
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        let ScanRequest { object, selection, mark, .. } = request.clone();
        self.with(move |shelf, now| shelf.scan(&object, &selection, mark.as_ref(), now)).await
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        let requests = requests.to_vec();
        self.with(move |shelf, now| {
            let page = |request: &FeedRequest| {
                let place = (&request.cursor, request.mark.as_ref());
                shelf.changed(&request.object, &request.selection, place, now)
            };
            requests.iter().map(page).collect()
        })
        .await
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let (object, selection, ids) = (object.to_owned(), selection.clone(), ids.to_vec());
        self.with(move |shelf, _| shelf.read(&object, &selection, &ids)).await
    }

    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        let (object, ids) = (object.to_owned(), ids.to_vec());
        self.with(move |shelf, _| shelf.fates(&object, &ids)).await
    }

    async fn count(&self, object: &str, criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        if criteria.is_some() {
            return Ok(None);
        }
        let object = object.to_owned();
        self.with(move |shelf, _| shelf.count(&object)).await.map(Some)
    }

    /// Files are read without calls.
    fn calls(&self) -> u64 {
        0
    }
}

#[async_trait]
impl Sink for CsvFolder {
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        let batch = batch.clone();
        self.with(move |shelf, _| shelf.write(&batch)).await.map(Written::Rows)
    }

    /// Files have no jobs.
    async fn poll(&self, _job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        Err(refused(PortClass::Settings, "NO_JOBS", "CSV files have no jobs to ask for.".into()))
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        let (object, selection, by) = (object.to_owned(), selection.clone(), by.clone());
        self.with(move |shelf, _| shelf.find(&object, &selection, &by)).await
    }
}

fn refused(class: PortClass, code: &str, message: String) -> PortError {
    PortError::new(class, code, message)
}

/// What the system says of a file.
fn from_io(what: &str, path: &Path, error: &io::Error) -> PortError {
    let (class, advice) = match error.kind() {
        io::ErrorKind::PermissionDenied => (
            PortClass::Blocked,
            "Give the user that runs forcesync the right to read and write it, and close it in other programs.",
        ),
        io::ErrorKind::StorageFull => (PortClass::Transient, "Make room on the disk; the next run goes on."),
        _ => (PortClass::Transient, "The next run may work."),
    };
    PortError::new(class, "FILE", format!("{} can't be {what}: {error}. {advice}", path.display()))
}
