//! Reading an object by a query job: begun, waited for, then up to five pages of its results side by side.
//!
//! Every step is a page of the scan with a mark behind it, so a quota or a crash never starts the job over, and a page that is
//! taken in is never asked for again. While the process lives, open pages go on where they are; after a restart they are asked
//! for again, and what was taken in of them is passed over.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::select_all;
use serde::Deserialize;
use serde_json::json;

use super::job::{self, Kind, State};
use super::page::{Event, PageReader};
use super::place::{Links, Place};
use crate::connect::salesforce::errors::senseless;
use crate::connect::salesforce::query::Place as SinglePlace;
use crate::connect::salesforce::rows::Shape;
use crate::connect::salesforce::session::{Door, Request};
use crate::domain::cost::{self, Rates};
use crate::domain::port::{Mark, Page, PortClass, PortError};
use crate::domain::record::Record;

/// Pages read side by side.
const LANES: usize = 5;

/// How a read by jobs is to be done.
#[derive(Clone, Copy, Debug)]
pub(in crate::connect::salesforce) struct Way<'a> {
    pub(in crate::connect::salesforce) rates: &'a Rates,
    /// Rows on a page of results; the service's own choice without it.
    pub(in crate::connect::salesforce) page_rows: Option<u64>,
}

/// The jobs that are being read, each at a place.
#[derive(Default)]
pub(in crate::connect::salesforce) struct Reads {
    live: tokio::sync::Mutex<HashMap<String, Live>>,
}

impl std::fmt::Debug for Reads {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reads").finish_non_exhaustive()
    }
}

struct Live {
    /// The mark at which it stands; anybody with another one starts from theirs.
    mark: Mark,
    readers: Vec<PageReader>,
}

/// Begins a job. `last` is the last record that was read without it, from which one could go on if the job came to nothing.
pub(in crate::connect::salesforce) async fn begin(
    door: &Door,
    object: &str,
    soql: &str,
    last: Option<&Record>,
) -> Result<Option<Mark>, PortError> {
    let body = json!({
        "operation": "query", "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF",
    });
    match job::create(door, Kind::Query, &body).await {
        Ok(info) => {
            let stamp = last.and_then(|record| record.stamp);
            let id = last.map(|record| record.id.as_str().to_owned());
            Ok(Place::begun(info.id, stamp, id).to_mark())
        }
        Err(error) => {
            let error = error.told(&format!("a bulk job that reads {object}"));
            match error.class {
                PortClass::SignIn | PortClass::Transient => Err(error),
                // Jobs may be switched off, used up for the day, or unable to run this query: pages are there as well.
                _ => {
                    tracing::warn!(object, %error, "No bulk job; reading by single pages.");
                    Ok(None)
                }
            }
        }
    }
}

impl Reads {
    /// Whether a mark is one of these.
    pub(in crate::connect::salesforce) fn knows(mark: &Mark) -> bool {
        Place::is_mark(mark)
    }

    /// Lets go of a read.
    pub(in crate::connect::salesforce) async fn forsake(&self, door: &Door, mark: &Mark) {
        if let Ok(place) = Place::parse(mark) {
            self.live.lock().await.remove(&place.job);
            job::discard(door, Kind::Query, &place.job, place.ready).await;
        }
    }

    /// Goes on behind a mark.
    pub(in crate::connect::salesforce) async fn next(
        &self,
        door: &Arc<Door>,
        shape: &Shape,
        object: &str,
        way: Way<'_>,
        mark: &Mark,
    ) -> Result<Page, PortError> {
        let mut place = Place::parse(mark)?;
        if !place.ready {
            return wait(door, object, way, place).await;
        }
        let live = self.live.lock().await.remove(&place.job).filter(|live| live.mark == *mark);
        let mut readers = live.map(|live| live.readers).unwrap_or_default();
        let path = job::path(door, Kind::Query, &place.job).await?;
        let shape = Arc::new(shape.clone());
        let records = loop {
            if place.is_over() {
                break Vec::new();
            }
            fill(door, &shape, &path, way, &place, &mut readers);
            let (event, at) = {
                let steps = readers.iter_mut().map(|reader| Box::pin(step(reader)));
                let ((event, at), _, _) = select_all(steps).await;
                (event?, at)
            };
            match event {
                Event::Began { next, rows } => {
                    if place.follow(at.as_deref(), next.as_deref()) {
                        ask_for_links(door, &path, &mut place, rows).await;
                    }
                }
                Event::Portion { records, rows, last } => {
                    place.taken(at.as_deref(), rows, last);
                    if last {
                        readers.retain(|reader| reader.at != at);
                    }
                    if !records.is_empty() || last {
                        break records;
                    }
                }
            }
        };
        if place.is_over() {
            job::discard(door, Kind::Query, &place.job, true).await;
            return Ok(Page { records, ..Page::default() });
        }
        let next = place.to_mark();
        if let Some(mark) = next.clone() {
            self.live.lock().await.insert(place.job, Live { mark, readers });
        }
        Ok(Page { records, next, ..Page::default() })
    }
}

