//! Why and undo in the console: what the keys ask for, what is shown, and that nothing is taken back before a yes.

use chrono::TimeDelta;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::console::app::tab::Tab;
use forcesync::domain::command::{Command, Reply};
use forcesync::domain::outcome::{Counts, RunKind, RunResult};
use forcesync::domain::report::RunRow;
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::undo::{Extent, UndoChange, UndoLeft, UndoPreview, UndoRecord, UndoStep, WhyLeft};
use forcesync::domain::value::Value;
use forcesync::domain::why::{WhyLink, WhyPair, WhyParked, WhyRecord, WhyStep};
use forcesync::ops::undo::UndoPage;
use insta::assert_snapshot;

use crate::console_stage::{full, issues, now, picture, press};

fn text(value: &str) -> Vec<Value> {
    vec![Value::text(value)]
}

fn record() -> WhyRecord {
    let at = now() - TimeDelta::hours(1);
    let step = |run: i64, kind: RunKind, old: Vec<Value>, new: &str, rule: &str| WhyStep {
        sequence: run * 10,
        at: at - TimeDelta::days(8 - run),
        run,
        kind: Some(kind),
        side: Side::Platform,
        action: "updated".into(),
        fields: vec!["phone".into()],
        old,
        new: text(new),
        rule: rule.into(),
    };
    WhyRecord {
        mapping: "contact".into(),
        objects: PerSide { org: "Contact".into(), platform: "contact".into() },
        ids: PerSide {
            org: Some("003Fs0000000001IAA".into()),
            platform: Some("20f6ab96-3b8b-4c13-a0f6-ab963b8b8c13".into()),
        },
        link: WhyLink::Linked { seen: PerSide { org: Some(at), platform: Some(at) } },
        pairs: vec![
            WhyPair {
                fields: PerSide { org: vec!["MobilePhone".into()], platform: vec!["phone".into()] },
                mapped: true,
                base: Some(PerSide { org: text("+49 171 9"), platform: text("0171 9") }),
                parked: None,
                steps: vec![
                    step(
                        7,
                        RunKind::Automatic,
                        text("+49 170 1"),
                        "0171 9",
                        "Salesforce changed it, the platform did not",
                    ),
                    step(
                        2,
                        RunKind::Initial,
                        vec![Value::Null],
                        "+49 170 1",
                        "first meeting, a blank is filled",
                    ),
                ],
            },
            WhyPair {
                fields: PerSide { org: vec!["Status__c".into()], platform: vec!["status".into()] },
                mapped: true,
                base: Some(PerSide { org: text("Silver"), platform: text("Silver") }),
                parked: Some(WhyParked {
                    why: "ask".into(),
                    since: at,
                    run: 7,
                    values: PerSide { org: text("Gold"), platform: text("Bronze") },
                }),
                steps: Vec::new(),
            },
        ],
        events: Vec::new(),
        issues: Vec::new(),
        pending: Vec::new(),
        skipped: Vec::new(),
    }
}

#[test]
fn w_on_a_record_explains_it_readably_at_any_size() {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "tab tab enter");
    app.update(Msg::Issues(Ok(issues())));
    let asked = press(&mut app, "w");
    assert!(asked.iter().any(|effect| matches!(effect, Effect::ReadWhy(query) if query.object.is_none())));
    app.update(Msg::Why(Ok(vec![record()])));
    for (columns, rows) in [(60, 20), (80, 24), (120, 40)] {
        assert_snapshot!(format!("why_{columns}x{rows}"), picture(&mut app, columns, rows));
    }
}

#[test]
fn e16_a_run_is_taken_back_only_after_a_look_and_a_yes() {
    let mut app = full();
    app.go_to(Tab::Sync);
    let asked = press(&mut app, "U");
    let run = asked.iter().find_map(|effect| match effect {
        Effect::PreviewUndo(run) => Some(*run),
        _ => None,
    });
    let run = run.expect("U reads first what an undo would mean");
    let preview = UndoPreview {
        run,
        kind: RunKind::Instant,
        updated: PerSide { org: 1, platform: 12 },
        created: PerSide { org: 0, platform: 3 },
        deleted: PerSide::default(),
        forgotten: 0,
    };
    app.update(Msg::UndoPreview(Ok(preview.clone())));
    assert_snapshot!("undo_question", picture(&mut app, 80, 24));
    // The focus is on the answer that changes nothing.
    assert!(press(&mut app, "enter").is_empty());
    app.update(Msg::UndoPreview(Ok(preview)));
    let begun = press(&mut app, "y");
    assert!(begun.iter().any(|effect| matches!(
        effect,
        Effect::Ask(Command::Start(request))
            if request.kind == RunKind::Undo
                && request.undo.is_some_and(|order| order.run == run && order.extent == Extent::Write)
    )));
    app.update(Msg::UndoPreview(Err("Run 1 can't be taken back: it changed no values.".into())));
    assert!(picture(&mut app, 80, 24).contains("can't be taken back"));
}

#[test]
fn e16_p_shows_the_plan_first_and_the_plan_opens_when_it_is_ready() {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "U");
    let preview = UndoPreview {
        run: 117,
        kind: RunKind::Instant,
        updated: PerSide { org: 0, platform: 1 },
        created: PerSide { org: 0, platform: 1 },
        deleted: PerSide { org: 1, platform: 0 },
        forgotten: 0,
    };
    app.update(Msg::UndoPreview(Ok(preview)));
    let begun = press(&mut app, "p");
    let [Effect::Ask(command @ Command::Start(request))] = begun.as_slice() else { panic!("{begun:?}") };
    assert_eq!(request.undo.map(|order| (order.run, order.extent)), Some((117, Extent::Look)));
    app.update(Msg::Replied(command.clone(), Ok(Reply::Started { run: 118 })));
    let run = RunRow {
        run: 118,
        kind: RunKind::Undo,
        started: now(),
        finished: Some(now()),
        result: Some(RunResult::PartlyFailed),
        message: None,
        counts: Counts::default(),
        mappings: Vec::new(),
    };
    let opened = app.update(Msg::Runs { before: None, answer: Ok(vec![run]) });
    assert!(opened.iter().any(|effect| matches!(effect, Effect::ReadUndoPage(118))), "{opened:?}");
    let ids = PerSide { org: Some("003Fs0000000001IAA".into()), platform: Some("20f6ab96".into()) };
    let record = |side| UndoRecord { mapping: "contact".into(), ids: ids.clone(), side };
    let page = UndoPage {
        planned: vec![
            UndoStep::WouldWrite(UndoChange {
                mapping: "contact".into(),
                ids: ids.clone(),
                side: Side::Platform,
                fields: vec!["phone".into()],
                old: text("+49 171 9"),
                new: text("+49 170 1"),
            }),
            UndoStep::WouldDelete(record(Side::Platform)),
            UndoStep::WouldRestore(record(Side::Org)),
        ],
        left: vec![UndoLeft {
            mapping: "contact".into(),
            ids: ids.clone(),
            side: Side::Platform,
            fields: vec!["fax".into()],
            why: WhyLeft::Moved,
        }],
        more: false,
    };
    app.update(Msg::UndoPage { run: 118, answer: Ok(page) });
    assert_snapshot!("undo_plan", picture(&mut app, 120, 40));
    press(&mut app, "G");
    assert_snapshot!("undo_plan_80x24", picture(&mut app, 80, 24));
}
