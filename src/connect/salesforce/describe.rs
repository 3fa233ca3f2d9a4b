//! What the org says about its objects, read once and then only when it changed.
//!
//! Describes are large, so they are kept with their date and asked for conditionally; feeds carry that question along at no
//! extra call. Fields of a parent (`Account.Name`) are listed with their object, as far as the parent is known.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::composite::{self, MOST_PARTS, Part, PartReply};
use super::convert::kind_of;
use super::errors::senseless;
use super::session::Door;
use crate::connect::http::{Idempotency, http_date};
use crate::domain::port::PortError;
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};

/// Objects that most others point to; asked for along with the first describe, so that their fields can be chosen at once.
const USUAL_PARENTS: [&str; 2] = ["Account", "User"];
/// Of a user, only what says who it is.
const USER_FIELDS: [&str; 9] =
    ["Name", "FirstName", "LastName", "Email", "Username", "Alias", "Phone", "Title", "EmployeeNumber"];
/// References whose parents say nothing about the record.
const DULL_REFERENCES: [&str; 3] = ["CreatedBy", "LastModifiedBy", "MasterRecord"];
/// Most custom parents that are described without having been asked for.
const MOST_CUSTOM_PARENTS: usize = 20;
/// A feed asks again about describes that are older than this.
const CARRIED_AFTER: TimeDelta = TimeDelta::seconds(60);

/// A describe as it is kept between processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedSchema {
    /// The object's own fields.
    pub schema: ObjectSchema,
    /// Whether the org tells its deletions.
    pub replicateable: bool,
    /// The date to ask with.
    pub last_modified: String,
    /// When it was last known to be true, on our clock.
    pub validated_at: DateTime<Utc>,
}

/// All describes that are known.
#[derive(Debug)]
pub(super) struct Schemas {
    freshness: Duration,
    known: Mutex<Known>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    objects: HashMap<String, Arc<CachedSchema>>,
    missing: HashMap<String, DateTime<Utc>>,
}

/// What is known at one moment; resolves names and paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    objects: HashMap<String, Arc<CachedSchema>>,
}

/// A field that a name or path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    /// The path in the org's own spelling.
    pub(super) path: String,
    pub(super) kind: FieldKind,
    pub(super) length: Option<u32>,
}

impl Catalog {
    pub(super) fn object(&self, name: &str) -> Option<&CachedSchema> {
        self.objects.get(&name.to_ascii_lowercase()).map(Arc::as_ref)
    }

    /// Follows a path such as `Account.Owner.Name` from an object.
    pub(super) fn resolve(&self, object: &str, path: &str) -> Option<Resolved> {
        let schema = &self.object(object)?.schema;
        match path.split_once('.') {
            None => {
                let field = schema.field(path)?;
                Some(Resolved { path: field.name.clone(), kind: field.kind, length: field.length })
            }
            Some((relationship, rest)) => {
                let reference = reference_called(schema, relationship)?;
                let name = reference.relationship.as_deref()?;
                let found = reference.references.iter().find_map(|target| self.resolve(target, rest))?;
                Some(Resolved { path: format!("{name}.{}", found.path), ..found })
            }
        }
    }

    /// Parents that a path leads through and that are not known yet.
    fn unknown_parents(&self, object: &str, path: &str, into: &mut BTreeSet<String>) {
        let Some((relationship, rest)) = path.split_once('.') else { return };
        let Some(reference) =
            self.object(object).and_then(|known| reference_called(&known.schema, relationship))
        else {
            return;
        };
        for target in &reference.references {
            if self.object(target).is_some() {
                self.unknown_parents(target, rest, into);
            } else {
                into.insert(target.clone());
            }
        }
    }
}

fn reference_called<'a>(schema: &'a ObjectSchema, relationship: &str) -> Option<&'a FieldSchema> {
    schema.fields.iter().find(|field| {
        field.relationship.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(relationship))
    })
}

impl Schemas {
    pub(super) fn new(freshness: Duration) -> Self {
        Self { freshness, known: Mutex::default() }
    }

    pub(super) fn export(&self) -> Vec<CachedSchema> {
        let mut all: Vec<CachedSchema> =
            self.lock().objects.values().map(|cached| cached.as_ref().clone()).collect();
        all.sort_by(|left, right| left.schema.name.cmp(&right.schema.name));
        all
    }

    pub(super) fn import(&self, kept: Vec<CachedSchema>) {
        let mut known = self.lock();
        for cached in kept {
            known.objects.entry(cached.schema.name.to_ascii_lowercase()).or_insert_with(|| Arc::new(cached));
        }
    }

