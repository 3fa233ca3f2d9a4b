//! Puts the people of `people` into the two services, with stamps spread over the past months.
//!
//! A linked twin is equal to its org record in everything that the mappings of a new workspace compare (so its one
//! phone number is the org's mobile phone, and details, state and key are as such a mapping would have written them);
//! a twin that is not linked differs in one thing and has never heard of the org.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::org::Org;
use super::people::{Company, Day, Flaw, Kind, OrgPerson, Part, People, Person, PlatformPerson};
use super::platform::salesmanago::{ContactState, NewContact, Salesmanago};

/// So many records of each side are remembered for life to work on.
const SAMPLE: u64 = 5_000;

/// Some records of each side.
#[derive(Debug, Default)]
pub struct Seeded {
    /// Object and id in the org.
    pub in_org: Vec<(&'static str, String)>,
    /// Ids on the platform.
    pub on_platform: Vec<String>,
}

/// A moment the way the org writes it.
pub fn stamp(ms: i64) -> String {
    let moment: DateTime<Utc> = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    moment.format("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

/// Seeds both services.
pub struct Seeding<'a> {
    /// Who.
    pub people: &'a People,
    /// Into which org.
    pub org: &'a Arc<Org>,
    /// Onto which platform.
    pub platform: &'a Arc<Salesmanago>,
    /// Counted back from when.
    pub now: i64,
}

impl Seeding<'_> {
    /// Does it. A million people take seconds, so it belongs on a thread of its own.
    pub fn run(&self) -> Seeded {
        let mut seeded = Seeded::default();
        let person_type = self.person_record_type();
        let writer = self.org.person_user_id();
        let accounts = self.companies(&writer);
        // What a converted lead must know of the contact it became.
        let mut became: HashMap<u64, (String, String)> = HashMap::new();
        let step = (self.people.planted().get("people") / SAMPLE).max(1);
        let converted: HashSet<u64> = self.people.converted_identities().collect();
        for (number, one) in (0_u64..).zip(self.people.in_org()) {
            let account = accounts.get(one.person.company as usize).map_or("", String::as_str);
            let account = if one.person.company_name.is_empty() { "" } else { account };
            let contact_id = one.twin.as_ref().map(|twin| (twin, self.platform.reserve_id()));
            let mut row = match one.kind {
                Kind::PersonAccount => person_account_row(&one.person, &person_type),
                Kind::Contact => contact_row(&one.person, account),
                Kind::Lead => lead_row(&one.person),
            };
            phones(&mut row, &one);
            self.stamps(&mut row, &one.person, &writer);
            if let Some((_, id)) = contact_id.as_ref().filter(|_| one.linked) {
                row.insert("SALESmanago_Id__c".into(), json!(id));
            }
            if one.part == Part::Converted {
                let known = became.get(&one.identity).cloned().unwrap_or_default();
                self.convert(&mut row, &one.person, known);
            }
            let object = object_of(one.kind);
            let id = self.org.seed_row(object, &row);
            if one.kind == Kind::Contact && converted.contains(&one.identity) {
                became.insert(one.identity, (id.clone(), account.to_owned()));
            }
            let is_sampled = number % step == 0 && matches!(one.part, Part::Plain | Part::Emoji);
            if let Some((twin, contact_id)) = contact_id {
                let mut contact = self.contact(twin);
                contact.id = Some(contact_id.clone());
                if one.linked {
                    link(&mut contact, &one, &id);
                }
                self.platform.seed_contact(contact);
                if is_sampled {
                    seeded.on_platform.push(contact_id);
                }
            }
            if is_sampled {
                seeded.in_org.push((object, id));
            }
        }
        for one in self.people.on_platform_only() {
            let PlatformPerson { flaw, person } = &one;
            let mut contact = self.contact(person);
            contact.deleted = *flaw == Some(Flaw::Deleted);
            self.platform.seed_contact(contact);
        }
        seeded
    }

    fn companies(&self, writer: &str) -> Vec<String> {
        let make = |number| {
            let company: Company = self.people.company(number);
            let mut row = object([
                ("Name", company.name.into()),
                ("Phone", company.phone.into()),
                ("Industry", company.industry.into()),
                ("Website", format!("https://www.{}", company.host).into()),
                ("BillingStreet", company.street.into()),
                ("BillingPostalCode", company.zip.into()),
                ("BillingCity", company.city.into()),
                ("BillingCountry", company.country.into()),
            ]);
            let stamp = stamp(self.now - company.age);
            for field in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
                row.insert(field.into(), json!(stamp));
            }
            authors(&mut row, writer);
            self.org.seed_row("Account", &row)
        };
        (0..self.people.companies()).map(make).collect()
    }

