//! Learndot's second interface.

use std::sync::Arc;

use forcesync::connect::platform::Platform;
use forcesync::domain::port::{PortClass, RowResult, WriteKind};
use rstest::rstest;
use serde_json::{Value, json};

use super::{Answer, Wire, changed, ok, refusal, scan_of, scanned, since, text, wrote};

fn rows(numbers: std::ops::Range<u32>) -> Vec<Value> {
    numbers.map(|number| json!({"id": number, "email": format!("p{number}@x.example")})).collect()
}

fn page(size: usize, rows: &[Value]) -> Answer {
    ok(&json!({"size": size, "results": rows}))
}

fn opened(wire: &Wire) -> Arc<dyn Platform> {
    wire.open("learndot", &[], &[("api_token", "t-1")])
}

/// platform-learndot.md §1: the token stands in a header of its own; bodies are JSON. §2: a search is a POST below `/api/rest/v2/manage/`,
/// with its page and order in the address and its conditions in the body.
#[tokio::test]
async fn a_search_of_learndot_is_a_post_with_the_token_in_its_own_header() {
    let wire = Wire::start(|_, _| page(1, &rows(1..2))).await;
    opened(&wire).scan(&scan_of("contact", &["email"])).await.unwrap();
    assert_eq!(wire.calls(), ["POST /api/rest/v2/manage/contact/search?page=1&orderBy=id&asc=true"]);
    let call = wire.seen("POST").remove(0);
    assert_eq!(call.header("TrainingRocket-Authorization"), "t-1");
    assert_eq!(
        (call.header("Content-Type"), call.header("Accept")),
        ("application/json", "application/json")
    );
    assert_eq!(call.json(), json!({}));
}

/// platform-learndot.md §2: pages count from 1 and hold 25 rows; `size` is the number of all, so nothing is asked for behind it.
#[tokio::test]
async fn learndot_is_read_by_pages_of_25_until_all_rows_were_seen() {
    let wire = Wire::start(|_, before| page(30, &rows(if before == 0 { 0..25 } else { 25..30 }))).await;
    let pages = scanned(&*opened(&wire), "contact", &["email"]).await.unwrap();
    assert_eq!(pages.iter().map(|page| page.records.len()).collect::<Vec<_>>(), [25, 5]);
    let asked: Vec<bool> = (1..=2)
        .zip(wire.calls())
        .map(|(number, call)| call.contains(&format!("search?page={number}&")))
        .collect();
    assert_eq!((asked, wire.calls().len()), (vec![true, true], 2));
}

/// platform-learndot.md §2: a date field with two values is a range, here of the dates of change and, by `or=true`, of creation;
/// §1: dates have a space and no zone. An enrolment without a date of change is found by the other (§3).
#[tokio::test]
async fn what_changed_in_learndot_is_asked_for_by_a_range_of_dates() {
    let row = json!({"id": 7, "status": "PASSED", "created": "2026-11-20 11:00:00", "modifiedById": 12});
    let wire = Wire::start(move |_, _| page(1, std::slice::from_ref(&row))).await;
    let found = changed(&*opened(&wire), "enrolment", &["status"], since()).await;
    let call = wire.seen("POST /api/rest/v2/manage/enrolment/search?page=1").remove(0);
    assert!(call.call.ends_with("&or=true"), "{}", call.call);
    let range = json!(["2026-11-20 10:00:00", "2026-11-21 12:00:00"]);
    assert_eq!(call.json(), json!({"modified": range, "created": range}));
    let record = &found.records[0];
    assert_eq!(record.stamp, "2026-11-20T11:00:00Z".parse().ok());
    assert_eq!(record.author.as_deref(), Some("12"), "who changed it is told");
}

