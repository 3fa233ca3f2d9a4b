//! Contract tests of the emulator: each names the section of the fact sheet it stands for.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use super::*;
use crate::sandbox::platform::Emulator;

const NOW: i64 = 1_700_000_000_000;

/// `sandbox-novoed-key:sandbox-novoed-secret`.
const BASIC: &str = "Basic c2FuZGJveC1ub3ZvZWQta2V5OnNhbmRib3gtbm92b2VkLXNlY3JldA==";

fn site_with(options: NovoEdOptions) -> Arc<NovoEd> {
    let site = NovoEd::new(options, Arc::new(SandboxClock::fixed(NOW)));
    site.found_courses(NOW);
    site
}

fn site() -> Arc<NovoEd> {
    site_with(NovoEdOptions::default())
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

async fn send(site: &Arc<NovoEd>, request: Request<Body>) -> (StatusCode, String) {
    let reply = Emulator::router(Arc::clone(site)).oneshot(request).await.unwrap();
    let status = reply.status();
    let bytes = to_bytes(reply.into_body(), 1 << 22).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn call(site: &Arc<NovoEd>, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder().method(method).uri(path).header("Authorization", BASIC);
    let (status, text) = send(site, request.body(Body::from(body)).unwrap()).await;
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn csv(site: &Arc<NovoEd>, path: &str) -> Vec<String> {
    let (status, text) = call(site, "GET", path, Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    text.as_str().unwrap().lines().skip(1).map(str::to_owned).collect()
}

/// platform-novoed.md §1: query parameters, body, Basic or a token; 401 for a bad key.
#[tokio::test]
async fn the_key_may_be_shown_in_four_ways() {
    let site = site();
    let pair = "api_key=sandbox-novoed-key&api_secret=sandbox-novoed-secret";
    let asked = |path: String| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(send(&site, asked(format!("/courses.json?{pair}"))).await.0, StatusCode::OK);
    assert_eq!(send(&site, asked("/courses.json".into())).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(call(&site, "GET", "/courses.json", Value::Null).await.0, StatusCode::OK);
    let body = json!({
        "api_key": "sandbox-novoed-key", "api_secret": "sandbox-novoed-secret", "catalog_id": "onboarding",
        "first_name": "A", "last_name": "B", "email": "a@b.example",
    });
    let request =
        Request::post("/onboarding/register_new_learner").body(Body::from(body.to_string())).unwrap();
    assert_eq!(send(&site, request).await.0, StatusCode::OK);
    let wish = |password: &str| {
        let body = format!("grant_type=password&username=sandbox-novoed-key&password={password}");
        Request::post("/oauth/token")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap()
    };
    assert_eq!(send(&site, wish("wrong")).await.0, StatusCode::UNAUTHORIZED);
    let (status, text) = send(&site, wish("sandbox-novoed-secret")).await;
    let token: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &token["token_type"]), (StatusCode::OK, &json!("Bearer")));
    let bearer = || {
        let shown = format!("Bearer {}", token["access_token"].as_str().unwrap());
        Request::get("/courses.json").header("Authorization", shown).body(Body::empty()).unwrap()
    };
    assert_eq!(send(&site, bearer()).await.0, StatusCode::OK);
    site.end_tokens();
    assert_eq!(send(&site, bearer()).await.0, StatusCode::UNAUTHORIZED);
}

/// platform-novoed.md §3: 200 enrolled, 207 already enrolled and nothing changed, 400 invalid; the external id wins over the e-mail.
#[tokio::test]
async fn enrolling_answers_200_then_207_and_400_for_what_is_invalid() {
    let site = site();
    let ann =
        json!({"first_name": "Ann", "last_name": "Bell", "email": "ann@bell.example", "external_id": "x1"});
    let path = "/design-thinking/enroll_new_user.json";
    assert_eq!(call(&site, "POST", path, ann.clone()).await.0, StatusCode::OK);
    let before = site.records("enrollment");
    let (status, _) = call(&site, "POST", path, ann).await;
    assert_eq!(status, StatusCode::MULTI_STATUS);
    assert_eq!(site.records("enrollment"), before);
    let (status, _) = call(&site, "POST", path, json!({"first_name": "No", "last_name": "Mail"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let other = json!({"email": "someone@else.example", "external_id": "x1"});
    assert_eq!(call(&site, "POST", path, other).await.0, StatusCode::MULTI_STATUS);
    assert_eq!(site.records("user").len(), 1);
    let (_, info) =
        call(&site, "GET", "/design-thinking/registration_info.json?email=ann@bell.example", Value::Null)
            .await;
    assert_eq!(info["enrollment_status"], "enrolled");
}

/// platform-novoed.md §3, §9: unenrolling removes access; there is no delete. Who comes back is in by the same enrollment.
#[tokio::test]
async fn who_enrolls_again_loses_the_time_of_the_unenrollment() {
    let site = site();
    let ann = json!({"first_name": "Ann", "last_name": "Bell", "email": "ann@bell.example"});
    call(&site, "POST", "/onboarding/enroll_new_user.json", ann.clone()).await;
    let leave = json!({"email": "ann@bell.example"});
    assert_eq!(call(&site, "POST", "/onboarding/unregister_learner", leave.clone()).await.0, StatusCode::OK);
    assert_eq!(site.records("enrollment")[0]["unenrolled_at"], date(NOW));
    assert_eq!(call(&site, "POST", "/onboarding/unregister_learner", leave).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(call(&site, "POST", "/onboarding/enroll_new_user.json", ann).await.0, StatusCode::OK);
    assert_eq!(site.records("enrollment").len(), 1);
    assert_eq!(site.records("enrollment")[0]["unenrolled_at"], Value::Null);
    assert!(site.delete("user", "1").unwrap_err().contains("unenroll"));
}

/// platform-novoed.md §6: `updated_after` exclusive, `updated_before` inclusive, newest first, so many rows; a week if nothing is said.
#[tokio::test]
async fn the_data_interface_is_bounded_newest_first_and_cut() {
    let site = site_with(NovoEdOptions { rows_of_an_answer: 3, ..NovoEdOptions::default() });
    for number in 1..=5_u64 {
        site.held_mut().put_user(school::User {
            id: number,
            email: format!("u{number}@x.example"),
            updated: NOW - 86_400_000 + number as i64 * 1000,
            ..school::User::default()
        });
    }
    let ids = |rows: Vec<String>| -> Vec<String> {
        rows.iter().map(|row| row.split(',').next().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(csv(&site, "/analytics/users.csv").await), ["5", "4", "3"]);
    let third = date(NOW - 86_400_000 + 3000);
    let path = format!("/analytics/users.csv?updated_before={third}");
    assert_eq!(ids(csv(&site, &path).await), ["3", "2", "1"]);
    let path = format!("/analytics/users.csv?updated_after={third}");
    assert_eq!(ids(csv(&site, &path).await), ["5", "4"]);
    // The courses were changed longer than a week ago.
    assert!(csv(&site, "/analytics/courses.csv").await.is_empty());
    let all = csv(&site, "/analytics/courses.csv?updated_after=2010-01-01T00:00:00Z").await;
    assert_eq!(all.len(), 4, "three courses, one of which has a line break: {all:?}");
    assert_eq!(call(&site, "GET", "/analytics/nothing.csv", Value::Null).await.0, StatusCode::NOT_FOUND);
    let (status, _) = call(&site, "GET", "/analytics/users.csv?updated_after=soon", Value::Null).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

/// platform-novoed.md §1, §6: the key must be allowed for the whole institution.
#[tokio::test]
async fn a_key_of_one_course_may_not_read_the_data() {
    let site = site_with(NovoEdOptions { whole_institution: false, ..NovoEdOptions::default() });
    assert_eq!(call(&site, "GET", "/analytics/users.csv", Value::Null).await.0, StatusCode::FORBIDDEN);
}

/// platform-novoed.md §2: past the limit of a minute, an hour or a day the answer is 503.
#[tokio::test]
async fn too_many_calls_are_answered_with_503() {
    let limits = [(60_000, 3), (3_600_000, 1000), (86_400_000, 13_000)];
    let site = site_with(NovoEdOptions { real_pace: true, limits, ..NovoEdOptions::default() });
    for _ in 0..3 {
        assert_eq!(call(&site, "GET", "/courses.json", Value::Null).await.0, StatusCode::OK);
    }
    let (status, _) = call(&site, "GET", "/courses.json", Value::Null).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    site.clock.advance(60_001);
    assert_eq!(call(&site, "GET", "/courses.json", Value::Null).await.0, StatusCode::OK);
}

/// platform-novoed.md §4, §5: users are read, made and changed; the old reports page by number.
#[tokio::test]
async fn users_are_made_and_changed_and_reports_have_pages() {
    let site = site();
    let made = json!({"first_name": "Ann", "last_name": "Bell", "email": "ann@bell.example"});
    let (status, user) = call(&site, "POST", "/users.json", made.clone()).await;
    assert_eq!((status, &user["user_id"]), (StatusCode::CREATED, &json!(1)));
    assert_eq!(call(&site, "POST", "/users.json", made).await.0, StatusCode::BAD_REQUEST);
    let (_, user) = call(&site, "PUT", "/users/1.json", json!({"last_name": "Kerr"})).await;
    assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Ann"), &json!("Kerr")));
    let (_, found) = call(&site, "GET", "/users.json?email=ANN@bell.example", Value::Null).await;
    assert_eq!(found["users"][0]["user_id"], 1);
    assert_eq!(call(&site, "GET", "/users/9.json", Value::Null).await.0, StatusCode::NOT_FOUND);
    site.upsert("enrollment", &map(&json!({"user_id": 1, "catalog_id": "onboarding"}))).unwrap();
    let (_, report) = call(&site, "GET", "/onboarding/learners_in_course.json?page=1", Value::Null).await;
    assert_eq!(report["result"]["meta_data"], json!({"page_num": 1, "page_count": 1}));
    assert_eq!(report["result"]["learners"][0]["email"], "ann@bell.example");
}
