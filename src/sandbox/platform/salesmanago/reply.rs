//! The envelope of every reply, `{"success":…,"message":[…], …}`, and the refusals.
//! Used by all handlers of the emulator.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A request that is not answered with what it asked for.
#[derive(Debug, Clone)]
pub struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    /// The usual kind: HTTP 200 with `success:false` and a sentence.
    pub fn said(message: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, message: message.into() }
    }

    /// A body that could not be understood.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    /// A path that does not exist.
    pub fn not_found() -> Self {
        Self { status: StatusCode::NOT_FOUND, message: "Not found".into() }
    }

    /// More requests than the pace allows.
    pub fn too_many() -> Self {
        Self { status: StatusCode::TOO_MANY_REQUESTS, message: "Too many requests".into() }
    }
}

#[derive(Serialize)]
struct Envelope<'a, T: Serialize> {
    success: bool,
    message: &'a [String],
    #[serde(flatten)]
    fields: T,
}

#[derive(Serialize)]
struct Nothing {}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = to_bytes(&Envelope { success: false, message: &[self.message], fields: Nothing {} });
        raw(self.status, body)
    }
}

/// A reply with `success:true` and these fields beside it.
pub fn success(fields: &impl Serialize) -> Response {
    success_with(&[], fields)
}

/// A reply with `success:true` that still has something to say, for instance about rows that failed.
pub fn success_with(message: &[String], fields: &impl Serialize) -> Response {
    raw(StatusCode::OK, to_bytes(&Envelope { success: true, message, fields }))
}

/// A reply with nothing but `success:true`.
pub fn done() -> Response {
    success(&Nothing {})
}

/// Any value as a JSON body.
pub fn json(value: &impl Serialize) -> Response {
    raw(StatusCode::OK, to_bytes(value))
}

fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    // Our own shapes always serialise: their keys are texts.
    serde_json::to_vec(value).unwrap_or_default()
}

/// A finished JSON body.
pub fn raw(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}
