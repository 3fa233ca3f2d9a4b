//! SPOTIO's interface.

use std::sync::Arc;

use forcesync::connect::platform::Platform;
use forcesync::domain::port::{PortClass, RowClass, RowResult, WriteKind};
use rstest::rstest;
use serde_json::{Value, json};

use super::{Answer, Seen, Wire, changed, ok, refusal, scan_of, scanned, since, text, wrote};

const ID: &str = "5f0000000000000000000001";
const FIELDS: &[&str] = &["lastName", "externalId"];

/// What a company without records answers.
fn company(call: &Seen) -> Answer {
    match call.call.as_str() {
        "POST /api/users/apitoken" => ok(&json!({"accessToken": "jwt"})),
        "GET /api/workflow/dataObjects/full" => ok(&json!([{
            "id": 1, "name": "Lead",
            "fields": [
                {"id": 100_003, "name": "Last name", "type": "Text", "systemRole": "LastName"},
                {"id": 9, "name": "Roof", "type": "SingleChoice", "activeOptions": ["Flat"]},
            ],
            "stages": {"active": {"active": true, "stages": [{"id": 3, "name": "New"}]}},
        }])),
        "GET /api/users" | "GET /api/workflow/activityTemplates" => ok(&json!([])),
        call if call.starts_with("GET /api/DataObjects/deleted") => {
            ok(&json!({"scrollId": null, "deletedDataObjects": []}))
        }
        call if call.starts_with("GET /api/DataObjects/many") => ok(&json!([held()])),
        call if call.starts_with("GET /api/Exports") => ok(&json!({"scrollId": null, "items": []})),
        _ => ok(&held()),
    }
}

fn held() -> Value {
    json!({"id": ID, "typeId": "1", "stageId": "3", "name": "Bell", "updatedAt": "2026-11-20T11:00:00Z", "updatedById": "7",
        "fields": [{"fieldId": "100003", "value": "Bell"}, {"fieldId": "9", "value": "Flat"}]})
}

fn opened(wire: &Wire) -> Arc<dyn Platform> {
    wire.open("spotio", &[("client_id", "c-1".into())], &[("client_secret", "s-1")])
}

/// platform-spotio.md §1: one token is minted for client and secret, and shown as Bearer with everything else. §2: the workflow is read
/// first, from these addresses.
#[tokio::test]
async fn a_token_of_spotio_is_minted_once_and_shown_with_every_call() {
    let wire = Wire::start(|call, _| company(call)).await;
    let client = opened(&wire);
    for _ in 0..2 {
        client.scan(&scan_of("lead", FIELDS)).await.unwrap();
    }
    let minted = wire.seen("POST /api/users/apitoken");
    assert_eq!(minted.len(), 1);
    assert_eq!(minted[0].json(), json!({"clientId": "c-1", "secret": "s-1"}));
    assert!(wire.seen("GET").iter().all(|call| call.header("Authorization") == "Bearer jwt"));
    for path in ["/api/workflow/dataObjects/full", "/api/users", "/api/workflow/activityTemplates"] {
        assert!(wire.calls().contains(&format!("GET {path}")), "{path}: {:?}", wire.calls());
    }
}

/// platform-spotio.md §4: the export is scrolled until the scroll id is null, and not until a page is empty; numbers of types may be
/// integers; records of other types are passed by.
#[tokio::test]
async fn the_export_of_spotio_is_scrolled_until_its_scroll_id_is_null() {
    let wire = Wire::start(|call, _| match call.call.as_str() {
        "GET /api/Exports/dataObjects/data" => ok(&json!({"scrollId": "a=1", "items": []})),
        "GET /api/Exports/dataObjects/data?scrollId=a%3D1" => {
            let mut other = held();
            other["typeId"] = json!(2);
            let mut ours = held();
            ours["typeId"] = json!(1);
            ok(&json!({"scrollId": null, "items": [other, ours]}))
        }
        _ => company(call),
    })
    .await;
    let pages = scanned(&*opened(&wire), "lead", FIELDS).await.unwrap();
    assert_eq!(pages.iter().map(|page| page.records.len()).collect::<Vec<_>>(), [0, 1]);
}

/// platform-spotio.md §4: changes by `updatedAfter` in ISO 8601 and UTC (§1), with who made them; §3: deletions by a feed of their own.
#[tokio::test]
async fn what_changed_in_spotio_is_exported_and_what_was_deleted_is_a_feed() {
    let wire = Wire::start(|call, _| match call.call.as_str() {
        path if path.starts_with("GET /api/Exports") => ok(&json!({"scrollId": null, "items": [held()]})),
        path if path.starts_with("GET /api/DataObjects/deleted") => {
            let gone = json!({"id": "5f0000000000000000000002", "deletedAt": "2026-11-20T11:00:00Z", "dataObject": {"typeId": 1}});
            ok(&json!({"scrollId": null, "deletedDataObjects": [gone]}))
        }
        _ => company(call),
    })
    .await;
    let page = changed(&*opened(&wire), "lead", FIELDS, since()).await;
    assert_eq!(page.records[0].author.as_deref(), Some("7"));
    assert_eq!(page.tombstones[0].id.as_str(), "5f0000000000000000000002");
    let at = "2026-11-20T10%3A00%3A00Z";
    for call in [
        format!("GET /api/Exports/dataObjects/data?updatedAfter={at}"),
        format!("GET /api/DataObjects/deleted?startDate={at}"),
    ] {
        assert!(wire.calls().contains(&call), "{call}: {:?}", wire.calls());
    }
}

