//! A rehearsal: the mappings tried out on a copy, with nothing written to either side nor to the workspace, and what it says of pairs that
//! never come to rest.

use forcesync::domain::mapping::{Direction, Mapping};
use forcesync::domain::rehearsal::Rehearsal;
use forcesync::domain::side::Side;
use forcesync::domain::transform::Transform;
use forcesync::domain::transform::rule::Rule;
use forcesync::domain::transform::rules::Rules;
use forcesync::ops::rehearse::{Wanted, rehearse};
use forcesync::sandbox::faults::Side as Place;
use forcesync::workspace::settings::Settings;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::scenario_stage::Scene;

/// A text that has to survive every way that it goes.
const ODD: &str = "Chief \"Wizard\" \\ ' OR Name != ' 👩‍🚀\u{301}";

async fn rehearsed(scene: &Scene, settings: &Settings, records: usize) -> Rehearsal {
    let (told, _) = watch::channel(String::new());
    let wanted = Wanted { records, mappings: vec!["contact".into()] };
    rehearse(scene.session(), settings, &wanted, &told).await.unwrap()
}

fn contact(settings: &mut Settings) -> &mut Mapping {
    settings.mappings.iter_mut().find(|mapping| mapping.name == "contact").unwrap()
}

/// In the place of the pair of titles: one in lower case to the platform, one in title case back.
fn lower_and_title(settings: &mut Settings) {
    let mapping = contact(settings);
    let place = mapping.pairs.iter().position(|pair| pair.org == ["Title"]).unwrap();
    let pair = mapping.pairs.remove(place);
    let rules = |to_platform: &[Rule], to_org: &[Rule]| {
        Transform::Rules(Rules { to_platform: to_platform.to_vec(), to_org: to_org.to_vec() })
    };
    let mut there = pair.clone();
    (there.direction, there.transform) = (Direction::ToPlatform, rules(&[Rule::Lower], &[]));
    let mut back = pair;
    (back.direction, back.transform) = (Direction::ToOrg, rules(&[], &[Rule::Title]));
    mapping.pairs.splice(place..place, [there, back]);
}

/// Calls that write. Both services read by POST too, so that what stands in them is compared besides.
fn writes(scene: &Scene, since: u64) -> Vec<String> {
    let org = scene.calls_since(since, Place::Salesforce).into_iter().filter(|call| {
        ["PATCH", "PUT", "DELETE"].iter().any(|method| call.starts_with(method)) || call.contains("/ingest")
    });
    let writing = ["upsert", "/insert", "/update", "delete", "optin", "optout", "tags", "addNote"];
    let platform = scene.calls_since(since, Place::Platform);
    org.chain(platform.into_iter().filter(|call| writing.iter().any(|word| call.contains(word)))).collect()
}

