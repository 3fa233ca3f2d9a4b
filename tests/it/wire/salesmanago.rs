//! SALESmanago's second interface.

use std::sync::Arc;

use forcesync::connect::platform::salesmanago::{
    CONTACT, Salesmanago, SalesmanagoSecrets, SalesmanagoSettings,
};
use forcesync::domain::port::{RowResult, Sink, Source, WriteKind, Written};
use rstest::rstest;
use serde_json::{Value, json};

use super::{Wire, changed, ok, refusal, text};
use crate::salesmanago_account::{LeapClock, batch, names, row};

fn opened(wire: &Wire) -> Salesmanago {
    let settings = SalesmanagoSettings {
        endpoint: wire.url.clone(),
        client_id: "account".into(),
        owner: "me@acme.example".into(),
        requests_per_second: 0.0,
        seed: Some(1),
        ..SalesmanagoSettings::default()
    };
    let secrets = SalesmanagoSecrets { api_secret: "secret".into() };
    Salesmanago::connect(settings, &secrets, Arc::<LeapClock>::clone(&wire.clock)).unwrap()
}

/// The body of a call without what signs it.
fn told(mut body: Value) -> Value {
    for name in ["clientId", "apiKey", "requestTime", "sha", "owner"] {
        body.as_object_mut().unwrap().remove(name);
    }
    body
}

/// platform-salesmanago.md §1: POST below `/api/`, with these headers and a User-Agent. §2: the users of an account, texts or objects.
#[tokio::test]
async fn a_call_of_salesmanago_is_a_post_with_its_headers() {
    let wire =
        Wire::start(|_, _| ok(&json!({"success": true, "message": [], "users": ["me@acme.example"]}))).await;
    opened(&wire).test().await.unwrap();
    let call = wire.seen("POST /api/user/listByClient").remove(0);
    assert_eq!(call.header("Accept"), "application/json, application/json");
    assert_eq!(call.header("Content-Type"), "application/json;charset=UTF-8");
    assert!(call.header("User-Agent").starts_with("forcesync/"), "{call:?}");
    let signed = call.json();
    // Milliseconds, not seconds.
    assert_eq!(signed["requestTime"], 1_795_176_000_000_i64);
    assert_eq!(signed["sha"].as_str().map(str::len), Some(40));
}

/// platform-salesmanago.md §5: ids by window of milliseconds, page from 1 and size to 1,000, until there are no more, under either name;
/// then the contacts by fifty ids. §7: in this order.
#[rstest]
#[case("modifiedContacts")]
#[case("createdContacts")]
#[tokio::test]
async fn what_changed_in_salesmanago_is_listed_and_then_read_by_id(#[case] name: &'static str) {
    let wire = Wire::start(move |call, _| {
        if call.is("POST /api/contact/paginatedModifiedContacts") {
            let mut list = json!({"success": true, "message": [], "hasMore": false});
            list[name] = json!([{"id": "c-1", "email": "a@x.example"}]);
            return ok(&list);
        }
        ok(&json!({"success": true, "message": [], "contacts": [{"contactId": "c-1", "email": "a@x.example"}]}))
    })
    .await;
    let found = changed(&opened(&wire), CONTACT, &["email"], json!({"since": 1_795_168_800_000_i64})).await;
    assert_eq!(found.records.len(), 1);
    let asked = told(wire.seen("POST /api/contact/paginatedModifiedContacts").remove(0).json());
    assert_eq!(
        (&asked["from"], &asked["page"], &asked["size"]),
        (&json!(1_795_168_800_000_i64), &json!(1), &json!(1000))
    );
    assert!(asked["to"].as_i64().is_some_and(|to| to > 1_795_176_000_000), "{asked}");
    let read = told(wire.seen("POST /api/contact/listById").remove(0).json());
    assert_eq!(read, json!({"contactId": ["c-1"]}));
}

/// platform-salesmanago.md §4.1, §5: contacts go as `upsertDetails`, each with its contact, details and orders of consent.
#[tokio::test]
async fn contacts_are_written_to_salesmanago_as_upsert_details() {
    let wire = Wire::start(|call, _| {
        if call.is("POST /api/contact/batchupsert") {
            return ok(&json!({"success": true, "message": [], "contactIds": {"a@x.example": "c-1", "b@x.example": "c-2"}}));
        }
        ok(&json!({"success": true, "message": [], "contacts": [{"id": "c-1", "email": "a@x.example"}]}))
    })
    .await;
    let fields = ["email", "name", "address.city", "externalId", "details.SF_Account"];
    let values = vec![text("a@x.example"), text("Ann Lee"), text("Graz"), text("003"), text("Acme")];
    // One alone would go by a call of its own.
    let other = vec![text("b@x.example"), None, None, None, None];
    let rows = vec![row(None, "a@x.example", values), row(None, "b@x.example", other)];
    let written = opened(&wire).write(&batch(WriteKind::Create, &fields, rows)).await.unwrap();
    let Written::Rows(results) = written else { panic!("a job") };
    assert!(matches!(&results[0], RowResult::Done { id, .. } if id.as_str() == "c-1"), "{results:?}");
    let sent = told(wire.seen("POST /api/contact/batchupsert").remove(0).json());
    assert_eq!(sent["useApiDoubleOptIn"], false);
    let detail = &sent["upsertDetails"][0];
    assert_eq!(
        detail["contact"],
        json!({"email": "a@x.example", "name": "Ann Lee", "externalId": "003", "address": {"city": "Graz"}})
    );
    assert_eq!(detail["properties"], json!({"SF_Account": "Acme"}));
    assert_eq!(sent["upsertDetails"][1]["contact"], json!({"email": "b@x.example"}));
    for order in ["forceOptIn", "forceOptOut", "forcePhoneOptIn", "forcePhoneOptOut"] {
        assert_eq!(detail[order], false, "{order}");
    }
}

/// platform-salesmanago.md §3: what counts is `success`, with 201 and 302 as well as with 200; the words of a refusal with whatever status.
#[rstest]
#[case(200, true)]
#[case(201, true)]
#[case(302, true)]
#[case(200, false)]
#[case(400, false)]
#[tokio::test]
async fn an_answer_of_salesmanago_counts_by_what_it_says(#[case] status: u16, #[case] success: bool) {
    let body = if success {
        json!({"success": true, "message": [], "contacts": [{"id": "c-1", "email": "a@x.example"}]})
    } else {
        json!({"success": false, "message": ["Too odd"]})
    };
    let wire = Wire::start(move |_, _| refusal(status, &body)).await;
    let read = opened(&wire).read(CONTACT, &names(&["email"]), &["c-1".into()]).await;
    match read {
        Ok(records) => assert!(success && records.len() == 1, "{records:?}"),
        Err(error) => assert!(!success && error.message.contains("Too odd"), "{error}"),
    }
}
