//! The sandbox's own way in: who is there on the first day, what people do in the app, and the dump.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use serde_json::{Map, Value, json};

use super::activities::Activity;
use super::records::{Held, Stored, located};
use super::workflow::{STAGES, User, field_named};
use super::{PERSON, Spotio, SpotioOptions, from_iso, iso, record_id, shown};
use crate::sandbox::life::Deed;
use crate::sandbox::org::Org;
use crate::sandbox::people::{Company, Kind, People, Person};
use crate::sandbox::platform::{Emulator, Founding, NewPerson};

/// The field by which records of the org know their twins.
const PACKAGE: &str = include_str!("../../../../assets/sandbox/objects/spotio.toml");

/// The parts of a place, as steering names them.
const PLACE: [&str; 7] = ["street", "zip", "city", "state", "country", "lat", "lng"];

impl Spotio {
    /// An account as the sandbox wants it.
    pub fn found(founding: &Founding<'_>) -> Arc<dyn Emulator> {
        let options = SpotioOptions { real_pace: founding.real_pace, ..SpotioOptions::default() };
        let account = Self::new(options, Arc::clone(founding.clock));
        account.found_on(founding.clock.now_ms());
        account
    }

    /// Notes the day of the set-up.
    fn found_on(&self, now: i64) {
        self.founded.store(now, Ordering::Relaxed);
    }

    fn plant(
        &self,
        id: String,
        kind: u32,
        fields: &[(&str, &str)],
        place: &Map<String, Value>,
        stamps: (i64, i64),
    ) {
        let fields = fields.iter().filter(|(_, text)| !text.is_empty());
        let record = Stored {
            kind,
            stage: 1,
            owner: PERSON,
            pin: located(place),
            source: Some("Import".into()),
            external: None,
            fields: fields
                .filter_map(|(name, text)| Some((field_named(name)?.id, Held::One((*text).to_owned()))))
                .collect(),
            created: (stamps.0, PERSON),
            updated: (stamps.1, PERSON),
            staged: (stamps.0, PERSON),
        };
        self.held_mut().records.insert(id, record);
    }
}

fn place(street: &str, zip: &str, city: &str, country: &str) -> Map<String, Value> {
    let parts = [("street", street), ("zip", zip), ("city", city), ("country", country)];
    parts.into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect()
}

fn type_of(object: &str) -> Option<u32> {
    match object.to_ascii_lowercase().as_str() {
        "lead" => Some(1),
        "account" => Some(2),
        _ => None,
    }
}

impl Emulator for Spotio {
    fn router(self: Arc<Self>) -> Router {
        self.routes()
    }

    fn sign_in(&self, url: &str) -> Map<String, Value> {
        let fields = [
            ("endpoint", json!(url)),
            ("client_id", json!(self.options.key.0)),
            ("client_secret", json!(self.options.key.1)),
            ("activities_since", json!(iso(self.founded.load(Ordering::Relaxed)))),
            ("integration_user_id", json!(self.options.key.2.to_string())),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn org_schema(&self) -> Option<&'static str> {
        Some(PACKAGE)
    }

    fn org_mark(&self) -> Option<&'static str> {
        Some("SPOTIO_Id__c")
    }

    /// People of the org are here as leads; contacts and person accounts have no twins.
    fn takes(&self, kind: Kind) -> bool {
        kind == Kind::Lead
    }

    fn reserve_id(&self) -> String {
        record_id(self.next())
    }

    /// Every third company of the org is a record of the other type, linked by an earlier integration.
    fn seed_company(&self, company: &Company, number: u64, now: i64) -> Option<String> {
        if !number.is_multiple_of(3) {
            return None;
        }
        let id = self.reserve_id();
        let at = now - company.age;
        let fields = [("Company", company.name.as_str()), ("Phone", company.phone.as_str())];
        let place = place(&company.street, &company.zip, &company.city, &company.country);
        self.plant(id.clone(), 2, &fields, &place, (at, at));
        Some(id)
    }

    fn link_company(&self, id: &str, org_id: &str) {
        if let Some(record) = self.held_mut().records.get_mut(id) {
            record.external = Some(org_id.to_owned());
        }
    }

    fn seed_person(&self, new: NewPerson<'_>, now: i64) {
        if new.deleted {
            return;
        }
        let person = new.person;
        let id = new.id.unwrap_or_else(|| self.reserve_id());
        let fields = [
            ("FirstName", person.given.as_str()),
            ("LastName", person.family.as_str()),
            ("Company", person.company_name.as_str()),
            ("Phone", person.phone.as_str()),
            ("Email", person.email.as_str()),
            ("Title", person.title.as_str()),
        ];
        let place = place(&person.street, &person.zip, &person.city, &person.country);
        self.plant(id.clone(), 1, &fields, &place, (now + person.created, now + person.modified));
        if let (Some(org_id), Some(record)) = (new.org_id, self.held_mut().records.get_mut(&id)) {
            record.external = Some(org_id.to_owned());
        }
    }

