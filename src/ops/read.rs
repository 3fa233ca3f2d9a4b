//! Reads runs, issues, history and the log; needs no lock, and works while an engine writes.

use chrono::{DateTime, Utc};

use crate::domain::report::{
    ConflictQuery, ConflictRow, FactRow, FirstSync, HistoryQuery, HistoryRow, IssueGroup, IssueQuery,
    IssueRow, LogQuery, RunRow, StatusReport,
};
use crate::domain::schema::ObjectSchema;
use crate::domain::side::{PerSide, Side};
use crate::engine::prepare::fingerprint;
use crate::ops::error::OpError;
use crate::ops::runner::run_mappings;
use crate::ops::session::Session;
use crate::ops::unequal;
use crate::ops::webhooks::LAST_HINT;
use crate::store::read::HistoryPage;
pub use crate::store::read::Snoozed;
use crate::store::{Reader, StoreError};

/// Runs a read off the async threads; a workspace in which nothing ever ran answers with nothing.
pub(super) async fn read<T: Default + Send + 'static>(
    session: &Session,
    read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, OpError> {
    let session = session.clone();
    let done = tokio::task::spawn_blocking(move || match session.reader()? {
        Some(reader) => Ok::<T, OpError>(read(&reader)?),
        None => Ok(T::default()),
    });
    match done.await {
        Ok(result) => result,
        Err(error) => Err(OpError::failed(format!("The state database could not be read: {error}."))),
    }
}

/// What the status block shows.
pub async fn status(session: &Session) -> Result<StatusReport, OpError> {
    let now = session.clock().now();
    let settings = session.settings();
    read(session, move |reader| {
        let mut status = reader.status(now)?;
        status.drift = reader.drift()?;
        let runs = |name: &str| settings.mapping(name).is_some_and(|mapping| mapping.enabled);
        status.drift.retain(|row| runs(&row.finding.mapping));
        status.unequal = unequal::of(&settings, reader)?;
        // Before the first run nothing is there that could wait.
        if status.first_sync != FirstSync::Never {
            for mapping in run_mappings(&settings).iter().filter(|mapping| mapping.enabled) {
                let written = fingerprint(std::slice::from_ref(mapping));
                if reader.accepted(&mapping.name)?.is_none_or(|accepted| accepted != written) {
                    status.unaccepted.push(mapping.name.clone());
                }
            }
        }
        Ok(status)
    })
    .await
}

/// What both sides said of a mapping's objects when that was accepted.
pub async fn accepted_schemas(
    session: &Session,
    mapping: &str,
) -> Result<Option<PerSide<ObjectSchema>>, OpError> {
    let name = mapping.to_owned();
    read(session, move |reader| reader.accepted_schemas(&name)).await
}

/// Runs, newest first, before a run if one is given.
pub async fn runs(session: &Session, before: Option<i64>, limit: usize) -> Result<Vec<RunRow>, OpError> {
    read(session, move |reader| reader.runs(before, limit)).await
}

/// One run.
pub async fn run(session: &Session, run: i64) -> Result<Option<RunRow>, OpError> {
    read(session, move |reader| reader.run(run)).await
}

/// Open issues by cause.
pub async fn issue_groups(session: &Session) -> Result<Vec<IssueGroup>, OpError> {
    issue_groups_with(session, Snoozed::Hidden).await
}

/// Groups of open issues, with the snoozed ones or without.
pub async fn issue_groups_with(session: &Session, snoozed: Snoozed) -> Result<Vec<IssueGroup>, OpError> {
    let now = session.clock().now();
    read(session, move |reader| reader.issue_groups(now, snoozed)).await
}

/// Issues, oldest first.
pub async fn issues(session: &Session, query: IssueQuery) -> Result<Vec<IssueRow>, OpError> {
    read(session, move |reader| reader.issues(&query)).await
}

/// Log lines, newest first.
pub async fn log(session: &Session, query: LogQuery) -> Result<Vec<FactRow>, OpError> {
    read(session, move |reader| reader.log(&query)).await
}

/// History, newest first.
pub async fn history(session: &Session, query: HistoryQuery) -> Result<Vec<HistoryRow>, OpError> {
    read(session, move |reader| reader.history(&query)).await
}

/// Conflicts, in the order of their numbers.
pub async fn conflicts(session: &Session, query: ConflictQuery) -> Result<Vec<ConflictRow>, OpError> {
    read(session, move |reader| reader.conflicts(&query)).await
}

/// One conflict.
pub async fn conflict(session: &Session, conflict: i64) -> Result<Option<ConflictRow>, OpError> {
    read(session, move |reader| reader.conflict(conflict)).await
}

/// One page of history, newest first; its `next` says where to go on.
pub async fn history_page(session: &Session, query: HistoryQuery) -> Result<HistoryPage, OpError> {
    read(session, move |reader| reader.history_page(&query)).await
}

/// When the platform last hinted at a record that was looked at.
pub async fn last_hint(session: &Session) -> Result<Option<DateTime<Utc>>, OpError> {
    let kept = read(session, |reader| reader.remembered(LAST_HINT)).await?;
    Ok(kept.and_then(|text| text.parse().ok()))
}

/// The sequence of the last log line.
pub async fn last_fact(session: &Session) -> Result<i64, OpError> {
    read(session, Reader::last_fact).await
}

/// The objects among these that were never read to their end.
pub async fn never_read(
    session: &Session,
    objects: Vec<(Side, String)>,
) -> Result<Vec<(Side, String)>, OpError> {
    let all = objects.clone();
    // Where nothing ever ran, nothing was ever read.
    let known = read(session, move |reader| {
        let mut known = Vec::new();
        for (side, object) in objects {
            if reader.has_cursor(side, &object)? {
                known.push((side, object));
            }
        }
        Ok(known)
    })
    .await?;
    Ok(all.into_iter().filter(|object| !known.contains(object)).collect())
}
