//! What each action does to the state and what it asks of the world.

use chrono::TimeDelta;
use forcesync::console::app::connection::field::FieldId;
use forcesync::console::app::effect::{Effect, Leave, LogPurpose, Part};
use forcesync::console::app::message::Msg;
use forcesync::console::app::model::Engine;
use forcesync::console::app::overlay::Overlay;
use forcesync::console::app::tab::Tab;
use forcesync::domain::command::{Command, Reply};
use forcesync::domain::mapping::{Direction, Policy};
use forcesync::domain::outcome::RunKind;
use forcesync::domain::progress::{EngineState, Phase, Progress};
use forcesync::domain::report::{Level, Verdict};
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::transform::Transform;

use crate::console_stage::{
    drifted, empty, fact, failed_test, full, issues, now, picture, press, running, saved, type_text,
};

fn toast(app: &forcesync::console::app::App) -> String {
    app.toasts.newest().map(|toast| toast.text.clone()).unwrap_or_default()
}

#[test]
fn a_test_takes_the_values_on_the_screen_saved_or_not() {
    let mut app = full();
    press(&mut app, "down enter");
    type_text(&mut app, "/x");
    let effects = press(&mut app, "enter t");
    let [Effect::Test { side, settings, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*side, Side::Org);
    assert_eq!(settings.salesforce.my_domain, "https://acme.my.salesforce.com/x");
    assert_ne!(app.settings.salesforce.my_domain, settings.salesforce.my_domain);
}

#[test]
fn a_test_with_empty_fields_names_all_of_them_at_once() {
    let mut app = empty();
    assert!(press(&mut app, "t").is_empty());
    let wrong: Vec<FieldId> = app.connection.errors.keys().copied().collect();
    assert_eq!(wrong, [FieldId::MyDomain, FieldId::ClientId, FieldId::ClientSecret]);
    assert_eq!(app.connection.focused(), FieldId::MyDomain);
}

#[test]
fn what_a_test_blames_stands_beside_its_field() {
    let mut app = full();
    app.update(Msg::Tested(Side::Org, Ok(failed_test())));
    assert!(app.connection.errors.get(&FieldId::Password).is_some_and(|text| text.contains("INVALID_LOGIN")));
}

#[test]
fn edits_mark_the_tab_and_undo_takes_the_mark_away() {
    let mut app = full();
    press(&mut app, "down enter");
    type_text(&mut app, "x");
    press(&mut app, "enter");
    assert!(app.unsaved(Tab::Connection));
    press(&mut app, "u");
    assert!(!app.unsaved(Tab::Connection));
    press(&mut app, "ctrl+r");
    assert!(app.unsaved(Tab::Connection));
}

#[test]
fn esc_leaves_a_field_as_it_was_and_enter_takes_it() {
    let mut app = full();
    press(&mut app, "down enter");
    type_text(&mut app, "zzz");
    press(&mut app, "esc");
    assert!(!app.unsaved(Tab::Connection));
    assert!(app.connection.editing.is_none());
}

#[test]
fn tab_takes_a_field_and_goes_on_typing_in_the_next() {
    let mut app = full();
    for _ in 0..3 {
        press(&mut app, "down");
    }
    assert_eq!(app.connection.focused(), FieldId::Username);
    press(&mut app, "enter");
    type_text(&mut app, "2");
    press(&mut app, "tab");
    assert_eq!(app.connection.draft.now().salesforce.username, "sync@acme.example2");
    assert_eq!(app.connection.editing.as_ref().map(|editor| editor.field), Some(FieldId::Password));
}

#[test]
fn a_number_that_is_none_keeps_the_field_open_with_its_error() {
    let mut app = full();
    app.connection.focus_on(FieldId::ApiReserve);
    press(&mut app, "enter");
    type_text(&mut app, "x");
    press(&mut app, "enter");
    assert!(app.connection.editing.is_some());
    assert!(app.connection.errors.contains_key(&FieldId::ApiReserve));
    assert!(press(&mut app, "ctrl+s").is_empty());
}

#[test]
fn saving_stores_typed_secrets_and_forgets_them_here() {
    let mut app = full();
    app.connection.focus_on(FieldId::Password);
    press(&mut app, "enter");
    type_text(&mut app, "s3cret");
    let effects = press(&mut app, "ctrl+s");
    let [Effect::Save { part, settings, secrets }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((*part, secrets.len()), (Part::Connection, 1));
    let settings = settings.as_ref().clone();
    saved(&mut app, Part::Connection, settings);
    assert!(!app.unsaved(Tab::Connection));
    assert!(app.connection.draft.now().typed.is_empty());
    press(&mut app, "u");
    assert!(app.connection.draft.now().typed.is_empty());
}

#[test]
fn a_wrong_address_is_not_saved() {
    let mut app = full();
    app.connection.focus_on(FieldId::Endpoint);
    press(&mut app, "enter ctrl+u");
    type_text(&mut app, "http://app2.salesmanago.com");
    assert!(press(&mut app, "ctrl+s").is_empty());
    assert!(app.connection.errors.contains_key(&FieldId::Endpoint));
    assert!(toast(&app).contains("Not saved"));
}

#[test]
fn the_owner_is_picked_from_what_a_test_found() {
    let mut app = full();
    app.connection.focus_on(FieldId::Owner);
    press(&mut app, "enter");
    type_text(&mut app, "bob");
    press(&mut app, "enter");
    assert_eq!(app.connection.draft.now().platform.salesmanago.owner, "bob@acme.example");
}

#[test]
fn mapping_is_locked_until_both_sides_have_passed() {
    let mut app = full();
    app.update(Msg::Unlocked(PerSide { org: true, platform: false }));
    app.go_to(Tab::Mapping);
    press(&mut app, "tab d");
    assert!(!app.unsaved(Tab::Mapping));
    assert!(toast(&app).contains("SALESmanago has passed a test"));
    press(&mut app, "3 s");
    assert!(toast(&app).contains("Locked"));
}

#[test]
fn keys_change_the_selected_pair() {
    let mut app = full();
    press(&mut app, "2 tab down down d o space");
    let pair = &app.mapping.draft.now()[0].pairs[2];
    assert_eq!(pair.direction, Direction::ToPlatform);
    assert_eq!(pair.policy, Policy::PlatformWins);
    assert!(pair.key);
    press(&mut app, "u u u");
    assert!(!app.unsaved(Tab::Mapping));
}

#[test]
fn a_pair_is_added_by_two_pickers_and_can_only_flow_where_it_can_be_written() {
    let mut app = full();
    press(&mut app, "2 tab a");
    type_text(&mut app, "vip");
    press(&mut app, "enter");
    type_text(&mut app, "sf_status");
    press(&mut app, "enter");
    let pair = app.mapping.draft.now()[0].pairs.last().unwrap();
    assert_eq!((pair.org[0].as_str(), pair.platform[0].as_str()), ("VIP__c", "details.SF_Status"));
    assert_eq!(pair.direction, Direction::ToPlatform);
}

#[test]
fn a_removal_asks_and_enter_right_after_changes_nothing() {
    let mut app = full();
    press(&mut app, "2 tab D enter");
    assert_eq!(app.mapping.draft.now()[0].pairs.len(), 5);
    press(&mut app, "D y");
    assert_eq!(app.mapping.draft.now()[0].pairs.len(), 4);
}

#[test]
fn a_read_only_target_is_a_problem_while_it_is_edited() {
    let mut app = full();
    press(&mut app, "2 tab a");
    type_text(&mut app, "vip");
    press(&mut app, "enter");
    type_text(&mut app, "optedout");
    press(&mut app, "enter d");
    let pair = app.mapping.draft.now()[0].pairs.len() - 1;
    assert_eq!(app.mapping.draft.now()[0].pairs[pair].direction, Direction::ToOrg);
    let note = app.mapping.notes.iter().find(|note| note.pair == Some(pair));
    assert!(note.is_some_and(|note| note.verdict == Verdict::Bad), "{:?}", app.mapping.notes);
}

#[test]
fn translations_are_added_changed_and_removed() {
    let mut app = full();
    press(&mut app, "2 tab down down down down x a");
    type_text(&mut app, "Bronze = 1");
    press(&mut app, "enter");
    let entries = |app: &forcesync::console::app::App| match &app.mapping.draft.now()[0].pairs[4].transform {
        Transform::Table(table) => table.entries.len(),
        _ => 0,
    };
    assert_eq!(entries(&app), 3);
    press(&mut app, "a");
    type_text(&mut app, "nonsense");
    press(&mut app, "enter");
    assert!(matches!(app.overlays.last(), Some(Overlay::Prompt(prompt)) if prompt.error.is_some()));
    press(&mut app, "esc D y");
    assert_eq!(entries(&app), 2);
}

#[test]
fn criteria_that_can_not_be_understood_stay_in_their_prompt() {
    let mut app = full();
    press(&mut app, "2 c t");
    type_text(&mut app, " AND (");
    press(&mut app, "enter");
    assert!(matches!(app.overlays.last(), Some(Overlay::Prompt(prompt)) if prompt.error.is_some()));
    assert!(!app.unsaved(Tab::Mapping));
}

#[test]
fn an_initial_sync_asks_and_an_instant_one_does_not() {
    let mut app = full();
    press(&mut app, "3");
    assert!(press(&mut app, "I enter").is_empty());
    let effects = press(&mut app, "I y");
    assert!(
        matches!(effects.as_slice(), [Effect::Ask(Command::Start(request))] if request.kind == RunKind::Initial)
    );
    let effects = press(&mut app, "s");
    assert!(
        matches!(effects.as_slice(), [Effect::Ask(Command::Start(request))] if request.kind == RunKind::Instant)
    );
}

#[test]
fn force_synchronization_is_folded_until_enter() {
    let mut app = full();
    press(&mut app, "3");
    assert!(!picture(&mut app, 80, 24).contains("Kick off an initial sync"));
    press(&mut app, "enter");
    assert!(picture(&mut app, 80, 24).contains("Kick off an initial sync"));
    press(&mut app, "down");
    let effects = press(&mut app, "enter");
    assert!(
        matches!(effects.as_slice(), [Effect::Ask(Command::Start(request))] if request.kind == RunKind::Instant)
    );
}

#[test]
fn a_second_run_is_refused_with_the_reason() {
    let mut app = running();
    assert!(press(&mut app, "s").is_empty());
    assert!(toast(&app).contains("on its way"));
}

#[test]
fn what_was_read_is_shown_as_long_as_the_mappings_wait() {
    let mut app = running();
    press(&mut app, "3");
    assert!(!picture(&mut app, 80, 24).contains("600 / 2,000"));
    let progress = app.sync.progress.clone();
    for read in [0, 600] {
        let reading =
            Progress { phase: Phase::Reading, read, expected: Some(2_000), ..app.sync.progress.clone() };
        app.update(Msg::Progress(Box::new(reading)));
        app.update(Msg::Tick(app.now + TimeDelta::seconds(3)));
    }
    let shown = picture(&mut app, 80, 24);
    assert!(shown.contains("600 / 2,000") && shown.contains("7s to read"), "{shown}");
    assert!(!shown.contains("created"), "{shown}");
    // And from then on the end of all mappings, not that of the reading.
    app.update(Msg::Progress(Box::new(progress)));
    assert!(!picture(&mut app, 80, 24).contains("to read"));
}

#[test]
fn pause_resume_and_stop_ask_the_engine() {
    let mut app = running();
    press(&mut app, "3");
    assert!(matches!(press(&mut app, "P").as_slice(), [Effect::Ask(Command::Pause)]));
    let paused = Progress { state: EngineState::Paused, ..app.sync.progress.clone() };
    app.update(Msg::Progress(Box::new(paused)));
    assert!(matches!(press(&mut app, "P").as_slice(), [Effect::Ask(Command::Resume)]));
    assert!(press(&mut app, "S").is_empty());
    assert!(matches!(press(&mut app, "y").as_slice(), [Effect::Ask(Command::Cancel)]));
}

#[test]
fn automatic_is_switched_in_the_engine_and_kept_in_the_settings() {
    let mut app = full();
    press(&mut app, "3");
    let effects = press(&mut app, "A");
    assert!(matches!(effects.as_slice(), [Effect::Ask(Command::Automatic { on: true })]), "{effects:?}");
    let command = Command::Automatic { on: true };
    let refused = Reply::Refused { message: "There has been no complete initial sync yet.".into() };
    assert!(app.update(Msg::Replied(command.clone(), Ok(refused))).is_empty());
    let effects = app.update(Msg::Replied(command, Ok(Reply::Accepted)));
    assert!(
        matches!(effects.as_slice(), [Effect::Save { settings, .. }] if settings.schedule.automatic),
        "{effects:?}"
    );
}

#[test]
fn e11_automatic_sync_waits_for_a_first_initial_sync() {
    let mut app = full();
    app.update(Msg::Status(Ok(Box::default())));
    press(&mut app, "3");
    assert!(press(&mut app, "A").is_empty());
}

#[test]
fn e17_a_run_asks_for_the_name_of_a_workspace_whose_sides_are_not_of_a_kind() {
    let mut app = full();
    app.update(Msg::Status(Ok(Box::new(drifted()))));
    for key in ["I", "s"] {
        press(&mut app, &format!("3 {key}"));
        type_text(&mut app, "another");
        assert!(press(&mut app, "enter").is_empty(), "{key}");
        press(&mut app, "ctrl+u");
        let name = app.workspace_name();
        type_text(&mut app, &name);
        let effects = press(&mut app, "enter");
        assert!(
            matches!(effects.as_slice(), [Effect::Ask(Command::ConfirmWorkspace { .. })]),
            "{key}: {effects:?}"
        );
    }
}

#[test]
fn one_key_accepts_what_changed_and_only_where_there_is_something() {
    let mut app = full();
    press(&mut app, "2");
    assert!(press(&mut app, "K").is_empty());
    app.update(Msg::Status(Ok(Box::new(drifted()))));
    let effects = press(&mut app, "K");
    assert!(
        matches!(effects.as_slice(), [Effect::Ask(Command::Accept { mappings, .. })] if mappings.len() == 1),
        "{effects:?}"
    );
}

#[test]
fn an_interval_below_ten_seconds_is_refused() {
    let mut app = full();
    press(&mut app, "3 i ctrl+u");
    type_text(&mut app, "5s");
    assert!(press(&mut app, "enter").is_empty());
    press(&mut app, "ctrl+u");
    type_text(&mut app, "90m");
    let effects = press(&mut app, "enter");
    assert!(
        matches!(effects.as_slice(), [Effect::Save { settings, .. }] if settings.schedule.every.to_string() == "1h30m")
    );
}

#[test]
fn a_group_is_tried_again_after_a_question_that_names_how_many() {
    let mut app = full();
    let effects = press(&mut app, "3 r");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::ReadIssues(_))));
    app.update(Msg::Issues(Ok(issues())));
    assert!(picture(&mut app, 80, 24).contains("2 records"));
    let effects = press(&mut app, "y");
    assert!(matches!(effects.as_slice(), [Effect::Ask(Command::Retry { issues })] if issues == &[1, 2]));
}

