//! The sandbox's own way in: who is there on the first day, what people do in the web app, and the dump.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use serde_json::{Map, Value, json};

use super::entity::{NAMES, entity};
use super::school::{filled, is_entity};
use super::search::shown;
use super::table::Writer;
use super::{Learndot, LearndotOptions, PERSON};
use crate::sandbox::life::Deed;
use crate::sandbox::org::Org;
use crate::sandbox::people::{Company, Kind, People, Person};
use crate::sandbox::platform::{Emulator, Founding, NewPerson};

/// What the vendor's package adds to the org.
const PACKAGE: &str = include_str!("../../../../assets/sandbox/objects/learndot.toml");

impl Learndot {
    /// A site as the sandbox wants it.
    pub fn found(founding: &Founding<'_>) -> Arc<dyn Emulator> {
        let options = LearndotOptions {
            seed: founding.seed,
            real_pace: founding.real_pace,
            ..LearndotOptions::default()
        };
        let site = Self::new(options, Arc::clone(founding.clock));
        site.found_school(founding.clock.now_ms());
        site
    }

    fn by_person(&self, entity: &str) -> Writer {
        self.creator(PERSON, entity)
    }
}

fn address(street: &str, zip: &str, city: &str) -> Value {
    Value::Object(filled([("street1", street), ("postalCode", zip), ("city", city), ("region", "")]))
}

impl Emulator for Learndot {
    fn router(self: Arc<Self>) -> Router {
        self.routes()
    }

    fn sign_in(&self, url: &str) -> Map<String, Value> {
        let fields = [
            ("endpoint", json!(url)),
            ("api_token", json!(self.options.token.0)),
            ("integration_user_id", json!(self.options.token.1.to_string())),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn org_schema(&self) -> Option<&'static str> {
        Some(PACKAGE)
    }

    fn org_mark(&self) -> Option<&'static str> {
        Some("Learndot_Id__c")
    }

    /// Learndot knows contacts; leads and person accounts have no twins there.
    fn takes(&self, kind: Kind) -> bool {
        kind == Kind::Contact
    }

    fn reserve_id(&self) -> String {
        (self.reserved.fetch_add(1, Ordering::Relaxed) + 1).to_string()
    }

    /// Two of three companies of the org are here; those with odd numbers an earlier integration has linked.
    fn seed_company(&self, company: &Company, number: u64, now: i64) -> Option<String> {
        if number % 3 == 2 {
            return None;
        }
        let mut fields = filled([
            ("name", &company.name),
            ("phone", &company.phone),
            ("url", &format!("https://www.{}", company.host)),
        ]);
        fields.insert("address".into(), address(&company.street, &company.zip, &company.city));
        let at = now - company.age;
        // The number of the company is its id, so that people can be put into it.
        let id = self.plant("organization", Some(number + 1), Value::Object(fields), (at, at));
        (number % 2 == 1).then(|| id.to_string())
    }

    fn seed_person(&self, new: NewPerson<'_>, now: i64) {
        let person = new.person;
        let id = new.id.as_deref().and_then(|id| id.parse().ok());
        let id = id.unwrap_or_else(|| self.reserved.fetch_add(1, Ordering::Relaxed) + 1);
        if new.deleted {
            return;
        }
        let mut fields = filled([
            ("email", &person.email),
            ("firstName", if person.given.is_empty() { "-" } else { &person.given }),
            ("lastName", &person.family),
            ("title", &person.title),
            ("department", &person.department),
            ("officePhone", &person.phone),
            ("mobilePhone", &person.phone),
            ("fax", &person.fax),
            ("externalId", new.org_id.unwrap_or_default()),
        ]);
        fields.insert("address".into(), address(&person.street, &person.zip, &person.city));
        fields.insert("enabled".into(), json!(true));
        let company = new.company.map(|number| number + 1);
        let known = company.filter(|id| self.record("organization", &id.to_string()).is_some());
        fields.insert("organizationId".into(), json!(known));
        let stamps = (now + person.created, now + person.modified);
        self.plant("contact", Some(id), Value::Object(fields), stamps);
    }

    fn seed_rest(&self, _people: &People, _org: &Arc<Org>, now: i64) {
        self.enrol(now);
    }

