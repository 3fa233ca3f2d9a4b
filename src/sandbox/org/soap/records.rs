//! Calls that change rows: `merge`, `convertLead`, `undelete` and `emptyRecycleBin`, which only SOAP has, and `create`,
//! `update` and `delete`, which clients that speak SOAP anyway expect beside them.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Ask;
use super::envelope::{element, errors};
use super::xml::Element;
use crate::sandbox::org::ids;
use crate::sandbox::org::rest::reply::Reply;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::state::State;
use crate::sandbox::org::write::convert::{Conversion, Deal, LeadConversion, LeadSource};
use crate::sandbox::org::write::merge::Merged;
use crate::sandbox::org::write::{Actor, Writer, atomic};

/// Rows of one call at most.
const MOST_ROWS: usize = 200;
/// Leads of one call at most.
const MOST_LEADS: usize = 100;

fn malformed(id: &str) -> RowError {
    RowError::new("MALFORMED_ID", format!("malformed id {id}"))
}

fn unknown(_: &str) -> RowError {
    RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
}

/// Object and place of an id of any object.
fn locate(writer: &Writer<'_>, id: &str) -> Result<(usize, u32), RowError> {
    let id18 = ids::normalise(id).ok_or_else(|| malformed(id))?;
    let found = writer.state.locate(writer.schema, &id18).ok_or_else(|| unknown(id))?;
    if writer.actor.rights.object(found.0).read { Ok(found) } else { Err(unknown(id)) }
}

fn id_of(writer: &Writer<'_>, (object, place): (usize, u32)) -> String {
    writer.schema.objects.get(object).map_or_else(String::new, |shape| ids::mint(&shape.prefix, place))
}

/// A row as a client sends it.
struct SentRow {
    object: usize,
    id: Option<String>,
    fields: Map<String, Value>,
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
    fn sent_row(&self, row: &Element) -> Result<SentRow, RowError> {
        let kind = row.text("type").or(row.kind.as_deref()).unwrap_or_default();
        let object = self.rights.find_object(&self.org.schema, kind).ok_or_else(|| {
            RowError::new("INVALID_TYPE", format!("sObject type '{kind}' is not supported."))
        })?;
        Ok(SentRow { object, id: row.text("Id").map(str::to_owned), fields: fields_of(row) })
    }

    fn rows(&self) -> Vec<&Element> {
        self.operation.children.iter().filter(|child| !child.children.is_empty()).collect()
    }

    fn ids(&self) -> Vec<&str> {
        self.operation.children.iter().map(|child| child.content.trim()).collect()
    }

    fn actor(&self) -> Actor {
        let header = |name: &str| self.header.and_then(|header| header.child(name));
        let save_duplicates = header("DuplicateRuleHeader").is_some_and(|rule| rule.is_true("allowSave"));
        let late_ms = 0;
        Actor { save_duplicates, late_ms, ..self.org.actor(&self.user, Arc::clone(&self.rights), self.now) }
    }

    fn all_or_none(&self) -> bool {
        let header = self.header.and_then(|header| header.child("AllOrNoneHeader"));
        header.is_some_and(|header| header.is_true("allOrNone"))
    }

