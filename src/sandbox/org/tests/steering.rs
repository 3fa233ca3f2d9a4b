use super::*;

struct EverySecond(std::sync::atomic::AtomicUsize);

impl RowFaults for EverySecond {
    fn row(&self, object: &str, operation: &str) -> Option<(String, String)> {
        let count = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        (object == "Contact" && operation == "insert" && count % 2 == 1).then(|| {
            ("UNABLE_TO_LOCK_ROW".to_owned(), "unable to obtain exclusive access to this record".to_owned())
        })
    }
}

#[tokio::test]
async fn row_faults_hit_single_rows_of_a_call() {
    let client = Client::new();
    client.org.set_row_faults(Arc::new(EverySecond(std::sync::atomic::AtomicUsize::new(0))));
    let row = json!({"attributes": {"type": "Contact"}, "LastName": "A"});
    let answer = client.call("POST", "/composite/sobjects", json!({"records": [row, row]})).await;
    assert_eq!(
        (&answer.json[0]["success"], &answer.json[1]["errors"][0]["statusCode"]),
        (&json!(true), &json!("UNABLE_TO_LOCK_ROW"))
    );
}

#[tokio::test]
async fn missing_rights_refuse_in_the_orgs_way() {
    let client = Client::new();
    let id = client.seed("Contact", json!({"LastName": "A"}));
    client.org.set_object_permission(
        "Contact",
        ObjectPermission { create: false, edit: false, ..ObjectPermission::default() },
    );
    assert_eq!(
        client.call("POST", "/sobjects/Contact", json!({"LastName": "A"})).await.json[0]["errorCode"],
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    );
    let edit = client.call("PATCH", &format!("/sobjects/Contact/{id}"), json!({"LastName": "B"})).await;
    assert_eq!(
        (edit.status, edit.json[0]["errorCode"].as_str().unwrap()),
        (403, "INSUFFICIENT_ACCESS_OR_READONLY")
    );
    client
        .org
        .set_object_permission("Contact", ObjectPermission { read: false, ..ObjectPermission::default() });
    assert_eq!(client.soql("SELECT Id FROM Contact").await.json[0]["errorCode"], "INVALID_TYPE");
    assert_eq!(client.get("/sobjects/Contact/describe").await.status, 404);
    client.org.set_object_permission("Contact", ObjectPermission::default());
    client.org.set_field_permission("Contact", "Title", FieldPermission::Read);
    let read_only = client.call("PATCH", &format!("/sobjects/Contact/{id}"), json!({"Title": "B"})).await;
    assert_eq!(read_only.json[0]["errorCode"], "INVALID_FIELD_FOR_INSERT_UPDATE");
}

#[tokio::test]
async fn person_accounts_keep_a_shadow_that_only_they_write() {
    let client = Client::with(OrgOptions { person_accounts: true, ..OrgOptions::default() });
    let person = client.call("POST", "/sobjects/Account", json!({"LastName": "Doe", "FirstName": "Jo", "PersonEmail": "jo@x.example", "SALESmanago_Id__pc": "sm-9"})).await;
    assert_eq!(person.status, 201, "{}", person.text);
    let row = client.get(&format!("/sobjects/Account/{}", person.json["id"].as_str().unwrap())).await.json;
    assert_eq!((row["Name"].as_str(), &row["IsPersonAccount"]), (Some("Jo Doe"), &json!(true)));
    let shadow = row["PersonContactId"].as_str().unwrap().to_owned();
    let contact = client
        .soql("SELECT Id, Email, SALESmanago_Id__c, IsPersonAccount, AccountId FROM Contact")
        .await
        .json["records"][0]
        .clone();
    assert_eq!(
        (contact["Id"].as_str(), contact["Email"].as_str(), contact["SALESmanago_Id__c"].as_str()),
        (Some(shadow.as_str()), Some("jo@x.example"), Some("sm-9"))
    );
    let refused = client.call("PATCH", &format!("/sobjects/Contact/{shadow}"), json!({"Title": "x"})).await;
    assert_eq!(refused.json[0]["errorCode"], "INVALID_PERSON_ACCOUNT_OPERATION");
    let changed = client
        .call(
            "PATCH",
            &format!("/sobjects/Account/{}", person.json["id"].as_str().unwrap()),
            json!({"PersonEmail": "new@x.example"}),
        )
        .await;
    assert_eq!(changed.status, 204, "{}", changed.text);
    assert_eq!(client.org.row("Contact", &shadow).unwrap()["Email"], "new@x.example");
    assert_eq!(client.call("POST", "/sobjects/Account", json!({"Name": "Business"})).await.status, 201);
    assert_eq!(
        client.call("POST", "/sobjects/Account", json!({"Phone": "1"})).await.json[0]["errorCode"],
        "REQUIRED_FIELD_MISSING"
    );
}

#[tokio::test]
async fn custom_objects_come_from_a_file() {
    let schema = ExtraSchema::parse(
        "[[object]]\nname = 'Invoice__c'\n[[field]]\nobject = 'Invoice__c'\nname = 'Payer__c'\ntype = 'reference'\nreference_to = ['Account']\nchild_relationship = 'Invoices__r'\n[[field]]\nobject = 'Contact'\nname = 'Topics__c'\ntype = 'multipicklist'\nvalues = ['A', 'B', 'C']\nrestricted = true",
    )
    .unwrap();
    let client = Client::with(OrgOptions { extra_schema: vec![schema], ..OrgOptions::default() });
    let account = client.seed("Account", json!({"Name": "Acme"}));
    let made = client.call("POST", "/sobjects/Invoice__c", json!({"Payer__c": account})).await;
    assert!(made.json["id"].as_str().unwrap().starts_with("a00"), "{}", made.text);
    let answer = client.soql("SELECT Payer__r.Name, Name FROM Invoice__c").await;
    assert_eq!(answer.json["records"][0]["Payer__r"]["Name"], "Acme");
    assert_eq!(
        client.soql("SELECT Id, (SELECT Id FROM Invoices__r) FROM Account").await.json["records"][0]["Invoices__r"]
            ["totalSize"],
        1
    );
    client.call("POST", "/sobjects/Contact", json!({"LastName": "T", "Topics__c": "C;A"})).await;
    let found = client.soql("SELECT Topics__c FROM Contact WHERE Topics__c INCLUDES ('A;C', 'B')").await;
    assert_eq!(found.json["records"][0]["Topics__c"], "A;C");
}

#[tokio::test]
async fn seeded_rows_keep_their_flaws_and_audit_fields() {
    let client = Client::new();
    let id = client.seed("Contact", json!({"LastName": "A", "Email": "not an address", "CreatedDate": "2020-01-02T03:04:05Z", "SystemModstamp": "2021-01-02T03:04:05Z"}));
    let row = client.org.row("Contact", &id).unwrap();
    assert_eq!(
        (row["Email"].as_str(), row["CreatedDate"].as_str()),
        (Some("not an address"), Some("2020-01-02T03:04:05.000+0000"))
    );
    assert_eq!(
        client.soql("SELECT Id FROM Contact WHERE SystemModstamp < 2022-01-01T00:00:00Z").await.json["totalSize"],
        1
    );
}
