//! The other many-in-one calls: independent requests, graphs of composites, trees of records.

use axum::http::{HeaderMap, Method};
use serde_json::{Map, Value, json};

use super::Api;
use super::composite::target;
use super::reply::{Body, Call, Reply};
use crate::sandbox::org::ids;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::write::Writer;
use crate::sandbox::org::write::atomic;

/// Requests of one batch.
const MOST: usize = 25;
/// Sub-requests of all graphs of a call.
const MOST_NODES: usize = 500;
/// Records of one tree call.
const MOST_RECORDS: usize = 200;
/// Levels of a tree.
const DEEPEST: usize = 5;

impl Api<'_> {
    pub(super) fn batch(&mut self, call: &Call) -> Reply {
        let body = match call.json() {
            Ok(body) if call.method == Method::POST => body,
            Ok(_) => return Reply::wrong_method(call, "POST"),
            Err(reply) => return reply,
        };
        let requests = body.get("batchRequests").and_then(Value::as_array).cloned().unwrap_or_default();
        if requests.len() > MOST {
            return Reply::error(
                400,
                "LIMIT_EXCEEDED",
                &format!("A batch cannot have more than {MOST} requests, {} were sent", requests.len()),
            );
        }
        let halt = body.get("haltOnError").and_then(Value::as_bool).unwrap_or(false);
        let mut results = Vec::new();
        let mut failed = false;
        for request in requests {
            if halt && failed {
                results.push(json!({"statusCode": 412, "result": [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}]}));
                continue;
            }
            let reply = self.batch_request(&request);
            failed |= !reply.is_success();
            let result: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
            results.push(json!({"statusCode": reply.status, "result": result}));
        }
        Reply::json(200, &json!({"hasErrors": failed, "results": results}))
    }

    fn batch_request(&mut self, request: &Value) -> Reply {
        let url = request.get("url").and_then(Value::as_str).unwrap_or_default().trim_start_matches('/');
        let url =
            if url.starts_with("services/") { format!("/{url}") } else { format!("/services/data/{url}") };
        let method = request.get("method").and_then(Value::as_str).unwrap_or("GET").to_ascii_uppercase();
        let (Some((version, segments, query)), Ok(method)) =
            (target(&url), Method::from_bytes(method.as_bytes()))
        else {
            return Reply::not_found();
        };
        let is = |place: usize, word: &str| {
            segments.get(place).is_some_and(|segment| segment.eq_ignore_ascii_case(word))
        };
        if is(0, "composite") && !is(1, "sobjects") {
            return Reply::error(400, "INVALID_INPUT", "A batch cannot hold a composite request");
        }
        let body = Body::Json(request.get("richInput").cloned().unwrap_or(Value::Null));
        let outer = std::mem::replace(&mut self.version, version);
        let reply = self.answer(&Call { method, segments, query, headers: HeaderMap::new(), body });
        self.version = outer;
        reply
    }

    pub(super) fn graph(&mut self, call: &Call) -> Reply {
        let body = match call.json() {
            Ok(body) if call.method == Method::POST => body,
            Ok(_) => return Reply::wrong_method(call, "POST"),
            Err(reply) => return reply,
        };
        let graphs = body.get("graphs").and_then(Value::as_array).cloned().unwrap_or_default();
        let entries = |graph: &Value| {
            graph.get("compositeRequest").and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let nodes: usize = graphs.iter().map(|graph| entries(graph).len()).sum();
        if graphs.len() > 75 || nodes > MOST_NODES {
            return Reply::error(
                400,
                "LIMIT_EXCEEDED",
                "A graph call cannot have more than 75 graphs and 500 nodes",
            );
        }
        let mut answers = Vec::new();
        for graph in &graphs {
            match self.composite_of(&entries(graph), true, MOST_NODES) {
                Ok((responses, fine)) => answers.push(json!({
                    "graphId": graph.get("graphId"), "graphResponse": {"compositeResponse": responses}, "isSuccessful": fine,
                })),
                Err(reply) => return reply,
            }
        }
        Reply::json(200, &json!({"graphs": answers}))
    }

    pub(super) fn tree(&mut self, call: &Call, name: &str) -> Reply {
        let Some(object) = self.rights.find_object(self.schema(), name) else { return Reply::not_found() };
        let body = match call.json() {
            Ok(body) if call.method == Method::POST => body,
            Ok(_) => return Reply::wrong_method(call, "POST"),
            Err(reply) => return reply,
        };
        let records = body.get("records").and_then(Value::as_array).cloned().unwrap_or_default();
        let planted = self.write(call, |writer| {
            atomic(writer, |writer| {
                let mut made = Vec::new();
                for record in &records {
                    plant(writer, object, record, None, 1, &mut made)?;
                }
                Ok::<_, TreeRefusal>(made)
            })
        });
        match planted {
            Ok(made) => {
                let results: Vec<Value> = made
                    .into_iter()
                    .map(|(reference, id)| json!({"referenceId": reference, "id": id}))
                    .collect();
                Reply::json(201, &json!({"hasErrors": false, "results": results}))
            }
            Err(refusal) => Reply::json(
                400,
                &json!({"hasErrors": true, "results": [{"referenceId": refusal.0, "errors": [refusal.1.as_row_error()]}]}),
            ),
        }
    }
}

/// The record of a tree that was refused, by its reference, and why.
type TreeRefusal = Box<(String, RowError)>;

/// Inserts a record of a tree and what hangs below it.
fn plant(
    writer: &mut Writer<'_>,
    object: usize,
    record: &Value,
    parent: Option<(usize, &str)>,
    depth: usize,
    made: &mut Vec<(String, String)>,
) -> Result<(), TreeRefusal> {
    let schema = writer.schema;
    let reference =
        record.pointer("/attributes/referenceId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let refuse = |error: RowError| Box::new((reference.clone(), error));
    let (Some(shape), Some(fields)) = (schema.objects.get(object), record.as_object()) else {
        return Err(refuse(RowError::new(
            "INVALID_INPUT",
            "Every record of a tree must be an object with attributes",
        )));
    };
    if made.len() >= MOST_RECORDS || depth > DEEPEST {
        return Err(refuse(RowError::new(
            "LIMIT_EXCEEDED",
            "A tree cannot have more than 200 records and 5 levels",
        )));
    }
    let is_tree = |value: &Value| value.get("records").is_some_and(Value::is_array);
    let mut body: Map<String, Value> = fields
        .iter()
        .filter(|(_, value)| !is_tree(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some((field, id)) = parent
        && let Some(column) = shape.fields.get(field)
    {
        body.insert(column.name.clone(), Value::String(id.to_owned()));
    }
    let place = writer.insert(object, &body).map_err(refuse)?;
    let id = ids::mint(&shape.prefix, place);
    made.push((reference.clone(), id.clone()));
    for (name, value) in fields.iter().filter(|(_, value)| is_tree(value)) {
        let Some(relationship) = shape
            .children
            .iter()
            .find(|child| child.name.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(name)))
        else {
            return Err(Box::new((
                reference,
                RowError::new(
                    "INVALID_FIELD",
                    format!("No such relationship '{name}' on sobject of type {}", shape.name),
                ),
            )));
        };
        for child in value.get("records").and_then(Value::as_array).into_iter().flatten() {
            plant(writer, relationship.child, child, Some((relationship.field, &id)), depth + 1, made)?;
        }
    }
    Ok(())
}
