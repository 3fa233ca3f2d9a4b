//! The endpoints that read everybody: page by page as a file, page by page inline, and chosen data as a file.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Salesmanago;
use super::call::Call;
use super::changes::{cut, page_and_size};
use super::contact::{Contact, ContactId};
use super::jobs::Work;
use super::lenient::Text;
use super::read::contacts_reply;
use super::removal::Addressees;
use super::reply::Refusal;
use super::view::{ContactView, Detail};

/// A page of the contact list.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PageBody {
    page: Option<Text>,
    size: Option<Text>,
}

/// A page that a job exports.
pub struct PageWork {
    owner: u16,
    page: usize,
    size: usize,
}

/// `contact/paginatedContactList/export`.
pub async fn export_page(
    State(service): State<Arc<Salesmanago>>,
    call: Call<PageBody>,
) -> Result<Response, Refusal> {
    let owner = call.owner_or_user(&service)?;
    let (page, size) = page_and_size(call.body.page.as_ref(), call.body.size.as_ref())?;
    Ok(service.enqueue(Work::Page(PageWork { owner, page, size })))
}

/// `contact/paginatedListById`.
pub async fn inline_page(
    State(service): State<Arc<Salesmanago>>,
    call: Call<PageBody>,
) -> Result<Response, Refusal> {
    let owner = call.owner_or_user(&service)?;
    let (page, size) = page_and_size(call.body.page.as_ref(), call.body.size.as_ref())?;
    let contacts = service.held();
    let listing = contacts.listing(owner);
    let (positions, _) = cut(&listing, page, size);
    Ok(contacts_reply(&contacts, positions, Detail::Full))
}

/// Which data of which contacts.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct DataBody {
    contacts: Addressees,
    data: Vec<DataType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataType {
    data_type: String,
}

/// Data that a job exports.
pub struct DataWork {
    positions: Vec<u32>,
    kinds: Vec<String>,
}

/// `contact/export/data`.
pub async fn export_data(
    State(service): State<Arc<Salesmanago>>,
    call: Call<DataBody>,
) -> Result<Response, Refusal> {
    let owner = call.owner_or_user(&service)?;
    let positions = call.body.contacts.find(&service, owner)?;
    let kinds = call.body.data.iter().map(|kind| kind.data_type.to_ascii_uppercase()).collect();
    Ok(service.enqueue(Work::Data(DataWork { positions, kinds })))
}

impl Salesmanago {
    /// The file of one exported page.
    pub(super) fn export_page(&self, work: &PageWork) -> Vec<u8> {
        #[derive(Serialize)]
        struct Line<'a> {
            success: bool,
            email: &'a str,
            exists: bool,
            id: ContactId,
            name: &'a str,
            country: &'a str,
            phone: &'a str,
        }
        #[derive(Serialize)]
        struct File<'a> {
            contacts: Vec<Line<'a>>,
        }
        let contacts = self.held();
        let listing = contacts.listing(work.owner);
        let (positions, _) = cut(&listing, work.page, work.size);
        let lines = positions.iter().filter_map(|position| contacts.get(*position)).map(|contact| Line {
            success: true,
            email: &contact.email,
            exists: true,
            id: contact.id,
            name: &contact.name,
            country: &contact.country,
            phone: &contact.phone,
        });
        serde_json::to_vec(&File { contacts: lines.collect() }).unwrap_or_default()
    }

    /// The file of a data export: one object a contact, under its id.
    pub(super) fn export_data(&self, work: &DataWork) -> Vec<u8> {
        let contacts = self.held();
        let found = work.positions.iter().filter_map(|position| contacts.get(*position));
        let lines: Vec<Value> = found
            .map(|contact| {
                let mut data = Map::new();
                for kind in &work.kinds {
                    let (name, value) = exported(contact, kind);
                    data.insert(name, value);
                }
                let mut line = Map::new();
                line.insert(contact.id.to_string(), Value::Object(data));
                Value::Object(line)
            })
            .collect();
        serde_json::to_vec(&lines).unwrap_or_default()
    }
}

fn exported(contact: &Contact, kind: &str) -> (String, Value) {
    let full = || serde_json::to_value(ContactView(contact, Detail::Everything)).unwrap_or_default();
    let part = |name: &str| full().get(name).cloned().unwrap_or_default();
    match kind {
        "CONTACT" => ("contactData".into(), full()),
        "TAG" => ("tags".into(), part("contactTags")),
        "EXT_EVENT" => ("extEvents".into(), part("contactExtEvents")),
        "PROPERTIES" => ("properties".into(), part("properties")),
        "DICTIONARY_PROPERTIES" => ("dictionaryProperties".into(), part("dictionaryProperties")),
        "CONSENTS" => ("consents".into(), part("consentDetails")),
        "NOTES" => ("notes".into(), part("notes")),
        other => (other.to_ascii_lowercase(), json!([])),
    }
}
