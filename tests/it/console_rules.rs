//! Rules that hold for every action, key, size and theme of the console; generated over the tables.

use std::collections::BTreeSet;

use forcesync::console::app::action::{Action, Scope};
use forcesync::console::app::keymap::{Context, Keymap};
use forcesync::console::app::message::Msg;
use forcesync::console::app::model::Access;
use forcesync::console::app::overlay::Overlay;
use forcesync::console::app::tab::Tab;
use forcesync::console::view::theme::ThemeChoice;
use forcesync::domain::report::Level;

use crate::console_stage::{
    SECRET, act, cells, empty, fact, full, issues, picture, press, running, text_of, type_text,
};

#[test]
fn every_action_is_in_the_palette() {
    let mut app = full();
    act(&mut app, Action::Palette);
    let Some(Overlay::Palette(picker)) = app.overlays.last() else { panic!("the palette is open") };
    let listed: BTreeSet<&str> = picker.items.iter().map(|item| item.id.as_str()).collect();
    for action in Action::ALL.iter().filter(|action| **action != Action::Palette) {
        assert!(listed.contains(action.word()), "{}", action.word());
    }
}

#[test]
fn every_action_is_done_or_refused_with_a_reason_wherever_it_is_asked_for() {
    for action in Action::ALL {
        for tab in Tab::ALL {
            for mut app in [empty(), running()] {
                app.go_to(tab);
                act(&mut app, *action);
                // Whatever it opened can be drawn and closed again.
                picture(&mut app, 80, 24);
                press(&mut app, "esc esc esc esc");
                assert!(app.overlays.is_empty(), "{} on {tab:?}", action.word());
            }
        }
    }
}

#[test]
fn the_palette_finds_an_action_by_its_words_and_starts_it() {
    let mut app = full();
    press(&mut app, ":");
    type_text(&mut app, "go to logs");
    press(&mut app, "enter");
    assert_eq!(app.tab, Tab::Logs);
    press(&mut app, ":");
    type_text(&mut app, "pause");
    press(&mut app, "enter");
    assert!(picture(&mut app, 120, 40).contains("Nothing runs now"), "disabled ones tell the reason");
}

#[test]
fn every_action_has_a_key_somewhere_or_is_only_in_the_palette_on_purpose() {
    let keymap = Keymap::built_in().unwrap();
    let without: Vec<&str> = Action::ALL
        .iter()
        .filter(|action| Context::ALL.into_iter().all(|context| keymap.key_of(context, **action).is_none()))
        .map(|action| action.word())
        .collect();
    assert_eq!(without, ["discard", "check", "problems", "theme_dark", "theme_light", "theme_mono", "mouse"]);
}

#[test]
fn arrows_enter_esc_and_tab_are_bound_in_every_context_they_are_needed_in() {
    let keymap = Keymap::built_in().unwrap();
    let key = |text: &str| forcesync::console::app::key::Key::parse(text).unwrap();
    for context in Context::ALL.into_iter().filter(|context| *context != Context::Movement) {
        for (text, action) in [("enter", Action::Open), ("esc", Action::Back)] {
            assert_eq!(keymap.action(context, key(text)), Some(action), "{} in {}", text, context.word());
        }
    }
}

#[test]
fn footer_help_and_palette_show_the_same_key_after_a_rebind() {
    let mut app = full();
    app.keymap.patch(Keymap::parse("[connection]\n\"T\" = { action = \"test\" }").unwrap());
    let footer = picture(&mut app, 120, 40).lines().last().unwrap_or_default().to_owned();
    assert!(footer.contains("T test"), "{footer}");
    press(&mut app, "?");
    assert!(picture(&mut app, 120, 40).contains("T                 Test this side"));
    press(&mut app, "esc :");
    type_text(&mut app, "test this side");
    let palette = picture(&mut app, 120, 40);
    let line = palette.lines().find(|line| line.contains("Test this side")).unwrap_or_default();
    assert!(line.contains(" T "), "{line}");
}

#[test]
fn no_size_panics_and_no_resize_during_a_run_does() {
    for tab in Tab::ALL {
        let mut app = running();
        app.go_to(tab);
        for (columns, rows) in [(0, 0), (1, 1), (20, 5), (50, 15), (51, 16), (79, 24), (300, 90), (60, 200)] {
            picture(&mut app, columns, rows);
        }
        for keys in ["?", "esc :", "esc 3", "I", "esc tab tab enter", "enter"] {
            press(&mut app, keys);
            for (columns, rows) in [(0, 0), (50, 15), (52, 16), (200, 60)] {
                picture(&mut app, columns, rows);
            }
        }
    }
}