    /// Does something for each item, each in a transaction of its own unless the header wants all or none.
    fn each<T, R>(
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

    fn too_many(&self, most: usize, count: usize) -> Option<Reply> {
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

    fn by_id(&self, mut write: impl FnMut(&mut Writer<'_>, usize, u32) -> Result<(), RowError>) -> Reply {
        let ids = self.ids();
        self.too_many(MOST_ROWS, ids.len()).unwrap_or_else(|| {
            self.saved(&self.each(&ids, |writer, id| {
                let (object, place) = locate(writer, id)?;
                write(writer, object, place)?;
                Ok(id_of(writer, (object, place)))
            }))
        })
    }

    pub(super) fn delete(&self) -> Reply {
        self.by_id(|writer, object, place| writer.delete(object, place))
    }

    pub(super) fn undelete(&self) -> Reply {
        self.by_id(|writer, object, place| writer.undelete(object, place))
    }

    pub(super) fn empty_recycle_bin(&self) -> Reply {
        self.by_id(|writer, object, place| writer.purge(object, place))
    }

    pub(super) fn merge(&self) -> Reply {
        let requests: Vec<&Element> =
            self.rows().into_iter().filter(|row| row.child("masterRecord").is_some()).collect();
        if let Some(refused) = self.too_many(MOST_ROWS, requests.len()) {
            return refused;
        }
        let results = self.each(&requests, |writer, request| self.merge_one(writer, request));
        let text: String = results
            .iter()
            .map(|result| match result {
                Ok((id, merged)) => format!(
                    "<result>{}{}<success>true</success>{}</result>",
                    element("id", Some(id)),
                    list("mergedRecordIds", &merged.losers),
                    list("updatedRelatedIds", &merged.related)
                ),
                Err(error) => format!(
                    "<result>{}{}<success>false</success></result>",
                    errors(error),
                    element("id", None)
                ),
            })
            .collect();
        self.reply(&text)
    }

    fn merge_one(&self, writer: &mut Writer<'_>, request: &Element) -> Result<(String, Merged), RowError> {
        let master = request
            .child("masterRecord")
            .ok_or_else(|| RowError::new("MISSING_ARGUMENT", "masterRecord not specified"))?;
        let sent = self.sent_row(master)?;
        let id = sent
            .id
            .as_deref()
            .ok_or_else(|| RowError::new("MISSING_ARGUMENT", "Id not specified in the master record"))?;
        let (object, place) = locate(writer, id).and_then(|found| same_object(found, sent.object, id))?;
        let losers = request
            .all("recordToMergeIds")
            .map(|loser| {
                let id = loser.content.trim();
                let found = locate(writer, id)?;
                same_object(found, object, id).map(|found| found.1)
            })
            .collect::<Result<Vec<u32>, RowError>>()?;
        let merged = writer.merge(object, place, &losers, &sent.fields)?;
        Ok((id_of(writer, (object, place)), merged))
    }

    pub(super) fn convert_lead(&self) -> Reply {
        let requests = self.rows();
        if let Some(refused) = self.too_many(MOST_LEADS, requests.len()) {
            return refused;
        }
        let results = self.each(&requests, |writer, request| convert_one(writer, request));
        let text: String = results
            .iter()
            .map(|result| match result {
                Ok((lead, made)) => format!(
                    "<result>{}{}{}{}<success>true</success></result>",
                    element("accountId", Some(&made.account)),
                    element("contactId", Some(&made.contact)),
                    element("leadId", Some(lead)),
                    element("opportunityId", made.opportunity.as_deref())
                ),
                Err(error) => format!(
                    "<result>{}{}{}{}{}<success>false</success></result>",
                    element("accountId", None),
                    element("contactId", None),
                    errors(error),
                    element("leadId", None),
                    element("opportunityId", None)
                ),
            })
            .collect();
        self.reply(&text)
    }
}

fn list(name: &str, ids: &[String]) -> String {
    ids.iter().map(|id| element(name, Some(id))).collect()
}

/// An id must be of the object that is spoken of.
fn same_object(found: (usize, u32), object: usize, id: &str) -> Result<(usize, u32), RowError> {
    if found.0 == object { Ok(found) } else { Err(unknown(id)) }
}

fn convert_one(writer: &mut Writer<'_>, request: &Element) -> Result<(String, Conversion), RowError> {
    let id = request
        .text("leadId")
        .ok_or_else(|| RowError::on("MISSING_ARGUMENT", "leadId not specified", "leadId"))?;
    let leads = writer.schema.find("Lead").ok_or_else(|| unknown(id))?;
    let found = locate(writer, id).and_then(|found| same_object(found, leads, id))?;
    let owned = |name: &str| request.text(name).map(str::to_owned);
    let deal = match (owned("opportunityId"), owned("opportunityName")) {
        (Some(id), _) => Deal::Existing(id),
        (None, _) if request.is_true("doNotCreateOpportunity") => Deal::None,
        (None, Some(name)) => Deal::Named(name),
        (None, None) => Deal::New,
    };
    let lead_source =
        if request.is_true("overwriteLeadSource") { LeadSource::Overwrite } else { LeadSource::Keep };
    let wish = LeadConversion {
        account: owned("accountId"),
        contact: owned("contactId"),
        deal,
        // Unlike a person, a program must say which status it means.
        status: Some(owned("convertedStatus").unwrap_or_default()),
        owner: owned("ownerId"),
        lead_source,
    };
    let made = writer.convert_lead(found.1, &wish)?;
    Ok((id_of(writer, found), made))
}
