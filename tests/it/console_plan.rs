//! The plan in the console: made, looked into, filtered, kept, applied.

use forcesync::console::app::App;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::console::app::overlay::Overlay;
use forcesync::console::app::overlay::plan::Level;
use forcesync::console::app::tab::Tab;
use forcesync::domain::command::{Command, RunRequest};
use forcesync::domain::outcome::RunKind;
use forcesync::domain::plan::saved::{
    Deed, PlanBrake, PlanCost, PlanCount, PlanDeed, PlanHead, PlanLine, PlanOrder, Seen,
};
use forcesync::domain::plan::{Action, Change, Line, Parked, Rule};
use forcesync::domain::progress::{EngineState, MappingProgress, Phase, Progress};
use forcesync::domain::record::RecordId;
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;
use insta::assert_snapshot;

use crate::console_stage::{full, now, picture, press, type_text};

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

fn toast(app: &App) -> String {
    app.toasts.newest().map(|toast| toast.text.clone()).unwrap_or_default()
}

fn count(deed: Deed, side: Option<Side>, reason: Option<&str>, records: u64) -> PlanCount {
    PlanCount {
        mapping: "contact".into(),
        deed,
        side,
        reason: reason.map(str::to_owned),
        records,
        values: records,
    }
}

fn head() -> PlanHead {
    PlanHead {
        plan: 7,
        name: None,
        made: now(),
        kind: RunKind::Instant,
        mappings: Vec::new(),
        direction: None,
        org: None,
        settings: String::new(),
        read: 1_560,
        unchanged: 1_546,
        lines: 14,
        counts: vec![
            count(Deed::Create, Some(Side::Org), None, 3),
            count(Deed::Update, Some(Side::Org), None, 6),
            count(Deed::Update, Some(Side::Platform), None, 4),
            count(Deed::Conflict, None, Some("ask"), 1),
            count(Deed::Skipped, None, Some("its key is blank, so it cannot be matched"), 2),
        ],
        cost: PlanCost {
            reading: PerSide { org: 2, platform: 1 },
            writing: PerSide { org: 1, platform: 4 },
            seconds: 3,
            budget: Some((1_200, 100_000)),
        },
        fires: vec!["contact: duplicate rules of Salesforce are passed over.".into()],
        brakes: vec![PlanBrake {
            mapping: "contact".into(),
            kind: "create".into(),
            planned: 3,
            free: 2,
            flag: "--allow-creates".into(),
        }],
        notes: Vec::new(),
        applied: None,
    }
}

fn line(number: i64, label: &str, action: Action, changes: Vec<Change>) -> PlanLine {
    PlanLine {
        number,
        label: label.into(),
        linked: true,
        line: Line {
            mapping: "contact".into(),
            ids: PerSide {
                org: Some(RecordId::new("003Fs0000000001AAQ")),
                platform: Some(RecordId::new("5f1c-0001")),
            },
            action,
            changes,
            parked: Vec::new(),
            obstacles: Vec::new(),
        },
        seen: Seen { sides: PerSide::default(), base: 0 },
        outcome: None,
        why: None,
    }
}

fn change(to: Side, field: &str, old: &str, new: &str, rule: Rule) -> Change {
    Change {
        pair: Some(0),
        to,
        fields: [field.into()].into(),
        old: vec![Value::text(old)],
        new: vec![Value::text(new)],
        rule,
    }
}

fn lines() -> Vec<PlanLine> {
    let phone = change(Side::Org, "MobilePhone", "+49 170 1", "+49 171 9", Rule::PlatformChanged);
    let city = change(Side::Platform, "address.city", "", "Gent", Rule::Filled);
    let mut asked = line(3, "Cem Öz", Action::Merge, Vec::new());
    asked.line.parked.push(Parked {
        pair: 2,
        org: vec![Value::text("Gold")],
        platform: vec![Value::text("Bronze")],
        why: "ask".into(),
    });
    let mut new = line(
        2,
        "Bob Ray",
        Action::Create { on: Side::Org },
        vec![
            change(Side::Org, "LastName", "", "Ray", Rule::Created),
            change(Side::Org, "Company", "", "unknown", Rule::Default),
        ],
    );
    new.line.ids.org = None;
    for change in &mut new.line.changes {
        change.old.clear();
    }
    vec![line(1, "Ann Lee", Action::Merge, vec![phone, city]), new, asked]
}

