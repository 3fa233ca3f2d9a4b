//! Puts the people of `people` into the two services, with stamps spread over the past months.
//!
//! A linked twin is equal to its org record in everything that the mappings of a new workspace compare (so its one
//! phone number is the org's mobile phone, and details, state and key are as such a mapping would have written them);
//! a twin that is not linked differs in one thing and has never heard of the org.

pub mod rows;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, mpsc};

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde_json::{Map, Value, json};

use super::org::Org;
use super::people::{Company, Flaw, Kind, OrgPerson, Part, People, Person, PlatformPerson};
use super::platform::{Emulator, NewPerson};

/// So many people are handed over at once.
const HANDFUL: usize = 256;

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
    let mut text = String::with_capacity(28);
    // By hand, because a million people have three million stamps.
    for (number, width, after) in [
        (moment.year().unsigned_abs(), 4, "-"),
        (moment.month(), 2, "-"),
        (moment.day(), 2, "T"),
        (moment.hour(), 2, ":"),
        (moment.minute(), 2, ":"),
        (moment.second(), 2, ".000+0000"),
    ] {
        for place in (0..width).rev() {
            text.push(char::from(b'0' + (number / 10_u32.pow(place) % 10) as u8));
        }
        text.push_str(after);
    }
    text
}

/// Seeds both services.
pub struct Seeding<'a> {
    /// Who.
    pub people: &'a People,
    /// Into which org.
    pub org: &'a Arc<Org>,
    /// Onto which platform.
    pub platform: &'a Arc<dyn Emulator>,
    /// Whether the org has a field for the platform's ids, so that an earlier integration could note them.
    pub marked: bool,
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
        let maker = Maker { seeding: self, person_type, writer, accounts };
        // Making people and storing them take about the same time, so that two threads take half of it.
        let (sender, receiver) = mpsc::sync_channel::<Vec<Made>>(4);
        let (maker, seeded_ref) = (&maker, &mut seeded);
        std::thread::scope(|scope| {
            scope.spawn(move || maker.make_all(&sender));
            for (number, made) in (0_u64..).zip(receiver.into_iter().flatten()) {
                let Made { one, mut row } = made;
                let twin = one.twin.as_ref().filter(|_| self.platform.takes(one.kind));
                let contact_id = twin.is_some().then(|| self.platform.reserve_id());
                if let Some((mark, id)) = self.mark().zip(contact_id.as_ref()).filter(|_| one.linked) {
                    row.insert(mark.into(), json!(id));
                }
                if one.part == Part::Converted {
                    let known = became.get(&one.identity).cloned().unwrap_or_default();
                    self.convert(&mut row, &one.person, known);
                }
                let object = rows::object_of(one.kind);
                let id = self.org.seed_row(object, &row);
                if one.kind == Kind::Contact && converted.contains(&one.identity) {
                    became.insert(one.identity, (id.clone(), maker.account(&one).to_owned()));
                }
                let is_sampled = number % step == 0 && matches!(one.part, Part::Plain | Part::Emoji);
                if let Some(person) = twin {
                    let new = NewPerson {
                        person,
                        kind: Some(one.kind),
                        id: contact_id.clone(),
                        org_id: one.linked.then_some(id.as_str()),
                        company: (!person.company_name.is_empty()).then_some(person.company),
                        deleted: false,
                    };
                    self.platform.seed_person(new, self.now);
                }
                if is_sampled {
                    seeded_ref.on_platform.extend(contact_id);
                    seeded_ref.in_org.push((object, id));
                }
            }
        });
        for one in self.people.on_platform_only() {
            let PlatformPerson { flaw, person } = &one;
            let new = NewPerson {
                person,
                kind: None,
                id: None,
                org_id: None,
                company: (!person.company_name.is_empty()).then_some(person.company),
                deleted: *flaw == Some(Flaw::Deleted),
            };
            self.platform.seed_person(new, self.now);
        }
        self.platform.seed_rest(self.people, self.org, self.now);
        seeded
    }

    fn mark(&self) -> Option<&'static str> {
        self.platform.org_mark().filter(|_| self.marked)
    }

    fn companies(&self, writer: &str) -> Vec<String> {
        let make = |number| {
            let company: Company = self.people.company(number);
            let mut row = rows::object([
                ("Name", company.name.as_str().into()),
                ("Phone", company.phone.as_str().into()),
                ("Industry", company.industry.as_str().into()),
                ("Website", format!("https://www.{}", company.host).into()),
                ("BillingStreet", company.street.as_str().into()),
                ("BillingPostalCode", company.zip.as_str().into()),
                ("BillingCity", company.city.as_str().into()),
                ("BillingCountry", company.country.as_str().into()),
            ]);
            let stamp = stamp(self.now - company.age);
            for field in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
                row.insert(field.into(), json!(stamp));
            }
            rows::authors(&mut row, writer);
            let number = company.number;
            let reserved = self.mark().and_then(|mark| {
                let id = self.platform.seed_company(&company, number, self.now)?;
                row.insert(mark.into(), json!(id));
                Some(id)
            });
            let id = self.org.seed_row("Account", &row);
            if let Some(known) = reserved {
                self.platform.link_company(&known, &id);
            }
            id
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
        rows::authors(row, writer);
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
}

/// Somebody made, and not yet stored.
struct Made {
    one: OrgPerson,
    row: Map<String, Value>,
}

/// Makes people ready to be stored.
struct Maker<'a> {
    seeding: &'a Seeding<'a>,
    person_type: String,
    writer: String,
    accounts: Vec<String>,
}

impl Maker<'_> {
    /// Makes everybody of the org, in handfuls; stops when nobody takes them any more.
    fn make_all(&self, sender: &mpsc::SyncSender<Vec<Made>>) {
        let mut handful = Vec::with_capacity(HANDFUL);
        for one in self.seeding.people.in_org() {
            handful.push(self.make(one));
            if handful.len() == HANDFUL {
                let full = std::mem::replace(&mut handful, Vec::with_capacity(HANDFUL));
                if sender.send(full).is_err() {
                    return;
                }
            }
        }
        // Nobody is left to hear that the last ones were not taken.
        let _ = sender.send(handful);
    }

    fn make(&self, one: OrgPerson) -> Made {
        let mut row = match one.kind {
            Kind::PersonAccount => rows::person_account_row(&one.person, &self.person_type),
            Kind::Contact => rows::contact_row(&one.person, self.account(&one)),
            Kind::Lead => rows::lead_row(&one.person),
        };
        rows::phones(&mut row, &one);
        self.seeding.stamps(&mut row, &one.person, &self.writer);
        Made { one, row }
    }

    /// The account that somebody belongs to, or nothing.
    fn account(&self, one: &OrgPerson) -> &str {
        if one.person.company_name.is_empty() {
            return "";
        }
        self.accounts.get(one.person.company as usize).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_has_whole_seconds_and_an_offset_without_colon() {
        assert_eq!(stamp(1_369_083_032_999), "2013-05-20T20:50:32.000+0000");
        assert_eq!(stamp(0), "1970-01-01T00:00:00.000+0000");
    }
}
