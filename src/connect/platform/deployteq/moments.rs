//! Contact moments from analytics events: day by day, one metric after the other, a thousand events a page.
//!
//! What is known of a moment is kept in [`Notes`](crate::domain::port::Notes): the service can't be asked for one, and a click tells nothing of the opens before it.
//! Events younger than the delay wait; the next read begins a day before the last one ended, and an event that comes twice counts once.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::moment::{Moment, by_machine, happened, moment_of};
use super::service::{Answered, Failure, Patience, no_sense};
use super::{Deployteq, MOMENT};
use crate::connect::http::{Call, percent_encode};
use crate::connect::platform::Examined;
use crate::domain::port::{Cursor, FeedRequest, Mark, Page, PortClass, PortError, ScanRequest};
use crate::domain::record::{Record, RecordId, Selection};

/// Events of one page.
const PAGE: u64 = 1000;

/// The service keeps a year.
const KEPT_DAYS: i64 = 365;

/// Where a read goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    day: NaiveDate,
    metric: usize,
    offset: u64,
    /// Events after this wait for the next read, in seconds.
    until: i64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Since {
    day: NaiveDate,
}

/// The cursor from which on the moments since a moment are read: whole days.
pub(super) fn cursor_at(moment: DateTime<Utc>) -> Cursor {
    Cursor(text(&Since { day: moment.date_naive() }))
}

impl Deployteq {
    pub(super) async fn first_moments(&self, request: &ScanRequest) -> Result<Page, PortError> {
        let from = self.service.now() - TimeDelta::days(self.names.moments_days);
        self.moments(&request.selection, request.mark.as_ref(), from.date_naive()).await
    }

    pub(super) async fn further_moments(&self, request: &FeedRequest) -> Result<Page, PortError> {
        let oldest = (self.service.now() - TimeDelta::days(KEPT_DAYS)).date_naive();
        let since: Since = serde_json::from_str(&request.cursor.0).map_err(|error| {
            let sentence =
                format!("The cursor of contact moments can't be read ({error}); they have to be read again.");
            PortError::new(PortClass::CursorLost, "CURSOR", sentence)
        })?;
        self.moments(&request.selection, request.mark.as_ref(), since.day.max(oldest)).await
    }

    async fn moments(
        &self,
        selection: &Selection,
        mark: Option<&Mark>,
        from: NaiveDate,
    ) -> Result<Page, PortError> {
        let now = self.service.now();
        let (mut place, is_first) = if let Some(mark) = mark {
            (read_mark(mark)?, false)
        } else {
            let until = now - TimeDelta::minutes(self.names.delay_minutes);
            (Place { day: from, metric: 0, offset: 0, until: until.timestamp() }, true)
        };
        // The cursor lies a day before the last event that was waited for, so that what comes late is found.
        let cursor = is_first.then(|| {
            let until = DateTime::from_timestamp(place.until, 0).unwrap_or(now);
            let day = (until - TimeDelta::seconds(self.overlap_seconds as i64)).date_naive();
            Cursor(text(&Since { day: day.max(from) }))
        });
        loop {
            let Some(metric) = self.names.metrics.get(place.metric).cloned() else {
                match self.next_day(&place) {
                    Some(next) => place = next,
                    None => return Ok(Page { cursor, ..Page::default() }),
                }
                continue;
            };
            let (events, next_offset) = self.events(&metric, &place).await?;
            let next = match next_offset {
                Some(offset) => Some(Place { offset, ..place }),
                None => Some(Place { metric: place.metric + 1, offset: 0, ..place })
                    .filter(|next| next.metric < self.names.metrics.len())
                    .or_else(|| self.next_day(&place)),
            };
            let records = self.counted(&metric, &events, place.until, selection).await?;
            match next {
                // Pages on which nothing is to be seen are passed without bothering the engine.
                Some(next) if records.is_empty() => place = next,
                next => {
                    let next = next.map(|next| Mark(text(&next)));
                    return Ok(Page { records, next, cursor, ..Page::default() });
                }
            }
        }
    }

    /// The first metric of the day after; `None` where that day lies ahead.
    fn next_day(&self, place: &Place) -> Option<Place> {
        let last = DateTime::from_timestamp(place.until, 0)?.date_naive();
        let day = place.day.checked_add_days(Days::new(1))?;
        (day <= last && !self.names.metrics.is_empty()).then_some(Place {
            day,
            metric: 0,
            offset: 0,
            ..*place
        })
    }

