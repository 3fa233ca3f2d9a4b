//! A history: people edit both sides while runs go on, fail, crash and go on again; then the storm ends and the judge looks.

use std::sync::Arc;

use forcesync::domain::command::{Allowances, RunRequest};
use forcesync::domain::mapping::Mapping;
use forcesync::domain::outcome::{RunKind, RunResult};
use forcesync::domain::port::Endpoint;
use forcesync::domain::progress::Progress;
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::undo::Extent;
use forcesync::engine::context::{Brakes, Control, EngineOptions, RunContext};
use forcesync::engine::run::run;
use forcesync::store::Store;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;

use super::edits::{everybody_returns, people_edit, populate};
use super::judge::{Waiting, judge};
use super::settings::mappings;
use super::side::SimSide;
use super::verdict::Verdict;
use super::world::{Trouble, World};
use super::{by_hand, database, drifting};

pub struct History {
    pub seed: u64,
    talkative: bool,
    disk: Disk,
    /// How many records the brakes always let through.
    brake_floor: u64,
}

/// Whether there is always room for the state database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disk {
    Roomy,
    NowAndThenFull,
}

/// As many pages as SQLite can have.
const ROOM: u32 = u32::MAX - 1;

pub enum Played {
    Ended(RunResult, String),
    Crashed,
}

impl History {
    pub fn new(seed: u64) -> Self {
        Self { seed, talkative: false, disk: Disk::Roomy, brake_floor: 100_000 }
    }

    pub fn talkative(mut self) -> Self {
        self.talkative = true;
        self
    }

    /// The brakes hold from the first record on.
    pub fn tightly_braked(mut self) -> Self {
        self.brake_floor = 0;
        self
    }

    /// The state database can't grow during some of the runs.
    pub fn on_a_small_disk(mut self) -> Self {
        self.disk = Disk::NowAndThenFull;
        self
    }

    pub fn play(self) -> Verdict {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(self.play_async())
    }

