//! The sandbox's own way in: who is there on the first day, what people do in the portal, and the dump.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use serde_json::{Map, Value, json};

use super::hooks::HOOKS;
use super::{Deployteq, DeployteqOptions, lock};
use crate::sandbox::life::Deed;
use crate::sandbox::org::Org;
use crate::sandbox::people::{Kind, People, Person};
use crate::sandbox::platform::{Emulator, Founding, NewPerson};

/// What the vendor's package adds to the org.
const PACKAGE: &str = include_str!("../../../../assets/sandbox/objects/deployteq.toml");

impl Deployteq {
    /// A portal as the sandbox wants it.
    pub fn found(founding: &Founding<'_>) -> Arc<dyn Emulator> {
        let options = DeployteqOptions {
            seed: founding.seed,
            real_pace: founding.real_pace,
            ..DeployteqOptions::default()
        };
        Self::new(options, Arc::clone(founding.clock))
    }

    fn named(&self, id: &str) -> Option<u64> {
        let customers = lock(&self.customers);
        match id.parse() {
            Ok(id) => customers.get(id).map(|_| id),
            Err(_) => customers.with("emailaddress", id).first().copied(),
        }
    }
}

fn filled<const N: usize>(fields: [(&str, &str); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), if value.is_empty() { Value::Null } else { json!(value) }))
        .collect()
}

fn address(person: &Person) -> Map<String, Value> {
    filled([
        ("address", &person.street),
        ("zipcode", &person.zip),
        ("city", &person.city),
        ("country", &person.country),
    ])
}

impl Emulator for Deployteq {
    fn router(self: Arc<Self>) -> Router {
        self.routes()
    }

    fn sign_in(&self, url: &str) -> Map<String, Value> {
        let hooks: Vec<String> = HOOKS
            .iter()
            .map(|name| format!("{name}={url}/app/api/rest/public/v2/project/datahook/data-receiver/{name}"))
            .collect();
        let fields = [
            ("endpoint", json!(url)),
            ("api_token", json!(self.options.api_token)),
            ("soap_endpoint", json!(url)),
            ("soap_token", json!(self.options.soap_token)),
            ("customer_changes", json!("poll")),
            ("webhooks", json!(hooks)),
            ("webhook_token", json!(self.options.webhook_token)),
            ("client_id", json!(self.options.client.0)),
            ("client_secret", json!(self.options.client.1)),
            ("token_endpoint", json!(format!("{url}/oauth2/token"))),
            ("events_endpoint", json!(format!("{url}/analytics-events"))),
            ("data_model_endpoint", json!(url)),
            ("push_secret", json!("sandbox-push-secret")),
            ("online_url", json!("https://view.sandbox.example/{content_id}/{customer_id}")),
            ("salesforce_calls_per_hour", json!(if self.options.real_pace { 3600 } else { 0 })),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn org_schema(&self) -> Option<&'static str> {
        Some(PACKAGE)
    }

    fn reserve_id(&self) -> String {
        (self.reserved.fetch_add(1, Ordering::Relaxed) + 1).to_string()
    }

    fn seed_person(&self, new: NewPerson<'_>, now: i64) {
        let person = new.person;
        let id = new.id.as_deref().and_then(|id| id.parse().ok());
        let id = id.unwrap_or_else(|| self.reserved.fetch_add(1, Ordering::Relaxed) + 1);
        if new.deleted {
            return;
        }
        let mut fields = filled([
            ("emailaddress", &person.email),
            ("firstname", &person.given),
            ("lastname", &person.family),
            ("jobtitle", &person.title),
            ("mobilephone", &person.phone),
            ("workphone", &person.phone),
            ("faxnumber", &person.fax),
            ("optin", if person.opted_out { "N" } else { "Y" }),
            ("externalid", new.org_id.unwrap_or_default()),
        ]);
        fields.extend(address(person));
        if new.kind != Some(Kind::PersonAccount) {
            fields.extend(filled([("companyname", &person.company_name)]));
        }
        if new.kind != Some(Kind::Lead)
            && let Some(day) = person.birthday
        {
            fields
                .insert("birthday".into(), json!(format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)));
        }
        let (status, own) = match new.kind {
            Some(Kind::PersonAccount) => ("CUSTOMER", "account_id"),
            Some(Kind::Contact) => ("CUSTOMER", "contact_id"),
            Some(Kind::Lead) => ("PROSPECT", "lead_id"),
            None => ("PROSPECT", ""),
        };
        fields.insert("status".into(), json!(status));
        if let Some(org_id) = new.org_id {
            fields.insert("options".into(), json!({own: org_id}));
        }
        let stamps = (now + person.created, now + person.modified);
        lock(&self.customers).plant(Some(id), fields, stamps);
    }

    fn seed_rest(&self, _people: &People, _org: &Arc<Org>, now: i64) {
        self.send_mailings(now);
    }

