//! The client of SALESmanago: contacts over the second generation of its interface.
//!
//! Every call is a POST whose body carries the signature (`signature`, `call`). `wire` has the service's own shapes, `read_shape`
//! and `write_shape` turn them into records and back, by the places in `fields`. The port's verbs each have a file: `scan`,
//! `changes`, `read`, `write` (with `later` for jobs), `remove`, `find`; `identity` tries a connection out.

mod call;
mod changes;
mod cursor;
mod errors;
mod fields;
mod find;
mod identity;
mod job;
mod later;
mod lenient;
mod outcome;
mod read;
mod read_shape;
mod remove;
mod scan;
mod settings;
mod signature;
mod wire;
mod write;
mod write_shape;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

pub use identity::PlatformIdentity;
pub use settings::{SalesmanagoSecrets, SalesmanagoSettings, Transport};

use crate::connect::budget::Budget;
use crate::connect::platform::profile::{Limits, ObjectProfile, profile};
use crate::domain::clock::Clock;
use crate::domain::criteria::Criteria;
use crate::domain::port::{
    Capabilities, Cursor, FeedRequest, Finder, Job, Page, PortClass, PortError, RowResult, ScanRequest, Sink,
    Source, Tombstone, WriteBatch, WriteKind, Written,
};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::ObjectSchema;
use call::Service;
use fields::Place;

/// The word of the settings file.
pub const KIND: &str = "salesmanago";

/// The one object.
pub const CONTACT: &str = "contact";

/// A connection to one SALESmanago account, as one of its users.
pub struct Salesmanago {
    service: Service,
    settings: SalesmanagoSettings,
    limits: Limits,
    object: ObjectProfile,
    details: BTreeSet<String>,
    /// Whether a data owner has still to be chosen, so that only a test makes sense.
    ownerless: bool,
}

impl std::fmt::Debug for Salesmanago {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Salesmanago").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Salesmanago {
    /// Prepares a connection; nothing is sent before the first call.
    pub fn connect(
        settings: SalesmanagoSettings,
        secrets: &SalesmanagoSecrets,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        settings.check()?;
        let damaged = |message: String| PortError::new(PortClass::Settings, "PROFILE", message);
        let profile = profile(KIND).map_err(|error| damaged(error.to_string()))?;
        let object = profile
            .object(CONTACT)
            .cloned()
            .ok_or_else(|| damaged("The built-in profile of SALESmanago has no contact.".into()))?;
        let service = Service::new(&settings, secrets, clock)?;
        let (limits, details) = (profile.limits, BTreeSet::new());
        Ok(Self { service, settings, limits, object, details, ownerless: false })
    }

    /// Prepares a connection to be tested; without a data owner it can tell those that there are, and nothing else.
    pub fn connect_to_test(
        mut settings: SalesmanagoSettings,
        secrets: &SalesmanagoSecrets,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let ownerless = settings.owner.trim().is_empty();
        if ownerless {
            // The list of users is what an admin needs to fill this very field in.
            settings.owner = "unknown".into();
        }
        Ok(Self { ownerless, ..Self::connect(settings, secrets, clock)? })
    }

    /// Tells which standard details are in use, so that `describe` names them; other names than `details.…` are passed over.
    pub fn with_details<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let names = names.into_iter().map(Into::into);
        self.details.extend(names.filter(|name| matches!(Place::of(name), Place::Detail(_))));
        self
    }

    /// What limits the calls to this account.
    pub fn budget(&self) -> &Budget {
        self.service.budget()
    }

    fn known(&self, object: &str) -> Result<(), PortError> {
        if self.object.name.eq_ignore_ascii_case(object) {
            return Ok(());
        }
        Err(PortError::new(
            PortClass::Settings,
            "NO_SUCH_OBJECT",
            format!("SALESmanago has no object “{object}”; mappings can use “{CONTACT}”."),
        ))
    }
}

#[async_trait]
impl Source for Salesmanago {
    fn capabilities(&self, _object: &str) -> Capabilities {
        self.object.capabilities(self.limits.list_ids, self.settings.batch_size, self.settings.overlap())
    }

    /// Costs no call: the service describes nothing, the profile does.
    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        let schema = || self.object.schema(self.details.iter().map(String::as_str));
        Ok(objects.iter().filter(|object| self.known(object).is_ok()).map(|_| schema()).collect())
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        self.known(&request.object)?;
        self.scan_page(request).await
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        let mut pages = Vec::with_capacity(requests.len());
        for request in requests {
            self.known(&request.object)?;
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
        self.known(object)?;
        self.read_ids(ids, &Place::of_all(selection)).await
    }

    /// Deleted contacts stay readable and say so.
    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        self.known(object)?;
        let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
        Ok(self.sorted(&ids, &[]).await?.tombstones)
    }

    /// The service does not count.
    async fn count(&self, object: &str, _criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        self.known(object).map(|()| None)
    }

    fn cursor_at(&self, _object: &str, moment: chrono::DateTime<chrono::Utc>) -> Option<Cursor> {
        Some(cursor::cursor(Some(moment), moment, self.settings.overlap()))
    }

    fn calls(&self) -> u64 {
        self.service.calls()
    }
}

#[async_trait]
impl Sink for Salesmanago {
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        self.known(&batch.object)?;
        if batch.rows.is_empty() {
            return Ok(Written::Rows(Vec::new()));
        }
        match batch.kind {
            WriteKind::Create | WriteKind::Update => self.upsert(batch).await,
            WriteKind::Delete => self.remove(batch).await,
        }
    }

    async fn poll(&self, job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        self.poll_job(job).await
    }

    fn calls_to_write(&self, batch: &WriteBatch) -> u64 {
        self.calls_for(batch)
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        self.known(object)?;
        self.find_by(selection, by).await
    }
}