#[test]
fn the_selected_row_differs_from_its_neighbours_in_text_in_every_theme() {
    for theme in [ThemeChoice::Dark, ThemeChoice::Light, ThemeChoice::Mono] {
        for tab in [Tab::Mapping, Tab::Logs, Tab::Connection] {
            let mut app = full();
            app.go_to(tab);
            assert!(text_of(&cells(&app, 80, 24, theme)).contains('▸'), "{tab:?} in {theme:?}");
        }
    }
}

#[test]
fn mono_draws_no_colour_at_all() {
    for tab in Tab::ALL {
        let mut app = running();
        app.go_to(tab);
        for cell in &cells(&app, 120, 40, ThemeChoice::Mono).content {
            assert_eq!(cell.fg, ratatui::style::Color::Reset);
            assert_eq!(cell.bg, ratatui::style::Color::Reset);
        }
    }
}

#[test]
fn a_terminal_escape_in_a_record_never_reaches_the_screen() {
    let evil = "\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2J\u{202e}gnp.exe\r\n";
    let mut app = full();
    let generation = app.logs.generation;
    let purpose = forcesync::console::app::effect::LogPurpose::Fresh;
    app.update(Msg::Log { purpose, generation, answer: Ok(vec![fact(1, Level::Error, evil)]) });
    app.go_to(Tab::Sync);
    press(&mut app, "tab tab enter");
    let mut rows = issues();
    for row in &mut rows {
        row.label = evil.into();
        row.message = evil.into();
    }
    app.update(Msg::Issues(Ok(rows)));
    for keys in ["enter", "esc", "esc", "4", "enter"] {
        let shown = text_of(&cells(&app, 120, 40, ThemeChoice::Dark));
        assert!(
            !shown.contains(|letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}')
        );
        press(&mut app, keys);
    }
}

#[test]
fn a_secret_is_never_drawn_copied_or_told() {
    let mut app = full();
    press(&mut app, "down down down down enter");
    type_text(&mut app, SECRET);
    assert!(!picture(&mut app, 120, 40).contains(SECRET), "while typed");
    press(&mut app, "enter");
    assert!(!picture(&mut app, 120, 40).contains(SECRET), "when accepted");
    assert!(picture(&mut app, 120, 40).contains("typed, not saved"));
    let copied = press(&mut app, "y Y");
    assert!(!format!("{copied:?}").contains(SECRET));
    let effects = press(&mut app, "ctrl+s");
    assert_eq!(effects.len(), 1);
    assert!(!format!("{effects:?}").contains(SECRET));
    press(&mut app, "v");
    assert!(picture(&mut app, 120, 40).contains(SECRET), "shown on purpose");
    press(&mut app, "down");
    assert!(!picture(&mut app, 120, 40).contains(SECRET), "hidden when the focus leaves");
}

#[test]
fn a_paste_of_ten_kilobytes_fires_no_action() {
    let pasted = "quit\nq\ny\nD\n".repeat(1_000);
    let mut app = full();
    let effects = app.update(Msg::Paste(pasted.clone()));
    assert!(effects.is_empty() && app.overlays.is_empty());
    press(&mut app, "down enter");
    assert!(app.update(Msg::Paste(pasted)).is_empty());
    assert!(app.overlays.is_empty());
    let typed = app.connection.editing.as_ref().map(|editor| editor.input.text().to_owned()).unwrap();
    assert!(!typed.contains('\n') && typed.contains("quit q y D"));
}

#[test]
fn read_only_mode_refuses_what_changes_something_and_says_so() {
    for action in Action::ALL {
        let mut app = full();
        app.access = Access::ReadOnly;
        let effects = act(&mut app, *action);
        for effect in effects {
            let text = format!("{effect:?}");
            assert!(
                !text.starts_with("Save") && !text.starts_with("Ask("),
                "{} did {text} in read-only mode",
                action.word()
            );
        }
    }
    let mut app = full();
    app.access = Access::ReadOnly;
    assert!(picture(&mut app, 80, 24).contains("READ-ONLY"));
    press(&mut app, "I");
    assert!(picture(&mut app, 80, 24).contains("read-only"));
}

#[test]
fn while_somebody_types_letters_are_text() {
    for keys in ["down enter", "4 /", "2 /", ":"] {
        let mut app = full();
        press(&mut app, keys);
        let before = app.overlays.len();
        type_text(&mut app, "qDISAP1234?:/uyt");
        assert_eq!(app.overlays.len(), before, "after {keys}");
    }
}

#[test]
fn an_action_of_another_tab_goes_there_first() {
    for action in Action::ALL {
        if let Scope::On(tab) = action.scope() {
            for from in Tab::ALL {
                let mut app = full();
                app.go_to(from);
                act(&mut app, *action);
                let shared = matches!(
                    (*action, from),
                    (Action::Why | Action::Drift, Tab::Sync) | (Action::Plan, Tab::Mapping)
                );
                if app.available(*action).is_ok() && !shared {
                    assert_eq!(app.tab, tab, "{}", action.word());
                }
            }
        }
    }
}
