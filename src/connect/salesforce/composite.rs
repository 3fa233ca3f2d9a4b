//! Several requests in one call, and long queries that no address line would hold.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::errors::{Fault, senseless};
use super::session::{Door, DoorError, Request};
use crate::connect::http::{Idempotency, Reply, percent_encode};
use crate::domain::port::PortError;

/// Most queries and collections in one composite; others may come on top, up to [`MOST_PARTS`].
pub(super) const MOST_QUERIES: usize = 5;
/// Most requests in one composite.
pub(super) const MOST_PARTS: usize = 25;
/// The longest path of a GET that is sent as it is; a server takes about 16,000 bytes with the headers.
const LONGEST_PATH: usize = 12_000;

/// One request of a composite.
#[derive(Clone, Debug)]
pub(super) struct Part {
    method: &'static str,
    path: String,
    reference: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Part {
    pub(super) fn get(reference: impl Into<String>, path: String) -> Self {
        Self { method: "GET", path, reference: reference.into(), headers: Vec::new(), body: None }
    }

    pub(super) fn query(reference: impl Into<String>, base: &str, kind: QueryKind, soql: &str) -> Self {
        Self::get(reference, query_path(base, kind, soql))
    }

    pub(super) fn with_body(
        method: &'static str,
        reference: impl Into<String>,
        path: String,
        body: Vec<u8>,
    ) -> Self {
        Self { method, body: Some(body), ..Self::get(reference, path) }
    }

    pub(super) fn delete(reference: impl Into<String>, path: String) -> Self {
        Self { method: "DELETE", ..Self::get(reference, path) }
    }

    pub(super) fn header(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.headers.push((name, text.into()));
        self
    }
}

/// Whether deleted records count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueryKind {
    /// Live records.
    Live,
    /// The recycle bin as well.
    WithDeleted,
}

/// The path of a query.
pub(super) fn query_path(base: &str, kind: QueryKind, soql: &str) -> String {
    let resource = match kind {
        QueryKind::Live => "query",
        QueryKind::WithDeleted => "queryAll",
    };
    format!("{base}/{resource}?q={}", percent_encode(soql))
}

/// The reply to a composite; its parts borrow from it.
#[derive(Debug)]
pub(super) struct CompositeReply {
    pub(super) reply: Reply,
}

/// What one request of a composite was answered.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartReply<'a> {
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(default)]
    http_headers: Option<HashMap<String, serde_json::Value>>,
    #[serde(rename = "httpStatusCode")]
    pub(super) status: u16,
    #[serde(rename = "referenceId")]
    pub(super) reference: String,
}

impl PartReply<'_> {
    /// The body's text; `null` where there is none.
    pub(super) fn body(&self) -> &str {
        self.body.map_or("null", RawValue::get)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.http_headers.as_ref()?;
        headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value.as_str())
    }

    /// The refusal, if it is one.
    pub(super) fn fault(&self) -> Option<Fault> {
        if (200..300).contains(&self.status) || self.status == 304 {
            return None;
        }
        Some(Fault::from_body(self.status, self.body().as_bytes()).unwrap_or_else(|| Fault {
            status: self.status,
            code: format!("HTTP_{}", self.status),
            message: self.body().chars().take(300).collect(),
        }))
    }
}

impl CompositeReply {
    /// The parts in the order of the requests.
    pub(super) fn parts(&self) -> Result<Vec<PartReply<'_>>, PortError> {
        #[derive(Deserialize)]
        struct Outer<'a> {
            #[serde(rename = "compositeResponse", borrow)]
            parts: Vec<PartReply<'a>>,
        }
        let outer: Outer<'_> = serde_json::from_slice(&self.reply.body)
            .map_err(|error| senseless("a composite request", &error))?;
        Ok(outer.parts)
    }
}

/// Sends several requests as one call.
pub(super) async fn send(
    door: &Door,
    name: &'static str,
    parts: &[Part],
    idempotency: Idempotency,
    headers: &[(&'static str, String)],
) -> Result<CompositeReply, DoorError> {
    let base = door.base().await?;
    let mut request = Request::post(name, format!("{base}/composite"), encode(parts), idempotency);
    for (header, text) in headers {
        request = request.header(header, text.as_str());
    }
    let reply = door.send(&request).await?;
    Ok(CompositeReply { reply })
}

/// Runs a query as one GET or, where that would be too long, as a composite of one. Hands back the body of the query's reply.
pub(super) async fn query(door: &Door, kind: QueryKind, soql: &str) -> Result<Answer, DoorError> {
    let base = door.base().await?;
    let path = query_path(&base, kind, soql);
    if path.len() <= LONGEST_PATH {
        let reply = door.send(&Request::get("query", path)).await?;
        return Ok(Answer { date: reply.date(), body: reply.body });
    }
    let answered = send(door, "long query", &[Part::get("q", path)], Idempotency::Repeatable, &[]).await?;
    let parts = answered.parts()?;
    let Some(part) = parts.first() else {
        return Ok(Answer { body: b"null".to_vec(), date: answered.reply.date() });
    };
    match part.fault() {
        Some(fault) => Err(DoorError::Fault(fault)),
        None => Ok(Answer { body: part.body().as_bytes().to_vec(), date: answered.reply.date() }),
    }
}

/// The body of a query's reply and the org's clock when it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    pub(super) date: Option<chrono::DateTime<chrono::Utc>>,
}

/// Writes the body. By hand, because the parts' bodies are JSON already and may be long.
fn encode(parts: &[Part]) -> Vec<u8> {
    let length: usize =
        parts.iter().map(|part| part.path.len() + part.body.as_ref().map_or(0, Vec::len) + 200).sum();
    let mut out = Vec::with_capacity(length + 100);
    out.extend_from_slice(br#"{"allOrNone":false,"compositeRequest":["#);
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(br#"{"method":"#);
        put_string(&mut out, part.method);
        out.extend_from_slice(br#","url":"#);
        put_string(&mut out, &part.path);
        out.extend_from_slice(br#","referenceId":"#);
        put_string(&mut out, &part.reference);
        if !part.headers.is_empty() {
            out.extend_from_slice(br#","httpHeaders":{"#);
            for (place, (name, text)) in part.headers.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                put_string(&mut out, name);
                out.push(b':');
                put_string(&mut out, text);
            }
            out.push(b'}');
        }
        if let Some(body) = &part.body {
            out.extend_from_slice(br#","body":"#);
            out.extend_from_slice(body);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

/// Appends a JSON string.
pub(super) fn put_string(out: &mut Vec<u8>, text: &str) {
    // Writing a string into memory can't fail.
    drop(serde_json::to_writer(out, text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_valid_json_whatever_the_parts_hold() {
        let parts = [
            Part::get("a", "/q?q=\"x\"".into()).header("If-Modified-Since", "Thu"),
            Part::with_body("POST", "b", "/composite/sobjects".into(), br#"{"records":[]}"#.to_vec()),
        ];
        let json: serde_json::Value = serde_json::from_slice(&encode(&parts)).unwrap();
        assert_eq!(json["compositeRequest"][0]["httpHeaders"]["If-Modified-Since"], "Thu");
        assert_eq!(json["compositeRequest"][1]["body"]["records"], serde_json::json!([]));
    }
}
