use super::*;

#[tokio::test]
async fn updated_and_deleted_cover_the_window() {
    let client = Client::new();
    let user = client.org.person_user_id();
    let kept = client.org.admin_insert("Contact", &map(json!({"LastName": "Kept"})), &user).unwrap();
    let lost = client.org.admin_insert("Contact", &map(json!({"LastName": "Lost"})), &user).unwrap();
    client.clock.advance(60_000);
    client.org.admin_delete("Contact", &lost, &user).unwrap();
    client.clock.advance(60_000);
    let window = "start=2026-11-21T10:00:00Z&end=2026-11-21T10:10:00%2B00:00";
    let updated = client.get(&format!("/sobjects/Contact/updated/?{window}")).await;
    assert_eq!(updated.json, json!({"ids": [kept], "latestDateCovered": "2026-11-21T10:07:00.000+0000"}));
    let deleted = client.get(&format!("/sobjects/Contact/deleted?{window}")).await;
    assert_eq!(
        deleted.json["deletedRecords"],
        json!([{"id": lost, "deletedDate": "2026-11-21T10:06:00.000+0000"}])
    );
    assert!(deleted.json["earliestDateAvailable"].is_string());
    let far =
        client.get("/sobjects/Contact/updated/?start=2026-01-01T00:00:00Z&end=2026-11-21T10:10:00Z").await;
    assert_eq!(far.json[0]["errorCode"], "INVALID_REPLICATION_DATE");
}

#[tokio::test]
async fn a_late_commit_holds_back_the_date_covered_and_shows_up_later() {
    let client = Client::new();
    let user = client.org.person_user_id();
    client.org.set_commit_delay(120_000);
    client.clock.advance(30_000);
    let late = client.org.admin_insert("Contact", &map(json!({"LastName": "Late"})), &user).unwrap();
    client.clock.advance(60_000);
    let path = "/sobjects/Contact/updated/?start=2026-11-21T10:00:00Z&end=2026-11-21T10:30:00Z";
    let before = client.get(path).await;
    assert_eq!(before.json, json!({"ids": [], "latestDateCovered": "2026-11-21T10:05:30.000+0000"}));
    assert_eq!(client.soql("SELECT Id FROM Contact").await.json["totalSize"], 0);
    client.clock.advance(60_000);
    assert_eq!(client.get(path).await.json["ids"], json!([late]));
    let row = client.soql("SELECT SystemModstamp FROM Contact").await;
    assert_eq!(row.json["records"][0]["SystemModstamp"], "2026-11-21T10:05:30.000+0000");
}

#[tokio::test]
async fn merged_rows_name_their_master_and_children_move() {
    let client = Client::new();
    let user = client.org.person_user_id();
    let add = |name: &str| client.org.admin_insert("Account", &map(json!({"Name": name})), &user).unwrap();
    let (master, loser) = (add("Master"), add("Loser"));
    let child = client
        .org
        .admin_insert("Contact", &map(json!({"LastName": "C", "AccountId": loser})), &user)
        .unwrap();
    client.org.admin_merge("Account", &master, &[&loser], &user).unwrap();
    let all = client.get("/queryAll?q=SELECT+Id,MasterRecordId+FROM+Account+WHERE+IsDeleted=true").await;
    assert_eq!(all.json["records"][0]["MasterRecordId"], master.as_str());
    assert_eq!(client.org.row("Contact", &child).unwrap()["AccountId"], master.as_str());
}

#[tokio::test]
async fn a_converted_lead_names_what_it_became_and_is_closed() {
    let client = Client::new();
    let user = client.org.person_user_id();
    let lead = client
        .org
        .admin_insert("Lead", &map(json!({"LastName": "L", "Company": "Co", "Email": "l@x.example"})), &user)
        .unwrap();
    let made = client.org.admin_convert_lead(&lead, None, Some("Deal"), &user).unwrap();
    let row = client.org.row("Lead", &lead).unwrap();
    assert_eq!(
        (row["ConvertedContactId"].as_str(), &row["IsConverted"]),
        (Some(made.contact.as_str()), &json!(true))
    );
    assert_eq!(client.org.row("Contact", &made.contact).unwrap()["Email"], "l@x.example");
    let refused = client.call("PATCH", &format!("/sobjects/Lead/{lead}"), json!({"Title": "x"})).await;
    assert_eq!(refused.json[0]["errorCode"], "CANNOT_UPDATE_CONVERTED_LEAD");
}
