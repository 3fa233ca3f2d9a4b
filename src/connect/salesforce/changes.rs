//! What changed since a cursor, for several objects in one call: records by their stamp, deletions by the org's own log.
//!
//! The next cursor is the org's clock at the start, less the overlap, and never later than the deletion log says it is complete
//! (it stops before the start of a transaction that is still open, which is how late commits are caught). The log reaches back 15
//! days; for an older cursor the page says that deletions may be missing, and whoever reads it has to look for them by id.

mod merges;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::composite::{self, Answer, MOST_PARTS, MOST_QUERIES, Part, PartReply, QueryKind};
use super::convert::{moment_text, parse_moment};
use super::describe::Schemas;
use super::errors::{Topic, senseless, topic};
use super::query::{Place, Position, known, next_page, position_at_start, read_page};
use super::rows::Shape;
use super::session::Door;
use super::{id, soql};
use crate::connect::http::{Idempotency, percent_encode};
use crate::domain::port::{FeedRequest, Page, PortError, Tombstone};
use crate::domain::record::RecordId;

/// The log wants its bounds at least a minute apart, and cuts seconds off.
const SHORTEST_WINDOW: TimeDelta = TimeDelta::seconds(61);

/// So far back the log of deletions can be asked: fifteen days, less an hour for what the clocks may differ.
const LOG_REACHES_BACK: TimeDelta = TimeDelta::hours(15 * 24 - 1);

/// Which record a deletion merged another into, if it did.
type Merged = HashMap<(RecordId, Option<DateTime<Utc>>), Option<RecordId>>;

/// Reads feeds, and remembers where merged records went.
#[derive(Debug, Default)]
pub(super) struct Changes {
    merged: Mutex<Merged>,
}

