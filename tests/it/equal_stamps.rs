//! Records that share one `SystemModstamp`, over many pages, and commits that come late (law E4), through the real clients.

use std::time::Duration;

use forcesync::domain::outcome::RunKind;
use forcesync::sandbox::faults::Side;
use forcesync::sandbox::org::{Acts, LateCommits};
use serde_json::json;

use crate::scenario_stage::{Ended, Scene, duplicates, map};

const MANY: usize = 3_000;
/// Far fewer than have one stamp.
const PAGE: usize = 250;

impl Scene {
    fn people_make(&self, count: usize, name: &str) {
        let user = self.sandbox().org().person_user_id();
        let rows = (0..count).map(|number| {
            map(json!({"LastName": format!("{name} {number}"), "Email": format!("{name}{number}@many.example")}))
        });
        self.sandbox().org().insert_many_as(Acts::of(&user), "Contact", rows).unwrap();
    }

    /// What people write from here on is committed so late.
    fn commits_come_late(&self, seconds: f64) {
        let late = LateCommits { object: Some("Contact".into()), seconds, by: "others".into() };
        self.sandbox().org().set_late_commits(vec![late]).unwrap();
    }

    fn commits_come_at_once(&self) {
        self.sandbox().org().set_late_commits(Vec::new()).unwrap();
    }

    fn arrived(&self, name: &str) -> usize {
        let contacts = self.sandbox().salesmanago().contacts();
        contacts
            .iter()
            .filter(|contact| contact["email"].as_str().unwrap_or_default().starts_with(name))
            .count()
    }
}

#[track_caller]
fn made(ended: &Ended, created: u64) {
    assert_eq!(
        (ended.exit, ended.counts.platform.created, ended.counts.failed),
        (0, created, 0),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn e4_many_records_of_one_stamp_and_late_commits_all_arrive_once_and_the_feed_moves_on() {
    let scene = Scene::synced().await;
    scene.sandbox().org().set_page_rows(Some(PAGE), None);
    scene.pass(Duration::from_secs(3_600)).await;
    scene.people_make(MANY, "same");
    made(&scene.unbraked(RunKind::Instant).await, MANY as u64);
    assert_eq!(scene.arrived("same"), MANY);

    // Within the overlap all of them are read again, page by page, and nothing comes of it.
    let before = scene.calls_since(0, Side::Salesforce).len();
    made(&scene.instant().await, 0);
    let calls = scene.calls_since(0, Side::Salesforce).len() - before;
    assert!(calls <= MANY / PAGE + 10, "{calls} calls");

    // Stamped now, committed after the cursor has passed them.
    scene.commits_come_late(480.0);
    scene.people_make(PAGE * 2, "late");
    made(&scene.instant().await, 0);
    scene.commits_come_at_once();
    scene.pass(Duration::from_secs(300)).await;
    made(&scene.instant().await, 0);
    scene.pass(Duration::from_secs(200)).await;
    made(&scene.unbraked(RunKind::Instant).await, PAGE as u64 * 2);

    // Behind the overlap they are caught by the change log, which knows how far it is complete.
    scene.commits_come_late(2_400.0);
    scene.people_make(PAGE * 2, "later");
    scene.commits_come_at_once();
    for _ in 0..3 {
        made(&scene.instant().await, 0);
        scene.pass(Duration::from_secs(780)).await;
    }
    scene.pass(Duration::from_secs(120)).await;
    made(&scene.unbraked(RunKind::Instant).await, PAGE as u64 * 2);

    // An automated process stamps all of them: read once more, and then never again.
    let user = scene.sandbox().org().person_user_id();
    scene.sandbox().org().touch_many_as(Acts::of(&user), "Contact", MANY).unwrap();
    made(&scene.instant().await, 0);
    scene.pass(Duration::from_secs(3_600)).await;
    made(&scene.instant().await, 0);
    let last = scene.instant().await;
    assert_eq!((last.exit, last.counts.read), (0, 0), "{last:?}");
    let sums = ["same", "late", "later"].map(|name| scene.arrived(name));
    // `late` begins like `later`.
    assert_eq!(sums, [MANY, PAGE * 4, PAGE * 2]);
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
}
