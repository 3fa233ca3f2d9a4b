//! What both sides changed, and who enters and leaves by other criteria, as an admin sees them.

use forcesync::console::app::App;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::console::app::tab::Tab;
use forcesync::domain::command::{Acceptance, Command};
use forcesync::domain::mapping::Mapping;
use forcesync::domain::record::RecordId;
use forcesync::domain::scope::{Member, Movers, ScopeChange, consequences};
use forcesync::domain::side::Side;
use insta::assert_snapshot;

use crate::console_stage::{drifted, full, picture, press, status};
use crate::scenario_stage::Scene;

fn with_drift(tab: Tab) -> App {
    let mut app = full();
    app.update(Msg::Status(Ok(Box::new(drifted()))));
    app.go_to(tab);
    app
}

#[test]
fn n11_changes_are_listed_with_what_waits_since_when_and_the_way_out() {
    for (columns, rows) in [(60, 20), (80, 24), (120, 40)] {
        let mut app = with_drift(Tab::Mapping);
        press(&mut app, "M");
        assert_snapshot!(format!("drift_{columns}x{rows}"), picture(&mut app, columns, rows));
    }
}

#[test]
fn n11_what_can_be_accepted_is_accepted_by_a_key_and_a_yes() {
    let mut app = with_drift(Tab::Sync);
    press(&mut app, "M");
    // The first can only be given back.
    press(&mut app, "K");
    assert!(!picture(&mut app, 80, 24).contains("Accept what changed"));
    press(&mut app, "down K");
    assert_snapshot!("drift_accept", picture(&mut app, 80, 24));
    let effects = press(&mut app, "y");
    let name = app.settings.mappings[0].name.clone();
    let wanted = Command::Accept { mappings: vec![name], what: Acceptance::Drift };
    assert!(matches!(&effects[..], [Effect::Ask(command)] if *command == wanted), "{effects:?}");
    // Once the status says that it ended, the list is shorter, and empty in the end.
    app.update(Msg::Status(Ok(Box::new(status()))));
    assert_snapshot!("drift_none", picture(&mut app, 80, 24));
}

#[test]
fn n11_enter_goes_to_the_pair_that_waits() {
    let mut app = with_drift(Tab::Sync);
    press(&mut app, "M enter");
    assert_eq!((app.tab, app.overlays.len()), (Tab::Mapping, 0));
    assert_eq!(app.mapping.selected_row().and_then(|row| row.pair), Some(2));
}

/// A console in which the criteria of the first mapping were edited.
fn narrowed() -> App {
    let mut app = full();
    app.go_to(Tab::Mapping);
    let name = app.settings.mappings[0].name.clone();
    app.mapping.edit(&name, |mapping| mapping.org_criteria = Some("MailingCountry = 'BE'".into()));
    app
}

fn moved(app: &App) -> ScopeChange {
    let mapping: &Mapping = &app.mapping.draft.now()[0];
    let member = |id: &str, label: &str, linked: bool| Member {
        id: RecordId::from(id),
        label: label.into(),
        counterpart: linked.then(|| RecordId::from("5f1c")),
    };
    let enters = Movers {
        linked: 1,
        unlinked: 1,
        shown: vec![
            member("003Fs000000001AAA", "ann@acme.example", true),
            member("003Fs000000002AAA", "bob@acme.example", false),
        ],
    };
    let leaves =
        Movers { linked: 250, unlinked: 0, shown: vec![member("003Fs000000003AAA", "cem@x.example", true)] };
    ScopeChange {
        mapping: mapping.name.clone(),
        side: Side::Org,
        before: app.settings.mappings[0].org_criteria.clone(),
        after: mapping.org_criteria.clone(),
        consequences: consequences(mapping, Side::Org, &enters, &leaves),
        enters,
        leaves,
        stays: 18_204,
        read: 18_456,
        whole: true,
    }
}

#[test]
fn n12_who_enters_and_leaves_is_shown_before_the_criteria_are_saved() {
    let mut app = narrowed();
    press(&mut app, "ctrl+s");
    assert_snapshot!("scope_question", picture(&mut app, 80, 24));
    let effects = press(&mut app, "w");
    let [Effect::LookAtScope(changed)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(changed.len(), 1);
    let change = moved(&app);
    app.update(Msg::Scope(Ok(vec![change])));
    for (columns, rows) in [(60, 20), (80, 24)] {
        assert_snapshot!(format!("scope_{columns}x{rows}"), picture(&mut app, columns, rows));
    }
    // Criteria that are as they were move nobody, and nobody is asked.
    press(&mut app, "esc u");
    assert!(press(&mut app, "W").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_a_command_tells_who_enters_and_leaves_and_writes_nothing() {
    let scene = Scene::synced().await;
    let (id, email) = scene.somebody(0);
    let criteria = format!("Email != '{email}'");
    let arguments =
        ["plan", "--scope", "--mapping", "contact", "--org-criteria", criteria.as_str(), "--json"];
    let done = scene.command(&arguments).await;
    assert_eq!(done.code, 10, "{done:?}");
    let lines = done.objects();
    assert_eq!((lines[0]["event"].as_str(), lines[0]["id"].as_str()), (Some("leaves"), Some(id.as_str())));
    assert!(lines[0]["counterpart"].is_string() && lines[0]["label"] == email.as_str(), "{done:?}");
    let last = done.last();
    assert_eq!((last["leaves"]["linked"].as_u64(), last["enters"]["linked"].as_u64()), (Some(1), Some(0)));
    assert_eq!((last["event"].as_str(), last["whole"].as_bool()), (Some("scope"), Some(true)));

    // The other side's criteria are tested on its own records.
    let criteria = format!("email != '{email}'");
    let arguments =
        ["plan", "--scope", "--mapping", "contact", "--platform-criteria", criteria.as_str(), "--json"];
    let done = scene.command(&arguments).await;
    assert_eq!(done.last()["leaves"]["linked"].as_u64(), Some(1), "{done:?}");

    let same = ["plan", "--scope", "--mapping", "contact", "--org-criteria", ""];
    assert_eq!(scene.command(&same).await.code, 0);
    scene.command(&["plan", "--scope"]).await.says(2, &["--org-criteria", "--with"]);
    let wrong = ["plan", "--scope", "--mapping", "contact", "--org-criteria", "Email ="];
    scene.command(&wrong).await.says(2, &["criteria"]);
    let text = "Name = 'O\\'Hara \\\\ 100% 🦀' OR Name = '\\' OR Name != \\''";
    let odd = ["plan", "--scope", "--mapping", "contact", "--org-criteria", text, "--json"];
    let done = scene.command(&odd).await;
    assert_eq!((done.code, done.last()["stays"].as_u64()), (10, Some(0)), "it is data: {done:?}");
}

#[test]
fn a_question_that_does_not_fit_can_be_read_to_its_end() {
    let mut app = full();
    app.go_to(Tab::Sync);
    press(&mut app, "I");
    let before = picture(&mut app, 60, 20);
    assert!(before.contains("Down …") && !before.contains("All that can be held back"), "{before}");
    press(&mut app, "pagedown");
    let after = picture(&mut app, 60, 20);
    assert!(!after.contains("Down …") && after.contains("All that can be held back"), "{after}");
}