    /// A page of events, and where the next one begins.
    async fn events(
        &self,
        metric: &str,
        place: &Place,
    ) -> Result<(Vec<Map<String, Json>>, Option<u64>), PortError> {
        let answer = self.ask_events(metric, place.day, PAGE, place.offset, Patience::Run).await?;
        let Some(Json::Array(rows)) = answer.value.get("data") else {
            let shown: String = answer.text.chars().take(80).collect();
            return Err(no_sense(&format!("events without data: “{shown}”")).into_port());
        };
        let events: Vec<_> = rows.iter().filter_map(|row| row.as_object().cloned()).collect();
        let next = answer.value.pointer("/_links/next").and_then(Json::as_str).filter(|_| !rows.is_empty());
        let next = next.map(|link| {
            let offset = link
                .split(['?', '&'])
                .find_map(|part| part.strip_prefix("offset="))
                .and_then(|offset| offset.parse().ok());
            offset.unwrap_or(place.offset + rows.len() as u64)
        });
        // A service that links to the same page again would hold a run up for ever.
        Ok((events, next.filter(|offset| *offset > place.offset)))
    }

    async fn ask_events(
        &self,
        metric: &str,
        day: NaiveDate,
        limit: u64,
        offset: u64,
        patience: Patience,
    ) -> Result<Answered, PortError> {
        let url = format!(
            "{}/events?{}={day}&{}={day}&{}={}&limit={limit}&offset={offset}",
            self.names.events_endpoint,
            percent_encode("filter[date_from]"),
            percent_encode("filter[date_to]"),
            percent_encode("filter[metric]"),
            percent_encode(metric),
        );
        let scope = self.names.events_scope.as_str();
        for attempt in 0..2 {
            let token = self.tokens.get(&self.service, scope, patience).await?;
            let call = Call::get("read events", url.clone()).bearer(&token).repeatable();
            match self.service.send(call, patience).await {
                // A token may be taken back before its end; one more is asked for.
                Err(Failure::Nothing(error)) if error.class == PortClass::SignIn && attempt == 0 => {
                    self.tokens.forget(scope, &token).await;
                }
                Ok(answer) => return Ok(answer),
                Err(failure) => return Err(failure.into_port()),
            }
        }
        Err(no_sense("the events refuse every token").into_port())
    }

    /// Counts a page of events into what is known of their moments; gives the moments as they are now.
    async fn counted(
        &self,
        metric: &str,
        events: &[Map<String, Json>],
        until: i64,
        selection: &Selection,
    ) -> Result<Vec<Record>, PortError> {
        let machines = self.names.leave_out_machines && matches!(metric, "opens" | "clicks");
        let mut order: Vec<RecordId> = Vec::new();
        let mut of: HashMap<RecordId, Vec<&Map<String, Json>>> = HashMap::new();
        for event in events {
            let passed = (machines && by_machine(event)) || happened(event).is_some_and(|at| at > until);
            let Some(id) = moment_of(event, &self.names).filter(|_| !passed) else { continue };
            let list = of.entry(id.clone()).or_default();
            if list.is_empty() {
                order.push(id);
            }
            list.push(event);
        }
        if order.is_empty() {
            return Ok(Vec::new());
        }
        let notes = self.notes()?;
        let known = notes.take(MOMENT, &order).await?;
        let mut records = Vec::with_capacity(order.len());
        let mut kept = Vec::new();
        for (id, note) in order.iter().zip(known) {
            let before: Moment = note.and_then(|note| serde_json::from_str(&note).ok()).unwrap_or_default();
            let mut moment = before.clone();
            for event in of.get(id).into_iter().flatten() {
                moment.take(metric, event, &self.names);
            }
            records.push(moment.record(id, selection));
            if moment != before {
                kept.push((id.clone(), text(&moment)));
            }
        }
        notes.keep(MOMENT, kept).await?;
        Ok(records)
    }

    /// Moments by id, from what was kept of them.
    pub(super) async fn read_moments(
        &self,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let known = self.notes()?.take(MOMENT, ids).await?;
        let moment = |(id, note): (&RecordId, Option<String>)| {
            let moment: Moment = serde_json::from_str(&note?).ok()?;
            Some(moment.record(id, selection))
        };
        Ok(ids.iter().zip(known).filter_map(moment).collect())
    }

    pub(super) async fn examine_events(&self, examined: &mut Examined) -> Result<(), PortError> {
        let today: DateTime<Utc> = self.service.now();
        for metric in &self.names.metrics {
            let answer = self.ask_events(metric, today.date_naive(), 1, 0, Patience::Person).await?;
            let count = answer.value.get("total_count").and_then(Json::as_u64);
            let count = count.map(|count| format!(" ({count} today)")).unwrap_or_default();
            examined.good(format!("Analytics events, {metric}: read{count}."));
        }
        Ok(())
    }
}

fn read_mark(mark: &Mark) -> Result<Place, PortError> {
    serde_json::from_str(&mark.0).map_err(|error| {
        let sentence =
            format!("The place among the contact moments can't be read ({error}); they are read again.");
        PortError::new(PortClass::MarkLost, "MARK", sentence)
    })
}

fn text(value: &impl Serialize) -> String {
    // Plain structs of numbers and words always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
