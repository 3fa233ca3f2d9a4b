//! All customers over SOAP: the service makes a list, which is asked for until it is ready and then read fifty at a time.
//!
//! There is no “changed since”. Where changes are to be found without a campaign that pushes them, all customers are read and those whose
//! `modifiedAt` lies before the cursor are passed by.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::service::Patience;
use super::shape::{moment, record};
use super::soap::{Answer, Element, Soap, refused};
use super::{CUSTOMER, Deployteq};
use crate::connect::platform::Examined;
use crate::domain::port::{Cursor, FeedRequest, Mark, Page, PortClass, PortError, ScanRequest};
use crate::domain::record::{RecordId, Selection};

/// Most rows of one read of a list (fault 105).
const PAGE: u64 = 50;

/// A list that is not ready after so many looks never will be.
const MOST_LOOKS: u32 = 240;

/// The fault that says that a list is no longer there.
const NOT_FOUND: u32 = 213;

/// A place in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    resource: u64,
    size: u64,
    offset: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Since {
    since: i64,
}

/// A list that is ready, or the news that there is nothing in it.
struct List {
    resource: u64,
    size: u64,
}

impl Deployteq {
    /// Whether customers can be listed at all.
    pub(super) fn lists_customers(&self) -> bool {
        self.soap.is_some()
    }

    pub(super) async fn list_customers(&self, request: &ScanRequest) -> Result<Page, PortError> {
        self.listed(&request.selection, request.mark.as_ref(), None).await
    }

    /// What changed: pushed by a campaign, so that there is nothing to read, or found by reading all.
    pub(super) async fn changed_customers(&self, request: &FeedRequest) -> Result<Page, PortError> {
        if !self.names.poll {
            return Ok(Page { cursor: Some(cursor(self.service.now())), ..Page::default() });
        }
        let since = since(&request.cursor)?;
        self.listed(&request.selection, request.mark.as_ref(), Some(since)).await
    }

    pub(super) async fn count_customers(&self) -> Result<Option<u64>, PortError> {
        let Some(soap) = &self.soap else { return Ok(None) };
        let operation = "customer_getTotalNumberOfCustomers";
        match soap.call(&self.service, operation, &[], Patience::Run).await? {
            Answer::Message(message) => Ok(message.text.trim().parse().ok()),
            Answer::Fault(..) => Ok(None),
        }
    }

    pub(super) async fn examine_soap(&self, examined: &mut Examined) -> Result<(), PortError> {
        let Some(soap) = &self.soap else { return Ok(()) };
        let operation = "customer_getTotalNumberOfCustomers";
        match soap.call(&self.service, operation, &[], Patience::Person).await? {
            Answer::Message(message) => {
                let number = message.text.trim().to_owned();
                examined.good(format!("The SOAP token is accepted; {number} customers."));
            }
            Answer::Fault(number, words) => return Err(refused(operation, number, &words)),
        }
        Ok(())
    }

    async fn listed(
        &self,
        selection: &Selection,
        mark: Option<&Mark>,
        since: Option<DateTime<Utc>>,
    ) -> Result<Page, PortError> {
        let ours = self.service.now();
        let Some(soap) = &self.soap else {
            return Ok(Page { cursor: mark.is_none().then(|| cursor(ours)), ..Page::default() });
        };
        let (place, first) = match mark {
            Some(mark) => (read_mark(mark)?, false),
            None => match self.make_list(soap).await? {
                Some(list) => (Place { resource: list.resource, size: list.size, offset: 0 }, true),
                None => return Ok(Page { cursor: Some(cursor(ours)), ..Page::default() }),
            },
        };
        let asked = [
            ("resourceId", place.resource.to_string()),
            ("offset", place.offset.to_string()),
            ("size", PAGE.min(place.size.saturating_sub(place.offset)).max(1).to_string()),
        ];
        let operation = "customerSet_getCustomers";
        let rows = match soap.call(&self.service, operation, &asked, Patience::Run).await? {
            Answer::Message(message) => message.children,
            Answer::Fault(NOT_FOUND, _) if !first => return Err(lost()),
            Answer::Fault(number, words) => return Err(refused(operation, number, &words)),
        };
        let schema = self.schema(CUSTOMER)?;
        let mut records = Vec::with_capacity(rows.len());
        for row in &rows {
            let object = customer(row);
            let stamp = object.get("modifiedat").and_then(Json::as_str).and_then(moment);
            // One that does not tell when it changed is looked at each time.
            if since.zip(stamp).is_some_and(|(since, stamp)| stamp < since) {
                continue;
            }
            if let Some(id) = object.get("id").map(super::shape::plain).filter(|id| !id.is_empty()) {
                records.push(record(RecordId::new(id), &schema, selection, &object));
            }
        }
        let read = place.offset + rows.len() as u64;
        let next = (!rows.is_empty() && read < place.size).then(|| Place { offset: read, ..place.clone() });
        if next.is_none() {
            self.free(soap, place.resource).await;
        }
        Ok(Page {
            records,
            next: next.map(|next| Mark(text(&next))),
            cursor: first.then(|| cursor(ours)),
            total: (first && since.is_none()).then_some(place.size),
            ..Page::default()
        })
    }

