//! A record in the editor: each pair with its value, what the transform makes of it, and what is doubtful, afresh after each edit.

use forcesync::console::app::App;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::domain::record::{Record, RecordId, Selection};
use forcesync::domain::sample::{Met, Pulled, PulledRecord};
use forcesync::domain::side::PerSide;
use forcesync::domain::value::Value;
use insta::assert_snapshot;

use crate::console_stage::{full, picture, press, type_text};

fn record(id: &str, fields: &[(&str, Value)]) -> PulledRecord {
    PulledRecord {
        selection: Selection::new(fields.iter().map(|(name, _)| *name)),
        record: Record {
            id: RecordId::new(id),
            stamp: None,
            author: None,
            values: fields.iter().map(|(_, value)| Some(value.clone())).collect(),
            became: Vec::new(),
        },
    }
}

fn ann() -> Pulled {
    let text = |text: &str| Value::text(text);
    Pulled {
        records: PerSide {
            org: Some(record(
                "003xx000004TmiQAAS",
                &[
                    ("Email", text("Ann@X.example")),
                    ("FirstName", text("Ann\u{1b}[2J")),
                    ("LastName", text("Lee")),
                    ("MobilePhone", text("+49 170 1")),
                    ("HasOptedOutOfEmail", Value::Bool(true)),
                    ("Status__c", text("Bronze")),
                ],
            )),
            platform: Some(record(
                "5f1c1d40-aaaa-4b5b-8f3e-1b2c3d4e5f60",
                &[
                    ("email", text("ann@x.example")),
                    ("name", text("Ann Lee")),
                    ("phone", text("+49 171 9")),
                    ("optedOut", Value::Bool(false)),
                    ("details.SF_Status", Value::Null),
                ],
            )),
        },
        met: Met::Linked,
    }
}

fn sampled() -> App {
    let mut app = full();
    let effects = press(&mut app, "2 i");
    assert!(matches!(effects.as_slice(), [Effect::Pull { wanted: None, .. }]), "{effects:?}");
    assert!(picture(&mut app, 80, 24).contains("Reading a record"));
    app.update(Msg::Pulled("contact".into(), Ok(Box::new(ann()))));
    app
}

#[test]
fn each_pair_shows_its_value_and_what_becomes_of_it() {
    let mut app = sampled();
    assert_snapshot!("sample_80", picture(&mut app, 80, 24));
    press(&mut app, "down down");
    assert_snapshot!("sample_60", picture(&mut app, 60, 20));
    press(&mut app, "down down");
    assert_snapshot!("sample_120", picture(&mut app, 120, 40));
}

#[test]
fn an_edit_of_a_pair_is_seen_on_the_record_at_once() {
    let mut app = sampled();
    press(&mut app, "end");
    assert!(picture(&mut app, 100, 30).contains("no entry for “Bronze”"));
    // The pair's form tells of the record while it is edited.
    press(&mut app, "enter");
    assert!(picture(&mut app, 100, 30).contains("no entry for “Bronze”"));
    assert_snapshot!("sample_form", picture(&mut app, 80, 24));
    press(&mut app, "esc esc");
    app.mapping.edit("contact", |mapping| {
        let forcesync::domain::transform::Transform::Table(table) = &mut mapping.pairs[4].transform else {
            panic!("a table")
        };
        table.entries.insert("Bronze".into(), "1".into());
    });
    assert!(press(&mut app, "i end").is_empty(), "it is not read again");
    let shown = picture(&mut app, 100, 30);
    assert!(shown.contains("“Bronze”; SALESmanago would get “1”") && !shown.contains("no entry"), "{shown}");
}

#[test]
fn another_record_is_named_and_one_that_is_not_there_is_said() {
    let mut app = sampled();
    press(&mut app, "i");
    type_text(&mut app, "bob@x.example");
    let effects = press(&mut app, "enter");
    assert!(
        matches!(effects.as_slice(), [Effect::Pull { wanted: Some(wanted), .. }] if wanted == "bob@x.example")
    );
    app.update(Msg::Pulled("contact".into(), Err("No record of this mapping has “bob@x.example”.".into())));
    assert!(picture(&mut app, 80, 24).contains("No record of this mapping"));
    // The next look begins anew.
    press(&mut app, "esc");
    assert!(matches!(press(&mut app, "i").as_slice(), [Effect::Pull { wanted: None, .. }]));
}
