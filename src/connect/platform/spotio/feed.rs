//! Reading records from the start, what changed since a cursor, and what was deleted.
//!
//! The service's export of records is both: without a date it is everything, with one what changed after it. It goes over a
//! moving set by scroll ids of its own, to the first that is null. Its rows lack some of the address and the fields of several
//! values; where a mapping wants those, the records are read by their ids besides. Deletions are a feed of their own, asked for
//! once the changes are read. Several views of one type, asked in one go, share the pages.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::Spotio;
use super::json::{member, moment};
use super::service::{Answered, Ask, Failure, Refused, no_sense};
use super::shape::{id_of, number};
use super::view::{View, slot};
use crate::connect::http::percent_encode;
use crate::domain::port::{Cursor, FeedRequest, Mark, Page, PortClass, PortError, ScanRequest, Tombstone};
use crate::domain::record::{Record, RecordId, Selection};

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    Records,
    Deleted,
}

/// Where a read goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) what: What,
    pub(super) scroll: Option<String>,
    pub(super) since: Option<i64>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Since {
    since: i64,
}

/// One page of an export.
#[derive(Clone)]
pub(super) struct Sheet {
    pub(super) rows: Vec<Json>,
    pub(super) scroll: Option<String>,
    pub(super) began: Option<DateTime<Utc>>,
}

/// Pages that several views share.
#[derive(Default)]
pub(super) struct Shared(Vec<(Place, Sheet)>);

impl Spotio {
    pub(super) async fn scan_page(&self, view: View, request: &ScanRequest) -> Result<Page, PortError> {
        let first = request.mark.is_none();
        let place = match &request.mark {
            Some(mark) => place(mark)?,
            None => Place { what: What::Records, scroll: None, since: None },
        };
        let ours = self.service.now();
        let sheet = self.sheet(&place).await?;
        let next = sheet.scroll.clone().map(|scroll| Place { scroll: Some(scroll), ..place });
        let cursor = first.then(|| self.cursor(sheet.began, ours));
        Ok(Page {
            records: self.completed(view, &request.selection, sheet.rows).await?,
            next: next.map(|next| Mark(text(&next))),
            cursor,
            ..Page::default()
        })
    }

    pub(super) async fn changed(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        let mut shared = Shared::default();
        let mut pages = Vec::with_capacity(requests.len());
        for request in requests {
            let view = self.view(&request.object)?;
            pages.push(if view.is_activity() {
                self.changed_activities(view, request).await?
            } else {
                self.changed_records(view, request, &mut shared).await?
            });
        }
        Ok(pages)
    }

    async fn changed_records(
        &self,
        view: View,
        request: &FeedRequest,
        shared: &mut Shared,
    ) -> Result<Page, PortError> {
        let first = request.mark.is_none();
        let mut place = match &request.mark {
            Some(mark) => place(mark)?,
            None => Place { what: What::Records, scroll: None, since: Some(since(&request.cursor)?) },
        };
        let ours = self.service.now();
        let mut page = Page::default();
        if place.what == What::Records {
            let sheet = self.shared_sheet(&place, shared).await?;
            page.cursor = first.then(|| self.cursor(sheet.began, ours));
            page.records = self.completed(view, &request.selection, sheet.rows).await?;
            if let Some(scroll) = sheet.scroll {
                page.next = Some(Mark(text(&Place { scroll: Some(scroll), ..place })));
                return Ok(page);
            }
            place = Place { what: What::Deleted, scroll: None, ..place };
        }
        let sheet = self.shared_sheet(&place, shared).await?;
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        page.tombstones = sheet.rows.iter().filter_map(|row| tombstone(row, &kind.id)).collect();
        page.next = sheet.scroll.map(|scroll| Mark(text(&Place { scroll: Some(scroll), ..place })));
        Ok(page)
    }

    async fn shared_sheet(&self, place: &Place, shared: &mut Shared) -> Result<Sheet, PortError> {
        if let Some((_, sheet)) = shared.0.iter().find(|(known, _)| known == place) {
            return Ok(sheet.clone());
        }
        let sheet = self.sheet(place).await?;
        shared.0.push((place.clone(), sheet.clone()));
        Ok(sheet)
    }

    async fn sheet(&self, place: &Place) -> Result<Sheet, PortError> {
        let (path, date, list) = match place.what {
            What::Records => ("/api/Exports/dataObjects/data", "updatedAfter", "items"),
            What::Deleted => ("/api/DataObjects/deleted", "startDate", "deletedDataObjects"),
        };
        let mut query = Vec::new();
        if let Some(since) = place.since {
            query.push(format!("{date}={}", percent_encode(&written(since))));
        }
        if let Some(scroll) = &place.scroll {
            query.push(format!("scrollId={}", percent_encode(scroll)));
        }
        let sign = if query.is_empty() { "" } else { "?" };
        let name = if place.what == What::Records { "records" } else { "deleted records" };
        let answer = self.service.get(name, &format!("{path}{sign}{}", query.join("&"))).await;
        sheet(answer, list, place.scroll.as_deref())
    }

    /// Rows of the feed as records, read whole where the feed does not tell enough.
    pub(super) async fn completed(
        &self,
        view: View,
        selection: &Selection,
        rows: Vec<Json>,
    ) -> Result<Vec<Record>, PortError> {
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        let whole =
            selection.names().iter().any(|name| slot(kind, name).is_some_and(|slot| slot.needs_whole()));
        if !whole {
            return self.records(view, selection, &rows).await;
        }
        let ids: Vec<RecordId> =
            rows.iter().filter(|row| super::shape::is_of(row, kind)).filter_map(id_of).collect();
        let rows = self.rows_by_id(&ids).await?;
        self.records(view, selection, &rows).await
    }

