//! Reading an object from its start, page by page, and counting.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

use super::bulk::{self, Reads};
use super::composite::{self, Answer, QueryKind};
use super::describe::{Catalog, Schemas};
use super::errors::{Topic, senseless, topic};
use super::rows::{self, QueryPage, Shape};
use super::session::{Door, DoorError, Request};
use super::soql;
use crate::domain::cost::{self, Task, Way, Workload};
use crate::domain::criteria::Criteria;
use crate::domain::port::{Cursor, Mark, Page, PortClass, PortError, ScanRequest};

/// A place in a query: the service's own link to the next page and, should that be lost, the last row that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    next: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamp: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

impl Place {
    /// The mark behind a page; `None` on the last one.
    pub(super) fn behind(page: &QueryPage) -> Option<Mark> {
        let next = page.next.clone()?;
        let last = page.records.last();
        let place = Self {
            next,
            stamp: last.and_then(|record| record.stamp),
            id: last.map(|record| record.id.as_str().to_owned()),
        };
        serde_json::to_string(&place).ok().map(Mark)
    }

    /// The mark behind a row, without a link of the service.
    pub(super) fn behind_row(stamp: DateTime<Utc>, id: String) -> Option<Mark> {
        let place = Self { next: String::new(), stamp: Some(stamp), id: Some(id) };
        serde_json::to_string(&place).ok().map(Mark)
    }

    fn parse(mark: &Mark) -> Result<Self, PortError> {
        serde_json::from_str(&mark.0).map_err(|_unreadable| mark_lost())
    }
}

fn mark_lost() -> PortError {
    PortError::new(
        PortClass::MarkLost,
        "INVALID_QUERY_LOCATOR",
        "The place in a long read of the org was lost; the read starts again from its cursor.",
    )
}

/// How far a feed has been read: the org's clock, with room for feeds that end elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) since: DateTime<Utc>,
}

impl Position {
    pub(super) fn to_cursor(&self) -> Cursor {
        Cursor(format!("{{\"since\":\"{}\"}}", super::convert::moment_text(self.since)))
    }

    /// Reads a cursor; a bare moment counts too, for a mapping that starts at a date.
    pub(super) fn parse(cursor: &Cursor) -> Result<Self, PortError> {
        serde_json::from_str(&cursor.0)
            .ok()
            .or_else(|| super::convert::parse_moment(cursor.0.trim()).map(|since| Self { since }))
            .ok_or_else(|| {
                PortError::new(
                    PortClass::CursorLost,
                    "CURSOR",
                    format!(
                        "“{}” is no position in a feed of the org; everything has to be read again.",
                        cursor.0
                    ),
                )
            })
    }
}

/// One page of everything. The first tells how much there is; where a bulk job costs less for the rest, the rest is read by one.
pub(super) async fn scan(
    door: &Arc<Door>,
    schemas: &Schemas,
    settle: Duration,
    reads: &Reads,
    request: &ScanRequest,
) -> Result<Page, PortError> {
    let object = request.object.as_str();
    let catalog = catalog(door, schemas, object, &request.selection, request.criteria.as_ref()).await?;
    let shape = Shape::new(&catalog, object, &request.selection);
    let narrowed = soql::narrow(&catalog, object, request.criteria.as_ref());
    let settings = door.settings();
    if let Some(mark) = request.mark.as_ref().filter(|mark| Reads::knows(mark)) {
        let way = bulk::Way { rates: &settings.rates, page_rows: settings.bulk_page_rows };
        return reads.next(door, &shape, object, way, mark).await;
    }
    if let Some(mark) = &request.mark {
        let page = next_page(door, &shape, object, mark, narrowed.clause()).await?;
        return Ok(Page { next: Place::behind(&page), records: page.records, ..Page::default() });
    }
    let filter = narrowed.clause().map(|clause| format!("WHERE {clause} ")).unwrap_or_default();
    let query = soql::select(&shape, object, &format!("{filter}{}", soql::order(&shape)));
    let started = door.now();
    let answer = composite::query(door, QueryKind::Live, &query)
        .await
        .map_err(|error| error.told(&format!("reading {object}")))?;
    let position = position_at_start(door, &answer, started, settle);
    let page = read_page(&shape, &answer.body, object)?;
    let mut next = Place::behind(&page);
    let mut told = None;
    if next.is_some() {
        let choice = cost::choose(&settings.rates, Workload { task: Task::Read, rows: page.total });
        told = (page.total >= settings.rates.from).then(|| choice.sentence(object));
        if choice.way == Way::Job {
            // What the page brought need not come again; what changes meanwhile gets a newer stamp.
            let last = page.records.last();
            let since = last.and_then(|record| record.stamp).filter(|_| shape.has_stamp());
            let since =
                since.map(|stamp| format!("SystemModstamp >= {}", super::convert::moment_text(stamp)));
            let conditions: Vec<&str> = narrowed.clause().into_iter().chain(since.as_deref()).collect();
            let filter = if conditions.is_empty() {
                String::new()
            } else {
                format!("WHERE {}", conditions.join(" AND "))
            };
            let query = soql::select(&shape, object, &filter);
            match bulk::begin(door, object, &query, last).await? {
                Some(mark) => next = Some(mark),
                None => {
                    told = Some(format!(
                        "{object}: the org takes no bulk job for this; it is read by single calls."
                    ));
                }
            }
        }
    }
    Ok(Page {
        next,
        told,
        total: Some(page.total),
        cursor: Some(position.to_cursor()),
        records: page.records,
        ..Page::default()
    })
}

