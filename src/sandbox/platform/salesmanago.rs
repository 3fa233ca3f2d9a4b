//! SALESmanago, emulated: the second generation of its interface, in which every call is a POST whose JSON body
//! carries the credentials. It refuses what the service refuses, in its words; what nobody could confirm about the
//! service is an option of [`SalesmanagoOptions`].
//!
//! One file a matter: `auth` and `call` let a request in, `lenient` reads what many clients write, `contact` and
//! `contacts` hold the data, `write` changes it, the others are the endpoints. `admin` is the way in for the sandbox.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;

use crate::sandbox::clock::SandboxClock;

mod admin;
mod auth;
mod call;
mod changes;
mod consent;
mod contact;
mod contacts;
mod emulator;
mod events;
mod jobs;
mod labels;
mod lenient;
mod lists;
mod read;
mod removal;
mod reply;
mod statistics;
mod upsert;
mod view;
mod write;

pub use admin::NewContact;
pub use contact::{Birthday, ContactState};

use contact::ContactId;
use contacts::Contacts;
use jobs::Jobs;

/// How the emulated account is set up.
#[derive(Debug, Clone)]
pub struct SalesmanagoOptions {
    /// The client id that must be sent.
    pub client_id: String,
    /// The secret that signatures are made with.
    pub api_secret: String,
    /// The users of the account; the first is the one the sandbox names as owner.
    pub users: Vec<String>,
    /// Whether the account is active; an inactive one authenticates nobody.
    pub active: bool,
    /// Whether the pace limit is enforced.
    pub real_pace: bool,
    /// The pace limit.
    pub requests_per_second: u32,
    /// Whether windows of change feeds may span 30 days at most.
    pub strict_window: bool,
    /// How many polls a job answers with "in progress" before it is done.
    pub job_polls: u32,
    /// How many rows a batch may have.
    pub largest_batch: usize,
    /// What ids are made of.
    pub seed: u64,
    /// `http` or `https`: how links to job files begin.
    pub scheme: &'static str,
}

impl Default for SalesmanagoOptions {
    fn default() -> Self {
        Self {
            client_id: "forcesync-sandbox".into(),
            api_secret: "sandbox-api-secret".into(),
            users: vec!["owner@sandbox.example".into(), "second@sandbox.example".into()],
            active: true,
            real_pace: false,
            requests_per_second: 10,
            strict_window: false,
            job_polls: 1,
            largest_batch: 1000,
            seed: 1,
            scheme: "http",
        }
    }
}

/// What the service did besides storing contacts; a sync that fires things by accident shows here.
#[derive(Debug, Default)]
pub struct SideEffects {
    mails_sent: AtomicU64,
    events_fired: AtomicU64,
}

/// The side effects at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SideEffectCounts {
    /// Confirmation mails of double opt-in.
    pub mails_sent: u64,
    /// Rows written with `fireEvents` on, which start workflows and rules.
    pub events_fired: u64,
}

/// The emulated service.
pub struct Salesmanago {
    options: SalesmanagoOptions,
    clock: Arc<SandboxClock>,
    contacts: RwLock<Contacts>,
    jobs: Mutex<Jobs>,
    pace: Mutex<auth::Pace>,
    job_polls: AtomicU32,
    feed_delay_ms: AtomicI64,
    next_id: AtomicU64,
    effects: SideEffects,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Salesmanago {
    /// An account without contacts.
    pub fn new(options: SalesmanagoOptions, clock: Arc<SandboxClock>) -> Arc<Self> {
        Arc::new(Self {
            job_polls: AtomicU32::new(options.job_polls),
            feed_delay_ms: AtomicI64::new(0),
            options,
            clock,
            contacts: RwLock::default(),
            jobs: Mutex::default(),
            pace: Mutex::default(),
            next_id: AtomicU64::new(1),
            effects: SideEffects::default(),
        })
    }

    /// Everything the service answers to, below `/api`.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .nest("/api", endpoints())
            .route("/files/{name}", get(jobs::file))
            .fallback(unknown)
            .layer(axum::middleware::map_response_with_state(Arc::clone(self), dated))
            .with_state(Arc::clone(self))
    }

    /// How the account is set up, with the sign-in fields.
    pub fn options(&self) -> &SalesmanagoOptions {
        &self.options
    }

    /// The user whose contacts a sync is meant to work on.
    pub fn owner(&self) -> &str {
        self.options.users.first().map_or("", String::as_str)
    }