    async fn play_async(self) -> Verdict {
        let world = World::new(self.seed);
        if self.talkative {
            let platform = world.lock().manner.name.clone();
            world.lock().log = Some(vec![platform]);
        }
        // Pages that another left free would be room on a small disk.
        let store = if self.disk == Disk::Roomy { database::take() } else { database::fresh() };
        let mappings = mappings(&world);
        let mut verdict = Verdict::default();
        populate(&world);

        // The storm: an initial sync until it is through, then instant ones, with trouble and edits all the while.
        world.lock().trouble = storm(&world);
        let mut initial_done = false;
        let mut full = SmallRng::seed_from_u64(!self.seed);
        let storm_runs = world.lock().random.random_range(4..12);
        for _ in 0..storm_runs {
            let kind = if initial_done { RunKind::Instant } else { RunKind::Initial };
            if self.disk == Disk::NowAndThenFull && full.random_bool(0.6) {
                // A limit below what is there means: no page more.
                store.limit_pages(1).await.unwrap();
            }
            match self.once(&world, &store, &mappings, kind).await {
                Played::Ended(result, message) => {
                    verdict.runs += 1;
                    let through = matches!(result, RunResult::Succeeded | RunResult::PartlyFailed);
                    initial_done |= through && kind == RunKind::Initial;
                    verdict.full_disks += u64::from(message.contains("no room left"));
                    // What a mapping can't do without may be hidden (law E13).
                    let blocked = result == RunResult::Blocked && world.lock().drifting.changes > 0;
                    if !through && !blocked && !matches!(result, RunResult::Failed | RunResult::Limited) {
                        verdict.wrong.push(format!(
                            "a {} run ended {}: {message}",
                            kind.word(),
                            result.word()
                        ));
                    }
                }
                Played::Crashed => verdict.crashes += 1,
            }
            store.limit_pages(ROOM).await.unwrap();
            if initial_done && world.lock().random.random_bool(0.35) {
                self.take_back(&world, &store, &mappings, &mut verdict).await;
            }
            let now = world.clock.millis();
            let edits = world.lock().random.random_range(0..4);
            for _ in 0..edits {
                people_edit(&mut world.lock(), now, &|_, _| true);
            }
            let pause = world.lock().random.random_range(1_000..900_000);
            world.clock.advance(pause);
            drifting::between_runs(&world, &store, &mappings).await;
        }

        // The calm: no trouble, no edits. Everything must come to rest within three runs, whoever left the scope and is back.
        world.lock().trouble = Trouble::default();
        if world.lock().drifting.present().is_some() {
            let kind = if initial_done { RunKind::Instant } else { RunKind::Initial };
            let played = self.once(&world, &store, &mappings, kind).await;
            initial_done |=
                matches!(played, Played::Ended(RunResult::Succeeded | RunResult::PartlyFailed, _));
        }
        drifting::end(&world, &store, &mappings).await;
        world.clock.advance(300_000);
        everybody_returns(&world);
        world.clock.advance(600_000);
        // What people deleted where nobody tells of it comes to light when everything is read from the start.
        let untold = !world.lock().manner.tells_deletions();
        for _ in 0..u32::from(!initial_done) + u32::from(untold) {
            self.expect_through(&world, &store, &mappings, RunKind::Initial, &mut verdict).await;
        }
        // Where automations fight, the pairs have to be parked first (law E8).
        let most = if world.lock().fights { 12 } else { 3 };
        self.come_to_rest(&world, &store, &mappings, most, &mut verdict).await;
        world.clock.advance(60_000);
        let before = world.lock().judge.sync_writes;
        self.expect_through(&world, &store, &mappings, RunKind::Instant, &mut verdict).await;
        let parked: Vec<(String, usize, String)> = store
            .write(|db| {
                let mut rows = db.prepare(
                    "SELECT org_id, (SELECT count(*) FROM pair AS other WHERE other.mapping=pair.mapping AND other.pair<pair.pair), why
                     FROM parked JOIN link USING (link) JOIN pair USING (pair)",
                )?;
                let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as usize, row.get(2)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
            .unwrap();
        let deleted: Vec<(String, String)> = store
            .write(|db| {
                let mut rows = db.prepare(
                    "SELECT org_id, platform_id FROM parked JOIN link USING (link) WHERE why='deleted'",
                )?;
                let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
            .unwrap();
        let because = |why: &str| parked.iter().filter(|(_, _, known)| known == why).count() as u64;
        (verdict.parked, verdict.fights) = (because("unknown_outcome"), because("ping_pong"));
        verdict.decisions = deleted.len() as u64;
        let waiting = Waiting {
            parked: parked.into_iter().map(|(id, place, _)| (id, place)).collect(),
            deleted: deleted.into_iter().flat_map(|(org, platform)| [org, platform]).collect(),
        };
        look(&world, before, &waiting, &mut verdict);
        // Where automations fight, what a person decides is changed again at once.
        let open = if world.lock().fights { Vec::new() } else { by_hand::choose(&store, &world).await };
        if !open.is_empty() {
            verdict.by_hand = open.len() as u64;
            by_hand::hand_in(&store, &world, &open).await;
            world.lock().trouble = Trouble { edit: 0, late_commit: 0, drift: 0, ..storm(&world) };
            for _ in 0..2 {
                world.clock.advance(60_000);
                self.once(&world, &store, &mappings, RunKind::Instant).await;
            }
            world.lock().trouble = Trouble::default();
            self.come_to_rest(&world, &store, &mappings, 3, &mut verdict).await;
            verdict.wrong.extend(by_hand::judge(&store, &world, &open).await);
            let before = world.lock().judge.sync_writes;
            world.clock.advance(60_000);
            self.expect_through(&world, &store, &mappings, RunKind::Instant, &mut verdict).await;
            if world.lock().judge.sync_writes != before {
                verdict.wrong.push("a decision by hand did not come to rest".into());
            }
            verdict.log = world.lock().log.clone().unwrap_or_default();
        }
        if self.disk == Disk::Roomy {
            database::give_back(store).await;
        }
        verdict
    }

    /// Calm runs: as many as there may be before all is at rest, or until one wrote nothing and left its state as it found it, for
    /// so would those behind it. What comes after them may write nothing.
    async fn come_to_rest(
        &self,
        world: &World,
        store: &Store,
        mappings: &[Mapping],
        most: u32,
        verdict: &mut Verdict,
    ) {
        let mut before = (world.writes(), database::essence(store).await);
        for _ in 0..most {
            world.clock.advance(60_000);
            self.expect_through(world, store, mappings, RunKind::Instant, verdict).await;
            let after = (world.writes(), database::essence(store).await);
            if after == before {
                break;
            }
            before = after;
        }
    }

    pub async fn expect_through(
        &self,
        world: &World,
        store: &Store,
        mappings: &[Mapping],
        kind: RunKind,
        verdict: &mut Verdict,
    ) {
        match self.once(world, store, mappings, kind).await {
            Played::Ended(RunResult::Succeeded | RunResult::PartlyFailed, _) => {}
            Played::Ended(result, message) => {
                verdict.wrong.push(format!("a calm {} run ended {}: {message}", kind.word(), result.word()));
            }
            Played::Crashed => verdict.wrong.push("a calm run crashed".into()),
        }
    }

    /// A person takes one of the runs back that there were.
    async fn take_back(&self, world: &World, store: &Store, mappings: &[Mapping], verdict: &mut Verdict) {
        let runs: i64 = store
            .write(|db| Ok(db.query_row("SELECT COALESCE(max(run), 0) FROM history", [], |row| row.get(0))?))
            .await
            .unwrap();
        if runs == 0 || !world.lock().takes_back {
            return;
        }
        // Mostly a recent one, as people do.
        let back = world.lock().random.random_range(0..3).min(runs - 1);
        world.clock.advance(1_000);
        world.lock().undoing = true;
        let request = RunRequest::undo(runs - back, Extent::Write, Allowances::default());
        match self.play_one(world, store, mappings, &request).await {
            Played::Ended(RunResult::Blocked, _) if world.lock().drifting.changes > 0 => verdict.runs += 1,
            Played::Ended(RunResult::Cancelled | RunResult::Braked | RunResult::Blocked, message) => {
                verdict.wrong.push(format!("an undo did not go through: {message}"));
            }
            Played::Ended(_, _) => verdict.runs += 1,
            Played::Crashed => verdict.crashes += 1,
        }
        world.lock().undoing = false;
    }

    pub async fn once(&self, world: &World, store: &Store, mappings: &[Mapping], kind: RunKind) -> Played {
        self.play_one(world, store, mappings, &RunRequest::new(kind)).await
    }

    pub async fn play_one(
        &self,
        world: &World,
        store: &Store,
        mappings: &[Mapping],
        request: &RunRequest,
    ) -> Played {
        let side = |side: Side| -> Arc<dyn Endpoint> {
            Arc::new(SimSide { world: world.clone(), side, page: 5, manner: world.lock().manner.clone() })
        };
        let now = world.clock.millis();
        world.lock().say(now, format!("--- {} run {:?}", request.kind.word(), request.undo));
        if self.talkative {
            let told = database::rows(
                store,
                "SELECT 'stage '||side||' '||object||': '||group_concat(id, ' ') FROM stage GROUP BY side, object",
            );
            let told = told.await;
            world.lock().say(now, format!("    {told:?}"));
        }
        let context = RunContext {
            store: store.clone(),
            endpoints: PerSide { org: side(Side::Org), platform: side(Side::Platform) },
            mappings: mappings.to_vec(),
            options: EngineOptions {
                chunk: 9,
                parallel: 1,
                most_parallel: 1,
                // A world of a dozen people is all below the brakes' floor.
                brakes: Brakes { minimum: self.brake_floor, ..Brakes::default() },
                ..EngineOptions::default()
            },
            clock: world.clock.clone(),
            seed: self.seed,
            control: Control::new(),
            progress: watch::Sender::new(Progress::default()),
            org_id: Some("00D000000000001EAA".into()),
        };
        let running = run(&context, request);
        tokio::pin!(running);
        // A crash drops the future where it stands, as kill -9 would.
        loop {
            tokio::select! {
                biased;
                report = &mut running => {
                    let text = report.message.clone().unwrap_or_default();
                    let now = world.clock.millis();
                    world.lock().say(now, format!("--- {} {:?} {text}", report.result.word(), report.counts));
                    if self.talkative {
                        for (name, sql) in [
                            (
                                "pending",
                                "SELECT mapping||' '||side||' '||id||' '||reason||' '||COALESCE(next_try,'-') FROM pending",
                            ),
                            (
                                "parked",
                                "SELECT org_id||' '||platform_id||' '||pair||' '||why||' '||org||' '||platform FROM parked JOIN link USING (link)",
                            ),
                            ("skipped", "SELECT body FROM line WHERE outcome ='skipped' AND run=(SELECT max(run) FROM line)"),
                            (
                                "issues",
                                "SELECT org_id||' '||platform_id||' '||code||' '||message FROM issue WHERE open=1",
                            ),
                        ] {
                            let told = database::rows(store, sql).await;
                            world.lock().say(now, format!("    {name}: {told:?}"));
                        }
                    }
                    return Played::Ended(report.result, text);
                }
                () = tokio::task::yield_now() => {
                    if std::mem::take(&mut world.lock().crash_asked) {
                        return Played::Crashed;
                    }
                }
            }
        }
    }
}

/// What the judge says once everything should be at rest.
fn look(world: &World, before: u64, waiting: &Waiting, verdict: &mut Verdict) {
    let state = world.lock();
    if state.judge.sync_writes != before {
        verdict
            .wrong
            .push(format!("not quiet: {} writes in the last calm run", state.judge.sync_writes - before));
    }
    verdict.wrong.extend(judge(&state, waiting));
    verdict.wrong.extend(state.judge.undone.wrong.iter().cloned());
    verdict.undone = state.judge.undone.writes;
    verdict.drifts = state.drifting.changes;
    verdict.edits = state.judge.edits.len() as u64;
    verdict.unknown_outcomes = state.judge.unknown_outcomes;
    verdict.removals = state.judge.removals;
    verdict.deletions = state.judge.person_deletes.len() as u64;
    verdict.conversions = state.judge.converted.len() as u64;
    verdict.merges = state.judge.merges;
    verdict.scope_changes = state.judge.scope_changes;
    verdict.log = state.log.clone().unwrap_or_default();
}

fn storm(world: &World) -> Trouble {
    let mut state = world.lock();
    let mut odds =
        |most: u32| if state.random.random_bool(0.5) { state.random.random_range(0..most) } else { 0 };
    Trouble {
        transient: odds(40),
        cut_after: odds(250),
        cut_before: odds(150),
        limit: odds(15),
        row_lock: odds(150),
        late_commit: odds(300),
        stale: odds(150),
        edit: odds(250),
        crash: odds(60),
        drift: 8,
    }
}
