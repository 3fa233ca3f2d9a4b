//! Tests of what needs no server, or one that answers all the same.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, Utc};
use rstest::rstest;

use super::feed::{ago, moment};
use super::rows::Rows;
use super::shape::Unenrollment;
use crate::connect::platform::Opening;
use crate::connect::system_clock::SystemClock;
use crate::domain::port::{Page, PortClass, PortError, ScanRequest, Source as _};
use crate::domain::profile::{PlatformValues, Told};
use crate::domain::record::Selection;
use crate::domain::value::Value;

fn zone(text: &str) -> FixedOffset {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// platform-novoed.md §3: `enrolled_at` is written as 2022-01-31T21:04:13. §6: the zone of dates without one is a setting.
#[rstest]
#[case("2022-01-31T21:04:13", "+00:00", Some("2022-01-31T21:04:13Z"))]
#[case("2022-01-31T21:04:13", "+02:00", Some("2022-01-31T19:04:13Z"))]
#[case("2022-01-31 21:04:13 UTC", "+02:00", Some("2022-01-31T21:04:13Z"))]
#[case("2022-01-31T21:04:13-05:00", "+02:00", Some("2022-02-01T02:04:13Z"))]
#[case("2022-01-31 21:04:13.250", "+00:00", Some("2022-01-31T21:04:13.250Z"))]
#[case("soon", "+00:00", None)]
fn moments_have_the_zone_of_the_settings_unless_they_carry_one(
    #[case] text: &str,
    #[case] offset: &str,
    #[case] expected: Option<&str>,
) {
    assert_eq!(moment(text, zone(offset)), expected.map(at));
}

#[test]
fn an_unenrollment_is_told_by_its_id_alone() {
    let left = Unenrollment { user: "17".into(), course: "a/b-c".into(), at: at("2026-01-02T03:04:05Z") };
    assert_eq!(left.id(), "17/a/b-c/20260102T030405Z");
    assert_eq!(Unenrollment::of(&left.id()), Some(left));
    for wrong in ["", "17", "17/course", "17/course/soon"] {
        assert_eq!(Unenrollment::of(wrong), None, "{wrong}");
    }
}

#[test]
fn csv_keeps_line_ends_and_quotes_and_a_short_row_has_blanks() {
    let rows =
        Rows::of_csv("\u{feff}Title,Description,State\n\"A, b\",\"two\nlines\",open\nshort\n").unwrap();
    let held: Vec<_> =
        rows.iter().map(|row| (row.get("title"), row.get("description"), row.get("state"))).collect();
    assert_eq!(held[0], (Some("A, b"), Some("two\nlines"), Some("open")));
    assert_eq!(held[1], (Some("short"), Some(""), Some("")));
    assert_eq!(rows.iter().next().unwrap().get("nothing"), None);
    assert!(Rows::of_csv("{\"error\": 1}").is_err());
    assert!(Rows::of_csv("").unwrap().is_empty());
}

#[rstest]
#[case(r#"[{"user_id": 7}]"#)]
#[case(r#"{"users": [{"user_id": 7, "email": null}]}"#)]
#[case(r#"{"user": {"User_Id": "7"}}"#)]
#[case(r#"{"user_id": 7, "email": "a@b.example"}"#)]
fn json_is_read_in_whatever_it_is_wrapped(#[case] text: &str) {
    let rows = Rows::of_json(text).unwrap();
    let ids: Vec<_> = rows.iter().filter_map(|row| row.filled("user_id")).collect();
    assert_eq!(ids, ["7"]);
}

#[test]
fn json_that_is_neither_an_object_nor_a_list_is_no_sense() {
    assert!(Rows::of_json("7").is_err());
    assert!(Rows::of_json("<html>").is_err());
}

/// platform-novoed.md §6: how fresh the data are differs, so it is told.
#[test]
fn freshness_is_told_in_words() {
    let now = at("2026-11-22T12:00:00Z");
    assert_eq!(ago(at("2026-11-22T11:59:30Z"), now), "just now");
    assert_eq!(ago(at("2026-11-22T10:30:00Z"), now), "90 minutes ago");
    assert_eq!(ago(at("2026-11-19T12:00:00Z"), now), "3 days ago");
}

/// A client whose service answers every question in the same way.
async fn client_of(status: u16, kind: &'static str, body: &'static str) -> super::NovoEd {
    let answer = move || async move {
        let status = axum::http::StatusCode::from_u16(status).unwrap();
        (status, [(axum::http::header::CONTENT_TYPE, kind)], body)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut values = PlatformValues::default();
    values.set("endpoint", Some(format!("http://{}", listener.local_addr().unwrap()).into()));
    values.set("api_key", Some("key".into()));
    values.set("connected_on", Some("2026-11-01".into()));
    values.set("requests_per_second", Some(0.0.into()));
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    let opening = Opening {
        told: Told::new("novoed".parse().unwrap(), Some(&values)),
        secrets: &[],
        ca_file: None,
        folder: std::path::PathBuf::new(),
        resolve: Vec::new(),
        ledger: None,
        fields: Vec::new(),
        clock: Arc::new(SystemClock),
    };
    super::NovoEd::connect(&opening).unwrap()
}

async fn users_of(client: &super::NovoEd) -> Result<Page, PortError> {
    let request = ScanRequest {
        object: "user".into(),
        selection: Selection::new(["email"]),
        criteria: None,
        mark: None,
    };
    client.scan(&request).await
}

const USERS: &str =
    "user_id,email,first_name,last_name,updated_at\n7,a@b.example,Ann,Bell,2026-11-20 10:00:00\n";

/// platform-novoed.md §3: 207 is no error; what comes with it is read like what comes with 200.
#[rstest]
#[case(200)]
#[case(207)]
#[tokio::test]
async fn what_comes_with_a_207_is_read(#[case] status: u16) {
    let client = client_of(status, "text/csv", USERS).await;
    let page = users_of(&client).await.unwrap();
    let read: Vec<_> = page.records.iter().map(|record| (record.id.as_str(), &record.values)).collect();
    assert_eq!(read, [("7", &vec![Some(Value::text("a@b.example"))])]);
    assert!(page.cursor.is_some());
}

/// A 207 that says of parts that they failed holds no rows: it is told, and not taken for an answer that nothing changed.
#[tokio::test]
async fn a_207_without_rows_is_told_and_nothing_is_passed_over() {
    let body = r#"{"results": [{"status": 200}, {"status": 400, "error": "not available"}]}"#;
    let client = client_of(207, "application/json", body).await;
    let error = users_of(&client).await.unwrap_err();
    assert_eq!(error.class, PortClass::Protocol, "{error:?}");
    assert!(error.message.contains("JSON where CSV was expected"), "{error:?}");
}
