//! Writing by jobs: the whole batch is handed over, and asked for until it is done.
//!
//! The job that is kept while it runs names the rows' addresses and ids, but none of their values.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Salesmanago;
use super::call::Patience;
use super::cursor::to_text;
use super::errors::{Failure, own_row, refused_row};
use super::fields::Place;
use super::job::{Progress, request_of};
use super::outcome::Sent;
use super::read::By;
use super::wire::{JobAnswer, JobFile, JobLine};
use super::write::{Draft, by_email};
use super::write_shape::UpsertRow;
use crate::connect::http::Idempotency;
use crate::domain::port::{
    Job, PortClass, PortError, RowClass, RowError, RowResult, WriteBatch, WriteKind, Written,
};
use crate::domain::record::{RecordId, Selection};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobBody<'a> {
    use_api_double_opt_in: bool,
    fire_events: bool,
    upsert_details: Vec<&'a UpsertRow<'a>>,
}

/// What has to be remembered of a batch while its job runs.
#[derive(Serialize, Deserialize)]
struct Pending {
    request: String,
    kind: WriteKind,
    began: Option<DateTime<Utc>>,
    read_back: Vec<String>,
    rows: Vec<PendingRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PendingRow {
    Sent { email: String, id: Option<RecordId> },
    Refused(RowError),
}

impl Salesmanago {
    /// Hands the rows over to a job.
    pub(super) async fn upsert_later(
        &self,
        batch: &WriteBatch,
        drafts: &[Draft<'_>],
        ours: HashMap<usize, RowError>,
    ) -> Result<Written, PortError> {
        // Rows with the same address can't be told apart afterwards.
        let (first, again): (Vec<&Draft<'_>>, Vec<&Draft<'_>>) =
            drafts.iter().partition(|draft| draft.wave == 0);
        let mut refused = ours.clone();
        refused.extend(again.iter().map(|draft| (draft.index, twice(draft.upsert.email()))));
        if first.is_empty() {
            return self.upsert_now(batch, &[], refused).await;
        }
        let body = JobBody {
            use_api_double_opt_in: batch.effects.double_opt_in,
            fire_events: batch.effects.fire_events,
            upsert_details: first.iter().map(|draft| &draft.upsert).collect(),
        };
        let answer = self
            .service
            .call::<JobAnswer>("contact/batchupsertv2", &body, Idempotency::Once, Patience::Run)
            .await;
        match answer {
            Ok(answer) => {
                let pending = Pending {
                    request: request_of(&answer.value)?,
                    kind: batch.kind,
                    began: answer.began,
                    read_back: batch.read_back.names().iter().map(ToString::to_string).collect(),
                    rows: pending_rows(batch, &first, refused),
                };
                Ok(Written::Accepted(Job(to_text(&pending))))
            }
            // Which row is at fault shows only row by row.
            Err(Failure::Refused(_)) => self.upsert_now(batch, drafts, ours).await,
            Err(Failure::Unknown(_)) => {
                let results = (0..batch.rows.len())
                    .map(|index| refused.remove(&index).map_or(RowResult::Unknown, RowResult::Refused))
                    .collect();
                Ok(Written::Rows(results))
            }
            Err(Failure::Nothing(error)) => Err(error),
        }
    }

    /// Asks for a job once.
    pub(super) async fn poll_job(&self, job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        let pending: Pending = serde_json::from_str(&job.0).map_err(|error| {
            PortError::new(
                PortClass::MarkLost,
                "JOB",
                format!("The note about a SALESmanago job can't be read ({error}); its records are looked up instead."),
            )
        })?;
        let file = match self.job(&pending.request).await? {
            Progress::Running => return Ok(None),
            Progress::Done(file) => file,
        };
        let lines = match file {
            Some(url) => self.service.file::<JobFile>(&url).await.unwrap_or_else(|error| {
                tracing::debug!(%error, "A job left no readable list of its rows; they are looked up.");
                JobFile::default()
            }),
            None => JobFile::default(),
        };
        self.finish(&pending, lines).await.map(Some)
    }

    async fn finish(&self, pending: &Pending, file: JobFile) -> Result<Vec<RowResult>, PortError> {
        let lines: HashMap<String, JobLine> = file
            .contacts
            .into_iter()
            .filter_map(|line| Some((line.email.filled()?.trim().to_lowercase(), line)))
            .collect();
        let line = |email: &str| lines.get(&email.to_lowercase());
        let unlisted: Vec<&str> = pending
            .rows
            .iter()
            .filter_map(|row| match row {
                PendingRow::Sent { email, .. } if line(email).is_none_or(|line| outcome(line).is_none()) => {
                    Some(email.as_str())
                }
                PendingRow::Sent { .. } | PendingRow::Refused(_) => None,
            })
            .collect();
        let held = by_email(&self.contacts(By::Email, &unlisted).await?);
        let sent = pending
            .rows
            .iter()
            .map(|row| match row {
                PendingRow::Refused(error) => Sent::Refused(error.clone()),
                PendingRow::Sent { email, .. } => line(email)
                    .and_then(outcome)
                    .or_else(|| held.get(&email.to_lowercase()).map(|id| Sent::Stored(id.clone())))
                    .unwrap_or_else(|| Sent::Refused(not_kept(email))),
            })
            .collect();
        let targets: Vec<Option<&RecordId>> = pending
            .rows
            .iter()
            .map(|row| match row {
                PendingRow::Sent { id, .. } => id.as_ref(),
                PendingRow::Refused(_) => None,
            })
            .collect();
        let places = Place::of_all(&Selection::new(&pending.read_back));
        Ok(self.read_back(pending.kind, &targets, sent, &places, pending.began).await)
    }
}

fn pending_rows(
    batch: &WriteBatch,
    drafts: &[&Draft<'_>],
    mut refused: HashMap<usize, RowError>,
) -> Vec<PendingRow> {
    let sent: HashMap<usize, &str> =
        drafts.iter().map(|draft| (draft.index, draft.upsert.later_email())).collect();
    batch
        .rows
        .iter()
        .enumerate()
        .map(|(index, row)| match (sent.get(&index), refused.remove(&index)) {
            (Some(email), _) => PendingRow::Sent { email: (*email).to_owned(), id: row.id.clone() },
            (None, Some(error)) => PendingRow::Refused(error),
            (None, None) => PendingRow::Refused(twice("")),
        })
        .collect()
}

/// What a line of a job's file says, if it says anything.
fn outcome(line: &JobLine) -> Option<Sent> {
    match (line.success, line.id.filled()) {
        (Some(false), _) => {
            let words = line.message.0.join("; ");
            Some(Sent::Refused(refused_row(if words.is_empty() { "no reason given" } else { &words })))
        }
        (Some(true) | None, Some(id)) => Some(Sent::Stored(RecordId::new(id))),
        (Some(true) | None, None) => None,
    }
}

fn not_kept(email: &str) -> RowError {
    own_row(
        "NOT_KEPT",
        "email",
        format!(
            "SALESmanago took {email} over with its batch but holds no such contact now, and does not say why. With transport = \
             \"per_row\" it gives its reason."
        ),
    )
}

fn twice(email: &str) -> RowError {
    RowError {
        code: "SAME_ADDRESS".into(),
        message: format!("Two rows of one batch are for {email}; this one is sent later."),
        fields: vec!["email".into()],
        class: RowClass::Again,
    }
}
