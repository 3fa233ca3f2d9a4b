//! The crash test: the real process is killed with SIGKILL again and again (before a call is handled, after it was committed and before
//! its answer arrived, and at any moment), started again until it ends, and then both sides must hold what a world without crashes holds.
//!
//! Everything follows from the seed of a world. `FORCESYNC_KILLS` sets how many kills there are in all.

use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use forcesync::domain::outcome::RunKind;
use forcesync::ops::sandbox::Running;
use forcesync::sandbox::Sandbox;
use forcesync::sandbox::faults::{Fault, FaultKind, Side};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rstest::rstest;
use tempfile::TempDir;

use crate::binary_stage::command;
use crate::scenario_stage::{Cast, Scene, difference, duplicates, sandbox, snapshot};

/// How many kills there are in all worlds together, unless `FORCESYNC_KILLS` says otherwise.
const KILLS: u64 = 200;

/// How many worlds share them; as many as there are cases below.
const WORLDS: u64 = 4;

/// How many people the org of a world has: too few for planted flaws, enough for batches of all kinds.
const PEOPLE: u64 = 70;

/// How many edits people make between two rounds.
const EDITS: u64 = 14;

/// Far longer than any run takes; only a hanging one reaches it.
const PATIENCE: Duration = Duration::from_secs(90);