    /// Who works in both is known by the org's id; and everybody has been visited long ago.
    fn seed_rest(&self, _people: &People, org: &Arc<Org>, now: i64) {
        let known = [(1, org.integration_user_id()), (PERSON, org.person_user_id())];
        let mut held = self.held_mut();
        for (id, external) in known {
            if let Some(user) = held.users.iter_mut().find(|user| user.id == id) {
                user.external = Some(external);
            }
        }
        let visited: Vec<String> = held.records.keys().step_by(5).cloned().collect();
        for record in visited {
            let at = now - 40 * 86_400_000;
            let visit = Activity {
                record,
                kind: "Event".into(),
                template: Some(2),
                title: Some("First visit".into()),
                date: at,
                done: true,
                owner: PERSON,
                created: at,
                updated: at,
                ..Activity::default()
            };
            let id = self.next();
            held.activities.insert(id, visit);
        }
    }

    fn live(&self, deed: Deed, person: &Person, known: &mut Vec<String>, at: usize) -> bool {
        if deed == Deed::Joined {
            let fields = json!({
                "firstName": person.given, "lastName": person.family, "email": person.email, "phone": person.phone,
                "company": person.company_name, "street": person.street, "zip": person.zip, "city": person.city,
                "country": person.country,
            });
            let fields = fields.as_object().cloned().unwrap_or_default();
            return self.upsert("lead", &fields).map(|id| known.push(id)).is_ok();
        }
        let Some(id) = known.get(at).cloned() else { return false };
        if deed == Deed::Deleted {
            known.swap_remove(at);
            return self.delete("lead", &id).is_ok();
        }
        let fields = match deed {
            Deed::Phone => json!({"phone": person.phone}),
            Deed::Moved => json!({
                "street": person.street, "zip": person.zip, "city": person.city, "country": person.country,
            }),
            Deed::Married => json!({"lastName": person.family}),
            Deed::OptedOut => json!({"stage": "Not Interested"}),
            // What people do with such an app: they go there, and note it.
            Deed::Title | Deed::Joined | Deed::Deleted | Deed::Undeleted | Deed::Merged | Deed::Converted => {
                let visit = json!({"recordId": id, "title": "Visit", "notes": person.title, "done": true});
                let visit = visit.as_object().cloned().unwrap_or_default();
                return self.upsert("activity", &visit).is_ok();
            }
        };
        let mut fields = fields.as_object().cloned().unwrap_or_default();
        fields.insert("id".into(), json!(id));
        let done = self.upsert("lead", &fields).is_ok();
        if !done {
            known.swap_remove(at);
        }
        done
    }

