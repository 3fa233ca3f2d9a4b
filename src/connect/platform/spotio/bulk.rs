//! Many rows at once, by a job of the service: opened, filled with one record a line, started, and asked for until it is done.
//!
//! A job tells which records succeeded and which lines failed, not which line became which record. So creates go by a job only
//! where each line carries the org's id; what can't be told apart afterwards is unknown, and looked up like a lost answer.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::Spotio;
use super::feed::text;
use super::json::member;
use super::service::{Answered, Ask, Failure};
use super::shape::{Lens, forget_position, id_of, is_of, number, put_place};
use super::view::View;
use super::write::{Sent, collection, row_error};
use crate::connect::http::{Method, percent_encode};
use crate::domain::mapping::SideEffects;
use crate::domain::port::{
    Job, PortClass, PortError, RowClass, RowError, RowResult, WriteBatch, WriteKind, WriteRow,
};
use crate::domain::record::{RecordId, Selection};

/// What must be known of a job to read its results.
#[derive(Debug, Serialize, Deserialize)]
struct Ticket {
    job: String,
    object: String,
    kind: WriteKind,
    rows: Vec<Told>,
    read_back: Vec<String>,
}

/// What a row of the batch is known by.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    /// The record's id, or for a new one the org's.
    Key(String),
    /// It was never sent.
    Refused(RowError),
}

impl Spotio {
    /// Whether so many rows are written by a job, and can be told apart afterwards.
    pub(super) fn is_for_a_job(&self, batch: &WriteBatch) -> bool {
        let many = self.names.bulk_from > 0 && batch.rows.len() >= self.names.bulk_from;
        many && match batch.kind {
            WriteKind::Delete => false,
            WriteKind::Update => true,
            WriteKind::Create => {
                let mut marks: Vec<String> = batch.rows.iter().filter_map(|row| mark(batch, row)).collect();
                marks.sort();
                marks.dedup();
                marks.len() == batch.rows.len()
            }
        }
    }

