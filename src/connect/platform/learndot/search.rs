//! The one question that the service answers well: which rows of an entity hold one of these values, 25 a page.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::Learndot;
use super::service::{Failure, Patience, no_sense};
use crate::connect::http::Idempotency;
use crate::domain::port::{PortError, Tombstone};
use crate::domain::record::RecordId;

/// The rows of a page; the service knows no other number.
pub(super) const PAGE: u64 = 25;

/// No search goes over more pages than this; a server that never ends would hold a run up for ever.
const MOST_PAGES: u64 = 4_000_000;

/// A field and the values of which a row must hold one; two dates are a range.
pub(super) type Condition = (String, Vec<Value>);

/// One page of a search.
pub(super) struct Found {
    /// How many rows there are on all pages.
    pub(super) size: u64,
    /// The rows of this page.
    pub(super) rows: Vec<Map<String, Value>>,
    /// The server's clock when it began to look.
    pub(super) began: Option<DateTime<Utc>>,
}

impl Learndot {
    /// A page of the rows that meet all conditions, from page 1.
    pub(super) async fn search(
        &self,
        entity: &str,
        conditions: &[Condition],
        page: u64,
        order_by: &str,
    ) -> Result<Found, PortError> {
        self.search_as(Patience::Run, entity, conditions, page, order_by).await
    }

    /// The same as a person who waits, or as a run.
    pub(super) async fn search_as(
        &self,
        patience: Patience,
        entity: &str,
        conditions: &[Condition],
        page: u64,
        order_by: &str,
    ) -> Result<Found, PortError> {
        let order = if order_by.is_empty() { String::new() } else { format!("&orderBy={order_by}&asc=true") };
        self.ask(patience, &format!("{entity}/search?page={page}{order}"), conditions).await
    }

    /// A page of the rows that meet one of the conditions.
    pub(super) async fn search_any(
        &self,
        entity: &str,
        conditions: &[Condition],
        page: u64,
        order_by: &str,
    ) -> Result<Found, PortError> {
        let path = format!("{entity}/search?page={page}&orderBy={order_by}&asc=true&or=true");
        self.ask(Patience::Run, &path, conditions).await
    }

    async fn ask(
        &self,
        patience: Patience,
        path: &str,
        conditions: &[Condition],
    ) -> Result<Found, PortError> {
        let body: Map<String, Value> =
            conditions.iter().map(|(field, values)| (field.clone(), json!(values))).collect();
        let answer = self
            .service
            .post("search", path, &Value::Object(body), Idempotency::Repeatable, patience)
            .await
            .map_err(Failure::into_port)?;
        let Some(Value::Array(rows)) = answer.value.get("results") else {
            let shown: String = answer.value.to_string().chars().take(80).collect();
            return Err(no_sense(&format!("it has no results: “{shown}”")).into_port());
        };
        let rows: Vec<Map<String, Value>> = rows.iter().filter_map(|row| row.as_object().cloned()).collect();
        let size = answer.value.get("size").and_then(Value::as_u64).unwrap_or(rows.len() as u64);
        Ok(Found { size, rows, began: answer.began })
    }

    /// All rows that meet the conditions, page by page.
    pub(super) async fn all(
        &self,
        entity: &str,
        conditions: &[Condition],
    ) -> Result<Vec<Map<String, Value>>, PortError> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let found = self.search(entity, conditions, page, &self.names.order_by).await?;
            let ended = found.rows.is_empty();
            all.extend(found.rows);
            if ended || all.len() as u64 >= found.size {
                break;
            }
        }
        Ok(all)
    }

    /// The rows of these ids, in any order; one that is not there is left out.
    pub(super) async fn rows_by_id(
        &self,
        entity: &str,
        ids: &[RecordId],
    ) -> Result<Vec<Map<String, Value>>, PortError> {
        self.object(entity)?;
        let numbers: Vec<Value> = ids.iter().filter_map(|id| Some(json!(number(id.as_str())?))).collect();
        let mut rows = Vec::with_capacity(numbers.len());
        for chunk in numbers.chunks(PAGE as usize) {
            let found = self.all(entity, &[("id".to_owned(), chunk.to_vec())]).await?;
            rows.extend(found.into_iter().filter(|row| row.get("id").is_some_and(|id| chunk.contains(id))));
        }
        Ok(rows)
    }

    /// Which of these are gone for certain: not found, and not there under their own address either.
    pub(super) async fn gone(&self, entity: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        if !self.names.read_one {
            return Ok(Vec::new());
        }
        let there = self.rows_by_id(entity, ids).await?;
        let there: Vec<String> = there.iter().filter_map(|row| Some(row.get("id")?.to_string())).collect();
        let mut gone = Vec::new();
        for id in ids.iter().filter(|id| !there.iter().any(|known| known == id.as_str())) {
            let Some(number) = number(id.as_str()) else { continue };
            match self.service.get("read one", &format!("{entity}/{number}")).await {
                Err(Failure::Refused { status: 404 | 410, .. }) => {
                    gone.push(Tombstone { id: id.clone(), at: None, merged_into: None });
                }
                // Whatever else it says, it does not say that the record is gone.
                Ok(_) | Err(Failure::Refused { .. }) => {}
                Err(failure) => return Err(failure.into_port()),
            }
        }
        Ok(gone)
    }
}

/// Ids are numbers; anything else is none of the service's.
pub(super) fn number(id: &str) -> Option<u64> {
    id.trim().parse().ok()
}
