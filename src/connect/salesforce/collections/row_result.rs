//! What the org answered about a row, as the engine wants to know it.

use std::collections::HashMap;

use serde::Deserialize;

use crate::connect::salesforce::errors::{self, Topic, plain_words};
use crate::connect::salesforce::id;
use crate::domain::port::{RowClass, RowError, RowResult, WriteBatch, WriteKind};
use crate::domain::record::{Record, RecordId};

#[derive(Deserialize)]
pub(super) struct WireResult {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) success: bool,
    #[serde(default)]
    created: Option<bool>,
    #[serde(default)]
    errors: Vec<WireRowError>,
}

#[derive(Deserialize)]
pub(super) struct WireRowError {
    #[serde(rename = "statusCode", alias = "errorCode", default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    fields: Vec<String>,
}

/// What became of a row; `held` is what was read back, by id.
pub(super) fn row_result(
    batch: &WriteBatch,
    result: WireResult,
    held: &mut HashMap<RecordId, Record>,
) -> RowResult {
    match (result.success, result.id) {
        (true, Some(id)) => {
            let id = id::from_api(&id);
            let created = match batch.kind {
                WriteKind::Create => result.created.unwrap_or(true),
                WriteKind::Update | WriteKind::Delete => false,
            };
            RowResult::Done { record: held.remove(&id), id, created }
        }
        (true, None) => RowResult::Unknown,
        (false, _) => RowResult::Refused(row_error(batch, result.errors)),
    }
}

/// The error of a row that was refused with one code.
pub(in crate::connect::salesforce) fn refusal(
    batch: &WriteBatch,
    code: String,
    message: &str,
    fields: Vec<String>,
) -> RowError {
    row_error(batch, vec![WireRowError { code, message: message.to_owned(), fields }])
}

fn row_error(batch: &WriteBatch, wire: Vec<WireRowError>) -> RowError {
    let mut wire = wire.into_iter();
    let Some(first) = wire.next() else {
        return RowError {
            code: "UNKNOWN".into(),
            message: "Salesforce refused the row without saying why.".into(),
            fields: Vec::new(),
            class: RowClass::Data,
        };
    };
    let class = if is_upsert_race(batch, &first) {
        RowClass::Again
    } else {
        errors::row_class(&first.code, &first.message, &first.fields)
    };
    let mut message = plain_words(&first.message);
    let mut fields = first.fields;
    for more in wire {
        message.push_str("; ");
        message.push_str(&plain_words(&more.message));
        fields.extend(more.fields);
    }
    RowError { code: first.code, message, fields, class }
}

/// Two upserts of the same new mark at once: one creates, the other is told that the mark is taken and will find it next time.
fn is_upsert_race(batch: &WriteBatch, error: &WireRowError) -> bool {
    let Some(mark) = batch.mark.as_deref().filter(|_| batch.kind == WriteKind::Create) else {
        return false;
    };
    errors::topic(&error.code) == Some(Topic::Duplicate)
        && (error.fields.iter().any(|field| field.eq_ignore_ascii_case(mark)) || error.message.contains(mark))
}
