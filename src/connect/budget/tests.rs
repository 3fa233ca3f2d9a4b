//! One connection's view of a budget, and several connections that share one.

use rstest::rstest;

use super::*;

const DAILY: Rules = Rules {
    side: Side::Org,
    owner: "the org",
    reserve_percent: 20,
    reserve_setting: "api_reserve_percent",
    per_hour: 0,
    per_day: 0,
    logins_per_hour: 0,
};
const HOURLY: Rules = Rules { side: Side::Platform, owner: "the platform", per_hour: 100, ..DAILY };

/// The start of a step.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_000_000_200 + seconds, 0).unwrap()
}

fn ledger(folder: &tempfile::TempDir, workspace: &str) -> Ledger {
    Ledger { path: folder.path().join("state/budget.json"), workspace: workspace.into() }
}

#[rstest]
#[case::below(79, Priority::Automatic, None)]
#[case::reached(80, Priority::Automatic, Some(900))]
#[case::a_person_may_use_half_of_the_reserve(89, Priority::Interactive, None)]
#[case::but_not_all(90, Priority::Interactive, Some(900))]
#[case::mending_stops_at_twice_the_reserve(60, Priority::Background, Some(900))]
#[case::mending_goes_on_below(59, Priority::Background, None)]
fn the_reserve_is_left_to_others(#[case] used: u64, #[case] priority: Priority, #[case] until: Option<i64>) {
    let budget = Budget::new(DAILY, None);
    budget.told(used, 100, at(0), at(0));
    assert_eq!(budget.hold(priority, at(60)).map(|hold| hold.until), until.map(at));
    assert_eq!(budget.hold(priority, at(900)), None, "an old word lets one call find out");
}

#[test]
fn an_answer_that_was_overtaken_says_nothing_new() {
    let budget = Budget::new(DAILY, None);
    budget.told(80, 100, at(1), at(2));
    budget.told(79, 100, at(1), at(3));
    assert_eq!(budget.last_told(), Some((80, 100, at(2))));
    // What was used a day ago counts no longer.
    budget.told(12, 100, at(4), at(5));
    assert_eq!(budget.last_told(), Some((12, 100, at(5))));
}

#[test]
fn a_limit_that_is_still_reached_is_asked_about_less_and_less_often() {
    let budget = Budget::new(DAILY, None);
    let mut waits = Vec::new();
    let mut now = 0;
    for _ in 0..4 {
        budget.told(95, 100, at(now), at(now));
        // A reply to a call that was on its way meanwhile is no new question.
        budget.told(95, 100, at(now), at(now));
        let until = budget.hold(Priority::Automatic, at(now)).unwrap().until;
        waits.push((until - at(now)).num_minutes());
        now = (until - at(0)).num_seconds();
    }
    assert_eq!(waits, [15, 30, 60, 60]);
    budget.told(10, 100, at(now), at(now));
    budget.told(95, 100, at(now), at(now));
    assert_eq!(budget.hold(Priority::Automatic, at(now)).unwrap().until, at(now + 900));
}

#[test]
fn a_refusal_holds_everything_back_but_a_check_and_an_answer_lifts_it() {
    let budget = Budget::new(DAILY, None);
    budget.refused(Refusal::Daily, "REQUEST_LIMIT_EXCEEDED", None, at(0));
    budget.set_priority(Priority::Interactive);
    let error = budget.admit(at(1)).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (PortClass::Limit, "REQUEST_LIMIT_EXCEEDED"));
    assert!(error.message.contains("daily limit of the org"), "{}", error.message);
    budget.set_priority(Priority::Check);
    budget.admit(at(1)).unwrap();
    budget.answered(at(0), at(2));
    budget.set_priority(Priority::Interactive);
    budget.admit(at(2)).unwrap_err();
    budget.answered(at(1), at(2));
    budget.set_priority(Priority::Interactive);
    budget.admit(at(3)).unwrap();
}

#[test]
fn a_token_that_stays_blocked_is_tried_again_after_hours() {
    let budget = Budget::new(DAILY, None);
    let (mut now, mut waits) = (0, Vec::new());
    for _ in 0..6 {
        budget.refused(Refusal::Daily, "REQUEST_LIMIT_EXCEEDED", None, at(now));
        let until = budget.hold(Priority::Automatic, at(now)).unwrap().until;
        waits.push((until - at(now)).num_minutes());
        now = (until - at(0)).num_seconds();
    }
    assert_eq!(waits, [15, 30, 60, 120, 240, 240]);
}

