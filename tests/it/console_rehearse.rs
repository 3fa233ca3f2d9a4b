//! A rehearsal from Mapping Settings: it takes the mappings as they are edited, tells how far it is, ends with Esc, and shows what does not
//! come to rest.

use forcesync::console::app::App;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::domain::outcome::{Counts, RunKind, RunResult};
use forcesync::domain::record::RecordId;
use forcesync::domain::rehearsal::{
    Edited, Push, Rehearsal, RehearsedMapping, RehearsedRun, Uncopied, Unsettled,
};
use forcesync::domain::report::IssueGroup;
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;
use insta::assert_snapshot;

use crate::console_stage::{full, now, picture, press};

fn run(run: usize, updated: u64) -> RehearsedRun {
    let mut counts = Counts::default();
    counts.platform.updated = updated;
    let kind = if run == 1 { RunKind::Initial } else { RunKind::Instant };
    RehearsedRun { run, kind, result: RunResult::Succeeded, message: None, counts }
}

fn push(run: usize, side: Side, old: &str, new: &str) -> Push {
    let (pair, transform, rule) = match side {
        Side::Platform => ("Title → details.SF_Title", "→ lower", "only Salesforce changed it"),
        Side::Org => ("Title ← details.SF_Title", "← title", "only the platform changed it"),
    };
    Push {
        run,
        mapping: "contact".into(),
        pair: pair.into(),
        transform: transform.into(),
        side,
        rule: rule.into(),
        old: vec![Value::text(old)],
        new: vec![Value::text(new)],
    }
}

fn restless() -> Rehearsal {
    let group = IssueGroup {
        code: "STRING_TOO_LONG".into(),
        mapping: "contact".into(),
        cause: "City: data value too large (max length=40)".into(),
        records: 1,
        snoozed: 0,
        since: now(),
        last_seen: now(),
    };
    Rehearsal {
        mappings: vec![RehearsedMapping {
            mapping: "contact".into(),
            title: "Contact ⇄ contact".into(),
            sampled: PerSide { org: 200, platform: 180 },
            linked: 120,
            created: PerSide { org: 0, platform: 62 },
            updated: PerSide { org: 2, platform: 10 },
            deleted: PerSide::default(),
            conflicts: 0,
            issues: vec![group],
        }],
        runs: vec![run(1, 72), run(2, 0), run(3, 3), run(4, 3)],
        edited: Some(Edited { records: 3, before_run: 3 }),
        quiet: false,
        unsettled: vec![Unsettled {
            mapping: "contact".into(),
            ids: PerSide { org: Some(RecordId::new("003xx000004TmiQAAS")), platform: None },
            label: "ann@x.example\u{1b}[2J".into(),
            side: Side::Org,
            fields: vec!["Title".into()],
            writes: vec![
                push(4, Side::Platform, "second", "first 👩‍🚀"),
                push(4, Side::Org, "First 👩‍🚀", "Second"),
            ],
        }],
        unsettled_values: 3,
        uncopied: vec![Uncopied {
            mapping: None,
            what: "Contact.Photo__c".into(),
            why: "the sandbox has no field of that type; pairs with it are left out".into(),
        }],
    }
}

fn begun() -> App {
    let mut app = full();
    // The draft, not what is saved: another direction of the first pair.
    let effects = press(&mut app, "2 T");
    assert!(matches!(effects.as_slice(), [Effect::Rehearse(_)]), "{effects:?}");
    app.update(Msg::Rehearsing("Run 2 (instant) …".into()));
    app
}

#[test]
fn it_tells_how_far_it_is_and_esc_ends_it() {
    let mut app = begun();
    assert_snapshot!("rehearsing_60", picture(&mut app, 60, 20));
    let effects = press(&mut app, "esc");
    assert!(matches!(effects.as_slice(), [Effect::StopRehearsal]), "{effects:?}");
    // What comes too late is nobody's.
    app.update(Msg::Rehearsed(Ok(Box::new(restless()))));
    assert!(!picture(&mut app, 80, 24).contains("Not quiet"));
}

#[test]
fn what_does_not_come_to_rest_is_named_with_both_pairs() {
    let mut app = begun();
    app.update(Msg::Rehearsed(Ok(Box::new(restless()))));
    assert_snapshot!("rehearsal_80", picture(&mut app, 80, 24));
    assert_snapshot!("rehearsal_60", picture(&mut app, 60, 20));
    assert!(press(&mut app, "esc").is_empty());
}

#[test]
fn a_rehearsal_takes_the_mappings_as_they_are_edited() {
    let mut app = full();
    press(&mut app, "2 right down d");
    let draft = app.mapping.over(&app.settings);
    assert_ne!(draft.mappings, app.settings.mappings);
    match press(&mut app, "T").as_slice() {
        [Effect::Rehearse(rehearsed)] => assert_eq!(rehearsed.mappings, draft.mappings),
        other => unreachable!("{other:?}"),
    }
    app.update(Msg::Rehearsed(Err("There is nothing to rehearse.".into())));
    assert!(picture(&mut app, 80, 24).contains("nothing to rehearse"));
}
