//! Calls that change rows one by one: `undelete` and `emptyRecycleBin`, which only SOAP has, and `create`, `update` and
//! `delete`, which clients that speak SOAP anyway expect beside them. What is common to all such calls is here as well.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Ask;
use super::envelope::{element, errors};
use super::xml::Element;
use crate::sandbox::org::ids;
use crate::sandbox::org::rest::reply::Reply;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::state::State;
use crate::sandbox::org::write::{Actor, Writer, atomic};

/// Rows of one call at most.
pub(super) const MOST_ROWS: usize = 200;
/// Leads of one call at most.
pub(super) const MOST_LEADS: usize = 100;

fn malformed(id: &str) -> RowError {
    RowError::new("MALFORMED_ID", format!("malformed id {id}"))
}

pub(super) fn unknown(_: &str) -> RowError {
    RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
}

/// Object and place of an id of any object.
pub(super) fn locate(writer: &Writer<'_>, id: &str) -> Result<(usize, u32), RowError> {
    let id18 = ids::normalise(id).ok_or_else(|| malformed(id))?;
    let found = writer.state.locate(writer.schema, &id18).ok_or_else(|| unknown(id))?;
    if writer.actor.rights.object(found.0).read { Ok(found) } else { Err(unknown(id)) }
}

pub(super) fn id_of(writer: &Writer<'_>, (object, place): (usize, u32)) -> String {
    writer.schema.objects.get(object).map_or_else(String::new, |shape| ids::mint(&shape.prefix, place))
}

/// What is done to rows that are named by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ById {
    Delete,
    Undelete,
    EmptyBin,
}

/// A row as a client sends it.
pub(super) struct SentRow {
    pub(super) object: usize,
    pub(super) id: Option<String>,
    pub(super) fields: Map<String, Value>,
}

/// The fields of a row: text as it stands, parents named by a key as JSON has them.
fn fields_of(row: &Element) -> Map<String, Value> {
    let mut fields = Map::new();
    for child in &row.children {
        match child.name.as_str() {
            "type" | "Id" => {}
            "fieldsToNull" => {
                fields.insert(child.content.trim().to_owned(), Value::Null);
            }
            // In SOAP, nil means that nothing is said about the field.
            _ if child.is_nil => {}
            name if child.children.is_empty() => {
                fields.insert(name.to_owned(), Value::String(child.content.clone()));
            }
            name => {
                let mut key = fields_of(child);
                if let Some(kind) = child.text("type").map(str::to_owned).or_else(|| child.kind.clone()) {
                    key.insert("attributes".to_owned(), serde_json::json!({"type": kind}));
                }
                fields.insert(name.to_owned(), Value::Object(key));
            }
        }
    }
    fields
}

/// Values are checked by the rules of JSON; where it would speak of JSON, SOAP has a code of its own.
fn in_soap(error: RowError) -> RowError {
    if error.code == "JSON_PARSER_ERROR" {
        return RowError { code: "INVALID_TYPE_ON_FIELD_IN_RECORD".to_owned(), ..error };
    }
    error
}

