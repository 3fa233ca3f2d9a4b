//! Undo (law E16): a run is taken back by a plan of its own, under the brakes, through verify, journal, send and commit.
//!
//! Where the run wrote and nobody did since, the earlier value is written back, and both bases of the pair become what both
//! sides hold then, so that nothing flows back. Everything else stays as it is and is listed with its reason. What is wanted of a
//! record is read from history when its turn comes, so that an undo of any size needs the memory of one chunk.
//!
//! Values are decided in `decide`, whole records that the run created in `uncreate`; what it deleted is brought back, where that is
//! possible, in `restore`.

mod decide;
mod restore;
mod uncreate;

pub(super) use uncreate::{close as close_uncreated, commit as commit_uncreated};

use chrono::{DateTime, Utc};

use crate::domain::outcome::RunResult;
use crate::domain::plan::{Action, Line, UNKNOWN_OUTCOME};
use crate::domain::progress::Phase;
use crate::domain::record::RecordId;
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::domain::undo::{Extent, UndoLeft, UndoOrder, WhyLeft};
use crate::domain::value::Value;
use crate::engine::apply::Item;
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::store::undo::OurWrites;
use crate::store::{StoreError, links, pending, stage, undo, work};

/// Rows of history looked at in one transaction.
const BATCH: usize = 2_000;

/// What an undo wants of one pair on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The pair's place in the mapping; none if it is not mapped any more.
    pub place: Option<usize>,
    /// The side that the run wrote.
    pub side: Side,
    /// The fields.
    pub fields: Vec<String>,
    /// What the run left there.
    pub expected: Vec<Value>,
    /// What stood there before.
    pub restore: Vec<Value>,
}

/// What an item of an undo carries besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undo {
    /// What it wants.
    pub wanted: Vec<Wanted>,
    /// What stays as it is.
    pub left: Vec<UndoLeft>,
    /// On which sides something differs from its base that the undo does not touch: an edit on its way, which must stay one.
    pub differs: PerSide<bool>,
    /// The side on which the run created the record, which goes again.
    pub created: Option<Side>,
    /// Whether what somebody edited on that record has gone to its counterpart since, or a later write met it as somebody else left it.
    pub edited_since: bool,
    /// What we wrote to it.
    pub written: OurWrites,
}

