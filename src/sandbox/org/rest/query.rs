//! `query`, `queryAll` and the pages behind `nextRecordsUrl`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::http::Method;

use super::Api;
use super::reply::{Call, Reply};
use crate::sandbox::org::moment::DAY_MS;
use crate::sandbox::org::soql::QueryError;
use crate::sandbox::org::soql::bind::{self, Bound};
use crate::sandbox::org::soql::render::{self, Style};
use crate::sandbox::org::soql::{execute, parser};
use crate::sandbox::org::table::Reach;

/// How long a locator lives when nobody asks for its next page.
const LOCATOR_MS: i64 = 2 * DAY_MS;
/// Rows a page holds at most.
const PAGE: usize = 2_000;

/// The rest of an answer: which rows, not what they hold.
struct Cursor {
    bound: Bound,
    places: Vec<u32>,
    reach: Reach,
    page: usize,
    user: String,
    used: AtomicI64,
}

/// Open locators.
#[derive(Default)]
pub(in crate::sandbox::org) struct Cursors {
    open: HashMap<String, Arc<Cursor>>,
    minted: u32,
}

impl Cursors {
    /// Forgets every open locator.
    pub(in crate::sandbox::org) fn clear(&mut self) {
        self.open.clear();
    }
}

impl Api<'_> {
    /// The page size that a request asks for: a hint within bounds.
    fn page_size(call: &Call) -> usize {
        let options = call.header("sforce-query-options").unwrap_or_default();
        let asked = options
            .split([',', ';'])
            .filter_map(|option| option.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("batchSize"))
            .and_then(|(_, size)| size.trim().parse::<usize>().ok());
        asked.map_or(PAGE, |size| size.clamp(200, PAGE))
    }

    pub(super) fn query(&self, call: &Call, all: bool) -> Reply {
        if call.method != Method::GET {
            return Reply::wrong_method(call, "GET, HEAD");
        }
        let Some(soql) = call.parameter("q") else {
            return Reply::error(400, "MALFORMED_QUERY", "unexpected token: '<EOF>'");
        };
        if soql.chars().count() > 100_000 {
            return Reply::error(
                400,
                "MALFORMED_QUERY",
                "SOQL statements cannot be longer than 100000 characters.",
            );
        }
        if call.parameter("columns").is_some_and(|flag| flag.eq_ignore_ascii_case("true")) {
            return self.columns(soql).unwrap_or_else(Into::into);
        }
        let reach = if all { Reach::WithDeleted } else { Reach::Live };
        let most = self.org.knobs().page_rows.unwrap_or(PAGE).max(1);
        match self.run(soql, reach, Self::page_size(call).min(most)) {
            Ok(reply) | Err(reply) => reply,
        }
    }

    fn columns(&self, soql: &str) -> Result<Reply, QueryError> {
        let query = parser::parse(soql)?;
        self.read_for(soql, |world| {
            bind::bind(world, &query).map(|bound| Reply::json(200, &super::columns::describe(world, &bound)))
        })
    }

    fn run(&self, soql: &str, reach: Reach, page: usize) -> Result<Reply, Reply> {
        let query = parser::parse(soql)?;
        let style = Style { version: &self.version, reach };
        let (bound, places, first) = self.read_for(soql, |world| {
            let bound = bind::bind(world, &query)?;
            let mut out = Vec::with_capacity(4_096);
            if let Some(grouping) = &bound.grouping {
                render::write_groups(&mut out, world, &bound, grouping, reach);
                return Ok((bound, Vec::new(), Some(out)));
            }
            let places = execute::places(world, &bound, reach);
            if bound.bare_count {
                out.extend_from_slice(
                    format!("{{\"totalSize\":{},\"done\":true,\"records\":[]}}", places.len()).as_bytes(),
                );
                return Ok((bound, Vec::new(), Some(out)));
            }
            if places.len() <= page {
                write_page(&mut out, places.len(), None);
                render::write_rows(&mut out, world, &bound, &places, style);
                self.org.pace.moved(places.len());
                out.push(b'}');
                return Ok((bound, Vec::new(), Some(out)));
            }
            Ok::<_, QueryError>((bound, places, None))
        })?;
        if let Some(out) = first {
            return Ok(Reply::bytes(200, out));
        }
        let cursor = Arc::new(Cursor {
            bound,
            places,
            reach,
            page,
            user: self.user.clone(),
            used: AtomicI64::new(self.now),
        });
        let name = {
            let mut cursors = self.org.cursors();
            cursors.minted += 1;
            let name = crate::sandbox::org::ids::mint("01g", cursors.minted);
            let now = self.now;
            cursors.open.retain(|_, cursor| now - cursor.used.load(Ordering::Relaxed) <= LOCATOR_MS);
            cursors.open.insert(name.clone(), Arc::clone(&cursor));
            name
        };
        Ok(self.page(&cursor, &name, 0))
    }

    pub(super) fn query_more(&self, call: &Call, locator: &str) -> Reply {
        if call.method != Method::GET {
            return Reply::wrong_method(call, "GET, HEAD");
        }
        let dead = || Reply::error(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
        let Some((name, from)) = locator.rsplit_once('-') else { return dead() };
        let Ok(from) = from.parse::<usize>() else { return dead() };
        let cursor = {
            let cursors = self.org.cursors();
            let found = cursors
                .open
                .get(name)
                .filter(|cursor| {
                    cursor.user == self.user && self.now - cursor.used.load(Ordering::Relaxed) <= LOCATOR_MS
                })
                .cloned();
            if let Some(cursor) = &found {
                // Each page asked for starts the locator's time anew.
                cursor.used.store(self.now, Ordering::Relaxed);
            }
            found
        };
        match cursor {
            Some(cursor) if from < cursor.places.len() => self.page(&cursor, name, from),
            Some(_) | None => dead(),
        }
    }

    fn page(&self, cursor: &Cursor, name: &str, from: usize) -> Reply {
        let to = (from + cursor.page).min(cursor.places.len());
        let places = cursor.places.get(from..to).unwrap_or_default();
        let next =
            (to < cursor.places.len()).then(|| format!("/services/data/v{}/query/{name}-{to}", self.version));
        let mut out = Vec::with_capacity(places.len() * 256);
        write_page(&mut out, cursor.places.len(), next.as_deref());
        self.org.pace.moved(places.len());
        let style = Style { version: &self.version, reach: cursor.reach };
        self.read(|world| render::write_rows(&mut out, world, &cursor.bound, places, style));
        out.push(b'}');
        Reply::bytes(200, out)
    }
}

fn write_page(out: &mut Vec<u8>, total: usize, next: Option<&str>) {
    out.extend_from_slice(format!("{{\"totalSize\":{total},\"done\":{}", next.is_none()).as_bytes());
    if let Some(next) = next {
        out.extend_from_slice(b",\"nextRecordsUrl\":");
        render::write_text(out, next);
    }
    out.extend_from_slice(b",\"records\":");
}
