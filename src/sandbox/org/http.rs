//! The org's front door: takes HTTP apart, checks session and limits, and dresses the answer with the org's headers.

use std::io::Write;
use std::sync::Arc;

use axum::body::{Body as HttpBody, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::Org;
use super::moment;
use super::rest::Api;
use super::rest::reply::{Body, Call, Reply, decode, pairs};
use super::{sign_in, soap};
use crate::sandbox::tls::Scheme;

/// Request line and headers together.
const LONGEST_HEAD: usize = 16_384;
/// A request's body.
const LARGEST_BODY: usize = 50 * 1024 * 1024;
/// The data of a job.
const LARGEST_UPLOAD: usize = 150 * 1024 * 1024;
/// Smaller answers are not worth packing.
const WORTH_PACKING: usize = 1024;
/// The versions this org speaks.
pub(super) const VERSIONS: std::ops::RangeInclusive<u32> = 41..=68;

/// The routes of an org.
pub(super) fn router(org: &Arc<Org>) -> axum::Router {
    axum::Router::new()
        .route("/services/{*rest}", axum::routing::any(handle))
        // Clients that keep their instance address with a slash at its end ask like this.
        .route("//services/{*rest}", axum::routing::any(handle))
        .route("//id/{org}/{user}", axum::routing::any(handle))
        .route("/id/{org}/{user}", axum::routing::any(handle))
        .with_state(Arc::clone(org))
}

async fn handle(State(org): State<Arc<Org>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let scheme = head.extensions.get::<Scheme>().copied().unwrap_or(Scheme::Http);
    let length = head.uri.to_string().len()
        + head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>();
    let uploads = head.uri.path().contains("/jobs/ingest/");
    let largest = if uploads { LARGEST_UPLOAD } else { LARGEST_BODY };
    let reply = if head.uri.path_and_query().is_some_and(|path| path.as_str().len() > LONGEST_HEAD) {
        Reply::error(414, "URI_TOO_LONG", "The requested URI is too long")
    } else if length > LONGEST_HEAD {
        Reply::error(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "The request's headers are too large")
    } else {
        match axum::body::to_bytes(body, largest).await {
            Ok(bytes) => {
                let host = head
                    .headers
                    .get("host")
                    .and_then(|host| host.to_str().ok())
                    .or(head.uri.host())
                    .unwrap_or("localhost");
                let base = format!("{}://{host}", scheme.word());
                org.remember_base(&base);
                let (reply, wait) = org.pace.of_call(|| {
                    dispatch(
                        &org,
                        &base,
                        &head.method,
                        head.uri.path(),
                        head.uri.query().unwrap_or_default(),
                        &head.headers,
                        bytes,
                    )
                });
                tokio::time::sleep(wait).await;
                reply
            }
            Err(_) => Reply::error(
                413,
                "REQUEST_TOO_LARGE",
                &format!("The request's body is larger than {} MB", largest / (1024 * 1024)),
            ),
        }
    };
    dress(&org, packed(reply, &head.headers))
}

/// Packs long CSV for clients that unpack it.
fn packed(reply: Reply, asked: &HeaderMap) -> Reply {
    let is_csv =
        reply.headers.iter().any(|(name, value)| *name == "content-type" && value.starts_with("text/csv"));
    let takes =
        |text: &HeaderValue| text.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("gzip"));
    let wanted = asked.get_all("accept-encoding").iter().any(takes);
    if !is_csv || !wanted || reply.body.len() < WORTH_PACKING {
        return reply;
    }
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    match packer.write_all(&reply.body).and_then(|()| packer.finish()) {
        Ok(body) => {
            let mut headers = reply.headers;
            headers.push(("content-encoding", "gzip".to_owned()));
            Reply { headers, body, ..Reply::bytes(reply.status, Vec::new()) }
        }
        Err(_memory_is_enough) => reply,
    }
}