    fn objects(&self) -> &'static [&'static str] {
        &["lead", "account", "activity"]
    }

    fn records(&self, object: &str) -> Vec<Value> {
        let held = self.held();
        match type_of(object) {
            Some(kind) => held
                .records
                .iter()
                .filter(|(_, record)| record.kind == kind)
                .map(|(id, record)| shown::plain(id, record, &held.users))
                .collect(),
            None if object == "activity" => {
                held.activities.iter().map(|(id, activity)| activity.whole(*id)).collect()
            }
            None => Vec::new(),
        }
    }

    fn record(&self, object: &str, id: &str) -> Option<Value> {
        let held = self.held();
        let Some(kind) = type_of(object) else {
            let number: u64 = id.parse().ok()?;
            return held.activities.get(&number).map(|activity| activity.whole(number));
        };
        if let Some(record) = held.records.get(id) {
            return (record.kind == kind).then(|| shown::plain(id, record, &held.users));
        }
        let named = |record: &Stored| {
            record.kind == kind
                && (record.role("Email").eq_ignore_ascii_case(id)
                    || record.role("Company").eq_ignore_ascii_case(id))
        };
        let (id, record) = held.records.iter().find(|(_, record)| named(record))?;
        Some(shown::plain(id, record, &held.users))
    }

    fn upsert(&self, object: &str, fields: &Map<String, Value>) -> Result<String, String> {
        let now = self.clock.now_ms();
        let named = fields.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
        let Some(kind) = type_of(object) else {
            return match object {
                "activity" => self.act(named.as_deref(), fields, now),
                "user" => self.know(fields),
                _ => Err(format!("There is no object {object}")),
            };
        };
        let email = fields.get("email").and_then(Value::as_str).map(str::to_owned);
        let known = named.clone().or(email).and_then(|name| self.record(object, &name));
        let id = known.and_then(|held| held.get("id").and_then(Value::as_str).map(str::to_owned));
        if named.is_some() && id.is_none() {
            return Err(format!("There is no {object} {}", named.unwrap_or_default()));
        }
        let id = id.unwrap_or_else(|| self.reserve_id());
        let mut held = self.held_mut();
        let mut record = held.records.get(&id).cloned().unwrap_or_else(|| Stored {
            kind,
            stage: 1,
            owner: PERSON,
            pin: None,
            source: None,
            external: None,
            fields: std::collections::BTreeMap::new(),
            created: (now, PERSON),
            updated: (now, PERSON),
            staged: (now, PERSON),
        });
        let mut place = record.pin.clone().unwrap_or_default();
        let mut moved = false;
        for (name, value) in fields {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match name.as_str() {
                "id" => {}
                "stage" => {
                    let stage = STAGES.iter().find(|(_, known, _)| *known == text);
                    record.stage = stage.ok_or_else(|| format!("There is no stage {text}"))?.0;
                    record.staged = (now, PERSON);
                }
                "ownerId" => record.owner = text.parse().unwrap_or(PERSON),
                "source" => record.source = Some(text),
                part if PLACE.contains(&part) => {
                    place.insert(part.to_owned(), value.clone());
                    moved = true;
                }
                other => {
                    let field = field_named(other).ok_or_else(|| format!("There is no field {other}"))?;
                    match value {
                        Value::Null => drop(record.fields.remove(&field.id)),
                        Value::Array(list) => {
                            let several = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                            record.fields.insert(field.id, Held::Several(several));
                        }
                        _ if text.is_empty() => drop(record.fields.remove(&field.id)),
                        _ => drop(record.fields.insert(field.id, Held::One(text))),
                    }
                }
            }
        }
        if moved {
            if !fields.contains_key("lat") {
                place.remove("lat");
                place.remove("lng");
            }
            record.pin = located(&place);
        }
        record.updated = (now, PERSON);
        let known = held.records.insert(id.clone(), record).is_some();
        held.tell_record(if known { "lead.updated" } else { "lead.added" }, &id, now);
        Ok(id)
    }

    fn delete(&self, object: &str, id: &str) -> Result<(), String> {
        let gone = || format!("There is no {object} {id}");
        let held = self.record(object, id).ok_or_else(gone)?;
        let id = held.get("id").and_then(Value::as_str).ok_or_else(gone)?.to_owned();
        if type_of(object).is_some() {
            return self.held_mut().delete(&id, PERSON, self.clock.now_ms()).map_err(|(_, _, words)| words);
        }
        let number: u64 = id.parse().map_err(|_odd| gone())?;
        self.held_mut().activities.remove(&number).map(drop).ok_or_else(gone)
    }

    fn counts(&self) -> (usize, usize) {
        let held = self.held();
        (held.records.len(), held.deleted.len())
    }

    fn set_job_polls(&self, polls: u32) {
        self.job_polls.store(polls, Ordering::Relaxed);
    }

    fn set_delivery_copies(&self, copies: u32) {
        self.copies.store(copies, Ordering::Relaxed);
    }

    fn set_feed_delay_ms(&self, delay: i64) {
        self.feed_delay_ms.store(delay.max(0), Ordering::Relaxed);
    }
}

impl Spotio {
    /// Makes somebody a user who is one of the org (`orgUserId`), or says anew who that is.
    fn know(&self, fields: &Map<String, Value>) -> Result<String, String> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let external = text("orgUserId").ok_or("A user needs its orgUserId")?;
        let mut held = self.held_mut();
        let next = held.users.iter().map(|user| user.id).max().unwrap_or_default() + 1;
        let email = text("email").unwrap_or_else(|| format!("user{next}@acme.example"));
        let known = held.users.iter_mut().find(|user| user.external.as_ref() == Some(&external));
        if let Some(user) = known {
            user.email = email;
            return Ok(user.id.to_string());
        }
        let name = (text("firstName").unwrap_or_default(), text("lastName").unwrap_or_default());
        held.users.push(User { id: next, email, name, role: "SalesRep", external: Some(external) });
        Ok(next.to_string())
    }

    /// Makes an activity, or changes one that is not done yet.
    fn act(&self, named: Option<&str>, fields: &Map<String, Value>, now: i64) -> Result<String, String> {
        let id = match named {
            Some(name) => name.parse::<u64>().map_err(|_odd| format!("There is no activity {name}"))?,
            None => self.next(),
        };
        let mut body = fields.clone();
        body.remove("id");
        if let Some(record) = body.remove("recordId") {
            body.insert("dataObjectId".into(), record);
        }
        // Somebody who enters something old: only here, the service does not take it.
        let made = body.remove("createdAt").and_then(|text| from_iso(text.as_str()?));
        let mut held = self.held_mut();
        held.put_activity(id, &body, (PERSON, now)).map_err(|(_, what, words)| format!("{what}: {words}"))?;
        if let (Some(made), Some(activity)) = (made, held.activities.get_mut(&id)) {
            activity.created = made;
        }
        Ok(id.to_string())
    }
}
