use super::*;

fn people(client: &Client) -> Vec<String> {
    let acme = client.seed("Account", json!({"Name": "Acme", "Industry": "Energy"}));
    [
        json!({"LastName": "Álvarez", "FirstName": "Inés", "Email": "ines@acme.example", "AccountId": acme, "LeadSource": "Web", "Birthdate": "1990-02-03"}),
        json!({"LastName": "brown", "Email": "Bob@Acme.example", "AccountId": acme, "LeadSource": "Other", "HasOptedOutOfEmail": true}),
        json!({"LastName": "Chen", "FirstName": "Wei", "Description": "x".repeat(300), "SystemModstamp": "2026-11-20T00:00:00Z"}),
    ]
    .into_iter()
    .map(|fields| client.seed("Contact", fields))
    .collect()
}

#[tokio::test]
async fn rows_show_parents_nulls_and_the_orgs_date_form() {
    let client = Client::new();
    let ids = people(&client);
    let answer = client.soql("SELECT Id, FirstName, Account.Name, Account.Owner.Name, Owner.Name, CreatedDate, Birthdate, MailingAddress FROM Contact WHERE LastName = 'BROWN'").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let row = &answer.json["records"][0];
    assert_eq!(
        row["attributes"],
        json!({"type": "Contact", "url": format!("/services/data/v67.0/sobjects/Contact/{}", ids[1])})
    );
    assert_eq!(row["FirstName"], Value::Null);
    assert_eq!(row["Account"]["Name"], "Acme");
    assert_eq!(row["Account"]["Owner"]["Name"], "Marta Lindqvist");
    assert_eq!(row["CreatedDate"], "2026-11-21T10:05:00.000+0000");
    assert_eq!(row["MailingAddress"], Value::Null);
    assert_eq!(answer.json["totalSize"], 1);
    assert!(answer.json.get("nextRecordsUrl").is_none());
}

