//! SALESmanago as the rest of the sandbox uses it: who is there on the first day, and what people do in its web app.

use std::sync::Arc;

use axum::Router;
use serde_json::{Map, Value, json};

use super::{ContactState, NewContact, Salesmanago, SalesmanagoOptions};
use crate::sandbox::life::Deed;
use crate::sandbox::people::{Kind, Person};
use crate::sandbox::platform::{Emulator, Founding, NewPerson};

impl Salesmanago {
    /// An account as the sandbox wants it.
    pub fn found(founding: &Founding<'_>) -> Arc<dyn Emulator> {
        Self::of(founding)
    }

    /// The same with its own type.
    pub fn of(founding: &Founding<'_>) -> Arc<Self> {
        let options = SalesmanagoOptions {
            seed: founding.seed,
            real_pace: founding.real_pace,
            scheme: founding.scheme,
            ..founding.salesmanago.clone()
        };
        Self::new(options, Arc::clone(founding.clock))
    }
}

impl Emulator for Salesmanago {
    fn router(self: Arc<Self>) -> Router {
        Self::router(&self)
    }

    fn sign_in(&self, url: &str) -> Map<String, Value> {
        let account = self.options();
        map([
            ("endpoint", json!(url)),
            ("client_id", json!(account.client_id)),
            ("api_secret", json!(account.api_secret)),
            ("owner", json!(self.owner())),
        ])
    }

    fn org_mark(&self) -> Option<&'static str> {
        Some("SALESmanago_Id__c")
    }

    fn reserve_id(&self) -> String {
        Self::reserve_id(self)
    }

    fn seed_person(&self, new: NewPerson<'_>, now: i64) {
        let person = new.person;
        let mut contact = NewContact {
            id: new.id,
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
            created_on: now + person.created,
            modified_on: now + person.modified,
            deleted: new.deleted,
            ..NewContact::default()
        };
        if let Some(org_id) = new.org_id {
            link(&mut contact, person, new.kind, org_id);
        }
        self.seed_contact(contact);
    }

    fn live(&self, deed: Deed, person: &Person, known: &mut Vec<String>, at: usize) -> bool {
        if deed == Deed::Joined {
            let fields = map([
                ("email", json!(person.email)),
                ("name", json!(person.name())),
                ("phone", json!(person.phone)),
                ("company", json!(person.company_name)),
                ("city", json!(person.city)),
                ("country", json!(person.country)),
                ("state", json!("PROSPECT")),
                ("optedOut", json!(false)),
            ]);
            return self.admin_upsert(&fields).map(|id| known.push(id)).is_ok();
        }
        let Some(id) = known.get(at).cloned() else { return false };
        if deed == Deed::Deleted {
            known.swap_remove(at);
            return self.admin_delete(&id).is_ok();
        }
        let Some(contact) = self.contact(&id).filter(|contact| contact["deleted"] == json!(false)) else {
            known.swap_remove(at);
            return false;
        };
        let mut fields = fields_of(deed, person, &contact);
        fields.insert("id".into(), json!(id));
        self.admin_upsert(&fields).is_ok()
    }

    fn objects(&self) -> &'static [&'static str] {
        &["contact"]
    }

    fn records(&self, object: &str) -> Vec<Value> {
        if object.eq_ignore_ascii_case("contact") { self.contacts() } else { Vec::new() }
    }

    fn record(&self, object: &str, id: &str) -> Option<Value> {
        self.contact(id).filter(|_| object.eq_ignore_ascii_case("contact"))
    }

    fn upsert(&self, _object: &str, fields: &Map<String, Value>) -> Result<String, String> {
        self.admin_upsert(fields)
    }

    fn delete(&self, _object: &str, id: &str) -> Result<(), String> {
        self.admin_delete(id)
    }

    fn counts(&self) -> (usize, usize) {
        Self::counts(self)
    }

    fn side_effects(&self) -> Value {
        serde_json::to_value(Self::side_effects(self)).unwrap_or_default()
    }

    fn set_job_polls(&self, polls: u32) {
        Self::set_job_polls(self, polls);
    }

    fn set_feed_delay_ms(&self, delay: i64) {
        Self::set_feed_delay_ms(self, delay);
    }
}

/// What a twin has that a sync has written before.
fn link(contact: &mut NewContact, person: &Person, kind: Option<Kind>, org_id: &str) {
    org_id.clone_into(&mut contact.external_id);
    contact.state = match kind {
        Some(Kind::PersonAccount | Kind::Contact) => ContactState::Customer,
        Some(Kind::Lead) | None => ContactState::Prospect,
    };
    for (name, value) in [("SF_Title", &person.title), ("SF_LeadSource", &person.source)] {
        if !value.is_empty() {
            contact.properties.push((name.into(), value.clone()));
        }
    }
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn fields_of(deed: Deed, person: &Person, contact: &Value) -> Map<String, Value> {
    match deed {
        Deed::Phone => map([("phone", json!(person.phone))]),
        Deed::Moved => map([
            ("streetAddress", json!(person.street)),
            ("zipCode", json!(person.zip)),
            ("city", json!(person.city)),
            ("country", json!(person.country)),
        ]),
        Deed::Title | Deed::Joined | Deed::Deleted | Deed::Undeleted | Deed::Merged | Deed::Converted => {
            map([("properties", json!({"Interest": person.department}))])
        }
        Deed::Married => {
            let name = contact["name"].as_str().unwrap_or_default();
            let given = name.split(' ').next().unwrap_or_default();
            map([("name", json!(format!("{given} {}", person.family).trim()))])
        }
        Deed::OptedOut => map([("optedOut", json!(true))]),
    }
}
