//! What the inboxes show: groups of issues, the form of one, conflicts, and a record that was deleted against an edit.

use chrono::TimeDelta;
use forcesync::console::app::App;
use forcesync::console::app::message::Msg;
use forcesync::domain::record::RecordId;
use forcesync::domain::report::{ConflictRow, IssueGroup, IssueRow};
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;
use forcesync::ops::issues::{FormField, IssueForm};

use super::{full, now, press, settings};

pub(super) fn groups() -> Vec<IssueGroup> {
    vec![IssueGroup {
        code: "REQUIRED_FIELD_MISSING".into(),
        mapping: "lead".into(),
        cause: "Company is empty".into(),
        records: 2,
        snoozed: 0,
        since: now() - TimeDelta::hours(1),
        last_seen: now() - TimeDelta::minutes(5),
    }]
}

/// The records of the group.
pub fn issues() -> Vec<IssueRow> {
    ["Ann Lee", "Cem Öz"]
        .into_iter()
        .enumerate()
        .map(|(place, label)| IssueRow {
            issue: place as i64 + 1,
            mapping: "lead".into(),
            ids: PerSide {
                org: None,
                platform: Some(RecordId::from(if place == 0 { "5f1c-0001" } else { "5f1c-0002" })),
            },
            side: Side::Org,
            label: label.into(),
            code: "REQUIRED_FIELD_MISSING".into(),
            cause: "Company is empty".into(),
            message: "Required fields are missing: [Company]".into(),
            fields: vec!["Company".into()],
            run: 115,
            since: now() - TimeDelta::hours(1),
            last_seen: now() - TimeDelta::minutes(5),
            tries: 3,
            open: true,
            snoozed_until: None,
        })
        .collect()
}

/// The form of the first issue of `contact`, whose phone was refused.
pub fn issue_form() -> IssueForm {
    let mapping = settings().mappings.remove(0);
    let issue = IssueRow {
        mapping: "contact".into(),
        ids: PerSide {
            org: Some(RecordId::from("003xx000004TmiQAAS")),
            platform: Some(RecordId::from("5f1c-0001")),
        },
        code: "STRING_TOO_LONG".into(),
        cause: "Mobile: data value too large: … (max length=40)".into(),
        message: "Mobile: data value too large: +49 170 1234 5678 9012 3456 7890 1234 5678 (max length=40)"
            .into(),
        fields: vec!["MobilePhone".into()],
        ..issues().remove(0)
    };
    let held = [
        ["ann@x.example", "ann@x.example"],
        ["Ann", "Ann Lee"],
        ["", "+49 170 1234 5678 9012 3456 7890 1234 5678"],
    ];
    let fields = mapping.pairs.iter().enumerate().map(|(pair, spec)| FormField {
        pair,
        identity: spec.identity(),
        fields: PerSide { org: spec.org.clone(), platform: spec.platform.clone() },
        values: match (held.get(pair), spec.org.len()) {
            (Some([org, platform]), 1) => {
                PerSide { org: Some(texts(&[org])), platform: Some(texts(&[platform])) }
            }
            (Some([org, platform]), _) => {
                PerSide { org: Some(texts(&[org, "Lee"])), platform: Some(texts(&[platform])) }
            }
            (None, _) => PerSide::default(),
        },
        failing: spec.org == ["MobilePhone"],
    });
    IssueForm { source: Side::Platform, fields: fields.collect(), same_cause: 12, unread: None, issue }
}

/// A console with the form of an issue open.
pub fn issue_opened() -> App {
    let mut app = full();
    app.go_to(forcesync::console::app::tab::Tab::Sync);
    press(&mut app, "tab tab enter");
    app.update(Msg::Issues(Ok(issues())));
    press(&mut app, "enter");
    app.update(Msg::IssueForm(Ok(Box::new(issue_form()))));
    app
}

/// Two conflicts: a name of two fields, and a status whose last decision came to nothing.
pub fn conflicts() -> Vec<ConflictRow> {
    let pairs = settings().mappings.remove(0).pairs;
    let row = |conflict: i64, pair: usize, label: &str, values: [&[&str]; 3]| ConflictRow {
        conflict,
        mapping: "contact".into(),
        pair: pairs[pair].identity(),
        fields: PerSide { org: pairs[pair].org.clone(), platform: pairs[pair].platform.clone() },
        why: "ask".into(),
        label: label.into(),
        ids: PerSide {
            org: Some(RecordId::from("003xx000004TmiQAAS")),
            platform: Some(RecordId::from("5f1c-0001")),
        },
        base: Some(PerSide { org: texts(values[0]), platform: texts(values[0]) }),
        values: PerSide { org: texts(values[1]), platform: texts(values[2]) },
        since: now() - TimeDelta::hours(1),
        run: 115,
        note: None,
        decided: None,
        deleted: None,
    };
    vec![
        row(3, 1, "Ann Lee", [&["Ann", "Leigh"], &["Ann", "Lee"], &["Anna Leigh"]]),
        ConflictRow {
            note: Some("changed since you looked".into()),
            ..row(4, 2, "Cem Öz", [&["+49 170 1"], &["+49 171 9"], &[""]])
        },
    ]
}

fn texts(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| if text.is_empty() { Value::Null } else { Value::text(*text) }).collect()
}

/// A contact that was deleted in Salesforce and edited on the platform.
pub fn deletion() -> ConflictRow {
    let [named, _] = conflicts().try_into().unwrap();
    ConflictRow {
        conflict: 7,
        pair: String::new(),
        fields: PerSide { org: Vec::new(), platform: vec!["phone".into(), "address.city".into()] },
        why: "deleted".into(),
        base: None,
        values: PerSide { org: Vec::new(), platform: texts(&["+49 171 9", "Ghent"]) },
        deleted: Some(Side::Org),
        ..named
    }
}
