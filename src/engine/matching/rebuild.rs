//! Finds the links of a workspace again whose state database was lost: both sides are read and matched by mark, then by key.
//!
//! Nothing is written to either side. The links have no bases, so the next run meets them as if for the first time (law E2):
//! what is equal is adopted, what is blank is filled, and what differs follows the mapping's `first_meeting`. What was read
//! stays staged, so that the next instant sync goes on from there.

use std::sync::Arc;

use serde::Serialize;

use crate::domain::command::RunRequest;
use crate::domain::grouped::grouped;
use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::domain::record::RecordId;
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::engine::apply::{Foreseen, Traffic};
use crate::engine::brake::BrakeMeter;
use crate::engine::commit::key_hashes;
use crate::engine::context::{End, RunContext};
use crate::engine::plan::Part;
use crate::engine::prepare::{fingerprint, prepare};
use crate::engine::session::{Prepared, Session, both};
use crate::store::facts::{self, NewFact};
use crate::store::feeds::{self, Reading};
use crate::store::links::{self, Bases, NewLink};
use crate::store::stage::{self, Staged};
use crate::store::{mappings, runs, work};

mod marks;

/// Under which name the state database remembers that it is not rebuilt yet.
pub const UNDER_WAY: &str = "rebuild_under_way";

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// The run under which it is noted.
    pub run: i64,
    /// Links by the other side's id that a record carries.
    pub by_mark: u64,
    /// Links by key.
    pub by_key: u64,
    /// Links of records whose counterpart is gone; they stay closed, so that nobody is created anew (law E9).
    pub closed: u64,
    /// Records that are on one side only.
    pub alone: PerSide<u64>,
    /// Records that are no sole match for each other; each is an open issue, too.
    pub ambiguous: u64,
}

impl Rebuilt {
    /// All open links.
    pub fn links(&self) -> u64 {
        self.by_mark + self.by_key
    }
}

/// Reads both sides and makes the links anew in an empty database.
pub async fn rebuild(context: &RunContext) -> Result<Rebuilt, End> {
    let request = RunRequest::new(RunKind::Heal);
    let started = context.clock.now();
    let (org, settings) = (context.org_id.clone(), fingerprint(&context.mappings));
    let run = context
        .store
        .write(move |db| {
            runs::close_interrupted(db, started)?;
            runs::begin(db, RunKind::Heal, &[], org.as_deref(), &settings, started)
        })
        .await?;
    let prepared = match prepare(context, &request, run).await {
        Ok(ready) => match ready.absent.into_iter().next() {
            // Links of a mapping that can't be looked at would be missing.
            Some(absent) => return Err(closed(context, run, Err(absent.end)).await),
            None => ready.prepared,
        },
        Err(end) => return Err(closed(context, run, Err(end)).await),
    };
    let mut session = Session {
        context,
        request: &request,
        run,
        started,
        per_mapping: vec![Counts::default(); prepared.len()],
        mappings: prepared,
        counts: Counts::default(),
        brakes: BrakeMeter::default(),
        calls_before: PerSide::from_fn(|side| context.endpoints[side].calls()),
        stale: 0,
        foreseen: Foreseen::new(),
        traffic: Arc::new(Traffic::new(context.options.parallel, context.options.most_parallel)),
        withheld: None,
        absent: Vec::new(),
        parked: Vec::new(),
        plan: Part::Free,
    };
    match steps(&mut session).await {
        Ok(rebuilt) => {
            closed(context, run, Ok((&rebuilt, session.counts))).await;
            Ok(rebuilt)
        }
        Err(end) => Err(closed(context, run, Err(end)).await),
    }
}

/// Closes the run; hands an error back.
async fn closed(context: &RunContext, run: i64, end: Result<(&Rebuilt, Counts), End>) -> End {
    let now = context.clock.now();
    let (result, message, counts) = match &end {
        Ok((rebuilt, counts)) => (
            RunResult::Succeeded,
            format!(
                "the links were rebuilt from both sides: {} by mark, {} by key, {} closed, {} ambiguous; nothing was written",
                grouped(rebuilt.by_mark),
                grouped(rebuilt.by_key),
                grouped(rebuilt.closed),
                grouped(rebuilt.ambiguous)
            ),
            *counts,
        ),
        Err(end) => (end.result, end.message.clone(), Counts::default()),
    };
    let kept = message.clone();
    let level = if result == RunResult::Succeeded { Level::Info } else { Level::Error };
    let noted = context
        .store
        .write(move |db| {
            runs::finish(db, run, result, Some(&kept), &counts, now)?;
            facts::insert(db, now, &NewFact::new(level, Some(run), format!("Rebuild: {kept}.")))
        })
        .await;
    match (end, noted) {
        (Err(end), _) => end,
        (Ok(_), Err(error)) => error.into(),
        (Ok(_), Ok(_)) => End::new(result, message),
    }
}