/// A plan that is made, seen from tab 3.
fn planned() -> App {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "p");
    app.update(Msg::Planned(Ok(Box::new(head()))));
    app
}

fn opened() -> App {
    let mut app = planned();
    let effects = press(&mut app, "enter");
    let [Effect::ReadPlan { plan, after, generation, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((*plan, *after), (7, 0));
    app.update(Msg::PlanLines { generation: *generation, after: 0, answer: Ok(lines()) });
    app
}

fn level(app: &App) -> Option<Level> {
    match app.overlays.last() {
        Some(Overlay::Plan(sheet)) => Some(sheet.level),
        _ => None,
    }
}

#[test]
fn p_plans_the_next_run_of_all_mappings_and_on_its_tab_of_the_selected_one() {
    let mut app = full();
    app.go_to(Tab::Sync);
    let effects = press(&mut app, "p");
    let [Effect::MakePlan(request)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*request, RunRequest::new(RunKind::Instant));
    let mut app = full();
    app.go_to(Tab::Mapping);
    let effects = press(&mut app, "p");
    let [Effect::MakePlan(request)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(request.mappings, ["contact"]);
    assert_eq!(app.tab, Tab::Mapping);
}

#[test]
fn an_initial_sync_offers_the_plan_first() {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "I");
    assert!(picture(&mut app, 120, 40).contains("Show the plan first"));
    let effects = press(&mut app, "p");
    let [Effect::MakePlan(request)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*request, RunRequest::new(RunKind::Initial));
    assert!(matches!(app.overlays.as_slice(), [Overlay::Plan(_)]));
}

#[test]
fn esc_calls_off_a_plan_that_is_being_made() {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "p");
    app.update(Msg::Progress(Box::new(Progress {
        state: EngineState::Running,
        plans: true,
        kind: Some(RunKind::Instant),
        phase: Phase::Deciding,
        started: Some(now()),
        read: 1_560,
        mappings: vec![MappingProgress {
            mapping: "contact".into(),
            title: "Contact ⇄ contact".into(),
            done: 900,
            total: Some(1_560),
            ..MappingProgress::default()
        }],
        ..Progress::default()
    })));
    for (columns, rows) in SIZES {
        assert_snapshot!(format!("plan_making_{columns}x{rows}"), picture(&mut app, columns, rows));
    }
    let effects = press(&mut app, "esc");
    assert!(matches!(effects.as_slice(), [Effect::Ask(Command::Cancel)]), "{effects:?}");
    assert!(app.overlays.is_empty());
    app.update(Msg::Planned(Err("stopped".into())));
    assert!(app.overlays.is_empty());
    assert!(toast(&app).contains("nothing was written"), "{}", toast(&app));
}

#[test]
fn three_levels_at_three_sizes() {
    for (columns, rows) in SIZES {
        let mut app = planned();
        assert_snapshot!(format!("plan_counts_{columns}x{rows}"), picture(&mut app, columns, rows));
        let mut app = opened();
        assert_snapshot!(format!("plan_records_{columns}x{rows}"), picture(&mut app, columns, rows));
        press(&mut app, "enter");
        assert_snapshot!(format!("plan_record_{columns}x{rows}"), picture(&mut app, columns, rows));
    }
}

#[test]
fn esc_goes_back_level_by_level() {
    let mut app = opened();
    press(&mut app, "enter");
    assert_eq!(level(&app), Some(Level::Record));
    press(&mut app, "esc");
    assert_eq!(level(&app), Some(Level::Records));
    press(&mut app, "esc");
    assert_eq!(level(&app), Some(Level::Counts));
    press(&mut app, "esc");
    assert_eq!(level(&app), None);
}

#[test]
fn a_sum_opens_its_own_lines_and_the_filter_narrows_them() {
    let mut app = planned();
    let effects = press(&mut app, "down down down enter");
    let [Effect::ReadPlan { query, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((query.deed, query.side), (Some(Deed::Update), Some(Side::Platform)));
    press(&mut app, "/");
    type_text(&mut app, "gent");
    let effects = press(&mut app, "enter");
    let [Effect::ReadPlan { query, generation, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(query.search.as_deref(), Some("gent"));
    // A late answer to the question before is not this one's.
    app.update(Msg::PlanLines { generation: generation - 1, after: 0, answer: Ok(lines()) });
    assert!(!picture(&mut app, 120, 40).contains("Ann Lee"));
    app.update(Msg::PlanLines { generation: *generation, after: 0, answer: Ok(Vec::new()) });
    assert!(picture(&mut app, 120, 40).contains("No line of the plan contains that"));
}

#[test]
fn a_applies_after_a_question_and_only_what_the_plan_says() {
    let mut app = planned();
    press(&mut app, "a");
    assert_snapshot!("plan_apply_question", picture(&mut app, 80, 24));
    assert!(press(&mut app, "enter").is_empty(), "Enter right after the question changes nothing");
    press(&mut app, "a");
    let effects = press(&mut app, "y");
    let [Effect::Ask(Command::Start(request))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(request.plan, Some(PlanOrder::Apply { number: 7 }));
    assert!(app.overlays.is_empty());
}

/// The news that the making has ended comes a frame after the plan itself; a run is another matter.
#[test]
fn a_applies_at_once_what_has_just_been_made_but_not_beside_a_run() {
    for (plans, opens) in [(true, true), (false, false)] {
        let mut app = full();
        app.go_to(Tab::Sync);
        press(&mut app, "p");
        let progress = Progress { state: EngineState::Running, plans, ..Progress::default() };
        app.update(Msg::Progress(Box::new(progress)));
        app.update(Msg::Planned(Ok(Box::new(head()))));
        press(&mut app, "a");
        assert_eq!(matches!(app.overlays.last(), Some(Overlay::Question(_))), opens, "{}", toast(&app));
    }
}

#[test]
fn a_head_that_has_no_room_says_so_and_is_told_before_it_applies() {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "p");
    let fires = (1..=9).map(|number| format!("contact: automation {number} of Salesforce runs.")).collect();
    app.update(Msg::Planned(Ok(Box::new(PlanHead { fires, ..head() }))));
    let seen = picture(&mut app, 60, 20);
    assert!(seen.contains("more; a tells all before it applies"), "{seen}");
    assert!(seen.contains("▸            all records"), "{seen}");
    press(&mut app, "a");
    let mut seen = String::new();
    for _ in 0..20 {
        seen.push_str(&picture(&mut app, 60, 20));
        press(&mut app, "down");
    }
    let missing: Vec<usize> =
        (1..=9).filter(|number| !seen.contains(&format!("automation {number} "))).collect();
    assert!(missing.is_empty(), "{missing:?}\n{seen}");
}

#[test]
fn a_plan_is_kept_under_a_name() {
    let mut app = planned();
    press(&mut app, "ctrl+s");
    type_text(&mut app, "two words");
    assert!(press(&mut app, "enter").is_empty());
    assert!(picture(&mut app, 120, 40).contains("letters, digits"));
    press(&mut app, "ctrl+u");
    for _ in 0..9 {
        press(&mut app, "backspace");
    }
    type_text(&mut app, "friday");
    let effects = press(&mut app, "enter");
    let [Effect::Ask(Command::Plans(PlanDeed::Name { number, name }))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((*number, name.as_deref()), (7, Some("friday")));
}

#[test]
fn a_plan_that_came_to_nothing_says_why() {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "p");
    app.update(Msg::Planned(Err("Contact was never fully synchronized.".into())));
    assert!(picture(&mut app, 80, 24).contains("never fully synchronized"));
    press(&mut app, "esc");
    assert!(app.overlays.is_empty());
}
