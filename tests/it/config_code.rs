//! Settings as code (N17): out of a workspace, into another one, and from one org to another by name.

use forcesync::domain::mapping::Policy;
use forcesync::domain::transform::Transform;
use forcesync::domain::transform::rules::Rules;
use forcesync::sandbox::org::FieldChange;
use forcesync::workspace::file::write_settings;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary_stage::{Done, Stage, run};
use crate::scenario_stage::Scene;

const FILE: &str = r#"# Kept in git by Ann.
[schedule]
every = "5m"   # as the vendor wants it

[[mapping]]
name = "contact"
org_object = "Contact"
platform_object = "contact"

[[mapping.pair]]
org = "Email"   # the key
platform = "email"
key = true
"#;

fn folder_with(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("forcesync.toml"), text).unwrap();
    folder
}

fn settings(folder: &std::path::Path) -> String {
    std::fs::read_to_string(folder.join("forcesync.toml")).unwrap()
}

fn events<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == name).collect()
}

#[tokio::test]
async fn n17_an_export_is_the_file_with_its_comments_and_the_same_every_time() {
    let folder = folder_with(FILE);
    let printed = run(folder.path(), &["config", "export"], "").await;
    assert_eq!((printed.code, printed.stdout.as_str()), (0, FILE), "{printed:?}");

    let out = folder.path().join("out.toml");
    let arguments = ["config", "export", out.to_str().unwrap(), "--json"];
    for written in [true, false] {
        let done = run(folder.path(), &arguments, "").await;
        assert_eq!((done.code, done.last()["written"].as_bool()), (0, Some(written)), "{done:?}");
        assert_eq!(std::fs::read_to_string(&out).unwrap(), FILE);
    }
    std::fs::write(&out, "something else").unwrap();
    run(folder.path(), &arguments, "").await.says(2, &["exists already", "--force"]);
    let forced = [&arguments[..], &["--force"]].concat();
    assert_eq!(run(folder.path(), &forced, "").await.code, 0);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), FILE);
}

#[tokio::test]
async fn n17_a_file_with_something_unreadable_in_it_is_not_handed_on() {
    let folder = folder_with("[salesforce]\npassword = \"hunter2\"\n");
    let done = run(folder.path(), &["config", "export"], "").await;
    done.says(2, &["line 2", "Nothing was exported"]);
    assert!(!done.stdout.contains("hunter2") && !done.stderr.contains("hunter2"), "{done:?}");
}

#[tokio::test]
async fn n17_an_import_is_judged_then_shown_and_only_then_written() {
    let folder = folder_with(FILE);
    let other = folder.path().join("other.toml");
    let import = |more: &'static [&'static str]| {
        let arguments = [&["config", "import", other.to_str().unwrap(), "--json"], more].concat();
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        let folder = folder.path().to_owned();
        async move {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run(&folder, &arguments, "").await
        }
    };

    std::fs::write(&other, FILE.replace("key = true", "key = true\npolicy = \"newest_win\"")).unwrap();
    let done = import(&["--yes"]).await;
    done.says(2, &["line 14", "newest_wins", "Nothing was taken in"]);
    assert_eq!(settings(folder.path()), FILE);

    let wanted = FILE
        .replace("key = true", "key = true\npolicy = \"newest_wins\"")
        .replace("every = \"5m\"", "every = \"30m\"")
        .replace("by Ann", "by Bob");
    std::fs::write(&other, &wanted).unwrap();
    let done = import(&[]).await;
    assert_eq!(done.code, 10, "{done:?}");
    let lines = done.objects();
    assert_eq!(events(&lines, "setting")[0]["setting"], "schedule.every");
    assert_eq!(events(&lines, "change")[0]["message"], "Salesforce wins → newest wins");
    assert_eq!(done.last()["written"], false);
    assert_eq!(settings(folder.path()), FILE, "without --yes nothing is written");

    let done = import(&["--yes"]).await;
    assert_eq!(done.last()["written"], true, "{done:?}");
    assert_eq!(settings(folder.path()), wanted, "with its comments");
    assert_eq!(std::fs::read_to_string(folder.path().join("forcesync.toml.before")).unwrap(), FILE);
    let done = import(&["--yes"]).await;
    assert_eq!((done.code, done.last()["written"].as_bool()), (0, Some(false)), "{done:?}");
}

