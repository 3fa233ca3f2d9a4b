//! Deployteq's interfaces: customers over REST and SOAP, receivers, events.

use std::sync::Arc;

use forcesync::connect::platform::Platform;
use forcesync::domain::port::{FeedRequest, Finder, PortClass, RowResult, WriteKind};
use forcesync::domain::record::{Record, Selection};
use rstest::rstest;
use serde_json::{Value, json};

use super::{Answer, Seen, Wire, changed, ok, refusal, scan_of, scanned, text, wrote};

const SECRETS: &[(&str, &str)] =
    &[("api_token", "t/1"), ("soap_token", "u&1"), ("webhook_token", "h-1"), ("client_secret", "s-1")];

fn opened(wire: &Wire) -> Arc<dyn Platform> {
    let url = |path: &str| toml::Value::from(format!("{}{path}", wire.url));
    let hooks = vec![format!("order={}/hooks/order", wire.url)];
    let settings = [
        ("soap_endpoint", url("")),
        ("token_endpoint", url("/oauth2/token")),
        ("events_endpoint", url("/analytics-events")),
        ("client_id", "c-1".into()),
        ("metrics", vec!["opens"].into()),
        ("customer_changes", "poll".into()),
        ("webhooks", hooks.into()),
    ];
    wire.open("deployteq", &settings, SECRETS)
}

/// platform-deployteq.md §0, §2: customers one a call, by JSON with flat small names and the token in the address; the answer of a create has
/// the id, and what it does not tell is read. §1: opt-in is Y or N.
#[tokio::test]
async fn customers_of_deployteq_are_posted_put_and_deleted_with_the_token_in_the_address() {
    let wire = Wire::start(|call, _| match call.call.split(' ').next().unwrap() {
        "POST" => ok(&json!({"id": 42})),
        "DELETE" => (204, "application/json", String::new()),
        _ => ok(&json!({"id": 42, "emailaddress": "a@x.example", "optin": "N"})),
    })
    .await;
    let client = opened(&wire);
    let fields = ["emailaddress", "optin"];
    let values = vec![text("a@x.example"), Some(false.into())];
    let made = wrote(&*client, "customer", WriteKind::Create, None, &fields, values).await;
    let RowResult::Done { id, record: Some(record), .. } = made else { panic!("{made:?}") };
    assert_eq!((id.as_str(), &record.values), ("42", &vec![text("a@x.example"), Some(false.into())]));
    let changes = vec![text("b@x.example"), None];
    wrote(&*client, "customer", WriteKind::Update, Some("42"), &fields, changes).await;
    wrote(&*client, "customer", WriteKind::Delete, Some("42"), &[], Vec::new()).await;
    let base = "/app/api/rest/public/v2/customer";
    let one = format!("{base}/42?token=t%2F1");
    assert_eq!(
        wire.calls(),
        [
            format!("POST {base}?token=t%2F1"),
            format!("GET {one}"),
            format!("PUT {one}"),
            format!("DELETE {one}")
        ]
    );
    let sent = wire.seen("POST").remove(0);
    assert!(sent.header("Content-Type").starts_with("application/json"), "{sent:?}");
    assert_eq!(sent.json(), json!({"emailaddress": "a@x.example", "optin": "N"}));
    assert_eq!(wire.seen("PUT")[0].json(), json!({"emailaddress": "b@x.example"}));
}

/// platform-deployteq.md §2: a search by one field; what comes back may be one customer, several, or wrapped, and is compared again.
#[rstest]
#[case(json!({"id": 42, "emailaddress": "A@x.example"}))]
#[case(json!([{"id": 42, "emailaddress": "a@x.example"}, {"id": 43, "emailaddress": "aa@x.example"}]))]
#[case(json!({"data": [{"id": 42, "emailaddress": "a@x.example"}]}))]
#[tokio::test]
async fn customers_of_deployteq_are_searched_by_address(#[case] answer: Value) {
    let wire = Wire::start(move |_, _| ok(&answer)).await;
    let by = Finder::Field { field: "emailaddress".into(), values: vec!["a@x.example".into()] };
    let found = opened(&wire).find("customer", &Selection::new(["emailaddress"]), &by).await.unwrap();
    assert_eq!(found.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["42"]);
    let path = "GET /app/api/rest/public/v2/customer?emailaddress=a%40x.example&token=t%2F1";
    assert_eq!(wire.calls(), [path]);
}

