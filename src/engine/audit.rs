//! The completeness audit (N7): is there a record that no run has dealt with?
//!
//! Where a side can count, its records are counted in windows of time against the links last seen there; a window that differs
//! is halved until it is small, and then read. Where it can't, everything is read. What was read goes through the ordinary
//! matching and the ordinary decision; what they would do, although its change lies behind the cursor and nothing else answers
//! for it, is a hole. An audit writes nothing to either side: [`make_pending`](crate::store::audit::make_pending) hands the
//! holes to a run of their own.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::audit::{AuditReport, Hole, HoleKind, Looked};
use crate::domain::outcome::{Counts, RunResult};
use crate::domain::plan::Action;
use crate::domain::port::ScanRequest;
use crate::domain::progress::Phase;
use crate::domain::record::RecordId;
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::engine::context::End;
use crate::engine::decide::{Present, create, linked};
use crate::engine::session::{Prepared, Session, both};
use crate::store::facts::{self, NewFact};
use crate::store::work::Work;
use crate::store::{StoreError, audit, feeds, links, stage, work};

mod windows;

use windows::Window;

/// Records looked at in one transaction, and ids read at once.
const BATCH: usize = 2_000;

/// So many holes are told in the log; all of them are in the report.
const TOLD: usize = 200;

/// Up to when the changes of one side belong to the past: what is younger is read by the next run anyway.
type Past = PerSide<DateTime<Utc>>;

