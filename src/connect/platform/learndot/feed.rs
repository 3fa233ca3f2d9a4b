//! Reading an entity from its start, and what changed since a cursor.
//!
//! Pages are cut by number. Everything is read in the order of the ids, to which new rows are added at the end. What changed is a set
//! that moves while it is read, so windows of time are cut until one page holds a window (law E4); the last one ends a day after
//! now, so that what was edited a second ago is inside whatever the two clocks say. Where a single second holds more than a page, its
//! pages are read from the last to the first: a row that is edited meanwhile leaves the second and moves the others onto pages yet
//! to be read. Rows without a date of change are found by that of their creation.

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Learndot;
use super::search::{Condition, Found, PAGE};
use super::shape::id_of;
use crate::domain::port::{Cursor, FeedRequest, Mark, Page, PortClass, PortError, ScanRequest};

const DAY: i64 = 86_400;

/// Where a scan goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ScanPlace {
    page: u64,
    seen: u64,
    /// The first row of the page before, to notice a server that answers the same page again and again.
    first: Option<String>,
}

/// Where a feed goes on, in seconds of the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FeedPlace {
    from: i64,
    end: i64,
    width: i64,
    /// Inside one crowded second: the page to read next, counting down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<u64>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Since {
    since: i64,
}

impl FeedPlace {
    fn to(&self) -> i64 {
        self.end.min(self.from.saturating_add(self.width.max(1)))
    }

    /// What is left after the window; it begins where the window ended, as both ends belong to it.
    fn after(&self, width: i64) -> Option<Self> {
        let to = self.to();
        (to < self.end).then_some(Self { from: to, end: self.end, width: width.max(1), page: None })
    }
}

impl Learndot {
    pub(super) async fn scan_page(&self, request: &ScanRequest) -> Result<Page, PortError> {
        self.object(&request.object)?;
        let place = match &request.mark {
            Some(text) => mark::<ScanPlace>(text)?,
            None => ScanPlace { page: 1, seen: 0, first: None },
        };
        let ours = self.service.now();
        let found = self.search(&request.object, &[], place.page, &self.names.order_by).await?;
        let first = found.rows.first().and_then(id_of).map(|id| id.to_string());
        if first.is_some() && first == place.first {
            return Err(PortError::new(
                PortClass::Protocol,
                "SAME_PAGE",
                format!(
                    "Learndot answered page {} of {} with the page before it again.",
                    place.page, request.object
                ),
            ));
        }
        let seen = place.seen + found.rows.len() as u64;
        let more = first.is_some() && seen < found.size;
        let next = more.then(|| Mark(text(&ScanPlace { page: place.page + 1, seen, first })));
        let cursor = (place.page == 1).then(|| self.cursor(found.began, ours));
        let total = (place.page == 1).then_some(found.size);
        let records = self.records(&request.object, &request.selection, found.rows).await?;
        Ok(Page { records, next, cursor, total, ..Page::default() })
    }

    pub(super) async fn changed(&self, request: &FeedRequest) -> Result<Page, PortError> {
        self.object(&request.object)?;
        let ours = self.service.now();
        let mut place = if let Some(text) = &request.mark {
            mark::<FeedPlace>(text)?
        } else {
            let from = since(&request.cursor)?;
            let end = ours.timestamp().max(from).saturating_add(DAY);
            FeedPlace { from, end, width: end - from, page: None }
        };
        let mut began = None;
        let (rows, next) = loop {
            let page = place.page.unwrap_or(1);
            let found = self.window(&request.object, &place, page).await?;
            began = began.or(found.began);
            let width = place.to() - place.from;
            if let Some(page) = place.page {
                let next = match page {
                    0 | 1 => place.after(1),
                    page => Some(FeedPlace { page: Some(page - 1), ..place }),
                };
                break (found.rows, next);
            }
            if found.size <= PAGE {
                let grown = if found.size < PAGE / 3 { width.saturating_mul(4) } else { width };
                match place.after(grown) {
                    // Windows in which nothing happened are passed without bothering the engine.
                    Some(next) if found.rows.is_empty() => place = next,
                    next => break (found.rows, next),
                }
            } else if width > 1 {
                let share = (width as f64 * PAGE as f64 * 0.7 / found.size as f64) as i64;
                place.width = share.clamp(1, width / 2);
            } else {
                place.page = Some(found.size.div_ceil(PAGE));
            }
        };
        let records = self.records(&request.object, &request.selection, rows).await?;
        Ok(Page {
            records,
            next: next.map(|next| Mark(text(&next))),
            cursor: request.mark.is_none().then(|| self.cursor(began, ours)),
            ..Page::default()
        })
    }

    async fn window(&self, entity: &str, place: &FeedPlace, page: u64) -> Result<Found, PortError> {
        let date = |seconds: i64| {
            let moment = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
            json!(self.names.written(moment))
        };
        let range = vec![date(place.from), date(place.to())];
        let mut conditions: Vec<Condition> = vec![(self.names.modified.clone(), range.clone())];
        match &self.names.created {
            Some(created) => {
                conditions.push((created.clone(), range));
                self.search_any(entity, &conditions, page, &self.names.order_by).await
            }
            None => self.search(entity, &conditions, page, &self.names.order_by).await,
        }
    }

    /// The cursor for a read that began at `began` of the server's clock, or, where it did not tell, of ours.
    pub(super) fn cursor(&self, began: Option<DateTime<Utc>>, ours: DateTime<Utc>) -> Cursor {
        let margin = if began.is_some() { TimeDelta::zero() } else { TimeDelta::minutes(5) };
        let overlap = TimeDelta::seconds(i64::try_from(self.overlap_seconds).unwrap_or(DAY));
        Cursor(text(&Since { since: (began.unwrap_or(ours) - margin - overlap).timestamp() }))
    }
}

fn since(cursor: &Cursor) -> Result<i64, PortError> {
    serde_json::from_str::<Since>(&cursor.0).map(|since| since.since).map_err(|error| {
        PortError::new(
            PortClass::CursorLost,
            "CURSOR",
            format!("The Learndot cursor can't be read ({error}); everything has to be read again."),
        )
    })
}

fn mark<T: DeserializeOwned>(mark: &Mark) -> Result<T, PortError> {
    serde_json::from_str(&mark.0).map_err(|error| {
        PortError::new(
            PortClass::MarkLost,
            "MARK",
            format!(
                "The place in a Learndot backlog can't be read ({error}); it is read again from its start."
            ),
        )
    })
}

fn text(value: &impl Serialize) -> String {
    // Plain structs of numbers and words always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