    /// These records as they are; one that is gone or hidden is left out.
    pub(super) async fn rows_by_id(&self, ids: &[RecordId]) -> Result<Vec<Json>, PortError> {
        let mut rows = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(self.profile.limits.list_ids.max(1)) {
            let list: Vec<String> = chunk.iter().map(|id| percent_encode(id.as_str())).collect();
            let path = format!("/api/DataObjects/many?dataObjectsIds={}", list.join(","));
            let answer = self.service.get("records by id", &path).await.map_err(Failure::into_port)?;
            match answer.value {
                Json::Array(list) => rows.extend(list),
                Json::Null => {}
                other => {
                    let shown: String = other.to_string().chars().take(80).collect();
                    return Err(no_sense(&format!("records by id are no list: “{shown}”")).into_port());
                }
            }
        }
        Ok(rows)
    }

    /// Which of these are gone for certain: not among the others, and not there under their own address either.
    pub(super) async fn gone(&self, view: View, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        let there: Vec<RecordId> = if view.is_activity() {
            Vec::new()
        } else {
            self.rows_by_id(ids).await?.iter().filter_map(id_of).collect()
        };
        let mut gone = Vec::new();
        for id in ids.iter().filter(|id| !there.contains(id)) {
            let path = if view.is_activity() { "/api/v2/activities" } else { "/api/DataObjects" };
            match self.service.get("read one", &format!("{path}/{}", percent_encode(id.as_str()))).await {
                Err(Failure::Refused(Refused { status: 404 | 410, .. })) => {
                    gone.push(Tombstone { id: id.clone(), at: None, merged_into: None });
                }
                // Whatever else it says, it does not say that the record is gone.
                Ok(_) | Err(Failure::Refused(_)) => {}
                Err(failure) => return Err(failure.into_port()),
            }
        }
        Ok(gone)
    }

    /// How many records of a type there are, or of those with or without an address.
    pub(super) async fn counted(&self, view: View, has_address: Option<bool>) -> Result<u64, PortError> {
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        let mut body = json!({"singleType": number(&kind.id), "perPage": 1});
        if let (Some(has), Some(body)) = (has_address, body.as_object_mut()) {
            body.insert("hasAddress".into(), Json::Bool(has));
        }
        let ask = Ask::post("count", "/api/DataObjectsSearch", &body);
        let answer = self.service.send(&ask).await.map_err(Failure::into_port)?;
        answer
            .value
            .get("totalCount")
            .and_then(Json::as_u64)
            .ok_or_else(|| no_sense("a search has no total").into_port())
    }

    /// The cursor for a read that began at `began` of the server's clock, or, where it did not tell, of ours.
    pub(super) fn cursor(&self, began: Option<DateTime<Utc>>, ours: DateTime<Utc>) -> Cursor {
        let margin = if began.is_some() { TimeDelta::zero() } else { TimeDelta::minutes(5) };
        let overlap = TimeDelta::seconds(i64::try_from(self.overlap_seconds).unwrap_or(86_400));
        Cursor(text(&Since { since: (began.unwrap_or(ours) - margin - overlap).timestamp() }))
    }
}

/// A page out of an answer. A scroll that the service does not know any more means that the place is lost.
pub(super) fn sheet(
    answer: Result<Answered, Failure>,
    list: &str,
    scroll: Option<&str>,
) -> Result<Sheet, PortError> {
    let answer = answer.map_err(|failure| match failure {
        Failure::Refused(Refused { status: 400 | 404 | 410 | 422, words, .. }) if scroll.is_some() => {
            PortError::new(
                PortClass::MarkLost,
                "SCROLL",
                format!("SPOTIO lost the place in a long read ({words}); it is read again from its start."),
            )
        }
        other => other.into_port(),
    })?;
    let Some(rows) = answer.value.get(list).and_then(Json::as_array) else {
        let shown: String = answer.value.to_string().chars().take(80).collect();
        return Err(no_sense(&format!("it has no {list}: “{shown}”")).into_port());
    };
    let next = member(&answer.value, "scrollId");
    if next.is_some() && next.as_deref() == scroll && rows.is_empty() {
        return Err(PortError::new(
            PortClass::Protocol,
            "SAME_PAGE",
            "SPOTIO answers a long read with the same empty page again and again.",
        ));
    }
    Ok(Sheet { rows: rows.clone(), scroll: next, began: answer.began })
}

fn tombstone(row: &Json, kind: &str) -> Option<Tombstone> {
    let held = row.get("dataObject").unwrap_or(&Json::Null);
    // Where the type is not told it may be ours; a record that is not linked is passed over anyway.
    if member(held, "typeId").is_some_and(|id| id != kind) {
        return None;
    }
    let at = member(row, "deletedAt").and_then(|text| moment(&text));
    Some(Tombstone { id: id_of(row)?, at, merged_into: None })
}

/// A moment as the service writes it.
pub(super) fn written(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(super) fn since(cursor: &Cursor) -> Result<i64, PortError> {
    serde_json::from_str::<Since>(&cursor.0).map(|since| since.since).map_err(|error| {
        PortError::new(
            PortClass::CursorLost,
            "CURSOR",
            format!("The SPOTIO cursor can't be read ({error}); everything has to be read again."),
        )
    })
}

pub(super) fn place(mark: &Mark) -> Result<Place, PortError> {
    serde_json::from_str(&mark.0).map_err(|error| {
        PortError::new(
            PortClass::MarkLost,
            "MARK",
            format!(
                "The place in a long read of SPOTIO can't be read ({error}); it is read again from its start."
            ),
        )
    })
}

pub(super) fn text(value: &impl Serialize) -> String {
    // Plain structs of numbers and words always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