    pub(super) fn distrust(&self) {
        let mut known = self.lock();
        known.missing.clear();
        for cached in known.objects.values_mut() {
            Arc::make_mut(cached).validated_at = DateTime::UNIX_EPOCH;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn catalog(&self) -> Catalog {
        Catalog { objects: self.lock().objects.clone() }
    }

    /// The schemas of these objects, with the fields of known parents; unknown objects are left out.
    pub(super) async fn describe(
        &self,
        door: &Door,
        objects: &[String],
    ) -> Result<Vec<ObjectSchema>, PortError> {
        let mut wanted: Vec<String> = objects.to_vec();
        if !objects.is_empty() {
            wanted.extend(USUAL_PARENTS.iter().map(|name| (*name).to_owned()));
        }
        self.fetch(door, &self.stale(&wanted, door.now())).await?;
        let catalog = self.catalog();
        let custom: BTreeSet<String> = objects
            .iter()
            .filter_map(|object| catalog.object(object))
            .flat_map(|known| &known.schema.fields)
            .flat_map(|field| field.references.iter().filter(|target| target.ends_with("__c")))
            .filter(|target| catalog.object(target).is_none())
            .take(MOST_CUSTOM_PARENTS)
            .cloned()
            .collect();
        self.fetch(door, &self.unknown(custom)).await?;
        let catalog = self.catalog();
        Ok(objects
            .iter()
            .filter_map(|object| catalog.object(object))
            .map(|known| with_parent_fields(&catalog, &known.schema))
            .collect())
    }

    /// What is needed to read these paths of an object; calls only for what is not known at all.
    pub(super) async fn catalog_for<'a>(
        &self,
        door: &Door,
        object: &str,
        paths: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Result<Catalog, PortError> {
        self.fetch(door, &self.unknown([object.to_owned()])).await?;
        // SOQL follows at most five steps.
        for _ in 0..5 {
            let catalog = self.catalog();
            let mut parents = BTreeSet::new();
            for path in paths.clone() {
                catalog.unknown_parents(object, path, &mut parents);
            }
            let parents = self.unknown(parents);
            if parents.is_empty() {
                return Ok(catalog);
            }
            self.fetch(door, &parents).await?;
        }
        Ok(self.catalog())
    }

    fn stale(&self, objects: &[String], now: DateTime<Utc>) -> Vec<String> {
        let known = self.lock();
        let fresh = |at: DateTime<Utc>| (now - at).to_std().is_ok_and(|age| age < self.freshness);
        let mut stale: Vec<String> = Vec::new();
        for object in objects {
            let key = object.to_ascii_lowercase();
            let settled = known.objects.get(&key).is_some_and(|cached| fresh(cached.validated_at))
                || known.missing.get(&key).is_some_and(|at| fresh(*at));
            if !settled && !stale.iter().any(|listed| listed.eq_ignore_ascii_case(object)) {
                stale.push(object.clone());
            }
        }
        stale
    }

    fn unknown(&self, objects: impl IntoIterator<Item = String>) -> Vec<String> {
        let known = self.lock();
        objects
            .into_iter()
            .filter(|object| {
                let key = object.to_ascii_lowercase();
                !known.objects.contains_key(&key) && !known.missing.contains_key(&key)
            })
            .collect()
    }

    async fn fetch(&self, door: &Door, objects: &[String]) -> Result<(), PortError> {
        for some in objects.chunks(MOST_PARTS) {
            let base = door.base().await?;
            let parts: Vec<Part> = some.iter().map(|object| self.part(&base, object)).collect();
            let answered = composite::send(door, "describe", &parts, Idempotency::Repeatable, &[])
                .await
                .map_err(|error| error.told("describing objects"))?;
            let date = answered.reply.date().unwrap_or_else(|| door.org_now());
            for (object, part) in some.iter().zip(answered.parts()?) {
                self.take(object, &part, date, door.now())?;
            }
        }
        Ok(())
    }

    /// The conditional questions that a feed over these objects carries along, with the objects they are about.
    pub(super) fn carried(
        &self,
        base: &str,
        objects: &[&str],
        now: DateTime<Utc>,
        most: usize,
    ) -> Vec<(String, Part)> {
        let due: Vec<String> = {
            let known = self.lock();
            objects
                .iter()
                .copied()
                .chain(USUAL_PARENTS)
                .filter_map(|object| known.objects.get(&object.to_ascii_lowercase()))
                .filter(|cached| now - cached.validated_at > CARRIED_AFTER)
                .map(|cached| cached.schema.name.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .take(most)
                .collect()
        };
        due.into_iter().map(|object| (object.clone(), self.part(base, &object))).collect()
    }

    fn part(&self, base: &str, object: &str) -> Part {
        let safe: String =
            object.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
        let part = Part::get(format!("d_{safe}"), format!("{base}/sobjects/{safe}/describe"));
        match self.lock().objects.get(&object.to_ascii_lowercase()) {
            Some(cached) => part.header("If-Modified-Since", cached.last_modified.clone()),
            None => part,
        }
    }

    /// Takes over what one describe was answered.
    pub(super) fn take(
        &self,
        object: &str,
        part: &PartReply<'_>,
        date: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), PortError> {
        let key = object.to_ascii_lowercase();
        if part.status == 304 {
            if let Some(cached) = self.lock().objects.get_mut(&key) {
                Arc::make_mut(cached).validated_at = now;
            }
            return Ok(());
        }
        if let Some(fault) = part.fault() {
            if part.status == 404 {
                let mut known = self.lock();
                known.objects.remove(&key);
                known.missing.insert(key, now);
                return Ok(());
            }
            return Err(fault.to_port_error(&format!("describing {object}")));
        }
        let (schema, replicateable) = parse_describe(part.body().as_bytes())
            .map_err(|error| senseless(&format!("the describe of {object}"), &error))?;
        let last_modified = part.header("Last-Modified").map_or_else(
            // A change in the second of the reply must not be missed.
            || http_date(date - TimeDelta::seconds(2)),
            str::to_owned,
        );
        let mut known = self.lock();
        known.missing.remove(&key);
        known
            .objects
            .insert(key, Arc::new(CachedSchema { schema, replicateable, last_modified, validated_at: now }));
        Ok(())
    }
}

fn with_parent_fields(catalog: &Catalog, schema: &ObjectSchema) -> ObjectSchema {
    let mut full = schema.clone();
    for reference in &schema.fields {
        let Some(relationship) = &reference.relationship else { continue };
        if DULL_REFERENCES.contains(&relationship.as_str()) {
            continue;
        }
        let Some(parent) = reference.references.iter().find_map(|target| catalog.object(target)) else {
            continue;
        };
        let label = reference.label.trim_end_matches(" ID");
        let only = if parent.schema.name == "User" { Some(USER_FIELDS) } else { None };
        let chosen = parent.schema.fields.iter().filter(|field| {
            field.kind != FieldKind::Other && only.is_none_or(|names| names.contains(&field.name.as_str()))
        });
        full.fields.extend(chosen.map(|field| FieldSchema {
            name: format!("{relationship}.{}", field.name),
            label: format!("{label} › {}", field.label),
            required: false,
            createable: false,
            updateable: false,
            unique: false,
            external_id: false,
            references: Vec::new(),
            relationship: None,
            ..field.clone()
        }));
    }
    full
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct WireObject {
    name: String,
    label: String,
    createable: bool,
    updateable: bool,
    queryable: bool,
    replicateable: bool,
    fields: Vec<WireField>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireField {
    name: String,
    label: String,
    #[serde(rename = "type")]
    kind: String,
    length: u32,
    scale: u8,
    nillable: bool,
    createable: bool,
    updateable: bool,
    defaulted_on_create: bool,
    unique: bool,
    external_id: bool,
    id_lookup: bool,
    restricted_picklist: bool,
    picklist_values: Vec<WirePicklistValue>,
    reference_to: Vec<String>,
    relationship_name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WirePicklistValue {
    active: bool,
    value: Option<String>,
}

/// Reads a describe: the schema, and whether the org tells the object's deletions.
pub fn parse_describe(body: &[u8]) -> Result<(ObjectSchema, bool), serde_json::Error> {
    let wire: WireObject = serde_json::from_slice(body)?;
    let schema = ObjectSchema {
        name: wire.name,
        label: wire.label,
        createable: wire.createable,
        updateable: wire.updateable,
        readable: wire.queryable,
        fields: wire.fields.into_iter().map(field_of).collect(),
    };
    Ok((schema, wire.replicateable))
}

fn field_of(wire: WireField) -> FieldSchema {
    let kind = kind_of(&wire.kind);
    FieldSchema {
        required: wire.createable && !wire.nillable && !wire.defaulted_on_create,
        length: (wire.length > 0).then_some(wire.length),
        scale: (kind == FieldKind::Number).then_some(wire.scale),
        name: wire.name,
        label: wire.label,
        kind,
        createable: wire.createable,
        updateable: wire.updateable,
        unique: wire.unique,
        external_id: wire.external_id || wire.id_lookup,
        picklist: wire
            .picklist_values
            .into_iter()
            .filter(|value| value.active)
            .filter_map(|value| value.value)
            .collect(),
        restricted: wire.restricted_picklist,
        references: wire.reference_to,
        relationship: wire.relationship_name,
    }
}

#[cfg(test)]
mod tests;
