//! A record pulled from both sides, and how many take part: read only, by console and command line alike.

use forcesync::domain::sample::{Met, State, results};
use forcesync::domain::side::{PerSide, Side};
use forcesync::ops::members::{self, Counted};
use forcesync::ops::{describe, sample};
use serde_json::{Value, json};

use crate::scenario_stage::Scene;

fn mapping(scene: &Scene) -> forcesync::domain::mapping::Mapping {
    let settings = scene.session().settings();
    settings.mappings.into_iter().find(|mapping| mapping.org_object == "Contact").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_pulled_by_either_id_by_its_key_or_any_and_nothing_is_written() {
    let scene = Scene::synced().await;
    let (id, email) = scene.somebody(3);
    scene.org_update("Contact", &id, json!({"MobilePhone": "+49 170 99"}));
    let before = scene.snapshot();
    let mapping = mapping(&scene);
    let platform_id = scene.contact(&email)["contactId"].as_str().map(str::to_owned);
    let wanted = [Some(id.clone()), Some(id[..15].to_owned()), Some(email.to_uppercase()), platform_id];
    for wanted in wanted.into_iter().flatten() {
        let pulled = sample::pull(scene.session(), &mapping, Some(&wanted)).await.unwrap();
        assert_eq!(pulled.met, Met::Linked, "{wanted}");
        assert_eq!(pulled.ids().org.unwrap().as_str(), id, "{wanted}");
        let mut schemas = PerSide::default();
        for side in Side::BOTH {
            schemas[side] =
                Some(describe::object(scene.session(), side, mapping.object(side)).await.unwrap());
        }
        let schemas = PerSide { org: schemas.org.as_deref(), platform: schemas.platform.as_deref() };
        let states: Vec<(String, State)> = mapping
            .pairs
            .iter()
            .zip(results(&mapping, schemas, &pulled))
            .map(|(pair, result)| (pair.name(), result.state()))
            .collect();
        let differs: Vec<&str> =
            states.iter().filter(|(_, state)| *state != State::Same).map(|(name, _)| name.as_str()).collect();
        assert!(differs.len() == 1 && differs[0].contains("MobilePhone"), "{states:?}");
    }
    assert!(sample::pull(scene.session(), &mapping, None).await.unwrap().records.org.is_some());
    for nobody in ["nobody@x.example", "' OR Name != '", "003000000000000AAA", "👩‍🚀"] {
        let refused = sample::pull(scene.session(), &mapping, Some(nobody)).await.unwrap_err();
        assert!(refused.message.contains(nobody), "{}", refused.message);
    }
    assert_eq!(scene.snapshot(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_counted_by_the_org_and_tested_here_where_it_can_not() {
    let scene = Scene::small().await;
    let contacts = scene.sandbox().org().rows("Contact");
    let count = |side, criteria: &'static str| {
        let object = mapping(&scene).object(side).to_owned();
        let session = scene.session();
        async move { members::count(session, side, &object, Some(criteria)).await }
    };
    let all = contacts.len() as u64;
    let blank = contacts.iter().filter(|row| row["Email"].is_null()).count() as u64;
    let there = count(Side::Org, "Email != null").await.unwrap();
    assert_eq!((there.members, there.of, there.counted), (all - blank, Some(all), Counted::There));
    // A long text can't be tested in the org.
    let here = count(Side::Org, "Description = null OR Description != null").await.unwrap();
    assert_eq!((here.members, here.of, here.counted), (all, Some(all), Counted::Here));
    let platform = count(Side::Platform, "email LIKE '%@%'").await.unwrap();
    assert!(platform.members > 0 && platform.counted == Counted::Here, "{platform:?}");
    let data = count(Side::Org, "LastName = '\\' OR Name != \\''").await.unwrap();
    assert_eq!(data.members, 0);
    let refused = count(Side::Org, "Email is").await.unwrap_err();
    assert!(refused.message.contains("at character"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_counts_and_samples_too() {
    let scene = Scene::synced().await;
    let (id, _) = scene.somebody(0);
    let name = mapping(&scene).name;
    let lines =
        |text: &str| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    let done = scene.command(&["mapping", "count", &name, "--org", "Email != null", "--json"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let counted = lines(&done.stdout);
    assert_eq!(counted.len(), 2);
    assert_eq!((&counted[0]["event"], &counted[0]["counted"]), (&json!("members"), &json!("there")));
    let done = scene.command(&["mapping", "sample", &name, "--record", &id, "--json"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let sampled = lines(&done.stdout);
    assert_eq!(sampled.len(), 1 + mapping(&scene).pairs.len());
    assert_eq!((&sampled[0]["met"], &sampled[0]["ids"]["org"]), (&json!("linked"), &json!(id)));
    assert_eq!(sampled[1]["state"], "same");
    let done = scene.command(&["mapping", "sample", &name, "--record", "nobody@x.example"]).await;
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("nobody@x.example"), "{}", done.stderr);
}