    /// Opens, fills and starts a job; nothing where no row could be sent at all.
    pub(super) async fn start_job(
        &self,
        view: View,
        batch: &WriteBatch,
        present: &HashMap<RecordId, Json>,
    ) -> Result<Option<Job>, PortError> {
        let mut lines: Vec<u8> = Vec::new();
        let mut rows = Vec::with_capacity(batch.rows.len());
        for row in &batch.rows {
            match self.line(view, batch, row, present).await? {
                Ok((key, record)) => {
                    lines.extend_from_slice(Json::Object(record).to_string().as_bytes());
                    lines.push(b'\n');
                    rows.push(Told::Key(key));
                }
                Err(error) => rows.push(Told::Refused(error)),
            }
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        let operation = self.word(if batch.kind == WriteKind::Create { "create" } else { "update" });
        let body = json!({"operation": operation, "dataObjectTypeId": number(&kind.id)});
        // A job that is opened twice and not started harms nobody.
        let opened = self.service.send(&Ask::post("open a job", "/api/jobs/dataObjects/bulk", &body)).await;
        let opened = opened.map_err(Failure::into_port)?;
        let Some(job) = member(&opened.value, "id") else {
            return Err(PortError::new(
                PortClass::Protocol,
                "NO_JOB",
                "SPOTIO opened a job without telling its id.",
            ));
        };
        let path = job_path(&job);
        let fill = Ask {
            method: Method::PUT,
            body: Some(("application/x-ndjson", lines)),
            ..Ask::get("fill a job", format!("{path}/data")).once()
        };
        if let Err(failure) = self.service.send(&fill).await {
            // It was not started, so nothing has happened.
            self.clean_up(&job).await;
            return Err(failure.into_port());
        }
        match self.service.send(&Ask::post("start a job", format!("{path}/start"), &json!({}))).await {
            // Whether it runs is seen when it is asked for.
            Ok(_) | Err(Failure::Unknown(_)) => {}
            Err(failure) => {
                self.clean_up(&job).await;
                return Err(failure.into_port());
            }
        }
        let read_back = batch.read_back.names().iter().map(ToString::to_string).collect();
        let ticket = Ticket { job, object: batch.object.clone(), kind: batch.kind, rows, read_back };
        Ok(Some(Job(text(&ticket))))
    }

    /// A line of the job and what it is known by. A changed record is sent whole.
    async fn line(
        &self,
        view: View,
        batch: &WriteBatch,
        row: &WriteRow,
        present: &HashMap<RecordId, Json>,
    ) -> Result<Result<(String, Map<String, Json>), RowError>, PortError> {
        if batch.kind == WriteKind::Create {
            let key = mark(batch, row).unwrap_or_default();
            return Ok(self.new_record(view, batch, row).await?.map(|record| (key, record)));
        }
        let gone = || row_error(RowClass::Gone, "GONE", "The record is no longer in SPOTIO.");
        let Some((id, held)) = row.id.as_ref().and_then(|id| Some((id, present.get(id)?))) else {
            return Ok(Err(gone()));
        };
        let wanted = match self.wanted(view, batch, row).await? {
            Ok(wanted) => wanted,
            Err(error) => return Ok(Err(error)),
        };
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        if !is_of(held, kind) {
            return Ok(Err(gone()));
        }
        let lens = Lens { workflow: &workflow, kind, names: &self.names };
        let fields = match collection(&lens, held, wanted.fields) {
            Ok(fields) => fields,
            Err(error) => return Ok(Err(error)),
        };
        let mut record = Map::new();
        record.insert("id".into(), Json::String(id.to_string()));
        record.insert("typeId".into(), number(&kind.id));
        for name in ["stageId", "ownerId"] {
            if let Some(known) = member(held, name) {
                record.insert(name.into(), number(&known));
            }
        }
        for name in ["source", "externalDataObjectId", "pin"] {
            if let Some(known) = held.get(name).filter(|known| !known.is_null()) {
                record.insert(name.into(), known.clone());
            }
        }
        record.extend(wanted.stage.map(|stage| ("stageId".to_owned(), stage)));
        record.extend(wanted.owner.map(|owner| ("ownerId".to_owned(), owner)));
        record.extend(wanted.members.into_iter().map(|(name, value)| (name.to_owned(), value)));
        if !wanted.places.is_empty() {
            let mut pin = held.get("pin").and_then(Json::as_object).cloned().unwrap_or_default();
            for (part, value) in &wanted.places {
                put_place(&mut pin, *part, value);
            }
            forget_position(&mut pin);
            record.insert("pin".into(), Json::Object(pin));
        }
        record.insert("fields".into(), Json::Array(fields));
        Ok(Ok((id.to_string(), record)))
    }

    /// The results of a job; nothing while it is at work.
    pub(super) async fn poll_job(&self, job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        let ticket: Ticket = serde_json::from_str(&job.0).map_err(|error| {
            PortError::new(
                PortClass::Settings,
                "JOB",
                format!("The note of a SPOTIO job can't be read ({error}); what it did is looked up."),
            )
        })?;
        let view = self.view(&ticket.object)?;
        let path = job_path(&ticket.job);
        let progress =
            self.service.get("job", &format!("{path}/progress")).await.map_err(Failure::into_port)?;
        let state = member(&progress.value, "state").unwrap_or_default().to_ascii_lowercase();
        match state.as_str() {
            "jobcomplete" | "failed" | "aborted" => {}
            // Its start was lost on the way.
            "open" | "uploadcomplete" => {
                let start = Ask::post("start a job", format!("{path}/start"), &json!({}));
                self.service.send(&start).await.map_err(Failure::into_port)?;
                return Ok(None);
            }
            _ => return Ok(None),
        }
        let succeeded = self.results(&path, "succeeded").await?;
        let failed = self.results(&path, "failed").await?;
        let done: Vec<RecordId> =
            succeeded.iter().filter_map(|line| any(line, "DataObjectId")).map(RecordId::new).collect();
        let rows = self.rows_by_id(&done).await?;
        let mut outcome: HashMap<String, Sent> = HashMap::new();
        for id in &done {
            let row = rows.iter().find(|row| id_of(row).as_ref() == Some(id));
            let key = match ticket.kind {
                WriteKind::Create => row.and_then(|row| member(row, "externalDataObjectId")),
                WriteKind::Update | WriteKind::Delete => Some(id.to_string()),
            };
            if let Some(key) = key {
                outcome.insert(key, Sent::Stored(id.clone(), row.cloned()));
            }
        }
        for line in &failed {
            let data = match line.get("Data").or_else(|| line.get("data")) {
                Some(Json::String(text)) => serde_json::from_str(text).unwrap_or_default(),
                Some(other) => other.clone(),
                None => Json::Null,
            };
            let key = if ticket.kind == WriteKind::Create {
                any(&data, "ExternalDataObjectId")
            } else {
                any(&data, "Id")
            };
            let Some(key) = key else { continue };
            let words = any(line, "Error").unwrap_or_else(|| {
                line.get("Error").or_else(|| line.get("error")).map(Json::to_string).unwrap_or_default()
            });
            let error = row_error(RowClass::Data, "JOB_LINE", &format!("SPOTIO refused it: “{words}”."));
            outcome.entry(key).or_insert(Sent::Refused(error));
        }
        let sent = ticket
            .rows
            .into_iter()
            .map(|told| match told {
                Told::Key(key) => outcome.remove(&key).unwrap_or(Sent::Unknown),
                Told::Refused(error) => Sent::Refused(error),
            })
            .collect();
        self.clean_up(&ticket.job).await;
        let batch = WriteBatch {
            object: ticket.object,
            kind: ticket.kind,
            selection: Selection::default(),
            rows: Vec::new(),
            read_back: Selection::new(&ticket.read_back),
            mark: None,
            consent: Vec::new(),
            effects: SideEffects::default(),
        };
        self.read_back(view, &batch, sent).await.map(Some)
    }

    async fn results(&self, path: &str, which: &str) -> Result<Vec<Json>, PortError> {
        let answer = self.service.get("results of a job", &format!("{path}/results/{which}")).await;
        Ok(lines(&answer.map_err(Failure::into_port)?))
    }

    /// Drops what a job leaves behind; that it stays harms nobody.
    async fn clean_up(&self, job: &str) {
        let body = json!({"dropDataTable": true, "deleteResultFiles": true, "deleteUploadedFiles": true});
        let ask = Ask::post("clean up a job", format!("{}/cleanup", job_path(job)), &body);
        if let Err(failure) = self.service.send(&Ask { method: Method::DELETE, ..ask }).await {
            tracing::debug!(error = %failure.into_port(), "A job of SPOTIO was not cleaned up.");
        }
    }
}

fn job_path(job: &str) -> String {
    format!("/api/jobs/dataObjects/bulk/{}", percent_encode(job))
}

/// The org's id that a new record carries.
fn mark(batch: &WriteBatch, row: &WriteRow) -> Option<String> {
    let place = batch.selection.position("externalId")?;
    row.values.get(place)?.as_ref().filter(|value| !value.is_blank()).map(ToString::to_string)
}

/// A member, whether its name begins with a capital letter or not.
fn any(json: &Json, name: &str) -> Option<String> {
    let mut letters = name.chars();
    let small: String = letters.next().map(|first| first.to_lowercase().chain(letters).collect())?;
    member(json, name).or_else(|| member(json, &small))
}

/// Lines of JSON; a body of one line may have been read as JSON already.
fn lines(answer: &Answered) -> Vec<Json> {
    let text = String::from_utf8_lossy(&answer.body);
    text.lines().filter_map(|line| serde_json::from_str(line.trim()).ok()).filter(Json::is_object).collect()
}
