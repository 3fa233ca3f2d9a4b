//! Records that the run deleted come back, where the side keeps deleted ones and they are still kept (law E16). They stay unlinked
//! unless their counterparts are there: what a person deleted on the other side is not created anew.

use std::collections::{BTreeMap, HashSet};

use crate::domain::plan::{Action, Line};
use crate::domain::port::RowResult;
use crate::domain::record::RecordId;
use crate::domain::side::Side;
use crate::domain::undo::{Extent, UndoLeft, UndoOrder, WhyLeft};
use crate::engine::brake::Braked;
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::store::history::{self, Call, Met, NewHistory};
use crate::store::undo::Row;
use crate::store::{departures, links, pending, undo};

/// Records brought back in one go.
const BATCH: usize = 200;

impl Session<'_> {
    /// Brings back what the run deleted. What is back already is passed over, so that an interrupted undo goes on.
    pub(super) async fn restore(&mut self, order: UndoOrder) -> Result<(), End> {
        for side in Side::BOTH {
            let mut before = i64::MAX;
            loop {
                self.context.control.checkpoint().await?;
                let rows = self
                    .context
                    .store
                    .write(move |db| undo::deleted(db, order.run, side, before, BATCH))
                    .await?;
                let Some(last) = rows.last() else { break };
                before = last.sequence;
                let mut of_mappings: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
                for row in rows {
                    // Where its mapping is not in the settings any more, it is listed already.
                    let place = self.mappings.iter().position(|mapping| mapping.row.mapping == row.mapping);
                    if let Some(place) = place {
                        of_mappings.entry(place).or_default().push(row);
                    }
                }
                for (place, rows) in of_mappings {
                    self.restore_of(order, place, side, rows).await?;
                }
            }
        }
        Ok(())
    }

    async fn restore_of(
        &mut self,
        order: UndoOrder,
        place: usize,
        side: Side,
        rows: Vec<Row>,
    ) -> Result<(), End> {
        let mapping = self.mappings[place].clone();
        let object = mapping.compiled.spec.object(side).to_owned();
        let endpoint = self.context.endpoints[side].clone();
        if !endpoint.keeps_deleted() || !mapping.compiled.spec.direction.allows(side) {
            return self.leave_deleted(place, rows).await;
        }
        let ids: Vec<RecordId> = rows.iter().filter_map(|row| row.ids[side].clone()).collect();
        let alive = endpoint.read(&object, &mapping.compiled.selection[side], &ids).await?;
        let alive: HashSet<RecordId> = alive.into_iter().map(|record| record.id).collect();
        let gone: Vec<RecordId> = ids.into_iter().filter(|id| !alive.contains(id)).collect();
        let kept = self.certainly_gone(side, &object, &gone).await?;
        let of = |row: &Row, known: &dyn Fn(&RecordId) -> bool| row.ids[side].as_ref().is_some_and(known);
        let (mut back, lost): (Vec<Row>, Vec<Row>) = rows
            .into_iter()
            .filter(|row| !of(row, &|id| alive.contains(id)))
            .partition(|row| of(row, &|id| kept.contains_key(id)));
        self.leave_deleted(place, lost).await?;
        if order.extent == Extent::Look {
            return self.plan_restores(place, side, back).await;
        }
        let allowed = back
            .iter()
            .take_while(|_| self.withheld.is_none() && self.brakes.take(place, Braked::Create, 1))
            .count();
        if allowed < back.len() {
            let end = self.braked(place, Braked::Create, (back.len() - allowed) as u64);
            self.withheld.get_or_insert(end);
            back.truncate(allowed);
        }
        if back.is_empty() {
            return Ok(());
        }
        let (number, known) = (mapping.row.mapping, back.clone());
        self.context
            .store
            .write_durably(move |db| {
                // That we deleted it must not make it look like a new one when it is back.
                for row in &known {
                    if let Some(org) = &row.ids.org
                        && let Some(link) = links::by_org(db, number, org.as_str())?
                        && link.closed.is_some()
                    {
                        departures::remove(db, link.link)?;
                    }
                }
                Ok(())
            })
            .await?;
        let ids: Vec<RecordId> = back.iter().filter_map(|row| row.ids[side].clone()).collect();
        let results = endpoint.undelete(&object, &ids).await?;
        self.commit_restores(place, side, back, results).await
    }

    async fn commit_restores(
        &mut self,
        place: usize,
        side: Side,
        rows: Vec<Row>,
        results: Vec<RowResult>,
    ) -> Result<(), End> {
        let number = self.mappings[place].row.mapping;
        let (run, now) = (self.run, self.now());
        let (mut done, mut refused) = (Vec::new(), Vec::new());
        for (row, result) in rows.into_iter().zip(results) {
            match result {
                RowResult::Done { .. } => done.push(row),
                RowResult::Refused(_) => refused.push(row),
                // Looked at again by whoever undoes the run once more.
                RowResult::Unknown => self.stale += 1,
            }
        }
        let counted = !Braked::Create.is_released(self.request.kind, &self.request.allow);
        let count = done.len() as u64;
        self.context
            .store
            .write(move |db| {
                for row in &done {
                    let new = NewHistory {
                        run,
                        mapping: number,
                        ids: &row.ids,
                        side,
                        action: "restored",
                        changes: &[],
                    };
                    history::put_call(db, now, &new, Some(Call { kind: "undelete", met: Met::Ours }))?;
                    // Where its counterpart is there, the next sync opens their link again.
                    if let Some(id) = &row.ids[side] {
                        pending::put(db, number, side, id, "back", now, Some(now))?;
                    }
                }
                if counted && !done.is_empty() {
                    history::count_braked(db, number, Braked::Create.word(), done.len() as u64, now)?;
                }
                if !done.is_empty() {
                    history::touched(db, now)?;
                }
                Ok(())
            })
            .await?;
        self.count(place, |counts| counts.side_mut(side).created += count);
        self.leave_deleted(place, refused).await
    }

    /// Lists what does not come back.
    async fn leave_deleted(&mut self, place: usize, rows: Vec<Row>) -> Result<(), End> {
        let (run, count) = (self.run, rows.len() as u64);
        let mapping = self.mappings[place].compiled.spec.name.clone();
        self.context
            .store
            .write(move |db| {
                rows.into_iter().try_for_each(|row| {
                    let left = UndoLeft {
                        mapping: mapping.clone(),
                        ids: row.ids,
                        side: row.side,
                        fields: Vec::new(),
                        why: WhyLeft::Deleted,
                    };
                    undo::put_left(db, run, &left)
                })
            })
            .await?;
        self.count(place, |counts| counts.skipped += count);
        self.stale += count;
        Ok(())
    }

    async fn plan_restores(&self, place: usize, side: Side, rows: Vec<Row>) -> Result<(), End> {
        let (run, number) = (self.run, self.mappings[place].row.mapping);
        let mapping = self.mappings[place].compiled.spec.name.clone();
        self.context
            .store
            .write(move |db| {
                rows.into_iter().try_for_each(|row| {
                    let line = Line {
                        mapping: mapping.clone(),
                        ids: row.ids,
                        action: Action::Restore { on: side },
                        changes: Vec::new(),
                        parked: Vec::new(),
                        obstacles: Vec::new(),
                    };
                    undo::put_planned(db, run, number, &line)
                })
            })
            .await?;
        Ok(())
    }
}
