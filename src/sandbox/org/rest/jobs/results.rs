//! The three result files of an ingest job.

use super::ingest::{Fate, Ingest};
use super::{Job, Work};
use crate::sandbox::org::rest::reply::Reply;

fn csv(out: Vec<u8>) -> Reply {
    Reply { headers: vec![("content-type", "text/csv".to_owned())], ..Reply::bytes(200, out) }
}

/// Rows in an order that has nothing to do with the order sent: clients must not rely on one.
fn shuffled(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|place| (*place as u32).wrapping_mul(2_654_435_761));
    order
}

fn file(job: &Job, ingest: &Ingest, first: [&str; 2], line: impl Fn(&Fate) -> Option<[String; 2]>) -> Reply {
    let mut out = Vec::new();
    let mut write = |values: &mut dyn Iterator<Item = &str>| {
        for (at, value) in values.enumerate() {
            job.dialect.value(&mut out, at == 0, value);
        }
        job.dialect.end(&mut out);
    };
    write(&mut first.into_iter().chain(ingest.header.iter().map(String::as_str)));
    for place in shuffled(ingest.fates.len()) {
        let (Some(fate), Some(row)) = (ingest.fates.get(place), ingest.rows.get(place)) else { continue };
        if let Some(own) = line(fate) {
            write(&mut own.iter().map(String::as_str).chain(row.iter().map(String::as_str)));
        }
    }
    csv(out)
}

/// Rows that were written.
pub(super) fn successful(job: &Job) -> Reply {
    let Work::Ingest(ingest) = &job.work else { return Reply::not_found() };
    file(job, ingest, ["sf__Id", "sf__Created"], |fate| match fate {
        Fate::Written { id, created } => Some([id.clone(), created.to_string()]),
        Fate::Refused { .. } => None,
    })
}

/// Rows that were refused, and why.
pub(super) fn failed(job: &Job) -> Reply {
    let Work::Ingest(ingest) = &job.work else { return Reply::not_found() };
    file(job, ingest, ["sf__Id", "sf__Error"], |fate| match fate {
        Fate::Refused { id, error } => {
            Some([id.clone(), format!("{}:{}:{} --", error.code, error.message, error.fields.join(", "))])
        }
        Fate::Written { .. } => None,
    })
}

/// Rows that the job did not get to.
pub(super) fn unprocessed(job: &Job) -> Reply {
    let Work::Ingest(ingest) = &job.work else { return Reply::not_found() };
    let mut unread;
    let ingest = if ingest.header.is_empty() && ingest.has_data() {
        unread = ingest.unread();
        // What cannot be parsed has no rows to show.
        let _ = unread.read(job.dialect);
        &unread
    } else {
        ingest
    };
    let mut out = Vec::new();
    let rows = ingest.rows.iter().skip(ingest.fates.len());
    for line in std::iter::once(&ingest.header).filter(|header| !header.is_empty()).chain(rows) {
        for (at, value) in line.iter().enumerate() {
            job.dialect.value(&mut out, at == 0, value);
        }
        job.dialect.end(&mut out);
    }
    csv(out)
}
