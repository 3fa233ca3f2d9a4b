//! The plan before anything is written (law E5), through the real binary.

use serde_json::{Value, json};

use crate::binary_stage::{Done, Stage};
use crate::scenario_stage::{Scene, snapshot};

/// The head of a plan that was printed.
fn head(done: &Done) -> Value {
    let head = done.objects().into_iter().find(|object| object["event"] == "plan");
    head.unwrap_or_else(|| panic!("no plan: {done:?}"))
}

fn lines(done: &Done) -> Vec<Value> {
    done.objects().into_iter().filter(|object| object["event"] == "line").collect()
}

fn records(head: &Value, deed: &str, side: Option<&str>) -> u64 {
    let counts = head["counts"].as_array().unwrap();
    counts
        .iter()
        .filter(|count| count["deed"] == deed && side.is_none_or(|side| count["side"] == side))
        .map(|count| count["records"].as_u64().unwrap())
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn e5_a_plan_writes_nothing_and_applying_it_does_just_what_it_says() {
    let stage = Stage::new(300).await;
    let before = snapshot(stage.sandbox());
    let planned = stage.run(&["plan", "--initial", "--save", "first", "--json"]).await;
    planned.says(10, &[]);
    assert_eq!(snapshot(stage.sandbox()), before, "a plan wrote something");
    let head = head(&planned);
    assert_eq!(
        (&head["plan"], &head["name"], &head["kind"]),
        (&1.into(), &"first".into(), &"initial".into())
    );
    assert_eq!(lines(&planned).len() as u64, head["lines"].as_u64().unwrap());
    // Nothing is linked, no run is listed, and no issue was raised.
    assert!(stage.run(&["runs", "--json"]).await.stdout.is_empty());
    let status = stage.run(&["status", "--json"]).await.last();
    assert_eq!((&status["links"], &status["issues"]), (&0.into(), &0.into()), "{status}");

    let applied = stage.run(&["apply", "first", "--json"]).await;
    applied.says(3, &[]);
    let finished = applied.last();
    for (side, name) in [("org", "salesforce"), ("platform", "platform")] {
        for (deed, done) in [("create", "created"), ("update", "updated")] {
            let count = finished[name][done].as_u64().unwrap();
            // Some are refused by the service; those are issues, and told as failed lines.
            assert!(count <= records(&head, deed, Some(side)), "{deed} {side}: {finished} {head}");
        }
    }
    let failed = stage.run(&["plan", "show", "first", "--left", "--json"]).await;
    let failed: Vec<Value> = lines(&failed).into_iter().filter(|line| line["outcome"] == "failed").collect();
    let written = |name: &str| {
        let counts = &finished[name];
        counts["created"].as_u64().unwrap() + counts["updated"].as_u64().unwrap()
    };
    let wanted: u64 = ["org", "platform"]
        .map(|side| records(&head, "create", Some(side)) + records(&head, "update", Some(side)))
        .iter()
        .sum();
    assert_eq!(
        written("salesforce") + written("platform") + failed.len() as u64,
        wanted,
        "{finished} {head}"
    );
    assert_eq!(stage.run(&["runs", "--json"]).await.last()["kind"], "apply");

    // The run that applied it was an initial sync; what is left are the ids of records that were created in the org on their way back.
    let second = stage.run(&["plan", "--json"]).await;
    assert_eq!(records(&self::head(&second), "create", None), 0, "{second:?}");
    for line in lines(&second).iter().filter(|line| line["changes"] != json!([])) {
        let change = &line["changes"][0];
        assert_eq!(
            (&change["fields"][0], &change["new"][0]["value"]),
            (&"externalId".into(), &line["ids"]["org"])
        );
    }
    stage.run(&["apply", "2", "--json"]).await.says(0, &[]);
    stage.run(&["plan", "--json"]).await.says(0, &[]);
    let again = stage.run(&["apply", "first"]).await;
    again.says(2, &["applied already", "forcesync plan"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn e5_a_line_whose_record_moved_is_left_and_told() {
    let scene = Scene::synced().await;
    let ids = [scene.somebody(0).0, scene.somebody(1).0];
    for id in &ids {
        scene.org_update("Contact", id, json!({"MobilePhone": "+32 9 111 11 11"}));
    }
    let planned = scene.command(&["plan", "--json"]).await;
    let found = lines(&planned);
    assert!(ids.iter().all(|id| found.iter().any(|line| line["ids"]["org"] == **id)), "{planned:?}");
    let plan = head(&planned)["plan"].to_string();
    scene.org_update("Contact", &ids[0], json!({"MobilePhone": "+32 9 222 22 22"}));
    let applied = scene.command(&["apply", &plan, "--json"]).await;
    applied.says(3, &[]);
    let left = lines(&scene.command(&["plan", "show", &plan, "--left", "--only", "update", "--json"]).await);
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!((&left[0]["ids"]["org"], &left[0]["outcome"]), (&ids[0].as_str().into(), &"refused".into()));
    assert!(left[0]["why"].as_str().unwrap().contains("Salesforce"), "{left:?}");
    let (email, other) = (scene.somebody(0).1, scene.somebody(1).1);
    assert_ne!(scene.contact(&email)["phone"], "+32 9 222 22 22");
    assert_eq!(scene.contact(&other)["phone"], "+32 9 111 11 11");
    // It is not lost: a later sync takes it.
    scene.pass(std::time::Duration::from_secs(60)).await;
    scene.instant().await;
    assert_eq!(scene.contact(&email)["phone"], "+32 9 222 22 22");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_goes_through_a_file_and_back_and_a_forged_line_is_not_done() {
    let stage = Stage::new(100).await;
    let file = stage.workspace().join("plan.jsonl");
    let path = file.to_str().unwrap().to_owned();
    stage.run(&["plan", "--initial", "--counts", "--save", &path]).await.says(10, &[]);
    stage.run(&["plan", "--initial", "--save", &path]).await.says(2, &["exists already"]);
    let text = std::fs::read_to_string(&file).unwrap();
    // Whoever writes other values into a file only names lines that the engine would not decide so: they are left.
    let before = snapshot(stage.sandbox());
    let forged = text.replace("\"kind\":", "\"kind\": ").replace('@', "+forged@");
    let forged_path = stage.workspace().join("forged.jsonl");
    std::fs::write(&forged_path, forged).unwrap();
    stage.run(&["apply", forged_path.to_str().unwrap(), "--json"]).await.says(3, &[]);
    let forged = snapshot(stage.sandbox()).iter().filter(|line| line.contains("+forged@")).count();
    assert_eq!(forged, 0);
    assert_ne!(before, Vec::<String>::new());
    std::fs::write(&forged_path, "no plan\n").unwrap();
    stage.run(&["apply", forged_path.to_str().unwrap()]).await.says(2, &["line 1", "--save"]);
    let applied = stage.run(&["apply", &path, "--json"]).await;
    applied.says(3, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_are_listed_compared_and_forgotten() {
    let scene = Scene::small().await;
    let plan = async |name: &'static str| {
        scene.command(&["plan", "--initial", "--counts", "--save", name]).await.says(10, &[]);
    };
    plan("one").await;
    let (id, _) = scene.somebody(0);
    scene.org_update("Contact", &id, json!({"MobilePhone": "+32 9 333 33 33"}));
    plan("two").await;
    let listed = scene.command(&["plan", "list", "--json"]).await.objects();
    assert_eq!(listed.iter().map(|plan| &plan["name"]).collect::<Vec<_>>(), ["two", "one"]);
    let diff = scene.command(&["plan", "diff", "one", "two", "--json"]).await;
    assert_eq!(diff.last()["differences"], 1, "{diff:?}");
    let difference = &diff.objects()[0];
    assert_eq!(difference["after"]["ids"]["org"], Value::from(id.as_str()), "{difference}");
    let searched = scene.command(&["plan", "show", "two", "--search", "333 33 33", "--json"]).await;
    assert_eq!(lines(&searched).len(), 1, "{searched:?}");
    scene.command(&["plan", "forget", "one"]).await.says(0, &[]);
    scene.command(&["plan", "show", "one"]).await.says(2, &["no plan", "plan list"]);
    for arguments in [&["plan", "list"][..], &["plan", "show", "two"], &["plan", "diff", "2", "two"]] {
        let done = scene.command(arguments).await;
        done.says(0, &[]);
        assert!(!done.stdout.is_empty(), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn e5_changed_settings_refuse_the_whole_plan() {
    let stage = Stage::new(60).await;
    stage.run(&["plan", "--initial", "--counts"]).await.says(10, &[]);
    stage.edit_settings(|text| text.replacen("key = true", "policy = \"platform_wins\"\nkey = true", 1));
    stage.run(&["apply", "1"]).await.says(2, &["mappings were changed", "make a new one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_the_predicted_calls_are_those_that_applying_takes() {
    let scene = Scene::synced().await;
    scene.pass(std::time::Duration::from_secs(3_600)).await;
    scene.instant().await;
    scene.pass(std::time::Duration::from_secs(3_600)).await;
    for nth in 0..12 {
        let (id, email) = scene.somebody(nth);
        let phone = format!("+32 9 400 00 {nth:02}");
        match nth % 3 {
            0 => scene.org_update("Contact", &id, json!({"MobilePhone": phone})),
            1 => drop(scene.platform_upsert(json!({"email": email, "phone": phone}))),
            _ => {
                scene.org_update("Contact", &id, json!({"MobilePhone": phone}));
                scene.platform_upsert(json!({"email": email, "name": format!("Ann Lee{nth}")}));
            }
        }
    }
    for nth in 0..3 {
        scene.org_insert(
            "Lead",
            json!({"LastName": "Ray", "Company": "Ray", "Email": format!("ray{nth}@x.example")}),
        );
    }
    let planned = head(&scene.command(&["plan", "--json", "--counts"]).await);
    let finished = scene.command(&["apply", &planned["plan"].to_string(), "--json"]).await.last();
    for (side, name) in [("org", "salesforce"), ("platform", "platform")] {
        let of = |part: &str| planned["cost"][part][side].as_u64().unwrap();
        assert_eq!(
            finished["api_calls"][name],
            of("reading") + of("writing"),
            "{name}: {planned} {finished}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_initial_sync_an_instant_plan_says_what_to_do() {
    let stage = Stage::new(20).await;
    stage.run(&["plan"]).await.says(2, &["initial sync"]);
    stage.run(&["apply", "7"]).await.says(2, &["no plan", "plan list"]);
}
