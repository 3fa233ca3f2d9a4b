//! Jobs that write: CSV in, one outcome a row out.

use serde_json::{Map, Value};

use super::csv_rows::Dialect;
use super::{Reply, refuse};
use crate::sandbox::org::ids;
use crate::sandbox::org::rest::Api;
use crate::sandbox::org::rest::records::{UpsertRefusal, Upserted, no_such_key, upsert};
use crate::sandbox::org::rest::reply::Call;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::write::Writer;
use crate::sandbox::org::write::atomic;

/// Rows written under one lock, so that readers get a turn.
const CHUNK: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
}

/// What became of a row.
pub(super) enum Fate {
    Written { id: String, created: bool },
    Refused { id: String, error: RowError },
}

/// An ingest job's own part.
pub(super) struct Ingest {
    object: usize,
    operation: Operation,
    key: Option<(usize, String)>,
    data: Option<Vec<u8>>,
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// By row; shorter than `rows` when the job did not get to all.
    pub(super) fates: Vec<Fate>,
}

impl Ingest {
    pub(super) fn new(api: &Api<'_>, object: usize, operation: &str, key: &str) -> Result<Self, Reply> {
        let operation = match operation {
            "insert" => Operation::Insert,
            "update" => Operation::Update,
            "upsert" => Operation::Upsert,
            "delete" => Operation::Delete,
            "hardDelete" => {
                return Err(refuse(
                    "FEATURENOTENABLED",
                    "FeatureNotEnabled : hardDelete needs the permission Bulk API Hard Delete",
                ));
            }
            _ => return Err(refuse("INVALIDJOB", &format!("Invalid operation {operation}"))),
        };
        let schema = api.schema();
        let key = match operation {
            Operation::Upsert => {
                let usable = |field: &usize| {
                    schema.field(object, *field).is_some_and(|column| column.external_id || column.id_lookup)
                };
                let Some(field) = api.rights.find_field(schema, object, key).filter(usable) else {
                    return Err(refuse(
                        "INVALIDJOB",
                        &format!(
                            "InvalidJob : Field name provided, {key} does not match an External ID for the object"
                        ),
                    ));
                };
                schema.field(object, field).map(|column| (field, column.name.clone()))
            }
            Operation::Insert | Operation::Update | Operation::Delete => None,
        };
        Ok(Self {
            object,
            operation,
            key,
            data: None,
            header: Vec::new(),
            rows: Vec::new(),
            fates: Vec::new(),
        })
    }