    fn live(&self, deed: Deed, person: &Person, known: &mut Vec<String>, at: usize) -> bool {
        if deed == Deed::Joined {
            let mut fields = filled([
                ("emailaddress", &person.email),
                ("firstname", &person.given),
                ("lastname", &person.family),
                ("mobilephone", &person.phone),
                ("optin", "Y"),
            ]);
            fields.extend(address(person));
            return self.upsert("customer", &fields).map(|id| known.push(id)).is_ok();
        }
        let Some(id) = known.get(at).cloned() else { return false };
        if deed == Deed::Deleted {
            known.swap_remove(at);
            return self.delete("customer", &id).is_ok();
        }
        let mut fields = match deed {
            Deed::Phone => filled([("mobilephone", &person.phone)]),
            Deed::Moved => address(person),
            Deed::Married => filled([("lastname", &person.family)]),
            Deed::OptedOut => filled([("optin", "N")]),
            Deed::Title | Deed::Joined | Deed::Deleted | Deed::Undeleted | Deed::Merged | Deed::Converted => {
                return id.parse().is_ok_and(|id| self.open_again(id));
            }
        };
        fields.insert("id".into(), json!(id));
        let done = self.upsert("customer", &fields).is_ok();
        if !done {
            known.swap_remove(at);
        }
        done
    }

    fn objects(&self) -> &'static [&'static str] {
        &["customer", "event", "account", "campaign", "campaignmember"]
    }

    fn records(&self, object: &str) -> Vec<Value> {
        match object {
            "customer" => {
                let customers = lock(&self.customers);
                customers.all().filter_map(|(id, _)| customers.shown(id)).collect()
            }
            "event" => lock(&self.events).all().cloned().collect(),
            table => {
                let hooks = lock(&self.hooks);
                let rows = hooks.held.get(table).into_iter().flat_map(|hook| &hook.rows);
                rows.map(|(id, row)| {
                    let mut row = row.clone();
                    row.insert("clang_id".into(), json!(id));
                    Value::Object(row)
                })
                .collect()
            }
        }
    }

    fn record(&self, object: &str, id: &str) -> Option<Value> {
        if object == "customer" {
            let id = self.named(id)?;
            return lock(&self.customers).shown(id);
        }
        let key = if object == "event" { "uuid" } else { "clang_id" };
        self.records(object)
            .into_iter()
            .find(|row| row[key].as_str() == Some(id) || row["Id"].as_str() == Some(id))
    }

    /// A customer; an event by its `metric`, happening now or at `at` (milliseconds); or a receiver (`hook`) that is mapped by its `name`,
    /// that of customers with the field that is ticked (`unique`), and whether it `keeps` what it is not sent; that of a table with the
    /// one that it lies `within` and the `field` that names what contains a row.
    fn upsert(&self, object: &str, fields: &Map<String, Value>) -> Result<String, String> {
        let now = self.clock.now_ms();
        match object {
            "customer" => {
                let named =
                    fields.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
                let mut body = fields.clone();
                body.remove("id");
                let id = match &named {
                    Some(name) => {
                        Some(self.named(name).ok_or_else(|| format!("There is no customer {name}"))?)
                    }
                    None => None,
                };
                let mut customers = lock(&self.customers);
                let done = match id {
                    Some(id) => customers.update(id, &body, now).map(|()| id),
                    None => customers.create(&body, now),
                };
                done.map(|id| id.to_string()).map_err(|(_, words)| words)
            }
            "event" => {
                let metric = fields.get("metric").and_then(Value::as_str).unwrap_or("sends").to_owned();
                let at = fields.get("at").and_then(Value::as_i64).unwrap_or(now);
                let mut fields = fields.clone();
                fields.remove("at");
                Ok(lock(&self.events).add(&metric, at, &fields))
            }
            "hook" => {
                let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
                let mapped = fields.get("mapped").and_then(Value::as_bool).unwrap_or(true);
                match lock(&self.hooks).held.get_mut(name) {
                    Some(hook) if hook.first.is_some() || !mapped => {
                        hook.mapped = mapped;
                        if let Some(unique) = fields.get("unique").and_then(Value::as_str) {
                            unique.clone_into(&mut hook.unique);
                        }
                        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
                        if let (Some(within), Some(field)) = (text("within"), text("field")) {
                            hook.within = Some((within, field));
                        }
                        hook.keeps = fields.get("keeps").and_then(Value::as_bool).unwrap_or(hook.keeps);
                        Ok(name.to_owned())
                    }
                    Some(_) => Err(format!("The receiver {name} waits for its first record")),
                    None => Err(format!("There is no receiver {name}")),
                }
            }
            other => Err(format!("There is no object {other}")),
        }
    }

    fn delete(&self, object: &str, id: &str) -> Result<(), String> {
        let gone = || format!("There is no {object} {id}");
        if object == "customer" {
            let id = self.named(id).ok_or_else(gone)?;
            return if lock(&self.customers).remove(id) { Ok(()) } else { Err(gone()) };
        }
        let mut hooks = lock(&self.hooks);
        let row = hooks.held.get_mut(object).and_then(|hook| hook.rows.remove(id));
        row.map(drop).ok_or_else(gone)
    }

    fn counts(&self) -> (usize, usize) {
        let customers = lock(&self.customers);
        (customers.len(), customers.deleted)
    }

    fn set_job_polls(&self, polls: u32) {
        self.job_polls.store(polls, Ordering::Relaxed);
    }
}
