//! Criteria by keyboard: conditions on fields, groups, the sentence they make, and how many records take part.

use chrono::TimeDelta;
use forcesync::console::app::App;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::mapping::Counting;
use forcesync::console::app::message::Msg;
use forcesync::console::app::overlay::Overlay;
use forcesync::console::app::tab::Tab;
use forcesync::domain::criteria::Criteria;
use forcesync::domain::side::Side;
use forcesync::ops::members::{Counted, Members};
use insta::assert_snapshot;

use crate::console_stage::{full, now, picture, press, type_text};

fn criteria(app: &App, side: Side) -> String {
    app.mapping.selected().unwrap().criteria(side).unwrap_or_default().to_owned()
}

/// Time passes; what is counted then.
fn counted_after(app: &mut App, milliseconds: i64) -> Vec<Counting> {
    let now = app.now + TimeDelta::milliseconds(milliseconds);
    let effects = app.update(Msg::Tick(now));
    let counting = effects.into_iter().filter_map(|effect| match effect {
        Effect::CountMembers(counting) => Some(counting),
        _ => None,
    });
    counting.collect()
}

/// The criteria of the first mapping, open.
fn open() -> App {
    let mut app = full();
    app.update(Msg::Tick(now()));
    press(&mut app, "2 c");
    app
}

/// Adds a condition: the field, the place of the way, the value.
fn condition(app: &mut App, key: &str, field: &str, down: usize, value: Option<&str>) {
    press(app, key);
    type_text(app, field);
    press(app, "enter");
    for _ in 0..down {
        press(app, "down");
    }
    press(app, "enter");
    if let Some(value) = value {
        type_text(app, value);
        press(app, "enter");
    }
}

#[test]
fn conditions_are_built_of_fields_ways_and_values() {
    let mut app = open();
    condition(&mut app, "a", "lastname", 0, Some("O'Hara"));
    assert_eq!(criteria(&app, Side::Org), "Email != null AND LastName = 'O\\'Hara'");
    // Or with the selected one: in brackets.
    condition(&mut app, "o", "optedout", 0, None);
    let built = "Email != null AND (LastName = 'O\\'Hara' OR HasOptedOutOfEmail = true)";
    assert_eq!(criteria(&app, Side::Org), built);
    press(&mut app, "x");
    assert!(criteria(&app, Side::Org).contains("HasOptedOutOfEmail != true"));
    press(&mut app, "x space");
    assert_eq!(
        criteria(&app, Side::Org),
        "Email != null AND LastName = 'O\\'Hara' AND HasOptedOutOfEmail = true"
    );
    press(&mut app, "u");
    assert_eq!(criteria(&app, Side::Org), built);
    press(&mut app, "g D");
    assert_eq!(criteria(&app, Side::Org), "", "the first row is the whole");
    press(&mut app, "u");
    assert_eq!(criteria(&app, Side::Org), built);
}

#[test]
fn a_typed_value_is_data_whatever_it_holds() {
    for value in ["' OR Name != '", "100%", "a\\b", "👩‍🚀", "“x”", "null", "%' --"] {
        let mut app = open();
        condition(&mut app, "a", "lastname", 0, Some(value));
        let criteria = Criteria::parse(&criteria(&app, Side::Org)).unwrap();
        let holds = |last: &str| {
            let last = forcesync::domain::value::Value::text(last);
            let email = forcesync::domain::value::Value::text("a@x.example");
            criteria.matches(&|field| Some(if field == "Email" { &email } else { &last }))
        };
        assert!(holds(value) && !holds("another"), "{criteria}");
    }
}

#[test]
fn a_condition_is_gone_through_again_and_keeps_what_enter_keeps() {
    let mut app = open();
    condition(&mut app, "a", "lastname", 4, Some("100%"));
    let built = "Email != null AND LastName LIKE '%100\\%%'";
    assert_eq!(criteria(&app, Side::Org), built);
    press(&mut app, "enter enter enter");
    assert_eq!(criteria(&app, Side::Org), built);
    press(&mut app, "x enter enter");
    type_text(&mut app, "!");
    press(&mut app, "enter");
    assert_eq!(criteria(&app, Side::Org), "Email != null AND (NOT LastName LIKE '%100\\%!%')");
}

