//! Writing records, and reading back what is held now.
//!
//! A record's fields are one collection, and what is left out of a collection that is sent may be wiped. So nothing is ever sent in
//! part: each change is built from what the record holds at that moment (law E6: verify, send, read back).

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::Spotio;
use super::json::member;
use super::service::{Answered, Ask, Failure, Refused};
use super::shape::{Lens, entry, forget_position, id_of, is_of, number, put_place};
use super::view::{Slot, View, slot};
use super::workflow::{RecordType, Workflow};
use crate::connect::http::{Method, percent_encode};
use crate::domain::port::{
    PortClass, PortError, RowClass, RowError, RowResult, WriteBatch, WriteKind, WriteRow, Written,
};
use crate::domain::record::{Record, RecordId};

/// What became of a row that was sent.
pub(super) enum Sent {
    Stored(RecordId, Option<Json>),
    Refused(RowError),
    Unknown,
}

/// What a row wants of a record.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) stage: Option<Json>,
    pub(super) owner: Option<Json>,
    /// Members of the record by name.
    pub(super) members: Vec<(&'static str, Json)>,
    pub(super) places: Vec<(super::view::Part, crate::domain::value::Value)>,
    /// Entries of the field collection, by the number of the field.
    pub(super) fields: Vec<(String, Json)>,
}

impl Spotio {
    pub(super) async fn write_batch(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        let view = self.view(&batch.object)?;
        if let Some(error) = forbidden(view, batch.kind) {
            return Ok(Written::Rows(batch.rows.iter().map(|_| RowResult::Refused(error.clone())).collect()));
        }
        // Somebody else's change between our read and our write is as short a window as the service allows; our own are none.
        let _one_at_a_time = self.writing.lock().await;
        let present = self.present(batch).await?;
        if self.is_for_a_job(batch)
            && let Some(job) = self.start_job(view, batch, &present).await?
        {
            return Ok(Written::Accepted(job));
        }
        let mut sent = Vec::with_capacity(batch.rows.len());
        let mut stopped: Option<PortError> = None;
        for row in &batch.rows {
            let outcome = match &stopped {
                Some(error) => Sent::Refused(not_sent(error)),
                None => match self.write_row(view, batch, row, &present).await {
                    Ok(outcome) => outcome,
                    // Nothing at all was written, so the batch as a whole did not happen.
                    Err(error) if sent.is_empty() => return Err(error),
                    Err(error) => {
                        let outcome = Sent::Refused(not_sent(&error));
                        stopped = Some(error);
                        outcome
                    }
                },
            };
            sent.push(outcome);
        }
        self.read_back(view, batch, sent).await.map(Written::Rows)
    }

    /// The records that are changed, as they are now.
    async fn present(&self, batch: &WriteBatch) -> Result<HashMap<RecordId, Json>, PortError> {
        if batch.kind != WriteKind::Update {
            return Ok(HashMap::new());
        }
        let ids: Vec<RecordId> = batch.rows.iter().filter_map(|row| row.id.clone()).collect();
        let rows = self.rows_by_id(&ids).await?;
        Ok(rows.into_iter().filter_map(|row| Some((id_of(&row)?, row))).collect())
    }

    /// An `Err` means that nothing was sent for this row, and that nothing can be sent for any other.
    async fn write_row(
        &self,
        view: View,
        batch: &WriteBatch,
        row: &WriteRow,
        present: &HashMap<RecordId, Json>,
    ) -> Result<Sent, PortError> {
        let ask = match batch.kind {
            WriteKind::Delete => {
                let Some(id) = &row.id else { return Ok(Sent::Unknown) };
                let body = json!({"mode": self.word("delete"), "permanently": false});
                let ask =
                    Ask::post("delete", format!("/api/DataObjects/{}", percent_encode(id.as_str())), &body);
                Ask { method: Method::DELETE, ..ask }
            }
            WriteKind::Create => match self.new_record(view, batch, row).await? {
                Ok(record) => Ask::post("create", "/api/DataObjects", &json!({"dataObject": record})).once(),
                Err(error) => return Ok(Sent::Refused(error)),
            },
            WriteKind::Update => {
                let Some(id) = &row.id else { return Ok(Sent::Unknown) };
                let Some(held) = present.get(id) else { return Ok(Sent::Refused(gone())) };
                match self.operations(view, batch, row, held).await? {
                    Ok(operations) if operations.is_empty() => {
                        return Ok(Sent::Stored(id.clone(), Some(held.clone())));
                    }
                    Ok(operations) => {
                        let path = format!(
                            "/api/DataObjects/{}/jsonp?validateRequiredFields={}",
                            percent_encode(id.as_str()),
                            self.names.validate_required
                        );
                        let body = Json::Array(operations);
                        Ask {
                            method: Method::PATCH,
                            body: Some(("application/json-patch+json", body.to_string().into_bytes())),
                            ..Ask::get("change", path)
                        }
                    }
                    Err(error) => return Ok(Sent::Refused(error)),
                }
            }
        };
        match self.service.send(&ask).await {
            Ok(answer) => Ok(stored(row, answer)),
            Err(Failure::Nothing(error)) => Err(error),
            Err(Failure::Unknown(_)) if row.id.is_none() => Ok(Sent::Unknown),
            Err(Failure::Unknown(error)) => {
                Ok(Sent::Refused(row_error(RowClass::Again, &error.code, &error.message)))
            }
            Err(Failure::Refused(Refused { status: 404 | 410, .. })) if row.id.is_some() => {
                Ok(Sent::Refused(gone()))
            }
            Err(Failure::Refused(refused)) => {
                let workflow = self.workflow().await?;
                Ok(Sent::Refused(refusal(&refused, self.type_of(&workflow, view)?)))
            }
        }
    }

