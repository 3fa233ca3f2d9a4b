//! The client of NovoEd. Everything is read, nothing is written: users, courses and enrollments come from the data interface of its
//! analytics, which answers CSV in the order of the last change, newest first.
//!
//! `settings` holds what nobody could confirm, `service` sends one call and judges its status, `session` knows how the key is shown
//! and whether the admin is signed in. `rows` reads CSV and JSON alike, `feed` drains a data set page by page, `offering` says which
//! courses stay out, `shape` turns rows into records, `one` reads and finds single ones, `examine` looks around.

mod examine;
mod feed;
mod offering;
mod one;
mod rows;
mod service;
mod session;
mod settings;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Examined, Opening, Platform};
use crate::connect::budget::Budget;
use crate::domain::criteria::Criteria;
use crate::domain::port::{
    Addressing, Capabilities, ConsentDefault, Cursor, FeedRequest, Finder, Job, Page, PortClass, PortError,
    RowClass, RowError, RowResult, ScanRequest, Sink, Source, Stamps, Tombstone, WriteBatch, Written,
};
use crate::domain::profile::{ObjectProfile, Profile};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::ObjectSchema;
use offering::Offerings;
use service::Service;
use settings::Names;

/// The word of the settings file.
pub const KIND: &str = "novoed";

/// A connection to one institution of NovoEd.
pub struct NovoEd {
    service: Service,
    profile: &'static Profile,
    names: Names,
    overlap_seconds: u64,
    /// Objects and columns that the mappings use beyond the profile.
    fields: Vec<(String, String)>,
    /// Which courses there are, and when that was read.
    offerings: Mutex<Option<(DateTime<Utc>, Arc<Offerings>)>>,
    /// When the admin was last seen signed in.
    session_seen: Mutex<Option<DateTime<Utc>>>,
}

/// Prepares a connection; nothing is sent before the first call.
pub fn open(opening: &Opening<'_>) -> Result<Arc<dyn Platform>, PortError> {
    Ok(Arc::new(NovoEd::connect(opening)?))
}

impl std::fmt::Debug for NovoEd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NovoEd").field("names", &self.names).finish_non_exhaustive()
    }
}

impl NovoEd {
    /// Prepares a connection; nothing is sent before the first call.
    pub fn connect(opening: &Opening<'_>) -> Result<Self, PortError> {
        let names = Names::read(&opening.told)?;
        Ok(Self {
            service: Service::new(opening, &names)?,
            profile: opening.profile()?,
            names,
            overlap_seconds: opening.told.whole("overlap_seconds"),
            fields: opening.fields.clone(),
            offerings: Mutex::default(),
            session_seen: Mutex::default(),
        })
    }

    /// An object of the profile.
    fn object(&self, name: &str) -> Result<&'static ObjectProfile, PortError> {
        self.profile.object(name).ok_or_else(|| {
            let known: Vec<&str> = self.profile.objects.iter().map(|object| object.name.as_str()).collect();
            PortError::new(
                PortClass::Settings,
                "NO_SUCH_OBJECT",
                format!("NovoEd has no object “{name}”; mappings can use {}.", known.join(", ")),
            )
        })
    }

    /// The fields of an object, with the further columns that the mappings use.
    fn schema(&self, object: &ObjectProfile) -> ObjectSchema {
        let further = self.fields.iter().filter(|(of, _)| of.eq_ignore_ascii_case(&object.name));
        let mut schema = object.schema(further.map(|(_, field)| field.as_str()));
        for field in &mut schema.fields {
            // Nothing is ever written there, whatever column it is.
            field.createable = false;
            field.updateable = false;
        }
        schema
    }
}

#[async_trait]
impl Platform for NovoEd {
    fn budget(&self) -> &Budget {
        self.service.budget()
    }

    async fn examine(&self) -> Result<Examined, PortError> {
        self.look_around().await
    }
}

#[async_trait]
impl Source for NovoEd {
    fn capabilities(&self, object: &str) -> Capabilities {
        let limits = &self.profile.limits;
        let settle = std::time::Duration::from_secs(self.overlap_seconds);
        let known = self.profile.object(object).or_else(|| self.profile.objects.first());
        known.map_or(
            Capabilities {
                stamps: Stamps::Absent,
                author: false,
                tombstones: false,
                settle,
                addressing: Addressing::ById,
                read_batch: limits.list_ids,
                write_batch: limits.batch_rows,
                consent_default: ConsentDefault::Unknown,
            },
            |object| object.capabilities(limits.page_rows, limits.batch_rows, settle),
        )
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        let known = objects.iter().filter_map(|name| self.profile.object(name));
        Ok(known.map(|object| self.schema(object)).collect())
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        self.scan_page(request).await
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        // Enrollments and unenrollments are two looks at the same rows.
        let mut answered = HashMap::new();
        let mut pages = Vec::with_capacity(requests.len());
        for request in requests {
            pages.push(self.changed(request, &mut answered).await?);
        }
        Ok(pages)
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        self.read_ids(object, selection, ids).await
    }

    /// Nothing is ever deleted there: who leaves is unenrolled.
    async fn fates(&self, _object: &str, _ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        Ok(Vec::new())
    }

    async fn count(&self, _object: &str, _criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        Ok(None)
    }

    fn cursor_at(&self, _object: &str, moment: chrono::DateTime<chrono::Utc>) -> Option<Cursor> {
        Some(feed::cursor_at(moment))
    }

    fn calls(&self) -> u64 {
        self.service.calls()
    }
}

#[async_trait]
impl Sink for NovoEd {
    /// Refuses everything: Salesforce writes nothing to NovoEd (F29).
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        let refused = RowError {
            code: "ONE_WAY".into(),
            message: "NovoEd takes nothing from Salesforce; change it there.".into(),
            fields: Vec::new(),
            class: RowClass::Permission,
        };
        Ok(Written::Rows(batch.rows.iter().map(|_| RowResult::Refused(refused.clone())).collect()))
    }

    /// The service has no jobs.
    async fn poll(&self, _job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        Err(PortError::new(PortClass::Settings, "NO_JOBS", "NovoEd has no jobs to ask for."))
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        self.find_by(object, selection, by).await
    }
}
