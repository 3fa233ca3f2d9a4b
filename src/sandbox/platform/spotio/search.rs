//! Exports, deletions and the search, page by page: a scroll id leads to the next page until it is null.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::records::{Stored, number};
use super::routes::{Asked, json_of, refused};
use super::{Spotio, from_iso, shown};

/// A scroll id: a kind and the last id of the page before, in a form that nobody should read anything into.
fn scroll_of(kind: char, last: &str) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    let digits = last.bytes().map(|byte| byte ^ 0x5a).flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    [kind, '1'].into_iter().chain(digits).collect()
}

fn last_of(kind: char, scroll: &str) -> Option<String> {
    let digits = scroll.strip_prefix(kind)?.strip_prefix('1')?;
    let bytes: Option<Vec<u8>> = (0..digits.len() / 2)
        .map(|at| {
            digits
                .get(at * 2..at * 2 + 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .map(|byte| byte ^ 0x5a)
        })
        .collect();
    String::from_utf8(bytes?).ok().filter(|last| !last.is_empty())
}

fn lost() -> Response {
    refused((404, "scrollId".into(), "The scroll does not exist.".into()))
}

/// Where a page begins: nothing for the first one.
#[expect(clippy::result_large_err, reason = "the error is the answer, made once a call")]
fn begins(kind: char, scroll: Option<&String>) -> Result<Option<String>, Response> {
    match scroll.map(String::as_str) {
        None | Some("") => Ok(None),
        Some(scroll) => last_of(kind, scroll).map(Some).ok_or_else(lost),
    }
}

/// A date of a question, in milliseconds.
#[expect(clippy::result_large_err, reason = "the error is the answer, made once a call")]
fn date(asked: Option<&String>, name: &str) -> Result<Option<i64>, Response> {
    match asked.map(String::as_str) {
        None | Some("") => Ok(None),
        Some(text) => match from_iso(text) {
            Some(moment) => Ok(Some(moment)),
            None => Err(refused((422, name.into(), format!("The value '{text}' is not valid.")))),
        },
    }
}

/// All records, or those that changed after a moment.
pub(super) async fn export(State(account): State<Arc<Spotio>>, Query(asked): Asked) -> Response {
    let (last, after) =
        match (begins('r', asked.get("scrollId")), date(asked.get("updatedAfter"), "updatedAfter")) {
            (Ok(last), Ok(after)) => (last, after),
            (Err(response), _) | (_, Err(response)) => return response,
        };
    let visible = account.visible_until();
    let held = account.held();
    let changed = |record: &Stored| match after {
        Some(after) => record.updated.0 > after && record.updated.0 <= visible,
        None => true,
    };
    let from = last.map_or_else(String::new, |last| last + "\u{0}");
    let rows = held.records.range(from..).filter(|(_, record)| changed(record));
    let page: Vec<(&String, &Stored)> = rows.take(account.options.page_rows + 1).collect();
    let more = page.len() > account.options.page_rows;
    let page = page.get(..page.len().min(account.options.page_rows)).unwrap_or_default();
    let scroll = page.last().filter(|_| more).map(|(id, _)| scroll_of('r', id));
    let items: Vec<Value> = page.iter().map(|(id, record)| shown::exported(id, record)).collect();
    axum::Json(json!({"scrollId": scroll, "items": items})).into_response()
}

/// What was deleted.
pub(super) async fn deleted(State(account): State<Arc<Spotio>>, Query(asked): Asked) -> Response {
    let dates = (date(asked.get("startDate"), "startDate"), date(asked.get("endDate"), "endDate"));
    let (from, to) = match dates {
        (Ok(from), Ok(to)) => (from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX)),
        (Err(response), _) | (_, Err(response)) => return response,
    };
    let last = match begins('d', asked.get("scrollId")) {
        Ok(last) => last.map_or_else(String::new, |last| last + "\u{0}"),
        Err(response) => return response,
    };
    let visible = account.visible_until();
    let held = account.held();
    let rows = held.deleted.range(last..);
    let rows = rows.filter(|(_, deleted)| (from..=to).contains(&deleted.at) && deleted.at <= visible);
    let page: Vec<_> = rows.take(account.options.page_rows).collect();
    let scroll =
        page.last().filter(|_| page.len() == account.options.page_rows).map(|(id, _)| scroll_of('d', id));
    let items: Vec<Value> = page.iter().map(|(id, deleted)| shown::deletion(id, deleted)).collect();
    axum::Json(json!({"scrollId": scroll, "deletedDataObjects": items})).into_response()
}

/// The search of the app: near matches, and no external ids.
pub(super) async fn search(State(account): State<Arc<Spotio>>, bytes: Bytes) -> Response {
    let body = match json_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let word = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let last = match begins('s', word("scrollId").as_ref()) {
        Ok(last) => last.unwrap_or_default(),
        Err(response) => return response,
    };
    let text = word("queryText").unwrap_or_default().to_lowercase();
    let kind = number(body.get("singleType"));
    let has_address = body.get("hasAddress").and_then(Value::as_bool);
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let near = |record: &Stored| {
        let held = [record.name(), record.role("Company").into(), record.role("Email").into()];
        let wanted = digits(&text);
        text.is_empty()
            || held.iter().any(|held| held.to_lowercase().contains(&text))
            || wanted.len() > 5 && digits(record.role("Phone")).contains(&wanted)
    };
    let account_held = account.held();
    let passing = account_held.records.iter().filter(|(_, record)| {
        kind.is_none_or(|kind| record.kind == kind)
            && has_address.is_none_or(|has| record.has_address() == has)
            && near(record)
    });
    let passing: Vec<_> = passing.collect();
    let size = body.get("perPage").and_then(Value::as_u64).map_or(20, |size| (size as usize).clamp(1, 100));
    let page: Vec<_> = passing.iter().filter(|(id, _)| **id > last).take(size + 1).collect();
    let more = page.len() > size;
    let page = page.get(..page.len().min(size)).unwrap_or_default();
    let scroll = page.last().filter(|_| more).map(|(id, _)| scroll_of('s', id));
    let items: Vec<Value> = page.iter().map(|(id, record)| shown::found(id, record)).collect();
    axum::Json(json!({"scrollId": scroll, "totalCount": passing.len(), "totalValue": null, "items": items}))
        .into_response()
}

/// The export of activities.
pub(super) async fn export_activities(
    State(account): State<Arc<Spotio>>,
    Query(asked): Asked,
    bytes: Bytes,
) -> Response {
    let body = match json_of(&bytes) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let last = match begins('a', asked.get("scrollId")) {
        Ok(last) => last,
        Err(response) => return response,
    };
    let scroll = match last.map(|last| last.parse::<u64>()) {
        None => None,
        Some(Ok(last)) => Some(last),
        Some(Err(_)) => return lost(),
    };
    let (items, next) = account.held().export_activities(&body, scroll, account.visible_until());
    let next = next.map(|last| scroll_of('a', &last.to_string()));
    axum::Json(json!({"scrollId": next, "items": items})).into_response()
}