fn dress(org: &Org, reply: Reply) -> Response {
    let mut response = Response::new(HttpBody::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json;charset=UTF-8"));
    headers.insert(
        "cache-control",
        HeaderValue::from_static("no-cache,must-revalidate,max-age=0,no-store,private"),
    );
    headers.insert("vary", HeaderValue::from_static("Accept-Encoding"));
    // Clients take the server's time from here, so it has to be the org's.
    if let Ok(date) = HeaderValue::from_str(&moment::http_date(org.clock.now_ms())) {
        headers.insert("date", date);
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if matches!(reply.status, 204 | 304) {
        headers.remove("content-type");
    }
    response
}

fn dispatch(
    org: &Org,
    base: &str,
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Reply {
    let segments: Vec<String> =
        path.split('/').filter(|segment| !segment.is_empty()).map(|segment| decode(segment, false)).collect();
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["services", "oauth2", page] => sign_in::oauth(org, base, page, method, headers, query, &body),
        ["services", "Soap", kind @ ("u" | "c"), version, ..] => soap::soap(org, base, kind, version, &body),
        ["id", org_id, user] => sign_in::identity(org, base, org_id, user, headers, &pairs(query)),
        ["services", "data"] => versions(),
        ["services", "data", version, rest @ ..] => {
            let call = Call {
                method: overridden(method, query),
                segments: rest.iter().map(|segment| (*segment).to_owned()).collect(),
                query: pairs(query),
                headers: headers.clone(),
                body: Body::Bytes(body),
            };
            data(org, base, version, &call)
        }
        _ => Reply::not_found(),
    }
}

/// Old HTTP libraries cannot say PATCH; they say so in the address.
fn overridden(method: &Method, query: &str) -> Method {
    if *method == Method::HEAD {
        return Method::GET;
    }
    let asked = pairs(query).into_iter().find(|pair| pair.0 == "_HttpMethod").map(|pair| pair.1);
    match asked {
        Some(name) if *method == Method::POST => {
            Method::from_bytes(name.to_ascii_uppercase().as_bytes()).unwrap_or(Method::POST)
        }
        Some(_) | None => method.clone(),
    }
}

fn label(version: u32) -> String {
    // Three come each year; version 41 was Winter '18.
    match version % 3 {
        2 => format!("Winter '{}", version.div_ceil(3) + 4),
        0 => format!("Spring '{}", version / 3 + 4),
        _ => format!("Summer '{}", version / 3 + 4),
    }
}

fn versions() -> Reply {
    let versions: Vec<Value> = VERSIONS
        .map(|version| json!({"label": label(version), "url": format!("/services/data/v{version}.0"), "version": format!("{version}.0")}))
        .collect();
    Reply::json(200, &Value::Array(versions))
}

fn data(org: &Org, base: &str, version: &str, call: &Call) -> Reply {
    let number = version
        .strip_prefix('v')
        .and_then(|text| text.strip_suffix(".0"))
        .and_then(|text| text.parse::<u32>().ok());
    let version = match number {
        Some(number) if (1..31).contains(&number) => {
            return Reply::error(410, "GONE", &format!("The requested API version v{number}.0 is retired"));
        }
        Some(number) if (31..=*VERSIONS.end()).contains(&number) => format!("{number}.0"),
        Some(_) | None => return Reply::not_found(),
    };
    let now = org.clock.now_ms();
    let header = call.header("authorization").unwrap_or_default();
    let token =
        header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("OAuth ")).unwrap_or_default().trim();
    if header.is_empty() {
        return Reply::error(401, "INVALID_SESSION_ID", "Session expired or invalid");
    }
    if token.is_empty() {
        return Reply::error(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE");
    }
    let session = org.sessions().enter(token, now);
    let Some(session) = session else {
        return Reply::error(401, "INVALID_SESSION_ID", "Session expired or invalid");
    };
    {
        let sessions = org.sessions();
        if sessions.api_disabled {
            return Reply::error(
                403,
                "API_DISABLED_FOR_ORG",
                "API is not enabled for this Organization or Partner",
            );
        }
        if sessions.locked {
            return Reply::error(401, "INVALID_SESSION_ID", "Session expired or invalid");
        }
    }
    if session.expired_password {
        return Reply::error(
            403,
            "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
            "The users password has expired, you must call SetPassword before attempting any other API operations",
        );
    }
    let free = call.segments.first().is_some_and(|first| first.eq_ignore_ascii_case("limits"));
    let (used, max, within) = org.count_call(now, free);
    let usage = ("sforce-limit-info", format!("api-usage={used}/{max}"));
    if !within {
        let reply = Reply::error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
        return Reply { headers: vec![usage], ..reply };
    }
    let rights = org.rights_of(&session.user);
    let mut api = Api { org, user: session.user, version, base: base.to_owned(), rights, held: None, now };
    let mut reply = api.answer(call);
    reply.headers.push(usage);
    reply
}
