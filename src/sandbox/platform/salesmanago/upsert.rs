//! The endpoints that create and change contacts: one at a time, in a batch, and in a batch as a job.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::Salesmanago;
use super::call::Call;
use super::contact::ContactId;
use super::jobs::Work;
use super::lenient::{Flag, Text};
use super::reply::{self, Refusal};
use super::write::{Mode, Row, Written, write};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenReply {
    contact_id: ContactId,
    external_id: String,
}

/// `contact/upsert`.
pub async fn upsert(State(service): State<Arc<Salesmanago>>, call: Call<Row>) -> Result<Response, Refusal> {
    one(&service, &call, Mode::Upsert)
}

/// `contact/insert`.
pub async fn insert(State(service): State<Arc<Salesmanago>>, call: Call<Row>) -> Result<Response, Refusal> {
    one(&service, &call, Mode::Insert)
}

/// `contact/update`.
pub async fn update(State(service): State<Arc<Salesmanago>>, call: Call<Row>) -> Result<Response, Refusal> {
    one(&service, &call, Mode::Update)
}

fn one(service: &Salesmanago, call: &Call<Row>, mode: Mode) -> Result<Response, Refusal> {
    let owner = call.owner(service)?;
    let written = service.write_row(owner, &call.body, mode).map_err(Refusal::said)?;
    let contacts = service.held();
    let external_id = contacts.get(written.position).map(|contact| contact.external_id.to_string());
    Ok(reply::success(&WrittenReply { contact_id: written.id, external_id: external_id.unwrap_or_default() }))
}

/// What both batch calls take.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Batch {
    upsert_details: Vec<Row>,
    use_api_double_opt_in: Flag,
    fire_events: Option<Flag>,
}

/// Rows of a batch that are written by a job.
pub struct BatchWork {
    owner: u16,
    rows: Vec<Row>,
    fires_events: bool,
}

impl Call<Batch> {
    fn take(self, service: &Salesmanago) -> Result<BatchWork, Refusal> {
        let owner = self.owner(service)?;
        let most = service.options.largest_batch;
        if self.body.upsert_details.len() > most {
            return Err(Refusal::said(format!(
                "Too many contacts in one request, at most {most} are allowed"
            )));
        }
        if self.body.upsert_details.is_empty() {
            return Err(Refusal::said("upsertDetails cannot be empty"));
        }
        let double = self.body.use_api_double_opt_in.0;
        let fires_events = self.body.fire_events.is_none_or(|flag| flag.0);
        let mut rows = self.body.upsert_details;
        for row in &mut rows {
            row.use_api_double_opt_in.0 |= double;
        }
        Ok(BatchWork { owner, rows, fires_events })
    }
}

/// `contact/batchupsert`: done when it answers. A row that is refused is missing from the ids and named in the message.
pub async fn batch(State(service): State<Arc<Salesmanago>>, call: Call<Batch>) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct BatchReply {
        contact_ids: BTreeMap<String, ContactId>,
    }
    let work = call.take(&service)?;
    let mut contact_ids = BTreeMap::new();
    let mut message = Vec::new();
    for row in &work.rows {
        match service.write_row(work.owner, row, Mode::Upsert) {
            Ok(written) => {
                contact_ids.insert(row.address().to_owned(), written.id);
            }
            Err(reason) => message.push(refused(row, &reason)),
        }
    }
    Ok(reply::success_with(&message, &BatchReply { contact_ids }))
}

fn refused(row: &Row, reason: &str) -> String {
    format!("Contact {} was not saved: {reason}", row.address())
}

/// `contact/batchupsertv2`: answers with the number of a job that does it.
pub async fn batch_job(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Batch>,
) -> Result<Response, Refusal> {
    let work = call.take(&service)?;
    Ok(service.enqueue(Work::Upsert(work)))
}

/// One line of the file that a job leaves about its rows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RowResult {
    success: bool,
    email: String,
    id: Option<ContactId>,
    exists: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Salesmanago {
    /// Writes one row and counts what that sets off.
    pub(super) fn write_row(&self, owner: u16, row: &Row, mode: Mode) -> Result<Written, String> {
        let now = self.clock.now_ms();
        let written = write(&mut self.held_mut(), owner, row, mode, now, || self.new_contact_id())?;
        if written.mail_sent {
            self.effects.mails_sent.fetch_add(1, Ordering::Relaxed);
        }
        Ok(written)
    }

    /// Does a batch job and returns the bytes of its file.
    pub(super) fn work_through(&self, work: &BatchWork) -> Vec<u8> {
        #[derive(Serialize)]
        struct File {
            contacts: Vec<RowResult>,
        }
        let mut contacts = Vec::with_capacity(work.rows.len());
        for row in &work.rows {
            let email = row.address().to_owned();
            contacts.push(match self.write_row(work.owner, row, Mode::Upsert) {
                Ok(written) => RowResult {
                    success: true,
                    email,
                    id: Some(written.id),
                    exists: !written.created,
                    message: None,
                },
                Err(reason) => {
                    let message = Some(refused(row, &reason));
                    RowResult { success: false, email, id: None, exists: false, message }
                }
            });
            if work.fires_events {
                self.effects.events_fired.fetch_add(1, Ordering::Relaxed);
            }
        }
        serde_json::to_vec(&File { contacts }).unwrap_or_default()
    }
}

/// Addresses one contact, as many small calls do.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Addressee {
    /// By e-mail.
    pub email: Option<Text>,
    /// By id.
    pub contact_id: Option<Text>,
}

impl Addressee {
    /// The live contact that is meant; the id counts where both are given.
    pub fn find(&self, service: &Salesmanago, owner: u16) -> Result<u32, Refusal> {
        let contacts = service.held();
        let by_id = self
            .contact_id
            .as_ref()
            .and_then(|id| ContactId::parse(id.as_str()))
            .and_then(|id| contacts.by_id(id));
        let found = match (&self.contact_id, &self.email) {
            (Some(_), _) => by_id,
            (None, Some(email)) => contacts.live_by_email(owner, email.as_str()),
            (None, None) => return Err(Refusal::said("Email or contactId must be given")),
        };
        found
            .filter(|position| contacts.get(*position).is_some_and(|contact| !contact.deleted))
            .ok_or_else(|| Refusal::said("Contact does not exist"))
    }
}