/// When the process is killed.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// When the service has a request of which it has done nothing.
    Sent { on: &'static str, nth: u64 },
    /// When the service has done what was asked and the answer has not arrived.
    Committed { on: &'static str, nth: u64 },
    /// After so many milliseconds.
    At(u64),
}

/// Requests that write, besides any request at all.
const PLACES: [&str; 4] = ["", "", "/composite", "upsert"];

/// The steps of a bulk job, reading and writing.
const JOB_PLACES: [&str; 5] = ["/jobs/query", "/results", "/jobs/ingest", "/batches", "uccessfulResults"];

/// Reads and writes of the org go by bulk jobs, in many pages.
const BULK: &str = "\n[salesforce.bulk]\njobs = \"always\"\nfrom = 3\npage_rows = 7\n";

impl Point {
    /// Any point of a run that takes about so many milliseconds.
    fn draw(dice: &mut SmallRng, milliseconds: u64, places: &[&'static str]) -> Self {
        let on = places[dice.random_range(0..places.len())];
        let nth = dice.random_range(0..if on.is_empty() { 18 } else { 3 });
        match dice.random_range(0..5) {
            0 | 1 => Self::Sent { on, nth },
            2 | 3 => Self::Committed { on, nth },
            _ => Self::At(dice.random_range(0..milliseconds.max(50))),
        }
    }

    fn arm(self, sandbox: &Sandbox) {
        match self {
            Self::Sent { on, nth } => {
                let held = Fault { after: nth, ms: Some(600_000), ..Fault::new(FaultKind::Slow) };
                sandbox.arm_fault(held.on(on).times(1));
            }
            Self::Committed { on, nth } => {
                sandbox.arm_fault(Fault { after: nth, ..Fault::new(FaultKind::CutAfter) }.on(on).times(1));
            }
            Self::At(_) => {}
        }
    }

    fn is_reached(self, sandbox: &Sandbox, calls: u64, began: Instant) -> bool {
        match self {
            Self::Sent { .. } => sandbox.faults().struck(FaultKind::Slow) > 0,
            // The call is noted once it is done.
            Self::Committed { .. } => {
                let done = sandbox.calls().since(calls, None);
                done.iter().any(|call| call.fault == Some(FaultKind::CutAfter.name()))
            }
            Self::At(milliseconds) => began.elapsed() >= Duration::from_millis(milliseconds),
        }
    }
}

/// A sandbox, the workspace of the process that is killed, and a twin in which nothing ever is.
struct World {
    running: Running,
    folder: TempDir,
    twin: Scene,
    dice: SmallRng,
    kills: u64,
    milliseconds: u64,
    places: &'static [&'static str],
    told: Vec<String>,
}

impl World {
    async fn new(seed: u64) -> Self {
        Self::of(seed, PEOPLE).await
    }

    async fn of(seed: u64, records: u64) -> Self {
        let cast = Cast { records, seed, person_accounts: false };
        let folder = TempDir::new().unwrap();
        let running = sandbox(cast, folder.path().join("w")).await;
        let twin = Scene::new(cast).await;
        let dice = SmallRng::seed_from_u64(seed);
        Self { running, folder, twin, dice, kills: 0, milliseconds: 1500, places: &PLACES, told: Vec::new() }
    }

    /// One in which the process reads and writes the org by jobs; its twin does not.
    async fn of_jobs(seed: u64) -> Self {
        let world = Self { places: &JOB_PLACES, ..Self::of(seed, 2 * PEOPLE).await };
        let settings = world.folder.path().join("w").join("forcesync.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        std::fs::write(&settings, text + BULK).unwrap();
        world.sandbox().org().set_page_rows(Some(10), None);
        world
    }

    fn sandbox(&self) -> &Sandbox {
        self.running.sandbox()
    }

    fn spawn(&self, kind: RunKind) -> Child {
        let mut arguments = vec!["sync", kind.word(), "--json"];
        for brake in ["--allow-creates", "--allow-updates", "--allow-opt-outs", "--allow-blanks"] {
            arguments.extend([brake, "100000"]);
        }
        let mut command = command(&self.folder.path().join("w"), &arguments);
        let log =
            std::fs::File::options().create(true).append(true).open(self.folder.path().join("said")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    /// Starts the process and kills it at a point; tells how it ended if it ended before.
    async fn strike(&mut self, kind: RunKind, point: Option<Point>) -> Option<ExitStatus> {
        let calls = self.sandbox().calls().last();
        if let Some(point) = point {
            point.arm(self.sandbox());
        }
        let began = Instant::now();
        let mut child = self.spawn(kind);
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if point.is_some_and(|point| point.is_reached(self.sandbox(), calls, began)) {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            assert!(began.elapsed() < PATIENCE, "{point:?} hangs: {}", self.story());
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        self.sandbox().faults().clear();
        self.told.push(format!("{} {point:?} → {ended:?}", kind.word()));
        match ended {
            None => self.kills += 1,
            Some(_) => self.milliseconds = began.elapsed().as_millis() as u64,
        }
        ended
    }

    /// So many kills, then one run that is left alone.
    async fn round(&mut self, kind: RunKind, kills: u64) {
        let until = self.kills + kills;
        let mut ran_through = 0;
        while self.kills < until && ran_through < 3 {
            let point = Point::draw(&mut self.dice, self.milliseconds, self.places);
            if let Some(status) = self.strike(kind, Some(point)).await {
                ran_through += 1;
                assert!(matches!(status.code(), Some(0 | 3)), "{status:?}: {}", self.story());
            }
        }
        let status = self.strike(kind, None).await.unwrap();
        assert!(matches!(status.code(), Some(0 | 3)), "{}", self.story());
    }

    fn judge(&self) {
        let differs = difference(&snapshot(self.sandbox()), &self.twin.snapshot());
        assert!(differs.is_empty(), "{differs:#?}\n{}", self.story());
        assert_eq!(duplicates(self.sandbox()), Vec::<String>::new(), "{}", self.story());
    }

    /// Everybody is where they are in the twin, once, by their key. A log whose tail is lost may have held what was durable; then a
    /// record that was just created looks like one that was always there, and the more careful consent of both wins. So values may differ.
    fn judge_keys(&self) {
        let differs = difference(&keys(self.sandbox()), &keys(self.twin.sandbox()));
        assert!(differs.is_empty(), "{differs:#?}\n{}", self.story());
        assert_eq!(duplicates(self.sandbox()), Vec::<String>::new(), "{}", self.story());
    }

    /// What was done to the process, and what it said.
    fn story(&self) -> String {
        let said = std::fs::read_to_string(self.folder.path().join("said")).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        format!("{}\n{}", self.told.join("\n"), lines[lines.len().saturating_sub(30)..].join("\n"))
    }
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(3)]
#[case(4)]
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_and_does_nothing_twice(#[case] seed: u64) {
    let wanted = std::env::var("FORCESYNC_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let wanted: u64 = wanted / WORLDS;
    let mut world = World::new(seed).await;
    let opted_out = world.twin.opted_out_in_org();
    world.twin.unbraked(RunKind::Initial).await;
    assert!(world.twin.opted_out_in_org() >= opted_out, "somebody was opted in");
    world.round(RunKind::Initial, (wanted / 3).min(16)).await;
    world.judge();
    while world.kills < wanted {
        for sandbox in [world.sandbox(), world.twin.sandbox()] {
            sandbox.life().happen(EDITS);
        }
        let ended = world.twin.unbraked(RunKind::Instant).await;
        // Somebody's edit of a record that was deleted on the other side just now is an issue.
        assert!([0, 3].contains(&ended.exit), "{ended:?}");
        let left = wanted - world.kills;
        world.round(RunKind::Instant, left.min(8)).await;
        world.judge();
    }
    // Both services were struck.
    assert!(
        [Side::Salesforce, Side::Platform]
            .iter()
            .all(|side| world.sandbox().calls().counts(*side).faults > 0)
    );
}

#[rstest]
#[case(21)]
#[case(22)]
#[case(23)]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_in_the_middle_of_a_bulk_job_goes_on_with_it(#[case] seed: u64) {
    let mut world = World::of_jobs(seed).await;
    world.twin.unbraked(RunKind::Initial).await;
    world.round(RunKind::Initial, 10).await;
    world.judge();
    let org = world.sandbox().org();
    assert!(org.rows_carried() > 3, "jobs wrote {} rows: {}", org.rows_carried(), world.story());
    assert_eq!(org.rows_carried_twice(), Vec::<String>::new(), "{}", world.story());
    for _ in 0..2 {
        for sandbox in [world.sandbox(), world.twin.sandbox()] {
            sandbox.life().happen(3 * EDITS);
        }
        world.twin.unbraked(RunKind::Instant).await;
        world.round(RunKind::Instant, 4).await;
        world.judge();
    }
    assert_eq!(org_jobs(world.sandbox()), 0, "jobs are left behind: {}", world.story());
}

/// Jobs that nobody deleted, apart from those that a kill left before anybody could know of them.
fn org_jobs(sandbox: &Sandbox) -> usize {
    sandbox.org().jobs_at_work()
}

/// Who is where, by e-mail.
fn keys(sandbox: &Sandbox) -> Vec<String> {
    let mut keys = Vec::new();
    for object in ["Contact", "Lead"] {
        for row in sandbox.org().rows(object) {
            keys.push(format!("{object} {}", row["Email"].as_str().unwrap_or_default().to_lowercase()));
        }
    }
    for contact in sandbox.salesmanago().contacts() {
        let email = contact["email"].as_str().unwrap_or_default().to_lowercase();
        keys.push(format!("contact {email} deleted={}", contact["deleted"]));
    }
    keys
}

/// Where the write-ahead log is cut, in parts of a thousand of its frames, and how many bytes of the next frame stay.
#[derive(Clone, Copy, Debug)]
struct Cut {
    per_mille: u64,
    torn: u64,
}

impl Cut {
    /// Cuts the log of a workspace; tells how many frames it had and has.
    fn apply(self, workspace: &std::path::Path) -> (u64, u64) {
        /// What SQLite writes before the first frame, and a frame of a page of 4 KiB.
        const HEAD: u64 = 32;
        const FRAME: u64 = 24 + 4096;
        let log = std::fs::File::options().write(true).open(workspace.join("state.db-wal")).unwrap();
        let frames = log.metadata().unwrap().len().saturating_sub(HEAD) / FRAME;
        let kept = frames * self.per_mille / 1000;
        log.set_len(HEAD + kept * FRAME + self.torn).unwrap();
        // Another process's view of the log; after a loss of power there is none.
        let _ = std::fs::remove_file(workspace.join("state.db-shm"));
        (frames, kept)
    }
}

#[rstest]
#[case::at_its_start(11, Cut { per_mille: 0, torn: 0 })]
#[case::in_its_first_frame(12, Cut { per_mille: 0, torn: 1000 })]
#[case::at_a_quarter(13, Cut { per_mille: 250, torn: 0 })]
#[case::in_a_frame_of_the_middle(14, Cut { per_mille: 500, torn: 2000 })]
#[case::in_the_head_of_a_frame(15, Cut { per_mille: 750, torn: 12 })]
#[case::at_nine_tenths(16, Cut { per_mille: 900, torn: 0 })]
#[case::in_its_last_frame(17, Cut { per_mille: 999, torn: 4119 })]
#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_tail_is_lost_makes_no_duplicate_and_misses_nobody(#[case] seed: u64, #[case] cut: Cut) {
    let mut world = World::new(seed).await;
    world.twin.unbraked(RunKind::Initial).await;
    let workspace = world.folder.path().join("w");
    // Once while the platform is written, once while the org is.
    for point in [Point::Committed { on: "upsert", nth: 0 }, Point::Committed { on: "/composite", nth: 1 }] {
        if world.strike(RunKind::Initial, Some(point)).await.is_none() {
            let (frames, kept) = cut.apply(&workspace);
            assert!(frames > 20, "the run had hardly begun: {frames} frames");
            world.told.push(format!("{kept} of {frames} frames kept, and {} bytes", cut.torn));
        }
    }
    assert!(world.kills > 0, "{}", world.story());
    world.round(RunKind::Initial, 0).await;
    world.judge_keys();
    for sandbox in [world.sandbox(), world.twin.sandbox()] {
        sandbox.life().happen(EDITS);
    }
    world.twin.unbraked(RunKind::Instant).await;
    if world.strike(RunKind::Instant, Some(Point::Committed { on: "", nth: 3 })).await.is_none() {
        cut.apply(&workspace);
    }
    // Where the cut took the end of the initial sync with it, that comes first again.
    if world.strike(RunKind::Instant, None).await.unwrap().code() == Some(2) {
        world.round(RunKind::Initial, 0).await;
    }
    world.round(RunKind::Instant, 0).await;
    world.judge_keys();
}
