//! The SOAP API over HTTP, as a client sees it.

use super::*;

async fn send(client: &Client, version: &str, token: &str, headers: &str, body: &str) -> Answer {
    let text = format!(
        "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:u=\"urn:partner.soap.sforce.com\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Header><u:SessionHeader><u:sessionId>{token}</u:sessionId></u:SessionHeader>{headers}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    );
    let request = Request::builder()
        .method("POST")
        .uri(format!("/services/Soap/u/{version}"))
        .header("host", "127.0.0.1:1")
        .header("content-type", "text/xml")
        .header("soapaction", "\"\"")
        .body(Body::from(text))
        .unwrap();
    client.send(request).await
}

async fn soap(client: &Client, body: &str) -> Answer {
    send(client, "67.0", &client.token, "", body).await
}

/// All texts of an element in a reply.
fn texts<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    answer.text.split(&open).skip(1).filter_map(|rest| rest.split(&close).next()).collect()
}

fn convert(lead: &str, more: &str) -> String {
    format!(
        "<u:convertLead><u:leadConverts>{more}<u:leadId>{lead}</u:leadId><u:overwriteLeadSource>false</u:overwriteLeadSource><u:sendNotificationEmail>false</u:sendNotificationEmail></u:leadConverts></u:convertLead>"
    )
}

const CLOSED: &str = "<u:convertedStatus>Closed - Converted</u:convertedStatus>";
const NO_DEAL: &str = "<u:doNotCreateOpportunity>true</u:doNotCreateOpportunity>";

