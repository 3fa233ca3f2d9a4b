//! What the org says about its objects, read once and then only when it changed.
//!
//! Describes are large, so they are kept with their date and asked for conditionally; feeds carry that question along at no
//! extra call. Fields of a parent (`Account.Name`) are listed with their object, as far as the parent is known.

mod catalog;
mod wire;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::composite::{self, MOST_PARTS, Part, PartReply};
use super::errors::senseless;
use super::session::Door;
use crate::connect::http::{Idempotency, http_date};
use crate::domain::port::PortError;
use crate::domain::schema::ObjectSchema;

use catalog::with_parent_fields;
pub(super) use catalog::{Catalog, Resolved};
pub use wire::parse_describe;

/// Objects that most others point to; asked for along with the first describe, so that their fields can be chosen at once.
const USUAL_PARENTS: [&str; 2] = ["Account", "User"];
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

#[cfg(test)]
mod tests;
