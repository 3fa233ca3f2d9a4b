//! What the keys do in the conflict inbox and in the form of an issue.

use forcesync::console::app::App;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::console::app::overlay::Overlay;
use forcesync::console::app::tab::Tab;
use forcesync::domain::side::Side;
use forcesync::ops::conflicts::{Holds, Resolved, Wish};

use crate::console_stage::{conflicts, full, picture, press, type_text};

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
