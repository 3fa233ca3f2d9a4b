//! The data interface: CSV of what was changed in a stretch of time, newest first, so many rows and no more.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use super::routes::refused;
use super::school::School;
use super::{NovoEd, date};

const USERS: [&str; 6] = ["user_id", "external_id", "first_name", "last_name", "email", "updated_at"];
const COURSES: [&str; 8] =
    ["course_id", "catalog_id", "title", "description", "state", "mode", "ends_at", "updated_at"];
const ENROLLMENTS: [&str; 8] = [
    "enrollment_id",
    "user_id",
    "catalog_id",
    "status",
    "enrolled_at",
    "completed_at",
    "unenrolled_at",
    "updated_at",
];

const WEEK: i64 = 7 * 86_400_000;

/// Which stretch of time.
#[derive(Debug, Deserialize)]
pub(super) struct Stretch {
    /// Exclusive; a week ago if left out.
    updated_after: Option<String>,
    /// Inclusive; now if left out.
    updated_before: Option<String>,
}

fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    let bare = text.strip_suffix('Z').unwrap_or(text);
    let naive = chrono::NaiveDateTime::parse_from_str(bare, "%Y-%m-%dT%H:%M:%S%.f")
        .or_else(|_| chrono::NaiveDateTime::parse_from_str(bare, "%Y-%m-%d %H:%M:%S"));
    naive.ok().map(|naive| naive.and_utc().timestamp_millis())
}

/// `GET /analytics/{data_set}.csv`.
pub(super) async fn analytics(
    State(site): State<Arc<NovoEd>>,
    Path(file): Path<String>,
    Query(stretch): Query<Stretch>,
) -> Response {
    if !site.options.whole_institution {
        return refused(403, "This key is not allowed for the institution");
    }
    let now = site.clock.now_ms();
    let bound = |text: Option<&String>, default: i64| text.map_or(Some(default), |text| moment(text));
    let after = bound(stretch.updated_after.as_ref(), now - WEEK);
    let before = bound(stretch.updated_before.as_ref(), now);
    let (Some(after), Some(before)) = (after, before) else {
        return refused(400, "updated_after and updated_before must be dates such as 2022-01-31T21:04:13");
    };
    let before = before.min(site.visible_until());
    let most = site.rows_of_an_answer.load(Ordering::Relaxed);
    let school = site.held();
    let Some(csv) = answer(&school, &file, (after, before), most) else {
        return refused(404, "No such data set");
    };
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv).into_response()
}

fn answer(school: &School, file: &str, stretch: (i64, i64), most: usize) -> Option<String> {
    match file {
        "users.csv" => {
            let ids = newest(&school.users_changed, stretch, most, 0, u64::MAX);
            Some(table(&USERS, ids.filter_map(|id| Some(school.users.get(&id)?.shown()))))
        }
        "courses.csv" => {
            // Names of any length come after the blank one, so that a moment's end is the beginning of the next.
            let (after, before) = stretch;
            let range = school.courses_changed.range(
                (after.saturating_add(1), String::new())
                    ..(before.max(after).saturating_add(1), String::new()),
            );
            let ids = range.rev().take(most).map(|(_, id)| id);
            Some(table(&COURSES, ids.filter_map(|id| Some(school.courses.get(id)?.shown()))))
        }
        "enrollments.csv" => {
            let ids = newest(&school.enrollments_changed, stretch, most, 0, u64::MAX);
            Some(table(&ENROLLMENTS, ids.filter_map(|id| Some(school.enrollments.get(&id)?.shown()))))
        }
        // There are such data sets, with nothing in them.
        "lesson_pages.csv" | "course_activities.csv" | "lesson_page_views.csv" | "learner_activities.csv" => {
            Some("updated_at\n".into())
        }
        _ => None,
    }
}

/// The ids of a stretch, newest first.
fn newest(
    changed: &BTreeSet<(i64, u64)>,
    (after, before): (i64, i64),
    most: usize,
    least: u64,
    last: u64,
) -> impl Iterator<Item = u64> {
    let range = (after < before).then(|| {
        changed.range((Bound::Included((after.saturating_add(1), least)), Bound::Included((before, last))))
    });
    range.into_iter().flat_map(Iterator::rev).take(most).map(|(_, id)| *id)
}

fn table(columns: &[&str], rows: impl Iterator<Item = Value>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing into memory does not fail.
    let _ = writer.write_record(columns);
    for row in rows {
        let cells = columns.iter().map(|column| match row.get(*column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        });
        let _ = writer.write_record(cells);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// A moment as the enroll calls take it.
pub(super) fn given(text: Option<&Value>) -> Option<i64> {
    moment(text?.as_str()?)
}

/// For messages.
pub(super) fn shown(ms: i64) -> String {
    date(ms)
}