impl Session<'_> {
    pub(super) fn order(&self) -> Option<UndoOrder> {
        self.request.undo.filter(|_| self.request.kind == crate::domain::outcome::RunKind::Undo)
    }

    /// Takes a run back.
    pub async fn undo(&mut self) -> Result<(), End> {
        let Some(order) = self.order() else {
            return Err(End::new(RunResult::Failed, "an undo needs the number of a run"));
        };
        let undoing = self.run;
        let known = self
            .context
            .store
            .write(move |db| {
                work::clear(db)?;
                Ok(order.run < undoing && !undo::rows(db, order.run, i64::MAX, 1)?.is_empty())
            })
            .await?;
        if !known {
            return Err(End::new(
                RunResult::Failed,
                format!(
                    "history knows nothing that run {} wrote: there is no such run, it wrote nothing, or it is past \
                     retention; nothing was changed",
                    order.run
                ),
            ));
        }
        self.phase(Phase::Matching);
        self.gather(order).await?;
        self.work().await.map_err(|end| match end.result {
            RunResult::Limited | RunResult::Cancelled => End::new(
                end.result,
                format!("stopped before the undo was through; undo run {} again and it goes on", order.run),
            ),
            _ => end,
        })?;
        self.context.store.write(work::clear).await?;
        self.restore(order).await?;
        self.tell_undo(order).await?;
        self.withheld.take().map_or(Ok(()), Err)
    }

    /// Fills the table of work with the records that the run wrote, newest first; lists what can't be taken back at all.
    async fn gather(&mut self, order: UndoOrder) -> Result<(), End> {
        let mut before = i64::MAX;
        loop {
            self.context.control.checkpoint().await?;
            let (run, mappings) = (self.run, self.mappings.clone());
            let (reached, left) = self
                .context
                .store
                .write(move |db| {
                    let rows = undo::rows(db, order.run, before, BATCH)?;
                    let reached = rows.last().map(|row| row.sequence);
                    let mut left = 0;
                    for row in rows {
                        let found = mappings.iter().position(|mapping| mapping.row.mapping == row.mapping);
                        let mut leave = |mapping: &str, why: WhyLeft| -> Result<(), StoreError> {
                            left += 1;
                            let (mapping, ids, side) = (mapping.to_owned(), row.ids.clone(), row.side);
                            undo::put_left(db, run, &UndoLeft { mapping, ids, side, fields: Vec::new(), why })
                        };
                        let Some(mapping) = found.and_then(|place| mappings.get(place)) else {
                            let name: String = db.query_row(
                                "SELECT COALESCE((SELECT name FROM mapping WHERE mapping=?), '')",
                                [row.mapping],
                                |row| row.get(0),
                            )?;
                            leave(&name, WhyLeft::NotMapped)?;
                            continue;
                        };
                        let name = mapping.compiled.spec.name.as_str();
                        match row.action.as_str() {
                            // What was deleted is looked at when all else is done.
                            "deleted" => continue,
                            "created" | "restored" | "updated" => {}
                            _ => {
                                leave(name, WhyLeft::LinkChanged)?;
                                continue;
                            }
                        }
                        let (Some(org), Some(platform)) = (&row.ids.org, &row.ids.platform) else { continue };
                        let created = undo::created_on(db, order.run, row.mapping, &row.ids)?;
                        if created.is_some() && row.action == "updated" {
                            // It stands and falls with the record that was created.
                            continue;
                        }
                        let link = links::by_org(db, row.mapping, org.as_str())?
                            .filter(|link| link.closed.is_none() && link.ids.platform == *platform);
                        match (link, found) {
                            (Some(link), Some(place)) => work::put(db, place, Some(link.link), &row.ids)?,
                            _ => leave(name, WhyLeft::NoLink)?,
                        }
                    }
                    Ok((reached, left))
                })
                .await?;
            self.counts.skipped += left;
            self.stale += left;
            let Some(sequence) = reached else { break };
            before = sequence;
        }
        let totals = self.context.store.write(work::totals).await?;
        self.publish_totals(&totals);
        Ok(())
    }

    /// Gives the items of an undo what is wanted of them. What earlier runs staged is not theirs.
    pub(super) async fn want(&self, items: &mut [Item]) -> Result<(), End> {
        let Some(order) = self.order() else { return Ok(()) };
        let asked: Vec<(usize, PerSide<Option<RecordId>>)> =
            items.iter().map(|item| (item.mapping, item.decision.line.ids.clone())).collect();
        let mappings = self.mappings.clone();
        let wanted = self
            .context
            .store
            .write(move |db| {
                asked
                    .iter()
                    .map(|(place, ids)| {
                        let (Some(mapping), Some(org), Some(platform)) =
                            (mappings.get(*place), &ids.org, &ids.platform)
                        else {
                            return Ok(Undo::default());
                        };
                        let number = mapping.row.mapping;
                        if let Some((side, created)) = undo::created_on(db, order.run, number, ids)? {
                            let id = if side == Side::Org { org } else { platform };
                            let edited_since = undo::edited_since(db, order.run, number, ids, side)?
                                || undo::touched_between(db, order.run, side, id, created)?;
                            let written = undo::written(db, number, ids, side)?;
                            return Ok(Undo {
                                created: Some(side),
                                edited_since,
                                written,
                                ..Undo::default()
                            });
                        }
                        let rows = undo::changes(
                            db,
                            order.run,
                            mapping.row.mapping,
                            org.as_str(),
                            platform.as_str(),
                        )?;
                        Ok(Undo { wanted: decide::wanted(mapping, rows), ..Undo::default() })
                    })
                    .collect::<Result<Vec<_>, StoreError>>()
            })
            .await?;
        for (item, wanted) in items.iter_mut().zip(wanted) {
            item.records = PerSide::default();
            item.undo = Some(wanted);
            // What follows from a record that went is the next run's business; an undo leaves such records.
            item.gone = None;
        }
        Ok(())
    }

    /// An undo that only looks keeps its plan; tells whether it was one.
    pub(super) async fn only_looks(&mut self, items: &[Item]) -> Result<bool, End> {
        if self.order().is_none_or(|order| order.extent == Extent::Write) {
            return Ok(false);
        }
        let run = self.run;
        let kept: Vec<(i64, Line, Vec<UndoLeft>)> = items
            .iter()
            .map(|item| {
                let left = item.undo.as_ref().map(|undo| undo.left.clone()).unwrap_or_default();
                (self.mappings[item.mapping].row.mapping, item.decision.line.clone(), left)
            })
            .collect();
        for (item, (_, line, left)) in items.iter().zip(&kept) {
            let skipped = left.len() as u64;
            self.count(item.mapping, |counts| counts.skipped += skipped);
            let idle = line.changes.is_empty() && line.action == Action::Merge;
            if idle && left.is_empty() {
                self.count(item.mapping, |counts| counts.unchanged += 1);
            }
        }
        self.context
            .store
            .write(move |db| {
                for (mapping, line, left) in kept {
                    if !line.changes.is_empty() || matches!(line.action, Action::Delete { .. }) {
                        undo::put_planned(db, run, mapping, &line)?;
                    }
                    for left in left {
                        undo::put_left(db, run, &left)?;
                    }
                }
                Ok(())
            })
            .await?;
        Ok(true)
    }

    /// Tells in the log how an undo went.
    async fn tell_undo(&self, order: UndoOrder) -> Result<(), End> {
        let left = self.counts.skipped;
        let message = match order.extent {
            Extent::Look => format!("Looked at what run {} wrote; nothing was written.", order.run),
            Extent::Write if left == 0 => format!("Run {} is taken back.", order.run),
            Extent::Write => {
                format!(
                    "Run {} is taken back except for {left} values or records that stay as they are.",
                    order.run
                )
            }
        };
        self.fact(self.say(Level::Info, message)).await
    }
}