#[tokio::test]
async fn n17_an_import_makes_a_new_workspace_and_a_wrong_file_makes_none() {
    let folder = TempDir::new().unwrap();
    let fresh = folder.path().join("fresh");
    let done = run(&fresh, &["config", "import", "-", "--yes", "--json"], "[schedule\n").await;
    done.says(2, &["line 1"]);
    assert!(!fresh.exists(), "{done:?}");
    let done = run(&fresh, &["config", "import", "-", "--yes", "--json"], FILE).await;
    assert_eq!(done.last()["written"], true, "{done:?}");
    assert_eq!(settings(&fresh), FILE);
}

/// A sandbox whose settings have one mapping of leads that names things of this org alone.
struct Two {
    sandbox: Stage,
    production: Stage,
    /// Queue, user, record type, in each.
    here: [String; 3],
    there: [String; 3],
}

fn seed(stage: &Stage, first: bool) -> [String; 3] {
    let org = stage.sandbox().org();
    let row = |object: &str, fields: Value| {
        let Value::Object(fields) = fields else { panic!("an object") };
        org.seed_row(object, &fields)
    };
    let queue = |name: &str| row("Group", json!({"Name": name, "DeveloperName": name, "Type": "Queue"}));
    let record_type = |name: &str| {
        let fields = json!({"Name": name, "DeveloperName": name, "SobjectType": "Lead", "IsActive": true, "IsPersonType": false});
        row("RecordType", fields)
    };
    let user = |username: &str| {
        row(
            "User",
            json!({"Username": username, "LastName": "Lee", "FirstName": "Ann", "Email": username, "Alias": "alee", "IsActive": true}),
        )
    };
    // In another order, so that nothing has the same id in both.
    let others = [queue("Others"), record_type("Others"), user("zoe@acme.example")];
    let mine = |ending: &str| {
        [queue("Partners"), user(&format!("ann@acme.example{ending}")), record_type("Partner")]
    };
    if first {
        mine(".dev")
    } else {
        let _ = others;
        queue("More");
        record_type("More");
        user("yan@acme.example");
        mine("")
    }
}

impl Two {
    async fn new() -> Self {
        let (sandbox, production) = (Stage::new(20).await, Stage::new(20).await);
        let (here, there) = (seed(&sandbox, true), seed(&production, false));
        assert!(here.iter().zip(&there).all(|(here, there)| here != there), "{here:?} {there:?}");
        let [queue, user, record_type] = here.clone();
        sandbox.edit_settings(|text| {
            let at = text.find("[[mapping]]").unwrap();
            format!(
                r#"{}[[mapping]]
name = "lead"
org_object = "Lead"
platform_object = "contact"
org_criteria = "OwnerId IN ('{queue}', '{user}') AND Rating = 'Hot'"
default = [{{ side = "org", field = "Description", value = "{record_type}" }}]

[[mapping.pair]]
org = "Email"
platform = "email"
key = true

[[mapping.pair]]
org = "HasOptedOutOfEmail"
platform = "optedOut"
transform = {{ consent = {{ org = "opt_out_flag", platform = "opt_out" }} }}
"#,
                &text[..at]
            )
        });
        Self { sandbox, production, here, there }
    }