fn last_call(scene: &Scene) -> u64 {
    scene.sandbox().calls().last()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_in_lower_case_and_one_in_title_case_are_both_named() {
    let scene = Scene::small().await;
    let mut settings = scene.session().settings();
    lower_and_title(&mut settings);
    let before = scene.snapshot();
    let rehearsal = rehearsed(&scene, &settings, 40).await;
    assert!(!rehearsal.quiet, "{:?}", rehearsal.runs);
    assert_eq!(rehearsal.exit_code(), 12);
    assert!(rehearsal.edited.is_some_and(|edited| edited.records > 0));
    let value = rehearsal.unsettled.first().unwrap();
    assert!(value.ids.org.is_some() && !value.label.is_empty(), "{value:?}");
    let rules: Vec<&str> = value.writes.iter().map(|push| push.transform.as_str()).collect();
    assert!(rules.iter().any(|rule| rule.contains("lower")), "{rules:?}");
    assert!(rules.iter().any(|rule| rule.contains("title")), "{rules:?}");
    let pairs: Vec<&str> = value.writes.iter().map(|push| push.pair.as_str()).collect();
    assert!(
        pairs.contains(&"Title → details.SF_Title") && pairs.contains(&"Title ← details.SF_Title"),
        "{pairs:?}"
    );
    assert!(Side::BOTH.into_iter().all(|side| value.writes.iter().any(|push| push.side == side)));
    assert_eq!(scene.snapshot(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_comes_to_rest_does_and_nothing_is_written_outside() {
    let scene = Scene::synced().await;
    let (id, email) = scene.somebody(2);
    scene.org_update("Contact", &id, json!({"Title": ODD}));
    let linked = scene.contact(&email)["contactId"].clone();
    let (before, since) = (scene.snapshot(), last_call(&scene));
    let state = std::fs::read(scene.workspace().join("state.db")).unwrap();
    let runs = scene.history(10_000).await;
    let rehearsal = rehearsed(&scene, &scene.session().settings(), 60).await;
    assert!(rehearsal.quiet && rehearsal.edited.is_none(), "{:?}", rehearsal.runs);
    assert!(rehearsal.unsettled.is_empty());
    let mapping = &rehearsal.mappings[0];
    assert!(mapping.linked > 0 && mapping.sampled.org > 0 && mapping.sampled.platform > 0, "{mapping:?}");
    // What was in step is in step there too, save for the one edit.
    assert!(mapping.updated.platform >= 1, "{mapping:?}");
    assert_eq!(writes(&scene, since), [] as [&str; 0]);
    assert_eq!(scene.snapshot(), before);
    assert_eq!(scene.history(10_000).await.len(), runs.len());
    assert_eq!(std::fs::read(scene.workspace().join("state.db")).unwrap(), state);
    assert_eq!(scene.contact(&email)["contactId"], linked);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_values_reach_the_copy_and_come_back_as_they_are() {
    let scene = Scene::small().await;
    let (id, _) = scene.somebody(1);
    scene.org_update("Contact", &id, json!({"Title": ODD}));
    let mut settings = scene.session().settings();
    // A pair that adds to its own value never comes to rest, so that the values of the copy are told.
    lower_and_title(&mut settings);
    let mapping = contact(&mut settings);
    for pair in mapping.pairs.iter_mut().filter(|pair| pair.org == ["Title"]) {
        pair.transform = Transform::Copy;
    }
    let rehearsal = rehearsed(&scene, &settings, 40).await;
    assert!(rehearsal.uncopied.is_empty(), "{:?}", rehearsal.uncopied);
    assert_eq!(scene.org_row("Contact", &id)["Title"], ODD);
    assert!(rehearsal.runs[0].counts.failed == 0, "{:?}", rehearsal.mappings);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_tells_it_in_lines_and_by_its_exit_code() {
    let scene = Scene::small().await;
    let done = scene.command(&["rehearse", "--mapping", "contact", "--records", "30", "--json"]).await;
    let lines: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!([0, 3].contains(&done.code), "{} {}", done.code, done.stderr);
    assert_eq!((&lines[0]["event"], &lines[0]["mapping"]), (&json!("mapping"), &json!("contact")));
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["event"], &last["quiet"], &last["unsettled"]),
        (&json!("rehearsed"), &json!(true), &json!(0))
    );
    scene.set(lower_and_title).await;
    let done = scene.command(&["rehearse", "--mapping", "contact", "--records", "30"]).await;
    assert_eq!(done.code, 12, "{} {}", done.stdout, done.stderr);
    for words in ["lower", "title", "Title → details.SF_Title", "Title ← details.SF_Title", "Not quiet"] {
        assert!(done.stdout.contains(words), "{words}: {}", done.stdout);
    }
    let done = scene.command(&["rehearse", "--records", "0"]).await;
    assert_eq!(done.code, 2, "{}", done.stderr);
    let done = scene.command(&["rehearse", "--mapping", "nobody"]).await;
    assert!(done.code == 2 && done.stderr.contains("nobody"), "{}", done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_can_not_be_copied_says_why() {
    let scene = Scene::of_platform("novoed", crate::scenario_stage::Cast::of(10), |text| text).await;
    let done = scene.command(&["rehearse", "--json"]).await;
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(
        done.stdout.contains("no_rehearsal") && done.stderr.contains("NovoEd takes no records"),
        "{}",
        done.stderr
    );
}

/// Owners of SPOTIO are users of the org; both are known in the sandbox, so that records keep theirs.
#[tokio::test(flavor = "multi_thread")]
async fn records_of_spotio_keep_their_owners_in_a_rehearsal() {
    let scene = Scene::of_platform("spotio", crate::scenario_stage::Cast::of(30), |text| text).await;
    // One belongs to somebody who owns nothing of the sample in the org.
    let boss = json!({"orgUserId": "005000000000001AAA", "email": "boss@acme.example"});
    let boss = scene.sandbox().platform().upsert("user", boss.as_object().unwrap()).unwrap();
    let us = json!({"orgUserId": scene.sandbox().org().integration_user_id()});
    let us = scene.sandbox().platform().upsert("user", us.as_object().unwrap()).unwrap();
    let leads = scene.sandbox().platform().records("lead");
    for (lead, owner) in leads.iter().zip([boss, us]) {
        let fields = json!({"id": lead["id"], "ownerId": owner});
        scene.sandbox().platform().upsert("lead", fields.as_object().unwrap()).unwrap();
    }
    let (told, _) = watch::channel(String::new());
    let wanted = Wanted { records: 30, mappings: vec!["lead".into()] };
    let rehearsal = rehearse(scene.session(), &scene.session().settings(), &wanted, &told).await.unwrap();
    assert!(
        rehearsal.quiet && rehearsal.unsettled.is_empty(),
        "{:?} {:?}",
        rehearsal.runs,
        rehearsal.unsettled
    );
    assert_eq!(rehearsal.runs[0].counts.failed, 0, "{:?}", rehearsal.runs);
    // Nobody can read a user who is not there.
    let lost: Vec<&str> = rehearsal.uncopied.iter().map(|uncopied| uncopied.what.as_str()).collect();
    assert_eq!(lost, ["1 record of lead"], "{:?}", rehearsal.uncopied);
}
