//! The brakes at work (law E10): limits set from the rolling day, lines counted, the rest held.

use crate::domain::outcome::RunResult;
use crate::domain::plan::Action;
use crate::engine::apply::Item;
use crate::engine::brake::Braked;
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::mutant::{Mutant, broken};
use crate::store::links::{self};
use crate::store::work::{self};
use crate::store::{departures, undo};

impl Session<'_> {
    pub(super) async fn set_brakes(&mut self, totals: &[(usize, u64)]) -> Result<(), End> {
        let since = self.now() - crate::engine::brake::window();
        for place in 0..self.mappings.len() {
            let mapping = self.mappings[place].row.mapping;
            let (links, sums) = self
                .context
                .store
                .write(move |db| {
                    let mut sums = Vec::new();
                    for kind in Braked::ALL {
                        sums.push((
                            kind,
                            crate::store::history::braked_since(db, mapping, kind.word(), since)?,
                        ));
                    }
                    Ok((links::count(db, mapping, u64::MAX >> 1)?, sums))
                })
                .await?;
            let work = totals.iter().find(|(known, _)| *known == place).map_or(0, |(_, total)| *total);
            let of = if self.request.kind == crate::domain::outcome::RunKind::Initial {
                links.max(work)
            } else {
                links
            };
            for (kind, before) in sums {
                self.brakes.set(
                    place,
                    kind,
                    self.request.kind,
                    &self.context.options.brakes,
                    &self.request.allow,
                    before,
                    of,
                );
            }
        }
        Ok(())
    }

    /// Blankings, deletes and deactivations wait until all of them are counted; tells whether they may go (law E10). Deletes that
    /// may not are left out and stay due, so that the rest of the run goes on.
    pub(super) async fn release_held(&mut self) -> Result<bool, End> {
        if self.plan.book().is_some() {
            // A plan only tells which brakes it would meet.
            return Ok(true);
        }
        let undone = self.order().map(|order| order.run);
        let mappings = self.mappings.clone();
        let held = self
            .context
            .store
            .write(move |db| {
                let mut held = Vec::new();
                for work in work::after(db, 0, true, usize::MAX >> 1)? {
                    let deletes = match (undone, work.link, mappings.get(work.mapping)) {
                        (Some(run), _, Some(mapping)) => {
                            undo::created_on(db, run, mapping.row.mapping, &work.ids)?.is_some()
                        }
                        (None, Some(link), _) => departures::get(db, link)?.is_some(),
                        _ => false,
                    };
                    let kind = if deletes { Braked::Delete } else { Braked::Blank };
                    held.push((work, kind));
                }
                Ok(held)
            })
            .await?;
        let mut sums: std::collections::BTreeMap<(usize, Braked), u64> = std::collections::BTreeMap::new();
        for (work, kind) in &held {
            *sums.entry((work.mapping, *kind)).or_default() += 1;
        }
        for ((place, kind), sum) in sums {
            let unbraked = kind == Braked::Delete && broken(Mutant::DeletesUnbraked);
            if self.brakes.take(place, kind, sum) || unbraked {
                continue;
            }
            if kind != Braked::Delete {
                return Err(self.braked(place, kind, sum));
            }
            let end = self.braked(place, kind, sum);
            self.withheld.get_or_insert(end);
            let left_out: Vec<i64> = held
                .iter()
                .filter(|(work, of)| work.mapping == place && *of == kind)
                .map(|(work, _)| work.work)
                .collect();
            self.context
                .store
                .write(move |db| left_out.into_iter().try_for_each(|number| work::withhold(db, number)))
                .await?;
        }
        Ok(true)
    }

    pub(in crate::engine) fn braked(&self, place: usize, kind: Braked, more: u64) -> End {
        let name = self.mappings.get(place).map_or("", |mapping| mapping.compiled.spec.name.as_str());
        let (what, flag) = kind.sentence();
        End::new(
            RunResult::Braked,
            format!(
                "In mapping {name} more than {} {what} within a day; the rest was not written. \
                 Look at the records, then release the number you accept: `{} {flag} {more}`, or B in the console",
                self.brakes.limit(place, kind),
                crate::engine::brake::command_again(self.request),
            ),
        )
    }

    /// Counts what streams; a line that would pass a limit is left out, and the run ends after this chunk.
    pub(super) fn apply_brakes(&mut self, items: &mut [Item]) -> Option<(usize, Braked, u64)> {
        let mut tripped: Option<(usize, Braked, u64)> = None;
        for item in items.iter_mut().filter(|item| item.later.is_none()) {
            let line = &item.decision.line;
            let mut kinds = Vec::new();
            match line.action {
                Action::Create { .. } => kinds.push((Braked::Create, 1)),
                // Deletes and deactivations were counted together before they were released.
                Action::Merge if !line.changes.is_empty() && item.gone.is_none() => {
                    kinds.push((Braked::Update, 1));
                }
                Action::Merge
                | Action::Delete { .. }
                | Action::Restore { .. }
                | Action::Skip { .. }
                | Action::Refuse { .. } => {}
            }
            if item.decision.opt_outs > 0 {
                kinds.push((Braked::OptOut, item.decision.opt_outs));
            }
            for (kind, more) in kinds {
                if !self.brakes.take(item.mapping, kind, more) {
                    item.postpone("brake");
                    let so_far = tripped.map_or(0, |(_, _, sum)| sum);
                    tripped = Some((item.mapping, kind, so_far + more));
                    break;
                }
            }
        }
        tripped
    }
}
