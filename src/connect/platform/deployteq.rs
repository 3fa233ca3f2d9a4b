//! The client of Deployteq (once Clang, then Canopy Deploy): five interfaces of one service.
//!
//! `service` sends one call and judges its status, `token` keeps the tokens of the OAuth2 client. Customers are written and read one by
//! one over REST (`customer`), or written many at once through a webhook receiver (`received`), and listed over SOAP where that is set up
//! (`soap`, `listing`); tables of the data model are written through webhook receivers (`rows`) and read, where that is allowed, by
//! `table`. `hook` knows the receivers, `posting` talks to them, `nested` knows which
//! tables lie in which. Contact moments are put together from analytics events by `moments`, which remembers in [`Notes`] what it has
//! counted, since the service can't be asked for one.

mod customer;
mod hook;
mod listing;
mod moment;
mod moments;
mod nested;
mod posting;
mod received;
mod rows;
mod service;
mod settings;
mod shape;
mod soap;
mod table;
#[cfg(test)]
mod tests;
mod token;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value as Json;

use super::{Examined, Opening, Platform, Sampled};
use crate::connect::budget::Budget;
use crate::domain::criteria::Criteria;
use crate::domain::port::{
    Addressing, Capabilities, ConsentDefault, Cursor, FeedRequest, Finder, Job, Notes, Page, PortClass,
    PortError, RowResult, ScanRequest, Sink, Source, Stamps, Tombstone, WriteBatch, WriteKind, Written,
};
use crate::domain::profile::{ObjectProfile, Profile};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::report::Verdict;
use crate::domain::schema::ObjectSchema;
use hook::Hooks;
use nested::Nests;
use received::Recent;
use service::{Patience, Service};
use settings::Names;
use soap::Soap;
use token::Tokens;

/// The word of the settings file.
pub const KIND: &str = "deployteq";

/// The customers.
const CUSTOMER: &str = "customer";

/// The contact moments.
const MOMENT: &str = "contact_moment";

/// What the name of a table begins with in a mapping.
const TABLE: &str = "table.";

/// A connection to one portal.
pub struct Deployteq {
    service: Service,
    soap: Option<Soap>,
    tokens: Tokens,
    hooks: Hooks,
    nests: Nests,
    profile: &'static Profile,
    names: Names,
    overlap_seconds: u64,
    /// Objects and fields that the mappings use; options and tables stand in no profile.
    fields: Vec<(String, String)>,
    notes: Mutex<Option<Arc<dyn Notes>>>,
    /// Customers that were read a moment ago, where they are written through a receiver.
    recent: Recent,
    /// Whether a customer was ever read by its id; before, a missing one may as well be a wrong path.
    reads_by_id: AtomicBool,
}

/// What an object of a mapping is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind<'a> {
    Customer,
    Moment,
    Table(&'a str),
}

/// Prepares a connection; nothing is sent before the first call.
pub fn open(opening: &Opening<'_>) -> Result<Arc<dyn Platform>, PortError> {
    Ok(Arc::new(Deployteq::connect(opening)?))
}

impl std::fmt::Debug for Deployteq {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Deployteq").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Deployteq {
    /// Prepares a connection; nothing is sent before the first call.
    pub fn connect(opening: &Opening<'_>) -> Result<Self, PortError> {
        let names = Names::read(&opening.told);
        Ok(Self {
            service: Service::new(opening, &names)?,
            soap: Soap::of(opening, &names),
            tokens: Tokens::new(opening, &names),
            hooks: Hooks::new(opening)?,
            nests: Nests::new(opening)?,
            profile: opening.profile()?,
            overlap_seconds: opening.told.whole("overlap_seconds"),
            fields: opening.fields.clone(),
            names,
            notes: Mutex::default(),
            recent: Recent::default(),
            reads_by_id: AtomicBool::new(false),
        })
    }

    fn object(&self, name: &str) -> Result<(&'static ObjectProfile, Kind<'static>), PortError> {
        let unknown = || {
            PortError::new(
                PortClass::Settings,
                "NO_SUCH_OBJECT",
                format!(
                    "Deployteq has no object “{name}”; mappings can use customer, contact_moment and table.NAME."
                ),
            )
        };
        let object = self.profile.object(name).ok_or_else(unknown)?;
        let kind = match object.name.as_str() {
            CUSTOMER => Kind::Customer,
            MOMENT => Kind::Moment,
            _ => Kind::Table(""),
        };
        Ok((object, kind))
    }

