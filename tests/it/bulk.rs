//! Runs whose reads and writes of the org go by bulk jobs: they end as those by single calls do, whatever goes wrong meanwhile.

use std::time::Duration;

use forcesync::sandbox::faults::{Fault, FaultKind, Side};
use rstest::rstest;
use tokio::sync::OnceCell;

use crate::scenario_stage::{Cast, Scene, difference, duplicates};

/// Jobs from a handful of records on, in pages of a few.
const BULK: &str = "\n[salesforce.bulk]\njobs = \"always\"\nfrom = 3\npage_rows = 7\n";

/// Enough for jobs of some rows; flaws are planted from two hundred on.
const PEOPLE: Cast = Cast { records: 120, seed: 7, person_accounts: false };

async fn scene() -> Scene {
    let scene = Scene::with(PEOPLE, |settings| settings + BULK).await;
    scene.sandbox().org().set_page_rows(Some(10), None);
    scene
}

/// What both sides hold after an initial sync by single calls.
async fn by_single_calls() -> &'static Vec<String> {
    static KNOWN: OnceCell<Vec<String>> = OnceCell::const_new();
    KNOWN
        .get_or_init(async || {
            let scene = Scene::new(PEOPLE).await;
            assert_eq!(scene.initial().await.exit, 0);
            scene.snapshot()
        })
        .await
}

fn asked(scene: &Scene, method: &str, part: &str) -> usize {
    let calls = scene.sandbox().calls().since(0, Some(Side::Salesforce));
    calls.iter().filter(|call| call.method == method && call.path.contains(part)).count()
}

async fn holds_what_it_should(scene: &Scene) {
    let differs = difference(&scene.snapshot(), by_single_calls().await);
    assert!(differs.is_empty(), "{differs:#?}");
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
    assert_eq!(scene.sandbox().org().jobs_at_work(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_by_jobs_ends_as_one_by_single_calls_and_leaves_no_job_behind() {
    let scene = scene().await;
    let ended = scene.initial().await;
    assert_eq!(ended.exit, 0, "{ended:?}");
    holds_what_it_should(&scene).await;
    assert!(asked(&scene, "GET", "/results") > 4, "pages were read");
    assert!(scene.sandbox().org().rows_carried() > 3, "rows were written by a job");
    assert_eq!(asked(&scene, "POST", "/jobs/query"), asked(&scene, "DELETE", "/jobs/query"));
    assert_eq!(asked(&scene, "POST", "/jobs/ingest"), asked(&scene, "DELETE", "/jobs/ingest"));
    let told = scene.told().await;
    for what in ["read", "written"] {
        let words = format!("are {what} by a bulk job, about");
        assert!(told.iter().any(|line| line.contains(&words)), "{told:#?}");
    }
    let idle = scene.instant().await;
    assert_eq!((idle.exit, idle.counts.created(), idle.counts.updated()), (0, 0, 0), "{idle:?}");
}

fn org(kind: FaultKind, on: &str) -> Fault {
    Fault::new(kind).on_side(Side::Salesforce).on(on)
}

#[rstest]
#[case::job_not_made(org(FaultKind::CutBefore, "/jobs/query").times(1))]
#[case::job_made_unseen(org(FaultKind::CutAfter, "/jobs/query").times(1))]
#[case::pages_cut(org(FaultKind::CutAfter, "/results").times(3))]
#[case::pages_down(org(FaultKind::Html503, "/results").times(2))]
#[case::session_lost_between_pages(Fault { after: 2, ..org(FaultKind::Unauthorized, "/results") }.times(1))]
#[case::ingest_made_unseen(org(FaultKind::CutAfter, "/jobs/ingest").times(1))]
#[case::upload_cut_before(org(FaultKind::CutBefore, "/batches").times(1))]
#[case::upload_cut_after(org(FaultKind::CutAfter, "/batches").times(1))]
#[case::session_lost_at_the_upload(org(FaultKind::Unauthorized, "/batches").times(1))]
#[case::rows_locked(Fault { every: Some(3), ..org(FaultKind::RowLock, "/jobs") })]
#[case::results_cut(org(FaultKind::CutAfter, "uccessfulResults").times(1))]
#[case::every_third_call_cut(Fault { every: Some(3), ..org(FaultKind::CutAfter, "/jobs") })]
#[tokio::test(flavor = "multi_thread")]
async fn a_passing_fault_in_a_job_is_outlived(#[case] fault: Fault) {
    let scene = scene().await;
    scene.arm(fault);
    let ended = scene.initial().await;
    assert_eq!(ended.counts.failed, 0, "{ended:?}");
    scene.calm();
    scene.pass(Duration::from_secs(1200)).await;
    let next = scene.initial().await;
    assert_eq!(next.exit, 0, "{next:?} {:?}", scene.issues().await);
    holds_what_it_should(&scene).await;
    assert_eq!(scene.issues().await, Vec::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_breaks_off_leaves_the_rest_to_another() {
    let scene = scene().await;
    scene.sandbox().org().set_jobs_break_after(Some(2));
    let ended = scene.initial().await;
    assert_eq!(ended.counts.failed, 0, "{ended:?}");
    scene.sandbox().org().set_jobs_break_after(None);
    scene.pass(Duration::from_secs(1200)).await;
    let next = scene.initial().await;
    assert_eq!(next.exit, 0, "{next:?}");
    holds_what_it_should(&scene).await;
}