    fn live(&self, deed: Deed, person: &Person, known: &mut Vec<String>, at: usize) -> bool {
        if deed == Deed::Joined {
            let mut fields = filled([
                ("email", &person.email),
                ("firstName", &person.given),
                ("lastName", &person.family),
                ("mobilePhone", &person.phone),
            ]);
            fields.insert("address".into(), address("", "", &person.city));
            return self.upsert("contact", &fields).map(|id| known.push(id)).is_ok();
        }
        let Some(id) = known.get(at).cloned() else { return false };
        if deed == Deed::Deleted {
            known.swap_remove(at);
            return self.delete("contact", &id).is_ok();
        }
        let mut fields = match deed {
            Deed::Phone => filled([("mobilePhone", &person.phone)]),
            Deed::Moved => {
                let moved = address(&person.street, &person.zip, &person.city);
                Map::from_iter([("address".to_owned(), moved)])
            }
            Deed::Married => filled([("lastName", &person.family)]),
            Deed::OptedOut => Map::from_iter([("notes".to_owned(), json!("Wants no mail."))]),
            // What people do on such a site: they take a course, and pass it.
            Deed::Title | Deed::Joined | Deed::Deleted | Deed::Undeleted | Deed::Merged | Deed::Converted => {
                let contact: u64 = id.parse().unwrap_or_default();
                let course = contact % 8 + 1;
                let fields = Map::from_iter([
                    ("contactId".to_owned(), json!(contact)),
                    ("componentId".to_owned(), json!(course)),
                    ("status".to_owned(), json!("CONFIRMED")),
                ]);
                return self.upsert("enrolment", &fields).is_ok();
            }
        };
        fields.insert("id".into(), json!(id));
        let done = self.upsert("contact", &fields).is_ok();
        if !done {
            known.swap_remove(at);
        }
        done
    }

    fn objects(&self) -> &'static [&'static str] {
        &NAMES
    }

    fn records(&self, object: &str) -> Vec<Value> {
        let Some((place, shape)) = entity(object) else { return Vec::new() };
        self.held().of(place).into_iter().flatten().map(|(_, row)| shown(shape, row)).collect()
    }

    fn record(&self, object: &str, id: &str) -> Option<Value> {
        let (place, shape) = entity(object)?;
        let tables = self.held();
        let rows = tables.of(place)?;
        let row = match id.parse::<u64>() {
            Ok(id) => rows.get(&id),
            Err(_) => rows.values().find(|row| {
                let email =
                    row.fields.get("email").or_else(|| row.fields.get("name")).and_then(Value::as_str);
                email.is_some_and(|email| email.eq_ignore_ascii_case(id))
            }),
        };
        row.map(|row| shown(shape, row))
    }

    fn upsert(&self, object: &str, fields: &Map<String, Value>) -> Result<String, String> {
        let (place, shape) = entity(object).ok_or_else(|| format!("There is no entity {object}"))?;
        let named = fields.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
        let email = fields.get("email").and_then(Value::as_str).map(str::to_owned);
        let held = named.clone().or(email).and_then(|name| self.record(object, &name));
        let id = held.and_then(|held| held.get("id").and_then(Value::as_u64));
        let mut body = fields.clone();
        body.remove("id");
        let by =
            Writer { dated: id.is_some() || self.by_person(shape.name).dated, ..self.by_person(shape.name) };
        let mut tables = self.held_mut();
        let done = match (id, &named) {
            (Some(id), _) => tables.update(place, id, &body, by).map(|()| id),
            (None, Some(name)) => Err((404, format!("There is no {object} {name}"))),
            (None, None) => tables.create(place, &body, by),
        };
        done.map(|id| id.to_string()).map_err(|(_, words)| words)
    }

    fn delete(&self, object: &str, id: &str) -> Result<(), String> {
        let gone = || format!("There is no {object} {id}");
        if !is_entity(object) {
            return Err(gone());
        }
        let held = self.record(object, id).and_then(|held| held.get("id").and_then(Value::as_u64));
        let (place, _) = entity(object).ok_or_else(gone)?;
        match held {
            Some(id) if self.held_mut().remove(place, id) => Ok(()),
            Some(_) | None => Err(gone()),
        }
    }

    fn counts(&self) -> (usize, usize) {
        let tables = self.held();
        (tables.count("contact"), tables.deleted())
    }

    fn set_feed_delay_ms(&self, delay: i64) {
        self.feed_delay_ms.store(delay.max(0), Ordering::Relaxed);
    }
}
