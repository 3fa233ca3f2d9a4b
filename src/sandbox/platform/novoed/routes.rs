//! The calls beside the data interface: enrolling and unenrolling in a course, users, courses, the session of the web app.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use super::NovoEd;
use super::data::{analytics, given};
use super::gate::{dated, let_in, token};
use super::school::{Enrolled, School, User};

/// Rows of one page of the old reports.
const REPORT_ROWS: usize = 20;

impl NovoEd {
    /// Everything the service answers to.
    pub(super) fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/analytics/{file}", get(analytics))
            .route("/courses.json", get(courses))
            .route("/enrollments.json", get(enrollments))
            .route("/session.json", get(session))
            .route("/users.json", get(users).post(create_user))
            .route("/users/{file}", get(user).put(change_user))
            .route("/{catalog_id}/enroll_new_user.json", post(enroll))
            .route("/{catalog_id}/register_new_learner", post(enroll))
            .route("/{catalog_id}/unregister_learner", post(unenroll))
            .route("/{catalog_id}/registration_info.json", get(registration))
            .route("/{catalog_id}/learners_in_course.json", get(learners))
            .layer(from_fn_with_state(Arc::clone(self), let_in))
            .route("/oauth/token", post(token))
            .fallback(unknown)
            .layer(map_response_with_state(Arc::clone(self), dated))
            .with_state(Arc::clone(self))
    }
}

pub(super) fn refused(status: u16, words: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, axum::Json(json!({"message": words}))).into_response()
}

async fn unknown() -> Response {
    refused(404, "Not found")
}

fn body_of(bytes: &Bytes) -> Option<Map<String, Value>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(body)) => Some(body),
        Ok(_) | Err(_) => None,
    }
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default().trim()
}

/// Whoever a body means; the external id wins where both are given.
fn meant<'a>(school: &'a School, body: &Map<String, Value>) -> Option<&'a User> {
    let known = school.user_known_as(text(body, "external_id"));
    known.or_else(|| school.user_called(text(body, "email")))
}

async fn enroll(State(site): State<Arc<NovoEd>>, Path(course): Path<String>, bytes: Bytes) -> Response {
    let Some(body) = body_of(&bytes) else { return refused(400, "The body must be a JSON object") };
    let now = site.clock.now_ms();
    let mut school = site.held_mut();
    if !school.courses.contains_key(&course) {
        return refused(404, "No such course");
    }
    let enrolled_at = match body.get("enrolled_at") {
        None | Some(Value::Null) => now,
        given_at => match given(given_at) {
            Some(at) => at,
            None => return refused(400, "enrolled_at must be a date such as 2022-01-31T21:04:13"),
        },
    };
    let known = meant(&school, &body).map(|user| user.id);
    let user = match known {
        Some(id) => id,
        None if !text(&body, "email").contains('@') => return refused(400, "email is invalid"),
        None if text(&body, "first_name").is_empty() || text(&body, "last_name").is_empty() => {
            return refused(400, "first_name and last_name are required");
        }
        None => school.put_user(User {
            external_id: text(&body, "external_id").into(),
            first_name: text(&body, "first_name").into(),
            last_name: text(&body, "last_name").into(),
            email: text(&body, "email").into(),
            updated: now,
            ..User::default()
        }),
    };
    match school.enroll(user, &course, enrolled_at, now) {
        Enrolled::Now(id) => axum::Json(json!({"result": "enrolled", "enrollment_id": id})).into_response(),
        Enrolled::Already(id) => {
            let body = json!({"result": "already enrolled", "enrollment_id": id});
            (StatusCode::MULTI_STATUS, axum::Json(body)).into_response()
        }
    }
}

async fn unenroll(State(site): State<Arc<NovoEd>>, Path(course): Path<String>, bytes: Bytes) -> Response {
    let Some(body) = body_of(&bytes) else { return refused(400, "The body must be a JSON object") };
    let now = site.clock.now_ms();
    let mut school = site.held_mut();
    let Some(user) = meant(&school, &body).map(|user| user.id) else {
        return refused(400, "No such learner");
    };
    if school.unenroll(user, &course, now) {
        axum::Json(json!({"result": "unenrolled"})).into_response()
    } else {
        refused(400, "The learner is not in this course")
    }
}

type Asked = Query<HashMap<String, String>>;

async fn registration(
    State(site): State<Arc<NovoEd>>,
    Path(course): Path<String>,
    Query(asked): Asked,
) -> Response {
    let school = site.held();
    let user = school.user_called(asked.get("email").map(String::as_str).unwrap_or_default());
    match user.and_then(|user| school.place_of(user.id, &course)) {
        Some(place) => {
            let status = if place.unenrolled.is_some() { "unenrolled" } else { "enrolled" };
            axum::Json(json!({"enrollment_status": status, "course_role": "learner"})).into_response()
        }
        None => refused(404, "The learner is not in this course"),
    }
}

