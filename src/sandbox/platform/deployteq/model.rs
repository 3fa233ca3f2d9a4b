//! The tables of the data model. One that lies in another is shown only below what contains its rows: all of them have to stand in the path.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::hooks::{CUSTOMER, Hooks};
use super::{ACCESS, Deployteq, bearer, lock, refused};

/// Where a path leads: a table, what it has to lie in, and a row of it.
struct Place<'a> {
    table: &'a str,
    within: Option<(&'a str, &'a str)>,
    row: Option<&'a str>,
}

impl Hooks {
    /// Follows a path from the outermost table on; nothing where a part of it is not there, or lies elsewhere.
    fn follow<'a>(&self, path: &'a str) -> Option<Place<'a>> {
        let mut parts = path.split('/');
        let mut within: Option<(&str, &str)> = None;
        loop {
            let place = Place { table: parts.next()?, within, row: parts.next() };
            let hook = self.held.get(place.table)?;
            match (&hook.within, within) {
                (None, None) => {}
                (Some((parent, _)), Some((above, _))) if parent == above => {}
                (Some(_), _) | (None, Some(_)) => return None,
            }
            let Some(row) = place.row else { return Some(place) };
            if place.table != CUSTOMER
                && !hook.rows.get(row).is_some_and(|held| lies(hook.within.as_ref(), held, within))
            {
                return None;
            }
            if parts.clone().next().is_none() {
                return Some(place);
            }
            within = Some((place.table, row));
        }
    }
}

/// Whether a row lies where the path says.
fn lies(within: Option<&(String, String)>, row: &Map<String, Value>, above: Option<(&str, &str)>) -> bool {
    let plain = |id: &str| id.trim_start_matches("clang_").to_owned();
    match (within, above) {
        (Some((_, field)), Some((_, id))) => {
            row.get(field).and_then(Value::as_str).is_some_and(|named| plain(named) == plain(id))
        }
        _ => above.is_none(),
    }
}

fn shown(id: &str, row: &Map<String, Value>) -> Value {
    let mut row = row.clone();
    row.insert("clang_id".into(), json!(id));
    Value::Object(row)
}

pub(super) async fn read(
    State(portal): State<Arc<Deployteq>>,
    Path(path): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if bearer(&headers) != ACCESS {
        return refused(401, "Unauthorized");
    }
    let number =
        |name: &str, default: usize| asked.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let hooks = lock(&portal.hooks);
    let Some(place) = hooks.follow(&path) else { return refused(404, "No such table or row") };
    let Some(hook) = hooks.held.get(place.table) else { return refused(404, "No such table") };
    match place.row {
        Some(id) if place.table == CUSTOMER => {
            let customers = lock(&portal.customers);
            let row = id.trim_start_matches("clang_").parse().ok().and_then(|id| customers.shown(id));
            row.map_or_else(|| refused(404, "No such row"), |row| axum::Json(row).into_response())
        }
        Some(id) => match hook.rows.get(id) {
            Some(row) => axum::Json(shown(id, row)).into_response(),
            None => refused(404, "No such row"),
        },
        None => {
            let rows = hook.rows.iter().filter(|(_, row)| lies(hook.within.as_ref(), row, place.within));
            let page = rows.skip(number("offset", 0)).take(number("limit", usize::MAX));
            let page: Vec<Value> = page.map(|(id, row)| shown(id, row)).collect();
            axum::Json(json!({"data": page})).into_response()
        }
    }
}

pub(super) async fn delete(
    State(portal): State<Arc<Deployteq>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    if bearer(&headers) != ACCESS {
        return refused(401, "Unauthorized");
    }
    let mut hooks = lock(&portal.hooks);
    let place = hooks.follow(&path).and_then(|place| Some((place.table.to_owned(), place.row?.to_owned())));
    let gone = place.and_then(|(table, row)| hooks.held.get_mut(&table)?.rows.remove(&row));
    match gone {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => refused(404, "No such row"),
    }
}
