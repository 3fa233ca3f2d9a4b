//! The endpoints for external events: purchases, visits and the like that a caller reports for a contact.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Salesmanago;
use super::call::Call;
use super::contact::ExternalEvent;
use super::lenient::{Flag, Moment, Text};
use super::reply::{self, Refusal};
use super::upsert::Addressee;

/// So many events may come in one batch.
const MOST_EVENTS: usize = 1000;

const KINDS: [&str; 25] = [
    "PURCHASE",
    "CART",
    "VISIT",
    "PHONE_CALL",
    "OTHER",
    "RESERVATION",
    "CANCELLED",
    "ACTIVATION",
    "MEETING",
    "OFFER",
    "DOWNLOAD",
    "LOGIN",
    "TRANSACTION",
    "CANCELLATION",
    "RETURN",
    "SURVEY",
    "APP_STATUS",
    "APP_TYPE_WEB",
    "APP_TYPE_MANUAL",
    "APP_TYPE_RETENTION",
    "APP_TYPE_UPSALE",
    "LOAN_STATUS",
    "LOAN_ORDER",
    "FIRST_LOAN",
    "REPEATED_LOAN",
];

/// One event of a caller.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventBody {
    email: Option<Text>,
    contact_id: Option<Text>,
    force_opt_in: Flag,
    contact_event: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EventFields {
    event_id: Option<Text>,
    contact_ext_event_type: Option<Text>,
    date: Option<Moment>,
    external_id: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventReply {
    event_id: String,
}

impl Salesmanago {
    fn add_event(&self, owner: u16, body: &EventBody) -> Result<String, Refusal> {
        let addressee = Addressee { email: body.email.clone(), contact_id: body.contact_id.clone() };
        let position = addressee.find(self, owner)?;
        let (mut event, _) = read_event(&body.contact_event)?;
        event.event_id = self.new_contact_id().to_string();
        let event_id = event.event_id.clone();
        let now = self.clock.now_ms();
        self.held_mut().change(position, now, |contact| {
            contact.opted_out &= !body.force_opt_in.0;
            contact.rarities_mut().events.push(event);
        });
        Ok(event_id)
    }
}

fn read_event(details: &Value) -> Result<(ExternalEvent, Option<String>), Refusal> {
    let fields = EventFields::deserialize(details)
        .map_err(|error| Refusal::said(format!("contactEvent cannot be read: {error}")))?;
    let kind = fields.contact_ext_event_type.unwrap_or_default().0;
    if !KINDS.contains(&kind.as_str()) {
        return Err(Refusal::said(format!("Unknown contactExtEventType {kind}")));
    }
    let date = fields.date.ok_or_else(|| Refusal::said("Date of the event cannot be empty"))?.0;
    let external_id = fields.external_id.unwrap_or_default().0;
    let event = ExternalEvent {
        event_id: String::new(),
        contact_ext_event_type: kind,
        date,
        external_id,
        details: details.clone(),
    };
    Ok((event, fields.event_id.map(|id| id.0)))
}

/// `addContactExtEvent`, both generations.
pub async fn add(
    State(service): State<Arc<Salesmanago>>,
    call: Call<EventBody>,
) -> Result<Response, Refusal> {
    let owner = call.owner(&service)?;
    let event_id = service.add_event(owner, &call.body)?;
    Ok(reply::success(&EventReply { event_id }))
}

/// `updateContactExtEvent`.
pub async fn update(
    State(service): State<Arc<Salesmanago>>,
    call: Call<EventBody>,
) -> Result<Response, Refusal> {
    call.owner(&service)?;
    let (mut event, event_id) = read_event(&call.body.contact_event)?;
    event.event_id = event_id.unwrap_or_default();
    let event_id = event.event_id.clone();
    replace(&service, &event_id, Some(event))?;
    Ok(reply::success(&EventReply { event_id }))
}

/// What `deleteContactExtEvent` takes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventId {
    event_id: Option<Text>,
}

/// `deleteContactExtEvent`.
pub async fn delete(
    State(service): State<Arc<Salesmanago>>,
    call: Call<EventId>,
) -> Result<Response, Refusal> {
    call.owner(&service)?;
    let event_id = call.body.event_id.clone().unwrap_or_default().0;
    replace(&service, &event_id, None)?;
    Ok(reply::done())
}

/// Replaces or removes the event with this id, wherever it is.
fn replace(service: &Salesmanago, event_id: &str, event: Option<ExternalEvent>) -> Result<(), Refusal> {
    let now = service.clock.now_ms();
    let mut contacts = service.held_mut();
    let holds = |contact: &super::contact::Contact| {
        let events = contact.rarities.as_deref().map_or(&[][..], |rare| &rare.events);
        events.iter().any(|held| held.event_id == event_id)
    };
    let id = contacts.iter().find(|contact| holds(contact)).map(|contact| contact.id);
    let position = id.and_then(|id| contacts.by_id(id));
    let position = position.ok_or_else(|| Refusal::said(format!("Event {event_id} does not exist")))?;
    contacts.change(position, now, |contact| {
        let events = &mut contact.rarities_mut().events;
        events.retain(|held| held.event_id != event_id);
        events.extend(event);
    });
    Ok(())
}

/// What the batch calls take.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EventBatch {
    events: Vec<EventBody>,
}

/// `batchAddContactExtEvent` and its successor.
pub async fn add_batch(
    State(service): State<Arc<Salesmanago>>,
    call: Call<EventBatch>,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct BatchReply {
        created_amount: usize,
        failed_amount: usize,
        failed_contacts: Vec<String>,
    }
    let owner = call.owner(&service)?;
    let events = &call.body.events;
    if events.len() > MOST_EVENTS {
        return Err(Refusal::said(format!(
            "Too many events in one request, at most {MOST_EVENTS} are allowed"
        )));
    }
    let mut failed_contacts = Vec::new();
    for body in events {
        if service.add_event(owner, body).is_err() {
            let name = body.email.as_ref().or(body.contact_id.as_ref());
            failed_contacts.push(name.cloned().unwrap_or_default().0);
        }
    }
    let failed_amount = failed_contacts.len();
    let created_amount = events.len() - failed_amount;
    Ok(reply::success(&BatchReply { created_amount, failed_amount, failed_contacts }))
}