/// platform-deployteq.md §1: a receiver is posted a list of objects with its token, and each comes back with the id of what was stored; an
/// echo without ids says that it waits to be mapped.
#[rstest]
#[case(true)]
#[case(false)]
#[tokio::test]
async fn rows_go_to_a_receiver_of_deployteq_and_come_back_with_ids(#[case] mapped: bool) {
    let wire = Wire::start(move |call, _| {
        let mut objects = call.json();
        if mapped {
            objects[0]["clang_id"] = json!("clang_1f");
        }
        ok(&objects)
    })
    .await;
    let values = vec![text("001"), text("Hull")];
    let sent = wrote(&*opened(&wire), "table.order", WriteKind::Create, None, &["Id", "Name"], values).await;
    match sent {
        RowResult::Done { id, .. } => assert!(mapped && id.as_str() == "clang_1f", "{id}"),
        RowResult::Refused(error) => assert!(!mapped && error.code == "HOOK_NOT_MAPPED", "{error:?}"),
        RowResult::Unknown => panic!("it came back"),
    }
    let call = wire.seen("POST /hooks/order").remove(0);
    assert_eq!(call.header("Authorization"), "Bearer h-1");
    assert_eq!(call.json(), json!([{"Id": "001", "Name": "Hull"}]));
}

/// How often the first of some moments was opened.
fn opens(moments: &[Record]) -> String {
    moments[0].values[0].as_ref().map(ToString::to_string).unwrap_or_default()
}

/// platform-deployteq.md §0, §4: a token for the OAuth2 client by Basic sign-in and scope; events of a day and metric by pages of 1,000, along
/// `_links.next`; `machine_generated` does not count. §7: a day is read again, and an event that comes twice counts once.
#[tokio::test]
async fn events_of_deployteq_are_read_by_day_along_their_links() {
    let event = |uuid: &str, at: &str, machine: bool| {
        json!({"uuid": uuid, "metric_timestamp": at, "customer_id": 42, "content_id": 7, "broadcast_id": 8,
            "campaign_object_id": 9, "machine_generated": machine})
    };
    let wire = Wire::start(move |call, _| {
        if call.is("POST /oauth2/token") {
            return ok(&json!({"access_token": "tok", "expires_in": 3600}));
        }
        let rows = match &call.call {
            path if path.ends_with("offset=1000") => json!([event("c", "2026-11-19T11:00:00+0000", false)]),
            path if path.contains("=2026-11-19&") => json!([
                event("a", "2026-11-19T10:00:00+0000", false),
                event("a", "2026-11-19T10:00:00+0000", false),
                event("b", "2026-11-19T10:30:00+0000", true),
            ]),
            _ => json!([]),
        };
        let more = rows.as_array().is_some_and(|rows| rows.len() == 3);
        let next = more.then_some("https://api.example/events?filter=x&limit=1000&offset=1000");
        ok(&json!({"total_count": 4, "_links": {"current": "x", "next": next}, "data": rows}))
    })
    .await;
    let client = opened(&wire);
    let first = changed(&*client, "contact_moment", &["opens"], json!({"day": "2026-11-19"})).await;
    assert_eq!((first.records[0].id.as_str(), opens(&first.records)), ("42-7-8-9", "1".into()));
    let again =
        client.read("contact_moment", &Selection::new(["opens"]), &["42-7-8-9".into()]).await.unwrap();
    assert_eq!(opens(&again), "1", "it is kept from run to run");
    let asked = wire.seen("POST /oauth2/token").remove(0);
    // c-1:s-1
    assert_eq!(asked.header("Authorization"), "Basic Yy0xOnMtMQ==");
    let mut fields: Vec<&str> = asked.body.split('&').collect();
    fields.sort_unstable();
    assert_eq!(fields, ["grant_type=client_credentials", "scope=analytics.events%3Aread"]);
    let read = wire.seen("GET").remove(0);
    let day = "2026-11-19";
    assert_eq!(
        read.call,
        format!(
            "GET /analytics-events/events?filter%5Bdate_from%5D={day}&filter%5Bdate_to%5D={day}&filter%5Bmetric%5D=opens&limit=1000&offset=0"
        )
    );
    assert_eq!(read.header("Authorization"), "Bearer tok");
    // The next page by the offset of the link.
    let request = FeedRequest {
        object: "contact_moment".into(),
        selection: Selection::new(["opens"]),
        cursor: first.cursor.unwrap(),
        mark: first.next,
        flag: None,
    };
    let second = client.changes(&[request]).await.unwrap().remove(0);
    assert_eq!(opens(&second.records), "2");
    assert!(wire.calls().iter().any(|call| call.ends_with("limit=1000&offset=1000")), "{:?}", wire.calls());
}

/// What the SOAP interface answers with a message or a fault.
fn soap(message: &str) -> Answer {
    let body = format!("<response><code>0</code><msg>{message}</msg></response>");
    (200, "text/xml", enveloped(&body))
}

