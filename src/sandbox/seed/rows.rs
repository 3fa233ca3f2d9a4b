//! People as rows of the org: contacts, leads and person accounts, in the fields that a person would fill in.

use serde_json::{Map, Value, json};

use crate::sandbox::people::{Day, Kind, OrgPerson, Person};

/// The object of a kind of people.
pub fn object_of(kind: Kind) -> &'static str {
    match kind {
        Kind::PersonAccount => "Account",
        Kind::Contact => "Contact",
        Kind::Lead => "Lead",
    }
}

/// Somebody on both sides has one number, entered in both fields of the org, so that it is equal whichever is mapped.
pub(super) fn phones(row: &mut Map<String, Value>, one: &OrgPerson) {
    let desk = if one.twin.is_some() { &one.person.phone } else { &one.person.desk };
    let mobile = if one.kind == Kind::PersonAccount { "PersonMobilePhone" } else { "MobilePhone" };
    put(row, mobile, &one.person.phone);
    put(row, "Phone", desk);
}

pub(super) fn authors(row: &mut Map<String, Value>, writer: &str) {
    for field in ["OwnerId", "CreatedById", "LastModifiedById"] {
        row.insert(field.into(), json!(writer));
    }
}

pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn put(row: &mut Map<String, Value>, field: &str, value: &str) {
    if !value.is_empty() {
        row.insert(field.to_owned(), json!(value));
    }
}

fn date(day: Day) -> String {
    format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)
}

/// A contact the way the org takes it, without stamps and phones.
pub fn contact_row(person: &Person, account: &str) -> Map<String, Value> {
    let mut row = named(person);
    put(&mut row, "Email", &person.email);
    put(&mut row, "Fax", &person.fax);
    put(&mut row, "Title", &person.title);
    put(&mut row, "Department", &person.department);
    put(&mut row, "LeadSource", &person.source);
    put(&mut row, "MailingStreet", &person.street);
    put(&mut row, "MailingPostalCode", &person.zip);
    put(&mut row, "MailingCity", &person.city);
    put(&mut row, "MailingCountry", &person.country);
    put(&mut row, "AccountId", account);
    put(&mut row, "Birthdate", &person.birthday.map(date).unwrap_or_default());
    row.insert("HasOptedOutOfEmail".into(), json!(person.opted_out));
    row.insert("DoNotCall".into(), json!(person.do_not_call));
    row
}

/// A lead the way the org takes it.
pub fn lead_row(person: &Person) -> Map<String, Value> {
    let mut row = named(person);
    put(&mut row, "Email", &person.email);
    put(&mut row, "Fax", &person.fax);
    put(&mut row, "Title", &person.title);
    put(&mut row, "LeadSource", &person.source);
    put(&mut row, "Company", &person.company_name);
    put(&mut row, "Street", &person.street);
    put(&mut row, "PostalCode", &person.zip);
    put(&mut row, "City", &person.city);
    put(&mut row, "Country", &person.country);
    row.insert("Status".into(), json!("Open - Not Contacted"));
    row.insert("HasOptedOutOfEmail".into(), json!(person.opted_out));
    row.insert("DoNotCall".into(), json!(person.do_not_call));
    row
}

/// A person account the way the org takes it.
pub fn person_account_row(person: &Person, record_type: &str) -> Map<String, Value> {
    let mut row = named(person);
    row.insert("RecordTypeId".into(), json!(record_type));
    put(&mut row, "PersonEmail", &person.email);
    put(&mut row, "Fax", &person.fax);
    put(&mut row, "PersonTitle", &person.title);
    put(&mut row, "PersonLeadSource", &person.source);
    put(&mut row, "PersonMailingStreet", &person.street);
    put(&mut row, "PersonMailingPostalCode", &person.zip);
    put(&mut row, "PersonMailingCity", &person.city);
    put(&mut row, "PersonMailingCountry", &person.country);
    put(&mut row, "PersonBirthdate", &person.birthday.map(date).unwrap_or_default());
    row.insert("PersonHasOptedOutOfEmail".into(), json!(person.opted_out));
    row.insert("PersonDoNotCall".into(), json!(person.do_not_call));
    row
}

fn named(person: &Person) -> Map<String, Value> {
    let mut row = Map::new();
    put(&mut row, "FirstName", &person.given);
    put(&mut row, "LastName", &person.family);
    row
}
