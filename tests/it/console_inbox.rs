//! What the keys do in the conflict inbox and in the form of an issue.

use forcesync::console::app::App;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::console::app::overlay::Overlay;
use forcesync::console::app::tab::Tab;
use forcesync::domain::by_hand::Answer;
use forcesync::domain::command::{Allowances, Command, Reply, RunRequest};
use forcesync::domain::forget::Forgotten;
use forcesync::domain::outcome::{Counts, RunKind, RunResult};
use forcesync::domain::report::RunRow;
use forcesync::domain::side::Side;
use forcesync::ops::conflicts::{Holds, Resolved, Wish};

use crate::console_stage::{
    conflicts, deletion, full, issue_form, issue_opened, issues, now, picture, press, type_text,
};

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

fn departed() -> App {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "c");
    app.update(Msg::Conflicts(Ok(vec![deletion()])));
    app
}

#[test]
fn a_deletion_against_an_edit_is_decided_in_its_own_words() {
    for (key, answer, told) in
        [("D", Answer::DeleteToo, "deleted on SALESmanago too"), ("K", Answer::Keep, "the link is closed")]
    {
        let mut app = departed();
        press(&mut app, "enter");
        let seen = picture(&mut app, 120, 40);
        assert!(seen.contains("Deleted in Salesforce; edited on SALESmanago since."), "{seen}");
        assert!(seen.contains("D delete it too") && seen.contains("K keep it"), "{seen}");
        assert!(press(&mut app, "enter").is_empty() && toast(&app).contains("D deletes it too"));
        press(&mut app, key);
        assert!(picture(&mut app, 120, 40).contains(told));
        let effects = press(&mut app, "enter");
        let [Effect::Resolve { rows, wish, holds }] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!((rows[0].conflict, wish, *holds), (7, &Wish::Record(answer), Holds::Once));
    }
}

#[test]
fn values_decide_nothing_about_a_deletion_and_deleting_decides_nothing_about_values() {
    let mut app = departed();
    for key in ["o", "p", "v"] {
        assert!(press(&mut app, &format!("enter {key}")).is_empty());
        assert!(toast(&app).contains("delete it on the other side too, or keep it"), "{}", toast(&app));
    }
    let mut app = inbox();
    assert!(press(&mut app, "D").is_empty() && toast(&app).contains("Neither side was deleted"));
    assert!(!picture(&mut app, 120, 40).contains("keep it"));
}

fn braked() -> App {
    let mut app = full();
    app.go_to(Tab::Sync);
    let run = RunRow {
        run: 118,
        kind: RunKind::Undo,
        started: now(),
        finished: Some(now()),
        result: Some(RunResult::Braked),
        message: Some(
            "In mapping contact more than 20 records would be deleted or deactivated within a day; the rest was not written. Look at \
             the records, then release the number you accept: `forcesync undo 7 --allow-deletes 24`, or B in the console"
                .into(),
        ),
        counts: Counts::default(),
        mappings: Vec::new(),
    };
    app.update(Msg::Runs { before: None, answer: Ok(vec![run]) });
    app
}

#[test]
fn a_brake_is_released_by_typing_its_number_and_by_nothing_else() {
    let mut app = braked();
    assert!(picture(&mut app, 120, 40).contains("brake holds it (B)"));
    assert!(press(&mut app, "B").is_empty());
    let seen = picture(&mut app, 120, 40);
    assert!(seen.contains("Release the brake of run 118") && seen.contains("At least 24 records"), "{seen}");
    for typed in ["", "y", "0"] {
        type_text(&mut app, typed);
        assert!(press(&mut app, "enter").is_empty(), "{typed}");
        assert!(picture(&mut app, 120, 40).contains("Type the number that you accept, such as 24"));
        press(&mut app, "ctrl+u");
    }
    type_text(&mut app, "24");
    let effects = press(&mut app, "enter");
    let [Effect::Ask(Command::Start(request))] = effects.as_slice() else { panic!("{effects:?}") };
    let allow = Allowances { deletes: Some(24), ..Allowances::default() };
    let undo = RunRequest::undo(7, forcesync::domain::undo::Extent::Write, allow);
    assert_eq!(request, &undo);
    // Without a brake there is nothing to release.
    let mut app = full();
    app.go_to(Tab::Sync);
    assert!(press(&mut app, "B").is_empty() && toast(&app).contains("No brake"), "{}", toast(&app));
    assert!(!picture(&mut app, 120, 40).contains("release brake"));
}

#[test]
fn a_person_is_forgotten_only_when_the_word_is_typed() {
    let mut app = issue_opened();
    assert!(press(&mut app, "F").is_empty());
    let seen = picture(&mut app, 120, 40);
    assert!(seen.contains("Forget contact 5f1c") || seen.contains("Forget Contact 003"), "{seen}");
    assert!(seen.contains("Type forget to do it."), "{seen}");
    assert!(press(&mut app, "enter").is_empty());
    assert!(picture(&mut app, 120, 40).contains("Type the word forget"));
    type_text(&mut app, "forget");
    let effects = press(&mut app, "enter");
    assert!(matches!(effects.as_slice(), [Effect::Forget { .. }]), "{effects:?}");
    let again = app.update(Msg::Forgotten(Ok(Forgotten { history: 3, ..Forgotten::default() })));
    assert!(again.iter().any(|effect| matches!(effect, Effect::ReadStatus)), "{again:?}");
    assert!(app.overlays.is_empty() && toast(&app).contains("3 rows of history"), "{}", toast(&app));
}

fn records() -> App {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "tab tab enter");
    app.update(Msg::Issues(Ok(issues())));
    app
}

#[test]
fn all_that_the_filter_shows_are_hidden_or_tried_again_at_once() {
    let mut app = records();
    let all = issues();
    press(&mut app, "/");
    type_text(&mut app, &all[1].label.to_lowercase());
    press(&mut app, "enter");
    let seen = picture(&mut app, 120, 40);
    assert!(seen.contains("1 of ") && seen.contains(&all[1].label), "{seen}");
    press(&mut app, "X");
    let effects = press(&mut app, "enter");
    let [Effect::Ask(Command::Snooze { issues, .. })] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(issues, &[all[1].issue]);
    assert!(press(&mut app, "T").is_empty());
    let effects = press(&mut app, "y");
    let [Effect::Ask(Command::Retry { issues })] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(issues, &[all[1].issue]);
}

#[test]
fn a_whole_group_is_hidden_or_tried_again_however_many_it_has() {
    for (keys, hides) in [("X", true), ("T", false), ("esc z", true), ("esc r", false)] {
        let mut app = records();
        let effects = press(&mut app, keys);
        let [Effect::ReadIssues(query)] = effects.as_slice() else { panic!("{keys}: {effects:?}") };
        assert_eq!(query.limit, usize::MAX);
        app.update(Msg::Issues(Ok(issues())));
        let numbers: Vec<i64> = issues().iter().map(|issue| issue.issue).collect();
        let effects = press(&mut app, if hides { "enter" } else { "y" });
        match effects.as_slice() {
            [Effect::Ask(Command::Snooze { issues, .. })] if hides => assert_eq!(issues, &numbers),
            [Effect::Ask(Command::Retry { issues })] if !hides => assert_eq!(issues, &numbers),
            _ => panic!("{keys}: {effects:?}"),
        }
    }
}