    /// Has a list of all customers made, and waits until it is ready.
    async fn make_list(&self, soap: &Soap) -> Result<Option<List>, PortError> {
        let operation = "customer_getAll";
        let message = match soap.call(&self.service, operation, &[], Patience::Run).await? {
            Answer::Message(message) => message,
            Answer::Fault(number, words) => return Err(refused(operation, number, &words)),
        };
        let Ok(resource) = message.text.trim().parse::<u64>() else {
            // `null` says that nothing was found.
            return Ok(None);
        };
        for look in 0..MOST_LOOKS {
            let asked = [("resourceId", resource.to_string())];
            let operation = "resource_getById";
            let message = match soap.call(&self.service, operation, &asked, Patience::Run).await? {
                Answer::Message(message) => message,
                Answer::Fault(number, words) => return Err(refused(operation, number, &words)),
            };
            match message.leaf("status").unwrap_or_default().trim() {
                "READY" => {
                    let size = message.leaf("size").and_then(|size| size.trim().parse().ok()).unwrap_or(0);
                    if size == 0 {
                        self.free(soap, resource).await;
                        return Ok(None);
                    }
                    return Ok(Some(List { resource, size }));
                }
                "ERROR" => break,
                _ => {
                    let pause = Duration::from_millis(500) * look.clamp(1, 20);
                    self.service.wait(pause).await;
                }
            }
        }
        Err(PortError::new(
            PortClass::Transient,
            "LIST",
            "Deployteq could not make the list of customers. The next run may work.",
        ))
    }

    /// Gives a list back; one that is not given back ends by itself.
    async fn free(&self, soap: &Soap, resource: u64) {
        let asked = [("resourceId", resource.to_string())];
        if let Err(error) = soap.call(&self.service, "resource_free", &asked, Patience::Run).await {
            tracing::debug!(%error, "A list of customers could not be given back.");
        }
    }
}

/// A customer of the SOAP interface under the names of the REST interface.
fn customer(row: &Element) -> Map<String, Json> {
    let mut object = Map::new();
    for field in &row.children {
        let name = match field.name.strip_prefix("alternate") {
            Some(rest) => format!("alt_{}", rest.to_ascii_lowercase()),
            None => field.name.to_ascii_lowercase(),
        };
        if name == "options" {
            let options: Map<String, Json> = field
                .children
                .iter()
                .filter_map(|option| {
                    let name = option.leaf("name")?.trim().to_owned();
                    Some((name, blank_or(option.leaf("value").unwrap_or_default())))
                })
                .collect();
            object.insert(name, Json::Object(options));
        } else if field.children.is_empty() {
            object.insert(name, blank_or(&field.text));
        }
    }
    object
}

fn blank_or(text: &str) -> Json {
    if text.is_empty() { Json::Null } else { Json::String(text.to_owned()) }
}

/// The cursor of a read that began then: five minutes are taken off for the difference of the clocks.
pub(super) fn cursor(began: DateTime<Utc>) -> Cursor {
    Cursor(text(&Since { since: (began - TimeDelta::minutes(5)).timestamp() }))
}

fn since(cursor: &Cursor) -> Result<DateTime<Utc>, PortError> {
    serde_json::from_str::<Since>(&cursor.0)
        .ok()
        .and_then(|since| DateTime::from_timestamp(since.since, 0))
        .ok_or_else(|| {
            PortError::new(
                PortClass::CursorLost,
                "CURSOR",
                "The Deployteq cursor can't be read; everything has to be read again.",
            )
        })
}

fn read_mark(mark: &Mark) -> Result<Place, PortError> {
    serde_json::from_str(&mark.0).map_err(|_error| lost())
}

fn lost() -> PortError {
    PortError::new(
        PortClass::MarkLost,
        "MARK",
        "Deployteq no longer has the list of customers that was being read; it is made again.",
    )
}

fn text(value: &impl Serialize) -> String {
    // Plain structs of numbers always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
