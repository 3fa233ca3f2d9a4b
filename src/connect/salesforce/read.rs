//! Reading records by their ids.

use futures_util::StreamExt;

use super::composite::{self, MOST_QUERIES, Part, QueryKind};
use super::describe::Schemas;
use super::errors::senseless;
use super::query::{known, read_all, read_page};
use super::rows::{self, Shape};
use super::session::{Door, Request};
use super::soql;
use crate::connect::http::Idempotency;
use crate::domain::port::PortError;
use crate::domain::record::{Record, RecordId, Selection};

/// Calls under way at once.
const SIDE_BY_SIDE: usize = 4;
/// Ids in one query; five of them go into one call.
const IDS_IN_A_QUERY: usize = 400;

/// These records as they are now, in any number of calls of up to 2,000 each; what is gone or hidden is left out.
pub(super) async fn by_ids(
    door: &Door,
    schemas: &Schemas,
    object: &str,
    selection: &Selection,
    ids: &[RecordId],
) -> Result<Vec<Record>, PortError> {
    let mut wanted: Vec<RecordId> = ids.iter().filter_map(|id| super::id::full_id(id.as_str())).collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let catalog = schemas.catalog_for(door, object, selection.names().iter().map(AsRef::as_ref)).await?;
    known(&catalog, object)?;
    let shape = Shape::new(&catalog, object, selection);
    by_shape(door, &shape, object, &wanted).await
}

/// Reads well-formed ids.
pub(super) async fn by_shape(
    door: &Door,
    shape: &Shape,
    object: &str,
    ids: &[RecordId],
) -> Result<Vec<Record>, PortError> {
    let mut records = Vec::with_capacity(ids.len());
    let calls: Vec<_> =
        ids.chunks(super::READ_BATCH).map(|some| by_call(door, shape, object, some)).collect();
    let mut reads = futures_util::stream::iter(calls).buffered(SIDE_BY_SIDE);
    while let Some(read) = reads.next().await {
        records.extend(read?);
    }
    Ok(records)
}

async fn by_call(
    door: &Door,
    shape: &Shape,
    object: &str,
    ids: &[RecordId],
) -> Result<Vec<Record>, PortError> {
    if shape.has_parents() {
        by_query(door, shape, object, ids).await
    } else {
        by_collection(door, shape, object, ids).await
    }
}

async fn by_collection(
    door: &Door,
    shape: &Shape,
    object: &str,
    ids: &[RecordId],
) -> Result<Vec<Record>, PortError> {
    let base = door.base().await?;
    let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
    let body = serde_json::json!({ "ids": ids, "fields": shape.columns() }).to_string().into_bytes();
    let path = format!("{base}/composite/sobjects/{}", soql::safe_name(object));
    let reply = door
        .send(&Request::post("read by id", path, body, Idempotency::Repeatable))
        .await
        .map_err(|error| error.told(&format!("reading {object} by id")))?;
    rows::read_array(shape, &reply.body)
        .map_err(|error| senseless(&format!("reading {object} by id"), &error))
}

async fn by_query(
    door: &Door,
    shape: &Shape,
    object: &str,
    ids: &[RecordId],
) -> Result<Vec<Record>, PortError> {
    let queries: Vec<String> = ids
        .chunks(IDS_IN_A_QUERY)
        .map(|some| soql::select(shape, object, &format!("WHERE {}", soql::ids_in(some))))
        .collect();
    run(door, shape, object, &queries).await
}

/// Runs any number of queries, five a call, and reads each to its end.
pub(super) async fn run(
    door: &Door,
    shape: &Shape,
    object: &str,
    queries: &[String],
) -> Result<Vec<Record>, PortError> {
    let mut records = Vec::new();
    let what = format!("reading {object}");
    for some in queries.chunks(MOST_QUERIES) {
        if let [one] = some {
            let answer =
                composite::query(door, QueryKind::Live, one).await.map_err(|error| error.told(&what))?;
            let page = read_page(shape, &answer.body, object)?;
            records.extend(read_all(door, shape, object, page).await?);
            continue;
        }
        let base = door.base().await?;
        let parts: Vec<Part> = some
            .iter()
            .enumerate()
            .map(|(place, query)| Part::query(format!("q{place}"), &base, QueryKind::Live, query))
            .collect();
        let answered = composite::send(door, "queries", &parts, Idempotency::Repeatable, &[])
            .await
            .map_err(|error| error.told(&what))?;
        let mut pages = Vec::new();
        for part in answered.parts()? {
            if let Some(fault) = part.fault() {
                return Err(fault.to_port_error(&what));
            }
            pages.push(read_page(shape, part.body().as_bytes(), object)?);
        }
        for page in pages {
            records.extend(read_all(door, shape, object, page).await?);
        }
    }
    Ok(records)
}