#[test]
fn several_values_are_ticked_one_by_one() {
    let mut app = open();
    press(&mut app, "a");
    type_text(&mut app, "status");
    // Is one of.
    press(&mut app, "enter down down enter");
    type_text(&mut app, "Gold");
    press(&mut app, "enter");
    type_text(&mut app, "Sil;ver");
    press(&mut app, "enter");
    press(&mut app, "enter");
    assert_eq!(criteria(&app, Side::Org), "Email != null AND Status__c IN ('Gold', 'Sil;ver')");
    // Again: a second choice takes the tick away.
    press(&mut app, "enter enter down enter enter");
    assert_eq!(criteria(&app, Side::Org), "Email != null AND Status__c IN ('Sil;ver')");
}

#[test]
fn a_value_that_is_none_stays_in_its_prompt_and_an_empty_one_too() {
    let mut app = open();
    condition(&mut app, "a", "lastname", 0, Some(""));
    assert!(matches!(app.overlays.last(), Some(Overlay::Prompt(prompt)) if prompt.error.is_some()));
    press(&mut app, "esc");
    assert_eq!(criteria(&app, Side::Org), "Email != null");
    assert!(!app.unsaved(Tab::Mapping));
}

#[test]
fn both_sides_have_criteria_of_their_own() {
    let mut app = open();
    press(&mut app, "tab");
    condition(&mut app, "a", "optedout", 1, None);
    assert_eq!(criteria(&app, Side::Platform), "optedOut = false");
    assert_eq!(criteria(&app, Side::Org), "Email != null");
}

#[test]
fn the_text_behind_the_rows_can_be_typed() {
    let mut app = open();
    press(&mut app, "t ctrl+u");
    type_text(&mut app, "Email is blank or LastName like 'A%'");
    press(&mut app, "enter");
    assert!(picture(&mut app, 100, 30).contains("LastName begins with “A”"));
    // Text that is no condition is said, and mended as text.
    app.mapping.edit("contact", |mapping| mapping.org_criteria = Some("Email is".into()));
    assert!(picture(&mut app, 100, 30).contains("at character"));
    press(&mut app, "a");
    assert!(matches!(app.overlays.last(), Some(Overlay::Conditions(_))));
    assert_eq!(counted_after(&mut app, 10_000), []);
}

#[test]
fn members_are_counted_once_the_criteria_rest_and_no_key_waits() {
    let mut app = open();
    assert_eq!(counted_after(&mut app, 300), []);
    // Another edit begins the rest anew.
    condition(&mut app, "a", "optedout", 1, None);
    assert_eq!(counted_after(&mut app, 300), []);
    assert!(app.next_change().is_some_and(|at| at > app.now));
    let counting = counted_after(&mut app, 200);
    let [counting] = counting.as_slice() else { panic!("{counting:?}") };
    assert_eq!(counting.criteria.as_deref(), Some("Email != null AND HasOptedOutOfEmail = false"));
    assert_eq!(counted_after(&mut app, 10_000), [], "asked once");
    // A key in between does what it does, and the late answer belongs to what was asked.
    press(&mut app, "D");
    let members = Members { members: 18_204, of: Some(20_119), counted: Counted::There };
    app.update(Msg::Counted(counting.clone(), Ok(members)));
    assert!(!picture(&mut app, 100, 30).contains("18,204"));
    press(&mut app, "u");
    assert!(picture(&mut app, 100, 30).contains("Take part: 18,204 of 20,119."));
    // What can't be counted says why, and is tried again when the criteria are opened again.
    press(&mut app, "D");
    let counting = counted_after(&mut app, 500).remove(0);
    app.update(Msg::Counted(counting, Err("Salesforce does not answer.".into())));
    assert!(picture(&mut app, 100, 30).contains("Not counted: Salesforce does not answer."));
    press(&mut app, "esc c");
    assert_eq!(counted_after(&mut app, 500).len(), 1);
    press(&mut app, "esc");
    assert_eq!(counted_after(&mut app, 10_000), [], "nobody looks any more");
}

#[test]
fn criteria_at_three_sizes() {
    let mut app = open();
    condition(&mut app, "a", "lastname", 4, Some("100%"));
    condition(&mut app, "o", "optedout", 1, None);
    press(&mut app, "x");
    let counting = counted_after(&mut app, 500).remove(0);
    assert_snapshot!("criteria_60", picture(&mut app, 60, 20));
    let members = Members { members: 312, of: Some(20_119), counted: Counted::SomeOf { read: 2_000 } };
    app.update(Msg::Counted(counting, Ok(members)));
    assert_snapshot!("criteria_80", picture(&mut app, 80, 24));
    assert_snapshot!("criteria_120", picture(&mut app, 120, 40));
    press(&mut app, "enter");
    assert_snapshot!("criteria_way", picture(&mut app, 80, 24));
}
