//! Verify (law E6): the targets of a chunk are read by id; where one moved, its line is decided again, once.

use std::collections::HashMap;

use crate::domain::plan::{Action, Obstacle};
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::engine::apply::Item;
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::store::stage::Staged;

impl Session<'_> {
    /// A pair without a base can't be decided from one side alone (a new pair, a link that was made without bases): the side
    /// that was not read is read by id.
    pub async fn read_missing(&self, items: &mut [Item]) -> Result<(), End> {
        for side in Side::BOTH {
            for object in self.objects(side) {
                let lacking: Vec<usize> = items
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| {
                        let mapping = &self.mappings[item.mapping];
                        item.records[side].is_none()
                            && item.decision.line.ids[side].is_some()
                            && mapping.compiled.spec.object(side) == object
                            && item.link.as_ref().is_none_or(|link| {
                                mapping.row.pairs.iter().any(|number| link.bases.get(*number).is_none())
                            })
                    })
                    .map(|(place, _)| place)
                    .collect();
                let Some(first) = lacking.first() else { continue };
                let selection = self.mappings[items[*first].mapping].compiled.selection[side].clone();
                let ids: Vec<RecordId> = lacking
                    .iter()
                    .filter_map(|place| items[*place].decision.line.ids[side].clone())
                    .collect();
                if ids.is_empty() {
                    continue;
                }
                let read_at = self.now();
                let records = self.context.endpoints[side].read(&object, &selection, &ids).await?;
                let mut found: HashMap<RecordId, _> =
                    records.into_iter().map(|record| (record.id.clone(), record)).collect();
                for place in lacking {
                    let Some(id) = items[place].decision.line.ids[side].clone() else { continue };
                    items[place].records[side] = found.remove(&id).map(|record| Staged { record, read_at });
                }
            }
        }
        Ok(())
    }

    /// Reads what the items are about to change and decides again where it moved.
    pub async fn verify(&mut self, items: &mut [Item]) -> Result<(), End> {
        for side in Side::BOTH {
            for object in self.objects(side) {
                let targets: Vec<usize> = items
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| {
                        item.decision.line.action == Action::Merge
                            && item.decision.line.writes_to(side)
                            && self.mappings[item.mapping].compiled.spec.object(side) == object
                    })
                    .map(|(place, _)| place)
                    .collect();
                if targets.is_empty() {
                    continue;
                }
                let ids: Vec<RecordId> = targets
                    .iter()
                    .filter_map(|place| items[*place].decision.line.ids[side].clone())
                    .collect();
                let selection = self.mappings[items[targets[0]].mapping].compiled.selection[side].clone();
                let read_at = self.now();
                let records = self.context.endpoints[side].read(&object, &selection, &ids).await?;
                let mut now: HashMap<RecordId, _> =
                    records.into_iter().map(|record| (record.id.clone(), record)).collect();
                for place in targets {
                    let item = &mut items[place];
                    let Some(id) = item.decision.line.ids[side].clone() else { continue };
                    match now.remove(&id) {
                        Some(record) => {
                            // A read that is older than what the link last saw comes from a stale copy.
                            let stale = item.link.as_ref().is_some_and(|link| {
                                matches!((record.stamp, link.stamps[side]), (Some(read), Some(known)) if read < known)
                            });
                            if stale {
                                item.postpone("stale_read");
                            } else {
                                item.records[side] = Some(Staged { record, read_at });
                                item.verified[side] = true;
                            }
                        }
                        None => {
                            item.decision.line.action = Action::Refuse {
                                obstacle: Obstacle {
                                    code: "target_missing".into(),
                                    message: format!(
                                        "the linked record {id} can't be read on the {side}: it may be deleted, or this user \
                                         may no longer see it; nothing was written"
                                    ),
                                    pair: None,
                                },
                            };
                        }
                    }
                }
            }
        }
        for item in
            items.iter_mut().filter(|item| item.decision.line.action == Action::Merge && !item.postponed())
        {
            let written: PerSide<bool> = PerSide::from_fn(|side| item.decision.line.writes_to(side));
            if !written.org && !written.platform {
                continue;
            }
            let mapping = &self.mappings[item.mapping];
            item.decide(mapping);
            // Decided anew, it would write a side that was not verified: it is looked at again later.
            if Side::BOTH.iter().any(|side| item.decision.line.writes_to(*side) && !item.verified[*side]) {
                item.postpone("moved");
            }
        }
        Ok(())
    }
}