impl Session<'_> {
    /// Looks for holes and keeps what it found; the run ends with a sentence about it.
    pub async fn audit(&mut self) -> Result<(), End> {
        let past = self.past().await?;
        self.phase(Phase::Reading);
        self.context.store.write(audit::begin).await?;
        let mut report = AuditReport { run: self.run, ..AuditReport::default() };
        let looked = self.look(&past, &mut report).await;
        let looked = match looked {
            Ok(()) => {
                self.phase(Phase::Matching);
                self.compare(&past, &mut report).await
            }
            Err(end) => Err(end),
        };
        self.forget_read().await?;
        looked?;
        report.at = self.now();
        let (read, holes) = (self.counts.read, report.holes());
        self.counts = Counts { read, failed: holes, ..Counts::default() };
        self.tell_holes().await?;
        let message = report.sentence();
        self.context.store.write(move |db| audit::finish(db, &report)).await?;
        // An end like any other, only with a sentence of its own.
        let result = if holes == 0 { RunResult::Succeeded } else { RunResult::PartlyFailed };
        Err(End::new(result, message))
    }

    /// The first holes stand in the log, each with its record.
    async fn tell_holes(&self) -> Result<(), End> {
        let (run, now) = (self.run, self.now());
        let sequence = self
            .context
            .store
            .write(move |db| {
                let mut sequence = None;
                for (_, hole) in audit::holes(db, TOLD)? {
                    let fact = NewFact::new(Level::Warn, Some(run), format!("Hole: {}.", hole.why))
                        .of_mapping(&hole.mapping)
                        .about(&hole.ids);
                    sequence = Some(facts::insert(db, now, &fact)?);
                }
                Ok(sequence)
            })
            .await?;
        if let Some(sequence) = sequence {
            self.context.progress.send_modify(|progress| progress.facts = sequence);
        }
        Ok(())
    }

    /// The moment up to which each side has been read to the end. A read that was interrupted has to come to its end first.
    async fn past(&self) -> Result<Past, End> {
        let mut past = PerSide::from_fn(|_| self.now());
        for side in Side::BOTH {
            for object in self.objects(side) {
                let settle = self.context.endpoints[side].capabilities(&object).settle;
                let name = object.clone();
                let feed = self.context.store.write(move |db| feeds::get(db, side, &name)).await?;
                if feed.reading.is_some() {
                    return Err(End::new(
                        RunResult::Failed,
                        format!(
                            "the last run did not come to its end, and what it read of {object} waits; let it go on first (forcesync \
                             sync instant, or initial if that was the first one)"
                        ),
                    ));
                }
                let Some(read_until) = feed.cursor_at else {
                    return Err(End::new(
                        RunResult::Failed,
                        format!(
                            "{object} was never fully synchronized, so there is nothing to audit yet; run an initial sync first \
                             (forcesync sync initial)"
                        ),
                    ));
                };
                let settle = TimeDelta::from_std(settle).unwrap_or(TimeDelta::minutes(10));
                past[side] = past[side].min(read_until - settle);
            }
        }
        Ok(past)
    }

    async fn look(&mut self, past: &Past, report: &mut AuditReport) -> Result<(), End> {
        for side in Side::BOTH {
            for object in self.objects(side) {
                let numbers: Vec<i64> = self
                    .mappings
                    .iter()
                    .filter(|mapping| mapping.compiled.spec.object(side) == object)
                    .map(|mapping| mapping.row.mapping)
                    .collect();
                let mut looked = Looked {
                    side,
                    object: object.clone(),
                    windows_alike: 0,
                    windows_read: 0,
                    counted: 0,
                    read: 0,
                };
                let counted = self.count_windows(side, &object, &numbers, past[side], &mut looked).await?;
                if let Some(windows) = counted {
                    for window in windows {
                        let criteria = self.window_criteria(side, &object, &window);
                        looked.read += self.read_all(side, &object, Some(criteria)).await?;
                        self.read_unseen(side, &object, &numbers, Some(window), &mut looked, report).await?;
                    }
                } else {
                    report.gaps.push(format!(
                        "{object}: {} can't count its records in windows of time, so all of them were read",
                        side.place()
                    ));
                    looked.read += self.read_all(side, &object, None).await?;
                    self.read_unseen(side, &object, &numbers, None, &mut looked, report).await?;
                }
                self.counts.read += looked.read;
                report.looked.push(looked);
                self.publish();
            }
        }
        Ok(())
    }

    /// Stages what a scan brings; the feeds are left alone.
    async fn read_all(
        &self,
        side: Side,
        object: &str,
        criteria: Option<crate::domain::criteria::Criteria>,
    ) -> Result<u64, End> {
        let mut request = ScanRequest {
            object: object.to_owned(),
            selection: self.selection(side, object),
            criteria,
            mark: None,
        };
        let mut read = 0;
        loop {
            self.context.control.checkpoint().await?;
            let read_at = self.now();
            let page = self.context.endpoints[side].scan(&request).await?;
            read += page.records.len() as u64;
            let name = object.to_owned();
            self.context.store.write(move |db| stage::put(db, side, &name, &page.records, read_at)).await?;
            request.mark = page.next;
            if request.mark.is_none() {
                return Ok(read);
            }
        }
    }

    /// Linked records that should have come and did not are asked for by id; what is not there is gone.
    async fn read_unseen(
        &self,
        side: Side,
        object: &str,
        numbers: &[i64],
        window: Option<Window>,
        looked: &mut Looked,
        report: &mut AuditReport,
    ) -> Result<(), End> {
        let mut last = 0;
        loop {
            self.context.control.checkpoint().await?;
            let (name, mappings) = (object.to_owned(), numbers.to_vec());
            let unseen = self
                .context
                .store
                .write(move |db| audit::unseen(db, side, &name, &mappings, window, last, BATCH))
                .await?;
            let Some((reached, _)) = unseen.last() else { return Ok(()) };
            last = *reached;
            let mut ids: Vec<RecordId> = unseen.iter().map(|(_, id)| id.clone()).collect();
            ids.sort();
            ids.dedup();
            let read_at = self.now();
            let records =
                self.context.endpoints[side].read_early(object, &self.selection(side, object), &ids).await?;
            looked.read += records.len() as u64;
            let there: BTreeSet<RecordId> = records.iter().map(|record| record.id.clone()).collect();
            let gone: Vec<i64> =
                unseen.iter().filter(|(_, id)| !there.contains(id)).map(|(link, _)| *link).collect();
            let (name, run) = (object.to_owned(), self.run);
            let names: Vec<(i64, String)> = self
                .mappings
                .iter()
                .map(|mapping| (mapping.row.mapping, mapping.compiled.spec.name.clone()))
                .collect();
            let (found, explained) = self
                .context
                .store
                .write(move |db| {
                    stage::put(db, side, &name, &records, read_at)?;
                    let (mut found, mut explained) = (0, 0);
                    for number in gone {
                        let Some(link) = links::get(db, number)? else { continue };
                        let ids = both(&link.ids);
                        if audit::explained(db, link.mapping, Some(link.link), &ids)? {
                            explained += 1;
                            continue;
                        }
                        let mapping = names
                            .iter()
                            .find(|(known, _)| *known == link.mapping)
                            .map(|(_, name)| name.clone())
                            .unwrap_or_default();
                        let why = format!(
                            "it is linked, but {} no longer shows it, and no deletion was told: it is gone, or hidden by rights",
                            side.place()
                        );
                        let hole = Hole { mapping, side, ids, kind: HoleKind::Gone, why };
                        audit::put(db, run, link.mapping, &hole)?;
                        found += 1;
                    }
                    Ok((found, explained))
                })
                .await?;
            report.gone += found;
            report.explained += explained;
        }
    }

    /// Matches what was read, and decides what a run would do with it.
    async fn compare(&mut self, past: &Past, report: &mut AuditReport) -> Result<(), End> {
        self.match_records().await?;
        let (run, past) = (self.run, *past);
        self.walk_work(report, move |db, mapping, piece, sums: &mut AuditReport| {
            let Some(hole) = examine(db, mapping, &piece, &past, sums)? else { return Ok(()) };
            match hole.kind {
                HoleKind::Unlinked => sums.unlinked += 1,
                HoleKind::Differs => sums.differing += 1,
                HoleKind::Gone => sums.gone += 1,
            }
            audit::put(db, run, mapping.row.mapping, &hole)
        })
        .await
    }

    async fn forget_read(&self) -> Result<(), End> {
        let objects = self.feeds();
        self.context
            .store
            .write(move |db| {
                for (side, object) in &objects {
                    stage::clear(db, *side, object)?;
                }
                work::clear(db)?;
                stage::clear_candidates(db)
            })
            .await?;
        Ok(())
    }
}