    /// What a row wants, with stages and owners by their numbers.
    pub(super) async fn wanted(
        &self,
        view: View,
        batch: &WriteBatch,
        row: &WriteRow,
    ) -> Result<Result<Wanted, RowError>, PortError> {
        let workflow = self.workflow().await?;
        let wanted = wanted(
            &workflow,
            self.type_of(&workflow, view)?,
            batch,
            row,
            self.names.default_owner.as_deref(),
        );
        let fresh = match wanted {
            Err(Trouble::Owner(_)) => self.read_workflow(super::service::Patience::Run).await?,
            Err(Trouble::Row(error)) => return Ok(Err(error)),
            Ok(wanted) => return Ok(Ok(wanted)),
        };
        // Somebody may have been made a user a minute ago.
        let kind = self.type_of(&fresh, view)?;
        Ok(wanted_of(&fresh, kind, batch, row, self.names.default_owner.as_deref()))
    }

    /// A new record.
    pub(super) async fn new_record(
        &self,
        view: View,
        batch: &WriteBatch,
        row: &WriteRow,
    ) -> Result<Result<Map<String, Json>, RowError>, PortError> {
        let wanted = match self.wanted(view, batch, row).await? {
            Ok(wanted) => wanted,
            Err(error) => return Ok(Err(error)),
        };
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        let mut record = Map::new();
        record.insert("typeId".into(), number(&kind.id));
        // The service's own default is a stage that need not exist.
        let first = kind.stages.first().map(|stage| number(&stage.id));
        if let Some(stage) = wanted.stage.or(first) {
            record.insert("stageId".into(), stage);
        }
        let fallback = || {
            let email = self.names.default_owner.as_deref()?;
            workflow.user_with(email).map(|user| number(&user.id))
        };
        if let Some(owner) = wanted.owner.or_else(fallback) {
            record.insert("ownerId".into(), owner);
        }
        for (name, value) in wanted.members {
            record.insert(name.into(), value);
        }
        let mut pin = Map::new();
        for (part, value) in wanted.places.iter().filter(|(_, value)| !value.is_blank()) {
            put_place(&mut pin, *part, value);
        }
        pin.retain(|_, value| !value.is_null());
        if !pin.is_empty() {
            record.insert("pin".into(), Json::Object(pin));
        }
        let filled = wanted.fields.into_iter().map(|(_, entry)| entry).filter(|entry| !is_blank(entry));
        record.insert("fields".into(), Json::Array(filled.collect()));
        Ok(Ok(record))
    }