    fn kind<'a>(&self, name: &'a str) -> Result<Kind<'a>, PortError> {
        Ok(match self.object(name)?.1 {
            Kind::Customer => Kind::Customer,
            Kind::Moment => Kind::Moment,
            Kind::Table(_) => Kind::Table(table_of(name)),
        })
    }

    /// The fields of an object: those of the profile, and those that the mappings name below its open prefix.
    fn schema(&self, name: &str) -> Result<ObjectSchema, PortError> {
        let (object, _) = self.object(name)?;
        let used = self.fields.iter().filter(|(of, _)| of.eq_ignore_ascii_case(name));
        let mut schema = object.schema(used.map(|(_, field)| field.as_str()));
        name.clone_into(&mut schema.name);
        // A row can't be put into nothing: it waits for what contains it.
        if let Some(nest) = self.nests.of(table_of(name))
            && let Some(field) =
                schema.fields.iter_mut().find(|field| field.name.eq_ignore_ascii_case(&nest.field))
        {
            field.required = true;
        }
        Ok(schema)
    }

    fn notes(&self) -> Result<Arc<dyn Notes>, PortError> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(|| {
            PortError::new(
                PortClass::Protocol,
                "NO_NOTES",
                "Contact moments need the state database of the workspace; they can only be read by a run.",
            )
        })
    }
}

/// The table that a mapping's object means.
fn table_of(object: &str) -> &str {
    match object.split_at_checked(TABLE.len()) {
        Some((prefix, name)) if prefix.eq_ignore_ascii_case(TABLE) => name,
        Some(_) | None => object,
    }
}

#[async_trait]
impl Platform for Deployteq {
    fn budget(&self) -> &Budget {
        self.service.budget()
    }

    fn lend(&self, notes: Arc<dyn Notes>) {
        *self.notes.lock().unwrap_or_else(PoisonError::into_inner) = Some(notes);
    }

    /// The customer interface is asked for nobody, which needs the token; the others are looked at where they are set up.
    async fn examine(&self) -> Result<Examined, PortError> {
        let mut examined = Examined::default();
        self.examine_customers(&mut examined).await?;
        match &self.soap {
            Some(_) => self.examine_soap(&mut examined).await?,
            None if self.names.poll => examined.line(
                Verdict::Bad,
                "Changes of customers are to be found by reading all of them, which needs the SOAP interface: fill in its address \
                 and its token, or let a campaign push them.",
                Some("customer_changes"),
            ),
            None => examined.good(
                "The SOAP interface is not set up: customers are not listed, but found one by one; changes come by push.",
            ),
        }
        if self.tokens.is_set() {
            self.examine_events(&mut examined).await?;
        } else {
            examined.good("There is no OAuth2 client: contact moments can't be read.");
        }
        self.hooks.examine(&mut examined);
        if self.hooks.takes_customers() {
            examined.good(format!(
                "Customers are written through the receiver {CUSTOMER}, which has to recognise them by {}; they are read over REST.",
                self.names.receiver_key.field()
            ));
        }
        self.nests.examine(&self.hooks.tables().collect::<Vec<_>>(), &mut examined);
        self.examine_tables(&mut examined).await?;
        Ok(examined)
    }

    async fn sample(&self, object: &str, row: &serde_json::Map<String, Json>) -> Result<Sampled, PortError> {
        match self.kind(object)? {
            Kind::Table(table) => self.send_sample(rows::receiver_of(table), row.clone()).await,
            Kind::Customer if self.hooks.takes_customers() => self.sample_customer(row).await,
            Kind::Customer | Kind::Moment => Err(PortError::new(
                PortClass::Settings,
                "NO_RECEIVER",
                format!(
                    "“{object}” goes through no webhook receiver, so it needs no sample; table.NAME does, and customer where a receiver \
                     of that name is set up."
                ),
            )),
        }
    }
}

