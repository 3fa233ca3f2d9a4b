use super::*;

async fn csv(client: &Client, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/services/data/v67.0{path}"))
        .header("authorization", format!("Bearer {}", client.token))
        .header("content-type", "text/csv")
        .body(Body::from(body.to_owned()))
        .unwrap();
    client.send(request).await
}

async fn ingested(client: &Client, job: Value, data: &str) -> String {
    let made = client.call("POST", "/jobs/ingest", job).await;
    assert_eq!((made.status, made.json["state"].as_str()), (200, Some("Open")), "{}", made.text);
    let id = made.json["id"].as_str().unwrap().to_owned();
    assert_eq!(csv(client, "PUT", &format!("/jobs/ingest/{id}/batches"), data).await.status, 201);
    let closed =
        client.call("PATCH", &format!("/jobs/ingest/{id}/"), json!({"state": "UploadComplete"})).await;
    assert_eq!(closed.json["state"], "UploadComplete");
    id
}

#[tokio::test]
async fn a_query_job_gives_pages_of_csv() {
    let client = Client::new();
    client.org.set_job_delay(10_000);
    let account = client.seed("Account", json!({"Name": "A \"quoted\""}));
    for n in 0..3 {
        client.seed("Contact", json!({"LastName": format!("N{n}"), "AccountId": account}));
    }
    let made = client.call("POST", "/jobs/query", json!({"operation": "query", "query": "SELECT LastName, Account.Name, CreatedDate, Title FROM Contact"})).await;
    assert_eq!((&made.json["state"], &made.json["apiVersion"]), (&json!("UploadComplete"), &json!(67.0)));
    let path = format!("/jobs/query/{}", made.json["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.json["state"], "InProgress");
    assert_eq!(client.get(&format!("{path}/results")).await.status, 204);
    client.clock.advance(10_000);
    assert_eq!(client.get(&path).await.json["numberRecordsProcessed"], 3);
    let first = client.get(&format!("{path}/results?maxRecords=2")).await;
    assert_eq!(
        first.text.lines().nth(1),
        Some("\"N0\",\"A \"\"quoted\"\"\",\"2026-11-21T10:05:00.000Z\",\"\"")
    );
    assert_eq!(
        (&first.headers["sforce-locator"], &first.headers["sforce-numberofrecords"]),
        (&"Mg".parse().unwrap(), &"2".parse().unwrap())
    );
    let last = client.get(&format!("{path}/results?maxRecords=2&locator=Mg")).await;
    assert_eq!(last.headers["sforce-locator"], "null");
    assert_eq!(
        last.text,
        "\"LastName\",\"Account.Name\",\"CreatedDate\",\"Title\"\n\"N2\",\"A \"\"quoted\"\"\",\"2026-11-21T10:05:00.000Z\",\"\"\n"
    );
    assert_eq!(client.call("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(client.get(&path).await.status, 404);
    for soql in [
        "SELECT COUNT() FROM Contact",
        "SELECT MailingAddress FROM Contact",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
    ] {
        let refused = client.call("POST", "/jobs/query", json!({"operation": "query", "query": soql})).await;
        assert_eq!(refused.status, 400, "{soql}");
    }
}

#[tokio::test]
async fn an_ingest_job_sorts_rows_into_written_and_refused() {
    let client = Client::new();
    client.seed("Account", json!({"Name": "Acme", "SALESmanago_Id__c": "acc"}));
    client.seed(
        "Contact",
        json!({"LastName": "Old", "Title": "Boss", "Phone": "1", "SALESmanago_Id__c": "sm-1"}),
    );
    let data = "\u{feff}SALESmanago_Id__c,LastName,Title,Phone,Account.SALESmanago_Id__c,HasOptedOutOfEmail\nsm-1,New,#N/A,,acc,true\nsm-2,,x,,,\n\"sm-3\",\"Two\nlines\",,,,\n";
    let job = json!({"object": "Contact", "operation": "upsert", "externalIdFieldName": "SALESmanago_Id__c", "lineEnding": "LF"});
    let id = ingested(&client, job, data).await;
    let info = client.get(&format!("/jobs/ingest/{id}")).await.json;
    assert_eq!(
        (&info["state"], &info["numberRecordsProcessed"], &info["numberRecordsFailed"]),
        (&json!("JobComplete"), &json!(3), &json!(1))
    );
    let written = client.get(&format!("/jobs/ingest/{id}/successfulResults/")).await.text;
    assert!(written.starts_with("\"sf__Id\",\"sf__Created\",\"SALESmanago_Id__c\""), "{written}");
    assert!(written.contains("\"false\",\"sm-1\"") && written.contains("\"true\",\"sm-3\""), "{written}");
    let refused = client.get(&format!("/jobs/ingest/{id}/failedresults")).await.text;
    assert!(
        refused.contains(
            "\"REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --\",\"sm-2\""
        ),
        "{refused}"
    );
    let rows = client.org.rows("Contact");
    assert_eq!(
        (rows[0]["LastName"].as_str(), &rows[0]["Title"], rows[0]["Phone"].as_str()),
        (Some("New"), &Value::Null, Some("1"))
    );
    assert_eq!(&rows[0]["HasOptedOutOfEmail"], &json!(true));
    assert!(rows[0]["AccountId"].is_string());
}

#[tokio::test]
async fn a_job_with_an_unknown_column_fails_and_returns_its_rows() {
    let client = Client::new();
    let id =
        ingested(&client, json!({"object": "Contact", "operation": "insert"}), "LastName,Foo\nA,1\n").await;
    let info = client.get(&format!("/jobs/ingest/{id}")).await.json;
    assert_eq!(
        (&info["state"], &info["errorMessage"]),
        (&json!("Failed"), &json!("InvalidBatch : Field name not found : Foo"))
    );
    assert_eq!(
        client.get(&format!("/jobs/ingest/{id}/unprocessedrecords/")).await.text,
        "\"LastName\",\"Foo\"\n\"A\",\"1\"\n"
    );
    assert_eq!(client.org.count("Contact"), 0);
}