    /// The operations that bring a record to what a row wants; none where it holds all of it.
    async fn operations(
        &self,
        view: View,
        batch: &WriteBatch,
        row: &WriteRow,
        held: &Json,
    ) -> Result<Result<Vec<Json>, RowError>, PortError> {
        let wanted = match self.wanted(view, batch, row).await? {
            Ok(wanted) => wanted,
            Err(error) => return Ok(Err(error)),
        };
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        if !is_of(held, kind) {
            return Ok(Err(gone()));
        }
        let mut operations = Vec::new();
        let mut replace = |path: String, value: Json| {
            operations.push(json!({"op": "replace", "path": path, "value": value}));
        };
        if let Some(stage) = wanted.stage {
            replace("/stageId".into(), stage);
        }
        if let Some(owner) = wanted.owner {
            replace("/ownerId".into(), owner);
        }
        for (name, value) in wanted.members {
            replace(format!("/{name}"), value);
        }
        if !wanted.places.is_empty() {
            let mut pin = held.get("pin").and_then(Json::as_object).cloned().unwrap_or_default();
            for (part, value) in &wanted.places {
                put_place(&mut pin, *part, value);
            }
            forget_position(&mut pin);
            replace("/pin".into(), Json::Object(pin));
        }
        if !wanted.fields.is_empty() {
            if self.names.patch_each {
                for (id, value) in wanted.fields {
                    replace(format!("/fields/{id}"), value);
                }
            } else {
                match collection(&Lens { workflow: &workflow, kind, names: &self.names }, held, wanted.fields)
                {
                    Ok(fields) => replace("/fields".into(), Json::Array(fields)),
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        Ok(Ok(operations))
    }

    /// Results with the records as the service holds them now. A record that can't be read back is written all the same.
    pub(super) async fn read_back(
        &self,
        view: View,
        batch: &WriteBatch,
        sent: Vec<Sent>,
    ) -> Result<Vec<RowResult>, PortError> {
        let mut rows: Vec<Json> = Vec::new();
        if batch.kind != WriteKind::Delete {
            if self.names.verify {
                let ids: Vec<RecordId> = sent
                    .iter()
                    .filter_map(|sent| match sent {
                        Sent::Stored(id, _) => Some(id.clone()),
                        Sent::Refused(_) | Sent::Unknown => None,
                    })
                    .collect();
                match self.rows_by_id(&ids).await {
                    Ok(read) => rows = read,
                    Err(error) => tracing::warn!(%error, "What was written can't be read back."),
                }
            } else {
                rows.extend(sent.iter().filter_map(|sent| match sent {
                    Sent::Stored(_, row) => row.clone(),
                    Sent::Refused(_) | Sent::Unknown => None,
                }));
            }
        }
        let held: HashMap<RecordId, Record> = match self.records(view, &batch.read_back, &rows).await {
            Ok(records) => records.into_iter().map(|record| (record.id.clone(), record)).collect(),
            Err(error) => {
                tracing::warn!(%error, "What was written can't be understood.");
                HashMap::new()
            }
        };
        let created = batch.kind == WriteKind::Create;
        Ok(sent
            .into_iter()
            .map(|sent| match sent {
                Sent::Stored(id, _) => RowResult::Done { record: held.get(&id).cloned(), id, created },
                Sent::Refused(error) => RowResult::Refused(error),
                Sent::Unknown => RowResult::Unknown,
            })
            .collect())
    }
}

/// Why a row can't be told to the service.
enum Trouble {
    /// Its owner is nobody there.
    Owner(String),
    Row(RowError),
}

fn wanted_of(
    workflow: &Workflow,
    kind: &RecordType,
    batch: &WriteBatch,
    row: &WriteRow,
    default_owner: Option<&str>,
) -> Result<Wanted, RowError> {
    match wanted(workflow, kind, batch, row, default_owner) {
        Ok(wanted) => Ok(wanted),
        Err(Trouble::Row(error)) => Err(error),
        Err(Trouble::Owner(id)) => {
            let mut error = row_error(
                RowClass::Data,
                "NO_SUCH_OWNER",
                &format!(
                    "No user of SPOTIO has the external user id “{id}”. Enter it at the user in SPOTIO, or set default_owner of the \
                     connection."
                ),
            );
            error.fields = vec!["ownerExternalId".into()];
            Err(error)
        }
    }
}

fn wanted(
    workflow: &Workflow,
    kind: &RecordType,
    batch: &WriteBatch,
    row: &WriteRow,
    default_owner: Option<&str>,
) -> Result<Wanted, Trouble> {
    let mut wanted = Wanted::default();
    for (name, value) in batch.selection.names().iter().zip(&row.values) {
        let Some(value) = value else { continue };
        let refused = |code: &str, message: String| {
            let mut error = row_error(RowClass::Data, code, &message);
            error.fields = vec![name.to_string()];
            Trouble::Row(error)
        };
        let Some(slot) = slot(kind, name) else {
            return Err(refused(
                "NO_SUCH_FIELD",
                format!(
                    "The type “{}” of SPOTIO has no field “{name}” any more. Correct the mapping.",
                    kind.name
                ),
            ));
        };
        match slot {
            Slot::External => wanted.members.push(("externalDataObjectId", plain(value))),
            Slot::Member("source", _) => wanted.members.push(("source", plain(value))),
            // A record always has a stage and an owner; a blank one leaves it where it is.
            Slot::Stage | Slot::OwnerExternal if value.is_blank() => {}
            Slot::Stage => {
                let named = value.to_string();
                let stage = kind.stage_named(&named).or_else(|| kind.stage(&named)).ok_or_else(|| {
                    let known: Vec<&str> = kind.stages.iter().map(|stage| stage.name.as_str()).collect();
                    refused(
                        "NO_SUCH_STAGE",
                        format!("SPOTIO has no stage “{named}”; the stages are {}.", known.join(", ")),
                    )
                })?;
                wanted.stage = Some(number(&stage.id));
            }
            Slot::OwnerExternal => {
                let id = value.to_string();
                let user = workflow.user_of(&id).or_else(|| workflow.user_with(default_owner?));
                wanted.owner = Some(number(&user.ok_or(Trouble::Owner(id))?.id));
            }
            Slot::Place(part) => wanted.places.push((part, value.clone())),
            Slot::Field(field) if field.readonly => {
                return Err(refused(
                    "READ_ONLY",
                    format!("SPOTIO does not let “{}” be changed.", field.name),
                ));
            }
            Slot::Field(field) => wanted.fields.push((field.id.clone(), entry(field, value))),
            Slot::Id
            | Slot::StageGroup
            | Slot::OwnerEmail
            | Slot::OnMap
            | Slot::CloseDate
            | Slot::Member(..) => {
                return Err(refused("READ_ONLY", format!("“{name}” of SPOTIO can only be read.")));
            }
        }
    }
    Ok(wanted)
}

/// The whole collection of a record's fields with some of them changed. A record that hides its name is not touched: the
/// collection without it would wipe it.
pub(super) fn collection(
    lens: &Lens<'_>,
    held: &Json,
    changed: Vec<(String, Json)>,
) -> Result<Vec<Json>, RowError> {
    let entries = held.get("fields").and_then(Json::as_array);
    let Some(entries) = entries.filter(|_| !lens.hides_name(held)) else {
        return Err(row_error(
            RowClass::Again,
            "INCOMPLETE_READ",
            "SPOTIO answered without all fields of the record; writing the rest would wipe them, so nothing was written.",
        ));
    };
    let mut fields: Vec<Json> = entries.clone();
    for (id, entry) in changed {
        match fields.iter_mut().find(|known| member(known, "fieldId").as_deref() == Some(id.as_str())) {
            Some(known) => *known = entry,
            None => fields.push(entry),
        }
    }
    Ok(fields)
}

fn is_blank(entry: &Json) -> bool {
    let blank = |held: Option<&Json>| match held {
        Some(Json::Array(list)) => list.is_empty(),
        Some(other) => other.is_null(),
        None => true,
    };
    blank(entry.get("value")) && blank(entry.get("values"))
}

fn plain(value: &crate::domain::value::Value) -> Json {
    if value.is_blank() { Json::Null } else { Json::String(value.to_string()) }
}

/// The person and the deal are parts of a record, and activities are not ours.
fn forbidden(view: View, kind: WriteKind) -> Option<RowError> {
    if view.is_activity() {
        return Some(row_error(
            RowClass::Permission,
            "READ_ONLY",
            "Activities of SPOTIO become tasks of Salesforce and are never written.",
        ));
    }
    (!view.is_whole() && kind != WriteKind::Update).then(|| {
        row_error(
            RowClass::Permission,
            "PART_OF_A_RECORD",
            "The person and the deal of an account of SPOTIO are parts of its record, so they are not made or deleted by themselves.",
        )
    })
}

/// The id of what was written: the one that was addressed, else the one that the answer names.
fn stored(row: &WriteRow, answer: Answered) -> Sent {
    match (&row.id, id_of(&answer.value)) {
        (Some(id), _) => Sent::Stored(id.clone(), Some(answer.value)),
        (None, Some(id)) => Sent::Stored(id, Some(answer.value)),
        // It was made, but under which id is not said: it is looked for like one whose answer was lost.
        (None, None) => Sent::Unknown,
    }
}

fn gone() -> RowError {
    row_error(RowClass::Gone, "GONE", "The record is no longer in SPOTIO.")
}

/// What the service refuses, with the fields it names as mappings call them.
pub(super) fn refusal(refused: &Refused, kind: &RecordType) -> RowError {
    let fields = refused.errors.iter().filter_map(|(field, _)| {
        if let Some(known) = kind.fields.iter().find(|known| known.id == *field) {
            return Some(if known.has_role() { known.role.clone() } else { kind.custom_name(known) });
        }
        match field.as_str() {
            "_" => None,
            "stageId" => Some("stage".to_owned()),
            "ownerId" => Some("ownerExternalId".to_owned()),
            other => Some(other.to_owned()),
        }
    });
    let class = if refused.status == 403 { RowClass::Permission } else { RowClass::Data };
    RowError {
        code: format!("HTTP_{}", refused.status),
        message: format!("SPOTIO refused it: “{}”.", refused.words),
        fields: fields.collect(),
        class,
    }
}

fn not_sent(error: &PortError) -> RowError {
    let class = match error.class {
        PortClass::Limit => RowClass::Limit,
        PortClass::Blocked | PortClass::SignIn => RowClass::Permission,
        PortClass::Settings => RowClass::Data,
        PortClass::Transient | PortClass::MarkLost | PortClass::CursorLost | PortClass::Protocol => {
            RowClass::Again
        }
    };
    row_error(class, &error.code, &error.message)
}

pub(super) fn row_error(class: RowClass, code: &str, message: &str) -> RowError {
    RowError { code: code.into(), message: message.into(), fields: Vec::new(), class }
}