#[async_trait]
impl Source for Deployteq {
    fn capabilities(&self, object: &str) -> Capabilities {
        let limits = &self.profile.limits;
        let (settle, rows) = match self.kind(object) {
            Ok(Kind::Moment) => (std::time::Duration::from_secs(self.overlap_seconds), limits.batch_rows),
            Ok(Kind::Table(_)) => (std::time::Duration::ZERO, limits.batch_rows),
            Ok(Kind::Customer) if self.hooks.takes_customers() => {
                (std::time::Duration::from_secs(60), limits.batch_rows)
            }
            // One call each, so that a stop is soon heard.
            Ok(Kind::Customer) | Err(_) => (std::time::Duration::from_secs(60), 20),
        };
        match self.profile.object(object) {
            Some(known) => known.capabilities(limits.list_ids, rows, settle),
            None => Capabilities {
                stamps: Stamps::Absent,
                author: false,
                tombstones: false,
                settle,
                addressing: Addressing::ById,
                read_batch: limits.list_ids,
                write_batch: rows,
                consent_default: ConsentDefault::Unknown,
            },
        }
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        Ok(objects.iter().filter_map(|name| self.schema(name).ok()).collect())
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        match self.kind(&request.object)? {
            Kind::Customer => self.list_customers(request).await,
            Kind::Moment => self.first_moments(request).await,
            Kind::Table(table) => self.list_rows(table, request).await,
        }
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        let mut pages = Vec::with_capacity(requests.len());
        for request in requests {
            pages.push(match self.kind(&request.object)? {
                Kind::Customer => self.changed_customers(request).await?,
                Kind::Moment => self.further_moments(request).await?,
                // Nothing flows back, and what stands there is read by id before it is written.
                Kind::Table(_) => {
                    Page { cursor: Some(listing::cursor(self.service.now())), ..Page::default() }
                }
            });
        }
        Ok(pages)
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        match self.kind(object)? {
            Kind::Customer => self.read_customers(selection, ids).await,
            Kind::Moment => self.read_moments(selection, ids).await,
            Kind::Table(table) => self.read_rows(object, table, selection, ids).await,
        }
    }

    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        match self.kind(object)? {
            Kind::Customer => self.gone_customers(ids).await,
            Kind::Moment => Ok(Vec::new()),
            Kind::Table(table) => self.gone_rows(table, ids).await,
        }
    }

    async fn count(&self, object: &str, criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        match self.kind(object)? {
            Kind::Customer if criteria.is_none() => self.count_customers().await,
            Kind::Customer | Kind::Moment | Kind::Table(_) => Ok(None),
        }
    }

    fn lists(&self, object: &str) -> bool {
        match self.kind(object) {
            Ok(Kind::Customer) => self.lists_customers(),
            Ok(Kind::Moment) | Err(_) => true,
            Ok(Kind::Table(table)) => self.names.data_model && self.nests.of(table).is_none(),
        }
    }

    fn cursor_at(&self, object: &str, moment: chrono::DateTime<chrono::Utc>) -> Option<Cursor> {
        Some(match self.kind(object).ok()? {
            Kind::Moment => moments::cursor_at(moment),
            Kind::Customer | Kind::Table(_) => listing::cursor(moment),
        })
    }

    fn calls(&self) -> u64 {
        self.service.calls()
    }
}

#[async_trait]
impl Sink for Deployteq {
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        let rows = match self.kind(&batch.object)? {
            Kind::Customer => match batch.kind {
                WriteKind::Create | WriteKind::Update if self.hooks.takes_customers() => {
                    self.post_customers(batch).await?
                }
                WriteKind::Create | WriteKind::Update => self.write_customers(batch).await?,
                WriteKind::Delete => self.delete_customers(batch).await?,
            },
            Kind::Table(table) => match batch.kind {
                WriteKind::Create | WriteKind::Update => self.post_rows(table, batch).await?,
                WriteKind::Delete => self.delete_rows(table, batch).await?,
            },
            Kind::Moment => {
                return Err(PortError::new(
                    PortClass::Settings,
                    "READ_ONLY",
                    "Contact moments are what Deployteq has sent and seen; they can't be written there.",
                ));
            }
        };
        Ok(Written::Rows(rows))
    }

    /// The service has no jobs that outlive a call.
    async fn poll(&self, _job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        Err(PortError::new(PortClass::Settings, "NO_JOBS", "Deployteq has no jobs to ask for."))
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        match self.kind(object)? {
            Kind::Customer => self.find_customers(selection, by).await,
            Kind::Moment => Ok(Vec::new()),
            Kind::Table(table) => self.find_rows(object, table, selection, by).await,
        }
    }
}

impl Deployteq {
    async fn examine_customers(&self, examined: &mut Examined) -> Result<(), PortError> {
        let sent = self.service.now();
        let reply = self.look_for("emailaddress", "nobody@forcesync.invalid", Patience::Person).await?;
        examined.good(format!("The token is accepted at {}.", self.service.base()));
        examined.clock(reply.began.map(|server| server - sent), 60);
        Ok(())
    }
}
