//! Up to 25 calls in one, which may use each other's results, as one transaction if asked for.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::Api;
use super::reply::{Body, Call, Reply, decode, pairs};

/// Sub-requests of a composite.
const MOST: usize = 25;
/// Queries among them.
const MOST_QUERIES: usize = 5;

/// One sub-request as sent.
struct Sub {
    method: Method,
    url: String,
    reference: String,
    body: Option<Value>,
    headers: HeaderMap,
}

fn bad(message: &str) -> Reply {
    Reply::error(400, "JSON_PARSER_ERROR", message)
}

fn read_sub(entry: &Value) -> Result<Sub, Reply> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let method =
        text("method").and_then(|method| Method::from_bytes(method.to_ascii_uppercase().as_bytes()).ok());
    let (Some(method), Some(url), Some(reference)) = (method, text("url"), text("referenceId")) else {
        return Err(bad("Every sub-request needs method, url and referenceId"));
    };
    let valid =
        !reference.is_empty() && reference.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !valid {
        return Err(bad(&format!(
            "Provided referenceId '{reference}' has an invalid format; use letters, digits and underscores"
        )));
    }
    let mut headers = HeaderMap::new();
    if let Some(given) = entry.get("httpHeaders").and_then(Value::as_object) {
        for (name, value) in given {
            let pair = (
                HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes()),
                HeaderValue::from_str(value.as_str().unwrap_or_default()),
            );
            if let (Ok(name), Ok(value)) = pair {
                headers.insert(name, value);
            }
        }
    }
    Ok(Sub {
        method,
        url: url.to_owned(),
        reference: reference.to_owned(),
        body: entry.get("body").cloned(),
        headers,
    })
}

/// Cuts `/services/data/vNN.N/rest?query` apart.
pub(super) fn target(url: &str) -> Option<(String, Vec<String>, Vec<(String, String)>)> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut segments =
        path.split('/').filter(|segment| !segment.is_empty()).map(|segment| decode(segment, false));
    let (services, data) = (segments.next()?, segments.next()?);
    let version = segments.next()?;
    let known = services == "services" && data == "data";
    known.then(|| (version.trim_start_matches('v').to_owned(), segments.collect(), pairs(query)))
}

impl Api<'_> {
    pub(super) fn composite(&mut self, call: &Call) -> Reply {
        if call.method == Method::GET {
            return Reply::json(
                200,
                &json!({"tree": format!("/services/data/v{}/composite/tree", self.version), "batch": format!("/services/data/v{}/composite/batch", self.version), "sobjects": format!("/services/data/v{}/composite/sobjects", self.version), "graph": format!("/services/data/v{}/composite/graph", self.version)}),
            );
        }
        if call.method != Method::POST {
            return Reply::wrong_method(call, "GET, POST");
        }
        let body = match call.json() {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        let Some(entries) = body.get("compositeRequest").and_then(Value::as_array) else {
            return bad("The HTTP entity body must hold the array `compositeRequest`");
        };
        let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
        match self.composite_of(entries, all_or_none, MOST) {
            Ok((responses, _)) => Reply::json(200, &json!({"compositeResponse": responses})),
            Err(reply) => reply,
        }
    }

    /// Runs sub-requests; the second value tells whether all went well.
    pub(super) fn composite_of(
        &mut self,
        entries: &[Value],
        all_or_none: bool,
        most: usize,
    ) -> Result<(Vec<Value>, bool), Reply> {
        if entries.len() > most {
            return Err(Reply::error(
                400,
                "LIMIT_EXCEEDED",
                &format!(
                    "Composite requests cannot have more than {most} sub-requests, {} were sent",
                    entries.len()
                ),
            ));
        }
        let subs: Vec<Sub> = entries.iter().map(read_sub).collect::<Result<_, _>>()?;
        for (at, sub) in subs.iter().enumerate() {
            if subs.iter().take(at).any(|other| other.reference == sub.reference) {
                return Err(bad(&format!("Duplicate referenceId found: {}", sub.reference)));
            }
        }
        let queries =
            subs.iter().filter(|sub| sub.url.contains("/query") && sub.method == Method::GET).count();
        if queries > MOST_QUERIES && most == MOST {
            return Err(Reply::error(
                400,
                "LIMIT_EXCEEDED",
                &format!(
                    "Composite requests cannot have more than {MOST_QUERIES} query sub-requests, {queries} were sent"
                ),
            ));
        }
        let outer = self.held.is_some();
        let mut mark = 0;
        if all_or_none {
            if !outer {
                self.held = Some(self.org.write_state());
            }
            mark = self.held.as_mut().map_or(0, |state| state.begin());
        }
        let mut done: Map<String, Value> = Map::new();
        let mut answers: Vec<(String, Reply)> = Vec::new();
        let mut halted = false;
        for sub in subs {
            let reply = if halted { halted_reply() } else { self.sub_request(&sub, &done) };
            let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
            if reply.is_success() {
                done.insert(sub.reference.clone(), body);
            } else if all_or_none {
                halted = true;
            }
            answers.push((sub.reference, reply));
        }
        if all_or_none {
            let schema = &self.org.schema;
            if let Some(state) = &mut self.held {
                if halted {
                    state.roll_back(schema, mark);
                }
                if !outer {
                    state.commit();
                }
            }
            if !outer {
                self.held = None;
            }
        }
        if halted {
            for (_, reply) in answers.iter_mut().filter(|answer| answer.1.is_success()) {
                *reply = halted_reply();
            }
        }
        let fine = answers.iter().all(|answer| answer.1.is_success());
        Ok((answers.into_iter().map(|(reference, reply)| envelope(&reference, &reply)).collect(), fine))
    }

    fn sub_request(&mut self, sub: &Sub, done: &Map<String, Value>) -> Reply {
        let url = match with_references(&sub.url, done) {
            Ok(url) => url,
            Err(reply) => return reply,
        };
        let body = match sub.body.clone().map(|body| body_with_references(body, done)).transpose() {
            Ok(body) => body.unwrap_or(Value::Null),
            Err(reply) => return reply,
        };
        let Some((version, segments, query)) = target(&url) else { return Reply::not_found() };
        if segments.first().is_some_and(|first| first.eq_ignore_ascii_case("composite"))
            && !segments.get(1).is_some_and(|second| second.eq_ignore_ascii_case("sobjects"))
        {
            return Reply::error(400, "INVALID_INPUT", "A composite request cannot hold another one");
        }
        let sub_call = Call {
            method: sub.method.clone(),
            segments,
            query,
            headers: sub.headers.clone(),
            body: Body::Json(body),
        };
        let outer = std::mem::replace(&mut self.version, version);
        let reply = self.answer(&sub_call);
        self.version = outer;
        reply
    }
}