    /// What was set off so far.
    pub fn side_effects(&self) -> SideEffectCounts {
        SideEffectCounts {
            mails_sent: self.effects.mails_sent.load(Ordering::Relaxed),
            events_fired: self.effects.events_fired.load(Ordering::Relaxed),
        }
    }

    /// Changes how many polls a job takes; jobs under way keep their number.
    pub fn set_job_polls(&self, polls: u32) {
        self.job_polls.store(polls, Ordering::Relaxed);
    }

    /// Makes changes appear in the change feeds so much later than their stamp.
    pub fn set_feed_delay_ms(&self, delay: i64) {
        self.feed_delay_ms.store(delay.max(0), Ordering::Relaxed);
    }

    fn held(&self) -> RwLockReadGuard<'_, Contacts> {
        self.contacts.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_mut(&self) -> RwLockWriteGuard<'_, Contacts> {
        self.contacts.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_contact_id(&self) -> ContactId {
        let number = self.next_id.fetch_add(1, Ordering::Relaxed);
        let start = self.options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number << 1);
        ContactId::from_words(scrambled(start), scrambled(start | 1))
    }
}

/// Spreads a counter over all 64 bits, so that ids look like ids; no two counters give the same word.
fn scrambled(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn endpoints() -> Router<Arc<Salesmanago>> {
    Router::new()
        .route("/user/listByClient", post(read::users))
        .route("/contact/upsert", post(upsert::upsert))
        .route("/contact/insert", post(upsert::insert))
        .route("/contact/update", post(upsert::update))
        .route("/contact/batchupsert", post(upsert::batch))
        .route("/contact/batchupsertv2", post(upsert::batch_job))
        .route("/job/status", post(jobs::status))
        .route("/contact/hasContact", post(read::has_contact))
        .route("/contact/basic", post(read::basic))
        .route("/contact/basicById", post(read::basic_by_id))
        .route("/contact/list", post(read::list))
        .route("/contact/listById", post(read::list_by_id))
        .route("/contact/listAll", post(read::list_all))
        .route("/contact/listAllById", post(read::list_all_by_id))
        .route("/contact/createdContacts", post(changes::created))
        .route("/contact/modifiedContacts", post(changes::modified))
        .route("/contact/paginatedModifiedContacts", post(changes::modified_pages))
        .route("/contact/recentActivity", post(changes::recent_activity))
        .route("/contact/paginatedContactList/export", post(lists::export_page))
        .route("/contact/paginatedListById", post(lists::inline_page))
        .route("/contact/export/data", post(lists::export_data))
        .route("/contact/delete", post(removal::delete))
        .route("/contact/batchDelete", post(removal::delete_batch))
        .route("/contact/optin", post(consent::email_in))
        .route("/contact/optout", post(consent::email_out))
        .route("/contact/batchoptin", post(consent::batch_in))
        .route("/contact/batchoptout", post(consent::batch_out))
        .route("/contact/phoneoptin", post(consent::phone_in))
        .route("/contact/phoneoptout", post(consent::phone_out))
        .route("/contact/tags", post(labels::tags))
        .route("/v2/contact/tags", post(labels::tags))
        .route("/contact/managetags", post(labels::manage_tags))
        .route("/contact/addNote", post(labels::add_note))
        .route("/contact/updateTask", post(labels::update_task))
        .route("/contact/setMainOwner", post(labels::set_main_owner))
        .route("/contact/addContactExtEvent", post(events::add))
        .route("/v2/contact/addContactExtEvent", post(events::add))
        .route("/v2/contact/updateContactExtEvent", post(events::update))
        .route("/contact/updateContactExtEvent", post(events::update))
        .route("/contact/deleteContactExtEvent", post(events::delete))
        .route("/contact/batchAddContactExtEvent", post(events::add_batch))
        .route("/v2/contact/addBatchContactExtEvent", post(events::add_batch))
        .route("/email/globalConversationStatistics", post(statistics::global))
        .route("/email/massConversationList", post(statistics::conversations))
        .route("/email/conversationStatistics", post(statistics::job))
        .route("/email/messageStatistics", post(statistics::job))
        .route("/workflow/list", post(statistics::workflows))
}

async fn unknown() -> Response {
    reply::Refusal::not_found().into_response()
}

/// Clients take the server's time from here, so it has to be the one that all stamps come from.
async fn dated(State(service): State<Arc<Salesmanago>>, mut response: Response) -> Response {
    let now = chrono::DateTime::from_timestamp_millis(service.clock.now_ms()).unwrap_or_default();
    if let Ok(date) = HeaderValue::from_str(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

#[cfg(test)]
mod tests;
