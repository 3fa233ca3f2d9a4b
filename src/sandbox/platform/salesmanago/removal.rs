//! The endpoints that delete contacts, and the way in which several of them address many contacts at once.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::Salesmanago;
use super::call::Call;
use super::contact::ContactId;
use super::lenient::Text;
use super::reply::{self, Refusal};
use super::upsert::Addressee;

#[derive(Serialize)]
struct Outcome {
    result: bool,
}

/// `contact/delete`: `result` says whether there was anything to delete.
pub async fn delete(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Addressee>,
) -> Result<Response, Refusal> {
    let owner = call.owner(&service)?;
    if call.body.email.is_none() && call.body.contact_id.is_none() {
        return Err(Refusal::said("Email cannot be empty"));
    }
    let now = service.clock.now_ms();
    let result = match call.body.find(&service, owner) {
        Ok(position) => service.held_mut().delete(position, now),
        Err(_) => false,
    };
    Ok(reply::success(&Outcome { result }))
}

/// Contacts addressed in one of five ways.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub struct Addressees(Vec<AddresseeBody>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddresseeBody {
    addressee_type: String,
    #[serde(default)]
    value: Option<Text>,
}

impl Addressees {
    /// The live contacts that are meant.
    pub fn find(&self, service: &Salesmanago, owner: u16) -> Result<Vec<u32>, Refusal> {
        let contacts = service.held();
        let mut positions = Vec::new();
        for addressee in &self.0 {
            let value = addressee.value.as_ref().map_or("", Text::as_str);
            match addressee.addressee_type.to_ascii_uppercase().as_str() {
                "EMAIL" => positions.extend(contacts.live_by_email(owner, value)),
                "CONTACT_ID" => {
                    let found = ContactId::parse(value).and_then(|id| contacts.by_id(id));
                    positions.extend(found.filter(|at| contacts.get(*at).is_some_and(|held| !held.deleted)));
                }
                "TAG" => positions.extend(contacts.listing(owner).iter().filter(|position| {
                    let tags = contacts.get(**position).map_or(&[][..], |contact| &contact.tags);
                    tags.iter().any(|tag| tag.eq_ignore_ascii_case(value))
                })),
                // The sandbox has no funnels, so nobody is in one.
                "FUNNEL" | "STAGE" => {}
                other => return Err(Refusal::said(format!("Unknown addresseeType {other}"))),
            }
        }
        Ok(positions)
    }
}

/// What `contact/batchDelete` takes.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct BatchBody {
    contacts: Addressees,
}

/// `contact/batchDelete`.
pub async fn delete_batch(
    State(service): State<Arc<Salesmanago>>,
    call: Call<BatchBody>,
) -> Result<Response, Refusal> {
    let owner = call.owner(&service)?;
    let positions = call.body.contacts.find(&service, owner)?;
    let now = service.clock.now_ms();
    let mut contacts = service.held_mut();
    let mut result = false;
    for position in positions {
        result |= contacts.delete(position, now);
    }
    drop(contacts);
    Ok(reply::success(&Outcome { result }))
}
