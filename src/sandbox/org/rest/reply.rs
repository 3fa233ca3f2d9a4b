//! What comes in and what goes out, apart from HTTP, so that sub-requests of a composite are calls like any other.

use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::soql::QueryError;

/// A request for a resource of the data API.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) struct Call {
    pub(in crate::sandbox::org) method: Method,
    /// Decoded parts of the path behind `/services/data/vNN.N`.
    pub(in crate::sandbox::org) segments: Vec<String>,
    pub(in crate::sandbox::org) query: Vec<(String, String)>,
    pub(in crate::sandbox::org) headers: HeaderMap,
    pub(in crate::sandbox::org) body: Body,
}

/// The body of a call.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) enum Body {
    Bytes(axum::body::Bytes),
    /// Of a sub-request, where it is JSON already.
    Json(Value),
}

impl Call {
    pub(in crate::sandbox::org) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|pair| pair.0.eq_ignore_ascii_case(name)).map(|pair| pair.1.as_str())
    }

    pub(in crate::sandbox::org) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    pub(in crate::sandbox::org) fn json(&self) -> Result<Value, Reply> {
        match &self.body {
            Body::Json(value) => Ok(value.clone()),
            Body::Bytes(bytes) => {
                let kind = self.header("content-type").unwrap_or("application/json").to_ascii_lowercase();
                if !kind.contains("json") {
                    return Err(Reply::error(
                        415,
                        "UNSUPPORTED_MEDIA_TYPE",
                        &format!("Content-Type header specified in HTTP request is not supported: {kind}"),
                    ));
                }
                serde_json::from_slice(bytes).map_err(|error| {
                    let place = format!("[line:{}, column:{}]", error.line(), error.column());
                    Reply::error(
                        400,
                        "JSON_PARSER_ERROR",
                        &format!("Unexpected content in JSON at {place}: {error}"),
                    )
                })
            }
        }
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(in crate::sandbox::org) struct Reply {
    pub(in crate::sandbox::org) status: u16,
    pub(in crate::sandbox::org) headers: Vec<(&'static str, String)>,
    pub(in crate::sandbox::org) body: Vec<u8>,
}

impl Reply {
    pub(in crate::sandbox::org) fn bytes(status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(in crate::sandbox::org) fn json(status: u16, value: &Value) -> Self {
        Self::bytes(status, value.to_string().into_bytes())
    }

    pub(in crate::sandbox::org) fn empty(status: u16) -> Self {
        Self::bytes(status, Vec::new())
    }

    /// The usual array of one error.
    pub(in crate::sandbox::org) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &json!([{"message": message, "errorCode": code}]))
    }

    pub(in crate::sandbox::org) fn not_found() -> Self {
        Self::error(404, "NOT_FOUND", "The requested resource does not exist")
    }

    pub(in crate::sandbox::org) fn wrong_method(call: &Call, allowed: &str) -> Self {
        let message = format!("HTTP Method '{}' not allowed. Allowed are {allowed}", call.method);
        Self {
            headers: vec![("allow", allowed.to_owned())],
            ..Self::error(405, "METHOD_NOT_ALLOWED", &message)
        }
    }

    pub(in crate::sandbox::org) fn is_success(&self) -> bool {
        self.status < 400
    }
}

impl From<RowError> for Reply {
    fn from(error: RowError) -> Self {
        Self::json(error.status(), &Value::Array(vec![error.as_call_error()]))
    }
}

impl From<QueryError> for Reply {
    fn from(error: QueryError) -> Self {
        Self::error(400, error.code, &error.message)
    }
}

/// Decodes `%XX`; in queries `+` is a blank.
pub(in crate::sandbox::org) fn decode(text: &str, plus_is_blank: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' if plus_is_blank => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digits = (ahead.next().and_then(hex), ahead.next().and_then(hex));
                if let (Some(high), Some(low)) = digits {
                    bytes.push(high * 16 + low);
                    rest = ahead;
                } else {
                    bytes.push(b'%');
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// The pairs of a query string or a form.
pub(in crate::sandbox::org) fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name, true), decode(value, true))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_that_mean_nothing_stay() {
        assert_eq!(decode("a%2Fb%zz+c%", false), "a/b%zz+c%");
        assert_eq!(
            pairs("q=a+b%2Bc&x"),
            [("q".to_owned(), "a b+c".to_owned()), ("x".to_owned(), String::new())]
        );
    }
}