    async fn promote(&self, more: &[&str]) -> Done {
        let to = self.production.workspace();
        let arguments = [&["config", "promote", "--json", "--to", to.to_str().unwrap()], more].concat();
        self.sandbox.run(&arguments).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n17_a_promotion_finds_everything_of_the_org_by_name_in_the_other_one() {
    let two = Two::new().await;
    let production = two.production.workspace();
    let before = settings(&production);
    let done = two.promote(&[]).await;
    assert_eq!(done.code, 10, "{done:?}");
    assert_eq!(settings(&production), before);
    let lines = done.objects();
    assert_eq!(events(&lines, "remapped").len(), 3, "{done:?}");

    let done = two.promote(&["--yes"]).await;
    assert_eq!((done.code, done.last()["written"].as_bool()), (0, Some(true)), "{done:?}");
    let after = settings(&production);
    let [queue, user, record_type] = &two.there;
    assert!(after.contains(&format!("OwnerId IN ('{queue}', '{user}') AND Rating = 'Hot'")), "{after}");
    assert!(after.contains(record_type), "{after}");
    assert!(two.here.iter().all(|id| !after.contains(id)), "{after}");
    // The connection and the secrets of the target are its own.
    let connection = |text: &str| text.lines().filter(|line| line.contains("my_domain")).collect::<String>();
    assert_eq!(connection(&after), connection(&before));
    assert_eq!(two.production.run(&["connection", "test", "--json"]).await.code, 0);
    let done = two.promote(&["--yes"]).await;
    assert_eq!((done.code, done.last()["written"].as_bool()), (0, Some(false)), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n17_what_has_no_counterpart_is_named_and_blocks_unless_the_admin_says_what_stands_for_it() {
    let two = Two::new().await;
    let production = two.production.workspace();
    let before = settings(&production);
    let gone = json!({"DeveloperName": "Gone", "Name": "Gone", "Type": "Queue"});
    let Value::Object(gone) = gone else { panic!("an object") };
    let lost = two.sandbox.sandbox().org().seed_row("Group", &gone);
    two.sandbox.edit_settings(|text| text.replace(&two.here[0], &lost));
    let changed = FieldChange { values: Some(vec!["Warm".into(), "Cold".into()]), ..FieldChange::default() };
    assert!(two.production.sandbox().org().change_field("Lead", "Rating", changed));

    let done = two.promote(&["--yes"]).await;
    done.says(2, &["queue Gone", "--map", "no value “Hot”"]);
    let lines = done.objects();
    assert_eq!(events(&lines, "no_counterpart").len(), 2, "{done:?}");
    assert_eq!(settings(&production), before);

    let queue = format!("{lost}={}", two.there[0]);
    let done = two.promote(&["--yes", "--map", &queue, "--map", "Lead.Rating:Hot=Warm"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    let after = settings(&production);
    assert!(after.contains("Rating = 'Warm'") && after.contains(&two.there[0]), "{after}");

    two.promote(&["--map", "Lead.Nonsense=Other"]).await.says(2, &["stands nowhere"]);
    two.promote(&["--map", "nothing"]).await.says(2, &["WHAT=COUNTERPART"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn n17_a_change_tells_how_many_linked_records_differ_then() {
    let scene = Scene::synced().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("other.toml");
    let mut wanted = scene.session().settings();
    let contact = wanted.mappings.iter_mut().find(|mapping| mapping.name == "contact").unwrap();
    for pair in &mut contact.pairs {
        match pair.platform.first().map(String::as_str) {
            Some("phone") => pair.policy = Policy::NewestWins,
            Some("company") => {
                let to_platform = vec!["upper".parse().unwrap()];
                pair.transform = Transform::Rules(Rules { to_platform, to_org: Vec::new() });
            }
            _ => {}
        }
    }
    std::fs::write(&file, write_settings(&wanted).unwrap()).unwrap();
    let done = scene.command(&["config", "import", file.to_str().unwrap(), "--json"]).await;
    assert_eq!(done.code, 10, "{done:?}");
    let lines = done.objects();
    let changes = events(&lines, "change");
    let of = |words: &str| {
        let found =
            changes.iter().find(|change| change["pair"].as_str().is_some_and(|pair| pair.contains(words)));
        found.unwrap_or_else(|| panic!("{done:?}"))["differ"].as_u64()
    };
    assert_eq!(of("phone"), Some(0), "who wins makes nobody differ");
    let linked = scene.sandbox().org().rows("Contact").into_iter().filter(|row| {
        let email = row["Email"].as_str().unwrap_or_default();
        let there = scene.sandbox().salesmanago().contact(email);
        there.is_some_and(|there| there["company"].as_str().is_some_and(|name| name.to_uppercase() != name))
    });
    assert_eq!(of("company"), Some(linked.count() as u64), "{done:?}");
}