/// A request with what is needed to ask and to read the answer.
struct Feed<'a> {
    request: &'a FeedRequest,
    shape: Shape,
    since: DateTime<Utc>,
    tells_deletions: bool,
    has_master: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeletedReply {
    #[serde(default)]
    deleted_records: Vec<DeletedRecord>,
    #[serde(default)]
    latest_date_covered: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeletedRecord {
    id: String,
    #[serde(default)]
    deleted_date: Option<String>,
}

impl Changes {
    /// Reads the feeds: those inside a backlog page by page, the others together.
    pub(super) async fn read(
        &self,
        door: &Door,
        schemas: &Schemas,
        settle: Duration,
        requests: &[FeedRequest],
    ) -> Result<Vec<Page>, PortError> {
        let mut pages: Vec<Page> = vec![Page::default(); requests.len()];
        let mut fresh = Vec::new();
        for (place, request) in requests.iter().enumerate() {
            let feed = prepare(door, schemas, request).await?;
            match &request.mark {
                None => fresh.push((place, feed)),
                Some(mark) => {
                    let wanted = feed.condition();
                    let page = next_page(door, &feed.shape, &request.object, mark, Some(&wanted)).await?;
                    put(
                        &mut pages,
                        place,
                        Page { next: Place::behind(&page), records: page.records, ..Page::default() },
                    );
                }
            }
        }
        for some in fresh.chunks(MOST_QUERIES) {
            for (place, page) in self.together(door, schemas, settle, some).await? {
                put(&mut pages, place, page);
            }
        }
        Ok(pages)
    }

    /// Up to five feeds in one call.
    async fn together(
        &self,
        door: &Door,
        schemas: &Schemas,
        settle: Duration,
        feeds: &[(usize, Feed<'_>)],
    ) -> Result<Vec<(usize, Page)>, PortError> {
        let base = door.base().await?;
        let now = door.org_now();
        let mut parts = Vec::new();
        for (place, feed) in feeds {
            parts.push(Part::query(format!("q{place}"), &base, QueryKind::Live, &feed.query()));
            if feed.tells_deletions {
                parts.push(Part::get(format!("t{place}"), feed.deletions_path(&base, now)));
            }
        }
        let objects: Vec<&str> = feeds.iter().map(|(_, feed)| feed.request.object.as_str()).collect();
        let carried = schemas.carried(&base, &objects, door.now(), MOST_PARTS.saturating_sub(parts.len()));
        parts.extend(carried.iter().map(|(_, part)| part.clone()));
        let started = door.now();
        let answered = composite::send(door, "changes", &parts, Idempotency::Repeatable, &[])
            .await
            .map_err(|error| error.told("reading changes"))?;
        let date = answered.reply.date();
        let mut replies: HashMap<String, PartReply<'_>> =
            answered.parts()?.into_iter().map(|part| (part.reference.clone(), part)).collect();
        for (object, _) in &carried {
            if let Some(part) = replies.remove(&format!("d_{object}")) {
                schemas.take(object, &part, date.unwrap_or(now), door.now())?;
            }
        }
        let start = position_at_start(door, &Answer { body: Vec::new(), date }, started, settle);
        let mut pages = Vec::new();
        for (place, feed) in feeds {
            let object = &feed.request.object;
            let query = part_of(&mut replies, &format!("q{place}"), object)?;
            let deletions = if feed.tells_deletions {
                Some(part_of(&mut replies, &format!("t{place}"), object)?)
            } else {
                None
            };
            if let Some(fault) = query.fault() {
                if topic(&fault.code) == Some(Topic::Schema) {
                    // A field went away since the describe; whoever looks next has to see that.
                    schemas.distrust();
                }
                return Err(fault.to_port_error(&format!("reading changes of {object}")));
            }
            let page = read_page(&feed.shape, query.body().as_bytes(), object)?;
            let (tombstones, covered) = match deletions {
                Some(part) => read_deletions(&part, object)?,
                None => (Vec::new(), None),
            };
            let since = covered
                .map_or(start.since, |covered| start.since.min(covered))
                .max(feed.since.min(start.since));
            pages.push((
                *place,
                Page {
                    next: Place::behind(&page),
                    total: Some(page.total),
                    records: page.records,
                    tombstones,
                    deletions_missed: feed.tells_deletions && feed.is_beyond_the_log(now),
                    whole: false,
                    cursor: Some(Position { since }.to_cursor()),
                    told: None,
                },
            ));
        }
        self.follow_merges(door, feeds, &mut pages).await?;
        Ok(pages)
    }
}

async fn prepare<'a>(
    door: &Door,
    schemas: &Schemas,
    request: &'a FeedRequest,
) -> Result<Feed<'a>, PortError> {
    let paths = request.selection.names().iter().map(AsRef::as_ref);
    let catalog = schemas.catalog_for(door, &request.object, paths).await?;
    known(&catalog, &request.object)?;
    Ok(Feed {
        shape: Shape::new(&catalog, &request.object, &request.selection),
        since: Position::parse(&request.cursor)?.since,
        tells_deletions: catalog.object(&request.object).is_some_and(|cached| cached.replicateable),
        has_master: catalog.resolve(&request.object, "MasterRecordId").is_some(),
        request,
    })
}

impl Feed<'_> {
    /// Which records are wanted: those that were touched since, or those whose tick box says so (law E15).
    fn condition(&self) -> String {
        match &self.request.flag {
            Some(flag) => format!("{} = true", soql::safe_name(flag)),
            None => format!("SystemModstamp >= {}", moment_text(self.since)),
        }
    }

    fn query(&self) -> String {
        soql::select(
            &self.shape,
            &self.request.object,
            &format!("WHERE {} {}", self.condition(), soql::order(&self.shape)),
        )
    }

    /// Whether the cursor is older than the log of deletions.
    fn is_beyond_the_log(&self, now: DateTime<Utc>) -> bool {
        self.since < now - LOG_REACHES_BACK
    }

    fn deletions_path(&self, base: &str, now: DateTime<Utc>) -> String {
        let object = soql::safe_name(&self.request.object);
        let since = self.since.max(now - LOG_REACHES_BACK);
        let end = now.max(since + SHORTEST_WINDOW);
        let bound = |moment: DateTime<Utc>| percent_encode(&moment.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        format!("{base}/sobjects/{object}/deleted/?start={}&end={}", bound(since), bound(end))
    }
}

fn read_deletions(
    part: &PartReply<'_>,
    object: &str,
) -> Result<(Vec<Tombstone>, Option<DateTime<Utc>>), PortError> {
    if let Some(fault) = part.fault() {
        return Err(fault.to_port_error(&format!("reading deletions of {object}")));
    }
    let reply: DeletedReply = serde_json::from_str(part.body())
        .map_err(|error| senseless(&format!("the question for deletions of {object}"), &error))?;
    let tombstones = reply
        .deleted_records
        .into_iter()
        .map(|gone| Tombstone {
            id: id::from_api(&gone.id),
            at: gone.deleted_date.as_deref().and_then(parse_moment),
            merged_into: None,
        })
        .collect();
    Ok((tombstones, reply.latest_date_covered.as_deref().and_then(parse_moment)))
}

fn part_of<'a>(
    replies: &mut HashMap<String, PartReply<'a>>,
    reference: &str,
    object: &str,
) -> Result<PartReply<'a>, PortError> {
    replies.remove(reference).ok_or_else(|| {
        PortError::new(
            crate::domain::port::PortClass::Protocol,
            "INCOMPLETE_REPLY",
            format!(
                "Salesforce left out the answer about {object} in a composite reply. The next run asks again."
            ),
        )
    })
}

fn put(pages: &mut [Page], place: usize, page: Page) {
    if let Some(slot) = pages.get_mut(place) {
        *slot = page;
    }
}
