//! The service as a client sees it: requests in, replies out.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

const NOW: i64 = 1_800_000_000_000;

struct Bench {
    service: Arc<Salesmanago>,
    clock: Arc<SandboxClock>,
}

impl Bench {
    fn new() -> Self {
        Self::with(SalesmanagoOptions::default())
    }

    fn with(options: SalesmanagoOptions) -> Self {
        let clock = Arc::new(SandboxClock::fixed(NOW));
        Self { service: Salesmanago::new(options, Arc::clone(&clock)), clock }
    }

    async fn raw(&self, path: &str, body: String) -> (StatusCode, Value) {
        let request = Request::post(path).header("host", "127.0.0.1:9").body(Body::from(body)).unwrap();
        let response = self.service.router().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn call(&self, path: &str, mut body: Value) -> Value {
        let options = self.service.options();
        let fields = body.as_object_mut().unwrap();
        fields.insert("clientId".into(), json!(options.client_id));
        fields.insert("apiKey".into(), json!("key"));
        fields.insert("requestTime".into(), json!(NOW));
        fields.insert("sha".into(), json!(auth::signature("key", &options.client_id, &options.api_secret)));
        fields.entry("owner").or_insert(json!(self.service.owner()));
        self.raw(&format!("/api/{path}"), body.to_string()).await.1
    }

    async fn upsert(&self, email: &str, name: &str) -> String {
        let reply = self.call("contact/upsert", json!({"contact": {"email": email, "name": name}})).await;
        reply["contactId"].as_str().unwrap().to_owned()
    }

    async fn file(&self, url: &Value) -> Value {
        let path = url.as_str().unwrap().strip_prefix("http://127.0.0.1:9").unwrap();
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.service.router().oneshot(request).await.unwrap();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

fn refused(reply: &Value) -> &str {
    assert_eq!(reply["success"], false, "{reply}");
    reply["message"][0].as_str().unwrap()
}

/// platform-salesmanago.md §2, §3: a refusal comes with status 200, and the body says so.
#[tokio::test]
async fn a_wrong_signature_is_told_so_with_status_200() {
    let bench = Bench::new();
    let body =
        json!({"clientId": "forcesync-sandbox", "apiKey": "k", "requestTime": 1, "sha": "0", "owner": "x"});
    let (status, reply) = bench.raw("/api/user/listByClient", body.to_string()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(refused(&reply), "User not authenticated");
    let (_, reply) = bench.raw("/api/user/listByClient", "{}".into()).await;
    assert_eq!(refused(&reply), "Not authenticated");
}

/// platform-salesmanago.md §2: the users of an account, by whose address every call names its owner.
#[tokio::test]
async fn users_are_listed_and_an_unknown_owner_is_refused() {
    let bench = Bench::new();
    let reply = bench.call("user/listByClient", json!({})).await;
    assert_eq!(reply["users"][0], bench.service.owner());
    let reply =
        bench.call("contact/hasContact", json!({"owner": "x@y.example", "email": "a@b.example"})).await;
    assert_eq!(refused(&reply), "Owner x@y.example does not exist");
}

/// platform-salesmanago.md §4.1, §4.2: details are a map when written and a list when read. §5 “Upsert one”: both ids come back.
#[tokio::test]
async fn a_written_contact_is_read_in_both_shapes() {
    let bench = Bench::new();
    let body = json!({"contact": {"email": "Ann@B.example", "name": "Ann Lee", "address": {"city": "Łódź"},
        "externalId": "003"}, "properties": {"SF_Account": "Acme"}, "tags": ["X"], "birthday": "19800131",
        "forceOptIn": true});
    let written = bench.call("contact/upsert", body).await;
    assert_eq!((&written["success"], &written["externalId"]), (&json!(true), &json!("003")));
    let basic = bench.call("contact/basic", json!({"email": ["ann@b.EXAMPLE", "no@b.example"]})).await;
    let contacts = basic["contacts"].as_array().unwrap();
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0]["email"], "Ann@B.example");
    assert_eq!((&contacts[0]["birthdayYear"], &contacts[0]["birthdayMonth"]), (&json!("1980"), &json!("01")));
    let full = bench.call("contact/listById", json!({"contactId": [written["contactId"]]})).await;
    let contact = &full["contacts"][0];
    assert_eq!(contact["properties"], json!([{"name": "SF_Account", "value": "Acme"}]));
    assert_eq!(contact["contactTags"], json!([{"tag": "X"}]));
    assert_eq!((&contact["optedOut"], &contact["optedOutPhone"]), (&json!(false), &json!(true)));
    assert_eq!(contact["modifiedOn"], NOW);
}

/// platform-salesmanago.md §5 “Read full”, §9: at most 50 a call.
#[tokio::test]
async fn more_than_fifty_ids_are_refused() {
    let bench = Bench::new();
    let ids: Vec<String> = (0..51).map(|number| number.to_string()).collect();
    let reply = bench.call("contact/listById", json!({"contactId": ids})).await;
    assert!(refused(&reply).contains("at most 50"));
}

/// platform-salesmanago.md §5 “Batch upsert (sync)”.
#[tokio::test]
async fn a_batch_keeps_its_good_rows_and_names_the_bad_one() {
    let bench = Bench::new();
    let rows =
        json!({"upsertDetails": [{"contact": {"email": "a@b.example"}}, {"contact": {"email": "nobody"}}]});
    let reply = bench.call("contact/batchupsert", rows).await;
    assert_eq!(reply["success"], true);
    assert_eq!(reply["contactIds"].as_object().unwrap().len(), 1);
    assert!(reply["message"][0].as_str().unwrap().contains("nobody"));
}

/// platform-salesmanago.md §5 “Batch upsert (async)”, “Job status”: a message until it is done.
#[tokio::test]
async fn a_batch_job_is_in_progress_first_and_leaves_a_file() {
    let bench = Bench::new();
    let rows = json!({"fireEvents": false, "upsertDetails": [{"contact": {"email": "a@b.example"}}, {"contact": {}}]});
    let accepted = bench.call("contact/batchupsertv2", rows).await;
    assert_eq!(bench.service.counts().0, 0, "nothing is written before the job ran");
    let number = accepted["requestId"].as_u64().unwrap();
    let running = bench.call("job/status", json!({"requestId": number})).await;
    assert_eq!((running["message"].as_array().unwrap().len(), &running["fileUrl"]), (1, &Value::Null));
    let done = bench.call("job/status", json!({"requestId": number.to_string()})).await;
    assert_eq!(done["message"], json!([]));
    let file = bench.file(&done["fileUrl"]).await;
    assert_eq!(
        (&file["contacts"][0]["success"], &file["contacts"][1]["success"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(bench.service.counts().0, 1);
    assert_eq!(bench.service.side_effects().events_fired, 0);
}

/// platform-salesmanago.md §5 “Job status”, §12.
#[tokio::test]
async fn a_batch_job_that_nobody_polls_is_done_after_a_minute() {
    let bench = Bench::new();
    bench
        .call("contact/batchupsertv2", json!({"upsertDetails": [{"contact": {"email": "a@b.example"}}]}))
        .await;
    bench.clock.advance(60_000);
    bench.call("user/listByClient", json!({})).await;
    assert_eq!(bench.service.counts().0, 1);
    assert_eq!(bench.service.side_effects().events_fired, 1, "events fire unless told not to");
}

/// platform-salesmanago.md §5 “Modified since, paged”, §7: pages from 1, until there are no more; no feed of deletions.
#[tokio::test]
async fn changed_contacts_are_listed_by_page_and_deleted_ones_are_not() {
    let bench = Bench::new();
    for number in 0..5 {
        bench.upsert(&format!("p{number}@b.example"), "P").await;
        bench.clock.advance(10);
    }
    bench.call("contact/delete", json!({"email": "p1@b.example"})).await;
    let window = |page: u32| json!({"from": NOW, "to": NOW + 1000, "page": page, "size": 3});
    let first = bench.call("contact/paginatedModifiedContacts", window(1)).await;
    let second = bench.call("contact/paginatedModifiedContacts", window(2)).await;
    assert_eq!((&first["hasMore"], &second["hasMore"]), (&json!(true), &json!(false)));
    assert_eq!(first["modifiedContacts"].as_array().unwrap().len(), 3);
    assert_eq!(second["modifiedContacts"][0]["email"], "p4@b.example");
    let deleted = bench.call("contact/basic", json!({"email": "p1@b.example"})).await;
    assert_eq!(deleted["contacts"][0]["deleted"], true);
}

/// platform-salesmanago.md §7: windows of 30 days.
#[tokio::test]
async fn a_strict_account_refuses_windows_of_more_than_thirty_days() {
    let bench = Bench::with(SalesmanagoOptions { strict_window: true, ..SalesmanagoOptions::default() });
    let reply = bench.call("contact/modifiedContacts", json!({"from": 0, "to": NOW})).await;
    assert!(refused(&reply).contains("30 days"));
}

/// platform-salesmanago.md §5 “Full list dump”: an empty list is the end.
#[tokio::test]
async fn the_contact_list_is_exported_page_by_page_until_it_is_empty() {
    let bench = Bench::with(SalesmanagoOptions { job_polls: 0, ..SalesmanagoOptions::default() });
    for number in 0..3 {
        bench.upsert(&format!("p{number}@b.example"), "P").await;
    }
    let mut sizes = Vec::new();
    for page in 1..=3 {
        let accepted =
            bench.call("contact/paginatedContactList/export", json!({"page": page, "size": 2})).await;
        let done = bench.call("job/status", json!({"requestId": accepted["requestId"]})).await;
        sizes.push(bench.file(&done["fileUrl"]).await["contacts"].as_array().unwrap().len());
    }
    assert_eq!(sizes, [2, 1, 0]);
}

/// platform-salesmanago.md §5 “Opt-in/out e-mail”, §8.
#[tokio::test]
async fn opt_in_and_out_work_one_by_one_and_in_batches() {
    let bench = Bench::new();
    bench.upsert("a@b.example", "A").await;
    bench.call("contact/batchoptin", json!({"emails": ["a@b.example"]})).await;
    bench.call("contact/phoneoptin", json!({"email": "a@b.example"})).await;
    let contact = bench.service.contact("a@b.example").unwrap();
    assert_eq!((&contact["optedOut"], &contact["optedOutPhone"]), (&json!(false), &json!(false)));
    bench.call("contact/optout", json!({"email": "a@b.example"})).await;
    assert_eq!(bench.service.contact("a@b.example").unwrap()["optedOut"], true);
}

/// platform-salesmanago.md §2, §3: `user` in the place of `owner`, and the words of the refusal.
#[tokio::test]
async fn statistics_insist_on_a_user() {
    let bench = Bench::new();
    let period = json!({"from": 1, "to": 2});
    let reply = bench.call("email/globalConversationStatistics", period).await;
    assert_eq!(refused(&reply), "User cannot be empty");
}

/// platform-salesmanago.md §9: 429 is possible; the number is a setting.
#[tokio::test]
async fn the_eleventh_request_of_a_second_is_too_many_under_real_pace() {
    let bench = Bench::with(SalesmanagoOptions { real_pace: true, ..SalesmanagoOptions::default() });
    for _ in 0..10 {
        assert_eq!(bench.call("user/listByClient", json!({})).await["success"], true);
    }
    let (status, _) = bench.raw("/api/user/listByClient", "{}".into()).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
}

/// platform-salesmanago.md §8: `useApiDoubleOptIn` sends the confirmation mail.
#[tokio::test]
async fn double_opt_in_is_counted_as_a_mail() {
    let bench = Bench::new();
    let body = json!({"contact": {"email": "a@b.example"}, "useApiDoubleOptIn": true});
    bench.call("contact/upsert", body).await;
    assert_eq!(bench.service.side_effects().mails_sent, 1);
}

/// platform-salesmanago.md §3: other codes than 200.
#[tokio::test]
async fn what_is_not_json_and_what_does_not_exist_have_their_own_status() {
    let bench = Bench::new();
    assert_eq!(bench.raw("/api/contact/list", "no".into()).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(bench.raw("/api/contact/nothing", "{}".into()).await.0, StatusCode::NOT_FOUND);
}
