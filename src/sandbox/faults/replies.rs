//! The words in which each service refuses, for faults that the service itself would never come to.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use serde_json::json;

use super::{Fault, Side};

/// The org's session is gone, or the platform does not know us.
pub(super) fn unauthorized(side: Side) -> Response {
    match side {
        Side::Salesforce => {
            org_error(StatusCode::UNAUTHORIZED, "INVALID_SESSION_ID", "Session expired or invalid")
        }
        Side::Platform => platform_error(StatusCode::UNAUTHORIZED, "User not authenticated"),
    }
}

/// Too many requests.
pub(super) fn too_many(side: Side, fault: &Fault) -> Response {
    let mut response = match side {
        Side::Salesforce => org_error(
            StatusCode::TOO_MANY_REQUESTS,
            "REQUEST_LIMIT_EXCEEDED",
            "Too many requests, slow down.",
        ),
        Side::Platform => platform_error(StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
    };
    if let Some(seconds) = fault.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The limit of the day.
pub(super) fn limit(side: Side, fault: &Fault) -> Response {
    match side {
        Side::Salesforce => {
            org_error(StatusCode::FORBIDDEN, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        }
        Side::Platform => too_many(side, fault),
    }
}

/// What stands in front of a service that is down.
pub(super) fn html_503() -> Response {
    let page = "<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head>\
                <body><h1>Service Unavailable</h1><p>The service is temporarily unavailable.</p></body></html>";
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// The platform's way to fail with status 200.
pub(super) fn success_false(fault: &Fault) -> Response {
    platform_error(StatusCode::OK, fault.message.as_deref().unwrap_or("Internal error"))
}

/// The platform's job that is not done.
pub(super) fn in_progress() -> Response {
    json_response(
        StatusCode::OK,
        &json!({"success": true, "message": ["Request is in progress"], "fileUrl": null}),
    )
}

/// No reply at all: a body that fails before its first byte makes the server close the connection, and since the head
/// is sent together with that byte, nothing is sent.
pub(super) fn cut() -> Response {
    let failure = || Err::<Vec<u8>, _>(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
    Response::new(Body::from_stream(stream::once(std::future::ready(failure()))))
}

fn org_error(status: StatusCode, code: &str, message: &str) -> Response {
    json_response(status, &json!([{"message": message, "errorCode": code}]))
}

fn platform_error(status: StatusCode, message: &str) -> Response {
    json_response(status, &json!({"success": false, "message": [message]}))
}

fn json_response(status: StatusCode, value: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}