#[tokio::test]
async fn conditions_select_what_they_say() {
    let client = Client::new();
    let ids = people(&client);
    for (condition, expected) in [
        ("Email = 'INES@acme.example'".to_owned(), vec!["Álvarez"]),
        ("Email LIKE '%@acme.%'".to_owned(), vec!["Álvarez", "brown"]),
        ("Email = null".to_owned(), vec!["Chen"]),
        ("LeadSource != 'Web'".to_owned(), vec!["brown", "Chen"]),
        ("LeadSource NOT IN ('Web', 'Other')".to_owned(), vec!["Chen"]),
        (format!("Id IN ('{}', '{}')", ids[0].get(..15).unwrap(), ids[2]), vec!["Álvarez", "Chen"]),
        (format!("Id > '{}'", ids[0]), vec!["brown", "Chen"]),
        ("Account.Industry = 'energy' AND (NOT HasOptedOutOfEmail = true)".to_owned(), vec!["Álvarez"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name LIKE 'a%')".to_owned(), vec!["Álvarez", "brown"]),
        ("Id NOT IN (SELECT ReportsToId FROM Contact)".to_owned(), vec!["Álvarez", "brown", "Chen"]),
        ("Birthdate < 1990-02-04".to_owned(), vec!["Álvarez"]),
        ("CALENDAR_YEAR(Birthdate) = 1990".to_owned(), vec!["Álvarez"]),
        ("SystemModstamp >= 2026-11-21T11:05:00+01:00".to_owned(), vec!["Álvarez", "brown"]),
        ("SystemModstamp < 2026-11-21T00:00:00Z".to_owned(), vec!["Chen"]),
        ("CreatedDate = TODAY AND LastName > 'c'".to_owned(), vec!["Álvarez", "Chen"]),
        ("LastName = 'O\\'Brien' OR FirstName = 'wei'".to_owned(), vec!["Chen"]),
    ] {
        let answer =
            client.soql(&format!("SELECT LastName FROM Contact WHERE {condition} ORDER BY Id")).await;
        assert_eq!(answer.status, 200, "{condition}: {}", answer.text);
        assert_eq!(names(&answer, "LastName"), expected, "{condition}");
    }
}

#[tokio::test]
async fn order_limit_and_offset_apply_in_that_order() {
    let client = Client::new();
    people(&client);
    let ordered =
        client.soql("SELECT LastName FROM Contact ORDER BY FirstName DESC NULLS LAST, LastName").await;
    assert_eq!(names(&ordered, "LastName"), ["Chen", "Álvarez", "brown"]);
    let nulls_first = client.soql("SELECT LastName FROM Contact ORDER BY FirstName LIMIT 1 OFFSET 1").await;
    assert_eq!(names(&nulls_first, "LastName"), ["Álvarez"]);
    let by_stamp = client.soql("SELECT LastName FROM Contact ORDER BY SystemModstamp, Id LIMIT 2").await;
    assert_eq!(names(&by_stamp, "LastName"), ["Chen", "Álvarez"]);
}

#[tokio::test]
async fn children_totals_and_groups_are_answered() {
    let client = Client::new();
    people(&client);
    let children = client
        .soql("SELECT Name, (SELECT LastName FROM Contacts WHERE LeadSource = 'Web') FROM Account")
        .await;
    assert_eq!(children.json["records"][0]["Contacts"]["records"][0]["LastName"], "Álvarez");
    assert_eq!(children.json["records"][0]["Contacts"]["totalSize"], 1);
    assert_eq!(
        client.soql("select count() from Contact").await.json,
        json!({"totalSize": 3, "done": true, "records": []})
    );
    let groups = client.soql("SELECT LeadSource, COUNT(Id) n, MAX(LastName) FROM Contact GROUP BY LeadSource ORDER BY LeadSource").await;
    assert_eq!(
        groups.json["records"][1],
        json!({"attributes": {"type": "AggregateResult"}, "LeadSource": "Other", "n": 1, "expr0": "brown"})
    );
    assert_eq!(groups.json["records"][0]["LeadSource"], Value::Null);
    let having = client.soql("SELECT AccountId FROM Contact GROUP BY AccountId HAVING COUNT(Id) > 1").await;
    assert_eq!(having.json["totalSize"], 1);
}

#[tokio::test]
async fn refused_queries_name_code_and_place() {
    let client = Client::new();
    client.org.set_field_permission("Contact", "Title", FieldPermission::Hidden);
    for (soql, code, text) in [
        (
            "SELECT Id FROM XYZZY",
            "INVALID_TYPE",
            "ERROR at Row:1:Column:16\nsObject type 'XYZZY' is not supported.",
        ),
        (
            "SELECT Foo__c FROM Account",
            "INVALID_FIELD",
            "ERROR at Row:1:Column:8\nNo such column 'Foo__c' on entity 'Account'.",
        ),
        ("SELECT Title FROM Contact", "INVALID_FIELD", "No such column 'Title' on entity 'Contact'."),
        (
            "SELECT Foo.Name FROM Contact",
            "INVALID_FIELD",
            "Didn't understand relationship 'Foo' in field path.",
        ),
        (
            "SELECT Id, (SELECT Id FROM Foos) FROM Contact",
            "INVALID_TYPE",
            "Didn't understand relationship 'Foos' in FROM part of query call.",
        ),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD", "duplicate field selected: Id"),
        (
            "SELECT Id FROM Contact WHERE CreatedDate > '2026-01-01'",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD", "must be of type string"),
        ("SELECT Id FROM Contact WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY", "LIMIT of at most 200"),
    ] {
        let answer = client.soql(soql).await;
        assert_eq!(
            (answer.status, answer.json[0]["errorCode"].as_str().unwrap()),
            (400, code),
            "{soql}: {}",
            answer.text
        );
        assert!(answer.json[0]["message"].as_str().unwrap().contains(text), "{soql}: {}", answer.text);
    }
}

#[tokio::test]
async fn pages_follow_a_locator_until_it_dies() {
    let client = Client::new();
    let rows: Vec<_> = (0..450).map(|n| map(json!({"LastName": format!("N{n:03}")}))).collect();
    client.org.seed_rows("Contact", &rows);
    let first = client
        .call_with(
            "GET",
            "/query/?q=SELECT+LastName+FROM+Contact",
            Value::Null,
            &[("sforce-query-options", "batchSize=200")],
        )
        .await;
    assert_eq!((first.json["totalSize"].as_u64(), first.json["done"].as_bool()), (Some(450), Some(false)));
    let next = first.json["nextRecordsUrl"]
        .as_str()
        .unwrap()
        .strip_prefix("/services/data/v67.0")
        .unwrap()
        .to_owned();
    assert!(next.ends_with("-200"));
    client
        .org
        .admin_delete("Contact", &client.org.ids("Contact")[210], &client.org.person_user_id())
        .unwrap();
    let second = client.get(&next).await;
    assert_eq!(names(&second, "LastName").len(), 199);
    let third = client.get(&next.replace("-200", "-400")).await;
    assert_eq!((names(&third, "LastName").len(), third.json["done"].as_bool()), (50, Some(true)));
    client.org.expire_locators();
    assert_eq!(client.get(&next).await.json[0]["errorCode"], "INVALID_QUERY_LOCATOR");
}

#[tokio::test]
async fn a_long_address_is_refused() {
    let client = Client::new();
    assert_eq!(client.get(&format!("/query?q={}", "x".repeat(17_000))).await.status, 414);
}

#[tokio::test]
async fn columns_of_a_query_are_told() {
    let client = Client::new();
    let answer = client.get("/tooling/query?q=SELECT+Id,Account.Name+FROM+Contact&columns=true").await;
    let columns = answer.json["columnMetadata"].as_array().unwrap();
    assert_eq!(
        (&columns[1]["columnName"], &columns[1]["joinColumns"][0]["columnName"]),
        (&json!("Account"), &json!("Name"))
    );
    assert_eq!(answer.json["entityName"], "Contact");
}
