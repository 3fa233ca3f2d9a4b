//! The client of Learndot Enterprise: entities over the second generation of its interface (REST).
//!
//! `service` sends one call and judges its status, `search` asks the one question that the service answers well, `shape` turns
//! its rows into records and back. The port's verbs each have a file: `feed` (scan and changes), `find`, `write`; `groups` turns the
//! names of user groups into ids, `describe` adds what the account has beyond the profile.

mod describe;
mod feed;
mod find;
mod groups;
mod search;
mod service;
mod shape;
#[cfg(test)]
mod tests;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::FixedOffset;

use super::{Examined, Opening, Platform};
use crate::connect::budget::Budget;
use crate::domain::criteria::Criteria;
use crate::domain::port::{
    Capabilities, Cursor, FeedRequest, Finder, Job, Page, PortClass, PortError, RowResult, ScanRequest, Sink,
    Source, Tombstone, WriteBatch, Written,
};
use crate::domain::profile::{ObjectProfile, Profile};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::report::Verdict;
use crate::domain::schema::ObjectSchema;
use groups::Groups;
use service::{Patience, Service};

/// The word of the settings file.
pub const KIND: &str = "learndot";

/// A connection to one Learndot site.
pub struct Learndot {
    service: Service,
    profile: &'static Profile,
    names: Names,
    /// The user whose token this is, where somebody entered it.
    us: Option<String>,
    overlap_seconds: u64,
    groups: Groups,
    /// What the service said of its entities.
    described: Mutex<HashMap<String, Arc<ObjectSchema>>>,
}

/// What nobody could confirm, as the settings say.
#[derive(Clone, Debug)]
struct Names {
    modified: String,
    created: Option<String>,
    order_by: String,
    organization: String,
    groups: String,
    zone: FixedOffset,
    read_one: bool,
    describe: bool,
}

/// Prepares a connection; nothing is sent before the first call.
pub fn open(opening: &Opening<'_>) -> Result<Arc<dyn Platform>, PortError> {
    Ok(Arc::new(Learndot::connect(opening)?))
}

impl std::fmt::Debug for Learndot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Learndot").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Learndot {
    /// Prepares a connection; nothing is sent before the first call.
    pub fn connect(opening: &Opening<'_>) -> Result<Self, PortError> {
        let told = &opening.told;
        let zone = told.text("time_zone");
        let zone = zone.parse::<FixedOffset>().map_err(|_no_offset| {
            PortError::new(
                PortClass::Settings,
                "SETTING_WRONG",
                format!("In the Learndot connection, time_zone “{zone}” is no offset; write one such as +00:00 or -05:00."),
            )
        })?;
        Ok(Self {
            service: Service::new(opening)?,
            profile: opening.profile()?,
            names: Names {
                modified: told.text("modified_field"),
                created: told.some_text("created_field"),
                order_by: told.text("order_by"),
                organization: told.text("organization_field"),
                groups: told.text("group_field"),
                zone,
                read_one: told.flag("read_one"),
                describe: told.flag("describe"),
            },
            us: told.some_text("integration_user_id"),
            overlap_seconds: told.whole("overlap_seconds"),
            groups: Groups::default(),
            described: Mutex::default(),
        })
    }

    /// An object of the profile.
    fn object(&self, name: &str) -> Result<&'static ObjectProfile, PortError> {
        self.profile.object(name).ok_or_else(|| {
            let known: Vec<&str> = self.profile.objects.iter().map(|object| object.name.as_str()).collect();
            PortError::new(
                PortClass::Settings,
                "NO_SUCH_OBJECT",
                format!("Learndot has no object “{name}”; mappings can use {}.", known.join(", ")),
            )
        })
    }
}

#[async_trait]
impl Platform for Learndot {
    fn budget(&self) -> &Budget {
        self.service.budget()
    }

    /// One contact is searched: that needs the token, the permission API ACCESS, and the right to read contacts.
    async fn examine(&self) -> Result<Examined, PortError> {
        let mut examined = Examined::default();
        let sent = self.service.now();
        let found = self.search_as(Patience::Person, "contact", &[], 1, &self.names.order_by).await?;
        examined.good(format!("The token is accepted at {}; {} contacts.", self.service.base(), found.size));
        for entity in ["organization", "user_group", "enrolment", "order", "payment"] {
            match self.search_as(Patience::Person, entity, &[], 1, &self.names.order_by).await {
                Ok(found) => examined.good(format!("{entity}: read ({}).", found.size)),
                Err(error) if error.class == PortClass::Blocked || error.class == PortClass::Settings => {
                    let message = format!("{entity} can't be read with this token: {}", error.message);
                    examined.line(Verdict::Warning, message, None);
                }
                Err(error) => return Err(error),
            }
        }
        examined.clock(found.began.map(|server| server - sent), self.overlap_seconds);
        Ok(examined)
    }
}

#[async_trait]
impl Source for Learndot {
    fn capabilities(&self, object: &str) -> Capabilities {
        let limits = &self.profile.limits;
        let settle = std::time::Duration::from_secs(self.overlap_seconds);
        let known = self.profile.object(object).or_else(|| self.profile.objects.first());
        known.map_or_else(
            || unknown(limits.list_ids, limits.batch_rows, settle),
            |object| object.capabilities(limits.list_ids, limits.batch_rows, settle),
        )
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        self.describe_all(objects).await
    }

    fn distrust_descriptions(&self) {
        self.forget_descriptions();
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        self.scan_page(request).await
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        let mut pages = Vec::with_capacity(requests.len());
        for request in requests {
            pages.push(self.changed(request).await?);
        }
        Ok(pages)
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let rows = self.rows_by_id(object, ids).await?;
        self.records(object, selection, rows).await
    }

    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        self.gone(object, ids).await
    }

    async fn count(&self, object: &str, criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        if criteria.is_some() {
            return Ok(None);
        }
        Ok(Some(self.search(object, &[], 1, &self.names.order_by).await?.size))
    }

    async fn us(&self) -> Result<Option<String>, PortError> {
        Ok(self.us.clone())
    }

    fn cursor_at(&self, _object: &str, moment: chrono::DateTime<chrono::Utc>) -> Option<Cursor> {
        Some(self.cursor(Some(moment), moment))
    }

    fn calls(&self) -> u64 {
        self.service.calls()
    }
}

fn unknown(read_batch: usize, write_batch: usize, settle: std::time::Duration) -> Capabilities {
    Capabilities {
        stamps: crate::domain::port::Stamps::Absent,
        author: false,
        tombstones: false,
        settle,
        addressing: crate::domain::port::Addressing::ById,
        read_batch,
        write_batch,
        consent_default: crate::domain::port::ConsentDefault::Unknown,
    }
}

#[async_trait]
impl Sink for Learndot {
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        self.write_rows(batch).await.map(Written::Rows)
    }

    /// One a row, and at least one to read them back; rows whose objects are written in part are read first.
    fn calls_to_write(&self, batch: &WriteBatch) -> u64 {
        batch.rows.len() as u64 + 1
    }

    /// The service has no jobs.
    async fn poll(&self, _job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        Err(PortError::new(PortClass::Settings, "NO_JOBS", "Learndot has no jobs to ask for."))
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        self.find_by(object, selection, by).await
    }
}
