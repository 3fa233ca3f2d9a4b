//! Reading SALESmanago: everything, what changed, by id, by address.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use forcesync::connect::platform::salesmanago::{CONTACT, Salesmanago, SalesmanagoSettings};
use forcesync::domain::port::{
    Cursor, FeedRequest, Finder, Page, PortClass, ScanRequest, Sink, Source, Stamps,
};
use forcesync::domain::record::{Record, RecordId};
use forcesync::domain::value::Value;
use forcesync::sandbox::faults::{Fault, FaultKind};
use forcesync::sandbox::platform::salesmanago::{NewContact, SalesmanagoOptions};
use serde_json::json;

use crate::salesmanago_account::{Account, names, scan_of};

const DAY: i64 = 86_400_000;

async fn scan_all(client: &Salesmanago, fields: &[&str]) -> Vec<Page> {
    let mut request = scan_of(fields);
    let mut pages = Vec::new();
    loop {
        let page = client.scan(&request).await.unwrap();
        request.mark.clone_from(&page.next);
        pages.push(page);
        if request.mark.is_none() {
            return pages;
        }
    }
}

fn feed(cursor: Cursor, fields: &[&str]) -> FeedRequest {
    FeedRequest { object: CONTACT.into(), selection: names(fields), cursor, mark: None, flag: None }
}

fn since(milliseconds: i64) -> Cursor {
    Cursor(json!({ "since": milliseconds }).to_string())
}

async fn changes_all(client: &Salesmanago, cursor: Cursor, fields: &[&str]) -> Vec<Page> {
    let mut request = feed(cursor, fields);
    let mut pages = Vec::new();
    loop {
        let page = client.changes(std::slice::from_ref(&request)).await.unwrap().remove(0);
        request.mark.clone_from(&page.next);
        pages.push(page);
        if request.mark.is_none() {
            return pages;
        }
    }
}

fn ids(pages: &[Page]) -> BTreeSet<RecordId> {
    pages.iter().flat_map(|page| &page.records).map(|record| record.id.clone()).collect()
}

fn first(record: &Record) -> Option<&Value> {
    record.values.first().and_then(Option::as_ref)
}

/// platform-salesmanago.md §5 “Full list”, §9: by pages of 1,000.
#[tokio::test]
async fn a_scan_reads_every_contact_once_in_pages_of_a_thousand() {
    let account = Account::start().await;
    let seeded: BTreeSet<RecordId> = (0..2500)
        .map(|number| account.seed(&format!("p{number}@x.example"), 1_700_000_000_000 + number))
        .collect();
    let client = account.client();
    let pages = scan_all(&client, &["email", "name", "optedOut", "details.SF_Title", "tags"]).await;
    assert_eq!(ids(&pages), seeded);
    assert_eq!(pages.iter().map(|page| page.records.len()).sum::<usize>(), 2500);
    assert_eq!(account.emulated_calls().total, 4, "three pages and the empty one that ends them");
    let cursors: Vec<bool> = pages.iter().map(|page| page.cursor.is_some()).collect();
    assert_eq!(cursors, [true, false, false, false]);
    let record = &pages[0].records[0];
    assert!(record.stamp.is_some());
    assert!(record.values.iter().all(Option::is_some), "{record:?}");
}

#[tokio::test]
async fn a_scan_goes_on_at_its_mark_in_another_process() {
    let account = Account::start().await;
    for number in 0..1200 {
        account.seed(&format!("p{number}@x.example"), 1_700_000_000_000);
    }
    let page = account.client().scan(&scan_of(&["email"])).await.unwrap();
    let rest = ScanRequest { mark: page.next, ..scan_of(&["email"]) };
    assert_eq!(account.client().scan(&rest).await.unwrap().records.len(), 200);
}

/// platform-salesmanago.md §5 “Full list dump”: by a job for each page.
#[tokio::test]
async fn where_pages_are_not_offered_the_exported_list_gives_the_ids() {
    let account = Account::start().await;
    let seeded: BTreeSet<RecordId> =
        (0..120).map(|number| account.seed(&format!("p{number}@x.example"), 1_700_000_000_000)).collect();
    account.faults.arm(Fault::new(FaultKind::SuccessFalse).on("paginatedListById"));
    let pages = scan_all(&account.client(), &["email", "optedOut"]).await;
    assert_eq!(ids(&pages), seeded);
    assert!(pages[0].records[0].values.iter().all(Option::is_some));
    assert_eq!(account.called("contact/paginatedContactList/export"), 2);
}

#[tokio::test]
async fn an_idle_account_costs_one_call() {
    let account = Account::start().await;
    account.seed("old@x.example", account.now_ms() - DAY);
    let client = account.client();
    let cursor = client.scan(&scan_of(&["email"])).await.unwrap().cursor.unwrap();
    let before = account.emulated_calls().total;
    let pages = client.changes(&[feed(cursor.clone(), &["email"])]).await.unwrap();
    assert_eq!(account.emulated_calls().total - before, 1);
    assert!(pages[0].records.is_empty() && pages[0].next.is_none());
    assert!(pages[0].cursor.is_some());
}

