//! The sandbox's own way in: seeding, edits by "a person" in the service's web app, and the dump.
//! None of it can be reached over the emulated interface.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Salesmanago;
use super::contact::{Birthday, Contact, ContactId, ContactState};
use super::view::{ContactView, Detail};
use super::write::{Mode, Row};

/// A contact to start with. Nothing is checked: what an account has gathered over the years passes no check either.
#[derive(Debug, Clone, Default)]
pub struct NewContact {
    /// Its id, from [`Salesmanago::reserve_id`]; a new one if left out.
    pub id: Option<String>,
    /// E-mail.
    pub email: String,
    /// Name in one.
    pub name: String,
    /// Phone.
    pub phone: String,
    /// Fax.
    pub fax: String,
    /// Company.
    pub company: String,
    /// The key of another system.
    pub external_id: String,
    /// Street.
    pub street: String,
    /// Zip code.
    pub zip: String,
    /// City.
    pub city: String,
    /// Country.
    pub country: String,
    /// Customer, prospect …
    pub state: ContactState,
    /// Birthday.
    pub birthday: Birthday,
    /// Tags.
    pub tags: Vec<String>,
    /// Standard details.
    pub properties: Vec<(String, String)>,
    /// Gets no e-mail.
    pub opted_out: bool,
    /// Gets no calls.
    pub opted_out_phone: bool,
    /// Deleted long ago.
    pub deleted: bool,
    /// When it was created, in milliseconds.
    pub created_on: i64,
    /// When it was last changed, in milliseconds.
    pub modified_on: i64,
}

impl Salesmanago {
    /// An id that the next seeded contact may have, for whoever must know it before.
    pub fn reserve_id(&self) -> String {
        self.new_contact_id().to_string()
    }

    /// Adds a contact of the first user without checks and with the given stamps; returns its id.
    pub fn seed_contact(&self, new: NewContact) -> String {
        let reserved = new.id.as_deref().and_then(ContactId::parse);
        let id = reserved.unwrap_or_else(|| self.new_contact_id());
        let mut contact = Contact::new(id, 0, &new.email, new.created_on);
        contact.name = new.name.into_boxed_str();
        contact.phone = new.phone.into_boxed_str();
        contact.fax = new.fax.into_boxed_str();
        contact.company = new.company.into_boxed_str();
        contact.external_id = new.external_id.into_boxed_str();
        contact.street = new.street.into_boxed_str();
        contact.zip = new.zip.into_boxed_str();
        contact.city = new.city.into_boxed_str();
        contact.country = new.country.into_boxed_str();
        contact.state = new.state;
        contact.birthday = new.birthday;
        contact.tags = new.tags.into_iter().map(String::into_boxed_str).collect();
        let properties = new.properties.into_iter();
        contact.properties = properties.map(|(name, value)| (name.into(), value.into())).collect();
        contact.opted_out = new.opted_out;
        contact.opted_out_phone = new.opted_out_phone;
        contact.deleted = new.deleted;
        contact.modified_on = new.modified_on;
        self.held_mut().insert(contact);
        id.to_string()
    }

    /// Creates or changes a contact as a person would in the web app. Takes the fields of a read shape, flat or with
    /// `address` and `properties` inside, besides `id`, `newEmail`, `tags`, `optedOut` and `optedOutPhone`.
    pub fn admin_upsert(&self, fields: &Map<String, Value>) -> Result<String, String> {
        let row = row_of(fields)?;
        self.write_row(0, &row, Mode::Upsert).map(|written| written.id.to_string())
    }

    /// Deletes the contact with this id or e-mail.
    pub fn admin_delete(&self, id_or_email: &str) -> Result<(), String> {
        let now = self.clock.now_ms();
        let mut contacts = self.held_mut();
        let by_id = ContactId::parse(id_or_email).and_then(|id| contacts.by_id(id));
        let position = by_id.or_else(|| contacts.live_by_email(0, id_or_email));
        match position {
            Some(position) if contacts.delete(position, now) => Ok(()),
            Some(_) | None => Err(format!("There is no contact {id_or_email} on the platform")),
        }
    }

    /// All contacts in their full shape, deleted ones with their flag: what a judge compares.
    pub fn contacts(&self) -> Vec<Value> {
        let contacts = self.held();
        let views = contacts.iter().map(|contact| ContactView(contact, Detail::Everything));
        views.filter_map(|view| serde_json::to_value(view).ok()).collect()
    }

    /// The contact with this id or e-mail in its full shape.
    pub fn contact(&self, id_or_email: &str) -> Option<Value> {
        let contacts = self.held();
        let by_id = ContactId::parse(id_or_email).and_then(|id| contacts.by_id(id));
        let position = by_id.or_else(|| contacts.by_email(0, id_or_email))?;
        serde_json::to_value(ContactView(contacts.get(position)?, Detail::Everything)).ok()
    }

    /// How many contacts there are, and how many deleted ones besides.
    pub fn counts(&self) -> (usize, usize) {
        let contacts = self.held();
        (contacts.live(), contacts.deleted())
    }

    /// The clock that all stamps come from.
    pub fn clock(&self) -> &Arc<crate::sandbox::clock::SandboxClock> {
        &self.clock
    }
}

/// Sorts flat fields into the write shape.
fn row_of(fields: &Map<String, Value>) -> Result<Row, String> {
    let mut row = Map::new();
    let mut contact = Map::new();
    let mut address = Map::new();
    for (name, value) in fields {
        let value = value.clone();
        match name.as_str() {
            "id" | "contactId" => {
                row.insert("contactId".into(), value);
            }
            "email" | "name" | "phone" | "fax" | "company" | "externalId" | "state" => {
                contact.insert(name.clone(), value);
            }
            "streetAddress" | "zipCode" | "city" | "country" => {
                address.insert(name.clone(), value);
            }
            "address" => address.extend(value.as_object().cloned().unwrap_or_default()),
            "contact" => contact.extend(value.as_object().cloned().unwrap_or_default()),
            "optedOut" => {
                row.insert("forceOptOut".into(), json!(value == json!(true)));
                row.insert("forceOptIn".into(), json!(value == json!(false)));
            }
            "optedOutPhone" => {
                row.insert("forcePhoneOptOut".into(), json!(value == json!(true)));
                row.insert("forcePhoneOptIn".into(), json!(value == json!(false)));
            }
            "newEmail"
            | "birthday"
            | "province"
            | "lang"
            | "tags"
            | "removeTags"
            | "properties"
            | "dictionaryProperties"
            | "consentDetails" => {
                row.insert(name.clone(), value);
            }
            other => return Err(format!("{other} is not a field of a contact")),
        }
    }
    if !address.is_empty() {
        contact.insert("address".into(), Value::Object(address));
    }
    row.insert("contact".into(), Value::Object(contact));
    serde_json::from_value(Value::Object(row)).map_err(|error| format!("The contact cannot be read: {error}"))
}
