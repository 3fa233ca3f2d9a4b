use super::*;

async fn made(client: &Client, object: &str, fields: Value) -> String {
    let answer = client.call("POST", &format!("/sobjects/{object}"), fields).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_record_lives_from_create_to_recycle_bin() {
    let client = Client::new();
    let answer = client
        .call(
            "POST",
            "/sobjects/Contact",
            json!({"LastName": " Doe ", "FirstName": "", "Email": "d@x.example"}),
        )
        .await;
    assert_eq!((answer.status, &answer.json["success"]), (201, &json!(true)));
    let id = answer.json["id"].as_str().unwrap();
    assert_eq!(answer.headers["location"], format!("/services/data/v67.0/sobjects/Contact/{id}"));
    let path = format!("/sobjects/Contact/{id}");
    client.clock.advance(5_000);
    let changed = client.call("PATCH", &path, json!({"Title": "Boss"})).await;
    assert_eq!((changed.status, changed.text.as_str()), (204, ""));
    let row = client.get(&path).await.json;
    assert_eq!(
        (row["LastName"].as_str(), row["Name"].as_str(), &row["FirstName"]),
        (Some("Doe"), Some("Doe"), &Value::Null)
    );
    assert_eq!(row["CreatedDate"], "2026-11-21T10:05:00.000+0000");
    assert_eq!(row["SystemModstamp"], "2026-11-21T10:05:05.000+0000");
    assert_eq!(row["LastModifiedById"], client.org.integration_user_id().as_str());
    let short = id.get(..15).unwrap();
    assert_eq!(client.get(&format!("/sobjects/Contact/{short}?fields=Title")).await.json["Title"], "Boss");
    assert_eq!(client.call("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(client.get(&path).await.json[0]["errorCode"], "ENTITY_IS_DELETED");
    assert_eq!(
        client.call("PATCH", &path, json!({"Title": "x"})).await.json[0]["errorCode"],
        "ENTITY_IS_DELETED"
    );
    let bin = client.get(&format!("/queryAll?q=SELECT+Id,IsDeleted+FROM+Contact+WHERE+Id='{id}'")).await;
    assert_eq!(bin.json["records"][0]["IsDeleted"], json!(true));
    client.org.admin_undelete("Contact", id, &client.org.person_user_id()).unwrap();
    assert_eq!(client.get(&path).await.status, 200);
}

#[tokio::test]
async fn refusals_carry_the_orgs_code_and_field() {
    let client = Client::new();
    let taken = made(&client, "Contact", json!({"LastName": "A", "SALESmanago_Id__c": "sm-1"})).await;
    for (body, code, text) in [
        (
            json!({"FirstName": "A"}),
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [LastName]".to_owned(),
        ),
        (
            json!({"LastName": "A", "Foo": 1}),
            "INVALID_FIELD",
            "No such column 'Foo' on sobject of type Contact".to_owned(),
        ),
        (
            json!({"LastName": "A", "Email": "badone"}),
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: badone".to_owned(),
        ),
        (
            json!({"LastName": "A", "Name": "A"}),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: Name".to_owned(),
        ),
        (
            json!({"LastName": "A", "SALESmanago_Id__c": "SM-1"}),
            "DUPLICATE_VALUE",
            format!("with id: {}", taken.get(..15).unwrap()),
        ),
        (
            json!({"LastName": "A", "AccountId": taken}),
            "MALFORMED_ID",
            "Account ID: id value of incorrect type".to_owned(),
        ),
        (
            json!({"LastName": "A", "AccountId": "001Fs00000000zzAAA"}),
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id".to_owned(),
        ),
        (
            json!({"LastName": "A", "Account": {"SALESmanago_Id__c": "nope"}}),
            "INVALID_FIELD",
            "Foreign key external ID: nope not found".to_owned(),
        ),
        (
            json!({"LastName": "A", "Id": taken}),
            "INVALID_FIELD",
            "Id field should not be specified".to_owned(),
        ),
    ] {
        let answer = client.call("POST", "/sobjects/Contact", body.clone()).await;
        assert_eq!(
            (answer.status, answer.json[0]["errorCode"].as_str().unwrap()),
            (400, code),
            "{body}: {}",
            answer.text
        );
        assert!(answer.json[0]["message"].as_str().unwrap().contains(&text), "{body}: {}", answer.text);
    }
    assert_eq!(client.org.count("Contact"), 1);
    let broken = client
        .call_with("POST", "/sobjects/Contact", Value::Null, &[("content-type", "application/json")])
        .await;
    assert_eq!((broken.status, broken.json[0]["errorCode"].as_str().unwrap()), (400, "JSON_PARSER_ERROR"));
}

#[tokio::test]
async fn upsert_by_external_id_creates_updates_or_refuses() {
    let client = Client::new();
    let path = "/sobjects/Contact/SALESmanago_Id__c/sm%2F1";
    let created = client.call("PATCH", path, json!({"LastName": "A"})).await;
    assert_eq!((created.status, &created.json["created"]), (201, &json!(true)));
    let updated = client.call("PATCH", path, json!({"LastName": "B"})).await;
    assert_eq!((updated.status, &updated.json["created"]), (200, &json!(false)));
    assert_eq!(created.json["id"], updated.json["id"]);
    assert_eq!(client.get(path).await.json["LastName"], "B");
    assert_eq!(
        client
            .call(
                "PATCH",
                "/sobjects/Contact/SALESmanago_Id__c/none?updateOnly=true",
                json!({"LastName": "B"})
            )
            .await
            .status,
        404
    );
    assert_eq!(
        client.call("PATCH", path, json!({"SALESmanago_Id__c": "sm/1", "LastName": "B"})).await.json[0]["errorCode"],
        "INVALID_FIELD"
    );
    let unknown = client.call("PATCH", "/sobjects/Contact/Namez/1", json!({"LastName": "B"})).await;
    assert_eq!(
        unknown.json,
        json!([{"message": "Provided external ID field does not exist or is not accessible: Namez", "errorCode": "NOT_FOUND", "fields": []}])
    );
    for _ in 0..2 {
        client.seed("Contact", json!({"LastName": "Twin", "Email": "twin@x.example"}));
    }
    let several =
        client.call("PATCH", "/sobjects/Contact/Email/twin@x.example", json!({"LastName": "B"})).await;
    assert_eq!((several.status, several.json.as_array().unwrap().len()), (300, 2));
}

#[tokio::test]
async fn collections_answer_row_by_row_in_order() {
    let client = Client::new();
    let account = made(&client, "Account", json!({"Name": "Acme", "SALESmanago_Id__c": "acc"})).await;
    let records = json!([
        {"attributes": {"type": "Contact"}, "LastName": "A", "Account": {"SALESmanago_Id__c": "acc"}},
        {"attributes": {"type": "Contact"}, "FirstName": "B"},
        {"attributes": {"type": "Lead"}, "LastName": "C", "Company": "D"},
    ]);
    let answer = client.call("POST", "/composite/sobjects", json!({"records": records})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json[1],
        json!({"success": false, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"]}]})
    );
    let id = answer.json[0]["id"].as_str().unwrap();
    assert_eq!(client.get(&format!("/sobjects/Contact/{id}")).await.json["AccountId"], account.as_str());
    let all =
        client.call("POST", "/composite/sobjects", json!({"allOrNone": true, "records": records})).await;
    assert_eq!(all.json[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!((client.org.count("Contact"), client.org.count("Lead")), (1, 1));
    let update = json!({"records": [{"attributes": {"type": "Contact"}, "id": id, "Title": "T"}, {"attributes": {"type": "Contact"}, "id": id, "Title": "U"}]});
    let updated = client.call("PATCH", "/composite/sobjects", update).await;
    assert_eq!(
        (&updated.json[0]["success"], &updated.json[1]["errors"][0]["statusCode"]),
        (&json!(true), &json!("DUPLICATE_VALUE"))
    );
    let upsert = json!({"records": [{"attributes": {"type": "Contact"}, "Email": "n@x.example", "LastName": "N"}, {"attributes": {"type": "Contact"}, "Email": "", "LastName": "N"}]});
    let upserted = client.call("PATCH", "/composite/sobjects/Contact/Email", upsert).await;
    assert_eq!(upserted.json[0]["created"], json!(true));
    assert_eq!(upserted.json[1]["errors"][0]["statusCode"], "MISSING_ARGUMENT");
    let read = client
        .call(
            "POST",
            "/composite/sobjects/Contact",
            json!({"ids": [id, "003Fs0000000zzzAAA"], "fields": ["Title"]}),
        )
        .await;
    assert_eq!((&read.json[0]["Title"], &read.json[1]), (&json!("T"), &Value::Null));
    let deleted = client.call("DELETE", &format!("/composite/sobjects?ids={id},{id}"), Value::Null).await;
    assert_eq!(
        (&deleted.json[0]["success"], &deleted.json[1]["errors"][0]["statusCode"]),
        (&json!(true), &json!("ENTITY_IS_DELETED"))
    );
    let many: Vec<Value> =
        (0..201).map(|_| json!({"attributes": {"type": "Contact"}, "LastName": "X"})).collect();
    assert_eq!(client.call("POST", "/composite/sobjects", json!({"records": many})).await.status, 400);
}

#[tokio::test]
async fn a_composite_uses_earlier_results_and_can_be_one_transaction() {
    let client = Client::new();
    let root = "/services/data/v67.0";
    let requests = json!([
        {"method": "POST", "url": format!("{root}/sobjects/Account"), "referenceId": "acc", "body": {"Name": "Acme"}},
        {"method": "POST", "url": format!("{root}/sobjects/Contact"), "referenceId": "con", "body": {"LastName": "A", "AccountId": "@{acc.id}"}},
        {"method": "GET", "url": format!("{root}/query/?q=SELECT Id, Account.Name FROM Contact WHERE AccountId = '@{{acc.id}}'"), "referenceId": "q"},
        {"method": "PATCH", "url": format!("{root}/sobjects/Contact/@{{q.records[0].Id}}"), "referenceId": "up", "body": {"Title": "T"}},
    ]);
    let answer = client.call("POST", "/composite", json!({"compositeRequest": requests})).await;
    let parts = answer.json["compositeResponse"].as_array().unwrap();
    let statuses: Vec<u64> = parts.iter().map(|part| part["httpStatusCode"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 200, 204], "{}", answer.text);
    assert!(parts[0]["httpHeaders"]["Location"].as_str().unwrap().contains("/sobjects/Account/001"));
    assert_eq!(client.org.api_calls_used(), 1);
    let failing = json!([
        {"method": "POST", "url": format!("{root}/sobjects/Account"), "referenceId": "a", "body": {"Name": "Gone"}},
        {"method": "POST", "url": format!("{root}/sobjects/Contact"), "referenceId": "b", "body": {}},
    ]);
    let answer =
        client.call("POST", "/composite", json!({"allOrNone": true, "compositeRequest": failing})).await;
    assert_eq!(answer.json["compositeResponse"][0]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert_eq!(answer.json["compositeResponse"][1]["body"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!(client.org.count("Account"), 1);
    let broken = json!([{"method": "GET", "url": format!("{root}/sobjects/Account/@{{nope.id}}"), "referenceId": "x"}]);
    let answer = client.call("POST", "/composite", json!({"compositeRequest": broken})).await;
    assert_eq!(answer.json["compositeResponse"][0]["body"][0]["errorCode"], "PROCESSING_HALTED");
}

#[tokio::test]
async fn batch_tree_and_graph_answer_in_their_shapes() {
    let client = Client::new();
    let batch = client.call("POST", "/composite/batch", json!({"batchRequests": [{"method": "GET", "url": "v67.0/limits"}, {"method": "GET", "url": "v67.0/sobjects/Foo"}]})).await;
    assert_eq!(
        (&batch.json["hasErrors"], &batch.json["results"][1]["statusCode"]),
        (&json!(true), &json!(404))
    );
    let tree = json!({"records": [{"attributes": {"type": "Account", "referenceId": "a"}, "Name": "T", "Contacts": {"records": [{"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": "U"}]}}]});
    let planted = client.call("POST", "/composite/tree/Account", tree).await;
    assert_eq!((planted.status, planted.json["results"].as_array().unwrap().len()), (201, 2));
    let graph = json!({"graphs": [{"graphId": "1", "compositeRequest": [{"method": "POST", "url": "/services/data/v67.0/sobjects/Account", "referenceId": "r", "body": {}}]}]});
    let answer = client.call("POST", "/composite/graph", graph).await;
    assert_eq!(answer.json["graphs"][0]["isSuccessful"], json!(false));
}

#[tokio::test]
async fn a_duplicate_rule_refuses_until_told_to_save() {
    let client = Client::with(OrgOptions { duplicate_rule: true, ..OrgOptions::default() });
    let body = json!({"LastName": "A", "Email": "a@x.example"});
    made(&client, "Contact", body.clone()).await;
    let refused = client.call("POST", "/sobjects/Contact", body.clone()).await;
    assert_eq!(refused.json[0]["errorCode"], "DUPLICATES_DETECTED");
    assert_eq!(refused.json[0]["duplicateResult"]["allowSave"], json!(true));
    let saved = client
        .call_with("POST", "/sobjects/Contact", body, &[("sforce-duplicate-rule-header", "allowSave=true")])
        .await;
    assert_eq!(saved.status, 201);
}