/// platform-spotio.md §3: a create names type, stage and the org's id, a change is a JSON Patch of the whole collection of fields, a
/// deletion says how. §8: the org's id stands in `externalDataObjectId`.
#[tokio::test]
async fn records_of_spotio_are_posted_patched_and_deleted() {
    let wire = Wire::start(|call, _| company(call)).await;
    let client = opened(&wire);
    let made =
        wrote(&*client, "lead", WriteKind::Create, None, FIELDS, vec![text("Bell"), text("00Q1")]).await;
    assert!(matches!(&made, RowResult::Done { id, .. } if id.as_str() == ID), "{made:?}");
    let sent = wire.seen("POST /api/DataObjects").remove(0);
    assert_eq!(sent.header("Content-Type"), "application/json");
    assert_eq!(
        sent.json(),
        json!({"dataObject": {"typeId": 1, "stageId": 3, "externalDataObjectId": "00Q1",
            "fields": [{"fieldId": "100003", "value": "Bell"}]}})
    );
    wrote(&*client, "lead", WriteKind::Update, Some(ID), FIELDS, vec![text("Kerr"), None]).await;
    let sent = wire.seen("PATCH").remove(0);
    assert_eq!(sent.call, format!("PATCH /api/DataObjects/{ID}/jsonp?validateRequiredFields=true"));
    assert_eq!(sent.header("Content-Type"), "application/json-patch+json");
    let whole = json!([{"fieldId": "100003", "value": "Kerr"}, {"fieldId": "9", "value": "Flat"}]);
    assert_eq!(sent.json(), json!([{"op": "replace", "path": "/fields", "value": whole}]));
    wrote(&*client, "lead", WriteKind::Delete, Some(ID), &[], Vec::new()).await;
    let sent = wire.seen("DELETE").remove(0);
    assert_eq!(sent.call, format!("DELETE /api/DataObjects/{ID}"));
    assert_eq!(sent.json(), json!({"mode": "delete", "permanently": false}));
}

/// platform-spotio.md §9: a refusal names fields by their numbers, or the record as a whole by `_`; 403 is a matter of rights, 404 of
/// something that is gone.
#[rstest]
#[case(422, json!({"errors": {"9": "Value is required."}}), RowClass::Data, &["fields.Roof"], "Value is required")]
#[case(422, json!({"errors": {"_": "Not now"}}), RowClass::Data, &[], "“Not now”")]
#[case(403, json!({"errors": {"_": "No right"}}), RowClass::Permission, &[], "No right")]
#[case(404, json!({}), RowClass::Gone, &[], "no longer in SPOTIO")]
#[tokio::test]
async fn a_refusal_of_spotio_names_its_fields(
    #[case] status: u16,
    #[case] body: Value,
    #[case] class: RowClass,
    #[case] fields: &[&str],
    #[case] words: &str,
) {
    let wire =
        Wire::start(move |call, _| if call.is("PATCH") { refusal(status, &body) } else { company(call) })
            .await;
    let values = vec![text("Kerr"), None];
    match wrote(&*opened(&wire), "lead", WriteKind::Update, Some(ID), FIELDS, values).await {
        RowResult::Refused(error) => {
            assert_eq!(
                (error.class, error.fields.iter().map(String::as_str).collect::<Vec<_>>()),
                (class, fields.to_vec())
            );
            assert!(error.message.contains(words), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
}

/// platform-spotio.md §9: no limit is told, so calls are five a second, and a 429 is understood all the same.
#[tokio::test]
async fn spotio_is_called_five_times_a_second_and_a_429_is_a_limit() {
    let wire =
        Wire::start(|call, before| if before < 12 { company(call) } else { refusal(429, &Value::Null) })
            .await;
    let settings = [("client_id", "c-1".into()), ("requests_per_second", 5.0.into())];
    let client = wire.open("spotio", &settings, &[("client_secret", "s-1")]);
    let error = loop {
        if let Err(error) = client.scan(&scan_of("lead", FIELDS)).await {
            break error;
        }
        assert!(wire.calls().len() < 20);
        if wire.calls().len() == 11 {
            assert!(wire.clock.slept().num_milliseconds() + 100 >= 2000, "{}", wire.clock.slept());
        }
    };
    assert_eq!(error.class, PortClass::Limit, "{error}");
}