fn enveloped(body: &str) -> String {
    format!(
        "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
}

fn operation(call: &Seen) -> String {
    call.header("SOAPAction").trim_matches('"').to_owned()
}

/// platform-deployteq.md §0, §5, §8: each operation begins with the uuid; a list is made, asked for until it is ready, read by at most 50 and given
/// back. §7: customers tell their `modifiedAt`.
#[tokio::test]
async fn customers_of_deployteq_are_listed_over_soap_by_fifty() {
    let wire = Wire::start(|call, before| match operation(call).as_str() {
        "customer_getAll" => soap("77"),
        "resource_getById" if before == 1 => soap("<id>77</id><status>PROCESSING</status>"),
        "resource_getById" => soap("<id>77</id><status>READY</status><size>51</size>"),
        "customerSet_getCustomers" => {
            let first = if call.body.contains("<offset>0</offset>") { 0..50 } else { 50..51 };
            let rows = first.map(|id| {
                format!(
                    "<item><id>{id}</id><emailAddress>p{id}@x.example</emailAddress><optIn>Y</optIn><options><item><name>lead_id</name>\
                     <value>00Q{id}</value></item></options><modifiedAt>2026-11-20 11:00:00</modifiedAt></item>"
                )
            });
            soap(&rows.collect::<String>())
        }
        _ => soap("true"),
    })
    .await;
    let fields = ["emailaddress", "optin", "options.lead_id"];
    let pages = scanned(&*opened(&wire), "customer", &fields).await.unwrap();
    assert_eq!(pages.iter().map(|page| page.records.len()).collect::<Vec<_>>(), [50, 1]);
    assert_eq!(pages[1].records[0].values, [text("p50@x.example"), Some(true.into()), text("00Q50")]);
    let calls = wire.seen("POST /app/api/soap/public/index.php");
    let operations: Vec<String> = calls.iter().map(operation).collect();
    let read = "customerSet_getCustomers";
    assert_eq!(
        operations,
        ["customer_getAll", "resource_getById", "resource_getById", read, read, "resource_free"]
    );
    for call in &calls {
        let name = operation(call);
        assert!(call.body.contains(&format!("<{name}><uuid>u&amp;1</uuid>")), "{}", call.body);
    }
    assert!(calls[3].body.contains("<size>50</size>"), "{}", calls[3].body);
}

/// platform-deployteq.md §5: `null` says that nothing was found; faults have numbers, told with status 500.
#[tokio::test]
async fn nothing_and_faults_of_deployteq_are_told_apart() {
    let wire = Wire::start(|_, _| soap("null")).await;
    assert!(opened(&wire).scan(&scan_of("customer", &["emailaddress"])).await.unwrap().records.is_empty());
    let fault = "<SOAP-ENV:Fault><faultcode>SOAP-ENV:105</faultcode><faultstring>Size must be between 1 and 50</faultstring></SOAP-ENV:Fault>";
    let wire = Wire::start(move |_, _| (500, "text/xml", enveloped(fault))).await;
    let error = opened(&wire).scan(&scan_of("customer", &["emailaddress"])).await.unwrap_err();
    assert_eq!(error.code, "SOAP_105", "{error}");
    assert!(error.message.contains("between 1 and 50"), "{error}");
}

/// platform-deployteq.md §9: nobody publishes what refusals look like: 401 and 403 are matters of the sign-in and of rights, the words of
/// others are looked for in the usual places. §8: 429 is a limit.
#[rstest]
#[case(401, json!({}), PortClass::SignIn, "make a new one")]
#[case(403, json!({}), PortClass::Blocked, "the right to it")]
#[case(429, json!({}), PortClass::Limit, "no more calls")]
#[case(400, json!({"message": "Odd search"}), PortClass::Protocol, "Odd search")]
#[case(422, json!({"error": "Odd search"}), PortClass::Protocol, "Odd search")]
#[tokio::test]
async fn refusals_of_deployteq_are_told_in_their_words(
    #[case] status: u16,
    #[case] body: Value,
    #[case] class: PortClass,
    #[case] words: &str,
) {
    let wire = Wire::start(move |_, _| refusal(status, &body)).await;
    let by = Finder::Field { field: "emailaddress".into(), values: vec!["a@x.example".into()] };
    let error = opened(&wire).find("customer", &Selection::new(["emailaddress"]), &by).await.unwrap_err();
    assert_eq!(error.class, class, "{error}");
    assert!(error.message.contains(words), "{error}");
    assert!(!error.message.contains("t/1") && !error.message.contains("t%2F1"), "{error}");
}
