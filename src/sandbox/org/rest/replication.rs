//! What changed and what was deleted in a window of time: `updated` and `deleted`.

use axum::http::Method;
use serde_json::{Value, json};

use super::Api;
use super::reply::{Call, Reply};
use crate::sandbox::org::ids;
use crate::sandbox::org::moment::{self, DAY_MS};
use crate::sandbox::org::table::{BIN_MS, Reach};

/// Ids of one answer at most.
const MOST: usize = 600_000;

/// A window in whole seconds.
struct Window {
    start: i64,
    end: i64,
}

fn bad_window(message: &str) -> Reply {
    Reply::error(400, "INVALID_REPLICATION_DATE", message)
}

impl Api<'_> {
    fn window(&self, call: &Call, object: usize, days_back: i64) -> Result<Window, Reply> {
        if call.method != Method::GET {
            return Err(Reply::wrong_method(call, "GET, HEAD"));
        }
        if !self.schema().objects.get(object).is_some_and(|shape| shape.replicateable) {
            return Err(Reply::error(400, "INVALID_TYPE", "entity type is not replicateable"));
        }
        let at = |name: &str| {
            // A bare `+` of an offset arrives as a blank when it was not encoded.
            let text = call.parameter(name).map(|text| text.trim().replace(' ', "+"));
            text.as_deref().and_then(moment::parse_moment).map(|ms| ms.div_euclid(1_000) * 1_000).ok_or_else(
                || {
                    Reply::error(
                        400,
                        "INVALID_DATE_FORMAT",
                        &format!("The {name} parameter must be a date and time such as 2026-11-21T10:00:00Z"),
                    )
                },
            )
        };
        let (start, end) = (at("start")?, at("end")?);
        if end - start < 60_000 {
            return Err(bad_window("endDate must be at least one minute greater than startDate"));
        }
        if start < self.now - days_back * DAY_MS - 60_000 {
            return Err(bad_window(&format!("startDate cannot be more than {days_back} days ago")));
        }
        Ok(Window { start, end })
    }

    /// Up to where the answer is complete: not past now, nor past the start of a transaction that is still open.
    fn covered(&self, object: usize, end: i64) -> i64 {
        let open =
            self.read(|world| world.state.table(object).and_then(|table| table.earliest_open(self.now)));
        let last = end.min(self.now.div_euclid(1_000) * 1_000);
        open.map_or(last, |open| last.min(open))
    }

    pub(super) fn updated(&self, call: &Call, object: usize) -> Reply {
        let window = match self.window(call, object, 30) {
            Ok(window) => window,
            Err(reply) => return reply,
        };
        let ids: Vec<String> = self.read(|world| {
            let (Some(table), Some(shape)) = (world.state.table(object), world.schema.objects.get(object))
            else {
                return Vec::new();
            };
            table
                .stamped(window.start, window.end - 1)
                .filter(|place| table.visible(*place, world.now, Reach::Live).is_some())
                .filter(|place| {
                    table.slot(*place).is_some_and(|slot| {
                        slot.late.as_ref().is_none_or(|late| late.visible_at <= world.now)
                    })
                })
                .take(MOST + 1)
                .map(|place| ids::mint(&shape.prefix, place))
                .collect()
        });
        if ids.len() > MOST {
            return Reply::error(
                400,
                "EXCEEDED_ID_LIMIT",
                "too many ids in the window; choose a shorter one",
            );
        }
        Reply::json(
            200,
            &json!({"ids": ids, "latestDateCovered": moment::moment_text(self.covered(object, window.end))}),
        )
    }

    pub(super) fn deleted(&self, call: &Call, object: usize) -> Reply {
        let window = match self.window(call, object, 15) {
            Ok(window) => window,
            Err(reply) => return reply,
        };
        let rows: Vec<Value> = self.read(|world| {
            let (Some(table), Some(shape)) = (world.state.table(object), world.schema.objects.get(object)) else { return Vec::new() };
            table
                .stamped(window.start, window.end - 1)
                .filter(|place| table.was_deleted(*place, world.now))
                .filter_map(|place| Some((place, table.slot(place)?.deleted_at?)))
                .map(|(place, at)| json!({"id": ids::mint(&shape.prefix, place), "deletedDate": moment::moment_text(at.div_euclid(1_000) * 1_000)}))
                .collect()
        });
        let earliest = (self.now - BIN_MS).max(self.org.created_ms());
        Reply::json(
            200,
            &json!({
                "deletedRecords": rows,
                "earliestDateAvailable": moment::moment_text(earliest.div_euclid(60_000) * 60_000),
                "latestDateCovered": moment::moment_text(self.covered(object, window.end)),
            }),
        )
    }
}
