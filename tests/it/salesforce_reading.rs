//! Describing, scanning, following changes, reading by id, counting and finding, against the sandbox's org.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use forcesync::connect::salesforce::SalesforceSettings;
use forcesync::connect::salesforce::SignIn;
use forcesync::domain::criteria::Criteria;
use forcesync::domain::port::Sink;
use forcesync::domain::port::{Cursor, FeedRequest, Finder, Page, PortClass, ScanRequest, Source};
use forcesync::domain::record::{RecordId, Selection};
use forcesync::domain::schema::FieldKind;
use forcesync::domain::value::Value;
use forcesync::sandbox::org::{FieldPermission, ObjectPermission};
use serde_json::json;

use crate::salesforce_support::{scan_all, scan_request, serve};

fn feed(object: &str, fields: &[&str], cursor: &Cursor) -> FeedRequest {
    FeedRequest {
        object: object.into(),
        selection: Selection::new(fields),
        cursor: cursor.clone(),
        mark: None,
        flag: None,
    }
}

fn since(cursor: &Cursor) -> DateTime<Utc> {
    let json: serde_json::Value = serde_json::from_str(&cursor.0).unwrap();
    json["since"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn describes_are_read_once_and_then_only_when_they_changed() {
    let served = serve().await;
    let client = served.client();
    let objects = ["Contact".to_owned(), "Lead".to_owned(), "Nothing__c".to_owned()];
    let schemas = client.describe(&objects).await.unwrap();
    let names: Vec<&str> = schemas.iter().map(|schema| schema.name.as_str()).collect();
    assert_eq!(names, ["Contact", "Lead"]);
    let contact = &schemas[0];
    assert_eq!(contact.field("account.name").unwrap().kind, FieldKind::Text);
    assert!(contact.field("SALESmanago_Id__c").unwrap().external_id);
    let calls = client.calls();
    client.describe(&objects).await.unwrap();
    assert_eq!(client.calls(), calls, "a fresh describe costs nothing");
    client.distrust_descriptions();
    assert_eq!(client.describe(&objects).await.unwrap(), schemas);
    assert_eq!(client.calls(), calls + 1, "a conditional describe of all costs one call");
    assert!(served.org.set_field_permission("Contact", "Title", FieldPermission::Hidden));
    client.distrust_descriptions();
    assert!(client.describe(&objects).await.unwrap()[0].field("Title").is_none());

    let kept = client.schema_cache();
    let later = served.client();
    later.preload_schemas(kept);
    later.describe(&objects[..2]).await.unwrap();
    assert_eq!(later.calls(), 0, "kept describes spare even the sign-in");
}

#[tokio::test]
async fn a_scan_brings_each_record_once_whatever_the_page_size() {
    let served = serve().await;
    let ids = served.seed_contacts(5_000);
    let client = served.client();
    let (first, records) =
        scan_all(&client, scan_request("Contact", &["LastName", "Email", "Account.Name"], None)).await;
    assert_eq!(first.total, Some(5_000));
    assert_eq!(records.len(), 5_000);
    let seen: HashSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(seen, ids.iter().map(String::as_str).collect());
    assert!(records.iter().all(|record| record.stamp.is_some() && record.author.is_some()));
    assert!(records.iter().all(|record| record.values[2] == Some(Value::Null)));
    let age = client_now() - since(first.cursor.as_ref().unwrap());
    assert!(age >= TimeDelta::minutes(10) && age < TimeDelta::minutes(11), "{age}");
}

fn client_now() -> DateTime<Utc> {
    use forcesync::domain::clock::Clock;
    crate::salesforce_support::Impatient.now()
}

#[tokio::test]
async fn a_lost_place_in_a_scan_is_found_again_without_gaps() {
    let served = serve().await;
    served.seed_contacts(5_000);
    let client = served.client();
    let request = scan_request("Contact", &["LastName"], None);
    let first = client.scan(&request).await.unwrap();
    served.org.expire_locators();
    let rest = ScanRequest { mark: first.next.clone(), ..request };
    let second = client.scan(&rest).await.unwrap();
    let third = client.scan(&ScanRequest { mark: second.next.clone(), ..rest }).await.unwrap();
    let all = [first.records, second.records, third.records].concat();
    let seen: HashSet<&RecordId> = all.iter().map(|record| &record.id).collect();
    assert_eq!((all.len(), seen.len(), third.next), (5_000, 5_000, None));
}

#[tokio::test]
async fn criteria_narrow_scans_and_counts() {
    let served = serve().await;
    served.seed_contacts(20);
    served.insert("Contact", json!({"LastName": "O'Hara \\ \"x\"", "Email": "ohara@example.com"}));
    let client = served.client();
    let criteria = Criteria::parse(r"LastName LIKE 'O\'H%'").unwrap();
    let request =
        ScanRequest { criteria: Some(criteria.clone()), ..scan_request("Contact", &["LastName"], None) };
    let page = client.scan(&request).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert_eq!(page.records[0].values, [Some(Value::text("O'Hara \\ \"x\""))]);
    assert_eq!(client.count("Contact", Some(&criteria)).await.unwrap(), Some(1));
    assert_eq!(client.count("Contact", None).await.unwrap(), Some(21));
}

#[tokio::test]
async fn when_nothing_changed_five_feeds_cost_one_call() {
    let served = serve().await;
    let client = served.client();
    let objects = ["Contact", "Lead", "Account", "Opportunity", "Task"];
    client.describe(&objects.map(str::to_owned)).await.unwrap();
    let (page, _) = scan_all(&client, scan_request("Contact", &["LastName"], None)).await;
    let cursor = page.cursor.unwrap();
    let requests: Vec<FeedRequest> =
        objects.iter().map(|object| feed(object, &["OwnerId"], &cursor)).collect();
    let (calls, metered) = (client.calls(), served.org.api_calls_used());
    let pages = client.changes(&requests).await.unwrap();
    assert_eq!((client.calls() - calls, served.org.api_calls_used() - metered), (1, 1));
    assert_eq!(pages.len(), 5);
    assert!(
        pages.iter().all(|page| page.records.is_empty() && page.tombstones.is_empty() && page.next.is_none())
    );
    assert!(pages.iter().all(|page| page.cursor.is_some()));
}

#[tokio::test]
async fn a_feed_tells_edits_deletions_merges_and_undeletions() {
    let served = serve().await;
    let person = served.org.person_user_id();
    let ids = served.seed_contacts(6);
    // What was seeded is older than the feed.
    served.clock.advance(3_600_000);
    let client = served.client();
    let start = scan_all(&client, scan_request("Contact", &["LastName"], None)).await.0.cursor.unwrap();
    served.clock.advance(60_000);
    served.update("Contact", &ids[0], json!({"LastName": "Changed"}));
    served.org.admin_delete("Contact", &ids[1], &person).unwrap();
    served.org.admin_merge("Contact", &ids[2], &[&ids[3]], &person).unwrap();
    served.org.admin_delete("Contact", &ids[4], &person).unwrap();
    served.org.admin_undelete("Contact", &ids[4], &person).unwrap();
    served.clock.advance(120_000);
    // Any reply tells the client what time it is in the org now.
    client.count("Contact", None).await.unwrap();
    let request = feed("Contact", &["LastName"], &start);
    let page = client.changes(std::slice::from_ref(&request)).await.unwrap().remove(0);
    let changed = |page: &Page, id: &str| page.records.iter().any(|record| record.id.as_str() == id);
    assert!(changed(&page, &ids[0]) && changed(&page, &ids[2]) && !changed(&page, &ids[5]));
    let gone = |page: &Page, id: &str| page.tombstones.iter().find(|gone| gone.id.as_str() == id).cloned();
    assert_eq!(gone(&page, &ids[1]).unwrap().merged_into, None);
    assert!(gone(&page, &ids[1]).unwrap().at.is_some());
    assert_eq!(gone(&page, &ids[3]).unwrap().merged_into, Some(RecordId::new(ids[2].as_str())));
    assert_eq!(gone(&page, &ids[4]), None);

    // The overlap brings the same deletions again, without asking about them again.
    let calls = client.calls();
    let again = client.changes(&[request]).await.unwrap().remove(0);
    assert_eq!(gone(&again, &ids[3]), gone(&page, &ids[3]));
    assert_eq!(client.calls() - calls, 1);
}

#[tokio::test]
async fn a_clock_that_jumps_delays_a_deletion_but_never_loses_it() {
    let served = serve().await;
    let ids = served.seed_contacts(1);
    let client = served.client();
    let mut cursor = scan_all(&client, scan_request("Contact", &["LastName"], None)).await.0.cursor.unwrap();
    served.clock.advance(5 * 60_000);
    served.org.admin_delete("Contact", &ids[0], &served.org.person_user_id()).unwrap();
    served.clock.advance(5 * 3_600_000);
    let mut gone = Vec::new();
    for _ in 0..2 {
        let page = client.changes(&[feed("Contact", &["LastName"], &cursor)]).await.unwrap().remove(0);
        gone.extend(page.tombstones);
        cursor = page.cursor.unwrap();
    }
    assert_eq!(gone.first().map(|gone| gone.id.as_str()), Some(ids[0].as_str()));
}

#[tokio::test]
async fn an_edit_that_becomes_visible_late_is_not_passed_over() {
    let served = serve().await;
    let ids = served.seed_contacts(1);
    served.clock.advance(3_600_000);
    let client = served.client();
    let mut cursor = scan_all(&client, scan_request("Contact", &["LastName"], None)).await.0.cursor.unwrap();
    // A transaction of 25 minutes, longer than the overlap.
    served.org.set_commit_delay(25 * 60_000);
    served.update("Contact", &ids[0], json!({"LastName": "Late"}));
    served.org.set_commit_delay(0);
    let mut seen = false;
    for _ in 0..8 {
        served.clock.advance(5 * 60_000);
        let page = client.changes(&[feed("Contact", &["LastName"], &cursor)]).await.unwrap().remove(0);
        seen |= page.records.iter().any(|record| record.values == [Some(Value::text("Late"))]);
        let next = page.cursor.unwrap();
        assert!(since(&next) >= since(&cursor));
        cursor = next;
    }
    assert!(seen);
}

#[tokio::test]
async fn a_backlog_of_changes_goes_on_at_its_mark() {
    let served = serve().await;
    let client = served.client();
    let start = scan_all(&client, scan_request("Contact", &["LastName"], None)).await.0.cursor.unwrap();
    served.seed_contacts(4_500);
    let request = feed("Contact", &["LastName"], &start);
    let first = client.changes(std::slice::from_ref(&request)).await.unwrap().remove(0);
    assert_eq!((first.records.len(), first.total), (2_000, Some(4_500)));
    served.org.expire_locators();
    let mut records = first.records;
    let mut mark = first.next;
    while mark.is_some() {
        let page = client.changes(&[FeedRequest { mark, ..request.clone() }]).await.unwrap().remove(0);
        records.extend(page.records);
        mark = page.next;
    }
    assert_eq!(records.len(), 4_500);
}

#[tokio::test]
async fn a_cursor_older_than_the_deletion_log_says_that_deletions_may_be_missing() {
    let served = serve().await;
    let client = served.client();
    let start = scan_all(&client, scan_request("Contact", &["LastName"], None)).await.0.cursor.unwrap();
    served.clock.advance(20 * 24 * 3_600_000);
    let page = client.changes(&[feed("Contact", &["LastName"], &start)]).await.unwrap().remove(0);
    assert!(page.deletions_missed, "{page:?}");
    let since = page.cursor.unwrap();
    let page = client.changes(&[feed("Contact", &["LastName"], &since)]).await.unwrap().remove(0);
    assert!(!page.deletions_missed, "{page:?}");
}

#[tokio::test]
async fn a_converted_lead_says_what_it_became_and_a_flag_is_a_queue() {
    let served = serve().await;
    let client = served.client();
    let lead = served.insert("Lead", json!({"LastName": "Lee", "Company": "ACME", "Email": "lee@x.example"}));
    let other = served.insert("Lead", json!({"LastName": "Poe", "Company": "ACME", "DoNotCall": true}));
    let start = scan_all(&client, scan_request("Lead", &["LastName"], None)).await.0.cursor.unwrap();
    let user = served.org.person_user_id();
    served.org.admin_convert_lead(&lead, None, None, &user).unwrap();
    let page = client.changes(&[feed("Lead", &["LastName"], &start)]).await.unwrap().remove(0);
    let converted = page.records.iter().find(|record| record.id.as_str() == lead).unwrap();
    let objects: Vec<&str> = converted.became.iter().map(|(object, _)| object.as_str()).collect();
    assert_eq!(objects, ["Contact", "Account"]);
    let queue = FeedRequest { flag: Some("DoNotCall".into()), ..feed("Lead", &["LastName"], &start) };
    let page = client.changes(&[queue]).await.unwrap().remove(0);
    let ids: Vec<&str> = page.records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, [other.as_str()]);
}

#[tokio::test]
async fn only_what_the_org_calls_deleted_is_gone() {
    let served = serve().await;
    let client = served.client();
    let [kept, deleted, loser, winner] =
        ["K", "D", "L", "W"].map(|name| served.insert("Contact", json!({"LastName": name})));
    let user = served.org.person_user_id();
    served.org.admin_delete("Contact", &deleted, &user).unwrap();
    served.org.admin_merge("Contact", &winner, &[loser.as_str()], &user).unwrap();
    let asked: Vec<RecordId> =
        [&kept, &deleted, &loser].iter().map(|id| RecordId::new(id.as_str())).collect();
    let mut fates = client.fates("Contact", &asked).await.unwrap();
    fates.sort_by(|one, other| one.merged_into.cmp(&other.merged_into));
    let told: Vec<(&str, Option<&str>)> = fates
        .iter()
        .map(|gone| (gone.id.as_str(), gone.merged_into.as_ref().map(RecordId::as_str)))
        .collect();
    assert_eq!(told, [(deleted.as_str(), None), (loser.as_str(), Some(winner.as_str()))]);
}

#[tokio::test]
async fn records_are_read_by_id_in_few_calls_with_and_without_parents() {
    let served = serve().await;
    let account = served.insert("Account", json!({"Name": "ACME"}));
    let ids = served.seed_contacts(2_500);
    served.update("Contact", &ids[7], json!({"AccountId": account}));
    served.org.admin_delete("Contact", &ids[8], &served.org.person_user_id()).unwrap();
    let client = served.client();
    client.describe(&["Contact".to_owned()]).await.unwrap();
    let wanted: Vec<RecordId> = ids.iter().map(|id| RecordId::new(&id[..15])).collect();
    for (fields, calls) in [(vec!["LastName"], 2), (vec!["LastName", "Account.Name"], 2)] {
        let before = client.calls();
        let records = client.read("Contact", &Selection::new(&fields), &wanted).await.unwrap();
        assert_eq!(records.len(), 2_499, "{fields:?}");
        assert_eq!(client.calls() - before, calls, "{fields:?}");
        let seventh = records.iter().find(|record| record.id.as_str() == ids[7]).unwrap();
        assert!(seventh.stamp.is_some());
        if fields.len() == 2 {
            assert_eq!(seventh.values[1], Some(Value::text("ACME")));
        }
    }
    let none = client.read("Contact", &Selection::new(["LastName"]), &["no id".into()]).await.unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn records_are_found_by_key_without_regard_to_case_and_by_their_maker() {
    let served = serve().await;
    served.seed_contacts(1_200);
    let client = served.client();
    let selection = Selection::new(["LastName", "Email"]);
    let values: Vec<Value> =
        (0..1_200).map(|number| Value::text(format!("PERSON{number}@Example.com"))).collect();
    let by = Finder::Field { field: "Email".into(), values };
    assert_eq!(client.find("Contact", &selection, &by).await.unwrap().len(), 1_200);
    let rows = vec![
        vec![Value::text("Person 3"), Value::text("person3@example.com")],
        vec![Value::text("Person 4"), Value::text("person5@example.com")],
        vec![Value::text("Person 6"), Value::Null],
    ];
    let by = Finder::Fields { fields: vec!["LastName".into(), "Email".into()], rows };
    assert_eq!(client.find("Contact", &selection, &by).await.unwrap().len(), 1);
    let by = Finder::CreatedByUs { since: client_now() - TimeDelta::minutes(5) };
    assert!(client.find("Contact", &selection, &by).await.unwrap().is_empty());
    let by = Finder::Field { field: "Nothing__c".into(), values: vec![Value::text("x")] };
    assert_eq!(client.find("Contact", &selection, &by).await.unwrap_err().class, PortClass::Settings);
}

#[tokio::test]
async fn a_field_that_went_away_is_absent_and_the_others_still_come() {
    let served = serve().await;
    served.seed_contacts(1);
    let client = served.client();
    served.org.set_field_permission("Contact", "Title", FieldPermission::Hidden);
    let (_, records) = scan_all(&client, scan_request("Contact", &["LastName", "Title"], None)).await;
    assert_eq!(records[0].values, [Some(Value::text("Person 0")), None]);
    let error = client.scan(&scan_request("Nothing__c", &["Name"], None)).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (PortClass::Blocked, "INVALID_TYPE"));
}

#[tokio::test]
async fn the_reserve_of_calls_is_left_to_others() {
    let served = serve().await;
    let client = served.client();
    client.count("Contact", None).await.unwrap();
    let (used, limit) = client.api_budget().unwrap();
    assert!(used > 0 && limit == 100_000);
    served.org.set_calls_by_others(80_000);
    client.count("Contact", None).await.unwrap();
    let calls = client.calls();
    let error = client.count("Contact", None).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (PortClass::Limit, "API_RESERVE"));
    assert_eq!(client.calls(), calls);
    assert!(client.ask_api_budget().await.unwrap().used >= 80_000);
    served.org.set_calls_by_others(100_000);
    let settings =
        SalesforceSettings { api_reserve_percent: 0, ..served.settings(SignIn::ClientCredentials) };
    let error = served.client_with(settings).count("Contact", None).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (PortClass::Limit, "REQUEST_LIMIT_EXCEEDED"));
}

#[tokio::test]
async fn rights_are_told_object_by_object() {
    let served = serve().await;
    served.seed_contacts(3);
    let denied = ObjectPermission { create: false, edit: false, ..ObjectPermission::default() };
    served.org.set_object_permission("Lead", denied);
    let rights =
        served.client().rights(&["Contact".into(), "Lead".into(), "Nothing__c".into()]).await.unwrap();
    assert!(rights[0].readable && rights[0].createable && rights[0].updateable);
    assert_eq!((rights[0].seen, rights[0].sees_all()), (Some(3), Some(true)));
    assert!(rights[1].readable && !rights[1].createable && !rights[1].updateable);
    assert!(!rights[2].readable);
}
