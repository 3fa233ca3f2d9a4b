//! NovoEd's data interface.

use std::sync::Arc;

use forcesync::connect::platform::Platform;
use forcesync::domain::port::PortClass;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Answer, Wire, ok, refusal, scan_of, scanned};

const SECRETS: &[(&str, &str)] = &[("api_secret", "s-1")];

fn csv(rows: &[&str]) -> Answer {
    let head = "user_id,external_id,first_name,last_name,email,updated_at";
    (200, "text/csv", format!("{head}\n{}\n", rows.join("\n")))
}

fn opened(wire: &Wire, settings: &[(&str, toml::Value)]) -> Arc<dyn Platform> {
    let mut all = vec![("api_key", "k-1".into()), ("connected_on", "2026-11-01".into())];
    all.extend_from_slice(settings);
    wire.open("novoed", &all, SECRETS)
}

/// platform-novoed.md §1: Basic sign-in, so that no secret stands in an address. §6: CSV by data set, bounded by `updated_after` and
/// `updated_before`; the next answer is asked for up to the oldest moment seen, until nothing older comes.
#[tokio::test]
async fn a_data_set_of_novoed_is_read_backwards_with_the_key_in_a_header() {
    let wire = Wire::start(|_, before| match before {
        0 => csv(&[
            "2,,Bob,Kerr,b@x.example,2026-11-19T10:00:00Z",
            "1,x1,Ann,Bell,a@x.example,2026-11-19T09:00:00Z",
        ]),
        1 => csv(&["1,x1,Ann,Bell,a@x.example,2026-11-19T09:00:00Z"]),
        _ => csv(&[]),
    })
    .await;
    let pages = scanned(&*opened(&wire, &[]), "user", &["email", "external_id"]).await.unwrap();
    let ids: Vec<&str> =
        pages.iter().flat_map(|page| &page.records).map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["2", "1", "1"], "the row at the bound comes twice");
    let path = "GET /analytics/users.csv?updated_after=2010-01-01T00%3A00%3A00Z";
    assert_eq!(
        wire.calls(),
        [
            path.to_owned(),
            format!("{path}&updated_before=2026-11-19T09%3A00%3A00Z"),
            format!("{path}&updated_before=2026-11-19T08%3A59%3A59.999Z"),
        ]
    );
    // k-1:s-1
    assert!(wire.seen("GET").iter().all(|call| call.header("Authorization") == "Basic ay0xOnMtMQ=="));
}

/// platform-novoed.md §1: a token for key and secret by `grant_type=password`, shown as Bearer until shortly before its end.
#[tokio::test]
async fn a_token_of_novoed_is_asked_for_by_password() {
    let wire = Wire::start(|call, _| match call.call.as_str() {
        "POST /oauth/token" => ok(&json!({"access_token": "tok", "expires_in": 7200, "refresh_token": "r"})),
        _ => csv(&[]),
    })
    .await;
    let client = opened(&wire, &[("sign_in", "token".into())]);
    for _ in 0..2 {
        client.scan(&scan_of("user", &["email"])).await.unwrap();
    }
    let asked = wire.seen("POST /oauth/token");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("Content-Type"), "application/x-www-form-urlencoded");
    let mut fields: Vec<&str> = asked[0].body.split('&').collect();
    fields.sort_unstable();
    assert_eq!(fields, ["grant_type=password", "password=s-1", "username=k-1"]);
    assert!(wire.seen("GET").iter().all(|call| call.header("Authorization") == "Bearer tok"));
}

/// Calls that go side by side share a token, and a new one where it ended before its time.
#[tokio::test]
async fn calls_of_novoed_side_by_side_share_a_token() {
    let wire = Wire::start(|call, before| match call.call.as_str() {
        "POST /oauth/token" => {
            ok(&json!({"access_token": if before == 0 { "ended" } else { "tok" }, "expires_in": 7200}))
        }
        _ if call.header("Authorization") == "Bearer ended" => refusal(401, &Value::Null),
        _ => csv(&[]),
    })
    .await;
    let client = opened(&wire, &[("sign_in", "token".into())]);
    let scan = scan_of("user", &["email"]);
    let (one, other) = tokio::join!(client.scan(&scan), client.scan(&scan));
    one.and(other).unwrap();
    assert_eq!(wire.seen("POST /oauth/token").len(), 2, "{:?}", wire.calls());
    assert_eq!(wire.seen("GET").len(), 4);
}

/// platform-novoed.md §2: 200 calls a minute, and of the 1,000 an hour a run leaves a fifth to others.
#[tokio::test]
async fn novoed_is_called_no_more_than_its_limits_allow() {
    let wire = Wire::start(|_, _| csv(&[])).await;
    let client = opened(&wire, &[("requests_per_second", 3.3.into())]);
    let mut minute = None;
    let error = loop {
        if let Err(error) = client.scan(&scan_of("user", &["email"])).await {
            break error;
        }
        if wire.calls().len() == 200 {
            minute = Some(wire.clock.slept().num_seconds());
        }
    };
    assert!(minute.is_some_and(|seconds| seconds >= 60), "{minute:?}");
    assert_eq!((error.class, wire.calls().len()), (PortClass::Limit, 800), "{error}");
}

/// platform-novoed.md §2, §10: 503 is throttling, tried again a few times with longer and longer pauses; 429 is no word of the service.
#[tokio::test]
async fn a_503_of_novoed_is_tried_again_and_then_a_limit() {
    let wire = Wire::start(|_, _| refusal(503, &Value::Null)).await;
    let error = opened(&wire, &[]).scan(&scan_of("user", &["email"])).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str(), wire.calls().len()), (PortClass::Limit, "THROTTLED", 6));
    assert!(wire.clock.slept().num_seconds() >= 60, "{}", wire.clock.slept());
}

/// platform-novoed.md §10: nobody publishes what a refusal looks like, so a setting says where its words stand; 401 and 403 are matters of
/// the key.
#[rstest]
#[case(400, PortClass::Protocol, "No such column")]
#[case(401, PortClass::SignIn, "api_key")]
#[case(403, PortClass::Blocked, "whole institution")]
#[tokio::test]
async fn refusals_of_novoed_are_told_in_their_words(
    #[case] status: u16,
    #[case] class: PortClass,
    #[case] words: &str,
) {
    let wire = Wire::start(move |_, _| refusal(status, &json!({"error": {"text": "No such column"}}))).await;
    let client = opened(&wire, &[("message_pointer", "/error/text".into())]);
    let error = client.scan(&scan_of("user", &["email"])).await.unwrap_err();
    assert_eq!(error.class, class, "{error}");
    assert!(error.message.contains(words) && !error.message.contains('{'), "{error}");
}