async fn learners(
    State(site): State<Arc<NovoEd>>,
    Path(course): Path<String>,
    Query(asked): Asked,
) -> Response {
    let page = asked.get("page").and_then(|page| page.parse::<usize>().ok()).unwrap_or(1).max(1);
    let school = site.held();
    let there: Vec<Value> = school
        .enrollments
        .values()
        .filter(|place| place.course == course && place.unenrolled.is_none())
        .filter_map(|place| Some(school.users.get(&place.user)?.shown()))
        .collect();
    let pages = there.len().div_ceil(REPORT_ROWS).max(1);
    let shown: Vec<&Value> = there.iter().skip((page - 1) * REPORT_ROWS).take(REPORT_ROWS).collect();
    axum::Json(json!({"result": {"meta_data": {"page_num": page, "page_count": pages}, "learners": shown}}))
        .into_response()
}

async fn courses(State(site): State<Arc<NovoEd>>) -> Response {
    let courses: Vec<Value> = site.held().courses.values().map(super::school::Course::shown).collect();
    axum::Json(json!({"courses": courses})).into_response()
}

async fn enrollments(State(site): State<Arc<NovoEd>>, Query(asked): Asked) -> Response {
    let school = site.held();
    match school.user_called(asked.get("email").map(String::as_str).unwrap_or_default()) {
        Some(user) => {
            let there: Vec<Value> =
                school.enrollments_of(user.id).map(super::school::Enrollment::shown).collect();
            axum::Json(json!({"enrollments": there})).into_response()
        }
        None => refused(404, "No such learner"),
    }
}

async fn session(State(site): State<Arc<NovoEd>>) -> Response {
    let signed_in = site.signed_in.load(Ordering::Relaxed);
    axum::Json(json!({"signed_in": signed_in, "email": site.options.admin})).into_response()
}

async fn users(State(site): State<Arc<NovoEd>>, Query(asked): Asked) -> Response {
    let school = site.held();
    let email = asked.get("email").map(String::as_str).unwrap_or_default();
    let found: Vec<Value> = school.user_called(email).map(User::shown).into_iter().collect();
    axum::Json(json!({"users": found})).into_response()
}

fn id_of(file: &str) -> Option<u64> {
    file.strip_suffix(".json").unwrap_or(file).parse().ok()
}

async fn user(State(site): State<Arc<NovoEd>>, Path(file): Path<String>) -> Response {
    match id_of(&file).and_then(|id| site.held().users.get(&id).map(User::shown)) {
        Some(user) => axum::Json(user).into_response(),
        None => refused(404, "No such user"),
    }
}

async fn create_user(State(site): State<Arc<NovoEd>>, bytes: Bytes) -> Response {
    let Some(body) = body_of(&bytes) else { return refused(400, "The body must be a JSON object") };
    match site.save_user(0, &body) {
        Ok(id) => {
            let made = site.held().users.get(&id).map(User::shown);
            (StatusCode::CREATED, axum::Json(made)).into_response()
        }
        Err(words) => refused(400, &words),
    }
}

async fn change_user(State(site): State<Arc<NovoEd>>, Path(file): Path<String>, bytes: Bytes) -> Response {
    let Some(body) = body_of(&bytes) else { return refused(400, "The body must be a JSON object") };
    let Some(id) = id_of(&file).filter(|id| site.held().users.contains_key(id)) else {
        return refused(404, "No such user");
    };
    match site.save_user(id, &body) {
        Ok(id) => axum::Json(site.held().users.get(&id).map(User::shown)).into_response(),
        Err(words) => refused(400, &words),
    }
}

impl NovoEd {
    /// Creates a user, or changes what is said of one.
    pub(super) fn save_user(&self, id: u64, body: &Map<String, Value>) -> Result<u64, String> {
        let now = self.clock.now_ms();
        let mut school = self.held_mut();
        let mut user = school.users.get(&id).cloned().unwrap_or_default();
        for (name, held) in [
            ("external_id", &mut user.external_id),
            ("first_name", &mut user.first_name),
            ("last_name", &mut user.last_name),
            ("email", &mut user.email),
        ] {
            if body.contains_key(name) {
                text(body, name).clone_into(held);
            }
        }
        if !user.email.contains('@') {
            return Err("email is invalid".into());
        }
        if school.user_called(&user.email).is_some_and(|other| other.id != user.id) {
            return Err(format!("email {} is already in use", user.email));
        }
        user.updated = now;
        Ok(school.put_user(user))
    }
}
