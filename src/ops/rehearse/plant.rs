//! Puts the sample into the sandbox. Ids are new there, so that every value that was the id of a sampled record becomes its new one; the
//! platform's records go in through its own client, the org's as they stand, stamps included.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::connect::salesforce::full_id;
use crate::domain::clock::Clock;
use crate::domain::mapping::{Mapping, SideEffects};
use crate::domain::port::{PortError, RowResult, WriteBatch, WriteKind, WriteRow, Written};
use crate::domain::profile::Profile;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::rehearsal::Uncopied;
use crate::domain::schema::{FieldKind, ObjectSchema};
use crate::domain::side::Side;
use crate::domain::transform::Transform;
use crate::domain::value::Value;
use crate::ops::rehearse::sample::{Ends, Sample, Sampled};
use crate::sandbox::Sandbox;

/// Real ids and those of the sandbox.
#[derive(Default)]
pub(super) struct Ids {
    there: HashMap<String, String>,
    here: HashMap<String, String>,
}

impl Ids {
    fn put(&mut self, real: &str, copy: &str) {
        self.there.insert(real.to_owned(), copy.to_owned());
        self.here.insert(copy.to_owned(), real.to_owned());
    }

    fn copy_of(&self, real: &str) -> Option<&String> {
        self.there.get(real).or_else(|| self.there.get(full_id(real)?.as_str()))
    }

    /// The real id of a record of the sandbox; none for one that only the rehearsal made.
    pub(super) fn real(&self, copy: &RecordId) -> Option<RecordId> {
        self.here.get(copy.as_str()).map(|real| RecordId::new(real.as_str()))
    }

    /// The id of a record's copy.
    pub(super) fn copy(&self, real: &RecordId) -> Option<RecordId> {
        self.there.get(real.as_str()).map(|copy| RecordId::new(copy.as_str()))
    }

    /// A value of the sandbox with real ids.
    pub(super) fn told(&self, value: &Value) -> Value {
        let real = value.as_text().and_then(|text| self.here.get(text));
        real.map_or_else(|| value.clone(), |real| Value::text(real.as_str()))
    }

