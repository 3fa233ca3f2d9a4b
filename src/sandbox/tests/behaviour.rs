//! What the org does by itself and what people do in it, steered over HTTP and seen through the API.

use super::*;

const WINDOW: &str = "start=2027-01-15T07:00:00Z&end=2027-01-15T10:00:00Z";

struct World {
    sandbox: Sandbox,
    url: String,
    token: String,
}

impl World {
    /// An org with few people; the clock stands at 2027-01-15T08:00:00Z.
    async fn start() -> Self {
        let sandbox = start(20).await;
        let salesforce = sandbox.ready().salesforce;
        Self { sandbox, url: salesforce.url, token: salesforce.access_token }
    }

    async fn steer(&self, what: &str, body: Value) -> Value {
        http(&self.url, "POST", &format!("/_sandbox/{what}"), &body.to_string()).await.1
    }

    async fn record(&self, edit: Value) -> Value {
        self.steer("records", edit).await["results"][0].clone()
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let header = format!("Authorization: Bearer {}\r\nContent-Type: application/json", self.token);
        send(&self.url, method, &format!("/services/data/v67.0{path}"), &header, body).await
    }

    async fn soql(&self, soql: &str) -> Value {
        self.call("GET", &format!("/query?q={}", soql.replace(' ', "+")), "").await.1
    }

    async fn one(&self, soql: &str) -> Value {
        self.soql(soql).await["records"][0].clone()
    }

    async fn wait(&self, seconds: u64) {
        self.steer("clock", json!({"advance_ms": seconds * 1_000})).await;
    }
}