async fn step(reader: &mut PageReader) -> (Result<Event, PortError>, Option<String>) {
    let event = reader.next().await;
    (event, reader.at.clone())
}

/// Opens pages until enough are read side by side.
fn fill(
    door: &Arc<Door>,
    shape: &Arc<Shape>,
    path: &str,
    way: Way<'_>,
    place: &Place,
    readers: &mut Vec<PageReader>,
) {
    for page in &place.pages {
        if readers.len() >= LANES {
            return;
        }
        if readers.iter().all(|reader| reader.at != page.at) {
            let (door, shape, at) = (Arc::clone(door), Arc::clone(shape), page.at.clone());
            readers.push(PageReader::new(door, shape, path, at, page.rows, way.page_rows));
        }
    }
}

/// Asks once after a job, after the pause that is due.
async fn wait(door: &Arc<Door>, object: &str, way: Way<'_>, mut place: Place) -> Result<Page, PortError> {
    door.pause(cost::pause_before(way.rates, place.asked)).await;
    place.asked = place.asked.saturating_add(1);
    let Some(info) = job::info(door, Kind::Query, &place.job).await? else { return Err(job::lost()) };
    match info.state {
        State::JobComplete => place.done(info.number_records_processed),
        State::Open | State::UploadComplete | State::InProgress | State::Other => {}
        State::Failed | State::Aborted => {
            job::discard(door, Kind::Query, &place.job, true).await;
            let why = info.error_message.unwrap_or_else(|| "it was given up by somebody".into());
            let (Some(stamp), Some(id)) = (place.stamp, place.id) else {
                return Err(PortError::new(
                    PortClass::Transient,
                    "BULK_JOB_FAILED",
                    format!("The bulk job that reads {object} failed: {why}. The next run tries again."),
                ));
            };
            return Ok(Page {
                next: SinglePlace::behind_row(stamp, id),
                told: Some(format!(
                    "{object}: the bulk job failed ({}); reading on by single calls.",
                    why.trim_end_matches('.')
                )),
                ..Page::default()
            });
        }
    }
    Ok(Page { next: place.to_mark(), ..Page::default() })
}

/// Links to pages further on let them be read side by side; without them each page leads to the next one only.
async fn ask_for_links(door: &Door, path: &str, place: &mut Place, rows: Option<u64>) {
    let left = place.rows.checked_div(rows.unwrap_or(0)).unwrap_or(0);
    let from = match &place.links {
        Links::Done => return,
        Links::Unasked if left < 3 => {
            place.links = Links::Done;
            return;
        }
        Links::Unasked => format!("{path}/resultPages"),
        Links::More(more) if more.starts_with("/services/data/") => more.clone(),
        Links::More(_) => {
            place.links = Links::Done;
            return;
        }
    };
    match links(door, from).await {
        Ok((locators, more)) => place.add_links(&locators, more),
        Err(error) => {
            tracing::info!(%error, "No links to pages of a bulk job; they are read one after another.");
            place.links = Links::Done;
        }
    }
}

async fn links(door: &Door, path: String) -> Result<(Vec<String>, Option<String>), PortError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply {
        #[serde(default)]
        result_pages: Vec<Link>,
        #[serde(default, alias = "nextRecordUrl")]
        next_records_url: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Link {
        result_url: String,
    }
    let what = "the pages of a bulk job";
    let reply = door.send(&Request::get("bulk pages", path)).await.map_err(|error| error.told(what))?;
    let reply: Reply = reply.json().map_err(|error| senseless(what, &error))?;
    let locators = reply.result_pages.iter().filter_map(|link| locator(&link.result_url)).collect();
    Ok((locators, reply.next_records_url.filter(|more| !more.is_empty())))
}

fn locator(link: &str) -> Option<String> {
    let (_, query) = link.split_once('?')?;
    let text = query.split('&').find_map(|pair| pair.strip_prefix("locator="))?;
    // Locators are letters and digits, perhaps with signs of base64.
    Some(text.replace("%3D", "=").replace("%3d", "=").replace("%2B", "+").replace("%2F", "/"))
}
