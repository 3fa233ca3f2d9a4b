//! History, why and undo through the real clients (laws E16, N3): what was written is told, and taken back where nobody wrote since.

use std::time::Duration;

use forcesync::domain::command::Allowances;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::report::HistoryQuery;
use forcesync::domain::undo::{Extent, WhyLeft};
use forcesync::domain::why::{WhyLink, WhyQuery};
use forcesync::ops::{forget, read, undo, why};
use serde_json::json;

use crate::scenario_stage::{Cast, Scene};

/// The run that wrote last.
async fn last_run(scene: &Scene) -> i64 {
    scene.history(1).await[0].run
}

async fn left(scene: &Scene, run: i64) -> Vec<(Vec<String>, WhyLeft)> {
    let mut found = Vec::new();
    undo::left(scene.session(), run, |left| found.push((left.fields.clone(), left.why))).await.unwrap();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_why_tells_both_bases_and_the_writes_that_led_there() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    let before = scene.org_row("Contact", &id)["MailingCity"].clone();
    scene.org_update("Contact", &id, json!({"MailingCity": "Ghent"}));
    scene.instant().await;
    let run = last_run(&scene).await;
    let platform_id = scene.contact(&email)["id"].as_str().unwrap().to_owned();
    for (object, id) in [("Contact", id.clone()), ("contact", platform_id), ("Contact", id[..15].to_owned())]
    {
        let query = WhyQuery { object: Some(object.into()), id, field: Some("MailingCity".into()) };
        let records = why::why(scene.session(), query).await.unwrap();
        assert_eq!(records.len(), 1, "{object}: {records:?}");
        assert!(matches!(records[0].link, WhyLink::Linked { .. }));
        assert_eq!(records[0].pairs.len(), 1, "{records:?}");
        let pair = &records[0].pairs[0];
        assert!(pair.mapped);
        let place = pair.fields.org.iter().position(|name| name == "MailingCity").unwrap();
        assert_eq!(pair.base.as_ref().unwrap().platform[place].to_string(), "Ghent");
        assert_eq!((pair.steps[0].run, pair.steps[0].kind), (run, Some(RunKind::Instant)));
        assert_eq!(pair.steps[0].new[place].to_string(), "Ghent");
        assert_eq!(pair.steps[0].old[place].to_string(), before.as_str().unwrap_or_default());
        assert_eq!(pair.steps[0].rule, "Salesforce changed it, the platform did not");
    }
    let unknown = WhyQuery { object: Some("Contact".into()), id: "003000000000000AAA".into(), field: None };
    let records = why::why(scene.session(), unknown).await.unwrap();
    assert!(records.iter().all(|record| matches!(record.link, WhyLink::NotLinked { .. })), "{records:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_found_by_field_mapping_and_time_page_by_page() {
    let scene = Scene::synced().await;
    scene.instant().await;
    scene.pass(Duration::from_secs(3600)).await;
    let (id, _) = scene.somebody(0);
    let all = scene.history(1000).await;
    scene.org_update("Contact", &id, json!({"MailingCity": "Ghent"}));
    scene.instant().await;
    let newest = scene.history(1).await.remove(0);
    let ask = async |query: HistoryQuery| {
        read::history(scene.session(), HistoryQuery { limit: 1000, ..query }).await.unwrap()
    };
    let of_field = ask(HistoryQuery { field: Some("mailingcity".into()), ..HistoryQuery::default() }).await;
    let names_city = |row: &&forcesync::domain::report::HistoryRow| {
        let changed = |name: &String| name.to_lowercase().contains("city");
        row.mapping == "contact" && row.changes.iter().any(|change| change.fields.iter().any(changed))
    };
    let expected = usize::from(names_city(&&newest)) + all.iter().filter(names_city).count();
    assert!(expected > 0);
    assert_eq!(of_field.len(), expected);
    let since = ask(HistoryQuery { since: Some(newest.at), ..HistoryQuery::default() }).await;
    assert_eq!(since, vec![newest.clone()]);
    let until = ask(HistoryQuery { until: Some(newest.at), ..HistoryQuery::default() }).await;
    assert_eq!(until, all);
    let of_mapping = ask(HistoryQuery { mapping: Some("contact".into()), ..HistoryQuery::default() }).await;
    assert!(of_mapping.iter().all(|row| row.mapping == "contact") && of_mapping.contains(&newest));
    let nothing = ask(HistoryQuery { mapping: Some("nobody".into()), ..HistoryQuery::default() }).await;
    assert!(nothing.is_empty());
    let mut paged = Vec::new();
    let mut query = HistoryQuery { limit: 7, ..HistoryQuery::default() };
    loop {
        let page = read::history_page(scene.session(), query.clone()).await.unwrap();
        paged.extend(page.rows);
        let Some(next) = page.next else { break };
        query.before = Some(next);
    }
    assert_eq!(paged.len(), all.len() + 1);
    assert_eq!(newest.call.as_deref(), Some("update"));
}

#[tokio::test(flavor = "multi_thread")]
async fn e16_an_undo_restores_what_nobody_changed_since_and_nothing_flows_back() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let people: Vec<(String, String)> = (0..3).map(|nth| scene.somebody(nth)).collect();
    let before: Vec<_> =
        people.iter().map(|(_, email)| scene.contact(email)["address"]["city"].clone()).collect();
    for (nth, (id, _)) in people.iter().enumerate() {
        scene.org_update("Contact", id, json!({"MailingCity": format!("Ghent {nth}")}));
    }
    scene.instant().await;
    let run = last_run(&scene).await;
    // The second was edited on the platform since, the third in the org.
    scene.platform_upsert(json!({"email": people[1].1, "address": {"city": "Bruges"}}));
    scene.org_update("Contact", &people[2].0, json!({"MailingCity": "Antwerp"}));

    let looked = scene.undo(run, Extent::Look, Allowances::default()).await;
    assert_eq!(looked.counts.updated(), 0, "{looked:?}");
    assert_eq!(scene.contact(&people[0].1)["address"]["city"], "Ghent 0");
    let mut planned = Vec::new();
    undo::planned(scene.session(), run + 1, |change| planned.push(change.clone())).await.unwrap();
    assert_eq!(planned.len(), 1, "{planned:?}");

    let undone = scene.undo(run, Extent::Write, Allowances::default()).await;
    assert_eq!((undone.exit, undone.counts.updated()), (3, 1), "{undone:?}");
    let why: Vec<WhyLeft> = left(&scene, run + 2).await.into_iter().map(|(_, why)| why).collect();
    assert_eq!(why.len(), 2, "{why:?}");
    assert!(why.contains(&WhyLeft::Moved) && why.contains(&WhyLeft::OtherMoved), "{why:?}");
    for _ in 0..3 {
        scene.pass(Duration::from_secs(300)).await;
        scene.run(RunKind::Automatic).await;
    }
    assert_eq!(scene.contact(&people[0].1)["address"]["city"], before[0]);
    assert_eq!(scene.org_row("Contact", &people[0].0)["MailingCity"], "Ghent 0");
    // The edits made since are synchronized like any other.
    assert_eq!(scene.org_row("Contact", &people[1].0)["MailingCity"], "Bruges");
    assert_eq!(scene.contact(&people[2].1)["address"]["city"], "Antwerp");

    // An undo of the undo brings the run's value back.
    let again = scene.undo(run + 2, Extent::Write, Allowances::default()).await;
    assert_eq!((again.exit, again.counts.updated()), (0, 1), "{again:?}");
    assert_eq!(scene.contact(&people[0].1)["address"]["city"], "Ghent 0");
    // A person's next edit flows as ever.
    scene.org_update("Contact", &people[0].0, json!({"MailingCity": "Liège"}));
    scene.instant().await;
    assert_eq!(scene.contact(&people[0].1)["address"]["city"], "Liège");
}

