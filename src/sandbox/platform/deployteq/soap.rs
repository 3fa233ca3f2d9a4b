//! The SOAP interface, as far as customers are listed by it: a call makes a list, which is ready after some looks and read in pages of at
//! most fifty.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::customers::{Customer, FIELDS};
use super::{Deployteq, lock};

/// Lists that were asked for: what is in them, and how many looks until they are ready.
#[derive(Debug, Default)]
pub(super) struct Lists {
    last: u64,
    held: HashMap<u64, (Vec<u64>, u32)>,
}

fn answer(status: StatusCode, body: &str) -> Response {
    let whole = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:ns1=\"urn:clang\"><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    );
    (status, [(header::CONTENT_TYPE, "text/xml; charset=utf-8")], whole).into_response()
}

fn told(operation: &str, message: &str) -> Response {
    let body = format!("<ns1:{operation}Response><code>0</code>{message}</ns1:{operation}Response>");
    answer(StatusCode::OK, &body)
}

fn fault(number: u32, words: &str) -> Response {
    let body = format!(
        "<SOAP-ENV:Fault><faultcode>{number}</faultcode><faultstring>{words}</faultstring></SOAP-ENV:Fault>"
    );
    answer(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

/// The text between the tags of a name; arguments are plain texts.
fn argument<'a>(body: &'a str, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    body.split_once(&open)
        .and_then(|(_, rest)| rest.split_once(&close))
        .map(|(text, _)| text)
        .unwrap_or_default()
}

const OPERATIONS: [&str; 5] = [
    "customer_getTotalNumberOfCustomers",
    "customer_getAll",
    "resource_getById",
    "customerSet_getCustomers",
    "resource_free",
];

pub(super) async fn call(State(portal): State<Arc<Deployteq>>, body: String) -> Response {
    let Some(operation) = OPERATIONS.into_iter().find(|name| body.contains(&format!("<{name}>"))) else {
        return fault(1, "Unknown operation");
    };
    if argument(&body, "uuid") != portal.options.soap_token {
        return fault(101, "Invalid token");
    }
    let number = |name: &str| argument(&body, name).trim().parse::<u64>().unwrap_or(u64::MAX);
    let mut lists = lock(&portal.lists);
    match operation {
        "customer_getTotalNumberOfCustomers" => {
            told(operation, &format!("<msg>{}</msg>", lock(&portal.customers).len()))
        }
        "customer_getAll" => {
            let ids: Vec<u64> = lock(&portal.customers).all().map(|(id, _)| id).collect();
            lists.last += 1;
            let (resource, polls) = (lists.last, portal.job_polls.load(Ordering::Relaxed));
            lists.held.insert(resource, (ids, polls));
            told(operation, &format!("<msg>{resource}</msg>"))
        }
        "resource_getById" => match lists.held.get_mut(&number("resourceId")) {
            Some((ids, looks)) => {
                let status = if *looks == 0 { "READY" } else { "PROCESSING" };
                *looks = looks.saturating_sub(1);
                let size = ids.len();
                told(
                    operation,
                    &format!(
                        "<msg><id>{}</id><type>CUSTOMER_SET</type><status>{status}</status><size>{size}</size></msg>",
                        number("resourceId")
                    ),
                )
            }
            None => fault(213, "Resource not found"),
        },
        "customerSet_getCustomers" => {
            let (offset, size) = (number("offset") as usize, number("size"));
            if !(1..=50).contains(&size) {
                return fault(105, "Size must be between 1 and 50");
            }
            let Some((ids, _)) = lists.held.get(&number("resourceId")) else {
                return fault(213, "Resource not found");
            };
            let customers = lock(&portal.customers);
            let mut message = String::from("<msg>");
            for id in ids.iter().skip(offset).take(size as usize) {
                // One that was deleted since leaves its place empty.
                match customers.get(*id) {
                    Some(customer) => item(&mut message, *id, customer),
                    None => message.push_str("<item/>"),
                }
            }
            message.push_str("</msg>");
            told(operation, &message)
        }
        _ => {
            lists.held.remove(&number("resourceId"));
            told(operation, "<msg>true</msg>")
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn moment(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .unwrap_or_default()
        .format("%Y-%m-%dT%H:%M:%S+00:00")
        .to_string()
}

fn item(message: &mut String, id: u64, customer: &Customer) {
    let _ = write!(message, "<item><id>{id}</id>");
    for (name, tag) in FIELDS.iter().filter(|(name, _)| *name != "password") {
        match customer.fields.get(*name).and_then(Value::as_str) {
            Some(text) => {
                let _ = write!(message, "<{tag}>{}</{tag}>", escape(text));
            }
            None => {
                let _ = write!(message, "<{tag}/>");
            }
        }
    }
    message.push_str("<options>");
    for (name, value) in customer.fields.get("options").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let _ = write!(message, "<item><name>{}</name><value>{}</value></item>", escape(name), escape(value));
    }
    message.push_str("</options>");
    let _ = write!(
        message,
        "<createdAt>{}</createdAt><modifiedAt>{}</modifiedAt></item>",
        moment(customer.created),
        moment(customer.modified)
    );
}
