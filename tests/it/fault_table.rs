//! The table of faults: what goes wrong, how the run ends and what it says, and that after the next run both sides hold what they
//! would hold if nothing had gone wrong. Faults that stop a run before it reads anything stand in `binary_bad_input`.

use std::time::Duration;

use forcesync::sandbox::faults::{Fault, FaultKind, Side};
use forcesync::sandbox::org::FieldPermission;
use rstest::rstest;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::scenario_stage::{Ended, Scene, difference, duplicates};

/// What both sides hold after an initial sync in which nothing went wrong.
async fn undisturbed() -> &'static Vec<String> {
    static KNOWN: OnceCell<Vec<String>> = OnceCell::const_new();
    KNOWN.get_or_init(async || Scene::synced().await.snapshot()).await
}

/// What is expected of a run under a fault.
#[derive(Clone, Copy)]
enum Expect {
    /// It ends as if nothing had happened.
    Unnoticed,
    /// It ends with this exit code and these words.
    Ends(u8, &'static [&'static str]),
}

fn org(kind: FaultKind) -> Fault {
    Fault::new(kind).on_side(Side::Salesforce)
}

/// Strikes what an initial sync writes to the org: the first composite after signing in only describes.
fn org_write(kind: FaultKind) -> Fault {
    after(1, org(kind).on("/composite"))
}

fn platform(kind: FaultKind) -> Fault {
    Fault::new(kind).on_side(Side::Platform)
}

fn after(calls: u64, fault: Fault) -> Fault {
    Fault { after: calls, ..fault }
}

fn every(nth: u64, fault: Fault) -> Fault {
    Fault { every: Some(nth), ..fault }
}

#[track_caller]
fn check(ended: &Ended, expect: Expect) {
    match expect {
        Expect::Unnoticed => {
            assert_eq!(ended.exit, 0, "{ended:?}");
            assert_eq!(ended.counts.limited, 0, "{ended:?}");
        }
        Expect::Ends(exit, words) => {
            assert_eq!(ended.exit, exit, "{ended:?}");
            for word in words {
                assert!(
                    ended.message.to_lowercase().contains(word),
                    "“{word}” is missing in: {}",
                    ended.message
                );
            }
        }
    }
    assert_eq!(ended.counts.failed, 0, "a passing fault is nobody's failed record: {ended:?}");
}

/// The fault is over: the next run ends well, both sides hold what they should, and then there is nothing left to do.
async fn recovers(scene: &Scene) {
    scene.calm();
    // Past the time for which a refused sign-in or a used-up budget is believed.
    scene.pass(Duration::from_secs(1200)).await;
    let next = scene.initial().await;
    assert_eq!(next.exit, 0, "{next:?} {:?}", scene.issues().await);
    let lost = difference(&scene.snapshot(), undisturbed().await);
    assert!(lost.is_empty(), "{lost:#?}");
    assert_eq!(duplicates(scene.sandbox()), Vec::<String>::new());
    let idle = scene.instant().await;
    assert_eq!((idle.exit, idle.counts.created(), idle.counts.updated()), (0, 0, 0), "{idle:?}");
    assert_eq!(scene.issues().await, Vec::new());
    assert_eq!(scene.status().await.pending, 0);
}

