//! The account to which new contacts are assigned (F50): found by its name when it is saved, picked where several have it.

use forcesync::console::app::action::Action;
use forcesync::console::app::effect::{Effect, Part};
use forcesync::console::app::message::Msg;
use forcesync::console::app::overlay::Overlay;
use forcesync::ops::save_settings;
use forcesync::workspace::settings::Settings;
use forcesync::workspace::{Problem, Severity};
use serde_json::json;

use crate::console_stage::{act, full, press};
use crate::scenario_stage::Scene;

fn named(scene: &Scene, name: &str, id: Option<&str>) -> Settings {
    let mut settings = scene.session().settings();
    settings.platform.salesmanago.account_name = name.into();
    settings.platform.salesmanago.account_id = id.map(str::to_owned);
    settings
}

async fn errors(scene: &Scene, settings: Settings) -> Vec<Problem> {
    let mut problems = save_settings::save(scene.session(), settings, Vec::new()).await.unwrap();
    problems.retain(|problem| problem.severity == Severity::Error);
    problems
}

/// F50: one account of that name is taken, none is an error beside the field, of several one has to be picked; new contacts are put there.
#[tokio::test(flavor = "multi_thread")]
async fn f50_the_account_of_that_name_is_found_when_it_is_saved_and_one_of_several_is_picked() {
    let scene = Scene::synced().await;
    let only = scene.org_insert("Account", json!({"Name": "Lone"}));
    let first = scene.org_insert("Account", json!({"Name": "Twin", "BillingCity": "Ghent"}));
    let second = scene.org_insert("Account", json!({"Name": "Twin", "BillingCity": "Delft"}));
    let kept = |scene: &Scene| scene.session().settings().platform.salesmanago.account_id;
    assert!(errors(&scene, named(&scene, "Lone", None)).await.is_empty());
    assert_eq!(kept(&scene).as_deref(), Some(only.as_str()));

    let problems = errors(&scene, named(&scene, "Nobody", None)).await;
    assert_eq!(problems[0].path, "platform.salesmanago.account_name");
    assert!(problems[0].message.contains("no account") && problems[0].choices.is_empty(), "{problems:?}");

    let problems = errors(&scene, named(&scene, "Twin", None)).await;
    let mut ids: Vec<&str> = problems[0].choices.iter().map(|(id, _)| id.as_str()).collect();
    ids.sort_unstable();
    let mut both = [first.as_str(), second.as_str()];
    both.sort_unstable();
    assert_eq!(ids, both);
    assert!(problems[0].choices.iter().any(|(_, cells)| cells.contains(&"Delft".to_owned())), "{problems:?}");
    assert_eq!(kept(&scene).as_deref(), Some(only.as_str()), "nothing was saved");

    assert!(errors(&scene, named(&scene, "Twin", Some(&second))).await.is_empty());
    assert_eq!(kept(&scene).as_deref(), Some(second.as_str()));
    scene
        .set(|settings| {
            for mapping in &mut settings.mappings {
                mapping.create_in_org = mapping.org_object == "Contact";
                mapping.skip_create_when_blank.clear();
            }
        })
        .await;
    scene.platform_upsert(json!({"email": "placed@fresh.example", "name": "Pia Placed"}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 1), "{ended:?} {:?}", scene.issues().await);
    let contacts = scene.sandbox().org().rows("Contact");
    let placed = contacts.iter().find(|row| row["Email"] == json!("placed@fresh.example")).unwrap();
    assert_eq!(placed["AccountId"], json!(second));
}

/// F50: the console opens a picker over the accounts of that name, and saves the one that was picked.
#[test]
fn f50_the_console_picks_one_of_several_accounts() {
    let mut app = full();
    let cells = |city: &str, id: &str| vec!["Twin".to_owned(), city.to_owned(), id.to_owned()];
    let choices =
        vec![("001A".to_owned(), cells("Ghent", "001A")), ("001B".to_owned(), cells("Delft", "001B"))];
    let problem =
        Problem::new(Severity::Error, "platform.salesmanago.account_name", "2 accounts are called “Twin”.");
    press(&mut app, "1");
    app.update(Msg::SaveRefused(Part::Connection, vec![Problem { choices, ..problem }]));
    assert!(matches!(app.overlays.last(), Some(Overlay::Picker(picker)) if picker.items.len() == 2));
    press(&mut app, "down enter");
    assert!(app.overlays.is_empty() && app.connection.errors.is_empty());
    let effects = act(&mut app, Action::Save);
    let saved = effects.iter().find_map(|effect| match effect {
        Effect::Save { settings, .. } => settings.platform.salesmanago.account_id.clone(),
        _ => None,
    });
    assert_eq!(saved.as_deref(), Some("001B"));
}
