//! Draining a data set: everything since a moment, page by page, backwards.
//!
//! An answer holds so many rows, the newest first; `updated_after` is exclusive and `updated_before` inclusive (platform-novoed.md §6).
//! The next page is asked for up to the oldest moment seen, which repeats the rows of that moment and misses none, until nothing older
//! comes. A row that is edited meanwhile leaves the part that is yet to be read for one that the next read begins with, so that it is
//! read then. The cursor is the newest moment that was seen, not the clock: the data are refreshed now and then, and what is not in them yet
//! would be passed over. It comes with the first page, and is kept once all pages are pending or done.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, TimeZone, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::NovoEd;
use super::rows::{Row, Rows};
use super::service::{Patience, into_port};
use crate::connect::http::percent_encode;
use crate::domain::port::{Cursor, FeedRequest, Mark, Page, PortClass, PortError, ScanRequest};
use crate::domain::record::Selection;

/// The data sets that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum DataSet {
    Users,
    Courses,
    Enrollments,
}

impl DataSet {
    /// Its name in paths and in the settings.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Courses => "courses",
            Self::Enrollments => "enrollments",
        }
    }

    /// The one in which an object stands.
    pub(super) fn of(object: &str) -> Self {
        match object {
            "user" => Self::Users,
            "course" => Self::Courses,
            _ => Self::Enrollments,
        }
    }
}

/// Answers of one look, by what was asked.
pub(super) type Answers = HashMap<(DataSet, i64, Option<i64>), Arc<Rows>>;

/// Where a read goes on; moments are milliseconds of the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Nothing up to here is asked for.
    floor: i64,
    /// Where the slice begins, exclusive.
    low: i64,
    /// Where the slice ends, inclusive; nothing for now.
    before: Option<i64>,
    /// Whether a whole answer held nothing but the moment above this one, so that nothing may follow unless it had room.
    #[serde(default)]
    edge: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Newest {
    newest: i64,
}

/// The cursor from which on the changes since a moment are read.
pub(super) fn cursor_at(moment: DateTime<Utc>) -> Cursor {
    Cursor(text(&Newest { newest: moment.timestamp_millis() }))
}

/// One answer, with the moment of each row.
pub(super) struct Drained {
    pub(super) rows: Arc<Rows>,
    pub(super) next: Option<Place>,
    pub(super) began: Option<DateTime<Utc>>,
}

impl NovoEd {
    /// Where a read of everything since a moment begins.
    pub(super) fn begin(&self, floor: i64) -> Place {
        let slice = self.names.slice_hours.saturating_mul(3_600_000);
        let low = if slice > 0 { (self.service.now().timestamp_millis() - slice).max(floor) } else { floor };
        Place { floor, low, before: None, edge: false }
    }

    /// What is left behind a slice.
    fn older(&self, place: Place) -> Option<Place> {
        let slice = self.names.slice_hours.saturating_mul(3_600_000).max(1);
        (place.low > place.floor).then(|| Place {
            low: (place.low - slice).max(place.floor),
            before: Some(place.low),
            edge: false,
            ..place
        })
    }

    /// The next rows of a read; empty answers are passed over.
    pub(super) async fn drain(
        &self,
        set: DataSet,
        mut place: Place,
        patience: Patience,
        answered: &mut Answers,
    ) -> Result<Drained, PortError> {
        let mut began = None;
        loop {
            let asked = (set, place.low, place.before);
            let rows = if let Some(rows) = answered.get(&asked) {
                Arc::clone(rows)
            } else {
                let (rows, then) = self.ask(set, place.low, place.before, patience).await?;
                began = began.or(then);
                let rows = Arc::new(rows);
                answered.insert(asked, Arc::clone(&rows));
                rows
            };
            if rows.is_empty() {
                match self.older(place) {
                    Some(older) => place = older,
                    None => return Ok(Drained { rows, next: None, began }),
                }
                continue;
            }
            let column = self.names.column(set.word(), "updated_at");
            let oldest = rows.iter().filter_map(|row| self.moment_in(row, column)).min();
            let Some(oldest) = oldest else { return Err(self.missing_column(set, "updated_at", &rows)) };
            if place.edge {
                return Err(crowded(set, place.before.unwrap_or_default() + 1));
            }
            let next = if oldest - 1 <= place.low {
                self.older(place)
            } else if place.before == Some(oldest) {
                Some(Place { before: Some(oldest - 1), edge: true, ..place })
            } else {
                Some(Place { before: Some(oldest), ..place })
            };
            return Ok(Drained { rows, next, began });
        }
    }

    /// One call of the data interface.
    async fn ask(
        &self,
        set: DataSet,
        after: i64,
        before: Option<i64>,
        patience: Patience,
    ) -> Result<(Rows, Option<DateTime<Utc>>), PortError> {
        let mut path = self.names.data_path.replace("{data_set}", set.word());
        path.push_str(if path.contains('?') { "&updated_after=" } else { "?updated_after=" });
        path.push_str(&percent_encode(&written(after)));
        if let Some(before) = before {
            path.push_str("&updated_before=");
            path.push_str(&percent_encode(&written(before)));
        }
        let answer = self.service.get(set.word(), &path, patience).await.map_err(into_port)?;
        let rows = Rows::of_csv(&answer.text).map_err(into_port)?;
        Ok((rows, answer.began))
    }

    /// All rows since the beginning, handed over answer by answer.
    pub(super) async fn everything(
        &self,
        set: DataSet,
        patience: Patience,
        mut take: impl FnMut(&Rows),
    ) -> Result<Option<DateTime<Utc>>, PortError> {
        let mut place = Some(self.begin(self.names.data_since.timestamp_millis()));
        let mut began = None;
        while let Some(from) = place {
            let drained = self.drain(set, from, patience, &mut Answers::new()).await?;
            began = began.or(drained.began);
            take(&drained.rows);
            place = drained.next;
        }
        Ok(began)
    }

