//! The client of SPOTIO: records of types that the tenant defines, found by role and name in its workflow, never by number.
//!
//! `service` sends one call with a token that it mints itself, `workflow` reads types, fields, stages and users, `view` says what a name
//! of a mapping stands for, `shape` turns rows into records and back. The port's verbs each have a file: `feed` (scan, changes,
//! deletions), `activities`, `find`, `write`, and `bulk` for many rows at once; `examine` is what a test of the connection looks at,
//! `hook` reads deliveries and registers for them.

mod activities;
mod bulk;
mod describe;
mod examine;
mod feed;
mod find;
pub mod hook;
mod json;
mod service;
mod shape;
#[cfg(test)]
mod tests;
mod view;
mod workflow;
mod write;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use super::{Examined, Opening, Platform};
use crate::connect::budget::Budget;
use crate::domain::criteria::Criteria;
use crate::domain::port::{
    Capabilities, Cursor, FeedRequest, Finder, Job, Page, PortClass, PortError, RowResult, ScanRequest, Sink,
    Source, Tombstone, WriteBatch, Written,
};
use crate::domain::profile::{ObjectProfile, Profile};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::ObjectSchema;
use service::Service;
use view::View;
use workflow::Workflow;

/// The word of the settings file.
pub const KIND: &str = "spotio";

/// A connection to one SPOTIO account.
pub struct Spotio {
    service: Service,
    profile: &'static Profile,
    names: Names,
    hook: hook::Hook,
    /// The user who made the key, where somebody entered it.
    us: Option<String>,
    overlap_seconds: u64,
    /// What the service said of its types, fields, stages and users.
    workflow: Mutex<Option<Arc<Workflow>>>,
    /// Changes are a read, a change and a write of the whole record: one at a time.
    writing: tokio::sync::Mutex<()>,
}

/// What nobody could confirm, and what is chosen, as the settings say.
#[derive(Clone, Debug)]
struct Names {
    lead_type: String,
    account_type: String,
    activities_since: Option<DateTime<Utc>>,
    default_owner: Option<String>,
    pascal: bool,
    patch_each: bool,
    validate_required: bool,
    verify: bool,
    activity_by_update: bool,
    bulk_from: usize,
    lookback_hours: i64,
    close_days: i64,
}

/// Prepares a connection; nothing is sent before the first call.
pub fn open(opening: &Opening<'_>) -> Result<Arc<dyn Platform>, PortError> {
    Ok(Arc::new(Spotio::connect(opening)?))
}

impl std::fmt::Debug for Spotio {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Spotio").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Spotio {
    /// Prepares a connection; nothing is sent before the first call.
    pub fn connect(opening: &Opening<'_>) -> Result<Self, PortError> {
        let told = &opening.told;
        let since = told.some_text("activities_since");
        let activities_since = since.as_deref().map(moment_of).transpose()?;
        let whole = |name: &str| i64::try_from(told.whole(name)).unwrap_or(i64::MAX);
        Ok(Self {
            service: Service::new(opening)?,
            profile: opening.profile()?,
            names: Names {
                lead_type: told.text("lead_type"),
                account_type: told.text("account_type"),
                activities_since,
                default_owner: told.some_text("default_owner"),
                pascal: told.text("enum_case") == "pascal",
                patch_each: told.text("patch_fields") == "each",
                validate_required: told.flag("validate_required"),
                verify: told.flag("verify_after_write"),
                activity_by_update: told.text("activity_dates") == "updated",
                bulk_from: usize::try_from(told.whole("bulk_from")).unwrap_or(usize::MAX),
                lookback_hours: whole("mark_lookback_hours").min(24 * 365),
                close_days: whole("close_days").min(36_500),
            },
            hook: hook::Hook::new(told, opening.secret("webhook_secret")),
            us: told.some_text("integration_user_id"),
            overlap_seconds: told.whole("overlap_seconds"),
            workflow: Mutex::default(),
            writing: tokio::sync::Mutex::new(()),
        })
    }

    /// An object of the profile.
    fn object(&self, name: &str) -> Result<&'static ObjectProfile, PortError> {
        self.profile.object(name).ok_or_else(|| {
            let known: Vec<&str> = self.profile.objects.iter().map(|object| object.name.as_str()).collect();
            PortError::new(
                PortClass::Settings,
                "NO_SUCH_OBJECT",
                format!("SPOTIO has no object “{name}”; mappings can use {}.", known.join(", ")),
            )
        })
    }

    /// What an object is a view of.
    fn view(&self, name: &str) -> Result<View, PortError> {
        self.object(name)?;
        Ok(View::of(name))
    }

    /// The tenant's name for the type that a view shows.
    fn type_name(&self, view: View) -> &str {
        match view {
            View::Lead | View::LeadActivity => &self.names.lead_type,
            View::Account | View::Contact | View::Opportunity | View::AccountActivity => {
                &self.names.account_type
            }
        }
    }

    /// A word of the service's own lists, written as the settings say.
    fn word(&self, camel: &str) -> String {
        let mut letters = camel.chars();
        match letters.next() {
            Some(first) if self.names.pascal => first.to_uppercase().chain(letters).collect(),
            Some(_) | None => camel.to_owned(),
        }
    }
}

/// A day, or a moment.
fn moment_of(text: &str) -> Result<DateTime<Utc>, PortError> {
    let day =
        |text: &str| text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0).map(|moment| moment.and_utc());
    DateTime::parse_from_rfc3339(text).map(|moment| moment.with_timezone(&Utc)).ok().or_else(|| day(text)).ok_or_else(
        || {
            PortError::new(
                PortClass::Settings,
                "SETTING_WRONG",
                format!(
                    "In the SPOTIO connection, activities_since “{text}” is neither a day nor a moment; write one such as 2026-11-22."
                ),
            )
        },
    )
}

#[async_trait]
impl Platform for Spotio {
    fn budget(&self) -> &Budget {
        self.service.budget()
    }

    async fn examine(&self) -> Result<Examined, PortError> {
        self.look_around().await
    }

    fn webhooks(&self) -> Option<&dyn super::webhooks::Webhooks> {
        Some(self)
    }
}

#[async_trait]
impl Source for Spotio {
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
        self.forget_workflow();
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        let view = self.view(&request.object)?;
        if view.is_activity() {
            self.scan_activities(view, request).await
        } else {
            self.scan_page(view, request).await
        }
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        self.changed(requests).await
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let view = self.view(object)?;
        if view.is_activity() {
            return self.read_activities(view, selection, ids).await;
        }
        let rows = self.rows_by_id(ids).await?;
        self.records(view, selection, &rows).await
    }

    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        self.gone(self.view(object)?, ids).await
    }

    async fn count(&self, object: &str, criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        let view = self.view(object)?;
        if criteria.is_some() || view.is_activity() {
            return Ok(None);
        }
        Ok(Some(self.counted(view, None).await?))
    }

    async fn us(&self) -> Result<Option<String>, PortError> {
        Ok(self.us.clone())
    }

    fn cursor_at(&self, _object: &str, moment: DateTime<Utc>) -> Option<Cursor> {
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
impl Sink for Spotio {
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        self.write_batch(batch).await
    }

    async fn poll(&self, job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        self.poll_job(job).await
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        self.find_by(self.view(object)?, selection, by).await
    }
}