#[test]
fn without_an_engine_the_reason_is_said() {
    let mut app = full();
    app.update(Msg::Engine(Engine::Unavailable("Another engine holds the workspace (pid 42).".into())));
    assert!(press(&mut app, "3 s").iter().all(|effect| !matches!(effect, Effect::Ask(_))));
    assert!(picture(&mut app, 100, 30).contains("pid 42"));
}

#[test]
fn a_refusal_of_the_engine_is_shown() {
    let mut app = full();
    let reply = Ok(Reply::Refused { message: "A brake stopped it.".into() });
    app.update(Msg::Replied(Command::Pause, reply));
    assert_eq!(toast(&app), "A brake stopped it.");
}

#[test]
fn the_log_filter_asks_again_and_esc_clears_it() {
    let mut app = full();
    press(&mut app, "4 /");
    type_text(&mut app, "company");
    let effects = press(&mut app, "enter L");
    assert!(
        matches!(effects.as_slice(), [Effect::ReadLog { query, .. }] if query.level == Some(Level::Warn) && query.text.as_deref() == Some("company"))
    );
    let effects = press(&mut app, "esc");
    assert!(matches!(effects.as_slice(), [Effect::ReadLog { query, .. }] if query.text.is_none()));
}

#[test]
fn moving_up_stops_following_and_end_takes_it_up() {
    let mut app = full();
    press(&mut app, "4 up");
    assert!(!app.logs.following);
    let generation = app.logs.generation;
    let answer = Ok(vec![fact(4, Level::Info, "A new line.")]);
    app.update(Msg::Log { purpose: LogPurpose::Newer, generation, answer });
    assert_eq!(app.logs.selected_row().map(|row| row.sequence), Some(2));
    assert!(picture(&mut app, 80, 24).contains("1 new"));
    press(&mut app, "G");
    assert!(app.logs.following);
}