    /// A text of the settings, with the ids of the sandbox in the place of real ones.
    fn turn(&self, json: &mut Json) {
        match json {
            Json::String(text) => {
                if let Some(copy) = self.copy_of(text) {
                    text.clone_from(copy);
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.turn(item)),
            Json::Object(entries) => {
                *entries = std::mem::take(entries)
                    .into_iter()
                    .map(|(name, mut value)| {
                        self.turn(&mut value);
                        (self.copy_of(&name).cloned().unwrap_or(name), value)
                    })
                    .collect();
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// The mapping with the ids of the sandbox.
    pub(super) fn mapping(&self, mapping: &Mapping) -> Mapping {
        let mut json = serde_json::to_value(mapping).unwrap_or_default();
        self.turn(&mut json);
        serde_json::from_value(json).unwrap_or_else(|_unchanged| mapping.clone())
    }
}

/// What is planted, and where.
pub(super) struct Planting<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) ends: &'a Ends,
    pub(super) sample: &'a Sample,
    pub(super) mappings: &'a [Mapping],
    pub(super) profile: Option<&'static Profile>,
    pub(super) clock: &'a dyn Clock,
    pub(super) uncopied: &'a mut Vec<Uncopied>,
}

impl Planting<'_> {
    /// Plants both sides; the ids.
    pub(super) async fn plant(mut self) -> Ids {
        let mut ids = Ids::default();
        let of = |side: Side| self.sample.objects.iter().filter(move |sampled| sampled.side == side);
        let mut org: Vec<&Sampled> = of(Side::Org).collect();
        // Accounts that are people make contacts of their own, which come before the sampled ones.
        org.sort_by_key(|sampled| !sampled.schema.name.eq_ignore_ascii_case("Account"));
        let people = org.iter().filter(|sampled| sampled.schema.name.eq_ignore_ascii_case("Account"));
        let shadows: usize = people
            .map(|accounts| accounts.records.iter().filter(|record| is_person(accounts, record)).count())
            .sum();
        for sampled in &org {
            let name = sampled.schema.name.as_str();
            let after = if name.eq_ignore_ascii_case("Contact") { shadows } else { 0 };
            let rows = sampled.records.iter().filter(|record| !is_shadow(sampled, record));
            let count = rows.clone().count();
            for (record, copy) in rows.zip(self.sandbox.org().ids_to_come(name, after, count)) {
                ids.put(record.id.as_str(), &copy);
            }
        }
        self.plant_users(&ids);
        let mut platform: Vec<&Sampled> = of(Side::Platform).collect();
        platform.sort_by_key(|sampled| !self.is_target(&sampled.schema.name));
        for sampled in platform {
            self.plant_on_platform(sampled, &mut ids).await;
        }
        for sampled in org {
            let rows: Vec<Map<String, Json>> = sampled
                .records
                .iter()
                .filter(|record| !is_shadow(sampled, record))
                .map(|record| row(sampled, record, &ids))
                .collect();
            let expected = rows.len();
            let planted = self.sandbox.org().seed_rows(&sampled.schema.name, &rows).len();
            if planted < expected {
                self.tell(sampled, expected - planted, "the sandbox's org did not take them");
            }
        }
        ids
    }

    fn tell(&mut self, sampled: &Sampled, count: usize, why: &str) {
        let noun = if count == 1 { "record" } else { "records" };
        self.uncopied.push(Uncopied {
            mapping: None,
            what: format!("{count} {noun} of {}", sampled.schema.name),
            why: why.to_owned(),
        });
    }

    /// Makes the users of the org known where the platform's records name them.
    fn plant_users(&mut self, ids: &Ids) {
        let names_users = |profile: &&Profile| {
            profile.objects.iter().any(|object| object.org_user_fields().next().is_some())
        };
        let Some(users) = self.profile.filter(names_users).and_then(|_| self.sample.get(Side::Org, "User"))
        else {
            return;
        };
        let mut refused: BTreeMap<String, usize> = BTreeMap::new();
        for user in &users.records {
            let Some(copy) = ids.copy(&user.id) else { continue };
            let mut fields = Map::from_iter([("orgUserId".to_owned(), Json::String(copy.to_string()))]);
            for (theirs, ours) in [("Email", "email"), ("FirstName", "firstName"), ("LastName", "lastName")] {
                let held = users.value(user, theirs).filter(|value| !value.is_blank());
                fields.extend(held.map(|value| (ours.to_owned(), Json::String(value.to_string()))));
            }
            if let Err(why) = self.sandbox.platform().upsert("user", &fields) {
                *refused.entry(why).or_default() += 1;
            }
        }
        for (why, count) in refused {
            self.tell(
                users,
                count,
                &format!("they could not be made users of the platform's sandbox: {why}"),
            );
        }
    }

    /// Whether references of the platform lead to this object.
    fn is_target(&self, object: &str) -> bool {
        let pairs = self.mappings.iter().flat_map(|mapping| &mapping.pairs);
        pairs.into_iter().any(|pair| {
            matches!(&pair.transform, Transform::Reference(target) if target.eq_ignore_ascii_case(object))
        })
    }

    async fn plant_on_platform(&mut self, sampled: &Sampled, ids: &mut Ids) {
        if sampled.records.is_empty() {
            return;
        }
        let schema = &sampled.schema;
        let writable = |name: &&str| schema.field(name).is_none_or(|field| field.createable);
        let names = sampled.selection.names().iter().map(AsRef::as_ref);
        let selection = Selection::new(names.filter(writable).collect::<Vec<&str>>());
        let consent: Vec<usize> = self
            .profile
            .and_then(|profile| profile.object(&schema.name))
            .map(|object| object.consent_fields().filter_map(|name| selection.position(name)).collect())
            .unwrap_or_default();
        let keys = self.key_of(&schema.name);
        let most = self.ends.platform.capabilities(&schema.name).write_batch.max(1);
        let mut refused: BTreeMap<String, usize> = BTreeMap::new();
        for records in sampled.records.chunks(most) {
            let value = |record: &Record, name: &str| -> Option<Value> {
                sampled.value(record, name).map(|value| moved(value, ids)).filter(|value| !value.is_blank())
            };
            let rows = records
                .iter()
                .map(|record| WriteRow {
                    id: None,
                    values: selection.names().iter().map(|name| value(record, name)).collect(),
                    key: keys.iter().map(|name| value(record, name).unwrap_or_default()).collect(),
                })
                .collect();
            let batch = WriteBatch {
                object: schema.name.clone(),
                kind: WriteKind::Create,
                selection: selection.clone(),
                rows,
                read_back: Selection::default(),
                mark: None,
                consent: consent.clone(),
                effects: SideEffects::default(),
            };
            match self.send(&batch).await {
                Err(error) => *refused.entry(error.message).or_default() += records.len(),
                Ok(results) => {
                    let missing = records.len().saturating_sub(results.len());
                    let results = results.into_iter().chain(std::iter::repeat_n(RowResult::Unknown, missing));
                    for (record, result) in records.iter().zip(results) {
                        match result {
                            RowResult::Done { id, .. } => ids.put(record.id.as_str(), id.as_str()),
                            RowResult::Refused(error) => *refused.entry(error.message).or_default() += 1,
                            RowResult::Unknown => {
                                *refused.entry("the sandbox gave no answer".into()).or_default() += 1;
                            }
                        }
                    }
                }
            }
        }
        for (why, count) in refused {
            self.tell(sampled, count, &why);
        }
    }

    fn key_of(&self, object: &str) -> Vec<String> {
        let of_object = self.mappings.iter().find(|one| one.platform_object.eq_ignore_ascii_case(object));
        let keys = of_object.into_iter().flat_map(|mapping| mapping.pairs.iter().filter(|pair| pair.key));
        keys.flat_map(|pair| pair.platform.iter().cloned()).collect()
    }

    async fn send(&self, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        let sink = self.ends.platform.as_ref();
        match sink.write(batch).await? {
            Written::Rows(rows) => Ok(rows),
            Written::Prepared(job) => sink.carry_out(&job, batch).await,
            Written::Accepted(job) => loop {
                self.clock.sleep(Duration::from_millis(50)).await;
                if let Some(rows) = sink.poll(&job).await? {
                    return Ok(rows);
                }
            },
        }
    }
}

fn flag(sampled: &Sampled, record: &Record) -> bool {
    sampled.value(record, "IsPersonAccount") == Some(&Value::Bool(true))
}

fn is_person(sampled: &Sampled, record: &Record) -> bool {
    sampled.schema.name.eq_ignore_ascii_case("Account") && flag(sampled, record)
}

/// Whether the record comes into being with its account.
fn is_shadow(sampled: &Sampled, record: &Record) -> bool {
    sampled.schema.name.eq_ignore_ascii_case("Contact") && flag(sampled, record)
}

/// A value with the sandbox's id where it was the id of a sampled record.
fn moved(value: &Value, ids: &Ids) -> Value {
    let copy = value.as_text().and_then(|text| ids.copy_of(text));
    copy.map_or_else(|| value.clone(), |copy| Value::text(copy.as_str()))
}

/// A row of the org as the sandbox takes it.
fn row(sampled: &Sampled, record: &Record, ids: &Ids) -> Map<String, Json> {
    let mut row = Map::new();
    for name in sampled.selection.names() {
        let Some(value) = sampled.value(record, name) else { continue };
        let is_reference = is_reference(&sampled.schema, name);
        let value = moved(value, ids);
        // What leads to nobody here is blank here.
        let known = !is_reference || value.as_text().is_none_or(|text| ids.here.contains_key(text));
        if known && !value.is_blank() {
            let json = match value {
                Value::Set(parts) => Json::String(parts.join(";")),
                other => other.to_json(),
            };
            row.insert(name.to_string(), json);
        }
    }
    if let Some(stamp) = record.stamp {
        for field in ["LastModifiedDate", "SystemModstamp"] {
            row.insert(
                field.into(),
                Json::String(stamp.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
            );
        }
    }
    row
}

fn is_reference(schema: &ObjectSchema, name: &str) -> bool {
    schema.field(name).is_some_and(|field| field.kind == FieldKind::Reference)
}