fn id(done: &Value) -> String {
    assert_eq!(done["success"], json!(true), "{done}");
    done["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn records_are_merged_converted_brought_back_and_purged_by_steering() {
    let world = World::start().await;
    let insert = async |object: &str, fields: Value| {
        id(&world.record(json!({"action": "insert", "object": object, "fields": fields})).await)
    };
    let (master, loser) = (
        insert("Contact", json!({"LastName": "M"})).await,
        insert("Contact", json!({"LastName": "L"})).await,
    );
    let merged = world
        .record(json!({"action": "merge", "object": "Contact", "id": master, "losers": [loser], "fields": {"Title": "Both"}}))
        .await;
    assert_eq!((id(&merged), &merged["losers"]), (master.clone(), &json!([loser])));
    let row = world.one(&format!("SELECT Title FROM Contact WHERE Id = '{master}'")).await;
    assert_eq!(row["Title"], "Both");
    let back = world.record(json!({"action": "undelete", "object": "Contact", "id": loser})).await;
    assert_eq!(id(&back), loser);
    world.record(json!({"action": "delete", "object": "Contact", "id": loser})).await;
    assert_eq!(id(&world.record(json!({"action": "purge", "object": "Contact", "id": loser})).await), loser);
    let gone = world.record(json!({"action": "undelete", "object": "Contact", "id": loser})).await;
    assert_eq!(gone["code"], "UNDELETE_FAILED");
    let lead = insert("Lead", json!({"LastName": "L", "Company": "Co"})).await;
    let account = insert("Account", json!({"Name": "Held"})).await;
    let converted = world
        .record(json!({"action": "convert", "object": "Lead", "id": lead, "account": account, "opportunity": "Deal"}))
        .await;
    assert_eq!((id(&converted), &converted["account"]), (lead.clone(), &json!(account)));
    let row = world
        .one(&format!("SELECT ConvertedContactId, ConvertedOpportunity.Name FROM Lead WHERE Id = '{lead}'"))
        .await;
    assert_eq!(row["ConvertedContactId"], converted["contact"]);
    assert!(converted["opportunity"].as_str().unwrap().starts_with("006"));
    let wrong = world
        .record(json!({"action": "convert", "object": "Lead", "id": lead, "status": "Open - Not Contacted"}))
        .await;
    assert_eq!(wrong["code"], "CANNOT_UPDATE_CONVERTED_LEAD");
}

#[tokio::test]
async fn automation_before_the_save_belongs_to_the_saver_and_sees_what_was_sent() {
    let world = World::start().await;
    let rules = json!({"rules": [
        {"object": "Contact", "on": "create", "set": {"LastName": {"title_case": "LastName"}, "Department": {"copy": "LastName"}}},
        {"object": "contact", "by": "integration", "if": {"field": "LeadSource", "is": "web"},
         "set": {"Title": {"upper": "Title"}, "Description": {"append": " (web)"}, "DoNotCall": true}},
    ]});
    let set = world.steer("automation", rules).await;
    assert_eq!((set["rules"].as_array().unwrap().len(), &set["pending"]), (2, &json!(0)));
    let body = r#"{"LastName": "mc rower", "Title": "cox", "LeadSource": "Web"}"#;
    let (status, made) = world.call("POST", "/sobjects/Contact", body).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("/sobjects/Contact/{}", made["id"].as_str().unwrap());
    let (_, row) = world.call("GET", &path, "").await;
    for (field, value) in [
        ("LastName", json!("Mc Rower")),
        ("Name", json!("Mc Rower")),
        ("Department", json!("mc rower")),
        ("Title", json!("COX")),
        ("Description", json!("(web)")),
        ("DoNotCall", json!(true)),
        ("LastModifiedById", json!(world.sandbox.org().integration_user_id())),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    let person =
        world.record(json!({"object": "Contact", "id": made["id"], "fields": {"Title": "stroke"}})).await;
    id(&person);
    let (_, row) = world.call("GET", &path, "").await;
    assert_eq!((&row["Title"], &row["Description"]), (&json!("stroke"), &json!("(web)")));
}

#[tokio::test]
async fn automation_after_the_save_writes_in_its_own_name_and_time() {
    let world = World::start().await;
    let rule = json!({"object": "Lead", "after": 30, "if": {"field": "Rating", "is": null}, "set": {"Rating": "Warm"}});
    world.steer("automation", rule).await;
    let lead = id(&world
        .record(json!({"action": "insert", "object": "Lead", "fields": {"LastName": "L", "Company": "Co"}}))
        .await);
    let soql = format!("SELECT Rating, LastModifiedById, SystemModstamp FROM Lead WHERE Id = '{lead}'");
    world.wait(29).await;
    assert_eq!(world.one(&soql).await["Rating"], Value::Null);
    let (_, shown) = http(&world.url, "GET", "/_sandbox/automation", "").await;
    assert_eq!((&shown["pending"], &shown["rules"][0]["after"]), (&json!(1), &json!(30.0)));
    world.wait(61).await;
    let row = world.one(&soql).await;
    assert_eq!(
        (&row["Rating"], &row["SystemModstamp"]),
        (&json!("Warm"), &json!("2027-01-15T08:00:30.000+0000"))
    );
    let org = world.sandbox.org();
    assert!(
        ![org.person_user_id(), org.integration_user_id()]
            .contains(&row["LastModifiedById"].as_str().unwrap().to_owned())
    );
    let (_, updated) = world.call("GET", &format!("/sobjects/Lead/updated/?{WINDOW}"), "").await;
    assert!(updated["ids"].as_array().unwrap().contains(&json!(lead)));
    let (_, shown) = http(&world.url, "GET", "/_sandbox/automation", "").await;
    assert_eq!(shown["pending"], json!(0), "its own write sets off nothing");
}

#[tokio::test]
async fn automation_that_fails_refuses_the_save_and_one_that_cannot_be_is_refused_itself() {
    let world = World::start().await;
    let rule = json!({"name": "Grow", "object": "Contact", "set": {"Title": {"append": "x".repeat(120)}}});
    world.steer("automation", rule).await;
    let body = json!({"LastName": "A", "Title": "t".repeat(20)}).to_string();
    let (status, refused) = world.call("POST", "/sobjects/Contact", &body).await;
    assert_eq!((status, &refused[0]["errorCode"]), (400, &json!("CANNOT_EXECUTE_FLOW_TRIGGER")));
    assert!(refused[0]["message"].as_str().unwrap().contains("“Grow” process failed"));
    for (rule, word) in [
        (json!({"object": "Boat", "set": {"A": 1}}), "Boat"),
        (json!({"object": "Contact", "set": {"Knots__c": 1}}), "Knots__c"),
        (json!({"object": "Contact", "set": {"Name": "x"}}), "read-only"),
        (json!({"object": "Contact", "set": {"Title": {"reverse": "Title"}}}), "reverse"),
        (json!({"object": "Contact", "by": "somebody", "set": {"Title": "x"}}), "somebody"),
        (json!({"object": "Contact", "when": 1, "set": {}}), "when"),
    ] {
        let (status, answer) = http(&world.url, "POST", "/_sandbox/automation", &rule.to_string()).await;
        assert!(status == 400 && answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
    world.steer("automation", json!([])).await;
    assert_eq!(world.call("POST", "/sobjects/Contact", &body).await.0, 201);
}

#[tokio::test]
async fn late_commits_show_up_after_their_stamp_and_hold_the_date_covered_back() {
    let world = World::start().await;
    let set = world.steer("late_commits", json!({"object": "Contact", "seconds": 120})).await;
    assert_eq!(set["late_commits"][0]["by"], "others");
    world.wait(10).await;
    let edit = json!({"action": "insert", "object": "Contact", "fields": {"LastName": "Late"}});
    let late = id(&world.record(edit).await);
    let account = json!({"action": "insert", "object": "Account", "fields": {"Name": "Prompt"}});
    let prompt = id(&world.record(account).await);
    world.wait(60).await;
    let again = world.record(json!({"object": "Contact", "id": late, "fields": {"Title": "Later"}})).await;
    assert_eq!(again["success"], json!(true));
    let path = format!("/sobjects/Contact/{late}");
    assert_eq!(world.call("GET", &path, "").await.0, 404);
    assert_eq!(world.soql("SELECT Id FROM Contact WHERE LastName = 'Late'").await["totalSize"], 0);
    let (_, updated) = world.call("GET", &format!("/sobjects/Contact/updated/?{WINDOW}"), "").await;
    assert_eq!(updated["latestDateCovered"], "2027-01-15T08:01:10.000+0000");
    assert!(!updated["ids"].as_array().unwrap().contains(&json!(late)));
    let (_, updated) = world.call("GET", &format!("/sobjects/Account/updated/?{WINDOW}"), "").await;
    assert!(updated["ids"].as_array().unwrap().contains(&json!(prompt)), "other objects are prompt");
    let (_, own) = world.call("POST", "/sobjects/Contact", r#"{"LastName": "Own"}"#).await;
    assert_eq!(
        world.call("GET", &format!("/sobjects/Contact/{}", own["id"].as_str().unwrap()), "").await.0,
        200
    );
    world.wait(120).await;
    let (_, row) = world.call("GET", &path, "").await;
    assert_eq!(
        (&row["Title"], &row["SystemModstamp"]),
        (&json!("Later"), &json!("2027-01-15T08:01:10.000+0000"))
    );
    let (_, updated) = world.call("GET", &format!("/sobjects/Contact/updated/?{WINDOW}"), "").await;
    assert!(updated["ids"].as_array().unwrap().contains(&json!(late)));
    assert_eq!(updated["latestDateCovered"], "2027-01-15T08:03:10.000+0000");
}

#[tokio::test]
async fn a_second_late_write_does_not_show_the_first_one_early() {
    let world = World::start().await;
    let contact = id(&world
        .record(json!({"action": "insert", "object": "Contact", "fields": {"LastName": "Before"}}))
        .await);
    world.steer("late_commits", json!([{"seconds": 100, "by": "person"}])).await;
    for name in ["First", "Second"] {
        world.record(json!({"object": "Contact", "id": contact, "fields": {"LastName": name}})).await;
        world.wait(50).await;
    }
    let soql = format!("SELECT LastName FROM Contact WHERE Id = '{contact}'");
    assert_eq!(world.one(&soql).await["LastName"], "Before");
    let (_, open) = http(&world.url, "GET", "/_sandbox/late_commits", "").await;
    assert_eq!(open["open_rows"], json!(1));
    world.wait(50).await;
    assert_eq!(world.one(&soql).await["LastName"], "Second");
}

#[tokio::test]
async fn a_deletion_that_commits_late_is_told_late() {
    let world = World::start().await;
    let contact = id(&world
        .record(json!({"action": "insert", "object": "Contact", "fields": {"LastName": "Doomed"}}))
        .await);
    world.steer("late_commits", json!({"object": "Contact", "seconds": 120})).await;
    world.record(json!({"action": "delete", "object": "Contact", "id": contact})).await;
    world.wait(60).await;
    let path = format!("/sobjects/Contact/deleted?{WINDOW}");
    let (_, told) = world.call("GET", &path, "").await;
    assert_eq!(
        (&told["deletedRecords"], &told["latestDateCovered"]),
        (&json!([]), &json!("2027-01-15T08:00:00.000+0000"))
    );
    world.wait(60).await;
    let (_, told) = world.call("GET", &path, "").await;
    assert_eq!(told["deletedRecords"][0]["id"], json!(contact));
}

#[tokio::test]
async fn many_rows_can_share_one_stamp() {
    let world = World::start().await;
    let stamp = "2027-01-15T07:30:00Z";
    let many = json!({"action": "insert", "object": "Contact", "count": 5000, "stamp": stamp,
        "fields": {"LastName": "Row {n}", "Email": "row{n}@many.example"}});
    let done = world.record(many).await;
    assert_eq!((&done["success"], &done["count"]), (&json!(true), &json!(5000)), "{done}");
    let found = world
        .soql(&format!(
            "SELECT COUNT() FROM Contact WHERE SystemModstamp = {stamp} AND LastName LIKE 'Row %25'"
        ))
        .await;
    assert_eq!(found["totalSize"], 5000);
    let last =
        world.one("SELECT LastName, CreatedDate FROM Contact WHERE Email = 'row5000@many.example'").await;
    assert_eq!(
        (&last["LastName"], &last["CreatedDate"]),
        (&json!("Row 5000"), &json!("2027-01-15T07:30:00.000+0000"))
    );
    let touched = world.record(json!({"action": "touch", "object": "Contact", "count": 3000})).await;
    assert_eq!(touched["count"], 3000);
    let found = world.soql("SELECT COUNT() FROM Contact WHERE SystemModstamp = 2027-01-15T08:00:00Z").await;
    assert_eq!(found["totalSize"], 3000);
    let none = world.record(json!({"action": "insert", "object": "Contact", "count": 2, "fields": {"LastName": "x", "SALESmanago_Id__c": "same"}})).await;
    assert_eq!(none["code"], "DUPLICATE_VALUE");
    assert_eq!(world.soql("SELECT COUNT() FROM Contact WHERE LastName = 'x'").await["totalSize"], 0);
}

#[tokio::test]
async fn life_also_deletes_brings_back_merges_and_converts_as_often_as_it_is_told() {
    let world = World::start().await;
    let rates = json!({"phone": 0, "moved": 0, "title": 0, "married": 0, "opted_out": 0, "joined": 30, "deleted": 10, "undeleted": 10, "merged": 10, "converted": 10});
    let answer = world.steer("life", json!({"rates": rates, "once": 200})).await;
    assert_eq!(answer["rates"], rates);
    for deed in ["joined", "deleted", "undeleted", "merged", "converted"] {
        assert!(answer["deeds"][deed].as_u64().unwrap() > 5, "{deed}: {answer}");
    }
    assert_eq!(answer["deeds"]["phone"], Value::Null);
    let converted =
        world.soql("SELECT COUNT() FROM Lead WHERE IsConverted = true AND ConvertedDate = 2027-01-15").await;
    assert_eq!(converted["totalSize"], answer["deeds"]["converted"]);
    let (status, refused) = http(&world.url, "POST", "/_sandbox/life", r#"{"rates": {"dances": 1}}"#).await;
    assert!(status == 400 && refused["error"].as_str().unwrap().contains("dances"));
}

#[tokio::test]
async fn a_stale_read_never_swallows_a_write() {
    let world = World::start().await;
    world.steer("faults", json!({"kind": "stale_read", "side": "salesforce"})).await;
    let create = json!({"records": [{"attributes": {"type": "Contact"}, "LastName": "Twice"}]}).to_string();
    for _ in 0..2 {
        assert_eq!(world.call("POST", "/composite/sobjects", &create).await.0, 200);
    }
    let part = |method: &str, url: &str, body: Value| json!({"method": method, "url": url, "referenceId": "r", "body": body});
    let write = json!({"compositeRequest": [part("POST", "/services/data/v67.0/sobjects/Contact", json!({"LastName": "Twice"}))]});
    for _ in 0..2 {
        assert_eq!(world.call("POST", "/composite", &write.to_string()).await.0, 200);
    }
    let rows = world.sandbox.org().rows("Contact");
    let twins: Vec<_> = rows.iter().filter(|row| row["LastName"] == "Twice").collect();
    assert_eq!(twins.len(), 4);
    let id = twins[0]["Id"].as_str().unwrap();
    let retrieve = json!({"ids": [id], "fields": ["Title"]}).to_string();
    let read = json!({"compositeRequest": [{"method": "GET", "referenceId": "r", "url": format!("/services/data/v67.0/sobjects/Contact/{id}?fields=Title")}]}).to_string();
    let asks = [("/composite/sobjects/Contact", retrieve.as_str()), ("/composite", read.as_str())];
    let mut first = Vec::new();
    for (path, body) in asks {
        first.push(world.call("POST", path, body).await.1);
    }
    world.record(json!({"object": "Contact", "id": id, "fields": {"Title": "New"}})).await;
    for ((path, body), before) in asks.into_iter().zip(first) {
        assert_eq!(world.call("POST", path, body).await.1, before, "{path}");
    }
    world.steer("faults", json!({"clear": true})).await;
    let (_, fresh) = world.call("POST", "/composite/sobjects/Contact", &retrieve).await;
    assert_eq!(fresh[0]["Title"], "New");
}
