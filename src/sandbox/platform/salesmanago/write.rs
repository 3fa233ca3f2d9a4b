//! What an upsert, insert or update does to a contact: the write shape, its checks, the opt-in rules.
//! Pure over [`Contacts`]; the handlers in `upsert`, the jobs and the sandbox's own edits all come through here.

use serde::Deserialize;

use super::contact::{Birthday, Contact, ContactId, ContactState, DictionaryProperty};
use super::contacts::{Contacts, folded};
use super::lenient::{Flag, Properties, Text};

/// The inner `contact` of a write. Absent and null leave a field alone, an empty text clears it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContactBody {
    /// The natural key.
    pub email: Option<Text>,
    /// First and last name in one.
    pub name: Option<Text>,
    /// Phone.
    pub phone: Option<Text>,
    /// Fax.
    pub fax: Option<Text>,
    /// Company.
    pub company: Option<Text>,
    /// The caller's key.
    pub external_id: Option<Text>,
    /// One of five words.
    pub state: Option<Text>,
    /// The address.
    pub address: Option<AddressBody>,
}

/// The address of a write.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AddressBody {
    /// Street and house.
    pub street_address: Option<Text>,
    /// Zip code.
    pub zip_code: Option<Text>,
    /// City.
    pub city: Option<Text>,
    /// Country.
    pub country: Option<Text>,
}

/// One row of a write: what `contact/upsert` takes, and each of `upsertDetails`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Row {
    /// Addresses a contact by its id.
    pub contact_id: Option<Text>,
    /// Addresses a contact in `contact/update`.
    pub email: Option<Text>,
    /// The fields.
    pub contact: Option<ContactBody>,
    /// Renames.
    pub new_email: Option<Text>,
    /// Language.
    pub lang: Option<Text>,
    /// `yyyyMMdd` or `MMdd`.
    pub birthday: Option<Text>,
    /// Province.
    pub province: Option<Text>,
    /// Tags to add.
    pub tags: Option<Vec<Text>>,
    /// Tags to take away.
    pub remove_tags: Option<Vec<Text>>,
    /// Whether added tags raise the score.
    pub tag_scoring: Flag,
    /// Standard details; an empty value removes one.
    pub properties: Option<Properties>,
    /// Typed details.
    pub dictionary_properties: Option<Vec<DictionaryProperty>>,
    /// Opts in.
    pub force_opt_in: Flag,
    /// Opts out, and wins over opting in.
    pub force_opt_out: Flag,
    /// The same for the phone.
    pub force_phone_opt_in: Flag,
    /// The same for the phone.
    pub force_phone_opt_out: Flag,
    /// Sends a mail that asks for confirmation.
    pub use_api_double_opt_in: Flag,
    /// Consents.
    pub consent_details: Option<Vec<serde_json::Value>>,
}

/// Which of the three calls it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Create or change.
    Upsert,
    /// Create only.
    Insert,
    /// Change only.
    Update,
}

/// What a write did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The contact.
    pub id: ContactId,
    /// Where it is.
    pub position: u32,
    /// It did not exist before.
    pub created: bool,
    /// A confirmation mail went out.
    pub mail_sent: bool,
}

impl Row {
    /// The e-mail that addresses the row, as the caller wrote it.
    pub fn address(&self) -> &str {
        let inner = self.contact.as_ref().and_then(|contact| contact.email.as_ref());
        inner.or(self.email.as_ref()).map_or("", |text| text.as_str().trim())
    }
}

/// Writes one row, or says why not; then nothing has changed.
pub fn write(
    contacts: &mut Contacts,
    owner: u16,
    row: &Row,
    mode: Mode,
    now: i64,
    new_id: impl FnOnce() -> ContactId,
) -> Result<Written, String> {
    let checked = Checked::of(row)?;
    let found = find(contacts, owner, row);
    if found.is_some() && mode == Mode::Insert {
        return Err(format!("Contact {} already exists", row.address()));
    }
    if let Some(new_email) = checked.new_email {
        let holder = contacts.live_by_email(owner, new_email);
        if holder.is_some() && holder != found {
            return Err(format!("Contact {new_email} already exists"));
        }
    }
    let (position, created) = match found {
        Some(position) => (position, false),
        None if mode == Mode::Update => return Err(format!("Contact {} does not exist", row.address())),
        None => {
            check_email(row.address())?;
            let contact = Contact::new(new_id(), owner, row.address(), now);
            (contacts.insert(contact), true)
        }
    };
    if let Some(new_email) = checked.new_email {
        contacts.rename(position, new_email);
    }
    contacts.change(position, now, |contact| fill(contact, row, &checked));
    let contact = contacts.get(position).ok_or("The contact is gone")?;
    let mail_sent = row.use_api_double_opt_in.0 && contact.opted_out;
    Ok(Written { id: contact.id, position, created, mail_sent })
}

fn find(contacts: &Contacts, owner: u16, row: &Row) -> Option<u32> {
    let by_id = row
        .contact_id
        .as_ref()
        .and_then(|id| ContactId::parse(id.as_str()))
        .and_then(|id| contacts.by_id(id))
        .filter(|position| contacts.get(*position).is_some_and(|contact| !contact.deleted));
    by_id.or_else(|| contacts.live_by_email(owner, row.address()))
}

