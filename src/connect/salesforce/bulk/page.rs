//! One page of a job's results, streamed: its rows come out in portions, and never more than a portion is held.
//!
//! Where the connection breaks, the page is asked for again and the rows that were handed out are passed over.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::decode::{Broken, Decoder};
use super::job;
use crate::connect::http::{HttpError, Opened};
use crate::connect::salesforce::errors::{Topic, topic};
use crate::connect::salesforce::rows::{Flat, Shape};
use crate::connect::salesforce::session::{Door, DoorError, Request};
use crate::domain::port::{PortClass, PortError};
use crate::domain::record::Record;

/// Records in a portion, about.
const PORTION: usize = 2_000;
/// How often a page is asked for.
const TRIES: u32 = 5;

type Opening = Pin<Box<dyn Future<Output = Result<Opened, DoorError>> + Send>>;

/// A page that is being read. Whatever is awaited here may be given up and awaited again; nothing is lost by it.
pub(super) struct PageReader {
    door: Arc<Door>,
    shape: Arc<Shape>,
    path: String,
    pub(super) at: Option<String>,
    stage: Stage,
    tries: u32,
    /// Rows that were handed out, now or before an interruption.
    taken: u64,
    records: Vec<Record>,
}

enum Stage {
    Opening(Opening),
    Reading(Box<Reading>),
}

/// A body on its way in, and how many of its rows came.
struct Reading {
    opened: Opened,
    decoder: Decoder,
    flat: Option<Flat>,
    rows: u64,
}

/// What a page tells.
pub(super) enum Event {
    /// The service began to answer; this is the locator of the page behind it, and how many rows this one has.
    Began { next: Option<String>, rows: Option<u64> },
    /// Records; `rows` counts those of the page that were handed out so far.
    Portion { records: Vec<Record>, rows: u64, last: bool },
}

impl PageReader {
    /// Asks for a page. `path` is the job's; `taken` of its rows are passed over.
    pub(super) fn new(
        door: Arc<Door>,
        shape: Arc<Shape>,
        job_path: &str,
        at: Option<String>,
        taken: u64,
        most: Option<u64>,
    ) -> Self {
        let mut path = format!("{job_path}/results");
        let mut sign = '?';
        if let Some(most) = most {
            path.push_str("?maxRecords=");
            path.push_str(&most.to_string());
            sign = '&';
        }
        if let Some(at) = &at {
            path.push(sign);
            path.push_str("locator=");
            path.push_str(&crate::connect::http::percent_encode(at));
        }
        let stage = Stage::Opening(open(Arc::clone(&door), path.clone(), Duration::ZERO));
        Self { door, shape, path, at, stage, tries: 1, taken, records: Vec::new() }
    }

    pub(super) async fn next(&mut self) -> Result<Event, PortError> {
        loop {
            match self.step().await {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(Trouble::Lasting(error)) => return Err(error),
                Err(Trouble::Passing(error)) => {
                    if self.tries >= TRIES {
                        return Err(error);
                    }
                    tracing::info!(%error, "A page of a bulk job broke off; it is asked for again.");
                    let pause = Duration::from_secs(1 << self.tries.min(5));
                    self.tries += 1;
                    self.stage = Stage::Opening(open(Arc::clone(&self.door), self.path.clone(), pause));
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Event>, Trouble> {
        match &mut self.stage {
            Stage::Opening(opening) => {
                let opened = opening.await.map_err(trouble)?;
                if opened.status == 204 {
                    return Err(Trouble::Lasting(job::lost()));
                }
                let next = opened.header("Sforce-Locator").map(str::trim);
                let next = next.filter(|next| !next.is_empty() && *next != "null").map(str::to_owned);
                let rows = opened.header("Sforce-NumberOfRecords").and_then(|text| text.trim().parse().ok());
                let reading = Reading { opened, decoder: Decoder::new(), flat: None, rows: 0 };
                self.stage = Stage::Reading(Box::new(reading));
                Ok(Some(Event::Began { next, rows }))
            }
            Stage::Reading(reading) => {
                let Reading { opened, decoder, flat, rows } = &mut **reading;
                let piece = opened.piece().await.map_err(|error| {
                    Trouble::Passing(DoorError::Http(error).told("the results of a bulk job"))
                })?;
                let (shape, records, taken) = (&self.shape, &mut self.records, &mut self.taken);
                let mut odd = false;
                let mut take = |row: &super::decode::Row<'_>| {
                    let Some(flat) = flat else {
                        let header: Vec<&str> =
                            row.fields().map(|name| name.trim_start_matches('\u{feff}')).collect();
                        *flat = Some(Flat::new(shape, header));
                        return;
                    };
                    odd |= row.len() != flat.columns();
                    *rows += 1;
                    if *rows > *taken {
                        *taken += 1;
                        records.extend(flat.record(row.fields()));
                    }
                };
                let bytes = piece.as_ref().map(AsRef::as_ref).unwrap_or_default();
                decoder.feed(bytes, &mut take).map_err(Trouble::from)?;
                if odd {
                    return Err(Trouble::Lasting(unreadable(
                        "a row has more or fewer fields than the header",
                    )));
                }
                if piece.is_none() {
                    let told =
                        opened.header("Sforce-NumberOfRecords").and_then(|text| text.trim().parse().ok());
                    if told.is_some_and(|told: u64| *rows < told) {
                        return Err(Trouble::Passing(unreadable("it ended before its last row")));
                    }
                    return Ok(Some(self.portion(true)));
                }
                Ok((self.records.len() >= PORTION).then(|| self.portion(false)))
            }
        }
    }

    fn portion(&mut self, last: bool) -> Event {
        Event::Portion { records: std::mem::take(&mut self.records), rows: self.taken, last }
    }
}

fn open(door: Arc<Door>, path: String, pause: Duration) -> Opening {
    Box::pin(async move {
        if !pause.is_zero() {
            door.pause(pause).await;
        }
        door.open(&Request::get("bulk results", path).for_csv()).await
    })
}

enum Trouble {
    Passing(PortError),
    Lasting(PortError),
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        Self::Lasting(unreadable(&broken.to_string()))
    }
}

fn unreadable(why: &str) -> PortError {
    PortError::new(
        PortClass::Protocol,
        "UNREADABLE_REPLY",
        format!("The results of a bulk job can't be read: {why}. Run the sync again."),
    )
}

fn trouble(error: DoorError) -> Trouble {
    match &error {
        DoorError::Fault(fault)
            if job::is_gone(fault) || fault.status == 409 || topic(&fault.code) == Some(Topic::Locator) =>
        {
            Trouble::Lasting(job::lost())
        }
        DoorError::Http(HttpError::Broken { .. } | HttpError::Timeout { .. }) => {
            Trouble::Passing(error.told("the results of a bulk job"))
        }
        DoorError::Http(_) | DoorError::Fault(_) | DoorError::Told(_) => {
            Trouble::Lasting(error.told("the results of a bulk job"))
        }
    }
}