#[test]
fn quitting_with_unsaved_edits_asks_and_can_save_first() {
    let mut app = full();
    press(&mut app, "2 tab d 1");
    assert!(press(&mut app, "q").is_empty());
    assert!(press(&mut app, "enter").is_empty(), "the focus is on staying");
    press(&mut app, "q");
    let effects = press(&mut app, "s");
    let [Effect::Save { part: Part::Mapping, settings, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let settings = settings.as_ref().clone();
    let effects = saved(&mut app, Part::Mapping, settings);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Quit(Leave::Quietly))));
}

#[test]
fn quitting_while_a_run_is_on_its_way_offers_three_ways() {
    let mut app = running();
    press(&mut app, "q");
    let shown = picture(&mut app, 80, 24);
    for words in ["Finish the run", "Stop after this batch", "Abort now"] {
        assert!(shown.contains(words), "{words}");
    }
    assert!(matches!(press(&mut app, "s").as_slice(), [Effect::Quit(Leave::AfterBatch)]));
    press(&mut app, "q f");
    let ended = Progress { state: EngineState::Idle, ..app.sync.progress.clone() };
    let effects = app.update(Msg::Progress(Box::new(ended)));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Quit(_))));
}

#[test]
fn ctrl_c_twice_aborts_and_once_does_not() {
    let mut app = full();
    assert!(press(&mut app, "ctrl+c").is_empty());
    app.update(Msg::Tick(now() + TimeDelta::seconds(10)));
    assert!(press(&mut app, "ctrl+c").is_empty());
    assert!(matches!(press(&mut app, "ctrl+c").as_slice(), [Effect::Quit(Leave::Abort)]));
}