/// What an item of an undo leaves behind when it is committed: the list of what stays, and a second look at records with edits
/// that the undo did not touch. Gives how much stays.
pub(super) fn commit(
    db: &rusqlite::Connection,
    run: i64,
    now: DateTime<Utc>,
    mapping: &crate::engine::session::Prepared,
    item: &Item,
    written: &PerSide<bool>,
) -> Result<u64, StoreError> {
    let Some(undo) = &item.undo else { return Ok(0) };
    for left in &undo.left {
        undo::put_left(db, run, left)?;
    }
    for side in Side::BOTH {
        let Some(id) = &item.decision.line.ids[side] else { continue };
        if written[side] {
            // What was staged of it before is older than our write, and would look like an edit.
            stage::remove(db, side, mapping.compiled.spec.object(side), id.as_str())?;
        }
    }
    let wrote = written.org || written.platform;
    if wrote && (undo.differs.org || undo.differs.platform) {
        for side in Side::BOTH {
            if let Some(id) = &item.decision.line.ids[side] {
                pending::put(db, mapping.row.mapping, side, id, "edited", now, Some(now))?;
            }
        }
    }
    Ok(undo.left.len() as u64)
}

impl Item {
    /// Decides an item of an undo from what is known now.
    pub(super) fn decide_undo(&mut self, mapping: &crate::engine::session::Prepared) -> bool {
        let Some(undo) = &mut self.undo else { return false };
        let ids = self.decision.line.ids.clone();
        // A fight that a person takes a side in is decided; only an unknown outcome has to be found out first.
        let unclear: Vec<i64> =
            self.waiting.iter().filter(|(_, why)| *why == UNKNOWN_OUTCOME).map(|(pair, _)| *pair).collect();
        if let Some(side) = undo.created {
            let unclear = !unclear.is_empty();
            let link = self.link.as_ref();
            let (decision, left) = uncreate::decide(mapping, side, link, &ids, &self.records, undo, unclear);
            undo.left = left;
            self.decision = decision;
            return true;
        }
        let (decision, left, differs) =
            decide::decide(mapping, &undo.wanted, self.link.as_ref(), &ids, &self.records, &unclear);
        undo.left = left;
        undo.differs = differs;
        self.decision = decision;
        true
    }
}
