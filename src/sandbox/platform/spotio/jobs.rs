//! Jobs: opened, filled with lines, started; one state further each time somebody asks. A finished one may hold failures.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::records::number;
use super::routes::{json_of, refused};
use super::{Spotio, iso};

/// A job.
#[derive(Debug, Clone)]
pub(super) struct BulkJob {
    operation: String,
    kind: u32,
    created: i64,
    state: &'static str,
    polls: u32,
    lines: Vec<Value>,
    parts: usize,
    succeeded: Vec<String>,
    failed: Vec<Value>,
}

impl BulkJob {
    fn shown(&self, id: &str) -> Value {
        json!({
            "id": id, "operation": self.operation, "dataObjectTypeId": self.kind, "createdById": 1,
            "createdDate": iso(self.created), "updatedDate": iso(self.created), "state": self.state,
        })
    }
}

fn unknown() -> Response {
    refused((404, "_".into(), "The job does not exist.".into()))
}

pub(super) async fn open(State(account): State<Arc<Spotio>>, bytes: Bytes) -> Response {
    let body = match json_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let operation = body.get("operation").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    if !["create", "update", "patch"].contains(&operation.as_str()) {
        return refused((422, "operation".into(), format!("The operation {operation} is not known.")));
    }
    let job = BulkJob {
        operation,
        kind: number(body.get("dataObjectTypeId")).unwrap_or(0),
        created: account.clock.now_ms(),
        state: "Open",
        polls: 0,
        lines: Vec::new(),
        parts: 0,
        succeeded: Vec::new(),
        failed: Vec::new(),
    };
    let id = format!("7d0c0000-0000-4000-8000-{:012x}", account.next());
    let shown = job.shown(&id);
    account.held_mut().jobs.insert(id, job);
    axum::Json(shown).into_response()
}

pub(super) async fn fill(
    State(account): State<Arc<Spotio>>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Response {
    let mut held = account.held_mut();
    let Some(job) = held.jobs.get_mut(&id) else { return unknown() };
    if !matches!(job.state, "Open" | "UploadComplete") {
        return refused((409, "_".into(), "The job takes no more data.".into()));
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Result<Vec<Value>, _> =
        text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect();
    let Ok(lines) = lines else { return refused((400, "_".into(), "A line is not valid JSON.".into())) };
    let count = lines.len();
    job.lines.extend(lines);
    job.parts += 1;
    job.state = "UploadComplete";
    axum::Json(json!({
        "id": format!("{id}-{}", job.parts), "bulkJobId": id, "partNumber": job.parts, "size": bytes.len(),
        "recordCount": count, "state": "Uploaded", "createdDate": iso(account.clock.now_ms()),
    }))
    .into_response()
}

/// The records are written when the job starts; that it is done is told later.
pub(super) async fn start(State(account): State<Arc<Spotio>>, Path(id): Path<String>) -> Response {
    let now = account.clock.now_ms();
    let mut held = account.held_mut();
    let Some(mut job) = held.jobs.remove(&id) else { return unknown() };
    if job.state == "UploadComplete" {
        job.state = "InProgress";
        for line in &job.lines {
            let done = match (job.operation.as_str(), line.get("id").and_then(Value::as_str)) {
                ("create", None) => held.create(line, account.next(), account.caller(), now),
                ("update", Some(own)) => {
                    held.replace(own, line, account.caller(), now).map(|()| own.to_owned())
                }
                _ => Err((422, "id".into(), "The line does not suit the operation.".into())),
            };
            match done {
                Ok(id) => job.succeeded.push(id),
                Err((_, what, words)) => {
                    job.failed.push(json!({"Error": format!("{what}: {words}"), "Data": line}));
                }
            }
        }
    }
    let shown = job.shown(&id);
    held.jobs.insert(id, job);
    axum::Json(shown).into_response()
}

pub(super) async fn progress(State(account): State<Arc<Spotio>>, Path(id): Path<String>) -> Response {
    let most = account.job_polls.load(Ordering::Relaxed);
    let mut held = account.held_mut();
    let Some(job) = held.jobs.get_mut(&id) else { return unknown() };
    if matches!(job.state, "InProgress" | "Ingested") {
        job.polls += 1;
        job.state = match job.polls {
            polls if polls > most => "JobComplete",
            polls if polls == most => "Ingested",
            _ => "InProgress",
        };
    }
    axum::Json(json!({
        "id": id, "state": job.state, "operation": job.operation, "dataObjectTypeId": job.kind, "createdById": 1,
        "createdDate": iso(job.created), "totalRecordsToProcess": job.lines.len(),
        "recordsProcessed": job.succeeded.len() + job.failed.len(), "recordsFailed": job.failed.len(),
        "errorMessage": null, "files": [],
    }))
    .into_response()
}

pub(super) async fn results(
    State(account): State<Arc<Spotio>>,
    Path((id, which)): Path<(String, String)>,
) -> Response {
    let held = account.held();
    let Some(job) = held.jobs.get(&id) else { return unknown() };
    let lines: Vec<String> = match which.as_str() {
        "succeeded" => job
            .succeeded
            .iter()
            .map(|own| json!({"FileId": format!("{id}-1"), "DataObjectId": own}).to_string())
            .collect(),
        "failed" => job.failed.iter().map(Value::to_string).collect(),
        _ => return unknown(),
    };
    let body: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    ([("Content-Type", "application/x-ndjson")], body).into_response()
}

pub(super) async fn clean_up(State(account): State<Arc<Spotio>>, Path(id): Path<String>) -> Response {
    match account.held_mut().jobs.remove(&id) {
        Some(_) => StatusCode::OK.into_response(),
        None => unknown(),
    }
}
