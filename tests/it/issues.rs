//! Refused records and what people do about them (law E7, N6), through the real clients over HTTP.

use forcesync::domain::report::IssueRow;
use forcesync::domain::side::Side;
use forcesync::ops::issues;
use forcesync::ops::read::{self, Snoozed};
use forcesync::workspace::settings::Every;
use serde_json::json;

use crate::scenario_stage::{Ended, Scene};

async fn only(scene: &Scene) -> IssueRow {
    let mut open = scene.issues().await;
    assert_eq!(open.len(), 1, "{open:?}");
    open.remove(0)
}

async fn mend(scene: &Scene, issue: i64, field: &str, value: &str) -> Ended {
    let form = issues::form(scene.session(), issue).await.unwrap();
    let place = form.find(field).unwrap();
    let typed = [value.to_owned()];
    let run = issues::mend(scene.session(), scene.engine(), &form, place, &typed, "ann").await.unwrap();
    scene.end_of(run.unwrap()).await
}

/// A fax number on the platform that the org refuses, on somebody who is linked.
async fn refused() -> (Scene, String, String) {
    let scene = Scene::synced().await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    scene.platform_upsert(json!({"email": email, "fax": "1".repeat(60)}));
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.failed), (3, 1), "{ended:?}");
    (scene, id, email)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_shows_both_sides_and_an_edited_value_is_written_to_its_origin_and_across() {
    let (scene, id, email) = refused().await;
    let issue = only(&scene).await;
    let form = issues::form(scene.session(), issue.issue).await.unwrap();
    assert_eq!((form.source, form.unread.as_deref()), (Side::Platform, None));
    let failing = &form.fields[form.focus()];
    assert_eq!((failing.fields.org[0].as_str(), failing.failing), ("Fax", true));
    assert_eq!(failing.values.platform.as_ref().unwrap()[0].to_string(), "1".repeat(60));
    let ended = mend(&scene, issue.issue, "fax", "+32 9 555").await;
    assert_eq!((ended.exit, ended.counts.updated()), (0, 2), "{ended:?}");
    assert_eq!(scene.contact(&email)["fax"], "+32 9 555");
    assert_eq!(scene.org_row("Contact", &id)["Fax"], "+32 9 555");
    assert_eq!(scene.issues().await, []);
    assert!(scene.history(2).await.iter().all(|row| row.changes[0].rule == "edited by hand"));
    assert_eq!(scene.instant().await.counts.updated(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_refused_again_leaves_the_issue_and_no_decision() {
    let (scene, id, email) = refused().await;
    let before = scene.org_row("Contact", &id)["Fax"].clone();
    let issue = only(&scene).await;
    let ended = mend(&scene, issue.issue, "fax", &"2".repeat(60)).await;
    assert_eq!((ended.exit, ended.counts.failed), (3, 1), "{ended:?}");
    assert_eq!(scene.org_row("Contact", &id)["Fax"], before);
    assert!(only(&scene).await.message.contains("22"));
    // A person mends it at its origin; nothing of the edit comes back.
    scene.platform_upsert(json!({"email": email, "fax": "+32 9 666"}));
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(scene.org_row("Contact", &id)["Fax"], "+32 9 666");
    assert_eq!(scene.contact(&email)["fax"], "+32 9 666");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_gives_way_to_what_somebody_changed_since_the_form_was_read() {
    let (scene, id, email) = refused().await;
    let issue = only(&scene).await;
    let form = issues::form(scene.session(), issue.issue).await.unwrap();
    scene.platform_upsert(json!({"email": email, "fax": "+32 9 777"}));
    let typed = ["+32 9 555".to_owned()];
    let run =
        issues::mend(scene.session(), scene.engine(), &form, form.focus(), &typed, "ann").await.unwrap();
    let ended = scene.end_of(run.unwrap()).await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    assert_eq!(scene.contact(&email)["fax"], "+32 9 777");
    assert_eq!(scene.org_row("Contact", &id)["Fax"], "+32 9 777");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_value_of_a_record_that_could_not_be_created_is_edited_before_it_is_matched() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let email = "new.person@customer.example";
    scene.platform_upsert(
        json!({"email": email, "name": "New Person", "company": "Acme", "fax": "3".repeat(60)}),
    );
    let ended = scene.instant().await;
    assert_eq!((ended.exit, ended.counts.failed, ended.counts.created()), (3, 1, 0), "{ended:?}");
    let issue = only(&scene).await;
    assert!(issue.ids.org.is_none(), "{issue:?}");
    let ended = mend(&scene, issue.issue, "fax", "+32 9 888").await;
    assert_eq!((ended.exit, ended.counts.salesforce.created), (0, 1), "{ended:?} {:?}", scene.issues().await);
    assert_eq!(scene.contact(email)["fax"], "+32 9 888");
    let rows = scene.sandbox().org().rows("Lead");
    let lead = rows.iter().find(|row| row["Email"] == json!(email)).unwrap();
    assert_eq!(lead["Fax"], "+32 9 888");
    assert_eq!(scene.issues().await, []);
    let again = scene.instant().await;
    assert_eq!((again.counts.created(), again.counts.updated()), (0, 0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snoozed_issue_is_hidden_until_its_time_or_until_its_message_changes() {
    let (scene, _, email) = refused().await;
    let issue = only(&scene).await.issue;
    let groups = async |snoozed| read::issue_groups_with(scene.session(), snoozed).await.unwrap();
    let three_days: Every = "3d".parse().unwrap();
    issues::snooze(scene.session(), scene.engine(), vec![issue], Some(three_days)).await.unwrap();
    assert_eq!(groups(Snoozed::Hidden).await, []);
    assert_eq!(groups(Snoozed::Shown).await[0].snoozed, 1);
    assert_eq!((scene.status().await.issues, scene.status().await.issue_groups), (0, 0));
    // The same words again change nothing.
    scene.retry().await;
    assert_eq!(groups(Snoozed::Hidden).await, []);
    scene.pass(std::time::Duration::from_secs(3 * 86_400 + 1)).await;
    assert_eq!(groups(Snoozed::Hidden).await.len(), 1);
    issues::snooze(scene.session(), scene.engine(), vec![issue], Some(three_days)).await.unwrap();
    scene.platform_upsert(json!({"email": email, "fax": "4".repeat(60)}));
    scene.instant().await;
    assert_eq!(groups(Snoozed::Hidden).await.len(), 1, "its message has changed");
    assert!(issues::snooze(scene.session(), scene.engine(), vec![99], Some(three_days)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_edits_and_snoozes() {
    let (scene, id, _) = refused().await;
    let number = only(&scene).await.issue.to_string();
    let shown = scene.command(&["issues", "show", &number, "--values", "--json"]).await;
    let form: serde_json::Value = serde_json::from_str(shown.stdout.trim()).unwrap();
    assert_eq!(form["source"], "platform", "{} {}", shown.stdout, shown.stderr);
    let snoozed = scene.command(&["issues", "snooze", &number, "--for", "12h"]).await;
    assert_eq!(snoozed.code, 0, "{}", snoozed.stderr);
    let listed = scene.command(&["issues", "list"]).await;
    assert!(listed.stdout.contains("no open issues"), "{}", listed.stdout);
    let listed = scene.command(&["issues", "list", "--snoozed"]).await;
    assert!(listed.stdout.contains("1 (1 snoozed)"), "{}", listed.stdout);
    let woken = scene.command(&["issues", "snooze", &number, "--wake"]).await;
    assert_eq!(woken.code, 0, "{}", woken.stderr);
    let nothing = scene.command(&["issues", "edit", &number, "--field", "Nowhere", "--value", "x"]).await;
    assert_eq!(nothing.code, 2, "{}", nothing.stderr);
    let done = scene.command(&["issues", "edit", &number, "--value", "+32 9 999"]).await;
    assert_eq!(done.code, 0, "{} {}", done.stdout, done.stderr);
    assert_eq!(scene.org_row("Contact", &id)["Fax"], "+32 9 999");
}