#[tokio::test(flavor = "multi_thread")]
async fn e16_an_edit_of_another_field_that_was_on_its_way_is_still_synchronized_after_an_undo() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    scene.org_update("Contact", &id, json!({"MailingCity": "Ghent"}));
    scene.instant().await;
    let run = last_run(&scene).await;
    scene.org_update("Contact", &id, json!({"MobilePhone": "+32 9 000 00 01"}));
    scene.platform_upsert(json!({"email": email, "fax": "+32 9 000 00 02"}));
    let undone = scene.undo(run, Extent::Write, Allowances::default()).await;
    assert_eq!(undone.counts.updated(), 1, "{undone:?}");
    scene.pass(Duration::from_secs(7200)).await;
    scene.instant().await;
    assert_eq!(scene.contact(&email)["phone"], "+32 9 000 00 01");
    assert_eq!(scene.org_row("Contact", &id)["Fax"], "+32 9 000 00 02");
    assert_ne!(scene.contact(&email)["address"]["city"], "Ghent");
}

#[tokio::test(flavor = "multi_thread")]
async fn e16_an_undo_never_lifts_an_opt_out() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    scene.org_update("Contact", &id, json!({"HasOptedOutOfEmail": true}));
    scene.instant().await;
    assert_eq!(scene.contact(&email)["optedOut"], true);
    let run = last_run(&scene).await;
    let undone = scene.undo(run, Extent::Write, Allowances::default()).await;
    assert_eq!(undone.counts.updated(), 0, "{undone:?}");
    assert_eq!(left(&scene, run + 1).await.last().map(|(_, why)| *why), Some(WhyLeft::Consent));
    assert_eq!(scene.contact(&email)["optedOut"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn e16_an_undo_is_braked_like_any_run() {
    let scene = Scene::new(Cast::of(150)).await;
    assert_eq!(scene.initial().await.exit, 0);
    scene.instant().await;
    let people: Vec<(String, String)> = (0..25).map(|nth| scene.somebody(nth)).collect();
    for (id, _) in &people {
        scene.org_update("Contact", id, json!({"Fax": null}));
    }
    scene.unbraked(RunKind::Instant).await;
    for (id, _) in &people {
        scene.org_update("Contact", id, json!({"Fax": "+32 9 1"}));
    }
    scene.org_insert("Contact", json!({"LastName": "New", "Email": "new@x.example", "MailingCity": "Ghent"}));
    scene.unbraked(RunKind::Instant).await;
    let run = last_run(&scene).await;
    let preview = undo::preview(scene.session(), run).await.unwrap();
    assert_eq!((preview.updated.platform, preview.created.platform), (25, 1), "{preview:?}");
    let none = Allowances::default();
    let filled = people.iter().all(|(_, email)| scene.contact(email)["fax"] == "+32 9 1");
    assert!(filled);
    // They were blank before, so that taking them back blanks 25 values: more than the floor of 20.
    let braked = scene.undo(run, Extent::Write, none).await;
    assert_eq!(braked.exit, 5, "{braked:?}");
    assert!(braked.message.contains(&format!("forcesync undo {run} --allow-blanks 25")), "{braked:?}");
    let allowed = Allowances { blanks: Some(25), updates: Some(25), ..none };
    let undone = scene.undo(run, Extent::Write, allowed).await;
    assert_eq!((undone.counts.updated(), undone.counts.platform.deleted), (25, 1), "{undone:?}");
    scene.pass(Duration::from_secs(300)).await;
    let after = scene.instant().await;
    assert_eq!((after.counts.updated(), after.counts.created()), (0, 0), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n27_a_forgotten_person_is_nowhere_in_the_workspace_and_is_never_matched_again() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    scene.org_update(
        "Contact",
        &id,
        json!({"MailingCity": "Zwijndrecht-Aan-Zee", "MobilePhone": "+32 471 99 88 77"}),
    );
    scene.instant().await;
    // Somebody else's record names the person as well.
    scene.org_insert("Contact", json!({"LastName": "Twin", "Email": email}));
    scene.instant().await;
    let log = scene.workspace().join("log");
    std::fs::create_dir_all(&log).unwrap();
    std::fs::write(log.join("forcesync.log"), format!("kept\nabout {email}\nkept too\n")).unwrap();
    let platform_id = scene.contact(&email)["id"].as_str().unwrap().to_owned();
    let found = |text: &str| -> Vec<String> {
        let mut files = Vec::new();
        for file in ["state.db", "state.db-wal", "log/forcesync.log"] {
            let bytes = std::fs::read(scene.workspace().join(file)).unwrap_or_default();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                files.push(file.to_owned());
            }
        }
        files
    };
    assert!(!found("Zwijndrecht-Aan-Zee").is_empty() && !found(&email).is_empty());
    let before = scene.snapshot();

    let erased = forget::forget(scene.session(), scene.engine(), "contact", &platform_id).await.unwrap();
    assert_eq!(erased.records.len(), 1, "{erased:?}");
    assert!(erased.history > 0, "{erased:?}");
    assert_eq!(erased.log_file_lines, 1);
    for text in ["Zwijndrecht-Aan-Zee", "+32 471 99 88 77", &email] {
        assert_eq!(found(text), Vec::<String>::new(), "{text} is still there");
    }
    assert_eq!(scene.snapshot(), before, "something was written to a side");

    scene.org_update("Contact", &id, json!({"MailingCity": "Ghent"}));
    scene.pass(Duration::from_secs(300)).await;
    scene.instant().await;
    scene.initial().await;
    assert_ne!(scene.contact(&email)["address"]["city"], "Ghent");
    let query = WhyQuery { object: Some("Contact".into()), id: id.clone(), field: None };
    let records = why::why(scene.session(), query).await.unwrap();
    assert!(matches!(records[0].link, WhyLink::Closed { .. }), "{records:?}");
    assert!(records[0].pairs.iter().all(|pair| pair.base.is_none()), "{records:?}");
    let history = HistoryQuery { id: Some(id), limit: 10, ..HistoryQuery::default() };
    assert!(read::history(scene.session(), history).await.unwrap().is_empty());
    let never_linked =
        forget::forget(scene.session(), scene.engine(), "Contact", "003000000000000AAA").await.unwrap();
    assert_eq!(never_linked.records.len(), 1);
    let nonsense = forget::forget(scene.session(), scene.engine(), "Nothing", "x").await;
    assert!(nonsense.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn e16_history_past_its_retention_goes_and_bases_stay() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    let old = scene.history(1).await[0].run;
    scene.pass(Duration::from_secs(91 * 86_400)).await;
    scene.org_update("Contact", &id, json!({"MailingCity": "Ghent"}));
    scene.initial().await;
    let kept = scene.history(1000).await;
    assert!(!kept.is_empty() && kept.iter().all(|row| row.run > old), "{kept:?}");
    assert_eq!(scene.contact(&email)["address"]["city"], "Ghent");
    let query = WhyQuery { object: Some("Contact".into()), id, field: Some("MailingCity".into()) };
    let records = why::why(scene.session(), query).await.unwrap();
    assert!(records[0].pairs[0].base.is_some());
    assert!(undo::preview(scene.session(), old).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_has_a_twin_of_all_of_it() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    scene.org_update("Contact", &id, json!({"MailingCity": "Ghent"}));
    scene.instant().await;
    let run = last_run(&scene).await.to_string();
    let history = scene
        .command(&["history", "--field", "MailingCity", "--field", "Email", "--since", "2d", "--json"])
        .await;
    assert_eq!(history.code, 2, "one field at a time: {}", history.stderr);
    let history =
        scene.command(&["history", "--field", "MailingCity", "--since", "2d", "-n", "1", "--json"]).await;
    assert_eq!(history.last()["run"].to_string(), run, "{}", history.stdout);
    let why = scene.command(&["why", "Contact", &id, "MailingCity", "--json"]).await;
    assert_eq!((why.code, why.objects().len()), (0, 1), "{}{}", why.stdout, why.stderr);
    assert_eq!(why.last()["pairs"][0]["steps"][0]["run"].to_string(), run);
    scene.command(&["why", "Contact", &id, "Shoe__c"]).await.says(2, &["no mapping", "shoe__c"]);
    let looked = scene.command(&["undo", &run, "--dry-run", "--json"]).await;
    let events = |done: &crate::binary_stage::Done| -> Vec<String> {
        done.objects().iter().map(|object| object["event"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let expected = ["undo", "started", "would_write", "finished"];
    assert_eq!(events(&looked).into_iter().filter(|event| event != "progress").collect::<Vec<_>>(), expected);
    assert_eq!((looked.code, looked.last()["updated"].clone()), (0, json!(0)), "{}", looked.stdout);
    let undone = scene.command(&["undo", &run, "--json"]).await;
    assert_eq!((undone.code, undone.last()["updated"].clone()), (0, json!(1)), "{}", undone.stdout);
    assert_ne!(scene.contact(&email)["address"]["city"], "Ghent");
    scene.command(&["undo", "4711"]).await.says(2, &["no run 4711"]);
    scene.command(&["forget", "Contact", &id]).await.says(2, &["--yes"]);
    let forgotten = scene.command(&["forget", "Contact", &id, "--yes", "--json"]).await;
    assert_eq!(
        (forgotten.code, forgotten.last()["event"].clone()),
        (0, json!("forgotten")),
        "{}",
        forgotten.stderr
    );
    let told = scene.command(&["why", "Contact", &id]).await;
    assert!(told.code == 0 && told.stdout.contains("the person was forgotten"), "{told:?}");
}
