//! Up to 200 records in one call, each with its own outcome.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::Api;
use super::records::{UpsertRefusal, Upserted, no_such_key, shape_of, upsert};
use super::reply::{Call, Reply};
use crate::sandbox::org::ids;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::soql::render::{self, Style};
use crate::sandbox::org::table::Reach;
use crate::sandbox::org::write::Writer;

/// Records of one writing call.
const MOST: usize = 200;
/// Records of one reading call.
const MOST_READ: usize = 2_000;
/// Runs of records of one type in a call.
const MOST_RUNS: usize = 10;

/// A row that was written.
struct Written {
    id: String,
    created: Option<bool>,
}

/// Whether one refused row takes back all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bond {
    EachAlone,
    AllOrNone,
}

impl Bond {
    fn of(flag: Option<bool>) -> Self {
        if flag.unwrap_or(false) { Self::AllOrNone } else { Self::EachAlone }
    }
}

type RowResult = Result<Written, RowError>;

/// A row to write: its object, where that is known, and its fields.
type TypedRow = (Result<usize, RowError>, Map<String, Value>);

fn too_many(most: usize, count: usize) -> Reply {
    Reply::error(
        400,
        "EXCEEDED_ID_LIMIT",
        &format!(
            "record limit reached. cannot submit more than {most} records into this call, {count} were sent"
        ),
    )
}

