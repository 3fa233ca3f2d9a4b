//! Writing by jobs: made empty first, so that whoever journals can keep their ids; then filled, begun, waited for, and their
//! results joined to the rows.
//!
//! A job that is not begun does nothing. So a crash before that loses an empty job, and a crash behind it leaves one whose id is
//! known and whose end can be waited for.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::encode::Sheet;
use super::job::{self, Info, Kind, State};
use super::outcome::{File, Joiner, Outcome};
use crate::connect::http::Pieces;
use crate::connect::salesforce::collections::{columns, refusal};
use crate::connect::salesforce::describe::Schemas;
use crate::connect::salesforce::query::known;
use crate::connect::salesforce::rows::Shape;
use crate::connect::salesforce::session::{Door, DoorError, Request};
use crate::connect::salesforce::{read, soql};
use crate::domain::port::{
    Job, Late, PortClass, PortError, RowClass, RowError, RowResult, WriteBatch, WriteKind, WriteRow,
};
use crate::domain::record::{Record, RecordId};

/// The jobs of a batch; more than one where it is larger than an upload may be.
#[derive(Serialize, Deserialize)]
struct Jobs {
    jobs: Vec<String>,
}

impl Jobs {
    fn parse(job: &Job) -> Result<Self, PortError> {
        serde_json::from_str(&job.0).map_err(|_unreadable| job::lost())
    }
}

/// Whether jobs can do what this batch asks for, apart from what its rows hold: side effects are switched by headers that jobs
/// do not know, and what is created must carry a mark by which its result is found.
pub(in crate::connect::salesforce) fn fits(batch: &WriteBatch) -> bool {
    let marked = batch.kind != WriteKind::Create || batch.mark.is_some();
    marked && !batch.effects.assignment_rules && !batch.effects.allow_duplicates
}

async fn sheet_of(door: &Door, schemas: &Schemas, batch: &WriteBatch) -> Result<Option<Sheet>, PortError> {
    let fields = batch.selection.names().iter().chain(batch.read_back.names()).map(AsRef::as_ref);
    let catalog = schemas.catalog_for(door, &batch.object, fields).await?;
    known(&catalog, &batch.object)?;
    let Some(sheet) = Sheet::new(batch, &columns(&catalog, batch)) else { return Ok(None) };
    let mut keys: Vec<Option<String>> = batch.rows.iter().map(|row| sheet.key_of(row)).collect();
    keys.sort_unstable();
    keys.dedup();
    let clear = keys.len() == batch.rows.len() && batch.rows.iter().all(|row| sheet.can_say(row));
    Ok(clear.then_some(sheet))
}

/// Makes the jobs for a batch, empty. `None` where jobs can't say what the rows hold.
pub(in crate::connect::salesforce) async fn prepare(
    door: &Door,
    schemas: &Schemas,
    batch: &WriteBatch,
) -> Result<Option<Job>, PortError> {
    let Some(sheet) = sheet_of(door, schemas, batch).await? else { return Ok(None) };
    let mut body = json!({
        "object": soql::safe_name(&batch.object), "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF",
        "operation": match batch.kind {
            WriteKind::Create => "upsert",
            WriteKind::Update => "update",
            WriteKind::Delete => "delete",
        },
    });
    if batch.kind == WriteKind::Create
        && let Some(fields) = body.as_object_mut()
    {
        fields.insert("externalIdFieldName".into(), json!(sheet.key_name()));
    }
    let mut jobs = Jobs { jobs: Vec::new() };
    for _range in sheet.cut(&batch.rows, door.settings().bulk_upload_bytes) {
        match job::create(door, Kind::Ingest, &body).await {
            Ok(info) => jobs.jobs.push(info.id),
            Err(error) => {
                for id in &jobs.jobs {
                    job::discard(door, Kind::Ingest, id, false).await;
                }
                let error = error.told(&format!("a bulk job that writes {}", batch.object));
                if matches!(error.class, PortClass::SignIn | PortClass::Transient) {
                    return Err(error);
                }
                tracing::warn!(object = batch.object, %error, "No bulk job; writing by single calls.");
                return Ok(None);
            }
        }
    }
    Ok(serde_json::to_string(&jobs).ok().map(Job))
}