#[tokio::test]
async fn what_was_edited_a_moment_ago_is_found_even_if_our_clock_is_behind() {
    let account = Account::start().await;
    let client = account.client();
    let cursor = client.scan(&scan_of(&["email"])).await.unwrap().cursor.unwrap();
    let edited = account.seed("new@x.example", account.now_ms() + 3_600_000);
    assert_eq!(ids(&changes_all(&client, cursor, &["email"]).await), BTreeSet::from([edited]));
}

#[tokio::test]
async fn a_server_whose_clock_is_weeks_ahead_of_ours_hides_nothing() {
    let account = Account::start().await;
    let client = account.client();
    let cursor = client.scan(&scan_of(&["email"])).await.unwrap().cursor.unwrap();
    account.server_clock.advance(15 * DAY);
    let fields = json!({"email": "late@x.example"});
    account.emulator.admin_upsert(fields.as_object().unwrap()).unwrap();
    let pages = changes_all(&client, cursor, &["email"]).await;
    assert_eq!(ids(&pages).len(), 1);
    let cursor = pages[0].cursor.clone().unwrap();
    account.server_clock.advance(600_000);
    let cursor = changes_all(&client, cursor, &["email"]).await[0].cursor.clone().unwrap();
    let before = account.emulated_calls().total;
    assert!(ids(&changes_all(&client, cursor, &["email"]).await).is_empty());
    assert_eq!(account.emulated_calls().total - before, 1);
}

/// platform-salesmanago.md §7: windows of at most 30 days.
#[tokio::test]
async fn a_cursor_of_months_ago_is_read_in_windows_of_thirty_days() {
    let options = SalesmanagoOptions { strict_window: true, ..SalesmanagoOptions::default() };
    let account = Account::start_with(options).await;
    let now = account.now_ms();
    let seeded: BTreeSet<RecordId> =
        [95, 61, 60, 30, 1].map(|days| account.seed(&format!("d{days}@x.example"), now - days * DAY)).into();
    let pages = changes_all(&account.client(), since(now - 100 * DAY), &["email"]).await;
    assert_eq!(ids(&pages), seeded);
    assert_eq!(pages.iter().filter(|page| page.cursor.is_some()).count(), 1);
}

#[tokio::test]
async fn a_busy_hour_is_cut_until_one_page_holds_a_window() {
    let account = Account::start().await;
    let now = account.now_ms();
    let seeded: BTreeSet<RecordId> = (0..1500)
        .map(|number| account.seed(&format!("p{number}@x.example"), now - 3_600_000 + number * 1000))
        .collect();
    let pages = changes_all(&account.client(), since(now - DAY), &["email"]).await;
    assert_eq!(ids(&pages), seeded);
    assert!(pages.iter().all(|page| page.records.len() <= 1000));
}

#[tokio::test]
async fn a_second_with_more_than_a_page_is_read_page_by_page() {
    let account = Account::start().await;
    let now = account.now_ms();
    let seeded: BTreeSet<RecordId> =
        (0..2100).map(|number| account.seed(&format!("p{number}@x.example"), now - DAY)).collect();
    let pages = changes_all(&account.client(), since(now - 2 * DAY), &["email"]).await;
    assert_eq!(ids(&pages), seeded);
}

/// Pages are cut by number: what leaves the second while it is read must not hide what stays.
#[tokio::test]
async fn edits_while_a_crowded_second_is_read_hide_nobody() {
    let account = Account::start().await;
    let now = account.now_ms();
    let seeded: Vec<RecordId> =
        (0..2100).map(|number| account.seed(&format!("p{number}@x.example"), now - DAY)).collect();
    let client = account.client();
    let mut request = feed(since(now - 2 * DAY), &["email"]);
    let mut pages = Vec::new();
    let mut edited = 0..;
    loop {
        let page = client.changes(std::slice::from_ref(&request)).await.unwrap().remove(0);
        request.mark.clone_from(&page.next);
        pages.push(page);
        if request.mark.is_none() {
            break;
        }
        for number in edited.by_ref().take(50) {
            let fields = json!({"email": format!("p{number}@x.example"), "city": "Graz"});
            account.emulator.admin_upsert(fields.as_object().unwrap()).unwrap();
        }
        edited.start = edited.start.min(2050);
    }
    assert_eq!(ids(&pages), seeded.into_iter().collect());
}

/// platform-salesmanago.md §7: deletions are found by reading again.
#[tokio::test]
async fn reading_leaves_out_what_is_deleted_or_never_was() {
    let account = Account::start().await;
    let alive = account.seed("alive@x.example", 1_700_000_000_000);
    let deleted = account.seed_contact(NewContact {
        email: "deleted@x.example".into(),
        deleted: true,
        modified_on: 1_700_000_000_000,
        ..NewContact::default()
    });
    let unknown = RecordId::from("00000000-0000-4000-8000-00000000ffff");
    let client = account.client();
    let selection = names(&["email"]);
    let read =
        client.read(CONTACT, &selection, &[deleted, alive.clone(), unknown, alive.clone()]).await.unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].id, alive);
    assert_eq!(first(&read[0]), Some(&"alive@x.example".into()));
}