async fn steps(session: &mut Session<'_>) -> Result<Rebuilt, End> {
    let (org, platform) = futures_util::future::join(
        session.capture_side(Side::Org, Reading::Scan),
        session.capture_side(Side::Platform, Reading::Scan),
    )
    .await;
    session.counts.read = org?.read + platform?.read;
    let mut found = Rebuilt { run: session.run, ..Rebuilt::default() };
    session.link_by_mark(&mut found).await?;
    session
        .context
        .store
        .write(|db| {
            work::clear(db)?;
            stage::clear_candidates(db)
        })
        .await?;
    let classes = session.classes();
    for place in 0..session.mappings.len() {
        let class = classes.iter().position(|class| class.members.contains(&place)).unwrap_or(0);
        session.file_staged(Side::Org, place, class).await?;
    }
    for (number, class) in classes.iter().enumerate() {
        if let Some(first) = class.members.first() {
            session.file_staged(Side::Platform, *first, number).await?;
        }
    }
    for (number, class) in classes.iter().enumerate() {
        session.resolve_groups(number, class).await?;
    }
    session.link_by_key(&mut found).await?;
    found.ambiguous = session.counts.failed;
    session.hand_over(found.links() > 0).await?;
    Ok(found)
}

fn new_link(
    run: i64,
    mapping: &Prepared,
    ids: PerSide<RecordId>,
    staged: &PerSide<Option<Staged>>,
    now: chrono::DateTime<chrono::Utc>,
) -> NewLink {
    let records = staged.as_ref().map(|staged| staged.as_ref().map(|staged| &staged.record));
    NewLink {
        mapping: mapping.row.mapping,
        family: mapping.row.family,
        ids,
        // Without a stamp the next read of either side is looked at, whatever it says.
        stamps: PerSide { org: None, platform: None },
        read: PerSide::from_fn(|side| staged[side].as_ref().map_or(now, |staged| staged.read_at)),
        keys: key_hashes(mapping, &Bases::default(), &records),
        bases: Bases::default().encode(),
        run,
    }
}

impl Session<'_> {
    /// Pairs that the key brought together become links; what is alone is counted.
    async fn link_by_key(&self, found: &mut Rebuilt) -> Result<(), End> {
        let (run, now) = (self.run, self.now());
        self.walk_work(found, move |db, mapping, piece, sums: &mut Rebuilt| {
            match (piece.link, piece.ids.org, piece.ids.platform) {
                (None, Some(org), Some(platform)) => {
                    let ids = PerSide { org, platform };
                    let staged = mapping.staged(db, &both(&ids))?;
                    links::put(db, &new_link(run, mapping, ids, &staged, now))?;
                    sums.by_key += 1;
                }
                (None, Some(_), None) => sums.alone.org += 1,
                (None, None, Some(_)) => sums.alone.platform += 1,
                (Some(_), _, _) | (None, None, None) => {}
            }
            Ok(())
        })
        .await
    }

    /// Leaves what was read to the next instant sync, which meets it without bases. Where no link was found there never was a
    /// synchronization, and the first one is for a person to begin (law E11).
    async fn hand_over(&self, linked: bool) -> Result<(), End> {
        let read = self.feeds();
        let numbers: Vec<i64> = self.mappings.iter().map(|mapping| mapping.row.mapping).collect();
        let now = self.now();
        self.context
            .store
            .write(move |db| {
                for (side, object) in &read {
                    if linked {
                        feeds::finish(db, *side, object)?;
                        feeds::begin(db, *side, object, Reading::Changes, now)?;
                    } else {
                        feeds::abandon(db, *side, object)?;
                        stage::clear(db, *side, object)?;
                    }
                }
                if linked {
                    for number in numbers {
                        mappings::initial_done(db, number, now)?;
                    }
                }
                work::clear(db)?;
                stage::clear_candidates(db)
            })
            .await?;
        Ok(())
    }
}