impl Ask<'_> {
    /// A row of the operation. The names of operation parameters differ from client to client, so any will do.
    pub(super) fn sent_row(&self, row: &Element) -> Result<SentRow, RowError> {
        let kind = row.text("type").or(row.kind.as_deref()).unwrap_or_default();
        let object = self.rights.find_object(&self.org.schema, kind).ok_or_else(|| {
            RowError::new("INVALID_TYPE", format!("sObject type '{kind}' is not supported."))
        })?;
        Ok(SentRow { object, id: row.text("Id").map(str::to_owned), fields: fields_of(row) })
    }

    pub(super) fn rows(&self) -> Vec<&Element> {
        self.operation.children.iter().filter(|child| !child.children.is_empty()).collect()
    }

    fn ids(&self) -> Vec<&str> {
        self.operation.children.iter().map(|child| child.content.trim()).collect()
    }

    fn actor(&self) -> Actor {
        let header = |name: &str| self.header.and_then(|header| header.child(name));
        let save_duplicates = header("DuplicateRuleHeader").is_some_and(|rule| rule.is_true("allowSave"));
        Actor { save_duplicates, ..self.org.actor(&self.user, Arc::clone(&self.rights), self.now) }
    }

    fn all_or_none(&self) -> bool {
        let header = self.header.and_then(|header| header.child("AllOrNoneHeader"));
        header.is_some_and(|header| header.is_true("allOrNone"))
    }

    /// Does something for each item, each in a transaction of its own unless the header wants all or none.
    pub(super) fn each<T, R>(
        &self,
        items: &[T],
        mut write: impl FnMut(&mut Writer<'_>, &T) -> Result<R, RowError>,
    ) -> Vec<Result<R, RowError>> {
        let actor = self.actor();
        let mut state = self.org.write_state();
        let state: &mut State = &mut state;
        let whole = state.begin();
        let mut writer = Writer { schema: &self.org.schema, state, actor: &actor };
        let mut results: Vec<Result<R, RowError>> = items
            .iter()
            .map(|item| atomic(&mut writer, |writer| write(writer, item)).map_err(in_soap))
            .collect();
        if self.all_or_none() && results.iter().any(Result::is_err) {
            writer.state.roll_back(&self.org.schema, whole);
            for result in results.iter_mut().filter(|result| result.is_ok()) {
                *result = Err(RowError::new(
                    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                    "Record rolled back because not all records were valid and the request was using AllOrNone header",
                ));
            }
        }
        writer.state.commit();
        results
    }

    pub(super) fn too_many(&self, most: usize, count: usize) -> Option<Reply> {
        (count > most).then(|| {
            let message =
                format!("record limit reached. cannot submit more than {most} records into this call");
            let code = if most == MOST_LEADS { "EXCEEDED_LEAD_CONVERT_LIMIT" } else { "EXCEEDED_ID_LIMIT" };
            self.dialect.fault(code, "UnexpectedErrorFault", &message)
        })
    }

    /// Results that hold an id, errors and success: all that most operations say.
    fn saved(&self, results: &[Result<String, RowError>]) -> Reply {
        let text: String = results
            .iter()
            .map(|result| match result {
                Ok(id) => format!("<result>{}<success>true</success></result>", element("id", Some(id))),
                Err(error) => format!(
                    "<result>{}{}<success>false</success></result>",
                    errors(error),
                    element("id", None)
                ),
            })
            .collect();
        self.reply(&text)
    }

    pub(super) fn create(&self) -> Reply {
        let rows = self.rows();
        self.too_many(MOST_ROWS, rows.len()).unwrap_or_else(|| {
            self.saved(&self.each(&rows, |writer, row| {
                let sent = self.sent_row(row)?;
                let place = writer.insert(sent.object, &sent.fields)?;
                Ok(id_of(writer, (sent.object, place)))
            }))
        })
    }

    pub(super) fn update(&self) -> Reply {
        let rows = self.rows();
        self.too_many(MOST_ROWS, rows.len()).unwrap_or_else(|| {
            self.saved(&self.each(&rows, |writer, row| {
                let sent = self.sent_row(row)?;
                let id = sent
                    .id
                    .as_deref()
                    .ok_or_else(|| RowError::new("MISSING_ARGUMENT", "Id not specified in an update call"))?;
                let (object, place) =
                    locate(writer, id).and_then(|found| same_object(found, sent.object, id))?;
                writer.update(object, place, &sent.fields)?;
                Ok(id_of(writer, (object, place)))
            }))
        })
    }

    /// Does one thing to each row that the operation names by id.
    pub(super) fn by_id(&self, act: ById) -> Reply {
        let ids = self.ids();
        self.too_many(MOST_ROWS, ids.len()).unwrap_or_else(|| {
            self.saved(&self.each(&ids, |writer, id| {
                let (object, place) = locate(writer, id)?;
                match act {
                    ById::Delete => writer.delete(object, place)?,
                    ById::Undelete => writer.undelete(object, place)?,
                    ById::EmptyBin => writer.purge(object, place)?,
                }
                Ok(id_of(writer, (object, place)))
            }))
        })
    }
}

/// An id must be of the object that is spoken of.
pub(super) fn same_object(found: (usize, u32), object: usize, id: &str) -> Result<(usize, u32), RowError> {
    if found.0 == object { Ok(found) } else { Err(unknown(id)) }
}
