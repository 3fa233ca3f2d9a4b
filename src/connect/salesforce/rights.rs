//! What our user may do with an object, and whether it sees all of its records.

use std::collections::HashMap;

use serde::Deserialize;

use super::composite::{self, MOST_QUERIES, Part, QueryKind};
use super::describe::Schemas;
use super::errors::senseless;
use super::session::{Door, Request};
use super::soql;
use crate::connect::http::Idempotency;
use crate::domain::port::PortError;

/// Our user's rights on one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectRights {
    /// The object.
    pub object: String,
    /// Whether it can be seen at all.
    pub readable: bool,
    /// Whether records may be created.
    pub createable: bool,
    /// Whether records may be changed.
    pub updateable: bool,
    /// How many records our user sees.
    pub seen: Option<u64>,
    /// How many there are, as the org counts them now and then.
    pub existing: Option<u64>,
}

impl ObjectRights {
    /// Whether all records can be seen (“View All”): by count, of which one is a little behind. `None` where it can't be told.
    pub fn sees_all(&self) -> Option<bool> {
        let (seen, existing) = (self.seen?, self.existing?);
        Some(seen >= existing - existing / 50)
    }
}

#[derive(Deserialize)]
struct Counts {
    #[serde(rename = "sObjects", default)]
    objects: Vec<Count>,
}

#[derive(Deserialize)]
struct Count {
    name: String,
    count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Total {
    total_size: u64,
}

/// Reads the rights; an object that can't be seen has none.
pub(super) async fn read(
    door: &Door,
    schemas: &Schemas,
    objects: &[String],
) -> Result<Vec<ObjectRights>, PortError> {
    let described = schemas.describe(door, objects).await?;
    let mut rights: Vec<ObjectRights> = objects
        .iter()
        .map(|object| match described.iter().find(|schema| schema.name.eq_ignore_ascii_case(object)) {
            None => ObjectRights { object: object.clone(), ..ObjectRights::default() },
            Some(schema) => ObjectRights {
                object: object.clone(),
                readable: schema.readable,
                createable: schema.createable,
                updateable: schema.updateable,
                seen: None,
                existing: None,
            },
        })
        .collect();
    let visible: Vec<String> =
        rights.iter().filter(|right| right.readable).map(|right| right.object.clone()).collect();
    let seen = seen(door, &visible).await?;
    let existing = existing(door, &visible).await;
    for right in &mut rights {
        let key = right.object.to_ascii_lowercase();
        right.seen = seen.get(&key).copied();
        // Objects without records are left out of the org's own count.
        right.existing =
            existing.as_ref().filter(|_| right.readable).map(|counts| counts.get(&key).copied().unwrap_or(0));
    }
    Ok(rights)
}

async fn seen(door: &Door, objects: &[String]) -> Result<HashMap<String, u64>, PortError> {
    let mut seen = HashMap::new();
    for some in objects.chunks(MOST_QUERIES) {
        let base = door.base().await?;
        let parts: Vec<Part> = some
            .iter()
            .enumerate()
            .map(|(place, object)| {
                let query = format!("SELECT COUNT() FROM {}", soql::safe_name(object));
                Part::query(format!("c{place}"), &base, QueryKind::Live, &query)
            })
            .collect();
        let answered = composite::send(door, "count", &parts, Idempotency::Repeatable, &[])
            .await
            .map_err(|error| error.told("counting records"))?;
        for (object, part) in some.iter().zip(answered.parts()?) {
            // A count that is refused (some objects can't be counted) says nothing about the rights.
            if part.fault().is_none() {
                let total: Total = serde_json::from_str(part.body())
                    .map_err(|error| senseless("counting records", &error))?;
                seen.insert(object.to_ascii_lowercase(), total.total_size);
            }
        }
    }
    Ok(seen)
}

/// The org's own count, which needs a right of its own; without it nothing is said.
async fn existing(door: &Door, objects: &[String]) -> Option<HashMap<String, u64>> {
    if objects.is_empty() {
        return None;
    }
    let base = door.base().await.ok()?;
    let names: Vec<String> = objects.iter().map(|object| soql::safe_name(object)).collect();
    let path = format!("{base}/limits/recordCount?sObjects={}", names.join(","));
    let reply = door.send(&Request::get("record count", path)).await.ok()?;
    let counts: Counts = reply.json().ok()?;
    Some(counts.objects.into_iter().map(|count| (count.name.to_ascii_lowercase(), count.count)).collect())
}