fn halted_reply() -> Reply {
    Reply::error(
        400,
        "PROCESSING_HALTED",
        "The transaction was rolled back since another operation in the same transaction failed.",
    )
}

fn envelope(reference: &str, reply: &Reply) -> Value {
    let body: Value = if reply.body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
    };
    let headers: Map<String, Value> = reply
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let shown = match *name {
                "location" => "Location",
                "etag" => "ETag",
                "last-modified" => "Last-Modified",
                _ => return None,
            };
            Some((shown.to_owned(), Value::String(value.clone())))
        })
        .collect();
    json!({"body": body, "httpHeaders": headers, "httpStatusCode": reply.status, "referenceId": reference})
}

/// Puts results in the place of every `@{reference.path}`.
fn with_references(text: &str, done: &Map<String, Value>) -> Result<String, Reply> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        out.push_str(before);
        let Some((path, tail)) = after.split_once('}') else {
            out.push_str("@{");
            rest = after;
            continue;
        };
        match lookup(path, done) {
            Some(Value::String(text)) => out.push_str(text),
            Some(Value::Null) | None => {
                let reference = path.split(['.', '[']).next().unwrap_or_default();
                return Err(Reply::error(
                    400,
                    "PROCESSING_HALTED",
                    &format!("Invalid reference specified. No value for {path} found in {reference}"),
                ));
            }
            Some(other) => out.push_str(&other.to_string()),
        }
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// The value at `ref.records[0].Id`.
fn lookup<'a>(path: &str, done: &'a Map<String, Value>) -> Option<&'a Value> {
    let mut parts = path.split(['.', '[', ']']).map(str::trim).filter(|part| !part.is_empty());
    let mut value = done.get(parts.next()?)?;
    for part in parts {
        value = match value {
            Value::Array(entries) => entries.get(part.parse::<usize>().ok()?)?,
            Value::Object(fields) => fields.get(part).or_else(|| {
                fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(part)).map(|(_, value)| value)
            })?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        };
    }
    Some(value)
}

fn body_with_references(body: Value, done: &Map<String, Value>) -> Result<Value, Reply> {
    Ok(match body {
        Value::String(text) if text.contains("@{") => Value::String(with_references(&text, done)?),
        Value::Array(entries) => Value::Array(
            entries.into_iter().map(|entry| body_with_references(entry, done)).collect::<Result<_, _>>()?,
        ),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| Ok((name, body_with_references(value, done)?)))
                .collect::<Result<_, Reply>>()?,
        ),
        plain => plain,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_reach_into_results() {
        let Value::Object(done) =
            json!({"q": {"records": [{"Id": "003A"}]}, "c": [{"id": "001B"}], "n": {"totalSize": 3}})
        else {
            return;
        };
        let filled = with_references("/x/@{q.records[0].Id}?a=@{c[0].id}&n=@{n.totalSize}", &done).unwrap();
        assert_eq!(filled, "/x/003A?a=001B&n=3");
        assert!(with_references("@{missing.id}", &done).is_err());
    }
}
