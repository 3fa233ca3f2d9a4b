//! The sandbox as a whole: started in process, asked over real connections.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

mod behaviour;

const NOW: i64 = 1_800_000_000_000;

async fn start(records: u64) -> Sandbox {
    let options = SandboxOptions { records, fixed_clock: Some(NOW), ..SandboxOptions::default() };
    Sandbox::start(options).await.unwrap()
}

async fn http(url: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    send(url, method, path, "X-Nothing: 0", body).await
}

async fn send(url: &str, method: &str, path: &str, header: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
    let length = body.len();
    let start = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    let head = format!("{start}{header}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all((head + body).as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn the_ready_object_has_what_a_client_needs_and_what_is_planted() {
    let sandbox = start(300).await;
    let ready = serde_json::to_value(sandbox.ready()).unwrap();
    assert_eq!((&ready["event"], &ready["platform"]["kind"]), (&json!("ready"), &json!("salesmanago")));
    for field in
        ["url", "username", "password", "security_token", "client_id", "client_secret", "access_token"]
    {
        assert!(!ready["salesforce"][field].as_str().unwrap().is_empty(), "{field}");
    }
    assert_eq!(ready["platform"]["endpoint"], ready["platform"]["url"]);
    let planted = &ready["planted"];
    assert_eq!(
        planted["expect_failed"].as_u64().unwrap(),
        ["duplicates", "bad_email", "over_long"]
            .iter()
            .map(|name| planted[name].as_u64().unwrap())
            .sum::<u64>()
    );
    sandbox.stop().await;
}

#[tokio::test]
async fn both_sides_hold_as_many_as_planted() {
    let sandbox = start(1000).await;
    let planted = sandbox.planted();
    assert_eq!(sandbox.org().count("Contact") + sandbox.org().count("Lead"), 1000);
    let (live, deleted) = sandbox.salesmanago().counts();
    let only = ["platform_only", "empty_company", "bad_email", "over_long"];
    let expected = planted.get("on_platform") + only.iter().map(|name| planted.get(name)).sum::<u64>();
    assert_eq!((live as u64, deleted as u64), (expected, planted.get("deleted")));
    assert_eq!(expected, 600 + 50 + 6 + 3 + 3);
}

#[tokio::test]
async fn a_linked_contact_equals_its_org_record_where_the_first_mappings_look() {
    let sandbox = start(1000).await;
    let contacts = sandbox.salesmanago().contacts();
    let mut linked = 0;
    for row in sandbox.org().rows("Contact").iter().chain(&sandbox.org().rows("Lead")) {
        let Some(id) = row.get("SALESmanago_Id__c").and_then(Value::as_str) else { continue };
        let contact = contacts.iter().find(|contact| contact["id"] == json!(id)).unwrap();
        linked += 1;
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let name = format!("{} {}", text("FirstName"), text("LastName"));
        assert_eq!(contact["name"].as_str().unwrap(), name.trim());
        assert_eq!(contact["externalId"], row["Id"]);
        assert_eq!(contact["email"].as_str().unwrap().to_lowercase(), text("Email").to_lowercase());
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        assert_eq!(digits(contact["phone"].as_str().unwrap()), digits(text("MobilePhone")));
        assert_eq!(contact["optedOut"], row["HasOptedOutOfEmail"]);
    }
    assert_eq!(linked as u64, sandbox.planted().get("on_platform") - sandbox.planted().get("different"));
}

#[tokio::test]
async fn steering_moves_the_clock_edits_records_and_shows_them() {
    let sandbox = start(20).await;
    let url = sandbox.ready().salesforce.url;
    let (_, clock) = http(&url, "POST", "/_sandbox/clock", r#"{"advance": "2h"}"#).await;
    assert_eq!(clock["now_ms"], NOW + 7_200_000);
    let body = json!({"records": [
        {"side": "platform", "fields": {"email": "new@x.example", "name": "New", "city": "Łódź", "optedOut": false}},
        {"side": "platform", "action": "delete", "where": {"email": "nobody@x.example"}},
    ]});
    let (_, done) = http(&url, "POST", "/_sandbox/records", &body.to_string()).await;
    assert_eq!(
        (&done["results"][0]["success"], &done["results"][1]["success"]),
        (&json!(true), &json!(false))
    );
    let (_, dump) = http(&url, "GET", "/_sandbox/dump?side=platform", "").await;
    let contacts = dump["platform"]["contact"].as_array().unwrap();
    let new = contacts.iter().find(|contact| contact["email"] == "new@x.example").unwrap();
    assert_eq!((&new["address"]["city"], &new["modifiedOn"]), (&json!("Łódź"), &json!(NOW + 7_200_000)));
    let (_, state) = http(&url, "GET", "/_sandbox/state", "").await;
    assert_eq!(state["planted"]["people"], 20);
}

#[tokio::test]
async fn a_fault_is_armed_over_http_strikes_and_is_seen_in_the_log_of_calls() {
    let sandbox = start(5).await;
    let (url, platform) = (sandbox.ready().salesforce.url, sandbox.ready().platform.url);
    let fault = r#"{"kind": "too_many", "side": "platform", "on": "contact/list", "count": 1}"#;
    let (_, armed) = http(&url, "POST", "/_sandbox/faults", fault).await;
    assert_eq!(armed["armed"][0]["kind"], "too_many");
    assert_eq!(http(&platform, "POST", "/api/contact/list", "{}").await.0, 429);
    assert_eq!(http(&platform, "POST", "/api/contact/list", "{}").await.0, 200);
    let (_, calls) = http(&url, "GET", "/_sandbox/calls?since=0&side=platform", "").await;
    assert_eq!(
        (&calls["calls"][0]["fault"], &calls["calls"][0]["status"]),
        (&json!("too_many"), &json!(429))
    );
    assert_eq!(calls["counts"]["platform"]["total"], 2);
    assert_eq!(calls["counts"]["salesforce"]["total"], 0, "steering is not logged");
    let (status, refused) = http(&url, "POST", "/_sandbox/faults", r#"{"kind": "rain"}"#).await;
    assert!(status == 400 && refused["error"].as_str().unwrap().contains("rain"));
}

#[tokio::test]
async fn life_changes_both_sides_and_the_same_seed_lives_the_same_life() {
    let sandbox = start(200).await;
    let happened = sandbox.life().happen(200);
    assert!(happened > 180, "{happened}");
    assert_eq!(sandbox.life().edits(), happened);
    let changed =
        sandbox.salesmanago().contacts().iter().filter(|contact| contact["modifiedOn"] == NOW).count();
    assert!(changed > 40, "{changed}");
    let other = start(200).await;
    other.life().happen(200);
    let names = |sandbox: &Sandbox| -> Vec<Value> {
        sandbox.salesmanago().contacts().iter().map(|contact| contact["name"].clone()).collect()
    };
    assert_eq!(names(&sandbox), names(&other));
}

#[tokio::test]
async fn the_platform_listens_on_the_next_port_and_an_unknown_one_is_refused() {
    let unknown = SandboxOptions { platform: "abacus".into(), ..SandboxOptions::default() };
    assert!(Sandbox::start(unknown).await.is_err());
    let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = Some(taken.local_addr().unwrap().port());
    let message = Sandbox::start(SandboxOptions { port, ..SandboxOptions::default() }).await.err().unwrap();
    assert!(message.to_string().contains("--port"), "{message}");
}

/// What a first sync would make of a platform contact in the org.
fn as_lead(contact: &Value) -> serde_json::Map<String, Value> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&contact["name"]);
    let (given, family) = name.split_once(' ').unwrap_or(("", &name));
    let fields = json!({"FirstName": given, "LastName": family, "Email": text(&contact["email"]),
        "Company": text(&contact["company"]), "MobilePhone": text(&contact["phone"]), "Fax": text(&contact["fax"]),
        "Street": text(&contact["address"]["streetAddress"]), "PostalCode": text(&contact["address"]["zipCode"]),
        "City": text(&contact["address"]["city"]), "Country": text(&contact["address"]["country"])});
    fields.as_object().unwrap().clone()
}

#[tokio::test]
async fn the_org_refuses_just_the_platform_contacts_that_are_planted_for_it() {
    let sandbox = start(2000).await;
    let org = sandbox.org();
    let known: std::collections::HashSet<String> = ["Contact", "Lead"]
        .iter()
        .flat_map(|object| org.rows(object))
        .filter_map(|row| row.get("Email").and_then(Value::as_str).map(str::to_lowercase))
        .collect();
    let mut refused: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for contact in sandbox.salesmanago().contacts() {
        let email = contact["email"].as_str().unwrap().to_lowercase();
        if contact["deleted"] == json!(true) || known.contains(&email) {
            continue;
        }
        let outcome = org.admin_insert("Lead", &as_lead(&contact), &org.integration_user_id());
        let code = outcome.map_or_else(|error| error.code, |_| "none".to_owned());
        *refused.entry(code).or_default() += 1;
    }
    let planted = sandbox.planted();
    let count = |code: &str| refused.get(code).copied().unwrap_or_default();
    assert_eq!(count("INVALID_EMAIL_ADDRESS"), planted.get("bad_email"));
    assert_eq!(count("STRING_TOO_LONG"), planted.get("over_long"));
    assert_eq!(count("REQUIRED_FIELD_MISSING"), planted.get("empty_company"));
    assert_eq!(count("none"), planted.get("platform_only"));
}

#[tokio::test]
async fn the_platform_takes_everybody_of_the_org_who_has_an_email() {
    let sandbox = start(1000).await;
    for row in sandbox.org().rows("Contact").iter().chain(&sandbox.org().rows("Lead")) {
        let Some(email) = row.get("Email").and_then(Value::as_str) else { continue };
        let fields = json!({"email": email, "name": row["Name"]});
        sandbox.salesmanago().admin_upsert(fields.as_object().unwrap()).unwrap();
    }
}

#[tokio::test]
async fn person_accounts_are_people_with_a_shadow_contact() {
    let options = SandboxOptions { records: 100, person_accounts: true, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    assert_eq!(sandbox.org().count_where("Account", "IsPersonAccount = true"), Ok(20));
    assert_eq!(
        sandbox.org().count_where("Account", "IsPersonAccount = true AND PersonEmail != null"),
        Ok(20)
    );
    assert_eq!(sandbox.org().count_where("Contact", "IsPersonAccount = true"), Ok(20));
    assert_eq!(sandbox.org().count_where("Contact", "IsPersonAccount = false"), Ok(44));
    let (live, _) = sandbox.salesmanago().counts();
    assert_eq!(live, 60 + 5);
    assert!(sandbox.life().happen(100) > 85);
}

#[tokio::test]
async fn converted_leads_point_to_their_contact_and_stamps_lie_in_the_past() {
    let sandbox = start(1000).await;
    let leads = sandbox.org().rows("Lead");
    let converted: Vec<_> = leads.iter().filter(|lead| lead["IsConverted"] == json!(true)).collect();
    assert_eq!(converted.len() as u64, sandbox.planted().get("converted"));
    for lead in converted {
        let contact = sandbox.org().row("Contact", lead["ConvertedContactId"].as_str().unwrap()).unwrap();
        assert_eq!(contact["Email"], lead["Email"]);
    }
    let recent = seed::stamp(NOW - 3_600_000);
    assert!(leads.iter().all(|lead| lead["SystemModstamp"].as_str().unwrap() < recent.as_str()));
    assert!(leads.iter().all(|lead| lead["CreatedDate"].as_str() <= lead["LastModifiedDate"].as_str()));
}

#[tokio::test]
async fn a_row_fault_reaches_a_write_through_the_api() {
    let sandbox = start(5).await;
    sandbox.arm_fault(faults::Fault::new(faults::FaultKind::RowLock).on("insert Lead").times(1));
    let (url, token) = (sandbox.ready().salesforce.url, sandbox.ready().salesforce.access_token);
    let body = r#"{"LastName": "Row", "Company": "Acme"}"#;
    let first = api(&url, &token, "/services/data/v60.0/sobjects/Lead", body).await;
    assert_eq!((first.0, &first.1[0]["errorCode"]), (400, &json!("UNABLE_TO_LOCK_ROW")));
    assert_eq!(api(&url, &token, "/services/data/v60.0/sobjects/Lead", body).await.0, 201);
}

async fn api(url: &str, token: &str, path: &str, body: &str) -> (u16, Value) {
    let header = format!("Authorization: Bearer {token}\r\nContent-Type: application/json");
    send(url, "POST", path, &header, body).await
}

#[tokio::test]
async fn life_goes_on_by_itself_at_its_rate_until_it_is_stopped() {
    let sandbox = start(50).await;
    assert_eq!(sandbox.life().edits(), 0);
    sandbox.life().set_per_second(500.0);
    let some = async {
        while sandbox.life().edits() < 5 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), some).await.unwrap();
    sandbox.life().set_per_second(0.0);
    assert!(sandbox.life().per_second() < 0.1);
}

#[tokio::test]
async fn a_sandbox_with_tls_says_https_and_hands_out_its_authority() {
    let tls = Some(vec!["acme.example".to_owned()]);
    let sandbox =
        Sandbox::start(SandboxOptions { records: 1, tls, ..SandboxOptions::default() }).await.unwrap();
    assert!(sandbox.ready().salesforce.url.starts_with("https://127.0.0.1:"));
    assert!(sandbox.ready().platform.get("endpoint").starts_with("https://127.0.0.1:"));
    assert!(sandbox.ca_pem().unwrap().contains("BEGIN CERTIFICATE"));
    sandbox.stop().await;
}