/// platform-salesmanago.md §9: 50 ids a call.
#[tokio::test]
async fn any_number_of_ids_is_read_fifty_at_a_time() {
    let account = Account::start().await;
    let ids: Vec<RecordId> =
        (0..230).map(|number| account.seed(&format!("p{number}@x.example"), 1_700_000_000_000)).collect();
    let read = account.client().read(CONTACT, &names(&["email"]), &ids).await.unwrap();
    assert_eq!(
        read.iter().map(|record| record.id.clone()).collect::<Vec<_>>(),
        ids,
        "in the order of the ids"
    );
    assert_eq!(account.called("contact/listById"), 5);
}

/// platform-salesmanago.md §6: the address is the key, whatever its case.
#[tokio::test]
async fn contacts_are_found_by_address_whatever_its_case() {
    let account = Account::start().await;
    let ann = account.seed("Ann@X.example", 1_700_000_000_000);
    account.seed("bob@x.example", 1_700_000_000_000);
    let client = account.client();
    let by = Finder::Field {
        field: "email".into(),
        values: vec!["ann@x.EXAMPLE".into(), "none@x.example".into()],
    };
    let found = client.find(CONTACT, &names(&["email"]), &by).await.unwrap();
    assert_eq!(found.iter().map(|record| &record.id).collect::<Vec<_>>(), [&ann]);

    let key = |name: &str| Finder::Fields {
        fields: vec!["email".into(), "name".into()],
        rows: vec![vec!["ann@x.example".into(), name.into()]],
    };
    assert_eq!(client.find(CONTACT, &names(&["email"]), &key("")).await.unwrap()[0].values.len(), 1);
    assert!(client.find(CONTACT, &names(&["email"]), &key("Other")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_search_by_anything_but_address_or_id_is_refused_and_never_empty() {
    let account = Account::start().await;
    let by = Finder::Field { field: "externalId".into(), values: vec!["003".into()] };
    let error = account.client().find(CONTACT, &names(&["email"]), &by).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (PortClass::Settings, "NOT_SEARCHABLE"));
}

/// platform-salesmanago.md §5 “Created since”: by window.
#[tokio::test]
async fn what_was_created_since_a_moment_is_found() {
    let account = Account::start().await;
    let now = account.now_ms();
    account.seed("old@x.example", now - 40 * DAY);
    let young = account.seed("young@x.example", now - 35 * DAY + 3_600_000);
    let moment: DateTime<Utc> = DateTime::from_timestamp_millis(now - 35 * DAY).unwrap();
    let by = Finder::CreatedByUs { since: moment };
    let found = account.client().find(CONTACT, &names(&["email"]), &by).await.unwrap();
    assert_eq!(found.iter().map(|record| &record.id).collect::<Vec<_>>(), [&young]);
}

#[tokio::test]
async fn a_lost_cursor_or_mark_says_so_and_sends_nothing() {
    let account = Account::start().await;
    let client = account.client();
    let error = client.changes(&[feed(Cursor("yesterday".into()), &["email"])]).await.unwrap_err();
    assert_eq!(error.class, PortClass::CursorLost);
    assert_eq!(account.emulated_calls().total, 0);
}

/// platform-salesmanago.md §4.1: an address has at most 254 letters.
#[tokio::test]
async fn the_schema_names_the_details_in_use_and_costs_no_call() {
    let account = Account::start().await;
    account.seed_contact(NewContact {
        email: "a@x.example".into(),
        properties: vec![("SF_Title".into(), "Boss".into())],
        ..NewContact::default()
    });
    let client = account.client().with_details(["details.SF_Title", "Company"]);
    let objects = client.describe(&["contact".into(), "invoice".into()]).await.unwrap();
    assert_eq!(account.emulated_calls().total, 0);
    assert_eq!(objects.len(), 1);
    assert!(objects[0].field("details.SF_Title").is_some());
    assert!(objects[0].field("email").is_some_and(|field| field.required && field.external_id));
    assert_eq!(objects[0].field("email").and_then(|field| field.length), Some(254));
    assert_eq!(client.capabilities(CONTACT).stamps, Stamps::Seconds);
    assert_eq!(client.discover_details().await.unwrap(), ["details.SF_Title"]);
}

/// platform-salesmanago.md §9: no number of calls is confirmed; five a second.
#[tokio::test]
async fn calls_keep_the_pace_of_the_settings() {
    let account = Account::start().await;
    let client = account.client_with(SalesmanagoSettings { requests_per_second: 5.0, ..account.settings() });
    let ids: Vec<RecordId> =
        (0..550).map(|number| account.seed(&format!("p{number}@x.example"), 1_700_000_000_000)).collect();
    client.read(CONTACT, &names(&["email"]), &ids).await.unwrap();
    assert_eq!(account.called("contact/listById"), 11);
    assert!(account.clock.slept().num_milliseconds() >= 2000, "{}", account.clock.slept());
}