#[test]
fn nothing_wakes_an_idle_console() {
    let app = full();
    assert_eq!(app.next_change(), None);
}

#[test]
fn the_passphrase_of_the_vault_is_asked_for_masked_and_then_the_save_goes_on() {
    let mut app = full();
    let waiting = Effect::Save { part: Part::Connection, settings: Box::default(), secrets: Vec::new() };
    app.update(Msg::PassphraseNeeded(Box::new(waiting)));
    type_text(&mut app, "hunter2-marker");
    assert!(!picture(&mut app, 80, 24).contains("hunter2-marker"));
    let effects = press(&mut app, "enter");
    let [Effect::Unlock { then, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(matches!(then.as_ref(), Effect::Save { part: Part::Connection, .. }));
    assert!(!format!("{effects:?}").contains("hunter2-marker"));
}

#[test]
fn the_end_of_a_run_is_told() {
    let mut app = running();
    let ended = Progress { state: EngineState::Idle, run: Some(117), ..app.sync.progress.clone() };
    let effects = app.update(Msg::Progress(Box::new(ended)));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::ReadRuns { .. })));
    let runs = app.sync.runs.ready().cloned().unwrap_or_default();
    app.update(Msg::Runs { before: None, answer: Ok(runs[2..].to_vec()) });
    assert!(app.toasts.is_empty());
    app.sync.ended = Some(115);
    app.update(Msg::Runs { before: None, answer: Ok(runs) });
    assert!(toast(&app).contains("Run 115 partly failed"), "{}", toast(&app));
}
