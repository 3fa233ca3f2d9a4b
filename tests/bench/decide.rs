//! Deciding (law E2): the three-way merge of linked records, their first meeting, and the values of a new record; one core, no I/O.
//!
//! `cargo bench --bench decide`. The budget of design §7 is 500,000 records a second. Beside each stands the same number of
//! records merely copied.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod common;

use std::hint::black_box;

use chrono::{DateTime, TimeDelta, Utc};
use common::{median, short};
use forcesync::domain::compiled::{CompiledMapping, compile};
use forcesync::domain::mapping::Mapping;
use forcesync::domain::record::{Record, RecordId};
use forcesync::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;
use forcesync::engine::decide::{Present, create, linked};
use forcesync::store::links::{Bases, Link};

const RECORDS: usize = 20_000;

const MAPPING: &str = r#"
name = "contact"
org_object = "Contact"
platform_object = "contact"
[[pair]]
org = "Email"
platform = "email"
key = true
[[pair]]
org = ["FirstName", "LastName"]
platform = "name"
transform = "full_name"
[[pair]]
org = "Phone"
platform = "phone"
[[pair]]
org = ["MailingStreet", "MailingPostalCode", "MailingCity", "MailingCountry"]
platform = ["street", "zip", "city", "country"]
[[pair]]
org = "HasOptedOutOfEmail"
platform = "optedOut"
transform = { consent = { org = "opt_out_flag", platform = "opt_out" } }
"#;

fn schema(name: &str, fields: &[(&str, FieldKind)]) -> ObjectSchema {
    ObjectSchema {
        name: name.into(),
        label: name.into(),
        createable: true,
        updateable: true,
        readable: true,
        fields: fields
            .iter()
            .map(|(name, kind)| FieldSchema {
                name: (*name).into(),
                kind: *kind,
                createable: true,
                updateable: true,
                ..FieldSchema::default()
            })
            .collect(),
    }
}

fn mapping() -> CompiledMapping {
    use FieldKind::{Bool, Email, LongText, Phone, Text};
    let org = [
        ("Email", Email),
        ("FirstName", Text),
        ("LastName", Text),
        ("Phone", Phone),
        ("MailingStreet", LongText),
        ("MailingPostalCode", Text),
        ("MailingCity", Text),
        ("MailingCountry", Text),
        ("HasOptedOutOfEmail", Bool),
    ];
    let platform = [
        ("email", Email),
        ("name", Text),
        ("phone", Phone),
        ("street", Text),
        ("zip", Text),
        ("city", Text),
        ("country", Text),
        ("optedOut", Bool),
    ];
    let schemas =
        PerSide { org: vec![schema("Contact", &org)], platform: vec![schema("contact", &platform)] };
    let spec: Mapping = toml::from_str(MAPPING).unwrap();
    let (compiled, problems) = compile(&[spec], &schemas);
    compiled.mappings.into_iter().next().unwrap_or_else(|| panic!("{problems:?}"))
}

/// One person on either side; `edited` has moved since.
fn records(mapping: &CompiledMapping, number: usize, edited: Option<Side>) -> PerSide<Record> {
    let values = |side: Side, name: &str| -> Value {
        let phone = if edited == Some(side) { "9" } else { "1" };
        match name {
            "Email" | "email" => format!("person{number}@example.invalid").as_str().into(),
            "FirstName" => "Annabel".into(),
            "LastName" => format!("Lee{number}").as_str().into(),
            "name" => format!("Annabel Lee{number}").as_str().into(),
            "Phone" | "phone" => format!("+49 221 {number:06}{phone}").as_str().into(),
            "MailingStreet" | "street" => "12 Harbour Street".into(),
            "MailingPostalCode" | "zip" => "50667".into(),
            "MailingCity" | "city" => "Cologne".into(),
            "MailingCountry" | "country" => "Germany".into(),
            _ => Value::Bool(false),
        }
    };
    PerSide::from_fn(|side| Record {
        id: RecordId::new(format!("{side}{number:015}")),
        stamp: DateTime::from_timestamp_millis(1_790_000_000_000),
        author: None,
        values: mapping.selection[side].names().iter().map(|name| Some(values(side, name))).collect(),
        became: Vec::new(),
    })
}

fn main() {
    let mapping = mapping();
    let numbers: Vec<i64> = (1..=mapping.pairs.len() as i64).collect();
    let read_at: DateTime<Utc> = DateTime::from_timestamp_millis(1_790_000_100_000).unwrap();
    let people = |edited| -> Vec<PerSide<Record>> {
        (0..RECORDS).map(|number| records(&mapping, number, edited)).collect()
    };
    let links: Vec<Link> = people(None).into_iter().map(|pair| link(&mapping, &numbers, &pair)).collect();
    println!("{:34} {:>12} {:>10}", "decide, one core", "records/s", "µs each");
    let show = |name: &str, seconds: f64| {
        println!("{name:34} {:>12} {:10.2}", short(RECORDS as f64 / seconds), seconds * 1e6 / RECORDS as f64);
    };
    for (name, edited, meet) in [
        ("linked, nothing changed", None, false),
        ("linked, the phone changed", Some(Side::Org), false),
        ("first meeting, equal", None, true),
        ("first meeting, the phone differs", Some(Side::Org), true),
    ] {
        let people = people(edited);
        let took = median(|| {
            for (pair, link) in people.iter().zip(&links) {
                let present = PerSide::from_fn(|side| Present::Read {
                    record: &pair[side],
                    read_at,
                    grain: TimeDelta::seconds(1),
                });
                let ids = PerSide::from_fn(|side| pair[side].id.clone());
                let link = (!meet).then_some(link);
                black_box(linked(&mapping, &numbers, link, &ids, &present, &[], &[]));
            }
        });
        show(name, took.as_secs_f64());
    }
    let people = people(None);
    let took = median(|| {
        for pair in &people {
            black_box(create(&mapping, Side::Org, &pair.org));
        }
    });
    show("new on the platform", took.as_secs_f64());
    let took = median(|| {
        for pair in &people {
            black_box(pair.clone());
        }
    });
    show("both records merely copied", took.as_secs_f64());
}

fn link(mapping: &CompiledMapping, numbers: &[i64], pair: &PerSide<Record>) -> Link {
    let at = DateTime::from_timestamp_millis(1_790_000_050_000).unwrap();
    let bases = mapping.pairs.iter().zip(numbers).map(|(of, number)| {
        let held = |side: Side| of.fold(side, &of.values(side, &pair[side]).unwrap_or_default());
        (*number, PerSide::from_fn(held))
    });
    Link {
        link: 1,
        mapping: 1,
        family: 1,
        ids: PerSide::from_fn(|side| pair[side].id.clone()),
        closed: None,
        stamps: PerSide::default(),
        read: PerSide { org: at, platform: at },
        bases: Bases(bases.collect()),
    }
}