/// The org's clock when a query began, less the overlap. The reply's date is from its end, so the time it took comes off as well.
pub(super) fn position_at_start(
    door: &Door,
    answer: &Answer,
    started: DateTime<Utc>,
    settle: Duration,
) -> Position {
    let took = (door.now() - started).max(TimeDelta::zero());
    let ended = answer.date.unwrap_or_else(|| door.org_now());
    Position { since: ended - took - TimeDelta::from_std(settle).unwrap_or_default() }
}

/// The page behind a mark. A locator that the service no longer knows is replaced by a query for what comes behind the last row.
pub(super) async fn next_page(
    door: &Door,
    shape: &Shape,
    object: &str,
    mark: &Mark,
    condition: Option<&str>,
) -> Result<QueryPage, PortError> {
    let place = Place::parse(mark)?;
    match follow(door, shape, object, &place.next).await {
        Err(DoorError::Told(error)) if place.next.is_empty() && error.class == PortClass::MarkLost => {}
        Err(DoorError::Fault(fault)) if topic(&fault.code) == Some(Topic::Locator) => {}
        outcome => return outcome.map_err(|error| error.told(&format!("reading on in {object}"))),
    }
    let (Some(stamp), Some(id)) = (place.stamp, &place.id) else { return Err(mark_lost()) };
    tracing::info!(object, "The place in a query was lost; reading on behind the last record.");
    let behind = soql::behind(stamp, id);
    let condition = condition.map_or_else(|| behind.clone(), |condition| format!("{condition} AND {behind}"));
    let query = soql::select(shape, object, &format!("WHERE {condition} {}", soql::order(shape)));
    let answer = composite::query(door, QueryKind::Live, &query)
        .await
        .map_err(|error| error.told(&format!("reading on in {object}")))?;
    read_page(shape, &answer.body, object)
}

/// Follows the service's link to a page.
pub(super) async fn follow(
    door: &Door,
    shape: &Shape,
    object: &str,
    next: &str,
) -> Result<QueryPage, DoorError> {
    // The link comes from a mark, which comes from disk: only a path on the org's own host may be called.
    if !next.starts_with("/services/data/") {
        return Err(DoorError::Told(mark_lost()));
    }
    let reply = door.send(&Request::get("query page", next.to_owned())).await?;
    Ok(read_page(shape, &reply.body, object)?)
}

pub(super) fn read_page(shape: &Shape, body: &[u8], object: &str) -> Result<QueryPage, PortError> {
    rows::read_query(shape, body).map_err(|error| senseless(&format!("a query of {object}"), &error))
}

/// Reads a query to its end.
pub(super) async fn read_all(
    door: &Door,
    shape: &Shape,
    object: &str,
    first: QueryPage,
) -> Result<Vec<crate::domain::record::Record>, PortError> {
    let mut records = first.records;
    let mut next = first.next;
    while let Some(link) = next {
        let page = follow(door, shape, object, &link)
            .await
            .map_err(|error| error.told(&format!("reading {object}")))?;
        records.extend(page.records);
        next = page.next;
    }
    Ok(records)
}

/// How many records meet the criteria; `None` where SOQL can't tell exactly.
pub(super) async fn count(
    door: &Door,
    schemas: &Schemas,
    object: &str,
    criteria: Option<&Criteria>,
) -> Result<Option<u64>, PortError> {
    let catalog =
        catalog(door, schemas, object, &crate::domain::record::Selection::default(), criteria).await?;
    let narrowed = soql::narrow(&catalog, object, criteria);
    if !narrowed.exact {
        return Ok(None);
    }
    let filter = narrowed.clause().map(|clause| format!(" WHERE {clause}")).unwrap_or_default();
    let query = format!("SELECT COUNT() FROM {}{filter}", soql::safe_name(object));
    let answer = composite::query(door, QueryKind::Live, &query)
        .await
        .map_err(|error| error.told(&format!("counting {object}")))?;
    Ok(Some(read_page(&Shape::default(), &answer.body, object)?.total))
}

async fn catalog(
    door: &Door,
    schemas: &Schemas,
    object: &str,
    selection: &crate::domain::record::Selection,
    criteria: Option<&Criteria>,
) -> Result<Catalog, PortError> {
    let tested = criteria.map(Criteria::fields).unwrap_or_default();
    let paths = selection.names().iter().map(AsRef::as_ref).chain(tested.iter().map(String::as_str));
    let catalog = schemas.catalog_for(door, object, paths).await?;
    known(&catalog, object)?;
    Ok(catalog)
}

/// Refuses an object that the org does not have.
pub(super) fn known(catalog: &Catalog, object: &str) -> Result<(), PortError> {
    if catalog.object(object).is_some() {
        return Ok(());
    }
    Err(PortError::new(
        PortClass::Blocked,
        "INVALID_TYPE",
        format!(
            "The org has no object {object}, or the integration user can't see it. Check its name and the user's permissions."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_written() {
        let position = Position { since: DateTime::from_timestamp(1_795_000_000, 0).unwrap() };
        assert_eq!(Position::parse(&position.to_cursor()).unwrap(), position);
        assert_eq!(
            Position::parse(&Cursor("2026-11-22T10:00:00Z".into())).unwrap().since.timestamp(),
            1_795_341_600
        );
        assert_eq!(Position::parse(&Cursor("yesterday".into())).unwrap_err().class, PortClass::CursorLost);
    }
}
