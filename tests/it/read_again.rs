//! The date of the last synchronization, changed by a person (F57): on the command line, in the console, and what the next run makes of it.

use std::time::Duration;

use chrono::TimeDelta;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::overlay::Overlay;
use forcesync::domain::command::{Command, FeedFate, ReadAgain};
use forcesync::ops::read_again::read_again;
use serde_json::json;

use crate::console_stage::{full, press, type_text};
use crate::scenario_stage::Scene;

/// F57: set back, the next run reads again what changed since; forward it goes only where that was asked for, and then misses what lies between.
#[tokio::test(flavor = "multi_thread")]
async fn f57_the_date_set_back_reads_again_and_forward_only_where_asked_for() {
    let scene = Scene::synced().await;
    scene.pass(Duration::from_secs(7200)).await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    scene.pass(Duration::from_secs(3600)).await;
    scene.org_update("Contact", &id, json!({"LastName": "Between"}));
    scene.pass(Duration::from_secs(3600)).await;
    let now = scene.now();
    let go = async |since, skip| read_again(scene.engine(), ReadAgain { since, skip }).await;
    let stays = go(now, false).await.unwrap();
    assert!(!stays.is_empty() && stays.iter().all(|feed| feed.fate == FeedFate::Earlier), "{stays:?}");
    let skipped = go(now, true).await.unwrap();
    assert!(skipped.iter().all(|feed| feed.fate == FeedFate::Moved), "{skipped:?}");
    assert_eq!(
        scene.status().await.last_synchronization,
        chrono::DateTime::from_timestamp_millis(now.timestamp_millis())
    );
    let missed = scene.instant().await;
    assert_eq!((missed.exit, missed.counts.updated()), (0, 0), "{missed:?}");
    assert!(go(scene.now() + TimeDelta::hours(1), true).await.is_err(), "the future is refused");
    let back = go(scene.now() - TimeDelta::hours(3), false).await.unwrap();
    assert!(back.iter().all(|feed| feed.fate == FeedFate::Moved && feed.before.is_some()), "{back:?}");
    let found = scene.instant().await;
    assert_eq!((found.exit, found.counts.platform.updated), (0, 1), "{found:?}");
    assert!(scene.contact(&email).to_string().contains("Between"));
    assert!(scene.told().await.iter().any(|line| line.starts_with("A person set the date")));
}

/// F57: nothing is changed unless the workspace's name was typed, and a date is a date.
#[tokio::test(flavor = "multi_thread")]
async fn f57_the_command_wants_the_workspaces_name() {
    let scene = Scene::synced().await;
    let told = scene.command(&["read-again", "2026-01-01"]).await;
    assert!(told.code == 2 && told.stderr.contains("--confirm"), "{told:?}");
    let told = scene.command(&["read-again", "2026-01-01", "--confirm", "other"]).await;
    assert!(told.code == 130 && told.stderr.contains("nothing was changed"), "{told:?}");
    let told = scene.command(&["read-again", "tomorrow", "--confirm", &scene.session().name()]).await;
    assert!(told.code == 2 && told.stderr.contains("neither a day nor a moment"), "{told:?}");
    let told =
        scene.command(&["read-again", "2026-01-01", "--confirm", &scene.session().name(), "--json"]).await;
    assert!(told.code == 0 && told.stdout.contains("\"fate\":\"moved\""), "{told:?}");
    let told = scene.command(&["status"]).await;
    assert!(told.stdout.contains("2026") || told.stdout.contains("Jan"), "{told:?}");
}

/// F57: the console asks for a date, then for the name; neither a wrong one nor Escape changes anything.
#[test]
fn f57_the_console_asks_for_a_date_and_then_for_the_name() {
    let mut app = full();
    let erase = vec!["backspace"; 24].join(" ");
    press(&mut app, "3");
    assert!(press(&mut app, "d").is_empty());
    let error = |app: &forcesync::console::app::App| match app.overlays.last() {
        Some(Overlay::Prompt(prompt)) => prompt.error.clone(),
        _ => None,
    };
    press(&mut app, &erase);
    type_text(&mut app, "soon");
    assert!(press(&mut app, "enter").is_empty() && error(&app).is_some());
    press(&mut app, &erase);
    type_text(&mut app, "2024-01-01T00:00:00Z");
    assert!(press(&mut app, "enter").is_empty() && error(&app).is_none());
    type_text(&mut app, "nobody");
    assert!(press(&mut app, "enter").is_empty() && error(&app).is_some());
    press(&mut app, &erase);
    let name = app.workspace_name();
    type_text(&mut app, &name);
    let effects = press(&mut app, "enter");
    let asked = effects.iter().any(|effect| {
        matches!(effect, Effect::Ask(Command::ReadAgain(wanted)) if !wanted.skip && wanted.since.timestamp() == 1_704_067_200)
    });
    assert!(asked && app.overlays.is_empty());
    press(&mut app, "d esc");
    assert!(app.overlays.is_empty());
}