/// Carries out the jobs of a batch, one after another.
pub(in crate::connect::salesforce) async fn carry_out(
    door: &Door,
    schemas: &Schemas,
    job: &Job,
    batch: &WriteBatch,
) -> Result<Vec<RowResult>, PortError> {
    let jobs = Jobs::parse(job)?.jobs;
    let Some(sheet) = sheet_of(door, schemas, batch).await? else { return Err(job::lost()) };
    let ranges = sheet.cut(&batch.rows, door.settings().bulk_upload_bytes);
    let mut results: Vec<RowResult> = Vec::with_capacity(batch.rows.len());
    let mut trouble: Option<PortError> = None;
    for (id, range) in jobs.iter().zip(ranges) {
        let rows = batch.rows.get(range.clone()).unwrap_or_default();
        if let Some(error) = &trouble {
            job::discard(door, Kind::Ingest, id, false).await;
            results.extend(not_done(error, rows.len()));
            continue;
        }
        match one(door, id, batch, &sheet, rows).await {
            Ok(some) => results.extend(some),
            Err(error) => {
                results.extend(not_done(&error, rows.len()));
                trouble = Some(error);
            }
        }
    }
    match trouble {
        Some(error) if results.iter().all(|result| matches!(result, RowResult::Refused(_))) => Err(error),
        _ => {
            read_back(door, schemas, batch, &mut results).await;
            Ok(results)
        }
    }
}

fn not_done(error: &PortError, rows: usize) -> impl Iterator<Item = RowResult> + use<> {
    let class = if error.class == PortClass::Limit { RowClass::Limit } else { RowClass::Again };
    let refused =
        RowError { code: error.code.clone(), message: error.message.clone(), fields: Vec::new(), class };
    std::iter::repeat_n(RowResult::Refused(refused), rows)
}

/// One job from its upload to its end. An `Err` means that nothing was done.
async fn one(
    door: &Door,
    id: &str,
    batch: &WriteBatch,
    sheet: &Sheet,
    rows: &[WriteRow],
) -> Result<Vec<RowResult>, PortError> {
    let what = format!("the upload of {} rows of {}", rows.len(), batch.object);
    if let Err(error) = upload(door, id, sheet, rows).await {
        // It was not begun, so whatever of it arrived does nothing.
        job::discard(door, Kind::Ingest, id, false).await;
        return Err(error.told(&what));
    }
    if let Err(error) = job::set(door, Kind::Ingest, id, "UploadComplete").await {
        let begun = job::info(door, Kind::Ingest, id)
            .await
            .is_ok_and(|info| info.is_none_or(|info| !matches!(info.state, State::Open | State::Aborted)));
        if !begun {
            job::discard(door, Kind::Ingest, id, false).await;
            return Err(error.told(&what));
        }
    }
    let info = match job::wait(door, Kind::Ingest, id, &door.settings().rates).await {
        Ok(Some(info)) => info,
        outcome => {
            tracing::warn!(job = id, ?outcome, "The end of a bulk job could not be seen.");
            return Ok(vec![RowResult::Unknown; rows.len()]);
        }
    };
    let mut joiner = Joiner::new(sheet.key_name(), rows.iter().map(|row| sheet.key_of(row)));
    for file in File::ALL {
        if worth_reading(&info, file, rows.len() as u64)
            && let Err(error) = results(door, id, file, &mut joiner).await
        {
            tracing::warn!(job = id, %error, "Results of a bulk job could not be read.");
            return Ok(vec![RowResult::Unknown; rows.len()]);
        }
    }
    job::discard(door, Kind::Ingest, id, true).await;
    if let Some(message) = &info.error_message {
        tracing::warn!(job = id, message, "A bulk job failed.");
    }
    // Where the file as a whole was refused, its reason is every row's.
    let failure =
        info.error_message.filter(|_| info.number_records_processed == 0 && info.state == State::Failed);
    let outcomes = joiner.outcomes.into_iter();
    Ok(outcomes.map(|outcome| result(batch, outcome, failure.as_deref())).collect())
}

/// The three files are read only where the job's numbers say that there is something in them.
fn worth_reading(info: &Info, file: File, rows: u64) -> bool {
    let (processed, failed) = (info.number_records_processed, info.number_records_failed);
    match file {
        File::Successful => processed > failed || info.state != State::JobComplete,
        File::Failed => failed > 0 || info.state != State::JobComplete,
        File::Unprocessed => processed < rows || info.state != State::JobComplete,
    }
}