/// Whether a run would do something with this record that an earlier one should have done.
fn examine(
    db: &rusqlite::Connection,
    mapping: &Prepared,
    piece: &Work,
    past: &Past,
    sums: &mut AuditReport,
) -> Result<Option<Hole>, StoreError> {
    let staged = mapping.staged(db, &piece.ids)?;
    // What changed after the last read is for the next run.
    let young = Side::BOTH.into_iter().any(|side| {
        staged[side].as_ref().and_then(|staged| staged.record.stamp).is_some_and(|stamp| stamp >= past[side])
    });
    let (kind, side, why) = match (piece.link, &staged) {
        (Some(number), _) => {
            let Some(link) = links::get(db, number)? else { return Ok(None) };
            let present = PerSide::from_fn(|side| match &staged[side] {
                Some(staged) => Present::Read {
                    record: &staged.record,
                    read_at: staged.read_at,
                    grain: mapping.capabilities[side].stamps.grain(),
                },
                None => Present::AsBase,
            });
            let decision =
                linked(&mapping.compiled, &mapping.row.pairs, Some(&link), &link.ids, &present, &[], &[]);
            let line = decision.line;
            if line.changes.is_empty() && line.parked.is_empty() && line.obstacles.is_empty() {
                return Ok(None);
            }
            let to = line.changes.first().map_or(Side::Platform, |change| change.to);
            let mut pairs: Vec<String> = line
                .changes
                .iter()
                .filter_map(|change| change.pair)
                .chain(line.parked.iter().map(|parked| parked.pair))
                .chain(line.obstacles.iter().filter_map(|obstacle| obstacle.pair))
                .filter_map(|place| mapping.compiled.pairs.get(place))
                .map(|pair| pair.spec.name())
                .collect();
            pairs.dedup();
            let why = format!("it is linked, but {} did not flow", pairs.join(", "));
            (HoleKind::Differs, to.other(), why)
        }
        (None, PerSide { org: Some(_), platform: Some(_) }) => (
            HoleKind::Unlinked,
            Side::Org,
            "the two belong together by their key, and are not linked".to_owned(),
        ),
        (None, PerSide { org: Some(only), platform: None } | PerSide { org: None, platform: Some(only) }) => {
            let side = if staged.org.is_some() { Side::Org } else { Side::Platform };
            let decision = create(&mapping.compiled, side, &only.record);
            if matches!(decision.line.action, Action::Skip { .. }) {
                sums.explained += 1;
                return Ok(None);
            }
            let why = format!("it is in scope, and no run has created it on {}", side.other().place());
            (HoleKind::Unlinked, side, why)
        }
        (None, PerSide { org: None, platform: None }) => return Ok(None),
    };
    if young || audit::explained(db, mapping.row.mapping, piece.link, &piece.ids)? {
        sums.explained += 1;
        return Ok(None);
    }
    Ok(Some(Hole { mapping: mapping.compiled.spec.name.clone(), side, ids: piece.ids.clone(), kind, why }))
}
