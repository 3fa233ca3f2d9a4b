//! Pictures of the four tabs and of what lies over them.

use forcesync::console::app::Look;
use forcesync::console::app::message::Msg;
use forcesync::console::app::model::Engine;
use forcesync::console::app::tab::Tab;
use forcesync::console::view::theme::ThemeChoice;
use forcesync::domain::side::Side;
use insta::assert_snapshot;

use crate::console_stage::{
    cells, conflicts, deletion, drifted, empty, failed_test, full, full_with, issue_form, issue_opened,
    issues, now, picture, press, running, start_running, styles_of,
};

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

#[test]
fn the_four_tabs_at_three_sizes() {
    for (columns, rows) in SIZES {
        for tab in Tab::ALL {
            let mut app = if tab == Tab::Sync { running() } else { full() };
            app.go_to(tab);
            let name = format!("{tab:?}_{columns}x{rows}").to_lowercase();
            assert_snapshot!(name, picture(&mut app, columns, rows));
        }
    }
}

#[test]
fn three_themes_differ_in_styles_and_not_in_text() {
    for theme in [ThemeChoice::Dark, ThemeChoice::Light, ThemeChoice::Mono] {
        let mut app = full();
        app.go_to(Tab::Mapping);
        let name = format!("styles_{theme:?}").to_lowercase();
        assert_snapshot!(name, styles_of(&cells(&app, 80, 24, theme)));
    }
}

#[test]
fn an_empty_workspace_says_what_to_do_next() {
    let mut app = empty();
    app.update(Msg::Engine(Engine::Here));
    app.update(Msg::Status(Ok(Box::default())));
    app.update(Msg::Runs { before: None, answer: Ok(Vec::new()) });
    app.update(Msg::IssueGroups(Ok(Vec::new())));
    let generation = app.logs.generation;
    let purpose = forcesync::console::app::effect::LogPurpose::Fresh;
    app.update(Msg::Log { purpose, generation, answer: Ok(Vec::new()) });
    for tab in Tab::ALL {
        app.go_to(tab);
        let name = format!("empty_{tab:?}").to_lowercase();
        assert_snapshot!(name, picture(&mut app, 80, 24));
    }
}

#[test]
fn a_failed_test_is_shown_beside_its_field() {
    let mut app = full();
    app.update(Msg::Tested(Side::Org, Ok(failed_test())));
    assert_snapshot!("failed_test", picture(&mut app, 80, 24));
}

#[test]
fn a_sync_at_rest_with_force_unfolded() {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "enter");
    assert_snapshot!("force_unfolded", picture(&mut app, 80, 24));
}

#[test]
fn e13_what_differs_from_what_was_accepted_is_seen_on_every_tab_it_concerns() {
    let mut app = full();
    app.update(Msg::Status(Ok(Box::new(drifted()))));
    for tab in [Tab::Mapping, Tab::Sync] {
        app.go_to(tab);
        let name = format!("drift_{tab:?}").to_lowercase();
        assert_snapshot!(name, picture(&mut app, 100, 30));
    }
    press(&mut app, "I");
    assert_snapshot!("drift_confirm", picture(&mut app, 80, 24));
}

#[test]
fn what_lies_over_a_tab() {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "I");
    assert_snapshot!("question", picture(&mut app, 80, 24));
    press(&mut app, "esc tab tab enter");
    app.update(Msg::Issues(Ok(issues())));
    assert_snapshot!("records", picture(&mut app, 80, 24));
    press(&mut app, "enter");
    assert_snapshot!("issue_reading", picture(&mut app, 80, 24));
    app.update(Msg::IssueForm(Ok(Box::new(issue_form()))));
    assert_snapshot!("issue", picture(&mut app, 80, 24));
    press(&mut app, "esc esc :");
    assert_snapshot!("palette", picture(&mut app, 80, 24));
    press(&mut app, "esc ?");
    assert_snapshot!("help", picture(&mut app, 80, 24));
    press(&mut app, "esc 2 tab a");
    assert_snapshot!("field_picker", picture(&mut app, 80, 24));
    press(&mut app, "esc enter");
    assert_snapshot!("pair_sheet", picture(&mut app, 80, 24));
}

#[test]
fn the_form_of_an_issue_at_the_other_sizes_and_what_it_asks() {
    for (columns, rows) in [(60, 20), (120, 40)] {
        let mut app = issue_opened();
        assert_snapshot!(format!("issue_{columns}x{rows}"), picture(&mut app, columns, rows));
    }
    let mut app = issue_opened();
    press(&mut app, "enter");
    assert_snapshot!("issue_value", picture(&mut app, 80, 24));
    press(&mut app, "esc z");
    assert_snapshot!("issue_snooze", picture(&mut app, 80, 24));
    press(&mut app, "esc m");
    assert_snapshot!("issue_mapping", picture(&mut app, 80, 24));
}

#[test]
fn the_conflict_inbox_and_one_conflict_at_three_sizes() {
    for (columns, rows) in SIZES {
        let mut app = full();
        app.go_to(Tab::Sync);
        press(&mut app, "c");
        app.update(Msg::Conflicts(Ok(conflicts())));
        assert_snapshot!(format!("conflicts_{columns}x{rows}"), picture(&mut app, columns, rows));
        press(&mut app, "o space");
        assert_snapshot!(format!("conflict_{columns}x{rows}"), picture(&mut app, columns, rows));
    }
}

#[test]
fn what_the_conflict_inbox_asks_and_says() {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "c");
    app.update(Msg::Conflicts(Ok(Vec::new())));
    assert_snapshot!("conflicts_none", picture(&mut app, 80, 24));
    let mut gone = deletion();
    gone.note = None;
    app.update(Msg::Conflicts(Ok(vec![gone])));
    assert_snapshot!("conflicts_deleted", picture(&mut app, 80, 24));
    for (columns, rows) in SIZES {
        press(&mut app, "enter D");
        assert_snapshot!(format!("conflict_deleted_{columns}x{rows}"), picture(&mut app, columns, rows));
        press(&mut app, "esc");
    }
    app.update(Msg::Conflicts(Ok(conflicts())));
    press(&mut app, "down enter");
    assert_snapshot!("conflict_has_changed", picture(&mut app, 80, 24));
    press(&mut app, "v");
    assert_snapshot!("conflict_value", picture(&mut app, 80, 24));
    press(&mut app, "esc esc P");
    assert_snapshot!("conflicts_all", picture(&mut app, 80, 24));
}

#[test]
fn plain_mode_has_no_boxes_no_braille_and_no_arrows() {
    for tab in Tab::ALL {
        let mut app = full_with(Look { plain: true, ..Look::default() });
        start_running(&mut app);
        app.go_to(tab);
        let shown = picture(&mut app, 80, 24);
        let odd: String =
            shown.chars().filter(|letter| !letter.is_ascii() && !letter.is_alphabetic()).collect();
        assert_eq!(odd, "", "in {tab:?}:\n{shown}");
    }
    let mut app = full_with(Look { plain: true, ..Look::default() });
    app.go_to(Tab::Sync);
    assert_snapshot!("plain_sync", picture(&mut app, 80, 24));
}

#[test]
fn a_terminal_that_is_too_small_gets_one_clear_line() {
    let mut app = running();
    app.update(Msg::Tick(now()));
    assert_snapshot!("too_small", picture(&mut app, 40, 5));
}
