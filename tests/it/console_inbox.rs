//! What the keys do in the conflict inbox and in the form of an issue.

use forcesync::console::app::App;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::console::app::overlay::Overlay;
use forcesync::console::app::tab::Tab;
use forcesync::domain::command::{Command, Reply};
use forcesync::domain::side::Side;
use forcesync::ops::conflicts::{Holds, Resolved, Wish};

use crate::console_stage::{conflicts, full, issue_form, issue_opened, now, picture, press, type_text};

fn toast(app: &App) -> String {
    app.toasts.newest().map(|toast| toast.text.clone()).unwrap_or_default()
}

fn inbox() -> App {
    let mut app = full();
    app.go_to(Tab::Sync);
    let effects = press(&mut app, "c");
    assert!(matches!(effects.as_slice(), [Effect::ReadConflicts]), "{effects:?}");
    app.update(Msg::Conflicts(Ok(conflicts())));
    app
}

#[test]
fn a_choice_is_shown_as_the_result_and_decided_only_by_enter() {
    let mut app = inbox();
    assert!(press(&mut app, "p").is_empty());
    assert!(picture(&mut app, 120, 40).contains("“Anna Leigh”"));
    let effects = press(&mut app, "enter");
    let [Effect::Resolve { rows, wish, holds }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((rows[0].conflict, wish, *holds), (3, &Wish::Take(Side::Platform), Holds::Once));
    app.update(Msg::Resolved(Ok(Resolved { decided: 1, refused: Vec::new(), run: Some(118) })));
    assert!(toast(&app).contains("run 118"), "{}", toast(&app));
    assert!(picture(&mut app, 120, 40).contains("Conflicts · 2"), "back in the list");
}

#[test]
fn enter_without_a_choice_decides_nothing() {
    let mut app = inbox();
    assert!(press(&mut app, "enter enter").is_empty());
    assert!(toast(&app).contains("Choose first"));
}

#[test]
fn moving_on_forgets_the_choice() {
    let mut app = inbox();
    press(&mut app, "o space down");
    assert!(press(&mut app, "enter").is_empty(), "nothing was chosen for this one");
    assert!(picture(&mut app, 120, 40).contains("[ ] make it the rule"));
}

#[test]
fn a_typed_value_has_one_part_for_each_field() {
    let mut app = inbox();
    press(&mut app, "v ctrl+u");
    type_text(&mut app, "Annie");
    press(&mut app, "enter");
    assert!(picture(&mut app, 120, 40).contains("needs a value for each of FirstName, LastName"));
    press(&mut app, "ctrl+u");
    type_text(&mut app, "Annie | Lee");
    press(&mut app, "enter");
    let effects = press(&mut app, "space enter");
    assert!(
        effects.is_empty() && toast(&app).contains("can't become the rule"),
        "{effects:?} {}",
        toast(&app)
    );
    let effects = press(&mut app, "space enter");
    let [Effect::Resolve { wish: Wish::Values(values), .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(values, &["Annie", "Lee"]);
}

#[test]
fn a_side_can_become_the_rule() {
    let mut app = inbox();
    let effects = press(&mut app, "o space enter");
    assert!(matches!(effects.as_slice(), [Effect::Resolve { holds: Holds::AsTheRule, .. }]), "{effects:?}");
}

#[test]
fn many_are_decided_by_their_filter_after_a_question_whose_focus_is_on_no() {
    let mut app = inbox();
    press(&mut app, "/");
    type_text(&mut app, "phone");
    press(&mut app, "enter");
    assert!(picture(&mut app, 120, 40).contains("1 of 2 with “phone”"));
    assert!(press(&mut app, "O enter").is_empty(), "Enter right after the question decides nothing");
    let effects = press(&mut app, "O y");
    let [Effect::Resolve { rows, wish, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((rows.len(), rows[0].conflict, wish), (1, 4, &Wish::Take(Side::Org)));
}

#[test]
fn a_conflict_that_closed_by_itself_closes_its_record() {
    let mut app = inbox();
    press(&mut app, "enter");
    app.update(Msg::Conflicts(Ok(conflicts().split_off(1))));
    let Some(Overlay::Conflicts(inbox)) = app.overlays.last() else { panic!("the inbox stays open") };
    assert!(!inbox.open && inbox.wish.is_none());
}

#[test]
fn the_failing_field_has_the_focus_and_enter_edits_the_value_it_came_from() {
    let mut app = issue_opened();
    press(&mut app, "enter");
    assert!(picture(&mut app, 120, 40).contains("phone in SALESmanago"));
    assert!(press(&mut app, "enter").is_empty(), "the value it has");
    assert!(picture(&mut app, 120, 40).contains("That is the value it has"));
    press(&mut app, "ctrl+u");
    type_text(&mut app, "+49 170 1");
    let effects = press(&mut app, "enter");
    let [Effect::Mend { form, place, values }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(
        (form.as_ref(), *place, values.as_slice()),
        (&issue_form(), 2, ["+49 170 1".to_owned()].as_slice())
    );
    app.update(Msg::Mended(Ok(Some(118))));
    assert!(toast(&app).contains("Run 118"), "{}", toast(&app));
    assert!(matches!(app.overlays.last(), Some(Overlay::Records(_))), "back among the records");
}

#[test]
fn an_issue_leads_to_its_pair_and_says_what_else_a_change_clears_before_anything_is_saved() {
    let mut app = issue_opened();
    assert!(picture(&mut app, 120, 40).contains("12 other records have the same cause"));
    press(&mut app, "m");
    assert_eq!((app.tab, app.overlays.len()), (Tab::Mapping, 0));
    assert!(toast(&app).starts_with("13 open issues have this cause"), "{}", toast(&app));
    let selected = app.mapping.row.place(app.mapping.selected().unwrap().pairs.len());
    assert_eq!(app.mapping.selected().unwrap().pairs[selected].org, ["MobilePhone"]);
}

#[test]
fn an_issue_is_hidden_for_a_while_and_its_group_with_it() {
    let mut app = issue_opened();
    press(&mut app, "z ctrl+u");
    type_text(&mut app, "soon");
    press(&mut app, "enter");
    assert!(picture(&mut app, 120, 40).contains("is no interval"));
    press(&mut app, "ctrl+u");
    type_text(&mut app, "3d");
    let effects = press(&mut app, "enter");
    let [Effect::Ask(command @ Command::Snooze { issues, until })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((issues.as_slice(), *until), ([1].as_slice(), Some(now() + chrono::TimeDelta::days(3))));
    let again = app.update(Msg::Replied(command.clone(), Ok(Reply::Accepted)));
    assert!(again.iter().any(|effect| matches!(effect, Effect::ReadIssueGroups)), "{again:?}");
    let mut groups = app.sync.groups.ready().cloned().unwrap();
    groups[0].snoozed = groups[0].records;
    app.update(Msg::IssueGroups(Ok(groups.clone())));
    assert_eq!(app.sync.groups.ready().map(Vec::len), Some(0));
    press(&mut app, "esc esc Z");
    app.update(Msg::IssueGroups(Ok(groups)));
    assert_eq!(app.sync.groups.ready().map(Vec::len), Some(1));
}