/// What of a row had to be understood before anything may change.
struct Checked<'a> {
    state: Option<ContactState>,
    birthday: Option<Birthday>,
    new_email: Option<&'a str>,
}

impl<'a> Checked<'a> {
    fn of(row: &'a Row) -> Result<Self, String> {
        let state = row.contact.as_ref().and_then(|contact| contact.state.as_ref());
        let state = match state.map(Text::as_str) {
            None | Some("") => None,
            Some(word) => Some(ContactState::parse(word).ok_or_else(|| format!("Invalid state {word}"))?),
        };
        let birthday = match &row.birthday {
            None => None,
            Some(text) => Some(
                Birthday::parse(text.as_str())
                    .ok_or_else(|| format!("Invalid birthday {}: use yyyyMMdd or MMdd", text.as_str()))?,
            ),
        };
        let new_email = row.new_email.as_ref().map(|text| text.as_str().trim());
        let new_email = new_email.filter(|email| !email.is_empty());
        if let Some(email) = new_email {
            check_email(email)?;
        }
        for property in row.dictionary_properties.iter().flatten() {
            if !matches!(property.kind.as_str(), "NUMBER" | "DATE") {
                return Err(format!(
                    "Invalid type {} of dictionary property {}",
                    property.kind, property.name
                ));
            }
        }
        Ok(Self { state, birthday, new_email })
    }
}

/// The loose check of the service: something, an at sign, something; 64 before it and 254 in all.
pub fn check_email(email: &str) -> Result<(), String> {
    if email.is_empty() {
        return Err("Email cannot be empty".to_owned());
    }
    let parts = email.rsplit_once('@');
    let sound = parts.is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && local.chars().count() <= 64
            && !email.chars().any(|character| character.is_whitespace() || character.is_control())
    });
    if sound && email.chars().count() <= 254 { Ok(()) } else { Err(format!("Invalid email {email}")) }
}

fn fill(contact: &mut Contact, row: &Row, checked: &Checked) {
    if let Some(body) = &row.contact {
        put(&mut contact.name, body.name.as_ref());
        put(&mut contact.phone, body.phone.as_ref());
        put(&mut contact.fax, body.fax.as_ref());
        put(&mut contact.company, body.company.as_ref());
        put(&mut contact.external_id, body.external_id.as_ref());
        if let Some(address) = &body.address {
            put(&mut contact.street, address.street_address.as_ref());
            put(&mut contact.zip, address.zip_code.as_ref());
            put(&mut contact.city, address.city.as_ref());
            put(&mut contact.country, address.country.as_ref());
        }
        // The key keeps the way it was last written, as long as it is the same key.
        if let Some(email) = body.email.as_ref().map(|email| email.as_str().trim())
            && checked.new_email.is_none()
            && folded(email) == folded(&contact.email)
        {
            contact.email = email.into();
        }
    }
    put(&mut contact.province, row.province.as_ref());
    put(&mut contact.language, row.lang.as_ref());
    if let Some(state) = checked.state {
        contact.state = state;
    }
    if let Some(birthday) = checked.birthday {
        contact.birthday = birthday;
    }
    fill_tags(contact, row);
    fill_details(contact, row);
    fill_consent(contact, row);
}

fn put(field: &mut Box<str>, text: Option<&Text>) {
    if let Some(text) = text
        && **field != *text.as_str()
    {
        *field = text.as_str().into();
    }
}

fn fill_tags(contact: &mut Contact, row: &Row) {
    for tag in row.tags.iter().flatten().map(Text::as_str).filter(|tag| !tag.is_empty()) {
        if !contact.tags.iter().any(|held| &**held == tag) {
            contact.tags.push(tag.into());
            contact.score += i32::from(row.tag_scoring.0);
        }
    }
    for tag in row.remove_tags.iter().flatten() {
        contact.tags.retain(|held| **held != *tag.as_str());
    }
}

fn fill_details(contact: &mut Contact, row: &Row) {
    for (name, value) in row.properties.iter().flat_map(|properties| &properties.0) {
        let Some(value) = value else { continue };
        let held = contact.properties.iter().position(|(held, _)| **held == **name);
        match (held, value.as_str()) {
            (Some(at), "") => {
                contact.properties.remove(at);
            }
            (Some(at), value) => {
                if let Some(entry) = contact.properties.get_mut(at) {
                    entry.1 = value.into();
                }
            }
            (None, "") => {}
            (None, value) => contact.properties.push((name.as_str().into(), value.into())),
        }
    }
    for property in row.dictionary_properties.iter().flatten() {
        let dictionary = &mut contact.rarities_mut().dictionary;
        dictionary.retain(|held| held.name != property.name);
        dictionary.push(property.clone());
    }
}

fn fill_consent(contact: &mut Contact, row: &Row) {
    // A plain upsert leaves the status alone; opting out wins over opting in.
    if row.force_opt_out.0 {
        contact.opted_out = true;
    } else if row.force_opt_in.0 {
        contact.opted_out = false;
    }
    if row.force_phone_opt_out.0 {
        contact.opted_out_phone = true;
    } else if row.force_phone_opt_in.0 {
        contact.opted_out_phone = false;
    }
    for consent in row.consent_details.iter().flatten() {
        let name = consent.get("consentName");
        let consents = &mut contact.rarities_mut().consents;
        consents.retain(|held| held.get("consentName") != name);
        consents.push(consent.clone());
    }
}

#[cfg(test)]
mod tests;