    pub(super) fn key_name(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.1.as_str())
    }

    /// About how many rows there are.
    pub(super) fn lines(&self) -> u64 {
        let lines = self.data.as_deref().unwrap_or_default().split(|byte| *byte == b'\n').count();
        lines.saturating_sub(2) as u64
    }

    pub(super) fn has_data(&self) -> bool {
        self.data.is_some()
    }

    pub(super) fn take(&mut self, data: Vec<u8>) {
        self.data = Some(data);
    }

    /// The same job before anything was read of its data.
    pub(super) fn unread(&self) -> Self {
        Self {
            object: self.object,
            operation: self.operation,
            key: self.key.clone(),
            data: self.data.clone(),
            header: Vec::new(),
            rows: Vec::new(),
            fates: Vec::new(),
        }
    }

    /// Header and rows as far as they can be read, for jobs that never ran.
    pub(super) fn read(&mut self, dialect: Dialect) -> Result<(), String> {
        let Some(data) = &self.data else { return Ok(()) };
        let data = data.strip_prefix("\u{feff}".as_bytes()).unwrap_or(data);
        let mut reader =
            csv::ReaderBuilder::new().delimiter(dialect.delimiter).flexible(true).from_reader(data);
        let header = reader
            .headers()
            .map_err(|error| format!("InvalidBatch : Failed to parse CSV header: {error}"))?;
        self.header = header.iter().map(str::to_owned).collect();
        for record in reader.records() {
            let record = record.map_err(|error| format!("InvalidBatch : Failed to parse CSV: {error}"))?;
            self.rows.push(record.iter().map(str::to_owned).collect());
        }
        Ok(())
    }

    /// Writes all rows; gives how many were processed and how many refused, or why the job as a whole failed.
    pub(super) fn run(
        &mut self,
        api: &mut Api<'_>,
        call: &Call,
        dialect: Dialect,
    ) -> Result<(usize, usize), String> {
        self.read(dialect)?;
        self.check_header(api)?;
        let end = api.org.jobs().break_after.unwrap_or(usize::MAX).min(self.rows.len());
        for start in (0..end).step_by(CHUNK) {
            let chunk = self.rows.get(start..(start + CHUNK).min(end)).unwrap_or_default();
            let fates: Vec<Fate> =
                api.write(call, |writer| chunk.iter().map(|row| self.fate(writer, row)).collect());
            let object = api.schema().objects.get(self.object).map_or("", |shape| shape.name.as_str());
            let key = self.key_name().unwrap_or("Id");
            let mut jobs = api.org.jobs();
            for row in chunk.iter().filter(|_| self.operation != Operation::Insert) {
                *jobs.carried.entry(format!("{object} {}", self.cell(row, key))).or_default() += 1;
            }
            drop(jobs);
            self.fates.extend(fates);
        }
        let failed = self.fates.iter().filter(|fate| matches!(fate, Fate::Refused { .. })).count();
        Ok((self.fates.len(), failed))
    }

    fn check_header(&self, api: &Api<'_>) -> Result<(), String> {
        let schema = api.schema();
        let Some(shape) = schema.objects.get(self.object) else { return Ok(()) };
        for name in &self.header {
            let known = match name.split_once('.') {
                Some((parent, _)) => {
                    shape.relationship(parent.rsplit(':').next().unwrap_or(parent)).is_some()
                }
                None => api.rights.find_field(schema, self.object, name).is_some(),
            };
            if !known {
                return Err(format!("InvalidBatch : Field name not found : {name}"));
            }
        }
        let has = |wanted: &str| self.header.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        match self.operation {
            Operation::Update | Operation::Delete if !has("Id") => {
                Err("InvalidBatch : Field name not found : Id".to_owned())
            }
            Operation::Upsert if !self.key.as_ref().is_some_and(|key| has(&key.1)) => {
                Err(format!("InvalidBatch : Field name not found : {}", self.key_name().unwrap_or_default()))
            }
            Operation::Insert | Operation::Update | Operation::Upsert | Operation::Delete => Ok(()),
        }
    }

    /// The fields of a row: empty leaves alone, `#N/A` empties.
    fn body(&self, row: &[String], without: &[&str]) -> Map<String, Value> {
        let mut body = Map::new();
        for (name, text) in self.header.iter().zip(row) {
            if text.is_empty() || without.iter().any(|out| out.eq_ignore_ascii_case(name)) {
                continue;
            }
            let value = if text == "#N/A" { Value::Null } else { Value::String(text.clone()) };
            match name.split_once('.') {
                None => {
                    body.insert(name.clone(), value);
                }
                // `Account.Ext__c`, or `Lead:Who.Ext__c` where the reference leads to one of several objects.
                Some((parent, field)) => {
                    let (of, parent) =
                        parent.split_once(':').map_or((None, parent), |(of, parent)| (Some(of), parent));
                    let mut key = Map::new();
                    if let Some(of) = of {
                        key.insert("attributes".to_owned(), serde_json::json!({"type": of}));
                    }
                    key.insert(field.to_owned(), value);
                    body.insert(parent.to_owned(), Value::Object(key));
                }
            }
        }
        body
    }

    fn cell<'r>(&self, row: &'r [String], name: &str) -> &'r str {
        let place = self.header.iter().position(|known| known.eq_ignore_ascii_case(name));
        place.and_then(|place| row.get(place)).map_or("", String::as_str)
    }

    fn fate(&self, writer: &mut Writer<'_>, row: &[String]) -> Fate {
        let given = if self.operation == Operation::Insert { "" } else { self.cell(row, "Id") };
        let full = ids::normalise(given).unwrap_or_default();
        if row.len() != self.header.len() {
            let error = RowError::new(
                "INVALID_NUMBER_OF_COLUMNS",
                "The number of columns of the row does not match the header",
            );
            return Fate::Refused { id: full, error };
        }
        match atomic(writer, |writer| self.write(writer, row, given)) {
            Ok((place, created)) => {
                let prefix = writer.schema.objects.get(self.object).map_or("", |shape| shape.prefix.as_str());
                Fate::Written { id: ids::mint(prefix, place), created }
            }
            Err(error) => Fate::Refused { id: full, error },
        }
    }

    fn write(&self, writer: &mut Writer<'_>, row: &[String], given: &str) -> Result<(u32, bool), RowError> {
        let object = self.object;
        match self.operation {
            Operation::Insert => writer.insert(object, &self.body(row, &["Id"])).map(|place| (place, true)),
            Operation::Update => {
                let place = self.place(writer, given)?;
                writer.update(object, place, &self.body(row, &["Id"])).map(|()| (place, false))
            }
            Operation::Delete => {
                let place = self.place(writer, given)?;
                writer.delete(object, place).map(|()| (place, false))
            }
            Operation::Upsert => {
                let Some((field, name)) = &self.key else { return Err(no_such_key("")) };
                let text = self.cell(row, name);
                let body = self.body(row, &["Id", name]);
                if name == "Id" {
                    if text.is_empty() {
                        return writer.insert(object, &body).map(|place| (place, true));
                    }
                    let place = self.place(writer, text)?;
                    return writer.update(object, place, &body).map(|()| (place, false));
                }
                if text.is_empty() || text == "#N/A" {
                    return Err(RowError::on("MISSING_ARGUMENT", format!("{name} not specified"), name));
                }
                match upsert(writer, object, *field, text, &body, false) {
                    Ok(Upserted::Created(place)) => Ok((place, true)),
                    Ok(Upserted::Updated(place)) => Ok((place, false)),
                    Err(UpsertRefusal::Row(error)) => Err(error),
                    Err(UpsertRefusal::Ambiguous(_)) => Err(RowError::on(
                        "DUPLICATE_EXTERNAL_ID",
                        format!("{name}: more than one record found for external id field: [{text}]"),
                        name,
                    )),
                    Err(UpsertRefusal::Absent) => Err(no_such_key(text)),
                }
            }
        }
    }

    fn place(&self, writer: &Writer<'_>, id: &str) -> Result<u32, RowError> {
        if id.is_empty() {
            return Err(RowError::on("MISSING_ARGUMENT", "Id not specified", "Id"));
        }
        let Some(full) = ids::normalise(id) else {
            return Err(RowError::on("MALFORMED_ID", format!("bad id {id}"), "Id"));
        };
        match writer.state.locate(writer.schema, &full) {
            Some((object, place)) if object == self.object => Ok(place),
            Some(_) | None => Err(RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")),
        }
    }
}