async fn upload(door: &Door, id: &str, sheet: &Sheet, rows: &[WriteRow]) -> Result<(), DoorError> {
    let path = format!("{}/batches", job::path(door, Kind::Ingest, id).await?);
    let mut tries = 0;
    loop {
        tries += 1;
        let (sender, body) = Pieces::channel();
        let feed = async move {
            for piece in sheet.pieces(rows) {
                if sender.send(piece).await.is_err() {
                    // Nobody takes it any more; the call tells why.
                    return;
                }
            }
        };
        let request = Request::put("bulk upload", path.clone());
        let (sent, ()) = futures_util::future::join(door.upload(&request, body), feed).await;
        match sent {
            Ok(_) => return Ok(()),
            // The first sending had arrived.
            Err(DoorError::Fault(fault))
                if tries > 1 && fault.code.to_ascii_uppercase().contains("JOBSTATE") =>
            {
                return Ok(());
            }
            Err(error) if tries < 3 && may_pass(&error) => {
                door.pause(std::time::Duration::from_secs(tries)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

fn may_pass(error: &DoorError) -> bool {
    match error {
        DoorError::Http(error) => !error.is_lasting(),
        DoorError::Fault(fault) => {
            matches!(fault.status, 401 | 429 | 500 | 502 | 503 | 504)
        }
        DoorError::Told(_) => false,
    }
}

async fn results(door: &Door, id: &str, file: File, joiner: &mut Joiner) -> Result<(), PortError> {
    let path = format!("{}/{}", job::path(door, Kind::Ingest, id).await?, file.path());
    let what = "the results of a bulk job";
    let mut tries = 0;
    loop {
        tries += 1;
        let request = Request::get("bulk results", path.clone()).for_csv();
        let mut opened = door.open(&request).await.map_err(|error| error.told(what))?;
        let mut reading = joiner.file(file);
        let broken = loop {
            match opened.piece().await {
                Ok(piece) => {
                    let bytes = piece.as_ref().map(AsRef::as_ref).unwrap_or_default();
                    reading.feed(bytes).map_err(|broken| {
                        PortError::new(
                            PortClass::Protocol,
                            "UNREADABLE_REPLY",
                            format!("In {what}, {broken}."),
                        )
                    })?;
                    if piece.is_none() {
                        return Ok(());
                    }
                }
                Err(error) => break error,
            }
        };
        if tries >= 3 {
            return Err(DoorError::Http(broken).told(what));
        }
        door.pause(std::time::Duration::from_secs(tries)).await;
    }
}

fn result(batch: &WriteBatch, outcome: Option<Outcome>, failure: Option<&str>) -> RowResult {
    match (outcome, failure) {
        (Some(Outcome::Done { id, created }), _) => RowResult::Done { id, created, record: None },
        (Some(Outcome::Refused { code, message, fields }), _) => {
            RowResult::Refused(refusal(batch, code, &message, fields))
        }
        (Some(Outcome::Untouched) | None, Some(failure)) => {
            let code = failure.split([' ', ':']).next().unwrap_or_default().to_owned();
            RowResult::Refused(refusal(batch, code, failure, Vec::new()))
        }
        (Some(Outcome::Untouched), None) => RowResult::Refused(RowError {
            code: "NOT_PROCESSED".into(),
            message: "The bulk job ended before it came to this row.".into(),
            fields: Vec::new(),
            class: RowClass::Again,
        }),
        (None, None) => RowResult::Unknown,
    }
}

/// What the org made of the rows, read by id (law E6).
async fn read_back(door: &Door, schemas: &Schemas, batch: &WriteBatch, results: &mut [RowResult]) {
    if batch.kind == WriteKind::Delete {
        return;
    }
    let ids: Vec<RecordId> = results
        .iter()
        .filter_map(|result| match result {
            RowResult::Done { id, .. } => Some(id.clone()),
            RowResult::Refused(_) | RowResult::Unknown => None,
        })
        .collect();
    if ids.is_empty() {
        return;
    }
    let paths = batch.read_back.names().iter().map(AsRef::as_ref);
    let held = match schemas.catalog_for(door, &batch.object, paths).await {
        Ok(catalog) => {
            let shape = Shape::new(&catalog, &batch.object, &batch.read_back);
            read::by_shape(door, &shape, &batch.object, &ids).await
        }
        Err(error) => Err(error),
    };
    let mut held: HashMap<RecordId, Record> = match held {
        Ok(records) => records.into_iter().map(|record| (record.id.clone(), record)).collect(),
        Err(error) => {
            tracing::warn!(object = batch.object, %error, "Written records could not be read back.");
            return;
        }
    };
    for result in results {
        if let RowResult::Done { id, record, .. } = result {
            *record = held.remove(id);
        }
    }
}

/// Sees to the jobs of an interrupted run: when this returns, none of them is at work.
pub(in crate::connect::salesforce) async fn conclude(
    door: &Door,
    job: &Job,
    late: Late,
) -> Result<(), PortError> {
    for id in Jobs::parse(job)?.jobs {
        let Some(info) = job::info(door, Kind::Ingest, &id).await? else { continue };
        if info.state == State::Open {
            match late {
                Late::StillCounts => {
                    if let Err(error) = job::set(door, Kind::Ingest, &id, "UploadComplete").await {
                        tracing::info!(job = id, ?error, "A bulk job could not be begun.");
                        job::discard(door, Kind::Ingest, &id, false).await;
                        continue;
                    }
                }
                Late::TooLate => {
                    job::discard(door, Kind::Ingest, &id, false).await;
                    continue;
                }
            }
        }
        if !info.state.is_over() {
            job::wait(door, Kind::Ingest, &id, &door.settings().rates).await?;
        }
        job::discard(door, Kind::Ingest, &id, true).await;
    }
    Ok(())
}