#[rstest]
#[case::session_lost_once(org(FaultKind::Unauthorized).on("/query").times(1), Expect::Unnoticed)]
#[case::session_lost_while_writing(org_write(FaultKind::Unauthorized).times(1), Expect::Unnoticed)]
#[case::session_lost_again_and_again(org(FaultKind::Unauthorized).on("/services/data/"), Expect::Ends(7, &["session"]))]
#[case::platform_knows_us_no_more(after(3, platform(FaultKind::Unauthorized)), Expect::Ends(7, &["salesmanago", "sign-in"]))]
#[case::org_too_many_once(org(FaultKind::TooMany).times(1), Expect::Unnoticed)]
#[case::org_too_many_with_retry_after(Fault { retry_after: Some(20), ..after(4, org(FaultKind::TooMany)).times(2) }, Expect::Unnoticed)]
#[case::platform_too_many_twice(after(2, platform(FaultKind::TooMany)).times(2), Expect::Unnoticed)]
#[case::platform_too_many_for_ever(after(2, platform(FaultKind::TooMany)), Expect::Ends(4, &["salesmanago", "429"]))]
#[case::org_down_for_a_moment(after(2, org(FaultKind::Html503)).times(2), Expect::Unnoticed)]
#[case::org_down(after(5, org(FaultKind::Html503)), Expect::Ends(1, &["503"]))]
#[case::platform_down_for_a_moment(after(1, platform(FaultKind::Html503)).times(2), Expect::Unnoticed)]
#[case::platform_down(after(2, platform(FaultKind::Html503)), Expect::Ends(1, &["salesmanago", "503"]))]
#[case::every_tenth_row_locked(every(10, org(FaultKind::RowLock)), Expect::Unnoticed)]
#[case::rows_locked_for_ever(every(2, org(FaultKind::RowLock).on("Lead")), Expect::Unnoticed)]
#[case::org_read_cut_before(org(FaultKind::CutBefore).on("/query").times(1), Expect::Unnoticed)]
#[case::org_read_cut_after(org(FaultKind::CutAfter).on("/query").times(2), Expect::Unnoticed)]
#[case::org_write_cut_before(org_write(FaultKind::CutBefore).times(1), Expect::Unnoticed)]
#[case::org_write_cut_after(org_write(FaultKind::CutAfter).times(1), Expect::Unnoticed)]
#[case::org_every_third_cut_after(every(3, org(FaultKind::CutAfter)), Expect::Unnoticed)]
#[case::platform_read_cut_before(platform(FaultKind::CutBefore).on("paginated").times(2), Expect::Unnoticed)]
#[case::platform_write_cut_before(platform(FaultKind::CutBefore).on("upsert").times(1), Expect::Unnoticed)]
#[case::platform_write_cut_after(platform(FaultKind::CutAfter).on("upsert").times(1), Expect::Unnoticed)]
#[case::platform_every_write_cut_after(platform(FaultKind::CutAfter).on("upsert"), Expect::Unnoticed)]
#[case::platform_every_third_cut_after(every(3, platform(FaultKind::CutAfter)), Expect::Unnoticed)]
#[case::org_limit_at_once(org(FaultKind::Limit), Expect::Ends(4, &["limit"]))]
#[case::org_limit_while_reading(after(3, org(FaultKind::Limit)), Expect::Ends(4, &["limit"]))]
#[case::org_limit_while_writing(org_write(FaultKind::Limit), Expect::Ends(4, &["limit", "next run"]))]
#[case::platform_limit_while_writing(platform(FaultKind::Limit).on("upsert"), Expect::Ends(4, &["429"]))]
#[case::platform_refuses_a_read(Fault { message: Some("Internal error".into()), ..platform(FaultKind::SuccessFalse).on("paginated") }, Expect::Ends(1, &["internal error"]))]
#[case::org_slow(Fault { ms: Some(150), ..org(FaultKind::Slow) }, Expect::Unnoticed)]
#[case::platform_slow(Fault { ms: Some(150), ..platform(FaultKind::Slow) }, Expect::Unnoticed)]
#[case::platform_delivers_twice(platform(FaultKind::DeliveredTwice).on("upsert"), Expect::Unnoticed)]
#[case::org_delivers_twice(org_write(FaultKind::DeliveredTwice), Expect::Unnoticed)]
#[case::slow_jobs(platform(FaultKind::SlowJobs).times(5), Expect::Unnoticed)]
#[case::stale_reads_of_the_platform(platform(FaultKind::StaleRead), Expect::Unnoticed)]
#[case::everything_at_random(Fault { chance: Some(0.15), seed: 5, ..Fault::new(FaultKind::CutAfter) }, Expect::Unnoticed)]
#[tokio::test(flavor = "multi_thread")]
async fn a_passing_fault(#[case] fault: Fault, #[case] expect: Expect) {
    let scene = Scene::small().await;
    scene.arm(fault);
    let ended = scene.initial().await;
    check(&ended, expect);
    recovers(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_others_used_up_ends_the_run_and_the_next_one_goes_on_at_its_mark() {
    let scene = Scene::small().await;
    let used = scene.sandbox().org().api_calls_used();
    scene.sandbox().org().set_daily_limit(used + 4);
    let ended = scene.initial().await;
    check(&ended, Expect::Ends(4, &["api calls"]));
    scene.sandbox().org().set_daily_limit(100_000);
    recovers(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_becomes_visible_late_is_found() {
    let scene = Scene::synced().await;
    scene.instant().await;
    scene.arm(Fault { ms: Some(90_000), ..org(FaultKind::LateCommit) });
    let (id, email) = scene.somebody(0);
    scene.org_update("Contact", &id, json!({"MailingCity": "Leuven"}));
    let early = scene.instant().await;
    assert_eq!((early.exit, early.counts.updated()), (0, 0), "{early:?}");
    scene.pass(Duration::from_secs(120)).await;
    let found = scene.instant().await;
    assert_eq!((found.exit, found.counts.updated()), (0, 1), "{found:?}");
    assert_eq!(scene.contact(&email)["address"]["city"], "Leuven");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_the_platforms_feed_shows_late_is_found() {
    let scene = Scene::synced().await;
    scene.instant().await;
    scene.arm(Fault { ms: Some(20_000), ..platform(FaultKind::LateCommit) });
    let (id, email) = scene.somebody(0);
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 111 22 33"}));
    scene.instant().await;
    scene.pass(Duration::from_secs(60)).await;
    let found = scene.instant().await;
    assert_eq!(found.exit, 0, "{found:?}");
    assert_eq!(scene.org_row("Contact", &id)["MobilePhone"], "+32 9 111 22 33");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_read_of_the_target_loses_no_edit() {
    let scene = Scene::synced().await;
    scene.instant().await;
    let (id, email) = scene.somebody(0);
    // Reads of the platform are answered from before the edit, for a while.
    scene.arm(platform(FaultKind::StaleRead).on("contact/list"));
    scene.org_update("Contact", &id, json!({"MobilePhone": "+32 9 000 00 01"}));
    scene.instant().await;
    scene.platform_upsert(json!({"email": email, "company": "Moved Ltd", "city": "Bruges"}));
    scene.org_update("Contact", &id, json!({"Fax": "+32 9 000 00 02"}));
    scene.instant().await;
    scene.calm();
    for _ in 0..2 {
        scene.pass(Duration::from_secs(120)).await;
        scene.instant().await;
    }
    let (row, contact) = (scene.org_row("Contact", &id), scene.contact(&email));
    assert_eq!((&row["MobilePhone"], &row["Fax"]), (&json!("+32 9 000 00 01"), &json!("+32 9 000 00 02")));
    assert_eq!((&contact["phone"], &contact["fax"]), (&json!("+32 9 000 00 01"), &json!("+32 9 000 00 02")));
    assert_eq!((&contact["address"]["city"], &row["MailingCity"]), (&json!("Bruges"), &json!("Bruges")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_row_is_an_issue_and_a_retry_closes_it() {
    let scene = Scene::small().await;
    let validation = Fault {
        code: Some("FIELD_CUSTOM_VALIDATION_EXCEPTION".into()),
        message: Some("Ask the sales desk first".into()),
        ..org(FaultKind::RowError).on("insert Lead").times(1)
    };
    scene.arm(validation);
    let ended = scene.initial().await;
    assert_eq!((ended.exit, ended.counts.failed), (3, 1), "{ended:?}");
    let issues = scene.issues().await;
    assert_eq!(issues.len(), 1, "{issues:?}");
    assert_eq!(
        (issues[0].code.as_str(), issues[0].message.as_str()),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Ask the sales desk first")
    );
    let retried = scene.retry().await;
    assert_eq!((retried.exit, retried.counts.salesforce.created), (0, 1), "{retried:?}");
    recovers(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_the_platform_refuses_in_its_words_are_issues() {
    let scene = Scene::small().await;
    let refusal = Fault {
        message: Some("Contact cannot be modified".into()),
        ..platform(FaultKind::SuccessFalse).on("upsert").times(1)
    };
    scene.arm(refusal);
    let ended = scene.initial().await;
    assert!([0, 3].contains(&ended.exit), "{ended:?}");
    scene.calm();
    scene.pass(Duration::from_secs(120)).await;
    scene.retry().await;
    recovers(&scene).await;
}

#[rstest]
#[case::locked_user("locked")]
#[case::api_switched_off("api")]
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_lost_between_two_runs_blocks_the_next_and_nothing_is_written(#[case] what: &str) {
    let scene = Scene::synced().await;
    let org = scene.sandbox().org();
    match what {
        "locked" => org.set_locked(true),
        _ => org.set_api_disabled(true),
    }
    let (_, email) = scene.somebody(0);
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 888 88 88"}));
    let before = scene.snapshot();
    let ended = scene.instant().await;
    assert_eq!(ended.exit, 7, "{ended:?} {:?}", scene.calls_since(0, Side::Salesforce));
    let words = if what == "locked" { "user" } else { what };
    assert!(ended.message.to_lowercase().contains(words), "{ended:?}");
    assert_eq!(scene.snapshot(), before);
    match what {
        "locked" => org.set_locked(false),
        _ => org.set_api_disabled(false),
    }
    scene.pass(Duration::from_secs(3600)).await;
    let after = scene.instant().await;
    assert_eq!((after.exit, after.counts.salesforce.updated), (0, 1), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_may_only_be_read_is_not_written_and_the_rest_is() {
    let scene = Scene::synced().await;
    assert!(scene.sandbox().org().set_field_permission("Contact", "MobilePhone", FieldPermission::Read));
    let (id, email) = scene.somebody(0);
    let phone = scene.org_row("Contact", &id)["MobilePhone"].clone();
    scene.platform_upsert(json!({"email": email, "phone": "+32 9 777 77 77", "city": "Ostend"}));
    scene.pass(Duration::from_secs(3600)).await;
    let ended = scene.instant().await;
    let row = scene.org_row("Contact", &id);
    assert_eq!(row["MobilePhone"], phone, "{ended:?}");
    assert!(ended.exit == 7 || row["MailingCity"] == json!("Ostend"), "{ended:?} {row:?}");
}
