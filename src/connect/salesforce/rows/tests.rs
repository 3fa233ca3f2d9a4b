use std::sync::Arc;

use chrono::DateTime;

use super::super::describe::{CachedSchema, Catalog};
use super::*;
use crate::domain::record::Selection;
use crate::domain::schema::{FieldSchema, ObjectSchema};

fn field(name: &str, kind: FieldKind) -> FieldSchema {
    FieldSchema { name: name.into(), kind, ..FieldSchema::default() }
}

pub(in crate::connect::salesforce) fn catalog() -> Catalog {
    let account = ObjectSchema {
        name: "Account".into(),
        fields: vec![
            field("Id", FieldKind::Id),
            field("Name", FieldKind::Text),
            field("AnnualRevenue", FieldKind::Number),
        ],
        ..ObjectSchema::default()
    };
    let reference = FieldSchema {
        references: vec!["Account".into()],
        relationship: Some("Account".into()),
        ..field("AccountId", FieldKind::Reference)
    };
    let contact = ObjectSchema {
        name: "Contact".into(),
        fields: vec![
            field("Id", FieldKind::Id),
            field("SystemModstamp", FieldKind::Moment),
            field("LastModifiedById", FieldKind::Reference),
            field("LastName", FieldKind::Text),
            field("Email", FieldKind::Email),
            field("HasOptedOutOfEmail", FieldKind::Bool),
            field("Score__c", FieldKind::Number),
            field("Topics__c", FieldKind::Set),
            field("Birthdate", FieldKind::Date),
            FieldSchema { length: Some(32_000), ..field("Description", FieldKind::LongText) },
            field("MailingAddress", FieldKind::Other),
            reference,
        ],
        ..ObjectSchema::default()
    };
    let mut catalog = Catalog::default();
    for schema in [account, contact] {
        let cached = CachedSchema {
            replicateable: true,
            last_modified: String::new(),
            validated_at: DateTime::UNIX_EPOCH,
            schema,
        };
        catalog.objects.insert(cached.schema.name.to_ascii_lowercase(), Arc::new(cached));
    }
    catalog
}

const ROW: &str = r#"{
    "attributes" : { "type" : "Contact", "url" : "/x" },
    "Id" : "003RO0000035WQgYAM", "SystemModstamp" : "2026-11-22T10:00:01.000+0000",
    "LastModifiedById" : "005RO0000035WQgYAM", "LastName" : "Łöwe\n\"x\"", "Email" : null, "Score__c" : 3.0,
    "Topics__c" : "b;a", "Birthdate" : "1980-02-29", "HasOptedOutOfEmail" : true,
    "Account" : { "attributes" : { "type" : "Account" }, "Name" : "ACME", "AnnualRevenue" : 1.5E3 }, "Unasked" : [1, {}]
}"#;

#[test]
fn a_row_lands_in_the_order_of_the_selection() {
    let selection = Selection::new([
        "account.name",
        "LastName",
        "Email",
        "Score__c",
        "Topics__c",
        "Birthdate",
        "HasOptedOutOfEmail",
        "Account.AnnualRevenue",
        "Gone__c",
        "MailingAddress",
        "Id",
    ]);
    let shape = Shape::new(&catalog(), "contact", &selection);
    let records = read_array(&shape, format!("[{ROW}, null]").as_bytes()).unwrap();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.id.as_str(), "003RO0000035WQgYAM");
    assert_eq!(record.stamp.map(|stamp| stamp.timestamp()), Some(1_795_341_601));
    assert_eq!(record.author.as_deref(), Some("005RO0000035WQgYAM"));
    let expected = vec![
        Some(Value::text("ACME")),
        Some(Value::text("Łöwe\n\"x\"")),
        Some(Value::Null),
        Some(Value::Number("3".into())),
        Some(Value::Set(vec!["b".into(), "a".into()])),
        Some(Value::Date("1980-02-29".parse().unwrap())),
        Some(Value::Bool(true)),
        Some(Value::Number("1500".into())),
        None,
        None,
        Some(Value::text("003RO0000035WQgYAM")),
    ];
    assert_eq!(record.values, expected);
}

#[test]
fn only_fields_that_exist_are_asked_for_in_the_org_s_spelling() {
    let selection = Selection::new(["lastname", "ACCOUNT.NAME", "Gone__c", "Owner.Name"]);
    let shape = Shape::new(&catalog(), "Contact", &selection);
    assert_eq!(shape.columns(), ["Id", "SystemModstamp", "LastModifiedById", "LastName", "Account.Name"]);
    assert!(shape.has_parents());
}

#[test]
fn a_missing_parent_makes_its_fields_blank_and_not_absent() {
    let selection = Selection::new(["Account.Name"]);
    let shape = Shape::new(&catalog(), "Contact", &selection);
    let row = br#"[{"Id":"003RO0000035WQgYAM","Account":null}]"#;
    let records = read_array(&shape, row).unwrap();
    assert_eq!(records.first().unwrap().values, [Some(Value::Null)]);
}

#[test]
fn a_page_tells_its_total_and_where_it_goes_on() {
    let shape = Shape::new(&catalog(), "Contact", &Selection::new(["LastName"]));
    let body = format!(
        r#"{{"totalSize":5000,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/01g-2000","records":[{ROW}]}}"#
    );
    let page = read_query(&shape, body.as_bytes()).unwrap();
    assert_eq!((page.total, page.records.len()), (5000, 1));
    assert_eq!(page.next.as_deref(), Some("/services/data/v67.0/query/01g-2000"));
}

#[test]
fn what_is_cut_off_is_an_error() {
    let shape = Shape::new(&catalog(), "Contact", &Selection::new(["LastName"]));
    assert!(read_query(&shape, br#"{"totalSize":1,"records":[{"Id":"003"#).is_err());
}

#[test]
fn recorded_pages_are_read() {
    let folder =
        std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/recordings/replies-restforce"));
    for name in ["query_success_response", "query_empty_response", "query_paginated_first_page_response"] {
        let Ok(body) = std::fs::read(folder.join(format!("{name}.json"))) else { return };
        assert!(read_query(&Shape::default(), &body).is_ok(), "{name}");
    }
}
