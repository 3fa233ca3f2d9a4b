//! Signing in by browser on Connection Settings: the button, the window that waits, and what comes of it.

use chrono::TimeDelta;
use forcesync::console::app::App;
use forcesync::console::app::connection::field::FieldId;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::console::app::model::Access;
use forcesync::domain::side::Side;
use forcesync::ops::browser_sign_in::{SignedIn, Stage};
use forcesync::workspace::secrets::SecretPlace;
use forcesync::workspace::settings::SignIn;
use insta::assert_snapshot;

use crate::console_stage::{full, now, picture, press, type_text};

const ADDRESS: &str = "https://acme.my.salesforce.com/services/oauth2/authorize?response_type=code&client_id=3MVG9lKcPoNINVBIPJjdw1J9LLM82Hn\
                       &redirect_uri=http%3A%2F%2Flocalhost%3A8717%2Fcallback&scope=api%20refresh_token&state=Zm9yY2VzeW5jIHN0YXRlIG9mIGEgcGljdHVyZQ\
                       &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&prompt=login";

/// A console whose form says “Browser”.
fn by_browser() -> App {
    let mut app = full();
    app.connection.draft.edit(|draft| draft.salesforce.sign_in = SignIn::Browser);
    app
}

fn waiting(opened: bool) -> App {
    let mut app = by_browser();
    let effects = press(&mut app, "b");
    assert!(matches!(effects.as_slice(), [Effect::SignIn { .. }]), "{effects:?}");
    let effects = app.update(Msg::SignInBegun {
        address: ADDRESS.into(),
        callback: "http://localhost:8717/callback".into(),
        until: now() + TimeDelta::seconds(292),
    });
    assert!(
        matches!(effects.as_slice(), [Effect::OpenBrowser(address)] if address == ADDRESS),
        "{effects:?}"
    );
    app.update(Msg::BrowserOpened(opened));
    app
}

#[test]
fn the_form_has_a_button_and_what_the_browser_needs() {
    let mut app = by_browser();
    app.connection.focus_on(FieldId::SignInNow);
    for (columns, rows) in [(60, 20), (80, 24), (120, 40)] {
        assert_snapshot!(format!("sign_in_form_{columns}"), picture(&mut app, columns, rows));
    }
    let effects = press(&mut app, "enter");
    assert!(
        matches!(effects.as_slice(), [Effect::SignIn { settings, .. }]
        if settings.salesforce.sign_in == SignIn::Browser),
        "{effects:?}"
    );
}

#[test]
fn the_window_shows_the_whole_address_and_the_time_that_is_left() {
    let mut app = waiting(true);
    for (columns, rows) in [(60, 20), (80, 24), (120, 40)] {
        assert_snapshot!(format!("sign_in_waiting_{columns}"), picture(&mut app, columns, rows));
    }
    app.update(Msg::Tick(now() + TimeDelta::seconds(60)));
    assert!(picture(&mut app, 80, 24).contains("3:52 left"));
    // Where the window is too low for all of it, it scrolls.
    press(&mut app, "end");
    let low = picture(&mut app, 60, 20);
    assert!(low.contains("redirect_uri_mismatch"), "{low}");
}

#[test]
fn without_a_browser_it_says_so_and_the_address_can_be_copied() {
    let mut app = waiting(false);
    assert_snapshot!("sign_in_no_browser_80", picture(&mut app, 80, 24));
    match press(&mut app, "y").as_slice() {
        [Effect::Copy(copied)] => assert_eq!(copied, ADDRESS),
        other => panic!("{other:?}"),
    }
    let effects = press(&mut app, "enter");
    assert!(matches!(effects.as_slice(), [Effect::OpenBrowser(_)]), "{effects:?}");
    let effects = app.update(Msg::Paste("http://localhost:8717/callback?code=a&state=b".into()));
    assert!(
        matches!(effects.as_slice(), [Effect::SignInPasted(text)] if text.ends_with("state=b")),
        "{effects:?}"
    );
}

#[test]
fn an_odd_page_is_told_and_esc_calls_it_off() {
    let mut app = waiting(true);
    app.update(Msg::SignInStage(Stage::Odd("A page of another sign-in came back; it was not used.".into())));
    assert!(picture(&mut app, 80, 24).contains("another sign-in"));
    app.update(Msg::SignInStage(Stage::Returned));
    assert!(picture(&mut app, 80, 24).contains("The browser came back"));
    let effects = press(&mut app, "esc");
    assert!(matches!(effects.as_slice(), [Effect::StopSignIn]), "{effects:?}");
    assert!(app.overlays.is_empty());
    // What comes too late is told, and opens nothing.
    app.update(Msg::SignedIn(Err("Nobody signed in within 5 minutes.".into())));
    assert!(app.overlays.is_empty());
}

#[test]
fn a_failure_says_why_and_enter_tries_again() {
    let mut app = waiting(true);
    app.update(Msg::SignedIn(Err(
        "The sign-in was refused in the browser. Begin anew and choose “Allow”.".into()
    )));
    assert_snapshot!("sign_in_failed_80", picture(&mut app, 80, 24));
    let effects = press(&mut app, "enter");
    assert!(matches!(effects.as_slice(), [Effect::SignIn { .. }]), "{effects:?}");
    app.update(Msg::SignedIn(Err("Port 8717 of this machine is taken.".into())));
    assert!(press(&mut app, "esc").is_empty(), "nothing goes on any more");
}

#[test]
fn who_has_signed_in_is_told_and_the_side_is_tested() {
    let mut app = waiting(true);
    let signed_in = SignedIn {
        user: "sync@acme.example".into(),
        org_id: "00Dxx0000001gPFEAY".into(),
        org: "Acme".into(),
        sandbox: false,
        place: SecretPlace::Vault,
    };
    let effects = app.update(Msg::SignedIn(Ok(signed_in)));
    assert!(
        matches!(effects.as_slice(), [Effect::SecretPlaces, Effect::Test { side: Side::Org, .. }]),
        "{effects:?}"
    );
    assert!(app.overlays.is_empty());
    app.connection.focus_on(FieldId::SignInNow);
    assert_snapshot!("signed_in_80", picture(&mut app, 80, 24));
}

#[test]
fn what_is_missing_or_not_allowed_is_told_before_anything_begins() {
    // Another way of signing in is chosen.
    let mut app = full();
    assert!(press(&mut app, "b").is_empty());
    assert!(picture(&mut app, 80, 24).contains("Choose “Browser” as Sign-in first."));
    let mut app = by_browser();
    app.connection.draft.edit(|draft| draft.salesforce.client_id.clear());
    assert!(press(&mut app, "b").is_empty());
    assert!(picture(&mut app, 80, 24).contains("Client Id is needed"));
    // A test before anybody has signed in.
    let mut app = by_browser();
    assert!(press(&mut app, "t").is_empty());
    assert_eq!(app.connection.focused(), FieldId::SignInNow);
    assert!(picture(&mut app, 80, 24).contains("Sign in first"));
    let mut app = by_browser();
    app.access = Access::ReadOnly;
    assert!(press(&mut app, "b").is_empty());
    // A port that is none stays in its field.
    let mut app = by_browser();
    app.connection.focus_on(FieldId::CallbackPort);
    press(&mut app, "D enter");
    type_text(&mut app, "80");
    press(&mut app, "enter");
    assert!(picture(&mut app, 120, 40).contains("A port of this machine"));
}