#[test]
fn a_service_that_names_the_time_is_believed() {
    let budget = Budget::new(HOURLY, None);
    budget.refused(Refusal::TooMany, "HTTP 429", Some(Duration::from_secs(1_234)), at(0));
    let hold = budget.hold(Priority::Automatic, at(0)).unwrap();
    assert_eq!((hold.until, hold.is_refusal()), (at(1_234), true));
}

#[test]
fn an_hourly_limit_is_counted_here_and_opens_again() {
    let budget = Budget::new(HOURLY, None);
    budget.seen(79, at(0));
    assert_eq!(budget.hold(Priority::Automatic, at(1)), None);
    budget.seen(80, at(700));
    let hold = budget.hold(Priority::Automatic, at(701)).unwrap();
    assert_eq!(hold.until, at(600 + 3_600), "the first calls are an hour old then");
    assert_eq!(hold.what(), "hourly limit of the platform, 80 of 100 used");
    assert_eq!(budget.hold(Priority::Automatic, hold.until), None);
}

#[test]
fn sign_ins_are_counted() {
    let budget = Budget::new(Rules { logins_per_hour: 10, ..DAILY }, None);
    for _ in 0..9 {
        budget.sign_in(at(0)).unwrap();
    }
    let error = budget.sign_in(at(0)).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (PortClass::Limit, "LOGIN_RATE"));
    budget.sign_in(at(600 + 3_600)).unwrap();
}

#[test]
fn two_workspaces_share_one_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (
        Budget::new(HOURLY, Some(ledger(&folder, "one"))),
        Budget::new(HOURLY, Some(ledger(&folder, "two"))),
    );
    one.seen(50, at(0));
    two.seen(30, at(1));
    assert!(one.hold(Priority::Automatic, at(2)).is_some());
    assert!(two.hold(Priority::Automatic, at(2)).is_some());
    let gauge = two.gauge(at(2));
    assert_eq!((gauge.used, gauge.ours, gauge.other_workspaces, gauge.left), (80, 30, 50, Some(0)));
    // What one is told, the other knows, and so does whoever starts later.
    one.refused(Refusal::TooMany, "HTTP 429", Some(Duration::from_secs(7_200)), at(3));
    assert_eq!(two.hold(Priority::Interactive, at(10)).unwrap().until, at(7_203));
    drop((one, two));
    let later = Budget::new(HOURLY, Some(ledger(&folder, "three")));
    assert!(later.gauge(at(11)).hold.is_some());
    later.seen(1, at(12));
    later.answered(at(12), at(12));
    assert!(later.hold(Priority::Automatic, at(13)).unwrap().code == Hold::RESERVE);
}

#[test]
fn no_call_is_lost_between_threads() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let ledger = ledger(&folder, &format!("workspace {worker}"));
            scope.spawn(move || {
                let budget = Budget::new(Rules { per_hour: 1_000_000, ..HOURLY }, Some(ledger));
                for call in 1..=50 {
                    budget.seen(call, at(call as i64));
                }
                budget.settle(at(60));
            });
        }
    });
    let gauge = Budget::new(HOURLY, Some(ledger(&folder, "workspace 0"))).gauge(at(61));
    assert_eq!((gauge.used, gauge.ours), (200, 50));
}

#[rstest]
#[case::no_json("{\"calls\":[")]
#[case::another_shape("[1, 2]")]
#[case::no_text("\u{0}\u{0}")]
fn a_broken_file_is_set_aside(#[case] text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder, "one");
    std::fs::create_dir_all(ledger.path.parent().unwrap()).unwrap();
    std::fs::write(&ledger.path, text).unwrap();
    let budget = Budget::new(HOURLY, Some(ledger.clone()));
    budget.seen(5, at(0));
    assert_eq!(std::fs::read_to_string(ledger.path.with_extension("broken")).unwrap(), text);
    assert_eq!(Budget::new(HOURLY, Some(ledger)).gauge(at(1)).used, 5);
}

#[test]
fn without_a_place_for_the_file_the_budget_goes_on_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let budget =
        Budget::new(HOURLY, Some(Ledger { path: file.join("budget.json"), workspace: "one".into() }));
    budget.seen(80, at(0));
    assert!(budget.hold(Priority::Automatic, at(1)).is_some());
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder, "one");
    Budget::new(HOURLY, Some(ledger.clone())).seen(1, at(0));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&ledger.path), mode(ledger.path.parent().unwrap())), (0o600, 0o700));
}