#[tokio::test]
async fn merge_bins_the_losers_moves_their_children_and_gives_the_master_its_values() {
    let client = Client::new();
    let accounts: Vec<String> = ["Master", "One", "Two"]
        .iter()
        .map(|name| client.seed("Account", json!({"Name": name, "SystemModstamp": "2026-01-01T00:00:00Z"})))
        .collect();
    let child = client.seed(
        "Contact",
        json!({"LastName": "C", "AccountId": accounts[1], "LastModifiedDate": "2026-01-01T00:00:00Z", "SystemModstamp": "2026-01-01T00:00:00Z"}),
    );
    let answer = soap(&client, &format!(
        "<u:merge><u:request><u:masterRecord><type xmlns=\"urn:sobject.partner.soap.sforce.com\">Account</type><Id>{}</Id><Phone>+1 &amp; 2</Phone><fieldsToNull>Website</fieldsToNull></u:masterRecord><u:recordToMergeIds>{}</u:recordToMergeIds><u:recordToMergeIds>{}</u:recordToMergeIds></u:request></u:merge>",
        accounts[0], accounts[1], accounts[2]
    )).await;
    assert_eq!((answer.status, texts(&answer, "success")), (200, vec!["true"]), "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "text/xml;charset=UTF-8");
    assert_eq!(texts(&answer, "mergedRecordIds"), [accounts[1].as_str(), &accounts[2]]);
    assert_eq!(texts(&answer, "updatedRelatedIds"), [child.as_str()]);
    assert_eq!(texts(&answer, "type"), ["API REQUESTS"]);
    assert_eq!(client.org.row("Account", &accounts[0]).unwrap()["Phone"], "+1 & 2");
    let moved = client.org.row("Contact", &child).unwrap();
    assert_eq!(
        (moved["AccountId"].as_str(), moved["SystemModstamp"].as_str(), moved["LastModifiedDate"].as_str()),
        (
            Some(accounts[0].as_str()),
            Some("2026-11-21T10:05:00.000+0000"),
            Some("2026-01-01T00:00:00.000+0000")
        )
    );
    let gone = client
        .get("/queryAll?q=SELECT+Id,MasterRecordId,SystemModstamp+FROM+Account+WHERE+IsDeleted=true+ORDER+BY+Id")
        .await;
    assert_eq!(names(&gone, "Id"), [accounts[1].clone(), accounts[2].clone()]);
    assert_eq!(names(&gone, "MasterRecordId"), [accounts[0].clone(), accounts[0].clone()]);
    assert_eq!(names(&gone, "SystemModstamp")[0], "2026-11-21T10:05:00.000+0000");
}

#[tokio::test]
async fn a_master_may_take_over_the_unique_key_of_its_loser() {
    let client = Client::new();
    let master = client.seed("Contact", json!({"LastName": "M"}));
    let loser = client.seed("Contact", json!({"LastName": "L", "SALESmanago_Id__c": "sm-1"}));
    let answer = soap(&client, &format!(
        "<u:merge><u:mergeRequests><u:masterRecord><type>Contact</type><Id>{master}</Id><SALESmanago_Id__c>sm-1</SALESmanago_Id__c></u:masterRecord><u:recordToMergeIds>{loser}</u:recordToMergeIds></u:mergeRequests></u:merge>"
    )).await;
    assert_eq!(texts(&answer, "success"), ["true"], "{}", answer.text);
    assert_eq!(client.org.row("Contact", &master).unwrap()["SALESmanago_Id__c"], "sm-1");
}

#[tokio::test]
async fn a_merge_that_is_refused_changes_nothing() {
    let client = Client::new();
    let ids: Vec<String> =
        (0..4).map(|n| client.seed("Contact", json!({"LastName": format!("L{n}")}))).collect();
    let lead = client.seed("Lead", json!({"LastName": "L", "Company": "C"}));
    let opportunity = client.seed("Opportunity", json!({"Name": "O"}));
    let merge = |kind: &str, master: &str, fields: &str, losers: &[&str]| {
        let losers = losers
            .iter()
            .fold(String::new(), |all, id| all + "<u:recordToMergeIds>" + id + "</u:recordToMergeIds>");
        format!(
            "<u:merge><u:request><u:masterRecord><type>{kind}</type><Id>{master}</Id>{fields}</u:masterRecord>{losers}</u:request></u:merge>"
        )
    };
    for (body, code) in [
        (merge("Contact", &ids[0], "", &[&ids[1], &ids[2], &ids[3]]), "MERGE_FAILED"),
        (merge("Contact", &ids[0], "", &[&ids[0]]), "MERGE_FAILED"),
        (merge("Contact", &ids[0], "", &[&lead]), "INVALID_CROSS_REFERENCE_KEY"),
        (merge("Contact", &ids[0], "", &["nonsense"]), "MALFORMED_ID"),
        (merge("Opportunity", &opportunity, "", &[&opportunity]), "INVALID_TYPE"),
        (merge("Contact", &ids[0], "<Email>no address</Email>", &[&ids[1]]), "INVALID_EMAIL_ADDRESS"),
        (merge("Contact", &ids[0], "<Nothing__c>x</Nothing__c>", &[&ids[1]]), "INVALID_FIELD"),
    ] {
        let answer = soap(&client, &body).await;
        assert_eq!(answer.status, 200);
        assert_eq!((texts(&answer, "statusCode"), texts(&answer, "success")), (vec![code], vec!["false"]));
    }
    assert_eq!(client.org.count("Contact"), 4);
}

#[tokio::test]
async fn person_accounts_merge_with_their_shadows() {
    let client = Client::with(OrgOptions { person_accounts: true, ..OrgOptions::default() });
    let user = client.org.person_user_id();
    let make =
        |name: &str| client.org.admin_insert("Account", &map(json!({"LastName": name})), &user).unwrap();
    let (master, loser) = (make("M"), make("L"));
    let shadow =
        |id: &str| client.org.row("Account", id).unwrap()["PersonContactId"].as_str().unwrap().to_owned();
    let (kept, gone) = (shadow(&master), shadow(&loser));
    let task = client.seed("Task", json!({"Subject": "Call", "WhoId": gone}));
    let business = client.org.admin_insert("Account", &map(json!({"Name": "B"})), &user).unwrap();
    let mixed = client.org.admin_merge("Account", &master, &[&business], &user).unwrap_err();
    assert_eq!(mixed.code, "INVALID_PERSON_ACCOUNT_OPERATION");
    client.org.admin_merge("Account", &master, &[&loser], &user).unwrap();
    assert_eq!(client.org.row("Task", &task).unwrap()["WhoId"], kept.as_str());
    let bin = client.get("/queryAll?q=SELECT+Id,MasterRecordId+FROM+Contact+WHERE+IsDeleted=true").await;
    assert_eq!((names(&bin, "Id"), names(&bin, "MasterRecordId")), (vec![gone], vec![kept]));
}

#[tokio::test]
async fn convert_lead_makes_all_three_and_closes_the_lead() {
    let client = Client::new();
    let lead = client.seed("Lead", json!({"LastName": "Rower", "FirstName": "Ann", "Company": "Boats & Co", "Email": "ann@x.example",
        "Phone": "1", "Title": "Cox", "City": "Łódź", "Website": "https://x.example", "LeadSource": "Web", "HasOptedOutOfEmail": true,
        "SALESmanago_Id__c": "sm-7", "Newsletter_Consent_Date__c": "2026-01-01T00:00:00Z"}));
    let task = client.seed("Task", json!({"Subject": "Call", "WhoId": lead}));
    let answer = soap(&client, &convert(&lead, CLOSED)).await;
    assert_eq!((answer.status, texts(&answer, "success")), (200, vec!["true"]), "{}", answer.text);
    let id = |name: &str| texts(&answer, name)[0].to_owned();
    let account = client.org.row("Account", &id("accountId")).unwrap();
    assert_eq!((&account["Name"], &account["BillingCity"]), (&json!("Boats & Co"), &json!("Łódź")));
    assert_eq!(account["SALESmanago_Id__c"], Value::Null, "the person's key is the contact's");
    let contact = client.org.row("Contact", &id("contactId")).unwrap();
    for (field, value) in [
        ("Name", json!("Ann Rower")),
        ("Email", json!("ann@x.example")),
        ("MailingCity", json!("Łódź")),
        ("HasOptedOutOfEmail", json!(true)),
        ("SALESmanago_Id__c", json!("sm-7")),
        ("Newsletter_Consent_Date__c", json!("2026-01-01T00:00:00.000+0000")),
        ("AccountId", json!(id("accountId"))),
    ] {
        assert_eq!(contact[field], value, "{field}");
    }
    let opportunity = client.org.row("Opportunity", &id("opportunityId")).unwrap();
    assert_eq!(
        (&opportunity["Name"], &opportunity["CloseDate"], &opportunity["LeadSource"]),
        (&json!("Boats & Co-"), &json!("2026-12-31"), &json!("Web"))
    );
    let row = client.org.row("Lead", &lead).unwrap();
    for (field, value) in [
        ("IsConverted", json!(true)),
        ("Status", json!("Closed - Converted")),
        ("ConvertedDate", json!("2026-11-21")),
        ("ConvertedAccountId", json!(id("accountId"))),
        ("ConvertedContactId", json!(id("contactId"))),
        ("ConvertedOpportunityId", json!(id("opportunityId"))),
        ("LastModifiedById", json!(client.org.integration_user_id())),
        ("SystemModstamp", json!("2026-11-21T10:05:00.000+0000")),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    assert_eq!(client.org.row("Task", &task).unwrap()["WhoId"], json!(id("contactId")));
    let edit = client.call("PATCH", &format!("/sobjects/Lead/{lead}"), json!({"Title": "x"})).await;
    assert_eq!(edit.json[0]["errorCode"], "CANNOT_UPDATE_CONVERTED_LEAD");
    let again = soap(&client, &convert(&lead, CLOSED)).await;
    assert_eq!(texts(&again, "statusCode"), ["CANNOT_UPDATE_CONVERTED_LEAD"]);
}

#[tokio::test]
async fn convert_lead_into_records_that_exist_fills_their_blanks_only() {
    let client = Client::new();
    let account = client.seed("Account", json!({"Name": "Held", "Phone": "9"}));
    let contact =
        client.seed("Contact", json!({"LastName": "Held", "AccountId": account, "LeadSource": "Other"}));
    let lead = client.seed(
        "Lead",
        json!({"LastName": "New", "Company": "New Co", "Phone": "1", "Title": "Cox", "LeadSource": "Web", "Website": "https://n.example"}),
    );
    let into =
        format!("<u:accountId>{account}</u:accountId><u:contactId>{contact}</u:contactId>{CLOSED}{NO_DEAL}");
    let answer = soap(&client, &convert(&lead, &into)).await;
    assert_eq!(texts(&answer, "contactId"), [contact.as_str()], "{}", answer.text);
    assert!(answer.text.contains("<opportunityId xsi:nil=\"true\"/>"));
    let row = client.org.row("Contact", &contact).unwrap();
    assert_eq!(
        (&row["LastName"], &row["Title"], &row["LeadSource"]),
        (&json!("Held"), &json!("Cox"), &json!("Other"))
    );
    let row = client.org.row("Account", &account).unwrap();
    assert_eq!((&row["Phone"], &row["Website"]), (&json!("9"), &json!("https://n.example")));
    assert_eq!(client.org.count("Opportunity"), 0);
}

#[tokio::test]
async fn convert_lead_refuses_a_status_that_does_not_mean_converted_and_owners_that_are_no_users() {
    let client = Client::new();
    let queue = client.org.rows("Group")[0]["Id"].as_str().unwrap().to_owned();
    let lead = client.seed("Lead", json!({"LastName": "L", "Company": "C", "OwnerId": queue}));
    let wrong = "<u:convertedStatus>Closed - Not Converted</u:convertedStatus>";
    let answer = soap(&client, &convert(&lead, wrong)).await;
    assert_eq!(texts(&answer, "statusCode"), ["INVALID_STATUS"]);
    assert_eq!(texts(&answer, "message"), ["invalid convertedStatus: Closed - Not Converted"]);
    let answer = soap(&client, &convert(&lead, CLOSED)).await;
    assert_eq!(texts(&answer, "statusCode"), ["UNKNOWN_EXCEPTION"]);
    assert!(texts(&answer, "message")[0].starts_with("Converted objects can only be owned by users."));
    let owner = format!("<u:ownerId>{}</u:ownerId>{CLOSED}", client.org.person_user_id());
    let answer = soap(&client, &convert(&lead, &owner)).await;
    assert_eq!(texts(&answer, "success"), ["true"], "{}", answer.text);
    assert_eq!((client.org.count("Contact"), client.org.count("Account")), (1, 1));
}

#[tokio::test]
async fn a_lead_without_company_becomes_a_person_where_there_are_such() {
    let client = Client::with(OrgOptions { person_accounts: true, ..OrgOptions::default() });
    let lead = client
        .seed("Lead", json!({"LastName": "Solo", "Email": "solo@x.example", "SALESmanago_Id__c": "sm-3"}));
    let answer = soap(&client, &convert(&lead, &format!("{CLOSED}{NO_DEAL}"))).await;
    assert_eq!(texts(&answer, "success"), ["true"], "{}", answer.text);
    let account = client.org.row("Account", texts(&answer, "accountId")[0]).unwrap();
    assert_eq!(
        (&account["PersonEmail"], &account["PersonContactId"], &account["SALESmanago_Id__pc"]),
        (&json!("solo@x.example"), &json!(texts(&answer, "contactId")[0]), &json!("sm-3"))
    );
}

#[tokio::test]
async fn undelete_brings_back_what_was_deleted_together_and_an_emptied_bin_nothing() {
    let client = Client::new();
    let user = client.org.person_user_id();
    let account = client.seed("Account", json!({"Name": "A"}));
    let contact = client.seed("Contact", json!({"LastName": "C", "AccountId": account}));
    client.org.admin_delete("Account", &account, &user).unwrap();
    assert!(client.org.row("Contact", &contact).is_none());
    client.clock.advance(60_000);
    let back =
        soap(&client, &format!("<u:undelete><ns1:ids xmlns:ns1=\"x\">{account}</ns1:ids></u:undelete>"))
            .await;
    assert_eq!((texts(&back, "id"), texts(&back, "success")), (vec![account.as_str()], vec!["true"]));
    let row = client.org.row("Contact", &contact).unwrap();
    assert_eq!(row["SystemModstamp"], "2026-11-21T10:06:00.000+0000");
    client.org.admin_delete("Contact", &contact, &user).unwrap();
    let emptied =
        soap(&client, &format!("<u:emptyRecycleBin><u:ids>{contact}</u:ids></u:emptyRecycleBin>")).await;
    assert_eq!(texts(&emptied, "success"), ["true"], "{}", emptied.text);
    assert_eq!(client.get("/queryAll?q=SELECT+Id+FROM+Contact").await.json["totalSize"], 0);
    let late = soap(&client, &format!("<u:undelete><u:ids>{contact}</u:ids></u:undelete>")).await;
    assert_eq!(texts(&late, "statusCode"), ["UNDELETE_FAILED"]);
    let told =
        client.get("/sobjects/Contact/deleted?start=2026-11-21T10:00:00Z&end=2026-11-21T10:30:00Z").await;
    assert_eq!(told.json["deletedRecords"][0]["id"], contact.as_str());
}

#[tokio::test]
async fn create_update_and_delete_work_row_by_row_or_all_or_none() {
    let client = Client::new();
    let rows = "<u:sObjects><type>Contact</type><LastName>A</LastName></u:sObjects><u:sObjects><type>Contact</type><FirstName>B</FirstName></u:sObjects>";
    let created = soap(&client, &format!("<u:create>{rows}</u:create>")).await;
    assert_eq!(texts(&created, "success"), ["true", "false"], "{}", created.text);
    assert_eq!(texts(&created, "statusCode"), ["REQUIRED_FIELD_MISSING"]);
    let id = texts(&created, "id")[0];
    let whole = "<u:AllOrNoneHeader><u:allOrNone>true</u:allOrNone></u:AllOrNoneHeader>";
    let none = send(&client, "67.0", &client.token, whole, &format!("<u:create>{rows}</u:create>")).await;
    assert_eq!(texts(&none, "statusCode"), ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]);
    assert_eq!(client.org.count("Contact"), 1);
    let update = format!(
        "<u:update><u:sObjects><type>Contact</type><Id>{id}</Id><DoNotCall>true</DoNotCall><Title xsi:nil=\"true\"/></u:sObjects></u:update>"
    );
    assert_eq!(texts(&soap(&client, &update).await, "success"), ["true"]);
    assert_eq!(client.org.row("Contact", id).unwrap()["DoNotCall"], json!(true));
    let deleted = soap(&client, &format!("<u:delete><u:ids>{id}</u:ids></u:delete>")).await;
    assert_eq!(texts(&deleted, "success"), ["true"]);
    assert_eq!(client.org.count("Contact"), 0);
}

#[tokio::test]
async fn the_session_is_asked_for_and_told_about_and_ended() {
    let client = Client::new();
    let time = send(&client, "68.0", &client.token, "", "<u:getServerTimestamp/>").await;
    assert_eq!(texts(&time, "timestamp"), ["2026-11-21T10:05:00.000Z"]);
    let user = soap(&client, "<u:getUserInfo/>").await;
    assert_eq!(texts(&user, "userName"), [client.org.options().username.as_str()]);
    assert_eq!(texts(&user, "organizationId"), [client.org.org_id()]);
    let stranger = send(&client, "67.0", "00D!x", "", "<u:getUserInfo/>").await;
    assert_eq!(stranger.status, 500);
    assert_eq!(texts(&stranger, "faultcode"), ["sf:INVALID_SESSION_ID"]);
    assert_eq!(soap(&client, "<u:logout/>").await.status, 200);
    assert_eq!(texts(&soap(&client, "<u:getUserInfo/>").await, "faultcode"), ["sf:INVALID_SESSION_ID"]);
    assert_eq!(client.get("/limits").await.status, 401);
}

#[tokio::test]
async fn what_the_api_does_not_know_is_refused_as_it_does() {
    let client = Client::new();
    let unknown = soap(&client, "<u:makeCoffee/>").await;
    assert_eq!((unknown.status, texts(&unknown, "faultcode")), (500, vec!["soapenv:Client"]));
    assert_eq!(
        texts(&unknown, "faultstring"),
        [
            "No operation available for request {urn:partner.soap.sforce.com}makeCoffee, please check the WSDL for the service."
        ]
    );
    let old = send(&client, "29.0", &client.token, "", "<u:getUserInfo/>").await;
    assert_eq!(texts(&old, "faultcode"), ["sf:UNSUPPORTED_API_VERSION"]);
    let many = "<u:ids>003</u:ids>".repeat(201);
    let refused = soap(&client, &format!("<u:undelete>{many}</u:undelete>")).await;
    assert_eq!(texts(&refused, "faultcode"), ["sf:EXCEEDED_ID_LIMIT"]);
    client.org.set_daily_limit(0);
    let limited = soap(&client, "<u:getUserInfo/>").await;
    assert_eq!(texts(&limited, "faultcode"), ["sf:REQUEST_LIMIT_EXCEEDED"]);
    client.org.set_api_disabled(true);
    assert_eq!(texts(&soap(&client, "<u:getUserInfo/>").await, "faultcode"), ["sf:API_DISABLED_FOR_ORG"]);
}