/// platform-learndot.md §2: a change is a POST of what changed to the record's address, a create one to the entity's.
#[tokio::test]
async fn a_change_in_learndot_is_a_post_of_what_changed() {
    let wire = Wire::start(|call, _| match &call.call {
        call if call.contains("/describe") => ok(&json!({"result": {}})),
        call if call.contains("/search") => page(0, &[]),
        _ => ok(&json!({"id": 9, "_displayName_": "Ann"})),
    })
    .await;
    let client = opened(&wire);
    let fields = ["title", "firstName"];
    let changed =
        wrote(&*client, "contact", WriteKind::Update, Some("7"), &fields, vec![text("Lead"), None]).await;
    assert!(matches!(changed, RowResult::Done { created: false, .. }), "{changed:?}");
    let made =
        wrote(&*client, "contact", WriteKind::Create, None, &fields, vec![text("Lead"), text("Ann")]).await;
    assert!(matches!(&made, RowResult::Done { id, .. } if id.as_str() == "9"), "{made:?}");
    let sent: Vec<_> = wire.seen("POST").into_iter().filter(|call| !call.call.contains("/search")).collect();
    assert_eq!(sent[0].call, "POST /api/rest/v2/manage/contact/7");
    assert_eq!(sent[0].json(), json!({"title": "Lead"}));
    assert_eq!(sent[1].call, "POST /api/rest/v2/manage/contact");
    assert_eq!((sent.len(), sent[1].json()), (2, json!({"title": "Lead", "firstName": "Ann"})));
    let refused = wrote(&*client, "contact", WriteKind::Delete, Some("7"), &[], Vec::new()).await;
    assert!(matches!(&refused, RowResult::Refused(error) if error.code == "NO_DELETE"), "{refused:?}");
}

/// platform-learndot.md §2, behaviour: 429, 502 and 504 pass; ten tries, about five seconds and more apart.
#[rstest]
#[case(429)]
#[case(502)]
#[case(504)]
#[tokio::test]
async fn learndot_is_asked_ten_times_where_it_stumbles(#[case] status: u16) {
    let wire = Wire::start(move |_, before| match before {
        0..9 => refusal(status, &json!({})),
        _ => page(1, &rows(1..2)),
    })
    .await;
    let found = opened(&wire).scan(&scan_of("contact", &["email"])).await.unwrap();
    assert_eq!((found.records.len(), wire.calls().len()), (1, 10));
    assert!(wire.clock.slept().num_seconds() >= 22, "{}", wire.clock.slept());
}

/// platform-learndot.md §2, behaviour: 401 on a bad token, which is not tried again; other refusals keep their words, of whatever shape.
#[rstest]
#[case(401, json!({}), PortClass::SignIn, "/admin/api/token")]
#[case(400, json!({"message": "No such field"}), PortClass::Protocol, "No such field")]
#[case(400, json!({"errors": ["odd"]}), PortClass::Protocol, "odd")]
#[tokio::test]
async fn refusals_of_learndot_are_told_in_their_words(
    #[case] status: u16,
    #[case] body: Value,
    #[case] class: PortClass,
    #[case] words: &str,
) {
    let wire = Wire::start(move |_, _| refusal(status, &body)).await;
    let error = opened(&wire).scan(&scan_of("contact", &["email"])).await.unwrap_err();
    assert_eq!((error.class, wire.calls().len()), (class, 1), "{error}");
    assert!(error.message.contains(words), "{error}");
}

/// platform-learndot.md §2, behaviour: a call a second unless the settings say otherwise.
#[tokio::test]
async fn learndot_is_called_once_a_second() {
    let from = |before: usize| u32::try_from(before).unwrap() * 25;
    let wire = Wire::start(move |_, before| page(100, &rows(from(before)..from(before) + 25))).await;
    let client = wire.open("learndot", &[("requests_per_second", 1.0.into())], &[("api_token", "t-1")]);
    scanned(&*client, "contact", &["email"]).await.unwrap();
    assert_eq!(wire.calls().len(), 4);
    assert!(wire.clock.slept().num_milliseconds() >= 3000, "{}", wire.clock.slept());
}