impl Api<'_> {
    pub(super) fn collections(&mut self, call: &Call, rest: &[&str]) -> Reply {
        let object = rest.first().and_then(|name| self.rights.find_object(self.schema(), name));
        let outcome = match (&call.method, rest) {
            (&Method::POST, []) => self.insert_many(call),
            (&Method::PATCH, []) => self.update_many(call),
            (&Method::DELETE, []) => self.delete_many(call),
            (&Method::PATCH, [_, key]) => match object {
                Some(object) => self.upsert_many(call, object, key),
                None => Err(Reply::not_found()),
            },
            (&Method::GET | &Method::POST, [_]) => match object {
                Some(object) => self.retrieve_many(call, object),
                None => Err(Reply::not_found()),
            },
            (_, [] | [_] | [_, _]) => Err(Reply::wrong_method(call, "GET, POST, PATCH, DELETE")),
            _ => Err(Reply::not_found()),
        };
        match outcome {
            Ok(reply) | Err(reply) => reply,
        }
    }

    fn rows_of(call: &Call) -> Result<(Vec<Value>, Bond), Reply> {
        let body = call.json()?;
        let Some(Value::Array(rows)) = body.get("records") else {
            return Err(Reply::error(
                400,
                "JSON_PARSER_ERROR",
                "The HTTP entity body must hold the array `records`",
            ));
        };
        if rows.len() > MOST {
            return Err(too_many(MOST, rows.len()));
        }
        Ok((rows.clone(), Bond::of(body.get("allOrNone").and_then(Value::as_bool))))
    }

    /// Object and body of each row; too many changes of type refuse the call.
    fn typed(&self, rows: Vec<Value>) -> Result<Vec<TypedRow>, Reply> {
        let mut runs = 0;
        let mut last = None;
        rows.into_iter()
            .map(|row| {
                let Value::Object(body) = row else {
                    return Err(Reply::error(400, "JSON_PARSER_ERROR", "Every entry of `records` must be an object of fields"));
                };
                let name = body.get("attributes").and_then(|attributes| attributes.get("type")).and_then(Value::as_str).unwrap_or_default().to_owned();
                let object = self.rights.find_object(self.schema(), &name);
                if last.replace(object) != Some(object) {
                    runs += 1;
                }
                if runs > MOST_RUNS {
                    return Err(Reply::error(400, "LIMIT_EXCEEDED", "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking."));
                }
                let object = object.ok_or_else(|| {
                    RowError::new("INVALID_TYPE", format!("sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."))
                });
                Ok((object, body))
            })
            .collect()
    }

    fn insert_many(&mut self, call: &Call) -> Result<Reply, Reply> {
        let (rows, bond) = Self::rows_of(call)?;
        let rows = self.typed(rows)?;
        Ok(self.run_rows(call, bond, &rows, |writer, (object, body)| {
            let object = object.clone()?;
            let body = body_without(body, &["id"]);
            let place = writer.insert(object, &body)?;
            Ok(written(writer, object, place, None))
        }))
    }

    fn update_many(&mut self, call: &Call) -> Result<Reply, Reply> {
        let (rows, bond) = Self::rows_of(call)?;
        let rows = self.typed(rows)?;
        let mut seen: Vec<String> = Vec::new();
        Ok(self.run_rows(call, bond, &rows, |writer, (object, body)| {
            let object = object.clone()?;
            let id =
                body.iter().find(|(name, _)| name.eq_ignore_ascii_case("id")).and_then(|(_, id)| id.as_str());
            let Some(id) = id else {
                return Err(RowError::on("MISSING_ARGUMENT", "Id not specified in an update call", "Id"));
            };
            let place = located(writer, Some(object), id)?;
            let full = ids::normalise(id).unwrap_or_default();
            if seen.contains(&full) {
                return Err(RowError::new("DUPLICATE_VALUE", format!("Duplicate id specified: {full}")));
            }
            seen.push(full);
            writer.update(object, place.1, &body_without(body, &["id"]))?;
            Ok(written(writer, object, place.1, None))
        }))
    }

    fn delete_many(&mut self, call: &Call) -> Result<Reply, Reply> {
        let Some(ids) = call.parameter("ids") else {
            return Err(Reply::error(400, "MISSING_ARGUMENT", "The ids parameter is required"));
        };
        let ids: Vec<String> =
            ids.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
        if ids.len() > MOST {
            return Err(too_many(MOST, ids.len()));
        }
        let bond = Bond::of(call.parameter("allOrNone").map(|flag| flag.eq_ignore_ascii_case("true")));
        Ok(self.run_rows(call, bond, &ids, |writer, id| {
            let (object, place) = located(writer, None, id)?;
            writer.delete(object, place)?;
            Ok(written(writer, object, place, None))
        }))
    }

    fn upsert_many(&mut self, call: &Call, object: usize, key: &str) -> Result<Reply, Reply> {
        let (rows, bond) = Self::rows_of(call)?;
        let usable = |field: &usize| {
            self.schema().field(object, *field).is_some_and(|column| column.external_id || column.id_lookup)
        };
        let Some(field) = self.rights.find_field(self.schema(), object, key).filter(usable) else {
            return Err(no_such_key(key).into());
        };
        let name = self.schema().field(object, field).map_or_else(String::new, |column| column.name.clone());
        let by_id = name == "Id";
        let rows: Vec<Map<String, Value>> = rows
            .into_iter()
            .map(|row| match row {
                Value::Object(body) => Ok(body),
                _ => Err(Reply::error(
                    400,
                    "JSON_PARSER_ERROR",
                    "Every entry of `records` must be an object of fields",
                )),
            })
            .collect::<Result<_, _>>()?;
        let mut seen: Vec<String> = Vec::new();
        Ok(self.run_rows(call, bond, &rows, |writer, body| {
            let value =
                body.iter().find(|(field, _)| field.eq_ignore_ascii_case(&name)).map(|(_, value)| value);
            let text = match value {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.trim().to_owned(),
                Some(other) => other.to_string(),
            };
            let body = body_without(body, &["id", &name]);
            if text.is_empty() && by_id {
                let place = writer.insert(object, &body)?;
                return Ok(written(writer, object, place, Some(true)));
            }
            if text.is_empty() {
                return Err(RowError::on("MISSING_ARGUMENT", format!("{name} not specified"), &name));
            }
            let folded = text.to_lowercase();
            if seen.contains(&folded) {
                return Err(RowError::on(
                    "DUPLICATE_VALUE",
                    format!("Duplicate external id specified: {text}"),
                    &name,
                ));
            }
            seen.push(folded);
            if by_id {
                let (_, place) = located(writer, Some(object), &text)?;
                writer.update(object, place, &body)?;
                return Ok(written(writer, object, place, Some(false)));
            }
            match upsert(writer, object, field, &text, &body, false) {
                Ok(Upserted::Created(place)) => Ok(written(writer, object, place, Some(true))),
                Ok(Upserted::Updated(place)) => Ok(written(writer, object, place, Some(false))),
                Err(UpsertRefusal::Row(error)) => Err(error),
                Err(UpsertRefusal::Ambiguous(_)) => Err(RowError::on(
                    "DUPLICATE_EXTERNAL_ID",
                    format!("{name}: more than one record found for external id field: [{text}]"),
                    &name,
                )),
                Err(UpsertRefusal::Absent) => Err(no_such_key(&text)),
            }
        }))
    }

    /// Writes row after row; a refused row leaves nothing behind, and with `AllOrNone` neither do the others.
    fn run_rows<R>(
        &mut self,
        call: &Call,
        bond: Bond,
        rows: &[R],
        mut write: impl FnMut(&mut Writer<'_>, &R) -> RowResult,
    ) -> Reply {
        self.org.pace.moved(rows.len());
        let results: Vec<RowResult> = self.write(call, |writer| {
            let start = writer.state.begin();
            let mut results: Vec<RowResult> = rows
                .iter()
                .map(|row| {
                    let mark = writer.state.begin();
                    let result = write(writer, row);
                    if result.is_err() {
                        writer.state.roll_back(writer.schema, mark);
                    }
                    result
                })
                .collect();
            if bond == Bond::AllOrNone && results.iter().any(Result::is_err) {
                writer.state.roll_back(writer.schema, start);
                for result in results.iter_mut().filter(|result| result.is_ok()) {
                    *result = Err(RowError::new(
                        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                        "Record rolled back because not all records were valid and the request was using AllOrNone header",
                    ));
                }
            }
            results
        });
        let rows: Vec<Value> = results
            .into_iter()
            .map(|result| match result {
                Ok(Written { id, created: None }) => json!({"id": id, "success": true, "errors": []}),
                Ok(Written { id, created: Some(created) }) => {
                    json!({"id": id, "success": true, "errors": [], "created": created})
                }
                Err(error) => json!({"success": false, "errors": [error.as_row_error()]}),
            })
            .collect();
        Reply::json(200, &Value::Array(rows))
    }

    fn retrieve_many(&self, call: &Call, object: usize) -> Result<Reply, Reply> {
        let (wanted, names): (Vec<String>, Vec<String>) = if call.method == Method::GET {
            let list = |name: &str| {
                call.parameter(name)
                    .unwrap_or_default()
                    .split(',')
                    .map(|part| part.trim().to_owned())
                    .filter(|part| !part.is_empty())
                    .collect()
            };
            (list("ids"), list("fields"))
        } else {
            let body = call.json()?;
            let list = |name: &str| {
                let array = body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
                array.into_iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
            };
            (list("ids"), list("fields"))
        };
        if wanted.len() > MOST_READ {
            return Err(too_many(MOST_READ, wanted.len()));
        }
        if names.is_empty() {
            return Err(Reply::error(400, "MISSING_ARGUMENT", "The fields parameter is required"));
        }
        self.org.pace.moved(wanted.len());
        let style = Style { version: &self.version, reach: Reach::Live };
        let shown: Result<Vec<u8>, RowError> = self.read(|world| {
            let shape = shape_of(world, object, names.iter().map(String::as_str))?;
            let mut out = vec![b'['];
            for (at, id) in wanted.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                let row = ids::normalise(id)
                    .and_then(|id| world.state.locate(world.schema, &id))
                    .filter(|found| found.0 == object)
                    .and_then(|(_, place)| world.state.row(object, place, world.now, Reach::Live));
                match row {
                    Some(row) => render::write_row(&mut out, world, object, row, &shape, style),
                    None => out.extend_from_slice(b"null"),
                }
            }
            out.push(b']');
            Ok(out)
        });
        shown.map(|body| Reply::bytes(200, body)).map_err(Reply::from)
    }
}

fn written(writer: &Writer<'_>, object: usize, place: u32, created: Option<bool>) -> Written {
    let id =
        writer.schema.objects.get(object).map_or_else(String::new, |shape| ids::mint(&shape.prefix, place));
    Written { id, created }
}

/// Object and place of an id, which may have to be of one object.
fn located(writer: &Writer<'_>, object: Option<usize>, id: &str) -> Result<(usize, u32), RowError> {
    let Some(full) = ids::normalise(id) else {
        return Err(RowError::on("MALFORMED_ID", format!("malformed id {id}"), "Id"));
    };
    let prefix = full.get(..3).unwrap_or_default();
    if let (Some(wanted), of) = (object, writer.schema.by_prefix(prefix))
        && of != Some(wanted)
    {
        let label = writer.schema.objects.get(wanted).map_or("", |shape| shape.label.as_str());
        return Err(RowError::on(
            "MALFORMED_ID",
            format!("{label} ID: id value of incorrect type: {id}"),
            "Id",
        ));
    }
    writer
        .state
        .locate(writer.schema, &full)
        .ok_or_else(|| RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
}

fn body_without(body: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    body.iter()
        .filter(|(name, _)| !names.iter().any(|out| out.eq_ignore_ascii_case(name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
