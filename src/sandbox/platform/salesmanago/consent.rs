//! The endpoints that opt contacts in and out, by e-mail and by phone.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::Salesmanago;
use super::call::Call;
use super::contact::{Contact, ContactId};
use super::lenient::Texts;
use super::reply::{self, Refusal};
use super::upsert::Addressee;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneReply {
    contact_id: ContactId,
}

fn one(
    service: &Salesmanago,
    call: &Call<Addressee>,
    set: impl FnOnce(&mut Contact),
) -> Result<Response, Refusal> {
    let owner = call.owner(service)?;
    let position = call.body.find(service, owner)?;
    let now = service.clock.now_ms();
    let id = service.held_mut().change(position, now, |contact| {
        set(contact);
        contact.id
    });
    let contact_id = id.ok_or_else(|| Refusal::said("Contact does not exist"))?;
    Ok(reply::success(&OneReply { contact_id }))
}

/// `contact/optin`.
pub async fn email_in(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Addressee>,
) -> Result<Response, Refusal> {
    one(&service, &call, |contact| contact.opted_out = false)
}

/// `contact/optout`.
pub async fn email_out(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Addressee>,
) -> Result<Response, Refusal> {
    one(&service, &call, |contact| contact.opted_out = true)
}

/// `contact/phoneoptin`.
pub async fn phone_in(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Addressee>,
) -> Result<Response, Refusal> {
    one(&service, &call, |contact| contact.opted_out_phone = false)
}

/// `contact/phoneoptout`.
pub async fn phone_out(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Addressee>,
) -> Result<Response, Refusal> {
    one(&service, &call, |contact| contact.opted_out_phone = true)
}

/// What the batch calls take.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Emails {
    emails: Texts,
}

fn many(service: &Salesmanago, call: &Call<Emails>, set: impl Fn(&mut Contact)) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ManyReply {
        contact_ids: Vec<ContactId>,
    }
    let owner = call.owner(service)?;
    let now = service.clock.now_ms();
    let mut contacts = service.held_mut();
    let mut contact_ids = Vec::new();
    for email in &call.body.emails.0 {
        if let Some(position) = contacts.live_by_email(owner, email) {
            contact_ids.extend(contacts.change(position, now, |contact| {
                set(contact);
                contact.id
            }));
        }
    }
    drop(contacts);
    Ok(reply::success(&ManyReply { contact_ids }))
}

/// `contact/batchoptin`.
pub async fn batch_in(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Emails>,
) -> Result<Response, Refusal> {
    many(&service, &call, |contact| contact.opted_out = false)
}

/// `contact/batchoptout`.
pub async fn batch_out(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Emails>,
) -> Result<Response, Refusal> {
    many(&service, &call, |contact| contact.opted_out = true)
}