    /// A moment that stands in a column, in milliseconds.
    pub(super) fn moment_in(&self, row: Row<'_>, column: &str) -> Option<i64> {
        moment(row.filled(column)?, self.names.zone).map(|moment| moment.timestamp_millis())
    }

    pub(super) fn missing_column(&self, set: DataSet, ours: &str, rows: &Rows) -> PortError {
        let (set, theirs) = (set.word(), self.names.column(set.word(), ours));
        PortError::new(
            PortClass::Settings,
            "COLUMN_MISSING",
            format!(
                "The data set {set} of NovoEd has no usable column “{theirs}”; it has {}. Name the right one in columns, such as \
                 {set}.{ours}=NAME.",
                rows.columns().join(", ")
            ),
        )
    }

    pub(super) async fn scan_page(&self, request: &ScanRequest) -> Result<Page, PortError> {
        let floor = self.names.data_since.timestamp_millis();
        let (mark, object, selection) = (request.mark.as_ref(), &request.object, &request.selection);
        self.page(object, selection, mark, floor, floor, &mut Answers::new()).await
    }

    pub(super) async fn changed(
        &self,
        request: &FeedRequest,
        answered: &mut Answers,
    ) -> Result<Page, PortError> {
        let newest = newest(&request.cursor)?;
        let overlap = i64::try_from(self.overlap_seconds).unwrap_or(0).saturating_mul(1000);
        let floor = newest.saturating_sub(overlap);
        let (mark, object, selection) = (request.mark.as_ref(), &request.object, &request.selection);
        self.page(object, selection, mark, floor, newest, answered).await
    }

    async fn page(
        &self,
        object: &str,
        selection: &Selection,
        mark: Option<&Mark>,
        floor: i64,
        known: i64,
        answered: &mut Answers,
    ) -> Result<Page, PortError> {
        self.object(object)?;
        let place = if let Some(mark) = mark {
            read_mark::<Place>(mark)?
        } else {
            self.see_session(Patience::Run).await?;
            self.begin(floor)
        };
        let set = DataSet::of(object);
        let drained = self.drain(set, place, Patience::Run, answered).await?;
        let offerings = self.offerings_for(object, &drained.rows).await?;
        let records = self.records(object, selection, &drained.rows, offerings.as_deref())?;
        let cursor = mark.is_none().then(|| {
            let column = self.names.column(set.word(), "updated_at");
            let newest = drained.rows.iter().filter_map(|row| self.moment_in(row, column)).max();
            // A moment of the future would hide all that comes before it.
            let now = drained.began.unwrap_or_else(|| self.service.now()).timestamp_millis();
            let newest = newest.map_or(known, |newest| newest.min(now.max(known)).max(known));
            Cursor(text(&Newest { newest }))
        });
        // A page of the courses knows only its own.
        let whole = offerings.as_ref().filter(|_| mark.is_none() && set == DataSet::Enrollments);
        let told = whole.and_then(|offerings| offerings.told());
        let next = drained.next.map(|next| Mark(text(&next)));
        Ok(Page { records, next, cursor, told, ..Page::default() })
    }
}

/// More rows of one moment than an answer holds can't be read at all.
fn crowded(set: DataSet, moment: i64) -> PortError {
    PortError::new(
        PortClass::Protocol,
        "CROWDED_MOMENT",
        format!(
            "More rows of {} were changed at {} than one answer of NovoEd holds, so that some of them can't be read. Ask its support for \
             more rows in an answer; until then nothing older is passed over, and nothing is read.",
            set.word(),
            written(moment)
        ),
    )
}

/// A moment as the service takes it.
fn written(moment: i64) -> String {
    let moment = DateTime::from_timestamp_millis(moment).unwrap_or_default();
    let whole = moment.timestamp_subsec_millis() == 0;
    moment.format(if whole { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.3fZ" }).to_string()
}

/// A moment as the service writes it: with a zone, or without one in that of the settings.
pub(super) fn moment(text: &str, zone: FixedOffset) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let (bare, zone) = match text.strip_suffix(" UTC") {
        Some(bare) => (bare, FixedOffset::east_opt(0)?),
        None => (text, zone),
    };
    if let Ok(moment) = DateTime::parse_from_rfc3339(bare) {
        return Some(moment.with_timezone(&Utc));
    }
    let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(bare, format).ok())?;
    zone.from_local_datetime(&naive).single().map(|moment| moment.with_timezone(&Utc))
}

/// How long ago something was, for people.
pub(super) fn ago(moment: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = (now - moment).max(TimeDelta::zero()).num_minutes();
    match minutes {
        0..=1 => "just now".into(),
        2..=119 => format!("{minutes} minutes ago"),
        120..=2879 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}

fn newest(cursor: &Cursor) -> Result<i64, PortError> {
    serde_json::from_str::<Newest>(&cursor.0).map(|newest| newest.newest).map_err(|error| {
        PortError::new(
            PortClass::CursorLost,
            "CURSOR",
            format!("The NovoEd cursor can't be read ({error}); everything has to be read again."),
        )
    })
}

fn read_mark<T: DeserializeOwned>(mark: &Mark) -> Result<T, PortError> {
    serde_json::from_str(&mark.0).map_err(|error| {
        PortError::new(
            PortClass::MarkLost,
            "MARK",
            format!(
                "The place in a NovoEd backlog can't be read ({error}); it is read again from its start."
            ),
        )
    })
}

fn text(value: &impl Serialize) -> String {
    // Plain structs of numbers always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