    fn person_record_type(&self) -> String {
        let types = self.org.rows("RecordType");
        let person = types.iter().find(|row| row.get("IsPersonType") == Some(&Value::Bool(true)));
        person.and_then(|row| row.get("Id")).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn stamps(&self, row: &mut Map<String, Value>, person: &Person, writer: &str) {
        row.insert("CreatedDate".into(), json!(stamp(self.now + person.created)));
        let modified = stamp(self.now + person.modified);
        row.insert("LastModifiedDate".into(), json!(modified));
        row.insert("SystemModstamp".into(), json!(modified));
        authors(row, writer);
    }

    fn convert(&self, row: &mut Map<String, Value>, person: &Person, (contact, account): (String, String)) {
        row.insert("IsConverted".into(), json!(true));
        row.insert("Status".into(), json!("Closed - Converted"));
        let day = stamp(self.now + person.modified);
        row.insert("ConvertedDate".into(), json!(day.get(..10)));
        for (field, id) in [("ConvertedContactId", contact), ("ConvertedAccountId", account)] {
            if !id.is_empty() {
                row.insert(field.into(), json!(id));
            }
        }
    }

    fn contact(&self, person: &Person) -> NewContact {
        NewContact {
            email: person.email.clone(),
            name: person.name(),
            phone: person.phone.clone(),
            fax: person.fax.clone(),
            company: person.company_name.clone(),
            street: person.street.clone(),
            zip: person.zip.clone(),
            city: person.city.clone(),
            country: person.country.clone(),
            state: ContactState::Prospect,
            opted_out: person.opted_out,
            opted_out_phone: person.do_not_call,
            created_on: self.now + person.created,
            modified_on: self.now + person.modified,
            ..NewContact::default()
        }
    }
}

/// What a twin has that a sync has written before.
fn link(contact: &mut NewContact, one: &OrgPerson, id: &str) {
    id.clone_into(&mut contact.external_id);
    contact.state = match one.kind {
        Kind::PersonAccount | Kind::Contact => ContactState::Customer,
        Kind::Lead => ContactState::Prospect,
    };
    for (name, value) in [("SF_Title", &one.person.title), ("SF_LeadSource", &one.person.source)] {
        if !value.is_empty() {
            contact.properties.push((name.into(), value.clone()));
        }
    }
}

/// The object of a kind of people.
pub fn object_of(kind: Kind) -> &'static str {
    match kind {
        Kind::PersonAccount => "Account",
        Kind::Contact => "Contact",
        Kind::Lead => "Lead",
    }
}

/// Somebody on both sides has one number, entered in both fields of the org, so that it is equal whichever is mapped.
fn phones(row: &mut Map<String, Value>, one: &OrgPerson) {
    let desk = if one.twin.is_some() { &one.person.phone } else { &one.person.desk };
    let mobile = if one.kind == Kind::PersonAccount { "PersonMobilePhone" } else { "MobilePhone" };
    put(row, mobile, &one.person.phone);
    put(row, "Phone", desk);
}

fn authors(row: &mut Map<String, Value>, writer: &str) {
    for field in ["OwnerId", "CreatedById", "LastModifiedById"] {
        row.insert(field.into(), json!(writer));
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn put(row: &mut Map<String, Value>, field: &str, value: &str) {
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
